/* tier: see tier.h. */
#include "core/run/tier.h"
#include "base/vec.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/run/batch.h"
#include "core/run/code_cache.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/run/link.h"
#include "sys/thread.h"
#include <stddef.h>
#include <stdlib.h>

static const ts_native_layout layout = {
    .exec_stack_end = offsetof(ts_exec, stack_end),
    .exec_fuel = offsetof(ts_exec, fuel),
    .exec_store = offsetof(ts_exec, store),
    .exec_depth = offsetof(ts_exec, depth),
    .exec_max_depth = offsetof(ts_exec, max_depth),
    .exec_deepest = offsetof(ts_exec, deepest),
    .exec_inst = offsetof(ts_exec, inst),
    .store_interrupted = offsetof(ts_store, interrupted),
    .instance_mems = offsetof(ts_instance, mems),
    .instance_globals = offsetof(ts_instance, globals),
    .instance_tables = offsetof(ts_instance, tables),
    .instance_funcs = offsetof(ts_instance, funcs),
    .instance_memory = offsetof(ts_instance, mem0_base),
    .memory_base = offsetof(ts_memory, base),
    .memory_len = offsetof(ts_memory, len),
    .table_elems = offsetof(ts_table, elems),
    .table_len = offsetof(ts_table, len),
    .global_value = offsetof(ts_global, v),
    .func_type = offsetof(ts_func, type),
    .func_inst = offsetof(ts_func, inst),
    .func_code = offsetof(ts_func, code),
    .func_adapter = offsetof(ts_func, adapter),
    .adapter_call = offsetof(ts_adapter, call),
    .adapter_open = offsetof(ts_adapter, open),
    .adapter_flags = offsetof(ts_adapter, flags),
    .adapter_inst = offsetof(ts_adapter, inst),
    .adapter_code = offsetof(ts_adapter, code),
    .adapter_state = offsetof(ts_adapter, state),
    .cross_inst = TS_CROSS_INST * sizeof(ts_slot),
    .cross_pc = TS_CROSS_PC * sizeof(ts_slot),
    .cross_fp = TS_CROSS_FP * sizeof(ts_slot),
    .cross_results = TS_CROSS_RESULTS * sizeof(ts_slot),
    .cross_adapter = TS_CROSS_ADAPTER * sizeof(ts_slot),
    .cross_last = TS_CROSS_LAST * sizeof(ts_slot),
    .cross_state = TS_CROSS_STATE * sizeof(ts_slot),
    .cross_slots = TS_CROSS_ADAPTER_SLOTS,
    .object_len = offsetof(ts_obj, len),
    .object_payload = sizeof(ts_obj),
    .object_kind = offsetof(ts_obj, kind),
    .object_mark = offsetof(ts_obj, mark),
    .store_heap = offsetof(ts_store, gc),
    .heap_free = offsetof(ts_gc_front, free),
    .heap_total = offsetof(ts_gc_front, total_objects),
    .heap_stress = offsetof(ts_gc_front, stress),
    .heap_epoch = offsetof(ts_gc_front, epoch),
    .kind_struct = TS_OBJ_STRUCT,
    .small_max = TS_GC_SMALL_MAX,
    .class_of_cell = ts_gc_class,
};

/* Machine code writes a header in two stores. */
_Static_assert(offsetof(ts_obj, type) == 0 && offsetof(ts_obj, len) == 4 && offsetof(ts_obj, kind) == 8 &&
                   offsetof(ts_obj, mark) == 9 && sizeof(ts_obj) == 16,
               "a header");

