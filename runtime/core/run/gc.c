/* gc: a non-moving mark and sweep collector with blocks of equal cells; large objects are allocated
 * separately.
 * In: allocations, roots. Out: objects that never move. spec: exec/runtime#heap
 *
 * Cells come from free lists, one per size class. Marking alternates between two colours, so that marks
 * need not be cleared. A block is swept when an allocation next needs cells of its class. A collection
 * starts when as much has been allocated as was live after the last one (at least 2 MiB), so that the work
 * of marking is at most proportional to the work of allocation. That also holds near the limit, because a
 * heap that is more than 15/16 full after a collection counts as full. */
#include "core/run/gc.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 65536,
    BLOCK_HEAD = 128,
    CHUNK_BLOCKS = 16,
    CARVE = 4096, /* bytes of fresh cells that are made at a time */
    MIN_TRIGGER = 2 * 1024 * 1024,
    MAP_BITS = 63, /* the words of a struct's payload that a reference map covers */
    FLAG_LARGE = 1,
};

typedef struct block block;
struct block {
    block *next; /* in its class, or in the pool */
    /* bytes per cell; how many fit; how many exist: cells are made in the order of their addresses */
    uint32_t cell_size, n_cells, carved;
    uint32_t marked; /* cells, in the last collection */
    uint8_t size_class;
    bool pending; /* not swept since the last collection */
};
_Static_assert(sizeof(block) <= BLOCK_HEAD, "a block's head");

typedef struct chunk {
    struct chunk *next;
    void *base;
    size_t len;
} chunk;

typedef struct large { /* precedes the object, aligned to 16 bytes */
    struct large *next;
    uint64_t size;
} large;
_Static_assert(sizeof(large) == 16, "objects are aligned to 16");

typedef ts_gc_free_cell free_cell;

/* A multiset of addresses: a hash table with open addressing. Key 0 marks an empty place. */
typedef struct addr_set {
    struct addr_entry {
        uint64_t key, count;
    } *slots;
    size_t n, cap;
} addr_set;

typedef struct scanner {
    ts_gc_scan_fn fn;
    void *data;
} scanner;

struct ts_gc_heap {
    ts_gc_front front;
    ts_store *store;
    uint64_t limit;
    block *blocks[TS_GC_CLASSES], *sweep_at[TS_GC_CLASSES], *fresh[TS_GC_CLASSES];
    block *pool; /* empty blocks of any class */
    chunk *chunks;
    addr_set block_set, large_set, roots;
    large *larges;
    uintptr_t lo, hi; /* all blocks are in this range */
    bool marking, overflow;
    uint32_t stress_count;
    /* bytes: live after the last collection; allocated since then; allocated that start the next one */
    uint64_t live, allocated, trigger;
    ts_gc_stats stats;
    TS_VEC(ts_obj *) mark_stack; /* marked objects whose references have not been traced */
    TS_VEC(scanner) scanners;
    TS_VEC(uint64_t) ref_maps; /* reference maps by type id: see ref_map */
};
#define MAP_KNOWN (1ull << 63)

/* --- address sets --------------------------------------------------------------------------------------- */
static size_t set_slot(const addr_set *s, uint64_t key) {
    size_t i = (size_t)((key >> 4) * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);
    while (s->slots[i].key && s->slots[i].key != key) i = (i + 1) & (s->cap - 1);
    return i;
}

static bool set_has(const addr_set *s, uint64_t key) {
    return s->n && s->slots[set_slot(s, key)].key == key;
}

static bool set_add(addr_set *s, uint64_t key) {
    if ((s->n + 1) * 2 > s->cap) {
        addr_set t = {.cap = s->cap ? s->cap * 2 : 64, .n = s->n};
        t.slots = calloc(t.cap, sizeof *t.slots);
        if (!t.slots) return false;
        for (size_t i = 0; i < s->cap; i++)
            if (s->slots[i].key) t.slots[set_slot(&t, s->slots[i].key)] = s->slots[i];
        free(s->slots);
        *s = t;
    }
    struct addr_entry *x = &s->slots[set_slot(s, key)];
    if (!x->key) s->n++;
    x->key = key;
    x->count++;
    return true;
}

