/* numeric: operations on values, one or two operands each, in the form that their operands have (accumulator, slot, constant).
 * In: numeric instructions. Out: code; the result is in an accumulator. spec: exec/numerics */
#include "core/code/compiler.h"

/* The classes as ir_ops.def names them. */
#define CLASS_OF_R CLASS_INT
#define CLASS_OF_F CLASS_F32
#define CLASS_OF_D CLASS_F64

static bool fits32(uint64_t imm) {
    return (int64_t)imm == (int64_t)(int32_t)imm;
}

/* Swap a constant left operand to the right: the operation that takes the operands the other way round, or NONE. */
static uint32_t commuted(uint32_t op) {
    switch (op) {
#define SAME(n)                                                                                                        \
    case TS_IR_##n##_AS: return op;
#define SWAP(n, m)                                                                                                     \
    case TS_IR_##n##_AS: return TS_IR_##m##_AS;
        SAME(i32_add)
        SAME(i32_mul)
        SAME(i32_and)
        SAME(i32_or)
        SAME(i32_xor)
        SAME(i64_add)
        SAME(i64_mul)
        SAME(i64_and)
        SAME(i64_or)
        SAME(i64_xor)
        SAME(i32_eq)
        SAME(i32_ne)
        SAME(i64_eq)
        SAME(i64_ne)
        /* clang-format off */
        SWAP(i32_lt_s, i32_gt_s) SWAP(i32_gt_s, i32_lt_s) SWAP(i32_le_s, i32_ge_s) SWAP(i32_ge_s, i32_le_s)
        SWAP(i32_lt_u, i32_gt_u) SWAP(i32_gt_u, i32_lt_u) SWAP(i32_le_u, i32_ge_u) SWAP(i32_ge_u, i32_le_u)
        SWAP(i64_lt_s, i64_gt_s) SWAP(i64_gt_s, i64_lt_s) SWAP(i64_le_s, i64_ge_s) SWAP(i64_ge_s, i64_le_s)
        SWAP(i64_lt_u, i64_gt_u) SWAP(i64_gt_u, i64_lt_u) SWAP(i64_le_u, i64_ge_u) SWAP(i64_ge_u, i64_le_u)
#undef SAME
#undef SWAP
    default: return NONE;
    }
    /* clang-format on */
}
static void canonicalize_nan(compiler *c, uint8_t reg_class) {
    if (!(c->form & TS_FORM_DETERMINISTIC) || (reg_class != CLASS_F32 && reg_class != CLASS_F64)) return;
    popped_operand o = pop_operand(c);
    uint32_t op = reg_class == CLASS_F32 ? TS_IR_f32_canon_A : TS_IR_f64_canon_A;
    uint32_t at = o.in_accumulator ? emit(c, op, reg_class, 0, 0, 0, 0)
                                   : emit(c, op + TS_UN_S, reg_class, 0, operand_slot(c, &o), 0, 0);
    push_accumulator(c, reg_class, at);
}
/* base + (index << k), the shift just computed: one instruction. */
static bool fuse_shift_add(compiler *c, popped_operand *a, popped_operand *b) {
    popped_operand *sh = a->in_accumulator && a->slot < 0 ? a : b, *base = sh == a ? b : a;
    if (!sh->in_accumulator || sh->slot >= 0 || sh->at != c->last || c->last == NONE || base->slot < 0) return false;
    const ts_word *w = &c->code.data[sh->at];
    if (w->u != TS_IR_i32_shl_AI && w->u != TS_IR_i32_shl_SI) return false;
    bool from_acc = w->u == TS_IR_i32_shl_AI;
    uint32_t src = w[1].s[1], k = w[1].uw[1] & 31;
    c->code.len = sh->at;
    c->accumulator_slot[CLASS_INT] = c->previous_int_slot;
    push_accumulator(
        c, CLASS_INT,
        emit(c, from_acc ? TS_IR_i32_shladd_A : TS_IR_i32_shladd_S, CLASS_INT, 0, (uint32_t)base->slot, src, k));
    return true;
}
static void compile_binary(compiler *c, uint32_t op, uint8_t out, uint8_t in, bool is64) {
    popped_operand b = pop_operand(c), a = pop_operand(c);
    if (a.is_const && !b.is_const && commuted(op) != NONE) {
        popped_operand t = a;
        a = b;
        b = t;
        op = commuted(op);
    }
    if (op == TS_IR_i32_add_AS && !a.is_const && !b.is_const && fuse_shift_add(c, &a, &b)) return;
    if (a.is_const) operand_slot(c, &a);
    if (b.is_const && is64 && !fits32(b.imm)) operand_slot(c, &b);
    uint32_t at;
    if (b.is_const) {
        uint32_t o = a.in_accumulator ? op + TS_BIN_AI : op + TS_BIN_SI;
        at = emit(c, o, out, 0, a.in_accumulator ? 0 : operand_slot(c, &a), 0, 0);
        if (in == CLASS_INT)
            c->code.data[at + 1].w[1] = (int32_t)b.imm;
        else
            c->code.data[at + 2].u = b.imm;
    } else if (a.in_accumulator && b.slot >= 0) {
        at = emit(c, op, out, 0, 0, (uint32_t)b.slot, 0);
    } else if (b.in_accumulator && a.slot >= 0) {
        at = emit(c, op + TS_BIN_SA, out, 0, (uint32_t)a.slot, 0, 0);
    } else {
        uint32_t sa = operand_slot(c, &a), sb = operand_slot(c, &b);
        at = emit(c, op + TS_BIN_SS, out, 0, sa, sb, 0);
    }
    push_accumulator(c, out, at);
}
static void compile_unary(compiler *c, uint32_t op, uint8_t out) {
    popped_operand a = pop_operand(c);
    if (a.is_const) operand_slot(c, &a);
    uint32_t at =
        a.in_accumulator ? emit(c, op, out, 0, 0, 0, 0) : emit(c, op + TS_UN_S, out, 0, operand_slot(c, &a), 0, 0);
    push_accumulator(c, out, at);
}
static void compile_eqz(compiler *c, uint32_t op) {
    const operand_entry *e = &c->stack.data[c->stack.len - 1];
    if (op == TS_IR_i32_eqz_A && e->kind == ENTRY_IN_ACCUMULATOR && e->at == c->last) {
        ts_word *w = &c->code.data[e->at];
        const ts_comparison *ci = &ts_comparisons[w->u];
        if (ci->base) { /* negate the comparison in place */
            w->u = w->u - ci->base + ci->neg;
            return;
        }
    }
    compile_unary(c, op, CLASS_INT);
}
/* Operations that move bits do not change NaNs. */
static bool moves_bits(uint32_t wasm_op) {
    switch (wasm_op) {
    case TS_OP_f32_neg:
    case TS_OP_f64_neg:
    case TS_OP_f32_abs:
    case TS_OP_f64_abs:
    case TS_OP_f32_copysign:
    case TS_OP_f64_copysign:
    case TS_OP_f32_reinterpret_i32:
    case TS_OP_f64_reinterpret_i64: return true;
    default: return false;
    }
}
static void compile_unary_op(compiler *c, uint32_t wasm_op, uint32_t op, uint8_t out) {
    if (wasm_op == TS_OP_i32_eqz || wasm_op == TS_OP_i64_eqz) {
        compile_eqz(c, op);
        return;
    }
    compile_unary(c, op, out);
    if (!moves_bits(wasm_op)) canonicalize_nan(c, out);
}
static void compile_wide_arithmetic(compiler *c, uint32_t op,
                                    uint32_t n) { /* n operands, two results in the same slots */
    emit(c, op, CLASS_NONE, operands_in_sequence(c, n), 0, 0, 0);
    push_result(c, CLASS_INT, NONE);
    push_result(c, CLASS_INT, NONE);
}

