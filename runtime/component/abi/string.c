/* string: strings from and to guest memory, in three encodings and between them.
 * In: ranges of guest memory, UTF-8 of the host, or tagged strings of another component. Out: the
 * same in the other direction; a string is copied and transcoded once. The calls of realloc are those
 * of the text, in number and arguments, because a guest sees them.
 * spec: CanonicalABI.md#loading, #storing (functions named and ordered as in definitions.py) */
#include "base/utf8.h"
#include "component/abi/trap.h"
#include "component/abi/memory.h"
#include "component/abi/string.h"
#include <string.h>

static inline uint64_t utf16_tag(const ts_cabi_cx *cx) {
    return cx->opts->wide ? (uint64_t)1 << 63 : (uint64_t)1 << 31;
}

/* Iterates over the code points of a valid string in any encoding. */
typedef struct points {
    const uint8_t *p;
    uint64_t at, units;
    ts_str_tag tag;
} points;
static ts_status store_string_copy(ts_cabi_cx *cx, points src, uint32_t dst_unit, uint32_t dst_align, uint64_t *ptr,
                                   uint64_t *units);
static ts_status store_string_to_utf8(ts_cabi_cx *cx, points src, uint64_t worst_case_size, uint64_t *ptr,
                                      uint64_t *units);
static ts_status store_utf16_to_utf8(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units);
static ts_status store_latin1_to_utf8(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units);
static ts_status store_utf8_to_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units);
static ts_status store_string_to_latin1_or_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units);
static ts_status store_probably_utf16_to_latin1_or_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units);

static inline uint32_t unit16(const uint8_t *p, uint64_t i) {
    return (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
}
static inline bool next_point(points *s, uint32_t *cp) {
    if (s->at >= s->units) return false;
    switch (s->tag) {
    case TS_STR_LATIN1: *cp = s->p[s->at++]; return true;
    case TS_STR_UTF8: s->at += ts_utf8_decode(s->p + s->at, cp); return true;
    default: {
        uint32_t u = unit16(s->p, s->at++);
        if (u >= 0xd800 && u < 0xdc00) u = 0x10000 + ((u - 0xd800) << 10) + (unit16(s->p, s->at++) - 0xdc00);
        *cp = u;
        return true;
    }
    }
}
static bool utf16_valid(const uint8_t *p, uint64_t units) {
    for (uint64_t i = 0; i < units; i++) {
        uint32_t u = unit16(p, i);
        if (u < 0xd800 || u > 0xdfff) continue;
        if (u >= 0xdc00 || i + 1 >= units) return false;
        u = unit16(p, ++i);
        if (u < 0xdc00 || u > 0xdfff) return false;
    }
    return true;
}
static inline uint32_t put16(uint8_t *p, uint32_t cp) { /* returns the number of bytes written */
    if (cp >= 0x10000) {
        uint32_t hi = 0xd800 + ((cp - 0x10000) >> 10), lo = 0xdc00 + ((cp - 0x10000) & 0x3ff);
        p[0] = (uint8_t)hi, p[1] = (uint8_t)(hi >> 8), p[2] = (uint8_t)lo, p[3] = (uint8_t)(lo >> 8);
        return 4;
    }
    p[0] = (uint8_t)cp, p[1] = (uint8_t)(cp >> 8);
    return 2;
}
static uint64_t utf8_length(points s) {
    uint64_t n = 0;
    for (uint32_t cp; next_point(&s, &cp);) n += cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    return n;
}

ts_status ts_cabi_load_string_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t tagged_code_units, ts_val *out) {
    uint64_t byte_length, units = tagged_code_units;
    uint32_t alignment;
    ts_str_tag tag;
    switch (cx->opts->encoding) {
    case TS_ENC_UTF8: alignment = 1, byte_length = units, tag = TS_STR_UTF8; break;
    case TS_ENC_UTF16: alignment = 2, byte_length = 2 * units, tag = TS_STR_UTF16; break;
    default:
        alignment = 2;
        if (units & utf16_tag(cx)) {
            units ^= utf16_tag(cx);
            byte_length = 2 * units, tag = TS_STR_TAGGED_UTF16;
        } else {
            byte_length = units, tag = TS_STR_LATIN1;
        }
    }
    TS_TRAP_IF(cx->err, units > TS_MAX_BYTE_LENGTH || byte_length > TS_MAX_BYTE_LENGTH,
               "string byte length too large: %llu", (unsigned long long)byte_length);
    TS_TRAP_IF(cx->err, ptr & (alignment - 1), "unaligned pointer: string at %#llx needs alignment %u",
               (unsigned long long)ptr, alignment);
    TS_TRAP_IF(cx->err, !ts_mem_in(cx->opts->memory, ptr, byte_length),
               "string content out-of-bounds: string pointer/length out of bounds of memory");
    const uint8_t *from = cx->opts->memory->base + ptr;
    if (tag == TS_STR_UTF8)
        TS_TRAP_IF(cx->err, !ts_utf8_valid(from, byte_length), "invalid utf-8 sequence in a string");
    if (tag == TS_STR_UTF16 || tag == TS_STR_TAGGED_UTF16)
        TS_TRAP_IF(cx->err, !utf16_valid(from, units), "invalid utf-16: unpaired surrogate in a string");
    if (cx->keep_encoding || tag == TS_STR_UTF8) {
        out->str.ptr = (const char *)from;
        out->str.len = units | (uint64_t)tag << TS_STR_TAG_SHIFT;
        if (!cx->borrow_memory) {
            out->str.ptr = ts_arena_strndup(cx->arena, (const char *)from, byte_length);
            if (!out->str.ptr)
                return ts_fail(cx->err, TS_LIMIT, "a string of %llu bytes is too large",
                               (unsigned long long)byte_length);
        }
        return TS_OK;
    }
    points s = {.p = from, .units = units, .tag = tag};
    uint64_t n = utf8_length(s);
    char *to = ts_arena_alloc(cx->arena, n + 1);
    if (!to) return ts_fail(cx->err, TS_LIMIT, "a string of %llu bytes is too large", (unsigned long long)n);
    uint64_t at = 0;
    for (uint32_t cp; next_point(&s, &cp);) {
        uint8_t b[4];
        unsigned k = ts_utf8_encode(cp, b);
        memcpy(to + at, b, k);
        at += k;
    }
    out->str.ptr = to;
    out->str.len = n;
    return TS_OK;
}

