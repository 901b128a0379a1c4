/* disk: counts the bytes by which a guest grows files, over all its descriptors and streams, and enforces a
 * limit.
 * In: bytes to write to a file, or its new size. Out: the result of the OS, or EDQUOT. Holes count like
 * written bytes. Bytes that set-size, truncate and open-at with truncate remove are subtracted. Without a
 * limit nothing is counted.
 * wit: wasi:filesystem/types.error-code.quota */
#ifndef TS_WASI_DISK_H
#define TS_WASI_DISK_H
#include "wasi/context.h"

/* Like ts_sys_pwrite, ts_sys_append and ts_sys_set_size.
 * If only part of a write fits, that part is written. */
ts_sys_err ts_wasi_disk_write(ts_wasi *w, int fd, const void *buf, size_t len, uint64_t offset, size_t *n);
ts_sys_err ts_wasi_disk_append(ts_wasi *w, int fd, const void *buf, size_t len, size_t *n);
ts_sys_err ts_wasi_disk_set_size(ts_wasi *w, int fd, uint64_t size);
ts_sys_err ts_wasi_disk_allocate(ts_wasi *w, int fd, uint64_t offset, uint64_t len);
/* Opens a path as ts_sys_open_at does. EMFILE: the guest has reached its limit of open files. */
ts_sys_err ts_wasi_disk_open(ts_wasi *w, ts_sys_base b, ts_sys_path p, unsigned how, int *fd, ts_sys_stat *st);
void ts_wasi_disk_give_back(ts_wasi *w, uint64_t bytes);
static inline bool ts_wasi_disk_counts(const ts_wasi *w) {
    return w->grants->max_disk != UINT64_MAX;
}
#endif
