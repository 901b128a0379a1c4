/* dwarf: finds source lines and inlined calls in a module's debugging sections (.debug_line, .debug_info).
 * In: a module, an offset of a backtrace. Out: file, line and column, or that they are unknown. Errors in
 * the sections are not reported. spec: DWARF 5, 3.3 and 6.2; tool-conventions, Dwarf.md (its use by
 * WebAssembly) */
#ifndef TS_CORE_DWARF_H
#define TS_CORE_DWARF_H
#include "core/module/module.h"

/* Finds the source line of the instruction at this offset from the start of the module (as in ts_frame).
 * `file` is relative to the directory of the compilation if the compiler wrote it so. It loses its
 * beginning if it does not fit into `size` bytes. The column is 0 if it is unknown. Returns false and
 * writes nothing if no line is known. The first call makes an index, which is kept with the module. Any
 * thread may call it. */
bool ts_dwarf_line(ts_module *m, uint64_t module_offset, char *file, size_t size, uint32_t *line, uint32_t *column);
/* Expands frames[0], whose module, function and offset are set, into the frames that the source has: the
 * inlined functions that its instruction comes from, innermost first, and then the function itself. Each
 * gets its line. A function without a name gets the one in DWARF. Returns the number of frames, of which
 * at most `max` are written. */
uint32_t ts_dwarf_unfold(ts_module *m, ts_frame *frames, uint32_t max);
void ts_dwarf_free(ts_module *m);
#endif
