/* policy: a file that says what a program is granted, instead of options. A strict subset of TOML: keys at the top with
 * a string, an integer, true or false, or an array of strings; the table [env] with strings; comments. All else is an
 * error. In: a path. Out: each key with each of its values, in order; TS_USAGE with the line that was not understood.
 * Source: toml.io v1.0.0 */
#ifndef TS_CLI_POLICY_H
#define TS_CLI_POLICY_H
#include "base/error.h"

typedef enum ts_cli_policy_kind { TS_CLI_POLICY_TEXT, TS_CLI_POLICY_BOOL, TS_CLI_POLICY_NUMBER } ts_cli_policy_kind;
/* table: "" or "env". A key whose array is empty is not given. */
typedef ts_status (*ts_cli_policy_set)(void *data, const char *table, const char *key, ts_cli_policy_kind kind,
                                       const char *value, ts_error *e);
ts_status ts_cli_policy_read(const char *path, ts_cli_policy_set set, void *data, ts_error *e) TS_MUST_USE;
#endif
