/* dwarf: source lines of instructions, from the line programs that compilers leave in custom sections (.debug_line).
 * In: a module, an offset of a backtrace. Out: file, line and column, or that they are not known; errors in the sections are not
 * reported. spec: DWARF 5, 6.2; its use by WebAssembly (tool-conventions, Dwarf) */
#ifndef TS_CORE_DWARF_H
#define TS_CORE_DWARF_H
#include "core/module.h"

/* Where the instruction at this offset (from the start of the module, as in ts_frame) was written. `file` is relative to the folder of
 * the compilation where the compiler says so, and loses its beginning where it is longer than `size`. The column is 0 when unknown.
 * false, with nothing written: no line is known. What it needs is found by the first call and kept with the module; any thread. */
bool ts_dwarf_line(const ts_module *m, uint64_t module_offset, char *file, size_t size, uint32_t *line,
                   uint32_t *column);
void ts_dwarf_free(ts_module *m);
#endif
