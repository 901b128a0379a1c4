/* portable: IR that outlives the process which made it.
 * In: the IR of a function, as ts_compile makes it. Out: the same with indices of the module's types in place of
 * canonical ids, which differ from engine to engine; and IR for this engine again. */
#ifndef TS_CORE_PORTABLE_H
#define TS_CORE_PORTABLE_H
#include "core/code/compile.h"

/* Returns false if the IR has a type that the module does not have. */
bool ts_portable_make(const ts_module *m, ts_word *code, uint32_t n_words) TS_MUST_USE;
/* The reverse, for this engine; and links it: handlers by opcode take the place of opcodes, and the callees, by function,
 * that of their numbers. Returns false if these words are no instructions, or have a number of a function or a type that
 * the module does not have. Slots and targets are not looked at. */
typedef struct ts_portable_link {
    const ts_module *module;
    const void *const *handlers;
    ts_fcode *callees;
    bool waits; /* machine code of the function waits for it to be called a few times */
} ts_portable_link;
bool ts_portable_take(const ts_portable_link *l, ts_word *code, uint32_t n_words) TS_MUST_USE;
#endif
