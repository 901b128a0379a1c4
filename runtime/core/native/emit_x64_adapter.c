/* emit_x64_adapter: x86-64 code of calls between components. See adapter.h.
 *
 * At the call, rax has the adapter, rsi the place of the arguments, and the other registers have what they have when the
 * interpreter executes call_import. At the return, the frame's register has the place of the arguments. All homes of
 * slots are free. */
#include "core/native/adapter.h"
#include "core/native/emitter.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE && defined(__x86_64__)
enum { ADAPTER = RAX, AT = ACC_R };
/* Code behind the rest, for values that are rare. */
enum { RARE_CHAR, RARE_DEEPEST, RARE_NAN };
typedef struct rare {
    uint8_t kind, reg; /* reg: of the value */
    bool two;          /* a NaN of 64 bits */
    uint32_t jump, back;
} rare;
enum { MOST_EXITS = TS_ADAPTER_ENTERED + 2 * TS_ADAPTER_PARAMS + 8 };
typedef struct writer {
    assembler a;
    const ts_adapter_shape *shape;
    const ts_native_layout *t;
    rare rare[TS_ADAPTER_PARAMS + 2];
    uint32_t exit[MOST_EXITS]; /* jumps to where the interpreter's operation does it */
    uint32_t n_rare, n_exits;
} writer;

static void exit_if(writer *w, int cc) {
    TS_ASSERT(w->n_exits < MOST_EXITS);
    w->exit[w->n_exits++] = x_jump(&w->a, cc);
}
static void rarely(writer *w, int cc, unsigned kind, unsigned reg, bool two) {
    TS_ASSERT(w->n_rare < sizeof w->rare / sizeof *w->rare);
    uint32_t jump = x_jump(&w->a, cc);
    w->rare[w->n_rare++] =
        (rare){.kind = (uint8_t)kind, .reg = (uint8_t)reg, .two = two, .jump = jump, .back = w->a.len};
}
/* All rare code since the last call, and the exits, which go on at the interpreter's operation. */
static void write_rare(writer *w) {
    assembler *a = &w->a;
    for (uint32_t i = 0; i < w->n_rare; i++) {
        const rare *r = &w->rare[i];
        x_bind(a, r->jump, a->len);
        if (r->kind == RARE_CHAR) { /* above the surrogates, and below 0x110000 */
            x_lea(a, 0, RCX, at_mem(r->reg, -0xe000));
            x_alu_imm(a, 0, X_CMP, in_reg(RCX), 0x110000 - 0xe000);
            exit_if(w, CC_AE);
        } else if (r->kind == RARE_DEEPEST) {
            x_alu(a, 0, X_CMP, r->reg, at_mem(EXEC, w->t->exec_max_depth));
            exit_if(w, CC_AE);
            x_lea(a, 0, RDX, at_mem(r->reg, 1));
            x_store(a, 0, at_mem(EXEC, w->t->exec_deepest), RDX);
        } else {
            x_imm(a, RCX, r->two ? 0x7ff8000000000000u : 0x7fc00000u);
            x_xmm_from_reg(a, 1, r->reg, RCX);
        }
        x_bind(a, x_jump(a, -1), r->back);
    }
    w->n_rare = 0;
    for (uint32_t i = 0; i < w->n_exits; i++) x_bind(a, w->exit[i], a->len);
    w->n_exits = 0;
}
static void interpret(writer *w, const void *handler) {
    x_imm64(&w->a, RAX, (uintptr_t)handler);
    x_jmp_reg(&w->a, RAX);
}

