/* async: the built-ins of WASI 0.3 and functions that are lifted with `async`, as far as they run
 * without other tasks.
 * In: what was prepared at instantiation, and slots. Out: slots, traps, or `unsupported` where a task
 * would have to wait.
 * spec: CanonicalABI.md, the built-ins after canon-resource-rep */
#include "component/abi/trap.h"
#include "component/abi/memory.h"
#include "component/abi/handles.h"
#include "component/abi/flat.h"
#include "component/abi/canon.h"
#include "component/abi/enter.h"
#include <string.h>

static ts_status get_waitable_set(ts_cinstance *inst, uint32_t i, ts_handle **h, ts_error *e) {
    TS_TRY(ts_handle_table_get(&inst->handles, i, h, e));
    TS_TRAP_IF(e, (*h)->kind != TS_HANDLE_WAITABLE_SET,
               "handle index %u used with the wrong type, expected a waitable set", i);
    return TS_OK;
}

/* cabi: canon_lift of a function with `async`, as far as it runs without waiting. There are no other
 * tasks that could run meanwhile. */
enum { CALLBACK_EXIT = 0, CALLBACK_YIELD = 1, CALLBACK_WAIT = 2, YIELDS_MAX = 10000 };
ts_status ts_canon_lift_async(ts_cstore *s, ts_cfunc *f, ts_slot *io, ts_task *task, ts_error *e) {
    TS_TRY(ts_call_and_trap_on_throw(s, f->core, io, e));
    for (uint32_t n = 0; f->opts.callback; n++) {
        uint32_t code = (uint32_t)io[0] & 0xf, si = (uint32_t)io[0] >> 4; /* cabi: unpack_callback_result */
        TS_TRAP_IF(e, code > CALLBACK_WAIT, "unsupported callback code: %u", code);
        if (code == CALLBACK_EXIT) break;
        if (code == CALLBACK_WAIT) {
            ts_handle *h;
            TS_TRY(get_waitable_set(f->inst, si, &h, e));
            return ts_fail(e, TS_UNSUPPORTED, "waiting for other tasks (WASI 0.3) is not implemented");
        }
        if (n == YIELDS_MAX)
            return ts_fail(e, TS_UNSUPPORTED,
                           "a task yields repeatedly: concurrent tasks (WASI 0.3) are not implemented");
        io[0] = io[1] = io[2] = 0; /* EventCode.NONE */
        TS_TRY(ts_call_and_trap_on_throw(s, f->opts.callback, io, e));
    }
    /* cabi: Task.unregister_thread */
    TS_TRAP_IF(e, !task->resolved, "async-lifted export failed to produce a result");
    return TS_OK;
}

/* --- the built-ins of WASI 0.3 --- Those that need no second task work. The others trap where the
 * text says so, and are unsupported otherwise. */

typedef struct canon_builtin {
    ts_cinstance *inst;
    const ts_def *def;
    ts_cabi_opts opts;
    /* a function of async type is lifted without `async` in this component, so a task that looks
     * synchronous may block */
    bool may_be_async;
} canon_builtin;
/* cabi: canon_context_get, canon_context_set, canon_backpressure_inc, canon_backpressure_dec */
static ts_status context_get(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    const canon_builtin *b = data;
    io[0] = b->inst->running.context[b->def->canon.builtin_imm[0] & 1];
    return TS_OK;
}
static ts_status context_set(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    const canon_builtin *b = data;
    b->inst->running.context[b->def->canon.builtin_imm[0] & 1] = io[0];
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
    ts_task *task = b->inst->running.task;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRAP_IF(e, !task, "invalid `task.return`: the task is not async");
    const ts_cfunc_type *ft = task->func->type;
    const ts_ctype *t = b->def->canon.builtin_type;
    TS_TRAP_IF(e, !t != !ft->result || (t && !ts_ctype_equal(t, ft->result, NULL, NULL)),
               "invalid `task.return` signature and/or options for current task");
    /* definitions.py always compares the memories; the official scripts (cross-abi-calls) expect it
     * only of a built-in that names one */
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
               /* cabi: Task.return_ */
               "`task.return` or `task.cancel` called more than once for current task");
    TS_TRAP_IF(e, task->num_borrows > 0, "borrow handles still remain at the end of the call");
    task->resolved = true;
    return ts_canon_resolve(task->end, &result);
}
/* cabi: canon_task_cancel. Nothing here asks a task to end early. */
static ts_status task_cancel(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), !b->inst->may_leave, "cannot leave component instance");
    return ts_cabi_trap(ts_exec_error(x), "`task.cancel` called by task which has not been cancelled");
}
/* The first argument is the index of something that no table can hold yet, because its .new is not
 * implemented. So the first trap of the text is the one that occurs.
 * cabi: canon_subtask_cancel, canon_subtask_drop
 * cabi: canon_waitable_join
 * cabi: canon_stream_read, canon_stream_write, canon_stream_cancel_read, canon_stream_cancel_write
 * cabi: canon_future_read, canon_future_write, canon_future_cancel_read, canon_future_cancel_write
 * cabi: canon_stream_drop_readable, canon_stream_drop_writable
 * cabi: canon_future_drop_readable, canon_future_drop_writable
 * cabi: canon_error_context_debug_message, canon_error_context_drop */
