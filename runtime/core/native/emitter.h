/* emitter: what the emitters of all processors share. emit.c walks the IR, and knows the state of registers and
 * labels. emit_x64*.c and emit_a64*.c have the instructions for each operation: the functions ts_target_*.
 * In: an instruction of the IR, the state. Out: machine code. */
#ifndef TS_CORE_EMITTER_H
#define TS_CORE_EMITTER_H
#include "core/native/native.h"
#include "base/dispatch.h"
#include "base/vec.h"
#include "core/native/flow.h"

#if TS_HAS_MACHINE_CODE
#if defined(__x86_64__)
#include "core/native/x64.h"
#else
#include "core/native/a64.h"
#endif

typedef struct label {
    uint32_t code; /* offset, once `bound` */
    bool set, bound;
    uint32_t in_table, stub; /* the br_table that looked at it last, and its stub there */
    slot_set valid, dirty;
} label;
/* A jump or a table entry whose target comes later. */
typedef struct fixup {
    uint32_t at, to; /* an instruction */
    uint32_t base;   /* of a table; or NO_INSTRUCTION */
} fixup;
/* Code behind the function's last instruction. */
enum { COLD_EXIT, COLD_EDGE, COLD_ENTRY, COLD_LITERAL };
typedef struct cold_code {
    uint8_t kind;
    uint32_t jump; /* the jump to it; or NO_INSTRUCTION */
    uint32_t to;   /* exit: the instruction that the interpreter executes; edge: the target */
    uint32_t code; /* entry: where it continues; then: its own place */
    slot_set valid, dirty;
    uint64_t literal[2]; /* the number that a load at `jump` reads */
} cold_code;
typedef struct jump_table {
    uint32_t at; /* the instruction that has its address */
    uint32_t first, n;
} jump_table;

/* The vectors that are in registers. slot[k] < 0: register k is free. */
typedef struct cached_vectors {
    int32_t slot[VECTOR_REGISTERS];
    uint32_t next;
    uint32_t used;   /* the registers that are not free */
    uint32_t pinned; /* operands and result of this instruction */
    uint32_t dirty;  /* the two slots in the frame do not have the vector */
} cached_vectors;

typedef struct emitter {
    assembler a;
    flow f;
    const ts_native_layout *t;
    const ts_type_registry *types;
    slot_set valid;
    bool reachable;
    bool rejoin;    /* the instruction has a side exit */
    uint32_t i;     /* the instruction, w its words */
    slot_set dirty; /* apart from `valid`: a load of both as one vector would stall behind a store of either */
    const ts_word *w;
    const flow_instruction *in;
    label *labels; /* by number, in label_memory */
    TS_VEC(label) label_memory;
    TS_VEC(fixup) fixups;
    TS_VEC(cold_code) cold;
    TS_VEC(jump_table) tables;
    TS_VEC(uint32_t) table_targets; /* an instruction, or a stub | STUB */
    TS_VEC(ts_native_entry) entries, faults, map;
    TS_VEC(ts_native_number_at) numbers;
    uint8_t *has_entry; /* by instruction, in entry_memory */
    TS_VEC(uint8_t) entry_memory;
    bool with_map;
    cached_vectors vectors;
    bool far, too_far; /* conditional jumps reach any distance; one did not */
    bool nomem;
} emitter;
#define STUB 0x80000000u
#define PUSH(v, x)                                                                                                     \
    do {                                                                                                               \
        if (!ts_vec_push(&(v), (x))) e->nomem = true;                                                                  \
    } while (0)

