/* invoke: `--invoke`: one export of a component or a core module, called with arguments written as text.
 * In: 'NAME(ARGS)', or NAME and each argument as a word of its own. Out: the results on stdout, one a line.
 * Notation: WAVE for components, the text format's for core modules (core/run/text.h). */
#ifndef TS_CLI_INVOKE_H
#define TS_CLI_INVOKE_H
#include "component/run/instance.h"

/* The words behind the component's file: arguments of the guest, or of a call without parentheses. */
typedef struct ts_cli_call {
    const char *text; /* of --invoke */
    char **words;
    int n_words;
} ts_cli_call;

ts_status ts_cli_invoke_core(ts_store *s, ts_module *m, const ts_cli_call *call, ts_error *e) TS_MUST_USE;
ts_status ts_cli_invoke(ts_cstore *s, ts_cinstance *i, const ts_cli_call *call, ts_error *e) TS_MUST_USE;
#endif
