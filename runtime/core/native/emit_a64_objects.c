/* emit_a64_objects: aarch64 code for references to objects: fields, elements, i31.
 * In: an instruction. Out: machine code; or false, and the interpreter executes it. Arrays are made by the interpreter,
 * and structs too where the heap has no free cell; casts and vectors in objects are the interpreter's. */
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE && defined(__aarch64__)
/* The object of a reference in a slot, in a register. A null reference is the interpreter's. */
static unsigned object(emitter *e, uint32_t slot) {
    unsigned r = ts_a64_integer(e, 1, ts_emit_read_slot(e, slot), TMP);
    ts_emit_side_exit(e, a64_zero(1, r));
    return r;
}
/* The binary logarithm of the bytes of a storage type; 4: a vector. */
static unsigned storage_size(ts_valtype t) {
    return (unsigned)__builtin_ctz(ts_vt_storage_size(t));
}
static void get(emitter *e, operand from, unsigned size, bool is_signed) {
    unsigned to = result_home(e, e->w[1].s[0], IN_R, TMP);
    a64_access(&e->a, size, is_signed && size < 2 ? A_LOAD_S32 : A_LOAD, to, a64_near(&e->a, size, from));
    ts_emit_write_slot(e, e->w[1].s[0], IN_R, to);
}
/* The value of a slot in an integer register: its own, or `other`. */
static unsigned value(emitter *e, uint32_t slot, unsigned other) {
    operand from = ts_emit_read_slot(e, slot);
    if (from.is_mem) return ts_a64_integer(e, 1, from, other);
    if (e->f.candidate[candidate_of(e, slot)].class == IN_R) return from.reg;
    a64_int_from_float(&e->a, 1, other, from.reg);
    return other;
}
static void put(emitter *e, operand to, unsigned size, unsigned from) {
    a64_access(&e->a, size, A_STORE, from, a64_near(&e->a, size, to));
}
void ts_target_put_field(emitter *e, operand to, uint32_t size, uint32_t slot) {
    put(e, to, (unsigned)__builtin_ctz(size), value(e, slot, TMP));
}
/* The place of an element, in x17. Both operands have been read. */
static operand element(emitter *e, unsigned array, operand index, unsigned size) {
    assembler *a = &e->a;
    unsigned i = ts_a64_integer(e, 0, index, TMP2);
    a64_load(a, 0, TMP3, at_mem(array, e->t->object_len));
    a64_op(a, 0, A_SUBS, ZR, i, TMP3);
    ts_emit_side_exit(e, CC_AE);
    a64_mov(a, 0, TMP2, i); /* without the high half */
    a64_op_shifted(a, 1, A_ADD, TMP2, array, TMP2, size);
    return at_mem(TMP2, e->t->object_payload);
}
static bool field(emitter *e, bool is_set) {
    const uint16_t *s = e->w[1].s;
    const ts_field *f = &ts_types_get(e->types, (uint32_t)e->w[2].u)->fields[s[2]];
    unsigned size = storage_size(f->type);
    if (size == 4 || f->offset > INT32_MAX / 2) return false;
    operand place = at_mem(object(e, s[is_set ? 0 : 1]), e->t->object_payload + (int32_t)f->offset);
    if (is_set)
        put(e, place, size, value(e, s[1], TMP2));
    else
        get(e, place, size, s[3] != 0);
    return true;
}
static bool array_element(emitter *e, bool is_set) {
    const uint16_t *s = e->w[1].s;
    unsigned size = storage_size(ts_types_get(e->types, (uint32_t)e->w[2].u)->fields[0].type);
    if (size == 4) return false;
    operand index = ts_emit_read_slot(e, s[is_set ? 1 : 2]);
    operand place = element(e, object(e, s[is_set ? 0 : 1]), index, size);
    if (is_set)
        put(e, place, size, value(e, s[2], TMP)); /* the array's register is free now */
    else
        get(e, place, size, s[3] != 0);
    return true;
}
static void i31(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    assembler *a = &e->a;
    if (opcode == TS_IR_ref_i31) {
        unsigned r = ts_a64_integer(e, 0, ts_emit_read_slot(e, s[1]), TMP);
        a64_op(a, 0, A_ADD, TMP, r, r); /* the 31 bits, and bit 0 */
        a64_try_logical_imm(a, 0, A_ORR, TMP, TMP, 1);
    } else {
        unsigned r = object(e, s[1]);
        a64_shift_imm(a, 0, opcode == TS_IR_i31_get_s ? A_ASRV : A_LSRV, TMP, r, 1);
    }
    ts_emit_write_slot(e, s[0], IN_R, TMP);
}

