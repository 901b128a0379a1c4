/* gc: the heap of a store's structs, arrays and exceptions, with a non-moving mark and sweep collector.
 * In: defined types; exact roots (globals, tables, element segments, references that the host holds) and
 * conservative ones (stack slots). Out: zeroed objects, which never move, or NULL at the heap limit.
 * spec: exec/runtime#heap */
#ifndef TS_CORE_GC_H
#define TS_CORE_GC_H
#include "core/run/objects.h"

/* Every object starts with these 16 bytes; its payload follows. */
typedef struct ts_obj {
    uint32_t type; /* the canonical id; for an exception, that of its tag's function type */
    uint32_t len;  /* for an array, its number of elements */
    uint8_t kind;  /* ts_obj_kind */
    uint8_t mark;  /* the colour: gc.c */
    uint16_t pad;
    uint32_t pad2;
} ts_obj;
typedef enum ts_obj_kind { TS_OBJ_FREE = 0, TS_OBJ_STRUCT = 1, TS_OBJ_ARRAY = 2, TS_OBJ_EXN = 3 } ts_obj_kind;

static inline uint8_t *ts_obj_payload(const ts_obj *o) {
    return (uint8_t *)(uintptr_t)(o + 1);
}
static inline ts_slot ts_obj_ref(const ts_obj *o) {
    return (ts_slot)(uintptr_t)o;
}
/* The object of a reference that is known to have one: it is not null, no i31 and not of the host. */
static inline ts_obj *ts_ref_obj(ts_slot r) {
    return (ts_obj *)(uintptr_t)r;
}

/* A reference of the hierarchies any and extern in a slot is one of these:
 * 0: null; bit 0 set: an i31; low bits 10: a number of the host; low bits 00: the address of an object. */
static inline bool ts_ref_is_i31(ts_slot r) {
    return (r & 1) != 0;
}
static inline bool ts_ref_is_host(ts_slot r) {
    return (r & 3) == 2;
}
static inline bool ts_ref_is_obj(ts_slot r) {
    return r != 0 && (r & 3) == 0;
}
static inline ts_slot ts_ref_i31(uint32_t v) {
    return (ts_slot)(v & 0x7fffffffu) << 1 | 1;
}
static inline uint32_t ts_ref_i31_u(ts_slot r) {
    return (uint32_t)(r >> 1) & 0x7fffffffu;
}
static inline int32_t ts_ref_i31_s(ts_slot r) {
    return (int32_t)((uint32_t)(r >> 1) << 1) >> 1;
}

/* Returns whether the reference, which is not null, belongs to the heap type ht of its hierarchy (func,
 * any, extern or exn). spec: exec/values#typing */
bool ts_ref_test_heap(const ts_store *s, ts_slot r, uint32_t ht);

/* An exception. Its payload is the tag and the slots of the tag's parameters. */
typedef struct ts_exn {
    ts_obj head;
    ts_tag *tag;
    uint64_t n_slots;
    ts_slot slots[];
} ts_exn;

/* Make an object with a zeroed payload. They return NULL if there is no room even after a collection: the
 * heap limit is reached, or there is no memory. Each may collect, so every live reference must be where
 * the collector looks for roots: a reference in a C variable alone is lost (see ts_gc_add_scanner). */
ts_obj *ts_gc_new_struct(ts_store *s, const ts_deftype *def);
ts_obj *ts_gc_new_array(ts_store *s, const ts_deftype *def, uint32_t len);
ts_exn *ts_gc_new_exn(ts_store *s, ts_tag *tag); /* with room for the slots of the tag's parameters */

/* A cell without an object. `kind` overlays ts_obj.kind, which is TS_OBJ_FREE here. */
typedef struct ts_gc_free_cell {
    struct ts_gc_free_cell *next;
    uint64_t kind;
} ts_gc_free_cell;
enum { TS_GC_SMALL_MAX = 8192, TS_GC_CLASSES = 36 }; /* larger objects are allocated separately */
/* What machine code uses to make an object: the heap begins with it. It takes the first free cell of a class if there
 * is one and `stress` is 0, gives the header `epoch` as its mark, and counts. All else is ts_gc_new_struct's. */
typedef struct ts_gc_front {
    ts_gc_free_cell *free[TS_GC_CLASSES];
    uint64_t total_objects; /* of ts_gc_stats */
    uint32_t stress;        /* collect at each so many allocations; 0: only when it is needed */
    uint8_t epoch;          /* the colour of live objects: 1 or 2 */
} ts_gc_front;
/* The class of cells for an object of this size, at most TS_GC_SMALL_MAX, with its header. */
unsigned ts_gc_class(uint32_t size);

/* The heap itself, which the store makes and frees. The limit is in bytes. NULL: no memory. */
ts_gc_heap *ts_gc_heap_new(ts_store *s, uint64_t limit);
void ts_gc_heap_free(ts_gc_heap *h);

/* A scanner finds further roots: each collection calls it, and it marks them by the two functions below.
 * exec.c adds one for its value stack, which marks every slot up to the top conservatively, and the
 * exception in flight. ts_gc_add_scanner returns false if there is no memory. */
typedef void (*ts_gc_scan_fn)(void *data, ts_gc_heap *h);
bool ts_gc_add_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data);
void ts_gc_remove_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data);
/* Both accept any words, and mark the objects that are among them. */
void ts_gc_mark_range(ts_gc_heap *h, const ts_slot *from, const ts_slot *to);
void ts_gc_mark_ref(ts_gc_heap *h, ts_slot r);

/* Keeps the object of a reference alive for the host until it is removed. References are counted, so that
 * pairs of calls may nest. Returns false if there is no memory. */
bool ts_gc_root_add(ts_store *s, ts_slot r);
void ts_gc_root_remove(ts_store *s, ts_slot r);

void ts_gc_collect(ts_gc_heap *h);
/* Returns whether this word is the address of an allocated object of the heap. */
bool ts_gc_is_object(const ts_gc_heap *h, ts_slot word);
/* For tests: collects at every nth allocation. 0: only when it is time. */
void ts_gc_set_stress(ts_gc_heap *h, uint32_t nth);

typedef struct ts_gc_stats {
    uint64_t collections;
    uint64_t live_bytes;      /* at the end of the last collection */
    uint64_t allocated_bytes; /* since then */
    uint64_t heap_bytes;      /* obtained from the system */
    uint64_t limit;           /* in bytes */
    uint64_t total_objects;   /* allocated since the heap was made */
    uint64_t marked_objects;  /* marked since then: the collector's work */
} ts_gc_stats;
void ts_gc_get_stats(const ts_gc_heap *h, ts_gc_stats *out);
#endif
