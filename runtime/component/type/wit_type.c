/* wit_type: see wit_type.h. The rules and limits are those that the decoder of components has: a type that is
 * accepted here is one that a component can have. */
#include "component/type/wit_type.h"
#include "base/map.h"
#include "component/type/names.h"
#include "sys/stack.h"
#include <stdio.h>
#include <string.h>

typedef struct parser {
    const char *start, *at;
    const ts_wit_resources *resources;
    ts_arena *arena;
    ts_error *e;
} parser;

static ts_status syntax_error_at(parser *p, const char *at, const char *what) {
    return ts_fail(p->e, TS_USAGE, "type `%.200s`: %s at column %zu", p->start, what, (size_t)(at - p->start) + 1);
}
static ts_status syntax_error(parser *p, const char *what) {
    return syntax_error_at(p, p->at, what);
}
static void skip_space(parser *p) {
    p->at += strspn(p->at, " \t\r\n");
}
static bool eat(parser *p, const char *s) {
    skip_space(p);
    size_t n = strlen(s);
    if (strncmp(p->at, s, n) != 0) return false;
    p->at += n;
    return true;
}
static ts_status expect(parser *p, const char *s) {
    char b[40];
    snprintf(b, sizeof b, "expected `%s`", s);
    return eat(p, s) ? TS_OK : syntax_error(p, b);
}
/* A name or keyword: p->at moves past it. */
static ts_status read_word(parser *p, const char **out, size_t *len) {
    skip_space(p);
    if (*p->at == '%') p->at++;
    *len = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (!*len) return syntax_error(p, "expected a name");
    *out = ts_arena_strndup(p->arena, p->at, *len);
    p->at += *len;
    return *out ? TS_OK : ts_fail_nomem(p->e);
}

/* --- members ----------------------------------------------------------------------------------- */
static ts_status read_type(parser *p, const ts_ctype **out, uint32_t depth);

/* What a list of members is of. The words are for messages. */
typedef enum member_form { FIELDS, CASES, FLAGS, TAGS, PARAMS, ELEMENTS } member_form;
static const struct {
    const char *what, *close;
    uint32_t max;
} forms[] = {
    [FIELDS] = {"record field", "}", TS_CT_MAX_MEMBERS}, [CASES] = {"variant case", "}", TS_CT_MAX_MEMBERS},
    [FLAGS] = {"flag", "}", TS_CT_MAX_MEMBERS},          [TAGS] = {"enum case", "}", TS_CT_MAX_MEMBERS},
    [PARAMS] = {"parameter", ")", TS_CT_MAX_PARAMS},     [ELEMENTS] = {"tuple element", ">", TS_CT_MAX_MEMBERS}};

/* A label, which is in kebab case and differs from those before it in more than its letter case.
 * spec: Explainer.md#name-uniqueness */
static ts_status read_label(parser *p, member_form form, ts_map *seen, uint32_t i, const char **out) {
    skip_space(p);
    const char *at = p->at;
    char why[200];
    size_t len;
    bool was = false;
    TS_TRY(read_word(p, out, &len));
    if (!ts_label_valid(*out, len)) {
        snprintf(why, sizeof why, "%s name `%.100s` is not in kebab case", forms[form].what, *out);
        return syntax_error_at(p, at, why);
    }
    const char *key = ts_label_key(p->arena, *out, len);
    if (!key || !ts_map_put(seen, key, len, i, &was)) return ts_fail_nomem(p->e);
    if (!was) return TS_OK;
    snprintf(why, sizeof why, "%s name `%.100s` conflicts with a previous one", forms[form].what, *out);
    return syntax_error_at(p, at, why);
}

static ts_status read_member(parser *p, member_form form, ts_map *seen, uint32_t i, ts_ct_case *c, uint32_t depth) {
    if (form != ELEMENTS) TS_TRY(read_label(p, form, seen, i, &c->name));
    if (form == FIELDS || form == PARAMS) TS_TRY(expect(p, ":"));
    if (form == FIELDS || form == PARAMS || form == ELEMENTS) return read_type(p, &c->type, depth);
    if (form != CASES || !eat(p, "(")) return TS_OK;
    TS_TRY(read_type(p, &c->type, depth));
    return expect(p, ")");
}

