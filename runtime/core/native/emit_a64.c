/* emit_a64: aarch64 code for moves, jumps, memory, control and calls. See emitter.h.
 *
 * Registers: x20 the instruction, x21 the frame, x22 the base of memory 0 if it is guarded, x23 the ts_exec, x24 the
 * instance; x25, v0 and v1 the accumulators. All these are where the interpreter has them; machine code needs x20 only
 * when it leaves. x16, x17, x20, v30 and v31 are for one instruction. x18 belongs to the system, x29 and x30 to C. The
 * others are homes of slots. */
#include "core/native/emitter.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE && defined(__aarch64__)
static const uint8_t integer_homes[] = {X26, X27, X28, X19, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, X15};
static const uint8_t floating_homes[] = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                         16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
flow_registers ts_target_registers(const flow *f) {
    flow_registers have = {integer_homes, floating_homes, sizeof integer_homes, sizeof floating_homes};
    if (f->has_vectors) have.n_floating -= VECTOR_REGISTERS; /* the last homes */
    return have;
}
_Static_assert(sizeof floating_homes == FIRST_VECTOR_REGISTER - 2 + VECTOR_REGISTERS, "v2 and up");

/* --- moves ---------------------------------------------------------------------------------------------- */
unsigned ts_a64_integer(emitter *e, int wide, operand from, unsigned other) {
    if (!from.is_mem) return from.reg;
    a64_load(&e->a, wide, other, from);
    return other;
}
unsigned ts_a64_floating(emitter *e, int two, operand from, unsigned other) {
    if (!from.is_mem) return from.reg;
    unsigned size = two ? 3 : 2;
    a64_access(&e->a, size, A_LOAD | A_FLOAT, other, a64_near(&e->a, size, from));
    return other;
}
void ts_target_read(emitter *e, unsigned class, unsigned to, operand from) {
    if (from.is_mem && class == IN_R)
        a64_load(&e->a, 1, to, from);
    else if (from.is_mem)
        ts_a64_floating(e, class == IN_D, from, to);
    else
        ts_target_move(e, class, to, class, from.reg);
}
void ts_target_write(emitter *e, unsigned class, operand to, unsigned from) {
    assembler *a = &e->a;
    if (class == IN_R) {
        a64_store(a, to, from);
    } else if (class == IN_D) {
        a64_access(a, 3, A_STORE | A_FLOAT, from, a64_near(a, 3, to));
    } else { /* the high half of an f32's slot is 0 */
        a64_int_from_float(a, 0, TMP, from);
        a64_store(a, to, TMP);
    }
}
void ts_target_move(emitter *e, unsigned to_class, unsigned to, unsigned from_class, unsigned from) {
    assembler *a = &e->a;
    if (to_class == IN_R && from_class == IN_R)
        a64_mov(a, 1, to, from);
    else if (to_class == IN_R)
        a64_int_from_float(a, 1, to, from);
    else if (from_class == IN_R)
        a64_float_from_int(a, 1, to, from);
    else
        a64_fmov(a, to, from);
}
void ts_target_copy(emitter *e, operand to, operand from) {
    a64_load(&e->a, 1, TMP, from);
    a64_store(&e->a, to, TMP);
}
void ts_target_constant(emitter *e, unsigned class, unsigned to, uint64_t v) {
    if (class == IN_R)
        a64_imm(&e->a, to, v);
    else
        ts_a64_float_const(e, to, 1, v);
}
void ts_target_write_constant(emitter *e, operand to, uint64_t v) {
    if (v) a64_imm(&e->a, TMP, v);
    a64_store(&e->a, to, v ? TMP : ZR);
}

