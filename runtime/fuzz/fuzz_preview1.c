/* fuzz_preview1: calls functions of preview 1 as a module could: any function, any numbers and pointers, any memory.
 * In: bytes from libFuzzer: two bytes of length and the memory's beginning; then for each call the function's place
 * among the exports of guests/preview1.wat, and a byte or more for each parameter. Out: no crash, no leak, no sanitizer
 * report; each call ends with an error code, a trap or an exit; nothing outside the granted folders changes.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "sandbox.h"
#include "component/run/instance.h"
#include "core/load/load.h"
#include "core/run/store.h"
#include "guests/guests.h"
#include "wasi/preview1/preview1.h"

enum { CALLS = 60, PARAMS = 12, ERRNO_LAST = 76 };

/* A number by its first byte: small, a pointer or length near the memory's end, or all of its bytes. */
static uint64_t number(fz_input *in, bool wide) {
    static const uint64_t some[] = {65536, 65535, 65532, 65528, 0x80000000, 0xffffffff, UINT64_MAX, INT64_MAX};
    const uint8_t n = (uint8_t)fz_number(in, 1);
    if (n < 160) return n;
    if (n < 168) return some[n - 160];
    return n < 208 ? fz_number(in, 2) : n < 224 ? (uint64_t)1 << (n - 208) * 2 : fz_number(in, wide ? 8 : 4);
}

static bool call(ts_core_store *s, ts_core_func *f, const ts_core_externtype *t, fz_input *in) {
    ts_core_val args[PARAMS] = {0}, out = {0};
    ts_error e;
    ts_error_init(&e);
    if (t->n_params > PARAMS) abort();
    for (uint32_t i = 0; i < t->n_params; i++) {
        const bool wide = t->params[i] == TS_CORE_I64;
        const uint64_t n = number(in, wide);
        args[i].type = t->params[i];
        if (wide)
            args[i].i64 = (int64_t)n;
        else
            args[i].i32 = (int32_t)n;
    }
    ts_status st = ts_core_func_call(s, f, args, t->n_params, &out, t->n_results, &e);
    fz_check(st, &e);
    if (st == TS_OK && t->n_results && (uint32_t)out.i32 > ERRNO_LAST) abort();
    if (st != TS_OK && st != TS_TRAP && st != TS_EXIT && st != TS_INTERRUPTED && st != TS_LIMIT) abort();
    return st == TS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static ts_engine *engine;
    static ts_core_module *m;
    ts_error e;
    ts_error_init(&e);
    if (!engine) { /* they are kept: nothing changes them */
        if (ts_engine_create(&engine, &e) != TS_OK ||
            ts_core_module_load(engine, fz_guest_preview1, sizeof fz_guest_preview1, &m, &e) != TS_OK)
            abort();
    }
    fz_input in = fz_input_of(data, size);
    ts_wasi *w = fz_sandbox();
    ts_linker *l;
    ts_cstore *store;
    ts_p1 *p;
    ts_core_extern imports[64], memory;
    ts_core_item items[64];
    ts_core_instance *instance;
    if (ts_linker_new(&l, &e) != TS_OK || ts_cstore_new(engine, NULL, &store, &e) != TS_OK ||
        ts_p1_new(w, store, l, &p, &e) != TS_OK)
        abort();
    ts_core_store *s = ts_cstore_core(store);
    const uint32_t n = ts_core_module_import_count(m);
    for (uint32_t i = 0; i < n; i++) {
        imports[i].kind = TS_CORE_FUNC;
        if (!ts_core_module_import(m, i, &items[i]) || ts_p1_function(p, s, &items[i], &imports[i].func, &e) != TS_OK)
            abort();
    }
    if (ts_core_module_instantiate(s, m, imports, n, NULL, &instance, &e) != TS_OK ||
        !ts_core_instance_export(instance, "memory", &memory))
        abort();
    fz_input part = fz_take(&in, (size_t)fz_number(&in, 2));
    if (fz_left(&part)) memcpy(ts_core_memory_data(memory.memory), part.at, fz_left(&part));
    bool runs = true;
    for (int i = 0; i < CALLS && fz_left(&in) && runs; i++) {
        const ts_core_item *item = &items[fz_number(&in, 1) % n];
        ts_core_extern f;
        if (!ts_core_instance_export(instance, item->name, &f)) abort();
        runs = call(s, f.func, &item->type, &in);
    }
    ts_cstore_free(store);
    ts_p1_free(p);
    ts_linker_free(l);
    ts_wasi_free(w);
    fz_sandbox_check();
    return 0;
}
