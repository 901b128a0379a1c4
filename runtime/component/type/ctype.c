/* ctype: layout and flattening of component-level types, printing, comparison.
 * In: types whose parts are finished. Out: derived fields, text, equality with the reason of a difference.
 * spec: CanonicalABI.md#alignment, #element-size, #flattening; Explainer.md#type-checking */
#include "component/type/ctype.h"
#include "base/arena.h"
#include "core/module/types.h"
#include <stdio.h>
#include <string.h>

enum { I32 = TS_VT_I32, I64 = TS_VT_I64, F32 = TS_VT_F32, F64 = TS_VT_F64 };

/* bitwise: lifting turns every bool that is not 0 into 1, and every NaN into the canonical one */
#define PRIM(k, sz, ft)                                                                                                \
    [k] = {.kind = (k),                                                                                                \
           .size = (sz),                                                                                               \
           .align = (sz),                                                                                              \
           .n_flat = 1,                                                                                                \
           .flat = {ft},                                                                                               \
           .flat64 = {ft},                                                                                             \
           .align64 = (sz),                                                                                            \
           .size64 = (sz),                                                                                             \
           .plain = true,                                                                                              \
           .bitwise = (k) != TS_CT_BOOL && (k) != TS_CT_F32 && (k) != TS_CT_F64,                                       \
           .needs_check = (k) == TS_CT_CHAR,                                                                           \
           .depth = 1,                                                                                                 \
           .nodes = 1}
static const ts_ctype PRIMITIVES[] = {
    PRIM(TS_CT_BOOL, 1, I32),
    PRIM(TS_CT_S8, 1, I32),
    PRIM(TS_CT_U8, 1, I32),
    PRIM(TS_CT_S16, 2, I32),
    PRIM(TS_CT_U16, 2, I32),
    PRIM(TS_CT_S32, 4, I32),
    PRIM(TS_CT_U32, 4, I32),
    PRIM(TS_CT_S64, 8, I64),
    PRIM(TS_CT_U64, 8, I64),
    PRIM(TS_CT_F32, 4, F32),
    PRIM(TS_CT_F64, 8, F64),
    PRIM(TS_CT_CHAR, 4, I32),
    [TS_CT_STRING] = {.kind = TS_CT_STRING,
                      .size = 8,
                      .align = 4,
                      .n_flat = 2,
                      .flat = {I32, I32},
                      .flat64 = {I64, I64},
                      .has_pointer = true,
                      .align64 = 8,
                      .size64 = 16,
                      .depth = 1,
                      .nodes = 1},
};
static const ts_ctype ERROR_CONTEXT = {.kind = TS_CT_ERROR_CONTEXT,
                                       .size = 4,
                                       .align = 4,
                                       .n_flat = 1,
                                       .flat = {I32},
                                       .flat64 = {I32},
                                       .align64 = 4,
                                       .size64 = 4,
                                       .depth = 1,
                                       .nodes = 1};

const ts_ctype *ts_ctype_primitive(ts_ct_kind k) {
    if (k <= TS_CT_STRING) return &PRIMITIVES[k];
    return k == TS_CT_ERROR_CONTEXT ? &ERROR_CONTEXT : NULL;
}

bool ts_ctype_is_key(const ts_ctype *t) {
    return t->kind <= TS_CT_STRING && t->kind != TS_CT_F32 && t->kind != TS_CT_F64;
}

/* --- layout ------------------------------------------------------------------------------------ */
static uint64_t align_to(uint64_t at, uint64_t align) {
    return (at + align - 1) / align * align;
}

typedef struct layout {
    uint64_t size, align;
} layout;

static layout layout_of(const ts_ctype *t, bool wide) {
    return wide ? (layout){t->size64, t->align64} : (layout){t->size, t->align};
}

/* cabi: discriminant_type */
static uint8_t disc_bytes(uint64_t n) {
    return n <= 256 ? 1 : n <= 65536 ? 2 : 4;
}

