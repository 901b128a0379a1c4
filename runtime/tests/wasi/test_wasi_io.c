/* test_wasi_io: streams and polls over pipes, files and timers.
 * In: pipes as stdio. Out: permits, backpressure, the difference of closed and failed, polls that wake up.
 * wit: wasi:io */
#include "tests/wasi_help.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "sys/clock.h"

#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
enum { FAILED = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, CLOSED = TS_WASI_IO_STREAM_ERROR_CLOSED };

static uint64_t stdio(host *h, int which, int fd) {
    ts_wasi_set_stdio(h->w, which, fd);
    if (which == 0)
        OK(h, ts_wasi_cli_stdin_get_stdin, {0});
    else
        OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    return rep(h);
}
static bool ready(host *h, uint64_t p) {
    OK(h, ts_wasi_io_poll_pollable_ready, H(p));
    return h->result.b;
}

static void reading_a_pipe(void **state) {
    host *h = *state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    uint64_t s = stdio(h, 0, p[0]);
    OK(h, in(subscribe), H(s));
    uint64_t poll = rep(h);
    assert_false(ready(h, poll));
    GOOD(h, in(read), H(s), U64(10)); /* nothing to read: returns an empty list at once */
    assert_int_equal(h->result.variant.payload->raw.len, 0);
    assert_int_equal(write(p[1], "abcdef", 6), 6);
    assert_true(ready(h, poll));
    GOOD(h, in(read), H(s), U64(0));
    assert_int_equal(h->result.variant.payload->raw.len, 0);
    GOOD(h, in(blocking_read), H(s), U64(4));
    assert_int_equal(h->result.variant.payload->raw.len, 4);
    assert_memory_equal(h->result.variant.payload->raw.ptr, "abcd", 4);
    GOOD(h, in(skip), H(s), U64(UINT64_MAX));
    assert_int_equal(h->result.variant.payload->u64, 2);
    assert_false(ready(h, poll));
    close(p[1]);
    assert_true(ready(h, poll));     /* wit: … or the other end of the stream has been closed */
    GOOD(h, in(read), H(s), U64(0)); /* the end has not been seen yet */
    BAD(h, CLOSED, in(blocking_read), H(s), U64(1));
    BAD(h, CLOSED, in(read), H(s), U64(0));
    BAD(h, CLOSED, in(blocking_skip), H(s), U64(1));
    assert_true(ready(h, poll));
    assert_int_equal(in(drop)(&h->call, s), TS_TRAP); /* its pollable still exists */
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, poll), TS_OK);
    assert_int_equal(in(drop)(&h->call, s), TS_OK);
    close(p[0]);
}

