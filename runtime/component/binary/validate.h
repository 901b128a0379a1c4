/* validate: what the parts of the component decoder and validator share. Outside of binary/ only linker.c
 * includes it, to compare types.
 * In: the bytes, item by item. Out: a ts_component's definitions and types, or the rule that is broken.
 * spec: Binary.md, Explainer.md
 *
 * decode.c reads sections and definitions, validate_types.c component-level types and names,
 * validate_alias.c aliases, validate_core.c core types, validate_canon.c canonical definitions. scope.c
 * holds the index spaces. subtype.c compares and substitutes component-level types, core_subtype.c compares
 * core types. Each item is read and validated before the next one. */
#ifndef TS_COMPONENT_VALIDATE_H
#define TS_COMPONENT_VALIDATE_H
#include "base/ptrmap.h"
#include "base/reader.h"
#include "base/vec.h"
#include "component/binary/component.h"
#include "component/type/names.h"
#include "sys/stack.h"

/* The key of a resource slot in a map. */
static inline const void *ts_slot_key(uint32_t slot) {
    return (const void *)((uintptr_t)slot + 1);
}

ts_name_ref ts_named_extern_at(const void *items, uint32_t i);
ts_name_ref ts_core_import_at(const void *items, uint32_t i);
ts_name_ref ts_core_export_at(const void *items, uint32_t i);

/* --- one decode -------------------------------------------------------------------------------- */
enum {
    TS_COMP_MAX_TYPE_NESTING = 100, /* of component and instance types */
    TS_COMP_BUDGET = 50000000,      /* nodes visited while comparing types, over a whole input */
    /* the cost of a node that is copied while substituting, in the same unit */
    TS_COMP_COPY_COST = 20,
};
/* Limits that engines and tools agree on beside the text, which itself limits flags, type sizes and
 * their byte sizes (TS_CT_MAX_*). wasm-tools has the same numbers. */
enum {
    TS_COMP_MAX_NAME = 100000, /* bytes */
    TS_COMP_MAX_DECLS = 1000000,
    TS_COMP_MAX_MODULE_DECLS = 100000,
    TS_COMP_MAX_ARGS = 100000, /* arguments of an instantiation, and inline exports */
    TS_COMP_MAX_OPTIONS = 10,
    TS_COMP_MAX_START_ARGS = 1000,
    TS_COMP_MAX_FIXED_LIST = 1 << 30,
    TS_COMP_MAX_UNITS = 1000, /* modules and components in an input at any depth, including itself */
    /* limits of index spaces */
    TS_COMP_MAX_MODULES = 1000,
    TS_COMP_MAX_COMPONENTS = 1000,
    TS_COMP_MAX_INSTANCES = 4096, /* core instances included */
    TS_COMP_MAX_VALUES = 1000,
    TS_COMP_MAX_ITEMS = 1000000, /* any other index space, and imports and exports */
};
typedef struct ts_dec {
    ts_engine *engine;
    ts_type_registry *types;
    ts_arena *arena; /* belongs to the outermost component; nested components share it */
    ts_error *err;
    uint32_t features;
    uint32_t n_units; /* number of modules and components that were begun */
    uint64_t budget;
} ts_dec;

/* The environment of a component: a slot for each of its resource types, including those that types
 * in it bind. */
typedef struct ts_env {
    TS_VEC(bool) local;
} ts_env; /* local: the resource type is defined here, so that resource.new and resource.rep are
           * allowed */

typedef enum ts_scope_kind { TS_SCOPE_COMPONENT, TS_SCOPE_COMPONENT_TYPE, TS_SCOPE_INSTANCE_TYPE } ts_scope_kind;
typedef struct ts_core_type_entry {
    const ts_core_module_type *module;
    uint32_t id;
} ts_core_type_entry; /* module is NULL for a defined type */
typedef struct ts_value_entry {
    const ts_ctype *type;
    bool used;
} ts_value_entry;
typedef struct ts_bind_vec {
    TS_VEC(ts_resource_bind) v;
} ts_bind_vec;

typedef struct ts_res_names { /* resource types by name, for [constructor], [method] and [static] names */
    ts_ptrmap by_alias;       /* type index (its ts_extern_type) → index into names */
    ts_map set;               /* the names */
    TS_VEC(const char *) names;
} ts_res_names;

