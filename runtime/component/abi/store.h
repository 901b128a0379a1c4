/* store: values into a guest's memory. cabi: store and what it is made of */
#ifndef TS_COMPONENT_ABI_STORE_H
#define TS_COMPONENT_ABI_STORE_H
#include "component/abi/context.h"

ts_status ts_cabi_store(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *t, uint64_t ptr) TS_MUST_USE;
ts_status ts_cabi_store_list_into_range(ts_cabi_cx *cx, const ts_val *v, const ts_ctype *list, uint64_t *ptr,
                                        uint64_t *length) TS_MUST_USE;
#endif