/* cabi: elem_size_record, alignment_record */
static layout layout_record(const ts_ctype *t, bool wide, uint32_t *offsets) {
    layout l = {0, 1};
    for (uint32_t i = 0; i < t->n; i++) {
        layout f = layout_of(t->cases[i].type, wide);
        if (f.align > l.align) l.align = f.align;
        l.size = align_to(l.size, f.align);
        if (offsets) offsets[i] = (uint32_t)l.size;
        l.size += f.size;
    }
    l.size = align_to(l.size, l.align);
    return l;
}

/* cabi: elem_size_variant, alignment_variant */
static layout layout_variant(const ts_ctype *const *payloads, uint32_t n, uint64_t disc, bool wide,
                             uint32_t *payload_offset) {
    uint64_t align = 1, size = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!payloads[i]) continue;
        layout p = layout_of(payloads[i], wide);
        if (p.align > align) align = p.align;
        if (p.size > size) size = p.size;
    }
    uint64_t at = align_to(disc, align);
    if (payload_offset) *payload_offset = (uint32_t)at;
    if (disc > align) align = disc;
    return (layout){align_to(at + size, align), align};
}

/* cabi: join */
static uint8_t join(uint8_t a, uint8_t b) {
    if (a == b) return a;
    if ((a == I32 && b == F32) || (a == F32 && b == I32)) return I32;
    return I64;
}

static void flat_append(ts_ctype *t, const ts_ctype *part) {
    if (t->n_flat + (uint64_t)part->n_flat > 16) {
        t->n_flat = TS_CT_FLAT_MAX;
        return;
    }
    memcpy(t->flat + t->n_flat, part->flat, part->n_flat);
    memcpy(t->flat64 + t->n_flat, part->flat64, part->n_flat);
    t->n_flat += part->n_flat;
}

/* cabi: flatten_variant: the values of the payloads overlap, after the discriminant */
static void flat_overlay(ts_ctype *t, const ts_ctype *part) {
    if (t->n_flat > 16) return;
    if (part->n_flat + 1u > 16) {
        t->n_flat = TS_CT_FLAT_MAX;
        return;
    }
    for (uint32_t i = 0; i < part->n_flat; i++) {
        if (i + 1 < t->n_flat) {
            t->flat[i + 1] = join(t->flat[i + 1], part->flat[i]);
            t->flat64[i + 1] = join(t->flat64[i + 1], part->flat64[i]);
        } else {
            t->flat[t->n_flat] = part->flat[i];
            t->flat64[t->n_flat++] = part->flat64[i];
        }
    }
}

static bool flat_set(ts_ctype *t, uint32_t n, uint8_t a, uint8_t b) {
    t->n_flat = n;
    t->flat[0] = t->flat64[0] = a;
    t->flat[1] = t->flat64[1] = b;
    return true;
}

static void scalar(ts_ctype *t, uint32_t size) { /* a type that is one i32 */
    t->size = t->align = t->size64 = size;
    t->align64 = (uint8_t)size;
    flat_set(t, 1, I32, 0);
}

static ts_status part_of(ts_ctype *t, const ts_ctype *part, uint64_t *nodes, ts_error *e) {
    if (!part) return TS_OK;
    t->has_handle |= part->has_handle;
    t->has_pointer |= part->has_pointer;
    t->has_borrow |= part->has_borrow;
    *nodes += part->nodes;
    if (*nodes > TS_CT_MAX_NODES)
        return ts_fail(e, TS_INVALID, "effective type size exceeds the limit of %d", TS_CT_MAX_NODES);
    if (part->depth + 1 > t->depth) t->depth = (uint16_t)(part->depth + 1);
    if (t->depth > TS_CT_MAX_DEPTH)
        return ts_fail(e, TS_INVALID, "type nesting is too deep: the limit is %d", TS_CT_MAX_DEPTH);
    return TS_OK;
}

