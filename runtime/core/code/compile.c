/* compile: from the bytes of one validated function to register IR, in one pass.
 * In: a validated module, a function, a form. Out: a ts_fcode with code.
 *
 * The operand stack of WebAssembly is followed at compile time: an entry is a constant, a local, a slot, or PENDING in an accumulator: the result
 * of an instruction whose form (accumulator only, or also a slot) is decided when it is known who uses it. Each entry has a slot of its own,
 * given by its height; control flow joins with everything in its own slot. Since the function is valid, nothing is checked here but size.
 * spec: valid/instructions (types), exec/instructions */
#include "core/code/compile.h"
#include "base/vec.h"
#include "core/module/engine.h"
#include "core/module/wasm_ops.h"
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------------- tables */
#define W_R 2
#define W_F 3
#define W_D 3
#define N2(n) 2,
#define FIVE(a, i) a, a, a, a, a, a, i, i, i, i,
const uint8_t ts_ir_words[TS_IR_COUNT] = {
#define IR_BIN(n, o, i, T, e) FIVE(2, W_##i)
#define IR_DIV(n, T, c, e) FIVE(2, 2)
#define IR_UN(n, o, i, T, e) 2, 2, 2, 2,
#define IR_UNX(n, o, i, T, e) 2, 2, 2, 2,
#define IR_TRUNC(n, o, i, T, f) 2, 2, 2, 2,
#define IR_CMP(n, neg, i, T, e) FIVE(2, W_##i) 2, 2, 2, 3, 3,
#define IR_CMPX(n, neg, i, T, e) FIVE(2, W_##i) 2, 2, 2, 3, 3,
#define L10 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
#define S12 2, 2, 2, 3, 3, 2, 3, 2, 3, 2, 2, 3,
#define IR_LOAD(n, o, T, V) L10 L10
#define IR_STORE(n, i, T) S12 S12
#define IR_STOREF(n, i, T) L10
#define IR_ADDBR(n, e) 3, 3,
#define IR_OP(n, w, s) w,
#define IR_SLOW(n, w, s) w,
#define IR_V(n, shape) 2,
#include "core/code/ir_ops.def"
#include "core/code/ir_undef.h"
};
const char *const ts_ir_names[TS_IR_COUNT] = {
#define E(n) #n,
#define IR_BIN(n, o, i, T, e) TS_IR_FORMS_BIN(E, n)
#define IR_DIV(n, T, c, e) TS_IR_FORMS_BIN(E, n)
#define IR_UN(n, o, i, T, e) TS_IR_FORMS_UN(E, n)
#define IR_UNX(n, o, i, T, e) TS_IR_FORMS_UN(E, n)
#define IR_TRUNC(n, o, i, T, f) TS_IR_FORMS_UN(E, n)
#define IR_CMP(n, neg, i, T, e) TS_IR_FORMS_BIN(E, n) TS_IR_FORMS_BR(E, n)
#define IR_CMPX(n, neg, i, T, e) TS_IR_FORMS_BIN(E, n) TS_IR_FORMS_BR(E, n)
#define IR_LOAD(n, o, T, V) TS_IR_FORMS_LOAD(E, n)
#define IR_STORE(n, i, T) TS_IR_FORMS_STORE(E, n)
#define IR_STOREF(n, i, T) TS_IR_FORMS_STOREF(E, n)
#define IR_ADDBR(n, e) E(i32_addbr_##n##_I) E(i32_addbr_##n##_S)
#define IR_OP(n, w, s) E(n)
#define IR_SLOW(n, w, s) E(n)
#define IR_V(n, shape) E(v_##n)
#include "core/code/ir_ops.def"
#include "core/code/ir_undef.h"
#undef E
};
/* first opcode of the comparison that a value form belongs to, and of its negation; 0: not a comparison (i32_add is 0 and is none) */
struct cmp_info {
    uint16_t base, neg;
};
static const struct cmp_info cmp_infos[TS_IR_COUNT] = {
#define IR_BIN(n, o, i, T, e)
#define IR_DIV(n, T, c, e)
#define IR_UN(n, o, i, T, e)
#define IR_UNX(n, o, i, T, e)
#define IR_TRUNC(n, o, i, T, f)
#define IR_CMP(n, g, i, T, e) [TS_IR_##n##_AS... TS_IR_##n##_SI_S] = {TS_IR_##n##_AS, TS_IR_##g##_AS},
#define IR_CMPX(n, g, i, T, e) [TS_IR_##n##_AS... TS_IR_##n##_SI_S] = {TS_IR_##n##_AS, TS_IR_##g##_AS},
#define IR_LOAD(n, o, T, V)
#define IR_STORE(n, i, T)
#define IR_STOREF(n, i, T)
#define IR_ADDBR(n, e)
#define IR_OP(n, w, s)
#define IR_SLOW(n, w, s)
#define IR_V(n, shape)
#include "core/code/ir_ops.def"
#include "core/code/ir_undef.h"
};
/* SIMD operations by wasm opcode */
enum {
    SH_NONE,
    SH_V1,
    SH_V2,
    SH_V3,
    SH_VSH,
    SH_VT,
    SH_SPI,
    SH_SPL,
    SH_SPF,
    SH_SPD,
    SH_EXI,
    SH_EXL,
    SH_EXF,
    SH_EXD,
    SH_RPI,
    SH_RPL,
    SH_RPF,
    SH_RPD
};
struct simd_info {
    uint16_t ir;
    uint8_t shape;
};
static const struct simd_info simd_infos[TS_OP_COUNT] = {
#define IR_V(n, shape) [TS_OP_##n] = {TS_IR_v_##n, SH_##shape},
#include "core/code/ir_simd.def"
#undef IR_V
};

/* ----------------------------------------------------------------------------------------------------------- compiler */
enum { CLS_R, CLS_F, CLS_D, CLS_V, CLS_NONE };
enum { K_SLOT, K_LOCAL, K_CONST, K_PEND };
#define NONE UINT32_MAX

typedef struct ent {
    uint8_t kind, cls;
    uint16_t pos; /* its own slot */
    uint32_t at;  /* PEND: its instruction; SLOT: the instruction whose field s0 may be redirected, or NONE */
    uint32_t local;
    uint64_t imm;
} ent;
/* A popped operand: where it can be read from. */
typedef struct opnd {
    bool acc, imm_ok; /* is in the accumulator; is a constant */
    int32_t slot;     /* or -1 */
    uint64_t imm;
    uint32_t at;
    uint16_t pos;
    uint8_t cls;
} opnd;
typedef struct patch {
    uint32_t instr, word; /* word NONE: field w1 of the instruction; else this word holds the distance */
    uint32_t next;
} patch;
typedef struct pending_catch {
    uint32_t target, tag;
    uint16_t slot;
    bool with_ref;
} pending_catch;
typedef struct ctl {
    uint16_t op;
    bool dead; /* the rest of the block is unreachable */
    bool has_else;
    uint32_t height; /* of the operand stack below the parameters */
    uint32_t n_params, n_results;
    const ts_valtype *params, *results;
    ts_valtype one; /* the type of a single result that has no function type; else 0 */
    uint32_t base;  /* slot where parameters and results begin */
    uint32_t loop_at;
    uint32_t patches; /* list in c->patches, or NONE */
    uint32_t else_patch;
    uint32_t try_from, first_catch, n_catches;
} ctl;

typedef struct comp {
    ts_module *m;
    const ts_func_def *def;
    const ts_deftype *type;
    unsigned form;
    ts_reader r;
    ts_error *err;
    bool nomem, too_big;
    TS_VEC(ts_word) code;
    TS_VEC(ent) st;
    TS_VEC(ctl) ctls;
    TS_VEC(patch) patches;
    TS_VEC(ts_handler) handlers;
    TS_VEC(pending_catch) catches;
    uint32_t n_locals;
    uint16_t *lslot;
    uint8_t *lcls;
    uint32_t *lcount; /* LOCAL entries of each local on the operand stack */
    uint32_t frame, link, first_temp, clean;
    uint32_t add_at;  /* an i32_add_SI_S whose result went to a local and behind which nothing can jump yet; or NONE */
    uint32_t last;    /* last instruction, if nothing can jump between it and here; or NONE */
    int32_t acc[3];   /* slot whose value the accumulator holds too, or -1 */
    int32_t prev_acc; /* acc[CLS_R] before the last instruction */
    uint32_t pend[3]; /* operand stack index of the pending entry, or NONE */
    TS_VEC(uint32_t) map; /* pairs word, wasm offset; only when asked for */
    bool want_map;
} comp;

static uint8_t cls_of(ts_valtype t) {
    switch (ts_vt_kind(t)) {
    case TS_VT_F32: return CLS_F;
    case TS_VT_F64: return CLS_D;
    case TS_VT_V128: return CLS_V;
    default: return CLS_R;
    }
}
static inline uint32_t cls_slots(uint8_t cls) {
    return cls == CLS_V ? 2 : 1;
}

