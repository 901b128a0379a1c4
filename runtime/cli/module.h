/* module: a core module as a program: a command of WASI preview 1, or a module whose export --invoke calls.
 * In: a validated module, the grants of the run. Out: its effects, and how it ended.
 * Source: application-abi.md (WebAssembly/WASI, branch wasi-0.1) */
#ifndef TS_CLI_MODULE_H
#define TS_CLI_MODULE_H
#include "cli/embed.h"
#include "cli/options.h"

/* Checks options and exports before anything runs: TS_USAGE for options that only components have,
 * TS_UNLINKABLE for a module without an entry point. */
ts_status ts_cli_module_check(const ts_cli_options *o, const ts_core_module *m, ts_error *e) TS_MUST_USE;
/* As ts_cli_link_check. */
ts_status ts_cli_module_link_check(const ts_core_module *m, bool missing_trap, ts_missing **missing,
                                   uint32_t *n_missing, ts_error *e) TS_MUST_USE;
/* Instantiates the module and calls _start, or what --invoke names. The caller frees *p after the run. */
ts_status ts_cli_module_run(const ts_cli_options *o, ts_wasi *w, ts_linker *l, ts_cstore *s, ts_core_module *m,
                            ts_p1 **p, ts_error *e) TS_MUST_USE;
#endif
