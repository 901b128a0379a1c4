/* const_eval: constant expressions, run at instantiation.
 * In: an instance whose functions and earlier globals exist, a validated expression. Out: its value, one slot or two (v128).
 * spec: exec/modules#instantiation, valid/instructions#constant-expressions */
#ifndef TS_CORE_CONST_EVAL_H
#define TS_CORE_CONST_EVAL_H
#include "core/run/objects.h"

ts_status ts_const_eval(ts_instance *inst, const ts_const_expr *expr, ts_slot v[2], ts_error *e) TS_MUST_USE;
#endif