static void need(comp *c, uint64_t slots) {
    if (slots > 65000)
        c->too_big = true;
    else if (slots > c->frame)
        c->frame = (uint32_t)slots;
}
static uint32_t top_pos(const comp *c) {
    if (c->st.len == 0) return c->first_temp;
    const ent *e = &c->st.data[c->st.len - 1];
    return e->pos + cls_slots(e->cls);
}
static ts_word *words(comp *c, uint32_t n) {
    if (!ts_vec_reserve(&c->code, (uint64_t)c->code.len + n)) {
        c->nomem = true; /* the rest of this instruction goes to what there is; then compilation ends */
        c->code.len = 0;
        if (n > c->code.cap) return NULL;
    }
    ts_word *w = c->code.data + c->code.len;
    memset(w, 0, n * sizeof *w);
    c->code.len += n;
    return w;
}
static void patch_to_slot(comp *c, uint32_t at, uint32_t slot) {
    c->code.data[at].u += 1; /* the dst S form stands behind the dst A form */
    c->code.data[at + 1].s[0] = (uint16_t)slot;
}
/* The pending entry of a class gets its slot: its accumulator is about to be overwritten, or control flow joins. */
static void flush_pend(comp *c, uint8_t cls) {
    if (c->pend[cls] == NONE) return;
    ent *e = &c->st.data[c->pend[cls]];
    patch_to_slot(c, e->at, e->pos);
    e->kind = K_SLOT;
    e->at = NONE;
    c->acc[cls] = e->pos;
    c->pend[cls] = NONE;
}
static void wrote(comp *c, uint32_t slot, uint32_t n) {
    for (int k = 0; k < 3; k++)
        if (c->acc[k] >= (int32_t)slot && c->acc[k] < (int32_t)(slot + n)) c->acc[k] = -1;
}
/* Emit an instruction that leaves its result in the accumulator of `cls` (CLS_NONE: none). */
static uint32_t emit(comp *c, uint32_t op, uint8_t cls, uint32_t s0, uint32_t s1, uint32_t s2, uint32_t s3) {
    if (cls < 3) {
        flush_pend(c, cls);
        if (cls == CLS_R) c->prev_acc = c->acc[CLS_R];
        c->acc[cls] = -1;
    }
    uint32_t at = c->code.len;
    ts_word *w = words(c, ts_ir_words[op]);
    if (!w) return 0;
    if (c->nomem) at = 0;
    w[0].u = op;
    if (ts_ir_words[op] > 1) {
        w[1].s[0] = (uint16_t)s0;
        w[1].s[1] = (uint16_t)s1;
        w[1].s[2] = (uint16_t)s2;
        w[1].s[3] = (uint16_t)s3;
    }
    c->last = at;
    return at;
}
static uint32_t emit_w(comp *c, uint32_t op, uint8_t cls, uint32_t s0, uint32_t s1, uint32_t w1) {
    uint32_t at = emit(c, op, cls, s0, s1, 0, 0);
    c->code.data[at + 1].uw[1] = w1;
    return at;
}
static ent *push(comp *c, uint8_t kind, uint8_t cls) {
    uint32_t pos = top_pos(c);
    need(c, (uint64_t)pos + cls_slots(cls));
    if (!ts_vec_push(&c->st, (ent){.kind = kind, .cls = cls, .pos = (uint16_t)pos, .at = NONE})) {
        c->nomem = true;
        return NULL;
    }
    return &c->st.data[c->st.len - 1];
}
static void push_pend(comp *c, uint8_t cls, uint32_t at) {
    ent *e = push(c, K_PEND, cls);
    if (!e) return;
    e->at = at;
    c->pend[cls] = c->st.len - 1;
}
/* The result of an instruction that wrote the slot where the entry will stand; at: its s0 may be redirected. */
static void push_slot(comp *c, uint8_t cls, uint32_t at) {
    ent *e = push(c, K_SLOT, cls);
    if (!e) return;
    e->at = at;
    wrote(c, e->pos, cls_slots(cls));
}
static uint32_t next_slot(comp *c, uint8_t cls) { /* where push_slot will put it */
    uint32_t pos = top_pos(c);
    need(c, (uint64_t)pos + cls_slots(cls));
    return pos;
}
static void copy_slot(comp *c, uint8_t cls, uint32_t to, uint32_t from) {
    if (cls < 3 && c->acc[cls] == (int32_t)from)
        emit(c, TS_IR_put_r + cls, CLS_NONE, to, 0, 0, 0);
    else
        emit(c, cls == CLS_V ? TS_IR_copy2 : TS_IR_copy, CLS_NONE, to, from, 0, 0);
    wrote(c, to, cls_slots(cls));
}
static void put_const(comp *c, uint32_t to, uint64_t imm) {
    uint32_t at = emit(c, TS_IR_const_s, CLS_NONE, to, 0, 0, 0);
    c->code.data[at + 2].u = imm;
    wrote(c, to, 1);
}
static void materialize(comp *c, uint32_t i) { /* put entry i into its own slot */
    ent *e = &c->st.data[i];
    switch (e->kind) {
    case K_PEND: flush_pend(c, e->cls); return;
    case K_LOCAL:
        copy_slot(c, e->cls, e->pos, c->lslot[e->local]);
        c->lcount[e->local]--;
        break;
    case K_CONST: put_const(c, e->pos, e->imm); break;
    default: break;
    }
    e->kind = K_SLOT;
    e->at = NONE;
}
static void materialize_top(comp *c, uint32_t n) {
    for (uint32_t i = c->st.len - n; i < c->st.len; i++) materialize(c, i);
}
static void materialize_all(comp *c) {
    for (uint32_t i = c->clean < c->st.len ? c->clean : c->st.len; i < c->st.len; i++) materialize(c, i);
    c->clean = c->st.len;
}
static void join(comp *c) { /* something can jump here: what is behind must stay */
    c->last = NONE;
    c->add_at = NONE;
}
static void forget(comp *c) { /* control flow joins here */
    join(c);
    c->acc[0] = c->acc[1] = c->acc[2] = -1;
}
static opnd pop(comp *c) {
    if (c->st.len == 0) { /* only after running out of memory */
        c->nomem = true;
        return (opnd){.slot = 0};
    }
    ent *e = &c->st.data[--c->st.len];
    if (c->clean > c->st.len) c->clean = c->st.len;
    opnd o = {.slot = -1, .at = e->at, .pos = e->pos, .cls = e->cls};
    switch (e->kind) {
    case K_PEND:
        o.acc = true;
        c->pend[e->cls] = NONE;
        break;
    case K_CONST:
        o.imm_ok = true;
        o.imm = e->imm;
        break;
    case K_LOCAL:
        c->lcount[e->local]--;
        o.slot = c->lslot[e->local];
        o.at = NONE;
        break;
    default: o.slot = e->pos; break;
    }
    if (o.slot >= 0 && o.cls < 3 && c->acc[o.cls] == o.slot) o.acc = true;
    return o;
}
static uint32_t slot_of(comp *c, opnd *o) { /* the operand in a slot */
    if (o->slot >= 0) return (uint32_t)o->slot;
    if (o->imm_ok) {
        put_const(c, o->pos, o->imm);
        o->imm_ok = false;
    } else {
        patch_to_slot(c, o->at, o->pos);
        c->acc[o->cls] = o->pos;
    }
    o->slot = o->pos;
    return o->pos;
}

/* ---------------------------------------------------------------------------------------------------- value operations */
static bool fits32(uint64_t imm) {
    return (int64_t)imm == (int64_t)(int32_t)imm;
}

/* Swap a constant left operand to the right: the operation that takes the operands the other way round, or NONE. */
static uint32_t commuted(uint32_t op) {
    switch (op) {
#define SAME(n)                                                                                                        \
    case TS_IR_##n##_AS: return op;
#define SWAP(n, m)                                                                                                     \
    case TS_IR_##n##_AS: return TS_IR_##m##_AS;
        SAME(i32_add)
        SAME(i32_mul)
        SAME(i32_and)
        SAME(i32_or)
        SAME(i32_xor)
        SAME(i64_add)
        SAME(i64_mul)
        SAME(i64_and)
        SAME(i64_or)
        SAME(i64_xor)
        SAME(i32_eq)
        SAME(i32_ne)
        SAME(i64_eq)
        SAME(i64_ne)
        /* clang-format off */
        SWAP(i32_lt_s, i32_gt_s) SWAP(i32_gt_s, i32_lt_s) SWAP(i32_le_s, i32_ge_s) SWAP(i32_ge_s, i32_le_s)
        SWAP(i32_lt_u, i32_gt_u) SWAP(i32_gt_u, i32_lt_u) SWAP(i32_le_u, i32_ge_u) SWAP(i32_ge_u, i32_le_u)
        SWAP(i64_lt_s, i64_gt_s) SWAP(i64_gt_s, i64_lt_s) SWAP(i64_le_s, i64_ge_s) SWAP(i64_ge_s, i64_le_s)
        SWAP(i64_lt_u, i64_gt_u) SWAP(i64_gt_u, i64_lt_u) SWAP(i64_le_u, i64_ge_u) SWAP(i64_ge_u, i64_le_u)
#undef SAME
#undef SWAP
    default: return NONE;
    }
    /* clang-format on */
}
static void canon_nan(comp *c, uint8_t cls) {
    if (!(c->form & TS_FORM_DETERMINISTIC) || (cls != CLS_F && cls != CLS_D)) return;
    opnd o = pop(c);
    uint32_t op = cls == CLS_F ? TS_IR_f32_canon_A : TS_IR_f64_canon_A;
    uint32_t at = o.acc ? emit(c, op, cls, 0, 0, 0, 0) : emit(c, op + 2, cls, 0, slot_of(c, &o), 0, 0);
    push_pend(c, cls, at);
}
/* base + (index << k), the shift just computed: one instruction. */
static bool shladd(comp *c, opnd *a, opnd *b) {
    opnd *sh = a->acc && a->slot < 0 ? a : b, *base = sh == a ? b : a;
    if (!sh->acc || sh->slot >= 0 || sh->at != c->last || c->last == NONE || base->slot < 0) return false;
    const ts_word *w = &c->code.data[sh->at];
    if (w->u != TS_IR_i32_shl_AI && w->u != TS_IR_i32_shl_SI) return false;
    bool from_acc = w->u == TS_IR_i32_shl_AI;
    uint32_t src = w[1].s[1], k = w[1].uw[1] & 31;
    c->code.len = sh->at;
    c->acc[CLS_R] = c->prev_acc;
    push_pend(c, CLS_R,
              emit(c, from_acc ? TS_IR_i32_shladd_A : TS_IR_i32_shladd_S, CLS_R, 0, (uint32_t)base->slot, src, k));
    return true;
}
static void bin(comp *c, uint32_t op, uint8_t out, uint8_t in, bool is64) {
    opnd b = pop(c), a = pop(c);
    if (a.imm_ok && !b.imm_ok && commuted(op) != NONE) {
        opnd t = a;
        a = b;
        b = t;
        op = commuted(op);
    }
    if (op == TS_IR_i32_add_AS && !a.imm_ok && !b.imm_ok && shladd(c, &a, &b)) return;
    if (a.imm_ok) slot_of(c, &a);
    if (b.imm_ok && is64 && !fits32(b.imm)) slot_of(c, &b);
    uint32_t at;
    if (b.imm_ok) {
        uint32_t o = a.acc ? op + 6 : op + 8;
        at = emit(c, o, out, 0, a.acc ? 0 : slot_of(c, &a), 0, 0);
        if (in == CLS_R)
            c->code.data[at + 1].w[1] = (int32_t)b.imm;
        else
            c->code.data[at + 2].u = b.imm;
    } else if (a.acc && b.slot >= 0) {
        at = emit(c, op, out, 0, 0, (uint32_t)b.slot, 0);
    } else if (b.acc && a.slot >= 0) {
        at = emit(c, op + 2, out, 0, (uint32_t)a.slot, 0, 0);
    } else {
        uint32_t sa = slot_of(c, &a), sb = slot_of(c, &b);
        at = emit(c, op + 4, out, 0, sa, sb, 0);
    }
    push_pend(c, out, at);
}
static void un(comp *c, uint32_t op, uint8_t out) {
    opnd a = pop(c);
    if (a.imm_ok) slot_of(c, &a);
    uint32_t at = a.acc ? emit(c, op, out, 0, 0, 0, 0) : emit(c, op + 2, out, 0, slot_of(c, &a), 0, 0);
    push_pend(c, out, at);
}
static void eqz(comp *c, uint32_t op) {
    const ent *e = &c->st.data[c->st.len - 1];
    if (op == TS_IR_i32_eqz_A && e->kind == K_PEND && e->at == c->last) {
        ts_word *w = &c->code.data[e->at];
        const struct cmp_info *ci = &cmp_infos[w->u];
        if (ci->base) { /* negate the comparison in place */
            w->u = w->u - ci->base + ci->neg;
            return;
        }
    }
    un(c, op, CLS_R);
}

/* --------------------------------------------------------------------------------------------------------------- memory */
static bool fast_mem(const struct ts_op *o) {
    return o->index == 0 && o->offset <= UINT32_MAX;
}
static void set_imm64(comp *c, uint32_t at, uint32_t word, uint64_t v) {
    c->code.data[at + word].u = v;
}

/* The address is a sum that was just computed and nobody else needs: take that instruction back. P: a slot and a constant; Q: the accumulator
 * and a constant. The wrap at 32 bits is kept. */
