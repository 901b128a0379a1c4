/* disk: the bytes by which a guest makes files grow, counted over all its descriptors and streams, up to a limit.
 * In: what is to be written to a file, or its new size. Out: what the OS says, or EDQUOT. Holes count as if they were written.
 * What set-size, truncate and open-at with truncate take away is given back. Without a limit nothing is counted.
 * wit: wasi:filesystem/types.error-code.quota */
#ifndef TS_WASI_DISK_H
#define TS_WASI_DISK_H
#include "wasi/context.h"

/* As ts_sys_pwrite, ts_sys_append and ts_sys_set_size; of a write that does not fit whole, what fits is written. */
ts_sys_err ts_wasi_disk_write(ts_wasi *w, int fd, const void *buf, size_t len, uint64_t offset, size_t *n);
ts_sys_err ts_wasi_disk_append(ts_wasi *w, int fd, const void *buf, size_t len, size_t *n);
ts_sys_err ts_wasi_disk_set_size(ts_wasi *w, int fd, uint64_t size);
void ts_wasi_disk_give_back(ts_wasi *w, uint64_t bytes);
static inline bool ts_wasi_disk_counts(const ts_wasi *w) {
    return w->grants->max_disk != UINT64_MAX;
}
#endif
