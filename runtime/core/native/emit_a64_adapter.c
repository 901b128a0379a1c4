/* emit_a64_adapter: aarch64 code for the steps of a call between components. See emit_adapter.h.
 * Each changes x16 and x17 only. */
#include "core/native/emit_adapter.h"

#if TS_HAS_MACHINE_CODE && defined(__aarch64__)
enum { BYTE, HALF, WORD };
void ts_target_read_u32(emitter *e, unsigned to, operand from) {
    a64_load(&e->a, 0, to, from);
}
void ts_target_write_u32(emitter *e, operand to, unsigned from) {
    a64_access(&e->a, WORD, A_STORE, from, to);
}
void ts_target_compare_u32(emitter *e, unsigned a, unsigned b) {
    a64_op(&e->a, 0, A_SUBS, ZR, a, b);
}
void ts_target_compare_limit(emitter *e, unsigned reg, uint32_t limit) {
    a64_compare_imm(&e->a, 0, reg, limit, TMP2);
}
void ts_target_add_u32(emitter *e, unsigned to, unsigned from, int32_t imm) {
    a64_add_imm(&e->a, 0, A_ADD, to, from, imm, TMP2);
}
void ts_target_add(emitter *e, unsigned to, unsigned from, int32_t imm) {
    a64_add_imm(&e->a, 1, A_ADD, to, from, imm, TMP2);
}
void ts_target_address(emitter *e, unsigned to, const void *address) {
    a64_imm64(&e->a, to, (uintptr_t)address);
}
int ts_target_is_false(emitter *e, operand flag) {
    a64_access(&e->a, BYTE, A_LOAD, TMP2, flag);
    return a64_zero(0, TMP2);
}
int ts_target_is_nan(emitter *e, bool two, unsigned reg) {
    a64_fcmp(&e->a, two, reg, reg);
    return CC_VS;
}
int ts_target_any_is_set(emitter *e, operand first, uint32_t n) {
    a64_load(&e->a, 1, OTHER, first);
    for (uint32_t i = 1; i < n; i++) {
        first.disp += 8;
        a64_load(&e->a, 1, TMP2, first);
        a64_op(&e->a, 1, A_ORR, OTHER, OTHER, TMP2);
    }
    return a64_zero(1, OTHER) ^ 1;
}
void ts_target_set_flag(emitter *e, operand flag, bool to) {
    if (to) a64_imm(&e->a, TMP2, 1);
    a64_access(&e->a, BYTE, A_STORE, to ? TMP2 : ZR, flag);
}
void ts_target_read_flat(emitter *e, const ts_flat_step *s, unsigned to, operand from) {
    assembler *a = &e->a;
    switch ((ts_flat_op)s->op) {
    case TS_FLAT_SAME: a64_load(a, 1, to, from); return;
    case TS_FLAT_BOOL:
        a64_load(a, 0, to, from);
        a64_compare_imm(a, 0, to, 0, TMP2);
        a64_cset(a, CC_NE, to);
        return;
    case TS_FLAT_U8: a64_access(a, BYTE, A_LOAD, to, from); return;
    case TS_FLAT_S8: a64_access(a, BYTE, A_LOAD_S32, to, from); return;
    case TS_FLAT_U16: a64_access(a, HALF, A_LOAD, to, from); return;
    case TS_FLAT_S16: a64_access(a, HALF, A_LOAD_S32, to, from); return;
    case TS_FLAT_FLAGS:
        a64_load(a, 0, to, from);
        if (a64_try_logical_imm(a, 0, A_AND, to, to, s->limit)) return;
        a64_imm(a, TMP2, s->limit);
        a64_op(a, 0, A_AND, to, to, TMP2);
        return;
    case TS_FLAT_I32:
    case TS_FLAT_CHAR:
    case TS_FLAT_ENUM:
    case TS_FLAT_F32:
    case TS_FLAT_F64: a64_load(a, 0, to, from); return;
    }
}
void ts_target_go_to(emitter *e, const void *operation) {
    ts_target_address(e, TMP, operation);
    a64_jump_reg(&e->a, TMP);
}
#endif
