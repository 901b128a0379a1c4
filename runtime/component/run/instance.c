/* instance: instantiation of components, whose definitions are carried out in order; stores; finding
 * exports.
 * In: a validated component, and a linker for the outermost imports. Out: a component instance whose
 * exports can be called.
 * spec: Explainer.md (definitions, index spaces), Binary.md#component-definitions */
#include "component/abi/flat.h"
#include "component/abi/canon.h"
#include "component/abi/scratch.h"
#include "component/type/names.h"
#include "component/run/linker.h"
#include "sys/stack.h"
#include <string.h>

/* --- the store --------------------------------------------------------------------------------- */

ts_status ts_cstore_create(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_cstore **out, ts_error *e) {
    ts_cstore *s = calloc(1, sizeof *s);
    if (!s) return ts_fail_nomem(e);
    s->engine = engine;
    ts_arena_init(&s->arena);
    ts_status st = ts_store_create(engine, limits, &s->core, e);
    if (st != TS_OK) {
        ts_cstore_destroy(s);
        return st;
    }
    for (uint32_t i = 0; i < TS_SCRATCH_FIRST; i++) s->scratch[i].limit = TS_ARENA_LIMIT;
    *out = s;
    return TS_OK;
}

/* Returns the host resources that guests still own to the host, without running guest code. A host
 * resource may refuse to be dropped while it has children, which may come later in a table, so a
 * refused drop is tried again as long as others succeed. */
static void drop_host_handles(ts_cstore *s) {
    ts_arena arena;
    ts_arena_init(&arena);
    for (bool again = true, last = false; again;) {
        bool refused = false, dropped = false;
        for (ts_cinstance *i = s->instances; i; i = i->next) {
            for (uint32_t k = i->handles.len; k-- > 1;) {
                ts_handle *h = &i->handles.array[k];
                if (h->kind != TS_HANDLE_OWN || !h->rt || h->rt->impl || !h->rt->host_def || !h->rt->host_def->drop)
                    continue;
                ts_error e;
                ts_error_init(&e);
                ts_host_call call = {.host = s->host ? s->host : h->rt->host,
                                     .store = s,
                                     .arena = &arena,
                                     .err = &e,
                                     .max_bytes = 256u << 20,
                                     .resource = h->rt->host_def};
                if (h->rt->host_def->drop(&call, h->rep) != TS_OK && !last) {
                    refused = true;
                    continue;
                }
                h->kind = TS_HANDLE_FREE;
                dropped = true;
            }
        }
        again = refused && !last;
        last = !dropped;
        ts_arena_reset(&arena);
    }
    ts_arena_free(&arena);
}

void ts_cstore_destroy(ts_cstore *s) {
    if (!s) return;
    drop_host_handles(s);
    for (ts_cinstance *i = s->instances; i; i = i->next) free(i->handles.array);
    if (s->core) ts_store_destroy(s->core);
    for (uint32_t i = 0; i < s->n_components; i++) ts_component_free(s->components[i]);
    free(s->components);
    for (uint32_t i = 0; i < s->linkers.len; i++) ts_linker_destroy(s->linkers.data[i]);
    ts_vec_free(&s->linkers);
    for (uint32_t i = 0; i < TS_CALL_DEPTH_MAX; i++) {
        if (i == TS_SCRATCH_FIRST && !s->deep) break;
        ts_arena_free(i < TS_SCRATCH_FIRST ? &s->scratch[i] : &s->deep[i - TS_SCRATCH_FIRST]);
    }
    free(s->deep);
    ts_arena_free(&s->arena);
    free(s);
}
void ts_cstore_set_host(ts_cstore *s, void *host) {
    s->host = host;
}
ts_store *ts_cstore_core(ts_cstore *s) {
    return s->core;
}

/* --- exports ----------------------------------------------------------------------------------- */

const ts_item *ts_exports_find(const ts_exports *x, const char *name, size_t len) {
    for (uint32_t i = 0; i < x->n; i++) {
        if (x->lens[i] == len && memcmp(x->names[i], name, len) == 0) return &x->items[i];
    }
    return NULL;
}
const ts_exports *ts_cinstance_exports(const ts_cinstance *i) {
    return &i->exports;
}

