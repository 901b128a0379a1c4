/* confine: --confine of run and serve, and `inspect --confinement`.
 * In: the options, and what the command needs besides the grants; commands that only read a file have none.
 * Out: what holds. */
#ifndef TS_CLI_CONFINE_H
#define TS_CLI_CONFINE_H
#include "cli/options.h"

/* Confine the process by --confine, or else $TOUCHSTONE_CONFINE, or else as far as the kernel can. What the engine
 * and the options need is added to *needs. */
ts_status ts_cli_confine(const ts_cli_options *o, ts_wasi *w, const ts_engine *engine, ts_confine_needs *needs,
                         ts_confinement *out, ts_error *e) TS_MUST_USE;
/* Confine a command that grants nothing, by $TOUCHSTONE_CONFINE, or else as far as the kernel can. What it reads is
 * open already, but for the files below `folder` (NULL: none). `makes_code` as in ts_confine_needs. */
ts_status ts_cli_confine_reader(const char *folder, bool makes_code, ts_error *e) TS_MUST_USE;
const char *ts_cli_confine_name(ts_confine_mode mode);
/* inspect --confinement [OPTION…]: confines itself as run would with these options, tries what is refused to
 * a process without grants, and prints the kernel's answers. argv[0] is --confinement, and argv[-1] exists. */
int ts_cli_inspect_confinement(int argc, char **argv);
#endif
