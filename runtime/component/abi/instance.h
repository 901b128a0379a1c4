/* instance: component instances and functions as data, as the canonical definitions act on them; run/ makes
 * them.
 * cabi: ComponentInstance, Store; spec: CanonicalABI.md#component-instances */
#ifndef TS_COMPONENT_ABI_INSTANCE_H
#define TS_COMPONENT_ABI_INSTANCE_H
#include "component/abi/context.h"

typedef struct ts_exports ts_exports;

/* A component function. */
typedef enum ts_cfunc_kind { TS_CFUNC_LIFTED, TS_CFUNC_HOST, TS_CFUNC_MISSING } ts_cfunc_kind;
struct ts_cfunc {
    ts_cfunc_kind kind;
    const ts_cfunc_type *type;
    ts_resource *const *res; /* the resource types of the slots in `type` */
    const ts_func_layout *layout;
    /* lifted functions */
    ts_cinstance *inst;
    ts_func *core;
    ts_cabi_opts opts;
    /* functions of the host */
    const ts_host_func *def;
    void *host;
    ts_call_observer *observer;
    const char *import_name; /* as written in the component: "wasi:io/streams@0.2.3"; "" at the root */
    /* missing functions */
    const char *name, *reason;
    bool denied;
};

/* An entry of an index space of a component or instance. */
typedef struct ts_closure {
    ts_component *component;
    ts_cinstance *outer;
} ts_closure;
typedef struct ts_item {
    ts_sort sort;    /* 0: nothing */
    ts_resource *rt; /* TYPE: the resource type, or NULL */
    /* TYPE: the value type, which may be NULL if it is not needed; VALUE: its type */
    const ts_ctype *type;
    union {
        const ts_val *value; /* 🪙 in the arena of the store or of a component */
        ts_cfunc *func;
        ts_exports *instance;
        ts_closure component;
        ts_module *module;
    };
} ts_item;
struct ts_exports { /* the exports of an instance: names and items */
    uint32_t n;
    const char **names;
    uint32_t *lens;
    ts_item *items;
    ts_cinstance *owner; /* NULL if it consists of inline exports, or belongs to the host */
};

/* A core instance as a component sees it. */
typedef struct ts_core_inst {
    ts_instance *inst; /* NULL if it consists of inline exports */
    uint32_t n;
    const ts_arg *names;
    ts_extern *items;
} ts_core_inst;

/* What belongs to the running task of an instance. */
typedef struct ts_task_state {
    uint64_t context[2]; /* for context.get and context.set */
    ts_task *task;       /* if it is async, otherwise NULL */
} ts_task_state;

struct ts_cinstance {
    ts_cstore *store;
    ts_component *component;
    ts_cinstance *parent; /* the instance that instantiated it. cabi: ComponentInstance.parent */
    ts_cinstance *outer;  /* the instance in which its component was defined: for outer aliases */
    bool may_enter, may_leave;
    bool
        /* the instance was left in the middle of something that is not implemented: later calls
         * report that, and do not trap */
        abandoned;
    ts_handle_table handles;
    ts_task_state running;
    uint32_t backpressure;
    ts_resource **res; /* the environment: resource types by slot */
    /* index spaces, filled in order */
    ts_module **core_modules;
    uint32_t n_core_modules;
    ts_core_inst *core_instances;
    uint32_t n_core_instances;
    ts_func **core_funcs;
    uint32_t n_core_funcs;
    ts_table **core_tables;
    uint32_t n_core_tables;
    ts_memory **core_memories;
    uint32_t n_core_memories;
    ts_global **core_globals;
    uint32_t n_core_globals;
    ts_tag **core_tags;
    uint32_t n_core_tags;
    ts_item *funcs;
    uint32_t n_funcs;
    ts_item *types;
    uint32_t n_types;
    ts_item *components;
    uint32_t n_components;
    ts_item *instances;
    uint32_t n_instances;
    ts_item *values;
    uint32_t n_values;
    ts_exports exports;
    ts_cinstance *next; /* next instance of the store */
};

/* Scratch memory for nested calls: one arena for each depth, reset when the call ends. Limits are in
 * bytes. */
enum { TS_CALL_DEPTH_MAX = 512, TS_SCRATCH_FIRST = 16, TS_ARENA_LIMIT = 1 << 30, TS_ARENA_KEEP = 1 << 20 };
struct ts_cstore {
    ts_engine *engine;
    ts_store *core;
    ts_arena arena; /* instances, functions and so on, which live as long as the store */
    ts_cinstance *instances;
    uint64_t n_instances;
    ts_component **components; /* outermost components that the store holds references to */
    uint32_t n_components, cap_components;
    TS_VEC(ts_linker *) linkers; /* linkers whose functions its instances call */
    uint32_t depth;
    uint64_t host_calls; /* number of calls of host functions and destructors */
    uint32_t yields;     /* total number of calls of thread.yield */
    /* what host functions receive instead of their linker's pointer; NULL: the linker's */
    void *host;
    ts_arena scratch[TS_SCRATCH_FIRST];
    ts_arena *deep; /* the arenas for deeper calls, allocated when they are first needed */
};
#endif
