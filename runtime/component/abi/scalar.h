/* scalar: single values: code points, floats, and the layout of elements.
 * cabi: convert_i32_to_char, canonicalize_nan32, canonicalize_nan64, elem_size */
#ifndef TS_COMPONENT_ABI_SCALAR_H
#define TS_COMPONENT_ABI_SCALAR_H
#include "base/assert.h"
#include "component/type/val.h"

ts_status ts_convert_i32_to_char(ts_error *e, uint32_t i, uint32_t *out) TS_MUST_USE;
void ts_elem_layout(const ts_ctype *list, bool wide, uint32_t *size,
                    /* Returns size and alignment of an element of a list or map, in bytes. */
                    uint32_t *align);
/* cabi: unpack_flags_from_int, where the bits that have no flag are ignored; pack_flags_into_int */
static inline uint32_t ts_flags_mask(const ts_ctype *t) {
    TS_ASSERT(t->kind == TS_CT_FLAGS && t->n > 0 && t->n <= 32);
    return UINT32_MAX >> (32 - t->n);
}
static inline void ts_unpack_flags(uint32_t bits, const ts_ctype *t, ts_val *out) {
    out->flags.words = NULL;
    out->flags.bits = bits & ts_flags_mask(t);
}
static inline uint32_t ts_pack_flags(const ts_val *v) {
    return v->flags.bits;
}
static inline float ts_canonicalize_nan32(float f) {
    return f == f ? f : __builtin_nanf("");
}
static inline double ts_canonicalize_nan64(double f) {
    return f == f ? f : __builtin_nan("");
}
#endif