/* --- jumps ---------------------------------------------------------------------------------------------- */
/* A conditional jump and an adr reach 1 MiB. Code that is larger is made once more with `far`. */
uint32_t ts_target_jump(emitter *e, int cc) {
    if (cc < 0 || !e->far) return a64_jump(&e->a, cc);
    uint32_t over = a64_jump(&e->a, cc ^ 1), jump = a64_jump(&e->a, -1);
    a64_bind(&e->a, over, e->a.len);
    return jump;
}
void ts_target_bind(emitter *e, uint32_t jump, uint32_t to) {
    if (!a64_bind(&e->a, jump, to)) e->too_far = true;
}
void ts_target_landing(emitter *e) {
#if defined(__ARM_FEATURE_BTI_DEFAULT)
    a64_put(&e->a, 0xd50324dfu); /* bti jc */
#else
    (void)e;
#endif
}
/* Indirect jumps are by x16 or x17, which may go to `bti c`. */
void ts_target_continue(emitter *e) {
    a64_load(&e->a, 1, TMP, at_mem(PC, 0));
    a64_jump_reg(&e->a, TMP);
}
void ts_a64_number(emitter *e, unsigned to, ts_native_number kind, uint32_t what) {
    ts_emit_note_number(e, e->a.len, kind, what);
    a64_imm64(&e->a, to, 0);
}
void ts_target_set_number(uint8_t *code, ts_native_number kind, uint64_t v) {
    (void)kind;
    a64_set_imm64(code, v);
}
uint32_t ts_target_number_size(ts_native_number kind) {
    (void)kind;
    return 16;
}
uint32_t ts_target_processor(void) {
    return 0; /* the code needs no more than every processor of this kind has */
}
void ts_target_interpret(emitter *e, uint32_t word, uint32_t opcode) {
    ts_a64_number(e, PC, TS_NATIVE_WORD, word);
    ts_a64_number(e, TMP, TS_NATIVE_HANDLER, opcode);
    a64_jump_reg(&e->a, TMP);
}
uint32_t ts_target_table_jump(emitter *e, operand index, uint32_t n) {
    assembler *a = &e->a;
    unsigned i = ts_a64_integer(e, 0, index, TMP);
    uint32_t at;
    a64_imm(a, TMP2, n);
    a64_op(a, 0, A_SUBS, ZR, i, TMP2);
    a64_csel(a, 0, CC_B, TMP, i, TMP2);
    if (e->far) {
        at = a->len;
        a64_put(a, 0x52800000u | TMP2);           /* movz */
        a64_put(a, 0x72800000u | 1 << 21 | TMP2); /* movk */
        a64_adr(a, TMP3);
        a64_op(a, 1, A_ADD, TMP2, TMP2, TMP3);
    } else {
        at = a64_adr(a, TMP2);
    }
    a64_put(a, 0xb8a05800u | TMP << 16 | TMP2 << 5 | TMP); /* ldrsw x16, [x17, w16, uxtw 2] */
    a64_op(a, 1, A_ADD, TMP, TMP, TMP2);
    a64_jump_reg(a, TMP);
    return at;
}
int ts_target_test(emitter *e, operand m) {
    return a64_zero(0, ts_a64_integer(e, 0, m, TMP));
}

/* --- memory 0 ------------------------------------------------------------------------------------------- */
static unsigned size_of(const ts_shape *p) {
    return (unsigned)__builtin_ctz(p->size);
}
/* The place in a memory with explicit checks, whose address is in x16, without the offset. */
static operand checked_address(emitter *e, unsigned size, uint64_t offset, unsigned memory) {
    assembler *a = &e->a;
    a64_imm(a, TMP2, offset + size);
    a64_op(a, 1, A_ADDS, TMP, TMP, TMP2);
    ts_emit_side_exit(e, CC_AE); /* carry */
    a64_load(a, 1, TMP2, at_mem(INSTANCE, e->t->instance_mems));
    a64_load(a, 1, TMP2, at_mem(TMP2, (int32_t)memory * 8));
    a64_load(a, 1, TMP3, at_mem(TMP2, e->t->memory_len));
    a64_op(a, 1, A_SUBS, ZR, TMP, TMP3);
    ts_emit_side_exit(e, CC_A);
    a64_load(a, 1, TMP2, at_mem(TMP2, e->t->memory_base));
    a64_op(a, 1, A_ADD, TMP, TMP, TMP2);
    return at_mem(TMP, -(int32_t)size);
}
/* The place of an access, as an instruction can have it. It uses x16 and x20; x17 is free afterwards.
 * base_form: FORM_A … FORM_I, of the address. */
