/* test_component_echo: every type in both directions through touchstone.h: an embedder's values into a guest,
 * out of it into a host function, and back.
 * In: values in WAVE, for the components of component_echo.wat and of component_echo64.wat (whose memory has
 * 64-bit addresses). Out: the same text at each end; resources and their destructors; refusal of values that
 * do not have their type.
 * spec: Explainer.md#fundamental-value-types, CanonicalABI.md#canon-lift, #canon-lower */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <touchstone.h>
#include "tests/data/component_echo.h"
#include "tests/data/component_echo64.h"
#include "tests/data/component_rep64.h"
#include "component/abi/instance.h"
#include "component/run/linker.h"

#define REC "record { a: u8, b: string, c: option<f64> }"
#define VAR "variant { nothing, num(s64), text(string) }"
#define MANY                                                                                                           \
    "flags { f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, "     \
    "f22, f23, f24, f25, f26, f27, f28, f29, f30, f31 }"
#define WIDE                                                                                                           \
    "record { f0: u16, f1: u16, f2: u16, f3: u16, f4: u16, f5: u16, f6: u16, f7: u16, f8: u16, f9: u16, f10: u16, "    \
    "f11: u16, f12: u16, f13: u16, f14: u16, f15: u16, f16: u16 }"
static const struct row {
    const char *name, *type, *values[4];
} rows[] = {
    {"bool", "bool", {"true", "false"}},
    {"s8", "s8", {"-128", "127"}},
    {"u8", "u8", {"0", "255"}},
    {"s16", "s16", {"-32768", "32767"}},
    {"u16", "u16", {"65535"}},
    {"s32", "s32", {"-2147483648", "2147483647"}},
    {"u32", "u32", {"4294967295"}},
    {"s64", "s64", {"-9223372036854775808", "9223372036854775807"}},
    {"u64", "u64", {"18446744073709551615"}},
    {"f32", "f32", {"1.5", "-inf", "nan", "-0"}},
    {"f64", "f64", {"0.1", "1e+300", "nan"}},
    {"char", "char", {"'a'", "'\xf0\x9f\x98\x80'"}},
    {"string", "string", {"\"\"", "\"gr\xc3\xbc\xc3\x9f\x65\"", "\"\xf0\x9f\x98\x80\""}},
    {"list-u8", "list<u8>", {"[]", "[1, 2, 255]"}},
    {"list-f32", "list<f32>", {"[0.5, nan, inf]"}},
    {"list-string", "list<string>", {"[]", "[\"a\", \"\", \"bc\"]"}},
    {"tuple", "tuple<u8, string>", {"(7, \"x\")"}},
    {"option", "option<u32>", {"none", "some(1)"}},
    {"option2", "option<option<string>>", {"none", "some(none)", "some(some(\"x\"))"}},
    {"result", "result", {"ok", "err"}},
    {"result2", "result<u64, string>", {"ok(18446744073709551615)", "err(\"no\")"}},
    {"result3", "result<f32, u8>", {"ok(nan)", "ok(2.5)", "err(9)"}},
    {"rec", REC, {"{a: 1, b: \"two\", c: some(3.5)}", "{a: 255, b: \"\"}"}},
    {"var", VAR, {"nothing", "num(-1)", "text(\"t\")"}},
    {"color", "enum { red, green }", {"red", "green"}},
    {"perms", "flags { r, w, x }", {"{}", "{r, x}"}},
    {"many", MANY, {"{f0, f31}"}},
    {"wide",
     WIDE,
     {"{f0: 0, f1: 1, f2: 2, f3: 3, f4: 4, f5: 5, f6: 6, f7: 7, f8: 8, f9: 9, f10: 10, f11: 11, f12: 12, f13: 13, "
      "f14: 14, f15: 15, f16: 65535}"}},
    {"list-rec", "list<" REC ">", {"[{a: 1, b: \"x\"}, {a: 2, b: \"y\", c: some(-1)}]"}},
};
enum { N_ROWS = sizeof rows / sizeof *rows };
static const char iface[] = "test:echo/types@1.0.7";

typedef struct world {
    ts_engine *engine;
    ts_component *component;
    ts_linker *linker;
    ts_cstore *store;
    ts_cinstance *instance;
    ts_pool *pool;
    ts_error e;
    const ts_ctype *types[N_ROWS]; /* as the component declares them */
    char seen[1000];               /* the argument of the host function, in WAVE */
    bool spoil;                    /* it returns a value that does not have its type */
    uint32_t dropped;
    uint64_t last_dropped;
} world;
static world w;

