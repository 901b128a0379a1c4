/* control: blocks and branches with their values. A comparison is fused into the branch that follows it.
 * In: control instructions. Out: code. Targets are filled in when a label is known.
 * spec: valid/instructions#control-instructions */
#include "base/assert.h"
#include "core/code/compiler.h"

/* --- branches ------------------------------------------------------------------------------------------ */
static void add_patch(compiler *c, control_frame *l, uint32_t instr, uint32_t word) {
    if (!ts_vec_push(&c->patches, (branch_patch){instr, word, l->patches})) {
        c->nomem = true;
        return;
    }
    l->patches = c->patches.len - 1;
}
static void set_target(compiler *c, uint32_t instr, uint32_t word, uint32_t to) {
    int64_t rel = (int64_t)to - (int64_t)instr;
    if (c->nomem) return;
    TS_ASSERT(instr + 1 < c->code.len && (word == NONE || word < c->code.len));
    if (word == NONE)
        c->code.data[instr + 1].w[1] = (int32_t)rel;
    else
        c->code.data[word].i = rel;
}
static void link_to_label(compiler *c, control_frame *l, uint32_t instr, uint32_t word) {
    if (l->op == TS_OP_loop)
        set_target(c, instr, word, l->loop_at);
    else
        add_patch(c, l, instr, word);
}
static void bind_patches_here(compiler *c, uint32_t list) {
    for (; list != NONE; list = c->patches.data[list].next)
        set_target(c, c->patches.data[list].instr, c->patches.data[list].word, c->code.len);
}
static control_frame *label_at(compiler *c, uint32_t depth) {
    TS_ASSERT(depth < c->frames.len);
    return &c->frames.data[c->frames.len - 1 - depth];
}
static bool is_function_label(const compiler *c, uint32_t depth) {
    return depth == c->frames.len - 1;
}
static uint32_t arity(const control_frame *l) {
    return l->op == TS_OP_loop ? l->n_params : l->n_results;
}

static uint32_t entry_slots(const compiler *c, uint32_t n) {
    uint32_t s = 0;
    for (uint32_t i = c->stack.len - n; i < c->stack.len; i++) s += class_slots(c->stack.data[i].reg_class);
    return s;
}
/* Move the top n values to the slots of a label. The operand stack keeps its entries, which may be in their
 * slots afterwards. */
