/* test_component_values: values of the component model (literals, imports, exports, start functions with
 * values), imported components, names with attributes, several versions, limits.
 * In: components written as bytes. Out: their exports, or the rule that they break.
 * spec: Binary.md#value-definitions, #start-definitions, #import-and-export-definitions; Explainer.md, the
 * same sections */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "component/abi/context.h"
#include "component/run/linker.h"

static ts_engine *engine;
static ts_error err;

typedef struct build {
    uint8_t bytes[1 << 17];
    size_t len;
} build;
static void put(build *b, const void *p, size_t n) {
    assert_true(b->len + n <= sizeof b->bytes);
    memcpy(b->bytes + b->len, p, n);
    b->len += n;
}
static build begin(void) {
    build b = {.len = 0};
    put(&b, "\0asm\x0d\0\1\0", 8);
    return b;
}
static void section(build *b, uint8_t id, const void *p, size_t n) {
    put(b, (const uint8_t[]){id, (uint8_t)(n | 0x80), (uint8_t)(n >> 7 | 0x80), (uint8_t)(n >> 14)}, 4);
    put(b, p, n);
}
#define SECTION(b, id, text) section((b), (id), (text), sizeof(text) - 1)

/* (memory "mem") (func "realloc") (func "f" (param string) (result its length)) (func "g" (param (tuple
 * string u32)) (result (tuple string u32 + 1))) */
static const uint8_t module[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x16, 0x03, 0x60, 0x04, 0x7f, 0x7f, 0x7f, 0x7f, 0x01,
    0x7f, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x01, 0x7f, 0x03, 0x04, 0x03, 0x00,
    0x01, 0x02, 0x05, 0x03, 0x01, 0x00, 0x01, 0x06, 0x07, 0x01, 0x7f, 0x01, 0x41, 0xc0, 0x00, 0x0b, 0x07, 0x19,
    0x04, 0x03, 0x6d, 0x65, 0x6d, 0x02, 0x00, 0x07, 0x72, 0x65, 0x61, 0x6c, 0x6c, 0x6f, 0x63, 0x00, 0x00, 0x01,
    0x66, 0x00, 0x01, 0x01, 0x67, 0x00, 0x02, 0x0a, 0x3b, 0x03, 0x17, 0x01, 0x01, 0x7f, 0x23, 0x00, 0x41, 0x07,
    0x6a, 0x41, 0x78, 0x71, 0x21, 0x04, 0x20, 0x04, 0x20, 0x03, 0x6a, 0x24, 0x00, 0x20, 0x04, 0x0b, 0x04, 0x00,
    0x20, 0x01, 0x0b, 0x1c, 0x00, 0x41, 0x08, 0x20, 0x00, 0x36, 0x02, 0x00, 0x41, 0x0c, 0x20, 0x01, 0x36, 0x02,
    0x00, 0x41, 0x10, 0x20, 0x02, 0x41, 0x01, 0x6a, 0x36, 0x02, 0x00, 0x41, 0x08, 0x0b, 0x00, 0x13, 0x04, 0x6e,
    0x61, 0x6d, 0x65, 0x02, 0x06, 0x01, 0x00, 0x01, 0x04, 0x01, 0x70, 0x07, 0x04, 0x01, 0x00, 0x01, 0x6e,
};
/* core func 0: realloc, 1: f, 2: g; func 0: f, func 1: g; type 0, 1, 2: f's, the tuple, g's */
static void functions(build *b) {
    section(b, 1, module, sizeof module);
    SECTION(b, 2, "\1\0\0\0");
    SECTION(b, 6,
            "\4\0\2\1\0\3mem\0\0\1\0\7realloc\0\0\1\0\1f"
            "\0\0\1\0\1g");
    SECTION(b, 7, "\3\x40\1\1x\x73\0\x79\x6f\2\x73\x79\x40\1\1x\1\0\1");
    SECTION(b, 8, "\2\0\0\1\2\3\0\4\0\0\0\0\2\2\3\0\4\0\2");
}