/* What links machine code of the function. */
static ts_native_source source_of(const ts_fcode *c, const ts_compiled *ir) {
    return (ts_native_source){.ir = ir,
                              .linked = c->code,
                              .callees = ts_code_all(c->module, c->form),
                              .types = ts_engine_types(c->module->engine),
                              .layout = &layout,
                              .handlers = ts_ir_handlers()};
}
/* The IR of a function, from the words that run. It cannot be had when they refer to machine code. */
static bool ir_again(const ts_fcode *c, ts_tier_scratch *s, ts_compiled *ir) {
    if (!c->code || !ts_vec_reserve(&s->ir, c->n_words) ||
        !ts_link_undo(c, ts_code_all(c->module, c->form), s->ir.data))
        return false;
    *ir = (ts_compiled){.code = s->ir.data,
                        .n_words = c->n_words,
                        .handlers = c->handlers,
                        .n_handlers = c->n_handlers,
                        .frame_slots = c->frame_slots};
    return true;
}
static bool make(const ts_fcode *c, ts_tier_scratch *s, bool with_map, ts_native *out) {
    ts_error e; /* ignored: the function stays interpreted */
    ts_error_init(&e);
    ts_compiled ir, compiled = {0};
    if (!ir_again(c, s, &ir)) {
        if (ts_compile(c, false, &compiled, &e) != TS_OK) return false;
        ir = compiled;
    }
    ts_native_source from = source_of(c, &ir);
    from.with_map = with_map;
    if (!s->native) s->native = ts_native_scratch_new();
    bool ok = s->native && ts_native_make(&from, s->native, out);
    ts_compiled_free(&compiled);
    return ok;
}
bool ts_tier_make_in(const ts_fcode *c, ts_tier_scratch *s, ts_native *out) {
    return make(c, s, false, out);
}
void ts_tier_scratch_free(ts_tier_scratch *s) {
    ts_native_scratch_free(s->native);
    s->native = NULL;
    ts_vec_free(&s->ir);
}
bool ts_tier_make(const ts_fcode *c, ts_native *out) {
    ts_tier_scratch s = {0};
    bool ok = make(c, &s, true, out);
    ts_tier_scratch_free(&s);
    return ok;
}

/* Bytes of machine code with which a batch is full: the thread has made it for about 2 ms; and of restored code. */
enum { BATCH = 1 << 16, RESTORED = 1 << 14 };

/* --- the thread ------------------------------------------------------------------------------------------ */
/* It ends when no function waits any more, and is started again by the next one. */
struct ts_tier_worker {
    ts_module *module;
    ts_lock lock;
    TS_VEC(ts_fcode *) waiting;
    bool runs, stop;
    ts_thread thread;
    bool keeps;
    ts_kept kept;      /* what is made: under the lock; what was read does not change */
    ts_batch restored; /* under the lock: of functions that were called, read and not installed yet */
};
static void keep(struct ts_tier_worker *w, const ts_fcode *c, const ts_native *n) {
    if (!w->keeps) return;
    ts_lock_take(&w->lock);
    ts_kept_add(&w->kept, c, n);
    ts_lock_give(&w->lock);
}
/* Makes the machine code of a function. */
static void compile(ts_fcode *c, ts_tier_scratch *s, ts_batch *b) {
    ts_native n;
    if (!ts_tier_make_in(c, s, &n)) return;
    keep(c->module->tier, c, &n);
    if (!ts_batch_add(b, c, &n, NULL)) ts_native_free(&n);
}
/* Installs the machine code that waits of an earlier process. Returns false if there is none. */
static bool install_restored(ts_module *m) {
    struct ts_tier_worker *w = m->tier;
    ts_lock_take(&w->lock);
    ts_batch b = w->restored;
    w->restored = (ts_batch){0};
    ts_lock_give(&w->lock);
    if (!b.codes.len) return false;
    ts_batch_install(&b, m);
    return true;
}
/* Gives a function that has IR the machine code that an earlier process has made of it: when a few of them have been
 * called, or one of them has been called or has looped a few times. */
