/* compiler: the state of compiling one function, the operand stack and emission, which all parts of the
 * compiler share.
 * In: instructions, in order. Out: words of code. Internal to code/.
 *
 * An entry of the operand stack is a constant, a local, in a slot, or in an accumulator alone. In the last
 * case the instruction that computed it gets its form (accumulator only, or a slot too) when the use of the
 * value is known. Each entry has a slot of its own, given by its height. Where control flow merges, every
 * entry is in its own slot. */
#ifndef TS_CORE_COMPILER_H
#define TS_CORE_COMPILER_H
#include "base/assert.h"
#include "base/vec.h"
#include "core/code/compile.h"
#include "core/module/engine.h"
#include "core/module/wasm_ops.h"
#include <string.h>

/* The register class of a value: which accumulator it can be in (v128: none). References are integers. */
enum { CLASS_INT, CLASS_F32, CLASS_F64, CLASS_V128, CLASS_NONE };
/* What an entry of the operand stack is. */
enum { ENTRY_IN_SLOT, ENTRY_IS_LOCAL, ENTRY_IS_CONST, ENTRY_IN_ACCUMULATOR };
#define NONE UINT32_MAX

/* An entry of the operand stack. */
typedef struct operand_entry {
    uint8_t kind, reg_class;
    uint16_t pos; /* its own slot */
    /* In an accumulator: the instruction that computed it. In a slot: the instruction whose s0 may be
     * changed, or NONE. */
    uint32_t at;
    uint32_t local;
    uint64_t imm;
} operand_entry;
/* A popped operand: where it can be read from. */
typedef struct popped_operand {
    bool in_accumulator, is_const;
    int32_t slot; /* or -1 */
    uint64_t imm;
    uint32_t at;
    uint16_t pos;
    uint8_t reg_class;
} popped_operand;
typedef struct local_variable {
    uint32_t uses; /* entries of the operand stack */
    uint16_t slot;
    uint8_t reg_class;
} local_variable;
/* A branch whose target is not known yet. */
typedef struct branch_patch {
    uint32_t instr, word; /* the word that gets the distance; NONE: field w1 of the instruction does */
    uint32_t next;
} branch_patch;
typedef struct pending_catch {
    uint32_t target, tag;
    uint16_t slot;
    bool with_ref;
} pending_catch;
typedef struct control_frame {
    uint16_t op;
    bool has_else;
    uint32_t height; /* of the operand stack below the parameters */
    uint32_t n_params, n_results;
    const ts_valtype *params, *results;
    ts_valtype one; /* the type of a single result that has no function type; else 0 */
    uint32_t base;  /* slot where parameters and results begin */
    uint32_t loop_at;
    uint32_t patches; /* list in c->patches, or NONE */
    uint32_t else_patch;
    uint32_t try_from, first_catch, n_catches;
} control_frame;

typedef struct compiler {
    ts_module *module;
    const ts_func_def *func;
    const ts_deftype *type;
    unsigned form; /* TS_FORM_* */
    ts_tier tier;
    ts_reader reader;
    ts_error *err;
    bool want_map;
    bool nomem;
    bool unreachable; /* the rest of the innermost block */
    uint32_t frame_slots, link, first_temp;
    uint32_t next_slot;          /* that of the next entry of the operand stack */
    uint32_t spilled_below;      /* entries of the operand stack below this height are in their slots */
    uint32_t add_to_local;       /* an i32_add_SI_S to a local, if nothing can jump behind it; or NONE */
    uint32_t last;               /* the last instruction, if nothing can jump behind it; or NONE */
    int32_t accumulator_slot[3]; /* the slot whose value each accumulator holds too, or -1 */
    int32_t previous_int_slot;   /* accumulator_slot[CLASS_INT] before the last instruction */
    uint32_t pending[3];         /* the entry that is in each accumulator alone, or NONE */
    /* The arrays, whose memory is kept from function to function. `code` is the first one. */
    TS_VEC(ts_word) code;
    TS_VEC(operand_entry) stack;
    TS_VEC(control_frame) frames;
    TS_VEC(branch_patch) patches;
    TS_VEC(ts_handler) handlers;
    TS_VEC(pending_catch) catches;
    TS_VEC(local_variable) locals;
    TS_VEC(uint32_t) map; /* pairs: word, byte offset in the module; only when asked for */
} compiler;

