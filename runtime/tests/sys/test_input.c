/* test_input: files as bytes: a mapped file that is truncated while it is in use ends the process in order. */
#define _GNU_SOURCE
#include "sys/input.h"
#include "sys/killed.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct ended {
    int status;
    char text[400];
} ended;

/* Runs `body` in a child process; its stderr is in `text`. */
static ended child(void (*body)(const char *path), const char *path) {
    ended out = {0};
    int err[2];
    assert_int_equal(pipe(err), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(err[1], 2);
        body(path);
        _exit(0);
    }
    close(err[1]);
    ssize_t n = read(err[0], out.text, sizeof out.text - 1);
    out.text[n > 0 ? n : 0] = 0;
    close(err[0]);
    assert_int_equal(waitpid(pid, &out.status, 0), pid);
    return out;
}

static void truncated(const char *path) {
    ts_sys_input in;
    char leave[64];
    snprintf(leave, sizeof leave, "%s.out", path);
    signal(SIGBUS, SIG_DFL);
    ts_sys_on_truncated(leave, "line\n", 125);
    if (ts_sys_input_open(path, TS_SYS_INPUT_MOST, &in)) _exit(1);
    if (!in.mapped || strcmp(ts_sys_input_of((uintptr_t)in.bytes + 5000), path) != 0) _exit(2);
    if (truncate(path, 0) != 0) _exit(3);
    _exit(((volatile const uint8_t *)in.bytes)[5000] ? 4 : 5);
}
static void closed(const char *path) {
    ts_sys_input in;
    if (ts_sys_input_open(path, TS_SYS_INPUT_MOST, &in)) _exit(1);
    uintptr_t at = (uintptr_t)in.bytes;
    ts_sys_input_close(&in);
    _exit(ts_sys_input_of(at) ? 2 : 0);
}
static void not_ours(const char *path) { /* another SIGBUS takes its default action */
    (void)path;
    signal(SIGBUS, SIG_DFL);
    ts_sys_on_truncated(NULL, "", 125);
    raise(SIGBUS);
    raise(SIGBUS);
}

static void ends_in_order(void **state) {
    (void)state;
    char path[] = "/tmp/ts-input-XXXXXX", words[200], leave[64], line[20] = "";
    int fd = mkstemp(path);
    assert_int_equal(ftruncate(fd, 20000), 0);
    close(fd);
    ended e = child(closed, path);
    assert_true(WIFEXITED(e.status));
    assert_int_equal(WEXITSTATUS(e.status), 0);
    e = child(truncated, path);
    assert_true(WIFEXITED(e.status));
    assert_int_equal(WEXITSTATUS(e.status), 125);
    snprintf(words, sizeof words, "touchstone: io-error: %s was truncated while it was in use\n", path);
    assert_string_equal(e.text, words);
    snprintf(leave, sizeof leave, "%s.out", path);
    FILE *f = fopen(leave, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_string_equal(line, "line\n");
    e = child(not_ours, path);
    assert_true(WIFSIGNALED(e.status));
    assert_int_equal(WTERMSIG(e.status), SIGBUS);
    unlink(path);
    unlink(leave);
}

/* There are places for some mapped files only; the rest is mapped all the same. */
static void many_files(void **state) {
    (void)state;
    char path[] = "/tmp/ts-input-XXXXXX";
    ts_sys_input in[40];
    int fd = mkstemp(path);
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) assert_int_equal(ts_sys_input_open(path, TS_SYS_INPUT_MOST, &in[i]), TS_SYS_OK);
        assert_non_null(ts_sys_input_of((uintptr_t)in[0].bytes));
        for (int i = 0; i < 40; i++) {
            uintptr_t at = (uintptr_t)in[i].bytes;
            assert_true(in[i].mapped);
            ts_sys_input_close(&in[i]);
            assert_null(ts_sys_input_of(at));
        }
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ends_in_order), cmocka_unit_test(many_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
