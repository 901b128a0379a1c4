/* validate_canon: canonical definitions: lift, lower, resource and concurrency built-ins, their
 * options.
 * In: the bytes of one definition. Out: a core function or a component function in the index spaces.
 * spec: Binary.md#canonical-definitions; CanonicalABI.md#canonical-definitions, #canonopt-validation,
 * #flattening */
#include "component/binary/validate.h"
#include <stdio.h>
#include <string.h>

enum { MAX_FLAT_PARAMS = 16, MAX_FLAT_ASYNC_PARAMS = 4, MAX_FLAT_RESULTS = 1 };

/* --- core function types ----------------------------------------------------------------------- */
typedef struct flat_func {
    ts_valtype params[20], results[17];
    uint32_t n_params, n_results;
} flat_func;

static ts_status core_func(ts_scope *s, const flat_func *f, uint32_t *id) {
    return ts_types_func(s->d->types, f->params, f->n_params, f->results, f->n_results, id, s->d->err);
}
static bool is_sig(ts_scope *s, uint32_t id, const flat_func *f) {
    const ts_deftype *d = ts_types_get(s->d->types, id);
    return d->n_params == f->n_params && d->n_results == f->n_results &&
           (!f->n_params || memcmp(d->params, f->params, f->n_params * sizeof *f->params) == 0) &&
           (!f->n_results || memcmp(d->results, f->results, f->n_results * sizeof *f->results) == 0);
}
/* "iiI": i32, i32, i64 */
static flat_func sig(const char *params, const char *results) {
    flat_func f = {0};
    for (; *params; params++) f.params[f.n_params++] = *params == 'I' ? TS_VT_I64 : TS_VT_I32;
    for (; *results; results++) f.results[f.n_results++] = *results == 'I' ? TS_VT_I64 : TS_VT_I32;
    return f;
}

/* Flattens several types. Returns 17 for more than 16 values. */
static uint32_t flatten_types(const ts_ct_case *c, uint32_t n, bool wide, ts_valtype out[16]) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const ts_ctype *t = c[i].type;
        if (t->n_flat > 16 || at + t->n_flat > 16) return TS_CT_FLAT_MAX;
        for (uint32_t k = 0; k < t->n_flat; k++) out[at++] = wide ? t->flat64[k] : t->flat[k];
    }
    return at;
}

/* cabi: flatten_functype. Also reports whether spilled parameters or results need `memory` or
 * `realloc`. */
typedef struct flat_needs {
    bool params_spill, results_spill;
} flat_needs;
static flat_needs flatten_functype(const ts_cfunc_type *t, const ts_canon_opts *o, bool lift, flat_func *f) {
    flat_needs need = {0};
    const ts_valtype ptr = o->wide ? TS_VT_I64 : TS_VT_I32;
    ts_ct_case result = {NULL, t->result};
    memset(f, 0, sizeof *f);
    f->n_params = flatten_types(t->params, t->n_params, o->wide, f->params);
    f->n_results = flatten_types(&result, t->result ? 1 : 0, o->wide, f->results);
    uint32_t max_params = o->is_async && !lift ? MAX_FLAT_ASYNC_PARAMS : MAX_FLAT_PARAMS;
    if (f->n_params > max_params) {
        need.params_spill = true;
        f->n_params = 1;
        f->params[0] = ptr;
    }
    if (!o->is_async) {
        if (f->n_results > MAX_FLAT_RESULTS) {
            need.results_spill = true;
            f->n_results = lift;
            f->results[0] = ptr;
            if (!lift) f->params[f->n_params++] = ptr;
        }
    } else if (lift) {
        need.results_spill = f->n_results > MAX_FLAT_PARAMS;
        f->n_results = o->has_callback;
        f->results[0] = TS_VT_I32;
    } else {
        if (f->n_results > 0) {
            need.results_spill = true;
            f->params[f->n_params++] = ptr;
        }
        f->n_results = 1;
        f->results[0] = TS_VT_I32;
    }
    return need;
}

