/* test_component_names: labels, import and export names, versions, the semver track.
 * In: names. Out: accepted or the reason. spec: Explainer.md#import-and-export-definitions, #name-uniqueness
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "component/binary/component.h"
#include "component/type/names.h"
#include <string.h>

static bool parse(const char *s, bool nested, ts_name_kind *kind, char *why) {
    ts_extern_name n;
    why[0] = 0;
    bool ok = ts_extern_name_parse(s, strlen(s), nested, &n, why, 200);
    *kind = n.kind;
    return ok;
}

static void labels(void **state) {
    (void)state;
    static const char *const good[] = {"a",         "a-b-c",        "a1-2-3",         "A",     "A-B-C", "A1-2-3",
                                       "a11-w0rds", "A11-4CR0NYMS", "m1x3d-4CR0NYMS", "is-XML"};
    static const char *const bad[] = {"", "1", "1-2-3", "-a", "a-", "a--b", "aB", "Ab", "a_b", "a.b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(ts_label_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(ts_label_valid(bad[i], strlen(bad[i])));
}

static void extern_names(void **state) {
    (void)state;
    static const struct {
        const char *s;
        int kind;
        const char *why;
    } cases[] = {
        {"foo", TS_NAME_LABEL, NULL},
        {"[constructor]foo", TS_NAME_CONSTRUCTOR, NULL},
        {"[method]foo.bar", TS_NAME_METHOD, NULL},
        {"[static]foo.bar", TS_NAME_STATIC, NULL},
        {"wasi:io/streams@0.2.0", TS_NAME_INTERFACE, NULL},
        {"a:b/c@0.0.0-abcd.1.2+efg.4.ee.5", TS_NAME_INTERFACE, NULL},
        {"ns-1-a:b-1-c/D-2", TS_NAME_INTERFACE, NULL},
        {"[method]foo", -1, "failed to find `.` character"},
        {"[method]a.b.c", -1, "not in kebab case"},
        {"[other]a", -1, "not in kebab case"},
        {"A:b/c", -1, "`A` is not in kebab case"},
        {"a:b", -1, "expected `/` after package name"},
        {"a:b:c/d", -1, "expected `/` after package name"},
        {"a:b/c/d", -1, "trailing characters found: `/d`"},
        {"a:b/c@", -1, "empty string"},
        {"a:b/c@1.2", -1, "unexpected end of input"},
        {"a:b/c@01.2.3", -1, "leading zero"},
        {"a:b/c@1.2.3-01", -1, "leading zero"},
        {"a:b/c@1.2.3-", -1, "empty identifier segment"},
        {"a:b/c@99999999999999999999.0.0", -1, "exceeds"},
        {"url=<https://a.b/c>", -1, "names of the form `url=<…>`"},
        {"unlocked-dep=<a:b@{>=1.0.0}>", -1, "not part of the component model"},
        {"locked-dep=<a:b@1.0.0>", -1, "not part of the component model"},
        {"relative-url=<../a>", -1, "not part of the component model"},
        {"integrity=<sha256-YQ==>", -1, "not part of the component model"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[200];
        ts_name_kind kind;
        bool ok = parse(cases[i].s, false, &kind, why);
        if (ok != (cases[i].kind >= 0) || (ok && (int)kind != cases[i].kind) || (!ok && !strstr(why, cases[i].why)))
            fail_msg("%s: %d %s", cases[i].s, ok, why);
    }
    char why[200];
    ts_name_kind kind;
    assert_true(parse("a:b:c/d/e", true, &kind, why));
}

static void unique(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"foo", "FOO", true},
        {"foo-bar", "foo-BAR", true},
        {"[method]foo.foo", "foo", true},
        {"[static]foo-BAR.FOO-bar", "foo-bar", true},
        {"[method]foo.bar", "[static]foo.BAR", true},
        {"foo:bar/baz", "foo:bar/BAZ", true},
        {"[constructor]foo", "[constructor]FOO", true},
        {"[constructor]foo", "foo", false},
        {"[method]foo.bar", "foo", false},
        {"a:b/c@0.0.0-x", "a:b/c@0.0.0-X", false},
        {"a1", "a-1", false},
    };
    ts_arena arena;
    ts_arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t n, m;
        const char *x = ts_extern_name_key(&arena, cases[i].a, strlen(cases[i].a), &n),
                   *y = ts_extern_name_key(&arena, cases[i].b, strlen(cases[i].b), &m);
        assert_true(x && y);
        assert_int_equal(strlen(x), n);
        assert_int_equal(strlen(y), m);
        if ((n == m && memcmp(x, y, n) == 0) != cases[i].same) fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
    ts_arena_free(&arena);
}

static void tracks(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool compatible;
    } cases[] = {
        {"wasi:io/streams@0.2.0", "wasi:io/streams@0.2.12", true},
        {"wasi:io/streams@0.2.0", "wasi:io/streams@0.3.0", false},
        {"wasi:io/streams@0.2.0", "wasi:io/poll@0.2.0", false},
        {"a:b/c@1.0.0", "a:b/c@1.9.3", true},
        {"a:b/c@1.0.0", "a:b/c@2.0.0", false},
        {"a:b/c@0.0.1", "a:b/c@0.0.2", false},
        {"a:b/c@0.0.1", "a:b/c@0.0.1", true},
        {"a:b/c", "a:b/c", true},
        {"a:b/c", "a:b/c@1.0.0", false},
        {"a:b/c@0.2.0-rc.1", "a:b/c@0.2.0", false},
        {"a:b/c@0.2.0-rc.1", "a:b/c@0.2.0-rc.1", true},
        {"a:b/c@0.2", "a:b/c@0.2.7", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_iface_name x, y;
        assert_true(ts_name_parse(cases[i].a, strlen(cases[i].a), &x));
        assert_true(ts_name_parse(cases[i].b, strlen(cases[i].b), &y));
        if (ts_name_compatible(&x, &y) != cases[i].compatible || ts_name_compatible(&y, &x) != cases[i].compatible)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
    ts_iface_name n;
    assert_false(ts_name_parse("run", 3, &n));
    assert_false(ts_name_parse("a:b/c@1.x", 9, &n));
}

/* 🔗 The name and suffix of an import of an empty instance type. */
static void canonical(void **state) {
    (void)state;
    static const struct {
        const char *name, *suffix; /* suffix NULL: none */
        bool valid;
    } cases[] = {
        {"a:b/c@1", NULL, true},         {"a:b/c@0.2", NULL, true},       {"a:b/c@0.0.3", NULL, true},
        {"a:b/c@0.0.0", NULL, true},     {"a:b/c@1.2.3", NULL, true},     {"a:b/c@1.0", NULL, false},
        {"a:b/c@0", NULL, false},        {"a:b/c@0.0", NULL, false},      {"a:b/c@01", NULL, false},
        {"a:b/c@1", ".2.3", true},       {"a:b/c@1", ".2", false},        {"a:b/c@0.2", ".6-rc.1", true},
        {"a:b/c@0.0.1", "-alpha", true}, {"a:b/c@0.0.1", "", true},       {"a:b/c@1.2", ".3", false},
        {"a:b/c@1.2.3", "", false},      {"a:b/c", ".1.2", false},        {"label", ".1.2", false},
        {"a:b/c@1", ".2.3-01", false},   {"a:b/c@0.2", ".6+build", true},
    };
    ts_error e;
    ts_engine *engine;
    ts_error_init(&e);
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t b[200] = "\0asm\x0d\0\1\0\7\3\1\x42\0\x0a";
        size_t n = 15, name = strlen(cases[i].name), suffix = cases[i].suffix ? strlen(cases[i].suffix) : 0;
        b[n++] = 1;
        b[n++] = cases[i].suffix ? 2 : 0;
        b[n++] = (uint8_t)name;
        memcpy(b + n, cases[i].name, name);
        n += name;
        if (cases[i].suffix) {
            memcpy(b + n, (const uint8_t[]){1, 1, (uint8_t)suffix}, 3);
            memcpy(b + n + 3, cases[i].suffix, suffix);
            n += 3 + suffix;
        }
        memcpy(b + n, "\5\0", 2);
        n += 2;
        b[14] = (uint8_t)(n - 15);
        ts_component *c;
        ts_error_init(&e);
        ts_status st = ts_component_load_with(engine, b, n, "canonical-names", &c, &e);
        if (st != (cases[i].valid ? TS_OK : TS_INVALID))
            fail_msg("%s %s: %s", cases[i].name, cases[i].suffix ? cases[i].suffix : "", e.message);
        if (st == TS_OK) ts_component_free(c);
    }
    ts_engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels), cmocka_unit_test(extern_names),
                                       cmocka_unit_test(unique), cmocka_unit_test(tracks), cmocka_unit_test(canonical)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
