/* instance: see instance.h. */
#include "core/run/code_cache.h"
#include "core/run/const_eval.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/run/image.h"
#include "core/run/spares.h"
#include "core/run/store.h"
#include "sys/pages.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- matching ------------------------------------------------------------------------------------------- */
static bool limits_match(uint64_t now, const ts_limits *have, const ts_limits *want) {
    if (have->is64 != want->is64 || have->shared != want->shared || now < want->min) return false;
    return !want->has_max || (have->has_max && have->max <= want->max);
}

static bool same_type(const ts_type_registry *r, ts_valtype a, ts_valtype b) {
    return a == b || (ts_match_val(r, a, b) && ts_match_val(r, b, a));
}

bool ts_extern_matches(ts_store *s, const ts_extern *x, const ts_import *want) {
    const ts_type_registry *r = s->types;
    if (x->kind != want->kind) return false;
    switch (want->kind) {
    case TS_EXTERN_FUNC: return ts_match_def(r, x->func->type, want->type);
    case TS_EXTERN_TABLE:
        return limits_match(x->table->len, &x->table->type.limits, &want->table.limits) &&
               same_type(r, x->table->type.elem, want->table.elem);
    case TS_EXTERN_MEM:
        return limits_match(x->mem->pages, &x->mem->type, &want->mem) && x->mem->type.page_log2 == want->mem.page_log2;
    case TS_EXTERN_GLOBAL: {
        const ts_global_type *have = &x->global->type;
        if (have->mut != want->global.mut) return false;
        return have->mut ? same_type(r, have->type, want->global.type) : ts_match_val(r, have->type, want->global.type);
    }
    case TS_EXTERN_TAG:
        return x->tag->type == want->type ||
               (ts_match_def(r, x->tag->type, want->type) && ts_match_def(r, want->type, x->tag->type));
    }
    return false;
}

static void put_func(const ts_type_registry *r, uint32_t type, char *buf, size_t size) {
    const ts_deftype *d = ts_types_get(r, type);
    size_t n = 0;
    char name[48];
    for (int part = 0; part < 2; part++) {
        uint32_t count = part ? d->n_results : d->n_params;
        const ts_valtype *ts = part ? d->results : d->params;
        n += (size_t)snprintf(buf + n, size - n, part ? " -> [" : "[");
        for (uint32_t i = 0; i < count && n < size; i++)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "", ts_vt_name(ts[i], name));
        if (n < size) n += (size_t)snprintf(buf + n, size - n, "]");
        if (n >= size) return;
    }
}

static void put_limits(uint64_t min, const ts_limits *l, char *buf, size_t size) {
    if (l->has_max)
        snprintf(buf, size, "%s%llu to %llu", l->is64 ? "i64 " : "", (unsigned long long)min,
                 (unsigned long long)l->max);
    else
        snprintf(buf, size, "%s%llu or more", l->is64 ? "i64 " : "", (unsigned long long)min);
}

const char *ts_extern_mismatch(ts_store *s, const ts_extern *x, const ts_import *want, char *buf, size_t size) {
    char a[160] = "", b[160] = "", t[48], u[48];
    const char *what = ts_extern_kind_name(want->kind);
    if (x->kind != want->kind) {
        snprintf(buf, size, "expected a %s, but a %s is given", what, ts_extern_kind_name(x->kind));
        return buf;
    }
    switch (want->kind) {
    case TS_EXTERN_FUNC:
    case TS_EXTERN_TAG:
        put_func(s->types, want->type, a, sizeof a);
        put_func(s->types, x->kind == TS_EXTERN_TAG ? x->tag->type : x->func->type, b, sizeof b);
        break;
    case TS_EXTERN_TABLE:
        put_limits(want->table.limits.min, &want->table.limits, a, sizeof a);
        put_limits(x->table->len, &x->table->type.limits, b, sizeof b);
        snprintf(a + strlen(a), sizeof a - strlen(a), " of %s", ts_vt_name(want->table.elem, t));
        snprintf(b + strlen(b), sizeof b - strlen(b), " of %s", ts_vt_name(x->table->type.elem, u));
        break;
    case TS_EXTERN_MEM:
        put_limits(want->mem.min, &want->mem, a, sizeof a);
        put_limits(x->mem->pages, &x->mem->type, b, sizeof b);
        break;
    case TS_EXTERN_GLOBAL:
        snprintf(a, sizeof a, "%s%s", want->global.mut ? "mut " : "", ts_vt_name(want->global.type, t));
        snprintf(b, sizeof b, "%s%s", x->global->type.mut ? "mut " : "", ts_vt_name(x->global->type.type, u));
        break;
    }
    snprintf(buf, size, "the expected %s is %s, but the given one is %s", what, a, b);
    return buf;
}

