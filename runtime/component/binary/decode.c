/* decode: the sections of a component and its definitions, each validated as it is read.
 * In: the bytes of a component, nested ones through themselves. Out: ts_component: definitions in
 * order, its type.
 * spec: Binary.md; Explainer.md#component-definitions, #instance-definitions,
 * #import-and-export-definitions, #start-definitions */
#include "component/binary/validate.h"
#include "base/utf8.h"
#include "core/run/store.h"
#include "core/load/load.h"
#include <string.h>

static ts_status dec_unit(ts_dec *d, const ts_reader *r) {
    if (++d->n_units <= TS_COMP_MAX_UNITS) return TS_OK;
    return ts_fail_at(d->err, TS_INVALID, ts_reader_offset(r), r->section,
                      "the number of modules and components exceeds the limit of %d", TS_COMP_MAX_UNITS);
}

/* --- core modules and core instances ----------------------------------------------------------- */
static ts_status read_core_module(ts_scope *s, ts_reader *r, ts_def *def) {
    ts_module *m = NULL;
    uint64_t base = ts_reader_offset(r);
    ts_error *e = s->d->err;
    TS_TRY(dec_unit(s->d, r));
    ts_status st = ts_module_new(s->d->engine, r->at, ts_reader_left(r), false, &m, e);
    if (st != TS_OK) { /* its offsets are relative to its own start */
        if (e->has_offset) e->offset += base;
        return st;
    }
    r->at = r->end;
    def->kind = TS_DEF_CORE_MODULE;
    def->sort = TS_SORT_CORE_MODULE;
    def->module = m;
    const ts_core_module_type *t = ts_core_module_type_of(s->d->arena, m);
    if (!t) return ts_fail_nomem(s->d->err); /* from here on the definition owns the module */
    /* spec: the two names of an import are one at this level, and must be unique */
    ts_core_module_type again = *t;
    st = ts_core_module_type_check(s, base, "core module", &again);
    if (st == TS_OK) st = TS_PUSH(s, modules, t);
    return st == TS_OK ? TS_PUSH(s, module_defs, m) : st;
}

/* The core type of a core item. */
static ts_status core_item(ts_scope *s, uint64_t off, const char *sec, ts_sort sort, uint32_t i,
                           ts_core_extern_type *t) {
    static const char *const words[] = {"core function", "core table", "core memory", "core global", "core tag"};
    memset(t, 0, sizeof *t);
    if (sort < TS_SORT_CORE_FUNC || sort > TS_SORT_CORE_TAG)
        return TS_BAD(s, off, sec, "items of sort %s cannot be exported from a core instance", ts_sort_name(sort));
    uint32_t n[] = {s->core_funcs.len, s->tables.len, s->mems.len, s->globals.len, s->tags.len};
    uint32_t k = sort - TS_SORT_CORE_FUNC;
    if (i >= n[k]) return ts_unknown(s, off, sec, words[k], i);
    t->kind = (ts_extern_kind)k;
    switch (t->kind) {
    case TS_EXTERN_FUNC: t->type = s->core_funcs.data[i]; break;
    case TS_EXTERN_TABLE: t->table = s->tables.data[i]; break;
    case TS_EXTERN_MEM: t->mem = s->mems.data[i]; break;
    case TS_EXTERN_GLOBAL: t->global = s->globals.data[i]; break;
    case TS_EXTERN_TAG: t->type = s->tags.data[i]; break;
    }
    return TS_OK;
}

static ts_status check_core_args(ts_scope *s, uint64_t off, const char *sec, const ts_core_module_type *m,
                                 const ts_arg *args, const ts_map *by_name) {
    for (uint32_t i = 0; i < m->n_imports; i++) {
        const ts_core_import_type *x = &m->imports[i];
        uint32_t k;
        char reason[400] = "";
        if (!ts_map_get(by_name, x->module, x->module_len, &k))
            return TS_BAD(s, off, sec, "missing module instantiation argument named `%.120s`", x->module);
        const ts_core_export_type *e =
            ts_core_type_find_export(s->core_instances.data[args[k].what.index], x->name, x->name_len);
        if (!e)
            return TS_BAD(s, off, sec, "module instantiation argument `%.120s` does not export an item named `%.120s`",
                          x->module, x->name);
        if (!ts_core_extern_matches(s->d->types, &e->type, &x->type, reason, sizeof reason))
            return TS_BAD(s, off, sec,
                          "type mismatch for export `%.100s` of module instantiation argument `%.100s`: %s", x->name,
                          x->module, reason);
    }
    return TS_OK;
}

static void set_args(ts_def *def, ts_def_kind kind, uint32_t index, const ts_arg *args, uint32_t n) {
    def->kind = kind;
    def->inst.index = index;
    def->inst.n_args = n;
    def->inst.args = args;
}
/* Adds an argument to the map from names to positions. A name may occur once. */
static ts_status add_arg_name(ts_scope *s, uint64_t off, const char *sec, ts_map *by_name, const ts_arg *args,
                              uint32_t i) {
    bool was = false;
    if (!ts_map_put(by_name, args[i].name, args[i].name_len, i, &was)) return ts_fail_nomem(s->d->err);
    if (!was) return TS_OK;
    if (args[i].what.sort == TS_SORT_CORE_INSTANCE)
        return TS_BAD(s, off, sec, "duplicate module instantiation argument named `%.120s`", args[i].name);
    return TS_BAD(s, off, sec, "instantiation argument `%.100s` conflicts with previous argument `%.100s`",
                  args[i].name, args[i].name);
}

