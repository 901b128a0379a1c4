/* context: the context in which values are lifted and lowered: resource types, handles, tasks, options.
 * In: prepared at instantiation, so that a call looks nothing up by name. Out: the structs that the files
 * of abi/ share.
 * spec: CanonicalABI.md#canonical-abi-options, #lifting-and-lowering-context, #runtime-state */
#ifndef TS_COMPONENT_ABI_CONTEXT_H
#define TS_COMPONENT_ABI_CONTEXT_H
#include "component/binary/component.h"
#include "component/run/host.h"
#include "core/native/adapter.h"
#include "core/run/store.h"

typedef struct ts_task ts_task;
typedef struct ts_subtask ts_subtask;
typedef struct ts_cabi_opts ts_cabi_opts;
/* a component instance (has its own handle table, may_leave, may_enter) */
typedef struct ts_cinstance ts_cinstance;
typedef struct ts_cfunc ts_cfunc; /* a component function: lifted from core, or of the host */

enum {
    TS_MAX_FLAT_PARAMS = 16,            /* cabi: MAX_FLAT_PARAMS */
    TS_MAX_FLAT_ASYNC_PARAMS = 4,       /* cabi: MAX_FLAT_ASYNC_PARAMS */
    TS_MAX_FLAT_RESULTS = 1,            /* cabi: MAX_FLAT_RESULTS */
    TS_TABLE_MAX = (1 << 28) - 1,       /* cabi: Table.MAX_LENGTH */
    TS_MAX_BYTE_LENGTH = (1 << 28) - 1, /* cabi: MAX_STRING_BYTE_LENGTH, MAX_LIST_BYTE_LENGTH */
};

/* An observer is notified of each call of a host function and each drop of a host resource. The linker
 * holds it, and run/trace.c is the only implementation. wants is NULL if nothing is observed. */
typedef struct ts_call_observer ts_call_observer;
struct ts_call_observer {
    bool (*wants)(const ts_call_observer *o, const char *interface);
    /* Called when a call begins. Its result is passed to call and drop as `begun`, which is 0 if begin is
     * NULL. */
    uint64_t (*begin)(const ts_call_observer *o);
    void (*call)(ts_call_observer *o, const ts_cfunc *f, const ts_val *args, const ts_val *result, ts_status st,
                 const ts_error *e, bool denied, uint64_t begun); /* args and result may be NULL */
    void (*drop)(ts_call_observer *o, const ts_resource *rt, uint64_t rep, ts_status st, const ts_error *e,
                 uint64_t begun);
};
static inline uint64_t ts_observe_begin(const ts_call_observer *o) {
    return TS_UNLIKELY(o && o->begin) ? o->begin(o) : 0;
}
static inline bool ts_observed(const ts_call_observer *o, const char *interface) {
    return TS_UNLIKELY(o && o->wants) && o->wants(o, interface);
}

/* A run-time resource type. cabi: ResourceType */
struct ts_resource {
    ts_cinstance *impl; /* the guest instance that defined it; NULL for a resource of the host */
    ts_func *dtor;      /* the destructor of a guest resource; may be NULL */
    const ts_host_resource *host_def;
    void *host;                 /* the host pointer that was registered with the definition */
    ts_call_observer *observer; /* only for a resource of the host */
    const char *name;           /* for messages; may be NULL */
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
    ts_task *scope; /* for a borrow: the task that it was lent to */
    /* For own and borrow: the number of running calls to which it is lent. For a free entry: the next free
     * index, or 0 at the end of the list. A waitable set has no contents because there are no waitables
     * yet. */
    uint32_t num_lends;
    uint8_t kind; /* ts_handle_kind */
} ts_handle;
typedef struct ts_handle_table { /* cabi: Table */
    ts_handle *array;            /* [0] is never used */
    uint32_t len, cap, free;
    uint32_t live;
    uint32_t max; /* the largest index allowed; 0 means TS_TABLE_MAX */
} ts_handle_table;

/* A call of a component function, from the side of its callee and from the side of its caller.
 * cabi: Task, Subtask */
struct ts_task {
    uint32_t num_borrows;
    bool resolved;
    /* For a function that is lifted with `async`: the state that task.return needs. */
    ts_cfunc *func;
    struct ts_canon_lift_end *end;
    ts_arena *arena;
    bool copy_result, keep_encoding;
};
struct ts_subtask {
    uint32_t n_lenders, cap;
    uint32_t *lenders; /* indices into the caller's table */
    uint32_t inline_lenders[8];
};

/* The handles that lowering has added to an instance's table. */
typedef struct ts_added_handles {
    uint32_t n, cap;
    uint32_t *indices;
    uint32_t inline_indices[8];
} ts_added_handles;

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
    ts_resource *const *res; /* maps the slots of the types lifted or lowered here to resource types */
    ts_task *task;           /* lowering: borrow_scope of borrowed handles */
    ts_subtask *subtask;     /* lifting: borrow_scope of lent handles */
    ts_arena *arena;         /* memory for the lifted values */
    ts_error *err;
    /* Lifting: strings and packed lists may point into guest memory, because nothing can change it before
     * they are used. */
    bool borrow_memory;
    /* Lifting: strings keep the guest's encoding and are tagged (see ts_str_tag), because the values go to
     * another component. */
    bool keep_encoding;
    /* Lowering: not NULL if a caller may take back what was lowered before a failure. */
    ts_added_handles *added;
    bool guest_ran; /* realloc was called */
} ts_cabi_cx;

/* How the parameters and the result of a function are passed. It is computed once for each canonical
 * definition.
 * cabi: flatten_functype, alignment_record of the tuple */
typedef struct ts_func_layout {
    uint32_t n_flat_params;  /* capped at 17 */
    uint32_t size, align;    /* of the tuple of parameters */
    const uint32_t *offsets; /* of each parameter in it */
    uint32_t n_flat_result;  /* capped at 17 */
    bool scalar;             /* everything is flat and scalar, so `steps` describe it completely */
    bool plain;              /* the params are flat and scalar, and the result is in memory and plain (plain.h) */
    bool identity;           /* scalar or plain, and no step changes a value */
    uint8_t n_steps;         /* params, then the result if it is scalar */
    ts_flat_step steps[TS_MAX_FLAT_PARAMS + 1];
    bool has_unsupported; /* it contains a type of WASI 0.3: stream, future, error-context */
} ts_func_layout;

#endif
