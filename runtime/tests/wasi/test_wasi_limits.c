/* test_wasi_limits: the resources that a guest can take from the WASI host are bounded: objects, open files,
 * buffers, random bytes, names.
 * In: contexts with limits, a temporary tree; $TOUCHSTONE, $TOUCHSTONE_FIXTURES for the messages of the
 * command. Out: a trap or an error that names the limit, and bounded memory. */
#include "tests/wasi_help.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wasi/context.h"

#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define E(name) TS_WASI_FILESYSTEM_ERROR_CODE_##name
#define NET(name) TS_WASI_SOCKETS_ERROR_CODE_##name
#define ENUM(n) ((ts_val){.variant = {.disc = (n)}})
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    CREATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_CREATE,
};

static char root[] = "/tmp/test_wasi_limits_XXXXXX";
static int tree(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}
static int no_tree(void **state) {
    (void)state;
    return rmdir(root);
}
static uint64_t directory(host *h) {
    assert_int_equal(ts_wasi_allow_dir(h->w, root, "/", false, &h->err), TS_OK);
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    return h->result.list.ptr[0].list.ptr[0].handle.rep;
}
static uint64_t open_file(host *h, uint64_t d, const char *name) {
    GOOD(h, fs(open_at), H(d), FLAGS(0), STR(name), FLAGS(CREATE), FLAGS(READ | WRITE));
    return rep_ok(h);
}
static void remove_file(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(unlink(path), 0);
}

/* Each call that creates an object: one object too many traps with a message, and a drop makes room again. */
static void objects(void **state) {
    host *h = *state;
    uint64_t d = directory(h), f = open_file(h, d, "f"); /* two objects */
    ts_wasi_limit_objects(h->w, 4);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(1));
    uint64_t p = rep(h);
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    static const struct {
        ts_host_fn fn;
        int args; /* 0: none, 1: a descriptor, 2: a descriptor and a number, 3: an enum */
    } rows[] = {{ts_wasi_clocks_monotonic_clock_subscribe_duration, 0},
                {ts_wasi_clocks_monotonic_clock_subscribe_instant, 0},
                {ts_wasi_sockets_instance_network_instance_network, 0},
                {ts_wasi_cli_stdin_get_stdin, 0},
                {ts_wasi_cli_stdout_get_stdout, 0},
                {ts_wasi_filesystem_preopens_get_directories, 0},
                {fs(read_directory), 1},
                {fs(read_via_stream), 2},
                {fs(write_via_stream), 2},
                {fs(append_via_stream), 2},
                {ts_wasi_sockets_tcp_create_socket_create_tcp_socket, 3},
                {ts_wasi_sockets_udp_create_socket_create_udp_socket, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_val a = rows[i].args == 0 ? U64(1) : rows[i].args == 1 ? H(d) : rows[i].args == 2 ? H(f) : ENUM(0);
        TRAPS(h, rows[i].fn, a, U64(0));
        assert_non_null(strstr(h->err.message, "the guest holds 4 host objects: no more are allowed"));
    }
    TRAPS(h, fs(open_at), H(d), FLAGS(0), STR("f"), FLAGS(0), FLAGS(READ));
    assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, p), TS_OK);
    GOOD(h, fs(open_at), H(d), FLAGS(0), STR("f"), FLAGS(0), FLAGS(READ));
    remove_file("f");
}

