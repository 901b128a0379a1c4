/* test_wasi_record: records and replays of the public header: the order of calls, damaged and foreign
 * records, runs that differ from the recorded one, and records that cannot be written. */
#include "examples/embed_wasi_component.h"
#include "touchstone.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define OK(call) assert_int_equal(call, TS_OK)
static const void *const bytes = embed_wasi_component;
static const size_t len = sizeof embed_wasi_component;

typedef struct world {
    ts_engine *engine;
    ts_component *component;
    ts_error e;
    char path[40];
    char text[100];
} world;

static int world_new(void **state) {
    world *x = calloc(1, sizeof *x);
    ts_error_init(&x->e);
    strcpy(x->path, "/tmp/ts-record-XXXXXX");
    int fd = mkstemp(x->path);
    close(fd);
    OK(ts_engine_new(&x->engine, &x->e));
    OK(ts_component_load(x->engine, bytes, len, &x->component, &x->e));
    *state = x;
    return 0;
}
static int world_end(void **state) {
    world *x = *state;
    unlink(x->path);
    ts_component_free(x->component);
    ts_engine_free(x->engine);
    free(x);
    return 0;
}

/* Runs the command in a context, `times` times. Its output is in x->text. */
static ts_status run(world *x, ts_wasi *w, int times) {
    ts_linker *l;
    ts_cstore *store;
    ts_cinstance *i;
    ts_val result;
    ts_pool *pool = ts_pool_new();
    int out[2];
    assert_int_equal(pipe(out), 0);
    ts_wasi_set_stdio(w, 1, out[1]);
    OK(ts_linker_new(&l, &x->e));
    OK(ts_wasi_link(w, l, &x->e));
    OK(ts_cstore_new(x->engine, NULL, &store, &x->e));
    OK(ts_component_instantiate(store, l, x->component, &i, &x->e));
    ts_cfunc *f = ts_cinstance_func(i, "wasi:cli/run@0.2.0", "run");
    ts_status s = TS_OK;
    while (s == TS_OK && times--) s = ts_cfunc_call(store, f, NULL, &result, pool, &x->e);
    ts_cstore_free(store);
    close(out[1]);
    ssize_t n = read(out[0], x->text, sizeof x->text - 1);
    x->text[n > 0 ? n : 0] = 0;
    close(out[0]);
    ts_linker_free(l);
    ts_pool_free(pool);
    return s;
}
static void record(world *x, const char *conditions) {
    ts_wasi *w;
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_record(w, x->path, bytes, len, conditions, &x->e));
    OK(run(x, w, 1));
    OK(ts_wasi_record_end(w, &x->e));
    ts_wasi_free(w);
}

static void a_run_is_repeated(void **state) {
    world *x = *state;
    const char *conditions = "";
    ts_wasi *w;
    record(x, "a = \"b\"\n");
    assert_string_equal(x->text, "hello from a component\n");
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, &conditions, &x->e));
    assert_string_equal(conditions, "a = \"b\"\n");
    x->text[0] = 0;
    OK(run(x, w, 1));
    assert_string_equal(x->text, "hello from a component\n");
    OK(ts_wasi_record_end(w, &x->e));
    OK(ts_wasi_record_end(w, &x->e)); /* once more changes nothing */
    ts_wasi_free(w);
    record(x, NULL);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, &conditions, &x->e));
    assert_string_equal(conditions, "");
    ts_wasi_free(w);
}

static void another_run(void **state) {
    world *x = *state;
    ts_wasi *w;
    record(x, NULL);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, NULL, &x->e));
    assert_int_equal(run(x, w, 2), TS_TRAP); /* the record ends before the second */
    assert_non_null(strstr(x->e.message, "the record ends before it"));
    ts_error_clear(&x->e);
    OK(ts_wasi_record_end(w, &x->e)); /* reported already */
    ts_wasi_free(w);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, NULL, &x->e));
    OK(run(x, w, 0));
    assert_int_equal(ts_wasi_record_end(w, &x->e), TS_TRAP); /* the recorded run went on */
    assert_non_null(strstr(x->e.message, "went on after call"));
    ts_wasi_free(w);
}

