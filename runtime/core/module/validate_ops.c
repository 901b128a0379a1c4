/* validate_ops: every instruction by the algorithm of the specification, written for clarity.
 * In: a validator whose reader is at an instruction. Out: its stacks after the instruction.
 * spec: valid/instructions, appendix/algorithm */
#include "core/module/validate_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE(index) ((TS_HT_CONCRETE + (index)) << 8)

ts_status ts_v_invalid(struct ts_validator *v, const uint8_t *at, const char *fmt, ...) {
    char msg[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return ts_fail_at(v->e, TS_INVALID, (uint64_t)(at - v->r.base), v->r.section, "%s", msg);
}

static ts_status malformed(struct ts_validator *v, const uint8_t *at, const char *msg) {
    v->r.at = at;
    return ts_reader_fail(&v->r, "%s", msg);
}

ts_status ts_v_reserve(struct ts_validator *v, size_t n) {
    size_t needed = v->sp + n + ts_reader_left(&v->r) + 16;
    if (needed <= v->cap) return TS_OK;
    needed += needed / 2;
    ts_valtype *p = realloc(v->stack, needed * sizeof *p);
    if (!p) return ts_fail_nomem(v->e);
    v->stack = p;
    v->cap = needed;
    return TS_OK;
}

/* --- operands ------------------------------------------------------------------------------------------ */

static struct ts_vframe *top(struct ts_validator *v) {
    return &v->frames[v->n_frames - 1];
}
static void push(struct ts_validator *v, ts_valtype t) {
    v->stack[v->sp++] = t;
}

static ts_status mismatch(struct ts_validator *v, const uint8_t *at, ts_valtype got, ts_valtype want) {
    char a[48], b[48];
    return ts_v_invalid(v, at, "type mismatch: expected %s, found %s", ts_vt_name(want, b), ts_vt_name(got, a));
}

/* Pop an operand of any type. In unreachable code it may be absent; its type is then BOT. */
static ts_status pop_any(struct ts_validator *v, const uint8_t *at, ts_valtype *out) {
    struct ts_vframe *f = top(v);
    if (TS_LIKELY(v->sp > f->height)) {
        *out = v->stack[--v->sp];
        return TS_OK;
    }
    *out = TS_VT_BOT;
    if (f->unreachable) return TS_OK;
    return ts_v_invalid(v, at, "type mismatch: an operand is expected, and the stack is empty");
}

static ts_status pop(struct ts_validator *v, const uint8_t *at, ts_valtype want) {
    struct ts_vframe *f = top(v);
    if (TS_UNLIKELY(v->sp == f->height)) {
        char b[48];
        if (f->unreachable) return TS_OK;
        return ts_v_invalid(v, at, "type mismatch: expected %s, and the stack is empty", ts_vt_name(want, b));
    }
    ts_valtype t = v->stack[--v->sp];
    if (TS_LIKELY(t == want) || ts_match_val(v->types, t, want)) return TS_OK;
    return mismatch(v, at, t, want);
}

static ts_status pop_all(struct ts_validator *v, const uint8_t *at, const ts_valtype *t, uint32_t n) {
    while (n > 0) TS_TRY(pop(v, at, t[--n]));
    return TS_OK;
}

static ts_status push_all(struct ts_validator *v, const ts_valtype *t, uint32_t n) {
    TS_TRY(ts_v_reserve(v, n));
    if (n) memcpy(v->stack + v->sp, t, n * sizeof *t);
    v->sp += n;
    return TS_OK;
}

/* Pop a reference of any type: its heap type (BOT if unknown) and whether it may be null. */
static ts_status pop_ref(struct ts_validator *v, const uint8_t *at, bool *nullable, uint32_t *heap) {
    ts_valtype t = TS_VT_BOT;
    TS_TRY(pop_any(v, at, &t));
    *nullable = false;
    *heap = TS_HT_BOT;
    if (t == TS_VT_BOT) return TS_OK;
    if (!ts_vt_is_ref(t)) {
        char b[48];
        return ts_v_invalid(v, at, "type mismatch: expected a reference type, found %s", ts_vt_name(t, b));
    }
    *nullable = ts_vt_kind(t) == TS_VT_REFNULL;
    *heap = ts_vt_heap(t);
    return TS_OK;
}

static void unreachable(struct ts_validator *v) {
    v->sp = top(v)->height;
    top(v)->unreachable = true;
}

/* --- indices and types --------------------------------------------------------------------------------- */

static ts_status unknown(struct ts_validator *v, const uint8_t *at, const char *what, uint32_t index) {
    return ts_v_invalid(v, at, "unknown %s %u", what, index);
}

static ts_status check_heap(struct ts_validator *v, uint32_t *heap, const uint8_t *at) {
    if (!ts_ht_is_concrete(*heap)) return TS_OK;
    if (*heap - TS_HT_CONCRETE >= v->m->n_types) return unknown(v, at, "type", *heap - TS_HT_CONCRETE);
    *heap = ts_canon_heap(v->m, *heap);
    return TS_OK;
}

ts_status ts_v_check_type(struct ts_validator *v, ts_valtype *t, const uint8_t *at) {
    uint32_t heap = ts_vt_heap(*t);
    TS_TRY(check_heap(v, &heap, at));
    *t = ts_vt_kind(*t) | heap << 8;
    return TS_OK;
}

static ts_status get_type(struct ts_validator *v, const uint8_t *at, uint32_t index, ts_comp_kind kind,
                          const ts_deftype **out) {
    if (index >= v->m->n_types) return unknown(v, at, "type", index);
    *out = ts_types_get(v->types, v->m->types[index]);
    if ((*out)->kind == kind) return TS_OK;
    return ts_v_invalid(v, at, "type mismatch: type %u is a non-%s type", index,
                        kind == TS_COMP_FUNC     ? "function"
                        : kind == TS_COMP_STRUCT ? "structure"
                                                 : "array");
}

static ts_status get_label(struct ts_validator *v, const uint8_t *at, uint32_t index, const ts_valtype **t,
                           uint32_t *n) {
    if (index >= v->n_frames) return unknown(v, at, "label", index);
    const struct ts_vframe *f = &v->frames[v->n_frames - 1 - index];
    if (f->op == TS_OP_loop) {
        *t = f->params;
        *n = f->n_params;
    } else {
        *t = f->results ? f->results : &f->one;
        *n = f->n_results;
    }
    return TS_OK;
}

static ts_valtype addr_type(const ts_limits *l) {
    return l->is64 ? TS_VT_I64 : TS_VT_I32;
}
static ts_valtype smaller(ts_valtype a, ts_valtype b) {
    return a == TS_VT_I64 ? b : a;
}

static ts_status get_mem(struct ts_validator *v, const uint8_t *at, uint32_t index, ts_valtype *addr) {
    if (index >= v->m->n_mems) return unknown(v, at, "memory", index);
    *addr = addr_type(&v->m->mems[index]);
    return TS_OK;
}
static ts_status get_table(struct ts_validator *v, const uint8_t *at, uint32_t index, ts_valtype *addr,
                           ts_valtype *elem) {
    if (index >= v->m->n_tables) return unknown(v, at, "table", index);
    *addr = addr_type(&v->m->tables[index].type.limits);
    *elem = v->m->tables[index].type.elem;
    return TS_OK;
}
static ts_status get_elem(struct ts_validator *v, const uint8_t *at, uint32_t index, ts_valtype *type) {
    if (index >= v->m->n_elems) return unknown(v, at, "elem segment", index);
    *type = v->m->elems[index].type;
    return TS_OK;
}
static ts_status check_data(struct ts_validator *v, const uint8_t *at, uint32_t index) {
    if (!v->m->has_data_count && !v->is_const) return malformed(v, at, "data count section required");
    uint32_t n = v->m->has_data_count ? v->m->data_count : v->m->n_datas;
    return index < n ? TS_OK : unknown(v, at, "data segment", index);
}
static ts_status get_func(struct ts_validator *v, const uint8_t *at, uint32_t index, const ts_deftype **out) {
    if (index >= v->m->n_funcs) return unknown(v, at, "function", index);
    *out = ts_types_get(v->types, v->m->funcs[index].type);
    return TS_OK;
}

static bool match_all(struct ts_validator *v, const ts_valtype *a, uint32_t n_a, const ts_valtype *b, uint32_t n_b) {
    if (n_a != n_b) return false;
    for (uint32_t i = 0; i < n_a; i++)
        if (!ts_match_val(v->types, a[i], b[i])) return false;
    return true;
}

/* --- blocks -------------------------------------------------------------------------------------------- */

ts_status ts_v_push_frame(struct ts_validator *v, uint16_t op, const ts_valtype *params, uint32_t n_params,
                          const ts_valtype *results, uint32_t n_results, ts_valtype one) {
    if (v->n_frames == v->cap_frames) {
        uint32_t cap = v->cap_frames ? v->cap_frames * 2 : 64;
        struct ts_vframe *p = realloc(v->frames, cap * sizeof *p);
        if (!p) return ts_fail_nomem(v->e);
        v->frames = p;
        v->cap_frames = cap;
    }
    v->frames[v->n_frames++] = (struct ts_vframe){.params = params,
                                                  .results = results,
                                                  .n_params = n_params,
                                                  .n_results = n_results,
                                                  .height = (uint32_t)v->sp,
                                                  .init_height = v->n_log,
                                                  .one = one,
                                                  .op = op};
    return push_all(v, params, n_params);
}

static ts_status enter(struct ts_validator *v, const struct ts_op *op) {
    const ts_blocktype *b = &op->block;
    if (b->kind == TS_BLOCK_EMPTY) return ts_v_push_frame(v, op->op, NULL, 0, NULL, 0, 0);
    if (b->kind == TS_BLOCK_VALUE) {
        ts_valtype t = b->value;
        TS_TRY(ts_v_check_type(v, &t, op->at));
        return ts_v_push_frame(v, op->op, NULL, 0, NULL, 1, t);
    }
    const ts_deftype *d = NULL;
    TS_TRY(get_type(v, op->at, b->type, TS_COMP_FUNC, &d));
    TS_TRY(pop_all(v, op->at, d->params, d->n_params));
    return ts_v_push_frame(v, op->op, d->params, d->n_params, d->results, d->n_results, 0);
}

static void unset_locals(struct ts_validator *v, uint32_t height) {
    while (v->n_log > height) v->local_set[v->set_log[--v->n_log]] = false;
}

/* Check that the frame's results are on the stack, and nothing else. */
static ts_status leave(struct ts_validator *v, const uint8_t *at) {
    struct ts_vframe *f = top(v);
    TS_TRY(pop_all(v, at, f->results ? f->results : &f->one, f->n_results));
    if (v->sp != f->height) return ts_v_invalid(v, at, "type mismatch: values remaining on stack at end of block");
    unset_locals(v, f->init_height);
    return TS_OK;
}

static ts_status do_end(struct ts_validator *v, const struct ts_op *op) {
    TS_TRY(leave(v, op->at));
    struct ts_vframe f = *top(v);
    const ts_valtype *results = f.results ? f.results : &f.one;
    /* spec: valid/instructions#if: without `else` the parameters are the results. */
    if (f.op == TS_OP_if_ && !match_all(v, f.params, f.n_params, results, f.n_results))
        return ts_v_invalid(v, op->at, "type mismatch: an if without else whose parameters are not its results");
    v->n_frames--;
    return push_all(v, results, f.n_results);
}

static ts_status do_else(struct ts_validator *v, const struct ts_op *op) {
    if (top(v)->op != TS_OP_if_) return malformed(v, op->at, "misplaced ELSE opcode: END opcode expected");
    TS_TRY(leave(v, op->at));
    struct ts_vframe *f = top(v);
    f->op = TS_OP_else_;
    f->unreachable = false;
    return push_all(v, f->params, f->n_params);
}

/* spec: valid/instructions#try-table: the labels are those outside the block. */
static ts_status check_catches(struct ts_validator *v, const struct ts_op *op) {
    ts_reader r = ts_op_vec_reader(&v->r, op);
    for (uint32_t i = 0; i < op->n; i++) {
        ts_catch c = {0};
        const ts_valtype *want = NULL;
        uint32_t n_want = 0, n = 0;
        const uint8_t *at = r.at;
        const ts_deftype *tag = NULL;
        TS_TRY(ts_read_catch(&r, &c));
        if (c.kind < 2) {
            if (c.tag >= v->m->n_tags) return unknown(v, at, "tag", c.tag);
            tag = ts_types_get(v->types, v->m->tags[c.tag]);
            n = tag->n_params;
        }
        TS_TRY(get_label(v, at, c.label, &want, &n_want));
        bool ok = n_want == n + (c.kind & 1);
        for (uint32_t k = 0; ok && k < n; k++) ok = ts_match_val(v->types, tag->params[k], want[k]);
        if (ok && c.kind & 1) ok = ts_match_val(v->types, ts_vt_ref(false, TS_HT_EXN), want[n]);
        if (!ok)
            return ts_v_invalid(v, at, "type mismatch: the catch clause gives other types than label %u takes",
                                c.label);
    }
    return TS_OK;
}

/* --- branches ------------------------------------------------------------------------------------------ */

static ts_status do_br_table(struct ts_validator *v, const struct ts_op *op) {
    const ts_valtype *t = NULL;
    uint32_t arity = 0, n = 0;
    TS_TRY(pop(v, op->at, TS_VT_I32));
    TS_TRY(get_label(v, op->at, op->index, &t, &arity));
    ts_reader r = ts_op_vec_reader(&v->r, op);
    struct ts_vframe *f = top(v);
    size_t have = v->sp - f->height;
    for (uint32_t i = 0; i <= op->n; i++) {
        uint32_t label = op->index;
        if (i < op->n) TS_TRY(ts_read_u32(&r, &label));
        TS_TRY(get_label(v, op->at, label, &t, &n));
        if (n != arity) return ts_v_invalid(v, op->at, "type mismatch: br_table labels have different arity");
        for (uint32_t k = 0; k < n; k++) { /* the k-th operand from the top */
            if (k >= have) {
                if (f->unreachable) break;
                return ts_v_invalid(v, op->at, "type mismatch: label %u takes %u operands", label, n);
            }
            ts_valtype got = v->stack[v->sp - 1 - k], want = t[n - 1 - k];
            if (!ts_match_val(v->types, got, want)) return mismatch(v, op->at, got, want);
        }
    }
    unreachable(v);
    return TS_OK;
}

static ts_status do_br_if(struct ts_validator *v, const struct ts_op *op) {
    const ts_valtype *t = NULL;
    uint32_t n = 0;
    TS_TRY(pop(v, op->at, TS_VT_I32));
    TS_TRY(get_label(v, op->at, op->index, &t, &n));
    TS_TRY(pop_all(v, op->at, t, n));
    return push_all(v, t, n);
}

static ts_status do_br_on_null(struct ts_validator *v, const struct ts_op *op) {
    const ts_valtype *t = NULL;
    uint32_t n = 0, heap = 0;
    bool nullable = false;
    TS_TRY(pop_ref(v, op->at, &nullable, &heap));
    TS_TRY(get_label(v, op->at, op->index, &t, &n));
    TS_TRY(pop_all(v, op->at, t, n));
    TS_TRY(push_all(v, t, n));
    push(v, ts_vt_ref(false, heap));
    return TS_OK;
}

/* Get the last type of a label, which must be a reference type, and reduce *n by it. */
static ts_status last_ref(struct ts_validator *v, const struct ts_op *op, const ts_valtype **t, uint32_t *n,
                          ts_valtype *last) {
    TS_TRY(get_label(v, op->at, op->index, t, n));
    if (*n == 0 || !ts_vt_is_ref((*t)[*n - 1]))
        return ts_v_invalid(v, op->at, "type mismatch: label %u does not end with a reference type", op->index);
    *last = (*t)[--*n];
    return TS_OK;
}

static ts_status do_br_on_non_null(struct ts_validator *v, const struct ts_op *op) {
    const ts_valtype *t = NULL;
    ts_valtype last = 0;
    uint32_t n = 0;
    TS_TRY(last_ref(v, op, &t, &n, &last));
    TS_TRY(pop(v, op->at, ts_vt_ref(true, ts_vt_heap(last))));
    TS_TRY(pop_all(v, op->at, t, n));
    return push_all(v, t, n);
}

static ts_status do_br_on_cast(struct ts_validator *v, const struct ts_op *op) {
    ts_valtype from = op->cast.from, to = op->cast.to, last = 0;
    const ts_valtype *t = NULL;
    uint32_t n = 0;
    TS_TRY(ts_v_check_type(v, &from, op->at));
    TS_TRY(ts_v_check_type(v, &to, op->at));
    if (!ts_match_val(v->types, to, from))
        return ts_v_invalid(v, op->at, "type mismatch on cast: the target is no subtype of the source");
    /* spec: valid/conventions#type-difference */
    ts_valtype rest = ts_vt_kind(to) == TS_VT_REFNULL ? ts_vt_ref(false, ts_vt_heap(from)) : from;
    ts_valtype taken = op->op == TS_OP_br_on_cast ? to : rest, left = op->op == TS_OP_br_on_cast ? rest : to;
    TS_TRY(last_ref(v, op, &t, &n, &last));
    if (!ts_match_val(v->types, taken, last)) return mismatch(v, op->at, taken, last);
    TS_TRY(pop(v, op->at, from));
    TS_TRY(pop_all(v, op->at, t, n));
    TS_TRY(push_all(v, t, n));
    push(v, left);
    return TS_OK;
}

/* --- calls --------------------------------------------------------------------------------------------- */

static ts_status call(struct ts_validator *v, const struct ts_op *op, const ts_deftype *d, bool tail) {
    TS_TRY(pop_all(v, op->at, d->params, d->n_params));
    if (!tail) return push_all(v, d->results, d->n_results);
    const struct ts_vframe *body = &v->frames[0];
    if (!match_all(v, d->results, d->n_results, body->results ? body->results : &body->one, body->n_results))
        return ts_v_invalid(v, op->at, "type mismatch: the callee of a tail call returns other types");
    unreachable(v);
    return TS_OK;
}

static ts_status do_call_indirect(struct ts_validator *v, const struct ts_op *op, bool tail) {
    ts_valtype addr = 0, elem = 0;
    const ts_deftype *d = NULL;
    TS_TRY(get_table(v, op->at, op->index2, &addr, &elem));
    if (!ts_match_val(v->types, elem, TS_VT_FUNCREF))
        return ts_v_invalid(v, op->at, "type mismatch: table %u does not hold functions", op->index2);
    TS_TRY(get_type(v, op->at, op->index, TS_COMP_FUNC, &d));
    TS_TRY(pop(v, op->at, addr));
    return call(v, op, d, tail);
}

static ts_status do_call_ref(struct ts_validator *v, const struct ts_op *op, bool tail) {
    const ts_deftype *d = NULL;
    TS_TRY(get_type(v, op->at, op->index, TS_COMP_FUNC, &d));
    TS_TRY(pop(v, op->at, TS_VT_REFNULL | TYPE(d->id)));
    return call(v, op, d, tail);
}

/* --- variables ----------------------------------------------------------------------------------------- */

static ts_status do_local(struct ts_validator *v, const struct ts_op *op) {
    uint32_t i = op->index;
    if (i >= v->n_locals) return unknown(v, op->at, "local", i);
    ts_valtype t = v->locals[i];
    if (op->op == TS_OP_local_get) {
        if (v->track_init && !v->local_set[i]) return ts_v_invalid(v, op->at, "uninitialized local %u", i);
        push(v, t);
        return TS_OK;
    }
    TS_TRY(pop(v, op->at, t));
    if (v->track_init && !v->local_set[i]) {
        if (v->n_log == v->cap_log) {
            uint32_t cap = v->cap_log ? v->cap_log * 2 : 64;
            uint32_t *p = realloc(v->set_log, cap * sizeof *p);
            if (!p) return ts_fail_nomem(v->e);
            v->set_log = p;
            v->cap_log = cap;
        }
        v->local_set[i] = true;
        v->set_log[v->n_log++] = i;
    }
    if (op->op == TS_OP_local_tee) push(v, t);
    return TS_OK;
}

static ts_status do_global(struct ts_validator *v, const struct ts_op *op) {
    uint32_t n = v->is_const ? v->n_globals : v->m->n_globals;
    if (op->index >= n) return unknown(v, op->at, "global", op->index);
    const ts_global_type *g = &v->m->globals[op->index].type;
    if (op->op == TS_OP_global_get) {
        if (v->is_const && g->mut) return ts_v_invalid(v, op->at, "constant expression required");
        push(v, g->type);
        return TS_OK;
    }
    if (!g->mut) return ts_v_invalid(v, op->at, "immutable global: global is immutable");
    return pop(v, op->at, g->type);
}

static ts_status do_select_t(struct ts_validator *v, const struct ts_op *op) {
    ts_valtype t = 0;
    ts_reader r = ts_op_vec_reader(&v->r, op);
    if (op->n != 1) return ts_v_invalid(v, op->at, "invalid result arity");
    TS_TRY(ts_read_valtype(&r, &t));
    TS_TRY(ts_v_check_type(v, &t, op->at));
    TS_TRY(pop(v, op->at, TS_VT_I32));
    TS_TRY(pop(v, op->at, t));
    TS_TRY(pop(v, op->at, t));
    push(v, t);
    return TS_OK;
}

static ts_status do_select(struct ts_validator *v, const struct ts_op *op) {
    ts_valtype a = 0, b = 0;
    TS_TRY(pop(v, op->at, TS_VT_I32));
    TS_TRY(pop_any(v, op->at, &a));
    TS_TRY(pop_any(v, op->at, &b));
    if (ts_vt_is_ref(a) || ts_vt_is_ref(b))
        return ts_v_invalid(v, op->at, "type mismatch: select without a type takes numbers and vectors only");
    if (a != b && a != TS_VT_BOT && b != TS_VT_BOT) return mismatch(v, op->at, a, b);
    push(v, a == TS_VT_BOT ? b : a);
    return TS_OK;
}

/* --- tables and memories ------------------------------------------------------------------------------- */

static ts_status do_table(struct ts_validator *v, const struct ts_op *op) {
    ts_valtype addr = 0, elem = 0, addr2 = 0, elem2 = 0;
    const uint8_t *at = op->at;
    TS_TRY(get_table(v, at, op->op == TS_OP_table_init ? op->index2 : op->index, &addr, &elem));
    switch (op->op) {
    case TS_OP_table_get:
        TS_TRY(pop(v, at, addr));
        push(v, elem);
        return TS_OK;
    case TS_OP_table_set: TS_TRY(pop(v, at, elem)); return pop(v, at, addr);
    case TS_OP_table_grow:
        TS_TRY(pop(v, at, addr));
        TS_TRY(pop(v, at, elem));
        push(v, addr);
        return TS_OK;
    case TS_OP_table_fill:
        TS_TRY(pop(v, at, addr));
        TS_TRY(pop(v, at, elem));
        return pop(v, at, addr);
    case TS_OP_table_init:
        TS_TRY(get_elem(v, at, op->index, &elem2));
        if (!ts_match_val(v->types, elem2, elem)) return mismatch(v, at, elem2, elem);
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_I32));
        return pop(v, at, addr);
    default: /* table.copy */
        TS_TRY(get_table(v, at, op->index2, &addr2, &elem2));
        if (!ts_match_val(v->types, elem2, elem)) return mismatch(v, at, elem2, elem);
        TS_TRY(pop(v, at, smaller(addr, addr2)));
        TS_TRY(pop(v, at, addr2));
        return pop(v, at, addr);
    }
}

