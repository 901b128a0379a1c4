/* simd: the 128-bit vector operations of WebAssembly 3.0 as pure inline functions. Relaxed operations behave
 * as in the deterministic profile. In: vectors, lanes, scalars. Out: vectors, scalars. The code uses the
 * compiler's vector extensions, and SSE intrinsics where they are better; -DTS_SIMD_PORTABLE leaves the
 * intrinsics out. Hosts are little-endian. spec: exec/numerics#vector-operations, #op-relaxed */
#ifndef TS_CORE_SIMD_H
#define TS_CORE_SIMD_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__) && !defined(TS_SIMD_PORTABLE)
#define TS_SIMD_X86 1
#include <emmintrin.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif
#else
#define TS_SIMD_X86 0
#endif
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "lanes are laid out for little-endian hosts"
#endif

typedef int8_t ts_i8x16 __attribute__((vector_size(16)));
typedef uint8_t ts_u8x16 __attribute__((vector_size(16)));
typedef int16_t ts_i16x8 __attribute__((vector_size(16)));
typedef uint16_t ts_u16x8 __attribute__((vector_size(16)));
typedef int32_t ts_i32x4 __attribute__((vector_size(16)));
typedef uint32_t ts_u32x4 __attribute__((vector_size(16)));
typedef int64_t ts_i64x2 __attribute__((vector_size(16)));
typedef uint64_t ts_u64x2 __attribute__((vector_size(16)));
typedef float ts_f32x4 __attribute__((vector_size(16)));
typedef double ts_f64x2 __attribute__((vector_size(16)));

typedef union ts_v128 {
    ts_i8x16 s8;
    ts_u8x16 u8;
    ts_i16x8 s16;
    ts_u16x8 u16;
    ts_i32x4 s32;
    ts_u32x4 u32;
    ts_i64x2 s64;
    ts_u64x2 u64;
    ts_f32x4 f32;
    ts_f64x2 f64;
    uint64_t q[2]; /* low half first: the two slots of the interpreter's stack */
    uint8_t b[16];
#if TS_SIMD_X86
    __m128i m;
    __m128 ps;
    __m128d pd;
#endif
} ts_v128;

#define TS_SIMD static inline __attribute__((always_inline))
#define TS_V2(x) {x, x}
#define TS_V4(x) {x, x, x, x}
#define TS_V8(x) {x, x, x, x, x, x, x, x}
#define TS_V16(x) {x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}
/* Define a function of one, two or three vectors by one assignment to a member of the result. */
#define TS_SIMD_FUNCTION_1(fn, member, expr)                                                                           \
    TS_SIMD ts_v128 fn(ts_v128 a) {                                                                                    \
        ts_v128 r;                                                                                                     \
        r.member = expr;                                                                                               \
        return r;                                                                                                      \
    }
#define TS_SIMD_FUNCTION_2(fn, member, expr)                                                                           \
    TS_SIMD ts_v128 fn(ts_v128 a, ts_v128 b) {                                                                         \
        ts_v128 r;                                                                                                     \
        r.member = expr;                                                                                               \
        return r;                                                                                                      \
    }
#define TS_SIMD_FUNCTION_3(fn, member, expr)                                                                           \
    TS_SIMD ts_v128 fn(ts_v128 a, ts_v128 b, ts_v128 c) {                                                              \
        ts_v128 r;                                                                                                     \
        r.member = expr;                                                                                               \
        return r;                                                                                                      \
    }
#define TS_SIMD_1(name, member, expr) TS_SIMD_FUNCTION_1(ts_simd_##name, member, expr)
#define TS_SIMD_2(name, member, expr) TS_SIMD_FUNCTION_2(ts_simd_##name, member, expr)
/* The same, lane by lane: i counts the n lanes. */
#define TS_SIMD_LANES_1(name, member, n, expr)                                                                         \
    TS_SIMD ts_v128 ts_simd_##name(ts_v128 a) {                                                                        \
        ts_v128 r;                                                                                                     \
        for (unsigned i = 0; i < n; i++) r.member[i] = expr;                                                           \
        return r;                                                                                                      \
    }
#define TS_SIMD_LANES_2(name, member, n, expr)                                                                         \
    TS_SIMD ts_v128 ts_simd_##name(ts_v128 a, ts_v128 b) {                                                             \
        ts_v128 r;                                                                                                     \
        for (unsigned i = 0; i < n; i++) r.member[i] = expr;                                                           \
        return r;                                                                                                      \
    }

/* --- loads, stores, halves of slots -------------------------------------------------------------------- */
TS_SIMD ts_v128 ts_simd_load(const void *p) {
    ts_v128 r;
    memcpy(&r, p, 16);
    return r;
}
TS_SIMD void ts_simd_store(void *p, ts_v128 a) {
    memcpy(p, &a, 16);
}
TS_SIMD ts_v128 ts_simd_zero(void) {
    ts_v128 r;
    r.u64 = (ts_u64x2){0, 0};
    return r;
}

/* --- bitwise. spec: exec/numerics#op-ivbitselect and the like ------------------------------------------ */
TS_SIMD_1(v128_not, u64, ~a.u64)
TS_SIMD_2(v128_and, u64, a.u64 & b.u64)
TS_SIMD_2(v128_andnot, u64, a.u64 & ~b.u64)
TS_SIMD_2(v128_or, u64, a.u64 | b.u64)
TS_SIMD_2(v128_xor, u64, a.u64 ^ b.u64)
TS_SIMD_FUNCTION_3(ts_simd_v128_bitselect, u64, (a.u64 & c.u64) | (b.u64 & ~c.u64))
TS_SIMD uint32_t ts_simd_v128_any_true(ts_v128 a) {
#if TS_SIMD_X86
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a.m, _mm_setzero_si128())) != 0xffff;
#else
    return (a.u64[0] | a.u64[1]) != 0;
#endif
}

