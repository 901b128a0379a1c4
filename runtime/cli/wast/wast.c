/* wast: the runner of official scripts that `wasm-tools json-from-wast` has converted to JSON.
 * In: the JSON and the binaries beside it. Out: pass, fail, skip or unsupported for each command. Phases
 * (malformed, invalid, unlinkable, trap, exhaustion, exception) are compared exactly, traps by kind.
 * spec: the reference interpreter's README, "Scripts" */
#include "cli/wast/wast.h"
#include "base/quantity.h"
#include "base/vec.h"
#include "cli/confine.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/wast/json.h"
#include "cli/wast/wast_component.h"
#include "core/run/gc.h"
#include "core/run/store.h"
#include "core/run/text.h"
#include "core/load/load.h"
#include "sys/timer.h"
#include "sys/descriptors.h"
#include "sys/input.h"
#include <string.h>

enum { WAST_FAILED = 1 }; /* the exit status if a command of the script fails */
typedef enum verdict { PASS, FAIL, SKIP, UNSUPPORTED } verdict;
static const char *const verdict_names[] = {"pass", "fail", "skip", "unsupported"};

/* What a name in the script refers to: a module, or a component if `component` is set. */
typedef struct binding {
    const char *name;
    size_t len;
    ts_instance *inst;
    ts_module *module;
    bool component;
    ts_component *comp;
    ts_cinstance *cinst;
    bool unsupported; /* not instantiated, because it uses something that is not implemented */
} binding;
typedef TS_VEC(binding) bindings;

typedef struct spectest_item {
    const char *name;
    ts_extern x;
} spectest_item;

typedef struct wast {
    const char *path, *results_path, *source;
    bool verbose, strict_messages;
    double timeout; /* in seconds; 0: none */
    ts_timer *timer;
    uint32_t timed_out; /* atomic */
    uint32_t gc_stress, features;
    ts_store_limits limits;
    char *dir;
    ts_arena arena;
    ts_engine *engine;
    ts_tier tier;
    ts_store *store;
    ts_wast_components *components; /* created with the first component */
    bindings instances, registered, definitions;
    binding current, last_definition;
    TS_VEC(spectest_item) spectest;
    TS_VEC(ts_module *) modules;
    ts_cli_out results;
    uint32_t counts[4];
    ts_error err;
    char message[700];
} wast;

static verdict say(wast *w, verdict v, const char *fmt, ...) TS_PRINTF(3, 4);
static verdict say(wast *w, verdict v, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->message, sizeof w->message, fmt, ap);
    va_end(ap);
    return v;
}

/* --- files --- */
enum { FILE_MOST = 256 << 20 }; /* the official scripts and their modules have less than 10 MB */

static uint8_t *read_file(const char *path, size_t *len, ts_sys_err *why) {
    ts_sys_input in;
    if ((*why = ts_sys_input_open(path, FILE_MOST, &in))) return NULL;
    uint8_t *buf = malloc(in.len + 1);
    if (!buf) *why = TS_SYS_ENOMEM;
    if (buf && in.len) memcpy(buf, in.bytes, in.len);
    *len = in.len;
    ts_sys_input_close(&in);
    return buf;
}

static uint8_t *read_beside(wast *w, const char *name, size_t *len, ts_sys_err *why) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s%s", w->dir, name);
    *why = TS_SYS_ENAMETOOLONG;
    return n > 0 && (size_t)n < sizeof path ? read_file(path, len, why) : NULL;
}

/* Reads the binary of a command: its file or, for a text module, the binary that the converter or the caller
 * left. */
static uint8_t *read_module(wast *w, const ts_json *cmd, size_t *len, verdict *v) {
    const char *file = ts_json_get_str(cmd, "filename"), *type = ts_json_get_str(cmd, "module_type");
    const char *binary = ts_json_get_str(cmd, "binary_filename");
    char stem[1024];
    if (!file) {
        *v = say(w, FAIL, "the command names no file");
        return NULL;
    }
    bool text = type && strcmp(type, "text") == 0;
    if (text) {
        const char *dot = strrchr(file, '.');
        snprintf(stem, sizeof stem, "%.*s.wasm", dot ? (int)(dot - file) : (int)strlen(file), file);
        file = binary ? binary : stem;
    }
    ts_sys_err why;
    uint8_t *bytes = read_beside(w, file, len, &why);
    if (!bytes && text && why == TS_SYS_ENOENT)
        *v = say(w, SKIP, "text format");
    else if (!bytes)
        *v = say(w, FAIL, "cannot read %s: %s", file, ts_sys_err_text(why));
    return bytes;
}

/* The layer field of the preamble distinguishes components from modules. spec: component-model Binary.md */
static bool is_component(const uint8_t *b, size_t len) {
    return len >= 8 && memcmp(b, "\0asm", 4) == 0 && b[6] == 1 && b[7] == 0;
}

/* --- bindings --- */
static binding *find_binding(bindings *v, const char *name, size_t len) {
    for (uint32_t i = v->len; i-- > 0;)
        if (v->data[i].len == len && memcmp(v->data[i].name, name, len) == 0) return &v->data[i];
    return NULL;
}

static binding *lookup(wast *w, const ts_json *name) {
    if (!name) return &w->current;
    return find_binding(&w->instances, name->str, name->len);
}

static bool bind(bindings *v, const ts_json *name, binding b) {
    if (!name) return true;
    b.name = name->str;
    b.len = name->len;
    return ts_vec_push(v, b);
}

/* --- the module `spectest` --- */
static ts_status spectest_print(void *data, ts_exec *x, ts_slot *io) {
    (void)data, (void)x, (void)io;
    return TS_OK;
}