static void move_to_label(compiler *c, const control_frame *l, uint32_t n, bool last_use) {
    if (n == 0) return;
    uint32_t first = c->stack.data[c->stack.len - n].pos;
    if (n == 1 && first != l->base) {
        operand_entry *e = &c->stack.data[c->stack.len - 1];
        switch (e->kind) {
        case ENTRY_IN_ACCUMULATOR:
            if (last_use && e->at == c->last) {
                write_slot_too(c, e->at, l->base);
                c->pending[e->reg_class] = NONE;
                e->kind = ENTRY_IN_SLOT; /* code behind this branch does not use it */
            } else {
                emit(c, TS_IR_put_r + e->reg_class, CLASS_NONE, l->base, 0, 0, 0);
            }
            break;
        case ENTRY_IS_LOCAL: emit_copy(c, e->reg_class, l->base, c->locals.data[e->local].slot); break;
        case ENTRY_IS_CONST: emit_const(c, l->base, e->imm); break;
        default: emit_copy(c, e->reg_class, l->base, e->pos); break;
        }
        return;
    }
    spill_top(c, n);
    if (first != l->base) emit(c, TS_IR_copyn, CLASS_NONE, l->base, first, entry_slots(c, n), 0);
}
static bool in_place(const compiler *c, const control_frame *l, uint32_t n) {
    return n == 0 || c->stack.data[c->stack.len - n].pos == l->base;
}
void ts_emit_return(compiler *c) {
    uint32_t n = c->type->n_results;
    if (n == 0) {
        emit(c, TS_IR_ret, CLASS_NONE, 0, 0, 0, c->link);
        return;
    }
    operand_entry *e = &c->stack.data[c->stack.len - 1];
    if (n == 1 && e->reg_class != CLASS_V128) {
        int32_t slot = e->kind == ENTRY_IS_LOCAL ? c->locals.data[e->local].slot : e->pos;
        if (e->kind == ENTRY_IS_CONST) emit_const(c, e->pos, e->imm);
        if (e->kind == ENTRY_IN_ACCUMULATOR || (e->kind != ENTRY_IS_CONST && c->accumulator_slot[e->reg_class] == slot))
            emit(c, TS_IR_ret_r + e->reg_class, CLASS_NONE, 0, 0, 0, c->link);
        else
            emit(c, TS_IR_ret_s_r + e->reg_class, CLASS_NONE, (uint32_t)slot, 0, 0, c->link);
        return;
    }
    spill_top(c, n);
    emit(c, TS_IR_ret_n, CLASS_NONE, c->stack.data[c->stack.len - n].pos, entry_slots(c, n), 0, c->link);
}
/* Replace the addition at c->add_to_local by a branch that does it too. */
static uint32_t replace_add_by_branch(compiler *c, uint32_t op, uint32_t rhs) {
    ts_word w = c->code.data[c->add_to_local + 1];
    take_back(c, c->add_to_local);
    c->add_to_local = NONE;
    uint32_t at = emit(c, op, CLASS_NONE, w.s[0], w.s[1], 0, 0);
    c->code.data[at + 2].uw[0] = w.uw[1];
    c->code.data[at + 2].uw[1] = rhs;
    c->accumulator_slot[CLASS_INT] = w.s[0];
    return at;
}
/* If the comparison that was just taken back compared the result of such an addition, fuse all three. */
static uint32_t fuse_add_branch(compiler *c, uint32_t cmp, uint32_t form, uint32_t slot, uint64_t imm) {
    if (c->add_to_local == NONE || c->add_to_local + 2 != c->code.len || (form != TS_BR_AS && form != TS_BR_AI))
        return NONE;
    uint32_t op;
    switch (cmp) {
#define IR_ADDBR(n, e)                                                                                                 \
    case TS_IR_i32_##n##_AS: op = TS_IR_i32_addbr_##n##_I; break;
#include "core/code/ir_ops.def"
    default: return NONE;
    }
    /* If the addition writes the other operand, the comparison read the new value, as this branch does. */
    return replace_add_by_branch(c, form == TS_BR_AI ? op : op + 1, form == TS_BR_AI ? (uint32_t)imm : slot);
}
/* Emit a branch that depends on the operand. Returns the instruction, whose w1 is the target. */
static uint32_t emit_condition(compiler *c, popped_operand *o, bool negate) {
    if (is_last_result(c, o)) {
        ts_word *w = &c->code.data[o->at];
        uint32_t op = (uint32_t)w->u;
        const ts_comparison *ci = &ts_comparisons[op];
        uint32_t base = ci->base, neg = ci->neg;
        if (op >= TS_IR_i32_and_AS && op <= TS_IR_i32_and_SI_S) { /* a & b != 0 */
            base = TS_IR_i32_tst_AS;
            neg = TS_IR_i32_ntst_AS;
            op = op - TS_IR_i32_and_AS + base;
        }
        if (base) {
            uint32_t form = (op - base) / 2; /* TS_BR_* */
            uint32_t s1 = w[1].s[1], s2 = w[1].s[2];
            uint64_t imm = 0;
            uint32_t nw = ts_ir_words[w->u];
            if (form >= TS_BR_AI) imm = nw == 3 ? w[2].u : (uint64_t)(int64_t)w[1].w[1];
            take_back_last(c, o->at);
            uint32_t fused = fuse_add_branch(c, negate ? neg : base, form, s2, imm);
            if (fused != NONE) return fused;
            uint32_t bop = (negate ? neg : base) + TS_BIN_BR + form;
            uint32_t a = form == TS_BR_AS || form == TS_BR_AI ? 0 : s1,
                     b = form == TS_BR_AS || form == TS_BR_SS ? s2 : 0;
            uint32_t at = emit(c, bop, CLASS_NONE, a, b, 0, 0);
            if (form >= TS_BR_AI) set_word(c, at, 2, imm);
            return at;
        }
        bool z32 = op == TS_IR_i32_eqz_A || op == TS_IR_i32_eqz_S, z64 = op == TS_IR_i64_eqz_A || op == TS_IR_i64_eqz_S;
        if (z32 || z64) {
            bool from_acc = op == TS_IR_i32_eqz_A || op == TS_IR_i64_eqz_A;
            uint32_t s = w[1].s[1];
            take_back_last(c, o->at);
            if (z32)
                return emit(
                    c, negate ? (from_acc ? TS_IR_br_nz_A : TS_IR_br_nz_S) : (from_acc ? TS_IR_br_z_A : TS_IR_br_z_S),
                    CLASS_NONE, s, 0, 0, 0);
            uint32_t b = (negate ? TS_IR_i64_ne_AS : TS_IR_i64_eq_AS) + TS_BIN_BR;
            return emit(c, from_acc ? b + TS_BR_AI : b + TS_BR_SI, CLASS_NONE, s, 0, 0, 0);
        }
    }
    if (o->in_accumulator && !negate && c->add_to_local != NONE && c->add_to_local + 2 == c->code.len &&
        c->code.data[c->add_to_local + 1].s[0] == (uint32_t)o->slot && o->slot >= 0)
        return replace_add_by_branch(c, TS_IR_i32_addbr_nz, 0);
    if (o->in_accumulator) return emit(c, negate ? TS_IR_br_z_A : TS_IR_br_nz_A, CLASS_NONE, 0, 0, 0, 0);
    return emit(c, negate ? TS_IR_br_z_S : TS_IR_br_nz_S, CLASS_NONE, operand_slot(c, o), 0, 0, 0);
}
static void emit_branch(compiler *c, uint32_t depth) { /* an unconditional branch, values on top */
    if (is_function_label(c, depth)) {
        ts_emit_return(c);
        return;
    }
    control_frame *l = label_at(c, depth);
    move_to_label(c, l, arity(l), true);
    link_to_label(c, l, emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0), NONE);
}
/* Branch to a label if cond holds, or if it does not, with the values on top of the operand stack. */
static void emit_branch_if(compiler *c, uint32_t depth, popped_operand *cond, bool negate) {
    control_frame *l = label_at(c, depth);
    uint32_t n = arity(l);
    bool func = is_function_label(c, depth);
    if (!func && in_place(c, l, n)) {
        spill_top(c, n);
        link_to_label(c, l, emit_condition(c, cond, negate), NONE);
        return;
    }
    if (n > 1 || (n == 1 && c->stack.data[c->stack.len - 1].reg_class == CLASS_V128)) spill_top(c, n);
    uint32_t skip = emit_condition(c, cond, !negate);
    int32_t acc[3] = {c->accumulator_slot[0], c->accumulator_slot[1], c->accumulator_slot[2]};
    if (func) {
        ts_emit_return(c);
    } else {
        allow_jump_here(c);
        move_to_label(c, l, n, false);
        link_to_label(c, l, emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0), NONE);
    }
    set_target(c, skip, NONE, c->code.len);
    allow_jump_here(c);
    memcpy(c->accumulator_slot, acc, sizeof acc);
}
void ts_compile_br_table(compiler *c, const struct ts_op *o) {
    popped_operand idx = pop_operand(c);
    if (idx.is_const) operand_slot(c, &idx);
    uint32_t n = o->n, ar = arity(label_at(c, o->index));
    spill_top(c, ar);
    spill_accumulators(c);
    uint32_t at = idx.in_accumulator ? emit_word1(c, TS_IR_br_table_A, CLASS_NONE, 0, 0, n)
                                     : emit_word1(c, TS_IR_br_table, CLASS_NONE, operand_slot(c, &idx), 0, n);
    reserve_words(c, (uint64_t)n + 1);
    if (c->nomem) return;
    memset(c->code.data + c->code.len, 0, ((size_t)n + 1) * sizeof *c->code.data);
    c->code.len += n + 1;
    ts_reader r = c->reader;
    r.at = o->vec;
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t depth = o->index;
        if (i < n && ts_read_u32(&r, &depth) != TS_OK) return;
        uint32_t word = at + 2 + i;
        if (!is_function_label(c, depth) && in_place(c, label_at(c, depth), ar)) {
            link_to_label(c, label_at(c, depth), at, word);
            continue;
        }
        set_target(c, at, word, c->code.len); /* this entry needs moves of its own */
        allow_jump_here(c);
        forget_accumulators(c);
        if (is_function_label(c, depth)) {
            ts_emit_return(c);
        } else {
            control_frame *l = label_at(c, depth);
            move_to_label(c, l, ar, false);
            link_to_label(c, l, emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0), NONE);
        }
        if (c->nomem) return;
    }
    mark_unreachable(c);
}

