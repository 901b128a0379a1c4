/* sys/clock: the clocks of the OS and its time zone.
 * In: nothing. Out: nanoseconds; seconds since 1970 and nanoseconds. Source: POSIX clock_gettime,
 * localtime_r */
#ifndef TS_SYS_CLOCK_H
#define TS_SYS_CLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ts_sys_time {
    int64_t s;
    uint32_t ns; /* below 1,000,000,000 */
} ts_sys_time;

uint64_t ts_sys_monotonic(void);
uint64_t ts_sys_cpu(void); /* CPU time that this process has used on all cores */
uint64_t ts_sys_monotonic_resolution(void);
ts_sys_time ts_sys_wall(void);
ts_sys_time ts_sys_wall_resolution(void);
/* Reports the local time zone at an instant. Returns false, and writes nothing, if it is unknown. */
bool ts_sys_zone(int64_t when, int32_t *utc_offset, char *name, size_t size, bool *dst);
#endif
