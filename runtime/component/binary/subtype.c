/* subtype: subtyping of component-level types, substitution of resource types, and free resource
 * types.
 * In: types of one component's environment. Out: a verdict with its reason, or renamed copies.
 * spec: Explainer.md#type-checking, Subtyping.md */
#include "component/binary/validate.h"
#include <stdio.h>
#include <string.h>

/* --- names to positions ------------------------------------------------------------------------ */
ts_name_ref ts_named_extern_at(const void *items, uint32_t i) {
    const ts_named_extern *x = items;
    return (ts_name_ref){.a = x[i].name, .a_len = x[i].name_len};
}
ts_name_ref ts_core_import_at(const void *items, uint32_t i) {
    const ts_core_import_type *x = items;
    return (ts_name_ref){.a = x[i].module, .a_len = x[i].module_len, .b = x[i].name, .b_len = x[i].name_len};
}
ts_name_ref ts_core_export_at(const void *items, uint32_t i) {
    const ts_core_export_type *x = items;
    return (ts_name_ref){.a = x[i].name, .a_len = x[i].name_len};
}
static ts_name_ref name_ref(const char *name, size_t len) {
    return (ts_name_ref){.a = name, .a_len = (uint32_t)len};
}
const ts_named_extern *ts_instance_type_find(const ts_instance_type *t, const char *name, size_t len) {
    uint32_t i = ts_names_find(&t->index, t->exports, t->n, ts_named_extern_at, name_ref(name, len));
    return i == UINT32_MAX ? NULL : &t->exports[i];
}
const ts_named_extern *ts_component_type_find_import(const ts_component_type *t, const char *name, size_t len) {
    uint32_t i = ts_names_find(&t->import_index, t->imports, t->n_imports, ts_named_extern_at, name_ref(name, len));
    return i == UINT32_MAX ? NULL : &t->imports[i];
}
const ts_named_extern *ts_component_type_find_export(const ts_component_type *t, const char *name, size_t len) {
    uint32_t i = ts_names_find(&t->export_index, t->exports, t->n_exports, ts_named_extern_at, name_ref(name, len));
    return i == UINT32_MAX ? NULL : &t->exports[i];
}
const ts_core_export_type *ts_core_type_find_export(const ts_core_module_type *t, const char *name, size_t len) {
    uint32_t i = ts_names_find(&t->export_index, t->exports, t->n_exports, ts_core_export_at, name_ref(name, len));
    return i == UINT32_MAX ? NULL : &t->exports[i];
}

/* --- sizes ------------------------------------------------------------------------------------- */
bool ts_extern_has_resource(const ts_extern_type *t) {
    return t->is_resource || (t->func && t->func->has_handle) || (t->type && t->type->has_handle) ||
           (t->instance && t->instance->has_resource) || (t->component && t->component->has_resource) ||
           (t->value && t->value->has_handle);
}
uint64_t ts_extern_nodes(const ts_extern_type *t) {
    if (t->func) return t->func->nodes;
    if (t->type) return t->type->nodes;
    if (t->instance) return t->instance->nodes;
    if (t->component) return t->component->nodes;
    if (t->module_type) return t->module_type->nodes;
    if (t->value) return t->value->nodes;
    return 1;
}
static uint32_t extern_depth(const ts_extern_type *t) {
    if (t->instance) return t->instance->depth;
    if (t->component) return t->component->depth;
    if (t->func) return t->func->depth;
    if (t->type) return t->type->depth;
    return t->value ? t->value->depth : 0;
}
static ts_status sum_members(ts_dec *d, uint64_t off, const char *sec, const ts_named_extern *x, uint32_t n,
                             uint64_t *nodes, uint32_t *depth, bool *res) {
    for (uint32_t i = 0; i < n; i++) {
        *nodes += ts_extern_nodes(x[i].type);
        if (extern_depth(x[i].type) + 1 > *depth) *depth = extern_depth(x[i].type) + 1;
        *res |= ts_extern_has_resource(x[i].type);
    }
    if (*nodes > TS_CT_MAX_NODES)
        return ts_fail_at(d->err, TS_INVALID, off, sec, "effective type size exceeds the limit of %d", TS_CT_MAX_NODES);
    if (*depth > TS_CT_MAX_DEPTH)
        return ts_fail_at(d->err, TS_INVALID, off, sec, "type nesting is too deep: the limit is %d", TS_CT_MAX_DEPTH);
    return TS_OK;
}
ts_status ts_instance_type_finish(ts_dec *d, uint64_t off, const char *sec, ts_instance_type *t) {
    uint64_t nodes = 1;
    uint32_t depth = 1, dup;
    t->has_resource = t->n_bound > 0;
    TS_TRY(sum_members(d, off, sec, t->exports, t->n, &nodes, &depth, &t->has_resource));
    t->nodes = (uint32_t)nodes;
    t->depth = (uint16_t)depth;
    if (!ts_names_build(d->arena, t->exports, t->n, ts_named_extern_at, &t->index, &dup)) return ts_fail_nomem(d->err);
    return TS_OK;
}
ts_status ts_component_type_finish(ts_dec *d, uint64_t off, const char *sec, ts_component_type *t) {
    uint64_t nodes = 1;
    uint32_t depth = 1, dup;
    t->has_resource = t->n_bound > 0;
    TS_TRY(sum_members(d, off, sec, t->imports, t->n_imports, &nodes, &depth, &t->has_resource));
    TS_TRY(sum_members(d, off, sec, t->exports, t->n_exports, &nodes, &depth, &t->has_resource));
    t->nodes = (uint32_t)nodes;
    t->depth = (uint16_t)depth;
    if (!ts_names_build(d->arena, t->imports, t->n_imports, ts_named_extern_at, &t->import_index, &dup) ||
        !ts_names_build(d->arena, t->exports, t->n_exports, ts_named_extern_at, &t->export_index, &dup))
        return ts_fail_nomem(d->err);
    return TS_OK;
}

