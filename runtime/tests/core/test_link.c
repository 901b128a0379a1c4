/* test_link: the IR from the words that run, and machine code of many functions in one memory.
 * In: core/run/link.h, core/run/tier.h, the seeds. Out: cmocka results. */
#include "tests/seed_help.h"
#include "base/dispatch.h"
#include "core/code/compile.h"
#include "core/run/code_cache.h"
#include "core/run/dispatch.h"
#include "core/run/link.h"
#include "core/run/tier.h"

static const char *const seeds[] = {"control", "memory", "memory64", "gc", "throw", "numbers"};
enum { SEEDS = sizeof seeds / sizeof *seeds };

/* Calls fn for each function of all seeds, in each form. It has IR. */
static void each(void (*fn)(const ts_fcode *c, void *data), void *data) {
    seed_tier = TS_TIER_COMPILED;
    for (int i = 0; i < SEEDS; i++) {
        seed *s = seed_open(seeds[i], &(ts_store_limits){0});
        for (unsigned form = 0; form < TS_FORM_COUNT; form++)
            for (uint32_t f = s->module->n_imp_funcs; f < s->module->n_funcs; f++) {
                ts_fcode *c = ts_code_func(s->module, form, f);
                assert_non_null(c);
                assert_int_equal(ts_code_compile(c, &s->e), TS_OK);
                fn(c, data);
            }
        seed_close(s);
    }
}

static void compare_ir(const ts_fcode *c, void *data) {
    uint32_t *n = data;
    ts_error e;
    ts_error_init(&e);
    ts_compiled ir;
    assert_int_equal(ts_compile(c, false, &ir, &e), TS_OK);
    assert_int_equal(ir.n_words, c->n_words);
    ts_word *again = malloc(c->n_words * sizeof *again);
    assert_non_null(again);
    if (ts_link_undo(c, ts_code_all(c->module, c->form), again)) {
        for (uint32_t i = 0; i < ir.n_words; i += ts_ir_len(&ir.code[i]))
            if (ir.code[i].u == TS_IR_count) again[i + 1].uw[1] = ir.code[i + 1].uw[1]; /* it may have run */
        assert_memory_equal(again, ir.code, c->n_words * sizeof *again);
        ++*n;
        /* A word that refers to anything else than an operation of the interpreter is found. */
        const void *handler = c->code[0].h;
        c->code[0].h = n;
        assert_false(ts_link_undo(c, ts_code_all(c->module, c->form), again));
        c->code[0].h = handler;
    }
    free(again);
    ts_compiled_free(&ir);
}
static void the_ir_again(void **state) {
    (void)state;
    uint32_t n = 0;
    each(compare_ir, &n);
    if (TS_HAS_MACHINE_CODE) assert_true(n > 100);
}

static void same_code(const ts_native *a, const ts_native *b) {
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->code, b->code, a->len);
    assert_int_equal(a->n_entries, b->n_entries);
    assert_memory_equal(a->entries, b->entries, a->n_entries * sizeof *a->entries);
    assert_int_equal(a->n_faults, b->n_faults);
    assert_int_equal(a->n_numbers, b->n_numbers);
    if (a->n_faults) assert_memory_equal(a->faults, b->faults, a->n_faults * sizeof *a->faults);
    if (a->n_numbers) assert_memory_equal(a->numbers, b->numbers, a->n_numbers * sizeof *a->numbers);
}
static void compare_code(const ts_fcode *c, void *data) {
    ts_tier_scratch *s = data;
    ts_native used, fresh, compiled;
    assert_true(ts_tier_make_in(c, s, &used));
    assert_true(ts_tier_make(c, &fresh));
    const void *handler = c->code[0].h;
    c->code[0].h = data; /* as if it were machine code: the IR is compiled again */
    assert_true(ts_tier_make(c, &compiled));
    c->code[0].h = handler;
    assert_int_equal(used.n_map, 0);
    assert_true(fresh.n_map > 0);
    same_code(&used, &fresh);
    same_code(&used, &compiled);
    ts_native_free(&used);
    ts_native_free(&fresh);
    ts_native_free(&compiled);
}
/* What is left of other functions in the memory, or of how the IR was had, makes no difference. */
static void memory_that_was_used(void **state) {
    (void)state;
    if (!ts_exec_takes_machine_code()) skip();
    ts_tier_scratch s = {0};
    each(compare_code, &s);
    ts_tier_scratch_free(&s);
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_ir_again), cmocka_unit_test(memory_that_was_used)};
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
