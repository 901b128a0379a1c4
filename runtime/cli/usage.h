/* usage: what a run has taken, so that limits can be chosen; and what limits have refused without a failure.
 * In: the store and the context of a run that is over. Out: an object of --outcome; lines on stderr. */
#ifndef TS_CLI_USAGE_H
#define TS_CLI_USAGE_H
#include "cli/options.h"
#include "component/run/instance.h"
#include "core/run/usage.h"
#include "wasi/wasi.h"

typedef struct ts_cli_usage {
    const ts_store *store; /* for the sizes of its memories; NULL: nothing has run */
    uint64_t wall_ns, cpu_ns, host_calls;
    uint64_t handles; /* the most that one component instance has held at once */
    ts_store_usage core;
    ts_wasi_usage wasi;
} ts_cli_usage;

/* started: ts_sys_monotonic() when the run began. store NULL: nothing has run. */
void ts_cli_usage_take(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w, uint64_t started);
/* What was refused, and nothing that takes time to find. */
void ts_cli_usage_refused(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w);
/* Say on stderr what was refused: memory.grow, table.grow, files. */
void ts_cli_usage_report(const ts_cli_usage *u, const ts_cli_options *o);
/* The option that sets a limit, "--max-memory"; "" where there is none. */
const char *ts_cli_limit_option(ts_limit_kind limit);
#endif
