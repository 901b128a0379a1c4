/* clocks/wall: wasi:clocks/wall-clock and the unstable wasi:clocks/timezone.
 * In: nothing, or a datetime. Out: datetimes, the local zone. wit: wasi:clocks/wall-clock, timezone */
#include "wasi/context.h"
#include <string.h>

static ts_status datetime(ts_host_call *c, ts_sys_time t, ts_val *result) {
    ts_val *v = ts_host_vals(c, 2);
    if (!v) return ts_fail_nomem(c->err);
    if (t.s < 0) t = (ts_sys_time){0}; /* datetime cannot express times before 1970: use the nearest one */
    v[TS_WASI_CLOCKS_DATETIME_SECONDS_I] = (ts_val){.u64 = (uint64_t)t.s};
    v[TS_WASI_CLOCKS_DATETIME_NANOSECONDS_I] = (ts_val){.u32 = t.ns};
    *result = (ts_val){.list = {v, 2}};
    return TS_OK;
}

/* The guest's own clock: the start that was set, and the time since. */
static ts_sys_time own_time(ts_wasi *w) {
    ts_sys_time start = w->grants->clock_start;
    uint64_t ns = ts_wasi_read_clock(w) + start.ns;
    return (ts_sys_time){.s = start.s + (int64_t)(ns / 1000000000u), .ns = (uint32_t)(ns % 1000000000u)};
}
ts_sys_time ts_wasi_wall(ts_wasi *w) {
    return w->grants->clock_own ? own_time(w) : ts_sys_wall();
}
ts_sys_time ts_wasi_wall_resolution(const ts_wasi *w) {
    return w->grants->clock_own ? (ts_sys_time){.ns = TS_WASI_CLOCK_STEP_NS} : ts_sys_wall_resolution();
}

ts_status ts_wasi_clocks_wall_clock_now(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return datetime(c, ts_wasi_wall(ts_wasi_of(c)), result);
}
ts_status ts_wasi_clocks_wall_clock_resolution(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return datetime(c, ts_wasi_wall_resolution(ts_wasi_of(c)), result);
}

/* The zone at a datetime, or UTC if it is unknown. */
static void zone(const ts_wasi *w, const ts_val *when, int32_t *offset, char *name, size_t size, bool *dst) {
    uint64_t s = when->list.ptr[TS_WASI_CLOCKS_DATETIME_SECONDS_I].u64;
    if (!w->grants->clock_own && s <= INT64_MAX && ts_sys_zone((int64_t)s, offset, name, size, dst) &&
        *offset > -86400 && *offset < 86400)
        return;
    *offset = 0;
    *dst = false;
    memcpy(name, "UTC", 4);
}

ts_status ts_wasi_clocks_timezone_display(ts_host_call *c, const ts_val *args, ts_val *result) {
    char name[64];
    bool dst;
    int32_t offset;
    zone(ts_wasi_of(c), &args[0], &offset, name, sizeof name, &dst);
    ts_val *v = ts_host_vals(c, TS_WASI_CLOCKS_TIMEZONE_DISPLAY_FIELDS_);
    char *copy = ts_arena_strndup(c->arena, name, strlen(name));
    if (!v || !copy) return ts_fail_nomem(c->err);
    v[TS_WASI_CLOCKS_TIMEZONE_DISPLAY_UTC_OFFSET_I] = (ts_val){.s32 = offset};
    v[TS_WASI_CLOCKS_TIMEZONE_DISPLAY_NAME_I] = (ts_val){.str = {copy, strlen(copy)}};
    v[TS_WASI_CLOCKS_TIMEZONE_DISPLAY_IN_DAYLIGHT_SAVING_TIME_I] = (ts_val){.b = dst};
    *result = (ts_val){.list = {v, TS_WASI_CLOCKS_TIMEZONE_DISPLAY_FIELDS_}};
    return TS_OK;
}
ts_status ts_wasi_clocks_timezone_utc_offset(ts_host_call *c, const ts_val *args, ts_val *result) {
    char name[64];
    bool dst;
    int32_t offset;
    zone(ts_wasi_of(c), &args[0], &offset, name, sizeof name, &dst);
    *result = (ts_val){.s32 = offset};
    return TS_OK;
}
