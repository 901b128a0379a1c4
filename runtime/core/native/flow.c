/* flow: see flow.h. source: Chaitin, Register allocation and spilling via graph coloring (1982), with the
 * candidates in the order of their weights, as Chow and Hennessy (1990) do. */
#include "core/native/flow.h"
#include <stdlib.h>
#include <string.h>

static bool is_table(const ts_word *w) {
    return w->u == TS_IR_br_table || w->u == TS_IR_br_table_A;
}

/* --- where control goes --------------------------------------------------------------------------------- */
static flow_instruction at_word(uint32_t at) {
    return (flow_instruction){.at = at, .target = NO_INSTRUCTION, .loop_last = NO_INSTRUCTION};
}
static bool make_tables(flow *f) {
    flow_memory *m = &f->memory;
    const uint64_t most = (uint64_t)f->n_words + 1, slots = (uint64_t)f->n_slots + 1;
    if (!ts_vec_reserve(&m->ins, most) || !ts_vec_reserve(&m->operands, most) ||
        !ts_vec_reserve(&m->ins_of_word, most) || !ts_vec_reserve(&m->candidate_of_slot, slots) ||
        !ts_vec_reserve(&m->before, slots) || !ts_vec_reserve(&m->uses, slots))
        return false;
    f->ins = m->ins.data;
    f->operands = m->operands.data;
    f->ins_of_word = m->ins_of_word.data;
    f->candidate_of_slot = m->candidate_of_slot.data;
    f->before = m->before.data;
    return true;
}
static void decode(flow *f) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n_words; i += ts_ir_len(&f->code[i])) {
        f->ins[n] = at_word(i);
        ts_operands_of(&f->code[i], &f->operands[n]);
        f->ins_of_word[i] = n++;
    }
    f->ins[n] = at_word(f->n_words);
    f->n = n;
}
static uint32_t jump_to(flow *f, uint32_t from, int64_t distance) {
    uint32_t to = f->ins_of_word[f->ins[from].at + distance];
    f->ins[to].is_label = true;
    if (to <= from) f->ins[to].loop_last = from; /* `from` rises */
    return to;
}
static void find_labels(flow *f, const ts_handler *handlers, uint32_t n_handlers) {
    for (uint32_t i = 0; i < f->n; i++) {
        const ts_word *w = f->code + f->ins[i].at;
        if (f->operands[i].branches) f->ins[i].target = jump_to(f, i, w[1].w[1]);
        if (is_table(w))
            for (uint32_t k = 0; k <= w[1].uw[1]; k++) jump_to(f, i, w[2 + k].i);
    }
    for (uint32_t k = 0; k < n_handlers; k++) {
        flow_instruction *to = &f->ins[f->ins_of_word[handlers[k].target]];
        to->is_label = to->is_entry = true;
    }
}

/* --- candidates ----------------------------------------------------------------------------------------- */
static void count_use(const flow *f, flow_use *u, uint32_t slot, unsigned class, uint64_t weight) {
    if (slot >= f->n_slots) return;
    u[slot].weight += weight;
    if (class < IN_NONE) u[slot].classes |= (uint8_t)(1u << class);
}
/* --- slots of the operand stack that hold an f32 here, and something else there
 * A register of class IN_F keeps and stores 32 bits. An instruction that takes a value of any class does not tell whether
 * it is an f32: a slot that one reads stays in memory, if it is an f32 elsewhere. A copy to a local that is an f32 tells. */
