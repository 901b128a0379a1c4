/* canon: the canonical definitions as core functions, and calls of component functions from the host.
 * In: what was prepared at instantiation; slots. Out: slots; traps. The order of traps is that of
 * definitions.py.
 * spec: CanonicalABI.md#canon-lift, #canon-lower, #component-instances (entering and leaving) and the
 * built-ins after them */
#include "component/abi/trap.h"
#include "component/abi/memory.h"
#include "component/abi/handles.h"
#include "component/abi/flat.h"
#include "component/abi/canon.h"
#include "component/abi/enter.h"
#include "component/abi/scratch.h"
#include "core/run/tier.h"
#include "sys/stack.h"
#include <string.h>

struct ts_lowered {
    ts_cstore *store;
    ts_cinstance *inst; /* the caller's instance */
    ts_cabi_opts opts;
    const ts_cfunc_type *type; /* the type that the caller sees */
    const ts_func_layout *layout;
    ts_resource *const *res;
    ts_cfunc *callee;
    uint32_t max_flat_params;
    uint32_t out_param; /* slot of the pointer to the result, if result_in_memory */
    bool result_in_memory;
    /* caller and callee share their memories, so values must be copied before they are lowered */
    bool one_instance;
    uint32_t n_enter;
    ts_cinstance **enter; /* cabi: entering_set */
};

static ts_status unsupported_func(ts_error *e) {
    return ts_fail(e, TS_UNSUPPORTED,
                   "calling a function with streams, futures or error contexts (WASI 0.3) is not implemented");
}

static ts_status post_return(ts_cstore *s, const ts_cabi_opts *o, ts_slot flat_result, ts_error *e) {
    ts_slot io[2] = {flat_result};
    o->inst->may_leave = false;
    TS_TRY(ts_call_and_trap_on_throw(s, o->post_return, io, e));
    o->inst->may_leave = true;
    return TS_OK;
}

ts_status ts_canon_resolve(const ts_canon_lift_end *end, const ts_val *result) { /* cabi: on_resolve */
    if (end->lower) {
        const ts_lowered *l = end->lower;
        return ts_lower_flat_result(end->caller_cx, result, l->type, l->layout, l->result_in_memory, end->out_ptr,
                                    end->io);
    }
    if (end->result) *end->result = *result;
    return TS_OK;
}

/* Called when the arguments of an embedder could not be lowered. No guest is to blame, so the
 * instance is restored. This is impossible once the guest's realloc has run and may have used the
 * handles that were lowered before it, or if realloc did not return. */
static bool take_back_arguments(ts_cabi_cx *cx, ts_status st) {
    if (st == TS_TRAP || !cx->inst->may_leave || (cx->guest_ran && cx->added->n)) return false;
    ts_remove_added_handles(cx);
    return true;
}

/* cabi: canon_lift. The arguments have been lifted. */
static ts_status canon_lift(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_arena *arena, bool copy_result,
                            bool keep_encoding, ts_canon_lift_end *end, ts_error *e) {
    ts_task task = {0};
    ts_subtask none;
    ts_subtask_init(&none);
    ts_cabi_cx cx = {.opts = &f->opts,
                     .store = s,
                     .inst = f->inst,
                     .res = f->res,
                     .task = &task,
                     .subtask = &none,
                     .arena = arena,
                     .err = e,
                     .borrow_memory = !copy_result,
                     .keep_encoding = keep_encoding};
    ts_slot io[TS_MAX_FLAT_PARAMS + 1];
    bool is_async = f->opts.is_async;
    if (is_async) {
        task.func = f;
        task.end = end;
        task.arena = arena;
        task.copy_result = copy_result;
        task.keep_encoding = keep_encoding;
    }
    ts_task_state before = ts_task_begin(f->inst, is_async ? &task : NULL);
    ts_added_handles added;
    if (!end->lower) { /* called by the embedder */
        ts_added_handles_init(&added);
        cx.added = &added;
    }
    ts_status st = ts_lower_flat_params(&cx, args, f->type, f->layout, io);
    if (TS_UNLIKELY(st != TS_OK)) {
        end->untouched = cx.added && take_back_arguments(&cx, st);
        if (end->untouched) ts_task_end(f->inst, before);
        return st;
    }
    if (is_async) {
        TS_TRY(ts_canon_lift_async(s, f, io, &task, e));
        ts_task_end(f->inst, before);
        return TS_OK;
    }
    TS_TRY(ts_call_and_trap_on_throw(s, f->core, io, e));
    ts_val result;
    memset(&result, 0, sizeof result);
    ts_slot flat_result = io[0];
    TS_TRY(ts_lift_flat_result(&cx, f->type, f->layout, io, &result));
    /* cabi: Task.return_ */
    TS_TRAP_IF(e, task.num_borrows > 0, "borrow handles still remain at the end of the call");
    TS_TRY(ts_canon_resolve(end, &result));
    if (f->opts.post_return) TS_TRY(post_return(s, &f->opts, flat_result, e));
    ts_task_end(f->inst, before);
    return TS_OK;
}

