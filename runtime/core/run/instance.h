/* instance: modules become instances. spec: exec/modules#instantiation */
#ifndef TS_CORE_INSTANCE_H
#define TS_CORE_INSTANCE_H
#include "core/run/objects.h"

/* Instantiate: `imports` in the module's order, already checked by the caller for presence; types are checked here (TS_UNLINKABLE).
 * Runs active segments and the start function (which may trap: TS_TRAP; the instance then stays alive, as the spec says, but *out is NULL). */
ts_status ts_instantiate(ts_store *s, ts_module *m, const ts_extern *imports, const char *name, ts_instance **out,
                         ts_error *e) TS_MUST_USE;
bool ts_instance_export(const ts_instance *i, const char *name, size_t len, ts_extern *out);
/* spec: valid/matching#external-types, with the current size of memories and tables as their minimum. */
bool ts_extern_matches(ts_store *s, const ts_extern *x, const ts_import *want);
const char *ts_extern_mismatch(ts_store *s, const ts_extern *x, const ts_import *want, char *buf, size_t size);
#endif
