/* plain: lists whose elements are scalars, or records and variants of them, and results that are, when they go from one
 * guest's memory to another's. Their bytes are copied once, without making values.
 * In: bytes in a memory, a type that is `plain`. Out: bytes in the other memory, or the trap that lifting
 * would cause.
 * spec: CanonicalABI.md#loading, #storing */
#ifndef TS_COMPONENT_CABI_PLAIN_H
#define TS_COMPONENT_CABI_PLAIN_H
#include "component/abi/context.h"

/* Returns whether this list is passed as bytes: its elements are plain, and both caller and callee are
 * guests. */
static inline bool ts_plain_travels(const ts_cabi_cx *cx, const ts_ctype *list) {
    return cx->keep_encoding && list->kind == TS_CT_LIST && list->elem->plain && !ts_ct_is_raw_elem(list->elem->kind);
}
/* Traps if loading these n elements would trap. cabi: load, without making values */
ts_status ts_plain_check(ts_error *e, const ts_ctype *elem, const uint8_t *from, uint64_t n) TS_MUST_USE;
/* Has the effect on memory of loading and storing n elements, which have been checked before.
 * cabi: load, store */
void ts_plain_copy(const ts_ctype *elem, uint8_t *to, const uint8_t *from, uint64_t n);
#endif
