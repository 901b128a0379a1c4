/* sys/fs: files and directories; paths are resolved below a directory and never leave it.
 * In: OS descriptors, a base directory and a path relative to it. Out: results, or a ts_sys_err
 * (TS_SYS_ESCAPE: the path is absolute, or one of its `..` or symbolic links leads out of the base).
 * Source: openat2(2) with RESOLVE_BENEATH; without it, a walk by component.
 * Reads and writes return EINTR, so that the caller can check whether it should stop. */
#ifndef TS_SYS_FS_H
#define TS_SYS_FS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/clock.h"
#include "sys/error.h"

typedef enum ts_sys_type {
    TS_SYS_UNKNOWN,
    TS_SYS_BLOCK,
    TS_SYS_CHAR,
    TS_SYS_DIR,
    TS_SYS_FIFO,
    TS_SYS_SYMLINK,
    TS_SYS_FILE,
    TS_SYS_SOCKET,
} ts_sys_type;

typedef struct ts_sys_stat {
    ts_sys_type type;
    uint64_t links, size, dev, ino;
    ts_sys_time atime, mtime, ctime;
} ts_sys_stat;

typedef struct ts_sys_newtime {
    enum { TS_SYS_TIME_KEEP, TS_SYS_TIME_NOW, TS_SYS_TIME_SET } how;
    ts_sys_time time;
} ts_sys_newtime;

/* open files */
ts_sys_err ts_sys_read(int fd, void *buf, size_t len, size_t *n);
ts_sys_err ts_sys_write(int fd, const void *buf, size_t len, size_t *n);
/* Read or write a blocking file without waiting:
 * EAGAIN if it would wait, ENOTSUP if the OS cannot do this. */
ts_sys_err ts_sys_read_now(int fd, void *buf, size_t len, size_t *n);
ts_sys_err ts_sys_write_now(int fd, const void *buf, size_t len, size_t *n);
/* offset: at most INT64_MAX */
ts_sys_err ts_sys_pread(int fd, void *buf, size_t len, uint64_t offset, size_t *n);
ts_sys_err ts_sys_pwrite(int fd, const void *buf, size_t len, uint64_t offset, size_t *n);
ts_sys_err ts_sys_append(int fd, const void *buf, size_t len, size_t *n);
/* Returns the number of bytes that a read would give without waiting; 0: none, or the OS does not know. */
uint64_t ts_sys_available(int fd);
ts_sys_err ts_sys_fstat(int fd, ts_sys_stat *out);
ts_sys_err ts_sys_set_size(int fd, uint64_t size);
/* Allocates these bytes, and extends the file if it ends before them.
 * ENOTSUP: the file system cannot do this without writing them. len: above 0 */
ts_sys_err ts_sys_allocate(int fd, uint64_t offset, uint64_t len);
ts_sys_err ts_sys_set_times(int fd, const ts_sys_newtime t[2]); /* access, modification */
ts_sys_err ts_sys_sync(int fd, bool data_only);
typedef enum ts_sys_advice {
    TS_SYS_NORMAL,
    TS_SYS_SEQUENTIAL,
    TS_SYS_RANDOM,
    TS_SYS_WILLNEED,
    TS_SYS_DONTNEED,
    TS_SYS_NOREUSE
} ts_sys_advice;
ts_sys_err ts_sys_advise(int fd, uint64_t offset, uint64_t len, ts_sys_advice a);
bool ts_sys_is_terminal(int fd);
void ts_sys_close(int fd);

/* directories */
typedef struct ts_sys_dir ts_sys_dir;
ts_sys_err ts_sys_dir_open(int fd, ts_sys_dir **out); /* starts at the first entry; the caller keeps fd */
/* Returns the next entry except . and ..; *name is NULL at the end, else valid until the next call. */
ts_sys_err ts_sys_dir_next(ts_sys_dir *d, const char **name, ts_sys_type *type);
uint64_t ts_sys_dir_inode(const ts_sys_dir *d); /* of the entry that ts_sys_dir_next returned last */
void ts_sys_dir_close(ts_sys_dir *d);
ts_sys_err ts_sys_open_dir(const char *path, int *fd); /* opens a host path: for grants, not for guests */

/* paths below a directory; `walk` forces the walk by component even if openat2 exists */
typedef struct ts_sys_base {
    int fd;
    bool walk;
} ts_sys_base;
enum ts_sys_open_flags {
    TS_SYS_O_READ = 1,
    TS_SYS_O_WRITE = 2,
    TS_SYS_O_CREATE = 4,
    TS_SYS_O_DIRECTORY = 8,
    TS_SYS_O_EXCL = 16,
    TS_SYS_O_TRUNC = 32,
    TS_SYS_O_FOLLOW = 64,
    TS_SYS_O_SYNC = 128,
    TS_SYS_O_DSYNC = 256,
};
typedef struct ts_sys_path {
    const char *ptr;
    size_t len;
} ts_sys_path;
ts_sys_err ts_sys_open_at(ts_sys_base b, ts_sys_path p, unsigned flags, int *fd);
ts_sys_err ts_sys_stat_at(ts_sys_base b, ts_sys_path p, bool follow, ts_sys_stat *out);
ts_sys_err ts_sys_set_times_at(ts_sys_base b, ts_sys_path p, bool follow, const ts_sys_newtime t[2]);
ts_sys_err ts_sys_mkdir_at(ts_sys_base b, ts_sys_path p);
ts_sys_err ts_sys_rmdir_at(ts_sys_base b, ts_sys_path p);
ts_sys_err ts_sys_unlink_at(ts_sys_base b, ts_sys_path p);
ts_sys_err ts_sys_readlink_at(ts_sys_base b, ts_sys_path p, char *out, size_t size, size_t *len);
ts_sys_err ts_sys_symlink_at(ts_sys_path target, ts_sys_base b, ts_sys_path p);
ts_sys_err ts_sys_link_at(ts_sys_base from, ts_sys_path p, bool follow, ts_sys_base to, ts_sys_path q);
ts_sys_err ts_sys_rename_at(ts_sys_base from, ts_sys_path p, ts_sys_base to, ts_sys_path q);
#endif
