/* memory: linear memories, reserved with guard pages where that is possible, and grown in place.
 * In: a store, a memory type. Out: memories that the store owns.
 * spec: exec/modules#memories, exec/modules#growing-memories */
#ifndef TS_CORE_MEMORY_H
#define TS_CORE_MEMORY_H
#include "core/run/objects.h"

/* Makes a zeroed memory of type->min pages. TS_LIMIT: that is more than the type or the store allows. */
ts_status ts_memory_make(ts_store *s, const ts_limits *type, ts_memory **out, ts_error *e) TS_MUST_USE;
/* The same for memory 0 of the module m (NULL: of none). A spare memory with m's data image mapped over it
 * may be used; then image_module is m. */
ts_status ts_memory_make_for(ts_store *s, const ts_module *m, const ts_limits *type, ts_memory **out,
                             ts_error *e) TS_MUST_USE;

/* Grows by delta pages. Returns the old size in pages, or -1 if the growth is refused. */
int64_t ts_memory_grow(ts_store *s, ts_memory *m, uint64_t delta);
/* Returns the pages to the system. The ts_memory itself remains the store's. */
void ts_memory_release(ts_memory *m);
#endif
