/* emit: machine code for one function, in one pass over its IR. See native.h and emitter.h.
 *
 * A candidate is `valid` if its home holds its value, and `dirty` if its slot in the frame does not. Each label
 * has a fixed state, which every way to it establishes. A loop's first instruction wants all slots that the
 * loop uses in their homes. */
#include "core/native/adapter.h"
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE
#define EACH(k, set) for (slot_set set_ = (set); set_ && ((k) = (unsigned)__builtin_ctzll(set_), 1); set_ &= set_ - 1)

/* --- slots and homes ------------------------------------------------------------------------------------ */
/* The home now belongs to candidate k. */
static void claim(emitter *e, unsigned k) {
    TS_ASSERT(!(e->dirty & e->f.shares[k] & e->in->live_out));
    e->valid &= ~e->f.shares[k];
    e->dirty &= ~e->f.shares[k];
    e->valid |= SET_BIT(k);
}
static void load_home(emitter *e, unsigned k) {
    const flow_candidate *c = &e->f.candidate[k];
    ts_target_read(e, c->class == IN_R ? IN_R : IN_D, home_of(e, k), slot_memory(c->slot));
}
/* Store a home. It keeps the flags. All 64 bits move: a slot that holds an f32 here may hold another value there,
 * of which only copies, calls and constants tell. */
static void store_home(emitter *e, unsigned k) {
    const flow_candidate *c = &e->f.candidate[k];
    ts_target_write(e, c->class == IN_R ? IN_R : IN_D, slot_memory(c->slot), home_of(e, k));
}
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
operand ts_emit_load_slot(emitter *e, uint32_t slot, unsigned k) {
    if (!lives_on(e, k)) return slot_memory(slot);
    load_home(e, k);
    claim(e, k);
    return in_reg(home_of(e, k));
}
void ts_emit_note_written(emitter *e, unsigned k) {
    claim(e, k);
    if (lives_on(e, k)) {
        e->dirty |= SET_BIT(k);
    } else {
        e->valid &= ~SET_BIT(k);
        e->dirty &= ~SET_BIT(k);
    }
}
void ts_emit_write_slot(emitter *e, uint32_t slot, unsigned class, unsigned from) {
    unsigned k = candidate_of(e, slot);
    if (!has_home(k)) {
        ts_target_write(e, class, slot_memory(slot), from);
        return;
    }
    const unsigned home_class = e->f.candidate[k].class;
    if (from != home_of(e, k) || (home_class == IN_R) != (class == IN_R))
        ts_target_move(e, home_class, home_of(e, k), class, from);
    ts_emit_note_written(e, k);
}

