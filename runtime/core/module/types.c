/* types: the registry of defined types, and matching.
 * In: recursive groups. Out: canonical ids. Whole groups are hash-consed: in a group's key a reference to the
 * group itself is a position and any other is a canonical id, so equal keys are equal types.
 * spec: syntax/types, valid/matching */
#include "core/module/types.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "sys/thread.h"
#include <stdio.h>
#include <string.h>

enum { CHUNK_LOG2 = 8, CHUNK = 1 << CHUNK_LOG2, MAX_CHUNKS = 4096 }; /* a million types per engine */

struct ts_type_registry {
    ts_lock lock;
    ts_arena arena; /* definitions and keys: live as long as the registry */
    ts_map groups;  /* key → first id */
    uint32_t n;
    ts_deftype *chunks[MAX_CHUNKS]; /* a chunk is published before the ids of its types */
};

typedef TS_VEC(uint32_t) words;

ts_type_registry *ts_types_new(void) {
    ts_type_registry *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    if (!ts_lock_init(&r->lock)) {
        free(r);
        return NULL;
    }
    ts_arena_init(&r->arena);
    return r;
}

void ts_types_free(ts_type_registry *r) {
    if (!r) return;
    ts_map_free(&r->groups);
    ts_arena_free(&r->arena);
    ts_lock_destroy(&r->lock);
    free(r);
}

static ts_deftype *at(const ts_type_registry *r, uint32_t id) {
    ts_deftype *chunk = __atomic_load_n(&r->chunks[id >> CHUNK_LOG2], __ATOMIC_ACQUIRE);
    return &chunk[id & (CHUNK - 1)];
}
uint32_t ts_types_count(const ts_type_registry *r) {
    ts_lock *lock = (ts_lock *)(uintptr_t)&r->lock;
    ts_lock_take(lock);
    uint32_t n = r->n;
    ts_lock_give(lock);
    return n;
}
const ts_deftype *ts_types_get(const ts_type_registry *r, uint32_t id) {
    return at(r, id);
}

/* What the translation of one group needs. */
struct group {
    const ts_rec_member *members;
    uint32_t n;
    const uint32_t *canon_before;
    uint32_t n_before;
};

/* --- keys: spec: valid/conventions#rolling-and-unrolling ----------------------------------------------- */

static const uint32_t REL = 0x80000000u; /* a position in the same group */

static uint32_t key_index(const struct group *g, uint32_t index) {
    return index < g->n_before ? g->canon_before[index] : REL | (index - g->n_before);
}

static bool key_type(words *w, const struct group *g, ts_valtype t) {
    uint32_t heap = ts_vt_heap(t);
    if (!ts_ht_is_concrete(heap)) return ts_vec_push(w, t);
    return ts_vec_push(w, ts_vt_kind(t) | 0x100) && ts_vec_push(w, key_index(g, heap - TS_HT_CONCRETE));
}

static bool key_group(words *w, const struct group *g) {
    bool ok = ts_vec_push(w, g->n);
    for (uint32_t i = 0; ok && i < g->n; i++) {
        const ts_rec_member *t = &g->members[i];
        ok = ts_vec_push(w, (uint32_t)t->kind | (uint32_t)t->final << 8 | (uint32_t)t->has_super << 9) &&
             ts_vec_push(w, t->n_params) && ts_vec_push(w, t->n_results) && ts_vec_push(w, t->n_fields);
        if (t->has_super) ok = ok && ts_vec_push(w, key_index(g, t->super));
        for (uint32_t k = 0; ok && k < t->n_params; k++) ok = key_type(w, g, t->params[k]);
        for (uint32_t k = 0; ok && k < t->n_results; k++) ok = key_type(w, g, t->results[k]);
        for (uint32_t k = 0; ok && k < t->n_fields; k++)
            ok = key_type(w, g, t->fields[k].type) && ts_vec_push(w, t->fields[k].mut);
    }
    return ok;
}

/* --- definitions --------------------------------------------------------------------------------------- */

static ts_valtype canon(const struct group *g, uint32_t first, ts_valtype t) {
    uint32_t heap = ts_vt_heap(t);
    if (!ts_ht_is_concrete(heap)) return t;
    uint32_t index = heap - TS_HT_CONCRETE;
    uint32_t id = index < g->n_before ? g->canon_before[index] : first + (index - g->n_before);
    return ts_vt_kind(t) | (TS_HT_CONCRETE + id) << 8;
}

static ts_valtype *canon_all(ts_arena *a, const struct group *g, uint32_t first, const ts_valtype *from, uint32_t n,
                             uint32_t *slots) {
    ts_valtype *to = ts_arena_array(a, n ? n : 1, sizeof *to);
    for (uint32_t i = 0; to && i < n; i++) {
        to[i] = canon(g, first, from[i]);
        *slots += ts_vt_slots(to[i]);
    }
    return to;
}

