/* option_table: the options of the command. Options that a policy may contain have their rows in
 * wasi/policy/rows.c; the rows here are those of the command itself and of serve.
 * In: nothing. Out: the rows; argv and --help are read through them. */
#ifndef TS_CLI_OPTION_TABLE_H
#define TS_CLI_OPTION_TABLE_H
#include "cli/options.h"
#include <stdio.h>

extern const ts_option ts_cli_rows[]; /* the last row has no name */
/* Finds an option of the command or of policies; NULL: there is none. */
const ts_option *ts_cli_option_find(const char *name, size_t len);
/* The options that one of these commands takes (a set of ts_cli_command), but for those of serve alone. */
void ts_cli_options_help(FILE *to, unsigned commands);
void ts_cli_serve_help(FILE *to);
void ts_cli_words_help(FILE *to);

/* TS_USAGE, with what to write instead, if the option is one of wasmtime's. TS_OK if it is unknown. */
ts_status ts_cli_foreign_option(const char *arg, ts_error *e);
/* -W KEY[=VALUE],…: applies each key that has an equivalent here. */
ts_status ts_cli_wasm_words(ts_reading *r, const ts_option *o, const char *list, ts_error *e) TS_MUST_USE;
/* --mapdir GUEST::HOST, an option of earlier wasmtime versions. */
ts_status ts_cli_mapdir(ts_reading *r, const ts_option *o, const char *value, ts_error *e) TS_MUST_USE;
#endif
