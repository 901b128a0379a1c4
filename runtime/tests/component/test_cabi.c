/* test_cabi: the canonical ABI by itself, on a memory without a guest.
 * In: random types and values; bad bytes. Out: stored values load again, flat and through memory, in each
 * encoding; traps with their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "component/abi/context.h"
#include "component/abi/memory.h"
#include "component/abi/handles.h"
#include "component/abi/load.h"
#include "component/abi/store.h"
#include "component/abi/string.h"
#include "component/abi/flat.h"
#include "component/type/wave.h"
#include "component/run/instance.h"
#include "base/utf8.h"

enum { PAGES = 16, HEAP = 4096 };
typedef struct world {
    ts_engine *engine;
    ts_cstore *store;
    ts_cinstance inst;
    ts_resource rt, own_rt;
    ts_resource *res[2];
    ts_cabi_opts opts;
    ts_task task;
    ts_subtask subtask;
    ts_arena arena;
    ts_error err;
    uint64_t heap; /* for the bump allocator below */
    uint32_t reallocs;
    uint64_t seed;
} world;
static world w;

static uint32_t rnd(uint32_t below) { /* xorshift */
    w.seed ^= w.seed << 13;
    w.seed ^= w.seed >> 7;
    w.seed ^= w.seed << 17;
    return (uint32_t)(w.seed >> 20) % below;
}

static ts_status bump(void *data, ts_exec *x, ts_slot *io) {
    (void)data, (void)x;
    uint32_t old = (uint32_t)io[0], old_size = (uint32_t)io[1], align = (uint32_t)io[2], size = (uint32_t)io[3];
    assert_false(w.inst.may_leave);
    uint64_t p = ts_align_to(w.heap, align ? align : 1);
    w.heap = p + size;
    w.reallocs++;
    if (old_size) memmove(w.opts.memory->base + p, w.opts.memory->base + old, old_size < size ? old_size : size);
    io[0] = p;
    return TS_OK;
}

static ts_cabi_cx context(void) {
    ts_error_init(&w.err);
    return (ts_cabi_cx){.opts = &w.opts,
                        .store = w.store,
                        .inst = &w.inst,
                        .res = w.res,
                        .task = &w.task,
                        .subtask = &w.subtask,
                        .arena = &w.arena,
                        .err = &w.err};
}

static int setup(void **s) {
    (void)s;
    ts_error_init(&w.err);
    ts_arena_init(&w.arena);
    w.seed = 88172645463325252u;
    if (ts_engine_create(&w.engine, &w.err) != TS_OK || ts_cstore_create(w.engine, NULL, &w.store, &w.err) != TS_OK)
        return 1;
    ts_limits pages = {.min = PAGES, .max = PAGES, .has_max = true, .page_log2 = 16};
    const ts_valtype i32[4] = {TS_VT_I32, TS_VT_I32, TS_VT_I32, TS_VT_I32};
    uint32_t type;
    ts_store *core = ts_cstore_core(w.store);
    if (ts_memory_make(core, &pages, &w.opts.memory, &w.err) != TS_OK) return 1;
    if (ts_types_func(ts_engine_types(w.engine), i32, 4, i32, 1, &type, &w.err) != TS_OK) return 1;
    if (ts_func_make_host(core, type, bump, NULL, "realloc", &w.opts.realloc, &w.err) != TS_OK) return 1;
    w.inst.store = w.store;
    w.inst.may_leave = true;
    w.opts.inst = &w.inst;
    w.own_rt.impl = &w.inst;
    w.res[0] = &w.rt;
    w.res[1] = &w.own_rt;
    ts_subtask_init(&w.subtask);
    return 0;
}
static int teardown(void **s) {
    (void)s;
    ts_subtask_deliver_resolve(&w.subtask, &w.inst);
    free(w.inst.handles.array);
    ts_cstore_destroy(w.store);
    ts_engine_destroy(w.engine);
    ts_arena_free(&w.arena);
    return 0;
}

