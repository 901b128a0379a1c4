/* module: a decoded and validated core module. It is constant from then on, and its instances share it,
 * across threads too. In: bytes that live as long as the module. Out: the index spaces. A function is
 * compiled when it is first called.
 * spec: syntax/modules, binary/modules, valid/modules */
#ifndef TS_CORE_MODULE_H
#define TS_CORE_MODULE_H
#include "base/arena.h"
#include "base/map.h"
#include "core/module/types.h"

typedef struct ts_engine ts_engine;
typedef struct ts_module ts_module;

/* Features are data, switched at run time. The default is WebAssembly 3.0. */
enum {
    TS_F_THREADS = 1u << 0,
    TS_F_CUSTOM_PAGE_SIZES = 1u << 1,
    TS_F_WIDE_ARITHMETIC = 1u << 2,
    TS_F_CUSTOM_DESCRIPTORS = 1u << 3,
    TS_F_LEGACY_EXCEPTIONS = 1u << 4,
    TS_F_SIMD = 1u << 8,
    TS_F_RELAXED_SIMD = 1u << 9,
    TS_F_GC = 1u << 10,
    TS_F_EXCEPTIONS = 1u << 11,
    TS_F_TAIL_CALL = 1u << 12,
    TS_F_MEMORY64 = 1u << 13,
    TS_F_MULTI_MEMORY = 1u << 14,
    TS_F_WASM3 = 0x7f00u,
};

typedef enum ts_extern_kind {
    TS_EXTERN_FUNC = 0,
    TS_EXTERN_TABLE = 1,
    TS_EXTERN_MEM = 2,
    TS_EXTERN_GLOBAL = 3,
    TS_EXTERN_TAG = 4
} ts_extern_kind;
const char *ts_extern_kind_name(ts_extern_kind k);

typedef struct ts_limits {
    uint64_t min, max; /* pages or elements */
    bool has_max, is64, shared;
    uint8_t page_log2; /* memories: 16 */
} ts_limits;

typedef struct ts_table_type {
    ts_valtype elem;
    ts_limits limits;
} ts_table_type;
typedef struct ts_global_type {
    ts_valtype type;
    bool mut;
} ts_global_type;

/* A constant expression: a range of the code bytes, `end` included; run by ts_const_eval at instantiation. */
typedef struct ts_const_expr {
    const uint8_t *at;
    uint32_t len;
} ts_const_expr;

typedef struct ts_import {
    /* NUL-terminated copies in the module's arena. A name may contain NULs, so the lengths are kept too. */
    const char *module, *name;
    uint32_t module_len, name_len;
    ts_extern_kind kind;
    union {
        uint32_t type; /* func, tag: canonical id */
        ts_table_type table;
        ts_limits mem;
        ts_global_type global;
    };
} ts_import;
typedef struct ts_export {
    const char *name;
    uint32_t name_len;
    ts_extern_kind kind;
    uint32_t index;
} ts_export;

typedef struct ts_func_def { /* one entry of the function index space */
    uint32_t type;           /* canonical id */
    bool imported;
    bool declared;       /* ref.func may name it (C.refs). spec: valid/conventions#contexts */
    const uint8_t *body; /* of the code entry: locals, then instructions; NULL when imported */
    uint32_t body_len;
} ts_func_def;
typedef struct ts_table_def {
    ts_table_type type;
    bool has_init;
    ts_const_expr init;
} ts_table_def;
typedef struct ts_global_def {
    ts_global_type type;
    ts_const_expr init; /* unused when imported */
} ts_global_def;

typedef enum ts_seg_mode { TS_SEG_PASSIVE, TS_SEG_ACTIVE, TS_SEG_DECLARATIVE } ts_seg_mode;
typedef struct ts_elem_seg {
    ts_seg_mode mode;
    ts_valtype type;
    uint32_t table;
    ts_const_expr offset;
    uint32_t n;
    bool is_exprs;
    const uint32_t *funcs;      /* is_exprs false */
    const ts_const_expr *exprs; /* is_exprs true */
} ts_elem_seg;
typedef struct ts_data_seg {
    ts_seg_mode mode;
    uint32_t mem;
    ts_const_expr offset;
    const uint8_t *bytes;
    uint32_t len;
} ts_data_seg;

