/* test_wasi_repeat: a virtual clock, randomness from a seed, and the command's policy files.
 * In: contexts with the same settings; $TOUCHSTONE, $TOUCHSTONE_FIXTURES. Out: the same values, and no time
 * spent waiting. */
#include "tests/wasi_help.h"
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
    ts_wasi_set_clock(h->w, 1000, 999999000);
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
    assert_int_equal(h->result.raw.len, 1); /* the earlier one, and only that */
    assert_int_equal(((const uint32_t *)h->result.raw.ptr)[0], 1);
    OK(h, ts_wasi_io_poll_pollable_block, H(hour));
    assert_true(now(h) >= 3600000000000);
    assert_true(ts_sys_monotonic() - real < 10000000000); /* an hour on the guest's clock */
    /* a guest that polls in a loop sees time advance too */
    for (int i = 0; i < 100000; i++) {
        OK(h, ts_wasi_io_poll_pollable_ready, H(soon));
        if (h->result.b) return;
    }
    fail();
}

static void seeds(void **state) {
    host *h = *state;
    uint64_t got[3][3];
    for (int i = 0; i < 3; i++) {
        ts_wasi_set_seed(h->w, i == 2 ? 8 : 7);
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

/* --- policies ------------------------------------------------------------------------------------------- */
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
    assert_int_equal(run("\xef\xbb\xbf\"inherit-network\" = true\nmax-memory = 0x1_000_000\nmax-time = 60.5\n"
                         "env = {A = 'b', \"C.D\" = \"\"\"\nx\"\"\"}\nclock = 2026-01-31 12:00:00z\n",
                         "hello"),
                     0);
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
                                      "cwd.a = \"a\"",
                                      "[cwd]",
                                      "env = {A = 1}",
                                      "dir = {host = \".\", guest = \"/a\", mode = \"ro\"}",
                                      "dir = {guest = \"/a\"}",
                                      "cwd = \"a\\u0000b\"",
                                      "max-time = 1e3",
                                      "max-memory = -1",
                                      "max-memory = 1.5",
                                      "clock = 2026-01-31T12:00:00+01:00",
                                      "clock = 2026-01-31",
                                      "record = [\"a\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(run(bad[i], "hello"), 120);
}

/* A replay has the same output and status without the grants. Another program than the
 * recorded one is refused. */
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
    /* the record of another component */
    snprintf(
        command, sizeof command,
        "cd %s && '%s' run --replay r '%s/built/sockets-udp.wasm' > c 2>&1; test $? = 120 && grep -q 'r is a record of "
        "another component: of [0-9]* bytes, SHA-256 [0-9a-f]*; this one has [0-9]* bytes, SHA-256' c && test $(wc -l "
        "< c) = 1",
        dir, program, fixtures);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* --- damaged records ------------------------------------------------------------------------------------ */
static int replay_of(const char *dir, const char *guest, char out[4096]) {
    char command[2048];
    snprintf(command, sizeof command, "cd %s && timeout 20 '%s' run --replay damaged '%s/built/%s.wasm' > c 2>&1", dir,
             getenv("TOUCHSTONE"), getenv("TOUCHSTONE_FIXTURES"), guest);
    int status = system(command);
    snprintf(command, sizeof command, "%s/c", dir);
    FILE *f = fopen(command, "rb");
    assert_non_null(f);
    if (fseek(f, -4095, SEEK_END) != 0) rewind(f); /* its last record is the end */
    size_t n = fread(out, 1, 4095, f);
    fclose(f);
    out[n] = 0;
    for (size_t i = 0; i < n; i++)
        if (!out[i]) out[i] = '.';
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
static void put_record(const char *dir, const uint8_t *bytes, size_t n) {
    char path[256];
    snprintf(path, sizeof path, "%s/damaged", dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}
/* A record that was truncated, or in which a bit was flipped or a byte was added or removed, is reported as
 * damaged and never replays. */
static void damaged(void **state) {
    (void)state;
    const char *program = getenv("TOUCHSTONE"), *fixtures = getenv("TOUCHSTONE_FIXTURES"), *guest = "clocks-wall";
    if (!program || !fixtures) skip();
    char dir[] = "/tmp/touchstone-damaged-XXXXXX", command[2048], out[4096];
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof command, "cd %s && '%s' run --record r '%s/built/%s.wasm' > a 2>&1", dir, program,
             fixtures, guest);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/r", dir);
    static uint8_t whole[1 << 16], bytes[(1 << 16) + 1];
    FILE *f = fopen(command, "rb");
    assert_non_null(f);
    size_t len = fread(whole, 1, sizeof whole, f);
    fclose(f);
    assert_in_range(len, 200, sizeof whole - 1);
    put_record(dir, whole, len);
    assert_int_equal(replay_of(dir, guest, out), 0);
    uint32_t seed = 12345;
    for (int i = 0; i < 120; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t n = len, at = i < 30 ? (size_t)i * 4 : (seed >> 8) % len; /* in the head, and then anywhere */
        memcpy(bytes, whole, len);
        switch (i % 4) {
        case 0: n = at; break;
        case 1: bytes[at] ^= (uint8_t)(1 << seed % 8); break;
        case 2: memmove(bytes + at, whole + at + 1, --n - at); break;
        default: memmove(bytes + at + 1, whole + at, len - at), bytes[at] = (uint8_t)(seed >> 24), n++;
        }
        put_record(dir, bytes, n);
        int status = replay_of(dir, guest, out);
        bool told = status == 120   ? strstr(out, "record") != NULL
                    : status == 134 ? strstr(out, "the run is not the recorded one") != NULL
                                    : false;
        if (!told) fail_msg("damage %d at %zu: status %d: %s", i, at, status, out);
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(own_clock, host_new, host_end),
        cmocka_unit_test_setup_teardown(seeds, host_new, host_end),
        cmocka_unit_test(policies),
        cmocka_unit_test(replays),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