static ts_status spectest_func(wast *w, const char *name, const ts_valtype *params, uint32_t n) {
    ts_extern x = {.kind = TS_EXTERN_FUNC};
    uint32_t type;
    TS_TRY(ts_types_func(ts_engine_types(w->engine), params, n, NULL, 0, &type, &w->err));
    TS_TRY(ts_func_make_host(w->store, type, spectest_print, NULL, name, &x.func, &w->err));
    return ts_vec_push(&w->spectest, (spectest_item){name, x}) ? TS_OK : ts_fail_nomem(&w->err);
}

static ts_status spectest_global(wast *w, const char *name, ts_valtype t, uint64_t bits) {
    ts_extern x = {.kind = TS_EXTERN_GLOBAL};
    ts_slot v[2] = {bits, 0};
    TS_TRY(ts_global_make(w->store, &(ts_global_type){t, false}, v, &x.global, &w->err));
    return ts_vec_push(&w->spectest, (spectest_item){name, x}) ? TS_OK : ts_fail_nomem(&w->err);
}

static ts_status spectest_table(wast *w, const char *name, bool is64) {
    ts_extern x = {.kind = TS_EXTERN_TABLE};
    ts_table_type t = {TS_VT_FUNCREF, {.min = 10, .max = 20, .has_max = true, .is64 = is64}};
    TS_TRY(ts_table_make(w->store, &t, 0, &x.table, &w->err));
    return ts_vec_push(&w->spectest, (spectest_item){name, x}) ? TS_OK : ts_fail_nomem(&w->err);
}

static ts_status spectest_memory(wast *w, const char *name, bool shared) {
    ts_extern x = {.kind = TS_EXTERN_MEM};
    ts_limits t = {.min = 1, .max = 2, .has_max = true, .shared = shared, .page_log2 = 16};
    TS_TRY(ts_memory_make(w->store, &t, &x.mem, &w->err));
    return ts_vec_push(&w->spectest, (spectest_item){name, x}) ? TS_OK : ts_fail_nomem(&w->err);
}

static ts_status make_spectest(wast *w) {
    static const ts_valtype i32[] = {TS_VT_I32}, i64[] = {TS_VT_I64}, f32[] = {TS_VT_F32},
                            f64[] = {TS_VT_F64, TS_VT_F64}, i32_f32[] = {TS_VT_I32, TS_VT_F32};
    TS_TRY(spectest_func(w, "print", NULL, 0));
    TS_TRY(spectest_func(w, "print_i32", i32, 1));
    TS_TRY(spectest_func(w, "print_i64", i64, 1));
    TS_TRY(spectest_func(w, "print_f32", f32, 1));
    TS_TRY(spectest_func(w, "print_f64", f64, 1));
    TS_TRY(spectest_func(w, "print_i32_f32", i32_f32, 2));
    TS_TRY(spectest_func(w, "print_f64_f64", f64, 2));
    TS_TRY(spectest_global(w, "global_i32", TS_VT_I32, 666));
    TS_TRY(spectest_global(w, "global_i64", TS_VT_I64, 666));
    TS_TRY(spectest_global(w, "global_f32", TS_VT_F32, 0x4426a666));
    TS_TRY(spectest_global(w, "global_f64", TS_VT_F64, 0x4084d4cccccccccd));
    TS_TRY(spectest_table(w, "table", false));
    TS_TRY(spectest_table(w, "table64", true));
    TS_TRY(spectest_memory(w, "memory", false));
    if (w->features & TS_F_THREADS) TS_TRY(spectest_memory(w, "shared_memory", true));
    return TS_OK;
}

/* --- loading and instantiating --- */
static ts_status load(wast *w, const uint8_t *bytes, size_t len, ts_module **out) {
    TS_TRY(ts_module_new(w->engine, bytes, len, true, out, &w->err));
    if (ts_vec_push(&w->modules, *out)) return TS_OK;
    ts_module_free(*out);
    return ts_fail_nomem(&w->err);
}

static bool resolve(wast *w, const ts_import *want, ts_extern *x) {
    const binding *b = find_binding(&w->registered, want->module, want->module_len);
    if (b) return b->inst && ts_instance_export(b->inst, want->name, want->name_len, x);
    if (want->module_len != 8 || memcmp(want->module, "spectest", 8) != 0) return false;
    for (uint32_t i = 0; i < w->spectest.len; i++)
        if (strlen(w->spectest.data[i].name) == want->name_len &&
            memcmp(w->spectest.data[i].name, want->name, want->name_len) == 0) {
            *x = w->spectest.data[i].x;
            return true;
        }
    return false;
}

static ts_status instantiate(wast *w, ts_module *m, const char *name, ts_instance **out) {
    *out = NULL;
    ts_extern *imports = calloc(m->n_imports ? m->n_imports : 1, sizeof *imports);
    if (!imports) return ts_fail_nomem(&w->err);
    ts_status st = TS_OK;
    for (uint32_t i = 0; i < m->n_imports && st == TS_OK; i++)
        if (!resolve(w, &m->imports[i], &imports[i]))
            st = ts_fail(&w->err, TS_UNLINKABLE, "unknown import \"%.100s\" \"%.100s\"", m->imports[i].module,
                         m->imports[i].name);
    if (st == TS_OK) st = ts_instantiate(w->store, m, imports, name, out, &w->err);
    free(imports);
    return st;
}

/* --- values --- */
static unsigned lane_bytes(const char *t) {
    return strcmp(t, "i8") == 0 ? 1 : strcmp(t, "i16") == 0 ? 2 : *t && t[1] == '3' ? 4 : 8;
}

