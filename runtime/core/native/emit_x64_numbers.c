/* emit_x64_numbers: x86-64 code for arithmetic, comparisons and conversions. See emitter.h. */
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE && defined(__x86_64__)
/* --- integers ------------------------------------------------------------------------------------------- */
static void shift(emitter *e, const ts_shape *p, unsigned op, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    if (q.b_is_const) {
        x_mov(a, wide, to, q.a);
        x_op(a, wide, 0xc1, op, in_reg(to));
        put8(a, (unsigned)q.b_const & (wide ? 63 : 31));
    } else {
        x_mov(a, 0, RCX, q.b);
        x_mov(a, wide, to, q.a);
        x_op(a, wide, 0xd3, op, in_reg(to));
    }
    ts_emit_finish_integer(e, p, to);
}
/* An operation with the encoding of the first group, or imul. */
static void two_operands(emitter *e, const ts_shape *p, unsigned opcode, unsigned group, bool commutes, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    if (q.b_is_const) {
        int32_t imm = (int32_t)q.b_const;
        if (opcode == 0x0faf) {
            x_op(a, wide, 0x69, to, q.a);
            put32(a, (uint32_t)imm);
        } else if (!q.a.is_mem && q.a.reg != to && (group == X_ADD || group == X_SUB) && imm != INT32_MIN) {
            x_lea(a, wide, to, at_mem(q.a.reg, group == X_ADD ? imm : -imm));
        } else {
            x_mov(a, wide, to, q.a);
            x_alu_imm(a, wide, group, in_reg(to), imm);
        }
    } else if (group == X_ADD && opcode != 0x0faf && !q.a.is_mem && !q.b.is_mem && q.a.reg != to && q.b.reg != to) {
        x_lea(a, wide, to, at_index(q.a.reg, q.b.reg, 0));
    } else if (is_reg(q.b, to) && !is_reg(q.a, to)) {
        if (commutes) {
            x_op(a, wide, opcode, to, q.a);
        } else {
            x_mov(a, wide, RAX, q.a);
            x_op(a, wide, opcode, RAX, q.b);
            x_mov(a, 1, to, in_reg(RAX));
        }
    } else {
        x_mov(a, wide, to, q.a);
        x_op(a, wide, opcode, to, q.b);
    }
    ts_emit_finish_integer(e, p, to);
}
static void divide(emitter *e, const ts_shape *p, bool is_signed, bool remainder, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    uint64_t c = wide ? q.b_const : (uint32_t)q.b_const;
    unsigned to = integer_result(e, p);
    if (q.b_is_const && !is_signed && c && (c & (c - 1)) == 0 && c <= 0x40000000) {
        x_mov(a, wide, to, q.a);
        if (remainder) {
            x_alu_imm(a, wide, X_AND, in_reg(to), (int32_t)(c - 1));
        } else {
            x_op(a, wide, 0xc1, X_SHR, in_reg(to));
            put8(a, (unsigned)__builtin_ctzll(c));
        }
        ts_emit_finish_integer(e, p, to);
        return;
    }
    if (q.b_is_const)
        x_imm(a, RCX, c);
    else
        x_mov(a, wide, RCX, q.b);
    if (!q.b_is_const || c == 0) {
        x_op(a, wide, 0x85, RCX, in_reg(RCX));
        ts_emit_side_exit(e, CC_E);
    }
    if (is_signed && (!q.b_is_const || c == (wide ? UINT64_MAX : UINT32_MAX))) {
        x_alu_imm(a, wide, X_CMP, in_reg(RCX), -1);
        ts_emit_side_exit(e, CC_E);
    }
    x_mov(a, wide, RAX, q.a);
    if (is_signed)
        x_op(a, wide, 0x99, 0, in_reg(0)), a->len--; /* cdq, cqo: no ModRM */
    else
        x_imm(a, RDX, 0);
    x_op(a, wide, 0xf7, is_signed ? 7 : 6, in_reg(RCX));
    x_mov(a, 1, to, in_reg(remainder ? RDX : RAX));
    ts_emit_finish_integer(e, p, to);
}
static void divide_family(emitter *e, const ts_shape *p, pair q) {
    switch (p->family) {
    case FAMILY_i32_div_s:
    case FAMILY_i64_div_s: divide(e, p, true, false, q); return;
    case FAMILY_i32_div_u:
    case FAMILY_i64_div_u: divide(e, p, false, false, q); return;
    case FAMILY_i32_rem_s:
    case FAMILY_i64_rem_s: divide(e, p, true, true, q); return;
    default: divide(e, p, false, true, q); return;
    }
}