static ts_status exports_alloc(ts_arena *a, ts_exports *x, uint32_t n, ts_error *e) {
    x->names = ts_arena_array(a, n, sizeof *x->names);
    x->lens = ts_arena_array(a, n, sizeof *x->lens);
    x->items = ts_arena_array(a, n, sizeof *x->items);
    return x->names && x->lens && x->items ? TS_OK : ts_fail_nomem(e);
}
static void exports_add(ts_exports *x, const char *name, uint32_t len, const ts_item *item) {
    x->names[x->n] = name;
    x->lens[x->n] = len;
    x->items[x->n++] = *item;
}

/* Fills the slots of a definition: each is reached from its item along a path. */
ts_status ts_bind_resources(const ts_def *d, const ts_item *item, ts_resource **env, ts_error *e) {
    for (uint32_t i = 0; i < d->n_binds; i++) {
        const ts_resource_bind *b = &d->binds[i];
        const ts_item *at = item;
        for (uint32_t k = 0; k < b->n_path && at; k++) {
            at = at->sort == TS_SORT_INSTANCE ? ts_exports_find(at->instance, b->path[k], strlen(b->path[k])) : NULL;
        }
        if (!at || at->sort != TS_SORT_TYPE || !at->rt) {
            return ts_fail(e, TS_UNLINKABLE, "the resource type `%s` is not provided",
                           b->n_path                  ? b->path[b->n_path - 1]
                           : d->kind == TS_DEF_IMPORT ? d->import.name
                                                      : "");
        }
        env[b->slot] = at->rt;
    }
    return TS_OK;
}

/* --- instantiation ----------------------------------------------------------------------------- */

typedef struct inst_ctx {
    ts_cstore *s;
    ts_cinstance *i;
    const ts_item *imports; /* in the order of the TS_DEF_IMPORT definitions */
    uint32_t n_imports_done;
    ts_error *e;
} inst_ctx;

typedef struct named_item {
    const char *name;
    uint32_t len;
    ts_item item;
} named_item;

static ts_status item_of(inst_ctx *x, ts_sort_idx what, ts_item *out) {
    ts_cinstance *i = x->i;
    memset(out, 0, sizeof *out);
    switch (what.sort) {
    case TS_SORT_FUNC: *out = i->funcs[what.index]; return TS_OK;
    case TS_SORT_TYPE: *out = i->types[what.index]; return TS_OK;
    case TS_SORT_COMPONENT: *out = i->components[what.index]; return TS_OK;
    case TS_SORT_INSTANCE: *out = i->instances[what.index]; return TS_OK;
    case TS_SORT_CORE_MODULE:
        out->sort = TS_SORT_CORE_MODULE;
        out->module = i->core_modules[what.index];
        return TS_OK;
    case TS_SORT_VALUE: *out = i->values[what.index]; return TS_OK;
    default: return ts_fail(x->e, TS_INVALID, "a component cannot pass on a %s", ts_sort_name(what.sort));
    }
}

static ts_status push_item(inst_ctx *x, const ts_item *item) {
    ts_cinstance *i = x->i;
    switch (item->sort) {
    case TS_SORT_FUNC: i->funcs[i->n_funcs++] = *item; return TS_OK;
    case TS_SORT_TYPE: i->types[i->n_types++] = *item; return TS_OK;
    case TS_SORT_COMPONENT: i->components[i->n_components++] = *item; return TS_OK;
    case TS_SORT_INSTANCE: i->instances[i->n_instances++] = *item; return TS_OK;
    case TS_SORT_CORE_MODULE: i->core_modules[i->n_core_modules++] = item->module; return TS_OK;
    case TS_SORT_VALUE: i->values[i->n_values++] = *item; return TS_OK;
    default: return ts_fail(x->e, TS_INVALID, "a component has no index space of sort %s", ts_sort_name(item->sort));
    }
}

/* 🪙 The text gives no rule by which two `eq` bounds are compared (Explainer.md#value-definitions only
 * says which type is inferred). So validation compares their types, and the values are compared where
 * they are given. */
