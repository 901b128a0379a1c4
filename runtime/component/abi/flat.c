/* flat: lifting from core values in slots and lowering to them, and how the parameters and the result
 * of a function are passed.
 * In: slots or values. Out: the other. A slot holds an i32 zero-extended and an f32 in its low half,
 * so the coercions between the core types of a variant's cases need no code: the reader decides.
 * spec: CanonicalABI.md#flattening, #flat-lifting, #flat-lowering, #lifting-and-lowering-values
 * (named as in definitions.py) */
#include "component/abi/scratch.h"
#include "component/abi/trap.h"
#include "component/abi/memory.h"
#include "component/abi/plain.h"
#include "component/abi/scalar.h"
#include "component/abi/handles.h"
#include "component/abi/load.h"
#include "component/abi/store.h"
#include "component/abi/string.h"
#include "component/abi/flat.h"
#include <string.h>

static ts_status lift_flat_list(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out);
static ts_status lift_flat_record(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out);
static ts_status lift_flat_variant(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out);
static ts_status lower_flat_list(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out);
static ts_status lower_flat_record(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out);
static ts_status lower_flat_variant(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out);

/* --- flattening -------------------------------------------------------------------------------- */

/* Appends the steps of a type that consists of scalars only. Returns false if it contains anything
 * else. */
static bool scalar_steps(const ts_ctype *t, ts_flat_step *steps, uint32_t *n, uint32_t max) {
    uint8_t op;
    switch (t->kind) {
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) {
            if (!scalar_steps(t->cases[i].type, steps, n, max)) return false;
        }
        return true;
    case TS_CT_U64:
    case TS_CT_S64: op = TS_FLAT_SAME; break;
    case TS_CT_U32:
    case TS_CT_S32: op = TS_FLAT_I32; break;
    case TS_CT_BOOL: op = TS_FLAT_BOOL; break;
    case TS_CT_U8: op = TS_FLAT_U8; break;
    case TS_CT_S8: op = TS_FLAT_S8; break;
    case TS_CT_U16: op = TS_FLAT_U16; break;
    case TS_CT_S16: op = TS_FLAT_S16; break;
    case TS_CT_F32: op = TS_FLAT_F32; break;
    case TS_CT_F64: op = TS_FLAT_F64; break;
    case TS_CT_CHAR: op = TS_FLAT_CHAR; break;
    case TS_CT_FLAGS: op = TS_FLAT_FLAGS; break;
    case TS_CT_ENUM: op = TS_FLAT_ENUM; break;
    default: return false;
    }
    if (*n >= max) return false;
    steps[*n].op = op;
    steps[*n].limit = t->kind == TS_CT_FLAGS ? ts_flags_mask(t) : t->kind == TS_CT_ENUM ? ts_ctype_n_cases(t) : 0;
    ++*n;
    return true;
}

static bool has_unsupported(const ts_ctype *t) { /* the depth is bounded by TS_CT_MAX_DEPTH */
    if (!t) return false;
    switch (t->kind) {
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: return true;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
    case TS_CT_VARIANT:
        for (uint32_t i = 0; i < t->n; i++) {
            if (has_unsupported(t->cases[i].type)) return true;
        }
        return false;
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return has_unsupported(t->elem) || has_unsupported(t->elem2);
    default: return false;
    }
}

