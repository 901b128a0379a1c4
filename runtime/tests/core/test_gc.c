/* test_gc: the collector under pressure: reachable objects stay unchanged, others are collected, and the cost
 * is bounded.
 * In: core/run/gc.h. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "core/run/gc.h"
#include "core/run/store.h"

typedef struct fixture {
    ts_engine *engine;
    ts_store *store;
    const ts_deftype *node, *refs, *bytes, *mixed, *wide;
    ts_error e;
    ts_slot stack[4096]; /* scanned conservatively up to n */
    size_t n;
} fixture;

static void scan(void *data, ts_gc_heap *h) {
    fixture *f = data;
    ts_gc_mark_range(h, f->stack, f->stack + f->n);
}

enum { WIDE = 100 };
static fixture *start(uint64_t limit) {
    fixture *f = calloc(1, sizeof *f);
    ts_store_limits l = {.gc_bytes = limit};
    assert_int_equal(ts_engine_create(&f->engine, &f->e), TS_OK);
    assert_int_equal(ts_store_create(f->engine, &l, &f->store, &f->e), TS_OK);
    assert_true(ts_gc_add_scanner(f->store->gc, scan, f));
    /* one group: node { i64, ref null node, ref null node }; array of ref null node; array of i8; a mixed
     * struct; a struct too wide for a map */
    ts_valtype node = ts_vt_ref(true, TS_HT_CONCRETE + 0), any = ts_vt_ref(true, TS_HT_ANY);
    ts_field nf[] = {{TS_VT_I64, true, 0}, {node, true, 0}, {node, true, 0}}, rf[] = {{any, true, 0}},
             bf[] = {{TS_VT_I8, true, 0}};
    ts_field mf[] = {{TS_VT_I8, true, 0},      {any, true, 0},  {TS_VT_V128, true, 0},
                     {TS_VT_FUNCREF, true, 0}, {node, true, 0}, {TS_VT_I16, true, 0}};
    ts_field wf[WIDE];
    for (unsigned i = 0; i < WIDE; i++) wf[i] = (ts_field){i == WIDE - 1 ? any : TS_VT_I64, true, 0};
    ts_rec_member g[] = {{.kind = TS_COMP_STRUCT, .final = true, .n_fields = 3, .fields = nf},
                         {.kind = TS_COMP_ARRAY, .final = true, .n_fields = 1, .fields = rf},
                         {.kind = TS_COMP_ARRAY, .final = true, .n_fields = 1, .fields = bf},
                         {.kind = TS_COMP_STRUCT, .final = true, .n_fields = 6, .fields = mf},
                         {.kind = TS_COMP_STRUCT, .final = true, .n_fields = WIDE, .fields = wf}};
    uint32_t ids[5];
    assert_int_equal(ts_types_intern(ts_engine_types(f->engine), g, 5, NULL, 0, ids, &f->e), TS_OK);
    const ts_deftype **to[] = {&f->node, &f->refs, &f->bytes, &f->mixed, &f->wide};
    for (unsigned i = 0; i < 5; i++) *to[i] = ts_types_get(ts_engine_types(f->engine), ids[i]);
    return f;
}
static void finish(fixture *f) {
    ts_store_destroy(f->store);
    ts_engine_destroy(f->engine);
    free(f);
}

static uint64_t get(const ts_obj *o, const ts_deftype *d, unsigned field) {
    uint64_t v;
    memcpy(&v, ts_obj_payload(o) + d->fields[field].offset, 8);
    return v;
}
static void set(ts_obj *o, const ts_deftype *d, unsigned field, uint64_t v) {
    memcpy(ts_obj_payload(o) + d->fields[field].offset, &v, 8);
}
static ts_obj *elem(const ts_obj *a, uint32_t i) {
    uint64_t v;
    memcpy(&v, ts_obj_payload(a) + 8 * (size_t)i, 8);
    return ts_ref_obj(v);
}
static void set_elem(ts_obj *a, uint32_t i, uint64_t v) {
    memcpy(ts_obj_payload(a) + 8 * (size_t)i, &v, 8);
}
static ts_gc_stats stats(const fixture *f) {
    ts_gc_stats s;
    ts_gc_get_stats(f->store->gc, &s);
    return s;
}

