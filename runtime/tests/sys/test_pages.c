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
#include "sys/pages.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(reserve_and_commit),
                                       cmocka_unit_test(resize), cmocka_unit_test(too_much)};
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
