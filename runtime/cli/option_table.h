/* option_table: one row an option, and one a word of -S: what its argument is, where its value goes, which commands take it,
 * whether a policy file may hold it, and its help. In: nothing. Out: the rows, which argv, policy files and --help are read by. */
#ifndef TS_CLI_OPTION_TABLE_H
#define TS_CLI_OPTION_TABLE_H
#include "cli/options.h"
#include <stdio.h>

/* What an option's argument is read as, and what it becomes at `target`. */
typedef enum ts_cli_form {
    TS_CLI_FLAG,     /* no argument: bool */
    TS_CLI_TEXT,     /* const char *, or the argument of `apply` */
    TS_CLI_OPTIONAL, /* likewise, but only as --name=VALUE; NULL without */
    TS_CLI_NUMBER,   /* uint64_t */
    TS_CLI_NUMBER32, /* uint32_t */
    TS_CLI_SIZE,     /* bytes, uint64_t */
    TS_CLI_SIZE32,   /* bytes, uint32_t */
    TS_CLI_TIME,     /* nanoseconds, uint64_t */
    TS_CLI_SWITCH,   /* a word of -S: y or n; `apply` gets "y" or "n" */
    TS_CLI_IGNORED,  /* a word of -S: a number, read and of no effect */
    TS_CLI_ELSEWHERE /* a word of -S that is not about WASI 0.2: refused unless it is =n; or that we have no such limit for */
} ts_cli_form;

typedef enum ts_cli_in_policy {
    TS_CLI_NOT, /* a policy may not hold it */
    TS_CLI_ONE, /* one value */
    TS_CLI_MANY /* one value or an array of them */
} ts_cli_in_policy;

typedef struct ts_cli_reading { /* where values go */
    ts_wasi *w;
    ts_cli_options *o;
} ts_cli_reading;

typedef struct ts_cli_option {
    const char *name;     /* without dashes */
    const char *argument; /* as help shows it; NULL: none */
    ts_cli_form form;
    ts_cli_in_policy policy;
    unsigned commands; /* ts_cli_command */
    size_t target;     /* offset in ts_cli_options; TS_CLI_APPLIES: `apply` is called */
    ts_status (*apply)(ts_cli_reading *r, const struct ts_cli_option *o, const char *value, ts_error *e);
    uint64_t detail;  /* for apply; of a number the most that it may be, 0: no bound */
    const char *help; /* NULL: not shown */
} ts_cli_option;
#define TS_CLI_APPLIES ((size_t)-1)

extern const ts_cli_option ts_cli_option_rows[], ts_cli_word_rows[]; /* each ends with a row without name */
const ts_cli_option *ts_cli_option_find(const ts_cli_option *rows, const char *name, size_t len);
/* Give an option its value: NULL for a flag. `shown` is how the user knows it: "--fuel", "-S tcp". */
ts_status ts_cli_option_set(ts_cli_reading *r, const ts_cli_option *o, const char *shown, const char *value,
                            ts_error *e) TS_MUST_USE;
/* The words of -S, with their values, between commas. */
ts_status ts_cli_words_set(ts_cli_reading *r, const ts_cli_option *o, const char *list, ts_error *e) TS_MUST_USE;
void ts_cli_options_help(FILE *to, ts_cli_command command);
void ts_cli_words_help(FILE *to);

/* An option of wasmtime's that we do not have: TS_USAGE with what to write instead; TS_OK: it is unknown. */
ts_status ts_cli_foreign_option(const char *arg, ts_error *e);
/* -W KEY[=VALUE],…: what has an equal here is done. */
ts_status ts_cli_wasm_words(ts_cli_reading *r, const ts_cli_option *o, const char *list, ts_error *e) TS_MUST_USE;
/* --mapdir GUEST::HOST, as wasmtime once had it. */
ts_status ts_cli_mapdir(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) TS_MUST_USE;
#endif
