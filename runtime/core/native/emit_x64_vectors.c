/* emit_x64_vectors: the vector operations in the instructions of x86-64 up to SSE 4.2.
 * In: an instruction. Out: machine code; or false, and the interpreter executes it. */
#include "core/native/emitter.h"
#if TS_HAS_MACHINE_CODE && defined(__x86_64__)

enum { X = TMP_X, Y = TMP_Y }; /* for one instruction, besides the register of its result */
#define OP66 0x66

void ts_target_load_vector(emitter *e, unsigned to, operand from) {
    x_op(&e->a, 0, 0x0f10, to, from); /* movups */
}
void ts_target_store_vector(emitter *e, operand to, unsigned from) {
    x_op(&e->a, 0, 0x0f11, from, to); /* movups */
}
static void op(emitter *e, unsigned prefix, unsigned opcode, unsigned to, unsigned from) {
    x_any(&e->a, prefix, 0, opcode, to, in_reg(from), 0);
}
static void op_imm(emitter *e, unsigned prefix, unsigned opcode, unsigned to, unsigned from, unsigned imm) {
    op(e, prefix, opcode, to, from);
    put8(&e->a, imm);
}
static void move(emitter *e, unsigned to, unsigned from) {
    if (to != from) x_op(&e->a, 0, 0x0f28, to, in_reg(from));
}
static void all_ones(emitter *e, unsigned to) {
    op(e, OP66, 0x0f76, to, to);
}
static void zero(emitter *e, unsigned to) {
    op(e, OP66, 0x0fef, to, to);
}
/* A vector of two 64-bit halves. */
static void constant(emitter *e, unsigned to, uint64_t low, uint64_t high) {
    if (low == 0 && high == 0) {
        zero(e, to);
        return;
    }
    x_imm(&e->a, RAX, low);
    x_xmm_from_reg(&e->a, 1, to, RAX);
    if (high == low) {
        op(e, OP66, 0x0f6c, to, to); /* punpcklqdq */
        return;
    }
    x_imm(&e->a, RAX, high);
    x_any(&e->a, OP66, 1, 0x0f3a22, to, in_reg(RAX), 0); /* pinsrq */
    put8(&e->a, 1);
}

/* --- operations with one instruction, nearly ------------------------------------------------------------ */
enum {
    SWAP = 1,   /* the operands are exchanged */
    NOT = 2,    /* the result is inverted */
    IMM = 4,    /* an immediate follows */
    HIGH = 8,   /* the upper half of the operand */
    NEGATE = 16 /* 0 - a */
};
typedef struct row {
    uint8_t prefix, flags, imm;
    uint32_t opcode;
    uint32_t second; /* compared by: max or min, then this equality; products of halves: then this one */
} row;
#define FIRST FAMILY_v_i8x16_swizzle
#define R(n) [FAMILY_v_##n - FIRST]
#define P(n, opcode_) R(n) = {.prefix = OP66, .opcode = opcode_}
#define PF(n, opcode_, flags_) R(n) = {.prefix = OP66, .opcode = opcode_, .flags = flags_}
#define CMPF(n, prefix_, imm_, flags_)                                                                                 \
    R(n) = {.prefix = prefix_, .opcode = 0x0fc2, .imm = imm_, .flags = IMM | (flags_)}
