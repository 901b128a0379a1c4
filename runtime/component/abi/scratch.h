/* scratch: memory for nested calls. There is one arena for each depth, which is reset when the call ends. */
#ifndef TS_COMPONENT_ABI_SCRATCH_H
#define TS_COMPONENT_ABI_SCRATCH_H
#include "component/abi/instance.h"

ts_status ts_scratch_enter_deep(ts_cstore *s, ts_arena **out, ts_error *e) TS_MUST_USE;
TS_MUST_USE static inline ts_status ts_scratch_enter(ts_cstore *s, ts_arena **out, ts_error *e) {
    if (TS_UNLIKELY(s->depth >= TS_SCRATCH_FIRST)) return ts_scratch_enter_deep(s, out, e);
    *out = &s->scratch[s->depth++];
    return TS_OK;
}
void ts_scratch_reset(ts_arena *a);
/* The error when an arena has no room for the values of a call. It is a limit if what the arena holds is near
 * its own, and otherwise a want of memory. */
ts_status ts_scratch_full(const ts_arena *a, ts_error *e);
static inline void ts_scratch_leave(ts_cstore *s) {
    uint32_t d = --s->depth;
    ts_arena *a = TS_UNLIKELY(d >= TS_SCRATCH_FIRST) ? &s->deep[d - TS_SCRATCH_FIRST] : &s->scratch[d];
    if (a->head) ts_scratch_reset(a);
}
#endif