static bool define(ts_type_registry *r, const struct group *g, uint32_t first, uint32_t k) {
    const ts_rec_member *m = &g->members[k];
    ts_deftype *d = at(r, first + k);
    d->id = first + k;
    d->kind = m->kind;
    d->final = m->final;
    d->has_super = m->has_super;
    if (m->has_super) {
        d->super = m->super < g->n_before ? g->canon_before[m->super] : first + (m->super - g->n_before);
        const ts_deftype *s = at(r, d->super);
        d->depth = s->depth + 1;
        uint32_t *supers = ts_arena_array(&r->arena, d->depth, sizeof *supers);
        if (!supers) return false;
        if (s->depth) memcpy(supers, s->supers, s->depth * sizeof *supers);
        supers[s->depth] = d->super;
        d->supers = supers;
    }
    d->n_params = m->n_params;
    d->n_results = m->n_results;
    d->params = canon_all(&r->arena, g, first, m->params, m->n_params, &d->param_slots);
    d->results = canon_all(&r->arena, g, first, m->results, m->n_results, &d->result_slots);
    d->n_fields = m->n_fields;
    ts_field *fields = ts_arena_array(&r->arena, m->n_fields ? m->n_fields : 1, sizeof *fields);
    d->fields = fields;
    if (!d->params || !d->results || !fields) return false;
    uint64_t end = 0;
    for (uint32_t i = 0; i < m->n_fields; i++) {
        uint32_t size = ts_vt_storage_size(m->fields[i].type);
        end = (end + size - 1) & ~(uint64_t)(size - 1);
        fields[i].type = canon(g, first, m->fields[i].type);
        fields[i].mut = m->fields[i].mut;
        fields[i].offset = (uint32_t)end;
        end += size;
    }
    /* The payload of a struct is padded to whole slots. The size of an array is that of one element. */
    d->size = (uint32_t)(m->kind == TS_COMP_STRUCT ? (end + 7) & ~(uint64_t)7 : end);
    return true;
}

static ts_status add_group(ts_type_registry *r, const struct group *g, const words *key, uint32_t *first, ts_error *e) {
    if (g->n > (uint32_t)MAX_CHUNKS * CHUNK - r->n) return ts_fail(e, TS_LIMIT, "too many types in one engine");
    *first = r->n;
    for (uint32_t c = r->n >> CHUNK_LOG2; c <= (r->n + g->n - 1) >> CHUNK_LOG2; c++) {
        if (r->chunks[c]) continue;
        ts_deftype *chunk = ts_arena_array(&r->arena, CHUNK, sizeof *chunk);
        if (!chunk) return ts_fail_nomem(e);
        __atomic_store_n(&r->chunks[c], chunk, __ATOMIC_RELEASE);
    }
    /* This overwrites what an earlier failure may have left incomplete. */
    for (uint32_t k = 0; k < g->n; k++) memset(at(r, *first + k), 0, sizeof(ts_deftype));
    for (uint32_t k = 0; k < g->n; k++)
        if (!define(r, g, *first, k)) return ts_fail_nomem(e);
    char *kept = ts_arena_strndup(&r->arena, (const char *)key->data, key->len * sizeof *key->data);
    if (!kept || !ts_map_put(&r->groups, kept, key->len * sizeof *key->data, *first, NULL)) return ts_fail_nomem(e);
    r->n += g->n;
    return TS_OK;
}

ts_status ts_types_intern(ts_type_registry *r, const ts_rec_member *members, uint32_t n, const uint32_t *canon_before,
                          uint32_t n_types_before, uint32_t *ids_out, ts_error *e) {
    if (n == 0) return TS_OK;
    struct group g = {members, n, canon_before, n_types_before};
    words key = {0};
    ts_status s = TS_OK;
    uint32_t first = 0;
    if (!key_group(&key, &g)) {
        s = ts_fail_nomem(e);
        goto out;
    }
    ts_lock_take(&r->lock);
    if (!ts_map_get(&r->groups, (const char *)key.data, key.len * sizeof *key.data, &first))
        s = add_group(r, &g, &key, &first, e);
    ts_lock_give(&r->lock);
    for (uint32_t k = 0; s == TS_OK && k < n; k++) ids_out[k] = first + k;
out:
    ts_vec_free(&key);
    return s;
}

ts_status ts_types_func(ts_type_registry *r, const ts_valtype *params, uint32_t n_params, const ts_valtype *results,
                        uint32_t n_results, uint32_t *id, ts_error *e) {
    /* The types are canonical already: make the translation the identity by keying ids as they are. */
    ts_rec_member m = {.kind = TS_COMP_FUNC, .final = true, .n_params = n_params, .n_results = n_results};
    uint32_t n_before = 0;
    for (uint32_t i = 0; i < n_params; i++)
        if (ts_ht_is_concrete(ts_vt_heap(params[i])) && ts_vt_heap(params[i]) - TS_HT_CONCRETE >= n_before)
            n_before = ts_vt_heap(params[i]) - TS_HT_CONCRETE + 1;
    for (uint32_t i = 0; i < n_results; i++)
        if (ts_ht_is_concrete(ts_vt_heap(results[i])) && ts_vt_heap(results[i]) - TS_HT_CONCRETE >= n_before)
            n_before = ts_vt_heap(results[i]) - TS_HT_CONCRETE + 1;
    uint32_t *same = NULL;
    ts_valtype *types = NULL;
    ts_status s = TS_OK;
    if (n_before) {
        same = malloc(n_before * sizeof *same);
        if (!same) return ts_fail_nomem(e);
        for (uint32_t i = 0; i < n_before; i++) same[i] = i;
    }
    types = malloc(((size_t)n_params + n_results + 1) * sizeof *types);
    if (!types) {
        s = ts_fail_nomem(e);
        goto out;
    }
    if (n_params) memcpy(types, params, n_params * sizeof *types);
    if (n_results) memcpy(types + n_params, results, n_results * sizeof *types);
    m.params = types;
    m.results = types + n_params;
    s = ts_types_intern(r, &m, 1, same, n_before, id, e);
out:
    free(same);
    free(types);
    return s;
}