/* --- random types and values ---------------------------------------------------------------------------- */
static const char *name_of(uint32_t i) {
    char *b = ts_arena_alloc(&w.arena, 12);
    snprintf(b, 12, "n%u", i);
    return b;
}
static const ts_ctype *random_type(unsigned depth) {
    uint32_t k = rnd(depth ? 24 : TS_CT_STRING + 1);
    if (k <= TS_CT_STRING) return ts_ctype_primitive((ts_ct_kind)k);
    ts_ctype *t = ts_arena_alloc(&w.arena, sizeof *t);
    static const ts_ct_kind kinds[] = {TS_CT_RECORD, TS_CT_VARIANT,    TS_CT_LIST,   TS_CT_TUPLE,
                                       TS_CT_FLAGS,  TS_CT_ENUM,       TS_CT_OPTION, TS_CT_RESULT,
                                       TS_CT_OWN,    TS_CT_FIXED_LIST, TS_CT_MAP};
    t->kind = kinds[k - TS_CT_STRING - 1];
    switch (t->kind) {
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
    case TS_CT_VARIANT:
    case TS_CT_FLAGS:
    case TS_CT_ENUM: {
        t->n = t->kind == TS_CT_FLAGS ? 1 + rnd(32) : t->kind == TS_CT_ENUM ? 1 + rnd(300) : 1 + rnd(5);
        ts_ct_case *c = ts_arena_array(&w.arena, t->n, sizeof *c);
        for (uint32_t i = 0; i < t->n; i++) {
            c[i].name = t->kind == TS_CT_TUPLE ? NULL : name_of(i);
            if (t->kind == TS_CT_RECORD || t->kind == TS_CT_TUPLE || (t->kind == TS_CT_VARIANT && rnd(3)))
                c[i].type = random_type(depth - 1);
        }
        t->cases = c;
        break;
    }
    case TS_CT_RESULT:
        if (rnd(3)) t->elem = random_type(depth - 1);
        if (rnd(3)) t->elem2 = random_type(depth - 1);
        break;
    case TS_CT_OWN: t->resource = 0; break;
    case TS_CT_MAP:
        t->elem2 = ts_ctype_primitive(rnd(2) ? TS_CT_STRING : TS_CT_U16);
        t->elem = random_type(depth - 1);
        break;
    case TS_CT_FIXED_LIST:
        t->n = 1 + rnd(4);
        t->elem = random_type(depth - 1);
        break;
    default: t->elem = random_type(depth - 1);
    }
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_ctype_finish(t, &w.arena, &e), TS_OK);
    return t;
}
static uint32_t random_point(void) {
    static const uint32_t ends[] = {0,     0x7f,   0x80,   0xff,   0x100,   0x7ff,
                                    0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    if (rnd(2)) return 'a' + rnd(26);
    if (rnd(2)) return 0xa0 + rnd(0x60);
    return ends[rnd(12)];
}
static void random_val(const ts_ctype *t, ts_val *v) {
    memset(v, 0, sizeof *v);
    switch (t->kind) {
    case TS_CT_BOOL: v->b = rnd(2); return;
    case TS_CT_F32: v->f32 = rnd(8) ? (float)rnd(1000000) / 7 : __builtin_nanf(""); return;
    case TS_CT_F64: v->f64 = rnd(8) ? (double)rnd(1000000) / 7 : __builtin_nan(""); return;
    case TS_CT_CHAR: v->ch = random_point(); return;
    case TS_CT_STRING: {
        uint32_t n = rnd(12), at = 0;
        char *b = ts_arena_alloc(&w.arena, 4 * n + 4);
        for (uint32_t i = 0; i < n; i++) at += ts_utf8_encode(random_point(), (uint8_t *)b + at);
        v->str.ptr = b;
        v->str.len = at;
        return;
    }
    case TS_CT_RECORD:
    case TS_CT_TUPLE: {
        ts_val *f = ts_arena_array(&w.arena, t->n, sizeof *f);
        for (uint32_t i = 0; i < t->n; i++) random_val(t->cases[i].type, &f[i]);
        v->list.ptr = f;
        v->list.len = t->n;
        return;
    }
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: {
        uint32_t n = t->kind == TS_CT_FIXED_LIST ? t->n : rnd(5);
        bool raw = t->kind != TS_CT_MAP && ts_ct_is_raw_elem(t->elem->kind);
        size_t size = raw ? t->elem->size : sizeof(ts_val);
        uint8_t *out = ts_arena_array(&w.arena, n, size);
        for (uint32_t i = 0; i < n; i++) {
            ts_val one = {.list = {NULL, 2}};
            if (t->kind == TS_CT_MAP) {
                ts_val *kv = ts_arena_array(&w.arena, 2, sizeof *kv);
                random_val(t->elem2, &kv[0]);
                random_val(t->elem, &kv[1]);
                one.list.ptr = kv;
            } else {
                random_val(t->elem, &one);
            }
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
        uint32_t n = t->kind == TS_CT_OPTION || t->kind == TS_CT_RESULT ? 2 : t->n, d = rnd(n);
        const ts_ctype *c = t->kind == TS_CT_VARIANT  ? t->cases[d].type
                            : t->kind == TS_CT_OPTION ? (d ? t->elem : NULL)
                            : t->kind == TS_CT_RESULT ? (d ? t->elem2 : t->elem)
                                                      : NULL;
        ts_val *p = c ? ts_arena_alloc(&w.arena, sizeof *p) : NULL;
        if (c) random_val(c, p);
        v->variant.disc = d;
        v->variant.payload = p;
        return;
    }
    case TS_CT_FLAGS: v->flags.bits = rnd(UINT32_MAX) & (t->n == 32 ? UINT32_MAX : (1u << t->n) - 1); return;
    case TS_CT_OWN: v->handle.rep = 1 + rnd(99); return;
    default:
        v->u64 = ((uint64_t)rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX)) &
                 (t->size == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * t->size) - 1);
    }
}
static const char *text_of(const ts_ctype *t, const ts_val *v) {
    size_t n = ts_wave_print(t, v, NULL, 0, 0);
    char *b = ts_arena_alloc(&w.arena, n + 1);
    ts_wave_print(t, v, b, n + 1, 0);
    return b;
}

