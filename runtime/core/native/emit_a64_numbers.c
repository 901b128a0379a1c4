/* emit_a64_numbers: aarch64 code for arithmetic, comparisons and conversions. See emitter.h. */
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE && defined(__aarch64__)
/* --- integers ------------------------------------------------------------------------------------------- */
static void shift(emitter *e, const ts_shape *p, uint32_t op, bool left_rotate, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p), last = wide ? 63 : 31, n = ts_a64_integer(e, wide, q.a, TMP);
    if (q.b_is_const) {
        unsigned by = (unsigned)q.b_const;
        a64_shift_imm(a, wide, op, to, n, (left_rotate ? 0u - by : by) & last);
    } else {
        unsigned by = ts_a64_integer(e, 0, q.b, TMP2);
        if (left_rotate) {
            a64_op(a, 0, A_SUB, TMP2, ZR, by);
            by = TMP2;
        }
        a64_op(a, wide, op, to, n, by);
    }
    ts_emit_finish_integer(e, p, to);
}
static bool with_constant(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, uint64_t c) {
    if (op == A_ADD || op == A_SUB) return a64_try_add_imm(a, wide, op, to, n, (int64_t)c);
    if (op != A_MUL) return a64_try_logical_imm(a, wide, op, to, n, c);
    uint64_t low = wide ? c : (uint32_t)c;
    if (low == 0 || (low & (low - 1))) return false;
    a64_shift_imm(a, wide, A_LSLV, to, n, (unsigned)__builtin_ctzll(low));
    return true;
}
static void two_operands(emitter *e, const ts_shape *p, uint32_t op, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p), n = ts_a64_integer(e, wide, q.a, TMP);
    if (!q.b_is_const) {
        a64_op(a, wide, op, to, n, ts_a64_integer(e, wide, q.b, TMP2));
    } else if (!with_constant(a, wide, op, to, n, q.b_const)) {
        a64_imm(a, TMP2, wide ? q.b_const : (uint32_t)q.b_const);
        a64_op(a, wide, op, to, n, TMP2);
    }
    ts_emit_finish_integer(e, p, to);
}
static void divide(emitter *e, const ts_shape *p, bool is_signed, bool remainder, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    uint64_t c = wide ? q.b_const : (uint32_t)q.b_const;
    unsigned to = integer_result(e, p), n = ts_a64_integer(e, wide, q.a, TMP), by = TMP2;
    if (q.b_is_const && !is_signed && c && (c & (c - 1)) == 0) {
        if (!remainder)
            a64_shift_imm(a, wide, A_LSRV, to, n, (unsigned)__builtin_ctzll(c));
        else if (!a64_try_logical_imm(a, wide, A_AND, to, n, c - 1))
            a64_imm(a, to, 0); /* of a division by 1 */
        ts_emit_finish_integer(e, p, to);
        return;
    }
    if (q.b_is_const)
        a64_imm(a, TMP2, c);
    else
        by = ts_a64_integer(e, wide, q.b, TMP2);
    if (!q.b_is_const || c == 0) ts_emit_side_exit(e, a64_zero(wide, by));
    /* The least number divided by -1 traps. The instruction gives that number, whose remainder is 0 as it must be. */
    if (is_signed && !remainder && (!q.b_is_const || c == (wide ? UINT64_MAX : UINT32_MAX))) {
        a64_compare_imm(a, wide, by, -1, TMP3);
        ts_emit_side_exit(e, CC_E);
    }
    a64_op(a, wide, is_signed ? A_SDIV : A_UDIV, remainder ? TMP3 : to, n, by);
    if (remainder) a64_msub(a, wide, to, TMP3, by, n);
    ts_emit_finish_integer(e, p, to);
}

