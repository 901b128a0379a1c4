/* wave: WebAssembly Value Encoding: component values as text.
 * In: a type and a value, or a type and text. Out: text, or values in an arena; errors with the
 * column.
 * Source: the WAVE notation as its users know it: labels that are keywords are prefixed with %,
 * absent options may be omitted from records, `some` and `ok` may be omitted if the payload is
 * unambiguous, `//` comments, """ strings. A handle is written as own<NAME> or borrow<NAME>, where NAME
 * is the resource of a host, # and the representation for a guest's resource, and _ if nothing is known. */
#include "base/number.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "component/type/val.h"
#include "component/type/wave.h"
#include "sys/stack.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- printing ---------------------------------------------------------------------------------- */

typedef struct sink {
    char *buf;
    size_t size, at;
    uint32_t max_items;
    ts_wave_number number;
    void *data;
} sink;

static void put_n(sink *o, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++, o->at++) {
        if (o->at + 1 < o->size) o->buf[o->at] = s[i];
    }
}
static void put(sink *o, const char *s) {
    put_n(o, s, strlen(s));
}

static bool is_keyword(const char *s) {
    static const char *const words[] = {"true", "false", "inf", "nan", "some", "none", "ok", "err"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], s) == 0) return true;
    }
    return false;
}
static void put_label(sink *o, const char *s) {
    if (is_keyword(s)) put(o, "%");
    put(o, s);
}
static void put_char(sink *o, uint32_t c, char quote) {
    char b[16];
    switch (c) {
    case '\t': put(o, "\\t"); return;
    case '\n': put(o, "\\n"); return;
    case '\r': put(o, "\\r"); return;
    case '\\': put(o, "\\\\"); return;
    default:
        if (c == (uint32_t)quote) {
            b[0] = '\\', b[1] = quote;
            put_n(o, b, 2);
        } else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029) {
            snprintf(b, sizeof b, "\\u{%x}", c);
            put(o, b);
        } else {
            put_n(o, b, ts_utf8_encode(c, (uint8_t *)b));
        }
    }
}
static void put_string(sink *o, const char *s, size_t len) {
    put(o, "\"");
    for (size_t i = 0; i < len;) {
        uint32_t c;
        i += ts_utf8_decode((const uint8_t *)s + i, &c);
        put_char(o, c, '"');
    }
    put(o, "\"");
}
/* Prints bytes for the trace: ASCII as text, other bytes as \xNN. */
static void put_bytes(sink *o, const uint8_t *p, size_t len) {
    size_t shown = len > o->max_items ? o->max_items : len;
    put(o, "\"");
    for (size_t i = 0; i < shown; i++) {
        char b[8];
        if (p[i] < 0x80 && p[i] != 0x7f && (p[i] >= 0x20 || p[i] == '\n' || p[i] == '\t' || p[i] == '\r')) {
            put_char(o, p[i], '"');
        } else {
            snprintf(b, sizeof b, "\\x%02x", p[i]);
            put(o, b);
        }
    }
    put(o, "\"");
    if (shown < len) {
        char b[48];
        snprintf(b, sizeof b, "… (%zu bytes)", len);
        put(o, b);
    }
}
static void put_float(sink *o, double d, bool single) {
    char b[400];
    if (isnan(d)) {
        put(o, "nan");
        return;
    }
    if (isinf(d)) {
        put(o, d < 0 ? "-inf" : "inf");
        return;
    }
    int digits = 1; /* the fewest digits that read back as the same number */
    for (; digits < (single ? 9 : 17); digits++) {
        ts_snprintf(b, sizeof b, "%.*e", digits - 1, d);
        if (single ? ts_strtof(b, NULL) == (float)d : ts_strtod(b, NULL) == d) break;
    }
    ts_snprintf(b, sizeof b, "%.*e", digits - 1, d);
    const char *e = strchr(b, 'e');
    int exp = e ? (int)strtol(e + 1, NULL, 10) : 0;
    if (exp >= -7 && exp < 21) ts_snprintf(b, sizeof b, "%.*f", digits - 1 > exp ? digits - 1 - exp : 0, d);
    put(o, b);
}

