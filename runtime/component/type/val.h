/* val: a component-level value, as it crosses between components, the host and the embedder.
 * In: lifted by the canonical ABI or made by a host function. Out: lowered. The type is known from elsewhere (ts_ctype): a value has no tag.
 * Ownership: what a value points to lives in the arena of the call (or longer). Byte lists and strings that a host function receives may point
 * straight into guest memory: valid until the host function returns or calls a guest. spec: Explainer.md#fundamental-value-types */
#ifndef TS_COMPONENT_VAL_H
#define TS_COMPONENT_VAL_H
#include "component/type/ctype.h"

/* struct ts_val itself is public: see touchstone.h. */
/* Lists of these kinds travel as `raw`. */
static inline bool ts_ct_is_raw_elem(ts_ct_kind k) {
    return (k >= TS_CT_S8 && k <= TS_CT_F64);
}
/* Cases of a variant, enum, option or result, and the payload of one (NULL: none). cabi: despecialize */
uint32_t ts_ctype_n_cases(const ts_ctype *t);
const ts_ctype *ts_ctype_case(const ts_ctype *t, uint32_t i);
/* Structural equality of two values of type t; NaNs are equal, handles by what they stand for. */
bool ts_val_equal(const ts_ctype *t, const ts_val *a, const ts_val *b);
/* Whether an embedder's value is one of type t: UTF-8, code points, cases, flags, lengths, and handles of the resource types that t's slots
 * stand for (those of the host need not say theirs). TS_USAGE says what is not. */
ts_status ts_val_check(const ts_ctype *t, const ts_val *v, struct ts_resource *const *res, ts_error *e) TS_MUST_USE;
#endif
