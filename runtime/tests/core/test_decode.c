/* test_decode: the binary format of modules.
 * In: modules as bytes. Out: accepted, or malformed with message and offset. spec: binary/modules */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/module_help.h"
#include "core/module/decode.h"
#include "core/load/load.h"

static ts_engine *engine;
static ts_error err;
static int setup(void **state) {
    (void)state;
    return ts_engine_create(&engine, &err) == TS_OK ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    ts_engine_destroy(engine);
    return 0;
}
static void malformed(const build *b, const char *message, uint64_t offset) {
    assert_int_equal(check_module(engine, b->bytes, b->len, &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, message));
    assert_true(err.has_offset);
    assert_int_equal(err.offset, offset);
}

static void header(void **state) {
    (void)state;
    build b = module_start();
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    assert_int_equal(check_module(engine, NULL, 0, &err), TS_MALFORMED);
    assert_int_equal(check_module(engine, "\0asm", 4, &err), TS_MALFORMED);
    assert_string_equal(err.message, "unexpected end");
    assert_int_equal(check_module(engine, "wasm\1\0\0\0", 8, &err), TS_MALFORMED);
    assert_string_equal(err.message, "magic header not detected");
    assert_int_equal(check_module(engine, "\0asm\2\0\0\0", 8, &err), TS_MALFORMED);
    assert_string_equal(err.message, "unknown binary version");
}

static void section_order(void **state) {
    (void)state;
    build b = module_start();
    SECTION(&b, 5, 0);
    SECTION(&b, 13, 0); /* tags stand between memories and globals */
    SECTION(&b, 6, 0);
    SECTION(&b, 12, 0); /* data count between elements and code */
    SECTION(&b, 10, 0);
    SECTION(&b, 11, 0);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    SECTION(&b, 0, 1, 'x', 9, 9, 9);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    size_t at = b.len;
    SECTION(&b, 5, 0);
    malformed(&b, "unexpected content after last section", at);
    b = module_start();
    SECTION(&b, 14, 0);
    malformed(&b, "malformed section id", 8);
}

static void sizes(void **state) {
    (void)state;
    build b = module_start();
    put(&b, "\1\2\0", 3);
    malformed(&b, "length out of bounds", 10);
    b = module_start();
    SECTION(&b, 1, 0, 0);
    malformed(&b, "section size mismatch", 11);
    b = module_start();
    SECTION(&b, 1, 0x81, 0x80, 0x80, 0x80, 0x08); /* more types than bytes */
    malformed(&b, "length out of bounds", 10);
    b = module_start();
    SECTION(&b, 1, 1, 0x60, 0, 0);
    SECTION(&b, 3, 1, 0);
    malformed(&b, "function and code section have inconsistent lengths", b.len);
    b = module_start();
    SECTION(&b, 12, 1);
    malformed(&b, "data count and data section have inconsistent lengths", b.len);
}

static void fields(void **state) {
    (void)state;
    build b = module_start();
    SECTION(&b, 5, 1, 0x02, 1, 1); /* shared: threads are not switched on */
    malformed(&b, "malformed limits flags", 11);
    b = module_start();
    SECTION(&b, 2, 1, 1, 'm', 1, 'n', 5, 0);
    malformed(&b, "malformed import kind", 15);
    b = module_start();
    SECTION(&b, 6, 1, 0x7f, 2, 0x41, 0, 0x0b);
    malformed(&b, "malformed mutability", 12);
    b = module_start();
    SECTION(&b, 6, 1, 0x7f, 0, 0x41, 0); /* the end is missing */
    malformed(&b, "END opcode expected", 15);
    b = module_start();
    SECTION(&b, 0, 1, 0xff);
    malformed(&b, "malformed UTF-8 encoding", 11);
}

static void bodies(void **state) {
    (void)state;
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0x0b), &err), TS_OK);
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0x01), &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "END opcode expected"));
    assert_non_null(strstr(err.message, "function 0"));
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0x0b, 0x0b), &err), TS_MALFORMED);
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0x05, 0x0b), &err), TS_MALFORMED);
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0xff, 0x0b), &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "illegal opcode ff"));
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(1, 0xd1, 0x86, 0x03, 0x7f, 0x0b), &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "too many locals"));
    /* A rule is broken first and the format after it: the format error is reported. */
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0x1a, 0xff, 0x0b), &err), TS_MALFORMED);
    /* data.drop without a data count section */
    assert_int_equal(check_func(engine, BYTES(0x60, 0, 0), BYTES(0, 0xfc, 0x09, 0, 0x0b), &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "data count section required"));
}

static void what_is_decoded(void **state) {
    (void)state;
    build b = module_start();
    SECTION(&b, 1, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f);
    SECTION(&b, 2, 2, 1, 'm', 1, 'f', 0, 1, 1, 'm', 1, 'g', 3, 0x7e, 1);
    SECTION(&b, 3, 1, 0);
    SECTION(&b, 7, 2, 1, 'a', 0, 1, 1, 'b', 0, 0);
    SECTION(&b, 8, 1);
    SECTION(&b, 10, 1, 2, 0, 0x0b);
    SECTION(&b, 0, 4, 'n', 'a', 'm', 'e', 0, 3, 2, 'm', 'o', 1, 5, 1, 1, 2, 'f', '1');
    ts_error_init(&err);
    ts_module *m;
    assert_int_equal(ts_module_new(engine, b.bytes, b.len, true, &m, &err), TS_OK);
    assert_int_equal(m->n_funcs, 2);
    assert_int_equal(m->n_imp_funcs, 1);
    assert_true(m->funcs[0].imported);
    assert_true(m->funcs[0].declared);
    assert_int_equal(m->funcs[1].body_len, 2);
    assert_int_equal(m->n_globals, 1);
    assert_true(m->globals[0].type.mut);
    assert_int_equal(m->start, 1);
    const ts_export *x = ts_module_find_export(m, "a", 1);
    assert_non_null(x);
    assert_int_equal(x->index, 1);
    assert_null(ts_module_find_export(m, "c", 1));
    char buf[8];
    assert_true(ts_module_name(m, buf, sizeof buf));
    assert_string_equal(buf, "mo");
    assert_true(ts_module_func_name(m, 1, buf, sizeof buf));
    assert_string_equal(buf, "f1");
    assert_false(ts_module_func_name(m, 0, buf, sizeof buf));
    ts_module_free(ts_module_ref(m));
    ts_module_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(header), cmocka_unit_test(section_order),
                                       cmocka_unit_test(sizes),  cmocka_unit_test(fields),
                                       cmocka_unit_test(bodies), cmocka_unit_test(what_is_decoded)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