static ts_status load(const build *b, ts_component **c) {
    ts_error_init(&err);
    return ts_component_load_with(engine, b->bytes, b->len, "values,maps,fixed-length-lists,implements", c, &err);
}

typedef struct run {
    ts_component *component;
    ts_linker *linker;
    ts_cstore *store;
    ts_cinstance *instance;
} run;
static ts_status start(run *r, const build *b) {
    if (load(b, &r->component) != TS_OK) fail_msg("%s: %s", ts_status_name(err.status), err.message);
    assert_int_equal(ts_cstore_new(engine, NULL, &r->store, &err), TS_OK);
    return ts_component_instantiate(r->store, r->linker, r->component, &r->instance, &err);
}
static void end(run *r) {
    ts_cstore_free(r->store);
    ts_component_free(r->component);
    ts_linker_free(r->linker);
}
static run linked(void) {
    run r = {0};
    ts_error_init(&err);
    assert_int_equal(ts_linker_new(&r.linker, &err), TS_OK);
    return r;
}
static void define(run *r, const char *interface, const char *name, const char *type, const char *value) {
    if (ts_linker_define_value(r->linker, interface, name, type, value, &err) != TS_OK) fail_msg("%s", err.message);
}
static void exports(run *r, const char *interface, const char *name, const char *want) {
    const ts_ctype *t = NULL;
    const ts_val *v = ts_cinstance_value(r->instance, interface, name, &t);
    char text[300];
    if (!v) fail_msg("there is no value %s", name);
    ts_val_print(t, v, text, sizeof text);
    assert_string_equal(text, want);
}

static void test_start(void **s) {
    (void)s;
    build b = begin();
    SECTION(&b, 10, "\1\0\4name\2\1\x73");
    functions(&b);
    SECTION(&b, 9, "\0\1\0\1");      /* f(name): value 1 */
    SECTION(&b, 12, "\1\1\4\2hi\5"); /* ("hi", 5): value 2 */
    SECTION(&b, 9, "\1\1\2\1");      /* g of it: value 3 */
    SECTION(&b, 11, "\2\0\3len\2\1\0\0\4pair\2\3\0");
    run r = linked();
    define(&r, "", "name", "string", "\"touch\"");
    if (start(&r, &b) != TS_OK) fail_msg("%s: %s", ts_status_name(err.status), err.message);
    exports(&r, NULL, "len", "5");
    exports(&r, NULL, "pair", "(\"hi\", 6)");
    const ts_ctype *t;
    assert_null(ts_cinstance_value(r.instance, NULL, "name", &t));
    end(&r);

    r = linked(); /* nothing provides the name: it is listed as missing, and cannot be deferred to a call */
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    assert_non_null(strstr(err.message, "`name`"));
    assert_non_null(strstr(err.message, "no such value is provided"));
    ts_error_init(&err);
    ts_linker_set_unknown_imports_trap(r.linker, true);
    assert_int_equal(ts_component_instantiate(r.store, r.linker, r.component, &r.instance, &err), TS_UNLINKABLE);
    ts_missing m;
    uint32_t n = 0;
    ts_error_init(&err);
    assert_int_equal(ts_linker_check(r.linker, r.component, &m, 1, &n, &err), TS_OK);
    assert_int_equal(n, 1);
    assert_string_equal(m.name, "name");
    end(&r);

    r = linked();
    define(&r, "", "name", "u32", "1");
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    assert_non_null(strstr(err.message, "type mismatch"));
    end(&r);
}