/* --- splat, extract, replace --------------------------------------------------------------------------- */
TS_SIMD ts_v128 ts_simd_i8x16_splat(uint32_t x) {
    uint8_t e = (uint8_t)x;
    ts_v128 r;
    r.u8 = (ts_u8x16)TS_V16(e);
    return r;
}
TS_SIMD ts_v128 ts_simd_i8x16_replace_lane(ts_v128 a, unsigned lane, uint32_t x) {
    a.u8[lane & 15] = (uint8_t)x;
    return a;
}
TS_SIMD int32_t ts_simd_i8x16_extract_lane_s(ts_v128 a, unsigned lane) {
    return a.s8[lane & 15];
}
TS_SIMD uint32_t ts_simd_i8x16_extract_lane_u(ts_v128 a, unsigned lane) {
    return a.u8[lane & 15];
}
TS_SIMD ts_v128 ts_simd_i16x8_splat(uint32_t x) {
    uint16_t e = (uint16_t)x;
    ts_v128 r;
    r.u16 = (ts_u16x8)TS_V8(e);
    return r;
}
TS_SIMD ts_v128 ts_simd_i16x8_replace_lane(ts_v128 a, unsigned lane, uint32_t x) {
    a.u16[lane & 7] = (uint16_t)x;
    return a;
}
TS_SIMD int32_t ts_simd_i16x8_extract_lane_s(ts_v128 a, unsigned lane) {
    return a.s16[lane & 7];
}
TS_SIMD uint32_t ts_simd_i16x8_extract_lane_u(ts_v128 a, unsigned lane) {
    return a.u16[lane & 7];
}
TS_SIMD ts_v128 ts_simd_i32x4_splat(uint32_t x) {
    uint32_t e = (uint32_t)x;
    ts_v128 r;
    r.u32 = (ts_u32x4)TS_V4(e);
    return r;
}
TS_SIMD ts_v128 ts_simd_i32x4_replace_lane(ts_v128 a, unsigned lane, uint32_t x) {
    a.u32[lane & 3] = (uint32_t)x;
    return a;
}
TS_SIMD uint32_t ts_simd_i32x4_extract_lane(ts_v128 a, unsigned lane) {
    return a.u32[lane & 3];
}
TS_SIMD ts_v128 ts_simd_i64x2_splat(uint64_t x) {
    uint64_t e = (uint64_t)x;
    ts_v128 r;
    r.u64 = (ts_u64x2)TS_V2(e);
    return r;
}
TS_SIMD ts_v128 ts_simd_i64x2_replace_lane(ts_v128 a, unsigned lane, uint64_t x) {
    a.u64[lane & 1] = (uint64_t)x;
    return a;
}
TS_SIMD uint64_t ts_simd_i64x2_extract_lane(ts_v128 a, unsigned lane) {
    return a.u64[lane & 1];
}
/* --- shuffles ------------------------------------------------------------------------------------------ */
TS_SIMD ts_v128 ts_simd_i8x16_shuffle(ts_v128 a, ts_v128 b, const uint8_t lanes[16]) {
    ts_v128 r;
#if TS_SIMD_X86 && defined(__SSSE3__)
    __m128i l = _mm_loadu_si128((const __m128i *)(const void *)lanes);
    /* A lane number with the top bit set gives zero. Adding 0x70 sets it for lanes >= 16, subtracting 16 for
     * the others. */
    __m128i of_a = _mm_shuffle_epi8(a.m, _mm_add_epi8(l, _mm_set1_epi8(0x70)));
    __m128i of_b = _mm_shuffle_epi8(b.m, _mm_sub_epi8(l, _mm_set1_epi8(16)));
    r.m = _mm_or_si128(of_a, of_b);
#else
    uint8_t both[32];
    memcpy(both, &a, 16);
    memcpy(both + 16, &b, 16);
    uint8_t to[16];
    for (unsigned i = 0; i < 16; i++) to[i] = both[lanes[i] & 31];
    memcpy(&r, to, 16);
#endif
    return r;
}
TS_SIMD ts_v128 ts_simd_i8x16_swizzle(ts_v128 a, ts_v128 b) {
    ts_v128 r;
#if TS_SIMD_X86 && defined(__SSSE3__)
    r.m = _mm_shuffle_epi8(a.m, _mm_adds_epu8(b.m, _mm_set1_epi8(0x70)));
#else
    uint8_t from[32] = {0}, at[16], to[16];
    memcpy(from, &a, 16);
    memcpy(at, &b, 16);
    for (unsigned i = 0; i < 16; i++) to[i] = from[at[i] < 16 ? at[i] : 16];
    memcpy(&r, to, 16);
#endif
    return r;
}

/* --- integer comparisons ------------------------------------------------------------------------------- */
TS_SIMD_2(i8x16_eq, s8, (ts_i8x16)(a.s8 == b.s8))
TS_SIMD_2(i8x16_ne, s8, (ts_i8x16)(a.s8 != b.s8))
TS_SIMD_2(i8x16_lt_s, s8, (ts_i8x16)(a.s8 < b.s8))
TS_SIMD_2(i8x16_lt_u, s8, (ts_i8x16)(a.u8 < b.u8))
TS_SIMD_2(i8x16_gt_s, s8, (ts_i8x16)(a.s8 > b.s8))
TS_SIMD_2(i8x16_gt_u, s8, (ts_i8x16)(a.u8 > b.u8))
TS_SIMD_2(i8x16_le_s, s8, (ts_i8x16)(a.s8 <= b.s8))
TS_SIMD_2(i8x16_le_u, s8, (ts_i8x16)(a.u8 <= b.u8))
TS_SIMD_2(i8x16_ge_s, s8, (ts_i8x16)(a.s8 >= b.s8))
TS_SIMD_2(i8x16_ge_u, s8, (ts_i8x16)(a.u8 >= b.u8))
TS_SIMD_2(i16x8_eq, s16, (ts_i16x8)(a.s16 == b.s16))
TS_SIMD_2(i16x8_ne, s16, (ts_i16x8)(a.s16 != b.s16))
TS_SIMD_2(i16x8_lt_s, s16, (ts_i16x8)(a.s16 < b.s16))
TS_SIMD_2(i16x8_lt_u, s16, (ts_i16x8)(a.u16 < b.u16))
TS_SIMD_2(i16x8_gt_s, s16, (ts_i16x8)(a.s16 > b.s16))
TS_SIMD_2(i16x8_gt_u, s16, (ts_i16x8)(a.u16 > b.u16))
TS_SIMD_2(i16x8_le_s, s16, (ts_i16x8)(a.s16 <= b.s16))
TS_SIMD_2(i16x8_le_u, s16, (ts_i16x8)(a.u16 <= b.u16))
TS_SIMD_2(i16x8_ge_s, s16, (ts_i16x8)(a.s16 >= b.s16))
TS_SIMD_2(i16x8_ge_u, s16, (ts_i16x8)(a.u16 >= b.u16))
TS_SIMD_2(i32x4_eq, s32, (ts_i32x4)(a.s32 == b.s32))
TS_SIMD_2(i32x4_ne, s32, (ts_i32x4)(a.s32 != b.s32))
TS_SIMD_2(i32x4_lt_s, s32, (ts_i32x4)(a.s32 < b.s32))
TS_SIMD_2(i32x4_lt_u, s32, (ts_i32x4)(a.u32 < b.u32))
TS_SIMD_2(i32x4_gt_s, s32, (ts_i32x4)(a.s32 > b.s32))
TS_SIMD_2(i32x4_gt_u, s32, (ts_i32x4)(a.u32 > b.u32))
TS_SIMD_2(i32x4_le_s, s32, (ts_i32x4)(a.s32 <= b.s32))
TS_SIMD_2(i32x4_le_u, s32, (ts_i32x4)(a.u32 <= b.u32))
TS_SIMD_2(i32x4_ge_s, s32, (ts_i32x4)(a.s32 >= b.s32))
TS_SIMD_2(i32x4_ge_u, s32, (ts_i32x4)(a.u32 >= b.u32))
TS_SIMD_2(i64x2_eq, s64, (ts_i64x2)(a.s64 == b.s64))
TS_SIMD_2(i64x2_ne, s64, (ts_i64x2)(a.s64 != b.s64))
TS_SIMD_2(i64x2_lt_s, s64, (ts_i64x2)(a.s64 < b.s64))
TS_SIMD_2(i64x2_gt_s, s64, (ts_i64x2)(a.s64 > b.s64))
TS_SIMD_2(i64x2_le_s, s64, (ts_i64x2)(a.s64 <= b.s64))
TS_SIMD_2(i64x2_ge_s, s64, (ts_i64x2)(a.s64 >= b.s64))

