/* emit: x86-64 code for one function, in one pass over its IR. See native.h.
 *
 * Registers: r13 the frame, r14 the base of memory 0 if it is guarded, r15 the ts_exec, rdi the instance; rsi,
 * xmm0 and xmm1 the accumulators. All these are where the interpreter has them. rax, rcx, xmm14 and xmm15 are
 * for one instruction. The others are homes of slots.
 *
 * A candidate is `valid` if its home holds its value, and `dirty` if its slot in the frame does not. Each label
 * has a fixed state, which every way to it establishes. A loop's first instruction wants all slots that the
 * loop uses in their homes. */
#include "core/native/native.h"
#include "base/dispatch.h"
#include "base/vec.h"
#include "core/native/flow.h"
#include "core/native/x64.h"
#include <stddef.h>

#if TS_HAS_MACHINE_CODE
#define FRAME R13
#define MEMORY R14
#define EXEC R15
#define INSTANCE RDI
#define ACC_R RSI
enum { TMP_X = 14, TMP_Y = 15 };
static const uint8_t integer_homes[] = {RBX, R8, R9, R10, R11, RBP, R12, RDX};
static const uint8_t floating_homes[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

typedef struct label {
    uint32_t code; /* offset, once `bound` */
    bool set, bound;
    uint32_t in_table, stub; /* the br_table that looked at it last, and its stub there */
    slot_set valid, dirty;
} label;
/* A jump or a table entry whose target comes later. */
typedef struct fixup {
    uint32_t at, to; /* an instruction */
    uint32_t base;   /* of a table; or NO_INSTRUCTION */
} fixup;
/* Code behind the function's last instruction. */
enum { COLD_EXIT, COLD_EDGE, COLD_ENTRY };
typedef struct cold_code {
    uint8_t kind;
    uint32_t jump; /* the jump to it; or NO_INSTRUCTION */
    uint32_t to;   /* exit: the instruction that the interpreter executes; edge: the target */
    uint32_t code; /* entry: where it continues; then: its own place */
    slot_set valid, dirty;
} cold_code;
typedef struct jump_table {
    uint32_t lea; /* the distance of an instruction lea */
    uint32_t first, n;
} jump_table;

typedef struct emitter {
    assembler a;
    flow f;
    const ts_native_layout *t;
    const void *const *handlers;
    const ts_word *linked;
    ts_fcode *callees;
    slot_set valid, dirty;
    bool reachable;
    bool rejoin; /* the instruction has a side exit */
    bool ends;   /* control never goes on behind it */
    uint32_t i;  /* the instruction, w its words */
    const ts_word *w;
    const flow_instruction *in;
    label *labels;
    TS_VEC(fixup) fixups;
    TS_VEC(cold_code) cold;
    TS_VEC(jump_table) tables;
    TS_VEC(uint32_t) table_targets; /* an instruction, or a stub | STUB */
    TS_VEC(ts_native_entry) entries, faults;
    uint8_t *has_entry; /* by instruction */
    bool nomem;
} emitter;
#define STUB 0x80000000u
#define PUSH(v, x)                                                                                                     \
    do {                                                                                                               \
        if (!ts_vec_push(&(v), (x))) e->nomem = true;                                                                  \
    } while (0)

/* --- slots and homes ------------------------------------------------------------------------------------ */
static operand slot_memory(uint32_t slot) {
    return at_mem(FRAME, (int32_t)slot * 8);
}
static unsigned candidate_of(const emitter *e, uint32_t slot) {
    return slot < e->f.n_slots ? e->f.candidate_of_slot[slot] : NO_CANDIDATE;
}
static unsigned home_of(const emitter *e, unsigned k) {
    const flow_candidate *c = &e->f.candidate[k];
    return c->class == IN_R ? integer_homes[c->home] : floating_homes[c->home];
}
static bool has_home(const emitter *e, unsigned k) {
    return k != NO_CANDIDATE && e->f.candidate[k].home != NO_HOME;
}
/* The home now belongs to candidate k. */
static void claim(emitter *e, unsigned k) {
    TS_ASSERT(!(e->dirty & e->f.shares[k] & e->in->live_out));
    e->valid &= ~e->f.shares[k];
    e->dirty &= ~e->f.shares[k];
    e->valid |= SET_BIT(k);
}
static void load_home(emitter *e, unsigned k) {
    const flow_candidate *c = &e->f.candidate[k];
    operand m = slot_memory(c->slot);
    if (c->class == IN_R)
        x_mov(&e->a, 1, home_of(e, k), m);
    else
        x_movx(&e->a, 1, home_of(e, k), m);
}
static void store_float(emitter *e, uint32_t slot, unsigned xmm, int two) {
    if (two) {
        x_sse(&e->a, 1, 0x0f11, xmm, slot_memory(slot));
    } else { /* the high half of an f32's slot is 0 */
        x_reg_from_xmm(&e->a, 0, RAX, xmm);
        x_store(&e->a, 1, slot_memory(slot), RAX);
    }
}
/* Store a home. It keeps the flags. All 64 bits move: a slot that holds an f32 here may hold another value there,
 * of which only copies, calls and constants tell. */
static void store_home(emitter *e, unsigned k) {
    const flow_candidate *c = &e->f.candidate[k];
    if (c->class == IN_R)
        x_store(&e->a, 1, slot_memory(c->slot), home_of(e, k));
    else
        store_float(e, c->slot, home_of(e, k), 1);
}
#define EACH(k, set) for (slot_set set_ = (set); set_ && ((k) = (unsigned)__builtin_ctzll(set_), 1); set_ &= set_ - 1)
static void store_set(emitter *e, slot_set set) {
    unsigned k;
    EACH(k, set & e->f.all) {
        room(&e->a, 0);
        store_home(e, k);
    }
}
static void load_set(emitter *e, slot_set set) {
    unsigned k;
    EACH(k, set & e->f.all) {
        room(&e->a, 0);
        load_home(e, k);
    }
}
static bool lives_on(const emitter *e, unsigned bit) {
    return e->in->live_out >> bit & 1;
}
/* Where to read a slot: its home if it is there or is needed again, or else the frame. */
static operand read_slot(emitter *e, uint32_t slot) {
    unsigned k = candidate_of(e, slot);
    if (!has_home(e, k)) return slot_memory(slot);
    if (!(e->valid >> k & 1)) {
        if (!lives_on(e, k)) return slot_memory(slot);
        load_home(e, k);
        claim(e, k);
    }
    return in_reg(home_of(e, k));
}
/* The home that an integer result for the slot is computed in, or `other`. */
static unsigned result_home(const emitter *e, uint32_t slot, unsigned class, unsigned other) {
    unsigned k = candidate_of(e, slot);
    return has_home(e, k) && e->f.candidate[k].class == class ? home_of(e, k) : other;
}
static void note_written(emitter *e, unsigned k) {
    claim(e, k);
    if (lives_on(e, k)) {
        e->dirty |= SET_BIT(k);
    } else {
        e->valid &= ~SET_BIT(k);
        e->dirty &= ~SET_BIT(k);
    }
}
/* The slot gets the register `from` of a class. */
static void write_slot(emitter *e, uint32_t slot, unsigned class, unsigned from) {
    unsigned k = candidate_of(e, slot);
    assembler *a = &e->a;
    if (!has_home(e, k)) {
        if (class == IN_R)
            x_store(a, 1, slot_memory(slot), from);
        else
            store_float(e, slot, from, class == IN_D);
        return;
    }
    unsigned home = home_of(e, k), to = e->f.candidate[k].class;
    if (to == IN_R && class == IN_R)
        x_mov(a, 1, home, in_reg(from));
    else if (to == IN_R)
        x_reg_from_xmm(a, 1, home, from);
    else if (class == IN_R)
        x_xmm_from_reg(a, 1, home, from);
    else
        x_movx(a, 1, home, in_reg(from));
    note_written(e, k);
}

/* --- leaving and entering ------------------------------------------------------------------------------- */
static void add_entry(emitter *e, uint32_t instruction, uint32_t code) {
    if (instruction >= e->f.n || e->has_entry[instruction]) return;
    e->has_entry[instruction] = 1;
    PUSH(e->entries, ((ts_native_entry){.word = e->f.ins[instruction].at, .code = code}));
}
static void interpret(emitter *e, uint32_t instruction) {
    const flow_instruction *in = &e->f.ins[instruction];
    x_imm(&e->a, R12, (uintptr_t)(e->linked + in->at));
    x_imm(&e->a, RAX, (uintptr_t)e->handlers[e->f.code[in->at].u]);
    x_jmp_reg(&e->a, RAX);
}
/* The interpreter executes the instruction instead, if cc holds. */
static void side_exit(emitter *e, int cc) {
    PUSH(e->cold, ((cold_code){.kind = COLD_EXIT,
                               .jump = x_jump(&e->a, cc),
                               .to = e->i,
                               .valid = e->valid,
                               .dirty = e->dirty & e->in->live_in}));
    e->rejoin = true;
}
/* The interpreter executes the instruction always. The next one is an entry. */
static void leave(emitter *e) {
    store_set(e, e->dirty & e->in->live_in);
    e->dirty = e->valid = 0;
    interpret(e, e->i);
    if (!e->ends) add_entry(e, e->i + 1, e->a.len);
}
/* An entry before instruction i, which continues at this place in this state. */
static void enter_here(emitter *e, uint32_t instruction, slot_set live) {
    if (instruction >= e->f.n || e->has_entry[instruction]) return;
    if (!(e->valid & live)) {
        add_entry(e, instruction, e->a.len);
        return;
    }
    e->has_entry[instruction] = 1;
    PUSH(e->cold, ((cold_code){.kind = COLD_ENTRY,
                               .jump = NO_INSTRUCTION,
                               .to = instruction,
                               .code = e->a.len,
                               .valid = e->valid & live}));
}

/* --- control flow --------------------------------------------------------------------------------------- */
/* The slots that a loop uses by name, those it writes, and whether the interpreter executes a part of it. */
static void set_loop_state(emitter *e, uint32_t first, label *l) {
    slot_set used = 0, written = 0, homes = 0;
    bool leaves = false;
    for (uint32_t i = first; i <= e->f.ins[first].loop_last; i++) {
        const flow_instruction *in = &e->f.ins[i];
        ts_operands o;
        ts_operands_of(e->f.code + in->at, &o);
        if (!o.is_exit) used |= in->reads | in->writes;
        if (!o.is_exit) written |= in->writes;
        leaves = leaves || (o.is_exit && !o.ends);
    }
    for (unsigned k = 0; k < e->f.n_candidates; k++)
        if (has_home(e, k)) homes |= SET_BIT(k);
    slot_set live = e->f.ins[first].live_in & homes;
    l->valid = live & used;
    l->dirty = l->valid & written;
    if (!leaves && e->reachable) {
        slot_set kept = e->valid & live & ~used;
        l->valid |= kept;
        l->dirty |= e->dirty & kept;
    }
    l->set = true;
}
/* Go from the present state to that of a label. */
static void establish(emitter *e, const label *l, slot_set live) {
    store_set(e, e->dirty & live & ~l->dirty);
    load_set(e, l->valid & live & ~e->valid);
}
static bool established(const emitter *e, const label *l, slot_set live) {
    return !(e->dirty & live & ~l->dirty) && !(l->valid & live & ~e->valid);
}
static void bind_label(emitter *e) {
    label *l = &e->labels[e->i];
    slot_set live = e->in->live_in;
    if (!l->set) {
        if (e->in->loop_last != NO_INSTRUCTION) {
            set_loop_state(e, e->i, l);
        } else {
            l->valid = e->reachable ? e->valid & live : 0;
            l->dirty = e->reachable ? e->dirty & live : 0;
            l->set = true;
        }
    }
    if (e->reachable) establish(e, l, live);
    e->valid = l->valid & live & e->f.all;
    e->dirty = l->dirty & live & e->f.all;
    l->code = e->a.len;
    l->bound = true;
    e->reachable = true;
    if (e->in->is_entry) enter_here(e, e->i, live);
}
static void want_label(emitter *e, uint32_t to) {
    label *l = &e->labels[to];
    if (l->set) return;
    if (e->f.ins[to].loop_last != NO_INSTRUCTION) {
        set_loop_state(e, to, l);
        return;
    }
    l->valid = e->valid & e->f.ins[to].live_in;
    l->dirty = e->dirty & e->f.ins[to].live_in;
    l->set = true;
}
static void jump_to(emitter *e, int cc, uint32_t to) {
    PUSH(e->fixups, ((fixup){.at = x_jump(&e->a, cc), .to = to, .base = NO_INSTRUCTION}));
}
/* A branch of this instruction under a condition. */
static void branch(emitter *e, int cc) {
    uint32_t to = e->in->target;
    slot_set live = e->f.ins[to].live_in;
    want_label(e, to);
    if (cc < 0) {
        establish(e, &e->labels[to], live);
        jump_to(e, -1, to);
        e->reachable = false;
    } else if (established(e, &e->labels[to], live)) {
        jump_to(e, cc, to);
    } else {
        PUSH(e->cold,
             ((cold_code){
                 .kind = COLD_EDGE, .jump = x_jump(&e->a, cc), .to = to, .valid = e->valid, .dirty = e->dirty}));
    }
}
static void br_table(emitter *e, operand index) {
    assembler *a = &e->a;
    uint32_t n = e->w[1].uw[1];
    x_mov(a, 0, RAX, index);
    x_imm(a, RCX, n);
    x_alu(a, 0, X_CMP, RAX, in_reg(RCX));
    x_op(a, 0, 0x0f40 | CC_A, RAX, in_reg(RCX));
    if (n == 0) x_imm(a, RAX, 0);
    put8(a, 0x48); /* lea rcx, [rip + distance] */
    put8(a, 0x8d);
    put8(a, 0x0d);
    put32(a, 0);
    uint32_t lea = a->len - 4;
    x_any(a, 0, 1, 0x63, RAX, (operand){.is_mem = 1, .reg = RCX, .index = RAX}, 0);
    a->code[a->len - 1] |= 0x80; /* scale 4 */
    x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
    x_jmp_reg(a, RAX);
    PUSH(e->tables, ((jump_table){.lea = lea, .first = e->table_targets.len, .n = n + 1}));
    uint32_t id = e->tables.len;
    for (uint32_t k = 0; k <= n; k++) {
        uint32_t to = e->f.ins_of_word[e->in->at + e->w[2 + k].i];
        label *l = &e->labels[to];
        want_label(e, to);
        if (established(e, l, e->f.ins[to].live_in)) {
            PUSH(e->table_targets, to);
            continue;
        }
        if (l->in_table != id) {
            l->in_table = id;
            l->stub = e->cold.len;
            PUSH(e->cold,
                 ((cold_code){
                     .kind = COLD_EDGE, .jump = NO_INSTRUCTION, .to = to, .valid = e->valid, .dirty = e->dirty}));
        }
        PUSH(e->table_targets, l->stub | STUB);
    }
    e->reachable = false;
}
static void emit_cold(emitter *e) {
    assembler *a = &e->a;
    for (uint32_t i = 0; i < e->cold.len && !e->nomem; i++) {
        cold_code *c = &e->cold.data[i];
        room(a, 0);
        if (c->jump != NO_INSTRUCTION) x_bind(a, c->jump, a->len);
        uint32_t continues = c->code;
        c->code = a->len;
        e->in = &e->f.ins[c->to];
        e->valid = c->valid;
        e->dirty = c->dirty;
        switch (c->kind) {
        case COLD_EXIT:
            store_set(e, c->dirty);
            interpret(e, c->to);
            break;
        case COLD_EDGE:
            establish(e, &e->labels[c->to], e->in->live_in);
            jump_to(e, -1, c->to);
            break;
        default:
            load_set(e, c->valid);
            PUSH(e->entries, ((ts_native_entry){.word = e->in->at, .code = c->code}));
            x_bind(a, x_jump(a, -1), continues);
        }
    }
}
static void emit_tables(emitter *e) {
    assembler *a = &e->a;
    for (uint32_t i = 0; i < e->tables.len && !e->nomem; i++) {
        const jump_table *t = &e->tables.data[i];
        if (!room(a, t->n * 4 + 4)) return;
        while (a->len & 3) put8(a, 0xcc);
        uint32_t base = a->len;
        x_bind(a, t->lea, base);
        for (uint32_t k = 0; k < t->n; k++) {
            uint32_t to = e->table_targets.data[t->first + k];
            if (to & STUB) {
                put32(a, e->cold.data[to & ~STUB].code - base);
            } else {
                PUSH(e->fixups, ((fixup){.at = a->len, .to = to, .base = base}));
                put32(a, 0);
            }
        }
    }
}
static void apply_fixups(emitter *e) {
    for (uint32_t i = 0; i < e->fixups.len && !e->a.failed && !e->nomem; i++) {
        const fixup *x = &e->fixups.data[i];
        TS_ASSERT(e->labels[x->to].bound);
        uint32_t to = e->labels[x->to].code;
        if (x->base == NO_INSTRUCTION)
            x_bind(&e->a, x->at, to);
        else
            x_bind(&e->a, x->at, to + x->at + 4 - x->base);
    }
}

/* --- integers ------------------------------------------------------------------------------------------- */
/* The operands of a form with two. */
typedef struct pair {
    operand a, b;
    bool b_is_const;
    uint64_t b_const;
} pair;
/* slots: the fields s[first] and s[first + 1]; constant: where AI and SI have it. */
static pair read_pair(emitter *e, unsigned form, unsigned acc, unsigned slot_a, unsigned slot_b, uint64_t constant) {
    pair p = {.a = in_reg(acc), .b = in_reg(acc)};
    if (form == FORM_SA || form == FORM_SS || form == FORM_SI) p.a = read_slot(e, slot_a);
    if (form == FORM_AS || form == FORM_SS) p.b = read_slot(e, slot_b);
    if (form == FORM_AI || form == FORM_SI) {
        p.b_is_const = true;
        p.b_const = constant;
    }
    return p;
}
/* Finish an integer result that is in register `in`: the slot s0 and the accumulator get it. */
static void finish_integer(emitter *e, const ts_shape *p, unsigned in) {
    if (p->to_slot) write_slot(e, e->w[1].s[0], IN_R, in);
    if (in != ACC_R && (!p->to_slot || lives_on(e, BIT_R))) x_mov(&e->a, 1, ACC_R, in_reg(in));
}
static unsigned integer_result(const emitter *e, const ts_shape *p) {
    return p->to_slot ? result_home(e, e->w[1].s[0], IN_R, ACC_R) : ACC_R;
}
static void shift(emitter *e, const ts_shape *p, unsigned op, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    if (q.b_is_const) {
        x_mov(a, wide, to, q.a);
        x_op(a, wide, 0xc1, op, in_reg(to));
        put8(a, (unsigned)q.b_const & (wide ? 63 : 31));
    } else {
        x_mov(a, 0, RCX, q.b);
        x_mov(a, wide, to, q.a);
        x_op(a, wide, 0xd3, op, in_reg(to));
    }
    finish_integer(e, p, to);
}
/* An operation with the encoding of the first group, or imul. */
static void two_operands(emitter *e, const ts_shape *p, unsigned opcode, unsigned group, bool commutes, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    unsigned to = integer_result(e, p);
    if (q.b_is_const) {
        int32_t imm = (int32_t)q.b_const;
        if (opcode == 0x0faf) {
            x_op(a, wide, 0x69, to, q.a);
            put32(a, (uint32_t)imm);
        } else if (!q.a.is_mem && q.a.reg != to && (group == X_ADD || group == X_SUB) && imm != INT32_MIN) {
            x_lea(a, wide, to, at_mem(q.a.reg, group == X_ADD ? imm : -imm));
        } else {
            x_mov(a, wide, to, q.a);
            x_alu_imm(a, wide, group, in_reg(to), imm);
        }
    } else if (group == X_ADD && opcode != 0x0faf && !q.a.is_mem && !q.b.is_mem && q.a.reg != to && q.b.reg != to) {
        x_lea(a, wide, to, at_index(q.a.reg, q.b.reg, 0));
    } else if (is_reg(q.b, to) && !is_reg(q.a, to)) {
        if (commutes) {
            x_op(a, wide, opcode, to, q.a);
        } else {
            x_mov(a, wide, RAX, q.a);
            x_op(a, wide, opcode, RAX, q.b);
            x_mov(a, 1, to, in_reg(RAX));
        }
    } else {
        x_mov(a, wide, to, q.a);
        x_op(a, wide, opcode, to, q.b);
    }
    finish_integer(e, p, to);
}
static void divide(emitter *e, const ts_shape *p, bool is_signed, bool remainder, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    uint64_t c = wide ? q.b_const : (uint32_t)q.b_const;
    unsigned to = integer_result(e, p);
    if (q.b_is_const && !is_signed && c && (c & (c - 1)) == 0 && c <= 0x40000000) {
        x_mov(a, wide, to, q.a);
        if (remainder) {
            x_alu_imm(a, wide, X_AND, in_reg(to), (int32_t)(c - 1));
        } else {
            x_op(a, wide, 0xc1, X_SHR, in_reg(to));
            put8(a, (unsigned)__builtin_ctzll(c));
        }
        finish_integer(e, p, to);
        return;
    }
    if (q.b_is_const)
        x_imm(a, RCX, c);
    else
        x_mov(a, wide, RCX, q.b);
    if (!q.b_is_const || c == 0) {
        x_op(a, wide, 0x85, RCX, in_reg(RCX));
        side_exit(e, CC_E);
    }
    if (is_signed && (!q.b_is_const || c == (wide ? UINT64_MAX : UINT32_MAX))) {
        x_alu_imm(a, wide, X_CMP, in_reg(RCX), -1);
        side_exit(e, CC_E);
    }
    x_mov(a, wide, RAX, q.a);
    if (is_signed)
        x_op(a, wide, 0x99, 0, in_reg(0)), a->len--; /* cdq, cqo: no ModRM */
    else
        x_imm(a, RDX, 0);
    x_op(a, wide, 0xf7, is_signed ? 7 : 6, in_reg(RCX));
    x_mov(a, 1, to, in_reg(remainder ? RDX : RAX));
    finish_integer(e, p, to);
}
static void divide_family(emitter *e, const ts_shape *p, pair q) {
    switch (p->family) {
    case FAMILY_i32_div_s:
    case FAMILY_i64_div_s: divide(e, p, true, false, q); return;
    case FAMILY_i32_div_u:
    case FAMILY_i64_div_u: divide(e, p, false, false, q); return;
    case FAMILY_i32_rem_s:
    case FAMILY_i64_rem_s: divide(e, p, true, true, q); return;
    default: divide(e, p, false, true, q); return;
    }
}

/* --- floats --------------------------------------------------------------------------------------------- */
static unsigned acc_of(unsigned class) {
    return class == IN_R ? ACC_R : class == IN_F ? 0 : 1;
}
static unsigned float_result(const emitter *e, const ts_shape *p) {
    unsigned acc = acc_of(p->out);
    return p->to_slot ? result_home(e, e->w[1].s[0], p->out, acc) : acc;
}
static void finish_float(emitter *e, const ts_shape *p, unsigned in) {
    unsigned acc = acc_of(p->out);
    if (p->to_slot) write_slot(e, e->w[1].s[0], p->out, in);
    if (in != acc && (!p->to_slot || lives_on(e, BIT_R + p->out))) x_movx(&e->a, 1, acc, in_reg(in));
}
static void float_const(emitter *e, unsigned to, int two, uint64_t bits) {
    if (!two) bits = (uint32_t)bits;
    if (bits == 0) {
        x_op(&e->a, 0, 0x0f57, to, in_reg(to));
        return;
    }
    x_imm(&e->a, RAX, bits);
    x_xmm_from_reg(&e->a, two, to, RAX);
}
static void float_operands(emitter *e, const ts_shape *p, unsigned opcode, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    unsigned to = float_result(e, p);
    if (q.b_is_const) {
        float_const(e, TMP_Y, two, q.b_const);
        q.b = in_reg(TMP_Y);
    }
    if (is_reg(q.b, to) && !is_reg(q.a, to)) {
        x_movx(a, two, TMP_X, q.a);
        x_sse(a, two, opcode, TMP_X, q.b);
        x_movx(a, two, to, in_reg(TMP_X));
    } else {
        x_movx(a, two, to, q.a);
        x_sse(a, two, opcode, to, q.b);
    }
    finish_float(e, p, to);
}
/* minss and maxss give the second operand if either is a NaN, or if both are zeros. */
static void float_min_max(emitter *e, const ts_shape *p, bool is_max, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (q.b_is_const)
        float_const(e, TMP_Y, two, q.b_const);
    else
        x_movx(a, two, TMP_Y, q.b);
    x_movx(a, two, TMP_X, q.a);
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, TMP_X, in_reg(TMP_Y), 0);
    uint32_t nan = x_jump_short(a, CC_P), equal = x_jump_short(a, CC_E);
    x_sse(a, two, is_max ? 0x0f5f : 0x0f5d, TMP_X, in_reg(TMP_Y));
    uint32_t done = x_jump_short(a, -1);
    x_bind_short(a, nan);
    x_sse(a, two, 0x0f58, TMP_X, in_reg(TMP_Y));
    uint32_t done_too = x_jump_short(a, -1);
    x_bind_short(a, equal);
    x_op(a, 0, is_max ? 0x0f54 : 0x0f56, TMP_X, in_reg(TMP_Y)); /* andps, orps: of zeros, the sign decides */
    x_bind_short(a, done);
    x_bind_short(a, done_too);
    finish_float(e, p, TMP_X);
}
static void copysign_of(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8, bits = two ? 63 : 31;
    if (q.b_is_const)
        float_const(e, TMP_Y, two, q.b_const);
    else
        x_movx(a, two, TMP_Y, q.b);
    x_movx(a, two, TMP_X, q.a);
    x_reg_from_xmm(a, two, RCX, TMP_Y);
    x_reg_from_xmm(a, two, RAX, TMP_X);
    x_op(a, two, 0xc1, X_SHR, in_reg(RCX));
    put8(a, (unsigned)bits);
    x_op(a, two, 0xc1, X_SHL, in_reg(RCX));
    put8(a, (unsigned)bits);
    x_op(a, two, 0x0fba, 6, in_reg(RAX)); /* btr */
    put8(a, (unsigned)bits);
    x_op(a, two, 0x0b, RAX, in_reg(RCX));
    x_xmm_from_reg(a, two, TMP_X, RAX);
    finish_float(e, p, TMP_X);
}
static void binary(emitter *e, const ts_shape *p) {
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
    if (p->kind == SHAPE_DIV) {
        divide_family(e, p, q);
        return;
    }
#define ALU(n, opcode, group, commutes)                                                                                \
    case FAMILY_i32_##n:                                                                                               \
    case FAMILY_i64_##n: two_operands(e, p, opcode, group, commutes, q); return;
#define SHIFT(n, op)                                                                                                   \
    case FAMILY_i32_##n:                                                                                               \
    case FAMILY_i64_##n: shift(e, p, op, q); return;
#define FLOAT(n, call)                                                                                                 \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: call; return;
    switch (p->family) {
        ALU(add, 0x03, X_ADD, true)
        ALU(sub, 0x2b, X_SUB, false)
        ALU(mul, 0x0faf, X_ADD, true)
        ALU(and, 0x23, X_AND, true)
        ALU(or, 0x0b, X_OR, true)
        ALU(xor, 0x33, X_XOR, true)
        SHIFT(shl, X_SHL)
        SHIFT(shr_s, X_SAR)
        SHIFT(shr_u, X_SHR)
        SHIFT(rotl, X_ROL)
        SHIFT(rotr, X_ROR)
        FLOAT(add, float_operands(e, p, 0x0f58, q))
        FLOAT(sub, float_operands(e, p, 0x0f5c, q))
        FLOAT(mul, float_operands(e, p, 0x0f59, q))
        FLOAT(div, float_operands(e, p, 0x0f5e, q))
        FLOAT(min, float_min_max(e, p, false, q))
        FLOAT(max, float_min_max(e, p, true, q))
        FLOAT(copysign, copysign_of(e, p, q))
    default: leave(e);
    }
#undef ALU
#undef SHIFT
#undef FLOAT
}

