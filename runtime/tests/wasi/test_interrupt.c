/* test_interrupt: another thread wakes a guest that waits in a WASI function, by ts_cstore_interrupt or
 * ts_wasi_interrupt, in time and without a signal, and no wake-up is lost between the flag and the wait. The
 * watch of an owner ends some waits, and lets others continue.
 * In: fixtures/built/io-stdin-late.wasm, whose stdin never delivers anything. Out: cmocka results. */
#define _GNU_SOURCE
#include "tests/wasi_help.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "sys/clock.h"
#include "sys/wake.h"

static unsigned char *read_file(const char *name, size_t *len) {
    char path[4096];
    const char *folder = getenv("TOUCHSTONE_FIXTURES");
    snprintf(path, sizeof path, "%s/built/%s", folder ? folder : "fixtures", name);
    FILE *f = fopen(path, "rbe");
    assert_non_null(f);
    unsigned char *b = malloc(1 << 22);
    *len = fread(b, 1, 1 << 22, f);
    fclose(f);
    return b;
}

typedef struct site {
    ts_engine *engine;
    ts_component *component;
    ts_linker *linker;
    ts_wasi *wasi;
    ts_cstore *store;
    int in[2];
    uint64_t delay_us;
    bool by_store;
    uint32_t begun; /* atomic */
} site;

static void open_site(site *t) {
    ts_error e;
    size_t len;
    ts_error_init(&e);
    unsigned char *bytes = read_file("io-stdin-late.wasm", &len);
    assert_int_equal(ts_engine_new(&t->engine, &e), TS_OK);
    assert_int_equal(ts_component_load(t->engine, bytes, len, &t->component, &e), TS_OK);
    assert_int_equal(ts_linker_new(&t->linker, &e), TS_OK);
    assert_int_equal(ts_wasi_new(&t->wasi, &e), TS_OK);
    assert_int_equal(pipe2(t->in, O_CLOEXEC), 0);
    ts_wasi_set_stdio(t->wasi, 0, t->in[0]);
    ts_wasi_set_stdio(t->wasi, 1, -1);
    assert_int_equal(ts_wasi_link(t->wasi, t->linker, &e), TS_OK);
    free(bytes);
}
static void close_site(site *t) {
    ts_linker_free(t->linker);
    ts_wasi_free(t->wasi);
    ts_component_free(t->component);
    ts_engine_free(t->engine);
    close(t->in[0]);
    close(t->in[1]);
}
static void *ask_to_end(void *data) {
    site *t = data;
    while (!__atomic_load_n(&t->begun, __ATOMIC_ACQUIRE)) usleep(50);
    usleep((useconds_t)t->delay_us);
    if (t->by_store)
        ts_cstore_interrupt(t->store);
    else
        ts_wasi_interrupt(t->wasi);
    return NULL;
}
/* The guest reads from a pipe that stays empty. */
static void wait_and_end(site *t) {
    ts_error e;
    pthread_t id;
    ts_cinstance *i;
    ts_val result;
    ts_error_init(&e);
    assert_int_equal(ts_cstore_new(t->engine, NULL, &t->store, &e), TS_OK);
    assert_int_equal(ts_component_instantiate(t->store, t->linker, t->component, &i, &e), TS_OK);
    ts_cfunc *f = ts_cinstance_func(i, "wasi:cli/run@0.2.0", "run");
    assert_non_null(f);
    t->begun = 0;
    assert_int_equal(pthread_create(&id, NULL, ask_to_end, t), 0);
    ts_pool *pool = ts_pool_new();
    __atomic_store_n(&t->begun, 1, __ATOMIC_RELEASE);
    assert_int_equal(ts_cfunc_call(t->store, f, NULL, &result, pool, &e), TS_INTERRUPTED);
    pthread_join(id, NULL);
    ts_pool_free(pool);
    ts_cstore_free(t->store);
    ts_wasi_reset(t->wasi);
}
static void by_the_store(void **state) {
    (void)state;
    site t = {.by_store = true};
    open_site(&t);
    for (int i = 0; i < 40; i++) { /* before the wait, about when it begins, during it */
        t.delay_us = (uint64_t)i * i * 20;
        wait_and_end(&t);
    }
    close_site(&t);
}
static void by_the_context(void **state) {
    (void)state;
    site t = {.by_store = false};
    open_site(&t);
    for (int i = 0; i < 40; i++) {
        t.delay_us = (uint64_t)i * i * 20;
        wait_and_end(&t);
    }
    close_site(&t);
}
/* An interrupt is over once it has been reported. A stop lasts until the context is reset. */
static void once_and_for_all(void **state) {
    host *h = *state;
    ts_wasi_interrupt(h->w);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(1000000000));
    uint64_t timer = h->result.handle.rep;
    assert_int_equal(CALL(h, ts_wasi_io_poll_pollable_block, H(timer)), TS_INTERRUPTED);
    assert_int_equal(CALL(h, ts_wasi_io_poll_pollable_block, H(timer)), TS_INTERRUPTED);
    ts_wasi_reset(h->w);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(1000000));
    OK(h, ts_wasi_io_poll_pollable_block, H(h->result.handle.rep));
}

