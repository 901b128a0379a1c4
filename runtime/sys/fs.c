/* sys/fs: see fs.h */
#define _GNU_SOURCE
#include "sys/fs.h"
#include "base/vec.h"
#include "sys/descriptors.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__) && defined(SYS_openat2)
#include <linux/openat2.h>
#define HAVE_OPENAT2 1
#endif
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

#define MAX_LINKS 40 /* the same limit as Linux */

static ts_sys_err last(void) {
    return ts_sys_err_of(errno);
}
static ts_sys_err status(int r) {
    return r < 0 ? last() : TS_SYS_OK;
}

/* --- open files ----------------------------------------------------------------------------------------------------
 */
static ts_sys_err count(ssize_t r, size_t *n) {
    *n = r > 0 ? (size_t)r : 0;
    return r < 0 ? last() : TS_SYS_OK;
}
static size_t most(size_t len) {
    return len > 0x7ffff000 ? 0x7ffff000 : len;
}

ts_sys_err ts_sys_read(int fd, void *buf, size_t len, size_t *n) {
    return count(read(fd, buf, most(len)), n);
}
ts_sys_err ts_sys_write(int fd, const void *buf, size_t len, size_t *n) {
    return count(write(fd, buf, most(len)), n);
}
/* preadv2(2), RWF_NOWAIT: pipes and sockets support it, terminals and older kernels do not. */
ts_sys_err ts_sys_read_now(int fd, void *buf, size_t len, size_t *n) {
#ifdef RWF_NOWAIT
    struct iovec v = {.iov_base = buf, .iov_len = most(len)};
    return count(preadv2(fd, &v, 1, -1, RWF_NOWAIT), n);
#else
    (void)fd, (void)buf, (void)len, (void)n;
    return TS_SYS_ENOTSUP;
#endif
}
ts_sys_err ts_sys_write_now(int fd, const void *buf, size_t len, size_t *n) {
#ifdef RWF_NOWAIT
    struct iovec v = {.iov_base = (void *)buf, .iov_len = most(len)};
    return count(pwritev2(fd, &v, 1, -1, RWF_NOWAIT), n);
#else
    (void)fd, (void)buf, (void)len, (void)n;
    return TS_SYS_ENOTSUP;
#endif
}
ts_sys_err ts_sys_pread(int fd, void *buf, size_t len, uint64_t offset, size_t *n) {
    return count(pread(fd, buf, most(len), (off_t)offset), n);
}
ts_sys_err ts_sys_pwrite(int fd, const void *buf, size_t len, uint64_t offset, size_t *n) {
    ts_sys_err e = count(pwrite(fd, buf, most(len), (off_t)offset), n);
    /* POSIX pwrite: EFBIG at the offset maximum; Linux returns EINVAL for this and for other errors */
    return e == TS_SYS_EINVAL && offset > (uint64_t)INT64_MAX - most(len) ? TS_SYS_EFBIG : e;
}
ts_sys_err ts_sys_append(int fd, const void *buf, size_t len, size_t *n) {
#ifdef RWF_APPEND
    struct iovec v = {.iov_base = (void *)buf, .iov_len = most(len)};
    ssize_t r = pwritev2(fd, &v, 1, 0, RWF_APPEND);
    if (r >= 0 || (errno != ENOSYS && errno != EOPNOTSUPP)) return count(r, n);
#endif
    struct stat st; /* not atomic, but nothing better is left */
    *n = 0;
    if (fstat(fd, &st) < 0) return last();
    return ts_sys_pwrite(fd, buf, len, (uint64_t)st.st_size, n);
}