/* --- comparisons ---------------------------------------------------------------------------------------- */
/* The condition of an integer comparison. */
static unsigned integer_condition(unsigned family) {
#define CC(n, cc)                                                                                                      \
    case FAMILY_i32_##n:                                                                                               \
    case FAMILY_i64_##n: return cc;
    switch (family) {
        CC(eq, CC_E)
        CC(ne, CC_NE)
        CC(lt_s, CC_L)
        CC(lt_u, CC_B)
        CC(gt_s, CC_G)
        CC(gt_u, CC_A)
        CC(le_s, CC_LE)
        CC(le_u, CC_BE)
        CC(ge_s, CC_GE)
        CC(ge_u, CC_AE)
    case FAMILY_i32_ntst: return CC_E;
    default: return CC_NE; /* i32_tst */
    }
#undef CC
}
static void compare_integers(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int wide = p->size == 8;
    bool test = p->family == FAMILY_i32_tst || p->family == FAMILY_i32_ntst;
    uint64_t c = wide ? q.b_const : (uint64_t)(int64_t)(int32_t)q.b_const;
    if (q.b_is_const && (uint64_t)(int64_t)(int32_t)c != c) {
        x_imm(a, RCX, c);
        q.b = in_reg(RCX);
        q.b_is_const = false;
    }
    if (q.b_is_const) {
        if (test) {
            x_op(a, wide, 0xf7, 0, q.a);
            put32(a, (uint32_t)c);
        } else if (c == 0 && !q.a.is_mem) {
            x_op(a, wide, 0x85, q.a.reg, q.a);
        } else {
            x_alu_imm(a, wide, X_CMP, q.a, (int32_t)c);
        }
        return;
    }
    if (q.a.is_mem) {
        x_mov(a, wide, RAX, q.a);
        q.a = in_reg(RAX);
    }
    x_op(a, wide, test ? 0x85 : 0x3b, q.a.reg, q.b);
}
/* A comparison of floats: which operand is first, and the condition. An unordered result sets ZF, PF and CF. */
typedef struct float_condition {
    bool swapped;
    unsigned cc; /* CC_E and CC_NE: with a look at PF */
} float_condition;
static float_condition condition_of_floats(unsigned family) {
#define CC(n, s, c)                                                                                                    \
    case FAMILY_f32_##n:                                                                                               \
    case FAMILY_f64_##n: return (float_condition){s, c};                                                               \
    case FAMILY_nf32_##n:                                                                                              \
    case FAMILY_nf64_##n: return (float_condition){s, (c) ^ 1u};
    switch (family) {
        CC(lt, true, CC_A)
        CC(gt, false, CC_A)
        CC(le, true, CC_AE)
        CC(ge, false, CC_AE)
    case FAMILY_f32_eq:
    case FAMILY_f64_eq: return (float_condition){false, CC_E};
    default: return (float_condition){false, CC_NE};
    }
#undef CC
}
static unsigned compare_floats(emitter *e, const ts_shape *p, pair q) {
    assembler *a = &e->a;
    int two = p->size == 8;
    float_condition c = condition_of_floats(p->family);
    if (q.b_is_const) {
        float_const(e, TMP_Y, two, q.b_const);
        q.b = in_reg(TMP_Y);
    }
    operand first = c.swapped ? q.b : q.a, second = c.swapped ? q.a : q.b;
    if (first.is_mem) {
        x_movx(a, two, TMP_X, first);
        first = in_reg(TMP_X);
    }
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, first.reg, second, 0);
    return c.cc;
}
static void compare(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    uint64_t constant = p->in == IN_R ? (uint64_t)(int64_t)w[1].w[1] : 0;
    if (p->in != IN_R && (p->form == FORM_AI || p->form == FORM_SI)) constant = w[2].u;
    pair q = read_pair(e, p->form, acc_of(p->in), w[1].s[1], w[1].s[2], constant);
    if (p->in == IN_R) {
        compare_integers(e, p, q);
        x_setcc(a, integer_condition(p->family), RAX);
    } else {
        unsigned cc = compare_floats(e, p, q);
        x_setcc(a, cc, RAX);
        if (cc == CC_E || cc == CC_NE) {
            x_setcc(a, cc == CC_E ? CC_NP : CC_P, RCX);
            x_any(a, 0, 0, cc == CC_E ? 0x22 : 0x0a, RAX, in_reg(RCX), 0);
        }
    }
    unsigned to = integer_result(e, p);
    x_movzx8(a, to, RAX);
    finish_integer(e, p, to);
}
static void compare_and_branch(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    uint64_t constant = p->form == FORM_AI || p->form == FORM_SI ? w[2].u : 0;
    pair q = read_pair(e, p->form, acc_of(p->in), w[1].s[0], w[1].s[1], constant);
    if (p->in == IN_R) {
        compare_integers(e, p, q);
        branch(e, (int)integer_condition(p->family));
        return;
    }
    unsigned cc = compare_floats(e, p, q);
    if (cc == CC_E) {
        uint32_t unordered = x_jump_short(a, CC_P);
        branch(e, CC_E);
        x_bind_short(a, unordered);
    } else if (cc == CC_NE) {
        branch(e, CC_P);
        branch(e, CC_NE);
    } else {
        branch(e, (int)cc);
    }
}
static void add_and_branch(emitter *e, unsigned cc, bool compares, bool by_slot) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    operand from = read_slot(e, w[1].s[1]), b = by_slot ? read_slot(e, w[2].uw[1]) : in_reg(0);
    unsigned to = result_home(e, w[1].s[0], IN_R, ACC_R);
    if (!from.is_mem && from.reg != to) {
        x_lea(a, 0, to, at_mem(from.reg, w[2].w[0]));
    } else {
        x_mov(a, 0, to, from);
        x_alu_imm(a, 0, X_ADD, in_reg(to), w[2].w[0]);
    }
    write_slot(e, w[1].s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) x_mov(a, 1, ACC_R, in_reg(to));
    if (!compares)
        x_op(a, 0, 0x85, to, in_reg(to));
    else if (by_slot)
        x_alu(a, 0, X_CMP, to, b);
    else
        x_alu_imm(a, 0, X_CMP, in_reg(to), w[2].w[1]);
    branch(e, (int)cc);
}
static unsigned addbr_condition(unsigned family) {
    switch (family) {
    case FAMILY_addbr_eq: return CC_E;
    case FAMILY_addbr_ne: return CC_NE;
    case FAMILY_addbr_lt_s: return CC_L;
    case FAMILY_addbr_lt_u: return CC_B;
    case FAMILY_addbr_gt_s: return CC_G;
    case FAMILY_addbr_gt_u: return CC_A;
    case FAMILY_addbr_le_s: return CC_LE;
    case FAMILY_addbr_le_u: return CC_BE;
    case FAMILY_addbr_ge_s: return CC_GE;
    default: return CC_AE;
    }
}

