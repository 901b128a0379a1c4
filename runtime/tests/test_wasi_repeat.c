/* test_wasi_repeat: a clock of the guest's own, randomness from a seed, and the command's policy files.
 * In: contexts set up alike; $TOUCHSTONE, $TOUCHSTONE_FIXTURES. Out: the same values, and no time spent waiting. */
#include "wasi_help.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/clock.h"

static uint64_t now(host *h) {
    OK(h, ts_wasi_clocks_monotonic_clock_now, {0});
    return h->result.u64;
}

static void own_clock(void **state) {
    host *h = *state;
    ts_wasi_clock(h->w, 1000, 999999000);
    uint64_t real = ts_sys_monotonic(), a = now(h), b = now(h);
    assert_int_equal(a, 1000);
    assert_int_equal(b, 2000);
    OK(h, ts_wasi_clocks_wall_clock_now, {0}); /* the third reading: 3 us after the start */
    assert_int_equal(h->result.list.ptr[0].u64, 1001);
    assert_int_equal(h->result.list.ptr[1].u32, 2000);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(3600000000000));
    uint64_t hour = rep(h);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(5000000));
    uint64_t soon = rep(h);
    OK(h, ts_wasi_io_poll_pollable_ready, H(soon));
    assert_false(h->result.b);
    ts_val two[2] = {H(hour), H(soon)}, list = {.list = {two, 2}};
    OK(h, ts_wasi_io_poll_poll, list);
    assert_int_equal(h->result.raw.len, 1); /* the sooner one, and only that */
    assert_int_equal(((const uint32_t *)h->result.raw.ptr)[0], 1);
    OK(h, ts_wasi_io_poll_pollable_block, H(hour));
    assert_true(now(h) >= 3600000000000);
    assert_true(ts_sys_monotonic() - real < 10000000000); /* an hour of the guest's */
    for (int i = 0; i < 100000; i++) {                    /* who only looks gets on too */
        OK(h, ts_wasi_io_poll_pollable_ready, H(soon));
        if (h->result.b) return;
    }
    fail();
}

static void seeds(void **state) {
    host *h = *state;
    uint64_t got[3][3];
    for (int i = 0; i < 3; i++) {
        ts_wasi_seed(h->w, i == 2 ? 8 : 7);
        OK(h, ts_wasi_random_random_get_random_u64, {0});
        got[i][0] = h->result.u64;
        OK(h, ts_wasi_random_insecure_get_insecure_random_u64, {0});
        got[i][1] = h->result.u64;
        OK(h, ts_wasi_random_random_get_random_bytes, U64(13));
        assert_int_equal(h->result.raw.len, 13);
        memcpy(&got[i][2], (const uint8_t *)h->result.raw.ptr + 5, 8);
    }
    assert_memory_equal(got[0], got[1], sizeof got[0]);
    for (int k = 0; k < 3; k++) assert_int_not_equal(got[0][k], got[2][k]);
}

/* --- policies ------------------------------------------------------------------------------------------------------
 */
static int run(const char *policy, const char *guest) {
    const char *program = getenv("TOUCHSTONE"), *fixtures = getenv("TOUCHSTONE_FIXTURES");
    char path[] = "/tmp/touchstone-policy-XXXXXX", command[1024];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, policy, strlen(policy)), strlen(policy));
    close(fd);
    snprintf(command, sizeof command, "'%s' run --policy %s '%s/built/%s.wasm' > %s.out 2>&1", program, path, fixtures,
             guest, path);
    int status = system(command);
    snprintf(command, sizeof command, "! grep -q ' fail ' %s.out", path);
    int clean = system(command);
    unlink(path);
    strcat(strcpy(command, path), ".out");
    unlink(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) + 1000 * (clean != 0) : -1;
}
static void policies(void **state) {
    (void)state;
    if (!getenv("TOUCHSTONE") || !getenv("TOUCHSTONE_FIXTURES")) skip();
    assert_int_equal(run("inherit-network = true # all of it\n", "sockets-udp"), 0);
    assert_int_equal(
        run("tcp-listen = [\"127.0.0.1:*\"]\r\ntcp-connect = [\n '127.0.0.1:*', # here\n]\n", "sockets-tcp"), 0);
    assert_int_equal(run("", "sockets-denied"), 0);
    assert_int_equal(run("allow-name = \"localhost\"", "sockets-lookup"), 0);
    static const char *const bad[] = {"x = 1",
                                      "seed = \n",
                                      "inherit-network = \"yes\"",
                                      "dir",
                                      "dir =",
                                      "[foo]",
                                      "[env]\n[env]",
                                      "[env]\nA = 1",
                                      "seed = 1\nseed = 2",
                                      "dir = \"a\\q\"",
                                      "dir = \"a",
                                      "dir = [1]",
                                      "allow-name = [\"a\" \"b\"]",
                                      "seed = 01",
                                      "seed = 1 2",
                                      "tcp-connect = \"nowhere\"",
                                      "policy = \"x\"",
                                      "clock = \"2023-02-29T00:00:00Z\"",
                                      "\"cwd\" = \"a\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(run(bad[i], "hello"), 120);
}

/* The same output and status without what was granted; another program is not the recorded one. */
static void replays(void **state) {
    (void)state;
    const char *program = getenv("TOUCHSTONE"), *fixtures = getenv("TOUCHSTONE_FIXTURES");
    if (!program || !fixtures) skip();
    static const char *const guests[] = {"sockets-tcp", "random-secure",      "io-poll",
                                         "clocks-wall", "cli-exit-with-code", "io-write-beyond-permit"};
    char dir[] = "/tmp/touchstone-replay-XXXXXX", command[2048];
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        snprintf(command, sizeof command,
                 "cd %s && { '%s' run --record r -S inherit-network '%s/built/%s.wasm' > a 2>&1; s=$?; "
                 "'%s' run --replay r '%s/built/%s.wasm' > b 2>&1; test $s = $? && cmp a b; }",
                 dir, program, fixtures, guests[i], program, fixtures, guests[i]);
        assert_int_equal(system(command), 0);
    }
    snprintf(command, sizeof command,
             "cd %s && '%s' run --replay r '%s/built/sockets-udp.wasm' > c 2>&1; test $? = 134 && grep -q 'not the "
             "recorded one' c",
             dir, program, fixtures);
    assert_int_equal(system(command), 0);
    snprintf(
        command, sizeof command,
        "cd %s && head -c 60 r > cut && ! '%s' run --replay cut '%s/built/io-write-beyond-permit.wasm' > c 2>&1 && rm "
        "-r %s",
        dir, program, fixtures, dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(own_clock, host_new, host_end),
        cmocka_unit_test_setup_teardown(seeds, host_new, host_end),
        cmocka_unit_test(policies),
        cmocka_unit_test(replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