enum { ADDR_PLAIN, ADDR_P, ADDR_Q };
static int fuse_address(comp *c, const opnd *a, const struct ts_op *o, uint32_t *slot, uint32_t *imm) {
    if (o->offset != 0 || !a->acc || a->slot >= 0 || a->at != c->last || c->last == NONE) return ADDR_PLAIN;
    const ts_word *w = &c->code.data[a->at];
    if (w->u != TS_IR_i32_add_SI && w->u != TS_IR_i32_add_AI) return ADDR_PLAIN;
    int how = w->u == TS_IR_i32_add_SI ? ADDR_P : ADDR_Q;
    *slot = w[1].s[1];
    *imm = w[1].uw[1];
    c->code.len = a->at;
    c->acc[CLS_R] = c->prev_acc;
    c->last = NONE;
    return how;
}
/* A constant address whose sum with the offset fits; of a 64-bit memory the sum itself may wrap. */
static bool const_address(const opnd *a, const struct ts_op *o) {
    return a->imm_ok && a->imm <= UINT32_MAX && a->imm + o->offset <= UINT32_MAX;
}
static void load(comp *c, const struct ts_op *o, uint32_t op, uint8_t cls, ts_mem_kind kind) {
    opnd a = pop(c);
    if (!fast_mem(o)) {
        uint32_t sa = slot_of(c, &a), dst = next_slot(c, cls);
        uint32_t at = emit(c, TS_IR_load_any, CLS_NONE, dst, sa, o->index, kind);
        set_imm64(c, at, 2, o->offset);
        push_slot(c, cls, at);
        return;
    }
    if (c->form & TS_FORM_CHECKED) op += TS_LOAD_X;
    uint32_t at, slot, imm;
    if (const_address(&a, o)) {
        push_pend(c, cls, emit_w(c, op + TS_LOAD_I, cls, 0, 0, (uint32_t)(a.imm + o->offset)));
        return;
    }
    if (a.imm_ok) slot_of(c, &a);
    switch (fuse_address(c, &a, o, &slot, &imm)) {
    case ADDR_P: at = emit_w(c, op + TS_LOAD_P, cls, 0, slot, imm); break;
    case ADDR_Q: at = emit_w(c, op + TS_LOAD_Q, cls, 0, 0, imm); break;
    default:
        at = a.acc ? emit_w(c, op, cls, 0, 0, (uint32_t)o->offset)
                   : emit_w(c, op + TS_LOAD_S, cls, 0, slot_of(c, &a), (uint32_t)o->offset);
        break;
    }
    push_pend(c, cls, at);
}
static void store(comp *c, const struct ts_op *o, uint32_t op, uint32_t fop, ts_mem_kind kind) {
    opnd v = pop(c), a = pop(c);
    if (!fast_mem(o)) {
        uint32_t sa = slot_of(c, &a), sv = slot_of(c, &v);
        set_imm64(c, emit(c, TS_IR_store_any, CLS_NONE, sa, sv, o->index, kind), 2, o->offset);
        return;
    }
    bool x = (c->form & TS_FORM_CHECKED) != 0;
    bool in_place = const_address(&a, o);
    uint32_t ea = in_place ? (uint32_t)(a.imm + o->offset) : 0, off = (uint32_t)o->offset, slot = 0, imm = 0, at;
    if (a.imm_ok && !in_place) slot_of(c, &a);
    if (fop && v.acc) { /* a float from its accumulator */
        uint32_t base = fop + (x ? TS_STOREF_X : 0);
        if (in_place) {
            emit_w(c, base + TS_STOREF_I, CLS_NONE, 0, 0, ea);
            return;
        }
        switch (fuse_address(c, &a, o, &slot, &imm)) {
        case ADDR_P: emit_w(c, base + TS_STOREF_P, CLS_NONE, slot, 0, imm); return;
        case ADDR_Q: emit_w(c, base + TS_STOREF_Q, CLS_NONE, 0, 0, imm); return;
        default: break;
        }
        if (a.acc)
            emit_w(c, base, CLS_NONE, 0, 0, off);
        else
            emit_w(c, base + TS_STOREF_S, CLS_NONE, slot_of(c, &a), 0, off);
        return;
    }
    if (x) op += TS_STORE_X;
    if (in_place) {
        if (v.imm_ok) {
            at = emit_w(c, op + TS_STORE_II, CLS_NONE, 0, 0, ea);
            set_imm64(c, at, 2, v.imm);
        } else if (v.acc && v.cls == CLS_R) {
            emit_w(c, op + TS_STORE_IA, CLS_NONE, 0, 0, ea);
        } else {
            emit_w(c, op + TS_STORE_IS, CLS_NONE, 0, slot_of(c, &v), ea);
        }
        return;
    }
    if (v.imm_ok || v.slot >= 0) {
        int how = fuse_address(c, &a, o, &slot, &imm);
        if (how != ADDR_PLAIN) {
            uint32_t s0 = how == ADDR_P ? slot : 0, q = how == ADDR_P ? 0 : TS_STORE_QS - TS_STORE_PS;
            at = emit_w(c, op + q + (v.imm_ok ? TS_STORE_PI : TS_STORE_PS), CLS_NONE, s0,
                        v.imm_ok ? 0 : (uint32_t)v.slot, imm);
            if (v.imm_ok) set_imm64(c, at, 2, v.imm);
            return;
        }
    }
    if (v.imm_ok) {
        at = a.acc ? emit_w(c, op + TS_STORE_AI, CLS_NONE, 0, 0, off)
                   : emit_w(c, op + TS_STORE_SI, CLS_NONE, slot_of(c, &a), 0, off);
        set_imm64(c, at, 2, v.imm);
    } else if (a.acc && v.slot >= 0) {
        emit_w(c, op, CLS_NONE, 0, (uint32_t)v.slot, off);
    } else if (v.acc && v.cls == CLS_R && a.slot >= 0) {
        emit_w(c, op + TS_STORE_SA, CLS_NONE, (uint32_t)a.slot, 0, off);
    } else {
        uint32_t sa = slot_of(c, &a), sv = slot_of(c, &v);
        emit_w(c, op + TS_STORE_SS, CLS_NONE, sa, sv, off);
    }
}
static void vload(comp *c, const struct ts_op *o, ts_vmem_kind kind) {
    opnd a = pop(c);
    uint32_t sa = slot_of(c, &a), dst = next_slot(c, CLS_V), at;
    if (kind == TS_VMEM_128 && fast_mem(o) && !(c->form & TS_FORM_CHECKED)) {
        at = emit_w(c, TS_IR_v128_load, CLS_NONE, dst, sa, (uint32_t)o->offset);
    } else {
        at = emit(c, TS_IR_v128_load_any, CLS_NONE, dst, sa, o->index, kind);
        set_imm64(c, at, 2, o->offset);
    }
    push_slot(c, CLS_V, at);
}
static void vstore(comp *c, const struct ts_op *o) {
    opnd v = pop(c), a = pop(c);
    uint32_t sa = slot_of(c, &a), sv = slot_of(c, &v);
    if (fast_mem(o) && !(c->form & TS_FORM_CHECKED))
        emit_w(c, TS_IR_v128_store, CLS_NONE, sa, sv, (uint32_t)o->offset);
    else
        set_imm64(c, emit(c, TS_IR_v128_store_any, CLS_NONE, sa, sv, o->index, 0), 2, o->offset);
}
static void vlane(comp *c, const struct ts_op *o, unsigned log2, bool is_store) {
    opnd v = pop(c), a = pop(c);
    uint32_t sa = slot_of(c, &a), sv = slot_of(c, &v), dst = is_store ? 0 : next_slot(c, CLS_V);
    uint32_t at = emit(c, TS_IR_v128_lane_mem, CLS_NONE, sa, sv, o->index, log2 | (is_store ? TS_LANE_STORE : 0));
    set_imm64(c, at, 2, o->offset);
    c->code.data[at + 3].uw[0] = o->lane;
    c->code.data[at + 3].uw[1] = dst;
    if (!is_store) push_slot(c, CLS_V, NONE);
}

/* -------------------------------------------------------------------------------------------------------------- branches */
static void add_patch(comp *c, ctl *l, uint32_t instr, uint32_t word) {
    if (!ts_vec_push(&c->patches, (patch){instr, word, l->patches})) {
        c->nomem = true;
        return;
    }
    l->patches = c->patches.len - 1;
}
static void set_target(comp *c, uint32_t instr, uint32_t word, uint32_t to) {
    int64_t rel = (int64_t)to - (int64_t)instr;
    if (c->nomem) return;
    if (word == NONE)
        c->code.data[instr + 1].w[1] = (int32_t)rel;
    else
        c->code.data[word].i = rel;
}
static void aim(comp *c, ctl *l, uint32_t instr, uint32_t word) {
    if (l->op == TS_OP_loop)
        set_target(c, instr, word, l->loop_at);
    else
        add_patch(c, l, instr, word);
}
static void bind_here(comp *c, uint32_t list) {
    for (; list != NONE; list = c->patches.data[list].next)
        set_target(c, c->patches.data[list].instr, c->patches.data[list].word, c->code.len);
}
static ctl *label(comp *c, uint32_t depth) {
    return &c->ctls.data[c->ctls.len - 1 - depth];
}
static bool is_func_label(const comp *c, uint32_t depth) {
    return depth == c->ctls.len - 1;
}
static uint32_t arity(const ctl *l) {
    return l->op == TS_OP_loop ? l->n_params : l->n_results;
}

