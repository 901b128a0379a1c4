/* sys/killed: writes a last line when a signal or an alarm ends the process.
 * In: a file's path, and the line to write there for each way to end. Out: the file, written by the signal
 * handler; then the signal takes its default action or, for the alarm, the process ends with a status.
 * Source: POSIX sigaction Handlers have no argument for state: this module keeps one static state, which is
 * set before the handlers are. */
#ifndef TS_SYS_KILLED_H
#define TS_SYS_KILLED_H
#include <stdbool.h>
#include <stdint.h>

/* Makes writes to closed pipes and beyond file size limits return errors instead of ending the process. */
void ts_sys_signals_quiet(void);
/* On SIGINT, SIGTERM and SIGHUP, writes a line like `{"schema":…,"signal":"SIGTERM"}` to path; the format has
 * one %s. If path is NULL, nothing is written. */
void ts_sys_on_kill(const char *path, const char *format);
/* If a mapped input (sys/input.h) is truncated while it is in use, writes `line` to path (NULL: nothing), a
 * line with the file's path to stderr, and ends the process with `status`. */
void ts_sys_on_truncated(const char *path, const char *line, int status);
/* After ns nanoseconds, calls `stop` from the signal handler, where it may only set a flag. If the process
 * still runs a second later, writes `line` to the path and `text` to stderr, and exits with `status`. */
void ts_sys_on_alarm(uint64_t ns, void (*stop)(void *data), void *data, const char *path, const char *line,
                     const char *text, int status);
void ts_sys_alarm_off(void);
/* Ends the process with this status after ns nanoseconds, whatever its threads do; 0 cancels. A later call
 * replaces the time. May be called from a signal handler. Cannot be combined with ts_sys_on_alarm. */
void ts_sys_exit_after(uint64_t ns, int status);
/* Ends the process now and writes a line to stderr if that does not block.
 * Takes no lock and flushes nothing. */
_Noreturn void ts_sys_exit_now(int status, const char *text);
/* Makes SIGINT, SIGTERM and SIGHUP call `stop` instead; it must be async-signal-safe.
 * NULL restores the default action. Returns false with errno set if that fails for one of them. */
bool ts_sys_on_stop(void (*stop)(void *data), void *data);
/* Writes a line to a new or truncated file; also used when the process ends normally.
 * Returns false with errno set. */
bool ts_sys_leave(const char *path, const char *line);
#endif
