/* test_wasi_faults: the host's system calls fail, transfer less than asked and are interrupted, one at a time
 * and continuously.
 * In: the linker replaces the system calls by the functions below (-Wl,--wrap). Out: each errno reaches the
 * guest as its error-code, short and interrupted calls are completed, and what fails half-way leaves no file
 * open and no memory allocated.
 * wit: wasi:filesystem/types.error-code, wasi:io/streams */
#include "tests/wasi_help.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- faults ------------------------------------------------------------------------------------------------
 * One function fails with `err` from its (after + 1)th call on, `times` times (below 0: always). Apart from that, every
 * call that moves bytes moves at most `most` of them, and each `every`th such call is interrupted. */
static struct {
    const char *name;
    int err, after, times;
    size_t most;
    unsigned every, calls, struck;
} fault;

static bool strikes(const char *name) {
    if (!fault.name || strcmp(fault.name, name) != 0 || !fault.times || fault.after-- > 0) return false;
    if (fault.times > 0) fault.times--;
    fault.struck++;
    errno = fault.err;
    return true;
}
static bool interrupts(void) {
    if (!fault.every || ++fault.calls % fault.every) return false;
    fault.struck++;
    errno = EINTR;
    return true;
}
static size_t most(size_t n) {
    if (!fault.most || n <= fault.most) return n;
    fault.struck++;
    return fault.most;
}
static void fail_with(const char *name, int err, int after, int times) {
    fault.name = name, fault.err = err, fault.after = after, fault.times = times, fault.struck = 0;
}
static void no_fault(void) {
    memset(&fault, 0, sizeof fault);
}

#define WRAP(type, name, params, ...)                                                                                  \
    type __real_##name params;                                                                                         \
    type __wrap_##name params;                                                                                         \
    type __wrap_##name params {                                                                                        \
        return strikes(#name) ? (type) - 1 : __real_##name(__VA_ARGS__);                                               \
    }
/* of the functions that move bytes */
#define WRAP_IO(name, params, ...)                                                                                     \
    ssize_t __real_##name params;                                                                                      \
    ssize_t __wrap_##name params;                                                                                      \
    ssize_t __wrap_##name params {                                                                                     \
        return strikes(#name) || interrupts() ? -1 : __real_##name(__VA_ARGS__);                                       \
    }
WRAP_IO(read, (int fd, void *p, size_t n), fd, p, most(n))
WRAP_IO(write, (int fd, const void *p, size_t n), fd, p, most(n))
WRAP_IO(pread, (int fd, void *p, size_t n, off_t at), fd, p, most(n), at)
WRAP_IO(pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, most(n), at)
static bool two_faults; /* getrandom does not exist, in addition */
ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags) {
    if (two_faults) errno = ENOSYS;
    return two_faults || strikes("getrandom") || interrupts() ? -1 : __real_getrandom(p, most(n), flags);
}
WRAP(int, fstat, (int fd, struct stat *st), fd, st)
WRAP(int, fstatat, (int fd, const char *name, struct stat *st, int flags), fd, name, st, flags)
WRAP(int, ftruncate, (int fd, off_t n), fd, n)
WRAP(int, fsync, (int fd), fd)
WRAP(int, fdatasync, (int fd), fd)
WRAP(int, futimens, (int fd, const struct timespec t[2]), fd, t)
WRAP(int, utimensat, (int fd, const char *name, const struct timespec t[2], int flags), fd, name, t, flags)
WRAP(int, mkdirat, (int fd, const char *name, mode_t mode), fd, name, mode)
WRAP(int, unlinkat, (int fd, const char *name, int flags), fd, name, flags)
WRAP(int, renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags), a, from, b, to, flags)
WRAP(int, symlinkat, (const char *to, int fd, const char *name), to, fd, name)
WRAP(ssize_t, readlinkat, (int fd, const char *name, char *p, size_t n), fd, name, p, n)
WRAP(int, ppoll, (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *s), p, n, t, s)
/* what gcc calls it in a build with checked functions */
int __wrap___ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s, size_t size);
int __wrap___ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s, size_t size) {
    (void)size;
    return __wrap_ppoll(p, n, t, s);
}

ssize_t __real_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) {
    assert_int_equal(n, 1);
    if (strikes("pwritev2") || interrupts()) return -1;
    struct iovec one = {.iov_base = v->iov_base, .iov_len = most(v->iov_len)};
    return __real_pwritev2(fd, &one, 1, at, flags);
}
int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode) {
    return strikes("openat") ? -1 : __real_openat(fd, path, flags, mode);
}
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode) {
    return strikes("open") ? -1 : __real_open(path, flags, mode);
}
long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d);
long __wrap_syscall(long number, long a, long b, long c, long d) {
    return strikes("syscall") ? -1 : __real_syscall(number, a, b, c, d);
}
struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d) {
    return strikes("readdir") ? NULL : __real_readdir(d);
}
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd) {
    return strikes("fdopendir") ? NULL : __real_fdopendir(fd);
}
int __real_posix_fadvise(int fd, off_t at, off_t n, int how);
int __wrap_posix_fadvise(int fd, off_t at, off_t n, int how);
int __wrap_posix_fadvise(int fd, off_t at, off_t n, int how) {
    return strikes("posix_fadvise") ? fault.err : __real_posix_fadvise(fd, at, n, how);
}