static ts_status read_core_instantiate(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint32_t m = 0, n = 0;
    const char *sec = r->section;
    ts_arg *args;
    TS_TRY(ts_read_u32(r, &m));
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_ARGS, "the number of arguments or exports", &n));
    TS_ALLOC(s->d, args, n);
    ts_map by_name = {0};
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        const char *name = NULL;
        uint8_t kind = 0;
        st = ts_read_item_name(r, &name, &args[i].name_len);
        if (st == TS_OK) st = ts_read_u8(r, &kind);
        if (st == TS_OK && kind != 0x12) st = ts_read_leading(r, kind, "instantiation arg kind");
        if (st == TS_OK) st = ts_read_u32(r, &args[i].what.index);
        if (st != TS_OK) break;
        args[i].what.sort = TS_SORT_CORE_INSTANCE;
        if (!(args[i].name = ts_dec_name(s->d, name, args[i].name_len))) st = TS_NOMEM;
    }
    if (st == TS_OK && m >= s->modules.len) st = ts_unknown(s, off, sec, "module", m);
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        if (args[i].what.index >= s->core_instances.len)
            st = ts_unknown(s, off, sec, "core instance", args[i].what.index);
        else
            st = add_arg_name(s, off, sec, &by_name, args, i);
    }
    if (st == TS_OK) st = check_core_args(s, off, sec, s->modules.data[m], args, &by_name);
    ts_map_free(&by_name);
    if (st != TS_OK) return st;
    set_args(def, TS_DEF_CORE_INSTANTIATE, m, args, n);
    return TS_PUSH(s, core_instances, s->modules.data[m]); /* only its exports matter from here on */
}

static ts_status read_core_inline(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint32_t n = 0;
    ts_arg *args;
    ts_core_export_type *exports;
    ts_core_module_type *t;
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_ARGS, "the number of arguments or exports", &n));
    TS_ALLOC(s->d, args, n);
    TS_ALLOC(s->d, exports, n);
    TS_ALLOC(s->d, t, 1);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = NULL;
        uint32_t len = 0;
        TS_TRY(ts_read_item_name(r, &name, &len));
        TS_DUP(s->d, name, name, len);
        TS_TRY(ts_read_core_sort(r, &args[i].what.sort));
        TS_TRY(ts_read_u32(r, &args[i].what.index));
        args[i].name = exports[i].name = name;
        args[i].name_len = exports[i].name_len = len;
        TS_TRY(core_item(s, off, r->section, args[i].what.sort, args[i].what.index, &exports[i].type));
    }
    t->n_exports = n;
    t->exports = exports;
    TS_TRY(ts_core_module_type_check(s, off, r->section, t));
    set_args(def, TS_DEF_CORE_INLINE, 0, args, n);
    return TS_PUSH(s, core_instances, t);
}

static ts_status read_core_instance(ts_scope *s, ts_reader *r, ts_def *def) {
    uint8_t b = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &b));
    def->sort = TS_SORT_CORE_INSTANCE;
    if (b == 0) return read_core_instantiate(s, r, off, def);
    if (b == 1) return read_core_inline(s, r, off, def);
    return ts_read_leading(r, b, "core instance");
}

/* --- component instances ----------------------------------------------------------------------- */
static ts_status read_sortidx(ts_reader *r, ts_sort_idx *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b > 5) return ts_read_leading(r, b, "component external kind");
    out->sort = (ts_sort)b;
    if (b == 0) {
        TS_TRY(ts_read_u8(r, &b));
        if (b != 0x11) /* modules are the only core sort that can be passed */
            return ts_read_leading(r, b, "component external kind");
        out->sort = TS_SORT_CORE_MODULE;
    }
    return ts_read_u32(r, &out->index);
}

/* Computes the type of the instance that a component of type t makes of args.
 * spec: Explainer.md#type-checking: imported resource types are replaced by those that are given,
 * exported ones are fresh */
