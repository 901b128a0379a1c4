/* demangle: see demangle.h */
#include "base/demangle.h"
#include "base/utf8.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 200, MAX_PUNYCODE = 128 };

/* --- output -------------------------------------------------------------------------------------------------------- */
typedef struct sink {
    char *buf;
    size_t size, at;
    bool full; /* something did not fit: all further output is dropped */
} sink;

static void put_n(sink *o, const char *s, size_t n) {
    if (o->full) return;
    if (n >= o->size - o->at) {
        n = o->size - o->at - 1;
        while (n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80) n--; /* do not cut inside a character */
        o->full = true;
    }
    memcpy(o->buf + o->at, s, n);
    o->at += n;
}
static void put_char(sink *o, uint32_t c) {
    uint8_t b[4];
    put_n(o, (const char *)b, ts_utf8_encode(c, b));
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
static uint32_t hex_value(char c) {
    return (uint32_t)(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
}
static bool is_char(uint64_t c) { /* a Unicode scalar value */
    return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
}

/* --- the legacy scheme: lengths and identifiers; `$…$` escapes characters that symbols cannot hold ------------------ */
static bool legacy_length(const char **at, const char *end, size_t *n) {
    *n = 0;
    if (*at == end || !is_digit(**at)) return false;
    for (; *at < end && is_digit(**at); ++*at) {
        *n = *n * 10 + (size_t)(**at - '0');
        if (*n > (size_t)(end - *at)) return false;
    }
    return *n <= (size_t)(end - *at);
}
static bool is_hash(const char *s, size_t n) {
    if (n == 0 || *s != 'h') return false;
    for (size_t i = 1; i < n; i++)
        if (!is_digit(s[i]) && !((s[i] | 32) >= 'a' && (s[i] | 32) <= 'f')) return false;
    return true;
}
/* Returns the character that `$…$` (given without the `$` signs) encodes, or 0 if there is none. */
static uint32_t legacy_escape(const char *s, size_t n) {
    static const struct {
        const char *name;
        char c;
    } rows[] = {{"SP", '@'}, {"BP", '*'}, {"RF", '&'}, {"LT", '<'}, {"GT", '>'}, {"LP", '('}, {"RP", ')'}, {"C", ','}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (n == strlen(rows[i].name) && memcmp(s, rows[i].name, n) == 0) return (uint32_t)rows[i].c;
    if (n < 2 || n > 7 || s[0] != 'u') return 0;
    uint32_t c = 0;
    for (size_t i = 1; i < n; i++) {
        if (!is_lower_hex(s[i])) return 0;
        c = c << 4 | hex_value(s[i]);
    }
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || !is_char(c) ? 0 : c;
}
static void put_legacy(sink *o, const char *s, size_t n) {
    const char *end = s + n;
    if (n >= 2 && s[0] == '_' && s[1] == '$') s++;
    while (s < end) {
        if (*s == '.') {
            bool two = end - s > 1 && s[1] == '.';
            put_n(o, two ? "::" : ".", two ? 2 : 1);
            s += two ? 2 : 1;
        } else if (*s == '$') {
            const char *close = memchr(s + 1, '$', (size_t)(end - s - 1));
            uint32_t c = close ? legacy_escape(s + 1, (size_t)(close - s - 1)) : 0;
            if (!c) break; /* unknown escape: copy the rest verbatim */
            put_char(o, c);
            s = close + 1;
        } else {
            size_t plain = 0;
            while (s + plain < end && s[plain] != '.' && s[plain] != '$') plain++;
            put_n(o, s, plain);
            s += plain;
        }
    }
    put_n(o, s, (size_t)(end - s));
}
/* Returns the end of the symbol, or NULL. */
static const char *legacy(sink *o, const char *s, const char *end) {
    size_t n, elements = 0, k = 0;
    const char *at = s;
    for (; at < end && *at != 'E'; elements++) {
        if (!legacy_length(&at, end, &n)) return NULL;
        at += n;
    }
    if (at == end) return NULL;
    for (; k < elements; k++) {
        (void)legacy_length(&s, end, &n);
        if (k + 1 == elements && is_hash(s, n)) break;
        if (k) put_n(o, "::", 2);
        put_legacy(o, s, n);
        s += n;
    }
    return at + 1;
}

/* --- v0 ------------------------------------------------------------------------------------------------------------- */
typedef struct v0 {
    const char *sym; /* the symbol after its prefix; back references count from here */
    size_t len, at;
    sink *out;
    bool skip; /* only parse: print nothing, follow no back reference */
    bool bad;
    unsigned depth;
    uint64_t bound; /* number of lifetimes that the enclosing binders introduce */
} v0;

static bool quiet(const v0 *d) {
    return d->skip || d->out->full;
}
static void put(v0 *d, const char *s) {
    if (!quiet(d) && !d->bad) put_n(d->out, s, strlen(s));
}
static void put_u64(v0 *d, uint64_t v) {
    char b[24];
    snprintf(b, sizeof b, "%llu", (unsigned long long)v);
    put(d, b);
}
static bool eat(v0 *d, char c) {
    if (d->bad || d->at >= d->len || d->sym[d->at] != c) return false;
    d->at++;
    return true;
}
static char next(v0 *d) {
    if (d->bad || d->at >= d->len) return d->bad = true, 0;
    return d->sym[d->at++];
}
static bool deeper(v0 *d) {
    if (d->depth >= MAX_DEPTH) d->bad = true;
    d->depth++;
    return !d->bad;
}

/* <base-62-number> */
static uint64_t number_62(v0 *d) {
    if (eat(d, '_')) return 0;
    uint64_t v = 0;
    for (;;) {
        char c = next(d);
        if (d->bad) return 0;
        if (c == '_') break;
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 36
                                                : 62;
        if (digit == 62 || v > (UINT64_MAX - digit - 1) / 62) return d->bad = true, 0;
        v = v * 62 + digit;
    }
    return v + 1;
}
/* Reads an optional tag and its number. Returns the encoded number plus one, or 0 if the tag is absent. */
static uint64_t tagged_62(v0 *d, char tag) {
    if (!eat(d, tag)) return 0;
    uint64_t v = number_62(d);
    if (v == UINT64_MAX) d->bad = true;
    return v + 1;
}

typedef struct ident {
    const char *ascii, *punycode;
    size_t ascii_len, punycode_len;
} ident;
/* <undisambiguated-identifier> */
static ident read_ident(v0 *d) {
    ident id = {0};
    bool coded = eat(d, 'u');
    char c = next(d);
    if (d->bad || !is_digit(c)) return d->bad = true, id;
    size_t n = (size_t)(c - '0');
    while (n && d->at < d->len && is_digit(d->sym[d->at])) {
        n = n * 10 + (size_t)(d->sym[d->at++] - '0');
        if (n > d->len) return d->bad = true, id;
    }
    (void)eat(d, '_');
    if (n > d->len - d->at) return d->bad = true, id;
    id.ascii = d->sym + d->at;
    id.ascii_len = n;
    d->at += n;
    if (!coded) return id;
    size_t split = n;
    while (split > 0 && id.ascii[split - 1] != '_') split--;
    id.punycode = id.ascii + split;
    id.punycode_len = n - split;
    id.ascii_len = split ? split - 1 : 0;
    if (!id.punycode_len) d->bad = true;
    return id;
}
/* RFC 3492, 6.2, with the digits of v0. Returns the number of characters,
 * or 0 if this is not punycode or too long. */
static size_t decode_punycode(const ident *id, uint32_t out[MAX_PUNYCODE]) {
    size_t len = 0, at = 0;
    if (id->ascii_len > MAX_PUNYCODE) return 0;
    for (; len < id->ascii_len; len++) out[len] = (uint8_t)id->ascii[len];
    uint64_t n = 0x80, i = 0, bias = 72, damp = 700;
    while (at < id->punycode_len) {
        uint64_t delta = 0, w = 1;
        for (uint64_t k = 36;; k += 36) {
            if (at == id->punycode_len) return 0;
            char c = id->punycode[at++];
            uint64_t digit = c >= 'a' && c <= 'z' ? (uint64_t)(c - 'a') : is_digit(c) ? (uint64_t)(c - '0') + 26 : 36;
            uint64_t t = k <= bias ? 1 : k - bias > 26 ? 26 : k - bias;
            if (digit == 36 || w > UINT32_MAX) return 0;
            delta += digit * w;
            if (delta > UINT32_MAX) return 0;
            if (digit < t) break;
            w *= 36 - t;
        }
        len++;
        i += delta;
        n += i / len;
        i %= len;
        if (len > MAX_PUNYCODE || !is_char(n)) return 0;
        memmove(out + i + 1, out + i, (len - 1 - i) * sizeof *out);
        out[i++] = (uint32_t)n;
        delta /= damp;
        damp = 2;
        delta += delta / len;
        uint64_t k = 0;
        for (; delta > 35 * 26 / 2; k += 36) delta /= 35;
        bias = k + 36 * delta / (delta + 38);
    }
    return len;
}
/* It is not inlined, so that its array stays out of the frames of path(). */
static __attribute__((noinline)) void put_ident(v0 *d, const ident *id) {
    if (quiet(d) || d->bad) return;
    uint32_t chars[MAX_PUNYCODE];
    size_t n = id->punycode_len ? decode_punycode(id, chars) : 0;
    if (!id->punycode_len) {
        put_n(d->out, id->ascii, id->ascii_len);
    } else if (n) {
        for (size_t i = 0; i < n; i++) put_char(d->out, chars[i]);
    } else {
        put(d, "punycode{");
        put_n(d->out, id->ascii, id->ascii_len);
        if (id->ascii_len) put(d, "-");
        put_n(d->out, id->punycode, id->punycode_len);
        put(d, "}");
    }
}

static void path(v0 *d, bool in_value);
static void type(v0 *d);
static void constant(v0 *d, bool in_value);

/* <backref>: its target is parsed again, unless nothing is printed. */
static void backref(v0 *d, void (*what)(v0 *, bool), bool flag) {
    size_t from = d->at - 1;
    uint64_t to = number_62(d);
    if (to >= from) d->bad = true;
    if (d->bad || quiet(d)) return;
    size_t saved = d->at;
    d->at = (size_t)to;
    if (deeper(d)) what(d, flag);
    d->depth--;
    d->at = saved;
}
static void type_of_backref(v0 *d, bool flag) {
    (void)flag;
    type(d);
}

/* Prints a <lifetime> by its index, counted from the innermost binder. */
static void lifetime(v0 *d, uint64_t index) {
    char letter[3] = "'a";
    if (quiet(d)) return;
    if (index == 0) {
        put(d, "'_");
    } else if (index > d->bound) {
        d->bad = true;
    } else if (d->bound - index < 26) {
        letter[1] = (char)('a' + (int)(d->bound - index));
        put(d, letter);
    } else {
        put(d, "'_");
        put_u64(d, d->bound - index);
    }
}
/* <binder>: returns how many lifetimes it adds; the caller subtracts them afterwards. */
static uint64_t binder(v0 *d) {
    uint64_t n = tagged_62(d, 'G');
    if (d->bad || n == 0) return 0;
    put(d, "for<");
    uint64_t before = d->bound;
    for (uint64_t i = 0; i < n && !quiet(d) && !d->bad; i++) {
        if (i) put(d, ", ");
        d->bound++;
        lifetime(d, 1);
    }
    put(d, "> ");
    d->bound = before + n;
    return n;
}

/* Reads elements up to E; returns their number. */
static size_t list(v0 *d, void (*element)(v0 *)) {
    size_t n = 0;
    for (; !d->bad && !eat(d, 'E'); n++) {
        if (n) put(d, ", ");
        element(d);
    }
    return n;
}

/* <generic-arg> */
static void generic_arg(v0 *d) {
    if (eat(d, 'L'))
        lifetime(d, number_62(d));
    else if (eat(d, 'K'))
        constant(d, false);
    else
        type(d);
}

/* <path> N: a name within a path */
static void nested_path(v0 *d, bool in_value) {
    char ns = next(d);
    const char letter[2] = {ns, 0};
    bool special = ns >= 'A' && ns <= 'Z';
    if (!special && !(ns >= 'a' && ns <= 'z')) d->bad = true;
    if (d->bad) return;
    path(d, in_value);
    uint64_t dis = tagged_62(d, 's');
    ident id = read_ident(d);
    if (d->bad) return;
    bool named = id.ascii_len || id.punycode_len;
    if (special) {
        put(d, "::{");
        put(d, ns == 'C' ? "closure" : ns == 'S' ? "shim" : letter);
        if (named) put(d, ":");
        put_ident(d, &id);
        put(d, "#");
        put_u64(d, dis);
        put(d, "}");
    } else if (named) {
        put(d, "::");
        put_ident(d, &id);
    }
}
static void path(v0 *d, bool in_value) {
    if (deeper(d)) {
        char tag = next(d);
        switch (tag) {
        case 'C': { /* a crate */
            (void)tagged_62(d, 's');
            ident id = read_ident(d);
            put_ident(d, &id);
            break;
        }
        case 'N': nested_path(d, in_value); break;
        case 'M':             /* <T> */
        case 'X':             /* <T as Trait>, in an impl */
        case 'Y': {           /* <T as Trait> */
            if (tag != 'Y') { /* the path of the impl is not printed */
                bool skip = d->skip;
                (void)tagged_62(d, 's');
                d->skip = true;
                path(d, false);
                d->skip = skip;
            }
            put(d, "<");
            type(d);
            if (tag != 'M') {
                put(d, " as ");
                path(d, false);
            }
            put(d, ">");
            break;
        }
        case 'I': /* generic arguments */
            path(d, in_value);
            put(d, in_value ? "::<" : "<");
            (void)list(d, generic_arg);
            put(d, ">");
            break;
        case 'B': backref(d, path, in_value); break;
        default: d->bad = true;
        }
    }
    d->depth--;
}

static const char *basic_type(char tag) {
    static const char *const names[26] = {
        ['a' - 'a'] = "i8",  ['b' - 'a'] = "bool", ['c' - 'a'] = "char",  ['d' - 'a'] = "f64",   ['e' - 'a'] = "str",
        ['f' - 'a'] = "f32", ['h' - 'a'] = "u8",   ['i' - 'a'] = "isize", ['j' - 'a'] = "usize", ['l' - 'a'] = "i32",
        ['m' - 'a'] = "u32", ['n' - 'a'] = "i128", ['o' - 'a'] = "u128",  ['p' - 'a'] = "_",     ['s' - 'a'] = "i16",
        ['t' - 'a'] = "u16", ['u' - 'a'] = "()",   ['v' - 'a'] = "...",   ['x' - 'a'] = "i64",   ['y' - 'a'] = "u64",
        ['z' - 'a'] = "!"};
    return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

/* <fn-sig> */
static void function_type(v0 *d) {
    uint64_t n = binder(d);
    bool is_unsafe = eat(d, 'U');
    if (is_unsafe) put(d, "unsafe ");
    if (eat(d, 'K')) {
        put(d, "extern \"");
        if (eat(d, 'C')) {
            put(d, "C");
        } else {
            ident abi = read_ident(d);
            if (!abi.ascii_len || abi.punycode_len) d->bad = true;
            for (size_t i = 0; i < abi.ascii_len && !d->bad; i++) { /* `-` is written `_` */
                const char c[2] = {abi.ascii[i] == '_' ? '-' : abi.ascii[i], 0};
                put(d, c);
            }
        }
        put(d, "\" ");
    }
    put(d, "fn(");
    (void)list(d, type);
    put(d, ")");
    if (!eat(d, 'u')) { /* a return type of unit is not printed */
        put(d, " -> ");
        type(d);
    }
    d->bound -= n;
}

/* Prints a path and leaves its list of generic arguments open, so that the caller can append bindings. */
static void open_path(v0 *d, bool *open) {
    if (eat(d, 'B')) {
        size_t from = d->at - 1;
        uint64_t to = number_62(d);
        if (to >= from) d->bad = true;
        if (d->bad || quiet(d)) return;
        size_t saved = d->at;
        d->at = (size_t)to;
        if (deeper(d)) open_path(d, open);
        d->depth--;
        d->at = saved;
        return;
    }
    *open = eat(d, 'I');
    path(d, false);
    if (!*open) return;
    put(d, "<");
    (void)list(d, generic_arg);
}
/* <dyn-trait> */
static void dyn_trait(v0 *d) {
    bool open = false;
    open_path(d, &open);
    while (eat(d, 'p')) {
        put(d, open ? ", " : "<");
        open = true;
        ident name = read_ident(d);
        put_ident(d, &name);
        put(d, " = ");
        if (eat(d, 'K'))
            constant(d, false);
        else
            type(d);
    }
    if (open) put(d, ">");
}
static void dyn_type(v0 *d) {
    put(d, "dyn ");
    uint64_t n = binder(d);
    for (size_t i = 0; !d->bad && !eat(d, 'E'); i++) {
        if (i) put(d, " + ");
        dyn_trait(d);
    }
    d->bound -= n;
    if (!eat(d, 'L')) d->bad = true;
    uint64_t lt = number_62(d);
    if (d->bad || !lt) return;
    put(d, " + ");
    lifetime(d, lt);
}

/* <pattern> of a pattern type */
static void pattern(v0 *d) {
    if (deeper(d)) switch (next(d)) {
        case 'R':
            constant(d, false);
            put(d, "..=");
            constant(d, false);
            break;
        case 'O':
            pattern(d);
            while (!d->bad && !eat(d, 'E')) {
                put(d, " | ");
                pattern(d);
            }
            break;
        case 'N': put(d, "!null"); break;
        default: d->bad = true;
        }
    d->depth--;
}

static void compound_type(v0 *d, char tag) {
    switch (tag) {
    case 'R':
    case 'Q':
        put(d, "&");
        if (eat(d, 'L')) {
            uint64_t lt = number_62(d);
            if (lt && !d->bad) {
                lifetime(d, lt);
                put(d, " ");
            }
        }
        if (tag == 'Q') put(d, "mut ");
        type(d);
        break;
    case 'P':
    case 'O':
        put(d, tag == 'P' ? "*const " : "*mut ");
        type(d);
        break;
    case 'A':
    case 'S':
        put(d, "[");
        type(d);
        if (tag == 'A') {
            put(d, "; ");
            constant(d, true);
        }
        put(d, "]");
        break;
    case 'T':
        put(d, "(");
        put(d, list(d, type) == 1 ? ",)" : ")");
        break;
    case 'F': function_type(d); break;
    case 'D': dyn_type(d); break;
    case 'B': backref(d, type_of_backref, false); break;
    case 'W':
        type(d);
        put(d, " is ");
        pattern(d);
        break;
    default: d->at--; path(d, false);
    }
}
/* <type> */
static void type(v0 *d) {
    if (eat(d, 'w')) put(d, "#[splat] ");
    char tag = next(d);
    if (d->bad) return;
    const char *basic = basic_type(tag);
    if (basic)
        put(d, basic);
    else if (deeper(d)) {
        compound_type(d, tag);
        d->depth--;
    } else
        d->depth--;
}

/* <const-data>: hexadecimal digits up to `_` */
static const char *hex_digits(v0 *d, size_t *n) {
    const char *from = d->sym + d->at;
    *n = 0;
    for (char c; (c = next(d)) != '_' && !d->bad; ++*n)
        if (!is_lower_hex(c)) d->bad = true;
    return from;
}
/* Returns false if the value has more than 64 bits. */
static bool hex_number(const char *s, size_t n, uint64_t *v) {
    *v = 0;
    while (n && *s == '0') s++, n--;
    if (n > 16) return false;
    for (size_t i = 0; i < n; i++) *v = *v << 4 | hex_value(s[i]);
    return true;
}
static void constant_number(v0 *d) {
    size_t n;
    uint64_t v;
    const char *s = hex_digits(d, &n);
    if (d->bad) return;
    if (hex_number(s, n, &v)) {
        put_u64(d, v);
    } else if (!quiet(d)) {
        put(d, "0x");
        put_n(d->out, s, n);
    }
}
static void put_escaped(v0 *d, uint32_t c, char quote) {
    static const char from[] = "\t\r\n\\", to[] = "trn\\";
    char b[16];
    const char *k = c && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (c == 0)
        put(d, "\\0");
    else if (k || c == (uint32_t)quote) {
        snprintf(b, sizeof b, "\\%c", k ? to[k - from] : quote);
        put(d, b);
    } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        snprintf(b, sizeof b, "\\u{%x}", (unsigned)c);
        put(d, b);
    } else if (!quiet(d))
        put_char(d->out, c);
}
static void constant_string(v0 *d) {
    size_t n;
    const char *s = hex_digits(d, &n);
    if (d->bad || n % 2) {
        d->bad = true;
        return;
    }
    put(d, "\"");
    for (size_t i = 0; i < n && !d->bad;) {
        uint8_t b[4] = {0};
        uint32_t c;
        b[0] = (uint8_t)(hex_value(s[i]) << 4 | hex_value(s[i + 1]));
        unsigned len = b[0] < 0x80 ? 1 : b[0] < 0xc0 ? 5 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf8 ? 4 : 5;
        if (len > 4 || 2 * len > n - i) {
            d->bad = true;
            break;
        }
        for (unsigned k = 1; k < len; k++) b[k] = (uint8_t)(hex_value(s[i + 2 * k]) << 4 | hex_value(s[i + 2 * k + 1]));
        if (!ts_utf8_valid((const char *)b, len)) d->bad = true;
        ts_utf8_decode(b, &c);
        put_escaped(d, c, '"');
        i += 2 * (size_t)len;
    }
    put(d, "\"");
}
static void nested_constant(v0 *d) {
    constant(d, true);
}
static void named_constant(v0 *d) {
    (void)tagged_62(d, 's');
    ident name = read_ident(d);
    put_ident(d, &name);
    put(d, ": ");
    constant(d, true);
}
/* Prints a constant that needs braces unless it is part of another expression. */
static void constant_expression(v0 *d, char tag) {
    switch (tag) {
    case 'e':
        put(d, "*");
        constant_string(d);
        break;
    case 'R':
    case 'Q':
        put(d, tag == 'R' ? "&" : "&mut ");
        constant(d, true);
        break;
    case 'A':
        put(d, "[");
        (void)list(d, nested_constant);
        put(d, "]");
        break;
    case 'T':
        put(d, "(");
        put(d, list(d, nested_constant) == 1 ? ",)" : ")");
        break;
    default: /* V: a value of a struct or variant */
        path(d, true);
        switch (next(d)) {
        case 'U': break;
        case 'T':
            put(d, "(");
            (void)list(d, nested_constant);
            put(d, ")");
            break;
        case 'S':
            put(d, " { ");
            (void)list(d, named_constant);
            put(d, " }");
            break;
        default: d->bad = true;
        }
    }
}
static void constant_of(v0 *d, char tag, bool in_value) {
    size_t n;
    uint64_t v = UINT64_MAX;
    if (tag && strchr("asxlni", tag)) {
        if (eat(d, 'n')) put(d, "-");
        constant_number(d);
    } else if (tag && strchr("htmyoj", tag)) {
        constant_number(d);
    } else if (tag == 'p') {
        put(d, "_");
    } else if (tag == 'b' || tag == 'c') {
        const char *s = hex_digits(d, &n);
        if (d->bad || !hex_number(s, n, &v) || (tag == 'b' ? v > 1 : !is_char(v))) {
            d->bad = true;
        } else if (tag == 'b') {
            put(d, v ? "true" : "false");
        } else {
            put(d, "'");
            put_escaped(d, (uint32_t)v, '\'');
            put(d, "'");
        }
    } else if (tag == 'R' && eat(d, 'e')) {
        constant_string(d); /* "…" of type &str */
    } else if (tag && strchr("eRQATV", tag)) {
        if (!in_value) put(d, "{");
        constant_expression(d, tag);
        if (!in_value) put(d, "}");
    } else if (tag == 'B') {
        backref(d, constant, in_value);
    } else {
        d->bad = true;
    }
}
/* <const> */
static void constant(v0 *d, bool in_value) {
    char tag = next(d);
    if (!d->bad && deeper(d)) {
        constant_of(d, tag, in_value);
        d->depth--;
    }
}

/* Returns the end of the symbol, or NULL. */
static const char *demangle_v0(sink *o, const char *s, const char *end) {
    v0 d = {.sym = s, .len = (size_t)(end - s), .out = o};
    if (s == end || *s < 'A' || *s > 'Z') return NULL;
    path(&d, true);
    if (!d.bad && d.at < d.len && s[d.at] >= 'A' && s[d.at] <= 'Z') { /* the crate that instantiated it */
        d.skip = true;
        path(&d, false);
    }
    return d.bad ? NULL : s + d.at;
}

/* --- both ----------------------------------------------------------------------------------------------------------- */
static bool starts(const char *s, const char *end, const char *with, const char **rest) {
    size_t n = strlen(with);
    if ((size_t)(end - s) < n || memcmp(s, with, n) != 0) return false;
    *rest = s + n;
    return true;
}
/* LLVM appends ".llvm.1F2E" when it moves functions between modules; this is not part of the name. */
static const char *without_llvm(const char *s, const char *end) {
    static const char mark[] = ".llvm.";
    for (const char *p = s; end - p >= (ptrdiff_t)sizeof mark - 1; p++) {
        if (memcmp(p, mark, sizeof mark - 1) != 0) continue;
        for (const char *q = p + sizeof mark - 1; q < end; q++)
            if (!is_digit(*q) && !(*q >= 'A' && *q <= 'F') && *q != '@') return end;
        return p;
    }
    return end;
}

bool ts_demangle_rust(const char *name, size_t len, char *buf, size_t size) {
    const char *end = without_llvm(name, name + len), *rest, *stop;
    if (size == 0) return false;
    for (const char *p = name; p < end; p++)
        if ((uint8_t)*p >= 0x80) return false;
    sink o = {.buf = buf, .size = size};
    if (starts(name, end, "_ZN", &rest) || starts(name, end, "__ZN", &rest))
        stop = legacy(&o, rest, end);
    else if (starts(name, end, "_R", &rest) || starts(name, end, "__R", &rest))
        stop = demangle_v0(&o, rest, end);
    else
        return false;
    if (stop && stop < end && *stop != '.') stop = NULL; /* LLVM's own suffixes start with a dot */
    for (const char *p = stop; p && p < end; p++)
        if (*p <= ' ' || *p == 0x7f) stop = NULL;
    if (!stop) return false;
    put_n(&o, stop, (size_t)(end - stop));
    buf[o.at] = 0;
    return true;
}
