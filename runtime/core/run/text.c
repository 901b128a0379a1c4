/* text: see text.h */
#include "core/run/text.h"
#include "base/number.h"
#include "core/run/gc.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t heap;
} heaps[] = {{"any", TS_HT_ANY},           {"eq", TS_HT_EQ},         {"i31", TS_HT_I31},
             {"struct", TS_HT_STRUCT},     {"array", TS_HT_ARRAY},   {"none", TS_HT_NONE},
             {"func", TS_HT_FUNC},         {"nofunc", TS_HT_NOFUNC}, {"extern", TS_HT_EXTERN},
             {"noextern", TS_HT_NOEXTERN}, {"exn", TS_HT_EXN},       {"noexn", TS_HT_NOEXN}};

uint32_t ts_ht_top(const ts_type_registry *r, uint32_t ht) {
    if (ts_ht_is_concrete(ht))
        return ts_types_get(r, ht - TS_HT_CONCRETE)->kind == TS_COMP_FUNC ? TS_HT_FUNC : TS_HT_ANY;
    switch (ht) {
    case TS_HT_FUNC:
    case TS_HT_NOFUNC: return TS_HT_FUNC;
    case TS_HT_EXTERN:
    case TS_HT_NOEXTERN: return TS_HT_EXTERN;
    case TS_HT_EXN:
    case TS_HT_NOEXN: return TS_HT_EXN;
    default: return TS_HT_ANY;
    }
}

/* --- printing ------------------------------------------------------------------------------------------- */
/* Floats are printed with the fewest digits that read back the same, and NaNs with their payload unless
 * they are canonical. spec: text/values#floats */
static void print_f32(uint32_t bits, char *buf, size_t size) {
    float f;
    memcpy(&f, &bits, sizeof f);
    const char *sign = bits >> 31 ? "-" : "";
    if (isnan(f) && (bits & 0x7fffff) == 0x400000)
        snprintf(buf, size, "%snan", sign);
    else if (isnan(f))
        snprintf(buf, size, "%snan:0x%" PRIx32, sign, bits & 0x7fffff);
    else
        for (int digits = 6; digits <= 9; digits++) {
            ts_snprintf(buf, size, "%.*g", digits, (double)f);
            if (ts_strtof(buf, NULL) == f) break;
        }
}
static void print_f64(uint64_t bits, char *buf, size_t size) {
    const uint64_t payload = bits & 0xfffffffffffffu;
    double d;
    memcpy(&d, &bits, sizeof d);
    const char *sign = bits >> 63 ? "-" : "";
    if (isnan(d) && payload == 0x8000000000000u)
        snprintf(buf, size, "%snan", sign);
    else if (isnan(d))
        snprintf(buf, size, "%snan:0x%" PRIx64, sign, payload);
    else
        for (int digits = 15; digits <= 17; digits++) {
            ts_snprintf(buf, size, "%.*g", digits, d);
            if (ts_strtod(buf, NULL) == d) break;
        }
}

static void print_ref(const ts_store *s, ts_valtype t, ts_slot v, char *buf, size_t size) {
    uint32_t top = ts_ht_top(s->types, ts_vt_heap(t));
    if (v == 0) {
        const char *bottom = top == TS_HT_FUNC     ? "nofunc"
                             : top == TS_HT_EXTERN ? "noextern"
                             : top == TS_HT_EXN    ? "noexn"
                                                   : "none";
        snprintf(buf, size, "(ref.null %s)", bottom);
    } else if (top == TS_HT_FUNC || top == TS_HT_EXN) {
        snprintf(buf, size, "(ref.%s)", top == TS_HT_FUNC ? "func" : "exn");
    } else if (ts_ref_is_host(v)) {
        snprintf(buf, size, "(ref.%s %" PRIu64 ")", top == TS_HT_EXTERN ? "extern" : "host", ts_ref_host_value(v));
    } else {
        char inner[40];
        if (ts_ref_is_i31(v))
            snprintf(inner, sizeof inner, "(ref.i31 %d)", ts_ref_i31_s(v));
        else
            snprintf(inner, sizeof inner, "(ref.%s)", ts_ref_obj(v)->kind == TS_OBJ_ARRAY ? "array" : "struct");
        if (top == TS_HT_EXTERN)
            snprintf(buf, size, "(extern.convert_any %s)", inner);
        else
            snprintf(buf, size, "%s", inner);
    }
}

