/* sys/folder: a folder on the host that only this user can write to, and files in it that can be trusted.
 * In: a path, names of files. Out: open files for sys/file.h, or below 0.
 * Source: openat(2), fstat(2), renameat(2) */
#ifndef TS_SYS_FOLDER_H
#define TS_SYS_FOLDER_H
#include <stdbool.h>
#include <stdint.h>

/* Opens a folder that only this user can write to, and creates it if necessary (like `mkdir -p`, mode 0700).
 * Returns below 0 on failure, with the reason in *why. */
int ts_folder_open(const char *path, const char **why);
/* Opens a file in the folder that only this user can write to, and returns its length in *len.
 * Returns below 0 if there is no file that can be trusted. */
int ts_folder_open_file(int folder, const char *name, uint64_t *len);
/* Creates a new file under a temporary name, and removes such files that killed processes left an hour ago.
 * Its final name comes with ts_folder_keep_file, which removes the file instead if `name` is NULL or the
 * renaming fails: then it returns false. It always closes fd. */
int ts_folder_new_file(int folder, char temporary[64]);
bool ts_folder_keep_file(int folder, int fd, const char *temporary, const char *name);
#endif
