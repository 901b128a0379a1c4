/* cabi_canon: the canonical definitions as core functions, and calls of component functions from the host.
 * In: what was prepared at instantiation; slots. Out: slots; traps. The order of traps is that of definitions.py.
 * spec: CanonicalABI.md#canon-lift, #canon-lower, #component-instances (entering and leaving) and the built-ins after them */
#include "component/abi/context.h"
#include <string.h>

struct ts_lowered {
    ts_cstore *store;
    ts_cinstance *inst; /* the caller */
    ts_cabi_opts opts;
    const ts_cfunc_type *type; /* as the caller sees it */
    const ts_func_layout *layout;
    ts_resource *const *res;
    ts_cfunc *callee;
    uint32_t max_flat_params;
    uint32_t out_param; /* slot of the pointer for the result; only when result_in_memory */
    bool result_in_memory;
    bool one_instance; /* caller and callee share their memories: values must be copied before they are lowered */
    uint32_t n_enter;
    ts_cinstance **enter; /* cabi: entering_set */
};

/* cabi: ComponentInstance.self_and_ancestors, entering_set */
static bool is_self_or_ancestor(const ts_cinstance *a, const ts_cinstance *of) {
    for (; of; of = of->parent) {
        if (a == of) return true;
    }
    return false;
}
uint32_t ts_entering_set(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance **out, uint32_t max) {
    uint32_t n = 0;
    for (ts_cinstance *i = callee; i; i = i->parent) {
        if (caller && is_self_or_ancestor(i, caller)) continue;
        if (n < max) out[n] = i;
        n++;
    }
    return n;
}
/* The same where TS_ENTER_FEW, which *set has room for, may not do. */
ts_status ts_entering_set_in(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance ***set, uint32_t *n,
                             ts_arena *arena, ts_error *e) {
    *n = ts_entering_set(callee, caller, *set, TS_ENTER_FEW);
    if (*n <= TS_ENTER_FEW) return TS_OK;
    *set = ts_arena_array(arena, *n, sizeof **set);
    if (!*set) return ts_fail_nomem(e);
    ts_entering_set(callee, caller, *set, *n);
    return TS_OK;
}
ts_status ts_cannot_enter(const ts_cinstance *i, ts_error *e) {
    if (i->gave_up)
        return ts_fail(e, TS_UNSUPPORTED,
                       "the component instance was left in the middle of something that is not implemented");
    return ts_cabi_trap(e, "cannot enter component instance");
}
/* cabi: may_enter_from, enter_from, leave_to */
static inline ts_status enter_from(ts_cinstance *const *set, uint32_t n, ts_error *e) {
    for (uint32_t i = 0; i < n; i++)
        if (TS_UNLIKELY(!set[i]->may_enter)) return ts_cannot_enter(set[i], e);
    for (uint32_t i = 0; i < n; i++) set[i]->may_enter = false;
    return TS_OK;
}
static inline void leave_to(ts_cinstance *const *set, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) set[i]->may_enter = true;
}

ts_status ts_scratch_enter_deep(ts_cstore *s, ts_arena **out, ts_error *e) {
    if (s->depth >= TS_CALL_DEPTH_MAX)
        return ts_fail(e, TS_EXHAUSTION, "call stack exhausted: calls between components are nested too deeply");
    if (!s->deep) {
        s->deep = calloc(TS_CALL_DEPTH_MAX - TS_SCRATCH_FIRST, sizeof *s->deep);
        if (!s->deep) return ts_fail_nomem(e);
        for (uint32_t i = 0; i < TS_CALL_DEPTH_MAX - TS_SCRATCH_FIRST; i++) s->deep[i].limit = TS_ARENA_LIMIT;
    }
    *out = &s->deep[s->depth++ - TS_SCRATCH_FIRST];
    return TS_OK;
}
void ts_scratch_reset(ts_arena *a) {
    if (a->total > TS_ARENA_KEEP) {
        size_t limit = a->limit;
        ts_arena_free(a);
        ts_arena_init(a);
        a->limit = limit;
    } else {
        ts_arena_reset(a);
    }
}

