/* cabi_probe: the canonical ABI by itself, asked from outside: values go from one instance to another or come from the
 * host. In: requests on stdin, one a line. Out: for each a line: what was lifted, the core values, calls of realloc,
 * bytes and tables; or the trap. spec: CanonicalABI.md#lifting-and-lowering-values. runtime/tests/outside/test_cabi_oracle.py
 * asks this and definitions.py the same.
 *
 * A request is fields between tabs:
 *   MODE     params | result: which half of FUNC is meant
 *   FROM     guest: lift from CORE and MEMORY of the source; host: VALUES are given
 *   FUNC     func(p0: T, …) -> T, types in WIT, written out; own<r0>, borrow<r1>: r1 is the destination's own resource
 *   ENC ENC  string encodings of source and destination: utf8, utf16, latin1+utf16; with /64 behind it the memory has 64-bit addresses
 *   KEEP     1: strings travel in the source's encoding; 0: through UTF-8, as to and from the host
 *   LEND     1: lifted values may point into the source's memory
 *   HANDLES  the source's table: o0:7 b1:8 -  is own r0 of 7, borrow r1 of 8, a hole
 *   CORE     core values in hex, or VALUES
 *   MEMORY   the first bytes of the source's memory, in hex
 *   OUT      mode result: the pointer that the caller gives for a result in memory
 *   FAULT    N:PTR: the destination's Nth call of realloc returns PTR; - for none
 * Values are words: integers in decimal; f32 and f64 by their bits in hex, or nan; strings ENCODING/UNITS/BYTES; lists
 * (of a fixed length too) N and then the elements; maps N and then keys and values; records and tuples the fields; variants DISCRIMINANT and then the payload; flags the bits;
 * handles r and the representation. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "component/abi/context.h"
#include "component/abi/memory.h"
#include "component/abi/handles.h"
#include "component/abi/load.h"
#include "component/abi/string.h"
#include "component/abi/flat.h"
#include "component/run/linker.h"

enum { HEAP = 1024, MEMORY = 65536, MAX_ARGS = 64, LINE = 1 << 20, FIELDS = 12 };

typedef struct side {
    ts_cinstance inst;
    ts_cabi_opts opts;
    ts_memory *memory[2]; /* of 32-bit and of 64-bit addresses */
    ts_func *realloc[2];
    uint64_t heap;
    uint32_t calls, fault_at;
    uint64_t fault;
    FILE *log;
} side;
typedef struct probe {
    ts_engine *engine;
    ts_cstore *store;
    side side[2]; /* source, destination */
    ts_resource rt[2];
    ts_resource *res[2];
    ts_task task;
    ts_subtask subtask;
    ts_arena arena;
    ts_error err;
} probe;

_Noreturn static void die(const char *what, const char *detail) {
    fprintf(stderr, "cabi_probe: %s %s\n", what, detail);
    exit(2);
}