/* For an opcode that is a comparison: the first opcode of its family, and of the family of its negation. Else
 * 0, which is the number of i32_add_AS. */
typedef struct ts_comparison {
    uint16_t base, neg;
} ts_comparison;
extern const ts_comparison ts_comparisons[TS_IR_COUNT];

/* --- the operand stack, and emission ------------------------------------------------------------------- */
static inline uint8_t class_of(ts_valtype t) {
    switch (ts_vt_kind(t)) {
    case TS_VT_F32: return CLASS_F32;
    case TS_VT_F64: return CLASS_F64;
    case TS_VT_V128: return CLASS_V128;
    default: return CLASS_INT;
    }
}
static inline uint32_t class_slots(uint8_t reg_class) {
    return reg_class == CLASS_V128 ? 2 : 1;
}

static inline void reserve_frame(compiler *c, uint64_t slots) {
    if (slots > c->frame_slots) c->frame_slots = slots < UINT32_MAX ? (uint32_t)slots : UINT32_MAX;
}
/* Such a function is refused, when the instruction has been compiled. */
static inline bool is_too_big(const compiler *c) {
    return c->frame_slots > TS_MOST_FRAME_SLOTS;
}
/* Make room for n words. Without memory, the rest of this instruction overwrites the code; then compilation ends. */
static inline void reserve_words(compiler *c, uint64_t n) {
    if (TS_LIKELY(c->code.cap - c->code.len >= n)) return;
    if (ts_vec_reserve(&c->code, c->code.len + n)) return;
    c->nomem = true;
    c->code.len = 0;
}
static inline void write_slot_too(compiler *c, uint32_t at, uint32_t slot) {
    TS_ASSERT(c->nomem || (at + 1 < c->code.len && c->code.data[at].u + TS_TO_SLOT < TS_IR_COUNT));
    TS_ASSERT(is_too_big(c) || slot < c->frame_slots);
    c->code.data[at].u += TS_TO_SLOT;
    c->code.data[at + 1].s[0] = (uint16_t)slot;
}
/* Write the pending entry of a class to its slot: its accumulator is about to be overwritten, or control flow
 * merges. */
static inline void spill_accumulator(compiler *c, uint8_t reg_class) {
    if (c->pending[reg_class] == NONE) return;
    operand_entry *e = &c->stack.data[c->pending[reg_class]];
    TS_ASSERT(e->kind == ENTRY_IN_ACCUMULATOR && e->reg_class == reg_class);
    write_slot_too(c, e->at, e->pos);
    e->kind = ENTRY_IN_SLOT;
    e->at = NONE;
    c->accumulator_slot[reg_class] = e->pos;
    c->pending[reg_class] = NONE;
}
static inline void spill_accumulators(compiler *c) {
    for (uint8_t k = 0; k < 3; k++) spill_accumulator(c, k);
}
static inline void forget_accumulators(compiler *c) {
    for (int k = 0; k < 3; k++) c->accumulator_slot[k] = -1;
}
/* Remove the code from `at` on: the instruction that is compiled now does its work too. The map attributes
 * the code that replaces it to this instruction. */
static inline void take_back(compiler *c, uint32_t at) {
    c->code.len = at;
    for (uint32_t i = c->map.len; i > 0 && c->map.data[i - 2] > at; i -= 2) c->map.data[i - 2] = at;
}
/* The same for the last instruction, a computation in the integer accumulator. */
static inline void take_back_last(compiler *c, uint32_t at) {
    take_back(c, at);
    c->accumulator_slot[CLASS_INT] = c->previous_int_slot;
}
/* These slots were written, so the accumulators hold other values than they do. */
static inline void slot_written(compiler *c, uint32_t slot, uint32_t n) {
    for (int k = 0; k < 3; k++)
        if (c->accumulator_slot[k] >= (int32_t)slot && c->accumulator_slot[k] < (int32_t)(slot + n))
            c->accumulator_slot[k] = -1;
}
/* Emit an instruction that leaves its result in the accumulator of `reg_class` (CLASS_NONE: none). The words behind
 * the second one are 0. */