/* --- slots and homes ------------------------------------------------------------------------------------ */
static inline operand slot_memory(uint32_t slot) {
    return at_mem(FRAME, (int32_t)slot * 8);
}
/* The candidate that has a home for the slot, or NO_CANDIDATE. */
static inline unsigned candidate_of(const emitter *e, uint32_t slot) {
    return slot < e->f.n_slots ? e->f.candidate_of_slot[slot] : NO_CANDIDATE;
}
static inline unsigned home_of(const emitter *e, unsigned k) {
    return e->f.candidate[k].home;
}
static inline bool has_home(unsigned k) {
    return k != NO_CANDIDATE;
}
static inline bool lives_on(const emitter *e, unsigned bit) {
    return e->in->live_out >> bit & 1;
}
/* The home that an integer result for the slot is computed in, or `other`. */
static inline unsigned result_home(const emitter *e, uint32_t slot, unsigned class, unsigned other) {
    unsigned k = candidate_of(e, slot);
    return has_home(k) && e->f.candidate[k].class == class ? home_of(e, k) : other;
}
static inline unsigned acc_of(unsigned class) {
    return class == IN_R ? ACC_R : class == IN_F ? 0 : 1;
}
/* Where the result of an instruction is computed: the home of its slot, or the accumulator. */
static inline unsigned integer_result(const emitter *e, const ts_shape *p) {
    return p->to_slot ? result_home(e, e->w[1].s[0], IN_R, ACC_R) : ACC_R;
}
static inline unsigned float_result(const emitter *e, const ts_shape *p) {
    unsigned acc = acc_of(p->out);
    return p->to_slot ? result_home(e, e->w[1].s[0], p->out, acc) : acc;
}

/* --- emit.c --------------------------------------------------------------------------------------------- */
/* The same as ts_emit_read_slot, for candidate k whose home does not have the value of the slot. */
operand ts_emit_load_slot(emitter *e, uint32_t slot, unsigned k);
/* Where to read a slot: its home if it is there or is needed again, or else the frame. */
static inline operand ts_emit_read_slot(emitter *e, uint32_t slot) {
    unsigned k = candidate_of(e, slot);
    if (!has_home(k)) return slot_memory(slot);
    return TS_LIKELY(e->valid >> k & 1) ? in_reg(home_of(e, k)) : ts_emit_load_slot(e, slot, k);
}
/* The slot gets the register `from` of a class. */
void ts_emit_write_slot(emitter *e, uint32_t slot, unsigned class, unsigned from);
/* The home of candidate k has its new value. */
void ts_emit_note_written(emitter *e, unsigned k);
/* The interpreter executes the instruction instead, if cc holds. */
void ts_emit_side_exit(emitter *e, int cc);
/* The interpreter executes the instruction always. The next one is an entry. */
void ts_emit_leave(emitter *e);
/* 16 bytes behind the function, which the instruction at `load` reads. */
void ts_emit_literal(emitter *e, uint32_t load, uint64_t low, uint64_t high);
/* The number that begins at this place of the code. */
void ts_emit_note_number(emitter *e, uint32_t code, ts_native_number number, uint32_t what);
/* Store the slots from … to - 1 whose homes are dirty, and the vectors there. */
void ts_emit_store_slots(emitter *e, uint32_t from, uint32_t to);
/* These slots get new values, in the frame: no register has them. */
void ts_emit_forget_slots(emitter *e, uint32_t from, uint32_t to);
/* A branch of this instruction under a condition; cc < 0: always. */
void ts_emit_branch(emitter *e, int cc);
/* The operands of a form with two. */
typedef struct pair {
    operand a, b;
    bool b_is_const;
    uint64_t b_const;
} pair;
/* slot_a, slot_b: the fields that name them. constant: where AI and SI have it. */
pair ts_emit_read_pair(emitter *e, unsigned form, unsigned acc, unsigned slot_a, unsigned slot_b, uint64_t constant);
operand ts_emit_read_one(emitter *e, const ts_shape *p);
/* The form of a store's address: FORM_A, FORM_S, FORM_P, FORM_Q or FORM_I. */
unsigned ts_emit_store_base(unsigned form);
/* The condition (CC_*) of an integer comparison. */
unsigned ts_emit_integer_condition(unsigned family);

