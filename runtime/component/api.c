/* api: the functions of touchstone.h on components: engines, host definitions by text, calls, types.
 * In: the embedder's calls. Out: what the modules below do, under names that stay. Source: Explainer.md and WIT.md (the notation of types) */
#include "component/abi/check.h"
#include "component/run/linker.h"
#include "component/type/wave.h"
#include "sys/stack.h"
#include <stdio.h>
#include <string.h>

struct ts_pool {
    ts_arena arena;
};

ts_status ts_engine_new(TS_OWN ts_engine **out, ts_error *e) {
    TS_NEED(e, out);
    return ts_engine_create(out, e);
}
void ts_engine_free(ts_engine *engine) {
    ts_engine_destroy(engine);
}

void ts_thread_set_stack(const void *low, size_t size) {
    ts_stack_describe(low, size);
}

ts_pool *ts_pool_new(void) {
    return calloc(1, sizeof(ts_pool));
}
void *ts_pool_alloc(ts_pool *p, size_t size) {
    if (!p) return NULL;
    return ts_arena_alloc(&p->arena, size);
}
void ts_pool_free(ts_pool *p) {
    if (!p) return;
    ts_arena_free(&p->arena);
    free(p);
}

ts_status ts_component_load(ts_engine *engine, const void *bytes, size_t len, TS_OWN ts_component **out, ts_error *e) {
    return ts_component_load_with(engine, bytes, len, "", out, e);
}
ts_status ts_component_load_with(ts_engine *engine, const void *bytes, size_t len, const char *features,
                                 TS_OWN ts_component **out, ts_error *e) {
    TS_NEED(e, engine);
    TS_NEED(e, bytes || !len);
    TS_NEED(e, features);
    TS_NEED(e, out);
    uint32_t bits;
    TS_TRY(ts_component_features_parse(features, &bits, e));
    if (!ts_bytes_are_component(bytes, len) && len >= 8 && memcmp(bytes, "\0asm", 4) == 0)
        return ts_fail(e, TS_UNSUPPORTED, "this is a core module, not a component");
    return ts_component_new(engine, bytes, len, true, bits, out, e);
}
const char *ts_component_feature(uint32_t i, const char **text) {
    uint32_t n;
    const ts_component_feature_row *rows = ts_component_features(&n);
    if (i >= n) return NULL;
    if (text) *text = rows[i].text;
    return rows[i].name;
}
uint32_t ts_component_import_count(const ts_component *c) {
    if (!c) return 0;
    return c->n_imports;
}
const char *ts_component_import_name(const ts_component *c, uint32_t i) {
    if (!c) return NULL;
    return i < c->n_imports ? c->imports[i].name : NULL;
}
uint32_t ts_component_export_count(const ts_component *c) {
    if (!c) return 0;
    return c->n_exports;
}
const char *ts_component_export_name(const ts_component *c, uint32_t i) {
    if (!c) return NULL;
    return i < c->n_exports ? c->exports[i].name : NULL;
}

/* --- host definitions -------------------------------------------------------------------------------------------------- */

typedef struct embedded_func {
    ts_callback fn;
    void *data;
} embedded_func;
typedef struct embedded_resource {
    ts_drop_callback drop;
    void *data;
} embedded_resource;
/* All definitions of one version: one host definition, made anew whenever something is added; what was made before stays valid. */
struct ts_embedded {
    ts_host_def def;
    const char *version; /* NULL: none */
    uint32_t host;       /* index in the linker's hosts */
    ts_linker *linker;
    embedded_func *funcs; /* beside def.funcs */
    embedded_resource *resources;
};

