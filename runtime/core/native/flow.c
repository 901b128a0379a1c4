/* flow: see flow.h. source: Chaitin, Register allocation and spilling via graph coloring (1982), with the
 * candidates in the order of their weights, as Chow and Hennessy (1990) do. */
#include "core/native/flow.h"
#include "base/assert.h"
#include "core/code/compile.h"
#include <stdlib.h>
#include <string.h>

/* --- where control goes --------------------------------------------------------------------------------- */
/* Two tables by slot have a row for each number of 16 bits, so that no operand needs a comparison. The rows
 * behind the frame take no memory, except those from NO_SLOT on: an operand that an instruction does not have
 * uses one of them. No candidate is there, and nothing reads the weights. Several of them are in use, because
 * the updates of a single row would wait for each other. */
enum { ALL_SLOTS = UINT16_MAX + 1 };
_Static_assert((int)TS_MOST_FRAME_SLOTS < (int)NO_SLOT, "a slot must not look like NO_SLOT");
static bool make_tables_by_slot(flow_memory *m) {
    if (m->bits.cap) return true;
    if (!ts_vec_reserve(&m->uses, ALL_SLOTS) || !ts_vec_reserve(&m->bits, ALL_SLOTS)) return false;
    memset(m->bits.data + NO_SLOT, 0, (ALL_SLOTS - NO_SLOT) * sizeof *m->bits.data);
    return true;
}
static bool make_tables(flow *f) {
    flow_memory *m = &f->memory;
    const uint64_t most = (uint64_t)f->n_words + 1, slots = (uint64_t)f->n_slots + 1;
    if (!ts_vec_reserve(&m->ins, most) || !ts_vec_reserve(&m->ins_of_word, most) ||
        !ts_vec_reserve(&m->branches, most) || !ts_vec_reserve(&m->candidate_of_slot, slots) ||
        !ts_vec_reserve(&m->before, slots) || !make_tables_by_slot(m))
        return false;
    f->ins = m->ins.data;
    f->ins_of_word = m->ins_of_word.data;
    f->candidate_of_slot = m->candidate_of_slot.data;
    f->before = m->before.data;
    f->bits = m->bits.data;
    return true;
}
static bool has_branches(const ts_operands *o) {
    return o->branches | o->is_table;
}
/* Returns the number of branches. */
static uint32_t decode(flow *f, uint32_t *branches) {
    const ts_word *code = f->code;
    const uint32_t n_words = f->n_words;
    uint32_t n = 0, n_branches = 0;
    bool divides = false, has_vectors = false;
    for (uint32_t at = 0; at < n_words; at += ts_ir_len(&code[at])) {
        flow_instruction *in = &f->ins[n];
        const ts_operands *o = &in->operands;
        in->at = at;
        in->target = in->loop_last = in->back_to = NO_INSTRUCTION;
        in->loops_end = in->label = 0;
        in->kind = ts_shapes[code[at].u].kind;
        in->is_label = in->is_entry = false;
        in->live_in = 0;
        ts_operands_of(&code[at], &in->operands);
        divides |= o->divides;
        has_vectors |= ts_has_vectors(o);
        branches[n_branches] = n;
        n_branches += has_branches(o);
        f->ins_of_word[at] = n++;
    }
    f->ins[n] = (flow_instruction){.at = n_words, .target = NO_INSTRUCTION, .loop_last = NO_INSTRUCTION};
    f->n = n;
    f->divides = divides;
    f->has_vectors = has_vectors;
    return n_branches;
}
static void note_label(flow *f, flow_instruction *in) {
    if (!in->is_label) in->label = f->n_labels++;
    in->is_label = true;
}
static uint32_t jump_to(flow *f, uint32_t from, int64_t distance) {
    flow_instruction *in = &f->ins[from];
    uint32_t to = f->ins_of_word[in->at + distance];
    note_label(f, &f->ins[to]);
    if (to <= from) {
        f->ins[to].loop_last = from; /* `from` rises */
        if (to < in->back_to) in->back_to = to;
    }
    return to;
}
static void find_labels(flow *f, const uint32_t *branches, uint32_t n, const ts_handler *handlers,
                        uint32_t n_handlers) {
    for (uint32_t b = 0; b < n; b++) {
        uint32_t i = branches[b];
        const ts_word *w = f->code + f->ins[i].at;
        if (!f->ins[i].operands.is_table)
            f->ins[i].target = jump_to(f, i, w[1].w[1]);
        else
            for (uint32_t k = 0; k <= w[1].uw[1]; k++) jump_to(f, i, w[2 + k].i);
    }
    for (uint32_t k = 0; k < n_handlers; k++) {
        flow_instruction *to = &f->ins[f->ins_of_word[handlers[k].target]];
        note_label(f, to);
        to->is_entry = true;
    }
}

