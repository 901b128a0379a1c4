/* test_wasi_faults_memory: every allocation of the WASI host fails once, and fails from then on.
 * In: the linker replaces malloc, calloc and realloc by the functions below (-Wl,--wrap). Out: the status is
 * out of memory or the guest gets the matching error code; no crash, no file left open, no leak (checked by
 * the sanitizers). */
#include "tests/wasi_help.h"
#include "tests/refuse_memory.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define tcp(f) ts_wasi_sockets_tcp_tcp_socket_##f
#define udp(f) ts_wasi_sockets_udp_udp_socket_##f
#define ENUM(n) ((ts_val){.variant = {.disc = (n)}})
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    CREATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_CREATE,
};

static char root[] = "/tmp/test_wasi_faults_memory_XXXXXX";
static uint32_t told; /* whether memory ran out in this life */

/* A call whose result cannot express a failure. */
#define DO(fn, ...)                                                                                                    \
    do {                                                                                                               \
        CALL(h, fn, __VA_ARGS__);                                                                                      \
        if (h->status != TS_OK) {                                                                                      \
            assert_int_equal(h->status, TS_NOMEM);                                                                     \
            assert_int_equal(h->err.status, TS_NOMEM);                                                                 \
            told++;                                                                                                    \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)
/* A call that returns a result, whose error may be the code for lack of memory. */
#define TRY_(word, fn, ...)                                                                                            \
    do {                                                                                                               \
        DO(fn, __VA_ARGS__);                                                                                           \
        if (h->result.variant.disc) {                                                                                  \
            assert_int_equal(h->result.variant.payload->variant.disc, word);                                           \
            told++;                                                                                                    \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)
#define FS(fn, ...) TRY_(TS_WASI_FILESYSTEM_ERROR_CODE_INSUFFICIENT_MEMORY, fn, __VA_ARGS__)
#define IO(fn, ...) TRY_(TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, fn, __VA_ARGS__)
#define NET(fn, ...) TRY_(TS_WASI_SOCKETS_ERROR_CODE_OUT_OF_MEMORY, fn, __VA_ARGS__)
#define GRANT(...)                                                                                                     \
    do {                                                                                                               \
        ts_error_init(&h->err);                                                                                        \
        ts_status s_ = __VA_ARGS__;                                                                                    \
        assert_int_equal(h->err.status, s_);                                                                           \
        if (s_ != TS_OK) {                                                                                             \
            assert_int_equal(s_, TS_NOMEM);                                                                            \
            told++;                                                                                                    \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* for port 0 the system picks one */
static ts_val loopback(ts_val v[10], uint16_t port) {
    memset(v, 0, 10 * sizeof *v);
    static const uint8_t ip[] = {127, 0, 0, 1};
    for (int i = 0; i < 4; i++) v[5 + i].u8 = ip[i];
    v[1].u16 = port;
    v[2].list = (typeof(v[2].list)){v + 5, 4};
    v[0].list = (typeof(v[0].list)){v + 1, 2};
    return (ts_val){.variant = {.disc = 0, .payload = v}};
}

static void files(host *h) {
    uint8_t bytes[5000] = {1};
    DO(ts_wasi_filesystem_preopens_get_directories, {0});
    uint64_t d = h->result.list.ptr[0].list.ptr[0].handle.rep;
    FS(fs(open_at), H(d), FLAGS(0), STR("file"), FLAGS(CREATE), FLAGS(READ | WRITE));
    uint64_t f = rep_ok(h);
    FS(fs(write), H(f), BYTES(bytes, sizeof bytes), U64(0));
    FS(fs(read), H(f), U64(100), U64(0));
    FS(fs(read), H(f), U64(1 << 20), U64(0));
    FS(fs(stat), H(f));
    FS(fs(stat_at), H(d), FLAGS(1), STR("./file"));
    FS(fs(metadata_hash), H(f));
    FS(fs(metadata_hash_at), H(d), FLAGS(0), STR("file"));
    FS(fs(get_flags), H(f));
    FS(fs(get_type), H(f));
    FS(fs(create_directory_at), H(d), STR("dir"));
    FS(fs(symlink_at), H(d), STR("../file"), STR("dir/link"));
    FS(fs(readlink_at), H(d), STR("dir/link"));
    FS(fs(open_at), H(d), FLAGS(1), STR("dir/link"), FLAGS(0), FLAGS(READ));
    FS(fs(rename_at), H(d), STR("dir/link"), H(d), STR("link"));
    FS(fs(unlink_file_at), H(d), STR("link"));
    FS(fs(remove_directory_at), H(d), STR("dir"));
    CALL(h, fs(open_at), H(d), FLAGS(0), STR("nothing"), FLAGS(0), FLAGS(READ)); /* errors need memory too */
    if (h->status == TS_NOMEM) told++;
    FS(fs(read_directory), H(d));
    uint64_t entries = rep_ok(h);
    for (int i = 0; i < 2; i++) FS(ts_wasi_filesystem_types_directory_entry_stream_read_directory_entry, H(entries));
    FS(fs(read_via_stream), H(f), U64(0));
    uint64_t r = rep_ok(h);
    FS(fs(write_via_stream), H(f), U64(0));
    uint64_t w = rep_ok(h);
    IO(out(check_write), H(w));
    IO(out(write), H(w), BYTES(bytes, 4096));
    IO(out(write_zeroes), H(w), U64(5000));
    IO(out(blocking_splice), H(w), H(r), U64(100));
    IO(in(read), H(r), U64(100));
    DO(in(subscribe), H(r));
    uint64_t p = rep(h);
    DO(ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(1));
    ts_val both[40];
    for (int i = 0; i < 40; i++) both[i] = H(i % 2 ? p : rep(h)); /* more than fit on the stack */
    DO(ts_wasi_io_poll_poll, ((ts_val){.list = {both, 40}}));
    FS(fs(write_via_stream), H(f), U64(UINT64_MAX - 10));
    w = rep_ok(h);
    CALL(h, out(blocking_write_and_flush), H(w), BYTES(bytes, 100)); /* fails: an error is made */
    if (h->status == TS_OK) {
        assert_int_equal(h->result.variant.disc, 1);
        uint64_t e = h->result.variant.payload->variant.payload->handle.rep;
        DO(ts_wasi_io_error_error_to_debug_string, H(e));
        DO(ts_wasi_filesystem_types_filesystem_error_code, H(e));
    } else {
        assert_int_equal(h->status, TS_NOMEM);
        told++;
    }
out:;
}

static void others(host *h) {
    int p[2] = {-1, -1};
    DO(ts_wasi_cli_environment_get_arguments, {0});
    DO(ts_wasi_cli_environment_get_environment, {0});
    DO(ts_wasi_cli_environment_initial_cwd, {0});
    DO(ts_wasi_cli_terminal_stdin_get_terminal_stdin, {0});
    DO(ts_wasi_clocks_wall_clock_now, {0});
    DO(ts_wasi_random_random_get_random_bytes, U64(5000));
    DO(ts_wasi_random_insecure_get_insecure_random_bytes, U64(5000));
    DO(ts_wasi_random_insecure_seed_insecure_seed, {0});
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0) fail();
    int size = fcntl(p[1], F_SETPIPE_SZ, 4096);
    assert_true(size >= 4096);
    ts_wasi_set_stdio(h->w, 1, p[1]);
    DO(ts_wasi_cli_stdout_get_stdout, {0});
    uint64_t s = rep(h);
    char bytes[4096] = {0};
    for (int i = 0; i < 3; i++) { /* until some bytes are pending */
        CALL(h, out(check_write), H(s));
        uint64_t n = h->status == TS_OK && !h->result.variant.disc ? h->result.variant.payload->u64 : 0;
        if (n < 2) break;
        assert_true(write(p[1], "x", 1) == 1); /* less room than is permitted */
        IO(out(write), H(s), BYTES(bytes, n));
    }
out:
    if (p[0] >= 0) close(p[0]), close(p[1]);
}

static void network(host *h) {
    ts_val v[10];
    const ts_val *got;
    char bytes[100] = {0};
    DO(ts_wasi_sockets_instance_network_instance_network, {0});
    uint64_t net = rep(h);
    NET(ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    uint64_t s = rep_ok(h);
    NET(tcp(start_bind), H(s), H(net), loopback(v, 0));
    NET(tcp(finish_bind), H(s));
    NET(tcp(start_listen), H(s));
    NET(tcp(finish_listen), H(s));
    NET(tcp(local_address), H(s));
    got = h->result.variant.payload;
    uint16_t port = got->variant.payload->list.ptr[0].u16;
    NET(ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    uint64_t c = rep_ok(h);
    NET(tcp(start_connect), H(c), H(net), loopback(v, port));
    DO(tcp(subscribe), H(c));
    DO(ts_wasi_io_poll_pollable_block, H(rep(h)));
    NET(tcp(finish_connect), H(c));
    uint64_t o = h->result.variant.payload->list.ptr[1].handle.rep;
    DO(tcp(subscribe), H(s));
    DO(ts_wasi_io_poll_pollable_block, H(rep(h)));
    NET(tcp(accept), H(s));
    IO(out(blocking_write_and_flush), H(o), BYTES(bytes, 100));
    NET(ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(0));
    uint64_t u = rep_ok(h);
    NET(udp(start_bind), H(u), H(net), loopback(v, 0));
    NET(udp(finish_bind), H(u));
    NET(udp(local_address), H(u));
    port = h->result.variant.payload->variant.payload->list.ptr[0].u16;
    NET(udp(stream), H(u), ENUM(0));
    const ts_val *pair = h->result.variant.payload->list.ptr;
    uint64_t from = pair[0].handle.rep, to = pair[1].handle.rep;
    NET(ts_wasi_sockets_udp_outgoing_datagram_stream_check_send, H(to));
    ts_val address = loopback(v, port), datagram[2] = {BYTES(bytes, 10), {.variant = {.disc = 1, .payload = &address}}};
    ts_val one = {.list = {datagram, 2}};
    NET(ts_wasi_sockets_udp_outgoing_datagram_stream_send, H(to), ((ts_val){.list = {&one, 1}}));
    DO(ts_wasi_sockets_udp_incoming_datagram_stream_subscribe, H(from));
    DO(ts_wasi_io_poll_pollable_block, H(rep(h)));
    NET(ts_wasi_sockets_udp_incoming_datagram_stream_receive, H(from), U64(5));
out:;
}

static void grants(host *h) {
    GRANT(ts_wasi_add_arg(h->w, "an argument", &h->err));
    GRANT(ts_wasi_set_env(h->w, "NAME", 4, "value", &h->err));
    GRANT(ts_wasi_set_env(h->w, "NAME", 4, "another", &h->err));
    GRANT(ts_wasi_set_cwd(h->w, "/here", &h->err));
    GRANT(ts_wasi_allow_address(h->w, TS_WASI_TCP_CONNECT, "127.0.0.1:*", &h->err));
    GRANT(ts_wasi_allow_address(h->w, TS_WASI_UDP_BIND, "[::1]:1-5", &h->err));
    GRANT(ts_wasi_allow_name(h->w, "example.org", &h->err));
    GRANT(ts_wasi_allow_dir(h->w, root, "/", false, &h->err));
    GRANT(ts_wasi_allow_dir(h->w, root, "/ro", true, &h->err));
out:;
}

static unsigned open_files(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
static int gone(const char *path, const struct stat *st, int kind, struct FTW *f) {
    (void)st, (void)kind;
    return f->level == 0 ? 0 : remove(path);
}

/* The whole life of a context. */
static void live(void (*part)(host *h)) {
    static host life;
    host *h = &life;
    memset(h, 0, sizeof *h);
    unsigned before = open_files();
    told = 0;
    refused = 0;
    ts_error_init(&h->err);
    ts_arena_init(&h->arena);
    ts_status s = ts_wasi_new(&h->w, &h->err);
    if (s != TS_OK) {
        assert_int_equal(s, TS_NOMEM);
        told++;
    } else {
        h->call = (ts_host_call){.host = h->w, .arena = &h->arena, .err = &h->err, .max_bytes = 1 << 24};
        int64_t keep = until;
        if (part != grants) { /* these have tests of their own */
            until = -1;
            grants(h);
            ts_wasi_allow_network(h->w, true);
            until = keep;
        }
        part(h);
        ts_wasi_free(h->w);
    }
    ts_arena_free(&h->arena);
    int64_t keep = until;
    until = -1;
    nftw(root, gone, 16, FTW_DEPTH | FTW_PHYS);
    until = keep;
    assert_int_equal(open_files(), before);
}

static void every_failure(void (*part)(host *h), uint64_t least) {
    until = INT64_MAX;
    asked = 0;
    live(part);
    uint64_t total = asked, reported = 0;
    assert_true(total >= least && told == 0 && refused == 0);
    for (int good = 0; good < 2; good++)
        for (uint64_t n = 1; n <= total; n++) {
            until = (int64_t)n;
            for_good = good;
            live(part);
            assert_true(refused > 0);
            reported += told > 0;
        }
    until = -1;
    assert_true(reported > total); /* of 2 * total; some failures are recovered from */
    live(part);
    assert_int_equal(told, 0);
}
static void of_grants(void **state) {
    (void)state, every_failure(grants, 10);
}
static void of_files(void **state) {
    (void)state, every_failure(files, 20);
}
static void of_others(void **state) {
    (void)state, every_failure(others, 6);
}
static void of_network(void **state) {
    (void)state, every_failure(network, 15);
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    return rmdir(root);
}
int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_grants), cmocka_unit_test(of_files),
                                       cmocka_unit_test(of_others), cmocka_unit_test(of_network)};
    return cmocka_run_group_tests_name("wasi_faults_memory", tests, set_up, tear_down);
}
