/* flow: the instructions of one function, where control goes, which slots are live, and which registers hold
 * slots.
 * In: the IR of a function. Out: tables by instruction.
 *
 * The 60 slots that are used most, loops counted by depth, are candidates for a register. A set of candidates
 * is a 64-bit mask, so that liveness and interference are exact and cheap. All other slots stay in memory. */
#ifndef TS_CORE_FLOW_H
#define TS_CORE_FLOW_H
#include "base/vec.h"
#include "core/native/shapes.h"

typedef uint64_t slot_set; /* candidates by number, and the accumulators */
enum { MAX_CANDIDATES = 60, BIT_R = 60, BIT_F, BIT_D };
#define SET_BIT(n) ((slot_set)1 << (n))
enum { NO_CANDIDATE = 255 };
#define NO_INSTRUCTION UINT32_MAX

typedef struct flow_instruction {
    uint32_t at;        /* its first word */
    uint32_t target;    /* of a branch: an instruction; or NO_INSTRUCTION */
    uint32_t loop_last; /* of a loop's first instruction: the last branch back to it; or NO_INSTRUCTION */
    uint32_t back_to;   /* of a branch: the first instruction that it goes back to; or NO_INSTRUCTION */
    uint32_t loops_end; /* so many loops have it as their last branch */
    uint32_t label;     /* of a label: its number */
    uint8_t kind;       /* SHAPE_* */
    bool is_label;      /* something jumps to it */
    bool is_entry;      /* an exception handler */
    slot_set reads, writes, live_in, live_out;
    ts_operands operands;
} flow_instruction;

typedef struct flow_candidate {
    uint16_t slot;
    uint8_t class; /* IN_R, IN_F or IN_D */
    uint8_t home;  /* its register, if it is one of have_homes */
} flow_candidate;

/* What the instructions of a loop do, from its first one to the last branch back to it. */
typedef struct flow_loop {
    slot_set used, written; /* by instructions that the interpreter does not execute */
    uint32_t last;
    bool leaves; /* the interpreter executes one of them, and control goes on behind it */
} flow_loop;
/* How a slot is used. */
typedef struct flow_use {
    uint64_t weight;
    uint8_t classes;  /* bits 1 << IN_*, of the uses whose class is known */
    bool is_read_any; /* something reads it that takes a value of any class */
} flow_use;
/* The memory of the tables, which the next function takes over. */
typedef struct flow_memory {
    TS_VEC(flow_instruction) ins;
    TS_VEC(uint32_t) ins_of_word, branches;
    TS_VEC(uint8_t) candidate_of_slot;
    TS_VEC(slot_set) before, bits;
    TS_VEC(flow_use) uses;
    TS_VEC(flow_loop) loops, open_loops;
} flow_memory;

typedef struct flow {
    flow_memory memory;
    const ts_word *code;
    uint32_t n_words, n;
    uint32_t n_slots; /* of the frame */
    uint32_t
        first_temporary;   /* slots from here on are operands: an instruction that takes one is the last to read it */
    flow_instruction *ins; /* n + 1: the last one is empty */
    uint32_t *ins_of_word; /* n_words */
    uint8_t *candidate_of_slot; /* n_slots; NO_CANDIDATE if it has no home */
    flow_loop *loops;           /* by label: of those that begin a loop */
    slot_set *before;           /* n_slots + 1: the candidates among the slots before each */
    slot_set *bits;             /* by slot, and from NO_SLOT on: the candidate, or 0 */
    uint32_t n_labels, n_open;
    bool divides, has_vectors; /* an instruction does that; it reads or writes one */
    bool has_handlers;
    uint32_t n_candidates;
    flow_candidate candidate[MAX_CANDIDATES];
    slot_set all;                      /* the candidates */
    slot_set have_homes;               /* those that have a register */
    slot_set together[MAX_CANDIDATES]; /* alive at once */
    slot_set shares[MAX_CANDIDATES];   /* the other candidates with the same home */
} flow;

/* The registers that the machine has for slots: of class IN_R, and of IN_F and IN_D together. */
typedef struct flow_registers {
    const uint8_t *integer, *floating;
    uint8_t n_integer, n_floating;
} flow_registers;

/* f is all zero, or has been used for another function. Returns false if there is no memory, or if loops are nested so
 * deep that it would take long. ts_flow_free frees what it made, in both cases. */
bool ts_flow_analyse(flow *f, const ts_word *code, uint32_t n_words, uint32_t n_slots, const ts_handler *handlers,
                     uint32_t n_handlers);
/* Gives candidates their homes, once, after ts_flow_analyse. */
void ts_flow_choose_homes(flow *f, flow_registers have);
void ts_flow_free(flow *f);
#endif