/* --- floats --------------------------------------------------------------------------------------------- */
/* Whether the number is an immediate of fmov: a sign, 3 bits of exponent, 4 of fraction. */
static bool is_float_imm(int two, uint64_t bits, unsigned *out) {
    unsigned fraction = two ? 52 : 23, top = two ? 9 : 6;
    uint64_t exponent = bits >> (fraction + 2) & (((uint64_t)1 << top) - 1); /* without its two lowest bits */
    uint64_t repeated = exponent & (((uint64_t)1 << (top - 1)) - 1), first = exponent >> (top - 1);
    if (bits & (((uint64_t)1 << (fraction - 4)) - 1)) return false;
    if (repeated != (first ? 0 : ((uint64_t)1 << (top - 1)) - 1)) return false;
    *out = (unsigned)(bits >> (two ? 63 : 31) << 7 | (uint64_t)!first << 6 | (bits >> (fraction - 4) & 63));
    return true;
}
void ts_a64_float_const(emitter *e, unsigned to, int two, uint64_t bits) {
    unsigned imm;
    if (!two) bits = (uint32_t)bits;
    if (bits == 0) {
        a64_float_zero(&e->a, to);
    } else if (is_float_imm(two, bits, &imm)) {
        a64_put(&e->a, 0x1e201000u | a64_two(two) | imm << 13 | to);
    } else {
        a64_imm(&e->a, TMP, bits);
        a64_float_from_int(&e->a, two, to, TMP);
    }
}
static unsigned second_float(emitter *e, const ts_shape *p, pair q) {
    if (!q.b_is_const) return ts_a64_floating(e, p->size == 8, q.b, TMP_Y);
    ts_a64_float_const(e, TMP_Y, p->size == 8, q.b_const);
    return TMP_Y;
}
/* fmin and fmax give what WebAssembly wants for NaNs and zeros. */
static void float_operands(emitter *e, const ts_shape *p, uint32_t op, pair q) {
    int two = p->size == 8;
    unsigned to = float_result(e, p), n = ts_a64_floating(e, two, q.a, TMP_X), m = second_float(e, p, q);
    a64_fop(&e->a, two, op, to, n, m);
    ts_emit_finish_float(e, p, to);
}
static void copysign_of(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    unsigned m = second_float(e, p, q);
    a64_int_from_float(a, two, TMP, m);
    if (q.a.is_mem)
        a64_load(a, two, TMP2, q.a);
    else
        a64_int_from_float(a, two, TMP2, q.a.reg);
    unsigned last = two ? 63 : 31;
    a64_shift_imm(a, two, A_LSRV, TMP, TMP, last);
    a64_put(a, (two ? 0xb3400000u : 0x33000000u) | 1u << 16 | TMP << 5 | TMP2); /* bfi x17, x16, last, 1 */
    unsigned to = float_result(e, p);
    a64_float_from_int(a, two, to, TMP2);
    ts_emit_finish_float(e, p, to);
}
void ts_target_binary(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
#define BOTH(T, n, call)                                                                                               \
    case FAMILY_##T##32_##n:                                                                                           \
    case FAMILY_##T##64_##n: call; return;
    switch (p->family) {
        BOTH(i, add, two_operands(e, p, A_ADD, q))
        BOTH(i, sub, two_operands(e, p, A_SUB, q))
        BOTH(i, mul, two_operands(e, p, A_MUL, q))
        BOTH(i, and, two_operands(e, p, A_AND, q))
        BOTH(i, or, two_operands(e, p, A_ORR, q))
        BOTH(i, xor, two_operands(e, p, A_EOR, q))
        BOTH(i, shl, shift(e, p, A_LSLV, false, q))
        BOTH(i, shr_s, shift(e, p, A_ASRV, false, q))
        BOTH(i, shr_u, shift(e, p, A_LSRV, false, q))
        BOTH(i, rotl, shift(e, p, A_RORV, true, q))
        BOTH(i, rotr, shift(e, p, A_RORV, false, q))
        BOTH(i, div_s, divide(e, p, true, false, q))
        BOTH(i, div_u, divide(e, p, false, false, q))
        BOTH(i, rem_s, divide(e, p, true, true, q))
        BOTH(i, rem_u, divide(e, p, false, true, q))
        BOTH(f, add, float_operands(e, p, A_FADD, q))
        BOTH(f, sub, float_operands(e, p, A_FSUB, q))
        BOTH(f, mul, float_operands(e, p, A_FMUL, q))
        BOTH(f, div, float_operands(e, p, A_FDIV, q))
        BOTH(f, min, float_operands(e, p, A_FMIN, q))
        BOTH(f, max, float_operands(e, p, A_FMAX, q))
        BOTH(f, copysign, copysign_of(e, p, q))
    default: ts_emit_leave(e);
    }
#undef BOTH
}