static void wrong_order(void **state) {
    world *x = *state;
    ts_wasi *w;
    ts_linker *l;
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_record_end(w, &x->e)); /* neither records nor replays */
    OK(ts_wasi_record(w, x->path, bytes, len, NULL, &x->e));
    assert_int_equal(ts_wasi_record(w, x->path, bytes, len, NULL, &x->e), TS_USAGE);
    ts_error_clear(&x->e);
    assert_int_equal(ts_wasi_replay(w, x->path, bytes, len, NULL, &x->e), TS_USAGE);
    ts_error_clear(&x->e);
    OK(run(x, w, 1)); /* a refused second call leaves the first one in place */
    OK(ts_wasi_record_end(w, &x->e));
    assert_int_equal(run(x, w, 1), TS_TRAP); /* after the end */
    assert_non_null(strstr(x->e.message, "after ts_wasi_record_end"));
    ts_error_clear(&x->e);
    ts_wasi_free(w);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_linker_new(&l, &x->e));
    OK(ts_wasi_link(w, l, &x->e));
    assert_int_equal(ts_wasi_record(w, x->path, bytes, len, NULL, &x->e), TS_USAGE);
    assert_non_null(strstr(x->e.message, "linked already"));
    ts_linker_free(l);
    ts_wasi_free(w);
}

static void refused(world *x, const void *component, size_t n, ts_status status, const char *words) {
    ts_wasi *w;
    const char *conditions = "left";
    OK(ts_wasi_new(&w, &x->e));
    ts_error_clear(&x->e);
    ts_status s = ts_wasi_replay(w, x->path, component, n, &conditions, &x->e);
    if (s != status || !strstr(x->e.message, words)) fail_msg("%s: %s, %s", words, ts_status_name(s), x->e.message);
    assert_null(conditions);
    ts_error_clear(&x->e);
    OK(ts_wasi_record_end(w, &x->e));
    OK(run(x, w, 1)); /* the context is as it was before: it runs without the record */
    ts_wasi_free(w);
}
static void bad_records(void **state) {
    world *x = *state;
    record(x, "conditions");
    refused(x, bytes, len - 1, TS_USAGE, "a record of another component");
    static uint8_t copy[1 << 16];
    FILE *f = fopen(x->path, "rb");
    size_t n = fread(copy, 1, sizeof copy, f);
    fclose(f);
    for (size_t cut = 0; cut < 110; cut += 11) { /* within the head */
        assert_int_equal(truncate(x->path, (off_t)cut), 0);
        refused(x, bytes, len, TS_USAGE, cut < 20 ? "not a record" : "");
        f = fopen(x->path, "wb");
        assert_int_equal(fwrite(copy, 1, n, f), n);
        fclose(f);
    }
    unlink(x->path);
    refused(x, bytes, len, TS_IO, "cannot read");
}

/* A record that is truncated while it is replayed changes nothing: it was read at the start. */
static void truncated_while_replayed(void **state) {
    world *x = *state;
    ts_wasi *w;
    record(x, NULL);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, NULL, &x->e));
    assert_int_equal(truncate(x->path, 0), 0);
    OK(run(x, w, 1));
    OK(ts_wasi_record_end(w, &x->e));
    assert_string_equal(x->text, "hello from a component\n");
    ts_wasi_free(w);
}

/* Without ts_wasi_record_end the record is incomplete, and a replay reports it. */
static void a_record_without_an_end(void **state) {
    world *x = *state;
    ts_wasi *w;
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_record(w, x->path, bytes, len, NULL, &x->e));
    OK(run(x, w, 1));
    ts_wasi_free(w);
    OK(ts_wasi_new(&w, &x->e));
    OK(ts_wasi_replay(w, x->path, bytes, len, NULL, &x->e));
    OK(run(x, w, 1));
    assert_int_equal(ts_wasi_record_end(w, &x->e), TS_TRAP);
    assert_non_null(strstr(x->e.message, "cut short"));
    ts_wasi_free(w);
}

static void records_that_cannot_be_written(void **state) {
    world *x = *state;
    ts_wasi *w;
    OK(ts_wasi_new(&w, &x->e));
    assert_int_equal(ts_wasi_record(w, "/dev/null/x", bytes, len, NULL, &x->e), TS_IO);
    ts_error_clear(&x->e);
    OK(ts_wasi_record(w, "/dev/full", bytes, len, NULL, &x->e)); /* the context can still record */
    OK(run(x, w, 1));
    assert_int_equal(ts_wasi_record_end(w, &x->e), TS_IO);
    assert_non_null(strstr(x->e.message, "/dev/full"));
    ts_wasi_free(w);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_new, world_end)
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_repeated),
        TEST(another_run),
        TEST(wrong_order),
        TEST(bad_records),
        TEST(a_record_without_an_end),
        TEST(truncated_while_replayed),
        TEST(records_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
