/* confine: see confine.h. The structs of Landlock are declared here, because the headers of a distribution may
 * be older than its kernel. */
#define _GNU_SOURCE
#include "sys/confine.h"
#include "sys/descriptors.h"
#include "sys/filter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <sys/single_threaded.h>
#endif
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The interfaces of sanitizers read /proc, make threads and trace their own process at its end. */
#if defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif
static const char instrumented[] = "this build has sanitizers, which need what would be refused";

static void lacks(ts_sys_confined *out, const char *what, const char *why) {
    size_t used = strlen(out->missing);
    snprintf(out->missing + used, sizeof out->missing - used, "%s%s: %s", used ? "; " : "", what, why);
}

/* --- threads ---------------------------------------------------------------------------------------------- */
/* Returns the number of threads; 0: it cannot be known. */
static unsigned count_threads(void) {
    struct stat st;
#ifdef __GLIBC__
    if (__libc_single_threaded) return 1; /* /proc takes 20 us */
#endif
    /* a folder has a link for itself, one in its parent, and one for each folder in it */
    return stat("/proc/self/task", &st) == 0 && st.st_nlink > 2 ? (unsigned)st.st_nlink - 2 : 0;
}
/* Threads that looked up names for grants have delivered their result and may still be ending. */
static bool wait_for_threads(void) {
    for (int i = 0; i < 100; i++) {
        unsigned n = count_threads();
        if (n < 2) return n == 1;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

/* --- Landlock --------------------------------------------------------------------------------------------- */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444 /* these numbers are the same on every architecture */
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
enum { ASK_VERSION = 1, RULE_PATH = 1, RULE_PORT = 2 };
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    NET_BIND = 1 << 0,
    NET_CONNECT = 1 << 1,
    SCOPE_ABSTRACT_SOCKETS = 1 << 0,
    SCOPE_SIGNALS = 1 << 1,
};
struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

static uint32_t landlock_version(void) {
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    return v > 0 ? (uint32_t)v : 0;
}
/* The rights that a version knows: from 1 on, all but the last ones; 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
static uint64_t known_rights(uint32_t version) {
    uint64_t all = FS_REFER - 1;
    if (version >= 2) all |= FS_REFER;
    if (version >= 3) all |= FS_TRUNCATE;
    if (version >= 5) all |= FS_IOCTL_DEV;
    return all;
}

static bool add_place(int rules, const ts_sys_place *p, uint64_t known) {
    static const uint64_t rights[] = {
        [TS_SYS_MAY_READ] = FS_READ_FILE | FS_READ_DIR,
        [TS_SYS_MAY_CHANGE] = ~(uint64_t)(FS_EXECUTE | FS_IOCTL_DEV),
        [TS_SYS_MAY_REPLACE] = FS_WRITE_FILE | FS_TRUNCATE,
    };
    struct path_rule r = {.allowed = rights[p->right] & known, .parent = p->fd};
    if (p->fd < 0) r.parent = ts_sys_above_std(open(p->path, O_PATH | O_CLOEXEC));
    if (r.parent < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    bool ok = syscall(SYS_landlock_add_rule, rules, RULE_PATH, &r, 0) == 0;
    if (!ok && errno == EINVAL) { /* it is a file: the rights of directories do not apply */
        r.allowed &= FS_OF_FILES;
        ok = syscall(SYS_landlock_add_rule, rules, RULE_PATH, &r, 0) == 0;
    }
    if (!ok && errno == EBADFD) ok = true; /* a pipe or the like: Landlock does not refuse it */
    if (p->fd < 0) close(r.parent);
    return ok;
}
static bool add_ports(int rules, const ts_sys_ports *p, uint64_t right) {
    for (size_t i = 0; i < p->n && !p->any; i++) {
        struct port_rule r = {.allowed = right, .port = p->ports[i]};
        if (syscall(SYS_landlock_add_rule, rules, RULE_PORT, &r, 0) != 0) return false;
    }
    return true;
}

