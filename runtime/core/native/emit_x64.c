/* emit_x64: x86-64 code for moves, jumps, memory, control and calls. See emitter.h.
 *
 * Registers: r13 the frame, r14 the base of memory 0 if it is guarded, r15 the ts_exec, rdi the instance; rsi,
 * xmm0 and xmm1 the accumulators. All these are where the interpreter has them. rax, rcx, xmm14 and xmm15 are
 * for one instruction. The others are homes of slots. */
#include "core/native/emitter.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE && defined(__x86_64__)
static const uint8_t integer_homes[] = {RBX, R8, R9, R10, R11, RBP, R12, RDX};
static const uint8_t floating_homes[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

flow_registers ts_target_registers(const flow *f) {
    flow_registers have = {integer_homes, floating_homes, sizeof integer_homes, sizeof floating_homes};
    if (f->divides) have.n_integer--;                        /* rdx is the last home */
    if (f->has_vectors) have.n_floating -= VECTOR_REGISTERS; /* the last homes */
    return have;
}
_Static_assert(sizeof floating_homes == FIRST_VECTOR_REGISTER - 2 + VECTOR_REGISTERS, "xmm2 and up");

/* --- moves ---------------------------------------------------------------------------------------------- */
void ts_target_read(emitter *e, unsigned class, unsigned to, operand from) {
    if (class == IN_R)
        x_mov(&e->a, 1, to, from);
    else
        x_movx(&e->a, class == IN_D, to, from);
}
void ts_target_write(emitter *e, unsigned class, operand to, unsigned from) {
    if (class == IN_R) {
        x_store(&e->a, 1, to, from);
    } else if (class == IN_D) {
        x_sse(&e->a, 1, 0x0f11, from, to);
    } else { /* the high half of an f32's slot is 0 */
        x_reg_from_xmm(&e->a, 0, RAX, from);
        x_store(&e->a, 1, to, RAX);
    }
}
void ts_target_move(emitter *e, unsigned to_class, unsigned to, unsigned from_class, unsigned from) {
    if (to_class == IN_R && from_class == IN_R)
        x_mov(&e->a, 1, to, in_reg(from));
    else if (to_class == IN_R)
        x_reg_from_xmm(&e->a, 1, to, from);
    else if (from_class == IN_R)
        x_xmm_from_reg(&e->a, 1, to, from);
    else
        x_movx(&e->a, 1, to, in_reg(from));
}
void ts_target_copy(emitter *e, operand to, operand from) {
    x_mov(&e->a, 1, RAX, from);
    x_store(&e->a, 1, to, RAX);
}
void ts_target_constant(emitter *e, unsigned class, unsigned to, uint64_t v) {
    if (class == IN_R)
        x_imm(&e->a, to, v);
    else
        ts_x64_float_const(e, to, 1, v);
}
void ts_target_write_constant(emitter *e, operand to, uint64_t v) {
    if ((uint64_t)(int64_t)(int32_t)v == v) {
        x_op(&e->a, 1, 0xc7, 0, to);
        put32(&e->a, (uint32_t)v);
    } else {
        x_imm(&e->a, RAX, v);
        x_store(&e->a, 1, to, RAX);
    }
}

/* --- jumps ---------------------------------------------------------------------------------------------- */
uint32_t ts_target_jump(emitter *e, int cc) {
    return x_jump(&e->a, cc);
}
void ts_target_bind(emitter *e, uint32_t jump, uint32_t to) {
    x_bind(&e->a, jump, to);
}
void ts_target_landing(emitter *e) {
    (void)e;
}
static void number(emitter *e, unsigned to, ts_native_number kind, uint32_t what) {
    x_imm64(&e->a, to, 0);
    ts_emit_note_number(e, e->a.len - 8, kind, what);
}
void ts_target_set_number(uint8_t *code, ts_native_number kind, uint64_t v) {
    memcpy(code, &v, ts_target_number_size(kind));
}
uint32_t ts_target_number_size(ts_native_number kind) {
    return kind == TS_NATIVE_TYPE ? 4 : 8;
}
uint32_t ts_target_processor(void) {
    return (__builtin_cpu_supports("popcnt") ? 1u : 0) | (__builtin_cpu_supports("sse4.1") ? 2u : 0) |
           (__builtin_cpu_supports("sse4.2") ? 4u : 0);
}
void ts_target_continue(emitter *e) {
    x_jmp_mem(&e->a, at_mem(PC, 0));
}
void ts_target_interpret(emitter *e, uint32_t word, uint32_t opcode) {
    number(e, PC, TS_NATIVE_WORD, word);
    number(e, RAX, TS_NATIVE_HANDLER, opcode);
    x_jmp_reg(&e->a, RAX);
}
uint32_t ts_target_table_jump(emitter *e, operand index, uint32_t n) {
    assembler *a = &e->a;
    x_mov(a, 0, RAX, index);
    x_imm(a, RCX, n);
    x_alu(a, 0, X_CMP, RAX, in_reg(RCX));
    x_op(a, 0, 0x0f40 | CC_A, RAX, in_reg(RCX));
    if (n == 0) x_imm(a, RAX, 0);
    put8(a, 0x48); /* lea rcx, [rip + distance] */
    put8(a, 0x8d);
    put8(a, 0x0d);
    put32(a, 0);
    uint32_t lea = a->len - 4;
    x_any(a, 0, 1, 0x63, RAX, (operand){.is_mem = 1, .reg = RCX, .index = RAX}, 0);
    a->code[a->len - 1] |= 0x80; /* scale 4 */
    x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
    x_jmp_reg(a, RAX);
    return lea;
}
int ts_target_test(emitter *e, operand m) {
    if (m.is_mem || m.reg != ACC_R)
        x_alu_imm(&e->a, 0, X_CMP, m, 0);
    else
        x_op(&e->a, 0, 0x85, ACC_R, m);
    return CC_E;
}

/* --- memory 0 ------------------------------------------------------------------------------------------- */
/* The place of an access of `size` bytes. It is in rax, which keeps it; rcx is free afterwards.
 * base_form: FORM_A … FORM_I, of the address. */
static operand address(emitter *e, const ts_shape *p, unsigned base_form, uint32_t slot) {
    assembler *a = &e->a;
    uint32_t offset = e->w[1].uw[1];
    operand from = base_form == FORM_S || base_form == FORM_P ? ts_emit_read_slot(e, slot) : in_reg(ACC_R);
    bool sums = base_form == FORM_P || base_form == FORM_Q;
    if (base_form == FORM_I) {
        if (!p->checked && offset <= INT32_MAX) return at_mem(MEMORY, (int32_t)offset);
        x_imm(a, RAX, offset);
        offset = 0;
    } else if (sums) { /* slot + constant, in 32 bits */
        if (!from.is_mem) {
            x_lea(a, 0, RAX, at_mem(from.reg, (int32_t)offset));
        } else {
            x_mov(a, 0, RAX, from);
            x_alu_imm(a, 0, X_ADD, in_reg(RAX), (int32_t)offset);
        }
        offset = 0;
    } else if (p->checked) {
        x_mov(a, 1, RAX, from); /* a 64-bit memory has 64-bit addresses */
    } else {
        x_op(a, 0, 0x8b, RAX, from);
    }
    if (!p->checked) {
        if (offset <= INT32_MAX) return at_index(MEMORY, RAX, (int32_t)offset);
        x_imm(a, RCX, offset);
        x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
        return at_index(MEMORY, RAX, 0);
    }
    uint64_t more = (uint64_t)offset + p->size;
    x_imm(a, RCX, more);
    x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
    ts_emit_side_exit(e, CC_B);
    x_mov(a, 1, RCX, at_mem(INSTANCE, e->t->instance_mems));
    x_mov(a, 1, RCX, at_mem(RCX, 0));
    x_alu(a, 1, X_CMP, RAX, at_mem(RCX, e->t->memory_len));
    ts_emit_side_exit(e, CC_A);
    x_alu(a, 1, X_ADD, RAX, at_mem(RCX, e->t->memory_base));
    return at_mem(RAX, -(int32_t)p->size);
}
static void note_fault(emitter *e, const ts_shape *p) {
    if (!p->checked) PUSH(e->faults, ((ts_native_entry){.word = e->in->at, .code = e->a.len}));
}
void ts_target_load(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    operand m = address(e, p, p->form, e->w[1].s[1]);
    if (p->out != IN_R) {
        unsigned to = float_result(e, p);
        note_fault(e, p);
        x_movx(a, p->size == 8, to, m);
        ts_emit_finish_float(e, p, to);
        return;
    }
    unsigned to = integer_result(e, p);
    int wide = p->family == FAMILY_i64_load8_s || p->family == FAMILY_i64_load16_s || p->family == FAMILY_i64_load32_s;
    note_fault(e, p);
    switch (p->size) {
    case 1: x_op(a, wide, p->is_signed ? 0x0fbe : 0x0fb6, to, m); break;
    case 2: x_op(a, wide, p->is_signed ? 0x0fbf : 0x0fb7, to, m); break;
    case 4: x_op(a, wide, wide ? 0x63 : 0x8b, to, m); break;
    default: x_op(a, 1, 0x8b, to, m); break;
    }
    ts_emit_finish_integer(e, p, to);
}
static void store_register(emitter *e, const ts_shape *p, operand m, unsigned from) {
    note_fault(e, p);
    switch (p->size) {
    case 1: x_any(&e->a, 0, 0, 0x88, from, m, 1); break;
    case 2: x_any(&e->a, 0x66, 0, 0x89, from, m, 0); break;
    default: x_op(&e->a, p->size == 8, 0x89, from, m); break;
    }
}
static void store_constant(emitter *e, const ts_shape *p, operand m, uint64_t v) {
    assembler *a = &e->a;
    if (p->size == 8 && (uint64_t)(int64_t)(int32_t)v != v) {
        x_imm(a, RCX, v);
        store_register(e, p, m, RCX);
        return;
    }
    note_fault(e, p);
    if (p->size == 1) {
        x_op(a, 0, 0xc6, 0, m);
        put8(a, (unsigned)v & 0xff);
    } else if (p->size == 2) {
        x_any(a, 0x66, 0, 0xc7, 0, m, 0);
        put8(a, (unsigned)v & 0xff);
        put8(a, (unsigned)(v >> 8) & 0xff);
    } else {
        x_op(a, p->size == 8, 0xc7, 0, m);
        put32(a, (uint32_t)v);
    }
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
    case FORM_IA: store_register(e, p, address(e, p, base, w[1].s[0]), ACC_R); return;
    default: break;
    }
    operand value = ts_emit_read_slot(e, w[1].s[1]);
    operand m = address(e, p, base, w[1].s[0]);
    if (value.is_mem) {
        x_mov(&e->a, 1, RCX, value);
        value = in_reg(RCX);
    }
    store_register(e, p, m, value.reg);
}
void ts_target_store_float(emitter *e, const ts_shape *p) {
    operand m = address(e, p, p->form, e->w[1].s[0]);
    note_fault(e, p);
    x_sse(&e->a, p->size == 8, 0x0f11, acc_of(p->in), m);
}

