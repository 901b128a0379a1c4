/* instance: instantiates modules, finds exports, and matches imports with what is given for them.
 * In: a validated module, one value per import. Out: an initialized and started instance, or why there is
 * none.
 * spec: exec/modules#instantiation, valid/matching#external-types */
#ifndef TS_CORE_INSTANCE_H
#define TS_CORE_INSTANCE_H
#include "core/run/objects.h"

/* `imports` has one value per import, in the module's order. Their types are checked here: TS_UNLINKABLE.
 * `name` is for backtraces; it may be NULL, and is copied. The instance belongs to the store. Active
 * segments and the start function run here. If one of them traps, the status is TS_TRAP and *out is NULL,
 * but the instance stays alive, as the spec demands, because its functions may be in an imported table. */
ts_status ts_instantiate(ts_store *s, ts_module *m, const ts_extern *imports, const char *name, ts_instance **out,
                         ts_error *e) TS_MUST_USE;
/* Frees an instance, or gives it to the spares of its store's thread. The store calls this when it ends. */
void ts_instance_free(ts_instance *i);
/* False: the instance has no export of this name. */
bool ts_instance_export(const ts_instance *i, const char *name, size_t len, ts_extern *out);
/* spec: valid/matching#external-types, with the current size of memories and tables as their minimum. */
bool ts_extern_matches(ts_store *s, const ts_extern *x, const ts_import *want);
/* Writes why x does not match into buf (`size` bytes, truncated if need be), and returns buf. */
const char *ts_extern_mismatch(ts_store *s, const ts_extern *x, const ts_import *want, char *buf, size_t size);
#endif
