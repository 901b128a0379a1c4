/* test_validate: the rules of validation, with small bodies and modules for each.
 * In: modules as bytes. Out: accepted, or invalid with the message of the rule.
 * spec: valid */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/module_help.h"
#include "core/module/validate.h"
#include <stdlib.h>

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
#define VOID BYTES(0x60, 0, 0)
#define I32_I32 BYTES(0x60, 1, 0x7f, 1, 0x7f)
#define VALID(type, ...)                                                                                               \
    do {                                                                                                               \
        ts_status s_ = check_func(engine, type, BYTES(__VA_ARGS__), &err);                                             \
        if (s_ != TS_OK) print_error("%s\n", err.message);                                                             \
        assert_int_equal(s_, TS_OK);                                                                                   \
    } while (0)
#define INVALID(words, type, ...)                                                                                      \
    do {                                                                                                               \
        assert_int_equal(check_func(engine, type, BYTES(__VA_ARGS__), &err), TS_INVALID);                              \
        if (!strstr(err.message, words)) print_error("%s\n", err.message);                                             \
        assert_non_null(strstr(err.message, words));                                                                   \
        assert_non_null(strstr(err.message, "(in function 0)"));                                                       \
    } while (0)

static void operands(void **state) {
    (void)state;
    VALID(I32_I32, 0, 0x20, 0, 0x41, 1, 0x6a, 0x0b);
    INVALID("type mismatch", I32_I32, 0, 0x20, 0, 0x42, 1, 0x6a, 0x0b);
    INVALID("type mismatch", I32_I32, 0, 0x6a, 0x0b);
    INVALID("type mismatch", I32_I32, 0, 0x0b);
    INVALID("values remaining", I32_I32, 0, 0x41, 0, 0x41, 0, 0x0b);
    INVALID("unknown local 1", I32_I32, 0, 0x20, 1, 0x0b);
    VALID(I32_I32, 0, 0x00, 0x6a, 0x0b);                             /* unreachable: operands of any type */
    VALID(I32_I32, 0, 0x00, 0x41, 0, 0x6a, 0x0b);                    /* one of the two is known */
    INVALID("type mismatch", I32_I32, 0, 0x00, 0x42, 0, 0x6a, 0x0b); /* and is wrong */
    INVALID("type mismatch", I32_I32, 0, 0x41, 0, 0x41, 0, 0xd0, 0x70, 0x1b, 0x0b);
    /* select of references */
    INVALID("type mismatch", VOID, 0, 0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1b, 0x1a, 0x0b);
    VALID(VOID, 0, 0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1c, 1, 0x70, 0x1a, 0x0b);
    INVALID("invalid result arity", VOID, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 0, 0x0b);
    /* Padded numbers take the slow path of the same instruction. */
    VALID(I32_I32, 0, 0x20, 0x80, 0x80, 0x80, 0x80, 0x00, 0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x6a, 0x0b);
}

static void control(void **state) {
    (void)state;
    VALID(I32_I32, 0, 0x02, 0x7f, 0x41, 1, 0x20, 0, 0x0d, 0, 0x0b, 0x0b);
    INVALID("type mismatch", I32_I32, 0, 0x02, 0x7f, 0x20, 0, 0x0d, 0, 0x0b, 0x0b);
    INVALID("unknown label 2", VOID, 0, 0x03, 0x40, 0x0c, 2, 0x0b, 0x0b);
    /* block of type 0 */
    VALID(I32_I32, 0, 0x20, 0, 0x02, 0, 0x41, 1, 0x6a, 0x0b, 0x0b);
    /* if without else */
    INVALID("type mismatch", I32_I32, 0, 0x20, 0, 0x20, 0, 0x04, 0x7e, 0x42, 0, 0x0b, 0x1a, 0x0b);
    VALID(I32_I32, 0, 0x20, 0, 0x20, 0, 0x04, 0, 0x0b, 0x0b); /* parameters are the results */
    VALID(I32_I32, 0, 0x20, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x0b);
    INVALID("type mismatch", I32_I32, 0, 0x20, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x0b, 0x0b);
    INVALID("different arity", I32_I32, 0, 0x02, 0x40, 0x20, 0, 0x20, 0, 0x0e, 1, 0, 1, 0x0b, 0x20, 0, 0x0b);
    VALID(VOID, 0, 0x12, 0, 0x0b); /* return_call of itself */
    INVALID("unknown function 1", VOID, 0, 0x10, 1, 0x0b);
    INVALID("unknown tag 0", VOID, 0, 0x08, 0, 0x0b);
    /* try_table (catch_all_ref 0) */
    VALID(VOID, 0, 0x02, 0x69, 0x1f, 0x40, 1, 0x03, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b);
    INVALID("type mismatch", VOID, 0, 0x02, 0x7f, 0x1f, 0x40, 1, 0x02, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b);
}

