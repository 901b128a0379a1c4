/* store: stores, and what they own: functions, memories, tables, globals, tags.
 * In: types, limits. Out: run-time objects, all of which end with their store. spec: exec/runtime, exec/modules#allocation */
#include "core/run/store.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/run/spares.h"
#include "sys/fault.h"
#include "sys/image.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

/* --- store ----------------------------------------------------------------------------------------------------------- */
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
    s->engine = engine;
    s->types = ts_engine_types(engine);
    if (limits) s->limits = *limits;
    ts_store_limits *l = &s->limits; /* memory_bytes stays 0: its default depends on the index type */
    if (!l->table_elems) l->table_elems = 10 * 1000 * 1000;
    if (!l->stack_bytes) l->stack_bytes = 8 * 1024 * 1024;
    if (!l->host_depth) l->host_depth = 200;
    if (!l->gc_bytes) l->gc_bytes = GIB;
    if (!l->instances) l->instances = 100 * 1000;
    s->fuel_left = l->fuel;
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

static void free_memory(ts_memory *m) {
    ts_pages_release(m->base, m->reserved);
    ts_module_free(m->imaged);
    m->base = NULL;
    m->imaged = NULL;
}

void ts_store_destroy(ts_store *s) {
    if (!s) return;
    ts_exec_free(s->exec);
    ts_gc_heap_free(s->gc);
    for (uint32_t i = 0; i < s->mems.len; i++)
        if (!ts_spares_keep_memory(s->limits.spares, s->mems.data[i])) free_memory(s->mems.data[i]);
    for (uint32_t i = 0; i < s->tables.len; i++) free(s->tables.data[i]->elems);
    for (ts_instance *i = s->instances; i; i = i->next) {
        for (uint32_t k = 0; i->elem_values && k < i->module->n_elems; k++) free(i->elem_values[k]);
        ts_module_free(i->module);
    }
    ts_vec_free(&s->mems);
    ts_vec_free(&s->tables);
    ts_vec_free(&s->globals);
    ts_arena_free(&s->arena);
    free(s);
}

ts_engine *ts_store_engine(ts_store *s) {
    return s->engine;
}
void ts_store_interrupt(ts_store *s) {
    __atomic_store_n(&s->interrupted, 1, __ATOMIC_RELAXED);
}

/* --- functions, globals, tags --------------------------------------------------------------------------------------- */
ts_status ts_func_host(ts_store *s, uint32_t type, ts_core_host_fn fn, void *data, const char *name, ts_func **out,
                       ts_error *e) {
    *out = NULL;
    ts_func *f = ts_arena_alloc(&s->arena, sizeof *f);
    if (!f) return ts_fail_nomem(e);
    f->kind = 1;
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
    return TS_OK;
}

/* --- memories -------------------------------------------------------------------------------------------------------- */
/* A guarded memory reserves what any 32-bit index plus any 32-bit static offset can reach, and the widest access after it. */
static const uint64_t GUARDED_RESERVE = 8 * GIB + 65536;

static uint64_t memory_limit(const ts_store *s, const ts_limits *t) {
    if (s->limits.memory_bytes) return s->limits.memory_bytes;
    return t->is64 ? 16 * GIB : 4 * GIB;
}

ts_status ts_memory_make(ts_store *s, const ts_limits *type, ts_memory **out, ts_error *e) {
    return ts_memory_make_of(s, NULL, type, out, e);
}
ts_status ts_memory_make_of(ts_store *s, const ts_module *module, const ts_limits *type, ts_memory **out, ts_error *e) {
    *out = NULL;
    uint8_t log2 = type->page_log2;
    uint64_t index_pages = type->is64 ? (log2 ? 1ull << (64 - log2) : UINT64_MAX) : 1ull << (32 - log2);
    uint64_t max = type->has_max && type->max < index_pages ? type->max : index_pages;
    uint64_t allowed = memory_limit(s, type) >> log2;
    if (type->min > max || type->min > allowed)
        return ts_fail(e, TS_LIMIT, "a memory of %llu pages is over the limit of %llu", (unsigned long long)type->min,
                       (unsigned long long)(allowed < max ? allowed : max));
    ts_memory *m = ts_arena_alloc(&s->arena, sizeof *m);
    if (!m) return ts_fail_nomem(e);
    m->type = *type;
    m->max_pages = max < allowed ? max : allowed;
    m->pages = type->min;
    m->len = type->min << log2;
    if (!type->is64 && log2 == 16 && !s->limits.explicit_checks && ts_fault_install()) {
        bool kept = ts_spares_take_memory(s->limits.spares, module, m);
        if (!kept) m->base = ts_pages_reserve(GUARDED_RESERVE);
        if (kept) {
            if (ts_vec_push(&s->mems, m)) {
                *out = m;
                return TS_OK;
            }
            free_memory(m);
            return ts_fail_nomem(e);
        }
        if (m->base) {
            m->reserved = GUARDED_RESERVE;
            m->guarded = true;
        }
    }
    if (!m->base) { /* without guard: the address space of its greatest size, so that it need not move */
        uint64_t most = m->max_pages << log2;
        if (most > 0) m->base = ts_pages_reserve(most);
        if (m->base) m->reserved = most;
    }
    /* A data image would be mapped here, copy on write, in place of the first pages. */
    if (m->base && !ts_pages_commit(m->base, m->len)) free_memory(m);
    if (!m->base && m->max_pages > 0) { /* not even that: only what it needs; it moves when it grows */
        m->guarded = false;
        m->reserved = m->len ? m->len : 1;
        m->base = ts_pages_resize(NULL, 0, m->reserved);
        if (!m->base) return ts_fail_nomem(e);
    }
    if (!ts_vec_push(&s->mems, m)) {
        free_memory(m);
        return ts_fail_nomem(e);
    }
    *out = m;
    return TS_OK;
}

