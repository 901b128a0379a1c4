/* sys/file: files of the process itself (never the guest's): read and written at a position, mapped over
 * pages copy on write.
 * In: an anonymous file, or one that sys/folder.h opened; page-aligned ranges. Out: bytes, or pages with the
 * file's bytes until they are written to. Without memfd_create ts_file_new fails, and the caller copies.
 * Source: pread(2), pwrite(2), mmap(2), memfd_create(2) */
#ifndef TS_SYS_FILE_H
#define TS_SYS_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int ts_file_new(uint64_t len); /* a file without a name, all zero; below 0 on failure */
/* Each transfers all `len` bytes at the offset `at`, or returns false. */
bool ts_file_write(int fd, uint64_t at, const void *bytes, size_t len);
bool ts_file_read(int fd, uint64_t at, void *bytes, size_t len);
/* Replaces the pages at p; writes to them stay private.
 * On failure returns false and leaves the pages unchanged. */
bool ts_file_map(void *p, size_t len, int fd, uint64_t at);
/* Makes an empty file if nothing is there. */
void ts_file_touch(const char *path);
void ts_file_close(int fd); /* below 0: does nothing */
#endif
