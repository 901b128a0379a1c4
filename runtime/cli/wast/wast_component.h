/* wast_component: the component side of the runner of official scripts.
 * In: component binaries, and actions and expected values as JSON. Out: instances, results as WAVE text, and
 * whether they match. spec: component-model test/README (the scripts' commands) */
#ifndef TS_CLI_WAST_COMPONENT_H
#define TS_CLI_WAST_COMPONENT_H
#include "cli/wast/json.h"
#include "component/run/instance.h"

typedef struct ts_wast_components ts_wast_components; /* shared by the components of one script */

ts_status ts_wast_components_new(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_wast_components **out,
                                 ts_error *e) TS_MUST_USE;
void ts_wast_components_free(ts_wast_components *w);
ts_status ts_wast_component_load(ts_wast_components *w, const uint8_t *bytes, size_t len, ts_component **out,
                                 ts_error *e) TS_MUST_USE;
ts_status ts_wast_component_instantiate(ts_wast_components *w, ts_component *c, ts_cinstance **out,
                                        ts_error *e) TS_MUST_USE;
ts_status ts_wast_component_register(ts_wast_components *w, const char *name, ts_cinstance *i, ts_error *e) TS_MUST_USE;
/* Calls an export. *result is its result as WAVE text, or "". If `want` is given, *expected is the script's
 * value in the same form. Returns TS_USAGE if the script's values do not fit the function. */
ts_status ts_wast_component_invoke(ts_wast_components *w, ts_cinstance *i, const ts_json *action, const ts_json *want,
                                   const char **result, const char **expected, ts_error *e) TS_MUST_USE;
/* Reports whether two trap messages mean the same. The comparison is loose, because messages are not
 * normative. */
bool ts_wast_component_trap_matches(const ts_error *e, const char *text);
#endif