static ts_status instantiate(ts_scope *s, uint64_t off, const char *sec, const ts_component_type *t, const ts_arg *args,
                             const ts_map *by_name, ts_rmap *want_map, ts_subst *sub, ts_ptrmap *open, ts_ptrmap *fresh,
                             ts_bind_vec *binds, ts_instance_type **out) {
    char reason[400] = "";
    bool mem = true;
    for (uint32_t i = 0; i < t->n_bound_imports; i++) mem &= ts_ptrmap_put(open, ts_slot_key(t->bound[i]), 1);
    if (!mem) return ts_fail_nomem(s->d->err);
    ts_sub c = {
        .d = s->d, .want_map = want_map, .open = open, .names = &sub->memo, .buf = reason, .size = sizeof reason};
    for (uint32_t i = 0; i < t->n_imports; i++) {
        const ts_named_extern *x = &t->imports[i];
        uint32_t k;
        if (!ts_map_get(by_name, x->name, x->name_len, &k))
            return TS_BAD(s, off, sec, "missing import named `%.120s`", x->name);
        if (!ts_extern_matches_sub(&c, args[k].type, x->type)) {
            if (c.failed) return s->d->err->status;
            return TS_BAD(s, off, sec, "type mismatch for import `%.120s`: %s", x->name, reason);
        }
    }
    for (uint32_t i = 0; i < t->n_bound; i++) {
        uint32_t slot = ts_rmap_get(want_map, t->bound[i]);
        if (!ts_ptrmap_get(&want_map->m, ts_slot_key(t->bound[i]), NULL)) {
            TS_TRY(ts_env_slot(s->d, s->env, false, &slot));
            if (!ts_ptrmap_put(fresh, ts_slot_key(slot), 1)) return ts_fail_nomem(s->d->err);
        }
        if (!ts_ptrmap_put(&sub->slots, ts_slot_key(t->bound[i]), slot)) return ts_fail_nomem(s->d->err);
    }
    sub->deep = sub->memo.n > 0;
    ts_instance_type whole = {
        .n = t->n_exports, .exports = t->exports, .index = t->export_index, .has_resource = t->has_resource};
    const ts_instance_type *done = ts_subst_instance(sub, &whole, true);
    if (!done) return s->d->err->status;
    TS_ALLOC(s->d, *out, 1);
    **out = *done;
    TS_TRY(ts_instance_type_finish(s->d, off, sec, *out));
    ts_extern_type x = {.sort = TS_SORT_INSTANCE, .instance = *out};
    return ts_collect_binds(s->d, &x, fresh, binds);
}

static ts_status set_binds(ts_dec *d, ts_bind_vec *v, ts_def *def) {
    ts_resource_bind *p;
    TS_ALLOC(d, p, v->v.len);
    if (v->v.len) memcpy(p, v->v.data, v->v.len * sizeof *p);
    def->n_binds = v->v.len;
    def->binds = p;
    return TS_OK;
}

static ts_status push_made_instance(ts_scope *s, ts_def *def, const ts_instance_type *t) {
    ts_extern_type *x;
    TS_ALLOC(s->d, x, 1);
    x->sort = TS_SORT_INSTANCE;
    x->instance = t;
    def->inst.result = x;
    return TS_PUSH(s, instances, t);
}

static ts_status read_instantiate(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint32_t c = 0, n = 0;
    const char *sec = r->section;
    ts_arg *args;
    TS_TRY(ts_read_u32(r, &c));
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_ARGS, "the number of arguments or exports", &n));
    TS_ALLOC(s->d, args, n);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = NULL;
        TS_TRY(ts_read_item_name(r, &name, &args[i].name_len));
        TS_TRY(read_sortidx(r, &args[i].what));
        TS_DUP(s->d, args[i].name, name, args[i].name_len);
    }
    if (c >= s->components.len) return ts_unknown(s, off, sec, "component", c);
    ts_map by_name = {0};
    ts_rmap want_map = {0};
    ts_subst sub = {.d = s->d};
    ts_ptrmap open = {0}, fresh = {0};
    ts_bind_vec binds = {0};
    ts_instance_type *t = NULL;
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        st = ts_scope_item(s, off, sec, args[i].what, &args[i].type);
        if (st == TS_OK) st = add_arg_name(s, off, sec, &by_name, args, i);
    }
    if (st == TS_OK)
        st =
            instantiate(s, off, sec, s->components.data[c], args, &by_name, &want_map, &sub, &open, &fresh, &binds, &t);
    if (st == TS_OK) st = set_binds(s->d, &binds, def);
    ts_map_free(&by_name);
    ts_ptrmap_free(&want_map.m);
    ts_subst_free(&sub);
    ts_ptrmap_free(&open);
    ts_ptrmap_free(&fresh);
    ts_vec_free(&binds.v);
    if (st != TS_OK) return st;
    set_args(def, TS_DEF_INSTANTIATE, c, args, n);
    return push_made_instance(s, def, t);
}

static ts_status read_inline(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint32_t n = 0;
    ts_arg *args;
    ts_named_extern *exports;
    ts_instance_type *t;
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_ARGS, "the number of arguments or exports", &n));
    TS_ALLOC(s->d, args, n);
    TS_ALLOC(s->d, exports, n);
    TS_ALLOC(s->d, t, 1);
    ts_map keys = {0};
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        ts_name_attr na = {0};
        st = ts_read_name_attr(s, r, &na);
        if (st == TS_OK) st = read_sortidx(r, &args[i].what);
        if (st == TS_OK) st = ts_scope_item(s, na.offset, r->section, args[i].what, &args[i].type);
        if (st == TS_OK) st = ts_check_inline_export_name(s, &na, r->section, args[i].type, &keys, i);
        if (st != TS_OK) break;
        const char *name = ts_dec_name(s->d, na.name, na.len);
        if (!name) st = TS_NOMEM;
        args[i].name = name;
        args[i].name_len = na.len;
        exports[i] = (ts_named_extern){name, na.len, args[i].type, NULL};
    }
    ts_map_free(&keys);
    if (st != TS_OK) return st;
    t->n = n;
    t->exports = exports;
    TS_TRY(ts_instance_type_finish(s->d, off, r->section, t));
    set_args(def, TS_DEF_INLINE, 0, args, n);
    return push_made_instance(s, def, t);
}

