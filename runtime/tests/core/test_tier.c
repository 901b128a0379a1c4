/* test_tier: when functions get machine code, where it is entered, and what limits it.
 * In: core/run/tier.h, the seeds. Out: cmocka results. Without machine code (base/dispatch.h), all is interpreted. */
#include "tests/seed_help.h"
#include "base/dispatch.h"
#include "core/native/machine.h"
#include "core/run/code_cache.h"
#include "core/run/dispatch.h"
#include "sys/pages.h"

static bool count_machine_code(void *data, ts_fcode *c) {
    *(uint32_t *)data += __atomic_load_n(&c->machine, __ATOMIC_ACQUIRE) != NULL;
    return false;
}
static int functions_with_machine_code(const seed *s) {
    uint32_t n = 0;
    ts_code_each(s->module, count_machine_code, &n);
    return (int)n;
}
static seed *open_in(ts_tier tier, const char *name) {
    seed_tier = tier;
    return seed_open(name, &(ts_store_limits){0});
}

static void names(void **state) {
    (void)state;
    ts_tier t = TS_TIER_DEFAULT;
    assert_true(ts_tier_named("interpreter", &t) && t == TS_TIER_INTERPRETED);
    assert_true(ts_tier_named("compiled", &t) && t == TS_TIER_COMPILED);
    assert_true(ts_tier_named("compiled-at-once", &t) && t == TS_TIER_COMPILED_AT_ONCE);
    assert_true(ts_tier_named("compiled-mixed", &t) && t == TS_TIER_COMPILED_MIXED);
    assert_false(ts_tier_named("", &t));
    assert_false(ts_tier_named("compile", &t));
}
static void interpreted(void **state) {
    (void)state;
    seed *s = open_in(TS_TIER_INTERPRETED, "control");
    for (int i = 0; i < 5000; i++) RETURNS(s, seed_call(s, "fib10"), 55);
    assert_int_equal(functions_with_machine_code(s), 0);
    seed_close(s);
}
static void hot(void **state) {
    (void)state;
    seed *s = open_in(TS_TIER_COMPILED, "control");
    RETURNS(s, seed_call1(s, "switch", 0), 10);
    assert_int_equal(functions_with_machine_code(s), 0);
    for (int i = 0; i < 600; i++) RETURNS(s, seed_call(s, "fib10"), 55);
    for (int i = 0; i < 100 * 1000 * 1000 && functions_with_machine_code(s) < TS_HAS_MACHINE_CODE; i++)
        RETURNS(s, seed_call(s, "fib10"), 55); /* another thread makes it */
    assert_true(functions_with_machine_code(s) >= TS_HAS_MACHINE_CODE);
    seed_close(s);
}
/* A module may end while its functions are made. */
static void ended_early(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        seed *s = open_in(TS_TIER_COMPILED, "control");
        for (int k = 0; k < 20 * i; k++) RETURNS(s, seed_call(s, "fib10"), 55);
        seed_close(s);
    }
}
static void at_once(void **state) {
    (void)state;
    seed *s = open_in(TS_TIER_COMPILED_AT_ONCE, "control");
    RETURNS(s, seed_call1(s, "switch", 0), 10);
    assert_int_equal(functions_with_machine_code(s), TS_HAS_MACHINE_CODE);
    seed_close(s);
}
/* A function that does not fit is interpreted, and asks once. */
static void limit(void **state) {
    (void)state;
    seed *s = open_in(TS_TIER_COMPILED_AT_ONCE, "control");
    ts_engine_set_max_code(s->engine, ts_pages_size() - 1);
    RETURNS(s, seed_call(s, "fib10"), 55);
    assert_int_equal(functions_with_machine_code(s), 0);
    ts_engine_set_max_code(s->engine, ts_pages_size());
    RETURNS(s, seed_call1(s, "switch", 1), 20);
    RETURNS(s, seed_call(s, "fib10"), 55);
    assert_int_equal(functions_with_machine_code(s), TS_HAS_MACHINE_CODE);
    seed_close(s);
}
static void limit_is_given_back(void **state) {
    (void)state;
    seed *s = open_in(TS_TIER_COMPILED_AT_ONCE, "control");
    ts_engine_set_max_code(s->engine, 4 * ts_pages_size());
    ts_engine *engine = ts_engine_hold(s->engine);
    RETURNS(s, seed_call1(s, "switch", 0), 10);
    if (TS_HAS_MACHINE_CODE) assert_false(ts_engine_take_code(engine, 4 * ts_pages_size()));
    seed_close(s);
    assert_true(ts_engine_take_code(engine, 4 * ts_pages_size()));
    assert_false(ts_engine_take_code(engine, 1));
    ts_engine_give_code(engine, 4 * ts_pages_size());
    ts_engine_destroy(engine);
}
typedef struct pages {
    uintptr_t page;
    uint32_t functions, same;
} pages;
static bool count_same_page(void *data, ts_fcode *c) {
    pages *p = data;
    if (!c->machine) return false;
    const uintptr_t page = (uintptr_t)c->machine->code / ts_pages_size();
    if (!p->functions) p->page = page;
    p->functions++;
    p->same += page == p->page;
    return false;
}
/* Small functions are beside each other, whether they are made one by one or by the thread. */
static void functions_share_pages(void **state) {
    (void)state;
    if (!TS_HAS_MACHINE_CODE || !ts_pages_can_replace_code()) skip();
    seed *s = open_in(TS_TIER_COMPILED_AT_ONCE, "control");
    RETURNS(s, seed_call1(s, "switch", 0), 10);
    RETURNS(s, seed_call(s, "fib10"), 55);
    pages p = {0};
    ts_code_each(s->module, count_same_page, &p);
    assert_int_equal(p.functions, 3);
    assert_int_equal(p.same, 3);
    seed_close(s);
}
static void registers(void **state) {
    (void)state;
    assert_int_equal(ts_exec_takes_machine_code(), TS_HAS_MACHINE_CODE);
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {cmocka_unit_test(names),
                                       cmocka_unit_test(interpreted),
                                       cmocka_unit_test(hot),
                                       cmocka_unit_test(ended_early),
                                       cmocka_unit_test(at_once),
                                       cmocka_unit_test(limit),
                                       cmocka_unit_test(limit_is_given_back),
                                       cmocka_unit_test(functions_share_pages),
                                       cmocka_unit_test(registers)};
    return cmocka_run_group_tests_name("tier", tests, NULL, NULL);
}
