/* ptrmap: see ptrmap.h. */
#include "base/ptrmap.h"
#include <stdlib.h>
#include <string.h>

static uint32_t hash_ptr(const void *p) {
    uint64_t x = (uint64_t)(uintptr_t)p;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(x >> 32);
}
bool ts_ptrmap_get(const ts_ptrmap *m, const void *key, uintptr_t *val) {
    if (!m->cap) return false;
    for (uint32_t i = hash_ptr(key) & (m->cap - 1); m->keys[i]; i = (i + 1) & (m->cap - 1)) {
        if (m->keys[i] != key) continue;
        if (val) *val = m->vals[i];
        return true;
    }
    return false;
}
static bool grow(ts_ptrmap *m) {
    uint32_t cap = m->cap ? m->cap * 2 : 16;
    if (cap < m->cap) return false;
    const void **keys = calloc(cap, sizeof *keys);
    uintptr_t *vals = calloc(cap, sizeof *vals);
    if (!keys || !vals) {
        free(keys);
        free(vals);
        return false;
    }
    for (uint32_t k = 0; k < m->cap; k++) {
        if (!m->keys[k]) continue;
        uint32_t i = hash_ptr(m->keys[k]) & (cap - 1);
        while (keys[i]) i = (i + 1) & (cap - 1);
        keys[i] = m->keys[k];
        vals[i] = m->vals[k];
    }
    free(m->keys);
    free(m->vals);
    m->keys = keys;
    m->vals = vals;
    m->cap = cap;
    return true;
}
bool ts_ptrmap_put(ts_ptrmap *m, const void *key, uintptr_t val) {
    for (bool grown = false;; grown = true) {
        uint32_t i = hash_ptr(key) & (m->cap - 1);
        while (m->cap && m->keys[i] && m->keys[i] != key) i = (i + 1) & (m->cap - 1);
        bool there = m->cap && m->keys[i];
        if (!there && !grown && (uint64_t)m->n * 2 >= m->cap) {
            if (!grow(m)) return false;
            continue;
        }
        if (!there) m->n++;
        m->keys[i] = key;
        m->vals[i] = val;
        return true;
    }
}
void ts_ptrmap_free(ts_ptrmap *m) {
    free(m->keys);
    free(m->vals);
    memset(m, 0, sizeof *m);
}
