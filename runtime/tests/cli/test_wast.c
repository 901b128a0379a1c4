/* test_wast: the runner of scripts distinguishes expectations that hold from those that do not.
 * In: small scripts and binaries written to a fresh folder. Out: cmocka results. The runner is part of the
 * command, so its files are included here. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/wast/json.c" /* before cmocka.h, whose macros have common names */
#include "cli/output.c"
#include "cli/wast/wast.c"
#define bits_of component_bits_of
#include "cli/wast/wast_component.c"
#undef bits_of
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* (module (func (export "f") (param i32) (result i32) local.get 0 i32.const 1 i32.add)
 *         (func (export "t") unreachable) (global (export "g") f32 (f32.const nan))) */
static const uint8_t MODULE[] = {
    0, 'a', 's', 'm', 1, 0,    0,  0,    1, 9, 2,    0x60, 1,    0x7f, 1,  0x7f, 0x60, 0,   0, 3, 3,   2,
    0, 1,   6,   9,   1, 0x7d, 0,  0x43, 0, 0, 0xc0, 0x7f, 0x0b, 7,    13, 3,    1,    'f', 0, 0, 1,   't',
    0, 1,   1,   'g', 3, 0,    10, 13,   2, 7, 0,    0x20, 0,    0x41, 1,  0x6a, 0x0b, 3,   0, 0, 0x0b};
/* (module (func (result i32))): a body that leaves nothing */
static const uint8_t INVALID[] = {0, 'a',  's', 'm', 1, 0, 0,  0, 1, 5, 1, 0x60, 0,
                                  1, 0x7f, 3,   2,   1, 0, 10, 4, 1, 2, 0, 0x0b};
static const uint8_t MALFORMED[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 9};
/* (module (import "a" "b" (func))) */
static const uint8_t IMPORT[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 'a', 1, 'b', 0, 0};

/* A process that confined itself would stay so for all tests. runtime/tests/outside/test_confine.py tests confinement. */
ts_status ts_cli_confine_reader(const char *folder, bool makes_code, ts_error *e) {
    (void)folder;
    (void)makes_code;
    (void)e;
    return TS_OK;
}
int ts_cli_status(const ts_error *e) {
    (void)e;
    return TS_CLI_INTERNAL;
}

static char dir[] = "/tmp/ts-wast-XXXXXX";

static void put(const char *name, const void *bytes, size_t len) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(dir)) return -1;
    put("m.wasm", MODULE, sizeof MODULE);
    put("invalid.wasm", INVALID, sizeof INVALID);
    put("malformed.wasm", MALFORMED, sizeof MALFORMED);
    put("import.wasm", IMPORT, sizeof IMPORT);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    static const char *const names[] = {"m.wasm", "invalid.wasm", "malformed.wasm", "import.wasm", "s.json", "r.jsonl"};
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

#define M "{\"type\":\"module\",\"line\":1,\"filename\":\"m.wasm\",\"module_type\":\"binary\"},"
#define CALL(n) "\"action\":{\"type\":\"invoke\",\"field\":\"f\",\"args\":[{\"type\":\"i32\",\"value\":\"" n "\"}]}"
#define TRAP "\"action\":{\"type\":\"invoke\",\"field\":\"t\",\"args\":[]}"
#define GET                                                                                                            \
    "{\"type\":\"assert_return\",\"line\":2,\"action\":{\"type\":\"get\",\"field\":\"g\"},\"expected\":[{\"type\":"    \
    "\"f32\",\"value\":"

/* Returns the exit status of a script of these commands, and the status that the results give
 * for the last one. */