static uint32_t entry_slots(const comp *c, uint32_t n) {
    uint32_t s = 0;
    for (uint32_t i = c->st.len - n; i < c->st.len; i++) s += cls_slots(c->st.data[i].cls);
    return s;
}
/* Move the top n values to where a label wants them; the operand stack stays as it is (its entries may be in their slots now). */
static void move_to_label(comp *c, const ctl *l, uint32_t n, bool last_use) {
    if (n == 0) return;
    uint32_t first = c->st.data[c->st.len - n].pos;
    if (n == 1 && first != l->base) {
        ent *e = &c->st.data[c->st.len - 1];
        switch (e->kind) {
        case K_PEND:
            if (last_use && e->at == c->last) {
                patch_to_slot(c, e->at, l->base);
                c->pend[e->cls] = NONE;
                e->kind = K_SLOT; /* dead from here on */
            } else {
                emit(c, TS_IR_put_r + e->cls, CLS_NONE, l->base, 0, 0, 0);
            }
            break;
        case K_LOCAL: copy_slot(c, e->cls, l->base, c->lslot[e->local]); break;
        case K_CONST: put_const(c, l->base, e->imm); break;
        default: copy_slot(c, e->cls, l->base, e->pos); break;
        }
        return;
    }
    materialize_top(c, n);
    if (first != l->base) emit(c, TS_IR_copyn, CLS_NONE, l->base, first, entry_slots(c, n), 0);
}
static bool in_place(const comp *c, const ctl *l, uint32_t n) {
    return n == 0 || c->st.data[c->st.len - n].pos == l->base;
}
static void emit_return(comp *c) {
    uint32_t n = c->type->n_results;
    if (n == 0) {
        emit(c, TS_IR_ret, CLS_NONE, 0, 0, 0, c->link);
        return;
    }
    ent *e = &c->st.data[c->st.len - 1];
    if (n == 1 && e->cls != CLS_V) {
        int32_t slot = e->kind == K_LOCAL ? c->lslot[e->local] : e->pos;
        if (e->kind == K_CONST) put_const(c, e->pos, e->imm);
        if (e->kind == K_PEND || (e->kind != K_CONST && c->acc[e->cls] == slot))
            emit(c, TS_IR_ret_r + e->cls, CLS_NONE, 0, 0, 0, c->link);
        else
            emit(c, TS_IR_ret_s_r + e->cls, CLS_NONE, (uint32_t)slot, 0, 0, c->link);
        return;
    }
    materialize_top(c, n);
    emit(c, TS_IR_ret_n, CLS_NONE, c->st.data[c->st.len - n].pos, entry_slots(c, n), 0, c->link);
}
/* The addition at c->add_at becomes part of the branch behind it. */
static uint32_t addbr_emit(comp *c, uint32_t op, uint32_t rhs) {
    ts_word w = c->code.data[c->add_at + 1];
    c->code.len = c->add_at;
    c->add_at = NONE;
    uint32_t at = emit(c, op, CLS_NONE, w.s[0], w.s[1], 0, 0);
    c->code.data[at + 2].uw[0] = w.uw[1];
    c->code.data[at + 2].uw[1] = rhs;
    c->acc[CLS_R] = w.s[0];
    return at;
}
/* A comparison of the accumulator, just taken back, stood right behind such an addition. */
static uint32_t addbr(comp *c, uint32_t cmp, uint32_t form, uint32_t slot, uint64_t imm) {
    if (c->add_at == NONE || c->add_at + 2 != c->code.len || (form != 0 && form != 3)) return NONE;
    uint32_t op;
    switch (cmp) {
#define IR_CASE(n)                                                                                                     \
    case TS_IR_i32_##n##_AS: op = TS_IR_i32_addbr_##n##_I; break;
        IR_CASE(eq)
        IR_CASE(ne)
        IR_CASE(lt_s)
        IR_CASE(lt_u)
        IR_CASE(gt_s)
        IR_CASE(gt_u)
        IR_CASE(le_s)
        IR_CASE(le_u)
        IR_CASE(ge_s)
        IR_CASE(ge_u)
#undef IR_CASE
    default: return NONE;
    }
    /* an operand in the slot that the addition writes would be read after the write: so it was before */
    return addbr_emit(c, form == 3 ? op : op + 1, form == 3 ? (uint32_t)imm : slot);
}
/* A conditional branch over the operand; returns the instruction whose w1 is the target. */
static uint32_t cond_branch(comp *c, opnd *o, bool negate) {
    if (o->acc && o->slot < 0 && o->at == c->last && c->last != NONE) {
        ts_word *w = &c->code.data[o->at];
        uint32_t op = (uint32_t)w->u;
        const struct cmp_info *ci = &cmp_infos[op];
        uint32_t base = ci->base, neg = ci->neg;
        if (op >= TS_IR_i32_and_AS && op <= TS_IR_i32_and_SI_S) { /* a & b != 0 */
            base = TS_IR_i32_tst_AS;
            neg = TS_IR_i32_ntst_AS;
            op = op - TS_IR_i32_and_AS + base;
        }
        if (base) {
            uint32_t form = (op - base) / 2;
            uint32_t s1 = w[1].s[1], s2 = w[1].s[2];
            uint64_t imm = 0;
            uint32_t nw = ts_ir_words[w->u];
            if (form >= 3) imm = nw == 3 ? w[2].u : (uint64_t)(int64_t)w[1].w[1];
            c->code.len = o->at;
            c->acc[CLS_R] = c->prev_acc;
            uint32_t fused = addbr(c, negate ? neg : base, form, s2, imm);
            if (fused != NONE) return fused;
            uint32_t bop = (negate ? neg : base) + 10 + form;
            uint32_t a = form == 0 || form == 3 ? 0 : s1, b = form == 0 || form == 2 ? s2 : 0;
            uint32_t at = emit(c, bop, CLS_NONE, a, b, 0, 0);
            if (form >= 3) set_imm64(c, at, 2, imm);
            return at;
        }
        bool z32 = op == TS_IR_i32_eqz_A || op == TS_IR_i32_eqz_S, z64 = op == TS_IR_i64_eqz_A || op == TS_IR_i64_eqz_S;
        if (z32 || z64) {
            bool from_acc = op == TS_IR_i32_eqz_A || op == TS_IR_i64_eqz_A;
            uint32_t s = w[1].s[1];
            c->code.len = o->at;
            c->acc[CLS_R] = c->prev_acc;
            if (z32)
                return emit(
                    c, negate ? (from_acc ? TS_IR_br_nz_A : TS_IR_br_nz_S) : (from_acc ? TS_IR_br_z_A : TS_IR_br_z_S),
                    CLS_NONE, s, 0, 0, 0);
            uint32_t b = (negate ? TS_IR_i64_ne_AS : TS_IR_i64_eq_AS) + 10;
            return emit(c, from_acc ? b + 3 : b + 4, CLS_NONE, s, 0, 0, 0);
        }
    }
    if (o->acc && !negate && c->add_at != NONE && c->add_at + 2 == c->code.len &&
        c->code.data[c->add_at + 1].s[0] == (uint32_t)o->slot && o->slot >= 0)
        return addbr_emit(c, TS_IR_i32_addbr_nz, 0);
    if (o->acc) return emit(c, negate ? TS_IR_br_z_A : TS_IR_br_nz_A, CLS_NONE, 0, 0, 0, 0);
    return emit(c, negate ? TS_IR_br_z_S : TS_IR_br_nz_S, CLS_NONE, slot_of(c, o), 0, 0, 0);
}
static void go(comp *c, uint32_t depth) { /* an unconditional branch, values on top */
    if (is_func_label(c, depth)) {
        emit_return(c);
        return;
    }
    ctl *l = label(c, depth);
    move_to_label(c, l, arity(l), true);
    aim(c, l, emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0), NONE);
}
/* Branch on a condition that `test` emits: it returns the instruction to aim. */
static void go_if(comp *c, uint32_t depth, opnd *cond, bool negate) {
    ctl *l = label(c, depth);
    uint32_t n = arity(l);
    bool func = is_func_label(c, depth);
    if (!func && in_place(c, l, n)) {
        materialize_top(c, n);
        aim(c, l, cond_branch(c, cond, negate), NONE);
        return;
    }
    if (n > 1 || (n == 1 && c->st.data[c->st.len - 1].cls == CLS_V)) materialize_top(c, n);
    uint32_t skip = cond_branch(c, cond, !negate);
    int32_t acc[3] = {c->acc[0], c->acc[1], c->acc[2]};
    if (func) {
        emit_return(c);
    } else {
        join(c);
        move_to_label(c, l, n, false);
        aim(c, l, emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0), NONE);
    }
    set_target(c, skip, NONE, c->code.len);
    join(c);
    memcpy(c->acc, acc, sizeof acc);
}
static void dead(comp *c) {
    ctl *l = &c->ctls.data[c->ctls.len - 1];
    l->dead = true;
}
static void br_table(comp *c, const struct ts_op *o) {
    opnd idx = pop(c);
    if (idx.imm_ok) slot_of(c, &idx);
    uint32_t n = o->n, ar = arity(label(c, o->index));
    materialize_top(c, ar);
    for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
    uint32_t at = idx.acc ? emit_w(c, TS_IR_br_table_A, CLS_NONE, 0, 0, n)
                          : emit_w(c, TS_IR_br_table, CLS_NONE, slot_of(c, &idx), 0, n);
    if (!words(c, n + 1) || c->nomem) return;
    ts_reader r = c->r;
    r.at = o->vec;
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t depth = o->index;
        if (i < n && ts_read_u32(&r, &depth) != TS_OK) return;
        uint32_t word = at + 2 + i;
        if (!is_func_label(c, depth) && in_place(c, label(c, depth), ar)) {
            aim(c, label(c, depth), at, word);
            continue;
        }
        set_target(c, at, word, c->code.len); /* through moves of its own */
        join(c);
        for (int k = 0; k < 3; k++) c->acc[k] = -1;
        if (is_func_label(c, depth)) {
            emit_return(c);
        } else {
            ctl *l = label(c, depth);
            move_to_label(c, l, ar, false);
            aim(c, l, emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0), NONE);
        }
        if (c->nomem) return;
    }
}

/* --------------------------------------------------------------------------------------------------------------- blocks */
static void block_type(comp *c, const ts_blocktype *b, ctl *l) {
    if (b->kind == TS_BLOCK_VALUE) {
        l->one = b->value;
        l->n_results = 1;
    } else if (b->kind == TS_BLOCK_TYPE) {
        const ts_deftype *t = ts_types_get(ts_engine_types(c->m->engine), c->m->types[b->type]);
        l->n_params = t->n_params;
        l->n_results = t->n_results;
        l->params = t->params;
        l->results = t->results;
    }
}
static ctl *open_block(comp *c, uint16_t op, const ts_blocktype *b) {
    ctl l = {.op = op, .patches = NONE, .else_patch = NONE};
    block_type(c, b, &l);
    if (!ts_vec_push(&c->ctls, l)) {
        c->nomem = true;
        return NULL;
    }
    ctl *p = &c->ctls.data[c->ctls.len - 1];
    materialize_all(c);
    p->height = c->st.len - p->n_params;
    p->base = p->n_params ? c->st.data[p->height].pos : top_pos(c);
    uint64_t room = p->base;
    for (uint32_t i = 0; i < p->n_results; i++) room += 2;
    need(c, room + 1);
    return p;
}
static ts_valtype result_type(const ctl *l, uint32_t i) {
    return l->one ? l->one : l->results[i];
}
static void set_height(comp *c, uint32_t h) { /* drop what is above; nothing there is pending any more */
    while (c->st.len > h) (void)pop(c);
}
static void close_block(comp *c) {
    ctl l = c->ctls.data[c->ctls.len - 1];
    bool live = !l.dead;
    if (live) materialize_top(c, l.n_results);
    if (live)
        for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
    if (l.op == TS_OP_try_table)
        for (uint32_t i = 0; i < l.n_catches; i++) {
            const pending_catch *p = &c->catches.data[l.first_catch + i];
            if (!ts_vec_push(&c->handlers, (ts_handler){.from = l.try_from,
                                                        .to = c->code.len,
                                                        .target = p->target,
                                                        .tag = p->tag,
                                                        .slot = p->slot,
                                                        .with_ref = p->with_ref}))
                c->nomem = true;
        }
    set_height(c, l.height);
    if (l.else_patch != NONE)
        set_target(c, l.else_patch, NONE, c->code.len); /* if without else: parameters are the results */
    bool joined = l.patches != NONE || l.else_patch != NONE;
    bind_here(c, l.patches);
    c->ctls.len--;
    if (joined || !live) forget(c);
    for (uint32_t i = 0; i < l.n_results; i++) {
        ent *e = push(c, K_SLOT, cls_of(result_type(&l, i)));
        if (!e) return;
    }
    if (c->clean > l.height) c->clean = l.height;
    c->clean = c->st.len;
}
static void reset_params(comp *c, const ctl *l) {
    set_height(c, l->height);
    for (uint32_t i = 0; i < l->n_params; i++)
        if (!push(c, K_SLOT, cls_of(l->params[i]))) return;
    c->clean = c->st.len;
}
static void do_else(comp *c) {
    ctl *l = &c->ctls.data[c->ctls.len - 1];
    if (!l->dead) {
        materialize_top(c, l->n_results);
        for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
        uint32_t at = emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0);
        add_patch(c, l, at, NONE);
    }
    if (l->else_patch != NONE) set_target(c, l->else_patch, NONE, c->code.len);
    l->else_patch = NONE;
    l->dead = false;
    l->has_else = true;
    reset_params(c, l);
    forget(c);
}
static void try_table(comp *c, const struct ts_op *o) {
    ts_reader r = c->r;
    r.at = o->vec;
    uint32_t first = c->catches.len, over = NONE;
    ctl probe = {0};
    block_type(c, &o->block, &probe);
    materialize_all(c);
    if (o->n) over = emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0);
    for (uint32_t i = 0; i < o->n; i++) {
        ts_catch k;
        if (ts_read_catch(&r, &k) != TS_OK) return;
        bool all = k.kind >= 2;
        bool func = is_func_label(c, k.label);
        ctl *l = label(c, k.label);
        uint32_t slot = func ? top_pos(c) : l->base;
        need(c, (uint64_t)slot + 2 * (arity(l) + 1));
        if (!ts_vec_push(&c->catches, (pending_catch){.target = c->code.len,
                                                      .tag = all ? NONE : k.tag,
                                                      .slot = (uint16_t)slot,
                                                      .with_ref = (k.kind & 1) != 0})) {
            c->nomem = true;
            return;
        }
        if (func) {
            if (c->type->n_results == 0)
                emit(c, TS_IR_ret, CLS_NONE, 0, 0, 0, c->link);
            else
                emit(c, TS_IR_ret_n, CLS_NONE, slot, c->type->result_slots, 0, c->link);
        } else {
            aim(c, l, emit(c, TS_IR_br, CLS_NONE, 0, 0, 0, 0), NONE);
        }
    }
    if (over != NONE) set_target(c, over, NONE, c->code.len);
    join(c);
    ctl *p = open_block(c, TS_OP_try_table, &o->block);
    if (!p) return;
    p->try_from = c->code.len;
    p->first_catch = first;
    p->n_catches = o->n;
}

