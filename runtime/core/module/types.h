/* types: value types and defined types of core WebAssembly 3.0, canonical per engine.
 * In: recursive groups as decoded. Out: small integers that are equal exactly when the types are equal
 * (iso-recursively), and the matching relation on them.
 * spec: syntax/types, valid/matching, valid/conventions#rolling-and-unrolling */
#ifndef TS_CORE_TYPES_H
#define TS_CORE_TYPES_H
#include "base/error.h"

/* A value type in 32 bits. The low byte is its kind, as in the binary format. For a reference the rest is the
 * heap type: an abstract one, or TS_HT_CONCRETE + the canonical id of a defined type. */
typedef uint32_t ts_valtype;
enum {
    TS_VT_BOT = 0x00, /* the type of an operand in unreachable code */
    TS_VT_V128 = 0x7b,
    TS_VT_F64 = 0x7c,
    TS_VT_F32 = 0x7d,
    TS_VT_I64 = 0x7e,
    TS_VT_I32 = 0x7f,
    TS_VT_REF = 0x64,     /* (ref ht) */
    TS_VT_REFNULL = 0x63, /* (ref null ht) */
    /* storage types only (fields) */
    TS_VT_I8 = 0x78,
    TS_VT_I16 = 0x77,
};
/* heap types: the low bytes of the binary format */
enum {
    TS_HT_NOEXN = 0x74,
    TS_HT_NOFUNC = 0x73,
    TS_HT_NOEXTERN = 0x72,
    TS_HT_NONE = 0x71,
    TS_HT_FUNC = 0x70,
    TS_HT_EXTERN = 0x6f,
    TS_HT_ANY = 0x6e,
    TS_HT_EQ = 0x6d,
    TS_HT_I31 = 0x6c,
    TS_HT_STRUCT = 0x6b,
    TS_HT_ARRAY = 0x6a,
    TS_HT_EXN = 0x69,
    TS_HT_BOT = 0x01, /* bottom of all heap types: `ref.as_non_null` and the like in unreachable code */
    TS_HT_CONCRETE = 0x100,
};
static inline uint8_t ts_vt_kind(ts_valtype t) {
    return (uint8_t)t;
}
static inline uint32_t ts_vt_heap(ts_valtype t) {
    return t >> 8;
}
static inline ts_valtype ts_vt_ref(bool nullable, uint32_t heap) {
    return (nullable ? TS_VT_REFNULL : TS_VT_REF) | heap << 8;
}
static inline bool ts_vt_is_ref(ts_valtype t) {
    return (uint8_t)t == TS_VT_REF || (uint8_t)t == TS_VT_REFNULL;
}
static inline bool ts_vt_is_num(ts_valtype t) {
    return t >= TS_VT_F64 && t <= TS_VT_I32;
}
static inline bool ts_ht_is_concrete(uint32_t ht) {
    return ht >= TS_HT_CONCRETE;
}
#define TS_VT_FUNCREF (TS_VT_REFNULL | TS_HT_FUNC << 8)
#define TS_VT_EXTERNREF (TS_VT_REFNULL | TS_HT_EXTERN << 8)
#define TS_VT_EXNREF (TS_VT_REFNULL | TS_HT_EXN << 8)

typedef enum ts_comp_kind { TS_COMP_FUNC = 0x60, TS_COMP_STRUCT = 0x5f, TS_COMP_ARRAY = 0x5e } ts_comp_kind;

typedef struct ts_field {
    ts_valtype type; /* a storage type */
    bool mut;
    uint32_t offset; /* byte offset in the object's payload, set by the registry (struct), 0 (array) */
} ts_field;

typedef struct ts_deftype ts_deftype; /* one canonical defined type; lives as long as the engine */
struct ts_deftype {
    uint32_t id;
    ts_comp_kind kind;
    bool final;
    bool has_super;
    uint32_t super;         /* canonical id */
    uint32_t depth;         /* number of supertypes above */
    const uint32_t *supers; /* ids of all supertypes, root first, `depth` of them */
    /* func */
    uint32_t n_params, n_results;
    const ts_valtype *params, *results;
    uint32_t param_slots, result_slots; /* in 64-bit slots: v128 takes two */
    /* struct (n_fields) and array (one field) */
    uint32_t n_fields;
    const ts_field *fields;
    uint32_t size; /* struct: bytes of payload; array: bytes of one element */
};

/* The registry: one per engine, guarded by its own lock. */
typedef struct ts_type_registry ts_type_registry;
TS_OWN ts_type_registry *ts_types_new(void);
void ts_types_free(ts_type_registry *r);
uint32_t ts_types_count(const ts_type_registry *r);                     /* all ids are below it */
const ts_deftype *ts_types_get(const ts_type_registry *r, uint32_t id); /* constant time, no lock needed */

/* A member of a recursive group as decoded. A concrete heap type in it is TS_HT_CONCRETE + k. If k <
 * n_types_before, k is an index in the module's type space, an earlier group's, translated through
 * `canon_before`. Else k - n_types_before is a position in this group. */
typedef struct ts_rec_member {
    ts_comp_kind kind;
    bool final, has_super;
    uint32_t super; /* index in the module's type space */
    uint32_t n_params, n_results, n_fields;
    ts_valtype *params, *results;
    ts_field *fields;
} ts_rec_member;
/* Intern a group. ids_out gets the canonical id of each member. Equal groups give equal ids. Nothing is
 * checked here: validation has done that. */
ts_status ts_types_intern(ts_type_registry *r, const ts_rec_member *members, uint32_t n, const uint32_t *canon_before,
                          uint32_t n_types_before, uint32_t *ids_out, ts_error *e) TS_MUST_USE;
/* The id of the final function type without supertype that has these parameters and results, which are
 * canonical. */
ts_status ts_types_func(ts_type_registry *r, const ts_valtype *params, uint32_t n_params, const ts_valtype *results,
                        uint32_t n_results, uint32_t *id, ts_error *e) TS_MUST_USE;

/* spec: valid/matching. `sub` matches `super`. */
bool ts_match_val(const ts_type_registry *r, ts_valtype sub, ts_valtype super);
bool ts_match_heap(const ts_type_registry *r, uint32_t sub, uint32_t super);
bool ts_match_def(const ts_type_registry *r, uint32_t sub, uint32_t super);
/* Whether the type has a default value: all types do except non-null references. spec:
 * valid/types#defaultable */
static inline bool ts_vt_defaultable(ts_valtype t) {
    return ts_vt_kind(t) != TS_VT_REF;
}
/* Write the type as text, such as "i32" or "(ref null 5)", to buf. Returns buf. */
const char *ts_vt_name(ts_valtype t, char buf[48]);
/* The bytes that a storage type takes in an object. */
static inline uint32_t ts_vt_storage_size(ts_valtype t) {
    switch (ts_vt_kind(t)) {
    case TS_VT_I8: return 1;
    case TS_VT_I16: return 2;
    case TS_VT_I32:
    case TS_VT_F32: return 4;
    case TS_VT_V128: return 16;
    default: return 8;
    }
}
static inline uint32_t ts_vt_slots(ts_valtype t) {
    return t == TS_VT_V128 ? 2 : 1;
}
#endif
