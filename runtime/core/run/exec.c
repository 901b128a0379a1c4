/* exec: runs the register IR: three dispatch skeletons around one set of bodies, calls in and out, unwinding,
 * backtraces.
 * In: functions and arguments. Out: results, or a status with the backtrace. spec: exec/instructions,
 * exec/runtime#stack
 */
#include "base/assert.h"
#include "base/cfi.h"
#include "base/dispatch.h"
#include "core/debug/dwarf.h"
#include "core/run/exec.h"
#include "core/run/code_cache.h"
#include "core/run/exec_slow.h"
#include "core/run/gc.h"
#include "core/run/numeric.h"
#include "core/run/simd.h"
#include "core/run/spares.h"
#include "core/run/tier.h"
#include "sys/fault.h"
#include "sys/pages.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- adapters ------------------------------------------------------------------------------------------- */
static inline bool adapter_applies(const ts_adapter *a, const ts_exec *x) {
    bool applies = *a->open && x->depth < x->max_depth;
    for (uint32_t i = 0; i < a->n_entered; i++) applies = applies && *a->entered[i];
    return applies;
}
static inline void adapter_enter(const ts_adapter *a, ts_exec *x) {
    for (uint32_t i = 0; i < a->n_entered; i++) *a->entered[i] = false;
    if (++x->depth > x->deepest) x->deepest = x->depth;
}
/* Puts the state aside, in the slots that step out of the call. */
static inline void adapter_begin(const ts_adapter *a, ts_slot *cross) {
    cross[TS_CROSS_ADAPTER] = (uintptr_t)a;
    memcpy(cross + TS_CROSS_STATE, a->state, TS_ADAPTER_STATE * sizeof *cross);
    memset(a->state, 0, TS_ADAPTER_STATE * sizeof *cross);
}
static inline void adapter_end(const ts_adapter *a, ts_exec *x, const ts_slot *cross) {
    memcpy(a->state, cross + TS_CROSS_STATE, TS_ADAPTER_STATE * sizeof *cross);
    for (uint32_t i = 0; i < a->n_entered; i++) *a->entered[i] = true;
    x->depth--;
}

#if defined(TS_DISPATCH_TAIL)
/* --- tail calls ---------------------------------------------------------------------------------------- */
#define TS_PN __attribute__((preserve_none))
#define ARGS const ts_word *pc, ts_slot *fp, uint8_t *mem, ts_exec *x, ts_instance *inst, uint64_t r, float f, double d
#define PASS pc, fp, mem, x, inst, r, f, d
typedef TS_PN void (*handler)(ARGS);

#define E(n) static TS_PN void h_##n(ARGS);
#include "core/code/ir_each.h"
static const void *const handlers[TS_IR_COUNT] = {
#define E(n) (const void *)h_##n,
#include "core/code/ir_each.h"
};

static __attribute__((noinline)) TS_PN void stop(ARGS) {
    (void)mem, (void)inst, (void)f, (void)d;
    x->status = (ts_status)r;
    x->stop_pc = pc;
    x->stop_fp = fp;
}
static __attribute__((noinline)) TS_PN void stop_trap(ARGS) {
    x->trap = (ts_trap_kind)r;
    r = TS_TRAP;
    __attribute__((musttail)) return stop(PASS);
}

/* The next operation may be machine code. */
#define OP(n) static TS_UNCHECKED_CALLS TS_PN void h_##n(ARGS)
#define GO __attribute__((musttail)) return ((handler)pc->h)(PASS)
#define NEXT(n)                                                                                                        \
    do {                                                                                                               \
        pc += (n);                                                                                                     \
        GO;                                                                                                            \
    } while (0)
#define JUMP(p)                                                                                                        \
    do {                                                                                                               \
        pc = (p);                                                                                                      \
        GO;                                                                                                            \
    } while (0)
#define STOP(st)                                                                                                       \
    do {                                                                                                               \
        r = (uint64_t)(st);                                                                                            \
        __attribute__((musttail)) return stop(PASS);                                                                   \
    } while (0)
#define TRAP(k)                                                                                                        \
    do {                                                                                                               \
        r = (uint64_t)(k);                                                                                             \
        __attribute__((musttail)) return stop_trap(PASS);                                                              \
    } while (0)
