/* validate_types: component-level types, imports and exports of types and components.
 * In: the bytes of one definition or declaration and its scope. Out: new entries of the scope's index
 * spaces.
 * spec: Binary.md#type-definitions, #import-and-export-definitions; Explainer.md#type-definitions,
 * #external-visibility-of-types */
#include "component/binary/validate.h"
#include <stdio.h>
#include <string.h>

/* --- value types ------------------------------------------------------------------------------- */
/* primvaltype: 0x7f bool … 0x73 string, 0x64 error-context; in the order of ts_ct_kind */
static const ts_ctype *primitive(uint8_t b) {
    if (b <= 0x7f && b >= 0x73) return ts_ctype_primitive((ts_ct_kind)(0x7f - b));
    return b == 0x64 ? ts_ctype_primitive(TS_CT_ERROR_CONTEXT) : NULL;
}

ts_status ts_read_cvaltype(ts_scope *s, ts_reader *r, const ts_ctype **out) {
    uint64_t off = ts_reader_offset(r);
    if (ts_reader_done(r)) return ts_read_eof(r);
    uint8_t b = *r->at;
    if ((*out = primitive(b))) {
        r->at++;
        return b == 0x64 ? ts_scope_feature(s, r, off, TS_CF_ERROR_CONTEXT, "the error-context type") : TS_OK;
    }
    int64_t i;
    TS_TRY(ts_read_s33(r, &i));
    if (i < 0) return ts_reader_fail(r, "invalid leading byte (0x%x) for component value type", b);
    const ts_extern_type *t = NULL;
    TS_TRY(ts_scope_type(s, off, r->section, (uint32_t)i, &t));
    *out = t->type;
    return t->type ? TS_OK : TS_BAD(s, off, r->section, "type index %u is not a defined type", (uint32_t)i);
}

static ts_status read_opt_valtype(ts_scope *s, ts_reader *r, const ts_ctype **out) {
    uint8_t b = 0;
    *out = NULL;
    TS_TRY(ts_read_u8(r, &b));
    if (b > 1) return ts_read_leading(r, b, "optional component value type");
    return b ? ts_read_cvaltype(s, r, out) : TS_OK;
}

/* spec: Binary.md: labels are strongly-unique in their scope. what: "record field" and so on; short_:
 * "field" and so on */
static ts_status read_label(ts_scope *s, ts_reader *r, ts_map *seen, const ts_ct_case *before, uint32_t i,
                            const char *what, const char *short_, const char **out) {
    const char *name;
    uint32_t len, prev;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_item_name(r, &name, &len));
    if (len == 0) return TS_BAD(s, off, r->section, "%s name cannot be empty", what);
    if (!ts_label_valid(name, len))
        return TS_BAD(s, off, r->section, "%s name `%.*s` is not in kebab case", what, (int)(len > 120 ? 120 : len),
                      name);
    TS_DUP(s->d, *out, name, len);
    char *key = ts_label_key(s->d->arena, name, len);
    if (!key) return ts_fail_nomem(s->d->err);
    if (ts_map_get(seen, key, len, &prev))
        return TS_BAD(s, off, r->section, "%s name `%.120s` conflicts with previous %s name `%.120s`", what, *out,
                      short_, before[prev].name);
    return ts_map_put(seen, key, len, i, NULL) ? TS_OK : ts_fail_nomem(s->d->err);
}

typedef enum label_form { FORM_FIELD, FORM_CASE, FORM_FLAG, FORM_TAG, FORM_PARAM } label_form;
static ts_status read_labelled(ts_scope *s, ts_reader *r, label_form form, uint32_t n, const ts_ct_case **out) {
    static const struct {
        const char *what, *short_;
    } words[] = {[FORM_FIELD] = {"record field", "field"},
                 [FORM_CASE] = {"variant case", "case"},
                 [FORM_FLAG] = {"flag", "flag"},
                 [FORM_TAG] = {"enum tag", "tag"},
                 [FORM_PARAM] = {"function parameter", "parameter"}};
    ts_map seen = {0};
    ts_ct_case *cases;
    TS_ALLOC(s->d, cases, n);
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        st = read_label(s, r, &seen, cases, i, words[form].what, words[form].short_, &cases[i].name);
        if (st == TS_OK && (form == FORM_FIELD || form == FORM_PARAM)) st = ts_read_cvaltype(s, r, &cases[i].type);
        if (st == TS_OK && form == FORM_CASE) {
            uint8_t zero = 0;
            st = read_opt_valtype(s, r, &cases[i].type);
            if (st == TS_OK) st = ts_read_u8(r, &zero);
            if (st == TS_OK && zero) st = ts_read_leading(r, zero, "zero byte required");
        }
    }
    ts_map_free(&seen);
    *out = cases;
    return st;
}