/* --- one operand ---------------------------------------------------------------------------------------- */
static operand read_one(emitter *e, const ts_shape *p) {
    return p->form == FORM_A ? in_reg(acc_of(p->in)) : read_slot(e, e->w[1].s[1]);
}
static void to_integer(emitter *e, const ts_shape *p, int wide, unsigned opcode, operand from) {
    unsigned to = integer_result(e, p);
    x_op(&e->a, wide, opcode, to, from);
    finish_integer(e, p, to);
}
static void count_zeros(emitter *e, const ts_shape *p, bool leading, operand from) {
    assembler *a = &e->a;
    int wide = p->size == 8, bits = wide ? 64 : 32;
    x_imm(a, RCX, leading ? (unsigned)(2 * bits - 1) : (unsigned)bits);
    x_op(a, wide, leading ? 0x0fbd : 0x0fbc, RAX, from); /* bsr, bsf */
    x_op(a, 0, 0x0f40 | CC_E, RAX, in_reg(RCX));
    if (leading) x_alu_imm(a, 0, X_XOR, in_reg(RAX), bits - 1);
    unsigned to = integer_result(e, p);
    x_mov(a, 1, to, in_reg(RAX));
    finish_integer(e, p, to);
}
static void from_integer(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    assembler *a = &e->a;
    unsigned to = float_result(e, p);
    x_mov(a, wide, RAX, from);
    if (wide && is_unsigned) {
        x_op(a, 1, 0x85, RAX, in_reg(RAX));
        side_exit(e, CC_S);
    }
    x_op(a, 0, 0x0f57, to, in_reg(to));
    x_any(a, p->out == IN_D ? 0xf2 : 0xf3, wide || is_unsigned, 0x0f2a, to, in_reg(RAX), 0);
    finish_float(e, p, to);
}
/* Truncate, if the result is in range. If not, the interpreter traps or saturates. */
static void truncate(emitter *e, const ts_shape *p, int wide, bool is_unsigned, operand from) {
    assembler *a = &e->a;
    x_any(a, p->in == IN_D ? 0xf2 : 0xf3, 1, 0x0f2c, RAX, from, 0); /* cvttsd2si rax; out of range: 1 << 63 */
    if (!wide && !is_unsigned) {
        x_op(a, 1, 0x63, RCX, in_reg(RAX)); /* movsxd */
        x_alu(a, 1, X_CMP, RCX, in_reg(RAX));
        side_exit(e, CC_NE);
        x_mov(a, 0, RCX, in_reg(RAX));
        x_mov(a, 0, RAX, in_reg(RCX));
    } else if (!wide) {
        x_op(a, 0, 0x8b, RCX, in_reg(RAX));
        x_alu(a, 1, X_CMP, RCX, in_reg(RAX));
        side_exit(e, CC_NE);
    } else if (is_unsigned) {
        x_op(a, 1, 0x85, RAX, in_reg(RAX));
        side_exit(e, CC_S);
    } else {
        x_alu_imm(a, 1, X_CMP, in_reg(RAX), 1);
        side_exit(e, CC_O);
    }
    unsigned to = integer_result(e, p);
    x_mov(a, 1, to, in_reg(RAX));
    finish_integer(e, p, to);
}
/* Change the sign bit: btr clears it, btc inverts it. */
static void change_sign(emitter *e, const ts_shape *p, unsigned op, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (from.is_mem)
        x_mov(a, two, RAX, from);
    else
        x_reg_from_xmm(a, two, RAX, from.reg);
    x_op(a, two, 0x0fba, op, in_reg(RAX));
    put8(a, two ? 63 : 31);
    unsigned to = float_result(e, p);
    x_xmm_from_reg(a, two, to, RAX);
    finish_float(e, p, to);
}
static void float_unary(emitter *e, const ts_shape *p, int two, unsigned opcode, operand from) {
    unsigned to = float_result(e, p);
    x_sse(&e->a, two, opcode, to, from);
    finish_float(e, p, to);
}
static void round_to(emitter *e, const ts_shape *p, unsigned mode, operand from) {
    if (!__builtin_cpu_supports("sse4.1")) {
        leave(e);
        return;
    }
    unsigned to = float_result(e, p);
    x_any(&e->a, 0x66, 0, p->size == 8 ? 0x0f3a0b : 0x0f3a0a, to, from, 0);
    put8(&e->a, 8 | mode);
    finish_float(e, p, to);
}
static void make_canonical(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    x_movx(a, two, TMP_X, from);
    x_any(a, two ? 0x66 : 0, 0, 0x0f2e, TMP_X, in_reg(TMP_X), 0);
    uint32_t ordered = x_jump_short(a, CC_NP);
    float_const(e, TMP_X, two, two ? 0x7ff8000000000000u : 0x7fc00000u);
    x_bind_short(a, ordered);
    finish_float(e, p, TMP_X);
}
static void is_zero(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    x_alu_imm(a, p->size == 8, X_CMP, from, 0);
    x_setcc(a, CC_E, RAX);
    unsigned to = integer_result(e, p);
    x_movzx8(a, to, RAX);
    finish_integer(e, p, to);
}
static void extend8(emitter *e, const ts_shape *p, int wide, operand from) {
    unsigned to = integer_result(e, p);
    x_any(&e->a, 0, wide, 0x0fbe, to, from, 1);
    finish_integer(e, p, to);
}
static void reinterpret(emitter *e, const ts_shape *p, operand from) {
    assembler *a = &e->a;
    int two = p->size == 8;
    if (p->out == IN_R) {
        unsigned to = integer_result(e, p);
        if (from.is_mem)
            x_mov(a, two, to, from);
        else
            x_reg_from_xmm(a, two, to, from.reg);
        finish_integer(e, p, to);
    } else {
        unsigned to = float_result(e, p);
        if (from.is_mem)
            x_movx(a, two, to, from);
        else
            x_xmm_from_reg(a, two, to, from.reg);
        finish_float(e, p, to);
    }
}
static void unary(emitter *e, const ts_shape *p) {
    operand from = read_one(e, p);
    switch (p->family) {
    case FAMILY_i32_eqz:
    case FAMILY_i64_eqz: is_zero(e, p, from); return;
    case FAMILY_i32_clz:
    case FAMILY_i64_clz: count_zeros(e, p, true, from); return;
    case FAMILY_i32_ctz:
    case FAMILY_i64_ctz: count_zeros(e, p, false, from); return;
    case FAMILY_i32_popcnt:
    case FAMILY_i64_popcnt:
        if (!__builtin_cpu_supports("popcnt")) break;
        {
            unsigned to = integer_result(e, p);
            x_any(&e->a, 0xf3, p->size == 8, 0x0fb8, to, from, 0);
            finish_integer(e, p, to);
        }
        return;
    case FAMILY_i32_wrap_i64: to_integer(e, p, 0, 0x8b, from); return;
    case FAMILY_i64_extend_i32_s:
    case FAMILY_i64_extend32_s: to_integer(e, p, 1, 0x63, from); return;
    case FAMILY_i32_extend8_s: extend8(e, p, 0, from); return;
    case FAMILY_i64_extend8_s: extend8(e, p, 1, from); return;
    case FAMILY_i32_extend16_s: to_integer(e, p, 0, 0x0fbf, from); return;
    case FAMILY_i64_extend16_s: to_integer(e, p, 1, 0x0fbf, from); return;
    case FAMILY_f32_abs:
    case FAMILY_f64_abs: change_sign(e, p, 6, from); return;
    case FAMILY_f32_neg:
    case FAMILY_f64_neg: change_sign(e, p, 7, from); return;
    case FAMILY_f32_nearest:
    case FAMILY_f64_nearest: round_to(e, p, 0, from); return;
    case FAMILY_f32_floor:
    case FAMILY_f64_floor: round_to(e, p, 1, from); return;
    case FAMILY_f32_ceil:
    case FAMILY_f64_ceil: round_to(e, p, 2, from); return;
    case FAMILY_f32_trunc:
    case FAMILY_f64_trunc: round_to(e, p, 3, from); return;
    case FAMILY_f32_sqrt:
    case FAMILY_f64_sqrt: float_unary(e, p, p->size == 8, 0x0f51, from); return;
    case FAMILY_f32_demote_f64: float_unary(e, p, 1, 0x0f5a, from); return;
    case FAMILY_f64_promote_f32: float_unary(e, p, 0, 0x0f5a, from); return;
    case FAMILY_f32_convert_i32_s:
    case FAMILY_f64_convert_i32_s: from_integer(e, p, 0, false, from); return;
    case FAMILY_f32_convert_i32_u:
    case FAMILY_f64_convert_i32_u: from_integer(e, p, 0, true, from); return;
    case FAMILY_f32_convert_i64_s:
    case FAMILY_f64_convert_i64_s: from_integer(e, p, 1, false, from); return;
    case FAMILY_f32_convert_i64_u:
    case FAMILY_f64_convert_i64_u: from_integer(e, p, 1, true, from); return;
    case FAMILY_i32_reinterpret_f32:
    case FAMILY_i64_reinterpret_f64:
    case FAMILY_f32_reinterpret_i32:
    case FAMILY_f64_reinterpret_i64: reinterpret(e, p, from); return;
    case FAMILY_f32_canon:
    case FAMILY_f64_canon: make_canonical(e, p, from); return;
    case FAMILY_i32_trunc_f32_s:
    case FAMILY_i32_trunc_f64_s:
    case FAMILY_i32_trunc_sat_f32_s:
    case FAMILY_i32_trunc_sat_f64_s: truncate(e, p, 0, false, from); return;
    case FAMILY_i32_trunc_f32_u:
    case FAMILY_i32_trunc_f64_u:
    case FAMILY_i32_trunc_sat_f32_u:
    case FAMILY_i32_trunc_sat_f64_u: truncate(e, p, 0, true, from); return;
    case FAMILY_i64_trunc_f32_s:
    case FAMILY_i64_trunc_f64_s:
    case FAMILY_i64_trunc_sat_f32_s:
    case FAMILY_i64_trunc_sat_f64_s: truncate(e, p, 1, false, from); return;
    case FAMILY_i64_trunc_f32_u:
    case FAMILY_i64_trunc_f64_u:
    case FAMILY_i64_trunc_sat_f32_u:
    case FAMILY_i64_trunc_sat_f64_u: truncate(e, p, 1, true, from); return;
    default: break;
    }
    leave(e);
}

