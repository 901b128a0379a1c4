/* api: the functions of touchstone.h for core modules: types and typed values on top of a store.
 * In: calls of the embedder. Out: the results of the modules of core/, or TS_USAGE if the call breaks a
 * rule of the header. spec: embedding, exec/runtime */
#include "core/run/exec.h"
#include "base/cfi.h"
#include "core/run/gc.h"
#include "core/run/store.h"
#include "core/run/text.h"
#include "core/load/load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TS_CORE_I32 == TS_VT_I32 && TS_CORE_I64 == TS_VT_I64 && TS_CORE_F32 == TS_VT_F32 &&
                   TS_CORE_F64 == TS_VT_F64 && TS_CORE_V128 == TS_VT_V128 && TS_CORE_FUNCREF == TS_VT_FUNCREF &&
                   TS_CORE_EXTERNREF == TS_VT_EXTERNREF && TS_CORE_EXNREF == TS_VT_EXNREF &&
                   TS_CORE_ANYREF == (TS_VT_REFNULL | TS_HT_ANY << 8) &&
                   TS_CORE_EQREF == (TS_VT_REFNULL | TS_HT_EQ << 8) &&
                   TS_CORE_I31REF == (TS_VT_REFNULL | TS_HT_I31 << 8) &&
                   TS_CORE_STRUCTREF == (TS_VT_REFNULL | TS_HT_STRUCT << 8) &&
                   TS_CORE_ARRAYREF == (TS_VT_REFNULL | TS_HT_ARRAY << 8),
               "the header's types");
_Static_assert((int)TS_CORE_FUNC == (int)TS_EXTERN_FUNC && (int)TS_CORE_TABLE == (int)TS_EXTERN_TABLE &&
                   (int)TS_CORE_MEMORY == (int)TS_EXTERN_MEM && (int)TS_CORE_GLOBAL == (int)TS_EXTERN_GLOBAL &&
                   (int)TS_CORE_TAG == (int)TS_EXTERN_TAG,
               "the header's kinds");

typedef struct core_host { /* in the store's arena */
    ts_core_callback fn;
    void *data;
    const ts_deftype *def;
    const char *name;
    const ts_store *store;
} core_host;
static ts_status call_host(void *data, ts_exec *x, ts_slot *io);
/* Returns the store that a function belongs to, or NULL if it is unknown. */
static const ts_store *store_of(const ts_func *f) {
    if (f->inst) return f->inst->store;
    return f->host == call_host ? ((const core_host *)f->host_data)->store : NULL;
}
static bool of_other_store(const ts_store *s, const ts_func *f) {
    return store_of(f) && store_of(f) != s;
}
/* Refuses an object of one store where another store is used. */
static ts_status check_store(const ts_store *s, const ts_store *to, const char *what, ts_error *e) {
    return s == to ? TS_OK : ts_fail(e, TS_USAGE, "the %s belongs to another store", what);
}

/* --- types ---------------------------------------------------------------------------------------------- */
const char *ts_core_type_name(ts_core_type t, char buf[48]) {
    if (!buf) return "";
    return ts_vt_name(t, buf);
}
bool ts_core_type_is_ref(ts_core_type t) {
    return ts_vt_is_ref(t);
}

static bool type_known(const ts_type_registry *r, ts_valtype t) {
    if (ts_vt_is_num(t) || t == TS_VT_V128) return true;
    uint32_t ht = ts_vt_heap(t);
    return ts_vt_is_ref(t) &&
           (ts_ht_is_concrete(ht) ? ht - TS_HT_CONCRETE < ts_types_count(r) : (ht >= TS_HT_EXN && ht <= TS_HT_NOEXN));
}
static bool is_funcref(const ts_type_registry *r, ts_valtype t) {
    return ts_vt_is_ref(t) && ts_ht_top(r, ts_vt_heap(t)) == TS_HT_FUNC;
}
bool ts_core_type_is_funcref(const ts_engine *engine, ts_core_type t) {
    if (!engine) return false;
    const ts_type_registry *r = ts_engine_types(engine);
    return type_known(r, t) && is_funcref(r, t);
}

static ts_status check_type(const ts_type_registry *r, ts_valtype t, ts_error *e) {
    return type_known(r, t) ? TS_OK : ts_fail(e, TS_USAGE, "0x%x is not a value type", (unsigned)t);
}

