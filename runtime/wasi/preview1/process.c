/* process: arguments, environment, clocks, random bytes, the end of the run.
 * In: the grants of the context. Out: bytes in the memory of the guest; a trap or an exit.
 * witx: args_*, environ_*, clock_*, proc_*, sched_yield, random_get */
#include "wasi/preview1/state.h"
#include <stdio.h>
#include <string.h>

/* Strings are "NAME=VALUE" for variables, and arguments else. */
static size_t text_len(const ts_wasi_grants *g, bool env, uint32_t i) {
    return env ? strlen(g->env.data[i].name) + 1 + strlen(g->env.data[i].value) : strlen(g->args.data[i]);
}
static uint32_t count(const ts_wasi_grants *g, bool env, uint64_t *bytes) {
    uint32_t n = env ? g->env.len : g->args.len;
    *bytes = 0;
    for (uint32_t i = 0; i < n; i++) *bytes += text_len(g, env, i) + 1;
    return n;
}
static ts_status sizes_get(ts_p1_call *c, bool env) {
    uint64_t bytes;
    uint32_t n = count(ts_p1_wasi(c)->grants, env, &bytes);
    if (bytes > UINT32_MAX) return ts_p1_end(c, TS_P1_OVERFLOW);
    TS_TRY(ts_p1_end_u32(c, 0, n));
    return ts_p1_end_u32(c, 1, (uint32_t)bytes);
}
/* Writes n pointers and the strings that they point to, each with a NUL. */
static ts_status strings_get(ts_p1_call *c, bool env, uint64_t pointers, uint64_t texts) {
    const ts_wasi_grants *g = ts_p1_wasi(c)->grants;
    uint64_t bytes;
    uint32_t n = count(g, env, &bytes);
    uint8_t *at, *to;
    if (!ts_p1_aligned(c, pointers, 4) || !(at = ts_p1_bytes(c, pointers, (uint64_t)n * 4)) ||
        !(to = ts_p1_bytes(c, texts, bytes)))
        return c->status;
    for (uint32_t i = 0; i < n; i++) {
        size_t len = text_len(g, env, i) + 1;
        ts_p1_store32(at + (size_t)i * 4, (uint32_t)texts);
        if (env) {
            size_t name = strlen(g->env.data[i].name);
            memcpy(to, g->env.data[i].name, name);
            to[name] = '=';
            memcpy(to + name + 1, g->env.data[i].value, len - name - 1);
        } else {
            memcpy(to, g->args.data[i], len);
        }
        to += len;
        texts += len;
    }
    return ts_p1_end(c, TS_P1_SUCCESS);
}
TS_P1_FN(args_sizes_get) {
    (void)a;
    return sizes_get(c, false);
}
TS_P1_FN(args_get) {
    return strings_get(c, false, a[0], a[1]);
}
TS_P1_FN(environ_sizes_get) {
    (void)a;
    return sizes_get(c, true);
}
TS_P1_FN(environ_get) {
    return strings_get(c, true, a[0], a[1]);
}

/* --- clocks --- */
uint64_t ts_p1_nanoseconds(ts_sys_time t) {
    if (t.s < 0) return 0;
    return (uint64_t)t.s >= UINT64_MAX / 1000000000u ? UINT64_MAX : (uint64_t)t.s * 1000000000u + t.ns;
}
/* witx: "For unsupported clocks, return errno::inval." The CPU time of the guest is not known apart from that
 * of the host. */
TS_P1_FN(clock_res_get) {
    const ts_wasi *w = ts_p1_wasi(c);
    if (a[0] == TS_P1_CLOCK_REALTIME) return ts_p1_end_u64(c, 0, ts_p1_nanoseconds(ts_wasi_wall_resolution(w)));
    if (a[0] == TS_P1_CLOCK_MONOTONIC) return ts_p1_end_u64(c, 0, ts_wasi_clock_resolution(w));
    return ts_p1_end(c, TS_P1_INVAL);
}
TS_P1_FN(clock_time_get) {
    ts_wasi *w = ts_p1_wasi(c);
    if (a[0] == TS_P1_CLOCK_REALTIME) return ts_p1_end_u64(c, 0, ts_p1_nanoseconds(ts_wasi_wall(w)));
    if (a[0] == TS_P1_CLOCK_MONOTONIC) return ts_p1_end_u64(c, 0, ts_wasi_read_clock(w));
    return ts_p1_end(c, TS_P1_INVAL);
}

/* --- the end --- */
/* witx: "The meanings of other values is dependent on the environment." A process has 8 bits for its status;
 * cutting a larger one could turn a failure into 0. */
TS_P1_FN(proc_exit) {
    if (a[0] > 255)
        return c->status =
                   ts_host_trap(&c->host, "exit with status %llu: at most 255 is possible", (unsigned long long)a[0]);
    return c->status = ts_wasi_leave(&c->host, (int)a[0]);
}
/* Nothing can continue a process that was stopped. Termination by a signal is a trap here, as abort is. */
TS_P1_FN(proc_raise) {
#define SIGNAL(name, action) {name, action},
    static const struct {
        const char *name;
        char action;
    } signals[] = {TS_P1_SIGNALS(SIGNAL)};
    if (a[0] >= TS_P1_N_SIGNALS) return ts_p1_end(c, TS_P1_INVAL);
    if (signals[a[0]].action == 'S') return ts_p1_end(c, TS_P1_NOTSUP);
    if (signals[a[0]].action == '-') return ts_p1_end(c, TS_P1_SUCCESS);
    return c->status = ts_host_trap(&c->host, "the guest raised the signal %s", signals[a[0]].name);
}
TS_P1_FN(sched_yield) {
    (void)a;
    if (!ts_p1_is_ok(c, ts_wasi_interrupted(&c->host))) return c->status;
    return ts_p1_end(c, TS_P1_SUCCESS);
}

TS_P1_FN(random_get) {
    uint8_t *at = ts_p1_bytes(c, a[0], a[1]);
    if (!at || !ts_p1_is_ok(c, ts_wasi_random_fill(&c->host, at, (size_t)a[1]))) return c->status;
    return ts_p1_end(c, TS_P1_SUCCESS);
}