/* The memory for the loops, of which there are no more than labels. */
static bool make_loops(flow *f) {
    flow_memory *m = &f->memory;
    const uint64_t most = (uint64_t)f->n_labels + 1;
    if (!ts_vec_reserve(&m->loops, most) || !ts_vec_reserve(&m->open_loops, most)) return false;
    f->loops = m->loops.data;
    return true;
}

/* --- candidates ----------------------------------------------------------------------------------------- */
static void count_use(flow_use *u, uint32_t slot, uint8_t classes, uint64_t weight) {
    u[slot].weight += weight;
    u[slot].classes |= classes;
}
static void count_rare_uses(flow_use *u, const ts_operands *o, uint64_t weight) {
    for (uint32_t k = 2; k < o->n_reads; k++) count_use(u, o->read[k], o->read_classes[k], weight);
    if (o->writes_pair) u[o->write].weight -= weight; /* a vector takes no register of a slot */
}
static uint64_t weight_at(uint32_t depth) {
    return (uint64_t)1 << (depth < 8 ? 3 * depth : 24);
}
/* Loops are counted by depth. */
static void count_uses(flow *f, flow_use *u) {
    uint32_t depth = 0;
    uint64_t weight = weight_at(0);
    memset(u, 0, f->n_slots * sizeof *u);
    for (flow_instruction *in = f->ins, *const end = in + f->n; in < end; in++) {
        const ts_operands *o = &in->operands;
        if (in->loop_last != NO_INSTRUCTION) {
            depth++;
            f->ins[in->loop_last].loops_end++;
            weight = weight_at(depth);
        }
        count_use(u, o->read[0], o->read_classes[0], weight);
        count_use(u, o->read[1], o->read_classes[1], weight);
        count_use(u, o->write, o->write_classes, weight);
        if (TS_UNLIKELY(o->is_rare)) count_rare_uses(u, o, weight);
        if (in->loops_end) {
            depth -= in->loops_end;
            weight = weight_at(depth);
        }
    }
}
/* --- slots of the operand stack that hold an f32 here, and something else there
 * A register of class IN_F keeps and stores 32 bits. An instruction that takes a value of any class does not tell whether
 * it is an f32: a slot that one reads stays in memory, if it is an f32 elsewhere. A copy to a local that is an f32 tells. */