/* ---------------------------------------------------------------------------------------------------------------- calls */
uint32_t ts_frame_link(const ts_deftype *t) {
    return t->param_slots > t->result_slots ? t->param_slots : t->result_slots;
}

/* Arguments into their slots; the operand stack without them. Returns the slot of the first. */
static uint32_t args(comp *c, const ts_deftype *t) {
    materialize_top(c, t->n_params);
    for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
    set_height(c, c->st.len - t->n_params);
    uint32_t base = top_pos(c);
    need(c, (uint64_t)base + ts_frame_link(t) + 2);
    return base;
}
static void results(comp *c, const ts_deftype *t) {
    for (int k = 0; k < 3; k++) c->acc[k] = -1;
    c->last = NONE;
    for (uint32_t i = 0; i < t->n_results; i++)
        if (!push(c, K_SLOT, cls_of(t->results[i]))) return;
    if (t->n_results == 1) {
        const ent *e = &c->st.data[c->st.len - 1];
        if (e->cls < 3) c->acc[e->cls] = e->pos;
    }
}
static const ts_deftype *deftype(comp *c, uint32_t canon) {
    return ts_types_get(ts_engine_types(c->m->engine), canon);
}

static void call(comp *c, uint32_t f) {
    const ts_deftype *t = deftype(c, c->m->funcs[f].type);
    uint32_t base = args(c, t);
    if (c->m->funcs[f].imported) {
        emit_w(c, TS_IR_call_import, CLS_NONE, base, 0, f);
    } else {
        uint32_t at = emit(c, TS_IR_call, CLS_NONE, base, base + ts_frame_link(t), 0, 0);
        c->code.data[at + 2].u = f;
    }
    results(c, t);
}
static void call_indirect(comp *c, uint32_t type, uint32_t table) {
    const ts_deftype *t = deftype(c, c->m->types[type]);
    opnd i = pop(c);
    uint32_t si = slot_of(c, &i);
    /* the index may stand in a local, which stays as it is, or in the slot above the arguments, which the frame's link may overwrite only after it is read */
    uint32_t base = args(c, t);
    uint32_t at = emit(c, TS_IR_call_indirect, CLS_NONE, base, base + ts_frame_link(t), 0, si);
    c->code.data[at + 2].uw[0] = t->id;
    c->code.data[at + 2].uw[1] = table;
    results(c, t);
}
static void call_ref(comp *c, uint32_t type) {
    const ts_deftype *t = deftype(c, c->m->types[type]);
    opnd i = pop(c);
    uint32_t si = slot_of(c, &i);
    uint32_t base = args(c, t);
    emit(c, TS_IR_call_ref, CLS_NONE, base, base + ts_frame_link(t), si, 0);
    results(c, t);
}
static void return_call(comp *c, uint32_t f) {
    const ts_deftype *t = deftype(c, c->m->funcs[f].type);
    uint32_t base = args(c, t);
    need(c, (uint64_t)ts_frame_link(t) + 2);
    bool imp = c->m->funcs[f].imported;
    uint32_t at = emit(c, imp ? TS_IR_return_call_import : TS_IR_return_call, CLS_NONE, base, ts_frame_link(t),
                       t->param_slots, c->link);
    c->code.data[at + 2].u = f;
}
static void return_call_indirect(comp *c, uint32_t type, uint32_t table) {
    const ts_deftype *t = deftype(c, c->m->types[type]);
    opnd i = pop(c);
    uint32_t si = slot_of(c, &i), base = args(c, t);
    need(c, (uint64_t)ts_frame_link(t) + 2);
    uint32_t at = emit(c, TS_IR_return_call_indirect, CLS_NONE, base, ts_frame_link(t), t->param_slots, c->link);
    c->code.data[at + 2].uw[0] = t->id;
    c->code.data[at + 2].uw[1] = table;
    c->code.data[at + 3].s[0] = (uint16_t)si;
}
static void return_call_ref(comp *c, uint32_t type) {
    const ts_deftype *t = deftype(c, c->m->types[type]);
    opnd i = pop(c);
    uint32_t si = slot_of(c, &i), base = args(c, t);
    need(c, (uint64_t)ts_frame_link(t) + 2);
    uint32_t at = emit(c, TS_IR_return_call_ref, CLS_NONE, base, ts_frame_link(t), t->param_slots, c->link);
    c->code.data[at + 2].s[0] = (uint16_t)si;
}

/* ------------------------------------------------------------------------------------------------------------ variables */
static void spare_local(comp *c, uint32_t x) { /* copy out what still refers to the local's old value */
    for (uint32_t i = c->st.len; c->lcount[x] && i-- > 0;)
        if (c->st.data[i].kind == K_LOCAL && c->st.data[i].local == x) materialize(c, i);
}
static void local_set(comp *c, uint32_t x, bool tee) {
    uint32_t dst = c->lslot[x];
    uint8_t cls = c->lcls[x];
    ent *e = &c->st.data[c->st.len - 1];
    if (e->kind == K_LOCAL && e->local == x) {
        if (!tee) (void)pop(c);
        return;
    }
    if (c->lcount[x]) spare_local(c, x);
    e = &c->st.data[c->st.len - 1];
    uint32_t n = cls_slots(cls);
    bool now_local = true; /* after tee the value is best read from the local */
    switch (e->kind) {
    case K_PEND:
        if (e->at == c->last && c->last != NONE) {
            patch_to_slot(c, e->at, dst);
            c->pend[cls] = NONE;
            e->kind = K_SLOT;
        } else {
            emit(c, TS_IR_put_r + cls, CLS_NONE, dst, 0, 0, 0);
            if (tee) {
                wrote(c, dst, n); /* it stays pending; both hold it */
                now_local = false;
            } else {
                c->pend[cls] = NONE;
                e->kind = K_SLOT;
            }
        }
        wrote(c, dst, n);
        if (now_local) c->acc[cls] = (int32_t)dst;
        break;
    case K_CONST:
        put_const(c, dst, e->imm);
        now_local = false;
        break;
    case K_LOCAL:
        copy_slot(c, cls, dst, c->lslot[e->local]);
        now_local = false;
        break;
    default:
        if (e->at != NONE && e->at == c->last && c->last != NONE) {
            c->code.data[e->at + 1].s[0] = (uint16_t)dst;
            wrote(c, dst, n);
        } else {
            bool in_acc = cls < 3 && c->acc[cls] == e->pos;
            copy_slot(c, cls, dst, e->pos);
            if (in_acc && !tee) c->acc[cls] = (int32_t)dst;
            now_local = false;
        }
        break;
    }
    c->add_at =
        c->last != NONE && c->last + 2 == c->code.len && c->code.data[c->last].u == TS_IR_i32_add_SI_S ? c->last : NONE;
    if (!tee) {
        (void)pop(c);
    } else if (now_local) {
        e->kind = K_LOCAL;
        e->local = x;
        e->at = NONE;
        c->lcount[x]++;
        if (c->clean > c->st.len - 1) c->clean = c->st.len - 1;
    }
    c->last = NONE; /* its destination is taken: it must not be redirected again */
}
static void select_(comp *c) {
    opnd k = pop(c), b = pop(c), a = pop(c);
    uint8_t cls = a.cls;
    if (k.imm_ok) slot_of(c, &k);
    uint32_t sa = slot_of(c, &a), sb = slot_of(c, &b);
    uint32_t at;
    if (cls == CLS_V) {
        at = emit(c, TS_IR_select_v, CLS_NONE, next_slot(c, CLS_V), sa, sb, slot_of(c, &k));
        push_slot(c, CLS_V, at);
        return;
    }
    uint32_t op = cls == CLS_R ? TS_IR_select_r_A : cls == CLS_F ? TS_IR_select_f_A : TS_IR_select_d_A;
    if (k.acc)
        at = emit(c, op, cls, 0, sa, sb, 0);
    else
        at = emit(c, op + 2, cls, 0, sa, sb, slot_of(c, &k));
    push_pend(c, cls, at);
}
static void global_get(comp *c, uint32_t g) {
    uint8_t cls = cls_of(c->m->globals[g].type.type);
    if (cls == CLS_V) {
        uint32_t at = emit_w(c, TS_IR_global_get_v, CLS_NONE, next_slot(c, cls), 0, g);
        push_slot(c, cls, at);
        return;
    }
    uint32_t op = cls == CLS_R ? TS_IR_global_get_r_A : cls == CLS_F ? TS_IR_global_get_f_A : TS_IR_global_get_d_A;
    push_pend(c, cls, emit_w(c, op, cls, 0, 0, g));
}
static void global_set(comp *c, uint32_t g) {
    opnd v = pop(c);
    if (v.cls == CLS_V)
        emit_w(c, TS_IR_global_set_v, CLS_NONE, slot_of(c, &v), 0, g);
    else if (v.cls == CLS_R && v.acc)
        emit_w(c, TS_IR_global_set_r, CLS_NONE, 0, 0, g);
    else
        emit_w(c, TS_IR_global_set_s, CLS_NONE, slot_of(c, &v), 0, g);
}

