/* emit_x64_objects: x86-64 code for references to objects: fields, elements, i31.
 * In: an instruction. Out: machine code; or false, and the interpreter executes it. Arrays are made by the interpreter, and
 * structs too where the heap has no free cell; casts and vectors in objects are the interpreter's. */
#include "core/native/emitter.h"
#if TS_HAS_MACHINE_CODE && defined(__x86_64__)

/* The object of a reference in a slot, in a register. A null reference is the interpreter's. */
static unsigned object(emitter *e, uint32_t slot) {
    operand from = ts_emit_read_slot(e, slot);
    unsigned r = from.is_mem ? RAX : from.reg;
    x_mov(&e->a, 1, r, from);
    x_op(&e->a, 1, 0x85, r, in_reg(r));
    ts_emit_side_exit(e, CC_E);
    return r;
}
static void get(emitter *e, operand from, uint32_t size, bool is_signed) {
    unsigned to = result_home(e, e->w[1].s[0], IN_R, RAX);
    switch (size) {
    case 1: x_op(&e->a, 0, is_signed ? 0x0fbe : 0x0fb6, to, from); break;
    case 2: x_op(&e->a, 0, is_signed ? 0x0fbf : 0x0fb7, to, from); break;
    default: x_op(&e->a, size == 8, 0x8b, to, from); break;
    }
    ts_emit_write_slot(e, e->w[1].s[0], IN_R, to);
}
/* The value of a slot in an integer register: its own, or `other`. */
static unsigned value(emitter *e, uint32_t slot, unsigned other) {
    operand from = ts_emit_read_slot(e, slot);
    if (from.is_mem) {
        x_mov(&e->a, 1, other, from);
        return other;
    }
    if (e->f.candidate[candidate_of(e, slot)].class == IN_R) return from.reg;
    x_reg_from_xmm(&e->a, 1, other, from.reg);
    return other;
}
static void put(emitter *e, operand to, uint32_t size, unsigned from) {
    switch (size) {
    case 1: x_any(&e->a, 0, 0, 0x88, from, to, 1); break;
    case 2: x_any(&e->a, 0x66, 0, 0x89, from, to, 0); break;
    default: x_op(&e->a, size == 8, 0x89, from, to); break;
    }
}
/* The place of an element, in rcx. Both operands have been read. */
static operand element(emitter *e, unsigned array, operand index, uint32_t size) {
    x_op(&e->a, 0, 0x8b, RCX, index);
    x_alu(&e->a, 0, X_CMP, RCX, at_mem(array, e->t->object_len));
    ts_emit_side_exit(e, CC_AE);
    if (size > 1) {
        x_op(&e->a, 1, 0xc1, X_SHL, in_reg(RCX));
        put8(&e->a, (unsigned)__builtin_ctz(size));
    }
    x_alu(&e->a, 1, X_ADD, RCX, in_reg(array));
    return at_mem(RCX, e->t->object_payload);
}

void ts_target_put_field(emitter *e, operand to, uint32_t size, uint32_t slot) {
    put(e, to, size, value(e, slot, RAX));
}
/* A struct in the first free cell of its class, with the fields from the slots s0…, or with zeroes. rcx has it. */
static bool new_struct(emitter *e, bool with_fields) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    const ts_deftype *t = ts_types_get(e->types, e->w[2].uw[0]);
    if (!ts_emit_fields_fit(t)) return false;
    uint32_t size = (uint32_t)e->t->object_payload + (uint32_t)t->size;
    operand list = at_mem(RAX, e->t->heap_free + (int32_t)(e->t->class_of_cell(size) * sizeof(void *)));
    x_mov(a, 1, RAX, at_mem(EXEC, e->t->exec_store));
    x_mov(a, 1, RAX, at_mem(RAX, e->t->store_heap));
    x_alu_imm(a, 0, X_CMP, at_mem(RAX, e->t->heap_stress), 0);
    ts_emit_side_exit(e, CC_NE);
    x_mov(a, 1, RCX, list);
    x_op(a, 1, 0x85, RCX, in_reg(RCX));
    ts_emit_side_exit(e, CC_E);
    ts_target_read(e, IN_D, TMP_X, at_mem(RCX, 0));
    ts_target_write(e, IN_D, list, TMP_X);
    x_alu_imm(a, 1, X_ADD, at_mem(RAX, e->t->heap_total), 1);
    x_op(a, 0, 0x0fb6, RAX, at_mem(RAX, e->t->heap_epoch));
    x_op(a, 0, 0xc1, X_SHL, in_reg(RAX));
    put8(a, (unsigned)(e->t->object_mark - e->t->object_kind) * 8);
    x_alu_imm(a, 0, X_OR, in_reg(RAX), (int32_t)e->t->kind_struct);
    x_op(a, 1, 0x89, RAX, at_mem(RCX, e->t->object_kind)); /* and nothing behind the two */
    x_op(a, 0, 0xc7, 0, at_mem(RCX, 0));                   /* the type */
    put32(a, 0);
    ts_emit_note_number(e, a->len - 4, TS_NATIVE_TYPE, e->in->at + 2);
    x_op(a, 0, 0xc7, 0, at_mem(RCX, e->t->object_len));
    put32(a, 0);
    ts_emit_fields(e, t, at_mem(RCX, e->t->object_payload), with_fields);
    ts_emit_write_slot(e, s[0], IN_R, RCX);
    return true;
}