const char *ts_slot_print(const ts_store *s, ts_valtype t, const ts_slot *v, char buf[TS_SLOT_TEXT]) {
    buf[0] = 0;
    if (t == TS_VT_I32)
        snprintf(buf, TS_SLOT_TEXT, "%" PRId32, (int32_t)(uint32_t)*v);
    else if (t == TS_VT_I64)
        snprintf(buf, TS_SLOT_TEXT, "%" PRId64, (int64_t)*v);
    else if (t == TS_VT_F32)
        print_f32((uint32_t)*v, buf, TS_SLOT_TEXT);
    else if (t == TS_VT_F64)
        print_f64(*v, buf, TS_SLOT_TEXT);
    else if (t == TS_VT_V128)
        snprintf(buf, TS_SLOT_TEXT, "(v128.const i64x2 %" PRId64 " %" PRId64 ")", (int64_t)v[0], (int64_t)v[1]);
    else if (ts_vt_is_ref(t))
        print_ref(s, t, *v, buf, TS_SLOT_TEXT);
    return buf;
}

/* --- reading -------------------------------------------------------------------------------------------- */
typedef struct token {
    const char *at;
    size_t len;
} token;

static void skip_space(const char **at) {
    *at += strspn(*at, " \t\n");
}
/* A token ends at a blank, a comma or a parenthesis. */
static token next_token(const char **at) {
    skip_space(at);
    token t = {*at, strcspn(*at, " \t\n,()")};
    *at += t.len;
    return t;
}
static bool token_is(token t, const char *word) {
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

/* Reads digits of base 10 or 16, which `_` may separate. spec: text/values#integers */
static bool parse_magnitude(const char *p, const char *end, uint64_t *out) {
    unsigned base = 10;
    if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) base = 16, p += 2;
    uint64_t v = 0;
    if (p == end || *p == '_' || end[-1] == '_') return false;
    for (; p < end; p++) {
        unsigned d = *p >= '0' && *p <= '9'                 ? (unsigned)(*p - '0')
                     : (*p | 32) >= 'a' && (*p | 32) <= 'f' ? (unsigned)((*p | 32) - 'a' + 10)
                                                            : 99;
        if (*p == '_' && p[-1] != '_') continue;
        if (d >= base || v > (UINT64_MAX - d) / base) return false;
        v = v * base + d;
    }
    *out = v;
    return true;
}
/* Reads an integer of so many bits, signed or unsigned. */
static bool parse_int(token t, unsigned bits, uint64_t *out) {
    const char *p = t.at, *end = t.at + t.len;
    bool negative = t.len && *p == '-';
    uint64_t v, mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1, half = 1ull << (bits - 1);
    if (t.len && (*p == '-' || *p == '+')) p++;
    if (!parse_magnitude(p, end, &v) || v > mask || (negative && v > half)) return false;
    *out = (negative ? 0 - v : v) & mask;
    return true;
}
/* Reads a float of 32 or 64 bits into its bit pattern. spec: text/values#floats */
static bool parse_float(token t, unsigned bits, uint64_t *out) {
    char text[100], *end;
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '_') continue;
        if (n + 1 == sizeof text) return false;
        text[n++] = t.at[i];
    }
    text[n] = 0;
    const char *word = text + (*text == '-' || *text == '+');
    uint64_t sign = *text == '-' ? 1ull << (bits - 1) : 0, payload;
    const unsigned fraction = bits == 32 ? 23 : 52;
    const uint64_t inf = (bits == 32 ? 0xffull : 0x7ffull) << fraction;
    if (strcmp(word, "inf") == 0) return *out = sign | inf, true;
    if (strcmp(word, "nan") == 0) return *out = sign | inf | 1ull << (fraction - 1), true;
    if (strncmp(word, "nan:0x", 6) == 0) {
        if (!parse_magnitude(word + 4, text + n, &payload) || !payload || payload >> fraction) return false;
        return *out = sign | inf | payload, true;
    }
    if (!(*word >= '0' && *word <= '9')) return false; /* strtod also accepts blanks and words */
    if (bits == 32) {
        float f = ts_strtof(text, &end);
        uint32_t b;
        memcpy(&b, &f, sizeof b);
        *out = b;
        return !*end && !isinf(f);
    }
    double d = ts_strtod(text, &end);
    memcpy(out, &d, sizeof d);
    return !*end && !isinf(d);
}

static ts_status not_of_type(token t, ts_valtype want, ts_error *e) {
    char name[48];
    return ts_fail(e, TS_USAGE, "%.*s is not a value of type %s", (int)(t.len > 60 ? 60 : t.len), t.at,
                   ts_vt_name(want, name));
}

static ts_status parse_number(const char **at, ts_valtype t, ts_slot *out, ts_error *e) {
    static const char *const words[] = {"i32.const", "i64.const", "f32.const", "f64.const"};
    unsigned k = t == TS_VT_I32 ? 0 : t == TS_VT_I64 ? 1 : t == TS_VT_F32 ? 2 : 3;
    skip_space(at);
    bool open = **at == '('; /* `(i32.const 1)` is accepted for `1` */
    if (open) {
        ++*at;
        token w = next_token(at);
        if (!token_is(w, words[k])) return not_of_type(w, t, e);
    }
    token n = next_token(at);
    unsigned bits = k & 1 ? 64 : 32;
    if (!(k < 2 ? parse_int(n, bits, out) : parse_float(n, bits, out))) return not_of_type(n, t, e);
    if (!open) return TS_OK;
    skip_space(at);
    if (**at != ')') return ts_fail(e, TS_USAGE, "a closing parenthesis is missing after %s", words[k]);
    ++*at;
    return TS_OK;
}