static ts_status read_instance(ts_scope *s, ts_reader *r, ts_def *def) {
    uint8_t b = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &b));
    def->sort = TS_SORT_INSTANCE;
    if (b == 0) return read_instantiate(s, r, off, def);
    if (b == 1) return read_inline(s, r, off, def);
    return ts_read_leading(r, b, "instance");
}

/* --- imports and exports ----------------------------------------------------------------------- */
static ts_status read_import(ts_scope *s, ts_reader *r, ts_def *def) {
    ts_name_attr na;
    ts_extern_type *t = NULL;
    const ts_extern_type *opened = NULL;
    ts_bind_vec binds = {0};
    TS_TRY(ts_read_name_attr(s, r, &na));
    TS_TRY(ts_read_externtype(s, r, &t));
    ts_status st = ts_scope_open(s, na.offset, r->section, t, true, &binds, &opened);
    if (st == TS_OK) st = set_binds(s->d, &binds, def);
    ts_vec_free(&binds.v);
    if (st != TS_OK) return st;
    def->kind = TS_DEF_IMPORT;
    def->sort = opened->sort;
    def->import.type = opened;
    def->import.name_len = na.len;
    TS_TRY(ts_scope_add(s, &na, r->section, true, opened, &def->import.name));
    def->import.attributes = na.kept;
    return TS_OK;
}

/* Ascribes a type to an export. It must be a supertype of the item's type. The resource types that it
 * leaves abstract become fresh ones. */
static ts_status ascribe(ts_scope *s, const ts_name_attr *na, const char *sec, const ts_extern_type *have,
                         ts_extern_type *want, ts_def *def, const ts_extern_type **out) {
    char reason[400] = "";
    ts_rmap want_map = {0};
    ts_ptrmap open = {0};
    ts_bind_vec binds = {0};
    ts_sub c = {.d = s->d, .want_map = &want_map, .open = &open, .buf = reason, .size = sizeof reason};
    ts_status st = TS_OK;
    if (want->sort == TS_SORT_TYPE && want->resource_is_sub)
        want->resource = UINT32_MAX; /* ts_scope_open assigns it below */
    bool mem =
        want->sort != TS_SORT_TYPE || !want->resource_is_sub || ts_ptrmap_put(&open, ts_slot_key(want->resource), 1);
    if (want->sort == TS_SORT_INSTANCE)
        for (uint32_t i = 0; i < want->instance->n_bound; i++)
            mem &= ts_ptrmap_put(&open, ts_slot_key(want->instance->bound[i]), 1);
    bool ok = mem && ts_extern_matches_sub(&c, have, want);
    if (!mem)
        st = ts_fail_nomem(s->d->err);
    else if (c.failed)
        st = s->d->err->status;
    else if (!ok)
        st = TS_BAD(s, na->offset, sec, "ascribed type of export is not compatible with item's type: %s", reason);
    if (st == TS_OK) st = ts_scope_open(s, na->offset, sec, want, false, &binds, out);
    if (st == TS_OK) st = set_binds(s->d, &binds, def);
    ts_ptrmap_free(&want_map.m);
    ts_ptrmap_free(&open);
    ts_vec_free(&binds.v);
    return st;
}

static ts_status read_export(ts_scope *s, ts_reader *r, ts_def *def) {
    ts_name_attr na;
    uint8_t b = 0;
    ts_extern_type *want = NULL;
    const ts_extern_type *t = NULL;
    TS_TRY(ts_read_name_attr(s, r, &na));
    TS_TRY(read_sortidx(r, &def->export_.what));
    TS_TRY(ts_read_u8(r, &b));
    if (b > 1) return ts_read_leading(r, b, "optional component export type");
    if (b) TS_TRY(ts_read_externtype(s, r, &want));
    if (def->export_.what.sort == TS_SORT_VALUE)
        TS_TRY(ts_scope_feature(s, r, na.offset, TS_CF_VALUES, "the import and export of values"));
    TS_TRY(ts_scope_item(s, na.offset, r->section, def->export_.what, &t));
    if (want) {
        TS_TRY(ascribe(s, &na, r->section, t, want, def, &t));
    } else if (t->sort == TS_SORT_TYPE) {
        ts_extern_type *n = NULL;
        TS_TRY(ts_type_renamed(s->d, t, &n));
        t = n;
    }
    def->kind = TS_DEF_EXPORT;
    def->sort = t->sort;
    def->export_.type = t;
    def->export_.name_len = na.len;
    TS_TRY(ts_scope_add(s, &na, r->section, false, t, &def->export_.name));
    if (t->sort == TS_SORT_VALUE) /* a value that is exported need not be used again */
        s->values.data[s->values.len - 1].used = true;
    return TS_OK;
}