static ts_status check_imports(ts_store *s, const ts_module *m, const ts_extern *imports, ts_error *e) {
    for (uint32_t i = 0; i < m->n_imports; i++) {
        const ts_import *want = &m->imports[i];
        if (ts_extern_matches(s, &imports[i], want)) continue;
        char buf[400];
        return ts_fail(e, TS_UNLINKABLE, "incompatible import type for \"%.60s\" \"%.60s\": %s", want->module,
                       want->name, ts_extern_mismatch(s, &imports[i], want, buf, sizeof buf));
    }
    return TS_OK;
}

/* --- instantiation -------------------------------------------------------------------------------------- */
enum { PAGES_MIN_FUNCS = 256 }; /* an instance with as many functions of its own is in pages of its own */

/* Makes an instance with room for its functions. In pages of its own, it may have been one of the same module in an
 * earlier store: then its functions are as that one left them, and only its imports differ. */
static ts_instance *make_instance(ts_store *s, ts_module *m) {
    const size_t n = m->n_funcs, n_own = n - m->n_imp_funcs;
    ts_instance *i;
    if (n_own < PAGES_MIN_FUNCS) {
        if (!(i = ts_arena_alloc(&s->arena, sizeof *i))) return NULL;
        i->funcs = ts_arena_array(&s->arena, n, sizeof *i->funcs);
        i->own = ts_arena_array(&s->arena, n_own, sizeof *i->own);
        if (!i->funcs || !i->own) return NULL;
        i->own_form = TS_FORM_COUNT;
    } else if ((i = ts_spares_take_instance(s->limits.spares, m))) {
        *i = (ts_instance){
            .module = i->module, .funcs = i->funcs, .own = i->own, .own_form = i->own_form, .pages_len = i->pages_len};
    } else {
        const size_t len = sizeof *i + n * sizeof *i->funcs + n_own * sizeof *i->own;
        if (!(i = ts_pages_resize(NULL, 0, len))) return NULL;
        ts_pages_populate(i, len);
        i->funcs = (ts_func **)(void *)(i + 1);
        i->own = (ts_func *)(void *)(i->funcs + n);
        i->own_form = TS_FORM_COUNT;
        i->pages_len = len;
    }
    i->store = s;
    if (!i->module) i->module = ts_module_ref(m);
    return i;
}
void ts_instance_free(ts_instance *i) {
    for (uint32_t k = 0; i->elem_values && k < i->module->n_elems; k++) free(i->elem_values[k]);
    if (ts_spares_keep_instance(i->store->limits.spares, i)) return;
    ts_module_free(i->module);
    if (i->pages_len) ts_pages_release(i, i->pages_len);
}

static ts_status allocate(ts_store *s, ts_module *m, const char *name, ts_instance **out, ts_error *e) {
    ts_arena *a = &s->arena;
    ts_instance *i = make_instance(s, m);
    if (!i) return ts_fail_nomem(e);
    i->mems = ts_arena_array(a, m->n_mems, sizeof *i->mems);
    i->tables = ts_arena_array(a, m->n_tables, sizeof *i->tables);
    i->globals = ts_arena_array(a, m->n_globals, sizeof *i->globals);
    i->tags = ts_arena_array(a, m->n_tags, sizeof *i->tags);
    i->elem_dropped = ts_arena_array(a, m->n_elems, sizeof *i->elem_dropped);
    i->data_dropped = ts_arena_array(a, m->n_datas, sizeof *i->data_dropped);
    i->elem_values = ts_arena_array(a, m->n_elems, sizeof *i->elem_values);
    if (!i->mems || !i->tables || !i->globals || !i->tags || !i->elem_dropped || !i->data_dropped || !i->elem_values ||
        (name && !(i->name = ts_arena_strndup(a, name, strlen(name))))) {
        ts_instance_free(i);
        return ts_fail_nomem(e);
    }
    i->next = s->instances; /* from here on the store frees it */
    s->instances = i;
    s->n_instances++;
    *out = i;
    return TS_OK;
}

