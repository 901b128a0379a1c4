/* options: what a command was asked for, as a value: argv and policy files are read once, before anything runs.
 * In: argv. Out: the options, with the grants in a WASI context; TS_USAGE with the word that was not understood.
 * The rows of option_table.c say what each option is; nothing else knows its name. */
#ifndef TS_CLI_OPTIONS_H
#define TS_CLI_OPTIONS_H
#include "base/error.h"
#include "base/vec.h"
#include "component/run/host.h"
#include "component/run/linker.h"
#include "http/server/server.h"
#include "sys/input.h"
#include "wasi/wasi.h"

typedef enum ts_cli_command { TS_CLI_RUN = 1, TS_CLI_SERVE = 2 } ts_cli_command;

typedef struct ts_cli_serve_options { /* of serve alone; 0: its default */
    ts_http_server_config config;
    uint64_t reuse, grace;
    const char *addr, *log_path; /* log_path NULL: stderr */
    bool log;
} ts_cli_serve_options;

typedef struct ts_cli_options {
    const char *component;
    char **args; /* of the guest, after the component */
    int n_args;
    const char *argv0, *outcome, *trace_output, *trace_filter; /* trace_filter NULL: all */
    const char *record, *replay;
    const char *invoke; /* the export to call, with its arguments; NULL: wasi:cli/run */
    const char *cache;  /* folder; NULL: see ts_cli_use_cache */
    uint32_t features;  /* of the component model: TS_CF_* */
    bool trace, trace_lines, trace_times, trace_summary, trace_all; /* trace: one of its options was given */
    bool unknown_imports_trap, deterministic, canonical_nans, show_grants;
    bool clock, seed;                                                            /* given */
    uint64_t max_memory, max_time_ns, fuel, stack, max_table, max_depth, max_gc; /* 0: not set */
    ts_cli_serve_options serve;
    TS_VEC(char *) denied, unstable; /* of the linker: interfaces, features */
    TS_VEC(char *) kept;             /* strings of policies that the fields above point to */
} ts_cli_options;

/* The folder, or that of $TOUCHSTONE_CACHE, or none; one that cannot be used is said and left out. */
void ts_cli_use_cache(ts_engine *engine, const char *folder, const ts_sys_input *file);
/* Grants go into the context. o->outcome is set first, so that it is known when the rest fails. Strings of argv are not copied. */
ts_status ts_cli_options_read(ts_cli_command command, int argc, char **argv, ts_wasi *w, ts_cli_options *o,
                              ts_error *e) TS_MUST_USE;
void ts_cli_options_free(ts_cli_options *o);
/* A linker that provides WASI from a context with these grants, but for what is denied. */
ts_status ts_cli_linker(const ts_cli_options *o, ts_wasi *w, TS_OWN ts_linker **out, ts_error *e) TS_MUST_USE;
#endif
