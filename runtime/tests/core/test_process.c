/* test_process: the settings of touchstone.h that concern a thread or the whole process, by that header alone.
 * In: a module with a memory, written out below. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <ucontext.h>
#include <touchstone.h>

/* (module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))) */
static const uint8_t MODULE[] = {0,   'a', 's', 'm', 1, 0, 0, 0, 1,    6, 1,    0x60, 1, 0x7f, 1,   0x7f,
                                 3,   2,   1,   0,   5, 3, 1, 0, 1,    7, 8,    1,    4, 'l',  'o', 'a',
                                 'd', 0,   0,   10,  9, 1, 7, 0, 0x20, 0, 0x28, 2,    0, 0x0b};

static void *handler_of(int signal) {
    struct sigaction now;
    assert_int_equal(sigaction(signal, NULL, &now), 0);
    return now.sa_flags & SA_SIGINFO ? (void *)(uintptr_t)now.sa_sigaction : (void *)(uintptr_t)now.sa_handler;
}

/* Makes an instance, and loads inside its memory, across the end of it and far behind it. */
static void load_in_and_out_of_bounds(void) {
    ts_error e;
    ts_engine *engine;
    ts_core_module *module;
    ts_core_store *store;
    ts_core_instance *instance;
    ts_core_extern load;
    ts_error_init(&e);
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    if (ts_core_module_load(engine, MODULE, sizeof MODULE, &module, &e) != TS_OK) fail_msg("%s", e.message);
    assert_int_equal(ts_core_store_new(engine, NULL, &store, &e), TS_OK);
    assert_int_equal(ts_core_module_instantiate(store, module, NULL, 0, NULL, &instance, &e), TS_OK);
    assert_true(ts_core_instance_export(instance, "load", &load));
    static const struct {
        uint32_t at;
        ts_status want;
    } loads[] = {{65532, TS_OK}, {65533, TS_TRAP}, {0xffffffff, TS_TRAP}, {0, TS_OK}};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        ts_core_val at = {.type = TS_CORE_I32, .i32 = (int32_t)loads[i].at}, got = {0};
        ts_error_init(&e);
        assert_int_equal(ts_core_func_call(store, load.func, &at, 1, &got, 1, &e), loads[i].want);
        if (loads[i].want == TS_TRAP) assert_int_equal(e.trap, TS_TRAP_MEMORY_OOB);
    }
    ts_core_store_free(store);
    ts_core_module_free(module);
    ts_engine_free(engine);
}

/* This test runs first, because handlers stay once they are installed. */
static void no_handler_if_it_is_off(void **state) {
    (void)state;
    void *segv = handler_of(SIGSEGV), *bus = handler_of(SIGBUS);
    ts_fault_set_enabled(false);
    load_in_and_out_of_bounds();
    assert_ptr_equal(handler_of(SIGSEGV), segv);
    assert_ptr_equal(handler_of(SIGBUS), bus);
    ts_fault_set_enabled(true);
    load_in_and_out_of_bounds();
#if defined(__x86_64__) || defined(__aarch64__)
    assert_ptr_not_equal(handler_of(SIGSEGV), segv);
    assert_ptr_not_equal(handler_of(SIGBUS), bus);
#endif
    ts_fault_set_enabled(false); /* new memories are checked in code, although the handlers stay */
    load_in_and_out_of_bounds();
    ts_fault_set_enabled(true);
}

/* --- a thread on another stack --------------------------------------------------------------------------- */
enum { SMALL_STACK = 48 << 10, LARGE_STACK = 2 << 20 };
static ucontext_t thread_context;
static ts_engine *fiber_engine;
static ts_status fiber_status;

static void load_on_a_fiber(void) {
    ts_error e;
    ts_core_module *module = NULL;
    ts_error_init(&e);
    fiber_status = ts_core_module_load(fiber_engine, MODULE, sizeof MODULE, &module, &e);
    ts_core_module_free(module);
}
static ts_status load_on(size_t stack_size, bool report) {
    static ucontext_t fiber;
    void *stack = malloc(stack_size);
    assert_non_null(stack);
    assert_int_equal(getcontext(&fiber), 0);
    fiber.uc_stack.ss_sp = stack;
    fiber.uc_stack.ss_size = stack_size;
    fiber.uc_link = &thread_context;
    makecontext(&fiber, load_on_a_fiber, 0);
    if (report) ts_thread_set_stack(stack, stack_size);
    assert_int_equal(swapcontext(&thread_context, &fiber), 0);
    if (report) ts_thread_set_stack(NULL, 0);
    free(stack);
    return fiber_status;
}
/* A call needs 64 KiB of stack, and returns a status where less is left: on a fiber if it reported its stack. */
static void reported_stack_is_obeyed(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_engine_new(&fiber_engine, &e), TS_OK);
    assert_int_equal(load_on(SMALL_STACK, true), TS_LIMIT);
    assert_int_equal(load_on(LARGE_STACK, true), TS_OK);
    assert_int_equal(load_on(LARGE_STACK, false), TS_OK);
    load_on_a_fiber(); /* on the thread's own stack again */
    assert_int_equal(fiber_status, TS_OK);
    ts_engine_free(fiber_engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_handler_if_it_is_off),
        cmocka_unit_test(reported_stack_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
