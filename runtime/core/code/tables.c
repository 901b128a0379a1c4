/* tables: the length, the name and the comparison of each opcode of the register IR.
 * In: ir_ops.def. Out: constant tables. */
#include "core/code/compiler.h"

/* Words of each form. A constant takes a word of its own, unless it is an integer, which fits into word 1
 * (W_R). */
#define W_R 2
#define W_F 3
#define W_D 3
#define FORMS_BIN(imm) 2, 2, 2, 2, 2, 2, imm, imm, imm, imm,
#define FORMS_BR 2, 2, 2, 3, 3,
#define TEN(n) n, n, n, n, n, n, n, n, n, n,
#define FORMS_STORE 2, 2, 2, 3, 3, 2, 3, 2, 3, 2, 2, 3,
const uint8_t ts_ir_words[TS_IR_COUNT] = {
#define IR_BIN(n, o, i, T, swap, nan, e) FORMS_BIN(W_##i)
#define IR_DIV(n, T, c, e) FORMS_BIN(2)
#define IR_UN(n, o, i, T, nan, e) 2, 2, 2, 2,
#define IR_UNX(n, o, i, T, nan, e) 2, 2, 2, 2,
#define IR_TRUNC(n, o, i, T, f) 2, 2, 2, 2,
#define IR_CMP(n, neg, swap, i, T, e) FORMS_BIN(W_##i) FORMS_BR
#define IR_CMPX(n, neg, swap, i, T, e) FORMS_BIN(W_##i) FORMS_BR
#define IR_LOAD(n, o, T, V) TEN(2) TEN(2)
#define IR_STORE(n, i, T) FORMS_STORE FORMS_STORE
#define IR_STOREF(n, i, T) TEN(2)
#define IR_ADDBR(n, e) 3, 3,
#define IR_OP(n, w, s) w,
#define IR_SLOW(n, w, s) w,
#define IR_V(n, shape, nan) 2,
#include "core/code/ir_ops.def"
};
const char *const ts_ir_names[TS_IR_COUNT] = {
#define E(n) #n,
#include "core/code/ir_each.h"
};
const ts_comparison ts_comparisons[TS_IR_COUNT] = {
#define IR_CMP(n, g, swap, i, T, e) [TS_IR_##n##_AS... TS_IR_##n##_SI_S] = {TS_IR_##n##_AS, TS_IR_##g##_AS},
#define IR_CMPX(n, g, swap, i, T, e) [TS_IR_##n##_AS... TS_IR_##n##_SI_S] = {TS_IR_##n##_AS, TS_IR_##g##_AS},
#include "core/code/ir_ops.def"
};