static void read_any(const flow *f, flow_use *u, uint32_t from, uint32_t to) {
    if (to > f->n_slots) to = f->n_slots;
    for (uint32_t s = from; s < to; s++) u[s].is_read_any = true;
}
static bool has_f32_operands(const flow *f, const flow_use *u) {
    unsigned classes = 0;
    for (uint32_t s = f->first_temporary; s < f->n_slots; s++) classes |= u[s].classes;
    return classes & 1u << IN_F;
}
static void find_reads_of_any_class(const flow *f, flow_use *u) {
    for (uint32_t i = 0; i < f->n; i++) {
        const ts_operands *o = &f->ins[i].operands;
        const bool to_f32 =
            f->code[f->ins[i].at].u == TS_IR_copy && o->write < f->first_temporary && u[o->write].classes == 1u << IN_F;
        for (uint32_t k = 0; k < o->n_reads && !to_f32; k++)
            if (!o->read_classes[k]) read_any(f, u, o->read[k], o->read[k] + 1u);
        if (o->moved) read_any(f, u, o->read[0], o->read[0] + o->moved);
        for (uint32_t k = 0; k < o->n_pairs; k++) read_any(f, u, o->pair[k], o->pair[k] + 2u);
        read_any(f, u, o->range_from, o->range_to);
    }
}
static bool takes_register(const flow *f, const flow_use *u, uint32_t slot) {
    if (u->weight <= 1 || (u->classes & (u->classes - 1))) return false;
    return u->classes != 1u << IN_F || slot < f->first_temporary || !u->is_read_any;
}
/* The slots with the greatest weights, the greatest first; of equal ones the lowest slot first. Returns their number. */
static uint32_t choose_slots(const flow *f, const flow_use *u, uint16_t chosen[MAX_CANDIDATES]) {
    uint64_t weights[MAX_CANDIDATES] TS_FILLED_LATER;
    uint32_t n = 0;
    for (uint32_t s = 0; s < f->n_slots; s++) {
        if (!takes_register(f, &u[s], s) || (n == MAX_CANDIDATES && u[s].weight <= weights[n - 1])) continue;
        uint32_t at = n < MAX_CANDIDATES ? n++ : n - 1;
        for (; at > 0 && weights[at - 1] < u[s].weight; at--) {
            weights[at] = weights[at - 1];
            chosen[at] = chosen[at - 1];
        }
        weights[at] = u[s].weight;
        chosen[at] = (uint16_t)s;
    }
    return n;
}
static void choose_candidates(flow *f) {
    flow_use *u = f->memory.uses.data;
    uint16_t chosen[MAX_CANDIDATES] TS_FILLED_LATER;
    count_uses(f, u);
    if (has_f32_operands(f, u)) find_reads_of_any_class(f, u);
    f->n_candidates = choose_slots(f, u, chosen);
    memset(f->candidate_of_slot, NO_CANDIDATE, f->n_slots);
    memset(f->bits, 0, f->n_slots * sizeof *f->bits);
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        unsigned c = u[chosen[k]].classes;
        uint8_t class = c == 1 << IN_F ? IN_F : c == 1 << IN_D ? IN_D : IN_R;
        f->candidate[k] = (flow_candidate){.slot = chosen[k], .class = class};
        f->bits[chosen[k]] = SET_BIT(k);
        f->all |= SET_BIT(k);
    }
    f->before[0] = 0;
    for (uint32_t i = 0; i < f->n_slots; i++) f->before[i + 1] = f->before[i] | f->bits[i];
}

/* --- uses ----------------------------------------------------------------------------------------------- */
/* The candidates among the slots before this one. */
static slot_set slots_before(const flow *f, uint32_t slot) {
    return f->before[slot < f->n_slots ? slot : f->n_slots];
}
static slot_set slots_between(const flow *f, uint32_t from, uint32_t to) {
    return slots_before(f, to) & ~slots_before(f, from);
}
/* The uses that few instructions have. */
static void find_rare_uses(const flow *f, const ts_operands *o, slot_set *reads, slot_set *writes) {
    for (uint32_t k = 2; k < o->n_reads; k++) *reads |= f->bits[o->read[k]];
    if (o->moved) *reads |= slots_between(f, o->read[0], o->read[0] + o->moved);
    if (o->moved) *writes |= slots_between(f, o->write, o->write + o->moved);
    for (uint32_t k = 0; k < o->n_pairs; k++) *reads |= slots_between(f, o->pair[k], o->pair[k] + 2u);
    *reads |= slots_between(f, o->range_from, o->range_to);
    if (o->writes_pair) *writes |= slots_between(f, o->write, o->write + 2u);
    if (o->is_call) *writes |= slots_between(f, o->range_from, UINT32_MAX);
    /* What a handler reads must be in the frame when an exception comes. */
    if (o->reads_all || (o->is_exit && f->has_handlers)) *reads |= f->all;
}
/* The locals that the function's first instruction sets to zero. */
static slot_set zeroed(const flow *f) {
    const ts_word *w = f->code;
    return f->n_words && w->u == TS_IR_enter ? slots_between(f, w[1].s[0], (uint32_t)w[1].s[0] + w[1].s[1]) : 0;
}

