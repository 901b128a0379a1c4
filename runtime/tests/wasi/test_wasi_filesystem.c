/* test_wasi_filesystem: descriptors over a temporary tree: flags, permissions, error codes, streams.
 * In: a tree granted for writing and one read-only. Out: the results that the specification requires.
 * wit: wasi:filesystem */
#include "tests/wasi_help.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define E(name) TS_WASI_FILESYSTEM_ERROR_CODE_##name
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    MUTATE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY,
    CREATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_CREATE,
    DIRECTORY = TS_WASI_FILESYSTEM_OPEN_FLAGS_DIRECTORY,
    EXCLUSIVE = TS_WASI_FILESYSTEM_OPEN_FLAGS_EXCLUSIVE,
    TRUNCATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_TRUNCATE,
    FOLLOW = TS_WASI_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW,
};

typedef struct fixture {
    host *h;
    char root[64];
    uint64_t rw, ro;
} fixture;

static int gone(const char *path, const struct stat *st, int kind, struct FTW *f) {
    (void)st, (void)kind, (void)f;
    return remove(path);
}
static int set_up_how(void **state, bool walk) {
    fixture *x = calloc(1, sizeof *x);
    void *h;
    if (host_new(&h)) return -1;
    x->h = h;
    strcpy(x->root, "/tmp/test_wasi_fs_XXXXXX");
    if (!mkdtemp(x->root)) return -1;
    ts_wasi_walk_paths(x->h->w, walk);
    if (ts_wasi_allow_dir(x->h->w, x->root, "/", false, &x->h->err) != TS_OK ||
        ts_wasi_allow_dir(x->h->w, x->root, "/ro", true, &x->h->err) != TS_OK)
        return -1;
    OK(x->h, ts_wasi_filesystem_preopens_get_directories, {0});
    assert_int_equal(x->h->result.list.len, 2);
    x->rw = x->h->result.list.ptr[0].list.ptr[0].handle.rep;
    x->ro = x->h->result.list.ptr[1].list.ptr[0].handle.rep;
    assert_memory_equal(x->h->result.list.ptr[1].list.ptr[1].str.ptr, "/ro", 3);
    *state = x;
    return 0;
}
static int set_up(void **state) {
    return set_up_how(state, false);
}
static int set_up_walk(void **state) {
    return set_up_how(state, true);
}
static int tear_down(void **state) {
    fixture *x = *state;
    nftw(x->root, gone, 16, FTW_DEPTH | FTW_PHYS);
    void *h = x->h;
    host_end(&h);
    free(x);
    return 0;
}
#define OPEN(d, path, open, flags) fs(open_at), H(d), FLAGS(0), STR(path), FLAGS(open), FLAGS(flags)

static void files(void **state) {
    fixture *x = *state;
    host *h = x->h;
    BAD(h, E(NO_ENTRY), OPEN(x->rw, "a", 0, READ));
    BAD(h, E(READ_ONLY), OPEN(x->ro, "a", CREATE, READ));
    GOOD(h, OPEN(x->rw, "a", CREATE | EXCLUSIVE, READ | WRITE));
    uint64_t a = rep_ok(h);
    BAD(h, E(EXIST), OPEN(x->rw, "a", CREATE | EXCLUSIVE, READ | WRITE));
    BAD(h, E(READ_ONLY), OPEN(x->ro, "a", 0, WRITE));
    BAD(h, E(READ_ONLY), OPEN(x->ro, "a", TRUNCATE, READ));
    BAD(h, E(READ_ONLY), OPEN(x->ro, ".", DIRECTORY, READ | MUTATE));
    BAD(h, E(NOT_DIRECTORY), OPEN(x->rw, "a", DIRECTORY, READ));
    BAD(h, E(NOT_DIRECTORY), OPEN(a, "b", 0, READ));
    BAD(h, E(NOT_PERMITTED), OPEN(x->rw, "/etc/passwd", 0, READ));
    BAD(h, E(NOT_PERMITTED), OPEN(x->rw, "../x", 0, READ));
    GOOD(h, fs(write), H(a), BYTES("hello", 5), U64(2));
    assert_int_equal(h->result.variant.payload->u64, 5);
    BAD(h, E(INVALID), fs(write), H(a), BYTES("x", 1), U64(UINT64_MAX));
    GOOD(h, fs(read), H(a), U64(UINT64_MAX), U64(0));
    const ts_val *t = h->result.variant.payload->list.ptr;
    assert_int_equal(t[0].raw.len, 7);
    assert_memory_equal(t[0].raw.ptr, "\0\0hello", 7);
    assert_false(t[1].b); /* the next read says it */
    GOOD(h, fs(read), H(a), U64(1), U64(7));
    assert_true(h->result.variant.payload->list.ptr[1].b);
    GOOD(h, fs(read), H(a), U64(3), U64(2));
    t = h->result.variant.payload->list.ptr;
    assert_int_equal(t[0].raw.len, 3);
    assert_false(t[1].b);
    BAD(h, E(INVALID), fs(read), H(a), U64(3), U64(UINT64_MAX));
    GOOD(h, fs(read), H(a), U64(3), U64(1 << 20));
    assert_true(h->result.variant.payload->list.ptr[1].b);
    GOOD(h, fs(set_size), H(a), U64(3));
    BAD(h, E(FILE_TOO_LARGE), fs(set_size), H(a), U64(INT64_MAX));
    GOOD(h, fs(get_flags), H(a));
    assert_int_equal(h->result.variant.payload->flags.bits, READ | WRITE);
    GOOD(h, OPEN(x->rw, "a", 0, READ | MUTATE)); /* mutate-directory is for directories only */
    uint64_t r = rep_ok(h);
    GOOD(h, fs(get_flags), H(r));
    assert_int_equal(h->result.variant.payload->flags.bits, READ);
    BAD(h, E(BAD_DESCRIPTOR), fs(write), H(r), BYTES("x", 1), U64(0));
    BAD(h, E(INVALID), fs(set_size), H(r), U64(0));
    GOOD(h, fs(sync), H(r));
    GOOD(h, OPEN(x->rw, "a", 0, WRITE));
    uint64_t w = rep_ok(h);
    BAD(h, E(BAD_DESCRIPTOR), fs(read), H(w), U64(1), U64(0));
    BAD(h, E(IS_DIRECTORY), fs(read), H(x->rw), U64(1), U64(0));
    BAD(h, E(IS_DIRECTORY), OPEN(x->rw, ".", 0, WRITE));
    OK(h, fs(is_same_object), H(r), H(w));
    assert_true(h->result.b);
    OK(h, fs(is_same_object), H(r), H(x->rw));
    assert_false(h->result.b);
}

