/* test_pages: reserve, commit, grow, give back.
 * In: sys/pages.h. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/file.h"
#include "sys/pages.h"
#include "sys/written.h"

static void sizes(void **state) {
    (void)state;
    size_t p = ts_pages_size();
    assert_true(p >= 4096 && (p & (p - 1)) == 0);
    assert_int_equal(ts_pages_round(0), 0);
    assert_int_equal(ts_pages_round(1), p);
    assert_int_equal(ts_pages_round(p), p);
    assert_int_equal(ts_pages_round(p + 1), 2 * p);
    assert_true(ts_pages_round(SIZE_MAX) <= SIZE_MAX - p + 1);
}

/* Reads at `at` in a child process. Returns true if the system ends the child. */
static bool faults(const volatile uint8_t *at) {
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka catches these signals */
        signal(SIGBUS, SIG_DFL);
        (void)*at;
        _exit(0);
    }
    int st = 0;
    waitpid(pid, &st, 0);
    return !(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

static void reserve_and_commit(void **state) {
    (void)state;
    size_t p = ts_pages_size();
    uint8_t *m = ts_pages_reserve(16 * p);
    assert_non_null(m);
    assert_true(faults(m));
    assert_true(ts_pages_commit(m, 2 * p));
    for (size_t i = 0; i < 2 * p; i++) assert_int_equal(m[i], 0);
    m[0] = 1;
    m[2 * p - 1] = 2;
    assert_true(faults(m + 2 * p));
    assert_true(ts_pages_commit(m + 2 * p, 1));
    assert_true(m[0] == 1 && m[2 * p - 1] == 2 && m[2 * p] == 0);
    assert_true(ts_pages_decommit(m, p));
    assert_true(faults(m));
    assert_int_equal(m[2 * p - 1], 2);
    assert_true(ts_pages_commit(m, p));
    assert_int_equal(m[0], 0); /* released pages come back zeroed */
    ts_pages_release(m, 16 * p);
    ts_pages_release(NULL, p);
}

static void resize(void **state) {
    (void)state;
    size_t p = ts_pages_size(), len = p;
    uint8_t *m = ts_pages_resize(NULL, 0, len);
    assert_non_null(m);
    for (size_t i = 0; i < p; i++) m[i] = (uint8_t)i;
    for (; len < 4096 * p; len *= 4) {
        m = ts_pages_resize(m, len, len * 4);
        assert_non_null(m);
        assert_int_equal(m[len * 4 - 1], 0);
    }
    for (size_t i = 0; i < p; i++) assert_int_equal(m[i], (uint8_t)i);
    ts_pages_release(m, len);
}

static void too_much(void **state) {
    (void)state;
    assert_true(ts_pages_can_reserve(1 << 20));
    assert_false(ts_pages_can_reserve(SIZE_MAX / 2));
    assert_null(ts_pages_reserve(SIZE_MAX / 2));
    assert_null(ts_pages_reserve(0));
}

/* A file and zeros behind it: pages that are only read are not written ones. */
static void written(void **state) {
    (void)state;
    enum { FILE_PAGES = 40, PAGES = 60, MOST = 8 };
    const size_t p = ts_pages_size();
    ts_sys_written found[MOST];
    const int fd = ts_file_new(FILE_PAGES * p);
    assert_true(fd >= 0);
    for (size_t i = 0; i < FILE_PAGES; i++) assert_true(ts_file_write(fd, i * p, "file", 4));
    volatile uint8_t *at = ts_pages_reserve(PAGES * p), sum = 0;
    assert_non_null((void *)at);
    assert_int_equal(ts_sys_written_find((void *)at, PAGES * p, found, MOST), -1); /* not opened */
    assert_true(ts_pages_commit((void *)at, PAGES * p));
    assert_true(ts_file_map((void *)at, FILE_PAGES * p, fd, 0));
    ts_sys_written_open();
    if (ts_sys_written_find((void *)at, PAGES * p, found, MOST) < 0) skip(); /* before Linux 6.7 */
    for (size_t i = 0; i < PAGES; i++) sum ^= at[i * p];
    assert_int_equal(sum, 0);
    assert_int_equal(ts_sys_written_find((void *)at, PAGES * p, found, MOST), 0);
    static const uint8_t pages[] = {0, 7, 8, 38, 39, 40, 41, 59};
    for (size_t i = 0; i < sizeof pages; i++) at[pages[i] * p + i] = 1;
    static const uint8_t ranges[][2] = {{0, 1}, {7, 9}, {38, 42}, {59, 60}};
    assert_int_equal(ts_sys_written_find((void *)at, PAGES * p, found, MOST), 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(found[i].from, (uintptr_t)at + ranges[i][0] * p);
        assert_int_equal(found[i].to, (uintptr_t)at + ranges[i][1] * p);
    }
    assert_int_equal(ts_sys_written_find((void *)at, PAGES * p, found, 3), -1); /* no room for all */
    assert_int_equal(ts_sys_written_find((void *)(at + p), 6 * p, found, MOST), 0);
    assert_true(ts_pages_renew((void *)at, PAGES * p));
    assert_int_equal(ts_sys_written_find((void *)at, PAGES * p, found, MOST), 0);
    ts_pages_release((void *)at, PAGES * p);
    ts_file_close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(reserve_and_commit),
                                       cmocka_unit_test(resize), cmocka_unit_test(too_much), cmocka_unit_test(written)};
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