static ts_status do_memory_copy(struct ts_validator *v, const struct ts_op *op) {
    ts_valtype to = 0, from = 0;
    TS_TRY(get_mem(v, op->at, op->index, &to));
    TS_TRY(get_mem(v, op->at, op->index2, &from));
    TS_TRY(pop(v, op->at, smaller(to, from)));
    TS_TRY(pop(v, op->at, from));
    return pop(v, op->at, to);
}

/* --- references and aggregates ------------------------------------------------------------------------- */

static ts_valtype unpacked(ts_valtype t) {
    return t == TS_VT_I8 || t == TS_VT_I16 ? (ts_valtype)TS_VT_I32 : t;
}
static bool is_packed(ts_valtype t) {
    return t == TS_VT_I8 || t == TS_VT_I16;
}

static uint32_t top_heap(struct ts_validator *v, uint32_t heap) {
    if (ts_match_heap(v->types, heap, TS_HT_ANY)) return TS_HT_ANY;
    if (ts_match_heap(v->types, heap, TS_HT_FUNC)) return TS_HT_FUNC;
    if (ts_match_heap(v->types, heap, TS_HT_EXN)) return TS_HT_EXN;
    return TS_HT_EXTERN;
}

static ts_status do_ref_cast(struct ts_validator *v, const struct ts_op *op) {
    uint32_t heap = op->heap;
    TS_TRY(check_heap(v, &heap, op->at));
    TS_TRY(pop(v, op->at, ts_vt_ref(true, top_heap(v, heap))));
    if (op->op == TS_OP_ref_test || op->op == TS_OP_ref_test_null)
        push(v, TS_VT_I32);
    else
        push(v, ts_vt_ref(op->op == TS_OP_ref_cast_null, heap));
    return TS_OK;
}

