/* pages: address space and memory from the operating system, in pages.
 * In: sizes in bytes (rounded up to pages). Out: reserved, committed and released ranges; NULL or false if
 * the system refuses. */
#ifndef TS_SYS_PAGES_H
#define TS_SYS_PAGES_H
#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t ts_pages_size(void);
size_t ts_pages_round(size_t len); /* rounds up to whole pages; on overflow, SIZE_MAX rounded down */
/* Reserves address space, which faults on any access until it is committed. It uses no memory. */
void *ts_pages_reserve(size_t len);
bool ts_pages_commit(void *p, size_t len);   /* readable, writable, zero */
bool ts_pages_decommit(void *p, size_t len); /* faults again; the OS gets the memory back */
/* Discards all writes: the pages are again as after the commit, or as the file mapped over them.
 * Returns false if nothing was done. */
bool ts_pages_renew(void *p, size_t len);
void ts_pages_release(void *p, size_t len);
/* Resizes committed memory that has no reservation; it may move. If p is NULL, allocates new memory. */
void *ts_pages_resize(void *p, size_t old_len, size_t new_len);
/* Gets the memory of pages that will soon be written: at once, which is faster than page by page. This changes nothing
 * else, and where the system cannot do it, nothing at all. */
void ts_pages_populate(void *p, size_t len);
/* As ts_arena_array, for an array that is written soon as a whole: a large one gets its memory at once. */
void *ts_pages_array(ts_arena *a, size_t n, size_t elem_size);
/* Makes pages that contain machine code executable, and no longer writable. Returns false if the system refuses. */
bool ts_pages_make_code(void *p, size_t len);
/* Puts pages of machine code, which are unmapped where they were, in the place of others, at once: threads that execute
 * those go on in the new ones. The system must be able to: ts_pages_can_replace_code. If it returns false, nothing has
 * changed. */
bool ts_pages_replace_code(void *place, void *p, size_t len);
bool ts_pages_can_replace_code(void);
/* Returns whether this process can reserve len bytes.
 * This is a run-time check because limits and containers differ. */
bool ts_pages_can_reserve(size_t len);
#endif