/* --- integer arithmetic: unsigned, since it wraps ------------------------------------------------------ */
TS_SIMD_2(i8x16_add, u8, a.u8 + b.u8)
TS_SIMD_2(i8x16_sub, u8, a.u8 - b.u8)
TS_SIMD_1(i8x16_neg, u8, -a.u8)
TS_SIMD_1(i8x16_abs, u8, (a.u8 ^ (ts_u8x16)(a.s8 >> 7)) - (ts_u8x16)(a.s8 >> 7))
TS_SIMD_2(i16x8_add, u16, a.u16 + b.u16)
TS_SIMD_2(i16x8_sub, u16, a.u16 - b.u16)
TS_SIMD_2(i16x8_mul, u16, a.u16 *b.u16)
TS_SIMD_1(i16x8_neg, u16, -a.u16)
TS_SIMD_1(i16x8_abs, u16, (a.u16 ^ (ts_u16x8)(a.s16 >> 15)) - (ts_u16x8)(a.s16 >> 15))
TS_SIMD_2(i32x4_add, u32, a.u32 + b.u32)
TS_SIMD_2(i32x4_sub, u32, a.u32 - b.u32)
TS_SIMD_2(i32x4_mul, u32, a.u32 *b.u32)
TS_SIMD_1(i32x4_neg, u32, -a.u32)
TS_SIMD_1(i32x4_abs, u32, (a.u32 ^ (ts_u32x4)(a.s32 >> 31)) - (ts_u32x4)(a.s32 >> 31))
TS_SIMD_2(i64x2_add, u64, a.u64 + b.u64)
TS_SIMD_2(i64x2_sub, u64, a.u64 - b.u64)
TS_SIMD_2(i64x2_mul, u64, a.u64 *b.u64)
TS_SIMD_1(i64x2_neg, u64, -a.u64)
TS_SIMD_1(i64x2_abs, u64, (a.u64 ^ (ts_u64x2)(a.s64 >> 63)) - (ts_u64x2)(a.s64 >> 63))
TS_SIMD ts_v128 ts_simd_i8x16_popcnt(ts_v128 a) {
    ts_u8x16 x = a.u8;
    x = x - ((x >> 1) & (ts_u8x16)TS_V16(0x55));
    x = (x & (ts_u8x16)TS_V16(0x33)) + ((x >> 2) & (ts_u8x16)TS_V16(0x33));
    a.u8 = (x + (x >> 4)) & (ts_u8x16)TS_V16(0x0f);
    return a;
}