static ts_status do_ref_func(struct ts_validator *v, const struct ts_op *op) {
    const ts_deftype *d = NULL;
    TS_TRY(get_func(v, op->at, op->index, &d));
    /* spec: valid/modules: C.refs are the functions that occur outside bodies */
    if (v->is_const)
        v->m->funcs[op->index].declared = true;
    else if (!v->m->funcs[op->index].declared)
        return ts_v_invalid(v, op->at, "undeclared function reference %u", op->index);
    push(v, TS_VT_REF | TYPE(d->id));
    return TS_OK;
}

static ts_status do_convert(struct ts_validator *v, const struct ts_op *op) {
    uint32_t want = op->op == TS_OP_any_convert_extern ? TS_HT_EXTERN : TS_HT_ANY;
    uint32_t to = op->op == TS_OP_any_convert_extern ? TS_HT_ANY : TS_HT_EXTERN;
    ts_valtype t = TS_VT_BOT;
    TS_TRY(pop_any(v, op->at, &t));
    if (!ts_match_val(v->types, t, ts_vt_ref(true, want))) return mismatch(v, op->at, t, ts_vt_ref(true, want));
    push(v, ts_vt_ref(ts_vt_kind(t) == TS_VT_REFNULL, to));
    return TS_OK;
}

static ts_status do_struct(struct ts_validator *v, const struct ts_op *op) {
    const ts_deftype *d = NULL;
    const uint8_t *at = op->at;
    TS_TRY(get_type(v, at, op->index, TS_COMP_STRUCT, &d));
    ts_valtype self = TS_VT_REFNULL | TYPE(d->id);
    if (op->op == TS_OP_struct_new || op->op == TS_OP_struct_new_default) {
        for (uint32_t i = d->n_fields; i-- > 0;) {
            if (op->op == TS_OP_struct_new)
                TS_TRY(pop(v, at, unpacked(d->fields[i].type)));
            else if (!ts_vt_defaultable(d->fields[i].type))
                return ts_v_invalid(v, at, "field type is not defaultable");
        }
        push(v, TS_VT_REF | TYPE(d->id));
        return TS_OK;
    }
    if (op->index2 >= d->n_fields) return unknown(v, at, "field", op->index2);
    const ts_field *f = &d->fields[op->index2];
    if (op->op == TS_OP_struct_set) {
        if (!f->mut) return ts_v_invalid(v, at, "immutable field %u", op->index2);
        TS_TRY(pop(v, at, unpacked(f->type)));
        return pop(v, at, self);
    }
    if (is_packed(f->type) != (op->op != TS_OP_struct_get))
        return ts_v_invalid(v, at, "field is %s", is_packed(f->type) ? "packed" : "unpacked");
    TS_TRY(pop(v, at, self));
    push(v, unpacked(f->type));
    return TS_OK;
}