/* --- subtyping --------------------------------------------------------------------------------- */
uint32_t ts_rmap_get(const ts_rmap *m, uint32_t slot) {
    for (; m; m = m->up) {
        uintptr_t v;
        if (ts_ptrmap_get(&m->m, ts_slot_key(slot), &v)) return (uint32_t)v;
    }
    return slot;
}
static bool rmap_has(const ts_rmap *m, uint32_t slot) {
    for (; m; m = m->up)
        if (ts_ptrmap_get(&m->m, ts_slot_key(slot), NULL)) return true;
    return false;
}

static bool mismatch(ts_sub *c, const char *fmt, ...) TS_PRINTF(2, 3);
static bool mismatch(ts_sub *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (c->size) vsnprintf(c->buf, c->size, fmt, ap);
    va_end(ap);
    return false;
}
static bool mismatch_in(ts_sub *c, const char *fmt, ...) TS_PRINTF(2, 3);
static bool mismatch_in(ts_sub *c, const char *fmt, ...) {
    char front[160], all[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(front, sizeof front, fmt, ap);
    va_end(ap);
    if (!c->size) return false;
    snprintf(all, sizeof all, "%s: %.340s", front, c->buf);
    snprintf(c->buf, c->size, "%s", all);
    return false;
}

static bool same_resource(const ts_ct_cmp *x, uint32_t have, uint32_t want) {
    const ts_sub *c = x->data;
    return ts_rmap_get(c->have_map, have) == ts_rmap_get(c->want_map, want);
}
static ts_ct_cmp cmp_of(ts_sub *c) {
    return (ts_ct_cmp){.same = same_resource, .data = c, .budget = &c->d->budget, .buf = c->buf, .size = c->size};
}

const char *ts_sort_name(ts_sort s) {
    switch (s) {
    case TS_SORT_FUNC: return "func";
    case TS_SORT_VALUE: return "value";
    case TS_SORT_TYPE: return "type";
    case TS_SORT_COMPONENT: return "component";
    case TS_SORT_INSTANCE: return "instance";
    case TS_SORT_CORE_FUNC: return "core func";
    case TS_SORT_CORE_TABLE: return "core table";
    case TS_SORT_CORE_MEMORY: return "core memory";
    case TS_SORT_CORE_GLOBAL: return "core global";
    case TS_SORT_CORE_TAG: return "core tag";
    case TS_SORT_CORE_TYPE: return "core type";
    case TS_SORT_CORE_MODULE: return "core module";
    case TS_SORT_CORE_INSTANCE: return "core instance";
    }
    return "?";
}
static const char *type_kind(const ts_extern_type *t) {
    return t->is_resource ? "resource"
           : t->type      ? "defined type"
           : t->func      ? "func"
           : t->instance  ? "instance"
                          : "component";
}

static bool fails(ts_sub *c, ts_status s) {
    if (s != TS_OK) c->failed = true;
    return s != TS_OK;
}
static bool no_memory(ts_sub *c) {
    return !fails(c, ts_fail_nomem(c->d->err));
}

static bool instance_matches(ts_sub *c, const ts_instance_type *have, const ts_instance_type *want) {
    if (have == want && !have->has_resource) return true;
    for (uint32_t i = 0; i < want->n; i++) {
        const ts_named_extern *w = &want->exports[i], *h = ts_instance_type_find(have, w->name, w->name_len);
        if (!h) return mismatch(c, "missing expected export `%.100s`", w->name);
        if (!ts_extern_matches_sub(c, h->type, w->type))
            return mismatch_in(c, "type mismatch in instance export `%.100s`", w->name);
    }
    return true;
}

/* The imports of `want` are what `have` will be given. The exported resource types of `want` stand
 * for those of `have`. */
static bool component_matches(ts_sub *c, const ts_component_type *have, const ts_component_type *want) {
    if (have == want && !have->has_resource) return true;
    ts_rmap have_map = {.up = c->have_map}, want_map = {.up = c->want_map};
    ts_ptrmap open_have = {0}, open_want = {0};
    bool ok = true, mem = true;
    for (uint32_t i = 0; i < have->n_bound_imports; i++)
        mem &= ts_ptrmap_put(&open_have, ts_slot_key(have->bound[i]), 1);
    for (uint32_t i = 0; i < want->n_bound; i++) {
        uint32_t slot = want->bound[i];
        mem &= i < want->n_bound_imports ? ts_ptrmap_put(&want_map.m, ts_slot_key(slot), slot)
                                         : ts_ptrmap_put(&open_want, ts_slot_key(slot), 1);
    }
    ts_sub in = {
        .d = c->d, .have_map = &want_map, .want_map = &have_map, .open = &open_have, .buf = c->buf, .size = c->size};
    for (uint32_t i = 0; mem && ok && i < have->n_imports; i++) {
        const ts_named_extern *h = &have->imports[i], *w = ts_component_type_find_import(want, h->name, h->name_len);
        if (!w)
            ok = mismatch(c, "missing expected import `%.100s`", h->name);
        else if (!ts_extern_matches_sub(&in, w->type, h->type))
            ok = mismatch_in(c, "type mismatch in component import `%.100s`", h->name);
    }
    ts_sub out = {
        .d = c->d, .have_map = &have_map, .want_map = &want_map, .open = &open_want, .buf = c->buf, .size = c->size};
    for (uint32_t i = 0; mem && ok && i < want->n_exports; i++) {
        const ts_named_extern *w = &want->exports[i], *h = ts_component_type_find_export(have, w->name, w->name_len);
        if (!h)
            ok = mismatch(c, "missing expected export `%.100s`", w->name);
        else if (!ts_extern_matches_sub(&out, h->type, w->type))
            ok = mismatch_in(c, "type mismatch in component export `%.100s`", w->name);
    }
    if (!mem) (void)no_memory(c);
    c->failed |= in.failed || out.failed;
    ts_ptrmap_free(&have_map.m);
    ts_ptrmap_free(&want_map.m);
    ts_ptrmap_free(&open_have);
    ts_ptrmap_free(&open_want);
    return ok && !c->failed;
}

/* spec: Explainer.md#type-checking: what is given replaces the import, also as a name, which matters
 * for external visibility */
static void note_name(ts_sub *c, const void *want, const void *have) {
    if (c->names && want != have && !ts_ptrmap_put(c->names, want, (uintptr_t)have)) (void)no_memory(c);
}

static bool type_matches(ts_sub *c, const ts_extern_type *have, const ts_extern_type *want) {
    if (want->is_resource) {
        if (!have->is_resource) return mismatch(c, "expected resource, found %s", type_kind(have));
        if (ts_ptrmap_get(c->open, ts_slot_key(want->resource), NULL) && !rmap_has(c->want_map, want->resource)) {
            if (!ts_ptrmap_put(&c->want_map->m, ts_slot_key(want->resource), ts_rmap_get(c->have_map, have->resource)))
                return no_memory(c);
            note_name(c, want, have);
            return !c->failed;
        }
        if (ts_rmap_get(c->have_map, have->resource) == ts_rmap_get(c->want_map, want->resource)) {
            note_name(c, want, have);
            return !c->failed;
        }
        return mismatch(c, "resource types are not the same");
    }
    ts_ct_cmp x = cmp_of(c);
    if (want->type && have->type) {
        if (!ts_ctype_matches(have->type, want->type, &x)) return false;
        if (!ts_ctype_primitive(want->type->kind)) note_name(c, want->type, have->type);
        return !c->failed;
    }
    if (want->func && have->func) return ts_cfunc_type_matches_by(have->func, want->func, &x);
    if (want->instance && have->instance) return instance_matches(c, have->instance, want->instance);
    if (want->component && have->component) return component_matches(c, have->component, want->component);
    return mismatch(c, "expected %s, found %s", type_kind(want), type_kind(have));
}

bool ts_extern_matches_sub(ts_sub *c, const ts_extern_type *have, const ts_extern_type *want) {
    if (c->d->budget == 0) return mismatch(c, "the types are too large to be compared");
    c->d->budget--;
    if (fails(c, ts_stack_check(c->d->err))) return false;
    if (have->sort != want->sort)
        return mismatch(c, "expected %s, found %s", ts_sort_name(want->sort), ts_sort_name(have->sort));
    ts_ct_cmp x = cmp_of(c);
    switch (want->sort) {
    case TS_SORT_FUNC: return ts_cfunc_type_matches_by(have->func, want->func, &x);
    case TS_SORT_VALUE: return ts_ctype_matches(have->value, want->value, &x);
    case TS_SORT_TYPE: return type_matches(c, have, want);
    case TS_SORT_INSTANCE: return instance_matches(c, have->instance, want->instance);
    case TS_SORT_COMPONENT: return component_matches(c, have->component, want->component);
    case TS_SORT_CORE_MODULE:
        return ts_core_module_type_matches(c->d->types, have->module_type, want->module_type, c->buf, c->size);
    default: return mismatch(c, "unexpected sort");
    }
}

/* --- substitution ------------------------------------------------------------------------------ */
void ts_subst_free(ts_subst *s) {
    ts_ptrmap_free(&s->slots);
    ts_ptrmap_free(&s->memo);
}
static bool map_slot(ts_subst *s, uint32_t slot, uint32_t *out) {
    uintptr_t v;
    if (ts_ptrmap_get(&s->slots, ts_slot_key(slot), &v)) {
        *out = (uint32_t)v;
        return true;
    }
    *out = slot;
    if (!s->fresh) return true;
    if (ts_env_slot(s->d, s->fresh, false, out) != TS_OK) return false;
    if (ts_ptrmap_put(&s->slots, ts_slot_key(slot), *out)) return true;
    (void)ts_fail_nomem(s->d->err);
    return false;
}
static bool charge(ts_subst *s, uint64_t n) {
    n *= TS_COMP_COPY_COST;
    if (s->d->budget > n) {
        s->d->budget -= n;
        return true;
    }
    s->d->budget = 0;
    (void)ts_fail(s->d->err, TS_INVALID,
                  "effective type size exceeds the limit: too many copies of types with resources");
    return false;
}
static const void *remember(ts_subst *s, const void *old, const void *new) {
    if (ts_ptrmap_put(&s->memo, old, (uintptr_t)new)) return new;
    (void)ts_fail_nomem(s->d->err);
    return NULL;
}
static const void *remembered(ts_subst *s, const void *old) {
    uintptr_t v;
    return ts_ptrmap_get(&s->memo, old, &v) ? (const void *)v : NULL;
}

/* Substitution. What does not change is not copied: it keeps its address, which is its name for
 * external visibility. */
static const ts_ct_case *subst_cases(ts_subst *s, const ts_ct_case *cases, uint32_t n);
static const ts_ctype *subst_ctype(ts_subst *s, const ts_ctype *t) {
    if (!t || (!t->has_handle && !s->deep) || ts_ctype_primitive(t->kind)) return t;
    const ts_ctype *done = remembered(s, t);
    if (done) return done;
    if (!charge(s, 1)) return NULL;
    ts_ctype c = *t;
    if (t->kind == TS_CT_OWN || t->kind == TS_CT_BORROW) {
        if (!map_slot(s, t->resource, &c.resource)) return NULL;
        if (t->alias && !(c.alias = ts_subst_extern(s, t->alias))) return NULL;
    }
    if (t->cases && !(c.cases = subst_cases(s, t->cases, t->n))) return NULL;
    if (t->elem && !(c.elem = subst_ctype(s, t->elem))) return NULL;
    if (t->elem2 && !(c.elem2 = subst_ctype(s, t->elem2))) return NULL;
    if (c.resource == t->resource && c.alias == t->alias && c.cases == t->cases && c.elem == t->elem &&
        c.elem2 == t->elem2)
        return remember(s, t, t);
    ts_ctype *n = ts_dec_alloc(s->d, 1, sizeof *n);
    if (!n) return NULL;
    *n = c;
    return remember(s, t, n);
}
static const ts_ct_case *subst_cases(ts_subst *s, const ts_ct_case *cases, uint32_t n) {
    if (!charge(s, n)) return NULL;
    ts_ct_case *out = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const ts_ctype *t = subst_ctype(s, cases[i].type);
        if (cases[i].type && !t) return NULL;
        if (t == cases[i].type) continue;
        if (!out) {
            if (!(out = ts_dec_alloc(s->d, n, sizeof *out))) return NULL;
            memcpy(out, cases, n * sizeof *out);
        }
        out[i].type = t;
    }
    return out ? out : cases;
}
static const ts_cfunc_type *subst_func(ts_subst *s, const ts_cfunc_type *t) {
    if (!t->has_handle && !s->deep) return t;
    const ts_cfunc_type *done = remembered(s, t);
    if (done) return done;
    const ts_ct_case *params = subst_cases(s, t->params, t->n_params);
    const ts_ctype *result = subst_ctype(s, t->result);
    if ((t->n_params && !params) || (t->result && !result)) return NULL;
    if (params == t->params && result == t->result) return remember(s, t, t);
    ts_cfunc_type *n = ts_dec_alloc(s->d, 1, sizeof *n);
    if (!n) return NULL;
    *n = *t;
    n->params = params;
    n->result = result;
    return remember(s, t, n);
}
static const ts_named_extern *subst_named(ts_subst *s, const ts_named_extern *x, uint32_t n) {
    if (!charge(s, n)) return NULL;
    ts_named_extern *out = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const ts_extern_type *t = ts_subst_extern(s, x[i].type);
        if (!t) return NULL;
        if (t == x[i].type) continue;
        if (!out) {
            if (!(out = ts_dec_alloc(s->d, n, sizeof *out))) return NULL;
            memcpy(out, x, n * sizeof *out);
        }
        out[i].type = t;
    }
    return out ? out : x;
}
static const uint32_t *subst_bound(ts_subst *s, const uint32_t *bound, uint32_t n) {
    if (!charge(s, n)) return NULL;
    uint32_t *out = ts_dec_alloc(s->d, n, sizeof *out);
    bool changed = false;
    for (uint32_t i = 0; out && i < n; i++) {
        if (!map_slot(s, bound[i], &out[i])) return NULL;
        changed |= out[i] != bound[i];
    }
    return out && !changed ? bound : out;
}
const ts_instance_type *ts_subst_instance(ts_subst *s, const ts_instance_type *t, bool open) {
    if (!t->has_resource && !s->deep) return t;
    const ts_instance_type *done = remembered(s, t);
    if (done) return done;
    ts_instance_type c = *t; /* the names do not change, so the index stays valid */
    if (open) {
        c.n_bound = 0;
        c.bound = NULL;
    } else if (t->n_bound && !(c.bound = subst_bound(s, t->bound, t->n_bound))) {
        return NULL;
    }
    if (t->n && !(c.exports = subst_named(s, t->exports, t->n))) return NULL;
    if (c.bound == t->bound && c.exports == t->exports) return remember(s, t, t);
    ts_instance_type *n = ts_dec_alloc(s->d, 1, sizeof *n);
    if (!n) return NULL;
    *n = c;
    return remember(s, t, n);
}
const ts_component_type *ts_subst_component(ts_subst *s, const ts_component_type *t) {
    if (!t->has_resource && !s->deep) return t;
    const ts_component_type *done = remembered(s, t);
    if (done) return done;
    ts_component_type c = *t;
    if (t->n_bound && !(c.bound = subst_bound(s, t->bound, t->n_bound))) return NULL;
    if (t->n_imports && !(c.imports = subst_named(s, t->imports, t->n_imports))) return NULL;
    if (t->n_exports && !(c.exports = subst_named(s, t->exports, t->n_exports))) return NULL;
    if (c.bound == t->bound && c.imports == t->imports && c.exports == t->exports) return remember(s, t, t);
    ts_component_type *n = ts_dec_alloc(s->d, 1, sizeof *n);
    if (!n) return NULL;
    *n = c;
    return remember(s, t, n);
}
const ts_extern_type *ts_subst_extern(ts_subst *s, const ts_extern_type *t) {
    if (!ts_extern_has_resource(t) && !s->deep) return t;
    const ts_extern_type *done = remembered(s, t);
    if (done) return done;
    if (ts_stack_check(s->d->err) != TS_OK) return NULL;
    ts_extern_type c = *t;
    if (t->is_resource && !map_slot(s, t->resource, &c.resource)) return NULL;
    if (t->func && !(c.func = subst_func(s, t->func))) return NULL;
    if (t->type && !(c.type = subst_ctype(s, t->type))) return NULL;
    if (t->value && !(c.value = subst_ctype(s, t->value))) return NULL;
    if (t->instance && !(c.instance = ts_subst_instance(s, t->instance, false))) return NULL;
    if (t->component && !(c.component = ts_subst_component(s, t->component))) return NULL;
    if (c.resource == t->resource && c.func == t->func && c.type == t->type && c.value == t->value &&
        c.instance == t->instance && c.component == t->component)
        return remember(s, t, t);
    ts_extern_type *n = ts_dec_alloc(s->d, 1, sizeof *n);
    if (!n) return NULL;
    *n = c;
    return remember(s, t, n);
}

