/* test_wave: values as WAVE text, in both directions.
 * In: texts by type. Out: what is printed after parsing, and which texts are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "component/run/instance.h"
#include "component/type/val.h"
#include "component/type/wave.h"
#include "component/abi/context.h"
#include "component/run/host.h"

static ts_arena arena;
static int setup(void **s) {
    (void)s;
    ts_arena_init(&arena);
    return 0;
}
static int teardown(void **s) {
    (void)s;
    ts_arena_free(&arena);
    return 0;
}

static const ts_ctype *prim(ts_ct_kind k) {
    return ts_ctype_primitive(k);
}
static const ts_ctype *make(ts_ctype t) {
    ts_ctype *p = ts_arena_alloc(&arena, sizeof *p);
    ts_error e;
    ts_error_init(&e);
    *p = t;
    assert_int_equal(ts_ctype_finish(p, &arena, &e), TS_OK);
    return p;
}

static void round_trip(const ts_ctype *t, const char *text, const char *want) {
    ts_val v;
    ts_error e;
    char buf[512];
    ts_error_init(&e);
    if (ts_wave_parse(t, text, &arena, &v, &e) != TS_OK) fail_msg("%s: %s", text, e.message);
    size_t n = ts_wave_print(t, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, want);
    assert_int_equal(n, strlen(want));
    char small[4];
    /* counts what does not fit, and writes nothing beyond the end */
    assert_int_equal(ts_wave_print(t, &v, small, sizeof small, 0), n);
    assert_int_equal(strlen(small), n < 3 ? n : 3);
}
static void refused(const ts_ctype *t, const char *text) {
    ts_val v;
    ts_error e;
    ts_error_init(&e);
    if (ts_wave_parse(t, text, &arena, &v, &e) == TS_OK) fail_msg("%s was accepted", text);
    assert_int_equal(e.status, TS_USAGE);
}

static void test_scalars(void **s) {
    (void)s;
    static const struct {
        ts_ct_kind kind;
        const char *text, *want; /* NULL: refused */
    } rows[] = {
        {TS_CT_BOOL, " true ", "true"},
        {TS_CT_S8, "-128", "-128"},
        {TS_CT_S8, "128", NULL},
        {TS_CT_S8, "-129", NULL},
        {TS_CT_U8, "255", "255"},
        {TS_CT_U8, "256", NULL},
        {TS_CT_U8, "-1", NULL},
        {TS_CT_U8, "+1", NULL},
        {TS_CT_S16, "-32768", "-32768"},
        {TS_CT_S32, "-2147483648", "-2147483648"},
        {TS_CT_S64, "-9223372036854775808", "-9223372036854775808"},
        {TS_CT_S64, "9223372036854775808", NULL},
        {TS_CT_U64, "18446744073709551615", "18446744073709551615"},
        {TS_CT_U64, "18446744073709551616", NULL},
        {TS_CT_U32, "1 2", NULL},
        {TS_CT_U32, "", NULL},
        {TS_CT_F32, "0.1", "0.1"},
        {TS_CT_F64, "0.1", "0.1"},
        {TS_CT_F64, "-0", "-0"},
        {TS_CT_F64, "1e100", "1e+100"},
        {TS_CT_F64, "1500000", "1500000"},
        {TS_CT_F64, "nan", "nan"},
        {TS_CT_F64, "-inf", "-inf"},
        {TS_CT_F64, "info", NULL},
        {TS_CT_F64, ".5", NULL},
        {TS_CT_CHAR, "'\\u{1f600}'", "'\xf0\x9f\x98\x80'"},
        {TS_CT_CHAR, "'\\''", "'\\''"},
        {TS_CT_CHAR, "'\\u{d800}'", NULL},
        {TS_CT_CHAR, "'ab'", NULL},
        {TS_CT_CHAR, "'\\n'", "'\\n'"},
        {TS_CT_CHAR, "'\\r'", "'\\r'"},
        {TS_CT_CHAR, "'\\\\'", "'\\\\'"},
        {TS_CT_CHAR, "'\\u{10FFFF}'", "'\xf4\x8f\xbf\xbf'"},
        {TS_CT_CHAR, "'\\u{110000}'", NULL},
        {TS_CT_CHAR, "'\\u41'", NULL},
        {TS_CT_CHAR, "'\\u{}'", NULL},
        {TS_CT_CHAR, "'\\u{41'", NULL},
        {TS_CT_U32, "\t\r\n7\t", "7"},
        {TS_CT_U32, "// a comment\n7 // another", "7"},
        {TS_CT_U32, "/7", NULL},
        {TS_CT_F64, "1e+2", "100"},
        {TS_CT_F64, "+1", NULL},
        {TS_CT_F64, "1.e", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].want)
            round_trip(prim(rows[i].kind), rows[i].text, rows[i].want);
        else
            refused(prim(rows[i].kind), rows[i].text);
    }
    char digits[500];
    memset(digits, '1', sizeof digits - 1);
    digits[sizeof digits - 1] = 0;
    refused(prim(TS_CT_F64), digits); /* too long to be read */
}