ts_status ts_flatten_functype(ts_arena *arena, const ts_cfunc_type *ft, bool wide, const ts_func_layout **out,
                              ts_error *e) {
    ts_func_layout *l = ts_arena_alloc(arena, sizeof *l);
    uint32_t *offsets = ts_arena_array(arena, ft->n_params, sizeof *offsets);
    if (!l || !offsets) return ts_fail_nomem(e);
    uint64_t size = 0;
    uint32_t n = 0;
    l->align = 1;
    l->scalar = true;
    for (uint32_t i = 0; i < ft->n_params; i++) {
        const ts_ctype *t = ft->params[i].type;
        l->n_flat_params += t->n_flat;
        if (l->n_flat_params > TS_CT_FLAT_MAX) l->n_flat_params = TS_CT_FLAT_MAX;
        size = ts_align_to(size, ts_ctype_align(t, wide));
        if (size > UINT32_MAX) return ts_fail(e, TS_LIMIT, "the parameters of a function are too large");
        offsets[i] = (uint32_t)size;
        size += ts_ctype_size(t, wide);
        if (ts_ctype_align(t, wide) > l->align) l->align = ts_ctype_align(t, wide);
        if (l->scalar) l->scalar = scalar_steps(t, l->steps, &n, TS_MAX_FLAT_PARAMS);
        l->has_unsupported |= has_unsupported(t);
    }
    size = ts_align_to(size, l->align);
    if (size > UINT32_MAX) return ts_fail(e, TS_LIMIT, "the parameters of a function are too large");
    l->size = (uint32_t)size;
    l->offsets = offsets;
    if (l->n_flat_params > TS_MAX_FLAT_PARAMS) l->scalar = false;
    if (ft->result) {
        l->n_flat_result = ft->result->n_flat;
        l->has_unsupported |= has_unsupported(ft->result);
        l->plain = l->scalar && l->n_flat_result > TS_MAX_FLAT_RESULTS && ft->result->plain;
        if (l->scalar) {
            l->scalar = l->n_flat_result <= TS_MAX_FLAT_RESULTS && l->n_flat_params <= TS_MAX_FLAT_PARAMS &&
                        scalar_steps(ft->result, l->steps, &n, TS_MAX_FLAT_PARAMS + 1);
        }
    }
    l->n_steps = (uint8_t)n;
    l->identity = l->scalar || l->plain;
    for (uint32_t i = 0; i < n; i++) l->identity &= l->steps[i].op == TS_FLAT_SAME || l->steps[i].op == TS_FLAT_I32;
    *out = l;
    return TS_OK;
}

/* Converts slots from one core function to another: what lift_flat followed by lower_flat does to
 * scalars. */
