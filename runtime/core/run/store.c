/* store: see store.h. */
#include "core/run/store.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/run/instance.h"
#include "core/run/spares.h"
#include "sys/fault.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

/* --- store ---------------------------------------------------------------------------------------------- */
#define GIB (1024ull * 1024 * 1024)

ts_store_limits ts_store_limits_of(const ts_run_limits *l) {
    if (!l) return (ts_store_limits){0};
    return (ts_store_limits){.memory_bytes = l->memory_bytes,
                             .table_elems = l->table_elems,
                             .stack_bytes = l->stack_bytes,
                             .host_depth = l->depth,
                             .gc_bytes = l->gc_bytes,
                             .fuel = l->fuel,
                             .instances = l->instances,
                             .deterministic = l->deterministic,
                             .interruptible = l->interruptible};
}

ts_status ts_store_create(ts_engine *engine, const ts_store_limits *limits, ts_store **out, ts_error *e) {
    *out = NULL;
    ts_store *s = calloc(1, sizeof *s);
    if (!s) return ts_fail_nomem(e);
    s->engine = ts_engine_hold(engine);
    s->types = ts_engine_types(engine);
    if (limits) s->limits = *limits;
    ts_store_limits *l = &s->limits; /* memory_bytes stays 0, because its default depends on the index type */
    if (!l->table_elems) l->table_elems = 10 * 1000 * 1000;
    if (!l->stack_bytes) l->stack_bytes = 8 * 1024 * 1024;
    if (!l->host_depth) l->host_depth = 200;
    if (!l->gc_bytes) l->gc_bytes = GIB;
    if (!l->instances) l->instances = 100 * 1000;
    ts_arena_init(&s->arena);
    s->gc = ts_gc_heap_new(s, l->gc_bytes);
    ts_status st = s->gc ? ts_exec_new(s, &s->exec, e) : ts_fail_nomem(e);
    if (st != TS_OK) {
        ts_store_destroy(s);
        return st;
    }
    *out = s;
    return TS_OK;
}

void ts_store_destroy(ts_store *s) {
    if (!s) return;
    ts_exec_free(s->exec);
    ts_gc_heap_free(s->gc);
    for (uint32_t i = 0; i < s->mems.len; i++)
        if (!ts_spares_keep_memory(s->limits.spares, s->mems.data[i])) ts_memory_release(s->mems.data[i]);
    for (uint32_t i = 0; i < s->tables.len; i++) free(s->tables.data[i]->elems);
    for (ts_instance *i = s->instances, *next; i; i = next) {
        next = i->next;
        ts_instance_free(i);
    }
    ts_sys_wake_free(&s->wake);
    ts_vec_free(&s->mems);
    ts_vec_free(&s->tables);
    ts_vec_free(&s->globals);
    ts_arena_free(&s->arena);
    ts_engine_destroy(s->engine);
    free(s);
}

void ts_store_interrupt(ts_store *s) {
    __atomic_store_n(&s->interrupted, 1, __ATOMIC_SEQ_CST);
    ts_sys_wake_ring(&s->wake);
}
int ts_store_wake_file(ts_store *s) {
    return ts_sys_wake_file(&s->wake);
}
bool ts_store_interrupted(ts_store *s, bool woken) {
    /* This comes first: an interrupt that follows sets the flag and rings again. */
    if (woken) ts_sys_wake_clear(&s->wake);
    return __atomic_load_n(&s->interrupted, __ATOMIC_SEQ_CST) != 0;
}
bool ts_store_take_interrupt(ts_store *s) {
    return TS_UNLIKELY(ts_store_interrupted(s, false)) &&
           __atomic_exchange_n(&s->interrupted, 0, __ATOMIC_SEQ_CST) != 0;
}

/* --- functions, globals, tags --------------------------------------------------------------------------- */
ts_status ts_func_make_host(ts_store *s, uint32_t type, ts_core_host_fn fn, void *data, const char *name, ts_func **out,
                            ts_error *e) {
    *out = NULL;
    ts_func *f = ts_arena_alloc(&s->arena, sizeof *f);
    if (!f) return ts_fail_nomem(e);
    f->is_host = true;
    f->type = type;
    f->def = ts_types_get(s->types, type);
    f->host = fn;
    f->host_data = data;
    if (name && !(f->name = ts_arena_strndup(&s->arena, name, strlen(name)))) return ts_fail_nomem(e);
    *out = f;
    return TS_OK;
}

ts_status ts_global_make(ts_store *s, const ts_global_type *type, const ts_slot v[2], ts_global **out, ts_error *e) {
    *out = NULL;
    ts_global *g = ts_arena_alloc(&s->arena, sizeof *g);
    if (!g || !ts_vec_push(&s->globals, g)) return ts_fail_nomem(e);
    g->store = s;
    g->type = *type;
    g->v[0] = v[0];
    g->v[1] = type->type == TS_VT_V128 ? v[1] : 0;
    *out = g;
    return TS_OK;
}

ts_status ts_tag_make(ts_store *s, uint32_t type, ts_tag **out, ts_error *e) {
    *out = ts_arena_alloc(&s->arena, sizeof **out);
    if (!*out) return ts_fail_nomem(e);
    (*out)->type = type;
    (*out)->store = s;
    return TS_OK;
}

/* --- references of the host ----------------------------------------------------------------------------- */
ts_slot ts_ref_host(uint64_t v) {
    return v << 2 | 2;
}
uint64_t ts_ref_host_value(ts_slot r) {
    return r >> 2;
}
