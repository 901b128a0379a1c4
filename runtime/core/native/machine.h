/* machine: the machine code of one function, in pages of its own.
 * In: what native.h made. Out: executable pages that nobody can write to, and which word of the IR an instruction
 * belongs to. */
#ifndef TS_CORE_MACHINE_H
#define TS_CORE_MACHINE_H
#include "core/native/native.h"

typedef struct ts_machine_code {
    uint8_t *code;
    uint32_t len, n_faults;
    ts_native_entry *faults; /* the instructions that access a guarded memory, by `code` */
} ts_machine_code;

/* Copies the code to new pages, links it there if `from` is not NULL, and copies the list of faults. Returns NULL if there
 * is no memory, if the system refuses executable pages, or if the engine's limit is reached. ts_machine_free frees it. */
ts_machine_code *ts_machine_install(ts_engine *engine, const ts_native *n, const ts_native_source *from);
void ts_machine_free(ts_engine *engine, ts_machine_code *m); /* NULL is allowed */
/* Whether the address is in this code. Then *word is the word of the IR that the instruction there belongs to, or
 * UINT32_MAX if it does not access a guarded memory. */
bool ts_machine_has(const ts_machine_code *m, uintptr_t address, uint32_t *word);
#endif