/* Builds a tree. Nodes under construction are on the scanned stack. */
static ts_obj *tree(fixture *f, unsigned depth, uint64_t *serial) {
    ts_obj *o = ts_gc_new_struct(f->store, f->node);
    assert_non_null(o);
    f->stack[f->n++] = ts_obj_ref(o);
    set(o, f->node, 0, (*serial)++);
    for (unsigned k = 1; depth && k <= 2; k++) set(o, f->node, k, ts_obj_ref(tree(f, depth - 1, serial)));
    f->n--;
    return o;
}
static void check_tree(const fixture *f, const ts_obj *o, unsigned depth, uint64_t *serial) {
    assert_true(ts_gc_is_object(f->store->gc, ts_obj_ref(o)));
    assert_int_equal(o->type, f->node->id);
    assert_int_equal(get(o, f->node, 0), (*serial)++);
    for (unsigned k = 1; k <= 2; k++) {
        if (depth)
            check_tree(f, ts_ref_obj(get(o, f->node, k)), depth - 1, serial);
        else
            assert_int_equal(get(o, f->node, k), 0);
    }
}

static void trees_survive_stress(void **state) {
    (void)state;
    fixture *f = start(0);
    ts_gc_set_stress(f->store->gc, 1);
    uint64_t a = 0, b = 0;
    ts_obj *t = tree(f, 8, &a);
    assert_true(ts_gc_root_add(f->store, ts_obj_ref(t)));
    ts_gc_set_stress(f->store->gc, 7);
    for (int i = 0; i < 500; i++) { /* garbage, reusing cells */
        uint64_t other = 1000000;
        tree(f, 2, &other);
    }
    check_tree(f, t, 8, &b);
    assert_int_equal(a, b);
    assert_true(stats(f).collections > 500);
    ts_gc_collect(f->store->gc);
    /* cells of 48 bytes: the header and three words, rounded up */
    assert_int_equal(stats(f).live_bytes, 511 * 48);
    ts_gc_root_remove(f->store, ts_obj_ref(t));
    ts_gc_collect(f->store->gc);
    assert_int_equal(stats(f).live_bytes, 0);
    finish(f);
}

static void garbage_is_reused(void **state) {
    (void)state;
    fixture *f = start(0);
    for (unsigned i = 0; i < 3000000; i++) {
        ts_obj *o = ts_gc_new_struct(f->store, f->node);
        /* zeroed although the cell was used before */
        for (unsigned k = 0; k < 3; k++) assert_int_equal(get(o, f->node, k), 0);
        set(o, f->node, 0, UINT64_MAX);
        set(o, f->node, 1, ts_obj_ref(o));
    }
    ts_gc_stats s = stats(f);
    assert_int_equal(s.total_objects, 3000000);
    assert_true(s.heap_bytes <= 8 << 20);
    assert_true(s.collections >= 10 && s.collections <= 3000000ull * 48 / (1 << 20));
    finish(f);
}

/* The collector's work is at most proportional to the allocated bytes, also while the heap grows. */
static void cost_is_bounded(void **state) {
    (void)state;
    fixture *f = start(0);
    ts_slot list = 0;
    uint32_t n = 400000;
    for (uint32_t i = 0; i < n; i++) {
        f->n = 1;
        f->stack[0] = list;
        ts_obj *o = ts_gc_new_struct(f->store, f->node);
        set(o, f->node, 0, i);
        set(o, f->node, 1, list);
        list = ts_obj_ref(o);
    }
    f->stack[0] = list;
    ts_gc_stats s = stats(f);
    assert_true(s.marked_objects <= 3ull * n);
    assert_true(s.collections < 20);
    ts_gc_collect(f->store->gc); /* a list as long as that is traced without recursion */
    assert_int_equal(stats(f).live_bytes, (uint64_t)n * 48);
    for (uint32_t i = n; i-- > 0; list = get(ts_ref_obj(list), f->node, 1))
        assert_int_equal(get(ts_ref_obj(list), f->node, 0), i);
    finish(f);
}

