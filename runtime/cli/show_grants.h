/* show_grants: the grants and limits as they were understood, in one canonical form, as a policy file.
 * In: the options and the context that holds the grants. Out: TOML on stdout; --policy reads it back
 * unchanged. */
#ifndef TS_CLI_SHOW_GRANTS_H
#define TS_CLI_SHOW_GRANTS_H
#include "cli/options.h"
#include <stdio.h>

void ts_cli_print_grants(FILE *to, const ts_cli_options *o, const ts_wasi *w);
ts_status ts_cli_show_grants(const ts_cli_options *o, const ts_wasi *w, ts_error *e) TS_MUST_USE;
#endif