static ts_status call_back(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_embedded *x = c->host;
    const embedded_func *f = &x->funcs[c->func - x->def.funcs];
    TS_TRY(f->fn(c, f->data, args, result));
    const ts_ctype *t = c->func->type->result;
    return t ? ts_val_check(t, result, x->linker->hosts.data[x->host].rt_map, c->err) : TS_OK;
}
static ts_status drop_back(ts_host_call *c, uint64_t rep) {
    const ts_embedded *x = c->host;
    const embedded_resource *r = &x->resources[c->resource - x->def.resources];
    return r->drop ? r->drop(c, r->data, rep) : TS_OK;
}

ts_status ts_linker_new(TS_OWN ts_linker **out, ts_error *e) {
    TS_NEED(e, out);
    return ts_linker_create(out, e);
}
void ts_linker_free(ts_linker *l) {
    ts_linker_destroy(l);
}

static ts_embedded *embedded_of(ts_linker *l, const char *interface, const char **base, ts_error *e) {
    const char *at = strchr(interface, '@'), *version = at ? at + 1 : NULL;
    *base = ts_arena_strndup(&l->arena, interface, at ? (size_t)(at - interface) : strlen(interface));
    if (!*base) return NULL;
    for (uint32_t i = 0; i < l->embedded.len; i++) {
        const char *v = l->embedded.data[i]->version;
        if ((!v && !version) || (v && version && strcmp(v, version) == 0)) return l->embedded.data[i];
    }
    ts_embedded *x = ts_arena_alloc(&l->arena, sizeof *x);
    if (!x) return NULL;
    if (version && !(x->version = ts_arena_strndup(&l->arena, version, strlen(version)))) return NULL;
    x->def.version_min = x->def.version_max = x->version;
    x->linker = l;
    x->host = l->hosts.len;
    if (ts_linker_add_host(l, &x->def, x, e) != TS_OK || !ts_vec_push(&l->embedded, x)) return NULL;
    return x;
}

ts_status ts_linker_define_resource(ts_linker *l, const char *interface, const char *name, ts_drop_callback drop,
                                    void *data, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, interface);
    TS_NEED(e, name);
    const char *base;
    ts_embedded *x = embedded_of(l, interface, &base, e);
    if (!x) return ts_fail_nomem(e);
    uint32_t n = x->def.n_resources;
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(x->def.resources[i].interface, base) == 0 && strcmp(x->def.resources[i].name, name) == 0)
            return ts_fail(e, TS_USAGE, "the resource `%s` of `%s` is defined already", name, interface);
    }
    ts_host_resource *rs = ts_arena_array(&l->arena, n + 1, sizeof *rs);
    embedded_resource *back = ts_arena_array(&l->arena, n + 1, sizeof *back);
    ts_resource **map = ts_arena_array(&l->arena, n + 1, sizeof *map), *rt = ts_arena_alloc(&l->arena, sizeof *rt);
    char *copy = ts_arena_strndup(&l->arena, name, strlen(name));
    if (!rs || !back || !map || !rt || !copy) return ts_fail_nomem(e);
    ts_linker_host *h = &l->hosts.data[x->host];
    if (n) {
        memcpy(rs, x->def.resources, n * sizeof *rs);
        memcpy(back, x->resources, n * sizeof *back);
        memcpy(map, h->rt_map, n * sizeof *map);
    }
    rs[n] = (ts_host_resource){.interface = base, .name = copy, .drop = drop_back};
    back[n] = (embedded_resource){.drop = drop, .data = data};
    *rt = (ts_resource){.host = x, .observer = &l->observer, .name = copy};
    map[n] = rt;
    for (uint32_t i = 0; i <= n; i++) map[i]->host_def = &rs[i];
    x->def.resources = rs;
    x->def.n_resources = n + 1;
    x->resources = back;
    h->rt_map = map;
    return TS_OK;
}