ts_status ts_flat_steps(ts_error *e, const ts_flat_step *steps, uint32_t n, ts_slot *io) {
    for (uint32_t i = 0; i < n; i++) {
        ts_slot v = io[i];
        switch ((ts_flat_op)steps[i].op) {
        case TS_FLAT_SAME: break;
        case TS_FLAT_I32: v = (uint32_t)v; break;
        case TS_FLAT_BOOL: v = (uint32_t)v != 0; break;
        case TS_FLAT_U8: v = (uint8_t)v; break;
        case TS_FLAT_S8: v = (uint32_t)(int32_t)(int8_t)v; break;
        case TS_FLAT_U16: v = (uint16_t)v; break;
        case TS_FLAT_S16: v = (uint32_t)(int32_t)(int16_t)v; break;
        case TS_FLAT_FLAGS: v = (uint32_t)v & steps[i].limit; break;
        case TS_FLAT_ENUM:
            v = (uint32_t)v;
            TS_TRAP_IF(e, v >= steps[i].limit, "invalid variant discriminant: %u of %u cases", (uint32_t)v,
                       steps[i].limit);
            break;
        case TS_FLAT_CHAR: {
            uint32_t c;
            TS_TRY(ts_convert_i32_to_char(e, (uint32_t)v, &c));
            v = c;
            break;
        }
        case TS_FLAT_F32: {
            uint32_t b = (uint32_t)v;
            v = (b & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : b;
            break;
        }
        case TS_FLAT_F64:
            if ((v & INT64_MAX) > 0x7ff0000000000000u) v = 0x7ff8000000000000u;
            break;
        }
        io[i] = v;
    }
    return TS_OK;
}

/* --- flat lifting ------------------------------------------------------------------------------ */

static inline uint32_t next_i32(const ts_slot **vi) {
    return (uint32_t)*(*vi)++;
}
static inline uint64_t next_ptr(const ts_cabi_cx *cx, const ts_slot **vi) {
    return ts_ptr_of(cx->opts, *(*vi)++);
}

ts_status ts_lift_flat(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) {
    switch (t->kind) {
    case TS_CT_BOOL: out->b = next_i32(vi) != 0; return TS_OK;
    case TS_CT_U8:                                                /* cabi: lift_flat_unsigned */
    case TS_CT_S8: out->u8 = (uint8_t)next_i32(vi); return TS_OK; /* cabi: lift_flat_signed */
    case TS_CT_U16:
    case TS_CT_S16: out->u16 = (uint16_t)next_i32(vi); return TS_OK;
    case TS_CT_U32:
    case TS_CT_S32: out->u32 = next_i32(vi); return TS_OK;
    case TS_CT_U64:
    case TS_CT_S64: out->u64 = *(*vi)++; return TS_OK;
    case TS_CT_F32: {
        uint32_t b = next_i32(vi);
        memcpy(&out->f32, &b, 4);
        out->f32 = ts_canonicalize_nan32(out->f32);
        return TS_OK;
    }
    case TS_CT_F64:
        memcpy(&out->f64, (*vi)++, 8);
        out->f64 = ts_canonicalize_nan64(out->f64);
        return TS_OK;
    case TS_CT_CHAR: return ts_convert_i32_to_char(cx->err, next_i32(vi), &out->ch);
    case TS_CT_STRING: { /* cabi: lift_flat_string */
        uint64_t ptr = next_ptr(cx, vi), packed_length = next_ptr(cx, vi);
        return ts_cabi_load_string_from_range(cx, ptr, packed_length, out);
    }
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return lift_flat_list(cx, vi, t, out);
    case TS_CT_RECORD:
    case TS_CT_TUPLE: return lift_flat_record(cx, vi, t, out);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return lift_flat_variant(cx, vi, t, out);
    case TS_CT_FLAGS: ts_unpack_flags(next_i32(vi), t, out); return TS_OK; /* cabi: lift_flat_flags */
    case TS_CT_OWN: return ts_lift_own(cx, next_i32(vi), t, out);
    case TS_CT_BORROW: return ts_lift_borrow(cx, next_i32(vi), t, out);
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: break;
    }
    return ts_fail(cx->err, TS_UNSUPPORTED, "values of type %s (WASI 0.3) are not implemented",
                   ts_ct_kind_name(t->kind));
}

static ts_status lift_flat_list(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) {
    if (t->kind == TS_CT_FIXED_LIST) {
        const ts_ctype *elem = t->elem;
        ts_val *vals = ts_arena_array(cx->arena, t->n, sizeof *vals);
        if (!vals) return ts_scratch_full(cx->arena, cx->err);
        for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_lift_flat(cx, vi, elem, &vals[i]));
        if (ts_ct_is_raw_elem(elem->kind)) { /* pack the elements */
            uint8_t *raw = (uint8_t *)vals;
            for (uint32_t i = 0; i < t->n; i++) memmove(raw + (size_t)i * elem->size, &vals[i], elem->size);
            out->raw.ptr = raw;
            out->raw.len = t->n;
            return TS_OK;
        }
        out->list.ptr = vals;
        out->list.len = t->n;
        return TS_OK;
    }
    uint64_t ptr = next_ptr(cx, vi), length = next_ptr(cx, vi);
    return ts_cabi_load_list_from_range(cx, ptr, length, t->elem, t, out);
}

static ts_status lift_flat_record(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) {
    ts_val *f = ts_arena_array(cx->arena, t->n, sizeof *f);
    if (!f) return ts_scratch_full(cx->arena, cx->err);
    for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_lift_flat(cx, vi, t->cases[i].type, &f[i]));
    out->list.ptr = f;
    out->list.len = t->n;
    return TS_OK;
}

static ts_status lift_flat_variant(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) {
    const ts_slot *end = *vi + t->n_flat;
    uint32_t disc = next_i32(vi);
    uint32_t n = ts_ctype_n_cases(t);
    TS_TRAP_IF(cx->err, disc >= n, "invalid variant discriminant: %u of %u cases", disc, n);
    const ts_ctype *c = ts_ctype_case(t, disc);
    out->variant.disc = disc;
    out->variant.payload = NULL;
    if (c) {
        ts_val *p = ts_arena_alloc(cx->arena, sizeof *p);
        if (!p) return ts_scratch_full(cx->arena, cx->err);
        out->variant.payload = p;
        TS_TRY(ts_lift_flat(cx, vi, c, p));
    }
    *vi = end;
    return TS_OK;
}

/* --- flat lowering ----------------------------------------------------------------------------- */

