/* shapes: what an operation of the register IR reads and writes, made from ir_ops.def.
 * In: the number of an opcode, an instruction. Out: its kind, its operands. */
#ifndef TS_CORE_SHAPES_H
#define TS_CORE_SHAPES_H
#include "core/code/ir.h"

/* The families of ir_ops.def. The opcodes with bodies of their own are kinds of their own. */
typedef enum ts_shape_kind {
    SHAPE_BIN,
    SHAPE_DIV,
    SHAPE_UN,
    SHAPE_TRUNC,
    SHAPE_CMP,
    SHAPE_CMP_BR,
    SHAPE_LOAD,
    SHAPE_STORE,
    SHAPE_STOREF,
    SHAPE_ADDBR,
    SHAPE_SLOW,
    SHAPE_VECTOR,
    SHAPE_OP, /* + OP_* */
} ts_shape_kind;
/* An accumulator, or the register class of a slot. */
enum { IN_R, IN_F, IN_D, IN_NONE };
/* The forms, in the order of ir.h. */
enum { FORM_AS, FORM_SA, FORM_SS, FORM_AI, FORM_SI, FORM_PS, FORM_PI, FORM_QS, FORM_QI, FORM_IS, FORM_IA, FORM_II };
enum { FORM_A, FORM_S, FORM_P, FORM_Q, FORM_I };
/* The shapes of vector operations, in the words of ir_simd.def. */
typedef enum ts_vector_form {
    VECTOR_UNARY,
    VECTOR_BINARY,
    VECTOR_TERNARY,
    VECTOR_SHIFT,
    VECTOR_TEST,
    VECTOR_SPLAT_I32,
    VECTOR_SPLAT_I64,
    VECTOR_SPLAT_F32,
    VECTOR_SPLAT_F64,
    VECTOR_EXTRACT_I32,
    VECTOR_EXTRACT_I64,
    VECTOR_EXTRACT_F32,
    VECTOR_EXTRACT_F64,
    VECTOR_REPLACE_I32,
    VECTOR_REPLACE_I64,
    VECTOR_REPLACE_F32,
    VECTOR_REPLACE_F64,
} ts_vector_form;

/* The families, as numbers. */
typedef enum ts_family {
    FAMILY_NONE,
#define N(n) FAMILY_##n,
#define IR_BIN(n, o, i, T, swap, nan, e) N(n)
#define IR_DIV(n, T, c, e) N(n)
#define IR_UN(n, o, i, T, nan, e) N(n)
#define IR_UNX(n, o, i, T, nan, e) N(n)
#define IR_TRUNC(n, o, i, T, f) N(n)
#define IR_CMP(n, neg, swap, i, T, e) N(n)
#define IR_CMPX(n, neg, swap, i, T, e) N(n)
#define IR_LOAD(n, o, T, V) N(n)
#define IR_STORE(n, i, T) N(n)
#define IR_STOREF(n, i, T) N(n)
#define IR_ADDBR(n, e) N(addbr_##n)
#define IR_V(n, shape, nan) N(v_##n)
#include "core/code/ir_ops.def"
#undef N
} ts_family;

/* The opcodes with bodies of their own, as numbers. */
typedef enum ts_own_op {
#define IR_OP(n, w, s) OP_##n,
#include "core/code/ir_ops.def"
    OP_COUNT
} ts_own_op;

typedef struct ts_shape {
    uint8_t kind;      /* SHAPE_* */
    uint8_t form;      /* FORM_* or VECTOR_* */
    uint8_t to_slot;   /* the form that ends in _S */
    uint8_t checked;   /* explicit bounds checks */
    uint8_t in, out;   /* IN_* of operands and result */
    uint8_t size;      /* bytes of an operand, or in memory */
    uint8_t is_signed; /* a load extends the sign */
    uint16_t family;   /* FAMILY_* */
} ts_shape;
extern const ts_shape ts_shapes[TS_IR_COUNT];

/* The slots that an instruction reads and writes. Classes are bits 1 << IN_*; none: not known here, or of any class. */
enum { MAX_READS = 4, NO_SLOT = 0xff80 }; /* numbers from NO_SLOT on are no slots */
typedef struct ts_operands {
    uint16_t range_from, range_to;   /* it reads the slots range_from … range_to - 1 */
    uint16_t moved;                  /* copyn and ret_n: that many slots from `read[0]` on, to `write` on */
    uint16_t write;                  /* a slot, or no slot */
    uint16_t read[MAX_READS];        /* from n_reads on, the first two are no slots */
    uint16_t pair[3];                /* vectors that it reads: the first of two slots each */
    uint8_t read_classes[MAX_READS]; /* of the slots in `read` */
    uint8_t write_classes;
    uint8_t acc_reads, acc_writes; /* accumulators, by their classes */
    uint8_t n_reads : 3;
    uint8_t n_pairs : 2;
    bool writes_pair : 1; /* `write` is the first of two slots */
    bool reads_all : 1;   /* it may read any slot, and write any */
    bool is_call : 1;     /* it overwrites all slots from range_from on */
    bool is_exit : 1;     /* the interpreter's operation does it: no register survives */
    bool ends : 1;        /* control never goes on behind it */
    bool branches : 1;    /* to field w1 */
    bool is_table : 1;    /* it branches by a table */
    bool divides : 1;     /* integers */
    bool is_rare : 1;     /* it has a call, an exit, a pair, a range, a move or a third read */
    bool reads_late : 1;  /* it reads operands after it has written the result */
} ts_operands;
/* What the operands of an opcode are, but for the numbers of the slots. */
typedef struct ts_operand_row {
    ts_operands operands; /* with 0 in place of the slots */
    uint8_t field[2];     /* the fields of 16 bits, from s0 on, that name read[0] and read[1]; s0 names `write` */
    bool is_known;        /* false: ts_operands_of_other finds them */
} ts_operand_row;
extern const ts_operand_row ts_operand_rows[TS_IR_COUNT];
void ts_operands_of_other(const ts_word *w, ts_operands *o);
static inline void ts_operands_of(const ts_word *w, ts_operands *o) {
    const ts_operand_row *row = &ts_operand_rows[w->u];
    if (!row->is_known) {
        ts_operands_of_other(w, o);
        return;
    }
    const uint16_t *s = (const uint16_t *)(w + 1);
    *o = row->operands;
    o->read[0] |= s[row->field[0]];
    o->read[1] |= s[row->field[1]];
    o->write |= s[0];
}
/* Whether the instruction reads or writes a vector. */
static inline bool ts_has_vectors(const ts_operands *o) {
    return o->n_pairs || o->writes_pair;
}
#endif
