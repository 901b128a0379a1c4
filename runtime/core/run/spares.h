/* spares: address space that a thread keeps from one store to the next: guarded memories and stacks. What a guest wrote is gone before it
 * is kept, so that the next one finds zeros, or the data image of its own module: without it each instance would have the system map and
 * unmap the same pages, and fault in the same ones.
 * In: memories and stacks of stores that end. Out: the same for stores that begin, on the same thread. spec: exec/modules#allocation */
#ifndef TS_CORE_SPARES_H
#define TS_CORE_SPARES_H
#include "core/run/objects.h"

ts_spares *ts_spares_new(void); /* NULL: no memory */
void ts_spares_free(ts_spares *s);
/* Where there is one that fits (s may be NULL). module: whose memory 0 it will be, or NULL. */
bool ts_spares_take_memory(ts_spares *s, const ts_module *module, ts_memory *m);
bool ts_spares_keep_memory(ts_spares *s, ts_memory *m); /* false: it is the caller's still */
void *ts_spares_take_stack(ts_spares *s, size_t len);
bool ts_spares_keep_stack(ts_spares *s, void *stack, size_t len);
#endif