ts_status ts_lower_flat(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) {
    uint32_t h;
    switch (t->kind) {
    case TS_CT_BOOL: *(*out)++ = v->b; return TS_OK;
    case TS_CT_U8: *(*out)++ = v->u8; return TS_OK;
    case TS_CT_U16: *(*out)++ = v->u16; return TS_OK;
    case TS_CT_U32:
    case TS_CT_S32: *(*out)++ = v->u32; return TS_OK;
    case TS_CT_U64:
    case TS_CT_S64: *(*out)++ = v->u64; return TS_OK;
    case TS_CT_S8: *(*out)++ = (uint32_t)(int32_t)v->s8; return TS_OK; /* cabi: lower_flat_signed */
    case TS_CT_S16: *(*out)++ = (uint32_t)(int32_t)v->s16; return TS_OK;
    case TS_CT_F32: {
        float f = ts_canonicalize_nan32(v->f32);
        uint32_t b;
        memcpy(&b, &f, 4);
        *(*out)++ = b;
        return TS_OK;
    }
    case TS_CT_F64: {
        double f = ts_canonicalize_nan64(v->f64);
        memcpy((*out)++, &f, 8);
        return TS_OK;
    }
    case TS_CT_CHAR: *(*out)++ = v->ch; return TS_OK;
    case TS_CT_STRING: { /* cabi: lower_flat_string */
        uint64_t ptr, packed_length;
        TS_TRY(ts_cabi_store_string_into_range(cx, v, &ptr, &packed_length));
        *(*out)++ = ptr;
        *(*out)++ = packed_length;
        return TS_OK;
    }
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return lower_flat_list(cx, v, t, out);
    case TS_CT_RECORD:
    case TS_CT_TUPLE: return lower_flat_record(cx, v, t, out);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return lower_flat_variant(cx, v, t, out);
    case TS_CT_FLAGS: *(*out)++ = ts_pack_flags(v); return TS_OK; /* cabi: lower_flat_flags */
    case TS_CT_OWN:
        TS_TRY(ts_lower_own(cx, v, t, &h));
        *(*out)++ = h;
        return TS_OK;
    case TS_CT_BORROW:
        TS_TRY(ts_lower_borrow(cx, v, t, &h));
        *(*out)++ = h;
        return TS_OK;
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: break;
    }
    return ts_fail(cx->err, TS_UNSUPPORTED, "values of type %s (WASI 0.3) are not implemented",
                   ts_ct_kind_name(t->kind));
}

static ts_status lower_flat_list(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) {
    if (t->kind == TS_CT_FIXED_LIST) {
        const ts_ctype *elem = t->elem;
        if (v->list.len != t->n)
            return ts_fail(cx->err, TS_USAGE, "the host gave %zu elements of a list of %u", v->list.len, t->n);
        for (uint32_t i = 0; i < t->n; i++) {
            ts_val one = {.u64 = 0};
            if (ts_ct_is_raw_elem(elem->kind))
                memcpy(&one, (const uint8_t *)v->raw.ptr + (size_t)i * elem->size, elem->size);
            else
                one = v->list.ptr[i];
            TS_TRY(ts_lower_flat(cx, &one, elem, out));
        }
        return TS_OK;
    }
    uint64_t ptr, length;
    TS_TRY(ts_cabi_store_list_into_range(cx, v, t, &ptr, &length));
    *(*out)++ = ptr;
    *(*out)++ = length;
    return TS_OK;
}

static ts_status lower_flat_record(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) {
    if (v->list.len != t->n)
        return ts_fail(cx->err, TS_USAGE, "the host gave %zu fields of a record of %u", v->list.len, t->n);
    for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_lower_flat(cx, &v->list.ptr[i], t->cases[i].type, out));
    return TS_OK;
}

static ts_status lower_flat_variant(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) {
    ts_slot *end = *out + t->n_flat;
    uint32_t disc = v->variant.disc, n = ts_ctype_n_cases(t);
    if (disc >= n) return ts_fail(cx->err, TS_USAGE, "the host gave case %u of a type with %u cases", disc, n);
    *(*out)++ = disc;
    const ts_ctype *c = ts_ctype_case(t, disc);
    if (c) {
        if (!v->variant.payload) return ts_fail(cx->err, TS_USAGE, "the host gave case %u without its payload", disc);
        TS_TRY(ts_lower_flat(cx, v->variant.payload, c, out));
    }
    while (*out < end) *(*out)++ = 0;
    return TS_OK;
}

/* --- lifting and lowering values --------------------------------------------------------------- */

