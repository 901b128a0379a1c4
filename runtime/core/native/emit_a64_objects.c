/* emit_a64_objects: aarch64 code for references to objects: fields, elements, i31; and for vectors.
 * In: an instruction. Out: machine code; or false, and the interpreter executes it. Allocations, casts and all
 * operations on vectors are the interpreter's. */
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

bool ts_target_object(emitter *e, unsigned opcode) {
    const uint16_t *s = e->w[1].s;
    switch (opcode) {
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
void ts_target_store_vector(emitter *e, unsigned k) { /* no vector is in a register */
    (void)e, (void)k;
}
bool ts_target_vector(emitter *e, const ts_shape *p) {
    (void)e, (void)p;
    return false;
}
bool ts_target_vector_other(emitter *e, unsigned opcode) {
    (void)e, (void)opcode;
    return false;
}
#endif