static ts_status finish_variant(ts_ctype *t, const ts_ctype *const *payloads, uint32_t n, uint32_t n_cases,
                                layout *wide) {
    t->disc_size = disc_bytes(n_cases);
    layout l = layout_variant(payloads, n, t->disc_size, false, &t->payload_offset);
    *wide = layout_variant(payloads, n, t->disc_size, true, &t->payload_offset64);
    t->align = (uint32_t)l.align;
    t->size = l.size < UINT32_MAX ? (uint32_t)l.size : UINT32_MAX;
    flat_set(t, 1, I32, 0);
    for (uint32_t i = 0; i < n; i++)
        if (payloads[i]) flat_overlay(t, payloads[i]);
    return TS_OK;
}

/* Computes plain, bitwise and needs_check of a type that is not primitive and has its other derived
 * fields. */
static void finish_plain(ts_ctype *t) {
    t->plain = t->bitwise = t->needs_check = false;
    switch (t->kind) {
    case TS_CT_ENUM: t->plain = t->bitwise = t->needs_check = true; return;
    case TS_CT_FLAGS:
        t->plain = true;
        t->bitwise = t->n == 8 * t->size;
        return;
    case TS_CT_RECORD:
    case TS_CT_TUPLE: {
        uint64_t filled = 0;
        t->plain = t->bitwise = true;
        for (uint32_t i = 0; i < t->n; i++) {
            const ts_ctype *part = t->cases[i].type;
            t->plain &= part->plain;
            t->bitwise &= part->bitwise;
            t->needs_check |= part->needs_check;
            filled += part->size;
        }
        t->bitwise &= filled == t->size; /* padding between the fields belongs to the guest */
        break;
    }
    case TS_CT_VARIANT:
    case TS_CT_OPTION:
    case TS_CT_RESULT:
        t->plain = t->needs_check = true;
        for (uint32_t i = 0; i < ts_ctype_n_cases(t); i++) {
            const ts_ctype *payload = ts_ctype_case(t, i);
            if (payload) t->plain &= payload->plain;
        }
        break;
    default: return;
    }
    t->bitwise &= t->plain;
    t->needs_check &= t->plain;
}

