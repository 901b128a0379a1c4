/* linker: finds what provides an import: hosts, instances and modules. What is not provided is
 * reported with reasons.
 * In: host definitions, named instances, and the imports of a component. Out: items to instantiate
 * with, or a list of missing imports.
 * spec: Explainer.md#import-and-export-definitions (names, versions), Subtyping.md */
#include "component/binary/validate.h"
#include "component/abi/instance.h"
#include "component/run/linker.h"
#include "component/run/trace.h"
#include "core/run/store.h"
#include <stdio.h>
#include <string.h>

ts_status ts_linker_create(TS_OWN ts_linker **out, ts_error *e) {
    ts_linker *l = calloc(1, sizeof *l);
    if (!l) return ts_fail_nomem(e);
    l->refs = 1;
    ts_arena_init(&l->arena);
    *out = l;
    return TS_OK;
}
ts_linker *ts_linker_hold(ts_linker *l) {
    __atomic_fetch_add(&l->refs, 1, __ATOMIC_RELAXED); /* the stores of several threads may share it */
    return l;
}
void ts_linker_destroy(ts_linker *l) {
    if (!l || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL)) return;
    for (uint32_t i = 0; i < l->named.len; i++) {
        if (l->named.data[i].module) ts_module_free(l->named.data[i].module);
        ts_component_free(l->named.data[i].component);
    }
    ts_vec_free(&l->values);
    ts_vec_free(&l->hosts);
    ts_vec_free(&l->named);
    ts_vec_free(&l->dummies);
    ts_vec_free(&l->denied);
    ts_vec_free(&l->unstable);
    ts_vec_free(&l->embedded);
    ts_vec_free(&l->trace_handles);
    ts_trace_free(l);
    ts_arena_free(&l->arena);
    free(l);
}

ts_status ts_linker_add_host(ts_linker *l, const ts_host_def *def, void *host, ts_error *e) {
    ts_linker_host h = {.def = def, .host = host};
    h.rt_map = ts_arena_array(&l->arena, def->n_resources, sizeof *h.rt_map);
    if (!h.rt_map) return ts_fail_nomem(e);
    for (uint32_t i = 0; i < def->n_resources; i++) {
        ts_resource *rt = h.rt_map[i] = ts_arena_alloc(&l->arena, sizeof *rt);
        if (!rt) return ts_fail_nomem(e);
        *rt = (ts_resource){
            .host_def = &def->resources[i], .host = host, .observer = &l->observer, .name = def->resources[i].name};
    }
    return ts_vec_push(&l->hosts, h) ? TS_OK : ts_fail_nomem(e);
}

void ts_linker_set_unknown_imports_trap(ts_linker *l, bool on) {
    if (!l) return;
    l->unknown_trap = on;
}
void ts_linker_set_explain(ts_linker *l, ts_host_explain explain) {
    l->explain = explain;
}
bool ts_linker_trap_missing(const ts_linker *l) {
    return l->unknown_trap;
}
/* If there is no memory for the name, everything is denied. */
void ts_linker_deny(ts_linker *l, const char *interface) {
    if (!l) return;
    if (!interface) { /* it is not known what is meant */
        l->deny_all = true;
        return;
    }
    const char *s = ts_arena_strndup(&l->arena, interface, strlen(interface));
    if (!s || !ts_vec_push(&l->denied, s)) l->deny_all = true;
}
void ts_linker_enable_unstable(ts_linker *l, const char *feature) {
    if (!l || !feature) return;
    const char *s = ts_arena_strndup(&l->arena, feature, strlen(feature));
    if (s && ts_vec_push(&l->unstable, s)) return;
}

ts_resource *ts_linker_resource(ts_linker *l, const char *interface, const char *name) {
    for (uint32_t i = 0; i < l->hosts.len; i++) {
        const ts_host_def *d = l->hosts.data[i].def;
        for (uint32_t k = 0; k < d->n_resources; k++) {
            if (strcmp(d->resources[k].interface, interface) == 0 && strcmp(d->resources[k].name, name) == 0)
                return l->hosts.data[i].rt_map[k];
        }
    }
    return NULL;
}