static operand address(emitter *e, const ts_shape *p, unsigned base_form, uint32_t slot) {
    assembler *a = &e->a;
    uint32_t offset = e->w[1].uw[1];
    operand from = base_form == FORM_S || base_form == FORM_P ? ts_emit_read_slot(e, slot) : in_reg(ACC_R);
    unsigned base = TMP;
    if (base_form == FORM_I) {
        operand fixed = at_mem(MEMORY, (int32_t)(offset & INT32_MAX));
        if (!p->checked && offset <= INT32_MAX && a64_reaches(size_of(p), fixed)) return fixed;
        a64_imm(a, TMP, offset);
        offset = 0;
    } else if (base_form == FORM_P || base_form == FORM_Q) { /* slot + constant, in 32 bits */
        a64_add_imm(a, 0, A_ADD, TMP, ts_a64_integer(e, 0, from, TMP), (int32_t)offset, TMP2);
        offset = 0;
    } else {
        base = ts_a64_integer(e, p->checked, from, TMP); /* a 64-bit memory has 64-bit addresses */
    }
    if (p->checked) {
        a64_mov(a, 1, TMP, base);
        return checked_address(e, p->size, offset, 0);
    }
    if (offset == 0) return at_index(MEMORY, base, 0);
    a64_op_extended(a, A_ADD, TMP, MEMORY, base, 0);
    if (offset <= INT32_MAX) return a64_near(a, size_of(p), at_mem(TMP, (int32_t)offset));
    a64_imm(a, TMP2, offset);
    a64_op(a, 1, A_ADD, TMP, TMP, TMP2);
    return at_mem(TMP, 0);
}
operand ts_a64_guarded_place(emitter *e, uint32_t slot, unsigned size) {
    return address(e, &(ts_shape){.size = (uint8_t)size}, FORM_S, slot);
}
operand ts_a64_checked_place(emitter *e, uint32_t slot, unsigned size, uint64_t offset, unsigned memory) {
    a64_mov(&e->a, 1, TMP, ts_a64_integer(e, 1, ts_emit_read_slot(e, slot), TMP));
    return checked_address(e, size, offset, memory);
}
static void access_memory(emitter *e, const ts_shape *p, unsigned opc, unsigned reg, operand m) {
    if (!p->checked) PUSH(e->faults, ((ts_native_entry){.word = e->in->at, .code = e->a.len}));
    a64_access(&e->a, size_of(p), opc, reg, m);
}
void ts_target_load(emitter *e, const ts_shape *p) {
    operand m = address(e, p, p->form, e->w[1].s[1]);
    if (p->out != IN_R) {
        unsigned to = float_result(e, p);
        access_memory(e, p, A_LOAD | A_FLOAT, to, m);
        ts_emit_finish_float(e, p, to);
        return;
    }
    unsigned to = integer_result(e, p), opc = A_LOAD;
    if (p->family == FAMILY_i64_load8_s || p->family == FAMILY_i64_load16_s || p->family == FAMILY_i64_load32_s)
        opc = A_LOAD_S64;
    else if (p->is_signed)
        opc = A_LOAD_S32;
    access_memory(e, p, opc, to, m);
    ts_emit_finish_integer(e, p, to);
}
static void store_constant(emitter *e, const ts_shape *p, operand m, uint64_t v) {
    if (p->size < 8) v &= ((uint64_t)1 << 8 * p->size) - 1;
    if (v) a64_imm(&e->a, TMP2, v);
    access_memory(e, p, A_STORE, v ? TMP2 : ZR, m);
}
void ts_target_store(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    unsigned base = ts_emit_store_base(p->form);
    switch (p->form) {
    case FORM_AI:
    case FORM_SI:
    case FORM_PI:
    case FORM_QI:
    case FORM_II: store_constant(e, p, address(e, p, base, w[1].s[0]), w[2].u); return;
    case FORM_SA:
    case FORM_IA: access_memory(e, p, A_STORE, ACC_R, address(e, p, base, w[1].s[0])); return;
    default: break;
    }
    operand value = ts_emit_read_slot(e, w[1].s[1]);
    operand m = address(e, p, base, w[1].s[0]);
    if (value.is_mem && m.reg == TMP3) { /* x20 may be needed to read the slot */
        a64_mov(&e->a, 1, TMP, TMP3);
        m.reg = TMP;
    }
    access_memory(e, p, A_STORE, ts_a64_integer(e, 1, value, TMP2), m);
}
void ts_target_store_float(emitter *e, const ts_shape *p) {
    operand m = address(e, p, p->form, e->w[1].s[0]);
    access_memory(e, p, A_STORE | A_FLOAT, acc_of(p->in), m);
}