/* The members up to the closing bracket. A comma may follow the last one. */
static ts_status read_members(parser *p, member_form form, const ts_ct_case **out, uint32_t *n, uint32_t depth) {
    ts_map seen = {0};
    uint32_t cap = 0;
    ts_ct_case *cases = NULL;
    ts_status st = TS_OK;
    *n = 0;
    while (st == TS_OK && !eat(p, forms[form].close)) {
        if (*n == forms[form].max) st = syntax_error(p, "too many members");
        if (st == TS_OK && *n == cap) { /* the arena keeps the smaller arrays, which are few and short */
            cap = cap ? cap * 2 : 8;
            ts_ct_case *more = ts_arena_array(p->arena, cap, sizeof *more);
            if (more && *n) memcpy(more, cases, *n * sizeof *more);
            cases = more;
            if (!more) st = ts_fail_nomem(p->e);
        }
        if (st == TS_OK) st = read_member(p, form, &seen, *n, &cases[*n], depth);
        if (st != TS_OK) break;
        ++*n;
        if (eat(p, ",")) continue;
        st = expect(p, forms[form].close);
        break;
    }
    ts_map_free(&seen);
    if (st == TS_OK && *n == 0 && form != PARAMS) st = syntax_error(p, "there must be at least one member before this");
    *out = cases;
    return st;
}

/* --- types ------------------------------------------------------------------------------------- */
static ts_status read_handle(parser *p, ts_ctype *t) {
    const char *name;
    size_t len;
    TS_TRY(expect(p, "<"));
    TS_TRY(read_word(p, &name, &len));
    TS_TRY(expect(p, ">"));
    if (p->resources->find && p->resources->find(p->resources->data, name, &t->resource)) return TS_OK;
    return syntax_error(p, "the resource is not defined in this interface");
}

static ts_status read_length(parser *p, ts_ctype *t) {
    skip_space(p);
    uint64_t n = 0;
    while (*p->at >= '0' && *p->at <= '9' && n <= UINT32_MAX) n = n * 10 + (uint64_t)(*p->at++ - '0');
    if (n == 0 || n > UINT32_MAX) return syntax_error(p, "expected a length, 1 or more");
    t->kind = TS_CT_FIXED_LIST;
    t->n = (uint32_t)n;
    return TS_OK;
}

/* What follows the keyword of a type that is not primitive. */
static ts_status read_parts(parser *p, ts_ctype *t, uint32_t depth) {
    switch (t->kind) {
    case TS_CT_RECORD: TS_TRY(expect(p, "{")); return read_members(p, FIELDS, &t->cases, &t->n, depth);
    case TS_CT_VARIANT: TS_TRY(expect(p, "{")); return read_members(p, CASES, &t->cases, &t->n, depth);
    case TS_CT_FLAGS: TS_TRY(expect(p, "{")); return read_members(p, FLAGS, &t->cases, &t->n, depth);
    case TS_CT_ENUM: TS_TRY(expect(p, "{")); return read_members(p, TAGS, &t->cases, &t->n, depth);
    case TS_CT_TUPLE: TS_TRY(expect(p, "<")); return read_members(p, ELEMENTS, &t->cases, &t->n, depth);
    case TS_CT_LIST:
    case TS_CT_OPTION:
        TS_TRY(expect(p, "<"));
        TS_TRY(read_type(p, &t->elem, depth));
        if (t->kind == TS_CT_LIST && eat(p, ",")) TS_TRY(read_length(p, t)); /* list<T, N> */
        return expect(p, ">");
    case TS_CT_MAP:
        TS_TRY(expect(p, "<"));
        TS_TRY(read_type(p, &t->elem2, depth));
        if (!ts_ctype_is_key(t->elem2)) return syntax_error(p, "the type before this is not a key type");
        TS_TRY(expect(p, ","));
        TS_TRY(read_type(p, &t->elem, depth));
        return expect(p, ">");
    case TS_CT_RESULT:
        if (!eat(p, "<")) return TS_OK;
        if (!eat(p, "_")) TS_TRY(read_type(p, &t->elem, depth));
        if (eat(p, ",")) TS_TRY(read_type(p, &t->elem2, depth));
        return expect(p, ">");
    default: return read_handle(p, t);
    }
}

