/* cabi_context: what component instances are made of at run time, and the context in which values are lifted and lowered. Internal to component/.
 * In: prepared at instantiation, so that a call looks nothing up by name. Out: the structs that cabi_*, handles, instance and linker share.
 * spec: CanonicalABI.md#component-instances, #canonical-abi-options, #lifting-and-lowering-context, #runtime-state */
#ifndef TS_COMPONENT_CABI_CONTEXT_H
#define TS_COMPONENT_CABI_CONTEXT_H
#include "component/run/instance.h"

typedef struct ts_task ts_task;
typedef struct ts_subtask ts_subtask;
typedef struct ts_cabi_opts ts_cabi_opts;
typedef struct ts_exports ts_exports;

enum {
    TS_MAX_FLAT_PARAMS = 16,            /* cabi: MAX_FLAT_PARAMS */
    TS_MAX_FLAT_ASYNC_PARAMS = 4,       /* cabi: MAX_FLAT_ASYNC_PARAMS */
    TS_MAX_FLAT_RESULTS = 1,            /* cabi: MAX_FLAT_RESULTS */
    TS_TABLE_MAX = (1 << 28) - 1,       /* cabi: Table.MAX_LENGTH */
    TS_MAX_BYTE_LENGTH = (1 << 28) - 1, /* cabi: MAX_STRING_BYTE_LENGTH, MAX_LIST_BYTE_LENGTH */
};

/* A run-time resource type. cabi: ResourceType */
struct ts_resource {
    ts_cinstance *impl; /* of a guest: the instance that defined it; NULL: of the host */
    ts_func *dtor;      /* of a guest; NULL: none */
    const ts_host_resource *host_def;
    void *host;        /* what the linker was given with it */
    ts_linker *linker; /* of the host's: for the trace */
    const char *name;  /* for messages; may be NULL */
};

/* One entry of an instance's handle table. cabi: ResourceHandle */
typedef enum ts_handle_kind {
    TS_HANDLE_FREE = 0,
    TS_HANDLE_OWN,
    TS_HANDLE_BORROW,
    TS_HANDLE_WAITABLE_SET
} ts_handle_kind;
typedef struct ts_handle {
    uint64_t rep;
    ts_resource *rt;
    ts_task *scope; /* borrow: the task during which it was lent */
    /* (a waitable set holds nothing: there are no waitables yet) own and borrow: calls that run now and have it on loan; free: the next free index, 0 at the end */
    uint32_t num_lends;
    uint8_t kind; /* ts_handle_kind */
} ts_handle;
typedef struct ts_table_of_handles { /* cabi: Table */
    ts_handle *array;                /* [0] is never used */
    uint32_t len, cap, free;
    uint32_t live;
    uint32_t max; /* the last index that it may hold; 0: TS_TABLE_MAX */
} ts_handle_table;

/* A call of a component function as its callee sees it, and as its caller sees it. cabi: Task, Subtask */
struct ts_task {
    uint32_t num_borrows;
    bool resolved;
    /* of a function that is lifted with `async`: what task.return needs */
    ts_cfunc *func;
    struct canon_lift_end *end;
    ts_arena *arena;
    bool copy_result, keep_encoding;
};
struct ts_subtask {
    uint32_t n_lenders, cap;
    uint32_t *lenders; /* indices into the caller's table */
    uint32_t inline_lenders[8];
};

/* cabi: CanonicalOptions, resolved */
struct ts_cabi_opts {
    ts_cinstance *inst;
    ts_memory *memory;
    ts_func *realloc, *post_return, *callback;
    ts_string_encoding encoding;
    bool is_async;
    bool wide; /* 🐘 the memory has 64-bit addresses. cabi: ptr_size, MemInst.ptr_type */
};

/* cabi: LiftLowerContext */
typedef struct ts_cabi_cx {
    const ts_cabi_opts *opts;
    ts_cstore *store;
    ts_cinstance *inst;
    ts_resource *const *res; /* slot → resource type, of the types that are lifted or lowered with this context */
    ts_task *task;           /* lowering: borrow_scope of borrowed handles */
    ts_subtask *subtask;     /* lifting: borrow_scope of lent handles */
    ts_arena *arena;         /* what lifted values point to */
    ts_error *err;
    /* lifting: strings and packed lists may point into guest memory (nothing can change it before they are used) */
    bool borrow_memory;
    /* lifting: strings stay in the guest's encoding, tagged (see ts_str_tag): the values go to another component */
    bool keep_encoding;
} ts_cabi_cx;