static void set_remove(addr_set *s, uint64_t key) {
    if (!set_has(s, key)) return;
    size_t i = set_slot(s, key);
    if (--s->slots[i].count) return;
    s->n--;
    s->slots[i].key = 0;
    for (size_t k = (i + 1) & (s->cap - 1); s->slots[k].key; k = (k + 1) & (s->cap - 1)) { /* close the gap */
        struct addr_entry x = s->slots[k];
        s->slots[k].key = 0;
        s->slots[set_slot(s, x.key)] = x;
    }
}

/* --- sizes and cells ------------------------------------------------------------------------------------ */
unsigned ts_gc_class(uint32_t size) {
    if (size <= 256) return (size + 15) / 16 - 1;
    unsigned e = 31u - (unsigned)__builtin_clz(size - 1); /* 2^e < size <= 2^(e+1): four classes */
    return 16 + (e - 8) * 4 + ((size - 1 - (1u << e)) >> (e - 2));
}

static uint32_t class_cell(unsigned size_class) {
    if (size_class < 16) return (size_class + 1) * 16;
    unsigned e = (size_class - 16) / 4 + 8;
    return (1u << e) + ((size_class & 3) + 1) * (1u << (e - 2));
}

static ts_obj *cell_at(const block *b, uint32_t i) {
    return (ts_obj *)(uintptr_t)((const uint8_t *)b + BLOCK_HEAD + (size_t)i * b->cell_size);
}
static block *block_of(const ts_obj *o) {
    return (block *)((uintptr_t)o & ~(uintptr_t)(BLOCK - 1));
}
static large *large_of(const ts_obj *o) {
    return (large *)(uintptr_t)o - 1;
}
static ts_obj *large_obj(const large *l) {
    return (ts_obj *)(uintptr_t)(l + 1);
}

static void push_free(free_cell **list, ts_obj *o) {
    free_cell *f = (free_cell *)(void *)o;
    f->kind = TS_OBJ_FREE;
    f->next = *list;
    *list = f;
}

/* Puts the unmarked cells of a block into the free list, in the order of their addresses. Returns their
 * size in bytes. */
static uint64_t sweep_block(const ts_gc_heap *h, block *b, free_cell **list) {
    const uint32_t size = b->cell_size, n = b->carved - b->marked;
    b->pending = false;
    if (n == 0) return 0;
    for (uint8_t *first = (uint8_t *)b + BLOCK_HEAD, *at = first + (size_t)b->carved * size; at > first;) {
        ts_obj *o = (ts_obj *)(void *)(at -= size);
        if (o->kind == TS_OBJ_FREE || o->mark != h->front.epoch) push_free(list, o);
    }
    return (uint64_t)n * size;
}

static bool add_chunk(ts_gc_heap *h) {
    chunk *c = calloc(1, sizeof *c);
    if (!c) return false;
    c->len = (size_t)(CHUNK_BLOCKS + 1) * BLOCK;
    c->base = ts_pages_resize(NULL, 0, c->len);
    if (!c->base) {
        free(c);
        return false;
    }
    c->next = h->chunks;
    h->chunks = c;
    uintptr_t at = ((uintptr_t)c->base + BLOCK - 1) & ~(uintptr_t)(BLOCK - 1);
    if (!h->lo || at < h->lo) h->lo = at;
    if (at + CHUNK_BLOCKS * BLOCK > h->hi) h->hi = at + CHUNK_BLOCKS * BLOCK;
    for (unsigned i = CHUNK_BLOCKS; i-- > 0;) {
        block *b = (block *)(at + (size_t)i * BLOCK);
        if (!set_add(&h->block_set, (uintptr_t)b)) return i + 1 < CHUNK_BLOCKS;
        b->next = h->pool;
        h->pool = b;
        h->stats.heap_bytes += BLOCK;
    }
    return true;
}

/* Fills the free list of a class. All cells that it adds count as allocated. Returns false if there is no
 * memory. */
