/* call: calling functions from the host. spec: exec/modules#invocation */
#ifndef TS_CORE_CALL_H
#define TS_CORE_CALL_H
#include "core/run/objects.h"

/* Call: io holds the arguments (def->param_slots slots) and receives the results (def->result_slots): at least the larger of both.
 * Re-entrant: a host function may call back. TS_TRAP, TS_EXHAUSTION, TS_EXCEPTION, TS_EXIT, TS_LIMIT … fill e with the backtrace. */
ts_status ts_call(ts_store *s, ts_func *f, ts_slot *io, ts_error *e) TS_MUST_USE;
ts_error *ts_exec_error(ts_exec *x); /* for host functions */
ts_store *ts_exec_store(ts_exec *x);
/* Whether the interpreter can find the guest's instruction and frame at a fault in a guard page. If it cannot, memories
 * must not be guarded. */
bool ts_exec_locates_faults(void);
#endif
