/* vec: the one function behind the growable arrays.
 * In: a pointer, its capacity, the needed size. Out: grown storage or false. */
#include "base/vec.h"

TS_RARE bool ts_vec_grow(void **data, uint32_t *cap, uint64_t need, size_t elem_size) {
    uint64_t want = *cap ? (uint64_t)*cap * 2 : 8;
    if (want < need) want = need;
    if (want > UINT32_MAX || want > SIZE_MAX / 2 / elem_size) return false;
    void *p = realloc(*data, (size_t)want * elem_size);
    if (!p) return false;
    *data = p;
    *cap = (uint32_t)want;
    return true;
}
