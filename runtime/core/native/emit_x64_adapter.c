/* emit_x64_adapter: x86-64 code for the steps of a call between components. See emit_adapter.h. */
#include "core/native/emit_adapter.h"

#if TS_HAS_MACHINE_CODE && defined(__x86_64__)
void ts_target_read_u32(emitter *e, unsigned to, operand from) {
    x_mov(&e->a, 0, to, from);
}
void ts_target_write_u32(emitter *e, operand to, unsigned from) {
    x_store(&e->a, 0, to, from);
}
void ts_target_compare_u32(emitter *e, unsigned a, unsigned b) {
    x_alu(&e->a, 0, X_CMP, a, in_reg(b));
}
void ts_target_compare_limit(emitter *e, unsigned reg, uint32_t limit) {
    x_alu_imm(&e->a, 0, X_CMP, in_reg(reg), (int32_t)limit);
}
void ts_target_add_u32(emitter *e, unsigned to, unsigned from, int32_t imm) {
    x_lea(&e->a, 0, to, at_mem(from, imm));
}
void ts_target_add(emitter *e, unsigned to, unsigned from, int32_t imm) {
    x_lea(&e->a, 1, to, at_mem(from, imm));
}
void ts_target_address(emitter *e, unsigned to, const void *address) {
    x_imm64(&e->a, to, (uintptr_t)address);
}
int ts_target_is_false(emitter *e, operand flag) {
    x_op(&e->a, 0, 0x80, X_CMP, flag);
    put8(&e->a, 0);
    return CC_E;
}
int ts_target_is_nan(emitter *e, bool two, unsigned reg) {
    x_any(&e->a, two ? 0x66 : 0, 0, 0x0f2e, reg, in_reg(reg), 0); /* ucomiss, ucomisd */
    return CC_P;
}
int ts_target_any_is_set(emitter *e, operand first, uint32_t n) {
    x_mov(&e->a, 1, OTHER, first);
    for (uint32_t i = 1; i < n; i++) {
        first.disp += 8;
        x_alu(&e->a, 1, X_OR, OTHER, first);
    }
    x_op(&e->a, 1, 0x85, OTHER, in_reg(OTHER));
    return CC_NE;
}
void ts_target_set_flag(emitter *e, operand flag, bool to) {
    x_op(&e->a, 0, 0xc6, 0, flag);
    put8(&e->a, to);
}
void ts_target_read_flat(emitter *e, const ts_flat_step *s, unsigned to, operand from) {
    assembler *a = &e->a;
    switch ((ts_flat_op)s->op) {
    case TS_FLAT_SAME: x_mov(a, 1, to, from); return;
    case TS_FLAT_BOOL:
        x_alu_imm(a, 0, X_CMP, from, 0);
        x_setcc(a, CC_NE, to);
        x_movzx8(a, to, to);
        return;
    case TS_FLAT_U8: x_op(a, 0, 0x0fb6, to, from); return;
    case TS_FLAT_S8: x_op(a, 0, 0x0fbe, to, from); return;
    case TS_FLAT_U16: x_op(a, 0, 0x0fb7, to, from); return;
    case TS_FLAT_S16: x_op(a, 0, 0x0fbf, to, from); return;
    case TS_FLAT_FLAGS:
        x_mov(a, 0, to, from);
        x_alu_imm(a, 0, X_AND, in_reg(to), (int32_t)s->limit);
        return;
    case TS_FLAT_I32:
    case TS_FLAT_CHAR:
    case TS_FLAT_ENUM:
    case TS_FLAT_F32:
    case TS_FLAT_F64: x_mov(a, 0, to, from); return;
    }
}
void ts_target_go_to(emitter *e, const void *operation) {
    ts_target_address(e, ADAPTER, operation);
    x_jmp_reg(&e->a, ADAPTER);
}
#endif