static void print(sink *o, const ts_ctype *t, const ts_val *v);

/* Prints a handle. The representation of a guest's resource is a number that the guest chose. The one
 * of a host's resource may be an address and is not shown. */
static void print_handle(sink *o, const ts_ctype *t, const ts_val *v) {
    char b[160];
    const char *word = t->kind == TS_CT_OWN ? "own" : "borrow", *host_name = NULL;
    bool of_guest = v->handle.rt && ts_resource_of_guest(v->handle.rt, &host_name);
    if (o->number) /* the trace, whose numbers name each handle */
        snprintf(b, sizeof b, "#%llu", (unsigned long long)o->number(o->data, t, v));
    else if (of_guest)
        snprintf(b, sizeof b, "%s<#%llu>", word, (unsigned long long)v->handle.rep);
    else
        snprintf(b, sizeof b, "%s<%s>", word, host_name ? host_name : "_");
    put(o, b);
}

static void print_elems(sink *o, const ts_ctype *t, const ts_val *v) {
    const ts_ctype *elem = t->elem;
    bool raw = t->kind != TS_CT_MAP && ts_ct_is_raw_elem(elem->kind);
    size_t n = v->list.len;
    if (raw && elem->kind == TS_CT_U8 && o->max_items) {
        put_bytes(o, v->raw.ptr, n);
        return;
    }
    put(o, "[");
    for (size_t i = 0; i < n; i++) {
        if (i) put(o, ", ");
        if (o->max_items && i == o->max_items) {
            char b[48];
            snprintf(b, sizeof b, "… (%zu elements)", n);
            put(o, b);
            break;
        }
        if (raw) {
            ts_val one;
            memset(&one, 0, sizeof one);
            memcpy(&one, (const uint8_t *)v->raw.ptr + i * elem->size, elem->size);
            print(o, elem, &one);
        } else if (t->kind == TS_CT_MAP) {
            const ts_val *kv = v->list.ptr[i].list.ptr;
            put(o, "(");
            print(o, t->elem2, &kv[0]);
            put(o, ", ");
            print(o, elem, &kv[1]);
            put(o, ")");
        } else {
            print(o, elem, &v->list.ptr[i]);
        }
    }
    put(o, "]");
}

static void print_payload(sink *o, const ts_ctype *t, const ts_val *v) {
    if (!t || !v) return;
    put(o, "(");
    print(o, t, v);
    put(o, ")");
}