static void bind_imports(ts_instance *i, const ts_extern *imports) {
    const ts_module *m = i->module;
    uint32_t f = 0, t = 0, mem = 0, g = 0, tag = 0;
    for (uint32_t k = 0; k < m->n_imports; k++) switch (m->imports[k].kind) {
        case TS_EXTERN_FUNC: i->funcs[f++] = imports[k].func; break;
        case TS_EXTERN_TABLE: i->tables[t++] = imports[k].table; break;
        case TS_EXTERN_MEM: i->mems[mem++] = imports[k].mem; break;
        case TS_EXTERN_GLOBAL: i->globals[g++] = imports[k].global; break;
        case TS_EXTERN_TAG: i->tags[tag++] = imports[k].tag; break;
        }
}

static ts_status make_funcs(ts_instance *i, ts_error *e) {
    ts_store *s = i->store;
    ts_module *m = i->module;
    unsigned form = ts_exec_form(s, m->n_mems ? i->mems[0] : NULL);
    if (m->n_funcs == m->n_imp_funcs || form == i->own_form) return TS_OK;
    ts_func *f = i->own;
    ts_fcode *codes = ts_code_func(m, form, 0);
    if (!codes) return ts_fail_nomem(e);
    for (uint32_t k = m->n_imp_funcs; k < m->n_funcs; k++, f++) {
        f->type = m->funcs[k].type;
        f->def = k > m->n_imp_funcs && f[-1].type == f->type ? f[-1].def : ts_types_get(s->types, f->type);
        f->inst = i;
        f->index = k;
        f->code = &codes[k];
        i->funcs[k] = f;
    }
    i->own_form = form;
    return TS_OK;
}

/* Makes what the module defines, in the order in which initializers may refer to it. spec:
 * exec/modules#allocation */
static ts_status make_definitions(ts_instance *i, ts_error *e) {
    ts_store *s = i->store;
    const ts_module *m = i->module;
    ts_slot v[2];
    for (uint32_t k = m->n_imp_mems; k < m->n_mems; k++)
        TS_TRY(ts_memory_make_for(s, k == 0 ? m : NULL, &m->mems[k], &i->mems[k], e));
    if (m->n_mems) i->mem0_base = i->mems[0]->base;
    for (uint32_t k = m->n_imp_tags; k < m->n_tags; k++) TS_TRY(ts_tag_make(s, m->tags[k], &i->tags[k], e));
    TS_TRY(make_funcs(i, e));
    for (uint32_t k = m->n_imp_globals; k < m->n_globals; k++) {
        TS_TRY(ts_const_eval(i, &m->globals[k].init, v, e));
        TS_TRY(ts_global_make(s, &m->globals[k].type, v, &i->globals[k], e));
    }
    for (uint32_t k = m->n_imp_tables; k < m->n_tables; k++) {
        v[0] = 0;
        if (m->tables[k].has_init) TS_TRY(ts_const_eval(i, &m->tables[k].init, v, e));
        TS_TRY(ts_table_make(s, &m->tables[k].type, v[0], &i->tables[k], e));
    }
    return TS_OK;
}

/* Evaluates the references of one segment. An active segment of function indices is not evaluated here:
 * init_elem writes it into its table directly. */
static ts_status eval_elem(ts_instance *i, uint32_t k, ts_error *e) {
    const ts_elem_seg *seg = &i->module->elems[k];
    if (seg->n == 0 || seg->mode == TS_SEG_DECLARATIVE) return TS_OK;
    /* zeroed, because a collection during the loop looks at all of them */
    ts_slot *values = i->elem_values[k] = calloc(seg->n, sizeof *values);
    if (!values) return ts_fail_nomem(e);
    for (uint32_t n = 0; n < seg->n; n++) {
        ts_slot v[2];
        if (seg->is_exprs) {
            TS_TRY(ts_const_eval(i, &seg->exprs[n], v, e));
            values[n] = v[0];
        } else {
            values[n] = (ts_slot)(uintptr_t)i->funcs[seg->funcs[n]];
        }
    }
    return TS_OK;
}

static bool written_directly(const ts_elem_seg *seg) {
    return seg->mode == TS_SEG_ACTIVE && !seg->is_exprs;
}

static void drop_elem(ts_instance *i, uint32_t k) {
    i->elem_dropped[k] = true;
    free(i->elem_values[k]);
    i->elem_values[k] = NULL;
}