/* --- liveness, and which candidates are alive together -------------------------------------------------- */
static void note_together(slot_set *together, slot_set born, slot_set alive) {
    for (; born; born &= born - 1) together[__builtin_ctzll(born)] |= alive;
}
static bool has_control(const ts_operands *o) {
    return o->ends | has_branches(o);
}
/* What is alive behind a branch or an end, from what is alive where control goes. next: at the instruction behind it. */
static slot_set alive_behind_control(const flow *f, const flow_instruction *in, slot_set next) {
    slot_set out = in->operands.ends ? 0 : next;
    if (in->target != NO_INSTRUCTION) out |= f->ins[in->target].live_in;
    if (in->operands.is_table) {
        const ts_word *w = f->code + in->at;
        for (uint32_t k = 0; k <= w[1].uw[1]; k++) out |= f->ins[f->ins_of_word[in->at + w[2 + k].i]].live_in;
    }
    return out;
}
/* Stores what is alive before and behind an instruction. Returns what is alive before it. */
static inline slot_set find_alive(flow *f, flow_instruction *in, slot_set reads, slot_set writes, slot_set next,
                                  slot_set all) {
    const ts_operands *o = &in->operands;
    const slot_set out = TS_UNLIKELY(has_control(o)) ? alive_behind_control(f, in, next) : next,
                   before = reads | (out & ~writes);
    in->live_out = out;
    in->live_in = before;
    note_together(f->together, all & writes, out | (o->reads_late ? reads : 0));
    return before;
}
/* Returns whether something else is alive at a loop's first instruction than before. */
static bool repeat(flow *f, uint32_t first, uint32_t last) {
    const slot_set all = f->all;
    const flow_instruction *const begin = &f->ins[first];
    bool changed = false;
    slot_set next = f->ins[last + 1].live_in;
    for (flow_instruction *in = &f->ins[last]; in >= begin; in--) {
        const slot_set before = in->live_in;
        next = find_alive(f, in, in->reads, in->writes, next, all);
        changed |= in->loop_last != NO_INSTRUCTION && next != before;
    }
    return changed;
}
/* --- loops ---------------------------------------------------------------------------------------------- */
static void join(flow_loop *to, const flow_loop *from) {
    to->used |= from->used;
    to->written |= from->written;
    to->leaves |= from->leaves;
}
/* Instruction i, from the last one to the first. Open loops are those whose last branch has been seen. Each has what its
 * instructions do that belong to no loop that was opened later. The latter are the inner ones, but that a branch may go back
 * to an outer loop from within, and be its last one. Loops that end at the same branch are closed in the order of their
 * beginnings, the last first. */
static void note_loops(flow *f, uint32_t i) {
    enum { MOST_SEARCHED = 16 }; /* of loops that end in another order than they begin; then it is another one's */
    const flow_instruction *in = &f->ins[i];
    flow_loop *open = f->memory.open_loops.data;
    uint32_t n = f->n_open;
    for (uint32_t k = 0; k < in->loops_end; k++) open[n++] = (flow_loop){.last = i};
    if (n) {
        flow_loop *l = &open[n - 1];
        if (!in->operands.is_exit) {
            l->used |= in->reads | in->writes;
            l->written |= in->writes;
        }
        l->leaves |= in->operands.is_exit && !in->operands.ends;
    }
    if (in->loop_last != NO_INSTRUCTION) {
        TS_ASSERT(n > 0);
        flow_loop whole = open[n - 1];
        uint32_t k = n - 1;
        for (uint32_t s = 1; open[k].last != in->loop_last && k > 0 && s < MOST_SEARCHED; s++) {
            k--;
            join(&whole, &open[k]);
        }
        f->loops[in->label] = whole;
        if (k > 0) join(&open[k - 1], &open[k]);
        n--;
        memmove(&open[k], &open[k + 1], (n - k) * sizeof *open);
    }
    f->n_open = n;
}
/* From the last instruction to the first, which is enough but for loops: at first nothing is known to be alive where a
 * branch goes back to. So the part from there to the branch is repeated, until nothing changes: once more than loops are
 * nested, at most. */