static ts_status unsupported_func(ts_error *e) {
    return ts_fail(e, TS_UNSUPPORTED,
                   "calling a function with streams, futures or error contexts (WASI 0.3) is not implemented");
}

/* A task's context.get/set storage starts empty and ends with it. */
typedef struct saved_context {
    uint64_t v[2];
    ts_task *task;
} saved_context;
static inline saved_context task_begin(ts_cinstance *i, ts_task *async_task) {
    saved_context c = {{i->context[0], i->context[1]}, i->task};
    i->context[0] = i->context[1] = 0;
    i->task = async_task;
    return c;
}
static inline void task_end(ts_cinstance *i, saved_context c) {
    i->context[0] = c.v[0];
    i->context[1] = c.v[1];
    i->task = c.task;
}

static ts_status post_return(ts_cstore *s, const ts_cabi_opts *o, ts_slot flat_result, ts_error *e) {
    ts_slot io[2] = {flat_result};
    o->inst->may_leave = false;
    TS_TRY(ts_call_and_trap_on_throw(s, o->post_return, io, e));
    o->inst->may_leave = true;
    return TS_OK;
}

/* What is done with the lifted result before post-return runs: into the caller's memory, or kept for the embedder. */
typedef struct canon_lift_end canon_lift_end;
struct canon_lift_end {
    const ts_lowered *lower;
    ts_cabi_cx *caller_cx;
    uint64_t out_ptr;
    ts_slot *io;
    ts_val *result;
};

static ts_status resolve(const canon_lift_end *end, const ts_val *result) { /* cabi: on_resolve */
    if (end->lower) {
        const ts_lowered *l = end->lower;
        return ts_lower_flat_result(end->caller_cx, result, l->type, l->layout, l->result_in_memory, end->out_ptr,
                                    end->io);
    }
    if (end->result) *end->result = *result;
    return TS_OK;
}

static ts_status get_waitable_set(ts_cinstance *inst, uint32_t i, ts_handle **h, ts_error *e) {
    TS_TRY(ts_table_get(&inst->handles, i, h, e));
    TS_TRAP_IF(e, (*h)->kind != TS_HANDLE_WAITABLE_SET,
               "handle index %u used with the wrong type, expected a waitable set", i);
    return TS_OK;
}

/* cabi: canon_lift of a function with `async`, as far as it goes without waiting: there are no other tasks here that could go on meanwhile. */
enum { CALLBACK_EXIT = 0, CALLBACK_YIELD = 1, CALLBACK_WAIT = 2, YIELDS_MAX = 10000 };
static ts_status lift_async(ts_cstore *s, ts_cfunc *f, ts_slot *io, ts_task *task, ts_error *e) {
    TS_TRY(ts_call_and_trap_on_throw(s, f->core, io, e));
    for (uint32_t n = 0; f->opts.callback; n++) {
        uint32_t code = (uint32_t)io[0] & 0xf, si = (uint32_t)io[0] >> 4; /* cabi: unpack_callback_result */
        TS_TRAP_IF(e, code > CALLBACK_WAIT, "unsupported callback code: %u", code);
        if (code == CALLBACK_EXIT) break;
        if (code == CALLBACK_WAIT) {
            ts_handle *h;
            TS_TRY(get_waitable_set(f->inst, si, &h, e));
            return ts_fail(e, TS_UNSUPPORTED, "waiting for what other tasks do (WASI 0.3) is not implemented");
        }
        if (n == YIELDS_MAX)
            return ts_fail(e, TS_UNSUPPORTED,
                           "a task yields again and again: tasks that run side by side (WASI 0.3) are not implemented");
        io[0] = io[1] = io[2] = 0; /* event none */
        TS_TRY(ts_call_and_trap_on_throw(s, f->opts.callback, io, e));
    }
    TS_TRAP_IF(e, !task->resolved, "async-lifted export failed to produce a result"); /* cabi: Task.unregister_thread */
    return TS_OK;
}