/* --- floats --------------------------------------------------------------------------------------------- */
void ts_x64_float_const(emitter *e, unsigned to, int two, uint64_t bits) {
    if (!two) bits = (uint32_t)bits;
    if (bits == 0) {
        x_op(&e->a, 0, 0x0f57, to, in_reg(to));
        return;
    }
    x_imm(&e->a, RAX, bits);
    x_xmm_from_reg(&e->a, two, to, RAX);
}
static void float_operands(emitter *e, const ts_shape *p, unsigned opcode, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    unsigned to = float_result(e, p);
    if (q.b_is_const) {
        ts_x64_float_const(e, TMP_Y, two, q.b_const);
        q.b = in_reg(TMP_Y);
    }
    if (is_reg(q.b, to) && !is_reg(q.a, to)) {
        x_movx(a, two, TMP_X, q.a);
        x_sse(a, two, opcode, TMP_X, q.b);
        x_movx(a, two, to, in_reg(TMP_X));
    } else {
        x_movx(a, two, to, q.a);
        x_sse(a, two, opcode, to, q.b);
    }
    ts_emit_finish_float(e, p, to);
}
/* minss and maxss give the second operand if either is a NaN, or if both are zeros. */
static void float_min_max(emitter *e, const ts_shape *p, bool is_max, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (q.b_is_const)
        ts_x64_float_const(e, TMP_Y, two, q.b_const);
    else
        x_movx(a, two, TMP_Y, q.b);
    x_movx(a, two, TMP_X, q.a);
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, TMP_X, in_reg(TMP_Y), 0);
    uint32_t nan = x_jump_short(a, CC_P), equal = x_jump_short(a, CC_E);
    x_sse(a, two, is_max ? 0x0f5f : 0x0f5d, TMP_X, in_reg(TMP_Y));
    uint32_t done = x_jump_short(a, -1);
    x_bind_short(a, nan);
    x_sse(a, two, 0x0f58, TMP_X, in_reg(TMP_Y));
    uint32_t done_too = x_jump_short(a, -1);
    x_bind_short(a, equal);
    x_op(a, 0, is_max ? 0x0f54 : 0x0f56, TMP_X, in_reg(TMP_Y)); /* andps, orps: of zeros, the sign decides */
    x_bind_short(a, done);
    x_bind_short(a, done_too);
    ts_emit_finish_float(e, p, TMP_X);
}
static void copysign_of(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8, bits = two ? 63 : 31;
    if (q.b_is_const)
        ts_x64_float_const(e, TMP_Y, two, q.b_const);
    else
        x_movx(a, two, TMP_Y, q.b);
    x_movx(a, two, TMP_X, q.a);
    x_reg_from_xmm(a, two, RCX, TMP_Y);
    x_reg_from_xmm(a, two, RAX, TMP_X);
    x_op(a, two, 0xc1, X_SHR, in_reg(RCX));
    put8(a, (unsigned)bits);
    x_op(a, two, 0xc1, X_SHL, in_reg(RCX));
    put8(a, (unsigned)bits);
    x_op(a, two, 0x0fba, 6, in_reg(RAX)); /* btr */
    put8(a, (unsigned)bits);
    x_op(a, two, 0x0b, RAX, in_reg(RCX));
    x_xmm_from_reg(a, two, TMP_X, RAX);
    ts_emit_finish_float(e, p, TMP_X);
}
void ts_target_binary(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
    if (p->kind == SHAPE_DIV) {
        divide_family(e, p, q);
        return;
    }
#define ALU(n, opcode, group, commutes)                                                                                \
    case FAMILY_i32_##n:                                                                                               \
    case FAMILY_i64_##n: two_operands(e, p, opcode, group, commutes, q); return;
#define SHIFT(n, op)                                                                                                   \
    case FAMILY_i32_##n:                                                                                               \
    case FAMILY_i64_##n: shift(e, p, op, q); return;
#define FLOAT(n, call)                                                                                                 \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: call; return;
    switch (p->family) {
        ALU(add, 0x03, X_ADD, true)
        ALU(sub, 0x2b, X_SUB, false)
        ALU(mul, 0x0faf, X_ADD, true)
        ALU(and, 0x23, X_AND, true)
        ALU(or, 0x0b, X_OR, true)
        ALU(xor, 0x33, X_XOR, true)
        SHIFT(shl, X_SHL)
        SHIFT(shr_s, X_SAR)
        SHIFT(shr_u, X_SHR)
        SHIFT(rotl, X_ROL)
        SHIFT(rotr, X_ROR)
        FLOAT(add, float_operands(e, p, 0x0f58, q))
        FLOAT(sub, float_operands(e, p, 0x0f5c, q))
        FLOAT(mul, float_operands(e, p, 0x0f59, q))
        FLOAT(div, float_operands(e, p, 0x0f5e, q))
        FLOAT(min, float_min_max(e, p, false, q))
        FLOAT(max, float_min_max(e, p, true, q))
        FLOAT(copysign, copysign_of(e, p, q))
    default: ts_emit_leave(e);
    }
#undef ALU
#undef SHIFT
#undef FLOAT
}

