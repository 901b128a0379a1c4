/* test_wasi_disk: the limit on the bytes by which a guest may grow files, for every way to grow one.
 * In: a folder, a limit. Out: bytes written, the error quota, the size of the files.
 * wit: wasi:filesystem/types, wasi:io/streams */
#include "tests/wasi_help.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wasi/context.h"

enum { LIMIT = 10000 };
#define QUOTA TS_WASI_FILESYSTEM_ERROR_CODE_QUOTA
enum { WRITE = 2, CREATE = 1, TRUNCATE = 8, LAST_OPERATION_FAILED = 0 };
static char dir[64];
static uint8_t bytes[3 * LIMIT];

static int begin(void **state) {
    strcpy(dir, "/tmp/touchstone-disk-XXXXXX");
    if (!mkdtemp(dir) || host_new(state) != 0) return -1;
    host *h = *state;
    ts_wasi_limit_disk(h->w, LIMIT);
    return ts_wasi_allow_dir(h->w, dir, "/d", false, &h->err) == TS_OK ? 0 : -1;
}
static int end(void **state) {
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return host_end(state) + system(command);
}
static uint64_t open_file(host *h, const char *name, uint32_t how) {
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    uint64_t d = h->result.list.ptr[0].list.ptr[0].handle.rep;
    GOOD(h, ts_wasi_filesystem_types_descriptor_open_at, H(d), FLAGS(0), STR(name), FLAGS(how), FLAGS(WRITE));
    return rep_ok(h);
}
static uint64_t size_of(const char *name) {
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}
static uint64_t put(host *h, uint64_t f, size_t n, uint64_t at) {
    GOOD(h, ts_wasi_filesystem_types_descriptor_write, H(f), BYTES(bytes, n), U64(at));
    return h->result.variant.payload->u64;
}

static void writes(void **state) {
    host *h = *state;
    uint64_t a = open_file(h, "a", CREATE), b = open_file(h, "b", CREATE);
    assert_int_equal(put(h, a, LIMIT - 10, 0), LIMIT - 10);
    assert_int_equal(put(h, a, LIMIT - 10, 0), LIMIT - 10); /* overwrites existing bytes, so nothing grows */
    assert_int_equal(put(h, b, 4, 0), 4);
    assert_int_equal(put(h, b, 100, 0), 10); /* 4 exist and 6 are left, so 10 are written */
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_write, H(b), BYTES(bytes, 1), U64(10));
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_write, H(a), BYTES(bytes, 1), U64(LIMIT - 10));
    assert_int_equal(put(h, a, 0, 1 << 20), 0); /* writing nothing is within the limit */
    assert_int_equal(put(h, b, 10, 0), 10);
    assert_int_equal(size_of("a") + size_of("b"), LIMIT);
    ts_wasi_usage u = ts_wasi_get_usage(h->w);
    assert_true(u.counts_disk);
    assert_int_equal(u.disk, LIMIT);
    assert_int_equal(u.refused_disk, 3); /* and the rest of the partial write */
}
/* Holes count like written bytes: the guest cannot make a sparse file of a terabyte. */
static void holes(void **state) {
    host *h = *state;
    uint64_t a = open_file(h, "a", CREATE);
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(UINT64_C(1) << 40));
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(LIMIT + 1));
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_write, H(a), BYTES(bytes, 1), U64(LIMIT));
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_write, H(a), BYTES(bytes, 1), U64(INT64_MAX));
    assert_int_equal(size_of("a"), 0);
    assert_int_equal(put(h, a, 100, LIMIT - 1), 1);
    assert_int_equal(size_of("a"), LIMIT);
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(LIMIT + 1));
    GOOD(h, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(LIMIT));
}
/* Removed bytes are credited, but no more than the guest has grown files by. */
static void given_back(void **state) {
    host *h = *state;
    char path[100];
    snprintf(path, sizeof path, "%s/old", dir);
    FILE *f = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    uint64_t old = open_file(h, "old", 0), a = open_file(h, "a", CREATE);
    GOOD(h, ts_wasi_filesystem_types_descriptor_set_size, H(old), U64(0)); /* the guest did not write it */
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_set_size, H(old), U64(LIMIT + 1));
    GOOD(h, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(LIMIT));
    BAD(h, QUOTA, ts_wasi_filesystem_types_descriptor_write, H(old), BYTES(bytes, 1), U64(0));
    GOOD(h, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(LIMIT - 100));
    assert_int_equal(put(h, old, 200, 0), 100);
    for (int i = 0; i < 5; i++) { /* a program that rewrites its file each time */
        uint64_t again = open_file(h, "a", CREATE | TRUNCATE);
        assert_int_equal(put(h, again, LIMIT, 0), LIMIT - 100);
    }
    assert_int_equal(size_of("a") + size_of("old"), LIMIT);
    ts_wasi_reset(h->w); /* the next guest's own file */
    a = open_file(h, "b", CREATE);
    assert_int_equal(put(h, a, 2 * LIMIT, 0), LIMIT);
}

