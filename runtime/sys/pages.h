/* pages: address space and memory from the operating system, in pages.
 * In: sizes in bytes (rounded up to pages). Out: reserved, committed, returned ranges; NULL or false when the system refuses. */
#ifndef TS_SYS_PAGES_H
#define TS_SYS_PAGES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t ts_pages_size(void);
size_t ts_pages_round(size_t len); /* up to whole pages; SIZE_MAX's page floor when it would overflow */
/* Address space that faults on any access until it is committed. Takes no memory. */
void *ts_pages_reserve(size_t len);
bool ts_pages_commit(void *p, size_t len);   /* readable, writable, zero */
bool ts_pages_decommit(void *p, size_t len); /* faults again; the memory goes back */
/* As it was when it was committed, or when a file was laid over it: what was written is gone. False: nothing was done. */
bool ts_pages_renew(void *p, size_t len);
void ts_pages_release(void *p, size_t len);
/* Committed memory that may move when it grows: how a range is resized when nothing was reserved. p NULL: a new one. */
void *ts_pages_resize(void *p, size_t old_len, size_t new_len);
/* Can this process reserve len bytes? Asked at run time: limits and containers differ. */
bool ts_pages_can_reserve(size_t len);
#endif