#define GOTO_OP(n) __attribute__((musttail)) return h_##n(PASS)
#define STOP_UNWOUND() return
#define SYNC_PC() ((void)0) /* locate_fault finds both in registers */
#define SYNC_FP() ((void)0)
#define SYNC_CALLER(to) ((void)0)
#if defined(__aarch64__)
/* One instruction loads the next handler and adds to pc. It would be in front of the access. */
#define ACCESSED() __asm__ volatile("" : "+r"(pc) : : "memory")
#else
#define ACCESSED() ((void)0)
#endif
#include "core/run/exec_ops.h"

const void *const *ts_ir_handlers(void) {
    return handlers;
}

/* Run from pc. */
static __attribute__((used)) TS_UNCHECKED_CALLS TS_PN void start(ARGS) {
    GO;
}
#if TS_HAS_MACHINE_CODE && defined(__x86_64__)
/* The calling convention preserves rbp, but machine code uses it. On aarch64 it uses nothing that is preserved. */
static __attribute__((naked, noinline)) TS_PN void enter(ARGS) {
    __asm__("push %%rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %%rbp, 0\n"
            "call %P0\n"
            "pop %%rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore %%rbp\n"
            "ret" ::"i"(start));
}
#else
#define enter start
#endif
void ts_exec_interpret(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp) {
    enter(pc, fp, inst->mem0_base, x, inst, 0, 0, 0);
}

#else
/* --- goto, and switch ---------------------------------------------------------------------------------- */
#ifdef __clang__
#define GO goto * pc->h
#else
#define GO goto *(void *)(uintptr_t)pc->h
#endif
#define SYNC_PC() (x->stop_pc = pc)
#define SYNC_FP() (x->stop_fp = fp)
#define SYNC_CALLER(to) (x->stop_pc = (to) - 1)
#define ACCESSED() ((void)0)
#define STOP(st)                                                                                                       \
    do {                                                                                                               \
        x->status = (st);                                                                                              \
        x->stop_pc = pc;                                                                                               \
        x->stop_fp = fp;                                                                                               \
        return handlers;                                                                                               \
    } while (0)
#define TRAP(k)                                                                                                        \
    do {                                                                                                               \
        x->trap = (k);                                                                                                 \
        STOP(TS_TRAP);                                                                                                 \
    } while (0)
#define STOP_UNWOUND() return handlers

#if defined(TS_DISPATCH_SWITCH)
static const void *const handlers[TS_IR_COUNT + 1] = {
#define E(n) (const void *)(uintptr_t)TS_IR_##n,
#include "core/code/ir_each.h"
};
#define OP(n)                                                                                                          \
    case TS_IR_##n: l_##n : __attribute__((unused));
#define GOTO_OP(n) goto l_##n
#define NEXT(n)                                                                                                        \
    {                                                                                                                  \
        pc += (n);                                                                                                     \
        continue;                                                                                                      \
    }
#define JUMP(p)                                                                                                        \
    {                                                                                                                  \
        pc = (p);                                                                                                      \
        continue;                                                                                                      \
    }
static const void *const *interpret(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp) {
    if (!x) return handlers;
    uint8_t *mem = inst->mem0_base;
    uint64_t r = 0;
    float f = 0;
    double d = 0;
    for (;;) {
        switch ((ts_ir_op)(uintptr_t)pc->h) {
#undef JUMP
#define JUMP(p)                                                                                                        \
    {                                                                                                                  \
        pc = (p);                                                                                                      \
        goto again;                                                                                                    \
    }
#undef NEXT
#define NEXT(n)                                                                                                        \
    {                                                                                                                  \
        pc += (n);                                                                                                     \
        goto again;                                                                                                    \
    }
#include "core/run/exec_ops.h"
        case TS_IR_COUNT: return NULL;
        }
    again:;
    }
}
#else
#define OP(n) l_##n:
#define GOTO_OP(n) goto l_##n
#define NEXT(n)                                                                                                        \
    {                                                                                                                  \
        pc += (n);                                                                                                     \
        GO;                                                                                                            \
    }
#define JUMP(p)                                                                                                        \
    {                                                                                                                  \
        pc = (p);                                                                                                      \
        GO;                                                                                                            \
    }
static const void *const *interpret(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp) {
    static const void *const handlers[TS_IR_COUNT] = {
#define E(n) &&l_##n,
#include "core/code/ir_each.h"
    };
    if (!x) return handlers;
    uint8_t *mem = inst->mem0_base;
    uint64_t r = 0;
    float f = 0;
    double d = 0;
    GO;
#include "core/run/exec_ops.h"
}
#endif

