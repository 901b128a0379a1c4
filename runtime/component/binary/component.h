/* component: a decoded and validated component, constant from then on and shared by its instances.
 * In: bytes (kept by the caller or copied). Out: its definitions in order, its import and export types.
 * spec: component-model Binary.md (sections), Explainer.md (grammar, index spaces), Subtyping.md
 *
 * Resource types. Each component has an environment of `n_resources` slots, filled while it is
 * instantiated. A slot is taken for every resource type that comes into it: imported by itself, defined, or
 * exported from an imported or created instance. own/borrow types in this component's types name slots of
 * this environment; validation has already decided which slots are the same type. Two components never
 * share types: what crosses between them is a value whose handles carry the run-time resource type. Slots
 * are also numbered for the resource types that instance and component types bind (`sub resource` inside
 * them): those are never filled, and are renamed to fresh slots wherever such a type is imported or
 * instantiated. So a slot has one meaning in its component. Which definitions fill slots: TS_DEF_TYPE
 * (resource definition), and the `binds` of TS_DEF_IMPORT, TS_DEF_INSTANTIATE and TS_DEF_EXPORT (ascribed
 * abstract types). The path of a bind starts at the imported item, the new instance's exports or the
 * exported item: no path = the item itself is the resource type. TS_DEF_ALIAS_* fill none: what they reach
 * has its slots already. */
#ifndef TS_COMPONENT_COMPONENT_H
#define TS_COMPONENT_COMPONENT_H
#include "base/arena.h"
#include "base/map.h"
#include "component/type/name_index.h"
#include "component/type/val.h"
#include "core/module/module.h"

typedef struct ts_component ts_component;

/* Binary.md: sort; core sorts have bit 4 set */
typedef enum ts_sort {
    TS_SORT_FUNC = 1,
    TS_SORT_VALUE = 2,
    TS_SORT_TYPE = 3,
    TS_SORT_COMPONENT = 4,
    TS_SORT_INSTANCE = 5,
    TS_SORT_CORE_FUNC = 0x10,
    TS_SORT_CORE_TABLE,
    TS_SORT_CORE_MEMORY,
    TS_SORT_CORE_GLOBAL,
    TS_SORT_CORE_TAG,
    TS_SORT_CORE_TYPE = 0x20,
    TS_SORT_CORE_MODULE = 0x21,
    TS_SORT_CORE_INSTANCE = 0x22,
} ts_sort;

/* The type of an import or export. */
typedef struct ts_extern_type ts_extern_type;
typedef struct ts_named_extern {
    /* full name as written: "wasi:io/streams@0.2.0", "run", "[method]descriptor.read"; NUL-terminated */
    const char *name;
    uint32_t name_len;
    const ts_extern_type *type;
    const struct ts_name_attributes *attributes; /* NULL if it has none */
} ts_named_extern;
/* Binary.md: attribute. They are part of neither the name nor the type. An absent one is NULL, others are
 * NUL-terminated. */
typedef struct ts_name_attributes {
    const char *implements, *version_suffix, *external_id;
} ts_name_attributes;
typedef struct ts_instance_type {
    uint32_t n;
    /* in order; resource slots in it belong to the environment of the component that holds this type */
    const ts_named_extern *exports;
    /* for a type in the type space, the slots that it binds; the type of an instance binds none,
     * since all its slots are real */
    uint32_t n_bound;
    const uint32_t *bound;
    ts_name_index index;
    bool has_resource; /* it contains a resource slot */
    uint16_t depth;
    uint32_t nodes;
} ts_instance_type;
typedef struct
    /* the type of an imported or nested component, in slots of the component that holds this type */
    ts_component_type {
    uint32_t n_imports, n_exports;
    const ts_named_extern *imports, *exports;
    uint32_t n_bound,
        /* slots that it binds: of its imports, then of its exports. Other slots are free and belong
         * to an enclosing scope. */
        n_bound_imports;
    const uint32_t *bound;
    ts_name_index import_index, export_index;
    bool has_resource;
    uint16_t depth;
    uint32_t nodes;
} ts_component_type;

/* Core types as they are used at the component level. */
typedef struct ts_core_extern_type {
    ts_extern_kind kind;
    union {
        uint32_t type; /* func, tag: canonical id */
        ts_table_type table;
        ts_limits mem;
        ts_global_type global;
    };
} ts_core_extern_type;
typedef struct ts_core_import_type {
    const char *module, *name;
    uint32_t module_len, name_len;
    ts_core_extern_type type;
} ts_core_import_type;
typedef struct ts_core_export_type {
    const char *name;
    uint32_t name_len;
    ts_core_extern_type type;
} ts_core_export_type;
/* the type of a core module and, without imports, of a core instance */
typedef struct ts_core_module_type {
    uint32_t n_imports, n_exports;
    const ts_core_import_type *imports;
    const ts_core_export_type *exports;
    ts_name_index import_index, export_index;
    uint32_t nodes;
} ts_core_module_type;
struct ts_extern_type {
    ts_sort sort; /* TS_SORT_FUNC, TYPE, INSTANCE, COMPONENT, VALUE or CORE_MODULE */
    const ts_cfunc_type *func;
    /* TYPE that is not a resource (eq bound); NULL for resource types, func/instance/component types */
    const ts_ctype *type;
    bool is_resource; /* TYPE: a resource type */
    /* the resource type has a `sub resource` bound, so that it fills `resource` when it is bound;
     * otherwise (eq) it is the one already in the slot */
    bool resource_is_sub;
    bool rep64; /* 🐘 defined here, its representation an i64 */
    uint32_t resource;
    const ts_instance_type *instance;
    const ts_component_type *component;
    const ts_core_module_type *module_type; /* CORE_MODULE */
    const ts_ctype *value;                  /* VALUE */
    /* VALUE with an eq bound: which entry of the value space where it stands (of a component, or of an
     * instance type: its value exports in order). The text has no rule by which two bounds are compared:
     * the values are, when they meet at instantiation. */
    bool value_is_eq;
    uint32_t value_eq;
};
/* TYPE with an eq bound to a func, instance or component type has `func`, `instance` or `component` set. */