/* --- options ----------------------------------------------------------------------------------- */
typedef enum opts_for { FOR_LIFT, FOR_LOWER, FOR_TASK_RETURN, FOR_COPY, FOR_ERROR_CONTEXT } opts_for;
typedef struct opts_in {
    ts_reader at;
    uint32_t n;
    uint64_t off;
} opts_in; /* read once for their form, then again for the rules */

static ts_status skip_opts(ts_reader *r, opts_in *in) {
    uint8_t b = 0;
    uint32_t i;
    in->off = ts_reader_offset(r);
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_OPTIONS, "the number of canonical options", &in->n));
    in->at = *r;
    for (uint32_t k = 0; k < in->n; k++) {
        TS_TRY(ts_read_u8(r, &b));
        if (b > 7) return ts_read_leading(r, b, "canonical option");
        if (b == 7 || (b >= 3 && b <= 5)) TS_TRY(ts_read_u32(r, &i));
    }
    return TS_OK;
}

#define OPT_BAD(...) TS_BAD(s, in->off, sec, "canonical option " __VA_ARGS__)
static ts_status check_opts(ts_scope *s, opts_in *in, const char *sec, opts_for use, bool sync_type, ts_canon_opts *o) {
    static const char *const enc[] = {"utf8", "utf16", "latin1-utf16"};
    bool has_enc = false;
    memset(o, 0, sizeof *o);
    ts_reader *r = &in->at;
    for (uint32_t k = 0; k < in->n; k++) {
        uint8_t b = 0;
        uint32_t i = 0;
        TS_TRY(ts_read_u8(r, &b));
        if (b == 7 || (b >= 3 && b <= 5)) TS_TRY(ts_read_u32(r, &i));
        if ((b == 4 || b == 5 || b == 7) && i >= s->core_funcs.len)
            return ts_unknown(s, in->off, sec, "core function", i);
        switch (b) {
        case 0:
        case 1:
        case 2:
            if (has_enc)
                return TS_BAD(s, in->off, sec, "canonical encoding option `%s` conflicts with option `%s`",
                              enc[o->encoding], enc[b]);
            has_enc = true;
            o->encoding = (ts_string_encoding)b;
            break;
        case 3:
            if (o->has_memory) return OPT_BAD("`memory` is specified more than once");
            if (i >= s->mems.len) return ts_unknown(s, in->off, sec, "core memory", i);
            o->wide = s->mems.data[i].is64;
            if (o->wide && !(s->d->features & TS_CF_MEMORY64)) /* 🐘 */
                return OPT_BAD("`memory` must be a memory of 32-bit addresses: mismatch in index type");
            /* a subtype of (memory 0) or (memory i64 0) */
            if (s->mems.data[i].shared || s->mems.data[i].page_log2 != 16)
                return OPT_BAD("`memory` must be an unshared memory with pages of 64 KiB: mismatch in %s",
                               s->mems.data[i].shared ? "the shared flag" : "the page size");
            o->has_memory = true;
            o->memory = i;
            break;
        case 4:
            if (o->has_realloc) return OPT_BAD("`realloc` is specified more than once");
            o->has_realloc = true;
            o->realloc = i;
            break;
        case 5:
            if (o->has_post_return) return OPT_BAD("`post-return` is specified more than once");
            o->has_post_return = true;
            o->post_return = i;
            break;
        case 6:
            if (o->is_async) return OPT_BAD("`async` is specified more than once");
            if (!(s->d->features & TS_CF_ASYNC)) return OPT_BAD("`async` is not enabled: it is newer than WASI 0.2");
            o->is_async = true;
            break;
        default: {
            flat_func want = sig("iii", "i");
            if (o->has_callback) return OPT_BAD("`callback` is specified more than once");
            if (!is_sig(s, s->core_funcs.data[i], &want))
                return OPT_BAD("`callback` uses a core function with an incorrect signature");
            o->has_callback = true;
            o->callback = i;
        }
        }
    }
    if (o->has_realloc) { /* it takes addresses of the memory, whose option may follow it */
        flat_func want = o->wide ? sig("IIII", "I") : sig("iiii", "i");
        if (!is_sig(s, s->core_funcs.data[o->realloc], &want))
            return OPT_BAD("`realloc` uses a core function with an incorrect signature");
        if (!o->has_memory) return OPT_BAD("`realloc` requires `memory` to also be specified");
    }
    if (o->has_post_return && use != FOR_LIFT) return OPT_BAD("`post-return` cannot be specified for lowerings");
    if (o->has_post_return && o->is_async) return OPT_BAD("`post-return` cannot be specified together with `async`");
    if (o->has_callback && use != FOR_LIFT) return OPT_BAD("`callback` can only be specified for `canon lift`");
    if (o->has_callback && !o->is_async) return OPT_BAD("`callback` cannot be specified without `async`");
    if (o->is_async && sync_type)
        return TS_BAD(s, in->off, sec, "the `async` canonical option requires an async function type");
    if (use == FOR_TASK_RETURN && (o->is_async || o->has_realloc))
        return OPT_BAD("`%s` cannot be specified for `task.return`", o->is_async ? "async" : "realloc");
    if (use == FOR_ERROR_CONTEXT && o->is_async)
        return OPT_BAD("`async` cannot be specified for error-context built-ins");
    return TS_OK;
}
static ts_status require_opts(ts_scope *s, opts_in *in, const char *sec, const ts_canon_opts *o, bool memory,
                              bool realloc) {
    if ((memory || realloc) && !o->has_memory) return OPT_BAD("`memory` is required");
    if (realloc && !o->has_realloc) return OPT_BAD("`realloc` is required");
    return TS_OK;
}
static bool params_have_pointer(const ts_cfunc_type *t) {
    for (uint32_t i = 0; i < t->n_params; i++)
        if (t->params[i].type->has_pointer) return true;
    return false;
}