/* --- memory 0 ------------------------------------------------------------------------------------------- */
/* The place of an access of `size` bytes. It is in rax, which keeps it; rcx is free afterwards.
 * base_form: FORM_A … FORM_I, of the address. */
static operand address(emitter *e, const ts_shape *p, unsigned base_form, uint32_t slot) {
    assembler *a = &e->a;
    uint32_t offset = e->w[1].uw[1];
    operand from = base_form == FORM_S || base_form == FORM_P ? read_slot(e, slot) : in_reg(ACC_R);
    bool sums = base_form == FORM_P || base_form == FORM_Q;
    if (base_form == FORM_I) {
        if (!p->checked && offset <= INT32_MAX) return at_mem(MEMORY, (int32_t)offset);
        x_imm(a, RAX, offset);
        offset = 0;
    } else if (sums) { /* slot + constant, in 32 bits */
        if (!from.is_mem) {
            x_lea(a, 0, RAX, at_mem(from.reg, (int32_t)offset));
        } else {
            x_mov(a, 0, RAX, from);
            x_alu_imm(a, 0, X_ADD, in_reg(RAX), (int32_t)offset);
        }
        offset = 0;
    } else if (p->checked) {
        x_mov(a, 1, RAX, from); /* a 64-bit memory has 64-bit addresses */
    } else {
        x_op(a, 0, 0x8b, RAX, from);
    }
    if (!p->checked) {
        if (offset <= INT32_MAX) return at_index(MEMORY, RAX, (int32_t)offset);
        x_imm(a, RCX, offset);
        x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
        return at_index(MEMORY, RAX, 0);
    }
    uint64_t more = (uint64_t)offset + p->size;
    x_imm(a, RCX, more);
    x_alu(a, 1, X_ADD, RAX, in_reg(RCX));
    side_exit(e, CC_B);
    x_mov(a, 1, RCX, at_mem(INSTANCE, e->t->instance_mems));
    x_mov(a, 1, RCX, at_mem(RCX, 0));
    x_alu(a, 1, X_CMP, RAX, at_mem(RCX, e->t->memory_len));
    side_exit(e, CC_A);
    x_alu(a, 1, X_ADD, RAX, at_mem(RCX, e->t->memory_base));
    return at_mem(RAX, -(int32_t)p->size);
}
static void note_fault(emitter *e, const ts_shape *p) {
    if (!p->checked) PUSH(e->faults, ((ts_native_entry){.word = e->in->at, .code = e->a.len}));
}
static void load(emitter *e, const ts_shape *p) {
    assembler *a = &e->a;
    operand m = address(e, p, p->form, e->w[1].s[1]);
    if (p->out != IN_R) {
        unsigned to = float_result(e, p);
        note_fault(e, p);
        x_movx(a, p->size == 8, to, m);
        finish_float(e, p, to);
        return;
    }
    unsigned to = integer_result(e, p);
    int wide = p->family == FAMILY_i64_load8_s || p->family == FAMILY_i64_load16_s || p->family == FAMILY_i64_load32_s;
    note_fault(e, p);
    switch (p->size) {
    case 1: x_op(a, wide, p->is_signed ? 0x0fbe : 0x0fb6, to, m); break;
    case 2: x_op(a, wide, p->is_signed ? 0x0fbf : 0x0fb7, to, m); break;
    case 4: x_op(a, wide, wide ? 0x63 : 0x8b, to, m); break;
    default: x_op(a, 1, 0x8b, to, m); break;
    }
    finish_integer(e, p, to);
}
static void store_register(emitter *e, const ts_shape *p, operand m, unsigned from) {
    note_fault(e, p);
    switch (p->size) {
    case 1: x_any(&e->a, 0, 0, 0x88, from, m, 1); break;
    case 2: x_any(&e->a, 0x66, 0, 0x89, from, m, 0); break;
    default: x_op(&e->a, p->size == 8, 0x89, from, m); break;
    }
}
static void store_constant(emitter *e, const ts_shape *p, operand m, uint64_t v) {
    assembler *a = &e->a;
    if (p->size == 8 && (uint64_t)(int64_t)(int32_t)v != v) {
        x_imm(a, RCX, v);
        store_register(e, p, m, RCX);
        return;
    }
    note_fault(e, p);
    if (p->size == 1) {
        x_op(a, 0, 0xc6, 0, m);
        put8(a, (unsigned)v & 0xff);
    } else if (p->size == 2) {
        x_any(a, 0x66, 0, 0xc7, 0, m, 0);
        put8(a, (unsigned)v & 0xff);
        put8(a, (unsigned)(v >> 8) & 0xff);
    } else {
        x_op(a, p->size == 8, 0xc7, 0, m);
        put32(a, (uint32_t)v);
    }
}
static void store(emitter *e, const ts_shape *p) {
    static const uint8_t base_of[] = {
        [FORM_AS] = FORM_A, [FORM_SA] = FORM_S, [FORM_SS] = FORM_S, [FORM_AI] = FORM_A,
        [FORM_SI] = FORM_S, [FORM_PS] = FORM_P, [FORM_PI] = FORM_P, [FORM_QS] = FORM_Q,
        [FORM_QI] = FORM_Q, [FORM_IS] = FORM_I, [FORM_IA] = FORM_I, [FORM_II] = FORM_I,
    };
    const ts_word *w = e->w;
    switch (p->form) {
    case FORM_AI:
    case FORM_SI:
    case FORM_PI:
    case FORM_QI:
    case FORM_II: store_constant(e, p, address(e, p, base_of[p->form], w[1].s[0]), w[2].u); return;
    case FORM_SA:
    case FORM_IA: store_register(e, p, address(e, p, base_of[p->form], w[1].s[0]), ACC_R); return;
    default: break;
    }
    operand value = read_slot(e, w[1].s[1]);
    operand m = address(e, p, base_of[p->form], w[1].s[0]);
    if (value.is_mem) {
        x_mov(&e->a, 1, RCX, value);
        value = in_reg(RCX);
    }
    store_register(e, p, m, value.reg);
}
static void store_from_float(emitter *e, const ts_shape *p) {
    operand m = address(e, p, p->form, e->w[1].s[0]);
    note_fault(e, p);
    x_sse(&e->a, p->size == 8, 0x0f11, acc_of(p->in), m);
}

