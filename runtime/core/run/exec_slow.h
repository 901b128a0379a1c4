/* exec_slow: the operations that are C functions: bulk memory, tables, references, GC, wide arithmetic,
 * exceptions.
 * In: an instruction and its frame. Out: a trap kind (TS_TRAP_NONE: done). Results are in slots. */
#ifndef TS_CORE_EXEC_SLOW_H
#define TS_CORE_EXEC_SLOW_H
#include "core/run/exec.h"

#define IR_SLOW(n, w, s) ts_trap_kind ts_slow_##n(ts_exec *x, ts_instance *inst, ts_slot *fp, const ts_word *pc);
#include "core/code/ir_ops.def"
/* Create the exception and store it in x->exn. */
ts_trap_kind ts_slow_throw(ts_exec *x, ts_instance *inst, ts_slot *fp, const ts_word *pc);
/* Take one unit of fuel. TS_LIMIT and TS_INTERRUPTED end the run. */
ts_status ts_slow_fuel(ts_exec *x);
#endif
