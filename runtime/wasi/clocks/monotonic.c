/* clocks/monotonic: wasi:clocks/monotonic-clock.
 * In: nothing, or an instant or duration. Out: nanoseconds, pollables. wit: wasi:clocks/monotonic-clock */
#include "wasi/context.h"

uint64_t ts_wasi_now(const ts_wasi *w) {
    return w->grants->clock_own ? w->clock_ns : ts_sys_monotonic();
}
uint64_t ts_wasi_read_clock(ts_wasi *w) {
    if (w->grants->clock_own) w->clock_ns += TS_WASI_CLOCK_STEP_NS;
    return ts_wasi_now(w);
}
uint64_t ts_wasi_clock_resolution(const ts_wasi *w) {
    return w->grants->clock_own ? TS_WASI_CLOCK_STEP_NS : ts_sys_monotonic_resolution();
}
void ts_wasi_set_clock(ts_wasi *w, uint64_t start_s, uint32_t start_ns) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (!g) return;
    g->clock_own = true;
    g->clock_start = (ts_sys_time){.s = (int64_t)start_s, .ns = start_ns};
    w->clock_ns = 0;
}

ts_status ts_wasi_clocks_monotonic_clock_now(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    *result = (ts_val){.u64 = ts_wasi_read_clock(ts_wasi_of(c))};
    return TS_OK;
}
ts_status ts_wasi_clocks_monotonic_clock_resolution(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    *result = (ts_val){.u64 = ts_wasi_clock_resolution(ts_wasi_of(c))};
    return TS_OK;
}
ts_status ts_wasi_clocks_monotonic_clock_subscribe_instant(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, NULL, true, args[0].u64, result);
}
ts_status ts_wasi_clocks_monotonic_clock_subscribe_duration(ts_host_call *c, const ts_val *args, ts_val *result) {
    uint64_t now = ts_wasi_now(ts_wasi_of(c)), when = args[0].u64;
    /* an instant beyond the clock's range is never reached */
    return ts_wasi_pollable_new(c, NULL, true, when > UINT64_MAX - now ? UINT64_MAX : now + when, result);
}
