/* outcome: how a command ended: the exit status, the words on stderr, the JSON line of --outcome.
 * In: a ts_error. Out: a status of the process; see `touchstone --help`. Schema: touchstone-outcome/1 */
#ifndef TS_CLI_OUTCOME_H
#define TS_CLI_OUTCOME_H
#include "base/error.h"
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
    "{\"schema\":\"touchstone-outcome/1\",\"outcome\":\"limit\",\"message\":\"the time limit was reached\"}\n"

int ts_cli_status(const ts_error *e); /* of the process */
/* Say it on stderr: "touchstone: trap: …" and the backtrace. Nothing for an exit. */
void ts_cli_report(const ts_error *e);
/* Of one request among many, by one of several threads. */
void ts_cli_report_of(const ts_error *e, const char *method, const char *target);
/* Write the outcome file; false (and a line on stderr): it could not be written. missing: what link-error names. */
bool ts_cli_outcome(const char *path, const ts_error *e, const ts_missing *missing, uint32_t n_missing);
#endif
