/* sys/descriptors: see descriptors.h */
#define _GNU_SOURCE
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool was_closed[3];

bool ts_sys_std_open(void) {
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        /* fd is the lowest free descriptor: all below it are open by now. */
        int got = open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
        if (got != fd) return false;
        was_closed[fd] = true;
    }
    return true;
}
bool ts_sys_std_was_closed(int fd) {
    return fd >= 0 && fd < 3 && was_closed[fd];
}

bool ts_sys_std_is_open(int fd) {
    return fcntl(fd, F_GETFD) != -1 && !ts_sys_std_was_closed(fd);
}

int ts_sys_above_std(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3), err = errno;
    close(fd);
    errno = err;
    return moved;
}

bool ts_sys_pipe(int fd[2]) {
#ifdef __linux__
    if (pipe2(fd, O_CLOEXEC) < 0) return false;
#else
    if (pipe(fd) < 0) return false;
    (void)fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd[1], F_SETFD, FD_CLOEXEC);
#endif
    fd[0] = ts_sys_above_std(fd[0]);
    fd[1] = ts_sys_above_std(fd[1]);
    if (fd[0] >= 0 && fd[1] >= 0) return true;
    int err = errno;
    if (fd[0] >= 0) close(fd[0]);
    if (fd[1] >= 0) close(fd[1]);
    errno = err;
    return false;
}

FILE *ts_sys_fopen(const char *path, const char *mode) {
    int flags = mode[0] == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC);
    int fd = ts_sys_above_std(open(path, flags | O_CLOEXEC | O_NOCTTY, 0666));
    if (fd < 0) return NULL;
    FILE *f = fdopen(fd, mode);
    if (!f) {
        int err = errno;
        close(fd);
        errno = err;
    }
    return f;
}
