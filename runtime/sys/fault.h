/* fault: the guard-page trap: turns a memory fault inside a known region into a return to a waiting frame.
 * In: regions that a context owns. Out: the registers at the fault.
 *
 * This is the only place with a longjmp. The signal handler redirects the faulting context to a landing
 * function, which jumps to the frame that called ts_fault_enter. All other faults go to the previously
 * installed handler. */
#ifndef TS_SYS_FAULT_H
#define TS_SYS_FAULT_H
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include "touchstone.h"

/* The jump that a fault returns by. The compiler's builtin costs a fifth of setjmp;
 * sanitizers support only setjmp. */
#if defined(__x86_64__) && !defined(TS_DISPATCH_SWITCH)
#define TS_FAULT_BUILTIN_JUMP 1
typedef void *ts_fault_jump[5];
#else
#define TS_FAULT_BUILTIN_JUMP 0
typedef jmp_buf ts_fault_jump;
#endif

enum { TS_FAULT_REGS = 32 };
typedef struct ts_fault_ctx {
    ts_fault_jump jump;
    struct ts_fault_ctx *prev;
    bool (*owns)(void *data, uintptr_t addr); /* async-signal-safe */
    void *data;
    uintptr_t addr; /* the faulting address */
    uintptr_t pc;   /* the instruction */
    /* general registers: x86-64 rax rbx rcx rdx rsi rdi rbp rsp r8…r15; aarch64 x0…x30 sp */
    uintptr_t regs[TS_FAULT_REGS];
    unsigned n_regs;
} ts_fault_ctx;

/* Installs the handler once per process. Returns false if the system does not support it;
 * then no memory may be guarded. */
bool ts_fault_install(void);
/* ts_fault_set_enabled, by which an embedder switches it off, is in touchstone.h. */
/* Neither is inlined, not even by a linker: the jump comes back to a frame whose spilled values, such as the address of
 * a thread's variable, may have been overwritten. For the same reason pop takes nothing that the caller has to keep. */
__attribute__((noinline)) void ts_fault_push(ts_fault_ctx *c);
__attribute__((noinline)) void ts_fault_pop(void); /* the one that was pushed last */
/* Evaluates to 0 at first, and to 1 after a fault between push and pop. */
#if TS_FAULT_BUILTIN_JUMP
#define ts_fault_enter(c) __builtin_setjmp((c)->jump)
#else
#define ts_fault_enter(c) _setjmp((c)->jump)
#endif
#endif