/* cabi: canon_lift; arguments are lifted already */
static ts_status canon_lift(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_arena *arena, bool copy_result,
                            bool keep_encoding, canon_lift_end *end, ts_error *e) {
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
    saved_context ctx = task_begin(f->inst, is_async ? &task : NULL);
    TS_TRY(ts_lower_flat_params(&cx, args, f->type, f->layout, io));
    if (is_async) {
        TS_TRY(lift_async(s, f, io, &task, e));
        task_end(f->inst, ctx);
        return TS_OK;
    }
    TS_TRY(ts_call_and_trap_on_throw(s, f->core, io, e));
    ts_val result;
    memset(&result, 0, sizeof result);
    ts_slot flat_result = io[0];
    TS_TRY(ts_lift_flat_result(&cx, f->type, f->layout, io, &result));
    TS_TRAP_IF(e, task.num_borrows > 0, "borrow handles still remain at the end of the call"); /* cabi: Task.return_ */
    TS_TRY(resolve(end, &result));
    if (f->opts.post_return) TS_TRY(post_return(s, &f->opts, flat_result, e));
    task_end(f->inst, ctx);
    return TS_OK;
}

/* cabi: call_and_trap_on_throw */
ts_status ts_call_and_trap_on_throw(ts_cstore *s, ts_func *f, ts_slot *io, ts_error *e) {
    ts_status st = ts_call(s->core, f, io, e);
    if (TS_UNLIKELY(st == TS_EXCEPTION)) {
        if (e && e->status == TS_EXCEPTION) {
            e->status = TS_TRAP;
            e->trap = TS_TRAP_EXCEPTION;
        }
        return TS_TRAP;
    }
    return st;
}

/* --- canon lower --------------------------------------------------------------------------------------------------- */

enum { RETURNED = 2 }; /* cabi: Subtask.State.RETURNED: what a call with `async` that ends at once gives */

/* Scalars only: nothing to allocate, slots are mended in place. */
static ts_status lower_lifted_scalar(void *data, ts_exec *x, ts_slot *io) {
    const ts_lowered *l = data;
    ts_cfunc *f = l->callee;
    ts_error *e = ts_exec_error(x);
    const ts_func_layout *fl = f->layout;
    TS_TRAP_IF(e, !l->inst->may_leave, "cannot leave component instance");
    TS_TRY(enter_from(l->enter, l->n_enter, e));
    uint32_t n_params = fl->n_flat_params;
    if (!fl->identity) TS_TRY(ts_flat_steps(e, fl->steps, n_params, io));
    saved_context ctx = task_begin(f->inst, NULL);
    TS_TRY(ts_call_and_trap_on_throw(l->store, f->core, io, e));
    ts_slot flat_result = io[0];
    if (!fl->identity && fl->n_steps > n_params) TS_TRY(ts_flat_steps(e, fl->steps + n_params, 1, io));
    if (f->opts.post_return) TS_TRY(post_return(l->store, &f->opts, flat_result, e));
    task_end(f->inst, ctx);
    leave_to(l->enter, l->n_enter);
    return TS_OK;
}

static ts_status lower_args(const ts_lowered *l, ts_cabi_cx *cx, const ts_slot *io, ts_val *few, ts_val **args) {
    *args = few;
    if (l->type->n_params > TS_MAX_FLAT_PARAMS) {
        *args = ts_arena_array(cx->arena, l->type->n_params, sizeof **args);
        if (!*args) return ts_fail_nomem(cx->err);
    }
    return ts_lift_flat_params(cx, l->max_flat_params, l->type, l->layout, io, *args);
}

/* … another instance's core function, lifted */
static ts_status lower_lifted(const ts_lowered *l, ts_slot *io, ts_arena *arena, ts_error *e) {
    ts_cfunc *f = l->callee;
    TS_TRY(enter_from(l->enter, l->n_enter, e));
    if (f->layout->has_unsupported) return unsupported_func(e);
    ts_subtask subtask;
    ts_subtask_init(&subtask);
    ts_cabi_cx cx = {.opts = &l->opts,
                     .store = l->store,
                     .inst = l->inst,
                     .res = l->res,
                     .subtask = &subtask,
                     .arena = arena,
                     .err = e,
                     .borrow_memory = !l->one_instance,
                     .keep_encoding = true};
    ts_val few[TS_MAX_FLAT_PARAMS], *args;
    TS_TRY(lower_args(l, &cx, io, few, &args));
    canon_lift_end end = {.lower = l,
                          .caller_cx = &cx,
                          .out_ptr = l->result_in_memory ? ts_ptr_of(&l->opts, io[l->out_param]) : 0,
                          .io = io};
    TS_TRY(canon_lift(l->store, f, args, arena, l->one_instance, true, &end, e));
    leave_to(l->enter, l->n_enter);
    ts_subtask_deliver_resolve(&subtask, l->inst);
    if (l->opts.is_async) io[0] = RETURNED;
    return TS_OK;
}

