/* fuzz_module: decodes and validates any bytes; the verdict must not depend on the number of threads.
 * In: bytes from libFuzzer; the last byte's lowest bits choose features. Out: no crash, no leak, no sanitizer
 * report.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "core/run/store.h"
#include "core/module/validate.h"
#include <stdlib.h>

static ts_status check(ts_engine *engine, uint32_t features, const uint8_t *data, size_t size, unsigned threads) {
    ts_error e;
    ts_error_init(&e);
    ts_module m = {.engine = engine, .refs = 1, .features = features, .bytes = data, .len = size};
    ts_arena_init(&m.arena);
    ts_status s = ts_module_decode(&m, &e);
    if (s == TS_OK) s = ts_module_validate_on(&m, threads, &e);
    if (s == TS_OK ? e.status != TS_OK : e.status != s || e.message[0] == 0) abort();
    ts_map_free(&m.export_map);
    ts_arena_free(&m.arena);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ts_error e;
    ts_engine *engine;
    ts_error_init(&e);
    if (ts_engine_create(&engine, &e) != TS_OK) return 0;
    uint32_t features = TS_F_WASM3;
    if (size > 0 && data[size - 1] & 1) features |= TS_F_THREADS | TS_F_CUSTOM_PAGE_SIZES | TS_F_WIDE_ARITHMETIC;
    ts_status one = check(engine, features, data, size, 1);
    if (size > 0 && data[size - 1] & 2 && check(engine, features, data, size, 2) != one) abort();
    ts_engine_destroy(engine);
    return 0;
}