/* The notation of types. */
typedef struct wit {
    const char *start, *at;
    ts_linker *l;
    const ts_embedded *x;
    const char *base;
    ts_error *e;
} wit;
static ts_status wit_bad(wit *w, const char *what) {
    return ts_fail(w->e, TS_USAGE, "type `%.200s`: %s at column %zu", w->start, what, (size_t)(w->at - w->start) + 1);
}
static void wit_space(wit *w) {
    w->at += strspn(w->at, " \t\r\n");
}
static bool wit_eat(wit *w, const char *s) {
    wit_space(w);
    size_t n = strlen(s);
    if (strncmp(w->at, s, n) != 0) return false;
    w->at += n;
    return true;
}
static ts_status wit_expect(wit *w, const char *s) {
    char b[40];
    snprintf(b, sizeof b, "expected `%s`", s);
    return wit_eat(w, s) ? TS_OK : wit_bad(w, b);
}
static ts_status wit_name(wit *w, const char **out) {
    wit_space(w);
    if (*w->at == '%') w->at++;
    size_t n = strspn(w->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (!n) return wit_bad(w, "expected a name");
    *out = ts_arena_strndup(&w->l->arena, w->at, n);
    w->at += n;
    return *out ? TS_OK : ts_fail_nomem(w->e);
}
enum { WIT_DEPTH = 50, WIT_CASES = 256 };
static ts_status wit_type(wit *w, const ts_ctype **out, uint32_t depth);

/* `{ name[: type | (type)], … }` or, for tuples and parameters, other brackets. */
typedef enum wit_members { WIT_FIELDS, WIT_CASES_, WIT_LABELS, WIT_TUPLE } wit_members;
static ts_status wit_list(wit *w, wit_members form, const char *close, const ts_ct_case **out, uint32_t *n,
                          uint32_t depth) {
    uint32_t room = 0;
    ts_ct_case *cases = NULL;
    *n = 0;
    while (!wit_eat(w, close)) {
        if (*n == WIT_CASES) return wit_bad(w, "too many members");
        if (*n == room) { /* in the arena: what is outgrown is small */
            room = room ? room * 2 : 8;
            ts_ct_case *more = ts_arena_array(&w->l->arena, room, sizeof *more);
            if (!more) return ts_fail_nomem(w->e);
            if (*n) memcpy(more, cases, *n * sizeof *more);
            cases = more;
        }
        ts_ct_case *c = &cases[*n];
        if (form != WIT_TUPLE) TS_TRY(wit_name(w, &c->name));
        if (form == WIT_FIELDS) TS_TRY(wit_expect(w, ":"));
        if (form == WIT_FIELDS || form == WIT_TUPLE) TS_TRY(wit_type(w, &c->type, depth));
        if (form == WIT_CASES_ && wit_eat(w, "(")) {
            TS_TRY(wit_type(w, &c->type, depth));
            TS_TRY(wit_expect(w, ")"));
        }
        ++*n;
        if (!wit_eat(w, ",")) {
            TS_TRY(wit_expect(w, close));
            break;
        }
    }
    if (*n == 0 && close[0] != ')') return wit_bad(w, "there must be at least one member before this");
    *out = cases;
    return TS_OK;
}

static ts_status wit_handle(wit *w, ts_ctype *t) {
    const char *name;
    TS_TRY(wit_expect(w, "<"));
    TS_TRY(wit_name(w, &name));
    TS_TRY(wit_expect(w, ">"));
    for (uint32_t i = 0; i < w->x->def.n_resources; i++) {
        if (strcmp(w->x->def.resources[i].interface, w->base) != 0 || strcmp(w->x->def.resources[i].name, name) != 0)
            continue;
        t->resource = i;
        return TS_OK;
    }
    return wit_bad(w, "the resource is not defined in this interface");
}

static ts_status wit_length(wit *w, ts_ctype *t) {
    wit_space(w);
    uint64_t n = 0;
    while (*w->at >= '0' && *w->at <= '9' && n <= UINT32_MAX) n = n * 10 + (uint64_t)(*w->at++ - '0');
    if (n == 0 || n > UINT32_MAX) return wit_bad(w, "expected a length, 1 or more");
    t->kind = TS_CT_FIXED_LIST;
    t->n = (uint32_t)n;
    return TS_OK;
}

static ts_status wit_type(wit *w, const ts_ctype **out, uint32_t depth) {
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
    if (depth == WIT_DEPTH) return wit_bad(w, "nested too deeply");
    TS_TRY(ts_stack_check(w->e));
    const char *word;
    TS_TRY(wit_name(w, &word));
    int found = -1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, word) == 0) found = (int)i;
    }
    if (found < 0) return wit_bad(w, "unknown type before this");
    ts_ct_kind kind = words[found].kind;
    if (kind <= TS_CT_STRING) {
        *out = ts_ctype_primitive(kind);
        return TS_OK;
    }
    ts_ctype *t = ts_arena_alloc(&w->l->arena, sizeof *t);
    if (!t) return ts_fail_nomem(w->e);
    t->kind = kind;
    switch (kind) {
    case TS_CT_RECORD:
    case TS_CT_VARIANT:
    case TS_CT_FLAGS:
    case TS_CT_ENUM:
        TS_TRY(wit_expect(w, "{"));
        TS_TRY(wit_list(w,
                        kind == TS_CT_RECORD    ? WIT_FIELDS
                        : kind == TS_CT_VARIANT ? WIT_CASES_
                                                : WIT_LABELS,
                        "}", &t->cases, &t->n, depth + 1));
        break;
    case TS_CT_TUPLE:
        TS_TRY(wit_expect(w, "<"));
        TS_TRY(wit_list(w, WIT_TUPLE, ">", &t->cases, &t->n, depth + 1));
        break;
    case TS_CT_LIST:
    case TS_CT_OPTION:
        TS_TRY(wit_expect(w, "<"));
        TS_TRY(wit_type(w, &t->elem, depth + 1));
        if (kind == TS_CT_LIST && wit_eat(w, ",")) TS_TRY(wit_length(w, t)); /* list<T, N> */
        TS_TRY(wit_expect(w, ">"));
        break;
    case TS_CT_MAP:
        TS_TRY(wit_expect(w, "<"));
        TS_TRY(wit_type(w, &t->elem2, depth + 1));
        if (!ts_ctype_is_key(t->elem2)) return wit_bad(w, "the type before this is no key type");
        TS_TRY(wit_expect(w, ","));
        TS_TRY(wit_type(w, &t->elem, depth + 1));
        TS_TRY(wit_expect(w, ">"));
        break;
    case TS_CT_RESULT:
        if (!wit_eat(w, "<")) break;
        if (!wit_eat(w, "_")) TS_TRY(wit_type(w, &t->elem, depth + 1));
        if (wit_eat(w, ",")) TS_TRY(wit_type(w, &t->elem2, depth + 1));
        TS_TRY(wit_expect(w, ">"));
        break;
    default: TS_TRY(wit_handle(w, t)); break;
    }
    TS_TRY(ts_ctype_finish(t, &w->l->arena, w->e));
    *out = t;
    return TS_OK;
}

