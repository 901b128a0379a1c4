/* gc: references, structs, arrays and i31. Their operations are functions of exec_slow.c on operands in
 * slots.
 * In: reference and aggregate instructions. Out: code.
 * spec: exec/instructions#reference-instructions, #aggregate-instructions */
#include "core/code/compiler.h"

static void compile_gc_new(compiler *c, uint32_t op, uint32_t n, uint32_t lo, uint32_t hi, bool by_slots) {
    spill_accumulators(c);
    uint32_t top = c->next_slot, first;
    uint32_t s1 = 0;
    if (by_slots) {
        first = operands_in_sequence(c, n);
        if (n == 2) s1 = first + class_slots(c->stack.data[c->stack.len].reg_class); /* of the second one */
    } else {
        first = operands_in_sequence(c, n);
        s1 = first;
    }
    reserve_frame(c, (uint64_t)top + 2);
    uint32_t at = emit(c, op, CLASS_NONE, first, s1, top + 1, 0);
    set_word_pair(c, at, 2, lo, hi);
    push_result(c, CLASS_INT, NONE);
}
static uint8_t field_class(const ts_field *f) {
    return class_of(f->type);
}

static void compile_ref_test(compiler *c, uint32_t heap, bool nullable) {
    uint32_t at = emit_by_slots(c, TS_IR_ref_test, 1, CLASS_INT);
    c->code.data[at + 2].u = (uint64_t)ts_canon_heap(c->module, heap) | (uint64_t)nullable << 63;
}

bool ts_compile_gc(compiler *c, const struct ts_op *o) {
    switch (o->op) {
    case TS_OP_ref_null: push_entry(c, ENTRY_IS_CONST, CLASS_INT)->imm = 0; return true;
    case TS_OP_ref_func: {
        uint32_t dst = result_slot(c, CLASS_INT);
        push_result(c, CLASS_INT, emit_word1(c, TS_IR_ref_func, CLASS_NONE, dst, 0, o->index));
        return true;
    }
    case TS_OP_ref_as_non_null:
        spill_entry(c, c->stack.len - 1);
        emit(c, TS_IR_ref_as_non_null, CLASS_NONE, c->stack.data[c->stack.len - 1].pos, 0, 0, 0);
        c->last = NONE;
        return true;
    case TS_OP_ref_test: compile_ref_test(c, o->heap, false); return true;
    case TS_OP_ref_test_null: compile_ref_test(c, o->heap, true); return true;
    case TS_OP_ref_cast:
    case TS_OP_ref_cast_null: {
        uint32_t at = emit_by_slots(c, TS_IR_ref_cast, 1, CLASS_INT);
        c->code.data[at + 2].u = (uint64_t)ts_canon_heap(c->module, o->heap) | (uint64_t)(o->op == TS_OP_ref_cast_null)
                                                                                   << 63;
        return true;
    }
    case TS_OP_any_convert_extern:
    case TS_OP_extern_convert_any: return true; /* the same representation: core/run/gc.h */
    case TS_OP_ref_i31: emit_by_slots(c, TS_IR_ref_i31, 1, CLASS_INT); return true;
    case TS_OP_i31_get_s: emit_by_slots(c, TS_IR_i31_get_s, 1, CLASS_INT); return true;
    case TS_OP_i31_get_u: emit_by_slots(c, TS_IR_i31_get_u, 1, CLASS_INT); return true;
    case TS_OP_struct_new: {
        const ts_deftype *t = type_at(c, c->module->types[o->index]);
        compile_gc_new(c, TS_IR_struct_new, t->n_fields, t->id, 0, false);
        return true;
    }
    case TS_OP_struct_new_default:
        compile_gc_new(c, TS_IR_struct_new_default, 0, c->module->types[o->index], 0, false);
        return true;
    case TS_OP_struct_get:
    case TS_OP_struct_get_s:
    case TS_OP_struct_get_u: {
        const ts_deftype *t = type_at(c, c->module->types[o->index]);
        uint32_t s = pop_into_slot(c);
        uint8_t reg_class = field_class(&t->fields[o->index2]);
        uint32_t dst = result_slot(c, reg_class);
        uint32_t at = emit(c, TS_IR_struct_get, CLASS_NONE, dst, s, o->index2, o->op == TS_OP_struct_get_s);
        c->code.data[at + 2].u = t->id;
        push_result(c, reg_class, at);
        return true;
    }
    case TS_OP_struct_set: {
        uint32_t v = pop_into_slot(c), s = pop_into_slot(c);
        uint32_t at = emit(c, TS_IR_struct_set, CLASS_NONE, s, v, o->index2, 0);
        c->code.data[at + 2].u = c->module->types[o->index];
        return true;
    }
    case TS_OP_array_new: compile_gc_new(c, TS_IR_array_new, 2, c->module->types[o->index], 0, true); return true;
    case TS_OP_array_new_default:
        compile_gc_new(c, TS_IR_array_new_default, 1, c->module->types[o->index], 0, false);
        return true;
    case TS_OP_array_new_fixed:
        compile_gc_new(c, TS_IR_array_new_fixed, o->index2, c->module->types[o->index], o->index2, false);
        return true;
    case TS_OP_array_new_data:
        compile_gc_new(c, TS_IR_array_new_data, 2, c->module->types[o->index], o->index2, true);
        return true;
    case TS_OP_array_new_elem:
        compile_gc_new(c, TS_IR_array_new_elem, 2, c->module->types[o->index], o->index2, true);
        return true;
    case TS_OP_array_get:
    case TS_OP_array_get_s:
    case TS_OP_array_get_u: {
        const ts_deftype *t = type_at(c, c->module->types[o->index]);
        uint32_t at = emit_by_slots(c, TS_IR_array_get, 2, field_class(&t->fields[0]));
        c->code.data[at + 1].s[3] = o->op == TS_OP_array_get_s;
        c->code.data[at + 2].u = t->id;
        return true;
    }
    case TS_OP_array_set: {
        uint32_t at = emit_by_slots(c, TS_IR_array_set, 3, CLASS_NONE);
        c->code.data[at + 2].u = c->module->types[o->index];
        return true;
    }
    case TS_OP_array_len: emit_by_slots(c, TS_IR_array_len, 1, CLASS_INT); return true;
    case TS_OP_array_fill: {
        uint32_t n = c->next_slot - 1;
        uint32_t first = operands_in_sequence(c, 4);
        uint32_t at = emit(c, TS_IR_array_fill, CLASS_NONE, first, n, 0, 0);
        set_word_pair(c, at, 2, c->module->types[o->index], 0);
        return true;
    }
    case TS_OP_array_copy:
        set_word_pair(c, emit(c, TS_IR_array_copy, CLASS_NONE, operands_in_sequence(c, 5), 0, 0, 0), 2,
                      c->module->types[o->index], c->module->types[o->index2]);
        return true;
    case TS_OP_array_init_data:
        set_word_pair(c, emit(c, TS_IR_array_init_data, CLASS_NONE, operands_in_sequence(c, 4), 0, 0, 0), 2,
                      c->module->types[o->index], o->index2);
        return true;
    case TS_OP_array_init_elem:
        set_word_pair(c, emit(c, TS_IR_array_init_elem, CLASS_NONE, operands_in_sequence(c, 4), 0, 0, 0), 2,
                      c->module->types[o->index], o->index2);
        return true;
    default: return false;
    }
}
