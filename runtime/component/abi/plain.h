/* cabi_plain: lists whose elements are scalars, or records and variants of them, on their way from one guest's memory to another's: they stay
 * the bytes that they are, and are copied once.
 * In: bytes in a memory, a type that is `plain`. Out: bytes in the other; the traps that lifting would have. spec: CanonicalABI.md#loading, #storing */
#ifndef TS_COMPONENT_CABI_PLAIN_H
#define TS_COMPONENT_CABI_PLAIN_H
#include "component/abi/context.h"

/* Whether this context's lists of such elements travel as bytes: both ends are guests. */
static inline bool ts_plain_travels(const ts_cabi_cx *cx, const ts_ctype *list) {
    return cx->keep_encoding && list->kind == TS_CT_LIST && list->elem->plain && !ts_ct_is_raw_elem(list->elem->kind);
}
/* What loading n elements would trap with. cabi: load, without making values */
ts_status ts_plain_check(ts_error *e, const ts_ctype *elem, const uint8_t *from, uint64_t n) TS_MUST_USE;
/* What loading and storing n elements that were checked does to memory. cabi: load, store */
void ts_plain_copy(const ts_ctype *elem, uint8_t *to, const uint8_t *from, uint64_t n);
#endif
