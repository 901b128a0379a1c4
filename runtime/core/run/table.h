/* table: tables of references.
 * In: a store, a table type. Out: tables that the store owns. spec: exec/modules#tables */
#ifndef TS_CORE_TABLE_H
#define TS_CORE_TABLE_H
#include "core/run/objects.h"

/* Makes a table of type->limits.min elements, each of them `init`. TS_LIMIT: the store does not allow so
 * many. */
ts_status ts_table_make(ts_store *s, const ts_table_type *type, ts_slot init, ts_table **out, ts_error *e) TS_MUST_USE;

/* Grows by delta elements. Returns the old size, or -1 if the growth is refused. */
int64_t ts_table_grow(ts_store *s, ts_table *t, uint64_t delta, ts_slot init);
#endif