static void put_func(const ts_type_registry *r, uint32_t id, ts_core_externtype *out) {
    const ts_deftype *d = ts_types_get(r, id);
    out->n_params = d->n_params;
    out->n_results = d->n_results;
    out->params = d->params;
    out->results = d->results;
    out->defined = id + 1;
}
static void put_limits(const ts_limits *l, uint64_t min, ts_core_externtype *out) {
    out->min = min;
    out->max = l->has_max ? l->max : 0;
    out->has_max = l->has_max;
    out->is64 = l->is64;
    out->shared = l->shared;
}
static void put_table(const ts_table_type *t, uint64_t min, ts_core_externtype *out) {
    put_limits(&t->limits, min, out);
    out->type = t->elem;
}
static void put_memory(const ts_limits *l, uint64_t min, ts_core_externtype *out) {
    put_limits(l, min, out);
    out->page_size = 1u << l->page_log2;
}
static void put_global(const ts_global_type *g, ts_core_externtype *out) {
    out->type = g->type;
    out->mut = g->mut;
}

static ts_status check_kind(const ts_core_externtype *t, ts_core_kind k, ts_error *e) {
    return t->kind == k
               ? TS_OK
               : ts_fail(e, TS_USAGE, "the given type is not that of a %s", ts_extern_kind_name((ts_extern_kind)k));
}
/* Checks the counts before it reads the caller's arrays.
 * spec: appendix/implementation (counts of parameters and results); the limit is that of the JavaScript
 * API. */
enum { MAX_PARAMS = 1000 };
static ts_status func_type_id(ts_store *s, const ts_core_externtype *t, uint32_t *id, ts_error *e) {
    if (t->defined) {
        *id = t->defined - 1;
        if (*id >= ts_types_count(s->types))
            return ts_fail(e, TS_USAGE, "the defined type does not exist in this engine");
        if (ts_types_get(s->types, *id)->kind != TS_COMP_FUNC)
            return ts_fail(e, TS_USAGE, "the defined type is not a function type");
        return TS_OK;
    }
    if (t->n_params > MAX_PARAMS || t->n_results > MAX_PARAMS)
        return ts_fail(e, TS_USAGE, "the type has %u parameters and %u results, but at most %d of each are allowed",
                       t->n_params, t->n_results, MAX_PARAMS);
    TS_NEED(e, t->params || !t->n_params);
    TS_NEED(e, t->results || !t->n_results);
    for (uint32_t i = 0; i < t->n_params; i++) TS_TRY(check_type(s->types, t->params[i], e));
    for (uint32_t i = 0; i < t->n_results; i++) TS_TRY(check_type(s->types, t->results[i], e));
    return ts_types_func(s->types, t->params, t->n_params, t->results, t->n_results, id, e);
}
static ts_status check_limits(const ts_core_externtype *t, ts_limits *out, ts_error *e) {
    if (t->has_max && t->min > t->max)
        return ts_fail(e, TS_USAGE, "the minimum %llu is greater than the maximum %llu", (unsigned long long)t->min,
                       (unsigned long long)t->max);
    if (t->shared && !t->has_max) return ts_fail(e, TS_USAGE, "a shared memory or table needs a maximum");
    *out = (ts_limits){.min = t->min, .max = t->max, .has_max = t->has_max, .is64 = t->is64, .shared = t->shared};
    return TS_OK;
}

/* --- values --------------------------------------------------------------------------------------------- */
uint64_t ts_core_ref_host(uint64_t v) {
    return ts_ref_host(v);
}
bool ts_core_ref_host_value(uint64_t ref, uint64_t *v) {
    if (!ts_ref_is_host(ref)) return false;
    if (v) *v = ts_ref_host_value(ref);
    return true;
}
uint64_t ts_core_ref_i31(int32_t v) {
    return ts_ref_i31((uint32_t)v);
}
bool ts_core_ref_i31_value(uint64_t ref, int32_t *v) {
    if (!ts_ref_is_i31(ref)) return false;
    if (v) *v = ts_ref_i31_s(ref);
    return true;
}
ts_status ts_core_ref_hold(ts_store *s, uint64_t ref, ts_error *e) {
    TS_NEED(e, s);
    if (!ts_ref_is_obj(ref)) return TS_OK; /* no object to keep alive */
    if (!ts_gc_is_object(s->gc, ref)) return ts_fail(e, TS_USAGE, "the reference is not to an object of this store");
    return ts_gc_root_add(s, ref) ? TS_OK : ts_fail_nomem(e);
}
void ts_core_ref_release(ts_store *s, uint64_t ref) {
    if (!s) return;
    if (ts_ref_is_obj(ref)) ts_gc_root_remove(s, ref);
}