static void test_equal(void **s) {
    (void)s;
    static const struct {
        const char *b;
        ts_status want;
    } rows[] = {{"7", TS_OK}, {"8", TS_UNLINKABLE}};
    build b = begin();
    SECTION(&b, 10, "\2\0\1a\2\1\x79\0\1b\2\0\0"); /* b: the value of a */
    SECTION(&b, 11, "\2\0\1c\2\0\0\0\1d\2\1\0");
    for (size_t i = 0; i < 2; i++) {
        run r = linked();
        define(&r, "", "a", "u32", "7");
        define(&r, "", "b", "u32", rows[i].b);
        assert_int_equal(start(&r, &b), rows[i].want);
        if (i) assert_non_null(strstr(err.message, "`b` differs from the one"));
        if (!i) exports(&r, NULL, "d", "7");
        end(&r);
    }
}

static void test_interface(void **s) {
    (void)s;
    /* (import "a:b/c@1.2.0" (instance (export "v" (value u32)))), its alias, an instance with
     * it, an alias of that */
    build b = begin();
    SECTION(&b, 7, "\1\x42\1\4\0\1v\2\1\x79");
    SECTION(&b, 10,
            "\1\0\x0b"
            "a:b/c@1.2.0\5\0");
    SECTION(&b, 6, "\1\2\0\0\1v");
    SECTION(&b, 5, "\1\1\1\0\1w\2\0");
    SECTION(&b, 11, "\1\0\5inner\5\1\0");
    run r = linked();
    define(&r, "a:b/c@1.0.3", "v", "u32", "41");
    if (start(&r, &b) != TS_OK) fail_msg("%s", err.message);
    exports(&r, "inner", "w", "41");
    end(&r);
    r = linked();
    define(&r, "a:b/c@2.0.0", "v", "u32", "41");
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    end(&r);
}

/* A nested component that takes a value and exports one. */
static void test_nested(void **s) {
    (void)s;
    build in = begin();
    SECTION(&in, 10, "\1\0\1x\2\1\x73");
    functions(&in);
    SECTION(&in, 9, "\0\1\0\1");
    SECTION(&in, 11, "\1\0\1y\2\1\0");
    build b = begin();
    section(&b, 4, in.bytes, in.len);
    SECTION(&b, 12, "\1\x73\5\4four");
    SECTION(&b, 5, "\1\0\0\1\1x\2\0");
    SECTION(&b, 6, "\1\2\0\0\1y");
    SECTION(&b, 11, "\1\0\1z\2\1\0");
    run r = linked();
    if (start(&r, &b) != TS_OK) fail_msg("%s", err.message);
    exports(&r, NULL, "z", "4");
    end(&r);
}

