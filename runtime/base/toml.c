/* toml: see toml.h. One pass; comments cite the sections of the specification. */
#include "base/toml.h"
#include "base/number.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 100 }; /* nesting of arrays and inline tables */

typedef struct parser {
    ts_arena *arena;
    const char *name, *at, *end;
    uint32_t line, tables, sections; /* sections: number of headers and inline tables so far */
    unsigned depth;
    ts_map members; /* (table's id, key) → index in nodes */
    TS_VEC(ts_toml *) nodes;
    ts_error *e;
} parser;

static ts_status wrong(const parser *p, const char *what) {
    return ts_fail(p->e, TS_USAGE, "%s:%u: %s", p->name, p->line, what);
}
static bool more(const parser *p) {
    return p->at < p->end;
}
static char peek(const parser *p, size_t n) { /* NUL at the end: the syntax does not use it */
    return (size_t)(p->end - p->at) > n ? p->at[n] : 0;
}
static bool take(parser *p, char c) {
    if (!more(p) || *p->at != c) return false;
    p->at++;
    return true;
}
static bool take_word(parser *p, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
    p->at += n;
    return true;
}
static void blanks(parser *p) {
    while (peek(p, 0) == ' ' || peek(p, 0) == '\t') p->at++;
}
static size_t newline_at(const parser *p, const char *at) { /* returns its length, 0 if there is none */
    if (at < p->end && *at == '\n') return 1;
    return p->end - at > 1 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}