typedef struct ts_scope {
    ts_scope_kind kind;
    struct ts_scope *parent;
    ts_dec *d;
    ts_env *env;
    uint32_t depth;      /* number of scopes outside */
    uint32_t type_depth; /* number of types from the innermost component on, including this one */
    TS_VEC(const ts_extern_type *) types;
    TS_VEC(ts_core_type_entry) core_types;
    TS_VEC(uint32_t) core_type_ids; /* the same, as ts_types_intern wants them */
    TS_VEC(const ts_cfunc_type *) funcs;
    TS_VEC(const ts_instance_type *) instances;
    TS_VEC(const ts_component_type *) components;
    TS_VEC(const ts_core_module_type *) modules;
    /* the modules that are defined here, by module index; NULL: imported or aliased */
    TS_VEC(ts_module *) module_defs;
    TS_VEC(ts_value_entry) values;
    TS_VEC(const ts_core_module_type *) core_instances;
    TS_VEC(uint32_t) core_funcs;
    TS_VEC(ts_table_type) tables;
    TS_VEC(ts_limits) mems;
    TS_VEC(ts_global_type) globals;
    TS_VEC(uint32_t) tags;
    TS_VEC(ts_named_extern) imports;
    TS_VEC(ts_named_extern) exports;
    ts_map import_keys, export_keys; /* canonical name → position */
    ts_ptrmap named;                 /* ts_ctype or resource ts_extern_type → TS_NAMED_* */
    /* the same of the instance types that are being looked into: → how many name it */
    ts_ptrmap within;
    ts_res_names import_res, export_res;
    TS_VEC(uint32_t) bound_imports;
    TS_VEC(uint32_t) bound_exports;
    TS_VEC(ts_def) defs;     /* TS_SCOPE_COMPONENT */
    ts_valtype context_type; /* of context.get and context.set; 0 before the first of them */
    uint64_t nodes;          /* of all imports and exports together: at most TS_CT_MAX_NODES */
    ts_component *c;         /* TS_SCOPE_COMPONENT */
} ts_scope;
enum { TS_NAMED_IMPORT = 1, TS_NAMED_EXPORT = 2 };
/* --- scope.c ----------------------------------------------------------------------------------- */
#define TS_BAD(s, off, sec, ...) ts_fail_at((s)->d->err, TS_INVALID, (off), (sec), __VA_ARGS__)
#define TS_PUSH(s, vec, ...) (ts_vec_push(&(s)->vec, __VA_ARGS__) ? TS_OK : ts_fail_nomem((s)->d->err))
void ts_scope_init(ts_scope *s, ts_scope_kind kind, ts_scope *parent, ts_dec *d, ts_env *env);
void ts_scope_free(ts_scope *s);
ts_status ts_scope_feature(const ts_scope *s, const ts_reader *r, uint64_t off, uint32_t feature,
                           const char *what) TS_MUST_USE;
/* reads the length of a vec, which is at most the number of bytes left */
ts_status ts_read_count(ts_reader *r, uint32_t *n) TS_MUST_USE;
ts_status ts_read_count_max(ts_reader *r, uint32_t max, const char *what,
                            uint32_t *n) TS_MUST_USE; /* the same, and at most max */
/* Fails with "<what> exceeds the limit of <max>" at offset off. */
ts_status ts_limit_exceeded(const ts_reader *r, uint64_t off, const char *what, uint32_t max);
/* reads a name within its limit */
ts_status ts_read_item_name(ts_reader *r, const char **out, uint32_t *len) TS_MUST_USE;
/* fails as malformed, at the previous byte */
ts_status ts_read_leading(ts_reader *r, uint8_t b, const char *what);
ts_status ts_env_slot(ts_dec *d, ts_env *env, bool local, uint32_t *slot) TS_MUST_USE;
void *ts_dec_alloc(ts_dec *d, size_t n, size_t size); /* returns NULL on failure, with the error filled */
/* makes a type that is zero except for its sort */
ts_status ts_extern_new(ts_dec *d, ts_sort sort, ts_extern_type **out) TS_MUST_USE;
const char *ts_dec_name(ts_dec *d, const char *s, size_t len);
/* Allocates n zeroed elements, or copies a name, or returns TS_NOMEM from the calling function. */
#define TS_ALLOC(d, var, n)                                                                                            \
    do {                                                                                                               \
        (var) = ts_dec_alloc((d), (n), sizeof *(var));                                                                 \
        if (!(var)) return TS_NOMEM;                                                                                   \
    } while (0)