/* Reads a value type. An own or borrow remembers the index that named its resource. */
static ts_status read_defvaltype(ts_scope *s, ts_reader *r, uint8_t b, uint64_t off, const ts_ctype **out) {
    const char *sec = r->section;
    if ((*out = primitive(b)))
        return b == 0x64 ? ts_scope_feature(s, r, off, TS_CF_ERROR_CONTEXT, "the error-context type") : TS_OK;
    ts_ctype *t;
    TS_ALLOC(s->d, t, 1);
    *out = t;
    switch (b) {
    case 0x72:
        t->kind = TS_CT_RECORD;
        TS_TRY(ts_read_count_max(r, TS_CT_MAX_MEMBERS, "the number of members of a type", &t->n));
        if (!t->n) return TS_BAD(s, off, sec, "record type must have at least one field");
        TS_TRY(read_labelled(s, r, FORM_FIELD, t->n, &t->cases));
        break;
    case 0x71:
        t->kind = TS_CT_VARIANT;
        TS_TRY(ts_read_count_max(r, TS_CT_MAX_MEMBERS, "the number of members of a type", &t->n));
        if (!t->n) return TS_BAD(s, off, sec, "variant type must have at least one case");
        TS_TRY(read_labelled(s, r, FORM_CASE, t->n, &t->cases));
        break;
    case 0x70:
        t->kind = TS_CT_LIST;
        TS_TRY(ts_read_cvaltype(s, r, &t->elem));
        break;
    case 0x67:
        t->kind = TS_CT_FIXED_LIST;
        TS_TRY(ts_read_cvaltype(s, r, &t->elem));
        TS_TRY(ts_read_u32(r, &t->n));
        TS_TRY(ts_scope_feature(s, r, off, TS_CF_FIXED_LISTS, "the fixed-length list type"));
        if (!t->n) return TS_BAD(s, off, sec, "a fixed-length list must have at least one element");
        if (t->n > TS_COMP_MAX_FIXED_LIST)
            return ts_limit_exceeded(r, off, "the length of a list", TS_COMP_MAX_FIXED_LIST);
        break;
    case 0x6f: {
        t->kind = TS_CT_TUPLE;
        TS_TRY(ts_read_count_max(r, TS_CT_MAX_MEMBERS, "the number of members of a type", &t->n));
        if (!t->n) return TS_BAD(s, off, sec, "tuple type must have at least one type");
        ts_ct_case *cases;
        TS_ALLOC(s->d, cases, t->n);
        for (uint32_t i = 0; i < t->n; i++) TS_TRY(ts_read_cvaltype(s, r, &cases[i].type));
        t->cases = cases;
        break;
    }
    case 0x6e:
        t->kind = TS_CT_FLAGS;
        TS_TRY(ts_read_count(r, &t->n));
        if (!t->n) return TS_BAD(s, off, sec, "flags must have at least one entry");
        if (t->n > 32) return TS_BAD(s, off, sec, "cannot have more than 32 flags: %u", t->n);
        TS_TRY(read_labelled(s, r, FORM_FLAG, t->n, &t->cases));
        break;
    case 0x6d:
        t->kind = TS_CT_ENUM;
        TS_TRY(ts_read_count_max(r, TS_CT_MAX_MEMBERS, "the number of members of a type", &t->n));
        if (!t->n) return TS_BAD(s, off, sec, "enum type must have at least one variant");
        TS_TRY(read_labelled(s, r, FORM_TAG, t->n, &t->cases));
        break;
    case 0x6b:
        t->kind = TS_CT_OPTION;
        TS_TRY(ts_read_cvaltype(s, r, &t->elem));
        break;
    case 0x6a:
        t->kind = TS_CT_RESULT;
        TS_TRY(read_opt_valtype(s, r, &t->elem));
        TS_TRY(read_opt_valtype(s, r, &t->elem2));
        break;
    case 0x69:
    case 0x68: {
        uint32_t i;
        const ts_extern_type *res = NULL;
        TS_TRY(ts_read_u32(r, &i));
        TS_TRY(ts_scope_resource(s, off, sec, i, &res));
        t->kind = b == 0x69 ? TS_CT_OWN : TS_CT_BORROW;
        t->resource = res->resource;
        t->alias = res;
        break;
    }
    case 0x66:
    case 0x65:
        t->kind = b == 0x66 ? TS_CT_STREAM : TS_CT_FUTURE;
        TS_TRY(read_opt_valtype(s, r, &t->elem));
        TS_TRY(ts_scope_feature(s, r, off, TS_CF_ASYNC, b == 0x66 ? "the stream type" : "the future type"));
        if (b == 0x66 && t->elem && t->elem->kind == TS_CT_CHAR)
            return TS_BAD(s, off, sec, "`stream<char>` is not valid at this time");
        if (t->elem && t->elem->has_borrow)
            return TS_BAD(s, off, sec, "%s element type cannot contain a `borrow` type", ts_ct_kind_name(t->kind));
        break;
    case 0x63:
        t->kind = TS_CT_MAP;
        TS_TRY(ts_read_cvaltype(s, r, &t->elem2));
        TS_TRY(ts_read_cvaltype(s, r, &t->elem));
        TS_TRY(ts_scope_feature(s, r, off, TS_CF_MAPS, "the map type"));
        if (!ts_ctype_is_key(t->elem2))
            return TS_BAD(s, off, sec, "invalid map key type: %s is not a key type", ts_ct_kind_name(t->elem2->kind));
        break;
    default: return ts_read_leading(r, b, "component defined type");
    }
    ts_status st = ts_ctype_finish(t, s->d->arena, s->d->err);
    return st == TS_OK ? TS_OK : ts_error_locate(s->d->err, st, off, sec);
}

