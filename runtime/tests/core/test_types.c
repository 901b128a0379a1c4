/* test_types: the type registry and the matching relation.
 * In: recursive groups. Out: equal ids for equal types, and only for those. spec: valid/matching */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "core/module/types.h"
#include <string.h>

static ts_error err;
static ts_type_registry *reg;
static int setup(void **state) {
    (void)state;
    ts_error_init(&err);
    reg = ts_types_new();
    return reg ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    ts_types_free(reg);
    return 0;
}
static ts_valtype index_ref(uint32_t index) {
    return ts_vt_ref(true, TS_HT_CONCRETE + index);
}

static void functions(void **state) {
    (void)state;
    const ts_valtype p[] = {TS_VT_I32, TS_VT_V128}, q[] = {TS_VT_F64};
    uint32_t a, b, c;
    assert_int_equal(ts_types_func(reg, p, 2, q, 1, &a, &err), TS_OK);
    assert_int_equal(ts_types_func(reg, p, 2, q, 1, &b, &err), TS_OK);
    assert_int_equal(ts_types_func(reg, p, 1, q, 1, &c, &err), TS_OK);
    assert_int_equal(a, b);
    assert_int_not_equal(a, c);
    const ts_deftype *d = ts_types_get(reg, a);
    assert_int_equal(d->param_slots, 3);
    assert_int_equal(d->result_slots, 1);
    assert_true(d->final);
    /* The same by way of a module's group, and with a reference to a defined type. */
    ts_valtype r[] = {index_ref(a)};
    assert_int_equal(ts_types_func(reg, r, 1, NULL, 0, &b, &err), TS_OK);
    assert_int_equal(ts_types_get(reg, b)->params[0], index_ref(a));
    uint32_t canon[] = {a}, id;
    ts_valtype raw[] = {index_ref(0)};
    ts_rec_member m = {.kind = TS_COMP_FUNC, .final = true, .n_params = 1, .params = raw};
    assert_int_equal(ts_types_intern(reg, &m, 1, canon, 1, &id, &err), TS_OK);
    assert_int_equal(id, b);
}

/* spec: valid/conventions#rolling-and-unrolling: (rec (struct (ref 0))) is one type wherever it stands in a
 * module; the same structure in a group of two is another. */
static void recursion(void **state) {
    (void)state;
    uint32_t pad[3] = {0}, one, later, two[2];
    ts_field self = {.type = index_ref(0)}, self3 = {.type = index_ref(3)};
    ts_rec_member m = {.kind = TS_COMP_STRUCT, .final = true, .n_fields = 1, .fields = &self};
    assert_int_equal(ts_types_intern(reg, &m, 1, NULL, 0, &one, &err), TS_OK);
    m.fields = &self3;
    assert_int_equal(ts_types_intern(reg, &m, 1, pad, 3, &later, &err), TS_OK);
    assert_int_equal(one, later);
    assert_int_equal(ts_types_get(reg, one)->fields[0].type, index_ref(one));
    ts_field other = {.type = index_ref(1)};
    ts_rec_member pair[] = {{.kind = TS_COMP_STRUCT, .final = true, .n_fields = 1, .fields = &self},
                            {.kind = TS_COMP_STRUCT, .final = true, .n_fields = 1, .fields = &other}};
    assert_int_equal(ts_types_intern(reg, pair, 2, NULL, 0, two, &err), TS_OK);
    assert_int_not_equal(two[0], one);
    assert_int_not_equal(two[0], two[1]);
    assert_false(ts_match_def(reg, one, two[0]));
}