static unsigned open_files(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
/* Files, directories, sockets: one too many is an error, as if the OS had no more descriptors. */
static void files(void **state) {
    host *h = *state;
    uint64_t d = directory(h), f[3];
    unsigned before = open_files();
    ts_wasi_allow_network(h->w, true);
    ts_wasi_limit_files(h->w, 3);
    for (int i = 0; i < 3; i++) f[i] = open_file(h, d, "f");
    BAD(h, E(INSUFFICIENT_MEMORY), fs(open_at), H(d), FLAGS(0), STR("f"), FLAGS(0), FLAGS(READ));
    BAD(h, E(INSUFFICIENT_MEMORY), fs(read_directory), H(d));
    BAD(h, NET(NEW_SOCKET_LIMIT), ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    BAD(h, NET(NEW_SOCKET_LIMIT), ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(0));
    assert_int_equal(open_files(), before + 3);
    GOOD(h, fs(read_via_stream), H(f[0]), U64(0)); /* the same file, so no further descriptor */
    uint64_t s = rep_ok(h);
    assert_int_equal(fs(drop)(&h->call, f[0]), TS_OK);
    BAD(h, E(INSUFFICIENT_MEMORY), fs(read_directory), H(d)); /* the stream still has it open */
    assert_int_equal(in(drop)(&h->call, s), TS_OK);
    GOOD(h, fs(read_directory), H(d));
    uint64_t entries = rep_ok(h);
    assert_int_equal(fs(drop)(&h->call, f[1]), TS_OK);
    GOOD(h, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(0));
    uint64_t u = rep_ok(h);
    assert_int_equal(fs(drop)(&h->call, f[2]), TS_OK);
    GOOD(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    uint64_t t = rep_ok(h);
    BAD(h, E(INSUFFICIENT_MEMORY), fs(read_directory), H(d));
    assert_int_equal(ts_wasi_filesystem_types_directory_entry_stream_drop(&h->call, entries), TS_OK);
    assert_int_equal(ts_wasi_sockets_udp_udp_socket_drop(&h->call, u), TS_OK);
    assert_int_equal(ts_wasi_sockets_tcp_tcp_socket_drop(&h->call, t), TS_OK);
    assert_int_equal(open_files(), before);
    for (int i = 0; i < 100; i++) { /* and nothing is counted twice or forever */
        GOOD(h, fs(read_directory), H(d));
        entries = rep_ok(h);
        assert_int_equal(ts_wasi_filesystem_types_directory_entry_stream_drop(&h->call, entries), TS_OK);
        assert_int_equal(fs(drop)(&h->call, open_file(h, d, "f")), TS_OK);
        BAD(h, E(NO_ENTRY), fs(open_at), H(d), FLAGS(0), STR("nothing"), FLAGS(0), FLAGS(READ));
    }
    remove_file("f");
}

/* A connection that waits stays in the queue until there is room. */
static void accepting(void **state) {
    host *h = *state;
    ts_wasi_allow_network(h->w, true);
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    uint64_t net = rep(h);
    GOOD(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    uint64_t s = rep_ok(h);
    ts_val v[10] = {{.b = false}}, address = {.variant = {.disc = 0, .payload = v}};
    for (int i = 1; i < 10; i++) v[i] = (ts_val){.u64 = 0};
    v[5].u8 = 127, v[8].u8 = 1;
    v[2].list = (typeof(v[2].list)){v + 5, 4};
    v[0].list = (typeof(v[0].list)){v + 1, 2};
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_start_bind, H(s), H(net), address);
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_finish_bind, H(s));
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_start_listen, H(s));
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_finish_listen, H(s));
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_local_address, H(s));
    uint16_t port = h->result.variant.payload->variant.payload->list.ptr[0].u16;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c, (struct sockaddr *)&to, sizeof to), 0);
    OK(h, ts_wasi_sockets_tcp_tcp_socket_subscribe, H(s));
    OK(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
    ts_wasi_limit_files(h->w, 1);
    BAD(h, NET(NEW_SOCKET_LIMIT), ts_wasi_sockets_tcp_tcp_socket_accept, H(s));
    ts_wasi_limit_files(h->w, 2);
    GOOD(h, ts_wasi_sockets_tcp_tcp_socket_accept, H(s));
    BAD(h, NET(NEW_SOCKET_LIMIT), ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    close(c);
}

static unsigned threads(void) {
    unsigned n = 0;
    DIR *d = opendir("/proc/self/task");
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}
/* Look-ups have threads of their own: never more than a few, however many a guest begins. */
static void look_ups(void **state) {
    host *h = *state;
    const unsigned before = threads();
    if (!before) skip();
    ts_wasi_allow_names(h->w, true);
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    const uint64_t net = rep(h);
    unsigned most = 0, refused = 0;
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "a%d.invalid", i);
        CALL(h, ts_wasi_sockets_ip_name_lookup_resolve_addresses, H(net), STR(name));
        assert_int_equal(h->status, TS_OK);
        if (h->result.variant.disc) {
            assert_int_equal(h->result.variant.payload->variant.disc, NET(TEMPORARY_RESOLVER_FAILURE));
            refused++;
        }
        if (threads() > most) most = threads();
    }
    /* threads that have given their answer, and are about to end, are counted here and not by the limit */
    assert_in_range(most, before, before + 4 * TS_WASI_MAX_LOOKUPS);
    (void)refused; /* none, where the resolver answers at once */
}