static void print(sink *o, const ts_ctype *t, const ts_val *v) {
    char b[64] = "";
    switch (t->kind) {
    case TS_CT_BOOL: put(o, v->b ? "true" : "false"); return;
    case TS_CT_S8: snprintf(b, sizeof b, "%d", v->s8); break;
    case TS_CT_U8: snprintf(b, sizeof b, "%u", v->u8); break;
    case TS_CT_S16: snprintf(b, sizeof b, "%d", v->s16); break;
    case TS_CT_U16: snprintf(b, sizeof b, "%u", v->u16); break;
    case TS_CT_S32: snprintf(b, sizeof b, "%d", v->s32); break;
    case TS_CT_U32: snprintf(b, sizeof b, "%u", v->u32); break;
    case TS_CT_S64: snprintf(b, sizeof b, "%lld", (long long)v->s64); break;
    case TS_CT_U64: snprintf(b, sizeof b, "%llu", (unsigned long long)v->u64); break;
    case TS_CT_F32: put_float(o, v->f32, true); return;
    case TS_CT_F64: put_float(o, v->f64, false); return;
    case TS_CT_CHAR:
        put(o, "'");
        put_char(o, v->ch, '\'');
        put(o, "'");
        return;
    case TS_CT_STRING: {
        size_t n = v->str.len;
        if (o->max_items && n > 1024) { /* keep a trace line short; cut it between characters */
            n = 1024;
            while (n && ((uint8_t)v->str.ptr[n] & 0xc0) == 0x80) n--;
        }
        put_string(o, v->str.ptr, n);
        if (n < v->str.len) {
            snprintf(b, sizeof b, "… (%zu bytes)", v->str.len);
            put(o, b);
        }
        return;
    }
    case TS_CT_RECORD: {
        bool any = false;
        put(o, "{");
        for (uint32_t i = 0; i < t->n; i++) {
            const ts_ctype *ft = t->cases[i].type;
            const ts_val *f = &v->list.ptr[i];
            /* an absent option may be omitted */
            if (ft->kind == TS_CT_OPTION && f->variant.disc == 0) continue;
            if (any) put(o, ", ");
            any = true;
            put_label(o, t->cases[i].name);
            put(o, ": ");
            print(o, ft, f);
        }
        put(o, any ? "}" : ":}");
        return;
    }
    case TS_CT_TUPLE:
        put(o, "(");
        for (uint32_t i = 0; i < t->n; i++) {
            if (i) put(o, ", ");
            print(o, t->cases[i].type, &v->list.ptr[i]);
        }
        put(o, ")");
        return;
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: print_elems(o, t, v); return;
    case TS_CT_VARIANT:
        if (v->variant.disc >= t->n) break;
        put_label(o, t->cases[v->variant.disc].name);
        print_payload(o, t->cases[v->variant.disc].type, v->variant.payload);
        return;
    case TS_CT_ENUM:
        if (v->variant.disc < t->n) put_label(o, t->cases[v->variant.disc].name);
        return;
    case TS_CT_OPTION:
        put(o, v->variant.disc ? "some" : "none");
        if (v->variant.disc) print_payload(o, t->elem, v->variant.payload);
        return;
    case TS_CT_RESULT:
        put(o, v->variant.disc ? "err" : "ok");
        print_payload(o, v->variant.disc ? t->elem2 : t->elem, v->variant.payload);
        return;
    case TS_CT_FLAGS: {
        bool any = false;
        put(o, "{");
        for (uint32_t i = 0; i < t->n && i < 32; i++) {
            if (!(v->flags.bits >> i & 1)) continue;
            if (any) put(o, ", ");
            any = true;
            put(o, t->cases[i].name);
        }
        put(o, "}");
        return;
    }
    case TS_CT_OWN:
    case TS_CT_BORROW: print_handle(o, t, v); return;
    default: snprintf(b, sizeof b, "<%s>", ts_ct_kind_name(t->kind));
    }
    put(o, b);
}

size_t ts_wave_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items) {
    return ts_wave_print_numbered(t, v, buf, size, max_items, NULL, NULL);
}
size_t ts_wave_print_numbered(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items,
                              ts_wave_number number, void *data) {
    sink o = {.buf = buf, .size = size, .max_items = max_items, .number = number, .data = data};
    print(&o, t, v);
    if (size) buf[o.at < size ? o.at : size - 1] = 0;
    return o.at;
}

/* --- parsing ----------------------------------------------------------------------------------- */

typedef struct wave {
    const char *start, *at;
    ts_arena *arena;
    ts_error *e;
} wave;

static ts_status syntax_error(wave *w, const char *what) {
    return ts_fail(w->e, TS_USAGE, "value: %s at column %zu", what, (size_t)(w->at - w->start) + 1);
}
static void skip_space(wave *w) {
    for (;;) {
        while (*w->at == ' ' || *w->at == '\t' || *w->at == '\n' || *w->at == '\r') w->at++;
        if (w->at[0] != '/' || w->at[1] != '/') return;
        w->at += strcspn(w->at, "\n");
    }
}
static bool eat(wave *w, char c) {
    skip_space(w);
    if (*w->at != c) return false;
    w->at++;
    return true;
}
static ts_status expect(wave *w, char c) {
    char what[] = "expected `?`";
    what[10] = c;
    return eat(w, c) ? TS_OK : syntax_error(w, what);
}
static ts_status parse(wave *w, const ts_ctype *t, ts_val *v);

