/* outcome: how a command ended: the exit status, the messages on stderr, the JSON line of --outcome.
 * In: a ts_error. Out: the exit status of the process; see `touchstone --help`.
 * Schema: touchstone-outcome/1 */
#ifndef TS_CLI_OUTCOME_H
#define TS_CLI_OUTCOME_H
#include "cli/embed.h"
#include "base/error.h"
#include "cli/usage.h"

enum {
    TS_CLI_USAGE = 120,
    TS_CLI_MALFORMED,
    TS_CLI_INVALID,
    TS_CLI_LINK,
    TS_CLI_LIMIT,
    TS_CLI_IO,
    TS_CLI_UNSUPPORTED,
    TS_CLI_INTERNAL,
    TS_CLI_TRAP = 134,
};
#define TS_CLI_KILLED_LINE "{\"schema\":\"touchstone-outcome/1\",\"outcome\":\"killed\",\"signal\":\"%s\"}\n"
#define TS_CLI_TRUNCATED_LINE                                                                                          \
    "{\"schema\":\"touchstone-outcome/1\",\"outcome\":\"io-error\",\"message\":\"a file was truncated while it was "   \
    "in use\"}\n"
#define TS_CLI_TIME_LINE                                                                                               \
    "{\"schema\":\"touchstone-outcome/1\",\"outcome\":\"limit\",\"limit\":\"--max-time\",\"message\":\"%s\"}\n"
#define TS_CLI_TIME_MESSAGE "the time limit of %s was reached"

/* What a run has besides its error when it ends. */
typedef struct ts_cli_ending {
    const ts_missing *missing; /* the imports of a link-error */
    uint32_t n_missing;
    const ts_cli_usage *usage;
    const ts_confinement *confinement; /* its mode is 0 if the run ended before */
} ts_cli_ending;

int ts_cli_status(const ts_error *e); /* the exit status of the process */
/* Reports the error on stderr: "touchstone: trap: …" and the backtrace. An exit is not reported. */
void ts_cli_report(const ts_error *e);
/* Reports the failure of one request. Several threads may call this at once. */
void ts_cli_report_of(const ts_error *e, const char *method, const char *target);
/* Writes the outcome file. Returns false, with a line on stderr, if it cannot be written. The
 * members are:
 * outcome; status, or kind, limit (the option), message, offset, section, imports, backtrace.
 * If something has run, also usage: seconds, cpu_seconds (of the whole process), host_calls,
 * fuel (if metered); the peaks of stack_bytes, depth, gc_bytes, table_elements, handles, resources, files;
 * memories: [{module, bytes}]; refused: {memory_grow, table_grow, files}.
 * If the grants were read, also confinement: the members of ts_confinement. */
bool ts_cli_outcome(const char *path, const ts_error *e, const ts_cli_ending *ending);
#endif