/* A list of pollables is no longer than the guest may hold objects, though it may name one twice. */
static void long_polls(void **state) {
    host *h = *state;
    ts_wasi_limit_objects(h->w, 1000);
    OK(h, ts_wasi_clocks_monotonic_clock_subscribe_duration, U64(0));
    static ts_val list[1001];
    for (size_t i = 0; i < 1001; i++) list[i] = H(rep(h));
    const ts_val good = {.list = {list, 1000}}, bad = {.list = {list, 1001}};
    OK(h, ts_wasi_io_poll_poll, good);
    assert_int_equal(h->result.raw.len, 1000);
    TRAPS(h, ts_wasi_io_poll_poll, bad);
    assert_non_null(strstr(h->err.message, "poll of 1001 pollables: the guest may hold 1000 host objects"));
}

static uint64_t memory(void) { /* pages that are resident */
    long size, rss = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &size, &rss) != 2) rss = 0;
    fclose(f);
    return (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
}
/* No length that a guest passes makes the host allocate that much. */
static void buffers(void **state) {
    host *h = *state;
    uint64_t d = directory(h), f = open_file(h, d, "sparse");
    if (memory() == 0) skip();
    GOOD(h, fs(set_size), H(f), U64(1ull << 40)); /* a hole */
    uint64_t before = memory();
    GOOD(h, fs(read), H(f), U64(UINT64_MAX), U64(0));
    const ts_val *t = h->result.variant.payload->list.ptr;
    assert_in_range(t[0].raw.len, 1, h->call.max_bytes);
    assert_false(t[1].b);
    ts_arena_free(&h->arena);
    ts_arena_init(&h->arena);
    /* there is nothing to read, so nothing is allocated */
    GOOD(h, fs(read), H(f), U64(UINT64_MAX), U64(INT64_MAX - 1));
    BAD(h, E(INVALID), fs(read), H(f), U64(UINT64_MAX), U64(UINT64_MAX));
    GOOD(h, fs(read_via_stream), H(f), U64(0));
    uint64_t s = rep_ok(h);
    for (int i = 0; i < 100; i++) {
        GOOD(h, in(read), H(s), U64(UINT64_MAX));
        assert_in_range(h->result.variant.payload->raw.len, 1, 65536);
        GOOD(h, in(skip), H(s), U64(UINT64_MAX));
        GOOD(h, in(blocking_read), H(s), U64(1ull << 33));
        assert_in_range(h->result.variant.payload->raw.len, 1, 65536);
    }
    GOOD(h, fs(write_via_stream), H(f), U64(0));
    uint64_t w = rep_ok(h);
    GOOD(h, out(check_write), H(w));
    uint64_t permit = h->result.variant.payload->u64;
    assert_in_range(permit, 1, 1 << 20);
    TRAPS(h, out(write_zeroes), H(w), U64(UINT64_MAX));
    assert_non_null(strstr(h->err.message, "where check-write has permitted"));
    TRAPS(h, out(blocking_write_zeroes_and_flush), H(w), U64(1ull << 62));
    assert_non_null(strstr(h->err.message, "at most 4096 are allowed"));
    GOOD(h, out(splice), H(w), H(s), U64(UINT64_MAX));
    assert_in_range(h->result.variant.payload->u64, 1, 1 << 20);
    assert_in_range(memory(), 0, before + (64 << 20));
    remove_file("sparse");
}

static void random_lengths(void **state) {
    host *h = *state;
    uint64_t before = memory();
    static const uint64_t too_many[] = {(1 << 24) + 1, 1ull << 32, (1ull << 32) + 1, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof too_many / sizeof *too_many; i++) {
        char words[64];
        snprintf(words, sizeof words, "%llu random bytes asked for: at most 16777216", (unsigned long long)too_many[i]);
        TRAPS(h, ts_wasi_random_random_get_random_bytes, U64(too_many[i]));
        assert_non_null(strstr(h->err.message, words));
        TRAPS(h, ts_wasi_random_insecure_get_insecure_random_bytes, U64(too_many[i]));
        assert_non_null(strstr(h->err.message, words));
    }
    if (before) assert_in_range(memory(), 0, before + (4 << 20));
    OK(h, ts_wasi_random_random_get_random_bytes, U64(1 << 24));
    assert_int_equal(h->result.raw.len, 1 << 24);
    ts_wasi_interrupt(h->w); /* and a long call can be interrupted */
    assert_int_equal(CALL(h, ts_wasi_random_random_get_random_bytes, U64(1 << 24)), TS_INTERRUPTED);
    assert_int_equal(CALL(h, ts_wasi_random_insecure_get_insecure_random_bytes, U64(1 << 24)), TS_INTERRUPTED);
}

