/* wast_component: see wast_component.h. Converts values of scripts to component values by the type of the
 * called function. */
#define _GNU_SOURCE
#include "cli/wast/wast_component.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "component/run/linker.h"
#include "component/type/wave.h"
#include <string.h>

struct ts_wast_components {
    ts_engine *engine;
    ts_cstore *store;
    ts_linker *linker;
    ts_arena arena; /* holds the values until the script ends */
    TS_VEC(ts_component *) components;
};

ts_status ts_wast_components_new(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_wast_components **out,
                                 ts_error *e) {
    ts_wast_components *w = calloc(1, sizeof *w);
    if (!w) return ts_fail_nomem(e);
    w->engine = engine;
    ts_arena_init(&w->arena);
    ts_status st = ts_cstore_create(engine, limits, &w->store, e);
    if (st == TS_OK) st = ts_linker_create(&w->linker, e);
    if (st != TS_OK) {
        ts_wast_components_free(w);
        return st;
    }
    *out = w;
    return TS_OK;
}
void ts_wast_components_free(ts_wast_components *w) {
    if (!w) return;
    ts_cstore_destroy(w->store);
    ts_linker_destroy(w->linker);
    for (uint32_t i = 0; i < w->components.len; i++) ts_component_free(w->components.data[i]);
    ts_vec_free(&w->components);
    ts_arena_free(&w->arena);
    free(w);
}

ts_status ts_wast_component_load(ts_wast_components *w, const uint8_t *bytes, size_t len, ts_component **out,
                                 ts_error *e) {
    /* The core types of the component model have shared memories, whichever features core modules may use. */
    const uint32_t features = ts_engine_features(w->engine);
    ts_engine_set_features(w->engine, features | TS_F_THREADS);
    ts_status st = ts_component_new(w->engine, bytes, len, true, TS_CF_ALL, out, e);
    ts_engine_set_features(w->engine, features);
    TS_TRY(st);
    if (ts_vec_push(&w->components, *out)) return TS_OK;
    ts_component_free(*out);
    return ts_fail_nomem(e);
}
ts_status ts_wast_component_instantiate(ts_wast_components *w, ts_component *c, ts_cinstance **out, ts_error *e) {
    return ts_component_instantiate(w->store, w->linker, c, out, e);
}
ts_status ts_wast_component_register(ts_wast_components *w, const char *name, ts_cinstance *i, ts_error *e) {
    return ts_linker_add_instance(w->linker, name, i, e);
}

/* --- values --- */

static ts_status misfit(const ts_ctype *t, ts_error *e) {
    char b[160];
    return ts_fail(e, TS_USAGE, "the script's value is not of type %s", ts_ctype_print(t, NULL, b, sizeof b));
}
static bool find_case(const ts_ctype *t, const char *name, uint32_t *i) {
    for (*i = 0; name && *i < t->n; ++*i) {
        if (strcmp(t->cases[*i].name, name) == 0) return true;
    }
    return false;
}

static ts_status from_json(ts_arena *a, const ts_ctype *t, const ts_json *j, ts_val *v, ts_error *e);

static ts_status payload_from(ts_arena *a, const ts_ctype *t, const ts_json *j, ts_val *v, ts_error *e) {
    if (!t) return TS_OK;
    ts_val *p = ts_arena_alloc(a, sizeof *p);
    if (!p) return ts_fail_nomem(e);
    v->variant.payload = p;
    return from_json(a, t, j, p, e);
}

static ts_status list_from(ts_arena *a, const ts_ctype *t, const ts_json *j, ts_val *v, ts_error *e) {
    uint32_t n = ts_json_count(j), i = 0;
    const ts_ctype *elem = t->elem;
    bool raw = t->kind != TS_CT_MAP && ts_ct_is_raw_elem(elem->kind);
    size_t size = raw ? elem->size : sizeof(ts_val);
    uint8_t *out = ts_arena_array(a, n, size);
    ts_ctype *pair = ts_arena_alloc(a, sizeof *pair);
    ts_ct_case *kv = ts_arena_array(a, 2, sizeof *kv);
    if (!out || !pair || !kv) return ts_fail_nomem(e);
    if (t->kind == TS_CT_MAP) {
        kv[0].type = t->elem2;
        kv[1].type = t->elem;
        *pair = (ts_ctype){.kind = TS_CT_TUPLE, .n = 2, .cases = kv};
        elem = pair;
    }
    for (const ts_json *x = j->child; x; x = x->next, i++) {
        ts_val one;
        TS_TRY(from_json(a, elem, x, &one, e));
        memcpy(out + i * size, &one, size);
    }
    if (t->kind == TS_CT_FIXED_LIST && n != t->n) return misfit(t, e);
    v->raw.ptr = out;
    v->raw.len = n;
    return TS_OK;
}