/* --- lift and lower ---------------------------------------------------------------------------- */
static void print_types(const ts_valtype *v, uint32_t n, char *buf, size_t size) { /* "[I32, I64]" */
    size_t at = 0;
    at += (size_t)snprintf(buf, size, "[");
    for (uint32_t i = 0; i < n && at + 8 < size; i++) {
        char name[48];
        ts_vt_name(v[i], name);
        for (char *p = name; *p; p++)
            if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
        at += (size_t)snprintf(buf + at, size - at, "%s%.30s", i ? ", " : "", name);
    }
    if (at < size) snprintf(buf + at, size - at, "]");
}

static ts_status read_lift(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint8_t b = 0;
    uint32_t f = 0, ft = 0;
    opts_in in;
    const char *sec = r->section;
    TS_TRY(ts_read_u8(r, &b));
    if (b) return ts_read_leading(r, b, "canonical function lift");
    TS_TRY(ts_read_u32(r, &f));
    TS_TRY(skip_opts(r, &in));
    TS_TRY(ts_read_u32(r, &ft));

    const ts_cfunc_type *t = NULL;
    ts_canon_opts o;
    TS_TRY(ts_scope_func_type(s, off, sec, ft, &t));
    if (f >= s->core_funcs.len) return ts_unknown(s, off, sec, "core function", f);
    TS_TRY(check_opts(s, &in, sec, FOR_LIFT, !t->is_async, &o));
    if (o.is_async && !o.has_callback && !(s->d->features & TS_CF_ASYNC_STACKFUL)) /* 🚟 */
        return TS_BAD(s, in.off, sec,
                      "canonical option `callback` is required with `async`: without it the feature async-stackful");
    flat_func want;
    flat_needs spill = flatten_functype(t, &o, true, &want);
    bool realloc = spill.params_spill || params_have_pointer(t);
    bool memory = spill.results_spill || (t->result && t->result->has_pointer);
    TS_TRY(require_opts(s, &in, sec, &o, memory, realloc));
    uint32_t id = s->core_funcs.data[f];
    if (!is_sig(s, id, &want)) {
        const ts_deftype *d = ts_types_get(s->d->types, id);
        char x[160], y[160];
        bool params = d->n_params != want.n_params ||
                      (want.n_params && memcmp(d->params, want.params, want.n_params * sizeof *want.params) != 0);
        print_types(params ? want.params : want.results, params ? want.n_params : want.n_results, x, sizeof x);
        print_types(params ? d->params : d->results, params ? d->n_params : d->n_results, y, sizeof y);
        const char *word = params ? "parameter" : "result";
        return TS_BAD(s, off, sec, "lowered %s types `%s` do not match %s types `%s` of core function %u", word, x,
                      word, y, f);
    }
    if (o.has_post_return) {
        flat_func post = {.n_params = want.n_results};
        memcpy(post.params, want.results, sizeof want.results);
        if (!is_sig(s, s->core_funcs.data[o.post_return], &post))
            return TS_BAD(s, in.off, sec,
                          "canonical option `post-return` uses a core function with an incorrect signature");
    }
    def->sort = TS_SORT_FUNC;
    def->canon.kind = TS_CANON_LIFT;
    def->canon.func = f;
    def->canon.opts = o;
    def->canon.type = t;
    def->canon.core_type = id;
    return TS_PUSH(s, funcs, t);
}

