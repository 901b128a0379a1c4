/* ctype: component-level types, as the canonical ABI and the linker use them. They are structural;
 * resource types are slots.
 * In: made by the component validator in the arena of a component, or as constant tables by the WASI
 * glue. Out: constant values.
 * spec: component-model Explainer.md#type-definitions; CanonicalABI.md#alignment, #element-size,
 * #flattening */
#ifndef TS_COMPONENT_CTYPE_H
#define TS_COMPONENT_CTYPE_H
#include "base/error.h"

typedef enum ts_ct_kind {
    TS_CT_BOOL,
    TS_CT_S8,
    TS_CT_U8,
    TS_CT_S16,
    TS_CT_U16,
    TS_CT_S32,
    TS_CT_U32,
    TS_CT_S64,
    TS_CT_U64,
    TS_CT_F32,
    TS_CT_F64,
    TS_CT_CHAR,
    TS_CT_STRING,
    TS_CT_RECORD,
    TS_CT_VARIANT,
    TS_CT_LIST,
    TS_CT_TUPLE,
    TS_CT_FLAGS,
    TS_CT_ENUM,
    TS_CT_OPTION,
    TS_CT_RESULT,
    TS_CT_OWN,
    TS_CT_BORROW,
    /* types of WASI 0.3: they are decoded and validated, but functions that have one cannot be called */
    TS_CT_FIXED_LIST,
    TS_CT_MAP,
    TS_CT_STREAM,
    TS_CT_FUTURE,
    TS_CT_ERROR_CONTEXT,
} ts_ct_kind;

typedef struct ts_ctype ts_ctype;
typedef struct ts_ct_case { /* a record field, variant case, flag, enum case or tuple element */
    const char *name;       /* NULL in tuples */
    const ts_ctype *type;   /* NULL if there is no payload */
} ts_ct_case;

struct ts_ctype {
    ts_ct_kind kind;
    /* record, variant, tuple, flags, enum: number of entries; fixed-length list: length */
    uint32_t n;
    const ts_ct_case *cases; /* the entries */
    /* list, option, fixed-length list, stream, future: element type, NULL if none; map: value;
     * result: ok, NULL if none */
    const ts_ctype *elem;
    const ts_ctype *elem2; /* result: error, NULL if none; map: key */
    /* own, borrow: slot of the resource type in the environment (see ts_component.n_resources) */
    uint32_t resource;
    /* own, borrow: used by the validator: the type index that named the resource; NULL elsewhere */
    const void *alias;
    /* computed by ts_ctype_finish for 32-bit memories, in bytes. cabi: alignment, elem_size,
     * flatten_type */
    uint32_t size, align;
    uint32_t payload_offset; /* variant, option, result */
    uint8_t disc_size;       /* variant, enum, option, result: size of the discriminant in bytes */
    const uint32_t *offsets; /* record, tuple: byte offset of each field */
    uint32_t n_flat;         /* number of core values, capped at TS_CT_FLAT_MAX */
    uint8_t flat[16];        /* the core types (low bytes of TS_VT_*), valid if n_flat <= 16 */
    bool has_handle,
        /* has_handle: it contains own or borrow, also inside a stream or future. has_pointer: it
         * contains a string, list or map, so that it needs memory. */
        has_pointer;
    bool has_borrow;
    /* For abi/plain.c. plain: it consists of scalars only, without lists, strings and handles.
     * bitwise: lifting and lowering do not change its bytes. needs_check: lifting traps for some
     * bytes. */
    bool plain, bitwise, needs_check;
    /* the same for 64-bit memories (🐘), where pointers and lengths are i64; n_flat is the same */
    uint8_t align64;
    uint32_t size64;
    uint32_t payload_offset64;
    const uint32_t *offsets64;
    uint8_t flat64[16];
    uint16_t depth; /* nesting: 1 for a primitive type; at most TS_CT_MAX_DEPTH */
    uint32_t nodes; /* number of nodes as a tree; at most TS_CT_MAX_NODES */
};
enum {
    TS_CT_FLAT_MAX = 17, /* 17 means "more than 16" */
    TS_CT_MAX_DEPTH = 100,
    TS_CT_MAX_NODES = 1000000,
    /* limits that engines and tools agree on; wasm-tools has the same numbers */
    TS_CT_MAX_MEMBERS = 10000, /* of a record, variant, tuple, enum */
    TS_CT_MAX_PARAMS = 1000,
    TS_CT_MAX_SIZE = 1 << 28, /* elem_size(t, i64) is smaller. spec: Binary.md#type-definitions */
};

