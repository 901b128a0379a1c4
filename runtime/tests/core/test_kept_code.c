/* test_kept_code: IR and machine code that are kept in the cache, for the next process.
 * In: a module written here, a folder of the test's own. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/load/cache.h"
#include "core/load/load.h"
#include "tests/cache_folder.h"
#include "tests/data/kept_forms.h"
#include "core/native/machine.h"
#include "core/run/code_cache.h"
#include "core/run/exec.h"
#include "core/run/store.h"
#include "sys/build_id.h"

enum { NOPS = 70000, N = 10, TWICE_THE_SUM = N * (N + 1), CALLS = 10 };
static uint8_t module[NOPS + 300];
static size_t module_len;

static void put(const void *bytes, size_t len) {
    memcpy(module + module_len, bytes, len);
    module_len += len;
}
static void put_u32(uint32_t v) { /* five bytes, whatever the number */
    for (int i = 0; i < 5; i++) put(&(uint8_t){(uint8_t)((v >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0))}, 1);
}
#define PUT(text) put(text, sizeof(text) - 1)
/* (func $sum (param i32) (result i32) … a loop), as long as the cache wants a module to be; and (func (param i32)
 * (result i32)), which adds the results of a call and of an indirect call of $sum. */
static int make_module(void **state) {
    (void)state;
    static const char sum[] = "\x03\x40\x20\1\x20\0\x6a\x21\1\x20\0\x41\1\x6b\x22\0\x0d\0\x0b\x20\1\x0b",
                      both[] = "\0\x20\0\x10\0\x20\0\x41\0\x11\0\0\x6a\x0b";
    module_len = 0;
    PUT("\0asm\1\0\0\0\1\6\1\x60\1\x7f\1\x7f\3\3\2\0\0\4\4\1\x70\0\1\x09\7\1\0\x41\0\x0b\1\0\x0a");
    put_u32(1 + 5 + 3 + NOPS + sizeof sum - 1 + 1 + sizeof both - 1);
    PUT("\2");
    put_u32(3 + NOPS + sizeof sum - 1);
    PUT("\1\1\x7f");
    memset(module + module_len, 1, NOPS);
    module_len += NOPS;
    put(sum, sizeof sum - 1);
    put(&(uint8_t){sizeof both - 1}, 1);
    put(both, sizeof both - 1);
    return 0;
}

/* (type (func (param f32))) (type (func (param f64))) (type (func (param i64))) */
static const uint8_t other_types[] = "\0asm\1\0\0\0\1\x0d\3\x60\1\x7d\0\x60\1\x7c\0\x60\1\x7e\0";
static bool with_other_types; /* canonical ids are others then */
static unsigned with_ir;      /* how many functions got their IR from the cache */

/* Runs the module, and returns how many of its functions got machine code from the cache: after a few calls, long before
 * they are hot. Nobody needs it before. */
static unsigned restored(ts_tier tier) {
    ts_engine *engine;
    ts_module *m, *first = NULL;
    ts_store *s;
    ts_instance *i;
    ts_error e;
    unsigned n = 0;
    with_ir = 0;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    ts_engine_set_tier(engine, tier);
    assert_int_equal(ts_engine_set_cache(engine, folder, &e), TS_OK);
    if (with_other_types)
        assert_int_equal(ts_module_new(engine, other_types, sizeof other_types - 1, false, &first, &e), TS_OK);
    assert_int_equal(ts_module_new(engine, module, module_len, false, &m, &e), TS_OK);
    assert_int_equal(ts_store_create(engine, NULL, &s, &e), TS_OK);
    assert_int_equal(ts_instantiate(s, m, NULL, NULL, &i, &e), TS_OK);
    unsigned form = ts_exec_form_of(s->exec, i);
    for (uint32_t f = 0; tier != TS_TIER_COMPILED_AT_ONCE && f < 2; f++) {
        ts_fcode *c = ts_code_func(m, form, f);
        assert_non_null(c);
        assert_int_equal(ts_code_compile(c, &e), TS_OK);
        assert_null(c->machine);
        with_ir += c->kept;
    }
    for (int k = 0; k < CALLS; k++) {
        ts_slot io[2] = {N};
        assert_int_equal(ts_call(s, i->funcs[1], io, &e), TS_OK);
        assert_int_equal(io[0], TWICE_THE_SUM);
    }
    for (uint32_t f = 0; tier != TS_TIER_COMPILED_AT_ONCE && f < 2; f++) {
        const ts_machine_code *made = ts_code_func(m, form, f)->machine;
        n += made && !made->owns_faults;
    }
    ts_store_destroy(s);
    ts_module_free(m);
    ts_module_free(first);
    ts_engine_destroy(engine);
    return n;
}

