/* emit_adapter: machine code of calls between components. See adapter.h; emit_adapter.h has the steps of a processor.
 *
 * At the call and at the return, the registers that emit_adapter.h does not name have what they have when the
 * interpreter executes call_import. At the return, the frame's register has the place of the arguments. All homes of
 * slots are free. */
#include "core/native/emit_adapter.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE
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
    const void *const *handlers; /* the interpreter's operations, by opcode */
    rare rare[TS_ADAPTER_PARAMS + 2];
    uint32_t exit[MOST_EXITS]; /* jumps to where the interpreter's operation does it */
    uint32_t n_rare, n_exits;
} writer;

static void exit_if(writer *w, int cc) {
    TS_ASSERT(w->n_exits < MOST_EXITS);
    w->exit[w->n_exits++] = ts_target_jump(&w->e, cc);
}
static void rarely(writer *w, int cc, unsigned kind, unsigned reg, bool two) {
    TS_ASSERT(w->n_rare < sizeof w->rare / sizeof *w->rare);
    uint32_t jump = ts_target_jump(&w->e, cc);
    w->rare[w->n_rare++] =
        (rare){.kind = (uint8_t)kind, .reg = (uint8_t)reg, .two = two, .jump = jump, .back = w->e.a.len};
}
/* All rare code since the last call, and the exits, which go on behind it. */
static void write_rare(writer *w) {
    emitter *e = &w->e;
    for (uint32_t i = 0; i < w->n_rare; i++) {
        const rare *r = &w->rare[i];
        ts_target_bind(e, r->jump, e->a.len);
        if (r->kind == RARE_CHAR) { /* above the surrogates, and below 0x110000 */
            ts_target_add_u32(e, OTHER, r->reg, -0xe000);
            ts_target_compare_limit(e, OTHER, 0x110000 - 0xe000);
            exit_if(w, CC_AE);
        } else if (r->kind == RARE_DEEPEST) {
            ts_target_read_u32(e, OTHER, at_mem(EXEC, w->t->exec_max_depth));
            ts_target_compare_u32(e, r->reg, OTHER);
            exit_if(w, CC_AE);
            ts_target_add_u32(e, OTHER, r->reg, 1);
            ts_target_write_u32(e, at_mem(EXEC, w->t->exec_deepest), OTHER);
        } else {
            ts_target_constant(e, IN_R, OTHER, r->two ? 0x7ff8000000000000u : 0x7fc00000u);
            ts_target_move(e, IN_D, r->reg, IN_R, OTHER);
        }
        ts_target_bind(e, ts_target_jump(e, -1), r->back);
    }
    w->n_rare = 0;
    for (uint32_t i = 0; i < w->n_exits; i++) ts_target_bind(e, w->exit[i], e->a.len);
    w->n_exits = 0;
}

/* --- values --------------------------------------------------------------------------------------------- */
static bool is_float(const ts_flat_step *s) {
    return s->op == TS_FLAT_F32 || s->op == TS_FLAT_F64;
}
/* What `reg` has is a value of its type, or exit. */
static void check_value(writer *w, const ts_flat_step *s, unsigned reg) {
    if (s->op == TS_FLAT_ENUM) {
        ts_target_compare_limit(&w->e, reg, s->limit);
        exit_if(w, CC_AE);
    } else if (s->op == TS_FLAT_CHAR) {
        ts_target_compare_limit(&w->e, reg, 0xd800);
        rarely(w, CC_AE, RARE_CHAR, reg, false);
    }
}
/* A float, with the canonical NaN. A load clears what an f32 leaves of the register, so that it is stored as 64 bits. */
static void read_float(writer *w, const ts_flat_step *s, unsigned to, operand from) {
    bool two = s->op == TS_FLAT_F64;
    ts_target_read(&w->e, two ? IN_D : IN_F, to, from);
    rarely(w, ts_target_is_nan(&w->e, two, to), RARE_NAN, to, two);
}