static void limit_is_kept(void **state) {
    (void)state;
    enum { LIMIT = 1 << 20 };
    fixture *f = start(LIMIT);
    for (int round = 0; round < 3; round++) {
        ts_slot list = 0;
        uint64_t n = 0;
        for (;; n++) {
            f->n = 1;
            f->stack[0] = list;
            ts_obj *o = ts_gc_new_struct(f->store, f->node);
            if (!o) break;
            set(o, f->node, 1, list);
            list = ts_obj_ref(o);
        }
        assert_true(n * 48 > LIMIT / 2 && n * 48 <= LIMIT);
        assert_null(ts_gc_new_array(f->store, f->bytes, LIMIT));
        assert_null(ts_gc_new_array(f->store, f->refs, UINT32_MAX));
        uint64_t before =
            /* a full heap may collect, but not endlessly: allocations of garbage are refused as well */
            stats(f).collections;
        for (int i = 0; i < 100; i++) (void)!ts_gc_new_struct(f->store, f->node);
        assert_true(stats(f).collections - before <= 100);
        f->n = 0; /* all of it is collected */
        assert_non_null(ts_gc_new_array(f->store, f->bytes, LIMIT / 2));
    }
    finish(f);
}

static void large_objects(void **state) {
    (void)state;
    fixture *f = start(64 << 20);
    ts_obj *keep = ts_gc_new_array(f->store, f->refs, 5000);
    assert_true(ts_gc_root_add(f->store, ts_obj_ref(keep)));
    for (uint32_t i = 0; i < 20000; i++) {
        ts_obj *o = ts_gc_new_array(f->store, f->bytes, 9000 + i);
        assert_non_null(o);
        assert_int_equal(o->len, 9000 + i);
        assert_int_equal(ts_obj_payload(o)[9000 + i - 1], 0);
        memset(ts_obj_payload(o), 0xff, o->len);
        if (i % 4 == 0) set_elem(keep, i / 4, ts_obj_ref(ts_gc_new_array(f->store, f->bytes, i % 300)));
    }
    assert_true(stats(f).heap_bytes < 64 << 20);
    ts_gc_collect(f->store->gc);
    for (uint32_t i = 0; i < 5000; i++) assert_int_equal(elem(keep, i)->len, i * 4 % 300);
    assert_true(ts_gc_is_object(f->store->gc, ts_obj_ref(keep)));
    assert_false(ts_gc_is_object(f->store->gc, ts_obj_ref(keep) + 16));
    ts_gc_root_remove(f->store, ts_obj_ref(keep));
    ts_gc_collect(f->store->gc);
    assert_int_equal(stats(f).live_bytes, 0);
    assert_false(ts_gc_is_object(f->store->gc, ts_obj_ref(keep)));
    finish(f);
}

static void fields_of_all_kinds(void **state) {
    (void)state;
    fixture *f = start(0);
    ts_gc_set_stress(f->store->gc, 1);
    f->n = 3;
    ts_obj *m = ts_gc_new_struct(f->store, f->mixed);
    f->stack[0] = ts_obj_ref(m);
    ts_obj *w = ts_gc_new_struct(f->store, f->wide);
    f->stack[1] = ts_obj_ref(w);
    ts_obj *a = ts_gc_new_array(f->store, f->bytes, 3);
    set(m, f->mixed, 1, ts_obj_ref(a));
    set(m, f->mixed, 4, ts_obj_ref(ts_gc_new_struct(f->store, f->node)));
    set(w, f->wide, WIDE - 1, ts_obj_ref(ts_gc_new_array(f->store, f->bytes, 5)));
    /* words that only look like references keep nothing alive: the i64 fields of the wide struct */
    ts_obj *dead = ts_gc_new_array(f->store, f->bytes, 7);
    set(w, f->wide, 0, ts_obj_ref(dead));
    ts_gc_collect(f->store->gc);
    assert_false(ts_gc_is_object(f->store->gc, ts_obj_ref(dead)));
    assert_int_equal(ts_ref_obj(get(m, f->mixed, 1))->len, 3);
    assert_int_equal(ts_ref_obj(get(m, f->mixed, 4))->type, f->node->id);
    assert_int_equal(ts_ref_obj(get(w, f->wide, WIDE - 1))->len, 5);
    set(m, f->mixed, 1, ts_ref_i31(0x7fffffff)); /* an i31 and a host reference in a field are no objects */
    ts_gc_collect(f->store->gc);
    assert_false(ts_gc_is_object(f->store->gc, ts_obj_ref(a)));
    set(m, f->mixed, 1, ts_ref_host(ts_obj_ref(a) >> 2));
    ts_gc_collect(f->store->gc);
    finish(f);
}

