/* test_ptrmap: the map from pointers to words. In: keys, also many and when memory runs out. Out: values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/ptrmap.h"
#include "tests/refuse_memory.h"

static const void *key(uintptr_t i) {
    return (const void *)i;
}

static void put_and_get(void **state) {
    (void)state;
    ts_ptrmap m = {0};
    uintptr_t v = 7;
    assert_false(ts_ptrmap_get(&m, &m, &v));
    assert_int_equal(v, 7);
    assert_true(ts_ptrmap_put(&m, &m, 1));
    assert_true(ts_ptrmap_put(&m, &v, 2));
    assert_true(ts_ptrmap_get(&m, &m, &v) && v == 1);
    assert_true(ts_ptrmap_get(&m, &v, NULL));
    assert_true(ts_ptrmap_put(&m, &m, UINTPTR_MAX)); /* replaced */
    assert_true(ts_ptrmap_get(&m, &m, &v) && v == UINTPTR_MAX);
    assert_int_equal(m.n, 2);
    assert_false(ts_ptrmap_get(&m, &m.n, NULL));
    ts_ptrmap_free(&m);
    assert_true(m.n == 0 && m.cap == 0 && !ts_ptrmap_get(&m, &m, NULL));
    ts_ptrmap_free(&m);
}

/* Keys next to each other and far apart: each is found, none twice. */
static void many(void **state) {
    (void)state;
    enum { N = 20000 };
    ts_ptrmap m = {0};
    uintptr_t v;
    for (uintptr_t i = 1; i <= N; i++)
        assert_true(ts_ptrmap_put(&m, key(i), i * 3) && ts_ptrmap_put(&m, key(i << 40), i * 5));
    assert_int_equal(m.n, 2 * N);
    assert_true((m.cap & (m.cap - 1)) == 0 && m.cap >= m.n);
    for (uintptr_t i = 1; i <= N; i++) {
        assert_true(ts_ptrmap_get(&m, key(i), &v) && v == i * 3);
        assert_true(ts_ptrmap_get(&m, key(i << 40), &v) && v == i * 5);
        assert_false(ts_ptrmap_get(&m, key(i << 40 | 1), NULL));
    }
    uint32_t used = 0;
    for (uint32_t k = 0; k < m.cap; k++) used += m.keys[k] != NULL;
    assert_int_equal(used, m.n);
    ts_ptrmap_free(&m);
}

/* A map that cannot grow is as it was. */
static void no_memory(void **state) {
    (void)state;
    for (int64_t fail = 1; fail <= 2; fail++) { /* the keys, the values */
        ts_ptrmap m = {0};
        uintptr_t v;
        for (uintptr_t i = 1; i <= 8; i++) assert_true(ts_ptrmap_put(&m, key(i), i));
        until = fail;
        refused = 0;
        assert_false(ts_ptrmap_put(&m, key(9), 9));
        assert_int_equal(refused, 1);
        assert_true(ts_ptrmap_put(&m, key(8), 80)); /* needs none */
        until = -1;
        assert_int_equal(m.n, 8);
        assert_false(ts_ptrmap_get(&m, key(9), NULL));
        assert_true(ts_ptrmap_get(&m, key(8), &v) && v == 80 && ts_ptrmap_get(&m, key(1), &v) && v == 1);
        assert_true(ts_ptrmap_put(&m, key(9), 9) && ts_ptrmap_get(&m, key(9), &v) && v == 9);
        ts_ptrmap_free(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(put_and_get), cmocka_unit_test(many),
                                       cmocka_unit_test(no_memory)};
    return cmocka_run_group_tests_name("ptrmap", tests, NULL, NULL);
}