/* --- comparisons ---------------------------------------------------------------------------------------- */
/* Returns the condition. With a branch behind it, it may be that of a register. */
static int compare_integers(emitter *e, const ts_shape *p, pair q, bool branches) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned cc = ts_emit_integer_condition(p->family);
    bool test = p->family == FAMILY_i32_tst || p->family == FAMILY_i32_ntst;
    int64_t c = wide ? (int64_t)q.b_const : (int64_t)(int32_t)q.b_const;
    unsigned n = ts_a64_integer(e, wide, q.a, TMP);
    if (!q.b_is_const) {
        a64_op(a, wide, test ? A_ANDS : A_SUBS, ZR, n, ts_a64_integer(e, wide, q.b, TMP2));
    } else if (!test) {
        if (branches && c == 0 && (cc == CC_E || cc == CC_NE)) return a64_zero(wide, n) ^ (cc == CC_NE);
        a64_compare_imm(a, wide, n, c, TMP2);
    } else if (!a64_try_logical_imm(a, 0, A_ANDS, ZR, n, (uint64_t)c)) {
        a64_imm(a, TMP2, (uint32_t)c);
        a64_op(a, 0, A_ANDS, ZR, n, TMP2);
    }
    return (int)cc;
}
/* The conditions are false if the operands are unordered, except CC_NE and negations. */
static unsigned float_condition(unsigned family) {
#define CC(n, c)                                                                                                       \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: return c;                                                                                     \
    case FAMILY_nf32_##n:                                                                                              \
    case FAMILY_nf64_##n: return (c) ^ 1;
    switch (family) {
        CC(lt, CC_MI)
        CC(gt, CC_G)
        CC(le, CC_BE)
        CC(ge, CC_GE)
    case FAMILY_f32_eq:
    case FAMILY_f64_eq: return CC_E;
    default: return CC_NE;
    }
#undef CC
}
static unsigned compare_floats(emitter *e, const ts_shape *p, pair q) {
    int two = p->size == 8;
    unsigned n = ts_a64_floating(e, two, q.a, TMP_X);
    a64_fcmp(&e->a, two, n, second_float(e, p, q));
    return float_condition(p->family);
}
void ts_target_compare(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
    unsigned cc = p->in == IN_R ? (unsigned)compare_integers(e, p, q, false) : compare_floats(e, p, q);
    unsigned to = integer_result(e, p);
    a64_cset(&e->a, cc, to);
    ts_emit_finish_integer(e, p, to);
}
void ts_target_compare_and_branch(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    uint64_t constant = p->form == FORM_AI || p->form == FORM_SI ? w[2].u : 0;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[0], w[1].s[1], constant);
    ts_emit_branch(e, p->in == IN_R ? compare_integers(e, p, q, true) : (int)compare_floats(e, p, q));
}
void ts_target_add_and_branch(emitter *e, unsigned cc, bool compares, bool by_slot) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    operand from = ts_emit_read_slot(e, w[1].s[1]), b = by_slot ? ts_emit_read_slot(e, w[2].uw[1]) : in_reg(0);
    unsigned to = result_home(e, w[1].s[0], IN_R, ACC_R);
    a64_add_imm(a, 0, A_ADD, to, ts_a64_integer(e, 0, from, TMP), w[2].w[0], TMP2);
    ts_emit_write_slot(e, w[1].s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) a64_mov(a, 1, ACC_R, to);
    if (!compares || (!by_slot && w[2].w[1] == 0 && (cc == CC_E || cc == CC_NE))) {
        ts_emit_branch(e, a64_zero(0, to) ^ (cc == CC_NE));
        return;
    }
    if (by_slot)
        a64_op(a, 0, A_SUBS, ZR, to, ts_a64_integer(e, 0, b, TMP2));
    else
        a64_compare_imm(a, 0, to, w[2].w[1], TMP2);
    ts_emit_branch(e, (int)cc);
}

