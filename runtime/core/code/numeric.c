/* numeric: operations on one or two values, in the form that fits the operands (accumulator, slot, constant).
 * In: numeric instructions. Out: code that leaves the result in an accumulator. spec: exec/numerics */
#include "core/code/compiler.h"

/* The classes as ir_ops.def names them. */
#define CLASS_OF_R CLASS_INT
#define CLASS_OF_F CLASS_F32
#define CLASS_OF_D CLASS_F64

static bool fits32(uint64_t imm) {
    return (int64_t)imm == (int64_t)(int32_t)imm;
}

/* The operation that gives the same result with its operands exchanged, or NONE (column `swap` of
 * ir_ops.def). */
static uint32_t swapped(uint32_t op) {
    switch (op) {
#define TS_IR_none_AS NONE
#define IR_BIN(n, out, in, T, swap, nan, e)                                                                            \
    case TS_IR_##n##_AS: return TS_IR_##swap##_AS;
#define IR_CMP(n, neg, swap, in, T, e)                                                                                 \
    case TS_IR_##n##_AS: return TS_IR_##swap##_AS;
#include "core/code/ir_ops.def"
#undef TS_IR_none_AS
    default: return NONE;
    }
}
static void canonicalize_nan(compiler *c, uint8_t reg_class) {
    if (!(c->form & TS_FORM_DETERMINISTIC)) return;
    popped_operand o = pop_operand(c);
    uint32_t op = reg_class == CLASS_F32 ? TS_IR_f32_canon_A : TS_IR_f64_canon_A;
    uint32_t at = o.in_accumulator ? emit(c, op, reg_class, 0, 0, 0, 0)
                                   : emit(c, op + TS_UN_S, reg_class, 0, operand_slot(c, &o), 0, 0);
    push_accumulator(c, reg_class, at);
}
/* Fuse base + (index << k) if the shift was just computed. */
static bool fuse_shift_add(compiler *c, popped_operand *a, popped_operand *b) {
    popped_operand *sh = a->in_accumulator && a->slot < 0 ? a : b, *base = sh == a ? b : a;
    if (!sh->in_accumulator || sh->slot >= 0 || sh->at != c->last || c->last == NONE || base->slot < 0) return false;
    const ts_word *w = &c->code.data[sh->at];
    if (w->u != TS_IR_i32_shl_AI && w->u != TS_IR_i32_shl_SI) return false;
    bool from_acc = w->u == TS_IR_i32_shl_AI;
    uint32_t src = w[1].s[1], k = w[1].uw[1] & 31;
    take_back_last(c, sh->at);
    push_accumulator(
        c, CLASS_INT,
        emit(c, from_acc ? TS_IR_i32_shladd_A : TS_IR_i32_shladd_S, CLASS_INT, 0, (uint32_t)base->slot, src, k));
    return true;
}
static void compile_binary(compiler *c, uint32_t op, uint8_t out, uint8_t in, bool is64) {
    popped_operand b = pop_operand(c), a = pop_operand(c);
    if (a.is_const && !b.is_const && swapped(op) != NONE) {
        popped_operand t = a;
        a = b;
        b = t;
        op = swapped(op);
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
/* The operand is a comparison that was just computed: replace it by its negation. */
static bool negate_comparison(compiler *c) {
    const operand_entry *e = &c->stack.data[c->stack.len - 1];
    if (e->kind != ENTRY_IN_ACCUMULATOR || e->at != c->last) return false;
    ts_word *w = &c->code.data[e->at];
    const ts_comparison *ci = &ts_comparisons[w->u];
    if (!ci->base) return false;
    w->u = w->u - ci->base + ci->neg;
    return true;
}
static void compile_unary(compiler *c, uint32_t op, uint8_t out) {
    if (op == TS_IR_i32_eqz_A && negate_comparison(c)) return;
    popped_operand a = pop_operand(c);
    if (a.is_const) operand_slot(c, &a);
    uint32_t at =
        a.in_accumulator ? emit(c, op, out, 0, 0, 0, 0) : emit(c, op + TS_UN_S, out, 0, operand_slot(c, &a), 0, 0);
    push_accumulator(c, out, at);
}
/* Emit an operation on n operands. Its two results take the slots of the first two. */
static void compile_wide_arithmetic(compiler *c, uint32_t op, uint32_t n) {
    emit(c, op, CLASS_NONE, operands_in_sequence(c, n), 0, 0, 0);
    push_result(c, CLASS_INT, NONE);
    push_result(c, CLASS_INT, NONE);
}

/* The column `nan` of ir_ops.def. */
#define NAN_CANON(c, reg_class) canonicalize_nan(c, reg_class)
#define NAN_ASIS(c, reg_class) ((void)0)

bool ts_compile_numeric(compiler *c, const struct ts_op *o) {
    switch (o->op) {
#define IR_BIN(n, out, in, T, swap, nan, e)                                                                            \
    case TS_OP_##n:                                                                                                    \
        compile_binary(c, TS_IR_##n##_AS, CLASS_OF_##out, CLASS_OF_##in,                                               \
                       sizeof(T) == 8 && CLASS_OF_##in == CLASS_INT);                                                  \
        NAN_##nan(c, CLASS_OF_##out);                                                                                  \
        return true;
#define IR_DIV(n, T, k, e)                                                                                             \
    case TS_OP_##n: compile_binary(c, TS_IR_##n##_AS, CLASS_INT, CLASS_INT, sizeof(T) == 8); return true;
#define IR_CMP(n, g, swap, in, T, e)                                                                                   \
    case TS_OP_##n:                                                                                                    \
        compile_binary(c, TS_IR_##n##_AS, CLASS_INT, CLASS_OF_##in, sizeof(T) == 8 && CLASS_OF_##in == CLASS_INT);     \
        return true;
#define IR_UN(n, out, in, T, nan, e)                                                                                   \
    case TS_OP_##n:                                                                                                    \
        compile_unary(c, TS_IR_##n##_A, CLASS_OF_##out);                                                               \
        NAN_##nan(c, CLASS_OF_##out);                                                                                  \
        return true;
#define IR_TRUNC(n, out, in, T, f)                                                                                     \
    case TS_OP_##n: compile_unary(c, TS_IR_##n##_A, CLASS_INT); return true;
#include "core/code/ir_ops.def"
    case TS_OP_i64_extend_i32_u: return true; /* an i32 is always zero-extended, even a constant */
    case TS_OP_ref_is_null: compile_unary(c, TS_IR_i64_eqz_A, CLASS_INT); return true;
    case TS_OP_ref_eq: compile_binary(c, TS_IR_i64_eq_AS, CLASS_INT, CLASS_INT, true); return true;
    case TS_OP_i64_add128: compile_wide_arithmetic(c, TS_IR_i64_add128, 4); return true;
    case TS_OP_i64_sub128: compile_wide_arithmetic(c, TS_IR_i64_sub128, 4); return true;
    case TS_OP_i64_mul_wide_s: compile_wide_arithmetic(c, TS_IR_i64_mul_wide_s, 2); return true;
    case TS_OP_i64_mul_wide_u: compile_wide_arithmetic(c, TS_IR_i64_mul_wide_u, 2); return true;
    default: return false;
    }
}
