/* emit_a64_adapter: aarch64 code of calls between components. See adapter.h; emit_x64_adapter.c has the same for x86-64.
 *
 * At the call, x0 has the adapter, x25 the place of the arguments, and the other registers have what they have when the
 * interpreter executes call_import. At the return, the frame's register has the place of the arguments. All homes of
 * slots are free. */
#include "core/native/adapter.h"
#include "core/native/emitter.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE && defined(__aarch64__)
enum { ADAPTER = X0, AT = ACC_R, X2 = 2, X3 = 3, BYTE = 0, HALF = 1, WORD = 2 };
/* Code behind the rest, for values that are rare. */
enum { RARE_CHAR, RARE_DEEPEST, RARE_NAN };
typedef struct rare {
    uint8_t kind, reg; /* reg: of the value */
    bool two;          /* a NaN of 64 bits */
    uint32_t jump, back;
} rare;
enum { MOST_EXITS = TS_ADAPTER_ENTERED + 2 * TS_ADAPTER_PARAMS + 8 };
typedef struct writer {
    emitter e;
    const ts_adapter_shape *shape;
    const ts_native_layout *t;
    rare rare[TS_ADAPTER_PARAMS + 2];
    uint32_t exit[MOST_EXITS]; /* jumps to where the interpreter's operation does it */
    uint32_t n_rare, n_exits;
} writer;

static void exit_if(writer *w, int cc) {
    TS_ASSERT(w->n_exits < MOST_EXITS);
    w->exit[w->n_exits++] = a64_jump(&w->e.a, cc);
}
static void rarely(writer *w, int cc, unsigned kind, unsigned reg, bool two) {
    TS_ASSERT(w->n_rare < sizeof w->rare / sizeof *w->rare);
    uint32_t jump = a64_jump(&w->e.a, cc);
    w->rare[w->n_rare++] =
        (rare){.kind = (uint8_t)kind, .reg = (uint8_t)reg, .two = two, .jump = jump, .back = w->e.a.len};
}
/* All rare code since the last call, and the exits, which go on at the interpreter's operation. */
static void write_rare(writer *w) {
    assembler *a = &w->e.a;
    for (uint32_t i = 0; i < w->n_rare; i++) {
        const rare *r = &w->rare[i];
        a64_bind(a, r->jump, a->len);
        if (r->kind == RARE_CHAR) { /* above the surrogates, and below 0x110000 */
            a64_imm(a, TMP2, 0xe000);
            a64_op(a, 0, A_SUB, X3, r->reg, TMP2);
            a64_compare_imm(a, 0, X3, 0x110000 - 0xe000, TMP2);
            exit_if(w, CC_AE);
        } else if (r->kind == RARE_DEEPEST) {
            a64_load(a, 0, X3, at_mem(EXEC, w->t->exec_max_depth));
            a64_op(a, 0, A_SUBS, ZR, r->reg, X3);
            exit_if(w, CC_AE);
            a64_add_imm(a, 0, A_ADD, X3, r->reg, 1, TMP2);
            a64_access(a, WORD, A_STORE, X3, at_mem(EXEC, w->t->exec_deepest));
        } else {
            a64_imm(a, TMP2, r->two ? 0x7ff8000000000000u : 0x7fc00000u);
            a64_float_from_int(a, 1, r->reg, TMP2);
        }
        a64_bind(a, a64_jump(a, -1), r->back);
    }
    w->n_rare = 0;
    for (uint32_t i = 0; i < w->n_exits; i++) a64_bind(a, w->exit[i], a->len);
    w->n_exits = 0;
}
static void interpret(writer *w, const void *handler) {
    a64_imm64(&w->e.a, TMP, (uintptr_t)handler);
    a64_jump_reg(&w->e.a, TMP);
}
/* Continue at the instruction of the IR in x20. */
static void go_on(writer *w) {
    a64_load(&w->e.a, 1, TMP, at_mem(TMP3, 0));
    a64_jump_reg(&w->e.a, TMP);
}