static ts_status from_json(ts_arena *a, const ts_ctype *t, const ts_json *j, ts_val *v, ts_error *e) {
    memset(v, 0, sizeof *v);
    const char *type = ts_json_get_str(j, "type");
    const ts_json *value = ts_json_get(j, "value");
    uint32_t i;
    if (!type) return misfit(t, e);
    const char *name = ts_ct_kind_name(t->kind);
    if (t->kind != TS_CT_MAP && t->kind != TS_CT_FIXED_LIST && strcmp(type, name) != 0) return misfit(t, e);
    switch (t->kind) {
    case TS_CT_BOOL:
        if (!value) return misfit(t, e);
        v->b = value->boolean;
        return TS_OK;
    case TS_CT_S8:
    case TS_CT_U8:
    case TS_CT_S16:
    case TS_CT_U16:
    case TS_CT_S32:
    case TS_CT_U32:
    case TS_CT_S64:
    case TS_CT_U64:
    case TS_CT_F32:
    case TS_CT_F64:
        if (!value || value->kind != TS_JSON_STRING) return misfit(t, e);
        if (strncmp(value->str, "nan:", 4) == 0) {
            if (t->kind == TS_CT_F32)
                v->f32 = __builtin_nanf("");
            else
                v->f64 = __builtin_nan("");
        } else {
            v->u64 = ts_json_bits(value->str); /* the script writes floats as their bits */
        }
        return TS_OK;
    case TS_CT_CHAR:
        if (!value || value->kind != TS_JSON_STRING || !value->len) return misfit(t, e);
        ts_utf8_decode((const uint8_t *)value->str, &v->ch);
        return TS_OK;
    case TS_CT_STRING:
        if (!value || value->kind != TS_JSON_STRING) return misfit(t, e);
        v->str.ptr = value->str;
        v->str.len = value->len;
        return TS_OK;
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return value ? list_from(a, t, value, v, e) : misfit(t, e);
    case TS_CT_TUPLE:
    case TS_CT_RECORD: {
        if (!value || ts_json_count(value) != t->n) return misfit(t, e);
        ts_val *f = ts_arena_array(a, t->n, sizeof *f);
        if (!f) return ts_fail_nomem(e);
        i = 0;
        for (const ts_json *x = value->child; x; x = x->next, i++) {
            const ts_json *field = x;
            if (t->kind == TS_CT_RECORD) {
                if (!x->child || !x->child->str || strcmp(x->child->str, t->cases[i].name) != 0) return misfit(t, e);
                field = x->child->next;
            }
            TS_TRY(from_json(a, t->cases[i].type, field, &f[i], e));
        }
        v->list.ptr = f;
        v->list.len = t->n;
        return TS_OK;
    }
    case TS_CT_VARIANT:
        if (!value || !find_case(t, ts_json_get_str(value, "case"), &i)) return misfit(t, e);
        v->variant.disc = i;
        return payload_from(a, t->cases[i].type, ts_json_get(value, "payload"), v, e);
    case TS_CT_ENUM:
        if (!value || value->kind != TS_JSON_STRING || !find_case(t, value->str, &i)) return misfit(t, e);
        v->variant.disc = i;
        return TS_OK;
    case TS_CT_OPTION:
        v->variant.disc = value && value->kind != TS_JSON_NULL;
        return v->variant.disc ? payload_from(a, t->elem, value, v, e) : TS_OK;
    case TS_CT_RESULT: {
        const ts_json *ok = ts_json_get(value, "Ok"), *err = ts_json_get(value, "Err");
        if (!ok && !err) return misfit(t, e);
        v->variant.disc = err != NULL;
        return payload_from(a, err ? t->elem2 : t->elem, err ? err : ok, v, e);
    }
    case TS_CT_FLAGS:
        if (!value) return misfit(t, e);
        for (const ts_json *x = value->child; x; x = x->next) {
            if (!find_case(t, x->str, &i)) return misfit(t, e);
            v->flags.bits |= 1u << i;
        }
        return TS_OK;
    default: return ts_fail(e, TS_UNSUPPORTED, "values of type %s in scripts", name);
    }
}

