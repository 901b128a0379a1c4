/* wast: the runner of official scripts, converted to JSON by `wasm-tools json-from-wast`.
 * In: the arguments after `wast`. Out: one line a failing command, the totals; the exit status of the process. */
#ifndef TS_CLI_WAST_H
#define TS_CLI_WAST_H

int ts_cli_wast(int argc, char **argv); /* argv[0]: "wast" */
#endif
