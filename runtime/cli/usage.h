/* usage: the resources that a run has used, as a basis for limits, and the requests that limits have refused.
 * In: the store and the context of a finished run. Out: an object of --outcome; lines on stderr. */
#ifndef TS_CLI_USAGE_H
#define TS_CLI_USAGE_H
#include "cli/embed.h"
#include "cli/options.h"

typedef struct ts_cli_usage {
    const ts_store *store; /* source of the memory sizes; NULL: nothing has run */
    uint64_t wall_ns, cpu_ns, host_calls;
    uint64_t handles; /* the peak in one component instance */
    ts_store_usage core;
    ts_wasi_usage wasi;
} ts_cli_usage;

/* `started` is ts_sys_monotonic() at the start of the run. `store` is NULL if nothing has run. */
void ts_cli_usage_take(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w, uint64_t started);
/* Collects the refusals only: nothing that takes time to find. */
void ts_cli_usage_refused(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w);
/* Reports refusals on stderr: memory.grow, table.grow, files. */
void ts_cli_usage_report(const ts_cli_usage *u, const ts_cli_options *o);
/* Returns the option that sets a limit, such as "--max-memory", or "" if no option does. */
const char *ts_cli_limit_option(ts_limit_kind limit);
#endif