static ts_status wit_func(wit *w, const ts_cfunc_type **out) {
    ts_cfunc_type *t = ts_arena_alloc(&w->l->arena, sizeof *t);
    if (!t) return ts_fail_nomem(w->e);
    TS_TRY(wit_expect(w, "func"));
    TS_TRY(wit_expect(w, "("));
    TS_TRY(wit_list(w, WIT_FIELDS, ")", &t->params, &t->n_params, 0));
    if (wit_eat(w, "->")) TS_TRY(wit_type(w, &t->result, 0));
    wit_space(w);
    if (*w->at) return wit_bad(w, "something follows the type");
    *out = t;
    return TS_OK;
}

ts_status ts_linker_define_func(ts_linker *l, const char *interface, const char *name, const char *type, ts_callback fn,
                                void *data, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, interface);
    TS_NEED(e, name);
    TS_NEED(e, type);
    TS_NEED(e, fn);
    const char *base;
    ts_embedded *x = embedded_of(l, interface, &base, e);
    if (!x) return ts_fail_nomem(e);
    wit w = {.start = type, .at = type, .l = l, .x = x, .base = base, .e = e};
    const ts_cfunc_type *ft = NULL;
    TS_TRY(wit_func(&w, &ft));
    uint32_t n = x->def.n_funcs, at = 0;
    for (; at < n; at++) { /* sorted by interface, then name */
        int c = strcmp(x->def.funcs[at].interface, base);
        if (c == 0) c = strcmp(x->def.funcs[at].name, name);
        if (c == 0) return ts_fail(e, TS_USAGE, "the function `%s` of `%s` is defined already", name, interface);
        if (c > 0) break;
    }
    /* instances made before this call the table that they know: so a table is never changed, and x is made anew with it */
    ts_embedded *y = ts_arena_alloc(&l->arena, sizeof *y);
    ts_host_func *fs = ts_arena_array(&l->arena, n + 1, sizeof *fs);
    embedded_func *back = ts_arena_array(&l->arena, n + 1, sizeof *back);
    char *copy = ts_arena_strndup(&l->arena, name, strlen(name));
    if (!y || !fs || !back || !copy) return ts_fail_nomem(e);
    for (uint32_t i = 0; i <= n; i++) {
        if (i == at) continue;
        fs[i] = x->def.funcs[i - (i > at)];
        back[i] = x->funcs[i - (i > at)];
    }
    fs[at] = (ts_host_func){.interface = base, .name = copy, .since = "", .type = ft, .fn = call_back};
    back[at] = (embedded_func){.fn = fn, .data = data};
    *y = *x;
    y->def.funcs = fs;
    y->def.n_funcs = n + 1;
    y->funcs = back;
    ts_linker_host *h = &l->hosts.data[x->host];
    h->def = &y->def;
    h->host = y;
    for (uint32_t i = 0; i < l->embedded.len; i++) {
        if (l->embedded.data[i] == x) l->embedded.data[i] = y;
    }
    for (uint32_t i = 0; i < y->def.n_resources; i++) h->rt_map[i]->host = y;
    return TS_OK;
}