/* A guest that polls in a loop is ended too. */
static void looking(void **state) {
    host *h = *state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    ts_wasi_set_stdio(h->w, 0, p[0]);
    OK(h, ts_wasi_cli_stdin_get_stdin, U64(0));
    OK(h, ts_wasi_io_streams_input_stream_subscribe, H(h->result.handle.rep));
    uint64_t pollable = h->result.handle.rep;
    OK(h, ts_wasi_io_poll_pollable_ready, H(pollable));
    assert_false(h->result.b);
    ts_wasi_interrupt(h->w);
    assert_int_equal(CALL(h, ts_wasi_io_poll_pollable_ready, H(pollable)), TS_INTERRUPTED);
    close(p[0]);
    close(p[1]);
}

/* The watch of an owner: how often it was called, and what it answers. */
typedef struct owner {
    int waits, begun, ended;
    ts_wasi_watched answers[8];
    ts_sys_wake wake;
} owner;
static void waits(void *data, bool on) {
    owner *o = data;
    o->waits += on ? 1 : -1;
}
static size_t begin(void *data, ts_sys_wait *files, uint64_t *deadline) {
    owner *o = data;
    o->begun++;
    if (o->begun == 2) *deadline = 1; /* long ago: the watch is called at once, and the wait continues */
    files[0] = (ts_sys_wait){.fd = ts_sys_wake_file(&o->wake)};
    return 1;
}
static ts_wasi_watched end(void *data, const ts_sys_wait *files) {
    owner *o = data;
    if (files[0].ready) ts_sys_wake_clear(&o->wake);
    return o->answers[o->ended++];
}
static void watched(void **state) {
    host *h = *state;
    owner o = {.answers = {TS_WASI_WAIT_ON, TS_WASI_GO, TS_WASI_GO, TS_WASI_STOP}};
    ts_sys_wake_file(&o.wake);
    ts_sys_wake_ring(&o.wake);
    ts_wasi_watch_waits(h->w, &(ts_wasi_watch){waits, begin, end, &o});
    uint64_t start = ts_sys_monotonic();
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(30000000));
    OK(h, ts_wasi_io_poll_pollable_block, H(h->result.handle.rep));
    assert_true(ts_sys_monotonic() - start >=
                30000000); /* neither the file nor the deadline of the watch counts as the guest's */
    assert_int_equal(o.begun, 3);
    assert_int_equal(o.ended, 3);
    assert_int_equal(o.waits, 0);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(60000000000));
    ts_sys_wake_ring(&o.wake);
    assert_int_equal(CALL(h, ts_wasi_io_poll_pollable_block, H(h->result.handle.rep)), TS_INTERRUPTED);
    ts_sys_wake_free(&o.wake);
}

static void wake(void **state) {
    (void)state;
    ts_sys_wake w = {0};
    ts_sys_wake_ring(&w); /* not created, so nothing happens */
    ts_sys_wake_clear(&w);
    ts_sys_wait file = {.fd = ts_sys_wake_file(&w)};
    assert_int_equal(ts_sys_wake_file(&w), file.fd);
    assert_int_equal(ts_sys_poll(&file, 1, 0), TS_SYS_OK);
    assert_false(file.ready);
    ts_sys_wake_ring(&w);
    ts_sys_wake_ring(&w);
    ts_sys_poll(&file, 1, TS_SYS_NO_DEADLINE);
    assert_true(file.ready);
    ts_sys_wake_clear(&w);
    ts_sys_poll(&file, 1, 0);
    assert_false(file.ready);
    ts_sys_wake_free(&w);
    ts_sys_wake_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wake),
        cmocka_unit_test(by_the_store),
        cmocka_unit_test(by_the_context),
        cmocka_unit_test_setup_teardown(once_and_for_all, host_new, host_end),
        cmocka_unit_test_setup_teardown(looking, host_new, host_end),
        cmocka_unit_test_setup_teardown(watched, host_new, host_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
