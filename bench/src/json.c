/* A JSON parser: writes a document once, then parses it into a tree of nodes again and again and walks the tree. */
#include "bench.h"
typedef enum kind { NUL, FALSE, TRUE, NUMBER, STRING, ARRAY, OBJECT } kind;
typedef struct value value;
struct value {
    kind kind;
    i32 length; /* of a string */
    union {
        double number;
        const char *string;
        value *first;
    };
    const char *key;
    i32 key_length;
    value *next;
};
enum { MAX_TEXT = 20000, MAX_VALUES = 4000 };
static char text[MAX_TEXT];
static value values[MAX_VALUES];
static i32 n_values;
typedef struct parser {
    const char *at;
    int failed;
} parser;

static void space(parser *p) {
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++;
}
static int word(parser *p, const char *w) {
    for (; *w; w++, p->at++)
        if (*p->at != *w) return 0;
    return 1;
}
static NOINLINE const char *string(parser *p, i32 *length) {
    const char *start = ++p->at;
    for (; *p->at != '"'; p->at++) {
        if ((u8)*p->at < ' ') return p->failed = 1, start;
        if (*p->at == '\\') p->at++;
    }
    *length = (i32)(p->at++ - start);
    return start;
}
static NOINLINE double number(parser *p) {
    double v = 0, scale = 1;
    int negative = *p->at == '-';
    if (negative) p->at++;
    if (*p->at < '0' || *p->at > '9') p->failed = 1;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++) v = v * 10 + (*p->at - '0');
    if (*p->at == '.')
        for (p->at++; *p->at >= '0' && *p->at <= '9'; p->at++) v += (*p->at - '0') * (scale *= 0.1);
    return negative ? -v : v;
}
static NOINLINE value *parse(parser *p) {
    space(p);
    if (n_values == MAX_VALUES) return p->failed = 1, (value *)0;
    value *v = &values[n_values++];
    v->key = 0, v->key_length = 0, v->next = 0, v->length = 0;
    switch (*p->at) {
    case 'n': v->kind = NUL, p->failed |= !word(p, "null"); break;
    case 'f': v->kind = FALSE, p->failed |= !word(p, "false"); break;
    case 't': v->kind = TRUE, p->failed |= !word(p, "true"); break;
    case '"': v->kind = STRING, v->string = string(p, &v->length); break;
    case '[':
    case '{': {
        int object = *p->at++ == '{';
        char close = object ? '}' : ']';
        value **link = &v->first;
        v->kind = object ? OBJECT : ARRAY;
        v->first = 0;
        space(p);
        if (*p->at == close) {
            p->at++;
            break;
        }
        for (;;) {
            const char *key = 0;
            i32 key_length = 0;
            if (object) {
                space(p);
                if (*p->at != '"') return p->failed = 1, v;
                key = string(p, &key_length);
                space(p);
                if (*p->at++ != ':') return p->failed = 1, v;
            }
            value *child = parse(p);
            if (p->failed) return v;
            child->key = key, child->key_length = key_length;
            *link = child;
            link = &child->next;
            space(p);
            if (*p->at == close) break;
            if (*p->at++ != ',') return p->failed = 1, v;
        }
        p->at++;
        break;
    }
    default: v->kind = NUMBER, v->number = number(p);
    }
    return v;
}
static NOINLINE u32 walk(const value *v) {
    u32 sum = (u32)v->kind;
    for (i32 i = 0; i < v->key_length; i++) sum = sum * 31 + (u8)v->key[i];
    if (v->kind == STRING)
        for (i32 i = 0; i < v->length; i++) sum = sum * 33 + (u8)v->string[i];
    if (v->kind == NUMBER) sum += (u32)(i32)(v->number * 100);
    if (v->kind >= ARRAY)
        for (const value *c = v->first; c; c = c->next) sum = sum * 17 + walk(c);
    return sum;
}
static char *put(char *at, const char *s) {
    while (*s) *at++ = *s++;
    return at;
}
static char *put_number(char *at, u32 v) {
    char digits[10];
    int n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n) *at++ = digits[--n];
    return at;
}
static void compose(void) {
    u32 seed = 5;
    char *at = put(text, "[\n");
    for (i32 i = 0; i < 100; i++) {
        if (i) at = put(at, ",\n");
        at = put(put_number(put(at, "  {\"id\": "), (u32)i), ", \"name\": \"item ");
        at = put_number(at, next_random(&seed) % 1000);
        at = put(at, " \\\"quoted\\\" \\u00e9\", \"price\": ");
        if (i % 5 == 0) at = put(at, "-");
        at = put(put_number(at, next_random(&seed) % 500), ".");
        at = put(put_number(at, next_random(&seed) % 100), ", \"tags\": [\"a\", \"bc\", \"def\"], \"stock\": ");
        at = put(at, i % 3 ? "true" : "null");
        at = put(at, ", \"size\": {\"w\": ");
        at = put(put_number(at, next_random(&seed) % 90), ", \"h\": ");
        at = put(put_number(at, next_random(&seed) % 90), "}}");
    }
    at = put(at, "\n]\n");
    *at = 0;
}
RUN i32 run(i32 n) {
    u32 sum = 0;
    compose();
    for (i32 r = 0; r < n; r++) {
        parser p = {text, 0};
        n_values = 0;
        const value *v = parse(&p);
        sum = sum * 3 + (p.failed ? 1 : walk(v));
    }
    return (i32)sum;
}