ts_status ts_host_invoke(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena, ts_error *e) {
    if (TS_UNLIKELY(f->kind == TS_CFUNC_MISSING || !f->def->fn)) {
        bool root = !f->import_name || !f->import_name[0];
        ts_fail_trap(e, TS_TRAP_UNIMPLEMENTED, "the import `%s%s%s` was called: %s", root ? "" : f->import_name,
                     root ? "" : " ", f->name, f->reason ? f->reason : "it is not implemented here");
        if (f->linker && ts_linker_traces(f->linker, f->import_name))
            ts_trace_call(f->linker, f, args, NULL, TS_TRAP, e, f->denied);
        return TS_TRAP;
    }
    ts_host_call call = {
        .host = f->host, .store = s, .arena = arena, .err = e, .max_bytes = 256u << 20, .func = f->def};
    if (TS_LIKELY(!f->linker || !ts_linker_traces(f->linker, f->def->interface)))
        return f->def->fn(&call, args, result);
    ts_status st = f->def->fn(&call, args, result);
    ts_trace_call(f->linker, f, args, result, st, e, call.denied);
    return st;
}

/* … a function of the host */
static ts_status lower_host(const ts_lowered *l, ts_slot *io, ts_arena *arena, ts_error *e) {
    ts_subtask subtask;
    ts_subtask_init(&subtask);
    ts_cabi_cx cx = {.opts = &l->opts,
                     .store = l->store,
                     .inst = l->inst,
                     .res = l->res,
                     .subtask = &subtask,
                     .arena = arena,
                     .err = e,
                     .borrow_memory = true};
    ts_val few[TS_MAX_FLAT_PARAMS], *args;
    if (l->layout->has_unsupported && l->callee->kind != TS_CFUNC_MISSING) return unsupported_func(e);
    if (l->callee->kind == TS_CFUNC_MISSING) return ts_host_invoke(l->store, l->callee, NULL, NULL, arena, e);
    uint64_t out_ptr = l->result_in_memory ? ts_ptr_of(&l->opts, io[l->out_param]) : 0;
    TS_TRY(lower_args(l, &cx, io, few, &args));
    ts_val result;
    memset(&result, 0, sizeof result);
    TS_TRY(ts_host_invoke(l->store, l->callee, args, &result, arena, e));
    TS_TRY(ts_lower_flat_result(&cx, &result, l->type, l->layout, l->result_in_memory, out_ptr, io));
    ts_subtask_deliver_resolve(&subtask, l->inst);
    if (l->opts.is_async) io[0] = RETURNED;
    return TS_OK;
}

/* cabi: canon_lower: what is the same whoever the callee is. */
static ts_status canon_lower(void *data, ts_exec *x, ts_slot *io) {
    const ts_lowered *l = data;
    ts_error *e = ts_exec_error(x);
    TS_TRAP_IF(e, !l->inst->may_leave, "cannot leave component instance");
    ts_arena *arena = NULL;
    TS_TRY(ts_scratch_enter(l->store, &arena, e));
    ts_status st = l->callee->kind == TS_CFUNC_LIFTED ? lower_lifted(l, io, arena, e) : lower_host(l, io, arena, e);
    ts_scratch_leave(l->store);
    return st;
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
    if (callee->kind == TS_CFUNC_LIFTED) {
        l->one_instance = callee->inst == inst;
        l->n_enter = ts_entering_set(callee->inst, inst, NULL, 0);
        l->enter = ts_arena_array(&s->arena, l->n_enter, sizeof *l->enter);
        if (!l->enter) return ts_fail_nomem(e);
        ts_entering_set(callee->inst, inst, l->enter, l->n_enter);
        bool scalar = l->layout->scalar && callee->layout->scalar && !opts->is_async && !callee->opts.is_async;
        if (scalar) fn = lower_lifted_scalar;
    }
    const char *name = callee->name;
    return ts_func_host(s->core, def->canon.core_type, fn, l, name, out, e);
}

