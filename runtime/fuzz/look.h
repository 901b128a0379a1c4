/* look: whether a value is one of its type, in all its parts.
 * In: a value that the canonical ABI has lifted, or that a host function returned. Out: it aborts if it is none. */
#ifndef TS_FUZZ_LOOK_H
#define TS_FUZZ_LOOK_H
#include <stdlib.h>
#include "base/utf8.h"
#include "component/type/val.h"

/* `owned` (NULL: nothing) gets each own handle. */
typedef void (*fz_owned)(void *data, const ts_ctype *t, const ts_val *v);
static void fz_look(const ts_ctype *t, const ts_val *v, fz_owned owned, void *data) {
    switch (t->kind) {
    case TS_CT_STRING:
        if (!ts_utf8_valid((const uint8_t *)v->str.ptr, v->str.len)) abort();
        return;
    case TS_CT_CHAR:
        if (v->ch >= 0x110000 || (v->ch >= 0xd800 && v->ch < 0xe000)) abort();
        return;
    case TS_CT_FLAGS:
        if (t->n < 32 && v->flags.bits >> t->n) abort();
        return;
    case TS_CT_OWN:
        if (owned) owned(data, t, v);
        return;
    case TS_CT_LIST:
        if (ts_ct_is_raw_elem(t->elem->kind)) {
            const uint8_t *p = v->raw.ptr; /* every byte can be read */
            volatile uint8_t sum = 0;
            for (size_t i = 0; i < v->raw.len * t->elem->size; i++) sum ^= p[i];
            return;
        }
        for (size_t i = 0; i < v->list.len; i++) fz_look(t->elem, &v->list.ptr[i], owned, data);
        return;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) fz_look(t->cases[i].type, &v->list.ptr[i], owned, data);
        return;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        if (v->variant.disc >= ts_ctype_n_cases(t)) abort();
        const ts_ctype *c = ts_ctype_case(t, v->variant.disc);
        if (c) fz_look(c, v->variant.payload, owned, data);
        return;
    }
    default: return;
    }
}
#endif
