/* validate_alias: aliases of exports, of core exports and of items of outer components.
 * In: the bytes of one alias and its scope. Out: a new entry of the scope's index space of that sort.
 * spec: Binary.md#alias-definitions, Explainer.md#alias-definitions */
#include "component/binary/validate.h"

ts_status ts_read_core_sort(ts_reader *r, ts_sort *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b <= 4)
        *out = TS_SORT_CORE_FUNC + b;
    else if (b >= 0x10 && b <= 0x12)
        *out = TS_SORT_CORE_TYPE + (b - 0x10);
    else
        return ts_read_leading(r, b, "component outer alias kind");
    return TS_OK;
}
static ts_status read_sort(ts_reader *r, ts_sort *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b == 0) return ts_read_core_sort(r, out);
    if (b > 5) return ts_read_leading(r, b, "component outer alias kind");
    *out = (ts_sort)b;
    return TS_OK;
}

static ts_status alias_export(ts_scope *s, uint64_t off, const char *sec, ts_sort sort, uint32_t i, const char *name,
                              uint32_t len) {
    if (s->kind != TS_SCOPE_COMPONENT && sort != TS_SORT_TYPE && sort != TS_SORT_INSTANCE)
        return TS_BAD(s, off, sec, "aliases in component and instance types may only refer to types or instances");
    if (i >= s->instances.len) return ts_unknown(s, off, sec, "instance", i);
    const ts_named_extern *x = ts_instance_type_find(s->instances.data[i], name, len);
    if (!x) return TS_BAD(s, off, sec, "instance %u has no export named `%.*s`", i, (int)(len > 120 ? 120 : len), name);
    if (x->type->sort != sort) {
        const char *word = sort == TS_SORT_CORE_MODULE ? "module" : ts_sort_name(sort);
        return TS_BAD(s, off, sec, "export `%s` for instance %u is not a %s", x->name, i, word);
    }
    return ts_scope_push(s, x->type);
}

static ts_status alias_core_export(ts_scope *s, uint64_t off, const char *sec, ts_sort sort, uint32_t i,
                                   const char *name, uint32_t len) {
    if (s->kind != TS_SCOPE_COMPONENT)
        return TS_BAD(s, off, sec, "aliases in component and instance types may only refer to types or instances");
    if (i >= s->core_instances.len) return ts_unknown(s, off, sec, "core instance", i);
    const ts_core_export_type *x = ts_core_type_find_export(s->core_instances.data[i], name, len);
    if (!x)
        return TS_BAD(s, off, sec, "core instance %u has no export named `%.*s`", i, (int)(len > 120 ? 120 : len),
                      name);
    if (x->type.kind != (ts_extern_kind)(sort - TS_SORT_CORE_FUNC))
        return TS_BAD(s, off, sec, "export `%.120s` for core instance %u is not a %s", x->name, i,
                      ts_sort_name(sort) + 5);
    switch (x->type.kind) {
    case TS_EXTERN_FUNC: return TS_PUSH(s, core_funcs, x->type.type);
    case TS_EXTERN_TABLE: return TS_PUSH(s, tables, x->type.table);
    case TS_EXTERN_MEM: return TS_PUSH(s, mems, x->type.mem);
    case TS_EXTERN_GLOBAL: return TS_PUSH(s, globals, x->type.global);
    default: return TS_PUSH(s, tags, x->type.type);
    }
}

/* A type of an outer component seen from an inner one: without free resource types; those that it binds get
 * slots here. */
static ts_status carry_over(ts_scope *s, const ts_extern_type **t) {
    if (!ts_extern_has_resource(*t)) return TS_OK;
    ts_subst sub = {.d = s->d, .fresh = s->env};
    const ts_extern_type *n = ts_subst_extern(&sub, *t);
    ts_subst_free(&sub);
    *t = n;
    return n ? TS_OK : s->d->err->status;
}

