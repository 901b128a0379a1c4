/* test_wasi_missing: why an import that nothing provides is missing, with WASI in the linker and without.
 * In: components that import one instance under a name. Out: the reason in the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "touchstone.h"

/* (component (import NAME (instance (export "f" (func (result u8)))))) */
static const char *message(const char *name, bool with_wasi) {
    static ts_error e;
    static const uint8_t head[] = {0, 'a', 's',  'm', 0x0d, 0,    1, 0, 7, 14,  1, 0x42,
                                   2, 1,   0x40, 0,   0,    0x7d, 4, 0, 1, 'f', 1, 0};
    uint8_t bytes[200];
    size_t n = strlen(name), at = sizeof head;
    memcpy(bytes, head, at);
    const uint8_t import[] = {10, (uint8_t)(n + 5), 1, 0, (uint8_t)n};
    memcpy(bytes + at, import, sizeof import);
    memcpy(bytes + at + sizeof import, name, n);
    at += sizeof import + n;
    bytes[at++] = 5;
    bytes[at++] = 0;
    ts_engine *engine;
    ts_component *c;
    ts_linker *l;
    ts_wasi *w;
    ts_cstore *store;
    ts_cinstance *i;
    ts_error_init(&e);
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    if (ts_component_load(engine, bytes, at, &c, &e) != TS_OK) fail_msg("%s: %s", name, e.message);
    assert_int_equal(ts_linker_new(&l, &e), TS_OK);
    assert_int_equal(ts_wasi_new(&w, &e), TS_OK);
    if (with_wasi) assert_int_equal(ts_wasi_link(w, l, &e), TS_OK);
    assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);
    assert_int_equal(ts_component_instantiate(store, l, c, &i, &e), TS_UNLINKABLE);
    ts_cstore_free(store);
    ts_linker_free(l);
    ts_wasi_free(w);
    ts_component_free(c);
    ts_engine_free(engine);
    return e.message;
}

static void reasons(void **state) {
    (void)state;
    static const struct {
        const char *name, *reason, *without_wasi;
    } rows[] = {
        {"wasi:nn/graph@0.2.0", "wasi:nn is not part of WASI 0.2", "nothing provides it"},
        {"wasi:cli/stdout@0.3.0", "it belongs to WASI 0.3, which is not implemented", "nothing provides it"},
        {"wasi:nn/graph@0.3.1-rc", "it belongs to WASI 0.3, which is not implemented", "nothing provides it"},
        {"wasi:cli/stdout@0.1.0", "version 0.1.0 is not compatible with 0.2.0", "nothing provides it"},
        {"wasi:cli/stdout@0.2.0-rc1", "version 0.2.0-rc1 is not compatible with 0.2.0", "nothing provides it"},
        {"wasi:cli/none@0.1.0", "version 0.1.0 is not compatible with WASI 0.2", "nothing provides it"},
        {"wasi:cli/none@0.2.0-rc1", "pre-release version rc1 of WASI 0.2 is not compatible with 0.2.0",
         "nothing provides it"},
        {"wasi:cli/none@0.2.0", "WASI 0.2 as implemented here has no such interface", "nothing provides it"},
        {"wasi:cli/none", "it has no version: WASI 0.2 is imported as wasi:cli/none@0.2.x", "nothing provides it"},
        {"wasi:cli/stdout@0.2.0", "the interface has no such function here", "nothing provides it"},
        {"my:wasi/x@0.2.0", "nothing provides it", "nothing provides it"},
        {"plain", "nothing provides it", "nothing provides it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int with = 0; with < 2; with++) {
            const char *said = message(rows[i].name, with), *want = with ? rows[i].reason : rows[i].without_wasi;
            size_t n = strlen(said), k = strlen(want);
            if (n < k || strcmp(said + n - k, want) != 0) fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, said, want);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reasons)};
    return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
