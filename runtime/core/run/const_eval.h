/* const_eval: evaluates constant expressions at instantiation.
 * In: an instance whose functions and earlier globals exist, a validated expression. Out: its value in one
 * slot, or in two for a v128.
 * spec: exec/modules#instantiation, valid/instructions#constant-expressions */
#ifndef TS_CORE_CONST_EVAL_H
#define TS_CORE_CONST_EVAL_H
#include "core/run/objects.h"

/* Sets v[1] to 0 unless the value is a v128. Fails with TS_NOMEM, or with
 * TS_TRAP if the limit of the GC heap is reached. */
ts_status ts_const_eval(ts_instance *inst, const ts_const_expr *expr, ts_slot v[2], ts_error *e) TS_MUST_USE;
#endif