/* Returns the top of a reference type's hierarchy by its name in the script (TS_HT_ANY, …), or 0 for other
 * names. */
static uint32_t top_named(const char *type) {
    static const struct {
        const char *name;
        uint32_t top;
    } rows[] = {{"anyref", TS_HT_ANY},           {"eqref", TS_HT_ANY},        {"i31ref", TS_HT_ANY},
                {"structref", TS_HT_ANY},        {"arrayref", TS_HT_ANY},     {"nullref", TS_HT_ANY},
                {"funcref", TS_HT_FUNC},         {"nullfuncref", TS_HT_FUNC}, {"externref", TS_HT_EXTERN},
                {"nullexternref", TS_HT_EXTERN}, {"exnref", TS_HT_EXN},       {"nullexnref", TS_HT_EXN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(type, rows[i].name) == 0) return rows[i].top;
    return 0;
}

static bool parse_value(const wast *w, const ts_json *v, ts_valtype want, ts_slot out[2]) {
    const char *type = ts_json_get_str(v, "type"), *value = ts_json_get_str(v, "value");
    out[0] = out[1] = 0;
    if (!type) return false;
    if (strcmp(type, "i32") == 0 || strcmp(type, "f32") == 0) {
        out[0] = value ? (uint32_t)ts_json_bits(value) : 0;
        return want == (type[0] == 'i' ? (uint32_t)TS_VT_I32 : (uint32_t)TS_VT_F32) && value;
    }
    if (strcmp(type, "i64") == 0 || strcmp(type, "f64") == 0) {
        out[0] = value ? ts_json_bits(value) : 0;
        return want == (type[0] == 'i' ? (uint32_t)TS_VT_I64 : (uint32_t)TS_VT_F64) && value;
    }
    if (strcmp(type, "v128") == 0) {
        const char *lane = ts_json_get_str(v, "lane_type");
        const ts_json *lanes = ts_json_get(v, "value");
        if (want != TS_VT_V128 || !lane || !lanes) return false;
        unsigned n = lane_bytes(lane), at = 0;
        for (const ts_json *x = lanes->child; x && at < 16; x = x->next, at += n) {
            uint64_t b = x->str ? ts_json_bits(x->str) : 0;
            memcpy((uint8_t *)out + at, &b, n);
        }
        return at == 16;
    }
    if (!ts_vt_is_ref(want)) return false;
    /* A reference fits if its hierarchy is that of the parameter: a hierarchy has one null. externref N, and
     * anyref N for (ref.host N), have the same representation inside and outside. */
    const uint32_t top = ts_ht_top(ts_engine_types(w->engine), ts_vt_heap(want));
    const bool is_null = !value || strcmp(value, "null") == 0;
    if (strcmp(type, "refnull") != 0 && top_named(type) != top) return false;
    if (is_null) return ts_vt_kind(want) == TS_VT_REFNULL;
    out[0] = ts_ref_host(ts_json_bits(value));
    return ts_vt_heap(want) == TS_HT_ANY || ts_vt_heap(want) == TS_HT_EXTERN;
}

static bool match_bits(const char *expected, uint64_t have, unsigned bytes) {
    uint64_t quiet = bytes == 4 ? 0x7fc00000u : 0x7ff8000000000000u, sign = bytes == 4 ? 0x80000000u : 1ull << 63;
    if (strcmp(expected, "nan:canonical") == 0) return (have & ~sign) == quiet;
    if (strcmp(expected, "nan:arithmetic") == 0) return (have & quiet) == quiet;
    uint64_t mask = bytes == 8 ? UINT64_MAX : (1ull << bytes * 8) - 1;
    return ((ts_json_bits(expected) ^ have) & mask) == 0;
}

static bool match_ref(const wast *w, const char *type, const char *value, ts_valtype t, ts_slot have) {
    if (!ts_vt_is_ref(t)) return false;
    if (strcmp(type, "refnull") == 0 || strncmp(type, "null", 4) == 0)
        return have == 0; /* nullref, nullfuncref and so on */
    if (value && strcmp(value, "null") == 0) return have == 0;
    if (have == 0) return false;
    if (value) return have == ts_ref_host(ts_json_bits(value));
    static const struct {
        const char *name;
        uint32_t heap;
    } refs[] = {{"eqref", TS_HT_EQ},   {"i31ref", TS_HT_I31},   {"structref", TS_HT_STRUCT}, {"arrayref", TS_HT_ARRAY},
                {"anyref", TS_HT_ANY}, {"funcref", TS_HT_FUNC}, {"externref", TS_HT_EXTERN}, {"exnref", TS_HT_EXN}};
    const ts_type_registry *r = ts_engine_types(w->engine);
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
        if (strcmp(type, refs[i].name) != 0) continue;
        /* the static type gives the hierarchy, the value gives the rest */
        uint32_t top = i < 5 ? TS_HT_ANY : refs[i].heap;
        return ts_match_heap(r, ts_vt_heap(t), top) && ts_ref_test_heap(w->store, have, refs[i].heap);
    }
    return false;
}

