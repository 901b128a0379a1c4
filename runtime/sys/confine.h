/* confine: the process gives up what it does not need, so that the kernel refuses it from then on: no new
 * privileges, files outside some places (Landlock), TCP ports (Landlock), system calls (seccomp, in filter.h),
 * and some limits. Nothing of this can be undone. No library is used.
 * In: what is still needed. Out: what holds, with the reason for what does not.
 * Source: landlock(7), seccomp(2), prctl(2), getrlimit(2) */
#ifndef TS_SYS_CONFINE_H
#define TS_SYS_CONFINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ts_sys_right {
    TS_SYS_MAY_READ,    /* read files, list directories */
    TS_SYS_MAY_CHANGE,  /* and write, make, rename and remove them */
    TS_SYS_MAY_REPLACE, /* of one file: write, truncate; nothing may be made beside it */
} ts_sys_right;

/* A directory with all below it, or a file. A place that cannot be opened is left out. */
typedef struct ts_sys_place {
    int fd;           /* an open file; below 0: `path` is opened */
    const char *path; /* may be NULL if fd is not below 0 */
    ts_sys_right right;
} ts_sys_place;

typedef struct ts_sys_ports {
    const uint16_t *ports;
    size_t n;
    bool any; /* every port: `ports` is not looked at */
} ts_sys_ports;

/* What the process still needs. */
typedef struct ts_sys_needs {
    const ts_sys_place *places;
    size_t n_places;
    ts_sys_ports connect, bind; /* by TCP */
    bool tcp, udp;              /* sockets of these kinds */
    bool connects;              /* they connect and send */
    bool binds;                 /* they bind to an address of their own */
    bool listens;               /* they listen and accept */
    bool inherits;              /* sockets that are open already are sent to and accepted from */
    bool pairs;                 /* pairs of connected local sockets: libcurl wakes itself up by them */
    bool routes;                /* the addresses of this machine, by which the resolver sorts */
    bool makes_code;            /* pages may become executable, if they cannot be written to any more */
    uint64_t cpu_seconds;       /* of the process; 0: as before */
    uint64_t files;             /* open at once; 0: as before */
} ts_sys_needs;

enum { TS_SYS_CONFINED_TEXT = 240 };
typedef struct ts_sys_confined {
    bool no_new_privileges;
    uint32_t landlock; /* the kernel's version of Landlock; 0: it has none, or it is switched off */
    bool files;        /* Landlock: only the places */
    bool tcp_ports;    /* Landlock: only the ports, of those that are not `any` */
    bool system_calls; /* seccomp */
    bool limits;       /* no core dump; cpu_seconds and files */
    bool all_threads;  /* `files` and `tcp_ports` hold for every thread, not only for the caller and its own */
    /* the reasons for what does not hold; "" if everything does */
    char missing[TS_SYS_CONFINED_TEXT];
} ts_sys_confined;

/* Confine the process. What the kernel does not support is left out and reported. Call it before other threads
 * are made: Landlock applies to the calling thread and to those that it makes (the filter to all). A thread
 * that is about to end is waited for, for at most 0.1 s. */
void ts_sys_confine(const ts_sys_needs *n, ts_sys_confined *out);
/* Report what the kernel supports, and change nothing. `files` and `tcp_ports` say what Landlock can do;
 * all_threads, whether this is the only thread. */
void ts_sys_confine_ask(ts_sys_confined *out);
#endif