static void test_strings(void **s) {
    (void)s;
    const ts_ctype *t = prim(TS_CT_STRING);
    round_trip(t, "\"a\\tb\\\"c\\u{7}\"", "\"a\\tb\\\"c\\u{7}\"");
    round_trip(t, "\"it's\"", "\"it's\"");
    round_trip(t, "\"\"\"\n  one\n    two\n  \"\"\"", "\"one\\n  two\"");
    /* each line loses the indentation of the line with the closing quotes; quotes may be escaped; a line break is \n or \r\n */
    round_trip(t, "\"\"\"\r\n  one\n\n   two\n  \"\"\"", "\"one\\n\\n two\"");
    round_trip(t, "\"\"\"\na \\\"\"\" b\n\"\"\"", "\"a \\\"\\\"\\\" b\"");
    round_trip(t, "\"a\\nb\\rc\\\\d\\'\"", "\"a\\nb\\rc\\\\d'\"");
    refused(t, "\"\"\"\n  one");
    refused(t, "\"\"\"\n  one\n x\"\"\"");
    refused(t, "\"\"\"\n  one\n two\n  \"\"\"");
    refused(t, "\"a\nb\"");
    refused(t, "\"open");
    refused(t, "\"\\q\"");
    refused(t, "\"\"\" x\"\"\"");
    refused(t, "\"\xff\"");
}

static void test_compound(void **s) {
    (void)s;
    const ts_ctype *u32 = prim(TS_CT_U32), *str = prim(TS_CT_STRING);
    const ts_ctype *opt = make((ts_ctype){.kind = TS_CT_OPTION, .elem = u32});
    const ts_ctype *optopt = make((ts_ctype){.kind = TS_CT_OPTION, .elem = opt});
    const ts_ctype *res = make((ts_ctype){.kind = TS_CT_RESULT, .elem = str});
    const ts_ctype *bytes = make((ts_ctype){.kind = TS_CT_LIST, .elem = prim(TS_CT_U8)});
    const ts_ctype *strs = make((ts_ctype){.kind = TS_CT_LIST, .elem = str});
    static ts_ct_case fields[] = {{"a", NULL}, {"none", NULL}};
    fields[0].type = u32;
    fields[1].type = opt;
    const ts_ctype *rec = make((ts_ctype){.kind = TS_CT_RECORD, .n = 2, .cases = fields});
    static ts_ct_case cases[] = {{"some", NULL}, {"plain", NULL}};
    cases[0].type = u32;
    const ts_ctype *var = make((ts_ctype){.kind = TS_CT_VARIANT, .n = 2, .cases = cases});
    static const ts_ct_case flags[] = {{"read", NULL}, {"write", NULL}, {"exec", NULL}};
    const ts_ctype *fl = make((ts_ctype){.kind = TS_CT_FLAGS, .n = 3, .cases = flags});

    round_trip(opt, "some(1)", "some(1)");
    round_trip(opt, "7", "some(7)");
    round_trip(opt, "none", "none");
    round_trip(optopt, "some(none)", "some(none)");
    refused(optopt, "3");
    round_trip(res, "\"x\"", "ok(\"x\")");
    round_trip(res, "err", "err");
    refused(res, "ok");
    round_trip(bytes, "[1, 2,3,]", "[1, 2, 3]");
    round_trip(bytes, "[]", "[]");
    refused(bytes, "[1, 256]");
    refused(bytes, "[1 2]");
    round_trip(strs, "[\"a\", // why\n \"b\"]", "[\"a\", \"b\"]");
    round_trip(rec, "{a: 1}", "{a: 1}");
    round_trip(rec, "{%none: 3, a: 1}", "{a: 1, %none: some(3)}");
    refused(rec, "{none: 3}");
    refused(rec, "{a: 1, a: 2}");
    refused(rec, "{a: 1, b: 2}");
    round_trip(var, "%some(4)", "%some(4)");
    round_trip(var, "plain", "plain");
    refused(var, "other");
    round_trip(fl, "{exec, read}", "{read, exec}");
    round_trip(fl, "{}", "{}");
    refused(fl, "{fly}");
}

