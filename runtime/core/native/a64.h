/* a64: encodes instructions of aarch64.
 * In: registers, memory operands, immediates. Out: 32-bit words in a growing buffer.
 * source: Arm Architecture Reference Manual for A-profile architecture, chapter C6 and C7 */
#ifndef TS_CORE_A64_H
#define TS_CORE_A64_H
#include "base/assert.h"
#include "core/native/assembler.h"

enum { X0, X1, X15 = 15, X16, X17, X18, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28, ZR = 31 };
/* What the emitter uses them for: see emit_a64.c. */
enum { FRAME = X21, MEMORY = X22, EXEC = X23, INSTANCE = X24, ACC_R = X25 };
enum { TMP = X16, TMP2 = X17, TMP3 = X20, PC = X20, TMP_X = 30, TMP_Y = 31 };
enum { FIRST_VECTOR_REGISTER = 16, VECTOR_REGISTERS = 14 };
/* Conditions. The names are those of x64.h, after integer comparisons. The lowest bit negates. A comparison of floats
 * that are unordered sets C and V. From CC_ZERO on: a register is 0, as a64_zero makes it. */
enum { CC_E, CC_NE, CC_AE, CC_B, CC_MI, CC_PL, CC_VS, CC_VC, CC_A, CC_BE, CC_GE, CC_L, CC_G, CC_LE, CC_ZERO = 16 };
static inline int a64_zero(int wide, unsigned reg) {
    return CC_ZERO | (int)reg << 6 | (wide ? 2 : 0);
}

static inline void a64_put(assembler *a, uint32_t word) {
    put32(a, word);
}
static inline uint32_t a64_wide(int wide) {
    return wide ? 0x80000000u : 0;
}

/* --- integers ------------------------------------------------------------------------------------------- */
/* Three registers. The bases of the encodings: */
enum {
    A_ADD = 0x0b000000,
    A_SUB = 0x4b000000,
    A_ADDS = 0x2b000000,
    A_SUBS = 0x6b000000,
    A_AND = 0x0a000000,
    A_ORR = 0x2a000000,
    A_EOR = 0x4a000000,
    A_ANDS = 0x6a000000,
    A_MUL = 0x1b007c00,
    A_UDIV = 0x1ac00800,
    A_SDIV = 0x1ac00c00,
    A_LSLV = 0x1ac02000,
    A_LSRV = 0x1ac02400,
    A_ASRV = 0x1ac02800,
    A_RORV = 0x1ac02c00,
};
static inline void a64_op(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, unsigned m) {
    a64_put(a, a64_wide(wide) | op | m << 16 | n << 5 | to);
}
/* The second operand is shifted to the left: for A_ADD … A_ANDS. */
static inline void a64_op_shifted(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, unsigned m,
                                  unsigned by) {
    a64_put(a, a64_wide(wide) | op | m << 16 | by << 10 | n << 5 | to);
}
/* The second operand is the low half of m, extended to 64 bits: for A_ADD and A_SUBS. */
static inline void a64_op_extended(assembler *a, uint32_t op, unsigned to, unsigned n, unsigned m, int is_signed) {
    a64_put(a, 0x80200000u | op | m << 16 | (is_signed ? 6u : 2u) << 13 | n << 5 | to);
}
static inline void a64_mov(assembler *a, int wide, unsigned to, unsigned from) {
    if (to != from || !wide) a64_op(a, wide, A_ORR, to, ZR, from);
}
static inline void a64_msub(assembler *a, int wide, unsigned to, unsigned n, unsigned m, unsigned from) {
    a64_put(a, a64_wide(wide) | 0x1b008000u | m << 16 | from << 10 | n << 5 | to);
}
/* Whether v is an immediate of additions and comparisons; then *out is its field. */
static inline int a64_is_add_imm(uint64_t v, uint32_t *out) {
    *out = v < 4096 ? (uint32_t)v << 10 : (uint32_t)(v >> 12 & 0xfff) << 10 | 1u << 22;
    return v < 4096 || (v < 4096 * 4096 && (v & 4095) == 0);
}
/* op: A_ADD … A_SUBS. A_ADD and A_SUB take 31 as the stack pointer. Returns 0 if the immediate, which is signed, has no
 * encoding. */