ts_status ts_linker_define_value(ts_linker *l, const char *interface, const char *name, const char *type,
                                 const char *value, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, interface);
    TS_NEED(e, name);
    TS_NEED(e, type);
    TS_NEED(e, value);
    const ts_embedded none = {0};
    wit w = {.start = type, .at = type, .l = l, .x = &none, .base = "", .e = e};
    ts_linker_value x = {.interface = ts_arena_strndup(&l->arena, interface, strlen(interface)),
                         .name = ts_arena_strndup(&l->arena, name, strlen(name))};
    ts_val *v = ts_arena_alloc(&l->arena, sizeof *v);
    /* strings may point into the text */
    char *text = ts_arena_strndup(&l->arena, value, strlen(value));
    if (!x.interface || !x.name || !v || !text) return ts_fail_nomem(e);
    TS_TRY(wit_type(&w, &x.type, 0));
    wit_space(&w);
    if (*w.at) return wit_bad(&w, "something follows the type");
    TS_TRY(ts_wave_parse(x.type, text, &l->arena, v, e));
    x.v = v;
    return ts_vec_push(&l->values, x) ? TS_OK : ts_fail_nomem(e);
}

void *ts_callback_alloc(ts_host_call *c, size_t size) {
    if (!c) return NULL;
    return ts_arena_alloc(c->arena, size);
}
static ts_status trap_v(ts_host_call *c, const char *fmt, va_list ap) {
    char b[400];
    vsnprintf(b, sizeof b, fmt, ap);
    return ts_fail_trap(c->err, TS_TRAP_HOST, "%s", b);
}
ts_status ts_callback_trap(ts_host_call *c, const char *fmt, ...) {
    if (!c) return TS_USAGE;
    if (!fmt) fmt = "";
    va_list ap;
    va_start(ap, fmt);
    ts_status st = trap_v(c, fmt, ap);
    va_end(ap);
    return st;
}
int ts_host_wake_file(ts_host_call *c) {
    return c->store ? ts_store_wake_file(ts_cstore_core(c->store)) : -1;
}
bool ts_host_interrupted(ts_host_call *c, bool woken) {
    return c->store && ts_store_interrupted(ts_cstore_core(c->store), woken);
}
bool ts_host_take_interrupt(ts_host_call *c) {
    return c->store && ts_store_take_interrupt(ts_cstore_core(c->store));
}
ts_status ts_host_trap(ts_host_call *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    ts_status st = trap_v(c, fmt, ap);
    va_end(ap);
    return st;
}
ts_status ts_host_limit(ts_host_call *c, ts_limit_kind limit, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    bool first = c->err && c->err->status == TS_OK;
    ts_status st = trap_v(c, fmt, ap);
    va_end(ap);
    if (first) c->err->limit = limit;
    return st;
}
ts_status ts_callback_exit(ts_host_call *c, int status) {
    if (!c) return TS_USAGE;
    c->err->exit_status = status;
    return ts_fail(c->err, TS_EXIT, "exit with status %d", status);
}
ts_val *ts_host_vals(ts_host_call *c, size_t n) {
    return ts_arena_array(c->arena, n, sizeof(ts_val));
}

