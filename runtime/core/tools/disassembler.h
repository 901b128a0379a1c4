/* disassembler: machine instructions as text, by libcapstone, which is loaded when it is first needed.
 * In: bytes of machine code. Out: one instruction after the other.
 * Source: capstone 4 and 5, include/capstone/capstone.h */
#ifndef TS_CORE_DISASSEMBLER_H
#define TS_CORE_DISASSEMBLER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ts_disassembler ts_disassembler;
/* NULL: the system has no libcapstone, or none for this processor. */
ts_disassembler *ts_disassembler_new(void);
void ts_disassembler_free(ts_disassembler *d); /* NULL is allowed */
/* Writes the text of the instruction at `code`, which is at `address`, and returns its length in bytes. 0: none. */
size_t ts_disassemble(ts_disassembler *d, const uint8_t *code, size_t len, uint64_t address, char *text, size_t size);
#endif
