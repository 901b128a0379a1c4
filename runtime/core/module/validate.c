/* validate: checks a decoded module against the rules, its function bodies on several threads.
 * In: a decoded module. Out: the same with canonical types, or the first broken rule. The loop over a body
 * takes the common instructions itself. All others, and all that are wrong, go to ts_v_instr. spec:
 * valid/modules, valid/types */
#include "core/module/validate_int.h"
#include "core/module/validate.h"
#include "core/module/decode.h"
#include "core/module/engine.h"
#include "sys/thread.h"
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void validator_free(struct ts_validator *v) {
    free(v->stack);
    free(v->frames);
    free(v->locals);
    free(v->local_set);
    free(v->set_log);
}

/* --- bodies -------------------------------------------------------------------------------------------- */

/* Read an unsigned LEB128 of at most 28 bits. Longer ones, and the end of the body, are left to the slow
 * path. */
#define FAST_U32(out)                                                                                                  \
    do {                                                                                                               \
        if (TS_UNLIKELY(end - p < 6)) goto slow;                                                                       \
        uint32_t b_ = *p++;                                                                                            \
        if (TS_UNLIKELY(b_ >= 0x80)) {                                                                                 \
            uint32_t c_ = *p++;                                                                                        \
            b_ = (b_ & 0x7f) | c_ << 7;                                                                                \
            if (c_ >= 0x80) {                                                                                          \
                c_ = *p++;                                                                                             \
                b_ = (b_ & 0x3fff) | c_ << 14;                                                                         \
                if (c_ >= 0x80) {                                                                                      \
                    c_ = *p++;                                                                                         \
                    b_ = (b_ & 0x1fffff) | c_ << 21;                                                                   \
                    if (c_ >= 0x80) goto slow;                                                                         \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        (out) = b_;                                                                                                    \
    } while (0)
#define SKIP(n)                                                                                                        \
    do {                                                                                                               \
        if (end - p < (n)) goto slow;                                                                                  \
        p += (n);                                                                                                      \
    } while (0)
#define HAVE(n) (TS_LIKELY(sp - bottom >= (n)))
/* Read a memarg of memory 0 with an offset below 2^28. */
#define MEMARG(align)                                                                                                  \
    do {                                                                                                               \
        uint32_t flags_, offset_;                                                                                      \
        FAST_U32(flags_);                                                                                              \
        if (TS_UNLIKELY(flags_ > (align))) goto slow;                                                                  \
        FAST_U32(offset_);                                                                                             \
        (void)offset_;                                                                                                 \
    } while (0)
enum { I32 = TS_VT_I32, I64 = TS_VT_I64, F32 = TS_VT_F32, F64 = TS_VT_F64 };

/* The type that a letter of a signature in wasm_ops.def means. mem0: the type of an address in memory 0. */
static inline __attribute__((always_inline)) ts_valtype letter_type(char letter, ts_valtype mem0) {
    return letter == 'i' ? I32 : letter == 'I' ? I64 : letter == 'f' ? F32 : letter == 'F' ? F64 : mem0;
}

/* Apply a signature of at most two parameters and one result to the stack. Returns false and leaves the stack
 * alone unless the operands on top have exactly these types. sig is a literal, so the compiler evaluates all
 * but the comparisons. */
static inline __attribute__((always_inline)) bool apply_signature(const char *sig, ts_valtype mem0, ts_valtype **sp,
                                                                  const ts_valtype *bottom) {
    const ptrdiff_t n = sig[0] == ':' ? 0 : sig[1] == ':' ? 1 : 2;
    const char result = sig[n + 1];
    ts_valtype *s = *sp;
    if (n > 0 && TS_UNLIKELY(s - bottom < n || s[-1] != letter_type(sig[n - 1], mem0))) return false;
    if (n > 1 && TS_UNLIKELY(s[-2] != letter_type(sig[0], mem0))) return false;
    s -= n;
    if (result) *s++ = letter_type(result, mem0);
    *sp = s;
    return true;
}

/* A case of the fast loop for each row with a fixed type. TAKE_x reads the immediate of kind x, then the
 * signature is applied. TAKE_MEM leaves its rows to ts_v_instr. */
#define TAKE(ident, sig, feature, immediate)                                                                           \
    case TS_OP_##ident:                                                                                                \
        if ((feature) & ~m->features) goto slow;                                                                       \
        _Static_assert(sizeof(sig) <= sizeof "ii:i", "apply_signature takes two parameters and one result");           \
        immediate;                                                                                                     \
        if (TS_UNLIKELY(!apply_signature(sig, mem0, &sp, bottom))) goto slow;                                          \
        continue;
#define TAKE_NONE(ident, sig, feature, align) TAKE(ident, sig, feature, )
#define TAKE_MEMARG(ident, sig, feature, align) TAKE(ident, sig, feature, MEMARG(align))
#define TAKE_I32(ident, sig, feature, align) TAKE(ident, sig, feature, FAST_U32(index))
#define TAKE_I64 TAKE_I32
#define TAKE_F32(ident, sig, feature, align) TAKE(ident, sig, feature, SKIP(4))
#define TAKE_F64(ident, sig, feature, align) TAKE(ident, sig, feature, SKIP(8))
#define TAKE_MEM(ident, sig, feature, align)

/* Validate a body from behind its locals to its end. Frames and the stack are set up. Without a memory the
 * type of its addresses, mem0, is 0xff, which no operand has. If some local has no default value, the slow
 * path handles all of them (n_locals 0). */
static ts_status run_body(struct ts_validator *v) {
    const ts_module *m = v->m;
    const ts_valtype mem0 = m->n_mems == 0 ? 0xff : m->mems[0].is64 ? I64 : I32;
    const uint8_t *p = v->r.at, *const end = v->r.end;
    ts_valtype *sp = v->stack + v->sp, *bottom = v->stack + v->frames[v->n_frames - 1].height;
    const ts_valtype *const locals = v->locals;
    const uint32_t n_locals = v->track_init ? 0 : v->n_locals;
    for (;;) {
        const uint8_t *at = p;
        uint32_t index;
        if (TS_UNLIKELY(p >= end)) goto slow;
        switch (*p++) {
        case TS_OP_block:
        case TS_OP_loop: {
            if (TS_UNLIKELY(p >= end || v->n_frames == v->cap_frames)) goto slow;
            ts_valtype one = 0;
            if (*p >= TS_VT_F64 && *p <= TS_VT_I32)
                one = *p;
            else if (*p != 0x40)
                goto slow;
            p++;
            v->frames[v->n_frames++] = (struct ts_vframe){.n_results = one != 0,
                                                          .height = (uint32_t)(sp - v->stack),
                                                          .init_height = v->n_log,
                                                          .one = one,
                                                          .op = *at};
            bottom = sp;
            continue;
        }
        case TS_OP_end: {
            const struct ts_vframe *f = &v->frames[v->n_frames - 1];
            if (TS_UNLIKELY(v->n_frames == 1 || f->op == TS_OP_if_ || f->n_results > 1 || f->init_height != v->n_log))
                goto slow;
            if (f->n_results == 0) {
                if (sp != bottom) goto slow;
            } else if (sp - bottom != 1 || sp[-1] != (f->results ? f->results[0] : f->one)) {
                goto slow;
            }
            v->n_frames--;
            bottom = v->stack + f[-1].height;
            continue;
        }
        case TS_OP_br:
        case TS_OP_br_if: {
            FAST_U32(index);
            if (TS_UNLIKELY(index >= v->n_frames)) goto slow;
            const struct ts_vframe *f = &v->frames[v->n_frames - 1 - index];
            if (f->op == TS_OP_loop ? f->n_params : f->n_results) goto slow;
            if (*at == TS_OP_br) {
                v->frames[v->n_frames - 1].unreachable = true;
                sp = bottom;
                continue;
            }
            if (!HAVE(1) || sp[-1] != I32) goto slow;
            sp--;
            continue;
        }
        case TS_OP_call: {
            FAST_U32(index);
            if (TS_UNLIKELY(index >= m->n_funcs)) goto slow;
            const ts_deftype *d = ts_types_get(v->types, m->funcs[index].type);
            uint32_t n = d->n_params;
            if (TS_UNLIKELY(sp - bottom < (ptrdiff_t)n || d->n_results > 1)) goto slow;
            const ts_valtype *args = sp - n;
            for (uint32_t i = 0; i < n; i++)
                if (TS_UNLIKELY(args[i] != d->params[i])) goto slow;
            sp -= n;
            if (d->n_results) *sp++ = d->results[0];
            continue;
        }
        case TS_OP_drop:
            if (!HAVE(1)) goto slow;
            sp--;
            continue;
        case TS_OP_select:
            if (!HAVE(3) || sp[-1] != I32 || sp[-2] != sp[-3] || !ts_vt_is_num(sp[-2])) goto slow;
            sp -= 2;
            continue;
        case TS_OP_local_get:
            FAST_U32(index);
            if (TS_UNLIKELY(index >= n_locals)) goto slow;
            *sp++ = locals[index];
            continue;
        case TS_OP_local_set:
            FAST_U32(index);
            if (TS_UNLIKELY(index >= n_locals) || !HAVE(1) || sp[-1] != locals[index]) goto slow;
            sp--;
            continue;
        case TS_OP_local_tee:
            FAST_U32(index);
            if (TS_UNLIKELY(index >= n_locals) || !HAVE(1) || sp[-1] != locals[index]) goto slow;
            continue;
        case TS_OP_global_get:
            FAST_U32(index);
            if (TS_UNLIKELY(index >= m->n_globals)) goto slow;
            *sp++ = m->globals[index].type.type;
            continue;
        case TS_OP_global_set:
            FAST_U32(index);
            if (TS_UNLIKELY(index >= m->n_globals || !m->globals[index].type.mut) || !HAVE(1) ||
                sp[-1] != m->globals[index].type.type)
                goto slow;
            sp--;
            continue;
#define OP(code, ident, text, imm, sig, feature, align, where) TAKE_##imm(ident, sig, TS_F_##feature, align)
#define ONE_BYTE_OPS
#include "core/module/wasm_ops.def"
        default: break;
        }
    slow: /* nothing has been changed: validate the instruction from its beginning */
        v->r.at = at;
        v->sp = (size_t)(sp - v->stack);
        TS_TRY(ts_v_instr(v));
        if (v->n_frames == 0) return TS_OK;
        p = v->r.at;
        sp = v->stack + v->sp;
        bottom = v->stack + v->frames[v->n_frames - 1].height;
    }
}

static ts_status reserve_locals(struct ts_validator *v, uint32_t n) {
    if (n <= v->cap_locals) return TS_OK;
    uint32_t cap = n + n / 2 + 64;
    ts_valtype *locals = realloc(v->locals, cap * sizeof *locals);
    if (!locals) return ts_fail_nomem(v->e);
    v->locals = locals;
    bool *set = realloc(v->local_set, cap * sizeof *set);
    if (!set) return ts_fail_nomem(v->e);
    v->local_set = set;
    v->cap_locals = cap;
    return TS_OK;
}

static ts_status add_locals(void *data, uint32_t n, ts_valtype t, uint64_t offset) {
    struct ts_validator *v = data;
    TS_TRY(ts_v_check_type(v, &t, v->r.base + offset));
    TS_TRY(reserve_locals(v, v->n_locals + n));
    bool set = ts_vt_defaultable(t);
    if (!set && n > 0) v->track_init = true;
    for (uint32_t i = 0; i < n; i++) {
        v->locals[v->n_locals + i] = t;
        v->local_set[v->n_locals + i] = set;
    }
    v->n_locals += n;
    return TS_OK;
}

/* spec: valid/modules#functions */
static ts_status check_body(struct ts_validator *v, uint32_t func) {
    const ts_func_def *f = &v->m->funcs[func];
    const ts_deftype *d = ts_types_get(v->types, f->type);
    v->r =
        (ts_reader){.at = f->body, .end = f->body + f->body_len, .base = v->m->bytes, .section = "code", .err = v->e};
    v->is_const = false;
    v->n_frames = v->n_locals = v->n_log = 0;
    v->sp = 0;
    v->track_init = false;
    for (uint32_t i = 0; i < d->n_params; i++) {
        TS_TRY(reserve_locals(v, d->n_params));
        v->locals[i] = d->params[i];
        v->local_set[i] = true;
    }
    v->n_locals = d->n_params;
    TS_TRY(ts_decode_locals(&v->r, add_locals, v));
    TS_TRY(ts_v_push_frame(v, TS_OP_block, NULL, 0, d->results, d->n_results, 0));
    TS_TRY(ts_v_reserve(v, 0));
    TS_TRY(run_body(v));
    if (!ts_reader_done(&v->r)) return ts_reader_fail(&v->r, "section size mismatch: END opcode expected");
    return TS_OK;
}

/* Append the function to the message. */
static void name_func(ts_error *e, uint32_t func) {
    if (!e || (e->status != TS_MALFORMED && e->status != TS_INVALID)) return;
    size_t n = strlen(e->message);
    snprintf(e->message + n, sizeof e->message - n, " (in function %u)", func);
}

/* Bodies are handed out in order, so every body before an invalid one is checked. The first error is
 * therefore the same for any number of threads. */
struct bodies {
    const ts_module *m;
    const ts_type_registry *types;
    uint32_t next;   /* atomic */
    uint32_t failed; /* atomic: the lowest function that is invalid; n_funcs: none */
    ts_lock lock;    /* protects the rest */
    ts_status status;
    ts_error *e;
};
enum { BATCH = 16 };

static void check_some(void *data) {
    struct bodies *b = data;
    ts_error mine;
    ts_error_init(&mine);
    struct ts_validator v = {.m = b->m, .types = b->types, .e = &mine};
    for (;;) {
        uint32_t from = __atomic_fetch_add(&b->next, BATCH, __ATOMIC_RELAXED);
        uint32_t to = from + BATCH < b->m->n_funcs ? from + BATCH : b->m->n_funcs;
        if (from >= b->m->n_funcs || from > __atomic_load_n(&b->failed, __ATOMIC_RELAXED)) break;
        for (uint32_t i = from; i < to; i++) {
            ts_status s = check_body(&v, i);
            if (TS_LIKELY(s == TS_OK)) continue;
            name_func(&mine, i);
            ts_lock_take(&b->lock);
            if (i < b->failed) {
                __atomic_store_n(&b->failed, i, __ATOMIC_RELAXED);
                b->status = s;
                ts_error_copy(b->e, &mine);
            }
            ts_lock_give(&b->lock);
            goto out;
        }
    }
out:
    validator_free(&v);
}

/* A malformed body makes a module malformed even if a rule is broken before it. */
static ts_status format_first(const ts_module *m, ts_status s, ts_error *e) {
    if (s != TS_INVALID) return s;
    ts_error format;
    ts_error_init(&format);
    ts_status f = ts_decode_check_bodies(m, &format);
    if (f == TS_OK) return s;
    ts_error_copy(e, &format);
    return f;
}

static ts_status check_bodies(const ts_module *m, const ts_type_registry *types, unsigned threads, ts_error *e) {
    struct bodies b = {.m = m, .types = types, .next = m->n_imp_funcs, .failed = m->n_funcs, .e = e};
    if (m->n_funcs - m->n_imp_funcs == 0) return TS_OK;
    if (!ts_lock_init(&b.lock)) return ts_fail_nomem(e);
    if (threads == 0) threads = m->code_section_len >= 1 << 20 ? ts_cpu_count() : 1;
    if (threads > 1)
        ts_parallel(threads, check_some, &b);
    else
        check_some(&b);
    ts_lock_destroy(&b.lock);
    return format_first(m, b.status, e);
}

/* --- types --------------------------------------------------------------------------------------------- */

struct mod {
    ts_module *m;
    ts_type_registry *types;
    ts_error *e;
    struct ts_validator v; /* for constant expressions */
};

static ts_status invalid(struct mod *x, uint64_t offset, const char *section, const char *fmt, ...) TS_PRINTF(4, 5);
static ts_status invalid(struct mod *x, uint64_t offset, const char *section, const char *fmt, ...) {
    char msg[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return ts_fail_at(x->e, TS_INVALID, offset, section, "%s", msg);
}

static ts_status check_raw(struct mod *x, const ts_raw_group *g, ts_valtype t) {
    uint32_t heap = ts_vt_heap(t);
    if (!ts_ht_is_concrete(heap) || heap - TS_HT_CONCRETE < g->first + g->n) return TS_OK;
    return invalid(x, g->offset, "type", "unknown type %u", heap - TS_HT_CONCRETE);
}

static bool match_storage(const ts_type_registry *r, ts_valtype a, ts_valtype b) {
    return ts_match_val(r, a, b);
}

static bool match_field(const ts_type_registry *r, const ts_field *a, const ts_field *b) {
    return a->mut == b->mut && match_storage(r, a->type, b->type) && (!a->mut || match_storage(r, b->type, a->type));
}

/* spec: valid/matching#composite-types */
static bool match_comp(const ts_type_registry *r, const ts_deftype *a, const ts_deftype *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == TS_COMP_FUNC) {
        if (a->n_params != b->n_params || a->n_results != b->n_results) return false;
        for (uint32_t i = 0; i < a->n_params; i++)
            if (!ts_match_val(r, b->params[i], a->params[i])) return false;
        for (uint32_t i = 0; i < a->n_results; i++)
            if (!ts_match_val(r, a->results[i], b->results[i])) return false;
        return true;
    }
    if (a->n_fields < b->n_fields) return false;
    for (uint32_t i = 0; i < b->n_fields; i++)
        if (!match_field(r, &a->fields[i], &b->fields[i])) return false;
    return true;
}

/* spec: valid/types#recursive-types, #sub-types */
static ts_status check_group(struct mod *x, const ts_raw_group *g) {
    ts_module *m = x->m;
    const ts_raw_types *raw = m->raw_types;
    for (uint32_t k = g->first; k < g->first + g->n; k++) {
        const ts_rec_member *t = &raw->members[k];
        for (uint32_t i = 0; i < t->n_params; i++) TS_TRY(check_raw(x, g, t->params[i]));
        for (uint32_t i = 0; i < t->n_results; i++) TS_TRY(check_raw(x, g, t->results[i]));
        for (uint32_t i = 0; i < t->n_fields; i++) TS_TRY(check_raw(x, g, t->fields[i].type));
        if (raw->n_supers[k] > 1) return invalid(x, g->offset, "type", "sub type %u has more than one super type", k);
        if (!t->has_super) continue;
        if (t->super >= g->first + g->n) return invalid(x, g->offset, "type", "unknown type %u", t->super);
        if (t->super >= k)
            return invalid(x, g->offset, "type", "unknown type: forward use of type %u in sub type definition",
                           t->super);
    }
    /* Depth is checked before interning: supertypes are stored as arrays. */
    TS_TRY(ts_types_intern(x->types, raw->members + g->first, g->n, m->types, g->first, m->types + g->first, x->e));
    for (uint32_t k = g->first; k < g->first + g->n; k++) {
        const ts_deftype *t = ts_types_get(x->types, m->types[k]);
        if (!t->has_super) continue;
        const ts_deftype *s = ts_types_get(x->types, t->super);
        if (s->final)
            return invalid(x, g->offset, "type", "sub type %u has final super type %u", k, raw->members[k].super);
        if (!match_comp(x->types, t, s))
            return invalid(x, g->offset, "type", "sub type %u does not match super type %u", k, raw->members[k].super);
    }
    return TS_OK;
}

static ts_status check_types(struct mod *x) {
    ts_module *m = x->m;
    ts_status s = TS_OK;
    if (m->n_types > TS_MAX_TYPES) return invalid(x, 0, "type", "too many types: %u", m->n_types);
    m->types = ts_arena_array(&m->arena, (size_t)m->n_types + 1, sizeof *m->types);
    uint8_t *depth = calloc((size_t)m->n_types + 1, 1);
    if (!m->types || !depth) {
        s = ts_fail_nomem(x->e);
        goto out;
    }
    const ts_raw_types *raw = m->raw_types;
    for (uint32_t k = 0; k < m->n_types; k++) {
        const ts_rec_member *t = &raw->members[k];
        if (t->has_super && t->super < k) depth[k] = depth[t->super] + 1;
        if (depth[k] > TS_MAX_SUBTYPE_DEPTH) {
            s = invalid(x, 0, "type", "the supertypes of type %u are more than %d deep", k, TS_MAX_SUBTYPE_DEPTH);
            goto out;
        }
    }
    for (uint32_t i = 0; s == TS_OK && i < raw->n_groups; i++) s = check_group(x, &raw->groups[i]);
out:
    free(depth);
    return s;
}

/* Replace the type index of the binary format by the canonical type. */
static ts_status canon_type(struct mod *x, const char *section, ts_valtype *t) {
    uint32_t heap = ts_vt_heap(*t);
    if (!ts_ht_is_concrete(heap)) return TS_OK;
    if (heap - TS_HT_CONCRETE >= x->m->n_types) return invalid(x, 0, section, "unknown type %u", heap - TS_HT_CONCRETE);
    *t = ts_canon_valtype(x->m, *t);
    return TS_OK;
}

static ts_status canon_func(struct mod *x, const char *section, uint32_t *type) {
    uint32_t index = *type;
    if (index >= x->m->n_types) return invalid(x, 0, section, "unknown type %u", index);
    *type = x->m->types[index];
    if (ts_types_get(x->types, *type)->kind == TS_COMP_FUNC) return TS_OK;
    return invalid(x, 0, section, "type mismatch: type %u is a non-function type", index);
}

static ts_status check_limits(struct mod *x, const char *section, const ts_limits *l, uint64_t most, const char *msg) {
    if (l->min > most || (l->has_max && l->max > most)) return invalid(x, 0, section, "%s", msg);
    if (l->has_max && l->min > l->max) return invalid(x, 0, section, "size minimum must not be greater than maximum");
    return TS_OK;
}

static ts_status check_table_type(struct mod *x, const char *section, ts_table_type *t) {
    TS_TRY(canon_type(x, section, &t->elem));
    return check_limits(x, section, &t->limits, t->limits.is64 ? UINT64_MAX : UINT32_MAX,
                        "table size must be at most 2^32-1 for i32");
}

static ts_status check_mem_type(struct mod *x, const char *section, const ts_limits *l) {
    if (l->page_log2 != 16 && l->page_log2 != 0) return invalid(x, 0, section, "invalid custom page size");
    uint64_t most =
        l->is64 ? (l->page_log2 ? (uint64_t)1 << 48 : UINT64_MAX) : (l->page_log2 ? (uint64_t)1 << 16 : UINT32_MAX);
    TS_TRY(check_limits(x, section, l, most,
                        l->is64 ? "memory size must be at most 2^48 pages (256 TiB) for i64"
                                : "memory size must be at most 65536 pages (4GiB)"));
    if (l->shared && !l->has_max) return invalid(x, 0, section, "shared memory must have maximum");
    return TS_OK;
}

static ts_status check_tag_type(struct mod *x, const char *section, uint32_t *type) {
    TS_TRY(canon_func(x, section, type));
    if (ts_types_get(x->types, *type)->n_results == 0) return TS_OK;
    return invalid(x, 0, section, "non-empty tag result type");
}

/* --- the other sections -------------------------------------------------------------------------------- */

/* spec: valid/instructions#constant-expressions */
static ts_status check_const(struct mod *x, const char *section, ts_const_expr c, ts_valtype want, uint32_t n_globals) {
    struct ts_validator *v = &x->v;
    if (want == TS_VT_I32 && c.len && ts_short_i32_const(c.at, c.at + c.len) == c.len) return TS_OK;
    v->r = (ts_reader){.at = c.at, .end = c.at + c.len, .base = x->m->bytes, .section = section, .err = x->e};
    v->is_const = true;
    v->n_globals = n_globals;
    v->n_frames = v->n_locals = v->n_log = 0;
    v->sp = 0;
    TS_TRY(ts_v_push_frame(v, TS_OP_block, NULL, 0, NULL, 1, want));
    while (v->n_frames > 0) TS_TRY(ts_v_instr(v));
    return TS_OK;
}

static ts_status check_imports(struct mod *x) {
    ts_module *m = x->m;
    uint32_t funcs = 0, tables = 0, mems = 0, globals = 0, tags = 0;
    for (uint32_t i = 0; i < m->n_imports; i++) {
        ts_import *im = &m->imports[i];
        switch (im->kind) {
        case TS_EXTERN_FUNC:
            TS_TRY(canon_func(x, "import", &im->type));
            m->funcs[funcs++].type = im->type;
            break;
        case TS_EXTERN_TABLE:
            TS_TRY(check_table_type(x, "import", &im->table));
            m->tables[tables++].type = im->table;
            break;
        case TS_EXTERN_MEM:
            TS_TRY(check_mem_type(x, "import", &im->mem));
            m->mems[mems++] = im->mem;
            break;
        case TS_EXTERN_GLOBAL:
            TS_TRY(canon_type(x, "import", &im->global.type));
            m->globals[globals++].type = im->global;
            break;
        case TS_EXTERN_TAG:
            TS_TRY(check_tag_type(x, "import", &im->type));
            m->tags[tags++] = im->type;
            break;
        }
    }
    return TS_OK;
}

static ts_status check_spaces(struct mod *x) {
    ts_module *m = x->m;
    for (uint32_t i = m->n_imp_funcs; i < m->n_funcs; i++) TS_TRY(canon_func(x, "function", &m->funcs[i].type));
    for (uint32_t i = m->n_imp_tags; i < m->n_tags; i++) TS_TRY(check_tag_type(x, "tag", &m->tags[i]));
    if (m->n_mems > 1 && !(m->features & TS_F_MULTI_MEMORY)) return invalid(x, 0, "memory", "multiple memories");
    for (uint32_t i = m->n_imp_mems; i < m->n_mems; i++) TS_TRY(check_mem_type(x, "memory", &m->mems[i]));
    for (uint32_t i = m->n_imp_tables; i < m->n_tables; i++) {
        ts_table_def *t = &m->tables[i];
        TS_TRY(check_table_type(x, "table", &t->type));
        if (t->has_init)
            TS_TRY(check_const(x, "table", t->init, t->type.elem, m->n_imp_globals));
        else if (!ts_vt_defaultable(t->type.elem))
            return invalid(x, 0, "table", "type mismatch: table %u has no initialiser, and its type no default value",
                           i);
    }
    for (uint32_t i = m->n_imp_globals; i < m->n_globals; i++) {
        ts_global_def *g = &m->globals[i];
        TS_TRY(canon_type(x, "global", &g->type.type));
        TS_TRY(check_const(x, "global", g->init, g->type.type, i));
    }
    return TS_OK;
}

static ts_status check_elem(struct mod *x, ts_elem_seg *s) {
    ts_module *m = x->m;
    TS_TRY(canon_type(x, "element", &s->type));
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->is_exprs) {
            TS_TRY(check_const(x, "element", s->exprs[i], s->type, m->n_globals));
        } else {
            if (s->funcs[i] >= m->n_funcs) return invalid(x, 0, "element", "unknown function %u", s->funcs[i]);
            m->funcs[s->funcs[i]].declared = true;
        }
    }
    if (s->mode != TS_SEG_ACTIVE) return TS_OK;
    if (s->table >= m->n_tables) return invalid(x, 0, "element", "unknown table %u", s->table);
    const ts_table_type *t = &m->tables[s->table].type;
    if (!ts_match_val(x->types, s->type, t->elem))
        return invalid(x, 0, "element", "type mismatch: the segment's type does not match that of table %u", s->table);
    return check_const(x, "element", s->offset, t->limits.is64 ? I64 : I32, m->n_globals);
}

static ts_status check_data(struct mod *x, const ts_data_seg *s) {
    ts_module *m = x->m;
    if (s->mode != TS_SEG_ACTIVE) return TS_OK;
    if (s->mem >= m->n_mems) return invalid(x, 0, "data", "unknown memory %u", s->mem);
    return check_const(x, "data", s->offset, m->mems[s->mem].is64 ? I64 : I32, m->n_globals);
}

static ts_status check_exports(struct mod *x) {
    ts_module *m = x->m;
    for (uint32_t i = 0; i < m->n_exports; i++) {
        const ts_export *p = &m->exports[i];
        const uint32_t spaces[] = {m->n_funcs, m->n_tables, m->n_mems, m->n_globals, m->n_tags};
        static const char *const words[] = {"function", "table", "memory", "global", "tag"};
        if (p->index >= spaces[p->kind]) return invalid(x, 0, "export", "unknown %s %u", words[p->kind], p->index);
        if (p->kind == TS_EXTERN_FUNC) m->funcs[p->index].declared = true;
        bool was = false;
        if (!ts_map_put(&m->export_map, p->name, p->name_len, i, &was)) return ts_fail_nomem(x->e);
        if (was)
            return invalid(x, 0, "export", "duplicate export name \"%.*s\"", (int)(p->name_len < 99 ? p->name_len : 99),
                           p->name);
    }
    return TS_OK;
}

static ts_status check_start(struct mod *x) {
    ts_module *m = x->m;
    if (!m->has_start) return TS_OK;
    if (m->start >= m->n_funcs) return invalid(x, 0, "start", "unknown function %u", m->start);
    const ts_deftype *d = ts_types_get(x->types, m->funcs[m->start].type);
    if (d->n_params == 0 && d->n_results == 0) return TS_OK;
    return invalid(x, 0, "start", "start function must not have parameters or results");
}

static ts_status check_sections(struct mod *x) {
    ts_module *m = x->m;
    TS_TRY(check_types(x));
    TS_TRY(check_imports(x));
    TS_TRY(check_spaces(x));
    for (uint32_t i = 0; i < m->n_elems; i++) TS_TRY(check_elem(x, &m->elems[i]));
    for (uint32_t i = 0; i < m->n_datas; i++) TS_TRY(check_data(x, &m->datas[i]));
    TS_TRY(check_exports(x));
    return check_start(x);
}

static ts_status validate(ts_module *m, unsigned threads, bool bodies_known, ts_error *e) {
    if (e && e->status != TS_OK) e = NULL; /* the first error wins */
    struct mod x = {.m = m, .types = ts_engine_types(m->engine), .e = e};
    x.v = (struct ts_validator){.m = m, .types = x.types, .e = e};
    ts_status s = check_sections(&x);
    validator_free(&x.v);
    if (s != TS_OK) return format_first(m, s, e);
    return bodies_known ? TS_OK : check_bodies(m, x.types, threads, e);
}

ts_status ts_module_validate_on(ts_module *m, unsigned threads, ts_error *e) {
    return validate(m, threads, false, e);
}
ts_status ts_module_validate(ts_module *m, ts_error *e) {
    return validate(m, 0, false, e);
}
ts_status ts_module_validate_sections(ts_module *m, ts_error *e) {
    return validate(m, 1, true, e);
}
