/* inject: the functions through which the runtime gets memory, files, sockets, threads and times, under names
 * that objcopy puts into a copy of the runtime's objects. One call of one of them fails on demand.
 * In: TS_INJECT="NAME N ERRNO": the Nth call of NAME fails with ERRNO, 0 for a short transfer; "NAME N+ ERRNO":
 * all from the Nth on. TS_INJECT_COUNTS=FILE. Out: in FILE, when the process ends, a line "NAME CALLS" for each
 * function that was called. inject.py knows the names and drives this. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* --- the point that fails ------------------------------------------------------------------------------------- */
typedef struct point {
    const char *name;
    uint64_t calls; /* atomic */
    struct point *next;
} point;

static point *points; /* those that were called, atomic */
static struct {
    char name[40];
    uint64_t at;
    bool for_good;
    int err;
} chosen;
static FILE *counts;

__attribute__((constructor)) static void begin(void) {
    const char *how = getenv("TS_INJECT"), *file = getenv("TS_INJECT_COUNTS");
    unsigned long long at;
    char plus[2] = "";
    if (how && (sscanf(how, "%39s %llu %d", chosen.name, &at, &chosen.err) == 3 ||
                sscanf(how, "%39s %llu%1[+] %d", chosen.name, &at, plus, &chosen.err) == 4)) {
        chosen.at = at;
        chosen.for_good = *plus;
    } else if (how) {
        fprintf(stderr, "inject: TS_INJECT=%s is not understood\n", how);
        abort();
    }
    counts = file ? fopen(file, "we") : NULL;
}
static void write_counts(void) {
    FILE *to = __atomic_exchange_n(&counts, NULL, __ATOMIC_ACQ_REL);
    if (!to) return;
    for (point *p = __atomic_load_n(&points, __ATOMIC_ACQUIRE); p; p = p->next)
        (fprintf)(to, "%s %llu\n", p->name, (unsigned long long)p->calls);
    fclose(to);
}
__attribute__((destructor)) static void end(void) {
    write_counts();
}

static bool fails(point *p) {
    uint64_t n = __atomic_add_fetch(&p->calls, 1, __ATOMIC_RELAXED);
    if (n == 1) {
        p->next = __atomic_load_n(&points, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&points, &p->next, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        }
    }
    if (!chosen.at || n < chosen.at || (n > chosen.at && !chosen.for_good) || strcmp(chosen.name, p->name) != 0)
        return false;
    errno = chosen.err;
    return true;
}

/* --- a wrapper a function ------------------------------------------------------------------------------------- */
#define DECLARE(type, name, params)                                                                                    \
    type ts_inject_##name params;                                                                                      \
    static point point_##name = {#name, 0, NULL};
#define WRAP(type, name, failed, params, ...)                                                                          \
    DECLARE(type, name, params)                                                                                        \
    type ts_inject_##name params {                                                                                     \
        return fails(&point_##name) ? (failed) : name(__VA_ARGS__);                                                    \
    }
/* returns the error itself */
#define WRAP_CODE(name, params, ...)                                                                                   \
    DECLARE(int, name, params)                                                                                         \
    int ts_inject_##name params {                                                                                      \
        return fails(&point_##name) ? chosen.err : name(__VA_ARGS__);                                                  \
    }
/* moves `n` bytes: the errno 0 means that it moves about half of them */
#define WRAP_IO(name, params, ...)                                                                                     \
    DECLARE(ssize_t, name, params)                                                                                     \
    ssize_t ts_inject_##name params {                                                                                  \
        if (fails(&point_##name)) {                                                                                    \
            if (chosen.err) return -1;                                                                                 \
            n = n / 2 + n % 2;                                                                                         \
        }                                                                                                              \
        return name(__VA_ARGS__);                                                                                      \
    }
/* does its work and reports a failure all the same, as the kernel does */
#define WRAP_DONE(type, name, failed, params, ...)                                                                     \
    DECLARE(type, name, params)                                                                                        \
    type ts_inject_##name params {                                                                                     \
        if (!fails(&point_##name)) return name(__VA_ARGS__);                                                           \
        (void)name(__VA_ARGS__);                                                                                       \
        errno = chosen.err;                                                                                            \
        return failed;                                                                                                 \
    }

/* memory: one count for all */
static point memory = {.name = "memory"};
#define WRAP_MEMORY(type, name, failed, params, ...)                                                                   \
    type ts_inject_##name params;                                                                                      \
    type ts_inject_##name params {                                                                                     \
        return fails(&memory) ? (failed) : name(__VA_ARGS__);                                                          \
    }