static void fails_with_quota(host *h) {
    assert_int_equal(h->status, TS_OK);
    assert_int_equal(h->result.variant.disc, 1);
    const ts_val *error = h->result.variant.payload;
    assert_int_equal(error->variant.disc, LAST_OPERATION_FAILED);
    uint64_t e = error->variant.payload->handle.rep;
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(e));
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, QUOTA);
}
static void streams(void **state) {
    host *h = *state;
    uint64_t a = open_file(h, "a", CREATE);
    GOOD(h, ts_wasi_filesystem_types_descriptor_write_via_stream, H(a), U64(10));
    uint64_t at = rep_ok(h);
    GOOD(h, ts_wasi_filesystem_types_descriptor_append_via_stream, H(a));
    uint64_t append = rep_ok(h);
    GOOD(h, ts_wasi_io_streams_output_stream_blocking_write_and_flush, H(at),
         BYTES(bytes, 4000)); /* 4,010 of the limit */
    GOOD(h, ts_wasi_io_streams_output_stream_blocking_write_and_flush, H(append), BYTES(bytes, 4000));
    GOOD(h, ts_wasi_io_streams_output_stream_blocking_write_and_flush, H(at),
         BYTES(bytes, 4000)); /* overwrites existing bytes */
    assert_int_equal(size_of("a"), 8010);
    CALL(h, ts_wasi_io_streams_output_stream_blocking_write_and_flush, H(append), BYTES(bytes, 4000));
    fails_with_quota(h);
    assert_int_equal(size_of("a"), LIMIT);
    CALL(h, ts_wasi_io_streams_output_stream_blocking_write_zeroes_and_flush, H(at), U64(4000));
    fails_with_quota(h);
    assert_int_equal(size_of("a"), LIMIT);
}

static void without_a_limit(void **state) {
    host *h = *state;
    host *free_one = NULL;
    assert_int_equal(host_new((void **)&free_one), 0);
    assert_int_equal(ts_wasi_allow_dir(free_one->w, dir, "/d", false, &h->err), TS_OK);
    uint64_t a = open_file(free_one, "free", CREATE);
    assert_int_equal(put(free_one, a, 3 * LIMIT, 0), 3 * LIMIT);
    GOOD(free_one, ts_wasi_filesystem_types_descriptor_set_size, H(a), U64(1 << 24));
    ts_wasi_usage u = ts_wasi_get_usage(free_one->w);
    assert_false(u.counts_disk || u.disk || u.refused_disk);
    host_end((void **)&free_one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes, begin, end),
        cmocka_unit_test_setup_teardown(holes, begin, end),
        cmocka_unit_test_setup_teardown(given_back, begin, end),
        cmocka_unit_test_setup_teardown(streams, begin, end),
        cmocka_unit_test_setup_teardown(without_a_limit, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
