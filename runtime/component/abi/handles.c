/* handles: the handle table of a component instance, and the canonical definitions of resources.
 * In: indices from guests, and resource types. Out: handles, or traps in the order of the text.
 * spec: CanonicalABI.md#table-state, #resource-state, #canon-resourcenew, #canon-resourcedrop,
 * #canon-resourcerep */
#include "base/assert.h"
#include "component/abi/trap.h"
#include "component/abi/handles.h"
#include "component/abi/enter.h"
#include "component/abi/scratch.h"
#include <stdio.h>
#include <string.h>

/* cabi: Table.get */
ts_status ts_handle_table_get(ts_handle_table *t, uint32_t i, ts_handle **out, ts_error *e) {
    TS_TRAP_IF(e, i == 0 || i >= t->len || t->array[i].kind == TS_HANDLE_FREE, "unknown handle index %u", i);
    *out = &t->array[i];
    return TS_OK;
}

/* cabi: Table.add */
ts_status ts_handle_table_add(ts_handle_table *t, const ts_handle *h, uint32_t *i, ts_error *e) {
    uint32_t at = t->free;
    if (at) {
        TS_ASSERT(at < t->len && t->array[at].kind == TS_HANDLE_FREE);
        t->free = t->array[at].num_lends;
    } else {
        at = t->len ? t->len : 1;
        uint32_t max = t->max ? t->max : TS_TABLE_MAX;
        if (at > max)
            return ts_fail_limit(e, TS_LIMIT_TABLE, TS_TRAP_CABI, "the handle table is full: %u entries", max);
        if (at >= t->cap && !ts_vec_grow((void **)&t->array, &t->cap, (uint64_t)at + 1, sizeof *t->array)) {
            return ts_fail_nomem(e);
        }
        if (t->len == 0) memset(&t->array[0], 0, sizeof t->array[0]);
        t->len = at + 1;
    }
    t->array[at] = *h;
    t->live++;
    *i = at;
    return TS_OK;
}

/* cabi: Table.remove */
ts_status ts_handle_table_remove(ts_handle_table *t, uint32_t i, ts_handle *out, ts_error *e) {
    ts_handle *h = NULL;
    TS_TRY(ts_handle_table_get(t, i, &h, e));
    *out = *h;
    TS_ASSERT(t->live > 0);
    h->kind = TS_HANDLE_FREE;
    h->num_lends = t->free;
    h->rt = NULL;
    h->scope = NULL;
    t->free = i;
    t->live--;
    return TS_OK;
}

bool ts_resource_of_guest(const ts_resource *rt, const char **host_name) {
    *host_name = rt->host_def ? rt->host_def->name : NULL;
    return rt->impl != NULL;
}
static const char *rt_name(const ts_resource *rt, char buf[128]) {
    if (!rt) return "no resource";
    if (rt->host_def) {
        snprintf(buf, 128, "%s %s", rt->host_def->interface, rt->host_def->name);
        return buf;
    }
    return rt->name ? rt->name : "guest-defined resource";
}
static ts_status wrong_type(ts_error *e, uint32_t i, const ts_resource *want, const ts_resource *have) {
    char a[128], b[128];
    bool both_guest = want && have && !want->host_def && !have->host_def && !want->name && !have->name;
    return ts_cabi_trap(e, "handle index %u used with the wrong type, expected %s but found %s%s", i, rt_name(want, a),
                        both_guest ? "a different " : "", rt_name(have, b));
}

void ts_subtask_deliver_resolve(ts_subtask *s, ts_cinstance *inst) {
    for (uint32_t k = 0; k < s->n_lenders; k++) {
        uint32_t i = s->lenders[k];
        TS_ASSERT(i < inst->handles.len && inst->handles.array[i].num_lends > 0);
        /* a handle that is lent cannot leave the table, so the index still refers to it */
        if (i < inst->handles.len) inst->handles.array[i].num_lends--;
    }
    s->n_lenders = 0;
}