WRAP_MEMORY(void *, malloc, NULL, (size_t n), n)
WRAP_MEMORY(void *, calloc, NULL, (size_t n, size_t size), n, size)
WRAP_MEMORY(void *, realloc, NULL, (void *p, size_t n), p, n)
WRAP_MEMORY(char *, strdup, NULL, (const char *s), s)
WRAP_MEMORY(char *, strndup, NULL, (const char *s, size_t n), s, n)
WRAP_MEMORY(FILE *, open_memstream, NULL, (char **p, size_t *n), p, n)
WRAP_MEMORY(FILE *, fdopen, NULL, (int fd, const char *mode), fd, mode)
WRAP_MEMORY(DIR *, fdopendir, NULL, (int fd), fd)
WRAP_MEMORY(locale_t, newlocale, (locale_t)0, (int mask, const char *name, locale_t base), mask, name, base)
int ts_inject_asprintf(char **to, const char *format, ...);
int ts_inject___asprintf_chk(char **to, int flag, const char *format, ...);
int ts_inject_asprintf(char **to, const char *format, ...) {
    va_list args;
    if (fails(&memory)) return -1;
    va_start(args, format);
    int n = vasprintf(to, format, args);
    va_end(args);
    return n;
}
int ts_inject___asprintf_chk(char **to, int flag, const char *format, ...) {
    va_list args;
    (void)flag;
    if (fails(&memory)) return -1;
    va_start(args, format);
    int n = vasprintf(to, format, args);
    va_end(args);
    return n;
}

/* pages */
WRAP(void *, mmap, MAP_FAILED, (void *p, size_t n, int prot, int flags, int fd, off_t at), p, n, prot, flags, fd, at)
WRAP(int, munmap, -1, (void *p, size_t n), p, n)
WRAP(int, mprotect, -1, (void *p, size_t n, int prot), p, n, prot)
WRAP(int, madvise, -1, (void *p, size_t n, int how), p, n, how)
DECLARE(void *, mremap, (void *p, size_t n, size_t to, int flags, ...))
void *ts_inject_mremap(void *p, size_t n, size_t to, int flags, ...) {
    va_list more;
    va_start(more, flags);
    void *place = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
    va_end(more);
    return fails(&point_mremap) ? MAP_FAILED : mremap(p, n, to, flags, place);
}