/* --- the other operations ------------------------------------------------------------------------------- */
operand ts_a64_global(emitter *e) {
    a64_load(&e->a, 1, TMP2, at_mem(INSTANCE, e->t->instance_globals));
    a64_load(&e->a, 1, TMP2, at_mem(TMP2, (int32_t)(e->w[1].uw[1] * 8)));
    return at_mem(TMP2, e->t->global_value);
}
void ts_target_global_get(emitter *e, unsigned class, bool to_slot) {
    unsigned acc = acc_of(class);
    ts_target_read(e, class, acc, ts_a64_global(e));
    if (to_slot) ts_emit_write_slot(e, e->w[1].s[0], class, acc);
}
void ts_target_global_set(emitter *e) {
    operand from = ts_emit_read_slot(e, e->w[1].s[0]);
    if (from.is_mem) {
        ts_target_copy(e, ts_a64_global(e), from);
        return;
    }
    unsigned class = e->f.candidate[candidate_of(e, e->w[1].s[0])].class;
    ts_target_write(e, class == IN_R ? IN_R : IN_D, ts_a64_global(e), from.reg);
}
void ts_target_global_set_accumulator(emitter *e) {
    a64_store(&e->a, ts_a64_global(e), ACC_R);
}
void ts_target_select(emitter *e, unsigned class, bool by_slot, bool to_slot) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    operand yes = ts_emit_read_slot(e, s[1]), no = ts_emit_read_slot(e, s[2]);
    operand cond = by_slot ? ts_emit_read_slot(e, s[3]) : in_reg(ACC_R);
    unsigned acc = acc_of(class), to = to_slot ? result_home(e, s[0], class, acc) : acc;
    a64_compare_imm(a, 0, ts_a64_integer(e, 0, cond, TMP), 0, TMP2);
    if (class == IN_R) {
        unsigned a_reg = ts_a64_integer(e, 1, yes, TMP), b_reg = ts_a64_integer(e, 1, no, TMP2);
        a64_csel(a, 1, CC_NE, to, a_reg, b_reg);
    } else {
        int two = class == IN_D;
        unsigned a_reg = ts_a64_floating(e, two, yes, TMP_X), b_reg = ts_a64_floating(e, two, no, TMP_Y);
        a64_fcsel(a, 1, CC_NE, to, a_reg, b_reg);
    }
    if (to_slot) ts_emit_write_slot(e, s[0], class, to);
    if (to != acc && lives_on(e, BIT_R + class)) ts_target_move(e, class, acc, class, to);
}
void ts_target_shift_and_add(emitter *e, bool by_slot, bool to_slot) {
    const uint16_t *s = e->w[1].s;
    operand base = ts_emit_read_slot(e, s[1]), index = by_slot ? ts_emit_read_slot(e, s[2]) : in_reg(ACC_R);
    unsigned to = to_slot ? result_home(e, s[0], IN_R, ACC_R) : ACC_R;
    unsigned n = ts_a64_integer(e, 0, base, TMP), m = ts_a64_integer(e, 0, index, TMP2);
    a64_op_shifted(&e->a, 0, A_ADD, to, n, m, s[3] & 31);
    if (to_slot) ts_emit_write_slot(e, s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) a64_mov(&e->a, 1, ACC_R, to);
}
static void zero_many(emitter *e, uint32_t from, uint32_t n) {
    assembler *a = &e->a;
    a64_add_imm(a, 1, A_ADD, TMP, FRAME, (int64_t)from * 8, TMP);
    a64_imm(a, TMP2, n);
    uint32_t again = a->len;
    a64_put(a, 0xf8008400u | TMP << 5 | ZR); /* str xzr, [x16], 8 */
    a64_try_add_imm(a, 0, A_SUBS, TMP2, TMP2, 1);
    a64_bind(a, a64_jump(a, CC_NE), again);
}
void ts_target_enter(emitter *e, bool zeroes) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    a64_add_imm(a, 1, A_ADD, TMP, FRAME, (int64_t)w[1].uw[1] * 8, TMP);
    a64_load(a, 1, TMP2, at_mem(EXEC, e->t->exec_stack_end));
    a64_op(a, 1, A_SUBS, ZR, TMP, TMP2);
    ts_emit_side_exit(e, CC_A);
    if (!zeroes) return;
    uint32_t from = w[1].s[0], n = w[1].s[1];
    if (n > 32) {
        zero_many(e, from, n);
        return;
    }
    for (uint32_t s = from; s < from + n; s++) {
        unsigned k = candidate_of(e, s);
        if (has_home(k) && !lives_on(e, k)) continue;
        room(a, 0);
        if (has_home(k)) {
            ts_target_constant(e, e->f.candidate[k].class, home_of(e, k), 0);
            ts_emit_note_written(e, k);
        } else {
            a64_store(a, slot_memory(s), ZR);
        }
    }
}
void ts_target_take_fuel(emitter *e) {
    assembler *a = &e->a;
    a64_load(a, 1, TMP, at_mem(EXEC, e->t->exec_store));
    a64_load(a, 0, TMP, at_mem(TMP, e->t->store_interrupted));
    ts_emit_side_exit(e, a64_zero(0, TMP) ^ 1);
    a64_load(a, 1, TMP, at_mem(EXEC, e->t->exec_fuel));
    ts_emit_side_exit(e, a64_zero(1, TMP)); /* fuel 0: used up */
    a64_compare_imm(a, 1, TMP, -1, TMP2);   /* UINT64_MAX: not metered */
    a64_try_add_imm(a, 1, A_SUB, TMP2, TMP, 1);
    a64_csel(a, 1, CC_E, TMP, TMP, TMP2);
    a64_store(a, at_mem(EXEC, e->t->exec_fuel), TMP);
}
/* Push the link of a frame that is called: where it returns to, and the frame. Then go to its function, whose
 * ts_fcode is in x17. */
