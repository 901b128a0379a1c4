/* gc: the heap of structs, arrays and exceptions of one store: a non-moving mark and sweep collector.
 * In: defined types, roots (globals, tables, element segments, host handles: exact; stack slots: conservative). Out:
 * objects, zeroed, which never move; NULL when the heap limit is reached. spec: exec/runtime#heap */
#ifndef TS_CORE_GC_H
#define TS_CORE_GC_H
#include "core/run/objects.h"

/* Every object starts with these 16 bytes; its payload follows. */
typedef struct ts_obj {
    uint32_t type; /* canonical id; of an exception: of its tag's function type */
    uint32_t len;  /* arrays: number of elements */
    uint8_t kind;  /* ts_obj_kind */
    uint8_t mark;  /* the collector's */
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
/* The object of a reference that is known to be one (not null, not an i31, not of the host). */
static inline ts_obj *ts_ref_obj(ts_slot r) {
    return (ts_obj *)(uintptr_t)r;
}

/* References of the hierarchies any and extern in one slot: 0 null; bit 0 set: i31; low bits 10: of the host; low bits
 * 00: object. */
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

/* Does the reference (not null) belong to heap type ht? For every hierarchy: func, any, extern, exn. spec:
 * exec/values#typing */
bool ts_ref_test_heap(const ts_store *s, ts_slot r, uint32_t ht);

/* Exceptions: payload = the tag, then its parameters' slots. */
typedef struct ts_exn {
    ts_obj head;
    ts_tag *tag;
    uint64_t n_slots;
    ts_slot slots[];
} ts_exn;

/* New objects, payload zeroed. NULL: the heap limit is reached (or no memory), also after a collection.
 * Any of these may collect: what is only in registers must be in the scanned part of a stack (see ts_gc_add_scanner).
 */
ts_obj *ts_gc_new_struct(ts_store *s, const ts_deftype *def);
ts_obj *ts_gc_new_array(ts_store *s, const ts_deftype *def, uint32_t len);
ts_exn *ts_gc_new_exn(ts_store *s, ts_tag *tag); /* def->param_slots slots, zeroed */

/* The heap itself; the store makes and ends it. limit in bytes. */
ts_gc_heap *ts_gc_heap_new(ts_store *s, uint64_t limit);
void ts_gc_heap_free(ts_gc_heap *h);

/* Further roots: called at each collection, marks through the two functions below. exec.c adds one for its value stack:
 * every slot up to the top, conservatively, and the exception in flight. Returns false on no memory. */
typedef void (*ts_gc_scan_fn)(void *data, ts_gc_heap *h);
bool ts_gc_add_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data);
void ts_gc_remove_scanner(ts_gc_heap *h, ts_gc_scan_fn fn, void *data);
void ts_gc_mark_range(ts_gc_heap *h, const ts_slot *from,
                      const ts_slot *to); /* conservative: any word may or may not be a reference */
void ts_gc_mark_ref(ts_gc_heap *h,
                    ts_slot r); /* exact for the hierarchies any, extern, exn; conservative words are fine too */

/* A reference held by the host: kept alive until removed; counted, so pairs may nest. False: no memory. */
bool ts_gc_root_add(ts_store *s, ts_slot r);
void ts_gc_root_remove(ts_store *s, ts_slot r);

void ts_gc_collect(ts_gc_heap *h);
/* Exact: is this word the address of an allocated object of the heap? */
bool ts_gc_is_object(const ts_gc_heap *h, ts_slot word);
void ts_gc_set_stress(ts_gc_heap *h, uint32_t nth); /* collect on every nth allocation; 0: never */

typedef struct ts_gc_stats {
    uint64_t collections, live_bytes, allocated_bytes; /* live: at the last collection; allocated: since then */
    uint64_t heap_bytes, limit;                        /* held from the system; the limit */
    uint64_t total_objects, marked_objects;            /* allocated ever; marked ever (the collector's work) */
} ts_gc_stats;
void ts_gc_get_stats(const ts_gc_heap *h, ts_gc_stats *out);
#endif