/* files */
DECLARE(int, open, (const char *path, int flags, ...))
int ts_inject_open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    unsigned mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, unsigned) : 0;
    va_end(args);
    return fails(&point_open) ? -1 : open(path, flags, mode);
}
DECLARE(int, openat, (int dir, const char *path, int flags, ...))
int ts_inject_openat(int dir, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    unsigned mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, unsigned) : 0;
    va_end(args);
    return fails(&point_openat) ? -1 : openat(dir, path, flags, mode);
}
DECLARE(int, fcntl, (int fd, int what, ...))
int ts_inject_fcntl(int fd, int what, ...) {
    va_list args;
    va_start(args, what);
    void *p = va_arg(args, void *);
    va_end(args);
    return fails(&point_fcntl) ? -1 : fcntl(fd, what, p);
}
DECLARE(int, ioctl, (int fd, unsigned long what, ...))
int ts_inject_ioctl(int fd, unsigned long what, ...) {
    va_list args;
    va_start(args, what);
    void *p = va_arg(args, void *);
    va_end(args);
    return fails(&point_ioctl) ? -1 : ioctl(fd, what, p);
}
WRAP_DONE(int, close, -1, (int fd), fd)
WRAP_IO(read, (int fd, void *p, size_t n), fd, p, n)
WRAP_IO(pread, (int fd, void *p, size_t n, off_t at), fd, p, n, at)
WRAP_IO(write, (int fd, const void *p, size_t n), fd, p, n)
WRAP_IO(pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, n, at)
WRAP(ssize_t, preadv2, -1, (int fd, const struct iovec *v, int n, off_t at, int flags), fd, v, n, at, flags)
WRAP(ssize_t, pwritev2, -1, (int fd, const struct iovec *v, int n, off_t at, int flags), fd, v, n, at, flags)
WRAP(int, stat, -1, (const char *path, struct stat *st), path, st)
WRAP(int, fstat, -1, (int fd, struct stat *st), fd, st)
WRAP(int, fstatat, -1, (int dir, const char *path, struct stat *st, int flags), dir, path, st, flags)
WRAP(int, fstatfs, -1, (int fd, struct statfs *st), fd, st)
WRAP(ssize_t, readlink, -1, (const char *path, char *p, size_t n), path, p, n)
WRAP(int, access, -1, (const char *path, int mode), path, mode)
WRAP(int, ftruncate, -1, (int fd, off_t n), fd, n)
WRAP(int, fallocate, -1, (int fd, int mode, off_t at, off_t n), fd, mode, at, n)
WRAP(int, fsync, -1, (int fd), fd)
WRAP(int, fdatasync, -1, (int fd), fd)
WRAP(int, futimens, -1, (int fd, const struct timespec t[2]), fd, t)
WRAP(int, utimensat, -1, (int dir, const char *path, const struct timespec t[2], int flags), dir, path, t, flags)
WRAP_CODE(posix_fadvise, (int fd, off_t at, off_t n, int how), fd, at, n, how)
WRAP(int, mkdir, -1, (const char *path, mode_t mode), path, mode)
WRAP(int, mkdirat, -1, (int dir, const char *path, mode_t mode), dir, path, mode)
WRAP(int, unlink, -1, (const char *path), path)
WRAP(int, unlinkat, -1, (int dir, const char *path, int flags), dir, path, flags)
WRAP(int, renameat, -1, (int a, const char *from, int b, const char *to), a, from, b, to)
WRAP(int, linkat, -1, (int a, const char *from, int b, const char *to, int flags), a, from, b, to, flags)
WRAP(int, symlinkat, -1, (const char *to, int dir, const char *path), to, dir, path)
WRAP(ssize_t, readlinkat, -1, (int dir, const char *path, char *p, size_t n), dir, path, p, n)
WRAP(struct dirent *, readdir, NULL, (DIR * d), d)
WRAP_DONE(int, closedir, -1, (DIR * d), d)
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), name, flags)
WRAP(int, pipe2, -1, (int fds[2], int flags), fds, flags)