typedef struct ts_name_section { /* the custom section "name": read on first need; errors in it are ignored */
    const uint8_t *at;
    uint32_t len;
} ts_name_section;

/* The data image, kept in the module. The second instance makes it, or it comes from the cache. */
struct ts_image {   /* see image.h */
    uint32_t state; /* atomic: see image.c */
    int fd;
    uint64_t file_at;
    uint64_t lo, len;                 /* the range of the memory, whole pages */
    bool has_all_segments;            /* every data segment of the module is in the image */
    uint32_t used;                    /* atomic: how many memories with it have been kept for the next instance */
    uint8_t *view;                    /* atomic: the image, to be read; NULL: not mapped */
    struct ts_image_written *written; /* atomic: the pages that an instance writes; NULL: not known */
};

/* Parts that later phases attach to a module. They are freed with it, in this order. */
typedef enum ts_module_part {
    TS_PART_CALLS, /* load/cache.c: saves which functions were called; needs the code */
    TS_PART_TIER,  /* run/tier.c: the thread that makes machine code, of functions of the code */
    TS_PART_CODE,  /* run/code_cache.c */
    TS_PART_LINES, /* debug/dwarf.c */
    TS_PART_IMAGE, /* run/image.c */
    TS_PART_COUNT
} ts_module_part;

struct ts_module {
    ts_engine *engine;
    uint32_t refs; /* atomic */
    ts_arena arena;
    const uint8_t *bytes;
    size_t len;
    void *owned_bytes; /* freed with the module, or NULL when the caller keeps the bytes */
    uint32_t features;

    uint32_t n_types;
    /* canonical id of each type index; set by validation, which also makes every type below canonical */
    uint32_t *types;
    struct ts_raw_types *raw_types; /* recursive groups as in the bytes, for validation */
    uint32_t n_imports, n_exports;
    ts_import *imports;
    ts_export *exports;
    ts_map export_map;
    /* index spaces, imports first */
    uint32_t n_funcs, n_tables, n_mems, n_globals, n_tags;
    uint32_t n_imp_funcs, n_imp_tables, n_imp_mems, n_imp_globals, n_imp_tags;
    ts_func_def *funcs;
    ts_table_def *tables;
    ts_limits *mems;
    ts_global_def *globals;
    uint32_t *tags; /* canonical id of the function type */
    uint32_t n_elems, n_datas;
    ts_elem_seg *elems;
    ts_data_seg *datas;
    bool has_start, has_data_count;
    uint32_t start;
    uint32_t data_count;
    ts_name_section names;
    const uint8_t *code_section; /* for messages and sizes */
    size_t code_section_len;

    /* from the cache: n pairs, each body's place in the code section and its length; freed once decoded */
    uint32_t *bodies_known, n_bodies_known;
    bool cached, cache_calls; /* the engine's cache has, under this key: the module; its called functions */
    uint8_t cache_key[32];
    void (*parts[TS_PART_COUNT])(ts_module *m); /* how each part is freed; NULL: not attached */
    struct ts_code_cache *code;                 /* run/code_cache.c's */
    struct ts_tier_worker *tier;                /* run/tier.c's */
    struct ts_image image;                      /* run/image.c's */
    struct ts_dwarf *dwarf;                     /* debug/dwarf.c's; created by the first backtrace */
};

ts_module *ts_module_ref(ts_module *m);
void ts_module_free(ts_module *m); /* drops one reference */

/* The two phases, separate for tests and fuzzing. Decoding fills everything and fails with TS_MALFORMED only.
 * It does not read function bodies: validation finds a malformed opcode in its single pass and returns
 * TS_MALFORMED too. */
ts_status ts_module_decode(ts_module *m, ts_error *e) TS_MUST_USE;
ts_status ts_module_validate(ts_module *m, ts_error *e) TS_MUST_USE;
/* Validate everything but the bodies, which are known to be valid (cache.h). */
ts_status ts_module_validate_sections(ts_module *m, ts_error *e) TS_MUST_USE;
/* Copy the function's name from the name section to buf. Returns false if it has none. */
bool ts_module_func_name(const ts_module *m, uint32_t func, char *buf, size_t size);
bool ts_module_name(const ts_module *m, char *buf, size_t size);
const ts_export *ts_module_find_export(const ts_module *m, const char *name, size_t len);
#endif