ts_status ts_read_resultlist(ts_scope *s, ts_reader *r, const ts_ctype **out) {
    uint8_t b = 0;
    *out = NULL;
    TS_TRY(ts_read_u8(r, &b));
    if (b == 0) return ts_read_cvaltype(s, r, out);
    if (b != 1) return ts_read_leading(r, b, "component function results");
    TS_TRY(ts_read_u8(r, &b));
    return b == 0 ? TS_OK : ts_read_leading(r, b, "number of results");
}

static ts_status read_functype(ts_scope *s, ts_reader *r, bool is_async, uint64_t off, const ts_cfunc_type **out) {
    ts_cfunc_type *t;
    TS_ALLOC(s->d, t, 1);
    *out = t;
    t->is_async = is_async;
    TS_TRY(ts_read_count_max(r, TS_CT_MAX_PARAMS, "the number of parameters", &t->n_params));
    TS_TRY(read_labelled(s, r, FORM_PARAM, t->n_params, &t->params));
    TS_TRY(ts_read_resultlist(s, r, &t->result));
    if (is_async) TS_TRY(ts_scope_feature(s, r, off, TS_CF_ASYNC, "the async function type"));
    if (t->result && t->result->has_borrow)
        return TS_BAD(s, off, r->section, "function result cannot contain a `borrow` type");
    uint64_t nodes = 1 + (t->result ? t->result->nodes : 0);
    uint16_t depth = t->result ? t->result->depth : 0;
    t->has_handle = t->result && t->result->has_handle;
    for (uint32_t i = 0; i < t->n_params; i++) {
        nodes += t->params[i].type->nodes;
        if (t->params[i].type->depth > depth) depth = t->params[i].type->depth;
        t->has_handle |= t->params[i].type->has_handle;
    }
    t->depth = depth + 1;
    if (t->depth > TS_CT_MAX_DEPTH)
        return TS_BAD(s, off, r->section, "type nesting is too deep: the limit is %d", TS_CT_MAX_DEPTH);
    if (nodes > TS_CT_MAX_NODES)
        return TS_BAD(s, off, r->section, "effective type size exceeds the limit of %d", TS_CT_MAX_NODES);
    t->nodes = (uint32_t)nodes;
    return TS_OK;
}

/* --- declarations of component and instance types ---------------------------------------------- */
static ts_status read_decl(ts_scope *s, ts_reader *r) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    switch (b) {
    case 0: return ts_read_core_type(s, r);
    case 1: return ts_read_type(s, r, NULL);
    case 2: return ts_read_alias(s, r, NULL);
    case 3:
    case 4: {
        if (b == 3 && s->kind == TS_SCOPE_INSTANCE_TYPE) break;
        ts_name_attr na;
        ts_extern_type *t;
        const ts_extern_type *opened;
        const char *name;
        TS_TRY(ts_read_name_attr(s, r, &na));
        TS_TRY(ts_read_externtype(s, r, &t));
        TS_TRY(ts_scope_open(s, na.offset, r->section, t, b == 3, NULL, &opened));
        return ts_scope_add(s, &na, r->section, b == 3, opened, &name);
    }
    default: break;
    }
    return ts_read_leading(r, b, "component or instance type declaration");
}

static ts_status concat_bound(ts_scope *s, const uint32_t **out, uint32_t *n) {
    uint32_t *bound, a = s->bound_imports.len, b = s->bound_exports.len;
    TS_ALLOC(s->d, bound, (size_t)a + b);
    if (a) memcpy(bound, s->bound_imports.data, a * sizeof *bound);
    if (b) memcpy(bound + a, s->bound_exports.data, b * sizeof *bound);
    *out = bound;
    *n = a + b;
    return TS_OK;
}
static ts_status copy_named(ts_dec *d, const ts_named_extern *x, uint32_t n, const ts_named_extern **out) {
    ts_named_extern *p;
    TS_ALLOC(d, p, n);
    if (n) memcpy(p, x, n * sizeof *p);
    *out = p;
    return TS_OK;
}
ts_status ts_scope_component_type(ts_scope *s, uint64_t off, const char *sec, const ts_component_type **out) {
    ts_component_type *t;
    TS_ALLOC(s->d, t, 1);
    t->n_imports = s->imports.len;
    t->n_exports = s->exports.len;
    TS_TRY(copy_named(s->d, s->imports.data, s->imports.len, &t->imports));
    TS_TRY(copy_named(s->d, s->exports.data, s->exports.len, &t->exports));
    TS_TRY(concat_bound(s, &t->bound, &t->n_bound));
    t->n_bound_imports = s->bound_imports.len;
    *out = t;
    return ts_component_type_finish(s->d, off, sec, t);
}

static ts_status read_decls(ts_scope *outer, ts_reader *r, ts_scope_kind kind, uint64_t off, ts_extern_type *t) {
    uint32_t n;
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_DECLS, "the number of declarations", &n));
    if (outer->type_depth >= TS_COMP_MAX_TYPE_NESTING)
        return TS_BAD(outer, off, r->section, "type nesting is too deep: the limit is %d", TS_COMP_MAX_TYPE_NESTING);
    TS_TRY(ts_stack_check(outer->d->err));
    ts_scope s;
    ts_scope_init(&s, kind, outer, outer->d, outer->env);
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        st = read_decl(&s, r);
        if (st == TS_OK) st = ts_scope_limits(&s, off, r->section);
    }
    if (st == TS_OK && kind == TS_SCOPE_COMPONENT_TYPE)
        st = ts_scope_component_type(&s, off, r->section, &t->component);
    if (st == TS_OK && kind == TS_SCOPE_INSTANCE_TYPE) {
        ts_instance_type *it = ts_dec_alloc(s.d, 1, sizeof *it);
        if (!it) st = TS_NOMEM;
        if (st == TS_OK) {
            it->n = s.exports.len;
            st = copy_named(s.d, s.exports.data, s.exports.len, &it->exports);
        }
        if (st == TS_OK) st = concat_bound(&s, &it->bound, &it->n_bound);
        if (st == TS_OK) st = ts_instance_type_finish(s.d, off, r->section, it);
        t->instance = it;
    }
    ts_scope_free(&s);
    return st;
}

