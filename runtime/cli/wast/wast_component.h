/* wast_component: the component side of the runner of official scripts.
 * In: binaries of components, actions and expected values as JSON. Out: instances, results as WAVE text, whether they agree.
 * spec: component-model test/README (the scripts' commands) */
#ifndef TS_CLI_WAST_COMPONENT_H
#define TS_CLI_WAST_COMPONENT_H
#include "cli/wast/json.h"
#include "component/run/instance.h"

typedef struct ts_wast_components ts_wast_components; /* what the components of one script share */

ts_status ts_wast_components_new(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_wast_components **out,
                                 ts_error *e) TS_MUST_USE;
void ts_wast_components_free(ts_wast_components *w);
ts_status ts_wast_component_load(ts_wast_components *w, const uint8_t *bytes, size_t len, ts_component **out,
                                 ts_error *e) TS_MUST_USE;
ts_status ts_wast_component_instantiate(ts_wast_components *w, ts_component *c, ts_cinstance **out,
                                        ts_error *e) TS_MUST_USE;
ts_status ts_wast_component_register(ts_wast_components *w, const char *name, ts_cinstance *i, ts_error *e) TS_MUST_USE;
/* Calls an export. *result is WAVE text, or "" without result; *expected the same of the script's value when `want` is given. TS_USAGE: the
 * script's values do not fit the function. */
ts_status ts_wast_component_invoke(ts_wast_components *w, ts_cinstance *i, const ts_json *action, const ts_json *want,
                                   const char **result, const char **expected, ts_error *e) TS_MUST_USE;
/* Do the words of a trap say the same? Loosely: messages are not normative. */
bool ts_wast_component_trap_matches(const ts_error *e, const char *text);
#endif
