/* map: maps byte strings to uint32 values (export names, interface names). Keys are borrowed.
 * In: keys. Out: values; insertion fails when memory runs out. Open addressing, FNV-1a. */
#ifndef TS_BASE_MAP_H
#define TS_BASE_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ts_map_entry {
    const char *key; /* NULL: empty */
    uint32_t len, value;
} ts_map_entry;
typedef struct ts_map {
    ts_map_entry *slots;
    uint32_t n, cap;
} ts_map;

uint64_t ts_hash(const void *p, size_t len);
bool ts_map_get(const ts_map *m, const char *key, size_t len, uint32_t *value); /* value may be NULL */
/* Inserts or replaces; *was (may be NULL) reports whether the key existed.
 * Returns false when out of memory. */
bool ts_map_put(ts_map *m, const char *key, size_t len, uint32_t value, bool *was);
void ts_map_free(ts_map *m);
#endif
