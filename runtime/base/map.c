/* map: maps byte strings to uint32 values (export names, interface names). Keys are borrowed.
 * In: keys. Out: values; insertion fails when memory runs out. Open addressing, FNV-1a. */
#include "base/map.h"
#include <stdlib.h>
#include <string.h>

uint64_t ts_hash(const void *p, size_t len) {
    const uint8_t *s = p;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) h = (h ^ s[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

static ts_map_entry *find(ts_map_entry *slots, uint32_t cap, const char *key, size_t len) {
    uint32_t i = (uint32_t)ts_hash(key, len) & (cap - 1);
    while (slots[i].key && !(slots[i].len == len && memcmp(slots[i].key, key, len) == 0)) i = (i + 1) & (cap - 1);
    return &slots[i];
}

bool ts_map_get(const ts_map *m, const char *key, size_t len, uint32_t *value) {
    if (!m->cap) return false;
    ts_map_entry *e = find(m->slots, m->cap, key, len);
    if (!e->key) return false;
    if (value) *value = e->value;
    return true;
}

bool ts_map_put(ts_map *m, const char *key, size_t len, uint32_t value, bool *was) {
    if (len > UINT32_MAX) return false;
    if (m->n * 2 >= m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 16;
        if (cap < m->cap) return false;
        ts_map_entry *slots = calloc(cap, sizeof *slots);
        if (!slots) return false;
        for (uint32_t i = 0; i < m->cap; i++)
            if (m->slots[i].key) *find(slots, cap, m->slots[i].key, m->slots[i].len) = m->slots[i];
        free(m->slots);
        m->slots = slots;
        m->cap = cap;
    }
    ts_map_entry *e = find(m->slots, m->cap, key, len);
    if (was) *was = e->key != NULL;
    if (!e->key) {
        m->n++;
        e->key = len ? key : "";
        e->len = (uint32_t)len;
    }
    e->value = value;
    return true;
}

void ts_map_free(ts_map *m) {
    free(m->slots);
    memset(m, 0, sizeof *m);
}