static size_t label(const char *s) {
    size_t n = 0;
    while (ts_is_alpha(s[n]) || ts_is_digit(s[n]) || s[n] == '-') n++;
    return n;
}
/* Moves past a whole word, such as `none`. Returns false if there is another word. */
static bool word(wave *w, const char *s) {
    skip_space(w);
    size_t n = strlen(s);
    if (label(w->at) != n || memcmp(w->at, s, n) != 0) return false;
    w->at += n;
    return true;
}
static ts_status read_label(wave *w, const char **s, size_t *n) {
    skip_space(w);
    if (*w->at == '%') w->at++;
    *n = label(w->at);
    if (!*n) return syntax_error(w, "expected a name");
    *s = w->at;
    w->at += *n;
    return TS_OK;
}
static bool find_case(const ts_ctype *t, const char *s, size_t n, uint32_t *i) {
    for (*i = 0; *i < t->n; ++*i) {
        if (strlen(t->cases[*i].name) == n && memcmp(t->cases[*i].name, s, n) == 0) return true;
    }
    return false;
}

static ts_status parse_int(wave *w, const ts_ctype *t, ts_val *v) {
    static const struct {
        ts_ct_kind k;
        unsigned bits;
        bool sign;
    } kinds[] = {{TS_CT_S8, 8, true},   {TS_CT_U8, 8, false},   {TS_CT_S16, 16, true}, {TS_CT_U16, 16, false},
                 {TS_CT_S32, 32, true}, {TS_CT_U32, 32, false}, {TS_CT_S64, 64, true}, {TS_CT_U64, 64, false}};
    unsigned bits = 0;
    bool sign = false;
    for (size_t i = 0; i < 8; i++) {
        if (kinds[i].k == t->kind) bits = kinds[i].bits, sign = kinds[i].sign;
    }
    skip_space(w);
    const char *p = w->at;
    bool neg = *p == '-';
    if (neg) p++;
    if (!ts_is_digit(*p)) return syntax_error(w, "expected an integer");
    uint64_t m = 0;
    for (; ts_is_digit(*p); p++) {
        unsigned d = (unsigned)(*p - '0');
        if (m > (UINT64_MAX - d) / 10) return syntax_error(w, "integer out of range");
        m = m * 10 + d;
    }
    uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    if (sign) max = neg ? (uint64_t)1 << (bits - 1) : ((uint64_t)1 << (bits - 1)) - 1;
    if ((neg && !sign && m) || m > max) return syntax_error(w, "integer out of range");
    v->u64 = neg ? 0 - m : m; /* little-endian: the low bytes are the value in each width */
    w->at = p;
    return TS_OK;
}
static ts_status parse_float(wave *w, const ts_ctype *t, ts_val *v) {
    skip_space(w);
    const char *p = w->at;
    double d;
    if (word(w, "nan"))
        d = NAN;
    else if (word(w, "inf"))
        d = INFINITY;
    else if (*p == '-' && strncmp(p + 1, "inf", 3) == 0)
        d = -INFINITY, w->at += 4;
    else {
        size_t n = strspn(p, "+-0123456789.eE");
        char *end, b[400];
        if (!n || n >= sizeof b || *p == '+') return syntax_error(w, "expected a number");
        memcpy(b, p, n);
        b[n] = 0;
        d = t->kind == TS_CT_F32 ? (double)ts_strtof(b, &end) : ts_strtod(b, &end);
        if (*end || !ts_is_digit(b[b[0] == '-'])) return syntax_error(w, "expected a number");
        w->at += n;
    }
    if (t->kind == TS_CT_F32)
        v->f32 = (float)d;
    else
        v->f64 = d;
    return TS_OK;
}

