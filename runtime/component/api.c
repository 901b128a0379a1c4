/* api: the functions of touchstone.h for components: engines, host definitions by text, calls and
 * types.
 * In: the calls of an embedder. Out: the work of the modules below, under stable names. Source:
 * Explainer.md, WIT.md */
#include "component/abi/check.h"
#include "base/cfi.h"
#include "component/run/linker.h"
#include "component/type/wave.h"
#include "component/type/wit_type.h"
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

/* --- host definitions -------------------------------------------------------------------------- */

typedef struct embedded_func {
    ts_callback fn;
    void *data;
} embedded_func;
typedef struct embedded_resource {
    ts_drop_callback drop;
    void *data;
} embedded_resource;
/* All definitions of one version make one host definition. A new one is made whenever something is
 * added; earlier ones stay valid. */
struct ts_embedded {
    ts_host_def def;
    const char *version; /* NULL if there is none */
    uint32_t host;       /* index in the linker's hosts */
    ts_linker *linker;
    embedded_func *funcs; /* parallel to def.funcs */
    embedded_resource *resources;
};

/* --- what the embedder gave -------------------------------------------------------------------------------- */
static TS_UNCHECKED_CALLS ts_status call_back(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_embedded *x = c->host;
    const embedded_func *f = &x->funcs[c->func - x->def.funcs];
    TS_TRY(f->fn(c, f->data, args, result));
    const ts_ctype *t = c->func->type->result;
    return t ? ts_val_check(t, result, x->linker->hosts.data[x->host].rt_map, c->err) : TS_OK;
}
static TS_UNCHECKED_CALLS ts_status drop_back(ts_host_call *c, uint64_t rep) {
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

/* The resources that a definition's own interface has, for the types in its text. */
typedef struct interface_scope {
    const ts_embedded *x;
    const char *interface; /* without version */
} interface_scope;
static bool find_resource(const void *data, const char *name, uint32_t *slot) {
    const interface_scope *in = data;
    for (*slot = 0; *slot < in->x->def.n_resources; ++*slot) {
        const ts_host_resource *r = &in->x->def.resources[*slot];
        if (strcmp(r->interface, in->interface) == 0 && strcmp(r->name, name) == 0) return true;
    }
    return false;
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
    const interface_scope in = {x, base};
    const ts_wit_resources resources = {.find = find_resource, .data = &in};
    const ts_cfunc_type *ft = NULL;
    TS_TRY(ts_wit_parse_func(type, &resources, &l->arena, &ft, e));
    uint32_t n = x->def.n_funcs, at = 0;
    for (; at < n; at++) { /* the table is sorted by interface, then name */
        int c = strcmp(x->def.funcs[at].interface, base);
        if (c == 0) c = strcmp(x->def.funcs[at].name, name);
        if (c == 0) return ts_fail(e, TS_USAGE, "the function `%s` of `%s` is defined already", name, interface);
        if (c > 0) break;
    }
    /* instances that were made before call the functions of the table that they know. So a table is
     * never changed, and x is replaced together with it. */
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
    const ts_wit_resources no_resources = {0};
    ts_linker_value x = {.interface = ts_arena_strndup(&l->arena, interface, strlen(interface)),
                         .name = ts_arena_strndup(&l->arena, name, strlen(name))};
    ts_val *v = ts_arena_alloc(&l->arena, sizeof *v);
    /* strings may point into the text */
    char *text = ts_arena_strndup(&l->arena, value, strlen(value));
    if (!x.interface || !x.name || !v || !text) return ts_fail_nomem(e);
    TS_TRY(ts_wit_parse_type(type, &no_resources, &l->arena, &x.type, e));
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

/* --- running ----------------------------------------------------------------------------------- */

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
    if (f->inst && f->inst->store != s) return ts_fail(e, TS_USAGE, "the function belongs to another store");
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
    if (!f && !hash) { /* find a function that only one exported interface has */
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
    if (i->store != s) return ts_fail(e, TS_USAGE, "the instance belongs to another store");
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

/* --- types ------------------------------------------------------------------------------------- */

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