static bool can_keep(void) {
    uint8_t id[TS_BUILD_ID_MAX];
    return ts_exec_takes_machine_code() && ts_build_id(id) > 0;
}

static void is_there_for_the_next_process(void **state) {
    (void)state;
    if (!can_keep()) skip();
    assert_int_equal(restored(TS_TIER_COMPILED), 0);
    assert_int_equal(each_entry(".code", NULL), 0); /* nothing was hot */
    assert_int_equal(restored(TS_TIER_COMPILED_AT_ONCE), 0);
    assert_int_equal(each_entry(".code", NULL), 1);
    assert_int_equal(restored(TS_TIER_COMPILED), 2);
    assert_int_equal(with_ir, 2);
    assert_int_equal(restored(TS_TIER_COMPILED_AT_ONCE), 0);
    assert_int_equal(restored(TS_TIER_COMPILED_MIXED), 2);
    assert_int_equal(with_ir, 2);
}

static void is_there_for_an_engine_with_other_types(void **state) {
    (void)state;
    if (!can_keep()) skip();
    (void)restored(TS_TIER_COMPILED_AT_ONCE);
    with_other_types = true;
    assert_int_equal(restored(TS_TIER_COMPILED), 2);
    assert_int_equal(with_ir, 2);
    with_other_types = false;
}

static void is_not_there_for_the_interpreter(void **state) {
    (void)state;
    (void)restored(TS_TIER_INTERPRETED);
    assert_int_equal(each_entry(".code", NULL), 0);
    (void)restored(TS_TIER_COMPILED_AT_ONCE);
    assert_int_equal(restored(TS_TIER_INTERPRETED), 0);
    assert_int_equal(with_ir, 0); /* whose IR does not count */
}

enum { LIST = 72, PARTS = LIST + 2 * 56 }; /* where they are in the file: of two functions */
static int change(const char *path, off_t at) {
    uint8_t byte;
    int fd = open(path, O_RDWR);
    bool ok = pread(fd, &byte, 1, at) == 1;
    byte ^= 0x40;
    ok = ok && pwrite(fd, &byte, 1, at) == 1;
    close(fd);
    return ok ? 0 : -1;
}
static int of_another_build(const char *path) {
    return change(path, 20);
}
static int with_another_list(const char *path) {
    return change(path, LIST + 8);
}
static int shorter(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? truncate(path, st.st_size - 8) : -1;
}
static int empty(const char *path) {
    return truncate(path, 0);
}
static int open_to_all(const char *path) {
    return chmod(path, 0666);
}
static void is_not_used_if_it_is_not_right(void **state) {
    (void)state;
    if (!can_keep()) skip();
    int (*const ways[])(const char *) = {of_another_build, with_another_list, shorter, empty, open_to_all};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        (void)restored(TS_TIER_COMPILED_AT_ONCE);
        assert_int_equal(restored(TS_TIER_COMPILED), 2);
        assert_int_equal(each_entry(".code", ways[i]), 1);
        assert_int_equal(restored(TS_TIER_COMPILED), 0);
    }
    (void)restored(TS_TIER_COMPILED_AT_ONCE); /* it is replaced */
    assert_int_equal(restored(TS_TIER_COMPILED), 2);
}