/* --- the other operations ------------------------------------------------------------------------------- */
static operand global(emitter *e) {
    x_mov(&e->a, 1, RCX, at_mem(INSTANCE, e->t->instance_globals));
    x_mov(&e->a, 1, RCX, at_mem(RCX, (int32_t)(e->w[1].uw[1] * 8)));
    return at_mem(RCX, e->t->global_value);
}
void ts_target_global_get(emitter *e, unsigned class, bool to_slot) {
    operand m = global(e);
    unsigned acc = acc_of(class);
    if (class == IN_R)
        x_mov(&e->a, 1, acc, m);
    else
        x_movx(&e->a, class == IN_D, acc, m);
    if (to_slot) ts_emit_write_slot(e, e->w[1].s[0], class, acc);
}
void ts_target_global_set(emitter *e) {
    operand from = ts_emit_read_slot(e, e->w[1].s[0]);
    unsigned k = candidate_of(e, e->w[1].s[0]);
    if (from.is_mem)
        x_mov(&e->a, 1, RAX, from);
    else if (e->f.candidate[k].class != IN_R)
        x_reg_from_xmm(&e->a, 1, RAX, from.reg);
    unsigned reg = from.is_mem || e->f.candidate[k].class != IN_R ? RAX : from.reg;
    x_store(&e->a, 1, global(e), reg);
}
void ts_target_global_set_accumulator(emitter *e) {
    x_store(&e->a, 1, global(e), ACC_R);
}
void ts_target_select(emitter *e, unsigned class, bool by_slot, bool to_slot) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    operand yes = ts_emit_read_slot(e, s[1]), no = ts_emit_read_slot(e, s[2]);
    operand cond = by_slot ? ts_emit_read_slot(e, s[3]) : in_reg(ACC_R);
    unsigned acc = acc_of(class), to = to_slot ? result_home(e, s[0], class, acc) : acc;
    x_alu_imm(a, 0, X_CMP, cond, 0);
    if (class == IN_R) {
        if (is_reg(yes, to)) {
            x_op(a, 1, 0x0f40 | CC_E, to, no);
        } else {
            x_mov(a, 1, to, no);
            x_op(a, 1, 0x0f40 | CC_NE, to, yes);
        }
    } else {
        int two = class == IN_D;
        unsigned in = is_reg(yes, to) || is_reg(no, to) ? TMP_X : to;
        x_movx(a, two, in, no);
        uint32_t skip = x_jump_short(a, CC_E);
        x_movx(a, two, in, yes);
        x_bind_short(a, skip);
        x_movx(a, 1, to, in_reg(in));
    }
    if (to_slot) ts_emit_write_slot(e, s[0], class, to);
    if (to != acc && lives_on(e, BIT_R + class)) {
        if (class == IN_R)
            x_mov(a, 1, acc, in_reg(to));
        else
            x_movx(a, 1, acc, in_reg(to));
    }
}
void ts_target_shift_and_add(emitter *e, bool by_slot, bool to_slot) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    operand base = ts_emit_read_slot(e, s[1]), index = by_slot ? ts_emit_read_slot(e, s[2]) : in_reg(ACC_R);
    unsigned to = to_slot ? result_home(e, s[0], IN_R, ACC_R) : ACC_R;
    if (!base.is_mem && !index.is_mem && s[3] <= 3) {
        x_lea(a, 0, to, at_index(base.reg, index.reg, 0));
        unsigned sib = a->len - ((base.reg & 7) == 5 ? 2 : 1);
        a->code[sib] |= (uint8_t)(s[3] << 6);
    } else {
        x_op(a, 0, 0x8b, RAX, index);
        x_op(a, 0, 0xc1, X_SHL, in_reg(RAX));
        put8(a, s[3] & 31);
        x_alu(a, 0, X_ADD, RAX, base);
        x_mov(a, 1, to, in_reg(RAX));
    }
    if (to_slot) ts_emit_write_slot(e, s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) x_mov(a, 1, ACC_R, in_reg(to));
}
void ts_target_enter(emitter *e, bool zeroes) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    x_lea(a, 1, RAX, at_mem(FRAME, (int32_t)w[1].uw[1] * 8));
    x_alu(a, 1, X_CMP, RAX, at_mem(EXEC, e->t->exec_stack_end));
    ts_emit_side_exit(e, CC_A);
    if (!zeroes) return;
    uint32_t from = w[1].s[0], n = w[1].s[1];
    if (n > 32) {
        x_lea(a, 1, RAX, slot_memory(from));
        x_imm(a, RCX, n);
        uint32_t again = a->len;
        x_op(a, 1, 0xc7, 0, at_mem(RAX, 0));
        put32(a, 0);
        x_alu_imm(a, 1, X_ADD, in_reg(RAX), 8);
        x_alu_imm(a, 0, X_SUB, in_reg(RCX), 1);
        x_bind(a, x_jump(a, CC_NE), again);
        return;
    }
    for (uint32_t s = from; s < from + n; s++) {
        unsigned k = candidate_of(e, s);
        if (has_home(k) && !lives_on(e, k)) continue;
        room(a, 0);
        if (has_home(k)) {
            unsigned home = home_of(e, k);
            if (e->f.candidate[k].class == IN_R)
                x_imm(a, home, 0);
            else
                x_op(a, 0, 0x0f57, home, in_reg(home));
            ts_emit_note_written(e, k);
        } else {
            x_op(a, 1, 0xc7, 0, slot_memory(s));
            put32(a, 0);
        }
    }
}
void ts_target_take_fuel(emitter *e) {
    assembler *a = &e->a;
    x_mov(a, 1, RAX, at_mem(EXEC, e->t->exec_store));
    x_alu_imm(a, 0, X_CMP, at_mem(RAX, e->t->store_interrupted), 0);
    ts_emit_side_exit(e, CC_NE);
    x_mov(a, 1, RAX, at_mem(EXEC, e->t->exec_fuel));
    x_lea(a, 1, RCX, at_mem(RAX, 1));
    x_alu_imm(a, 1, X_CMP, in_reg(RCX), 1); /* fuel 0: used up; UINT64_MAX: not metered */
    ts_emit_side_exit(e, CC_E);
    uint32_t unmetered = x_jump_short(a, CC_B);
    x_alu_imm(a, 1, X_SUB, at_mem(EXEC, e->t->exec_fuel), 1);
    x_bind_short(a, unmetered);
}
/* The link of a frame that is called: where it returns to, and the frame. */
static void push_link(emitter *e, uint32_t link, uint32_t words) {
    assembler *a = &e->a;
    number(e, RCX, TS_NATIVE_WORD, e->in->at + words);
    x_store(a, 1, slot_memory(link), RCX);
    x_store(a, 1, slot_memory(link + 1), FRAME);
}
static void continue_at_entry(emitter *e, operand entry) {
    x_mov(&e->a, 1, PC, entry);
    ts_target_continue(e);
}
void ts_target_call(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    push_link(e, w[1].s[1], 3);
    if (w[1].s[0]) x_alu_imm(a, 1, X_ADD, in_reg(FRAME), (int32_t)w[1].s[0] * 8);
    number(e, RAX, TS_NATIVE_CALLEE, (uint32_t)w[2].u);
    continue_at_entry(e, at_mem(RAX, (int32_t)offsetof(ts_fcode, entry)));
}
void ts_target_call_indirect(emitter *e, operand index) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    x_mov(a, 1, RAX, index);
    x_mov(a, 1, RCX, at_mem(INSTANCE, e->t->instance_tables));
    x_mov(a, 1, RCX, at_mem(RCX, (int32_t)(w[2].uw[1] * 8)));
    x_alu(a, 1, X_CMP, RAX, at_mem(RCX, e->t->table_len));
    ts_emit_side_exit(e, CC_AE);
    x_mov(a, 1, RCX, at_mem(RCX, e->t->table_elems));
    x_any(a, 0, 1, 0x8b, RAX, at_index(RCX, RAX, 0), 0);
    a->code[a->len - 1] |= 0xc0; /* scale 8 */
    x_op(a, 1, 0x85, RAX, in_reg(RAX));
    ts_emit_side_exit(e, CC_E);
    x_alu_imm32(a, 0, X_CMP, at_mem(RAX, e->t->func_type));
    ts_emit_note_number(e, a->len - 4, TS_NATIVE_TYPE, e->in->at + 2);
    ts_emit_side_exit(e, CC_NE);
    x_alu(a, 1, X_CMP, INSTANCE, at_mem(RAX, e->t->func_inst));
    ts_emit_side_exit(e, CC_NE);
    push_link(e, w[1].s[1], 3);
    if (w[1].s[0]) x_alu_imm(a, 1, X_ADD, in_reg(FRAME), (int32_t)w[1].s[0] * 8);
    x_mov(a, 1, RAX, at_mem(RAX, e->t->func_code));
    continue_at_entry(e, at_mem(RAX, (int32_t)offsetof(ts_fcode, entry)));
}
/* A function with an adapter is called by its code (native/adapter.h). The interpreter calls the others. */
void ts_target_call_import(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    x_mov(a, 1, RAX, at_mem(INSTANCE, e->t->instance_funcs));
    x_mov(a, 1, RAX, at_mem(RAX, (int32_t)(w[1].uw[1] * 8)));
    x_mov(a, 1, RAX, at_mem(RAX, e->t->func_adapter));
    x_op(a, 1, 0x85, RAX, in_reg(RAX));
    ts_emit_side_exit(e, CC_E);
    number(e, PC, TS_NATIVE_WORD, e->in->at);
    x_lea(a, 1, ACC_R, slot_memory(w[1].s[0]));
    x_jmp_mem(a, at_mem(RAX, e->t->adapter_call));
}
void ts_target_return(emitter *e) {
    uint32_t link = e->w[1].s[3];
    x_mov(&e->a, 1, PC, slot_memory(link));
    x_mov(&e->a, 1, FRAME, slot_memory(link + 1));
    ts_target_continue(e);
}
#endif