static void read_any(const flow *f, flow_use *u, uint32_t from, uint32_t to) {
    if (to > f->n_slots) to = f->n_slots;
    for (uint32_t s = from; s < to; s++) u[s].is_read_any = true;
}
static void find_reads_of_any_class(const flow *f, flow_use *u) {
    for (uint32_t i = 0; i < f->n; i++) {
        const ts_operands *o = &f->operands[i];
        const bool to_f32 = f->code[f->ins[i].at].u == TS_IR_copy && (uint32_t)o->write < f->first_temporary &&
                            u[o->write].classes == 1u << IN_F;
        for (uint32_t k = 0; k < o->n_reads && !to_f32; k++)
            if (o->read_class[k] == IN_NONE) read_any(f, u, o->read[k], o->read[k] + 1u);
        if (o->moved) read_any(f, u, o->read[0], o->read[0] + o->moved);
        for (uint32_t k = 0; k < o->n_pairs; k++) read_any(f, u, o->pair[k], o->pair[k] + 2u);
        read_any(f, u, o->range_from, o->range_to);
        if (o->is_call) read_any(f, u, o->args_from, o->args_to);
    }
}
static bool takes_register(const flow *f, const flow_use *u) {
    if (u->weight <= 1 || (u->classes & (u->classes - 1))) return false;
    return u->classes != 1u << IN_F || u->slot < f->first_temporary || !u->is_read_any;
}
static int by_weight(const void *pa, const void *pb) {
    const flow_use *a = pa, *b = pb;
    if (a->weight != b->weight) return a->weight < b->weight ? 1 : -1;
    return a->slot < b->slot ? -1 : 1;
}
static void choose_candidates(flow *f) {
    flow_use *u = f->memory.uses.data;
    for (uint32_t s = 0; s < f->n_slots; s++) u[s] = (flow_use){.slot = s};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        const ts_operands *o = &f->operands[i];
        if (f->ins[i].loop_last != NO_INSTRUCTION) {
            depth++;
            f->ins[f->ins[i].loop_last].loops_end++;
        }
        uint64_t weight = (uint64_t)1 << (depth < 8 ? 3 * depth : 24);
        for (uint32_t k = 0; k < o->n_reads; k++) count_use(f, u, o->read[k], o->read_class[k], weight);
        if (o->write >= 0 && !o->writes_pair) count_use(f, u, (uint32_t)o->write, o->write_class, weight);
        depth -= f->ins[i].loops_end;
    }
    find_reads_of_any_class(f, u);
    uint32_t n = 0;
    for (uint32_t s = 0; s < f->n_slots; s++)
        if (takes_register(f, &u[s])) u[n++] = u[s];
    memset(f->candidate_of_slot, NO_CANDIDATE, f->n_slots);
    qsort(u, n, sizeof *u, by_weight);
    f->n_candidates = n < MAX_CANDIDATES ? n : MAX_CANDIDATES;
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        unsigned c = u[k].classes;
        uint8_t class = c == 1 << IN_F ? IN_F : c == 1 << IN_D ? IN_D : IN_R;
        f->candidate[k] = (flow_candidate){.slot = (uint16_t)u[k].slot, .class = class, .home = NO_HOME};
        f->candidate_of_slot[u[k].slot] = (uint8_t)k;
        f->all |= SET_BIT(k);
        f->of_class[class] |= SET_BIT(k);
    }
    f->before[0] = 0;
    for (uint32_t i = 0; i < f->n_slots; i++) {
        uint8_t k = f->candidate_of_slot[i];
        f->before[i + 1] = f->before[i] | (k == NO_CANDIDATE ? 0 : SET_BIT(k));
    }
}

/* --- liveness ------------------------------------------------------------------------------------------- */
/* The candidates among the slots before this one. */
static slot_set slots_before(const flow *f, uint32_t slot) {
    return f->before[slot < f->n_slots ? slot : f->n_slots];
}
static slot_set slots_between(const flow *f, uint32_t from, uint32_t to) {
    return slots_before(f, to) & ~slots_before(f, from);
}
static slot_set slot_bit(const flow *f, uint32_t slot) {
    uint8_t k = slot < f->n_slots ? f->candidate_of_slot[slot] : NO_CANDIDATE;
    return k == NO_CANDIDATE ? 0 : SET_BIT(k);
}
/* The uses that few instructions have. */
static void find_rare_uses(const flow *f, flow_instruction *in, const ts_operands *o) {
    if (o->moved) in->reads |= slots_between(f, o->read[0], o->read[0] + o->moved);
    if (o->moved && o->write >= 0) in->writes |= slots_between(f, (uint32_t)o->write, (uint32_t)o->write + o->moved);
    for (uint32_t k = 0; k < o->n_pairs; k++) in->reads |= slots_between(f, o->pair[k], o->pair[k] + 2u);
    in->reads |= slots_between(f, o->range_from, o->range_to);
    if (o->writes_pair) in->writes |= slots_between(f, (uint32_t)o->write, (uint32_t)o->write + 2);
    if (o->is_call) {
        in->reads |= slots_between(f, o->args_from, o->args_to);
        in->writes |= slots_between(f, o->args_from, UINT32_MAX);
    }
    if (o->reads_all) in->reads |= f->all;
}
static void find_uses(flow *f, bool has_handlers) {
    for (uint32_t i = 0; i < f->n; i++) {
        flow_instruction *in = &f->ins[i];
        const ts_operands *o = &f->operands[i];
        in->ends = o->ends;
        in->is_exit = o->is_exit;
        in->reads_late = o->reads_late;
        in->reads = (slot_set)o->acc_reads << BIT_R;
        in->writes = (slot_set)o->acc_writes << BIT_R;
        for (uint32_t k = 0; k < o->n_reads; k++) in->reads |= slot_bit(f, o->read[k]);
        if (o->write >= 0 && !o->moved) in->writes |= slot_bit(f, (uint32_t)o->write);
        if (o->moved | o->n_pairs | o->range_to | o->writes_pair | o->is_call | o->reads_all) find_rare_uses(f, in, o);
        /* What a handler reads must be in the frame when an exception comes. */
        if (o->is_exit && has_handlers) in->reads |= f->all;
        if (f->code[in->at].u == TS_IR_enter)
            in->writes |= slots_between(f, f->code[in->at + 1].s[0],
                                        (uint32_t)f->code[in->at + 1].s[0] + f->code[in->at + 1].s[1]);
    }
}
static void find_liveness(flow *f) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t i = f->n; i-- > 0;) {
            flow_instruction *in = &f->ins[i];
            const ts_word *w = f->code + in->at;
            slot_set out = in->ends ? 0 : f->ins[i + 1].live_in;
            if (in->target != NO_INSTRUCTION) out |= f->ins[in->target].live_in;
            if (is_table(w))
                for (uint32_t k = 0; k <= w[1].uw[1]; k++) out |= f->ins[f->ins_of_word[in->at + w[2 + k].i]].live_in;
            slot_set live = in->reads | (out & ~in->writes);
            in->live_out = out;
            if (live != in->live_in) {
                in->live_in = live;
                changed = changed || in->is_label;
            }
        }
    }
}