/* --- the tree ------------------------------------------------------------------------------------------- */
#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define E(name) TS_WASI_FILESYSTEM_ERROR_CODE_##name
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    CREATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_CREATE,
    FOLLOW = TS_WASI_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW,
    FAILED = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED,
    CLOSED = TS_WASI_IO_STREAM_ERROR_CLOSED,
};

typedef struct fixture {
    host *h;
    char root[64];
    uint64_t rw, file;
    unsigned files_before;
} fixture;

static unsigned open_files(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
static int gone(const char *path, const struct stat *st, int kind, struct FTW *f) {
    (void)st, (void)kind, (void)f;
    return remove(path);
}
static uint64_t open_file(fixture *x, const char *name, uint32_t open, uint32_t flags) {
    GOOD(x->h, fs(open_at), H(x->rw), FLAGS(FOLLOW), STR(name), FLAGS(open), FLAGS(flags));
    return rep_ok(x->h);
}
static int set_up(void **state) {
    fixture *x = calloc(1, sizeof *x);
    void *h;
    no_fault();
    x->files_before = open_files();
    if (host_new(&h)) return -1;
    x->h = h;
    strcpy(x->root, "/tmp/test_wasi_faults_XXXXXX");
    assert_non_null(mkdtemp(x->root));
    assert_int_equal(ts_wasi_allow_dir(x->h->w, x->root, "/", false, &x->h->err), TS_OK);
    OK(x->h, ts_wasi_filesystem_preopens_get_directories, {0});
    x->rw = x->h->result.list.ptr[0].list.ptr[0].handle.rep;
    x->file = open_file(x, "file", CREATE, READ | WRITE);
    GOOD(x->h, fs(write), H(x->file), BYTES("0123456789", 10), U64(0));
    GOOD(x->h, fs(create_directory_at), H(x->rw), STR("dir"));
    GOOD(x->h, fs(symlink_at), H(x->rw), STR("file"), STR("link"));
    *state = x;
    return 0;
}
static int tear_down(void **state) {
    fixture *x = *state;
    no_fault();
    void *h = x->h;
    char root[64];
    unsigned before = x->files_before;
    strcpy(root, x->root);
    host_end(&h);
    free(x);
    nftw(root, gone, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(open_files(), before); /* nothing leaked */
    return 0;
}

/* --- every errno at every function -------------------------------------------------------------------------
 * What the text's words say of POSIX's: written down here by themselves. */
static const struct {
    int err;
    uint32_t code;
} errors[] = {
    {EACCES, E(ACCESS)},
    {EAGAIN, E(WOULD_BLOCK)},
    {EALREADY, E(ALREADY)},
    {EBADF, E(BAD_DESCRIPTOR)},
    {EBUSY, E(BUSY)},
    {EDEADLK, E(DEADLOCK)},
    {EDQUOT, E(QUOTA)},
    {EEXIST, E(EXIST)},
    {EFBIG, E(FILE_TOO_LARGE)},
    {EILSEQ, E(ILLEGAL_BYTE_SEQUENCE)},
    {EINPROGRESS, E(IN_PROGRESS)},
    {EINTR, E(INTERRUPTED)},
    {EINVAL, E(INVALID)},
    {EIO, E(IO)},
    {EISDIR, E(IS_DIRECTORY)},
    {ELOOP, E(LOOP)},
    {EMLINK, E(TOO_MANY_LINKS)},
    {EMSGSIZE, E(MESSAGE_SIZE)},
    {ENAMETOOLONG, E(NAME_TOO_LONG)},
    {ENODEV, E(NO_DEVICE)},
    {ENOENT, E(NO_ENTRY)},
    {ENOLCK, E(NO_LOCK)},
    {ENOMEM, E(INSUFFICIENT_MEMORY)},
    {ENOSPC, E(INSUFFICIENT_SPACE)},
    {ENOTDIR, E(NOT_DIRECTORY)},
    {ENOTEMPTY, E(NOT_EMPTY)},
    {ENOTRECOVERABLE, E(NOT_RECOVERABLE)},
    {ENOTSUP, E(UNSUPPORTED)},
    {ENOSYS, E(UNSUPPORTED)},
    {ENOTTY, E(NO_TTY)},
    {ENXIO, E(NO_SUCH_DEVICE)},
    {EOVERFLOW, E(OVERFLOW)},
    {EPERM, E(NOT_PERMITTED)},
    {EPIPE, E(PIPE)},
    {EROFS, E(READ_ONLY)},
    {ESPIPE, E(INVALID_SEEK)},
    {ETXTBSY, E(TEXT_FILE_BUSY)},
    {EXDEV, E(CROSS_DEVICE)},
    {EMFILE, E(INSUFFICIENT_MEMORY)}, /* the specification has no code for it, so the nearest one */
    {ENFILE, E(INSUFFICIENT_MEMORY)},
    {EREMOTEIO, E(IO)}, /* nor for these: a general failure */
    {ENOTBLK, E(IO)},
};

static const ts_val keep_ = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_NO_CHANGE}};
static const ts_val now_ = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_NOW}};
#define DO(name, ...)                                                                                                  \
    static void name(fixture *x) {                                                                                     \
        CALL(x->h, __VA_ARGS__);                                                                                       \
    }