/* --- one operand ---------------------------------------------------------------------------------------- */
static void integer_unary(emitter *e, const ts_shape *p, uint32_t op, operand from) {
    unsigned to = integer_result(e, p);
    a64_unary(&e->a, p->size == 8, op, to, ts_a64_integer(e, p->size == 8, from, TMP));
    ts_emit_finish_integer(e, p, to);
}
static void count_trailing(emitter *e, const ts_shape *p, operand from) {
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    a64_unary(&e->a, wide, A_RBIT, TMP, ts_a64_integer(e, wide, from, TMP));
    a64_unary(&e->a, wide, A_CLZ, to, TMP);
    ts_emit_finish_integer(e, p, to);
}
static void count_ones(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    a64_float_from_int(a, wide, TMP_X, ts_a64_integer(e, wide, from, TMP));
    a64_put(a, 0x0e205800u | TMP_X << 5 | TMP_X); /* cnt v30.8b */
    a64_put(a, 0x0e31b800u | TMP_X << 5 | TMP_X); /* addv b30, v30.8b */
    a64_int_from_float(a, 0, to, TMP_X);
    ts_emit_finish_integer(e, p, to);
}
static void extend(emitter *e, const ts_shape *p, int wide, unsigned bits, operand from) {
    unsigned to = integer_result(e, p);
    a64_bitfield(&e->a, wide, 1, to, ts_a64_integer(e, wide && bits < 32, from, TMP), 0, bits - 1);
    ts_emit_finish_integer(e, p, to);
}
static void wrap(emitter *e, const ts_shape *p, operand from) {
    unsigned to = integer_result(e, p);
    a64_mov(&e->a, 0, to, ts_a64_integer(e, 0, from, TMP));
    ts_emit_finish_integer(e, p, to);
}
static void is_zero(emitter *e, const ts_shape *p, operand from) {
    unsigned to = integer_result(e, p);
    a64_compare_imm(&e->a, p->size == 8, ts_a64_integer(e, p->size == 8, from, TMP), 0, TMP2);
    a64_cset(&e->a, CC_E, to);
    ts_emit_finish_integer(e, p, to);
}
static void from_integer(emitter *e, const ts_shape *p, bool is_unsigned, operand from) {
    int wide = p->size == 8;
    unsigned to = float_result(e, p), n = ts_a64_integer(e, wide, from, TMP);
    a64_fun(&e->a, p->out == IN_D, a64_wide(wide) | (is_unsigned ? A_UCVTF : A_SCVTF), to, n);
    ts_emit_finish_float(e, p, to);
}
/* The instruction saturates, and makes 0 of a NaN, as trunc_sat does. */
static void saturate(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    int two = p->in == IN_D;
    unsigned to = integer_result(e, p), n = ts_a64_floating(e, two, from, TMP_X);
    a64_fun(&e->a, two, a64_wide(wide) | (is_unsigned ? A_FCVTZU : A_FCVTZS), to, n);
    ts_emit_finish_integer(e, p, to);
}
/* Truncate, if the result is in range. If not, the interpreter traps. */
static void truncate(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    assembler *a = &e->a;
    int two = p->in == IN_D;
    unsigned n = ts_a64_floating(e, two, from, TMP_X);
    a64_fcmp(a, two, n, n);
    ts_emit_side_exit(e, CC_VS);
    a64_fun(a, two, a64_wide(1) | (wide && is_unsigned ? A_FCVTZU : A_FCVTZS), TMP, n);
    if (!wide) {
        a64_op_extended(a, A_SUBS, ZR, TMP, TMP, !is_unsigned);
        ts_emit_side_exit(e, CC_NE);
        if (!is_unsigned) a64_mov(a, 0, TMP, TMP);
    } else if (is_unsigned) { /* 0 and the greatest number may be saturated */
        ts_emit_side_exit(e, a64_zero(1, TMP));
        a64_compare_imm(a, 1, TMP, -1, TMP2);
        ts_emit_side_exit(e, CC_E);
    } else { /* as may the least and the greatest number */
        a64_compare_imm(a, 1, TMP, 1, TMP2);
        ts_emit_side_exit(e, CC_VS);
        a64_compare_imm(a, 1, TMP, -1, TMP2);
        ts_emit_side_exit(e, CC_VS);
    }
    unsigned to = integer_result(e, p);
    a64_mov(a, 1, to, TMP);
    ts_emit_finish_integer(e, p, to);
}
static void float_unary(emitter *e, const ts_shape *p, uint32_t op, operand from) {
    int two = p->in == IN_D;
    unsigned to = float_result(e, p);
    a64_fun(&e->a, two, op, to, ts_a64_floating(e, two, from, TMP_X));
    ts_emit_finish_float(e, p, to);
}
static void make_canonical(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    unsigned to = float_result(e, p), n = ts_a64_floating(e, two, from, TMP_X);
    ts_a64_float_const(e, TMP_Y, two, two ? 0x7ff8000000000000u : 0x7fc00000u);
    a64_fcmp(a, two, n, n);
    a64_fcsel(a, two, CC_VS, to, TMP_Y, n);
    ts_emit_finish_float(e, p, to);
}
static void reinterpret(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (p->out == IN_R) {
        unsigned to = integer_result(e, p);
        if (from.is_mem)
            a64_load(a, two, to, from);
        else
            a64_int_from_float(a, two, to, from.reg);
        ts_emit_finish_integer(e, p, to);
    } else {
        unsigned to = float_result(e, p);
        if (from.is_mem)
            ts_a64_floating(e, two, from, to);
        else
            a64_float_from_int(a, two, to, from.reg);
        ts_emit_finish_float(e, p, to);
    }
}
static bool convert(emitter *e, const ts_shape *p, operand from) {
    switch (p->family) {
    case FAMILY_f32_convert_i32_s:
    case FAMILY_f64_convert_i32_s:
    case FAMILY_f32_convert_i64_s:
    case FAMILY_f64_convert_i64_s: from_integer(e, p, false, from); return true;
    case FAMILY_f32_convert_i32_u:
    case FAMILY_f64_convert_i32_u:
    case FAMILY_f32_convert_i64_u:
    case FAMILY_f64_convert_i64_u: from_integer(e, p, true, from); return true;
    case FAMILY_i32_trunc_f32_s:
    case FAMILY_i32_trunc_f64_s: truncate(e, p, 0, false, from); return true;
    case FAMILY_i32_trunc_f32_u:
    case FAMILY_i32_trunc_f64_u: truncate(e, p, 0, true, from); return true;
    case FAMILY_i64_trunc_f32_s:
    case FAMILY_i64_trunc_f64_s: truncate(e, p, 1, false, from); return true;
    case FAMILY_i64_trunc_f32_u:
    case FAMILY_i64_trunc_f64_u: truncate(e, p, 1, true, from); return true;
    case FAMILY_i32_trunc_sat_f32_s:
    case FAMILY_i32_trunc_sat_f64_s: saturate(e, p, 0, false, from); return true;
    case FAMILY_i32_trunc_sat_f32_u:
    case FAMILY_i32_trunc_sat_f64_u: saturate(e, p, 0, true, from); return true;
    case FAMILY_i64_trunc_sat_f32_s:
    case FAMILY_i64_trunc_sat_f64_s: saturate(e, p, 1, false, from); return true;
    case FAMILY_i64_trunc_sat_f32_u:
    case FAMILY_i64_trunc_sat_f64_u: saturate(e, p, 1, true, from); return true;
    case FAMILY_i32_reinterpret_f32:
    case FAMILY_i64_reinterpret_f64:
    case FAMILY_f32_reinterpret_i32:
    case FAMILY_f64_reinterpret_i64: reinterpret(e, p, from); return true;
    default: return false;
    }
}
static bool unary_of_floats(emitter *e, const ts_shape *p, operand from) {
#define BOTH(n, op)                                                                                                    \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: float_unary(e, p, op, from); return true;
    switch (p->family) {
        BOTH(abs, A_FABS)
        BOTH(neg, A_FNEG)
        BOTH(nearest, A_FRINTN)
        BOTH(floor, A_FRINTM)
        BOTH(ceil, A_FRINTP)
        BOTH(trunc, A_FRINTZ)
        BOTH(sqrt, A_FSQRT)
    case FAMILY_f32_demote_f64: float_unary(e, p, A_TO_SINGLE, from); return true;
    case FAMILY_f64_promote_f32: float_unary(e, p, A_TO_DOUBLE, from); return true;
    case FAMILY_f32_canon:
    case FAMILY_f64_canon: make_canonical(e, p, from); return true;
    default: return false;
    }
#undef BOTH
}
void ts_target_unary(emitter *e, const ts_shape *p) {
    operand from = ts_emit_read_one(e, p);
    switch (p->family) {
    case FAMILY_i32_eqz:
    case FAMILY_i64_eqz: is_zero(e, p, from); return;
    case FAMILY_i32_clz:
    case FAMILY_i64_clz: integer_unary(e, p, A_CLZ, from); return;
    case FAMILY_i32_ctz:
    case FAMILY_i64_ctz: count_trailing(e, p, from); return;
    case FAMILY_i32_popcnt:
    case FAMILY_i64_popcnt: count_ones(e, p, from); return;
    case FAMILY_i32_wrap_i64: wrap(e, p, from); return;
    case FAMILY_i64_extend_i32_s:
    case FAMILY_i64_extend32_s: extend(e, p, 1, 32, from); return;
    case FAMILY_i32_extend8_s: extend(e, p, 0, 8, from); return;
    case FAMILY_i64_extend8_s: extend(e, p, 1, 8, from); return;
    case FAMILY_i32_extend16_s: extend(e, p, 0, 16, from); return;
    case FAMILY_i64_extend16_s: extend(e, p, 1, 16, from); return;
    default: break;
    }
    if (!convert(e, p, from) && !unary_of_floats(e, p, from)) ts_emit_leave(e);
}
#endif
