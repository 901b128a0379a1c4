/* objects: what exists at run time: stores, instances, functions, memories, tables, globals, tags.
 * Everything of a store ends with it, and belongs to one thread at a time. spec: exec/runtime */
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

/* One 64-bit slot of the interpreter's stack. i32 is kept zero-extended, f32 in the low half, v128 takes two slots (low half first).
 * References: 0 is null; funcref is a `ts_func *`; i31 is value << 1 | 1 with value in 31 bits; struct, array, exn are GC objects;
 * externref is what the host put in (low bits 10: see ts_ref_host), or an object or i31 that was made external. gc.h has the tests. */
typedef uint64_t ts_slot;

struct ts_memory {
    uint8_t *base;
    uint64_t len; /* bytes now */
    uint64_t pages, max_pages;
    ts_limits type;
    /* the whole 32-bit index space and the largest static offset are reserved: no explicit checks needed */
    bool guarded;
    size_t reserved;
    const ts_store *store;
    ts_module *image_module; /* whose data image was mapped over it: a reference; NULL: none was */
};
struct ts_table {
    ts_slot *elems;
    uint64_t len, cap, max;
    ts_table_type type;
    const ts_store *store;
};
struct ts_global {
    ts_slot v[2]; /* v128 uses both */
    ts_global_type type;
    const ts_store *store;
};
struct ts_tag {
    uint32_t type; /* canonical id of its function type */
    const ts_store *store;
};

/* A host function: args and results share the slots at `io`: args are read from io[0…] (param_slots of them), results are written
 * to io[0…] (result_slots). A status but TS_OK unwinds the guest: fill x's error through ts_exec_error(x). */
typedef ts_status (*ts_core_host_fn)(void *data, ts_exec *x, ts_slot *io);

struct ts_func {
    bool is_host;
    uint32_t type; /* canonical id */
    const ts_deftype *def;
    ts_instance *inst; /* wasm: its instance; host: NULL or the owner */
    uint32_t index;    /* in its module's function space */
    ts_fcode *code;    /* wasm */
    ts_core_host_fn host;
    void *host_data;
    const char *name; /* host: for backtraces; may be NULL */
};

struct ts_instance {
    ts_store *store;
    ts_module *module;
    ts_func **funcs;
    ts_memory **mems;
    ts_table **tables;
    ts_global **globals;
    ts_tag **tags;
    uint8_t *mem0_base; /* unused when there is no memory: NULL */
    bool *elem_dropped, *data_dropped;
    ts_slot **elem_values; /* evaluated on demand */
    const char *name;      /* for backtraces; may be NULL */
    void *host_data;
    ts_instance *next; /* of the store */
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

/* Limits of a store; 0: the default in brackets. */
typedef struct ts_store_limits {
    uint64_t memory_bytes; /* of each linear memory [4 GiB; a 64-bit memory 16 GiB] */
    uint64_t table_elems;  /* of each table, and handles of a component instance [10 million] */
    uint64_t stack_bytes;  /* of the interpreter's value stack [8 MiB] */
    uint32_t host_depth;   /* nested calls host → guest [200] */
    uint64_t gc_bytes;     /* GC heap [1 GiB] */
    uint64_t fuel;         /* 0: unmetered. Each loop iteration and call takes one unit. */
    uint64_t instances;    /* [100,000] */
    bool explicit_checks;  /* never reserve guard pages (for tests) */
    bool deterministic;    /* NaN results canonical */
    bool interruptible;    /* compile with interruption checks */
    ts_spares *spares;     /* of this thread: outlives the store [none] */
} ts_store_limits;

/* What a limit has refused without a failure: memory.grow and table.grow return -1, and the embedder learns nothing. */
typedef struct ts_refused {
    uint64_t n, most; /* how often; the most that was asked for: bytes, elements */
} ts_refused;
static inline void ts_refuse(ts_refused *r, uint64_t wanted) {
    r->n++;
    if (wanted > r->most) r->most = wanted;
}

/* The store itself: read by exec and gc, changed by store.c alone but for what is said. */
struct ts_store {
    ts_engine *engine;
    ts_type_registry *types;
    ts_store_limits limits; /* defaults filled in (fuel: 0 stays unmetered) */
    ts_gc_heap *gc;         /* made with the first object or root */
    ts_exec *exec;          /* exec.c's */
    uint32_t interrupted;   /* atomic: set from any thread, cleared by ts_call when it reports it */
    ts_sys_wake wake;       /* rung then, for a host function that waits */
    ts_instance *instances; /* newest first */
    uint64_t n_instances;
    ts_refused refused_memory, refused_table;
    ts_arena arena; /* functions, globals, tags, instances: end with the store */
    TS_VEC(ts_memory *) mems;
    TS_VEC(ts_table *) tables;
    TS_VEC(ts_global *) globals;
};
#endif
