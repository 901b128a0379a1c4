/* enter: entering and leaving component instances, and the beginning and end of their tasks.
 * cabi: ComponentInstance.entering_set, may_enter_from, enter_from, leave_to; call_and_trap_on_throw */
#ifndef TS_COMPONENT_ABI_ENTER_H
#define TS_COMPONENT_ABI_ENTER_H
#include "base/assert.h"
#include "component/abi/instance.h"

uint32_t ts_entering_set(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance **out,
                         /* Writes at most max of the instances to out. Returns their total number,
                          * which may exceed max. */
                         uint32_t max);
ts_status ts_cannot_enter(const ts_cinstance *i, ts_error *e) TS_MUST_USE;
enum { TS_ENTER_INLINE = 16 };
ts_status ts_entering_set_in(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance ***set, uint32_t *n,
                             ts_arena *arena, ts_error *e) TS_MUST_USE;
ts_status ts_trap_on_throw(ts_error *e); /* turns an exception that leaves a component into a trap */
/* cabi: call_and_trap_on_throw */
TS_MUST_USE static inline ts_status ts_call_and_trap_on_throw(ts_cstore *s, ts_func *f, ts_slot *io, ts_error *e) {
    ts_status st = ts_call(s->core, f, io, e);
    return TS_UNLIKELY(st == TS_EXCEPTION) ? ts_trap_on_throw(e) : st;
}

/* cabi: may_enter_from, enter_from, leave_to */
static inline ts_status ts_enter_from(ts_cinstance *const *set, uint32_t n, ts_error *e) {
    for (uint32_t i = 0; i < n; i++)
        if (TS_UNLIKELY(!set[i]->may_enter)) return ts_cannot_enter(set[i], e);
    for (uint32_t i = 0; i < n; i++) set[i]->may_enter = false;
    return TS_OK;
}
static inline void ts_leave_to(ts_cinstance *const *set, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        TS_ASSERT(!set[i]->may_enter);
        set[i]->may_enter = true;
    }
}

/* Nothing is left of the caller's task when a task begins. It is restored when the task ends. */
static inline ts_task_state ts_task_begin(ts_cinstance *i, ts_task *async_task) {
    const ts_task_state before = i->running;
    i->running = (ts_task_state){.task = async_task};
    return before;
}
static inline void ts_task_end(ts_cinstance *i, ts_task_state before) {
    i->running = before;
}
#endif