/* A literal of each type, with its bytes (type 0 is exported as type 1 first, for types that need a name). */
static void test_literals(void **s) {
    (void)s;
#define LITERAL(type, bytes, text) {type, sizeof(type) - 1, bytes, sizeof(bytes) - 1, text}
    static const struct {
        const char *type;
        size_t type_len;
        const char *bytes;
        size_t len;
        const char *text; /* NULL: malformed */
    } rows[] = {
        LITERAL("\x7f", "\1", "true"),
        LITERAL("\x7f", "\2", NULL),
        LITERAL("\x7e", "\xff", "-1"),
        LITERAL("\x7d", "\xff", "255"),
        LITERAL("\x7c", "\x7f", "-1"),
        LITERAL("\x7b", "\xff\xff\3", "65535"),
        LITERAL("\x7b", "\xff\xff\7", NULL),
        LITERAL("\x7a", "\x40", "-64"),
        LITERAL("\x79", "\xe5\x8e\x26", "624485"),
        LITERAL("\x78", "\x7f", "-1"),
        LITERAL("\x77", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "18446744073709551615"),
        LITERAL("\x76", "\0\0\x20\x41", "10"),
        LITERAL("\x76", "\0\0\xc0\x7f", "nan"),
        LITERAL("\x76", "\1\0\xc0\x7f", NULL),
        LITERAL("\x75", "\0\0\0\0\0\0\xf8\x3f", "1.5"),
        LITERAL("\x75", "\0\0\0\0\0\0\xf8\xff", NULL),
        LITERAL("\x74", "\xe2\x82\xac", "'\xe2\x82\xac'"),
        LITERAL("\x74", "\xed\xa0\x80", NULL),
        LITERAL("\x73", "\2hi", "\"hi\""),
        LITERAL("\x73", "\1\xff", NULL),
        LITERAL("\x72\2\1a\x7f\1b\x7d", "\1\5", "{a: true, b: 5}"),
        LITERAL("\x71\2\1a\1\x7d\0\1b\0\0", "\0\7", "a(7)"),
        LITERAL("\x71\2\1a\1\x7d\0\1b\0\0", "\1", "b"),
        LITERAL("\x71\2\1a\1\x7d\0\1b\0\0", "\2", NULL),
        LITERAL("\x70\x7d", "\3\1\2\3", "[1, 2, 3]"),
        LITERAL("\x70\x73", "\2\1a\1b", "[\"a\", \"b\"]"),
        LITERAL("\x67\x7b\2", "\x80\2\1", "[256, 1]"),
        LITERAL("\x63\x73\x7d", "\1\1k\x09", "[(\"k\", 9)]"),
        LITERAL("\x6f\2\x7d\x73", "\1\1x", "(1, \"x\")"),
        LITERAL("\x6e\x09\1a\1b\1c\1d\1e\1f\1g\1h\1i", "\5\1", "{a, c, i}"),
        LITERAL("\x6d\2\1p\1q", "\1", "q"),
        LITERAL("\x6d\2\1p\1q", "\2", NULL),
        LITERAL("\x6b\x7d", "\0", "none"),
        LITERAL("\x6b\x7d", "\1\x08", "some(8)"),
        LITERAL("\x6a\0\0", "\0", "ok"),
        LITERAL("\x6a\1\x7d\1\x73", "\0\4", "ok(4)"),
        LITERAL("\x6a\1\x7d\1\x73", "\1\2no", "err(\"no\")"),
        LITERAL("\x6a\1\x7d\1\x73", "\2", NULL),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t type[64] = {1}, value[64] = {1, 1, (uint8_t)rows[i].len};
        memcpy(type + 1, rows[i].type, rows[i].type_len);
        memcpy(value + 3, rows[i].bytes, rows[i].len);
        build b = begin();
        section(&b, 7, type, rows[i].type_len + 1);
        SECTION(&b, 11, "\1\0\1t\3\0\0");
        section(&b, 12, value, rows[i].len + 3);
        SECTION(&b, 11, "\1\0\1v\2\0\0");
        if (!rows[i].text) {
            ts_component *c;
            if (load(&b, &c) != TS_MALFORMED) fail_msg("row %zu: %s", i, ts_status_name(err.status));
            continue;
        }
        run r = linked();
        if (start(&r, &b) != TS_OK) fail_msg("row %zu: %s", i, err.message);
        exports(&r, NULL, "v", rows[i].text);
        end(&r);
    }
}

static void test_once(void **s) {
    (void)s;
    ts_component *c;
    build b = begin(); /* never used */
    SECTION(&b, 12, "\1\x7f\1\1");
    assert_int_equal(load(&b, &c), TS_INVALID);
    assert_non_null(strstr(err.message, "was not used"));
    SECTION(&b, 11, "\2\0\1a\2\0\0\0\1b\2\0\0"); /* twice */
    assert_int_equal(load(&b, &c), TS_INVALID);
    assert_non_null(strstr(err.message, "more than once"));
    b = begin(); /* a start function with too few arguments */
    functions(&b);
    SECTION(&b, 9, "\0\0\1");
    assert_int_equal(load(&b, &c), TS_INVALID);
    assert_non_null(strstr(err.message, "requires 1 arguments"));
    b = begin();
    functions(&b);
    SECTION(&b, 12, "\1\x7f\1\1");
    SECTION(&b, 9, "\0\1\0\1");
    assert_int_equal(load(&b, &c), TS_INVALID);
    assert_non_null(strstr(err.message, "type mismatch"));
    ts_error_init(&err);
    assert_int_equal(ts_component_load(engine, b.bytes, b.len, &c, &err), TS_MALFORMED);
    assert_non_null(strstr(err.message, "malformed section id"));
    ts_error_init(&err);
    assert_int_equal(ts_component_load_with(engine, b.bytes, b.len, "values,nothing", &c, &err), TS_USAGE);
}

