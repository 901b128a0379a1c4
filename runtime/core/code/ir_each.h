/* ir_each: E(name) for every opcode of the register IR, in order. The including file defines E, which ends
 * here. No include guard: each table includes this file once. */
#define IR_BIN(n, o, i, T, swap, nan, e) TS_IR_FORMS_BIN(E, n)
#define IR_DIV(n, T, c, e) TS_IR_FORMS_BIN(E, n)
#define IR_UN(n, o, i, T, nan, e) TS_IR_FORMS_UN(E, n)
#define IR_UNX(n, o, i, T, nan, e) TS_IR_FORMS_UN(E, n)
#define IR_TRUNC(n, o, i, T, f) TS_IR_FORMS_UN(E, n)
#define IR_CMP(n, neg, swap, i, T, e) TS_IR_FORMS_BIN(E, n) TS_IR_FORMS_BR(E, n)
#define IR_CMPX(n, neg, swap, i, T, e) TS_IR_FORMS_BIN(E, n) TS_IR_FORMS_BR(E, n)
#define IR_LOAD(n, o, T, V) TS_IR_FORMS_LOAD(E, n)
#define IR_STORE(n, i, T) TS_IR_FORMS_STORE(E, n)
#define IR_STOREF(n, i, T) TS_IR_FORMS_STOREF(E, n)
#define IR_ADDBR(n, e) E(i32_addbr_##n##_I) E(i32_addbr_##n##_S)
#define IR_OP(n, w, s) E(n)
#define IR_SLOW(n, w, s) E(n)
#define IR_V(n, shape, nan) E(v_##n)
#include "core/code/ir_ops.def"
#undef E