/* Compare the top reference with null, all 64 bits of it. Returns an operand that is in R alone. */
static popped_operand emit_null_test(compiler *c, bool non_null) {
    spill_entry(c, c->stack.len - 1);
    uint32_t slot = c->stack.data[c->stack.len - 1].pos;
    uint32_t at = emit(c, (non_null ? TS_IR_i64_ne_AS : TS_IR_i64_eq_AS) + TS_BIN_SI, CLASS_INT, 0, slot, 0, 0);
    return (popped_operand){
        .in_accumulator = true, .slot = -1, .at = at, .pos = (uint16_t)c->next_slot, .reg_class = CLASS_INT};
}
void ts_compile_br_on_cast(compiler *c, const struct ts_op *o, bool on_fail) {
    spill_entry(c, c->stack.len - 1);
    uint32_t slot = c->stack.data[c->stack.len - 1].pos;
    uint32_t tmp = c->next_slot;
    reserve_frame(c, (uint64_t)tmp + 1);
    uint32_t at = emit(c, TS_IR_ref_test, CLASS_NONE, tmp, slot, 0, 0);
    ts_valtype to = ts_canon_valtype(c->module, o->cast.to);
    c->code.data[at + 2].u = (uint64_t)ts_vt_heap(to) | (uint64_t)(ts_vt_kind(to) == TS_VT_REFNULL) << 63;
    slot_written(c, tmp, 1);
    popped_operand k = {.slot = (int32_t)tmp, .pos = (uint16_t)tmp, .at = NONE, .reg_class = CLASS_INT};
    emit_branch_if(c, o->index, &k, on_fail);
}