/* (import "c" (component (export "v" (value u32)))) is instantiated with a component that fits, and with one
 * that does not. */
static void test_component_import(void **s) {
    (void)s;
    build b = begin();
    SECTION(&b, 7, "\1\x41\1\4\0\1v\2\1\x79");
    SECTION(&b, 10, "\1\0\1c\4\0");
    SECTION(&b, 5, "\1\0\0\0");
    SECTION(&b, 6, "\1\2\0\0\1v");
    SECTION(&b, 11, "\1\0\1w\2\0\0");
    build fits = begin(), not = begin();
    SECTION(&fits, 12, "\1\x79\1\x0b");
    SECTION(&fits, 11, "\1\0\1v\2\0\0");
    SECTION(&not, 12, "\1\x7f\1\1");
    SECTION(&not, 11, "\1\0\1v\2\0\0");
    ts_component *c;
    run r = linked();
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    assert_non_null(strstr(err.message, "no such component is provided"));
    end(&r);
    r = linked();
    assert_int_equal(load(&not, &c), TS_OK);
    assert_int_equal(ts_linker_add_component(r.linker, "c", c, &err), TS_OK);
    ts_component_free(c);
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    assert_non_null(strstr(err.message, "type mismatch"));
    end(&r);
    r = linked();
    assert_int_equal(load(&fits, &c), TS_OK);
    assert_int_equal(ts_linker_add_component(r.linker, "c", c, &err), TS_OK);
    ts_component_free(c); /* the linker keeps a reference */
    if (start(&r, &b) != TS_OK) fail_msg("%s", err.message);
    exports(&r, NULL, "w", "11");
    end(&r);
}