/* Returns why the value is not a reference of type `want`, or NULL if it is. */
static const char *ref_problem(ts_store *s, ts_valtype want, const ts_core_val *v) {
    if (!ts_vt_is_ref(v->type) || !type_known(s->types, v->type)) return "is not a reference";
    uint32_t top = ts_ht_top(s->types, ts_vt_heap(want));
    if (ts_ht_top(s->types, ts_vt_heap(v->type)) != top) return "is a reference of another kind";
    if (top == TS_HT_FUNC) {
        if (!v->func) return ts_vt_defaultable(want) ? NULL : "is null";
        if (of_other_store(s, v->func)) return "is a function of another store";
        return ts_ref_test_heap(s, (ts_slot)(uintptr_t)v->func, ts_vt_heap(want)) ? NULL
                                                                                  : "is a function of another type";
    }
    if (!v->ref) return ts_vt_defaultable(want) ? NULL : "is null";
    if (ts_ref_is_obj(v->ref)) {
        if (!ts_gc_is_object(s->gc, v->ref)) return "is not a reference to an object of this store";
        if ((ts_ref_obj(v->ref)->kind == TS_OBJ_EXN) != (top == TS_HT_EXN)) return "is a reference of another kind";
    } else if (top == TS_HT_EXN) {
        return "is a reference of another kind";
    }
    return ts_ref_test_heap(s, v->ref, ts_vt_heap(want)) ? NULL : "is a reference of another type";
}

/* Converts one value to slots. `what` and `number` are for the error's message. */
static ts_status to_slots(ts_store *s, ts_valtype want, const ts_core_val *v, ts_slot *out, const char *what,
                          uint32_t number, ts_error *e) {
    char a[48], b[48];
    if (ts_vt_is_ref(want)) {
        const char *problem = ref_problem(s, want, v);
        if (problem) return ts_fail(e, TS_USAGE, "%s %u, for %s, %s", what, number, ts_vt_name(want, a), problem);
        *out = is_funcref(s->types, want) ? (ts_slot)(uintptr_t)v->func : v->ref;
        return TS_OK;
    }
    if (v->type != want)
        return ts_fail(e, TS_USAGE, "%s %u is of type %s, not %s", what, number,
                       type_known(s->types, v->type) ? ts_vt_name(v->type, b) : "unknown", ts_vt_name(want, a));
    *out = 0;
    switch (want) {
    case TS_VT_I32: *out = (uint32_t)v->i32; break;
    case TS_VT_I64: *out = (uint64_t)v->i64; break;
    case TS_VT_F32: memcpy(out, &v->f32, sizeof v->f32); break;
    case TS_VT_F64: memcpy(out, &v->f64, sizeof v->f64); break;
    default: memcpy(out, v->v128, sizeof v->v128); break;
    }
    return TS_OK;
}
static void from_slots(const ts_store *s, ts_valtype t, const ts_slot *in, ts_core_val *v) {
    memset(v, 0, sizeof *v);
    v->type = t;
    switch (t) {
    case TS_VT_I32: v->i32 = (int32_t)(uint32_t)*in; break;
    case TS_VT_I64: v->i64 = (int64_t)*in; break;
    case TS_VT_F32: memcpy(&v->f32, in, sizeof v->f32); break;
    case TS_VT_F64: memcpy(&v->f64, in, sizeof v->f64); break;
    case TS_VT_V128: memcpy(v->v128, in, sizeof v->v128); break;
    default:
        if (is_funcref(s->types, t))
            v->func = (ts_func *)(uintptr_t)*in;
        else
            v->ref = *in;
    }
}
static ts_status all_to_slots(ts_store *s, const ts_valtype *types, uint32_t n, const ts_core_val *v, ts_slot *out,
                              const char *what, ts_error *e) {
    for (uint32_t i = 0; i < n; i++) {
        TS_TRY(to_slots(s, types[i], &v[i], out, what, i + 1, e));
        out += ts_vt_slots(types[i]);
    }
    return TS_OK;
}
static void all_from_slots(const ts_store *s, const ts_valtype *types, uint32_t n, const ts_slot *in, ts_core_val *v) {
    for (uint32_t i = 0; i < n; i++) {
        from_slots(s, types[i], in, &v[i]);
        in += ts_vt_slots(types[i]);
    }
}

/* --- modules -------------------------------------------------------------------------------------------- */
ts_status ts_core_module_load(ts_engine *engine, const void *bytes, size_t len, ts_module **out, ts_error *e) {
    TS_NEED(e, engine);
    TS_NEED(e, bytes || !len);
    TS_NEED(e, out);
    return ts_module_new(engine, bytes, len, true, out, e);
}
void ts_core_module_free(ts_module *m) {
    ts_module_free(m);
}
uint32_t ts_core_module_import_count(const ts_module *m) {
    if (!m) return 0;
    return m->n_imports;
}
uint32_t ts_core_module_export_count(const ts_module *m) {
    if (!m) return 0;
    return m->n_exports;
}

