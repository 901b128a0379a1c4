/* calls: calls, tail calls and throwing. Arguments go to the slots where the callee's frame begins.
 * In: call instructions. Out: code. spec: exec/instructions#calling */
#include "core/code/compiler.h"

uint32_t ts_frame_link(const ts_deftype *t) {
    return t->param_slots > t->result_slots ? t->param_slots : t->result_slots;
}

/* Put the arguments into their slots and remove them from the operand stack. Returns the slot of the first
 * one. */
static uint32_t pass_arguments(compiler *c, const ts_deftype *t) {
    spill_top(c, t->n_params);
    spill_accumulators(c);
    pop_to_height(c, c->stack.len - t->n_params);
    uint32_t base = c->next_slot;
    reserve_frame(c, (uint64_t)base + ts_frame_link(t) + 2);
    return base;
}
static void push_results(compiler *c, const ts_deftype *t) {
    forget_accumulators(c);
    c->last = NONE;
    if (!reserve_entries(c, t->n_results)) return;
    for (uint32_t i = 0; i < t->n_results; i++) push_entry(c, ENTRY_IN_SLOT, class_of(t->results[i]));
    if (t->n_results == 1) {
        const operand_entry *e = &c->stack.data[c->stack.len - 1];
        if (e->reg_class < 3) c->accumulator_slot[e->reg_class] = e->pos;
    }
}

void ts_compile_call(compiler *c, uint32_t f) {
    const ts_deftype *t = type_at(c, c->module->funcs[f].type);
    uint32_t base = pass_arguments(c, t);
    if (c->module->funcs[f].imported) {
        emit_word1(c, TS_IR_call_import, CLASS_NONE, base, 0, f);
    } else {
        uint32_t at = emit(c, TS_IR_call, CLASS_NONE, base, base + ts_frame_link(t), 0, 0);
        c->code.data[at + 2].u = f;
    }
    push_results(c, t);
}
void ts_compile_call_indirect(compiler *c, uint32_t type, uint32_t table) {
    const ts_deftype *t = type_at(c, c->module->types[type]);
    popped_operand i = pop_operand(c);
    uint32_t si = operand_slot(c, &i);
    /* The index is in a local, which stays as it is, or in the slot above the arguments. The callee's link
     * may overwrite that slot, but only after the index has been read. */
    uint32_t base = pass_arguments(c, t);
    uint32_t at = emit(c, TS_IR_call_indirect, CLASS_NONE, base, base + ts_frame_link(t), 0, si);
    c->code.data[at + 2].uw[0] = t->id;
    c->code.data[at + 2].uw[1] = table;
    push_results(c, t);
}
void ts_compile_call_ref(compiler *c, uint32_t type) {
    const ts_deftype *t = type_at(c, c->module->types[type]);
    popped_operand i = pop_operand(c);
    uint32_t si = operand_slot(c, &i);
    uint32_t base = pass_arguments(c, t);
    emit(c, TS_IR_call_ref, CLASS_NONE, base, base + ts_frame_link(t), si, 0);
    push_results(c, t);
}
void ts_compile_return_call(compiler *c, uint32_t f) {
    const ts_deftype *t = type_at(c, c->module->funcs[f].type);
    uint32_t base = pass_arguments(c, t);
    reserve_frame(c, (uint64_t)ts_frame_link(t) + 2);
    bool imp = c->module->funcs[f].imported;
    uint32_t at = emit(c, imp ? TS_IR_return_call_import : TS_IR_return_call, CLASS_NONE, base, ts_frame_link(t),
                       t->param_slots, c->link);
    c->code.data[at + 2].u = f;
    mark_unreachable(c);
}
void ts_compile_return_call_indirect(compiler *c, uint32_t type, uint32_t table) {
    const ts_deftype *t = type_at(c, c->module->types[type]);
    popped_operand i = pop_operand(c);
    uint32_t si = operand_slot(c, &i), base = pass_arguments(c, t);
    reserve_frame(c, (uint64_t)ts_frame_link(t) + 2);
    uint32_t at = emit(c, TS_IR_return_call_indirect, CLASS_NONE, base, ts_frame_link(t), t->param_slots, c->link);
    c->code.data[at + 2].uw[0] = t->id;
    c->code.data[at + 2].uw[1] = table;
    c->code.data[at + 3].s[0] = (uint16_t)si;
    mark_unreachable(c);
}
void ts_compile_return_call_ref(compiler *c, uint32_t type) {
    const ts_deftype *t = type_at(c, c->module->types[type]);
    popped_operand i = pop_operand(c);
    uint32_t si = operand_slot(c, &i), base = pass_arguments(c, t);
    reserve_frame(c, (uint64_t)ts_frame_link(t) + 2);
    uint32_t at = emit(c, TS_IR_return_call_ref, CLASS_NONE, base, ts_frame_link(t), t->param_slots, c->link);
    c->code.data[at + 2].s[0] = (uint16_t)si;
    mark_unreachable(c);
}

void ts_compile_throw(compiler *c, uint32_t tag) {
    const ts_deftype *t = type_at(c, c->module->tags[tag]);
    spill_accumulators(c);
    uint32_t top = c->next_slot;
    uint32_t first = operands_in_sequence(c, t->n_params);
    emit_word1(c, TS_IR_throw_, CLASS_NONE, first, top, tag);
    mark_unreachable(c);
}
void ts_compile_throw_ref(compiler *c) {
    emit(c, TS_IR_throw_ref, CLASS_NONE, pop_into_slot(c), 0, 0, 0);
    mark_unreachable(c);
}
