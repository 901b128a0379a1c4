/* memory: loads and stores, fused with the sum that is their address; bulk operations of memories, tables,
 * segments.
 * In: memory and table instructions. Out: code, for guard pages or with explicit checks as the form says. */
#include "core/code/compiler.h"

/* The operation of each load or store. float_ir: a store of a float that is in its accumulator; 0: there is none. */
struct access {
    uint16_t ir, float_ir;
    uint8_t reg_class, kind; /* TS_MEM_* */
};
static const struct access accesses[256] = {
    [TS_OP_i32_load] = {TS_IR_load32_u_A, 0, CLASS_INT, TS_MEM_32U},
    [TS_OP_i64_load] = {TS_IR_load64_A, 0, CLASS_INT, TS_MEM_64},
    [TS_OP_f32_load] = {TS_IR_f32_load_A, 0, CLASS_F32, TS_MEM_32U},
    [TS_OP_f64_load] = {TS_IR_f64_load_A, 0, CLASS_F64, TS_MEM_64},
    [TS_OP_i32_load8_s] = {TS_IR_i32_load8_s_A, 0, CLASS_INT, TS_MEM_I32_8S},
    [TS_OP_i32_load8_u] = {TS_IR_load8_u_A, 0, CLASS_INT, TS_MEM_8U},
    [TS_OP_i32_load16_s] = {TS_IR_i32_load16_s_A, 0, CLASS_INT, TS_MEM_I32_16S},
    [TS_OP_i32_load16_u] = {TS_IR_load16_u_A, 0, CLASS_INT, TS_MEM_16U},
    [TS_OP_i64_load8_s] = {TS_IR_i64_load8_s_A, 0, CLASS_INT, TS_MEM_I64_8S},
    [TS_OP_i64_load8_u] = {TS_IR_load8_u_A, 0, CLASS_INT, TS_MEM_8U},
    [TS_OP_i64_load16_s] = {TS_IR_i64_load16_s_A, 0, CLASS_INT, TS_MEM_I64_16S},
    [TS_OP_i64_load16_u] = {TS_IR_load16_u_A, 0, CLASS_INT, TS_MEM_16U},
    [TS_OP_i64_load32_s] = {TS_IR_i64_load32_s_A, 0, CLASS_INT, TS_MEM_I64_32S},
    [TS_OP_i64_load32_u] = {TS_IR_load32_u_A, 0, CLASS_INT, TS_MEM_32U},
    [TS_OP_i32_store] = {TS_IR_store32_AS, 0, CLASS_NONE, TS_MEM_32U},
    [TS_OP_i64_store] = {TS_IR_store64_AS, 0, CLASS_NONE, TS_MEM_64},
    [TS_OP_f32_store] = {TS_IR_store32_AS, TS_IR_f32_store_A, CLASS_NONE, TS_MEM_32U},
    [TS_OP_f64_store] = {TS_IR_store64_AS, TS_IR_f64_store_A, CLASS_NONE, TS_MEM_64},
    [TS_OP_i32_store8] = {TS_IR_store8_AS, 0, CLASS_NONE, TS_MEM_8U},
    [TS_OP_i32_store16] = {TS_IR_store16_AS, 0, CLASS_NONE, TS_MEM_16U},
    [TS_OP_i64_store8] = {TS_IR_store8_AS, 0, CLASS_NONE, TS_MEM_8U},
    [TS_OP_i64_store16] = {TS_IR_store16_AS, 0, CLASS_NONE, TS_MEM_16U},
    [TS_OP_i64_store32] = {TS_IR_store32_AS, 0, CLASS_NONE, TS_MEM_32U},
};
static bool has_short_form(const struct ts_op *o) {
    return o->index == 0 && o->offset <= UINT32_MAX;
}

/* If the address is a sum that was just computed and has no other use, take the addition back: form P for a
 * slot and a constant, Q for the accumulator and a constant. The access wraps the sum at 32 bits too. */