/* --- values --------------------------------------------------------------------------------------------- */
static bool is_float(const ts_flat_step *s) {
    return s->op == TS_FLAT_F32 || s->op == TS_FLAT_F64;
}
/* What `reg` has is a value of its type, or exit. */
static void check_value(writer *w, const ts_flat_step *s, unsigned reg) {
    if (s->op == TS_FLAT_ENUM) {
        a64_compare_imm(&w->e.a, 0, reg, s->limit, TMP2);
        exit_if(w, CC_AE);
    } else if (s->op == TS_FLAT_CHAR) {
        a64_compare_imm(&w->e.a, 0, reg, 0xd800, TMP2);
        rarely(w, CC_AE, RARE_CHAR, reg, false);
    }
}
/* A float, with the canonical NaN. */
static void convert_float(writer *w, const ts_flat_step *s, unsigned to, operand from) {
    bool two = s->op == TS_FLAT_F64;
    a64_access(&w->e.a, two ? 3 : WORD, A_LOAD | A_FLOAT, to, from);
    a64_fcmp(&w->e.a, two, to, to);
    rarely(w, CC_VS, RARE_NAN, to, two);
}
static void store_float(writer *w, operand to, unsigned from) {
    a64_access(&w->e.a, 3, A_STORE | A_FLOAT, from, to); /* a load has cleared what an f32 leaves of the register */
}
static void convert(writer *w, const ts_flat_step *s, unsigned to, operand from) {
    assembler *a = &w->e.a;
    switch ((ts_flat_op)s->op) {
    case TS_FLAT_SAME: a64_load(a, 1, to, from); return;
    case TS_FLAT_BOOL:
        a64_load(a, 0, to, from);
        a64_compare_imm(a, 0, to, 0, TMP2);
        a64_cset(a, CC_NE, to);
        return;
    case TS_FLAT_U8: a64_access(a, BYTE, A_LOAD, to, from); return;
    case TS_FLAT_S8: a64_access(a, BYTE, A_LOAD_S32, to, from); return;
    case TS_FLAT_U16: a64_access(a, HALF, A_LOAD, to, from); return;
    case TS_FLAT_S16: a64_access(a, HALF, A_LOAD_S32, to, from); return;
    case TS_FLAT_FLAGS:
        a64_load(a, 0, to, from);
        if (a64_try_logical_imm(a, 0, A_AND, to, to, s->limit)) return;
        a64_imm(a, TMP2, s->limit);
        a64_op(a, 0, A_AND, to, to, TMP2);
        return;
    case TS_FLAT_I32:
    case TS_FLAT_CHAR: /* these two are checked elsewhere */
    case TS_FLAT_ENUM:
    case TS_FLAT_F32:
    case TS_FLAT_F64: a64_load(a, 0, to, from); return;
    }
}

/* --- the call ------------------------------------------------------------------------------------------- */
static operand argument(uint32_t i) {
    return at_mem(AT, (int32_t)(i * 8));
}
static void must_be_set(writer *w, int32_t at) {
    assembler *a = &w->e.a;
    a64_load(a, 1, X1, at_mem(ADAPTER, at));
    a64_access(a, BYTE, A_LOAD, X1, at_mem(X1, 0));
    exit_if(w, a64_zero(0, X1));
}
/* What must hold. Nothing changes, but for the highest depth so far. x2 gets the depth. */
static void check(writer *w) {
    assembler *a = &w->e.a;
    const ts_native_layout *t = w->t;
    for (uint32_t i = 0; i < w->shape->n_params; i++) {
        const ts_flat_step *s = &w->shape->steps[i];
        if (s->op != TS_FLAT_CHAR && s->op != TS_FLAT_ENUM) continue;
        a64_load(a, 0, X1, argument(i));
        check_value(w, s, X1);
    }
    must_be_set(w, t->adapter_open);
    for (uint32_t i = 0; i < w->shape->n_entered; i++) must_be_set(w, t->adapter_flags + (int32_t)(i * 8));
    a64_load(a, 1, X1, at_mem(ADAPTER, t->adapter_state));
    a64_load(a, 1, X2, at_mem(X1, 0));
    for (int32_t i = 1; i < TS_ADAPTER_STATE; i++) {
        a64_load(a, 1, X3, at_mem(X1, i * 8));
        a64_op(a, 1, A_ORR, X2, X2, X3);
    }
    exit_if(w, a64_zero(1, X2) ^ 1);
    a64_load(a, 0, X2, at_mem(EXEC, t->exec_depth));
    a64_load(a, 0, X3, at_mem(EXEC, t->exec_deepest)); /* which is at most the limit */
    a64_op(a, 0, A_SUBS, ZR, X2, X3);
    rarely(w, CC_AE, RARE_DEEPEST, X2, false);
}
/* Sets the flags of all instances that are entered, to the register's value. */
static void set_entered(writer *w, unsigned to) {
    assembler *a = &w->e.a;
    for (uint32_t i = 0; i < w->shape->n_entered; i++) {
        a64_load(a, 1, X1, at_mem(ADAPTER, w->t->adapter_flags + (int32_t)(i * 8)));
        a64_access(a, BYTE, A_STORE, to, at_mem(X1, 0));
    }
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
            convert(w, s, X1, argument(i));
            a64_store(&w->e.a, to, X1);
        }
    }
}
/* The instance in x24 runs now. */
static void enter_instance(writer *w) {
    a64_load(&w->e.a, 1, MEMORY, at_mem(INSTANCE, w->t->instance_memory));
    a64_store(&w->e.a, at_mem(EXEC, w->t->exec_inst), INSTANCE);
}
static void call(writer *w, const void *const *handlers, const ts_word *leave) {
    assembler *a = &w->e.a;
    const ts_native_layout *t = w->t;
    ts_target_landing(&w->e);
    check(w);
    set_entered(w, ZR);
    a64_add_imm(a, 0, A_ADD, X2, X2, 1, TMP2);
    a64_access(a, WORD, A_STORE, X2, at_mem(EXEC, t->exec_depth));
    move_arguments(w);
    a64_store(a, at_mem(AT, t->cross_inst), INSTANCE);
    a64_add_imm(a, 1, A_ADD, X1, TMP3, ts_ir_words[TS_IR_call_import] * (int64_t)sizeof(ts_word), TMP2);
    a64_store(a, at_mem(AT, t->cross_pc), X1);
    a64_store(a, at_mem(AT, t->cross_fp), FRAME);
    a64_store(a, at_mem(AT, t->cross_adapter), ADAPTER);
    a64_imm64(a, X1, (uintptr_t)leave);
    a64_pair(a, 0, X1, AT, argument((uint32_t)t->cross_slots + w->shape->link));
    a64_add_imm(a, 1, A_ADD, FRAME, AT, t->cross_slots * 8, TMP2);
    a64_load(a, 1, INSTANCE, at_mem(ADAPTER, t->adapter_inst));
    a64_load(a, 1, X1, at_mem(ADAPTER, t->adapter_code));
    enter_instance(w);
    a64_load(a, 1, TMP3, at_mem(X1, (int32_t)offsetof(ts_fcode, entry)));
    go_on(w);
    write_rare(w);
    interpret(w, handlers[TS_IR_call_import_adapted]);
}

