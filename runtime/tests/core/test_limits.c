/* test_limits: every limit of a store ends the guest with its own status and message, and the store still
 * works; stores of several threads share a module.
 * In: core/run/store.h, the seeds. Out: cmocka results. */
#include "tests/seed_help.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/load/load.h"
#include "sys/thread.h"
#include "sys/timer.h"

static void fuel(void **state) {
    (void)state;
    uint64_t left[2];
    for (int checked = 0; checked < 2; checked++) {
        seed *s = seed_open("control", &(ts_store_limits){.fuel = 1000, .explicit_checks = checked});
        RETURNS(s, seed_call(s, "fib10"), 55);
        left[checked] = s->store->exec->fuel;
        assert_in_range(left[checked], 1, 999);
        assert_int_equal(seed_call(s, "forever"), TS_LIMIT);
        assert_non_null(strstr(s->e.message, "fuel"));
        assert_true(s->e.n_frames > 0);
        assert_int_equal(s->store->exec->fuel, 0);
        assert_int_equal(seed_call(s, "fib10"), TS_LIMIT);
        seed_close(s);
    }
    assert_int_equal(left[0], left[1]); /* the same work, the same fuel */
}

static void interrupt(void *data) {
    ts_store_interrupt(data);
}

static void interruption(void **state) {
    (void)state;
    seed *s = seed_open("control", &(ts_store_limits){.interruptible = true});
    for (int i = 0; i < 3; i++) { /* wall-clock time is a timer that interrupts */
        ts_timer *t = ts_timer_start(0.02, interrupt, s->store);
        assert_non_null(t);
        assert_int_equal(seed_call(s, "forever"), TS_INTERRUPTED);
        assert_non_null(strstr(s->e.message, "interrupted"));
        ts_timer_stop(t);
        RETURNS(s, seed_call(s, "fib10"), 55); /* one interruption ends one call */
    }
    seed_close(s);
}

static void memory(void **state) {
    (void)state;
    for (int checked = 0; checked < 2; checked++) {
        seed *s = seed_open("memory", &(ts_store_limits){.memory_bytes = 2 * 65536, .explicit_checks = checked});
        RETURNS(s, seed_call1(s, "grow", 1), 1);
        RETURNS(s, seed_call1(s, "grow", 1), 0xffffffff); /* its own maximum would be 3 */
        seed_close(s);
    }
    ts_engine *engine;
    ts_store *store;
    ts_module *m;
    ts_instance *i;
    ts_error e;
    size_t len;
    uint8_t *bytes = seed_bytes("memory", &len);
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    assert_int_equal(ts_module_new(engine, bytes, len, false, &m, &e), TS_OK);
    assert_int_equal(ts_store_create(engine, &(ts_store_limits){.memory_bytes = 65535}, &store, &e), TS_OK);
    assert_int_equal(ts_instantiate(store, m, NULL, NULL, &i, &e), TS_LIMIT);
    assert_non_null(strstr(e.message, "memory"));
    ts_store_destroy(store);
    ts_module_free(m);
    ts_engine_destroy(engine);
    free(bytes);
}

static void tables(void **state) {
    (void)state;
    seed *s = seed_open("control", &(ts_store_limits){.table_elems = 6});
    RETURNS(s, seed_call1(s, "table_grow", 2), 4);
    RETURNS(s, seed_call1(s, "table_grow", 1), 0xffffffff); /* its own maximum would be 8 */
    seed_close(s);
}

static uint32_t depth_of(uint64_t stack_bytes) {
    seed *s = seed_open("control", &(ts_store_limits){.stack_bytes = stack_bytes});
    assert_int_equal(seed_call1(s, "deep", 0), TS_EXHAUSTION);
    assert_int_equal(s->e.trap, TS_TRAP_STACK);
    assert_non_null(strstr(s->e.message, "stack"));
    uint32_t n = s->e.frames_total;
    seed_close(s);
    return n;
}
static void call_depth(void **state) {
    (void)state;
    uint32_t small = depth_of(64 * 1024), large = depth_of(256 * 1024);
    assert_in_range(large, 3 * small, 5 * small);
}

typedef struct bounce {
    ts_func *to;
    uint32_t n;
} bounce;
static ts_status call_back(void *data, ts_exec *x, ts_slot *io) {
    bounce *b = data;
    b->n++;
    return ts_call(ts_exec_store(x), b->to, io, ts_exec_error(x));
}
/* (module (import "h" "h" (func)) (func (export "f") (call 0))) */
static const uint8_t bouncing[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1,   0x60, 0, 0,  2, 7, 1, 1, 'h',  1, 'h',
                                   0, 0,   3,   2,   1, 0, 7, 5, 1, 1, 'f', 0,    1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b};