/* The kinds of canonical definitions. */
typedef enum ts_canon_kind {
    TS_CANON_LIFT,
    TS_CANON_LOWER,
    TS_CANON_RESOURCE_NEW,
    TS_CANON_RESOURCE_DROP,
    TS_CANON_RESOURCE_REP,
    /* 0.3: name in ts_def.canon.builtin: present, traps or is unsupported when called */
    TS_CANON_ASYNC_BUILTIN
} ts_canon_kind;
typedef enum ts_string_encoding { TS_ENC_UTF8, TS_ENC_UTF16, TS_ENC_LATIN1_UTF16 } ts_string_encoding;
typedef struct ts_canon_opts {
    ts_string_encoding encoding;
    bool has_memory, has_realloc, has_post_return, is_async, has_callback;
    bool wide;                                       /* 🐘 the memory has 64-bit addresses */
    uint32_t memory, realloc, post_return, callback; /* core memory / core func indices */
} ts_canon_opts;

typedef struct ts_sort_idx {
    ts_sort sort;
    uint32_t index;
} ts_sort_idx;
/* An argument of instantiate, or an inline export. type is NULL if `what` is of a core sort other than
 * module. */
typedef struct ts_arg {
    const char *name;
    uint32_t name_len;
    ts_sort_idx what;
    const ts_extern_type *type;
} ts_arg;

/* Definitions in the order in which instantiation executes them. Each appends to the index space of its
 * sort. */
typedef enum ts_def_kind {
    TS_DEF_CORE_MODULE,      /* module */
    TS_DEF_CORE_INSTANTIATE, /* core_inst: module index + args (names → core instance) */
    TS_DEF_CORE_INLINE,      /* core_inst: inline exports */
    TS_DEF_COMPONENT,        /* component */
    TS_DEF_INSTANTIATE,      /* inst: component index + args */
    TS_DEF_INLINE,           /* inst: inline exports */
    TS_DEF_ALIAS_EXPORT,     /* alias: instance export */
    TS_DEF_ALIAS_CORE_EXPORT,
    TS_DEF_ALIAS_OUTER, /* alias: outer count/index: modules, components, types */
    /* a type is added to the type space; is_resource_def reports whether a resource type is *defined*
     * here */
    TS_DEF_TYPE,
    TS_DEF_CORE_TYPE,
    TS_DEF_CANON,  /* canon */
    TS_DEF_IMPORT, /* import */
    TS_DEF_EXPORT, /* export; appends to the index space too */
    TS_DEF_START,
    TS_DEF_VALUE, /* value: a literal (🪙) */
} ts_def_kind;

/* An instance or resource that enters the component fills slots. The path leads through nested instance
 * exports to the resource type that fills the slot. */
typedef struct ts_resource_bind {
    uint32_t n_path;
    const char *const *path;
    uint32_t slot;
} ts_resource_bind;

typedef struct ts_def {
    ts_def_kind kind;
    uint64_t offset; /* byte offset in the input, for messages */
    ts_sort sort;    /* of the index space that it appends to */
    uint32_t n_binds;
    const ts_resource_bind *binds; /* import, instantiate, alias export of what brings resource types */
    union {
        ts_module *module;
        ts_component *component;
        struct {
            uint32_t index;
            uint32_t n_args;
            const ts_arg *args;
            const ts_extern_type *result;
        } inst; /* instantiate (core args: sort CORE_INSTANCE) and inline exports */
        struct {
            uint32_t instance;
            const char *name;
            uint32_t name_len;
        } alias;
        struct {
            uint32_t count, index;
        } outer;
        struct {
            ts_canon_kind kind;
            uint32_t func; /* lift: a core function; lower: a component function */
            ts_canon_opts opts;
            const ts_cfunc_type *type; /* lift and lower: the function's type as this component sees it */
            uint32_t core_type;        /* canonical id of the core function type that it has or needs */
            uint32_t resource;         /* resource.*: slot */
            const char *builtin;       /* async built-ins: "task.return" … */
            /* async built-ins: the stream or future type, or the result of task.return; NULL if there
             * is none */
            const ts_ctype *builtin_type;
            bool builtin_flag; /* async built-ins: the async? or cancel? immediate */
            uint32_t builtin_imm
                /* context: slot number; waitable-set.wait and poll: memory; thread.new-indirect: id
                 * of a core type, and table */
                [2];
        } canon;
        struct {
            /* a `resource` definition: fills `slot` with a fresh type whenever it is carried out */
            bool is_resource_def;
            uint32_t slot;
            bool has_dtor;
            uint32_t dtor;        /* core func */
            const ts_ctype *type; /* value types; NULL otherwise */
            /* func, instance, component types; NULL otherwise (also for resources and value types) */
            const ts_extern_type *ext;
        } type;
        struct {
            const char *name;
            uint32_t name_len;
            const ts_extern_type *type;
            const ts_name_attributes *attributes; /* NULL: none */
        } import;
        struct {
            const char *name;
            uint32_t name_len;
            ts_sort_idx what;
            const ts_extern_type *type;
        } export_;
        struct {
            uint32_t func;
            uint32_t n_args;
            const uint32_t *args;
            uint32_t n_results;
            const ts_ctype *result; /* NULL: none */
        } start;
        struct {
            const ts_ctype *type;
            const ts_val *v;
        } value; /* Binary.md#value-definitions, read */
    };
} ts_def;

