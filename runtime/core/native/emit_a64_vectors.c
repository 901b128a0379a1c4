/* emit_a64_vectors: the vector operations in the instructions of Advanced SIMD that every aarch64 has.
 * In: an instruction. Out: machine code; or false, and the interpreter executes it. */
#include "core/native/emitter.h"
#if TS_HAS_MACHINE_CODE && defined(__aarch64__)

enum { X = TMP_X, Y = TMP_Y }; /* for one instruction, besides the register of its result */
enum { B, H, S, D };           /* the sizes of lanes */

void ts_target_load_vector(emitter *e, unsigned to, operand from) {
    a64_access(&e->a, 4, A_LOAD | A_FLOAT, to, a64_near(&e->a, 4, from));
}
void ts_target_store_vector(emitter *e, operand to, unsigned from) {
    a64_access(&e->a, 4, A_STORE | A_FLOAT, from, a64_near(&e->a, 4, to));
}
void ts_a64_vector_const(emitter *e, unsigned to, uint64_t low, uint64_t high) {
    assembler *a = &e->a;
    if (low == high && low == (low & 255) * 0x0101010101010101u) {
        a64_vbytes(a, to, low & 255);
    } else if (low == high && low >> 32 == (uint32_t)low) {
        a64_imm(a, TMP, (uint32_t)low);
        a64_vun(a, a64_lane(V_DUP, S, 0), to, TMP);
    } else if (!e->far) {
        ts_emit_literal(e, a64_vliteral(a, to), low, high);
    } else {
        a64_imm(a, TMP, low);
        a64_float_from_int(a, 1, to, TMP);
        if (!high) return;
        a64_imm(a, TMP, high);
        a64_vun(a, a64_lane(V_INS, D, 1), to, TMP);
    }
}

