/* test_linker: what links, what does not and why; the trace; resources that are returned at the end.
 * In: the component of the embedding example. Out: verdicts and reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "examples/embed_component.h"

static ts_engine *engine;
static ts_component *component;
static uint32_t dropped;

static ts_status make_counter(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args;
    result->handle.rep = 7;
    return TS_OK;
}
static ts_status add(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    if (data) return ts_callback_trap(c, "not today");
    assert_int_equal(args[0].handle.rep, 7);
    result->u32 = args[1].u32 + 100;
    return TS_OK;
}
static ts_status log_text(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args, (void)result;
    return TS_OK;
}
static ts_status drop(ts_host_call *c, void *data, uint64_t rep) {
    (void)c, (void)data;
    assert_int_equal(rep, 7);
    dropped++;
    return TS_OK;
}

static ts_linker *linker(const char *iface, const char *add_type, void *trap) {
    ts_linker *l;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_linker_new(&l, &e), TS_OK);
    if (!iface) return l;
    assert_int_equal(ts_linker_define_resource(l, iface, "counter", drop, NULL, &e), TS_OK);
    assert_int_equal(ts_linker_define_func(l, iface, "[constructor]counter", "func(start: u32) -> own<counter>",
                                           make_counter, NULL, &e),
                     TS_OK);
    assert_int_equal(ts_linker_define_func(l, iface, "[method]counter.add", add_type, add, trap, &e), TS_OK);
    assert_int_equal(ts_linker_define_func(l, iface, "log", "func(text: string)", log_text, NULL, &e), TS_OK);
    return l;
}
static const char *const add_type = "func(self: borrow<counter>, n: u32) -> u32";

static uint32_t check(ts_linker *l, ts_missing *out, uint32_t max) {
    uint32_t n;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_linker_check(l, component, out, max, &n, &e), TS_OK);
    return n;
}

static void test_versions(void **s) {
    (void)s;
    static const struct {
        const char *iface;
        bool links;
    } rows[] = {{"example:host/tally@1.0.5", true},  {"example:host/tally@1.2.3", true},
                {"example:host/tally@2.0.0", false}, {"example:host/tally@0.1.0", false},
                {"example:host/tally", false},       {"example:host/other@1.0.0", false},
                {"example:host/tally@1.0.0", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_linker *l = linker(rows[i].iface, add_type, NULL);
        ts_missing m[8];
        uint32_t n = check(l, m, 8);
        if ((n == 0) != rows[i].links) fail_msg("%s: %u missing, first: %s", rows[i].iface, n, n ? m[0].reason : "");
        if (i == 2) assert_non_null(strstr(m[0].reason, "not compatible"));
        ts_linker_free(l);
    }
}

static void test_missing(void **s) {
    (void)s;
    ts_missing m[2];
    ts_linker *l = linker(NULL, NULL, NULL);
    assert_int_equal(check(l, m, 2), 4); /* the resource and three functions; no more than two are written */
    assert_string_equal(m[0].name, "example:host/tally@1.0.0");
    ts_cstore *store;
    ts_cinstance *i;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);
    assert_int_equal(ts_component_instantiate(store, l, component, &i, &e), TS_UNLINKABLE);
    ts_error_init(&e);
    ts_linker_set_unknown_imports_trap(l, true);
    assert_int_equal(ts_component_instantiate(store, l, component, &i, &e), TS_OK);
    ts_pool *pool = ts_pool_new();
    const char *r;
    assert_int_equal(ts_cinstance_call_text(store, i, "measure(\"x\")", pool, &r, &e), TS_TRAP);
    assert_int_equal(e.trap, TS_TRAP_UNIMPLEMENTED);
    assert_non_null(strstr(e.message, "example:host/tally@1.0.0 log"));
    ts_error_init(&e); /* the trap has closed the instance */
    assert_int_equal(ts_cinstance_call_text(store, i, "measure(\"x\")", pool, &r, &e), TS_TRAP);
    assert_non_null(strstr(e.message, "cannot enter component instance"));
    ts_pool_free(pool);
    ts_cstore_free(store);
    ts_linker_free(l);
}

