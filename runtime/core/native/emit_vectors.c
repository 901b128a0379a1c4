/* emit_vectors: which vectors are in registers, for all processors. See emitter.h.
 * In: the instructions, as emit.c walks them. Out: registers of operands and results, loads and stores.
 *
 * A vector is in a register from where it is computed or read to the end of the block, while one of a few registers is
 * free for it. Its two slots of the frame get it when the register is needed, or at the end of the block, or before an
 * instruction that looks there; not at all if an instruction has taken it before. */
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE
/* --- the state ------------------------------------------------------------------------------------------ */
static void free_register(emitter *e, unsigned k) {
    e->vectors.slot[k] = -1;
    e->vectors.used &= ~(1u << k);
    e->vectors.dirty &= ~(1u << k);
}
static void hold(emitter *e, unsigned k, uint32_t slot) {
    e->vectors.slot[k] = (int32_t)slot;
    e->vectors.used |= 1u << k;
}
static void store(emitter *e, unsigned k) {
    room(&e->a, 0);
    ts_target_store_vector(e, slot_memory((uint32_t)e->vectors.slot[k]), FIRST_VECTOR_REGISTER + k);
    e->vectors.dirty &= ~(1u << k);
}
void ts_vectors_store(emitter *e, uint32_t from, uint32_t to) {
    if (!e->vectors.dirty) return;
    for (unsigned k = 0; k < VECTOR_REGISTERS; k++) {
        int64_t at = e->vectors.slot[k];
        if (e->vectors.dirty >> k & 1 && at + 2 > from && at < to) store(e, k);
    }
}
void ts_vectors_drop(emitter *e, uint32_t from, uint32_t to) {
    if (!e->vectors.used) return;
    for (unsigned k = 0; k < VECTOR_REGISTERS; k++) {
        int64_t at = e->vectors.slot[k];
        if (at >= 0 && at + 2 > from && at < to) free_register(e, k);
    }
}
void ts_vectors_forget(emitter *e) {
    for (unsigned k = 0; e->vectors.used && k < VECTOR_REGISTERS; k++) free_register(e, k);
}
void ts_vectors_give_up(emitter *e) {
    ts_vectors_store(e, 0, UINT32_MAX);
    ts_vectors_forget(e);
}

/* --- operands and results ------------------------------------------------------------------------------- */
/* A register that neither operands nor result of this instruction are in, as number k. */
static unsigned take(emitter *e) {
    cached_vectors *v = &e->vectors;
    unsigned k = 0;
    while (k < VECTOR_REGISTERS && (v->slot[k] >= 0 || v->pinned >> k & 1)) k++;
    if (k == VECTOR_REGISTERS) {
        while (v->pinned >> v->next & 1) v->next = (v->next + 1) % VECTOR_REGISTERS;
        k = v->next;
        v->next = (k + 1) % VECTOR_REGISTERS;
        if (v->dirty >> k & 1) store(e, k);
    }
    free_register(e, k);
    v->pinned |= 1u << k;
    return k;
}
void ts_vectors_begin(emitter *e) {
    const ts_operands *o = &e->in->operands;
    e->vectors.pinned = 0;
    for (uint32_t i = 0; i < o->n_pairs; i++)
        for (unsigned k = 0; k < VECTOR_REGISTERS; k++)
            if (e->vectors.slot[k] == o->pair[i]) e->vectors.pinned |= 1u << k;
}
unsigned ts_vectors_result(emitter *e) {
    return FIRST_VECTOR_REGISTER + take(e);
}
unsigned ts_vectors_read(emitter *e, uint32_t slot) {
    for (unsigned k = 0; k < VECTOR_REGISTERS; k++)
        if (e->vectors.slot[k] == (int32_t)slot) {
            e->vectors.pinned |= 1u << k;
            return FIRST_VECTOR_REGISTER + k;
        }
    ts_emit_store_slots(e, slot, slot + 2);
    unsigned k = take(e);
    hold(e, k, slot);
    ts_target_load_vector(e, FIRST_VECTOR_REGISTER + k, slot_memory(slot));
    return FIRST_VECTOR_REGISTER + k;
}
void ts_vectors_write(emitter *e, uint32_t slot, unsigned from) {
    unsigned k = from - FIRST_VECTOR_REGISTER;
    ts_emit_forget_slots(e, slot, slot + 2);
    hold(e, k, slot);
    e->vectors.dirty |= 1u << k;
}

/* --- around an instruction ------------------------------------------------------------------------------ */
/* Whether an instruction leaves vectors in registers alone, and needs none of them in the frame but those it reads. */
static bool keeps(const flow_instruction *in) {
    switch (in->kind) {
    case SHAPE_BIN:
    case SHAPE_UN:
    case SHAPE_CMP:
    case SHAPE_LOAD:
    case SHAPE_STORE:
    case SHAPE_STOREF:
    case SHAPE_OP + OP_copy:
    case SHAPE_OP + OP_const_s:
    case SHAPE_OP + OP_put_r:
    case SHAPE_OP + OP_put_f:
    case SHAPE_OP + OP_put_d: return true;
    default: return ts_has_vectors(&in->operands);
    }
}
void ts_vectors_prepare_dirty(emitter *e) {
    const ts_operands *o = &e->in->operands;
    if (!keeps(e->in)) ts_vectors_store(e, 0, UINT32_MAX);
    for (uint32_t k = 0; k < o->n_reads; k++) ts_vectors_store(e, o->read[k], o->read[k] + 1u);
    room(&e->a, 0); /* the stores have used what there was */
}
/* An operand that the instruction has taken is read by no other: it need not be stored. copy2 may leave it there. */
static void take_operands(emitter *e, const ts_operands *o) {
    if (e->w->u == TS_IR_copy2) return;
    for (uint32_t i = 0; i < o->n_pairs; i++)
        for (unsigned k = 0; k < VECTOR_REGISTERS; k++)
            if (e->vectors.slot[k] == o->pair[i] && o->pair[i] >= e->f.first_temporary &&
                !(o->writes_pair && o->write == o->pair[i]))
                free_register(e, k);
}
/* An instruction that the interpreter executes has given them up already. */
void ts_vectors_update_used(emitter *e) {
    const ts_operands *o = &e->in->operands;
    if (keeps(e->in)) take_operands(e, o);
    if (e->rejoin || o->is_call || o->reads_all || e->w->u == TS_IR_count) {
        ts_vectors_give_up(e);
    } else if (o->write < NO_SLOT && !o->writes_pair) {
        ts_vectors_drop(e, o->write, o->write + (o->moved ? o->moved : 1));
    }
}
#endif