/* --- registers ------------------------------------------------------------------------------------------ */
static void choose_homes(flow *f, flow_registers have) {
    slot_set together[MAX_CANDIDATES] = {0};
    for (uint32_t i = 0; i < f->n; i++) {
        const flow_instruction *in = &f->ins[i];
        slot_set alive = in->live_out | (in->reads_late ? in->reads : 0);
        slot_set born = i == 0 ? f->all & (in->live_in | in->writes) : f->all & in->writes;
        if (i == 0) alive |= in->live_in;
        while (born) {
            unsigned k = (unsigned)__builtin_ctzll(born);
            born &= born - 1;
            together[k] |= alive;
        }
    }
    slot_set in_home[2][32] = {{0}};
    for (uint32_t k = 0; k < f->n_candidates; k++) {
        flow_candidate *c = &f->candidate[k];
        unsigned file = c->class != IN_R, n = file ? have.floating : have.integer;
        for (uint32_t j = 0; j < f->n_candidates; j++)
            if (together[j] >> k & 1) together[k] |= SET_BIT(j);
        for (unsigned h = 0; h < n; h++) {
            if (in_home[file][h] & together[k]) continue;
            c->home = (uint8_t)h;
            in_home[file][h] |= SET_BIT(k);
            break;
        }
    }
    for (uint32_t k = 0; k < f->n_candidates; k++)
        if (f->candidate[k].home != NO_HOME)
            f->shares[k] = in_home[f->candidate[k].class != IN_R][f->candidate[k].home] & ~SET_BIT(k);
}

bool ts_flow_analyse(flow *f, const ts_word *code, uint32_t n_words, uint32_t n_slots, const ts_handler *handlers,
                     uint32_t n_handlers, flow_registers have) {
    *f = (flow){.memory = f->memory, .code = code, .n_words = n_words, .n_slots = n_slots};
    if (n_words && (code->u == TS_IR_enter || code->u == TS_IR_enter0))
        f->first_temporary = (uint32_t)code[1].s[0] + code[1].s[1];
    if (!make_tables(f)) return false;
    decode(f);
    find_labels(f, handlers, n_handlers);
    choose_candidates(f);
    find_uses(f, n_handlers > 0);
    find_liveness(f);
    choose_homes(f, have);
    return true;
}
void ts_flow_free(flow *f) {
    ts_vec_free(&f->memory.ins);
    ts_vec_free(&f->memory.operands);
    ts_vec_free(&f->memory.ins_of_word);
    ts_vec_free(&f->memory.candidate_of_slot);
    ts_vec_free(&f->memory.before);
    ts_vec_free(&f->memory.uses);
    memset(f, 0, sizeof *f);
}
