/* test_component_types: layout, flattening, comparison and printing of component-level types.
 * In: types. Out: sizes and core types as worked out by hand from the text.
 * spec: CanonicalABI.md#alignment, #element-size, #flattening; Explainer.md#type-checking */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "component/binary/component.h"
#include <string.h>

static ts_arena arena;
static ts_error err;
static int setup(void **state) {
    (void)state;
    ts_arena_init(&arena);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    ts_arena_free(&arena);
    return 0;
}
#define P(k) ts_ctype_primitive(TS_CT_##k)

static ts_ctype *make(ts_ct_kind k, const ts_ct_case *cases, uint32_t n, const ts_ctype *elem, const ts_ctype *elem2) {
    ts_ctype *t = ts_arena_alloc(&arena, sizeof *t);
    *t = (ts_ctype){.kind = k, .cases = cases, .n = n, .elem = elem, .elem2 = elem2};
    ts_error_init(&err);
    assert_int_equal(ts_ctype_finish(t, &arena, &err), TS_OK);
    return t;
}
static void flat_is(const ts_ctype *t, const char *want) { /* i I f F */
    assert_int_equal(t->n_flat, strlen(want));
    for (uint32_t i = 0; i < t->n_flat; i++) {
        char c = t->flat[i] == TS_VT_I32 ? 'i' : t->flat[i] == TS_VT_I64 ? 'I' : t->flat[i] == TS_VT_F32 ? 'f' : 'F';
        assert_int_equal(c, want[i]);
    }
}

static void records(void **state) {
    (void)state;
    const ts_ct_case f[] = {{"a", P(U8)}, {"b", P(U64)}, {"c", P(U16)}, {"d", P(STRING)}};
    const ts_ctype *t = make(TS_CT_RECORD, f, 4, NULL, NULL);
    assert_int_equal(t->size, 32);
    assert_int_equal(t->align, 8);
    assert_int_equal(t->offsets[1], 8);
    assert_int_equal(t->offsets[2], 16);
    assert_int_equal(t->offsets[3], 20);
    assert_int_equal(t->size64, 40);
    flat_is(t, "iIiii");
    assert_true(t->has_pointer && !t->has_handle);
    char buf[80];
    assert_string_equal(ts_ctype_print(t, NULL, buf, sizeof buf), "record { a: u8, b: u64, c: u16, d: string }");
    assert_string_equal(ts_ctype_print(t, NULL, buf, 10), "record { ");
    ts_ct_case many[17];
    for (int i = 0; i < 17; i++) many[i] = (ts_ct_case){"x", P(U32)};
    assert_int_equal(make(TS_CT_TUPLE, many, 16, NULL, NULL)->n_flat, 16);
    assert_int_equal(make(TS_CT_TUPLE, many, 17, NULL, NULL)->n_flat, TS_CT_FLAT_MAX);
}

static void variants(void **state) {
    (void)state;
    const ts_ct_case c[] = {{"a", P(F32)}, {"b", P(U64)}, {"c", NULL}, {"d", P(STRING)}};
    const ts_ctype *t = make(TS_CT_VARIANT, c, 4, NULL, NULL);
    assert_int_equal(t->size, 16);
    assert_int_equal(t->align, 8);
    assert_int_equal(t->payload_offset, 8);
    assert_int_equal(t->disc_size, 1);
    flat_is(t, "iIi");
    flat_is(make(TS_CT_VARIANT, (ts_ct_case[]){{"a", P(F32)}, {"b", P(U32)}}, 2, NULL, NULL), "ii");
    flat_is(make(TS_CT_RESULT, NULL, 0, P(F32), P(F64)), "iI");
    flat_is(make(TS_CT_OPTION, NULL, 0, P(F64), NULL), "iF");
    const ts_ctype *r = make(TS_CT_RESULT, NULL, 0, NULL, NULL);
    assert_int_equal(r->size, 1);
    flat_is(r, "i");
    assert_int_equal(make(TS_CT_OPTION, NULL, 0, P(U16), NULL)->size, 4);
    static ts_ct_case e[65537];
    for (int i = 0; i < 65537; i++) e[i].name = "e";
    assert_int_equal(make(TS_CT_ENUM, e, 256, NULL, NULL)->size, 1);
    assert_int_equal(make(TS_CT_ENUM, e, 257, NULL, NULL)->size, 2);
    assert_int_equal(make(TS_CT_ENUM, e, 65536, NULL, NULL)->size, 2);
    assert_int_equal(make(TS_CT_ENUM, e, 65537, NULL, NULL)->size, 4);
    assert_int_equal(make(TS_CT_FLAGS, e, 8, NULL, NULL)->size, 1);
    assert_int_equal(make(TS_CT_FLAGS, e, 9, NULL, NULL)->size, 2);
    assert_int_equal(make(TS_CT_FLAGS, e, 17, NULL, NULL)->size, 4);
}