uint64_t ts_sys_available(int fd) {
    int n = 0;
    return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static ts_sys_time time_of(struct timespec t) {
    return (ts_sys_time){.s = t.tv_sec, .ns = (uint32_t)t.tv_nsec};
}
static ts_sys_type type_of(mode_t m) {
    switch (m & S_IFMT) {
    case S_IFBLK: return TS_SYS_BLOCK;
    case S_IFCHR: return TS_SYS_CHAR;
    case S_IFDIR: return TS_SYS_DIR;
    case S_IFIFO: return TS_SYS_FIFO;
    case S_IFLNK: return TS_SYS_SYMLINK;
    case S_IFREG: return TS_SYS_FILE;
    case S_IFSOCK: return TS_SYS_SOCKET;
    default: return TS_SYS_UNKNOWN;
    }
}
static void stat_of(const struct stat *s, ts_sys_stat *out) {
    *out = (ts_sys_stat){
        .type = type_of(s->st_mode),
        .links = s->st_nlink,
        .size = (uint64_t)s->st_size,
        .dev = s->st_dev,
        .ino = s->st_ino,
        .atime = time_of(s->st_atim),
        .mtime = time_of(s->st_mtim),
        .ctime = time_of(s->st_ctim),
    };
}
ts_sys_err ts_sys_fstat(int fd, ts_sys_stat *out) {
    struct stat s;
    if (fstat(fd, &s) < 0) return last();
    stat_of(&s, out);
    return TS_SYS_OK;
}
ts_sys_err ts_sys_set_size(int fd, uint64_t size) {
    if (size > INT64_MAX) return TS_SYS_EINVAL;
    return status(ftruncate(fd, (off_t)size));
}
/* fallocate(2): posix_fallocate(3) would write to each block where the file system has no such call. */
ts_sys_err ts_sys_allocate(int fd, uint64_t offset, uint64_t len) {
    if (offset > INT64_MAX || len > INT64_MAX - offset) return TS_SYS_EFBIG;
#ifdef __linux__
    return status(fallocate(fd, 0, (off_t)offset, (off_t)len));
#else
    (void)fd;
    return TS_SYS_ENOTSUP;
#endif
}
static void times_of(const ts_sys_newtime t[2], struct timespec out[2]) {
    for (int i = 0; i < 2; i++)
        out[i] = t[i].how == TS_SYS_TIME_KEEP ? (struct timespec){.tv_nsec = UTIME_OMIT}
                 : t[i].how == TS_SYS_TIME_NOW
                     ? (struct timespec){.tv_nsec = UTIME_NOW}
                     : (struct timespec){.tv_sec = (time_t)t[i].time.s, .tv_nsec = (long)t[i].time.ns};
}
ts_sys_err ts_sys_set_times(int fd, const ts_sys_newtime t[2]) {
    struct timespec ts[2];
    times_of(t, ts);
    return status(futimens(fd, ts));
}
ts_sys_err ts_sys_sync(int fd, bool data_only) {
    return status(data_only ? fdatasync(fd) : fsync(fd));
}
ts_sys_err ts_sys_advise(int fd, uint64_t offset, uint64_t len, ts_sys_advice a) {
    static const int how[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                              POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (len > INT64_MAX) return TS_SYS_EINVAL;
    if (offset > INT64_MAX) return TS_SYS_OK; /* no file has bytes there */
    return ts_sys_err_of(posix_fadvise(fd, (off_t)offset, (off_t)len, how[a]));
}
bool ts_sys_is_terminal(int fd) {
    return isatty(fd) == 1;
}
void ts_sys_close(int fd) {
    if (fd >= 0) close(fd);
}

/* --- directories ---------------------------------------------------------------------------------------------------
 */
struct ts_sys_dir {
    DIR *d;
    uint64_t inode; /* of the last entry */
};
ts_sys_err ts_sys_dir_open(int fd, ts_sys_dir **out) {
    *out = NULL;
    int own = ts_sys_above_std(openat(fd, ".", O_RDONLY | O_CLOEXEC));
    if (own < 0) return last();
    ts_sys_dir *d = malloc(sizeof *d);
    DIR *dir = d ? fdopendir(own) : NULL;
    if (!dir) {
        ts_sys_err e = d ? last() : TS_SYS_ENOMEM;
        free(d);
        close(own);
        return e;
    }
    *d = (ts_sys_dir){.d = dir};
    *out = d;
    return TS_SYS_OK;
}
ts_sys_err ts_sys_dir_next(ts_sys_dir *d, const char **name, ts_sys_type *type) {
    *name = NULL;
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(d->d);
        if (!e) return last();
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        *name = e->d_name;
        d->inode = e->d_ino;
        *type = e->d_type == DT_UNKNOWN ? TS_SYS_UNKNOWN : type_of((mode_t)DTTOIF(e->d_type));
        struct stat st;
        if (e->d_type == DT_UNKNOWN && fstatat(dirfd(d->d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            *type = type_of(st.st_mode);
        return TS_SYS_OK;
    }
}
uint64_t ts_sys_dir_inode(const ts_sys_dir *d) {
    return d->inode;
}
void ts_sys_dir_close(ts_sys_dir *d) {
    if (!d) return;
    closedir(d->d);
    free(d);
}
ts_sys_err ts_sys_open_dir(const char *path, int *fd) {
    *fd = ts_sys_above_std(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return status(*fd);
}

/* --- paths ---------------------------------------------------------------------------------------------------------
 */
typedef struct name_buf {
    char s[PATH_MAX];
} name_buf;

static ts_sys_err copy(ts_sys_path p, name_buf *b) {
    if (p.len == 0) return TS_SYS_ENOENT;
    if (memchr(p.ptr, 0, p.len)) return TS_SYS_EINVAL;
    if (p.ptr[0] == '/') return TS_SYS_ESCAPE;
    if (p.len >= sizeof b->s) return TS_SYS_ENAMETOOLONG;
    memcpy(b->s, p.ptr, p.len);
    b->s[p.len] = 0;
    return TS_SYS_OK;
}

/* The walk opens each component by itself without following links; links are read and then walked too.
 * `..` goes back along the directories that are already open, so that a concurrent rename cannot lead out. */
typedef struct walk {
    TS_VEC(int) up; /* open directories below the base; the last is the current one */
    int base;
    char rest[2 * PATH_MAX];
} walk;

static int here(const walk *w) {
    return w->up.len ? w->up.data[w->up.len - 1] : w->base;
}

static ts_sys_err expand(walk *w, const char *target, ssize_t len, size_t at, unsigned *links) {
    if (len < 0) return last();
    if (++*links > MAX_LINKS) return TS_SYS_ELOOP;
    if (target[0] == '/') return TS_SYS_ESCAPE;
    size_t tail = strlen(w->rest + at);
    if (len == 0) return TS_SYS_ENOENT;
    if ((size_t)len >= PATH_MAX || (size_t)len + tail + 1 > sizeof w->rest) return TS_SYS_ENAMETOOLONG;
    memmove(w->rest + len, w->rest + at, tail + 1);
    memcpy(w->rest, target, (size_t)len);
    return TS_SYS_OK;
}

static ts_sys_err walk_steps(walk *w, int oflags, mode_t mode, int *out) {
    unsigned links = 0, races = 0;
    char target[PATH_MAX];
    size_t at = 0;
    for (;;) {
        while (w->rest[at] == '/') at++;
        if (!w->rest[at]) { /* the current directory is the result */
            *out = ts_sys_above_std(openat(here(w), ".", oflags | O_CLOEXEC, mode));
            return status(*out);
        }
        char name[NAME_MAX + 1];
        size_t n = strcspn(w->rest + at, "/");
        if (n > NAME_MAX) return TS_SYS_ENAMETOOLONG;
        memcpy(name, w->rest + at, n);
        name[n] = 0;
        size_t next = at + n;
        bool slash = w->rest[next] == '/';
        if (strcmp(name, ".") == 0) {
            at = next;
            continue;
        }
        if (strcmp(name, "..") == 0) {
            if (!w->up.len) return TS_SYS_ESCAPE;
            close(w->up.data[--w->up.len]);
            at = next;
            continue;
        }
        /* like the OS: a file whose name ends in a slash cannot be created */
        if ((oflags & O_CREAT) && slash && !w->rest[next + strspn(w->rest + next, "/")]) return TS_SYS_EISDIR;
        if (!slash) { /* the last component; POSIX open: O_EXCL does not follow it */
            bool exclusive = (oflags & O_CREAT) && (oflags & O_EXCL);
            ssize_t len = -1;
            if (!(oflags & O_NOFOLLOW) && !exclusive) {
                len = readlinkat(here(w), name, target, sizeof target);
                if (len < 0 && errno != EINVAL && errno != ENOENT) return last(); /* an unreadable link */
            }
            if (len >= 0) {
                ts_sys_err e = expand(w, target, len, next, &links);
                if (e) return e;
                at = 0;
                continue;
            }
            *out = ts_sys_above_std(openat(here(w), name, oflags | O_NOFOLLOW | O_CLOEXEC, mode));
            /* it was replaced by a link after the check */
            if (*out < 0 && errno == ELOOP && !(oflags & O_NOFOLLOW) && ++races < 100) continue;
            return status(*out);
        }
        int fd = ts_sys_above_std(openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (fd < 0) return last();
        struct stat st;
        ts_sys_err e = status(fstat(fd, &st));
        if (e == TS_SYS_OK && S_ISLNK(st.st_mode)) {
            e = expand(w, target, readlinkat(fd, "", target, sizeof target), next, &links);
            close(fd);
            if (e) return e;
            at = 0;
            continue;
        }
        if (e == TS_SYS_OK && !S_ISDIR(st.st_mode)) e = TS_SYS_ENOTDIR;
        if (e == TS_SYS_OK && !ts_vec_push(&w->up, fd)) e = TS_SYS_ENOMEM;
        if (e) {
            close(fd);
            return e;
        }
        at = next;
    }
}

static ts_sys_err walk_open(int base, const char *path, int oflags, mode_t mode, int *out) {
    walk *w = calloc(1, sizeof *w);
    if (!w) return TS_SYS_ENOMEM;
    w->base = base;
    memcpy(w->rest, path, strlen(path) + 1);
    ts_sys_err e = walk_steps(w, oflags, mode, out);
    while (w->up.len) close(w->up.data[--w->up.len]);
    ts_vec_free(&w->up);
    free(w);
    return e;
}

/* Opens a path below the base. */
static ts_sys_err beneath(ts_sys_base b, const char *path, int oflags, mode_t mode, int *out) {
    *out = -1;
    oflags |= O_CLOEXEC;
#ifdef HAVE_OPENAT2
    if (!b.walk) {
        struct open_how how = {
            .flags = (uint64_t)oflags, .mode = oflags & O_CREAT ? mode : 0, .resolve = RESOLVE_BENEATH};
        for (int i = 0;; i++) {
            /* oflags contains O_CLOEXEC */
            int fd = ts_sys_above_std((int)syscall(SYS_openat2, b.fd, path, &how, sizeof how));
            if (fd >= 0) {
                *out = fd;
                return TS_SYS_OK;
            }
            if (errno == EXDEV) return TS_SYS_ESCAPE;
            if (errno == EAGAIN && i < 100) continue; /* a rename raced with it: retry, then walk */
            if (errno != ENOSYS && errno != EPERM && errno != EAGAIN) return last();
            break;
        }
    }
#endif
    return walk_open(b.fd, path, oflags, mode, out);
}

/* The directory that holds a path's last component, and that component (with its trailing slashes, if any). */
typedef struct parent {
    int fd;
    bool own; /* parent_end closes fd */
    bool dot; /* the last component is . or ..: it exists and is a directory below the base */
    bool dotdot, slash;
    char *last;
} parent;

static void parent_end(const parent *p) {
    if (p->own) close(p->fd);
}

static ts_sys_err parent_of(ts_sys_base b, name_buf *path, parent *out) {
    *out = (parent){.fd = b.fd};
    char *s = path->s;
    size_t end = strlen(s);
    while (end && s[end - 1] == '/') end--;
    out->slash = s[end] == '/';
    size_t at = end;
    while (at && s[at - 1] != '/') at--;
    out->last = s + at;
    size_t n = end - at;
    if ((n == 1 && s[at] == '.') || (n == 2 && s[at] == '.' && s[at + 1] == '.')) {
        out->dot = true;
        out->dotdot = n == 2;
        int fd;
        ts_sys_err e = beneath(b, s, O_PATH, 0, &fd);
        if (e == TS_SYS_OK) close(fd);
        return e;
    }
    if (n > NAME_MAX) return TS_SYS_ENAMETOOLONG;
    if (at == 0) return TS_SYS_OK;
    char keep = s[at - 1];
    s[at - 1] = 0;
    ts_sys_err e = beneath(b, s, O_PATH, 0, &out->fd);
    s[at - 1] = keep;
    out->own = e == TS_SYS_OK;
    return e;
}

static ts_sys_err find(ts_sys_base b, ts_sys_path p, name_buf *buf, parent *out) {
    ts_sys_err e = copy(p, buf);
    return e ? e : parent_of(b, buf, out);
}

/* Resolves a name with a trailing slash: TS_SYS_OK if it leads to a directory, otherwise the reason why not.
 * When the OS creates or removes a name, it never follows a link in the last component, with or without a
 * slash, and returns EEXIST or ENOTDIR for the link. Callers adjust this where the certified runtimes agree
 * on another error. */
static ts_sys_err leads_to(ts_sys_base b, const char *path) {
    int fd;
    ts_sys_err e = beneath(b, path, O_PATH | O_DIRECTORY, 0, &fd);
    if (!e) close(fd);
    return e;
}

ts_sys_err ts_sys_open_at(ts_sys_base b, ts_sys_path p, unsigned f, int *fd) {
    *fd = -1;
    name_buf buf;
    ts_sys_err e = copy(p, &buf);
    if (e) return e;
    int o = f & TS_SYS_O_WRITE ? (f & TS_SYS_O_READ ? O_RDWR : O_WRONLY) : O_RDONLY;
    /* never wait for the other end of a FIFO, never acquire a controlling terminal */
    o |= O_NONBLOCK | O_NOCTTY;
    if (f & TS_SYS_O_CREATE) o |= O_CREAT | (f & TS_SYS_O_EXCL ? O_EXCL : 0);
    if (f & TS_SYS_O_DIRECTORY) o |= O_DIRECTORY;
    if (f & TS_SYS_O_TRUNC) o |= O_TRUNC;
    if (!(f & TS_SYS_O_FOLLOW)) o |= O_NOFOLLOW;
    if (f & TS_SYS_O_SYNC) o |= O_SYNC;
    if (f & TS_SYS_O_DSYNC) o |= O_DSYNC;
    return beneath(b, buf.s, o, 0666, fd);
}

ts_sys_err ts_sys_stat_at(ts_sys_base b, ts_sys_path p, bool follow, ts_sys_stat *out) {
    name_buf buf;
    struct stat st;
    ts_sys_err e = copy(p, &buf);
    if (e) return e;
    /* a single component needs one call, unless it is a link to follow */
    if (!strchr(buf.s, '/') && strcmp(buf.s, "..") != 0 && fstatat(b.fd, buf.s, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        !(follow && S_ISLNK(st.st_mode))) {
        stat_of(&st, out);
        return TS_SYS_OK;
    }
    int fd;
    e = beneath(b, buf.s, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, &fd);
    if (e) return e;
    e = ts_sys_fstat(fd, out);
    close(fd);
    return e;
}

static void proc_path(int fd, char buf[40]) {
    snprintf(buf, 40, "/proc/self/fd/%d", fd);
}

ts_sys_err ts_sys_set_times_at(ts_sys_base b, ts_sys_path p, bool follow, const ts_sys_newtime t[2]) {
    name_buf buf;
    struct timespec ts[2];
    times_of(t, ts);
    ts_sys_err e = copy(p, &buf);
    if (e) return e;
    int fd;
    e = beneath(b, buf.s, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, &fd);
    if (e) return e;
    int r = -1;
#ifdef AT_EMPTY_PATH
    r = utimensat(fd, "", ts, AT_EMPTY_PATH);
    if (r < 0 && (errno == EINVAL || errno == ENOENT))
#endif
    {
        char path[40];
        proc_path(fd, path);
        r = utimensat(AT_FDCWD, path, ts, 0);
    }
    e = status(r);
    close(fd);
    return e;
}

ts_sys_err ts_sys_mkdir_at(ts_sys_base b, ts_sys_path p) {
    name_buf buf;
    parent d;
    ts_sys_err e = find(b, p, &buf, &d);
    if (e) return e;
    if (d.dot) return TS_SYS_EEXIST;
    e = status(mkdirat(d.fd, d.last, 0777));
    parent_end(&d);
    return e;
}

ts_sys_err ts_sys_rmdir_at(ts_sys_base b, ts_sys_path p) {
    name_buf buf;
    parent d;
    ts_sys_err e = find(b, p, &buf, &d);
    if (e) return e;
    if (d.dot) return d.dotdot ? TS_SYS_ENOTEMPTY : TS_SYS_EINVAL;
    e = status(unlinkat(d.fd, d.last, AT_REMOVEDIR));
    if (e == TS_SYS_ENOTDIR && d.slash) { /* for a dangling link or a loop of links, report that instead */
        ts_sys_err to = leads_to(b, buf.s);
        if (to) e = to;
    }
    parent_end(&d);
    return e == TS_SYS_EEXIST ? TS_SYS_ENOTEMPTY : e; /* POSIX allows both */
}

ts_sys_err ts_sys_unlink_at(ts_sys_base b, ts_sys_path p) {
    name_buf buf;
    parent d;
    ts_sys_err e = find(b, p, &buf, &d);
    if (e) return e;
    if (d.dot) return TS_SYS_EISDIR;
    e = status(unlinkat(d.fd, d.last, 0));
    if (e == TS_SYS_ENOTDIR && d.slash) { /* a link to a directory: EISDIR; a loop of links: ELOOP */
        ts_sys_err to = leads_to(b, buf.s);
        e = !to ? TS_SYS_EISDIR : to == TS_SYS_ELOOP ? to : e;
    }
    if (e == TS_SYS_EPERM) { /* POSIX returns this for directories, Linux returns EISDIR */
        struct stat st;
        if (fstatat(d.fd, d.last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) e = TS_SYS_EISDIR;
    }
    parent_end(&d);
    return e;
}

ts_sys_err ts_sys_readlink_at(ts_sys_base b, ts_sys_path p, char *out, size_t size, size_t *len) {
    name_buf buf;
    parent d;
    *len = 0;
    ts_sys_err e = find(b, p, &buf, &d);
    if (e) return e;
    if (d.dot) return TS_SYS_EINVAL;
    if (d.slash) { /* the slash means the link's target: a directory or an error, never a link */
        parent_end(&d);
        e = leads_to(b, buf.s);
        return e ? e : TS_SYS_EINVAL;
    }
    ssize_t n = readlinkat(d.fd, d.last, out, size);
    e = n < 0 ? last() : (size_t)n >= size ? TS_SYS_ENAMETOOLONG : TS_SYS_OK;
    *len = n > 0 ? (size_t)n : 0;
    parent_end(&d);
    return e;
}

ts_sys_err ts_sys_symlink_at(ts_sys_path target, ts_sys_base b, ts_sys_path p) {
    char to[PATH_MAX];
    if (target.len && target.ptr[0] == '/') return TS_SYS_ESCAPE;
    if (target.len >= sizeof to) return TS_SYS_ENAMETOOLONG;
    if (target.len && memchr(target.ptr, 0, target.len)) return TS_SYS_EINVAL;
    if (target.len) memcpy(to, target.ptr, target.len);
    to[target.len] = 0;
    name_buf buf;
    parent d;
    ts_sys_err e = find(b, p, &buf, &d);
    if (e) return e;
    if (d.dot) return TS_SYS_EEXIST;
    e = status(symlinkat(to, d.fd, d.last));
    if (e == TS_SYS_EEXIST && d.slash) { /* if it exists but is not a directory, report that instead */
        ts_sys_err to_what = leads_to(b, buf.s);
        if (to_what) e = to_what;
    }
    parent_end(&d);
    return e;
}

ts_sys_err ts_sys_link_at(ts_sys_base from, ts_sys_path p, bool follow, ts_sys_base to, ts_sys_path q) {
    name_buf a, c;
    parent s, d;
    ts_sys_err e = find(from, p, &a, &s);
    if (e) return e;
    e = find(to, q, &c, &d);
    if (e) {
        parent_end(&s);
        return e;
    }
    if (d.dot)
        e = TS_SYS_EEXIST;
    else if (follow || s.slash || s.dot) {
        int fd;
        e = beneath(from, a.s, O_PATH, 0, &fd);
        if (e == TS_SYS_OK) {
            char path[40];
            proc_path(fd, path);
            e = status(linkat(AT_FDCWD, path, d.fd, d.last, AT_SYMLINK_FOLLOW));
            close(fd);
        }
    } else
        e = status(linkat(s.fd, s.last, d.fd, d.last, 0));
    if (e == TS_SYS_EEXIST && d.slash) { /* for a dangling link or a loop of links, report that instead */
        ts_sys_err at = leads_to(to, c.s);
        if (at == TS_SYS_ENOENT || at == TS_SYS_ELOOP) e = at;
    }
    parent_end(&s);
    parent_end(&d);
    return e;
}

ts_sys_err ts_sys_rename_at(ts_sys_base from, ts_sys_path p, ts_sys_base to, ts_sys_path q) {
    name_buf a, c;
    parent s, d;
    ts_sys_err e = find(from, p, &a, &s);
    if (e) return e;
    e = find(to, q, &c, &d);
    if (e) {
        parent_end(&s);
        return e;
    }
    /* rename(2): EBUSY if the last component is . or ..; POSIX specifies EINVAL */
    e = s.dot || d.dot ? TS_SYS_EBUSY : status(renameat(s.fd, s.last, d.fd, d.last));
    parent_end(&s);
    parent_end(&d);
    return e == TS_SYS_EEXIST ? TS_SYS_ENOTEMPTY : e;
}
