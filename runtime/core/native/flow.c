/* flow: see flow.h. source: Chaitin, Register allocation and spilling via graph coloring (1982), with the
 * candidates in the order of their weights, as Chow and Hennessy (1990) do. */
#include "core/native/flow.h"
#include "base/assert.h"
#include <stdlib.h>
#include <string.h>

/* --- where control goes --------------------------------------------------------------------------------- */
static bool make_tables(flow *f) {
    flow_memory *m = &f->memory;
    const uint64_t most = (uint64_t)f->n_words + 1, slots = (uint64_t)f->n_slots + 2;
    if (!ts_vec_reserve(&m->ins, most) || !ts_vec_reserve(&m->operands, most) ||
        !ts_vec_reserve(&m->ins_of_word, most) || !ts_vec_reserve(&m->branches, most) ||
        !ts_vec_reserve(&m->candidate_of_slot, slots) || !ts_vec_reserve(&m->before, slots) ||
        !ts_vec_reserve(&m->uses, slots))
        return false;
    f->ins = m->ins.data;
    f->operands = m->operands.data;
    f->ins_of_word = m->ins_of_word.data;
    f->candidate_of_slot = m->candidate_of_slot.data;
    f->before = m->before.data;
    return true;
}
/* Returns the number of branches. */
static uint32_t decode(flow *f, uint32_t *branches) {
    uint32_t n = 0, n_branches = 0;
    for (uint32_t i = 0; i < f->n_words; i += ts_ir_len(&f->code[i])) {
        ts_operands *o = &f->operands[n];
        ts_operands_of(&f->code[i], o);
        f->ins[n] = (flow_instruction){.at = i,
                                       .target = NO_INSTRUCTION,
                                       .loop_last = NO_INSTRUCTION,
                                       .back_to = NO_INSTRUCTION,
                                       .ends = o->ends,
                                       .is_exit = o->is_exit,
                                       .is_table = o->is_table,
                                       .reads_late = o->reads_late};
        f->divides |= o->divides;
        f->has_vectors |= ts_has_vectors(o);
        if (o->branches || o->is_table) branches[n_branches++] = n;
        f->ins_of_word[i] = n++;
    }
    f->ins[n] = (flow_instruction){.at = f->n_words, .target = NO_INSTRUCTION, .loop_last = NO_INSTRUCTION};
    f->n = n;
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
        if (!f->ins[i].is_table)
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
static void count_use(const flow *f, flow_use *u, uint32_t slot, unsigned class, uint64_t weight) {
    if (slot > f->n_slots) slot = f->n_slots; /* NO_SLOT: a row that nothing reads */
    u[slot].weight += weight;
    u[slot].classes |= (uint8_t)(1u << class & KNOWN_CLASSES);
}
static uint64_t weight_at(uint32_t depth) {
    return (uint64_t)1 << (depth < 8 ? 3 * depth : 24);
}
/* Loops are counted by depth. */
static void count_uses(flow *f, flow_use *u) {
    uint32_t depth = 0;
    uint64_t weight = weight_at(0);
    memset(u, 0, (f->n_slots + 1u) * sizeof *u);
    for (uint32_t i = 0; i < f->n; i++) {
        const ts_operands *o = &f->operands[i];
        flow_instruction *in = &f->ins[i];
        if (in->loop_last != NO_INSTRUCTION) {
            depth++;
            f->ins[in->loop_last].loops_end++;
            weight = weight_at(depth);
        }
        count_use(f, u, o->read[0], o->read_class[0], weight);
        count_use(f, u, o->read[1], o->read_class[1], weight);
        for (uint32_t k = 2; k < o->n_reads; k++) count_use(f, u, o->read[k], o->read_class[k], weight);
        count_use(f, u, o->writes_pair ? NO_SLOT : o->write, o->write_class, weight);
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
        const ts_operands *o = &f->operands[i];
        const bool to_f32 =
            f->code[f->ins[i].at].u == TS_IR_copy && o->write < f->first_temporary && u[o->write].classes == 1u << IN_F;
        for (uint32_t k = 0; k < o->n_reads && !to_f32; k++)
            if (o->read_class[k] == IN_NONE) read_any(f, u, o->read[k], o->read[k] + 1u);
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
    uint64_t weights[MAX_CANDIDATES];
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
    uint16_t chosen[MAX_CANDIDATES];
    count_uses(f, u);
    if (has_f32_operands(f, u)) find_reads_of_any_class(f, u);
    f->n_candidates = choose_slots(f, u, chosen);
    memset(f->candidate_of_slot, NO_CANDIDATE, f->n_slots);
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        unsigned c = u[chosen[k]].classes;
        uint8_t class = c == 1 << IN_F ? IN_F : c == 1 << IN_D ? IN_D : IN_R;
        f->candidate[k] = (flow_candidate){.slot = chosen[k], .class = class, .home = NO_HOME};
        f->candidate_of_slot[chosen[k]] = (uint8_t)k;
        f->all |= SET_BIT(k);
    }
    f->before[0] = 0;
    for (uint32_t i = 0; i < f->n_slots; i++) {
        uint8_t k = f->candidate_of_slot[i];
        f->before[i + 1] = f->before[i] | (k == NO_CANDIDATE ? 0 : SET_BIT(k));
    }
    f->before[f->n_slots + 1] = f->before[f->n_slots]; /* NO_SLOT is no candidate */
}

/* --- uses ----------------------------------------------------------------------------------------------- */
/* The candidates among the slots before this one. */
static slot_set slots_before(const flow *f, uint32_t slot) {
    return f->before[slot < f->n_slots ? slot : f->n_slots];
}
static slot_set slots_between(const flow *f, uint32_t from, uint32_t to) {
    return slots_before(f, to) & ~slots_before(f, from);
}
static slot_set slot_bit(const flow *f, uint32_t slot) {
    if (slot > f->n_slots) slot = f->n_slots;
    return f->before[slot + 1] ^ f->before[slot];
}
/* The uses that few instructions have. */
static void find_rare_uses(const flow *f, flow_instruction *in, const ts_operands *o) {
    if (o->moved) in->reads |= slots_between(f, o->read[0], o->read[0] + o->moved);
    if (o->moved) in->writes |= slots_between(f, o->write, o->write + o->moved);
    for (uint32_t k = 0; k < o->n_pairs; k++) in->reads |= slots_between(f, o->pair[k], o->pair[k] + 2u);
    in->reads |= slots_between(f, o->range_from, o->range_to);
    if (o->writes_pair) in->writes |= slots_between(f, o->write, o->write + 2u);
    if (o->is_call) in->writes |= slots_between(f, o->range_from, UINT32_MAX);
    if (o->reads_all) in->reads |= f->all;
}
static void find_uses(const flow *f, flow_instruction *in, const ts_operands *o) {
    in->reads = (slot_set)o->acc_reads << BIT_R;
    in->writes = (slot_set)o->acc_writes << BIT_R;
    in->reads |= slot_bit(f, o->read[0]) | slot_bit(f, o->read[1]);
    for (uint32_t k = 2; k < o->n_reads; k++) in->reads |= slot_bit(f, o->read[k]);
    in->writes |= slot_bit(f, o->write);
    if (o->is_rare) find_rare_uses(f, in, o);
    /* What a handler reads must be in the frame when an exception comes. */
    if (o->is_exit && f->has_handlers) in->reads |= f->all;
}
/* The locals that the function's first instruction sets to zero. */
static slot_set zeroed(const flow *f) {
    const ts_word *w = f->code;
    return f->n_words && w->u == TS_IR_enter ? slots_between(f, w[1].s[0], (uint32_t)w[1].s[0] + w[1].s[1]) : 0;
}

/* --- liveness, and which candidates are alive together -------------------------------------------------- */
static void note_together(flow *f, slot_set born, slot_set alive) {
    for (; born; born &= born - 1) f->together[__builtin_ctzll(born)] |= alive;
}
/* What is alive around instruction i, by what is alive around those where control goes. */
static void find_alive(flow *f, uint32_t i) {
    flow_instruction *in = &f->ins[i];
    slot_set out = in->ends ? 0 : f->ins[i + 1].live_in;
    if (in->target != NO_INSTRUCTION) out |= f->ins[in->target].live_in;
    if (in->is_table) {
        const ts_word *w = f->code + in->at;
        for (uint32_t k = 0; k <= w[1].uw[1]; k++) out |= f->ins[f->ins_of_word[in->at + w[2 + k].i]].live_in;
    }
    in->live_out = out;
    in->live_in = in->reads | (out & ~in->writes);
    note_together(f, f->all & in->writes, out | (in->reads_late ? in->reads : 0));
}
/* Returns whether something else is alive at a loop's first instruction than before. */
static bool repeat(flow *f, uint32_t first, uint32_t last) {
    bool changed = false;
    for (uint32_t i = last + 1; i-- > first;) {
        slot_set before = f->ins[i].live_in;
        find_alive(f, i);
        changed |= f->ins[i].loop_last != NO_INSTRUCTION && f->ins[i].live_in != before;
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
        if (!in->is_exit) {
            l->used |= in->reads | in->writes;
            l->written |= in->writes;
        }
        l->leaves |= in->is_exit && !in->ends;
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
    uint64_t repeated = 0;
    uint32_t first = NO_INSTRUCTION, last = 0; /* the part that has been begun */
    for (uint32_t i = f->n; i-- > 0;) {
        flow_instruction *in = &f->ins[i];
        find_uses(f, in, &f->operands[i]);
        if (i == 0) in->writes |= zeroed(f);
        find_alive(f, i);
        if (in->back_to != NO_INSTRUCTION) {
            if (first == NO_INSTRUCTION) last = i;
            if (in->back_to < first) first = in->back_to;
        }
        if (i == first) {
            while (repeat(f, first, last)) {
                repeated += last - first;
                if (repeated > (uint64_t)f->n * MOST_REPEATED) return false;
            }
            first = NO_INSTRUCTION;
        }
        if (f->n_open || in->loops_end) note_loops(f, i);
    }
    const flow_instruction *in = f->ins; /* parameters are born with the function */
    note_together(f, f->all & in->live_in, in->live_out | in->live_in);
    return true;
}

/* --- registers ------------------------------------------------------------------------------------------ */
void ts_flow_choose_homes(flow *f, flow_registers have) {
    slot_set in_home[2][32] = {{0}};
    for (uint32_t k = 0; k < f->n_candidates; k++) note_together(f, f->together[k] & f->all, SET_BIT(k));
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        flow_candidate *c = &f->candidate[k];
        unsigned file = c->class != IN_R, n = file ? have.floating : have.integer;
        for (unsigned h = 0; h < n; h++) {
            if (in_home[file][h] & f->together[k]) continue;
            c->home = (uint8_t)h;
            in_home[file][h] |= SET_BIT(k);
            f->have_homes |= SET_BIT(k);
            break;
        }
    }
    for (uint32_t k = 0; k < f->n_candidates; k++)
        if (f->candidate[k].home != NO_HOME)
            f->shares[k] = in_home[f->candidate[k].class != IN_R][f->candidate[k].home] & ~SET_BIT(k);
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
    ts_vec_free(&f->memory.operands);
    ts_vec_free(&f->memory.ins_of_word);
    ts_vec_free(&f->memory.branches);
    ts_vec_free(&f->memory.candidate_of_slot);
    ts_vec_free(&f->memory.before);
    ts_vec_free(&f->memory.uses);
    ts_vec_free(&f->memory.loops);
    ts_vec_free(&f->memory.open_loops);
    memset(f, 0, sizeof *f);
}