/* what becomes of a slot on the way from core to core, of types without pointers, handles and cases */
typedef enum ts_flat_op {
    TS_FLAT_SAME,
    TS_FLAT_I32,
    TS_FLAT_BOOL,
    TS_FLAT_U8,
    TS_FLAT_S8,
    TS_FLAT_U16,
    TS_FLAT_S16,
    TS_FLAT_F32,
    TS_FLAT_F64,
    TS_FLAT_CHAR,
    TS_FLAT_FLAGS,
} ts_flat_op;
typedef struct ts_flat_step {
    uint8_t op;
    uint32_t mask;
} ts_flat_step;
/* How the parameters and the result of a function travel; computed once a canon. cabi: flatten_functype, alignment_record of the tuple */
typedef struct ts_func_layout {
    uint32_t n_flat_params;  /* capped at 17 */
    uint32_t size, align;    /* of the tuple of parameters */
    const uint32_t *offsets; /* of each parameter in it */
    uint32_t n_flat_result;  /* capped at 17 */
    bool scalar;             /* all flat and only scalars: `steps` say everything */
    bool identity;           /* … and no step changes anything */
    uint8_t n_steps;         /* params, then the result if there is one */
    ts_flat_step steps[TS_MAX_FLAT_PARAMS + 1];
    bool has_unsupported; /* a type of 0.3's is in it: stream, future, error-context */
} ts_func_layout;

/* A component function. */
typedef enum ts_cfunc_kind { TS_CFUNC_LIFTED, TS_CFUNC_HOST, TS_CFUNC_MISSING } ts_cfunc_kind;
struct ts_cfunc {
    ts_cfunc_kind kind;
    const ts_cfunc_type *type;
    ts_resource *const *res; /* what the slots in `type` stand for */
    const ts_func_layout *layout;
    /* lifted */
    ts_cinstance *inst;
    ts_func *core;
    ts_cabi_opts opts;
    /* of the host */
    const ts_host_func *def;
    void *host;
    ts_linker *linker;       /* for the trace */
    const char *import_name; /* as written in the component: "wasi:io/streams@0.2.3"; "" at the root */
    /* missing */
    const char *name, *reason;
    bool denied;
};

/* What an index of a component's or instance's index space stands for. */
typedef struct ts_closure {
    ts_component *component;
    ts_cinstance *outer;
} ts_closure;
typedef struct ts_item {
    ts_sort sort;         /* 0: nothing */
    ts_resource *rt;      /* TYPE: of a resource type, else NULL */
    const ts_ctype *type; /* TYPE: of a value type, may be NULL when nobody will ask; VALUE: its type */
    union {
        const ts_val *value; /* 🪙; in the store's or a component's arena */
        ts_cfunc *func;
        ts_exports *instance;
        ts_closure component;
        ts_module *module;
    };
} ts_item;
struct ts_exports { /* an instance as others see it: names and items */
    uint32_t n;
    const char **names;
    uint32_t *lens;
    ts_item *items;
    ts_cinstance *owner; /* NULL: made of parts, or of the host */
};

/* A core instance as a component sees it. */
typedef struct ts_core_inst {
    ts_instance *inst; /* NULL: inline exports */
    uint32_t n;
    const ts_arg *names;
    ts_extern *items;
} ts_core_inst;

struct ts_cinstance {
    ts_cstore *store;
    ts_component *component;
    ts_cinstance *parent; /* the instance that instantiated it. cabi: ComponentInstance.parent */
    ts_cinstance *outer;  /* the instance in which its component was defined: for outer aliases */
    bool may_enter, may_leave;
    bool
        gave_up; /* was left in the middle of something that is not implemented: what comes after says so, and is no trap of its own */
    ts_handle_table handles;
    uint64_t context[2]; /* context.get/set of the running task */
    ts_task *task;       /* the running task when it is async; NULL: it is not */
    uint32_t backpressure;
    ts_resource **res; /* the environment */
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
    ts_cinstance *next; /* of the store */
};