DO(do_open, fs(open_at), H(x->rw), FLAGS(0), STR("file"), FLAGS(0), FLAGS(READ))
DO(do_stat, fs(stat), H(x->file))
DO(do_stat_at, fs(stat_at), H(x->rw), FLAGS(0), STR("dir/../file"))
DO(do_hash, fs(metadata_hash), H(x->file))
DO(do_set_size, fs(set_size), H(x->file), U64(10))
DO(do_set_times, fs(set_times), H(x->file), now_, keep_)
DO(do_set_times_at, fs(set_times_at), H(x->rw), FLAGS(0), STR("file"), keep_, now_)
DO(do_sync, fs(sync), H(x->file))
DO(do_sync_data, fs(sync_data), H(x->file))
DO(do_advise, fs(advise), H(x->file), U64(0), U64(10), ((ts_val){.variant = {.disc = 0}}))
DO(do_mkdir, fs(create_directory_at), H(x->rw), STR("new"))
DO(do_rmdir, fs(remove_directory_at), H(x->rw), STR("dir"))
DO(do_unlink, fs(unlink_file_at), H(x->rw), STR("file"))
DO(do_rename, fs(rename_at), H(x->rw), STR("file"), H(x->rw), STR("other"))
DO(do_link, fs(link_at), H(x->rw), FLAGS(0), STR("file"), H(x->rw), STR("other"))
DO(do_symlink, fs(symlink_at), H(x->rw), STR("file"), STR("other"))
DO(do_readlink, fs(readlink_at), H(x->rw), STR("link"))
DO(do_read, fs(read), H(x->file), U64(10), U64(0))
DO(do_read_much, fs(read), H(x->file), U64(1 << 20), U64(0)) /* reads the size first */
DO(do_write, fs(write), H(x->file), BYTES("0123456789", 10), U64(0))
DO(do_read_directory, fs(read_directory), H(x->rw))

/* The code of an error of the stream that was created last, which is then closed. */
static void through_stream(fixture *x, ts_host_fn make, bool reads, uint64_t offset) {
    host *h = x->h;
    unsigned late = (unsigned)fault.times;
    fault.times = 0;
    GOOD(h, make, H(x->file), U64(offset));
    uint64_t s = rep_ok(h);
    fault.times = (int)late;
    if (reads)
        CALL(h, in(blocking_read), H(s), U64(10));
    else
        CALL(h, out(blocking_write_and_flush), H(s), BYTES("0123456789", 10));
    assert_int_equal(h->status, TS_OK);
    if (h->result.variant.disc && h->result.variant.payload->variant.disc == FAILED) {
        uint64_t error = h->result.variant.payload->variant.payload->handle.rep;
        OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(error));
        assert_int_equal(h->result.variant.disc, 1);
        ts_val result = h->result;
        BAD(h, CLOSED, in(read), H(s), U64(1)); /* in and out look the same here */
        assert_int_equal(ts_wasi_io_error_error_drop(&h->call, error), TS_OK);
        h->result = result;
    }
    assert_int_equal((reads ? in(drop) : out(drop))(&h->call, s), TS_OK);
}
static void do_read_stream(fixture *x) {
    through_stream(x, fs(read_via_stream), true, 0);
}
static void do_write_stream(fixture *x) {
    through_stream(x, fs(write_via_stream), false, 0);
}
static void do_append_stream(fixture *x) {
    through_stream(x, fs(append_via_stream), false, 0);
}
static void do_read_entry(fixture *x) {
    host *h = x->h;
    int times = fault.times;
    fault.times = 0;
    GOOD(h, fs(read_directory), H(x->rw));
    uint64_t s = rep_ok(h);
    fault.times = times;
    OK(h, ts_wasi_filesystem_types_directory_entry_stream_read_directory_entry, H(s));
    ts_val result = h->result;
    assert_int_equal(ts_wasi_filesystem_types_directory_entry_stream_drop(&h->call, s), TS_OK);
    h->result = result;
}

