/* listing: the code of a function, side by side: WebAssembly, register IR, machine code.
 * In: a function of a validated module, which need not run. Out: text, an instruction a line. */
#ifndef TS_CORE_LISTING_H
#define TS_CORE_LISTING_H
#include "core/code/ir.h"
#include <stdio.h>

/* Prints the code that the function has in an instance whose memory 0 has guard pages, without limits of fuel or time.
 * Machine code is disassembled by libcapstone if the system has it, and is bytes otherwise, which the listing says.
 * Fails for lack of memory, and as the compilation of the function does. `func` is not an imported function. */
ts_status ts_code_listing(ts_module *m, uint32_t func, FILE *out, ts_error *e) TS_MUST_USE;
#endif