/* --- the other operations ------------------------------------------------------------------------------- */
static void copy(emitter *e, uint32_t to, uint32_t from) {
    assembler *a = &e->a;
    unsigned k = candidate_of(e, from), to_k = candidate_of(e, to);
    operand m = read_slot(e, from);
    if (!m.is_mem) {
        write_slot(e, to, e->f.candidate[k].class, m.reg);
    } else if (has_home(e, to_k)) {
        unsigned class = e->f.candidate[to_k].class, home = home_of(e, to_k);
        if (class == IN_R)
            x_mov(a, 1, home, m);
        else
            x_movx(a, 1, home, m);
        note_written(e, to_k);
    } else {
        x_mov(a, 1, RAX, m);
        x_store(a, 1, slot_memory(to), RAX);
    }
}
/* Several slots, as if at once. */
static void move_slots(emitter *e, uint32_t to, uint32_t from, uint32_t n) {
    slot_set into = 0;
    unsigned k;
    EACH(k, e->f.all) {
        uint32_t s = e->f.candidate[k].slot;
        if (s >= from && s < from + n && (e->dirty >> k & 1)) {
            store_home(e, k);
            e->dirty &= ~SET_BIT(k);
        }
        if (s >= to && s < to + n) into |= SET_BIT(k);
    }
    for (uint32_t j = 0; j < n; j++) {
        uint32_t at = to < from ? j : n - 1 - j;
        room(&e->a, 0);
        x_mov(&e->a, 1, RAX, slot_memory(from + at));
        x_store(&e->a, 1, slot_memory(to + at), RAX);
    }
    e->valid &= ~into;
    e->dirty &= ~into;
}
static void constant(emitter *e, uint32_t slot, uint64_t v) {
    unsigned k = candidate_of(e, slot);
    if (has_home(e, k)) {
        unsigned class = e->f.candidate[k].class, home = home_of(e, k);
        if (class == IN_R)
            x_imm(&e->a, home, v);
        else
            float_const(e, home, 1, v);
        note_written(e, k);
    } else if ((uint64_t)(int64_t)(int32_t)v == v) {
        x_op(&e->a, 1, 0xc7, 0, slot_memory(slot));
        put32(&e->a, (uint32_t)v);
    } else {
        x_imm(&e->a, RAX, v);
        x_store(&e->a, 1, slot_memory(slot), RAX);
    }
}
static operand global(emitter *e) {
    x_mov(&e->a, 1, RCX, at_mem(INSTANCE, e->t->instance_globals));
    x_mov(&e->a, 1, RCX, at_mem(RCX, (int32_t)(e->w[1].uw[1] * 8)));
    return at_mem(RCX, e->t->global_value);
}
static void global_get(emitter *e, unsigned class, bool to_slot) {
    operand m = global(e);
    unsigned acc = acc_of(class);
    if (class == IN_R)
        x_mov(&e->a, 1, acc, m);
    else
        x_movx(&e->a, class == IN_D, acc, m);
    if (to_slot) write_slot(e, e->w[1].s[0], class, acc);
}
static void global_set(emitter *e) {
    operand from = read_slot(e, e->w[1].s[0]);
    unsigned k = candidate_of(e, e->w[1].s[0]);
    if (from.is_mem)
        x_mov(&e->a, 1, RAX, from);
    else if (e->f.candidate[k].class != IN_R)
        x_reg_from_xmm(&e->a, 1, RAX, from.reg);
    unsigned reg = from.is_mem || e->f.candidate[k].class != IN_R ? RAX : from.reg;
    x_store(&e->a, 1, global(e), reg);
}
static void select_value(emitter *e, unsigned class, bool by_slot, bool to_slot) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    operand yes = read_slot(e, s[1]), no = read_slot(e, s[2]);
    operand cond = by_slot ? read_slot(e, s[3]) : in_reg(ACC_R);
    unsigned acc = acc_of(class), to = to_slot ? result_home(e, s[0], class, acc) : acc;
    x_alu_imm(a, 0, X_CMP, cond, 0);
    if (class == IN_R) {
        if (is_reg(yes, to)) {
            x_op(a, 1, 0x0f40 | CC_E, to, no);
        } else {
            x_mov(a, 1, to, no);
            x_op(a, 1, 0x0f40 | CC_NE, to, yes);
        }
    } else {
        int two = class == IN_D;
        unsigned in = is_reg(yes, to) || is_reg(no, to) ? TMP_X : to;
        x_movx(a, two, in, no);
        uint32_t skip = x_jump_short(a, CC_E);
        x_movx(a, two, in, yes);
        x_bind_short(a, skip);
        x_movx(a, 1, to, in_reg(in));
    }
    if (to_slot) write_slot(e, s[0], class, to);
    if (to != acc && lives_on(e, BIT_R + class)) {
        if (class == IN_R)
            x_mov(a, 1, acc, in_reg(to));
        else
            x_movx(a, 1, acc, in_reg(to));
    }
}
static void shift_and_add(emitter *e, bool by_slot, bool to_slot) {
    assembler *a = &e->a;
    const uint16_t *s = e->w[1].s;
    operand base = read_slot(e, s[1]), index = by_slot ? read_slot(e, s[2]) : in_reg(ACC_R);
    unsigned to = to_slot ? result_home(e, s[0], IN_R, ACC_R) : ACC_R;
    if (!base.is_mem && !index.is_mem && s[3] <= 3) {
        x_lea(a, 0, to, at_index(base.reg, index.reg, 0));
        unsigned sib = a->len - ((base.reg & 7) == 5 ? 2 : 1);
        a->code[sib] |= (uint8_t)(s[3] << 6);
    } else {
        x_op(a, 0, 0x8b, RAX, index);
        x_op(a, 0, 0xc1, X_SHL, in_reg(RAX));
        put8(a, s[3] & 31);
        x_alu(a, 0, X_ADD, RAX, base);
        x_mov(a, 1, to, in_reg(RAX));
    }
    if (to_slot) write_slot(e, s[0], IN_R, to);
    if (to != ACC_R && lives_on(e, BIT_R)) x_mov(a, 1, ACC_R, in_reg(to));
}
static void enter_function(emitter *e, bool zeroes) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    x_lea(a, 1, RAX, at_mem(FRAME, (int32_t)w[1].uw[1] * 8));
    x_alu(a, 1, X_CMP, RAX, at_mem(EXEC, e->t->exec_stack_end));
    side_exit(e, CC_A);
    if (!zeroes) return;
    uint32_t from = w[1].s[0], n = w[1].s[1];
    if (n > 32) {
        x_lea(a, 1, RAX, slot_memory(from));
        x_imm(a, RCX, n);
        uint32_t again = a->len;
        x_op(a, 1, 0xc7, 0, at_mem(RAX, 0));
        put32(a, 0);
        x_alu_imm(a, 1, X_ADD, in_reg(RAX), 8);
        x_alu_imm(a, 0, X_SUB, in_reg(RCX), 1);
        x_bind(a, x_jump(a, CC_NE), again);
        return;
    }
    for (uint32_t s = from; s < from + n; s++) {
        unsigned k = candidate_of(e, s);
        if (has_home(e, k) && !lives_on(e, k)) continue;
        room(a, 0);
        if (has_home(e, k)) {
            unsigned home = home_of(e, k);
            if (e->f.candidate[k].class == IN_R)
                x_imm(a, home, 0);
            else
                x_op(a, 0, 0x0f57, home, in_reg(home));
            note_written(e, k);
        } else {
            x_op(a, 1, 0xc7, 0, slot_memory(s));
            put32(a, 0);
        }
    }
}
static void take_fuel(emitter *e) {
    assembler *a = &e->a;
    x_mov(a, 1, RAX, at_mem(EXEC, e->t->exec_store));
    x_alu_imm(a, 0, X_CMP, at_mem(RAX, e->t->store_interrupted), 0);
    side_exit(e, CC_NE);
    x_mov(a, 1, RAX, at_mem(EXEC, e->t->exec_fuel));
    x_lea(a, 1, RCX, at_mem(RAX, 1));
    x_alu_imm(a, 1, X_CMP, in_reg(RCX), 1); /* fuel 0: used up; UINT64_MAX: not metered */
    side_exit(e, CC_E);
    uint32_t unmetered = x_jump_short(a, CC_B);
    x_alu_imm(a, 1, X_SUB, at_mem(EXEC, e->t->exec_fuel), 1);
    x_bind_short(a, unmetered);
}
/* The link of a frame that is called: where it returns to, and the frame. */
static void push_link(emitter *e, uint32_t link, uint32_t words) {
    assembler *a = &e->a;
    x_imm(a, RCX, (uintptr_t)(e->linked + e->in->at + words));
    x_store(a, 1, slot_memory(link), RCX);
    x_store(a, 1, slot_memory(link + 1), FRAME);
}
static void continue_at_entry(emitter *e, operand entry) {
    x_mov(&e->a, 1, R12, entry);
    x_jmp_mem(&e->a, at_mem(R12, 0));
}
static void after_call(emitter *e) {
    e->valid = e->dirty = 0;
    add_entry(e, e->i + 1, e->a.len);
}
static void call(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    store_set(e, e->dirty & (e->in->live_in));
    push_link(e, w[1].s[1], 3);
    if (w[1].s[0]) x_alu_imm(a, 1, X_ADD, in_reg(FRAME), (int32_t)w[1].s[0] * 8);
    x_imm(a, RAX, (uintptr_t)&e->callees[w[2].u]);
    continue_at_entry(e, at_mem(RAX, (int32_t)offsetof(ts_fcode, entry)));
    after_call(e);
}
static void call_indirect(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    store_set(e, e->dirty & e->in->live_in);
    e->dirty &= ~e->in->live_in;
    operand index = read_slot(e, w[1].s[3]);
    x_mov(a, 1, RAX, index);
    x_mov(a, 1, RCX, at_mem(INSTANCE, e->t->instance_tables));
    x_mov(a, 1, RCX, at_mem(RCX, (int32_t)(w[2].uw[1] * 8)));
    x_alu(a, 1, X_CMP, RAX, at_mem(RCX, e->t->table_len));
    side_exit(e, CC_AE);
    x_mov(a, 1, RCX, at_mem(RCX, e->t->table_elems));
    x_any(a, 0, 1, 0x8b, RAX, at_index(RCX, RAX, 0), 0);
    a->code[a->len - 1] |= 0xc0; /* scale 8 */
    x_op(a, 1, 0x85, RAX, in_reg(RAX));
    side_exit(e, CC_E);
    x_alu_imm(a, 0, X_CMP, at_mem(RAX, e->t->func_type), (int32_t)w[2].uw[0]);
    side_exit(e, CC_NE);
    x_alu(a, 1, X_CMP, INSTANCE, at_mem(RAX, e->t->func_inst));
    side_exit(e, CC_NE);
    push_link(e, w[1].s[1], 3);
    if (w[1].s[0]) x_alu_imm(a, 1, X_ADD, in_reg(FRAME), (int32_t)w[1].s[0] * 8);
    x_mov(a, 1, RAX, at_mem(RAX, e->t->func_code));
    continue_at_entry(e, at_mem(RAX, (int32_t)offsetof(ts_fcode, entry)));
    after_call(e);
    e->rejoin = false; /* the next instruction is an entry already */
}
static void go_back(emitter *e) {
    uint32_t link = e->w[1].s[3];
    x_mov(&e->a, 1, R12, slot_memory(link));
    x_mov(&e->a, 1, FRAME, slot_memory(link + 1));
    x_jmp_mem(&e->a, at_mem(R12, 0));
}
static void return_slot(emitter *e, unsigned class) {
    operand from = read_slot(e, e->w[1].s[0]);
    unsigned acc = acc_of(class);
    if (class == IN_R) {
        x_mov(&e->a, 1, acc, from);
        x_store(&e->a, 1, slot_memory(0), acc);
    } else {
        x_movx(&e->a, class == IN_D, acc, from);
        store_float(e, 0, acc, class == IN_D);
    }
    go_back(e);
}
static void other(emitter *e) {
    assembler *a = &e->a;
    const ts_word *w = e->w;
    const uint16_t *s = w[1].s;
    unsigned op = (unsigned)w->u;
    if (op >= TS_IR_select_r_A && op <= TS_IR_select_d_SS) {
        unsigned form = op - TS_IR_select_r_A;
        select_value(e, form / 4, form % 4 >= 2, form & 1);
        return;
    }
    switch (op) {
    case TS_IR_i32_addbr_nz: add_and_branch(e, CC_NE, false, false); return;
    case TS_IR_i32_shladd_A: shift_and_add(e, false, false); return;
    case TS_IR_i32_shladd_A_S: shift_and_add(e, false, true); return;
    case TS_IR_i32_shladd_S: shift_and_add(e, true, false); return;
    case TS_IR_i32_shladd_S_S: shift_and_add(e, true, true); return;
    case TS_IR_copy: copy(e, s[0], s[1]); return;
    case TS_IR_copy2: move_slots(e, s[0], s[1], 2); return;
    case TS_IR_copyn:
        if (s[2] > 64) break;
        move_slots(e, s[0], s[1], s[2]);
        return;
    case TS_IR_const_s: constant(e, s[0], w[2].u); return;
    case TS_IR_put_r: write_slot(e, s[0], IN_R, ACC_R); return;
    case TS_IR_put_f: write_slot(e, s[0], IN_F, 0); return;
    case TS_IR_put_d: write_slot(e, s[0], IN_D, 1); return;
    case TS_IR_global_get_r_A: global_get(e, IN_R, false); return;
    case TS_IR_global_get_r_S: global_get(e, IN_R, true); return;
    case TS_IR_global_get_f_A: global_get(e, IN_F, false); return;
    case TS_IR_global_get_f_S: global_get(e, IN_F, true); return;
    case TS_IR_global_get_d_A: global_get(e, IN_D, false); return;
    case TS_IR_global_get_d_S: global_get(e, IN_D, true); return;
    case TS_IR_global_set_s: global_set(e); return;
    case TS_IR_global_set_r: x_store(a, 1, global(e), ACC_R); return;
    case TS_IR_br: branch(e, -1); return;
    case TS_IR_br_nz_A:
    case TS_IR_br_z_A:
        x_op(a, 0, 0x85, ACC_R, in_reg(ACC_R));
        branch(e, op == TS_IR_br_nz_A ? CC_NE : CC_E);
        return;
    case TS_IR_br_nz_S:
    case TS_IR_br_z_S:
        x_alu_imm(a, 0, X_CMP, read_slot(e, s[0]), 0);
        branch(e, op == TS_IR_br_nz_S ? CC_NE : CC_E);
        return;
    case TS_IR_br_table_A: br_table(e, in_reg(ACC_R)); return;
    case TS_IR_br_table: br_table(e, read_slot(e, s[0])); return;
    case TS_IR_enter: enter_function(e, true); return;
    case TS_IR_enter0: enter_function(e, false); return;
    case TS_IR_fuel: take_fuel(e); return;
    case TS_IR_count: enter_here(e, e->i, e->in->live_in); return;
    case TS_IR_call: call(e); return;
    case TS_IR_call_indirect: call_indirect(e); return;
    case TS_IR_ret: go_back(e); return;
    case TS_IR_ret_r:
        x_store(a, 1, slot_memory(0), ACC_R);
        go_back(e);
        return;
    case TS_IR_ret_f:
        store_float(e, 0, 0, 0);
        go_back(e);
        return;
    case TS_IR_ret_d:
        store_float(e, 0, 1, 1);
        go_back(e);
        return;
    case TS_IR_ret_s_r: return_slot(e, IN_R); return;
    case TS_IR_ret_s_f: return_slot(e, IN_F); return;
    case TS_IR_ret_s_d: return_slot(e, IN_D); return;
    case TS_IR_ret_n:
        if (s[1] > 64) break;
        move_slots(e, 0, s[0], s[1]);
        go_back(e);
        return;
    default: break;
    }
    leave(e);
}

