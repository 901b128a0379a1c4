/* sys/input: see input.h */
#define _GNU_SOURCE
#include "sys/input.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { STREAM_MOST = 1 << 30, MAPPED_MOST = 16, WRITER_WAIT_MS = 5000 };

/* --- mapped files --- */
/* The exception to "no mutable globals": a signal handler has no argument for state. A file that finds no
 * place here is mapped all the same. */
typedef struct mapped_file {
    uintptr_t from, to; /* atomic; from 0: free, 1: being filled or emptied */
    char path[200];
} mapped_file;
static mapped_file mapped[MAPPED_MOST];

static void remember(const void *p, size_t len, const char *path) {
    for (int i = 0; i < MAPPED_MOST; i++) {
        uintptr_t none = 0;
        if (!__atomic_compare_exchange_n(&mapped[i].from, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        snprintf(mapped[i].path, sizeof mapped[i].path, "%s", path);
        __atomic_store_n(&mapped[i].to, (uintptr_t)p + len, __ATOMIC_RELAXED);
        __atomic_store_n(&mapped[i].from, (uintptr_t)p, __ATOMIC_RELEASE);
        return;
    }
}
static void forget(const void *p) {
    for (int i = 0; i < MAPPED_MOST; i++)
        if (__atomic_load_n(&mapped[i].from, __ATOMIC_RELAXED) == (uintptr_t)p)
            __atomic_store_n(&mapped[i].from, 0, __ATOMIC_RELEASE);
}
const char *ts_sys_input_of(uintptr_t address) {
    for (int i = 0; i < MAPPED_MOST; i++) {
        uintptr_t from = __atomic_load_n(&mapped[i].from, __ATOMIC_ACQUIRE);
        if (from > 1 && address >= from && address < __atomic_load_n(&mapped[i].to, __ATOMIC_RELAXED))
            return mapped[i].path;
    }
    return NULL;
}

/* --- reading --- */

/* Waits for the first byte of a pipe that was opened without blocking, or for its end. *got: whether *first
 * was read. */
static ts_sys_err wait_for_writer(int fd, uint8_t *first, bool *got) {
    *got = false;
    for (int waited = 0;; waited += 10) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, 10);
        if (n > 0 && (p.revents & POLLHUP) && !(p.revents & POLLIN)) return TS_SYS_OK; /* it wrote nothing, and left */
        ssize_t some = read(fd, first, 1);
        *got = some == 1;
        if (some == 1 || (some < 0 && errno == EAGAIN)) return TS_SYS_OK; /* EAGAIN: there is a writer */
        if (some < 0 && errno != EINTR) return ts_sys_err_of(errno);
        if (waited >= WRITER_WAIT_MS) return TS_SYS_NO_WRITER; /* 0: no writer has opened the pipe yet */
    }
}

static ts_sys_err read_all(int fd, uint64_t most, ts_sys_input *out) {
    uint8_t *bytes = NULL, first = 0;
    size_t len = 0, cap = 0;
    struct stat st;
    bool got = false;
    if (fd != STDIN_FILENO && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        ts_sys_err e = wait_for_writer(fd, &first, &got);
        if (e) return e;
    }
    if (fd != STDIN_FILENO) (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    for (;;) {
        if (len == cap) {
            cap = cap ? cap * 2 : 65536;
            uint8_t *more = realloc(bytes, cap);
            if (!more) {
                free(bytes);
                return TS_SYS_ENOMEM;
            }
            bytes = more;
        }
        if (got) bytes[len++] = first;
        if (got && len > most) {
            free(bytes);
            return TS_SYS_EFBIG;
        }
        got = false;
        ssize_t n = read(fd, bytes + len, cap - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            ts_sys_err e = ts_sys_err_of(errno);
            free(bytes);
            return e;
        }
        if (n == 0) break;
        len += (size_t)n;
        if (len > most) {
            free(bytes);
            return TS_SYS_EFBIG;
        }
    }
    *out = (ts_sys_input){.bytes = bytes, .len = len};
    return TS_SYS_OK;
}

/* The OS sets the time of change (ctime) itself, and no program can set it back:
 * every write to the file updates it. */
static void identify(const struct stat *st, ts_sys_input *out) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < st->st_ctim.tv_sec + 2) return;
    out->settled = true;
    out->identity[0] = (uint64_t)st->st_dev;
    out->identity[1] = (uint64_t)st->st_ino;
    out->identity[2] = (uint64_t)st->st_size;
    out->identity[3] = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
    out->identity[4] = (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
}