bool ts_core_module_import(const ts_module *m, uint32_t i, ts_core_item *out) {
    if (!m || !out) return false;
    if (i >= m->n_imports) return false;
    const ts_type_registry *r = ts_engine_types(m->engine);
    const ts_import *x = &m->imports[i];
    *out = (ts_core_item){.module = x->module,
                          .name = x->name,
                          .module_len = x->module_len,
                          .name_len = x->name_len,
                          .type.kind = (ts_core_kind)x->kind};
    switch (x->kind) {
    case TS_EXTERN_FUNC:
    case TS_EXTERN_TAG: put_func(r, x->type, &out->type); break;
    case TS_EXTERN_TABLE: put_table(&x->table, x->table.limits.min, &out->type); break;
    case TS_EXTERN_MEM: put_memory(&x->mem, x->mem.min, &out->type); break;
    case TS_EXTERN_GLOBAL: put_global(&x->global, &out->type); break;
    }
    return true;
}

bool ts_core_module_export(const ts_module *m, uint32_t i, ts_core_item *out) {
    if (!m || !out) return false;
    if (i >= m->n_exports) return false;
    const ts_type_registry *r = ts_engine_types(m->engine);
    const ts_export *x = &m->exports[i];
    *out = (ts_core_item){.name = x->name, .name_len = x->name_len, .type.kind = (ts_core_kind)x->kind};
    switch (x->kind) {
    case TS_EXTERN_FUNC: put_func(r, m->funcs[x->index].type, &out->type); break;
    case TS_EXTERN_TAG: put_func(r, m->tags[x->index], &out->type); break;
    case TS_EXTERN_TABLE: put_table(&m->tables[x->index].type, m->tables[x->index].type.limits.min, &out->type); break;
    case TS_EXTERN_MEM: put_memory(&m->mems[x->index], m->mems[x->index].min, &out->type); break;
    case TS_EXTERN_GLOBAL: put_global(&m->globals[x->index].type, &out->type); break;
    }
    return true;
}

/* --- stores --------------------------------------------------------------------------------------------- */
ts_status ts_core_store_new(ts_engine *engine, const ts_run_limits *limits, ts_store **out, ts_error *e) {
    TS_NEED(e, engine);
    TS_NEED(e, out);
    ts_store_limits l = ts_store_limits_of(limits);
    return ts_store_create(engine, &l, out, e);
}
void ts_core_store_free(ts_store *s) {
    ts_store_destroy(s);
}
void ts_core_store_interrupt(ts_store *s) {
    if (!s) return;
    ts_store_interrupt(s);
}
uint64_t ts_core_store_fuel(const ts_store *s) {
    if (!s) return 0;
    return s->exec->fuel;
}
ts_status ts_core_store_set_fuel(ts_store *s, uint64_t fuel, ts_error *e) {
    TS_NEED(e, s);
    if (!s->limits.fuel) return ts_fail(e, TS_USAGE, "the store was made without a fuel limit");
    s->exec->fuel = fuel;
    return TS_OK;
}
void ts_core_store_collect(ts_store *s) {
    if (!s) return;
    ts_gc_collect(s->gc);
}

/* --- instances ------------------------------------------------------------------------------------------ */
static bool extern_to_api(const ts_extern *x, ts_core_extern *out) {
    out->kind = (ts_core_kind)x->kind;
    switch (x->kind) {
    case TS_EXTERN_FUNC: out->func = x->func; break;
    case TS_EXTERN_TABLE: out->table = x->table; break;
    case TS_EXTERN_MEM: out->memory = x->mem; break;
    case TS_EXTERN_GLOBAL: out->global = x->global; break;
    case TS_EXTERN_TAG: out->tag = x->tag; break;
    }
    return true;
}
static ts_status extern_from_api(ts_store *s, const ts_core_extern *x, const ts_import *want, ts_extern *out,
                                 ts_error *e) {
    const void *given = NULL;
    out->kind = (ts_extern_kind)x->kind;
    switch (x->kind) {
    case TS_CORE_FUNC: given = out->func = x->func; break;
    case TS_CORE_TABLE: given = out->table = x->table; break;
    case TS_CORE_MEMORY: given = out->mem = x->memory; break;
    case TS_CORE_GLOBAL: given = out->global = x->global; break;
    case TS_CORE_TAG: given = out->tag = x->tag; break;
    }
    if (!given)
        return ts_fail(e, TS_UNLINKABLE, "no value is given for the import \"%.60s\" \"%.60s\"", want->module,
                       want->name);
    bool other = x->kind == TS_CORE_FUNC     ? of_other_store(s, x->func)
                 : x->kind == TS_CORE_TABLE  ? x->table->store != s
                 : x->kind == TS_CORE_MEMORY ? x->memory->store != s
                 : x->kind == TS_CORE_GLOBAL ? x->global->store != s
                                             : x->tag->store != s;
    if (other)
        return ts_fail(e, TS_USAGE, "the value given for the import \"%.60s\" \"%.60s\" belongs to another store",
                       want->module, want->name);
    return TS_OK;
}