static bool refill(ts_gc_heap *h, unsigned size_class) {
    while (h->sweep_at[size_class]) {
        block *b = h->sweep_at[size_class];
        h->sweep_at[size_class] = b->next;
        if (!b->pending) continue;
        uint64_t bytes = sweep_block(h, b, &h->front.free[size_class]);
        h->allocated += bytes;
        if (bytes) return true;
    }
    block *b = h->fresh[size_class];
    if (!b || b->carved == b->n_cells) {
        if (!h->pool && !add_chunk(h)) return false;
        b = h->pool;
        h->pool = b->next;
        b->size_class = (uint8_t)size_class;
        b->cell_size = class_cell(size_class);
        b->n_cells = (BLOCK - BLOCK_HEAD) / b->cell_size;
        b->carved = b->marked = 0;
        b->pending = false;
        b->next = h->blocks[size_class];
        h->blocks[size_class] = b;
        h->fresh[size_class] = b;
    }
    uint32_t n = CARVE / b->cell_size ? CARVE / b->cell_size : 1;
    if (n > b->n_cells - b->carved) n = b->n_cells - b->carved;
    for (uint32_t i = b->carved + n; i-- > b->carved;) push_free(&h->front.free[size_class], cell_at(b, i));
    b->carved += n;
    h->allocated += (uint64_t)n * b->cell_size;
    return true;
}

/* --- marking -------------------------------------------------------------------------------------------- */
static bool is_func_heap(const ts_gc_heap *h, uint32_t ht) {
    if (!ts_ht_is_concrete(ht)) return ht == TS_HT_FUNC || ht == TS_HT_NOFUNC;
    return ts_types_get(h->store->types, ht - TS_HT_CONCRETE)->kind == TS_COMP_FUNC;
}
static bool is_traced(const ts_gc_heap *h, ts_valtype t) {
    return ts_vt_is_ref(t) && !is_func_heap(h, ts_vt_heap(t));
}

static bool has_refs(ts_gc_heap *h, const ts_deftype *d) {
    for (uint32_t i = 0; i < d->n_fields; i++)
        if (is_traced(h, d->fields[i].type)) return true;
    return false;
}

/* Returns the reference map of a type: bit 63 (MAP_KNOWN) is set, and bit n says that word n of the
 * payload is a reference that has to be traced. A map of MAP_KNOWN alone has nothing to trace. 0 means
 * that the type is too large for a map, and its fields have to be looked at. */
static uint64_t make_ref_map(ts_gc_heap *h, const ts_deftype *d) {
    uint64_t map = MAP_KNOWN;
    if (d->kind == TS_COMP_ARRAY) {
        map |= has_refs(h, d) ? 1 : 0;
    } else if (d->size > MAP_BITS * 8) {
        return has_refs(h, d) ? 0 : MAP_KNOWN;
    } else {
        for (uint32_t i = 0; i < d->n_fields; i++)
            if (is_traced(h, d->fields[i].type)) map |= 1ull << (d->fields[i].offset / 8);
    }
    if (!ts_vec_reserve(&h->ref_maps, (uint64_t)d->id + 1)) return map;
    while (h->ref_maps.len <= d->id) h->ref_maps.data[h->ref_maps.len++] = 0;
    return h->ref_maps.data[d->id] = map;
}

/* o: not an exception. */
static inline uint64_t ref_map(ts_gc_heap *h, const ts_obj *o) {
    if (TS_LIKELY(o->type < h->ref_maps.len && h->ref_maps.data[o->type])) return h->ref_maps.data[o->type];
    return make_ref_map(h, ts_types_get(h->store->types, o->type));
}

static inline void mark_obj(ts_gc_heap *h, ts_obj *o) {
    if (o->mark == h->front.epoch) return;
    o->mark = h->front.epoch;
    if (o->pad & FLAG_LARGE) {
        h->live += large_of(o)->size;
    } else {
        block *b = block_of(o);
        h->live += b->cell_size;
        b->marked++;
    }
    h->stats.marked_objects++;
    if (o->kind != TS_OBJ_EXN && ref_map(h, o) == MAP_KNOWN) return;
    if (!ts_vec_push(&h->mark_stack, o)) h->overflow = true; /* `recover` finds it again */
}

static void mark_exact(ts_gc_heap *h, ts_slot r) {
    if (ts_ref_is_obj(r)) mark_obj(h, ts_ref_obj(r));
}

static ts_slot slot_at(const uint8_t *p) {
    ts_slot v;
    memcpy(&v, p, 8);
    return v;
}

