/* core_subtype: matching of the types of core modules and of what they import and export; printing of core
 * function types.
 * In: two types, and the registry of core types. Out: whether one matches the other, with the reason if it
 * does not.
 * spec: core valid/matching; Subtyping.md */
#include "component/binary/validate.h"
#include <stdio.h>

void ts_core_func_print(const ts_type_registry *types, uint32_t id, char *buf, size_t size) {
    const ts_deftype *d = ts_types_get(types, id);
    char name[48];
    size_t at = 0;
#define PUT(...) (at += at < size ? (size_t)snprintf(buf + at, size - at, __VA_ARGS__) : 0)
    PUT("(func");
    for (uint32_t i = 0; i < d->n_params && at < size; i++)
        PUT("%s%s", i ? " " : " (param ", ts_vt_name(d->params[i], name));
    if (d->n_params) PUT(")");
    for (uint32_t i = 0; i < d->n_results && at < size; i++)
        PUT("%s%s", i ? " " : " (result ", ts_vt_name(d->results[i], name));
    if (d->n_results) PUT(")");
    PUT(")");
#undef PUT
}

/* spec: valid/matching#match-limits */
static bool limits_match(const ts_limits *h, const ts_limits *w) {
    return h->min >= w->min && (!w->has_max || (h->has_max && h->max <= w->max));
}
static bool mismatch(char *buf, size_t size, const char *fmt, ...) TS_PRINTF(3, 4);
static bool mismatch(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (size) vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return false;
}

bool ts_core_extern_matches(const ts_type_registry *types, const ts_core_extern_type *have,
                            const ts_core_extern_type *want, char *buf, size_t size) {
    char a[48], b[48];
    if (have->kind != want->kind)
        return mismatch(buf, size, "expected %s, found %s", ts_extern_kind_name(want->kind),
                        ts_extern_kind_name(have->kind));
    switch (have->kind) {
    case TS_EXTERN_FUNC: {
        if (ts_match_def(types, have->type, want->type)) return true;
        char x[160], y[160];
        ts_core_func_print(types, want->type, x, sizeof x);
        ts_core_func_print(types, have->type, y, sizeof y);
        return mismatch(buf, size, "type mismatch, expected: %s, found: %s", x, y);
    }
    case TS_EXTERN_TABLE: /* element types must match in both directions */
        if (!ts_match_val(types, have->table.elem, want->table.elem) ||
            !ts_match_val(types, want->table.elem, have->table.elem))
            return mismatch(buf, size, "expected table element type %s, found %s", ts_vt_name(want->table.elem, a),
                            ts_vt_name(have->table.elem, b));
        if (have->table.limits.is64 != want->table.limits.is64)
            return mismatch(buf, size, "mismatch in index type used for tables");
        if (have->table.limits.shared != want->table.limits.shared)
            return mismatch(buf, size, "mismatch in the shared flag for tables");
        return limits_match(&have->table.limits, &want->table.limits) ||
               mismatch(buf, size, "mismatch in table limits");
    case TS_EXTERN_MEM:
        if (have->mem.shared != want->mem.shared)
            return mismatch(buf, size, "mismatch in the shared flag for memories");
        if (have->mem.is64 != want->mem.is64) return mismatch(buf, size, "mismatch in index type used for memories");
        if (have->mem.page_log2 != want->mem.page_log2)
            return mismatch(buf, size, "mismatch in custom page size for memories");
        return limits_match(&have->mem, &want->mem) || mismatch(buf, size, "mismatch in memory limits");
    case TS_EXTERN_GLOBAL:
        if (have->global.mut != want->global.mut) return mismatch(buf, size, "global types differ in mutability");
        if (ts_match_val(types, have->global.type, want->global.type) &&
            (!have->global.mut || ts_match_val(types, want->global.type, have->global.type)))
            return true;
        return mismatch(buf, size, "expected global type %s, found %s", ts_vt_name(want->global.type, a),
                        ts_vt_name(have->global.type, b));
    case TS_EXTERN_TAG:
        return (ts_match_def(types, have->type, want->type) && ts_match_def(types, want->type, have->type)) ||
               mismatch(buf, size, "type mismatch in the type of a tag");
    }
    return false;
}

bool ts_core_module_type_matches(const ts_type_registry *types, const ts_core_module_type *have,
                                 const ts_core_module_type *want, char *buf, size_t size) {
    char in[300] = "";
    for (uint32_t i = 0; i < have->n_imports; i++) {
        const ts_core_import_type *h = &have->imports[i];
        uint32_t k = ts_names_find(&want->import_index, want->imports, want->n_imports, ts_core_import_at,
                                   ts_core_import_at(have->imports, i));
        if (k == UINT32_MAX) return mismatch(buf, size, "missing expected import `%.80s::%.80s`", h->module, h->name);
        if (!ts_core_extern_matches(types, &want->imports[k].type, &h->type, in, sizeof in))
            return mismatch(buf, size, "type mismatch in import `%.80s::%.80s`: %s", h->module, h->name, in);
    }
    for (uint32_t i = 0; i < want->n_exports; i++) {
        const ts_core_export_type *w = &want->exports[i], *h = ts_core_type_find_export(have, w->name, w->name_len);
        if (!h) return mismatch(buf, size, "missing expected export `%.100s`", w->name);
        if (!ts_core_extern_matches(types, &h->type, &w->type, in, sizeof in))
            return mismatch(buf, size, "type mismatch in export `%.100s`: %s", w->name, in);
    }
    return true;
}
