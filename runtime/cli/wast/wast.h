/* wast: the runner of official scripts that `wasm-tools json-from-wast` has converted to JSON.
 * In: the arguments after `wast`. Out: a line for each failing command, the totals; the exit status of the
 * process. */
#ifndef TS_CLI_WAST_H
#define TS_CLI_WAST_H

int ts_cli_wast(int argc, char **argv); /* argv[0]: "wast" */
#endif