/* --- blocks -------------------------------------------------------------------------------------------- */
static void block_type(compiler *c, const ts_blocktype *b, control_frame *l) {
    if (b->kind == TS_BLOCK_VALUE) {
        l->one = b->value;
        l->n_results = 1;
    } else if (b->kind == TS_BLOCK_TYPE) {
        const ts_deftype *t = ts_types_get(ts_engine_types(c->module->engine), c->module->types[b->type]);
        l->n_params = t->n_params;
        l->n_results = t->n_results;
        l->params = t->params;
        l->results = t->results;
    }
}
static control_frame *open_block(compiler *c, uint16_t op, const ts_blocktype *b) {
    control_frame l = {.op = op, .patches = NONE, .else_patch = NONE};
    block_type(c, b, &l);
    if (!ts_vec_push(&c->frames, l)) {
        c->nomem = true;
        return NULL;
    }
    control_frame *p = &c->frames.data[c->frames.len - 1];
    spill_all(c);
    p->height = c->stack.len - p->n_params;
    p->base = p->n_params ? c->stack.data[p->height].pos : c->next_slot;
    reserve_frame(c, p->base + 2 * (uint64_t)p->n_results + 1);
    return p;
}
static ts_valtype result_type(const control_frame *l, uint32_t i) {
    return l->one ? l->one : l->results[i];
}
static void close_block(compiler *c) {
    const control_frame *l = &c->frames.data[c->frames.len - 1];
    bool reachable = !c->unreachable;
    if (reachable) spill_top(c, l->n_results);
    if (reachable) spill_accumulators(c);
    if (l->op == TS_OP_try_table)
        for (uint32_t i = 0; i < l->n_catches; i++) {
            const pending_catch *p = &c->catches.data[l->first_catch + i];
            if (!ts_vec_push(&c->handlers, (ts_handler){.from = l->try_from,
                                                        .to = c->code.len,
                                                        .target = p->target,
                                                        .tag = p->tag,
                                                        .slot = p->slot,
                                                        .with_ref = p->with_ref}))
                c->nomem = true;
        }
    pop_to_height(c, l->height);
    if (l->else_patch != NONE) set_target(c, l->else_patch, NONE, c->code.len); /* an if without else */
    bool merged = l->patches != NONE || l->else_patch != NONE;
    bind_patches_here(c, l->patches);
    c->frames.len--; /* *l is still there */
    c->unreachable = false;
    if (merged || !reachable) merge_control_flow(c);
    if (!reserve_entries(c, l->n_results)) return;
    for (uint32_t i = 0; i < l->n_results; i++) push_entry(c, ENTRY_IN_SLOT, class_of(result_type(l, i)));
    if (c->spilled_below > l->height) c->spilled_below = l->height;
    c->spilled_below = c->stack.len;
}
static void reset_params(compiler *c, const control_frame *l) {
    pop_to_height(c, l->height);
    if (!reserve_entries(c, l->n_params)) return;
    for (uint32_t i = 0; i < l->n_params; i++) push_entry(c, ENTRY_IN_SLOT, class_of(l->params[i]));
    c->spilled_below = c->stack.len;
}
void ts_compile_else(compiler *c) {
    control_frame *l = &c->frames.data[c->frames.len - 1];
    if (!c->unreachable) {
        spill_top(c, l->n_results);
        spill_accumulators(c);
        uint32_t at = emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0);
        add_patch(c, l, at, NONE);
    }
    if (l->else_patch != NONE) set_target(c, l->else_patch, NONE, c->code.len);
    l->else_patch = NONE;
    c->unreachable = false;
    l->has_else = true;
    reset_params(c, l);
    merge_control_flow(c);
}
void ts_compile_try_table(compiler *c, const struct ts_op *o) {
    ts_reader r = c->reader;
    r.at = o->vec;
    uint32_t first = c->catches.len, over = NONE;
    control_frame probe = {0};
    block_type(c, &o->block, &probe);
    spill_all(c);
    if (o->n) over = emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0);
    for (uint32_t i = 0; i < o->n; i++) {
        ts_catch k;
        if (ts_read_catch(&r, &k) != TS_OK) return;
        bool all = k.kind >= 2;
        bool func = is_function_label(c, k.label);
        control_frame *l = label_at(c, k.label);
        uint32_t slot = func ? c->next_slot : l->base;
        reserve_frame(c, (uint64_t)slot + 2 * (arity(l) + 1));
        if (!ts_vec_push(&c->catches, (pending_catch){.target = c->code.len,
                                                      .tag = all ? NONE : k.tag,
                                                      .slot = (uint16_t)slot,
                                                      .with_ref = (k.kind & 1) != 0})) {
            c->nomem = true;
            return;
        }
        if (func) {
            if (c->type->n_results == 0)
                emit(c, TS_IR_ret, CLASS_NONE, 0, 0, 0, c->link);
            else
                emit(c, TS_IR_ret_n, CLASS_NONE, slot, c->type->result_slots, 0, c->link);
        } else {
            link_to_label(c, l, emit(c, TS_IR_br, CLASS_NONE, 0, 0, 0, 0), NONE);
        }
    }
    if (over != NONE) set_target(c, over, NONE, c->code.len);
    allow_jump_here(c);
    control_frame *p = open_block(c, TS_OP_try_table, &o->block);
    if (!p) return;
    p->try_from = c->code.len;
    p->first_catch = first;
    p->n_catches = o->n;
}