/* --- canon lower ------------------------------------------------------------------------------- */

/* cabi: Subtask.State.RETURNED: the result of a call with `async` that ends at once */
enum { RETURNED = 2 };

/* For functions of scalars only, but for a result that may be plain: nothing is allocated, and the slots are converted
 * in place. */
static ts_status convert_arguments(const void *lowered, ts_slot *io, ts_error *e) {
    const ts_func_layout *fl = ((const ts_lowered *)lowered)->callee->layout;
    return ts_flat_steps(e, fl->steps, fl->n_flat_params, io);
}
static ts_status convert_result(const ts_func_layout *fl, ts_slot *io, ts_error *e) {
    return ts_flat_steps(e, fl->steps + fl->n_flat_params, fl->n_steps - fl->n_flat_params, io);
}
/* Where the result of a call with these arguments goes. */
static uint64_t result_pointer(const ts_lowered *l, const ts_slot *io) {
    return l->result_in_memory ? ts_ptr_of(&l->opts, io[l->out_param]) : 0;
}
static ts_status pass_result(const ts_lowered *l, uint64_t out_ptr, ts_slot *io, ts_error *e) {
    const ts_cfunc *f = l->callee;
    if (f->layout->plain)
        return ts_copy_plain_result(f->type->result, &f->opts, ts_ptr_of(&f->opts, io[0]), &l->opts, out_ptr, e);
    return f->layout->identity ? TS_OK : convert_result(f->layout, io, e);
}
/* The result of an adapter. */
static ts_status pass_to(const void *lowered, ts_slot *io, ts_slot last, ts_error *e) {
    const ts_lowered *l = lowered;
    return pass_result(l, ts_ptr_of(&l->opts, last), io, e);
}
static ts_status lower_lifted_scalar(void *data, ts_exec *x, ts_slot *io) {
    const ts_lowered *l = data;
    const uint64_t out_ptr = result_pointer(l, io);
    ts_cfunc *f = l->callee;
    ts_error *e = ts_exec_error(x);
    const ts_func_layout *fl = f->layout;
    TS_TRAP_IF(e, !l->inst->may_leave, "cannot leave component instance");
    TS_TRY(ts_enter_from(l->enter, l->n_enter, e));
    if (!fl->identity) TS_TRY(convert_arguments(l, io, e));
    ts_task_state before = ts_task_begin(f->inst, NULL);
    TS_TRY(ts_call_and_trap_on_throw(l->store, f->core, io, e));
    ts_slot flat_result = io[0];
    TS_TRY(pass_result(l, out_ptr, io, e));
    if (f->opts.post_return) TS_TRY(post_return(l->store, &f->opts, flat_result, e));
    ts_task_end(f->inst, before);
    ts_leave_to(l->enter, l->n_enter);
    return TS_OK;
}