static inline uint8_t *guest(ts_cabi_cx *cx, uint64_t ptr) {
    return cx->opts->memory->base + ptr;
}

ts_status ts_cabi_store_string_into_range(ts_cabi_cx *cx, const ts_val *v, uint64_t *ptr, uint64_t *tagged) {
    points src = {
        .p = (const uint8_t *)v->str.ptr, .units = ts_str_units(v->str.len), .tag = ts_str_tag_of(v->str.len)};
    if (src.units > TS_MAX_BYTE_LENGTH)
        return ts_fail(cx->err, TS_LIMIT, "a string of %llu bytes is too large for a guest",
                       (unsigned long long)src.units);
    bool utf16 = src.tag == TS_STR_UTF16 || src.tag == TS_STR_TAGGED_UTF16;
    switch (cx->opts->encoding) {
    case TS_ENC_UTF8:
        if (src.tag == TS_STR_UTF8) return store_string_copy(cx, src, 1, 1, ptr, tagged);
        return utf16 ? store_utf16_to_utf8(cx, src, ptr, tagged) : store_latin1_to_utf8(cx, src, ptr, tagged);
    case TS_ENC_UTF16:
        return src.tag == TS_STR_UTF8 ? store_utf8_to_utf16(cx, src, ptr, tagged)
                                      : store_string_copy(cx, src, 2, 2, ptr, tagged);
    default:
        if (src.tag == TS_STR_LATIN1) return store_string_copy(cx, src, 1, 2, ptr, tagged);
        if (src.tag == TS_STR_TAGGED_UTF16) return store_probably_utf16_to_latin1_or_utf16(cx, src, ptr, tagged);
        return store_string_to_latin1_or_utf16(cx, src, ptr, tagged);
    }
}

static ts_status store_string_copy(ts_cabi_cx *cx, points src, uint32_t dst_unit, uint32_t dst_align, uint64_t *ptr,
                                   uint64_t *units) {
    uint64_t n = dst_unit * src.units;
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, dst_align, n, dst_align, ptr));
    *units = src.units;
    uint8_t *to = guest(cx, *ptr);
    if (src.tag == TS_STR_LATIN1 && dst_unit == 2) {
        for (uint64_t i = 0; i < src.units; i++) to[2 * i] = src.p[i], to[2 * i + 1] = 0;
    } else if (n) {
        memcpy(to, src.p, n);
    }
    return TS_OK;
}

