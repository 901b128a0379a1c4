/* conditions: under what arguments, grants and limits a run is recorded, and how those of a replay differ.
 * In: the options and the context. Out: lines of text, "KEY = VALUE", for the record; warnings on stderr. */
#ifndef TS_CLI_CONDITIONS_H
#define TS_CLI_CONDITIONS_H
#include "cli/options.h"

/* The conditions of this run. Values of the environment are there as sums: a record is not to give them away. NULL: no memory. */
TS_OWN char *ts_cli_conditions(const ts_cli_options *o, const ts_wasi *w);
/* Warn of what is given here and was not recorded so. The guest gets what was recorded, so arguments and grants may be left out; limits
 * and features come from no record, so they are to be the same. */
void ts_cli_conditions_compare(const char *here, const char *recorded);
#endif