/* The caller's context of one call. subtask and arena live as long as the call. */
static ts_cabi_cx caller_context(const ts_lowered *l, ts_subtask *subtask, ts_arena *arena, ts_error *e) {
    ts_subtask_init(subtask);
    return (ts_cabi_cx){.opts = &l->opts,
                        .store = l->store,
                        .inst = l->inst,
                        .res = l->res,
                        .subtask = subtask,
                        .arena = arena,
                        .err = e,
                        .borrow_memory = !l->one_instance,
                        .keep_encoding = l->callee->kind == TS_CFUNC_LIFTED};
}
static ts_status lower_args(const ts_lowered *l, ts_cabi_cx *cx, const ts_slot *io, ts_val *inline_args,
                            ts_val **args) {
    *args = inline_args;
    if (l->type->n_params > TS_MAX_FLAT_PARAMS) {
        *args = ts_arena_array(cx->arena, l->type->n_params, sizeof **args);
        if (!*args) return ts_scratch_full(cx->arena, cx->err);
    }
    return ts_lift_flat_params(cx, l->max_flat_params, l->type, l->layout, io, *args);
}

/* Calls another instance's core function, lifted. */
static ts_status call_lifted(const ts_lowered *l, ts_cabi_cx *cx, ts_slot *io) {
    ts_cfunc *f = l->callee;
    TS_TRY(ts_enter_from(l->enter, l->n_enter, cx->err));
    if (f->layout->has_unsupported) return unsupported_func(cx->err);
    ts_val inline_args[TS_MAX_FLAT_PARAMS], *args;
    TS_TRY(lower_args(l, cx, io, inline_args, &args));
    ts_canon_lift_end end = {.lower = l, .caller_cx = cx, .out_ptr = result_pointer(l, io), .io = io};
    TS_TRY(canon_lift(l->store, f, args, cx->arena, l->one_instance, true, &end, cx->err));
    ts_leave_to(l->enter, l->n_enter);
    return TS_OK;
}

ts_status ts_host_invoke(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena, ts_error *e) {
    s->host_calls++;
    if (TS_UNLIKELY(f->kind == TS_CFUNC_MISSING || !f->def->fn)) {
        bool root = !f->import_name || !f->import_name[0];
        ts_fail_trap(e, TS_TRAP_UNIMPLEMENTED, "the import `%s%s%s` was called: %s", root ? "" : f->import_name,
                     root ? "" : " ", f->name, f->reason ? f->reason : "it is not implemented here");
        if (ts_observed(f->observer, f->import_name))
            f->observer->call(f->observer, f, args, NULL, TS_TRAP, e, f->denied, ts_observe_begin(f->observer));
        return TS_TRAP;
    }
    ts_host_call call = {.host = s->host ? s->host : f->host,
                         .store = s,
                         .arena = arena,
                         .err = e,
                         .max_bytes = 256u << 20,
                         .func = f->def};
    if (!ts_observed(f->observer, f->def->interface)) return f->def->fn(&call, args, result);
    const uint64_t begun = ts_observe_begin(f->observer);
    ts_status st = f->def->fn(&call, args, result);
    f->observer->call(f->observer, f, args, result, st, e, call.denied, begun);
    return st;
}

/* Calls a function of the host. */
static ts_status call_host(const ts_lowered *l, ts_cabi_cx *cx, ts_slot *io) {
    ts_val inline_args[TS_MAX_FLAT_PARAMS], *args, result;
    if (l->callee->kind == TS_CFUNC_MISSING) return ts_host_invoke(l->store, l->callee, NULL, NULL, cx->arena, cx->err);
    if (l->layout->has_unsupported) return unsupported_func(cx->err);
    const uint64_t out_ptr = result_pointer(l, io);
    TS_TRY(lower_args(l, cx, io, inline_args, &args));
    memset(&result, 0, sizeof result);
    TS_TRY(ts_host_invoke(l->store, l->callee, args, &result, cx->arena, cx->err));
    return ts_lower_flat_result(cx, &result, l->type, l->layout, l->result_in_memory, out_ptr, io);
}

/* cabi: canon_lower */
static ts_status canon_lower(void *data, ts_exec *x, ts_slot *io) {
    const ts_lowered *l = data;
    ts_error *e = ts_exec_error(x);
    TS_TRAP_IF(e, !l->inst->may_leave, "cannot leave component instance");
    ts_arena *arena = NULL;
    TS_TRY(ts_scratch_enter(l->store, &arena, e));
    ts_subtask subtask;
    ts_cabi_cx cx = caller_context(l, &subtask, arena, e);
    ts_status st = l->callee->kind == TS_CFUNC_LIFTED ? call_lifted(l, &cx, io) : call_host(l, &cx, io);
    if (st == TS_OK) {
        ts_subtask_deliver_resolve(&subtask, l->inst);
        if (l->opts.is_async) io[0] = RETURNED;
    }
    ts_scratch_leave(l->store);
    return st;
}