/* --- comparisons ---------------------------------------------------------------------------------------- */
static void compare_integers(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    bool test = p->family == FAMILY_i32_tst || p->family == FAMILY_i32_ntst;
    uint64_t c = wide ? q.b_const : (uint64_t)(int64_t)(int32_t)q.b_const;
    if (q.b_is_const && (uint64_t)(int64_t)(int32_t)c != c) {
        x_imm(a, RCX, c);
        q.b = in_reg(RCX);
        q.b_is_const = false;
    }
    if (q.b_is_const) {
        if (test) {
            x_op(a, wide, 0xf7, 0, q.a);
            put32(a, (uint32_t)c);
        } else if (c == 0 && !q.a.is_mem) {
            x_op(a, wide, 0x85, q.a.reg, q.a);
        } else {
            x_alu_imm(a, wide, X_CMP, q.a, (int32_t)c);
        }
        return;
    }
    if (q.a.is_mem) {
        x_mov(a, wide, RAX, q.a);
        q.a = in_reg(RAX);
    }
    x_op(a, wide, test ? 0x85 : 0x3b, q.a.reg, q.b);
}
/* A comparison of floats: which operand is first, and the condition. An unordered result sets ZF, PF and CF. */
typedef struct float_condition {
    bool swapped;
    unsigned cc; /* CC_E and CC_NE: with a look at PF */
} float_condition;
static float_condition condition_of_floats(unsigned family) {
#define CC(n, s, c)                                                                                                    \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: return (float_condition){s, c};                                                               \
    case FAMILY_nf32_##n:                                                                                              \
    case FAMILY_nf64_##n: return (float_condition){s, (c) ^ 1u};
    switch (family) {
        CC(lt, true, CC_A)
        CC(gt, false, CC_A)
        CC(le, true, CC_AE)
        CC(ge, false, CC_AE)
    case FAMILY_f32_eq:
    case FAMILY_f64_eq: return (float_condition){false, CC_E};
    default: return (float_condition){false, CC_NE};
    }
#undef CC
}
static unsigned compare_floats(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    float_condition c = condition_of_floats(p->family);
    if (q.b_is_const) {
        ts_x64_float_const(e, TMP_Y, two, q.b_const);
        q.b = in_reg(TMP_Y);
    }
    operand first = c.swapped ? q.b : q.a, second = c.swapped ? q.a : q.b;
    if (first.is_mem) {
        x_movx(a, two, TMP_X, first);
        first = in_reg(TMP_X);
    }
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, first.reg, second, 0);
    return c.cc;
}
void ts_target_compare(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
    if (p->in == IN_R) {
        compare_integers(e, p, q);
        x_setcc(a, ts_emit_integer_condition(p->family), RAX);
    } else {
        unsigned cc = compare_floats(e, p, q);
        x_setcc(a, cc, RAX);
        if (cc == CC_E || cc == CC_NE) {
            x_setcc(a, cc == CC_E ? CC_NP : CC_P, RCX);
            x_any(a, 0, 0, cc == CC_E ? 0x22 : 0x0a, RAX, in_reg(RCX), 0);
        }
    }
    unsigned to = integer_result(e, p);
    x_movzx8(a, to, RAX);
    ts_emit_finish_integer(e, p, to);
}
void ts_target_compare_and_branch(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    uint64_t constant = p->form == FORM_AI || p->form == FORM_SI ? w[2].u : 0;
    pair q = ts_emit_read_pair(e, p->form, acc_of(p->in), w[1].s[0], w[1].s[1], constant);
    if (p->in == IN_R) {
        compare_integers(e, p, q);
        ts_emit_branch(e, (int)ts_emit_integer_condition(p->family));
        return;
    }
    unsigned cc = compare_floats(e, p, q);
    if (cc == CC_E) {
        uint32_t unordered = x_jump_short(a, CC_P);
        ts_emit_branch(e, CC_E);
        x_bind_short(a, unordered);
    } else if (cc == CC_NE) {
        ts_emit_branch(e, CC_P);
        ts_emit_branch(e, CC_NE);
    } else {
        ts_emit_branch(e, (int)cc);
    }
}
void ts_target_add_and_branch(emitter *e, unsigned cc, bool compares, bool by_slot) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    operand from = ts_emit_read_slot(e, w[1].s[1]), b = by_slot ? ts_emit_read_slot(e, w[2].uw[1]) : in_reg(0);
    unsigned to = result_home(e, w[1].s[0], IN_R, ACC_R);
    if (!from.is_mem && from.reg != to) {
        x_lea(a, 0, to, at_mem(from.reg, w[2].w[0]));
    } else {
        x_mov(a, 0, to, from);
        x_alu_imm(a, 0, X_ADD, in_reg(to), w[2].w[0]);
    }
    ts_emit_write_slot(e, w[1].s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) x_mov(a, 1, ACC_R, in_reg(to));
    if (!compares)
        x_op(a, 0, 0x85, to, in_reg(to));
    else if (by_slot)
        x_alu(a, 0, X_CMP, to, b);
    else
        x_alu_imm(a, 0, X_CMP, in_reg(to), w[2].w[1]);
    ts_emit_branch(e, (int)cc);
}