/* --- resources ----------------------------------------------------------------------------------------------------- */

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
    return ts_func_host(s->core, def->canon.core_type, fn, c, name, out, e);
}

/* --- WASI 0.3's built-ins: those that need no second task work; the others trap where the text says so, else are unsupported --- */

typedef struct canon_builtin {
    ts_cinstance *inst;
    const ts_def *def;
    ts_cabi_opts opts;
    /* a function of async type is lifted without `async` here: a task that looks synchronous may block */
    bool may_be_async;
} canon_builtin;
/* cabi: canon_context_get, canon_context_set, canon_backpressure_inc, canon_backpressure_dec */
static ts_status context_get(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    const canon_builtin *b = data;
    io[0] = b->inst->context[b->def->canon.builtin_imm[0] & 1];
    return TS_OK;
}
static ts_status context_set(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    const canon_builtin *b = data;
    b->inst->context[b->def->canon.builtin_imm[0] & 1] = io[0];
    return TS_OK;
}
static ts_status backpressure_inc(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    b->inst->backpressure++;
    TS_TRAP_IF(ts_exec_error(x), b->inst->backpressure == 1u << 16, "backpressure counter overflow");
    return TS_OK;
}
static ts_status backpressure_dec(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), b->inst->backpressure == 0, "backpressure counter underflow");
    b->inst->backpressure--;
    return TS_OK;
}
/* cabi: canon_task_return */
static ts_status task_return(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_task *task = b->inst->task;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRAP_IF(e, !task, "invalid `task.return`: the task is not async");
    const ts_cfunc_type *ft = task->func->type;
    const ts_ctype *t = b->def->canon.builtin_type;
    TS_TRAP_IF(e, !t != !ft->result || (t && !ts_ctype_equal(t, ft->result, NULL, NULL)),
               "invalid `task.return` signature and/or options for current task");
    /* definitions.py compares the memories always; the official scripts (cross-abi-calls) want it only of a built-in that names one */
    TS_TRAP_IF(e,
               b->opts.encoding != task->func->opts.encoding ||
                   (b->opts.memory && b->opts.memory != task->func->opts.memory),
               "invalid `task.return` signature and/or options for current task");
    ts_subtask none;
    ts_subtask_init(&none);
    ts_cabi_cx cx = {.opts = &b->opts,
                     .store = b->inst->store,
                     .inst = b->inst,
                     .res = b->inst->res,
                     .task = task,
                     .subtask = &none,
                     .arena = task->arena,
                     .err = e,
                     .borrow_memory = !task->copy_result,
                     .keep_encoding = task->keep_encoding};
    ts_val result;
    memset(&result, 0, sizeof result);
    if (t) {
        ts_ct_case one = {.type = t};
        const uint32_t offset = 0;
        const ts_cfunc_type as_params = {.n_params = 1, .params = &one};
        const ts_func_layout layout = {.n_flat_params = t->n_flat,
                                       .size = ts_ctype_size(t, b->opts.wide),
                                       .align = ts_ctype_align(t, b->opts.wide),
                                       .offsets = &offset};
        TS_TRY(ts_lift_flat_params(&cx, TS_MAX_FLAT_PARAMS, &as_params, &layout, io, &result));
    }
    TS_TRAP_IF(e, task->resolved,
               "`task.return` or `task.cancel` called more than once for current task"); /* cabi: Task.return_ */
    TS_TRAP_IF(e, task->num_borrows > 0, "borrow handles still remain at the end of the call");
    task->resolved = true;
    return resolve(task->end, &result);
}
/* cabi: canon_task_cancel; nothing here asks a task to end early */
static ts_status task_cancel(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), !b->inst->may_leave, "cannot leave component instance");
    return ts_cabi_trap(ts_exec_error(x), "`task.cancel` called by task which has not been cancelled");
}
/* First argument: an index of what no table here can hold yet, as its .new is not implemented: so the text's first trap is the one that is met.
 * cabi: canon_subtask_cancel, canon_subtask_drop
 * cabi: canon_waitable_join
 * cabi: canon_stream_read, canon_stream_write, canon_stream_cancel_read, canon_stream_cancel_write
 * cabi: canon_future_read, canon_future_write, canon_future_cancel_read, canon_future_cancel_write
 * cabi: canon_stream_drop_readable, canon_stream_drop_writable, canon_future_drop_readable, canon_future_drop_writable
 * cabi: canon_error_context_debug_message, canon_error_context_drop */
