/* sys/perf_map: see perf_map.h. */
#include "sys/perf_map.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Everybody may write to /tmp: the file must be a new one, not a link that somebody has put there. */
ts_sys_err ts_sys_perf_map_open(int *fd, char path[TS_PERF_MAP_PATH]) {
    snprintf(path, TS_PERF_MAP_PATH, "/tmp/perf-%ld.map", (long)getpid());
    if (unlink(path) != 0 && errno != ENOENT) return ts_sys_err_of(errno);
    *fd = ts_sys_above_std(open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
    return *fd < 0 ? ts_sys_err_of(errno) : TS_SYS_OK;
}
bool ts_sys_perf_map_write(int fd, const char *line, size_t len) {
    ssize_t n;
    do n = write(fd, line, len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}
