/* name_index: a hash index from names to positions in an array of named things.
 * In: an array and a function that reads the name of an element. Out: the index, a duplicate name, or the
 * position of a name.
 * spec: none: an optimization of lookups by name */
#include "component/type/name_index.h"
#include "base/map.h"
#include <string.h>

enum { INDEX_FROM = 8 }; /* a smaller array is searched linearly */
static bool name_eq(ts_name_ref x, ts_name_ref y) {
    return x.a_len == y.a_len && x.b_len == y.b_len && (!x.a_len || memcmp(x.a, y.a, x.a_len) == 0) &&
           (!x.b_len || memcmp(x.b, y.b, x.b_len) == 0);
}
static uint64_t name_hash(ts_name_ref x) {
    return ts_hash(x.a, x.a_len) * 31 + ts_hash(x.b, x.b_len);
}

bool ts_names_build(ts_arena *arena, const void *items, uint32_t n, ts_name_at at, ts_name_index *out,
                    uint32_t *duplicate) {
    *duplicate = UINT32_MAX;
    *out = (ts_name_index){0};
    if (n < INDEX_FROM) {
        for (uint32_t i = 1; i < n; i++)
            for (uint32_t k = 0; k < i; k++)
                if (name_eq(at(items, i), at(items, k))) {
                    *duplicate = i;
                    return true;
                }
        return true;
    }
    uint32_t cap = 16;
    while (cap < (uint64_t)n * 2) cap *= 2;
    uint32_t *slots = ts_arena_array(arena, cap, sizeof *slots);
    if (!slots) return false;
    for (uint32_t i = 0; i < n; i++) {
        ts_name_ref x = at(items, i);
        uint32_t k = (uint32_t)name_hash(x) & (cap - 1);
        for (; slots[k]; k = (k + 1) & (cap - 1))
            if (name_eq(x, at(items, slots[k] - 1))) {
                *duplicate = i;
                return true;
            }
        slots[k] = i + 1;
    }
    *out = (ts_name_index){slots, cap};
    return true;
}
uint32_t ts_names_find(const ts_name_index *x, const void *items, uint32_t n, ts_name_at at, ts_name_ref key) {
    if (!x->cap) {
        for (uint32_t i = 0; i < n; i++)
            if (name_eq(at(items, i), key)) return i;
        return UINT32_MAX;
    }
    for (uint32_t k = (uint32_t)name_hash(key) & (x->cap - 1); x->slots[k]; k = (k + 1) & (x->cap - 1))
        if (name_eq(at(items, x->slots[k] - 1), key)) return x->slots[k] - 1;
    return UINT32_MAX;
}
