/* test_component_decode: the binary format of components: sections, offsets of errors, slots of resource
 * types, limits on nesting.
 * In: components as bytes. Out: definitions, or the status, offset, section and message of the failure.
 * spec: Binary.md */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "component/binary/component.h"
#include "core/run/store.h"
#include <stdlib.h>
#include <string.h>

static ts_engine *engine;
static ts_error err;
static int setup(void **state) {
    (void)state;
    ts_error_init(&err);
    return ts_engine_create(&engine, &err) == TS_OK ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    ts_engine_destroy(engine);
    return 0;
}

#define PREAMBLE "\0asm\x0d\0\1\0"
/* The bytes after the preamble, as a string literal. */
#define DECODE(bytes, features, out) decode(PREAMBLE bytes, sizeof(PREAMBLE bytes) - 1, features, out)
static ts_status decode(const char *bytes, size_t len, uint32_t features, ts_component **out) {
    ts_error_init(&err);
    return ts_component_new(engine, (const uint8_t *)bytes, len, true, features, out, &err);
}
static void fails(ts_status got, ts_status want, uint64_t offset, const char *section, const char *words) {
    if (got != want || !err.has_offset || err.offset != offset || strcmp(err.section, section) != 0 ||
        !strstr(err.message, words))
        fail_msg("%s at %llu in %s: %s", ts_status_name(got), (unsigned long long)err.offset, err.section, err.message);
}

static void preamble(void **state) {
    (void)state;
    ts_component *c;
    assert_int_equal(DECODE("", 0, &c), TS_OK);
    assert_int_equal(c->n_defs, 0);
    ts_component_free(c);
    for (size_t n = 0; n < 8; n++) assert_int_equal(decode(PREAMBLE, n, 0, &c), TS_MALFORMED);
    assert_int_equal(decode("\0asm\x0c\0\1\0", 8, 0, &c), TS_MALFORMED);
    assert_int_equal(decode("\0asm\1\0\0\0", 8, 0, &c), TS_MALFORMED);
    assert_non_null(strstr(err.message, "expected a version header for a component"));
    assert_true(ts_bytes_are_component((const uint8_t *)PREAMBLE, 8));
    assert_false(ts_bytes_are_component((const uint8_t *)"\0asm\1\0\0\0", 8));
}

static void where(void **state) {
    (void)state;
    ts_component *c;
    fails(DECODE("\x0d\0", 0, &c), TS_MALFORMED, 8, "", "malformed section id");
    fails(DECODE("\7\2\1\x62", 0, &c), TS_MALFORMED, 11, "component type", "invalid leading byte (0x62)");
    fails(DECODE("\7\3\1\x70\5", 0, &c), TS_INVALID, 12, "component type", "type index out of bounds");
    fails(DECODE("\7\3\1\x73\x73", 0, &c), TS_MALFORMED, 12, "component type", "unexpected data");
    fails(DECODE("\x08\5\1\1\0\0\0", 0, &c), TS_INVALID, 11, "canon", "function index out of bounds");
    /* an empty core module whose preamble is a component's: the offset is the input's */
    fails(DECODE("\1\x08\0asm\x0d\0\1\0", 0, &c), TS_MALFORMED, 14, err.section, "version");
    /* within a component within it */
    fails(DECODE("\4\x0c" PREAMBLE "\7\2\1\x62", 0, &c), TS_MALFORMED, 21, "component type", "0x62");
}

static void features(void **state) {
    (void)state;
    ts_component *c;
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t flag;
    } cases[] = {
        {PREAMBLE "\7\4\1\x66\1\x7d", 14, TS_CF_ASYNC},  {PREAMBLE "\7\4\1\x67\x7d\3", 14, TS_CF_FIXED_LISTS},
        {PREAMBLE "\7\4\1\x63\x73\x79", 14, TS_CF_MAPS}, {PREAMBLE "\7\2\1\x64", 12, TS_CF_ERROR_CONTEXT},
        {PREAMBLE "\x08\2\1\x24", 12, TS_CF_ASYNC},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(cases[i].bytes, cases[i].len, TS_CF_DEFAULT, &c), TS_INVALID);
        assert_non_null(strstr(err.message, "newer than WASI 0.2"));
        assert_int_equal(decode(cases[i].bytes, cases[i].len, cases[i].flag, &c), TS_OK);
        ts_component_free(c);
    }
}