struct ts_component {
    ts_engine *engine;
    uint32_t refs; /* atomic; nested components are owned by their parent */
    ts_arena arena;
    const uint8_t *bytes;
    size_t len;
    void *owned_bytes;
    uint32_t features;    /* TS_CF_* */
    ts_component *parent; /* NULL at the top */
    const char *name;     /* from the component-name section, or NULL */
    uint32_t n_defs;
    ts_def *defs;
    uint32_t n_resources; /* size of the environment */
    uint32_t n_core_modules, n_core_instances, n_core_types, n_components, n_instances, n_funcs, n_types,
        n_values; /* index space sizes */
    uint32_t n_core_funcs, n_core_tables, n_core_memories, n_core_globals, n_core_tags;
    uint32_t n_imports, n_exports;
    const ts_named_extern *imports, *exports; /* the component's own type */
    const ts_component_type *type;            /* the same as one value */
    uint64_t offset;                          /* byte offset of its preamble in the outermost input */
};

/* Features of the component model beyond WASI 0.2. They are enabled at run time. */
enum {
    TS_CF_ASYNC = 1u << 0,
    TS_CF_VALUES = 1u << 1,
    TS_CF_MAPS = 1u << 2,
    TS_CF_FIXED_LISTS = 1u << 3,
    TS_CF_ERROR_CONTEXT = 1u << 4,
    TS_CF_IMPLEMENTS = 1u << 5,
    TS_CF_NESTED_NAMES = 1u << 6,
    TS_CF_CANONICAL_NAMES = 1u << 7,
    TS_CF_MORE_ASYNC_BUILTINS = 1u << 8,
    TS_CF_ASYNC_STACKFUL = 1u << 9,
    TS_CF_THREADS = 1u << 10,
    TS_CF_MEMORY64 = 1u << 11,
    TS_CF_EVERY = 0xfffu,
    /* The features that the official scripts assume. The scripts expect nested names to be rejected, and
     * they are older than canonical names. */
    TS_CF_ALL = TS_CF_EVERY & ~(TS_CF_NESTED_NAMES | TS_CF_CANONICAL_NAMES),
    TS_CF_DEFAULT = 0,
};
/* spec: Explainer.md#gated-features. The features by name, and parsing of a list such as "values,maps" or
 * "all". */
typedef struct ts_component_feature_row {
    const char *name, *text;
    uint32_t bit;
} ts_component_feature_row;
const ts_component_feature_row *ts_component_features(uint32_t *n);
ts_status ts_component_features_parse(const char *list, uint32_t *out, ts_error *e) TS_MUST_USE;

bool ts_bytes_are_component(const uint8_t *bytes, size_t len); /* layer field of the preamble */
ts_status ts_component_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, uint32_t features,
                           TS_OWN ts_component **out, ts_error *e) TS_MUST_USE;
void ts_component_free(ts_component *c);

/* Returns whether a core module of type `have` can be used where `want` is required. If not, the reason is
 * written to buf. */
bool ts_core_module_type_matches(const ts_type_registry *types, const ts_core_module_type *have,
                                 const ts_core_module_type *want, char *buf, size_t size);
/* Returns the type of a module, allocated in the arena, or NULL if there is no memory. */
const ts_core_module_type *ts_core_module_type_of(ts_arena *arena, const ts_module *m);
/* Find an export or import by its exact name. They return NULL if there is none. */
const ts_named_extern *ts_instance_type_find(const ts_instance_type *t, const char *name, size_t len);
const ts_named_extern *ts_component_type_find_import(const ts_component_type *t, const char *name, size_t len);
const ts_named_extern *ts_component_type_find_export(const ts_component_type *t, const char *name, size_t len);
const ts_core_export_type *ts_core_type_find_export(const ts_core_module_type *t, const char *name, size_t len);
const char *ts_sort_name(ts_sort s); /* "func", "core module" … */
#endif