/* --- emit_objects.c ------------------------------------------------------------------------------------- */
/* Whether all fields of a struct can be stored from general registers, and are not too many. */
bool ts_emit_fields_fit(const ts_deftype *t);
/* The fields of a new struct, from the slots s0 …, or zeroes. payload: a base, and where its fields begin. */
void ts_emit_fields(emitter *e, const ts_deftype *t, operand payload, bool with_values);

/* --- emit_vectors.c ------------------------------------------------------------------------------------- */
/* Begins an instruction: its operands stay in the registers where they are. */
void ts_vectors_begin(emitter *e);
/* The register to compute the result in. No operand is there. */
unsigned ts_vectors_result(emitter *e);
/* The register of the vector in the slots `slot` and slot + 1. */
unsigned ts_vectors_read(emitter *e, uint32_t slot);
/* The vector in `from`, which is of ts_vectors_result, is the value of the slots. */
void ts_vectors_write(emitter *e, uint32_t slot, unsigned from);
/* Store the dirty vectors that are in the slots from … to - 1. It keeps the flags. */
void ts_vectors_store(emitter *e, uint32_t from, uint32_t to);
/* No register has a vector in these slots any more. */
void ts_vectors_drop(emitter *e, uint32_t from, uint32_t to);
void ts_vectors_forget(emitter *e);        /* in any */
void ts_vectors_give_up(emitter *e);       /* from here on the frame alone has them */
void ts_vectors_prepare_dirty(emitter *e); /* for the function below, where vectors are dirty */
/* Store what the next instruction needs in the frame. Afterwards there is room for the instruction. */
static inline void ts_vectors_prepare(emitter *e) {
    if (TS_UNLIKELY(e->vectors.dirty)) ts_vectors_prepare_dirty(e);
}
void ts_vectors_update_used(emitter *e); /* for the function below, where registers are in use */
/* What the instruction that was emitted leaves in registers. */
static inline void ts_vectors_update(emitter *e) {
    if (TS_UNLIKELY(e->vectors.used)) ts_vectors_update_used(e);
}

/* --- each processor ------------------------------------------------------------------------------------- */
/* The homes that a function has. If it has vectors, FIRST_VECTOR_REGISTER and those behind it are none. */
flow_registers ts_target_registers(const flow *f);
/* Moves. A class is IN_R or IN_D for all 64 bits, or IN_F. They keep the flags. In memory, the high half of an
 * f32's slot is 0. */
