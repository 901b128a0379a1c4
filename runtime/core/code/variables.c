/* variables: locals, globals, constants, drop and select. A local or a constant emits no code until it is
 * used.
 * In: variable and parametric instructions. Out: entries of the operand stack; code. */
#include "core/code/compiler.h"

/* Local x is about to change: copy its value to the slots of the entries that refer to it. */
static void spill_uses_of_local(compiler *c, uint32_t x) {
    for (uint32_t i = c->stack.len; c->locals.data[x].uses && i-- > 0;)
        if (c->stack.data[i].kind == ENTRY_IS_LOCAL && c->stack.data[i].local == x) spill_entry(c, i);
}
void ts_compile_local_set(compiler *c, uint32_t x, bool tee) {
    uint32_t dst = c->locals.data[x].slot;
    uint8_t reg_class = c->locals.data[x].reg_class;
    operand_entry *e = &c->stack.data[c->stack.len - 1];
    if (e->kind == ENTRY_IS_LOCAL && e->local == x) {
        if (!tee) (void)pop_operand(c);
        return;
    }
    if (c->locals.data[x].uses) spill_uses_of_local(c, x);
    e = &c->stack.data[c->stack.len - 1];
    uint32_t n = class_slots(reg_class);
    bool now_local = true; /* after a tee the entry becomes a use of the local */
    switch (e->kind) {
    case ENTRY_IN_ACCUMULATOR:
        if (e->at == c->last && c->last != NONE) {
            write_slot_too(c, e->at, dst);
            c->pending[reg_class] = NONE;
            e->kind = ENTRY_IN_SLOT;
        } else {
            emit(c, TS_IR_put_r + reg_class, CLASS_NONE, dst, 0, 0, 0);
            if (tee) {
                slot_written(c, dst, n); /* the entry stays pending */
                now_local = false;
            } else {
                c->pending[reg_class] = NONE;
                e->kind = ENTRY_IN_SLOT;
            }
        }
        slot_written(c, dst, n);
        if (now_local) c->accumulator_slot[reg_class] = (int32_t)dst;
        break;
    case ENTRY_IS_CONST:
        emit_const(c, dst, e->imm);
        now_local = false;
        break;
    case ENTRY_IS_LOCAL:
        emit_copy(c, reg_class, dst, c->locals.data[e->local].slot);
        now_local = false;
        break;
    default:
        if (e->at != NONE && e->at == c->last && c->last != NONE) {
            c->code.data[e->at + 1].s[0] = (uint16_t)dst;
            slot_written(c, dst, n);
        } else {
            bool in_acc = reg_class < 3 && c->accumulator_slot[reg_class] == e->pos;
            emit_copy(c, reg_class, dst, e->pos);
            if (in_acc && !tee) c->accumulator_slot[reg_class] = (int32_t)dst;
            now_local = false;
        }
        break;
    }
    c->add_to_local =
        c->last != NONE && c->last + 2 == c->code.len && c->code.data[c->last].u == TS_IR_i32_add_SI_S ? c->last : NONE;
    if (!tee) {
        (void)pop_operand(c);
    } else if (now_local) {
        e->kind = ENTRY_IS_LOCAL;
        e->local = x;
        e->at = NONE;
        c->locals.data[x].uses++;
        if (c->spilled_below > c->stack.len - 1) c->spilled_below = c->stack.len - 1;
    }
    c->last = NONE; /* its destination is final */
}
void ts_compile_select(compiler *c) {
    popped_operand k = pop_operand(c), b = pop_operand(c), a = pop_operand(c);
    uint8_t reg_class = a.reg_class;
    if (k.is_const) operand_slot(c, &k);
    uint32_t sa = operand_slot(c, &a), sb = operand_slot(c, &b);
    uint32_t at;
    if (reg_class == CLASS_V128) {
        at = emit(c, TS_IR_select_v, CLASS_NONE, result_slot(c, CLASS_V128), sa, sb, operand_slot(c, &k));
        push_result(c, CLASS_V128, at);
        return;
    }
    uint32_t op = reg_class == CLASS_INT   ? TS_IR_select_r_A
                  : reg_class == CLASS_F32 ? TS_IR_select_f_A
                                           : TS_IR_select_d_A;
    if (k.in_accumulator)
        at = emit(c, op, reg_class, 0, sa, sb, 0);
    else
        at = emit(c, op + TS_UN_S, reg_class, 0, sa, sb, operand_slot(c, &k));
    push_accumulator(c, reg_class, at);
}
void ts_compile_global_get(compiler *c, uint32_t g) {
    uint8_t reg_class = class_of(c->module->globals[g].type.type);
    if (reg_class == CLASS_V128) {
        uint32_t at = emit_word1(c, TS_IR_global_get_v, CLASS_NONE, result_slot(c, reg_class), 0, g);
        push_result(c, reg_class, at);
        return;
    }
    uint32_t op = reg_class == CLASS_INT   ? TS_IR_global_get_r_A
                  : reg_class == CLASS_F32 ? TS_IR_global_get_f_A
                                           : TS_IR_global_get_d_A;
    push_accumulator(c, reg_class, emit_word1(c, op, reg_class, 0, 0, g));
}
void ts_compile_global_set(compiler *c, uint32_t g) {
    popped_operand v = pop_operand(c);
    if (v.reg_class == CLASS_V128)
        emit_word1(c, TS_IR_global_set_v, CLASS_NONE, operand_slot(c, &v), 0, g);
    else if (v.reg_class == CLASS_INT && v.in_accumulator)
        emit_word1(c, TS_IR_global_set_r, CLASS_NONE, 0, 0, g);
    else
        emit_word1(c, TS_IR_global_set_s, CLASS_NONE, operand_slot(c, &v), 0, g);
}