static ts_status read_lower(ts_scope *s, ts_reader *r, uint64_t off, ts_def *def) {
    uint8_t b = 0;
    uint32_t f = 0;
    opts_in in;
    const char *sec = r->section;
    TS_TRY(ts_read_u8(r, &b));
    if (b) return ts_read_leading(r, b, "canonical function lower");
    TS_TRY(ts_read_u32(r, &f));
    TS_TRY(skip_opts(r, &in));

    if (f >= s->funcs.len) return ts_unknown(s, off, sec, "function", f);
    const ts_cfunc_type *t = s->funcs.data[f];
    ts_canon_opts o;
    TS_TRY(check_opts(s, &in, sec, FOR_LOWER, !t->is_async, &o));
    flat_func core;
    flat_needs spill = flatten_functype(t, &o, false, &core);
    bool memory = spill.params_spill || spill.results_spill || params_have_pointer(t);
    bool realloc = t->result && t->result->has_pointer;
    TS_TRY(require_opts(s, &in, sec, &o, memory, realloc));
    def->canon.kind = TS_CANON_LOWER;
    def->canon.func = f;
    def->canon.opts = o;
    def->canon.type = t;
    return core_func(s, &core, &def->canon.core_type);
}

/* --- built-ins --------------------------------------------------------------------------------- */
typedef enum imm {
    IMM_NONE,
    IMM_BOOL,
    IMM_CANCEL_MEM,
    IMM_STREAM,
    IMM_STREAM_BOOL,
    IMM_STREAM_READ,
    IMM_STREAM_WRITE,
    IMM_FUTURE,
    IMM_FUTURE_BOOL,
    IMM_FUTURE_READ,
    IMM_FUTURE_WRITE,
    IMM_CONTEXT,
    IMM_TASK_RETURN,
    IMM_ERROR_NEW,
    IMM_ERROR_MESSAGE,
    IMM_NEW_INDIRECT,
    IMM_SPAWN_REF,
    IMM_SPAWN_INDIRECT,
    IMM_SHARED,
} imm;
typedef struct builtin {
    uint8_t op;
    const char *name;
    imm imm;
    const char *params, *results;
} builtin;
static const builtin BUILTINS[] = {
    {0x24, "backpressure.inc", IMM_NONE, "", ""},
    {0x25, "backpressure.dec", IMM_NONE, "", ""},
    {0x09, "task.return", IMM_TASK_RETURN, "", ""},
    {0x05, "task.cancel", IMM_NONE, "", ""},
    {0x0a, "context.get", IMM_CONTEXT, "", "i"},
    {0x0b, "context.set", IMM_CONTEXT, "i", ""},
    {0x06, "subtask.cancel", IMM_BOOL, "i", "i"},
    {0x0d, "subtask.drop", IMM_NONE, "i", ""},
    {0x0e, "stream.new", IMM_STREAM, "", "I"},
    {0x0f, "stream.read", IMM_STREAM_READ, "iii", "i"},
    {0x10, "stream.write", IMM_STREAM_WRITE, "iii", "i"},
    {0x11, "stream.cancel-read", IMM_STREAM_BOOL, "i", "i"},
    {0x12, "stream.cancel-write", IMM_STREAM_BOOL, "i", "i"},
    {0x13, "stream.drop-readable", IMM_STREAM, "i", ""},
    {0x14, "stream.drop-writable", IMM_STREAM, "i", ""},
    {0x15, "future.new", IMM_FUTURE, "", "I"},
    {0x16, "future.read", IMM_FUTURE_READ, "ii", "i"},
    {0x17, "future.write", IMM_FUTURE_WRITE, "ii", "i"},
    {0x18, "future.cancel-read", IMM_FUTURE_BOOL, "i", "i"},
    {0x19, "future.cancel-write", IMM_FUTURE_BOOL, "i", "i"},
    {0x1a, "future.drop-readable", IMM_FUTURE, "i", ""},
    {0x1b, "future.drop-writable", IMM_FUTURE, "i", ""},
    {0x1c, "error-context.new", IMM_ERROR_NEW, "ii", "i"},
    {0x1d, "error-context.debug-message", IMM_ERROR_MESSAGE, "ii", ""},
    {0x1e, "error-context.drop", IMM_NONE, "i", ""},
    {0x1f, "waitable-set.new", IMM_NONE, "", "i"},
    {0x20, "waitable-set.wait", IMM_CANCEL_MEM, "ii", "i"},
    {0x21, "waitable-set.poll", IMM_CANCEL_MEM, "ii", "i"},
    {0x22, "waitable-set.drop", IMM_NONE, "i", ""},
    {0x23, "waitable.join", IMM_NONE, "ii", ""},
    {0x26, "thread.index", IMM_NONE, "", "i"},
    {0x27, "thread.new-indirect", IMM_NEW_INDIRECT, "ii", "i"},
    {0x28, "thread.resume-later", IMM_NONE, "i", ""},
    {0x29, "thread.suspend", IMM_BOOL, "", "i"},
    {0x0c, "thread.yield", IMM_BOOL, "", "i"},
    {0x2a, "thread.suspend-then-resume", IMM_BOOL, "i", "i"},
    {0x2b, "thread.yield-then-resume", IMM_BOOL, "i", "i"},
    {0x2c, "thread.suspend-then-promote", IMM_BOOL, "i", "i"},
    {0x2d, "thread.yield-then-promote", IMM_BOOL, "i", "i"},
    {0x40, "thread.spawn-ref", IMM_SPAWN_REF, "", ""},
    {0x41, "thread.spawn-indirect", IMM_SPAWN_INDIRECT, "", ""},
    {0x42, "thread.available-parallelism", IMM_SHARED, "", ""},
};

