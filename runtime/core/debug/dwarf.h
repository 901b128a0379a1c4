/* dwarf: source lines of instructions and the calls that were inlined, from the custom sections that compilers leave (.debug_line,
 * .debug_info). In: a module, an offset of a backtrace. Out: file, line and column, or that they are not known; errors in the sections
 * are not reported. spec: DWARF 5, 3.3, 6.2; its use by WebAssembly (tool-conventions, Dwarf) */
#ifndef TS_CORE_DWARF_H
#define TS_CORE_DWARF_H
#include "core/module/module.h"

/* Where the instruction at this offset (from the start of the module, as in ts_frame) was written. `file` is relative to the folder of
 * the compilation where the compiler says so, and loses its beginning where it is longer than `size`. The column is 0 when unknown.
 * false, with nothing written: no line is known. What it needs is found by the first call and kept with the module; any thread. */
bool ts_dwarf_line(ts_module *m, uint64_t module_offset, char *file, size_t size, uint32_t *line, uint32_t *column);
/* What a frame stands for: frames[0], whose module, function and offset are known, gets its line; where its instruction was inlined the
 * functions that it comes from stand in frames[0], [1]…, and the function itself behind them. The number of frames; those at max and
 * beyond are not written. A function without a name gets the one that DWARF knows. */
uint32_t ts_dwarf_unfold(ts_module *m, ts_frame *frames, uint32_t max);
void ts_dwarf_free(ts_module *m);
#endif
