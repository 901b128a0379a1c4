/* exec_slow: the operations that are C functions: bulk memory, tables, references, GC, wide arithmetic,
 * exceptions.
 * In: an instruction and its frame. Out: a trap kind (TS_TRAP_NONE: done). Results are in slots.
 * Sums of guest offsets and lengths are checked in 64 bits before any access. spec: exec/instructions */
#include "core/run/exec_slow.h"
#include "core/code/compile.h"
#include "core/run/gc.h"
#include "core/run/memory.h"
#include "core/run/simd.h"
#include "core/run/table.h"
#include <string.h>

#define S(k) (fp[pc[1].s[k]])
#define SLOW(n) ts_trap_kind ts_slow_##n(ts_exec *x, ts_instance *inst, ts_slot *fp, const ts_word *pc)
#define UNUSED() ((void)x, (void)inst, (void)fp, (void)pc)

static bool in_range(uint64_t at, uint64_t n, uint64_t len) {
    return at <= len && n <= len - at;
}

/* A byte range of a memory, or NULL. */
static uint8_t *range(const ts_memory *m, uint64_t addr, uint64_t off, uint64_t n) {
    uint64_t ea;
    if (__builtin_add_overflow(addr, off, &ea) || !in_range(ea, n, m->len)) return NULL;
    return m->base + ea;
}

/* --- memory -------------------------------------------------------------------------------------------- */
SLOW(load_any) {
    static const uint8_t sizes[] = {1, 2, 4, 8, 1, 2, 1, 2, 4};
    UNUSED();
    uint32_t kind = pc[1].s[3];
    const uint8_t *p = range(inst->mems[pc[1].s[2]], S(1), pc[2].u, sizes[kind]);
    if (!p) return TS_TRAP_MEMORY_OOB;
    uint64_t v = 0;
    memcpy(&v, p, sizes[kind]);
    switch ((ts_mem_kind)kind) {
    case TS_MEM_I32_8S: v = (uint32_t)(int8_t)v; break;
    case TS_MEM_I32_16S: v = (uint32_t)(int16_t)v; break;
    case TS_MEM_I64_8S: v = (uint64_t)(int8_t)v; break;
    case TS_MEM_I64_16S: v = (uint64_t)(int16_t)v; break;
    case TS_MEM_I64_32S: v = (uint64_t)(int32_t)v; break;
    default: break;
    }
    S(0) = v;
    return TS_TRAP_NONE;
}
SLOW(store_any) {
    static const uint8_t sizes[] = {1, 2, 4, 8};
    UNUSED();
    uint32_t n = sizes[pc[1].s[3]];
    uint8_t *p = range(inst->mems[pc[1].s[2]], S(0), pc[2].u, n);
    if (!p) return TS_TRAP_MEMORY_OOB;
    uint64_t v = S(1);
    memcpy(p, &v, n);
    return TS_TRAP_NONE;
}
SLOW(v128_load_any) {
    static const uint8_t sizes[] = {16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8, 4, 8};
    UNUSED();
    uint32_t kind = pc[1].s[3];
    const uint8_t *p = range(inst->mems[pc[1].s[2]], S(1), pc[2].u, sizes[kind]);
    if (!p) return TS_TRAP_MEMORY_OOB;
    ts_v128 v;
    switch ((ts_vmem_kind)kind) {
    case TS_VMEM_128: v = ts_simd_load(p); break;
    case TS_VMEM_8X8S: v = ts_simd_load8x8_s(p); break;
    case TS_VMEM_8X8U: v = ts_simd_load8x8_u(p); break;
    case TS_VMEM_16X4S: v = ts_simd_load16x4_s(p); break;
    case TS_VMEM_16X4U: v = ts_simd_load16x4_u(p); break;
    case TS_VMEM_32X2S: v = ts_simd_load32x2_s(p); break;
    case TS_VMEM_32X2U: v = ts_simd_load32x2_u(p); break;
    case TS_VMEM_8SPLAT: v = ts_simd_load8_splat(p); break;
    case TS_VMEM_16SPLAT: v = ts_simd_load16_splat(p); break;
    case TS_VMEM_32SPLAT: v = ts_simd_load32_splat(p); break;
    case TS_VMEM_64SPLAT: v = ts_simd_load64_splat(p); break;
    case TS_VMEM_32ZERO: v = ts_simd_load32_zero(p); break;
    default: v = ts_simd_load64_zero(p); break;
    }
    ts_simd_store(&S(0), v);
    return TS_TRAP_NONE;
}
SLOW(v128_store_any) {
    UNUSED();
    uint8_t *p = range(inst->mems[pc[1].s[2]], S(0), pc[2].u, 16);
    if (!p) return TS_TRAP_MEMORY_OOB;
    memmove(p, &S(1), 16);
    return TS_TRAP_NONE;
}
SLOW(v128_lane_mem) {
    UNUSED();
    uint32_t log2 = pc[1].s[3] & 3u, lane = pc[3].uw[0];
    uint8_t *p = range(inst->mems[pc[1].s[2]], S(0), pc[2].u, (uint64_t)1 << log2);
    if (!p) return TS_TRAP_MEMORY_OOB;
    uint8_t bytes[16]; /* lanes are little-endian, as memory is */
    memcpy(bytes, &S(1), 16);
    if (pc[1].s[3] & TS_LANE_STORE) {
        memcpy(p, bytes + (lane << log2), (size_t)1 << log2);
    } else {
        memcpy(bytes + (lane << log2), p, (size_t)1 << log2);
        memcpy(&fp[pc[3].uw[1]], bytes, 16);
    }
    return TS_TRAP_NONE;
}
/* spec: appendix/profiles: in the deterministic profile the NaNs that arithmetic produces are positive and
 * canonical */
