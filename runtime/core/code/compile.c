/* compile: from the bytes of one validated function to register IR, in one pass.
 * In: a validated module, a function, a form. Out: its code, with the numbers of opcodes in place of
 * handlers. The function is valid, so only its size is checked here. compiler.h describes how the operand
 * stack is followed.
 * spec: valid/instructions (types), exec/instructions */
#include "base/assert.h"
#include "core/code/compiler.h"
#include <stddef.h>
#include <stdlib.h>

enum { MOST_WORDS = 4 }; /* of an instruction, but for br_table */
uint32_t ts_emit(compiler *c, uint32_t op, uint8_t reg_class, ts_word word1) {
    TS_ASSERT(op < TS_IR_COUNT && ts_ir_words[op] <= MOST_WORDS);
    if (reg_class < 3) {
        spill_accumulator(c, reg_class);
        if (reg_class == CLASS_INT) c->previous_int_slot = c->accumulator_slot[CLASS_INT];
        c->accumulator_slot[reg_class] = -1;
    }
    reserve_words(c, MOST_WORDS);
    uint32_t at = c->code.len;
    ts_word *w = c->code.data + at;
    w[0].u = op;
    w[1] = word1;
    w[2].u = 0;
    w[3].u = 0;
    c->code.len += ts_ir_words[op];
    c->last = at;
    return at;
}

void ts_put_in_slot(compiler *c, bool is_const, uint64_t imm, uint8_t reg_class, uint32_t at, uint32_t pos) {
    if (is_const) {
        emit_const(c, pos, imm);
        return;
    }
    TS_ASSERT(reg_class < 3);
    write_slot_too(c, at, pos);
    c->accumulator_slot[reg_class] = (int32_t)pos;
}

static inline void push_const(compiler *c, uint8_t reg_class, uint64_t imm) {
    push_entry(c, ENTRY_IS_CONST, reg_class)->imm = imm;
}
static inline void push_local(compiler *c, uint32_t x) {
    local_variable *l = &c->locals.data[x];
    push_entry(c, ENTRY_IS_LOCAL, l->reg_class)->local = x;
    l->uses++;
}
static ts_status compile_instruction(compiler *c, const struct ts_op *o) {
    switch (o->op) {
    case TS_OP_unreachable: ts_compile_unreachable(c); break;
    case TS_OP_nop: break;
    case TS_OP_block: ts_compile_block(c, o); break;
    case TS_OP_loop: ts_compile_loop(c, o); break;
    case TS_OP_if_: ts_compile_if(c, o); break;
    case TS_OP_try_table: ts_compile_try_table(c, o); break;
    case TS_OP_else_: ts_compile_else(c); break;
    case TS_OP_end: ts_compile_end(c); break;
    case TS_OP_br: ts_compile_br(c, o->index); break;
    case TS_OP_br_if: ts_compile_br_if(c, o->index); break;
    case TS_OP_br_table: ts_compile_br_table(c, o); break;
    case TS_OP_br_on_null: ts_compile_br_on_null(c, o->index); break;
    case TS_OP_br_on_non_null: ts_compile_br_on_non_null(c, o->index); break;
    case TS_OP_br_on_cast: ts_compile_br_on_cast(c, o, false); break;
    case TS_OP_br_on_cast_fail: ts_compile_br_on_cast(c, o, true); break;
    case TS_OP_return_: ts_compile_return(c); break;
    case TS_OP_call: ts_compile_call(c, o->index); break;
    case TS_OP_call_indirect: ts_compile_call_indirect(c, o->index, o->index2); break;
    case TS_OP_call_ref: ts_compile_call_ref(c, o->index); break;
    case TS_OP_return_call: ts_compile_return_call(c, o->index); break;
    case TS_OP_return_call_indirect: ts_compile_return_call_indirect(c, o->index, o->index2); break;
    case TS_OP_return_call_ref: ts_compile_return_call_ref(c, o->index); break;
    case TS_OP_throw: ts_compile_throw(c, o->index); break;
    case TS_OP_throw_ref: ts_compile_throw_ref(c); break;
    case TS_OP_drop: (void)pop_operand(c); break;
    case TS_OP_select:
    case TS_OP_select_t: ts_compile_select(c); break;
    case TS_OP_local_get: push_local(c, o->index); break;
    case TS_OP_local_set: ts_compile_local_set(c, o->index, false); break;
    case TS_OP_local_tee: ts_compile_local_set(c, o->index, true); break;
    case TS_OP_global_get: ts_compile_global_get(c, o->index); break;
    case TS_OP_global_set: ts_compile_global_set(c, o->index); break;
    case TS_OP_i32_load ... TS_OP_i64_load32_u: ts_compile_load(c, o); break;
    case TS_OP_i32_store ... TS_OP_i64_store32: ts_compile_store(c, o); break;
    case TS_OP_i32_const: push_const(c, CLASS_INT, (uint32_t)o->i64); break;
    case TS_OP_i64_const: push_const(c, CLASS_INT, (uint64_t)o->i64); break;
    case TS_OP_f32_const: push_const(c, CLASS_F32, o->f32); break;
    case TS_OP_f64_const: push_const(c, CLASS_F64, o->f64); break;
    case TS_OP_i32_eqz ... TS_OP_i64_extend32_s:
    case TS_OP_i32_trunc_sat_f32_s ... TS_OP_i64_trunc_sat_f64_u:
    case TS_OP_ref_is_null:
    case TS_OP_ref_eq: ts_compile_numeric(c, o); break;
    case TS_OP_i64_add128: ts_compile_wide_arithmetic(c, TS_IR_i64_add128, 4); break;
    case TS_OP_i64_sub128: ts_compile_wide_arithmetic(c, TS_IR_i64_sub128, 4); break;
    case TS_OP_i64_mul_wide_s: ts_compile_wide_arithmetic(c, TS_IR_i64_mul_wide_s, 2); break;
    case TS_OP_i64_mul_wide_u: ts_compile_wide_arithmetic(c, TS_IR_i64_mul_wide_u, 2); break;
    default:
        if (ts_compile_memory(c, o) || ts_compile_gc(c, o) || ts_compile_simd(c, o)) break;
        return ts_fail(c->err, TS_UNSUPPORTED, "the instruction %s is not implemented",
                       ts_op_infos[o->op].text ? ts_op_infos[o->op].text : "?");
    }
    return TS_OK;
}

