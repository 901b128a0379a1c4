/* wake: a file that another thread or a signal handler makes readable, so that a thread in ts_sys_poll wakes
 * up.
 * In: a zeroed ts_sys_wake. Out: a descriptor to wait on, created at the first wait; without a wait it costs
 * nothing. This order loses no wake-up: the waking thread sets its flag, then rings; the waiting thread gets
 * the file, then reads the flag, then waits. Source: eventfd(2), pipe(2) */
#ifndef TS_SYS_WAKE_H
#define TS_SYS_WAKE_H

typedef struct ts_sys_wake {
    int read_end, write_end; /* atomic: the descriptor plus one, or 0 before it is created */
} ts_sys_wake;

int ts_sys_wake_file(ts_sys_wake *w);  /* called by the waiting thread; -1 on failure */
void ts_sys_wake_ring(ts_sys_wake *w); /* called from any thread or a signal handler */
void ts_sys_wake_clear(ts_sys_wake *w);
void ts_sys_wake_free(ts_sys_wake *w);
#endif
