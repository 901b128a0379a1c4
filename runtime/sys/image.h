/* sys/image: maps a file over pages, copy on write; and keeps such files in a private folder.
 * In: an anonymous file of the process or a file in the folder, page-aligned ranges. Out: pages with the
 * file's bytes until they are written to. Without memfd_create the result is -1 or false, and the caller
 * copies instead.
 * Source: mmap(2), memfd_create(2) */
#ifndef TS_SYS_IMAGE_H
#define TS_SYS_IMAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int ts_image_new(uint64_t len); /* a file without a name, all zero; below 0 on failure */
bool ts_image_write(int fd, uint64_t at, const void *bytes, size_t len);
bool ts_image_read(int fd, uint64_t at, void *bytes, size_t len);
/* Replaces the pages at p; writes to them stay private.
 * On failure returns false and leaves the pages unchanged. */
bool ts_image_map(void *p, size_t len, int fd, uint64_t at);
void ts_image_close(int fd); /* below 0: does nothing */

/* Opens a folder that only this user can write to, and creates it if necessary (like `mkdir -p`, mode 0700).
 * Returns below 0 on failure, with the reason in *why. */
int ts_folder_open(const char *path, const char **why);
/* Opens a file in the folder that only this user can write to, and returns its length in *len.
 * Returns below 0 if there is no file that can be trusted. */
int ts_folder_read(int folder, const char *name, uint64_t *len);
/* Creates a new file, which gets its final name only when ts_folder_keep is called.
 * ts_folder_keep returns false if that fails; it always closes fd. */
int ts_folder_write(int folder, char temporary[64]);
bool ts_folder_keep(int folder, int fd, const char *temporary, const char *name);
#endif