void ts_compile_unreachable(compiler *c) {
    emit(c, TS_IR_unreachable, CLASS_NONE, 0, 0, 0, 0);
    mark_unreachable(c);
}
void ts_compile_block(compiler *c, const struct ts_op *o) {
    (void)open_block(c, o->op, &o->block);
}
void ts_compile_loop(compiler *c, const struct ts_op *o) {
    control_frame *l = open_block(c, o->op, &o->block);
    spill_accumulators(c);
    merge_control_flow(c);
    if (l) l->loop_at = c->code.len;
    if (c->form & TS_FORM_METERED) emit(c, TS_IR_fuel, CLASS_NONE, 0, 0, 0, 0);
    emit_count(c, 1);
    allow_jump_here(c);
}
void ts_compile_if(compiler *c, const struct ts_op *o) {
    popped_operand k = pop_operand(c);
    if (k.in_accumulator && k.slot < 0) {
        /* Moves between the comparison and the branch would prevent their fusion, so nothing is moved
         * unless an entry is a local or a constant. */
        bool clean = true;
        for (uint32_t i = c->spilled_below < c->stack.len ? c->spilled_below : c->stack.len; i < c->stack.len; i++)
            if (c->stack.data[i].kind == ENTRY_IS_LOCAL || c->stack.data[i].kind == ENTRY_IS_CONST) clean = false;
        if (!clean) spill_all(c);
    } else {
        spill_all(c);
    }
    uint32_t at = emit_condition(c, &k, true);
    uint32_t acc_r = (uint32_t)c->accumulator_slot[CLASS_INT];
    control_frame *l = open_block(c, o->op, &o->block);
    c->accumulator_slot[CLASS_INT] = (int32_t)acc_r;
    if (l) l->else_patch = at;
    allow_jump_here(c);
}
void ts_compile_end(compiler *c) {
    if (c->frames.len > 1)
        close_block(c);
    else if (!c->unreachable)
        ts_emit_return(c);
}
void ts_compile_br(compiler *c, uint32_t depth) {
    emit_branch(c, depth);
    mark_unreachable(c);
}
void ts_compile_br_if(compiler *c, uint32_t depth) {
    popped_operand k = pop_operand(c);
    emit_branch_if(c, depth, &k, false);
}
void ts_compile_return(compiler *c) {
    ts_emit_return(c);
    mark_unreachable(c);
}
void ts_compile_br_on_null(compiler *c, uint32_t depth) {
    popped_operand k = emit_null_test(c, false);
    /* the label does not take the reference */
    operand_entry saved = c->stack.data[c->stack.len - 1];
    c->stack.len--;
    emit_branch_if(c, depth, &k, false);
    c->stack.data[c->stack.len++] = saved;
}
void ts_compile_br_on_non_null(compiler *c, uint32_t depth) {
    popped_operand k = emit_null_test(c, true);
    emit_branch_if(c, depth, &k, false);
    (void)pop_operand(c);
}