static void roots_of_the_store(void **state) {
    (void)state;
    fixture *f = start(0);
    ts_valtype any = ts_vt_ref(true, TS_HT_ANY);
    ts_slot v[2] = {0, 0};
    ts_global *g;
    ts_table *t;
    ts_tag *tag;
    ts_table_type tt = {any, {.min = 3, .max = 9, .has_max = true}};
    uint32_t type;
    ts_valtype params[] = {TS_VT_V128, any, TS_VT_I64};
    assert_int_equal(ts_global_make(f->store, &(ts_global_type){any, true}, v, &g, &f->e), TS_OK);
    assert_int_equal(ts_table_make(f->store, &tt, 0, &t, &f->e), TS_OK);
    assert_int_equal(ts_types_func(ts_engine_types(f->engine), params, 3, NULL, 0, &type, &f->e), TS_OK);
    assert_int_equal(ts_tag_make(f->store, type, &tag, &f->e), TS_OK);
    ts_gc_set_stress(f->store->gc, 1);
    g->v[0] = ts_obj_ref(ts_gc_new_array(f->store, f->bytes, 11));
    t->elems[2] = ts_obj_ref(ts_gc_new_array(f->store, f->bytes, 12));
    ts_exn *x = ts_gc_new_exn(f->store, tag);
    assert_int_equal(x->n_slots, 4);
    assert_ptr_equal(x->tag, tag);
    assert_true(ts_gc_root_add(f->store, ts_obj_ref(&x->head)) && ts_gc_root_add(f->store, ts_obj_ref(&x->head)));
    x->slots[2] = ts_obj_ref(ts_gc_new_array(f->store, f->bytes, 13));
    x->slots[3] = ts_obj_ref(ts_gc_new_array(f->store, f->bytes, 14)); /* an i64: keeps nothing */
    ts_gc_root_remove(f->store, ts_obj_ref(&x->head));                 /* counted: one is left */
    ts_gc_collect(f->store->gc);
    assert_int_equal(ts_ref_obj(g->v[0])->len, 11);
    assert_int_equal(ts_ref_obj(t->elems[2])->len, 12);
    assert_int_equal(ts_ref_obj(x->slots[2])->len, 13);
    assert_false(ts_gc_is_object(f->store->gc, x->slots[3]));
    assert_int_equal(stats(f).live_bytes, 32 + 32 + 32 + 64);
    ts_gc_root_remove(f->store, ts_obj_ref(&x->head));
    g->v[0] = t->elems[2] = 0;
    ts_gc_collect(f->store->gc);
    assert_int_equal(stats(f).live_bytes, 0);
    finish(f);
}

static void only_starts_of_objects(void **state) {
    (void)state;
    fixture *f = start(0);
    enum { N = 2000 };
    ts_obj *all[N];
    ts_slot list = 0;
    for (int i = 0; i < N; i++) {
        f->n = 1;
        f->stack[0] = list;
        all[i] = ts_gc_new_struct(f->store, i % 2 ? f->node : f->mixed);
        if (i % 2) {
            set(all[i], f->node, 1, list);
            list = ts_obj_ref(all[i]);
        }
    }
    f->stack[0] = list;
    ts_gc_collect(f->store->gc);
    for (int i = 0; i < N; i++) {
        ts_slot r = ts_obj_ref(all[i]);
        assert_int_equal(ts_gc_is_object(f->store->gc, r), i % 2);
        for (unsigned d = 1; d < 48; d++) assert_false(i % 2 && ts_gc_is_object(f->store->gc, r + d));
        assert_false(ts_gc_is_object(f->store->gc, r & ~(ts_slot)65535));
    }
    for (uint64_t w = 0, x = 88172645463325252u; w < 1000000; w++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        ts_slot near = ts_obj_ref(all[x % N]) + (x >> 40) % 4096;
        if (!ts_gc_is_object(f->store->gc, near)) continue;
        bool known = false;
        for (int i = 1; i < N && !known; i += 2) known = ts_obj_ref(all[i]) == near;
        assert_true(known);
    }
    assert_false(ts_gc_is_object(f->store->gc, 0));
    assert_false(ts_gc_is_object(f->store->gc, UINT64_MAX & ~(ts_slot)15));
    finish(f);
}