static ts_status read_flag(ts_reader *r, bool *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    *out = b;
    if (b <= 1) return TS_OK;
    r->at--;
    return ts_reader_fail(r, "invalid boolean value (0x%x)", b);
}

static ts_status endpoint_type(ts_scope *s, uint64_t off, const char *sec, uint32_t i, ts_ct_kind kind,
                               const ts_ctype **out) {
    const ts_extern_type *t = NULL;
    TS_TRY(ts_scope_type(s, off, sec, i, &t));
    if (!t->type || t->type->kind != kind)
        return TS_BAD(s, off, sec, "type index %u is not a %s type", i, ts_ct_kind_name(kind));
    *out = t->type;
    return TS_OK;
}

/* The immediates that follow the opcode of a built-in. */
typedef struct immediates {
    uint32_t i, k;
    bool flag;
    ts_valtype vt;
    const ts_ctype *result;
    opts_in in;
} immediates;
static ts_status read_immediates(ts_scope *s, ts_reader *r, const builtin *b, immediates *x) {
    switch (b->imm) {
    case IMM_NONE: break;
    case IMM_BOOL:
    case IMM_SHARED: TS_TRY(read_flag(r, &x->flag)); break;
    case IMM_CANCEL_MEM:
        TS_TRY(read_flag(r, &x->flag));
        TS_TRY(ts_read_u32(r, &x->i));
        break;
    case IMM_STREAM:
    case IMM_FUTURE: TS_TRY(ts_read_u32(r, &x->i)); break;
    case IMM_STREAM_BOOL:
    case IMM_FUTURE_BOOL:
        TS_TRY(ts_read_u32(r, &x->i));
        TS_TRY(read_flag(r, &x->flag));
        break;
    case IMM_STREAM_READ:
    case IMM_STREAM_WRITE:
    case IMM_FUTURE_READ:
    case IMM_FUTURE_WRITE:
        TS_TRY(ts_read_u32(r, &x->i));
        TS_TRY(skip_opts(r, &x->in));
        break;
    case IMM_CONTEXT:
        TS_TRY(ts_read_core_valtype(r, &x->vt));
        TS_TRY(ts_read_u32(r, &x->i));
        break;
    case IMM_TASK_RETURN:
        TS_TRY(ts_read_resultlist(s, r, &x->result));
        TS_TRY(skip_opts(r, &x->in));
        break;
    case IMM_ERROR_NEW:
    case IMM_ERROR_MESSAGE: TS_TRY(skip_opts(r, &x->in)); break;
    case IMM_NEW_INDIRECT:
        TS_TRY(ts_read_u32(r, &x->i));
        TS_TRY(ts_read_u32(r, &x->k));
        break;
    case IMM_SPAWN_REF:
    case IMM_SPAWN_INDIRECT:
        TS_TRY(read_flag(r, &x->flag));
        TS_TRY(ts_read_u32(r, &x->i));
        if (b->imm == IMM_SPAWN_INDIRECT) TS_TRY(ts_read_u32(r, &x->k));
        break;
    }
    return TS_OK;
}

