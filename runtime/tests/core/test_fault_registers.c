/* test_fault_registers: an interpreter whose compiler passes pc and fp in other registers than exec.c assumes: it makes
 * no guarded memories, and explicit checks do their work.
 * In: exec.c, compiled here with wrong register numbers; it takes the place of the library's. Out: cmocka results. */
#if !defined(TS_DISPATCH_SWITCH) /* which looks at no registers, and takes sanitizers minutes to compile */
#define TS_PC_REGISTER 13
#define TS_FP_REGISTER 12
#include "core/run/exec.c"
#endif
#include "core/run/exec.h"
#include "tests/seed_help.h"

static void explicit_checks(void **state) {
    (void)state;
#if defined(TS_DISPATCH_TAIL)
    const bool assumed = false;
#else /* the other dispatches keep both in memory */
    const bool assumed = true;
#endif
    assert_int_equal(ts_exec_locates_faults(), assumed);
    ts_store_limits limits = {0};
    seed *s = seed_open("memory", &limits);
    const ts_memory *memory0 = s->inst->mems[0];
    if (ts_fault_install()) assert_int_equal(memory0->guarded, assumed);
    assert_int_equal(ts_exec_form(s->store, memory0) & TS_FORM_CHECKED, memory0->guarded ? 0 : TS_FORM_CHECKED);
    TRAPS(s, seed_call1(s, "load_end", 1), TS_TRAP_MEMORY_OOB);
    assert_int_equal(s->e.n_frames, 1);
    assert_int_equal(s->e.frames[0].func_index, 2);
    assert_true(s->e.frames[0].offset > 0);
    assert_int_equal(seed_call1(s, "load_end", 0), TS_OK);
    seed_close(s);
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {cmocka_unit_test(explicit_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