static ts_status alias_outer(ts_scope *s, uint64_t off, const char *sec, ts_sort sort, uint32_t count, uint32_t i) {
    if (s->kind != TS_SCOPE_COMPONENT && sort != TS_SORT_TYPE && sort != TS_SORT_CORE_TYPE)
        return TS_BAD(s, off, sec,
                      "outer aliases in component and instance types may only refer to types or instances");
    if (count > s->depth) return TS_BAD(s, off, sec, "invalid outer alias count of %u", count);
    ts_scope *o = s;
    bool crosses = false;
    for (uint32_t k = 0; k < count; k++) {
        crosses |= o->kind == TS_SCOPE_COMPONENT;
        o = o->parent;
    }
    if (sort == TS_SORT_CORE_TYPE) {
        if (i >= o->core_types.len) return TS_BAD(s, off, sec, "unknown core type %u: type index out of bounds", i);
        return ts_scope_push_core_type(s, o->core_types.data[i]);
    }
    const ts_extern_type *t = NULL;
    if (sort == TS_SORT_TYPE)
        TS_TRY(ts_scope_type(o, off, sec, i, &t));
    else
        TS_TRY(ts_scope_item(o, off, sec, (ts_sort_idx){sort, i}, &t));
    if (crosses && ts_extern_has_resource(t)) {
        ts_ptrmap slots = {0};
        bool ok = ts_free_slots(s->d, t, &slots);
        uint32_t n = slots.n;
        ts_ptrmap_free(&slots);
        if (!ok) return s->d->err->status;
        if (n && sort == TS_SORT_TYPE)
            return TS_BAD(
                s, off, sec,
                "cannot alias outer type which transitively refers to resources not defined in the current component");
        TS_TRY(carry_over(s, &t));
    }
    return ts_scope_push(s, t);
}

ts_status ts_read_alias(ts_scope *s, ts_reader *r, ts_def *def) {
    uint64_t off = ts_reader_offset(r);
    ts_sort sort;
    uint8_t kind = 0;
    uint32_t i, n = 0;
    const char *name = NULL;
    TS_TRY(read_sort(r, &sort));
    const uint8_t *sort_end = r->at;
    TS_TRY(ts_read_u8(r, &kind));
    if (kind > 2) return ts_read_leading(r, kind, "alias");
    bool core_entity = sort >= TS_SORT_CORE_FUNC && sort <= TS_SORT_CORE_TAG;
    bool allowed = kind == 1   ? core_entity
                   : kind == 0 ? sort <= TS_SORT_INSTANCE || sort == TS_SORT_CORE_MODULE
                               : sort == TS_SORT_CORE_MODULE || sort == TS_SORT_CORE_TYPE || sort == TS_SORT_TYPE ||
                                     sort == TS_SORT_COMPONENT;
    if (!allowed) {
        r->at = sort_end;
        return ts_read_leading(r, sort_end[-1], kind == 2 ? "component outer alias kind" : "component external kind");
    }
    TS_TRY(ts_read_u32(r, &i));
    if (kind == 2)
        TS_TRY(ts_read_u32(r, &n));
    else
        TS_TRY(ts_read_item_name(r, &name, &n));
    if (def) {
        def->sort = sort;
        def->kind = kind == 0 ? TS_DEF_ALIAS_EXPORT : kind == 1 ? TS_DEF_ALIAS_CORE_EXPORT : TS_DEF_ALIAS_OUTER;
        if (kind == 2) {
            def->outer.count = i;
            def->outer.index = n;
        } else {
            def->alias.instance = i;
            TS_DUP(s->d, def->alias.name, name, n);
            def->alias.name_len = n;
        }
    }
    if (kind == 0 && sort == TS_SORT_VALUE) TS_TRY(ts_scope_feature(s, r, off, TS_CF_VALUES, "the alias of a value"));
    if (kind == 0) return alias_export(s, off, r->section, sort, i, name, n);
    if (kind == 1) return alias_core_export(s, off, r->section, sort, i, name, n);
    return alias_outer(s, off, r->section, sort, i, n);
}