static void names(void **state) {
    host *h = *state;
    uint64_t d = directory(h);
    static char name[1 << 20];
    memset(name, 'a', sizeof name);
    static const size_t lengths[] = {256, 4096, 65536, sizeof name};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ts_val long_ = {.str = {name, lengths[i]}};
        BAD(h, E(NAME_TOO_LONG), fs(open_at), H(d), FLAGS(0), long_, FLAGS(CREATE), FLAGS(WRITE));
        BAD(h, E(NAME_TOO_LONG), fs(create_directory_at), H(d), long_);
        BAD(h, E(NAME_TOO_LONG), fs(rename_at), H(d), STR("x"), H(d), long_);
        if (lengths[i] > 4096) BAD(h, E(NAME_TOO_LONG), fs(symlink_at), H(d), long_, STR("link"));
    }
    ts_wasi_allow_names(h->w, true);
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    uint64_t net = rep(h);
    static const size_t hosts[] = {254, 4096, sizeof name}; /* DNS: 253 in all */
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        BAD(h, NET(INVALID_ARGUMENT), ts_wasi_sockets_ip_name_lookup_resolve_addresses, H(net),
            ((ts_val){.str = {name, hosts[i]}}));
    for (size_t i = 1; i < sizeof name; i += 2) name[i] = '.';
    BAD(h, NET(INVALID_ARGUMENT), ts_wasi_sockets_ip_name_lookup_resolve_addresses, H(net),
        ((ts_val){.str = {name, 255}}));
    BAD(h, NET(INVALID_ARGUMENT), ts_wasi_sockets_ip_name_lookup_resolve_addresses, H(net),
        ((ts_val){.str = {name, sizeof name}}));
}

/* The messages of the command for these limits. */
static int run(const char *options, const char *guest, char *to, size_t size) {
    char line[1024];
    const char *program = getenv("TOUCHSTONE"), *fixtures = getenv("TOUCHSTONE_FIXTURES");
    if (!program || !fixtures) skip();
    snprintf(line, sizeof line, "'%s' run %s '%s/built/%s.wasm' 2>&1 </dev/null", program, options, fixtures, guest);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    size_t n = fread(to, 1, size - 1, f);
    to[n] = 0;
    int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
static void words(void **state) {
    (void)state;
    static char text[1 << 16];
    assert_int_equal(run("-S max-resources=1", "io-poll", text, sizeof text), 134);
    assert_non_null(strstr(text, "the guest holds 1 host objects: no more are allowed"));
    assert_int_equal(run("-S max-resources=1000", "io-poll", text, sizeof text), 0);
    assert_int_equal(run("-S max-resources=0", "io-poll", text, sizeof text), 120);
    assert_int_equal(run("-S max-files=x", "io-poll", text, sizeof text), 120);
    assert_int_equal(run("-S max-random-size=3145733", "random-insecure", text, sizeof text), 0);
    assert_int_equal(run("-S max-random-size=70000", "random-insecure", text, sizeof text), 134);
    assert_non_null(strstr(text, "70001 random bytes asked for: at most 70000 are given at once"));
    assert_int_equal(run("-S max-http-fields-size=131072", "http-fields", text, sizeof text), 0);
    assert_int_equal(run("-S max-http-fields-size=40", "http-fields", text, sizeof text), 134);
    assert_non_null(strstr(text, "40 are allowed"));
    assert_int_equal(run("-S hostcall-fuel=9", "io-poll", text, sizeof text), 120);
    assert_non_null(strstr(text, "does not exist here"));
    assert_int_equal(run("-S config-var=a=b", "io-poll", text, sizeof text), 120);
    assert_non_null(strstr(text, "not about WASI 0.2"));
    assert_int_equal(run("-S config=n,nn=n,http-outgoing-body-chunk-size=65536", "io-poll", text, sizeof text), 0);
    (void)run("-S max-files=1 -S inherit-network --trace", "sockets-udp", text, sizeof text);
    assert_non_null(
        strstr(text, "create-udp-socket(ipv4) -> err(new-socket-limit)")); /* what happens then is up to the guest */
    assert_int_equal(run("-S max-files=50 -S inherit-network", "sockets-udp", text, sizeof text), 0);
    assert_null(strstr(text, " fail "));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, host_new, host_end)
    const struct CMUnitTest tests[] = {T(objects),  T(files),          T(accepting),
                                       T(buffers),  T(random_lengths), T(names),
                                       T(look_ups), T(long_polls),     cmocka_unit_test(words)};
    return cmocka_run_group_tests_name("wasi_limits", tests, tree, no_tree);
}