static void host_depth(void **state) {
    (void)state;
    ts_engine *engine;
    ts_store *store;
    ts_module *m;
    ts_instance *i;
    ts_error e;
    ts_slot io[2] = {0, 0};
    bounce b = {NULL, 0};
    uint32_t type;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    assert_int_equal(ts_module_new(engine, bouncing, sizeof bouncing, false, &m, &e), TS_OK);
    for (uint32_t depth = 0; depth <= 10; depth += 10) { /* 0: as many as by default */
        b.n = 0;
        assert_int_equal(ts_store_create(engine, &(ts_store_limits){.host_depth = depth}, &store, &e), TS_OK);
        ts_extern x = {.kind = TS_EXTERN_FUNC};
        assert_int_equal(ts_types_func(ts_engine_types(engine), NULL, 0, NULL, 0, &type, &e), TS_OK);
        assert_int_equal(ts_func_make_host(store, type, call_back, &b, "h", &x.func, &e), TS_OK);
        assert_int_equal(ts_instantiate(store, m, &x, NULL, &i, &e), TS_OK);
        assert_true(ts_instance_export(i, "f", 1, &x));
        b.to = x.func;
        assert_int_equal(ts_call(store, x.func, io, &e), TS_EXHAUSTION);
        assert_int_equal(e.trap, TS_TRAP_STACK);
        if (depth || strstr(e.message, "the depth limit")) /* the thread's stack may be exhausted before */
            assert_int_equal(b.n, store->exec->max_depth);
        else
            assert_in_range(b.n, 11, store->exec->max_depth);
        ts_error_init(&e);
        ts_store_destroy(store);
    }
    ts_module_free(m);
    ts_engine_destroy(engine);
}

static void gc_heap(void **state) {
    (void)state;
    seed *s = seed_open("gc", &(ts_store_limits){.gc_bytes = 1 << 20});
    RETURNS(s, seed_call(s, "build"), 127);
    /* far more than the limit, but most of it is garbage */
    for (int i = 0; i < 20; i++) RETURNS(s, seed_call(s, "garbage"), 127);
    TRAPS(s, seed_call(s, "hoard"), TS_TRAP_ALLOC);
    assert_non_null(strstr(s->e.message, "heap"));
    ts_gc_stats st;
    ts_gc_get_stats(s->store->gc, &st);
    assert_int_equal(st.limit, 1 << 20);
    assert_in_range(st.live_bytes, 1, 1 << 20);
    RETURNS(s, seed_call(s, "garbage"), 127); /* the hoarded objects are garbage now */
    seed_close(s);
}

/* Threads with their own stores run, compile and trap in one module. */
enum { THREADS = 4, ROUNDS = 6 };
typedef struct shared {
    ts_engine *engine;
    ts_module *modules[4];
    uint32_t right, next; /* atomic */
} shared;
static bool call_is(ts_store *st, ts_instance *i, const char *name, ts_slot arg, ts_status want, ts_slot value) {
    ts_error e;
    ts_extern x;
    ts_slot io[8] = {arg};
    ts_error_init(&e);
    return ts_instance_export(i, name, strlen(name), &x) && ts_call(st, x.func, io, &e) == want &&
           (want != TS_OK || io[0] == value);
}
static void worker(void *data) {
    shared *sh = data;
    uint32_t me = __atomic_fetch_add(&sh->next, 1, __ATOMIC_RELAXED);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        ts_store_limits l = {.explicit_checks = (me + round) & 1, .fuel = round & 2 ? 1000000 : 0};
        ts_instance *i[4];
        ts_store *st;
        ts_error e;
        ts_error_init(&e);
        if (ts_store_create(sh->engine, &l, &st, &e) != TS_OK) return;
        bool ok = true;
        for (int k = 0; k < 4; k++) ok = ok && ts_instantiate(st, sh->modules[k], NULL, NULL, &i[k], &e) == TS_OK;
        ok = ok && call_is(st, i[0], "fib10", 0, TS_OK, 55) && call_is(st, i[0], "deep", 0, TS_EXHAUSTION, 0) &&
             call_is(st, i[1], "sum", 0, TS_OK, 662) && call_is(st, i[1], "load_end", 1, TS_TRAP, 0) &&
             call_is(st, i[1], "load_far", 0, TS_TRAP, 0) && call_is(st, i[2], "build", 0, TS_OK, 127) &&
             call_is(st, i[2], "garbage", 0, TS_OK, 127) && call_is(st, i[3], "many", 0, TS_OK, 100) &&
             call_is(st, i[3], "escape", 0, TS_EXCEPTION, 0);
        ts_store_destroy(st);
        if (ok) __atomic_fetch_add(&sh->right, 1, __ATOMIC_RELAXED);
    }
}
static void threads(void **state) {
    (void)state;
    static const char *const names[] = {"control", "memory", "gc", "throw"};
    shared sh = {.right = 0};
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&sh.engine, &e), TS_OK);
    for (int k = 0; k < 4; k++) {
        size_t len;
        uint8_t *bytes = seed_bytes(names[k], &len);
        assert_int_equal(ts_module_new(sh.engine, bytes, len, true, &sh.modules[k], &e), TS_OK);
        free(bytes);
    }
    ts_parallel(THREADS, worker, &sh);
    assert_int_equal(sh.right, sh.next * ROUNDS);
    assert_in_range(sh.next, 2, THREADS);
    for (int k = 0; k < 4; k++) ts_module_free(sh.modules[k]);
    ts_engine_destroy(sh.engine);
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {SEED_TESTS(fuel),    SEED_TESTS(interruption), SEED_TESTS(memory),
                                       SEED_TESTS(tables),  SEED_TESTS(call_depth),   SEED_TESTS(host_depth),
                                       SEED_TESTS(gc_heap), SEED_TESTS(threads)};
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
