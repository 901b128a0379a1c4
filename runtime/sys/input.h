/* sys/input: a whole file as bytes, mapped where it can be, else read.
 * In: a path ("-": standard input). Out: bytes until ts_sys_input_close. Source: mmap(2) */
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
    /* Which file and which state of it: the same numbers again are the same bytes. Only where it has not been changed for two
     * seconds, as times of change may be that coarse; else false. */
    bool settled;
    uint64_t identity[5];
} ts_sys_input;

/* EFBIG: there is more than `most`, of which no more was read; of a pipe, which need not end, 1 GiB at most. ENDLESS: a device, which
 * has no end (but /dev/null and terminals). */
ts_sys_err ts_sys_input_open(const char *path, uint64_t most, ts_sys_input *out);
#define TS_SYS_INPUT_MOST UINT64_MAX /* where nothing bounds the file but the OS */
void ts_sys_input_close(ts_sys_input *in);
/* A copy in memory that nothing changes any more, for libraries that want a path: *fd is the caller's, `path` names it. */
ts_sys_err ts_sys_input_keep(const ts_sys_input *in, int *fd, char *path, size_t size);
#endif