#define TS_DUP(d, var, str, len)                                                                                       \
    do {                                                                                                               \
        (var) = ts_dec_name((d), (str), (len));                                                                        \
        if (!(var)) return TS_NOMEM;                                                                                   \
    } while (0)

ts_status ts_scope_type(ts_scope *s, uint64_t off, const char *sec, uint32_t i, const ts_extern_type **out) TS_MUST_USE;
ts_status ts_scope_resource(ts_scope *s, uint64_t off, const char *sec, uint32_t i,
                            const ts_extern_type **out) TS_MUST_USE;
ts_status ts_scope_func_type(ts_scope *s, uint64_t off, const char *sec, uint32_t i,
                             const ts_cfunc_type **out) TS_MUST_USE;
/* Returns the type of an item of an index space. A value is marked as used. */
ts_status ts_scope_item(ts_scope *s, uint64_t off, const char *sec, ts_sort_idx what,
                        const ts_extern_type **out) TS_MUST_USE;
ts_status ts_scope_limits(const ts_scope *s, uint64_t off, const char *sec) TS_MUST_USE;
/* appends to the index space of its sort */
ts_status ts_scope_push(ts_scope *s, const ts_extern_type *t) TS_MUST_USE;
ts_status ts_unknown(ts_scope *s, uint64_t off, const char *sec, const char *what, uint32_t i);

/* --- subtype.c --------------------------------------------------------------------------------- */
typedef struct ts_rmap {
    ts_ptrmap m;
    const struct ts_rmap *up;
} ts_rmap; /* slot → slot; a slot that is in no map maps to itself */
uint32_t ts_rmap_get(const ts_rmap *m, uint32_t slot);
typedef struct ts_sub { /* have <: want */
    ts_dec *d;
    const ts_rmap *have_map; /* of have's slots; NULL: identity */
    ts_rmap *want_map;       /* of want's slots: filled for those in `open` as they are met */
    const ts_ptrmap *open;
    ts_ptrmap *names; /* NULL, or: want's named types and resources → those of have that stand for them */
    char *buf;
    size_t size;
    bool failed; /* memory or stack ran out: d->err is filled, and the verdict must be ignored */
} ts_sub;
bool ts_extern_matches_sub(ts_sub *c, const ts_extern_type *have, const ts_extern_type *want);

typedef struct ts_subst { /* renaming of slots: types that mention none are shared, others copied */
    ts_dec *d;
    ts_ptrmap slots; /* slot + 1 → slot */
    ts_ptrmap memo;  /* what is in it from the start is replaced as said there */
    bool deep;       /* the memo replaces types without resources too: nothing is shared unseen */
    /* not NULL: slots that are not in the map get a fresh one here (the type goes to another component) */
    ts_env *fresh;
} ts_subst;
void ts_subst_free(ts_subst *s);
/* These return NULL on failure, with the error filled. */
const ts_extern_type *ts_subst_extern(ts_subst *s, const ts_extern_type *t);
const ts_instance_type *ts_subst_instance(ts_subst *s, const ts_instance_type *t, bool open);
const ts_component_type *ts_subst_component(ts_subst *s, const ts_component_type *t);
/* Puts the slots that occur in t and are not bound within it into out. Returns false on failure, with the
 * error filled. */
bool ts_free_slots(ts_dec *d, const ts_extern_type *t, ts_ptrmap *out);
bool ts_extern_has_resource(const ts_extern_type *t);
uint64_t ts_extern_nodes(const ts_extern_type *t);
/* Size, depth, has_resource and name index from the exports (and imports); `t` is otherwise filled. */
ts_status ts_instance_type_finish(ts_dec *d, uint64_t off, const char *sec, ts_instance_type *t) TS_MUST_USE;
ts_status ts_component_type_finish(ts_dec *d, uint64_t off, const char *sec, ts_component_type *t) TS_MUST_USE;