static ts_status echo(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c;
    size_t i = (size_t)((const struct row *)data - rows);
    ts_val_print(w.types[i], &args[0], w.seen, sizeof w.seen);
    if (w.spoil) {
        memset(result, 0xff, sizeof *result);
        return TS_OK;
    }
    /* arguments may point into the guest's memory, which moves when its realloc grows it, so
     * the result is a copy */
    return ts_val_parse(w.types[i], w.seen, w.pool, result, &w.e);
}
static ts_status echo_own(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data;
    result->handle.rep = args[0].handle.rep + 1; /* the host owns the earlier one now; this is another */
    return TS_OK;
}
static ts_status make(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data;
    result->handle.rep = args[0].u64;
    return TS_OK;
}
static ts_status look(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data;
    result->u64 = args[0].handle.rep;
    return TS_OK;
}
static ts_status drop(ts_host_call *c, void *data, uint64_t rep) {
    (void)c, (void)data;
    w.dropped++;
    w.last_dropped = rep;
    return TS_OK;
}

static ts_cfunc *func(const char *prefix, const char *name) {
    char full[40];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    ts_cfunc *f = ts_cinstance_func(w.instance, NULL, full);
    if (!f) fail_msg("there is no %s", full);
    return f;
}

static void instantiate(void) {
    if (w.store) ts_cstore_free(w.store);
    ts_error_init(&w.e);
    assert_int_equal(ts_cstore_new(w.engine, NULL, &w.store, &w.e), TS_OK);
    if (ts_component_instantiate(w.store, w.linker, w.component, &w.instance, &w.e) != TS_OK)
        fail_msg("%s", w.e.message);
    for (size_t i = 0; i < N_ROWS; i++) w.types[i] = ts_cfunc_param_type(func("echo-", rows[i].name), 0);
}
static int setup_with(const unsigned char *bytes, size_t len, const char *features) {
    memset(&w, 0, sizeof w);
    ts_error_init(&w.e);
    w.pool = ts_pool_new();
    if (!w.pool || ts_engine_new(&w.engine, &w.e) != TS_OK || ts_linker_new(&w.linker, &w.e) != TS_OK) return 1;
    if (ts_component_load_with(w.engine, bytes, len, features, &w.component, &w.e) != TS_OK) return 1;
    if (ts_linker_define_resource(w.linker, iface, "thing", drop, NULL, &w.e) != TS_OK) return 1;
    for (size_t i = 0; i < N_ROWS; i++) {
        char name[40], type[1000];
        snprintf(name, sizeof name, "echo-%s", rows[i].name);
        snprintf(type, sizeof type, "func(x: %s) -> %s", rows[i].type, rows[i].type);
        if (ts_linker_define_func(w.linker, iface, name, type, echo, (void *)(uintptr_t)&rows[i], &w.e) != TS_OK)
            fail_msg("%s: %s", type, w.e.message);
    }
    if (ts_linker_define_func(w.linker, iface, "echo-own", "func(x: own<thing>) -> own<thing>", echo_own, NULL, &w.e) ||
        ts_linker_define_func(w.linker, iface, "make", "func(n: u64) -> own<thing>", make, NULL, &w.e) ||
        ts_linker_define_func(w.linker, iface, "look", "func(x: borrow<thing>) -> u64", look, NULL, &w.e))
        fail_msg("%s", w.e.message);
    instantiate();
    return 0;
}
static int setup(void **s) {
    (void)s;
    return setup_with(component_echo, sizeof component_echo, "");
}
static int setup64(void **s) {
    (void)s;
    return setup_with(component_echo64, sizeof component_echo64, "memory64");
}
static int teardown(void **s) {
    (void)s;
    ts_cstore_free(w.store);
    ts_component_free(w.component);
    ts_linker_free(w.linker);
    ts_engine_free(w.engine);
    ts_pool_free(w.pool);
    return 0;
}
static void test_types(void **s) {
    (void)s;
    for (size_t i = 0; i < N_ROWS; i++) {
        ts_cfunc *f = func("echo-", rows[i].name);
        for (size_t k = 0; k < 4 && rows[i].values[k]; k++) {
            char text[1000];
            ts_val v, result;
            memset(&result, 0, sizeof result);
            if (ts_val_parse(w.types[i], rows[i].values[k], w.pool, &v, &w.e) != TS_OK ||
                ts_cfunc_call(w.store, f, &v, &result, w.pool, &w.e) != TS_OK)
                fail_msg("%s %s: %s", rows[i].name, rows[i].values[k], w.e.message);
            ts_val_print(ts_cfunc_result_type(f), &result, text, sizeof text);
            assert_string_equal(w.seen, rows[i].values[k]);
            assert_string_equal(text, rows[i].values[k]);
            /* and in the notation of calls */
            char call[1000];
            const char *out;
            snprintf(call, sizeof call, "echo-%s(%s)", rows[i].name, rows[i].values[k]);
            if (ts_cinstance_call_text(w.store, w.instance, call, w.pool, &out, &w.e) != TS_OK)
                fail_msg("%s: %s", call, w.e.message);
            assert_string_equal(out, rows[i].values[k]);
        }
    }
}