static void test_mismatch(void **s) {
    (void)s;
    ts_missing m[4];
    ts_linker *l = linker("example:host/tally@1.0.0", "func(self: borrow<counter>, n: u64) -> u32", NULL);
    assert_int_equal(check(l, m, 4), 1);
    assert_string_equal(m[0].function, "[method]counter.add");
    assert_non_null(strstr(m[0].reason, "type mismatch"));
    ts_linker_free(l);
    l = linker("example:host/tally@1.0.0", add_type, NULL);
    ts_linker_deny(l, "example:host/tally");
    assert_int_equal(check(l, m, 4), 4);
    assert_string_equal(m[3].reason, "denied");
    ts_linker_free(l);
    /* a name that would deny nothing is refused; other namespaces are not checked */
    static const char *const names[] = {"example:host",      "example:",    "other:a/b",
                                        "example:host/tale", "example:hos", "example:host/tally@1.0.0",
                                        "example:host/",     "example"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ts_cstore *store;
        ts_cinstance *instance;
        ts_error e;
        ts_error_init(&e);
        l = linker("example:host/tally@1.0.0", add_type, NULL);
        ts_linker_set_unknown_imports_trap(l, true);
        ts_linker_deny(l, names[i]);
        assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);
        assert_int_equal(ts_component_instantiate(store, l, component, &instance, &e), i < 3 ? TS_OK : TS_USAGE);
        ts_cstore_free(store);
        ts_linker_free(l);
    }
}

static void test_types_by_text(void **s) {
    (void)s;
    ts_linker *l = linker("a:b/c@1.0.0", add_type, NULL);
    static const char *const good[] = {"func()", "func() -> result",
                                       "func(a: result<_, u8>, b: result<u8>) -> tuple<u8, string>",
                                       "func(a: list<option<record { x: u8, %y: char }>>,)",
                                       "func(v: variant { a, b(u32) }, e: enum { x, y }, f: flags { p, q })"};
    static const char *const bad[] = {"func",
                                      "func(a u8)",
                                      "func(a: u7)",
                                      "func(a: borrow<none>)",
                                      "func() -> u8 u8",
                                      "func(a: list<u8)",
                                      "func(a: tuple<>)",
                                      "func(e: enum {})"};
    ts_error e;
    char name[8];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ts_error_init(&e);
        snprintf(name, sizeof name, "g%zu", i);
        if (ts_linker_define_func(l, "a:b/c@1.0.0", name, good[i], log_text, NULL, &e) != TS_OK)
            fail_msg("%s: %s", good[i], e.message);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_error_init(&e);
        snprintf(name, sizeof name, "b%zu", i);
        if (ts_linker_define_func(l, "a:b/c@1.0.0", name, bad[i], log_text, NULL, &e) == TS_OK)
            fail_msg("%s was accepted", bad[i]);
    }
    ts_error_init(&e);
    assert_int_equal(ts_linker_define_func(l, "a:b/c@1.0.0", "g0", "func()", log_text, NULL, &e), TS_USAGE);
    ts_linker_free(l);
}

typedef struct lines {
    char text[4096];
} lines;
static void keep(void *data, const char *line, size_t len) {
    lines *x = data;
    size_t n = strlen(x->text);
    snprintf(x->text + n, sizeof x->text - n, "%.*s\n", (int)len, line);
}