/* thread.new-indirect: the start function's type (core type i) and its table k decide the signature. */
static ts_status check_new_indirect(ts_scope *s, uint64_t off, const char *sec, const builtin *b, uint32_t i,
                                    uint32_t k, flat_func *core, ts_def *def) {
    /* (func (param $fi U) (param $c T) (result i32)): U is the table's address type, T the start
     * function's parameter */
    bool wide = s->d->features & TS_CF_MEMORY64, is64 = false; /* 🐘 */
    flat_func narrow = sig("i", ""), long_ = sig("I", "");
    if (i >= s->core_types.len) return TS_BAD(s, off, sec, "unknown core type %u: type index out of bounds", i);
    bool func =
        !s->core_types.data[i].module && ts_types_get(s->d->types, s->core_types.data[i].id)->kind == TS_COMP_FUNC;
    if (func && wide && is_sig(s, s->core_types.data[i].id, &long_))
        is64 = true;
    else if (!func || !is_sig(s, s->core_types.data[i].id, &narrow))
        return TS_BAD(s, off, sec, "start function of `%s` must take a single `i32`%s argument", b->name,
                      wide ? " or `i64`" : "");
    if (k >= s->tables.len) return ts_unknown(s, off, sec, "core table", k);
    bool table64 = s->tables.data[k].limits.is64;
    if (!ts_match_val(s->d->types, s->tables.data[k].elem, TS_VT_FUNCREF) || (table64 && !wide))
        return TS_BAD(s, off, sec, "`%s` must use a table of %sindices of type `funcref`", b->name,
                      wide ? "" : "32-bit ");
    *core = sig(table64 ? is64 ? "II" : "Ii" : is64 ? "iI" : "ii", "i");
    def->canon.builtin_imm[0] = s->core_types.data[i].id;
    return TS_OK;
}