/* Returns the slot behind it. */
static uint32_t add_local(compiler *c, uint32_t slot, uint8_t reg_class) {
    c->locals.data[c->locals.len++] = (local_variable){.slot = (uint16_t)slot, .reg_class = reg_class};
    return slot + class_slots(reg_class);
}
static ts_status read_locals(compiler *c) {
    ts_reader r = c->reader;
    uint32_t n_groups;
    uint64_t total = c->type->n_params;
    TS_TRY(ts_read_u32(&r, &n_groups));
    for (uint32_t i = 0; i < n_groups; i++) {
        uint32_t n;
        ts_valtype t;
        TS_TRY(ts_read_u32(&r, &n));
        TS_TRY(ts_read_valtype(&r, &t));
        total += n;
    }
    if (!ts_vec_reserve(&c->locals, total)) return ts_fail_nomem(c->err);
    uint32_t at = 0;
    for (uint32_t i = 0; i < c->type->n_params; i++) at = add_local(c, at, class_of(c->type->params[i]));
    c->link = ts_frame_link(c->type);
    at = c->link + 2;
    TS_TRY(ts_read_u32(&c->reader, &n_groups));
    for (uint32_t g = 0; g < n_groups; g++) {
        uint32_t n;
        ts_valtype t;
        TS_TRY(ts_read_u32(&c->reader, &n));
        TS_TRY(ts_read_valtype(&c->reader, &t));
        uint8_t reg_class = class_of(t);
        for (uint32_t k = 0; k < n && at <= TS_MOST_FRAME_SLOTS; k++) at = add_local(c, at, reg_class);
    }
    c->first_temp = c->next_slot = at;
    reserve_frame(c, at);
    return TS_OK;
}
/* Skip unreachable instructions until the `else` or `end` that makes code reachable again, which *o gets. */
static ts_status skip_unreachable(compiler *c, struct ts_op *o) {
    uint32_t depth = 0;
    for (;;) {
        TS_TRY(ts_read_op(&c->reader, o));
        switch (o->op) {
        case TS_OP_block:
        case TS_OP_loop:
        case TS_OP_if_:
        case TS_OP_try_table: depth++; break;
        case TS_OP_else_:
            if (depth == 0) return TS_OK;
            break;
        case TS_OP_end:
            if (depth-- == 0) return TS_OK;
            break;
        default: break;
        }
    }
}
/* The next instruction's code begins here. */
static void map_code(compiler *c) {
    const uint32_t offset = (uint32_t)(c->reader.at - c->module->bytes);
    if (!ts_vec_push(&c->map, c->code.len) || !ts_vec_push(&c->map, offset)) c->nomem = true;
}
/* The most frequent instructions, in their short encodings, emit nothing: they are read without a struct ts_op. Returns
 * false for all others. */
