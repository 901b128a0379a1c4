/* sys/input: a whole file as bytes; the file is mapped if possible, else read.
 * In: a path ("-": standard input). Out: bytes, valid until ts_sys_input_close. Source: mmap(2) */
#ifndef TS_SYS_INPUT_H
#define TS_SYS_INPUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/error.h"

typedef struct ts_sys_input {
    const uint8_t *bytes;
    size_t len;
    bool mapped;
    /* Whether `identity` is reliable: the file has not changed for two seconds (times of change may be that
     * coarse). `identity` is the file and its state: the same numbers mean the same bytes. */
    bool settled;
    uint64_t identity[5];
} ts_sys_input;

/* EFBIG: the file has more than `most` bytes; reading stops there. For a pipe, which may be endless, the
 * limit is at most 1 GiB. NO_WRITER: a named pipe that no program opens for writing within some seconds.
 * ENDLESS: a device without an end; /dev/null and terminals are allowed. */
ts_sys_err ts_sys_input_open(const char *path, uint64_t most, ts_sys_input *out);
/* The same, but never mapped: a file that is overwritten or truncated later changes nothing. 1 GiB at most.
 */
ts_sys_err ts_sys_input_read(const char *path, uint64_t most, ts_sys_input *out);
#define TS_SYS_INPUT_MOST UINT64_MAX /* no limit except that of the OS */
void ts_sys_input_close(ts_sys_input *in);
/* Returns the path, perhaps cut short, of the mapped file that an address belongs to; NULL: it belongs to
 * none. An access to such an address raises SIGBUS if the file was truncated. Async-signal-safe. */
const char *ts_sys_input_of(uintptr_t address);
/* Makes an immutable copy in memory, for libraries that need a path. The caller owns *fd;
 * `path` names the copy. */
ts_sys_err ts_sys_input_keep(const ts_sys_input *in, int *fd, char *path, size_t size);
#endif