/* What lower_lifted_scalar does, without C. *out is NULL if something else has to be done, too. */
static ts_status make_adapter(const ts_lowered *l, ts_adapter **out, ts_error *e) {
    const ts_cfunc *f = l->callee;
    _Static_assert(sizeof f->inst->running == TS_ADAPTER_STATE * sizeof(uint64_t), "the state of a task");
    *out = NULL;
    if (f->opts.post_return || f->core->is_host) return TS_OK;
    ts_arena *arena = &l->store->arena;
    ts_adapter *a = ts_arena_alloc(arena, sizeof *a);
    bool **entered = ts_arena_array(arena, l->n_enter, sizeof *entered);
    if (!a || !entered) return ts_fail_nomem(e);
    for (uint32_t i = 0; i < l->n_enter; i++) entered[i] = &l->enter[i]->may_enter;
    *a = (ts_adapter){.callee = f->core,
                      .open = &l->inst->may_leave,
                      .entered = entered,
                      .n_entered = l->n_enter,
                      .state = &f->inst->running,
                      .data = l,
                      .steps = f->layout->steps,
                      .to_memory = f->layout->plain};
    const bool converts = !f->layout->identity, has_result = f->layout->n_steps > f->layout->n_flat_params;
    if (converts) a->arguments = convert_arguments;
    if (a->to_memory || (converts && has_result)) a->result = pass_to;
    ts_tier_prepare_adapter(l->store->core, a);
    *out = a;
    return TS_OK;
}

ts_status ts_canon_lower_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_cfunc *callee,
                              const ts_cabi_opts *opts, ts_func **out, ts_error *e) {
    ts_lowered *l = ts_arena_alloc(&s->arena, sizeof *l);
    if (!l) return ts_fail_nomem(e);
    l->store = s;
    l->inst = inst;
    l->opts = *opts;
    l->type = def->canon.type;
    l->res = inst->res;
    l->callee = callee;
    TS_TRY(ts_flatten_functype(&s->arena, l->type, opts->wide, &l->layout, e));
    /* cabi: flatten_functype(…, 'lower') */
    l->max_flat_params = opts->is_async ? TS_MAX_FLAT_ASYNC_PARAMS : TS_MAX_FLAT_PARAMS;
    l->result_in_memory = l->type->result && l->layout->n_flat_result > (opts->is_async ? 0 : TS_MAX_FLAT_RESULTS);
    l->out_param = l->layout->n_flat_params > l->max_flat_params ? 1 : l->layout->n_flat_params;
    ts_core_host_fn fn = canon_lower;
    ts_adapter *adapter = NULL;
    if (callee->kind == TS_CFUNC_LIFTED) {
        l->one_instance = callee->inst == inst;
        l->n_enter = ts_entering_set(callee->inst, inst, NULL, 0);
        l->enter = ts_arena_array(&s->arena, l->n_enter, sizeof *l->enter);
        if (!l->enter) return ts_fail_nomem(e);
        ts_entering_set(callee->inst, inst, l->enter, l->n_enter);
        bool sync = !opts->is_async && !callee->opts.is_async;
        bool scalar = l->layout->scalar && callee->layout->scalar;
        /* if the memory is the same one, the result may overlap with what the caller gets */
        bool plain = l->layout->plain && callee->layout->plain && !l->one_instance;
        if (sync && (scalar || plain)) fn = lower_lifted_scalar;
        if (sync && (scalar || plain)) TS_TRY(make_adapter(l, &adapter, e));
    }
    const char *name = callee->name;
    TS_TRY(ts_func_make_host(s->core, def->canon.core_type, fn, l, name, out, e));
    (*out)->adapter = adapter;
    return TS_OK;
}

/* --- resources --------------------------------------------------------------------------------- */

