/* objects: what exists at run time: stores, instances, functions, memories, tables, globals, tags.
 * In: nothing. Out: types. All objects of a store are freed with it, and one thread at a time may use them.
 * spec: exec/runtime */
#ifndef TS_CORE_OBJECTS_H
#define TS_CORE_OBJECTS_H
#include "core/module/engine.h"
#include "core/module/module.h"
#include "base/vec.h"
#include "core/code/ir.h"
#include "sys/wake.h"

typedef struct ts_store ts_store;
typedef struct ts_instance ts_instance;
typedef struct ts_func ts_func;
typedef struct ts_memory ts_memory;
typedef struct ts_table ts_table;
typedef struct ts_global ts_global;
typedef struct ts_tag ts_tag;
typedef struct ts_exec ts_exec;
typedef struct ts_gc_heap ts_gc_heap;
typedef struct ts_spares ts_spares;
typedef struct ts_adapter ts_adapter;

/* One 64-bit slot of the interpreter's stack. An i32 is zero-extended, an f32 is in the low half, and a
 * v128 takes two slots, low half first. A null reference is 0. A funcref is a `ts_func *`. An i31 is its
 * 31 bits << 1 | 1. A struct, array or exn is the address of its object. An externref is a number of the
 * host (low bits 10: ts_ref_host), or an object or i31 that was converted. gc.h has functions to tell them
 * apart. */
typedef uint64_t ts_slot;

struct ts_memory {
    uint8_t *base;
    uint64_t len; /* the current size in bytes; pages: the same in pages of the memory's type */
    uint64_t pages, max_pages;
    ts_limits type;
    /* the whole 32-bit index space and the largest static offset are reserved: accesses need no explicit
     * checks */
    bool guarded;
    size_t reserved; /* bytes of address space from base */
    const ts_store *store;
    ts_module *image_module; /* the module whose data image is mapped over it (owned), or NULL */
};
struct ts_table {
    ts_slot *elems;
    uint64_t len, cap, max; /* elements; max is the lower of the type's and the store's limit */
    ts_table_type type;
    const ts_store *store;
};
struct ts_global {
    ts_slot v[2]; /* v128 uses both */
    ts_global_type type;
    const ts_store *store;
};
struct ts_tag {
    uint32_t type; /* the canonical id of its function type */
    const ts_store *store;
};

/* A host function. Arguments and results share the slots at `io`: the function reads param_slots slots
 * from io[0] on, and writes result_slots slots from io[0] on. Any status other than TS_OK unwinds the
 * guest; the function fills the error that ts_exec_error(x) returns. */
typedef ts_status (*ts_core_host_fn)(void *data, ts_exec *x, ts_slot *io);

struct ts_func {
    bool is_host;
    uint32_t type; /* the canonical id of its type */
    const ts_deftype *def;
    /* a function of a module */
    ts_instance *inst; /* its instance; NULL for a function of the host */
    uint32_t index;    /* in its module's function index space */
    ts_fcode *code;
    /* a function of the host */
    ts_core_host_fn host;
    void *host_data;
    ts_adapter *adapter; /* adapter.h; or NULL */
    const char *name;    /* for backtraces; may be NULL */
};

struct ts_instance {
    ts_store *store;
    ts_module *module;
    ts_func **funcs;
    ts_func *own;      /* the functions that its module defines */
    unsigned own_form; /* the form of their code; TS_FORM_COUNT if they have not been made */
    size_t pages_len;  /* bytes of pages that hold the instance, `funcs` and `own`; 0: the store's arena holds them */
    ts_memory **mems;
    ts_table **tables;
    ts_global **globals;
    ts_tag **tags;
    uint8_t *mem0_base; /* the base of memory 0, or NULL if there is none */
    bool *elem_dropped, *data_dropped;
    ts_slot **elem_values; /* by element segment: its references, or NULL if not evaluated or dropped */
    const char *name;      /* for backtraces; may be NULL */
    void *host_data;
    ts_instance *next; /* the next one of the store */
};

typedef struct ts_extern {
    ts_extern_kind kind;
    union {
        ts_func *func;
        ts_table *table;
        ts_memory *mem;
        ts_global *global;
        ts_tag *tag;
    };
} ts_extern;

/* Limits of a store. 0 selects the default, which is in brackets. */
typedef struct ts_store_limits {
    uint64_t memory_bytes; /* per linear memory [4 GiB; 16 GiB for a 64-bit memory] */
    uint64_t table_elems;  /* per table, and handles per component instance [10 million] */
    uint64_t stack_bytes;  /* of the interpreter's value stack [8 MiB] */
    uint32_t host_depth;   /* nested calls from the host into guests [200] */
    uint64_t gc_bytes;     /* of the GC heap [1 GiB] */
    uint64_t fuel;         /* each loop iteration and each call takes one unit [0: not metered] */
    uint64_t instances;    /* core instances [100,000] */
    bool explicit_checks;  /* never use guard pages (for tests) */
    bool deterministic;    /* NaN results are canonical */
    bool interruptible;    /* compile code that checks for an interrupt */
    ts_spares *spares;     /* of this thread; they outlive the store [none] */
} ts_store_limits;

/* Counts what a limit refused without an error: memory.grow and table.grow return -1 to the guest alone. */
typedef struct ts_refused {
    uint64_t n;    /* the number of refusals */
    uint64_t most; /* the largest size that was requested, in bytes or elements */
} ts_refused;
static inline void ts_refuse(ts_refused *r, uint64_t wanted) {
    r->n++;
    if (wanted > r->most) r->most = wanted;
}

/* The store itself. store.c writes it, except where noted; exec.c and gc.c read it. */
struct ts_store {
    ts_engine *engine;
    ts_type_registry *types;
    ts_store_limits limits; /* with the defaults filled in, except for fuel and memory_bytes */
    ts_gc_heap *gc;
    ts_exec *exec;          /* exec.c writes it */
    uint32_t interrupted;   /* atomic; any thread sets it, and what reports the interrupt clears it */
    ts_sys_wake wake;       /* rung by an interrupt, for a host function that waits */
    ts_instance *instances; /* newest first; instance.c adds them */
    uint64_t n_instances;
    ts_refused refused_memory, refused_table; /* memory.c and table.c write them */
    ts_arena arena;                           /* of all run-time objects */
    /* memory.c, table.c and store.c add to these */
    TS_VEC(ts_memory *) mems;
    TS_VEC(ts_table *) tables;
    TS_VEC(ts_global *) globals;
};
#endif
