/* store: lowering values into guest memory, with the guest's realloc for values without a fixed size.
 * In: values, a type and an address. Out: bytes in guest memory.
 * spec: CanonicalABI.md#storing, #lifting-and-lowering-context (functions named and ordered as in
 * definitions.py) */
#include "base/assert.h"
#include "component/abi/plain.h"
#include "component/abi/memory.h"
#include "component/abi/scalar.h"
#include "component/abi/handles.h"
#include "component/abi/store.h"
#include "component/abi/string.h"
#include <string.h>

static inline void store_int(ts_cabi_cx *cx, uint64_t v, uint64_t ptr, uint32_t nbytes);
static ts_status store_string(ts_cabi_cx *cx, const ts_val *v, uint64_t ptr);
static ts_status store_list_into_valid_range(ts_cabi_cx *cx, const ts_val *v, uint64_t ptr, const ts_ctype *list);
static ts_status store_list(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr);
static ts_status store_record(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr);
static ts_status store_variant(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr);

ts_status ts_cabi_store(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) {
    TS_ASSERT(ptr % ts_ctype_align(t, cx->opts->wide) == 0); /* cabi: ptr == align_to(ptr, alignment(t)) */
    TS_ASSERT(ts_mem_in(cx->opts->memory, ptr, ts_ctype_size(t, cx->opts->wide)));
    uint32_t h;
    switch (t->kind) {
    case TS_CT_BOOL: store_int(cx, v->b, ptr, 1); return TS_OK;
    case TS_CT_U8:
    case TS_CT_S8: store_int(cx, v->u8, ptr, 1); return TS_OK;
    case TS_CT_U16:
    case TS_CT_S16: store_int(cx, v->u16, ptr, 2); return TS_OK;
    case TS_CT_U32:
    case TS_CT_S32: store_int(cx, v->u32, ptr, 4); return TS_OK;
    case TS_CT_U64:
    case TS_CT_S64: store_int(cx, v->u64, ptr, 8); return TS_OK;
    case TS_CT_F32: {
        float f = ts_canonicalize_nan32(v->f32);
        memcpy(cx->opts->memory->base + ptr, &f, 4);
        return TS_OK;
    }
    case TS_CT_F64: {
        double f = ts_canonicalize_nan64(v->f64);
        memcpy(cx->opts->memory->base + ptr, &f, 8);
        return TS_OK;
    }
    case TS_CT_CHAR: store_int(cx, v->ch, ptr, 4); return TS_OK;
    case TS_CT_STRING: return store_string(cx, v, ptr);
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return store_list(cx, v, t, ptr);
    case TS_CT_RECORD:
    case TS_CT_TUPLE: return store_record(cx, v, t, ptr);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return store_variant(cx, v, t, ptr);
    case TS_CT_FLAGS: store_int(cx, ts_pack_flags(v), ptr, t->size); return TS_OK; /* cabi: store_flags */
    case TS_CT_OWN:
        TS_TRY(ts_lower_own(cx, v, t, &h));
        store_int(cx, h, ptr, 4);
        return TS_OK;
    case TS_CT_BORROW:
        TS_TRY(ts_lower_borrow(cx, v, t, &h));
        store_int(cx, h, ptr, 4);
        return TS_OK;
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: break;
    }
    return ts_fail(cx->err, TS_UNSUPPORTED, "values of type %s (WASI 0.3) are not implemented",
                   ts_ct_kind_name(t->kind));
}

static inline void store_int(ts_cabi_cx *cx, uint64_t v, uint64_t ptr, uint32_t nbytes) {
    memcpy(cx->opts->memory->base + ptr, &v, nbytes); /* the caller asserts the bounds */
}

static ts_status store_string(ts_cabi_cx *cx, const ts_val *v, uint64_t ptr) {
    uint64_t begin, units;
    TS_TRY(ts_cabi_store_string_into_range(cx, v, &begin, &units));
    uint32_t w = ts_ptr_size(cx->opts);
    store_int(cx, begin, ptr, w);
    store_int(cx, units, ptr + w, w);
    return TS_OK;
}