/* --- a function ----------------------------------------------------------------------------------------- */
static void instruction(emitter *e) {
    const ts_shape *p = &ts_shapes[e->w->u];
    switch ((ts_shape_kind)p->kind) {
    case SHAPE_OP: other(e); return;
    case SHAPE_BIN:
    case SHAPE_DIV: binary(e, p); return;
    case SHAPE_UN:
    case SHAPE_TRUNC: unary(e, p); return;
    case SHAPE_CMP: compare(e, p); return;
    case SHAPE_CMP_BR: compare_and_branch(e, p); return;
    case SHAPE_LOAD: load(e, p); return;
    case SHAPE_STORE: store(e, p); return;
    case SHAPE_STOREF: store_from_float(e, p); return;
    case SHAPE_ADDBR: add_and_branch(e, addbr_condition(p->family), true, p->form == FORM_SS); return;
    case SHAPE_SLOW:
    case SHAPE_VECTOR: leave(e); return;
    }
}
static void emit_function(emitter *e) {
    e->reachable = true;
    add_entry(e, 0, 0);
    for (e->i = 0; e->i < e->f.n && !e->nomem; e->i++) {
        e->in = &e->f.ins[e->i];
        e->w = e->f.code + e->in->at;
        room(&e->a, 0);
        if (e->in->is_label) bind_label(e);
        if (!e->reachable) {
            e->valid = e->dirty = 0;
            e->reachable = true;
        }
        e->rejoin = false;
        ts_operands o;
        ts_operands_of(e->w, &o);
        e->ends = o.ends;
        room(&e->a, 0);
        instruction(e);
        if (o.ends) e->reachable = false;
        if (e->rejoin && !o.ends) enter_here(e, e->i + 1, e->in->live_out);
        e->valid &= e->in->live_out;
        e->dirty &= e->in->live_out;
    }
    emit_cold(e);
    emit_tables(e);
    apply_fixups(e);
}
static bool divides(const ts_word *code, uint32_t n_words) {
    for (uint32_t i = 0; i < n_words; i += ts_ir_len(&code[i]))
        if (ts_shapes[code[i].u].kind == SHAPE_DIV) return true;
    return false;
}

