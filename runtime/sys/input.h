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

ts_sys_err ts_sys_input_open(const char *path, ts_sys_input *out);
void ts_sys_input_close(ts_sys_input *in);
/* A copy in memory that nothing changes any more, for libraries that want a path: *fd is the caller's, `path` names it. */
ts_sys_err ts_sys_input_keep(const ts_sys_input *in, int *fd, char *path, size_t size);
#endif