/* spec: exec/modules#growing-memories */
int64_t ts_memory_grow(ts_store *s, ts_memory *m, uint64_t delta) {
    uint64_t old = m->pages;
    if (delta > m->max_pages - old) return -1;
    if (delta == 0) return (int64_t)old;
    uint64_t len = (old + delta) << m->type.page_log2;
    if (len <= m->reserved) {
        size_t from = m->len & ~(uint64_t)(ts_pages_size() - 1); /* memories of small pages may end inside one */
        if (!ts_pages_commit(m->base + from, len - from)) return -1;
    } else {
        uint64_t most = m->max_pages << m->type.page_log2, want = len + len / 2;
        if (want > most) want = most;
        uint8_t *base = ts_pages_resize(m->base, m->reserved, want);
        if (!base) base = ts_pages_resize(m->base, m->reserved, want = len);
        if (!base) return -1;
        m->reserved = want;
        if (base != m->base) {
            m->base = base;
            for (ts_instance *i = s->instances; i; i = i->next)
                if (i->module->n_mems && i->mems[0] == m) i->mem0_base = base;
        }
    }
    m->pages = old + delta;
    m->len = len;
    return (int64_t)old;
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */
ts_status ts_table_make(ts_store *s, const ts_table_type *type, ts_slot init, ts_table **out, ts_error *e) {
    *out = NULL;
    const ts_limits *l = &type->limits;
    if (l->min > s->limits.table_elems)
        return ts_fail(e, TS_LIMIT, "a table of %llu elements is over the limit of %llu", (unsigned long long)l->min,
                       (unsigned long long)s->limits.table_elems);
    ts_table *t = ts_arena_alloc(&s->arena, sizeof *t);
    if (!t) return ts_fail_nomem(e);
    t->type = *type;
    t->max = l->has_max ? l->max : l->is64 ? UINT64_MAX : UINT32_MAX;
    if (t->max > s->limits.table_elems) t->max = s->limits.table_elems;
    t->len = t->cap = l->min;
    if (l->min && !(t->elems = calloc(l->min, sizeof *t->elems))) return ts_fail_nomem(e);
    for (uint64_t i = 0; init && i < t->len; i++) t->elems[i] = init;
    if (!ts_vec_push(&s->tables, t)) {
        free(t->elems);
        return ts_fail_nomem(e);
    }
    *out = t;
    return TS_OK;
}

/* spec: exec/modules#growing-tables */
int64_t ts_table_grow(ts_store *s, ts_table *t, uint64_t delta, ts_slot init) {
    (void)s;
    uint64_t old = t->len;
    if (delta > t->max - old || t->max < old) return -1;
    if (old + delta > t->cap) {
        uint64_t cap = t->cap + t->cap / 2;
        if (cap < old + delta) cap = old + delta;
        if (cap > t->max) cap = t->max;
        ts_slot *p = realloc(t->elems, cap * sizeof *p);
        if (!p) return -1;
        t->elems = p;
        t->cap = cap;
    }
    for (uint64_t i = old; i < old + delta; i++) t->elems[i] = init;
    t->len = old + delta;
    return (int64_t)old;
}

/* --- references of the host ------------------------------------------------------------------------------------------ */
ts_slot ts_ref_host(uint64_t v) {
    return v << 2 | 2;
}
uint64_t ts_ref_host_value(ts_slot r) {
    return r >> 2;
}