static inline int a64_try_add_imm(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, int64_t imm) {
    uint32_t field;
    if (imm < 0) op ^= A_ADD ^ A_SUB;
    if (!a64_is_add_imm(imm < 0 ? 0 - (uint64_t)imm : (uint64_t)imm, &field)) return 0;
    a64_put(a, a64_wide(wide) | (op & 0x60000000u) | 0x11000000u | field | n << 5 | to);
    return 1;
}
static inline int a64_is_run(uint64_t v) { /* ones, and zeros on both sides */
    return v && (((v | (v - 1)) + 1) & (v | (v - 1))) == 0;
}
/* Whether v is an immediate of logical operations: ones in a row, rotated, and repeated. *out is its field. */
static inline int a64_is_logical_imm(uint64_t v, int wide, uint32_t *out) {
    if (!wide) v = (uint32_t)v | v << 32;
    if (v == 0 || v == UINT64_MAX) return 0;
    unsigned size = 64;
    while (size > 2) {
        unsigned half = size / 2;
        uint64_t low = ((uint64_t)1 << half) - 1;
        if ((v & low) != (v >> half & low)) break;
        size = half;
    }
    uint64_t mask = UINT64_MAX >> (64 - size);
    unsigned from, ones;
    v &= mask;
    if (a64_is_run(v)) {
        from = (unsigned)__builtin_ctzll(v);
        ones = (unsigned)__builtin_popcountll(v);
    } else {
        v |= ~mask;
        if (!a64_is_run(~v)) return 0;
        from = 64 - (unsigned)__builtin_clzll(~v);
        ones = size - (unsigned)__builtin_popcountll(~v);
    }
    unsigned rotate = (size - from) & (size - 1), length = ((~(size - 1) << 1) | (ones - 1)) & 0x7f;
    *out = (size == 64 ? 1u << 22 : 0) | rotate << 16 | (length & 0x3f) << 10;
    return 1;
}
/* op: A_AND … A_ANDS. Returns 0 if the immediate has no encoding. */
static inline int a64_try_logical_imm(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, uint64_t imm) {
    uint32_t field;
    if (!a64_is_logical_imm(imm, wide, &field)) return 0;
    a64_put(a, a64_wide(wide) | (op & 0x60000000u) | 0x12000000u | field | n << 5 | to);
    return 1;
}
/* Four instructions, for any number. */
static inline void a64_imm64(assembler *a, unsigned to, uint64_t imm) {
    for (unsigned k = 0; k < 4; k++)
        a64_put(a, (k ? 0xf2800000u : 0xd2800000u) | k << 21 | ((uint32_t)(imm >> (16 * k)) & 0xffff) << 5 | to);
}
static inline void a64_set_imm64(uint8_t *code, uint64_t imm) {
    for (unsigned k = 0; k < 4; k++, code += 4) {
        uint32_t instruction;
        memcpy(&instruction, code, 4);
        instruction = (instruction & ~(0xffffu << 5)) | ((uint32_t)(imm >> (16 * k)) & 0xffff) << 5;
        memcpy(code, &instruction, 4);
    }
}
/* to := imm, without changing the flags. */
static inline void a64_imm(assembler *a, unsigned to, uint64_t imm) {
    unsigned ones = 0, zeros = 0;
    for (unsigned k = 0; k < 4; k++) {
        unsigned part = (unsigned)(imm >> (16 * k)) & 0xffff;
        ones += part == 0xffff;
        zeros += part == 0;
    }
    if (ones < 3 && zeros < 3 && a64_try_logical_imm(a, 1, A_ORR, to, ZR, imm)) return;
    unsigned skipped = ones > zeros ? 0xffff : 0, first = 1;
    for (unsigned k = 0; k < 4; k++) {
        unsigned part = (unsigned)(imm >> (16 * k)) & 0xffff;
        if (part == skipped && !(first && k == 3)) continue;
        uint32_t op = first ? (skipped ? 0x92800000u : 0xd2800000u) : 0xf2800000u; /* movn, movz, movk */
        a64_put(a, op | k << 21 | (first && skipped ? part ^ 0xffffu : part) << 5 | to);
        first = 0;
    }
}
/* to := n + imm, or n - imm. `other` is for an immediate that has no encoding. */
static inline void a64_add_imm(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, int64_t imm,
                               unsigned other) {
    if (a64_try_add_imm(a, wide, op, to, n, imm)) return;
    a64_imm(a, other, wide ? (uint64_t)imm : (uint32_t)imm);
    a64_op(a, wide, op, to, n, other);
}
static inline void a64_compare_imm(assembler *a, int wide, unsigned n, int64_t imm, unsigned other) {
    a64_add_imm(a, wide, A_SUBS, ZR, n, imm, other);
}
static inline void a64_bitfield(assembler *a, int wide, int is_signed, unsigned to, unsigned n, unsigned r,
                                unsigned s) {
    a64_put(a, (is_signed ? 0x13000000u : 0x53000000u) | (wide ? 0x80400000u : 0) | r << 16 | s << 10 | n << 5 | to);
}
static inline void a64_shift_imm(assembler *a, int wide, uint32_t op, unsigned to, unsigned n, unsigned by) {
    unsigned last = wide ? 63 : 31;
    if (op == A_LSLV)
        a64_bitfield(a, wide, 0, to, n, (0u - by) & last, last - by);
    else if (op == A_RORV) /* extr */
        a64_put(a, (wide ? 0x93c00000u : 0x13800000u) | n << 16 | by << 10 | n << 5 | to);
    else
        a64_bitfield(a, wide, op == A_ASRV, to, n, by, last);
}
enum { A_CLZ = 0x5ac01000, A_RBIT = 0x5ac00000 };
static inline void a64_unary(assembler *a, int wide, uint32_t op, unsigned to, unsigned n) {
    a64_put(a, a64_wide(wide) | op | n << 5 | to);
}
static inline void a64_csel(assembler *a, int wide, unsigned cc, unsigned to, unsigned yes, unsigned no) {
    a64_put(a, a64_wide(wide) | 0x1a800000u | no << 16 | cc << 12 | yes << 5 | to);
}
static inline void a64_cset(assembler *a, unsigned cc, unsigned to) {
    a64_put(a, 0x1a9f07e0u | (cc ^ 1) << 12 | to);
}

