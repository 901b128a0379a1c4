/* clocks_monotonic: wasi:clocks/monotonic-clock.
 * In: nothing, or an instant or duration. Out: nanoseconds, pollables. wit: wasi:clocks/monotonic-clock */
#include "wasi/context.h"

ts_status ts_wasi_clocks_monotonic_clock_now(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)c, (void)args;
    *result = (ts_val){.u64 = ts_sys_monotonic()};
    return TS_OK;
}
ts_status ts_wasi_clocks_monotonic_clock_resolution(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)c, (void)args;
    *result = (ts_val){.u64 = ts_sys_monotonic_resolution()};
    return TS_OK;
}
ts_status ts_wasi_clocks_monotonic_clock_subscribe_instant(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, NULL, true, args[0].u64, result);
}
ts_status ts_wasi_clocks_monotonic_clock_subscribe_duration(ts_host_call *c, const ts_val *args, ts_val *result) {
    uint64_t now = ts_sys_monotonic(), when = args[0].u64;
    /* beyond the clock's end: never */
    return ts_wasi_pollable_new(c, NULL, true, when > UINT64_MAX - now ? UINT64_MAX : now + when, result);
}