ts_status ts_core_module_instantiate(ts_store *s, ts_module *m, const ts_core_extern *imports, uint32_t n_imports,
                                     const char *name, ts_instance **out, ts_error *e) {
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, m);
    TS_NEED(e, imports || !n_imports);
    TS_NEED(e, out);
    *out = NULL;
    if (m->engine != s->engine) return ts_fail(e, TS_USAGE, "the module and the store belong to different engines");
    if (n_imports != m->n_imports)
        return ts_fail(e, TS_UNLINKABLE, "the module has %u imports, but %u values are given", m->n_imports, n_imports);
    ts_extern *xs = calloc(n_imports + 1, sizeof *xs);
    if (!xs) return ts_fail_nomem(e);
    ts_status st = TS_OK;
    for (uint32_t i = 0; i < n_imports && st == TS_OK; i++)
        st = extern_from_api(s, &imports[i], &m->imports[i], &xs[i], e);
    if (st == TS_OK && s->exec->depth == 0) s->exec->exn = 0;
    if (st == TS_OK) st = ts_instantiate(s, m, xs, name, out, e);
    free(xs);
    return st;
}
bool ts_core_instance_export(const ts_instance *i, const char *name, ts_core_extern *out) {
    if (!i || !name || !out) return false;
    ts_extern x;
    return ts_instance_export(i, name, strlen(name), &x) && extern_to_api(&x, out);
}
bool ts_core_instance_export_at(const ts_instance *i, uint32_t index, ts_core_extern *out) {
    if (!i || !out) return false;
    ts_extern x;
    if (index >= i->module->n_exports) return false;
    const ts_export *at = &i->module->exports[index];
    return ts_instance_export(i, at->name, at->name_len, &x) && extern_to_api(&x, out);
}
void ts_core_extern_describe(const ts_store *s, const ts_core_extern *x, ts_core_externtype *out) {
    if (!out) return;
    memset(out, 0, sizeof *out);
    if (!s || !x || !x->func) return; /* the pointers of all kinds share a union */
    *out = (ts_core_externtype){.kind = x->kind};
    switch (x->kind) {
    case TS_CORE_FUNC: put_func(s->types, x->func->type, out); break;
    case TS_CORE_TABLE: put_table(&x->table->type, x->table->len, out); break;
    case TS_CORE_MEMORY: put_memory(&x->memory->type, x->memory->pages, out); break;
    case TS_CORE_GLOBAL: put_global(&x->global->type, out); break;
    case TS_CORE_TAG: put_func(s->types, x->tag->type, out); break;
    }
}

/* --- functions ------------------------------------------------------------------------------------------ */
enum { INLINE_VALUES = 16 };

/* Checks the status that a callback returned, and makes the error agree with it. `fresh` says that there
 * was no error before the callback. */
static ts_status check_callback(const core_host *h, ts_exec *x, ts_status st, bool fresh) {
    /* The error may be of a failure that the callback recovered from; an exception is not an error yet. */
    if (st == TS_OK || st == TS_EXCEPTION) {
        if (fresh && x->err) ts_error_clear(x->err);
        if (st == TS_OK || x->exn) return st;
        return ts_fail(x->err, TS_USAGE, "the host function %s reports an exception, but has thrown none", h->name);
    }
    if (st == TS_TRAP) return ts_fail_trap(x->err, TS_TRAP_HOST, "the host function %s trapped", h->name);
    return ts_fail(x->err, st, "the host function %s ended with: %s", h->name, ts_status_name(st));
}

