/* walk: see walk.h. */
#include "core/run/walk.h"
#include "core/native/machine.h"
#include "core/run/code_cache.h"

typedef struct frame {
    const ts_instance *inst;
    const ts_fcode *code;
    const ts_word *pc;
    const ts_slot *fp;
} frame;

static bool in_stack(const ts_exec *x, const ts_slot *from, uint32_t n) {
    return from >= x->stack && from < x->stack_end + TS_STACK_RESERVE && (uintptr_t)from % sizeof *from == 0 &&
           (size_t)(x->stack_end + TS_STACK_RESERVE - from) >= n;
}
static bool find(const ts_exec *x, frame *f) {
    f->code = ts_code_look(f->inst->module, ts_exec_form_of(x, f->inst), (uintptr_t)f->pc, false);
    return f->code && in_stack(x, f->fp, f->code->link + 2u);
}
static bool exists(const ts_exec *x, const ts_instance *inst) {
    enum { MOST = 1024 };
    const ts_instance *i = x->store->instances;
    for (uint32_t n = 0; i && n < MOST; n++, i = i->next)
        if (i == inst) return true;
    return false;
}
/* Whether the call that f returns behind puts its callee's frame at `callee`. Calls have two words or three. */
static bool calls(const frame *f, const ts_slot *callee) {
    if (callee < f->fp) return false;
    size_t shift = (size_t)(callee - f->fp);
    return f->pc[0].s[0] == shift || (f->pc > f->code->code && f->pc[-1].s[0] == shift);
}

/* The word before that at an address, which may be anything. */
static const ts_word *before(uint64_t address) {
    return (const ts_word *)((uintptr_t)address - sizeof(ts_word));
}

typedef enum step { STEP_UNKNOWN, STEP_CALLER, STEP_ADAPTED, STEP_END } step;
/* To the caller within a run. STEP_ADAPTED: it called through an adapter. STEP_END: f is the outermost frame of the
 * run. */
static step to_caller(const ts_exec *x, const ts_run *run, frame *f) {
    const ts_word *ret = (const ts_word *)(uintptr_t)f->fp[f->code->link];
    const ts_slot *fp = (const ts_slot *)(uintptr_t)f->fp[f->code->link + 1], *callee = f->fp;
    if (!fp) return ret == run->finish ? STEP_END : STEP_UNKNOWN;
    frame c = {.inst = f->inst, .pc = before((uintptr_t)ret), .fp = fp};
    const uint32_t n = ts_exec_cross_slots(x, ret);
    if (n) {
        if (!in_stack(x, fp, n) || fp + n != callee) return STEP_UNKNOWN;
        c.inst = (const ts_instance *)(uintptr_t)fp[TS_CROSS_INST];
        if (!exists(x, c.inst)) return STEP_UNKNOWN;
        c.pc = before(fp[TS_CROSS_PC]);
        c.fp = (const ts_slot *)(uintptr_t)fp[TS_CROSS_FP];
        callee = fp;
    }
    if (!find(x, &c) || !calls(&c, callee)) return STEP_UNKNOWN;
    *f = c;
    return n == TS_CROSS_ADAPTER_SLOTS ? STEP_ADAPTED : STEP_CALLER;
}
/* Whether the frame is one: its link leads somewhere. */
static bool holds(const ts_exec *x, const frame *f) {
    frame copy = *f;
    return to_caller(x, x->runs, &copy) != STEP_UNKNOWN;
}

/* The innermost frame. A call or a return changes pc and fp one after the other. Between, the function whose code runs
 * does not fit the frame, and the one where pc is, or was before it became a return address, may. */
static bool innermost(const ts_exec *x, const ts_sampled *at, frame *f, ts_place *out) {
    *f = (frame){.inst = x->inst};
    if (!f->inst || !x->runs) return false;
    if (x->out_fp) {
        f->pc = x->out_pc;
        f->fp = x->out_fp;
        if (!find(x, f) || !holds(x, f)) return false;
        *out = (ts_place){f->code, (uint32_t)(f->pc - f->code->code), TS_PLACE_C};
        return true;
    }
#ifdef TS_PC_REGISTER
    f->fp = (const ts_slot *)at->regs[TS_FP_REGISTER];
    f->code = ts_code_look(f->inst->module, 0, at->pc, true);
    if (f->code && in_stack(x, f->fp, f->code->link + 2u) && holds(x, f)) {
        *out = (ts_place){f->code, (uint32_t)(at->pc - (uintptr_t)f->code->machine->code), TS_PLACE_MACHINE};
        return true;
    }
    f->pc = (const ts_word *)at->regs[TS_PC_REGISTER];
#else
    (void)at;
    f->fp = x->stop_fp;
    f->pc = x->stop_pc;
#endif
    if ((uintptr_t)f->pc % sizeof *f->pc) return false;
    for (int back = 0; back < 2; back++, f->pc = before((uintptr_t)f->pc))
        if (find(x, f) && holds(x, f)) {
            *out = (ts_place){f->code, (uint32_t)(f->pc - f->code->code), TS_PLACE_WORD};
            return true;
        }
    return false;
}

uint32_t ts_exec_walk(const ts_exec *x, const ts_sampled *at, ts_place *out, uint32_t max) {
    frame f;
    const ts_run *run = x->runs;
    if (!innermost(x, at, &f, out)) return 0;
    uint32_t n = 1;
    for (;;) {
        step s = to_caller(x, run, &f);
        /* An adapter is named like the C function that it stands for. */
        ts_place_kind kind = s == STEP_ADAPTED ? TS_PLACE_C : TS_PLACE_WORD;
        if (s == STEP_END) {
            if (!run->out_fp) return n;
            f = (frame){.inst = run->inst, .pc = run->out_pc, .fp = run->out_fp};
            run = run->outer;
            kind = TS_PLACE_C;
            if (!f.inst || !run || !find(x, &f)) s = STEP_UNKNOWN;
        }
        if (s == STEP_UNKNOWN || n == max) {
            out[n++] = (ts_place){.kind = TS_PLACE_DEEPER};
            return n;
        }
        out[n++] = (ts_place){f.code, (uint32_t)(f.pc - f.code->code), kind};
    }
}