static void trace_exn(ts_gc_heap *h, const ts_exn *x) {
    const ts_deftype *d = ts_types_get(h->store->types, x->head.type);
    for (uint32_t i = 0, at = 0; i < d->n_params; at += ts_vt_slots(d->params[i++]))
        if (is_traced(h, d->params[i])) mark_exact(h, x->slots[at]);
}
static void trace(ts_gc_heap *h, ts_obj *o) {
    const uint8_t *p = ts_obj_payload(o);
    if (o->kind == TS_OBJ_EXN) {
        trace_exn(h, (const ts_exn *)(const void *)o);
        return;
    }
    uint64_t map = ref_map(h, o);
    if (map == MAP_KNOWN) return;
    if (o->kind == TS_OBJ_ARRAY) {
        for (uint32_t i = 0; i < o->len; i++) mark_exact(h, slot_at(p + (size_t)i * 8));
    } else if (map) {
        for (map &= ~MAP_KNOWN; map; map &= map - 1) mark_exact(h, slot_at(p + (size_t)__builtin_ctzll(map) * 8));
    } else {
        const ts_deftype *d = ts_types_get(h->store->types, o->type);
        for (uint32_t i = 0; i < d->n_fields; i++)
            if (is_traced(h, d->fields[i].type)) mark_exact(h, slot_at(p + d->fields[i].offset));
    }
}

static void drain(ts_gc_heap *h) {
    while (h->mark_stack.len) trace(h, h->mark_stack.data[--h->mark_stack.len]);
}

/* After the mark stack failed to grow, marked objects may have unmarked children. This traces all marked
 * objects of the heap again, until the stack did not fail. */
static void recover(ts_gc_heap *h) {
    while (h->overflow) {
        h->overflow = false;
        for (unsigned c = 0; c < TS_GC_CLASSES; c++)
            for (block *b = h->blocks[c]; b; b = b->next)
                for (uint32_t i = 0; i < b->carved; i++) {
                    ts_obj *o = cell_at(b, i);
                    if (o->kind != TS_OBJ_FREE && o->mark == h->front.epoch) trace(h, o), drain(h);
                }
        for (large *l = h->larges; l; l = l->next)
            if (large_obj(l)->mark == h->front.epoch) trace(h, large_obj(l)), drain(h);
    }
}

/* For conservative scanning: a word is an object if it is the address of an allocated cell. */
bool ts_gc_is_object(const ts_gc_heap *h, ts_slot word) {
    if (word & 15 || !word) return false;
    if (word >= h->lo && word < h->hi) {
        uint64_t at = word & ~(uint64_t)(BLOCK - 1);
        if (set_has(&h->block_set, at)) {
            const block *b = (const block *)(uintptr_t)at;
            uint64_t off = word - at;
            if (!b->cell_size || off < BLOCK_HEAD || (off - BLOCK_HEAD) % b->cell_size ||
                (off - BLOCK_HEAD) / b->cell_size >= b->carved)
                return false;
            const ts_obj *o = ts_ref_obj(word);
            return o->kind != TS_OBJ_FREE && !(b->pending && o->mark != h->front.epoch);
        }
    }
    return set_has(&h->large_set, word);
}

void ts_gc_mark_ref(ts_gc_heap *h, ts_slot r) {
    if (ts_gc_is_object(h, r)) mark_obj(h, ts_ref_obj(r));
}

void ts_gc_mark_range(ts_gc_heap *h, const ts_slot *from, const ts_slot *to) {
    for (; from < to; from++) ts_gc_mark_ref(h, *from);
}

static void mark_roots(ts_gc_heap *h) {
    ts_store *s = h->store;
    for (uint32_t i = 0; i < s->globals.len; i++)
        if (is_traced(h, s->globals.data[i]->type.type)) mark_exact(h, s->globals.data[i]->v[0]);
    for (uint32_t i = 0; i < s->tables.len; i++) {
        const ts_table *t = s->tables.data[i];
        if (!is_traced(h, t->type.elem)) continue;
        for (uint64_t k = 0; k < t->len; k++) mark_exact(h, t->elems[k]);
        drain(h);
    }
    for (ts_instance *i = s->instances; i; i = i->next)
        for (uint32_t k = 0; k < i->module->n_elems; k++) {
            const ts_elem_seg *seg = &i->module->elems[k];
            if (!i->elem_values[k] || i->elem_dropped[k] || !is_traced(h, seg->type)) continue;
            for (uint32_t n = 0; n < seg->n; n++) mark_exact(h, i->elem_values[k][n]);
        }
    for (size_t i = 0; i < h->roots.cap; i++)
        if (h->roots.slots[i].key) ts_gc_mark_ref(h, h->roots.slots[i].key);
    for (uint32_t i = 0; i < h->scanners.len; i++) h->scanners.data[i].fn(h->scanners.data[i].data, h);
}