SLOW(f32x4_canon) {
    UNUSED();
    ts_v128 v = ts_simd_load(&S(1));
    for (int i = 0; i < 4; i++)
        if (v.f32[i] != v.f32[i]) v.u32[i] = 0x7fc00000u;
    ts_simd_store(&S(0), v);
    return TS_TRAP_NONE;
}
SLOW(f64x2_canon) {
    UNUSED();
    ts_v128 v = ts_simd_load(&S(1));
    for (int i = 0; i < 2; i++)
        if (v.f64[i] != v.f64[i]) v.u64[i] = 0x7ff8000000000000u;
    ts_simd_store(&S(0), v);
    return TS_TRAP_NONE;
}
SLOW(memory_size) {
    UNUSED();
    S(0) = inst->mems[pc[1].s[1]]->pages;
    return TS_TRAP_NONE;
}
SLOW(memory_grow) {
    UNUSED();
    ts_memory *m = inst->mems[pc[1].s[1]];
    int64_t old = ts_memory_grow(x->store, m, S(2));
    S(0) = m->type.is64 ? (uint64_t)old : (uint32_t)old;
    return TS_TRAP_NONE;
}
SLOW(memory_fill) {
    UNUSED();
    uint8_t *p = range(inst->mems[pc[1].s[3]], S(0), 0, S(2));
    if (!p) return TS_TRAP_MEMORY_OOB;
    memset(p, (int)(uint8_t)S(1), S(2));
    return TS_TRAP_NONE;
}
SLOW(memory_copy) {
    UNUSED();
    uint8_t *d = range(inst->mems[pc[2].uw[0]], S(0), 0, S(2));
    const uint8_t *s = range(inst->mems[pc[2].uw[1]], S(1), 0, S(2));
    if (!d || !s) return TS_TRAP_MEMORY_OOB;
    memmove(d, s, S(2));
    return TS_TRAP_NONE;
}
static uint64_t data_len(const ts_instance *inst, uint32_t seg) {
    return inst->data_dropped[seg] ? 0 : inst->module->datas[seg].len;
}
SLOW(memory_init) {
    UNUSED();
    uint32_t seg = pc[2].uw[1];
    uint64_t n = (uint32_t)S(2), from = (uint32_t)S(1);
    uint8_t *d = range(inst->mems[pc[2].uw[0]], S(0), 0, n);
    if (!d || !in_range(from, n, data_len(inst, seg))) return TS_TRAP_MEMORY_OOB;
    if (n) memcpy(d, inst->module->datas[seg].bytes + from, n);
    return TS_TRAP_NONE;
}
SLOW(data_drop) {
    UNUSED();
    inst->data_dropped[pc[1].uw[1]] = true;
    return TS_TRAP_NONE;
}