const void *const *ts_ir_handlers(void) {
    return interpret(NULL, NULL, NULL, NULL);
}

void ts_exec_interpret(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp) {
    x->stop_fp = fp;
    interpret(x, inst, pc, fp);
}
#endif

/* --- exec state ---------------------------------------------------------------------------------------- */

static void scan_stack(void *data, ts_gc_heap *h) {
    ts_exec *x = data;
    ts_gc_mark_range(h, x->stack, x->sp);
    if (x->exn) ts_gc_mark_ref(h, x->exn);
}

ts_status ts_exec_new(ts_store *s, ts_exec **out, ts_error *e) {
    ts_exec *x = calloc(1, sizeof *x);
    if (!x) return ts_fail_nomem(e);
    x->store = s;
    uint64_t slots = s->limits.stack_bytes / sizeof(ts_slot);
    if (slots < TS_STACK_RESERVE) slots = TS_STACK_RESERVE;
    x->stack_bytes = (size_t)(slots + TS_STACK_RESERVE) * sizeof(ts_slot);
    x->stack = ts_spares_take_stack(s->limits.spares, x->stack_bytes);
    if (!x->stack) x->stack = ts_pages_resize(NULL, 0, x->stack_bytes); /* the OS gives pages on use */
    if (!x->stack) {
        free(x);
        return ts_fail_nomem(e);
    }
    x->leave[0].h = ts_ir_handlers()[TS_IR_leave];
    x->leave[1].h = ts_ir_handlers()[TS_IR_leave_adapter];
    x->stack_end = x->stack + slots;
    x->sp = x->stack;
    x->max_depth = s->limits.host_depth;
    x->fuel = s->limits.fuel ? s->limits.fuel : UINT64_MAX;
    if (!ts_gc_add_scanner(s->gc, scan_stack, x)) {
        ts_exec_free(x);
        return ts_fail_nomem(e);
    }
    x->sampler = ts_engine_sampler(s->engine);
    *out = x;
    return TS_OK;
}

void ts_exec_free(ts_exec *x) {
    if (!x) return;
    if (!ts_spares_keep_stack(x->store->limits.spares, x->stack, x->stack_bytes))
        ts_pages_release(x->stack, x->stack_bytes);
    free(x);
}

unsigned ts_exec_form(const ts_store *s, const ts_memory *mem0) {
    unsigned form = 0;
    if (mem0 && !mem0->guarded) form |= TS_FORM_CHECKED;
    if (s->limits.fuel || s->limits.interruptible) form |= TS_FORM_METERED;
    if (s->limits.deterministic) form |= TS_FORM_DETERMINISTIC;
    return form;
}

unsigned ts_exec_form_of(const ts_exec *x, const ts_instance *inst) {
    return ts_exec_form(x->store, inst->module->n_mems ? inst->mems[0] : NULL);
}

ts_error *ts_exec_error(ts_exec *x) {
    return x->err;
}
ts_store *ts_exec_store(ts_exec *x) {
    return x->store;
}

/* --- unwinding ----------------------------------------------------------------------------------------- */

static void add_frame(ts_error *e, const ts_instance *inst, const ts_fcode *c, const ts_word *pc) {
    if (!e) return;
    if (e->n_frames >= e->max_frames) {
        e->frames_total++;
        return;
    }
    ts_frame *fr = &e->frames[e->n_frames];
    memset(fr, 0, sizeof *fr);
    if (!ts_module_name(inst->module, fr->module, sizeof fr->module) && inst->name)
        snprintf(fr->module, sizeof fr->module, "%s", inst->name);
    fr->func_index = c->func;
    ts_module_func_name(inst->module, c->func, fr->function, sizeof fr->function);
    fr->offset = ts_code_offset(c, pc);
    uint32_t room = e->max_frames - e->n_frames, n = ts_dwarf_unfold(inst->module, fr, room);
    e->frames_total += n;
    e->n_frames += n < room ? n : room;
}

/* A call from another instance has left its state between the frames of caller and callee: if *pc returns to
 * such a state, continue from it. *pc is inside the calling instruction, one word before the return
 * address. Returns whether one of the calls was by an adapter. */