static ts_status add_named(ts_linker *l, const char *name, ts_linker_named n, ts_error *e) {
    n.name = ts_arena_strndup(&l->arena, name, strlen(name));
    return n.name && ts_vec_push(&l->named, n) ? TS_OK : ts_fail_nomem(e);
}
ts_status ts_linker_add_instance(ts_linker *l, const char *name, ts_cinstance *i, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, name);
    TS_NEED(e, i);
    return add_named(l, name, (ts_linker_named){.exports = ts_cinstance_exports(i), .store = i->store}, e);
}
ts_status ts_linker_add_module(ts_linker *l, const char *name, ts_module *m, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, name);
    TS_NEED(e, m);
    ts_module_ref(m);
    ts_status st = add_named(l, name, (ts_linker_named){.module = m}, e);
    if (st != TS_OK) ts_module_free(m);
    return st;
}
ts_status ts_linker_add_component(ts_linker *l, const char *name, ts_component *c, ts_error *e) {
    TS_NEED(e, l);
    TS_NEED(e, name);
    TS_NEED(e, c);
    __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    ts_status st = add_named(l, name, (ts_linker_named){.component = c}, e);
    if (st != TS_OK) ts_component_free(c);
    return st;
}

/* --- names ------------------------------------------------------------------------------------- */

static bool same(const char *a, size_t n, const char *b) {
    return strlen(b) == n && memcmp(a, b, n) == 0;
}

static bool in_list(const char *const *list, uint32_t n, const char *base, size_t len, bool prefix) {
    for (uint32_t i = 0; i < n; i++) {
        size_t k = strlen(list[i]);
        if (k == len && memcmp(list[i], base, len) == 0) return true;
        if (prefix && k < len && memcmp(list[i], base, k) == 0 && (base[k] == '/' || (k && list[i][k - 1] == ':')))
            return true;
    }
    return false;
}

typedef enum name_fit { FIT_NONE, FIT_VERSION, FIT } name_fit;
/* Compares the interface of a host ("a:b/c", with the versions of a track) with the name of an
 * import. */
static name_fit host_fits(const ts_host_def *d, const char *interface, const char *name, size_t len) {
    ts_iface_name want, have;
    if (!ts_name_parse(name, len, &want)) return same(name, len, interface) ? FIT : FIT_NONE;
    if (!same(want.base, want.base_len, interface)) return FIT_NONE;
    if (!d->version_min) return want.has_version ? FIT_VERSION : FIT;
    char full[256];
    int n = snprintf(full, sizeof full, "%s@%s", interface, d->version_min);
    if (n < 0 || (size_t)n >= sizeof full || !ts_name_parse(full, (size_t)n, &have)) return FIT_NONE;
    return ts_name_compatible(&have, &want) ? FIT : FIT_VERSION;
}

/* Finds the host that has this interface in a version that fits. *fit is the best match that was
 * found. */
static const ts_linker_host *find_host(const ts_linker *l, const char *name, size_t len, name_fit *fit,
                                       const char **versions) {
    const ts_linker_host *best = NULL;
    *fit = FIT_NONE;
    for (uint32_t i = 0; i < l->hosts.len && *fit != FIT; i++) {
        const ts_linker_host *h = &l->hosts.data[i];
        const char *last = NULL;
        for (uint32_t k = 0; k < h->def->n_funcs + h->def->n_resources + h->def->n_types && *fit != FIT; k++) {
            const char *iface = k < h->def->n_funcs ? h->def->funcs[k].interface
                                : k < h->def->n_funcs + h->def->n_resources ? h->def->resources[k - h->def->n_funcs].interface
                                                                            : h->def->types[k - h->def->n_funcs - h->def->n_resources].interface;
            if (iface == last || (last && strcmp(iface, last) == 0)) continue;
            last = iface;
            name_fit f = host_fits(h->def, iface, name, len);
            if (f > *fit) {
                *fit = f;
                best = h;
                *versions = h->def->version_min;
            }
        }
    }
    return best;
}