static bool match_value(const wast *w, const ts_json *expected, ts_valtype t, const ts_slot have[2]) {
    const char *type = ts_json_get_str(expected, "type"), *value = ts_json_get_str(expected, "value");
    if (!type) return false;
    if (strcmp(type, "either") == 0) {
        const ts_json *any = ts_json_get(expected, "values");
        for (const ts_json *x = any ? any->child : NULL; x; x = x->next)
            if (match_value(w, x, t, have)) return true;
        return false;
    }
    if (strcmp(type, "v128") == 0) {
        const char *lane = ts_json_get_str(expected, "lane_type");
        const ts_json *lanes = ts_json_get(expected, "value");
        if (t != TS_VT_V128 || !lane || !lanes) return false;
        unsigned n = lane_bytes(lane), at = 0;
        for (const ts_json *x = lanes->child; x && at < 16; x = x->next, at += n) {
            uint64_t b = 0;
            memcpy(&b, (const uint8_t *)have + at, n);
            if (!x->str || !match_bits(x->str, b, n)) return false;
        }
        return at == 16;
    }
    if (strcmp(type, "i32") == 0) return t == TS_VT_I32 && value && match_bits(value, have[0], 4) && have[0] >> 32 == 0;
    if (strcmp(type, "f32") == 0) return t == TS_VT_F32 && value && match_bits(value, have[0], 4);
    if (strcmp(type, "i64") == 0) return t == TS_VT_I64 && value && match_bits(value, have[0], 8);
    if (strcmp(type, "f64") == 0) return t == TS_VT_F64 && value && match_bits(value, have[0], 8);
    return match_ref(w, type, value, t, have[0]);
}

static void show_expected(const ts_json *v, char *buf, size_t size) {
    const char *type = ts_json_get_str(v, "type"), *value = ts_json_get_str(v, "value");
    size_t n = (size_t)snprintf(buf, size, "%s", type ? type : "?");
    if (value && n < size) snprintf(buf + n, size - n, ":%s", value);
    const ts_json *many = ts_json_get(v, "value");
    if (!many || many->kind != TS_JSON_ARRAY) many = ts_json_get(v, "values");
    for (const ts_json *x = many && many->kind == TS_JSON_ARRAY ? many->child : NULL; x && n < size; x = x->next)
        n += (size_t)snprintf(buf + n, size - n, " %s",
                              x->str                        ? x->str
                              : ts_json_get_str(x, "value") ? ts_json_get_str(x, "value")
                                                            : "?");
}

/* --- actions --- */
typedef struct outcome {
    ts_status status;
    const ts_valtype *types;
    ts_valtype global_type; /* the type of a `get`; `types` points here */
    uint32_t n;
    ts_slot *slots; /* owned by the outcome */
} outcome;

/* Runs an action. Returns false if it could not be attempted; *v says why. */
static bool act(wast *w, const ts_json *action, outcome *o, verdict *v) {
    const char *type = ts_json_get_str(action, "type");
    const ts_json *field = ts_json_get_text(action, "field"), *name = ts_json_get_text(action, "module");
    memset(o, 0, sizeof *o);
    const binding *b = lookup(w, name);
    if (b && b->unsupported) return *v = say(w, UNSUPPORTED, "its instance could not be made"), false;
    if (!b || !b->inst)
        return *v = say(w, FAIL, "there is no instance%s%s", name ? " " : "", name ? name->str : ""), false;
    if (!type || !field) return *v = say(w, FAIL, "an action without type or field"), false;
    ts_extern x;
    if (!ts_instance_export(b->inst, field->str, field->len, &x))
        return *v = say(w, FAIL, "no export \"%s\"", field->str), false;
    if (strcmp(type, "get") == 0) {
        if (x.kind != TS_EXTERN_GLOBAL) return *v = say(w, FAIL, "\"%s\" is no global", field->str), false;
        o->slots = malloc(2 * sizeof(ts_slot));
        if (!o->slots) return *v = say(w, FAIL, "out of memory"), false;
        memcpy(o->slots, x.global->v, sizeof x.global->v);
        o->global_type = x.global->type.type;
        o->types = &o->global_type;
        o->n = 1;
        return true;
    }
    if (strcmp(type, "invoke") != 0) return *v = say(w, UNSUPPORTED, "actions of type %s", type), false;
    if (x.kind != TS_EXTERN_FUNC) return *v = say(w, FAIL, "\"%s\" is no function", field->str), false;
    const ts_deftype *d = x.func->def;
    const ts_json *args = ts_json_get(action, "args");
    if (ts_json_count(args) != d->n_params)
        return *v = say(w, FAIL, "\"%s\" takes %u arguments", field->str, d->n_params), false;
    uint32_t slots = d->param_slots > d->result_slots ? d->param_slots : d->result_slots;
    o->slots = calloc((size_t)slots + 2, sizeof(ts_slot));
    if (!o->slots) return *v = say(w, FAIL, "out of memory"), false;
    uint32_t at = 0, i = 0;
    for (const ts_json *a = args ? args->child : NULL; a; a = a->next, i++) {
        ts_slot arg[2];
        if (!parse_value(w, a, d->params[i], arg))
            return *v = say(w, FAIL, "argument %u does not fit \"%s\"", i, field->str), false;
        memcpy(o->slots + at, arg, ts_vt_slots(d->params[i]) * sizeof *arg);
        at += ts_vt_slots(d->params[i]);
    }
    o->status = ts_call(w->store, x.func, o->slots, &w->err);
    o->types = d->results;
    o->n = d->n_results;
    return true;
}

