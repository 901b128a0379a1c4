/* val: see val.h. The comparison of values.
 * spec: Explainer.md#fundamental-value-types, CanonicalABI.md#despecialization */
#include "component/type/val.h"
#include <string.h>

static bool equal_floats(double a, double b) {
    return a == b ? (a != 0 || __builtin_signbit(a) == __builtin_signbit(b)) : a != a && b != b;
}
static bool equal_raw(const ts_ctype *elem, const ts_val *a, const ts_val *b) {
    const uint8_t *p = a->raw.ptr, *q = b->raw.ptr;
    if (elem->kind != TS_CT_F32 && elem->kind != TS_CT_F64)
        return !a->raw.len || memcmp(p, q, a->raw.len * elem->size) == 0;
    for (size_t i = 0; i < a->raw.len; i++) {
        ts_val x = {.u64 = 0}, y = {.u64 = 0};
        memcpy(&x, p + i * elem->size, elem->size);
        memcpy(&y, q + i * elem->size, elem->size);
        if (!ts_val_equal(elem, &x, &y)) return false;
    }
    return true;
}

bool ts_val_equal(const ts_ctype *t, const ts_val *a, const ts_val *b) {
    switch (t->kind) {
    case TS_CT_BOOL: return a->b == b->b;
    case TS_CT_S8:
    case TS_CT_U8: return a->u8 == b->u8;
    case TS_CT_S16:
    case TS_CT_U16: return a->u16 == b->u16;
    case TS_CT_S32:
    case TS_CT_U32: return a->u32 == b->u32;
    case TS_CT_S64:
    case TS_CT_U64: return a->u64 == b->u64;
    case TS_CT_F32: return equal_floats((double)a->f32, (double)b->f32);
    case TS_CT_F64: return equal_floats(a->f64, b->f64);
    case TS_CT_CHAR: return a->ch == b->ch;
    case TS_CT_STRING:
        return a->str.len == b->str.len && (!a->str.len || memcmp(a->str.ptr, b->str.ptr, a->str.len) == 0);
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
        if (a->list.len != b->list.len) return false;
        if (ts_ct_is_raw_elem(t->elem->kind)) return equal_raw(t->elem, a, b);
        for (size_t i = 0; i < a->list.len; i++)
            if (!ts_val_equal(t->elem, &a->list.ptr[i], &b->list.ptr[i])) return false;
        return true;
    case TS_CT_MAP:
        if (a->list.len != b->list.len) return false;
        for (size_t i = 0; i < a->list.len; i++) {
            const ts_val *x = a->list.ptr[i].list.ptr, *y = b->list.ptr[i].list.ptr;
            if (!ts_val_equal(t->elem2, &x[0], &y[0]) || !ts_val_equal(t->elem, &x[1], &y[1])) return false;
        }
        return true;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++)
            if (!ts_val_equal(t->cases[i].type, &a->list.ptr[i], &b->list.ptr[i])) return false;
        return true;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        if (a->variant.disc != b->variant.disc) return false;
        const ts_ctype *c = ts_ctype_case(t, a->variant.disc);
        return !c || ts_val_equal(c, a->variant.payload, b->variant.payload);
    }
    case TS_CT_FLAGS: return a->flags.bits == b->flags.bits;
    case TS_CT_OWN:
    case TS_CT_BORROW: return a->handle.rep == b->handle.rep && a->handle.rt == b->handle.rt;
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: break;
    }
    return false; /* such values do not exist here */
}