static void sweep_larges(ts_gc_heap *h) {
    for (large **at = &h->larges; *at;) {
        large *l = *at;
        if (large_obj(l)->mark == h->front.epoch) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        set_remove(&h->large_set, (uintptr_t)large_obj(l));
        h->stats.heap_bytes -= l->size;
        free(l);
    }
}

/* Moves blocks without live objects to the pool, from where any class can take them. The other blocks are
 * swept when an allocation needs their cells. */
static void plan_sweep(ts_gc_heap *h) {
    for (unsigned c = 0; c < TS_GC_CLASSES; c++) {
        h->front.free[c] = NULL;
        h->fresh[c] = NULL;
        for (block **at = &h->blocks[c]; *at;) {
            block *b = *at;
            if (b->marked) {
                b->pending = true;
                if (b->carved < b->n_cells) h->fresh[c] = b;
                at = &b->next;
                continue;
            }
            *at = b->next;
            b->cell_size = b->carved = 0;
            b->pending = false;
            b->next = h->pool;
            h->pool = b;
        }
        h->sweep_at[c] = h->blocks[c];
    }
}

void ts_gc_collect(ts_gc_heap *h) {
    if (h->marking) return;
    h->marking = true;
    for (unsigned c = 0; c < TS_GC_CLASSES; c++) {
        /* sweep what is left: a dead object must not have the colour that is about to mean alive */
        for (block *b = h->sweep_at[c]; b; b = b->next) {
            free_cell *none = NULL;
            if (b->pending) sweep_block(h, b, &none);
        }
        for (block *b = h->blocks[c]; b; b = b->next) b->marked = 0;
    }
    h->front.epoch = (uint8_t)(3 - h->front.epoch);
    h->live = 0;
    mark_roots(h);
    drain(h);
    recover(h);
    sweep_larges(h);
    plan_sweep(h);
    h->stats.collections++;
    h->allocated = 0;
    h->trigger = h->live > MIN_TRIGGER ? h->live : MIN_TRIGGER;
    h->marking = false;
}

/* --- allocation ----------------------------------------------------------------------------------------- */
/* Called before `size` more bytes are allocated; collects if it is time. Returns false if the limit is
 * reached. */
static bool make_room(ts_gc_heap *h, uint64_t size) {
    if (size > h->limit) return false;
    if (h->allocated + size <= h->trigger && h->live + h->allocated + size <= h->limit) return true;
    ts_gc_collect(h);
    return h->live + size <= h->limit - h->limit / 16;
}

static ts_obj *new_large(ts_gc_heap *h, uint64_t size) {
    size += sizeof(large);
    if (!make_room(h, size)) return NULL;
    large *l = calloc(1, size);
    if (!l) return NULL;
    if (!set_add(&h->large_set, (uintptr_t)large_obj(l))) {
        free(l);
        return NULL;
    }
    l->size = size;
    l->next = h->larges;
    h->larges = l;
    h->allocated += size;
    h->stats.heap_bytes += size;
    large_obj(l)->pad = FLAG_LARGE;
    return large_obj(l);
}

/* `size` includes the header. */
static ts_obj *new_obj(ts_gc_heap *h, uint64_t size, ts_obj_kind kind, uint32_t type, uint32_t len) {
    if (h->front.stress && ++h->stress_count >= h->front.stress) {
        h->stress_count = 0;
        ts_gc_collect(h);
    }
    ts_obj *o;
    if (size > TS_GC_SMALL_MAX) {
        o = new_large(h, size);
        if (!o) return NULL;
    } else {
        unsigned size_class = ts_gc_class((uint32_t)size);
        free_cell *f = h->front.free[size_class];
        if (__builtin_expect(!f, 0)) {
            /* a refill may add all cells of a swept block */
            if (!make_room(h, h->limit >= 16 * BLOCK ? BLOCK : size)) return NULL;
            if (!refill(h, size_class)) {
                ts_gc_collect(h);
                if (!refill(h, size_class)) return NULL;
            }
            f = h->front.free[size_class];
        }
        h->front.free[size_class] = f->next;
        o = (ts_obj *)(void *)f;
        memset(o, 0, (size + 7) & ~7ull);
    }
    o->type = type;
    o->len = len;
    o->kind = (uint8_t)kind;
    o->mark = h->front.epoch;
    h->front.total_objects++;
    return o;
}

