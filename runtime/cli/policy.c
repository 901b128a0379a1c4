/* policy: see policy.h */
#include "cli/policy.h"
#include "base/utf8.h"
#include "sys/input.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEYS = 64, MAX_KEY = 64, MAX_FILE = 1 << 20 };

typedef struct parser {
    const char *path, *at, *end;
    unsigned line;
    char *value; /* room for the longest one */
    char table[8];
    char seen[MAX_KEYS][MAX_KEY]; /* a key is given once */
    unsigned n_seen;
    ts_cli_policy_set set;
    void *data;
} parser;

static ts_status wrong(const parser *p, ts_error *e, const char *what) {
    return ts_fail(e, TS_USAGE, "%s:%u: %s", p->path, p->line, what);
}
static bool more(const parser *p) {
    return p->at < p->end;
}
static bool take(parser *p, char c) {
    if (!more(p) || *p->at != c) return false;
    p->at++;
    return true;
}
static void blanks(parser *p) {
    while (more(p) && (*p->at == ' ' || *p->at == '\t')) p->at++;
}
/* Blanks, a comment; with `lines` also line ends. */
static void skip(parser *p, bool lines) {
    for (;;) {
        blanks(p);
        if (more(p) && *p->at == '#')
            while (more(p) && *p->at != '\n') p->at++;
        if (p->end - p->at >= 2 && p->at[0] == '\r' && p->at[1] == '\n') p->at++;
        if (!lines || !take(p, '\n')) return;
        p->line++;
    }
}

static bool key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
static ts_status key(parser *p, char out[MAX_KEY], ts_error *e) {
    size_t n = 0;
    while (more(p) && key_char(*p->at)) {
        if (n == MAX_KEY - 1) return wrong(p, e, "the key is too long");
        out[n++] = *p->at++;
    }
    out[n] = 0;
    return n ? TS_OK : wrong(p, e, "a key is expected");
}

/* \uXXXX, \UXXXXXXXX */
static bool unicode(parser *p, int digits, char **to) {
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, p->at++) {
        if (!more(p)) return false;
        char d = *p->at;
        if (d >= '0' && d <= '9')
            c = c << 4 | (uint32_t)(d - '0');
        else if ((d | 32) >= 'a' && (d | 32) <= 'f')
            c = c << 4 | (uint32_t)((d | 32) - 'a' + 10);
        else
            return false;
    }
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    char *o = *to;
    if (c < 0x80)
        *o++ = (char)c;
    else {
        if (c < 0x800)
            *o++ = (char)(0xc0 | c >> 6);
        else {
            if (c < 0x10000)
                *o++ = (char)(0xe0 | c >> 12);
            else {
                *o++ = (char)(0xf0 | c >> 18);
                *o++ = (char)(0x80 | (c >> 12 & 63));
            }
            *o++ = (char)(0x80 | (c >> 6 & 63));
        }
        *o++ = (char)(0x80 | (c & 63));
    }
    *to = o;
    return true;
}

static ts_status text(parser *p, ts_error *e) {
    char quote = *p->at++, *o = p->value;
    if (p->end - p->at >= 2 && p->at[0] == quote && p->at[1] == quote)
        return wrong(p, e, "strings of several lines are not understood here");
    while (!take(p, quote)) {
        unsigned char c = more(p) ? (unsigned char)*p->at : '\n';
        if (c == '\n' || c == '\r') return wrong(p, e, "the string does not end on its line");
        if ((c < 0x20 && c != '\t') || c == 0x7f) return wrong(p, e, "a control character in a string");
        p->at++;
        if (c != '\\' || quote == '\'') {
            *o++ = (char)c;
            continue;
        }
        static const char letters[] = "btnfre\"\\", meanings[] = "\b\t\n\f\r\033\"\\";
        char k = more(p) ? *p->at++ : 0;
        const char *found = k && k != 'e' ? strchr(letters, k) : NULL;
        if (found)
            *o++ = meanings[found - letters];
        else if (!((k == 'u' && unicode(p, 4, &o)) || (k == 'U' && unicode(p, 8, &o))))
            return wrong(p, e, "there is no such escape");
    }
    *o = 0;
    return TS_OK;
}

