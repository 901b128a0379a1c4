/* test_simd: every vector operation against its scalar definition, on random and on edge lanes.
 * In: core/run/simd.h. Out: cmocka results. spec: exec/numerics. test_simd_portable.c is the same without
 * intrinsics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "core/run/simd.h"

enum { ROUNDS = 3000 };

/* --- inputs --------------------------------------------------------------------------------------------- */
static uint64_t seed = 0x9e3779b97f4a7c15u;
static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static ts_v128 any_vector(void) {
    static const uint32_t e32[] = {0,      1,          0x7f,       0x80,       0xff,       0x7fff,    0x8000,
                                   0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x80008000, 0x7fff8000};
    static const float f32[] = {0.0f,          -0.0f,          0.5f,          -0.5f,         1.5f,          2.5f,
                                -2.5f,         0.49999997f,    8388607.5f,    -8388607.5f,   8388608.0f,    8388609.0f,
                                2147483648.0f, -2147483648.0f, 4294967296.0f, 2147483520.0f, 4294967040.0f, INFINITY,
                                -INFINITY,     1e-45f,         1e38f,         -1.0f};
    static const double f64[] = {0.0,
                                 -0.0,
                                 0.5,
                                 -0.5,
                                 1.5,
                                 2.5,
                                 -2.5,
                                 0.49999999999999994,
                                 4503599627370495.5,
                                 -4503599627370495.5,
                                 4503599627370496.0,
                                 2147483647.0,
                                 2147483647.5,
                                 2147483648.0,
                                 -2147483648.0,
                                 -2147483648.9,
                                 -2147483649.0,
                                 4294967295.0,
                                 4294967295.9,
                                 4294967296.0,
                                 INFINITY,
                                 -INFINITY,
                                 5e-324,
                                 1e308,
                                 -1.0};
    ts_v128 v;
    v.q[0] = rnd();
    v.q[1] = rnd();
    uint64_t kind = rnd() % 8;
    for (unsigned i = 0; i < 4; i++) {
        if (kind == 1 || (kind == 2 && rnd() % 2)) v.u32[i] = e32[rnd() % (sizeof e32 / sizeof *e32)];
        if (kind == 3 || (kind == 4 && rnd() % 2)) v.f32[i] = f32[rnd() % (sizeof f32 / sizeof *f32)];
        if (kind == 4 && rnd() % 5 == 0) v.u32[i] = 0x7f800001u | (uint32_t)(rnd() & 0x80ffffff);
    }
    for (unsigned i = 0; i < 2 && kind >= 5; i++) {
        if (kind == 5 || rnd() % 2) v.f64[i] = f64[rnd() % (sizeof f64 / sizeof *f64)];
        if (kind == 6 && rnd() % 5 == 0) v.q[i] = 0x7ff0000000000001u | rnd() % (1ull << 51);
        if (kind == 7) v.u8[rnd() % 16] = 0x80;
    }
    return v;
}

/* --- comparing ------------------------------------------------------------------------------------------ */
static void fail_at(const char *op, unsigned lane, ts_v128 a, ts_v128 b, ts_v128 got, ts_v128 want) {
    fail_msg("%s lane %u: a %016lx%016lx b %016lx%016lx got %016lx%016lx want %016lx%016lx", op, lane, a.q[1], a.q[0],
             b.q[1], b.q[0], got.q[1], got.q[0], want.q[1], want.q[0]);
}
static bool same32(uint32_t got, uint32_t want) { /* any quiet NaN for a NaN */
    if ((want & 0x7fffffff) > 0x7f800000) return (got & 0x7fc00000) == 0x7fc00000;
    return got == want;
}
static bool same64(uint64_t got, uint64_t want) {
    if ((want & 0x7fffffffffffffff) > 0x7ff0000000000000) return (got & 0x7ff8000000000000) == 0x7ff8000000000000;
    return got == want;
}