/* --- one operand ---------------------------------------------------------------------------------------- */
static void to_integer(emitter *e, const ts_shape *p, int wide, unsigned opcode, operand from) {
    unsigned to = integer_result(e, p);
    x_op(&e->a, wide, opcode, to, from);
    ts_emit_finish_integer(e, p, to);
}
static void count_zeros(emitter *e, const ts_shape *p, bool leading, operand from) {
    assembler *a = &e->a;
    int wide = p->size == 8, bits = wide ? 64 : 32;
    x_imm(a, RCX, leading ? (unsigned)(2 * bits - 1) : (unsigned)bits);
    x_op(a, wide, leading ? 0x0fbd : 0x0fbc, RAX, from); /* bsr, bsf */
    x_op(a, 0, 0x0f40 | CC_E, RAX, in_reg(RCX));
    if (leading) x_alu_imm(a, 0, X_XOR, in_reg(RAX), bits - 1);
    unsigned to = integer_result(e, p);
    x_mov(a, 1, to, in_reg(RAX));
    ts_emit_finish_integer(e, p, to);
}
static void from_integer(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    assembler *a = &e->a;
    unsigned to = float_result(e, p);
    x_mov(a, wide, RAX, from);
    if (wide && is_unsigned) {
        x_op(a, 1, 0x85, RAX, in_reg(RAX));
        ts_emit_side_exit(e, CC_S);
    }
    x_op(a, 0, 0x0f57, to, in_reg(to));
    x_any(a, p->out == IN_D ? 0xf2 : 0xf3, wide || is_unsigned, 0x0f2a, to, in_reg(RAX), 0);
    ts_emit_finish_float(e, p, to);
}
/* Truncate, if the result is in range. If not, the interpreter traps or saturates. */
static void truncate(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    assembler *a = &e->a;
    x_any(a, p->in == IN_D ? 0xf2 : 0xf3, 1, 0x0f2c, RAX, from, 0); /* cvttsd2si rax; out of range: 1 << 63 */
    if (!wide && !is_unsigned) {
        x_op(a, 1, 0x63, RCX, in_reg(RAX)); /* movsxd */
        x_alu(a, 1, X_CMP, RCX, in_reg(RAX));
        ts_emit_side_exit(e, CC_NE);
        x_mov(a, 0, RCX, in_reg(RAX));
        x_mov(a, 0, RAX, in_reg(RCX));
    } else if (!wide) {
        x_op(a, 0, 0x8b, RCX, in_reg(RAX));
        x_alu(a, 1, X_CMP, RCX, in_reg(RAX));
        ts_emit_side_exit(e, CC_NE);
    } else if (is_unsigned) {
        x_op(a, 1, 0x85, RAX, in_reg(RAX));
        ts_emit_side_exit(e, CC_S);
    } else {
        x_alu_imm(a, 1, X_CMP, in_reg(RAX), 1);
        ts_emit_side_exit(e, CC_O);
    }
    unsigned to = integer_result(e, p);
    x_mov(a, 1, to, in_reg(RAX));
    ts_emit_finish_integer(e, p, to);
}
/* Change the sign bit: btr clears it, btc inverts it. */
static void change_sign(emitter *e, const ts_shape *p, unsigned op, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (from.is_mem)
        x_mov(a, two, RAX, from);
    else
        x_reg_from_xmm(a, two, RAX, from.reg);
    x_op(a, two, 0x0fba, op, in_reg(RAX));
    put8(a, two ? 63 : 31);
    unsigned to = float_result(e, p);
    x_xmm_from_reg(a, two, to, RAX);
    ts_emit_finish_float(e, p, to);
}
static void float_unary(emitter *e, const ts_shape *p, int two, unsigned opcode, operand from) {
    unsigned to = float_result(e, p);
    x_sse(&e->a, two, opcode, to, from);
    ts_emit_finish_float(e, p, to);
}
static void round_to(emitter *e, const ts_shape *p, unsigned mode, operand from) {
    if (!__builtin_cpu_supports("sse4.1")) {
        ts_emit_leave(e);
        return;
    }
    unsigned to = float_result(e, p);
    x_any(&e->a, 0x66, 0, p->size == 8 ? 0x0f3a0b : 0x0f3a0a, to, from, 0);
    put8(&e->a, 8 | mode);
    ts_emit_finish_float(e, p, to);
}
static void make_canonical(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    x_movx(a, two, TMP_X, from);
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, TMP_X, in_reg(TMP_X), 0);
    uint32_t ordered = x_jump_short(a, CC_NP);
    ts_x64_float_const(e, TMP_X, two, two ? 0x7ff8000000000000u : 0x7fc00000u);
    x_bind_short(a, ordered);
    ts_emit_finish_float(e, p, TMP_X);
}
static void is_zero(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    x_alu_imm(a, p->size == 8, X_CMP, from, 0);
    x_setcc(a, CC_E, RAX);
    unsigned to = integer_result(e, p);
    x_movzx8(a, to, RAX);
    ts_emit_finish_integer(e, p, to);
}
static void extend8(emitter *e, const ts_shape *p, int wide, operand from) {
    unsigned to = integer_result(e, p);
    x_any(&e->a, 0, wide, 0x0fbe, to, from, 1);
    ts_emit_finish_integer(e, p, to);
}
static void reinterpret(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (p->out == IN_R) {
        unsigned to = integer_result(e, p);
        if (from.is_mem)
            x_mov(a, two, to, from);
        else
            x_reg_from_xmm(a, two, to, from.reg);
        ts_emit_finish_integer(e, p, to);
    } else {
        unsigned to = float_result(e, p);
        if (from.is_mem)
            x_movx(a, two, to, from);
        else
            x_xmm_from_reg(a, two, to, from.reg);
        ts_emit_finish_float(e, p, to);
    }
}
void ts_target_unary(emitter *e, const ts_shape *p) {
    operand from = ts_emit_read_one(e, p);
    switch (p->family) {
    case FAMILY_i32_eqz:
    case FAMILY_i64_eqz: is_zero(e, p, from); return;
    case FAMILY_i32_clz:
    case FAMILY_i64_clz: count_zeros(e, p, true, from); return;
    case FAMILY_i32_ctz:
    case FAMILY_i64_ctz: count_zeros(e, p, false, from); return;
    case FAMILY_i32_popcnt:
    case FAMILY_i64_popcnt:
        if (!__builtin_cpu_supports("popcnt")) break;
        {
            unsigned to = integer_result(e, p);
            x_any(&e->a, 0xf3, p->size == 8, 0x0fb8, to, from, 0);
            ts_emit_finish_integer(e, p, to);
        }
        return;
    case FAMILY_i32_wrap_i64: to_integer(e, p, 0, 0x8b, from); return;
    case FAMILY_i64_extend_i32_s:
    case FAMILY_i64_extend32_s: to_integer(e, p, 1, 0x63, from); return;
    case FAMILY_i32_extend8_s: extend8(e, p, 0, from); return;
    case FAMILY_i64_extend8_s: extend8(e, p, 1, from); return;
    case FAMILY_i32_extend16_s: to_integer(e, p, 0, 0x0fbf, from); return;
    case FAMILY_i64_extend16_s: to_integer(e, p, 1, 0x0fbf, from); return;
    case FAMILY_f32_abs:
    case FAMILY_f64_abs: change_sign(e, p, 6, from); return;
    case FAMILY_f32_neg:
    case FAMILY_f64_neg: change_sign(e, p, 7, from); return;
    case FAMILY_f32_nearest:
    case FAMILY_f64_nearest: round_to(e, p, 0, from); return;
    case FAMILY_f32_floor:
    case FAMILY_f64_floor: round_to(e, p, 1, from); return;
    case FAMILY_f32_ceil:
    case FAMILY_f64_ceil: round_to(e, p, 2, from); return;
    case FAMILY_f32_trunc:
    case FAMILY_f64_trunc: round_to(e, p, 3, from); return;
    case FAMILY_f32_sqrt:
    case FAMILY_f64_sqrt: float_unary(e, p, p->size == 8, 0x0f51, from); return;
    case FAMILY_f32_demote_f64: float_unary(e, p, 1, 0x0f5a, from); return;
    case FAMILY_f64_promote_f32: float_unary(e, p, 0, 0x0f5a, from); return;
    case FAMILY_f32_convert_i32_s:
    case FAMILY_f64_convert_i32_s: from_integer(e, p, 0, false, from); return;
    case FAMILY_f32_convert_i32_u:
    case FAMILY_f64_convert_i32_u: from_integer(e, p, 0, true, from); return;
    case FAMILY_f32_convert_i64_s:
    case FAMILY_f64_convert_i64_s: from_integer(e, p, 1, false, from); return;
    case FAMILY_f32_convert_i64_u:
    case FAMILY_f64_convert_i64_u: from_integer(e, p, 1, true, from); return;
    case FAMILY_i32_reinterpret_f32:
    case FAMILY_i64_reinterpret_f64:
    case FAMILY_f32_reinterpret_i32:
    case FAMILY_f64_reinterpret_i64: reinterpret(e, p, from); return;
    case FAMILY_f32_canon:
    case FAMILY_f64_canon: make_canonical(e, p, from); return;
    case FAMILY_i32_trunc_f32_s:
    case FAMILY_i32_trunc_f64_s:
    case FAMILY_i32_trunc_sat_f32_s:
    case FAMILY_i32_trunc_sat_f64_s: truncate(e, p, 0, false, from); return;
    case FAMILY_i32_trunc_f32_u:
    case FAMILY_i32_trunc_f64_u:
    case FAMILY_i32_trunc_sat_f32_u:
    case FAMILY_i32_trunc_sat_f64_u: truncate(e, p, 0, true, from); return;
    case FAMILY_i64_trunc_f32_s:
    case FAMILY_i64_trunc_f64_s:
    case FAMILY_i64_trunc_sat_f32_s:
    case FAMILY_i64_trunc_sat_f64_s: truncate(e, p, 1, false, from); return;
    case FAMILY_i64_trunc_f32_u:
    case FAMILY_i64_trunc_f64_u:
    case FAMILY_i64_trunc_sat_f32_u:
    case FAMILY_i64_trunc_sat_f64_u: truncate(e, p, 1, true, from); return;
    default: break;
    }
    ts_emit_leave(e);
}
#endif