enum { MAX_EXCEPT = 8, GOES_ON = 1000, IS_CLOSED = 1001 };
static const struct {
    const char *os;
    void (*call)(fixture *x);
    bool walk;
    struct {
        int err;
        uint32_t code;
    } except[MAX_EXCEPT];
} calls[] = {
    {"syscall",
     do_open,
     false,
     {{EXDEV, E(NOT_PERMITTED)}, /* its errno for a path that leads out */
      {ENOSYS, GOES_ON},         /* an older kernel or a filter: our own walk is used */
      {EPERM, GOES_ON},
      {EAGAIN, GOES_ON}}}, /* something was renamed: retried */
    {"openat", do_open, true, {{ELOOP, E(LOOP)}}},
    {"fstat", do_open, false, {{0}}},
    {"fstat", do_stat, false, {{0}}},
    {"fstat", do_hash, false, {{0}}},
    {"fstat", do_stat_at, false, {{0}}},
    {"fstat", do_stat_at, true, {{0}}},
    {"fstat", do_read_much, false, {{EAGAIN, E(WOULD_BLOCK)}}},
    {"ftruncate", do_set_size, false, {{EINTR, GOES_ON}}},
    {"futimens", do_set_times, false, {{0}}},
    {"utimensat",
     do_set_times_at,
     false,
     {{EINVAL, GOES_ON}, {ENOENT, GOES_ON}}}, /* an older kernel: done in another way */
    {"fsync", do_sync, false, {{EINTR, GOES_ON}}},
    {"fdatasync", do_sync_data, false, {{EINTR, GOES_ON}}},
    {"posix_fadvise", do_advise, false, {{0}}},
    {"mkdirat", do_mkdir, false, {{0}}},
    {"unlinkat", do_rmdir, false, {{EEXIST, E(NOT_EMPTY)}}}, /* POSIX allows both */
    {"unlinkat", do_unlink, false, {{0}}},
    {"renameat", do_rename, false, {{EEXIST, E(NOT_EMPTY)}}},
    {"linkat", do_link, false, {{0}}},
    {"symlinkat", do_symlink, false, {{0}}},
    {"readlinkat", do_readlink, false, {{0}}},
    {"pread", do_read, false, {{EINTR, GOES_ON}}},
    {"pread", do_read_much, false, {{EINTR, GOES_ON}}},
    {"pwrite", do_write, false, {{EINTR, GOES_ON}}},
    {"pread", do_read_stream, false, {{EINTR, GOES_ON}, {EAGAIN, GOES_ON}}},
    {"pwrite", do_write_stream, false, {{EINTR, GOES_ON}, {EAGAIN, GOES_ON}, {EPIPE, IS_CLOSED}}},
    {"pwritev2",
     do_append_stream,
     false,
     {{EINTR, GOES_ON}, {EAGAIN, GOES_ON}, {EPIPE, IS_CLOSED}, {ENOSYS, GOES_ON}, {ENOTSUP, GOES_ON}}}, /* not atomic */
    {"openat", do_read_directory, false, {{0}}},
    {"fdopendir", do_read_directory, false, {{0}}},
    {"readdir", do_read_entry, false, {{0}}},
};

static void each_error(void **state) {
    fixture *x = *state;
    host *h = x->h;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
            uint32_t want = errors[k].code;
            for (int m = 0; m < MAX_EXCEPT; m++)
                if (calls[i].except[m].err == errors[k].err) want = calls[i].except[m].code;
            ts_wasi_walk_paths(h->w, calls[i].walk);
            unsigned before = open_files();
            fail_with(calls[i].os, errors[k].err, 0, 1);
            calls[i].call(x);
            if (!fault.struck) fail_msg("%s was not called by call %zu", calls[i].os, i);
            fault.name = NULL;
            if (h->status != TS_OK) fail_msg("%s: %s: %s", calls[i].os, strerror(errors[k].err), h->err.message);
            uint32_t got = h->result.variant.disc ? h->result.variant.payload->variant.disc : GOES_ON;
            if (want == IS_CLOSED) want = CLOSED;
            if (got != want)
                fail_msg("%s (call %zu): %s becomes %u, not %u", calls[i].os, i, strerror(errors[k].err), got, want);
            if (h->result.variant.disc) assert_int_equal(open_files(), before);
            ts_arena_free(&h->arena);
            ts_arena_init(&h->arena);
        }
    no_fault(); /* and it works again, and nothing was done meanwhile */
    GOOD(h, fs(read), H(x->file), U64(100), U64(0));
    assert_memory_equal(h->result.variant.payload->list.ptr[0].raw.ptr, "0123456789", 10);
    GOOD(h, fs(unlink_file_at), H(x->rw), STR("file"));
    GOOD(h, fs(remove_directory_at), H(x->rw), STR("dir"));
    BAD(h, E(NO_ENTRY), fs(stat_at), H(x->rw), FLAGS(0), STR("new"));
}

/* --- short and interrupted ------------------------------------------------------------------------------ */
static uint8_t pattern[300000], got_[300000];

/* All of these bytes pass through a file's functions, its streams and a pipe, however many each call
 * takes. */