static bool newline(parser *p) {
    size_t n = newline_at(p, p->at);
    p->at += n;
    p->line += n != 0;
    return n != 0;
}
static bool digit(char c) {
    return c >= '0' && c <= '9';
}
static bool control(char c) { /* except tab */
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}
/* Skips blanks and a comment up to the end of the line. toml: Comment */
static ts_status rest_of_line(parser *p) {
    blanks(p);
    if (take(p, '#'))
        for (; more(p) && !newline_at(p, p->at); p->at++)
            if (control(*p->at)) return wrong(p, "there is a control character in a comment");
    return TS_OK;
}
static ts_status blank_lines(parser *p) {
    do TS_TRY(rest_of_line(p));
    while (newline(p));
    return TS_OK;
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */
static ts_toml *node(parser *p, ts_toml_kind kind) {
    ts_toml *t = ts_arena_alloc(p->arena, sizeof *t);
    if (!t) return NULL;
    t->kind = kind;
    t->line = p->line;
    if (kind == TS_TOML_TABLE) t->id = ++p->tables;
    return t;
}
static void append(ts_toml *to, ts_toml *t) {
    if (to->last)
        to->last->next = t;
    else
        to->first = t;
    to->last = t;
    to->count++;
}

typedef struct key {
    const char *s;
    size_t len;
} key;
/* Returns the member's key in the map that all tables share. */
static char *member_name(parser *p, const ts_toml *table, key k) {
    char *s = ts_arena_alloc(p->arena, sizeof table->id + k.len + 1);
    if (!s) return NULL;
    memcpy(s, &table->id, sizeof table->id);
    memcpy(s + sizeof table->id, k.s, k.len);
    return s;
}
/* Sets *out to NULL if the table has no such member. */
static ts_status find(parser *p, const ts_toml *table, key k, ts_toml **out) {
    uint32_t i;
    char *s = member_name(p, table, k);
    if (!s) return ts_fail_nomem(p->e);
    *out = ts_map_get(&p->members, s, sizeof table->id + k.len, &i) ? p->nodes.data[i] : NULL;
    return TS_OK;
}
static ts_status add(parser *p, ts_toml *table, key k, ts_toml *t) {
    char *s = member_name(p, table, k);
    t->key_len = k.len;
    t->key = s ? s + sizeof table->id : NULL;
    if (!s || !ts_vec_push(&p->nodes, t) ||
        !ts_map_put(&p->members, s, sizeof table->id + k.len, p->nodes.len - 1, NULL))
        return ts_fail_nomem(p->e);
    append(table, t);
    return TS_OK;
}
static ts_status add_new(parser *p, ts_toml *table, key k, ts_toml_kind kind, ts_toml **out) {
    *out = node(p, kind);
    return *out ? add(p, table, k, *out) : ts_fail_nomem(p->e);
}

/* --- strings ------------------------------------------------------------------------------------------------------- */
/* toml: String: "any Unicode scalar value" */
static bool unicode(parser *p, int digits, char **to) {
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, p->at++) {
        char d = peek(p, 0), l = (char)(d | 32);
        if (digit(d))
            c = c << 4 | (uint32_t)(d - '0');
        else if (l >= 'a' && l <= 'f')
            c = c << 4 | (uint32_t)(l - 'a' + 10);
        else
            return false;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    *to += ts_utf8_encode(c, (uint8_t *)*to);
    return true;
}
/* Reads an escape after its backslash. */
static ts_status escape(parser *p, bool lines, char **to) {
    static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
    char c = peek(p, 0);
    const char *found = c ? strchr(letters, c) : NULL;
    if (found) {
        *(*to)++ = meanings[found - letters];
        p->at++;
        return TS_OK;
    }
    if (c == 'u' || c == 'U') {
        p->at++;
        return unicode(p, c == 'u' ? 4 : 8, to) ? TS_OK : wrong(p, "an escape is no Unicode scalar value");
    }
    const char *at = p->at; /* a line-ending backslash: skip whitespace up to the next character */
    while (at < p->end && (*at == ' ' || *at == '\t')) at++;
    if (!lines || !newline_at(p, at)) return wrong(p, "there is no such escape");
    p->at = at;
    while (newline(p)) blanks(p);
    return TS_OK;
}
/* Takes the closing quotes of a multi-line string. Up to two quotes of its contents may precede them. */
static bool closes(parser *p, char quote, char **to) {
    size_t n = 0;
    while (n < 5 && peek(p, n) == quote) n++;
    if (n < 3) return false;
    p->at += n;
    for (n -= 3; n; n--) *(*to)++ = quote;
    return true;
}
static ts_status string(parser *p, bool lines_allowed, const char **out, size_t *len) {
    char quote = *p->at++;
    bool literal = quote == '\'', lines = peek(p, 0) == quote && peek(p, 1) == quote;
    if (lines) {
        p->at += 2;
        if (!lines_allowed) return wrong(p, "a key has no string of several lines");
        (void)newline(p);
    }
    /* A string is never longer than its text in the file. The end is searched once per string,
     * so that many strings together allocate no more than the size of the file. */
    const char *stop = p->at;
    while (stop < p->end && (lines ? !(stop[0] == quote && p->end - stop > 2 && stop[1] == quote && stop[2] == quote)
                                   : *stop != quote && *stop != '\n'))
        stop += *stop == '\\' && !literal && p->end - stop > 1 ? 2 : 1;
    char *o = ts_arena_alloc(p->arena, (size_t)(stop - p->at) + 8), *start = o;
    if (!o) return ts_fail_nomem(p->e);
    for (;;) {
        size_t n = newline_at(p, p->at);
        if (!more(p) || (n && !lines)) return wrong(p, "the string does not end");
        if (n) {
            (void)newline(p);
            *o++ = '\n';
            continue;
        }
        char c = *p->at;
        if (control(c)) return wrong(p, "there is a control character in a string");
        if (c == quote && (lines ? closes(p, quote, &o) : take(p, quote))) break;
        p->at++;
        if (c == '\\' && !literal)
            TS_TRY(escape(p, lines, &o));
        else
            *o++ = c;
    }
    *o = 0;
    *out = start;
    *len = (size_t)(o - start);
    return TS_OK;
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */
static bool bare(char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}
static ts_status simple_key(parser *p, key *k) {
    if (peek(p, 0) == '"' || peek(p, 0) == '\'') return string(p, false, &k->s, &k->len);
    k->s = p->at;
    while (bare(peek(p, 0))) p->at++;
    k->len = (size_t)(p->at - k->s);
    return k->len ? TS_OK : wrong(p, "a key is expected");
}
/* After a part of a dotted key: takes the dot if another part follows. */
static bool dot(parser *p) {
    blanks(p);
    if (!take(p, '.')) return false;
    blanks(p);
    return true;
}
static ts_status twice(const parser *p, key k) {
    return ts_fail(p->e, TS_USAGE, "%s:%u: %.*s is given twice", p->name, p->line, (int)(k.len > 60 ? 60 : k.len), k.s);
}

/* --- numbers and times --------------------------------------------------------------------------------------------- */
/* Reads *n digits of a base; an underscore is allowed between two digits. Returns false on anything else. */
static bool digits(const char **at, const char *end, unsigned base, uint64_t *value, bool *fits, size_t *n) {
    bool after_digit = false;
    *value = 0;
    *fits = true;
    for (*n = 0; *at < end; ++*at) {
        char c = **at, l = (char)(c | 32);
        unsigned d = digit(c) ? (unsigned)(c - '0') : l >= 'a' && l <= 'f' ? (unsigned)(l - 'a') + 10 : 99;
        if (c == '_') {
            if (!after_digit) return false;
            after_digit = false;
            continue;
        }
        if (d >= base) break;
        after_digit = true;
        ++*n;
        if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, d, value)) *fits = false;
    }
    return after_digit;
}
/* toml: Float. Removes the underscores, which strtod does not know. */
static ts_status to_double(parser *p, ts_toml *t) {
    char *s = ts_arena_alloc(p->arena, t->len + 1), *o = s;
    if (!s) return ts_fail_nomem(p->e);
    for (size_t i = 0; i < t->len; i++)
        if (t->text[i] != '_') *o++ = t->text[i];
    t->number = ts_strtod(s, NULL);
    return TS_OK;
}
static ts_status number(parser *p, ts_toml *t) {
    const char *s = t->text, *end = s + t->len, *at = s;
    bool minus = *at == '-', sign = minus || *at == '+', fits = true, whole_fits;
    uint64_t v, ignored;
    size_t n;
    at += sign;
    if (end - at == 3 && (memcmp(at, "inf", 3) == 0 || memcmp(at, "nan", 3) == 0)) {
        t->kind = TS_TOML_FLOAT;
        return to_double(p, t);
    }
    unsigned base = end - at > 1 && *at == '0' ? (at[1] == 'x' ? 16 : at[1] == 'o' ? 8 : at[1] == 'b' ? 2 : 10) : 10;
    if (base != 10) {
        if (sign) return wrong(p, "a number in base 2, 8 or 16 has no sign");
        at += 2;
    }
    const char *first = at;
    if (!digits(&at, end, base, &v, &whole_fits, &n)) return wrong(p, "a value is expected");
    if (base == 10 && n > 1 && *first == '0') return wrong(p, "a number has a leading zero");
    t->kind = TS_TOML_INTEGER;
    if (base == 10 && at < end && (*at == '.' || *at == 'e' || *at == 'E')) {
        t->kind = TS_TOML_FLOAT;
        if (*at == '.' && (++at, !digits(&at, end, 10, &ignored, &fits, &n)))
            return wrong(p, "digits are expected after the point");
        if (at < end && (*at == 'e' || *at == 'E')) {
            at++;
            if (at < end && (*at == '+' || *at == '-')) at++;
            if (!digits(&at, end, 10, &ignored, &fits, &n)) return wrong(p, "an exponent is expected");
        }
    }
    if (at != end) return wrong(p, "a value is expected");
    if (t->kind == TS_TOML_FLOAT) return to_double(p, t);
    if (!whole_fits || v > (uint64_t)INT64_MAX + minus) return wrong(p, "the number does not fit into 64 bits");
    t->integer = minus ? (int64_t)(0 - v) : (int64_t)v;
    return TS_OK;
}

