/* handles: the handle table of an instance and the operations on it.
 * cabi: Table, lift_own, lift_borrow, lower_own, lower_borrow, canon_resource_new
 * cabi: canon_resource_drop, canon_resource_rep */
#ifndef TS_COMPONENT_ABI_HANDLES_H
#define TS_COMPONENT_ABI_HANDLES_H
#include "component/abi/context.h"

ts_status ts_handle_table_get(ts_handle_table *t, uint32_t i, ts_handle **out, ts_error *e) TS_MUST_USE;
ts_status ts_handle_table_add(ts_handle_table *t, const ts_handle *h, uint32_t *i, ts_error *e) TS_MUST_USE;
ts_status ts_handle_table_remove(ts_handle_table *t, uint32_t i, ts_handle *out, ts_error *e) TS_MUST_USE;
ts_status ts_lift_own(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lift_borrow(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lower_own(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) TS_MUST_USE;
ts_status ts_lower_borrow(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) TS_MUST_USE;
static inline void ts_subtask_init(ts_subtask *s) {
    s->n_lenders = 0;
    s->cap = 8;
    s->lenders = s->inline_lenders;
}
static inline void ts_added_handles_init(ts_added_handles *a) {
    a->n = 0;
    a->cap = 8;
    a->indices = a->inline_indices;
}
/* Removes these handles from the table of the context's instance again. */
void ts_remove_added_handles(ts_cabi_cx *cx);
void ts_subtask_deliver_resolve(ts_subtask *s, ts_cinstance *inst); /* cabi: Subtask.deliver_resolve */
ts_status ts_resource_destroy(ts_cstore *s, ts_resource *rt, uint64_t rep, ts_cinstance *caller, ts_arena *arena,
                              ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_new(ts_cinstance *inst, ts_resource *rt, uint64_t rep, uint32_t *out,
                                ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_drop(ts_cinstance *inst, ts_resource *rt, uint32_t i, ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_rep(ts_cinstance *inst, ts_resource *rt, uint32_t i, uint64_t *out,
                                ts_error *e) TS_MUST_USE;
#endif
