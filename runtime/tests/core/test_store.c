/* test_store: memories, tables, instantiation and matching, under both forms of memory.
 * In: core/run/store.h, small modules in bytes. Out: cmocka results. spec: exec/modules, valid/matching */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "core/run/store.h"
#include "core/load/load.h"

typedef struct fixture {
    ts_engine *engine;
    ts_store *store;
    ts_error e;
} fixture;

static fixture start(const ts_store_limits *l) {
    fixture f;
    memset(&f, 0, sizeof f);
    assert_int_equal(ts_engine_create(&f.engine, &f.e), TS_OK);
    assert_int_equal(ts_store_create(f.engine, l, &f.store, &f.e), TS_OK);
    return f;
}
static void finish(fixture *f) {
    ts_store_destroy(f->store);
    ts_engine_destroy(f->engine);
}

static void grow_to_max(ts_store *s, ts_memory *m, uint64_t page) {
    assert_int_equal(m->len, page);
    m->base[0] = 1;
    m->base[page - 1] = 2;
    assert_int_equal(ts_memory_grow(s, m, 0), 1);
    assert_int_equal(ts_memory_grow(s, m, 2), 1);
    assert_int_equal(m->pages, 3);
    assert_int_equal(m->len, 3 * page);
    assert_true(m->base[0] == (page > 1 ? 1 : 2) && m->base[page - 1] == 2);
    for (uint64_t i = page; i < 3 * page; i++) assert_int_equal(m->base[i], 0);
    assert_int_equal(ts_memory_grow(s, m, 3), -1);
    assert_int_equal(ts_memory_grow(s, m, UINT64_MAX), -1);
    assert_int_equal(m->pages, 3);
    assert_int_equal(ts_memory_grow(s, m, 2), 3);
    m->base[5 * page - 1] = 3;
    assert_int_equal(ts_memory_grow(s, m, 1), -1);
}

static void memories(void **state) {
    (void)state;
    for (int checked = 0; checked < 2; checked++)
        for (int is64 = 0; is64 < 2; is64++)
            for (int log2 = 0; log2 <= 16; log2 += 16) {
                fixture f = start(&(ts_store_limits){.explicit_checks = checked});
                ts_limits t = {.min = 1, .max = 5, .has_max = true, .is64 = is64, .page_log2 = (uint8_t)log2};
                ts_memory *m;
                assert_int_equal(ts_memory_make(f.store, &t, &m, &f.e), TS_OK);
                if (checked || is64 || !log2) assert_false(m->guarded);
                grow_to_max(f.store, m, 1ull << log2);
                finish(&f);
            }
}

static void memory_limits(void **state) {
    (void)state;
    fixture f = start(&(ts_store_limits){.memory_bytes = 4 * 65536});
    ts_limits t = {.min = 1, .page_log2 = 16}, big = {.min = 5, .page_log2 = 16},
              none = {.page_log2 = 16, .has_max = true};
    ts_memory *m;
    assert_int_equal(ts_memory_make(f.store, &t, &m, &f.e), TS_OK);
    assert_int_equal(ts_memory_grow(f.store, m, 4), -1);
    assert_int_equal(ts_memory_grow(f.store, m, 3), 1);
    assert_int_equal(ts_memory_grow(f.store, m, 1), -1);
    assert_int_equal(ts_memory_make(f.store, &big, &m, &f.e), TS_LIMIT);
    ts_error_init(&f.e);
    assert_int_equal(ts_memory_make(f.store, &none, &m, &f.e), TS_OK); /* no pages, and no growth */
    assert_int_equal(m->len, 0);
    assert_int_equal(ts_memory_grow(f.store, m, 1), -1);
    assert_int_equal(ts_memory_grow(f.store, m, 0), 0);
    ts_limits huge = {.min = 1, .is64 = true, .page_log2 = 16, .has_max = true, .max = 1ull << 48};
    assert_int_equal(ts_memory_make(f.store, &huge, &m, &f.e), TS_OK);
    assert_int_equal(ts_memory_grow(f.store, m, (1ull << 48) - 1), -1);
    finish(&f);
}

static void tables(void **state) {
    (void)state;
    fixture f = start(&(ts_store_limits){.table_elems = 100});
    ts_table_type t = {TS_VT_EXTERNREF, {.min = 2, .max = 1000, .has_max = true}},
                  big = {TS_VT_EXTERNREF, {.min = 101}};
    ts_table *x;
    assert_int_equal(ts_table_make(f.store, &t, ts_ref_host(5), &x, &f.e), TS_OK);
    assert_true(x->len == 2 && x->elems[1] == ts_ref_host(5));
    assert_int_equal(ts_table_grow(f.store, x, 3, ts_ref_host(6)), 2);
    assert_true(x->len == 5 && x->elems[1] == ts_ref_host(5) && x->elems[2] == ts_ref_host(6) &&
                x->elems[4] == ts_ref_host(6));
    assert_int_equal(ts_table_grow(f.store, x, 96, 0), -1);
    assert_int_equal(ts_table_grow(f.store, x, UINT64_MAX, 0), -1);
    assert_int_equal(ts_table_grow(f.store, x, 95, 0), 5);
    assert_int_equal(ts_table_grow(f.store, x, 0, 0), 100);
    assert_int_equal(ts_table_make(f.store, &big, 0, &x, &f.e), TS_LIMIT);
    finish(&f);
}

