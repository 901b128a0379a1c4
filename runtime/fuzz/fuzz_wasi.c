/* fuzz_wasi: calls functions of the WASI 0.2 host as a guest could: any function, any values, handles that it has.
 * In: bytes from libFuzzer: for each call the function's place in the table (the next one that can be called), then
 * what its parameters need; a place beyond the table drops a handle. Out: no crash, no leak, no sanitizer report; each failure has a reason, and each
 * result is a value of its type; nothing outside the granted folders changes.
 * The guest may listen on the loopback, and connects to nothing. It has a clock of its own.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "sandbox.h"
#include "look.h"
#include "component/run/host.h"

enum { HANDLES = 128, CALLS = 80, LIST_MOST = 12, DROPS_FROM = 240 };
typedef struct handle {
    uint32_t resource;
    uint64_t rep;
} handle;
typedef struct guest {
    fz_input in;
    ts_arena *arena;
    handle handles[HANDLES];
    uint32_t n_handles;
    uint32_t budget; /* values that may still be made for this call */
} guest;

static void *room(guest *g, size_t n) {
    void *p = ts_arena_alloc(g->arena, n ? n : 1);
    if (!p) abort();
    return p;
}

/* --- parameters --- */
static const char *const texts[] = {
    "a",    "sub",       "sub/b",     "link",    ".",           "..",       "../canary",
    "new",  "sub/new",   "/",         "",        "a/",          "sub/../a", "out",
    "GET",  "localhost", "127.0.0.1", "[::1]:0", "/path?query", "x-name",   "content-length",
    "host", "5",         "a\\b",      "../rw/a", "sub/.",       "link/x",   "ro/out"};
enum { N_TEXTS = sizeof texts / sizeof *texts };
static void text(guest *g, ts_val *v) {
    const uint8_t n = (uint8_t)fz_number(&g->in, 1);
    if (n < 224) {
        v->str.ptr = texts[n % N_TEXTS];
        v->str.len = strlen(v->str.ptr);
        return;
    }
    fz_input part = fz_take(&g->in, n - 224);
    size_t len = fz_left(&part);
    char *p = room(g, len);
    if (len) memcpy(p, part.at, len);
    v->str.ptr = p;
    v->str.len = ts_utf8_valid((const uint8_t *)p, len) ? len : 0;
}
static bool own_or_borrow(guest *g, const ts_ctype *t, ts_val *v) {
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < g->n_handles; i++) fitting += g->handles[i].resource == t->resource;
    if (!fitting) return false;
    uint32_t want = (uint32_t)fz_number(&g->in, 1) % fitting;
    for (uint32_t i = 0; i < g->n_handles; i++) {
        if (g->handles[i].resource != t->resource || want--) continue;
        v->handle.rep = g->handles[i].rep;
        if (t->kind == TS_CT_OWN) g->handles[i] = g->handles[--g->n_handles];
        return true;
    }
    return false;
}
static uint64_t number(guest *g) {
    static const uint64_t some[] = {0, 1, 2, 5, 16, 4096, 4097, 65536, 1 << 20, INT64_MAX, UINT64_MAX, 1000000000};
    const uint8_t n = (uint8_t)fz_number(&g->in, 1);
    return n < 12 ? some[n] : n < 200 ? n - 12u : fz_number(&g->in, 8);
}
static bool value(guest *g, const ts_ctype *t, ts_val *v);
static bool values(guest *g, const ts_ctype *t, uint32_t n, ts_val *v) {
    ts_val *all = room(g, n * sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        if (!value(g, t->kind == TS_CT_LIST ? t->elem : t->cases[i].type, &all[i])) return false;
    v->list.ptr = all;
    v->list.len = n;
    return true;
}
static bool value(guest *g, const ts_ctype *t, ts_val *v) {
    memset(v, 0, sizeof *v);
    if (!g->budget) return false;
    g->budget--;
    switch (t->kind) {
    case TS_CT_BOOL: v->b = fz_number(&g->in, 1) & 1; return true;
    case TS_CT_CHAR: v->ch = (uint32_t)(fz_number(&g->in, 2) % 0xd800); return true;
    case TS_CT_STRING: text(g, v); return true;
    case TS_CT_FLAGS:
        v->flags.bits = (uint32_t)fz_number(&g->in, 1) & (uint32_t)(((uint64_t)1 << t->n) - 1);
        return true;
    case TS_CT_OWN:
    case TS_CT_BORROW: return own_or_borrow(g, t, v);
    case TS_CT_LIST: {
        const uint32_t n = (uint32_t)fz_number(&g->in, 1);
        if (!ts_ct_is_raw_elem(t->elem->kind)) return values(g, t, n % LIST_MOST, v);
        const size_t bytes = (size_t)n * t->elem->size;
        fz_input part = fz_take(&g->in, bytes);
        uint8_t *p = room(g, bytes);
        if (fz_left(&part)) memcpy(p, part.at, fz_left(&part));
        v->raw.ptr = p;
        v->raw.len = n;
        return true;
    }
    case TS_CT_RECORD:
    case TS_CT_TUPLE: return values(g, t, t->n, v);
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        v->variant.disc = (uint32_t)(fz_number(&g->in, 1) % ts_ctype_n_cases(t));
        const ts_ctype *c = ts_ctype_case(t, v->variant.disc);
        ts_val *payload = c ? room(g, sizeof *payload) : NULL;
        v->variant.payload = payload;
        return !c || value(g, c, payload);
    }
    default: {
        const uint64_t n = number(g);
        if (t->size == 1)
            v->u8 = (uint8_t)n;
        else if (t->size == 2)
            v->u16 = (uint16_t)n;
        else if (t->size == 4)
            v->u32 = (uint32_t)n;
        else
            v->u64 = n;
        return true;
    }
    }
}

