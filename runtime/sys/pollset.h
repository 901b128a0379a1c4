/* sys/pollset: one OS wait for any mix of files and a deadline.
 * In: the files to wait for. Out: which are ready; TS_SYS_EINTR if a signal came first. Source: ppoll(2) */
#ifndef TS_SYS_POLLSET_H
#define TS_SYS_POLLSET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/error.h"

typedef enum ts_sys_hangup {                 /* flags */
                             TS_SYS_HUP = 1, /* a connection is closed in both directions, or broken */
                             TS_SYS_HALF_HUP =
                                 2, /* the peer has shut down sending, or closed: the OS reports both alike */
} ts_sys_hangup;

typedef struct ts_sys_wait {
    int fd;        /* below 0 is never ready */
    bool out;      /* wait for writing; else for reading */
    bool ready;    /* set: ready, or in an error that the next operation reports */
    uint8_t watch; /* if not 0: ready only on one of these TS_SYS_… flags; TS_SYS_HUP is always implied */
    uint8_t seen;  /* set: which flags occurred */
} ts_sys_wait;

#define TS_SYS_NO_DEADLINE UINT64_MAX
/* Waits until one is ready or the monotonic clock has reached the deadline (0: do not wait). */
ts_sys_err ts_sys_poll(ts_sys_wait *w, size_t n, uint64_t deadline);
/* Checks one file without waiting. */
bool ts_sys_ready(int fd, bool out);
#endif
