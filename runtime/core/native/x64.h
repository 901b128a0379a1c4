/* x64: encodes x86-64 instructions.
 * In: registers, memory operands, immediates. Out: bytes in a growing buffer.
 * source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 */
#ifndef TS_CORE_X64_H
#define TS_CORE_X64_H
#include "base/assert.h"
#include "core/native/assembler.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
/* What the emitter uses them for: see emit_x64.c. */
enum { FRAME = R13, MEMORY = R14, EXEC = R15, INSTANCE = RDI, ACC_R = RSI };
enum { PC = R12 }; /* the instruction of the IR, where the interpreter goes on */
enum { TMP_X = 14, TMP_Y = 15, FIRST_VECTOR_REGISTER = 8, VECTOR_REGISTERS = 6 };
/* Condition codes, as in Jcc and SETcc. The lowest bit negates. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };
/* The operations of the first group, by the number that their encodings contain. */
enum { X_ADD, X_OR, X_ADC, X_SBB, X_AND, X_SUB, X_XOR, X_CMP };
enum { X_ROL, X_ROR, X_SHL = 4, X_SHR, X_SAR = 7 };

/* The last part of an instruction: ModRM, SIB, displacement. Bytes behind it are overwritten. Returns its end. */
static inline uint8_t *x_operands(uint8_t *p, unsigned reg, operand m) {
    const unsigned base = m.reg & 7;
    if (!m.is_mem) {
        *p = (uint8_t)(0xc0 | reg << 3 | base);
        return p + 1;
    }
    TS_ASSERT(m.index != RSP);
    const bool has_index = m.index != NO_REG, none = m.disp == 0 && base != 5, is_byte = m.disp == (int8_t)m.disp;
    const unsigned mod = none ? 0u : is_byte ? 1u : 2u;
    *p++ = (uint8_t)(mod << 6 | reg << 3 | (has_index ? 4u : base));
    *p = (uint8_t)((m.index & 7u) << 3 | base);
    p += has_index || base == 4;
    memcpy(p, &m.disp, sizeof m.disp);
    return p + (none ? 0 : is_byte ? 1 : 4);
}
/* The general form. prefix: 0, 0x66, 0xf2 or 0xf3. opcode: one byte, 0x0fXX, or 0x0f38XX and 0x0f3aXX.
 * byte_reg: `reg` or `m` is a byte register, which needs a REX prefix to be SIL or BPL. */
static inline void x_any(assembler *a, unsigned prefix, int wide, unsigned opcode, unsigned reg, operand m,
                         int byte_reg) {
    uint8_t *p = a->code + a->len;
    unsigned rex = 0x40 | (wide ? 8u : 0u) | (reg >> 3) << 2 | (m.index & 8u) >> 2 | (m.reg >> 3);
    *p = (uint8_t)prefix;
    p += prefix != 0;
    *p = (uint8_t)rex;
    p += rex != 0x40 || byte_reg;
    if (opcode > 0xffff) *p++ = (uint8_t)(opcode >> 16);
    if (opcode > 0xff) *p++ = (uint8_t)(opcode >> 8);
    *p++ = (uint8_t)opcode;
    p = x_operands(p, reg & 7, m);
    a->len = (uint32_t)(p - a->code);
}
static inline void x_op(assembler *a, int wide, unsigned opcode, unsigned reg, operand m) {
    x_any(a, 0, wide, opcode, reg, m, 0);
}
/* An SSE operation; two: of doubles. */
static inline void x_sse(assembler *a, int two, unsigned opcode, unsigned reg, operand m) {
    x_any(a, two ? 0xf2 : 0xf3, 0, opcode, reg, m, 0);
}