ts_status ts_ctype_finish(ts_ctype *t, ts_arena *arena, ts_error *e) {
    const ts_ctype *prim = ts_ctype_primitive(t->kind);
    if (prim) {
        *t = *prim;
        return TS_OK;
    }
    uint64_t nodes = 1;
    layout l = {4, 4}, wide = {4, 4};
    t->depth = 1;
    t->has_handle = t->has_pointer = t->has_borrow = false;
    t->n_flat = 0;
    for (uint32_t i = 0; i < t->n && t->cases; i++) TS_TRY(part_of(t, t->cases[i].type, &nodes, e));
    TS_TRY(part_of(t, t->elem, &nodes, e));
    TS_TRY(part_of(t, t->elem2, &nodes, e));
    switch (t->kind) {
    case TS_CT_RECORD:
    case TS_CT_TUPLE: {
        uint32_t *offsets = ts_arena_array(arena, t->n, sizeof *offsets), *offsets64 = offsets;
        if (t->has_pointer) offsets64 = ts_arena_array(arena, t->n, sizeof *offsets);
        if (!offsets || !offsets64) return ts_fail_nomem(e);
        t->offsets = offsets;
        t->offsets64 = offsets64;
        l = layout_record(t, false, offsets);
        wide = layout_record(t, true, offsets64);
        for (uint32_t i = 0; i < t->n && t->n_flat <= 16; i++) flat_append(t, t->cases[i].type);
        break;
    }
    case TS_CT_VARIANT: {
        t->disc_size = disc_bytes(t->n);
        uint64_t align = 1, align64 = 1, size = 0, size64 = 0;
        flat_set(t, 1, I32, 0);
        for (uint32_t i = 0; i < t->n; i++) {
            const ts_ctype *p = t->cases[i].type;
            if (!p) continue;
            if (p->align > align) align = p->align;
            if (p->align64 > align64) align64 = p->align64;
            if (p->size > size) size = p->size;
            if (p->size64 > size64) size64 = p->size64;
            flat_overlay(t, p);
        }
        t->payload_offset = (uint32_t)align_to(t->disc_size, align);
        l.align = align > t->disc_size ? align : t->disc_size;
        l.size = align_to(t->payload_offset + size, l.align);
        t->payload_offset64 = (uint32_t)align_to(t->disc_size, align64);
        wide.align = align64 > t->disc_size ? align64 : t->disc_size;
        wide.size = align_to(t->payload_offset64 + size64, wide.align);
        break;
    }
    case TS_CT_ENUM: {
        uint8_t d = disc_bytes(t->n);
        t->disc_size = d;
        t->payload_offset = t->payload_offset64 = d;
        l = wide = (layout){d, d};
        flat_set(t, 1, I32, 0);
        break;
    }
    case TS_CT_OPTION: { /* cabi: despecialize: variant { none, some(t) } */
        const ts_ctype *p[2] = {NULL, t->elem};
        TS_TRY(finish_variant(t, p, 2, 2, &wide));
        l = (layout){t->size, t->align};
        break;
    }
    case TS_CT_RESULT: { /* variant { ok(t), error(u) } */
        const ts_ctype *p[2] = {t->elem, t->elem2};
        TS_TRY(finish_variant(t, p, 2, 2, &wide));
        l = (layout){t->size, t->align};
        break;
    }
    case TS_CT_FLAGS: /* cabi: elem_size_flags, alignment_flags */
        if (t->n == 0 || t->n > 32)
            return ts_fail(e, TS_INVALID, "flags must have at least one entry and cannot have more than 32 flags");
        scalar(t, t->n <= 8 ? 1 : t->n <= 16 ? 2 : 4);
        l = wide = (layout){t->size, t->align};
        break;
    case TS_CT_LIST:
    case TS_CT_MAP: /* list<tuple<key, value>> */
        l = (layout){8, 4};
        wide = (layout){16, 8};
        t->has_pointer = true;
        flat_set(t, 2, I32, I32);
        t->flat64[0] = t->flat64[1] = I64;
        break;
    case TS_CT_FIXED_LIST:
        l = (layout){(uint64_t)t->elem->size * t->n, t->elem->align};
        wide = (layout){(uint64_t)t->elem->size64 * t->n, t->elem->align64};
        if ((uint64_t)t->elem->n_flat * t->n > 16) {
            t->n_flat = TS_CT_FLAT_MAX;
        } else {
            for (uint32_t i = 0; i < t->n; i++) flat_append(t, t->elem);
        }
        break;
    case TS_CT_OWN:
    case TS_CT_BORROW:
        t->has_handle = true;
        t->has_borrow = t->kind == TS_CT_BORROW;
        flat_set(t, 1, I32, 0);
        break;
    case TS_CT_STREAM:
    /* a table index; its elements are passed separately, so their pointers do not count */
    case TS_CT_FUTURE:
        t->has_pointer = false;
        flat_set(t, 1, I32, 0);
        break;
    default: return ts_fail(e, TS_USAGE, "type of unknown kind %d", (int)t->kind);
    }
    if (wide.size >= TS_CT_MAX_SIZE || l.size >= TS_CT_MAX_SIZE)
        return ts_fail(e, TS_INVALID, "%s type exceeds maximum byte size: %llu bytes, the limit is 2^28",
                       ts_ct_kind_name(t->kind), (unsigned long long)wide.size);
    t->size = (uint32_t)l.size;
    t->align = (uint32_t)l.align;
    t->size64 = (uint32_t)wide.size;
    t->align64 = (uint8_t)wide.align;
    t->nodes = (uint32_t)nodes;
    finish_plain(t);
    return TS_OK;
}

