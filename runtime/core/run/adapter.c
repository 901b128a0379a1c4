/* adapter: gives adapters machine code. See adapter.h. */
#include "core/run/adapter.h"
#include "base/assert.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/run/dispatch.h"
#include "sys/thread.h"
#include <stdlib.h>
#include <string.h>

/* The code for all shapes of an engine's adapters. Frames return to `leave`, so that its words stay where they are. */
typedef struct adapter_code {
    ts_adapter_shape shape;
    ts_machine_code *machine;
} adapter_code;
typedef struct adapter_codes {
    ts_engine_part part; /* the first member */
    ts_lock lock;
    ts_machine_room room;
    uint32_t n;
    adapter_code code[TS_ADAPTER_SHAPES];
    ts_word leave[TS_ADAPTER_SHAPES];
} adapter_codes;

static void codes_free(ts_engine_part *p, ts_engine *e) {
    (void)e;
    adapter_codes *all = (adapter_codes *)p;
    for (uint32_t i = 0; i < all->n; i++) ts_machine_free(all->code[i].machine);
    ts_machine_room_free(&all->room);
    ts_lock_destroy(&all->lock);
    free(all);
}
static adapter_codes *codes_of(ts_engine *e) {
    ts_engine_part *p = ts_engine_get_part(e);
    if (p) return (adapter_codes *)p;
    adapter_codes *all = calloc(1, sizeof *all);
    if (!all || !ts_machine_room_init(&all->room, e)) {
        free(all);
        return NULL;
    }
    if (!ts_lock_init(&all->lock)) {
        ts_machine_room_free(&all->room);
        free(all);
        return NULL;
    }
    all->part.free = codes_free;
    if (!ts_engine_set_part(e, &all->part)) codes_free(&all->part, e);
    return (adapter_codes *)ts_engine_get_part(e);
}

/* The caller has the lock. */
static const adapter_code *find(const adapter_codes *all, const ts_adapter_shape *shape) {
    for (uint32_t i = 0; i < all->n; i++)
        if (memcmp(&all->code[i].shape, shape, sizeof *shape) == 0) return &all->code[i];
    return NULL;
}
static const adapter_code *make(adapter_codes *all, const ts_adapter_shape *shape, const ts_native_layout *layout,
                                ts_engine *e) {
    if (all->n == TS_ADAPTER_SHAPES) return NULL;
    adapter_code *c = &all->code[all->n];
    ts_word *leave = &all->leave[all->n];
    ts_native made;
    uint32_t leave_at;
    if (!ts_native_adapter(shape, layout, ts_ir_handlers(), leave, &made, &leave_at)) return NULL;
    ts_machine_job job = {.native = &made};
    ts_machine_install(&all->room, &job, 1);
    ts_native_free(&made);
    c->machine = job.made;
    if (!c->machine) return NULL;
    c->shape = *shape;
    leave->h = c->machine->code + leave_at;
    ts_engine_code_shared(e, c->machine->code, leave_at, "call of a component");
    ts_engine_code_shared(e, c->machine->code + leave_at, c->machine->len - leave_at, "return to a component");
    all->n++;
    return c;
}

static bool shape_of(const ts_adapter *a, ts_adapter_shape *out) {
    const ts_deftype *d = a->callee->def;
    if (a->n_entered > TS_ADAPTER_ENTERED || d->param_slots > TS_ADAPTER_PARAMS || d->result_slots > 1) return false;
    *out = (ts_adapter_shape){.n_entered = a->n_entered,
                              .n_params = d->param_slots,
                              .n_results = a->to_memory ? 0 : d->result_slots,
                              .link = a->callee->code->link,
                              .to_memory = a->to_memory};
    memcpy(out->steps, a->steps, (out->n_params + out->n_results) * sizeof *out->steps);
    return true;
}
const ts_word *ts_adapter_up(ts_adapter *a, const ts_native_layout *layout, ts_engine *e) {
    ts_adapter_shape shape;
    adapter_codes *all = ts_exec_takes_machine_code() && shape_of(a, &shape) ? codes_of(e) : NULL;
    if (!all) return NULL;
    ts_lock_take(&all->lock);
    const adapter_code *c = find(all, &shape);
    if (!c) c = make(all, &shape, layout, e);
    ts_lock_give(&all->lock);
    if (!c) return NULL;
    for (uint32_t i = 0; i < a->n_entered; i++) a->flags[i] = a->entered[i];
    a->inst = a->callee->inst;
    a->code = a->callee->code;
    a->call = c->machine->code;
    return all->leave;
}
