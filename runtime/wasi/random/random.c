/* random: wasi:random/random, insecure, insecure-seed.
 * In: a length. Out: bytes from the OS; insecure bytes from a small generator (splitmix64) seeded by the OS.
 * wit: wasi:random/random, insecure, insecure-seed */
#include "wasi/context.h"
#include "sys/entropy.h"
#include <string.h>

enum { STEP = 1 << 20 }; /* bytes between two checks whether the run must stop */

void ts_wasi_set_seed(ts_wasi *w, uint64_t seed) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (!g) return;
    g->seeded = true;
    w->seed = g->seed = seed;
    w->insecure[0] = w->insecure[1] = 0;
    w->has_insecure_seed = false;
}

/* Returns the next value of a splitmix64 sequence. */
static uint64_t step(uint64_t *state, uint64_t add) {
    uint64_t z = *state += add;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The bytes of --seed: the same in each run, on any byte order. */
static ts_status seeded(ts_wasi *w, uint8_t *buf, size_t len) {
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++, v >>= 8) {
        if (i % 8 == 0) v = step(&w->seed, 0x9e3779b97f4a7c15u);
        buf[i] = (uint8_t)v;
    }
    return TS_OK;
}
static ts_status secure(ts_host_call *c, void *buf, size_t len) {
    ts_wasi *w = ts_wasi_of(c);
    if (w->grants->seeded) return seeded(w, buf, len);
    ts_sys_err e = TS_SYS_OK;
    if (len <= sizeof w->fresh / 4) { /* short requests use buffered OS bytes; each byte is used once, then erased */
        if (len > w->fresh_left) {
            e = ts_sys_random(w->fresh, sizeof w->fresh);
            w->fresh_left = e ? 0 : (uint32_t)sizeof w->fresh;
        }
        if (!e && len) {
            w->fresh_left -= (uint32_t)len;
            memcpy(buf, w->fresh + w->fresh_left, len);
            memset(w->fresh + w->fresh_left, 0, len);
        }
    } else {
        e = ts_sys_random(buf, len);
    }
    return e ? ts_host_trap(c, "no random bytes: %s", ts_sys_err_text(e)) : TS_OK;
}

/* A length beyond the limit of results traps, because there is no error to return. */
static ts_status check(ts_host_call *c, uint64_t len) {
    uint64_t most = ts_wasi_max_bytes(c);
    if (ts_wasi_of(c)->grants->max_random < most) most = ts_wasi_of(c)->grants->max_random;
    if (len > most)
        return ts_host_limit(c, TS_LIMIT_RANDOM, "%llu random bytes asked for: at most %llu are given at once",
                             (unsigned long long)len, (unsigned long long)most);
    return TS_OK;
}
/* Allocates a list<u8> of len. */
static ts_status room(ts_host_call *c, uint64_t len, uint8_t **out) {
    TS_TRY(check(c, len));
    *out = ts_arena_alloc(c->arena, (size_t)len);
    return *out || !len ? TS_OK : ts_fail_nomem(c->err);
}

ts_status ts_wasi_random_fill(ts_host_call *c, uint8_t *buf, size_t len) {
    TS_TRY(check(c, len));
    for (size_t at = 0; at < len; at += STEP) {
        TS_TRY(secure(c, buf + at, len - at < STEP ? len - at : STEP));
        TS_TRY(ts_wasi_interrupted(c));
    }
    return TS_OK;
}
ts_status ts_wasi_random_random_get_random_bytes(ts_host_call *c, const ts_val *args, ts_val *result) {
    size_t len = (size_t)args[0].u64;
    uint8_t *buf = NULL;
    TS_TRY(room(c, args[0].u64, &buf));
    TS_TRY(ts_wasi_random_fill(c, buf, len));
    *result = (ts_val){.raw = {buf, len}};
    return TS_OK;
}
ts_status ts_wasi_random_random_get_random_u64(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    uint64_t v;
    TS_TRY(secure(c, &v, sizeof v));
    *result = (ts_val){.u64 = v};
    return TS_OK;
}

static ts_status insecure(ts_host_call *c, uint64_t *out) {
    ts_wasi *w = ts_wasi_of(c);
    if (!w->insecure[1]) {
        TS_TRY(secure(c, w->insecure, sizeof w->insecure));
        w->insecure[1] |= 1; /* marks it as seeded; also, the step of the sequence must be odd */
    }
    *out = step(&w->insecure[0], w->insecure[1]);
    return TS_OK;
}

ts_status ts_wasi_random_insecure_get_insecure_random_bytes(ts_host_call *c, const ts_val *args, ts_val *result) {
    size_t len = (size_t)args[0].u64;
    uint8_t *buf = NULL;
    TS_TRY(room(c, args[0].u64, &buf));
    for (size_t at = 0; at < len; at += 8) {
        uint64_t v;
        TS_TRY(insecure(c, &v));
        memcpy(buf + at, &v, len - at < 8 ? len - at : 8);
        if ((at & (STEP - 1)) == 0) TS_TRY(ts_wasi_interrupted(c));
    }
    *result = (ts_val){.raw = {buf, len}};
    return TS_OK;
}
ts_status ts_wasi_random_insecure_get_insecure_random_u64(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    uint64_t v;
    TS_TRY(insecure(c, &v));
    *result = (ts_val){.u64 = v};
    return TS_OK;
}
ts_status ts_wasi_random_insecure_seed_insecure_seed(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    ts_wasi *w = ts_wasi_of(c);
    ts_val *v = ts_host_vals(c, 2);
    if (!v) return ts_fail_nomem(c->err);
    if (!w->has_insecure_seed) TS_TRY(secure(c, w->insecure_seed, sizeof w->insecure_seed));
    w->has_insecure_seed = true;
    v[0] = (ts_val){.u64 = w->insecure_seed[0]};
    v[1] = (ts_val){.u64 = w->insecure_seed[1]};
    *result = (ts_val){.list = {v, 2}};
    return TS_OK;
}
