/* numeric: the scalar operations for which C's operators are not exact.
 * In: operands. Out: results as the specification defines them; a checked operation returns a trap kind.
 * spec: exec/numerics */
#ifndef TS_CORE_NUMERIC_H
#define TS_CORE_NUMERIC_H
#include "touchstone.h"
#include <string.h>

static inline uint32_t ts_bits32(float v) {
    uint32_t u;
    memcpy(&u, &v, 4);
    return u;
}
static inline uint64_t ts_bits64(double v) {
    uint64_t u;
    memcpy(&u, &v, 8);
    return u;
}
static inline float ts_float32(uint32_t u) {
    float v;
    memcpy(&v, &u, 4);
    return v;
}
static inline double ts_float64(uint64_t u) {
    double v;
    memcpy(&v, &u, 8);
    return v;
}

/* fmin, fmax: the result is NaN if either operand is, and -0 is less than +0. The addition quiets a
 * signalling NaN. */
static inline float ts_fmin32(float a, float b) {
    if (a != a || b != b) return a + b;
    if (a == b) return ts_float32(ts_bits32(a) | ts_bits32(b));
    return a < b ? a : b;
}
static inline float ts_fmax32(float a, float b) {
    if (a != a || b != b) return a + b;
    if (a == b) return ts_float32(ts_bits32(a) & ts_bits32(b));
    return a > b ? a : b;
}
static inline double ts_fmin64(double a, double b) {
    if (a != a || b != b) return a + b;
    if (a == b) return ts_float64(ts_bits64(a) | ts_bits64(b));
    return a < b ? a : b;
}
static inline double ts_fmax64(double a, double b) {
    if (a != a || b != b) return a + b;
    if (a == b) return ts_float64(ts_bits64(a) & ts_bits64(b));
    return a > b ? a : b;
}
/* Rounds to nearest, ties to even. In the default rounding mode, adding and subtracting 2^23 (2^52) does
 * that. */
static inline float ts_nearest32(float a) {
    float m = __builtin_fabsf(a);
    if (!(m < 8388608.0f)) return a != a ? a + a : a;
    volatile float t = m + 8388608.0f;
    return __builtin_copysignf(t - 8388608.0f, a);
}
static inline double ts_nearest64(double a) {
    double m = __builtin_fabs(a);
    if (!(m < 4503599627370496.0)) return a != a ? a + a : a;
    volatile double t = m + 4503599627370496.0;
    return __builtin_copysign(t - 4503599627370496.0, a);
}

/* Where the compiler expands these inline, a signalling NaN passes through; adding it to itself quiets it. */
#define TS_ROUND_FN(name, T, fn)                                                                                       \
    static inline T name(T a) {                                                                                        \
        return a != a ? a + a : fn(a);                                                                                 \
    }
TS_ROUND_FN(ts_ceil32, float, __builtin_ceilf)
TS_ROUND_FN(ts_ceil64, double, __builtin_ceil)
TS_ROUND_FN(ts_floor32, float, __builtin_floorf)
TS_ROUND_FN(ts_floor64, double, __builtin_floor)
TS_ROUND_FN(ts_rtrunc32, float, __builtin_truncf)
TS_ROUND_FN(ts_rtrunc64, double, __builtin_trunc)
#undef TS_ROUND_FN

static inline ts_trap_kind ts_check_div_u(uint64_t b) {
    return b == 0 ? TS_TRAP_INT_DIV_ZERO : TS_TRAP_NONE;
}
static inline ts_trap_kind ts_check_div_s32(uint32_t a, uint32_t b) {
    return b == 0 ? TS_TRAP_INT_DIV_ZERO : a == 0x80000000u && b == UINT32_MAX ? TS_TRAP_INT_OVERFLOW : TS_TRAP_NONE;
}
static inline ts_trap_kind ts_check_div_s64(uint64_t a, uint64_t b) {
    return b == 0                                        ? TS_TRAP_INT_DIV_ZERO
           : a == 0x8000000000000000u && b == UINT64_MAX ? TS_TRAP_INT_OVERFLOW
                                                         : TS_TRAP_NONE;
}
/* Truncations. A float operand is widened, because the range test is exact in double. For 64-bit results
 * the bounds are powers of two. */
#define TS_TRUNC_FN(name, sat, T, lo, hi, min, max)                                                                    \
    static inline ts_trap_kind name(double a, uint64_t *v) {                                                           \
        if (a != a) return TS_TRAP_BAD_CONVERSION;                                                                     \
        if (!(a lo && a hi)) return TS_TRAP_INT_OVERFLOW;                                                              \
        *v = (uint64_t)(T)a;                                                                                           \
        return TS_TRAP_NONE;                                                                                           \
    }                                                                                                                  \
    static inline T sat(double a) {                                                                                    \
        if (a != a) return 0;                                                                                          \
        if (!(a lo)) return min;                                                                                       \
        if (!(a hi)) return max;                                                                                       \
        return (T)a;                                                                                                   \
    }
TS_TRUNC_FN(ts_trunc_s32_, ts_trunc_sat_s32, int32_t, > -2147483649.0, < 2147483648.0, INT32_MIN, INT32_MAX)
TS_TRUNC_FN(ts_trunc_u32, ts_trunc_sat_u32, uint32_t, > -1.0, < 4294967296.0, 0, UINT32_MAX)
TS_TRUNC_FN(ts_trunc_s64, ts_trunc_sat_s64, int64_t, >= -9223372036854775808.0, < 9223372036854775808.0, INT64_MIN,
            INT64_MAX)
TS_TRUNC_FN(ts_trunc_u64, ts_trunc_sat_u64, uint64_t, > -1.0, < 18446744073709551616.0, 0, UINT64_MAX)
#undef TS_TRUNC_FN
static inline ts_trap_kind ts_trunc_s32(double a, uint64_t *v) { /* the result is kept zero-extended */
    ts_trap_kind k = ts_trunc_s32_(a, v);
    if (k == TS_TRAP_NONE) *v = (uint32_t)*v;
    return k;
}
#endif
