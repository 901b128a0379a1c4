/* check: the check of values that come from an embedder */
#ifndef TS_COMPONENT_ABI_CHECK_H
#define TS_COMPONENT_ABI_CHECK_H
#include "component/abi/context.h"

/* Whether an embedder's value is one of type t: UTF-8, code points, cases, flags, lengths, and handles of
 * the resource types that t's slots stand for (those of the host need not say theirs). TS_USAGE says what
 * is not. */
ts_status ts_val_check(const ts_ctype *t, const ts_val *v, ts_resource *const *res, ts_error *e) TS_MUST_USE;
#endif
