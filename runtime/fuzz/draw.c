/* draw: see draw.h */
#include "draw.h"
#include <stdlib.h>
#include <string.h>

uint64_t fz_next(fz_draw *d) { /* xorshift */
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return d->state;
}
void *fz_room(fz_draw *d, size_t n) {
    void *p = ts_pool_alloc(d->pool, n ? n : 1);
    if (!p) abort();
    return p;
}

static const char *const TEXTS[] = {
    "", "a", u8"gr\u00fc\u00dfe", u8"\u2205", u8"x\U0001faa8y", "twenty-four bytes of text"};

/* A fixed-length list, or a map, which is a list of pairs. */
static bool many(fz_draw *d, const ts_ctype *t, ts_val *v) {
    const bool map = t->kind == TS_CT_MAP;
    const size_t n = map ? fz_next(d) % 4 : t->n;
    if (!map && ts_ct_is_raw_elem(t->elem->kind)) {
        if (n * t->elem->size > 4096) return false;
        v->raw.ptr = fz_room(d, n * t->elem->size);
        v->raw.len = n;
        return true;
    }
    if (n > 1000) return false;
    ts_val *items = fz_room(d, n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        ts_val *pair = map ? fz_room(d, 2 * sizeof *pair) : NULL;
        if (map ? !fz_value(d, t->elem2, &pair[0]) || !fz_value(d, t->elem, &pair[1])
                : !fz_value(d, t->elem, &items[i]))
            return false;
        if (map) items[i] = (ts_val){.list = {pair, 2}};
    }
    v->list.ptr = items;
    v->list.len = n;
    return true;
}

bool fz_value(fz_draw *d, const ts_ctype *t, ts_val *v) {
    memset(v, 0, sizeof *v);
    if (d->budget == 0) return false;
    d->budget--;
    switch (t->kind) {
    case TS_CT_BOOL: v->b = fz_next(d) & 1; return true;
    case TS_CT_CHAR: v->ch = (uint32_t)(fz_next(d) % 0xd800); return true;
    case TS_CT_STRING:
        v->str.ptr = TEXTS[fz_next(d) % (sizeof TEXTS / sizeof *TEXTS)];
        v->str.len = strlen(v->str.ptr);
        return true;
    case TS_CT_FLAGS: v->flags.bits = (uint32_t)fz_next(d) & (uint32_t)(((uint64_t)1 << t->n) - 1); return true;
    case TS_CT_RECORD:
    case TS_CT_TUPLE: {
        ts_val *parts = fz_room(d, t->n * sizeof *parts);
        for (uint32_t i = 0; i < t->n; i++) {
            if (!fz_value(d, t->cases[i].type, &parts[i])) return false;
        }
        v->list.ptr = parts;
        v->list.len = t->n;
        return true;
    }
    case TS_CT_LIST: {
        size_t n = fz_next(d) % 5;
        if (ts_ct_is_raw_elem(t->elem->kind)) {
            uint8_t *raw = fz_room(d, n * t->elem->size);
            for (size_t i = 0; i < n * t->elem->size; i++) raw[i] = (uint8_t)fz_next(d);
            v->raw.ptr = raw;
            v->raw.len = n;
            return true;
        }
        ts_val *items = fz_room(d, n * sizeof *items);
        for (size_t i = 0; i < n; i++) {
            if (!fz_value(d, t->elem, &items[i])) return false;
        }
        v->list.ptr = items;
        v->list.len = n;
        return true;
    }
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        v->variant.disc = (uint32_t)(fz_next(d) % ts_ctype_n_cases(t));
        const ts_ctype *c = ts_ctype_case(t, v->variant.disc);
        ts_val *payload = fz_room(d, sizeof *payload);
        v->variant.payload = c ? payload : NULL;
        return !c || fz_value(d, c, payload);
    }
    case TS_CT_OWN:
    case TS_CT_BORROW:
        if (!d->owned) return false;
        *v = *d->owned;
        return true;
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return many(d, t, v);
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: return false;
    default: /* mostly a small number: the guests have few of most things */
        v->u64 = fz_next(d);
        if (v->u64 >> 62) v->u64 &= 7;
        return true;
    }
}