void ts_target_read(emitter *e, unsigned class, unsigned to, operand from);
void ts_target_write(emitter *e, unsigned class, operand to, unsigned from);
void ts_target_move(emitter *e, unsigned to_class, unsigned to, unsigned from_class, unsigned from);
void ts_target_copy(emitter *e, operand to, operand from); /* memory to memory */
void ts_target_constant(emitter *e, unsigned class, unsigned to, uint64_t v);
void ts_target_write_constant(emitter *e, operand to, uint64_t v);
/* A jump under a condition; cc < 0: always. Returns what ts_target_bind needs. */
uint32_t ts_target_jump(emitter *e, int cc);
void ts_target_bind(emitter *e, uint32_t jump, uint32_t to);
/* Indirect jumps may come here. */
void ts_target_landing(emitter *e);
/* Go on at the instruction of the IR in PC. */
void ts_target_continue(emitter *e);
/* Go to the operation of the interpreter for this word of the IR. */
void ts_target_interpret(emitter *e, uint32_t word, uint32_t opcode);
/* Write a number of ts_emit_note_number. */
void ts_target_set_number(uint8_t *code, ts_native_number kind, uint64_t v);
uint32_t ts_target_number_size(ts_native_number kind); /* the bytes that it changes */
uint32_t ts_target_processor(void);                    /* as ts_native_processor */
/* Jump by a table of n + 1 distances from the table, which ts_target_bind gives a place. */
uint32_t ts_target_table_jump(emitter *e, operand index, uint32_t n);
/* Returns the condition that the low 32 bits are 0. Its lowest bit negates. */
int ts_target_test(emitter *e, operand m);
/* The families. */
void ts_target_binary(emitter *e, const ts_shape *p);
void ts_target_unary(emitter *e, const ts_shape *p);
void ts_target_compare(emitter *e, const ts_shape *p);
void ts_target_compare_and_branch(emitter *e, const ts_shape *p);
void ts_target_add_and_branch(emitter *e, unsigned cc, bool compares, bool by_slot);
void ts_target_load(emitter *e, const ts_shape *p);
void ts_target_store(emitter *e, const ts_shape *p);
void ts_target_store_float(emitter *e, const ts_shape *p);
/* A vector register and two slots. They keep the flags. */
void ts_target_load_vector(emitter *e, unsigned to, operand from);
void ts_target_store_vector(emitter *e, operand to, unsigned from);
/* Vector operations; false: the processor has none for it. */
bool ts_target_vector(emitter *e, const ts_shape *p);
bool ts_target_vector_other(emitter *e, unsigned opcode); /* those of SHAPE_OP */
bool ts_target_object(emitter *e, unsigned opcode);       /* operations on references */
/* Store the low `size` bytes, a power of two, of a slot. */
void ts_target_put_field(emitter *e, operand to, uint32_t size, uint32_t slot);
/* Operations with bodies of their own. */
void ts_target_global_get(emitter *e, unsigned class, bool to_slot);
void ts_target_global_set(emitter *e);
void ts_target_global_set_accumulator(emitter *e);
void ts_target_select(emitter *e, unsigned class, bool by_slot, bool to_slot);
void ts_target_shift_and_add(emitter *e, bool by_slot, bool to_slot);
void ts_target_enter(emitter *e, bool zeroes);
void ts_target_take_fuel(emitter *e);
void ts_target_call(emitter *e);
void ts_target_call_indirect(emitter *e, operand index);
void ts_target_call_import(emitter *e);
void ts_target_return(emitter *e);
/* Finish a result that is in register `in`: the slot s0 and the accumulator get it. */
static inline void ts_emit_finish_integer(emitter *e, const ts_shape *p, unsigned in) {
    if (p->to_slot) ts_emit_write_slot(e, e->w[1].s[0], IN_R, in);
    if (in != ACC_R && (!p->to_slot || lives_on(e, BIT_R))) ts_target_move(e, IN_R, ACC_R, IN_R, in);
}
static inline void ts_emit_finish_float(emitter *e, const ts_shape *p, unsigned in) {
    unsigned acc = acc_of(p->out);
    if (p->to_slot) ts_emit_write_slot(e, e->w[1].s[0], p->out, in);
    if (in != acc && (!p->to_slot || lives_on(e, BIT_R + p->out))) ts_target_move(e, p->out, acc, p->out, in);
}
/* Between the files of one processor. The places are those of an access of `size` bytes, and are in x16 and x20; the
 * access to a guarded one may fault. offset + size does not overflow. ts_a64_integer and ts_a64_floating return the register of an operand, which is
 * `other` if it was in memory. */
void ts_x64_float_const(emitter *e, unsigned to, int two, uint64_t bits);
void ts_a64_float_const(emitter *e, unsigned to, int two, uint64_t bits);
unsigned ts_a64_integer(emitter *e, int wide, operand from, unsigned other);
unsigned ts_a64_floating(emitter *e, int two, operand from, unsigned other);
/* A vector of two 64-bit halves. It uses x16. */
void ts_a64_vector_const(emitter *e, unsigned to, uint64_t low, uint64_t high);
/* x is no operand. */
void ts_a64_shuffle(emitter *e, const uint8_t lanes[16], unsigned x, unsigned a, unsigned b);
operand ts_a64_global(emitter *e); /* in x17 */
void ts_a64_number(emitter *e, unsigned to, ts_native_number kind, uint32_t what);
operand ts_a64_guarded_place(emitter *e, uint32_t slot, unsigned size);
operand ts_a64_checked_place(emitter *e, uint32_t slot, unsigned size, uint64_t offset, unsigned memory);
#endif
#endif
