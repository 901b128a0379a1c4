/* sys/folder: see folder.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sys/folder.h"
#include "sys/descriptors.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY ".new-" /* how the names of files begin that are not finished */

/* Returns whether it belongs to this user and nobody else can write to it. */
static bool is_private(int fd, bool folder) {
    struct stat s;
    return fstat(fd, &s) == 0 && (folder ? S_ISDIR(s.st_mode) : S_ISREG(s.st_mode)) && s.st_uid == geteuid() &&
           (s.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int ts_folder_open(const char *path, const char **why) {
    char part[4096];
    size_t len = strlen(path);
    *why = "the path is too long";
    if (len == 0 || len >= sizeof part) return -1;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++)
        if (part[i] == '/' || part[i] == 0) {
            char c = part[i];
            part[i] = 0;
            if (mkdir(part, 0700) != 0 && errno != EEXIST) {
                *why = strerror(errno);
                return -1;
            }
            part[i] = c;
        }
    int fd = ts_sys_above_std(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) {
        *why = strerror(errno);
        return -1;
    }
    if (is_private(fd, true)) return fd;
    *why = "it belongs to another user, or others may write to it";
    close(fd);
    return -1;
}

int ts_folder_open_file(int folder, const char *name, uint64_t *len) {
    int fd = ts_sys_above_std(openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat s;
    if (fd < 0) return -1;
    if (!is_private(fd, false) || fstat(fd, &s) != 0) {
        close(fd);
        return -1;
    }
    *len = (uint64_t)s.st_size;
    return fd;
}

/* Removes what processes that were killed while they wrote have left. */
static void remove_unfinished(int folder) {
    enum { UNFINISHED_SECONDS = 3600 }; /* nobody writes a file for that long */
    int fd = ts_sys_above_std(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0) close(fd);
        return;
    }
    struct timespec now;
    struct stat s;
    clock_gettime(CLOCK_REALTIME, &now);
    for (struct dirent *e; (e = readdir(d));)
        if (strncmp(e->d_name, TEMPORARY, sizeof TEMPORARY - 1) == 0 &&
            fstatat(folder, e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
            now.tv_sec - s.st_mtim.tv_sec > UNFINISHED_SECONDS)
            unlinkat(folder, e->d_name, 0);
    closedir(d);
}

int ts_folder_new_file(int folder, char temporary[64]) {
    remove_unfinished(folder);
    for (unsigned i = 0; i < 16; i++) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        snprintf(temporary, 64, TEMPORARY "%lx-%lx-%x", (unsigned long)getpid(), (unsigned long)t.tv_nsec, i);
        int fd = ts_sys_above_std(openat(folder, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

bool ts_folder_keep_file(int folder, int fd, const char *temporary, const char *name) {
    bool ok = name && renameat(folder, temporary, folder, name) == 0;
    if (!ok) unlinkat(folder, temporary, 0);
    close(fd);
    return ok;
}
