/* name_index: a hash index from names to positions in an array of named things */
#ifndef TS_COMPONENT_NAME_INDEX_H
#define TS_COMPONENT_NAME_INDEX_H
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

/* slots holds position + 1, or 0 where it is empty. slots is NULL for a small array, which is searched
 * linearly. */
typedef struct ts_name_index {
    const uint32_t *slots;
    uint32_t cap;
} ts_name_index;
/* A name has one part or two: a core import has a module name and a field name. */
typedef struct ts_name_ref {
    const char *a, *b;
    uint32_t a_len, b_len;
} ts_name_ref;
/* Reads the name of element i of an array. */
typedef ts_name_ref (*ts_name_at)(const void *items, uint32_t i);
/* Builds the index of n elements. Returns false if there is no memory. *duplicate is the first element
 * whose name an earlier one has too, or UINT32_MAX. */
bool ts_names_build(ts_arena *arena, const void *items, uint32_t n, ts_name_at at, ts_name_index *out,
                    uint32_t *duplicate);
/* Returns the position of the element that has this name, or UINT32_MAX. */
uint32_t ts_names_find(const ts_name_index *x, const void *items, uint32_t n, ts_name_at at, ts_name_ref key);
#endif