/* Reads one character of a char or string, which may be an escape. */
static ts_status read_char(wave *w, uint32_t *c) {
    const uint8_t *p = (const uint8_t *)w->at;
    if (!*p) return syntax_error(w, "the text ends inside a string or char");
    if (*p != '\\') {
        w->at += ts_utf8_decode(p, c);
        return TS_OK;
    }
    w->at += 2;
    switch (p[1]) {
    case 't': *c = '\t'; return TS_OK;
    case 'n': *c = '\n'; return TS_OK;
    case 'r': *c = '\r'; return TS_OK;
    case '\\':
    case '\'':
    case '"': *c = p[1]; return TS_OK;
    case 'u': {
        char *end;
        if (*w->at != '{' || !ts_is_xdigit(w->at[1])) return syntax_error(w, "expected \\u{…}");
        unsigned long x = strtoul(w->at + 1, &end, 16);
        if (*end != '}' || x > 0x10ffff || (x >= 0xd800 && x < 0xe000))
            return syntax_error(w, "not a Unicode scalar value");
        w->at = end + 1;
        *c = (uint32_t)x;
        return TS_OK;
    }
    default: w->at -= 2; return syntax_error(w, "unknown escape");
    }
}
static ts_status parse_string(wave *w, ts_val *v) {
    skip_space(w);
    if (*w->at != '"') return syntax_error(w, "expected a string");
    bool multi = strncmp(w->at, "\"\"\"", 3) == 0;
    if (multi) {
        w->at += 3;
        if (*w->at == '\r') w->at++;
        if (*w->at != '\n') return syntax_error(w, "a multi-line string starts with a line break");
        /* the indentation of the line with the closing quotes is removed from each line */
        const char *close = strstr(w->at, "\"\"\"");
        while (close && close > w->at && close[-1] == '\\') close = strstr(close + 1, "\"\"\"");
        if (!close) return syntax_error(w, "the text ends inside a string");
        const char *nl = close;
        while (nl > w->at && nl[-1] != '\n') nl--;
        size_t indent = (size_t)(close - nl);
        if (strspn(nl, " ") != indent)
            return syntax_error(w, "the closing quotes of a multi-line string stand on their own line");
        char *out = ts_arena_alloc(w->arena, (size_t)(close - w->at) + 1);
        if (!out) return ts_fail_nomem(w->e);
        size_t n = 0;
        /* the line break before the closing line does not belong to the string */
        const char *stop = nl - 1;
        for (w->at++; w->at < stop;) {
            if (strspn(w->at, " ") < indent && *w->at != '\n')
                return syntax_error(w, "a line of a multi-line string is indented less than its end");
            if (*w->at != '\n') w->at += indent;
            while (w->at < stop && *w->at != '\n') {
                uint32_t c;
                TS_TRY(read_char(w, &c));
                n += ts_utf8_encode(c, (uint8_t *)out + n);
            }
            if (w->at < stop) {
                out[n++] = '\n';
                w->at++;
            }
        }
        w->at = close + 3;
        v->str.ptr = out;
        v->str.len = n;
        return TS_OK;
    }
    size_t cap = 0; /* no character is longer than its escape */
    for (const char *p = w->at + 1; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1]) p++, cap++;
        cap++;
    }
    char *out = ts_arena_alloc(w->arena, cap + 5);
    if (!out) return ts_fail_nomem(w->e);
    size_t n = 0;
    w->at++;
    while (*w->at != '"') {
        uint32_t c;
        if (*w->at == '\n') return syntax_error(w, "a line break inside a string");
        TS_TRY(read_char(w, &c));
        n += ts_utf8_encode(c, (uint8_t *)out + n);
    }
    w->at++;
    v->str.ptr = out;
    v->str.len = n;
    return TS_OK;
}

typedef TS_VEC(ts_val) val_vec;
static ts_status parse_list(wave *w, const ts_ctype *t, ts_val *v) {
    val_vec vals = {0};
    ts_ctype pair;
    ts_ct_case kv[2] = {{.type = t->elem2}, {.type = t->elem}};
    const ts_ctype *elem = t->elem;
    if (t->kind == TS_CT_MAP) {
        memset(&pair, 0, sizeof pair);
        pair.kind = TS_CT_TUPLE;
        pair.n = 2;
        pair.cases = kv;
        elem = &pair;
    }
    ts_status st = expect(w, '[');
    while (st == TS_OK && !eat(w, ']')) {
        ts_val one;
        memset(&one, 0, sizeof one);
        st = parse(w, elem, &one);
        if (st == TS_OK && !ts_vec_push(&vals, one)) st = ts_fail_nomem(w->e);
        if (st == TS_OK && !eat(w, ',')) {
            st = expect(w, ']');
            break;
        }
    }
    if (st == TS_OK && t->kind == TS_CT_FIXED_LIST && vals.len != t->n)
        st = syntax_error(w, "the list has the wrong number of elements for its type");
    if (st == TS_OK) {
        bool raw = t->kind != TS_CT_MAP && ts_ct_is_raw_elem(t->elem->kind);
        size_t size = raw ? t->elem->size : sizeof(ts_val);
        uint8_t *out = ts_arena_array(w->arena, vals.len, size);
        if (!out) st = ts_fail_nomem(w->e);
        for (uint32_t i = 0; out && i < vals.len; i++) memcpy(out + i * size, &vals.data[i], size);
        v->raw.ptr = out;
        v->raw.len = vals.len;
    }
    ts_vec_free(&vals);
    return st;
}