/* Scratch memory of nested calls: one arena a depth, reset when the call is done. */
enum { TS_CALL_DEPTH_MAX = 512, TS_SCRATCH_FIRST = 16, TS_ARENA_LIMIT = 1 << 30, TS_ARENA_KEEP = 1 << 20 };
struct ts_cstore {
    ts_engine *engine;
    ts_store *core;
    ts_arena arena; /* instances, functions, …: end with the store */
    ts_cinstance *instances;
    ts_component **components; /* referenced roots */
    uint32_t n_components, cap_components;
    uint32_t depth;
    uint32_t yields; /* of thread.yield, in all */
    ts_arena scratch[TS_SCRATCH_FIRST];
    ts_arena *deep; /* the rest of them, made when calls first go so deep */
};

/* A pointer or length in a slot or in memory. cabi: ptr_size */
static inline uint64_t ts_ptr_of(const ts_cabi_opts *o, ts_slot v) {
    return o->wide ? v : (uint32_t)v;
}
static inline uint32_t ts_ptr_size(const ts_cabi_opts *o) {
    return o->wide ? 8 : 4;
}

/* scratch */
ts_status ts_scratch_enter_deep(ts_cstore *s, ts_arena **out, ts_error *e) TS_MUST_USE;
TS_MUST_USE static inline ts_status ts_scratch_enter(ts_cstore *s, ts_arena **out, ts_error *e) {
    if (TS_UNLIKELY(s->depth >= TS_SCRATCH_FIRST)) return ts_scratch_enter_deep(s, out, e);
    *out = &s->scratch[s->depth++];
    return TS_OK;
}
void ts_scratch_reset(ts_arena *a);
static inline void ts_scratch_leave(ts_cstore *s) {
    uint32_t d = --s->depth;
    ts_arena *a = TS_UNLIKELY(d >= TS_SCRATCH_FIRST) ? &s->deep[d - TS_SCRATCH_FIRST] : &s->scratch[d];
    if (a->head) ts_scratch_reset(a);
}

/* failures */
ts_status ts_cabi_trap(ts_error *e, const char *fmt, ...) TS_PRINTF(2, 3); /* TS_TRAP, kind canonical-abi */
#define TS_TRAP_IF(e, cond, ...)                                                                                       \
    do {                                                                                                               \
        if (TS_UNLIKELY(cond)) return ts_cabi_trap((e), __VA_ARGS__);                                                  \
    } while (0)

/* guest memory: the one way in. 64-bit arithmetic. */
static inline bool ts_mem_in(const ts_memory *m, uint64_t ptr, uint64_t len) {
    return ptr <= m->len && len <= m->len - ptr;
}
static inline uint64_t ts_align_to(uint64_t p, uint64_t align) {
    return (p + align - 1) / align * align;
}

