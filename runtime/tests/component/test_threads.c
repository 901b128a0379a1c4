/* test_threads: what touchstone.h says about threads: engines, components, core modules and grants are shared; so is a linker
 * that no thread changes. Threads load, instantiate, call and end what they share at the same time. Built with
 * -fsanitize=thread, this program checks that without races. It also runs all of it without the guard pages. */
#include "examples/embed_component.h"
#include "examples/embed_core_module.h"
#include "examples/embed_wasi_component.h"
#include "tests/seed_help.h"
#include "touchstone.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 8 };

typedef struct world {
    ts_engine *engine;
    ts_component *command;
    ts_wasi_grants *grants;
    const char *failed[THREADS]; /* cmocka's assertions belong to the main thread */
    char words[THREADS][300];
    uint32_t next; /* atomic: the number of the next thread */
    int null;
} world;

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) != TS_OK) return #call;                                                                             \
    } while (0)

/* One run of a command with everything of the thread's own but the engine, the component and the grants. */
static const char *run_command(world *x, ts_error *e) {
    ts_wasi *w;
    ts_linker *l;
    ts_cstore *s;
    ts_cinstance *i;
    ts_val result;
    ts_pool *pool = ts_pool_new();
    TRY(ts_wasi_new_from(x->grants, &w, e));
    TRY(ts_linker_new(&l, e));
    TRY(ts_wasi_link(w, l, e));
    TRY(ts_cstore_new(x->engine, NULL, &s, e));
    TRY(ts_component_instantiate(s, l, x->command, &i, e));
    ts_linker_free(l); /* the store keeps what it needs */
    ts_cfunc *f = ts_cinstance_func(i, "wasi:cli/run@0.2.0", "run");
    TRY(ts_cfunc_call(s, f, NULL, &result, pool, e));
    ts_cstore_free(s);
    ts_wasi_free(w);
    ts_pool_free(pool);
    return result.variant.disc ? "run returned an error" : NULL;
}
/* Loading in one engine, with types that are shared by all of it. */
static const char *load_and_end(world *x, ts_error *e) {
    ts_component *c;
    ts_core_module *m;
    TRY(ts_component_load(x->engine, embed_component, sizeof embed_component, &c, e));
    TRY(ts_core_module_load(x->engine, embed_core_module, sizeof embed_core_module, &m, e));
    ts_core_module_free(m);
    ts_component_free(c);
    return NULL;
}
static void *thread(void *data) {
    world *x = data;
    uint32_t me = __atomic_fetch_add(&x->next, 1, __ATOMIC_RELAXED);
    ts_error e;
    ts_error_init(&e);
    for (int i = 0; i < ROUNDS && !x->failed[me]; i++) {
        x->failed[me] = run_command(x, &e);
        if (!x->failed[me]) x->failed[me] = load_and_end(x, &e);
    }
    snprintf(x->words[me], sizeof x->words[me], "%s", e.message);
    return NULL;
}

static void run_all(void) {
    static world x;
    memset(&x, 0, sizeof x);
    ts_error e;
    ts_error_init(&e);
    ts_wasi *w;
    pthread_t t[THREADS];
    x.null = open("/dev/null", O_WRONLY);
    assert_int_equal(ts_engine_new(&x.engine, &e), TS_OK);
    assert_int_equal(ts_component_load(x.engine, embed_wasi_component, sizeof embed_wasi_component, &x.command, &e),
                     TS_OK);
    assert_int_equal(ts_wasi_new(&w, &e), TS_OK);
    ts_wasi_set_stdio(w, 1, x.null);
    assert_int_equal(ts_wasi_set_env(w, "GREETING", 8, "hello", &e), TS_OK);
    assert_int_equal(ts_wasi_allow_dir(w, "/", "/", true, &e), TS_OK);
    assert_non_null(x.grants = ts_wasi_grants_new(w));
    ts_wasi_free(w);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&t[i], NULL, thread, &x), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < THREADS; i++)
        if (x.failed[i]) fail_msg("%s: %s", x.failed[i], x.words[i]);
    ts_wasi_grants_free(x.grants);
    ts_component_free(x.command);
    ts_engine_free(x.engine);
    close(x.null);
}
static void shared(void **state) {
    (void)state;
    run_all();
}
/* Memories that are made from here on have no guard pages; each access is checked. */
static void without_guard_pages(void **state) {
    (void)state;
    ts_fault_set_enabled(false);
    run_all();
    ts_fault_set_enabled(true);
}

/* A memory access out of bounds traps with and without guard pages; memories of both kinds live side by side. */
static void both_kinds_trap(void **state) {
    (void)state;
    seed_handlers();
    /* (module (memory (export "m") 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0)))) */
    static const uint8_t module[] = {0, 'a', 's', 'm', 1,  0, 0, 0, 1, 6,    1, 0x60, 1, 0x7f, 1,   0x7f,
                                     3, 2,   1,   0,   5,  3, 1, 0, 1, 7,    9, 2,    1, 'm',  2,   0,
                                     1, 'f', 0,   0,   10, 9, 1, 7, 0, 0x20, 0, 0x28, 2, 0,    0x0b};
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine;
    ts_core_module *m;
    ts_core_store *s;
    ts_core_instance *i[2];
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    assert_int_equal(ts_core_module_load(engine, module, sizeof module, &m, &e), TS_OK);
    assert_int_equal(ts_core_store_new(engine, NULL, &s, &e), TS_OK);
    for (int k = 0; k < 2; k++) {
        ts_fault_set_enabled(k);
        assert_int_equal(ts_core_module_instantiate(s, m, NULL, 0, NULL, &i[k], &e), TS_OK);
    }
    for (int round = 0; round < 4; round++) {
        ts_core_extern f;
        ts_core_val at = {.type = TS_CORE_I32}, r;
        ts_fault_set_enabled(round & 2); /* what exists stays as it is */
        assert_true(ts_core_instance_export(i[round & 1], "f", &f));
        for (int k = 0; k < 3; k++) {
            at.i32 = k == 0 ? 0 : k == 1 ? 65533 : -4;
            ts_error_clear(&e);
            assert_int_equal(ts_core_func_call(s, f.func, &at, 1, &r, 1, &e), k ? TS_TRAP : TS_OK);
            assert_int_equal(e.trap, k ? TS_TRAP_MEMORY_OOB : TS_TRAP_NONE);
        }
    }
    ts_fault_set_enabled(true);
    ts_core_store_free(s);
    ts_core_module_free(m);
    ts_engine_free(engine);
}

int main(void) {
    seed_handlers(); /* remembers ours, before cmocka has its own */
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared), cmocka_unit_test(without_guard_pages),
                                       cmocka_unit_test(both_kinds_trap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
