/* sys/written: the pages of a mapping that this process has written.
 * In: an address and a length, in whole pages. Out: ranges of addresses.
 * Linux can tell since 6.7. Elsewhere nothing is known.
 * Source: Documentation/admin-guide/mm/pagemap.rst (PAGEMAP_SCAN) */
#ifndef TS_SYS_WRITTEN_H
#define TS_SYS_WRITTEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ts_sys_written { /* as struct page_region of linux/fs.h */
    uint64_t from, to;          /* addresses; `to` is behind the last byte */
    uint64_t kind;
} ts_sys_written;

/* Opens the file of this process that knows its pages. A process that confines itself calls it before. Where it fails,
 * ts_sys_written_find does. */
void ts_sys_written_open(void);
/* Finds the pages that are no longer those of the file that is mapped there, or no longer the zeros of memory without a
 * file, in the order of their addresses. Returns the number of ranges, or below 0 if it is not known or more than `most`. */
int ts_sys_written_find(const void *p, size_t len, ts_sys_written *out, size_t most);
#endif
