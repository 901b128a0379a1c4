/* host: how the host (wasi/, an embedder) gives instances to components: functions with component-level
 * types, resources with destructors.
 * In: constant tables. Out: link-time instances. wasi/ sees this header and what it includes, never core/.
 * spec: Explainer.md#import-and-export-definitions; CanonicalABI.md#canon-lower (the callee being the host)
 * */
#ifndef TS_COMPONENT_HOST_H
#define TS_COMPONENT_HOST_H
#include "base/arena.h"
#include "component/type/names.h"
#include "component/type/val.h"

typedef struct ts_linker ts_linker; /* what the host provides, by name; one for each configuration */
/* run-time state of component instances of one run (wraps a core store) */
typedef struct ts_cstore ts_cstore;
typedef struct ts_resource ts_resource; /* a run-time resource type: identity by address */

/* A running call from a guest to the host. */
struct ts_host_call {
    void *host; /* the pointer that was registered with the linker: the WASI context */
    ts_cstore *store;
    ts_arena *arena; /* for results; reset when the call has ended */
    ts_error *err;
    /* a result's lists and strings beyond this are a limit error [256 MiB] */
    uint64_t max_bytes;
    const struct ts_host_func *func;         /* the function that is called */
    const struct ts_host_resource *resource; /* or the resource type whose drop is called */
    /* set by the host if the call was refused because it was not granted, which a trace reports */
    bool denied;
};

/* args: n_params values; result: where the result goes (unset when the function has none). Handles:
 * args[i].handle.rep is the rep given at creation (own: ownership passes to the host; borrow: valid during
 * the call); to return own<r> set handle.rep (rt is filled in). Return TS_OK, or a failure put into c->err:
 * ts_host_trap(…), TS_EXIT with err->exit_status. */
typedef ts_status (*ts_host_fn)(ts_host_call *c, const ts_val *args, ts_val *result);

typedef struct ts_host_resource {
    const char *interface; /* "wasi:io/streams" */
    const char *name;      /* "input-stream" */
    /* Called when the last owner drops it. May trap (a child is still alive). NULL: nothing. */
    ts_status (*drop)(ts_host_call *c, uint64_t rep);
} ts_host_resource;

typedef struct ts_host_func {
    const char *interface;     /* without version */
    const char *name;          /* "[method]input-stream.read", "get-random-bytes" */
    const char *since;         /* "0.2.0": informative */
    const char *unstable;      /* feature name, or NULL */
    const ts_cfunc_type *type; /* own/borrow slots index the table of host resources */
    ts_host_fn fn;             /* NULL: specified, and not implemented here: link error or trap, by name */
} ts_host_func;

typedef struct ts_host_iface_type {
    const char *interface;
    const char *name;
    const ts_ctype *type;
} ts_host_iface_type; /* exported value types (records, enums …) */

/* One host = all it provides for one range of versions. Resource identity is per host and linker: the same
 * across 0.2.x names. */
typedef struct ts_host_def {
    /* "0.2.0", "0.2.12": names of this semver track link, also newer patches */
    const char *version_min, *version_max;
    uint32_t n_resources, n_funcs, n_types;
    const ts_host_resource *resources;
    const ts_host_func *funcs; /* sorted by interface, then name */
    const ts_host_iface_type *types;
} ts_host_def;
/* version_min NULL: names without version. An interface of "" holds functions and resources that components
 * import by themselves. */

ts_status ts_host_trap(ts_host_call *c, const char *fmt, ...) TS_PRINTF(2, 3); /* TS_TRAP, kind host */
ts_status ts_host_limit(ts_host_call *c, ts_limit_kind limit, const char *fmt, ...)
    TS_PRINTF(3, 4); /* the same, about a limit */
/* A function that waits for the world also waits for this file, which becomes readable when another thread
 * interrupts the store (-1: the system gives none). It is asked for before ts_host_interrupted, so that no
 * interrupt is missed. */
int ts_host_wake_file(ts_host_call *c);
/* woken: the file was readable, which it is not afterwards */
bool ts_host_interrupted(ts_host_call *c, bool woken);
bool ts_host_take_interrupt(ts_host_call *c); /* the same; then the call must return TS_INTERRUPTED */
/* Values in the call's arena; NULL when there is no memory (the caller returns ts_fail_nomem). */
ts_val *ts_host_vals(ts_host_call *c, size_t n);

/* Calls of the host by core modules outside any component: they are counted and traced as those of components.
 * call->func says which function it is. Call ts_host_core_begin before the function; it returns the time for
 * ts_host_core_end, which prints a line if ts_host_core_traced. args and result are as ts_host_fn has them. */
bool ts_host_core_traced(const ts_linker *l, const ts_host_func *f);
uint64_t ts_host_core_begin(ts_host_call *call, const ts_linker *l);
void ts_host_core_end(ts_host_call *call, ts_linker *l, const ts_val *args, const ts_val *result, ts_status status,
                      uint64_t begun);

/* Functions of the host that are called from this store get this, instead of what the linker was given. For
 * one linker that the threads of a server share, whose hosts are all of one kind. */
void ts_cstore_set_host(ts_cstore *s, void *host);

/* linker */
ts_status ts_linker_create(TS_OWN ts_linker **out, ts_error *e) TS_MUST_USE;
void ts_linker_destroy(ts_linker *l);
ts_status ts_linker_add_host(ts_linker *l, const ts_host_def *def, void *host, ts_error *e) TS_MUST_USE;
ts_resource *ts_linker_resource(ts_linker *l, const char *interface, const char *name);
/* Explains why nothing provides an interface, for a host that knows the namespace. other_version: a host has
 * the interface in a version that is not compatible. Writes the reason to buf and returns true, or returns
 * false if it has nothing to add to what the linker says. */
typedef bool (*ts_host_explain)(const ts_iface_name *name, bool other_version, char *buf, size_t size);
void ts_linker_set_explain(ts_linker *l, ts_host_explain explain);
#endif