/* --- start and values 🪙 ------------------------------------------------------------------------ */
static ts_status read_start(ts_scope *s, ts_reader *r, ts_def *def) {
    uint64_t off = ts_reader_offset(r);
    uint32_t *args;
    TS_TRY(ts_read_u32(r, &def->start.func));
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_START_ARGS, "the number of arguments", &def->start.n_args));
    TS_ALLOC(s->d, args, def->start.n_args);
    for (uint32_t i = 0; i < def->start.n_args; i++) TS_TRY(ts_read_u32(r, &args[i]));
    TS_TRY(ts_read_u32(r, &def->start.n_results));
    def->kind = TS_DEF_START;
    def->sort = TS_SORT_VALUE;
    def->start.args = args;
    if (def->start.func >= s->funcs.len) return ts_unknown(s, off, r->section, "function", def->start.func);
    const ts_cfunc_type *t = s->funcs.data[def->start.func];
    if (t->n_params != def->start.n_args)
        return TS_BAD(s, off, r->section, "component start function requires %u arguments but was given %u",
                      t->n_params, def->start.n_args);
    if ((t->result ? 1u : 0u) != def->start.n_results)
        return TS_BAD(s, off, r->section,
                      "component start function has a result count of %u but the function type has %u",
                      def->start.n_results, t->result ? 1u : 0u);
    for (uint32_t i = 0; i < t->n_params; i++) {
        const ts_extern_type *v = NULL;
        char reason[300] = "";
        TS_TRY(ts_scope_item(s, off, r->section, (ts_sort_idx){TS_SORT_VALUE, args[i]}, &v));
        ts_extern_type want = {.sort = TS_SORT_VALUE, .value = t->params[i].type};
        ts_sub c = {.d = s->d, .buf = reason, .size = sizeof reason};
        if (!ts_extern_matches_sub(&c, v, &want))
            return c.failed ? s->d->err->status
                            : TS_BAD(s, off, r->section,
                                     "value type mismatch for component start function argument %u: %s", i, reason);
    }
    def->start.result = t->result;
    return t->result ? TS_PUSH(s, values, (ts_value_entry){t->result, false}) : TS_OK;
}

/* spec: Binary.md#value-definitions: reads a literal into the component's arena. Strings stay in the
 * input. */
static ts_status read_literal(ts_scope *s, ts_reader *r, const ts_ctype *t, ts_val *out);
static ts_status read_literals(ts_scope *s, ts_reader *r, const ts_ctype *const *types, const ts_ctype *elem,
                               uint32_t n, const ts_val **out) {
    ts_val *v;
    TS_ALLOC(s->d, v, n);
    *out = v;
    for (uint32_t i = 0; i < n; i++) TS_TRY(read_literal(s, r, types ? types[i] : elem, &v[i]));
    return TS_OK;
}
static ts_status read_literal_list(ts_scope *s, ts_reader *r, const ts_ctype *t, uint32_t n, ts_val *out) {
    const ts_val *vals;
    out->list.len = n;
    if (t->kind == TS_CT_MAP) {
        const ts_ctype *pair[2] = {t->elem2, t->elem};
        ts_val *entries;
        TS_ALLOC(s->d, entries, n);
        out->list.ptr = entries;
        for (uint32_t i = 0; i < n; i++) {
            entries[i].list.len = 2;
            TS_TRY(read_literals(s, r, pair, NULL, 2, &entries[i].list.ptr));
        }
        return TS_OK;
    }
    TS_TRY(read_literals(s, r, NULL, t->elem, n, &vals));
    out->list.ptr = vals;
    if (!ts_ct_is_raw_elem(t->elem->kind)) return TS_OK;
    uint8_t *raw = ts_dec_alloc(s->d, n, t->elem->size);
    if (!raw) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) memcpy(raw + (size_t)i * t->elem->size, &vals[i], t->elem->size);
    out->raw.ptr = raw;
    return TS_OK;
}
static ts_status read_literal_case(ts_scope *s, ts_reader *r, const ts_ctype *t, ts_val *out) {
    uint32_t disc = 0;
    uint8_t b = 0;
    if (t->kind == TS_CT_OPTION || t->kind == TS_CT_RESULT) {
        TS_TRY(ts_read_u8(r, &b));
        disc = b;
    } else {
        TS_TRY(ts_read_u32(r, &disc));
    }
    if (disc >= ts_ctype_n_cases(t))
        return ts_reader_fail(r, "invalid %s discriminant %u", ts_ct_kind_name(t->kind), disc);
    const ts_ctype *payload = ts_ctype_case(t, disc);
    out->variant.disc = disc;
    return payload ? read_literals(s, r, NULL, payload, 1, &out->variant.payload) : TS_OK;
}

