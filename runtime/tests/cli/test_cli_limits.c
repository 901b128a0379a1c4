/* test_cli_limits: the limits that `touchstone run` takes, each with its exit status and a message that names
 * it.
 * In: $TOUCHSTONE, $TOUCHSTONE_FIXTURES (skipped without them). Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * (module
 *   (type $node (struct (field (ref null $node))))
 *   (table 100 funcref)
 *   (memory 2)
 *   (func (export "hoard") (local $n (ref null $node)) (loop $l (local.set $n (struct.new $node (local.get $n))) (br $l)))
 *   (func $deep (export "deep") (result i32) (i32.add (i32.const 1) (call $deep)))
 *   (func (export "forever") (loop $l (br $l)))
 *   (func (export "one") (result i32) (i32.const 1)))
 */
static const unsigned char module[] = {
    0,   97,  115, 109, 1,  0,   0,   0,   1,   13,  3, 95,  1,   99,  0,   0,   96,  0,   0,   96, 0,  1,   127, 3,
    5,   4,   1,   2,   1,  2,   4,   4,   1,   112, 0, 100, 5,   3,   1,   0,   2,   7,   32,  4,  5,  104, 111, 97,
    114, 100, 0,   0,   4,  100, 101, 101, 112, 0,   1, 7,   102, 111, 114, 101, 118, 101, 114, 0,  2,  3,   111, 110,
    101, 0,   3,   10,  40, 4,   17,  1,   1,   99,  0, 3,   64,  32,  0,   251, 0,   0,   33,  0,  12, 0,   11,  11,
    7,   0,   65,  1,   16, 1,   106, 11,  7,   0,   3, 64,  12,  0,   11,  11,  4,   0,   65,  1,  11,
};

/*
 *   (component
 *     (type $r (resource (rep i32)))
 *     (core func $new (canon resource.new $r))
 *     (core module $m
 *       (import "" "new" (func $new (param i32) (result i32)))
 *       (func (export "hoard") (param i32) (result i32) (local i32)
 *         (loop $l
 *           (local.set 1 (call $new (local.get 0)))
 *           (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
 *         (local.get 1)))
 *     (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
 *     (func (export "hoard") (param "n" u32) (result u32) (canon lift (core func $i "hoard"))))
 */
static const unsigned char component[] = {
    0,   97,  115, 109, 13,  0,   1,  0,   7,   4,   1,   63,  127, 0,   8,   3,   1,   2,   0,   1,   96,  0,   97,
    115, 109, 1,   0,   0,   0,   1,  6,   1,   96,  1,   127, 1,   127, 2,   8,   1,   0,   3,   110, 101, 119, 0,
    0,   3,   2,   1,   0,   7,   9,  1,   5,   104, 111, 97,  114, 100, 0,   1,   10,  26,  1,   24,  1,   1,   127,
    3,   64,  32,  0,   16,  0,   33, 1,   32,  0,   65,  1,   107, 34,  0,   13,  0,   11,  32,  1,   11,  0,   25,
    4,   110, 97,  109, 101, 0,   2,  1,   109, 1,   6,   1,   0,   3,   110, 101, 119, 3,   6,   1,   1,   1,   0,
    1,   108, 2,   15,  2,   1,   1,  3,   110, 101, 119, 0,   0,   0,   0,   1,   0,   18,  0,   7,   8,   1,   64,
    1,   1,   110, 121, 0,   121, 6,  11,  1,   0,   0,   1,   1,   5,   104, 111, 97,  114, 100, 8,   6,   1,   0,
    0,   1,   0,   1,   11,  11,  1,  0,   5,   104, 111, 97,  114, 100, 1,   0,   0,   0,   48,  14,  99,  111, 109,
    112, 111, 110, 101, 110, 116, 45, 110, 97,  109, 101, 1,   8,   0,   0,   1,   0,   3,   110, 101, 119, 1,   6,
    0,   17,  1,   0,   1,   109, 1,  6,   0,   18,  1,   1,   1,   105, 1,   5,   3,   1,   0,   1,   114};