#if TS_SIMD_X86
TS_SIMD_2(i8x16_add_sat_s, m, _mm_adds_epi8(a.m, b.m))
TS_SIMD_2(i8x16_add_sat_u, m, _mm_adds_epu8(a.m, b.m))
TS_SIMD_2(i8x16_sub_sat_s, m, _mm_subs_epi8(a.m, b.m))
TS_SIMD_2(i8x16_sub_sat_u, m, _mm_subs_epu8(a.m, b.m))
TS_SIMD_2(i8x16_avgr_u, m, _mm_avg_epu8(a.m, b.m))
TS_SIMD_2(i16x8_add_sat_s, m, _mm_adds_epi16(a.m, b.m))
TS_SIMD_2(i16x8_add_sat_u, m, _mm_adds_epu16(a.m, b.m))
TS_SIMD_2(i16x8_sub_sat_s, m, _mm_subs_epi16(a.m, b.m))
TS_SIMD_2(i16x8_sub_sat_u, m, _mm_subs_epu16(a.m, b.m))
TS_SIMD_2(i16x8_avgr_u, m, _mm_avg_epu16(a.m, b.m))
TS_SIMD_2(i8x16_min_u, m, _mm_min_epu8(a.m, b.m))
TS_SIMD_2(i16x8_min_s, m, _mm_min_epi16(a.m, b.m))
TS_SIMD_2(i8x16_max_u, m, _mm_max_epu8(a.m, b.m))
TS_SIMD_2(i16x8_max_s, m, _mm_max_epi16(a.m, b.m))
#else
TS_SIMD_2(i8x16_add_sat_u, u8, (a.u8 + b.u8) | (ts_u8x16)(a.u8 + b.u8 < a.u8))
TS_SIMD_2(i8x16_sub_sat_u, u8, (a.u8 - b.u8) & (ts_u8x16)(a.u8 > b.u8))
TS_SIMD ts_v128 ts_simd_i8x16_add_sat_s(ts_v128 a, ts_v128 b) {
    ts_i8x16 r = (ts_i8x16)(a.u8 + b.u8);
    ts_i8x16 over = ((a.s8 ^ r) & (b.s8 ^ r)) >> 7; /* all ones where the sign came out wrong */
    a.s8 = (r & ~over) | (((a.s8 >> 7) ^ (ts_i8x16)TS_V16(127)) & over);
    return a;
}
TS_SIMD ts_v128 ts_simd_i8x16_sub_sat_s(ts_v128 a, ts_v128 b) {
    ts_i8x16 r = (ts_i8x16)(a.u8 - b.u8);
    ts_i8x16 over = ((a.s8 ^ b.s8) & (a.s8 ^ r)) >> 7; /* all ones where the sign came out wrong */
    a.s8 = (r & ~over) | (((a.s8 >> 7) ^ (ts_i8x16)TS_V16(127)) & over);
    return a;
}
TS_SIMD_2(i8x16_avgr_u, u8, (a.u8 | b.u8) - ((a.u8 ^ b.u8) >> 1))
TS_SIMD_2(i16x8_add_sat_u, u16, (a.u16 + b.u16) | (ts_u16x8)(a.u16 + b.u16 < a.u16))
TS_SIMD_2(i16x8_sub_sat_u, u16, (a.u16 - b.u16) & (ts_u16x8)(a.u16 > b.u16))
TS_SIMD ts_v128 ts_simd_i16x8_add_sat_s(ts_v128 a, ts_v128 b) {
    ts_i16x8 r = (ts_i16x8)(a.u16 + b.u16);
    ts_i16x8 over = ((a.s16 ^ r) & (b.s16 ^ r)) >> 15; /* all ones where the sign came out wrong */
    a.s16 = (r & ~over) | (((a.s16 >> 15) ^ (ts_i16x8)TS_V8(32767)) & over);
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_sub_sat_s(ts_v128 a, ts_v128 b) {
    ts_i16x8 r = (ts_i16x8)(a.u16 - b.u16);
    ts_i16x8 over = ((a.s16 ^ b.s16) & (a.s16 ^ r)) >> 15; /* all ones where the sign came out wrong */
    a.s16 = (r & ~over) | (((a.s16 >> 15) ^ (ts_i16x8)TS_V8(32767)) & over);
    return a;
}
TS_SIMD_2(i16x8_avgr_u, u16, (a.u16 | b.u16) - ((a.u16 ^ b.u16) >> 1))
TS_SIMD_2(i8x16_min_u, u8, (a.u8 & (ts_u8x16)(a.u8 < b.u8)) | (b.u8 & ~(ts_u8x16)(a.u8 < b.u8)))
TS_SIMD_2(i16x8_min_s, s16, (a.s16 & (ts_i16x8)(a.s16 < b.s16)) | (b.s16 & ~(ts_i16x8)(a.s16 < b.s16)))
TS_SIMD_2(i8x16_max_u, u8, (a.u8 & (ts_u8x16)(a.u8 > b.u8)) | (b.u8 & ~(ts_u8x16)(a.u8 > b.u8)))
TS_SIMD_2(i16x8_max_s, s16, (a.s16 & (ts_i16x8)(a.s16 > b.s16)) | (b.s16 & ~(ts_i16x8)(a.s16 > b.s16)))
#endif
TS_SIMD_2(i8x16_min_s, s8, (a.s8 & (ts_i8x16)(a.s8 < b.s8)) | (b.s8 & ~(ts_i8x16)(a.s8 < b.s8)))
TS_SIMD_2(i16x8_min_u, u16, (a.u16 & (ts_u16x8)(a.u16 < b.u16)) | (b.u16 & ~(ts_u16x8)(a.u16 < b.u16)))
TS_SIMD_2(i32x4_min_s, s32, (a.s32 & (ts_i32x4)(a.s32 < b.s32)) | (b.s32 & ~(ts_i32x4)(a.s32 < b.s32)))
TS_SIMD_2(i32x4_min_u, u32, (a.u32 & (ts_u32x4)(a.u32 < b.u32)) | (b.u32 & ~(ts_u32x4)(a.u32 < b.u32)))
TS_SIMD_2(i8x16_max_s, s8, (a.s8 & (ts_i8x16)(a.s8 > b.s8)) | (b.s8 & ~(ts_i8x16)(a.s8 > b.s8)))
TS_SIMD_2(i16x8_max_u, u16, (a.u16 & (ts_u16x8)(a.u16 > b.u16)) | (b.u16 & ~(ts_u16x8)(a.u16 > b.u16)))
TS_SIMD_2(i32x4_max_s, s32, (a.s32 & (ts_i32x4)(a.s32 > b.s32)) | (b.s32 & ~(ts_i32x4)(a.s32 > b.s32)))
TS_SIMD_2(i32x4_max_u, u32, (a.u32 & (ts_u32x4)(a.u32 > b.u32)) | (b.u32 & ~(ts_u32x4)(a.u32 > b.u32)))

/* --- shifts: the count is taken modulo the lane's width. spec: exec/numerics#op-ishl ------------------- */
#if TS_SIMD_X86
TS_SIMD ts_v128 ts_simd_i8x16_shl(ts_v128 a, uint32_t n) {
    a.m = _mm_sll_epi16(a.m, _mm_cvtsi32_si128((int)(n & 7)));
    a.m = _mm_and_si128(a.m, _mm_set1_epi8((char)(0xff << (n & 7))));
    return a;
}
TS_SIMD ts_v128 ts_simd_i8x16_shr_u(ts_v128 a, uint32_t n) {
    a.m = _mm_srl_epi16(a.m, _mm_cvtsi32_si128((int)(n & 7)));
    a.m = _mm_and_si128(a.m, _mm_set1_epi8((char)(0xff >> (n & 7))));
    return a;
}
TS_SIMD ts_v128 ts_simd_i8x16_shr_s(ts_v128 a, uint32_t n) {
    __m128i c = _mm_cvtsi32_si128((int)(n & 7) + 8);
    __m128i lo = _mm_sra_epi16(_mm_unpacklo_epi8(a.m, a.m), c), hi = _mm_sra_epi16(_mm_unpackhi_epi8(a.m, a.m), c);
    a.m = _mm_packs_epi16(lo, hi);
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shl(ts_v128 a, uint32_t n) {
    a.m = _mm_sll_epi16(a.m, _mm_cvtsi32_si128((int)(n & 15)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shr_u(ts_v128 a, uint32_t n) {
    a.m = _mm_srl_epi16(a.m, _mm_cvtsi32_si128((int)(n & 15)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shr_s(ts_v128 a, uint32_t n) {
    a.m = _mm_sra_epi16(a.m, _mm_cvtsi32_si128((int)(n & 15)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shl(ts_v128 a, uint32_t n) {
    a.m = _mm_sll_epi32(a.m, _mm_cvtsi32_si128((int)(n & 31)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shr_u(ts_v128 a, uint32_t n) {
    a.m = _mm_srl_epi32(a.m, _mm_cvtsi32_si128((int)(n & 31)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shr_s(ts_v128 a, uint32_t n) {
    a.m = _mm_sra_epi32(a.m, _mm_cvtsi32_si128((int)(n & 31)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i64x2_shl(ts_v128 a, uint32_t n) {
    a.m = _mm_sll_epi64(a.m, _mm_cvtsi32_si128((int)(n & 63)));
    return a;
}
TS_SIMD ts_v128 ts_simd_i64x2_shr_u(ts_v128 a, uint32_t n) {
    a.m = _mm_srl_epi64(a.m, _mm_cvtsi32_si128((int)(n & 63)));
    return a;
}
#else
TS_SIMD ts_v128 ts_simd_i8x16_shl(ts_v128 a, uint32_t n) {
    uint8_t c = (uint8_t)(n & 7);
    a.u8 = a.u8 << (ts_u8x16)TS_V16(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i8x16_shr_u(ts_v128 a, uint32_t n) {
    uint8_t c = (uint8_t)(n & 7);
    a.u8 = a.u8 >> (ts_u8x16)TS_V16(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i8x16_shr_s(ts_v128 a, uint32_t n) {
    int8_t c = (int8_t)(n & 7);
    a.s8 = a.s8 >> (ts_i8x16)TS_V16(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shl(ts_v128 a, uint32_t n) {
    uint16_t c = (uint16_t)(n & 15);
    a.u16 = a.u16 << (ts_u16x8)TS_V8(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shr_u(ts_v128 a, uint32_t n) {
    uint16_t c = (uint16_t)(n & 15);
    a.u16 = a.u16 >> (ts_u16x8)TS_V8(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i16x8_shr_s(ts_v128 a, uint32_t n) {
    int16_t c = (int16_t)(n & 15);
    a.s16 = a.s16 >> (ts_i16x8)TS_V8(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shl(ts_v128 a, uint32_t n) {
    uint32_t c = (uint32_t)(n & 31);
    a.u32 = a.u32 << (ts_u32x4)TS_V4(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shr_u(ts_v128 a, uint32_t n) {
    uint32_t c = (uint32_t)(n & 31);
    a.u32 = a.u32 >> (ts_u32x4)TS_V4(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i32x4_shr_s(ts_v128 a, uint32_t n) {
    int32_t c = (int32_t)(n & 31);
    a.s32 = a.s32 >> (ts_i32x4)TS_V4(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i64x2_shl(ts_v128 a, uint32_t n) {
    uint64_t c = (uint64_t)(n & 63);
    a.u64 = a.u64 << (ts_u64x2)TS_V2(c);
    return a;
}
TS_SIMD ts_v128 ts_simd_i64x2_shr_u(ts_v128 a, uint32_t n) {
    uint64_t c = (uint64_t)(n & 63);
    a.u64 = a.u64 >> (ts_u64x2)TS_V2(c);
    return a;
}
#endif
TS_SIMD ts_v128 ts_simd_i64x2_shr_s(ts_v128 a, uint32_t n) {
    a.s64 = (ts_i64x2){a.s64[0] >> (n & 63), a.s64[1] >> (n & 63)};
    return a;
}

/* --- tests and masks ----------------------------------------------------------------------------------- */
#if TS_SIMD_X86
TS_SIMD uint32_t ts_simd_i8x16_all_true(ts_v128 a) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a.m, _mm_setzero_si128())) == 0;
}
TS_SIMD uint32_t ts_simd_i16x8_all_true(ts_v128 a) {
    return _mm_movemask_epi8(_mm_cmpeq_epi16(a.m, _mm_setzero_si128())) == 0;
}
TS_SIMD uint32_t ts_simd_i32x4_all_true(ts_v128 a) {
    return _mm_movemask_epi8(_mm_cmpeq_epi32(a.m, _mm_setzero_si128())) == 0;
}
TS_SIMD uint32_t ts_simd_i8x16_bitmask(ts_v128 a) {
    return (uint32_t)_mm_movemask_epi8(a.m);
}
TS_SIMD uint32_t ts_simd_i16x8_bitmask(ts_v128 a) {
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a.m, _mm_setzero_si128()));
}
TS_SIMD uint32_t ts_simd_i32x4_bitmask(ts_v128 a) {
    return (uint32_t)_mm_movemask_ps(a.ps);
}
TS_SIMD uint32_t ts_simd_i64x2_bitmask(ts_v128 a) {
    return (uint32_t)_mm_movemask_pd(a.pd);
}
#else
TS_SIMD uint32_t ts_simd_i8x16_all_true(ts_v128 a) {
    uint32_t r = 1;
    for (unsigned i = 0; i < 16; i++) r &= a.u8[i] != 0;
    return r;
}
TS_SIMD uint32_t ts_simd_i8x16_bitmask(ts_v128 a) {
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) r |= (uint32_t)(a.s8[i] < 0) << i;
    return r;
}
TS_SIMD uint32_t ts_simd_i16x8_all_true(ts_v128 a) {
    uint32_t r = 1;
    for (unsigned i = 0; i < 8; i++) r &= a.u16[i] != 0;
    return r;
}
TS_SIMD uint32_t ts_simd_i16x8_bitmask(ts_v128 a) {
    uint32_t r = 0;
    for (unsigned i = 0; i < 8; i++) r |= (uint32_t)(a.s16[i] < 0) << i;
    return r;
}
TS_SIMD uint32_t ts_simd_i32x4_all_true(ts_v128 a) {
    uint32_t r = 1;
    for (unsigned i = 0; i < 4; i++) r &= a.u32[i] != 0;
    return r;
}
TS_SIMD uint32_t ts_simd_i32x4_bitmask(ts_v128 a) {
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) r |= (uint32_t)(a.s32[i] < 0) << i;
    return r;
}
TS_SIMD uint32_t ts_simd_i64x2_bitmask(ts_v128 a) {
    uint32_t r = 0;
    for (unsigned i = 0; i < 2; i++) r |= (uint32_t)(a.s64[i] < 0) << i;
    return r;
}
#endif
TS_SIMD uint32_t ts_simd_i64x2_all_true(ts_v128 a) {
    return a.u64[0] != 0 && a.u64[1] != 0;
}

/* --- narrowing, saturating ----------------------------------------------------------------------------- */
TS_SIMD int32_t ts_simd_clamp(int32_t x, int32_t min, int32_t max) {
    return x < min ? min : x > max ? max : x;
}
#if TS_SIMD_X86
TS_SIMD_2(i8x16_narrow_i16x8_s, m, _mm_packs_epi16(a.m, b.m))
TS_SIMD_2(i8x16_narrow_i16x8_u, m, _mm_packus_epi16(a.m, b.m))
TS_SIMD_2(i16x8_narrow_i32x4_s, m, _mm_packs_epi32(a.m, b.m))
#else
TS_SIMD_LANES_2(i8x16_narrow_i16x8_s, s8, 16, (int8_t)ts_simd_clamp(i < 8 ? a.s16[i & 7] : b.s16[i & 7], -128, 127))
TS_SIMD_LANES_2(i8x16_narrow_i16x8_u, u8, 16, (uint8_t)ts_simd_clamp(i < 8 ? a.s16[i & 7] : b.s16[i & 7], 0, 255))
TS_SIMD_LANES_2(i16x8_narrow_i32x4_s, s16, 8,
                (int16_t)ts_simd_clamp(i < 4 ? a.s32[i & 3] : b.s32[i & 3], -32768, 32767))
#endif
#if TS_SIMD_X86 && defined(__SSE4_1__)
TS_SIMD_2(i16x8_narrow_i32x4_u, m, _mm_packus_epi32(a.m, b.m))
#else
TS_SIMD_LANES_2(i16x8_narrow_i32x4_u, u16, 8, (uint16_t)ts_simd_clamp(i < 4 ? a.s32[i & 3] : b.s32[i & 3], 0, 65535))
#endif

/* --- widening: interleave with zero below (signed, then shift down) or above (unsigned) ---------------- */
TS_SIMD_1(i16x8_extend_low_i8x16_s, s16,
          (ts_i16x8)__builtin_shufflevector((ts_i8x16)TS_V16(0), a.s8, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                            7, 23) >>
              8)
TS_SIMD_1(i16x8_extend_low_i8x16_u, u16,
          (ts_u16x8)__builtin_shufflevector(a.u8, (ts_u8x16)TS_V16(0), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                            7, 23))
TS_SIMD_1(i16x8_extend_high_i8x16_s, s16,
          (ts_i16x8)__builtin_shufflevector((ts_i8x16)TS_V16(0), a.s8, 0, 24, 1, 25, 2, 26, 3, 27, 4, 28, 5, 29, 6, 30,
                                            7, 31) >>
              8)
TS_SIMD_1(i16x8_extend_high_i8x16_u, u16,
          (ts_u16x8)__builtin_shufflevector(a.u8, (ts_u8x16)TS_V16(0), 8, 16, 9, 17, 10, 18, 11, 19, 12, 20, 13, 21, 14,
                                            22, 15, 23))
TS_SIMD_1(i32x4_extend_low_i16x8_s, s32,
          (ts_i32x4)__builtin_shufflevector((ts_i16x8)TS_V8(0), a.s16, 0, 8, 1, 9, 2, 10, 3, 11) >> 16)
TS_SIMD_1(i32x4_extend_low_i16x8_u, u32,
          (ts_u32x4)__builtin_shufflevector(a.u16, (ts_u16x8)TS_V8(0), 0, 8, 1, 9, 2, 10, 3, 11))
TS_SIMD_1(i32x4_extend_high_i16x8_s, s32,
          (ts_i32x4)__builtin_shufflevector((ts_i16x8)TS_V8(0), a.s16, 0, 12, 1, 13, 2, 14, 3, 15) >> 16)
TS_SIMD_1(i32x4_extend_high_i16x8_u, u32,
          (ts_u32x4)__builtin_shufflevector(a.u16, (ts_u16x8)TS_V8(0), 4, 8, 5, 9, 6, 10, 7, 11))
TS_SIMD_1(i64x2_extend_low_i32x4_s, s64, (ts_i64x2)__builtin_shufflevector((ts_i32x4)TS_V4(0), a.s32, 0, 4, 1, 5) >> 32)
TS_SIMD_1(i64x2_extend_low_i32x4_u, u64, (ts_u64x2)__builtin_shufflevector(a.u32, (ts_u32x4)TS_V4(0), 0, 4, 1, 5))
TS_SIMD_1(i64x2_extend_high_i32x4_s, s64,
          (ts_i64x2)__builtin_shufflevector((ts_i32x4)TS_V4(0), a.s32, 0, 6, 1, 7) >> 32)
TS_SIMD_1(i64x2_extend_high_i32x4_u, u64, (ts_u64x2)__builtin_shufflevector(a.u32, (ts_u32x4)TS_V4(0), 2, 4, 3, 5))
TS_SIMD_1(i16x8_extadd_pairwise_i8x16_s, s16, ((ts_i16x8)(a.u16 << 8) >> 8) + (a.s16 >> 8))
TS_SIMD_1(i16x8_extadd_pairwise_i8x16_u, u16, (a.u16 & (ts_u16x8)TS_V8(255)) + (a.u16 >> 8))
TS_SIMD_1(i32x4_extadd_pairwise_i16x8_s, s32, ((ts_i32x4)(a.u32 << 16) >> 16) + (a.s32 >> 16))
TS_SIMD_1(i32x4_extadd_pairwise_i16x8_u, u32, (a.u32 & (ts_u32x4)TS_V4(65535)) + (a.u32 >> 16))
TS_SIMD_2(i16x8_extmul_low_i8x16_s, u16,
          ts_simd_i16x8_extend_low_i8x16_s(a).u16 *ts_simd_i16x8_extend_low_i8x16_s(b).u16)
TS_SIMD_2(i16x8_extmul_low_i8x16_u, u16,
          ts_simd_i16x8_extend_low_i8x16_u(a).u16 *ts_simd_i16x8_extend_low_i8x16_u(b).u16)
TS_SIMD_2(i16x8_extmul_high_i8x16_s, u16,
          ts_simd_i16x8_extend_high_i8x16_s(a).u16 *ts_simd_i16x8_extend_high_i8x16_s(b).u16)
TS_SIMD_2(i16x8_extmul_high_i8x16_u, u16,
          ts_simd_i16x8_extend_high_i8x16_u(a).u16 *ts_simd_i16x8_extend_high_i8x16_u(b).u16)
TS_SIMD_2(i32x4_extmul_low_i16x8_s, u32,
          ts_simd_i32x4_extend_low_i16x8_s(a).u32 *ts_simd_i32x4_extend_low_i16x8_s(b).u32)
TS_SIMD_2(i32x4_extmul_low_i16x8_u, u32,
          ts_simd_i32x4_extend_low_i16x8_u(a).u32 *ts_simd_i32x4_extend_low_i16x8_u(b).u32)
TS_SIMD_2(i32x4_extmul_high_i16x8_s, u32,
          ts_simd_i32x4_extend_high_i16x8_s(a).u32 *ts_simd_i32x4_extend_high_i16x8_s(b).u32)
TS_SIMD_2(i32x4_extmul_high_i16x8_u, u32,
          ts_simd_i32x4_extend_high_i16x8_u(a).u32 *ts_simd_i32x4_extend_high_i16x8_u(b).u32)
TS_SIMD_2(i64x2_extmul_low_i32x4_s, u64,
          ts_simd_i64x2_extend_low_i32x4_s(a).u64 *ts_simd_i64x2_extend_low_i32x4_s(b).u64)
TS_SIMD_2(i64x2_extmul_low_i32x4_u, u64,
          ts_simd_i64x2_extend_low_i32x4_u(a).u64 *ts_simd_i64x2_extend_low_i32x4_u(b).u64)
TS_SIMD_2(i64x2_extmul_high_i32x4_s, u64,
          ts_simd_i64x2_extend_high_i32x4_s(a).u64 *ts_simd_i64x2_extend_high_i32x4_s(b).u64)
TS_SIMD_2(i64x2_extmul_high_i32x4_u, u64,
          ts_simd_i64x2_extend_high_i32x4_u(a).u64 *ts_simd_i64x2_extend_high_i32x4_u(b).u64)

TS_SIMD ts_v128 ts_simd_i32x4_dot_i16x8_s(ts_v128 a, ts_v128 b) {
    ts_v128 r;
#if TS_SIMD_X86
    r.m = _mm_madd_epi16(a.m, b.m);
#else
    for (unsigned i = 0; i < 4; i++)
        r.u32[i] = (uint32_t)(a.s16[2 * i] * b.s16[2 * i]) + (uint32_t)(a.s16[2 * i + 1] * b.s16[2 * i + 1]);
#endif
    return r;
}
TS_SIMD ts_v128 ts_simd_i16x8_q15mulr_sat_s(ts_v128 a, ts_v128 b) {
    ts_v128 r;
#if TS_SIMD_X86
    __m128i lo = _mm_mullo_epi16(a.m, b.m), hi = _mm_mulhi_epi16(a.m, b.m), half = _mm_set1_epi32(0x4000);
    __m128i p = _mm_srai_epi32(_mm_add_epi32(_mm_unpacklo_epi16(lo, hi), half), 15);
    __m128i q = _mm_srai_epi32(_mm_add_epi32(_mm_unpackhi_epi16(lo, hi), half), 15);
    r.m = _mm_packs_epi32(p, q);
#else
    for (unsigned i = 0; i < 8; i++)
        r.s16[i] = (int16_t)ts_simd_clamp((a.s16[i] * b.s16[i] + 0x4000) >> 15, -32768, 32767);
#endif
    return r;
}

/* --- floats. NaN results are quiet. Their payload is the hardware's, as the spec allows ---------------- */
#define SHAPE f32x4
#define SCALAR float
#define LANES 4
#define ALL TS_V4
#define F_VECTOR ts_f32x4
#define U_VECTOR ts_u32x4
#define S_VECTOR ts_i32x4
#define F f32
#define U u32
#define S s32
#define SIGN_BIT 0x80000000u
#define INTEGRAL 8388608.0f
#define SQRT __builtin_sqrtf
#define X86(op) _mm_##op##_ps
#define X86_MEMBER ps
#include "core/run/simd_float.h"
#define SHAPE f64x2
#define SCALAR double
#define LANES 2
#define ALL TS_V2
#define F_VECTOR ts_f64x2
#define U_VECTOR ts_u64x2
#define S_VECTOR ts_i64x2
#define F f64
#define U u64
#define S s64
#define SIGN_BIT 0x8000000000000000u
#define INTEGRAL 4503599627370496.0
#define SQRT __builtin_sqrt
#define X86(op) _mm_##op##_pd
#define X86_MEMBER pd
#include "core/run/simd_float.h"

/* --- conversions --------------------------------------------------------------------------------------- */
TS_SIMD int32_t ts_simd_sat_s32(double x) {
    if (x != x) return 0;
    return x <= -2147483648.0 ? INT32_MIN : x >= 2147483647.0 ? INT32_MAX : (int32_t)x;
}
TS_SIMD uint32_t ts_simd_sat_u32(double x) {
    if (!(x > 0.0)) return 0;
    return x >= 4294967295.0 ? UINT32_MAX : (uint32_t)x;
}
TS_SIMD_1(f32x4_convert_i32x4_s, f32, __builtin_convertvector(a.s32, ts_f32x4))
TS_SIMD_1(f32x4_convert_i32x4_u, f32, __builtin_convertvector(a.u32, ts_f32x4))
TS_SIMD_1(f64x2_convert_low_i32x4_s, f64, ((ts_f64x2){(double)a.s32[0], (double)a.s32[1]}))
TS_SIMD_1(f64x2_convert_low_i32x4_u, f64, ((ts_f64x2){(double)a.u32[0], (double)a.u32[1]}))
TS_SIMD_1(f32x4_demote_f64x2_zero, f32, ((ts_f32x4){(float)a.f64[0], (float)a.f64[1], 0.0f, 0.0f}))
TS_SIMD_1(f64x2_promote_low_f32x4, f64, ((ts_f64x2){(double)a.f32[0], (double)a.f32[1]}))
#if TS_SIMD_X86
/* cvttps returns 0x80000000 for values that do not fit. It is turned into the maximum for values that are too
 * large, and into 0 for NaN. */
TS_SIMD ts_v128 ts_simd_i32x4_trunc_sat_f32x4_s(ts_v128 a) {
    __m128 num = _mm_cmpord_ps(a.ps, a.ps);
    __m128i over = _mm_castps_si128(_mm_cmpge_ps(a.ps, _mm_set1_ps(2147483648.0f)));
    ts_v128 r;
    r.m = _mm_xor_si128(_mm_cvttps_epi32(_mm_and_ps(a.ps, num)), over);
    return r;
}
/* The part above 2^31 is converted separately. Values that are too large give 0x80000000 there; the mask sets
 * all their bits. */
TS_SIMD ts_v128 ts_simd_i32x4_trunc_sat_f32x4_u(ts_v128 a) {
    const __m128 half = _mm_set1_ps(2147483648.0f);
    __m128 x = _mm_max_ps(a.ps, _mm_setzero_ps()); /* NaN: the second operand */
    __m128 high = _mm_cmpge_ps(x, half);
    __m128i over = _mm_castps_si128(_mm_cmpge_ps(x, _mm_set1_ps(4294967296.0f)));
    __m128i low = _mm_cvttps_epi32(_mm_sub_ps(x, _mm_and_ps(high, half)));
    ts_v128 r;
    r.m = _mm_or_si128(_mm_add_epi32(low, _mm_slli_epi32(_mm_castps_si128(high), 31)), over);
    return r;
}
#else
TS_SIMD_LANES_1(i32x4_trunc_sat_f32x4_s, s32, 4, ts_simd_sat_s32(a.f32[i]))
TS_SIMD_LANES_1(i32x4_trunc_sat_f32x4_u, u32, 4, ts_simd_sat_u32(a.f32[i]))
#endif
TS_SIMD_1(i32x4_trunc_sat_f64x2_s_zero, s32, ((ts_i32x4){ts_simd_sat_s32(a.f64[0]), ts_simd_sat_s32(a.f64[1]), 0, 0}))
TS_SIMD_1(i32x4_trunc_sat_f64x2_u_zero, u32, ((ts_u32x4){ts_simd_sat_u32(a.f64[0]), ts_simd_sat_u32(a.f64[1]), 0, 0}))

/* --- relaxed: each choice of the deterministic profile, R = 0. spec: exec/numerics#relaxed-operations -- */
TS_SIMD ts_v128 ts_simd_i8x16_relaxed_swizzle(ts_v128 a, ts_v128 b) {
    return ts_simd_i8x16_swizzle(a, b);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_trunc_f32x4_s(ts_v128 a) {
    return ts_simd_i32x4_trunc_sat_f32x4_s(a);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_trunc_f32x4_u(ts_v128 a) {
    return ts_simd_i32x4_trunc_sat_f32x4_u(a);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_trunc_f64x2_s_zero(ts_v128 a) {
    return ts_simd_i32x4_trunc_sat_f64x2_s_zero(a);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_trunc_f64x2_u_zero(ts_v128 a) {
    return ts_simd_i32x4_trunc_sat_f64x2_u_zero(a);
}
TS_SIMD ts_v128 ts_simd_i8x16_relaxed_laneselect(ts_v128 a, ts_v128 b, ts_v128 c) {
    return ts_simd_v128_bitselect(a, b, c);
}
TS_SIMD ts_v128 ts_simd_i16x8_relaxed_laneselect(ts_v128 a, ts_v128 b, ts_v128 c) {
    return ts_simd_v128_bitselect(a, b, c);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_laneselect(ts_v128 a, ts_v128 b, ts_v128 c) {
    return ts_simd_v128_bitselect(a, b, c);
}
TS_SIMD ts_v128 ts_simd_i64x2_relaxed_laneselect(ts_v128 a, ts_v128 b, ts_v128 c) {
    return ts_simd_v128_bitselect(a, b, c);
}
TS_SIMD ts_v128 ts_simd_i16x8_relaxed_q15mulr_s(ts_v128 a, ts_v128 b) {
    return ts_simd_i16x8_q15mulr_sat_s(a, b);
}
/* The products of two pairs of bytes, added with saturation: only -128 * -128 * 2 saturates. */
TS_SIMD ts_v128 ts_simd_i16x8_relaxed_dot_i8x16_i7x16_s(ts_v128 a, ts_v128 b) {
    ts_v128 even, odd; /* the low byte of each 16-bit lane sits at even positions */
    even.s16 = ((ts_i16x8)(a.u16 << 8) >> 8) * ((ts_i16x8)(b.u16 << 8) >> 8);
    odd.s16 = (a.s16 >> 8) * (b.s16 >> 8);
    return ts_simd_i16x8_add_sat_s(even, odd);
}
TS_SIMD ts_v128 ts_simd_i32x4_relaxed_dot_i8x16_i7x16_add_s(ts_v128 a, ts_v128 b, ts_v128 c) {
    ts_v128 dot = ts_simd_i16x8_relaxed_dot_i8x16_i7x16_s(a, b);
    return ts_simd_i32x4_add(ts_simd_i32x4_extadd_pairwise_i16x8_s(dot), c);
}

/* --- loads and stores of parts: p may be unaligned and is already checked ------------------------------ */
TS_SIMD ts_v128 ts_simd_load32_zero(const void *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    ts_v128 r;
    r.u32 = (ts_u32x4){x, 0, 0, 0};
    return r;
}
TS_SIMD ts_v128 ts_simd_load64_zero(const void *p) {
    uint64_t x;
    memcpy(&x, p, 8);
    ts_v128 r;
    r.u64 = (ts_u64x2){x, 0};
    return r;
}
TS_SIMD ts_v128 ts_simd_load8x8_s(const void *p) {
    return ts_simd_i16x8_extend_low_i8x16_s(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load8x8_u(const void *p) {
    return ts_simd_i16x8_extend_low_i8x16_u(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load16x4_s(const void *p) {
    return ts_simd_i32x4_extend_low_i16x8_s(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load16x4_u(const void *p) {
    return ts_simd_i32x4_extend_low_i16x8_u(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load32x2_s(const void *p) {
    return ts_simd_i64x2_extend_low_i32x4_s(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load32x2_u(const void *p) {
    return ts_simd_i64x2_extend_low_i32x4_u(ts_simd_load64_zero(p));
}
TS_SIMD ts_v128 ts_simd_load8_splat(const void *p) {
    uint8_t x;
    memcpy(&x, p, 1);
    return ts_simd_i8x16_splat(x);
}
TS_SIMD ts_v128 ts_simd_load8_lane(const void *p, ts_v128 a, unsigned lane) {
    uint8_t x;
    memcpy(&x, p, 1);
    return ts_simd_i8x16_replace_lane(a, lane, x);
}
TS_SIMD void ts_simd_store8_lane(void *p, ts_v128 a, unsigned lane) {
    uint8_t x = a.u8[lane & 15];
    memcpy(p, &x, 1);
}
TS_SIMD ts_v128 ts_simd_load16_splat(const void *p) {
    uint16_t x;
    memcpy(&x, p, 2);
    return ts_simd_i16x8_splat(x);
}
TS_SIMD ts_v128 ts_simd_load16_lane(const void *p, ts_v128 a, unsigned lane) {
    uint16_t x;
    memcpy(&x, p, 2);
    return ts_simd_i16x8_replace_lane(a, lane, x);
}
TS_SIMD void ts_simd_store16_lane(void *p, ts_v128 a, unsigned lane) {
    uint16_t x = a.u16[lane & 7];
    memcpy(p, &x, 2);
}
TS_SIMD ts_v128 ts_simd_load32_splat(const void *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    return ts_simd_i32x4_splat(x);
}
TS_SIMD ts_v128 ts_simd_load32_lane(const void *p, ts_v128 a, unsigned lane) {
    uint32_t x;
    memcpy(&x, p, 4);
    return ts_simd_i32x4_replace_lane(a, lane, x);
}
TS_SIMD void ts_simd_store32_lane(void *p, ts_v128 a, unsigned lane) {
    uint32_t x = a.u32[lane & 3];
    memcpy(p, &x, 4);
}
TS_SIMD ts_v128 ts_simd_load64_splat(const void *p) {
    uint64_t x;
    memcpy(&x, p, 8);
    return ts_simd_i64x2_splat(x);
}
TS_SIMD ts_v128 ts_simd_load64_lane(const void *p, ts_v128 a, unsigned lane) {
    uint64_t x;
    memcpy(&x, p, 8);
    return ts_simd_i64x2_replace_lane(a, lane, x);
}
TS_SIMD void ts_simd_store64_lane(void *p, ts_v128 a, unsigned lane) {
    uint64_t x = a.u64[lane & 1];
    memcpy(p, &x, 8);
}

#undef TS_SIMD_1
#undef TS_SIMD_2
#undef TS_SIMD_FUNCTION_1
#undef TS_SIMD_FUNCTION_2
#undef TS_SIMD_FUNCTION_3
#undef TS_SIMD_LANES_1
#undef TS_SIMD_LANES_2
#endif