/* --- matching ------------------------------------------------------------------------------------------ */

/* spec: valid/matching#defined-types */
bool ts_match_def(const ts_type_registry *r, uint32_t sub, uint32_t super) {
    if (sub == super) return true;
    const ts_deftype *a = at(r, sub), *b = at(r, super);
    return b->depth < a->depth && a->supers[b->depth] == super;
}

static uint32_t abstract_of(const ts_deftype *d) {
    return d->kind == TS_COMP_FUNC ? TS_HT_FUNC : d->kind == TS_COMP_STRUCT ? TS_HT_STRUCT : TS_HT_ARRAY;
}

/* spec: valid/matching#heap-types */
bool ts_match_heap(const ts_type_registry *r, uint32_t sub, uint32_t super) {
    if (sub == super || sub == TS_HT_BOT) return true;
    if (super == TS_HT_BOT) return false;
    if (ts_ht_is_concrete(sub)) {
        if (ts_ht_is_concrete(super)) return ts_match_def(r, sub - TS_HT_CONCRETE, super - TS_HT_CONCRETE);
        sub = abstract_of(at(r, sub - TS_HT_CONCRETE));
        if (sub == super) return true;
    }
    switch (sub) {
    case TS_HT_STRUCT:
    case TS_HT_ARRAY:
    case TS_HT_I31: return super == TS_HT_EQ || super == TS_HT_ANY;
    case TS_HT_EQ: return super == TS_HT_ANY;
    case TS_HT_NONE: return ts_match_heap(r, super, TS_HT_ANY);
    case TS_HT_NOFUNC: return ts_match_heap(r, super, TS_HT_FUNC);
    case TS_HT_NOEXTERN: return ts_match_heap(r, super, TS_HT_EXTERN);
    case TS_HT_NOEXN: return ts_match_heap(r, super, TS_HT_EXN);
    default: return false;
    }
}

/* spec: valid/matching#value-types */
bool ts_match_val(const ts_type_registry *r, ts_valtype sub, ts_valtype super) {
    if (sub == super || sub == TS_VT_BOT) return true;
    if (!ts_vt_is_ref(sub) || !ts_vt_is_ref(super)) return false;
    if (ts_vt_kind(sub) == TS_VT_REFNULL && ts_vt_kind(super) == TS_VT_REF) return false;
    return ts_match_heap(r, ts_vt_heap(sub), ts_vt_heap(super));
}

/* --- names --------------------------------------------------------------------------------------------- */

static const char *heap_name(uint32_t heap) {
    switch (heap) {
    case TS_HT_NOEXN: return "noexn";
    case TS_HT_NOFUNC: return "nofunc";
    case TS_HT_NOEXTERN: return "noextern";
    case TS_HT_NONE: return "none";
    case TS_HT_FUNC: return "func";
    case TS_HT_EXTERN: return "extern";
    case TS_HT_ANY: return "any";
    case TS_HT_EQ: return "eq";
    case TS_HT_I31: return "i31";
    case TS_HT_STRUCT: return "struct";
    case TS_HT_ARRAY: return "array";
    case TS_HT_EXN: return "exn";
    default: return "bot";
    }
}

const char *ts_vt_name(ts_valtype t, char buf[48]) {
    const char *name = NULL;
    switch (ts_vt_kind(t)) {
    case TS_VT_BOT: name = "bot"; break;
    case TS_VT_V128: name = "v128"; break;
    case TS_VT_F64: name = "f64"; break;
    case TS_VT_F32: name = "f32"; break;
    case TS_VT_I64: name = "i64"; break;
    case TS_VT_I32: name = "i32"; break;
    case TS_VT_I8: name = "i8"; break;
    case TS_VT_I16: name = "i16"; break;
    default: break;
    }
    if (name)
        snprintf(buf, 48, "%s", name);
    else if (ts_ht_is_concrete(ts_vt_heap(t)))
        snprintf(buf, 48, "(ref %s%u)", ts_vt_kind(t) == TS_VT_REFNULL ? "null " : "", ts_vt_heap(t) - TS_HT_CONCRETE);
    else
        snprintf(buf, 48, "(ref %s%s)", ts_vt_kind(t) == TS_VT_REFNULL ? "null " : "", heap_name(ts_vt_heap(t)));
    return buf;
}
