/* output: what the command itself writes: results on stdout, traces, logs, results of scripts.
 * In: lines. Out: files; where one cannot be written a line on stderr that says why, once, and exit status 125.
 * What guests write is theirs: it goes past this and fails with errors of WASI. */
#ifndef TS_CLI_OUTPUT_H
#define TS_CLI_OUTPUT_H
#include "base/error.h"
#include <stdio.h>

typedef struct ts_cli_out {
    FILE *f;          /* NULL: there is none */
    const char *what; /* "the trace" */
    const char *path; /* NULL: stderr */
    bool failed;      /* atomic: serve's threads share logs and traces */
} ts_cli_out;

/* Opens a file (mode "w" or "a"), or takes stderr where the path is NULL. TS_IO */
ts_status ts_cli_out_open(ts_cli_out *o, const char *what, const char *path, const char *mode, ts_error *e) TS_MUST_USE;
/* Writes a line and its newline in one piece, and gives it to the OS. */
void ts_cli_out_line(ts_cli_out *o, const char *line, size_t len);
/* Closes it. False: something could not be written, which stderr has been told. Closing twice is legal. */
bool ts_cli_out_close(ts_cli_out *o);

/* What was printed on stdout reaches the OS now, or TS_IO. */
ts_status ts_cli_flush(ts_error *e) TS_MUST_USE;
/* For the end of main: the process's exit status, which is 125 where stdout could not be written. */
int ts_cli_finish(int status);
#endif