/* --- values --------------------------------------------------------------------------------------------- */
static bool is_float(const ts_flat_step *s) {
    return s->op == TS_FLAT_F32 || s->op == TS_FLAT_F64;
}
/* What `reg` has is a value of its type, or exit. */
static void check_value(writer *w, const ts_flat_step *s, unsigned reg) {
    if (s->op == TS_FLAT_ENUM) {
        x_alu_imm(&w->a, 0, X_CMP, in_reg(reg), (int32_t)s->limit);
        exit_if(w, CC_AE);
    } else if (s->op == TS_FLAT_CHAR) {
        x_alu_imm(&w->a, 0, X_CMP, in_reg(reg), 0xd800);
        rarely(w, CC_AE, RARE_CHAR, reg, false);
    }
}
/* A float, with the canonical NaN. */
static void convert_float(writer *w, const ts_flat_step *s, unsigned to, operand from) {
    bool two = s->op == TS_FLAT_F64;
    x_movx(&w->a, two, to, from);
    x_any(&w->a, two ? 0x66 : 0, 0, 0x0f2e, to, in_reg(to), 0); /* ucomiss, ucomisd */
    rarely(w, CC_P, RARE_NAN, to, two);
}
static void store_float(writer *w, operand to, unsigned from) {
    x_any(&w->a, 0x66, 0, 0x0fd6, from, to, 0); /* movq: a float in memory has cleared the high half of the register */
}
static void convert(writer *w, const ts_flat_step *s, unsigned to, operand from) {
    assembler *a = &w->a;
    switch ((ts_flat_op)s->op) {
    case TS_FLAT_SAME: x_mov(a, 1, to, from); return;
    case TS_FLAT_BOOL:
        x_alu_imm(a, 0, X_CMP, from, 0);
        x_setcc(a, CC_NE, to);
        x_movzx8(a, to, to);
        return;
    case TS_FLAT_U8: x_op(a, 0, 0x0fb6, to, from); return;
    case TS_FLAT_S8: x_op(a, 0, 0x0fbe, to, from); return;
    case TS_FLAT_U16: x_op(a, 0, 0x0fb7, to, from); return;
    case TS_FLAT_S16: x_op(a, 0, 0x0fbf, to, from); return;
    case TS_FLAT_FLAGS:
        x_mov(a, 0, to, from);
        x_alu_imm(a, 0, X_AND, in_reg(to), (int32_t)s->limit);
        return;
    case TS_FLAT_I32:
    case TS_FLAT_CHAR: /* these two are checked elsewhere */
    case TS_FLAT_ENUM:
    case TS_FLAT_F32:
    case TS_FLAT_F64: x_mov(a, 0, to, from); return;
    }
}

/* --- the call ------------------------------------------------------------------------------------------- */
static operand argument(uint32_t i) {
    return at_mem(AT, (int32_t)(i * 8));
}
static operand flag(writer *w, uint32_t i) {
    x_mov(&w->a, 1, RDX, at_mem(ADAPTER, w->t->adapter_flags + (int32_t)(i * 8)));
    return at_mem(RDX, 0);
}
/* What must hold. Nothing changes, but for the highest depth so far. ecx gets the depth. */
static void check(writer *w) {
    assembler *a = &w->a;
    const ts_native_layout *t = w->t;
    for (uint32_t i = 0; i < w->shape->n_params; i++) {
        const ts_flat_step *s = &w->shape->steps[i];
        if (s->op != TS_FLAT_CHAR && s->op != TS_FLAT_ENUM) continue;
        x_mov(a, 0, RDX, argument(i));
        check_value(w, s, RDX);
    }
    x_mov(a, 1, RDX, at_mem(ADAPTER, t->adapter_open));
    x_op(a, 0, 0x80, X_CMP, at_mem(RDX, 0));
    put8(a, 0);
    exit_if(w, CC_E);
    for (uint32_t i = 0; i < w->shape->n_entered; i++) {
        x_op(a, 0, 0x80, X_CMP, flag(w, i));
        put8(a, 0);
        exit_if(w, CC_E);
    }
    x_mov(a, 1, RDX, at_mem(ADAPTER, t->adapter_state));
    x_mov(a, 1, R8, at_mem(RDX, 0));
    for (int32_t i = 1; i < TS_ADAPTER_STATE; i++) x_alu(a, 1, X_OR, R8, at_mem(RDX, i * 8));
    x_op(a, 1, 0x85, R8, in_reg(R8));
    exit_if(w, CC_NE);
    x_mov(a, 0, RCX, at_mem(EXEC, t->exec_depth));
    x_alu(a, 0, X_CMP, RCX, at_mem(EXEC, t->exec_deepest)); /* which is at most the limit */
    rarely(w, CC_AE, RARE_DEEPEST, RCX, false);
}
/* Sets the flags of all instances that are entered. */
static void set_entered(writer *w, unsigned to) {
    assembler *a = &w->a;
    for (uint32_t i = 0; i < w->shape->n_entered; i++) {
        x_op(a, 0, 0xc6, 0, flag(w, i));
        put8(a, to);
    }
}
static void enter(writer *w) {
    assembler *a = &w->a;
    set_entered(w, 0);
    x_alu_imm(a, 0, X_ADD, in_reg(RCX), 1);
    x_store(a, 0, at_mem(EXEC, w->t->exec_depth), RCX);
}
/* The arguments move up, converted. */
static void move_arguments(writer *w) {
    for (uint32_t i = w->shape->n_params; i-- > 0;) {
        const ts_flat_step *s = &w->shape->steps[i];
        operand to = argument(i + (uint32_t)w->t->cross_slots);
        if (is_float(s)) {
            convert_float(w, s, TMP_X, argument(i));
            store_float(w, to, TMP_X);
        } else {
            convert(w, s, RDX, argument(i));
            x_store(&w->a, 1, to, RDX);
        }
    }
}
static void call(writer *w, const void *const *handlers, const ts_word *leave) {
    assembler *a = &w->a;
    const ts_native_layout *t = w->t;
    check(w);
    enter(w);
    move_arguments(w);
    x_store(a, 1, at_mem(AT, t->cross_inst), INSTANCE);
    x_lea(a, 1, RDX, at_mem(R12, (int32_t)(ts_ir_words[TS_IR_call_import] * sizeof(ts_word))));
    x_store(a, 1, at_mem(AT, t->cross_pc), RDX);
    x_store(a, 1, at_mem(AT, t->cross_fp), FRAME);
    x_store(a, 1, at_mem(AT, t->cross_adapter), ADAPTER);
    operand link = argument((uint32_t)t->cross_slots + w->shape->link);
    x_imm64(a, RDX, (uintptr_t)leave);
    x_store(a, 1, link, RDX);
    link.disp += 8;
    x_store(a, 1, link, AT);
    x_lea(a, 1, FRAME, at_mem(AT, t->cross_slots * 8));
    x_mov(a, 1, INSTANCE, at_mem(ADAPTER, t->adapter_inst));
    x_mov(a, 1, RDX, at_mem(ADAPTER, t->adapter_code));
    x_mov(a, 1, MEMORY, at_mem(INSTANCE, t->instance_memory));
    x_store(a, 1, at_mem(EXEC, t->exec_inst), INSTANCE);
    x_mov(a, 1, R12, at_mem(RDX, (int32_t)offsetof(ts_fcode, entry)));
    x_jmp_mem(a, at_mem(R12, 0));
    write_rare(w);
    interpret(w, handlers[TS_IR_call_import_adapted]);
}

