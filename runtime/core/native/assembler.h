/* assembler: a growing buffer of instructions, and their operands.
 * In: bytes. Out: code that can be copied to any address. x64.h encodes. */
#ifndef TS_CORE_ASSEMBLER_H
#define TS_CORE_ASSEMBLER_H
#include "base/error.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No index register. Its low four bits are those that an instruction of x86-64 has in place of one. */
enum { NO_REG = 0x84 };
/* A register (an integer or a floating one), or memory at base + index + disp. */
typedef struct operand {
    uint8_t is_mem, reg /* or base */, index;
    int32_t disp;
} operand;
static inline operand in_reg(unsigned r) {
    return (operand){.reg = (uint8_t)r, .index = NO_REG};
}
static inline operand at_mem(unsigned base, int32_t disp) {
    return (operand){.is_mem = 1, .reg = (uint8_t)base, .index = NO_REG, .disp = disp};
}
static inline operand at_index(unsigned base, unsigned index, int32_t disp) {
    return (operand){.is_mem = 1, .reg = (uint8_t)base, .index = (uint8_t)index, .disp = disp};
}
static inline int is_reg(operand o, unsigned r) {
    return !o.is_mem && o.reg == r;
}

/* The buffer. `room` must be called before each group of at most X_ROOM bytes. */
enum { X_ROOM = 1024 };
typedef struct assembler {
    uint8_t *code;
    uint32_t len, cap;
    int failed; /* no memory: the bytes are lost, and the caller gives up at the end */
} assembler;
TS_RARE static int make_room(assembler *a, uint32_t more) {
    uint64_t cap = (uint64_t)a->cap * 2 + more;
    uint8_t *p = cap < (1u << 30) ? realloc(a->code, cap) : NULL;
    if (!p) {
        a->failed = 1;
        a->len = 0;
        return a->cap >= more;
    }
    a->code = p;
    a->cap = (uint32_t)cap;
    return 1;
}
/* Returns false if there is no room for `more` bytes beside X_ROOM. The buffer has room for one group even then,
 * once the first call has succeeded. */
static inline int room(assembler *a, uint32_t more) {
    more += X_ROOM;
    return a->cap - a->len >= more || make_room(a, more);
}
static inline void put8(assembler *a, unsigned v) {
    a->code[a->len++] = (uint8_t)v;
}
static inline void put32(assembler *a, uint32_t v) {
    memcpy(a->code + a->len, &v, 4);
    a->len += 4;
}
static inline void put64(assembler *a, uint64_t v) {
    memcpy(a->code + a->len, &v, 8);
    a->len += 8;
}
static inline void set32(assembler *a, uint32_t at, uint32_t v) {
    if (!a->failed) memcpy(a->code + at, &v, 4);
}
#endif