/* What needs one feature in addition to another, and the message without it. */
static void gates(void **state) {
    (void)state;
    /* (core module (func (export "f"))), its instance and function; (func async (canon lift f async)) */
#define STACKFUL                                                                                                       \
    "\1\x1f\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0\x0a\4\1\2\0\x0b\2\4\1\0\0\0\6\7\1\0\0\1\0\1f"              \
    "\7\5\1\x43\0\1\0\x08\7\1\0\0\0\1\6\0"
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t with, more;
        const char *words;
    } rows[] = {
#define ROW(bytes, with, more, words) {PREAMBLE bytes, sizeof(PREAMBLE bytes) - 1, with, more, words}
        ROW("\x08\2\1\x26", TS_CF_ASYNC, TS_CF_THREADS, "`thread.index` is not enabled"),
        ROW("\x08\3\1\6\1", TS_CF_ASYNC, TS_CF_MORE_ASYNC_BUILTINS, "more-async-builtins"),
        ROW("\x08\4\1\x0a\x7e\0", TS_CF_ASYNC, TS_CF_MEMORY64, "only be of type i32"),
        ROW(STACKFUL, TS_CF_ASYNC, TS_CF_ASYNC_STACKFUL, "async-stackful"),
        ROW("\7\3\1\x42\0\x0a\x0c\1\0\7"
            "a:b/c@1\5\0",
            0, TS_CF_CANONICAL_NAMES, "not a valid extern name"),
        ROW("\7\3\1\x42\0\x0a\x0f\1\0\x0a"
            "a:b:c/d/ef\5\0",
            0, TS_CF_NESTED_NAMES, "not a valid extern name"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_component *c;
        if (decode(rows[i].bytes, rows[i].len, rows[i].with, &c) != TS_INVALID || !strstr(err.message, rows[i].words))
            fail_msg("row %zu: %s: %s", i, ts_status_name(err.status), err.message);
        if (decode(rows[i].bytes, rows[i].len, rows[i].with | rows[i].more, &c) != TS_OK)
            fail_msg("row %zu: %s", i, err.message);
        ts_component_free(c);
    }
    /* the context built-ins of a component are of one type */
    ts_component *c;
    fails(DECODE("\x08\7\2\x0a\x7e\0\x0b\x7f\0", TS_CF_ASYNC | TS_CF_MEMORY64, &c), TS_INVALID, 14, "canon",
          "of the type of the other");
}

/* (import "i" (instance (export "r" (type (sub resource))))) (alias export 0 "r" (type))
 * (canon resource.drop 1) */
#define IMPORTED                                                                                                       \
    "\7\x09\1\x42\1\4\0\1r\3\1"                                                                                        \
    "\x0a\6\1\0\1i\5\0"                                                                                                \
    "\6\6\1\3\0\0\1r"
static void slots(void **state) {
    (void)state;
    ts_component *c;
    assert_int_equal(DECODE(IMPORTED "\x08\3\1\3\1", 0, &c), TS_OK);
    assert_int_equal(c->n_defs, 4);
    assert_int_equal(c->n_types, 2);
    assert_int_equal(c->defs[0].kind, TS_DEF_TYPE);
    const ts_def *import = &c->defs[1], *drop = &c->defs[3];
    assert_int_equal(import->kind, TS_DEF_IMPORT);
    assert_string_equal(import->import.name, "i");
    assert_int_equal(import->n_binds, 1);
    assert_int_equal(import->binds[0].n_path, 1);
    assert_string_equal(import->binds[0].path[0], "r");
    assert_int_equal(drop->canon.kind, TS_CANON_RESOURCE_DROP);
    assert_int_equal(drop->canon.resource, import->binds[0].slot);
    assert_int_not_equal(import->binds[0].slot, c->defs[0].type.ext->instance->bound[0]);
    assert_true(import->binds[0].slot < c->n_resources);
    assert_non_null(ts_instance_type_find(c->imports[0].type->instance, "r", 1));
    assert_null(ts_instance_type_find(c->imports[0].type->instance, "s", 1));
    ts_component_free(c);
    fails(DECODE(IMPORTED "\x08\3\1\2\1", 0, &c), TS_INVALID, 38, "canon", "not a local resource");
    /* (type (resource (rep i32))) (export "r" (type 0)) (export "s" (type 0) (type (sub resource))) */
    assert_int_equal(DECODE("\7\4\1\x3f\x7f\0"
                            "\x0b\x0f\2\0\1r\3\0\0\0\1s\3\0\1\3\1",
                            0, &c),
                     TS_OK);
    assert_true(c->defs[0].type.is_resource_def);
    assert_int_equal(c->exports[0].type->resource, c->defs[0].type.slot);
    assert_int_not_equal(c->exports[1].type->resource, c->defs[0].type.slot);
    assert_int_equal(c->defs[2].n_binds, 1);
    assert_int_equal(c->defs[2].binds[0].n_path, 0);
    assert_int_equal(c->type->n_bound, 2);
    ts_component_free(c);
}

static void nesting(void **state) {
    (void)state;
    enum { N = 1003 };
    uint8_t *bytes = NULL;
    size_t len = 0;
    for (int i = 0; i < N; i++) { /* a component around the bytes so far */
        uint8_t size[10];
        size_t n = 0;
        for (size_t v = len;; v >>= 7) {
            size[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
            if (v <= 0x7f) break;
        }
        uint8_t *next = malloc(len + n + 9);
        assert_non_null(next);
        size_t at = 8;
        memcpy(next, PREAMBLE, 8);
        if (len) {
            next[at++] = 4;
            memcpy(next + at, size, n);
            memcpy(next + at + n, bytes, len);
            at += n + len;
        }
        free(bytes);
        bytes = next;
        len = at;
        ts_component *c;
        ts_error_init(&err);
        ts_status s = ts_component_new(engine, bytes, len, false, 0, &c, &err);
        assert_int_equal(s, i < 1000 ? TS_OK : TS_INVALID);
        ts_component_free(c);
    }
    assert_non_null(strstr(err.message, "modules and components exceeds the limit of 1000"));
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(preamble), cmocka_unit_test(where), cmocka_unit_test(features),
                                       cmocka_unit_test(gates),    cmocka_unit_test(slots), cmocka_unit_test(nesting)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