static ts_status parse_v128(const char **at, ts_slot out[2], ts_error *e) {
    static const struct {
        const char *name;
        unsigned lanes;
        bool floats;
    } shapes[] = {{"i8x16", 16, false}, {"i16x8", 8, false}, {"i32x4", 4, false},
                  {"i64x2", 2, false},  {"f32x4", 4, true},  {"f64x2", 2, true}};
    static const char expected[] = "a value of type v128 is written (v128.const i32x4 1 2 3 4), or with another shape";
    skip_space(at);
    if (**at != '(') return ts_fail(e, TS_USAGE, "%s", expected);
    ++*at;
    if (!token_is(next_token(at), "v128.const")) return ts_fail(e, TS_USAGE, "%s", expected);
    token shape = next_token(at);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (!token_is(shape, shapes[i].name)) continue;
        unsigned bits = 128 / shapes[i].lanes;
        for (unsigned lane = 0; lane < shapes[i].lanes; lane++) {
            token n = next_token(at);
            uint64_t v;
            if (!(shapes[i].floats ? parse_float(n, bits, &v) : parse_int(n, bits, &v)))
                return ts_fail(e, TS_USAGE, "%.*s is not a lane of %s", (int)(n.len > 60 ? 60 : n.len), n.at,
                               shapes[i].name);
            memcpy((uint8_t *)out + lane * (bits / 8), &v, bits / 8);
        }
        skip_space(at);
        if (**at != ')')
            return ts_fail(e, TS_USAGE, "%s has %u lanes, then a closing parenthesis", shapes[i].name, shapes[i].lanes);
        ++*at;
        return TS_OK;
    }
    return ts_fail(e, TS_USAGE, "%s", expected);
}

/* Returns whether `(ref.null HEAP)` is of this hierarchy, whose types have one null value in common.
 * spec: exec/runtime#values */
static bool is_null_of(const ts_store *s, token heap, uint32_t top) {
    if (heap.len == 0) return true; /* `(ref.null)` */
    for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++)
        if (token_is(heap, heaps[i].name)) return ts_ht_top(s->types, heaps[i].heap) == top;
    return false;
}

static ts_status parse_ref(const ts_store *s, ts_valtype t, const char **at, ts_slot *out, ts_error *e) {
    char name[48];
    const uint32_t heap = ts_vt_heap(t), top = ts_ht_top(s->types, heap);
    const bool nullable = ts_vt_kind(t) == TS_VT_REFNULL;
    ts_vt_name(t, name);
    skip_space(at);
    if (**at != '(')
        return ts_fail(e, TS_USAGE,
                       "a value of type %s is written (ref.null), (ref.i31 N), (ref.host N) or (ref.extern N)", name);
    ++*at;
    token word = next_token(at), n = next_token(at);
    uint64_t v = 0;
    bool fits = false;
    if (token_is(word, "ref.null")) {
        if (!nullable) return ts_fail(e, TS_USAGE, "null is not a value of type %s", name);
        fits = is_null_of(s, n, top);
        *out = 0;
    } else if (token_is(word, "ref.i31") && parse_int(n, 32, &v)) {
        *out = ts_ref_i31((uint32_t)v);
        fits = top == TS_HT_ANY && ts_ref_test_heap(s, *out, heap);
    } else if (token_is(word, top == TS_HT_EXTERN ? "ref.extern" : "ref.host") && parse_int(n, 64, &v) && !(v >> 62)) {
        *out = ts_ref_host(v);
        fits = heap == TS_HT_EXTERN || heap == TS_HT_ANY;
    }
    if (!fits)
        return ts_fail(e, TS_USAGE, "(%.*s) is not a value of type %s that can be written",
                       (int)(n.at + n.len - word.at > 60 ? 60 : n.at + n.len - word.at), word.at, name);
    skip_space(at);
    if (**at != ')') return ts_fail(e, TS_USAGE, "a closing parenthesis is missing after a reference");
    ++*at;
    return TS_OK;
}

ts_status ts_slot_parse(const ts_store *s, ts_valtype t, const char **at, ts_slot out[2], ts_error *e) {
    out[0] = out[1] = 0;
    if (ts_vt_is_num(t)) return parse_number(at, t, out, e);
    if (t == TS_VT_V128) return parse_v128(at, out, e);
    return parse_ref(s, t, at, out, e);
}
