/* link: from numbers in the IR to addresses of this process, and back.
 * In: the IR of a function. Out: the IR that runs; and from that the IR again, which machine code is made of. */
#ifndef TS_CORE_LINK_H
#define TS_CORE_LINK_H
#include "core/code/compile.h"

/* Replaces the numbers of opcodes by the addresses of their handlers, and those of called functions by their code in
 * `funcs`, which is by function. */
void ts_link_code(ts_word *code, uint32_t n, ts_fcode *funcs);
/* The reverse, for a function that has IR and whose words are those of the interpreter: into `out`, which has room for
 * its words. Other threads may run the function, which changes nothing but counts. Returns false if a word refers to
 * machine code, or if two operations of this build have one handler. */
bool ts_link_undo(const ts_fcode *c, const ts_fcode *funcs, ts_word *out) TS_MUST_USE;
#endif