static ts_status check_range(const ts_cabi_opts *opts, uint64_t ptr, uint32_t size, uint32_t align, ts_error *e) {
    TS_TRAP_IF(e, ptr & (align - 1), "unaligned pointer: %#llx needs alignment %u", (unsigned long long)ptr, align);
    TS_TRAP_IF(e, !ts_mem_in(opts->memory, ptr, size), "pointer out of bounds of memory: %u bytes at %#llx", size,
               (unsigned long long)ptr);
    return TS_OK;
}

/* cabi: lift_flat_values of the parameters */
ts_status ts_lift_flat_params(ts_cabi_cx *cx, uint32_t max_flat, const ts_cfunc_type *ft, const ts_func_layout *l,
                              const ts_slot *io, ts_val *args) {
    if (l->n_flat_params > max_flat) {
        uint64_t ptr = ts_ptr_of(cx->opts, io[0]);
        TS_TRY(check_range(cx->opts, ptr, l->size, l->align, cx->err));
        for (uint32_t i = 0; i < ft->n_params; i++)
            TS_TRY(ts_cabi_load(cx, ptr + l->offsets[i], ft->params[i].type, &args[i]));
        return TS_OK;
    }
    for (uint32_t i = 0; i < ft->n_params; i++) TS_TRY(ts_lift_flat(cx, &io, ft->params[i].type, &args[i]));
    return TS_OK;
}

/* cabi: lower_flat_values of the parameters */
ts_status ts_lower_flat_params(ts_cabi_cx *cx, const ts_val *args, const ts_cfunc_type *ft, const ts_func_layout *l,
                               ts_slot *io) {
    if (l->n_flat_params > TS_MAX_FLAT_PARAMS) {
        uint64_t ptr;
        TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, l->align, l->size, l->align, &ptr));
        for (uint32_t i = 0; i < ft->n_params; i++)
            TS_TRY(ts_cabi_store(cx, &args[i], ft->params[i].type, ptr + l->offsets[i]));
        io[0] = ptr;
        return TS_OK;
    }
    for (uint32_t i = 0; i < ft->n_params; i++) TS_TRY(ts_lower_flat(cx, &args[i], ft->params[i].type, &io));
    return TS_OK;
}

/* cabi: lift_flat_values of the result */
ts_status ts_lift_flat_result(ts_cabi_cx *cx, const ts_cfunc_type *ft, const ts_func_layout *l, const ts_slot *io,
                              ts_val *out) {
    const ts_ctype *t = ft->result;
    if (!t) return TS_OK;
    if (l->n_flat_result > TS_MAX_FLAT_RESULTS) {
        uint64_t ptr = ts_ptr_of(cx->opts, io[0]);
        TS_TRY(
            check_range(cx->opts, ptr, ts_ctype_size(t, cx->opts->wide), ts_ctype_align(t, cx->opts->wide), cx->err));
        return ts_cabi_load(cx, ptr, t, out);
    }
    return ts_lift_flat(cx, &io, t, out);
}

/* cabi: lower_flat_values of the result, into the caller */
ts_status ts_lower_flat_result(ts_cabi_cx *cx, const ts_val *v, const ts_cfunc_type *ft, const ts_func_layout *l,
                               bool to_memory, uint64_t out_ptr, ts_slot *io) {
    const ts_ctype *t = ft->result;
    (void)l;
    if (!t) return TS_OK;
    if (to_memory) {
        TS_TRY(check_range(cx->opts, out_ptr, ts_ctype_size(t, cx->opts->wide), ts_ctype_align(t, cx->opts->wide),
                           cx->err));
        return ts_cabi_store(cx, v, t, out_ptr);
    }
    return ts_lower_flat(cx, v, t, &io);
}

ts_status ts_copy_plain_result(const ts_ctype *t, const ts_cabi_opts *callee, uint64_t from, const ts_cabi_opts *caller,
                               uint64_t to, ts_error *e) {
    TS_TRY(check_range(callee, from, t->size, t->align, e));
    const uint8_t *bytes = callee->memory->base + from;
    TS_TRY(ts_plain_check(e, t, bytes, 1));
    TS_TRY(check_range(caller, to, t->size, t->align, e));
    ts_plain_copy(t, caller->memory->base + to, bytes, 1);
    return TS_OK;
}
