/* sys/descriptors: descriptors 0, 1 and 2 belong to the standard streams, and to nothing that the runtime opens.
 * In: a descriptor or a path. Out: descriptors above 2, closed on exec; which standard streams the process lacked.
 * Source: fcntl(2) F_DUPFD_CLOEXEC; glibc csu/check_fds.c does the same for set-user-ID programs */
#ifndef TS_SYS_DESCRIPTORS_H
#define TS_SYS_DESCRIPTORS_H
#include <stdbool.h>
#include <stdio.h>

/* For the start of main: each of 0, 1 and 2 that is closed is taken by /dev/null, opened so that a read of 0 and a write to 1 or 2
 * fail with EBADF, as they would have. False: one could not be opened. */
bool ts_sys_std_open(void);
/* Was this one taken by ts_sys_std_open? */
bool ts_sys_std_was_closed(int fd);
/* Is one of them open, and not taken so? */
bool ts_sys_std_is_open(int fd);

/* A new descriptor, which is moved above 2 if need be; -1 stays -1 with errno as it was. Every descriptor that the library makes passes
 * through here, as the process of an embedder may lack its standard streams too. */
int ts_sys_above_std(int fd);
/* pipe, both ends the same way. False: errno. */
bool ts_sys_pipe(int fd[2]);
/* fopen, closed on exec and above 2. */
FILE *ts_sys_fopen(const char *path, const char *mode);
#endif