static ts_status text_of(ts_arena *a, const ts_ctype *t, const ts_val *v, const char **out, ts_error *e) {
    size_t n = ts_wave_print(t, v, NULL, 0, 0);
    char *s = ts_arena_alloc(a, n + 1);
    if (!s) return ts_fail_nomem(e);
    ts_wave_print(t, v, s, n + 1, 0);
    *out = s;
    return TS_OK;
}

ts_status ts_wast_component_invoke(ts_wast_components *w, ts_cinstance *i, const ts_json *action, const ts_json *want,
                                   const char **result, const char **expected, ts_error *e) {
    const char *field = ts_json_get_str(action, "field");
    const ts_json *args = ts_json_get(action, "args");
    *result = *expected = "";
    ts_cfunc *f = field ? ts_cinstance_func(i, NULL, field) : NULL;
    if (!f) return ts_fail(e, TS_USAGE, "there is no export %s", field ? field : "");
    const ts_cfunc_type *t = ts_cfunc_get_type(f);
    if (ts_json_count(args) != t->n_params) return ts_fail(e, TS_USAGE, "%s takes %u arguments", field, t->n_params);
    ts_val *vals = ts_arena_array(&w->arena, t->n_params, sizeof *vals), out;
    if (!vals) return ts_fail_nomem(e);
    memset(&out, 0, sizeof out);
    uint32_t k = 0;
    for (const ts_json *x = args ? args->child : NULL; x; x = x->next, k++)
        TS_TRY(from_json(&w->arena, t->params[k].type, x, &vals[k], e));
    TS_TRY(ts_canon_call(w->store, f, vals, &out, &w->arena, e));
    if (t->result) TS_TRY(text_of(&w->arena, t->result, &out, result, e));
    if (!want) return TS_OK;
    if (ts_json_count(want) != (t->result ? 1u : 0u))
        return ts_fail(e, TS_USAGE, "%s gives %u results, the script expects %u", field, t->result ? 1 : 0,
                       ts_json_count(want));
    if (!t->result) return TS_OK;
    ts_val v;
    TS_TRY(from_json(&w->arena, t->result, want->child, &v, e));
    return text_of(&w->arena, t->result, &v, expected, e);
}

/* Each row lists words for the same rule. */
bool ts_wast_component_trap_matches(const ts_error *e, const char *text) {
    static const char *const rows[][5] = {
        {"out-of-bounds", "out of bounds", "beyond end of memory"},
        {"unaligned", "not aligned"},
        {"utf-8", "utf8"},
        {"utf-16", "surrogate"},
        {"discriminant"},
        {"`char`"},
        {"cannot leave component"},
        {"cannot enter component"},
        {"unknown handle index", "unknown table index"},
        {"while borrowed", "num_lends"},
        {"borrow handles still remain", "borrow"},
        {"wrong type"},
        {"too large", "too long"},
    };
    if (strncmp(text, "wasm trap: ", 11) == 0) text += 11;
    if (strcasestr(e->message, text)) return true;
    if (e->trap == TS_TRAP_UNREACHABLE) return strstr(text, "`unreachable`") != NULL;
    if (e->trap != TS_TRAP_CABI && e->trap != TS_TRAP_HOST) return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool in_text = false, in_message = false;
        for (size_t k = 0; k < 5 && rows[i][k]; k++) {
            in_text |= strcasestr(text, rows[i][k]) != NULL;
            in_message |= strcasestr(e->message, rows[i][k]) != NULL;
        }
        if (in_text) return in_message;
    }
    return false;
}
