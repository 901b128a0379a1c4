/* option_table: one row per option and per word of -S: the type of its argument, where the value goes, which
 * commands take it, whether a policy file may contain it, and its help text.
 * In: nothing. Out: the rows; argv, policy files and --help are all read through them. */
#ifndef TS_CLI_OPTION_TABLE_H
#define TS_CLI_OPTION_TABLE_H
#include "cli/options.h"
#include <stdio.h>

/* The form of an option's argument, and the C type of its value at `target`. */
typedef enum ts_cli_form {
    TS_CLI_FLAG,     /* no argument: bool */
    TS_CLI_TEXT,     /* const char *, or passed to `apply` */
    TS_CLI_OPTIONAL, /* the same, but only as --name=VALUE; NULL without a value */
    TS_CLI_NUMBER,   /* uint64_t */
    TS_CLI_NUMBER32, /* uint32_t */
    TS_CLI_SIZE,     /* bytes, uint64_t */
    TS_CLI_SIZE32,   /* bytes, uint32_t */
    TS_CLI_TIME,     /* nanoseconds, uint64_t */
    TS_CLI_SWITCH,   /* a word of -S: y or n; `apply` gets "y" or "n" */
    TS_CLI_IGNORED,  /* a word of -S whose number is parsed and ignored */
    TS_CLI_ELSEWHERE /* a word of -S outside WASI 0.2, refused unless =n; or a limit that we do not have */
} ts_cli_form;

typedef enum ts_cli_in_policy {
    TS_CLI_NOT, /* not allowed in a policy */
    TS_CLI_ONE, /* one value */
    TS_CLI_MANY /* one value or an array of them */
} ts_cli_in_policy;

typedef struct ts_cli_reading { /* where the values go */
    ts_wasi *w;
    ts_cli_options *o;
} ts_cli_reading;

typedef struct ts_cli_option {
    const char *name;     /* without dashes */
    const char *argument; /* as shown in help; NULL: none */
    ts_cli_form form;
    ts_cli_in_policy policy;
    unsigned commands; /* a set of ts_cli_command */
    size_t target;     /* offset in ts_cli_options; TS_CLI_APPLIES: call `apply` */
    ts_status (*apply)(ts_cli_reading *r, const struct ts_cli_option *o, const char *value, ts_error *e);
    uint64_t detail;  /* passed to apply; the maximum of a number, 0: no bound */
    const char *help; /* NULL: not listed */
} ts_cli_option;
#define TS_CLI_APPLIES ((size_t)-1)

extern const ts_cli_option ts_cli_option_rows[], ts_cli_word_rows[]; /* the last row has no name */
const ts_cli_option *ts_cli_option_find(const ts_cli_option *rows, const char *name, size_t len);
/* Sets an option to a value (NULL for a flag). `shown` is the option as the user wrote it: "--fuel", "-S
 * tcp". */
ts_status ts_cli_option_set(ts_cli_reading *r, const ts_cli_option *o, const char *shown, const char *value,
                            ts_error *e) TS_MUST_USE;
/* Calls `word_fn` for each word of a list with commas until one fails; an empty word is TS_USAGE. The word may be written to. */
typedef ts_status (*ts_cli_word)(ts_cli_reading *r, char *word, const char *list, ts_error *e);
ts_status ts_cli_each_word(ts_cli_reading *r, const char *option, const char *list, ts_cli_word word_fn,
                           ts_error *e) TS_MUST_USE;
/* Applies a comma-separated list of words of -S, with their values. */
ts_status ts_cli_words_set(ts_cli_reading *r, const ts_cli_option *o, const char *list, ts_error *e) TS_MUST_USE;
void ts_cli_options_help(FILE *to, ts_cli_command command);
void ts_cli_words_help(FILE *to);

/* TS_USAGE, with what to write instead, if the option is one of wasmtime's. TS_OK if it is unknown. */
ts_status ts_cli_foreign_option(const char *arg, ts_error *e);
/* -W KEY[=VALUE],…: applies each key that has an equal here. */
ts_status ts_cli_wasm_words(ts_cli_reading *r, const ts_cli_option *o, const char *list, ts_error *e) TS_MUST_USE;
/* --mapdir GUEST::HOST, an option of earlier wasmtime versions. */
ts_status ts_cli_mapdir(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) TS_MUST_USE;
#endif