static bool changes(const ts_sys_needs *n) {
    for (size_t i = 0; i < n->n_places; i++)
        if (n->places[i].right == TS_SYS_MAY_CHANGE) return true;
    return false;
}
static void landlock(const ts_sys_needs *n, ts_sys_confined *out) {
    const uint32_t version = out->landlock = landlock_version();
    if (!version) {
        lacks(out, "files", errno == EOPNOTSUPP ? "Landlock is switched off" : "the kernel has no Landlock");
        return;
    }
    if (version < 2 && changes(n)) { /* guests may move files from one directory to another */
        lacks(out, "files", "version 1 of Landlock refuses every move between directories");
        return;
    }
    struct ruleset r = {.fs = known_rights(version)};
    if (version >= 4) r.net = (n->bind.any ? 0 : NET_BIND) | (n->connect.any ? 0 : NET_CONNECT);
    if (version >= 6) r.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    /* older kernels refuse a struct that is longer than theirs, unless the rest is zero */
    int rules = ts_sys_above_std((int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0));
    bool ok = rules >= 0;
    for (size_t i = 0; i < n->n_places && ok; i++) ok = add_place(rules, &n->places[i], r.fs);
    if (ok && r.net & NET_CONNECT) ok = add_ports(rules, &n->connect, NET_CONNECT);
    if (ok && r.net & NET_BIND) ok = add_ports(rules, &n->bind, NET_BIND);
    if (ok) ok = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (!ok) lacks(out, "files", strerror(errno));
    if (rules >= 0) close(rules);
    out->files = ok;
    /* without Landlock's ports, the filter still refuses to connect or to bind at all */
    bool limited = (n->connects && !n->connect.any) || (n->binds && !n->bind.any);
    out->tcp_ports = ok && (version >= 4 || !limited);
    if (ok && !out->tcp_ports) lacks(out, "TCP ports", "the kernel's Landlock does not know them (before version 4)");
}

/* --- limits ----------------------------------------------------------------------------------------------- */
/* Lower a limit, for good. */
static bool lower(int which, rlim_t to) {
    struct rlimit l;
    if (getrlimit(which, &l) != 0) return false;
    if (l.rlim_max <= to && l.rlim_cur <= to) return true;
    if (l.rlim_max > to) l.rlim_max = to;
    if (l.rlim_cur > to) l.rlim_cur = to;
    return setrlimit(which, &l) == 0;
}
static void limit(const ts_sys_needs *n, ts_sys_confined *out) {
    /* core(5): with 1, nothing is dumped, neither to a file, for which it is too small, nor to a program. With 0,
     * a program would still get it. */
    struct rlimit core;
    bool ok = lower(RLIMIT_CORE, 1) && getrlimit(RLIMIT_CORE, &core) == 0;
    if (ok && core.rlim_max == 1 && core.rlim_cur == 0) ok = setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) == 0;
    if (n->cpu_seconds) ok = lower(RLIMIT_CPU, n->cpu_seconds) && ok;
    if (n->files) ok = lower(RLIMIT_NOFILE, n->files) && ok;
    out->limits = ok;
    if (!ok) lacks(out, "limits", strerror(errno));
}

void ts_sys_confine(const ts_sys_needs *n, ts_sys_confined *out) {
    *out = (ts_sys_confined){0};
    if (INSTRUMENTED) {
        lacks(out, "everything", instrumented);
        return;
    }
    out->all_threads = wait_for_threads();
    if (!out->all_threads) lacks(out, "files of other threads", "Landlock applies to the calling thread");
    out->no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!out->no_new_privileges) {
        lacks(out, "no new privileges", strerror(errno));
        return; /* both of the following need it */
    }
    limit(n, out);
    landlock(n, out);
    const char *why = ts_sys_filter_install(n);
    out->system_calls = !why;
    if (why) lacks(out, "system calls", why);
}

void ts_sys_confine_ask(ts_sys_confined *out) {
    *out = (ts_sys_confined){.no_new_privileges = !INSTRUMENTED, .limits = !INSTRUMENTED};
    if (INSTRUMENTED) {
        lacks(out, "everything", instrumented);
        return;
    }
    out->landlock = landlock_version();
    out->files = out->landlock >= 1;
    out->tcp_ports = out->landlock >= 4;
    out->all_threads = count_threads() == 1;
    out->system_calls = ts_sys_filter_can();
    if (!out->files) lacks(out, "files", "the kernel has no Landlock, or it is switched off");
    if (out->files && !out->tcp_ports) lacks(out, "TCP ports", "the kernel's Landlock does not know them");
    if (!out->system_calls) lacks(out, "system calls", "the kernel, or this build, has no seccomp filter");
}
