/* options: what a command was asked to do, as a value. argv and policy files are read once, before anything
 * runs.
 * In: argv. Out: the options, with the grants in a WASI context; TS_USAGE with the word that was not
 * understood. Each option is a row of option_table.c or of wasi/policy/rows.c. No other file knows
 * their names. */
#ifndef TS_CLI_OPTIONS_H
#define TS_CLI_OPTIONS_H
#include "cli/embed.h"
#include "base/error.h"
#include "sys/input.h"

typedef enum ts_cli_command { TS_CLI_RUN = 1, TS_CLI_SERVE = 2 } ts_cli_command;

typedef struct ts_cli_serve_options { /* options of serve only; 0: the default */
    ts_http_server_config config;
    uint64_t reuse, grace;
    const char *addr, *log_path; /* log_path NULL: stderr */
    bool log;
} ts_cli_serve_options;

typedef struct ts_cli_options {
    ts_settings set; /* what a policy may contain; the first member (see ts_reading) */
    const char *component;
    char **args; /* the guest's arguments, after the component */
    int n_args;
    const char *argv0, *outcome, *profile, *trace_output, *trace_filter; /* trace_filter NULL: trace everything */
    const char *invoke; /* the export to call, with its arguments; NULL: wasi:cli/run */
    bool trace, trace_lines, trace_times, trace_summary, trace_all; /* trace: any of them was given */
    bool canonical_nans, show_grants, perf_map, gdb_jit;
    ts_cli_serve_options serve;
} ts_cli_options;

/* Uses this folder, else $TOUCHSTONE_CACHE, else none. A folder that cannot be used is reported and
 * ignored. */
const char *ts_cli_cache_folder(const char *folder);
void ts_cli_use_cache(ts_engine *engine, const char *folder, const ts_sys_input *file);
/* Sets the tier, or that of $TOUCHSTONE_ENGINE if it is the default. TS_USAGE: the variable names none. */
ts_status ts_cli_use_tier(ts_engine *engine, ts_tier tier, ts_error *e) TS_MUST_USE;
/* Writes the profile of --profile. A failure is reported in *e unless that has another one. */
void ts_cli_profile_end(ts_engine *engine, const ts_cli_options *o, ts_error *e);
/* Adds the grants to the context. Sets o->outcome first, so that it is known if anything else fails. Strings
 * of argv are not copied. */
ts_status ts_cli_options_read(ts_cli_command command, int argc, char **argv, ts_wasi *w, ts_cli_options *o,
                              ts_error *e) TS_MUST_USE;
void ts_cli_options_free(ts_cli_options *o);
/* Returns a linker that provides WASI from a context with these grants, except for denied interfaces. */
ts_status ts_cli_linker(const ts_cli_options *o, ts_wasi *w, TS_OWN ts_linker **out, ts_error *e) TS_MUST_USE;
#endif