static verdict check_results(wast *w, const ts_json *expected, const outcome *o) {
    if (ts_json_count(expected) != o->n) return say(w, FAIL, "%u results, %u expected", o->n, ts_json_count(expected));
    const ts_slot *at = o->slots;
    uint32_t i = 0;
    for (const ts_json *x = expected ? expected->child : NULL; x; x = x->next, i++) {
        ts_slot have[2] = {at[0], o->types[i] == TS_VT_V128 ? at[1] : 0};
        if (!match_value(w, x, o->types[i], have)) {
            char want[300], name[48], text[TS_SLOT_TEXT];
            show_expected(x, want, sizeof want);
            return say(w, FAIL, "result %u: got %s %s, expected %s", i, ts_vt_name(o->types[i], name),
                       ts_slot_print(w->store, o->types[i], have, text), want);
        }
        at += ts_vt_slots(o->types[i]);
    }
    return PASS;
}

/* --- what failures are expected --- */
static bool prefix(const char *text, const char *of) { /* ASCII letters, compared without case */
    for (; *text; text++, of++) {
        int a = *text >= 'A' && *text <= 'Z' ? *text + 32 : *text, b = *of >= 'A' && *of <= 'Z' ? *of + 32 : *of;
        if (a != b) return false;
    }
    return true;
}
static bool like(const char *a, const char *b) {
    return prefix(a, b) || prefix(b, a);
}

/* Matches a trap to the script's text. Some texts of the scripts stand for several kinds of trap. */
static bool trap_matches(const ts_error *e, const char *text) {
    static const struct {
        const char *text;
        ts_trap_kind kinds[3];
    } rows[] = {
        {"unreachable", {TS_TRAP_UNREACHABLE}},
        {"out of bounds memory access", {TS_TRAP_MEMORY_OOB}},
        {"out of bounds table access", {TS_TRAP_TABLE_OOB}},
        {"out of bounds array access", {TS_TRAP_ARRAY_OOB}},
        {"out of bounds", {TS_TRAP_MEMORY_OOB, TS_TRAP_TABLE_OOB, TS_TRAP_ARRAY_OOB}},
        {"integer overflow", {TS_TRAP_INT_OVERFLOW}},
        {"integer divide by zero", {TS_TRAP_INT_DIV_ZERO}},
        {"invalid conversion to integer", {TS_TRAP_BAD_CONVERSION}},
        {"indirect call", {TS_TRAP_INDIRECT_TYPE}},
        {"uninitialized element", {TS_TRAP_UNINIT_ELEM}},
        {"undefined element", {TS_TRAP_UNDEFINED_ELEM, TS_TRAP_TABLE_OOB}},
        {"undefined", {TS_TRAP_UNDEFINED_ELEM, TS_TRAP_TABLE_OOB}},
        {"null ", {TS_TRAP_NULL_REF}},
        {"cast failure", {TS_TRAP_CAST}},
        {"call stack exhausted", {TS_TRAP_STACK}},
        {"unhandled exception", {TS_TRAP_EXCEPTION}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!prefix(rows[i].text, text)) continue;
        for (int k = 0; k < 3; k++)
            if (rows[i].kinds[k] && rows[i].kinds[k] == e->trap) return true;
        return false;
    }
    return like(text, e->message);
}

static verdict expect_failure(wast *w, ts_status want, ts_status have, const char *text) {
    if (have == TS_UNSUPPORTED) return say(w, UNSUPPORTED, "%s", w->err.message);
    if (have == TS_OK) return say(w, FAIL, "succeeded, expected %s: %s", ts_status_name(want), text ? text : "");
    if (have != want)
        return say(w, FAIL, "%s: %s; expected %s: %s", ts_status_name(have), w->err.message, ts_status_name(want),
                   text ? text : "");
    if (!text) return PASS;
    if (want == TS_TRAP) {
        if (trap_matches(&w->err, text)) return PASS;
        return say(w, FAIL, "trap %s: %s; expected: %s", ts_trap_kind_name(w->err.trap), w->err.message, text);
    }
    if (like(text, w->err.message)) return PASS;
    return say(w, w->strict_messages ? FAIL : PASS, "words differ: \"%s\"; the script has \"%s\"", w->err.message,
               text);
}

/* --- commands --- */
static verdict unexpected(wast *w, ts_status st) {
    if (st == TS_UNSUPPORTED) return say(w, UNSUPPORTED, "%s", w->err.message);
    return say(w, FAIL, "%s: %s", ts_status_name(st), w->err.message);
}

/* Decodes the binary of a command, or sets the verdict. For a component, b->component is set. */
static bool load_command(wast *w, const ts_json *cmd, binding *b, ts_status *st, verdict *v) {
    size_t len;
    memset(b, 0, sizeof *b);
    uint8_t *bytes = read_module(w, cmd, &len, v);
    if (!bytes) return false;
    if (is_component(bytes, len)) {
        b->component = true;
        *st = w->components ? TS_OK : ts_wast_components_new(w->engine, &w->limits, &w->components, &w->err);
        if (*st == TS_OK) *st = ts_wast_component_load(w->components, bytes, len, &b->comp, &w->err);
    } else {
        *st = load(w, bytes, len, &b->module);
    }
    free(bytes);
    return true;
}

static ts_status instantiate_binding(wast *w, binding *b, const ts_json *name) {
    ts_status st = b->component ? ts_wast_component_instantiate(w->components, b->comp, &b->cinst, &w->err)
                                : instantiate(w, b->module, name ? name->str : NULL, &b->inst);
    b->unsupported = st == TS_UNSUPPORTED;
    return st;
}

static verdict cmd_module(wast *w, const ts_json *cmd) {
    binding b;
    ts_status st;
    verdict v = PASS;
    memset(&w->current, 0, sizeof w->current); /* the previous module must not stay current */
    if (!load_command(w, cmd, &b, &st, &v)) return v;
    const ts_json *name = ts_json_get_text(cmd, "name");
    if (st == TS_OK) st = instantiate_binding(w, &b, name);
    w->current = b;
    if (!bind(&w->instances, name, b)) return say(w, FAIL, "out of memory");
    return st == TS_OK ? PASS : unexpected(w, st);
}

