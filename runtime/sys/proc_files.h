/* sys/proc_files: files of procfs that show a process from inside, or change it or the kernel.
 * In: a file that was opened. Out: whether a guest must not have it.
 * The kernel guards these files as it guards tracing, and every process may trace itself. So a guest with a
 * directory that contains /proc could write to the memory of the runtime that confines it, and read that and
 * the variables that it was not granted. (SECURITY.md, G2, K2) */
#ifndef TS_SYS_PROC_FILES_H
#define TS_SYS_PROC_FILES_H
#include <stdbool.h>

/* write: the file was opened to write. shown: a directory of procfs was granted by itself, so that processes
 * are to be seen; then only writing is guarded. False for files of other file systems. */
bool ts_sys_proc_files_guard(int fd, bool write, bool shown);
bool ts_sys_proc_files_have(int fd); /* the file is one of procfs */

#endif