/* streams of stdio: the C library calls the kernel by itself */
enum { SEEN_ERROR = 0x20 }; /* what ferror looks at in the C library of GNU */
#define WRAP_FILE(type, name, failed, params, ...)                                                                     \
    DECLARE(type, name, params)                                                                                        \
    type ts_inject_##name params {                                                                                     \
        if (!fails(&point_##name)) return name(__VA_ARGS__);                                                           \
        f->_flags |= SEEN_ERROR;                                                                                       \
        return failed;                                                                                                 \
    }
WRAP_FILE(size_t, fwrite, 0, (const void *p, size_t size, size_t n, FILE *f), p, size, n, f)
WRAP_FILE(int, fflush, EOF, (FILE * f), f)
WRAP_FILE(int, fputs, EOF, (const char *s, FILE *f), s, f)
WRAP_FILE(int, fputc, EOF, (int c, FILE *f), c, f)
WRAP_FILE(char *, fgets, NULL, (char *s, int n, FILE *f), s, n, f)
WRAP_DONE(int, fclose, EOF, (FILE * f), f)

/* sockets and waits */
WRAP(int, socket, -1, (int family, int type, int protocol), family, type, protocol)
WRAP(int, bind, -1, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
WRAP(int, listen, -1, (int fd, int n), fd, n)
WRAP(int, accept4, -1, (int fd, struct sockaddr *a, socklen_t *n, int flags), fd, a, n, flags)
WRAP(int, connect, -1, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
WRAP(int, shutdown, -1, (int fd, int how), fd, how)
WRAP(int, getsockname, -1, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
WRAP(int, getpeername, -1, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
WRAP(int, getsockopt, -1, (int fd, int level, int name, void *p, socklen_t *n), fd, level, name, p, n)
WRAP(int, setsockopt, -1, (int fd, int level, int name, const void *p, socklen_t n), fd, level, name, p, n)
WRAP_IO(send, (int fd, const void *p, size_t n, int flags), fd, p, n, flags)
WRAP_IO(recv, (int fd, void *p, size_t n, int flags), fd, p, n, flags)
WRAP(ssize_t, sendto, -1, (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t len), fd, p,
     n, flags, a, len)
WRAP(ssize_t, recvfrom, -1, (int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *len), fd, p, n, flags,
     a, len)
WRAP(ssize_t, recvmsg, -1, (int fd, struct msghdr *m, int flags), fd, m, flags)
WRAP_CODE(getaddrinfo, (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **to),
          name, service, hints, to)
WRAP(int, poll, -1, (struct pollfd * p, nfds_t n, int ms), p, n, ms)
WRAP(int, ppoll, -1, (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *s), p, n, t, s)
WRAP(int, epoll_create1, -1, (int flags), flags)
WRAP(int, epoll_ctl, -1, (int e, int what, int fd, struct epoll_event *event), e, what, fd, event)
WRAP(int, epoll_wait, -1, (int e, struct epoll_event *to, int n, int ms), e, to, n, ms)
WRAP(int, eventfd, -1, (unsigned n, int flags), n, flags)

/* threads */
WRAP_CODE(pthread_create, (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *data), t, a, f, data)
WRAP_CODE(pthread_mutex_init, (pthread_mutex_t * m, const pthread_mutexattr_t *a), m, a)
WRAP_CODE(pthread_cond_init, (pthread_cond_t * c, const pthread_condattr_t *a), c, a)
WRAP_CODE(pthread_condattr_init, (pthread_condattr_t * a), a)
WRAP_CODE(pthread_condattr_setclock, (pthread_condattr_t * a, clockid_t c), a, c)
WRAP_CODE(pthread_attr_init, (pthread_attr_t * a), a)
WRAP_CODE(pthread_attr_setstacksize, (pthread_attr_t * a, size_t n), a, n)
WRAP_CODE(pthread_getattr_np, (pthread_t t, pthread_attr_t *a), t, a)
WRAP_CODE(pthread_getcpuclockid, (pthread_t t, clockid_t *c), t, c)
WRAP(int, sched_getaffinity, -1, (pid_t pid, size_t n, cpu_set_t *set), pid, n, set)

/* times, signals, and what the process has */
WRAP_CODE(clock_nanosleep, (clockid_t c, int flags, const struct timespec *t, struct timespec *left), c, flags, t, left)
WRAP(int, nanosleep, -1, (const struct timespec *t, struct timespec *left), t, left)
WRAP(int, setitimer, -1, (__itimer_which_t which, const struct itimerval *t, struct itimerval *old), which, t, old)
WRAP(struct tm *, localtime_r, NULL, (const time_t *t, struct tm *tm), t, tm)
WRAP(struct tm *, gmtime_r, NULL, (const time_t *t, struct tm *tm), t, tm)
WRAP(int, sigaction, -1, (int n, const struct sigaction *a, struct sigaction *old), n, a, old)
WRAP(__sighandler_t, signal, SIG_ERR, (int n, __sighandler_t f), n, f)
WRAP(ssize_t, getrandom, -1, (void *p, size_t n, unsigned flags), p, n, flags)
WRAP(int, getrlimit, -1, (__rlimit_resource_t what, struct rlimit *r), what, r)
WRAP(int, setrlimit, -1, (__rlimit_resource_t what, const struct rlimit *r), what, r)
WRAP(long, sysconf, -1, (int what), what)
WRAP(void *, dlopen, NULL, (const char *path, int flags), path, flags)
WRAP(void *, dlsym, NULL, (void *library, const char *name), library, name)
DECLARE(int, prctl, (int what, ...))
int ts_inject_prctl(int what, ...) {
    va_list args;
    va_start(args, what);
    unsigned long a = va_arg(args, unsigned long), b = va_arg(args, unsigned long);
    unsigned long c = va_arg(args, unsigned long), d = va_arg(args, unsigned long);
    va_end(args);
    return fails(&point_prctl) ? -1 : prctl(what, a, b, c, d);
}
DECLARE(long, syscall, (long number, ...))
long ts_inject_syscall(long number, ...) {
    va_list args;
    long a[6];
    va_start(args, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(args, long);
    va_end(args);
    return fails(&point_syscall) ? -1 : syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* These end the process without the destructors. */
void ts_inject__exit(int status) __attribute__((noreturn));
void ts_inject__exit(int status) {
    write_counts();
    _exit(status);
}
