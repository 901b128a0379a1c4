/* val: a component-level value, as it crosses between components, the host and the embedder.
 * In: lifted by the canonical ABI or made by a host function. Out: lowered. The type is known from elsewhere (ts_ctype): a value has no tag.
 * Ownership: what a value points to lives in the arena of the call (or longer). Byte lists and strings that a host function receives may point
 * straight into guest memory: valid until the host function returns or calls a guest. */
#ifndef TS_COMPONENT_VAL_H
#define TS_COMPONENT_VAL_H
#include "component/ctype.h"

/* struct ts_val itself is public: see touchstone.h. */
/* Lists of these kinds travel as `raw`. */
static inline bool ts_ct_is_raw_elem(ts_ct_kind k) {
    return (k >= TS_CT_S8 && k <= TS_CT_F64);
}
#endif
