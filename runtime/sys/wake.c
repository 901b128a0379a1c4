/* sys/wake: see wake.h */
#define _GNU_SOURCE
#include "sys/wake.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

int ts_sys_wake_file(ts_sys_wake *w) {
    int have = __atomic_load_n(&w->read_end, __ATOMIC_SEQ_CST);
    if (have) return have - 1;
#ifdef __linux__
    int fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (fd < 0) return -1;
    int both[2] = {fd, fd};
#else
    int both[2];
    if (!ts_sys_pipe(both)) return -1;
    for (int i = 0; i < 2; i++) fcntl(both[i], F_SETFL, O_NONBLOCK);
#endif
    __atomic_store_n(&w->read_end, both[0] + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&w->write_end, both[1] + 1, __ATOMIC_SEQ_CST);
    return both[0];
}

void ts_sys_wake_ring(ts_sys_wake *w) { /* async-signal-safe */
    int fd = __atomic_load_n(&w->write_end, __ATOMIC_SEQ_CST), was = errno;
    uint64_t one = 1;
    if (fd && write(fd - 1, &one, sizeof one) < 0) { /* it is full, hence already readable */
    }
    errno = was;
}

void ts_sys_wake_clear(ts_sys_wake *w) {
    int fd = __atomic_load_n(&w->read_end, __ATOMIC_SEQ_CST);
    uint64_t some[8];
    while (fd && read(fd - 1, some, sizeof some) > 0) {
    }
}

void ts_sys_wake_free(ts_sys_wake *w) {
    if (w->read_end) close(w->read_end - 1);
    if (w->write_end && w->write_end != w->read_end) close(w->write_end - 1);
    *w = (ts_sys_wake){0};
}