/* --- the return ----------------------------------------------------------------------------------------- */
/* The accumulator of its class gets the result, converted. */
static void convert_result(writer *w, const ts_flat_step *s) {
    operand from = at_mem(FRAME, w->t->cross_slots * 8);
    if (is_float(s)) {
        convert_float(w, s, acc_of(s->op == TS_FLAT_F64 ? IN_D : IN_F), from);
        return;
    }
    convert(w, s, ACC_R, from);
    check_value(w, s, ACC_R);
}
static void put_result(writer *w, const ts_flat_step *s) {
    if (is_float(s))
        store_float(w, at_mem(FRAME, 0), acc_of(s->op == TS_FLAT_F64 ? IN_D : IN_F));
    else
        x_store(&w->a, 1, at_mem(FRAME, 0), ACC_R);
}
static void leave(writer *w, const void *const *handlers) {
    assembler *a = &w->a;
    const ts_native_layout *t = w->t;
    const ts_flat_step *result = w->shape->n_results ? &w->shape->steps[w->shape->n_params] : NULL;
    if (result) convert_result(w, result);
    x_mov(a, 1, ADAPTER, at_mem(FRAME, t->cross_adapter));
    x_mov(a, 1, RDX, at_mem(ADAPTER, t->adapter_state));
    for (int32_t i = 0; i < TS_ADAPTER_STATE; i++) {
        x_op(a, 1, 0xc7, 0, at_mem(RDX, i * 8));
        put32(a, 0);
    }
    set_entered(w, 1);
    x_alu_imm(a, 0, X_SUB, at_mem(EXEC, t->exec_depth), 1);
    x_mov(a, 1, R12, at_mem(FRAME, t->cross_pc));
    x_mov(a, 1, INSTANCE, at_mem(FRAME, t->cross_inst));
    x_mov(a, 1, RDX, at_mem(FRAME, t->cross_fp));
    if (result) put_result(w, result);
    x_mov(a, 1, FRAME, in_reg(RDX));
    x_mov(a, 1, MEMORY, at_mem(INSTANCE, t->instance_memory));
    x_store(a, 1, at_mem(EXEC, t->exec_inst), INSTANCE);
    x_jmp_mem(a, at_mem(R12, 0));
    write_rare(w);
    for (int32_t i = 0; i < TS_ADAPTER_STATE; i++) { /* the operation restores it */
        x_op(a, 1, 0xc7, 0, at_mem(FRAME, t->cross_state + i * 8));
        put32(a, 0);
    }
    x_op(a, 1, 0xc7, 0, at_mem(FRAME, t->cross_results));
    put32(a, w->shape->n_results);
    interpret(w, handlers[TS_IR_leave_converted]);
}

bool ts_native_adapter(const ts_adapter_shape *shape, const ts_native_layout *layout, const void *const *handlers,
                       const ts_word *to_leave, ts_native *out, uint32_t *leave_at) {
    writer w = {.shape = shape, .t = layout};
    *out = (ts_native){0};
    if (!room(&w.a, 2048)) return false;
    call(&w, handlers, to_leave);
    *leave_at = w.a.len;
    if (room(&w.a, 0)) leave(&w, handlers);
    if (w.a.failed) {
        free(w.a.code);
        return false;
    }
    out->code = w.a.code;
    out->len = w.a.len;
    return true;
}
#endif
