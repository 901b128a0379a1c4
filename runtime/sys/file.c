/* sys/file: see file.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sys/file.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int ts_file_new(uint64_t len) {
#ifdef MFD_CLOEXEC
    int fd = ts_sys_above_std(memfd_create("touchstone-image", MFD_CLOEXEC));
    if (fd >= 0 && ftruncate(fd, (off_t)len) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
#else
    (void)len;
    return -1;
#endif
}

bool ts_file_write(int fd, uint64_t at, const void *bytes, size_t len) {
    const char *p = bytes;
    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool ts_file_read(int fd, uint64_t at, void *bytes, size_t len) {
    char *p = bytes;
    while (len) {
        ssize_t n = pread(fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool ts_file_map(void *p, size_t len, int fd, uint64_t at) {
    return mmap(p, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, (off_t)at) != MAP_FAILED;
}

void ts_file_touch(const char *path) {
    int fd = ts_sys_above_std(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666));
    if (fd >= 0) close(fd);
}

void ts_file_close(int fd) {
    if (fd >= 0) close(fd);
}
