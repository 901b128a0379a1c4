/* outcome: how a command ended: the exit status, the words on stderr, the JSON line of --outcome.
 * In: a ts_error. Out: a status of the process; see `touchstone --help`. Schema: touchstone-outcome/1 */
#ifndef TS_CLI_OUTCOME_H
#define TS_CLI_OUTCOME_H
#include "base/error.h"
#include "cli/usage.h"
#include "component/run/instance.h"

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
#define TS_CLI_TIME_LINE                                                                                               \
    "{\"schema\":\"touchstone-outcome/1\",\"outcome\":\"limit\",\"limit\":\"--max-time\",\"message\":\"%s\"}\n"
#define TS_CLI_TIME_MESSAGE "the time limit of %s was reached"

int ts_cli_status(const ts_error *e); /* of the process */
/* Say it on stderr: "touchstone: trap: …" and the backtrace. Nothing for an exit. */
void ts_cli_report(const ts_error *e);
/* Of one request among many, by one of several threads. */
void ts_cli_report_of(const ts_error *e, const char *method, const char *target);
/* Write the outcome file; false (and a line on stderr): it could not be written. missing: what link-error names. Its members:
 * outcome; status, or kind, limit (the option), message, offset, section, imports, backtrace; and, of what has run, usage: seconds,
 * cpu_seconds (of the whole process), host_calls, fuel (where it is metered), and the most that there was of stack_bytes, depth,
 * gc_bytes, table_elements, handles, resources, files; memories: [{module, bytes}]; refused: {memory_grow, table_grow, files}. */
bool ts_cli_outcome(const char *path, const ts_error *e, const ts_missing *missing, uint32_t n_missing,
                    const ts_cli_usage *usage);
#endif