static TS_UNCHECKED_CALLS ts_status call_host(void *data, ts_exec *x, ts_slot *io) {
    const core_host *h = data;
    const ts_deftype *d = h->def;
    ts_core_val inline_values[INLINE_VALUES], *v = inline_values;
    if (d->n_params + d->n_results > INLINE_VALUES && !(v = calloc(d->n_params + d->n_results, sizeof *v)))
        return ts_fail_nomem(x->err);
    ts_core_val *results = v + d->n_params;
    const ts_slot nothing[2] = {0, 0};
    bool fresh = x->err && x->err->status == TS_OK;
    all_from_slots(x->store, d->params, d->n_params, io, v);
    for (uint32_t i = 0; i < d->n_results; i++) from_slots(x->store, d->results[i], nothing, &results[i]);
    ts_status st = check_callback(h, x, h->fn(x, h->data, v, results), fresh);
    if (st == TS_OK) {
        char what[80];
        snprintf(what, sizeof what, "the host function %.40s: result", h->name);
        st = all_to_slots(x->store, d->results, d->n_results, results, io, what, x->err);
    }
    if (v != inline_values) free(v);
    return st;
}

ts_status ts_core_func_new(ts_store *s, const ts_core_externtype *type, ts_core_callback fn, void *data,
                           const char *name, ts_func **out, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, type);
    TS_NEED(e, fn);
    TS_NEED(e, out);
    *out = NULL;
    uint32_t id = 0;
    TS_TRY(check_kind(type, TS_CORE_FUNC, e));
    TS_TRY(func_type_id(s, type, &id, e));
    core_host *h = ts_arena_alloc(&s->arena, sizeof *h);
    if (!h) return ts_fail_nomem(e);
    TS_TRY(ts_func_make_host(s, id, call_host, h, name, out, e));
    *h = (core_host){
        .fn = fn, .data = data, .def = (*out)->def, .name = (*out)->name ? (*out)->name : "without a name", .store = s};
    return TS_OK;
}

ts_store *ts_core_callback_store(ts_exec *c) {
    if (!c) return NULL;
    return c->store;
}
const ts_instance *ts_core_callback_caller(ts_exec *c) {
    if (!c) return NULL;
    return c->caller;
}
ts_error *ts_core_callback_error(ts_exec *c) {
    if (!c) return NULL;
    return c->err;
}
ts_status ts_core_callback_trap(ts_exec *c, const char *fmt, ...) {
    if (!c) return TS_USAGE;
    if (!fmt) fmt = "";
    char b[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(b, sizeof b, fmt, ap);
    va_end(ap);
    return ts_fail_trap(c->err, TS_TRAP_HOST, "%s", b);
}
ts_status ts_core_callback_exit(ts_exec *c, int status) {
    if (!c) return TS_USAGE;
    ts_fail(c->err, TS_EXIT, "exit with status %d", status);
    if (c->err && c->err->status == TS_EXIT) c->err->exit_status = status;
    return TS_EXIT;
}
ts_status ts_core_callback_throw(ts_exec *c, ts_tag *tag, const ts_core_val *args, uint32_t n_args) {
    if (!c) return TS_USAGE;
    TS_NEED(c->err, tag);
    TS_NEED(c->err, args || !n_args);
    TS_TRY(check_store(c->store, tag->store, "tag", c->err));
    const ts_deftype *d = ts_types_get(c->store->types, tag->type);
    if (n_args != d->n_params)
        return ts_fail(c->err, TS_USAGE, "the tag has %u arguments, but %u are given", d->n_params, n_args);
    ts_slot *at = c->sp; /* the arguments are on the stack, where a collection finds references */
    if (at + d->param_slots + 2 > c->stack_end + TS_STACK_RESERVE / 2) return ts_exec_fail_trap(c, TS_TRAP_STACK);
    TS_TRY(all_to_slots(c->store, d->params, n_args, args, at, "argument", c->err));
    c->sp = at + d->param_slots;
    ts_exn *exn = ts_gc_new_exn(c->store, tag);
    c->sp = at;
    if (!exn) return ts_exec_fail_trap(c, TS_TRAP_ALLOC);
    if (exn->n_slots) memcpy(exn->slots, at, exn->n_slots * sizeof *at);
    c->exn = ts_obj_ref(&exn->head);
    return TS_EXCEPTION;
}

ts_status ts_core_func_call(ts_store *s, ts_func *f, const ts_core_val *args, uint32_t n_args, ts_core_val *results,
                            uint32_t n_results, ts_error *e) {
    TS_NEED_ERROR(e);
    TS_NEED(e, s);
    TS_NEED(e, f);
    TS_NEED(e, args || !n_args);
    TS_NEED(e, results || !n_results);
    const ts_deftype *d = f->def;
    if (of_other_store(s, f)) return ts_fail(e, TS_USAGE, "the function belongs to another store");
    if (n_args != d->n_params || n_results != d->n_results)
        return ts_fail(e, TS_USAGE, "the function has %u parameters and %u results, not %u and %u", d->n_params,
                       d->n_results, n_args, n_results);
    uint32_t n = d->param_slots > d->result_slots ? d->param_slots : d->result_slots;
    ts_slot inline_values[2 * INLINE_VALUES], *io = inline_values;
    if (n > 2 * INLINE_VALUES && !(io = calloc(n, sizeof *io))) return ts_fail_nomem(e);
    ts_status st = all_to_slots(s, d->params, n_args, args, io, "argument", e);
    if (st == TS_OK) {
        if (s->exec->depth == 0) s->exec->exn = 0; /* the exception of an earlier call */
        st = ts_call(s, f, io, e);
    }
    if (st == TS_OK) all_from_slots(s, d->results, n_results, io, results);
    if (io != inline_values) free(io);
    return st;
}

static const ts_exn *pending_exception(const ts_store *s) {
    return s->exec->exn ? (const ts_exn *)(const void *)ts_ref_obj(s->exec->exn) : NULL;
}
ts_tag *ts_core_exception_tag(const ts_store *s) {
    if (!s) return NULL;
    const ts_exn *x = pending_exception(s);
    return x ? x->tag : NULL;
}
ts_status ts_core_exception_args(ts_store *s, ts_core_val *args, uint32_t n_args, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, args || !n_args);
    const ts_exn *x = pending_exception(s);
    if (!x) return ts_fail(e, TS_USAGE, "no call has ended with an exception");
    const ts_deftype *d = ts_types_get(s->types, x->tag->type);
    if (n_args != d->n_params)
        return ts_fail(e, TS_USAGE, "the exception has %u arguments, not %u", d->n_params, n_args);
    all_from_slots(s, d->params, n_args, x->slots, args);
    return TS_OK;
}

