/* vec: growable arrays by macro: `struct { T *data; uint32_t len, cap; }`.
 * In: a vec and an element. Out: true, or false when out of memory (the vec is unchanged). */
#ifndef TS_BASE_VEC_H
#define TS_BASE_VEC_H
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define TS_VEC(T)                                                                                                      \
    struct {                                                                                                           \
        T *data;                                                                                                       \
        uint32_t len, cap;                                                                                             \
    }

/* Makes room for `need` elements in total; use it through the macros. */
TS_RARE bool ts_vec_grow(void **data, uint32_t *cap, uint64_t need, size_t elem_size);

#define ts_vec_reserve(v, n)                                                                                           \
    ((uint64_t)(n) <= (v)->cap || ts_vec_grow((void **)&(v)->data, &(v)->cap, (n), sizeof *(v)->data))
#define ts_vec_push(v, ...) (ts_vec_reserve(v, (uint64_t)(v)->len + 1) && ((v)->data[(v)->len++] = (__VA_ARGS__), true))
#define ts_vec_free(v) (free((v)->data), (v)->data = NULL, (v)->len = (v)->cap = 0)
#endif