static ts_status read_literal(ts_scope *s, ts_reader *r, const ts_ctype *t, ts_val *out) {
    uint32_t n = 0;
    uint8_t b = 0;
    const uint8_t *p;
    if (s->d->budget == 0) return ts_reader_fail(r, "a value is too large");
    s->d->budget--;
    memset(out, 0, sizeof *out);
    switch (t->kind) {
    case TS_CT_BOOL:
        TS_TRY(ts_read_u8(r, &b));
        out->b = b == 1;
        return b <= 1 ? TS_OK : ts_reader_fail(r, "invalid boolean value (0x%x)", b);
    case TS_CT_S8:
    case TS_CT_U8: return ts_read_u8(r, &out->u8);
    case TS_CT_S16: return ts_read_leb_slow(r, &out->u64, 16, true);
    case TS_CT_U16: return ts_read_leb_slow(r, &out->u64, 16, false);
    case TS_CT_S32: return ts_read_leb_slow(r, &out->u64, 32, true);
    case TS_CT_U32: return ts_read_leb_slow(r, &out->u64, 32, false);
    case TS_CT_S64: return ts_read_s64(r, &out->s64);
    case TS_CT_U64: return ts_read_u64(r, &out->u64);
    case TS_CT_F32:
        TS_TRY(ts_read_bytes(r, 4, &p));
        memcpy(&out->u32, p, 4);
        return (out->u32 & 0x7fffffffu) <= 0x7f800000u || out->u32 == 0x7fc00000u
                   ? TS_OK
                   : ts_reader_fail(r, "a NaN other than the canonical one");
    case TS_CT_F64:
        TS_TRY(ts_read_bytes(r, 8, &p));
        memcpy(&out->u64, p, 8);
        return (out->u64 & ~(1ull << 63)) <= 0x7ff0000000000000u || out->u64 == 0x7ff8000000000000u
                   ? TS_OK
                   : ts_reader_fail(r, "a NaN other than the canonical one");
    case TS_CT_CHAR:
        if (ts_reader_done(r)) return ts_read_eof(r);
        n = *r->at < 0x80 ? 1 : *r->at < 0xe0 ? 2 : *r->at < 0xf0 ? 3 : 4;
        TS_TRY(ts_read_bytes(r, n, &p));
        if (!ts_utf8_valid(p, n)) return ts_reader_fail(r, "malformed UTF-8 encoding");
        ts_utf8_decode(p, &out->ch);
        return TS_OK;
    case TS_CT_STRING:
        TS_TRY(ts_read_name(r, &out->str.ptr, &n));
        out->str.len = n;
        return TS_OK;
    case TS_CT_RECORD:
    case TS_CT_TUPLE: {
        const ts_ctype **types;
        TS_ALLOC(s->d, types, t->n);
        for (uint32_t i = 0; i < t->n; i++) types[i] = t->cases[i].type;
        out->list.len = t->n;
        return read_literals(s, r, types, NULL, t->n, &out->list.ptr);
    }
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: return read_literal_case(s, r, t, out);
    case TS_CT_LIST:
    case TS_CT_MAP: TS_TRY(ts_read_count(r, &n)); return read_literal_list(s, r, t, n, out);
    case TS_CT_FIXED_LIST:
        if (t->n > ts_reader_left(r)) return ts_read_eof(r); /* every value has at least one byte */
        return read_literal_list(s, r, t, t->n, out);
    case TS_CT_FLAGS:
        TS_TRY(ts_read_bytes(r, (t->n + 7) / 8, &p));
        for (uint32_t i = 0; i < t->n; i++) out->flags.bits |= (uint32_t)(p[i / 8] >> (i % 8) & 1) << i;
        return TS_OK;
    default:
        return TS_BAD(s, ts_reader_offset(r), r->section, "a literal of type %s is not possible",
                      ts_ct_kind_name(t->kind));
    }
}

static ts_status read_value(ts_scope *s, ts_reader *r, ts_def *def) {
    uint32_t len = 0;
    ts_reader v;
    TS_TRY(ts_read_cvaltype(s, r, &def->value.type));
    TS_TRY(ts_read_u32(r, &len));
    TS_TRY(ts_read_sub(r, len, &v));
    def->kind = TS_DEF_VALUE;
    def->sort = TS_SORT_VALUE;
    TS_TRY(read_literals(s, &v, NULL, def->value.type, 1, &def->value.v));
    if (!ts_reader_done(&v)) return ts_reader_fail(&v, "trailing bytes after a value");
    return TS_PUSH(s, values, (ts_value_entry){def->value.type, false});
}

/* --- sections ---------------------------------------------------------------------------------- */
static ts_status read_nested(ts_scope *s, ts_reader *r, ts_def *def) {
    ts_component *c;
    TS_ALLOC(s->d, c, 1);
    c->parent = s->c;
    def->kind = TS_DEF_COMPONENT;
    def->sort = TS_SORT_COMPONENT;
    def->component = c;
    ts_status st = ts_component_decode(s->d, r, s, c);
    if (st == TS_OK) { /* its type, in slots of this component */
        ts_subst sub = {.d = s->d, .fresh = s->env};
        const ts_component_type *t = ts_subst_component(&sub, c->type);
        ts_subst_free(&sub);
        st = t ? TS_PUSH(s, components, t) : s->d->err->status;
    }
    return st;
}

