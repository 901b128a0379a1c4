/* names: see names.h. */
#include "component/type/names.h"
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool digit(char c) {
    return c >= '0' && c <= '9';
}
static bool lower(char c) {
    return c >= 'a' && c <= 'z';
}
static bool upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/* label ::= first-fragment ( '-' fragment )*. words: no acronyms, as in namespaces and packages */
static bool label(const char *s, size_t len, bool words) {
    size_t i = 0;
    for (bool first = true;; first = false) {
        size_t start = i;
        bool has_lower = false, has_upper = false;
        for (; i < len && s[i] != '-'; i++) {
            if (lower(s[i]))
                has_lower = true;
            else if (upper(s[i]))
                has_upper = true;
            else if (!digit(s[i]))
                return false;
        }
        if (i == start || (has_lower && has_upper) || (words && has_upper)) return false;
        if (first && digit(s[start])) return false;
        if (i == len) return true;
        i++;
    }
}

bool ts_label_valid(const char *s, size_t len) {
    return label(s, len, false);
}

static int prec(size_t len) {
    return len > 120 ? 120 : (int)len;
}

static bool invalid(char *buf, size_t size, const char *fmt, ...) TS_PRINTF(3, 4);
static bool invalid(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (size) vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return false;
}
static bool not_kebab(char *buf, size_t size, const char *s, size_t len) {
    return invalid(buf, size, "`%.*s` is not in kebab case", prec(len), s);
}

/* --- semver.org -------------------------------------------------------------------------------- */
static bool semver_number(const char *s, size_t len, size_t *i, const char *which, uint64_t *out, char *buf,
                          size_t size) {
    if (*i == len) return invalid(buf, size, "unexpected end of input while parsing %s version number", which);
    if (!digit(s[*i]))
        return invalid(buf, size, "unexpected character '%c' while parsing %s version number", s[*i], which);
    if (s[*i] == '0' && *i + 1 < len && digit(s[*i + 1]))
        return invalid(buf, size, "invalid leading zero in %s version number", which);
    uint64_t v = 0;
    for (; *i < len && digit(s[*i]); ++*i) {
        unsigned d = (unsigned)(s[*i] - '0');
        if (v > (UINT64_MAX - d) / 10) return invalid(buf, size, "value of %s version number exceeds 2^64", which);
        v = v * 10 + d;
    }
    *out = v;
    return true;
}

static bool semver_idents(const char *s, size_t len, size_t *i, bool pre, char *buf, size_t size) {
    const char *what = pre ? "pre-release identifier" : "build metadata";
    for (;;) {
        size_t start = *i;
        bool numeric = true;
        while (*i < len && (digit(s[*i]) || lower(s[*i]) || upper(s[*i]) || s[*i] == '-')) numeric &= digit(s[(*i)++]);
        if (*i == start) return invalid(buf, size, "empty identifier segment in %s", what);
        if (pre && numeric && *i - start > 1 && s[start] == '0')
            return invalid(buf, size, "invalid leading zero in %s", what);
        if (*i == len || s[*i] != '.') return true;
        ++*i;
    }
}

typedef struct semver {
    uint64_t n[3];
    const char *pre;
    size_t pre_len;
} semver;

static bool semver_parse(const char *s, size_t len, semver *v, char *buf, size_t size) {
    static const char *const which[] = {"major", "minor", "patch"};
    size_t i = 0;
    memset(v, 0, sizeof *v);
    if (len == 0) return invalid(buf, size, "empty string, expected a semver version");
    for (int k = 0; k < 3; k++) {
        if (!semver_number(s, len, &i, which[k], &v->n[k], buf, size)) return false;
        if (k == 2) break;
        if (i == len) return invalid(buf, size, "unexpected end of input while parsing %s version number", which[k]);
        if (s[i] != '.') return invalid(buf, size, "unexpected character '%c' after %s version number", s[i], which[k]);
        i++;
    }
    if (i < len && s[i] == '-') {
        i++;
        v->pre = s + i;
        if (!semver_idents(s, len, &i, true, buf, size)) return false;
        v->pre_len = (size_t)(s + i - v->pre);
    }
    if (i < len && s[i] == '+') {
        i++;
        if (!semver_idents(s, len, &i, false, buf, size)) return false;
    }
    if (i < len) return invalid(buf, size, "unexpected character '%c' after patch version number", s[i]);
    return true;
}