static ts_status value(parser *p, const char *name, bool in_array, ts_error *e) {
    ts_cli_policy_kind kind = TS_CLI_POLICY_TEXT;
    if (more(p) && (*p->at == '"' || *p->at == '\'')) {
        TS_TRY(text(p, e));
    } else if (!in_array && take(p, '[')) {
        for (;;) {
            skip(p, true);
            if (take(p, ']')) return TS_OK;
            TS_TRY(value(p, name, true, e));
            skip(p, true);
            if (take(p, ']')) return TS_OK;
            if (!take(p, ',')) return wrong(p, e, "a comma or ] is expected");
        }
    } else {
        char *o = p->value;
        while (more(p) && key_char(*p->at)) *o++ = *p->at++;
        *o = 0;
        size_t n = strlen(p->value);
        if (strcmp(p->value, "true") == 0 || strcmp(p->value, "false") == 0)
            kind = TS_CLI_POLICY_BOOL;
        else if (n && n < 20 && strspn(p->value, "0123456789") == n && (n == 1 || p->value[0] != '0'))
            kind = TS_CLI_POLICY_NUMBER;
        else
            return wrong(p, e, "a string, a number, true, false or an array of strings is expected");
        if (in_array) return wrong(p, e, "arrays hold strings here");
    }
    ts_error why;
    ts_error_init(&why);
    ts_status s = p->set(p->data, p->table, name, kind, p->value, &why);
    return s == TS_OK ? s : ts_fail(e, s, "%s:%u: %s", p->path, p->line, why.message);
}

static ts_status once(parser *p, const char *name, ts_error *e) {
    char full[MAX_KEY + 16];
    if (p->table[0] == 0) {
        for (unsigned i = 0; i < p->n_seen; i++)
            if (strcmp(p->seen[i], name) == 0) {
                snprintf(full, sizeof full, "%s is given twice", name);
                return wrong(p, e, full);
            }
        if (p->n_seen == MAX_KEYS) return wrong(p, e, "too many keys");
        memcpy(p->seen[p->n_seen++], name, strlen(name) + 1);
    }
    return TS_OK;
}

static ts_status lines(parser *p, ts_error *e) {
    char name[MAX_KEY];
    for (;;) {
        skip(p, true);
        if (!more(p)) return TS_OK;
        if (take(p, '[')) {
            TS_TRY(key(p, name, e));
            if (strcmp(name, "env") != 0 || p->table[0]) return wrong(p, e, "the only table is [env], once");
            if (!take(p, ']')) return wrong(p, e, "] is expected");
            memcpy(p->table, "env", 4);
        } else {
            TS_TRY(key(p, name, e));
            TS_TRY(once(p, name, e));
            blanks(p);
            if (!take(p, '=')) return wrong(p, e, "= is expected");
            blanks(p);
            TS_TRY(value(p, name, false, e));
        }
        skip(p, false);
        if (more(p) && *p->at != '\n') return wrong(p, e, "nothing more is expected on this line");
    }
}

ts_status ts_cli_policy_read(const char *path, ts_cli_policy_set set, void *data, ts_error *e) {
    ts_sys_input file = {0};
    ts_sys_err err = ts_sys_input_open(path, &file);
    if (err) return ts_fail(e, TS_IO, "cannot read %s: %s", path, ts_sys_err_text(err));
    ts_status s = TS_OK;
    parser *p = calloc(1, sizeof *p);
    const char *bytes = (const char *)file.bytes;
    if (p) p->value = malloc(file.len + 1);
    if (!p || !p->value)
        s = ts_fail_nomem(e);
    else if (file.len > MAX_FILE || !ts_utf8_valid(bytes, file.len))
        s = ts_fail(e, TS_USAGE, "%s is too large, or not UTF-8", path);
    else {
        p->path = path;
        p->at = bytes;
        p->end = bytes + file.len;
        p->line = 1;
        p->set = set;
        p->data = data;
        s = lines(p, e);
    }
    if (p) free(p->value);
    free(p);
    ts_sys_input_close(&file);
    return s;
}
