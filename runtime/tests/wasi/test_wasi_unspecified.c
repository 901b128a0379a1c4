/* test_wasi_unspecified: where the specification names no result, the host does what wasmtime and jco agree
 * on, or else what Linux does.
 * In: files, directories and links of a temporary tree, pipes and directories as stdio, names to look up.
 * Out: the errors of those runtimes; and accepted output is written while the guest waits for something else.
 * wit: wasi:filesystem/types, wasi:io/streams, wasi:random/insecure-seed, wasi:sockets/ip-name-lookup */
#include "tests/wasi_help.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "sys/lookup.h"

#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define E(name) TS_WASI_FILESYSTEM_ERROR_CODE_##name
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    TRUNCATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_TRUNCATE,
    DIRECTORY = TS_WASI_FILESYSTEM_OPEN_FLAGS_DIRECTORY,
    FAILED = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED,
    CLOSED = TS_WASI_IO_STREAM_ERROR_CLOSED,
};

typedef struct fixture {
    host *h;
    uint64_t rw, ro; /* the same tree, granted twice */
    char root[64];
} fixture;

static int tree(void **state) {
    fixture *x = calloc(1, sizeof *x);
    char path[128];
    if (!x || host_new((void **)&x->h)) return -1;
    strcpy(x->root, "/tmp/test_wasi_unspecified_XXXXXX");
    if (!mkdtemp(x->root)) return -1;
    snprintf(path, sizeof path, "%s/f", x->root);
    FILE *f = fopen(path, "w");
    if (!f || fputs("hello\n", f) < 0 || fclose(f)) return -1;
    snprintf(path, sizeof path, "%s/d", x->root);
    if (mkdir(path, 0777)) return -1;
    static const char *const links[][2] = {
        {"f", "to-file"}, {"d", "to-dir"}, {"missing", "to-nothing"}, {"loop", "loop"}};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", x->root, links[i][1]);
        if (symlink(links[i][0], path)) return -1;
    }
    host *h = x->h;
    if (ts_wasi_allow_dir(h->w, x->root, "/rw", false, &h->err) ||
        ts_wasi_allow_dir(h->w, x->root, "/ro", true, &h->err))
        return -1;
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    x->rw = h->result.list.ptr[0].list.ptr[0].handle.rep;
    x->ro = h->result.list.ptr[1].list.ptr[0].handle.rep;
    *state = x;
    return 0;
}
static int no_tree(void **state) {
    fixture *x = *state;
    char path[128];
    static const char *const names[] = {"f", "to-file", "to-dir", "to-nothing", "loop"};
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", x->root, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/d", x->root);
    rmdir(path);
    int r = rmdir(x->root); /* nothing else was created */
    host_end((void **)&x->h);
    free(x);
    return r;
}
static uint64_t open_at(fixture *x, uint64_t dir, const char *path, uint32_t open, uint32_t flags) {
    GOOD(x->h, fs(open_at), H(dir), FLAGS(0), STR(path), FLAGS(open), FLAGS(flags));
    return rep_ok(x->h);
}
/* The error of a stream has this code. */
#define STREAM_FAILS(h, want, fn, ...)                                                                                 \
    do {                                                                                                               \
        BAD(h, FAILED, fn, __VA_ARGS__);                                                                               \
        OK(h, ts_wasi_filesystem_types_filesystem_error_code,                                                          \
           H((h)->result.variant.payload->variant.payload->handle.rep));                                               \
        assert_int_equal((h)->result.variant.disc, 1);                                                                 \
        assert_int_equal((h)->result.variant.payload->variant.disc, want);                                             \
    } while (0)

/* The descriptor was not opened for this direction: the stream is created, and its first operation fails,
 * even one of no bytes. */