static bool same_value(const ts_item *a, const ts_item *b) {
    return ts_val_equal(a->type, a->value, b->value);
}
ts_status ts_values_agree(const ts_extern_type *t, const char *name, const ts_item *item, const ts_item *values,
                          uint32_t n_values, ts_error *e) {
    if (t->sort == TS_SORT_VALUE && t->value_is_eq &&
        (t->value_eq >= n_values || !same_value(item, &values[t->value_eq])))
        return ts_fail(e, TS_UNLINKABLE, "the value `%s` differs from the one that its type requires", name);
    if (t->sort != TS_SORT_INSTANCE) return TS_OK;
    const ts_instance_type *it = t->instance;
    uint32_t n = 0;
    for (uint32_t i = 0; i < it->n; i++) n += it->exports[i].type->sort == TS_SORT_VALUE;
    ts_item *own =
        /* the value space of the instance type: its exports of that sort */
        n ? calloc(n, sizeof *own) : NULL;
    if (n && !own) return ts_fail_nomem(e);
    ts_status st = ts_stack_check(e);
    n = 0;
    for (uint32_t i = 0; st == TS_OK && i < it->n; i++) {
        const ts_named_extern *x = &it->exports[i];
        if (x->type->sort != TS_SORT_VALUE && x->type->sort != TS_SORT_INSTANCE) continue;
        const ts_item *given = ts_exports_find(item->instance, x->name, x->name_len);
        if (!given)
            st = ts_fail(e, TS_UNLINKABLE, "`%s` has no `%s`", name, x->name);
        else
            st = ts_values_agree(x->type, x->name, given, own, n, e);
        if (st == TS_OK && x->type->sort == TS_SORT_VALUE) own[n++] = *given;
    }
    free(own);
    return st;
}

static bool is_named(const ts_arg *arg, const char *name, size_t len) {
    return arg->name_len == len && memcmp(arg->name, name, len) == 0;
}

/* Finds an export of a core instance. The search begins at *from, which is afterwards the place behind it: names are
 * looked up in about the order in which they are given. */
static bool core_inst_export(const ts_core_inst *ci, const char *name, size_t len, uint32_t *from, ts_extern *out) {
    if (ci->inst) return ts_instance_export(ci->inst, name, len, out);
    for (uint32_t k = 0; k < ci->n; k++) {
        const uint32_t at = *from < ci->n ? *from : 0;
        *from = at + 1;
        if (!is_named(&ci->names[at], name, len)) continue;
        *out = ci->items[at];
        return true;
    }
    return false;
}

static ts_status def_core_instantiate(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    ts_module *m = i->core_modules[d->inst.index];
    ts_arena *scratch = NULL;
    TS_TRY(ts_scratch_enter(x->s, &scratch, x->e));
    ts_status st = TS_OK;
    ts_extern *imports = ts_arena_array(scratch, m->n_imports, sizeof *imports);
    if (!imports) st = ts_fail_nomem(x->e);
    uint32_t arg = 0, from = 0; /* where the last import was found */
    for (uint32_t k = 0; k < m->n_imports && st == TS_OK; k++) {
        const ts_import *im = &m->imports[k];
        uint32_t tried = 0;
        for (; tried < d->inst.n_args && !is_named(&d->inst.args[arg], im->module, im->module_len); tried++) {
            arg = (arg + 1) % d->inst.n_args;
            from = 0;
        }
        if (tried == d->inst.n_args || !core_inst_export(&i->core_instances[d->inst.args[arg].what.index], im->name,
                                                         im->name_len, &from, &imports[k]))
            st = ts_fail(x->e, TS_UNLINKABLE, "core import `%s` `%s` is not provided", im->module, im->name);
    }
    ts_instance *inst = NULL;
    if (st == TS_OK) st = ts_instantiate(x->s->core, m, imports, NULL, &inst, x->e);
    ts_scratch_leave(x->s);
    if (st == TS_EXCEPTION && x->e) {
        x->e->status = st = TS_TRAP;
        x->e->trap = TS_TRAP_EXCEPTION;
    }
    TS_TRY(st);
    i->core_instances[i->n_core_instances++].inst = inst;
    return TS_OK;
}