/* Changes a graph at random, together with a copy of it in plain memory. */
static void random_graphs(void **state) {
    (void)state;
    enum { N = 300, STEPS = 60000 };
    fixture *f = start(0);
    ts_gc_set_stress(f->store->gc, 97);
    ts_obj *all = ts_gc_new_array(f->store, f->refs, N);
    f->stack[f->n++] = ts_obj_ref(all);
    struct shadow {
        int64_t value;
        uint32_t len;
        int to[2];
    } shadow[N];
    for (int i = 0; i < N; i++) shadow[i] = (struct shadow){-1, 0, {-1, -1}};
    uint64_t x = 42;
    for (uint32_t s = 0; s < STEPS; s++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        uint32_t i = (uint32_t)(x >> 33) % N, k = (uint32_t)(x >> 20) % 2, j = (uint32_t)(x >> 45) % N;
        switch (x >> 61) {
        case 0:
        case 1:
        /* a new node replaces the old one; links of others still point at the old object, so clear them */
        case 2: {
            ts_obj *o = ts_gc_new_struct(f->store, f->node);
            set(o, f->node, 0, s);
            set_elem(all, i, ts_obj_ref(o));
            shadow[i] = (struct shadow){s, 0, {-1, -1}};
            for (int n = 0; n < N; n++)
                for (int b = 0; b < 2; b++)
                    if (shadow[n].to[b] == (int)i) {
                        shadow[n].to[b] = -1;
                        set(elem(all, (uint32_t)n), f->node, 1 + (unsigned)b, 0);
                    }
            break;
        }
        case 3:
            (void)!ts_gc_new_array(f->store, f->bytes, (uint32_t)(x >> 50) % 12000);
            break; /* garbage of all sizes */
        default:
            if (shadow[i].value < 0 || shadow[j].value < 0) break;
            set(elem(all, i), f->node, 1 + k, ts_obj_ref(elem(all, j)));
            shadow[i].to[k] = (int)j;
        }
    }
    for (uint32_t i = 0; i < N; i++) {
        if (shadow[i].value < 0) {
            assert_null(elem(all, i));
            continue;
        }
        assert_int_equal(get(elem(all, i), f->node, 0), shadow[i].value);
        for (unsigned b = 0; b < 2; b++)
            assert_ptr_equal(ts_ref_obj(get(elem(all, i), f->node, 1 + b)),
                             shadow[i].to[b] < 0 ? NULL : elem(all, (uint32_t)shadow[i].to[b]));
    }
    finish(f);
}

static void references(void **state) {
    (void)state;
    fixture *f = start(0);
    ts_store *s = f->store;
    ts_slot o = ts_obj_ref(ts_gc_new_struct(s, f->node)), a = ts_obj_ref(ts_gc_new_array(s, f->bytes, 1)),
            i = ts_ref_i31(0x40000000), h = ts_ref_host(7);
    assert_int_equal(ts_ref_i31_s(ts_ref_i31(0xffffffff)), -1);
    assert_int_equal(ts_ref_i31_u(ts_ref_i31(0xffffffff)), 0x7fffffff);
    assert_int_equal(ts_ref_i31_s(i), -0x40000000);
    assert_int_equal(ts_ref_host_value(h), 7);
    const struct {
        uint32_t heap;
        bool o, a, i, h;
    } rows[] = {{TS_HT_ANY, 1, 1, 1, 1},
                {TS_HT_EQ, 1, 1, 1, 0},
                {TS_HT_I31, 0, 0, 1, 0},
                {TS_HT_STRUCT, 1, 0, 0, 0},
                {TS_HT_ARRAY, 0, 1, 0, 0},
                {TS_HT_NONE, 0, 0, 0, 0},
                {TS_HT_EXTERN, 1, 1, 1, 1},
                {TS_HT_NOEXTERN, 0, 0, 0, 0},
                {TS_HT_CONCRETE + f->node->id, 1, 0, 0, 0},
                {TS_HT_CONCRETE + f->bytes->id, 0, 1, 0, 0}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        assert_int_equal(ts_ref_test_heap(s, o, rows[k].heap), rows[k].o);
        assert_int_equal(ts_ref_test_heap(s, a, rows[k].heap), rows[k].a);
        assert_int_equal(ts_ref_test_heap(s, i, rows[k].heap), rows[k].i);
        assert_int_equal(ts_ref_test_heap(s, h, rows[k].heap), rows[k].h);
    }
    finish(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_survive_stress), cmocka_unit_test(garbage_is_reused),
        cmocka_unit_test(cost_is_bounded),      cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(large_objects),        cmocka_unit_test(fields_of_all_kinds),
        cmocka_unit_test(roots_of_the_store),   cmocka_unit_test(only_starts_of_objects),
        cmocka_unit_test(random_graphs),        cmocka_unit_test(references),
    };
    return cmocka_run_group_tests_name("gc", tests, NULL, NULL);
}