typedef struct fused_address {
    enum { ADDRESS_PLAIN, ADDRESS_SLOT_PLUS_CONST, ADDRESS_ACC_PLUS_CONST } how;
    uint16_t slot;
    uint32_t imm;
} fused_address;
static inline fused_address fuse_address(compiler *c, const popped_operand *a, const struct ts_op *o) {
    if (o->offset != 0 || !is_last_result(c, a)) return (fused_address){ADDRESS_PLAIN, 0, 0};
    const ts_word *w = &c->code.data[c->last];
    if (w->u != TS_IR_i32_add_SI && w->u != TS_IR_i32_add_AI) return (fused_address){ADDRESS_PLAIN, 0, 0};
    const bool has_slot = w->u == TS_IR_i32_add_SI;
    const fused_address f = {has_slot ? ADDRESS_SLOT_PLUS_CONST : ADDRESS_ACC_PLUS_CONST, has_slot ? w[1].s[1] : 0,
                             w[1].uw[1]};
    take_back_last(c, c->last);
    c->last = NONE;
    return f;
}
/* Whether the address is a constant whose sum with the offset fits in 32 bits. */
static bool const_address(const popped_operand *a, const struct ts_op *o) {
    return a->is_const && a->imm <= UINT32_MAX && a->imm + o->offset <= UINT32_MAX;
}
void ts_compile_load(compiler *c, const struct ts_op *o) {
    const struct access *access = &accesses[o->op];
    const uint8_t reg_class = access->reg_class;
    uint32_t op = access->ir;
    popped_operand a = pop_operand(c);
    if (!has_short_form(o)) {
        uint32_t sa = operand_slot(c, &a), dst = result_slot(c, reg_class);
        uint32_t at = emit(c, TS_IR_load_any, CLASS_NONE, dst, sa, o->index, access->kind);
        set_word(c, at, 2, o->offset);
        push_result(c, reg_class, at);
        return;
    }
    if (c->form & TS_FORM_CHECKED) op += TS_LOAD_X;
    uint32_t at;
    if (const_address(&a, o)) {
        push_accumulator(c, reg_class, emit_word1(c, op + TS_LOAD_I, reg_class, 0, 0, (uint32_t)(a.imm + o->offset)));
        return;
    }
    if (a.is_const) operand_slot(c, &a);
    const fused_address f = fuse_address(c, &a, o);
    switch (f.how) {
    case ADDRESS_SLOT_PLUS_CONST: at = emit_word1(c, op + TS_LOAD_P, reg_class, 0, f.slot, f.imm); break;
    case ADDRESS_ACC_PLUS_CONST: at = emit_word1(c, op + TS_LOAD_Q, reg_class, 0, 0, f.imm); break;
    default:
        at = a.in_accumulator ? emit_word1(c, op, reg_class, 0, 0, (uint32_t)o->offset)
                              : emit_word1(c, op + TS_LOAD_S, reg_class, 0, operand_slot(c, &a), (uint32_t)o->offset);
        break;
    }
    push_accumulator(c, reg_class, at);
}
void ts_compile_store(compiler *c, const struct ts_op *o) {
    const struct access *access = &accesses[o->op];
    uint32_t op = access->ir;
    popped_operand v = pop_operand(c), a = pop_operand(c);
    if (!has_short_form(o)) {
        uint32_t sa = operand_slot(c, &a), sv = operand_slot(c, &v);
        set_word(c, emit(c, TS_IR_store_any, CLASS_NONE, sa, sv, o->index, access->kind), 2, o->offset);
        return;
    }
    bool x = (c->form & TS_FORM_CHECKED) != 0;
    bool in_place = const_address(&a, o);
    uint32_t ea = in_place ? (uint32_t)(a.imm + o->offset) : 0, off = (uint32_t)o->offset, at;
    if (a.is_const && !in_place) operand_slot(c, &a);
    if (access->float_ir && v.in_accumulator) { /* a float in its accumulator */
        uint32_t base = access->float_ir + (x ? TS_STOREF_X : 0);
        if (in_place) {
            emit_word1(c, base + TS_STOREF_I, CLASS_NONE, 0, 0, ea);
            return;
        }
        const fused_address f = fuse_address(c, &a, o);
        switch (f.how) {
        case ADDRESS_SLOT_PLUS_CONST: emit_word1(c, base + TS_STOREF_P, CLASS_NONE, f.slot, 0, f.imm); return;
        case ADDRESS_ACC_PLUS_CONST: emit_word1(c, base + TS_STOREF_Q, CLASS_NONE, 0, 0, f.imm); return;
        default: break;
        }
        if (a.in_accumulator)
            emit_word1(c, base, CLASS_NONE, 0, 0, off);
        else
            emit_word1(c, base + TS_STOREF_S, CLASS_NONE, operand_slot(c, &a), 0, off);
        return;
    }
    if (x) op += TS_STORE_X;
    if (in_place) {
        if (v.is_const) {
            at = emit_word1(c, op + TS_STORE_II, CLASS_NONE, 0, 0, ea);
            set_word(c, at, 2, v.imm);
        } else if (v.in_accumulator && v.reg_class == CLASS_INT) {
            emit_word1(c, op + TS_STORE_IA, CLASS_NONE, 0, 0, ea);
        } else {
            emit_word1(c, op + TS_STORE_IS, CLASS_NONE, 0, operand_slot(c, &v), ea);
        }
        return;
    }
    if (v.is_const || v.slot >= 0) {
        const fused_address f = fuse_address(c, &a, o);
        if (f.how != ADDRESS_PLAIN) {
            uint32_t q = f.how == ADDRESS_SLOT_PLUS_CONST ? 0 : TS_STORE_QS - TS_STORE_PS;
            at = emit_word1(c, op + q + (v.is_const ? TS_STORE_PI : TS_STORE_PS), CLASS_NONE, f.slot,
                            v.is_const ? 0 : (uint32_t)v.slot, f.imm);
            if (v.is_const) set_word(c, at, 2, v.imm);
            return;
        }
    }
    if (v.is_const) {
        at = a.in_accumulator ? emit_word1(c, op + TS_STORE_AI, CLASS_NONE, 0, 0, off)
                              : emit_word1(c, op + TS_STORE_SI, CLASS_NONE, operand_slot(c, &a), 0, off);
        set_word(c, at, 2, v.imm);
    } else if (a.in_accumulator && v.slot >= 0) {
        emit_word1(c, op, CLASS_NONE, 0, (uint32_t)v.slot, off);
    } else if (v.in_accumulator && v.reg_class == CLASS_INT && a.slot >= 0) {
        emit_word1(c, op + TS_STORE_SA, CLASS_NONE, (uint32_t)a.slot, 0, off);
    } else {
        uint32_t sa = operand_slot(c, &a), sv = operand_slot(c, &v);
        emit_word1(c, op + TS_STORE_SS, CLASS_NONE, sa, sv, off);
    }
}
static void compile_v128_load(compiler *c, const struct ts_op *o, ts_vmem_kind kind) {
    popped_operand a = pop_operand(c);
    uint32_t sa = operand_slot(c, &a), dst = result_slot(c, CLASS_V128), at;
    if (kind == TS_VMEM_128 && has_short_form(o) && !(c->form & TS_FORM_CHECKED)) {
        at = emit_word1(c, TS_IR_v128_load, CLASS_NONE, dst, sa, (uint32_t)o->offset);
    } else {
        at = emit(c, TS_IR_v128_load_any, CLASS_NONE, dst, sa, o->index, kind);
        set_word(c, at, 2, o->offset);
    }
    push_result(c, CLASS_V128, at);
}
static void compile_v128_store(compiler *c, const struct ts_op *o) {
    popped_operand v = pop_operand(c), a = pop_operand(c);
    uint32_t sa = operand_slot(c, &a), sv = operand_slot(c, &v);
    if (has_short_form(o) && !(c->form & TS_FORM_CHECKED))
        emit_word1(c, TS_IR_v128_store, CLASS_NONE, sa, sv, (uint32_t)o->offset);
    else
        set_word(c, emit(c, TS_IR_v128_store_any, CLASS_NONE, sa, sv, o->index, 0), 2, o->offset);
}
static void compile_v128_lane(compiler *c, const struct ts_op *o, unsigned log2, bool is_store) {
    popped_operand v = pop_operand(c), a = pop_operand(c);
    uint32_t sa = operand_slot(c, &a), sv = operand_slot(c, &v), dst = is_store ? 0 : result_slot(c, CLASS_V128);
    uint32_t at = emit(c, TS_IR_v128_lane_mem, CLASS_NONE, sa, sv, o->index, log2 | (is_store ? TS_LANE_STORE : 0));
    set_word(c, at, 2, o->offset);
    c->code.data[at + 3].uw[0] = o->lane;
    c->code.data[at + 3].uw[1] = dst;
    if (!is_store) push_result(c, CLASS_V128, NONE);
}

