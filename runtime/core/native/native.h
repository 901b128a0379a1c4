/* native: machine code from the register IR of one function.
 * In: the IR, with opcodes in place of handlers; where the machine's state is. Out: machine code, and the
 * words of the IR at which it can be entered.
 *
 * Machine code is an operation of the interpreter like any other. It takes over at a word of the IR, with the
 * same registers and the same frame, and leaves by a jump to an operation of the interpreter. So there is one
 * definition of what is slow or rare: code for an operation that has none of its own, or whose fast path does
 * not apply, jumps to the interpreter's operation, which continues at the next word. If that word is an entry,
 * machine code runs again. Calls, returns, traps, exceptions and backtraces need nothing else, and no frame is
 * on the stack of C. */
#ifndef TS_CORE_NATIVE_H
#define TS_CORE_NATIVE_H
#include "core/code/compile.h"

/* Byte offsets in the structures of run/, and addresses. */
typedef struct ts_native_layout {
    int32_t exec_stack_end, exec_fuel, exec_store;
    int32_t exec_depth, exec_max_depth, exec_deepest, exec_inst;
    int32_t store_interrupted;
    int32_t instance_mems, instance_globals, instance_tables, instance_funcs, instance_memory;
    int32_t memory_base, memory_len;
    int32_t table_elems, table_len;
    int32_t global_value;
    int32_t func_type, func_inst, func_code, func_adapter;
    int32_t adapter_call, adapter_open, adapter_flags, adapter_state, adapter_inst, adapter_code;
    /* what a call by an adapter leaves below the callee's frame, and its slots */
    int32_t cross_inst, cross_pc, cross_fp, cross_results, cross_adapter, cross_last, cross_state, cross_slots;
    int32_t object_len, object_payload;
    int32_t object_kind, object_mark;
    int32_t store_heap, heap_free, heap_total, heap_stress, heap_epoch;
    uint32_t kind_struct, small_max;          /* the kind of structs; the largest object, with its header, in a cell */
    unsigned (*class_of_cell)(uint32_t size); /* the place among heap_free */
} ts_native_layout;

typedef struct ts_native_entry {
    uint32_t word, code; /* the word of the IR, and the offset of the machine code */
} ts_native_entry;
/* A place of the code with a number that differs from process to process. */
typedef enum ts_native_number {
    TS_NATIVE_WORD,    /* the address of word `what` of the IR */
    TS_NATIVE_HANDLER, /* the address of the interpreter's operation `what` */
    TS_NATIVE_CALLEE,  /* the address of the ts_fcode of function `what` */
    TS_NATIVE_TYPE     /* the canonical id in the low half of word `what` of the IR */
} ts_native_number;
typedef struct ts_native_number_at {
    uint32_t code, what, number; /* the offset of the instruction's number; number: ts_native_number */
} ts_native_number_at;
/* The result. The arrays belong to the caller, which calls ts_native_free. */
typedef struct ts_native {
    uint8_t *code; /* it can be copied to any address */
    uint32_t len;
    ts_native_number_at *numbers; /* those of this process are in the code */
    uint32_t n_numbers;
    ts_native_entry *entries;
    uint32_t n_entries;
    ts_native_entry *faults; /* the instructions that access a guarded memory, by `code` */
    uint32_t n_faults;
    ts_native_entry *map; /* where the code of each instruction of the IR begins, by `code`, for tools */
    uint32_t n_map;
    void *block; /* the memory that has all these arrays; NULL: each has its own */
} ts_native;

/* What machine code is made of. */
typedef struct ts_native_source {
    const ts_compiled *ir;         /* the code of a function */
    const ts_word *linked;         /* the same words as they run, whose addresses machine code contains */
    ts_fcode *callees;             /* the functions of the module in this form */
    const ts_type_registry *types; /* of its engine */
    const ts_native_layout *layout;
    const void *const *handlers; /* the interpreter's operations, by opcode */
    bool with_map;
} ts_native_source;
/* The memory in which machine code is made, of one function after another. NULL: there is none, or this build makes no
 * machine code. */
typedef struct ts_native_scratch ts_native_scratch;
ts_native_scratch *ts_native_scratch_new(void);
void ts_native_scratch_free(ts_native_scratch *s); /* NULL is allowed */
/* s: of the caller's thread alone; or NULL. Returns false if there is no memory, or if this build makes no machine code
 * (TS_HAS_MACHINE_CODE). */
bool ts_native_make(const ts_native_source *from, ts_native_scratch *s, ts_native *out);
/* Puts this process's numbers into a copy of the code of n, which has been made from the same IR: of `from`, everything
 * but `ir` and `layout` is used. */
void ts_native_link(const ts_native_source *from, const ts_native *n, uint8_t *copy);
/* Puts 0 in their place. */
void ts_native_unlink(ts_native *n);
/* Whether the lists of code from elsewhere are about this code, and about an IR of so many words, of a module with so
 * many functions. */
bool ts_native_fits(const ts_native *n, uint32_t n_words, uint32_t n_funcs);
/* What the code requires of the processor: the same number, the same instructions. */
uint32_t ts_native_processor(void);
void ts_native_free(ts_native *n);
#endif
