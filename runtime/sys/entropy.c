/* sys/entropy: see entropy.h */
#define _GNU_SOURCE
#include "sys/entropy.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

/* For kernels without getrandom. */
static ts_sys_err from_device(void *buf, size_t len) {
    int fd = ts_sys_above_std(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
    if (fd < 0) return ts_sys_err_of(errno);
    ts_sys_err e = TS_SYS_OK;
    for (char *at = buf; len && e == TS_SYS_OK;) {
        ssize_t n = read(fd, at, len);
        if (n > 0)
            at += n, len -= (size_t)n;
        else if (n == 0)
            e = TS_SYS_EIO;
        else if (errno != EINTR)
            e = ts_sys_err_of(errno);
    }
    close(fd);
    return e;
}

ts_sys_err ts_sys_random(void *buf, size_t len) {
    for (char *at = buf; len;) {
        ssize_t n = getrandom(at, len, 0);
        if (n > 0)
            at += n, len -= (size_t)n;
        else if (n < 0 && errno == ENOSYS)
            return from_device(at, len);
        else if (n < 0 && errno != EINTR)
            return ts_sys_err_of(errno);
    }
    return TS_SYS_OK;
}