static ts_status add_lender(ts_cabi_cx *cx, uint32_t i) { /* cabi: Subtask.add_lender */
    ts_subtask *s = cx->subtask;
    TS_ASSERT(s && i > 0 && i < cx->inst->handles.len);
    if (s->n_lenders == s->cap) {
        uint32_t *more = ts_arena_array(cx->arena, (size_t)s->cap * 2, sizeof *more);
        if (!more) return ts_scratch_full(cx->arena, cx->err);
        memcpy(more, s->lenders, s->cap * sizeof *more);
        s->lenders = more;
        s->cap *= 2;
    }
    s->lenders[s->n_lenders++] = i;
    cx->inst->handles.array[i].num_lends++;
    return TS_OK;
}

/* cabi: lift_own */
ts_status ts_lift_own(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) {
    TS_ASSERT(t->kind == TS_CT_OWN);
    const ts_resource *rt = cx->res[t->resource];
    ts_handle h;
    TS_TRY(ts_handle_table_remove(&cx->inst->handles, i, &h, cx->err));
    if (h.rt != rt) return wrong_type(cx->err, i, rt, h.rt);
    TS_TRAP_IF(cx->err, h.num_lends != 0, "cannot remove owned resource while borrowed");
    TS_TRAP_IF(cx->err, h.kind != TS_HANDLE_OWN, "cannot lift a borrowed handle as an owned one");
    out->handle.rep = h.rep;
    out->handle.rt = h.rt;
    return TS_OK;
}

/* cabi: lift_borrow */
ts_status ts_lift_borrow(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) {
    TS_ASSERT(t->kind == TS_CT_BORROW && cx->subtask); /* cabi: isinstance(cx.borrow_scope, Subtask) */
    ts_handle *h = NULL;
    TS_TRY(ts_handle_table_get(&cx->inst->handles, i, &h, cx->err));
    if (h->rt != cx->res[t->resource]) return wrong_type(cx->err, i, cx->res[t->resource], h->rt);
    out->handle.rep = h->rep;
    out->handle.rt = h->rt;
    return add_lender(cx, i);
}

/* Notes a handle that has just been added, or removes it again if there is no memory. */
static ts_status note_added(ts_cabi_cx *cx, uint32_t i) {
    ts_added_handles *a = cx->added;
    if (a->n == a->cap) {
        uint32_t *more = ts_arena_array(cx->arena, (size_t)a->cap * 2, sizeof *more);
        if (!more) {
            ts_handle removed;
            ts_status st = ts_handle_table_remove(&cx->inst->handles, i, &removed, NULL);
            return st == TS_OK ? ts_fail_nomem(cx->err) : st;
        }
        memcpy(more, a->indices, a->cap * sizeof *more);
        a->indices = more;
        a->cap *= 2;
    }
    a->indices[a->n++] = i;
    return TS_OK;
}
/* Adds a handle while lowering. */
static inline ts_status add_lowered(ts_cabi_cx *cx, const ts_handle *h, uint32_t *out) {
    TS_TRY(ts_handle_table_add(&cx->inst->handles, h, out, cx->err));
    return TS_UNLIKELY(cx->added != NULL) ? note_added(cx, *out) : TS_OK;
}
void ts_remove_added_handles(ts_cabi_cx *cx) {
    while (cx->added->n) {
        ts_handle removed;
        ts_status st = ts_handle_table_remove(&cx->inst->handles, cx->added->indices[--cx->added->n], &removed, NULL);
        TS_ASSERT(st == TS_OK);
        (void)st;
    }
}

/* cabi: lower_own */
ts_status ts_lower_own(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) {
    TS_ASSERT(t->kind == TS_CT_OWN && cx->res[t->resource]);
    ts_handle h = {.rt = cx->res[t->resource], .rep = v->handle.rep, .kind = TS_HANDLE_OWN};
    return add_lowered(cx, &h, out);
}

