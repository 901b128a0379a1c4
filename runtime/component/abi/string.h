/* string: strings in their three encodings. cabi: load_string and store_string, and what they are made of */
#ifndef TS_COMPONENT_ABI_STRING_H
#define TS_COMPONENT_ABI_STRING_H
#include "component/abi/context.h"

/* A string that goes to another component keeps the encoding of the first. The two top bits of `len` are
 * the encoding, and the rest is the number of code units. */
typedef enum ts_str_tag {
    TS_STR_UTF8 = 0,
    TS_STR_UTF16 = 1,
    TS_STR_LATIN1 = 2 /* latin1+utf16 without tag */,
    TS_STR_TAGGED_UTF16 = 3 /* latin1+utf16 with tag */
} ts_str_tag;
#define TS_STR_TAG_SHIFT 62
static inline ts_str_tag ts_str_tag_of(size_t len) {
    return (ts_str_tag)((uint64_t)len >> TS_STR_TAG_SHIFT);
}
static inline uint64_t ts_str_units(size_t len) {
    return (uint64_t)len & (((uint64_t)1 << TS_STR_TAG_SHIFT) - 1);
}
ts_status ts_cabi_load_string_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t tagged_code_units,
                                         ts_val *out) TS_MUST_USE;
ts_status ts_cabi_store_string_into_range(ts_cabi_cx *cx, const ts_val *v, uint64_t *ptr,
                                          uint64_t *tagged_code_units) TS_MUST_USE;
#endif
