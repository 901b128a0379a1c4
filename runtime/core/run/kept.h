/* kept: the machine code of a module that outlives the process.
 * In: machine code of functions, as it is made. Out: the same for a later process, whose functions get it when they are
 * compiled to IR. load/cache_code.c reads and writes it. */
#ifndef TS_CORE_KEPT_H
#define TS_CORE_KEPT_H
#include "core/native/native.h"

typedef struct ts_kept_code {
    uint32_t func, n_words; /* the function, and the words of its IR, which the code was made from */
    ts_native native;       /* without this process's numbers, and without a map */
} ts_kept_code;
typedef struct ts_kept {
    unsigned form;
    ts_kept_code *codes;
    uint32_t n, cap;
    uint32_t n_read; /* the first ones, by func, are in `read` */
    void *read;      /* or NULL */
} ts_kept;

/* Copies machine code. Nothing is kept of a function that is there, of another form than the first one, or if there is
 * no memory. */
void ts_kept_add(ts_kept *k, const ts_fcode *c, const ts_native *n);
/* Returns a copy of what was read of the function, which the caller frees by ts_native_free. Returns false if there is
 * nothing that fits, or no memory. */
bool ts_kept_copy(const ts_kept *k, const ts_fcode *c, ts_native *out) TS_MUST_USE;
void ts_kept_free(ts_kept *k); /* what it contains */
#endif
