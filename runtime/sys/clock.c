/* sys/clock: see clock.h */
#define _GNU_SOURCE
#include "sys/clock.h"
#include <stdio.h>
#include <time.h>

static ts_sys_time from(struct timespec t) {
    return (ts_sys_time){.s = t.tv_sec, .ns = (uint32_t)t.tv_nsec};
}

uint64_t ts_sys_monotonic(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
uint64_t ts_sys_cpu(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
uint64_t ts_sys_monotonic_resolution(void) {
    struct timespec t = {.tv_nsec = 1};
    clock_getres(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
ts_sys_time ts_sys_wall(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    return from(t);
}
ts_sys_time ts_sys_wall_resolution(void) {
    struct timespec t = {.tv_nsec = 1};
    clock_getres(CLOCK_REALTIME, &t);
    return from(t);
}

bool ts_sys_zone(int64_t when, int32_t *utc_offset, char *name, size_t size, bool *dst) {
    time_t t = (time_t)when;
    struct tm tm;
    tzset();
    if ((int64_t)t != when || !localtime_r(&t, &tm)) return false;
    *utc_offset = (int32_t)tm.tm_gmtoff;
    *dst = tm.tm_isdst > 0;
    snprintf(name, size, "%s", tm.tm_zone ? tm.tm_zone : "UTC");
    return true;
}
