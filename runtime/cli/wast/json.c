/* json: a small strict reader of JSON (RFC 8259), and writing of strings.
 * In: UTF-8 text. Out: a tree in an arena, or malformed with the byte offset. */
#include "cli/wast/json.h"
#include "base/utf8.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100 };
typedef struct parser {
    ts_arena *arena;
    const char *at, *end, *start;
    ts_error *err;
    unsigned depth;
} parser;

static ts_status fail(const parser *p, const char *what) {
    return ts_fail_at(p->err, TS_MALFORMED, (uint64_t)(p->at - p->start), "json", "JSON: %s at byte %llu", what,
                      (unsigned long long)(p->at - p->start));
}

static void space(parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++;
}

static bool hex4(parser *p, uint32_t *out) {
    if (p->end - p->at < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = *p->at++;
        uint32_t d = c >= '0' && c <= '9'                 ? (uint32_t)(c - '0')
                     : (c | 32) >= 'a' && (c | 32) <= 'f' ? (uint32_t)((c | 32) - 'a' + 10)
                                                          : 16;
        if (d == 16) return false;
        *out = *out << 4 | d;
    }
    return true;
}

static ts_status escape(parser *p, char **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end) return fail(p, "unfinished escape");
    char c = *p->at++;
    const char *k = c ? strchr(from, c) : NULL;
    if (k) {
        *(*to)++ = into[k - from];
        return TS_OK;
    }
    uint32_t ch, low;
    if (c != 'u' || !hex4(p, &ch)) return fail(p, "unknown escape");
    if (ch >= 0xd800 && ch < 0xdc00) {
        if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u') return fail(p, "half of a surrogate pair");
        p->at += 2;
        if (!hex4(p, &low) || low < 0xdc00 || low > 0xdfff) return fail(p, "half of a surrogate pair");
        ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
    } else if (ch >= 0xdc00 && ch <= 0xdfff) {
        return fail(p, "half of a surrogate pair");
    }
    *to += ts_utf8_encode(ch, (uint8_t *)*to);
    return TS_OK;
}

static ts_status string(parser *p, const char **s, uint32_t *len) {
    const char *from = ++p->at, *q = from;
    while (q < p->end && *q != '"') q += *q == '\\' && p->end - q > 1 ? 2 : 1;
    if (q >= p->end) return fail(p, "unfinished string");
    char *buf = ts_arena_alloc(p->arena, (size_t)(q - from) + 1), *to = buf; /* escapes only shrink */
    if (!buf) return ts_fail_nomem(p->err);
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20) return fail(p, "control character in a string");
        if (*p->at != '\\') {
            *to++ = *p->at++;
            continue;
        }
        p->at++;
        TS_TRY(escape(p, &to));
    }
    p->at++;
    *to = 0;
    *s = buf;
    *len = (uint32_t)(to - buf);
    return ts_utf8_valid(buf, *len) ? TS_OK : fail(p, "invalid UTF-8");
}

static bool digits(parser *p) {
    const char *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
    return p->at > from;
}

static ts_status number(parser *p, ts_json *v) {
    const char *from = p->at;
    if (*p->at == '-') p->at++;
    const char *lead = p->at;
    if (!digits(p) || (*lead == '0' && p->at > lead + 1)) return fail(p, "bad number");
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!digits(p)) return fail(p, "bad number");
    }
    if (p->at < p->end && (*p->at | 32) == 'e') {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-')) p->at++;
        if (!digits(p)) return fail(p, "bad number");
    }
    v->kind = TS_JSON_NUMBER;
    v->len = (uint32_t)(p->at - from);
    v->str = ts_arena_strndup(p->arena, from, v->len);
    if (!v->str) return ts_fail_nomem(p->err);
    v->number = strtod(v->str, NULL);
    return TS_OK;
}

static ts_status value(parser *p, ts_json *v);

static ts_status members(parser *p, ts_json *v, char close) {
    const ts_json **tail = &v->child;
    if (++p->depth > MAX_DEPTH) return fail(p, "nested too deeply");
    p->at++;
    space(p);
    for (bool first = true; p->at < p->end && *p->at != close; first = false) {
        if (!first) {
            if (*p->at != ',') return fail(p, "a comma is missing");
            p->at++;
            space(p);
        }
        ts_json *x = ts_arena_alloc(p->arena, sizeof *x);
        if (!x) return ts_fail_nomem(p->err);
        if (close == '}') {
            if (p->at == p->end || *p->at != '"') return fail(p, "a key is missing");
            TS_TRY(string(p, &x->key, &x->key_len));
            space(p);
            if (p->at == p->end || *p->at != ':') return fail(p, "a colon is missing");
            p->at++;
        }
        TS_TRY(value(p, x));
        *tail = x;
        tail = &x->next;
        space(p);
    }
    if (p->at == p->end) return fail(p, "unexpected end");
    p->at++;
    p->depth--;
    return TS_OK;
}

static bool word(parser *p, const char *w) {
    size_t n = strlen(w);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, w, n) != 0) return false;
    p->at += n;
    return true;
}

static ts_status value(parser *p, ts_json *v) {
    space(p);
    if (p->at == p->end) return fail(p, "unexpected end");
    switch (*p->at) {
    case '{': v->kind = TS_JSON_OBJECT; return members(p, v, '}');
    case '[': v->kind = TS_JSON_ARRAY; return members(p, v, ']');
    case '"': v->kind = TS_JSON_STRING; return string(p, &v->str, &v->len);
    case 't':
    case 'f':
        v->kind = TS_JSON_BOOL;
        v->boolean = *p->at == 't';
        return word(p, v->boolean ? "true" : "false") ? TS_OK : fail(p, "unknown word");
    case 'n': return word(p, "null") ? TS_OK : fail(p, "unknown word");
    default: return number(p, v);
    }
}

ts_status ts_json_parse(ts_arena *a, const char *text, size_t len, const ts_json **out, ts_error *e) {
    parser p = {.arena = a, .at = text, .end = text + len, .start = text, .err = e};
    ts_json *v = ts_arena_alloc(a, sizeof *v);
    *out = NULL;
    if (!v) return ts_fail_nomem(e);
    TS_TRY(value(&p, v));
    space(&p);
    if (p.at != p.end) return fail(&p, "text after the value");
    *out = v;
    return TS_OK;
}

const ts_json *ts_json_get(const ts_json *object, const char *key) {
    if (!object || object->kind != TS_JSON_OBJECT) return NULL;
    for (const ts_json *m = object->child; m; m = m->next)
        if (strcmp(m->key, key) == 0) return m;
    return NULL;
}

const ts_json *ts_json_get_text(const ts_json *object, const char *key) {
    const ts_json *v = ts_json_get(object, key);
    return v && v->kind == TS_JSON_STRING ? v : NULL;
}

const char *ts_json_get_str(const ts_json *object, const char *key) {
    const ts_json *v = ts_json_get_text(object, key);
    return v ? v->str : NULL;
}

uint32_t ts_json_count(const ts_json *v) {
    uint32_t n = 0;
    for (const ts_json *m = v ? v->child : NULL; m; m = m->next) n++;
    return n;
}

uint64_t ts_json_bits(const char *s) {
    return *s == '-' ? 0 - strtoull(s + 1, NULL, 10) : strtoull(s, NULL, 10);
}
void ts_json_write_str(FILE *out, const char *s, size_t len) {
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}