static void subtypes_and_layout(void **state) {
    (void)state;
    ts_field f[] = {{.type = TS_VT_I8},
                    {.type = TS_VT_I16, .mut = true},
                    {.type = TS_VT_I32},
                    {.type = TS_VT_V128},
                    {.type = TS_VT_FUNCREF}};
    ts_rec_member m[] = {{.kind = TS_COMP_STRUCT, .n_fields = 2, .fields = f},
                         {.kind = TS_COMP_STRUCT, .has_super = true, .super = 0, .n_fields = 3, .fields = f},
                         {.kind = TS_COMP_STRUCT, .has_super = true, .super = 1, .n_fields = 5, .fields = f}};
    uint32_t id[3];
    assert_int_equal(ts_types_intern(reg, m, 3, NULL, 0, id, &err), TS_OK);
    const ts_deftype *d = ts_types_get(reg, id[2]);
    assert_int_equal(d->depth, 2);
    assert_int_equal(d->supers[0], id[0]);
    assert_int_equal(d->supers[1], id[1]);
    const uint32_t at[] = {0, 2, 4, 16, 32};
    for (unsigned i = 0; i < 5; i++) assert_int_equal(d->fields[i].offset, at[i]);
    assert_int_equal(d->size, 40);
    assert_true(ts_match_def(reg, id[2], id[0]));
    assert_false(ts_match_def(reg, id[0], id[2]));
    assert_true(ts_match_val(reg, ts_vt_ref(false, TS_HT_CONCRETE + id[2]), index_ref(id[1])));
    assert_false(ts_match_val(reg, index_ref(id[2]), ts_vt_ref(false, TS_HT_CONCRETE + id[1])));
    assert_true(ts_match_heap(reg, TS_HT_CONCRETE + id[0], TS_HT_STRUCT));
    assert_true(ts_match_heap(reg, TS_HT_CONCRETE + id[0], TS_HT_EQ));
    assert_false(ts_match_heap(reg, TS_HT_CONCRETE + id[0], TS_HT_ARRAY));
    assert_true(ts_match_heap(reg, TS_HT_NONE, TS_HT_CONCRETE + id[0]));
    assert_false(ts_match_heap(reg, TS_HT_NOFUNC, TS_HT_CONCRETE + id[0]));
}

/* spec: valid/matching#heap-types: the whole relation on abstract heap types. */
static void abstract(void **state) {
    (void)state;
    const uint32_t any[] = {TS_HT_NONE, TS_HT_I31, TS_HT_STRUCT, TS_HT_ARRAY, TS_HT_EQ, TS_HT_ANY};
    const uint32_t tops[] = {TS_HT_ANY, TS_HT_FUNC, TS_HT_EXTERN, TS_HT_EXN};
    const uint32_t bottoms[] = {TS_HT_NONE, TS_HT_NOFUNC, TS_HT_NOEXTERN, TS_HT_NOEXN};
    static const char want[6][7] = {"111111", "010011", "001011", "000111", "000011", "000001"};
    for (unsigned i = 0; i < 6; i++)
        for (unsigned k = 0; k < 6; k++) assert_int_equal(ts_match_heap(reg, any[i], any[k]), want[i][k] == '1');
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(ts_match_heap(reg, bottoms[i], tops[k]), i == k);
            assert_int_equal(ts_match_heap(reg, tops[i], tops[k]), i == k);
            assert_false(ts_match_heap(reg, tops[i], bottoms[k]));
        }
    assert_true(ts_match_heap(reg, TS_HT_BOT, TS_HT_NONE));
    assert_false(ts_match_heap(reg, TS_HT_NONE, TS_HT_BOT));
    assert_true(ts_match_val(reg, TS_VT_BOT, TS_VT_F32));
    assert_false(ts_match_val(reg, TS_VT_I32, TS_VT_I64));
}

static void names(void **state) {
    (void)state;
    char buf[48];
    assert_string_equal(ts_vt_name(TS_VT_I32, buf), "i32");
    assert_string_equal(ts_vt_name(TS_VT_FUNCREF, buf), "(ref null func)");
    assert_string_equal(ts_vt_name(ts_vt_ref(false, TS_HT_CONCRETE + 5), buf), "(ref 5)");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(functions, setup, teardown),
                                       cmocka_unit_test_setup_teardown(recursion, setup, teardown),
                                       cmocka_unit_test_setup_teardown(subtypes_and_layout, setup, teardown),
                                       cmocka_unit_test_setup_teardown(abstract, setup, teardown),
                                       cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
