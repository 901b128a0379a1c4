/* A bytecode interpreter: a stack machine by switch, running a nested loop with a call. */
#include "bench.h"
enum { PUSH, LOAD, STORE, ADD, SUB, MUL, AND, XOR, SHR, LT, JUMP, JZ, CALL, RET, DUP, HALT };
/* locals: 0 n, 1 i, 2 j, 3 sum */
static const u8 program[] = {
    /*  0 */ PUSH, 0,    STORE, 1,
    /*  4 */ LOAD, 1,    LOAD,  0,   LT,   JZ,    54,
    /* 11 */ PUSH, 0,    STORE, 2,
    /* 15 */ LOAD, 2,    PUSH,  20,  LT,   JZ,    45,
    /* 22 */ LOAD, 3,    LOAD,  1,   LOAD, 2,     MUL, ADD,  CALL, 55,   STORE, 3,
    /* 34 */ LOAD, 2,    PUSH,  1,   ADD,  STORE, 2,   JUMP, 15,   HALT, HALT,
    /* 45 */ LOAD, 1,    PUSH,  1,   ADD,  STORE, 1,   JUMP, 4,
    /* 54 */ HALT,
    /* 55 */ DUP,  PUSH, 3,     SHR, XOR,  PUSH,  127, ADD,  RET,
};
static NOINLINE i32 execute(const u8 *code, i32 *locals, i32 *stack) {
    const u8 *pc = code;
    const u8 *returns[8];
    int depth = 0;
    i32 *sp = stack;
    for (;;) switch (*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case LOAD: *sp++ = locals[*pc++]; break;
        case STORE: locals[*pc++] = *--sp; break;
        case ADD: sp--, sp[-1] = (i32)((u32)sp[-1] + (u32)sp[0]); break;
        case SUB: sp--, sp[-1] = (i32)((u32)sp[-1] - (u32)sp[0]); break;
        case MUL: sp--, sp[-1] = (i32)((u32)sp[-1] * (u32)sp[0]); break;
        case AND: sp--, sp[-1] &= sp[0]; break;
        case XOR: sp--, sp[-1] ^= sp[0]; break;
        case SHR: sp--, sp[-1] = (i32)((u32)sp[-1] >> (sp[0] & 31)); break;
        case LT: sp--, sp[-1] = sp[-1] < sp[0]; break;
        case JUMP: pc = code + *pc; break;
        case JZ: pc = *--sp ? pc + 1 : code + *pc; break;
        case CALL: returns[depth++] = pc + 1, pc = code + *pc; break;
        case RET: pc = returns[--depth]; break;
        case DUP: *sp = sp[-1], sp++; break;
        default: return locals[3];
        }
}
RUN i32 run(i32 n) {
    static i32 locals[4], stack[32];
    locals[0] = n, locals[1] = locals[2] = locals[3] = 0;
    return execute(program, locals, stack);
}
