/* run: `touchstone run` and `touchstone validate`.
 * In: argv (argv[0] is the subcommand). Out: the exit status of the process. */
#ifndef TS_CLI_RUN_H
#define TS_CLI_RUN_H
int ts_cli_run(int argc, char **argv);
int ts_cli_validate(int argc, char **argv);
extern const char ts_cli_run_help[];
#endif