bool ts_target_object(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    const ts_deftype *t;
    uint32_t size;
    assembler *a = &e->a;
    switch (opcode) {
    case TS_IR_struct_new: return new_struct(e, true);
    case TS_IR_struct_new_default: return new_struct(e, false);
    case TS_IR_struct_get: {
        const ts_field *f = &ts_types_get(e->types, (uint32_t)e->w[2].u)->fields[s[2]];
        size = ts_vt_storage_size(f->type);
        if (size == 16 || f->offset > INT32_MAX / 2) return false;
        unsigned r = object(e, s[1]);
        get(e, at_mem(r, e->t->object_payload + (int32_t)f->offset), size, s[3] != 0);
        return true;
    }
    case TS_IR_struct_set: {
        const ts_field *f = &ts_types_get(e->types, (uint32_t)e->w[2].u)->fields[s[2]];
        size = ts_vt_storage_size(f->type);
        if (size == 16 || f->offset > INT32_MAX / 2) return false;
        unsigned r = object(e, s[0]);
        put(e, at_mem(r, e->t->object_payload + (int32_t)f->offset), size, value(e, s[1], RCX));
        return true;
    }
    case TS_IR_array_get: {
        t = ts_types_get(e->types, (uint32_t)e->w[2].u);
        size = ts_vt_storage_size(t->fields[0].type);
        if (size == 16) return false;
        operand index = ts_emit_read_slot(e, s[2]);
        unsigned r = object(e, s[1]);
        get(e, element(e, r, index, size), size, s[3] != 0);
        return true;
    }
    case TS_IR_array_set: {
        t = ts_types_get(e->types, (uint32_t)e->w[2].u);
        size = ts_vt_storage_size(t->fields[0].type);
        if (size == 16) return false;
        operand index = ts_emit_read_slot(e, s[1]);
        unsigned r = object(e, s[0]);
        operand to = element(e, r, index, size);
        put(e, to, size, value(e, s[2], RAX)); /* the array's register is free now */
        return true;
    }
    case TS_IR_array_len: {
        unsigned r = object(e, s[1]);
        get(e, at_mem(r, e->t->object_len), 4, false);
        return true;
    }
    case TS_IR_ref_as_non_null: (void)object(e, s[0]); return true;
    case TS_IR_ref_i31:
        x_mov(a, 0, RAX, ts_emit_read_slot(e, s[1]));
        x_alu(a, 0, X_ADD, RAX, in_reg(RAX)); /* the 31 bits, and bit 0 */
        x_alu_imm(a, 0, X_OR, in_reg(RAX), 1);
        ts_emit_write_slot(e, s[0], IN_R, RAX);
        return true;
    case TS_IR_i31_get_s:
    case TS_IR_i31_get_u: {
        unsigned r = object(e, s[1]);
        x_mov(a, 0, RCX, in_reg(r));
        x_op(a, 0, 0xc1, opcode == TS_IR_i31_get_s ? X_SAR : X_SHR, in_reg(RCX));
        put8(a, 1);
        ts_emit_write_slot(e, s[0], IN_R, RCX);
        return true;
    }
    default: return false;
    }
}
#endif
