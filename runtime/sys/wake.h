/* wake: a file that another thread, or a signal handler, makes readable, so that a thread in ts_sys_poll wakes up.
 * In: a zeroed ts_sys_wake. Out: a descriptor to wait on. It is made when a thread first waits, so that one that never waits costs nothing.
 * The order that loses no wake-up: the waking thread sets its flag, then rings; the waiting thread asks for the file, then reads the flag,
 * then waits. Source: eventfd(2), pipe(2) */
#ifndef TS_SYS_WAKE_H
#define TS_SYS_WAKE_H

typedef struct ts_sys_wake {
    int read_end, write_end; /* atomic: the descriptor plus one; 0: not made */
} ts_sys_wake;

int ts_sys_wake_file(ts_sys_wake *w);  /* by the waiting thread; -1: the system gives none */
void ts_sys_wake_ring(ts_sys_wake *w); /* from any thread, or a signal handler */
void ts_sys_wake_clear(ts_sys_wake *w);
void ts_sys_wake_free(ts_sys_wake *w);
#endif