static void test_trace(void **s) {
    (void)s;
    for (int trap = 0; trap < 2; trap++) {
        lines out = {{0}};
        ts_trace t = {.line = keep, .data = &out, .filter = "wasi:io,tally"};
        ts_linker *l = linker("example:host/tally@1.0.5", add_type, trap ? &out : NULL);
        ts_linker_set_trace(l, &t);
        ts_cstore *store;
        ts_cinstance *i;
        ts_error e;
        ts_frame frame;
        ts_error_init_frames(&e, &frame, 1);
        assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);
        assert_int_equal(ts_component_instantiate(store, l, component, &i, &e), TS_OK);
        ts_pool *pool = ts_pool_new();
        const char *r;
        dropped = 0;
        ts_status st = ts_cinstance_call_text(store, i, "measure(\"four\")", pool, &r, &e);
        if (!trap) {
            assert_int_equal(st, TS_OK);
            assert_string_equal(r, "{text: \"four\", total: 104}");
            assert_int_equal(dropped, 1);
            assert_string_equal(out.text, "example:host/tally@1.0.0 log(\"four\")\n"
                                          "example:host/tally@1.0.0 [constructor]counter(100) -> #1\n"
                                          "example:host/tally@1.0.0 [method]counter.add(#1, 4) -> 104\n"
                                          "example:host/tally [resource-drop]counter(#1)\n");
        } else {
            assert_int_equal(st, TS_TRAP);
            assert_int_equal(e.trap, TS_TRAP_HOST);
            assert_string_equal(e.message, "not today");
            assert_int_equal(e.n_frames, 1);
            assert_int_equal(dropped, 0);
            assert_non_null(strstr(out.text, "counter.add(#1, 4) -> trap: not today\n"));
        }
        ts_pool_free(pool);
        ts_cstore_free(store);
        /* handles that the guest still held are dropped with the store */
        if (trap) assert_int_equal(dropped, 1);
        ts_linker_free(l);
    }
}

/* A filter has names of interfaces or packages, with or without what comes before or after. */
static void test_filters(void **s) {
    (void)s;
    static const struct {
        const char *filter;
        bool shown;
    } rows[] = {{NULL, true},
                {"", true},
                {"example:host", true},
                {"example:host/tally", true},
                {"host", true},
                {"host/tally", true},
                {"tally", true},
                {"other,tally", true},
                {",tally", true},
                {"tally,", true},
                {",", false},
                {"example:hos", false},
                {"example:host/tall", false},
                {"hos", false},
                {"tall", false},
                {"example", false},
                {"host/other", false}};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const bool given = i % 2; /* what nothing provides, and traps, is traced too: with the name of the import */
        const char *filter = rows[i / 2].filter;
        lines out = {{0}};
        ts_trace t = {.line = keep, .data = &out, .filter = filter};
        ts_linker *l = linker(given ? "example:host/tally@1.0.5" : NULL, add_type, NULL);
        ts_linker_set_unknown_imports_trap(l, true);
        ts_linker_set_trace(l, &t);
        ts_cstore *store;
        ts_cinstance *instance;
        ts_error e;
        const char *r;
        ts_error_init(&e);
        assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);
        assert_int_equal(ts_component_instantiate(store, l, component, &instance, &e), TS_OK);
        ts_pool *pool = ts_pool_new();
        assert_int_equal(ts_cinstance_call_text(store, instance, "measure(\"four\")", pool, &r, &e),
                         given ? TS_OK : TS_TRAP);
        if ((out.text[0] != 0) != rows[i / 2].shown) fail_msg("filter `%s`: %s", filter ? filter : "NULL", out.text);
        ts_pool_free(pool);
        ts_cstore_free(store);
        ts_linker_free(l);
    }
}

/* (component (import "m" (core module $m (export "f" (func (result i32))))) (core instance $i (instantiate $m))
 *   (func (export "f") (result u32) (canon lift (core func $i "f")))) */
static const uint8_t imports_module[] = {
    0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, 0x03, 0x0d, 0x01, 0x50, 0x02, 0x01, 0x60, 0x00, 0x01, 0x7f,
    0x03, 0x01, 0x66, 0x00, 0x00, 0x0a, 0x07, 0x01, 0x00, 0x01, 0x6d, 0x00, 0x11, 0x00, 0x02, 0x04, 0x01, 0x00,
    0x00, 0x00, 0x07, 0x05, 0x01, 0x40, 0x00, 0x00, 0x79, 0x06, 0x07, 0x01, 0x00, 0x00, 0x01, 0x00, 0x01, 0x66,
    0x08, 0x06, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x07, 0x01, 0x00, 0x01, 0x66, 0x01, 0x00, 0x00};
