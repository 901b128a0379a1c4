/* load: lifting values from guest memory.
 * In: an address and a type. Out: values. What they point to is in the context's arena or, if nothing
 * can change it, in guest memory.
 * spec: CanonicalABI.md#loading (functions named and ordered as in definitions.py) */
#include "base/assert.h"
#include "component/abi/scratch.h"
#include "component/abi/plain.h"
#include "component/abi/trap.h"
#include "component/abi/memory.h"
#include "component/abi/scalar.h"
#include "component/abi/handles.h"
#include "component/abi/load.h"
#include "component/abi/string.h"
#include <string.h>

static inline uint64_t load_int(const ts_cabi_cx *cx, uint64_t ptr, uint32_t nbytes);
static ts_status load_string(ts_cabi_cx *cx, uint64_t ptr, ts_val *out);
static ts_status load_list_from_valid_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t length, const ts_ctype *list,
                                            ts_val *out);
static ts_status load_list(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out);
static ts_status load_record(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out);
static ts_status load_variant(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out);

ts_status ts_cabi_load(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) {
    TS_ASSERT(ptr % ts_ctype_align(t, cx->opts->wide) == 0); /* cabi: ptr == align_to(ptr, alignment(t)) */
    TS_ASSERT(ts_mem_in(cx->opts->memory, ptr, ts_ctype_size(t, cx->opts->wide)));
    switch (t->kind) {
    case TS_CT_BOOL: out->b = load_int(cx, ptr, 1) != 0; return TS_OK;
    case TS_CT_U8: out->u8 = (uint8_t)load_int(cx, ptr, 1); return TS_OK;
    case TS_CT_U16: out->u16 = (uint16_t)load_int(cx, ptr, 2); return TS_OK;
    case TS_CT_U32: out->u32 = (uint32_t)load_int(cx, ptr, 4); return TS_OK;
    case TS_CT_U64: out->u64 = load_int(cx, ptr, 8); return TS_OK;
    case TS_CT_S8: out->s8 = (int8_t)load_int(cx, ptr, 1); return TS_OK;
    case TS_CT_S16: out->s16 = (int16_t)load_int(cx, ptr, 2); return TS_OK;
    case TS_CT_S32: out->s32 = (int32_t)load_int(cx, ptr, 4); return TS_OK;
    case TS_CT_S64: out->s64 = (int64_t)load_int(cx, ptr, 8); return TS_OK;
    case TS_CT_F32: {
        memcpy(&out->f32, cx->opts->memory->base + ptr, 4);
        out->f32 = ts_canonicalize_nan32(out->f32);
        return TS_OK;
    }
    case TS_CT_F64: {
        memcpy(&out->f64, cx->opts->memory->base + ptr, 8);
        out->f64 = ts_canonicalize_nan64(out->f64);
        return TS_OK;
    }
    case TS_CT_CHAR: return ts_convert_i32_to_char(cx->err, (uint32_t)load_int(cx, ptr, 4), &out->ch);
    case TS_CT_STRING: return load_string(cx, ptr, out);
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return load_list(cx, ptr, t, out);
    case TS_CT_RECORD:
    case TS_CT_TUPLE: return load_record(cx, ptr, t, out);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return load_variant(cx, ptr, t, out);
    case TS_CT_FLAGS:
        ts_unpack_flags((uint32_t)load_int(cx, ptr, t->size), t, out);
        return TS_OK; /* cabi: load_flags */
    case TS_CT_OWN: return ts_lift_own(cx, (uint32_t)load_int(cx, ptr, 4), t, out);
    case TS_CT_BORROW: return ts_lift_borrow(cx, (uint32_t)load_int(cx, ptr, 4), t, out);
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: break;
    }
    return ts_fail(cx->err, TS_UNSUPPORTED, "values of type %s (WASI 0.3) are not implemented",
                   ts_ct_kind_name(t->kind));
}

static inline uint64_t load_int(const ts_cabi_cx *cx, uint64_t ptr, uint32_t nbytes) {
    uint64_t v = 0;
    /* the caller asserts the bounds, see ts_cabi_load */
    memcpy(&v, cx->opts->memory->base + ptr, nbytes);
    return v;
}

static ts_status load_string(ts_cabi_cx *cx, uint64_t ptr, ts_val *out) {
    uint32_t w = ts_ptr_size(cx->opts);
    return ts_cabi_load_string_from_range(cx, load_int(cx, ptr, w), load_int(cx, ptr + w, w), out);
}