static bool find_liveness(flow *f) {
    enum { MOST_REPEATED = 100 }; /* times the number of instructions */
    const slot_set all = f->all, *const bits = f->bits;
    uint64_t repeated = 0;
    uint32_t first = NO_INSTRUCTION, last = 0; /* the part that has been begun */
    slot_set next = 0;
    for (uint32_t i = f->n; i-- > 0;) {
        flow_instruction *in = &f->ins[i];
        const ts_operands *o = &in->operands;
        slot_set reads = (slot_set)o->acc_reads << BIT_R | bits[o->read[0]] | bits[o->read[1]],
                 writes = (slot_set)o->acc_writes << BIT_R | bits[o->write];
        if (TS_UNLIKELY(o->is_rare)) find_rare_uses(f, o, &reads, &writes);
        if (TS_UNLIKELY(i == 0)) writes |= zeroed(f);
        in->reads = reads;
        in->writes = writes;
        next = find_alive(f, in, reads, writes, next, all);
        if (has_branches(o) && in->back_to != NO_INSTRUCTION) {
            if (first == NO_INSTRUCTION) last = i;
            if (in->back_to < first) first = in->back_to;
        }
        if (TS_UNLIKELY(i == first)) {
            while (repeat(f, first, last)) {
                repeated += last - first;
                if (repeated > (uint64_t)f->n * MOST_REPEATED) return false;
            }
            first = NO_INSTRUCTION;
            next = in->live_in;
        }
        if (f->n_open || in->loops_end) note_loops(f, i);
    }
    const flow_instruction *in = f->ins; /* parameters are born with the function */
    note_together(f->together, all & in->live_in, in->live_out | in->live_in);
    return true;
}

/* --- registers ------------------------------------------------------------------------------------------ */
void ts_flow_choose_homes(flow *f, flow_registers have) {
    slot_set in_home[2][32] TS_FILLED_LATER;
    memset(in_home[1], 0, have.n_integer * sizeof in_home[1][0]);
    memset(in_home[0], 0, have.n_floating * sizeof in_home[1][0]);
    slot_set *home_of[MAX_CANDIDATES] TS_FILLED_LATER;
    for (uint32_t k = 0; k < f->n_candidates; k++) note_together(f->together, f->together[k] & f->all, SET_BIT(k));
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        flow_candidate *c = &f->candidate[k];
        const bool is_integer = c->class == IN_R;
        const unsigned n = is_integer ? have.n_integer : have.n_floating;
        slot_set *const of = in_home[is_integer];
        unsigned h = 0;
        while (h < n && of[h] & f->together[k]) h++;
        if (h == n) continue;
        home_of[k] = &of[h];
        of[h] |= SET_BIT(k);
        f->have_homes |= SET_BIT(k);
        c->home = (is_integer ? have.integer : have.floating)[h];
        f->candidate_of_slot[c->slot] = (uint8_t)k;
    }
    for (uint32_t k = 0; k < f->n_candidates; k++)
        if (f->have_homes & SET_BIT(k)) f->shares[k] = *home_of[k] & ~SET_BIT(k);
}

bool ts_flow_analyse(flow *f, const ts_word *code, uint32_t n_words, uint32_t n_slots, const ts_handler *handlers,
                     uint32_t n_handlers) {
    *f = (flow){
        .memory = f->memory, .code = code, .n_words = n_words, .n_slots = n_slots, .has_handlers = n_handlers > 0};
    if (n_words && (code->u == TS_IR_enter || code->u == TS_IR_enter0))
        f->first_temporary = (uint32_t)code[1].s[0] + code[1].s[1];
    if (!make_tables(f)) return false;
    uint32_t *branches = f->memory.branches.data, n_branches = decode(f, branches);
    find_labels(f, branches, n_branches, handlers, n_handlers);
    choose_candidates(f);
    return make_loops(f) && find_liveness(f);
}
void ts_flow_free(flow *f) {
    ts_vec_free(&f->memory.ins);
    ts_vec_free(&f->memory.ins_of_word);
    ts_vec_free(&f->memory.branches);
    ts_vec_free(&f->memory.candidate_of_slot);
    ts_vec_free(&f->memory.before);
    ts_vec_free(&f->memory.bits);
    ts_vec_free(&f->memory.uses);
    ts_vec_free(&f->memory.loops);
    ts_vec_free(&f->memory.open_loops);
    memset(f, 0, sizeof *f);
}