/* -------------------------------------------------------------------------------- operations that are functions, by operands */
static uint32_t pop_slot(comp *c) {
    opnd o = pop(c);
    return slot_of(c, &o);
}
/* n operands to s1… (in order), one result to s0 */
static uint32_t slow(comp *c, uint32_t op, uint32_t n, uint8_t out) {
    uint32_t s[4] = {0, 0, 0, 0};
    for (uint32_t i = n; i-- > 0;) s[i] = pop_slot(c);
    if (out == CLS_NONE) return emit(c, op, CLS_NONE, s[0], s[1], s[2], s[3]);
    uint32_t dst = next_slot(c, out);
    uint32_t at = emit(c, op, CLS_NONE, dst, s[0], s[1], s[2]);
    push_slot(c, out, at);
    return at;
}
static void pair(comp *c, uint32_t at, uint32_t word, uint32_t lo, uint32_t hi) {
    c->code.data[at + word].uw[0] = lo;
    c->code.data[at + word].uw[1] = hi;
}
/* n operands in consecutive slots of their own; returns the first. */
static uint32_t operands(comp *c, uint32_t n) {
    materialize_top(c, n);
    uint32_t first = n ? c->st.data[c->st.len - n].pos : top_pos(c);
    set_height(c, c->st.len - n);
    return first;
}
static void gc_new(comp *c, uint32_t op, uint32_t n, uint32_t lo, uint32_t hi, bool by_slots) {
    for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
    uint32_t top = top_pos(c), first;
    uint32_t s1 = 0;
    if (by_slots) {
        first = operands(c, n);
        if (n == 2) s1 = first + cls_slots(c->st.data[c->st.len].cls); /* the second operand: behind the first */
    } else {
        first = operands(c, n);
        s1 = first;
    }
    need(c, (uint64_t)top + 2);
    uint32_t at = emit(c, op, CLS_NONE, first, s1, top + 1, 0);
    pair(c, at, 2, lo, hi);
    push_slot(c, CLS_R, NONE);
}
static void wide(comp *c, uint32_t op, uint32_t n) { /* n operands, two results in the same slots */
    emit(c, op, CLS_NONE, operands(c, n), 0, 0, 0);
    push_slot(c, CLS_R, NONE);
    push_slot(c, CLS_R, NONE);
}
static uint8_t field_cls(const ts_field *f) {
    return cls_of(f->type);
}

static void ref_test(comp *c, uint32_t heap, bool nullable) {
    uint32_t at = slow(c, TS_IR_ref_test, 1, CLS_R);
    c->code.data[at + 2].u = (uint64_t)ts_canon_heap(c->m, heap) | (uint64_t)nullable << 63;
}
static void br_on_cast(comp *c, const struct ts_op *o, bool on_fail) {
    materialize(c, c->st.len - 1);
    uint32_t slot = c->st.data[c->st.len - 1].pos;
    uint32_t tmp = top_pos(c);
    need(c, (uint64_t)tmp + 1);
    uint32_t at = emit(c, TS_IR_ref_test, CLS_NONE, tmp, slot, 0, 0);
    ts_valtype to = ts_canon_valtype(c->m, o->cast.to);
    c->code.data[at + 2].u = (uint64_t)ts_vt_heap(to) | (uint64_t)(ts_vt_kind(to) == TS_VT_REFNULL) << 63;
    wrote(c, tmp, 1);
    opnd k = {.slot = (int32_t)tmp, .pos = (uint16_t)tmp, .at = NONE, .cls = CLS_R};
    go_if(c, o->index, &k, on_fail);
}
/* The top reference against null, by comparing 64 bits; leaves an operand that is pending in R. */
static opnd null_test(comp *c, bool non_null) {
    materialize(c, c->st.len - 1);
    uint32_t slot = c->st.data[c->st.len - 1].pos;
    uint32_t at = emit(c, (non_null ? TS_IR_i64_ne_AS : TS_IR_i64_eq_AS) + 8, CLS_R, 0, slot, 0, 0);
    return (opnd){.acc = true, .slot = -1, .at = at, .pos = (uint16_t)top_pos(c), .cls = CLS_R};
}

/* Which lanes of its result are computed floats, so that their NaN bits are the engine's choice: 4, 8 or 0 bytes. */
static unsigned float_lanes(uint32_t op) {
    switch (op) {
#define OPS(t)                                                                                                         \
    case TS_OP_##t##_ceil:                                                                                             \
    case TS_OP_##t##_floor:                                                                                            \
    case TS_OP_##t##_trunc:                                                                                            \
    case TS_OP_##t##_nearest:                                                                                          \
    case TS_OP_##t##_sqrt:                                                                                             \
    case TS_OP_##t##_add:                                                                                              \
    case TS_OP_##t##_sub:                                                                                              \
    case TS_OP_##t##_mul:                                                                                              \
    case TS_OP_##t##_div:                                                                                              \
    case TS_OP_##t##_min:                                                                                              \
    case TS_OP_##t##_max:                                                                                              \
    case TS_OP_##t##_relaxed_madd:                                                                                     \
    case TS_OP_##t##_relaxed_nmadd:                                                                                    \
    case TS_OP_##t##_relaxed_min:                                                                                      \
    case TS_OP_##t##_relaxed_max:
    OPS(f32x4) case TS_OP_f32x4_demote_f64x2_zero:
        return 4;
    OPS(f64x2) case TS_OP_f64x2_promote_low_f32x4:
        return 8;
#undef OPS
        default : return 0;
    }
}
static void simd_op(comp *c, const struct ts_op *o) {
    const struct simd_info *si = &simd_infos[o->op];
    uint32_t at;
    switch (si->shape) {
    case SH_V1: slow(c, si->ir, 1, CLS_V); return;
    case SH_V2: slow(c, si->ir, 2, CLS_V); return;
    case SH_V3: slow(c, si->ir, 3, CLS_V); return;
    case SH_VSH: slow(c, si->ir, 2, CLS_V); return;
    case SH_VT: slow(c, si->ir, 1, CLS_R); return;
    case SH_SPI:
    case SH_SPL:
    case SH_SPF:
    case SH_SPD: slow(c, si->ir, 1, CLS_V); return;
    case SH_EXI:
    case SH_EXL: at = slow(c, si->ir, 1, CLS_R); break;
    case SH_EXF: at = slow(c, si->ir, 1, CLS_F); break;
    case SH_EXD: at = slow(c, si->ir, 1, CLS_D); break;
    default: at = slow(c, si->ir, 2, CLS_V); break;
    }
    c->code.data[at + 1].s[3] = o->lane;
}
static void simd(comp *c, const struct ts_op *o) {
    simd_op(c, o);
    unsigned n = c->form & TS_FORM_DETERMINISTIC ? float_lanes(o->op) : 0;
    if (n) slow(c, n == 4 ? TS_IR_f32x4_canon : TS_IR_f64x2_canon, 1, CLS_V);
}