static ts_status bump(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    side *s = data;
    uint64_t old = io[0], old_size = io[1], align = io[2], size = io[3];
    fprintf(s->log, "%s%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, s->calls ? " " : "", old, old_size, align, size);
    s->calls++;
    if (s->calls == s->fault_at) {
        io[0] = s->fault;
        return TS_OK;
    }
    uint64_t p = ts_align_to(s->heap, align ? align : 1);
    s->heap = p + size;
    if (s->heap > MEMORY) {
        io[0] = UINT32_MAX;
        return TS_OK;
    }
    if (old_size) memmove(s->opts.memory->base + p, s->opts.memory->base + old, old_size < size ? old_size : size);
    io[0] = p;
    return TS_OK;
}

static void setup(probe *p) {
    ts_error *e = &p->err;
    ts_error_init(e);
    if (ts_engine_create(&p->engine, e) != TS_OK || ts_cstore_create(p->engine, NULL, &p->store, e) != TS_OK)
        die("setup:", e->message);
    ts_store *core = ts_cstore_core(p->store);
    const ts_valtype i32[4] = {TS_VT_I32, TS_VT_I32, TS_VT_I32, TS_VT_I32};
    const ts_valtype i64[4] = {TS_VT_I64, TS_VT_I64, TS_VT_I64, TS_VT_I64};
    ts_limits pages = {.min = MEMORY / 65536, .max = MEMORY / 65536, .has_max = true, .page_log2 = 16};
    for (int i = 0; i < 2; i++) {
        side *s = &p->side[i];
        for (int wide = 0; wide < 2; wide++) {
            uint32_t type;
            pages.is64 = wide;
            if (ts_types_func(ts_engine_types(p->engine), wide ? i64 : i32, 4, wide ? i64 : i32, 1, &type, e) !=
                    TS_OK ||
                ts_memory_make(core, &pages, &s->memory[wide], e) != TS_OK ||
                ts_func_make_host(core, type, bump, s, "realloc", &s->realloc[wide], e) != TS_OK)
                die("setup:", e->message);
        }
        s->inst.store = p->store;
        s->inst.may_leave = true;
        s->opts.inst = &s->inst;
        p->rt[i].impl = &p->side[i].inst;
        p->res[i] = &p->rt[i];
    }
}

static ts_string_encoding encoding_of(char *word, bool *wide) {
    char *slash = strchr(word, '/');
    *wide = slash != NULL;
    if (slash) *slash = 0;
    if (strcmp(word, "utf8") == 0) return TS_ENC_UTF8;
    if (strcmp(word, "utf16") == 0) return TS_ENC_UTF16;
    if (strcmp(word, "latin1+utf16") == 0) return TS_ENC_LATIN1_UTF16;
    die("no encoding:", word);
}

static size_t unhex(const char *hex, uint8_t *to, size_t max) {
    size_t n = strlen(hex) / 2;
    if (n > max) die("too long:", hex);
    for (size_t i = 0; i < n; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        to[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}
static void hex(FILE *to, const uint8_t *from, size_t n) {
    for (size_t i = 0; i < n; i++) fprintf(to, "%02x", from[i]);
}

static ts_status never(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)data, (void)args, (void)result;
    return ts_callback_trap(c, "not to be called");
}
/* The type of a function from its text, as embedders define it. */
static const ts_cfunc_type *func_type(ts_linker *l, const char *text, ts_error *e) {
    static const char *const names[2] = {"r0", "r1"};
    for (int i = 0; i < 2; i++) {
        if (ts_linker_define_resource(l, "", names[i], NULL, NULL, e) != TS_OK) die("resource:", e->message);
    }
    if (ts_linker_define_func(l, "", "f", text, never, NULL, e) != TS_OK) die("type:", e->message);
    for (uint32_t i = 0; i < l->hosts.len; i++) {
        if (l->hosts.data[i].def->n_funcs) return l->hosts.data[i].def->funcs[0].type;
    }
    die("no function was made of", text);
}

static const ts_ctype *payload_type(const ts_ctype *t, uint32_t disc) {
    switch (t->kind) {
    case TS_CT_OPTION: return disc ? t->elem : NULL;
    case TS_CT_RESULT: return disc ? t->elem2 : t->elem;
    case TS_CT_VARIANT: return disc < t->n ? t->cases[disc].type : NULL;
    default: return NULL;
    }
}

/* --- values out ----------------------------------------------------------------------------------------- */
static void print_string(FILE *to, const ts_val *v, bool kept) {
    static const char *const names[4] = {"utf8", "utf16", "latin1", "tagged"};
    ts_str_tag tag = kept ? ts_str_tag_of(v->str.len) : TS_STR_UTF8;
    uint64_t units = kept ? ts_str_units(v->str.len) : v->str.len;
    fprintf(to, " %s/%" PRIu64 "/", names[tag], units);
    hex(to, (const uint8_t *)v->str.ptr, units * (tag == TS_STR_UTF16 || tag == TS_STR_TAGGED_UTF16 ? 2 : 1));
}
static void print_val(FILE *to, const ts_ctype *t, const ts_val *v, bool kept);
/* Elements that are still bytes in a guest's memory. */
static void print_plain(FILE *to, const ts_ctype *elem, const ts_val *v) {
    ts_arena arena;
    ts_error e;
    ts_arena_init(&arena);
    ts_error_init(&e);
    ts_memory m;
    memset(&m, 0, sizeof m);
    memcpy(&m.base, &v->raw.ptr, sizeof m.base);
    m.len = v->raw.len * elem->size;
    ts_cabi_opts opts = {.memory = &m};
    ts_cabi_cx cx = {.opts = &opts, .arena = &arena, .err = &e};
    for (size_t i = 0; i < v->raw.len; i++) {
        ts_val one = {.u64 = 0};
        if (ts_cabi_load(&cx, i * elem->size, elem, &one) != TS_OK) die("was checked and is not valid:", e.message);
        print_val(to, elem, &one, false);
    }
    ts_arena_free(&arena);
}
static void print_val(FILE *to, const ts_ctype *t, const ts_val *v, bool kept) {
    uint64_t bits = 0;
    switch (t->kind) {
    case TS_CT_BOOL: fprintf(to, " %d", v->b); return;
    case TS_CT_U8: fprintf(to, " %u", v->u8); return;
    case TS_CT_S8: fprintf(to, " %d", v->s8); return;
    case TS_CT_U16: fprintf(to, " %u", v->u16); return;
    case TS_CT_S16: fprintf(to, " %d", v->s16); return;
    case TS_CT_U32: fprintf(to, " %" PRIu32, v->u32); return;
    case TS_CT_S32: fprintf(to, " %" PRId32, v->s32); return;
    case TS_CT_U64: fprintf(to, " %" PRIu64, v->u64); return;
    case TS_CT_S64: fprintf(to, " %" PRId64, v->s64); return;
    case TS_CT_F32:
        memcpy(&bits, &v->f32, 4);
        if (v->f32 != v->f32)
            fprintf(to, " nan");
        else
            fprintf(to, " %" PRIx64, bits);
        return;
    case TS_CT_F64:
        memcpy(&bits, &v->f64, 8);
        if (v->f64 != v->f64)
            fprintf(to, " nan");
        else
            fprintf(to, " %" PRIx64, bits);
        return;
    case TS_CT_CHAR: fprintf(to, " %" PRIu32, v->ch); return;
    case TS_CT_STRING: print_string(to, v, kept); return;
    case TS_CT_MAP:
        fprintf(to, " %zu", v->list.len);
        for (size_t i = 0; i < v->list.len; i++) {
            print_val(to, t->elem2, &v->list.ptr[i].list.ptr[0], kept);
            print_val(to, t->elem, &v->list.ptr[i].list.ptr[1], kept);
        }
        return;
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
        fprintf(to, " %zu", v->list.len);
        if (kept && t->kind == TS_CT_LIST && t->elem->plain && !ts_ct_is_raw_elem(t->elem->kind)) {
            print_plain(to, t->elem, v);
            return;
        }
        for (size_t i = 0; i < v->list.len; i++) {
            ts_val one = {.u64 = 0};
            if (ts_ct_is_raw_elem(t->elem->kind))
                memcpy(&one, (const uint8_t *)v->raw.ptr + i * t->elem->size, t->elem->size);
            else
                one = v->list.ptr[i];
            print_val(to, t->elem, &one, kept);
        }
        return;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) print_val(to, t->cases[i].type, &v->list.ptr[i], kept);
        return;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        const ts_ctype *c = payload_type(t, v->variant.disc);
        fprintf(to, " %" PRIu32, v->variant.disc);
        if (c) print_val(to, c, v->variant.payload, kept);
        return;
    }
    case TS_CT_FLAGS: fprintf(to, " %" PRIu32, v->flags.bits); return;
    case TS_CT_OWN:
    case TS_CT_BORROW: fprintf(to, " r%" PRIu64, v->handle.rep); return;
    default: die("no notation for", ts_ct_kind_name(t->kind));
    }
}

