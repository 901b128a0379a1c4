/* spares: address space that a thread keeps from one store for the next: guarded memories, instances with many
 * functions, and interpreter stacks.
 * In: memories, instances and stacks of stores that are freed. Out: the same for new stores on the same thread.
 * spec: exec/modules#allocation
 *
 * A memory is cleared before it is kept, so that its next user finds zeros, or the data image of its own
 * module. The functions of an instance are the same for the next one of its module at the same address. Without
 * spares, the system would map, fault in and unmap the same pages again for each instance. */
#ifndef TS_CORE_SPARES_H
#define TS_CORE_SPARES_H
#include "core/run/objects.h"

ts_spares *ts_spares_new(void); /* NULL: no memory */
void ts_spares_free(ts_spares *s);
/* Sets m's base, reserved, guarded and image_module from a spare memory of m->len bytes. Returns false if
 * none fits. `module` is the one that the memory becomes memory 0 of, or NULL. s may be NULL, also below. */
bool ts_spares_take_memory(ts_spares *s, const ts_module *module, ts_memory *m);
/* Takes ownership of the memory's pages. Returns false if it does not; then they remain the caller's. */
bool ts_spares_keep_memory(ts_spares *s, ts_memory *m);
/* The same for an instance that has pages of its own, and its reference to its module. Its functions stay as they are. */
ts_instance *ts_spares_take_instance(ts_spares *s, const ts_module *module);
bool ts_spares_keep_instance(ts_spares *s, ts_instance *i);
/* The same for a stack of `len` bytes. What is in a stack that is taken is undefined. NULL: none of this
 * size. */
void *ts_spares_take_stack(ts_spares *s, size_t len);
bool ts_spares_keep_stack(ts_spares *s, void *stack, size_t len);
#endif