/* --- the return ----------------------------------------------------------------------------------------- */
static unsigned result_register(const ts_flat_step *s) {
    return is_float(s) ? acc_of(s->op == TS_FLAT_F64 ? IN_D : IN_F) : ACC_R;
}
/* The accumulator of its class gets the result, converted. */
static void convert_result(writer *w, const ts_flat_step *s) {
    operand from = at_mem(FRAME, w->t->cross_slots * 8);
    if (is_float(s)) {
        convert_float(w, s, result_register(s), from);
        return;
    }
    convert(w, s, ACC_R, from);
    check_value(w, s, ACC_R);
}
static void clear_state(writer *w, unsigned base, int32_t at) {
    for (int32_t i = 0; i < TS_ADAPTER_STATE; i++) a64_store(&w->e.a, at_mem(base, at + i * 8), ZR);
}
static void leave(writer *w, const void *const *handlers) {
    assembler *a = &w->e.a;
    const ts_native_layout *t = w->t;
    const ts_flat_step *result = w->shape->n_results ? &w->shape->steps[w->shape->n_params] : NULL;
    ts_target_landing(&w->e);
    if (result) convert_result(w, result);
    a64_load(a, 1, ADAPTER, at_mem(FRAME, t->cross_adapter));
    a64_load(a, 1, X1, at_mem(ADAPTER, t->adapter_state));
    clear_state(w, X1, 0);
    a64_imm(a, X3, 1);
    set_entered(w, X3);
    a64_load(a, 0, X2, at_mem(EXEC, t->exec_depth));
    a64_op(a, 0, A_SUB, X2, X2, X3);
    a64_access(a, WORD, A_STORE, X2, at_mem(EXEC, t->exec_depth));
    a64_load(a, 1, TMP3, at_mem(FRAME, t->cross_pc));
    a64_load(a, 1, INSTANCE, at_mem(FRAME, t->cross_inst));
    a64_load(a, 1, X1, at_mem(FRAME, t->cross_fp));
    if (result && is_float(result))
        store_float(w, at_mem(FRAME, 0), result_register(result));
    else if (result)
        a64_store(a, at_mem(FRAME, 0), ACC_R);
    a64_mov(a, 1, FRAME, X1);
    enter_instance(w);
    go_on(w);
    write_rare(w);
    clear_state(w, FRAME, t->cross_state); /* the operation restores it */
    a64_imm(a, X1, w->shape->n_results);
    a64_store(a, at_mem(FRAME, t->cross_results), X1);
    interpret(w, handlers[TS_IR_leave_converted]);
}

bool ts_native_adapter(const ts_adapter_shape *shape, const ts_native_layout *layout, const void *const *handlers,
                       const ts_word *to_leave, ts_native *out, uint32_t *leave_at) {
    writer w = {.shape = shape, .t = layout};
    assembler *a = &w.e.a;
    *out = (ts_native){0};
    if (!room(a, 2048)) return false;
    call(&w, handlers, to_leave);
    *leave_at = a->len;
    if (room(a, 0)) leave(&w, handlers);
    if (a->failed) {
        free(a->code);
        return false;
    }
    out->code = a->code;
    out->len = a->len;
    return true;
}
#endif
