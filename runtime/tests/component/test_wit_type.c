/* test_wit_type: the types of host functions and values as WIT text.
 * In: texts through touchstone.h. Out: which are accepted, and the message for those that are not.
 * spec: WIT.md#types; Explainer.md#name-uniqueness; the limits are those of the decoder of components */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "touchstone.h"

static ts_linker *linker;
static ts_error e;
static unsigned n_defined;

static int setup(void **s) {
    (void)s;
    ts_error_init(&e);
    if (ts_linker_new(&linker, &e) != TS_OK) return 1;
    return ts_linker_define_resource(linker, "a:b/c@1.0.0", "thing", NULL, NULL, &e) != TS_OK;
}
static int teardown(void **s) {
    (void)s;
    ts_linker_free(linker);
    return 0;
}

static ts_status never(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args, (void)result;
    return TS_OK;
}
static ts_status define(const char *type) {
    char name[16];
    snprintf(name, sizeof name, "f%u", n_defined++);
    ts_error_init(&e);
    return ts_linker_define_func(linker, "a:b/c@1.0.0", name, type, never, NULL, &e);
}
static void refused(const char *type, const char *words) {
    if (define(type) == TS_OK) fail_msg("%.100s was accepted", type);
    if (!strstr(e.message, words)) fail_msg("%.100s: \"%s\" does not say \"%s\"", type, e.message, words);
}

/* `before`, then n times list<, u8, n times >, then `after` */
static char *nested(const char *before, unsigned n, const char *after) {
    char *text = malloc(strlen(before) + 6 * n + strlen(after) + 3), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", before);
    for (unsigned i = 0; i < n; i++) at += sprintf(at, "list<");
    at += sprintf(at, "u8");
    for (unsigned i = 0; i < n; i++) *at++ = '>';
    sprintf(at, "%s", after);
    return text;
}
static void nesting(void **s) {
    (void)s;
    static const struct {
        const char *before, *after;
    } forms[] = {{"func(x: ", ")"}, {"func() -> ", ""}};
    for (size_t i = 0; i < 2; i++) { /* the function counts as a level, as in a component */
        char *deepest = nested(forms[i].before, 98, forms[i].after),
             *deeper = nested(forms[i].before, 99, forms[i].after);
        if (define(deepest) != TS_OK) fail_msg("%s", e.message);
        refused(deeper, "type nesting is too deep: the limit is 100");
        free(deepest);
        free(deeper);
    }
    char *deepest = nested("", 99, ""), *deeper = nested("", 100, "");
    ts_error_init(&e);
    if (ts_linker_define_value(linker, "", "deepest", deepest, "[]", &e) != TS_OK) fail_msg("%s", e.message);
    assert_int_equal(ts_linker_define_value(linker, "", "deeper", deeper, "[]", &e), TS_USAGE);
    free(deepest);
    free(deeper);
}

static void names(void **s) {
    (void)s;
    static const struct {
        const char *type, *words;
    } rows[] = {
        {"func(a: u8, b: u8, a: u8)", "parameter name `a` conflicts with a previous one at column 20"},
        {"func(a: record { x: u8, x: u8 })", "record field name `x` conflicts with a previous one at column 25"},
        {"func(a: variant { x, y, x(u8) })", "variant case name `x` conflicts"},
        {"func(a: enum { x, y, x })", "enum case name `x` conflicts"},
        {"func(a: flags { x, x })", "flag name `x` conflicts"},
        {"func(a: enum { an-x, AN-x })",
         "enum case name `AN-x` conflicts"}, /* strongly-unique: upper and lower case do not differ */
        {"func() -> list<record { x: u8, %x: u8 }>", "record field name `x` conflicts"},
        {"func(Aa: u8)", "parameter name `Aa` is not in kebab case at column 6"},
        {"func(a: record { a--b: u8 })", "record field name `a--b` is not in kebab case"},
        {"func(a: enum { a, 1b })", "enum case name `1b` is not in kebab case"},
        {"func(x: borrow<thing>) -> option<borrow<thing>>", "cannot contain a `borrow` type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) refused(rows[i].type, rows[i].words);
    /* names of different types and of functions do not conflict */
    static const char good[] =
        "func(a: record { a: enum { a }, b: flags { a, b } }, b: tuple<variant { a, b(u8) }, u8>) -> result";
    if (define(good) != TS_OK) fail_msg("%s", e.message);
}

static void members(void **s) {
    (void)s;
    char *text = malloc(1 << 18);
    assert_non_null(text);
    static const struct {
        const char *form;
        unsigned good, bad;
        const char *words;
    } rows[] = {
        {"enum", 10000, 10001, "too many members"},
        {"flags", 32, 33, "more than 32 flags"},
        {"params", 1000, 1001, "too many members"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool params = strcmp(rows[i].form, "params") == 0;
        for (int bad = 0; bad < 2; bad++) {
            char *at = text + sprintf(text, params ? "func(" : "func(a: %s {", rows[i].form);
            for (unsigned k = 0; k < (bad ? rows[i].bad : rows[i].good); k++)
                at += sprintf(at, params ? "m%u: u8," : "m%u,", k);
            sprintf(at, params ? ")" : "})");
            if (bad)
                refused(text, rows[i].words);
            else if (define(text) != TS_OK)
                fail_msg("%s: %s", rows[i].form, e.message);
        }
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nesting), cmocka_unit_test(names), cmocka_unit_test(members)};
    return cmocka_run_group_tests_name("wit types", tests, setup, teardown);
}