/* --- memory --------------------------------------------------------------------------------------------- */
/* size: the binary logarithm of the bytes; 4: a vector. opc: 0 store, 1 load, 2 sign-extending to 64 bits, 3 to 32
 * bits. */
enum { A_STORE, A_LOAD, A_LOAD_S64, A_LOAD_S32, A_FLOAT = 16 };
static inline int a64_reaches(unsigned size, operand m) {
    if (m.index != NO_REG) return m.disp == 0;
    return (m.disp >= -256 && m.disp < 256) ||
           (m.disp >= 0 && (m.disp & ((1 << size) - 1)) == 0 && (m.disp >> size) < 4096);
}
/* One instruction. An index is the low half of a register, not scaled. */
static inline void a64_access(assembler *a, unsigned size, unsigned opc, unsigned reg, operand m) {
    uint32_t op = (size & 3) << 30 | (opc & A_FLOAT ? 1u << 26 : 0) | (opc & 3) << 22 | (uint32_t)m.reg << 5 | reg;
    if (size == 4) op |= 2u << 22;
    TS_ASSERT(a64_reaches(size, m));
    if (m.index != NO_REG)
        a64_put(a, op | 0x38204800u | (uint32_t)m.index << 16);
    else if (m.disp >= 0 && (m.disp & ((1 << size) - 1)) == 0 && (m.disp >> size) < 4096)
        a64_put(a, op | 0x39000000u | (uint32_t)(m.disp >> size) << 10);
    else
        a64_put(a, op | 0x38000000u | ((uint32_t)m.disp & 0x1ff) << 12);
}
/* The operand as one that an instruction can have; TMP3 has the address of one that is far from its base. */
static inline operand a64_near(assembler *a, unsigned size, operand m) {
    if (a64_reaches(size, m)) return m;
    a64_add_imm(a, 1, A_ADD, TMP3, m.reg, m.disp, TMP3);
    return at_mem(TMP3, 0);
}
static inline void a64_load(assembler *a, int wide, unsigned to, operand m) {
    a64_access(a, wide ? 3 : 2, A_LOAD, to, a64_near(a, wide ? 3 : 2, m));
}
static inline void a64_store(assembler *a, operand m, unsigned from) {
    a64_access(a, 3, A_STORE, from, a64_near(a, 3, m));
}
/* Two 64-bit registers, at base + disp and behind it. */
static inline void a64_pair(assembler *a, int loads, unsigned first, unsigned second, operand m) {
    if (m.disp >= 0 && m.disp <= 504) {
        a64_put(a, (loads ? 0xa9400000u : 0xa9000000u) | (uint32_t)(m.disp / 8) << 15 | second << 10 |
                       (uint32_t)m.reg << 5 | first);
        return;
    }
    operand next = at_mem(m.reg, m.disp + 8);
    TS_ASSERT(first != m.reg && first != TMP3);
    if (!loads) {
        a64_store(a, m, first);
        a64_store(a, next, second);
    } else {
        a64_load(a, 1, first, m);
        a64_load(a, 1, second, next);
    }
}

