/* test_refused_arguments: a call whose arguments do not fit into the guest leaves the instance as it was.
 * In: lists of more than 4 GiB, behind handles that were lowered before them. Out: TS_LIMIT, an empty handle
 * table, and a call that works. spec: CanonicalABI.md#component-instances (entering), #storing */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "component/abi/instance.h"
#include "touchstone.h"

/* (component
 *   (import "r" (type $r (sub resource)))
 *   (core module $m
 *     (import "" "d" (func $d (param i32)))
 *     (memory (export "m") 1)
 *     (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 64))
 *     (func (export "f") (param i32 i32 i32 i32) (result i32) (call $d (local.get 1)) (local.get 3)))
 *   …
 *   (func (export "f") (param "a" (own $r)) (param "b" (borrow $r)) (param "c" (list f32)) (result u32)
 *     (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "r"))))) */
static const uint8_t component[] = {
    0,   97,  115, 109, 13,  0,   1,   0,  10,  6,   1,   0,   1,   114, 3,   1,   1,   74,  0,   97,  115, 109,
    1,   0,   0,   0,   1,   13,  2,   96, 4,   127, 127, 127, 127, 1,   127, 96,  1,   127, 0,   2,   6,   1,
    0,   1,   100, 0,   1,   3,   3,   2,  0,   0,   5,   3,   1,   0,   1,   7,   13,  3,   1,   109, 2,   0,
    1,   114, 0,   1,   1,   102, 0,   2,  10,  16,  2,   5,   0,   65,  192, 0,   11,  8,   0,   32,  1,   16,
    0,   32,  3,   11,  8,   3,   1,   3,  0,   2,   13,  2,   1,   1,   1,   100, 0,   0,   0,   0,   1,   0,
    18,  0,   6,   19,  3,   0,   2,   1,  1,   1,   109, 0,   0,   1,   1,   1,   114, 0,   0,   1,   1,   1,
    102, 7,   20,  4,   105, 0,   104, 0,  112, 118, 64,  3,   1,   97,  1,   1,   98,  2,   1,   99,  3,   0,
    121, 8,   10,  1,   0,   0,   2,   2,  3,   0,   4,   1,   4,   11,  7,   1,   0,   1,   102, 1,   0,   0,
};

static struct {
    ts_engine *engine;
    ts_linker *linker;
    ts_component *component;
    ts_cstore *store;
    ts_cinstance *instance;
    ts_pool *pool;
    unsigned dropped;
    ts_error e;
} w;

static ts_status drop(ts_host_call *c, void *data, uint64_t rep) {
    (void)c, (void)data, (void)rep;
    w.dropped++;
    return TS_OK;
}
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if ((call) != TS_OK) fail_msg("%s: %s", #call, w.e.message);                                                   \
    } while (0)

static int setup(void **s) {
    (void)s;
    memset(&w, 0, sizeof w);
    ts_error_init(&w.e);
    w.pool = ts_pool_new();
    OK(ts_engine_new(&w.engine, &w.e));
    OK(ts_linker_new(&w.linker, &w.e));
    OK(ts_linker_define_resource(w.linker, "", "r", drop, NULL, &w.e));
    OK(ts_component_load(w.engine, component, sizeof component, &w.component, &w.e));
    OK(ts_cstore_new(w.engine, NULL, &w.store, &w.e));
    OK(ts_component_instantiate(w.store, w.linker, w.component, &w.instance, &w.e));
    return 0;
}
static int teardown(void **s) {
    (void)s;
    ts_cstore_free(w.store);
    ts_component_free(w.component);
    ts_linker_free(w.linker);
    ts_engine_free(w.engine);
    ts_pool_free(w.pool);
    return 0;
}

static void too_large(void **s) {
    (void)s;
    ts_cfunc *f = ts_cinstance_func(w.instance, NULL, "f");
    static const float few[2] = {1, 2};
    ts_val args[3] = {{.handle = {.rep = 7}}, {.handle = {.rep = 8}}, {.raw = {.ptr = few, .len = 0x40000001u}}}, n;
    for (int k = 0; k < 20; k++) { /* also if there are many handles */
        ts_error_init(&w.e);
        assert_int_equal(ts_cfunc_call(w.store, f, args, &n, w.pool, &w.e), TS_LIMIT);
        assert_non_null(strstr(w.e.message, "does not fit into the guest"));
        assert_int_equal(w.instance->handles.live, 0);
        assert_null(w.instance->running.task);
    }
    assert_int_equal(w.dropped, 0); /* the caller still owns them */
    args[2].raw.len = 2;
    ts_error_init(&w.e);
    OK(ts_cfunc_call(w.store, f, args, &n, w.pool, &w.e));
    assert_int_equal(n.u32, 2);
    assert_int_equal(w.instance->handles.live, 1); /* the guest owns the handle now */
    ts_cstore_free(w.store);
    w.store = NULL;
    assert_int_equal(w.dropped, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(too_large, setup, teardown)};
    return cmocka_run_group_tests_name("refused arguments", tests, NULL, NULL);
}