static void enter_frame(emitter *e) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    ts_a64_number(e, TMP, TS_NATIVE_WORD, e->in->at + 3);
    a64_pair(a, 0, TMP, FRAME, slot_memory(s[1]));
    if (s[0]) a64_add_imm(a, 1, A_ADD, FRAME, FRAME, (int64_t)s[0] * 8, TMP3);
    a64_load(a, 1, PC, at_mem(TMP2, (int32_t)offsetof(ts_fcode, entry)));
    ts_target_continue(e);
}
void ts_target_call(emitter *e) {
    ts_a64_number(e, TMP2, TS_NATIVE_CALLEE, (uint32_t)e->w[2].u);
    enter_frame(e);
}
void ts_target_call_indirect(emitter *e, operand index) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    unsigned i = ts_a64_integer(e, 1, index, TMP);
    a64_load(a, 1, TMP2, at_mem(INSTANCE, e->t->instance_tables));
    a64_load(a, 1, TMP2, at_mem(TMP2, (int32_t)(w[2].uw[1] * 8)));
    a64_load(a, 1, TMP3, at_mem(TMP2, e->t->table_len));
    a64_op(a, 1, A_SUBS, ZR, i, TMP3);
    ts_emit_side_exit(e, CC_AE);
    a64_load(a, 1, TMP2, at_mem(TMP2, e->t->table_elems));
    a64_put(a, 0xf8607800u | i << 16 | TMP2 << 5 | TMP2); /* ldr x17, [x17, i, lsl 3] */
    ts_emit_side_exit(e, a64_zero(1, TMP2));
    a64_load(a, 0, TMP, at_mem(TMP2, e->t->func_type));
    ts_a64_number(e, TMP3, TS_NATIVE_TYPE, e->in->at + 2);
    a64_op(a, 0, A_SUBS, ZR, TMP, TMP3);
    ts_emit_side_exit(e, CC_NE);
    a64_load(a, 1, TMP, at_mem(TMP2, e->t->func_inst));
    a64_op(a, 1, A_SUBS, ZR, TMP, INSTANCE);
    ts_emit_side_exit(e, CC_NE);
    a64_load(a, 1, TMP2, at_mem(TMP2, e->t->func_code));
    enter_frame(e);
}
/* A function with an adapter is called by its code (native/adapter.h). The interpreter calls the others. */
void ts_target_call_import(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    a64_load(a, 1, X0, at_mem(INSTANCE, e->t->instance_funcs));
    a64_load(a, 1, X0, at_mem(X0, (int32_t)(w[1].uw[1] * 8)));
    a64_load(a, 1, X0, at_mem(X0, e->t->func_adapter));
    ts_emit_side_exit(e, a64_zero(1, X0));
    ts_a64_number(e, PC, TS_NATIVE_WORD, e->in->at);
    a64_add_imm(a, 1, A_ADD, ACC_R, FRAME, (int64_t)w[1].s[0] * 8, TMP2);
    a64_load(a, 1, TMP, at_mem(X0, e->t->adapter_call));
    a64_jump_reg(a, TMP);
}
void ts_target_return(emitter *e) {
    assembler *a = &e->a;
    operand link = slot_memory(e->w[1].s[3]);
    unsigned pc = link.disp <= 504 ? PC : TMP; /* x20 may be needed to reach the link */
    a64_pair(a, 1, pc, FRAME, link);
    a64_mov(a, 1, PC, pc);
    ts_target_continue(e);
}
#endif
