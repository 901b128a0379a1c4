/* table: tables of references. spec: exec/modules#tables */
#ifndef TS_CORE_TABLE_H
#define TS_CORE_TABLE_H
#include "core/run/objects.h"

ts_status ts_table_make(ts_store *s, const ts_table_type *type, ts_slot init, ts_table **out, ts_error *e) TS_MUST_USE;

/* Grow by delta elements; returns the old size, or -1 when refused. */
int64_t ts_table_grow(ts_store *s, ts_table *t, uint64_t delta, ts_slot init);
#endif