static int run(const char *commands, char last[16]) {
    char text[2000], json[200], results[200], line[1000];
    int n = snprintf(text, sizeof text, "{\"source_filename\":\"s.wast\",\"commands\":[%s]}", commands);
    put("s.json", text, (size_t)n);
    snprintf(json, sizeof json, "%s/s.json", dir);
    snprintf(results, sizeof results, "%s/r.jsonl", dir);
    char *argv[] = {(char *)"wast", json, (char *)"--results", results, NULL};
    int status = ts_cli_wast(4, argv);
    strcpy(last, "none");
    FILE *f = fopen(results, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        const char *s = strstr(line, "\"status\":\"");
        assert_non_null(s);
        sscanf(s + 10, "%15[a-z]", last);
    }
    fclose(f);
    return status;
}

static void verdicts(void **state) {
    (void)state;
    static const struct {
        const char *commands, *last;
        int status;
    } rows[] = {
        {M "{\"type\":\"assert_return\",\"line\":2," CALL("41") ",\"expected\":[{\"type\":\"i32\",\"value\":\"42\"}]}",
         "pass", 0},
        {M "{\"type\":\"assert_return\",\"line\":2," CALL("41") ",\"expected\":[{\"type\":\"i32\",\"value\":\"43\"}]}",
         "fail", 1},
        {M "{\"type\":\"assert_return\",\"line\":2," CALL("41") ",\"expected\":[{\"type\":\"i64\",\"value\":\"42\"}]}",
         "fail", 1},
        {M "{\"type\":\"assert_return\",\"line\":2," CALL("41") ",\"expected\":[]}", "fail", 1},
        {M "{\"type\":\"assert_return\",\"line\":2," CALL(
             "-2") ",\"expected\":[{\"type\":\"either\",\"values\":[{\"type\":\"i32\",\"value\":\"9\"},"
                   "{\"type\":\"i32\",\"value\":\"-1\"}]}]}",
         "pass", 0},
        {M GET "\"nan:canonical\"}]}", "pass", 0},
        {M GET "\"nan:arithmetic\"}]}", "pass", 0},
        {M GET "\"1\"}]}", "fail", 1},
        {M "{\"type\":\"assert_trap\",\"line\":2," TRAP ",\"text\":\"unreachable\"}", "pass", 0},
        {M "{\"type\":\"assert_trap\",\"line\":2," TRAP ",\"text\":\"integer overflow\"}", "fail", 1},
        {M "{\"type\":\"assert_exhaustion\",\"line\":2," TRAP ",\"text\":\"call stack exhausted\"}", "fail", 1},
        {M "{\"type\":\"assert_exception\",\"line\":2," TRAP "}", "fail", 1},
        {M "{\"type\":\"assert_trap\",\"line\":2," CALL("1") ",\"text\":\"unreachable\"}", "fail", 1},
        {M "{\"type\":\"action\",\"line\":2," TRAP "}", "fail", 1},
        {"{\"type\":\"assert_invalid\",\"line\":2,\"filename\":\"invalid.wasm\",\"module_type\":\"binary\",\"text\":"
         "\"type mismatch\"}",
         "pass", 0},
        {"{\"type\":\"assert_malformed\",\"line\":2,\"filename\":\"invalid.wasm\",\"module_type\":\"binary\",\"text\":"
         "\"x\"}",
         "fail", 1},
        {"{\"type\":\"assert_malformed\",\"line\":2,\"filename\":\"malformed.wasm\",\"module_type\":\"binary\","
         "\"text\":\"unexpected end\"}",
         "pass", 0},
        {"{\"type\":\"assert_invalid\",\"line\":2,\"filename\":\"malformed.wasm\",\"module_type\":\"binary\",\"text\":"
         "\"x\"}",
         "fail", 1},
        {"{\"type\":\"assert_invalid\",\"line\":2,\"filename\":\"m.wasm\",\"module_type\":\"binary\",\"text\":\"x\"}",
         "fail", 1},
        {"{\"type\":\"assert_unlinkable\",\"line\":2,\"filename\":\"import.wasm\",\"module_type\":\"binary\",\"text\":"
         "\"unknown import\"}",
         "pass", 0},
        {"{\"type\":\"assert_unlinkable\",\"line\":2,\"filename\":\"m.wasm\",\"module_type\":\"binary\",\"text\":"
         "\"unknown import\"}",
         "fail", 1},
        {"{\"type\":\"module\",\"line\":2,\"filename\":\"absent.wasm\",\"module_type\":\"binary\"}", "fail", 1},
        {"{\"type\":\"module\",\"line\":2,\"filename\":\"absent.wat\",\"module_type\":\"text\"}", "skip", 0},
        {"{\"type\":\"module\",\"line\":2,\"filename\":\"m.wat\",\"module_type\":\"text\"}", "pass", 0},
        {"{\"type\":\"assert_malformed\",\"line\":2,\"filename\":\"m.wat\",\"module_type\":\"text\",\"text\":\"x\"}",
         "skip", 0},
        {"{\"type\":\"wait\",\"line\":2,\"thread\":\"T\"}", "unsupported", 126},
        /* a module that fails does not leave the one before it current */
        {M "{\"type\":\"module\",\"line\":2,\"filename\":\"absent.wasm\",\"module_type\":\"binary\"}," GET
           "\"nan:canonical\"}]}",
         "fail", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char last[16];
        int status = run(rows[i].commands, last);
        if (status != rows[i].status || strcmp(last, rows[i].last) != 0)
            fail_msg("row %zu: exit %d, %s; expected %d, %s: %s", i, status, last, rows[i].status, rows[i].last,
                     rows[i].commands);
    }
}

static void bad_calls(void **state) {
    (void)state;
    char *absent[] = {(char *)"wast", (char *)"/nonexistent.json", NULL}, *none[] = {(char *)"wast", NULL};
    char *unknown[] = {(char *)"wast", (char *)"--nonsense", (char *)"x.json", NULL};
    assert_int_equal(ts_cli_wast(2, absent), 125);
    assert_int_equal(ts_cli_wast(1, none), 120);
    assert_int_equal(ts_cli_wast(3, unknown), 120);
}

static void json(void **state) {
    (void)state;
    static const char *const good[] = {"{}", "[]", " [1, -2.5e+3, true, false, null, \"\\u00e9\\n\"] ",
                                       "{\"a\":{\"b\":[{}]}}", "0"};
    static const char *const bad[] = {"",      "{",        "[1,]",   "{\"a\"}", "{\"a\":1,}",  "01",
                                      "1.",    "tru",      "\"\n\"", "\"\\x\"", "\"\\ud800\"", "[1] 2",
                                      "{a:1}", "\"\xff\"", "nul",    "[1 2]"};
    ts_arena a;
    ts_error e;
    ts_arena_init(&a);
    const ts_json *v;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ts_error_init(&e);
        assert_int_equal(ts_json_parse(&a, good[i], strlen(good[i]), &v, &e), TS_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_error_init(&e);
        if (ts_json_parse(&a, bad[i], strlen(bad[i]), &v, &e) != TS_MALFORMED) fail_msg("accepted: %s", bad[i]);
    }
    ts_error_init(&e);
    const char *text = "{\"s\":\"a\\u0000\\ud83d\\ude00\",\"n\":[1,2,3]}";
    assert_int_equal(ts_json_parse(&a, text, strlen(text), &v, &e), TS_OK);
    assert_int_equal(ts_json_get(v, "s")->len, 6);
    assert_memory_equal(ts_json_get(v, "s")->str, "a\0\xf0\x9f\x98\x80", 6);
    assert_int_equal(ts_json_count(ts_json_get(v, "n")), 3);
    assert_null(ts_json_get(v, "x"));
    char deep[400];
    memset(deep, '[', sizeof deep);
    ts_error_init(&e);
    assert_int_equal(ts_json_parse(&a, deep, sizeof deep, &v, &e), TS_MALFORMED);
    ts_arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts), cmocka_unit_test(bad_calls), cmocka_unit_test(json)};
    return cmocka_run_group_tests_name("wast", tests, setup, teardown);
}