/* --- running ----------------------------------------------------------------------------------------------------------- */

ts_status ts_cstore_new(ts_engine *engine, const ts_run_limits *limits, TS_OWN ts_cstore **out, ts_error *e) {
    TS_NEED(e, engine);
    TS_NEED(e, out);
    ts_store_limits l = ts_store_limits_of(limits);
    return ts_cstore_create(engine, &l, out, e);
}
void ts_cstore_free(ts_cstore *s) {
    ts_cstore_destroy(s);
}
void ts_cstore_interrupt(ts_cstore *s) {
    if (!s) return;
    ts_store_interrupt(ts_cstore_core(s));
}

ts_status ts_cfunc_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_pool *pool, ts_error *e) {
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, f);
    TS_NEED(e, args || !f->type->n_params);
    TS_NEED(e, pool);
    if (f->inst && f->inst->store != s) return ts_fail(e, TS_USAGE, "the function is of another store");
    ts_val none;
    memset(&none, 0, sizeof none);
    for (uint32_t i = 0; i < f->type->n_params; i++) TS_TRY(ts_val_check(f->type->params[i].type, &args[i], f->res, e));
    return ts_canon_call(s, f, args, result ? result : &none, &pool->arena, e);
}

ts_status ts_cinstance_find_text(ts_cinstance *i, const char *call, ts_pool *pool, ts_cfunc **out, ts_error *e) {
    call += strspn(call, " \t");
    const char *open = strchr(call, '(');
    size_t n = open ? (size_t)(open - call) : strlen(call);
    while (n && (call[n - 1] == ' ' || call[n - 1] == '\t')) n--;
    char *name = ts_arena_strndup(&pool->arena, call, n);
    if (!name) return ts_fail_nomem(e);
    char *hash = strrchr(name, '#');
    if (hash) *hash = 0;
    ts_cfunc *f = ts_cinstance_func(i, hash ? name : NULL, hash ? hash + 1 : name);
    if (!f && !hash) { /* a function that only one exported interface has */
        const ts_exports *x = ts_cinstance_exports(i);
        uint32_t found = 0;
        for (uint32_t k = 0; k < x->n; k++) {
            const ts_item *it =
                x->items[k].sort == TS_SORT_INSTANCE ? ts_exports_find(x->items[k].instance, name, strlen(name)) : NULL;
            if (!it || it->sort != TS_SORT_FUNC) continue;
            f = it->func;
            found++;
        }
        if (found > 1)
            return ts_fail(e, TS_USAGE,
                           "several exported interfaces have a function `%s`: name one as interface#function", name);
    }
    if (!f)
        return ts_fail(e, TS_USAGE, "there is no exported function `%s%s%s`", name, hash ? "#" : "",
                       hash ? hash + 1 : "");
    *out = f;
    return TS_OK;
}
ts_status ts_cinstance_call_text(ts_cstore *s, ts_cinstance *i, const char *call, ts_pool *pool, const char **result,
                                 ts_error *e) {
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, i);
    TS_NEED(e, call);
    TS_NEED(e, pool);
    TS_NEED(e, result);
    if (i->store != s) return ts_fail(e, TS_USAGE, "the instance is of another store");
    ts_cfunc *f = NULL;
    const char *open = strchr(call, '(');
    *result = "";
    TS_TRY(ts_cinstance_find_text(i, call, pool, &f, e));
    ts_val *args = ts_arena_array(&pool->arena, f->type->n_params, sizeof *args), out;
    if (!args) return ts_fail_nomem(e);
    memset(&out, 0, sizeof out);
    TS_TRY(ts_wave_parse_args(f->type, open ? open : "()", &pool->arena, args, e));
    TS_TRY(ts_canon_call(s, f, args, &out, &pool->arena, e));
    if (!f->type->result) return TS_OK;
    size_t len = ts_wave_print(f->type->result, &out, NULL, 0, 0);
    char *text = ts_arena_alloc(&pool->arena, len + 1);
    if (!text) return ts_fail_nomem(e);
    ts_wave_print(f->type->result, &out, text, len + 1, 0);
    *result = text;
    return TS_OK;
}