static void test_resources(void **s) {
    (void)s;
    ts_val n = {.u64 = 41}, own, other, seen;
    w.dropped = 0;
    assert_int_equal(ts_cfunc_call(w.store, func("", "make"), &n, &own, w.pool, &w.e), TS_OK);
    assert_int_equal(own.handle.rep, 41);
    for (int i = 0; i < 2; i++) { /* lent any number of times */
        assert_int_equal(ts_cfunc_call(w.store, func("", "look"), &own, &seen, w.pool, &w.e), TS_OK);
        assert_int_equal(seen.u64, 41);
    }
    assert_int_equal(ts_cfunc_call(w.store, func("echo-", "own"), &own, &other, w.pool, &w.e), TS_OK);
    assert_int_equal(other.handle.rep, 42);
    assert_int_equal(w.dropped, 0);
    assert_int_equal(ts_handle_drop(w.store, &other, &w.e), TS_OK);
    assert_int_equal(w.dropped, 1);
    assert_int_equal(w.last_dropped, 42);
}

static void test_none_of_their_type(void **s) {
    (void)s;
    static const struct {
        const char *name;
        ts_val v;
    } bad[] = {
        {"char", {.ch = 0xd800}},        {"char", {.ch = 0x110000}},           {"string", {.str = {"\xff", 1}}},
        {"string", {.str = {NULL, 1}}},  {"perms", {.flags = {NULL, 8}}},      {"color", {.variant = {NULL, 2}}},
        {"var", {.variant = {NULL, 1}}}, {"option", {.variant = {NULL, 1}}},   {"rec", {.list = {NULL, 3}}},
        {"tuple", {.list = {NULL, 0}}},  {"list-string", {.list = {NULL, 1}}}, {"own", {.handle = {1, (void *)&w}}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_val result;
        ts_error_init(&w.e);
        assert_int_equal(ts_cfunc_call(w.store, func("echo-", bad[i].name), &bad[i].v, &result, w.pool, &w.e),
                         TS_USAGE);
        assert_non_null(strstr(w.e.message, "a value is not of type"));
    }
    /* no call has begun, so the instance is unchanged. The result of a host function is checked too, and a
     * wrong one closes the instance */
    const char *out;
    ts_error_init(&w.e);
    assert_int_equal(ts_cinstance_call_text(w.store, w.instance, "echo-u8(1)", w.pool, &out, &w.e), TS_OK);
    static const char *const calls[] = {"echo-char('a')", "echo-color(red)", "echo-perms({r})", "echo-option(none)"};
    w.spoil = true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        ts_error_init(&w.e);
        assert_int_equal(ts_cinstance_call_text(w.store, w.instance, calls[i], w.pool, &out, &w.e), TS_USAGE);
        ts_error_init(&w.e);
        assert_int_equal(ts_cinstance_call_text(w.store, w.instance, "echo-u8(1)", w.pool, &out, &w.e), TS_TRAP);
        instantiate();
    }
    w.spoil = false;
}

/* Representations and contexts of 64 bits, as with memories of 64-bit addresses. */
static void test_rep64(void **s) {
    (void)s;
    ts_error_init(&w.e);
    ts_component *c;
    assert_int_equal(ts_component_load_with(w.engine, component_rep64, sizeof component_rep64, "async", &c, &w.e),
                     TS_INVALID);
    ts_error_init(&w.e);
    if (ts_component_load_with(w.engine, component_rep64, sizeof component_rep64, "async,memory64", &c, &w.e) != TS_OK)
        fail_msg("%s", w.e.message);
    ts_cinstance *i;
    const char *text;
    assert_int_equal(ts_component_instantiate(w.store, w.linker, c, &i, &w.e), TS_OK);
    if (ts_cinstance_call_text(w.store, i, "run(1311768467463790320)", w.pool, &text, &w.e) != TS_OK)
        fail_msg("%s", w.e.message);
    assert_string_equal(text, "1311768467463790321");
    ts_component_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_none_of_their_type),
        cmocka_unit_test(test_rep64),
    };
    int failed = cmocka_run_group_tests_name("32-bit addresses", tests, setup, teardown);
    return failed + cmocka_run_group_tests_name("64-bit addresses", tests, setup64, teardown);
}