static bool step_out(const ts_exec *x, ts_instance **inst, const ts_word **pc, ts_slot **fp) {
    bool adapted = false;
    for (uint32_t n; *fp && (n = ts_exec_cross_slots(x, *pc + 1)) != 0;) {
        const ts_slot *s = *fp;
        adapted = adapted || n == TS_CROSS_ADAPTER_SLOTS;
        *inst = (ts_instance *)(uintptr_t)s[TS_CROSS_INST];
        *pc = (const ts_word *)(uintptr_t)s[TS_CROSS_PC] - 1;
        *fp = (ts_slot *)(uintptr_t)s[TS_CROSS_FP];
    }
    return adapted;
}

/* Add the frames of one run, innermost first. pc is inside the innermost instruction. A return address is
 * behind its call, hence the - 1. */
static void backtrace(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp, ts_error *e) {
    while (fp && e) {
        const ts_fcode *c = ts_code_find(inst->module, ts_exec_form_of(x, inst), pc);
        if (!c) return;
        add_frame(e, inst, c, pc);
        if (fp < x->stack || fp + c->link + 1 >= x->stack_end + TS_STACK_RESERVE) return;
        pc = (const ts_word *)(uintptr_t)fp[c->link] - 1;
        fp = (ts_slot *)(uintptr_t)fp[c->link + 1];
        step_out(x, &inst, &pc, &fp);
    }
}

static const char *trap_message(ts_trap_kind k) {
    switch (k) { /* the words of the official scripts */
    case TS_TRAP_UNREACHABLE: return "unreachable";
    case TS_TRAP_MEMORY_OOB: return "out of bounds memory access";
    case TS_TRAP_TABLE_OOB: return "out of bounds table access";
    case TS_TRAP_ARRAY_OOB: return "out of bounds array access";
    case TS_TRAP_INT_OVERFLOW: return "integer overflow";
    case TS_TRAP_INT_DIV_ZERO: return "integer divide by zero";
    case TS_TRAP_BAD_CONVERSION: return "invalid conversion to integer";
    case TS_TRAP_INDIRECT_TYPE: return "indirect call type mismatch";
    case TS_TRAP_UNINIT_ELEM: return "uninitialized element";
    case TS_TRAP_UNDEFINED_ELEM: return "undefined element";
    case TS_TRAP_STACK: return "call stack exhausted";
    case TS_TRAP_NULL_REF: return "null reference";
    case TS_TRAP_CAST: return "cast failure";
    case TS_TRAP_EXCEPTION: return "uncaught exception";
    case TS_TRAP_ALLOC: return "allocation failed";
    default: return "trap";
    }
}

ts_status ts_exec_fail_trap(ts_exec *x, ts_trap_kind k) {
    const ts_store_limits *l = &x->store->limits;
    char size[TS_SIZE_TEXT];
    if (k == TS_TRAP_STACK)
        return ts_fail_limit(x->err, TS_LIMIT_STACK, k, "%s: the limit of %s on the stack is reached", trap_message(k),
                             ts_size_text(l->stack_bytes, size));
    if (k == TS_TRAP_ALLOC)
        return ts_fail_limit(x->err, TS_LIMIT_GC, k, "%s: the limit of %s on the heap is reached", trap_message(k),
                             ts_size_text(l->gc_bytes, size));
    return ts_fail_trap(x->err, k, "%s", trap_message(k));
}

/* An exception leaves a run. Nothing if one inside of it has reported it: then its frames are there, too. */
static ts_status fail_exception(ts_error *e) {
    ts_fail(e, TS_EXCEPTION, "%s", trap_message(TS_TRAP_EXCEPTION));
    if (e && e->status == TS_EXCEPTION) e->trap = TS_TRAP_EXCEPTION;
    return TS_EXCEPTION;
}