static void test_round_trips(void **s) {
    (void)s;
    uint32_t flat = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        const ts_ctype *t = random_type(3);
        ts_val v, back;
        random_val(t, &v);
        const char *want = text_of(t, &v);
        w.opts.encoding = (ts_string_encoding)rnd(3);
        w.heap = HEAP;
        ts_cabi_cx cx = context();
        cx.borrow_memory = rnd(2);
        if (t->n_flat <= TS_MAX_FLAT_PARAMS && rnd(2)) {
            ts_slot slots[TS_MAX_FLAT_PARAMS + 1], *to = slots;
            const ts_slot *from = slots;
            slots[t->n_flat] = 0xfeed;
            if (ts_lower_flat(&cx, &v, t, &to) != TS_OK) fail_msg("lower_flat %s: %s", want, w.err.message);
            assert_int_equal(to - slots, t->n_flat);
            assert_int_equal(slots[t->n_flat], 0xfeed);
            for (uint32_t k = 0; k < t->n_flat; k++) { /* an i32 or f32 slot holds 32 bits */
                if (t->flat[k] == TS_VT_I32 || t->flat[k] == TS_VT_F32) assert_true(slots[k] <= UINT32_MAX);
            }
            if (ts_lift_flat(&cx, &from, t, &back) != TS_OK) fail_msg("lift_flat %s: %s", want, w.err.message);
            assert_int_equal(from - slots, t->n_flat);
            flat++;
        } else {
            uint64_t at = ts_align_to(64 + rnd(64), t->align);
            if (ts_cabi_store(&cx, &v, t, at) != TS_OK) fail_msg("store %s: %s", want, w.err.message);
            if (ts_cabi_load(&cx, at, t, &back) != TS_OK) fail_msg("load %s: %s", want, w.err.message);
        }
        assert_string_equal(text_of(t, &back), want);
        assert_int_equal(w.inst.handles.live, 0);
        assert_true(w.inst.may_leave);
        ts_arena_reset(&w.arena);
    }
    assert_true(flat > 500);
}

