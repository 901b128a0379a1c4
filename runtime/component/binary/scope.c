/* scope: the index spaces of the component or type that is being read, and reading of counts and names
 * within limits.
 * In: indices, and types to enter into a space. Out: the type of an item, or the rule that the input breaks.
 * spec: Explainer.md#index-spaces, Binary.md */
#include "component/binary/validate.h"
#include <string.h>

/* --- scopes ------------------------------------------------------------------------------------ */
void ts_scope_init(ts_scope *s, ts_scope_kind kind, ts_scope *parent, ts_dec *d, ts_env *env) {
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->parent = parent;
    s->d = d;
    s->env = env;
    s->depth = parent ? parent->depth + 1 : 0;
    s->type_depth = kind == TS_SCOPE_COMPONENT ? 0 : parent->type_depth + 1;
}
static void res_names_free(ts_res_names *r) {
    ts_ptrmap_free(&r->by_alias);
    ts_map_free(&r->set);
    ts_vec_free(&r->names);
}
void ts_scope_free(ts_scope *s) {
    ts_vec_free(&s->types);
    ts_vec_free(&s->core_types);
    ts_vec_free(&s->core_type_ids);
    ts_vec_free(&s->funcs);
    ts_vec_free(&s->instances);
    ts_vec_free(&s->components);
    ts_vec_free(&s->modules);
    ts_vec_free(&s->module_defs);
    ts_vec_free(&s->values);
    ts_vec_free(&s->core_instances);
    ts_vec_free(&s->core_funcs);
    ts_vec_free(&s->tables);
    ts_vec_free(&s->mems);
    ts_vec_free(&s->globals);
    ts_vec_free(&s->tags);
    ts_vec_free(&s->imports);
    ts_vec_free(&s->exports);
    ts_map_free(&s->import_keys);
    ts_map_free(&s->export_keys);
    ts_ptrmap_free(&s->named);
    ts_ptrmap_free(&s->within);
    res_names_free(&s->import_res);
    res_names_free(&s->export_res);
    ts_vec_free(&s->bound_imports);
    ts_vec_free(&s->bound_exports);
    ts_vec_free(&s->defs);
}

ts_status ts_scope_feature(const ts_scope *s, const ts_reader *r, uint64_t off, uint32_t feature, const char *what) {
    if (s->d->features & feature) return TS_OK;
    return TS_BAD(s, off, r->section, "%s is not enabled: it is newer than WASI 0.2", what);
}
ts_status ts_read_count(ts_reader *r, uint32_t *n) {
    TS_TRY(ts_read_u32(r, n));
    if (*n > ts_reader_left(r))
        return ts_reader_fail(r, "unexpected end-of-file: %u entries announced, %zu bytes left", *n, ts_reader_left(r));
    return TS_OK;
}
ts_status ts_limit_exceeded(const ts_reader *r, uint64_t off, const char *what, uint32_t max) {
    return ts_fail_at(r->err, TS_INVALID, off, r->section, "%s exceeds the limit of %u", what, max);
}
ts_status ts_read_count_max(ts_reader *r, uint32_t max, const char *what, uint32_t *n) {
    const uint8_t *at = r->at;
    TS_TRY(ts_read_u32(r, n));
    if (*n > max) return ts_limit_exceeded(r, (uint64_t)(at - r->base), what, max);
    r->at = at;
    return ts_read_count(r, n);
}
ts_status ts_read_item_name(ts_reader *r, const char **out, uint32_t *len) {
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_name(r, out, len));
    return *len <= TS_COMP_MAX_NAME ? TS_OK : ts_limit_exceeded(r, off, "the length of a name", TS_COMP_MAX_NAME);
}
ts_status ts_read_leading(ts_reader *r, uint8_t b, const char *what) {
    if (r->at > r->base) r->at--;
    return ts_reader_fail(r, "invalid leading byte (0x%x) for %s", b, what);
}
ts_status ts_env_slot(ts_dec *d, ts_env *env, bool local, uint32_t *slot) {
    if (env->local.len == UINT32_MAX - 1 || !ts_vec_push(&env->local, local)) return ts_fail_nomem(d->err);
    *slot = env->local.len - 1;
    return TS_OK;
}
void *ts_dec_alloc(ts_dec *d, size_t n, size_t size) {
    void *p = ts_arena_array(d->arena, n, size);
    if (!p) (void)ts_fail_nomem(d->err);
    return p;
}
const char *ts_dec_name(ts_dec *d, const char *s, size_t len) {
    const char *p = ts_arena_strndup(d->arena, s, len);
    if (!p) (void)ts_fail_nomem(d->err);
    return p;
}

ts_status ts_unknown(ts_scope *s, uint64_t off, const char *sec, const char *what, uint32_t i) {
    return TS_BAD(s, off, sec, "unknown %s %u: %s index out of bounds", what, i, what);
}