/* depth: the number of types and functions around this one. */
static ts_status read_type(parser *p, const ts_ctype **out, uint32_t depth) {
    static const struct {
        const char *word;
        ts_ct_kind kind;
    } words[] = {
        {"bool", TS_CT_BOOL},     {"s8", TS_CT_S8},         {"u8", TS_CT_U8},           {"s16", TS_CT_S16},
        {"u16", TS_CT_U16},       {"s32", TS_CT_S32},       {"u32", TS_CT_U32},         {"s64", TS_CT_S64},
        {"u64", TS_CT_U64},       {"f32", TS_CT_F32},       {"f64", TS_CT_F64},         {"char", TS_CT_CHAR},
        {"string", TS_CT_STRING}, {"record", TS_CT_RECORD}, {"variant", TS_CT_VARIANT}, {"list", TS_CT_LIST},
        {"tuple", TS_CT_TUPLE},   {"flags", TS_CT_FLAGS},   {"enum", TS_CT_ENUM},       {"option", TS_CT_OPTION},
        {"result", TS_CT_RESULT}, {"own", TS_CT_OWN},       {"borrow", TS_CT_BORROW},   {"map", TS_CT_MAP}};
    char why[100];
    if (depth >= TS_CT_MAX_DEPTH) {
        snprintf(why, sizeof why, "type nesting is too deep: the limit is %d", TS_CT_MAX_DEPTH);
        return syntax_error(p, why);
    }
    TS_TRY(ts_stack_check(p->e));
    const char *word;
    size_t len;
    TS_TRY(read_word(p, &word, &len));
    int found = -1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, word) == 0) found = (int)i;
    }
    if (found < 0) return syntax_error(p, "unknown type before this");
    if ((*out = ts_ctype_primitive(words[found].kind))) return TS_OK;
    ts_ctype *t = ts_arena_alloc(p->arena, sizeof *t);
    if (!t) return ts_fail_nomem(p->e);
    t->kind = words[found].kind;
    *out = t;
    TS_TRY(read_parts(p, t, depth + 1));
    return ts_ctype_finish(t, p->arena, p->e);
}

static ts_status expect_end(parser *p) {
    skip_space(p);
    return *p->at ? syntax_error(p, "something follows the type") : TS_OK;
}

ts_status ts_wit_parse_type(const char *text, const ts_wit_resources *resources, ts_arena *arena, const ts_ctype **out,
                            ts_error *e) {
    parser p = {.start = text, .at = text, .resources = resources, .arena = arena, .e = e};
    TS_TRY(read_type(&p, out, 0));
    return expect_end(&p);
}

ts_status ts_wit_parse_func(const char *text, const ts_wit_resources *resources, ts_arena *arena,
                            const ts_cfunc_type **out, ts_error *e) {
    parser p = {.start = text, .at = text, .resources = resources, .arena = arena, .e = e};
    ts_cfunc_type *t = ts_arena_alloc(arena, sizeof *t);
    if (!t) return ts_fail_nomem(e);
    TS_TRY(expect(&p, "func"));
    TS_TRY(expect(&p, "("));
    TS_TRY(read_members(&p, PARAMS, &t->params, &t->n_params, 1));
    if (eat(&p, "->")) TS_TRY(read_type(&p, &t->result, 1));
    if (t->result && t->result->has_borrow)
        return syntax_error(&p, "the result of a function cannot contain a `borrow` type");
    *out = t;
    return expect_end(&p);
}