bool ts_native_make(const ts_compiled *ir, const ts_word *linked, ts_fcode *callees, const ts_native_layout *layout,
                    const void *const *handlers, ts_native *out) {
    emitter all = {.t = layout, .handlers = handlers, .linked = linked, .callees = callees}, *e = &all;
    flow_registers have = {sizeof integer_homes, sizeof floating_homes};
    if (divides(ir->code, ir->n_words)) have.integer--; /* rdx is the last home */
    *out = (ts_native){0};
    bool ok = flow_analyse(&e->f, ir->code, ir->n_words, ir->frame_slots, ir->handlers, ir->n_handlers, have) &&
              (e->labels = calloc((size_t)e->f.n + 1, sizeof *e->labels)) &&
              (e->has_entry = calloc((size_t)e->f.n + 1, 1)) && room(&e->a, e->f.n * 16);
    if (ok) {
        emit_function(e);
        ok = !e->nomem && !e->a.failed;
    }
    if (ok) {
        *out = (ts_native){.code = e->a.code,
                           .len = e->a.len,
                           .entries = e->entries.data,
                           .n_entries = e->entries.len,
                           .faults = e->faults.data,
                           .n_faults = e->faults.len};
    } else {
        free(e->a.code);
        ts_vec_free(&e->entries);
        ts_vec_free(&e->faults);
    }
    free(e->labels);
    free(e->has_entry);
    ts_vec_free(&e->fixups);
    ts_vec_free(&e->cold);
    ts_vec_free(&e->tables);
    ts_vec_free(&e->table_targets);
    flow_free(&e->f);
    return ok;
}
#else
bool ts_native_make(const ts_compiled *ir, const ts_word *linked, ts_fcode *callees, const ts_native_layout *layout,
                    const void *const *handlers, ts_native *out) {
    (void)ir, (void)linked, (void)callees, (void)layout, (void)handlers;
    *out = (ts_native){0};
    return false;
}
#endif
void ts_native_free(ts_native *n) {
    free(n->code);
    free(n->entries);
    free(n->faults);
    *n = (ts_native){0};
}