static inline bool compile_frequent(compiler *c) {
    const uint8_t *p = c->reader.at;
    if (c->reader.end - p < 2 || p[1] & 0x80) return false;
    if (p[0] == TS_OP_local_get)
        push_local(c, p[1]);
    else if (p[0] == TS_OP_i32_const)
        push_const(c, CLASS_INT, (uint32_t)(p[1] ^ 0x40) - 0x40);
    else
        return false;
    c->reader.at = p + 2;
    return true;
}
enum { FIRST_WORDS = 64 };
static ts_status compile_body(compiler *c) {
    TS_TRY(read_locals(c));
    if (!ts_vec_reserve(&c->code, FIRST_WORDS)) return ts_fail_nomem(c->err);
    if (is_too_big(c)) return TS_OK;
    control_frame f = {.op = TS_OP_block,
                       .patches = NONE,
                       .else_patch = NONE,
                       .n_results = c->type->n_results,
                       .results = c->type->results,
                       .base = c->first_temp};
    if (!ts_vec_push(&c->frames, f)) return ts_fail_nomem(c->err);
    uint32_t n_zero = c->first_temp - (c->link + 2);
    uint32_t enter = emit(c, n_zero ? TS_IR_enter : TS_IR_enter0, CLASS_NONE, c->link + 2, n_zero, 0, 0);
    if (c->form & TS_FORM_METERED) emit(c, TS_IR_fuel, CLASS_NONE, 0, 0, 0, 0);
    emit_count(c, 0);
    c->last = NONE;
    struct ts_op o TS_FILLED_LATER;
    while (!ts_reader_done(&c->reader)) {
        if (!reserve_entries(c, SPARE_ENTRIES)) return ts_fail_nomem(c->err);
        if (c->want_map) map_code(c);
        if (c->unreachable) {
            TS_TRY(skip_unreachable(c, &o));
        } else {
            if (compile_frequent(c)) continue;
            TS_TRY(ts_read_op(&c->reader, &o));
        }
        TS_TRY(compile_instruction(c, &o));
        if (c->nomem) return ts_fail_nomem(c->err);
        if (is_too_big(c)) return TS_OK;
    }
    TS_ASSERT(c->frames.len == 1);
    c->code.data[enter + 1].uw[1] = c->frame_slots + 4;
    return TS_OK;
}
/* Begin with a function: the arrays are empty, and keep their memory. */
static void start(compiler *c, const ts_fcode *f, bool want_map, ts_error *e) {
    memset(c, 0, offsetof(compiler, code));
    c->code.len = c->stack.len = c->frames.len = c->patches.len = 0;
    c->handlers.len = c->catches.len = c->locals.len = c->map.len = 0;
    ts_module *m = f->module;
    c->module = m;
    c->func = &m->funcs[f->func];
    c->type = ts_types_get(ts_engine_types(m->engine), c->func->type);
    c->form = f->form;
    c->tier = ts_engine_tier(m->engine);
    c->err = e;
    c->want_map = want_map;
    c->reader = (ts_reader){
        .at = c->func->body, .end = c->func->body + c->func->body_len, .base = m->bytes, .section = "code", .err = e};
    c->accumulator_slot[0] = c->accumulator_slot[1] = c->accumulator_slot[2] = -1;
    c->pending[0] = c->pending[1] = c->pending[2] = NONE;
    c->last = NONE;
    c->add_to_local = NONE;
}
static void compiler_free(compiler *c) {
    ts_vec_free(&c->code);
    ts_vec_free(&c->stack);
    ts_vec_free(&c->frames);
    ts_vec_free(&c->patches);
    ts_vec_free(&c->handlers);
    ts_vec_free(&c->catches);
    ts_vec_free(&c->locals);
    ts_vec_free(&c->map);
}
/* A copy of n elements, which nothing else owns. NULL: there are none, or there is no memory. */
static void *copy(compiler *c, const void *elements, uint32_t n, size_t size) {
    void *p = n ? malloc(n * size) : NULL;
    if (p) memcpy(p, elements, n * size);
    if (n && !p) c->nomem = true;
    return p;
}
static ts_status compile(compiler *c, const ts_fcode *f, bool want_map, ts_compiled *out, ts_error *e) {
    *out = (ts_compiled){0};
    start(c, f, want_map, e);
    TS_TRY(compile_body(c));
    if (is_too_big(c))
        return ts_fail(e, TS_UNSUPPORTED, "function %u needs a frame of more than 65,000 slots", f->func);
    *out = (ts_compiled){.code = copy(c, c->code.data, c->code.len, sizeof *c->code.data),
                         .n_words = c->code.len,
                         .handlers = copy(c, c->handlers.data, c->handlers.len, sizeof *c->handlers.data),
                         .n_handlers = c->handlers.len,
                         .frame_slots = c->frame_slots,
                         .map = copy(c, c->map.data, c->map.len, sizeof *c->map.data),
                         .n_map = c->map.len};
    if (!c->nomem) return TS_OK;
    ts_compiled_free(out);
    return ts_fail_nomem(e);
}