/* --- results: their handles are the guest's from now on --- */
static void take(void *data, const ts_ctype *t, const ts_val *v) {
    guest *g = data;
    if (!v->handle.rep) abort();
    for (uint32_t i = 0; i < g->n_handles; i++)
        if (g->handles[i].resource == t->resource && g->handles[i].rep == v->handle.rep) abort();
    if (g->n_handles < HANDLES) g->handles[g->n_handles++] = (handle){t->resource, v->handle.rep};
}

/* --- calls. Each returns false if the guest's run has ended --- */
static bool drop(guest *g, ts_host_call *c, uint32_t which) {
    if (!g->n_handles) return true;
    const handle h = g->handles[which % g->n_handles];
    c->resource = &ts_wasi_def.resources[h.resource];
    g->handles[which % g->n_handles] = g->handles[--g->n_handles];
    if (!c->resource->drop) return true;
    ts_status s = c->resource->drop(c, h.rep);
    fz_check(s, c->err);
    return s == TS_OK;
}
/* Whether the guest has the handles of the function's own parameters. */
static bool callable(const guest *g, const ts_host_func *f) {
    for (uint32_t i = 0; i < f->type->n_params; i++) {
        const ts_ctype *t = f->type->params[i].type;
        bool has = t->kind != TS_CT_OWN && t->kind != TS_CT_BORROW;
        for (uint32_t k = 0; k < g->n_handles && !has; k++) has = g->handles[k].resource == t->resource;
        if (!has) return false;
    }
    return f->fn != NULL;
}
static bool call(guest *g, ts_host_call *c, uint32_t which) {
    const ts_host_func *f = &ts_wasi_def.funcs[which % ts_wasi_def.n_funcs];
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs && !callable(g, f); i++)
        f = &ts_wasi_def.funcs[++which % ts_wasi_def.n_funcs];
    const ts_cfunc_type *t = f->type;
    ts_val *args = room(g, t->n_params * sizeof *args), out = {0};
    g->budget = 200;
    for (uint32_t i = 0; i < t->n_params; i++)
        if (!value(g, t->params[i].type, &args[i])) return true;
    c->func = f;
    ts_status s = f->fn(c, args, &out);
    fz_check(s, c->err);
    if (s != TS_OK && s != TS_TRAP && s != TS_EXIT && s != TS_INTERRUPTED && s != TS_LIMIT) {
        fprintf(stderr, "fuzz_wasi: %s: %s: %s\n", f->name, ts_status_name(s), c->err->message);
        abort();
    }
    if (s == TS_OK && t->result) fz_look(t->result, &out, take, g);
    return s == TS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ts_arena arena, values_arena;
    ts_error e;
    ts_wasi *w = fz_sandbox();
    ts_arena_init(&arena);
    ts_arena_init(&values_arena);
    ts_error_init(&e);
    guest g = {.in = fz_input_of(data, size), .arena = &values_arena};
    bool runs = true;
    for (int i = 0; i < CALLS && fz_left(&g.in) && runs; i++) {
        ts_host_call c = {.host = w, .arena = &arena, .err = &e, .max_bytes = 1 << 20};
        const uint32_t which = (uint32_t)fz_number(&g.in, 1);
        if (which >= DROPS_FROM)
            runs = drop(&g, &c, which - DROPS_FROM);
        else
            runs = call(&g, &c, which);
        ts_arena_reset(&arena);
        ts_arena_reset(&values_arena);
    }
    ts_wasi_free(w);
    ts_arena_free(&arena);
    ts_arena_free(&values_arena);
    fz_sandbox_check();
    return 0;
}