static ts_status load_list(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) {
    if (t->kind == TS_CT_FIXED_LIST) return load_list_from_valid_range(cx, ptr, t->n, t, out);
    uint32_t w = ts_ptr_size(cx->opts);
    return ts_cabi_load_list_from_range(cx, load_int(cx, ptr, w), load_int(cx, ptr + w, w), t->elem, t, out);
}

ts_status ts_cabi_load_list_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t length, const ts_ctype *elem,
                                       const ts_ctype *list, ts_val *out) {
    (void)elem;
    uint32_t size, align;
    ts_elem_layout(list, cx->opts->wide, &size, &align);
    TS_TRAP_IF(cx->err, length > TS_MAX_BYTE_LENGTH || length * size > TS_MAX_BYTE_LENGTH,
               "list byte length too large: %llu elements of %u bytes", (unsigned long long)length, size);
    TS_TRAP_IF(cx->err, ptr & (align - 1), "unaligned pointer: list at %#llx needs alignment %u",
               (unsigned long long)ptr, align);
    TS_TRAP_IF(cx->err, !ts_mem_in(cx->opts->memory, ptr, length * size),
               "list content out-of-bounds: list pointer/length out of bounds of memory");
    return load_list_from_valid_range(cx, ptr, length, list, out);
}

static ts_status load_list_from_valid_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t length, const ts_ctype *list,
                                            ts_val *out) {
    const ts_ctype *elem = list->elem;
    bool plain = ts_plain_travels(cx, list);
    if (plain || (list->kind != TS_CT_MAP && ts_ct_is_raw_elem(elem->kind))) {
        const uint8_t *from = cx->opts->memory->base + ptr;
        if (plain) TS_TRY(ts_plain_check(cx->err, elem, from, length));
        out->raw.len = length;
        out->raw.ptr = from;
        if (!cx->borrow_memory && length) {
            void *copy = ts_arena_array(cx->arena, length, elem->size);
            if (!copy)
                return ts_fail(cx->err, TS_LIMIT, "a list of %llu elements is too large", (unsigned long long)length);
            memcpy(copy, from, length * elem->size);
            out->raw.ptr = copy;
        }
        return TS_OK;
    }
    ts_val *vals = NULL;
    bool map = list->kind == TS_CT_MAP;
    if (length) {
        vals = ts_arena_array(cx->arena, length * (map ? 3 : 1), sizeof *vals);
        if (!vals)
            return ts_fail(cx->err, TS_LIMIT, "a list of %llu elements is too large", (unsigned long long)length);
    }
    uint32_t size, align;
    bool wide = cx->opts->wide;
    ts_elem_layout(list, wide, &size, &align);
    for (uint64_t i = 0; i < length; i++) {
        uint64_t at = ptr + i * size;
        if (map) {
            ts_val *kv = vals + length + 2 * i;
            TS_TRY(ts_cabi_load(cx, at, list->elem2, &kv[0]));
            TS_TRY(ts_cabi_load(cx, ts_align_to(at + ts_ctype_size(list->elem2, wide), ts_ctype_align(elem, wide)),
                                elem, &kv[1]));
            vals[i].list.ptr = kv;
            vals[i].list.len = 2;
        } else {
            TS_TRY(ts_cabi_load(cx, at, elem, &vals[i]));
        }
    }
    out->list.ptr = vals;
    out->list.len = length;
    return TS_OK;
}

static ts_status load_record(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) {
    ts_val *f = ts_arena_array(cx->arena, t->n, sizeof *f);
    if (!f) return ts_scratch_full(cx->arena, cx->err);
    for (uint32_t i = 0; i < t->n; i++)
        TS_TRY(ts_cabi_load(cx, ptr + ts_ctype_offset(t, i, cx->opts->wide), t->cases[i].type, &f[i]));
    out->list.ptr = f;
    out->list.len = t->n;
    return TS_OK;
}

static ts_status load_variant(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) {
    uint32_t disc = (uint32_t)load_int(cx, ptr, t->disc_size);
    TS_TRAP_IF(cx->err, disc >= ts_ctype_n_cases(t), "invalid variant discriminant: %u of %u cases", disc,
               ts_ctype_n_cases(t));
    out->variant.disc = disc;
    out->variant.payload = NULL;
    const ts_ctype *c = ts_ctype_case(t, disc);
    if (!c) return TS_OK;
    ts_val *p = ts_arena_alloc(cx->arena, sizeof *p);
    if (!p) return ts_scratch_full(cx->arena, cx->err);
    out->variant.payload = p;
    return ts_cabi_load(cx, ptr + ts_ctype_payload(t, cx->opts->wide), c, p);
}