static ts_status read_builtin(ts_scope *s, ts_reader *r, uint64_t off, const builtin *b, ts_def *def) {
    const char *sec = r->section;
    flat_func core = sig(b->params, b->results);
    immediates x = {.vt = TS_VT_I32};
    ts_canon_opts *o = &def->canon.opts;
    TS_TRY(read_immediates(s, r, b, &x)); /* first the form */
    const uint32_t i = x.i, k = x.k;
    const ts_ctype *result = x.result;
    const ts_valtype vt = x.vt;
    const bool flag = x.flag;
    /* then the rules */
    uint32_t feature = b->op >= 0x1c && b->op <= 0x1e ? TS_CF_ERROR_CONTEXT
                       : b->op >= 0x26                ? TS_CF_THREADS
                                                      : TS_CF_ASYNC;
    if (!(s->d->features & feature))
        return TS_BAD(s, off, sec, "`%s` is not enabled: it is newer than WASI 0.2", b->name);
    /* 🚝 */
    bool more = s->d->features & TS_CF_MORE_ASYNC_BUILTINS;
    if (flag && !more && (b->op == 0x06 || b->imm == IMM_STREAM_BOOL || b->imm == IMM_FUTURE_BOOL))
        return TS_BAD(s, off, sec, "`async` of `%s` needs the feature more-async-builtins", b->name);
    def->canon.kind = TS_CANON_ASYNC_BUILTIN;
    def->canon.builtin = b->name;
    def->canon.builtin_flag = flag;
    def->canon.builtin_imm[0] = i;
    def->canon.builtin_imm[1] = k;
    switch (b->imm) {
    case IMM_CANCEL_MEM:
        if (i >= s->mems.len) return ts_unknown(s, off, sec, "core memory", i);
        if ((s->mems.data[i].is64 && !(s->d->features & TS_CF_MEMORY64)) || s->mems.data[i].shared)
            return TS_BAD(s, off, sec, "`%s` needs an unshared memory%s", b->name,
                          s->d->features & TS_CF_MEMORY64 ? "" : " of 32-bit addresses");
        if (s->mems.data[i].is64) core = sig("iI", "i"); /* 🐘 */
        break;
    case IMM_STREAM:
    case IMM_STREAM_BOOL: TS_TRY(endpoint_type(s, off, sec, i, TS_CT_STREAM, &def->canon.builtin_type)); break;
    case IMM_FUTURE:
    case IMM_FUTURE_BOOL: TS_TRY(endpoint_type(s, off, sec, i, TS_CT_FUTURE, &def->canon.builtin_type)); break;
    case IMM_STREAM_READ:
    case IMM_STREAM_WRITE:
    case IMM_FUTURE_READ:
    case IMM_FUTURE_WRITE: {
        bool stream = b->imm == IMM_STREAM_READ || b->imm == IMM_STREAM_WRITE,
             read = b->imm == IMM_STREAM_READ || b->imm == IMM_FUTURE_READ;
        TS_TRY(endpoint_type(s, off, sec, i, stream ? TS_CT_STREAM : TS_CT_FUTURE, &def->canon.builtin_type));
        TS_TRY(check_opts(s, &x.in, sec, FOR_COPY, false, o));
        if (!o->is_async && !more)
            return TS_BAD(s, off, sec, "`%s` without `async` needs the feature more-async-builtins", b->name);
        if (o->wide) core = stream ? sig("iII", "I") : sig("iI", "i"); /* 🐘 */
        const ts_ctype *t = def->canon.builtin_type->elem;
        TS_TRY(require_opts(s, &x.in, sec, o, t != NULL, read && t && t->has_pointer));
        break;
    }
    case IMM_CONTEXT:
        if (vt != TS_VT_I32 && !(vt == TS_VT_I64 && (s->d->features & TS_CF_MEMORY64))) /* 🐘 */
            return TS_BAD(s, off, sec, "`%s` can only be of type i32", b->name);
        if (s->context_type && s->context_type != vt)
            return TS_BAD(s, off, sec, "`%s` must be of the type of the other context built-ins here", b->name);
        s->context_type = vt;
        if (vt == TS_VT_I64) core = b->op == 0x0a ? sig("", "I") : sig("I", "");
        if (i > 1) return TS_BAD(s, off, sec, "`%s` immediate must be zero or one: %u", b->name, i);
        break;
    case IMM_TASK_RETURN: {
        TS_TRY(check_opts(s, &x.in, sec, FOR_TASK_RETURN, false, o));
        ts_ct_case param = {"result", result};
        ts_cfunc_type f = {.n_params = result ? 1 : 0, .params = &param};
        flat_needs spill = flatten_functype(&f, o, false, &core);
        TS_TRY(require_opts(s, &x.in, sec, o, spill.params_spill || (result && result->has_pointer), false));
        def->canon.builtin_type = result;
        break;
    }
    case IMM_ERROR_NEW:
    case IMM_ERROR_MESSAGE:
        TS_TRY(check_opts(s, &x.in, sec, FOR_ERROR_CONTEXT, false, o));
        if (o->wide) core = b->imm == IMM_ERROR_NEW ? sig("II", "i") : sig("iI", ""); /* 🐘 */
        TS_TRY(require_opts(s, &x.in, sec, o, true, b->imm == IMM_ERROR_MESSAGE));
        break;
    case IMM_NEW_INDIRECT: TS_TRY(check_new_indirect(s, off, sec, b, i, k, &core, def)); break;
    case IMM_SPAWN_REF:
    case IMM_SPAWN_INDIRECT:
    case IMM_SHARED: return TS_BAD(s, off, sec, "`%s` requires the shared-everything-threads proposal", b->name);
    default: break;
    }
    return core_func(s, &core, &def->canon.core_type);
}