static void restore(ts_fcode *c) {
    struct ts_tier_worker *w = c->module->tier;
    ts_native n;
    if (!ts_kept_machine(&w->kept, c, &n)) return;
    if (__atomic_exchange_n(&c->tiered, true, __ATOMIC_ACQ_REL)) return;
    const ts_native_source from = source_of(c, NULL);
    ts_lock_take(&w->lock);
    bool full = !ts_batch_add(&w->restored, c, &n, &from) || w->restored.len >= RESTORED;
    ts_lock_give(&w->lock);
    if (full) install_restored(c->module);
}
/* NULL: none waits. If the thread has nothing else to do, it ends then. */
static ts_fcode *next(struct ts_tier_worker *w, bool ends) {
    ts_lock_take(&w->lock);
    ts_fcode *c = w->waiting.len && !w->stop ? w->waiting.data[--w->waiting.len] : NULL;
    if (!c && ends) w->runs = false;
    ts_lock_give(&w->lock);
    return c;
}
/* A function waits for those that wait with it, not for those that may come. */
static void work(void *data) {
    struct ts_tier_worker *w = data;
    ts_batch b = {0};
    ts_tier_scratch s = {0};
    for (;;) {
        ts_fcode *c = next(w, b.codes.len == 0);
        if (c) compile(c, &s, &b);
        if (b.codes.len > 0 && (!c || b.len >= BATCH))
            ts_batch_install(&b, w->module);
        else if (!c)
            break;
    }
    ts_tier_scratch_free(&s);
}
/* Returns false if the caller has to compile it. */
static bool hand_over(struct ts_tier_worker *w, ts_fcode *c) {
    ts_lock_take(&w->lock);
    bool taken = ts_vec_push(&w->waiting, c);
    if (taken && !w->runs) {
        ts_thread_join(&w->thread); /* it has nothing to do any more */
        w->runs = ts_thread_start(&w->thread, work, w);
        if (!w->runs) {
            w->waiting.len--;
            taken = false;
        }
    }
    ts_lock_give(&w->lock);
    return taken;
}
static void end_thread(struct ts_tier_worker *w) {
    ts_lock_take(&w->lock);
    w->stop = true;
    ts_lock_give(&w->lock);
    ts_thread_join(&w->thread);
}
static void tier_free(ts_module *m) {
    struct ts_tier_worker *w = m->tier;
    if (!w) return;
    ts_code_end_ahead(m); /* it restores, too */
    end_thread(w);
    ts_kept_free(&w->kept);
    ts_vec_free(&w->waiting);
    ts_vec_free(&w->restored.codes);
    ts_lock_destroy(&w->lock);
    free(w);
    m->tier = NULL;
}
bool ts_tier_attach(ts_module *m) {
    struct ts_tier_worker *w = calloc(1, sizeof *w);
    if (!w || !ts_lock_init(&w->lock)) {
        free(w);
        return false;
    }
    w->module = m;
    m->tier = w;
    m->parts[TS_PART_TIER] = tier_free;
    return true;
}

bool ts_tier_can_keep(const ts_module *m) {
    return ts_exec_takes_machine_code() && ts_engine_tier(m->engine) != TS_TIER_INTERPRETED;
}
void ts_tier_keep(ts_module *m, const ts_kept *read) {
    m->tier->keeps = true;
    m->tier->kept = *read;
    if (!read->n_read) return;
    ts_kept_prepare(&m->tier->kept);
    ts_code_set_kept(m, &m->tier->kept, restore);
}
const ts_kept *ts_tier_kept(ts_module *m) {
    ts_code_end_ahead(m);
    end_thread(m->tier);
    return m->tier->keeps ? &m->tier->kept : NULL;
}

bool ts_tier_up(ts_module *m, unsigned form, const ts_word *pc) {
    ts_fcode *c = ts_exec_takes_machine_code() ? ts_code_find(m, form, pc) : NULL;
    if (!c) return false;
    const void *interpreted = __atomic_load_n(&pc->h, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&c->tiered, true, __ATOMIC_ACQ_REL)) {
        if (!install_restored(m)) return false;
    } else {
        bool in_time = ts_engine_tier(m->engine) != TS_TIER_COMPILED; /* tests want it now */
        if (!in_time && ts_cpu_count() > 1 && hand_over(m->tier, c)) return false;
        ts_batch b = {0};
        ts_tier_scratch s = {0};
        compile(c, &s, &b);
        ts_tier_scratch_free(&s);
        ts_batch_install(&b, m);
    }
    return __atomic_load_n(&pc->h, __ATOMIC_RELAXED) != interpreted;
}

void ts_tier_adapter_up(ts_exec *x, ts_adapter *a) {
    const ts_word *leaves = ts_adapter_up(a, &layout, x->store->engine);
    if (leaves) x->adapter_leaves = leaves;
}
void ts_tier_prepare_adapter(ts_store *s, ts_adapter *a) {
    const ts_tier tier = ts_engine_tier(s->engine);
    a->call = ts_ir_handlers()[TS_IR_call_import_adapted];
    a->left = tier == TS_TIER_COMPILED || tier == TS_TIER_COMPILED_MIXED
                  ? ts_count_until_hot(tier, false, a->callee->index)
                  : 0;
    if (tier == TS_TIER_COMPILED_AT_ONCE) ts_tier_adapter_up(s->exec, a);
}

const ts_word *ts_tier_find(ts_module *m, uintptr_t address) {
    const ts_fcode *c = ts_code_find_machine(m, address);
    uint32_t word;
    return c && ts_machine_has(c->machine, address, &word) && word != UINT32_MAX ? c->code + word : NULL;
}
