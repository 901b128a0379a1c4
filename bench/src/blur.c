/* A 3 × 3 blur of an 8-bit image: 16 pixels at once with 128-bit vectors; the native build is the same arithmetic, one
 * pixel at a time. feature: simd */
#include "bench.h"
enum { W = 256 + 32, H = 128 };
static u8 picture[2][H][W] __attribute__((aligned(16)));
#ifdef __wasm__
#include <wasm_simd128.h>
static inline v128_t row(const u8 *p) { /* (left + right + 1) / 2, then with the middle */
    v128_t sides = wasm_u8x16_avgr(wasm_v128_load(p - 1), wasm_v128_load(p + 1));
    return wasm_u8x16_avgr(sides, wasm_v128_load(p));
}
static NOINLINE void blur(const u8 *from, u8 *to) {
    for (i32 y = 1; y < H - 1; y++)
        for (i32 x = 16; x < W - 16; x += 16) {
            const u8 *p = from + y * W + x;
            v128_t rows = wasm_u8x16_avgr(wasm_u8x16_avgr(row(p - W), row(p + W)), row(p));
            /* a little darker each time, in 16 bits */
            v128_t low = wasm_u16x8_extend_low_u8x16(rows), high = wasm_u16x8_extend_high_u8x16(rows);
            low = wasm_u16x8_shr(wasm_i16x8_mul(low, wasm_i16x8_splat(253)), 8);
            high = wasm_u16x8_shr(wasm_i16x8_mul(high, wasm_i16x8_splat(253)), 8);
            wasm_v128_store(to + y * W + x, wasm_u8x16_narrow_i16x8(low, high));
        }
}
#else
static inline u32 mean(u32 a, u32 b) {
    return (a + b + 1) / 2;
}
static inline u32 row(const u8 *p) {
    return mean(mean(p[-1], p[1]), p[0]);
}
static NOINLINE void blur(const u8 *from, u8 *restrict to) {
    for (i32 y = 1; y < H - 1; y++)
        for (i32 x = 16; x < W - 16; x++) {
            const u8 *p = from + y * W + x;
            to[y * W + x] = (u8)(mean(mean(row(p - W), row(p + W)), row(p)) * 253 >> 8);
        }
}
#endif
RUN i32 run(i32 n) {
    u32 seed = 11, sum = 0;
    for (i32 y = 0; y < H; y++)
        for (i32 x = 0; x < W; x++) picture[0][y][x] = picture[1][y][x] = (u8)next_random(&seed);
    for (i32 r = 0; r < n; r++) {
        blur(picture[r & 1][0], picture[~r & 1][0]);
        picture[~r & 1][1 + r % (H - 2)][16 + r % 256] = 255;
    }
    for (i32 y = 0; y < H; y++)
        for (i32 x = 0; x < W; x++) sum = sum * 31 + picture[n & 1][y][x];
    return (i32)sum;
}
