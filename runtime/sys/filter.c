/* filter: see filter.h. First the assembler, then the calls in the order of their numbers, then the checks. */
#define _GNU_SOURCE
#include "sys/filter.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

/* --- an assembler ----------------------------------------------------------------------------------------- */
/* Places are named by labels, which link_up replaces by distances. All but `search` uses them. */
enum { MOST = 448 };
enum label {
    NEXT, /* the next instruction */
    ALLOW,
    REFUSE, /* EPERM */
    ABSENT, /* ENOSYS */
    KILL,
    CHECKS, /* the label of check k is CHECKS + k */
    N_LABELS = 64
};
typedef struct assembler {
    struct sock_filter *code;
    size_t n, most;
    size_t search, search_end; /* conditions between these have distances already */
    uint32_t at[N_LABELS];
    bool failed; /* a condition would have to jump too far */
} assembler;

static void put(assembler *a, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k) {
    if (a->n < a->most) a->code[a->n] = (struct sock_filter){code, jt, jf, k};
    a->n++;
}
static void go(assembler *a, unsigned label) {
    put(a, BPF_JMP | BPF_JA, 0, 0, label);
}
static void go_if(assembler *a, uint16_t condition, uint32_t k, uint8_t label) {
    put(a, BPF_JMP | condition | BPF_K, label, NEXT, k);
}
static void go_unless(assembler *a, uint16_t condition, uint32_t k, uint8_t label) {
    put(a, BPF_JMP | condition | BPF_K, NEXT, label, k);
}
static void choose(assembler *a, uint16_t condition, uint32_t k, uint8_t yes, uint8_t no) {
    put(a, BPF_JMP | condition | BPF_K, yes, no, k);
}
static void here(assembler *a, unsigned label) {
    a->at[label] = (uint32_t)a->n;
}
static void load(assembler *a, size_t offset) {
    put(a, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}
/* The low half of an argument; `high`: the other one. The kernel reads the low half of an int. */
static void load_argument(assembler *a, unsigned i, bool high) {
    load(a, offsetof(struct seccomp_data, args) + 8 * i + (high ? 4 : 0));
}
static void mask(assembler *a, uint32_t bits) {
    put(a, BPF_ALU | BPF_AND | BPF_K, 0, 0, bits);
}
static void give(assembler *a, unsigned label, uint32_t action) {
    here(a, label);
    put(a, BPF_RET | BPF_K, 0, 0, action);
}
static uint8_t distance(assembler *a, size_t from, uint8_t label) {
    if (label == NEXT) return 0;
    size_t d = a->at[label] - from - 1; /* all jumps go forward */
    if (d > UINT8_MAX) a->failed = true;
    return (uint8_t)d;
}
static void link_up(assembler *a) {
    for (size_t i = 0; i < a->n && i < a->most; i++) {
        struct sock_filter *c = &a->code[i];
        if (c->code == (BPF_JMP | BPF_JA)) {
            c->k = a->at[c->k] - (uint32_t)i - 1;
        } else if (BPF_CLASS(c->code) == BPF_JMP && (i < a->search || i >= a->search_end)) {
            c->jt = distance(a, i, c->jt);
            c->jf = distance(a, i, c->jf);
        }
    }
}

/* --- the calls -------------------------------------------------------------------------------------------- */
/* When a call is allowed, and by which check of its arguments. */
enum { ALWAYS, CONNECTS, BINDS, LISTENS, ACCEPTS, SENDS, PAIRS, SOCKETS };
enum check {
    NONE,
    CHECK_SOCKET,
    CHECK_PAIR,
    CHECK_CLONE,
    CHECK_MAP,
    CHECK_PROTECT,
    CHECK_SIGNAL,
    CHECK_PRCTL,
    CHECK_IOCTL,
    CHECK_FCNTL,
    CHECK_LIMIT,
    CHECK_SEND,
    CHECK_SEND_MESSAGE,
    CHECK_SEND_MANY,
    N_CHECKS
};
typedef struct row {
    uint16_t number;
    uint8_t when, check;
} row;

static const uint16_t always[] = {
#ifdef __x86_64__ /* older names of calls above */
    SYS_open, SYS_access, SYS_stat, SYS_lstat, SYS_readlink, SYS_poll, SYS_select, SYS_pipe, SYS_epoll_wait,
    SYS_getrlimit,
#endif
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
#ifdef SYS_openat2
    SYS_openat2,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
    /* files */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_close, SYS_openat, SYS_faccessat, SYS_newfstatat, SYS_fstat, SYS_fstatfs, SYS_statx,
    SYS_getdents64, SYS_readlinkat, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_linkat, SYS_symlinkat, SYS_ftruncate,
    SYS_fallocate, SYS_fadvise64, SYS_fsync, SYS_fdatasync, SYS_utimensat, SYS_pipe2, SYS_dup3, SYS_eventfd2,
    SYS_memfd_create,
    /* waiting */
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_futex, SYS_restart_syscall, SYS_sched_yield, SYS_setitimer, /* memory */
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,                   /* threads and signals */
    SYS_exit, SYS_exit_group, SYS_set_robust_list, SYS_set_tid_address, SYS_rseq, SYS_gettid, SYS_sched_getaffinity,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
    /* about the process and the system */
    SYS_getpid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getrusage, SYS_clock_gettime, SYS_clock_getres,
    SYS_gettimeofday, SYS_getrandom,
    /* sockets that are there */
    SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_recvfrom, SYS_recvmsg};
/* These depend on what is needed, or on their arguments. */
static const row special[] = {
    {SYS_ioctl, ALWAYS, CHECK_IOCTL},
    {SYS_fcntl, ALWAYS, CHECK_FCNTL},
    {SYS_mmap, ALWAYS, CHECK_MAP},
    {SYS_mprotect, ALWAYS, CHECK_PROTECT},
    {SYS_clone, ALWAYS, CHECK_CLONE},
    {SYS_tgkill, ALWAYS, CHECK_SIGNAL},
    {SYS_prctl, ALWAYS, CHECK_PRCTL},
    {SYS_prlimit64, ALWAYS, CHECK_LIMIT},
    {SYS_socket, SOCKETS, CHECK_SOCKET},
    {SYS_socketpair, PAIRS, CHECK_PAIR},
    {SYS_connect, CONNECTS, NONE},
    {SYS_bind, BINDS, NONE},
    {SYS_listen, LISTENS, NONE},
    {SYS_accept, ACCEPTS, NONE},
    {SYS_accept4, ACCEPTS, NONE},
    {SYS_setsockopt, SOCKETS, NONE},
    {SYS_sendto, SENDS, CHECK_SEND},
    {SYS_sendmsg, CONNECTS, CHECK_SEND_MESSAGE},
    {SYS_sendmmsg, CONNECTS, CHECK_SEND_MANY},
    {SYS_recvmmsg, CONNECTS, NONE},
};
enum { N_ALWAYS = sizeof always / sizeof *always, N_SPECIAL = sizeof special / sizeof *special };
/* From this number on, calls have the same number everywhere, and are newer than what must exist. */
enum { FIRST_NEW = 403, RUNS_MOST = 128 /* so that a half is within reach */ };

static bool is_needed(const ts_sys_needs *n, const row *r) {
    switch (r->when) {
    case CONNECTS: return n->connects;
    case BINDS: return n->binds;
    case LISTENS: return n->listens;
    case ACCEPTS: return n->listens || n->inherits;
    case SENDS: return n->connects || n->listens || n->inherits;
    case PAIRS: return n->pairs;
    case SOCKETS: return n->tcp || n->udp || n->routes;
    default: return true;
    }
}

/* A run of numbers with the same answer: from `from` up to the next run. */
typedef struct run {
    uint32_t from;
    unsigned label;
} run;
/* The runs of the calls below FIRST_NEW, from 0 on. */
static size_t find_runs(const uint8_t labels[FIRST_NEW], run runs[RUNS_MOST + 1]) {
    size_t n = 0;
    for (uint32_t i = 0; i < FIRST_NEW && n <= RUNS_MOST; i++)
        if (!n || runs[n - 1].label != labels[i]) runs[n++] = (run){i, labels[i]};
    return n;
}

/* Searches by halves. The kernel runs this for each number when it is installed, and compiles it. The distances
 * are short enough for conditions: a run takes two instructions. */
static void search(assembler *a, const run *runs, size_t n) {
    if (n == 1) {
        if (runs->label == ALLOW || runs->label == REFUSE)
            put(a, BPF_RET | BPF_K, 0, 0, runs->label == ALLOW ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM);
        else
            go(a, runs->label);
        return;
    }
    const size_t half = n / 2, left = 2 * half - 1;
    put(a, BPF_JMP | BPF_JGE | BPF_K, (uint8_t)left, 0, runs[half].from);
    search(a, runs, half);
    search(a, runs + half, n - half);
}

/* --- the arguments ---------------------------------------------------------------------------------------- */
enum { FAST_OPEN = 0x20000000 }; /* MSG_FASTOPEN connects without connect(2) */

static void one_of(assembler *a, const uint32_t *values, size_t n) {
    for (size_t i = 0; i + 1 < n; i++) go_if(a, BPF_JEQ, values[i], ALLOW);
    choose(a, BPF_JEQ, values[n - 1], ALLOW, REFUSE);
}
static void check_socket(assembler *a, const ts_sys_needs *n) {
    enum { FAMILY = CHECKS + N_CHECKS, STREAM, DATAGRAM, ROUTES };
    here(a, CHECKS + CHECK_SOCKET);
    load_argument(a, 0, false);
    go_if(a, BPF_JEQ, AF_INET, FAMILY);
    if (n->routes) go_if(a, BPF_JEQ, 16 /* AF_NETLINK */, ROUTES);
    choose(a, BPF_JEQ, AF_INET6, FAMILY, REFUSE);
    here(a, FAMILY);
    load_argument(a, 1, false);
    mask(a, 0xf);
    if (n->tcp) go_if(a, BPF_JEQ, SOCK_STREAM, STREAM);
    if (n->udp) go_if(a, BPF_JEQ, SOCK_DGRAM, DATAGRAM);
    go(a, REFUSE);
    here(a, STREAM); /* others (MPTCP) would connect past Landlock */
    load_argument(a, 2, false);
    one_of(a, (uint32_t[]){0, IPPROTO_TCP}, 2);
    here(a, DATAGRAM);
    load_argument(a, 2, false);
    one_of(a, (uint32_t[]){0, IPPROTO_UDP}, 2);
    here(a, ROUTES);
    load_argument(a, 2, false);
    choose(a, BPF_JEQ, 0 /* NETLINK_ROUTE */, ALLOW, REFUSE);
}
static void check_pair(assembler *a) {
    here(a, CHECKS + CHECK_PAIR);
    load_argument(a, 0, false);
    go_unless(a, BPF_JEQ, AF_UNIX, REFUSE);
    load_argument(a, 1, false);
    mask(a, 0xf);
    choose(a, BPF_JEQ, SOCK_STREAM, ALLOW, REFUSE); /* one of datagrams could send elsewhere */
}
static void check_clone(assembler *a) {
    here(a, CHECKS + CHECK_CLONE);
    load_argument(a, 0, false);
    go_if(a, BPF_JSET, 0x7e020080 /* CLONE_NEW… */, REFUSE);
    choose(a, BPF_JSET, CLONE_THREAD, ALLOW, REFUSE);
}
static void check_pages(assembler *a, const ts_sys_needs *n) {
    here(a, CHECKS + CHECK_PROTECT);
    if (n->makes_code) {
        load_argument(a, 2, false);
        mask(a, PROT_WRITE | PROT_EXEC);
        choose(a, BPF_JEQ, PROT_WRITE | PROT_EXEC, REFUSE, ALLOW);
    }
    here(a, CHECKS + CHECK_MAP);
    load_argument(a, 2, false);
    choose(a, BPF_JSET, PROT_EXEC, REFUSE, ALLOW);
}
static void check_process(assembler *a) {
    here(a, CHECKS + CHECK_SIGNAL); /* raise(3) and abort(3) */
    load_argument(a, 0, false);
    choose(a, BPF_JEQ, (uint32_t)getpid(), ALLOW, REFUSE);
    here(a, CHECKS + CHECK_PRCTL);
    load_argument(a, 0, false);
    choose(a, BPF_JEQ, PR_SET_NAME, ALLOW, REFUSE);
    here(a, CHECKS + CHECK_IOCTL);
    load_argument(a, 1, false);
    one_of(a, (uint32_t[]){FIONREAD, FIONBIO, SIOCOUTQ, TCGETS, TIOCGWINSZ, 0xc0606610 /* PAGEMAP_SCAN: written.c */},
           6);
    here(a, CHECKS + CHECK_FCNTL); /* others would send signals to any process */
    load_argument(a, 1, false);
    one_of(a, (uint32_t[]){F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC}, 5);
    here(a, CHECKS + CHECK_LIMIT); /* of this process: ask, or change the number of files within its bound */
    load_argument(a, 0, false);
    go_unless(a, BPF_JEQ, 0, REFUSE);
    load_argument(a, 1, false);
    go_if(a, BPF_JEQ, RLIMIT_NOFILE, ALLOW);
    load_argument(a, 2, false);
    go_unless(a, BPF_JEQ, 0, REFUSE);
    load_argument(a, 2, true);
    choose(a, BPF_JEQ, 0, ALLOW, REFUSE);
}
static void check_sends(assembler *a, const ts_sys_needs *n) {
    here(a, CHECKS + CHECK_SEND);
    for (int high = 0; high < 2 && !n->connects; high++) { /* only on a connection: without an address */
        load_argument(a, 4, high);
        go_unless(a, BPF_JEQ, 0, REFUSE);
    }
    here(a, CHECKS + CHECK_SEND_MANY); /* the flags are the same argument */
    load_argument(a, 3, false);
    choose(a, BPF_JSET, FAST_OPEN, REFUSE, ALLOW);
    here(a, CHECKS + CHECK_SEND_MESSAGE);
    load_argument(a, 2, false);
    choose(a, BPF_JSET, FAST_OPEN, REFUSE, ALLOW);
}

static void assemble(assembler *a, const ts_sys_needs *n) {
    uint8_t labels[FIRST_NEW];
    run runs[RUNS_MOST + 1];
    memset(labels, REFUSE, sizeof labels);
    for (size_t i = 0; i < N_ALWAYS; i++)
        if (always[i] < FIRST_NEW) labels[always[i]] = ALLOW;
    for (size_t i = 0; i < N_SPECIAL; i++)
        if (is_needed(n, &special[i])) labels[special[i].number] = special[i].check ? CHECKS + special[i].check : ALLOW;

    enum { NEW = N_LABELS - 1 };
    a->search = a->n;
    load(a, offsetof(struct seccomp_data, arch));
    put(a, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
    go(a, KILL);
    load(a, offsetof(struct seccomp_data, nr));
    put(a, BPF_JMP | BPF_JGE | BPF_K, 0, 1, FIRST_NEW);
    go(a, NEW);
    const size_t n_runs = find_runs(labels, runs);
    a->failed = n_runs > RUNS_MOST;
    if (!a->failed) search(a, runs, n_runs);
    a->search_end = a->n;
    here(a, NEW);
    for (size_t i = 0; i < N_ALWAYS; i++)
        if (always[i] >= FIRST_NEW) go_if(a, BPF_JEQ, always[i], ALLOW);
    go(a, ABSENT); /* those of x32 too, whose numbers begin at 0x40000000 */
    check_socket(a, n);
    check_pair(a);
    check_clone(a);
    check_pages(a, n);
    check_process(a);
    check_sends(a, n);
    give(a, ALLOW, SECCOMP_RET_ALLOW);
    give(a, REFUSE, SECCOMP_RET_ERRNO | EPERM);
    give(a, ABSENT, SECCOMP_RET_ERRNO | ENOSYS);
    give(a, KILL, 0x80000000u /* SECCOMP_RET_KILL_PROCESS */);
    link_up(a);
}

size_t ts_sys_filter_build(const ts_sys_needs *n, void *out, size_t most) {
    assembler a = {.code = out, .most = most};
    assemble(&a, n);
    return a.n <= most && !a.failed ? a.n : 0;
}

/* --- the kernel ------------------------------------------------------------------------------------------- */
#ifndef SECCOMP_FILTER_FLAG_TSYNC
#define SECCOMP_FILTER_FLAG_TSYNC 1
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif

bool ts_sys_filter_can(void) {
    uint32_t action = 0x80000000u;
    return ARCHITECTURE && syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0;
}

const char *ts_sys_filter_install(const ts_sys_needs *n) {
    struct sock_filter code[MOST];
    if (!ARCHITECTURE) return "there is no filter for this architecture";
    const size_t len = ts_sys_filter_build(n, code, MOST);
    if (!len) return "the filter is too long";
    struct sock_fprog program = {.len = (unsigned short)len, .filter = code};
    /* SPEC_ALLOW: before Linux 5.16, a filter would switch off speculation, which slows everything down */
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                     &program);
    if (r == 0) return NULL;
    if (r > 0) return "another thread has a filter of its own";
    return errno == ENOSYS || errno == EINVAL ? "the kernel has no seccomp filter" : strerror(errno);
}