struct ts_compile_scratch {
    compiler c;
};
ts_compile_scratch *ts_compile_scratch_new(void) {
    return calloc(1, sizeof(ts_compile_scratch));
}
void ts_compile_scratch_free(ts_compile_scratch *s) {
    if (s) compiler_free(&s->c);
    free(s);
}
/* The memory of the arrays that grow with a function. */
static size_t array_bytes(const compiler *c) {
    return c->code.cap * sizeof *c->code.data + c->stack.cap * sizeof *c->stack.data +
           c->patches.cap * sizeof *c->patches.data + c->locals.cap * sizeof *c->locals.data;
}
enum { MOST_KEPT = 1 << 18 };
ts_status ts_compile_in(ts_compile_scratch *s, const ts_fcode *f, bool with_map, ts_compiled *out, ts_error *e) {
    compiler own = {0}, *c = s ? &s->c : &own;
    ts_status st = compile(c, f, with_map, out, e);
    if (!s || array_bytes(c) > MOST_KEPT) compiler_free(c);
    return st;
}
ts_status ts_compile(const ts_fcode *f, bool with_map, ts_compiled *out, ts_error *e) {
    return ts_compile_in(NULL, f, with_map, out, e);
}

enum { CALLS_UNTIL_HOT = 150, ITERATIONS_UNTIL_HOT = 2500, CALLS_UNTIL_WARM = 8, ITERATIONS_UNTIL_WARM = 100 };
uint32_t ts_count_until_hot(ts_tier tier, bool is_loop, uint32_t at) {
    if (tier == TS_TIER_COMPILED_AT_ONCE) return 1;
    if (tier == TS_TIER_COMPILED_MIXED) return 1 + (at * 2654435761u >> 16) % 5;
    return is_loop ? ITERATIONS_UNTIL_HOT : CALLS_UNTIL_HOT;
}
uint32_t ts_count_until_warm(ts_tier tier, bool is_loop, uint32_t at) {
    if (tier != TS_TIER_COMPILED) return ts_count_until_hot(tier, is_loop, at);
    return is_loop ? ITERATIONS_UNTIL_WARM : CALLS_UNTIL_WARM;
}

uint64_t ts_compiled_offset(const ts_compiled *c, uint32_t word) {
    uint64_t offset = c->n_map > 1 ? c->map[1] : 0;
    for (uint32_t i = 0; i + 1 < c->n_map && c->map[i] <= word; i += 2) offset = c->map[i + 1];
    return offset;
}

void ts_compiled_free(ts_compiled *c) {
    free(c->code);
    free(c->handlers);
    free(c->map);
    *c = (ts_compiled){0};
}
