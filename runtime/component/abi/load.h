/* load: values out of a guest's memory. cabi: load and what it is made of */
#ifndef TS_COMPONENT_ABI_LOAD_H
#define TS_COMPONENT_ABI_LOAD_H
#include "component/abi/context.h"

ts_status ts_cabi_load(ts_cabi_cx *cx, uint64_t ptr, const ts_ctype *t, ts_val *out) TS_MUST_USE;
ts_status ts_cabi_load_list_from_range(ts_cabi_cx *cx, uint64_t ptr, uint64_t length, const ts_ctype *elem,
                                       const ts_ctype *list, ts_val *out) TS_MUST_USE;
#endif
