/* exec_module: runs one module from beginning to end, and writes down everything observable.
 * In: bytes, how to run. Out: the text that the header describes. Imports get values that do nothing. */
#include "exec_module.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include "core/load/load.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_BYTES = 2 << 20, TABLE_ELEMS = 20000, STACK_BYTES = 1 << 20, GC_BYTES = 4 << 20, MAX_ELEMS_SHOWN = 64 };

static void say(fz_report *r, const char *fmt, ...) TS_PRINTF(2, 3);
static void say(fz_report *r, const char *fmt, ...) {
    va_list ap;
    if (r->cap - r->len < 256) {
        size_t cap = r->cap ? r->cap * 2 : 4096;
        char *p = realloc(r->text, cap);
        if (!p) abort();
        r->text = p;
        r->cap = cap;
    }
    va_start(ap, fmt);
    int n = vsnprintf(r->text + r->len, r->cap - r->len, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= r->cap - r->len) abort();
    r->len += (size_t)n;
}

void fz_report_free(fz_report *r) {
    free(r->text);
    memset(r, 0, sizeof *r);
}

static uint32_t adler32(const uint8_t *p, uint64_t len) {
    uint32_t a = 1, b = 0;
    for (uint64_t i = 0; i < len;) {
        uint64_t end = len - i > 5552 ? i + 5552 : len;
        for (; i < end; i++) b += a += p[i];
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

/* --- values --------------------------------------------------------------------------------------------- */
static char type_letter(const ts_type_registry *t, ts_valtype v) {
    switch (ts_vt_kind(v)) {
    case TS_VT_I32: return 'i';
    case TS_VT_I64: return 'I';
    case TS_VT_F32: return 'f';
    case TS_VT_F64: return 'F';
    case TS_VT_V128: return 'V';
    default: break;
    }
    if (ts_match_heap(t, ts_vt_heap(v), TS_HT_FUNC)) return 'c';
    if (ts_match_heap(t, ts_vt_heap(v), TS_HT_EXTERN)) return 'x';
    if (ts_match_heap(t, ts_vt_heap(v), TS_HT_EXN)) return 'e';
    return 'a';
}

static void say_types(fz_report *r, const ts_type_registry *t, const ts_valtype *v, uint32_t n) {
    say(r, " ");
    if (n == 0) say(r, "-");
    for (uint32_t i = 0; i < n; i++) say(r, "%c", type_letter(t, v[i]));
}

/* Prints numbers as bits, and references by kind. Returns the slots taken. */
static uint32_t say_value(fz_report *r, const ts_store *s, ts_valtype t, const ts_slot *v) {
    char letter = type_letter(s->types, t);
    if (letter == 'V') {
        say(r, " %016" PRIx64 "%016" PRIx64, v[1], v[0]);
        return 2;
    }
    if (letter == 'i' || letter == 'f') say(r, " %08" PRIx32, (uint32_t)v[0]);
    if (letter == 'I' || letter == 'F') say(r, " %016" PRIx64, v[0]);
    if (letter == 'i' && v[0] >> 32) abort(); /* i32 is kept zero-extended */
    if (strchr("cxea", letter)) {
        if (v[0] == 0)
            say(r, " null");
        else if (letter != 'c' && ts_ref_is_i31(v[0]))
            say(r, " i31:%" PRIu32, ts_ref_i31_u(v[0]));
        else
            say(r, " ref");
        /* a value has its type; a stale reference shows up here, to the sanitizer at the latest */
        if (v[0] ? !ts_ref_test_heap(s, v[0], ts_vt_heap(t)) : ts_vt_kind(t) == TS_VT_REF) abort();
    }
    return 1;
}

static void say_outcome(fz_report *r, ts_status st, const ts_error *e) {
    if (st == TS_OK ? e->status != TS_OK : e->status != st || e->message[0] == 0) abort();
    if (st == TS_TRAP || st == TS_EXHAUSTION) {
        say(r, "trap:%s", ts_trap_kind_name(e->trap));
        if (e->trap == TS_TRAP_STACK || e->trap == TS_TRAP_ALLOC) r->limited = true;
    } else {
        say(r, "%s", st == TS_OK ? "ok" : ts_status_name(st));
        if (st == TS_UNSUPPORTED) fprintf(stderr, "unsupported: %s\n", e->message);
        if (st == TS_LIMIT) r->limited = true;
    }
}

/* One argument of one set. Returns false if there is no value of the type. */
static bool argument(const ts_type_registry *t, ts_valtype type, unsigned set, uint32_t n, ts_slot v[2]) {
    static const uint64_t ints[] = {1, 0xffffffffffffffff, 0x8000000080000000, 0x7fffffff7fffffff, 65535, 0x1234};
    static const uint32_t floats[] = {0x3fc00000, 0xbf800000, 0x7fc00000, 0x7f800000, 0x00000001, 0xcf000000};
    static const uint64_t doubles[] = {0x3ff8000000000000, 0xbff0000000000000, 0x7ff8000000000000,
                                       0x7ff0000000000000, 0x0000000000000001, 0xc1e0000000200000};
    v[0] = v[1] = 0;
    switch (type_letter(t, type)) {
    case 'i': v[0] = set ? (uint32_t)ints[n % 6] : 0; return true;
    case 'I': v[0] = set ? ints[n % 6] : 0; return true;
    case 'f': v[0] = set ? floats[n % 6] : 0; return true;
    case 'F': v[0] = set ? doubles[n % 6] : 0; return true;
    case 'V':
        if (set) v[0] = ints[n % 6] ^ 0x0102030405060708, v[1] = doubles[n % 6];
        return true;
    default: break;
    }
    if ((set || ts_vt_kind(type) == TS_VT_REF) && ts_match_heap(t, TS_HT_I31, ts_vt_heap(type))) {
        v[0] = ts_ref_i31(5 + n);
        return true;
    }
    return ts_vt_defaultable(type);
}

/* --- running -------------------------------------------------------------------------------------------- */
static ts_status host(void *data, ts_exec *x, ts_slot *io) {
    const ts_deftype *def = data;
    (void)x;
    memset(io, 0, def->result_slots * sizeof *io);
    return TS_OK;
}

static bool provide(ts_store *s, const ts_import *want, ts_extern *x, ts_error *e) {
    static const ts_slot zero[2] = {0, 0};
    x->kind = want->kind;
    switch (want->kind) {
    case TS_EXTERN_FUNC: {
        const ts_deftype *def = ts_types_get(s->types, want->type);
        for (uint32_t i = 0; i < def->n_results; i++)
            if (!ts_vt_defaultable(def->results[i])) return false;
        return ts_func_make_host(s, want->type, host, (void *)(uintptr_t)def, "host", &x->func, e) == TS_OK;
    }
    case TS_EXTERN_TABLE:
        return ts_vt_defaultable(want->table.elem) && ts_table_make(s, &want->table, 0, &x->table, e) == TS_OK;
    case TS_EXTERN_MEM: return ts_memory_make(s, &want->mem, &x->mem, e) == TS_OK;
    case TS_EXTERN_GLOBAL:
        return ts_vt_defaultable(want->global.type) && ts_global_make(s, &want->global, zero, &x->global, e) == TS_OK;
    case TS_EXTERN_TAG: return ts_tag_make(s, want->type, &x->tag, e) == TS_OK;
    }
    return false;
}

static void call(ts_store *s, fz_report *r, uint32_t k, ts_func *f, unsigned set, const fz_how *how) {
    const ts_deftype *d = f->def;
    uint32_t n = d->param_slots > d->result_slots ? d->param_slots : d->result_slots, at = 0;
    ts_slot *io = calloc(n + 2, sizeof *io), v[2];
    ts_error *e = malloc(sizeof *e);
    if (!io || !e) abort();
    for (uint32_t i = 0; i < d->n_params; i++) {
        if (!argument(s->types, d->params[i], set, i, v)) goto out;
        io[at++] = v[0];
        if (d->params[i] == TS_VT_V128) io[at++] = v[1];
    }
    say(r, "call %" PRIu32 " %u", k, set);
    say_types(r, s->types, d->params, d->n_params);
    say_types(r, s->types, d->results, d->n_results);
    at = 0;
    for (uint32_t i = 0; i < d->n_params; i++) at += say_value(r, s, d->params[i], io + at);
    say(r, " = ");
    if (how->fuel) s->exec->fuel = how->fuel;
    io[n] = io[n + 1] = 0x5a5a5a5a5a5a5a5a; /* nothing is written after the results */
    ts_error_init(e);
    ts_status st = ts_call(s, f, io, e);
    if (io[n] != 0x5a5a5a5a5a5a5a5a || io[n + 1] != io[n]) abort();
    say_outcome(r, st, e);
    if (st == TS_OK) {
        at = 0;
        for (uint32_t i = 0; i < d->n_results; i++) at += say_value(r, s, d->results[i], io + at);
    }
    say(r, "\n");
out:
    free(io);
    free(e);
}

static void say_state(ts_store *s, fz_report *r, const ts_module *m, const ts_instance *inst) {
    for (uint32_t k = 0; k < m->n_exports; k++) {
        uint32_t i = m->exports[k].index;
        switch (m->exports[k].kind) {
        case TS_EXTERN_MEM:
            if (inst->mems[i]->len != inst->mems[i]->pages << inst->mems[i]->type.page_log2) abort();
            say(r, "memory %" PRIu32 " %" PRIu64 " %08" PRIx32 "\n", k, inst->mems[i]->len,
                adler32(inst->mems[i]->base, inst->mems[i]->len));
            break;
        case TS_EXTERN_GLOBAL:
            say(r, "global %" PRIu32 " %c", k, type_letter(s->types, inst->globals[i]->type.type));
            say_value(r, s, inst->globals[i]->type.type, inst->globals[i]->v);
            say(r, "\n");
            break;
        case TS_EXTERN_TABLE:
            say(r, "table %" PRIu32 " %" PRIu64, k, inst->tables[i]->len);
            for (uint64_t n = 0; n < inst->tables[i]->len && n < MAX_ELEMS_SHOWN; n++)
                say_value(r, s, inst->tables[i]->type.elem, &inst->tables[i]->elems[n]);
            say(r, "\n");
            break;
        default: break;
        }
    }
}

static void run(ts_store *s, ts_module *m, const fz_how *how, fz_report *r) {
    ts_instance *inst = NULL;
    ts_error *e = malloc(sizeof *e);
    ts_extern *imports = calloc((size_t)m->n_imports + 1, sizeof *imports);
    if (!e || !imports) abort();
    ts_error_init(e);
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (!provide(s, &m->imports[i], &imports[i], e)) goto out;
    if (how->gc_stress) ts_gc_set_stress(s->gc, how->gc_stress);
    ts_status st = ts_instantiate(s, m, imports, "fuzz", &inst, e);
    say(r, "instantiate ");
    say_outcome(r, st, e);
    say(r, "\n");
    if (st != TS_OK) goto out;
    r->ran = true;
    for (uint32_t k = 0; k < m->n_exports && !r->limited; k++)
        if (m->exports[k].kind == TS_EXTERN_FUNC)
            for (unsigned set = 0; set < FZ_ARGUMENT_SETS && !r->limited; set++)
                call(s, r, k, inst->funcs[m->exports[k].index], set, how);
    if (!r->limited) say_state(s, r, m, inst);
    ts_gc_collect(s->gc);
out:
    free(imports);
    free(e);
}

void fz_run(const uint8_t *bytes, size_t len, const fz_how *how, fz_report *r) {
    ts_error *e = malloc(sizeof *e);
    ts_engine *engine = NULL;
    ts_store *store = NULL;
    ts_module *m = NULL;
    if (!e) abort();
    ts_error_init(e);
    if (ts_engine_create(&engine, e) != TS_OK) abort();
    ts_engine_set_features(engine, TS_F_WASM3 | TS_F_WIDE_ARITHMETIC | TS_F_CUSTOM_PAGE_SIZES);
    ts_engine_set_tier(engine, how->tier);
    ts_status st = ts_module_new(engine, bytes, len, false, &m, e);
    say(r, "module ");
    say_outcome(r, st, e);
    say(r, "\n");
    if (st == TS_OK) {
        ts_store_limits l = {.memory_bytes = MEMORY_BYTES,
                             .table_elems = TABLE_ELEMS,
                             .stack_bytes = STACK_BYTES,
                             .gc_bytes = GC_BYTES,
                             .fuel = how->fuel,
                             .explicit_checks = how->checked,
                             .deterministic = how->deterministic};
        if (ts_store_create(engine, &l, &store, e) != TS_OK) abort();
        run(store, m, how, r);
    }
    ts_store_destroy(store);
    ts_module_free(m);
    ts_engine_destroy(engine);
    free(e);
}
