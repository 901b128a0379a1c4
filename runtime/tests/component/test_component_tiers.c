/* test_component_tiers: machine code of calls between components belongs to the engine, and all stores share it.
 * In: the component of component_reenter.wat, in which the parent's run(0) calls the child, which calls the parent. Out:
 * its results; how much machine code there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <touchstone.h>
#include "base/dispatch.h"
#include "component/run/linker.h"
#include "core/module/engine.h"
#include "sys/pages.h"
#include "tests/data/component_reenter.h"

enum { MOST_PAGES = 64 };
typedef struct world {
    ts_engine *engine;
    ts_component *component;
    ts_linker *linker;
    ts_pool *pool;
    ts_error e;
} world;
typedef struct running {
    ts_cstore *store;
    ts_cinstance *instance;
} running;

static ts_status host(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args;
    result->u32 = 40;
    return TS_OK;
}
static world start(ts_tier tier, size_t pages) {
    world w;
    memset(&w, 0, sizeof w);
    ts_error_init(&w.e);
    w.pool = ts_pool_new();
    assert_non_null(w.pool);
    assert_int_equal(ts_engine_new(&w.engine, &w.e), TS_OK);
    ts_engine_set_tier(w.engine, tier);
    ts_engine_set_max_code(w.engine, pages * ts_pages_size());
    assert_int_equal(ts_component_load(w.engine, component_reenter, sizeof component_reenter, &w.component, &w.e),
                     TS_OK);
    assert_int_equal(ts_linker_new(&w.linker, &w.e), TS_OK);
    assert_int_equal(ts_linker_define_func(w.linker, "", "host", "func() -> u32", host, NULL, &w.e), TS_OK);
    return w;
}
static void end(world *w) {
    ts_linker_free(w->linker);
    ts_component_free(w->component);
    ts_engine_free(w->engine);
    ts_pool_free(w->pool);
}
static running instantiate(world *w) {
    running r;
    assert_int_equal(ts_cstore_new(w->engine, NULL, &r.store, &w->e), TS_OK);
    assert_int_equal(ts_component_instantiate(r.store, w->linker, w->component, &r.instance, &w->e), TS_OK);
    return r;
}
static void gives(world *w, running r, const char *call, const char *want) {
    const char *text;
    if (ts_cinstance_call_text(r.store, r.instance, call, w->pool, &text, &w->e) != TS_OK)
        fail_msg("%s: %s", call, w->e.message);
    assert_string_equal(text, want);
}
static int pages_left(ts_engine *e) {
    int n = 0;
    while (ts_engine_take_code(e, ts_pages_size())) n++;
    ts_engine_give_code(e, (size_t)n * ts_pages_size());
    return n;
}

static void stores_share_it(void **state) {
    (void)state;
    world w = start(TS_TIER_COMPILED_AT_ONCE, MOST_PAGES);
    running a = instantiate(&w);
    for (int i = 0; i < 3; i++) gives(&w, a, "run(0)", "8");
    int left = pages_left(w.engine);
    assert_true(TS_HAS_MACHINE_CODE ? left < MOST_PAGES : left == MOST_PAGES);
    running b = instantiate(&w);
    for (int i = 0; i < 3; i++) {
        gives(&w, a, "run(0)", "8");
        gives(&w, b, "run(0)", "8");
    }
    assert_int_equal(pages_left(w.engine), left);
    ts_cstore_free(a.store);
    gives(&w, b, "run(0)", "8");
    ts_cstore_free(b.store);
    running c = instantiate(&w);
    gives(&w, c, "run(0)", "8");
    assert_int_equal(pages_left(w.engine), left);
    ts_cstore_free(c.store);
    end(&w);
}
/* The functions or the adapters, or both, have no room. */
static void without_room(void **state) {
    (void)state;
    for (size_t pages = 0; pages < 6; pages++) {
        world w = start(TS_TIER_COMPILED_AT_ONCE, pages);
        running r = instantiate(&w);
        for (int i = 0; i < 3; i++) gives(&w, r, "run(0)", "8");
        ts_cstore_free(r.store);
        end(&w);
    }
}
static void in_each_tier(void **state) {
    (void)state;
    for (ts_tier tier = TS_TIER_INTERPRETED; tier <= TS_TIER_COMPILED_MIXED; tier++) {
        world w = start(tier, MOST_PAGES);
        running r = instantiate(&w);
        for (int i = 0; i < 400; i++) gives(&w, r, "run(0)", "8");
        if (tier == TS_TIER_INTERPRETED) assert_int_equal(pages_left(w.engine), MOST_PAGES);
        ts_cstore_free(r.store);
        end(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_share_it),
        cmocka_unit_test(without_room),
        cmocka_unit_test(in_each_tier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
