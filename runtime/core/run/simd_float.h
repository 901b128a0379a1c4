/* simd_float: the operations of f32x4 and f64x2, once. simd.h includes this file for each of the two shapes.
 * In: macros, which end with this file. SHAPE, SCALAR, LANES; ALL(x): a vector's initializer; F_VECTOR,
 * U_VECTOR and S_VECTOR: the vectors of floats, unsigned and signed integers; F, U and S: their members of
 * ts_v128; SIGN_BIT; INTEGRAL: from this magnitude on every value is an integer; SQRT; X86(op) and
 * X86_MEMBER: an SSE intrinsic and the member that it takes. Out: the functions ts_simd_SHAPE_OPERATION. No
 * include guard.
 * spec: exec/numerics#floating-point-operations */
#define PASTE_(prefix, shape, op) prefix##shape##op
#define PASTE(prefix, shape, op) PASTE_(prefix, shape, op)
#define FN(op) PASTE(ts_simd_, SHAPE, _##op)
#define UNARY(op, member, expr) TS_SIMD_FUNCTION_1(FN(op), member, expr)
#define BINARY(op, member, expr) TS_SIMD_FUNCTION_2(FN(op), member, expr)
#define TERNARY(op, member, expr) TS_SIMD_FUNCTION_3(FN(op), member, expr)

TS_SIMD ts_v128 FN(splat)(SCALAR x) {
    ts_v128 r;
    r.F = (F_VECTOR)ALL(x);
    return r;
}
TS_SIMD ts_v128 FN(replace_lane)(ts_v128 a, unsigned lane, SCALAR x) {
    a.F[lane & (LANES - 1)] = x;
    return a;
}
TS_SIMD SCALAR FN(extract_lane)(ts_v128 a, unsigned lane) {
    return a.F[lane & (LANES - 1)];
}

BINARY(eq, S, (S_VECTOR)(a.F == b.F))
BINARY(ne, S, (S_VECTOR)(a.F != b.F))
BINARY(lt, S, (S_VECTOR)(a.F < b.F))
BINARY(gt, S, (S_VECTOR)(a.F > b.F))
BINARY(le, S, (S_VECTOR)(a.F <= b.F))
BINARY(ge, S, (S_VECTOR)(a.F >= b.F))

BINARY(add, F, (a.F + b.F))
BINARY(sub, F, (a.F - b.F))
BINARY(mul, F, (a.F * b.F))
BINARY(div, F, (a.F / b.F))
UNARY(neg, U, (a.U ^ (U_VECTOR)ALL(SIGN_BIT)))
UNARY(abs, U, (a.U & ~(U_VECTOR)ALL(SIGN_BIT)))
#if TS_SIMD_X86
UNARY(sqrt, X86_MEMBER, X86(sqrt)(a.X86_MEMBER))
#else
TS_SIMD ts_v128 FN(sqrt)(ts_v128 a) {
    ts_v128 r;
    for (unsigned i = 0; i < LANES; i++) r.F[i] = SQRT(a.F[i]);
    return r;
}
#endif

/* Each lane takes one of four values. Equal operands need their own only if they are zeros.
 * spec: exec/numerics#op-fmin */
TS_SIMD ts_v128 FN(min)(ts_v128 a, ts_v128 b) {
    ts_v128 sum, r;
    sum.F = a.F + b.F;
    U_VECTOR lt = (U_VECTOR)(a.F < b.F), gt = (U_VECTOR)(a.F > b.F), eq = (U_VECTOR)(a.F == b.F);
    r.U = (a.U & lt) | (b.U & gt) | ((a.U | b.U) & eq) | (sum.U & ~(lt | gt | eq));
    return r;
}
TS_SIMD ts_v128 FN(max)(ts_v128 a, ts_v128 b) {
    ts_v128 sum, r;
    sum.F = a.F + b.F;
    U_VECTOR lt = (U_VECTOR)(a.F < b.F), gt = (U_VECTOR)(a.F > b.F), eq = (U_VECTOR)(a.F == b.F);
    r.U = (a.U & gt) | (b.U & lt) | ((a.U & b.U) & eq) | (sum.U & ~(lt | gt | eq));
    return r;
}
#if TS_SIMD_X86
BINARY(pmin, X86_MEMBER, X86(min)(b.X86_MEMBER, a.X86_MEMBER))
BINARY(pmax, X86_MEMBER, X86(max)(b.X86_MEMBER, a.X86_MEMBER))
#else
BINARY(pmin, U, (b.U & (U_VECTOR)(b.F < a.F)) | (a.U & ~(U_VECTOR)(b.F < a.F)))
BINARY(pmax, U, (b.U & (U_VECTOR)(a.F < b.F)) | (a.U & ~(U_VECTOR)(a.F < b.F)))
#endif

