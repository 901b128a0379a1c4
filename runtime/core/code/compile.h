/* compile: from the bytes of one validated function to register IR, once, when it is first called.
 * In: a validated module, a function, a form. Out: a ts_fcode with code. */
#ifndef TS_CORE_COMPILE_H
#define TS_CORE_COMPILE_H
#include "core/code/ir.h"
#include <stdio.h>

struct ts_code_cache *ts_code_cache_new(ts_module *m); /* NULL: no memory */
void ts_code_cache_free(struct ts_code_cache *c);
/* The function's code in a form (TS_FORM_*); compiled on first call. NULL: no memory. */
ts_fcode *ts_code_func(ts_module *m, unsigned form, uint32_t func);
/* What will be called, in that order (the module frees the list): compiled by a thread of its own, from when the form is first asked
 * for. Before any code is. */
void ts_code_ahead(ts_module *m, unsigned form, uint32_t *funcs, uint32_t n);
/* What has been compiled so far, in the order of first calls, of the form that most was of. */
const uint32_t *ts_code_order(const ts_module *m, unsigned *form, uint32_t *n);
/* Compile now if that has not been done; thread-safe. */
ts_status ts_code_compile(ts_fcode *c, ts_error *e) TS_MUST_USE;
/* The function whose code holds pc, or NULL. */
ts_fcode *ts_code_find(ts_module *m, unsigned form, const ts_word *pc);
/* Byte offset in the module of the instruction that pc belongs to (compiles once more to find it). 0: unknown. */
uint64_t ts_code_offset(const ts_fcode *c, const ts_word *pc);
/* Print the IR of a function, one instruction a line with its synopsis. */
ts_status ts_code_dump(ts_fcode *c, FILE *out, ts_error *e) TS_MUST_USE;

/* How v128 loads and stores of parts, and loads and stores of any memory, are named in field s3. */
typedef enum ts_mem_kind {
    TS_MEM_8U,
    TS_MEM_16U,
    TS_MEM_32U,
    TS_MEM_64,
    TS_MEM_I32_8S,
    TS_MEM_I32_16S,
    TS_MEM_I64_8S,
    TS_MEM_I64_16S,
    TS_MEM_I64_32S,
} ts_mem_kind;
typedef enum ts_vmem_kind {
    TS_VMEM_128,
    TS_VMEM_8X8S,
    TS_VMEM_8X8U,
    TS_VMEM_16X4S,
    TS_VMEM_16X4U,
    TS_VMEM_32X2S,
    TS_VMEM_32X2U,
    TS_VMEM_8SPLAT,
    TS_VMEM_16SPLAT,
    TS_VMEM_32SPLAT,
    TS_VMEM_64SPLAT,
    TS_VMEM_32ZERO,
    TS_VMEM_64ZERO,
} ts_vmem_kind;
enum { TS_LANE_STORE = 4 }; /* v128_lane_mem: s3 = log2 of the lane's bytes, | TS_LANE_STORE */
#endif