/* Reads exactly n digits; returns -1 if they are missing. */
static int fixed(const char **at, const char *end, int n) {
    int v = 0;
    if (end - *at < n) return -1;
    for (int i = 0; i < n; i++, ++*at) {
        if (!digit(**at)) return -1;
        v = v * 10 + (**at - '0');
    }
    return v;
}
static bool colon(const char **at, const char *end, char c) {
    if (*at >= end || **at != c) return false;
    ++*at;
    return true;
}
static bool date(const char **at, const char *end) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = fixed(at, end, 4);
    int m = colon(at, end, '-') ? fixed(at, end, 2) : -1;
    int d = colon(at, end, '-') ? fixed(at, end, 2) : -1;
    if (y < 0 || m < 1 || m > 12 || d < 1 || d > days[m - 1]) return false;
    return m != 2 || d < 29 || (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}
static bool time_of_day(const char **at, const char *end) {
    int h = fixed(at, end, 2);
    int m = colon(at, end, ':') ? fixed(at, end, 2) : -1;
    int s = colon(at, end, ':') ? fixed(at, end, 2) : -1;
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) return false; /* RFC 3339, 5.6: 60 is a leap second */
    if (*at < end && **at == '.') {
        ++*at;
        if (*at >= end || !digit(**at)) return false;
        while (*at < end && digit(**at)) ++*at;
    }
    return true;
}
static bool offset(const char **at, const char *end) {
    if (colon(at, end, 'Z') || colon(at, end, 'z')) return true;
    if (!colon(at, end, '+') && !colon(at, end, '-')) return false;
    int h = fixed(at, end, 2), m = colon(at, end, ':') ? fixed(at, end, 2) : -1;
    return h >= 0 && h < 24 && m >= 0 && m < 60;
}
/* toml: Offset Date-Time and what follows it there */
static ts_status datetime(parser *p, ts_toml *t) {
    const char *at = t->text, *end = at + t->len;
    bool good;
    if (t->len > 2 && at[2] == ':') {
        t->kind = TS_TOML_LOCAL_TIME;
        good = time_of_day(&at, end);
    } else {
        t->kind = TS_TOML_LOCAL_DATE;
        good = date(&at, end);
        if (good && at < end) {
            t->kind = TS_TOML_LOCAL_DATETIME;
            good = (*at == 'T' || *at == 't' || *at == ' ') && (at++, time_of_day(&at, end));
            if (good && at < end) {
                t->kind = TS_TOML_OFFSET_DATETIME;
                good = offset(&at, end);
            }
        }
    }
    return good && at == end ? TS_OK : wrong(p, "this is no date or time");
}

