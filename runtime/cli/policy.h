/* policy: a file that says what a program is granted, instead of options. TOML 1.0; a key is the name of an option that policies may
 * hold, or of a word of -S; its values are those of the option, one or an array of them, and `env` may be a table.
 * In: a path. Out: the options and grants, as the command line gives them; TS_USAGE with the line that was not understood. */
#ifndef TS_CLI_POLICY_H
#define TS_CLI_POLICY_H
#include "cli/option_table.h"

ts_status ts_cli_policy_read(ts_cli_reading *r, const char *path, ts_error *e) TS_MUST_USE;
#endif
