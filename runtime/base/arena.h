/* arena: bump allocation of objects that are freed together (a decoded module, one host call's values).
 * In: sizes. Out: zeroed memory, 16-byte aligned; NULL when the host has none left. */
#ifndef TS_BASE_ARENA_H
#define TS_BASE_ARENA_H
#include <stddef.h>
#include <stdint.h>

typedef struct ts_arena_block ts_arena_block;
typedef struct ts_arena {
    ts_arena_block *head; /* the newest block */
    uint8_t *at, *end;
    size_t total; /* bytes held */
    size_t limit; /* allocation beyond this many bytes returns NULL; 0: no limit */
} ts_arena;

void ts_arena_init(ts_arena *a);
void *ts_arena_alloc(ts_arena *a, size_t size); /* zeroed */
/* Makes room for the next allocations, of so many bytes together, and returns where they will be; NULL: no memory. Nothing
 * is written there. */
void *ts_arena_reserve(ts_arena *a, size_t size);
void *ts_arena_array(ts_arena *a, size_t n, size_t elem_size); /* zeroed; also NULL if n * elem_size overflows */
char *ts_arena_strndup(ts_arena *a, const char *s, size_t len);
void ts_arena_reset(ts_arena *a); /* frees all but the newest block */
void ts_arena_free(ts_arena *a);
#endif