uint32_t ts_emit(compiler *c, uint32_t op, uint8_t reg_class, ts_word word1);
static inline uint32_t emit(compiler *c, uint32_t op, uint8_t reg_class, uint32_t s0, uint32_t s1, uint32_t s2,
                            uint32_t s3) {
    TS_ASSERT(is_too_big(c) || c->nomem ||
              (s0 <= UINT16_MAX && s1 <= UINT16_MAX && s2 <= UINT16_MAX && s3 <= UINT16_MAX));
    return ts_emit(c, op, reg_class, (ts_word){.s = {(uint16_t)s0, (uint16_t)s1, (uint16_t)s2, (uint16_t)s3}});
}
static inline uint32_t emit_word1(compiler *c, uint32_t op, uint8_t reg_class, uint32_t s0, uint32_t s1, uint32_t w1) {
    TS_ASSERT(is_too_big(c) || c->nomem || (s0 <= UINT16_MAX && s1 <= UINT16_MAX));
    ts_word word1 = {.s = {(uint16_t)s0, (uint16_t)s1}};
    word1.uw[1] = w1;
    return ts_emit(c, op, reg_class, word1);
}
static inline void emit_count(compiler *c, bool is_loop) {
    if (c->tier == TS_TIER_INTERPRETED) return;
    emit_word1(c, TS_IR_count, CLASS_NONE, 0, 0, ts_count_until_hot(c->tier, is_loop, c->code.len));
}
/* Before each instruction there is room for so many entries. */
enum { SPARE_ENTRIES = 16 };
static inline bool reserve_entries(compiler *c, uint32_t n) {
    if (TS_LIKELY(c->stack.cap - c->stack.len >= n)) return true;
    if (!ts_vec_reserve(&c->stack, (uint64_t)c->stack.len + n)) c->nomem = true;
    return !c->nomem;
}
static inline operand_entry *push_entry(compiler *c, uint8_t kind, uint8_t reg_class) {
    TS_ASSERT(c->stack.len < c->stack.cap);
    operand_entry *e = &c->stack.data[c->stack.len++];
    *e = (operand_entry){.kind = kind, .reg_class = reg_class, .pos = (uint16_t)c->next_slot, .at = NONE};
    c->next_slot += class_slots(reg_class);
    reserve_frame(c, c->next_slot);
    return e;
}
static inline void push_accumulator(compiler *c, uint8_t reg_class, uint32_t at) {
    push_entry(c, ENTRY_IN_ACCUMULATOR, reg_class)->at = at;
    c->pending[reg_class] = c->stack.len - 1;
}
/* Push the result of an instruction that wrote it to the slot of the new entry. at: the s0 of that
 * instruction may still be changed. */