/* --- leaving and entering ------------------------------------------------------------------------------- */
void ts_emit_note_number(emitter *e, uint32_t code, ts_native_number number, uint32_t what) {
    PUSH(e->numbers, ((ts_native_number_at){.code = code, .what = what, .number = number}));
}
/* An entry before an instruction is here. */
static void add_entry(emitter *e, uint32_t instruction) {
    if (instruction >= e->f.n || e->has_entry[instruction]) return;
    e->has_entry[instruction] = 1;
    PUSH(e->entries, ((ts_native_entry){.word = e->f.ins[instruction].at, .code = e->a.len}));
    ts_target_landing(e);
}
static void interpret(emitter *e, uint32_t instruction) {
    const flow_instruction *in = &e->f.ins[instruction];
    ts_target_interpret(e, in->at, (uint32_t)e->f.code[in->at].u);
}
void ts_emit_side_exit(emitter *e, int cc) {
    ts_vectors_store(e, 0, UINT32_MAX);
    PUSH(e->cold, ((cold_code){.kind = COLD_EXIT,
                               .jump = ts_target_jump(e, cc),
                               .to = e->i,
                               .valid = e->valid,
                               .dirty = e->dirty & e->in->live_in}));
    e->rejoin = true;
}
void ts_emit_literal(emitter *e, uint32_t load, uint64_t low, uint64_t high) {
    PUSH(e->cold, ((cold_code){.kind = COLD_LITERAL, .jump = load, .to = e->i, .literal = {low, high}}));
}
void ts_emit_leave(emitter *e) {
    ts_vectors_give_up(e);
    store_set(e, e->dirty & e->in->live_in);
    e->dirty = e->valid = 0;
    interpret(e, e->i);
    if (!e->in->operands.ends) add_entry(e, e->i + 1);
}
/* An entry before instruction i, which continues at this place in this state. */
static void enter_here(emitter *e, uint32_t instruction, slot_set live) {
    if (instruction >= e->f.n || e->has_entry[instruction]) return;
    if (!(e->valid & live)) {
        add_entry(e, instruction);
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
static label *label_of(const emitter *e, uint32_t instruction) {
    TS_ASSERT(e->f.ins[instruction].is_label);
    return &e->labels[e->f.ins[instruction].label];
}
/* At a loop's first instruction. */
static void set_loop_state(emitter *e, uint32_t first, label *l) {
    const flow_loop *loop = &e->f.loops[e->f.ins[first].label];
    slot_set live = e->f.ins[first].live_in & e->f.have_homes;
    l->valid = live & loop->used;
    l->dirty = l->valid & loop->written;
    if (!loop->leaves && e->reachable) {
        slot_set kept = e->valid & live & ~loop->used;
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
    label *l = label_of(e, e->i);
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
    ts_target_landing(e); /* of a table */
    e->reachable = true;
    if (e->in->is_entry) enter_here(e, e->i, live);
}
static void want_label(emitter *e, uint32_t to) {
    label *l = label_of(e, to);
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
    PUSH(e->fixups, ((fixup){.at = ts_target_jump(e, cc), .to = to, .base = NO_INSTRUCTION}));
}
void ts_emit_branch(emitter *e, int cc) {
    uint32_t to = e->in->target;
    slot_set live = e->f.ins[to].live_in;
    want_label(e, to);
    if (cc < 0) {
        establish(e, label_of(e, to), live);
        jump_to(e, -1, to);
        e->reachable = false;
    } else if (established(e, label_of(e, to), live)) {
        jump_to(e, cc, to);
    } else {
        PUSH(e->cold,
             ((cold_code){
                 .kind = COLD_EDGE, .jump = ts_target_jump(e, cc), .to = to, .valid = e->valid, .dirty = e->dirty}));
    }
}
static void br_table(emitter *e, operand index) {
    uint32_t n = e->w[1].uw[1];
    uint32_t at = ts_target_table_jump(e, index, n);
    PUSH(e->tables, ((jump_table){.at = at, .first = e->table_targets.len, .n = n + 1}));
    uint32_t id = e->tables.len;
    for (uint32_t k = 0; k <= n; k++) {
        uint32_t to = e->f.ins_of_word[e->in->at + e->w[2 + k].i];
        label *l = label_of(e, to);
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
        if (c->jump != NO_INSTRUCTION) ts_target_bind(e, c->jump, a->len);
        uint32_t continues = c->code;
        c->code = a->len;
        e->in = &e->f.ins[c->to];
        if (e->with_map) PUSH(e->map, ((ts_native_entry){.word = e->in->at, .code = a->len}));
        e->valid = c->valid;
        e->dirty = c->dirty;
        switch (c->kind) {
        case COLD_EXIT:
            store_set(e, c->dirty);
            interpret(e, c->to);
            break;
        case COLD_EDGE:
            if (c->jump == NO_INSTRUCTION) ts_target_landing(e); /* of a table */
            establish(e, label_of(e, c->to), e->in->live_in);
            jump_to(e, -1, c->to);
            break;
        case COLD_LITERAL:
            put64(a, c->literal[0]);
            put64(a, c->literal[1]);
            break;
        default:
            ts_target_landing(e);
            load_set(e, c->valid);
            PUSH(e->entries, ((ts_native_entry){.word = e->in->at, .code = c->code}));
            ts_target_bind(e, ts_target_jump(e, -1), continues);
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
        ts_target_bind(e, t->at, base);
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
        TS_ASSERT(label_of(e, x->to)->bound);
        uint32_t to = label_of(e, x->to)->code;
        if (x->base == NO_INSTRUCTION)
            ts_target_bind(e, x->at, to);
        else
            set32(&e->a, x->at, to - x->base);
    }
}

/* --- operands and results ------------------------------------------------------------------------------- */
pair ts_emit_read_pair(emitter *e, unsigned form, unsigned acc, unsigned slot_a, unsigned slot_b, uint64_t constant) {
    pair p = {.a = in_reg(acc), .b = in_reg(acc)};
    if (form == FORM_SA || form == FORM_SS || form == FORM_SI) p.a = ts_emit_read_slot(e, slot_a);
    if (form == FORM_AS || form == FORM_SS) p.b = ts_emit_read_slot(e, slot_b);
    if (form == FORM_AI || form == FORM_SI) {
        p.b_is_const = true;
        p.b_const = constant;
    }
    return p;
}
operand ts_emit_read_one(emitter *e, const ts_shape *p) {
    return p->form == FORM_A ? in_reg(acc_of(p->in)) : ts_emit_read_slot(e, e->w[1].s[1]);
}
unsigned ts_emit_store_base(unsigned form) {
    static const uint8_t base_of[] = {
        [FORM_AS] = FORM_A, [FORM_SA] = FORM_S, [FORM_SS] = FORM_S, [FORM_AI] = FORM_A,
        [FORM_SI] = FORM_S, [FORM_PS] = FORM_P, [FORM_PI] = FORM_P, [FORM_QS] = FORM_Q,
        [FORM_QI] = FORM_Q, [FORM_IS] = FORM_I, [FORM_IA] = FORM_I, [FORM_II] = FORM_I,
    };
    return base_of[form];
}
unsigned ts_emit_integer_condition(unsigned family) {
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

/* --- the other operations ------------------------------------------------------------------------------- */
static void copy(emitter *e, uint32_t to, uint32_t from) {
    unsigned k = candidate_of(e, from), to_k = candidate_of(e, to);
    operand m = ts_emit_read_slot(e, from);
    if (!m.is_mem) {
        ts_emit_write_slot(e, to, e->f.candidate[k].class, m.reg);
    } else if (has_home(to_k)) {
        ts_target_read(e, e->f.candidate[to_k].class == IN_R ? IN_R : IN_D, home_of(e, to_k), m);
        ts_emit_note_written(e, to_k);
    } else {
        ts_target_copy(e, slot_memory(to), m);
    }
}
void ts_emit_store_slots(emitter *e, uint32_t from, uint32_t to) {
    unsigned k;
    EACH(k, e->dirty & e->f.all) {
        uint32_t s = e->f.candidate[k].slot;
        if (s < from || s >= to) continue;
        store_home(e, k);
        e->dirty &= ~SET_BIT(k);
    }
    ts_vectors_store(e, from, to);
}
void ts_emit_forget_slots(emitter *e, uint32_t from, uint32_t to) {
    unsigned k;
    EACH(k, e->valid & e->f.all) {
        uint32_t s = e->f.candidate[k].slot;
        if (s < from || s >= to) continue;
        e->valid &= ~SET_BIT(k);
        e->dirty &= ~SET_BIT(k);
    }
    ts_vectors_drop(e, from, to);
}
/* Several slots, as if at once. */
static void move_slots(emitter *e, uint32_t to, uint32_t from, uint32_t n) {
    ts_emit_store_slots(e, from, from + n);
    for (uint32_t j = 0; j < n; j++) {
        uint32_t at = to < from ? j : n - 1 - j;
        room(&e->a, 0);
        ts_target_copy(e, slot_memory(to + at), slot_memory(from + at));
    }
    ts_emit_forget_slots(e, to, to + n);
}
static void constant(emitter *e, uint32_t slot, uint64_t v) {
    unsigned k = candidate_of(e, slot);
    if (has_home(k)) {
        ts_target_constant(e, e->f.candidate[k].class, home_of(e, k), v);
        ts_emit_note_written(e, k);
    } else {
        ts_target_write_constant(e, slot_memory(slot), v);
    }
}
static void after_call(emitter *e) {
    e->valid = e->dirty = 0;
    add_entry(e, e->i + 1);
}
static void return_slot(emitter *e, unsigned class) {
    operand from = ts_emit_read_slot(e, e->w[1].s[0]);
    unsigned acc = acc_of(class);
    ts_target_read(e, class, acc, from);
    ts_target_write(e, class, slot_memory(0), acc);
    ts_target_return(e);
}
static void return_accumulator(emitter *e, unsigned class) {
    ts_target_write(e, class, slot_memory(0), acc_of(class));
    ts_target_return(e);
}
static void call(emitter *e) {
    store_set(e, e->dirty & e->in->live_in);
    ts_target_call(e);
    after_call(e);
}
static void call_indirect(emitter *e) {
    store_set(e, e->dirty & e->in->live_in);
    e->dirty &= ~e->in->live_in;
    ts_target_call_indirect(e, ts_emit_read_slot(e, e->w[1].s[3]));
    after_call(e);
    e->rejoin = false; /* the next instruction is an entry already */
}
static void call_import(emitter *e) {
    store_set(e, e->dirty & e->in->live_in);
    e->dirty &= ~e->in->live_in;
    ts_target_call_import(e);
    after_call(e);
    e->rejoin = false; /* as behind call_indirect */
}
/* --- an instruction ------------------------------------------------------------------------------------- */
#define OWN(op) (SHAPE_OP + OP_##op) /* an opcode with a body of its own */
static void instruction(emitter *e) {
    const ts_word *w = e->w;
    const uint16_t *s = w[1].s;
    const ts_shape *p = &ts_shapes[w->u];
    switch (e->in->kind) {
    case SHAPE_BIN:
    case SHAPE_DIV: ts_target_binary(e, p); return;
    case SHAPE_UN:
    case SHAPE_TRUNC: ts_target_unary(e, p); return;
    case SHAPE_CMP: ts_target_compare(e, p); return;
    case SHAPE_CMP_BR: ts_target_compare_and_branch(e, p); return;
    case SHAPE_LOAD: ts_target_load(e, p); return;
    case SHAPE_STORE: ts_target_store(e, p); return;
    case SHAPE_STOREF: ts_target_store_float(e, p); return;
    case SHAPE_ADDBR: ts_target_add_and_branch(e, addbr_condition(p->family), true, p->form == FORM_SS); return;
    case SHAPE_SLOW:
        if (!ts_target_object(e, (unsigned)w->u) && !ts_target_vector_other(e, (unsigned)w->u)) break;
        return;
    case SHAPE_VECTOR:
        if (!ts_target_vector(e, p)) break;
        return;
    case OWN(select_r_A)... OWN(select_d_SS): {
        unsigned form = (unsigned)e->in->kind - OWN(select_r_A);
        ts_target_select(e, form / 4, form % 4 >= 2, form & 1);
        return;
    }
    case OWN(i32_addbr_nz): ts_target_add_and_branch(e, CC_NE, false, false); return;
    case OWN(i32_shladd_A): ts_target_shift_and_add(e, false, false); return;
    case OWN(i32_shladd_A_S): ts_target_shift_and_add(e, false, true); return;
    case OWN(i32_shladd_S): ts_target_shift_and_add(e, true, false); return;
    case OWN(i32_shladd_S_S): ts_target_shift_and_add(e, true, true); return;
    case OWN(copy): copy(e, s[0], s[1]); return;
    case OWN(copy2):
        if (!ts_target_vector_other(e, (unsigned)w->u)) move_slots(e, s[0], s[1], 2);
        return;
    case OWN(v128_load):
    case OWN(v128_store):
    case OWN(v128_const):
    case OWN(i8x16_shuffle):
    case OWN(global_get_v):
    case OWN(global_set_v):
    case OWN(select_v):
        if (!ts_target_vector_other(e, (unsigned)w->u)) break;
        return;
    case OWN(copyn):
        if (s[2] > 64) break;
        move_slots(e, s[0], s[1], s[2]);
        return;
    case OWN(const_s): constant(e, s[0], w[2].u); return;
    case OWN(put_r): ts_emit_write_slot(e, s[0], IN_R, ACC_R); return;
    case OWN(put_f): ts_emit_write_slot(e, s[0], IN_F, 0); return;
    case OWN(put_d): ts_emit_write_slot(e, s[0], IN_D, 1); return;
    case OWN(global_get_r_A): ts_target_global_get(e, IN_R, false); return;
    case OWN(global_get_r_S): ts_target_global_get(e, IN_R, true); return;
    case OWN(global_get_f_A): ts_target_global_get(e, IN_F, false); return;
    case OWN(global_get_f_S): ts_target_global_get(e, IN_F, true); return;
    case OWN(global_get_d_A): ts_target_global_get(e, IN_D, false); return;
    case OWN(global_get_d_S): ts_target_global_get(e, IN_D, true); return;
    case OWN(global_set_s): ts_target_global_set(e); return;
    case OWN(global_set_r): ts_target_global_set_accumulator(e); return;
    case OWN(br): ts_emit_branch(e, -1); return;
    case OWN(br_nz_A):
    case OWN(br_z_A): ts_emit_branch(e, ts_target_test(e, in_reg(ACC_R)) ^ (w->u == TS_IR_br_nz_A)); return;
    case OWN(br_nz_S):
    case OWN(br_z_S):
        ts_emit_branch(e, ts_target_test(e, ts_emit_read_slot(e, s[0])) ^ (w->u == TS_IR_br_nz_S));
        return;
    case OWN(br_table_A): br_table(e, in_reg(ACC_R)); return;
    case OWN(br_table): br_table(e, ts_emit_read_slot(e, s[0])); return;
    case OWN(enter): ts_target_enter(e, true); return;
    case OWN(enter0): ts_target_enter(e, false); return;
    case OWN(fuel): ts_target_take_fuel(e); return;
    case OWN(count): enter_here(e, e->i, e->in->live_in); return;
    case OWN(call): call(e); return;
    case OWN(call_import): call_import(e); return;
    case OWN(call_indirect): call_indirect(e); return;
    case OWN(ret): ts_target_return(e); return;
    case OWN(ret_r): return_accumulator(e, IN_R); return;
    case OWN(ret_f): return_accumulator(e, IN_F); return;
    case OWN(ret_d): return_accumulator(e, IN_D); return;
    case OWN(ret_s_r): return_slot(e, IN_R); return;
    case OWN(ret_s_f): return_slot(e, IN_F); return;
    case OWN(ret_s_d): return_slot(e, IN_D); return;
    case OWN(ret_n):
        if (s[1] > 64) break;
        move_slots(e, 0, s[0], s[1]);
        ts_target_return(e);
        return;
    default: break;
    }
    ts_emit_leave(e);
}

/* --- a function ----------------------------------------------------------------------------------------- */
static void emit_function(emitter *e) {
    const flow_instruction *const end = e->f.ins + e->f.n;
    e->reachable = true;
    add_entry(e, 0);
    e->i = 0;
    for (const flow_instruction *in = e->f.ins; in < end && !e->nomem; in++, e->i++) {
        e->in = in;
        e->w = e->f.code + in->at;
        room(&e->a, 0);
        if (TS_UNLIKELY(e->with_map)) PUSH(e->map, ((ts_native_entry){.word = in->at, .code = e->a.len}));
        if (in->is_label) {
            if (e->reachable) ts_vectors_store(e, 0, UINT32_MAX);
            ts_vectors_forget(e);
            bind_label(e);
            room(&e->a, 0);
        }
        if (!e->reachable) {
            e->valid = e->dirty = 0;
            e->reachable = true;
        }
        e->rejoin = false;
        ts_vectors_prepare(e);
        instruction(e);
        ts_vectors_update(e);
        if (in->operands.ends) {
            e->reachable = false;
            ts_vectors_forget(e);
        } else if (e->rejoin) {
            enter_here(e, e->i + 1, in->live_out);
        }
        e->valid &= in->live_out;
        e->dirty &= in->live_out;
    }
    emit_cold(e);
    emit_tables(e);
    apply_fixups(e);
}

/* --- the memory of an emitter --------------------------------------------------------------------------- */
struct ts_native_scratch {
    emitter e;
};
ts_native_scratch *ts_native_scratch_new(void) {
    return calloc(1, sizeof(ts_native_scratch));
}
static void emitter_free(emitter *e) {
    free(e->a.code);
    ts_vec_free(&e->entries);
    ts_vec_free(&e->faults);
    ts_vec_free(&e->map);
    ts_vec_free(&e->numbers);
    ts_vec_free(&e->label_memory);
    ts_vec_free(&e->entry_memory);
    ts_vec_free(&e->fixups);
    ts_vec_free(&e->cold);
    ts_vec_free(&e->tables);
    ts_vec_free(&e->table_targets);
    ts_flow_free(&e->f);
}
void ts_native_scratch_free(ts_native_scratch *s) {
    if (s) emitter_free(&s->e);
    free(s);
}
/* Makes the emitter as new, but for its memory. */
static void empty(emitter *e, const ts_native_source *from, bool far) {
    e->a.len = 0;
    e->a.failed = 0;
    e->t = from->layout;
    e->types = from->types;
    e->with_map = from->with_map;
    e->valid = e->dirty = 0;
    e->entries.len = e->faults.len = e->map.len = e->numbers.len = 0;
    e->fixups.len = e->cold.len = e->tables.len = e->table_targets.len = 0;
    e->vectors = (cached_vectors){0};
    for (unsigned k = 0; k < VECTOR_REGISTERS; k++) e->vectors.slot[k] = -1;
    e->far = far;
    e->too_far = e->nomem = false;
}
static bool begin(emitter *e, const ts_compiled *ir) {
    if (!ts_flow_analyse(&e->f, ir->code, ir->n_words, ir->frame_slots, ir->handlers, ir->n_handlers)) return false;
    ts_flow_choose_homes(&e->f, ts_target_registers(&e->f));
    const uint64_t n = (uint64_t)e->f.n + 1, n_labels = (uint64_t)e->f.n_labels + 1;
    if (!ts_vec_reserve(&e->label_memory, n_labels) || !ts_vec_reserve(&e->entry_memory, n)) return false;
    e->labels = e->label_memory.data;
    e->has_entry = e->entry_memory.data;
    memset(e->labels, 0, n_labels * sizeof *e->labels);
    memset(e->has_entry, 0, n);
    return room(&e->a, e->f.n * 16);
}
static void *append(uint8_t **at, const void *from, size_t len) {
    void *to = *at;
    if (len) memcpy(to, from, len);
    *at += len;
    return to;
}
/* Copies the result into memory of its own. The code is behind the lists, which have words of four bytes. */
static bool take(const emitter *e, ts_native *out) {
    const size_t lists = (size_t)(e->entries.len + e->faults.len + e->map.len) * sizeof *e->entries.data +
                         (size_t)e->numbers.len * sizeof *e->numbers.data;
    uint8_t *block = malloc(lists + e->a.len + 1), *at = block;
    if (!block) return false;
    *out = (ts_native){.block = block,
                       .len = e->a.len,
                       .n_entries = e->entries.len,
                       .n_faults = e->faults.len,
                       .n_map = e->map.len,
                       .n_numbers = e->numbers.len};
    out->entries = append(&at, e->entries.data, e->entries.len * sizeof *out->entries);
    out->faults = append(&at, e->faults.data, e->faults.len * sizeof *out->faults);
    out->map = append(&at, e->map.data, e->map.len * sizeof *out->map);
    out->numbers = append(&at, e->numbers.data, e->numbers.len * sizeof *out->numbers);
    out->code = append(&at, e->a.code, e->a.len);
    return true;
}

/* Make the code once. */
static bool make(emitter *e, const ts_native_source *from, bool far, ts_native *out) {
    empty(e, from, far);
    if (!begin(e, from->ir)) return false;
    emit_function(e);
    return !e->nomem && !e->a.failed && !e->too_far && take(e, out);
}
bool ts_native_make(const ts_native_source *from, ts_native_scratch *s, ts_native *out) {
    ts_native_scratch *own = s ? NULL : ts_native_scratch_new();
    emitter *e = s ? &s->e : own ? &own->e : NULL;
    *out = (ts_native){0};
    const bool ok = e && (make(e, from, false, out) || (e->too_far && make(e, from, true, out)));
    ts_native_scratch_free(own);
    if (ok) ts_native_link(from, out, out->code);
    return ok;
}
static uint64_t number_of(const ts_native_source *from, const ts_native_number_at *at) {
    switch ((ts_native_number)at->number) {
    case TS_NATIVE_WORD: return (uintptr_t)(from->linked + at->what);
    case TS_NATIVE_HANDLER: return (uintptr_t)from->handlers[at->what];
    case TS_NATIVE_CALLEE: return (uintptr_t)&from->callees[at->what];
    case TS_NATIVE_TYPE: return from->linked[at->what].uw[0];
    }
    return 0;
}
void ts_native_link(const ts_native_source *from, const ts_native *n, uint8_t *copy) {
    for (uint32_t i = 0; i < n->n_numbers; i++)
        ts_target_set_number(copy + n->numbers[i].code, n->numbers[i].number, number_of(from, &n->numbers[i]));
}
void ts_native_unlink(ts_native *n) {
    for (uint32_t i = 0; i < n->n_numbers; i++)
        ts_target_set_number(n->code + n->numbers[i].code, n->numbers[i].number, 0);
}
static uint32_t most(const ts_native_number_at *at, uint32_t n_words, uint32_t n_funcs) {
    switch ((ts_native_number)at->number) {
    case TS_NATIVE_WORD: return n_words; /* a call may be the last instruction */
    case TS_NATIVE_HANDLER: return TS_IR_COUNT - 1;
    case TS_NATIVE_CALLEE: return n_funcs - 1;
    case TS_NATIVE_TYPE: return n_words - 1;
    }
    return 0;
}
static bool entries_fit(const ts_native *n, uint32_t n_words) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < n->n_entries; i++)
        if (n->entries[i].word >= n_words || n->entries[i].code >= n->len) return false;
    for (uint32_t i = 0; i < n->n_faults; i++) {
        if (n->faults[i].word >= n_words || n->faults[i].code >= n->len || n->faults[i].code < last) return false;
        last = n->faults[i].code;
    }
    return true;
}
bool ts_native_fits(const ts_native *n, uint32_t n_words, uint32_t n_funcs) {
    for (uint32_t i = 0; i < n->n_numbers; i++) {
        const ts_native_number_at *at = &n->numbers[i];
        if (at->number > TS_NATIVE_TYPE || at->code > n->len || at->what > most(at, n_words, n_funcs) ||
            n->len - at->code < ts_target_number_size((ts_native_number)at->number))
            return false;
    }
    return n->len > 0 && entries_fit(n, n_words);
}
uint32_t ts_native_processor(void) {
    return ts_target_processor();
}
#else
void ts_native_link(const ts_native_source *from, const ts_native *n, uint8_t *copy) {
    (void)from, (void)n, (void)copy;
}
void ts_native_unlink(ts_native *n) {
    (void)n;
}
bool ts_native_fits(const ts_native *n, uint32_t n_words, uint32_t n_funcs) {
    (void)n, (void)n_words, (void)n_funcs;
    return false;
}
uint32_t ts_native_processor(void) {
    return 0;
}
bool ts_native_adapter(const ts_adapter_shape *shape, const ts_native_layout *layout, const void *const *handlers,
                       const ts_word *to_leave, ts_native *out, uint32_t *leave_at) {
    (void)shape, (void)layout, (void)handlers, (void)to_leave, (void)leave_at;
    *out = (ts_native){0};
    return false;
}
ts_native_scratch *ts_native_scratch_new(void) {
    return NULL;
}
void ts_native_scratch_free(ts_native_scratch *s) {
    (void)s;
}
bool ts_native_make(const ts_native_source *from, ts_native_scratch *s, ts_native *out) {
    (void)from, (void)s;
    *out = (ts_native){0};
    return false;
}
#endif
void ts_native_free(ts_native *n) {
    free(n->block);
    if (!n->block) {
        free(n->code);
        free(n->entries);
        free(n->faults);
        free(n->map);
        free(n->numbers);
    }
    *n = (ts_native){0};
}