/* --- the call ------------------------------------------------------------------------------------------- */
static operand argument(uint32_t i) {
    return at_mem(AT, (int32_t)(i * 8));
}
/* What a pointer of the adapter points to. It changes PART. */
static operand pointed_to(writer *w, int32_t pointer) {
    ts_target_read(&w->e, IN_R, PART, at_mem(ADAPTER, pointer));
    return at_mem(PART, 0);
}
static int32_t flag(const writer *w, uint32_t i) {
    return w->t->adapter_flags + (int32_t)(i * sizeof(bool *));
}
/* What must hold. Nothing changes, but for the highest depth so far. DEPTH gets the depth. */
static void check(writer *w) {
    emitter *e = &w->e;
    const ts_native_layout *t = w->t;
    for (uint32_t i = 0; i < w->shape->n_params; i++) {
        const ts_flat_step *s = &w->shape->steps[i];
        if (s->op != TS_FLAT_CHAR && s->op != TS_FLAT_ENUM) continue;
        ts_target_read_u32(e, PART, argument(i));
        check_value(w, s, PART);
    }
    exit_if(w, ts_target_is_false(e, pointed_to(w, t->adapter_open)));
    for (uint32_t i = 0; i < w->shape->n_entered; i++) exit_if(w, ts_target_is_false(e, pointed_to(w, flag(w, i))));
    exit_if(w, ts_target_any_is_set(e, pointed_to(w, t->adapter_state), TS_ADAPTER_STATE));
    ts_target_read_u32(e, DEPTH, at_mem(EXEC, t->exec_depth));
    ts_target_read_u32(e, OTHER, at_mem(EXEC, t->exec_deepest)); /* which is at most the limit */
    ts_target_compare_u32(e, DEPTH, OTHER);
    rarely(w, CC_AE, RARE_DEEPEST, DEPTH, false);
}
/* Sets the flags of all instances that are entered. */
static void set_entered(writer *w, bool to) {
    for (uint32_t i = 0; i < w->shape->n_entered; i++) ts_target_set_flag(&w->e, pointed_to(w, flag(w, i)), to);
}
static void change_depth(writer *w, int32_t by) {
    ts_target_add_u32(&w->e, DEPTH, DEPTH, by);
    ts_target_write_u32(&w->e, at_mem(EXEC, w->t->exec_depth), DEPTH);
}
/* The arguments move up, converted. */
static void move_arguments(writer *w) {
    for (uint32_t i = w->shape->n_params; i-- > 0;) {
        const ts_flat_step *s = &w->shape->steps[i];
        operand to = argument(i + (uint32_t)w->t->cross_slots);
        if (is_float(s)) {
            read_float(w, s, TMP_X, argument(i));
            ts_target_write(&w->e, IN_D, to, TMP_X);
        } else {
            ts_target_read_flat(&w->e, s, PART, argument(i));
            ts_target_write(&w->e, IN_R, to, PART);
        }
    }
}
/* The instance in INSTANCE runs now. */
static void enter_instance(writer *w) {
    ts_target_read(&w->e, IN_R, MEMORY, at_mem(INSTANCE, w->t->instance_memory));
    ts_target_write(&w->e, IN_R, at_mem(EXEC, w->t->exec_inst), INSTANCE);
}
static void call(writer *w, const ts_word *leave) {
    emitter *e = &w->e;
    const ts_native_layout *t = w->t;
    ts_target_landing(e);
    check(w);
    set_entered(w, false);
    change_depth(w, 1);
    if (w->shape->to_memory) ts_target_read(e, IN_R, DEPTH, argument(w->shape->n_params)); /* arguments go there */
    move_arguments(w);
    if (w->shape->to_memory) ts_target_write(e, IN_R, at_mem(AT, t->cross_last), DEPTH);
    ts_target_write(e, IN_R, at_mem(AT, t->cross_inst), INSTANCE);
    ts_target_add(e, PART, PC, (int32_t)(ts_ir_words[TS_IR_call_import] * sizeof(ts_word)));
    ts_target_write(e, IN_R, at_mem(AT, t->cross_pc), PART);
    ts_target_write(e, IN_R, at_mem(AT, t->cross_fp), FRAME);
    ts_target_write(e, IN_R, at_mem(AT, t->cross_adapter), ADAPTER);
    const uint32_t link = (uint32_t)t->cross_slots + w->shape->link;
    ts_target_address(e, PART, leave);
    ts_target_write(e, IN_R, argument(link), PART);
    ts_target_write(e, IN_R, argument(link + 1), AT);
    ts_target_add(e, FRAME, AT, t->cross_slots * 8);
    ts_target_read(e, IN_R, INSTANCE, at_mem(ADAPTER, t->adapter_inst));
    ts_target_read(e, IN_R, PART, at_mem(ADAPTER, t->adapter_code));
    enter_instance(w);
    ts_target_read(e, IN_R, PC, at_mem(PART, (int32_t)offsetof(ts_fcode, entry)));
    ts_target_continue(e);
    write_rare(w);
    ts_target_go_to(e, w->handlers[TS_IR_call_import_adapted]);
}