/* ----------------------------------------------------------------------------------------------------- one instruction */
static void instr(comp *c, const struct ts_op *o) {
    switch (o->op) {
    case TS_OP_unreachable:
        emit(c, TS_IR_unreachable, CLS_NONE, 0, 0, 0, 0);
        dead(c);
        return;
    case TS_OP_nop: return;
    case TS_OP_block: open_block(c, o->op, &o->block); return;
    case TS_OP_loop: {
        ctl *l = open_block(c, o->op, &o->block);
        for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
        forget(c);
        if (l) l->loop_at = c->code.len;
        if (c->form & TS_FORM_METERED) emit(c, TS_IR_fuel, CLS_NONE, 0, 0, 0, 0);
        join(c);
        return;
    }
    case TS_OP_if_: {
        opnd k = pop(c);
        if (k.acc && k.slot < 0) {
            /* the rest into its slots first would clobber nothing, but come between comparison and branch: entries are moved only if they must */
            bool clean = true;
            for (uint32_t i = c->clean < c->st.len ? c->clean : c->st.len; i < c->st.len; i++)
                if (c->st.data[i].kind == K_LOCAL || c->st.data[i].kind == K_CONST) clean = false;
            if (!clean) materialize_all(c);
        } else {
            materialize_all(c);
        }
        uint32_t at = cond_branch(c, &k, true);
        uint32_t acc_r = (uint32_t)c->acc[CLS_R];
        ctl *l = open_block(c, o->op, &o->block);
        c->acc[CLS_R] = (int32_t)acc_r;
        if (l) l->else_patch = at;
        join(c);
        return;
    }
    case TS_OP_else_: do_else(c); return;
    case TS_OP_end:
        if (c->ctls.len == 1) {
            if (!c->ctls.data[0].dead || c->ctls.data[0].patches != NONE) {
                if (c->ctls.data[0].dead) return;
                emit_return(c);
            }
            return;
        }
        close_block(c);
        return;
    case TS_OP_br:
        go(c, o->index);
        dead(c);
        return;
    case TS_OP_br_if: {
        opnd k = pop(c);
        go_if(c, o->index, &k, false);
        return;
    }
    case TS_OP_br_table:
        br_table(c, o);
        dead(c);
        return;
    case TS_OP_return_:
        emit_return(c);
        dead(c);
        return;
    case TS_OP_call: call(c, o->index); return;
    case TS_OP_call_indirect: call_indirect(c, o->index, o->index2); return;
    case TS_OP_call_ref: call_ref(c, o->index); return;
    case TS_OP_return_call:
        return_call(c, o->index);
        dead(c);
        return;
    case TS_OP_return_call_indirect:
        return_call_indirect(c, o->index, o->index2);
        dead(c);
        return;
    case TS_OP_return_call_ref:
        return_call_ref(c, o->index);
        dead(c);
        return;
    case TS_OP_throw: {
        const ts_deftype *t = deftype(c, c->m->tags[o->index]);
        for (int k = 0; k < 3; k++) flush_pend(c, (uint8_t)k);
        uint32_t top = top_pos(c);
        uint32_t first = operands(c, t->n_params);
        emit_w(c, TS_IR_throw_, CLS_NONE, first, top, o->index);
        dead(c);
        return;
    }
    case TS_OP_throw_ref:
        emit(c, TS_IR_throw_ref, CLS_NONE, pop_slot(c), 0, 0, 0);
        dead(c);
        return;
    case TS_OP_try_table: try_table(c, o); return;
    case TS_OP_drop: (void)pop(c); return;
    case TS_OP_select:
    case TS_OP_select_t: select_(c); return;
    case TS_OP_local_get: {
        ent *e = push(c, K_LOCAL, c->lcls[o->index]);
        if (e) e->local = o->index, c->lcount[o->index]++;
        return;
    }
    case TS_OP_local_set: local_set(c, o->index, false); return;
    case TS_OP_local_tee: local_set(c, o->index, true); return;
    case TS_OP_global_get: global_get(c, o->index); return;
    case TS_OP_global_set: global_set(c, o->index); return;
    case TS_OP_i32_const: {
        ent *e = push(c, K_CONST, CLS_R);
        if (e) e->imm = (uint32_t)o->i32;
        return;
    }
    case TS_OP_i64_const: {
        ent *e = push(c, K_CONST, CLS_R);
        if (e) e->imm = (uint64_t)o->i64;
        return;
    }
    case TS_OP_f32_const: {
        ent *e = push(c, K_CONST, CLS_F);
        if (e) e->imm = o->f32;
        return;
    }
    case TS_OP_f64_const: {
        ent *e = push(c, K_CONST, CLS_D);
        if (e) e->imm = o->f64;
        return;
    }
    /* numeric */
#define IR_BIN(n, out, in, T, e)                                                                                       \
    case TS_OP_##n:                                                                                                    \
        bin(c, TS_IR_##n##_AS, CLS_##out, CLS_##in, sizeof(T) == 8 && CLS_##in == CLS_R);                              \
        if (TS_OP_##n != TS_OP_f32_copysign && TS_OP_##n != TS_OP_f64_copysign) canon_nan(c, CLS_##out);               \
        return;
#define IR_DIV(n, T, k, e)                                                                                             \
    case TS_OP_##n: bin(c, TS_IR_##n##_AS, CLS_R, CLS_R, sizeof(T) == 8); return;
#define IR_CMP(n, g, in, T, e)                                                                                         \
    case TS_OP_##n: bin(c, TS_IR_##n##_AS, CLS_R, CLS_##in, sizeof(T) == 8 && CLS_##in == CLS_R); return;
#define IR_UN(n, out, in, T, e)                                                                                        \
    case TS_OP_##n: un_op(c, o->op, TS_IR_##n##_A, CLS_##out); return;
#define IR_TRUNC(n, out, in, T, f)                                                                                     \
    case TS_OP_##n: un(c, TS_IR_##n##_A, CLS_R); return;
#define IR_UNX(n, out, in, T, e)
#define IR_CMPX(n, g, in, T, e)
#define IR_LOAD(n, out, T, V)
#define IR_STORE(n, in, T)
#define IR_STOREF(n, in, T)
#define IR_ADDBR(n, e)
#define IR_OP(n, w, s)
#define IR_SLOW(n, w, s)
#define IR_V(n, shape)
#define un_op(c_, wop, op, cls)                                                                                        \
    do {                                                                                                               \
        if ((wop) == TS_OP_i32_eqz || (wop) == TS_OP_i64_eqz) {                                                        \
            eqz(c_, op);                                                                                               \
        } else {                                                                                                       \
            un(c_, op, cls);                                                                                           \
            if ((wop) != TS_OP_f32_neg && (wop) != TS_OP_f64_neg && (wop) != TS_OP_f32_abs &&                          \
                (wop) != TS_OP_f64_abs && (wop) != TS_OP_f32_reinterpret_i32 && (wop) != TS_OP_f64_reinterpret_i64)    \
                canon_nan(c_, cls);                                                                                    \
        }                                                                                                              \
    } while (0)
#include "core/code/ir_ops.def"
#include "core/code/ir_undef.h"
    case TS_OP_i64_extend_i32_u: { /* an i32 is kept zero-extended: a constant too */ return;
    }
    /* memory */
#define LD(n, ir, cls, k)                                                                                              \
    case TS_OP_##n: load(c, o, TS_IR_##ir##_A, cls, k); return;
        LD(i32_load, load32_u, CLS_R, TS_MEM_32U)
        LD(i64_load, load64, CLS_R, TS_MEM_64)
        LD(f32_load, f32_load, CLS_F, TS_MEM_32U)
        LD(f64_load, f64_load, CLS_D, TS_MEM_64)
        LD(i32_load8_s, i32_load8_s, CLS_R, TS_MEM_I32_8S)
        LD(i32_load8_u, load8_u, CLS_R, TS_MEM_8U)
        LD(i32_load16_s, i32_load16_s, CLS_R, TS_MEM_I32_16S)
        LD(i32_load16_u, load16_u, CLS_R, TS_MEM_16U)
        LD(i64_load8_s, i64_load8_s, CLS_R, TS_MEM_I64_8S)
        LD(i64_load8_u, load8_u, CLS_R, TS_MEM_8U)
        LD(i64_load16_s, i64_load16_s, CLS_R, TS_MEM_I64_16S)
        LD(i64_load16_u, load16_u, CLS_R, TS_MEM_16U)
        LD(i64_load32_s, i64_load32_s, CLS_R, TS_MEM_I64_32S)
        LD(i64_load32_u, load32_u, CLS_R, TS_MEM_32U)
#undef LD
#define ST(n, ir, fir, k)                                                                                              \
    case TS_OP_##n: store(c, o, TS_IR_##ir##_AS, fir, k); return;
        ST(i32_store, store32, 0, TS_MEM_32U)
        ST(i64_store, store64, 0, TS_MEM_64)
        ST(f32_store, store32, TS_IR_f32_store_A, TS_MEM_32U)
        ST(f64_store, store64, TS_IR_f64_store_A, TS_MEM_64)
        ST(i32_store8, store8, 0, TS_MEM_8U)
        ST(i32_store16, store16, 0, TS_MEM_16U)
        ST(i64_store8, store8, 0, TS_MEM_8U)
        ST(i64_store16, store16, 0, TS_MEM_16U)
        ST(i64_store32, store32, 0, TS_MEM_32U)
#undef ST
    case TS_OP_memory_size: {
        uint32_t at = slow(c, TS_IR_memory_size, 0, CLS_R);
        c->code.data[at + 1].s[1] = (uint16_t)o->index;
        return;
    }
    case TS_OP_memory_grow: {
        uint32_t s = pop_slot(c), dst = next_slot(c, CLS_R);
        push_slot(c, CLS_R, emit(c, TS_IR_memory_grow, CLS_NONE, dst, o->index, s, 0));
        return;
    }
    case TS_OP_memory_fill: {
        uint32_t at = slow(c, TS_IR_memory_fill, 3, CLS_NONE);
        c->code.data[at + 1].s[3] = (uint16_t)o->index;
        return;
    }
    case TS_OP_memory_copy: pair(c, slow(c, TS_IR_memory_copy, 3, CLS_NONE), 2, o->index, o->index2); return;
    case TS_OP_memory_init: pair(c, slow(c, TS_IR_memory_init, 3, CLS_NONE), 2, o->index2, o->index); return;
    case TS_OP_data_drop: emit_w(c, TS_IR_data_drop, CLS_NONE, 0, 0, o->index); return;
    case TS_OP_table_get: pair(c, slow(c, TS_IR_table_get, 1, CLS_R), 2, o->index, 0); return;
    case TS_OP_table_set: pair(c, slow(c, TS_IR_table_set, 2, CLS_NONE), 2, o->index, 0); return;
    case TS_OP_table_size: pair(c, slow(c, TS_IR_table_size, 0, CLS_R), 2, o->index, 0); return;
    case TS_OP_table_grow: pair(c, slow(c, TS_IR_table_grow, 2, CLS_R), 2, o->index, 0); return;
    case TS_OP_table_fill: pair(c, slow(c, TS_IR_table_fill, 3, CLS_NONE), 2, o->index, 0); return;
    case TS_OP_table_copy: pair(c, slow(c, TS_IR_table_copy, 3, CLS_NONE), 2, o->index, o->index2); return;
    case TS_OP_table_init: pair(c, slow(c, TS_IR_table_init, 3, CLS_NONE), 2, o->index2, o->index); return;
    case TS_OP_elem_drop: emit_w(c, TS_IR_elem_drop, CLS_NONE, 0, 0, o->index); return;
    /* references */
    case TS_OP_ref_null: {
        ent *e = push(c, K_CONST, CLS_R);
        if (e) e->imm = 0;
        return;
    }
    case TS_OP_ref_func: {
        uint32_t dst = next_slot(c, CLS_R);
        push_slot(c, CLS_R, emit_w(c, TS_IR_ref_func, CLS_NONE, dst, 0, o->index));
        return;
    }
    case TS_OP_ref_is_null: eqz(c, TS_IR_i64_eqz_A); return;
    case TS_OP_ref_eq: bin(c, TS_IR_i64_eq_AS, CLS_R, CLS_R, true); return;
    case TS_OP_ref_as_non_null:
        materialize(c, c->st.len - 1);
        emit(c, TS_IR_ref_as_non_null, CLS_NONE, c->st.data[c->st.len - 1].pos, 0, 0, 0);
        c->last = NONE;
        return;
    case TS_OP_br_on_null: {
        opnd k = null_test(c, false);
        /* the label does not get the reference */
        ent saved = c->st.data[c->st.len - 1];
        c->st.len--;
        go_if(c, o->index, &k, false);
        c->st.data[c->st.len++] = saved;
        return;
    }
    case TS_OP_br_on_non_null: {
        opnd k = null_test(c, true);
        go_if(c, o->index, &k, false);
        (void)pop(c);
        return;
    }
    case TS_OP_ref_test: ref_test(c, o->heap, false); return;
    case TS_OP_ref_test_null: ref_test(c, o->heap, true); return;
    case TS_OP_ref_cast:
    case TS_OP_ref_cast_null: {
        uint32_t at = slow(c, TS_IR_ref_cast, 1, CLS_R);
        c->code.data[at + 2].u = (uint64_t)ts_canon_heap(c->m, o->heap) | (uint64_t)(o->op == TS_OP_ref_cast_null)
                                                                              << 63;
        return;
    }
    case TS_OP_br_on_cast: br_on_cast(c, o, false); return;
    case TS_OP_br_on_cast_fail: br_on_cast(c, o, true); return;
    case TS_OP_any_convert_extern:
    case TS_OP_extern_convert_any: return; /* the same representation: core/run/gc.h */
    case TS_OP_ref_i31: slow(c, TS_IR_ref_i31, 1, CLS_R); return;
    case TS_OP_i31_get_s: slow(c, TS_IR_i31_get_s, 1, CLS_R); return;
    case TS_OP_i31_get_u: slow(c, TS_IR_i31_get_u, 1, CLS_R); return;
    /* wide arithmetic */
    case TS_OP_i64_add128: wide(c, TS_IR_i64_add128, 4); return;
    case TS_OP_i64_sub128: wide(c, TS_IR_i64_sub128, 4); return;
    case TS_OP_i64_mul_wide_s: wide(c, TS_IR_i64_mul_wide_s, 2); return;
    case TS_OP_i64_mul_wide_u: wide(c, TS_IR_i64_mul_wide_u, 2); return;
    /* GC */
    case TS_OP_struct_new: {
        const ts_deftype *t = deftype(c, c->m->types[o->index]);
        gc_new(c, TS_IR_struct_new, t->n_fields, t->id, 0, false);
        return;
    }
    case TS_OP_struct_new_default: gc_new(c, TS_IR_struct_new_default, 0, c->m->types[o->index], 0, false); return;
    case TS_OP_struct_get:
    case TS_OP_struct_get_s:
    case TS_OP_struct_get_u: {
        const ts_deftype *t = deftype(c, c->m->types[o->index]);
        uint32_t s = pop_slot(c);
        uint8_t cls = field_cls(&t->fields[o->index2]);
        uint32_t dst = next_slot(c, cls);
        uint32_t at = emit(c, TS_IR_struct_get, CLS_NONE, dst, s, o->index2, o->op == TS_OP_struct_get_s);
        c->code.data[at + 2].u = t->id;
        push_slot(c, cls, at);
        return;
    }
    case TS_OP_struct_set: {
        uint32_t v = pop_slot(c), s = pop_slot(c);
        uint32_t at = emit(c, TS_IR_struct_set, CLS_NONE, s, v, o->index2, 0);
        c->code.data[at + 2].u = c->m->types[o->index];
        return;
    }
    case TS_OP_array_new: gc_new(c, TS_IR_array_new, 2, c->m->types[o->index], 0, true); return;
    case TS_OP_array_new_default: gc_new(c, TS_IR_array_new_default, 1, c->m->types[o->index], 0, false); return;
    case TS_OP_array_new_fixed:
        gc_new(c, TS_IR_array_new_fixed, o->index2, c->m->types[o->index], o->index2, false);
        return;
    case TS_OP_array_new_data: gc_new(c, TS_IR_array_new_data, 2, c->m->types[o->index], o->index2, true); return;
    case TS_OP_array_new_elem: gc_new(c, TS_IR_array_new_elem, 2, c->m->types[o->index], o->index2, true); return;
    case TS_OP_array_get:
    case TS_OP_array_get_s:
    case TS_OP_array_get_u: {
        const ts_deftype *t = deftype(c, c->m->types[o->index]);
        uint32_t at = slow(c, TS_IR_array_get, 2, field_cls(&t->fields[0]));
        c->code.data[at + 1].s[3] = o->op == TS_OP_array_get_s;
        c->code.data[at + 2].u = t->id;
        return;
    }
    case TS_OP_array_set: {
        uint32_t at = slow(c, TS_IR_array_set, 3, CLS_NONE);
        c->code.data[at + 2].u = c->m->types[o->index];
        return;
    }
    case TS_OP_array_len: slow(c, TS_IR_array_len, 1, CLS_R); return;
    case TS_OP_array_fill: {
        uint32_t n = top_pos(c) - 1;
        uint32_t first = operands(c, 4);
        uint32_t at = emit(c, TS_IR_array_fill, CLS_NONE, first, n, 0, 0);
        pair(c, at, 2, c->m->types[o->index], 0);
        return;
    }
    case TS_OP_array_copy:
        pair(c, emit(c, TS_IR_array_copy, CLS_NONE, operands(c, 5), 0, 0, 0), 2, c->m->types[o->index],
             c->m->types[o->index2]);
        return;
    case TS_OP_array_init_data:
        pair(c, emit(c, TS_IR_array_init_data, CLS_NONE, operands(c, 4), 0, 0, 0), 2, c->m->types[o->index], o->index2);
        return;
    case TS_OP_array_init_elem:
        pair(c, emit(c, TS_IR_array_init_elem, CLS_NONE, operands(c, 4), 0, 0, 0), 2, c->m->types[o->index], o->index2);
        return;
    /* SIMD with memory or constants */
    case TS_OP_v128_load: vload(c, o, TS_VMEM_128); return;
    case TS_OP_v128_load8x8_s: vload(c, o, TS_VMEM_8X8S); return;
    case TS_OP_v128_load8x8_u: vload(c, o, TS_VMEM_8X8U); return;
    case TS_OP_v128_load16x4_s: vload(c, o, TS_VMEM_16X4S); return;
    case TS_OP_v128_load16x4_u: vload(c, o, TS_VMEM_16X4U); return;
    case TS_OP_v128_load32x2_s: vload(c, o, TS_VMEM_32X2S); return;
    case TS_OP_v128_load32x2_u: vload(c, o, TS_VMEM_32X2U); return;
    case TS_OP_v128_load8_splat: vload(c, o, TS_VMEM_8SPLAT); return;
    case TS_OP_v128_load16_splat: vload(c, o, TS_VMEM_16SPLAT); return;
    case TS_OP_v128_load32_splat: vload(c, o, TS_VMEM_32SPLAT); return;
    case TS_OP_v128_load64_splat: vload(c, o, TS_VMEM_64SPLAT); return;
    case TS_OP_v128_load32_zero: vload(c, o, TS_VMEM_32ZERO); return;
    case TS_OP_v128_load64_zero: vload(c, o, TS_VMEM_64ZERO); return;
    case TS_OP_v128_store: vstore(c, o); return;
    case TS_OP_v128_load8_lane: vlane(c, o, 0, false); return;
    case TS_OP_v128_load16_lane: vlane(c, o, 1, false); return;
    case TS_OP_v128_load32_lane: vlane(c, o, 2, false); return;
    case TS_OP_v128_load64_lane: vlane(c, o, 3, false); return;
    case TS_OP_v128_store8_lane: vlane(c, o, 0, true); return;
    case TS_OP_v128_store16_lane: vlane(c, o, 1, true); return;
    case TS_OP_v128_store32_lane: vlane(c, o, 2, true); return;
    case TS_OP_v128_store64_lane: vlane(c, o, 3, true); return;
    case TS_OP_v128_const: {
        uint32_t dst = next_slot(c, CLS_V);
        uint32_t at = emit(c, TS_IR_v128_const, CLS_NONE, dst, 0, 0, 0);
        memcpy(&c->code.data[at + 2], o->bytes, 16);
        push_slot(c, CLS_V, at);
        return;
    }
    case TS_OP_i8x16_shuffle: {
        uint32_t at = slow(c, TS_IR_i8x16_shuffle, 2, CLS_V);
        memcpy(&c->code.data[at + 2], o->bytes, 16);
        return;
    }
    default: break;
    }
    if (o->op < TS_OP_COUNT && simd_infos[o->op].shape) {
        simd(c, o);
        return;
    }
    ts_fail(c->err, TS_UNSUPPORTED, "the instruction %s is not implemented",
            ts_op_infos[o->op].text ? ts_op_infos[o->op].text : "?");
}

/* --------------------------------------------------------------------------------------------------------- one function */
static ts_status locals(comp *c) {
    ts_reader r = c->r;
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
    c->lslot = calloc(total + 1, sizeof *c->lslot);
    c->lcls = calloc(total + 1, sizeof *c->lcls);
    c->lcount = calloc(total + 1, sizeof *c->lcount);
    if (!c->lslot || !c->lcls || !c->lcount) return ts_fail_nomem(c->err);
    uint32_t at = 0, i = 0;
    for (; i < c->type->n_params; i++) {
        c->lslot[i] = (uint16_t)at;
        c->lcls[i] = cls_of(c->type->params[i]);
        at += cls_slots(c->lcls[i]);
    }
    c->link = ts_frame_link(c->type);
    at = c->link + 2;
    TS_TRY(ts_read_u32(&c->r, &n_groups));
    for (uint32_t g = 0; g < n_groups; g++) {
        uint32_t n;
        ts_valtype t;
        TS_TRY(ts_read_u32(&c->r, &n));
        TS_TRY(ts_read_valtype(&c->r, &t));
        uint8_t cls = cls_of(t);
        for (uint32_t k = 0; k < n; k++, i++) {
            if (at > 65000) {
                c->too_big = true;
                return TS_OK;
            }
            c->lslot[i] = (uint16_t)at;
            c->lcls[i] = cls;
            at += cls_slots(cls);
        }
    }
    c->first_temp = at;
    need(c, at);
    return TS_OK;
}
/* Skip unreachable instructions until the `else` or `end` that makes code reachable again; it is left in *o. */
static ts_status skip_dead(comp *c, struct ts_op *o) {
    uint32_t depth = 0;
    for (;;) {
        TS_TRY(ts_read_op(&c->r, o));
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
enum {
    FIRST_WORDS = 64,
    SPARE_ENTRIES = 16
}; /* what one instruction emits and pushes, but for lists, whose pushes come last */
static ts_status body(comp *c) {
    TS_TRY(locals(c));
    if (!ts_vec_reserve(&c->code, FIRST_WORDS)) return ts_fail_nomem(c->err);
    if (c->too_big) return TS_OK;
    ctl f = {.op = TS_OP_block,
             .patches = NONE,
             .else_patch = NONE,
             .n_results = c->type->n_results,
             .results = c->type->results,
             .base = c->first_temp};
    if (!ts_vec_push(&c->ctls, f)) return ts_fail_nomem(c->err);
    uint32_t n_zero = c->first_temp - (c->link + 2);
    uint32_t enter = emit(c, n_zero ? TS_IR_enter : TS_IR_enter0, CLS_NONE, c->link + 2, n_zero, 0, 0);
    if (c->form & TS_FORM_METERED) emit(c, TS_IR_fuel, CLS_NONE, 0, 0, 0, 0);
    c->last = NONE;
    while (!ts_reader_done(&c->r) && c->ctls.len) {
        struct ts_op o;
        uint64_t offset = (uint64_t)(c->r.at - c->m->bytes);
        if (c->ctls.data[c->ctls.len - 1].dead)
            TS_TRY(skip_dead(c, &o));
        else
            TS_TRY(ts_read_op(&c->r, &o));
        if (c->want_map && (!ts_vec_push(&c->map, c->code.len) || !ts_vec_push(&c->map, (uint32_t)offset)))
            c->nomem = true;
        if (!ts_vec_reserve(&c->st, (uint64_t)c->st.len + SPARE_ENTRIES)) return ts_fail_nomem(c->err);
        instr(c, &o);
        if (c->nomem) return ts_fail_nomem(c->err);
        if (c->err && c->err->status != TS_OK) return c->err->status;
        if (c->too_big) break;
    }
    c->code.data[enter + 1].uw[1] = c->frame + 4;
    return TS_OK;
}
static ts_status compile(comp *c, const ts_fcode *f, ts_error *e, bool want_map) {
    ts_module *m = f->module;
    memset(c, 0, sizeof *c);
    c->m = m;
    c->def = &m->funcs[f->func];
    c->type = ts_types_get(ts_engine_types(m->engine), c->def->type);
    c->form = f->form;
    c->err = e;
    c->want_map = want_map;
    c->r = (ts_reader){
        .at = c->def->body, .end = c->def->body + c->def->body_len, .base = m->bytes, .section = "code", .err = e};
    c->acc[0] = c->acc[1] = c->acc[2] = -1;
    c->pend[0] = c->pend[1] = c->pend[2] = NONE;
    c->last = NONE;
    c->add_at = NONE;
    ts_status st = body(c);
    if (st == TS_OK && c->too_big)
        st = ts_fail(e, TS_UNSUPPORTED, "function %u needs a frame of more than 65,000 slots", f->func);
    return st;
}
static void comp_free(comp *c) {
    ts_vec_free(&c->code);
    ts_vec_free(&c->st);
    ts_vec_free(&c->ctls);
    ts_vec_free(&c->patches);
    ts_vec_free(&c->handlers);
    ts_vec_free(&c->catches);
    ts_vec_free(&c->map);
    free(c->lslot);
    free(c->lcls);
    free(c->lcount);
}

ts_status ts_compile(const ts_fcode *f, bool with_map, ts_compiled *out, ts_error *e) {
    comp c;
    *out = (ts_compiled){0};
    ts_status st = compile(&c, f, e, with_map);
    if (st == TS_OK) {
        *out = (ts_compiled){.code = c.code.data,
                             .n_words = c.code.len,
                             .handlers = c.handlers.data,
                             .n_handlers = c.handlers.len,
                             .frame_slots = c.frame,
                             .map = c.map.data,
                             .n_map = c.map.len};
        c.code.data = NULL;
        c.handlers.data = NULL;
        c.map.data = NULL;
    }
    comp_free(&c);
    return st;
}

void ts_compiled_free(ts_compiled *c) {
    free(c->code);
    free(c->handlers);
    free(c->map);
    *c = (ts_compiled){0};
}