static void matching(void **state) {
    (void)state;
    fixture f = start(NULL);
    ts_limits mt = {.min = 1, .max = 3, .has_max = true, .page_log2 = 16};
    ts_extern x = {.kind = TS_EXTERN_MEM};
    ts_import want = {.module = "", .name = "", .kind = TS_EXTERN_MEM, .mem = mt};
    assert_int_equal(ts_memory_make(f.store, &mt, &x.mem, &f.e), TS_OK);
    assert_true(ts_extern_matches(f.store, &x, &want));
    want.mem.min = 2;
    assert_false(ts_extern_matches(f.store, &x, &want));
    assert_int_equal(ts_memory_grow(f.store, x.mem, 1), 1);
    assert_true(ts_extern_matches(f.store, &x, &want)); /* the current size counts */
    want.mem.max = 2;
    assert_false(ts_extern_matches(f.store, &x, &want));
    want.mem.has_max = false;
    assert_true(ts_extern_matches(f.store, &x, &want));
    want.mem.is64 = true;
    assert_false(ts_extern_matches(f.store, &x, &want));
    want.kind = TS_EXTERN_GLOBAL;
    assert_false(ts_extern_matches(f.store, &x, &want));
    /* globals: constant ones by subtype, mutable ones exactly */
    ts_extern g = {.kind = TS_EXTERN_GLOBAL};
    ts_slot v[2] = {1, 0};
    for (int mut = 0; mut < 2; mut++) {
        assert_int_equal(
            ts_global_make(f.store, &(ts_global_type){ts_vt_ref(false, TS_HT_I31), mut}, v, &g.global, &f.e), TS_OK);
        want.global = (ts_global_type){ts_vt_ref(true, TS_HT_ANY), mut};
        assert_int_equal(ts_extern_matches(f.store, &g, &want), !mut);
        want.global = (ts_global_type){ts_vt_ref(false, TS_HT_I31), mut};
        assert_true(ts_extern_matches(f.store, &g, &want));
        want.global = (ts_global_type){ts_vt_ref(false, TS_HT_I31), !mut};
        assert_false(ts_extern_matches(f.store, &g, &want));
        char buf[100];
        assert_non_null(strstr(ts_extern_mismatch(f.store, &g, &want, buf, sizeof buf), "global"));
    }
    finish(&f);
}

/* (module (memory (export "m") 1) (data (i32.const AT) "hi")), AT as a signed LEB128 of three bytes */
#define DATA_MODULE(a, b, c)                                                                                           \
    {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 'm', 2, 0, 11, 10, 1, 0, 0x41, a, b, c, 0x0b, 2, 'h', 'i'}

static void instantiation(void **state) {
    (void)state;
    static const uint8_t fits[] = DATA_MODULE(0xfe, 0xff, 0x03), beyond[] = DATA_MODULE(0xff, 0xff, 0x03);
    for (int checked = 0; checked < 2; checked++) {
        fixture f = start(&(ts_store_limits){.explicit_checks = checked, .instances = 2});
        ts_module *good, *bad;
        ts_instance *i;
        ts_extern x;
        assert_int_equal(ts_module_new(f.engine, fits, sizeof fits, false, &good, &f.e), TS_OK);
        assert_int_equal(ts_module_new(f.engine, beyond, sizeof beyond, false, &bad, &f.e), TS_OK);
        assert_int_equal(ts_instantiate(f.store, good, NULL, "one", &i, &f.e), TS_OK);
        assert_true(ts_instance_export(i, "m", 1, &x) && x.kind == TS_EXTERN_MEM);
        assert_memory_equal(x.mem->base + 65534, "hi", 2);
        assert_ptr_equal(i->mem0_base, x.mem->base);
        assert_true(i->data_dropped[0]);
        assert_false(ts_instance_export(i, "n", 1, &x));
        assert_int_equal(ts_instantiate(f.store, bad, NULL, NULL, &i, &f.e), TS_TRAP);
        assert_int_equal(f.e.trap, TS_TRAP_MEMORY_OOB);
        assert_null(i);
        ts_error_init(&f.e);
        assert_int_equal(ts_instantiate(f.store, good, NULL, NULL, &i, &f.e), TS_LIMIT);
        ts_module_free(good); /* the store keeps a reference to what it runs */
        ts_module_free(bad);
        finish(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memories), cmocka_unit_test(memory_limits),
                                       cmocka_unit_test(tables), cmocka_unit_test(matching),
                                       cmocka_unit_test(instantiation)};
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