/* resourcetype ::= 0x3f t:<core:valtype> f?:<core:funcidx>? */
static ts_status read_resource(ts_scope *s, ts_reader *r, uint64_t off, ts_extern_type *t, ts_def *def) {
    uint8_t rep = 0, has = 0;
    uint32_t f = 0;
    TS_TRY(ts_read_u8(r, &rep));
    TS_TRY(ts_read_u8(r, &has));
    if (has > 1) return ts_read_leading(r, has, "optional destructor");
    if (has) TS_TRY(ts_read_u32(r, &f));
    if (s->kind != TS_SCOPE_COMPONENT)
        return TS_BAD(s, off, r->section, "resources can only be defined within a concrete component");
    if (rep != TS_VT_I32 && !(rep == TS_VT_I64 && (s->d->features & TS_CF_MEMORY64)))
        return TS_BAD(s, off, r->section, "resources can only be represented by `i32`");
    if (has) {
        if (f >= s->core_funcs.len) return ts_unknown(s, off, r->section, "core function", f);
        const ts_deftype *d = ts_types_get(s->d->types, s->core_funcs.data[f]);
        if (d->n_params != 1 || d->params[0] != rep || d->n_results != 0)
            return TS_BAD(s, off, r->section, "core function %u has wrong signature for a destructor", f);
    }
    t->is_resource = true;
    t->rep64 = rep == TS_VT_I64;
    TS_TRY(ts_env_slot(s->d, s->env, true, &t->resource));
    if (def) {
        def->type.is_resource_def = true;
        def->type.slot = t->resource;
        def->type.has_dtor = has;
        def->type.dtor = f;
    }
    return TS_OK;
}

ts_status ts_read_type(ts_scope *s, ts_reader *r, ts_def *def) {
    uint8_t b = 0;
    uint64_t off = ts_reader_offset(r);
    ts_extern_type *t;
    TS_TRY(ts_extern_new(s->d, TS_SORT_TYPE, &t));
    TS_TRY(ts_read_u8(r, &b));
    switch (b) {
    case 0x40:
    case 0x43: TS_TRY(read_functype(s, r, b == 0x43, off, &t->func)); break;
    case 0x41: TS_TRY(read_decls(s, r, TS_SCOPE_COMPONENT_TYPE, off, t)); break;
    case 0x42: TS_TRY(read_decls(s, r, TS_SCOPE_INSTANCE_TYPE, off, t)); break;
    case 0x3f: TS_TRY(read_resource(s, r, off, t, def)); break;
    default: TS_TRY(read_defvaltype(s, r, b, off, &t->type));
    }
    if (def) {
        def->type.type = t->type;
        def->type.ext = t->type || t->is_resource ? NULL : t;
    }
    return ts_scope_push(s, t);
}

/* externtype */
ts_status ts_read_externtype(ts_scope *s, ts_reader *r, ts_extern_type **out) {
    uint8_t b = 0, c = 0;
    uint32_t i = 0;
    uint64_t off = ts_reader_offset(r);
    const char *sec = r->section;
    const ts_extern_type *t = NULL;
    ts_extern_type *x;
    TS_TRY(ts_read_u8(r, &b));
    TS_TRY(ts_extern_new(s->d, TS_SORT_FUNC, &x));
    *out = x;
    switch (b) {
    case 0:
        TS_TRY(ts_read_u8(r, &c));
        if (c != 0x11) return ts_read_leading(r, c, "component external kind");
        TS_TRY(ts_read_u32(r, &i));
        x->sort = TS_SORT_CORE_MODULE;
        if (i >= s->core_types.len) return TS_BAD(s, off, sec, "unknown core type %u: type index out of bounds", i);
        x->module_type = s->core_types.data[i].module;
        return x->module_type ? TS_OK : TS_BAD(s, off, sec, "core type index %u is not a module type", i);
    case 1: TS_TRY(ts_read_u32(r, &i)); return ts_scope_func_type(s, off, sec, i, &x->func);
    case 2:
        TS_TRY(ts_read_u8(r, &c));
        x->sort = TS_SORT_VALUE;
        if (c > 1) return ts_read_leading(r, c, "value bound");
        if (c == 0)
            TS_TRY(ts_read_u32(r, &i));
        else
            TS_TRY(ts_read_cvaltype(s, r, &x->value));
        TS_TRY(ts_scope_feature(s, r, off, TS_CF_VALUES, "the import and export of values"));
        if (c == 0) {
            if (i >= s->values.len) return ts_unknown(s, off, sec, "value", i);
            x->value = s->values.data[i].type;
            x->value_is_eq = true;
            x->value_eq = i;
        }
        return TS_OK;
    case 3:
        TS_TRY(ts_read_u8(r, &c));
        x->sort = TS_SORT_TYPE;
        if (c == 1) {
            x->is_resource = x->resource_is_sub = true;
            return TS_OK; /* ts_scope_open assigns its slot */
        }
        if (c != 0) return ts_read_leading(r, c, "type bound");
        TS_TRY(ts_read_u32(r, &i));
        TS_TRY(ts_scope_type(s, off, sec, i, &t));
        return ts_type_renamed(s->d, t, out);
    case 4:
        TS_TRY(ts_read_u32(r, &i));
        x->sort = TS_SORT_COMPONENT;
        TS_TRY(ts_scope_type(s, off, sec, i, &t));
        x->component = t->component;
        return t->component ? TS_OK : TS_BAD(s, off, sec, "type index %u is not a component type", i);
    case 5:
        TS_TRY(ts_read_u32(r, &i));
        x->sort = TS_SORT_INSTANCE;
        TS_TRY(ts_scope_type(s, off, sec, i, &t));
        x->instance = t->instance;
        return t->instance ? TS_OK : TS_BAD(s, off, sec, "type index %u is not an instance type", i);
    default: return ts_read_leading(r, b, "component external kind");
    }
}

