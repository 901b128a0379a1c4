/* invoke: `--invoke` calls one export of a component or a core module with arguments written as text.
 * In: 'NAME(ARGS)', or NAME and each argument as a separate word. Out: the results on stdout, one per line.
 * Notation: WAVE for components, the text format for core modules (core/run/text.h). */
#ifndef TS_CLI_INVOKE_H
#define TS_CLI_INVOKE_H
#include "cli/embed.h"

/* The words after the component's file are the guest's arguments, or those of a call without parentheses. */
typedef struct ts_cli_call {
    const char *text; /* the value of --invoke */
    char **words;
    int n_words;
} ts_cli_call;

ts_status ts_cli_invoke_core(ts_store *s, ts_instance *instance, const ts_cli_call *call, ts_error *e) TS_MUST_USE;
ts_status ts_cli_invoke(ts_cstore *s, ts_cinstance *i, const ts_cli_call *call, ts_error *e) TS_MUST_USE;
#endif