/* The header of a struct in x17, of this epoch. x16: the ts_gc_front. */
static void put_header(emitter *e) {
    assembler *a = &e->a;
    a64_access(a, 0, A_LOAD, TMP, a64_near(a, 0, at_mem(TMP, e->t->heap_epoch)));
    a64_imm(a, TMP3, e->t->kind_struct);
    a64_op_shifted(a, 0, A_ORR, TMP, TMP3, TMP, (unsigned)(e->t->object_mark - e->t->object_kind) * 8);
    a64_store(a, at_mem(TMP2, e->t->object_kind), TMP); /* and nothing behind the two */
    ts_a64_number(e, TMP, TS_NATIVE_TYPE, e->in->at + 2);
    put(e, at_mem(TMP2, 0), 2, TMP);
    put(e, at_mem(TMP2, e->t->object_len), 2, ZR);
}
/* A struct in the first free cell of its class, with the fields from the slots s0…, or with zeroes. */
static bool new_struct(emitter *e, bool with_fields) {
    assembler *a = &e->a;
    const ts_deftype *t = ts_types_get(e->types, e->w[2].uw[0]);
    if (!ts_emit_fields_fit(t)) return false;
    uint32_t size = (uint32_t)e->t->object_payload + (uint32_t)t->size;
    operand list = at_mem(TMP, e->t->heap_free + (int32_t)(e->t->class_of_cell(size) * sizeof(void *)));
    a64_load(a, 1, TMP, at_mem(EXEC, e->t->exec_store));
    a64_load(a, 1, TMP, at_mem(TMP, e->t->store_heap));
    a64_load(a, 0, TMP2, at_mem(TMP, e->t->heap_stress));
    ts_emit_side_exit(e, a64_zero(0, TMP2) ^ 1);
    a64_load(a, 1, TMP2, list);
    ts_emit_side_exit(e, a64_zero(1, TMP2));
    a64_load(a, 1, TMP3, at_mem(TMP2, 0));
    a64_store(a, list, TMP3);
    a64_load(a, 1, TMP3, at_mem(TMP, e->t->heap_total));
    a64_try_add_imm(a, 1, A_ADD, TMP3, TMP3, 1);
    a64_store(a, at_mem(TMP, e->t->heap_total), TMP3);
    put_header(e);
    ts_emit_fields(e, t, at_mem(TMP2, e->t->object_payload), with_fields);
    ts_emit_write_slot(e, e->w[1].s[0], IN_R, TMP2);
    return true;
}

bool ts_target_object(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    switch (opcode) {
    case TS_IR_struct_new: return new_struct(e, true);
    case TS_IR_struct_new_default: return new_struct(e, false);
    case TS_IR_struct_get: return field(e, false);
    case TS_IR_struct_set: return field(e, true);
    case TS_IR_array_get: return array_element(e, false);
    case TS_IR_array_set: return array_element(e, true);
    case TS_IR_array_len: get(e, at_mem(object(e, s[1]), e->t->object_len), 2, false); return true;
    case TS_IR_ref_as_non_null: object(e, s[0]); return true;
    case TS_IR_ref_i31:
    case TS_IR_i31_get_s:
    case TS_IR_i31_get_u: i31(e, opcode); return true;
    default: return false;
    }
}
#endif