static void streams(void **state) {
    fixture *x = *state;
    host *h = x->h;
    GOOD(h, OPEN(x->rw, "s", CREATE, READ | WRITE));
    uint64_t f = rep_ok(h);
    GOOD(h, fs(write_via_stream), H(f), U64(0));
    uint64_t w = rep_ok(h);
    GOOD(h, fs(append_via_stream), H(f));
    uint64_t a = rep_ok(h);
    GOOD(h, fs(read_via_stream), H(f), U64(1));
    uint64_t r = rep_ok(h);
    GOOD(h, out(blocking_write_and_flush), H(w), BYTES("abc", 3));
    GOOD(h, out(blocking_write_and_flush), H(a), BYTES("XYZ", 3));
    GOOD(h, out(check_write), H(w));
    GOOD(h, out(write), H(w), BYTES("d", 1)); /* at its own offset */
    GOOD(h, out(blocking_write_and_flush), H(a), BYTES("!", 1));
    assert_int_equal(fs(drop)(&h->call, f), TS_OK); /* streams outlive the descriptor */
    GOOD(h, in(read), H(r), U64(100));
    assert_int_equal(h->result.variant.payload->raw.len, 6);
    assert_memory_equal(h->result.variant.payload->raw.ptr, "bcdYZ!", 6);
    BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, in(read), H(r), U64(100));
    GOOD(h, OPEN(x->rw, "s", 0, WRITE));
    GOOD(h, fs(write_via_stream), H(rep_ok(h)), U64(UINT64_MAX - 10));
    w = rep_ok(h);
    BAD(h, TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, out(blocking_write_and_flush), H(w), BYTES("abc", 3));
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, E(INVALID));
}

