/* ir_undef: ends one expansion of ir_ops.def. No include guard: included after each. */
#undef IR_BIN
#undef IR_DIV
#undef IR_UN
#undef IR_TRUNC
#undef IR_CMP
#undef IR_LOAD
#undef IR_STORE
#undef IR_STOREF
#undef IR_OP
#undef IR_SLOW
#undef IR_V
#undef IR_UNX
#undef IR_CMPX
#undef IR_ADDBR
