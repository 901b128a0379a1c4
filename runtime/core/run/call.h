/* call: calls core functions from the host.
 * In: a function of a store, slots with its arguments. Out: slots with its results, or why there are none.
 * spec: exec/modules#invocation */
#ifndef TS_CORE_CALL_H
#define TS_CORE_CALL_H
#include "core/run/objects.h"

/* Calls f. `io` holds the arguments in its first def->param_slots slots, and receives the results in its
 * first def->result_slots: it has room for the larger of the two. The call is re-entrant: a host function
 * may call back. On failure (TS_TRAP, TS_EXHAUSTION, TS_EXCEPTION, TS_EXIT, TS_LIMIT and others) e holds
 * the backtrace. */
ts_status ts_call(ts_store *s, ts_func *f, ts_slot *io, ts_error *e) TS_MUST_USE;
/* For host functions: the error of the running call, which they fill when they fail, and its store. */
ts_error *ts_exec_error(ts_exec *x);
ts_store *ts_exec_store(ts_exec *x);
/* Whether the interpreter can find the guest's instruction and frame at a fault in a guard page. If it cannot, memories
 * must not be guarded. */
bool ts_exec_locates_faults(void);
#endif
