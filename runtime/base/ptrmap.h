/* ptrmap: maps pointers to words.
 * In: keys, which are compared by address and may be any pointer but NULL. Out: values; insertion fails when
 * memory runs out. Open addressing. Entries cannot be removed. */
#ifndef TS_BASE_PTRMAP_H
#define TS_BASE_PTRMAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A map that is all zero is empty. To visit the entries, go over keys[0] to keys[cap - 1]: those that are not
 * NULL are in use, and vals has the value at the same position. */
typedef struct ts_ptrmap {
    const void **keys;
    uintptr_t *vals;
    uint32_t n, cap; /* entries in use; positions, a power of two or 0 */
} ts_ptrmap;

/* Returns whether the key is in the map. val may be NULL. */
bool ts_ptrmap_get(const ts_ptrmap *m, const void *key, uintptr_t *val);
/* Inserts or replaces. Returns false if there is no memory to insert; replacing never fails. */
bool ts_ptrmap_put(ts_ptrmap *m, const void *key, uintptr_t val);
/* Frees the memory of the map, which is empty afterwards. */
void ts_ptrmap_free(ts_ptrmap *m);
#endif