static void streams_of_the_other_direction(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t r = open_at(x, x->rw, "f", 0, READ), w = open_at(x, x->rw, "f", 0, WRITE);
    for (int append = 0; append < 2; append++)
        for (size_t len = 0; len < 2; len++)
            for (int how = 0; how < 2; how++) {
                if (append)
                    GOOD(h, fs(append_via_stream), H(r));
                else
                    GOOD(h, fs(write_via_stream), H(r), U64(0));
                uint64_t s = rep_ok(h);
                GOOD(h, out(check_write), H(s));
                if (how)
                    STREAM_FAILS(h, E(BAD_DESCRIPTOR), out(blocking_write_and_flush), H(s), BYTES("x", len));
                else
                    STREAM_FAILS(h, E(BAD_DESCRIPTOR), out(write), H(s), BYTES("x", len));
                BAD(h, CLOSED, out(check_write), H(s));
                BAD(h, CLOSED, out(flush), H(s));
                assert_int_equal(out(drop)(&h->call, s), TS_OK);
            }
    GOOD(h, fs(read_via_stream), H(w), U64(0));
    uint64_t s = rep_ok(h);
    STREAM_FAILS(h, E(BAD_DESCRIPTOR), in(read), H(s), U64(1));
    BAD(h, CLOSED, in(blocking_read), H(s), U64(1));
    GOOD(h, fs(read_via_stream), H(w), U64(0));
    s = rep_ok(h);
    STREAM_FAILS(h, E(BAD_DESCRIPTOR), in(blocking_skip), H(s), U64(1));
    /* splice from it */
    GOOD(h, fs(read_via_stream), H(r), U64(0));
    uint64_t from = rep_ok(h);
    GOOD(h, fs(write_via_stream), H(r), U64(0));
    STREAM_FAILS(h, E(BAD_DESCRIPTOR), out(splice), H(rep_ok(h)), H(from), U64(3));
    /* directories never have a stream */
    BAD(h, E(BAD_DESCRIPTOR), fs(write_via_stream), H(x->rw), U64(0));
    BAD(h, E(BAD_DESCRIPTOR), fs(append_via_stream), H(x->rw));
    BAD(h, E(BAD_DESCRIPTOR), fs(write), H(x->rw), BYTES("x", 1), U64(0));
    BAD(h, E(IS_DIRECTORY), fs(read_via_stream), H(x->rw), U64(0));
    BAD(h, E(IS_DIRECTORY), fs(read), H(x->rw), U64(1), U64(0));
}

/* Below a directory that is granted read-only, writing bytes of a file fails with not-permitted and is marked
 * in the trace. */
static void files_of_a_read_only_grant(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t f = open_at(x, x->ro, "f", 0, READ), sub = open_at(x, x->ro, "d", DIRECTORY, READ);
#define DENIED(fn, ...)                                                                                                \
    do {                                                                                                               \
        h->call.denied = false;                                                                                        \
        BAD(h, E(NOT_PERMITTED), fn, __VA_ARGS__);                                                                     \
        assert_true(h->call.denied);                                                                                   \
    } while (0)
    DENIED(fs(write_via_stream), H(f), U64(0));
    DENIED(fs(append_via_stream), H(f));
    DENIED(fs(write), H(f), BYTES("x", 1), U64(0));
    DENIED(fs(set_size), H(f), U64(0));
    h->call.denied = false;
    BAD(h, E(BAD_DESCRIPTOR), fs(write_via_stream), H(sub), U64(0)); /* being a directory is checked first */
    assert_false(h->call.denied);
    GOOD(h, fs(read), H(f), U64(100), U64(0));
    assert_int_equal(h->result.variant.payload->list.ptr[0].raw.len, 6);
}

