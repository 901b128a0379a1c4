/* sys/perf_map: the file in which Linux perf looks for the names of code that a process has made.
 * In: lines. Out: /tmp/perf-PID.map.
 * Source: tools/perf/Documentation/jit-interface.txt (Linux) */
#ifndef TS_SYS_PERF_MAP_H
#define TS_SYS_PERF_MAP_H
#include "sys/error.h"
#include <stdbool.h>
#include <stddef.h>

enum { TS_PERF_MAP_PATH = 48 };
/* Creates the file of this process, in place of one that an earlier process with its number has left. `path` gets
 * its name in any case. It stays when the process ends: perf reads it later. ts_file_close closes *fd. */
ts_sys_err ts_sys_perf_map_open(int *fd, char path[TS_PERF_MAP_PATH]);
/* Appends a line in one piece, so that lines of several threads do not mix. Returns false on failure. */
bool ts_sys_perf_map_write(int fd, const char *line, size_t len);
#endif
