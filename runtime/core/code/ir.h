/* ir: the register IR: opcodes, instruction words, compiled functions.
 * In: ir_ops.def. Out: enums, tables, sizes. The IR is plain data: the compiler's code contains numbers of
 * opcodes and functions. The code cache replaces them by handlers and by the callees' addresses
 * (run/code_cache.c). */
#ifndef TS_CORE_IR_H
#define TS_CORE_IR_H
#include "core/module/module.h"

typedef union ts_word {
    const void *h; /* word 0: handler */
    uint64_t u;
    int64_t i;
    const void *p;
    uint16_t s[4];
    int32_t w[2];
    uint32_t uw[2];
} ts_word;
_Static_assert(sizeof(ts_word) == 8, "64-bit hosts");

#define TS_IR_FORMS_BIN(X, n)                                                                                          \
    X(n##_AS) X(n##_AS_S) X(n##_SA) X(n##_SA_S) X(n##_SS) X(n##_SS_S) X(n##_AI) X(n##_AI_S) X(n##_SI) X(n##_SI_S)
#define TS_IR_FORMS_UN(X, n) X(n##_A) X(n##_A_S) X(n##_S) X(n##_S_S)
#define TS_IR_FORMS_BR(X, n) X(br_##n##_AS) X(br_##n##_SA) X(br_##n##_SS) X(br_##n##_AI) X(br_##n##_SI)
#define TS_IR_FORMS_LOAD_(X, n)                                                                                        \
    X(n##A) X(n##A_S) X(n##S) X(n##S_S) X(n##P) X(n##P_S) X(n##Q) X(n##Q_S) X(n##I) X(n##I_S)
#define TS_IR_FORMS_LOAD(X, n) TS_IR_FORMS_LOAD_(X, n##_) TS_IR_FORMS_LOAD_(X, n##_x)
#define TS_IR_FORMS_STORE_(X, n)                                                                                       \
    X(n##AS) X(n##SA) X(n##SS) X(n##AI) X(n##SI) X(n##PS) X(n##PI) X(n##QS) X(n##QI) X(n##IS) X(n##IA) X(n##II)
#define TS_IR_FORMS_STORE(X, n) TS_IR_FORMS_STORE_(X, n##_) TS_IR_FORMS_STORE_(X, n##_x)
#define TS_IR_FORMS_STOREF_(X, n) X(n##A) X(n##S) X(n##P) X(n##Q) X(n##I)
#define TS_IR_FORMS_STOREF(X, n) TS_IR_FORMS_STOREF_(X, n##_) TS_IR_FORMS_STOREF_(X, n##_x)
/* The letters of the operand forms:
 *   A  the operand is in the accumulator of its class
 *   S  the operand is in a slot
 *   I  the operand is a constant in the instruction
 *   P  the address is a slot plus a constant
 *   Q  the address is the accumulator plus a constant
 *   x  the access has explicit bounds checks
 * Two letters are the left and the right operand: AS SA SS AI SI, and PS PI QS QI IS IA II of stores. A form
 * that ends in _S writes its result to a slot too; it follows the form without (+ TS_TO_SLOT). The numbers
 * below are distances from a family's first opcode. */
enum {
    TS_TO_SLOT = 1,
    TS_UN_A = 0,
    TS_UN_S = 2,
    TS_BIN_AS = 0,
    TS_BIN_SA = 2,
    TS_BIN_SS = 4,
    TS_BIN_AI = 6,
    TS_BIN_SI = 8,
    TS_BIN_BR = 10, /* comparisons: the branches, one for each of these forms without _S */
    TS_BR_AS = 0,
    TS_BR_SA = 1,
    TS_BR_SS = 2,
    TS_BR_AI = 3,
    TS_BR_SI = 4,
    TS_LOAD_S = 2,
    TS_LOAD_P = 4,
    TS_LOAD_Q = 6,
    TS_LOAD_I = 8,
    TS_LOAD_X = 10,
    TS_STORE_SA = 1,
    TS_STORE_SS = 2,
    TS_STORE_AI = 3,
    TS_STORE_SI = 4,
    TS_STORE_PS = 5,
    TS_STORE_PI = 6,
    TS_STORE_QS = 7,
    TS_STORE_QI = 8,
    TS_STORE_IS = 9,
    TS_STORE_IA = 10,
    TS_STORE_II = 11,
    TS_STORE_X = 12,
    TS_STOREF_S = 1,
    TS_STOREF_P = 2,
    TS_STOREF_Q = 3,
    TS_STOREF_I = 4,
    TS_STOREF_X = 5,
};

typedef enum ts_ir_op {
#define E(n) TS_IR_##n,
#include "core/code/ir_each.h"
    TS_IR_COUNT
} ts_ir_op;

typedef struct ts_fcode ts_fcode;

/* A function's code in one form. Its entry is a stub until the function is first called. */
struct ts_fcode {
    const ts_word *entry; /* stub, or code: published with release order */
    ts_word stub[1];      /* the operation `compile` */
    ts_module *module;
    uint32_t func; /* in the module's function space */
    uint8_t form;
    uint16_t link; /* slot of the return address; the caller's frame follows */
    uint32_t frame_slots;
    ts_word *code; /* NULL until compiled */
    uint32_t n_words;
    uint32_t n_handlers;
    struct ts_handler *handlers;     /* exception handlers, innermost first */
    struct ts_machine_code *machine; /* NULL: none (run/tier.h) */
    bool tiered;                     /* atomic: it has machine code, or was refused it */
    bool kept;                       /* code and handlers belong to what is kept (run/kept.h) */
};

/* One catch clause of one try_table. */
typedef struct ts_handler {
    uint32_t from, to; /* word offsets: from <= pc < to */
    uint32_t target;   /* word offset */
    uint32_t tag;      /* in the module; UINT32_MAX: all */
    uint16_t slot;     /* where the values go */
    bool with_ref;
} ts_handler;

enum {                      /* forms of a function's code */
       TS_FORM_CHECKED = 1, /* explicit bounds checks */
       TS_FORM_METERED = 2, /* fuel and interruption */
       TS_FORM_DETERMINISTIC = 4,
       TS_FORM_COUNT = 8
};

extern const uint8_t ts_ir_words[TS_IR_COUNT];
extern const char *const ts_ir_names[TS_IR_COUNT];
/* Words of the instruction at w, whose word 0 is still the number of its opcode. */
static inline uint32_t ts_ir_len(const ts_word *w) {
    uint32_t op = (uint32_t)w->u, len = ts_ir_words[op];
    return op == TS_IR_br_table || op == TS_IR_br_table_A ? len + w[1].uw[1] + 1 : len;
}
#endif