static ts_status check_array_data(struct ts_validator *v, const struct ts_op *op, ts_valtype elem) {
    TS_TRY(check_data(v, op->at, op->index2));
    if (ts_vt_is_ref(elem)) return ts_v_invalid(v, op->at, "array type is not numeric or vector");
    return TS_OK;
}
static ts_status check_array_elem(struct ts_validator *v, const struct ts_op *op, ts_valtype elem) {
    ts_valtype from = 0;
    TS_TRY(get_elem(v, op->at, op->index2, &from));
    return ts_match_val(v->types, from, elem) ? TS_OK : mismatch(v, op->at, from, elem);
}

static ts_status do_array_new(struct ts_validator *v, const struct ts_op *op, const ts_deftype *d) {
    ts_valtype elem = unpacked(d->fields[0].type);
    const uint8_t *at = op->at;
    switch (op->op) {
    case TS_OP_array_new:
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, elem));
        break;
    case TS_OP_array_new_default:
        if (!ts_vt_defaultable(elem)) return ts_v_invalid(v, at, "array type is not defaultable");
        TS_TRY(pop(v, at, TS_VT_I32));
        break;
    case TS_OP_array_new_fixed:
        for (uint32_t i = 0; i < op->index2; i++) {
            if (v->sp == top(v)->height && top(v)->unreachable) break; /* the other operands are unknown */
            TS_TRY(pop(v, at, elem));
        }
        break;
    case TS_OP_array_new_data:
        TS_TRY(check_array_data(v, op, elem));
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_I32));
        break;
    default: /* array.new_elem */
        TS_TRY(check_array_elem(v, op, elem));
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_I32));
        break;
    }
    push(v, TS_VT_REF | TYPE(d->id));
    return TS_OK;
}