/* --- jumps ---------------------------------------------------------------------------------------------- */
static inline void a64_jump_reg(assembler *a, unsigned r) {
    a64_put(a, 0xd61f0000u | r << 5);
}
/* A jump whose distance a64_bind writes. Returns its place. cc < 0: always. */
static inline uint32_t a64_jump(assembler *a, int cc) {
    if (cc < 0)
        a64_put(a, 0x14000000u);
    else if (cc < CC_ZERO)
        a64_put(a, 0x54000000u | (uint32_t)cc);
    else
        a64_put(a, a64_wide(cc & 2) | (cc & 1 ? 0x35000000u : 0x34000000u) | (uint32_t)cc >> 6);
    return a->len - 4;
}
static inline uint32_t a64_adr(assembler *a, unsigned to) {
    a64_put(a, 0x10000000u | to);
    return a->len - 4;
}
/* The distance from a jump, an adr, or a movz and movk in front of an adr. Returns 0 if it is too far. */
static inline int a64_bind(assembler *a, uint32_t at, uint32_t target) {
    uint32_t word;
    int64_t d = (int64_t)target - at;
    if (a->failed) return 1;
    memcpy(&word, a->code + at, 4);
    if ((word & 0x7c000000u) == 0x14000000u) { /* b */
        if (d < -(1 << 27) || d >= 1 << 27) return 0;
        word |= (uint32_t)(d >> 2) & 0x3ffffff;
    } else if ((word & 0x7f800000u) == 0x52800000u) { /* movz */
        d -= 8;
        if (d < 0 || d > UINT32_MAX) return 0;
        uint32_t next;
        memcpy(&next, a->code + at + 4, 4);
        set32(a, at + 4, next | (uint32_t)(d >> 16) << 5);
        word |= (uint32_t)(d & 0xffff) << 5;
    } else {
        if (d < -(1 << 20) || d >= 1 << 20) return 0;
        word |= ((uint32_t)(d >> 2) & 0x7ffff) << 5;
    }
    set32(a, at, word);
    return 1;
}

