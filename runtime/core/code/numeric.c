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

/* The operation of each instruction on one or two values. */
struct numeric {
    uint16_t ir, swapped;      /* swapped: it gives the same result with its operands exchanged, or UINT16_MAX */
    uint8_t operands, in, out; /* classes */
    bool is_wide;              /* 64-bit integers: not every constant fits into the instruction */
    bool makes_nan;            /* the column `nan` of ir_ops.def */
};
enum { NAN_ASIS = false, NAN_CANON = true };
#define IS_WIDE(T, in) (sizeof(T) == 8 && CLASS_OF_##in == CLASS_INT)
#define TS_IR_none_AS UINT16_MAX
static const struct numeric numerics[TS_OP_BASE_FD] = {
#define IR_BIN(n, out, in, T, swap, nan, e)                                                                            \
    [TS_OP_##n] = {TS_IR_##n##_AS, TS_IR_##swap##_AS, 2, CLASS_OF_##in, CLASS_OF_##out, IS_WIDE(T, in), NAN_##nan},
#define IR_DIV(n, T, k, e)                                                                                             \
    [TS_OP_##n] = {TS_IR_##n##_AS, TS_IR_none_AS, 2, CLASS_INT, CLASS_INT, IS_WIDE(T, R), NAN_ASIS},
#define IR_CMP(n, g, swap, in, T, e)                                                                                   \
    [TS_OP_##n] = {TS_IR_##n##_AS, TS_IR_##swap##_AS, 2, CLASS_OF_##in, CLASS_INT, IS_WIDE(T, in), NAN_ASIS},
#define IR_UN(n, out, in, T, nan, e)                                                                                   \
    [TS_OP_##n] = {TS_IR_##n##_A, TS_IR_none_AS, 1, CLASS_OF_##in, CLASS_OF_##out, false, NAN_##nan},
#define IR_TRUNC(n, out, in, T, f)                                                                                     \
    [TS_OP_##n] = {TS_IR_##n##_A, TS_IR_none_AS, 1, CLASS_OF_##in, CLASS_INT, false, NAN_ASIS},
#include "core/code/ir_ops.def"
    [TS_OP_i64_extend_i32_u] = {0}, /* no code: an i32 is always zero-extended, even a constant */
    [TS_OP_ref_is_null] = {TS_IR_i64_eqz_A, TS_IR_none_AS, 1, CLASS_INT, CLASS_INT, true, NAN_ASIS},
    [TS_OP_ref_eq] = {TS_IR_i64_eq_AS, TS_IR_i64_eq_AS, 2, CLASS_INT, CLASS_INT, true, NAN_ASIS},
};
#undef TS_IR_none_AS
static void canonicalize_nan(compiler *c, uint8_t reg_class) {
    if (!(c->form & TS_FORM_DETERMINISTIC)) return;
    popped_operand o = pop_operand(c);
    uint32_t op = reg_class == CLASS_F32 ? TS_IR_f32_canon_A : TS_IR_f64_canon_A;
    uint32_t at = o.in_accumulator ? emit(c, op, reg_class, 0, 0, 0, 0)
                                   : emit(c, op + TS_UN_S, reg_class, 0, operand_slot(c, &o), 0, 0);
    push_accumulator(c, reg_class, at);
}
/* Fuse base + (index << k) if the last instruction is that shift. */
static bool fuse_shift_add(compiler *c, uint32_t base) {
    const ts_word *w = &c->code.data[c->last];
    if (w->u != TS_IR_i32_shl_AI && w->u != TS_IR_i32_shl_SI) return false;
    bool from_acc = w->u == TS_IR_i32_shl_AI;
    uint32_t src = w[1].s[1], k = w[1].uw[1] & 31;
    take_back_last(c, c->last);
    push_accumulator(c, CLASS_INT,
                     emit(c, from_acc ? TS_IR_i32_shladd_A : TS_IR_i32_shladd_S, CLASS_INT, 0, base, src, k));
    return true;
}
static void compile_binary(compiler *c, const struct numeric *n) {
    popped_operand b = pop_operand(c), a = pop_operand(c);
    uint32_t op = n->ir;
    if (a.is_const && !b.is_const && n->swapped != UINT16_MAX) {
        popped_operand t = a;
        a = b;
        b = t;
        op = n->swapped;
    }
    if (op == TS_IR_i32_add_AS) {
        if (is_last_result(c, &a) && b.slot >= 0 && fuse_shift_add(c, (uint32_t)b.slot)) return;
        if (is_last_result(c, &b) && a.slot >= 0 && fuse_shift_add(c, (uint32_t)a.slot)) return;
    }
    if (a.is_const) operand_slot(c, &a);
    if (b.is_const && n->is_wide && !fits32(b.imm)) operand_slot(c, &b);
    uint32_t at;
    if (b.is_const) {
        uint32_t o = a.in_accumulator ? op + TS_BIN_AI : op + TS_BIN_SI;
        at = emit(c, o, n->out, 0, a.in_accumulator ? 0 : operand_slot(c, &a), 0, 0);
        if (n->in == CLASS_INT)
            c->code.data[at + 1].w[1] = (int32_t)b.imm;
        else
            c->code.data[at + 2].u = b.imm;
    } else if (a.in_accumulator && b.slot >= 0) {
        at = emit(c, op, n->out, 0, 0, (uint32_t)b.slot, 0);
    } else if (b.in_accumulator && a.slot >= 0) {
        at = emit(c, op + TS_BIN_SA, n->out, 0, (uint32_t)a.slot, 0, 0);
    } else {
        uint32_t sa = operand_slot(c, &a), sb = operand_slot(c, &b);
        at = emit(c, op + TS_BIN_SS, n->out, 0, sa, sb, 0);
    }
    push_accumulator(c, n->out, at);
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
static void compile_unary(compiler *c, const struct numeric *n) {
    if (n->ir == TS_IR_i32_eqz_A && negate_comparison(c)) return;
    popped_operand a = pop_operand(c);
    if (a.is_const) operand_slot(c, &a);
    uint32_t at = a.in_accumulator ? emit(c, n->ir, n->out, 0, 0, 0, 0)
                                   : emit(c, n->ir + TS_UN_S, n->out, 0, operand_slot(c, &a), 0, 0);
    push_accumulator(c, n->out, at);
}
/* Emit an operation on n operands. Its two results take the slots of the first two. */
void ts_compile_wide_arithmetic(compiler *c, uint32_t op, uint32_t n) {
    emit(c, op, CLASS_NONE, operands_in_sequence(c, n), 0, 0, 0);
    push_result(c, CLASS_INT, NONE);
    push_result(c, CLASS_INT, NONE);
}

void ts_compile_numeric(compiler *c, const struct ts_op *o) {
    const struct numeric *n = &numerics[o->op];
    if (n->operands == 2) compile_binary(c, n);
    if (n->operands == 1) compile_unary(c, n);
    if (n->makes_nan) canonicalize_nan(c, n->out);
}