/* --- values -------------------------------------------------------------------------------------------------------- */
static ts_status value(parser *p, ts_toml **out);

static ts_status array(parser *p, ts_toml *t) {
    p->at++;
    for (;;) {
        ts_toml *v;
        TS_TRY(blank_lines(p));
        if (take(p, ']')) return TS_OK;
        TS_TRY(value(p, &v));
        append(t, v);
        TS_TRY(blank_lines(p));
        if (take(p, ']')) return TS_OK;
        if (!take(p, ',')) return wrong(p, "a comma or ] is expected");
    }
}
/* Reads KEY = VALUE into a table. Dotted keys create tables;
 * only keys of the same section may add to these. */
static ts_status pair(parser *p, ts_toml *table, uint32_t section) {
    key k;
    ts_toml *t, *v;
    TS_TRY(simple_key(p, &k));
    while (dot(p)) {
        TS_TRY(find(p, table, k, &t));
        if (!t) {
            TS_TRY(add_new(p, table, k, TS_TOML_TABLE, &t));
            t->section = section;
            t->dotted = true;
        } else if (t->kind != TS_TOML_TABLE || t->closed || t->defined || (t->dotted && t->section != section)) {
            return twice(p, k);
        } else if (!t->dotted) {
            t->section = section;
            t->dotted = true;
        }
        table = t;
        TS_TRY(simple_key(p, &k));
    }
    if (!take(p, '=')) return wrong(p, "= is expected after a key");
    blanks(p);
    TS_TRY(find(p, table, k, &t));
    if (t) return twice(p, k);
    TS_TRY(value(p, &v));
    return add(p, table, k, v);
}
/* toml: Inline Table. It is on one line and has no trailing comma. */
static ts_status inline_table(parser *p, ts_toml *t) {
    uint32_t section = ++p->sections;
    p->at++;
    blanks(p);
    if (!take(p, '}'))
        for (;;) {
            TS_TRY(pair(p, t, section));
            blanks(p);
            if (take(p, '}')) break;
            if (!take(p, ',')) return wrong(p, "a comma or } is expected");
            blanks(p);
        }
    t->closed = true;
    return TS_OK;
}
static ts_status scalar(parser *p, ts_toml *t) {
    t->text = p->at;
    if (peek(p, 0) == 't' || peek(p, 0) == 'f') {
        t->kind = TS_TOML_BOOL;
        t->boolean = *p->at == 't';
        if (!take_word(p, t->boolean ? "true" : "false") || bare(peek(p, 0))) return wrong(p, "a value is expected");
        t->len = (size_t)(p->at - t->text);
        return TS_OK;
    }
    while (bare(peek(p, 0)) || (peek(p, 0) && strchr("+.:", peek(p, 0)))) p->at++;
    t->len = (size_t)(p->at - t->text);
    bool is_date = t->len >= 5 && digit(t->text[3]) && t->text[4] == '-', is_time = t->len >= 3 && t->text[2] == ':';
    if (is_date && t->len == 10 && peek(p, 0) == ' ' && digit(peek(p, 1)) && digit(peek(p, 2)) && peek(p, 3) == ':') {
        p->at++; /* RFC 3339, 5.6: a space instead of the T */
        while (bare(peek(p, 0)) || (peek(p, 0) && strchr("+.:", peek(p, 0)))) p->at++;
        t->len = (size_t)(p->at - t->text);
    }
    if (!t->len) return wrong(p, "a value is expected");
    return is_date || is_time ? datetime(p, t) : number(p, t);
}
static ts_status value(parser *p, ts_toml **out) {
    char c = peek(p, 0);
    ts_toml *t = *out = node(p, c == '[' ? TS_TOML_ARRAY : c == '{' ? TS_TOML_TABLE : TS_TOML_STRING);
    if (!t) return ts_fail_nomem(p->e);
    if (c == '"' || c == '\'') return string(p, true, &t->text, &t->len);
    if (c != '[' && c != '{') return scalar(p, t);
    if (++p->depth > DEPTH_MOST) return wrong(p, "arrays and tables are nested too deeply");
    ts_status s = c == '[' ? array(p, t) : inline_table(p, t);
    p->depth--;
    return s;
}