ts_status ts_type_renamed(ts_dec *d, const ts_extern_type *t, ts_extern_type **out) {
    TS_TRY(ts_extern_new(d, TS_SORT_TYPE, out));
    **out = *t;
    (*out)->resource_is_sub = false;
    if (t->type && !ts_ctype_primitive(t->type->kind)) { /* the same type under another name */
        ts_ctype *n;
        TS_ALLOC(d, n, 1);
        *n = *t->type;
        (*out)->type = n;
    }
    return TS_OK;
}

/* --- binds and opening ------------------------------------------------------------------------- */
enum { MAX_PATH = TS_CT_MAX_DEPTH + 2 };
static ts_status collect(ts_dec *d, const ts_extern_type *t, ts_ptrmap *want, const char **path, uint32_t depth,
                         ts_bind_vec *out) {
    if (!ts_extern_has_resource(t)) return TS_OK;
    uintptr_t open;
    if (t->sort == TS_SORT_TYPE) {
        if (!t->is_resource || !ts_ptrmap_get(want, ts_slot_key(t->resource), &open) || !open) return TS_OK;
        if (!ts_ptrmap_put(want, ts_slot_key(t->resource), 0)) return ts_fail_nomem(d->err);
        const char **p;
        TS_ALLOC(d, p, depth);
        if (depth) memcpy(p, path, depth * sizeof *p);
        return ts_vec_push(&out->v, (ts_resource_bind){depth, p, t->resource}) ? TS_OK : ts_fail_nomem(d->err);
    }
    if (t->sort != TS_SORT_INSTANCE || depth + 1 >= MAX_PATH) return TS_OK;
    for (uint32_t i = 0; i < t->instance->n; i++) {
        path[depth] = t->instance->exports[i].name;
        TS_TRY(collect(d, t->instance->exports[i].type, want, path, depth + 1, out));
    }
    return TS_OK;
}
ts_status ts_collect_binds(ts_dec *d, const ts_extern_type *t, ts_ptrmap *want, ts_bind_vec *binds) {
    const char *path[MAX_PATH];
    return collect(d, t, want, path, 0, binds);
}

static ts_status note_bound(ts_scope *s, bool import, uint32_t slot) {
    return import ? TS_PUSH(s, bound_imports, slot) : TS_PUSH(s, bound_exports, slot);
}

ts_status ts_scope_open(ts_scope *s, uint64_t off, const char *sec, const ts_extern_type *t, bool import,
                        ts_bind_vec *binds, const ts_extern_type **out) {
    *out = t;
    s->nodes += ts_extern_nodes(t);
    if (s->nodes > TS_CT_MAX_NODES)
        return TS_BAD(s, off, sec, "effective type size exceeds the limit of %d", TS_CT_MAX_NODES);
    if (t->sort == TS_SORT_TYPE && t->is_resource && t->resource_is_sub) {
        ts_extern_type *n;
        TS_TRY(ts_extern_new(s->d, TS_SORT_TYPE, &n));
        *n = *t;
        TS_TRY(ts_env_slot(s->d, s->env, false, &n->resource));
        TS_TRY(note_bound(s, import, n->resource));
        *out = n;
        if (binds && !ts_vec_push(&binds->v, (ts_resource_bind){0, NULL, n->resource})) return ts_fail_nomem(s->d->err);
        return TS_OK;
    }
    if (t->sort != TS_SORT_INSTANCE || t->instance->n_bound == 0) return TS_OK;
    ts_subst sub = {.d = s->d};
    ts_ptrmap want = {0};
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < t->instance->n_bound; i++) {
        uint32_t slot = 0;
        st = ts_env_slot(s->d, s->env, false, &slot);
        if (st == TS_OK) st = note_bound(s, import, slot);
        if (st == TS_OK && !(ts_ptrmap_put(&sub.slots, ts_slot_key(t->instance->bound[i]), slot) &&
                             ts_ptrmap_put(&want, ts_slot_key(slot), 1)))
            st = ts_fail_nomem(s->d->err);
    }
    ts_extern_type *n = NULL;
    if (st == TS_OK) st = ts_extern_new(s->d, TS_SORT_INSTANCE, &n);
    if (st == TS_OK && !(n->instance = ts_subst_instance(&sub, t->instance, true))) st = s->d->err->status;
    if (st == TS_OK && binds) st = ts_collect_binds(s->d, n, &want, binds);
    ts_subst_free(&sub);
    ts_ptrmap_free(&want);
    *out = n;
    return st;
}