bool ts_compile_numeric(compiler *c, const struct ts_op *o) {
    switch (o->op) {
#define IR_BIN(n, out, in, T, e)                                                                                       \
    case TS_OP_##n:                                                                                                    \
        compile_binary(c, TS_IR_##n##_AS, CLASS_OF_##out, CLASS_OF_##in,                                               \
                       sizeof(T) == 8 && CLASS_OF_##in == CLASS_INT);                                                  \
        if (!moves_bits(TS_OP_##n)) canonicalize_nan(c, CLASS_OF_##out);                                               \
        return true;
#define IR_DIV(n, T, k, e)                                                                                             \
    case TS_OP_##n: compile_binary(c, TS_IR_##n##_AS, CLASS_INT, CLASS_INT, sizeof(T) == 8); return true;
#define IR_CMP(n, g, in, T, e)                                                                                         \
    case TS_OP_##n:                                                                                                    \
        compile_binary(c, TS_IR_##n##_AS, CLASS_INT, CLASS_OF_##in, sizeof(T) == 8 && CLASS_OF_##in == CLASS_INT);     \
        return true;
#define IR_UN(n, out, in, T, e)                                                                                        \
    case TS_OP_##n: compile_unary_op(c, o->op, TS_IR_##n##_A, CLASS_OF_##out); return true;
#define IR_TRUNC(n, out, in, T, f)                                                                                     \
    case TS_OP_##n: compile_unary(c, TS_IR_##n##_A, CLASS_INT); return true;
#include "core/code/ir_ops.def"
    case TS_OP_i64_extend_i32_u: { /* an i32 is kept zero-extended: a constant too */ return true;
    }
    case TS_OP_ref_is_null: compile_eqz(c, TS_IR_i64_eqz_A); return true;
    case TS_OP_ref_eq: compile_binary(c, TS_IR_i64_eq_AS, CLASS_INT, CLASS_INT, true); return true;
    case TS_OP_i64_add128: compile_wide_arithmetic(c, TS_IR_i64_add128, 4); return true;
    case TS_OP_i64_sub128: compile_wide_arithmetic(c, TS_IR_i64_sub128, 4); return true;
    case TS_OP_i64_mul_wide_s: compile_wide_arithmetic(c, TS_IR_i64_mul_wide_s, 2); return true;
    case TS_OP_i64_mul_wide_u: compile_wide_arithmetic(c, TS_IR_i64_mul_wide_u, 2); return true;
    default: return false;
    }
}