typedef struct canon_resource {
    ts_cinstance *inst;
    ts_resource *rt;
} canon_resource;
static ts_status resource_new(void *data, ts_exec *x, ts_slot *io) {
    const canon_resource *c = data;
    uint32_t i;
    TS_TRY(ts_canon_resource_new(c->inst, c->rt, io[0], &i, ts_exec_error(x)));
    io[0] = i;
    return TS_OK;
}
static ts_status resource_drop(void *data, ts_exec *x, ts_slot *io) {
    const canon_resource *c = data;
    return ts_canon_resource_drop(c->inst, c->rt, (uint32_t)io[0], ts_exec_error(x));
}
static ts_status resource_rep(void *data, ts_exec *x, ts_slot *io) {
    const canon_resource *c = data;
    uint64_t rep;
    TS_TRY(ts_canon_resource_rep(c->inst, c->rt, (uint32_t)io[0], &rep, ts_exec_error(x)));
    io[0] = rep;
    return TS_OK;
}
ts_status ts_canon_resource_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_func **out, ts_error *e) {
    canon_resource *c = ts_arena_alloc(&s->arena, sizeof *c);
    if (!c) return ts_fail_nomem(e);
    c->inst = inst;
    c->rt = inst->res[def->canon.resource];
    if (!c->rt) return ts_fail(e, TS_INVALID, "a resource type is used before it exists");
    ts_canon_kind k = def->canon.kind;
    ts_core_host_fn fn = k == TS_CANON_RESOURCE_NEW    ? resource_new
                         : k == TS_CANON_RESOURCE_DROP ? resource_drop
                                                       : resource_rep;
    const char *name = k == TS_CANON_RESOURCE_NEW    ? "resource.new"
                       : k == TS_CANON_RESOURCE_DROP ? "resource.drop"
                                                     : "resource.rep";
    return ts_func_make_host(s->core, def->canon.core_type, fn, c, name, out, e);
}

/* --- calls from the host ----------------------------------------------------------------------- */

/* cabi: Store.invoke, Store.lift */
ts_status ts_canon_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena, ts_error *e) {
    return ts_canon_call_from(s, f, NULL, args, result, arena, e);
}
ts_status ts_canon_call_from(ts_cstore *s, ts_cfunc *f, const ts_cinstance *caller, const ts_val *args, ts_val *result,
                             ts_arena *arena, ts_error *e) {
    TS_TRY(ts_stack_check(e));
    if (f->kind != TS_CFUNC_LIFTED) return ts_host_invoke(s, f, args, result, arena, e);
    ts_cinstance *inline_set[TS_ENTER_INLINE], **set = inline_set;
    uint32_t n;
    TS_TRY(ts_entering_set_in(f->inst, caller, &set, &n, arena, e));
    TS_TRY(ts_enter_from(set, n, e));
    if (f->layout->has_unsupported) {
        ts_leave_to(set, n);
        return unsupported_func(e);
    }
    ts_canon_lift_end end = {.result = result};
    /* a result has the limit of arguments: as values of the host, bytes of a guest are many times larger */
    const size_t limit = arena->limit, most = arena->total + TS_ARENA_LIMIT;
    if (!limit || limit > most) arena->limit = most;
    ts_status st = canon_lift(s, f, args, arena, true, false, &end, e);
    arena->limit = limit;
    if (st == TS_OK || end.untouched)
        ts_leave_to(set, n);
    else if (st == TS_UNSUPPORTED)
        for (ts_cinstance *i = s->instances; i; i = i->next) i->abandoned |= !i->may_enter;
    return st;
}

ts_status ts_handle_drop(ts_cstore *s, const ts_val *own, ts_error *e) {
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, own);
    if (!own->handle.rt) return ts_fail(e, TS_USAGE, "the handle is empty");
    if (own->handle.rt->impl && own->handle.rt->impl->store != s)
        return ts_fail(e, TS_USAGE, "the handle belongs to another store");
    ts_arena *arena = NULL;
    TS_TRY(ts_stack_check(e));
    TS_TRY(ts_scratch_enter(s, &arena, e));
    ts_status st = ts_resource_destroy(s, own->handle.rt, own->handle.rep, NULL, arena, e);
    ts_scratch_leave(s);
    return st;
}

const ts_cfunc_type *ts_cfunc_get_type(const ts_cfunc *f) {
    return f->type;
}