static void bytes_survive(fixture *x) {
    host *h = x->h;
    uint64_t f = open_file(x, "bytes", CREATE, READ | WRITE), n = 20000;
    GOOD(h, fs(write), H(f), BYTES(pattern, n), U64(0));
    assert_int_equal(h->result.variant.payload->u64, n);
    GOOD(h, fs(read), H(f), U64(n), U64(0));
    assert_int_equal(h->result.variant.payload->list.ptr[0].raw.len, n);
    assert_memory_equal(h->result.variant.payload->list.ptr[0].raw.ptr, pattern, n);
    GOOD(h, fs(set_size), H(f), U64(0));
    GOOD(h, fs(write_via_stream), H(f), U64(0));
    uint64_t w = rep_ok(h);
    GOOD(h, fs(append_via_stream), H(f));
    uint64_t a = rep_ok(h);
    for (uint64_t at = 0; at < n / 2; at += 4000)
        GOOD(h, out(blocking_write_and_flush), H(w), BYTES(pattern + at, 4000));
    for (uint64_t at = n / 2 + 2000; at < n; at += 4000) {
        uint64_t len = n - at < 4000 ? n - at : 4000;
        GOOD(h, out(check_write), H(a));
        GOOD(h, out(write), H(a), BYTES(pattern + at, len));
    }
    GOOD(h, out(blocking_flush), H(a));
    GOOD(h, fs(read_via_stream), H(f), U64(0));
    uint64_t r = rep_ok(h), at = 0;
    for (;;) {
        OK(h, in(blocking_read), H(r), U64(7000));
        if (h->result.variant.disc) break;
        assert_in_range(h->result.variant.payload->raw.len, 1, 7000);
        assert_memory_equal(h->result.variant.payload->raw.ptr, pattern + at, h->result.variant.payload->raw.len);
        at += h->result.variant.payload->raw.len;
    }
    assert_int_equal(h->result.variant.payload->variant.disc, CLOSED);
    assert_int_equal(at, n);
    GOOD(h, fs(unlink_file_at), H(x->rw), STR("bytes"));

    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    ts_wasi_set_stdio(h->w, 1, p[1]);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    uint64_t to = rep(h);
    GOOD(h, out(blocking_write_and_flush), H(to), BYTES(pattern, 4096));
    GOOD(h, fs(write), H(f), BYTES(pattern + 4096, 3000), U64(0));
    GOOD(h, fs(read_via_stream), H(f), U64(0));
    r = rep_ok(h);
    for (at = 4096; at < 7096;) {
        GOOD(h, out(blocking_splice), H(to), H(r), U64(7096 - at));
        at += h->result.variant.payload->u64;
    }
    GOOD(h, out(blocking_flush), H(to));
    uint64_t have = 0;
    for (ssize_t k; have < 7096;)
        if ((k = __real_read(p[0], got_ + have, sizeof got_ - have)) > 0) have += (uint64_t)k;
    assert_int_equal(have, 7096);
    assert_memory_equal(got_, pattern, 7096);
    OK(h, ts_wasi_random_random_get_random_bytes, U64(5000));
    assert_int_equal(h->result.raw.len, 5000);
    const uint8_t *random = h->result.raw.ptr;
    for (int i = 0; i < 4990; i += 10) {
        int zeroes = 0;
        for (int k = 0; k < 10; k++) zeroes += random[i + k] == 0;
        assert_true(zeroes < 10); /* by chance once in 10^22 runs */
    }
    assert_int_equal(out(drop)(&h->call, to), TS_OK);
    close(p[0]);
    close(p[1]);
}
static void short_and_interrupted(void **state) {
    fixture *x = *state;
    for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = (uint8_t)(i * 7 + i / 251);
    static const struct {
        size_t most;
        unsigned every;
    } rows[] = {{0, 0}, {1000, 0}, {7, 0}, {1, 0}, {0, 2}, {0, 3}, {1000, 2}, {13, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        no_fault();
        fault.most = rows[i].most;
        fault.every = rows[i].every;
        bytes_survive(x);
        assert_true((fault.struck > 0) == (rows[i].most || rows[i].every));
        ts_arena_free(&x->h->arena);
        ts_arena_init(&x->h->arena);
    }
}
/* An interruption ends the call if the run is to stop. */
static void interrupted_to_stop(void **state) {
    fixture *x = *state;
    host *h = x->h;
    static const struct {
        const char *os;
        void (*call)(fixture *x);
    } rows[] = {{"pread", do_read},          {"pwrite", do_write},           {"pread", do_read_stream},
                {"pwrite", do_write_stream}, {"pwritev2", do_append_stream}, {"fsync", do_sync},
                {"fdatasync", do_sync_data}, {"ftruncate", do_set_size}};
    ts_wasi_interrupt(h->w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].call == do_read_stream || rows[i].call == do_write_stream || rows[i].call == do_append_stream)
            continue;
        fail_with(rows[i].os, EINTR, 0, -1);
        rows[i].call(x);
        assert_int_equal(h->status, TS_INTERRUPTED);
        assert_non_null(strstr(h->err.message, "asked to stop"));
    }
    no_fault();
    GOOD(h, fs(read_via_stream), H(x->file), U64(0));
    uint64_t r = rep_ok(h);
    GOOD(h, fs(write_via_stream), H(x->file), U64(0));
    uint64_t w = rep_ok(h);
    fail_with("pread", EINTR, 0, -1);
    assert_int_equal(CALL(h, in(read), H(r), U64(1)), TS_INTERRUPTED);
    fail_with("pwrite", EINTR, 0, -1);
    assert_int_equal(CALL(h, out(blocking_write_and_flush), H(w), BYTES("x", 1)), TS_INTERRUPTED);
    no_fault();
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(3600000000000));
    uint64_t hour = rep(h);
    fail_with("ppoll", EINTR, 0, -1);
    assert_int_equal(CALL(h, ts_wasi_io_poll_pollable_block, H(hour)), TS_INTERRUPTED);
}
static void polls_go_on(void **state) {
    fixture *x = *state;
    host *h = x->h;
    /* long enough on slow machines too */
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(300000000));
    uint64_t soon = rep(h);
    fail_with("ppoll", EINTR, 0, 5);
    /* after the interruptions it waits for the rest of the time */
    OK(h, ts_wasi_io_poll_pollable_block, H(soon));
    assert_int_equal(fault.struck, 5);
    no_fault();
    OK(h, ts_wasi_io_poll_pollable_ready, H(soon));
    assert_true(h->result.b);
}