/* A string that goes from one component to another keeps its encoding until it is stored. */
static void test_transcoding(void **s) {
    (void)s;
    for (uint32_t i = 0; i < 2000; i++) {
        const ts_ctype *t = ts_ctype_primitive(TS_CT_STRING);
        ts_val v, tagged, back;
        random_val(t, &v);
        const char *want = text_of(t, &v);
        w.heap = HEAP;
        ts_cabi_cx cx = context();
        w.opts.encoding = (ts_string_encoding)rnd(3);
        assert_int_equal(ts_cabi_store(&cx, &v, t, 64), TS_OK);
        cx.keep_encoding = true;
        cx.borrow_memory = rnd(2);
        assert_int_equal(ts_cabi_load(&cx, 64, t, &tagged), TS_OK);
        w.opts.encoding = (ts_string_encoding)rnd(3);
        assert_int_equal(ts_cabi_store(&cx, &tagged, t, 72), TS_OK);
        cx.keep_encoding = false;
        assert_int_equal(ts_cabi_load(&cx, 72, t, &back), TS_OK);
        assert_string_equal(text_of(t, &back), want);
        ts_arena_reset(&w.arena);
    }
}

static void traps(const char *what, const ts_ctype *t, const void *bytes, size_t n, const char *words) {
    ts_cabi_cx cx = context();
    ts_val v;
    memcpy(w.opts.memory->base + 64, bytes, n);
    if (ts_cabi_load(&cx, 64, t, &v) == TS_OK) fail_msg("%s was loaded", what);
    assert_int_equal(w.err.status, TS_TRAP);
    assert_int_equal(w.err.trap, TS_TRAP_CABI);
    if (!strstr(w.err.message, words)) fail_msg("%s: %s", what, w.err.message);
}
static void test_traps(void **s) {
    (void)s;
    const ts_ctype *str = ts_ctype_primitive(TS_CT_STRING), *ch = ts_ctype_primitive(TS_CT_CHAR);
    ts_ctype lists = {.kind = TS_CT_LIST, .elem = ts_ctype_primitive(TS_CT_U32)},
             opt = {.kind = TS_CT_OPTION, .elem = ch}, own = {.kind = TS_CT_OWN};
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_ctype_finish(&lists, &w.arena, &e), TS_OK);
    assert_int_equal(ts_ctype_finish(&opt, &w.arena, &e), TS_OK);
    assert_int_equal(ts_ctype_finish(&own, &w.arena, &e), TS_OK);
    const uint32_t end = PAGES * 65536;
    memcpy(w.opts.memory->base + 1024, "\xff\xd8\x00\x00", 4);
    w.opts.encoding = TS_ENC_UTF8;
    traps("string past the end", str, (uint32_t[]){end - 1, 2}, 8, "out of bounds");
    traps("string of 4 GiB", str, (uint32_t[]){0, UINT32_MAX}, 8, "too large");
    traps("bad utf-8", str, (uint32_t[]){1024, 2}, 8, "utf-8");
    w.opts.encoding = TS_ENC_UTF16;
    traps("odd pointer", str, (uint32_t[]){1025, 1}, 8, "unaligned");
    memcpy(w.opts.memory->base + 1024, "\x00\xdc\x41\x00", 4);
    traps("lone low surrogate", str, (uint32_t[]){1024, 2}, 8, "surrogate");
    memcpy(w.opts.memory->base + 1024, "\x41\x00\x00\xd8", 4);
    traps("surrogate at the end", str, (uint32_t[]){1024, 2}, 8, "surrogate");
    w.opts.encoding = TS_ENC_LATIN1_UTF16;
    traps("tagged, past the end", str, (uint32_t[]){end - 2, 0x80000002u}, 8, "out of bounds");
    w.opts.encoding = TS_ENC_UTF8;
    traps("list, unaligned", &lists, (uint32_t[]){1026, 1}, 8, "unaligned");
    traps("list past the end", &lists, (uint32_t[]){end, 1}, 8, "out of bounds");
    traps("list too long", &lists, (uint32_t[]){0, 0x40000000u}, 8, "too large");
    traps("surrogate char", ch, (uint32_t[]){0xd800}, 4, "`char`");
    traps("char past the last", ch, (uint32_t[]){0x110000}, 4, "`char`");
    traps("discriminant", &opt, (uint8_t[]){2, 0, 0, 0, 65, 0, 0, 0}, 8, "discriminant");
    traps("no such handle", &own, (uint32_t[]){1}, 4, "unknown handle index 1");
    traps("handle 0", &own, (uint32_t[]){0}, 4, "unknown handle index 0");
    /* an empty list at the end of memory is in bounds */
    ts_cabi_cx cx = context();
    ts_val v;
    memcpy(w.opts.memory->base + 64, (uint32_t[]){end, 0}, 8);
    assert_int_equal(ts_cabi_load(&cx, 64, &lists, &v), TS_OK);
}