static void memory_and_tables(void **state) {
    (void)state;
    VALID(I32_I32, 0, 0x20, 0, 0x28, 2, 0, 0x0b);
    INVALID("alignment must not be larger than natural", I32_I32, 0, 0x20, 0, 0x28, 3, 0, 0x0b);
    INVALID("unknown memory 1", I32_I32, 0, 0x20, 0, 0x28, 0x42, 1, 0, 0x0b);
    INVALID("offset out of range", I32_I32, 0, 0x20, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x0b);
    INVALID("unknown table 1", I32_I32, 0, 0x20, 0, 0x25, 1, 0x1a, 0x41, 0, 0x0b);
    INVALID("unknown elem segment 0", VOID, 0, 0xfc, 0x0d, 0, 0x0b);
    INVALID("invalid lane index", I32_I32, 0, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x1b, 4,
            0x0b);
}

static void references(void **state) {
    (void)state;
    INVALID("undeclared function reference", VOID, 0, 0xd2, 0, 0x1a, 0x0b);
    INVALID("uninitialized local 0", VOID, 1, 1, 0x64, 0x70, 0x20, 0, 0x1a, 0x0b);
    /* Set within a block, the local is unset again after it. */
    VALID(VOID, 1, 1, 0x64, 0x6c, 0x41, 0, 0xfb, 0x1c, 0x21, 0, 0x02, 0x40, 0x20, 0, 0x1a, 0x0b, 0x20, 0, 0x1a, 0x0b);
    INVALID("uninitialized local 0", VOID, 1, 1, 0x64, 0x6c, 0x02, 0x40, 0x41, 0, 0xfb, 0x1c, 0x21, 0, 0x0b, 0x20, 0,
            0x1a, 0x0b);
    INVALID("unknown type 9", VOID, 0, 0xd0, 9, 0x1a, 0x0b);
    VALID(VOID, 0, 0x00, 0xd4, 0x1a, 0x0b); /* a reference of unknown type */
    VALID(VOID, 0, 0xd0, 0x6e, 0xfb, 0x17, 0x6b, 0x1a, 0x0b);
    INVALID("type mismatch", VOID, 0, 0xd0, 0x70, 0xfb, 0x17, 0x6b, 0x1a, 0x0b);
    INVALID("type mismatch on cast", VOID, 0, 0x02, 0x6d, 0xd0, 0x6d, 0xfb, 0x18, 3, 0, 0x6d, 0x6e, 0x0b, 0x1a, 0x0b);
}

static void features(void **state) {
    (void)state;
    ts_engine_set_features(engine, TS_F_WASM3 & ~(TS_F_SIMD | TS_F_TAIL_CALL));
    assert_int_equal(check_func(engine, VOID, BYTES(0, 0x12, 0, 0x0b), &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "illegal opcode 12"));
    assert_int_equal(check_func(engine, VOID, BYTES(0, 0x41, 0, 0xfd, 0x0f, 0x1a, 0x0b), &err), TS_MALFORMED);
    build b = module_start();
    SECTION(&b, 5, 2, 0, 1, 0, 1);
    ts_engine_set_features(engine, TS_F_WASM3 & ~TS_F_MULTI_MEMORY);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_INVALID);
    ts_engine_set_features(engine, TS_F_WASM3);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    b = module_start();
    SECTION(&b, 5, 1, 0x08, 1, 65); /* a page of 2^65 bytes */
    ts_engine_set_features(engine, TS_F_WASM3 | TS_F_CUSTOM_PAGE_SIZES);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_MALFORMED);
    assert_string_equal(err.message, "invalid custom page size");
    ts_engine_set_features(engine, TS_F_WASM3);
    assert_int_equal(check_func(engine, VOID, BYTES(0, 0xfe, 0x03, 0, 0x0b), &err), TS_MALFORMED);
    ts_engine_set_features(engine, TS_F_WASM3 | TS_F_THREADS | TS_F_WIDE_ARITHMETIC);
    VALID(VOID, 0, 0xfe, 0x03, 0, 0x0b);
    VALID(VOID, 0, 0x42, 1, 0x42, 2, 0xfc, 0x15, 0x1a, 0x1a, 0x0b);
    INVALID("alignment", I32_I32, 0, 0x20, 0, 0xfe, 0x10, 1, 0, 0x0b); /* atomics: exactly natural */
    ts_engine_set_features(engine, TS_F_WASM3);
}

static void invalid_module(const build *b, const char *words) {
    assert_int_equal(check_module(engine, b->bytes, b->len, &err), TS_INVALID);
    if (!strstr(err.message, words)) print_error("%s\n", err.message);
    assert_non_null(strstr(err.message, words));
}