/* --- half-way ------------------------------------------------------------------------------------------- */
/* Some bytes, then an error: a write reports how many were written, and the next call returns the error.
 * Reads do the same. */
static void half_way(void **state) {
    fixture *x = *state;
    host *h = x->h;
    fault.most = 4;
    fail_with("pwrite", ENOSPC, 2, -1);
    GOOD(h, fs(write), H(x->file), BYTES("abcdefghijkl", 12), U64(0));
    assert_int_equal(h->result.variant.payload->u64, 8);
    BAD(h, E(INSUFFICIENT_SPACE), fs(write), H(x->file), BYTES("ijkl", 4), U64(8));
    fail_with("pread", EIO, 2, -1);
    GOOD(h, fs(read), H(x->file), U64(12), U64(0));
    const ts_val *t = h->result.variant.payload->list.ptr;
    assert_int_equal(t[0].raw.len, 8);
    assert_memory_equal(t[0].raw.ptr, "abcdefgh", 8);
    assert_false(t[1].b); /* not the end */
    BAD(h, E(IO), fs(read), H(x->file), U64(4), U64(8));
    no_fault();
    fault.most = 4;
    GOOD(h, fs(write_via_stream), H(x->file), U64(0));
    uint64_t w = rep_ok(h);
    fail_with("pwrite", EDQUOT, 1, -1);
    BAD(h, FAILED, out(blocking_write_and_flush), H(w), BYTES("ABCDEFGH", 8));
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.payload->variant.disc, E(QUOTA));
    no_fault();
    BAD(h, CLOSED, out(blocking_write_and_flush), H(w), BYTES("x", 1));
    BAD(h, CLOSED, out(check_write), H(w));
    GOOD(h, fs(read), H(x->file), U64(8), U64(0));
    assert_memory_equal(h->result.variant.payload->list.ptr[0].raw.ptr, "ABCDefgh", 8);
}

/* A non-blocking pipe accepts some bytes and then none for a while, and the pending bytes fail later. */
static void pending_by(host *h, const char *way) {
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    ts_wasi_set_stdio(h->w, 1, p[1]);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    uint64_t s = rep(h);
    if (strcmp(way, "write") == 0) { /* a file that must be polled first */
        fail_with("pwritev2", EOPNOTSUPP, 0, 1);
        GOOD(h, out(check_write), H(s));
        GOOD(h, out(write), H(s), BYTES("z", 1));
        assert_int_equal(fault.struck, 1);
        assert_int_equal(__real_read(p[0], got_, 100), 1);
    }
    fault.most = 3;
    fail_with(way, EAGAIN, 1, 1);
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES("abcdefgh", 8)); /* "abc", the rest is pending */
    assert_int_equal(fault.struck, 2);               /* a short write, then a refused one */
    fault.most = 0;
    GOOD(h, out(blocking_flush), H(s));
    assert_int_equal(__real_read(p[0], got_, 100), 8);
    assert_memory_equal(got_, "abcdefgh", 8);
    fail_with(way, EAGAIN, 0, 3);
    GOOD(h, out(blocking_write_and_flush), H(s), BYTES("ijkl", 4)); /* waits, then tries again */
    assert_int_equal(fault.struck, 3);
    assert_int_equal(__real_read(p[0], got_, 100), 4);
    static const struct {
        ts_host_fn by;
        bool with_len;
    } rows[] = {{out(check_write), false},
                {out(flush), false},
                {out(blocking_flush), false},
                {out(blocking_write_zeroes_and_flush), true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OK(h, ts_wasi_cli_stdout_get_stdout, {0});
        s = rep(h);
        GOOD(h, out(check_write), H(s));
        fail_with(way, EAGAIN, 0, 1);
        GOOD(h, out(write), H(s), BYTES("abcd", 4));
        fail_with(way, EIO, 0, 1);
        BAD(h, FAILED, rows[i].by, H(s), U64(1)); /* reported by the next call */
        assert_int_equal(fault.struck, 1);
        uint64_t e = h->result.variant.payload->variant.payload->handle.rep;
        OK(h, ts_wasi_io_error_error_to_debug_string, H(e));
        assert_non_null(strstr(h->result.str.ptr, strerror(EIO)));
        BAD(h, CLOSED, out(check_write), H(s)); /* and only once */
        BAD(h, CLOSED, out(flush), H(s));
    }
    no_fault();
    close(p[0]);
    close(p[1]);
}
static void pending(void **state) {
    fixture *x = *state;
    pending_by(x->h, "pwritev2");
    pending_by(x->h, "write");
}