/* --- sections ------------------------------------------------------------------------------------------------------ */
/* Reads [a.b] or [[a.b]]; the pairs that follow belong to *table. toml: Table, Array of Tables */
static ts_status header(parser *p, ts_toml *root, ts_toml **table) {
    p->at++;
    bool many = take(p, '[');
    ts_toml *in = root, *t;
    key k;
    blanks(p);
    TS_TRY(simple_key(p, &k));
    while (dot(p)) {
        TS_TRY(find(p, in, k, &t));
        if (!t) TS_TRY(add_new(p, in, k, TS_TOML_TABLE, &t));
        if (t->kind == TS_TOML_ARRAY && t->many) t = t->last; /* the last table of the array */
        if (t->kind != TS_TOML_TABLE || t->closed) return twice(p, k);
        in = t;
        TS_TRY(simple_key(p, &k));
    }
    if (!take(p, ']') || (many && !take(p, ']'))) return wrong(p, many ? "]] is expected" : "] is expected");
    TS_TRY(find(p, in, k, &t));
    if (many) {
        if (!t) {
            TS_TRY(add_new(p, in, k, TS_TOML_ARRAY, &t));
            t->many = true;
        }
        if (t->kind != TS_TOML_ARRAY || !t->many) return twice(p, k);
        *table = node(p, TS_TOML_TABLE);
        if (!*table) return ts_fail_nomem(p->e);
        append(t, *table);
        return TS_OK;
    }
    if (!t) TS_TRY(add_new(p, in, k, TS_TOML_TABLE, &t));
    if (t->kind != TS_TOML_TABLE || t->closed || t->defined || t->dotted) return twice(p, k);
    t->defined = true;
    *table = t;
    return TS_OK;
}

static ts_status document(parser *p, ts_toml *root) {
    ts_toml *table = root;
    uint32_t section = 0;
    (void)take_word(p, "\xef\xbb\xbf"); /* skip a byte order mark */
    for (;;) {
        TS_TRY(blank_lines(p));
        if (!more(p)) return TS_OK;
        if (peek(p, 0) == '[') {
            TS_TRY(header(p, root, &table));
            section = ++p->sections;
        } else {
            TS_TRY(pair(p, table, section));
        }
        TS_TRY(rest_of_line(p));
        if (more(p) && !newline(p)) return wrong(p, "nothing more is expected on this line");
    }
}

ts_status ts_toml_parse(ts_arena *arena, const char *name, const char *bytes, size_t len, ts_toml **root, ts_error *e) {
    parser p = {.arena = arena, .name = name, .at = bytes, .end = bytes + len, .line = 1, .e = e};
    *root = node(&p, TS_TOML_TABLE);
    ts_status s = !*root                       ? ts_fail_nomem(e)
                  : !ts_utf8_valid(bytes, len) ? ts_fail(e, TS_USAGE, "%s is not UTF-8", name)
                                               : document(&p, *root);
    ts_map_free(&p.members);
    ts_vec_free(&p.nodes);
    return s;
}
