/* fault: the guard-page trap: turns a memory fault inside a known region into a return to a waiting frame.
 * In: regions that a context owns. Out: the registers at the fault. */
#define _GNU_SOURCE
#include "sys/fault.h"
#include "base/cfi.h"
#include "sys/registers.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>

/* The exception to "no mutable globals": signal handlers are a property of the process. */
static _Thread_local ts_fault_ctx *current;
static struct sigaction old_segv, old_bus;
static bool installed;
static bool disabled; /* atomic */
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define HAVE_REDIRECT TS_SYS_HAS_REGISTERS

#if HAVE_REDIRECT
__attribute__((noreturn)) static void land(ts_fault_ctx *c) {
#if TS_FAULT_BUILTIN_JUMP
    __builtin_longjmp(c->jump, 1);
#else
    _longjmp(c->jump, 1);
#endif
}

static TS_UNCHECKED_CALLS void chain(int sig, siginfo_t *info, void *uc) {
    struct sigaction *old = sig == SIGSEGV ? &old_segv : &old_bus;
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, info, uc);
    } else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
        struct sigaction dfl;
        memset(&dfl, 0, sizeof dfl);
        dfl.sa_handler = SIG_DFL;
        sigaction(sig, &dfl, NULL); /* the access faults again and ends the process by default action */
    } else {
        old->sa_handler(sig);
    }
}

static void on_fault(int sig, siginfo_t *info, void *ucp) {
    ts_fault_ctx *c = current;
    uintptr_t addr = (uintptr_t)info->si_addr;
    if (!c || !c->owns(c->data, addr)) {
        chain(sig, info, ucp);
        return;
    }
    ucontext_t *uc = ucp;
    c->addr = addr;
    c->n_regs = ts_sys_registers(uc, c->regs, &c->pc);
#if defined(__x86_64__)
    uintptr_t sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(((sp - 512) & ~(uintptr_t)15) - 8);
    uc->uc_mcontext.gregs[REG_RDI] = (greg_t)(uintptr_t)c;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)land;
#else
    uc->uc_mcontext.sp = (uc->uc_mcontext.sp - 512) & ~(uintptr_t)15;
    uc->uc_mcontext.regs[0] = (uintptr_t)c;
    uc->uc_mcontext.pc = (uintptr_t)land;
#endif
}

static void install(void) {
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGSEGV, &sa, &old_segv) != 0) return;
    if (sigaction(SIGBUS, &sa, &old_bus) != 0) {
        sigaction(SIGSEGV, &old_segv, NULL);
        return;
    }
    installed = true;
}
#else
static void install(void) {}
#endif

bool ts_fault_install(void) {
    if (__atomic_load_n(&disabled, __ATOMIC_RELAXED)) return false;
    pthread_once(&once, install);
    return installed;
}
void ts_fault_set_enabled(bool on) {
    __atomic_store_n(&disabled, !on, __ATOMIC_RELAXED);
}

void ts_fault_push(ts_fault_ctx *c) {
    c->prev = current;
    current = c;
}
void ts_fault_pop(void) {
    current = current->prev;
}