/* handles.c. cabi: Table, lift_own, lift_borrow, lower_own, lower_borrow */
ts_status ts_table_get(ts_handle_table *t, uint32_t i, ts_handle **out, ts_error *e) TS_MUST_USE;
ts_status ts_table_add(ts_handle_table *t, const ts_handle *h, uint32_t *i, ts_error *e) TS_MUST_USE;
ts_status ts_table_remove(ts_handle_table *t, uint32_t i, ts_handle *out, ts_error *e) TS_MUST_USE;
ts_status ts_lift_own(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lift_borrow(ts_cabi_cx *cx, uint32_t i, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lower_own(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) TS_MUST_USE;
ts_status ts_lower_borrow(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint32_t *out) TS_MUST_USE;
static inline void ts_subtask_init(ts_subtask *s) {
    s->n_lenders = 0;
    s->cap = 8;
    s->lenders = s->inline_lenders;
}
void ts_subtask_deliver_resolve(ts_subtask *s, ts_cinstance *inst); /* cabi: Subtask.deliver_resolve */
ts_status ts_resource_destroy(ts_cstore *s, ts_resource *rt, uint64_t rep, ts_cinstance *caller, ts_arena *arena,
                              ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_new(ts_cinstance *inst, ts_resource *rt, uint64_t rep, uint32_t *out,
                                ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_drop(ts_cinstance *inst, ts_resource *rt, uint32_t i, ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_rep(ts_cinstance *inst, ts_resource *rt, uint32_t i, uint64_t *out,
                                ts_error *e) TS_MUST_USE;

/* cabi_load.c. cabi: load and what it is made of */
ts_status ts_cabi_load(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_load_list_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t length, const ts_ctype *elem,
                                  const ts_ctype *list, ts_val *out) TS_MUST_USE;
ts_status ts_convert_i32_to_char(ts_error *e, uint32_t i, uint32_t *out) TS_MUST_USE;
void ts_elem_layout(const ts_ctype *list, bool wide, uint32_t *size,
                    uint32_t *align); /* of a list's or map's element */
static inline float ts_canonicalize_nan32(float f) {
    return f == f ? f : __builtin_nanf("");
}
static inline double ts_canonicalize_nan64(double f) {
    return f == f ? f : __builtin_nan("");
}

/* cabi_store.c. cabi: store, LiftLowerContext.reallocate */
ts_status ts_cabi_store(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) TS_MUST_USE;
ts_status ts_store_list_into_range(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *list, uint64_t *ptr,
                                   uint64_t *length) TS_MUST_USE;
ts_status ts_cabi_reallocate(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                             uint64_t *out) TS_MUST_USE;
ts_status ts_cabi_realloc_checked(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                                  uint32_t want_align, uint64_t *out) TS_MUST_USE;

/* cabi_string.c. cabi: load_string…, store_string…
 * A string on its way to another component stays as it lies in the first: `len` counts its code units, its two top bits say the encoding. */
typedef enum ts_str_tag {
    TS_STR_UTF8 = 0,
    TS_STR_UTF16 = 1,
    TS_STR_LATIN1 = 2 /* latin1+utf16 without tag */,
    TS_STR_TAGGED_UTF16 = 3 /* latin1+utf16 with tag */
} ts_str_tag;
#define TS_STR_TAG_SHIFT 62
static inline ts_str_tag ts_str_tag_of(size_t len) {
    return (ts_str_tag)((uint64_t)len >> TS_STR_TAG_SHIFT);
}
static inline uint64_t ts_str_units(size_t len) {
    return (uint64_t)len & (((uint64_t)1 << TS_STR_TAG_SHIFT) - 1);
}
ts_status ts_load_string_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t tagged_code_units, ts_val *out) TS_MUST_USE;
ts_status ts_store_string_into_range(ts_cabi_cx *cx, const ts_val *v, uint64_t *ptr,
                                     uint64_t *tagged_code_units) TS_MUST_USE;

/* cabi_flat.c. cabi: lift_flat, lower_flat, lift_flat_values, lower_flat_values, flatten_functype */
ts_status ts_lift_flat(ts_cabi_cx *cx, const ts_slot **vi, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_lower_flat(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, ts_slot **out) TS_MUST_USE;
ts_status ts_lift_flat_params(ts_cabi_cx *cx, uint32_t max_flat, const ts_cfunc_type *ft, const ts_func_layout *l,
                              const ts_slot *io, ts_val *args) TS_MUST_USE;
ts_status ts_lower_flat_params(ts_cabi_cx *cx, const ts_val *args, const ts_cfunc_type *ft, const ts_func_layout *l,
                               ts_slot *io) TS_MUST_USE;
ts_status ts_lift_flat_result(ts_cabi_cx *cx, const ts_cfunc_type *ft, const ts_func_layout *l, const ts_slot *io,
                              ts_val *out) TS_MUST_USE;
ts_status ts_lower_flat_result(ts_cabi_cx *cx, const ts_val *v, const ts_cfunc_type *ft, const ts_func_layout *l,
                               bool to_memory, uint64_t out_ptr, ts_slot *io) TS_MUST_USE;
ts_status ts_flatten_functype(ts_arena *arena, const ts_cfunc_type *ft, bool wide, const ts_func_layout **out,
                              ts_error *e) TS_MUST_USE;
ts_status ts_flat_steps(ts_error *e, const ts_flat_step *steps, uint32_t n, ts_slot *io) TS_MUST_USE;

/* cabi_canon.c. cabi: canon_lift, canon_lower, ComponentInstance.entering_set */
typedef struct ts_lowered ts_lowered;
uint32_t ts_entering_set(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance **out,
                         uint32_t max); /* returns how many in all */
ts_status ts_cannot_enter(const ts_cinstance *i, ts_error *e) TS_MUST_USE;
enum { TS_ENTER_FEW = 16 };
ts_status ts_entering_set_in(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance ***set, uint32_t *n,
                             ts_arena *arena, ts_error *e) TS_MUST_USE;
ts_status ts_canon_lower_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_cfunc *callee,
                              const ts_cabi_opts *opts, ts_func **out, ts_error *e) TS_MUST_USE;
ts_status ts_canon_resource_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, ts_func **out,
                                 ts_error *e) TS_MUST_USE;
ts_status ts_canon_builtin_make(ts_cstore *s, ts_cinstance *inst, const ts_def *def, const ts_cabi_opts *opts,
                                ts_func **out, ts_error *e) TS_MUST_USE;
ts_status ts_call_and_trap_on_throw(ts_cstore *s, ts_func *f, ts_slot *io, ts_error *e) TS_MUST_USE;
/* The call of a host function, with its line in the trace. Resets nothing. */
ts_status ts_cfunc_call_from(ts_cstore *s, ts_cfunc *f, const ts_cinstance *caller, const ts_val *args, ts_val *result,
                             ts_arena *arena, ts_error *e) TS_MUST_USE;
ts_status ts_host_invoke(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_arena *arena,
                         ts_error *e) TS_MUST_USE;

/* wave.c: with a number of one's own for each handle */
typedef uint64_t (*ts_wave_number)(void *data, const ts_ctype *t, const ts_val *v);
size_t ts_wave_print_numbered(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items,
                              ts_wave_number number, void *data);

/* linker.c, trace.c */
typedef struct ts_linker_host {
    const ts_host_def *def;
    void *host;
    ts_resource **rt_map;
} ts_linker_host;
typedef struct ts_embedded ts_embedded; /* what was defined through touchstone.h for one version: api.c's */
typedef struct ts_linker_named {
    const char *name;
    const ts_exports *exports;
    ts_module *module;
    ts_component *component;
} ts_linker_named;
typedef struct ts_trace_handle {
    const ts_resource *rt;
    uint64_t rep, number;
} ts_trace_handle;
typedef struct ts_linker_value {
    const char *interface; /* "": imported by itself */
    const char *name;
    const ts_ctype *type;
    const ts_val *v;
} ts_linker_value;
typedef struct ts_linker_dummy {
    const char *interface, *name;
    ts_resource *rt;
} ts_linker_dummy;
struct ts_linker {
    ts_arena arena;
    TS_VEC(ts_linker_host) hosts;
    TS_VEC(ts_linker_named) named;
    TS_VEC(ts_linker_value) values;
    TS_VEC(ts_linker_dummy) dummies; /* stand for resource types that nothing provides */
    TS_VEC(const char *) denied, unstable, unimplemented;
    TS_VEC(ts_embedded *) embedded;
    ts_trace trace;
    TS_VEC(ts_trace_handle)
    trace_handles; /* live host resources as the trace numbers them: #1, #2 … in the order in which they appear */
    uint64_t trace_number;
    bool unknown_trap, deny_all;
};
bool ts_linker_traces(const ts_linker *l, const char *interface);
void ts_trace_call(ts_linker *l, ts_cfunc *f, const ts_val *args, const ts_val *result, ts_status st, const ts_error *e,
                   bool denied);
void ts_trace_drop(ts_linker *l, const ts_resource *rt, uint64_t rep, ts_status st, const ts_error *e);
bool ts_linker_trap_missing(const ts_linker *l);
/* Bind the imports of a component: items in the order of its TS_DEF_IMPORT definitions. */
typedef struct ts_missing_list {
    ts_missing *out;
    uint32_t max, n;
    bool hard; /* one of them is no function and no resource type: nothing can stand for it until it is called */
} ts_missing_list;
ts_status ts_linker_resolve(ts_linker *l, ts_component *c, ts_arena *arena, ts_resource **env, ts_item *items,
                            ts_missing_list *missing, ts_error *e) TS_MUST_USE;

/* instance.c */
/* 🪙 The values among items that are bound to be equal (`eq`) are: of the imports or exports x, whose values stand in `values`. */
ts_status ts_values_agree(const ts_extern_type *t, const char *name, const ts_item *item, const ts_item *values,
                          uint32_t n_values, ts_error *e) TS_MUST_USE;
const ts_item *ts_exports_find(const ts_exports *x, const char *name, size_t len);
ts_status ts_bind_resources(const ts_def *d, const ts_item *item, ts_resource **env, ts_error *e) TS_MUST_USE;
const ts_exports *ts_cinstance_exports(const ts_cinstance *i);
#endif