/* spec: CanonicalABI.md#canon-resourcenew and the two after it */
static ts_status read_resource_builtin(ts_scope *s, ts_reader *r, uint64_t off, uint8_t op, ts_def *def) {
    uint32_t i = 0;
    const ts_extern_type *t = NULL;
    TS_TRY(ts_read_u32(r, &i));
    TS_TRY(ts_scope_resource(s, off, r->section, i, &t));
    if (op != 3 && !s->env->local.data[t->resource])
        return TS_BAD(s, off, r->section, "type index %u is not a local resource", i);
    const char *rep = t->rep64 ? "I" : "i";
    flat_func core = op == 2 ? sig(rep, "i") : sig("i", op == 3 ? "" : rep);
    def->canon.kind = op == 2 ? TS_CANON_RESOURCE_NEW : op == 3 ? TS_CANON_RESOURCE_DROP : TS_CANON_RESOURCE_REP;
    def->canon.resource = t->resource;
    return core_func(s, &core, &def->canon.core_type);
}

ts_status ts_read_canon(ts_scope *s, ts_reader *r, ts_def *def) {
    uint8_t op = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &op));
    def->kind = TS_DEF_CANON;
    def->sort = TS_SORT_CORE_FUNC;
    if (op == 0) return read_lift(s, r, off, def);
    if (op == 1) {
        TS_TRY(read_lower(s, r, off, def));
    } else if (op <= 4) {
        TS_TRY(read_resource_builtin(s, r, off, op, def));
    } else {
        const builtin *b = NULL;
        for (size_t k = 0; k < sizeof BUILTINS / sizeof *BUILTINS && !b; k++)
            if (BUILTINS[k].op == op) b = &BUILTINS[k];
        if (!b) return ts_read_leading(r, op, "canonical function");
        TS_TRY(read_builtin(s, r, off, b, def));
    }
    return TS_PUSH(s, core_funcs, def->canon.core_type);
}
