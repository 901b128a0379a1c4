/* What every benchmark program stands on: no libc, one export `run(n)`, whose result is a checksum that all engines
 * must agree on. Work is proportional to n. State is set up anew in each call, so that calls can be repeated. */
#ifndef BENCH_H
#define BENCH_H
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#ifdef __wasm__
#define RUN __attribute__((export_name("run")))
#else
#define RUN
#endif
#define NOINLINE __attribute__((noinline))

i32 run(i32 n);

static inline u32 rotr(u32 x, int n) {
    return (x >> n) | (x << (32 - n));
}
static inline u32 rotl(u32 x, int n) {
    return (x << n) | (x >> (32 - n));
}
/* a small generator of numbers, the same everywhere */
static inline u32 next_random(u32 *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}
#endif