static void test_args(void **s) {
    (void)s;
    const ts_ctype *opt = make((ts_ctype){.kind = TS_CT_OPTION, .elem = prim(TS_CT_U32)});
    const ts_ct_case params[] = {{"a", prim(TS_CT_U32)}, {"b", opt}};
    const ts_cfunc_type f = {.n_params = 2, .params = params};
    ts_val args[2];
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_wave_parse_args(&f, "(1, 2)", &arena, args, &e), TS_OK);
    assert_int_equal(args[0].u32, 1);
    assert_int_equal(args[1].variant.payload->u32, 2);
    /* trailing options may be left out */
    assert_int_equal(ts_wave_parse_args(&f, "(1)", &arena, args, &e), TS_OK);
    assert_int_equal(args[1].variant.disc, 0);
    assert_int_equal(ts_wave_parse_args(&f, "()", &arena, args, &e), TS_USAGE);
    ts_error_init(&e);
    assert_int_equal(ts_wave_parse_args(&f, "(1, 2, 3)", &arena, args, &e), TS_USAGE);
    ts_error_init(&e);
    assert_int_equal(ts_wave_parse_args(&f, "(1, 2) x", &arena, args, &e), TS_USAGE);
}

static void test_shortened(void **s) {
    (void)s;
    const ts_ctype *bytes = make((ts_ctype){.kind = TS_CT_LIST, .elem = prim(TS_CT_U8)});
    char buf[200];
    ts_val v = {.raw = {"hello\n\xff", 7}};
    ts_wave_print(bytes, &v, buf, sizeof buf, 32);
    assert_string_equal(buf, "\"hello\\n\\xff\"");
    ts_wave_print(bytes, &v, buf, sizeof buf, 3);
    assert_string_equal(buf, "\"hel\"… (7 bytes)");
}

/* The host may identify its resources by address, so no text shows an address. */
static void test_handles(void **s) {
    (void)s;
    const ts_ctype *own = make((ts_ctype){.kind = TS_CT_OWN}), *borrow = make((ts_ctype){.kind = TS_CT_BORROW});
    const ts_host_resource def = {.interface = "a:b/c", .name = "stream"};
    ts_resource host = {.host_def = &def}, guest = {.impl = (ts_cinstance *)(uintptr_t)16};
    char buf[100];
    ts_val v = {.handle = {.rep = 0x7ffd12345678, .rt = NULL}};
    ts_wave_print(own, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "own<_>");
    ts_wave_print(borrow, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "borrow<_>");
    v.handle.rt = &host;
    ts_wave_print(own, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "own<stream>");
    ts_wave_print(borrow, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "borrow<stream>");
    v = (ts_val){.handle = {.rep = 7, .rt = &guest}}; /* a number that the guest chose */
    ts_wave_print(own, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "own<#7>");
    ts_wave_print(borrow, &v, buf, sizeof buf, 0);
    assert_string_equal(buf, "borrow<#7>");
}

