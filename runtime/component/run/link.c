/* link: binding the imports of an outermost component once, and making instances of it.
 * In: a linker, a component and a store. Out: a ts_linked that several instances share, or an instance.
 * spec: Explainer.md#import-and-export-definitions */
#include "component/run/linker.h"
#include <string.h>

/* The resolved imports of a component. They are constant once they have been resolved. */
struct ts_linked {
    ts_component *component;
    ts_arena arena;
    ts_item *imports;
    ts_linker *linker;      /* may be NULL */
    const ts_cstore *store; /* the store of the instances that were given; NULL if none were */
};

static ts_status resolve(ts_linker *l, ts_component *c, ts_arena *arena, ts_item **imports, const ts_cstore **store,
                         ts_error *e) {
    *imports = ts_arena_array(arena, c->n_imports, sizeof **imports);
    ts_resource **env = ts_arena_array(arena, c->n_resources, sizeof *env);
    if (!*imports || !env) return ts_fail_nomem(e);
    ts_missing first;
    memset(&first, 0, sizeof first);
    ts_missing_list missing = {.out = &first, .max = 1};
    TS_TRY(ts_linker_resolve(l, c, arena, env, *imports, &missing, e));
    *store = missing.store;
    if (missing.n && (missing.hard || !(l && ts_linker_trap_missing(l)))) {
        return ts_fail(e, TS_UNLINKABLE, "the import `%s%s%s` cannot be linked: %s%s", first.name,
                       first.function[0] ? " " : "", first.function, first.reason,
                       missing.n > 1 ? " (and others)" : "");
    }
    return TS_OK;
}

ts_status ts_component_link(ts_linker *l, ts_component *c, TS_OWN ts_linked **out, ts_error *e) {
    *out = NULL;
    ts_linked *k = calloc(1, sizeof *k);
    if (!k) return ts_fail_nomem(e);
    ts_arena_init(&k->arena);
    ts_status st = resolve(l, c, &k->arena, &k->imports, &k->store, e);
    if (st != TS_OK) {
        ts_arena_free(&k->arena);
        free(k);
        return st;
    }
    __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    k->component = c;
    k->linker = l ? ts_linker_hold(l) : NULL;
    *out = k;
    return TS_OK;
}
void ts_linked_free(ts_linked *k) {
    if (!k) return;
    ts_component_free(k->component);
    ts_linker_destroy(k->linker);
    ts_arena_free(&k->arena);
    free(k);
}

static ts_status instantiate_top(ts_cstore *s, ts_linker *l, ts_component *c, const ts_item *imports,
                                 const ts_cstore *given, ts_cinstance **out, ts_error *e) {
    if (given && given != s) return ts_fail(e, TS_USAGE, "an instance given for an import belongs to another store");
    bool held = !l;
    for (uint32_t i = 0; i < s->linkers.len && !held; i++) held = s->linkers.data[i] == l;
    if (!held) {
        if (!ts_vec_push(&s->linkers, l)) return ts_fail_nomem(e);
        ts_linker_hold(l);
    }
    if (s->n_components == s->cap_components &&
        !ts_vec_grow((void **)&s->components, &s->cap_components, (uint64_t)s->n_components + 1, sizeof *s->components))
        return ts_fail_nomem(e);
    __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    s->components[s->n_components++] = c;
    return ts_cinstance_create(s, c, NULL, NULL, imports, out, e);
}
static ts_status same_engine(const ts_cstore *s, const ts_component *c, ts_error *e) {
    return s->engine == c->engine ? TS_OK
                                  : ts_fail(e, TS_USAGE, "the component and the store belong to different engines");
}
ts_status ts_linked_instantiate(ts_cstore *s, const ts_linked *k, ts_cinstance **out, ts_error *e) {
    TS_TRY(same_engine(s, k->component, e));
    return instantiate_top(s, k->linker, k->component, k->imports, k->store, out, e);
}
ts_status ts_component_instantiate(ts_cstore *s, ts_linker *l, ts_component *c, ts_cinstance **out, ts_error *e) {
    ts_item *imports;
    const ts_cstore *given;
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, c);
    TS_NEED(e, out);
    *out = NULL;
    TS_TRY(same_engine(s, c, e));
    TS_TRY(resolve(l, c, &s->arena, &imports, &given, e));
    return instantiate_top(s, l, c, imports, given, out, e);
}