/* --- names of imports and exports -------------------------------------------------------------- */
ts_status ts_read_name_attr(ts_scope *s, ts_reader *r, ts_name_attr *out) {
    uint8_t b = 0;
    memset(out, 0, sizeof *out);
    out->offset = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &b));
    if (b > 2) return ts_read_leading(r, b, "component name");
    TS_TRY(ts_read_item_name(r, &out->name, &out->len));
    if (b < 2) return TS_OK;
    TS_TRY(ts_scope_feature(s, r, out->offset, TS_CF_IMPLEMENTS | TS_CF_CANONICAL_NAMES, "a name with attributes"));
    uint32_t n;
    TS_TRY(ts_read_count(r, &n));
    for (uint32_t i = 0; i < n; i++) {
        uint64_t off = ts_reader_offset(r);
        const char *v;
        uint32_t len;
        bool again;
        TS_TRY(ts_read_u8(r, &b));
        if (b > 2) return ts_read_leading(r, b, "name option");
        TS_TRY(ts_read_item_name(r, &v, &len));
        static const char *const words[] = {"implements", "versionsuffix", "external-id"};
        if (b == 0) {
            again = out->has_implements;
            out->has_implements = true;
            out->implements = v;
            out->implements_len = len;
        } else if (b == 1) {
            TS_TRY(ts_scope_feature(s, r, off, TS_CF_CANONICAL_NAMES, "a version suffix"));
            again = out->has_suffix;
            out->has_suffix = true;
            out->suffix = v;
            out->suffix_len = len;
        } else {
            again = out->has_external_id;
            out->has_external_id = true;
            out->external_id = v;
            out->external_id_len = len;
        }
        if (again) return TS_BAD(s, off, r->section, "duplicate '%s' option in name", words[b]);
    }
    return TS_OK;
}

/* 🔗 Parses a name with a canonversion, which together with its suffix is a semantic version. */
static bool canonical_parse(const ts_name_attr *na, bool nested, ts_extern_name *en, char *buf, size_t size) {
    const char *at = memchr(na->name, '@', na->len);
    if (!at) {
        snprintf(buf, size, "a version suffix needs a version");
        return !na->has_suffix && ts_extern_name_parse(na->name, na->len, nested, en, buf, size);
    }
    size_t base = (size_t)(at - na->name), n = na->len - base - 1;
    if (!ts_extern_name_parse(na->name, base, nested, en, buf, size)) return false;
    if (en->kind != TS_NAME_INTERFACE) {
        snprintf(buf, size, "only interface names have versions");
        return false;
    }
    if (!ts_canonversion_valid(at + 1, n)) {
        snprintf(buf, size, "`%.*s` is no canonical version", (int)(n > 40 ? 40 : n), at + 1);
        return false;
    }
    char version[256];
    if (n + na->suffix_len > sizeof version) {
        snprintf(buf, size, "version too long");
        return false;
    }
    memcpy(version, at + 1, n);
    if (na->suffix_len) memcpy(version + n, na->suffix, na->suffix_len);
    return !na->has_suffix || ts_semver_valid(version, n + na->suffix_len, buf, size);
}

static ts_status check_res_name(ts_scope *s, const ts_name_attr *na, const char *sec, const char *which,
                                const char *name, const ts_ctype *handle, const ts_extern_name *en,
                                const ts_res_names *res) {
    uintptr_t i;
    if (!res || !ts_ptrmap_get(&res->by_alias, handle->alias, &i))
        return TS_BAD(s, na->offset, sec,
                      "%s name `%.120s` is not valid: resource used in function does not have a name in this context",
                      which, name);
    const char *expect = res->names.data[i];
    if (strlen(expect) != en->resource_len || memcmp(expect, en->resource, en->resource_len) != 0)
        return TS_BAD(s, na->offset, sec,
                      "%s name `%.120s` is not valid: function does not match expected resource name `%.100s`", which,
                      name, expect);
    return TS_OK;
}

#define NAME_BAD(...) TS_BAD(s, na->offset, sec, "%s name `%.120s` is not valid: " __VA_ARGS__)
static ts_status check_annotation(ts_scope *s, const ts_name_attr *na, const char *sec, const char *which,
                                  const char *name, const ts_extern_name *en, const ts_extern_type *t,
                                  const ts_res_names *res) {
    if (en->kind == TS_NAME_LABEL || en->kind == TS_NAME_INTERFACE) return TS_OK;
    if (t->sort != TS_SORT_FUNC) return NAME_BAD("%s is not a func", which, name, ts_sort_name(t->sort));
    if (en->kind == TS_NAME_CONSTRUCTOR) {
        const ts_ctype *r = t->func->result;
        if (!r) return NAME_BAD("function should return one value", which, name);
        if (r->kind == TS_CT_RESULT && r->elem) r = r->elem;
        if (r->kind != TS_CT_OWN)
            return NAME_BAD("function should return `(own $T)` or `(result (own $T))`", which, name);
        return check_res_name(s, na, sec, which, name, r, en, res);
    }
    if (en->kind == TS_NAME_METHOD) {
        if (t->func->n_params == 0) return NAME_BAD("function should have at least one argument", which, name);
        if (strcmp(t->func->params[0].name, "self") != 0)
            return NAME_BAD("function should have a first argument called `self`", which, name);
        const ts_ctype *p = t->func->params[0].type;
        if (p->kind != TS_CT_BORROW)
            return NAME_BAD("function should take a first argument of `(borrow $T)`", which, name);
        return check_res_name(s, na, sec, which, name, p, en, res);
    }
    if (!res || !ts_map_get(&res->set, en->resource, en->resource_len, NULL))
        return NAME_BAD("static resource name is not known in this context", which, name);
    return TS_OK;
}