static ts_status builtin_of_handle(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_handle *h;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(ts_table_get(&b->inst->handles, (uint32_t)io[0], &h, e));
    return ts_cabi_trap(e, "handle index %u used with the wrong type by `%s`", (uint32_t)io[0], b->def->canon.builtin);
}
/* cabi: canon_lift: what has to wait: nothing else goes on here that could end it. A task of a function that is not of async type may not. */
static ts_status would_block(const canon_builtin *b, ts_error *e) {
    if (b->inst->task || b->may_be_async)
        return ts_fail(e, TS_UNSUPPORTED, "waiting for what other tasks do (WASI 0.3) is not implemented");
    return ts_cabi_trap(e, "cannot block a synchronous task before returning");
}
/* cabi: canon_waitable_set_new */
static ts_status waitable_set_new(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    uint32_t i;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    const ts_handle h = {.kind = TS_HANDLE_WAITABLE_SET};
    TS_TRY(ts_table_add(&b->inst->handles, &h, &i, e));
    io[0] = i;
    return TS_OK;
}
/* cabi: canon_waitable_set_wait */
static ts_status waitable_set_wait(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_handle *h;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(get_waitable_set(b->inst, (uint32_t)io[0], &h, e));
    return would_block(b, e);
}
/* cabi: canon_waitable_set_poll, unpack_event: nothing has happened */
static ts_status waitable_set_poll(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    const ts_memory *m = b->inst->core_memories[b->def->canon.builtin_imm[0]];
    uint32_t ptr = (uint32_t)io[1];
    ts_handle *h;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(get_waitable_set(b->inst, (uint32_t)io[0], &h, e));
    TS_TRAP_IF(e, ptr % 4, "unaligned pointer: %#x needs alignment 4", ptr);
    TS_TRAP_IF(e, !ts_mem_in(m, ptr, 8), "pointer out of bounds of memory: 8 bytes at %#x", ptr);
    memset(m->base + ptr, 0, 8);
    io[0] = 0; /* EventCode.NONE */
    return TS_OK;
}
/* cabi: canon_waitable_set_drop */
static ts_status waitable_set_drop(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_handle *h, gone;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(get_waitable_set(b->inst, (uint32_t)io[0], &h, e));
    return ts_table_remove(&b->inst->handles, (uint32_t)io[0], &gone, e);
}
/* cabi: canon_thread_suspend: with no other thread that could resume it */
static ts_status thread_suspend(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), !b->inst->may_leave, "cannot leave component instance");
    return would_block(b, ts_exec_error(x));
}
/* cabi: canon_thread_yield: with no other thread that could run, it comes back at once, not cancelled. A guest that waits so for what never
 * happens is told that it does. */