/* --- validate_types.c -------------------------------------------------------------------------- */
typedef struct ts_name_attr { /* Binary.md: nameattributes */
    const char *name;
    uint32_t len;
    bool has_implements, has_suffix, has_external_id;
    const char *implements, *suffix, *external_id;
    uint32_t implements_len, suffix_len, external_id_len;
    uint64_t offset;
    const ts_name_attributes *kept; /* ts_scope_add's, where there are any */
} ts_name_attr;
ts_status ts_read_name_attr(ts_scope *s, ts_reader *r, ts_name_attr *out) TS_MUST_USE;
/* Reads an externtype as written, before it is opened. */
ts_status ts_read_externtype(ts_scope *s, ts_reader *r, ts_extern_type **out) TS_MUST_USE;
ts_status ts_read_cvaltype(ts_scope *s, ts_reader *r, const ts_ctype **out) TS_MUST_USE;
ts_status ts_read_resultlist(ts_scope *s, ts_reader *r, const ts_ctype **out) TS_MUST_USE;
/* Reads one definition of a type section, or one type declaration, into the type space. */
ts_status ts_read_type(ts_scope *s, ts_reader *r, ts_def *def) TS_MUST_USE;
/* Adds an import or export: checks the name rules and external visibility, and appends to the index
 * space. `t` is the type with its slots in place. */
ts_status ts_scope_add(ts_scope *s, ts_name_attr *na, const char *sec, bool import, const ts_extern_type *t,
                       const char **name) TS_MUST_USE;
/* Checks the name of one inline export. */
ts_status ts_check_inline_export_name(ts_scope *s, const ts_name_attr *na, const char *sec, const ts_extern_type *t,
                                      ts_map *keys, uint32_t i) TS_MUST_USE;
/* Assigns fresh slots to the resource types that an instance type binds. They are noted as bound by
 * an import or export of the scope, and their paths are added to binds, which may be NULL. */
ts_status ts_scope_open(ts_scope *s, uint64_t off, const char *sec, const ts_extern_type *t, bool import,
                        ts_bind_vec *binds, const ts_extern_type **out) TS_MUST_USE;
/* Adds the paths of the resource types in t whose slots are in `want` to binds, once for each slot. */
ts_status ts_collect_binds(ts_dec *d, const ts_extern_type *t, ts_ptrmap *want, ts_bind_vec *binds) TS_MUST_USE;
ts_status ts_scope_component_type(ts_scope *s, uint64_t off, const char *sec,
                                  /* makes the type of the declarations of a scope */
                                  const ts_component_type **out) TS_MUST_USE;
/* Makes a new name for the same type, as an import or export introduces it. */
ts_status ts_type_renamed(ts_dec *d, const ts_extern_type *t, ts_extern_type **out) TS_MUST_USE;

/* --- validate_alias.c -------------------------------------------------------------------------- */
/* Reads an alias declaration or definition; def may be NULL. */
ts_status ts_read_alias(ts_scope *s, ts_reader *r, ts_def *def) TS_MUST_USE;
ts_status ts_read_core_sort(ts_reader *r, ts_sort *out) TS_MUST_USE;

/* --- validate_core.c --------------------------------------------------------------------------- */
ts_status ts_scope_push_core_type(ts_scope *s, ts_core_type_entry e) TS_MUST_USE;
ts_status ts_read_core_type(ts_scope *s, ts_reader *r)
    TS_MUST_USE; /* reads one entry of a core type section into the core type space */
/* accepts abstract and number types only */
ts_status ts_read_core_valtype(ts_reader *r, ts_valtype *out) TS_MUST_USE;
ts_status ts_core_module_type_check(ts_scope *s, uint64_t off, const char *sec,
                                    /* checks that names are unique and builds the indices */
                                    ts_core_module_type *t) TS_MUST_USE;

/* --- core_subtype.c ---------------------------------------------------------------------------- */
bool ts_core_extern_matches(const ts_type_registry *types, const ts_core_extern_type *have,
                            const ts_core_extern_type *want, char *buf, size_t size);
void ts_core_func_print(const ts_type_registry *types, uint32_t id, char *buf, size_t size);

/* --- validate_canon.c -------------------------------------------------------------------------- */
ts_status ts_read_canon(ts_scope *s, ts_reader *r, ts_def *def) TS_MUST_USE;

/* --- decode.c ---------------------------------------------------------------------------------- */
ts_status ts_component_decode(ts_dec *d, ts_reader *r, ts_scope *parent, ts_component *c) TS_MUST_USE;
#endif
