/* filter: the list of system calls that a confined process may make, as a seccomp program.
 * In: what is still needed. Out: a program of classic BPF; or it is installed for every thread.
 * Source: seccomp(2), linux/filter.h
 *
 * It is a list of what is allowed. Of the rest, calls that exist since 2018 or longer fail with EPERM, and
 * newer ones with ENOSYS, so that the C library uses older ones instead. A call of another architecture ends
 * the process. The arguments of some calls are looked at: socket, clone (threads only), mmap and mprotect (no
 * executable pages, or none that can be written to), ioctl, prctl, tgkill, prlimit, sendto. */
#ifndef TS_SYS_FILTER_H
#define TS_SYS_FILTER_H
#include "sys/confine.h"

/* Install the filter for all threads of the process. Returns NULL, or why it cannot be. */
const char *ts_sys_filter_install(const ts_sys_needs *n);
/* Returns whether this build has a filter for its architecture, and the kernel supports it. */
bool ts_sys_filter_can(void);
/* For tests: write the program into `out`, which has room for `most` instructions of 8 bytes. Returns their
 * number, or 0 if there is not enough room. */
size_t ts_sys_filter_build(const ts_sys_needs *n, void *out, size_t most);
#endif
