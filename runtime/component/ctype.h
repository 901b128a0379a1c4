/* ctype: component-level types as the canonical ABI and the linker see them: structural, resources by slot.
 * In: made by the component validator in a component's arena, or as constant tables by the WASI glue. Out: constant values.
 * spec: component-model Explainer.md#type-definitions; CanonicalABI.md#alignment, #element-size, #flattening */
#ifndef TS_COMPONENT_CTYPE_H
#define TS_COMPONENT_CTYPE_H
#include "base/error.h"

typedef enum ts_ct_kind {
    TS_CT_BOOL, TS_CT_S8, TS_CT_U8, TS_CT_S16, TS_CT_U16, TS_CT_S32, TS_CT_U32, TS_CT_S64, TS_CT_U64,
    TS_CT_F32, TS_CT_F64, TS_CT_CHAR, TS_CT_STRING,
    TS_CT_RECORD, TS_CT_VARIANT, TS_CT_LIST, TS_CT_TUPLE, TS_CT_FLAGS, TS_CT_ENUM, TS_CT_OPTION, TS_CT_RESULT,
    TS_CT_OWN, TS_CT_BORROW,
    /* WASI 0.3's: decode and validate; calling a function with one is `unsupported` */
    TS_CT_FIXED_LIST, TS_CT_MAP, TS_CT_STREAM, TS_CT_FUTURE, TS_CT_ERROR_CONTEXT,
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
    const ts_ctype *elem;    /* list, option, fixed list, stream, future; map: value; result: ok (NULL: none) */
    const ts_ctype *elem2;   /* result: error (NULL: none); map: key */
    uint32_t resource;       /* own, borrow: slot of the resource type in the environment (see ts_component.n_resources) */
    /* derived once by ts_ctype_finish (cabi: alignment, elem_size, flatten_type) */
    uint32_t size, align;
    uint32_t payload_offset;  /* variant, option, result */
    uint8_t disc_size;        /* variant, enum, option, result: bytes of the discriminant */
    const uint32_t *offsets;  /* record, tuple: byte offset of each field */
    uint32_t n_flat;          /* number of core values, capped at TS_CT_FLAT_MAX */
    uint8_t flat[16];         /* their core types (TS_VT_I32 … low byte), valid when n_flat <= 16 */
    bool has_handle, has_pointer; /* contains own/borrow; contains string/list: needs memory */
};
enum { TS_CT_FLAT_MAX = 17 }; /* 17 means "more than 16" */

typedef struct ts_cfunc_type {
    uint32_t n_params;
    const ts_ct_case *params; /* name and type */
    const ts_ctype *result;   /* NULL: none */
    const char *result_name;  /* unused by 0.2; NULL */
    bool is_async;
} ts_cfunc_type;

/* Fill the derived fields; types reached from t are finished already. cabi: alignment, elem_size, flatten_type */
struct ts_arena;
ts_status ts_ctype_finish(ts_ctype *t, struct ts_arena *arena, ts_error *e) TS_MUST_USE;
/* WIT spelling ("result<u32, string>"), into buf; returns buf. */
const char *ts_ctype_print(const ts_ctype *t, char *buf, size_t size);
/* Structural equality; resources compare by the two maps slot → identity (NULL maps: by slot number). */
bool ts_ctype_equal(const ts_ctype *a, const ts_ctype *b, const void *const *res_a, const void *const *res_b);
#endif