/* M: the member, N: its lanes; x, y, z: the operands' lanes of another member L; W: the wanted lane. */
#define BIN(op, M, N, expr)                                                                                            \
    for (int round_ = 0; round_ < ROUNDS; round_++) {                                                                  \
        ts_v128 a = any_vector(), b = any_vector(), got = ts_simd_##op(a, b), want;                                    \
        for (unsigned i = 0; i < N; i++) want.M[i] = expr;                                                             \
        for (unsigned i = 0; i < N; i++)                                                                               \
            if (got.M[i] != want.M[i]) fail_at(#op, i, a, b, got, want);                                               \
    }
#define UN(op, M, N, expr)                                                                                             \
    for (int round_ = 0; round_ < ROUNDS; round_++) {                                                                  \
        ts_v128 a = any_vector(), b = a, got = ts_simd_##op(a), want;                                                  \
        for (unsigned i = 0; i < N; i++) want.M[i] = expr;                                                             \
        for (unsigned i = 0; i < N; i++)                                                                               \
            if (got.M[i] != want.M[i]) fail_at(#op, i, a, b, got, want);                                               \
    }
#define FBIN(op, S, N, expr)                                                                                           \
    for (int round_ = 0; round_ < ROUNDS; round_++) {                                                                  \
        ts_v128 a = any_vector(), b = any_vector(), got = ts_simd_##op(a, b), want;                                    \
        for (unsigned i = 0; i < N; i++) want.f##S[i] = expr;                                                          \
        for (unsigned i = 0; i < N; i++)                                                                               \
            if (!same##S(got.u##S[i], want.u##S[i])) fail_at(#op, i, a, b, got, want);                                 \
    }
#define FUN(op, S, N, expr)                                                                                            \
    for (int round_ = 0; round_ < ROUNDS; round_++) {                                                                  \
        ts_v128 a = any_vector(), b = a, got = ts_simd_##op(a), want;                                                  \
        for (unsigned i = 0; i < N; i++) want.f##S[i] = expr;                                                          \
        for (unsigned i = 0; i < N; i++)                                                                               \
            if (!same##S(got.u##S[i], want.u##S[i])) fail_at(#op, i, a, b, got, want);                                 \
    }

static int64_t clamp(int64_t x, int64_t lo, int64_t hi) {
    return x < lo ? lo : x > hi ? hi : x;
}
#define MASK(T, c) ((T)((c) ? -1 : 0))

/* --- integers ------------------------------------------------------------------------------------------- */
#define COMPARE(sh, S, N, T)                                                                                           \
    BIN(sh##_eq, u##S, N, MASK(T, a.u##S[i] == b.u##S[i]))                                                             \
    BIN(sh##_ne, u##S, N, MASK(T, a.u##S[i] != b.u##S[i]))                                                             \
    BIN(sh##_lt_s, u##S, N, MASK(T, a.s##S[i] < b.s##S[i]))                                                            \
    BIN(sh##_gt_s, u##S, N, MASK(T, a.s##S[i] > b.s##S[i]))                                                            \
    BIN(sh##_le_s, u##S, N, MASK(T, a.s##S[i] <= b.s##S[i]))                                                           \
    BIN(sh##_ge_s, u##S, N, MASK(T, a.s##S[i] >= b.s##S[i]))
#define COMPARE_U(sh, S, N, T)                                                                                         \
    BIN(sh##_lt_u, u##S, N, MASK(T, a.u##S[i] < b.u##S[i]))                                                            \
    BIN(sh##_gt_u, u##S, N, MASK(T, a.u##S[i] > b.u##S[i]))                                                            \
    BIN(sh##_le_u, u##S, N, MASK(T, a.u##S[i] <= b.u##S[i]))                                                           \
    BIN(sh##_ge_u, u##S, N, MASK(T, a.u##S[i] >= b.u##S[i]))
#define ARITH(sh, S, N, T)                                                                                             \
    BIN(sh##_add, u##S, N, (T)(a.u##S[i] + b.u##S[i]))                                                                 \
    BIN(sh##_sub, u##S, N, (T)(a.u##S[i] - b.u##S[i]))                                                                 \
    UN(sh##_neg, u##S, N, (T)(0 - a.u##S[i]))                                                                          \
    UN(sh##_abs, u##S, N, (T)(a.s##S[i] < 0 ? 0 - a.u##S[i] : a.u##S[i]))
#define MINMAX(sh, S, N)                                                                                               \
    BIN(sh##_min_s, s##S, N, a.s##S[i] < b.s##S[i] ? a.s##S[i] : b.s##S[i])                                            \
    BIN(sh##_max_s, s##S, N, a.s##S[i] > b.s##S[i] ? a.s##S[i] : b.s##S[i])                                            \
    BIN(sh##_min_u, u##S, N, a.u##S[i] < b.u##S[i] ? a.u##S[i] : b.u##S[i])                                            \
    BIN(sh##_max_u, u##S, N, a.u##S[i] > b.u##S[i] ? a.u##S[i] : b.u##S[i])
#define SATURATE(sh, S, N, lo, hi, max)                                                                                \
    BIN(sh##_add_sat_s, s##S, N, (int16_t)clamp(a.s##S[i] + b.s##S[i], lo, hi))                                        \
    BIN(sh##_sub_sat_s, s##S, N, (int16_t)clamp(a.s##S[i] - b.s##S[i], lo, hi))                                        \
    BIN(sh##_add_sat_u, u##S, N, (uint16_t)clamp(a.u##S[i] + b.u##S[i], 0, max))                                       \
    BIN(sh##_sub_sat_u, u##S, N, (uint16_t)clamp(a.u##S[i] - b.u##S[i], 0, max))                                       \
    BIN(sh##_avgr_u, u##S, N, (uint16_t)((a.u##S[i] + b.u##S[i] + 1) / 2))

static void compares(void **state) {
    (void)state;
    COMPARE(i8x16, 8, 16, uint8_t)
    COMPARE_U(i8x16, 8, 16, uint8_t)
    COMPARE(i16x8, 16, 8, uint16_t)
    COMPARE_U(i16x8, 16, 8, uint16_t)
    COMPARE(i32x4, 32, 4, uint32_t)
    COMPARE_U(i32x4, 32, 4, uint32_t)
    COMPARE(i64x2, 64, 2, uint64_t)
#define FCOMPARE(sh, S, N, T)                                                                                          \
    BIN(sh##_eq, u##S, N, MASK(T, a.f##S[i] == b.f##S[i]))                                                             \
    BIN(sh##_ne, u##S, N, MASK(T, a.f##S[i] != b.f##S[i]))                                                             \
    BIN(sh##_lt, u##S, N, MASK(T, a.f##S[i] < b.f##S[i]))                                                              \
    BIN(sh##_gt, u##S, N, MASK(T, a.f##S[i] > b.f##S[i]))                                                              \
    BIN(sh##_le, u##S, N, MASK(T, a.f##S[i] <= b.f##S[i]))                                                             \
    BIN(sh##_ge, u##S, N, MASK(T, a.f##S[i] >= b.f##S[i]))
    FCOMPARE(f32x4, 32, 4, uint32_t)
    FCOMPARE(f64x2, 64, 2, uint64_t)
}

static void integers(void **state) {
    (void)state;
    ARITH(i8x16, 8, 16, uint8_t)
    ARITH(i16x8, 16, 8, uint16_t)
    ARITH(i32x4, 32, 4, uint32_t)
    ARITH(i64x2, 64, 2, uint64_t)
    BIN(i16x8_mul, u16, 8, (uint16_t)((uint32_t)a.u16[i] * b.u16[i]))
    BIN(i32x4_mul, u32, 4, a.u32[i] * b.u32[i])
    BIN(i64x2_mul, u64, 2, a.u64[i] * b.u64[i])
    MINMAX(i8x16, 8, 16)
    MINMAX(i16x8, 16, 8)
    MINMAX(i32x4, 32, 4)
    SATURATE(i8x16, 8, 16, -128, 127, 255)
    SATURATE(i16x8, 16, 8, -32768, 32767, 65535)
    UN(i8x16_popcnt, u8, 16, (uint8_t)__builtin_popcount(a.u8[i]))
    BIN(i16x8_q15mulr_sat_s, s16, 8, (int16_t)clamp(((int64_t)a.s16[i] * b.s16[i] + 0x4000) >> 15, -32768, 32767))
    BIN(i16x8_relaxed_q15mulr_s, s16, 8, (int16_t)clamp(((int64_t)a.s16[i] * b.s16[i] + 0x4000) >> 15, -32768, 32767))
    BIN(i32x4_dot_i16x8_s, u32, 4,
        (uint32_t)((int64_t)a.s16[2 * i] * b.s16[2 * i] + (int64_t)a.s16[2 * i + 1] * b.s16[2 * i + 1]))
    BIN(i16x8_relaxed_dot_i8x16_i7x16_s, s16, 8,
        (int16_t)clamp(a.s8[2 * i] * b.s8[2 * i] + a.s8[2 * i + 1] * b.s8[2 * i + 1], -32768, 32767))
    for (int round_ = 0; round_ < ROUNDS; round_++) {
        ts_v128 a = any_vector(), b = any_vector(), c = any_vector(),
                got = ts_simd_i32x4_relaxed_dot_i8x16_i7x16_add_s(a, b, c), want;
        for (unsigned i = 0; i < 4; i++) {
            int64_t lo = clamp(a.s8[4 * i] * b.s8[4 * i] + a.s8[4 * i + 1] * b.s8[4 * i + 1], -32768, 32767);
            int64_t hi = clamp(a.s8[4 * i + 2] * b.s8[4 * i + 2] + a.s8[4 * i + 3] * b.s8[4 * i + 3], -32768, 32767);
            want.u32[i] = (uint32_t)(lo + hi + c.s32[i]);
        }
        if (memcmp(&got, &want, 16) != 0) fail_at("relaxed_dot_add", 0, a, b, got, want);
    }
}

static void bits(void **state) {
    (void)state;
    UN(v128_not, u64, 2, ~a.u64[i])
    BIN(v128_and, u64, 2, a.u64[i] & b.u64[i])
    BIN(v128_andnot, u64, 2, a.u64[i] & ~b.u64[i])
    BIN(v128_or, u64, 2, a.u64[i] | b.u64[i])
    BIN(v128_xor, u64, 2, a.u64[i] ^ b.u64[i])
    for (int k = 0; k < ROUNDS; k++) {
        ts_v128 a = any_vector(), b = any_vector(), c = any_vector(), z = ts_simd_zero();
        ts_v128 got = ts_simd_v128_bitselect(a, b, c),
                lane[4] = {ts_simd_i8x16_relaxed_laneselect(a, b, c), ts_simd_i16x8_relaxed_laneselect(a, b, c),
                           ts_simd_i32x4_relaxed_laneselect(a, b, c), ts_simd_i64x2_relaxed_laneselect(a, b, c)};
        for (unsigned i = 0; i < 2; i++) {
            uint64_t want = (a.q[i] & c.q[i]) | (b.q[i] & ~c.q[i]);
            assert_int_equal(got.q[i], want);
            for (unsigned n = 0; n < 4; n++) assert_int_equal(lane[n].q[i], want);
        }
        assert_int_equal(ts_simd_v128_any_true(a), (a.q[0] | a.q[1]) != 0);
        assert_int_equal(ts_simd_v128_any_true(z), 0);
        z.u8[rnd() % 16] = (uint8_t)(1u << rnd() % 8);
        assert_int_equal(ts_simd_v128_any_true(z), 1);
        uint32_t m8 = 0, m16 = 0, m32 = 0, m64 = 0, t8 = 1, t16 = 1, t32 = 1, t64 = 1;
        for (unsigned i = 0; i < 16; i++) m8 |= (uint32_t)(a.u8[i] >> 7) << i, t8 &= a.u8[i] != 0;
        for (unsigned i = 0; i < 8; i++) m16 |= (uint32_t)(a.u16[i] >> 15) << i, t16 &= a.u16[i] != 0;
        for (unsigned i = 0; i < 4; i++) m32 |= (uint32_t)(a.u32[i] >> 31) << i, t32 &= a.u32[i] != 0;
        for (unsigned i = 0; i < 2; i++) m64 |= (uint32_t)(a.u64[i] >> 63) << i, t64 &= a.u64[i] != 0;
        assert_int_equal(ts_simd_i8x16_bitmask(a), m8);
        assert_int_equal(ts_simd_i16x8_bitmask(a), m16);
        assert_int_equal(ts_simd_i32x4_bitmask(a), m32);
        assert_int_equal(ts_simd_i64x2_bitmask(a), m64);
        assert_int_equal(ts_simd_i8x16_all_true(a), t8);
        assert_int_equal(ts_simd_i16x8_all_true(a), t16);
        assert_int_equal(ts_simd_i32x4_all_true(a), t32);
        assert_int_equal(ts_simd_i64x2_all_true(a), t64);
    }
}

#define SHIFTS(sh, S, N)                                                                                               \
    for (int k = 0; k < ROUNDS; k++) {                                                                                 \
        ts_v128 a = any_vector();                                                                                      \
        uint32_t n = k % 3 ? (uint32_t)rnd() % (2 * S) : (uint32_t)rnd();                                              \
        ts_v128 l = ts_simd_##sh##_shl(a, n), r = ts_simd_##sh##_shr_s(a, n), u = ts_simd_##sh##_shr_u(a, n);          \
        for (unsigned i = 0; i < N; i++) {                                                                             \
            assert_true(l.u##S[i] == (uint##S##_t)((uint64_t)a.u##S[i] << (n % S)));                                   \
            assert_true(r.s##S[i] == (int##S##_t)((int64_t)a.s##S[i] >> (n % S)));                                     \
            assert_true(u.u##S[i] == (uint##S##_t)((uint64_t)a.u##S[i] >> (n % S)));                                   \
        }                                                                                                              \
    }
static void shifts(void **state) {
    (void)state;
    SHIFTS(i8x16, 8, 16)
    SHIFTS(i16x8, 16, 8)
    SHIFTS(i32x4, 32, 4)
    SHIFTS(i64x2, 64, 2)
}

#define WIDEN(sh, from, D, S, N)                                                                                       \
    UN(sh##_extend_low_##from##_s, s##D, N, a.s##S[i])                                                                 \
    UN(sh##_extend_low_##from##_u, u##D, N, a.u##S[i])                                                                 \
    UN(sh##_extend_high_##from##_s, s##D, N, a.s##S[i + N])                                                            \
    UN(sh##_extend_high_##from##_u, u##D, N, a.u##S[i + N])                                                            \
    BIN(sh##_extmul_low_##from##_s, s##D, N, (int##D##_t)((int64_t)a.s##S[i] * b.s##S[i]))                             \
    BIN(sh##_extmul_low_##from##_u, u##D, N, (uint##D##_t)((uint64_t)a.u##S[i] * b.u##S[i]))                           \
    BIN(sh##_extmul_high_##from##_s, s##D, N, (int##D##_t)((int64_t)a.s##S[i + N] * b.s##S[i + N]))                    \
    BIN(sh##_extmul_high_##from##_u, u##D, N, (uint##D##_t)((uint64_t)a.u##S[i + N] * b.u##S[i + N]))
static void widths(void **state) {
    (void)state;
    WIDEN(i16x8, i8x16, 16, 8, 8)
    WIDEN(i32x4, i16x8, 32, 16, 4)
    WIDEN(i64x2, i32x4, 64, 32, 2)
    UN(i16x8_extadd_pairwise_i8x16_s, s16, 8, (int16_t)(a.s8[2 * i] + a.s8[2 * i + 1]))
    UN(i16x8_extadd_pairwise_i8x16_u, u16, 8, (uint16_t)(a.u8[2 * i] + a.u8[2 * i + 1]))
    UN(i32x4_extadd_pairwise_i16x8_s, s32, 4, a.s16[2 * i] + a.s16[2 * i + 1])
    UN(i32x4_extadd_pairwise_i16x8_u, u32, 4, (uint32_t)a.u16[2 * i] + a.u16[2 * i + 1])
    BIN(i8x16_narrow_i16x8_s, s8, 16, (int8_t)clamp(i < 8 ? a.s16[i] : b.s16[i - 8], -128, 127))
    BIN(i8x16_narrow_i16x8_u, u8, 16, (uint8_t)clamp(i < 8 ? a.s16[i] : b.s16[i - 8], 0, 255))
    BIN(i16x8_narrow_i32x4_s, s16, 8, (int16_t)clamp(i < 4 ? a.s32[i] : b.s32[i - 4], -32768, 32767))
    BIN(i16x8_narrow_i32x4_u, u16, 8, (uint16_t)clamp(i < 4 ? a.s32[i] : b.s32[i - 4], 0, 65535))
}

static void lanes(void **state) {
    (void)state;
    BIN(i8x16_swizzle, u8, 16, b.u8[i] < 16 ? a.u8[b.u8[i] & 15] : 0)
    BIN(i8x16_relaxed_swizzle, u8, 16, b.u8[i] < 16 ? a.u8[b.u8[i] & 15] : 0)
    for (int k = 0; k < ROUNDS; k++) {
        ts_v128 a = any_vector(), b = any_vector(), r;
        uint8_t at[16], mem[24];
        for (unsigned i = 0; i < 16; i++) at[i] = (uint8_t)(rnd() % 32);
        r = ts_simd_i8x16_shuffle(a, b, at);
        for (unsigned i = 0; i < 16; i++) assert_int_equal(r.u8[i], at[i] < 16 ? a.u8[at[i]] : b.u8[at[i] - 16]);
        unsigned lane = (unsigned)rnd() % 16, other = (lane + 1) % 16;
        uint64_t x = rnd();
        r = ts_simd_i8x16_replace_lane(a, lane, (uint32_t)x);
        assert_int_equal(ts_simd_i8x16_extract_lane_u(r, lane), x & 0xff);
        assert_int_equal(ts_simd_i8x16_extract_lane_s(r, lane), (int8_t)x);
        assert_int_equal(r.u8[other], a.u8[other]);
        r = ts_simd_i16x8_replace_lane(a, lane % 8, (uint32_t)x);
        assert_int_equal(ts_simd_i16x8_extract_lane_u(r, lane % 8), x & 0xffff);
        assert_int_equal(ts_simd_i16x8_extract_lane_s(r, lane % 8), (int16_t)x);
        assert_int_equal(r.u16[other % 8], other % 8 == lane % 8 ? (x & 0xffff) : a.u16[other % 8]);
        r = ts_simd_i32x4_replace_lane(a, lane % 4, (uint32_t)x);
        assert_int_equal(ts_simd_i32x4_extract_lane(r, lane % 4), (uint32_t)x);
        r = ts_simd_i64x2_replace_lane(a, lane % 2, x);
        assert_int_equal(ts_simd_i64x2_extract_lane(r, lane % 2), x);
        assert_int_equal(r.q[1 - lane % 2], a.q[1 - lane % 2]);
        r = ts_simd_f32x4_replace_lane(a, lane % 4, 1.5f);
        assert_true(ts_simd_f32x4_extract_lane(r, lane % 4) == 1.5f);
        r = ts_simd_f64x2_replace_lane(a, lane % 2, -2.25);
        assert_true(ts_simd_f64x2_extract_lane(r, lane % 2) == -2.25);
        ts_v128 s8 = ts_simd_i8x16_splat((uint32_t)x), s16 = ts_simd_i16x8_splat((uint32_t)x),
                s32 = ts_simd_i32x4_splat((uint32_t)x), s64 = ts_simd_i64x2_splat(x), sf = ts_simd_f32x4_splat(0.75f),
                sd = ts_simd_f64x2_splat(0.75);
        for (unsigned i = 0; i < 16; i++) {
            assert_int_equal(s8.u8[i], x & 0xff);
            assert_int_equal(s16.u16[i % 8], x & 0xffff);
            assert_int_equal(s32.u32[i % 4], x & 0xffffffff);
            assert_int_equal(s64.u64[i % 2], x);
            assert_true(sf.f32[i % 4] == 0.75f && sd.f64[i % 2] == 0.75);
        }
        /* loads and stores of parts, unaligned */
        for (unsigned i = 0; i < sizeof mem; i++) mem[i] = (uint8_t)rnd();
        const uint8_t *p = mem + 1;
        ts_v128 want = ts_simd_zero();
        memcpy(&want, p, 8);
        r = ts_simd_load64_zero(p);
        assert_memory_equal(&r, &want, 16);
        ts_v128 l8s = ts_simd_load8x8_s(p), l8u = ts_simd_load8x8_u(p), l16s = ts_simd_load16x4_s(p),
                l16u = ts_simd_load16x4_u(p), l32s = ts_simd_load32x2_s(p), l32u = ts_simd_load32x2_u(p);
        for (unsigned i = 0; i < 8; i++) {
            assert_true(l8s.s16[i] == want.s8[i] && l8u.u16[i] == want.u8[i]);
            assert_true(l16s.s32[i % 4] == want.s16[i % 4] && l16u.u32[i % 4] == want.u16[i % 4]);
            assert_true(l32s.s64[i % 2] == want.s32[i % 2] && l32u.u64[i % 2] == want.u32[i % 2]);
        }
        want.q[0] &= 0xffffffff;
        r = ts_simd_load32_zero(p);
        assert_memory_equal(&r, &want, 16);
        assert_int_equal(ts_simd_load8_splat(p).u8[15], p[0]);
        assert_int_equal(ts_simd_load16_splat(p).u16[7], p[0] | p[1] << 8);
        assert_int_equal(ts_simd_load32_splat(p).u32[3], want.u32[0]);
        r = ts_simd_load64_splat(p);
        assert_memory_equal(r.b, p, 8);
        assert_memory_equal(r.b + 8, p, 8);
        r = ts_simd_load16_lane(p, a, 3);
        assert_memory_equal(r.b + 6, p, 2);
        assert_memory_equal(r.b, a.b, 6);
        assert_memory_equal(r.b + 8, a.b + 8, 8);
        r = ts_simd_load8_lane(p, a, 15);
        assert_true(r.b[15] == p[0] && r.b[14] == a.b[14]);
        r = ts_simd_load32_lane(p, a, 2);
        assert_memory_equal(r.b + 8, p, 4);
        r = ts_simd_load64_lane(p, a, 1);
        assert_memory_equal(r.b + 8, p, 8);
        assert_memory_equal(r.b, a.b, 8);
        uint8_t to[18];
        memset(to, 0xee, sizeof to);
        ts_simd_store8_lane(to + 1, a, 5);
        assert_true(to[1] == a.b[5] && to[2] == 0xee);
        ts_simd_store16_lane(to + 1, a, 5);
        assert_memory_equal(to + 1, a.b + 10, 2);
        assert_int_equal(to[3], 0xee);
        ts_simd_store32_lane(to + 1, a, 3);
        assert_memory_equal(to + 1, a.b + 12, 4);
        assert_int_equal(to[5], 0xee);
        ts_simd_store64_lane(to + 1, a, 1);
        assert_memory_equal(to + 1, a.b + 8, 8);
        assert_int_equal(to[9], 0xee);
        ts_simd_store(to + 1, a);
        r = ts_simd_load(to + 1);
        assert_memory_equal(&r, &a, 16);
        assert_true(to[0] == 0xee && to[17] == 0xee);
    }
}

/* --- floats --------------------------------------------------------------------------------------------- */
/* spec: exec/numerics#op-fmin */
static double spec_min(double a, double b) {
    if (isnan(a) || isnan(b)) return NAN;
    if (a == 0 && b == 0) return signbit(a) ? a : b;
    return a < b ? a : b;
}
static double spec_max(double a, double b) {
    if (isnan(a) || isnan(b)) return NAN;
    if (a == 0 && b == 0) return signbit(a) ? b : a;
    return a > b ? a : b;
}
static int32_t sat_s(double x) {
    return isnan(x) ? 0 : (int32_t)fmax(-2147483648.0, fmin(2147483647.0, trunc(x)));
}
static uint32_t sat_u(double x) {
    return isnan(x) ? 0 : (uint32_t)fmax(0.0, fmin(4294967295.0, trunc(x)));
}

static void floats(void **state) {
    (void)state;
    FBIN(f32x4_add, 32, 4, a.f32[i] + b.f32[i])
    FBIN(f32x4_sub, 32, 4, a.f32[i] - b.f32[i])
    FBIN(f32x4_mul, 32, 4, a.f32[i] * b.f32[i])
    FBIN(f32x4_div, 32, 4, a.f32[i] / b.f32[i])
    FBIN(f64x2_add, 64, 2, a.f64[i] + b.f64[i])
    FBIN(f64x2_sub, 64, 2, a.f64[i] - b.f64[i])
    FBIN(f64x2_mul, 64, 2, a.f64[i] * b.f64[i])
    FBIN(f64x2_div, 64, 2, a.f64[i] / b.f64[i])
    FBIN(f32x4_min, 32, 4, (float)spec_min(a.f32[i], b.f32[i]))
    FBIN(f32x4_max, 32, 4, (float)spec_max(a.f32[i], b.f32[i]))
    FBIN(f64x2_min, 64, 2, spec_min(a.f64[i], b.f64[i]))
    FBIN(f64x2_max, 64, 2, spec_max(a.f64[i], b.f64[i]))
    FBIN(f32x4_relaxed_min, 32, 4, (float)spec_min(a.f32[i], b.f32[i]))
    FBIN(f32x4_relaxed_max, 32, 4, (float)spec_max(a.f32[i], b.f32[i]))
    FBIN(f64x2_relaxed_min, 64, 2, spec_min(a.f64[i], b.f64[i]))
    FBIN(f64x2_relaxed_max, 64, 2, spec_max(a.f64[i], b.f64[i]))
    /* pmin and pmax choose one operand bit for bit, also among NaNs */
    BIN(f32x4_pmin, u32, 4, b.f32[i] < a.f32[i] ? b.u32[i] : a.u32[i])
    BIN(f32x4_pmax, u32, 4, a.f32[i] < b.f32[i] ? b.u32[i] : a.u32[i])
    BIN(f64x2_pmin, u64, 2, b.f64[i] < a.f64[i] ? b.u64[i] : a.u64[i])
    BIN(f64x2_pmax, u64, 2, a.f64[i] < b.f64[i] ? b.u64[i] : a.u64[i])
    UN(f32x4_neg, u32, 4, a.u32[i] ^ 0x80000000u)
    UN(f32x4_abs, u32, 4, a.u32[i] & 0x7fffffffu)
    UN(f64x2_neg, u64, 2, a.u64[i] ^ 1ull << 63)
    UN(f64x2_abs, u64, 2, a.u64[i] & ~(1ull << 63))
    FUN(f32x4_sqrt, 32, 4, sqrtf(a.f32[i]))
    FUN(f64x2_sqrt, 64, 2, sqrt(a.f64[i]))
    FUN(f32x4_ceil, 32, 4, ceilf(a.f32[i]))
    FUN(f32x4_floor, 32, 4, floorf(a.f32[i]))
    FUN(f32x4_trunc, 32, 4, truncf(a.f32[i]))
    FUN(f32x4_nearest, 32, 4, rintf(a.f32[i]))
    FUN(f64x2_ceil, 64, 2, ceil(a.f64[i]))
    FUN(f64x2_floor, 64, 2, floor(a.f64[i]))
    FUN(f64x2_trunc, 64, 2, trunc(a.f64[i]))
    FUN(f64x2_nearest, 64, 2, rint(a.f64[i]))
    for (int k = 0; k < ROUNDS; k++) {
        ts_v128 a = any_vector(), b = any_vector(), c = any_vector(), want;
        ts_v128 m = ts_simd_f32x4_relaxed_madd(a, b, c), n = ts_simd_f32x4_relaxed_nmadd(a, b, c);
        ts_v128 md = ts_simd_f64x2_relaxed_madd(a, b, c), nd = ts_simd_f64x2_relaxed_nmadd(a, b, c);
        for (unsigned i = 0; i < 4; i++) {
            /* rounded before the addition */
            volatile float p = a.f32[i] * b.f32[i], q = -a.f32[i] * b.f32[i];
            want.f32[i] = p + c.f32[i];
            assert_true(same32(m.u32[i], want.u32[i]));
            want.f32[i] = q + c.f32[i];
            assert_true(same32(n.u32[i], want.u32[i]));
        }
        for (unsigned i = 0; i < 2; i++) {
            volatile double p = a.f64[i] * b.f64[i], q = -a.f64[i] * b.f64[i];
            want.f64[i] = p + c.f64[i];
            assert_true(same64(md.u64[i], want.u64[i]));
            want.f64[i] = q + c.f64[i];
            assert_true(same64(nd.u64[i], want.u64[i]));
        }
    }
}

static void conversions(void **state) {
    (void)state;
    FUN(f32x4_convert_i32x4_s, 32, 4, (float)a.s32[i])
    FUN(f32x4_convert_i32x4_u, 32, 4, (float)a.u32[i])
    FUN(f64x2_convert_low_i32x4_s, 64, 2, (double)a.s32[i])
    FUN(f64x2_convert_low_i32x4_u, 64, 2, (double)a.u32[i])
    FUN(f64x2_promote_low_f32x4, 64, 2, (double)a.f32[i])
    FUN(f32x4_demote_f64x2_zero, 32, 4, i < 2 ? (float)a.f64[i & 1] : 0.0f)
    UN(i32x4_trunc_sat_f32x4_s, s32, 4, sat_s(a.f32[i]))
    UN(i32x4_trunc_sat_f32x4_u, u32, 4, sat_u(a.f32[i]))
    UN(i32x4_trunc_sat_f64x2_s_zero, s32, 4, i < 2 ? sat_s(a.f64[i & 1]) : 0)
    UN(i32x4_trunc_sat_f64x2_u_zero, u32, 4, i < 2 ? sat_u(a.f64[i & 1]) : 0)
    UN(i32x4_relaxed_trunc_f32x4_s, s32, 4, sat_s(a.f32[i]))
    UN(i32x4_relaxed_trunc_f32x4_u, u32, 4, sat_u(a.f32[i]))
    UN(i32x4_relaxed_trunc_f64x2_s_zero, s32, 4, i < 2 ? sat_s(a.f64[i & 1]) : 0)
    UN(i32x4_relaxed_trunc_f64x2_u_zero, u32, 4, i < 2 ? sat_u(a.f64[i & 1]) : 0)
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares), cmocka_unit_test(integers), cmocka_unit_test(bits),   cmocka_unit_test(shifts),
        cmocka_unit_test(widths),   cmocka_unit_test(lanes),    cmocka_unit_test(floats), cmocka_unit_test(conversions),
    };
    return cmocka_run_group_tests_name(TS_SIMD_X86 ? "simd" : "simd, portable", tests, NULL, NULL);
}