bool ts_compile_memory(compiler *c, const struct ts_op *o) {
    switch (o->op) {
    case TS_OP_memory_size: {
        uint32_t at = emit_by_slots(c, TS_IR_memory_size, 0, CLASS_INT);
        c->code.data[at + 1].s[1] = (uint16_t)o->index;
        return true;
    }
    case TS_OP_memory_grow: {
        uint32_t s = pop_into_slot(c), dst = result_slot(c, CLASS_INT);
        push_result(c, CLASS_INT, emit(c, TS_IR_memory_grow, CLASS_NONE, dst, o->index, s, 0));
        return true;
    }
    case TS_OP_memory_fill: {
        uint32_t at = emit_by_slots(c, TS_IR_memory_fill, 3, CLASS_NONE);
        c->code.data[at + 1].s[3] = (uint16_t)o->index;
        return true;
    }
    case TS_OP_memory_copy:
        set_word_pair(c, emit_by_slots(c, TS_IR_memory_copy, 3, CLASS_NONE), 2, o->index, o->index2);
        return true;
    case TS_OP_memory_init:
        set_word_pair(c, emit_by_slots(c, TS_IR_memory_init, 3, CLASS_NONE), 2, o->index2, o->index);
        return true;
    case TS_OP_data_drop: emit_word1(c, TS_IR_data_drop, CLASS_NONE, 0, 0, o->index); return true;
    case TS_OP_table_get:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_get, 1, CLASS_INT), 2, o->index, 0);
        return true;
    case TS_OP_table_set:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_set, 2, CLASS_NONE), 2, o->index, 0);
        return true;
    case TS_OP_table_size:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_size, 0, CLASS_INT), 2, o->index, 0);
        return true;
    case TS_OP_table_grow:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_grow, 2, CLASS_INT), 2, o->index, 0);
        return true;
    case TS_OP_table_fill:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_fill, 3, CLASS_NONE), 2, o->index, 0);
        return true;
    case TS_OP_table_copy:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_copy, 3, CLASS_NONE), 2, o->index, o->index2);
        return true;
    case TS_OP_table_init:
        set_word_pair(c, emit_by_slots(c, TS_IR_table_init, 3, CLASS_NONE), 2, o->index2, o->index);
        return true;
    case TS_OP_elem_drop: emit_word1(c, TS_IR_elem_drop, CLASS_NONE, 0, 0, o->index); return true;
    case TS_OP_v128_load: compile_v128_load(c, o, TS_VMEM_128); return true;
    case TS_OP_v128_load8x8_s: compile_v128_load(c, o, TS_VMEM_8X8S); return true;
    case TS_OP_v128_load8x8_u: compile_v128_load(c, o, TS_VMEM_8X8U); return true;
    case TS_OP_v128_load16x4_s: compile_v128_load(c, o, TS_VMEM_16X4S); return true;
    case TS_OP_v128_load16x4_u: compile_v128_load(c, o, TS_VMEM_16X4U); return true;
    case TS_OP_v128_load32x2_s: compile_v128_load(c, o, TS_VMEM_32X2S); return true;
    case TS_OP_v128_load32x2_u: compile_v128_load(c, o, TS_VMEM_32X2U); return true;
    case TS_OP_v128_load8_splat: compile_v128_load(c, o, TS_VMEM_8SPLAT); return true;
    case TS_OP_v128_load16_splat: compile_v128_load(c, o, TS_VMEM_16SPLAT); return true;
    case TS_OP_v128_load32_splat: compile_v128_load(c, o, TS_VMEM_32SPLAT); return true;
    case TS_OP_v128_load64_splat: compile_v128_load(c, o, TS_VMEM_64SPLAT); return true;
    case TS_OP_v128_load32_zero: compile_v128_load(c, o, TS_VMEM_32ZERO); return true;
    case TS_OP_v128_load64_zero: compile_v128_load(c, o, TS_VMEM_64ZERO); return true;
    case TS_OP_v128_store: compile_v128_store(c, o); return true;
    case TS_OP_v128_load8_lane: compile_v128_lane(c, o, 0, false); return true;
    case TS_OP_v128_load16_lane: compile_v128_lane(c, o, 1, false); return true;
    case TS_OP_v128_load32_lane: compile_v128_lane(c, o, 2, false); return true;
    case TS_OP_v128_load64_lane: compile_v128_lane(c, o, 3, false); return true;
    case TS_OP_v128_store8_lane: compile_v128_lane(c, o, 0, true); return true;
    case TS_OP_v128_store16_lane: compile_v128_lane(c, o, 1, true); return true;
    case TS_OP_v128_store32_lane: compile_v128_lane(c, o, 2, true); return true;
    case TS_OP_v128_store64_lane: compile_v128_lane(c, o, 3, true); return true;
    default: return false;
    }
}
