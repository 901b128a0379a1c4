/* val: a component-level value, as it is passed between components, the host and the embedder.
 * In: lifted by the canonical ABI, or made by a host function. Out: lowered. A value has no tag: its
 * type is known from elsewhere (ts_ctype).
 * Ownership: what a value points to lives in the arena of the call, or longer. Byte lists and strings
 * that a host function receives may point into guest memory: they are valid until the host function
 * returns or calls a guest.
 * spec: Explainer.md#fundamental-value-types */
#ifndef TS_COMPONENT_VAL_H
#define TS_COMPONENT_VAL_H
#include "component/type/ctype.h"

/* struct ts_val is public: see touchstone.h. */
/* Lists with elements of these kinds are passed as `raw`. */
static inline bool ts_ct_is_raw_elem(ts_ct_kind k) {
    return (k >= TS_CT_S8 && k <= TS_CT_F64);
}
/* Returns whether a guest defined this resource type. Otherwise *host_name is the host's name for it,
 * or NULL (abi/handles.c). */
bool ts_resource_of_guest(const struct ts_resource *rt, const char **host_name);
/* Structural equality of two values of type t. All NaNs are equal; handles are equal if they refer to
 * the same resource. */
bool ts_val_equal(const ts_ctype *t, const ts_val *a, const ts_val *b);
#endif