#if TS_SIMD_X86 && defined(__SSE4_1__)
UNARY(nearest, X86_MEMBER, X86(round)(a.X86_MEMBER, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
UNARY(floor, X86_MEMBER, X86(round)(a.X86_MEMBER, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC))
UNARY(ceil, X86_MEMBER, X86(round)(a.X86_MEMBER, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC))
UNARY(trunc, X86_MEMBER, X86(round)(a.X86_MEMBER, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
#else
/* Adding INTEGRAL to a smaller magnitude and subtracting it again rounds to an integer, ties to even. The
 * sign is restored, which matters for zeros. Larger magnitudes are integers already. The addition makes a NaN
 * quiet. */
TS_SIMD ts_v128 FN(nearest)(ts_v128 a) {
    const F_VECTOR big = ALL(INTEGRAL);
    const U_VECTOR sign = ALL(SIGN_BIT);
    ts_v128 mag, t, r;
    mag.U = a.U & ~sign;
    t.F = (mag.F + big) - big;
    U_VECTOR small = (U_VECTOR)(mag.F < big), nan = (U_VECTOR)(a.F != a.F);
    t.U = ((t.U | (a.U & sign)) & small) | (a.U & ~small & ~nan);
    r.F = a.F + a.F;
    r.U = t.U | (r.U & nan);
    return r;
}
/* Add `by` to the lanes of r that `where` selects. All lanes but NaNs get the sign of sign_of. */
TS_SIMD ts_v128 FN(step_)(ts_v128 r, F_VECTOR by, U_VECTOR where, ts_v128 sign_of) {
    const U_VECTOR sign = ALL(SIGN_BIT);
    ts_v128 t;
    t.F = r.F + by;
    r.U = (t.U & where) | (r.U & ~where);
    U_VECTOR num = (U_VECTOR)(r.F == r.F);
    r.U = (((r.U & ~sign) | (sign_of.U & sign)) & num) | (r.U & ~num);
    return r;
}
TS_SIMD ts_v128 FN(floor)(ts_v128 a) {
    ts_v128 r = FN(nearest)(a);
    return FN(step_)(r, (F_VECTOR)ALL(-1), (U_VECTOR)(r.F > a.F), a);
}
TS_SIMD ts_v128 FN(ceil)(ts_v128 a) {
    ts_v128 r = FN(nearest)(a);
    return FN(step_)(r, (F_VECTOR)ALL(1), (U_VECTOR)(r.F < a.F), a);
}
TS_SIMD ts_v128 FN(trunc)(ts_v128 a) {
    ts_v128 mag = FN(abs)(a), r = FN(nearest)(mag);
    return FN(step_)(r, (F_VECTOR)ALL(-1), (U_VECTOR)(r.F > mag.F), a);
}
#endif

/* spec: exec/numerics#relaxed-operations, R = 0. The sum is not fused: -ffp-contract=off */
TERNARY(relaxed_madd, F, ((a.F * b.F) + c.F))
TERNARY(relaxed_nmadd, F, ((FN(neg)(a).F * b.F) + c.F))
TS_SIMD ts_v128 FN(relaxed_min)(ts_v128 a, ts_v128 b) {
    return FN(min)(a, b);
}
TS_SIMD ts_v128 FN(relaxed_max)(ts_v128 a, ts_v128 b) {
    return FN(max)(a, b);
}

#undef PASTE_
#undef PASTE
#undef FN
#undef UNARY
#undef BINARY
#undef TERNARY
#undef SHAPE
#undef SCALAR
#undef LANES
#undef ALL
#undef F_VECTOR
#undef U_VECTOR
#undef S_VECTOR
#undef F
#undef U
#undef S
#undef SIGN_BIT
#undef INTEGRAL
#undef SQRT
#undef X86
#undef X86_MEMBER
