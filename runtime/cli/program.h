/* program: the file given to a command, and the export of its component that the command needs.
 * In: a path; a component and the name of an interface. Out: the file's bytes, an export; or a message that
 * says what to do instead. */
#ifndef TS_CLI_PROGRAM_H
#define TS_CLI_PROGRAM_H
#include "cli/embed.h"
#include "sys/input.h"

/* Returns TS_IO, or TS_MALFORMED if the file is text or was compiled by another runtime: the decoder's own
 * message would not say so. `map`: the file may be mapped, for a command that ends soon; a server reads it
 * whole, because the file may be overwritten while it runs. */
ts_status ts_cli_program_open(const char *path, bool map, ts_sys_input *out, ts_error *e) TS_MUST_USE;
/* Finds the export "wasi:cli/run" or "wasi:http/incoming-handler" of a released version 0.2. TS_UNSUPPORTED
 * names the versions that the component has; TS_UNLINKABLE names the command that can run what it exports. */
ts_status ts_cli_program_export(const ts_component *c, const char *interface, const ts_named_extern **out,
                                ts_error *e) TS_MUST_USE;
#endif