static bool parse_name(const ts_scope *s, const ts_name_attr *na, ts_extern_name *en, char *why, size_t size) {
    bool nested = s->d->features & TS_CF_NESTED_NAMES;
    if (!na->has_suffix && ts_extern_name_parse(na->name, na->len, nested, en, why, size)) return true;
    return (s->d->features & TS_CF_CANONICAL_NAMES) && canonical_parse(na, nested, en, why, size);
}

static ts_status check_name(ts_scope *s, const ts_name_attr *na, const char *sec, const char *which,
                            const ts_extern_type *t, ts_map *keys, uint32_t i, const ts_named_extern *before,
                            const ts_res_names *res, const char **out) {
    char why[300];
    ts_extern_name en;
    const char *name;
    TS_DUP(s->d, name, na->name, na->len);
    *out = name;
    if (!parse_name(s, na, &en, why, sizeof why))
        return TS_BAD(s, na->offset, sec, "%s name `%.120s` is not a valid extern name: %s", which, name, why);
    if (na->has_implements) {
        ts_extern_name in;
        if (t->sort != TS_SORT_INSTANCE) return NAME_BAD("only instances can have an `implements`", which, name);
        if (en.kind != TS_NAME_LABEL)
            return TS_BAD(s, na->offset, sec, "name `%.120s` is not valid with `implements`", name);
        const ts_name_attr bare = {.name = na->implements, .len = na->implements_len};
        if (!parse_name(s, &bare, &in, why, sizeof why))
            return TS_BAD(s, na->offset, sec, "`implements` of `%.120s` is not a valid name: %s", name, why);
        if (in.kind != TS_NAME_INTERFACE)
            return TS_BAD(s, na->offset, sec, "`implements` of `%.120s` must be an interface name", name);
    }
    TS_TRY(check_annotation(s, na, sec, which, name, &en, t, res));
    uint32_t len, prev;
    char *key = ts_extern_name_key(s->d->arena, na->name, na->len, &len);
    if (!key) return ts_fail_nomem(s->d->err);
    if (ts_map_get(keys, key, len, &prev))
        return TS_BAD(s, na->offset, sec, "%s name `%.120s` conflicts with previous name `%.120s`", which, name,
                      before ? before[prev].name : name);
    return ts_map_put(keys, key, len, i, NULL) ? TS_OK : ts_fail_nomem(s->d->err);
}

ts_status ts_check_inline_export_name(ts_scope *s, const ts_name_attr *na, const char *sec, const ts_extern_type *t,
                                      ts_map *keys, uint32_t i) {
    const char *name;
    return check_name(s, na, sec, "export", t, keys, i, NULL, NULL, &name);
}

/* --- external visibility ---
 * spec: Explainer.md#external-visibility-of-types: what an import or export refers to must have a
 * name that was imported or exported before. */
static bool is_named(const ts_scope *s, const void *id, uintptr_t set) {
    uintptr_t v;
    return (ts_ptrmap_get(&s->named, id, &v) && (v & set)) || (ts_ptrmap_get(&s->within, id, &v) && v);
}
/* Returns what gives the type that an import or export introduces its identity, or NULL if it needs
 * no name. */
static const void *named_id(const ts_extern_type *t) {
    return t->is_resource ? (const void *)t : t->type;
}
static bool parts_named(ts_scope *s, const ts_ctype *t, uintptr_t set);
static bool type_named(ts_scope *s, const ts_ctype *t, uintptr_t set) {
    if (!t || ts_ctype_primitive(t->kind)) return true;
    if (s->d->budget == 0) return false;
    s->d->budget--;
    switch (t->kind) {
    case TS_CT_RECORD:
    case TS_CT_VARIANT:
    case TS_CT_FLAGS:
    case TS_CT_ENUM: return is_named(s, t, set);
    default: return parts_named(s, t, set);
    }
}
static bool parts_named(ts_scope *s, const ts_ctype *t, uintptr_t set) {
    if (!t || ts_ctype_primitive(t->kind)) return true;
    if (t->kind == TS_CT_OWN || t->kind == TS_CT_BORROW) return is_named(s, t->alias, set);
    for (uint32_t i = 0; t->cases && i < t->n; i++)
        if (!type_named(s, t->cases[i].type, set)) return false;
    return type_named(s, t->elem, set) && type_named(s, t->elem2, set);
}
static bool func_named(ts_scope *s, const ts_cfunc_type *t, uintptr_t set) {
    for (uint32_t i = 0; i < t->n_params; i++)
        if (!type_named(s, t->params[i].type, set)) return false;
    return type_named(s, t->result, set);
}
/* Checks an instance type, as opposed to an instance: its exports are named for what follows in it,
 * also in types within it. The exports of instances within it are not: the text can be read that way,
 * but wasm-tools does not. */