static ts_status parse_record(wave *w, const ts_ctype *t, ts_val *v) {
    ts_val *f = ts_arena_array(w->arena, t->n, sizeof *f);
    bool *seen = ts_arena_array(w->arena, t->n, sizeof *seen);
    if (!f || !seen) return ts_fail_nomem(w->e);
    TS_TRY(expect(w, '{'));
    if (eat(w, ':')) {
        TS_TRY(expect(w, '}'));
    } else {
        while (!eat(w, '}')) {
            const char *s;
            size_t n;
            uint32_t i;
            TS_TRY(read_label(w, &s, &n));
            if (!find_case(t, s, n, &i)) return syntax_error(w, "the record has no such field");
            if (seen[i]) return syntax_error(w, "a field is given twice");
            seen[i] = true;
            TS_TRY(expect(w, ':'));
            TS_TRY(parse(w, t->cases[i].type, &f[i]));
            if (!eat(w, ',')) {
                TS_TRY(expect(w, '}'));
                break;
            }
        }
    }
    for (uint32_t i = 0; i < t->n; i++) {
        if (!seen[i] && t->cases[i].type->kind != TS_CT_OPTION) {
            return ts_fail(w->e, TS_USAGE, "value: field `%s` is missing before column %zu", t->cases[i].name,
                           (size_t)(w->at - w->start) + 1);
        }
    }
    v->list.ptr = f;
    v->list.len = t->n;
    return TS_OK;
}

static ts_status parse_payload(wave *w, const ts_ctype *t, ts_val *v) {
    if (!t) return TS_OK;
    ts_val *p = ts_arena_alloc(w->arena, sizeof *p);
    if (!p) return ts_fail_nomem(w->e);
    v->variant.payload = p;
    TS_TRY(expect(w, '('));
    TS_TRY(parse(w, t, p));
    (void)eat(w, ',');
    return expect(w, ')');
}
/* Parses a payload without its `some` or `ok`, which may be omitted unless the payload is an option
 * or result itself. */
static ts_status parse_flattened(wave *w, const ts_ctype *elem, uint32_t disc, ts_val *v) {
    if (!elem || elem->kind == TS_CT_OPTION || elem->kind == TS_CT_RESULT)
        return syntax_error(w, "expected `some`, `none`, `ok` or `err`");
    ts_val *p = ts_arena_alloc(w->arena, sizeof *p);
    if (!p) return ts_fail_nomem(w->e);
    v->variant.disc = disc;
    v->variant.payload = p;
    return parse(w, elem, p);
}

