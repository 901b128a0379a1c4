/* test_component_reenter: which instances may be entered again while they run, and which are closed after a
 * trap.
 * In: the component of component_reenter.wat. Out: results, and the trap that the specification requires.
 * spec: CanonicalABI.md#component-instances (may_enter_from, entering_set), Explainer.md#component-invariants
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <touchstone.h>
#include "component/abi/context.h"
#include "component/binary/component.h"
#include "component/abi/scratch.h"
#include "component/run/linker.h"
#include "tests/data/component_reenter.h"

typedef struct world {
    ts_engine *engine;
    ts_component *component;
    ts_linker *linker;
    ts_cstore *store;
    ts_cinstance *instance;
    ts_pool *pool;
    const char *from_host; /* the call that the host function makes, and its outcome */
    ts_status status;
    ts_error inner, e;
} world;

static ts_status host(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)args;
    world *w = data;
    const char *text;
    ts_error_init(&w->inner);
    w->status = ts_cinstance_call_text(w->store, w->instance, w->from_host, w->pool, &text, &w->inner);
    result->u32 = 40;
    return TS_OK;
}

static world start(void) {
    world w;
    memset(&w, 0, sizeof w);
    ts_error_init(&w.e);
    w.pool = ts_pool_new();
    assert_non_null(w.pool);
    assert_int_equal(ts_engine_new(&w.engine, &w.e), TS_OK);
    assert_int_equal(ts_component_load(w.engine, component_reenter, sizeof component_reenter, &w.component, &w.e),
                     TS_OK);
    return w;
}
static void instantiate(world *w) {
    assert_int_equal(ts_linker_new(&w->linker, &w->e), TS_OK);
    assert_int_equal(ts_linker_define_func(w->linker, "", "host", "func() -> u32", host, w, &w->e), TS_OK);
    assert_int_equal(ts_cstore_new(w->engine, NULL, &w->store, &w->e), TS_OK);
    assert_int_equal(ts_component_instantiate(w->store, w->linker, w->component, &w->instance, &w->e), TS_OK);
}
static void end(world *w) {
    ts_cstore_free(w->store);
    ts_linker_free(w->linker);
    ts_component_free(w->component);
    ts_engine_free(w->engine);
    ts_pool_free(w->pool);
}
static void gives(world *w, const char *call, const char *want) {
    const char *text;
    if (ts_cinstance_call_text(w->store, w->instance, call, w->pool, &text, &w->e) != TS_OK)
        fail_msg("%s: %s", call, w->e.message);
    assert_string_equal(text, want);
}
static void cannot_enter(world *w, const char *call) {
    const char *text;
    ts_error_init(&w->e);
    assert_int_equal(ts_cinstance_call_text(w->store, w->instance, call, w->pool, &text, &w->e), TS_TRAP);
    assert_int_equal(w->e.trap, TS_TRAP_CABI);
    assert_string_equal(w->e.message, "cannot enter component instance");
}

/* parent → child → parent: execution stays inside the parent throughout */
static void test_parent_again(void **s) {
    (void)s;
    world w = start();
    instantiate(&w);
    gives(&w, "run(0)", "8");
    gives(&w, "run(0)", "8");
    gives(&w, "go()", "8"); /* the host calls the child's export, which enters the child and its parent */
    end(&w);
}

/* parent → child → parent → child: the child is already entered, and both stay closed afterwards */
static void test_child_again(void **s) {
    (void)s;
    world w = start();
    instantiate(&w);
    cannot_enter(&w, "run(1)");
    cannot_enter(&w, "run(0)");
    cannot_enter(&w, "go()");
    end(&w);
}

/* parent → child → parent → host → parent or child: both fail because the parent is already entered, and the
 * host sees the trap */
static void test_by_the_host(void **s) {
    (void)s;
    static const char *const calls[] = {"run(0)", "go()"};
    for (size_t i = 0; i < 2; i++) {
        world w = start();
        instantiate(&w);
        w.from_host = calls[i];
        gives(&w, "run(2)", "41");
        assert_int_equal(w.status, TS_TRAP);
        assert_string_equal(w.inner.message, "cannot enter component instance");
        gives(&w, "run(0)", "8"); /* the call did not begin, so nothing is closed */
        end(&w);
    }
}

/* Each call has its own scratch memory, however deeply calls are nested up to the limit, and
 * again after that. */
static void test_depth(void **s) {
    (void)s;
    ts_error e;
    ts_engine *engine;
    ts_cstore *store;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    assert_int_equal(ts_cstore_create(engine, NULL, &store, &e), TS_OK);
    for (int round = 0; round < 2; round++) {
        uint32_t *numbers[TS_CALL_DEPTH_MAX];
        ts_arena *a;
        for (uint32_t i = 0; i < TS_CALL_DEPTH_MAX; i++) {
            assert_int_equal(ts_scratch_enter(store, &a, &e), TS_OK);
            numbers[i] = ts_arena_alloc(a, 100);
            assert_non_null(numbers[i]);
            assert_null(ts_arena_alloc(a, (size_t)TS_ARENA_LIMIT + 1));
            *numbers[i] = i;
        }
        assert_int_equal(ts_scratch_enter(store, &a, &e), TS_EXHAUSTION);
        for (uint32_t i = TS_CALL_DEPTH_MAX; i-- > 0;) {
            assert_int_equal(*numbers[i], i);
            ts_scratch_leave(store);
        }
        assert_int_equal(store->depth, 0);
    }
    ts_cstore_destroy(store);
    ts_engine_destroy(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parent_again),
        cmocka_unit_test(test_child_again),
        cmocka_unit_test(test_by_the_host),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
