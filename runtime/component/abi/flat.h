/* flat: values as core values. cabi: lift_flat, lower_flat, lift_flat_values, lower_flat_values
 * cabi: flatten_functype */
#ifndef TS_COMPONENT_ABI_FLAT_H
#define TS_COMPONENT_ABI_FLAT_H
#include "component/abi/context.h"

ts_status ts_lift_flat(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lower_flat(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) TS_MUST_USE;
ts_status ts_lift_flat_params(ts_cabi_cx *cx, uint32_t max_flat, const ts_cfunc_type *ft, const ts_func_layout *l,
                              const ts_slot *io, ts_val *args) TS_MUST_USE;
ts_status ts_lower_flat_params(ts_cabi_cx *cx, const ts_val *args, const ts_cfunc_type *ft, const ts_func_layout *l,
                               ts_slot *io) TS_MUST_USE;
ts_status ts_lift_flat_result(ts_cabi_cx *cx, const ts_cfunc_type *ft, const ts_func_layout *l, const ts_slot *io,
                              ts_val *out) TS_MUST_USE;
ts_status ts_lower_flat_result(ts_cabi_cx *cx, const ts_val *v, const ts_cfunc_type *ft, const ts_func_layout *l,
                               bool to_memory, uint64_t out_ptr, ts_slot *io) TS_MUST_USE;
ts_status ts_flatten_functype(ts_arena *arena, const ts_cfunc_type *ft, bool wide, const ts_func_layout **out,
                              ts_error *e) TS_MUST_USE;
/* A result that is plain (ts_func_layout) goes from the callee's memory to the caller's, which is another one.
 * cabi: lift_flat_values, lower_flat_values */
ts_status ts_copy_plain_result(const ts_ctype *t, const ts_cabi_opts *callee, uint64_t from, const ts_cabi_opts *caller,
                               uint64_t to, ts_error *e) TS_MUST_USE;
ts_status ts_flat_steps(ts_error *e, const ts_flat_step *steps, uint32_t n, ts_slot *io) TS_MUST_USE;
#endif