static void limits(void **state) {
    (void)state;
    ts_ctype t = {.kind = TS_CT_FIXED_LIST, .n = 1 << 28, .elem = P(U8)};
    ts_error_init(&err);
    assert_int_equal(ts_ctype_finish(&t, &arena, &err), TS_INVALID);
    assert_non_null(strstr(err.message, "exceeds maximum byte size"));
    const ts_ctype *d = P(U8);
    for (int i = 1; i < TS_CT_MAX_DEPTH; i++) d = make(TS_CT_LIST, NULL, 0, d, NULL);
    t = (ts_ctype){.kind = TS_CT_LIST, .elem = d};
    ts_error_init(&err);
    assert_int_equal(ts_ctype_finish(&t, &arena, &err), TS_INVALID);
    const ts_ctype *w = P(U8);
    for (int i = 0; i < 18; i++)
        w = make(TS_CT_TUPLE,
                 memcpy(ts_arena_alloc(&arena, 2 * sizeof(ts_ct_case)), (ts_ct_case[]){{NULL, w}, {NULL, w}},
                        2 * sizeof(ts_ct_case)),
                 2, NULL, NULL);
    t = (ts_ctype){.kind = TS_CT_TUPLE, .n = 2, .cases = (ts_ct_case[]){{NULL, w}, {NULL, w}}};
    ts_error_init(&err);
    assert_int_equal(ts_ctype_finish(&t, &arena, &err), TS_INVALID);
}

static void matching(void **state) {
    (void)state;
    ts_ctype own0 = {.kind = TS_CT_OWN, .resource = 0}, own1 = {.kind = TS_CT_OWN, .resource = 1};
    assert_int_equal(ts_ctype_finish(&own0, &arena, &err), TS_OK);
    assert_int_equal(ts_ctype_finish(&own1, &arena, &err), TS_OK);
    assert_false(ts_ctype_equal(&own0, &own1, NULL, NULL));
    int r, q;
    const void *const a[] = {&r, &q}, *const b[] = {&q, &r};
    assert_true(ts_ctype_equal(&own0, &own1, a, b));
    assert_false(ts_ctype_equal(&own0, &own0, a, b));
    const ts_ct_case p[] = {{"x", P(U32)}}, o[] = {{"x", P(STRING)}};
    ts_cfunc_type f = {.n_params = 1, .params = p, .result = &own0}, g = {.n_params = 1, .params = o, .result = &own0};
    char why[200];
    assert_true(ts_cfunc_type_matches(&f, &f, a, a, why, sizeof why));
    assert_false(ts_cfunc_type_matches(&f, &g, a, a, why, sizeof why));
    assert_string_equal(why,
                        "type mismatch in function parameter `x`: expected primitive `string` found primitive `u32`");
    assert_string_equal(ts_cfunc_type_print(&f, NULL, why, sizeof why), "func(x: u32) -> own<#0>");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records), cmocka_unit_test(variants), cmocka_unit_test(limits),
                                       cmocka_unit_test(matching)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