/* cabi: lower_borrow */
ts_status ts_lower_borrow(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) {
    TS_ASSERT(t->kind == TS_CT_BORROW && cx->task); /* cabi: isinstance(cx.borrow_scope, Task) */
    ts_resource *rt = cx->res[t->resource];
    if (rt->impl == cx->inst) {
        /* 🐘 the text uses the representation where its own flattening has an i32 */
        if (v->handle.rep > UINT32_MAX)
            return ts_fail(cx->err, TS_UNSUPPORTED,
                           "borrowing a resource with a 64-bit representation is not implemented");
        *out = (uint32_t)v->handle.rep;
        return TS_OK;
    }
    ts_handle h = {.rt = rt, .rep = v->handle.rep, .kind = TS_HANDLE_BORROW, .scope = cx->task};
    cx->task->num_borrows++;
    return add_lowered(cx, &h, out);
}

/* cabi: canon_resource_new */
ts_status ts_canon_resource_new(ts_cinstance *inst, ts_resource *rt, uint64_t rep, uint32_t *out, ts_error *e) {
    TS_TRAP_IF(e, !inst->may_leave, "cannot leave component instance");
    ts_handle h = {.rt = rt, .rep = rep, .kind = TS_HANDLE_OWN};
    return ts_handle_table_add(&inst->handles, &h, out, e);
}

/* Destroys a resource: calls its destructor as a function of the instance that defines it. caller is
 * NULL for the host. */
ts_status ts_resource_destroy(ts_cstore *s, ts_resource *rt, uint64_t rep, ts_cinstance *caller, ts_arena *arena,
                              ts_error *e) {
    if (!rt->impl) {
        ts_status st = TS_OK;
        const uint64_t begun = ts_observe_begin(rt->observer);
        if (rt->host_def && rt->host_def->drop) {
            ts_host_call call = {.host = s->host ? s->host : rt->host,
                                 .store = s,
                                 .arena = arena,
                                 .err = e,
                                 .max_bytes = 256u << 20,
                                 .resource = rt->host_def};
            s->host_calls++;
            st = rt->host_def->drop(&call, rep);
        }
        if (rt->host_def && ts_observed(rt->observer, rt->host_def->interface))
            rt->observer->drop(rt->observer, rt, rep, st, e, begun);
        return st;
    }
    ts_cinstance *inline_set[TS_ENTER_INLINE], **set = inline_set;
    uint32_t n;
    TS_TRY(ts_entering_set_in(rt->impl, caller, &set, &n, arena, e));
    TS_TRY(ts_enter_from(set, n, e));
    if (rt->dtor) {
        const ts_task_state before = ts_task_begin(rt->impl, NULL);
        ts_slot io[1] = {rep};
        TS_TRY(ts_call_and_trap_on_throw(s, rt->dtor, io, e));
        ts_task_end(rt->impl, before);
    }
    ts_leave_to(set, n);
    return TS_OK;
}

/* cabi: canon_resource_drop */
ts_status ts_canon_resource_drop(ts_cinstance *inst, ts_resource *rt, uint32_t i, ts_error *e) {
    TS_TRAP_IF(e, !inst->may_leave, "cannot leave component instance");
    ts_handle h;
    TS_TRY(ts_handle_table_remove(&inst->handles, i, &h, e));
    if (h.rt != rt) return wrong_type(e, i, rt, h.rt);
    TS_TRAP_IF(e, h.num_lends != 0, "cannot remove owned resource while borrowed");
    if (h.kind == TS_HANDLE_BORROW) {
        h.scope->num_borrows--;
        return TS_OK;
    }
    ts_arena *arena = NULL;
    TS_TRY(ts_scratch_enter(inst->store, &arena, e));
    ts_status st = ts_resource_destroy(inst->store, rt, h.rep, inst, arena, e);
    ts_scratch_leave(inst->store);
    return st;
}

/* cabi: canon_resource_rep */
ts_status ts_canon_resource_rep(ts_cinstance *inst, ts_resource *rt, uint32_t i, uint64_t *out, ts_error *e) {
    ts_handle *h = NULL;
    TS_TRY(ts_handle_table_get(&inst->handles, i, &h, e));
    if (h->rt != rt) return wrong_type(e, i, rt, h->rt);
    *out = h->rep;
    return TS_OK;
}