/* Whether the values of two texts are equal. What has been parsed is equal to itself, parsed again. */
static bool equal(const ts_ctype *t, const char *one, const char *two) {
    ts_val a, again, b;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_wave_parse(t, one, &arena, &a, &e), TS_OK);
    assert_int_equal(ts_wave_parse(t, one, &arena, &again, &e), TS_OK);
    assert_int_equal(ts_wave_parse(t, two, &arena, &b, &e), TS_OK);
    assert_true(ts_val_equal(t, &a, &again));
    assert_true(ts_val_equal(t, &a, &b) == ts_val_equal(t, &b, &a));
    return ts_val_equal(t, &a, &b);
}
static void test_equal(void **s) {
    (void)s;
    static const struct {
        ts_ct_kind kind;
        const char *one, *two;
    } other[] = {
        {TS_CT_BOOL, "true", "false"},    {TS_CT_S8, "-1", "1"},
        {TS_CT_U8, "1", "129"},           {TS_CT_S16, "-1", "1"},
        {TS_CT_U16, "1", "257"},          {TS_CT_S32, "-1", "1"},
        {TS_CT_U32, "1", "65537"},        {TS_CT_S64, "-1", "1"},
        {TS_CT_U64, "1", "4294967297"},   {TS_CT_F32, "0", "-0"},
        {TS_CT_F32, "nan", "0"},          {TS_CT_F64, "0", "-0"},
        {TS_CT_F64, "1", "nan"},          {TS_CT_F64, "inf", "-inf"},
        {TS_CT_CHAR, "'a'", "'b'"},       {TS_CT_STRING, "\"\"", "\"a\""},
        {TS_CT_STRING, "\"a\"", "\"b\""},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_false(equal(prim(other[i].kind), other[i].one, other[i].two));
        const ts_ctype *list = make((ts_ctype){.kind = TS_CT_LIST, .elem = prim(other[i].kind)});
        char one[40], two[40];
        snprintf(one, sizeof one, "[%s]", other[i].one);
        snprintf(two, sizeof two, "[%s]", other[i].two);
        assert_false(equal(list, one, two));
        assert_false(equal(list, one, "[]"));
        assert_true(equal(list, "[]", "[]"));
    }
    static ts_ct_case fields[] = {{"a", NULL}, {"b", NULL}};
    fields[0].type = prim(TS_CT_U32);
    fields[1].type = prim(TS_CT_STRING);
    const ts_ctype *rec = make((ts_ctype){.kind = TS_CT_RECORD, .n = 2, .cases = fields});
    assert_false(equal(rec, "{a: 1, b: \"x\"}", "{a: 1, b: \"y\"}"));
    const ts_ctype *tuple = make((ts_ctype){.kind = TS_CT_TUPLE, .n = 2, .cases = fields});
    assert_false(equal(tuple, "(1, \"x\")", "(2, \"x\")"));
    static ts_ct_case cases[] = {{"a", NULL}, {"b", NULL}, {"c", NULL}};
    cases[0].type = cases[1].type = prim(TS_CT_U32);
    const ts_ctype *var = make((ts_ctype){.kind = TS_CT_VARIANT, .n = 3, .cases = cases});
    assert_false(equal(var, "a(1)", "b(1)"));
    assert_false(equal(var, "a(1)", "a(2)"));
    assert_false(equal(var, "c", "a(0)"));
    const ts_ctype *opt = make((ts_ctype){.kind = TS_CT_OPTION, .elem = prim(TS_CT_U32)});
    assert_false(equal(opt, "none", "some(0)"));
    static const ts_ct_case names[] = {{"a", NULL}, {"b", NULL}};
    const ts_ctype *word = make((ts_ctype){.kind = TS_CT_ENUM, .n = 2, .cases = names});
    assert_false(equal(word, "a", "b"));
    const ts_ctype *flags = make((ts_ctype){.kind = TS_CT_FLAGS, .n = 2, .cases = names});
    assert_false(equal(flags, "{a}", "{a, b}"));
    ts_resource one = {0}, two = {0};
    const ts_ctype *own = make((ts_ctype){.kind = TS_CT_OWN});
    const ts_val h = {.handle = {.rep = 1, .rt = &one}}, same = h;
    assert_true(ts_val_equal(own, &h, &same));
    assert_false(ts_val_equal(own, &h, &(ts_val){.handle = {.rep = 2, .rt = &one}}));
    assert_false(ts_val_equal(own, &h, &(ts_val){.handle = {.rep = 1, .rt = &two}}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars), cmocka_unit_test(test_strings),   cmocka_unit_test(test_compound),
        cmocka_unit_test(test_args),    cmocka_unit_test(test_shortened), cmocka_unit_test(test_handles),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