static verdict cmd_module_definition(wast *w, const ts_json *cmd) {
    binding b;
    ts_status st;
    verdict v = PASS;
    memset(&w->last_definition, 0, sizeof w->last_definition);
    if (!load_command(w, cmd, &b, &st, &v)) return v;
    w->last_definition = b;
    if (!bind(&w->definitions, ts_json_get_text(cmd, "name"), b)) return say(w, FAIL, "out of memory");
    return st == TS_OK ? PASS : unexpected(w, st);
}

static verdict cmd_module_instance(wast *w, const ts_json *cmd) {
    const ts_json *of = ts_json_get_text(cmd, "module"), *name = ts_json_get_text(cmd, "instance");
    const binding *d = of ? find_binding(&w->definitions, of->str, of->len) : &w->last_definition;
    memset(&w->current, 0, sizeof w->current);
    if (!d || (!d->module && !d->comp))
        return say(w, FAIL, "there is no module definition%s%s", of ? " " : "", of ? of->str : "");
    binding b = *d;
    ts_status st = instantiate_binding(w, &b, name);
    w->current = b;
    if (!bind(&w->instances, name, b)) return say(w, FAIL, "out of memory");
    return st == TS_OK ? PASS : unexpected(w, st);
}

static verdict cmd_register(wast *w, const ts_json *cmd) {
    const binding *b = lookup(w, ts_json_get_text(cmd, "name"));
    const ts_json *as = ts_json_get_text(cmd, "as");
    if (b && b->cinst && as) {
        ts_status st = ts_wast_component_register(w->components, as->str, b->cinst, &w->err);
        return st == TS_OK ? PASS : unexpected(w, st);
    }
    if (!b || !b->inst || !as) return say(w, FAIL, "there is no instance to register");
    return bind(&w->registered, as, *b) ? PASS : say(w, FAIL, "out of memory");
}

/* The same for the exports of a component. */
static verdict cmd_component_action(wast *w, const ts_json *cmd, const char *type, ts_cinstance *i) {
    const char *text = ts_json_get_str(cmd, "text"), *have, *want;
    const ts_json *expected = strcmp(type, "assert_return") == 0 ? ts_json_get(cmd, "expected") : NULL;
    ts_status st =
        ts_wast_component_invoke(w->components, i, ts_json_get(cmd, "action"), expected, &have, &want, &w->err);
    if (strcmp(type, "assert_trap") == 0) {
        if (st == TS_TRAP && text && ts_wast_component_trap_matches(&w->err, text)) return PASS;
        return expect_failure(w, TS_TRAP, st, text);
    }
    if (strcmp(type, "assert_exhaustion") == 0) return expect_failure(w, TS_EXHAUSTION, st, NULL);
    if (strcmp(type, "assert_exception") == 0) return expect_failure(w, TS_EXCEPTION, st, NULL);
    if (st != TS_OK) return unexpected(w, st);
    return !expected || strcmp(have, want) == 0 ? PASS : say(w, FAIL, "got %.300s, expected %.300s", have, want);
}

static verdict cmd_action(wast *w, const ts_json *cmd, const char *type) {
    const binding *of = lookup(w, ts_json_get_text(ts_json_get(cmd, "action"), "module"));
    if (of && of->cinst) return cmd_component_action(w, cmd, type, of->cinst);
    outcome o;
    verdict v = PASS;
    const char *text = ts_json_get_str(cmd, "text");
    if (act(w, ts_json_get(cmd, "action"), &o, &v)) {
        if (strcmp(type, "assert_trap") == 0)
            v = expect_failure(w, TS_TRAP, o.status, text);
        else if (strcmp(type, "assert_exhaustion") == 0)
            v = expect_failure(w, TS_EXHAUSTION, o.status, NULL);
        else if (strcmp(type, "assert_exception") == 0)
            v = expect_failure(w, TS_EXCEPTION, o.status, NULL);
        else if (o.status != TS_OK)
            v = unexpected(w, o.status);
        else if (strcmp(type, "assert_return") == 0)
            v = check_results(w, ts_json_get(cmd, "expected"), &o);
    }
    free(o.slots);
    return v;
}

static verdict cmd_assert_module(wast *w, const ts_json *cmd, const char *type) {
    binding b;
    ts_status st;
    verdict v = PASS;
    const char *text = ts_json_get_str(cmd, "text"), *format = ts_json_get_str(cmd, "module_type");
    bool malformed = strncmp(type, "assert_malformed", 16) == 0;
    /* The text must be rejected. A binary beside it would prove nothing about the text. */
    if (malformed && format && strcmp(format, "text") == 0) return say(w, SKIP, "text format");
    if (!load_command(w, cmd, &b, &st, &v)) return v;
    if (malformed) return expect_failure(w, TS_MALFORMED, st, text);
    if (strncmp(type, "assert_invalid", 14) == 0) return expect_failure(w, TS_INVALID, st, text);
    if (st == TS_OK) st = instantiate_binding(w, &b, NULL);
    if (strcmp(type, "assert_unlinkable") == 0) return expect_failure(w, TS_UNLINKABLE, st, text);
    return expect_failure(w, st == TS_EXHAUSTION || st == TS_EXCEPTION ? st : TS_TRAP, st, text);
}