static ts_status store_utf16_to_utf8(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units) {
    return store_string_to_utf8(cx, src, src.units * 3, ptr, units);
}
static ts_status store_latin1_to_utf8(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units) {
    return store_string_to_utf8(cx, src, src.units * 2, ptr, units);
}

/* cabi: store_string_to_utf8, with store_utf16_to_utf8's and store_latin1_to_utf8's worst case */
static ts_status store_string_to_utf8(ts_cabi_cx *cx, points src, uint64_t worst_case_size, uint64_t *ptr,
                                      uint64_t *units) {
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, 1, src.units, 1, ptr));
    uint64_t at = 0;
    points ahead = src;
    for (uint32_t cp; next_point(&ahead, &cp); src = ahead) {
        if (cp < 0x80) {
            *guest(cx, *ptr + at++) = (uint8_t)cp;
            continue;
        }
        TS_TRY(ts_cabi_realloc_checked(cx, *ptr, src.units, 1, worst_case_size, 1, ptr));
        uint8_t *to = guest(cx, *ptr);
        for (; next_point(&src, &cp);) {
            uint8_t b[4];
            unsigned k = ts_utf8_encode(cp, b);
            memcpy(to + at, b, k);
            at += k;
        }
        if (worst_case_size > at) TS_TRY(ts_cabi_realloc_checked(cx, *ptr, worst_case_size, 1, at, 1, ptr));
        *units = at;
        return TS_OK;
    }
    *units = src.units;
    return TS_OK;
}
static ts_status store_utf8_to_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units) {
    uint64_t worst_case_size = 2 * src.units, at = 0;
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, 2, worst_case_size, 2, ptr));
    uint8_t *to = guest(cx, *ptr);
    for (uint32_t cp; next_point(&src, &cp);) at += put16(to + at, cp);
    if (at < worst_case_size) TS_TRY(ts_cabi_realloc_checked(cx, *ptr, worst_case_size, 2, at, 2, ptr));
    *units = at / 2;
    return TS_OK;
}

static ts_status store_string_to_latin1_or_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units) {
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, 2, src.units, 2, ptr));
    uint64_t at = 0;
    points ahead = src;
    for (uint32_t cp; next_point(&ahead, &cp); src = ahead) {
        if (cp < 0x100) {
            *guest(cx, *ptr + at++) = (uint8_t)cp;
            continue;
        }
        uint64_t worst_case_size = 2 * src.units;
        TS_TRY(ts_cabi_realloc_checked(cx, *ptr, src.units, 2, worst_case_size, 2, ptr));
        uint8_t *to = guest(cx, *ptr);
        for (uint64_t j = at; j-- > 0;) to[2 * j] = to[j], to[2 * j + 1] = 0;
        at *= 2;
        for (; next_point(&src, &cp);) at += put16(to + at, cp);
        if (worst_case_size > at) TS_TRY(ts_cabi_realloc_checked(cx, *ptr, worst_case_size, 2, at, 2, ptr));
        *units = at / 2 | utf16_tag(cx);
        return TS_OK;
    }
    if (at < src.units) TS_TRY(ts_cabi_realloc_checked(cx, *ptr, src.units, 2, at, 2, ptr));
    *units = at;
    return TS_OK;
}

static ts_status store_probably_utf16_to_latin1_or_utf16(ts_cabi_cx *cx, points src, uint64_t *ptr, uint64_t *units) {
    uint64_t n = 2 * src.units;
    TS_TRY(ts_cabi_realloc_checked(cx, 0, 0, 2, n, 2, ptr));
    uint8_t *to = guest(cx, *ptr);
    if (n) memcpy(to, src.p, n);
    for (uint64_t i = 0; i < src.units; i++) {
        if (to[2 * i + 1]) {
            *units = src.units | utf16_tag(cx);
            return TS_OK;
        }
    }
    for (uint64_t i = 0; i < src.units; i++) to[i] = to[2 * i];
    TS_TRY(ts_cabi_realloc_checked(cx, *ptr, n, 1, src.units, 1, ptr));
    *units = src.units;
    return TS_OK;
}
