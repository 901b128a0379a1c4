/* fuzz_call: instantiates any bytes that are a component, with imports that trap or draw their results, and calls all its
 * exports.
 * In: bytes from libFuzzer, whose sum chooses the values. Out: no crash, no leak, no sanitizer report; every
 * failure has a reason; the same calls in a second instance have the same results.
 * Seeds: components of random_components.py.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "component/abi/context.h"
#include "component/type/wave.h"
#include "component/run/linker.h"
#include "draw.h"
#include "host_imports.h"
#include <stdlib.h>
#include <string.h>

static uint64_t sum(uint64_t h, const char *text) {
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 1099511628211u;
    return h;
}

/* Calls the exports of an instance. Returns a sum over all results. */
static uint64_t exports(ts_cstore *store, const ts_exports *x, fz_draw *d, uint64_t h, int depth) {
    char text[2048];
    for (uint32_t i = 0; i < x->n && i < 32; i++) {
        const ts_item *item = &x->items[i];
        if (item->sort == TS_SORT_INSTANCE && depth < 3) h = exports(store, item->instance, d, h, depth + 1);
        if (item->sort != TS_SORT_FUNC) continue;
        ts_cfunc *f = item->func;
        const ts_cfunc_type *t = ts_cfunc_get_type(f);
        ts_val *args = fz_room(d, t->n_params * sizeof *args), result;
        bool made = true;
        d->budget = 4096;
        for (uint32_t k = 0; k < t->n_params && made; k++) made = fz_value(d, t->params[k].type, &args[k]);
        if (!made) continue;
        ts_error e;
        ts_error_init(&e);
        memset(&result, 0, sizeof result);
        ts_status s = ts_cfunc_call(store, f, args, &result, d->pool, &e);
        if (s != TS_OK && (e.status != s || e.message[0] == 0)) abort();
        h = sum(h, ts_status_name(s));
        if (s != TS_OK) {
            h = sum(h, ts_trap_kind_name(e.trap));
            continue;
        }
        if (!t->result) continue;
        if (t->result->kind == TS_CT_OWN) {
            ts_val *own = fz_room(d, sizeof *own);
            *own = result;
            d->owned = own;
        } else if (!t->result->has_handle) {
            if (ts_wave_print(t->result, &result, text, sizeof text, 0) < sizeof text) h = sum(h, text);
        }
    }
    return h;
}

static uint64_t run(ts_engine *engine, ts_component *c, uint64_t seed) {
    static const ts_run_limits limits = {.memory_bytes = 4 << 20,
                                         .fuel = 100000,
                                         .table_elems = 100000,
                                         .gc_bytes = 4 << 20,
                                         .instances = 200,
                                         .depth = 40,
                                         .deterministic = true};
    ts_error e;
    ts_linker *linker = NULL;
    ts_cstore *store = NULL;
    ts_cinstance *instance = NULL;
    fz_draw d = {.state = seed | 1, .pool = ts_pool_new()};
    ts_error_init(&e);
    if (!d.pool || ts_linker_create(&linker, &e) != TS_OK || ts_cstore_new(engine, &limits, &store, &e) != TS_OK)
        abort();
    ts_linker_set_unknown_imports_trap(linker, true);
    if (seed & 24) fz_provide(linker, c, &d);
    ts_status s = ts_component_instantiate(store, linker, c, &instance, &e);
    if (s != TS_OK && (e.status != s || e.message[0] == 0)) abort();
    uint64_t h = sum(14695981039346656037u, ts_status_name(s));
    if (s == TS_OK) h = exports(store, ts_cinstance_exports(instance), &d, h, 0);
    ts_cstore_free(store);
    ts_linker_destroy(linker);
    ts_pool_free(d.pool);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ts_error e;
    ts_engine *engine;
    ts_component *c = NULL;
    ts_error_init(&e);
    if (ts_engine_create(&engine, &e) != TS_OK) return 0;
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < size; i++) seed = (seed ^ data[i]) * 1099511628211u;
    ts_status s = ts_component_new(engine, data, size, true, TS_CF_DEFAULT, &c, &e);
    ts_error_init(&e);
    if (s != TS_OK) s = ts_component_new(engine, data, size, true, TS_CF_ALL, &c, &e);
    if (s == TS_OK) {
        uint64_t first = run(engine, c, seed), second = run(engine, c, seed);
        if (first != second) abort();
    }
    ts_component_free(c);
    ts_engine_destroy(engine);
    return 0;
}
