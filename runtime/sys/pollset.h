/* sys/pollset: one wait of the OS for any mix of files and a deadline.
 * In: what is waited for. Out: what is ready; TS_SYS_EINTR when a signal came first. Source: ppoll(2) */
#ifndef TS_SYS_POLLSET_H
#define TS_SYS_POLLSET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/error.h"

typedef enum ts_sys_hangup {                 /* flags */
                             TS_SYS_HUP = 1, /* a connection is over in both directions, or broken */
                             TS_SYS_HALF_HUP =
                                 2, /* the peer has shut down its sending side, or closed: these look the same */
} ts_sys_hangup;

typedef struct ts_sys_wait {
    int fd;        /* below 0: never ready */
    bool out;      /* for writing; else for reading */
    bool ready;    /* set: ready, or in an error that the next operation reports */
    uint8_t watch; /* not 0: ready only when one of these TS_SYS_… has come; TS_SYS_HUP always counts as asked for */
    uint8_t seen;  /* set: which of them */
} ts_sys_wait;

#define TS_SYS_NO_DEADLINE UINT64_MAX
/* Wait until one is ready or the monotonic clock has reached the deadline (0: only look). */
ts_sys_err ts_sys_poll(ts_sys_wait *w, size_t n, uint64_t deadline);
/* One file, without waiting. */
bool ts_sys_ready(int fd, bool out);
#endif