static void read_component_name(ts_scope *s, ts_reader r) { /* mistakes in this section are ignored */
    uint8_t id = 0;
    uint32_t size = 0, len = 0;
    const char *name = NULL;
    r.err = NULL;
    ts_reader sub;
    if (ts_read_u8(&r, &id) != TS_OK || id != 0 || ts_read_u32(&r, &size) != TS_OK ||
        ts_read_sub(&r, size, &sub) != TS_OK)
        return;
    if (ts_read_name(&sub, &name, &len) == TS_OK && !s->c->name) s->c->name = ts_arena_strndup(s->d->arena, name, len);
}

typedef ts_status (*read_item)(ts_scope *s, ts_reader *r, ts_def *def);
static ts_status read_type_item(ts_scope *s, ts_reader *r, ts_def *def) {
    def->kind = TS_DEF_TYPE;
    def->sort = TS_SORT_TYPE;
    return ts_read_type(s, r, def);
}
static ts_status read_core_type_item(ts_scope *s, ts_reader *r, ts_def *def) {
    def->kind = TS_DEF_CORE_TYPE;
    def->sort = TS_SORT_CORE_TYPE;
    return ts_read_core_type(s, r);
}

static const struct {
    const char *name;
    read_item item;
    bool single;
} SECTIONS[] = {
    {"custom", NULL, true},
    {"core module", read_core_module, true},
    {"core instance", read_core_instance, false},
    {"core type", read_core_type_item, false},
    {"component", read_nested, true},
    {"component instance", read_instance, false},
    {"component alias", ts_read_alias, false},
    {"component type", read_type_item, false},
    {"canon", ts_read_canon, false},
    {"component start", read_start, true},
    {"component import", read_import, false},
    {"component export", read_export, false},
    {"component value", read_value, false},
};

/* Frees what a definition owns that was not added to a component. */
static void drop_def(ts_def *def) {
    if (def->kind == TS_DEF_CORE_MODULE) ts_module_free(def->module);
    if (def->kind == TS_DEF_COMPONENT) ts_component_free(def->component);
}

static ts_status read_section(ts_scope *s, ts_reader *r) {
    uint8_t id = 0;
    uint32_t size = 0, n = 1;
    uint64_t at = ts_reader_offset(r);
    ts_reader sub;
    TS_TRY(ts_read_u8(r, &id));
    bool values = id == 9 || id == 12;
    if (id >= sizeof SECTIONS / sizeof *SECTIONS || (values && !(s->d->features & TS_CF_VALUES)))
        return ts_fail_at(s->d->err, TS_MALFORMED, at, NULL, "malformed section id: %u", id);
    TS_TRY(ts_read_u32(r, &size));
    if (size > ts_reader_left(r))
        return ts_reader_fail(r, "unexpected end-of-file: section `%s` of %u bytes, %zu left", SECTIONS[id].name, size,
                              ts_reader_left(r));
    TS_TRY(ts_read_sub(r, size, &sub));
    sub.section = SECTIONS[id].name;
    if (id == 0) {
        const char *name = NULL;
        TS_TRY(ts_read_name(&sub, &name, &n));
        if (n == 14 && memcmp(name, "component-name", 14) == 0) read_component_name(s, sub);
        return TS_OK;
    }
    if (!SECTIONS[id].single) TS_TRY(ts_read_count(&sub, &n));
    for (uint32_t i = 0; i < n; i++) {
        ts_def def;
        memset(&def, 0, sizeof def);
        def.kind = TS_DEF_VALUE; /* until the kind is known: a kind that owns nothing */
        def.offset = ts_reader_offset(&sub);
        ts_status st = SECTIONS[id].item(s, &sub, &def);
        if (st == TS_OK) st = ts_scope_limits(s, def.offset, sub.section);
        if (st == TS_OK && !ts_vec_push(&s->defs, def)) st = ts_fail_nomem(s->d->err);
        if (st != TS_OK) {
            drop_def(&def);
            return st;
        }
    }
    return ts_reader_done(&sub)
               ? TS_OK
               : ts_reader_fail(&sub, "section size mismatch: unexpected data at the end of the section");
}

static ts_status read_preamble(ts_reader *r) {
    const uint8_t *p;
    TS_TRY(ts_read_bytes(r, 8, &p));
    r->at = p;
    if (memcmp(p, "\0asm", 4) != 0) return ts_reader_fail(r, "magic header not detected: bad magic number");
    r->at = p + 4;
    if (memcmp(p + 6, "\0\0", 2) == 0) return ts_reader_fail(r, "expected a version header for a component");
    if (memcmp(p + 4, "\x0d\0\1\0", 4) != 0) return ts_reader_fail(r, "unknown binary version and layer");
    r->at = p + 8;
    return TS_OK;
}

/* spec: Binary.md: resource types that leave through imports or exports must be imported or exported
 * themselves. */