static void sizes_and_offsets(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t r = open_at(x, x->rw, "f", 0, READ), rw = open_at(x, x->rw, "f", 0, READ | WRITE);
    static const uint64_t beyond[] = {(uint64_t)INT64_MAX + 1, UINT64_MAX};
    BAD(h, E(INVALID), fs(set_size), H(r), U64(3)); /* ftruncate(2): not open for writing */
    BAD(h, E(IS_DIRECTORY), fs(set_size), H(x->rw), U64(0));
    BAD(h, E(FILE_TOO_LARGE), fs(set_size), H(rw), U64(INT64_MAX));
    BAD(h, E(FILE_TOO_LARGE), fs(write), H(rw), BYTES("x", 1), U64(INT64_MAX)); /* POSIX pwrite */
    for (int i = 0; i < 2; i++) {
        BAD(h, E(INVALID), fs(set_size), H(rw), U64(beyond[i]));
        for (size_t len = 0; len < 2; len++) {
            BAD(h, E(INVALID), fs(read), H(rw), U64(len), U64(beyond[i]));
            BAD(h, E(INVALID), fs(write), H(rw), BYTES("x", len), U64(beyond[i]));
        }
        GOOD(h, fs(write_via_stream), H(rw), U64(beyond[i]));
        uint64_t s = rep_ok(h);
        STREAM_FAILS(h, E(INVALID), out(blocking_write_and_flush), H(s), BYTES("x", (size_t)i));
        GOOD(h, fs(read_via_stream), H(rw), U64(beyond[i]));
        s = rep_ok(h);
        STREAM_FAILS(h, E(INVALID), in(blocking_read), H(s), U64(1));
        /* posix_fadvise(2) takes any offset, and an end that no file has */
        GOOD(h, fs(advise), H(rw), U64(beyond[i]), U64(1), {0});
        BAD(h, E(INVALID), fs(advise), H(rw), U64(0), U64(beyond[i]), {0});
    }
    GOOD(h, fs(advise), H(rw), U64(100), U64(INT64_MAX), {0});
    GOOD(h, fs(read), H(rw), U64(100), U64(0)); /* nothing has changed */
    assert_int_equal(h->result.variant.payload->list.ptr[0].raw.len, 6);
}

/* open-at without access flags: a descriptor for reading. */
static void no_access_flags(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t f = open_at(x, x->rw, "f", 0, 0);
    GOOD(h, fs(get_flags), H(f));
    assert_int_equal(h->result.variant.payload->flags.bits, READ);
    GOOD(h, fs(read), H(f), U64(3), U64(0));
    assert_int_equal(h->result.variant.payload->list.ptr[0].raw.len, 3);
    BAD(h, E(BAD_DESCRIPTOR), fs(write), H(f), BYTES("x", 1), U64(0));
    f = open_at(x, x->rw, "f", TRUNCATE, 0);
    GOOD(h, fs(read), H(f), U64(3), U64(0));
    assert_int_equal(h->result.variant.payload->list.ptr[0].raw.len, 0);
    BAD(h, E(BAD_DESCRIPTOR), fs(write), H(f), BYTES("x", 1), U64(0));
    BAD(h, E(INVALID), fs(set_size), H(f), U64(1));
}

/* Names with a trailing slash, for links and for objects that are not directories, resolved by openat2 and by
 * our own walk. */
static void trailing_slashes(void **state) {
    fixture *x = *state;
    host *h = x->h;
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
#define SYMLINK(code, name) BAD(h, code, fs(symlink_at), H(x->rw), STR("x"), STR(name))
        SYMLINK(E(NOT_DIRECTORY), "f/");
        SYMLINK(E(NOT_DIRECTORY), "to-file/");
        SYMLINK(E(EXIST), "d/");
        SYMLINK(E(EXIST), "to-dir/");
        SYMLINK(E(NO_ENTRY), "to-nothing/");
        SYMLINK(E(NO_ENTRY), "missing/");
        SYMLINK(E(LOOP), "loop/");
        SYMLINK(E(EXIST), "to-nothing");
#define LINK(code, from, to) BAD(h, code, fs(link_at), H(x->rw), FLAGS(0), STR(from), H(x->rw), STR(to))
        LINK(E(EXIST), "f", "f/");
        LINK(E(EXIST), "f", "to-file/");
        LINK(E(NO_ENTRY), "f", "to-nothing/");
        LINK(E(LOOP), "f", "loop/");
        /* linkat(2): the new name is checked before the kind of the old object */
        LINK(E(EXIST), "d/", "f");
        LINK(E(EXIST), "d/.", "f");
        LINK(E(NOT_PERMITTED), "d/", "new");
        LINK(E(NOT_PERMITTED), "d/.", "new");
        BAD(h, E(IS_DIRECTORY), fs(unlink_file_at), H(x->rw), STR("to-dir/"));
        BAD(h, E(NOT_DIRECTORY), fs(unlink_file_at), H(x->rw), STR("to-file/"));
        BAD(h, E(NOT_DIRECTORY), fs(unlink_file_at), H(x->rw), STR("to-nothing/"));
        BAD(h, E(LOOP), fs(unlink_file_at), H(x->rw), STR("loop/"));
        BAD(h, E(NOT_DIRECTORY), fs(remove_directory_at), H(x->rw), STR("to-dir/"));
        BAD(h, E(NO_ENTRY), fs(remove_directory_at), H(x->rw), STR("to-nothing/"));
        BAD(h, E(LOOP), fs(remove_directory_at), H(x->rw), STR("loop/"));
        /* rename(2): a last component . or .. */
        BAD(h, E(BUSY), fs(rename_at), H(x->rw), STR("d/."), H(x->rw), STR("new"));
        BAD(h, E(BUSY), fs(rename_at), H(x->rw), STR("f"), H(x->rw), STR("d/.."));
        BAD(h, E(NO_ENTRY), fs(rename_at), H(x->rw), STR("missing/."), H(x->rw), STR("new"));
    }
}

