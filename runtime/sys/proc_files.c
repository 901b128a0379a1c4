/* sys/proc_files: see proc_files.h */
#define _GNU_SOURCE
#include "sys/proc_files.h"
#ifdef __linux__
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Files of a process that proc(5) says are governed by a ptrace access mode check, and the kernel's memory.
 * Others (status, stat, cmdline) are for everybody. */
static const char *const guarded[] = {"auxv",    "environ", "kcore",        "maps",  "mem",    "numa_maps",
                                      "pagemap", "smaps",   "smaps_rollup", "stack", "syscall"};

/* The last component of the name of an open file. NULL: it is not known. */
static const char *name_of(int fd, char *buf, size_t size) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, buf, size - 1);
    if (n <= 0 || (size_t)n == size - 1) return NULL;
    buf[n] = 0;
    const char *slash = strrchr(buf, '/');
    return slash ? slash + 1 : NULL;
}

bool ts_sys_proc_files_have(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) == 0 && s.f_type == PROC_SUPER_MAGIC;
}

bool ts_sys_proc_files_guard(int fd, bool write, bool shown) {
    if ((shown && !write) || !ts_sys_proc_files_have(fd)) return false;
    if (write) return true;
    char buf[512];
    const char *name = name_of(fd, buf, sizeof buf);
    if (!name) return true;
    for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++)
        if (strcmp(name, guarded[i]) == 0) return true;
    return false;
}
#else
bool ts_sys_proc_files_have(int fd) {
    (void)fd;
    return false;
}
bool ts_sys_proc_files_guard(int fd, bool write, bool shown) {
    (void)fd, (void)write, (void)shown;
    return false;
}
#endif