/* --- types ------------------------------------------------------------------------------------------------------------- */

uint32_t ts_cfunc_param_count(const ts_cfunc *f) {
    if (!f) return 0;
    return f->type->n_params;
}
const char *ts_cfunc_param_name(const ts_cfunc *f, uint32_t i) {
    if (!f) return NULL;
    return i < f->type->n_params ? f->type->params[i].name : NULL;
}
const ts_ctype *ts_cfunc_param_type(const ts_cfunc *f, uint32_t i) {
    if (!f) return NULL;
    return i < f->type->n_params ? f->type->params[i].type : NULL;
}
const ts_ctype *ts_cfunc_result_type(const ts_cfunc *f) {
    if (!f) return NULL;
    return f->type->result;
}
const char *ts_ctype_kind(const ts_ctype *t) {
    if (!t) return "none";
    return ts_ct_kind_name(t->kind);
}
uint32_t ts_ctype_count(const ts_ctype *t) {
    if (!t) return 0;
    return t->n;
}
const char *ts_ctype_name(const ts_ctype *t, uint32_t i) {
    if (!t) return NULL;
    return t->cases && i < t->n ? t->cases[i].name : NULL;
}
const ts_ctype *ts_ctype_type(const ts_ctype *t, uint32_t i) {
    if (!t) return NULL;
    if (t->cases) return i < t->n ? t->cases[i].type : NULL;
    return i == 0 ? t->elem : i == 1 ? t->elem2 : NULL;
}
size_t ts_val_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size) {
    if (!buf) size = 0;
    if (size) buf[0] = 0;
    if (!t || !v || ts_stack_check(NULL) != TS_OK || ts_val_check(t, v, NULL, NULL) != TS_OK) return 0;
    return ts_wave_print(t, v, buf, size, 0);
}
ts_status ts_val_parse(const ts_ctype *t, const char *text, ts_pool *pool, ts_val *v, ts_error *e) {
    TS_NEED(e, t);
    TS_NEED(e, text);
    TS_NEED(e, pool);
    TS_NEED(e, v);
    return ts_wave_parse(t, text, &pool->arena, v, e);
}
