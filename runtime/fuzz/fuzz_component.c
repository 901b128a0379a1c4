/* fuzz_component: decodes and validates any bytes as a component, and instantiates valid ones without
 * imports.
 * In: bytes from libFuzzer. Out: no crash, no leak, no sanitizer
 * report; the same verdict twice, with a reason at an offset inside the input; failures of instances have a
 * reason.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "core/run/store.h"
#include <stdlib.h>

static void instantiate(ts_engine *engine, ts_component *c) {
    static const ts_run_limits limits = {.memory_bytes = 1 << 20,
                                         .table_elems = 10000,
                                         .gc_bytes = 1 << 20,
                                         .fuel = 10000,
                                         .instances = 200,
                                         .depth = 20};
    ts_error e;
    ts_linker *l = NULL;
    ts_cstore *store = NULL;
    ts_cinstance *i;
    ts_error_init(&e);
    ts_status s = ts_linker_new(&l, &e);
    if (s == TS_OK) s = ts_cstore_new(engine, &limits, &store, &e);
    if (s == TS_OK) {
        ts_linker_set_unknown_imports_trap(l, true);
        s = ts_component_instantiate(store, l, c, &i, &e);
        if (s != TS_OK && (e.status != s || !e.message[0])) abort();
        /* validation has checked all of that */
        if (s == TS_USAGE || s == TS_MALFORMED || s == TS_INVALID) abort();
    }
    ts_cstore_destroy(store);
    ts_linker_destroy(l);
}

static ts_status check(ts_engine *engine, const uint8_t *data, size_t size, bool copy, uint32_t features) {
    ts_error e;
    ts_component *c;
    ts_error_init(&e);
    ts_status s = ts_component_new(engine, data, size, copy, features, &c, &e);
    if (s == TS_OK ? e.status != TS_OK || !c : e.status != s || e.message[0] == 0 || c) abort();
    if (s != TS_OK && s != TS_MALFORMED && s != TS_INVALID && s != TS_NOMEM) abort();
    if (e.has_offset && e.offset > size) abort();
    if (s == TS_OK && copy) instantiate(engine, c);
    ts_component_free(c);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ts_error e;
    ts_engine *engine;
    ts_error_init(&e);
    if (ts_engine_create(&engine, &e) != TS_OK) return 0;
    /* whatever is valid without features is so with all of them */
    ts_status every = check(engine, data, size, true, TS_CF_EVERY), s = check(engine, data, size, false, TS_CF_DEFAULT);
    if (s == TS_OK && every != TS_OK) abort();
    if (s == TS_OK && check(engine, data, size, true, TS_CF_DEFAULT) != s) abort();
    ts_engine_destroy(engine);
    return 0;
}