/* --- floats --------------------------------------------------------------------------------------------- */
enum {
    A_FADD = 0x1e202800,
    A_FSUB = 0x1e203800,
    A_FMUL = 0x1e200800,
    A_FDIV = 0x1e201800,
    A_FMAX = 0x1e204800,
    A_FMIN = 0x1e205800,
    A_FMOV = 0x1e204000,
    A_FABS = 0x1e20c000,
    A_FNEG = 0x1e214000,
    A_FSQRT = 0x1e21c000,
    A_FRINTN = 0x1e244000,
    A_FRINTP = 0x1e24c000,
    A_FRINTM = 0x1e254000,
    A_FRINTZ = 0x1e25c000,
    A_TO_DOUBLE = 0x1e22c000,
    A_TO_SINGLE = 0x1e224000, /* with two */
    A_SCVTF = 0x1e220000,
    A_UCVTF = 0x1e230000,
    A_FCVTZS = 0x1e380000,
    A_FCVTZU = 0x1e390000,
};
static inline uint32_t a64_two(int two) {
    return two ? 0x00400000u : 0;
}
static inline void a64_fop(assembler *a, int two, uint32_t op, unsigned to, unsigned n, unsigned m) {
    a64_put(a, op | a64_two(two) | m << 16 | n << 5 | to);
}
/* One operand; conversions from and to integers too. */
static inline void a64_fun(assembler *a, int two, uint32_t op, unsigned to, unsigned n) {
    a64_put(a, op | a64_two(two) | n << 5 | to);
}
static inline void a64_fmov(assembler *a, unsigned to, unsigned from) {
    if (to != from) a64_fun(a, 1, A_FMOV, to, from);
}
static inline void a64_fcmp(assembler *a, int two, unsigned n, unsigned m) {
    a64_put(a, 0x1e202000u | a64_two(two) | m << 16 | n << 5);
}
static inline void a64_fcsel(assembler *a, int two, unsigned cc, unsigned to, unsigned yes, unsigned no) {
    a64_put(a, 0x1e200c00u | a64_two(two) | no << 16 | cc << 12 | yes << 5 | to);
}
/* Bits from an integer register, and to one. The rest of the register becomes 0. */
static inline void a64_float_from_int(assembler *a, int two, unsigned to, unsigned from) {
    a64_put(a, (two ? 0x9e670000u : 0x1e270000u) | from << 5 | to);
}
static inline void a64_int_from_float(assembler *a, int two, unsigned to, unsigned from) {
    a64_put(a, (two ? 0x9e660000u : 0x1e260000u) | from << 5 | to);
}
static inline void a64_float_zero(assembler *a, unsigned to) {
    a64_put(a, 0x2f00e400u | to); /* movi */
}

/* --- vectors -------------------------------------------------------------------------------------------- */
/* Of all 128 bits, except those that widen and narrow, which name the half. Lanes of integers have a size, the binary
 * logarithm of their bytes, in bits 22 and 23; lanes of floats have bit 22 if they are doubles: a64_lanes. */