/* --- memories ------------------------------------------------------------------------------------------- */
ts_status ts_core_memory_new(ts_store *s, const ts_core_externtype *type, ts_memory **out, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, type);
    TS_NEED(e, out);
    ts_limits l;
    *out = NULL;
    TS_TRY(check_kind(type, TS_CORE_MEMORY, e));
    TS_TRY(check_limits(type, &l, e));
    if (type->page_size != 0 && type->page_size != 1 && type->page_size != 65536)
        return ts_fail(e, TS_USAGE, "the page size is %u bytes, but only 65536 and 1 are allowed", type->page_size);
    l.page_log2 = type->page_size == 1 ? 0 : 16;
    return ts_memory_make(s, &l, out, e);
}
uint8_t *ts_core_memory_data(ts_memory *m) {
    if (!m) return NULL;
    return m->base;
}
uint64_t ts_core_memory_size(const ts_memory *m) {
    if (!m) return 0;
    return m->len;
}
uint64_t ts_core_memory_pages(const ts_memory *m) {
    if (!m) return 0;
    return m->pages;
}
bool ts_core_memory_read(const ts_memory *m, uint64_t at, void *to, size_t len) {
    if (!m || (!to && len)) return false;
    if (at > m->len || len > m->len - at) return false;
    if (len) memcpy(to, m->base + at, len);
    return true;
}
bool ts_core_memory_write(ts_memory *m, uint64_t at, const void *from, size_t len) {
    if (!m || (!from && len)) return false;
    if (at > m->len || len > m->len - at) return false;
    if (len) memcpy(m->base + at, from, len);
    return true;
}
ts_status ts_core_memory_grow(ts_store *s, ts_memory *m, uint64_t delta, uint64_t *old, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, m);
    TS_TRY(check_store(s, m->store, "memory", e));
    if (delta > m->max_pages - m->pages)
        return ts_fail_limit(e, TS_LIMIT_MEMORY, TS_TRAP_NONE,
                             "a memory of %llu pages cannot grow by %llu: the limit is %llu pages",
                             (unsigned long long)m->pages, (unsigned long long)delta, (unsigned long long)m->max_pages);
    int64_t was = ts_memory_grow(s, m, delta);
    if (was < 0) return ts_fail_nomem(e);
    if (old) *old = (uint64_t)was;
    return TS_OK;
}

