/* arena: bump allocation of objects that are freed together.
 * In: sizes. Out: zeroed memory, 16-byte aligned; NULL when the host has none left. */
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>

struct ts_arena_block {
    ts_arena_block *prev;
    size_t size; /* of the payload */
    _Alignas(16) uint8_t data[];
};

enum { FIRST_BLOCK = 1024, MAX_STEP = 1 << 20 };

void ts_arena_init(ts_arena *a) {
    memset(a, 0, sizeof *a);
}

static size_t rounded(size_t size) {
    return size ? (size + 15) & ~(size_t)15 : 16;
}
void *ts_arena_reserve(ts_arena *a, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = rounded(size);
    if ((size_t)(a->end - a->at) < size) {
        size_t want = a->total < FIRST_BLOCK ? FIRST_BLOCK : a->total > MAX_STEP ? MAX_STEP : a->total;
        if (want < size) want = size;
        if (a->limit && a->total + want > a->limit) {
            want = size;
            if (a->total + want > a->limit) return NULL;
        }
        ts_arena_block *b = malloc(sizeof *b + want);
        if (!b) return NULL;
        b->prev = a->head;
        b->size = want;
        a->head = b;
        a->at = b->data;
        a->end = b->data + want;
        a->total += want;
    }
    return a->at;
}

void *ts_arena_alloc(ts_arena *a, size_t size) {
    void *p = ts_arena_reserve(a, size);
    if (!p) return NULL;
    a->at += rounded(size);
    memset(p, 0, rounded(size));
    return p;
}

void *ts_arena_array(ts_arena *a, size_t n, size_t elem_size) {
    if (elem_size && n > SIZE_MAX / 2 / elem_size) return NULL;
    return ts_arena_alloc(a, n * elem_size);
}

char *ts_arena_strndup(ts_arena *a, const char *s, size_t len) {
    if (len == SIZE_MAX) return NULL;
    char *p = ts_arena_alloc(a, len + 1);
    if (p && len) memcpy(p, s, len);
    return p;
}

void ts_arena_reset(ts_arena *a) {
    if (!a->head) return;
    ts_arena_block *b = a->head->prev;
    while (b) {
        ts_arena_block *prev = b->prev;
        free(b);
        b = prev;
    }
    a->head->prev = NULL;
    a->total = a->head->size;
    a->at = a->head->data;
    a->end = a->head->data + a->head->size;
}

void ts_arena_free(ts_arena *a) {
    ts_arena_block *b = a->head;
    while (b) {
        ts_arena_block *prev = b->prev;
        free(b);
        b = prev;
    }
    memset(a, 0, sizeof *a);
}