static inline void push_result(compiler *c, uint8_t reg_class, uint32_t at) {
    operand_entry *e = push_entry(c, ENTRY_IN_SLOT, reg_class);
    e->at = at;
    slot_written(c, e->pos, class_slots(reg_class));
}
static inline uint32_t result_slot(compiler *c,
                                   uint8_t reg_class) { /* the slot of the entry that push_result will push */
    reserve_frame(c, c->next_slot + class_slots(reg_class));
    return c->next_slot;
}
static inline void emit_copy(compiler *c, uint8_t reg_class, uint32_t to, uint32_t from) {
    if (reg_class < 3 && c->accumulator_slot[reg_class] == (int32_t)from)
        emit(c, TS_IR_put_r + reg_class, CLASS_NONE, to, 0, 0, 0);
    else
        emit(c, reg_class == CLASS_V128 ? TS_IR_copy2 : TS_IR_copy, CLASS_NONE, to, from, 0, 0);
    slot_written(c, to, class_slots(reg_class));
}
static inline void emit_const(compiler *c, uint32_t to, uint64_t imm) {
    uint32_t at = emit(c, TS_IR_const_s, CLASS_NONE, to, 0, 0, 0);
    c->code.data[at + 2].u = imm;
    slot_written(c, to, 1);
}
static inline void spill_entry(compiler *c, uint32_t i) { /* write entry i to its own slot */
    operand_entry *e = &c->stack.data[i];
    switch (e->kind) {
    case ENTRY_IN_ACCUMULATOR: spill_accumulator(c, e->reg_class); return;
    case ENTRY_IS_LOCAL:
        emit_copy(c, e->reg_class, e->pos, c->locals.data[e->local].slot);
        c->locals.data[e->local].uses--;
        break;
    case ENTRY_IS_CONST: emit_const(c, e->pos, e->imm); break;
    default: break;
    }
    e->kind = ENTRY_IN_SLOT;
    e->at = NONE;
}
static inline void spill_top(compiler *c, uint32_t n) {
    for (uint32_t i = c->stack.len - n; i < c->stack.len; i++) spill_entry(c, i);
}
static inline void spill_all(compiler *c) {
    for (uint32_t i = c->spilled_below < c->stack.len ? c->spilled_below : c->stack.len; i < c->stack.len; i++)
        spill_entry(c, i);
    c->spilled_below = c->stack.len;
}
static inline void allow_jump_here(compiler *c) { /* code before a jump target must not be changed any more */
    c->last = NONE;
    c->add_to_local = NONE;
}
static inline void merge_control_flow(compiler *c) { /* the accumulators differ by the way that led here */
    allow_jump_here(c);
    c->accumulator_slot[0] = c->accumulator_slot[1] = c->accumulator_slot[2] = -1;
}
static inline popped_operand pop_operand(compiler *c) {
    TS_ASSERT(c->stack.len > 0);
    const operand_entry *e = &c->stack.data[--c->stack.len];
    if (c->spilled_below > c->stack.len) c->spilled_below = c->stack.len;
    c->next_slot = e->pos;
    popped_operand o = {.slot = -1, .at = e->at, .imm = e->imm, .pos = e->pos, .reg_class = e->reg_class};
    switch (e->kind) {
    case ENTRY_IN_ACCUMULATOR:
        o.in_accumulator = true;
        c->pending[e->reg_class] = NONE;
        return o;
    case ENTRY_IS_CONST: o.is_const = true; return o;
    case ENTRY_IS_LOCAL:
        c->locals.data[e->local].uses--;
        o.slot = c->locals.data[e->local].slot;
        o.at = NONE;
        break;
    default: o.slot = e->pos; break;
    }
    o.in_accumulator = o.reg_class < 3 && c->accumulator_slot[o.reg_class] == o.slot;
    return o;
}
/* Whether the last instruction computed the operand, which has no slot: it can be taken back. */
static inline bool is_last_result(const compiler *c, const popped_operand *o) {
    return o->in_accumulator && o->slot < 0 && o->at == c->last && c->last != NONE;
}
/* Put a constant, or a value that is in its accumulator alone, into the slot `pos`. */
void ts_put_in_slot(compiler *c, bool is_const, uint64_t imm, uint8_t reg_class, uint32_t at, uint32_t pos);
/* Put the operand into a slot and return the slot. */
static inline uint32_t operand_slot(compiler *c, popped_operand *o) {
    if (o->slot < 0) {
        ts_put_in_slot(c, o->is_const, o->imm, o->reg_class, o->at, o->pos);
        o->is_const = false;
        o->slot = o->pos;
    }
    return (uint32_t)o->slot;
}

static inline void set_word(compiler *c, uint32_t at, uint32_t word, uint64_t v) {
    c->code.data[at + word].u = v;
}
/* Drop the entries above height h. None of them is pending afterwards. */
static inline void pop_to_height(compiler *c, uint32_t h) {
    while (c->stack.len > h) (void)pop_operand(c);
}
static inline const ts_deftype *type_at(compiler *c, uint32_t canon) {
    return ts_types_get(ts_engine_types(c->module->engine), canon);
}
static inline uint32_t pop_into_slot(compiler *c) {
    popped_operand o = pop_operand(c);
    return operand_slot(c, &o);
}
/* Emit an operation on n operands in slots, s1 and up, with a result in s0. Without a result they begin at
 * s0. */
