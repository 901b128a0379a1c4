/* const_eval: see const_eval.h. It is a small stack machine over the bytes of the expression. */
#include "core/run/const_eval.h"
#include "core/run/gc.h"
#include "core/module/wasm_ops.h"
#include <string.h>

enum { INLINE_SLOTS = 32 };
typedef struct stack {
    ts_slot *at; /* grows upwards */
    uint32_t n, cap;
    ts_slot inline_slots[INLINE_SLOTS];
} stack;

static bool push(stack *s, ts_slot v) {
    if (s->n == s->cap) {
        ts_slot *p = malloc((size_t)s->cap * 2 * sizeof *p);
        if (!p) return false;
        memcpy(p, s->at, s->n * sizeof *p);
        if (s->at != s->inline_slots) free(s->at);
        s->at = p;
        s->cap *= 2;
    }
    s->at[s->n++] = v;
    return true;
}

static void scan_stack(void *data, ts_gc_heap *h) {
    const stack *s = data;
    ts_gc_mark_range(h, s->at, s->at + s->n);
}

/* Stores a value from slots into a field or element. Returns the number of slots that it took. */
static uint32_t store_field(uint8_t *to, ts_valtype t, const ts_slot *v) {
    switch (ts_vt_kind(t)) {
    case TS_VT_I8: *to = (uint8_t)v[0]; return 1;
    case TS_VT_I16: {
        uint16_t x = (uint16_t)v[0];
        memcpy(to, &x, 2);
        return 1;
    }
    case TS_VT_I32:
    case TS_VT_F32: {
        uint32_t x = (uint32_t)v[0];
        memcpy(to, &x, 4);
        return 1;
    }
    case TS_VT_V128: memcpy(to, v, 16); return 2;
    default: memcpy(to, v, 8); return 1;
    }
}

static ts_status heap_full(const ts_store *st, ts_error *e) {
    char size[TS_SIZE_TEXT];
    return ts_fail_limit(e, TS_LIMIT_GC, TS_TRAP_ALLOC, "allocation failed: the limit of %s on the heap is reached",
                         ts_size_text(st->limits.gc_bytes, size));
}

static ts_status new_struct(ts_store *st, stack *s, const ts_deftype *d, bool defaults, ts_error *e) {
    ts_obj *o = ts_gc_new_struct(st, d);
    if (!o) return heap_full(st, e);
    if (!defaults) {
        uint32_t slots = 0;
        for (uint32_t i = 0; i < d->n_fields; i++) slots += ts_vt_slots(d->fields[i].type);
        s->n -= slots;
        const ts_slot *v = s->at + s->n;
        for (uint32_t i = 0; i < d->n_fields; i++)
            v += store_field(ts_obj_payload(o) + d->fields[i].offset, d->fields[i].type, v);
    }
    return push(s, ts_obj_ref(o)) ? TS_OK : ts_fail_nomem(e);
}

static ts_status new_array(ts_store *st, stack *s, const ts_deftype *d, const struct ts_op *op, ts_error *e) {
    ts_valtype t = d->fields[0].type;
    uint32_t slots = ts_vt_slots(t);
    bool fixed = op->op == TS_OP_array_new_fixed;
    uint32_t n = fixed ? op->index2 : (uint32_t)s->at[s->n - 1];
    ts_obj *o = ts_gc_new_array(st, d, n);
    if (!o) return heap_full(st, e);
    uint8_t *to = ts_obj_payload(o);
    if (fixed) {
        s->n -= n * slots;
        for (uint32_t i = 0; i < n; i++) store_field(to + (size_t)i * d->size, t, s->at + s->n + (size_t)i * slots);
    } else {
        s->n--;
        if (op->op == TS_OP_array_new) {
            s->n -= slots;
            for (uint32_t i = 0; i < n; i++) store_field(to + (size_t)i * d->size, t, s->at + s->n);
        }
    }
    return push(s, ts_obj_ref(o)) ? TS_OK : ts_fail_nomem(e);
}