static ts_status check_escape(ts_scope *s, uint64_t off, const ts_component_type *t) {
    ts_ptrmap slots = {0}, have = {0};
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < s->bound_imports.len; i++)
        if (!ts_ptrmap_put(&have, ts_slot_key(s->bound_imports.data[i]), 1)) st = ts_fail_nomem(s->d->err);
    for (uint32_t i = 0; st == TS_OK && i < t->n_imports; i++)
        if (!ts_free_slots(s->d, t->imports[i].type, &slots)) st = s->d->err->status;
    for (uint32_t k = 0; st == TS_OK && k < slots.cap; k++)
        if (slots.keys[k] && !ts_ptrmap_get(&have, slots.keys[k], NULL))
            st = TS_BAD(s, off, NULL, "local resource type found in imports");
    ts_ptrmap_free(&slots);
    for (uint32_t i = 0; st == TS_OK && i < t->n_exports; i++)
        if (!ts_free_slots(s->d, t->exports[i].type, &slots)) st = s->d->err->status;
    /* slots that are exported by a path of their own */
    for (uint32_t k = 0; st == TS_OK && k < slots.cap; k++)
        if (slots.keys[k] && !ts_ptrmap_get(&have, slots.keys[k], NULL) && !ts_ptrmap_put(&have, slots.keys[k], 2))
            st = ts_fail_nomem(s->d->err);
    ts_bind_vec paths = {0};
    uintptr_t v;
    for (uint32_t k = 0; st == TS_OK && k < have.cap; k++)
        if (have.keys[k]) have.vals[k] = have.vals[k] == 2;
    for (uint32_t i = 0; st == TS_OK && i < t->n_exports; i++)
        st = ts_collect_binds(s->d, t->exports[i].type, &have, &paths);
    for (uint32_t k = 0; st == TS_OK && k < slots.cap; k++)
        if (slots.keys[k] && ts_ptrmap_get(&have, slots.keys[k], &v) && v == 1)
            st = TS_BAD(s, off, NULL, "local resource type found in export but not exported itself");
    s->bound_exports.len = 0;
    for (uint32_t i = 0; st == TS_OK && i < paths.v.len; i++) st = TS_PUSH(s, bound_exports, paths.v.data[i].slot);
    ts_vec_free(&paths.v);
    ts_ptrmap_free(&slots);
    ts_ptrmap_free(&have);
    return st;
}

static ts_status finish(ts_scope *s, uint64_t off, ts_component *c) {
    for (uint32_t i = 0; i < s->values.len; i++)
        if (!s->values.data[i].used)
            return TS_BAD(s, off, NULL,
                          "value index %u was not used as part of an instantiation, start function, or export", i);
    const ts_component_type *t = NULL;
    TS_TRY(ts_scope_component_type(s, off, NULL, &t));
    TS_TRY(check_escape(s, off, t));
    /* once more, with the exported resource types as bound */
    TS_TRY(ts_scope_component_type(s, off, NULL, &t));
    c->type = t;
    c->n_imports = t->n_imports;
    c->n_exports = t->n_exports;
    c->imports = t->imports;
    c->exports = t->exports;
    c->n_resources = s->env->local.len;
    c->n_core_modules = s->modules.len;
    c->n_core_instances = s->core_instances.len;
    c->n_core_types = s->core_types.len;
    c->n_components = s->components.len;
    c->n_instances = s->instances.len;
    c->n_funcs = s->funcs.len;
    c->n_types = s->types.len;
    c->n_values = s->values.len;
    c->n_core_funcs = s->core_funcs.len;
    c->n_core_tables = s->tables.len;
    c->n_core_memories = s->mems.len;
    c->n_core_globals = s->globals.len;
    c->n_core_tags = s->tags.len;
    return TS_OK;
}

ts_status ts_component_decode(ts_dec *d, ts_reader *r, ts_scope *parent, ts_component *c) {
    TS_TRY(ts_stack_check(d->err));
    TS_TRY(dec_unit(d, r));
    ts_env env = {0};
    ts_scope s;
    ts_scope_init(&s, TS_SCOPE_COMPONENT, parent, d, &env);
    s.c = c;
    c->engine = d->engine;
    c->features = d->features;
    c->bytes = r->at;
    c->len = ts_reader_left(r);
    c->offset = ts_reader_offset(r);
    ts_status st = read_preamble(r);
    while (st == TS_OK && !ts_reader_done(r)) st = read_section(&s, r);
    if (st == TS_OK) st = finish(&s, ts_reader_offset(r), c);
    /* the component gets the definitions even after a failure, because it frees the modules in them */
    c->defs = ts_arena_array(d->arena, s.defs.len, sizeof *c->defs);
    if (c->defs && s.defs.len) memcpy(c->defs, s.defs.data, s.defs.len * sizeof *c->defs);
    if (c->defs)
        c->n_defs = s.defs.len;
    else {
        for (uint32_t i = 0; i < s.defs.len; i++) drop_def(&s.defs.data[i]);
        if (st == TS_OK) st = ts_fail_nomem(d->err);
    }
    ts_vec_free(&env.local);
    ts_scope_free(&s);
    return st;
}
