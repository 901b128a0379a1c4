/* run: the subcommands `touchstone run` and `validate`; those of serve.c and inspect.c.
 * In: argv (argv[0] is the subcommand). Out: the exit status of the process. */
#ifndef TS_CLI_RUN_H
#define TS_CLI_RUN_H
#include "cli/embed.h"
#include "cli/options.h"

int ts_cli_run(int argc, char **argv);
int ts_cli_validate(int argc, char **argv);
int ts_cli_serve(int argc, char **argv);
int ts_cli_inspect(int argc, char **argv);

/* Shared by run and serve. */
/* Opens the component's file, and makes an engine with the cache. Nothing of the file is decoded. */
ts_status ts_cli_open(const ts_cli_options *o, bool map, ts_sys_input *file, ts_engine **engine,
                      ts_error *e) TS_MUST_USE;
ts_status ts_cli_load(const ts_cli_options *o, const ts_sys_input *file, ts_engine *engine, ts_component **component,
                      ts_error *e) TS_MUST_USE;
/* Reports every import that nothing provides on stderr. The caller frees *missing. */
ts_status ts_cli_link_check(ts_linker *l, ts_component *c, bool missing_trap, ts_missing **missing, uint32_t *n_missing,
                            ts_error *e) TS_MUST_USE;
/* Reports what is missing on stderr, m[0] to m[n_known - 1] of n imports. Always returns TS_UNLINKABLE. */
ts_status ts_cli_link_error(const ts_missing *m, uint32_t n_known, uint32_t n, ts_error *e) TS_MUST_USE;
bool ts_cli_traces(const ts_cli_options *o);
ts_trace ts_cli_trace(const ts_cli_options *o, void (*line)(void *data, const char *line, size_t len), void *data);
ts_run_limits ts_cli_limits(const ts_cli_options *o);
#endif