/* --- values in ------------------------------------------------------------------------------------------ */
static const char *next_word(char **at) {
    char *word = strsep(at, " ");
    if (!word || !*word) die("values are missing", "");
    return word;
}
static void read_val(probe *p, char **at, const ts_ctype *t, ts_val *v) {
    memset(v, 0, sizeof *v);
    if (t->kind == TS_CT_RECORD || t->kind == TS_CT_TUPLE) {
        ts_val *f = ts_arena_array(&p->arena, t->n, sizeof *f);
        for (uint32_t i = 0; i < t->n; i++) read_val(p, at, t->cases[i].type, &f[i]);
        v->list.ptr = f;
        v->list.len = t->n;
        return;
    }
    const char *word = next_word(at);
    switch (t->kind) {
    case TS_CT_BOOL: v->b = word[0] == '1'; return;
    case TS_CT_F32: {
        uint32_t bits = strcmp(word, "nan") == 0 ? 0x7fa00001u
                                                 : (uint32_t)strtoul(word, NULL, 16); /* a NaN that is not canonical */
        memcpy(&v->f32, &bits, 4);
        return;
    }
    case TS_CT_F64: {
        uint64_t bits = strcmp(word, "nan") == 0 ? 0xfff4000000000001u : strtoull(word, NULL, 16);
        memcpy(&v->f64, &bits, 8);
        return;
    }
    case TS_CT_CHAR: v->ch = (uint32_t)strtoul(word, NULL, 10); return;
    case TS_CT_STRING: {
        const char *bytes = strrchr(word, '/') + 1;
        uint8_t *to = ts_arena_alloc(&p->arena, strlen(bytes) / 2 + 1);
        v->str.len = unhex(bytes, to, strlen(bytes));
        v->str.ptr = (const char *)to;
        return;
    }
    case TS_CT_MAP: {
        size_t n = strtoull(word, NULL, 10);
        ts_val *entries = ts_arena_array(&p->arena, n + 1, sizeof *entries);
        for (size_t i = 0; i < n; i++) {
            ts_val *pair = ts_arena_array(&p->arena, 2, sizeof *pair);
            read_val(p, at, t->elem2, &pair[0]);
            read_val(p, at, t->elem, &pair[1]);
            entries[i].list.ptr = pair;
            entries[i].list.len = 2;
        }
        v->list.ptr = entries;
        v->list.len = n;
        return;
    }
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST: {
        size_t n = strtoull(word, NULL, 10);
        bool raw = ts_ct_is_raw_elem(t->elem->kind);
        size_t size = raw ? t->elem->size : sizeof(ts_val);
        uint8_t *out = ts_arena_array(&p->arena, n + 1, size);
        for (size_t i = 0; i < n; i++) {
            ts_val one;
            read_val(p, at, t->elem, &one);
            memcpy(out + i * size, &one, size);
        }
        v->raw.ptr = out;
        v->raw.len = n;
        return;
    }
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        v->variant.disc = (uint32_t)strtoul(word, NULL, 10);
        const ts_ctype *c = payload_type(t, v->variant.disc);
        if (!c) return;
        ts_val *payload = ts_arena_alloc(&p->arena, sizeof *payload);
        read_val(p, at, c, payload);
        v->variant.payload = payload;
        return;
    }
    case TS_CT_FLAGS: v->flags.bits = (uint32_t)strtoul(word, NULL, 10); return;
    case TS_CT_OWN:
    case TS_CT_BORROW: v->handle.rep = strtoull(word + 1, NULL, 10); return;
    default: v->u64 = word[0] == '-' ? (uint64_t)strtoll(word, NULL, 10) : strtoull(word, NULL, 10); return;
    }
}