static void writing_a_pipe(void **state) {
    host *h = *state;
    int p[2];
    static char zeroes[70000], got[70000];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    uint64_t s = stdio(h, 1, p[1]);
    TRAPS(h, out(write), H(s), BYTES("x", 1)); /* no permit */
    GOOD(h, out(check_write), H(s));
    uint64_t n = h->result.variant.payload->u64;
    assert_in_range(n, 1, sizeof zeroes);
    TRAPS(h, out(write), H(s), BYTES(zeroes, n + 1));
    TRAPS(h, out(write_zeroes), H(s), U64(n + 1));
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES("hello", 5));
    TRAPS(h, out(write), H(s), BYTES(zeroes, n)); /* the rest of the permit is smaller */
    assert_int_equal(read(p[0], got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    TRAPS(h, out(blocking_write_and_flush), H(s), BYTES(zeroes, 4097));
    TRAPS(h, out(blocking_write_zeroes_and_flush), H(s), U64(4097));
    GOOD(h, out(blocking_write_zeroes_and_flush), H(s), U64(4096));
    assert_int_equal(read(p[0], got, sizeof got), 4096);
    assert_memory_equal(got, zeroes, 4096);
    /* until the pipe is full: no write waits, and the permit shows it */
    size_t total = 0;
    for (;;) {
        GOOD(h, out(check_write), H(s));
        n = h->result.variant.payload->u64;
        if (n == 0) break;
        GOOD(h, out(write), H(s), BYTES(zeroes, n));
        total += n;
        assert_in_range(total, 1, 1 << 20);
    }
    OK(h, out(subscribe), H(s));
    uint64_t poll = rep(h);
    assert_false(ready(h, poll));
    while (total) {
        ssize_t r = read(p[0], got, total < sizeof got ? total : sizeof got);
        assert_true(r > 0);
        total -= (size_t)r;
        GOOD(h, out(flush), H(s)); /* accepted bytes that found no room are sent */
    }
    OK(h, ts_wasi_io_poll_pollable_block, H(poll));
    assert_true(ready(h, poll));
    GOOD(h, out(check_write), H(s));
    close(p[0]);
    BAD(h, CLOSED, out(write), H(s), BYTES("x", 1)); /* nobody reads */
    BAD(h, CLOSED, out(check_write), H(s));
    BAD(h, CLOSED, out(flush), H(s));
    assert_true(ready(h, poll));
    close(p[1]);
}

/* Another process has made the pipe non-blocking: bytes that do not fit are kept and written later. */
static void a_pipe_that_does_not_block(void **state) {
    host *h = *state;
    int p[2];
    static char data[4096], got[1 << 17];
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(fcntl(p[1], F_SETPIPE_SZ, 4096) >= 4096);
    memset(data, 'a', sizeof data);
    uint64_t s = stdio(h, 1, p[1]);
    GOOD(h, out(check_write), H(s));
    assert_int_equal(write(p[1], data, 1000), 1000); /* another process takes some of the promised room */
    GOOD(h, out(write), H(s), BYTES(data, 4096));
    GOOD(h, out(check_write), H(s));
    assert_int_equal(h->result.variant.payload->u64, 0);
    size_t total = 0;
    for (int i = 0; i < 10 && total < 5096; i++) {
        ssize_t r = read(p[0], got, sizeof got);
        if (r > 0) total += (size_t)r;
        GOOD(h, out(flush), H(s));
    }
    GOOD(h, out(blocking_flush), H(s));
    ssize_t r = read(p[0], got, sizeof got);
    if (r > 0) total += (size_t)r;
    assert_int_equal(total, 5096);
    close(p[0]);
    close(p[1]);
}

static void *write_later(void *data) {
    struct timespec t = {.tv_nsec = 30000000};
    nanosleep(&t, NULL);
    if (write(*(int *)data, "x", 1) != 1) abort();
    return NULL;
}
static void polling(void **state) {
    host *h = *state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    uint64_t s = stdio(h, 0, p[0]);
    TRAPS(h, ts_wasi_io_poll_poll, (ts_val){.list = {NULL, 0}});
    OK(h, in(subscribe), H(s));
    uint64_t input = rep(h);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(UINT64_MAX));
    uint64_t never = rep(h);
    uint64_t start = ts_sys_monotonic();
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(5000000));
    uint64_t soon = rep(h);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(0));
    assert_true(ready(h, rep(h)));
    assert_false(ready(h, never));
    ts_val list[20];
    list[0] = H(never), list[1] = H(soon), list[2] = H(input);
    OK(h, ts_wasi_io_poll_poll, (ts_val){.list = {list, 3}});
    assert_int_equal(h->result.raw.len, 1);
    assert_int_equal(*(const uint32_t *)h->result.raw.ptr, 1);
    assert_true(ts_sys_monotonic() - start >= 5000000); /* not before its time */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_later, &p[1]), 0);
    /* more pollables than the small case, with repetitions */
    for (int i = 0; i < 20; i++) list[i] = i % 3 ? H(never) : H(input);
    OK(h, ts_wasi_io_poll_poll, (ts_val){.list = {list, 20}});
    pthread_join(thread, NULL);
    assert_int_equal(h->result.raw.len, 7);
    for (int i = 0; i < 7; i++) assert_int_equal(((const uint32_t *)h->result.raw.ptr)[i], 3 * i);
    close(p[0]);
    close(p[1]);
}

static host *stopped;
static void on_alarm(int sig) {
    (void)sig;
    ts_wasi_interrupt(stopped->w);
}
static void stopping(void **state) {
    host *h = *state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    uint64_t s = stdio(h, 0, p[0]);
    stopped = h;
    struct sigaction a = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &a, NULL);
    ualarm(20000, 0);
    assert_int_equal(CALL(h, in(blocking_read), H(s), U64(1)), TS_INTERRUPTED);
    close(p[0]);
    close(p[1]);
}