/* fsync(2) of a FIFO: EINVAL, where it was opened for writing. */
static void sync_of_a_fifo(void **state) {
    fixture *x = *state;
    host *h = x->h;
    char path[128];
    snprintf(path, sizeof path, "%s/fifo", x->root);
    assert_int_equal(mkfifo(path, 0600), 0);
    uint64_t both = open_at(x, x->rw, "fifo", 0, READ | WRITE), r = open_at(x, x->rw, "fifo", 0, READ);
    BAD(h, E(INVALID), fs(sync), H(both));
    BAD(h, E(INVALID), fs(sync_data), H(both));
    /* wit: "succeeds with no effect if the file descriptor is not opened for writing" */
    GOOD(h, fs(sync), H(r));
    GOOD(h, fs(sync), H(x->rw));
    assert_int_equal(unlink(path), 0);
}

/* A directory as stdin: reads fail with is-directory, for each new stream. */
static void a_directory_as_stdin(void **state) {
    host *h = *state;
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    ts_wasi_set_stdio(h->w, 0, fd);
    for (int i = 0; i < 2; i++) {
        OK(h, ts_wasi_cli_stdin_get_stdin, {0});
        uint64_t s = rep(h);
        if (i)
            STREAM_FAILS(h, E(IS_DIRECTORY), in(read), H(s), U64(10));
        else
            STREAM_FAILS(h, E(IS_DIRECTORY), in(blocking_read), H(s), U64(10));
        BAD(h, CLOSED, in(read), H(s), U64(10));
    }
    close(fd);
}