/* --- tables -------------------------------------------------------------------------------------------- */
SLOW(table_get) {
    UNUSED();
    const ts_table *t = inst->tables[pc[2].uw[0]];
    uint64_t i = S(1);
    if (i >= t->len) return TS_TRAP_TABLE_OOB;
    S(0) = t->elems[i];
    return TS_TRAP_NONE;
}
SLOW(table_set) {
    UNUSED();
    ts_table *t = inst->tables[pc[2].uw[0]];
    uint64_t i = S(0);
    if (i >= t->len) return TS_TRAP_TABLE_OOB;
    t->elems[i] = S(1);
    return TS_TRAP_NONE;
}
SLOW(table_size) {
    UNUSED();
    S(0) = inst->tables[pc[2].uw[0]]->len;
    return TS_TRAP_NONE;
}
SLOW(table_grow) {
    UNUSED();
    ts_table *t = inst->tables[pc[2].uw[0]];
    int64_t old = ts_table_grow(x->store, t, S(2), S(1));
    S(0) = t->type.limits.is64 ? (uint64_t)old : (uint32_t)old;
    return TS_TRAP_NONE;
}
SLOW(table_fill) {
    UNUSED();
    ts_table *t = inst->tables[pc[2].uw[0]];
    uint64_t at = S(0), n = S(2);
    if (!in_range(at, n, t->len)) return TS_TRAP_TABLE_OOB;
    for (uint64_t i = 0; i < n; i++) t->elems[at + i] = S(1);
    return TS_TRAP_NONE;
}
SLOW(table_copy) {
    UNUSED();
    ts_table *d = inst->tables[pc[2].uw[0]];
    const ts_table *s = inst->tables[pc[2].uw[1]];
    uint64_t to = S(0), from = S(1), n = S(2);
    if (!in_range(to, n, d->len) || !in_range(from, n, s->len)) return TS_TRAP_TABLE_OOB;
    if (n) memmove(d->elems + to, s->elems + from, n * sizeof *d->elems);
    return TS_TRAP_NONE;
}
static uint64_t elem_len(const ts_instance *inst, uint32_t seg) {
    return inst->elem_dropped[seg] || !inst->elem_values[seg] ? 0 : inst->module->elems[seg].n;
}
SLOW(table_init) {
    UNUSED();
    ts_table *t = inst->tables[pc[2].uw[0]];
    uint32_t seg = pc[2].uw[1];
    uint64_t to = S(0), from = (uint32_t)S(1), n = (uint32_t)S(2);
    if (!in_range(to, n, t->len) || !in_range(from, n, elem_len(inst, seg))) return TS_TRAP_TABLE_OOB;
    if (n) memcpy(t->elems + to, inst->elem_values[seg] + from, n * sizeof *t->elems);
    return TS_TRAP_NONE;
}
SLOW(elem_drop) {
    UNUSED();
    inst->elem_dropped[pc[1].uw[1]] = true;
    return TS_TRAP_NONE;
}

