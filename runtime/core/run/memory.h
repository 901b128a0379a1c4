/* memory: linear memories: reserved with guard pages where that is possible, grown in place. spec: exec/modules#memories */
#ifndef TS_CORE_MEMORY_H
#define TS_CORE_MEMORY_H
#include "core/run/objects.h"

ts_status ts_memory_make(ts_store *s, const ts_limits *type, ts_memory **out, ts_error *e) TS_MUST_USE;
/* … memory 0 of such a module, whose data image may lie over it already (image_module). */
ts_status ts_memory_make_for(ts_store *s, const ts_module *m, const ts_limits *type, ts_memory **out,
                             ts_error *e) TS_MUST_USE;

/* Grow by delta pages; returns the old size, or -1 when refused. */
int64_t ts_memory_grow(ts_store *s, ts_memory *m, uint64_t delta);
/* Gives back its pages; the memory itself is the store's. */
void ts_memory_release(ts_memory *m);
#endif
