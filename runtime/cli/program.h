/* program: the file that a command is given, and what its component exports that a command can use.
 * In: a path; a component and the name of an interface. Out: the file's bytes, an export; else words that say what to do instead. */
#ifndef TS_CLI_PROGRAM_H
#define TS_CLI_PROGRAM_H
#include "component/binary/component.h"
#include "sys/input.h"

/* TS_IO; TS_MALFORMED where the file is text, or was compiled by another runtime, as nothing that decodes it would say. */
ts_status ts_cli_program_open(const char *path, ts_sys_input *out, ts_error *e) TS_MUST_USE;
/* The export "wasi:cli/run" or "wasi:http/incoming-handler", of a released version 0.2; TS_UNSUPPORTED names the versions that are there,
 * TS_UNLINKABLE the command that takes what is there. */
ts_status ts_cli_program_export(const ts_component *c, const char *interface, const ts_named_extern **out,
                                ts_error *e) TS_MUST_USE;
#endif
