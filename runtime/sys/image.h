/* sys/image: bytes of a file laid over pages, copy on write; and the private folder that such files are kept in.
 * In: a file of the process's own (no name) or of a folder, page-aligned ranges. Out: pages that show it until they are written to.
 * Where the system has none of it (no memfd_create), -1 or false: the caller copies instead. mmap(2), memfd_create(2) */
#ifndef TS_SYS_IMAGE_H
#define TS_SYS_IMAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int ts_image_new(uint64_t len); /* a file without a name, all zero; below 0: there is none */
bool ts_image_write(int fd, uint64_t at, const void *bytes, size_t len);
bool ts_image_read(int fd, uint64_t at, void *bytes, size_t len);
/* In place of what is at p: writes to it stay private. False: what was there is there still. */
bool ts_image_map(void *p, size_t len, int fd, uint64_t at);
void ts_image_close(int fd); /* below 0: nothing */

/* A folder that only this user can write to is opened, made if need be (as `mkdir -p`, mode 0700). Below 0: why says so. */
int ts_folder_open(const char *path, const char **why);
/* A file in it that this user alone can write to; its length. Below 0: there is none to be trusted. */
int ts_folder_read(int folder, const char *name, uint64_t *len);
/* A new file, seen under its name only once it is kept. kept: false when it cannot be put there; closes it in any case. */
int ts_folder_write(int folder, char temporary[64]);
bool ts_folder_keep(int folder, int fd, const char *temporary, const char *name);
#endif
