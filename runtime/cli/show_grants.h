/* show_grants: what was understood of grants and limits, in one canonical form, as a policy file.
 * In: the options and the context that they went to. Out: TOML on stdout, which --policy reads back as the same. */
#ifndef TS_CLI_SHOW_GRANTS_H
#define TS_CLI_SHOW_GRANTS_H
#include "cli/options.h"
#include <stdio.h>

void ts_cli_print_grants(FILE *to, const ts_cli_options *o, const ts_wasi *w);
ts_status ts_cli_show_grants(const ts_cli_options *o, const ts_wasi *w, ts_error *e) TS_MUST_USE;
#endif
