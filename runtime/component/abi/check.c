/* check: see check.h. spec: Explainer.md#fundamental-value-types */
#include "component/abi/check.h"
#include "base/utf8.h"

static ts_status invalid(const ts_ctype *t, ts_error *e, const char *what) {
    return ts_fail(e, TS_USAGE, "a value is not of type %s: %s", ts_ct_kind_name(t->kind), what);
}
/* Longer values do not fit into any guest: they are rejected before anything of them is read. */
static ts_status too_long(const ts_ctype *t, size_t len, ts_error *e) {
    return ts_fail(e, TS_USAGE, "a value is not of type %s: a length of %zu is too large for any guest",
                   ts_ct_kind_name(t->kind), len);
}
static ts_status check_items(const ts_ctype *t, const ts_val *v, ts_resource *const *res, ts_error *e) {
    if (v->list.len && !v->list.ptr) return invalid(t, e, "it has a length and no elements");
    if (v->list.len > UINT32_MAX) return too_long(t, v->list.len, e);
    if (t->kind == TS_CT_FIXED_LIST && v->list.len != t->n) return invalid(t, e, "it has the wrong length");
    if (t->kind != TS_CT_MAP && ts_ct_is_raw_elem(t->elem->kind)) return TS_OK;
    for (size_t i = 0; i < v->list.len; i++) {
        if (t->kind != TS_CT_MAP) {
            TS_TRY(ts_val_check(t->elem, &v->list.ptr[i], res, e));
            continue;
        }
        if (v->list.ptr[i].list.len != 2 || !v->list.ptr[i].list.ptr)
            return invalid(t, e, "an entry is not a pair of key and value");
        TS_TRY(ts_val_check(t->elem2, &v->list.ptr[i].list.ptr[0], res, e));
        TS_TRY(ts_val_check(t->elem, &v->list.ptr[i].list.ptr[1], res, e));
    }
    return TS_OK;
}

ts_status ts_val_check(const ts_ctype *t, const ts_val *v, ts_resource *const *res, ts_error *e) {
    switch (t->kind) {
    case TS_CT_CHAR:
        return v->ch < 0x110000 && (v->ch < 0xd800 || v->ch > 0xdfff)
                   ? TS_OK
                   : invalid(t, e, "it is not a Unicode scalar value");
    case TS_CT_STRING:
        if (v->str.len && !v->str.ptr) return invalid(t, e, "it has a length and no bytes");
        if (v->str.len > UINT32_MAX) return too_long(t, v->str.len, e);
        return !v->str.len || ts_utf8_valid((const uint8_t *)v->str.ptr, v->str.len)
                   ? TS_OK
                   : invalid(t, e, "it is not valid UTF-8");
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return check_items(t, v, res, e);
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        if (v->list.len != t->n || !v->list.ptr) return invalid(t, e, "it has the wrong number of fields");
        for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_val_check(t->cases[i].type, &v->list.ptr[i], res, e));
        return TS_OK;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        if (v->variant.disc >= ts_ctype_n_cases(t)) return invalid(t, e, "it has no such case");
        const ts_ctype *c = ts_ctype_case(t, v->variant.disc);
        if (!c) return TS_OK;
        return v->variant.payload ? ts_val_check(c, v->variant.payload, res, e)
                                  : invalid(t, e, "the payload is missing");
    }
    case TS_CT_FLAGS:
        return t->n >= 32 || !(v->flags.bits >> t->n) ? TS_OK : invalid(t, e, "it sets a bit that has no flag");
    case TS_CT_OWN:
    case TS_CT_BORROW: {
        if (!res) return TS_OK; /* any resource type is accepted */
        const ts_resource *rt = res[t->resource];
        return v->handle.rt == rt || (!v->handle.rt && !rt->impl)
                   ? TS_OK
                   : invalid(t, e, "the handle has another resource type");
    }
    default: return TS_OK; /* every bit pattern is a value */
    }
}