static ts_status def_core_inline(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    ts_core_inst *ci = &i->core_instances[i->n_core_instances++];
    ci->n = d->inst.n_args;
    ci->names = d->inst.args;
    ci->items = ts_arena_array(&x->s->arena, ci->n, sizeof *ci->items);
    if (!ci->items) return ts_fail_nomem(x->e);
    for (uint32_t k = 0; k < ci->n; k++) {
        ts_sort_idx w = d->inst.args[k].what;
        ts_extern *o = &ci->items[k];
        switch (w.sort) {
        case TS_SORT_CORE_FUNC:
            o->kind = TS_EXTERN_FUNC;
            o->func = i->core_funcs[w.index];
            break;
        case TS_SORT_CORE_TABLE:
            o->kind = TS_EXTERN_TABLE;
            o->table = i->core_tables[w.index];
            break;
        case TS_SORT_CORE_MEMORY:
            o->kind = TS_EXTERN_MEM;
            o->mem = i->core_memories[w.index];
            break;
        case TS_SORT_CORE_GLOBAL:
            o->kind = TS_EXTERN_GLOBAL;
            o->global = i->core_globals[w.index];
            break;
        case TS_SORT_CORE_TAG:
            o->kind = TS_EXTERN_TAG;
            o->tag = i->core_tags[w.index];
            break;
        default: return ts_fail(x->e, TS_INVALID, "a core instance cannot export a %s", ts_sort_name(w.sort));
        }
    }
    return TS_OK;
}

static ts_status def_instantiate(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    const ts_item *comp = &i->components[d->inst.index];
    ts_component *c = comp->component.component;
    ts_item *imports = ts_arena_array(&x->s->arena, c->n_imports, sizeof *imports);
    if (!imports) return ts_fail_nomem(x->e);
    uint32_t n = 0;
    for (uint32_t k = 0; k < c->n_defs; k++) {
        const ts_def *im = &c->defs[k];
        if (im->kind != TS_DEF_IMPORT) continue;
        bool found = false;
        for (uint32_t a = 0; a < d->inst.n_args && !found; a++) {
            const ts_arg *arg = &d->inst.args[a];
            if (!is_named(arg, im->import.name, im->import.name_len)) continue;
            TS_TRY(item_of(x, arg->what, &imports[n]));
            found = true;
        }
        if (!found)
            return ts_fail(x->e, TS_UNLINKABLE, "the import `%s` of a nested component is not provided",
                           im->import.name);
        n++;
    }
    ts_cinstance *child;
    TS_TRY(ts_cinstance_create(x->s, c, i, comp->component.outer, imports, &child, x->e));
    ts_item item = {.sort = TS_SORT_INSTANCE, .instance = &child->exports};
    TS_TRY(ts_bind_resources(d, &item, i->res, x->e));
    return push_item(x, &item);
}

static ts_status def_inline(inst_ctx *x, const ts_def *d) {
    ts_exports *ex = ts_arena_alloc(&x->s->arena, sizeof *ex);
    if (!ex) return ts_fail_nomem(x->e);
    TS_TRY(exports_alloc(&x->s->arena, ex, d->inst.n_args, x->e));
    for (uint32_t k = 0; k < d->inst.n_args; k++) {
        ts_item item;
        TS_TRY(item_of(x, d->inst.args[k].what, &item));
        exports_add(ex, d->inst.args[k].name, d->inst.args[k].name_len, &item);
    }
    ts_item item = {.sort = TS_SORT_INSTANCE, .instance = ex};
    TS_TRY(ts_bind_resources(d, &item, x->i->res, x->e));
    return push_item(x, &item);
}

static ts_status def_alias_core_export(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    ts_extern o;
    uint32_t from = 0;
    if (!core_inst_export(&i->core_instances[d->alias.instance], d->alias.name, d->alias.name_len, &from, &o))
        return ts_fail(x->e, TS_INVALID, "core instance %u has no export `%s`", d->alias.instance, d->alias.name);
    switch (d->sort) {
    case TS_SORT_CORE_FUNC: i->core_funcs[i->n_core_funcs++] = o.func; return TS_OK;
    case TS_SORT_CORE_TABLE: i->core_tables[i->n_core_tables++] = o.table; return TS_OK;
    case TS_SORT_CORE_MEMORY: i->core_memories[i->n_core_memories++] = o.mem; return TS_OK;
    case TS_SORT_CORE_GLOBAL: i->core_globals[i->n_core_globals++] = o.global; return TS_OK;
    case TS_SORT_CORE_TAG: i->core_tags[i->n_core_tags++] = o.tag; return TS_OK;
    default: return ts_fail(x->e, TS_INVALID, "an alias of a core export cannot be a %s", ts_sort_name(d->sort));
    }
}