/* --- index spaces ------------------------------------------------------------------------------ */
ts_status ts_scope_type(ts_scope *s, uint64_t off, const char *sec, uint32_t i, const ts_extern_type **out) {
    if (i >= s->types.len) return ts_unknown(s, off, sec, "type", i);
    *out = s->types.data[i];
    return TS_OK;
}
ts_status ts_scope_resource(ts_scope *s, uint64_t off, const char *sec, uint32_t i, const ts_extern_type **out) {
    TS_TRY(ts_scope_type(s, off, sec, i, out));
    return (*out)->is_resource ? TS_OK : TS_BAD(s, off, sec, "type index %u is not a resource type", i);
}
ts_status ts_scope_func_type(ts_scope *s, uint64_t off, const char *sec, uint32_t i, const ts_cfunc_type **out) {
    const ts_extern_type *t = NULL;
    TS_TRY(ts_scope_type(s, off, sec, i, &t));
    *out = t->func;
    return t->func ? TS_OK : TS_BAD(s, off, sec, "type index %u is not a function type", i);
}

ts_status ts_extern_new(ts_dec *d, ts_sort sort, ts_extern_type **out) {
    TS_ALLOC(d, *out, 1);
    (*out)->sort = sort;
    return TS_OK;
}

ts_status ts_scope_item(ts_scope *s, uint64_t off, const char *sec, ts_sort_idx what, const ts_extern_type **out) {
    ts_extern_type *t;
    uint32_t i = what.index;
    TS_TRY(ts_extern_new(s->d, what.sort, &t));
    *out = t;
    switch (what.sort) {
    case TS_SORT_FUNC:
        if (i >= s->funcs.len) return ts_unknown(s, off, sec, "function", i);
        t->func = s->funcs.data[i];
        return TS_OK;
    case TS_SORT_TYPE: return ts_scope_type(s, off, sec, i, out);
    case TS_SORT_INSTANCE:
        if (i >= s->instances.len) return ts_unknown(s, off, sec, "instance", i);
        t->instance = s->instances.data[i];
        return TS_OK;
    case TS_SORT_COMPONENT:
        if (i >= s->components.len) return ts_unknown(s, off, sec, "component", i);
        t->component = s->components.data[i];
        return TS_OK;
    case TS_SORT_CORE_MODULE:
        if (i >= s->modules.len) return ts_unknown(s, off, sec, "module", i);
        t->module_type = s->modules.data[i];
        return TS_OK;
    case TS_SORT_VALUE: /* 🪙 each value is used exactly once */
        if (i >= s->values.len) return ts_unknown(s, off, sec, "value", i);
        if (s->values.data[i].used) return TS_BAD(s, off, sec, "value %u cannot be used more than once", i);
        s->values.data[i].used = true;
        t->value = s->values.data[i].type;
        return TS_OK;
    default: return TS_BAD(s, off, sec, "items of sort %s cannot be used here", ts_sort_name(what.sort));
    }
}

ts_status ts_scope_push(ts_scope *s, const ts_extern_type *t) {
    switch (t->sort) {
    case TS_SORT_FUNC: return TS_PUSH(s, funcs, t->func);
    case TS_SORT_TYPE: return TS_PUSH(s, types, t);
    case TS_SORT_INSTANCE: return TS_PUSH(s, instances, t->instance);
    case TS_SORT_COMPONENT: return TS_PUSH(s, components, t->component);
    case TS_SORT_VALUE: return TS_PUSH(s, values, (ts_value_entry){t->value, false});
    case TS_SORT_CORE_MODULE: TS_TRY(TS_PUSH(s, module_defs, NULL)); return TS_PUSH(s, modules, t->module_type);
    default: return ts_fail(s->d->err, TS_USAGE, "an item of sort %s has no index space here", ts_sort_name(t->sort));
    }
}

/* Checks the limits of index spaces. Called after each definition or declaration. */
ts_status ts_scope_limits(const ts_scope *s, uint64_t off, const char *sec) {
    const struct {
        uint64_t n;
        uint32_t max;
        const char *what;
    } rows[] = {
        {s->modules.len, TS_COMP_MAX_MODULES, "modules"},
        {s->components.len, TS_COMP_MAX_COMPONENTS, "components"},
        {(uint64_t)s->instances.len + s->core_instances.len, TS_COMP_MAX_INSTANCES, "instances"},
        {s->values.len, TS_COMP_MAX_VALUES, "values"},
        {(uint64_t)s->types.len + s->core_types.len, TS_COMP_MAX_ITEMS, "types"},
        {(uint64_t)s->funcs.len + s->core_funcs.len, TS_COMP_MAX_ITEMS, "functions"},
        {s->tables.len, TS_COMP_MAX_ITEMS, "tables"},
        {s->mems.len, TS_COMP_MAX_ITEMS, "memories"},
        {s->globals.len, TS_COMP_MAX_ITEMS, "globals"},
        {s->tags.len, TS_COMP_MAX_ITEMS, "tags"},
        {s->imports.len, TS_COMP_MAX_ITEMS, "imports"},
        {s->exports.len, TS_COMP_MAX_ITEMS, "exports"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].n > rows[i].max)
            return TS_BAD(s, off, sec, "the number of %s exceeds the limit of %u", rows[i].what, rows[i].max);
    return TS_OK;
}