static char path[] = P_tmpdir "/touchstone-limits-XXXXXX", out[16384];

/* Runs the program. Returns its exit status, with its output in `out`. */
static int run(const char *options, const char *file) {
    char line[1024];
    const char *program = getenv("TOUCHSTONE");
    if (!program) skip();
    snprintf(line, sizeof line, "'%s' run %s '%s' 2>&1 </dev/null", program, options, file);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = 0;
    int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
enum { TRAP = 134, LIMIT = 124, USAGE = 120 };
static void says(const char *options, int status, const char *words) {
    int is = run(options, path);
    if (is != status || !strstr(out, words))
        fail_msg("run %s: status %d, not %d with \"%s\": %.500s", options, is, status, words, out);
}

static void each(void **state) {
    (void)state;
    says("--max-table 99 --invoke 'one()'", LIMIT, "a table of 100 elements is over the limit of 99 (--max-table)");
    says("--max-table=100 --invoke 'one()'", 0, "1\n");
    says("--max-memory 64KiB --invoke 'one()'", LIMIT,
         "a memory of 128 KiB (2 pages of 64 KiB) is over the limit of 64 KiB (--max-memory)");
    says("--max-memory 128KiB --invoke 'one()'", 0, "1\n");
    says("--max-gc 1MiB --invoke 'hoard()'", TRAP, "the limit of 1 MiB on the heap is reached (--max-gc)");
    says("--stack 64KiB --invoke 'deep()'", TRAP, "the limit of 64 KiB on the stack is reached (--stack)");
    says("--fuel 1000 --invoke 'forever()'", LIMIT, "the fuel is used up: 1000 calls and loop iterations (--fuel)");
    says("--max-time 50ms --invoke 'forever()'", LIMIT, "the time limit of 50 ms was reached (--max-time)");
}

/* Handles that a guest creates for its own resources. */
static void handles(void **state) {
    (void)state;
    char file[] = P_tmpdir "/touchstone-handles-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0 && write(fd, component, sizeof component) == (ssize_t)sizeof component && close(fd) == 0);
    assert_int_equal(run("--max-table 100 --invoke 'hoard(100)'", file), 0);
    assert_string_equal(out, "100\n");
    assert_int_equal(run("--max-table 100 --invoke 'hoard(101)'", file), TRAP);
    assert_non_null(strstr(out, "the handle table is full: 100 entries (--max-table)"));
    assert_int_equal(run("--invoke 'hoard(200000)'", file), 0);
    assert_int_equal(run("--max-table 1000000 --invoke 'hoard(0)'", file), TRAP); /* 4 billion */
    assert_non_null(strstr(out, "the handle table is full: 1000000 entries"));
    unlink(file);
}

/* Arguments are passed through a guest function that the host calls while the guest calls the host: depth
 * 2. */
static void depth(void **state) {
    (void)state;
    char file[512];
    const char *fixtures = getenv("TOUCHSTONE_FIXTURES");
    if (!fixtures) skip();
    snprintf(file, sizeof file, "%s/built/random-secure.wasm", fixtures);
    if (access(file, R_OK) != 0) skip();
    assert_int_equal(run("--max-depth 1", file), TRAP);
    assert_non_null(strstr(out, "the depth limit, 1 nested calls"));
    assert_int_equal(run("--max-depth 5", file), 0);
    says("--max-depth 501 --invoke 'one()'", USAGE, "--max-depth 501: out of range: at most 500");
    says("--max-depth 0 --invoke 'one()'", USAGE, "--max-depth");
    says("--max-table many --invoke 'one()'", USAGE, "--max-table many: a number is expected");
    says("--max-gc 1parsec --invoke 'one()'", USAGE, "--max-gc");
}

static int set_up(void **state) {
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    ssize_t n = write(fd, module, sizeof module);
    return close(fd) == 0 && n == (ssize_t)sizeof module ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each), cmocka_unit_test(depth), cmocka_unit_test(handles)};
    return cmocka_run_group_tests_name("cli_limits", tests, set_up, tear_down);
}