/* (module (func (export "f") (result i32) i32.const 42)) */
static const uint8_t plain_module[] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60,
                                       0x00, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66,
                                       0x00, 0x00, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x41, 0x2a, 0x0b};
enum { RESULT_TYPE = 14, CONST_OP = 31, CONST_VALUE = 32 }; /* places in it */

/* The module, with another constant, or with i64 instead of i32. */
static ts_core_module *core_module(ts_engine *of, uint8_t value, bool wide) {
    uint8_t bytes[sizeof plain_module];
    ts_core_module *m;
    ts_error e;
    ts_error_init(&e);
    memcpy(bytes, plain_module, sizeof bytes);
    assert_int_equal(bytes[RESULT_TYPE], 0x7f);
    assert_int_equal(bytes[CONST_OP], 0x41);
    bytes[CONST_VALUE] = value;
    if (wide) bytes[RESULT_TYPE] = 0x7e, bytes[CONST_OP] = 0x42;
    assert_int_equal(ts_core_module_load(of, bytes, sizeof bytes, &m, &e), TS_OK);
    return m;
}
/* A core module for an import: it must have the exports that the import asks for, and be of the same engine. */
static void test_modules(void **s) {
    (void)s;
    ts_error e;
    ts_error_init(&e);
    ts_component *c;
    ts_engine *other;
    ts_cstore *store;
    ts_cinstance *i;
    const char *r;
    assert_int_equal(ts_component_load(engine, imports_module, sizeof imports_module, &c, &e), TS_OK);
    assert_int_equal(ts_engine_new(&other, &e), TS_OK);
    ts_core_module *m42 = core_module(engine, 42, false), *m43 = core_module(engine, 43, false),
                   *wide = core_module(engine, 42, true), *foreign = core_module(other, 42, false);
    ts_linker *l = linker(NULL, NULL, NULL);
    ts_pool *pool = ts_pool_new();
    assert_int_equal(ts_cstore_new(engine, NULL, &store, &e), TS_OK);

    assert_int_equal(ts_component_instantiate(store, l, c, &i, &e), TS_UNLINKABLE);
    assert_non_null(strstr(e.message, "no such core module is provided"));
    const struct {
        ts_core_module *m;
        ts_status st;
        const char *said;
    } rows[] = {{wide, TS_UNLINKABLE, "type mismatch"},
                {m42, TS_OK, "42"},
                {m43, TS_OK, "43"}, /* the last one of a name */
                {foreign, TS_USAGE, "belongs to another engine"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        ts_error_init(&e);
        assert_int_equal(ts_linker_add_module(l, "m", rows[k].m, &e), TS_OK);
        ts_status st = ts_component_instantiate(store, l, c, &i, &e);
        if (st == TS_OK) st = ts_cinstance_call_text(store, i, "f()", pool, &r, &e);
        if (st != rows[k].st || !strstr(st == TS_OK ? r : e.message, rows[k].said))
            fail_msg("row %zu: %s: %s", k, ts_status_name(st), st == TS_OK ? r : e.message);
    }
    ts_pool_free(pool);
    ts_cstore_free(store);
    ts_linker_free(l);
    ts_component_free(c);
    ts_core_module_free(m42);
    ts_core_module_free(m43);
    ts_core_module_free(wide);
    ts_core_module_free(foreign);
    ts_engine_free(other);
}

static int setup(void **s) {
    (void)s;
    ts_error e;
    ts_error_init(&e);
    if (ts_engine_new(&engine, &e) != TS_OK) return 1;
    return ts_component_load(engine, embed_component, sizeof embed_component, &component, &e) != TS_OK;
}
static int teardown(void **s) {
    (void)s;
    ts_component_free(component);
    ts_engine_free(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),      cmocka_unit_test(test_missing), cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_types_by_text), cmocka_unit_test(test_trace),   cmocka_unit_test(test_modules),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
