/* kept: the code of a module that outlives the process: IR and machine code.
 * In: machine code of functions, as it is made; what an earlier process has left. Out: the IR of a function when it is
 * first called, and its machine code. load/cache_code.c reads and writes what is kept. */
#ifndef TS_CORE_KEPT_H
#define TS_CORE_KEPT_H
#include "core/code/portable.h"
#include "core/native/native.h"

/* What is read of one function. Its parts are at `at`, each at a multiple of 8: the IR (code/portable.h), the exception
 * handlers; the entries, faults and numbers of the machine code, and the code itself. */
typedef struct ts_kept_entry {
    uint32_t func, n_words, frame_slots, n_handlers;
    uint32_t len, n_entries, n_faults, n_numbers; /* of the machine code; none: len is 0 */
    uint64_t at, ir_sum, code_sum;
} ts_kept_entry;
/* The machine code of one function, without this process's numbers, and without a map. */
typedef struct ts_kept_code {
    uint32_t func;
    ts_native native;
} ts_kept_code;
typedef struct ts_kept {
    unsigned form;
    uint8_t *bytes; /* what was read: pages of a file; or NULL. Nothing writes to it. */
    size_t len;
    const ts_kept_entry *read; /* in `bytes`, by func */
    uint32_t n_read;
    bool damaged;               /* atomic: a part of it is not what was written */
    uint8_t *room;              /* pages for the IR that runs, made by ts_kept_prepare; or NULL */
    size_t room_len, room_used; /* used: atomic */
    ts_kept_code *made;         /* in this process */
    uint32_t n_made, cap;
} ts_kept;

/* Finds damage, not intent. len is a multiple of 8. */
uint64_t ts_kept_sum(const void *bytes, size_t len);
/* Returns what was read of a function, or NULL. */
const ts_kept_entry *ts_kept_find(const ts_kept *k, uint32_t func);
/* Where the parts of an entry are: the IR, the machine code, their lengths in bytes. NULL: it is damaged. */
typedef struct ts_kept_parts {
    const uint8_t *ir, *code;
    size_t ir_len, code_len;
} ts_kept_parts;
ts_kept_parts ts_kept_parts_of(const ts_kept *k, const ts_kept_entry *e);
/* Makes room for the IR of all functions that were read, which takes memory as they are called. */
void ts_kept_prepare(ts_kept *k);
/* The IR that was read of the function, linked. Its arrays belong to k. Returns false if there is none, if it is damaged,
 * or if there is no room. */
bool ts_kept_ir(ts_kept *k, const ts_fcode *c, const ts_portable_link *l, ts_compiled *out) TS_MUST_USE;
/* The machine code that was read of the function, which has IR. Its arrays belong to k. Returns false if there is none, or
 * if it is damaged. */
bool ts_kept_machine(ts_kept *k, const ts_fcode *c, ts_native *out) TS_MUST_USE;
/* Copies machine code. Nothing is kept of a function of which it was read, of another form than the first one, or if there
 * is no memory. */
void ts_kept_add(ts_kept *k, const ts_fcode *c, const ts_native *n);
void ts_kept_free(ts_kept *k); /* what it contains */
#endif