static inline uint32_t emit_by_slots(compiler *c, uint32_t op, uint32_t n, uint8_t out) {
    uint32_t s[4] = {0, 0, 0, 0};
    for (uint32_t i = n; i-- > 0;) s[i] = pop_into_slot(c);
    if (out == CLASS_NONE) return emit(c, op, CLASS_NONE, s[0], s[1], s[2], s[3]);
    uint32_t dst = result_slot(c, out);
    uint32_t at = emit(c, op, CLASS_NONE, dst, s[0], s[1], s[2]);
    push_result(c, out, at);
    return at;
}
static inline void set_word_pair(compiler *c, uint32_t at, uint32_t word, uint32_t lo, uint32_t hi) {
    c->code.data[at + word].uw[0] = lo;
    c->code.data[at + word].uw[1] = hi;
}
/* Pop n operands into their own, consecutive slots. Returns the first slot. */
static inline uint32_t operands_in_sequence(compiler *c, uint32_t n) {
    spill_top(c, n);
    uint32_t first = n ? c->stack.data[c->stack.len - n].pos : c->next_slot;
    pop_to_height(c, c->stack.len - n);
    return first;
}
static inline void mark_unreachable(compiler *c) {
    c->unreachable = true;
}

/* variables.c */
void ts_compile_local_set(compiler *c, uint32_t x, bool tee);
void ts_compile_select(compiler *c);
void ts_compile_global_get(compiler *c, uint32_t g);
void ts_compile_global_set(compiler *c, uint32_t g);
/* numeric.c: operations on one or two values; on n operands, with two results */
void ts_compile_numeric(compiler *c, const struct ts_op *o);
void ts_compile_wide_arithmetic(compiler *c, uint32_t op, uint32_t n);
/* memory.c */
void ts_compile_load(compiler *c, const struct ts_op *o);
void ts_compile_store(compiler *c, const struct ts_op *o);
/* control.c */
void ts_compile_unreachable(compiler *c);
void ts_compile_block(compiler *c, const struct ts_op *o);
void ts_compile_loop(compiler *c, const struct ts_op *o);
void ts_compile_if(compiler *c, const struct ts_op *o);
void ts_compile_try_table(compiler *c, const struct ts_op *o);
void ts_compile_else(compiler *c);
void ts_compile_end(compiler *c);
void ts_compile_br(compiler *c, uint32_t depth);
void ts_compile_br_if(compiler *c, uint32_t depth);
void ts_compile_br_table(compiler *c, const struct ts_op *o);
void ts_compile_br_on_null(compiler *c, uint32_t depth);
void ts_compile_br_on_non_null(compiler *c, uint32_t depth);
void ts_compile_br_on_cast(compiler *c, const struct ts_op *o, bool on_fail);
void ts_compile_return(compiler *c);
/* calls.c */
void ts_compile_call(compiler *c, uint32_t f);
void ts_compile_call_indirect(compiler *c, uint32_t type, uint32_t table);
void ts_compile_call_ref(compiler *c, uint32_t type);
void ts_compile_return_call(compiler *c, uint32_t f);
void ts_compile_return_call_indirect(compiler *c, uint32_t type, uint32_t table);
void ts_compile_return_call_ref(compiler *c, uint32_t type);
void ts_compile_throw(compiler *c, uint32_t tag);
void ts_compile_throw_ref(compiler *c);
/* Each of these compiles those instructions of its kind that have no function above. It returns false for all others.
 */
bool ts_compile_memory(compiler *c, const struct ts_op *o); /* memory.c: memories, tables, segments, vectors */
bool ts_compile_gc(compiler *c, const struct ts_op *o);     /* gc.c: references, structs, arrays */
bool ts_compile_simd(compiler *c, const struct ts_op *o);   /* simd.c */

/* Emit a return of the results on top of the operand stack (control.c). */
void ts_emit_return(compiler *c);
#endif