static void directories(void **state) {
    fixture *x = *state;
    host *h = x->h;
    GOOD(h, fs(create_directory_at), H(x->rw), STR("d"));
    BAD(h, E(EXIST), fs(create_directory_at), H(x->rw), STR("d"));
    BAD(h, E(READ_ONLY), fs(create_directory_at), H(x->ro), STR("e"));
    GOOD(h, OPEN(x->rw, "d", DIRECTORY, READ));
    uint64_t d = rep_ok(h);
    GOOD(h, fs(get_flags), H(d));
    assert_int_equal(h->result.variant.payload->flags.bits, READ | MUTATE);
    GOOD(h, OPEN(d, "f", CREATE, WRITE));
    BAD(h, E(NOT_PERMITTED), OPEN(d, "../d/f", 0, READ)); /* d is the root of what is reached through it */
    GOOD(h, OPEN(x->ro, "d", DIRECTORY, READ));
    uint64_t rod = rep_ok(h);
    BAD(h, E(READ_ONLY), fs(unlink_file_at), H(rod), STR("f"));
    BAD(h, E(READ_ONLY), fs(rename_at), H(d), STR("f"), H(rod), STR("g"));
    BAD(h, E(READ_ONLY), fs(rename_at), H(rod), STR("f"), H(d), STR("g"));
    BAD(h, E(READ_ONLY), fs(link_at), H(d), FLAGS(0), STR("f"), H(rod), STR("g"));
    BAD(h, E(READ_ONLY), fs(symlink_at), H(rod), STR("f"), STR("g"));
    const ts_val now = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_NOW}};
    BAD(h, E(READ_ONLY), fs(set_times_at), H(rod), FLAGS(0), STR("f"), now, now);
    GOOD(h, OPEN(x->ro, "d/f", 0, READ));
    BAD(h, E(READ_ONLY), fs(set_times), H(rep_ok(h)), now, now);
    BAD(h, E(NOT_EMPTY), fs(remove_directory_at), H(x->rw), STR("d"));
    BAD(h, E(IS_DIRECTORY), fs(unlink_file_at), H(x->rw), STR("d"));
    BAD(h, E(NOT_PERMITTED), fs(symlink_at), H(x->rw), STR("/x"), STR("abs"));
    GOOD(h, fs(symlink_at), H(x->rw), STR("d/f"), STR("l"));
    BAD(h, E(LOOP), OPEN(x->rw, "l", 0, READ));
    GOOD(h, fs(open_at), H(x->rw), FLAGS(FOLLOW), STR("l"), FLAGS(0), FLAGS(READ));
    GOOD(h, fs(readlink_at), H(x->rw), STR("l"));
    assert_memory_equal(h->result.variant.payload->str.ptr, "d/f", 3);
    char name[128];
    snprintf(name, sizeof name, "%s/abs", x->root);
    assert_int_equal(symlink("/etc/passwd", name), 0);
    BAD(h, E(NOT_PERMITTED), fs(readlink_at), H(x->rw), STR("abs"));
    BAD(h, E(NOT_PERMITTED), fs(open_at), H(x->rw), FLAGS(FOLLOW), STR("abs"), FLAGS(0), FLAGS(READ));
    snprintf(name, sizeof name, "%s/bad\xff", x->root);
    assert_int_equal(mkdir(name, 0755), 0);
    GOOD(h, fs(read_directory), H(x->rw));
    uint64_t s = rep_ok(h);
    int found = 0, bad = 0;
    for (;;) {
        OK(h, ts_wasi_filesystem_types_directory_entry_stream_read_directory_entry, H(s));
        const ts_val *v = h->result.variant.payload;
        if (h->result.variant.disc) {
            assert_int_equal(v->variant.disc, E(ILLEGAL_BYTE_SEQUENCE));
            bad++;
            continue;
        }
        if (!v->variant.disc) break;
        const ts_val *entry = v->variant.payload->list.ptr;
        bool dir = entry[1].str.len == 1 && entry[1].str.ptr[0] == 'd';
        assert_int_equal(entry[0].variant.disc, dir ? TS_WASI_FILESYSTEM_DESCRIPTOR_TYPE_DIRECTORY
                                                    : TS_WASI_FILESYSTEM_DESCRIPTOR_TYPE_SYMBOLIC_LINK);
        found++;
    }
    assert_int_equal(found, 3);
    assert_int_equal(bad, 1);
}

static void attributes(void **state) {
    fixture *x = *state;
    host *h = x->h;
    GOOD(h, OPEN(x->rw, "t", CREATE, WRITE));
    uint64_t f = rep_ok(h);
    ts_val date[2] = {{.u64 = 1000000000}, {.u32 = 5}};
    ts_val record = {.list = {date, 2}};
    ts_val set = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_TIMESTAMP, .payload = &record}};
    ts_val keep = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_NO_CHANGE}};
    GOOD(h, fs(set_times_at), H(x->rw), FLAGS(0), STR("t"), keep, set);
    GOOD(h, fs(stat), H(f));
    const ts_val *st = h->result.variant.payload->list.ptr;
    const ts_val *m = st[TS_WASI_FILESYSTEM_DESCRIPTOR_STAT_DATA_MODIFICATION_TIMESTAMP_I].variant.payload->list.ptr;
    assert_int_equal(m[0].u64, 1000000000);
    assert_int_equal(m[1].u32, 5);
    GOOD(h, fs(metadata_hash), H(f));
    uint64_t before = h->result.variant.payload->list.ptr[0].u64;
    GOOD(h, fs(metadata_hash_at), H(x->rw), FLAGS(0), STR("t"));
    assert_int_equal(h->result.variant.payload->list.ptr[0].u64, before);
    date[1].u32 = 6;
    GOOD(h, fs(set_times), H(f), set, set);
    GOOD(h, fs(metadata_hash), H(f));
    assert_int_not_equal(h->result.variant.payload->list.ptr[0].u64, before);
    date[1].u32 = 1000000000;
    BAD(h, E(INVALID), fs(set_times), H(f), set, keep);
    date[1].u32 = 0, date[0].u64 = UINT64_MAX;
    BAD(h, E(OVERFLOW), fs(set_times), H(f), keep, set);
    BAD(h, E(INVALID), fs(advise), H(f), U64(0), U64(UINT64_MAX), {0});
    GOOD(h, fs(advise), H(f), U64(UINT64_MAX), U64(1), {0});
    GOOD(h, fs(advise), H(f), U64(0), U64(10), {0});
    BAD(h, E(NO_ENTRY), fs(stat_at), H(x->rw), FLAGS(0), STR("nothing"));
    BAD(h, E(NOT_DIRECTORY), fs(stat_at), H(x->rw), FLAGS(0), STR("t/"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(attributes, set_up, tear_down),
        {"files_walk", files, set_up_walk, tear_down, NULL},
        {"directories_walk", directories, set_up_walk, tear_down, NULL},
        {"attributes_walk", attributes, set_up_walk, tear_down, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
