/* canon: the canonical definitions as core functions, and calls of component functions.
 * cabi: canon_lift, canon_lower and the built-ins */
#ifndef TS_COMPONENT_ABI_CANON_H
#define TS_COMPONENT_ABI_CANON_H
#include "component/abi/instance.h"

typedef struct ts_lowered ts_lowered;
ts_status ts_canon_lower_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_cfunc *callee,
                              const ts_cabi_opts *opts, ts_func **out, ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_func **out,
                                 ts_error *e) TS_MUST_USE;
ts_status ts_canon_builtin_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, const ts_cabi_opts *opts,
                                ts_func **out, ts_error *e) TS_MUST_USE;
/* Calls a host function and notifies the observer. The arena is not reset. */
ts_status ts_canon_call_from(ts_cstore *s, ts_cfunc *f, const ts_cinstance *caller, const ts_val *args, ts_val *result,
                             ts_arena *arena, ts_error *e) TS_MUST_USE;
ts_status ts_host_invoke(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena,
                         ts_error *e) TS_MUST_USE;

/* Where the lifted result goes before post-return runs: into the caller's memory, or to the embedder. */
typedef struct ts_canon_lift_end {
    const ts_lowered *lower;
    ts_cabi_cx *caller_cx;
    uint64_t out_ptr;
    ts_slot *io;
    ts_val *result;
    bool untouched; /* out: the call failed before it changed the instance */
} ts_canon_lift_end;
/* cabi: on_resolve */
ts_status ts_canon_resolve(const ts_canon_lift_end *end, const ts_val *result) TS_MUST_USE;

/* async.c: calls a function that is lifted with `async`, as far as it runs without waiting. */
ts_status ts_canon_lift_async(ts_cstore *s, ts_cfunc *f, ts_slot *io, ts_task *task, ts_error *e) TS_MUST_USE;

/* Calls from the host. */
/* Returns the type of a function. */
const ts_cfunc_type *ts_cfunc_get_type(const ts_cfunc *f);
/* Calls a function with lifted values. The result is allocated in `arena`. An instance that traps cannot be
 * entered again. */
ts_status ts_canon_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena,
                        ts_error *e) TS_MUST_USE;
/* Drops an own handle that the embedder holds. */
ts_status ts_handle_drop(ts_cstore *s, const ts_val *own, ts_error *e) TS_MUST_USE;

#endif