/* spec: exec/instructions#exec-table-init */
static ts_status init_elem(ts_instance *i, uint32_t k, ts_error *e) {
    const ts_elem_seg *seg = &i->module->elems[k];
    if (seg->mode == TS_SEG_DECLARATIVE) drop_elem(i, k);
    if (seg->mode != TS_SEG_ACTIVE) return TS_OK;
    ts_table *t = i->tables[seg->table];
    ts_slot at[2];
    TS_TRY(ts_const_eval(i, &seg->offset, at, e));
    if (at[0] > t->len || seg->n > t->len - at[0])
        return ts_fail_trap(e, TS_TRAP_TABLE_OOB,
                            "out of bounds table access: element segment %u, %u elements at %llu of %llu", k, seg->n,
                            (unsigned long long)at[0], (unsigned long long)t->len);
    if (written_directly(seg))
        for (uint32_t n = 0; n < seg->n; n++) t->elems[at[0] + n] = (ts_slot)(uintptr_t)i->funcs[seg->funcs[n]];
    else if (seg->n)
        memcpy(t->elems + at[0], i->elem_values[k], seg->n * sizeof *t->elems);
    drop_elem(i, k);
    return TS_OK;
}

/* spec: exec/instructions#exec-memory-init */
static ts_status init_data(ts_instance *i, uint32_t k, ts_error *e) {
    const ts_data_seg *seg = &i->module->datas[k];
    if (seg->mode != TS_SEG_ACTIVE) return TS_OK;
    ts_memory *mem = i->mems[seg->mem];
    ts_slot at[2];
    TS_TRY(ts_const_eval(i, &seg->offset, at, e));
    if (at[0] > mem->len || seg->len > mem->len - at[0])
        return ts_fail_trap(e, TS_TRAP_MEMORY_OOB,
                            "out of bounds memory access: data segment %u, %u bytes at %llu of %llu", k, seg->len,
                            (unsigned long long)at[0], (unsigned long long)mem->len);
    if (seg->len) memcpy(mem->base + at[0], seg->bytes, seg->len);
    i->data_dropped[k] = true;
    return TS_OK;
}

ts_status ts_instantiate(ts_store *s, ts_module *m, const ts_extern *imports, const char *name, ts_instance **out,
                         ts_error *e) {
    ts_instance *i = NULL;
    *out = NULL;
    TS_TRY(ts_stack_check(e));
    if (s->n_instances >= s->limits.instances)
        return ts_fail_limit(e, TS_LIMIT_INSTANCES, TS_TRAP_NONE, "more than %llu core instances",
                             (unsigned long long)s->limits.instances);
    TS_TRY(check_imports(s, m, imports, e));
    TS_TRY(allocate(s, m, name, &i, e));
    bind_imports(i, imports);
    TS_TRY(make_definitions(i, e));
    for (uint32_t k = 0; k < m->n_elems; k++)
        if (!written_directly(&m->elems[k])) TS_TRY(eval_elem(i, k, e));
    for (uint32_t k = 0; k < m->n_elems; k++) TS_TRY(init_elem(i, k, e));
    bool image = ts_image_apply(i), all = image && m->image.has_all_segments;
    if (all) memset(i->data_dropped, true, m->n_datas);
    for (uint32_t k = 0; !all && k < m->n_datas; k++)
        if (image && ts_image_has_segment(m, k))
            i->data_dropped[k] = true;
        else
            TS_TRY(init_data(i, k, e));
    if (m->has_start) {
        ts_slot none[2] = {0, 0};
        TS_TRY(ts_call(s, i->funcs[m->start], none, e));
    }
    *out = i;
    return TS_OK;
}

bool ts_instance_export(const ts_instance *i, const char *name, size_t len, ts_extern *out) {
    const ts_export *x = ts_module_find_export(i->module, name, len);
    if (!x) return false;
    out->kind = x->kind;
    switch (x->kind) {
    case TS_EXTERN_FUNC: out->func = i->funcs[x->index]; break;
    case TS_EXTERN_TABLE: out->table = i->tables[x->index]; break;
    case TS_EXTERN_MEM: out->mem = i->mems[x->index]; break;
    case TS_EXTERN_GLOBAL: out->global = i->globals[x->index]; break;
    case TS_EXTERN_TAG: out->tag = i->tags[x->index]; break;
    }
    return true;
}