static ts_status builtin_of_handle(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_handle *h;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(ts_handle_table_get(&b->inst->handles, (uint32_t)io[0], &h, e));
    return ts_cabi_trap(e, "handle index %u used with the wrong type by `%s`", (uint32_t)io[0], b->def->canon.builtin);
}
/* cabi: canon_lift: the guest has to wait, but no other task can end its wait. A task of a function
 * that is not of async type must not wait. */
static ts_status would_block(const canon_builtin *b, ts_error *e) {
    if (b->inst->running.task || b->may_be_async)
        return ts_fail(e, TS_UNSUPPORTED, "waiting for other tasks (WASI 0.3) is not implemented");
    return ts_cabi_trap(e, "cannot block a synchronous task before returning");
}
/* cabi: canon_waitable_set_new */
static ts_status waitable_set_new(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    uint32_t i;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    const ts_handle h = {.kind = TS_HANDLE_WAITABLE_SET};
    TS_TRY(ts_handle_table_add(&b->inst->handles, &h, &i, e));
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
/* cabi: canon_waitable_set_poll, unpack_event: there is no event */
static ts_status waitable_set_poll(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    const ts_memory *m = b->inst->core_memories[b->def->canon.builtin_imm[0]];
    uint64_t ptr = m->type.is64 ? io[1] : (uint32_t)io[1];
    ts_handle *h;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(get_waitable_set(b->inst, (uint32_t)io[0], &h, e));
    TS_TRAP_IF(e, ptr % 4, "unaligned pointer: %#llx needs alignment 4", (unsigned long long)ptr);
    TS_TRAP_IF(e, !ts_mem_in(m, ptr, 8), "pointer out of bounds of memory: 8 bytes at %#llx", (unsigned long long)ptr);
    memset(m->base + ptr, 0, 8);
    io[0] = 0; /* EventCode.NONE */
    return TS_OK;
}
/* cabi: canon_waitable_set_drop */
static ts_status waitable_set_drop(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    ts_handle *h, removed;
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    TS_TRY(get_waitable_set(b->inst, (uint32_t)io[0], &h, e));
    return ts_handle_table_remove(&b->inst->handles, (uint32_t)io[0], &removed, e);
}
/* cabi: canon_thread_suspend. There is no other thread that could resume it. */
static ts_status thread_suspend(void *data, ts_exec *x, ts_slot *io) {
    (void)io;
    const canon_builtin *b = data;
    TS_TRAP_IF(ts_exec_error(x), !b->inst->may_leave, "cannot leave component instance");
    return would_block(b, ts_exec_error(x));
}
/* cabi: canon_thread_yield. There is no other thread that could run, so it returns at once, not
 * cancelled. A guest that spins on yield gets an error after YIELDS_MAX yields. */
static ts_status thread_yield(void *data, ts_exec *x, ts_slot *io) {
    const canon_builtin *b = data;
    ts_error *e = ts_exec_error(x);
    TS_TRAP_IF(e, !b->inst->may_leave, "cannot leave component instance");
    if (++b->inst->store->yields > YIELDS_MAX)
        return ts_fail(e, TS_UNSUPPORTED, "a task yields repeatedly: concurrent tasks (WASI 0.3) are not implemented");
    io[0] = 0;
    return TS_OK;
}
static ts_status builtin_unimplemented(void *data, ts_exec *x, ts_slot *io) {
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
    ts_core_host_fn fn = builtin_unimplemented;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, def->canon.builtin) == 0) fn = table[i].fn;
    }
    return ts_func_make_host(s->core, def->canon.core_type, fn, b, def->canon.builtin, out, e);
}