static bool instance_named(ts_scope *s, const ts_instance_type *t, uintptr_t set, bool *nomem) {
    bool ok = true;
    uint32_t i = 0;
    uintptr_t v;
    for (; ok && i < t->n; i++) {
        const ts_extern_type *x = t->exports[i].type;
        if (x->sort == TS_SORT_VALUE)
            ok = type_named(s, x->value, set);
        else if (x->func)
            ok = func_named(s, x->func, set);
        else if (x->type)
            ok = parts_named(s, x->type, set);
        else if (x->instance)
            ok = instance_named(s, x->instance, set, nomem);
        const void *id = x->sort == TS_SORT_TYPE ? named_id(x) : NULL;
        if (!id) continue;
        if (!ts_ptrmap_get(&s->within, id, &v)) v = 0;
        if (!ts_ptrmap_put(&s->within, id, v + 1)) {
            *nomem = true;
            return false;
        }
    }
    while (i-- > 0) {
        const void *id = t->exports[i].type->sort == TS_SORT_TYPE ? named_id(t->exports[i].type) : NULL;
        /* the entry exists */
        if (id && ts_ptrmap_get(&s->within, id, &v)) (void)ts_ptrmap_put(&s->within, id, v - 1);
    }
    return ok;
}
/* Checks a type and registers the names that the import or export confers. Returns false if it is not
 * visible, or with *nomem set. */
static bool register_named(ts_scope *s, const ts_extern_type *t, bool import, bool *nomem) {
    /* it is checked where it is imported or exported */
    if (s->kind == TS_SCOPE_INSTANCE_TYPE) return true;
    uintptr_t set = import ? TS_NAMED_IMPORT : TS_NAMED_EXPORT, v = 0;
    switch (t->sort) {
    case TS_SORT_TYPE: {
        if (t->type && !parts_named(s, t->type, set)) return false;
        if (t->func && !func_named(s, t->func, set)) return false;
        if (t->instance && !instance_named(s, t->instance, set, nomem)) return false;
        const void *id = named_id(t);
        if (!id) return true;
        (void)ts_ptrmap_get(&s->named, id, &v);
        if (!ts_ptrmap_put(&s->named, id, v | TS_NAMED_EXPORT | set)) *nomem = true;
        return !*nomem;
    }
    case TS_SORT_INSTANCE:
        for (uint32_t i = 0; i < t->instance->n; i++) {
            if (s->d->budget == 0) return false;
            s->d->budget--;
            if (!register_named(s, t->instance->exports[i].type, import, nomem)) return false;
        }
        return true;
    case TS_SORT_FUNC: return func_named(s, t->func, set);
    case TS_SORT_VALUE: return type_named(s, t->value, set);
    default: return true; /* components and modules have no free names */
    }
}

static ts_status keep_attributes(ts_scope *s, ts_name_attr *na) {
    if (!na->has_implements && !na->has_suffix && !na->has_external_id) return TS_OK;
    ts_name_attributes *a;
    TS_ALLOC(s->d, a, 1);
    na->kept = a;
    if (na->has_implements) TS_DUP(s->d, a->implements, na->implements, na->implements_len);
    if (na->has_suffix) TS_DUP(s->d, a->version_suffix, na->suffix, na->suffix_len);
    if (na->has_external_id) TS_DUP(s->d, a->external_id, na->external_id, na->external_id_len);
    return TS_OK;
}

ts_status ts_scope_add(ts_scope *s, ts_name_attr *na, const char *sec, bool import, const ts_extern_type *t,
                       const char **name) {
    ts_res_names *res = import ? &s->import_res : &s->export_res;
    const char *which = import ? "import" : "export";
    bool nomem = false;
    if (s->kind == TS_SCOPE_COMPONENT && !import)
        s->nodes += ts_extern_nodes(t); /* the others were counted when they were opened */
    if (s->nodes > TS_CT_MAX_NODES)
        return TS_BAD(s, na->offset, sec, "effective type size exceeds the limit of %d", TS_CT_MAX_NODES);
    if (t->sort == TS_SORT_VALUE && !import && t->value->has_borrow)
        return TS_BAD(s, na->offset, sec, "an exported value cannot contain a `borrow` type");
    TS_TRY(check_name(s, na, sec, which, t, import ? &s->import_keys : &s->export_keys,
                      import ? s->imports.len : s->exports.len, import ? s->imports.data : s->exports.data, res, name));
    if (!register_named(s, t, import, &nomem))
        return nomem ? ts_fail_nomem(s->d->err)
                     : TS_BAD(s, na->offset, sec, "%s not valid to be used as %s", ts_sort_name(t->sort), which);
    if (t->sort == TS_SORT_TYPE && t->is_resource) {
        if (!ts_vec_push(&res->names, *name) || !ts_ptrmap_put(&res->by_alias, t, res->names.len - 1) ||
            !ts_map_put(&res->set, *name, na->len, 0, NULL))
            return ts_fail_nomem(s->d->err);
    }
    TS_TRY(keep_attributes(s, na));
    ts_named_extern x = {*name, na->len, t, na->kept};
    if (import)
        TS_TRY(TS_PUSH(s, imports, x));
    else
        TS_TRY(TS_PUSH(s, exports, x));
    return ts_scope_push(s, t);
}