/* --- a full disk, no more files, files that go away ----------------------------------------------------- */
static bool alone; /* in a mount namespace of our own */
static int set_up_alone(void **state) {
    alone = unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
    return set_up(state);
}
static void full_disk(void **state) {
    fixture *x = *state;
    host *h = x->h;
    char name[128];
    snprintf(name, sizeof name, "%s/dir", x->root);
    /* only root may do this */
    if (!alone || mount("none", name, "tmpfs", 0, "size=64k,nr_inodes=8") != 0) skip();
    assert_int_equal(ts_wasi_allow_dir(h->w, name, "/small", false, &h->err), TS_OK);
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    uint64_t d = x->rw;
    x->rw = h->result.list.ptr[1].list.ptr[0].handle.rep;
    uint64_t f = open_file(x, "full", CREATE, READ | WRITE);
    GOOD(h, fs(append_via_stream), H(f));
    uint64_t a = rep_ok(h), written = 0;
    for (;; written += 4096) { /* appends until the disk is full */
        assert_in_range(written, 0, 1 << 17);
        OK(h, out(blocking_write_and_flush), H(a), BYTES(pattern, 4096));
        if (h->result.variant.disc) break;
    }
    assert_int_equal(h->result.variant.payload->variant.disc, FAILED);
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.payload->variant.disc, E(INSUFFICIENT_SPACE));
    assert_true(written >= 32768);
    GOOD(h, fs(stat), H(f));
    assert_int_equal(h->result.variant.payload->list.ptr[TS_WASI_FILESYSTEM_DESCRIPTOR_STAT_SIZE_I].u64, written);
    BAD(h, E(INSUFFICIENT_SPACE), fs(write), H(f), BYTES(pattern, 4096), U64(written));
    GOOD(h, fs(set_size), H(f), U64(written - 4096)); /* room for one more */
    GOOD(h, fs(write), H(f), BYTES(pattern, 8192), U64(written - 4096));
    assert_int_equal(h->result.variant.payload->u64, 4096); /* as many bytes as there was room for */
    GOOD(h, fs(set_size), H(f), U64(0));
    GOOD(h, fs(append_via_stream), H(f)); /* a new stream: writing works again */
    a = rep_ok(h);
    GOOD(h, out(blocking_write_and_flush), H(a), BYTES(pattern, 4096));
    int made = 0;
    for (; made < 20; made++) { /* and no names either */
        snprintf(name, sizeof name, "d%d", made);
        OK(h, fs(create_directory_at), H(x->rw), STR(name));
        if (h->result.variant.disc) break;
    }
    assert_in_range(made, 1, 8);
    assert_int_equal(h->result.variant.payload->variant.disc, E(INSUFFICIENT_SPACE));
    BAD(h, E(INSUFFICIENT_SPACE), fs(open_at), H(x->rw), FLAGS(0), STR("more"), FLAGS(CREATE), FLAGS(WRITE));
    BAD(h, E(INSUFFICIENT_SPACE), fs(symlink_at), H(x->rw), STR("full"), STR("more"));
    BAD(h, E(INSUFFICIENT_SPACE), fs(link_at), H(x->rw), FLAGS(0), STR("full"), H(x->rw), STR("d0/full"));
    BAD(h, E(BUSY), fs(remove_directory_at), H(d), STR("dir"));
    snprintf(name, sizeof name, "%s/dir", x->root);
    assert_int_equal(umount2(name, MNT_DETACH), 0);
}

