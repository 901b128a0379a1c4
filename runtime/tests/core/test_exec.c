/* test_exec: the results of instructions in every form of code: with guard pages or explicit checks, with
 * fuel or without, with canonical NaN bits or others.
 * In: core/run/store.h, the seeds. Out: cmocka results.
 * spec: exec/instructions */
#include "tests/seed_help.h"
#include "core/run/gc.h"

enum { FORMS = 8 };
static ts_store_limits form(int n) {
    return (ts_store_limits){.explicit_checks = n & 1, .fuel = n & 2 ? 1000000 : 0, .deterministic = (n & 4) != 0};
}

static void control(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("control", &l);
        RETURNS(s, seed_call(s, "fib10"), 55);
        for (uint32_t i = 0; i < 3; i++) RETURNS(s, seed_call1(s, "switch", i), 10 * (i + 1));
        RETURNS(s, seed_call1(s, "switch", 0xffffffff), 30);
        RETURNS(s, seed_call1(s, "indirect", 0), 10);
        RETURNS(s, seed_call1(s, "indirect", 1), 4);
        TRAPS(s, seed_call1(s, "indirect", 2), TS_TRAP_UNINIT_ELEM);
        TRAPS(s, seed_call1(s, "indirect", 4), TS_TRAP_UNDEFINED_ELEM);
        RETURNS(s, seed_call(s, "down100"), 42);
        RETURNS(s, seed_call1(s, "down", 10000), 42); /* tail calls take no stack */
        ts_extern x;
        assert_true(ts_instance_export(s->inst, "count", 5, &x));
        assert_int_equal(x.global->v[0], 101 + 10001);
        RETURNS(s, seed_call2(s, "div", (uint32_t)-7, 2), (uint32_t)-3);
        TRAPS(s, seed_call2(s, "div", 1, 0), TS_TRAP_INT_DIV_ZERO);
        TRAPS(s, seed_call2(s, "div", 0x80000000, 0xffffffff), TS_TRAP_INT_OVERFLOW);
        RETURNS(s, seed_call2(s, "two", 3, 0x3ff8000000000000), 0x3ff8000000000000);
        assert_int_equal(s->io[1], 3);
        seed_close(s);
    }
}

static void backtraces(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("control", &l);
        assert_int_equal(seed_call1(s, "deep", 0), TS_EXHAUSTION);
        assert_int_equal(s->e.trap, TS_TRAP_STACK);
        assert_int_equal(s->e.n_frames, TS_MAX_FRAMES);
        assert_true(s->e.frames_total > TS_MAX_FRAMES);
        assert_string_equal(s->e.frames[0].module, "control");
        assert_string_equal(s->e.frames[1].function, "deep");
        assert_true(s->e.frames[1].offset > 0);
        RETURNS(s, seed_call(s, "fib10"), 55); /* and the store still works */
        seed_close(s);
        s = seed_open("memory", &l);
        TRAPS(s, seed_call1(s, "load_end", 1), TS_TRAP_MEMORY_OOB);
        assert_int_equal(s->e.n_frames, 1);
        assert_int_equal(s->e.frames[0].func_index, 2);
        assert_true(s->e.frames[0].offset > 0);
        seed_close(s);
    }
}

static void memory(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("memory", &l);
        RETURNS(s, seed_call(s, "sum"), 36 - 10 + 636);
        RETURNS(s, seed_call1(s, "load_end", 0), 0);
        for (uint32_t i = 1; i < 5; i++) TRAPS(s, seed_call1(s, "load_end", i), TS_TRAP_MEMORY_OOB);
        TRAPS(s, seed_call(s, "load_far"), TS_TRAP_MEMORY_OOB);
        TRAPS(s, seed_call1(s, "load_end", 0xffffffff), TS_TRAP_MEMORY_OOB);
        ts_extern x;
        assert_true(ts_instance_export(s->inst, "m", 1, &x));
        assert_int_equal(seed_call2(s, "store", 100, 0x1122334455667788), TS_OK);
        assert_memory_equal(x.mem->base + 100, "\x88\x77\x66\x55\x44\x33\x22\x11\0\x88\0\0\x88\x77\x66\x55", 16);
        TRAPS(s, seed_call2(s, "store", 65528 + 1, 1), TS_TRAP_MEMORY_OOB);
        assert_int_equal(x.mem->base[65535], 0); /* nothing is written if not all of it fits */
        RETURNS(s, seed_call1(s, "grow", 1), 1);
        RETURNS(s, seed_call1(s, "load_end", 1), 0);
        RETURNS(s, seed_call1(s, "grow", 1), 2);
        RETURNS(s, seed_call1(s, "grow", 1), 0xffffffff);
        RETURNS(s, seed_call1(s, "grow", 0xffffffff), 0xffffffff);
        RETURNS(s, seed_call1(s, "grow", 0), 3);
        RETURNS(s, seed_call(s, "copy"), 0xabababababababab);
        RETURNS(s, seed_call1(s, "wide", 65528), 0x4004000000000000);
        TRAPS(s, seed_call1(s, "wide", 65529), TS_TRAP_MEMORY_OOB);
        TRAPS(s, seed_call1(s, "wide", (ts_slot)-8), TS_TRAP_MEMORY_OOB);
        TRAPS(s, seed_call1(s, "wide", 1ull << 32), TS_TRAP_MEMORY_OOB);
        RETURNS(s, seed_call1(s, "grow64", (ts_slot)-1), (ts_slot)-1);
        RETURNS(s, seed_call1(s, "grow64", 1), 1);
        RETURNS(s, seed_call1(s, "wide", 65529), 0x4004000000000000);
        assert_int_equal(seed_call(s, "drop"), TS_OK);
        TRAPS(s, seed_call(s, "sum"), TS_TRAP_MEMORY_OOB);
        seed_close(s);
    }
}

