/* timer: a function called once after a while, on a thread of its own.
 * In: seconds, a function. Out: it is called, unless the timer is stopped before. */
#ifndef TS_SYS_TIMER_H
#define TS_SYS_TIMER_H

typedef struct ts_timer ts_timer;
ts_timer *ts_timer_start(double seconds, void (*fn)(void *data), void *data); /* NULL: no thread */
void ts_timer_stop(ts_timer *t); /* waits for the function if it runs just now, frees; NULL is legal */
#endif
