/* table: see table.h. */
#include "core/run/table.h"
#include <stdlib.h>

ts_status ts_table_make(ts_store *s, const ts_table_type *type, ts_slot init, ts_table **out, ts_error *e) {
    *out = NULL;
    const ts_limits *l = &type->limits;
    if (l->min > s->limits.table_elems)
        return ts_fail_limit(e, TS_LIMIT_TABLE, TS_TRAP_NONE, "a table of %llu elements is over the limit of %llu",
                             (unsigned long long)l->min, (unsigned long long)s->limits.table_elems);
    ts_table *t = ts_arena_alloc(&s->arena, sizeof *t);
    if (!t) return ts_fail_nomem(e);
    t->store = s;
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
    uint64_t old = t->len;
    if (t->max < old) return -1;
    if (delta > t->max - old) {
        uint64_t type_max = t->type.limits.has_max ? t->type.limits.max : t->type.limits.is64 ? UINT64_MAX : UINT32_MAX;
        if (delta <= type_max - old) ts_refuse(&s->refused_table, old + delta);
        return -1;
    }
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
