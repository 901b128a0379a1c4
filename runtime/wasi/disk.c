/* disk: see disk.h */
#include "wasi/disk.h"
#include "sys/proc_files.h"

void ts_wasi_limit_disk(ts_wasi *w, uint64_t bytes) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->max_disk = bytes;
}
void ts_wasi_disk_give_back(ts_wasi *w, uint64_t bytes) {
    w->disk -= bytes < w->disk ? bytes : w->disk; /* a guest may shorten files that it did not write */
}

static ts_sys_err refuse(ts_wasi *w) {
    w->refused_disk++;
    return TS_SYS_EDQUOT;
}
static void grow(ts_wasi *w, uint64_t from, uint64_t to) {
    if (to <= from) return;
    w->disk += to - from;
    if (w->disk > w->most_disk) w->most_disk = w->disk;
}
/* Computes the size up to which the file may grow.
 * Returns false if it is not a regular file, which does not count. */
static bool end_of(const ts_wasi *w, const ts_sys_stat *st, uint64_t *end) {
    uint64_t room = w->grants->max_disk > w->disk ? w->grants->max_disk - w->disk : 0;
    *end = st->size > UINT64_MAX - room ? UINT64_MAX : st->size + room;
    return st->type == TS_SYS_FILE;
}

ts_sys_err ts_wasi_disk_write(ts_wasi *w, int fd, const void *buf, size_t len, uint64_t offset, size_t *n) {
    ts_sys_stat st;
    uint64_t end;
    if (!ts_wasi_disk_counts(w)) return ts_sys_pwrite(fd, buf, len, offset, n);
    *n = 0;
    ts_sys_err e = ts_sys_fstat(fd, &st);
    if (e) return e;
    if (!end_of(w, &st, &end)) return ts_sys_pwrite(fd, buf, len, offset, n);
    if (len && offset >= end) return refuse(w);
    e = ts_sys_pwrite(fd, buf, len < end - offset ? len : (size_t)(end - offset), offset, n);
    if (*n) grow(w, st.size, offset + *n);
    return e;
}
ts_sys_err ts_wasi_disk_append(ts_wasi *w, int fd, const void *buf, size_t len, size_t *n) {
    ts_sys_stat st;
    uint64_t end;
    if (!ts_wasi_disk_counts(w)) return ts_sys_append(fd, buf, len, n);
    *n = 0;
    ts_sys_err e = ts_sys_fstat(fd, &st);
    if (e) return e;
    if (!end_of(w, &st, &end)) return ts_sys_append(fd, buf, len, n);
    if (len && st.size >= end) return refuse(w);
    e = ts_sys_append(fd, buf, len < end - st.size ? len : (size_t)(end - st.size), n);
    grow(w, st.size, st.size + *n);
    return e;
}
ts_sys_err ts_wasi_disk_set_size(ts_wasi *w, int fd, uint64_t size) {
    ts_sys_stat st;
    uint64_t end;
    if (!ts_wasi_disk_counts(w)) return ts_sys_set_size(fd, size);
    ts_sys_err e = ts_sys_fstat(fd, &st);
    if (e) return e;
    if (end_of(w, &st, &end) && size > end) return refuse(w);
    e = ts_sys_set_size(fd, size);
    if (e || st.type != TS_SYS_FILE) return e;
    if (size < st.size)
        ts_wasi_disk_give_back(w, st.size - size);
    else
        grow(w, st.size, size);
    return TS_SYS_OK;
}
ts_sys_err ts_wasi_disk_allocate(ts_wasi *w, int fd, uint64_t offset, uint64_t len) {
    ts_sys_stat st;
    uint64_t end;
    if (!ts_wasi_disk_counts(w)) return ts_sys_allocate(fd, offset, len);
    ts_sys_err e = ts_sys_fstat(fd, &st);
    if (e) return e;
    if (end_of(w, &st, &end) && (offset > end || len > end - offset)) return refuse(w);
    e = ts_sys_allocate(fd, offset, len);
    if (!e) grow(w, st.size, offset + len);
    return e;
}

ts_sys_err ts_wasi_disk_open(ts_wasi *w, ts_sys_base b, ts_sys_path p, unsigned how, int *fd, ts_sys_stat *st) {
    uint64_t had = 0;
    ts_sys_err e = ts_wasi_may_open(w);
    if (!e && (how & TS_SYS_O_TRUNC) && ts_wasi_disk_counts(w) &&
        ts_sys_stat_at(b, p, how & TS_SYS_O_FOLLOW, st) == TS_SYS_OK && st->type == TS_SYS_FILE)
        had = st->size;
    if (!e) e = ts_sys_open_at(b, p, how, fd);
    if (e) return e;
    if (ts_sys_proc_files_guard(*fd, how & TS_SYS_O_WRITE, w->grants->shows_processes)) {
        ts_sys_close(*fd);
        return TS_SYS_ESCAPE;
    }
    ts_wasi_disk_give_back(w, had);
    e = ts_sys_fstat(*fd, st);
    if (e) ts_sys_close(*fd);
    return e;
}