static ts_status do_array(struct ts_validator *v, const struct ts_op *op) {
    const ts_deftype *d = NULL, *from = NULL;
    const uint8_t *at = op->at;
    TS_TRY(get_type(v, at, op->index, TS_COMP_ARRAY, &d));
    if (op->op <= TS_OP_array_new_elem) return do_array_new(v, op, d);
    const ts_field *f = &d->fields[0];
    ts_valtype self = TS_VT_REFNULL | TYPE(d->id), elem = unpacked(f->type);
    if (op->op <= TS_OP_array_get_u) {
        if (is_packed(f->type) != (op->op != TS_OP_array_get))
            return ts_v_invalid(v, at, "array is %s", is_packed(f->type) ? "packed" : "unpacked");
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, self));
        push(v, elem);
        return TS_OK;
    }
    if (!f->mut) return ts_v_invalid(v, at, "immutable array: array is immutable");
    switch (op->op) {
    case TS_OP_array_set: TS_TRY(pop(v, at, elem)); break;
    case TS_OP_array_fill:
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, elem));
        break;
    case TS_OP_array_copy:
        TS_TRY(get_type(v, at, op->index2, TS_COMP_ARRAY, &from));
        if (!ts_match_val(v->types, from->fields[0].type, f->type))
            return ts_v_invalid(v, at, "array types do not match");
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_REFNULL | TYPE(from->id)));
        break;
    default: /* array.init_data, array.init_elem */
        if (op->op == TS_OP_array_init_data)
            TS_TRY(check_array_data(v, op, elem));
        else
            TS_TRY(check_array_elem(v, op, elem));
        TS_TRY(pop(v, at, TS_VT_I32));
        TS_TRY(pop(v, at, TS_VT_I32));
        break;
    }
    TS_TRY(pop(v, at, TS_VT_I32));
    return pop(v, at, self);
}