static void test_handles(void **s) {
    (void)s;
    ts_ctype own = {.kind = TS_CT_OWN}, borrow = {.kind = TS_CT_BORROW}, mine = {.kind = TS_CT_BORROW, .resource = 1};
    free(w.inst.handles.array);
    memset(&w.inst.handles, 0, sizeof w.inst.handles);
    ts_cabi_cx cx = context();
    ts_val v = {.handle = {.rep = 41}}, out;
    uint32_t a, b, c;
    assert_int_equal(ts_lower_own(&cx, &v, &own, &a), TS_OK);
    assert_int_equal(ts_lower_own(&cx, &v, &own, &b), TS_OK);
    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
    assert_int_equal(ts_lift_borrow(&cx, a, &borrow, &out), TS_OK);
    assert_int_equal(out.handle.rep, 41);
    /* lent; the specification removes it before it checks */
    assert_int_equal(ts_lift_own(&cx, a, &own, &out), TS_TRAP);
    assert_non_null(strstr(w.err.message, "while borrowed"));
    cx = context();
    w.subtask.n_lenders = 0;
    assert_int_equal(ts_lift_own(&cx, b, &own, &out), TS_OK);
    assert_int_equal(ts_lower_own(&cx, &v, &own, &c), TS_OK);
    /* the index that was freed last comes first */
    assert_int_equal(c, b);
    /* the instance's own resource, so the representation itself */
    assert_int_equal(ts_lower_borrow(&cx, &v, &mine, &a), TS_OK);
    assert_int_equal(a, 41);
    assert_int_equal(w.task.num_borrows, 0);
    assert_int_equal(ts_lower_borrow(&cx, &v, &borrow, &a), TS_OK);
    assert_int_equal(w.task.num_borrows, 1);
    assert_int_equal(ts_lift_own(&cx, a, &own, &out), TS_TRAP);
    assert_non_null(strstr(w.err.message, "borrowed handle"));
    cx = context();
    assert_int_equal(ts_canon_resource_drop(&w.inst, &w.own_rt, c, &w.err), TS_TRAP);
    assert_non_null(strstr(w.err.message, "wrong type"));
}

/* The guest's realloc is called as often as the specification says, and no more. */
static void test_realloc_calls(void **s) {
    (void)s;
    static const struct {
        const char *text;
        ts_string_encoding enc;
        uint32_t calls;
        uint64_t tagged;
    } rows[] = {{"abc", TS_ENC_UTF8, 1, 3},
                {"", TS_ENC_UTF8, 1, 0},
                {"abc", TS_ENC_UTF16, 1, 3},
                {"\xc3\xa9", TS_ENC_UTF16, 2, 1},
                {"abc", TS_ENC_LATIN1_UTF16, 1, 3},
                {"\xc3\xa9", TS_ENC_LATIN1_UTF16, 2, 1},
                {"a\xe2\x82\xac", TS_ENC_LATIN1_UTF16, 3, 2 | 1u << 31}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_cabi_cx cx = context();
        w.opts.encoding = rows[i].enc;
        w.heap = HEAP;
        w.reallocs = 0;
        ts_val v = {.str = {rows[i].text, strlen(rows[i].text)}};
        uint64_t ptr, tagged;
        assert_int_equal(ts_cabi_store_string_into_range(&cx, &v, &ptr, &tagged), TS_OK);
        assert_int_equal(w.reallocs, rows[i].calls);
        assert_int_equal(tagged, rows[i].tagged);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),   cmocka_unit_test(test_transcoding), cmocka_unit_test(test_traps),
        cmocka_unit_test(test_realloc_calls), cmocka_unit_test(test_handles),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