/* An instance for an import links only if its items have the required types at every depth. */
static void test_given(void **s) {
    (void)s;
    /* (export "i" (instance (export "f" (func (param "x" string) (result u32))) (export "v" (value u32 7))
     * (export "n" (instance (export "f" …))))) */
    build have = begin();
    functions(&have);
    SECTION(&have, 12, "\2\x79\1\7\x79\1\7");
    SECTION(&have, 5, "\2\1\2\0\1f\1\0\0\1v\2\0\1\3\0\1f\1\0\0\1v\2\1\0\1n\5\0");
    SECTION(&have, 11, "\1\0\1i\5\1\0");
    static const struct {
        const char *f, *v; /* result of f, type of v, in the nested instance */
        const char *words; /* NULL: links */
    } rows[] = {{"\x79", "\x79", NULL},
                {"\x77", "\x79", "type mismatch with result type"},
                {"\x79", "\x73", "expected primitive `string` found primitive `u32`"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r = linked();
        if (start(&r, &have) != TS_OK) fail_msg("%s", err.message);
        assert_int_equal(ts_linker_add_instance(r.linker, "p", r.instance, &err), TS_OK);
        /* (import "p" (instance (export "i" (instance (export "n" (instance (export "f" (func …)) (export "v"
         * (value …)))))))) */
        uint8_t type[] = "\1\x42\2\1\x42\2\1\x42\3\1\x40\1\1x\x73\0T\4\0\1f\1\0\4\0\1v\2\1V\4\0\1n\5\0\4\0\1i\5\0";
        *(uint8_t *)memchr(type, 'T', sizeof type) = (uint8_t)rows[i].f[0];
        *(uint8_t *)memchr(type, 'V', sizeof type) = (uint8_t)rows[i].v[0];
        build want = begin();
        section(&want, 7, type, sizeof type - 1);
        SECTION(&want, 10, "\1\0\1p\5\0");
        ts_component *c;
        ts_cinstance *made;
        if (load(&want, &c) != TS_OK) fail_msg("%s at %u", err.message, (unsigned)err.offset);
        ts_status st = ts_component_instantiate(r.store, r.linker, c, &made, &err);
        if (st != (rows[i].words ? TS_UNLINKABLE : TS_OK) || (rows[i].words && !strstr(err.message, rows[i].words)))
            fail_msg("row %zu: %s: %s", i, ts_status_name(st), err.message);
        ts_component_free(c);
        end(&r);
    }
}

/* Two instances with different names implement one interface; two versions of an interface exist together. */
static ts_status number(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)args;
    result->u32 = *(const uint32_t *)data;
    return TS_OK;
}
static void invoke(run *r, const char *call, const char *want) {
    ts_pool *pool = ts_pool_new();
    const char *text;
    if (ts_cinstance_call_text(r->store, r->instance, call, pool, &text, &err) != TS_OK) fail_msg("%s", err.message);
    assert_string_equal(text, want);
    ts_pool_free(pool);
}
static void test_names(void **s) {
    (void)s;
    static uint32_t one = 1, two = 2;
    build b = begin();
    SECTION(&b, 7, "\1\x42\2\1\x40\0\0\x79\4\0\1f\1\0");
    SECTION(&b, 10,
            "\5\2\7primary\1\0\x0b"
            "a:b/c@1.0.0\5\0"
            "\2\x09secondary\2\2\x0e"
            "a name of ours\0\x0b"
            "a:b/c@2.0.0\5\0"
            "\0\x0b"
            "a:b/c@1.4.0\5\0\0\x0b"
            "a:b/c@1.5.0\5\0\0\x0b"
            "a:b/c@2.9.9\5\0");
    SECTION(&b, 6, "\5\1\0\0\1f\1\0\1\1f\1\0\2\1f\1\0\3\1f\1\0\4\1f");
    SECTION(&b, 11, "\5\0\1p\1\0\0\0\1q\1\1\0\0\1r\1\2\0\0\1s\1\3\0\0\1t\1\4\0");
    run r = linked();
    assert_int_equal(start(&r, &b), TS_UNLINKABLE);
    assert_non_null(strstr(err.message, "`primary f`"));
    end(&r);
    r = linked();
    assert_int_equal(ts_linker_define_func(r.linker, "a:b/c@1.2.0", "f", "func() -> u32", number, &one, &err), TS_OK);
    assert_int_equal(ts_linker_define_func(r.linker, "a:b/c@2.0.1", "f", "func() -> u32", number, &two, &err), TS_OK);
    if (start(&r, &b) != TS_OK) fail_msg("%s", err.message);
    invoke(&r, "p()", "1");
    invoke(&r, "q()", "2");
    invoke(&r, "r()", "1");
    invoke(&r, "s()", "1");
    invoke(&r, "t()", "2");
    assert_string_equal(r.component->imports[0].attributes->implements, "a:b/c@1.0.0");
    assert_string_equal(r.component->imports[1].attributes->external_id, "a name of ours");
    assert_null(r.component->imports[2].attributes);
    end(&r);
    ts_component *c;
    ts_error_init(&err); /* refused without the feature */
    assert_int_equal(ts_component_load(engine, b.bytes, b.len, &c, &err), TS_INVALID);
}

