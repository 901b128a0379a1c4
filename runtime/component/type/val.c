/* val: see val.h. Comparison of values, and the check of those that come from outside.
 * In: values and their type. Out: a verdict. spec: Explainer.md#fundamental-value-types, CanonicalABI.md#despecialization */
#include "base/utf8.h"
#include "component/abi/context.h"
#include <string.h>

uint32_t ts_ctype_n_cases(const ts_ctype *t) {
    return t->kind == TS_CT_OPTION || t->kind == TS_CT_RESULT ? 2 : t->n;
}
const ts_ctype *ts_ctype_case(const ts_ctype *t, uint32_t i) {
    switch (t->kind) {
    case TS_CT_OPTION: return i ? t->elem : NULL;
    case TS_CT_RESULT: return i ? t->elem2 : t->elem;
    case TS_CT_VARIANT: return t->cases[i].type;
    default: return NULL;
    }
}

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
    return false; /* no such values here */
}

static ts_status bad(const ts_ctype *t, ts_error *e, const char *what) {
    return ts_fail(e, TS_USAGE, "a value is not of type %s: %s", ts_ct_kind_name(t->kind), what);
}
static ts_status check_items(const ts_ctype *t, const ts_val *v, struct ts_resource *const *res, ts_error *e) {
    if (v->list.len && !v->list.ptr) return bad(t, e, "it has a length and no elements");
    if (t->kind == TS_CT_FIXED_LIST && v->list.len != t->n) return bad(t, e, "it has another length");
    if (t->kind != TS_CT_MAP && ts_ct_is_raw_elem(t->elem->kind)) return TS_OK;
    for (size_t i = 0; i < v->list.len; i++) {
        if (t->kind != TS_CT_MAP) {
            TS_TRY(ts_val_check(t->elem, &v->list.ptr[i], res, e));
            continue;
        }
        if (v->list.ptr[i].list.len != 2 || !v->list.ptr[i].list.ptr)
            return bad(t, e, "an entry is no pair of key and value");
        TS_TRY(ts_val_check(t->elem2, &v->list.ptr[i].list.ptr[0], res, e));
        TS_TRY(ts_val_check(t->elem, &v->list.ptr[i].list.ptr[1], res, e));
    }
    return TS_OK;
}

ts_status ts_val_check(const ts_ctype *t, const ts_val *v, struct ts_resource *const *res, ts_error *e) {
    switch (t->kind) {
    case TS_CT_CHAR:
        return v->ch < 0x110000 && (v->ch < 0xd800 || v->ch > 0xdfff) ? TS_OK : bad(t, e, "no Unicode scalar value");
    case TS_CT_STRING:
        if (v->str.len && !v->str.ptr) return bad(t, e, "it has a length and no bytes");
        return !v->str.len || ts_utf8_valid((const uint8_t *)v->str.ptr, v->str.len) ? TS_OK : bad(t, e, "no UTF-8");
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return check_items(t, v, res, e);
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        if (v->list.len != t->n || !v->list.ptr) return bad(t, e, "it has another number of fields");
        for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_val_check(t->cases[i].type, &v->list.ptr[i], res, e));
        return TS_OK;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        if (v->variant.disc >= ts_ctype_n_cases(t)) return bad(t, e, "it has no such case");
        const ts_ctype *c = ts_ctype_case(t, v->variant.disc);
        if (!c) return TS_OK;
        return v->variant.payload ? ts_val_check(c, v->variant.payload, res, e) : bad(t, e, "the payload is missing");
    }
    case TS_CT_FLAGS: return t->n >= 32 || !(v->flags.bits >> t->n) ? TS_OK : bad(t, e, "a bit that has no flag");
    case TS_CT_OWN:
    case TS_CT_BORROW: {
        const ts_resource *rt = res[t->resource];
        return v->handle.rt == rt || (!v->handle.rt && !rt->impl) ? TS_OK
                                                                  : bad(t, e, "a handle of another resource type");
    }
    default: return TS_OK; /* every pattern of bits is a value */
    }
}