/* --- references ---------------------------------------------------------------------------------------- */
SLOW(ref_func) {
    UNUSED();
    S(0) = (ts_slot)(uintptr_t)inst->funcs[pc[1].uw[1]];
    return TS_TRAP_NONE;
}
SLOW(ref_as_non_null) {
    UNUSED();
    return S(0) ? TS_TRAP_NONE : TS_TRAP_NULL_REF;
}
static bool is_of(ts_exec *x, ts_slot r, uint64_t want) {
    if (!r) return (want >> 63) != 0;
    return ts_ref_test_heap(x->store, r, (uint32_t)want);
}
SLOW(ref_test) {
    UNUSED();
    S(0) = is_of(x, S(1), pc[2].u);
    return TS_TRAP_NONE;
}
SLOW(ref_cast) {
    UNUSED();
    if (!is_of(x, S(1), pc[2].u)) return TS_TRAP_CAST;
    S(0) = S(1);
    return TS_TRAP_NONE;
}
SLOW(ref_i31) {
    UNUSED();
    S(0) = ts_ref_i31((uint32_t)S(1));
    return TS_TRAP_NONE;
}
SLOW(i31_get_s) {
    UNUSED();
    if (!S(1)) return TS_TRAP_NULL_REF;
    S(0) = (uint32_t)ts_ref_i31_s(S(1));
    return TS_TRAP_NONE;
}
SLOW(i31_get_u) {
    UNUSED();
    if (!S(1)) return TS_TRAP_NULL_REF;
    S(0) = ts_ref_i31_u(S(1));
    return TS_TRAP_NONE;
}

/* --- GC ------------------------------------------------------------------------------------------------ */
static const ts_deftype *type_of(ts_exec *x, uint32_t id) {
    return ts_types_get(x->store->types, id);
}