const ts_word *ts_exec_unwind(ts_exec *x, ts_instance **inst, const ts_word *pc, ts_slot **fpp, ts_status st) {
    ts_slot *fp = *fpp;
    /* The frame of a tail call is gone: begin where it would have returned to. */
    bool adapted = step_out(x, inst, &pc, &fp);
    x->inst = *inst;
    if (st == TS_EXCEPTION && x->exn) {
        const ts_exn *exn = (const ts_exn *)(const void *)ts_ref_obj(x->exn);
        ts_instance *in = *inst;
        const ts_word *at = pc;
        for (ts_slot *g = fp; g && !adapted; adapted = step_out(x, &in, &at, &g)) {
            const ts_fcode *c = ts_code_find(in->module, ts_exec_form_of(x, in), at);
            if (!c) break;
            uint32_t off = (uint32_t)(at - c->code);
            for (uint32_t i = 0; i < c->n_handlers; i++) {
                const ts_handler *h = &c->handlers[i];
                if (off < h->from || off >= h->to) continue;
                if (h->tag != UINT32_MAX && in->tags[h->tag] != exn->tag) continue;
                ts_slot *to = g + h->slot;
                if (h->tag != UINT32_MAX) {
                    memcpy(to, exn->slots, exn->n_slots * sizeof *to);
                    to += exn->n_slots;
                }
                if (h->with_ref) *to = x->exn;
                x->exn = 0;
                /* A run inside of this one has reported it, with its frames. */
                if (x->err && x->err->status == TS_EXCEPTION) ts_error_clear(x->err);
                *fpp = g;
                *inst = x->inst = in;
                return c->code + h->target;
            }
            at = (const ts_word *)(uintptr_t)g[c->link] - 1;
            g = (ts_slot *)(uintptr_t)g[c->link + 1];
        }
        if (adapted) { /* an exception ends at the boundary of a component (CanonicalABI.md, call_and_trap_on_throw) */
            x->exn = 0;
            st = TS_TRAP;
            x->trap = TS_TRAP_EXCEPTION;
        }
    }
    x->status = st;
    x->stop_pc = pc;
    x->stop_fp = fp;
    return NULL;
}

/* --- runs ---------------------------------------------------------------------------------------------- */

static const ts_word *finish_code(ts_word w[1]) {
    w[0].h = ts_ir_handlers()[TS_IR_finish];
    return w;
}

static bool owns_address(void *data, uintptr_t addr) {
    const ts_exec *x = data;
    const ts_store *s = x->store;
    for (uint32_t i = 0; i < s->mems.len; i++) {
        const ts_memory *m = s->mems.data[i];
        if (m->guarded && addr - (uintptr_t)m->base < m->reserved) return true;
    }
    return false;
}

/* The place of a fault. Under tail calls the handler that faulted still has pc and fp, its first two
 * arguments, in their registers, since it needs both to continue. The other dispatches keep them in x
 * (SYNC_PC, SYNC_FP). */
#if defined(TS_DISPATCH_TAIL)
#if defined(__x86_64__)
#define REGISTER(n) "%%r" #n
#define MOVE(from, to) "mov " from ", " to "\n"
#else
#define REGISTER(n) "x" #n
#define MOVE(from, to) "mov " to ", " from "\n"
#endif
#define REGISTER_(n) REGISTER(n)

static TS_PN void compare_registers(ARGS) {
    uintptr_t in_pc, in_fp;
    (void)mem, (void)inst, (void)r, (void)f, (void)d;
    __asm__ volatile(MOVE(REGISTER_(TS_PC_REGISTER), "%0") MOVE(REGISTER_(TS_FP_REGISTER), "%1")
                     : "=&r"(in_pc), "=&r"(in_fp)
                     : "r"(pc), "r"(fp));
    if (in_pc == (uintptr_t)pc && in_fp == (uintptr_t)fp) x->stop_pc = pc;
}
bool ts_exec_locates_faults(void) {
    ts_exec x = {0};
    ts_word pc[1];
    ts_slot fp[1];
    /* It is volatile so that the call passes all arguments, as to a handler. */
    handler volatile compare = compare_registers;
    compare(pc, fp, NULL, &x, NULL, 0, 0, 0);
    return x.stop_pc == pc;
}
#if TS_HAS_MACHINE_CODE
/* Machine code assumes the registers of all arguments (core/native/emit_x64.c, emit_a64.c). */
#if defined(__x86_64__)
#define FLOAT_REGISTER "x"
#define MOVE_ALL "mov %%r14, %0\nmov %%r15, %1\nmov %%rdi, %2\nmov %%rsi, %3\nmovd %%xmm0, %4\nmovq %%xmm1, %5\n"
#else
#define FLOAT_REGISTER "w"
#define MOVE_ALL "mov %0, x22\nmov %1, x23\nmov %2, x24\nmov %3, x25\nfmov %w4, s0\nfmov %5, d1\n"
#endif
static TS_PN void compare_all(ARGS) {
    uintptr_t in[4];
    uint32_t in_f;
    uint64_t in_d;
    __asm__ volatile(MOVE_ALL
                     : "=&r"(in[0]), "=&r"(in[1]), "=&r"(in[2]), "=&r"(in[3]), "=&r"(in_f), "=&r"(in_d)
                     : "r"(mem), "r"(x), "r"(inst), "r"(r), FLOAT_REGISTER(f), FLOAT_REGISTER(d));
    if (in[0] == (uintptr_t)mem && in[1] == (uintptr_t)x && in[2] == (uintptr_t)inst && in[3] == r &&
        in_f == ts_bits32(f) && in_d == ts_bits64(d))
        compare_registers(PASS);
}
bool ts_exec_takes_machine_code(void) {
    ts_exec x = {0};
    ts_word pc[1];
    ts_slot fp[1];
    ts_instance inst;
    handler volatile compare = compare_all;
    compare(pc, fp, (uint8_t *)fp, &x, &inst, 3, 4, 5);
    return x.stop_pc == pc;
}
#endif
static void locate_fault(ts_exec *x, const ts_fault_ctx *fc) {
    x->stop_pc = ts_tier_find(x->inst->module, fc->pc);
    if (!x->stop_pc) x->stop_pc = (const ts_word *)fc->regs[TS_PC_REGISTER];
    x->stop_fp = (ts_slot *)fc->regs[TS_FP_REGISTER];
    TS_ASSERT(x->stop_fp >= x->stack && x->stop_fp < x->stack_end);
}
#else
bool ts_exec_locates_faults(void) {
    return true;
}
static void locate_fault(const ts_exec *x, const ts_fault_ctx *fc) {
    (void)x, (void)fc;
}
#endif

