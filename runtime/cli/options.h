/* options: the options of `touchstone run`.
 * In: argv. Out: what was asked for; TS_USAGE with the word that was not understood. */
#ifndef TS_CLI_OPTIONS_H
#define TS_CLI_OPTIONS_H
#include "base/error.h"
#include "base/vec.h"
#include "component/run/host.h"
#include "sys/input.h"
#include "wasi/wasi.h"

typedef struct ts_cli_options {
    const char *component;
    char **args; /* of the guest, after the component */
    int n_args;
    const char *argv0, *outcome, *trace_output, *trace_filter; /* trace_filter NULL: all */
    const char *invoke; /* the export to call, with its arguments; NULL: wasi:cli/run */
    const char *cache;  /* folder; NULL: see ts_cli_use_cache */
    uint32_t features;  /* of the component model: TS_CF_* */
    bool trace, unknown_imports_trap, deterministic;
    bool clock, seed;                                                            /* given */
    uint64_t max_memory, max_time_ns, fuel, stack, max_table, max_depth, max_gc; /* 0: not set */
} ts_cli_options;

/* What another command than run takes besides. */
typedef struct ts_cli_more {
    const char *command;
    const char *const *takes; /* "--addr": with a value; ends with NULL */
    const char *const *words; /* "--log": with a value only as --log=VALUE; ends with NULL */
    ts_status (*apply)(void *data, const char *name, const char *value, ts_error *e);
    void *data;
} ts_cli_more;
typedef enum ts_cli_kind { TS_CLI_NUMBER, TS_CLI_SIZE, TS_CLI_TIME } ts_cli_kind;
/* "64MiB", "10s": bytes, nanoseconds. TS_USAGE */
ts_status ts_cli_quantity(const char *option, const char *s, ts_cli_kind kind, uint64_t *out, ts_error *e) TS_MUST_USE;
/* The folder, or that of $TOUCHSTONE_CACHE, or none; one that cannot be used is said and left out. */
void ts_cli_use_cache(ts_engine *engine, const char *folder, const ts_sys_input *file);
/* Grants go straight into the WASI context and the linker. o->outcome is set first, so that it is known when the rest
 * fails. */
ts_status ts_cli_options_read(int argc, char **argv, ts_wasi *w, ts_linker *l, const ts_cli_more *more /* or NULL */,
                              ts_cli_options *o, ts_error *e) TS_MUST_USE;
#endif