static ts_status def_alias_outer(inst_ctx *x, const ts_def *d) {
    const ts_cinstance *from = x->i;
    for (uint32_t k = 0; k < d->outer.count && from; k++) from = from->outer;
    if (!from) return ts_fail(x->e, TS_INVALID, "an outer alias reaches beyond the outermost component");
    ts_item item = {0};
    switch (d->sort) {
    case TS_SORT_CORE_MODULE:
        item.sort = TS_SORT_CORE_MODULE;
        item.module = from->core_modules[d->outer.index];
        break;
    case TS_SORT_COMPONENT: item = from->components[d->outer.index]; break;
    case TS_SORT_TYPE: item = from->types[d->outer.index]; break;
    case TS_SORT_CORE_TYPE: return TS_OK;
    default: return ts_fail(x->e, TS_INVALID, "an outer alias cannot be a %s", ts_sort_name(d->sort));
    }
    return push_item(x, &item);
}

static ts_cabi_opts resolve_opts(inst_ctx *x, const ts_canon_opts *o) {
    ts_cinstance *i = x->i;
    return (ts_cabi_opts){
        .inst = i,
        .memory = o->has_memory ? i->core_memories[o->memory] : NULL,
        .realloc = o->has_realloc ? i->core_funcs[o->realloc] : NULL,
        .post_return = o->has_post_return ? i->core_funcs[o->post_return] : NULL,
        .callback = o->has_callback ? i->core_funcs[o->callback] : NULL,
        .encoding = o->encoding,
        .is_async = o->is_async,
        .wide = o->wide,
    };
}

static ts_status def_canon(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    ts_func *core = NULL;
    switch (d->canon.kind) {
    case TS_CANON_LIFT: {
        ts_cfunc *f = ts_arena_alloc(&x->s->arena, sizeof *f);
        if (!f) return ts_fail_nomem(x->e);
        f->kind = TS_CFUNC_LIFTED;
        f->type = d->canon.type;
        f->res = i->res;
        f->inst = i;
        f->core = i->core_funcs[d->canon.func];
        f->opts = resolve_opts(x, &d->canon.opts);
        TS_TRY(ts_flatten_functype(&x->s->arena, f->type, f->opts.wide, &f->layout, x->e));
        ts_item item = {.sort = TS_SORT_FUNC, .func = f};
        return push_item(x, &item);
    }
    case TS_CANON_LOWER: {
        ts_cabi_opts opts = resolve_opts(x, &d->canon.opts);
        TS_TRY(ts_canon_lower_make(x->s, i, d, i->funcs[d->canon.func].func, &opts, &core, x->e));
        break;
    }
    case TS_CANON_RESOURCE_NEW:
    case TS_CANON_RESOURCE_DROP:
    case TS_CANON_RESOURCE_REP: TS_TRY(ts_canon_resource_make(x->s, i, d, &core, x->e)); break;
    case TS_CANON_ASYNC_BUILTIN: {
        ts_cabi_opts opts = resolve_opts(x, &d->canon.opts);
        TS_TRY(ts_canon_builtin_make(x->s, i, d, &opts, &core, x->e));
        break;
    }
    }
    i->core_funcs[i->n_core_funcs++] = core;
    return TS_OK;
}

static ts_status def_type(inst_ctx *x, const ts_def *d) {
    ts_item item = {.sort = TS_SORT_TYPE, .type = d->type.type};
    if (d->type.is_resource_def) {
        ts_resource *rt = ts_arena_alloc(&x->s->arena, sizeof *rt);
        if (!rt) return ts_fail_nomem(x->e);
        rt->impl = x->i;
        rt->dtor = d->type.has_dtor ? x->i->core_funcs[d->type.dtor] : NULL;
        x->i->res[d->type.slot] = rt;
        item.rt = rt;
    }
    return push_item(x, &item);
}