static off_t damaged_at, size;
static int measure(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return -1;
    size = st.st_size;
    return 0;
}
static int damage(const char *path) {
    return change(path, damaged_at);
}
/* The IR or the machine code of one function is not used. IR is replaced at once, machine code when there is some. */
static void damage_is_found(void **state) {
    (void)state;
    if (!can_keep()) skip();
    (void)restored(TS_TIER_COMPILED_AT_ONCE);
    assert_int_equal(each_entry(".code", measure), 1);
    for (damaged_at = PARTS; damaged_at < size; damaged_at += 29) {
        assert_int_equal(restored(TS_TIER_COMPILED) + with_ir, 4);
        assert_int_equal(each_entry(".code", damage), 1);
        assert_int_equal(restored(TS_TIER_COMPILED) + with_ir, 3);
        assert_in_range(restored(TS_TIER_COMPILED), 1, 2);
        assert_int_equal(with_ir, 2);
        assert_int_equal(each_entry(".code", remove), 1);
        (void)restored(TS_TIER_COMPILED_AT_ONCE);
    }
}

/* Handlers, and types of a module, which have other numbers in each engine, mean the same in the next process. */
enum { FUNCS = 7, RUN = 6, ROUNDS = 50 };
static uint8_t *forms;
static size_t forms_len;
static int make_forms(void **state) { /* as long as the cache wants a module to be: with a custom section */
    static const uint8_t section[] = {0, 0x80, 0x80, 8}; /* 128 KiB */
    const size_t rest = 131072;
    forms_len = sizeof kept_forms + sizeof section + rest;
    forms = calloc(1, forms_len);
    assert_non_null(forms);
    memcpy(forms, kept_forms, sizeof kept_forms);
    memcpy(forms + sizeof kept_forms, section, sizeof section);
    return fresh(state);
}
static int free_forms(void **state) {
    free(forms);
    return gone(state);
}
static int32_t sum_of_forms(ts_tier tier, unsigned *restored_ir) {
    ts_engine *engine;
    ts_module *m, *first = NULL;
    ts_store *s;
    ts_instance *i;
    ts_error e;
    ts_slot io[2] = {ROUNDS};
    *restored_ir = 0;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    ts_engine_set_tier(engine, tier);
    assert_int_equal(ts_engine_set_cache(engine, folder, &e), TS_OK);
    if (with_other_types)
        assert_int_equal(ts_module_new(engine, other_types, sizeof other_types - 1, false, &first, &e), TS_OK);
    if (ts_module_new(engine, forms, forms_len, false, &m, &e) != TS_OK) fail_msg("%s", e.message);
    assert_int_equal(ts_store_create(engine, NULL, &s, &e), TS_OK);
    assert_int_equal(ts_instantiate(s, m, NULL, NULL, &i, &e), TS_OK);
    if (ts_call(s, i->funcs[RUN], io, &e) != TS_OK) fail_msg("%s", e.message);
    for (uint32_t f = 0; f < FUNCS; f++) *restored_ir += ts_code_func(m, ts_exec_form_of(s->exec, i), f)->kept;
    ts_store_destroy(s);
    ts_module_free(m);
    ts_module_free(first);
    ts_engine_destroy(engine);
    return (int32_t)io[0];
}
static void has_handlers_and_types(void **state) {
    (void)state;
    unsigned n;
    if (!can_keep()) skip();
    const int32_t sum = sum_of_forms(TS_TIER_INTERPRETED, &n);
    assert_int_equal(sum_of_forms(TS_TIER_COMPILED_AT_ONCE, &n), sum);
    assert_int_equal(n, 0);
    for (unsigned k = 0; k < 6; k++) {
        with_other_types = k % 2;
        assert_int_equal(sum_of_forms(k < 2   ? TS_TIER_COMPILED
                                      : k < 4 ? TS_TIER_COMPILED_MIXED
                                              : TS_TIER_COMPILED_AT_ONCE,
                                      &n),
                         sum);
        assert_int_equal(n, FUNCS);
    }
    with_other_types = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_there_for_the_next_process, fresh, gone),
        cmocka_unit_test_setup_teardown(is_there_for_an_engine_with_other_types, fresh, gone),
        cmocka_unit_test_setup_teardown(is_not_there_for_the_interpreter, fresh, gone),
        cmocka_unit_test_setup_teardown(is_not_used_if_it_is_not_right, fresh, gone),
        cmocka_unit_test_setup_teardown(damage_is_found, fresh, gone),
        cmocka_unit_test_setup_teardown(has_handlers_and_types, make_forms, free_forms),
    };
    return cmocka_run_group_tests(tests, make_module, NULL);
}