/* --- free slots -------------------------------------------------------------------------------- */
typedef struct freewalk {
    ts_dec *d;
    ts_ptrmap seen, bound;
    ts_ptrmap *out;
    bool failed;
} freewalk;
static void collect_slot(freewalk *w, uint32_t slot) {
    if (!ts_ptrmap_get(&w->bound, ts_slot_key(slot), NULL) && !ts_ptrmap_put(w->out, ts_slot_key(slot), 1))
        w->failed = true;
}
static bool visit_once(freewalk *w, const void *p) {
    if (w->failed || ts_ptrmap_get(&w->seen, p, NULL)) return false;
    if (w->d->budget == 0 || !ts_ptrmap_put(&w->seen, p, 1)) {
        w->failed = true;
        return false;
    }
    w->d->budget--;
    return true;
}
static void bind_all(freewalk *w, const uint32_t *bound, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!ts_ptrmap_put(&w->bound, ts_slot_key(bound[i]), 1)) w->failed = true;
}
static void free_ctype(freewalk *w, const ts_ctype *t) {
    if (!t || !t->has_handle || !visit_once(w, t)) return;
    if (t->kind == TS_CT_OWN || t->kind == TS_CT_BORROW) collect_slot(w, t->resource);
    for (uint32_t i = 0; t->cases && i < t->n; i++) free_ctype(w, t->cases[i].type);
    free_ctype(w, t->elem);
    free_ctype(w, t->elem2);
}
static void free_extern(freewalk *w, const ts_extern_type *t) {
    if (!ts_extern_has_resource(t) || !visit_once(w, t)) return;
    if (t->is_resource) collect_slot(w, t->resource);
    free_ctype(w, t->type);
    free_ctype(w, t->value);
    if (t->func) {
        for (uint32_t i = 0; i < t->func->n_params; i++) free_ctype(w, t->func->params[i].type);
        free_ctype(w, t->func->result);
    }
    if (t->instance) {
        bind_all(w, t->instance->bound, t->instance->n_bound);
        for (uint32_t i = 0; i < t->instance->n; i++) free_extern(w, t->instance->exports[i].type);
    }
    if (t->component) {
        bind_all(w, t->component->bound, t->component->n_bound);
        for (uint32_t i = 0; i < t->component->n_imports; i++) free_extern(w, t->component->imports[i].type);
        for (uint32_t i = 0; i < t->component->n_exports; i++) free_extern(w, t->component->exports[i].type);
    }
}
bool ts_free_slots(ts_dec *d, const ts_extern_type *t, ts_ptrmap *out) {
    freewalk w = {.d = d, .out = out};
    free_extern(&w, t);
    ts_ptrmap_free(&w.seen);
    ts_ptrmap_free(&w.bound);
    if (w.failed)
        (void)(d->budget ? ts_fail_nomem(d->err)
                         : ts_fail(d->err, TS_INVALID, "effective type size exceeds the limit"));
    return !w.failed;
}