/* --- one request ---------------------------------------------------------------------------------------- */
static void print_table(FILE *to, const probe *p, const side *s) {
    const char *between = "";
    for (uint32_t i = 1; i < s->inst.handles.len; i++, between = " ") {
        const ts_handle *h = &s->inst.handles.array[i];
        if (h->kind == TS_HANDLE_FREE)
            fprintf(to, "%s-", between);
        else
            fprintf(to, "%s%c%d:%" PRIu64 ":%" PRIu32, between, h->kind == TS_HANDLE_OWN ? 'o' : 'b',
                    (int)(h->rt == &p->rt[1]), h->rep, h->num_lends);
    }
}
static void fill_table(probe *p, side *s, char *text) {
    uint32_t holes[MAX_ARGS], n = 0;
    for (char *word; (word = strsep(&text, " ")) != NULL;) {
        if (!*word) continue;
        uint32_t i;
        ts_handle h = {.kind = word[0] == 'b' ? TS_HANDLE_BORROW : TS_HANDLE_OWN,
                       .rt = p->res[word[0] != '-' && word[1] == '1']};
        if (word[0] != '-') h.rep = strtoull(word + 3, NULL, 10);
        if (ts_handle_table_add(&s->inst.handles, &h, &i, &p->err) != TS_OK) die("handles:", p->err.message);
        if (word[0] == '-' && n < MAX_ARGS) holes[n++] = i;
    }
    for (uint32_t k = 0; k < n; k++) {
        ts_handle gone;
        if (ts_handle_table_remove(&s->inst.handles, holes[k], &gone, &p->err) != TS_OK)
            die("handles:", p->err.message);
    }
}
static const char *trap_name(const ts_error *e, const char *where, char buf[40]) {
    if (e->status == TS_TRAP)
        snprintf(buf, 40, "trap-%s", where);
    else
        snprintf(buf, 40, "%s-%s", ts_status_name(e->status), where);
    return buf;
}

