/* ctype: component-level types as the canonical ABI and the linker see them: structural, resources by slot.
 * In: made by the component validator in a component's arena, or as constant tables by the WASI glue. Out: constant values.
 * spec: component-model Explainer.md#type-definitions; CanonicalABI.md#alignment, #element-size, #flattening */
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
    /* WASI 0.3's: decode and validate; calling a function with one is `unsupported` */
    TS_CT_FIXED_LIST,
    TS_CT_MAP,
    TS_CT_STREAM,
    TS_CT_FUTURE,
    TS_CT_ERROR_CONTEXT,
} ts_ct_kind;

typedef struct ts_ctype ts_ctype;
typedef struct ts_ct_case { /* record field, variant case, flag, enum case, tuple element */
    const char *name;       /* NULL in tuples */
    const ts_ctype *type;   /* NULL: no payload */
} ts_ct_case;

struct ts_ctype {
    ts_ct_kind kind;
    uint32_t n;              /* record, variant, tuple, flags, enum: entries; fixed list: length */
    const ts_ct_case *cases; /* … of them */
    /* list, option, fixed list, stream, future (NULL: none); map: value; result: ok (NULL: none) */
    const ts_ctype *elem;
    const ts_ctype *elem2; /* result: error (NULL: none); map: key */
    uint32_t resource; /* own, borrow: slot of the resource type in the environment (see ts_component.n_resources) */
    const void *alias; /* own, borrow: the validator's: by which type index the resource was named; NULL elsewhere */
    /* derived once by ts_ctype_finish (cabi: alignment, elem_size, flatten_type; for 32-bit memories) */
    uint32_t size, align;
    uint32_t payload_offset; /* variant, option, result */
    uint8_t disc_size;       /* variant, enum, option, result: bytes of the discriminant */
    const uint32_t *offsets; /* record, tuple: byte offset of each field */
    uint32_t n_flat;         /* number of core values, capped at TS_CT_FLAT_MAX */
    uint8_t flat[16];        /* their core types (TS_VT_I32 … low byte), valid when n_flat <= 16 */
    bool has_handle,
        has_pointer; /* contains own/borrow (also behind stream, future); contains string/list/map: needs memory */
    bool has_borrow;
    /* cabi_plain: made of scalars alone (of no list, string or handle); and its bytes are the same when they were lifted and lowered; and some
     * bytes trap when they are lifted */
    bool plain, bitwise, needs_check;
    /* the same for 64-bit memories (🐘): pointers and lengths are i64; n_flat is the same */
    uint8_t align64;
    uint32_t size64;
    uint32_t payload_offset64;
    const uint32_t *offsets64;
    uint8_t flat64[16];
    uint16_t depth; /* nesting: 1 for a primitive; at most TS_CT_MAX_DEPTH */
    uint32_t nodes; /* size as a tree; at most TS_CT_MAX_NODES */
};
enum {
    TS_CT_FLAT_MAX = 17, /* 17 means "more than 16" */
    TS_CT_MAX_DEPTH = 100,
    TS_CT_MAX_NODES = 1000000,
    /* What engines and tools agree on; wasm-tools has the same numbers. */
    TS_CT_MAX_MEMBERS = 10000, /* of a record, variant, tuple, enum */
    TS_CT_MAX_PARAMS = 1000,
    TS_CT_MAX_SIZE = 1 << 28, /* elem_size(t, i64) stays below. spec: Binary.md#type-definitions */
};

typedef struct ts_cfunc_type {
    uint32_t n_params;
    const ts_ct_case *params; /* name and type */
    const ts_ctype *result;   /* NULL: none */
    const char *result_name;  /* unused by 0.2; NULL */
    bool is_async;
    bool has_handle; /* the validator's: a parameter or the result has one */
    uint16_t depth;  /* the validator's: nesting, one more than its deepest type's */
    uint32_t nodes;  /* … and size as a tree */
} ts_cfunc_type;

/* What a type needs in memory, by the width of its addresses. cabi: alignment, elem_size, flatten_type */
static inline uint32_t ts_ctype_size(const ts_ctype *t, bool wide) {
    return wide ? t->size64 : t->size;
}
static inline uint32_t ts_ctype_align(const ts_ctype *t, bool wide) {
    return wide ? t->align64 : t->align;
}
static inline uint32_t ts_ctype_offset(const ts_ctype *t, uint32_t i, bool wide) { /* of a field */
    return wide ? t->offsets64[i] : t->offsets[i];
}
static inline uint32_t ts_ctype_payload(const ts_ctype *t, bool wide) { /* offset of a case's payload */
    return wide ? t->payload_offset64 : t->payload_offset;
}

/* Cases of a variant, enum, option or result, and the payload of one (NULL: none). cabi: despecialize */
uint32_t ts_ctype_n_cases(const ts_ctype *t);
const ts_ctype *ts_ctype_case(const ts_ctype *t, uint32_t i);

/* The primitive types (bool … string, error-context), finished; NULL for other kinds. */
const ts_ctype *ts_ctype_primitive(ts_ct_kind k);
/* Fill the derived fields; types reached from t are finished already. Fails (TS_INVALID) beyond the limits above.
 * cabi: alignment, elem_size, flatten_type */
struct ts_arena;
ts_status ts_ctype_finish(ts_ctype *t, struct ts_arena *arena, ts_error *e) TS_MUST_USE;
/* spec: Explainer.md#type-definitions: keytype */
bool ts_ctype_is_key(const ts_ctype *t);
/* "record", "list", "u32" */
const char *ts_ct_kind_name(ts_ct_kind k);
/* Types that have a name, for the printers: NULL where this one has none. */
typedef struct ts_ct_namer {
    const char *(*name)(const void *data, const ts_ctype *t);
    const void *data;
} ts_ct_namer;
/* WIT spelling ("result<u32, string>"), into buf; returns buf. names NULL: all in full. t itself is told in full always. */
const char *ts_ctype_print(const ts_ctype *t, const ts_ct_namer *names, char *buf, size_t size);
/* "func(a: u32) -> string", into buf; returns buf. */
const char *ts_cfunc_type_print(const ts_cfunc_type *t, const ts_ct_namer *names, char *buf, size_t size);
/* Structural equality; resources compare by the two maps slot → identity (NULL maps: by slot number). */
bool ts_ctype_equal(const ts_ctype *a, const ts_ctype *b, const void *const *res_a, const void *const *res_b);

/* Subtyping of value types and functions for the linker (host against import): resources by the two maps. Reason into buf when false. */
bool ts_cfunc_type_matches(const ts_cfunc_type *have, const ts_cfunc_type *want, const void *const *res_have,
                           const void *const *res_want, char *buf, size_t size);
/* The comparison under all of these, for callers with their own notion of which resources are the same. On false the reason
 * is in buf (when size > 0), from the outside in: "type mismatch in record field `x`: expected u32, found string". */
typedef struct ts_ct_cmp {
    bool (*same)(const struct ts_ct_cmp *c, uint32_t res_have, uint32_t res_want);
    void *data;
    uint64_t *budget; /* counted down by every node that is looked at; the comparison fails at 0. NULL: none */
    char *buf;
    size_t size;
} ts_ct_cmp;
bool ts_ctype_matches(const ts_ctype *have, const ts_ctype *want, const ts_ct_cmp *c);
bool ts_cfunc_type_matches_by(const ts_cfunc_type *have, const ts_cfunc_type *want, const ts_ct_cmp *c);
#endif