static void splicing(void **state) {
    host *h = *state;
    int p[2], q[2];
    char got[16];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    assert_int_equal(pipe2(q, O_CLOEXEC), 0);
    uint64_t from = stdio(h, 0, p[0]), to = stdio(h, 1, q[1]);
    GOOD(h, out(splice), H(to), H(from), U64(100));
    assert_int_equal(h->result.variant.payload->u64, 0);
    assert_int_equal(write(p[1], "abcdef", 6), 6);
    GOOD(h, out(splice), H(to), H(from), U64(4));
    assert_int_equal(h->result.variant.payload->u64, 4);
    GOOD(h, out(blocking_splice), H(to), H(from), U64(100));
    assert_int_equal(h->result.variant.payload->u64, 2);
    assert_int_equal(read(q[0], got, sizeof got), 6);
    assert_memory_equal(got, "abcdef", 6);
    close(p[1]);
    BAD(h, CLOSED, out(blocking_splice), H(to), H(from), U64(100));
    close(p[0]), close(q[0]), close(q[1]);
}

static void failures(void **state) {
    host *h = *state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0) skip();
    uint64_t s = stdio(h, 1, full);
    BAD(h, FAILED, out(blocking_write_and_flush), H(s), BYTES("x", 1));
    uint64_t err = h->result.variant.payload->variant.payload->handle.rep;
    OK(h, ts_wasi_io_error_error_to_debug_string, H(err));
    assert_true(h->result.str.len > 0);
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(err));
    assert_int_equal(h->result.variant.disc, 1); /* it is backed by a file */
    assert_int_equal(h->result.variant.payload->variant.disc, TS_WASI_FILESYSTEM_ERROR_CODE_INSUFFICIENT_SPACE);
    BAD(h, CLOSED, out(check_write), H(s)); /* wit: after this, the stream will be closed */
    uint64_t none = stdio(h, 1, -1);
    BAD(h, CLOSED, out(check_write), H(none));
    ts_wasi_limit_objects(h->w, 3);
    assert_int_equal(CALL(h, ts_wasi_cli_stdout_get_stdout, {0}), TS_TRAP);
    close(full);
}

/* ENOSPC: the write fails, and its error names the reason. */
static void a_full_device(void **state) {
    host *h = *state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0) skip();
    uint64_t s = stdio(h, 1, fd);
    BAD(h, FAILED, out(blocking_write_and_flush), H(s), BYTES("x", 1));
    uint64_t e = h->result.variant.payload->variant.payload->handle.rep;
    OK(h, ts_wasi_io_error_error_to_debug_string, H(e));
    assert_true(h->result.str.len >= 8 && memmem(h->result.str.ptr, h->result.str.len, "space", 5));
    BAD(h, CLOSED, out(check_write), H(s));
    close(fd);
}

/* A terminal as stdin: it is reported as one, a line wakes a poll, and end-of-file ends it. */
static void a_terminal(void **state) {
    host *h = *state;
    int main_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (main_fd < 0) skip();
    assert_int_equal(grantpt(main_fd), 0);
    assert_int_equal(unlockpt(main_fd), 0);
    int fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    uint64_t s = stdio(h, 0, fd);
    OK(h, ts_wasi_cli_terminal_stdin_get_terminal_stdin, {0});
    assert_int_equal(h->result.variant.disc, 1);
    OK(h, in(subscribe), H(s));
    uint64_t poll = rep(h);
    assert_int_equal(write(main_fd, "half", 4), 4);
    assert_false(ready(h, poll)); /* no whole line has been entered yet */
    assert_int_equal(write(main_fd, " line\n", 6), 6);
    OK(h, ts_wasi_io_poll_pollable_block, H(poll));
    GOOD(h, in(read), H(s), U64(100));
    assert_int_equal(h->result.variant.payload->raw.len, 10);
    assert_memory_equal(h->result.variant.payload->raw.ptr, "half line\n", 10);
    assert_int_equal(write(main_fd, "\x04", 1), 1); /* VEOF */
    BAD(h, CLOSED, in(blocking_read), H(s), U64(1));
    close(fd);
    close(main_fd);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_device, host_new, host_end),
        cmocka_unit_test_setup_teardown(a_terminal, host_new, host_end),
        cmocka_unit_test_setup_teardown(reading_a_pipe, host_new, host_end),
        cmocka_unit_test_setup_teardown(writing_a_pipe, host_new, host_end),
        cmocka_unit_test_setup_teardown(a_pipe_that_does_not_block, host_new, host_end),
        cmocka_unit_test_setup_teardown(polling, host_new, host_end),
        cmocka_unit_test_setup_teardown(stopping, host_new, host_end),
        cmocka_unit_test_setup_teardown(splicing, host_new, host_end),
        cmocka_unit_test_setup_teardown(failures, host_new, host_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