static const ts_host_func *find_func(const ts_host_def *d, const char *iface, size_t iface_len, const char *name,
                                     size_t len) {
    for (uint32_t lo = 0, hi = d->n_funcs; lo < hi;) {
        uint32_t mid = (lo + hi) / 2;
        const ts_host_func *f = &d->funcs[mid];
        size_t k = strlen(f->interface), n = strlen(f->name);
        int c = memcmp(f->interface, iface, k < iface_len ? k : iface_len);
        if (c == 0) c = k < iface_len ? -1 : k > iface_len;
        if (c == 0) c = memcmp(f->name, name, n < len ? n : len);
        if (c == 0 && k == iface_len) c = n < len ? -1 : n > len;
        if (c == 0) return f;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* --- resolution -------------------------------------------------------------------------------- */

typedef struct resolver {
    ts_linker *l;
    ts_component *c;
    ts_arena *arena;
    ts_resource **env;
    ts_missing_list *missing;
    ts_error *e;
} resolver;

static void add_missing(resolver *r, const char *name, const char *function, const char *reason) {
    ts_missing_list *m = r->missing;
    if (m->n < m->max) {
        ts_missing *o = &m->out[m->n];
        snprintf(o->name, sizeof o->name, "%s", name);
        snprintf(o->function, sizeof o->function, "%s", function ? function : "");
        snprintf(o->reason, sizeof o->reason, "%s", reason);
    }
    m->n++;
}

/* Adds something that is missing and cannot wait until it is called. */
static ts_status add_missing_hard(resolver *r, const char *name, const char *inner, const char *reason) {
    r->missing->hard = true;
    add_missing(r, name, inner, reason);
    return TS_OK;
}

/* What provides an instance of this name: an instance that was given, or a host. */
typedef struct provider {
    const char *name, *base; /* base: the name without its version */
    size_t len, base_len;
    ts_iface_name parsed;
    bool is_iface, denied;
    const ts_exports *given;
    const ts_cstore *store; /* the store of what was given */
    const ts_linker_host *h;
    name_fit fit;
    const char *versions; /* the versions that the host has, if the name wants another one */
} provider;
static provider find_provider(const ts_linker *l, const char *name, size_t len) {
    provider p = {.name = name, .len = len, .base = name, .base_len = len};
    p.is_iface = ts_name_parse(name, len, &p.parsed);
    if (p.is_iface) {
        p.base = p.parsed.base;
        p.base_len = p.parsed.base_len;
    }
    if (!l) return p;
    for (uint32_t i = l->named.len; i-- > 0 && !p.given;) { /* the last one with a name wins */
        if (l->named.data[i].exports && same(name, len, l->named.data[i].name)) {
            p.given = l->named.data[i].exports;
            p.store = l->named.data[i].store;
        }
    }
    for (uint32_t i = l->named.len; i-- > 0 && !p.given && p.is_iface;) {
        ts_iface_name have;
        if (l->named.data[i].exports && ts_name_parse(l->named.data[i].name, strlen(l->named.data[i].name), &have) &&
            ts_name_compatible(&have, &p.parsed)) {
            p.given = l->named.data[i].exports;
            p.store = l->named.data[i].store;
        }
    }
    p.denied = !p.given && (l->deny_all || in_list(l->denied.data, l->denied.len, p.base, p.base_len, true));
    if (!p.given) p.h = find_host(l, name, len, &p.fit, &p.versions);
    if (p.fit != FIT || p.denied) p.h = NULL;
    return p;
}

/* Why nothing provides the interface that p was looked up for. */
static void explain_missing(const ts_linker *l, const provider *p, char *buf, size_t size) {
    bool other_version = p->fit == FIT_VERSION && p->is_iface && p->parsed.has_version;
    if (p->denied)
        snprintf(buf, size, "denied");
    else if (l && l->explain && p->is_iface && l->explain(&p->parsed, other_version, buf, size))
        return;
    else if (other_version)
        snprintf(buf, size, "version %u.%u.%u%s%.*s is not compatible with %s", p->parsed.major, p->parsed.minor,
                 p->parsed.patch, p->parsed.pre_len ? "-" : "", (int)p->parsed.pre_len,
                 p->parsed.pre ? p->parsed.pre : "", p->versions ? p->versions : "the one without version");
    else
        snprintf(buf, size, "nothing provides it");
}

static ts_cfunc *missing_func(resolver *r, const char *iface, const char *name, uint32_t len, const ts_cfunc_type *type,
                              const char *reason, bool denied) {
    ts_cfunc *f = ts_arena_alloc(r->arena, sizeof *f);
    if (!f) return NULL;
    f->kind = TS_CFUNC_MISSING;
    f->type = type;
    f->res = r->env;
    f->observer = &r->l->observer;
    f->import_name = iface;
    f->name = ts_arena_strndup(r->arena, name, len);
    f->reason = ts_arena_strndup(r->arena, reason, strlen(reason));
    f->denied = denied;
    return f->name && f->reason ? f : NULL;
}

static ts_resource *dummy_resource(resolver *r, const char *iface, const char *name) {
    ts_linker *l = r->l;
    ts_iface_name a, b;
    bool pa = ts_name_parse(iface, strlen(iface), &a);
    for (uint32_t i = 0; i < l->dummies.len; i++) {
        if (strcmp(l->dummies.data[i].name, name) != 0) continue;
        if (strcmp(l->dummies.data[i].interface, iface) == 0) return l->dummies.data[i].rt;
        if (pa && ts_name_parse(l->dummies.data[i].interface, strlen(l->dummies.data[i].interface), &b) &&
            ts_name_compatible(&a, &b))
            return l->dummies.data[i].rt;
    }
    ts_linker_dummy d = {.interface = ts_arena_strndup(&l->arena, iface, strlen(iface)),
                         .name = ts_arena_strndup(&l->arena, name, strlen(name)),
                         .rt = ts_arena_alloc(&l->arena, sizeof *d.rt)};
    if (!d.interface || !d.name || !d.rt || !ts_vec_push(&l->dummies, d)) return NULL;
    d.rt->name = d.name;
    return d.rt;
}

static ts_status func_from_host(resolver *r, const ts_linker_host *h, const char *import_name, const char *iface,
                                size_t iface_len, const ts_named_extern *x, ts_item *out) {
    char reason[200] = "";
    const ts_host_func *hf = h ? find_func(h->def, iface, iface_len, x->name, x->name_len) : NULL;
    out->sort = TS_SORT_FUNC;
    if (!hf) {
        snprintf(reason, sizeof reason, "the interface has no such function here");
    } else if (hf->unstable &&
               !in_list(r->l->unstable.data, r->l->unstable.len, hf->unstable, strlen(hf->unstable), false)) {
        snprintf(reason, sizeof reason, "it needs the unstable feature `%s`, which is not enabled", hf->unstable);
    } else if (!ts_cfunc_type_matches(hf->type, x->type->func, (const void *const *)h->rt_map,
                                      (const void *const *)r->env, reason, sizeof reason)) {
        char why[160];
        snprintf(why, sizeof why, "%.150s", reason);
        snprintf(reason, sizeof reason, "type mismatch: %s", why);
    } else if (!hf->fn) {
        snprintf(reason, sizeof reason, "not implemented yet");
    } else {
        ts_cfunc *f = ts_arena_alloc(r->arena, sizeof *f);
        if (!f) return ts_fail_nomem(r->e);
        f->kind = TS_CFUNC_HOST;
        f->type = hf->type;
        f->res = h->rt_map;
        f->def = hf;
        f->host = h->host;
        f->observer = &r->l->observer;
        f->import_name = import_name;
        f->name = hf->name;
        out->func = f;
        return TS_OK;
    }
    add_missing(r, import_name, x->name, reason);
    out->func = missing_func(r, import_name, x->name, x->name_len, x->type->func, reason, false);
    return out->func ? TS_OK : ts_fail_nomem(r->e);
}

static ts_status bind_resources(resolver *r, const ts_def *d, const ts_item *item) {
    return ts_bind_resources(d, item, r->env, r->e);
}

static ts_status check_func(resolver *r, const char *import_name, const ts_named_extern *x, ts_item *it) {
    char reason[200] = "", why[160] = "";
    if (ts_cfunc_type_matches(it->func->type, x->type->func, (const void *const *)it->func->res,
                              (const void *const *)r->env, why, sizeof why))
        return TS_OK;
    snprintf(reason, sizeof reason, "type mismatch: %s", why);
    add_missing(r, import_name, x->name, reason);
    it->func = missing_func(r, import_name, x->name, x->name_len, x->type->func, reason, false);
    return it->func ? TS_OK : ts_fail_nomem(r->e);
}

static bool same_slot(const ts_ct_cmp *c, uint32_t have,
                      uint32_t want) { /* values from an embedder contain no handles */
    (void)c, (void)have, (void)want;
    return false;
}
/* 🪙 Resolves a value by name and interface ("" for none). */
static ts_status resolve_value(resolver *r, const char *interface, const ts_named_extern *x, ts_item *out) {
    ts_iface_name want, have;
    bool parsed = ts_name_parse(interface, strlen(interface), &want);
    const ts_linker *l = r->l;
    char reason[200] = "no such value is provided";
    for (uint32_t i = 0; l && i < l->values.len; i++) {
        const ts_linker_value *v = &l->values.data[i];
        if (!same(x->name, x->name_len, v->name)) continue;
        if (strcmp(v->interface, interface) != 0 &&
            !(parsed && ts_name_parse(v->interface, strlen(v->interface), &have) && ts_name_compatible(&have, &want)))
            continue;
        char buf[160] = "";
        const ts_ct_cmp cmp = {.same = same_slot, .buf = buf, .size = sizeof buf};
        if (ts_ctype_matches(v->type, x->type->value, &cmp)) {
            *out = (ts_item){.sort = TS_SORT_VALUE, .type = v->type, .value = v->v};
            return TS_OK;
        }
        snprintf(reason, sizeof reason, "type mismatch: %s", buf);
    }
    return add_missing_hard(r, interface[0] ? interface : x->name, interface[0] ? x->name : NULL, reason);
}

/* Checks whether a component matches the type of an import. */
static ts_status check_component(resolver *r, const ts_component *have, const ts_component_type *want, char *why,
                                 size_t size, bool *ok) {
    ts_env env = {0};
    ts_error mine; /* an error that has not been filled */
    ts_error_init(&mine);
    ts_dec d = {.engine = r->c->engine,
                .types = ts_engine_types(r->c->engine),
                .arena = r->arena,
                .err = &mine,
                .budget = TS_COMP_BUDGET};
    ts_status st = TS_OK;
    uint32_t slot;
    /* its resource types get slots that none of ours has */
    for (uint32_t i = 0; st == TS_OK && i < r->c->n_resources; i++) st = ts_env_slot(&d, &env, false, &slot);
    ts_subst sub = {.d = &d, .fresh = &env};
    const ts_component_type *t = st == TS_OK ? ts_subst_component(&sub, have->type) : NULL;
    if (st == TS_OK && !t) st = d.err->status;
    if (st == TS_OK) {
        ts_rmap want_map = {0};
        ts_ptrmap open = {0};
        ts_sub c = {.d = &d, .want_map = &want_map, .open = &open, .buf = why, .size = size};
        const ts_extern_type h = {.sort = TS_SORT_COMPONENT, .component = t},
                             w = {.sort = TS_SORT_COMPONENT, .component = want};
        *ok = ts_extern_matches_sub(&c, &h, &w);
        if (c.failed) st = d.err->status;
        ts_ptrmap_free(&want_map.m);
    }
    ts_subst_free(&sub);
    ts_vec_free(&env.local);
    return st == TS_OK ? st : ts_fail(r->e, st, "%s", mine.message);
}

static ts_status check_module(resolver *r, const ts_module *m, const ts_core_module_type *want, char *why, size_t size,
                              bool *ok) {
    const ts_core_module_type *have = ts_core_module_type_of(r->arena, m);
    if (!have) return ts_fail_nomem(r->e);
    *ok = ts_core_module_type_matches(ts_engine_types(r->c->engine), have, want, why, size);
    return TS_OK;
}

/* Makes an instance with the exports of this type, whose items are zero. */
static ts_status exports_of_type(resolver *r, const ts_instance_type *t, ts_exports **out) {
    ts_exports *x = ts_arena_alloc(r->arena, sizeof *x);
    *out = x;
    if (!x) return ts_fail_nomem(r->e);
    x->n = t->n;
    x->names = ts_arena_array(r->arena, t->n, sizeof *x->names);
    x->lens = ts_arena_array(r->arena, t->n, sizeof *x->lens);
    x->items = ts_arena_array(r->arena, t->n, sizeof *x->items);
    if (!x->names || !x->lens || !x->items) return ts_fail_nomem(r->e);
    for (uint32_t i = 0; i < t->n; i++) {
        x->names[i] = t->exports[i].name;
        x->lens[i] = t->exports[i].name_len;
    }
    return TS_OK;
}

/* Makes an item that nothing provides if it needs nothing: a known type, or an instance of known
 * types, at any depth. *ok reports whether this was possible. */
static ts_status synthesize_item(resolver *r, const ts_extern_type *t, ts_item *out, bool *ok) {
    TS_TRY(ts_stack_check(r->e));
    *out = (ts_item){.sort = t->sort};
    if (t->sort == TS_SORT_TYPE) {
        out->type = t->type;
        if (t->is_resource) *ok = !t->resource_is_sub && (out->rt = r->env[t->resource]) != NULL;
        return TS_OK;
    }
    if (t->sort != TS_SORT_INSTANCE) {
        *ok = false;
        return TS_OK;
    }
    ts_exports *x;
    TS_TRY(exports_of_type(r, t->instance, &x));
    out->instance = x;
    for (uint32_t i = 0; i < x->n && *ok; i++)
        TS_TRY(synthesize_item(r, t->instance->exports[i].type, &x->items[i], ok));
    return TS_OK;
}

static ts_status check_item(resolver *r, const char *import_name, const ts_named_extern *x, ts_item *it);
/* Compares the exports of a given instance with those of the type. The importer sees only the latter. */
static ts_status check_exports(resolver *r, const char *import_name, const ts_named_extern *x, ts_item *it) {
    const ts_instance_type *t = x->type->instance;
    const ts_exports *given = it->instance;
    ts_exports *seen;
    TS_TRY(exports_of_type(r, t, &seen));
    it->instance = seen;
    for (uint32_t i = 0; i < t->n; i++) {
        const ts_named_extern *w = &t->exports[i];
        const ts_item *in = ts_exports_find(given, w->name, w->name_len);
        bool ok = true;
        if (in && in->sort == w->type->sort) {
            seen->items[i] = *in;
            TS_TRY(check_item(r, import_name, w, &seen->items[i]));
            continue;
        }
        if (!in) TS_TRY(synthesize_item(r, w->type, &seen->items[i], &ok));
        if (!in && ok) continue;
        char reason[200];
        snprintf(reason, sizeof reason, "the instance `%.60s` has no such %s", x->name, ts_sort_name(w->type->sort));
        TS_TRY(add_missing_hard(r, import_name, w->name, reason));
    }
    return TS_OK;
}

/* Compares an export of a given instance with its type. spec: Explainer.md#type-checking */
static ts_status check_item(resolver *r, const char *import_name, const ts_named_extern *x, ts_item *it) {
    const ts_extern_type *t = x->type;
    char why[160] = "", reason[200];
    const ts_ct_cmp cmp = {.same = same_slot, .buf = why, .size = sizeof why};
    bool ok = true;
    TS_TRY(ts_stack_check(r->e));
    switch (t->sort) {
    case TS_SORT_FUNC:
        ok = ts_cfunc_type_matches(it->func->type, t->func, (const void *const *)it->func->res,
                                   (const void *const *)r->env, why, sizeof why);
        break;
    case TS_SORT_VALUE: ok = ts_ctype_matches(it->type, t->value, &cmp); break;
    case TS_SORT_TYPE: /* types with handles are checked with the functions that use them */
        if (t->is_resource)
            ok = it->rt == r->env[t->resource];
        else if (t->type && it->type && !t->type->has_handle && !it->type->has_handle)
            ok = ts_ctype_matches(it->type, t->type, &cmp);
        if (!ok && !why[0]) snprintf(why, sizeof why, "the resource types are not the same");
        break;
    case TS_SORT_CORE_MODULE: TS_TRY(check_module(r, it->module, t->module_type, why, sizeof why, &ok)); break;
    case TS_SORT_COMPONENT:
        /* a nested component names no resource type of its parent, so its own type is sufficient */
        TS_TRY(check_component(r, it->component.component, t->component, why, sizeof why, &ok));
        break;
    default: return check_exports(r, import_name, x, it);
    }
    if (ok) return TS_OK;
    snprintf(reason, sizeof reason, "type mismatch: %s", why);
    return add_missing_hard(r, import_name, x->name, reason);
}

/* Resolves a core module or component by name. */
static ts_status resolve_named(resolver *r, const ts_def *d, ts_item *out) {
    const ts_extern_type *t = d->import.type;
    bool module = t->sort == TS_SORT_CORE_MODULE, fits = false;
    char why[160] = "", reason[200];
    snprintf(reason, sizeof reason, "no such %s is provided", ts_sort_name(t->sort));
    for (uint32_t i = r->l ? r->l->named.len : 0; i-- > 0;) {
        const ts_linker_named *n = &r->l->named.data[i];
        if ((module ? !n->module : !n->component) || !same(d->import.name, d->import.name_len, n->name)) continue;
        if ((module ? n->module->engine : n->component->engine) != r->c->engine)
            return ts_fail(r->e, TS_USAGE, "what is given for the import `%.100s` belongs to another engine",
                           d->import.name);
        if (module) {
            TS_TRY(check_module(r, n->module, t->module_type, why, sizeof why, &fits));
            out->module = n->module;
        } else {
            TS_TRY(check_component(r, n->component, t->component, why, sizeof why, &fits));
            out->component = (ts_closure){.component = n->component};
        }
        if (fits) return TS_OK;
        snprintf(reason, sizeof reason, "type mismatch: %s", why);
    }
    return add_missing_hard(r, d->import.name, NULL, reason);
}

/* Gives each export of the instance type its item: resources first, so that the slots are filled
 * before functions are compared. */
static ts_status resolve_instance(resolver *r, const ts_def *d, ts_item *out) {
    const char *name = d->import.name;
    const ts_instance_type *t = d->import.type->instance;
    provider p = find_provider(r->l, name, d->import.name_len);
    /* 🏷️ an import with another name may say which interface it implements:
     * Explainer.md#import-and-export-definitions */
    if (!p.given && !p.h && d->import.attributes && d->import.attributes->implements) {
        const char *implements = d->import.attributes->implements;
        p = find_provider(r->l, implements, strlen(implements));
    }
    const ts_exports *given = p.given;
    if (given) {
        if (r->missing->store && r->missing->store != p.store)
            return ts_fail(r->e, TS_USAGE, "the instances given for the imports belong to several stores");
        r->missing->store = p.store;
    }
    const ts_linker_host *h = p.h;
    ts_linker *l = r->l;
    const char *base = p.base;
    size_t base_len = p.base_len;
    bool denied = p.denied;
    char unknown[200] = "";
    if (!given && !h) explain_missing(l, &p, unknown, sizeof unknown);

    ts_exports *x;
    TS_TRY(exports_of_type(r, t, &x));
    *out = (ts_item){.sort = TS_SORT_INSTANCE, .instance = x};
    for (uint32_t i = 0; i < t->n; i++) {
        const ts_named_extern *w = &t->exports[i];
        ts_item *it = &x->items[i];
        if (given) {
            const ts_item *found = ts_exports_find(given, w->name, w->name_len);
            if (found && found->sort == w->type->sort) *it = *found;
        }
        if (w->type->sort == TS_SORT_TYPE && !it->sort) {
            it->sort = TS_SORT_TYPE;
            it->type = w->type->type;
        }
        if (w->type->sort == TS_SORT_TYPE && w->type->is_resource && !it->rt) {
            if (h) {
                for (uint32_t k = 0; k < h->def->n_resources && !it->rt; k++) {
                    if (same(base, base_len, h->def->resources[k].interface) &&
                        same(w->name, w->name_len, h->def->resources[k].name))
                        it->rt = h->rt_map[k];
                }
            }
            /* if it is `use`d from another interface, its eq bound says which one, and its slot is
             * filled */
            if (!it->rt && !w->type->resource_is_sub) it->rt = r->env[w->type->resource];
            /* or it is an earlier export of this instance under another name: `type headers = fields` */
            for (uint32_t k = 0; k < i && !it->rt && !w->type->resource_is_sub; k++) {
                const ts_extern_type *o = t->exports[k].type;
                if (o->sort == TS_SORT_TYPE && o->is_resource && o->resource == w->type->resource)
                    it->rt = x->items[k].rt;
            }
            if (!it->rt) {
                add_missing(r, name, w->name, unknown[0] ? unknown : "no such resource type is provided");
                if (l) it->rt = dummy_resource(r, name, w->name);
                if (!it->rt) it->rt = ts_arena_alloc(r->arena, sizeof *it->rt);
                if (!it->rt) return ts_fail_nomem(r->e);
            }
        }
    }
    TS_TRY(bind_resources(r, d, out));
    for (uint32_t i = 0; i < t->n; i++) {
        const ts_named_extern *w = &t->exports[i];
        ts_item *it = &x->items[i];
        if (given && it->sort && w->type->sort != TS_SORT_FUNC) {
            TS_TRY(check_item(r, name, w, it));
        } else if (w->type->sort == TS_SORT_FUNC) {
            if (given && it->sort == TS_SORT_FUNC) {
                TS_TRY(check_func(r, name, w, it));
            } else if (h) {
                TS_TRY(func_from_host(r, h, name, base, base_len, w, it));
            } else {
                it->sort = TS_SORT_FUNC;
                const char *why = unknown[0] ? unknown : "the instance has no such function";
                add_missing(r, name, w->name, why);
                it->func = missing_func(r, name, w->name, w->name_len, w->type->func, why, denied);
                if (!it->func) return ts_fail_nomem(r->e);
            }
        } else if (w->type->sort == TS_SORT_VALUE && !it->sort) {
            TS_TRY(resolve_value(r, name, w, it));
        } else if (w->type->sort != TS_SORT_TYPE && !it->sort) {
            char reason[80];
            bool ok = !given || !ts_exports_find(given, w->name, w->name_len);
            if (ok) TS_TRY(synthesize_item(r, w->type, it, &ok));
            if (ok) continue;
            snprintf(reason, sizeof reason, "no such %s is provided", ts_sort_name(w->type->sort));
            TS_TRY(add_missing_hard(r, name, w->name, reason));
        }
    }
    return TS_OK;
}

static ts_status resolve_import(resolver *r, const ts_def *d, ts_item *out) {
    const ts_extern_type *t = d->import.type;
    ts_linker *l = r->l;
    memset(out, 0, sizeof *out);
    out->sort = t->sort;
    switch (t->sort) {
    case TS_SORT_INSTANCE: return resolve_instance(r, d, out);
    case TS_SORT_FUNC: {
        ts_named_extern x = {.name = d->import.name, .name_len = d->import.name_len, .type = t};
        for (uint32_t i = 0; l && i < l->hosts.len; i++) {
            if (find_func(l->hosts.data[i].def, "", 0, x.name, x.name_len))
                return func_from_host(r, &l->hosts.data[i], "", "", 0, &x, out);
        }
        add_missing(r, "", d->import.name, "nothing provides it");
        out->func = missing_func(r, "", x.name, x.name_len, t->func, "nothing provides it", false);
        return out->func ? TS_OK : ts_fail_nomem(r->e);
    }
    case TS_SORT_TYPE:
        out->type = t->type;
        if (t->is_resource) {
            if (!t->resource_is_sub) out->rt = r->env[t->resource];
            if (!out->rt && l) out->rt = ts_linker_resource(l, "", d->import.name);
            if (!out->rt) {
                add_missing(r, d->import.name, NULL, "no such resource type is provided");
                out->rt = l ? dummy_resource(r, "", d->import.name) : ts_arena_alloc(r->arena, sizeof *out->rt);
                if (!out->rt) return ts_fail_nomem(r->e);
            }
        }
        return bind_resources(r, d, out);
    case TS_SORT_CORE_MODULE:
    case TS_SORT_COMPONENT: return resolve_named(r, d, out);
    default: {
        ts_named_extern x = {.name = d->import.name, .name_len = d->import.name_len, .type = t};
        return resolve_value(r, "", &x, out);
    }
    }
}

/* Rejects a name that would deny nothing: if a host has its namespace, it must name one of the
 * interfaces or packages. */
static ts_status denied_names(const ts_linker *l, ts_error *e) {
    for (uint32_t k = 0; l && k < l->denied.len; k++) {
        const char *name = l->denied.data[k];
        size_t space = strcspn(name, ":");
        bool ours = false, found = false;
        for (uint32_t i = 0; i < l->hosts.len; i++) {
            const ts_host_def *d = l->hosts.data[i].def;
            for (uint32_t j = 0; j < d->n_funcs + d->n_resources; j++) {
                const char *have = j < d->n_funcs ? d->funcs[j].interface : d->resources[j - d->n_funcs].interface;
                ours |= strcspn(have, ":") == space && strncmp(have, name, space) == 0;
                found |= in_list(&name, 1, have, strcspn(have, "@"), true);
            }
        }
        if (ours && !found)
            return ts_fail(e, TS_USAGE, "ts_linker_deny: nothing is called `%.100s`, so that nothing would be denied",
                           name);
    }
    return TS_OK;
}

ts_status ts_linker_resolve(ts_linker *l, ts_component *c, ts_arena *arena, ts_resource **env, ts_item *items,
                            ts_missing_list *missing, ts_error *e) {
    TS_TRY(ts_stack_check(e));
    TS_TRY(denied_names(l, e));
    resolver r = {.l = l, .c = c, .arena = arena, .env = env, .missing = missing, .e = e};
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_defs; i++) {
        if (c->defs[i].kind != TS_DEF_IMPORT) continue;
        TS_TRY(resolve_import(&r, &c->defs[i], &items[n++]));
    }
    return TS_OK;
}

ts_status ts_linker_check(ts_linker *l, const ts_component *c, ts_missing *out, uint32_t max, uint32_t *n,
                          ts_error *e) {
    ts_arena arena;
    ts_arena_init(&arena);
    ts_item *items = ts_arena_array(&arena, c->n_imports, sizeof *items);
    ts_resource **env = ts_arena_array(&arena, c->n_resources, sizeof *env);
    ts_missing_list missing = {.out = out, .max = max};
    ts_status st = items && env ? ts_linker_resolve(l, (ts_component *)(uintptr_t)c, &arena, env, items, &missing, e)
                                : ts_fail_nomem(e);
    *n = missing.n;
    ts_arena_free(&arena);
    return st;
}