static void memory64(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("memory64", &l);
        RETURNS(s, seed_call(s, "load"), 42);
        static const char *const beyond[] = {"load_wraps",        "store_wraps",       "store_const_wraps",
                                             "store_float_wraps", "store_local_wraps", "load_far"};
        for (unsigned i = 0; i < sizeof beyond / sizeof *beyond; i++)
            TRAPS(s, seed_call1(s, beyond[i], 1), TS_TRAP_MEMORY_OOB);
        RETURNS(s, seed_call(s, "load"), 42);
        TRAPS(s, seed_call1(s, "at", (ts_slot)-4), TS_TRAP_MEMORY_OOB);
        TRAPS(s, seed_call1(s, "at", 1ull << 32), TS_TRAP_MEMORY_OOB);
        seed_close(s);
    }
}

static void objects(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++)
        for (uint32_t stress = 0; stress < 3; stress++) {
            ts_store_limits l = form(n);
            seed *s = seed_open("gc", &l);
            ts_gc_set_stress(s->store->gc, stress);
            RETURNS(s, seed_call(s, "build"), 127);
            RETURNS(s, seed_call(s, "garbage"), 127);
            RETURNS(s, seed_call(s, "arrays"), 50);
            RETURNS(s, seed_call1(s, "casts", 0), 1);
            RETURNS(s, seed_call1(s, "casts", ts_ref_i31((uint32_t)-3)), (uint32_t)-3);
            RETURNS(s, seed_call1(s, "call_ref", 4), 5);
            TRAPS(s, seed_call(s, "bad_cast"), TS_TRAP_CAST);
            seed_close(s);
        }
}

static void exceptions(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("throw", &l);
        ts_gc_set_stress(s->store->gc, (uint32_t)n & 1);
        RETURNS(s, seed_call(s, "catch"), 7);
        assert_int_equal(s->io[1], 9);
        RETURNS(s, seed_call(s, "catch_ref"), 0);
        RETURNS(s, seed_call(s, "rethrow"), 5);
        RETURNS(s, seed_call(s, "vector"), 3);
        assert_int_equal(s->io[1], 4);
        RETURNS(s, seed_call(s, "many"), 100);
        assert_int_equal(seed_call(s, "escape"), TS_EXCEPTION);
        assert_int_equal(s->e.trap, TS_TRAP_EXCEPTION);
        RETURNS(s, seed_call(s, "many"), 100);
        seed_close(s);
    }
}

static void numbers(void **state) {
    (void)state;
    for (int n = 0; n < FORMS; n++) {
        ts_store_limits l = form(n);
        seed *s = seed_open("numbers", &l);
        RETURNS(s, seed_call1(s, "trunc", 0xc1dfffffffffffff), 0x80000001); /* -2147483647.99… */
        TRAPS(s, seed_call1(s, "trunc", 0x41e0000000000000), TS_TRAP_INT_OVERFLOW);
        TRAPS(s, seed_call1(s, "trunc", 0x7ff8000000000000), TS_TRAP_BAD_CONVERSION);
        RETURNS(s, seed_call1(s, "sat", 0x7ff8000000000000), 0);
        RETURNS(s, seed_call1(s, "sat", 0xbff8000000000000), 0);
        RETURNS(s, seed_call1(s, "sat", 0x7ff0000000000000), UINT64_MAX);
        s->io[2] = 0x7fa00001;
        /* moving a value keeps the bits of a signalling NaN */
        RETURNS(s, seed_call2(s, "select", 0, 1), 0x7fa00001);
        RETURNS(s, seed_call(s, "copysign"), 0xfff0000000000004);
        if (l.deterministic) { /* spec: appendix/profiles: NaN bits are those of the positive canonical NaN */
            RETURNS(s, seed_call1(s, "nan32", 0), 0x7fc00000);
            RETURNS(s, seed_call1(s, "nan64", 0xfff0000000000001), 0x7ff8000000000000);
            RETURNS(s, seed_call(s, "sqrt"), 0x7ff8000000000000);
            RETURNS(s, seed_call(s, "min"), 0x7fc00000);
            RETURNS(s, seed_call(s, "promote"), 0x7ff8000000000000);
            RETURNS(s, seed_call(s, "store"), 0x7ff8000000000000);
            s->io[1] = 0xff80000000000000;
            RETURNS(s, seed_call1(s, "lanes", 0x3f800000), 0x3f8000007fc00000);
            assert_true(s->io[1] == 0xff8000007fc00000);
            RETURNS(s, seed_call(s, "dlanes"), 0x7ff8000000000000);
            assert_true(s->io[1] == 0x7ff8000000000000);
        } else {
            assert_int_equal(seed_call(s, "sqrt"), TS_OK);
            assert_true((s->io[0] & 0x7ff8000000000000) == 0x7ff8000000000000);
        }
        seed_close(s);
    }
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {SEED_TESTS(control),  SEED_TESTS(backtraces), SEED_TESTS(memory),
                                       SEED_TESTS(memory64), SEED_TESTS(objects),    SEED_TESTS(exceptions),
                                       SEED_TESTS(numbers)};
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
