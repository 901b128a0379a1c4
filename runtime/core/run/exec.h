/* exec: runs the register IR: the state of one stack of wasm calls.
 * In: functions and arguments. Out: results, or a status with the backtrace.
 * spec: exec/instructions, exec/runtime#stack */
#ifndef TS_CORE_EXEC_H
#define TS_CORE_EXEC_H
#include "base/dispatch.h"
#include "core/code/ir.h"
#include "core/run/adapter.h"
#include "core/run/call.h"
#include "core/run/dispatch.h"
#include "core/run/objects.h"
#include "sys/sampler.h"
#include "sys/stack.h"

/* A run of the interpreter: one for each entry from C. It is on the stack of C. */
typedef struct ts_run {
    struct ts_run *outer;  /* the run whose call of C has led to this one */
    const ts_word *finish; /* where the outermost frame returns to */
    ts_instance *inst;     /* of the outer run, where it called: */
    const ts_word *out_pc;
    ts_slot *out_fp;
} ts_run;

struct ts_exec {
    ts_store *store;
    ts_slot *stack, *stack_end; /* a reserve for arguments of host functions lies behind stack_end */
    size_t stack_bytes;
    ts_slot *sp;                        /* first slot above all live frames */
    ts_error *err;                      /* of the outermost call that runs now */
    uint32_t depth, max_depth, deepest; /* nested calls through C: now, the limit, the highest so far */
    uintptr_t c_stack_low;              /* of the thread's stack (ts_stack_low), while depth > 0 */
    const ts_instance *caller;          /* of the running host function */
    ts_slot exn;                        /* the exception in flight (TS_EXCEPTION) */
    /* where the innermost run stopped */
    const ts_word *stop_pc;
    ts_slot *stop_fp;
    ts_status status;
    ts_trap_kind trap;
    ts_instance *inst;             /* the instance whose code runs */
    ts_word leave[2];              /* where a call into another instance returns to: a direct one, one by an adapter */
    const ts_word *adapter_leaves; /* the same for machine code of adapters: TS_ADAPTER_SHAPES words; or NULL */
    ts_func *tail;                 /* a tail call out of the instance by the outermost frame of a run */
    uint64_t fuel;                 /* left; UINT64_MAX: unmetered */
    /* for walk.h, which finds them at any instruction: */
    ts_run *runs;          /* the innermost one */
    const ts_word *out_pc; /* the instruction whose C function runs */
    ts_slot *out_fp;       /* its frame; NULL: none runs */
    ts_sampler *sampler;   /* NULL: nobody wants to know */
};

enum { TS_STACK_RESERVE = 2048 }; /* slots */

/* Create the state for a store. ts_exec_free frees it. */
ts_status ts_exec_new(ts_store *s, TS_OWN ts_exec **out, ts_error *e) TS_MUST_USE;
void ts_exec_free(ts_exec *x);
/* The form of code that an instance with this memory 0 (NULL: none) runs in this store. */
unsigned ts_exec_form(const ts_store *s, const ts_memory *mem0);
unsigned ts_exec_form_of(const ts_exec *x, const ts_instance *inst);

/* The numbers of the registers (sys/registers.h) that hold pc and fp while an operation runs, where dispatch is by
 * tail calls. preserve_none assigns them and may differ between versions of the compiler, so ts_exec_locates_faults
 * checks them. */
#if defined(TS_DISPATCH_TAIL) && !defined(TS_PC_REGISTER)
#if defined(__x86_64__)
#define TS_PC_REGISTER 12
#define TS_FP_REGISTER 13
#else
#define TS_PC_REGISTER 20
#define TS_FP_REGISTER 21
#endif
#endif

/* For the operations: */
/* Call f, a function of another instance or of the host, from instance `from`. Its arguments are at io. */
ts_status ts_exec_call_out(ts_exec *x, const ts_instance *from, ts_func *f, ts_slot *io);
/* Report a trap of the guest in x's error. */
ts_status ts_exec_fail_trap(ts_exec *x, ts_trap_kind k);
/* A call at pc in the frame at *fp of *inst ended with st. Look for an exception handler. Returns its pc and
 * sets *fp and *inst; or returns NULL, and the run ends with x->status = st. */
const ts_word *ts_exec_unwind(ts_exec *x, ts_instance **inst, const ts_word *pc, ts_slot **fp, ts_status st);
/* A call into another instance leaves this below the callee's frame, whose link refers to x->leave and this
 * place. One by an adapter leaves more, and its link refers to x->leave + 1, or to a word of x->adapter_leaves. */
enum { TS_CROSS_INST, TS_CROSS_PC, TS_CROSS_FP, TS_CROSS_RESULTS, TS_CROSS_SLOTS };
enum {
    TS_CROSS_ADAPTER = TS_CROSS_SLOTS,
    TS_CROSS_LAST, /* the argument behind the callee's, of an adapter with to_memory */
    TS_CROSS_STATE,
    TS_CROSS_ADAPTER_SLOTS = TS_CROSS_STATE + TS_ADAPTER_STATE
};
/* The number of these slots for a return to pc; 0: it is no return to another instance. */
static inline uint32_t ts_exec_cross_slots(const ts_exec *x, const ts_word *pc) {
    if (pc == x->leave) return TS_CROSS_SLOTS;
    bool by_machine_code = (uintptr_t)pc - (uintptr_t)x->adapter_leaves < TS_ADAPTER_SHAPES * sizeof *pc;
    return pc == x->leave + 1 || (x->adapter_leaves && by_machine_code) ? TS_CROSS_ADAPTER_SLOTS : 0;
}
/* The interpreter: run from pc in the frame at fp to `finish`, or to a failure, which x->status gets. */
void ts_exec_interpret(ts_exec *x, ts_instance *inst, const ts_word *pc, ts_slot *fp);
#endif