enum {
    V_ADD = 0x4e208400,
    V_SUB = 0x6e208400,
    V_MUL = 0x4e209c00,
    V_ADDP = 0x4e20bc00,
    V_CMEQ = 0x6e208c00,
    V_CMGT = 0x4e203400,
    V_CMGE = 0x4e203c00,
    V_CMHI = 0x6e203400,
    V_CMHS = 0x6e203c00,
    V_SMIN = 0x4e206c00,
    V_UMIN = 0x6e206c00,
    V_SMAX = 0x4e206400,
    V_UMAX = 0x6e206400,
    V_UMAXP = 0x6e20a400,
    V_SQADD = 0x4e200c00,
    V_UQADD = 0x6e200c00,
    V_SQSUB = 0x4e202c00,
    V_UQSUB = 0x6e202c00,
    V_URHADD = 0x6e201400,
    V_SQRDMULH = 0x6e20b400,
    V_SSHL = 0x4e204400,
    V_USHL = 0x6e204400,
    V_AND = 0x4e201c00,
    V_BIC = 0x4e601c00,
    V_ORR = 0x4ea01c00,
    V_EOR = 0x6e201c00,
    V_BSL = 0x6e601c00,
    V_FADD = 0x4e20d400,
    V_FSUB = 0x4ea0d400,
    V_FMUL = 0x6e20dc00,
    V_FDIV = 0x6e20fc00,
    V_FMAX = 0x4e20f400,
    V_FMIN = 0x4ea0f400,
    V_FCMEQ = 0x4e20e400,
    V_FCMGE = 0x6e20e400,
    V_FCMGT = 0x6ea0e400,
    /* the low halves; with V_HIGH the high ones. The size is that of the narrow lanes. */
    V_HIGH = 0x40000000,
    V_SMULL = 0x0e20c000,
    V_UMULL = 0x2e20c000,
    V_UMLAL = 0x2e208000,
    V_XTN = 0x0e212800,
    V_SQXTN = 0x0e214800,
    V_SQXTUN = 0x2e212800,
    V_UQXTN = 0x2e214800,
    V_FCVTN = 0x0e216800,
    V_FCVTL = 0x0e217800,
    /* one operand */
    V_ABS = 0x4e20b800,
    V_NEG = 0x6e20b800,
    V_CNT = 0x4e205800,
    V_NOT = 0x6e205800,
    V_REV64 = 0x4e200800,
    V_REV32 = 0x6e200800,
    V_REV16 = 0x4e201800,
    V_CMLT_ZERO = 0x4e20a800,
    V_CMEQ_ZERO = 0x4e209800,
    V_SADDLP = 0x4e202800,
    V_UADDLP = 0x6e202800,
    V_FABS = 0x4ea0f800,
    V_FNEG = 0x6ea0f800,
    V_FSQRT = 0x6ea1f800,
    V_FRINTN = 0x4e218800,
    V_FRINTM = 0x4e219800,
    V_FRINTP = 0x4ea18800,
    V_FRINTZ = 0x4ea19800,
    V_FCVTZS = 0x4ea1b800,
    V_FCVTZU = 0x6ea1b800,
    V_SCVTF = 0x4e21d800,
    V_UCVTF = 0x6e21d800,
    V_UMAXV = 0x6e30a800, /* the result is in lane 0 */
    V_UMINV = 0x6e31a800,
    V_ADDV = 0x4e31b800,
    /* bytes of vectors */
    V_TBL = 0x4e000000,
    V_TBL2 = 0x4e002000, /* of the register n and the next one */
    V_EXT = 0x6e000000,  /* the first byte is in bits 11 … 14 */
    V_UZP1 = 0x4e001800,
    V_TRN1 = 0x4e002800,
    V_ZIP1 = 0x4e003800,
    V_UZP2 = 0x4e005800,
    V_TRN2 = 0x4e006800,
    V_ZIP2 = 0x4e007800,
    /* shifts by a number: a64_shifted and a64_shifted_right */
    V_SSHR = 0x4f000400,
    V_USHR = 0x6f000400,
    V_SHL = 0x4f005400,
    V_SSHLL = 0x0f00a400,
    V_USHLL = 0x2f00a400,
    /* lanes, which a64_lane names: from and to a general register; or n is a vector */
    V_DUP = 0x4e000c00,
    V_INS = 0x4e001c00,
    V_UMOV = 0x0e003c00, /* V_HIGH: of 64 bits */
    V_SMOV = 0x0e002c00, /* to 32 bits */
    V_DUP_LANE = 0x4e000400,
    V_GET_LANE = 0x5e000400, /* to lane 0, with zeroes behind it */
    V_INS_LANE = 0x6e000400, /* from lane 0 */
};
static inline uint32_t a64_lanes(uint32_t op, unsigned size) {
    return op | size << 22;
}
/* A shift to the left; of V_SSHLL and V_USHLL, the size is that of the narrow lanes. */
static inline uint32_t a64_shifted(uint32_t op, unsigned size, unsigned by) {
    return op | ((8u << size) + by) << 16;
}
static inline uint32_t a64_shifted_right(uint32_t op, unsigned size, unsigned by) {
    return op | ((16u << size) - by) << 16;
}
static inline uint32_t a64_lane(uint32_t op, unsigned size, unsigned lane) {
    return op | ((lane << 1 | 1) << size) << 16;
}
static inline void a64_vop(assembler *a, uint32_t op, unsigned to, unsigned n, unsigned m) {
    a64_put(a, op | m << 16 | n << 5 | to);
}
/* One operand; or lanes and shifts. */
static inline void a64_vun(assembler *a, uint32_t op, unsigned to, unsigned n) {
    a64_put(a, op | n << 5 | to);
}
static inline void a64_vmov(assembler *a, unsigned to, unsigned from) {
    if (to != from) a64_vop(a, V_ORR, to, from, from);
}
/* Each byte is `v`. */
static inline void a64_vbytes(assembler *a, unsigned to, unsigned v) {
    a64_put(a, 0x4f00e400u | (v >> 5) << 16 | (v & 31) << 5 | to);
}
/* ldr of 16 bytes whose distance a64_bind writes. Returns its place. */
static inline uint32_t a64_vliteral(assembler *a, unsigned to) {
    a64_put(a, 0x9c000000u | to);
    return a->len - 4;
}
#endif
