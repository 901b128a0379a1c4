/* test_number: numbers are read and printed with a point in a process whose locale has a comma.
 * In: numbers and texts, by each function of the library that prints or parses them. Out: the same in both
 * locales. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/number.h"
#include "base/toml.h"
#include "component/type/wave.h"
#include "core/run/text.h"

/* The LC_NUMERIC of a locale of glibc with a decimal comma, as localedef(1) compiles it. */
static const unsigned char comma[] = "\x14\x11\x03\x20\x06\0\0\0\x20\0\0\0\x22\0\0\0\x24\0\0\0\x28\0\0\0\x2c\0\0\0\x30"
                                     "\0\0\0,\0.\0\x03\x03\0\0,\0\0\0.\0\0\0"
                                     "ANSI_X3.4-1968";
static char folder[] = "/tmp/test_number.XXXXXX";
static bool has_comma;

/* A C library without such locales cannot fail this test. */
static int use_comma(void **state) {
    (void)state;
    char path[128];
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/comma", folder);
    if (mkdir(path, 0700)) return -1;
    snprintf(path, sizeof path, "%s/comma/LC_NUMERIC", folder);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(comma, 1, sizeof comma, f) != sizeof comma || fclose(f)) return -1;
    setenv("LOCPATH", folder, 1);
    has_comma = setlocale(LC_NUMERIC, "comma") != NULL;
#ifdef __GLIBC__
    if (!has_comma) return -1;
#endif
    return 0;
}
static int drop_comma(void **state) {
    (void)state;
    char path[128];
    setlocale(LC_NUMERIC, "C");
    snprintf(path, sizeof path, "%s/comma/LC_NUMERIC", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/comma", folder);
    rmdir(path);
    rmdir(folder);
    return 0;
}

static void the_locale_is_in_force(void **state) {
    (void)state;
    char buf[32];
    snprintf(buf, sizeof buf, "%.1f", 0.5);
    assert_string_equal(buf, has_comma ? "0,5" : "0.5");
}

static void helpers(void **state) {
    (void)state;
    char buf[32], *end;
    assert_int_equal(ts_snprintf(buf, sizeof buf, "%.2f %s", 1.25, "x"), 6);
    assert_string_equal(buf, "1.25 x");
    static const char text[] = "-1.5e3,";
    assert_true(ts_strtod(text, &end) == -1500.0 && *end == ',');
    assert_true(ts_strtof("0.1", NULL) == 0.1f);
    assert_true(ts_strtod("0x1.8p1", &end) == 3.0 && !*end);
    the_locale_is_in_force(state); /* the locale is left only for the call */
}

static void wave(void **state) {
    (void)state;
    static const char *const texts[] = {"0.1", "-1.5", "123456.789", "1e+100", "1.5e-300", "0", "nan", "-inf"};
    ts_arena arena;
    ts_arena_init(&arena);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ts_val v;
        ts_error e;
        char buf[64], *want = (char *)(uintptr_t)texts[i];
        ts_error_init(&e);
        if (ts_wave_parse(ts_ctype_primitive(TS_CT_F64), texts[i], &arena, &v, &e) != TS_OK)
            fail_msg("%s: %s", texts[i], e.message);
        ts_wave_print(ts_ctype_primitive(TS_CT_F64), &v, buf, sizeof buf, 0);
        assert_string_equal(buf, want);
    }
    ts_val v;
    assert_int_not_equal(ts_wave_parse(ts_ctype_primitive(TS_CT_F32), "0,5", &arena, &v, NULL), TS_OK);
    ts_arena_free(&arena);
}

/* Arguments and results of core functions, as the command prints and parses them. */
static void slots(void **state) {
    (void)state;
    char buf[TS_SLOT_TEXT];
    ts_slot v[2] = {0};
    ts_error e;
    ts_error_init(&e);
    const char *at = "0.1";
    if (ts_slot_parse(NULL, TS_VT_F64, &at, v, &e) != TS_OK) fail_msg("%s", e.message);
    assert_string_equal(ts_slot_print(NULL, TS_VT_F64, v, buf), "0.1");
    at = "-2.5";
    if (ts_slot_parse(NULL, TS_VT_F32, &at, v, &e) != TS_OK) fail_msg("%s", e.message);
    assert_string_equal(ts_slot_print(NULL, TS_VT_F32, v, buf), "-2.5");
}

static void toml(void **state) {
    (void)state;
    ts_arena arena;
    ts_toml *root = NULL;
    ts_error e;
    ts_arena_init(&arena);
    ts_error_init(&e);
    static const char text[] = "half = 0.5\n";
    if (ts_toml_parse(&arena, "t", text, sizeof text - 1, &root, &e) != TS_OK) fail_msg("%s", e.message);
    assert_true(root->first->number == 0.5);
    ts_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_locale_is_in_force),
        cmocka_unit_test(helpers),
        cmocka_unit_test(wave),
        cmocka_unit_test(slots),
        cmocka_unit_test(toml),
    };
    return cmocka_run_group_tests(tests, use_comma, drop_comma);
}
