/* scalar: single values: code points, floats, and the layout of elements.
 * cabi: convert_i32_to_char, canonicalize_nan32, canonicalize_nan64, elem_size */
#ifndef TS_COMPONENT_ABI_SCALAR_H
#define TS_COMPONENT_ABI_SCALAR_H
#include "component/type/ctype.h"

ts_status ts_convert_i32_to_char(ts_error *e, uint32_t i, uint32_t *out) TS_MUST_USE;
void ts_elem_layout(const ts_ctype *list, bool wide, uint32_t *size,
                    uint32_t *align); /* of an element of a list or map */
static inline float ts_canonicalize_nan32(float f) {
    return f == f ? f : __builtin_nanf("");
}
static inline double ts_canonicalize_nan64(double f) {
    return f == f ? f : __builtin_nan("");
}
#endif