static verdict run_command(wast *w, const ts_json *cmd, const char *type) {
    static const struct {
        const char *type;
        verdict (*run)(wast *, const ts_json *);
    } plain[] = {{"module", cmd_module},
                 {"module_definition", cmd_module_definition},
                 {"module_instance", cmd_module_instance},
                 {"register", cmd_register}};
    static const char *const actions[] = {"action", "assert_return", "assert_trap", "assert_exhaustion",
                                          "assert_exception"};
    static const char *const modules[] = {"assert_malformed",      "assert_invalid",    "assert_malformed_custom",
                                          "assert_invalid_custom", "assert_unlinkable", "assert_uninstantiable"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(type, plain[i].type) == 0) return plain[i].run(w, cmd);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(type, actions[i]) == 0) return cmd_action(w, cmd, type);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (strcmp(type, modules[i]) == 0) return cmd_assert_module(w, cmd, type);
    return say(w, UNSUPPORTED, "commands of type %s", type);
}

static void record(wast *w, uint32_t index, uint32_t line, const char *type, verdict v) {
    w->counts[v]++;
    if (v == FAIL || (w->verbose && v != PASS))
        printf("%s:%u: %s: %s: %s\n", w->source, line, type, verdict_names[v], w->message);
    FILE *f = w->results.f;
    if (!f) return;
    fprintf(f, "{\"index\":%u,\"line\":%u,\"type\":", index, line);
    ts_json_write_str(f, type, strlen(type));
    fprintf(f, ",\"status\":\"%s\",\"message\":", verdict_names[v]);
    ts_json_write_str(f, w->message, strlen(w->message));
    fprintf(f, "}\n");
}

static void time_is_up(void *data) {
    wast *w = data;
    __atomic_store_n(&w->timed_out, 1, __ATOMIC_RELEASE);
    ts_store_interrupt(w->store);
}

/* Returns the number of a line, or 0 if it is not one. */
static uint32_t line_number(const ts_json *line) {
    return line && line->number >= 0 && line->number <= UINT32_MAX ? (uint32_t)line->number : 0;
}

static ts_status run_script(wast *w, const ts_json *root) {
    const ts_json *commands = ts_json_get(root, "commands");
    w->source = ts_json_get_str(root, "source_filename");
    if (!w->source) w->source = w->path;
    if (!commands || commands->kind != TS_JSON_ARRAY) return ts_fail(&w->err, TS_MALFORMED, "there are no commands");
    TS_TRY(ts_engine_create(&w->engine, &w->err));
    ts_engine_set_features(w->engine, w->features);
    ts_engine_set_tier(w->engine, w->tier);
    TS_TRY(ts_store_create(w->engine, &w->limits, &w->store, &w->err));
    ts_gc_set_stress(w->store->gc, w->gc_stress);
    TS_TRY(make_spectest(w));
    if (w->timeout > 0 && !(w->timer = ts_timer_start(w->timeout, time_is_up, w))) return ts_fail_nomem(&w->err);
    uint32_t index = 0;
    for (const ts_json *c = commands->child; c; c = c->next, index++) {
        const char *type = ts_json_get_str(c, "type");
        w->message[0] = 0;
        ts_error_init(&w->err);
        if (!type) type = "?";
        bool late = __atomic_load_n(&w->timed_out, __ATOMIC_ACQUIRE) != 0;
        verdict v = late ? say(w, SKIP, "after the time limit") : run_command(w, c, type);
        if (!late && w->err.status == TS_INTERRUPTED)
            v = say(w, FAIL, "the time limit of %g s for the script was reached", w->timeout);
        record(w, index, line_number(ts_json_get(c, "line")), type, v);
    }
    return TS_OK;
}

static void end(wast *w) {
    ts_timer_stop(w->timer);
    ts_wast_components_free(w->components);
    ts_store_destroy(w->store);
    for (uint32_t i = 0; i < w->modules.len; i++) ts_module_free(w->modules.data[i]);
    ts_engine_destroy(w->engine);
    ts_vec_free(&w->modules);
    ts_vec_free(&w->instances);
    ts_vec_free(&w->registered);
    ts_vec_free(&w->definitions);
    ts_vec_free(&w->spectest);
    ts_arena_free(&w->arena);
    free(w->dir);
}

static ts_status parse_features(const char *list, uint32_t *out, ts_error *e) {
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {{"threads", TS_F_THREADS},
                 {"custom-page-sizes", TS_F_CUSTOM_PAGE_SIZES},
                 {"wide-arithmetic", TS_F_WIDE_ARITHMETIC},
                 {"custom-descriptors", TS_F_CUSTOM_DESCRIPTORS},
                 {"legacy-exceptions", TS_F_LEGACY_EXCEPTIONS}};
    for (const char *at = list;; at++) {
        size_t n = strcspn(at, ",");
        bool known = false;
        ts_nearest near = ts_nearest_to(at, n);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strlen(names[i].name) == n && memcmp(names[i].name, at, n) == 0) *out |= names[i].bit, known = true;
            ts_nearest_see(&near, names[i].name);
        }
        if (!n) return ts_fail(e, TS_USAGE, "there is an empty word in the list");
        if (!known)
            return ts_fail(e, TS_USAGE, "there is no feature `%.*s`%s%s", (int)(n > 60 ? 60 : n), at,
                           near.best ? "; did you mean " : "", near.best ? near.best : "");
        at += n;
        if (!*at) return TS_OK;
    }
}

