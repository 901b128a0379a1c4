/* instance: component instances at run time, and calling their exports.
 * In: a component, a linker (the host) and a store. Out: a component instance; typed calls.
 * spec: Explainer.md#component-invariants; CanonicalABI.md (canon lift, canon lower, handle tables) */
#ifndef TS_COMPONENT_INSTANCE_H
#define TS_COMPONENT_INSTANCE_H
#include "component/binary/component.h"
#include "component/run/host.h"
#include "core/run/store.h"

typedef struct ts_cinstance ts_cinstance; /* a component instance (has its own handle table, may_leave, may_enter) */
typedef struct ts_cfunc ts_cfunc;         /* a component function: lifted from core, or of the host */

ts_status ts_cstore_create(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_cstore **out,
                           ts_error *e) TS_MUST_USE;
void ts_cstore_destroy(ts_cstore *s);
ts_store *ts_cstore_core(ts_cstore *s);

/* What the linker cannot provide, one line each, before anything runs. */
typedef struct ts_missing {
    char name[160];
    char function[160];
    char reason[200];
} ts_missing;
/* Check all imports: *n gets the number of missing ones (at most max are written to out). */
ts_status ts_linker_check(ts_linker *l, const ts_component *c, ts_missing *out, uint32_t max, uint32_t *n,
                          ts_error *e) TS_MUST_USE;
ts_status ts_component_instantiate(ts_cstore *s, ts_linker *l, ts_component *c, ts_cinstance **out,
                                   ts_error *e) TS_MUST_USE;
/* The same in two steps, for who makes many instances: the imports are found once, for one linker, which must live on. */
typedef struct ts_linked ts_linked;
ts_status ts_component_link(ts_linker *l, ts_component *c, TS_OWN ts_linked **out, ts_error *e) TS_MUST_USE;
ts_status ts_linked_instantiate(ts_cstore *s, const ts_linked *k, ts_cinstance **out, ts_error *e) TS_MUST_USE;
void ts_linked_free(ts_linked *k);

/* Find an export by path: "run", or interface name then function; semver-compatible interface names match. */
ts_cfunc *ts_cinstance_func(ts_cinstance *i, const char *interface /* or NULL */, const char *name);
/* Function type and resource map of an export. */
const ts_cfunc_type *ts_cfunc_get_type(const ts_cfunc *f);
/* Call with lifted values; the result lives in `arena`. Traps poison the instance. */
ts_status ts_cfunc_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena,
                        ts_error *e) TS_MUST_USE;
/* Drop an own handle that the embedder holds. */
ts_status ts_handle_drop(ts_cstore *s, const ts_val *own, ts_error *e) TS_MUST_USE;
/* The function that the text of a call names: "f(…)", "interface#f". The pool takes a copy of the name. TS_USAGE: there is none. */
ts_status ts_cinstance_find_text(ts_cinstance *i, const char *call, ts_pool *pool, ts_cfunc **out,
                                 ts_error *e) TS_MUST_USE;

/* WAVE notation of a value. Returns bytes that it takes in full (as snprintf). max_items: longer lists are shortened (0: never). */
size_t ts_wave_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items);
/* Parse WAVE arguments, `(args)` with their parentheses: n_params values into args, what they point to into arena. */
ts_status ts_wave_parse_args(const ts_cfunc_type *t, const char *text, ts_arena *arena, ts_val *args,
                             ts_error *e) TS_MUST_USE;
/* One value of type t. */
ts_status ts_wave_parse(const ts_ctype *t, const char *text, ts_arena *arena, ts_val *v, ts_error *e) TS_MUST_USE;
#endif
