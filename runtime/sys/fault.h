/* fault: the guard-page trap: turns a memory fault inside a known region into a return to a waiting frame.
 * In: regions that a context owns. Out: the registers at the fault. The one place with a signal handler and a longjmp: the handler redirects the
 * faulting context to a landing function, which jumps to the frame that called ts_fault_enter. Faults elsewhere go to the handler that was there before. */
#ifndef TS_SYS_FAULT_H
#define TS_SYS_FAULT_H
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

/* How a fault comes back. The compilers' own jump costs a fifth of setjmp's; sanitizers know only setjmp. */
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
    uintptr_t addr; /* of the fault */
    /* general registers: x86-64 rax rbx rcx rdx rsi rdi rbp rsp r8…r15; aarch64 x0…x30 sp */
    uintptr_t regs[TS_FAULT_REGS];
    unsigned n_regs;
} ts_fault_ctx;

/* Install the handler once per process; false: not possible on this system (then no memory may be guarded). */
bool ts_fault_install(void);
void ts_fault_set_enabled(bool on); /* an embedder may switch it off before any memory is made */
bool ts_fault_available(void);
void ts_fault_push(ts_fault_ctx *c);
void ts_fault_pop(ts_fault_ctx *c);
/* 0: go on; 1: a fault happened between push and pop. */
#if TS_FAULT_BUILTIN_JUMP
#define ts_fault_enter(c) __builtin_setjmp((c)->jump)
#else
#define ts_fault_enter(c) _setjmp((c)->jump)
#endif
#endif