ts_obj *ts_gc_new_struct(ts_store *s, const ts_deftype *def) {
    return new_obj(s->gc, sizeof(ts_obj) + (uint64_t)def->size, TS_OBJ_STRUCT, def->id, 0);
}

ts_obj *ts_gc_new_array(ts_store *s, const ts_deftype *def, uint32_t len) {
    return new_obj(s->gc, sizeof(ts_obj) + (uint64_t)def->size * len, TS_OBJ_ARRAY, def->id, len);
}

ts_exn *ts_gc_new_exn(ts_store *s, ts_tag *tag) {
    const ts_deftype *d = ts_types_get(s->types, tag->type);
    ts_exn *x = (ts_exn *)(void *)new_obj(s->gc, sizeof(ts_exn) + (uint64_t)d->param_slots * sizeof(ts_slot),
                                          TS_OBJ_EXN, d->id, 0);
    if (x) {
        x->tag = tag;
        x->n_slots = d->param_slots;
    }
    return x;
}

/* --- the heap ------------------------------------------------------------------------------------------- */
ts_gc_heap *ts_gc_heap_new(ts_store *s, uint64_t limit) {
    ts_gc_heap *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    h->store = s;
    h->limit = limit;
    h->front.epoch = 1;
    h->trigger = MIN_TRIGGER;
    return h;
}

void ts_gc_heap_free(ts_gc_heap *h) {
    if (!h) return;
    for (chunk *c = h->chunks, *next; c; c = next) {
        next = c->next;
        ts_pages_release(c->base, c->len);
        free(c);
    }
    for (large *l = h->larges, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    free(h->block_set.slots);
    free(h->large_set.slots);
    free(h->roots.slots);
    ts_vec_free(&h->mark_stack);
    ts_vec_free(&h->scanners);
    ts_vec_free(&h->ref_maps);
    free(h);
}

bool ts_gc_add_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data) {
    return ts_vec_push(&h->scanners, (scanner){fn, data});
}

void ts_gc_remove_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data) {
    for (uint32_t i = h->scanners.len; i-- > 0;)
        if (h->scanners.data[i].fn == fn && h->scanners.data[i].data == data) {
            memmove(&h->scanners.data[i], &h->scanners.data[i + 1], (h->scanners.len - i - 1) * sizeof(scanner));
            h->scanners.len--;
            return;
        }
}

bool ts_gc_root_add(ts_store *s, ts_slot r) {
    return !ts_ref_is_obj(r) || set_add(&s->gc->roots, r);
}
void ts_gc_root_remove(ts_store *s, ts_slot r) {
    if (ts_ref_is_obj(r)) set_remove(&s->gc->roots, r);
}

void ts_gc_set_stress(ts_gc_heap *h, uint32_t nth) {
    h->front.stress = nth;
    h->stress_count = 0;
}

void ts_gc_get_stats(const ts_gc_heap *h, ts_gc_stats *out) {
    *out = h->stats;
    out->total_objects = h->front.total_objects;
    out->live_bytes = h->live;
    out->allocated_bytes = h->allocated;
    out->limit = h->limit;
}

/* --- types of references -------------------------------------------------------------------------------- */
/* spec: exec/values#typing of references, valid/matching#heap-types */
bool ts_ref_test_heap(const ts_store *s, ts_slot r, uint32_t ht) {
    if (ts_ht_is_concrete(ht)) {
        uint32_t id = ht - TS_HT_CONCRETE;
        if (ts_types_get(s->types, id)->kind == TS_COMP_FUNC)
            return ts_match_def(s->types, ((ts_func *)(uintptr_t)r)->type, id);
        return ts_ref_is_obj(r) && ts_match_def(s->types, ts_ref_obj(r)->type, id);
    }
    switch (ht) {
    case TS_HT_FUNC:
    case TS_HT_EXTERN:
    case TS_HT_ANY:
    case TS_HT_EXN: return true;
    case TS_HT_EQ: return ts_ref_is_i31(r) || ts_ref_is_obj(r);
    case TS_HT_I31: return ts_ref_is_i31(r);
    case TS_HT_STRUCT: return ts_ref_is_obj(r) && ts_ref_obj(r)->kind == TS_OBJ_STRUCT;
    case TS_HT_ARRAY: return ts_ref_is_obj(r) && ts_ref_obj(r)->kind == TS_OBJ_ARRAY;
    default: return false; /* a bottom type has no value but null */
    }
}
