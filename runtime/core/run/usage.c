/* usage: see usage.h */
#include "core/run/usage.h"
#include "core/run/exec.h"
#include "core/run/gc.h"

/* Fresh pages of the stack are zero, and almost every frame leaves a slot that is not. */
static uint64_t stack_used(const ts_exec *x) {
    const ts_slot *top = x->stack + x->stack_bytes / sizeof(ts_slot);
    while (top > x->stack && top[-1] == 0) top--;
    return (uint64_t)(top - x->stack) * sizeof(ts_slot);
}

void ts_store_get_usage(const ts_store *s, ts_store_usage *out) {
    ts_gc_stats gc;
    ts_gc_get_stats(s->gc, &gc);
    *out = (ts_store_usage){
        .gc_bytes = gc.heap_bytes, .instances = s->n_instances, .memory = s->refused_memory, .table = s->refused_table};
    out->stack_bytes = stack_used(s->exec);
    out->depth = s->exec->deepest;
    if (s->limits.fuel) out->fuel = s->limits.fuel - s->exec->fuel;
    for (uint32_t i = 0; i < s->tables.len; i++)
        if (s->tables.data[i]->len > out->table_elems) out->table_elems = s->tables.data[i]->len;
}

const ts_memory *ts_instance_own_memory(const ts_instance *i, uint32_t k) {
    const ts_module *m = i->module;
    return k < m->n_mems - m->n_imp_mems ? i->mems[m->n_imp_mems + k] : NULL;
}