static void modules(void **state) {
    (void)state;
    build b = module_start();
    SECTION(&b, 5, 1, 0, 0x81, 0x80, 0x04);
    invalid_module(&b, "memory size must be at most");
    b = module_start();
    SECTION(&b, 4, 1, 0x70, 1, 2, 1);
    invalid_module(&b, "size minimum must not be greater than maximum");
    b = module_start();
    SECTION(&b, 4, 1, 0x64, 0x70, 0, 1);
    invalid_module(&b, "type mismatch");
    b = module_start();
    SECTION(&b, 6, 2, 0x7f, 1, 0x41, 0, 0x0b, 0x7f, 0, 0x23, 0, 0x0b); /* names a mutable global */
    invalid_module(&b, "constant expression required");
    b = module_start();
    SECTION(&b, 6, 2, 0x7f, 0, 0x41, 0, 0x0b, 0x7f, 0, 0x23, 0, 0x41, 1, 0x6a, 0x0b); /* extended constants */
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    b = module_start();
    SECTION(&b, 6, 1, 0x7f, 0, 0x23, 0, 0x0b); /* refers to itself */
    invalid_module(&b, "unknown global 0");
    b = module_start();
    SECTION(&b, 5, 1, 0, 1);
    SECTION(&b, 7, 2, 1, 'm', 2, 0, 1, 'm', 2, 0);
    invalid_module(&b, "duplicate export name");
    b = module_start();
    SECTION(&b, 11, 1, 0, 0x41, 0, 0x0b, 0);
    invalid_module(&b, "unknown memory 0");
    b = module_start();
    SECTION(&b, 1, 1, 0x60, 1, 0x7f, 0);
    SECTION(&b, 2, 1, 0, 0, 0, 0);
    SECTION(&b, 8, 0);
    invalid_module(&b, "start function");
}

static void subtyping(void **state) {
    (void)state;
    build b = module_start();
    SECTION(&b, 1, 2, 0x50, 0, 0x5f, 0, 0x50, 1, 0, 0x5f, 1, 0x7f, 0);
    assert_int_equal(check_module(engine, b.bytes, b.len, &err), TS_OK);
    b = module_start();
    SECTION(&b, 1, 2, 0x5f, 0, 0x50, 1, 0, 0x5f, 1, 0x7f, 0);
    invalid_module(&b, "final super type");
    b = module_start();
    SECTION(&b, 1, 2, 0x50, 0, 0x5f, 1, 0x7f, 1, 0x50, 1, 0, 0x5f, 1, 0x7f, 0);
    invalid_module(&b, "does not match super type");
    b = module_start();
    SECTION(&b, 1, 1, 0x50, 1, 0, 0x5f, 0);
    invalid_module(&b, "forward use");
    b = module_start();
    SECTION(&b, 1, 1, 0x60, 1, 0x64, 1, 0);
    invalid_module(&b, "unknown type 1");
}

/* Many functions, one of them invalid: the verdict and the function in the message are the
 * same on any number of threads. */
static void threads(void **state) {
    (void)state;
    enum { N = 5000 };
    size_t cap = 16 + N + 3 * N + 64, len = 0;
    uint8_t *p = calloc(1, cap);
    assert_non_null(p);
    memcpy(p, "\0asm\1\0\0\0\1\4\1\x60\0\0", 14);
    len = 14;
#define LEB(v) (uint8_t)(0x80 | ((v) & 0x7f)), (uint8_t)(0x80 | ((v) >> 7 & 0x7f)), (uint8_t)((v) >> 14)
    const uint8_t funcs[] = {3, LEB(N + 3), LEB(N)}, code[] = {10, LEB(3 * N + 3), LEB(N)};
    memcpy(p + len, funcs, sizeof funcs);
    len += sizeof funcs + N; /* all of type 0 */
    memcpy(p + len, code, sizeof code);
    len += sizeof code;
    size_t bodies = len;
    for (int i = 0; i < N; i++, len += 3) memcpy(p + len, "\2\0\x0b", 3);
    for (int wrong = -1; wrong < N; wrong += 1667) {
        if (wrong >= 0) p[bodies + 3 * (size_t)wrong + 2] = 0x1a; /* drop: then the end is missing */
        char first[512] = "";
        for (unsigned n = 1; n <= 4; n++) {
            ts_module m = {.engine = engine, .refs = 1, .features = TS_F_WASM3, .bytes = p, .len = len};
            ts_arena_init(&m.arena);
            ts_error_init(&err);
            assert_int_equal(ts_module_decode(&m, &err), TS_OK);
            assert_int_equal(ts_module_validate_on(&m, n, &err), wrong < 0 ? TS_OK : TS_MALFORMED);
            if (n == 1) memcpy(first, err.message, sizeof first);
            assert_string_equal(err.message, first);
            ts_map_free(&m.export_map);
            ts_arena_free(&m.arena);
        }
        if (wrong >= 0) p[bodies + 3 * (size_t)wrong + 2] = 0x0b;
    }
    free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(operands),          cmocka_unit_test(control),
                                       cmocka_unit_test(memory_and_tables), cmocka_unit_test(references),
                                       cmocka_unit_test(features),          cmocka_unit_test(modules),
                                       cmocka_unit_test(subtyping),         cmocka_unit_test(threads)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
