/* test_descriptors: in a process that lacks descriptors 0, 1 and 2, nothing that the library opens takes
 * their numbers, and everything that it opens is closed on exec.
 * In: a child process for each set of closed descriptors. Out: cmocka results. */
#define _GNU_SOURCE
#include "sys/descriptors.h"
#include "sys/fs.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/net.h"
#include "touchstone.h"
#include "http/server/server.h"
#include "wasi/context.h"
#include "wasi/wasi.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = P_tmpdir "/touchstone-descriptors-XXXXXX";

/* Returns 0 if descriptors 0 to 2 are unchanged and all new ones are closed on exec, otherwise
 * the place that failed. */
static int check(unsigned closed, const bool before[64], int step) {
    for (int fd = 0; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (fd < 3 && (closed >> fd & 1) && flags != -1) return step;
        if (fd >= 3 && !before[fd] && flags != -1 && !(flags & FD_CLOEXEC)) return step + 100;
    }
    return 0;
}

/* Calls everything that opens and keeps a descriptor, in a process without some of 0, 1 and 2. Returns the
 * exit status. */
static int child(unsigned closed) {
    bool before[64];
    char path[300];
    int bad = 0, fd = -1, pair[2];
    ts_error e;
    ts_error_init(&e);
    for (int i = 0; i < 3; i++)
        if (closed >> i & 1) close(i);
    for (int i = 0; i < 64; i++) before[i] = fcntl(i, F_GETFD) != -1;
#define STEP(n)                                                                                                        \
    do {                                                                                                               \
        if (!bad) bad = check(closed, before, n);                                                                      \
    } while (0)
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *f = ts_sys_fopen(path, "w");
    if (!f) return 90;
    STEP(1);
    if (!ts_sys_pipe(pair)) return 91;
    STEP(2);
    if (ts_sys_socket(false, true, &fd) || ts_sys_socket(false, false, &fd)) return 92;
    STEP(3);
    ts_sys_dir *dir;
    if (ts_sys_open_dir(folder, &fd) || ts_sys_dir_open(fd, &dir)) return 93;
    STEP(4);
    for (int walk = 0; walk < 2; walk++) {
        int got;
        ts_sys_base b = {.fd = fd, .walk = walk};
        if (ts_sys_open_at(b, (ts_sys_path){"file", 4}, TS_SYS_O_READ, &got)) return 94;
        STEP(5 + walk);
    }
    const char *why;
    snprintf(path, sizeof path, "%s/cache", folder);
    if (ts_folder_open(path, &why) < 0) return 95;
    STEP(7);
    int image = ts_file_new(4096);
    if (image >= 0 && image < 3) bad = 8;
    STEP(8);
    char text[200];
    ts_http_server_config config = {0};
    ts_http_handler h = {0};
    if (!ts_sys_addr_parse("127.0.0.1", 9, &config.addr)) return 98;
    if (ts_http_server_can() && !ts_http_server_new(&config, &h, text)) return 99;
    STEP(10);
    ts_wasi *w;
    snprintf(path, sizeof path, "%s/record", folder);
    if (ts_wasi_new(&w, &e) != TS_OK || ts_wasi_allow_dir(w, folder, "/", false, &e) != TS_OK ||
        ts_wasi_record(w, path, "", 0, NULL, &e) != TS_OK)
        return 89;
    STEP(11);
    for (int i = 0; i < 3; i++) /* a descriptor that later gets this number does not belong to the guest */
        if (w->grants->stdio[i] != ((closed >> i & 1) ? -1 : i)) return 88;
    return bad;
}

static void low_ones_stay_free(void **state) {
    (void)state;
    for (unsigned closed = 1; closed < 8; closed++) {
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) _exit(child(closed));
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("closed %u: step %d", closed, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
}

/* As the command does it: the numbers are occupied, and writing fails as if they were closed. */
static int placeholders(unsigned closed) {
    for (int i = 0; i < 3; i++)
        if (closed >> i & 1) close(i);
    if (!ts_sys_std_open()) return 1;
    for (int i = 0; i < 3; i++) {
        char byte = 0;
        bool was = closed >> i & 1;
        if (ts_sys_std_was_closed(i) != was) return 2;
        if (was && !(fcntl(i, F_GETFD) & FD_CLOEXEC)) return 3;
        if (was && (i == 0 ? read(i, &byte, 1) : write(i, &byte, 1)) != -1) return 4;
        if (was && errno != EBADF) return 5;
    }
    return 0;
}
static void places_are_taken(void **state) {
    (void)state;
    for (unsigned closed = 0; closed < 8; closed++) {
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) _exit(placeholders(closed));
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(low_ones_stay_free), cmocka_unit_test(places_are_taken)};
    return cmocka_run_group_tests_name("descriptors", tests, set_up, tear_down);
}
