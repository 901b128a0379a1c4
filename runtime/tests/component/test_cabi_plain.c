/* test_cabi_plain: which element types are copied as bytes, which bytes are copied, and what traps.
 * In: component/abi/plain.h. Out: cmocka results. */
#include "component/abi/plain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

typedef struct made {
    ts_arena arena;
    ts_error e;
} made;

static const ts_ctype *prim(ts_ct_kind k) {
    return ts_ctype_primitive(k);
}
static const ts_ctype *type_of(made *m, ts_ct_kind kind, uint32_t n, const ts_ctype *const *parts) {
    ts_ctype *t = ts_arena_alloc(&m->arena, sizeof *t);
    ts_ct_case *cases = ts_arena_array(&m->arena, n, sizeof *cases);
    assert_non_null(t);
    assert_non_null(cases);
    for (uint32_t i = 0; i < n; i++) cases[i] = (ts_ct_case){.name = "x", .type = parts ? parts[i] : NULL};
    t->kind = kind;
    t->n = n;
    t->cases = cases;
    if (kind == TS_CT_LIST || kind == TS_CT_OPTION) {
        t->n = 0;
        t->elem = parts[0];
    }
    assert_int_equal(ts_ctype_finish(t, &m->arena, &m->e), TS_OK);
    return t;
}
#define RECORD(m, ...)                                                                                                 \
    type_of(m, TS_CT_RECORD, sizeof((const ts_ctype *[]){__VA_ARGS__}) / sizeof(ts_ctype *),                           \
            (const ts_ctype *[]){__VA_ARGS__})
#define EXPECT(t, is_plain, is_same, is_checked)                                                                       \
    do {                                                                                                               \
        assert_int_equal((t)->plain, is_plain);                                                                        \
        assert_int_equal((t)->bitwise, is_same);                                                                       \
        assert_int_equal((t)->needs_check, is_checked);                                                                \
    } while (0)

static int setup(void **state) {
    static made m;
    ts_arena_init(&m.arena);
    ts_error_init(&m.e);
    *state = &m;
    return 0;
}
static int teardown(void **state) {
    made *m = *state;
    ts_arena_free(&m->arena);
    return 0;
}

static void which_travel(void **state) {
    made *m = *state;
    const ts_ctype *u8 = prim(TS_CT_U8), *u32 = prim(TS_CT_U32), *string = prim(TS_CT_STRING);
    EXPECT(u8, true, true, false);
    EXPECT(prim(TS_CT_BOOL), true, false, false);
    EXPECT(prim(TS_CT_F64), true, false, false);
    EXPECT(prim(TS_CT_CHAR), true, true, true);
    EXPECT(string, false, false, false);
    EXPECT(RECORD(m, u32, u32), true, true, false);
    EXPECT(RECORD(m, u8, u32), true, false, false); /* padding inside */
    EXPECT(RECORD(m, u32, u8), true, false, false); /* padding at the end */
    EXPECT(RECORD(m, u32, string), false, false, false);
    EXPECT(RECORD(m, u32, prim(TS_CT_CHAR)), true, true, true);
    EXPECT(RECORD(m, RECORD(m, u32, u32), u32), true, true, false);
    EXPECT(type_of(m, TS_CT_ENUM, 3, NULL), true, true, true);
    EXPECT(type_of(m, TS_CT_FLAGS, 8, NULL), true, true, false);
    EXPECT(type_of(m, TS_CT_FLAGS, 9, NULL), true, false, false);
    EXPECT(type_of(m, TS_CT_OPTION, 1, &u8), true, false, true);
    EXPECT(type_of(m, TS_CT_OPTION, 1, &string), false, false, false);
    EXPECT(type_of(m, TS_CT_LIST, 1, &u8), false, false, false);
}

static void what_is_copied(void **state) {
    made *m = *state;
    const ts_ctype *u32 = prim(TS_CT_U32), *option = type_of(m, TS_CT_OPTION, 1, &u32);
    const ts_ctype *t = RECORD(m, prim(TS_CT_BOOL), prim(TS_CT_F32), type_of(m, TS_CT_FLAGS, 3, NULL), option);
    assert_int_equal(t->size, 20);
    /* bool 7, a NaN, flags 0xff, none with junk in place of a payload; then some */
    static const uint8_t from[40] = {7, 1, 1, 1, 1, 0, 0xa0, 0x7f, 0xff, 1, 1, 1, 0, 1, 1, 1, 5, 6, 7, 8,
                                     0, 1, 1, 1, 0, 0, 0x80, 0x3f, 2,    1, 1, 1, 1, 1, 1, 1, 5, 6, 7, 8};
    static const uint8_t want[40] = {1, 9, 9, 9, 0, 0, 0xc0, 0x7f, 7, 9, 9, 9, 0, 9, 9, 9, 9, 9, 9, 9,
                                     0, 9, 9, 9, 0, 0, 0x80, 0x3f, 2, 9, 9, 9, 1, 9, 9, 9, 5, 6, 7, 8};
    uint8_t to[40];
    memset(to, 9, sizeof to);
    assert_int_equal(ts_plain_check(&m->e, t, from, 2), TS_OK);
    ts_plain_copy(t, to, from, 2);
    assert_memory_equal(to, want, sizeof to);
    const ts_ctype *pair = RECORD(m, u32, u32);
    memset(to, 9, sizeof to);
    ts_plain_copy(pair, to, from, 2);
    assert_memory_equal(to, from, 16);
    assert_int_equal(to[16], 9);
    ts_plain_copy(pair, to, NULL, 0);
}

static void what_traps(void **state) {
    made *m = *state;
    const ts_ctype *c = prim(TS_CT_CHAR), *option = type_of(m, TS_CT_OPTION, 1, &c);
    const ts_ctype *t = RECORD(m, option, type_of(m, TS_CT_ENUM, 3, NULL));
    assert_int_equal(t->size, 12);
    uint8_t bytes[24] = {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 0, 0, 0, 'a', 0, 0, 0, 0};
    assert_int_equal(ts_plain_check(&m->e, t, bytes, 2), TS_OK); /* the payload of none is not checked */
    bytes[12 + 8] = 3;
    assert_int_equal(ts_plain_check(&m->e, t, bytes, 1), TS_OK);
    assert_int_equal(ts_plain_check(&m->e, t, bytes, 2), TS_TRAP);
    assert_non_null(strstr(m->e.message, "invalid variant discriminant: 3 of 3 cases"));
    ts_error_init(&m->e);
    bytes[12 + 5] = 0xd8;
    assert_int_equal(ts_plain_check(&m->e, t, bytes, 2), TS_TRAP); /* the first one in the order of loading */
    assert_non_null(strstr(m->e.message, "surrogate"));
    ts_error_init(&m->e);
    bytes[0] = 2;
    assert_int_equal(ts_plain_check(&m->e, t, bytes, 2), TS_TRAP);
    assert_non_null(strstr(m->e.message, "2 of 2 cases"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(which_travel, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(what_traps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
