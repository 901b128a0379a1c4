/* policy: a file that grants what options grant. It is TOML 1.0. A key is the name of an option that policies
 * may contain, or of a word of -S. A value is that of the option, or an array of them; `env` may be a table.
 * In: a path. Out: options and grants, as from the command line; TS_USAGE with the line that was not
 * understood. */
#ifndef TS_CLI_POLICY_H
#define TS_CLI_POLICY_H
#include "cli/option_table.h"

ts_status ts_cli_policy_read(ts_cli_reading *r, const char *path, ts_error *e) TS_MUST_USE;
#endif
