/* scalar: see scalar.h. */
#include "base/assert.h"
#include "component/abi/scalar.h"
#include "component/abi/trap.h"
#include "component/abi/memory.h"

ts_status ts_convert_i32_to_char(ts_error *e, uint32_t i, uint32_t *out) {
    TS_TRAP_IF(e, i >= 0x110000, "invalid `char` bit pattern: %#x is beyond the last code point", i);
    TS_TRAP_IF(e, i >= 0xd800 && i <= 0xdfff, "invalid `char` bit pattern: %#x is a surrogate", i);
    *out = i;
    return TS_OK;
}

void ts_elem_layout(const ts_ctype *list, bool wide, uint32_t *size, uint32_t *align) {
    TS_ASSERT(list->kind == TS_CT_LIST || list->kind == TS_CT_FIXED_LIST || list->kind == TS_CT_MAP);
    uint32_t v_size = ts_ctype_size(list->elem, wide), v_align = ts_ctype_align(list->elem, wide);
    if (list->kind != TS_CT_MAP) {
        *size = v_size;
        *align = v_align;
        return;
    }
    /* a map is a list of tuples of key and value. cabi: despecialize */
    uint32_t k_size = ts_ctype_size(list->elem2, wide), k_align = ts_ctype_align(list->elem2, wide);
    *align = k_align > v_align ? k_align : v_align;
    *size = (uint32_t)ts_align_to(ts_align_to(k_size, v_align) + v_size, *align);
}