/* spec: Explainer.md#start-definitions: a call whose arguments and result are values, which live as
 * long as the store */
static ts_status def_start(inst_ctx *x, const ts_def *d) {
    ts_arena *a = &x->s->arena;
    ts_val *args = ts_arena_array(a, d->start.n_args, sizeof *args), *result = ts_arena_alloc(a, sizeof *result);
    if (!args || !result) return ts_fail_nomem(x->e);
    for (uint32_t k = 0; k < d->start.n_args; k++) args[k] = *x->i->values[d->start.args[k]].value;
    TS_TRY(ts_canon_call_from(x->s, x->i->funcs[d->start.func].func, x->i, args, result, a, x->e));
    if (!d->start.n_results) return TS_OK;
    ts_item item = {.sort = TS_SORT_VALUE, .type = d->start.result, .value = result};
    return push_item(x, &item);
}

static ts_status execute_definition(inst_ctx *x, const ts_def *d) {
    ts_cinstance *i = x->i;
    ts_item item = {0};
    switch (d->kind) {
    case TS_DEF_CORE_MODULE: i->core_modules[i->n_core_modules++] = d->module; return TS_OK;
    case TS_DEF_CORE_INSTANTIATE: return def_core_instantiate(x, d);
    case TS_DEF_CORE_INLINE: return def_core_inline(x, d);
    case TS_DEF_COMPONENT:
        item.sort = TS_SORT_COMPONENT;
        item.component.component = d->component;
        item.component.outer = i;
        return push_item(x, &item);
    case TS_DEF_INSTANTIATE: return def_instantiate(x, d);
    case TS_DEF_INLINE: return def_inline(x, d);
    case TS_DEF_ALIAS_EXPORT: {
        const ts_item *found =
            ts_exports_find(i->instances[d->alias.instance].instance, d->alias.name, d->alias.name_len);
        if (!found)
            return ts_fail(x->e, TS_UNLINKABLE, "instance %u has no export `%s`", d->alias.instance, d->alias.name);
        TS_TRY(ts_bind_resources(d, found, i->res, x->e));
        return push_item(x, found);
    }
    case TS_DEF_ALIAS_CORE_EXPORT: return def_alias_core_export(x, d);
    case TS_DEF_ALIAS_OUTER: return def_alias_outer(x, d);
    case TS_DEF_TYPE: return def_type(x, d);
    case TS_DEF_CORE_TYPE: return TS_OK;
    case TS_DEF_CANON: return def_canon(x, d);
    case TS_DEF_IMPORT: {
        item = x->imports[x->n_imports_done++];
        TS_TRY(ts_bind_resources(d, &item, i->res, x->e));
        if (i->component->features & TS_CF_VALUES)
            TS_TRY(ts_values_agree(d->import.type, d->import.name, &item, i->values, i->n_values, x->e));
        return push_item(x, &item);
    }
    case TS_DEF_EXPORT:
        TS_TRY(item_of(x, d->export_.what, &item));
        if (i->component->features & TS_CF_VALUES)
            TS_TRY(ts_values_agree(d->export_.type, d->export_.name, &item, i->values, i->n_values, x->e));
        TS_TRY(ts_bind_resources(d, &item, i->res, x->e));
        exports_add(&i->exports, d->export_.name, d->export_.name_len, &item);
        return push_item(x, &item);
    case TS_DEF_START: return def_start(x, d);
    case TS_DEF_VALUE:
        item = (ts_item){.sort = TS_SORT_VALUE, .type = d->value.type, .value = d->value.v};
        return push_item(x, &item);
    }
    return ts_fail(x->e, TS_INVALID, "unknown definition");
}

static void *index_space(ts_arena *a, uint32_t n, size_t size) {
    return ts_arena_array(a, n, size);
}

