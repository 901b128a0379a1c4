/* sys/registers: the registers of a thread that a signal has interrupted.
 * In: the third argument of a signal handler. Out: the general registers by number, and the address of the
 * instruction. Async-signal-safe. Include it after _GNU_SOURCE is defined, where signal handlers are. */
#ifndef TS_SYS_REGISTERS_H
#define TS_SYS_REGISTERS_H
#include <stdint.h>
#include <ucontext.h>

/* x86-64: rax rbx rcx rdx rsi rdi rbp rsp r8…r15; aarch64: x0…x30 sp */
enum { TS_SYS_REGISTERS = 32 };
#if defined(__x86_64__) || defined(__aarch64__)
#define TS_SYS_HAS_REGISTERS 1
/* Returns the number of registers. */
static inline unsigned ts_sys_registers(const ucontext_t *uc, uintptr_t regs[TS_SYS_REGISTERS], uintptr_t *pc) {
#if defined(__x86_64__)
    static const int order[16] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    for (unsigned i = 0; i < 16; i++) regs[i] = (uintptr_t)uc->uc_mcontext.gregs[order[i]];
    *pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    return 16;
#else
    for (unsigned i = 0; i < 31; i++) regs[i] = (uintptr_t)uc->uc_mcontext.regs[i];
    regs[31] = (uintptr_t)uc->uc_mcontext.sp;
    *pc = (uintptr_t)uc->uc_mcontext.pc;
    return 32;
#endif
}
#else
#define TS_SYS_HAS_REGISTERS 0
#endif
#endif
