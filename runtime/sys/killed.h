/* sys/killed: a last line written when a signal or an alarm ends the process.
 * In: a file's path, and the line to leave there for each way to end. Out: the file, written from the signal handler;
 * then the signal takes its usual course, or, for the alarm, the process ends with a status. Source: POSIX sigaction A
 * handler has no argument of its own: this module holds one static state, set before the handlers are. */
#ifndef TS_SYS_KILLED_H
#define TS_SYS_KILLED_H
#include <stdbool.h>
#include <stdint.h>

/* Writes to closed pipes and beyond file size limits return errors instead of ending the process. */
void ts_sys_signals_quiet(void);
/* SIGINT, SIGTERM, SIGHUP: leave `{"schema":…,"signal":"SIGTERM"}`-like line (a format with one %s) in path. NULL path:
 * nothing is written. */
void ts_sys_on_kill(const char *path, const char *format);
/* After ns nanoseconds: call `stop` (from the handler: it may only set a flag); a second later, when the process is
 * still there: leave `line` in the path, say `text` on stderr and end with `status`. */
void ts_sys_on_alarm(uint64_t ns, void (*stop)(void *data), void *data, const char *path, const char *line,
                     const char *text, int status);
void ts_sys_alarm_off(void);
/* After ns nanoseconds the process ends with this status, whatever its threads do; 0: it does not. A later call moves it. From a signal
 * handler too. Not together with ts_sys_on_alarm. */
void ts_sys_exit_after(uint64_t ns, int status);
/* End the process now, with a line on stderr if that takes it at once. No lock is taken, nothing is flushed. */
_Noreturn void ts_sys_exit_now(int status, const char *text);
/* SIGINT, SIGTERM and SIGHUP call this (from the handler: only what a handler may do) instead. NULL: as it was. */
void ts_sys_on_stop(void (*stop)(void *data), void *data);
/* A line into a file that is made anew; for the ordinary way to end too. False: errno says why not. */
bool ts_sys_leave(const char *path, const char *line);
#endif
