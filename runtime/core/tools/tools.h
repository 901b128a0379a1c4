/* tools: what debuggers and profilers of the system are told about machine code.
 * In: the machine code of an engine's modules, as it is made. Out: names of functions, by address. An engine without
 * tools does none of this. */
#ifndef TS_CORE_TOOLS_H
#define TS_CORE_TOOLS_H
#include "core/code/ir.h"

enum { TS_CODE_NAME = 400 };
/* Writes the name of a function as tools show it: the module's name, "!" and the function's, without control
 * characters. A function without a name has its index. */
void ts_code_name(const ts_fcode *c, char *buf, size_t size);
#endif