typedef struct ts_cfunc_type {
    uint32_t n_params;
    const ts_ct_case *params; /* name and type */
    const ts_ctype *result;   /* NULL if there is none */
    const char *result_name;  /* not used by WASI 0.2; NULL */
    bool is_async;
    bool has_handle; /* used by the validator: a parameter or the result has a handle */
    uint16_t depth;  /* used by the validator: one more than the depth of its deepest type */
    uint32_t nodes;  /* used by the validator: number of nodes as a tree */
} ts_cfunc_type;

/* Sizes and offsets in memory, in bytes. wide: the memory has 64-bit addresses. cabi: alignment,
 * elem_size, flatten_type */
static inline uint32_t ts_ctype_size(const ts_ctype *t, bool wide) {
    return wide ? t->size64 : t->size;
}
static inline uint32_t ts_ctype_align(const ts_ctype *t, bool wide) {
    return wide ? t->align64 : t->align;
}
/* the offset of a field */
static inline uint32_t ts_ctype_offset(const ts_ctype *t, uint32_t i, bool wide) {
    return wide ? t->offsets64[i] : t->offsets[i];
}
/* the offset of the payload of a case */
static inline uint32_t ts_ctype_payload(const ts_ctype *t, bool wide) {
    return wide ? t->payload_offset64 : t->payload_offset;
}

/* The number of cases of a variant, enum, option or result, and the payload type of one, NULL if it
 * has none. cabi: despecialize */
static inline uint32_t ts_ctype_n_cases(const ts_ctype *t) {
    return t->kind == TS_CT_OPTION || t->kind == TS_CT_RESULT ? 2 : t->n;
}
static inline const ts_ctype *ts_ctype_case(const ts_ctype *t, uint32_t i) {
    switch (t->kind) {
    case TS_CT_OPTION: return i ? t->elem : NULL;
    case TS_CT_RESULT: return i ? t->elem2 : t->elem;
    case TS_CT_VARIANT: return t->cases[i].type;
    default: return NULL;
    }
}

/* Returns a primitive type (bool … string, error-context), which is finished, or NULL for other
 * kinds. */
const ts_ctype *ts_ctype_primitive(ts_ct_kind k);
/* Computes the derived fields. The types that t refers to must be finished. Returns TS_INVALID if a
 * limit is exceeded.
 * cabi: alignment, elem_size, flatten_type */
struct ts_arena;
ts_status ts_ctype_finish(ts_ctype *t, struct ts_arena *arena, ts_error *e) TS_MUST_USE;
/* spec: Explainer.md#type-definitions: keytype */
bool ts_ctype_is_key(const ts_ctype *t);
/* "record", "list", "u32" */
const char *ts_ct_kind_name(ts_ct_kind k);
/* Gives the printers the names of types. name returns NULL if a type has none. */
typedef struct ts_ct_namer {
    const char *(*name)(const void *data, const ts_ctype *t);
    const void *data;
} ts_ct_namer;
/* Prints a type as in WIT ("result<u32, string>") into buf, truncated to size, and returns buf. If
 * names is NULL, all types are printed in full. t itself is always printed in full. */
const char *ts_ctype_print(const ts_ctype *t, const ts_ct_namer *names, char *buf, size_t size);
/* Prints "func(a: u32) -> string" into buf, truncated to size, and returns buf. */
const char *ts_cfunc_type_print(const ts_cfunc_type *t, const ts_ct_namer *names, char *buf, size_t size);
/* Structural equality. Resources are compared by the two maps from slots to identities, or by slot
 * number if a map is NULL. */
bool ts_ctype_equal(const ts_ctype *a, const ts_ctype *b, const void *const *res_a, const void *const *res_b);

/* Subtyping of functions, for the linker: the host's type against the imported one. Resources are
 * compared by the two maps. If it returns false, the reason is in buf. */
bool ts_cfunc_type_matches(const ts_cfunc_type *have, const ts_cfunc_type *want, const void *const *res_have,
                           const void *const *res_want, char *buf, size_t size);
/* The comparison that these functions use, for callers with their own notion of equal resources. If
 * it returns false, buf (of size > 0) has the reason, from the outside in: "type mismatch in record
 * field `x`: expected u32, found string". */
typedef struct ts_ct_cmp {
    bool (*same)(const struct ts_ct_cmp *c, uint32_t res_have, uint32_t res_want);
    void *data;
    /* decremented for every node that is visited; the comparison fails at 0. NULL: no limit */
    uint64_t *budget;
    char *buf;
    size_t size;
} ts_ct_cmp;
bool ts_ctype_matches(const ts_ctype *have, const ts_ctype *want, const ts_ct_cmp *c);
bool ts_cfunc_type_matches_by(const ts_cfunc_type *have, const ts_cfunc_type *want, const ts_ct_cmp *c);
#endif