/* --- tables, globals, tags ------------------------------------------------------------------------------ */
static ts_status element_to_slot(ts_store *s, ts_valtype type, const ts_core_val *v, ts_slot *out, ts_error *e) {
    ts_core_val null = {.type = type};
    return to_slots(s, type, v ? v : &null, out, "element", 1, e);
}
ts_status ts_core_table_new(ts_store *s, const ts_core_externtype *type, const ts_core_val *init, ts_table **out,
                            ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, type);
    TS_NEED(e, out);
    ts_table_type t = {.elem = type->type};
    ts_slot v[2];
    *out = NULL;
    TS_TRY(check_kind(type, TS_CORE_TABLE, e));
    TS_TRY(check_type(s->types, type->type, e));
    if (!ts_vt_is_ref(type->type)) return ts_fail(e, TS_USAGE, "the element type of a table must be a reference type");
    TS_TRY(check_limits(type, &t.limits, e));
    TS_TRY(element_to_slot(s, t.elem, init, v, e));
    return ts_table_make(s, &t, v[0], out, e);
}
uint64_t ts_core_table_size(const ts_table *t) {
    if (!t) return 0;
    return t->len;
}
static ts_status check_index(const ts_table *t, uint64_t i, ts_error *e) {
    if (i < t->len) return TS_OK;
    return ts_fail(e, TS_USAGE, "element %llu is out of bounds: the table has %llu elements", (unsigned long long)i,
                   (unsigned long long)t->len);
}
ts_status ts_core_table_get(ts_store *s, const ts_table *t, uint64_t i, ts_core_val *out, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, t);
    TS_NEED(e, out);
    TS_TRY(check_store(s, t->store, "table", e));
    TS_TRY(check_index(t, i, e));
    from_slots(s, t->type.elem, &t->elems[i], out);
    return TS_OK;
}
ts_status ts_core_table_set(ts_store *s, ts_table *t, uint64_t i, const ts_core_val *v, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, t);
    TS_NEED(e, v);
    TS_TRY(check_store(s, t->store, "table", e));
    ts_slot slot[2];
    TS_TRY(check_index(t, i, e));
    TS_TRY(element_to_slot(s, t->type.elem, v, slot, e));
    t->elems[i] = slot[0];
    return TS_OK;
}
ts_status ts_core_table_grow(ts_store *s, ts_table *t, uint64_t delta, const ts_core_val *init, uint64_t *old,
                             ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, t);
    TS_TRY(check_store(s, t->store, "table", e));
    ts_slot v[2];
    TS_TRY(element_to_slot(s, t->type.elem, init, v, e));
    if (t->len > t->max || delta > t->max - t->len)
        return ts_fail_limit(e, TS_LIMIT_TABLE, TS_TRAP_NONE,
                             "a table of %llu elements cannot grow by %llu: the limit is %llu",
                             (unsigned long long)t->len, (unsigned long long)delta, (unsigned long long)t->max);
    int64_t was = ts_table_grow(s, t, delta, v[0]);
    if (was < 0) return ts_fail_nomem(e);
    if (old) *old = (uint64_t)was;
    return TS_OK;
}

ts_status ts_core_global_new(ts_store *s, const ts_core_externtype *type, const ts_core_val *v, ts_global **out,
                             ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, type);
    TS_NEED(e, v);
    TS_NEED(e, out);
    ts_global_type t = {.type = type->type, .mut = type->mut};
    ts_slot slots[2] = {0, 0};
    *out = NULL;
    TS_TRY(check_kind(type, TS_CORE_GLOBAL, e));
    TS_TRY(check_type(s->types, type->type, e));
    TS_TRY(to_slots(s, t.type, v, slots, "value", 1, e));
    return ts_global_make(s, &t, slots, out, e);
}
void ts_core_global_get(const ts_store *s, const ts_global *g, ts_core_val *out) {
    if (!out) return;
    memset(out, 0, sizeof *out);
    if (!s || !g || g->store != s) return;
    from_slots(s, g->type.type, g->v, out);
}
ts_status ts_core_global_set(ts_store *s, ts_global *g, const ts_core_val *v, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, g);
    TS_NEED(e, v);
    TS_TRY(check_store(s, g->store, "global", e));
    ts_slot slots[2] = {0, 0};
    if (!g->type.mut) return ts_fail(e, TS_USAGE, "the global is immutable");
    TS_TRY(to_slots(s, g->type.type, v, slots, "value", 1, e));
    memcpy(g->v, slots, sizeof slots);
    return TS_OK;
}

ts_status ts_core_tag_new(ts_store *s, const ts_core_externtype *type, ts_tag **out, ts_error *e) {
    TS_NEED(e, s);
    TS_NEED(e, type);
    TS_NEED(e, out);
    uint32_t id = 0;
    *out = NULL;
    TS_TRY(check_kind(type, TS_CORE_TAG, e));
    TS_TRY(func_type_id(s, type, &id, e));
    if (ts_types_get(s->types, id)->n_results) return ts_fail(e, TS_USAGE, "the type of a tag must not have results");
    return ts_tag_make(s, id, out, e);
}
