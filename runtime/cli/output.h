/* output: what the command itself writes: results on stdout, traces, logs, results of scripts.
 * In: lines. Out: files. If one cannot be written, one line on stderr says why, and the exit status is 125.
 * Output of guests does not pass through here: its errors are errors of WASI. */
#ifndef TS_CLI_OUTPUT_H
#define TS_CLI_OUTPUT_H
#include "base/error.h"
#include <stdio.h>

typedef struct ts_cli_out {
    FILE *f;          /* NULL: not open */
    const char *what; /* for messages, e.g. "the trace" */
    const char *path; /* NULL: stderr */
    bool failed;      /* atomic, because the threads of serve share logs and traces */
} ts_cli_out;

/* Opens a file (mode "w" or "a"), or takes stderr if the path is NULL. Returns TS_IO on failure. */
ts_status ts_cli_out_open(ts_cli_out *o, const char *what, const char *path, const char *mode, ts_error *e) TS_MUST_USE;
/* Writes a line and its newline in one piece, and flushes it to the OS. */
void ts_cli_out_line(ts_cli_out *o, const char *line, size_t len);
/* Closes the file. Returns false if anything could not be written; that was reported on stderr. Closing twice
 * is legal. */
bool ts_cli_out_close(ts_cli_out *o);

/* Writes text that may come from anywhere, in UTF-8. Each control character, those of C1 too, becomes `?`, so that it does
 * not reach the terminal. */
void ts_cli_put_text(FILE *to, const char *text, size_t len);

/* Flushes stdout. Returns TS_IO if that fails. */
ts_status ts_cli_flush(ts_error *e) TS_MUST_USE;
/* Called at the end of main. Returns the exit status of the process: 125 if stdout could not be written. */
int ts_cli_finish(int status);
#endif