static void no_more_files(void **state) {
    fixture *x = *state;
    host *h = x->h;
    struct rlimit old, few;
    static uint64_t held[64];
    uint64_t n = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 40;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        for (; n < 64; n++) {
            OK(h, fs(open_at), H(x->rw), FLAGS(0), STR("file"), FLAGS(0), FLAGS(READ));
            if (h->result.variant.disc) break;
            held[n] = rep_ok(h);
        }
        assert_in_range(n, 1, 40);
        assert_int_equal(h->result.variant.payload->variant.disc, E(INSUFFICIENT_MEMORY));
        BAD(h, E(INSUFFICIENT_MEMORY), fs(read_directory), H(x->rw));
        BAD(h, E(INSUFFICIENT_MEMORY), fs(stat_at), H(x->rw), FLAGS(FOLLOW), STR("link"));
        BAD(h, E(INSUFFICIENT_MEMORY), fs(create_directory_at), H(x->rw), STR("dir/new"));
        BAD(h, E(INSUFFICIENT_MEMORY), fs(rename_at), H(x->rw), STR("dir/a"), H(x->rw), STR("dir/b"));
        GOOD(h, fs(stat_at), H(x->rw), FLAGS(0), STR("file")); /* calls that need no new file still work */
        GOOD(h, fs(read), H(held[0]), U64(10), U64(0));
        while (n) assert_int_equal(fs(drop)(&h->call, held[--n]), TS_OK);
        GOOD(h, fs(create_directory_at), H(x->rw), STR("dir/new"));
        GOOD(h, fs(remove_directory_at), H(x->rw), STR("dir/new"));
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void files_that_go_away(void **state) {
    fixture *x = *state;
    host *h = x->h;
    char name[128];
    GOOD(h, fs(open_at), H(x->rw), FLAGS(0), STR("dir"), FLAGS(0), FLAGS(READ));
    uint64_t dir = rep_ok(h);
    GOOD(h, fs(read_via_stream), H(x->file), U64(0));
    uint64_t r = rep_ok(h);
    GOOD(h, in(read), H(r), U64(3));
    snprintf(name, sizeof name, "%s/file", x->root);
    assert_int_equal(unlink(name), 0); /* it still exists for those who have it open */
    GOOD(h, fs(stat), H(x->file));
    assert_int_equal(h->result.variant.payload->list.ptr[TS_WASI_FILESYSTEM_DESCRIPTOR_STAT_LINK_COUNT_I].u64, 0);
    GOOD(h, in(read), H(r), U64(3));
    assert_memory_equal(h->result.variant.payload->raw.ptr, "345", 3);
    GOOD(h, fs(write), H(x->file), BYTES("x", 1), U64(0));
    BAD(h, E(NO_ENTRY), fs(open_at), H(x->rw), FLAGS(FOLLOW), STR("link"), FLAGS(0), FLAGS(READ));
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* another file of that name */
    close(fd);
    uint64_t other = open_file(x, "file", 0, READ);
    OK(h, fs(is_same_object), H(x->file), H(other));
    assert_false(h->result.b);
    GOOD(h, fs(set_size), H(x->file), U64(4)); /* shorter than the position of the stream */
    BAD(h, CLOSED, in(read), H(r), U64(3));
    GOOD(h, fs(read_directory), H(x->rw));
    uint64_t entries = rep_ok(h);
    snprintf(name, sizeof name, "%s/dir", x->root);
    assert_int_equal(rmdir(name), 0);
    /* a removed directory is empty, and nothing can be created in it */
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        BAD(h, E(NO_ENTRY), fs(open_at), H(dir), FLAGS(0), STR("a"), FLAGS(CREATE), FLAGS(WRITE));
        BAD(h, E(NO_ENTRY), fs(create_directory_at), H(dir), STR("a"));
        BAD(h, E(NO_ENTRY), fs(open_at), H(x->rw), FLAGS(0), STR("dir/a"), FLAGS(0), FLAGS(READ));
        BAD(h, E(NOT_PERMITTED), fs(open_at), H(dir), FLAGS(0), STR("../file"), FLAGS(0), FLAGS(READ));
    }
    GOOD(h, fs(stat), H(dir));
    OK(h, fs(read_directory), H(dir)); /* empty, or no longer existing */
    if (h->result.variant.disc) assert_int_equal(h->result.variant.payload->variant.disc, E(NO_ENTRY));
    for (int i = 0;; i++) { /* a listing that has begun ends */
        assert_in_range(i, 0, 10);
        GOOD(h, ts_wasi_filesystem_types_directory_entry_stream_read_directory_entry, H(entries));
        if (!h->result.variant.payload->variant.disc) break;
    }
}

/* --- randomness ----------------------------------------------------------------------------------------- */
static void random_bytes(void **state) {
    fixture *x = *state;
    host *h = x->h;
    /* an old kernel: the device is used, with short and interrupted reads too */
    for (int i = 0; i < 2; i++) {
        fault.most = i ? 5 : 0;
        fault.every = i ? 2 : 0;
        fail_with("getrandom", ENOSYS, 0, -1);
        OK(h, ts_wasi_random_random_get_random_bytes, U64(100));
        assert_true(fault.struck >= 1);
        const uint8_t *p = h->result.raw.ptr;
        int zeroes = 0;
        for (int k = 0; k < 100; k++) zeroes += p[k] == 0;
        assert_true(zeroes < 20);
        no_fault();
    }
    static const int errs[] = {EIO, EFAULT, EPERM};
    for (size_t i = 0; i < sizeof errs / sizeof *errs;
         i++) { /* the function cannot return an error, and weak random numbers are never an option */
        fail_with("getrandom", errs[i], 0, -1);
        TRAPS(h, ts_wasi_random_random_get_random_bytes, U64(10));
        assert_non_null(strstr(h->err.message, "no random bytes"));
        TRAPS(h, ts_wasi_random_random_get_random_u64, {0});
        TRAPS(h, ts_wasi_random_insecure_seed_insecure_seed, {0});
        TRAPS(h, ts_wasi_random_insecure_get_insecure_random_u64, {0});
    }
    two_faults = true; /* and no device either */
    fail_with("open", ENOENT, 0, -1);
    TRAPS(h, ts_wasi_random_random_get_random_bytes, U64(10));
    assert_int_equal(fault.struck, 1);
    fail_with("read", EIO, 0, -1);
    TRAPS(h, ts_wasi_random_random_get_random_bytes, U64(10));
    assert_int_equal(fault.struck, 1);
    two_faults = false;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {T(each_error),
                                       T(short_and_interrupted),
                                       T(interrupted_to_stop),
                                       T(polls_go_on),
                                       T(half_way),
                                       T(pending),
                                       T(no_more_files),
                                       T(files_that_go_away),
                                       T(random_bytes),
                                       cmocka_unit_test_setup_teardown(full_disk, set_up_alone, tear_down)};
    return cmocka_run_group_tests_name("wasi_faults", tests, NULL, NULL);
}