static bool has_no_end(int fd, const struct stat *st) {
    if (S_ISBLK(st->st_mode)) return true;
    return S_ISCHR(st->st_mode) && st->st_rdev != makedev(1, 3) && !isatty(fd); /* Linux: Documentation/devices.txt */
}
static ts_sys_err read_file(int fd, uint64_t most, bool map, ts_sys_input *out) {
    struct stat st;
    uint64_t stream = most < STREAM_MOST ? most : STREAM_MOST;
    if (fstat(fd, &st) < 0) return ts_sys_err_of(errno);
    if (S_ISDIR(st.st_mode)) return TS_SYS_EISDIR;
    if (has_no_end(fd, &st)) return TS_SYS_ENDLESS;
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || fd == STDIN_FILENO) return read_all(fd, stream, out); /* 0: /proc */
    if ((uint64_t)st.st_size > most) return TS_SYS_EFBIG;
    if (!map && (uint64_t)st.st_size > stream) return TS_SYS_EFBIG;
    void *p = map ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    ts_sys_err e = TS_SYS_OK;
    if (p == MAP_FAILED)
        e = read_all(fd, stream, out);
    else
        *out = (ts_sys_input){.bytes = p, .len = (size_t)st.st_size, .mapped = true};
    if (!e) identify(&st, out);
    return e;
}
static ts_sys_err open_file(const char *path, uint64_t most, bool map, ts_sys_input *out) {
    *out = (ts_sys_input){0};
    if (strcmp(path, "-") == 0) return read_file(STDIN_FILENO, most, map, out);
    int fd = ts_sys_above_std(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (fd < 0) return ts_sys_err_of(errno);
    ts_sys_err e = read_file(fd, most, map, out);
    if (out->mapped) remember(out->bytes, out->len, path);
    close(fd);
    return e;
}
ts_sys_err ts_sys_input_open(const char *path, uint64_t most, ts_sys_input *out) {
    return open_file(path, most, true, out);
}
ts_sys_err ts_sys_input_read(const char *path, uint64_t most, ts_sys_input *out) {
    return open_file(path, most, false, out);
}

void ts_sys_input_close(ts_sys_input *in) {
    if (in->mapped) forget(in->bytes);
    if (in->mapped)
        munmap((void *)in->bytes, in->len);
    else
        free((void *)in->bytes);
    *in = (ts_sys_input){0};
}

ts_sys_err ts_sys_input_keep(const ts_sys_input *in, int *fd, char *path, size_t size) {
    *fd = ts_sys_above_std(memfd_create("touchstone", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (*fd < 0) return ts_sys_err_of(errno);
    snprintf(path, size, "/proc/self/fd/%d", *fd);
    ts_sys_err e = TS_SYS_OK;
    for (size_t at = 0; at < in->len && !e;) {
        ssize_t n = write(*fd, in->bytes + at, in->len - at);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            e = n ? ts_sys_err_of(errno) : TS_SYS_EIO;
    }
    if (!e && fcntl(*fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        e = ts_sys_err_of(errno);
    if (!e && access(path, R_OK) < 0) e = ts_sys_err_of(errno); /* if /proc is not mounted */
    if (!e) return TS_SYS_OK;
    close(*fd);
    *fd = -1;
    return e;
}
