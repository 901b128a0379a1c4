/* dispatch: the operations of the interpreter, as what word 0 of an instruction refers to (exec.c). */
#ifndef TS_CORE_DISPATCH_H
#define TS_CORE_DISPATCH_H
#include <stdbool.h>

/* The handler of each opcode in the dispatch of this build. */
const void *const *ts_ir_handlers(void);
/* Whether the handlers have the machine's state in the registers that machine code expects. */
bool ts_exec_takes_machine_code(void);
#endif
