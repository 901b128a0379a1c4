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
/* Whether a guest defined this resource type; else *host_name is the host's name of it, or NULL (abi/handles.c). */
bool ts_resource_of_guest(const struct ts_resource *rt, const char **host_name);
/* Structural equality of two values of type t; NaNs are equal, handles by what they stand for. */
bool ts_val_equal(const ts_ctype *t, const ts_val *a, const ts_val *b);
#endif