/* --- printing ---------------------------------------------------------------------------------- */
static const char *const KIND_NAMES[] = {
    [TS_CT_BOOL] = "bool",       [TS_CT_S8] = "s8",
    [TS_CT_U8] = "u8",           [TS_CT_S16] = "s16",
    [TS_CT_U16] = "u16",         [TS_CT_S32] = "s32",
    [TS_CT_U32] = "u32",         [TS_CT_S64] = "s64",
    [TS_CT_U64] = "u64",         [TS_CT_F32] = "f32",
    [TS_CT_F64] = "f64",         [TS_CT_CHAR] = "char",
    [TS_CT_STRING] = "string",   [TS_CT_RECORD] = "record",
    [TS_CT_VARIANT] = "variant", [TS_CT_LIST] = "list",
    [TS_CT_TUPLE] = "tuple",     [TS_CT_FLAGS] = "flags",
    [TS_CT_ENUM] = "enum",       [TS_CT_OPTION] = "option",
    [TS_CT_RESULT] = "result",   [TS_CT_OWN] = "own",
    [TS_CT_BORROW] = "borrow",   [TS_CT_FIXED_LIST] = "fixed-length list",
    [TS_CT_MAP] = "map",         [TS_CT_STREAM] = "stream",
    [TS_CT_FUTURE] = "future",   [TS_CT_ERROR_CONTEXT] = "error-context",
};
const char *ts_ct_kind_name(ts_ct_kind k) {
    return (size_t)k < sizeof KIND_NAMES / sizeof *KIND_NAMES && KIND_NAMES[k] ? KIND_NAMES[k] : "unknown type";
}

typedef struct out {
    char *buf;
    size_t size, at;
    const ts_ct_namer *names;
    const ts_ctype *whole; /* the type that is printed in full */
} out;
static void put(out *o, const char *s) {
    while (*s && o->at + 1 < o->size) o->buf[o->at++] = *s++;
}
static bool full(const out *o) {
    return o->at + 1 >= o->size;
}

static void print(out *o, const ts_ctype *t) {
    if (full(o)) return;
    const char *name = o->names && t != o->whole ? o->names->name(o->names->data, t) : NULL;
    if (name) {
        put(o, name);
        return;
    }
    char num[24];
    switch (t->kind) {
    case TS_CT_RECORD:
    case TS_CT_VARIANT:
    case TS_CT_FLAGS:
    case TS_CT_ENUM:
        put(o, KIND_NAMES[t->kind]);
        put(o, " { ");
        for (uint32_t i = 0; i < t->n && !full(o); i++) {
            if (i) put(o, ", ");
            put(o, t->cases[i].name);
            if (!t->cases[i].type) continue;
            put(o, t->kind == TS_CT_RECORD ? ": " : "(");
            print(o, t->cases[i].type);
            if (t->kind == TS_CT_VARIANT) put(o, ")");
        }
        put(o, " }");
        break;
    case TS_CT_TUPLE:
        put(o, "tuple<");
        for (uint32_t i = 0; i < t->n && !full(o); i++) {
            if (i) put(o, ", ");
            print(o, t->cases[i].type);
        }
        put(o, ">");
        break;
    case TS_CT_FIXED_LIST:
        put(o, "list<");
        print(o, t->elem);
        snprintf(num, sizeof num, ", %u>", t->n);
        put(o, num);
        break;
    case TS_CT_MAP:
        put(o, "map<");
        print(o, t->elem2);
        put(o, ", ");
        print(o, t->elem);
        put(o, ">");
        break;
    case TS_CT_RESULT:
        put(o, "result");
        if (!t->elem && !t->elem2) break;
        put(o, "<");
        if (t->elem)
            print(o, t->elem);
        else
            put(o, "_");
        if (t->elem2) {
            put(o, ", ");
            print(o, t->elem2);
        }
        put(o, ">");
        break;
    case TS_CT_OWN:
    case TS_CT_BORROW:
        put(o, KIND_NAMES[t->kind]);
        snprintf(num, sizeof num, "<#%u>", t->resource);
        put(o, num);
        break;
    default:
        put(o, ts_ct_kind_name(t->kind));
        if (t->elem) {
            put(o, "<");
            print(o, t->elem);
            put(o, ">");
        }
    }
}

const char *ts_ctype_print(const ts_ctype *t, const ts_ct_namer *names, char *buf, size_t size) {
    out o = {buf, size, 0, names, t};
    if (!size) return buf;
    print(&o, t);
    buf[o.at] = 0;
    return buf;
}

