/* val: a component-level value, as it crosses between components, the host and the embedder.
 * In: lifted by the canonical ABI or made by a host function. Out: lowered. The type is known from elsewhere (ts_ctype): a value has no tag.
 * Ownership: what a value points to lives in the arena of the call (or longer). Byte lists and strings that a host function receives may point
 * straight into guest memory: valid until the host function returns or calls a guest. */
#ifndef TS_COMPONENT_VAL_H
#define TS_COMPONENT_VAL_H
#include "component/ctype.h"

typedef struct ts_val ts_val;
struct ts_resource;
struct ts_val {
    union {
        bool b;
        int8_t s8; uint8_t u8; int16_t s16; uint16_t u16; int32_t s32; uint32_t u32; int64_t s64; uint64_t u64;
        float f32; double f64;
        uint32_t ch;
        struct { const char *ptr; size_t len; } str;       /* UTF-8 whatever the guest's encoding */
        struct { const void *ptr; size_t len; } raw;       /* list<u8>, <s8>, <u16> … <f64>: `len` elements, packed, native endian */
        struct { const ts_val *ptr; size_t len; } list;    /* list of anything else; record; tuple (len = n) */
        struct { const ts_val *payload; uint32_t disc; } variant; /* variant, enum, option (0 none, 1 some), result (0 ok, 1 error) */
        struct { const uint32_t *words; uint32_t bits; } flags;   /* up to 32 flags in bits (words NULL), more in words */
        struct { uint64_t rep; struct ts_resource *rt; } handle;  /* own, borrow */
    };
};
/* Lists of these kinds travel as `raw`. */
static inline bool ts_ct_is_raw_elem(ts_ct_kind k) { return (k >= TS_CT_S8 && k <= TS_CT_F64); }
#endif
