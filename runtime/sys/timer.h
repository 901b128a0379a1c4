/* timer: calls a function once after a delay, on its own thread.
 * In: seconds, a function. Out: the function is called, unless the timer is stopped first. */
#ifndef TS_SYS_TIMER_H
#define TS_SYS_TIMER_H

typedef struct ts_timer ts_timer;
ts_timer *ts_timer_start(double seconds, void (*fn)(void *data), void *data); /* NULL if no thread starts */
void ts_timer_stop(ts_timer *t); /* waits for the function if it is running, then frees; NULL is legal */
#endif
