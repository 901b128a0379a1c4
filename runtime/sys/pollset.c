/* sys/pollset: see pollset.h */
#define _GNU_SOURCE
#include "sys/pollset.h"
#include "sys/clock.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

_Static_assert(sizeof(time_t) == 8, "2^64 ns fit");

#ifdef POLLRDHUP
#define RDHUP POLLRDHUP
#else
#define RDHUP 0
#endif
static short events_of(const ts_sys_wait *w) {
    if (w->watch) return w->watch & TS_SYS_HALF_HUP ? RDHUP : 0; /* POLLHUP and POLLERR are always reported */
    return w->out ? POLLOUT : POLLIN;
}

ts_sys_err ts_sys_poll(ts_sys_wait *w, size_t n, uint64_t deadline) {
    struct pollfd few[32], *fds = few;
    if (n > 32) {
        fds = calloc(n, sizeof *fds);
        if (!fds) return TS_SYS_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) fds[i] = (struct pollfd){.fd = w[i].fd, .events = events_of(&w[i])};
    struct timespec left = {0};
    if (deadline != TS_SYS_NO_DEADLINE && deadline != 0) {
        uint64_t now = ts_sys_monotonic();
        uint64_t ns = deadline > now ? deadline - now : 0;
        left = (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    }
    int r = ppoll(fds, n, deadline == TS_SYS_NO_DEADLINE ? NULL : &left, NULL);
    ts_sys_err e = r < 0 ? ts_sys_err_of(errno) : TS_SYS_OK;
    for (size_t i = 0; i < n; i++) {
        short got = r > 0 ? fds[i].revents : 0;
        w[i].ready = got != 0;
        w[i].seen =
            (uint8_t)((got & (POLLHUP | POLLERR | POLLNVAL) ? TS_SYS_HUP : 0) | (got & RDHUP ? TS_SYS_HALF_HUP : 0));
    }
    if (fds != few) free(fds);
    return e;
}

bool ts_sys_ready(int fd, bool out) {
    struct pollfd p = {.fd = fd, .events = out ? POLLOUT : POLLIN};
    int r;
    do r = poll(&p, 1, 0);
    while (r < 0 && errno == EINTR);
    return r != 0; /* the next operation reports an error */
}