static ts_status thread_yield(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    if (++b->inst->store->yields > YIELDS_MAX)
        return ts_fail(e, TS_UNSUPPORTED,
                       "a task yields again and again: tasks that run side by side (WASI 0.3) are not implemented");
    io[0] = 0;
    return TS_OK;
}
static ts_status builtin_absent(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), !b->inst->may_leave, "cannot leave component instance");
    return ts_fail(ts_exec_error(x), TS_UNSUPPORTED, "the built-in `%s` (WASI 0.3) is not implemented",
                   b->def->canon.builtin);
}
ts_status ts_canon_builtin_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, const ts_cabi_opts *opts,
                                ts_func **out, ts_error *e) {
    static const struct {
        const char *name;
        ts_core_host_fn fn;
    } table[] = {
        {"context.get", context_get},
        {"context.set", context_set},
        {"backpressure.inc", backpressure_inc},
        {"backpressure.dec", backpressure_dec},
        {"task.return", task_return},
        {"task.cancel", task_cancel},
        {"thread.yield", thread_yield},
        {"subtask.cancel", builtin_of_handle},
        {"subtask.drop", builtin_of_handle},
        {"thread.suspend", thread_suspend},
        {"waitable-set.new", waitable_set_new},
        {"waitable-set.wait", waitable_set_wait},
        {"waitable-set.poll", waitable_set_poll},
        {"waitable-set.drop", waitable_set_drop},
        {"waitable.join", builtin_of_handle},
        {"stream.read", builtin_of_handle},
        {"stream.write", builtin_of_handle},
        {"stream.cancel-read", builtin_of_handle},
        {"stream.cancel-write", builtin_of_handle},
        {"stream.drop-readable", builtin_of_handle},
        {"stream.drop-writable", builtin_of_handle},
        {"future.read", builtin_of_handle},
        {"future.write", builtin_of_handle},
        {"future.cancel-read", builtin_of_handle},
        {"future.cancel-write", builtin_of_handle},
        {"future.drop-readable", builtin_of_handle},
        {"future.drop-writable", builtin_of_handle},
        {"error-context.debug-message", builtin_of_handle},
        {"error-context.drop", builtin_of_handle},
    };
    canon_builtin *b = ts_arena_alloc(&s->arena, sizeof *b);
    if (!b) return ts_fail_nomem(e);
    b->inst = inst;
    b->def = def;
    b->opts = *opts;
    const ts_component *c = inst->component;
    for (uint32_t i = 0; i < c->n_defs && !b->may_be_async; i++) {
        const ts_def *d = &c->defs[i];
        b->may_be_async = d->kind == TS_DEF_CANON && d->canon.kind == TS_CANON_LIFT && d->canon.type->is_async &&
                          !d->canon.opts.is_async;
    }
    ts_core_host_fn fn = builtin_absent;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, def->canon.builtin) == 0) fn = table[i].fn;
    }
    return ts_func_host(s->core, def->canon.core_type, fn, b, def->canon.builtin, out, e);
}

/* --- calls from the host ------------------------------------------------------------------------------------------- */

/* cabi: Store.invoke, Store.lift */
ts_status ts_cfunc_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena, ts_error *e) {
    return ts_cfunc_call_from(s, f, NULL, args, result, arena, e);
}
ts_status ts_cfunc_call_from(ts_cstore *s, ts_cfunc *f, const ts_cinstance *caller, const ts_val *args, ts_val *result,
                             ts_arena *arena, ts_error *e) {
    if (f->kind != TS_CFUNC_LIFTED) return ts_host_invoke(s, f, args, result, arena, e);
    ts_cinstance *few[TS_ENTER_FEW], **set = few;
    uint32_t n;
    TS_TRY(ts_entering_set_in(f->inst, caller, &set, &n, arena, e));
    TS_TRY(enter_from(set, n, e));
    if (f->layout->has_unsupported) {
        leave_to(set, n);
        return unsupported_func(e);
    }
    canon_lift_end end = {.result = result};
    ts_status st = canon_lift(s, f, args, arena, true, false, &end, e);
    if (st == TS_OK)
        leave_to(set, n);
    else if (st == TS_UNSUPPORTED)
        for (ts_cinstance *i = s->instances; i; i = i->next) i->gave_up |= !i->may_enter;
    return st;
}

ts_status ts_handle_drop(ts_cstore *s, const ts_val *own, ts_error *e) {
    if (!own->handle.rt) return ts_fail(e, TS_USAGE, "the handle is none");
    ts_arena *arena = NULL;
    TS_TRY(ts_scratch_enter(s, &arena, e));
    ts_status st = ts_resource_destroy(s, own->handle.rt, own->handle.rep, NULL, arena, e);
    ts_scratch_leave(s);
    return st;
}

const ts_cfunc_type *ts_cfunc_get_type(const ts_cfunc *f) {
    return f->type;
}
