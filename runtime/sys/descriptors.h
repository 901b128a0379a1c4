/* sys/descriptors: keeps descriptors 0, 1 and 2 for the standard streams; the runtime opens nothing else
 * there.
 * In: a descriptor or a path. Out: descriptors above 2, closed on exec; which standard streams were closed at
 * start.
 * Source: fcntl(2) F_DUPFD_CLOEXEC; glibc csu/check_fds.c does the same for set-user-ID programs */
#ifndef TS_SYS_DESCRIPTORS_H
#define TS_SYS_DESCRIPTORS_H
#include <stdbool.h>
#include <stdio.h>

/* Call this at the start of main: it opens /dev/null on each of 0, 1 and 2 that is closed.
 * A read of 0 and a write to 1 or 2 still fail with EBADF. Returns false if an open fails. */
bool ts_sys_std_open(void);
/* Returns whether ts_sys_std_open opened this descriptor. */
bool ts_sys_std_was_closed(int fd);
/* Returns whether fd is open and was not opened by ts_sys_std_open. */
bool ts_sys_std_is_open(int fd);

/* Moves a new descriptor above 2 if necessary. -1 stays -1 and errno is kept. Every descriptor that the
 * library makes passes through here, because the process of an embedder may lack its standard streams too. */
int ts_sys_above_std(int fd);
/* pipe(2) with both ends above 2 and closed on exec. Returns false with errno set. */
bool ts_sys_pipe(int fd[2]);
/* fopen(3) with a descriptor above 2 that is closed on exec. */
FILE *ts_sys_fopen(const char *path, const char *mode);
#endif