/* Sets an option that has a value. Messages do not repeat the option and the value. */
static ts_status set(wast *w, const char *option, const char *value, ts_error *e) {
    uint64_t n = 0;
    if (!*value) return ts_fail(e, TS_USAGE, "the value is empty");
    if (strcmp(option, "--features") == 0) return parse_features(value, &w->features, e);
    if (strcmp(option, "--results") == 0) {
        w->results_path = value;
    } else if (strcmp(option, "--engine") == 0) {
        if (!ts_tier_named(value, &w->tier))
            return ts_fail(e, TS_USAGE, "interpreter, compiled, compiled-at-once or compiled-mixed is expected");
    } else if (strcmp(option, "--timeout") == 0) {
        TS_TRY(ts_quantity_parse(value, TS_QUANTITY_TIME, &n, e));
        w->timeout = (double)n / 1e9;
        w->limits.interruptible = true;
    } else {
        TS_TRY(ts_quantity_parse(value, TS_QUANTITY_PLAIN, &n, e));
        if (n > UINT32_MAX) return ts_fail(e, TS_USAGE, "out of range: at most %u", UINT32_MAX);
        w->gc_stress = (uint32_t)n;
    }
    return TS_OK;
}
static bool has_value(const char *option) {
    static const char *const options[] = {"--results", "--timeout", "--gc-stress", "--features", "--engine"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(option, options[i]) == 0) return true;
    return false;
}

/* TS_USAGE without a message means that the usage line explains it. */
static ts_status parse_args(wast *w, int argc, char **argv) {
    const struct {
        const char *name;
        bool *target;
    } flags[] = {{"-v", &w->verbose},
                 {"--messages", &w->strict_messages},
                 {"--checked", &w->limits.explicit_checks},
                 {"--deterministic", &w->limits.deterministic},
                 {"--interruptible", &w->limits.interruptible}};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        bool *flag = NULL;
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if (strcmp(a, flags[k].name) == 0) flag = flags[k].target;
        if (flag) {
            *flag = true;
        } else if (has_value(a) && i + 1 < argc) {
            ts_error why;
            ts_error_init(&why);
            ts_status s = set(w, a, argv[++i], &why);
            if (s != TS_OK) return ts_fail(&w->err, s, "%s%s%.200s: %s", a, *argv[i] ? " " : "", argv[i], why.message);
        } else if (!*a || a[0] == '-' || w->path) {
            return TS_USAGE;
        } else {
            w->path = a;
        }
    }
    return w->path ? TS_OK : TS_USAGE;
}

/* A script as it is written, not yet converted, begins with a parenthesis or a comment. */
static bool is_text_format(const uint8_t *text, size_t len) {
    size_t i = 0;
    while (i < len && memchr(" \t\r\n", text[i], 4)) i++;
    return i < len && (text[i] == '(' || text[i] == ';');
}
#define CONVERT                                                                                                        \
    ": this is a script's text; wasm-tools json-from-wast SCRIPT.wast --wasm-dir DIR -o DIR/SCRIPT.json converts it"

int ts_cli_wast(int argc, char **argv) {
    wast w = {.features = TS_F_WASM3};
    ts_error_init(&w.err);
    ts_arena_init(&w.arena);
    if (parse_args(&w, argc, argv) != TS_OK) {
        if (w.err.status != TS_OK) {
            fprintf(stderr, "touchstone: usage: %s\n", w.err.message);
            return TS_CLI_USAGE;
        }
        fprintf(stderr,
                "usage: touchstone wast SCRIPT.json [--results FILE] [-v] [--messages] [--features LIST] [--checked]\n"
                "                       [--deterministic] [--interruptible] [--timeout S] [--gc-stress N]\n"
                "                       [--engine interpreter|compiled|compiled-at-once|compiled-mixed]\n");
        return TS_CLI_USAGE;
    }
    int status = TS_CLI_IO;
    size_t len = 0;
    const char *slash = strrchr(w.path, '/');
    ts_sys_err why;
    uint8_t *text = read_file(w.path, &len, &why);
    w.dir = strndup(w.path, slash ? (size_t)(slash - w.path) + 1 : 0);
    const ts_json *root = NULL;
    if (!text || !w.dir) {
        fprintf(stderr, "touchstone: io-error: cannot read %s: %s\n", w.path,
                ts_sys_err_text(text ? TS_SYS_ENOMEM : why));
        goto out;
    }
    if (w.results_path && ts_cli_out_open(&w.results, "the results", w.results_path, "w", &w.err) != TS_OK) {
        fprintf(stderr, "touchstone: %s\n", w.err.message);
        goto out;
    }
    if (ts_cli_confine_reader(*w.dir ? w.dir : ".", true, &w.err) != TS_OK) {
        fprintf(stderr, "touchstone: %s\n", w.err.message);
        status = ts_cli_status(&w.err);
        goto out;
    }
    if (ts_json_parse(&w.arena, (const char *)text, len, &root, &w.err) != TS_OK || run_script(&w, root) != TS_OK) {
        fprintf(stderr, "touchstone: %s: %s%s\n", w.path, w.err.message, is_text_format(text, len) ? CONVERT : "");
        goto out;
    }
    printf("%u passed, %u failed, %u skipped, %u unsupported\n", w.counts[PASS], w.counts[FAIL], w.counts[SKIP],
           w.counts[UNSUPPORTED]);
    status = w.counts[FAIL] ? WAST_FAILED : w.counts[UNSUPPORTED] ? TS_CLI_UNSUPPORTED : 0;
out:
    if (!ts_cli_out_close(&w.results)) status = TS_CLI_IO;
    ts_error_init(&w.err);
    if (ts_cli_flush(&w.err) != TS_OK) {
        fprintf(stderr, "touchstone: io-error: %s\n", w.err.message);
        status = TS_CLI_IO;
    }
    free(text);
    end(&w);
    return status;
}