static void test_limits(void **s) {
    (void)s;
#define LIMIT(id, text, words) {id, text, sizeof(text) - 1, words}
    static const struct {
        uint8_t id;
        const char *bytes;
        size_t len;
        const char *words;
    } rows[] = {
        LIMIT(7, "\1\x72\x91\x4e", "members of a type exceeds the limit of 10000"),
        LIMIT(7, "\1\x71\x91\x4e", "members"),
        LIMIT(7, "\1\x6f\x91\x4e", "members"),
        LIMIT(7, "\1\x6d\x91\x4e", "members"),
        LIMIT(7, "\1\x6e\x21\1a\1b\1c\1d\1e\1f\1g\1h\1i\1j\1k\1l\1m\1n\1o\1p\1q", "32 flags"),
        LIMIT(7, "\1\x40\xe9\7", "parameters exceeds the limit of 1000"),
        LIMIT(7, "\1\x41\xc1\x84\x3d", "declarations exceeds the limit of 1000000"),
        LIMIT(7, "\1\x67\x7d\x81\x80\x80\x80\4", "length of a list exceeds the limit"),
        LIMIT(3, "\1\x50\xa1\x8d\6", "declarations exceeds the limit of 100000"),
        LIMIT(2, "\1\1\xa1\x8d\6", "arguments or exports exceeds the limit of 100000"),
        LIMIT(5, "\1\1\xa1\x8d\6", "arguments or exports exceeds the limit of 100000"),
        LIMIT(9, "\0\xe9\7", "arguments exceeds the limit of 1000"),
        LIMIT(8, "\1\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\0\0", "canonical options exceeds the limit of 10"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_component *c;
        build b = begin();
        uint8_t bytes[200] = {0}; /* zeroes follow: the counted items are not read */
        memcpy(bytes, rows[i].bytes, rows[i].len);
        section(&b, rows[i].id, bytes, rows[i].id == 7 && rows[i].bytes[1] == 0x6e ? 70 : sizeof bytes);
        if (load(&b, &c) != TS_INVALID || !strstr(err.message, rows[i].words))
            fail_msg("row %zu: %s: %s", i, ts_status_name(err.status), err.message);
    }
    /* index spaces: as many items as allowed, then one more */
    static const struct {
        uint8_t id;
        const char *one;
        size_t len;
        uint32_t max;
        const char *words;
    } spaces[] = {
        {1, "\0asm\1\0\0\0", 8, 999, "number of modules and components exceeds the limit of 1000"},
        {4, "\0asm\x0d\0\1\0", 8, 999, "number of modules and components exceeds the limit of 1000"},
        {2, "\1\1\0", 3, 4096, "number of instances exceeds the limit of 4096"},
        {12, "\1\x7f\1\1", 4, 1000, "number of values exceeds the limit of 1000"},
    };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        ts_component *c;
        build *b = calloc(1, sizeof *b);
        assert_non_null(b);
        *b = begin();
        for (uint32_t k = 0; k < spaces[i].max; k++) section(b, spaces[i].id, spaces[i].one, spaces[i].len);
        ts_status st = load(b, &c);
        if (spaces[i].id == 12)
            assert_non_null(strstr(err.message, "not used"));
        else if (st != TS_OK)
            fail_msg("%s", err.message);
        else
            ts_component_free(c);
        section(b, spaces[i].id, spaces[i].one, spaces[i].len);
        assert_int_equal(load(b, &c), TS_INVALID);
        assert_non_null(strstr(err.message, spaces[i].words));
        free(b);
    }
    static build b; /* a name of 100,000 bytes, then one byte longer */
    static uint8_t type[100100] = {1, 0x6e, 1};
    for (uint32_t len = 100000; len < 100002; len++) {
        ts_component *c;
        memcpy(type + 3, (const uint8_t[]){(uint8_t)(len | 0x80), (uint8_t)(len >> 7 | 0x80), (uint8_t)(len >> 14)}, 3);
        memset(type + 6, 'a', len);
        b = begin();
        section(&b, 7, type, 6 + len);
        ts_status st = load(&b, &c);
        assert_int_equal(st, len == 100000 ? TS_OK : TS_INVALID);
        if (st == TS_OK) ts_component_free(c);
    }
    assert_non_null(strstr(err.message, "length of a name exceeds the limit of 100000"));
}

static int setup(void **s) {
    (void)s;
    ts_error_init(&err);
    return ts_engine_new(&engine, &err) != TS_OK;
}
static int teardown(void **s) {
    (void)s;
    ts_engine_free(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_component_import),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
