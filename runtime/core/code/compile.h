/* compile: from the bytes of one validated function to register IR, once, when it is first called.
 * In: a validated module, a function, a form. Out: its code, with the numbers of opcodes in place of
 * handlers. */
#ifndef TS_CORE_COMPILE_H
#define TS_CORE_COMPILE_H
#include "core/code/ir.h"
#include "core/module/engine.h"
#include <stdio.h>

enum { TS_MOST_FRAME_SLOTS = 65000 };
/* The result of compiling a function. The arrays belong to the caller, which takes them over or calls
 * ts_compiled_free. */
typedef struct ts_compiled {
    ts_word *code; /* word 0 of each instruction holds the number of its opcode */
    uint32_t n_words;
    ts_handler *handlers; /* exception handlers, innermost first */
    uint32_t n_handlers;
    uint32_t frame_slots; /* the height of the frame */
    /* pairs of a word's offset in `code` and the instruction's byte offset in the module; NULL unless asked
     * for */
    uint32_t *map;
    uint32_t n_map;
} ts_compiled;
/* Compile the function that f names, in f's form. The function is valid. Fails with TS_UNSUPPORTED if its
 * frame is too large, and for lack of memory. */
ts_status ts_compile(const ts_fcode *f, bool with_map, ts_compiled *out, ts_error *e) TS_MUST_USE;
/* The memory in which functions are compiled, one after another. NULL: there is none. */
typedef struct ts_compile_scratch ts_compile_scratch;
ts_compile_scratch *ts_compile_scratch_new(void);
void ts_compile_scratch_free(ts_compile_scratch *s); /* NULL is allowed */
/* The same in such memory. s: of the caller's thread alone; or NULL. */
ts_status ts_compile_in(ts_compile_scratch *s, const ts_fcode *f, bool with_map, ts_compiled *out,
                        ts_error *e) TS_MUST_USE;
void ts_compiled_free(ts_compiled *c);
/* The byte offset in the module of the instruction that a word of `code` belongs to; the code that enters the function
 * belongs to its first instruction. 0: the code has no map. */
uint64_t ts_compiled_offset(const ts_compiled *c, uint32_t word);
/* The calls of a function, or the iterations of a loop, until it is worth machine code: what the operation `count` at
 * this word begins with. The first one of a function counts its calls. */
uint32_t ts_count_until_hot(ts_tier tier, bool is_loop, uint32_t at);
/* The same where machine code is there already, and need only be installed. */
uint32_t ts_count_until_warm(ts_tier tier, bool is_loop, uint32_t at);
/* The slot of the return address in the frame of a function of this type. The parameters and the results
 * share the slots before it. */
uint32_t ts_frame_link(const ts_deftype *t);
/* Print the IR of a function, one instruction a line (dump.c). */
ts_status ts_code_dump(const ts_fcode *f, FILE *out, ts_error *e) TS_MUST_USE;

/* The access that field s3 of load_any, store_any, v128_load_any and v128_store_any names. */
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
