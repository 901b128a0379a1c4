/* conditions: the arguments, grants and limits of a recorded run, and how those of a replay differ.
 * In: the options and the context. Out: lines of text, "KEY = VALUE", for the record; warnings on stderr. */
#ifndef TS_CLI_CONDITIONS_H
#define TS_CLI_CONDITIONS_H
#include "cli/options.h"

/* Returns the conditions of this run, or NULL if out of memory. Values of environment variables are replaced
 * by checksums, so that a record does not disclose them. */
TS_OWN char *ts_cli_conditions(const ts_cli_options *o, const ts_wasi *w);
/* Warns of conditions that differ from those of the record. The guest gets the recorded answers, so arguments
 * and grants may be left out; if only some of them are given, one line lists the others. Limits and features
 * are not replayed, so they must be the same. */
void ts_cli_conditions_compare(const char *here, const char *recorded);
#endif
