/* inspect_code: `touchstone inspect --code FUNCTION FILE`: the code of a function, as it would run.
 * In: a component or a core module, which does not run; the function's index, or its name in the name section or as an
 * export; with the module's name or number before it (main!f, 0!12) if several modules have one. Out: the listings of
 * core/tools/listing.h on stdout. */
#ifndef TS_CLI_INSPECT_CODE_H
#define TS_CLI_INSPECT_CODE_H
#include "cli/embed.h"
#include "base/error.h"

/* Core modules are numbered as they stand in the file. Prints each function that `wanted` names. TS_USAGE: there is
 * none. */
ts_status ts_cli_inspect_code(const char *wanted, ts_module *m /* or NULL */, const ts_component *c /* or NULL */,
                              ts_error *e) TS_MUST_USE;
#endif