/* The kind of stdout is determined once, and again if another descriptor takes its place. */
static void stdio_is_asked_once(void **state) {
    host *h = *state;
    int p[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    char got[4];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    ts_wasi_set_stdio(h->w, 1, p[1]);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    uint64_t first = rep(h);
    OK(h, ts_wasi_cli_terminal_stdout_get_terminal_stdout, {0});
    assert_int_equal(h->result.variant.disc, 0);
    if (full >= 0) {
        ts_wasi_set_stdio(h->w, 1, full);
        OK(h, ts_wasi_cli_stdout_get_stdout, {0});
        STREAM_FAILS(h, E(INSUFFICIENT_SPACE), out(blocking_write_and_flush), H(rep(h)), BYTES("x", 1));
    }
    ts_wasi_set_stdio(h->w, 1, -1);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    BAD(h, CLOSED, out(check_write), H(rep(h)));
    GOOD(h, out(blocking_write_and_flush), H(first), BYTES("abc", 3)); /* a stream keeps its file */
    assert_int_equal(read(p[0], got, sizeof got), 3);
    close(p[0]), close(p[1]), close(full);
}

static void the_insecure_seed(void **state) {
    host *h = *state;
    uint64_t seeds[3][2];
    for (int i = 0; i < 3; i++) {
        if (i == 2) ts_wasi_reset(h->w); /* another instance */
        OK(h, ts_wasi_random_insecure_seed_insecure_seed, {0});
        for (int k = 0; k < 2; k++) seeds[i][k] = h->result.list.ptr[k].u64;
    }
    assert_memory_equal(seeds[0], seeds[1], sizeof seeds[0]);
    assert_memory_not_equal(seeds[0], seeds[2], sizeof seeds[0]);
    for (int i = 0; i < 3; i++) { /* requested randomness: the same in each run */
        if (i == 0) ts_wasi_set_seed(h->w, 7);
        if (i == 2) ts_wasi_reset(h->w);
        OK(h, ts_wasi_random_insecure_seed_insecure_seed, {0});
        for (int k = 0; k < 2; k++) seeds[i][k] = h->result.list.ptr[k].u64;
    }
    assert_memory_equal(seeds[0], seeds[1], sizeof seeds[0]);
    assert_memory_equal(seeds[0], seeds[2], sizeof seeds[0]);
}

/* How the URL Standard's host parser classifies a guest's name: an address, a name, or neither. */
static void hosts(void **state) {
    (void)state;
    static const struct {
        const char *name, *want; /* NULL: invalid */
    } t[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"127.0.1", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"0X7F000001", "127.0.0.1"},
        {"017700000001", "127.0.0.1"},
        {"010.1.1.1", "8.1.1.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"1.2.3.", "1.2.0.3"},
        {"4294967295", "255.255.255.255"},
        {"0x", "0.0.0.0"},
        {"1.0xffffff", "1.255.255.255"},
        {"4294967296", NULL},
        {"99999999999999999999999", NULL},
        {"1.0x1000000", NULL},
        {"127.0.0.256", NULL},
        {"256.1.1.1", NULL},
        {"1.2.3.4.5", NULL},
        {"1..2", NULL},
        {".1", NULL},
        {"foo.9", NULL},
        {"foo.0x4", NULL},
        {"08.1.1.1", NULL},
        {"foo.09", NULL},
        {"foo.0xg", "foo.0xg"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"[FE80::ABCD]", "fe80::abcd"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"[::1", NULL},
        {"::1]", NULL},
        {"[127.0.0.1]", NULL},
        {"[]", NULL},
        {"[", NULL},
        {"]", NULL},
        {"[::1]:80", NULL},
        {"::1%lo", NULL},
        {"1::2::3", NULL},
        {"localhost", "localhost"},
        {"a..b", "a..b"},
        {"a!b", "a!b"},
        {"-a", "-a"},
        {"a_b", "a_b"},
        {".", "."},
        {"", NULL},
        {"a b", NULL},
        {"localhost:80", NULL},
        {"http://localhost", NULL},
        {"a/b", NULL},
        {"u@h", NULL},
        {"a?b", NULL},
        {"a#b", NULL},
        {"a<b", NULL},
        {"a^b", NULL},
        {"a|b", NULL},
        {"a\\b", NULL},
        {"a%62", NULL},
        {"a\tb", NULL},
        {"a\x7f", NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char got[254];
        ts_sys_lookup_result r = ts_sys_host_parse(t[i].name, strlen(t[i].name), got);
        if ((r == TS_SYS_LOOKUP_OK) != (t[i].want != NULL) || (t[i].want && strcmp(got, t[i].want) != 0))
            fail_msg("%s: %s, not %s", t[i].name, r ? "invalid" : got, t[i].want ? t[i].want : "invalid");
    }
    char label[1100], got[254];
    memset(label, 'a', sizeof label);
    assert_int_equal(ts_sys_host_parse(label, 253, got), TS_SYS_LOOKUP_OK);
    for (size_t n = 254; n <= sizeof label; n++)
        assert_int_equal(ts_sys_host_parse(label, n, got), TS_SYS_LOOKUP_INVALID);
    label[253] = '.';
    /* the root's dot does not count */
    assert_int_equal(ts_sys_host_parse(label, 254, got), TS_SYS_LOOKUP_OK);
    assert_int_equal(ts_sys_host_parse("a\0b", 3, got), TS_SYS_LOOKUP_INVALID);
}

/* All look-ups that are not granted fail in the same way, whatever the name is. An address needs no
 * resolver. */
static void look_ups_denied(void **state) {
    host *h = *state;
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    uint64_t n = rep(h);
#define RESOLVE(name) ts_wasi_sockets_ip_name_lookup_resolve_addresses, H(n), STR(name)
    static const char *const names[] = {"localhost", "a b", "", "256.1.1.1"};
    for (int i = 0; i < 4; i++) {
        h->call.denied = false;
        BAD(h, TS_WASI_SOCKETS_ERROR_CODE_PERMANENT_RESOLVER_FAILURE, RESOLVE(names[i]));
        assert_true(h->call.denied);
    }
    GOOD(h, RESOLVE("127.1"));
    assert_int_equal(ts_wasi_allow_name(h->w, "localhost", &h->err), TS_OK);
    BAD(h, TS_WASI_SOCKETS_ERROR_CODE_INVALID_ARGUMENT, RESOLVE("a b"));
    BAD(h, TS_WASI_SOCKETS_ERROR_CODE_PERMANENT_RESOLVER_FAILURE, RESOLVE("example.org"));
    GOOD(h, RESOLVE("localhost"));
    assert_int_equal(ts_wasi_sockets_ip_name_lookup_resolve_address_stream_drop(&h->call, rep_ok(h)), TS_OK);
}

/* --- what was accepted goes out ----------------------------------------------------------------------------
 * A full pipe as stdout, and a write that it had no room for. */
typedef struct full_pipe {
    int out[2], in[2]; /* stdout, stdin of the guest */
    size_t held;       /* bytes in the first */
    uint64_t stream;
} full_pipe;
static void fill(host *h, full_pipe *p) {
    static const char data[4096] = "x";
    assert_int_equal(pipe2(p->out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(p->in, O_CLOEXEC), 0);
    ts_wasi_set_stdio(h->w, 1, p->out[1]);
    ts_wasi_set_stdio(h->w, 0, p->in[0]);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    p->stream = rep(h);
    p->held = 0;
    for (;;) {
        GOOD(h, out(check_write), H(p->stream));
        uint64_t n = h->result.variant.payload->u64;
        if (!n) break;
        GOOD(h, out(write), H(p->stream), BYTES(data, n < sizeof data ? n : sizeof data));
        p->held += n < sizeof data ? n : sizeof data;
        assert_in_range(p->held, 1, 1 << 22);
    }
}
/* Reads everything written; then the guest's stdin becomes readable. */
static void *answer(void *data) {
    full_pipe *p = data;
    char got[4096];
    for (size_t n = 0; n < p->held;) {
        ssize_t r = read(p->out[0], got, sizeof got);
        if (r <= 0) abort();
        n += (size_t)r;
    }
    if (write(p->in[1], "answer", 6) != 6) abort();
    return NULL;
}
static void unfill(full_pipe *p) {
    close(p->out[0]), close(p->out[1]), close(p->in[0]), close(p->in[1]);
}
static void pending_output_goes_out_while_the_guest_waits(void **state) {
    host *h = *state;
    for (int how = 0; how < 3; how++) {
        full_pipe p;
        fill(h, &p);
        OK(h, ts_wasi_cli_stdin_get_stdin, {0});
        uint64_t s = rep(h);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, answer, &p), 0);
        if (how == 0) { /* for the answer */
            GOOD(h, in(blocking_read), H(s), U64(100));
            assert_int_equal(h->result.variant.payload->raw.len, 6);
        } else if (how == 1) {
            OK(h, in(subscribe), H(s));
            uint64_t poll = rep(h);
            OK(h, ts_wasi_io_poll_pollable_block, H(poll));
            assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, poll), TS_OK);
        } else { /* the guest ends by itself, and nothing is lost */
            assert_int_equal(out(drop)(&h->call, p.stream), TS_OK);
        }
        pthread_join(thread, NULL);
        unfill(&p);
    }
}
static void *stop_later(void *data) {
    struct timespec t = {.tv_nsec = 30000000};
    nanosleep(&t, NULL);
    ts_wasi_interrupt(data);
    return NULL;
}
/* Another thread ends each wait for a pipe: reading an empty one, writing to a full one, and
 * dropping the stream. */