#if !TS_HAS_MACHINE_CODE
bool ts_exec_takes_machine_code(void) {
    return false;
}
#endif

/* Interpret. Returns true after a fault in a guard page. This is a function of its own so that no local
 * variable is live across the jump. */
static __attribute__((noinline)) bool interpret_guarded(ts_exec *x, ts_func *f, ts_slot *fp, ts_fault_ctx *fc) {
    fc->owns = owns_address;
    fc->data = x;
    ts_fault_push(fc);
    if (ts_fault_enter(fc) != 0) {
        ts_fault_pop();
        return true;
    }
    x->inst = f->inst;
    ts_exec_interpret(x, f->inst, __atomic_load_n(&f->code->entry, __ATOMIC_ACQUIRE), fp);
    ts_fault_pop();
    return false;
}

/* Bytes of the thread's stack that must be left when the interpreter is entered. Without optimization the
 * frame of the switch has room for the locals of each operation separately. */
#if defined(TS_DISPATCH_SWITCH) && !defined(__OPTIMIZE__)
enum { ENTER_NEED = TS_STACK_NEED + (512 << 10) };
#else
enum { ENTER_NEED = TS_STACK_NEED };
#endif
static ts_status too_deep(const ts_exec *x) {
    if (x->depth < x->max_depth)
        return ts_fail_trap(x->err, TS_TRAP_STACK,
                            "call stack exhausted: the thread's stack is used up by %u nested calls through the host",
                            x->depth);
    return ts_fail_limit(
        x->err, TS_LIMIT_DEPTH, TS_TRAP_STACK,
        "call stack exhausted: the depth limit, %u nested calls through the host or between components, is reached",
        x->max_depth);
}