bool ts_semver_valid(const char *s, size_t len, char *buf, size_t size) {
    semver v;
    return semver_parse(s, len, &v, buf, size);
}

/* --- names of imports and exports -------------------------------------------------------------- */
static size_t find(const char *s, size_t from, size_t len, char c) {
    const char *p = from < len ? memchr(s + from, c, len - from) : NULL;
    return p ? (size_t)(p - s) : len;
}

static bool starts(const char *s, size_t len, const char *prefix, size_t *at) {
    size_t n = strlen(prefix);
    if (len < n || memcmp(s, prefix, n) != 0) return false;
    *at = n;
    return true;
}

/* interfacename ::= namespace words projection interfaceversion? (🪺: namespace+, projection+) */
static bool interface_name(const char *s, size_t len, bool nested, char *buf, size_t size) {
    size_t version = find(s, 0, len, '@'), at = 0, colon;
    size_t slash = find(s, 0, version, '/');
    unsigned spaces = 0;
    while ((colon = find(s, at, slash, ':')) < slash) {
        if (spaces++ && !nested) return invalid(buf, size, "expected `/` after package name");
        if (!label(s + at, colon - at, true)) return not_kebab(buf, size, s + at, colon - at);
        at = colon + 1;
    }
    if (!label(s + at, slash - at, true)) return not_kebab(buf, size, s + at, slash - at);
    if (slash == version) return invalid(buf, size, "expected `/` after package name");
    for (at = slash + 1;;) {
        size_t end = find(s, at, version, '/');
        if (!label(s + at, end - at, false)) return not_kebab(buf, size, s + at, end - at);
        if (end == version) break;
        if (!nested) return invalid(buf, size, "trailing characters found: `%.*s`", prec(version - end), s + end);
        at = end + 1;
    }
    return version == len || ts_semver_valid(s + version + 1, len - version - 1, buf, size);
}

bool ts_extern_name_parse(const char *s, size_t len, bool nested, ts_extern_name *out, char *buf, size_t size) {
    size_t at = 0;
    memset(out, 0, sizeof *out);
    if (starts(s, len, "[constructor]", &at)) {
        out->kind = TS_NAME_CONSTRUCTOR;
        out->resource = s + at;
        out->resource_len = (uint32_t)(len - at);
        return label(s + at, len - at, false) || not_kebab(buf, size, s + at, len - at);
    }
    bool method = starts(s, len, "[method]", &at);
    if (method || starts(s, len, "[static]", &at)) {
        out->kind = method ? TS_NAME_METHOD : TS_NAME_STATIC;
        size_t dot = find(s, at, len, '.');
        if (dot == len) return invalid(buf, size, "failed to find `.` character");
        if (!label(s + at, dot - at, false)) return not_kebab(buf, size, s + at, dot - at);
        if (!label(s + dot + 1, len - dot - 1, false)) return not_kebab(buf, size, s + dot + 1, len - dot - 1);
        out->resource = s + at;
        out->resource_len = (uint32_t)(dot - at);
        return true;
    }
    /* forms of older versions of the specification, which contain what looks like a namespace */
    static const char *const removed_forms[] = {"url=<", "relative-url=<", "locked-dep=<", "unlocked-dep=<",
                                                "integrity=<"};
    for (size_t i = 0; i < sizeof removed_forms / sizeof *removed_forms; i++)
        if (starts(s, len, removed_forms[i], &at))
            return invalid(buf, size, "names of the form `%s…>` are not part of the component model", removed_forms[i]);
    if (memchr(s, ':', len)) {
        out->kind = TS_NAME_INTERFACE;
        return interface_name(s, len, nested, buf, size);
    }
    out->kind = TS_NAME_LABEL;
    return label(s, len, false) || not_kebab(buf, size, s, len);
}