ts_status ts_cinstance_create(ts_cstore *s, ts_component *c, ts_cinstance *parent, ts_cinstance *outer,
                              const ts_item *imports, ts_cinstance **out, ts_error *e) {
    TS_TRY(ts_stack_check(e));
    if (s->n_instances++ >= s->core->limits.instances)
        return ts_fail_limit(e, TS_LIMIT_INSTANCES, TS_TRAP_NONE, "more than %llu instances",
                             (unsigned long long)s->core->limits.instances);
    ts_arena *a = &s->arena;
    ts_cinstance *i = ts_arena_alloc(a, sizeof *i);
    if (!i) return ts_fail_nomem(e);
    i->store = s;
    uint64_t max = s->core->limits.table_elems;
    i->handles.max = max < TS_TABLE_MAX ? (uint32_t)max : TS_TABLE_MAX;
    i->component = c;
    i->parent = parent;
    i->outer = outer;
    i->may_leave = true;
    i->may_enter = false; /* core start functions run inside the instance */
    i->next = s->instances;
    s->instances = i;
    bool ok = (i->res = index_space(a, c->n_resources, sizeof *i->res)) &&
              (i->core_modules = index_space(a, c->n_core_modules, sizeof *i->core_modules)) &&
              (i->core_instances = index_space(a, c->n_core_instances, sizeof *i->core_instances)) &&
              (i->core_funcs = index_space(a, c->n_core_funcs, sizeof *i->core_funcs)) &&
              (i->core_tables = index_space(a, c->n_core_tables, sizeof *i->core_tables)) &&
              (i->core_memories = index_space(a, c->n_core_memories, sizeof *i->core_memories)) &&
              (i->core_globals = index_space(a, c->n_core_globals, sizeof *i->core_globals)) &&
              (i->core_tags = index_space(a, c->n_core_tags, sizeof *i->core_tags)) &&
              (i->funcs = index_space(a, c->n_funcs, sizeof *i->funcs)) &&
              (i->types = index_space(a, c->n_types, sizeof *i->types)) &&
              (i->components = index_space(a, c->n_components, sizeof *i->components)) &&
              (i->instances = index_space(a, c->n_instances, sizeof *i->instances)) &&
              (i->values = index_space(a, c->n_values, sizeof *i->values));
    if (!ok) return ts_fail_nomem(e);
    TS_TRY(exports_alloc(a, &i->exports, c->n_exports, e));
    i->exports.owner = i;
    inst_ctx x = {.s = s, .i = i, .imports = imports, .e = e};
    for (uint32_t k = 0; k < c->n_defs; k++) TS_TRY(execute_definition(&x, &c->defs[k]));
    i->may_enter = true;
    *out = i;
    return TS_OK;
}

/* --- finding exports --------------------------------------------------------------------------- */

static const ts_item *find_instance(const ts_exports *x, const char *name) {
    const ts_item *it = ts_exports_find(x, name, strlen(name));
    if (it) return it;
    ts_iface_name want, have;
    if (!ts_name_parse(name, strlen(name), &want)) return NULL;
    for (uint32_t i = 0; i < x->n; i++) {
        if (!ts_name_parse(x->names[i], x->lens[i], &have)) continue;
        bool same = want.has_version
                        ? ts_name_compatible(&have, &want)
                        : have.base_len == want.base_len && memcmp(have.base, want.base, want.base_len) == 0;
        if (same) return &x->items[i];
    }
    return NULL;
}

static const ts_item *find_export(ts_cinstance *i, const char *interface, const char *name, ts_sort sort) {
    const ts_exports *x = &i->exports;
    if (interface) {
        const ts_item *it = find_instance(x, interface);
        if (!it || it->sort != TS_SORT_INSTANCE) return NULL;
        x = it->instance;
    }
    const ts_item *it = ts_exports_find(x, name, strlen(name));
    return it && it->sort == sort ? it : NULL;
}
ts_cfunc *ts_cinstance_func(ts_cinstance *i, const char *interface, const char *name) {
    if (!i || !name) return NULL;
    const ts_item *it = find_export(i, interface, name, TS_SORT_FUNC);
    return it ? it->func : NULL;
}
const ts_val *ts_cinstance_value(ts_cinstance *i, const char *interface, const char *name, const ts_ctype **type) {
    if (!i || !name) return NULL;
    const ts_item *it = find_export(i, interface, name, TS_SORT_VALUE);
    if (!it) return NULL;
    if (type) *type = it->type;
    return it->value;
}