static ts_status do_reference(struct ts_validator *v, const struct ts_op *op) {
    const uint8_t *at = op->at;
    uint32_t heap = 0;
    bool nullable = false;
    switch (op->op) {
    case TS_OP_ref_null:
        heap = op->heap;
        TS_TRY(check_heap(v, &heap, at));
        push(v, ts_vt_ref(true, heap));
        return TS_OK;
    case TS_OP_ref_is_null:
        TS_TRY(pop_ref(v, at, &nullable, &heap));
        push(v, TS_VT_I32);
        return TS_OK;
    case TS_OP_ref_as_non_null:
        TS_TRY(pop_ref(v, at, &nullable, &heap));
        push(v, ts_vt_ref(false, heap));
        return TS_OK;
    case TS_OP_ref_func: return do_ref_func(v, op);
    case TS_OP_ref_eq:
        TS_TRY(pop(v, at, ts_vt_ref(true, TS_HT_EQ)));
        TS_TRY(pop(v, at, ts_vt_ref(true, TS_HT_EQ)));
        push(v, TS_VT_I32);
        return TS_OK;
    case TS_OP_ref_test:
    case TS_OP_ref_test_null:
    case TS_OP_ref_cast:
    case TS_OP_ref_cast_null: return do_ref_cast(v, op);
    case TS_OP_struct_new:
    case TS_OP_struct_new_default:
    case TS_OP_struct_get:
    case TS_OP_struct_get_s:
    case TS_OP_struct_get_u:
    case TS_OP_struct_set: return do_struct(v, op);
    case TS_OP_array_len:
        TS_TRY(pop(v, at, ts_vt_ref(true, TS_HT_ARRAY)));
        push(v, TS_VT_I32);
        return TS_OK;
    case TS_OP_array_new:
    case TS_OP_array_new_default:
    case TS_OP_array_new_fixed:
    case TS_OP_array_new_data:
    case TS_OP_array_new_elem:
    case TS_OP_array_get:
    case TS_OP_array_get_s:
    case TS_OP_array_get_u:
    case TS_OP_array_set:
    case TS_OP_array_fill:
    case TS_OP_array_copy:
    case TS_OP_array_init_data:
    case TS_OP_array_init_elem: return do_array(v, op);
    case TS_OP_any_convert_extern:
    case TS_OP_extern_convert_any: return do_convert(v, op);
    case TS_OP_ref_i31:
        TS_TRY(pop(v, at, TS_VT_I32));
        push(v, ts_vt_ref(false, TS_HT_I31));
        return TS_OK;
    case TS_OP_i31_get_s:
    case TS_OP_i31_get_u:
        TS_TRY(pop(v, at, ts_vt_ref(true, TS_HT_I31)));
        push(v, TS_VT_I32);
        return TS_OK;
    default: return ts_op_illegal(&v->r, at); /* an OP_BY_HAND row without code */
    }
}