static char *lowered(ts_arena *arena, const char *s, size_t len, size_t until) {
    char *key = ts_arena_strndup(arena, s, len);
    for (size_t i = 0; key && i < until; i++)
        if (upper(key[i])) key[i] = (char)(key[i] - 'A' + 'a');
    return key;
}

char *ts_label_key(ts_arena *arena, const char *s, size_t len) {
    return lowered(arena, s, len, len);
}

/* spec: Explainer.md#name-uniqueness. A version is not a label: its letters keep their case. */
char *ts_extern_name_key(ts_arena *arena, const char *s, size_t len, uint32_t *out_len) {
    size_t at = 0;
    if (starts(s, len, "[method]", &at) || starts(s, len, "[static]", &at)) {
        s += at;
        len -= at;
        char *key = lowered(arena, s, len, len);
        if (!key) return NULL;
        size_t dot = find(key, 0, len, '.');
        bool same = dot * 2 + 1 == len && memcmp(key, key + dot + 1, dot) == 0;
        if (same) len = dot;
        key[len] = 0;
        *out_len = (uint32_t)len;
        return key;
    }
    *out_len = (uint32_t)len;
    return lowered(arena, s, len, find(s, 0, len, '@'));
}

/* --- for the linker ---------------------------------------------------------------------------- */
/* spec: Explainer.md#import-and-export-definitions: canonversion. The last number is the first one
 * that is not 0, unless all three are 0. */
bool ts_canonversion_valid(const char *s, size_t len) {
    size_t i = 0;
    for (int k = 0; k < 3; k++) {
        uint64_t n;
        if (!semver_number(s, len, &i, "", &n, NULL, 0)) return false;
        if (n) return i == len;
        if (k < 2 && (i == len || s[i++] != '.')) return false;
    }
    return i == len;
}

/* Parses an interfaceversion. The missing numbers of a canonversion are 0. */
static bool version_parse(const char *s, size_t len, semver *v) {
    if (semver_parse(s, len, v, NULL, 0)) return true;
    memset(v, 0, sizeof *v);
    size_t i = 0;
    if (!ts_canonversion_valid(s, len)) return false;
    for (int k = 0; k < 3 && i < len; k++, i++)
        if (!semver_number(s, len, &i, "", &v->n[k], NULL, 0)) return false;
    return true;
}

bool ts_name_parse(const char *name, size_t len, ts_iface_name *out) {
    memset(out, 0, sizeof *out);
    size_t at = find(name, 0, len, '@');
    if (!memchr(name, ':', len) || len > UINT32_MAX || !interface_name(name, at, true, NULL, 0)) return false;
    out->base = name;
    out->base_len = (uint32_t)at;
    if (at == len) return true;
    semver v;
    if (!version_parse(name + at + 1, len - at - 1, &v)) return false;
    for (int k = 0; k < 3; k++)
        if (v.n[k] > UINT32_MAX) return false;
    out->has_version = true;
    out->major = (uint32_t)v.n[0];
    out->minor = (uint32_t)v.n[1];
    out->patch = (uint32_t)v.n[2];
    out->pre = v.pre;
    out->pre_len = (uint32_t)v.pre_len;
    return true;
}

/* spec: Explainer.md#canonical-interface-name: the parts before the split point must agree. A
 * pre-release agrees only with itself. */
bool ts_name_compatible(const ts_iface_name *a, const ts_iface_name *b) {
    if (a->base_len != b->base_len || memcmp(a->base, b->base, a->base_len) != 0 || a->has_version != b->has_version)
        return false;
    if (!a->has_version) return true;
    if (a->pre_len || b->pre_len)
        return a->major == b->major && a->minor == b->minor && a->patch == b->patch && a->pre_len == b->pre_len &&
               memcmp(a->pre, b->pre, a->pre_len) == 0;
    if (a->major != b->major) return false;
    if (a->major > 0) return true;
    if (a->minor != b->minor) return false;
    return a->minor > 0 || a->patch == b->patch;
}
