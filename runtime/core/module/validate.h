/* validate: a decoded module against the rules, with the number of threads as a choice.
 * In: a decoded module. Out: the same with canonical types. spec: valid/modules */
#ifndef TS_CORE_VALIDATE_H
#define TS_CORE_VALIDATE_H
#include "core/module/module.h"

/* threads: 0 chooses (one below a megabyte of code, else one a processor); the result is the same for all. */
ts_status ts_module_validate_on(ts_module *m, unsigned threads, ts_error *e) TS_MUST_USE;
#endif