/* Run a wasm function in the frame at fp, arguments in place. */
static ts_status run(ts_exec *x, ts_func *f, ts_slot *fp) {
    TS_ASSERT(fp >= x->stack && fp <= x->stack_end);
    ts_word fin[1];
    const ts_word *finish = finish_code(fin);
    if (TS_UNLIKELY(x->depth >= x->max_depth || !ts_stack_has(x->c_stack_low, ENTER_NEED))) return too_deep(x);
    const uint32_t saved_depth = x->depth;
    if (++x->depth > x->deepest) x->deepest = x->depth;
    const ts_instance *saved_caller = x->caller;
    ts_instance *saved_inst = x->inst;
    ts_status st;
    ts_run here = {x->runs, finish, saved_inst, x->out_pc, x->out_fp};
    x->runs = &here;
    for (;;) {
        x->out_fp = NULL;
        if (f->is_host) { /* a tail call of a host function */
            st = ts_exec_call_out(x, NULL, f, fp);
            break;
        }
        fp[f->code->link] = (uintptr_t)finish;
        fp[f->code->link + 1] = 0;
        x->tail = NULL;
        x->status = TS_OK;
        x->trap = TS_TRAP_NONE;
        ts_fault_ctx fc TS_FILLED_LATER; /* a fault fills what locate_fault reads */
        if (interpret_guarded(x, f, fp, &fc)) {
            x->status = TS_TRAP;
            x->trap = TS_TRAP_MEMORY_OOB;
            locate_fault(x, &fc);
        }
        st = x->status;
        if (st == TS_OK && x->tail) {
            f = x->tail;
            continue;
        }
        if (st == TS_TRAP && x->trap != TS_TRAP_NONE) {
            st = ts_exec_fail_trap(x, x->trap);
            x->trap = TS_TRAP_NONE;
        } else if (st == TS_LIMIT) {
            st = ts_fail_limit(x->err, TS_LIMIT_FUEL, TS_TRAP_NONE,
                               "the fuel is used up: %llu calls and loop iterations",
                               (unsigned long long)x->store->limits.fuel);
        } else if (st == TS_INTERRUPTED) {
            st = ts_fail(x->err, TS_INTERRUPTED, "interrupted");
        } else if (st == TS_EXCEPTION) {
            st = fail_exception(x->err);
        }
        if (st != TS_OK && st != TS_EXIT) backtrace(x, x->inst, x->stop_pc, x->stop_fp, x->err);
        /* The slots of the ended frames still refer to the objects that fill the heap. Clear them, so that
         * they do not keep those objects alive in a later call. */
        if (st == TS_TRAP && x->err && x->err->trap == TS_TRAP_ALLOC && x->stop_fp >= fp) {
            size_t n = (size_t)(x->stack_end - x->stop_fp);
            memset(fp, 0, ((size_t)(x->stop_fp - fp) + (n < 4096 ? n : 4096)) * sizeof *fp);
        }
        break;
    }
    TS_ASSERT(x->depth > saved_depth);
    x->depth = saved_depth; /* adapters have counted, too */
    x->caller = saved_caller;
    x->inst = saved_inst;
    x->out_pc = here.out_pc;
    x->out_fp = here.out_fp;
    x->runs = here.outer;
    return st;
}

ts_status ts_exec_call_out(ts_exec *x, const ts_instance *from, ts_func *f, ts_slot *io) {
    uint32_t n = f->def->param_slots > f->def->result_slots ? f->def->param_slots : f->def->result_slots;
    TS_ASSERT(!f->is_host || f->host);
    ts_slot *saved = x->sp;
    if (!f->is_host) {
        x->sp = io;
        ts_status st = run(x, f, io);
        x->sp = saved;
        return st;
    }
    if (io + n + 2 > x->stack_end + TS_STACK_RESERVE / 2) return ts_exec_fail_trap(x, TS_TRAP_STACK);
    x->sp = io + n + 2;
    const ts_instance *saved_caller = x->caller;
    x->caller = from;
    ts_status st = f->host(f->host_data, x, io);
    x->caller = saved_caller;
    x->sp = saved;
    return st;
}

static inline void move_slots(ts_slot *to, const ts_slot *from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        __asm__("" : "+r"(i)); /* few slots: a call of memcpy would cost more */
    }
}
ts_status ts_call(ts_store *s, ts_func *f, ts_slot *io, ts_error *e) {
    ts_exec *x = s->exec;
    const ts_deftype *def = f->def;
    uint32_t n = def->param_slots > def->result_slots ? def->param_slots : def->result_slots;
    ts_slot *fp = x->sp;
    if (x->depth == 0) x->c_stack_low = ts_stack_low();
    if (f->is_host && !ts_stack_has(x->c_stack_low, TS_STACK_NEED)) /* host functions may call others */
        return ts_fail_trap(e, TS_TRAP_STACK, "call stack exhausted: the thread's stack is used up");
    ts_error *saved = x->err;
    x->err = e;
    if (fp + n + 2 > x->stack_end) {
        ts_status full = ts_exec_fail_trap(x, TS_TRAP_STACK);
        x->err = saved;
        return full;
    }
    move_slots(fp, io, def->param_slots);
    ts_sampler_visit visit = {0};
    if (x->sampler && x->depth == 0) ts_sampler_enter(x->sampler, x, &visit);
    ts_status st = ts_exec_call_out(x, x->caller, f, fp);
    if (visit.place) ts_sampler_leave(&visit);
    if (st == TS_OK) {
        move_slots(io, fp, def->result_slots);
    } else if (st == TS_EXCEPTION) {
        st = fail_exception(e);
    }
    x->err = saved;
    return st;
}