static void answer(probe *p, char *field[FIELDS]) {
    side *from = &p->side[0], *to = &p->side[1];
    bool result = strcmp(field[0], "result") == 0, host = strcmp(field[1], "host") == 0, keep = field[5][0] == '1';
    char *calls = NULL;
    size_t calls_len = 0;
    for (int i = 0; i < 2; i++) {
        side *s = &p->side[i];
        s->opts.encoding = encoding_of(field[3 + i], &s->opts.wide);
        s->opts.memory = s->memory[s->opts.wide];
        s->opts.realloc = s->realloc[s->opts.wide];
        memset(s->opts.memory->base, 0, MEMORY);
        free(s->inst.handles.array);
        memset(&s->inst.handles, 0, sizeof s->inst.handles);
        s->inst.may_leave = true;
        s->heap = HEAP;
        s->calls = s->fault_at = 0;
    }
    to->log = open_memstream(&calls, &calls_len);
    if (!to->log) die("no memory", "");
    if (field[11][0] != '-') {
        char *colon;
        to->fault_at = (uint32_t)strtoul(field[11], &colon, 10);
        to->fault = strtoull(colon + 1, NULL, 10);
    }
    memset(&p->task, 0, sizeof p->task);
    ts_subtask_init(&p->subtask);
    ts_error_init(&p->err);
    fill_table(p, from, field[7]);

    ts_linker *l;
    if (ts_linker_create(&l, &p->err) != TS_OK) die("linker:", p->err.message);
    const ts_cfunc_type *ft = func_type(l, field[2], &p->err);
    const ts_func_layout *layout, *to_layout;
    if (ts_flatten_functype(&p->arena, ft, from->opts.wide, &layout, &p->err) != TS_OK ||
        ts_flatten_functype(&p->arena, ft, to->opts.wide, &to_layout, &p->err) != TS_OK)
        die("layout:", p->err.message);
    if (ft->n_params > MAX_ARGS) die("too many parameters:", field[2]);
    uint32_t n = result ? 1 : ft->n_params;
    if (result && !ft->result) die("no result:", field[2]);
    uint32_t n_flat = result ? layout->n_flat_result : layout->n_flat_params;
    bool spilled = n_flat > (uint32_t)(result ? TS_MAX_FLAT_RESULTS : TS_MAX_FLAT_PARAMS);
    ts_val vals[MAX_ARGS];
    ts_slot slots[TS_MAX_FLAT_PARAMS + 2] = {0}, in[TS_MAX_FLAT_PARAMS + 2] = {0};
    ts_cabi_cx cx = {.opts = &from->opts,
                     .store = p->store,
                     .inst = &from->inst,
                     .res = p->res,
                     .task = &p->task,
                     .subtask = &p->subtask,
                     .arena = &p->arena,
                     .err = &p->err,
                     .borrow_memory = field[6][0] == '1',
                     .keep_encoding = keep};
    char name[40];
    const char *ending = "ok", *steps = "-";
    char steps_text[400] = "";
    char *at = field[8];
    ts_status st = TS_OK;
    if (host) {
        for (uint32_t i = 0; i < n; i++) read_val(p, &at, result ? ft->result : ft->params[i].type, &vals[i]);
    } else {
        unhex(field[9], from->opts.memory->base, MEMORY);
        for (uint32_t i = 0; i < (spilled ? 1 : n_flat); i++) in[i] = strtoull(next_word(&at), NULL, 16);
        memcpy(slots, in, sizeof in);
        st = result ? ts_lift_flat_result(&cx, ft, layout, slots, &vals[0])
                    : ts_lift_flat_params(&cx, TS_MAX_FLAT_PARAMS, ft, layout, slots, vals);
        if (st != TS_OK) ending = trap_name(&p->err, "lift", name);
        /* scalars take a shorter path, which must have the same result */
        if (layout->scalar) {
            ts_error e;
            ts_error_init(&e);
            uint32_t first = result ? layout->n_flat_params : 0;
            steps = steps_text;
            if (ts_flat_steps(&e, layout->steps + first, n_flat, in) != TS_OK) {
                snprintf(steps_text, sizeof steps_text, "trap-lift");
            } else {
                size_t len = 0;
                for (uint32_t i = 0; i < n_flat; i++)
                    len += (size_t)snprintf(steps_text + len, sizeof steps_text - len, "%s%" PRIx64, i ? " " : "",
                                            (uint64_t)in[i]);
            }
        }
    }
    char *lifted = NULL;
    size_t lifted_len = 0;
    FILE *out = open_memstream(&lifted, &lifted_len);
    if (!out) die("no memory", "");
    ts_slot flat[TS_MAX_FLAT_PARAMS + 2] = {0};
    if (st == TS_OK) {
        for (uint32_t i = 0; i < n; i++)
            print_val(out, result ? ft->result : ft->params[i].type, &vals[i], !host && keep);
        cx.opts = &to->opts;
        cx.inst = &to->inst;
        cx.keep_encoding = !host && keep;
        st = result ? ts_lower_flat_result(&cx, &vals[0], ft, to_layout, spilled, strtoull(field[10], NULL, 10), flat)
                    : ts_lower_flat_params(&cx, vals, ft, to_layout, flat);
        if (st != TS_OK) ending = trap_name(&p->err, "lower", name);
    }
    fclose(out);
    fclose(to->log);
    printf("%s\t%s\t", ending, lifted_len ? lifted + 1 : "");
    uint32_t n_out = spilled ? (result ? 0 : 1) : n_flat;
    for (uint32_t i = 0; i < n_out; i++) printf("%s%" PRIx64, i ? " " : "", (uint64_t)flat[i]);
    printf("\t%s\t%s\t", steps, calls);
    size_t used = MEMORY;
    while (used && to->opts.memory->base[used - 1] == 0) used--;
    hex(stdout, to->opts.memory->base, used);
    printf("\t");
    print_table(stdout, p, from);
    printf("\t");
    print_table(stdout, p, to);
    printf("\t%s\n", st == TS_OK ? "" : p->err.message);
    fflush(stdout);
    free(calls);
    free(lifted);
    ts_subtask_deliver_resolve(&p->subtask, &from->inst);
    ts_linker_destroy(l);
    ts_arena_reset(&p->arena);
}

int main(void) {
    static probe p;
    setup(&p);
    char *line = malloc(LINE);
    if (!line) die("no memory", "");
    while (fgets(line, LINE, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *field[FIELDS], *at = line;
        for (int i = 0; i < FIELDS; i++) {
            field[i] = strsep(&at, "\t");
            if (!field[i]) die("a request has too few fields", "");
        }
        answer(&p, field);
    }
    free(line);
    for (int i = 0; i < 2; i++) free(p.side[i].inst.handles.array);
    ts_arena_free(&p.arena);
    ts_cstore_destroy(p.store);
    ts_engine_destroy(p.engine);
    return 0;
}