static ts_status evaluate(ts_instance *inst, ts_reader *r, stack *s, ts_error *e) {
    ts_store *st = inst->store;
    const ts_module *m = inst->module;
    for (;;) {
        struct ts_op op;
        bool room = true;
        TS_TRY(ts_read_op(r, &op));
        switch (op.op) {
        case TS_OP_end: return TS_OK;
        case TS_OP_i32_const: room = push(s, (uint32_t)op.i64); break;
        case TS_OP_i64_const: room = push(s, (uint64_t)op.i64); break;
        case TS_OP_f32_const: room = push(s, op.f32); break;
        case TS_OP_f64_const: room = push(s, op.f64); break;
        case TS_OP_v128_const: {
            uint64_t q[2];
            memcpy(q, op.bytes, 16);
            room = push(s, q[0]) && push(s, q[1]);
            break;
        }
        case TS_OP_global_get: {
            const ts_global *g = inst->globals[op.index];
            room = push(s, g->v[0]) && (g->type.type != TS_VT_V128 || push(s, g->v[1]));
            break;
        }
        case TS_OP_ref_null: room = push(s, 0); break;
        case TS_OP_ref_func: room = push(s, (ts_slot)(uintptr_t)inst->funcs[op.index]); break;
        case TS_OP_ref_i31: s->at[s->n - 1] = ts_ref_i31((uint32_t)s->at[s->n - 1]); break;
        case TS_OP_any_convert_extern:
        case TS_OP_extern_convert_any: break; /* both hierarchies have the same representation */
        case TS_OP_i32_add: s->n--, s->at[s->n - 1] = (uint32_t)(s->at[s->n - 1] + s->at[s->n]); break;
        case TS_OP_i32_sub: s->n--, s->at[s->n - 1] = (uint32_t)(s->at[s->n - 1] - s->at[s->n]); break;
        case TS_OP_i32_mul: s->n--, s->at[s->n - 1] = (uint32_t)(s->at[s->n - 1] * s->at[s->n]); break;
        case TS_OP_i64_add: s->n--, s->at[s->n - 1] += s->at[s->n]; break;
        case TS_OP_i64_sub: s->n--, s->at[s->n - 1] -= s->at[s->n]; break;
        case TS_OP_i64_mul: s->n--, s->at[s->n - 1] *= s->at[s->n]; break;
        case TS_OP_struct_new:
        case TS_OP_struct_new_default:
            TS_TRY(
                new_struct(st, s, ts_types_get(st->types, m->types[op.index]), op.op == TS_OP_struct_new_default, e));
            break;
        case TS_OP_array_new:
        case TS_OP_array_new_default:
        case TS_OP_array_new_fixed:
            TS_TRY(new_array(st, s, ts_types_get(st->types, m->types[op.index]), &op, e));
            break;
        default: return ts_reader_fail(r, "not a constant instruction"); /* unreachable after validation */
        }
        if (!room) return ts_fail_nomem(e);
    }
}

ts_status ts_const_eval(ts_instance *inst, const ts_const_expr *expr, ts_slot v[2], ts_error *e) {
    stack s = {.n = 0, .cap = INLINE_SLOTS};
    s.at = s.inline_slots;
    ts_reader r = {
        .at = expr->at, .end = expr->at + expr->len, .base = inst->module->bytes, .section = "constant", .err = e};
    v[0] = v[1] = 0;
    /* Only GC instructions (prefix 0xfb) can start a collection, which then has to see this stack. */
    ts_gc_heap *h = memchr(expr->at, 0xfb, expr->len) ? inst->store->gc : NULL;
    if (h && !ts_gc_add_scanner(h, scan_stack, &s)) return ts_fail_nomem(e);
    ts_status st = evaluate(inst, &r, &s, e);
    if (h) ts_gc_remove_scanner(h, scan_stack, &s);
    for (uint32_t i = 0; st == TS_OK && i < s.n && i < 2; i++) v[i] = s.at[i];
    if (s.at != s.inline_slots) free(s.at);
    return st;
}