static ts_status parse(wave *w, const ts_ctype *t, ts_val *v) {
    uint32_t i;
    const char *s;
    size_t n;
    memset(v, 0, sizeof *v);
    TS_TRY(ts_stack_check(w->e));
    switch (t->kind) {
    case TS_CT_BOOL:
        if (word(w, "true"))
            v->b = true;
        else if (!word(w, "false"))
            return syntax_error(w, "expected `true` or `false`");
        return TS_OK;
    case TS_CT_F32:
    case TS_CT_F64: return parse_float(w, t, v);
    case TS_CT_CHAR:
        TS_TRY(expect(w, '\''));
        TS_TRY(read_char(w, &v->ch));
        if (*w->at != '\'') return syntax_error(w, "expected `'`");
        w->at++;
        return TS_OK;
    case TS_CT_STRING: return parse_string(w, v);
    case TS_CT_RECORD: return parse_record(w, t, v);
    case TS_CT_TUPLE: {
        ts_val *f = ts_arena_array(w->arena, t->n, sizeof *f);
        if (!f) return ts_fail_nomem(w->e);
        TS_TRY(expect(w, '('));
        for (i = 0; i < t->n; i++) {
            if (i) TS_TRY(expect(w, ','));
            TS_TRY(parse(w, t->cases[i].type, &f[i]));
        }
        (void)eat(w, ',');
        v->list.ptr = f;
        v->list.len = t->n;
        return expect(w, ')');
    }
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return parse_list(w, t, v);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
        TS_TRY(read_label(w, &s, &n));
        if (!find_case(t, s, n, &i)) {
            w->at = s;
            return syntax_error(w,
                                t->kind == TS_CT_ENUM ? "the enum has no such case" : "the variant has no such case");
        }
        v->variant.disc = i;
        return t->kind == TS_CT_ENUM ? TS_OK : parse_payload(w, t->cases[i].type, v);
    case TS_CT_OPTION:
        if (word(w, "none")) return TS_OK;
        if (word(w, "some")) {
            v->variant.disc = 1;
            return parse_payload(w, t->elem, v);
        }
        return parse_flattened(w, t->elem, 1, v);
    case TS_CT_RESULT:
        if (word(w, "ok")) return parse_payload(w, t->elem, v);
        if (word(w, "err")) {
            v->variant.disc = 1;
            return parse_payload(w, t->elem2, v);
        }
        return parse_flattened(w, t->elem, 0, v);
    case TS_CT_FLAGS:
        TS_TRY(expect(w, '{'));
        while (!eat(w, '}')) {
            TS_TRY(read_label(w, &s, &n));
            if (!find_case(t, s, n, &i)) return syntax_error(w, "there is no such flag");
            v->flags.bits |= 1u << i;
            if (!eat(w, ',')) return expect(w, '}');
        }
        return TS_OK;
    case TS_CT_OWN:
    case TS_CT_BORROW: return syntax_error(w, "a handle cannot be written as text");
    case TS_CT_STREAM:
    case TS_CT_FUTURE:
    case TS_CT_ERROR_CONTEXT: return syntax_error(w, "a value of this type cannot be written as text");
    default: return parse_int(w, t, v);
    }
}

ts_status ts_wave_parse(const ts_ctype *t, const char *text, ts_arena *arena, ts_val *v, ts_error *e) {
    wave w = {.start = text, .at = text, .arena = arena, .e = e};
    if (!ts_utf8_valid(text, strlen(text))) return syntax_error(&w, "the text is not UTF-8");
    TS_TRY(parse(&w, t, v));
    skip_space(&w);
    return *w.at ? syntax_error(&w, "something follows the value") : TS_OK;
}

ts_status ts_wave_parse_args(const ts_cfunc_type *t, const char *text, ts_arena *arena, ts_val *args, ts_error *e) {
    wave w = {.start = text, .at = text, .arena = arena, .e = e};
    if (!ts_utf8_valid(text, strlen(text))) return syntax_error(&w, "the text is not UTF-8");
    TS_TRY(expect(&w, '('));
    uint32_t last = t->n_params; /* trailing options may be omitted */
    for (uint32_t i = 0; i < t->n_params; i++) {
        memset(&args[i], 0, sizeof args[i]);
        skip_space(&w);
        if (*w.at == ')') {
            last = i;
            break;
        }
        TS_TRY(parse(&w, t->params[i].type, &args[i]));
        skip_space(&w);
        if (*w.at != ')') TS_TRY(expect(&w, ','));
    }
    for (uint32_t i = last; i < t->n_params; i++) {
        memset(&args[i], 0, sizeof args[i]);
        if (t->params[i].type->kind != TS_CT_OPTION)
            return ts_fail(e, TS_USAGE, "value: %u arguments are given, the function takes %u", last, t->n_params);
    }
    skip_space(&w);
    if (*w.at != ')') return syntax_error(&w, "expected `)`: the function takes fewer arguments");
    w.at++;
    skip_space(&w);
    return *w.at ? syntax_error(&w, "something follows the arguments") : TS_OK;
}