static void put(uint8_t *to, ts_valtype t, const ts_slot *v) {
    memcpy(to, v, ts_vt_storage_size(t));
}
static void get(const uint8_t *from, ts_valtype t, bool sign, ts_slot *v) {
    uint32_t n = ts_vt_storage_size(t);
    if (n == 16) {
        memcpy(v, from, 16);
        return;
    }
    uint64_t u = 0;
    memcpy(&u, from, n);
    if (sign && n == 1) u = (uint32_t)(int8_t)u;
    if (sign && n == 2) u = (uint32_t)(int16_t)u;
    *v = u;
}
/* Allocate an object. A collection during the allocation scans the frame up to `top` for references. */
static ts_obj *make(ts_exec *x, ts_slot *fp, uint32_t top, const ts_deftype *t, uint32_t len) {
    ts_slot *saved = x->sp;
    x->sp = fp + top;
    ts_obj *o = t->kind == TS_COMP_STRUCT ? ts_gc_new_struct(x->store, t) : ts_gc_new_array(x->store, t, len);
    x->sp = saved;
    return o;
}
SLOW(struct_new) {
    UNUSED();
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    ts_obj *o = make(x, fp, pc[1].s[2], t, 0);
    if (!o) return TS_TRAP_ALLOC;
    const ts_slot *v = &S(0);
    for (uint32_t i = 0; i < t->n_fields; i++) {
        put(ts_obj_payload(o) + t->fields[i].offset, t->fields[i].type, v);
        v += ts_vt_slots(t->fields[i].type);
    }
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(struct_new_default) {
    UNUSED();
    ts_obj *o = make(x, fp, pc[1].s[2], type_of(x, pc[2].uw[0]), 0);
    if (!o) return TS_TRAP_ALLOC;
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(struct_get) {
    UNUSED();
    if (!S(1)) return TS_TRAP_NULL_REF;
    const ts_field *f = &type_of(x, (uint32_t)pc[2].u)->fields[pc[1].s[2]];
    get(ts_obj_payload(ts_ref_obj(S(1))) + f->offset, f->type, pc[1].s[3] != 0, &S(0));
    return TS_TRAP_NONE;
}
SLOW(struct_set) {
    UNUSED();
    if (!S(0)) return TS_TRAP_NULL_REF;
    const ts_field *f = &type_of(x, (uint32_t)pc[2].u)->fields[pc[1].s[2]];
    put(ts_obj_payload(ts_ref_obj(S(0))) + f->offset, f->type, &S(1));
    return TS_TRAP_NONE;
}
static uint8_t *element(ts_obj *a, const ts_deftype *t, uint64_t i) {
    return ts_obj_payload(a) + i * t->size;
}
static void fill(ts_obj *a, const ts_deftype *t, uint64_t at, uint64_t n, const ts_slot *v) {
    for (uint64_t i = 0; i < n; i++) put(element(a, t, at + i), t->fields[0].type, v);
}
SLOW(array_new) {
    UNUSED();
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t n = (uint32_t)S(1);
    ts_obj *o = make(x, fp, pc[1].s[2], t, n);
    if (!o) return TS_TRAP_ALLOC;
    fill(o, t, 0, n, &S(0));
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(array_new_default) {
    UNUSED();
    ts_obj *o = make(x, fp, pc[1].s[2], type_of(x, pc[2].uw[0]), (uint32_t)S(1));
    if (!o) return TS_TRAP_ALLOC;
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(array_new_fixed) {
    UNUSED();
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t n = pc[2].uw[1];
    ts_obj *o = make(x, fp, pc[1].s[2], t, n);
    if (!o) return TS_TRAP_ALLOC;
    const ts_slot *v = &S(0);
    for (uint32_t i = 0; i < n; i++, v += ts_vt_slots(t->fields[0].type)) put(element(o, t, i), t->fields[0].type, v);
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(array_new_data) {
    UNUSED();
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t seg = pc[2].uw[1], n = (uint32_t)S(1);
    uint64_t from = (uint32_t)S(0), bytes = (uint64_t)n * t->size;
    if (!in_range(from, bytes, data_len(inst, seg))) return TS_TRAP_MEMORY_OOB;
    ts_obj *o = make(x, fp, pc[1].s[2], t, n);
    if (!o) return TS_TRAP_ALLOC;
    if (bytes) memcpy(ts_obj_payload(o), inst->module->datas[seg].bytes + from, bytes);
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(array_new_elem) {
    UNUSED();
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t seg = pc[2].uw[1], n = (uint32_t)S(1);
    uint64_t from = (uint32_t)S(0);
    if (!in_range(from, n, elem_len(inst, seg))) return TS_TRAP_TABLE_OOB;
    ts_obj *o = make(x, fp, pc[1].s[2], t, n);
    if (!o) return TS_TRAP_ALLOC;
    if (n) memcpy(ts_obj_payload(o), inst->elem_values[seg] + from, (size_t)n * sizeof(ts_slot));
    S(0) = ts_obj_ref(o);
    return TS_TRAP_NONE;
}
SLOW(array_get) {
    UNUSED();
    if (!S(1)) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, (uint32_t)pc[2].u);
    ts_obj *a = ts_ref_obj(S(1));
    uint32_t i = (uint32_t)S(2);
    if (i >= a->len) return TS_TRAP_ARRAY_OOB;
    get(element(a, t, i), t->fields[0].type, pc[1].s[3] != 0, &S(0));
    return TS_TRAP_NONE;
}
SLOW(array_set) {
    UNUSED();
    if (!S(0)) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, (uint32_t)pc[2].u);
    ts_obj *a = ts_ref_obj(S(0));
    uint32_t i = (uint32_t)S(1);
    if (i >= a->len) return TS_TRAP_ARRAY_OOB;
    put(element(a, t, i), t->fields[0].type, &S(2));
    return TS_TRAP_NONE;
}
SLOW(array_len) {
    UNUSED();
    if (!S(1)) return TS_TRAP_NULL_REF;
    S(0) = ts_ref_obj(S(1))->len;
    return TS_TRAP_NONE;
}
SLOW(array_fill) {
    UNUSED();
    const ts_slot *v = &S(0);
    if (!v[0]) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    ts_obj *a = ts_ref_obj(v[0]);
    uint64_t at = (uint32_t)v[1], n = (uint32_t)S(1);
    if (!in_range(at, n, a->len)) return TS_TRAP_ARRAY_OOB;
    fill(a, t, at, n, v + 2);
    return TS_TRAP_NONE;
}
SLOW(array_copy) {
    UNUSED();
    const ts_slot *v = &S(0);
    if (!v[0] || !v[2]) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    ts_obj *d = ts_ref_obj(v[0]), *s = ts_ref_obj(v[2]);
    uint64_t to = (uint32_t)v[1], from = (uint32_t)v[3], n = (uint32_t)v[4];
    if (!in_range(to, n, d->len) || !in_range(from, n, s->len)) return TS_TRAP_ARRAY_OOB;
    if (n) memmove(element(d, t, to), element(s, t, from), n * t->size);
    return TS_TRAP_NONE;
}
SLOW(array_init_data) {
    UNUSED();
    const ts_slot *v = &S(0);
    if (!v[0]) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t seg = pc[2].uw[1];
    ts_obj *a = ts_ref_obj(v[0]);
    uint64_t to = (uint32_t)v[1], from = (uint32_t)v[2], n = (uint32_t)v[3];
    if (!in_range(to, n, a->len)) return TS_TRAP_ARRAY_OOB;
    if (!in_range(from, n * t->size, data_len(inst, seg))) return TS_TRAP_MEMORY_OOB;
    if (n) memcpy(element(a, t, to), inst->module->datas[seg].bytes + from, n * t->size);
    return TS_TRAP_NONE;
}
SLOW(array_init_elem) {
    UNUSED();
    const ts_slot *v = &S(0);
    if (!v[0]) return TS_TRAP_NULL_REF;
    const ts_deftype *t = type_of(x, pc[2].uw[0]);
    uint32_t seg = pc[2].uw[1];
    ts_obj *a = ts_ref_obj(v[0]);
    uint64_t to = (uint32_t)v[1], from = (uint32_t)v[2], n = (uint32_t)v[3];
    if (!in_range(to, n, a->len)) return TS_TRAP_ARRAY_OOB;
    if (!in_range(from, n, elem_len(inst, seg))) return TS_TRAP_TABLE_OOB;
    if (n) memcpy(element(a, t, to), inst->elem_values[seg] + from, n * sizeof(ts_slot));
    return TS_TRAP_NONE;
}

/* --- wide arithmetic ----------------------------------------------------------------------------------- */
typedef unsigned __int128 u128;
static u128 get_wide(const ts_slot *v) {
    return (u128)v[1] << 64 | v[0];
}
static ts_trap_kind put_wide(ts_slot *v, u128 r) {
    v[0] = (ts_slot)r;
    v[1] = (ts_slot)(r >> 64);
    return TS_TRAP_NONE;
}
SLOW(i64_add128) {
    UNUSED();
    ts_slot *v = &S(0);
    return put_wide(v, get_wide(v) + get_wide(v + 2));
}
SLOW(i64_sub128) {
    UNUSED();
    ts_slot *v = &S(0);
    return put_wide(v, get_wide(v) - get_wide(v + 2));
}
SLOW(i64_mul_wide_s) {
    UNUSED();
    ts_slot *v = &S(0);
    return put_wide(v, (u128)((__int128)(int64_t)v[0] * (int64_t)v[1]));
}
SLOW(i64_mul_wide_u) {
    UNUSED();
    ts_slot *v = &S(0);
    return put_wide(v, (u128)v[0] * v[1]);
}

/* --- exceptions ---------------------------------------------------------------------------------------- */
ts_trap_kind ts_slow_throw(ts_exec *x, ts_instance *inst, ts_slot *fp, const ts_word *pc) {
    ts_tag *tag = inst->tags[pc[1].uw[1]];
    ts_slot *saved = x->sp;
    x->sp = fp + pc[1].s[1];
    ts_exn *e = ts_gc_new_exn(x->store, tag);
    x->sp = saved;
    if (!e) return TS_TRAP_ALLOC;
    if (e->n_slots) memcpy(e->slots, &S(0), e->n_slots * sizeof *e->slots);
    x->exn = ts_obj_ref(&e->head);
    return TS_TRAP_NONE;
}

/* --- limits -------------------------------------------------------------------------------------------- */
ts_status ts_slow_fuel(ts_exec *x) {
    if (__atomic_load_n(&x->store->interrupted, __ATOMIC_RELAXED)) {
        __atomic_store_n(&x->store->interrupted, 0, __ATOMIC_RELAXED);
        return TS_INTERRUPTED;
    }
    if (x->fuel == UINT64_MAX) return TS_OK;
    if (x->fuel == 0) return TS_LIMIT;
    x->fuel--;
    return TS_OK;
}