const char *ts_cfunc_type_print(const ts_cfunc_type *t, const ts_ct_namer *names, char *buf, size_t size) {
    out o = {buf, size, 0, names, NULL};
    if (!size) return buf;
    put(&o, t->is_async ? "async func(" : "func(");
    for (uint32_t i = 0; i < t->n_params && !full(&o); i++) {
        if (i) put(&o, ", ");
        put(&o, t->params[i].name);
        put(&o, ": ");
        print(&o, t->params[i].type);
    }
    put(&o, ")");
    if (t->result) {
        put(&o, " -> ");
        print(&o, t->result);
    }
    buf[o.at] = 0;
    return buf;
}

/* --- comparison -------------------------------------------------------------------------------- */
/* A reason is built from the inside out: each level puts its part in front. */
static bool mismatch(const ts_ct_cmp *c, const char *fmt, ...) TS_PRINTF(2, 3);
static bool mismatch(const ts_ct_cmp *c, const char *fmt, ...) {
    if (!c->size) return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->buf, c->size, fmt, ap);
    va_end(ap);
    return false;
}
static bool mismatch_in(const ts_ct_cmp *c, const char *fmt, ...) TS_PRINTF(2, 3);
static bool mismatch_in(const ts_ct_cmp *c, const char *fmt, ...) {
    if (!c->size) return false;
    char front[160], all[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(front, sizeof front, fmt, ap);
    va_end(ap);
    snprintf(all, sizeof all, "%s: %.340s", front, c->buf);
    snprintf(c->buf, c->size, "%s", all);
    return false;
}

static bool is_primitive(const ts_ctype *t) {
    return ts_ctype_primitive(t->kind) != NULL;
}

static bool maybe_matches(const ts_ctype *have, const ts_ctype *want, const ts_ct_cmp *c, const char *what) {
    if (!have && !want) return true;
    if (!have) return mismatch(c, "expected %s type, but found none", what);
    if (!want) return mismatch(c, "expected %s type to not be present", what);
    return ts_ctype_matches(have, want, c) || mismatch_in(c, "type mismatch in %s variant", what);
}

bool ts_ctype_matches(const ts_ctype *have, const ts_ctype *want, const ts_ct_cmp *c) {
    if (have == want && !have->has_handle) return true;
    if (c->budget) {
        if (*c->budget == 0) return mismatch(c, "the types are too large to be compared");
        --*c->budget;
    }
    if (have->kind != want->kind) {
        if (is_primitive(have) && is_primitive(want))
            return mismatch(c, "expected primitive `%s` found primitive `%s`", ts_ct_kind_name(want->kind),
                            ts_ct_kind_name(have->kind));
        if (is_primitive(want) && have->kind == TS_CT_RECORD) return mismatch(c, "expected primitive, found record");
        return mismatch(c, "expected %s, found %s", ts_ct_kind_name(want->kind), ts_ct_kind_name(have->kind));
    }
    switch (have->kind) {
    case TS_CT_RECORD:
        if (have->n != want->n) return mismatch(c, "expected %u fields, found %u", want->n, have->n);
        for (uint32_t i = 0; i < have->n; i++) {
            if (strcmp(have->cases[i].name, want->cases[i].name) != 0)
                return mismatch(c, "expected field name `%s`, found `%s`", want->cases[i].name, have->cases[i].name);
            if (!ts_ctype_matches(have->cases[i].type, want->cases[i].type, c))
                return mismatch_in(c, "type mismatch in record field `%s`", want->cases[i].name);
        }
        return true;
    case TS_CT_VARIANT:
        if (have->n != want->n) return mismatch(c, "expected %u cases, found %u", want->n, have->n);
        for (uint32_t i = 0; i < have->n; i++) {
            const ts_ct_case *h = &have->cases[i], *w = &want->cases[i];
            if (strcmp(h->name, w->name) != 0)
                return mismatch(c, "expected case named `%s`, found `%s`", w->name, h->name);
            if (!h->type && w->type) return mismatch(c, "expected case `%s` to have a type, found none", w->name);
            if (h->type && !w->type) return mismatch(c, "expected case `%s` to have no type", w->name);
            if (h->type && !ts_ctype_matches(h->type, w->type, c))
                return mismatch_in(c, "type mismatch in variant case `%s`", w->name);
        }
        return true;
    case TS_CT_TUPLE:
        if (have->n != want->n) return mismatch(c, "expected %u types, found %u", want->n, have->n);
        for (uint32_t i = 0; i < have->n; i++)
            if (!ts_ctype_matches(have->cases[i].type, want->cases[i].type, c))
                return mismatch_in(c, "type mismatch in tuple field %u", i);
        return true;
    case TS_CT_FLAGS:
    case TS_CT_ENUM:
        if (have->n == want->n) {
            uint32_t i = 0;
            while (i < have->n && strcmp(have->cases[i].name, want->cases[i].name) == 0) i++;
            if (i == have->n) return true;
        }
        return mismatch(c, "mismatch in %s elements", ts_ct_kind_name(have->kind));
    case TS_CT_FIXED_LIST:
        if (have->n != want->n) return mismatch(c, "expected a list of length %u, found length %u", want->n, have->n);
        return ts_ctype_matches(have->elem, want->elem, c);
    case TS_CT_LIST:
    case TS_CT_OPTION: return ts_ctype_matches(have->elem, want->elem, c);
    case TS_CT_MAP:
        if (!ts_ctype_matches(have->elem2, want->elem2, c)) return mismatch_in(c, "type mismatch in map key");
        return ts_ctype_matches(have->elem, want->elem, c) || mismatch_in(c, "type mismatch in map value");
    case TS_CT_RESULT:
        return maybe_matches(have->elem, want->elem, c, "ok") && maybe_matches(have->elem2, want->elem2, c, "err");
    case TS_CT_STREAM:
    case TS_CT_FUTURE: return maybe_matches(have->elem, want->elem, c, ts_ct_kind_name(have->kind));
    case TS_CT_OWN:
    case TS_CT_BORROW:
        return c->same(c, have->resource, want->resource) || mismatch(c, "resource types are not the same");
    default: return true; /* primitives */
    }
}

bool ts_cfunc_type_matches_by(const ts_cfunc_type *have, const ts_cfunc_type *want, const ts_ct_cmp *c) {
    if (have->is_async != want->is_async)
        return mismatch(c, "expected %s function, found %s function", want->is_async ? "an async" : "a sync",
                        have->is_async ? "an async" : "a sync");
    if (have->n_params != want->n_params)
        return mismatch(c, "expected %u parameters, found %u", want->n_params, have->n_params);
    for (uint32_t i = 0; i < have->n_params; i++) {
        const ts_ct_case *h = &have->params[i], *w = &want->params[i];
        if (strcmp(h->name, w->name) != 0)
            return mismatch(c, "expected parameter named `%s`, found `%s`", w->name, h->name);
        if (!ts_ctype_matches(h->type, w->type, c))
            return mismatch_in(c, "type mismatch in function parameter `%s`", w->name);
    }
    if (!have->result && !want->result) return true;
    if (!have->result || !want->result) return mismatch(c, "expected a result, found none");
    return ts_ctype_matches(have->result, want->result, c) || mismatch_in(c, "type mismatch with result type");
}

typedef struct two_maps {
    const void *const *have, *const *want;
} two_maps;
static bool same_by_maps(const ts_ct_cmp *c, uint32_t h, uint32_t w) {
    const two_maps *m = c->data;
    if (!m->have || !m->want) return h == w;
    return m->have[h] == m->want[w];
}

bool ts_ctype_equal(const ts_ctype *a, const ts_ctype *b, const void *const *res_a, const void *const *res_b) {
    two_maps m = {res_a, res_b};
    ts_ct_cmp c = {.same = same_by_maps, .data = &m};
    return ts_ctype_matches(a, b, &c);
}

bool ts_cfunc_type_matches(const ts_cfunc_type *have, const ts_cfunc_type *want, const void *const *res_have,
                           const void *const *res_want, char *buf, size_t size) {
    two_maps m = {res_have, res_want};
    ts_ct_cmp c = {.same = same_by_maps, .data = &m, .buf = buf, .size = size};
    return ts_cfunc_type_matches_by(have, want, &c);
}
