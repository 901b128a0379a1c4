/* compile: from the bytes of one validated function to register IR, in one pass.
 * In: a validated module, a function, a form. Out: its code, with the numbers of opcodes in place of
 * handlers. The function is valid, so only its size is checked here. compiler.h describes how the operand
 * stack is followed.
 * spec: valid/instructions (types), exec/instructions */
#include "base/assert.h"
#include "core/code/compiler.h"
#include <stdlib.h>

static ts_status compile_instruction(compiler *c, const struct ts_op *o) {
    if (ts_compile_variable(c, o) || ts_compile_numeric(c, o) || ts_compile_memory(c, o) || ts_compile_control(c, o) ||
        ts_compile_call(c, o) || ts_compile_gc(c, o) || ts_compile_simd(c, o))
        return TS_OK;
    return ts_fail(c->err, TS_UNSUPPORTED, "the instruction %s is not implemented",
                   ts_op_infos[o->op].text ? ts_op_infos[o->op].text : "?");
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
    c->n_locals = (uint32_t)total;
    c->local_slot = calloc(total + 1, sizeof *c->local_slot);
    c->local_class = calloc(total + 1, sizeof *c->local_class);
    c->local_uses = calloc(total + 1, sizeof *c->local_uses);
    if (!c->local_slot || !c->local_class || !c->local_uses) return ts_fail_nomem(c->err);
    uint32_t at = 0, i = 0;
    for (; i < c->type->n_params; i++) {
        c->local_slot[i] = (uint16_t)at;
        c->local_class[i] = class_of(c->type->params[i]);
        at += class_slots(c->local_class[i]);
    }
    c->link = ts_frame_link(c->type);
    at = c->link + 2;
    TS_TRY(ts_read_u32(&c->reader, &n_groups));
    for (uint32_t g = 0; g < n_groups; g++) {
        uint32_t n;
        ts_valtype t;
        TS_TRY(ts_read_u32(&c->reader, &n));
        TS_TRY(ts_read_valtype(&c->reader, &t));
        uint8_t reg_class = class_of(t);
        for (uint32_t k = 0; k < n; k++, i++) {
            if (at > TS_MOST_FRAME_SLOTS) {
                c->too_big = true;
                return TS_OK;
            }
            c->local_slot[i] = (uint16_t)at;
            c->local_class[i] = reg_class;
            at += class_slots(reg_class);
        }
    }
    c->first_temp = at;
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
/* Room that one instruction needs for what it emits and pushes. Lists need more, but their pushes come
 * last. */
enum { FIRST_WORDS = 64, SPARE_ENTRIES = 16 };
static ts_status compile_body(compiler *c) {
    TS_TRY(read_locals(c));
    if (!ts_vec_reserve(&c->code, FIRST_WORDS)) return ts_fail_nomem(c->err);
    if (c->too_big) return TS_OK;
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
    while (!ts_reader_done(&c->reader) && c->frames.len) {
        struct ts_op o TS_FILLED_LATER;
        uint64_t offset = (uint64_t)(c->reader.at - c->module->bytes);
        if (c->frames.data[c->frames.len - 1].unreachable)
            TS_TRY(skip_unreachable(c, &o));
        else
            TS_TRY(ts_read_op(&c->reader, &o));
        if (c->want_map && (!ts_vec_push(&c->map, c->code.len) || !ts_vec_push(&c->map, (uint32_t)offset)))
            c->nomem = true;
        if (!ts_vec_reserve(&c->stack, (uint64_t)c->stack.len + SPARE_ENTRIES)) return ts_fail_nomem(c->err);
        TS_TRY(compile_instruction(c, &o));
        if (c->nomem) return ts_fail_nomem(c->err);
        if (c->too_big) break;
    }
    TS_ASSERT(c->too_big || (c->frames.len == 1 && ts_reader_done(&c->reader)));
    c->code.data[enter + 1].uw[1] = c->frame_slots + 4;
    return TS_OK;
}
static ts_status compile(compiler *c, const ts_fcode *f, ts_error *e, bool want_map) {
    ts_module *m = f->module;
    memset(c, 0, sizeof *c);
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
    ts_status st = compile_body(c);
    if (st == TS_OK && c->too_big)
        st = ts_fail(e, TS_UNSUPPORTED, "function %u needs a frame of more than 65,000 slots", f->func);
    return st;
}
static void compiler_free(compiler *c) {
    ts_vec_free(&c->code);
    ts_vec_free(&c->stack);
    ts_vec_free(&c->frames);
    ts_vec_free(&c->patches);
    ts_vec_free(&c->handlers);
    ts_vec_free(&c->catches);
    ts_vec_free(&c->map);
    free(c->local_slot);
    free(c->local_class);
    free(c->local_uses);
}

ts_status ts_compile(const ts_fcode *f, bool with_map, ts_compiled *out, ts_error *e) {
    compiler c;
    *out = (ts_compiled){0};
    ts_status st = compile(&c, f, e, with_map);
    if (st == TS_OK) {
        *out = (ts_compiled){.code = c.code.data,
                             .n_words = c.code.len,
                             .handlers = c.handlers.data,
                             .n_handlers = c.handlers.len,
                             .frame_slots = c.frame_slots,
                             .map = c.map.data,
                             .n_map = c.map.len};
        c.code.data = NULL;
        c.handlers.data = NULL;
        c.map.data = NULL;
    }
    compiler_free(&c);
    return st;
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