/* --- the rest, by the table ---------------------------------------------------------------------------- */

static ts_status check_memarg(struct ts_validator *v, const struct ts_op *op, const struct ts_op_info *info,
                              ts_valtype *addr) {
    TS_TRY(get_mem(v, op->at, op->index, addr));
    bool atomic = info->feature == TS_F_THREADS;
    if (atomic ? op->align != info->align : op->align > info->align)
        return ts_v_invalid(v, op->at,
                            atomic ? "atomic alignment must be natural: alignment must not be larger than natural"
                                   : "alignment must not be larger than natural");
    if (*addr == TS_VT_I32 && op->offset > UINT32_MAX) return ts_v_invalid(v, op->at, "offset out of range");
    return TS_OK;
}

static ts_status by_table(struct ts_validator *v, const struct ts_op *op, const struct ts_op_info *info) {
    ts_valtype addr = TS_VT_I32, elem = 0;
    switch ((ts_imm)info->imm) {
    case TS_IMM_MEMARG: TS_TRY(check_memarg(v, op, info, &addr)); break;
    case TS_IMM_MEMARG_LANE: TS_TRY(check_memarg(v, op, info, &addr)); /* fall through */
    case TS_IMM_LANE:
        if (op->lane >= 16 >> info->align) return ts_v_invalid(v, op->at, "invalid lane index");
        break;
    case TS_IMM_SHUFFLE:
        for (unsigned i = 0; i < 16; i++)
            if (op->bytes[i] >= 32) return ts_v_invalid(v, op->at, "invalid lane index");
        break;
    case TS_IMM_MEM: TS_TRY(get_mem(v, op->at, op->index, &addr)); break;
    case TS_IMM_DATA: TS_TRY(check_data(v, op->at, op->index)); break;
    case TS_IMM_DATA_MEM:
        TS_TRY(get_mem(v, op->at, op->index2, &addr));
        TS_TRY(check_data(v, op->at, op->index));
        break;
    case TS_IMM_ELEM: TS_TRY(get_elem(v, op->at, op->index, &elem)); break;
    case TS_IMM_TABLE: TS_TRY(get_table(v, op->at, op->index, &addr, &elem)); break;
    default: break;
    }
    const char *colon = strchr(info->sig, ':');
    static const uint8_t types[128] = {
        ['i'] = TS_VT_I32, ['I'] = TS_VT_I64, ['f'] = TS_VT_F32, ['F'] = TS_VT_F64, ['V'] = TS_VT_V128};
    for (const char *s = colon; s-- > info->sig;)
        TS_TRY(pop(v, op->at, types[(uint8_t)*s] ? types[(uint8_t)*s] : addr));
    for (const char *s = colon + 1; *s; s++) push(v, types[(uint8_t)*s] ? types[(uint8_t)*s] : addr);
    return TS_OK;
}

