/* instance: component instances at run time, and calling their exports.
 * In: a component, a linker (the host) and a store. Out: a component instance; typed calls.
 * spec: Explainer.md#component-invariants; CanonicalABI.md (canon lift, canon lower, handle tables) */
#ifndef TS_COMPONENT_INSTANCE_H
#define TS_COMPONENT_INSTANCE_H
#include "component/abi/canon.h"

ts_status ts_cstore_create(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_cstore **out,
                           ts_error *e) TS_MUST_USE;
void ts_cstore_destroy(ts_cstore *s);
ts_store *ts_cstore_core(ts_cstore *s);

/* An import that the linker cannot provide. They are found before anything runs. */
typedef struct ts_missing {
    char name[160];
    char function[160];
    char reason[200];
} ts_missing;
/* Checks all imports. *n is set to the number of missing ones, of which at most max are written to out. */
ts_status ts_linker_check(ts_linker *l, const ts_component *c, ts_missing *out, uint32_t max, uint32_t *n,
                          ts_error *e) TS_MUST_USE;
ts_status ts_component_instantiate(ts_cstore *s, ts_linker *l, ts_component *c, ts_cinstance **out,
                                   ts_error *e) TS_MUST_USE;
/* The same in two steps, for a caller that makes many instances: the imports are resolved once, for one
 * linker. The linked component keeps a reference to that linker. */
typedef struct ts_linked ts_linked;
ts_status ts_component_link(ts_linker *l, ts_component *c, TS_OWN ts_linked **out, ts_error *e) TS_MUST_USE;
ts_status ts_linked_instantiate(ts_cstore *s, const ts_linked *k, ts_cinstance **out, ts_error *e) TS_MUST_USE;
void ts_linked_free(ts_linked *k);

/* Finds an exported function by name, at the root or in an interface. Interface names match if their
 * versions are compatible. */
ts_cfunc *ts_cinstance_func(ts_cinstance *i, const char *interface /* or NULL */, const char *name);
/* Finds the function that the text of a call names: "f(…)" or "interface#f". The name is copied into the
 * pool. Returns TS_USAGE if there is no such function. */
ts_status ts_cinstance_find_text(ts_cinstance *i, const char *call, ts_pool *pool, ts_cfunc **out,
                                 ts_error *e) TS_MUST_USE;

/* The rest is shared by the files of run/. */
/* Makes an instance of c, whose definitions are carried out in order. parent and outer are NULL for an
 * outermost component. */
ts_status ts_cinstance_create(ts_cstore *s, ts_component *c, ts_cinstance *parent, ts_cinstance *outer,
                              const ts_item *imports, ts_cinstance **out, ts_error *e) TS_MUST_USE;
/* 🪙 Checks that a value with an `eq` bound equals the value it is bound to. `values` is the value space
 * that the bounds refer to. */
ts_status ts_values_agree(const ts_extern_type *t, const char *name, const ts_item *item, const ts_item *values,
                          uint32_t n_values, ts_error *e) TS_MUST_USE;
const ts_item *ts_exports_find(const ts_exports *x, const char *name, size_t len);
ts_status ts_bind_resources(const ts_def *d, const ts_item *item, ts_resource **env, ts_error *e) TS_MUST_USE;
const ts_exports *ts_cinstance_exports(const ts_cinstance *i);
#endif