#define SIGNED(t, eq, gt)                                                                                              \
    P(t##_eq, eq), PF(t##_ne, eq, NOT), P(t##_gt_s, gt), PF(t##_lt_s, gt, SWAP), PF(t##_ge_s, gt, SWAP | NOT),         \
        PF(t##_le_s, gt, NOT)
#define UNSIGNED(t, eq, max, min)                                                                                      \
    R(t##_ge_u) = {.prefix = OP66, .opcode = max, .second = eq},                                                       \
    R(t##_lt_u) = {.prefix = OP66, .opcode = max, .second = eq, .flags = NOT},                                         \
    R(t##_le_u) = {.prefix = OP66, .opcode = min, .second = eq},                                                       \
    R(t##_gt_u) = {.prefix = OP66, .opcode = min, .second = eq, .flags = NOT}
#define FLOATS(t, prefix_)                                                                                             \
    CMPF(t##_eq, prefix_, 0, 0), CMPF(t##_ne, prefix_, 4, 0), CMPF(t##_lt, prefix_, 1, 0),                             \
        CMPF(t##_le, prefix_, 2, 0), CMPF(t##_gt, prefix_, 1, SWAP), CMPF(t##_ge, prefix_, 2, SWAP),                   \
        R(t##_add) = {.prefix = prefix_, .opcode = 0x0f58}, R(t##_mul) = {.prefix = prefix_, .opcode = 0x0f59},        \
        R(t##_sub) = {.prefix = prefix_, .opcode = 0x0f5c}, R(t##_div) = {.prefix = prefix_, .opcode = 0x0f5e},        \
        R(t##_pmin) = {.prefix = prefix_, .opcode = 0x0f5d, .flags = SWAP},                                            \
        R(t##_pmax) = {.prefix = prefix_, .opcode = 0x0f5f, .flags = SWAP}
#define EXTMUL(t, from, s, u, multiply_s, multiply_u)                                                                  \
    R(t##_extmul_low_##from##_s) = {.prefix = OP66, .opcode = s, .second = multiply_s},                                \
    R(t##_extmul_high_##from##_s) = {.prefix = OP66, .opcode = s, .second = multiply_s, .flags = HIGH},                \
    R(t##_extmul_low_##from##_u) = {.prefix = OP66, .opcode = u, .second = multiply_u},                                \
    R(t##_extmul_high_##from##_u) = {.prefix = OP66, .opcode = u, .second = multiply_u, .flags = HIGH}
static const row binaries[] = {
    SIGNED(i8x16, 0x0f74, 0x0f64),
    SIGNED(i16x8, 0x0f75, 0x0f65),
    SIGNED(i32x4, 0x0f76, 0x0f66),
    SIGNED(i64x2, 0x0f3829, 0x0f3837),
    UNSIGNED(i8x16, 0x0f74, 0x0fde, 0x0fda),
    UNSIGNED(i16x8, 0x0f75, 0x0f383e, 0x0f383a),
    UNSIGNED(i32x4, 0x0f76, 0x0f383f, 0x0f383b),
    FLOATS(f32x4, 0),
    FLOATS(f64x2, OP66),
    P(v128_and, 0x0fdb),
    P(v128_or, 0x0feb),
    P(v128_xor, 0x0fef),
    PF(v128_andnot, 0x0fdf, SWAP),
    P(i8x16_add, 0x0ffc),
    P(i16x8_add, 0x0ffd),
    P(i32x4_add, 0x0ffe),
    P(i64x2_add, 0x0fd4),
    P(i8x16_sub, 0x0ff8),
    P(i16x8_sub, 0x0ff9),
    P(i32x4_sub, 0x0ffa),
    P(i64x2_sub, 0x0ffb),
    P(i8x16_add_sat_s, 0x0fec),
    P(i16x8_add_sat_s, 0x0fed),
    P(i8x16_add_sat_u, 0x0fdc),
    P(i16x8_add_sat_u, 0x0fdd),
    P(i8x16_sub_sat_s, 0x0fe8),
    P(i16x8_sub_sat_s, 0x0fe9),
    P(i8x16_sub_sat_u, 0x0fd8),
    P(i16x8_sub_sat_u, 0x0fd9),
    P(i16x8_mul, 0x0fd5),
    P(i32x4_mul, 0x0f3840),
    P(i8x16_min_s, 0x0f3838),
    P(i8x16_max_s, 0x0f383c),
    P(i8x16_min_u, 0x0fda),
    P(i8x16_max_u, 0x0fde),
    P(i16x8_min_s, 0x0fea),
    P(i16x8_max_s, 0x0fee),
    P(i16x8_min_u, 0x0f383a),
    P(i16x8_max_u, 0x0f383e),
    P(i32x4_min_s, 0x0f3839),
    P(i32x4_max_s, 0x0f383d),
    P(i32x4_min_u, 0x0f383b),
    P(i32x4_max_u, 0x0f383f),
    P(i8x16_avgr_u, 0x0fe0),
    P(i16x8_avgr_u, 0x0fe3),
    P(i8x16_narrow_i16x8_s, 0x0f63),
    P(i8x16_narrow_i16x8_u, 0x0f67),
    P(i16x8_narrow_i32x4_s, 0x0f6b),
    P(i16x8_narrow_i32x4_u, 0x0f382b),
    P(i32x4_dot_i16x8_s, 0x0ff5),
    EXTMUL(i16x8, i8x16, 0x0f3820, 0x0f3830, 0x0fd5, 0x0fd5),
    EXTMUL(i32x4, i16x8, 0x0f3823, 0x0f3833, 0x0f3840, 0x0f3840),
    EXTMUL(i64x2, i32x4, 0x0f3825, 0x0f3835, 0x0f3828, 0x0ff4),
    R(i32x4_relaxed_dot_i8x16_i7x16_add_s) = {0}, /* the last family */
};
#define EXTEND(t, from, s, u)                                                                                          \
    P(t##_extend_low_##from##_s, s), PF(t##_extend_high_##from##_s, s, HIGH), P(t##_extend_low_##from##_u, u),         \
        PF(t##_extend_high_##from##_u, u, HIGH)
#define ROUND(t, opcode_)                                                                                              \
    R(t##_nearest) = {.prefix = OP66, .opcode = opcode_, .flags = IMM, .imm = 8},                                      \
    R(t##_floor) = {.prefix = OP66, .opcode = opcode_, .flags = IMM, .imm = 9},                                        \
    R(t##_ceil) = {.prefix = OP66, .opcode = opcode_, .flags = IMM, .imm = 10},                                        \
    R(t##_trunc) = {.prefix = OP66, .opcode = opcode_, .flags = IMM, .imm = 11}
static const row unaries[] = {
    P(i8x16_abs, 0x0f381c),
    P(i16x8_abs, 0x0f381d),
    P(i32x4_abs, 0x0f381e),
    PF(i8x16_neg, 0x0ff8, NEGATE),
    PF(i16x8_neg, 0x0ff9, NEGATE),
    PF(i32x4_neg, 0x0ffa, NEGATE),
    PF(i64x2_neg, 0x0ffb, NEGATE),
    EXTEND(i16x8, i8x16, 0x0f3820, 0x0f3830),
    EXTEND(i32x4, i16x8, 0x0f3823, 0x0f3833),
    EXTEND(i64x2, i32x4, 0x0f3825, 0x0f3835),
    ROUND(f32x4, 0x0f3a08),
    ROUND(f64x2, 0x0f3a09),
    R(f32x4_sqrt) = {.opcode = 0x0f51},
    P(f64x2_sqrt, 0x0f51),
    R(f32x4_convert_i32x4_s) = {.opcode = 0x0f5b},
    R(f64x2_convert_low_i32x4_s) = {.prefix = 0xf3, .opcode = 0x0fe6},
    R(f64x2_promote_low_f32x4) = {.opcode = 0x0f5a},
    P(f32x4_demote_f64x2_zero, 0x0f5a),
    R(i32x4_relaxed_dot_i8x16_i7x16_add_s) = {0},
};

static bool binary(emitter *e, unsigned family) {
    const row *r = &binaries[family - FIRST];
    const uint16_t *s = e->w[1].s;
    if (family == FAMILY_v_i8x16_swizzle) { /* an index above 15 gives 0: pshufb looks at bit 7 alone */
        unsigned x = ts_vectors_result(e), a = ts_vectors_read(e, s[1]), b = ts_vectors_read(e, s[2]);
        constant(e, Y, 0x7070707070707070u, 0x7070707070707070u);
        op(e, OP66, 0x0fdc, Y, b);
        move(e, x, a);
        op(e, OP66, 0x0f3800, x, Y);
        ts_vectors_write(e, s[0], x);
        return true;
    }
    if (!r->opcode) return false;
    unsigned x = ts_vectors_result(e), a = ts_vectors_read(e, s[1]), b = ts_vectors_read(e, s[2]);
    if (r->opcode == 0x0f3820 || r->opcode == 0x0f3830 || r->opcode == 0x0f3823 || r->opcode == 0x0f3833 ||
        r->opcode == 0x0f3825 || r->opcode == 0x0f3835) { /* extmul */
        if (r->flags & HIGH) {
            op_imm(e, OP66, 0x0f70, x, a, 0xee);
            op_imm(e, OP66, 0x0f70, Y, b, 0xee);
            a = x;
            b = Y;
        }
        op(e, OP66, r->opcode, x, a);
        op(e, OP66, r->opcode, Y, b);
        op(e, OP66, r->second, x, Y);
        ts_vectors_write(e, s[0], x);
        return true;
    }
    if (r->flags & SWAP) {
        unsigned t = a;
        a = b;
        b = t;
    }
    move(e, x, a);
    op(e, r->prefix, r->opcode, x, b);
    if (r->flags & IMM) put8(&e->a, r->imm);
    if (r->second) op(e, OP66, r->second, x, a);
    if (r->flags & NOT) {
        all_ones(e, Y);
        op(e, OP66, 0x0fef, x, Y);
    }
    ts_vectors_write(e, s[0], x);
    return true;
}
/* psrld, psrlq, pslld and psllq by an immediate */
static void shift_imm(emitter *e, int two, bool left, unsigned r, unsigned n) {
    op_imm(e, OP66, two ? 0x0f73 : 0x0f72, left ? 6 : 2, r, n);
}
static bool unary(emitter *e, unsigned family) {
    const row *r = &unaries[family - FIRST];
    const uint16_t *s = e->w[1].s;
    int two = family == FAMILY_v_f64x2_abs || family == FAMILY_v_f64x2_neg;
    if (!r->opcode && family != FAMILY_v_v128_not && family != FAMILY_v_f32x4_abs && family != FAMILY_v_f64x2_abs &&
        family != FAMILY_v_f32x4_neg && family != FAMILY_v_f64x2_neg)
        return false;
    unsigned x = ts_vectors_result(e);
    switch (family) {
    case FAMILY_v_v128_not:
        all_ones(e, x);
        op(e, OP66, 0x0fef, x, ts_vectors_read(e, s[1]));
        break;
    case FAMILY_v_f32x4_abs:
    case FAMILY_v_f64x2_abs:
        all_ones(e, x);
        shift_imm(e, two, false, x, 1);
        op(e, OP66, 0x0fdb, x, ts_vectors_read(e, s[1]));
        break;
    case FAMILY_v_f32x4_neg:
    case FAMILY_v_f64x2_neg:
        all_ones(e, x);
        shift_imm(e, two, true, x, two ? 63 : 31);
        op(e, OP66, 0x0fef, x, ts_vectors_read(e, s[1]));
        break;
    default: {
        unsigned a = ts_vectors_read(e, s[1]);
        if (r->flags & NEGATE) {
            zero(e, x);
        } else if (r->flags & HIGH) {
            op_imm(e, OP66, 0x0f70, x, a, 0xee);
            a = x;
        }
        op(e, r->prefix, r->opcode, x, a);
        if (r->flags & IMM) put8(&e->a, r->imm);
    }
    }
    ts_vectors_write(e, s[0], x);
    return true;
}
static bool ternary(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    if (family != FAMILY_v_v128_bitselect) return false;
    unsigned x = ts_vectors_result(e), a = ts_vectors_read(e, s[1]), b = ts_vectors_read(e, s[2]),
             c = ts_vectors_read(e, s[3]);
    move(e, x, c);
    op(e, OP66, 0x0fdf, x, b); /* ~c & b */
    move(e, Y, a);
    op(e, OP66, 0x0fdb, Y, c);
    op(e, OP66, 0x0feb, x, Y);
    ts_vectors_write(e, s[0], x);
    return true;
}
static bool shift(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    unsigned opcode, bits;
    switch (family) {
    case FAMILY_v_i16x8_shl: opcode = 0x0ff1, bits = 16; break;
    case FAMILY_v_i32x4_shl: opcode = 0x0ff2, bits = 32; break;
    case FAMILY_v_i64x2_shl: opcode = 0x0ff3, bits = 64; break;
    case FAMILY_v_i16x8_shr_u: opcode = 0x0fd1, bits = 16; break;
    case FAMILY_v_i32x4_shr_u: opcode = 0x0fd2, bits = 32; break;
    case FAMILY_v_i64x2_shr_u: opcode = 0x0fd3, bits = 64; break;
    case FAMILY_v_i16x8_shr_s: opcode = 0x0fe1, bits = 16; break;
    case FAMILY_v_i32x4_shr_s: opcode = 0x0fe2, bits = 32; break;
    default: return false;
    }
    x_mov(&e->a, 0, RAX, ts_emit_read_slot(e, s[2]));
    x_alu_imm(&e->a, 0, X_AND, in_reg(RAX), (int32_t)bits - 1);
    x_xmm_from_reg(&e->a, 0, Y, RAX);
    unsigned x = ts_vectors_result(e);
    move(e, x, ts_vectors_read(e, s[1]));
    op(e, OP66, opcode, x, Y);
    ts_vectors_write(e, s[0], x);
    return true;
}
static void set_if(emitter *e, unsigned cc) {
    x_setcc(&e->a, cc, RAX);
    x_movzx8(&e->a, RAX, RAX);
}
static bool test(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    unsigned equal = 0;
    switch (family) {
    case FAMILY_v_v128_any_true: {
        unsigned a = ts_vectors_read(e, s[1]);
        op(e, OP66, 0x0f3817, a, a); /* ptest */
        set_if(e, CC_NE);
        break;
    }
    case FAMILY_v_i8x16_all_true: equal = 0x0f74; break;
    case FAMILY_v_i16x8_all_true: equal = 0x0f75; break;
    case FAMILY_v_i32x4_all_true: equal = 0x0f76; break;
    case FAMILY_v_i64x2_all_true: equal = 0x0f3829; break;
    case FAMILY_v_i8x16_bitmask: op(e, OP66, 0x0fd7, RAX, ts_vectors_read(e, s[1])); break;
    case FAMILY_v_i16x8_bitmask:
        move(e, X, ts_vectors_read(e, s[1]));
        op(e, OP66, 0x0f63, X, X); /* packsswb */
        op(e, OP66, 0x0fd7, RAX, X);
        x_movzx8(&e->a, RAX, RAX);
        break;
    case FAMILY_v_i32x4_bitmask: op(e, 0, 0x0f50, RAX, ts_vectors_read(e, s[1])); break;
    case FAMILY_v_i64x2_bitmask: op(e, OP66, 0x0f50, RAX, ts_vectors_read(e, s[1])); break;
    default: return false;
    }
    if (equal) {
        unsigned a = ts_vectors_read(e, s[1]);
        zero(e, X);
        op(e, OP66, equal, X, a);
        op(e, OP66, 0x0f3817, X, X);
        set_if(e, CC_E);
    }
    ts_emit_write_slot(e, s[0], IN_R, RAX);
    return true;
}
static bool splat(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    operand from = ts_emit_read_slot(e, s[1]);
    assembler *a = &e->a;
    unsigned x = ts_vectors_result(e);
    bool is_float = family == FAMILY_v_f32x4_splat || family == FAMILY_v_f64x2_splat;
    bool two = family == FAMILY_v_f64x2_splat || family == FAMILY_v_i64x2_splat;
    if (is_float) {
        x_movx(a, two, x, from);
    } else {
        x_mov(a, two, RAX, from);
        x_xmm_from_reg(a, two, x, RAX);
    }
    switch (family) {
    case FAMILY_v_i8x16_splat:
        zero(e, Y);
        op(e, OP66, 0x0f3800, x, Y); /* pshufb */
        break;
    case FAMILY_v_i16x8_splat:
        op_imm(e, 0xf2, 0x0f70, x, x, 0); /* pshuflw */
        op(e, OP66, 0x0f6c, x, x);
        break;
    case FAMILY_v_i32x4_splat:
    case FAMILY_v_f32x4_splat: op_imm(e, OP66, 0x0f70, x, x, 0); break;
    default: op(e, OP66, 0x0f6c, x, x); break;
    }
    ts_vectors_write(e, s[0], x);
    return true;
}
/* pextrb, pextrw, pextrd and pextrq have the vector in `reg`. */
static bool extract(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    assembler *a = &e->a;
    unsigned v = ts_vectors_read(e, s[1]), lane = s[3];
    switch (family) {
    case FAMILY_v_i8x16_extract_lane_s:
    case FAMILY_v_i8x16_extract_lane_u:
        op_imm(e, OP66, 0x0f3a14, v, RAX, lane);
        if (family == FAMILY_v_i8x16_extract_lane_s) x_any(a, 0, 0, 0x0fbe, RAX, in_reg(RAX), 1);
        break;
    case FAMILY_v_i16x8_extract_lane_s:
    case FAMILY_v_i16x8_extract_lane_u:
        op_imm(e, OP66, 0x0f3a15, v, RAX, lane);
        if (family == FAMILY_v_i16x8_extract_lane_s) x_op(a, 0, 0x0fbf, RAX, in_reg(RAX));
        break;
    case FAMILY_v_i32x4_extract_lane: op_imm(e, OP66, 0x0f3a16, v, RAX, lane); break;
    case FAMILY_v_i64x2_extract_lane:
        x_any(a, OP66, 1, 0x0f3a16, v, in_reg(RAX), 0);
        put8(a, lane);
        break;
    case FAMILY_v_f32x4_extract_lane:
        op_imm(e, OP66, 0x0f3a16, v, RAX, lane); /* which clears the high half of the slot */
        x_xmm_from_reg(a, 0, X, RAX);
        ts_emit_write_slot(e, s[0], IN_F, X);
        return true;
    default:
        op_imm(e, OP66, 0x0f70, X, v, lane ? 0xee : 0x44);
        ts_emit_write_slot(e, s[0], IN_D, X);
        return true;
    }
    ts_emit_write_slot(e, s[0], IN_R, RAX);
    return true;
}
static bool replace(emitter *e, unsigned family) {
    const uint16_t *s = e->w[1].s;
    assembler *a = &e->a;
    unsigned lane = s[3], x = ts_vectors_result(e);
    operand from = ts_emit_read_slot(e, s[2]);
    bool is_float = family == FAMILY_v_f32x4_replace_lane || family == FAMILY_v_f64x2_replace_lane;
    if (is_float)
        x_movx(a, family == FAMILY_v_f64x2_replace_lane, Y, from);
    else
        x_mov(a, family == FAMILY_v_i64x2_replace_lane, RAX, from);
    move(e, x, ts_vectors_read(e, s[1]));
    switch (family) {
    case FAMILY_v_i8x16_replace_lane: op_imm(e, OP66, 0x0f3a20, x, RAX, lane); break;
    case FAMILY_v_i16x8_replace_lane: op_imm(e, OP66, 0x0fc4, x, RAX, lane); break;
    case FAMILY_v_i32x4_replace_lane: op_imm(e, OP66, 0x0f3a22, x, RAX, lane); break;
    case FAMILY_v_i64x2_replace_lane:
        x_any(a, OP66, 1, 0x0f3a22, x, in_reg(RAX), 0);
        put8(a, lane);
        break;
    case FAMILY_v_f32x4_replace_lane: op_imm(e, OP66, 0x0f3a21, x, Y, lane << 4); break;
    default: op(e, lane ? 0 : 0xf2, lane ? 0x0f16 : 0x0f10, x, Y); break; /* movlhps, movsd */
    }
    ts_vectors_write(e, s[0], x);
    return true;
}

bool ts_target_vector(emitter *e, const ts_shape *p) {
    if (!__builtin_cpu_supports("sse4.2")) return false;
    ts_vectors_begin(e);
    switch ((ts_vector_form)p->form) {
    case VECTOR_UNARY: return unary(e, p->family);
    case VECTOR_BINARY: return binary(e, p->family);
    case VECTOR_TERNARY: return ternary(e, p->family);
    case VECTOR_SHIFT: return shift(e, p->family);
    case VECTOR_TEST: return test(e, p->family);
    case VECTOR_SPLAT_I32:
    case VECTOR_SPLAT_I64:
    case VECTOR_SPLAT_F32:
    case VECTOR_SPLAT_F64: return splat(e, p->family);
    case VECTOR_EXTRACT_I32:
    case VECTOR_EXTRACT_I64:
    case VECTOR_EXTRACT_F32:
    case VECTOR_EXTRACT_F64: return extract(e, p->family);
    default: return replace(e, p->family);
    }
}

/* --- memory 0 under guard pages, and constants ----------------------------------------------------------- */
static operand address(emitter *e, uint32_t slot) {
    assembler *a = &e->a;
    uint32_t offset = e->w[1].uw[1];
    operand from = ts_emit_read_slot(e, slot);
    x_op(a, 0, 0x8b, RAX, from);
    if (offset <= INT32_MAX) return at_index(MEMORY, RAX, (int32_t)offset);
    x_imm(a, RCX, offset);
    x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
    return at_index(MEMORY, RAX, 0);
}
static void note_fault(emitter *e) {
    PUSH(e->faults, ((ts_native_entry){.word = e->in->at, .code = e->a.len}));
}
bool ts_target_vector_other(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    const ts_word *w = e->w;
    if (!__builtin_cpu_supports("sse4.2")) return false;
    ts_vectors_begin(e);
    unsigned x;
    switch (opcode) {
    case TS_IR_v128_load: {
        operand m = address(e, s[1]);
        x = ts_vectors_result(e);
        note_fault(e);
        x_op(&e->a, 0, 0x0f10, x, m);
        ts_vectors_write(e, s[0], x);
        return true;
    }
    case TS_IR_v128_store: {
        unsigned v = ts_vectors_read(e, s[1]);
        operand m = address(e, s[0]);
        note_fault(e);
        x_op(&e->a, 0, 0x0f11, v, m);
        return true;
    }
    case TS_IR_v128_const:
        x = ts_vectors_result(e);
        constant(e, x, w[2].u, w[3].u);
        ts_vectors_write(e, s[0], x);
        return true;
    case TS_IR_i8x16_shuffle: {
        uint8_t first[16], second[16];
        const uint8_t *lanes = (const uint8_t *)(w + 2);
        for (unsigned i = 0; i < 16; i++) {
            first[i] = lanes[i] < 16 ? lanes[i] : 0x80;
            second[i] = lanes[i] < 16 ? 0x80 : lanes[i] - 16;
        }
        uint64_t half[4];
        memcpy(half, first, 16);
        memcpy(half + 2, second, 16);
        x = ts_vectors_result(e);
        unsigned a = ts_vectors_read(e, s[1]), b = ts_vectors_read(e, s[2]);
        constant(e, X, half[0], half[1]);
        move(e, Y, a);
        op(e, OP66, 0x0f3800, Y, X); /* pshufb */
        constant(e, X, half[2], half[3]);
        move(e, x, b);
        op(e, OP66, 0x0f3800, x, X);
        op(e, OP66, 0x0feb, x, Y);
        ts_vectors_write(e, s[0], x);
        return true;
    }
    case TS_IR_copy2: {
        x = ts_vectors_result(e);
        move(e, x, ts_vectors_read(e, s[1]));
        ts_vectors_write(e, s[0], x);
        return true;
    }
    default: return false;
    }
}
#endif
