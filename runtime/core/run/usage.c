/* usage: see usage.h */
#include "core/run/usage.h"
#include "core/run/exec.h"
#include "core/run/gc.h"

/* Fresh pages of the stack are zero, and each frame but the first has a return address, which is not. So no frame is
 * beyond this many slots of zeros, which are more than the parameters and the rest of a frame together: those pages
 * are left alone. */
enum { NO_FRAME = 1 << 17 };
static uint64_t stack_used(const ts_exec *x) {
    const uint64_t n = x->stack_bytes / sizeof(ts_slot);
    uint64_t used = 0;
    for (uint64_t i = 0; i < n && i - used < NO_FRAME; i++)
        if (x->stack[i]) used = i + 1;
    return used * sizeof(ts_slot);
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