static ts_status store_list(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) {
    TS_ASSERT(t->kind != TS_CT_FIXED_LIST || v->list.len == t->n); /* cabi: maybe_length == len(v) */
    if (t->kind == TS_CT_FIXED_LIST && v->list.len != t->n)
        return ts_fail(cx->err, TS_USAGE, "the host gave %zu elements of a list of %u", v->list.len, t->n);
    if (t->kind == TS_CT_FIXED_LIST) return store_list_into_valid_range(cx, v, ptr, t);
    uint64_t begin, length;
    TS_TRY(ts_cabi_store_list_into_range(cx, v, t, &begin, &length));
    uint32_t w = ts_ptr_size(cx->opts);
    store_int(cx, begin, ptr, w);
    store_int(cx, length, ptr + w, w);
    return TS_OK;
}

ts_status ts_cabi_store_list_into_range(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *list, uint64_t *ptr,
                                        uint64_t *length) {
    uint32_t size, align;
    ts_elem_layout(list, cx->opts->wide, &size, &align);
    /* list.len and raw.len are the same member of two structs with the same layout */
    uint64_t n = v->list.len;
    if (n > UINT32_MAX || n * size > UINT32_MAX)
        return ts_fail(cx->err, TS_LIMIT, "a list of %llu elements of %u bytes does not fit into the guest",
                       (unsigned long long)n, size);
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, align, n * size, align, ptr));
    *length = n;
    return store_list_into_valid_range(cx, v, *ptr, list);
}

static ts_status store_list_into_valid_range(ts_cabi_cx *cx, const ts_val *v, uint64_t ptr, const ts_ctype *list) {
    const ts_ctype *elem = list->elem;
    bool map = list->kind == TS_CT_MAP;
    if (ts_plain_travels(cx, list)) {
        ts_plain_copy(elem, cx->opts->memory->base + ptr, v->raw.ptr, v->raw.len);
        return TS_OK;
    }
    if (!map && ts_ct_is_raw_elem(elem->kind)) {
        uint8_t *to = cx->opts->memory->base + ptr;
        if (v->raw.len) memcpy(to, v->raw.ptr, v->raw.len * elem->size);
        /* packed floats were not checked when they were lifted; NaNs are made canonical as single
         * floats are. cabi: maybe_scramble_nan32 */
        for (size_t i = 0; elem->kind == TS_CT_F32 && i < v->raw.len; i++) {
            float f;
            memcpy(&f, to + 4 * i, 4);
            f = ts_canonicalize_nan32(f);
            memcpy(to + 4 * i, &f, 4);
        }
        for (size_t i = 0; elem->kind == TS_CT_F64 && i < v->raw.len; i++) {
            double f;
            memcpy(&f, to + 8 * i, 8);
            f = ts_canonicalize_nan64(f);
            memcpy(to + 8 * i, &f, 8);
        }
        return TS_OK;
    }
    uint32_t size, align;
    bool wide = cx->opts->wide;
    ts_elem_layout(list, wide, &size, &align);
    for (size_t i = 0; i < v->list.len; i++) {
        uint64_t at = ptr + i * size;
        if (map) {
            const ts_val *kv = v->list.ptr[i].list.ptr;
            TS_TRY(ts_cabi_store(cx, &kv[0], list->elem2, at));
            TS_TRY(ts_cabi_store(cx, &kv[1], elem,
                                 ts_align_to(at + ts_ctype_size(list->elem2, wide), ts_ctype_align(elem, wide))));
        } else {
            TS_TRY(ts_cabi_store(cx, &v->list.ptr[i], elem, at));
        }
    }
    return TS_OK;
}

static ts_status store_record(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) {
    if (v->list.len != t->n)
        return ts_fail(cx->err, TS_USAGE, "the host gave %zu fields of a record of %u", v->list.len, t->n);
    for (uint32_t i = 0; i < t->n; i++)
        TS_TRY(ts_cabi_store(cx, &v->list.ptr[i], t->cases[i].type, ptr + ts_ctype_offset(t, i, cx->opts->wide)));
    return TS_OK;
}

/* cabi: store_variant, match_case (the value carries the index) */
static ts_status store_variant(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) {
    uint32_t disc = v->variant.disc, n = ts_ctype_n_cases(t);
    if (disc >= n) return ts_fail(cx->err, TS_USAGE, "the host gave case %u of a type with %u cases", disc, n);
    store_int(cx, disc, ptr, t->disc_size);
    const ts_ctype *c = ts_ctype_case(t, disc);
    if (c && !v->variant.payload) return ts_fail(cx->err, TS_USAGE, "the host gave case %u without its payload", disc);
    return c ? ts_cabi_store(cx, v->variant.payload, c, ptr + ts_ctype_payload(t, cx->opts->wide)) : TS_OK;
}