static inline void x_mov(assembler *a, int wide, unsigned to, operand from) {
    if (is_reg(from, to)) return;
    x_op(a, wide, 0x8b, to, from);
}
static inline void x_store(assembler *a, int wide, operand to, unsigned from) {
    x_op(a, wide, 0x89, from, to);
}
/* to := imm. It keeps the flags only if the value is not 0. */
/* The number is in the last 8 bytes of the instruction. */
static inline void x_imm64(assembler *a, unsigned to, uint64_t imm) {
    put8(a, 0x48 | to >> 3);
    put8(a, 0xb8 | (to & 7));
    put64(a, imm);
}
static inline void x_imm(assembler *a, unsigned to, uint64_t imm) {
    if (imm == 0) {
        x_op(a, 0, 0x33, to, in_reg(to));
    } else if (imm <= UINT32_MAX) {
        if (to >> 3) put8(a, 0x41);
        put8(a, 0xb8 | (to & 7));
        put32(a, (uint32_t)imm);
    } else if ((uint64_t)(int64_t)(int32_t)imm == imm) {
        x_op(a, 1, 0xc7, 0, in_reg(to));
        put32(a, (uint32_t)imm);
    } else {
        x_imm64(a, to, imm);
    }
}
/* op (X_ADD …) with an immediate operand. */
static inline void x_alu_imm(assembler *a, int wide, unsigned op, operand m, int32_t imm) {
    int small = imm >= -128 && imm <= 127;
    x_op(a, wide, small ? 0x83 : 0x81, op, m);
    if (small)
        put8(a, (unsigned)imm);
    else
        put32(a, (uint32_t)imm);
}
/* The same with a number of 4 bytes, 0 here, which are the last ones of the instruction. */
static inline void x_alu_imm32(assembler *a, int wide, unsigned op, operand m) {
    x_op(a, wide, 0x81, op, m);
    put32(a, 0);
}
static inline void x_alu(assembler *a, int wide, unsigned op, unsigned reg, operand m) {
    x_op(a, wide, op << 3 | 3, reg, m);
}
static inline void x_lea(assembler *a, int wide, unsigned to, operand m) {
    x_op(a, wide, 0x8d, to, m);
}
static inline void x_setcc(assembler *a, unsigned cc, unsigned to) {
    x_any(a, 0, 0, 0x0f90 | cc, 0, in_reg(to), 1);
}
static inline void x_movzx8(assembler *a, unsigned to, unsigned from) {
    x_any(a, 0, 0, 0x0fb6, to, in_reg(from), 1);
}
static inline void x_jmp_reg(assembler *a, unsigned r) {
    x_op(a, 0, 0xff, 4, in_reg(r));
}
static inline void x_jmp_mem(assembler *a, operand m) {
    x_op(a, 0, 0xff, 4, m);
}
/* A jump with a 32-bit distance. Returns where the distance is, for x_bind. cc < 0: always. */
static inline uint32_t x_jump(assembler *a, int cc) {
    if (cc < 0) {
        put8(a, 0xe9);
    } else {
        put8(a, 0x0f);
        put8(a, 0x80 | (unsigned)cc);
    }
    put32(a, 0);
    return a->len - 4;
}
static inline void x_bind(assembler *a, uint32_t jump, uint32_t target) {
    uint32_t d = target - (jump + 4);
    if (!a->failed) memcpy(a->code + jump, &d, 4);
}
/* A jump forward over less than 128 bytes. */
static inline uint32_t x_jump_short(assembler *a, int cc) {
    put8(a, cc < 0 ? 0xeb : 0x70 | (unsigned)cc);
    put8(a, 0);
    return a->len - 1;
}
static inline void x_bind_short(assembler *a, uint32_t jump) {
    TS_ASSERT(a->failed || a->len - (jump + 1) < 128);
    if (!a->failed) a->code[jump] = (uint8_t)(a->len - (jump + 1));
}
/* XMM: moves. A move of an f32 from memory clears the rest of the register. */
static inline void x_movx(assembler *a, int two, unsigned to, operand from) {
    if (from.is_mem)
        x_sse(a, two, 0x0f10, to, from);
    else if (from.reg != to)
        x_op(a, 0, 0x0f28, to, from);
}
static inline void x_xmm_from_reg(assembler *a, int wide, unsigned xmm, unsigned reg) {
    x_any(a, 0x66, wide, 0x0f6e, xmm, in_reg(reg), 0);
}
static inline void x_reg_from_xmm(assembler *a, int wide, unsigned reg, unsigned xmm) {
    x_any(a, 0x66, wide, 0x0f7e, xmm, in_reg(reg), 0);
}
#endif