ts_status ts_v_instr(struct ts_validator *v) {
    struct ts_op op TS_FILLED_LATER;
    const ts_valtype *t = NULL;
    const ts_deftype *d = NULL;
    uint32_t n = 0;
    if (ts_reader_done(&v->r))
        return ts_reader_fail(&v->r, "unexpected end of section or function: END opcode expected");
    TS_TRY(ts_read_op(&v->r, &op));
    const struct ts_op_info *info = &ts_op_infos[op.op];
    if (info->feature & ~v->m->features) return ts_op_illegal(&v->r, op.at);
    if (v->is_const && !info->is_const) return ts_v_invalid(v, op.at, "constant expression required");
    if (info->sig) return by_table(v, &op, info);
    const uint8_t *at = op.at;
    switch (op.op) {
    case TS_OP_unreachable: unreachable(v); return TS_OK;
    case TS_OP_if_: TS_TRY(pop(v, at, TS_VT_I32)); return enter(v, &op);
    case TS_OP_try_table: TS_TRY(check_catches(v, &op)); return enter(v, &op);
    case TS_OP_block:
    case TS_OP_loop: return enter(v, &op);
    case TS_OP_else_: return do_else(v, &op);
    case TS_OP_end: return do_end(v, &op);
    case TS_OP_br:
        TS_TRY(get_label(v, at, op.index, &t, &n));
        TS_TRY(pop_all(v, at, t, n));
        unreachable(v);
        return TS_OK;
    case TS_OP_br_if: return do_br_if(v, &op);
    case TS_OP_br_table: return do_br_table(v, &op);
    case TS_OP_return_:
        TS_TRY(get_label(v, at, v->n_frames - 1, &t, &n));
        TS_TRY(pop_all(v, at, t, n));
        unreachable(v);
        return TS_OK;
    case TS_OP_throw:
        if (op.index >= v->m->n_tags) return unknown(v, at, "tag", op.index);
        d = ts_types_get(v->types, v->m->tags[op.index]);
        TS_TRY(pop_all(v, at, d->params, d->n_params));
        unreachable(v);
        return TS_OK;
    case TS_OP_throw_ref:
        TS_TRY(pop(v, at, TS_VT_EXNREF));
        unreachable(v);
        return TS_OK;
    case TS_OP_br_on_null: return do_br_on_null(v, &op);
    case TS_OP_br_on_non_null: return do_br_on_non_null(v, &op);
    case TS_OP_br_on_cast:
    case TS_OP_br_on_cast_fail: return do_br_on_cast(v, &op);
    case TS_OP_call:
    case TS_OP_return_call: TS_TRY(get_func(v, at, op.index, &d)); return call(v, &op, d, op.op == TS_OP_return_call);
    case TS_OP_call_indirect:
    case TS_OP_return_call_indirect: return do_call_indirect(v, &op, op.op == TS_OP_return_call_indirect);
    case TS_OP_call_ref:
    case TS_OP_return_call_ref: return do_call_ref(v, &op, op.op == TS_OP_return_call_ref);
    case TS_OP_drop: {
        ts_valtype any;
        return pop_any(v, at, &any);
    }
    case TS_OP_select: return do_select(v, &op);
    case TS_OP_select_t: return do_select_t(v, &op);
    case TS_OP_local_get:
    case TS_OP_local_set:
    case TS_OP_local_tee: return do_local(v, &op);
    case TS_OP_global_get:
    case TS_OP_global_set: return do_global(v, &op);
    case TS_OP_table_get:
    case TS_OP_table_set:
    case TS_OP_table_grow:
    case TS_OP_table_fill:
    case TS_OP_table_init:
    case TS_OP_table_copy: return do_table(v, &op);
    case TS_OP_memory_copy: return do_memory_copy(v, &op);
    default: return do_reference(v, &op);
    }
}
