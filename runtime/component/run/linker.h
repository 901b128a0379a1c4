/* linker: what components can import, by name, and how their imports are bound to it */
#ifndef TS_COMPONENT_LINKER_H
#define TS_COMPONENT_LINKER_H
#include "component/abi/instance.h"
#include "component/run/instance.h"
#include "base/vec.h"

typedef struct ts_linker_host {
    const ts_host_def *def;
    void *host;
    ts_resource **rt_map;
} ts_linker_host;
/* belongs to api.c: the definitions of one version made through touchstone.h */
typedef struct ts_embedded ts_embedded;
typedef struct ts_linker_named {
    const char *name;
    const ts_exports *exports;
    const ts_cstore *store; /* of the exports */
    ts_module *module;
    ts_component *component;
} ts_linker_named;
typedef struct ts_trace_handle {
    const ts_resource *rt;
    uint64_t rep, number;
} ts_trace_handle;
typedef struct ts_linker_value {
    const char *interface; /* "" for a value that is imported at the root */
    const char *name;
    const ts_ctype *type;
    const ts_val *v;
} ts_linker_value;
typedef struct ts_linker_dummy {
    const char *interface, *name;
    ts_resource *rt;
} ts_linker_dummy;
struct ts_linker {
    /* must be the first member: trace.c converts its address to that of the linker */
    ts_call_observer observer;
    /* atomic: stores and ts_linked hold references too, from several threads if a server shares it */
    uint32_t refs;
    ts_arena arena;
    TS_VEC(ts_linker_host) hosts;
    TS_VEC(ts_linker_named) named;
    TS_VEC(ts_linker_value) values;
    TS_VEC(ts_linker_dummy) dummies; /* placeholders for resource types that nothing provides */
    TS_VEC(const char *) denied, unstable;
    TS_VEC(ts_embedded *) embedded;
    ts_trace trace;
    TS_VEC(ts_trace_handle)
    /* live host resources with the numbers that the trace uses, in the order in which they appear */
    trace_handles;
    uint64_t trace_number;
    uint64_t trace_lost;                /* lines and calls of which nothing was written, for lack of memory */
    struct ts_trace_state *trace_state; /* belongs to trace.c; NULL if tracing is off */
    ts_host_explain explain;            /* may be NULL */
    bool unknown_trap, deny_all;
};
ts_linker *ts_linker_hold(ts_linker *l);
bool ts_linker_trap_missing(const ts_linker *l);
/* Resolves the imports of a component. items are in the order of its TS_DEF_IMPORT definitions. */
typedef struct ts_missing_list {
    ts_missing *out;
    uint32_t max, n;
    const ts_cstore *store; /* the store of the instances that were given; NULL if none were */
    /* One of the missing imports is neither a function nor a resource type, so no placeholder can delay the
     * error until a call. */
    bool hard;
} ts_missing_list;
ts_status ts_linker_resolve(ts_linker *l, ts_component *c, ts_arena *arena, ts_resource **env, ts_item *items,
                            ts_missing_list *missing, ts_error *e) TS_MUST_USE;
#endif