static void a_stopped_run_waits_for_no_pipe(void **state) {
    host *h = *state;
    for (int how = 0; how < 4; how++) {
        full_pipe p;
        pthread_t thread;
        fill(h, &p);
        OK(h, ts_wasi_cli_stdin_get_stdin, {0});
        uint64_t s = rep(h);
        assert_int_equal(pthread_create(&thread, NULL, stop_later, h->w), 0);
        if (how == 0) assert_int_equal(CALL(h, in(blocking_read), H(s), U64(1)), TS_INTERRUPTED);
        if (how == 1)
            assert_int_equal(CALL(h, out(blocking_write_and_flush), H(p.stream), BYTES("x", 1)), TS_INTERRUPTED);
        if (how == 2) assert_int_equal(CALL(h, out(blocking_splice), H(p.stream), H(s), U64(1)), TS_INTERRUPTED);
        if (how == 3) assert_int_equal(out(drop)(&h->call, p.stream), TS_INTERRUPTED);
        pthread_join(thread, NULL);
        ts_wasi_reset(h->w); /* does not wait either */
        ts_error_init(&h->err);
        unfill(&p);
    }
}

/* An output stream is ready if check-write returns a permit. */
static void readiness_follows_the_permit(void **state) {
    host *h = *state;
    full_pipe p;
    fill(h, &p);
    OK(h, out(subscribe), H(p.stream));
    uint64_t poll = rep(h);
    OK(h, ts_wasi_io_poll_pollable_ready, H(poll));
    assert_false(h->result.b);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer, &p), 0);
    OK(h, ts_wasi_io_poll_pollable_block, H(poll));
    OK(h, ts_wasi_io_poll_pollable_ready, H(poll));
    assert_true(h->result.b);
    GOOD(h, out(check_write), H(p.stream));
    assert_true(h->result.variant.payload->u64 > 0);
    pthread_join(thread, NULL);
    unfill(&p);
}