/* --- operations with one instruction, nearly ------------------------------------------------------------ */
enum {
    SWAP = 1,  /* the operands are exchanged */
    NOT = 2,   /* the result is inverted */
    PICK = 4,  /* it is the second operand where the comparison is true, and the first one elsewhere */
    NARROW = 8 /* of the two operands, each to a half */
};
typedef struct row {
    uint32_t op;
    uint32_t second; /* of the first one's result */
    uint8_t flags;
} row;
#define FIRST FAMILY_v_i8x16_swizzle
#define R(n) [FAMILY_v_##n - FIRST]
#define P(n, op_, size) R(n) = {.op = (op_) | (uint32_t)(size) << 22}
#define PF(n, op_, size, flags_) R(n) = {.op = (op_) | (uint32_t)(size) << 22, .flags = flags_}
#define SIGNED(t, size)                                                                                                \
    P(t##_eq, V_CMEQ, size), PF(t##_ne, V_CMEQ, size, NOT), P(t##_gt_s, V_CMGT, size),                                 \
        PF(t##_lt_s, V_CMGT, size, SWAP), P(t##_ge_s, V_CMGE, size), PF(t##_le_s, V_CMGE, size, SWAP)
#define UNSIGNED(t, size)                                                                                              \
    P(t##_gt_u, V_CMHI, size), PF(t##_lt_u, V_CMHI, size, SWAP), P(t##_ge_u, V_CMHS, size),                            \
        PF(t##_le_u, V_CMHS, size, SWAP)
#define MIN_MAX(t, size)                                                                                               \
    P(t##_min_s, V_SMIN, size), P(t##_max_s, V_SMAX, size), P(t##_min_u, V_UMIN, size), P(t##_max_u, V_UMAX, size)
#define SATURATING(t, size)                                                                                            \
    P(t##_add_sat_s, V_SQADD, size), P(t##_add_sat_u, V_UQADD, size), P(t##_sub_sat_s, V_SQSUB, size),                 \
        P(t##_sub_sat_u, V_UQSUB, size), P(t##_avgr_u, V_URHADD, size)
#define FLOATS(t, two)                                                                                                 \
    P(t##_eq, V_FCMEQ, two), PF(t##_ne, V_FCMEQ, two, NOT), P(t##_gt, V_FCMGT, two), PF(t##_lt, V_FCMGT, two, SWAP),   \
        P(t##_ge, V_FCMGE, two), PF(t##_le, V_FCMGE, two, SWAP), P(t##_add, V_FADD, two), P(t##_sub, V_FSUB, two),     \
        P(t##_mul, V_FMUL, two), P(t##_div, V_FDIV, two), P(t##_min, V_FMIN, two), P(t##_max, V_FMAX, two),            \
        P(t##_relaxed_min, V_FMIN, two), P(t##_relaxed_max, V_FMAX, two), PF(t##_pmin, V_FCMGT, two, PICK),            \
        PF(t##_pmax, V_FCMGT, two, PICK | SWAP)
#define EXTMUL(t, from, size)                                                                                          \
    P(t##_extmul_low_##from##_s, V_SMULL, size), P(t##_extmul_high_##from##_s, V_SMULL | V_HIGH, size),                \
        P(t##_extmul_low_##from##_u, V_UMULL, size), P(t##_extmul_high_##from##_u, V_UMULL | V_HIGH, size)
static const row binaries[] = {
    SIGNED(i8x16, B),
    SIGNED(i16x8, H),
    SIGNED(i32x4, S),
    SIGNED(i64x2, D),
    UNSIGNED(i8x16, B),
    UNSIGNED(i16x8, H),
    UNSIGNED(i32x4, S),
    MIN_MAX(i8x16, B),
    MIN_MAX(i16x8, H),
    MIN_MAX(i32x4, S),
    SATURATING(i8x16, B),
    SATURATING(i16x8, H),
    FLOATS(f32x4, 0),
    FLOATS(f64x2, 1),
    P(v128_and, V_AND, 0),
    P(v128_or, V_ORR, 0),
    P(v128_xor, V_EOR, 0),
    P(v128_andnot, V_BIC, 0),
    P(i8x16_add, V_ADD, B),
    P(i16x8_add, V_ADD, H),
    P(i32x4_add, V_ADD, S),
    P(i64x2_add, V_ADD, D),
    P(i8x16_sub, V_SUB, B),
    P(i16x8_sub, V_SUB, H),
    P(i32x4_sub, V_SUB, S),
    P(i64x2_sub, V_SUB, D),
    P(i16x8_mul, V_MUL, H),
    P(i32x4_mul, V_MUL, S),
    P(i16x8_q15mulr_sat_s, V_SQRDMULH, H),
    P(i16x8_relaxed_q15mulr_s, V_SQRDMULH, H),
    PF(i8x16_narrow_i16x8_s, V_SQXTN, B, NARROW),
    PF(i8x16_narrow_i16x8_u, V_SQXTUN, B, NARROW),
    PF(i16x8_narrow_i32x4_s, V_SQXTN, H, NARROW),
    PF(i16x8_narrow_i32x4_u, V_SQXTUN, H, NARROW),
    EXTMUL(i16x8, i8x16, B),
    EXTMUL(i32x4, i16x8, H),
    EXTMUL(i64x2, i32x4, S),
    PF(i8x16_swizzle, V_TBL, 0, 0), /* an index above 15 gives 0 */
    PF(i8x16_relaxed_swizzle, V_TBL, 0, 0),
    R(i32x4_relaxed_dot_i8x16_i7x16_add_s) = {0}, /* the last family */
};
#define EXTEND(t, from, size)                                                                                          \
    R(t##_extend_low_##from##_s) = {.op = V_SSHLL | 8u << (size) << 16},                                               \
    R(t##_extend_high_##from##_s) = {.op = V_SSHLL | V_HIGH | 8u << (size) << 16},                                     \
    R(t##_extend_low_##from##_u) = {.op = V_USHLL | 8u << (size) << 16},                                               \
    R(t##_extend_high_##from##_u) = {.op = V_USHLL | V_HIGH | 8u << (size) << 16}
#define FLOAT_UNARIES(t, two)                                                                                          \
    P(t##_nearest, V_FRINTN, two), P(t##_floor, V_FRINTM, two), P(t##_ceil, V_FRINTP, two),                            \
        P(t##_trunc, V_FRINTZ, two), P(t##_sqrt, V_FSQRT, two), P(t##_abs, V_FABS, two), P(t##_neg, V_FNEG, two)
/* Doubles to 64-bit integers, and these to 32 bits with zeroes behind them: all saturate, and make 0 of a NaN. */
#define TRUNCATE(n)                                                                                                    \
    P(i32x4_##n##_f32x4_s, V_FCVTZS, 0), P(i32x4_##n##_f32x4_u, V_FCVTZU, 0),                                          \
        R(i32x4_##n##_f64x2_s_zero) = {.op = V_FCVTZS | 1u << 22, .second = V_SQXTN | S << 22},                        \
        R(i32x4_##n##_f64x2_u_zero) = {.op = V_FCVTZU | 1u << 22, .second = V_UQXTN | S << 22}
static const row unaries[] = {
    P(v128_not, V_NOT, 0),
    P(i8x16_abs, V_ABS, B),
    P(i16x8_abs, V_ABS, H),
    P(i32x4_abs, V_ABS, S),
    P(i64x2_abs, V_ABS, D),
    P(i8x16_neg, V_NEG, B),
    P(i16x8_neg, V_NEG, H),
    P(i32x4_neg, V_NEG, S),
    P(i64x2_neg, V_NEG, D),
    P(i8x16_popcnt, V_CNT, 0),
    EXTEND(i16x8, i8x16, B),
    EXTEND(i32x4, i16x8, H),
    EXTEND(i64x2, i32x4, S),
    P(i16x8_extadd_pairwise_i8x16_s, V_SADDLP, B),
    P(i16x8_extadd_pairwise_i8x16_u, V_UADDLP, B),
    P(i32x4_extadd_pairwise_i16x8_s, V_SADDLP, H),
    P(i32x4_extadd_pairwise_i16x8_u, V_UADDLP, H),
    FLOAT_UNARIES(f32x4, 0),
    FLOAT_UNARIES(f64x2, 1),
    TRUNCATE(trunc_sat),
    TRUNCATE(relaxed_trunc),
    P(f32x4_convert_i32x4_s, V_SCVTF, 0),
    P(f32x4_convert_i32x4_u, V_UCVTF, 0),
    R(f64x2_convert_low_i32x4_s) = {.op = V_SSHLL | 8u << S << 16, .second = V_SCVTF | 1u << 22},
    R(f64x2_convert_low_i32x4_u) = {.op = V_USHLL | 8u << S << 16, .second = V_UCVTF | 1u << 22},
    P(f64x2_promote_low_f32x4, V_FCVTL, 1),
    P(f32x4_demote_f64x2_zero, V_FCVTN, 1),
    R(i32x4_relaxed_dot_i8x16_i7x16_add_s) = {0},
};

/* The low 64 bits of the products: a.low * b.low + ((a.low * b.high + a.high * b.low) << 32) */
static void multiply_64(emitter *e, unsigned x, unsigned a, unsigned b) {
    a64_vun(&e->a, a64_lanes(V_REV64, S), Y, b);
    a64_vop(&e->a, a64_lanes(V_MUL, S), Y, Y, a);
    a64_vun(&e->a, a64_lanes(V_UADDLP, S), Y, Y);
    a64_vun(&e->a, a64_shifted(V_SHL, D, 32), x, Y);
    a64_vun(&e->a, a64_lanes(V_XTN, S), X, a);
    a64_vun(&e->a, a64_lanes(V_XTN, S), Y, b);
    a64_vop(&e->a, a64_lanes(V_UMLAL, S), x, X, Y);
}
/* Products of pairs of 16-bit lanes, added. */
static void dot_of_16(emitter *e, unsigned x, unsigned a, unsigned b) {
    a64_vop(&e->a, a64_lanes(V_SMULL, H), X, a, b);
    a64_vop(&e->a, a64_lanes(V_SMULL | V_HIGH, H), Y, a, b);
    a64_vop(&e->a, a64_lanes(V_ADDP, S), x, X, Y);
}
/* Products of pairs of bytes, added with saturation. */
static void dot_of_8(emitter *e, unsigned x, unsigned a, unsigned b) {
    a64_vop(&e->a, a64_lanes(V_SMULL, B), X, a, b);
    a64_vop(&e->a, a64_lanes(V_SMULL | V_HIGH, B), Y, a, b);
    a64_vop(&e->a, a64_lanes(V_UZP1, H), x, X, Y);
    a64_vop(&e->a, a64_lanes(V_UZP2, H), Y, X, Y);
    a64_vop(&e->a, a64_lanes(V_SQADD, H), x, x, Y);
}
static void by_row(emitter *e, const row *r, unsigned x, unsigned a, unsigned b) {
    if (r->flags & NARROW) {
        a64_vun(&e->a, r->op, x, a);
        a64_vun(&e->a, r->op | V_HIGH, x, b);
        return;
    }
    a64_vop(&e->a, r->op, x, r->flags & SWAP ? b : a, r->flags & SWAP ? a : b);
    if (r->flags & NOT) a64_vun(&e->a, V_NOT, x, x);
    if (r->flags & PICK) a64_vop(&e->a, V_BSL, x, b, a);
}
static bool binary(emitter *e, unsigned family) {
    const row *r = &binaries[family - FIRST];
    const uint16_t *s = e->w[1].s;
    unsigned x = ts_vectors_result(e), a = ts_vectors_read(e, s[1]), b = ts_vectors_read(e, s[2]);
    switch (family) {
    case FAMILY_v_i64x2_mul: multiply_64(e, x, a, b); break;
    case FAMILY_v_i32x4_dot_i16x8_s: dot_of_16(e, x, a, b); break;
    case FAMILY_v_i16x8_relaxed_dot_i8x16_i7x16_s: dot_of_8(e, x, a, b); break;
    default:
        if (!r->op) return false;
        by_row(e, r, x, a, b);
    }
    ts_vectors_write(e, s[0], x);
    return true;
}
static bool unary(emitter *e, unsigned family) {
    const row *r = &unaries[family - FIRST];
    const uint16_t *s = e->w[1].s;
    if (!r->op) return false;
    unsigned x = ts_vectors_result(e);
    a64_vun(&e->a, r->op, x, ts_vectors_read(e, s[1]));
    if (r->second) a64_vun(&e->a, r->second, x, x);
    ts_vectors_write(e, s[0], x);
    return true;
}
/* a * b + c, rounded twice */
static void multiply_and_add(emitter *e, unsigned two, bool negates, unsigned x, const unsigned v[3]) {
    if (negates) a64_vun(&e->a, a64_lanes(V_FNEG, two), x, v[0]);
    a64_vop(&e->a, a64_lanes(V_FMUL, two), x, negates ? x : v[0], v[1]);
    a64_vop(&e->a, a64_lanes(V_FADD, two), x, x, v[2]);
}
static bool ternary(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    unsigned x = ts_vectors_result(e);
    unsigned v[3] = {ts_vectors_read(e, s[1]), ts_vectors_read(e, s[2]), ts_vectors_read(e, s[3])};
    switch (family) {
    case FAMILY_v_v128_bitselect:
    case FAMILY_v_i8x16_relaxed_laneselect:
    case FAMILY_v_i16x8_relaxed_laneselect:
    case FAMILY_v_i32x4_relaxed_laneselect:
    case FAMILY_v_i64x2_relaxed_laneselect:
        a64_vmov(&e->a, x, v[2]);
        a64_vop(&e->a, V_BSL, x, v[0], v[1]);
        break;
    case FAMILY_v_f32x4_relaxed_madd: multiply_and_add(e, 0, false, x, v); break;
    case FAMILY_v_f32x4_relaxed_nmadd: multiply_and_add(e, 0, true, x, v); break;
    case FAMILY_v_f64x2_relaxed_madd: multiply_and_add(e, 1, false, x, v); break;
    case FAMILY_v_f64x2_relaxed_nmadd: multiply_and_add(e, 1, true, x, v); break;
    case FAMILY_v_i32x4_relaxed_dot_i8x16_i7x16_add_s:
        dot_of_8(e, x, v[0], v[1]);
        a64_vun(&e->a, a64_lanes(V_SADDLP, H), x, x);
        a64_vop(&e->a, a64_lanes(V_ADD, S), x, x, v[2]);
        break;
    default: return false;
    }
    ts_vectors_write(e, s[0], x);
    return true;
}

/* --- shifts, tests -------------------------------------------------------------------------------------- */
#define EACH_SHAPE(n, call)                                                                                            \
    case FAMILY_v_i8x16_##n: call(B); break;                                                                           \
    case FAMILY_v_i16x8_##n: call(H); break;                                                                           \
    case FAMILY_v_i32x4_##n: call(S); break;                                                                           \
    case FAMILY_v_i64x2_##n: call(D); break;
static bool shift(emitter *e, unsigned family) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    uint32_t op;
    bool right = true;
    unsigned size;
#define LEFT(n) (op = V_USHL, size = n, right = false)
#define RIGHT_S(n) (op = V_SSHL, size = n)
#define RIGHT_U(n) (op = V_USHL, size = n)
    switch (family) {
        EACH_SHAPE(shl, LEFT)
        EACH_SHAPE(shr_s, RIGHT_S)
        EACH_SHAPE(shr_u, RIGHT_U)
    default: return false;
    }
    unsigned by = ts_a64_integer(e, 0, ts_emit_read_slot(e, s[2]), TMP);
    a64_try_logical_imm(a, 0, A_AND, TMP, by, (8u << size) - 1);
    if (right) a64_op(a, 0, A_SUB, TMP, ZR, TMP); /* a shift to the left by less than 0 */
    a64_vun(a, a64_lane(V_DUP, B, 0), Y, TMP);    /* the lowest byte of a lane counts */
    unsigned x = ts_vectors_result(e);
    a64_vop(a, a64_lanes(op, size), x, ts_vectors_read(e, s[1]), Y);
    ts_vectors_write(e, s[0], x);
    return true;
}
static void set_if(emitter *e, unsigned to, int wide, unsigned cc) {
    a64_compare_imm(&e->a, wide, TMP, 0, TMP2);
    a64_cset(&e->a, cc, to);
}
/* No lane is 0. */
static void all_true(emitter *e, unsigned to, unsigned v, unsigned size) {
    if (size == D) {
        a64_vun(&e->a, a64_lanes(V_CMEQ_ZERO, D), X, v);
        a64_vop(&e->a, a64_lanes(V_UMAXP, S), X, X, X);
    } else {
        a64_vun(&e->a, a64_lanes(V_UMINV, size), X, v);
    }
    a64_int_from_float(&e->a, 1, TMP, X);
    set_if(e, to, 1, size == D ? CC_E : CC_NE);
}
/* The signs of the lanes: each has a bit of its own, whose sum is the mask. */
static void bitmask(emitter *e, unsigned to, unsigned v, unsigned size) {
    assembler *a = &e->a;
    static const uint64_t bits[][2] = {
        [B] = {0x8040201008040201u, 0x8040201008040201u},
        [H] = {0x0008000400020001u, 0x0080004000200010u},
        [S] = {0x0000000200000001u, 0x0000000800000004u},
    };
    if (size == D) {
        a64_vun(a, a64_shifted_right(V_USHR, D, 63), X, v);
        a64_int_from_float(a, 1, TMP, X);
        a64_vun(a, a64_lane(V_UMOV | V_HIGH, D, 1), TMP2, X);
        a64_op_shifted(a, 0, A_ADD, to, TMP, TMP2, 1);
        return;
    }
    ts_a64_vector_const(e, Y, bits[size][0], bits[size][1]);
    a64_vun(a, a64_lanes(V_CMLT_ZERO, size), X, v);
    a64_vop(a, V_AND, X, X, Y);
    if (size == B) { /* the bytes 0 and 8, 1 and 9 … become lanes of 16 bits */
        a64_vop(a, V_EXT | 8u << 11, Y, X, X);
        a64_vop(a, a64_lanes(V_ZIP1, B), X, X, Y);
        size = H;
    }
    a64_vun(a, a64_lanes(V_ADDV, size), X, X);
    a64_int_from_float(a, 0, to, X);
}
static bool test(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    unsigned v = ts_vectors_read(e, s[1]), to = result_home(e, s[0], IN_R, TMP);
#define ALL(size) all_true(e, to, v, size)
#define MASK(size) bitmask(e, to, v, size)
    switch (family) {
    case FAMILY_v_v128_any_true:
        a64_vop(&e->a, a64_lanes(V_UMAXP, S), X, v, v);
        a64_int_from_float(&e->a, 1, TMP, X);
        set_if(e, to, 1, CC_NE);
        break;
        EACH_SHAPE(all_true, ALL)
        EACH_SHAPE(bitmask, MASK)
    default: return false;
    }
    ts_emit_write_slot(e, s[0], IN_R, to);
    return true;
}

/* --- lanes ---------------------------------------------------------------------------------------------- */
static unsigned lane_size(unsigned family) {
    switch (family) {
    case FAMILY_v_i8x16_splat:
    case FAMILY_v_i8x16_extract_lane_s:
    case FAMILY_v_i8x16_extract_lane_u:
    case FAMILY_v_i8x16_replace_lane: return B;
    case FAMILY_v_i16x8_splat:
    case FAMILY_v_i16x8_extract_lane_s:
    case FAMILY_v_i16x8_extract_lane_u:
    case FAMILY_v_i16x8_replace_lane: return H;
    case FAMILY_v_i64x2_splat:
    case FAMILY_v_i64x2_extract_lane:
    case FAMILY_v_i64x2_replace_lane:
    case FAMILY_v_f64x2_splat:
    case FAMILY_v_f64x2_extract_lane:
    case FAMILY_v_f64x2_replace_lane: return D;
    default: return S;
    }
}
static void splat(emitter *e, unsigned size, bool is_float) {
    const uint16_t *s = e->w[1].s;
    operand from = ts_emit_read_slot(e, s[1]);
    unsigned x = ts_vectors_result(e);
    if (is_float)
        a64_vun(&e->a, a64_lane(V_DUP_LANE, size, 0), x, ts_a64_floating(e, size == D, from, X));
    else
        a64_vun(&e->a, a64_lane(V_DUP, size, 0), x, ts_a64_integer(e, size == D, from, TMP));
    ts_vectors_write(e, s[0], x);
}
static void extract(emitter *e, unsigned size, bool is_float, bool is_signed) {
    const uint16_t *s = e->w[1].s;
    unsigned v = ts_vectors_read(e, s[1]), class = !is_float ? IN_R : size == D ? IN_D : IN_F;
    unsigned to = result_home(e, s[0], class, is_float ? X : TMP);
    uint32_t op = is_float ? V_GET_LANE : is_signed ? V_SMOV : size == D ? V_UMOV | V_HIGH : V_UMOV;
    a64_vun(&e->a, a64_lane(op, size, s[3]), to, v);
    ts_emit_write_slot(e, s[0], class, to);
}
static void replace(emitter *e, unsigned size, bool is_float) {
    const uint16_t *s = e->w[1].s;
    unsigned x = ts_vectors_result(e), v = ts_vectors_read(e, s[1]);
    operand from = ts_emit_read_slot(e, s[2]);
    unsigned value = is_float ? ts_a64_floating(e, size == D, from, X) : ts_a64_integer(e, size == D, from, TMP);
    a64_vmov(&e->a, x, v);
    a64_vun(&e->a, a64_lane(is_float ? V_INS_LANE : V_INS, size, s[3]), x, value);
    ts_vectors_write(e, s[0], x);
}

bool ts_target_vector(emitter *e, const ts_shape *p) {
    unsigned size = lane_size(p->family);
    ts_vectors_begin(e);
    switch ((ts_vector_form)p->form) {
    case VECTOR_UNARY: return unary(e, p->family);
    case VECTOR_BINARY: return binary(e, p->family);
    case VECTOR_TERNARY: return ternary(e, p->family);
    case VECTOR_SHIFT: return shift(e, p->family);
    case VECTOR_TEST: return test(e, p->family);
    case VECTOR_SPLAT_I32:
    case VECTOR_SPLAT_I64: splat(e, size, false); break;
    case VECTOR_SPLAT_F32:
    case VECTOR_SPLAT_F64: splat(e, size, true); break;
    case VECTOR_EXTRACT_I32:
        extract(e, size, false,
                p->family == FAMILY_v_i8x16_extract_lane_s || p->family == FAMILY_v_i16x8_extract_lane_s);
        break;
    case VECTOR_EXTRACT_I64: extract(e, size, false, false); break;
    case VECTOR_EXTRACT_F32:
    case VECTOR_EXTRACT_F64: extract(e, size, true, false); break;
    case VECTOR_REPLACE_I32:
    case VECTOR_REPLACE_I64: replace(e, size, false); break;
    case VECTOR_REPLACE_F32:
    case VECTOR_REPLACE_F64: replace(e, size, true); break;
    }
    return true;
}

/* --- memory --------------------------------------------------------------------------------------------- */
static void note_fault(emitter *e) {
    PUSH(e->faults, ((ts_native_entry){.word = e->in->at, .code = e->a.len}));
}
static void load_guarded(emitter *e, unsigned to, uint32_t slot) {
    operand m = ts_a64_guarded_place(e, slot, 16);
    note_fault(e);
    a64_access(&e->a, 4, A_LOAD | A_FLOAT, to, m);
}
/* A store over the end of a page may write the bytes in front of it before it faults. A load of the last byte faults
 * first. */
static void store_guarded(emitter *e, unsigned from, uint32_t slot) {
    operand m = ts_a64_guarded_place(e, slot, 16);
    if (m.index != NO_REG) {
        a64_op_extended(&e->a, A_ADD, TMP, m.reg, m.index, 0);
        m = at_mem(TMP, 0);
    }
    operand last = a64_near(&e->a, 0, at_mem(m.reg, m.disp + 15));
    note_fault(e);
    a64_access(&e->a, 0, A_LOAD, TMP2, last);
    note_fault(e);
    a64_access(&e->a, 4, A_STORE | A_FLOAT, from, m);
}
/* The place in the memory that s2 names, with explicit checks. */
static operand checked(emitter *e, uint32_t slot, unsigned size) {
    return ts_a64_checked_place(e, slot, 1u << size, e->w[2].u, e->w[1].s[2]);
}
static bool offset_is_far(const emitter *e) {
    return e->w[2].u > UINT64_MAX - 16;
}
/* What a load does with the bytes, if it is no load of 16 bytes: how many (log), and an instruction or 0. */
typedef struct partial_load {
    uint32_t op;
    uint8_t size;
} partial_load;
static const partial_load partial_loads[] = {
    [TS_VMEM_8X8S] = {V_SSHLL | 8u << B << 16, D},
    [TS_VMEM_8X8U] = {V_USHLL | 8u << B << 16, D},
    [TS_VMEM_16X4S] = {V_SSHLL | 8u << H << 16, D},
    [TS_VMEM_16X4U] = {V_USHLL | 8u << H << 16, D},
    [TS_VMEM_32X2S] = {V_SSHLL | 8u << S << 16, D},
    [TS_VMEM_32X2U] = {V_USHLL | 8u << S << 16, D},
    [TS_VMEM_8SPLAT] = {V_DUP_LANE | 1u << B << 16, B},
    [TS_VMEM_16SPLAT] = {V_DUP_LANE | 1u << H << 16, H},
    [TS_VMEM_32SPLAT] = {V_DUP_LANE | 1u << S << 16, S},
    [TS_VMEM_64SPLAT] = {V_DUP_LANE | 1u << D << 16, D},
    [TS_VMEM_32ZERO] = {0, S}, /* a load clears the rest of the register */
    [TS_VMEM_64ZERO] = {0, D},
};
static void load(emitter *e, unsigned x) {
    const uint16_t *s = e->w[1].s;
    partial_load p = s[3] == TS_VMEM_128 ? (partial_load){0, 4} : partial_loads[s[3]];
    operand m = checked(e, s[1], p.size);
    a64_access(&e->a, p.size, A_LOAD | A_FLOAT, x, m);
    if (p.op) a64_vun(&e->a, p.op, x, x);
}
static void store(emitter *e) {
    const uint16_t *s = e->w[1].s;
    unsigned v = ts_vectors_read(e, s[1]);
    operand m = checked(e, s[0], 4);
    a64_access(&e->a, 4, A_STORE | A_FLOAT, v, m);
}
static void store_lane(emitter *e, unsigned size, unsigned lane) {
    unsigned v = ts_vectors_read(e, e->w[1].s[1]);
    operand m = checked(e, e->w[1].s[0], size);
    a64_vun(&e->a, a64_lane(V_GET_LANE, size, lane), X, v);
    a64_access(&e->a, size, A_STORE | A_FLOAT, X, m);
}
static void load_lane(emitter *e, unsigned size, unsigned lane, unsigned x) {
    unsigned v = ts_vectors_read(e, e->w[1].s[1]);
    operand m = checked(e, e->w[1].s[0], size);
    a64_access(&e->a, size, A_LOAD | A_FLOAT, X, m);
    a64_vmov(&e->a, x, v);
    a64_vun(&e->a, a64_lane(V_INS_LANE, size, lane), x, X);
}
/* Accesses that the interpreter makes with explicit checks. */
static bool checked_access(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    if (offset_is_far(e)) return false;
    if (opcode == TS_IR_v128_store_any) {
        store(e);
        return true;
    }
    unsigned x, size = s[3] & 3, lane = e->w[3].uw[0];
    if (opcode == TS_IR_v128_load_any) {
        x = ts_vectors_result(e);
        load(e, x);
        ts_vectors_write(e, s[0], x);
    } else if (s[3] & TS_LANE_STORE) {
        store_lane(e, size, lane);
    } else {
        x = ts_vectors_result(e);
        load_lane(e, size, lane, x);
        ts_vectors_write(e, e->w[3].uw[1], x);
    }
    return true;
}

/* --- the other operations ------------------------------------------------------------------------------- */
static void choose(emitter *e, unsigned x) {
    const uint16_t *s = e->w[1].s;
    unsigned yes = ts_vectors_read(e, s[1]), no = ts_vectors_read(e, s[2]);
    unsigned condition = ts_a64_integer(e, 0, ts_emit_read_slot(e, s[3]), TMP);
    a64_compare_imm(&e->a, 0, condition, 0, TMP2);
    a64_put(&e->a, 0xda9f03e0u | CC_E << 12 | TMP); /* csetm x16, ne */
    a64_vun(&e->a, a64_lane(V_DUP, D, 0), x, TMP);
    a64_vop(&e->a, V_BSL, x, yes, no);
}
static void shuffle(emitter *e, unsigned x) {
    unsigned a = ts_vectors_read(e, e->w[1].s[1]), b = ts_vectors_read(e, e->w[1].s[2]);
    ts_a64_shuffle(e, (const uint8_t *)(e->w + 2), x, a, b);
}
static void make_canonical(emitter *e, unsigned x, unsigned two) {
    unsigned v = ts_vectors_read(e, e->w[1].s[1]);
    uint64_t nan = two ? 0x7ff8000000000000u : 0x7fc000007fc00000u;
    ts_a64_vector_const(e, Y, nan, nan);
    a64_vop(&e->a, a64_lanes(V_FCMEQ, two), x, v, v);
    a64_vop(&e->a, V_BSL, x, v, Y);
}
bool ts_target_vector_other(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    unsigned x;
    ts_vectors_begin(e);
    switch (opcode) {
    case TS_IR_v128_load_any:
    case TS_IR_v128_store_any:
    case TS_IR_v128_lane_mem: return checked_access(e, opcode);
    case TS_IR_v128_store: store_guarded(e, ts_vectors_read(e, s[1]), s[0]); return true;
    case TS_IR_global_set_v:
        x = ts_vectors_read(e, s[0]);
        ts_target_store_vector(e, ts_a64_global(e), x);
        return true;
    case TS_IR_global_get_v:
        x = ts_vectors_result(e);
        ts_target_load_vector(e, x, ts_a64_global(e));
        break;
    case TS_IR_select_v:
        x = ts_vectors_result(e);
        choose(e, x);
        break;
    case TS_IR_v128_load:
        x = ts_vectors_result(e);
        load_guarded(e, x, s[1]);
        break;
    case TS_IR_v128_const:
        x = ts_vectors_result(e);
        ts_a64_vector_const(e, x, e->w[2].u, e->w[3].u);
        break;
    case TS_IR_i8x16_shuffle:
        x = ts_vectors_result(e);
        shuffle(e, x);
        break;
    case TS_IR_f32x4_canon:
    case TS_IR_f64x2_canon:
        x = ts_vectors_result(e);
        make_canonical(e, x, opcode == TS_IR_f64x2_canon);
        break;
    case TS_IR_copy2:
        x = ts_vectors_result(e);
        a64_vmov(&e->a, x, ts_vectors_read(e, s[1]));
        break;
    default: return false;
    }
    ts_vectors_write(e, s[0], x);
    return true;
}
#endif