/* --- the return ----------------------------------------------------------------------------------------- */
static unsigned class_of(const ts_flat_step *s) {
    return s->op == TS_FLAT_F64 ? IN_D : s->op == TS_FLAT_F32 ? IN_F : IN_R;
}
/* The accumulator of its class gets the result, converted. */
static void read_result(writer *w, const ts_flat_step *s) {
    operand from = at_mem(FRAME, w->t->cross_slots * 8);
    if (is_float(s)) {
        read_float(w, s, acc_of(class_of(s)), from);
    } else {
        ts_target_read_flat(&w->e, s, ACC_R, from);
        check_value(w, s, ACC_R);
    }
}
static void clear_state(writer *w, unsigned base, int32_t at) {
    for (int32_t i = 0; i < TS_ADAPTER_STATE; i++) ts_target_write_constant(&w->e, at_mem(base, at + i * 8), 0);
}
/* The operation returns instead, and restores the state. */
static void leave_by_operation(writer *w) {
    clear_state(w, FRAME, w->t->cross_state);
    ts_target_write_constant(&w->e, at_mem(FRAME, w->t->cross_results), w->shape->n_results);
    ts_target_go_to(&w->e, w->handlers[TS_IR_leave_converted]);
}
static void leave(writer *w) {
    emitter *e = &w->e;
    const ts_native_layout *t = w->t;
    const ts_flat_step *result = w->shape->n_results ? &w->shape->steps[w->shape->n_params] : NULL;
    ts_target_landing(e);
    if (w->shape->to_memory) {
        leave_by_operation(w);
        return;
    }
    if (result) read_result(w, result);
    ts_target_read(e, IN_R, ADAPTER, at_mem(FRAME, t->cross_adapter));
    clear_state(w, pointed_to(w, t->adapter_state).reg, 0);
    set_entered(w, true);
    ts_target_read_u32(e, DEPTH, at_mem(EXEC, t->exec_depth));
    change_depth(w, -1);
    ts_target_read(e, IN_R, PC, at_mem(FRAME, t->cross_pc));
    ts_target_read(e, IN_R, INSTANCE, at_mem(FRAME, t->cross_inst));
    ts_target_read(e, IN_R, PART, at_mem(FRAME, t->cross_fp));
    if (result) ts_target_write(e, is_float(result) ? IN_D : IN_R, at_mem(FRAME, 0), acc_of(class_of(result)));
    ts_target_move(e, IN_R, FRAME, IN_R, PART);
    enter_instance(w);
    ts_target_continue(e);
    write_rare(w);
    leave_by_operation(w);
}

bool ts_native_adapter(const ts_adapter_shape *shape, const ts_native_layout *layout, const void *const *handlers,
                       const ts_word *to_leave, ts_native *out, uint32_t *leave_at) {
    writer w = {.shape = shape, .t = layout, .handlers = handlers};
    assembler *a = &w.e.a;
    *out = (ts_native){0};
    if (!room(a, 2048)) return false;
    call(&w, to_leave);
    *leave_at = a->len;
    if (room(a, 0)) leave(&w);
    if (a->failed) {
        free(a->code);
        return false;
    }
    out->code = a->code;
    out->len = a->len;
    return true;
}
#endif