/* A file without non-blocking reads and writes (a terminal) is polled first, so that no call waits. */
static void a_terminal_does_not_keep_the_guest_waiting(void **state) {
    host *h = *state;
    int main_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (main_fd < 0) skip();
    assert_int_equal(grantpt(main_fd), 0);
    assert_int_equal(unlockpt(main_fd), 0);
    int fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    ts_wasi_set_stdio(h->w, 0, fd);
    ts_wasi_set_stdio(h->w, 1, fd);
    OK(h, ts_wasi_cli_stdin_get_stdin, {0});
    uint64_t i = rep(h);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    uint64_t o = rep(h);
    for (int n = 0; n < 2; n++) {
        GOOD(h, in(read), H(i), U64(10));
        assert_int_equal(h->result.variant.payload->raw.len, 0);
    }
    GOOD(h, out(check_write), H(o));
    GOOD(h, out(write), H(o), BYTES("abc", 3));
    char got[8];
    assert_int_equal(read(main_fd, got, sizeof got), 3);
    assert_int_equal(write(main_fd, "line\n", 5), 5);
    OK(h, in(subscribe), H(i));
    OK(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
    GOOD(h, in(read), H(i), U64(10));
    assert_int_equal(h->result.variant.payload->raw.len, 5);
    close(fd);
    close(main_fd);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
#define T(name) cmocka_unit_test_setup_teardown(name, host_new, host_end)
#define F(name) cmocka_unit_test_setup_teardown(name, tree, no_tree)
    const struct CMUnitTest tests[] = {
        F(streams_of_the_other_direction),
        F(files_of_a_read_only_grant),
        F(sizes_and_offsets),
        F(no_access_flags),
        F(trailing_slashes),
        F(sync_of_a_fifo),
        T(a_directory_as_stdin),
        T(stdio_is_asked_once),
        T(the_insecure_seed),
        cmocka_unit_test(hosts),
        T(look_ups_denied),
        T(pending_output_goes_out_while_the_guest_waits),
        T(a_stopped_run_waits_for_no_pipe),
        T(readiness_follows_the_permit),
        T(a_terminal_does_not_keep_the_guest_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
