/* test_wasi_sockets: TCP, UDP, look-ups, and grants for the network.
 * In: loopback peers in this process, ports that the system picks. Out: states, bytes, error codes.
 * wit: wasi:sockets */
#include "tests/wasi_help.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define tcp(f) ts_wasi_sockets_tcp_tcp_socket_##f
#define udp(f) ts_wasi_sockets_udp_udp_socket_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define code(name) TS_WASI_SOCKETS_ERROR_CODE_##name
enum { V4 = TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV4, V6 = TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV6 };
#define ENUM(n) ((ts_val){.variant = {.disc = (n)}})
#define U8(n) ((ts_val){.u8 = (n)})
#define U32(n) ((ts_val){.u32 = (n)})
#define BOOL(n) ((ts_val){.b = (n)})

/* An ip-socket-address, in the host's arena. */
static ts_val at(host *h, const char *text, uint16_t port) {
    ts_val *v = ts_arena_array(&h->arena, 20, sizeof *v);
    uint8_t ip[16];
    if (strchr(text, ':')) {
        assert_int_equal(inet_pton(AF_INET6, text, ip), 1);
        for (int i = 0; i < 8; i++) v[5 + i].u16 = (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
        v[1].u16 = port;
        v[3].list = (typeof(v[3].list)){v + 5, 8};
        v[0].list = (typeof(v[0].list)){v + 1, 4};
        return (ts_val){.variant = {.disc = 1, .payload = v}};
    }
    assert_int_equal(inet_pton(AF_INET, text, ip), 1);
    for (int i = 0; i < 4; i++) v[5 + i].u8 = ip[i];
    v[1].u16 = port;
    v[2].list = (typeof(v[2].list)){v + 5, 4};
    v[0].list = (typeof(v[0].list)){v + 1, 2};
    return (ts_val){.variant = {.disc = 0, .payload = v}};
}
static uint16_t port_of(const ts_val *address) {
    return address->variant.payload->list.ptr[0].u16;
}
static ts_val some(host *h, ts_val v) {
    ts_val *p = ts_arena_array(&h->arena, 1, sizeof *p);
    *p = v;
    return (ts_val){.variant = {.disc = 1, .payload = p}};
}
static const ts_val none = {.variant = {.disc = 0}};

static uint64_t network(host *h) {
    OK(h, ts_wasi_sockets_instance_network_instance_network, {0});
    return rep(h);
}
static uint64_t tcp_socket(host *h, uint32_t family) {
    GOOD(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(family));
    return rep_ok(h);
}
static uint64_t udp_socket(host *h, uint32_t family) {
    GOOD(h, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(family));
    return rep_ok(h);
}
static void wait_for(host *h, ts_host_fn subscribe, uint64_t s) {
    OK(h, subscribe, H(s));
    uint64_t p = rep(h);
    OK(h, ts_wasi_io_poll_pollable_block, H(p));
    assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, p), TS_OK);
}
static uint16_t local_port(host *h, uint64_t s) {
    GOOD(h, tcp(local_address), H(s));
    return port_of(h->result.variant.payload);
}
/* A listening socket of the host at a loopback address. */
static uint64_t listener(host *h, uint32_t family, const char *address) {
    uint64_t s = tcp_socket(h, family);
    GOOD(h, tcp(start_bind), H(s), H(network(h)), at(h, address, 0));
    GOOD(h, tcp(finish_bind), H(s));
    GOOD(h, tcp(start_listen), H(s));
    GOOD(h, tcp(finish_listen), H(s));
    return s;
}

static int host_with_network(void **state) {
    signal(SIGPIPE, SIG_DFL); /* the host must not depend on SIGPIPE being ignored */
    if (host_new(state)) return -1;
    ts_wasi_allow_network(((host *)*state)->w, true);
    ts_wasi_allow_names(((host *)*state)->w, true);
    return 0;
}

typedef struct pair { /* both ends of one connection */
    uint64_t server, server_in, server_out, client, client_in, client_out;
} pair;
static pair connected(host *h, uint32_t family, const char *address) {
    pair p;
    uint64_t l = listener(h, family, address);
    p.client = tcp_socket(h, family);
    BAD(h, code(WOULD_BLOCK), tcp(accept), H(l));
    GOOD(h, tcp(start_connect), H(p.client), H(network(h)), at(h, address, local_port(h, l)));
    wait_for(h, tcp(subscribe), p.client);
    GOOD(h, tcp(finish_connect), H(p.client));
    p.client_in = h->result.variant.payload->list.ptr[0].handle.rep;
    p.client_out = h->result.variant.payload->list.ptr[1].handle.rep;
    wait_for(h, tcp(subscribe), l);
    GOOD(h, tcp(accept), H(l));
    p.server = h->result.variant.payload->list.ptr[0].handle.rep;
    p.server_in = h->result.variant.payload->list.ptr[1].handle.rep;
    p.server_out = h->result.variant.payload->list.ptr[2].handle.rep;
    assert_int_equal(tcp(drop)(&h->call, l), TS_OK);
    return p;
}

static void states(void **state) {
    host *h = *state;
    uint64_t n = network(h), s = tcp_socket(h, V4);
    /* unbound */
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_bind), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_listen), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_connect), H(s));
    BAD(h, code(INVALID_STATE), tcp(start_listen), H(s));
    BAD(h, code(INVALID_STATE), tcp(accept), H(s));
    BAD(h, code(INVALID_STATE), tcp(local_address), H(s));
    BAD(h, code(INVALID_STATE), tcp(remote_address), H(s));
    BAD(h, code(INVALID_STATE), tcp(shutdown), H(s), ENUM(2));
    OK(h, tcp(is_listening), H(s));
    assert_false(h->result.b);
    /* bind-in-progress */
    GOOD(h, tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 0));
    BAD(h, code(CONCURRENCY_CONFLICT), tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 0));
    BAD(h, code(CONCURRENCY_CONFLICT), tcp(start_connect), H(s), H(n), at(h, "127.0.0.1", 9));
    BAD(h, code(CONCURRENCY_CONFLICT), tcp(start_listen), H(s));
    BAD(h, code(INVALID_STATE), tcp(local_address), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_listen), H(s));
    GOOD(h, tcp(finish_bind), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_bind), H(s));
    /* bound */
    BAD(h, code(INVALID_STATE), tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 0));
    assert_int_not_equal(local_port(h, s), 0);
    /* listen-in-progress, listening */
    GOOD(h, tcp(start_listen), H(s));
    BAD(h, code(CONCURRENCY_CONFLICT), tcp(start_listen), H(s));
    BAD(h, code(INVALID_STATE), tcp(accept), H(s));
    GOOD(h, tcp(finish_listen), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_listen), H(s));
    BAD(h, code(INVALID_STATE), tcp(start_listen), H(s));
    BAD(h, code(INVALID_STATE), tcp(start_connect), H(s), H(n), at(h, "127.0.0.1", 9));
    BAD(h, code(INVALID_STATE), tcp(remote_address), H(s));
    BAD(h, code(INVALID_STATE), tcp(shutdown), H(s), ENUM(2));
    OK(h, tcp(is_listening), H(s));
    assert_true(h->result.b);
    GOOD(h, tcp(set_listen_backlog_size), H(s), U64(UINT64_MAX));
    BAD(h, code(INVALID_ARGUMENT), tcp(set_listen_backlog_size), H(s), U64(0));
    /* connected */
    pair p = connected(h, V4, "127.0.0.1");
    BAD(h, code(INVALID_STATE), tcp(start_connect), H(p.client), H(n), at(h, "127.0.0.1", 9));
    BAD(h, code(INVALID_STATE), tcp(start_bind), H(p.client), H(n), at(h, "127.0.0.1", 0));
    BAD(h, code(INVALID_STATE), tcp(start_listen), H(p.client));
    BAD(h, code(INVALID_STATE), tcp(accept), H(p.client));
    BAD(h, code(INVALID_STATE), tcp(set_listen_backlog_size), H(p.client), U64(3));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_connect), H(p.client));
    uint16_t client = local_port(h, p.client);
    GOOD(h, tcp(remote_address), H(p.server));
    assert_int_equal(port_of(h->result.variant.payload), client);
    uint16_t server = local_port(h, p.server);
    GOOD(h, tcp(remote_address), H(p.client));
    assert_int_equal(port_of(h->result.variant.payload), server);
}

static void refused(void **state) {
    host *h = *state;
    uint64_t l = listener(h, V4, "127.0.0.1"), s = tcp_socket(h, V4);
    uint16_t port = local_port(h, l);
    assert_int_equal(tcp(drop)(&h->call, l), TS_OK);
    GOOD(h, tcp(start_connect), H(s), H(network(h)), at(h, "127.0.0.1", port));
    wait_for(h, tcp(subscribe), s);
    BAD(h, code(CONNECTION_REFUSED), tcp(finish_connect), H(s));
    /* closed */
    BAD(h, code(INVALID_STATE), tcp(start_connect), H(s), H(network(h)), at(h, "127.0.0.1", port));
    BAD(h, code(INVALID_STATE), tcp(local_address), H(s));
    BAD(h, code(NOT_IN_PROGRESS), tcp(finish_connect), H(s));
}

static void addresses(void **state) {
    host *h = *state;
    uint64_t n = network(h), s4 = tcp_socket(h, V4), s6 = tcp_socket(h, V6), u4 = udp_socket(h, V4),
             u6 = udp_socket(h, V6);
    static const char *const bad4[] = {"::1", "224.0.0.1", "255.255.255.255"};
    static const char *const bad6[] = {"127.0.0.1", "ff02::1", "::ffff:127.0.0.1"};
    for (int i = 0; i < 3; i++) {
        BAD(h, code(INVALID_ARGUMENT), tcp(start_bind), H(s4), H(n), at(h, bad4[i], 0));
        BAD(h, code(INVALID_ARGUMENT), tcp(start_connect), H(s4), H(n), at(h, bad4[i], 80));
        BAD(h, code(INVALID_ARGUMENT), tcp(start_bind), H(s6), H(n), at(h, bad6[i], 0));
        BAD(h, code(INVALID_ARGUMENT), tcp(start_connect), H(s6), H(n), at(h, bad6[i], 80));
    }
    BAD(h, code(INVALID_ARGUMENT), tcp(start_connect), H(s4), H(n), at(h, "127.0.0.1", 0));
    BAD(h, code(INVALID_ARGUMENT), tcp(start_connect), H(s4), H(n), at(h, "0.0.0.0", 80));
    BAD(h, code(INVALID_ARGUMENT), tcp(start_connect), H(s6), H(n), at(h, "::", 80));
    BAD(h, code(INVALID_ARGUMENT), udp(start_bind), H(u4), H(n), at(h, "::1", 0));
    BAD(h, code(INVALID_ARGUMENT), udp(start_bind), H(u6), H(n), at(h, "127.0.0.1", 0));
    BAD(h, code(INVALID_ARGUMENT), udp(start_bind), H(u6), H(n), at(h, "::ffff:127.0.0.1", 0));
    /* no interface here has a documentation address (RFC 5737), and a failed bind can be retried */
    BAD(h, code(ADDRESS_NOT_BINDABLE), tcp(start_bind), H(s4), H(n), at(h, "192.0.2.1", 0));
    BAD(h, code(ADDRESS_NOT_BINDABLE), udp(start_bind), H(u4), H(n), at(h, "192.0.2.1", 0));
    uint64_t l = listener(h, V4, "127.0.0.1");
    BAD(h, code(ADDRESS_IN_USE), tcp(start_bind), H(s4), H(n), at(h, "127.0.0.1", local_port(h, l)));
    GOOD(h, tcp(start_bind), H(s4), H(n), at(h, "127.0.0.1", 0));
    GOOD(h, tcp(finish_bind), H(s4));
}

static void never_dual_stack(void **state) {
    host *h = *state;
    uint64_t l = tcp_socket(h, V6), s = tcp_socket(h, V4);
    GOOD(h, tcp(start_bind), H(l), H(network(h)), at(h, "::", 0));
    GOOD(h, tcp(finish_bind), H(l));
    GOOD(h, tcp(start_listen), H(l));
    GOOD(h, tcp(finish_listen), H(l));
    GOOD(h, tcp(start_connect), H(s), H(network(h)), at(h, "127.0.0.1", local_port(h, l)));
    wait_for(h, tcp(subscribe), s);
    BAD(h, code(CONNECTION_REFUSED), tcp(finish_connect), H(s));
}

/* Not every machine has IPv6 on its loopback. */
static bool has_v6(void) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0) close(fd);
    if (!has) print_message("no IPv6 on the loopback: left out\n");
    return has;
}

static void bytes(void **state) {
    host *h = *state;
    for (int v6 = 0; v6 < 1 + has_v6(); v6++) {
        pair p = connected(h, v6 ? V6 : V4, v6 ? "::1" : "127.0.0.1");
        OK(h, in(subscribe), H(p.server_in));
        uint64_t poll = rep(h);
        OK(h, ts_wasi_io_poll_pollable_ready, H(poll));
        assert_false(h->result.b);
        GOOD(h, in(read), H(p.server_in), U64(10));
        assert_int_equal(h->result.variant.payload->raw.len, 0);
        GOOD(h, out(check_write), H(p.client_out));
        GOOD(h, out(write), H(p.client_out), BYTES("hello", 5));
        GOOD(h, out(blocking_flush), H(p.client_out));
        OK(h, ts_wasi_io_poll_pollable_block, H(poll));
        GOOD(h, in(read), H(p.server_in), U64(10));
        assert_int_equal(h->result.variant.payload->raw.len, 5);
        assert_memory_equal(h->result.variant.payload->raw.ptr, "hello", 5);
        /* half-close: one direction ends, the other continues */
        GOOD(h, tcp(shutdown), H(p.client), ENUM(TS_WASI_SOCKETS_SHUTDOWN_TYPE_SEND));
        GOOD(h, tcp(shutdown), H(p.client), ENUM(TS_WASI_SOCKETS_SHUTDOWN_TYPE_SEND));
        BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, out(check_write), H(p.client_out));
        BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, in(blocking_read), H(p.server_in), U64(1));
        GOOD(h, out(blocking_write_and_flush), H(p.server_out), BYTES("back", 4));
        GOOD(h, in(blocking_read), H(p.client_in), U64(9));
        assert_int_equal(h->result.variant.payload->raw.len, 4);
        /* queued bytes are discarded */
        GOOD(h, out(blocking_write_and_flush), H(p.server_out), BYTES("more", 4));
        wait_for(h, in(subscribe), p.client_in);
        GOOD(h, tcp(shutdown), H(p.client), ENUM(TS_WASI_SOCKETS_SHUTDOWN_TYPE_RECEIVE));
        BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, in(read), H(p.client_in), U64(9));
        GOOD(h, tcp(shutdown), H(p.client), ENUM(TS_WASI_SOCKETS_SHUTDOWN_TYPE_BOTH));
        /* a socket with a pollable cannot be dropped; its streams outlive it */
        OK(h, tcp(subscribe), H(p.server));
        uint64_t q = rep(h);
        assert_int_equal(tcp(drop)(&h->call, p.server), TS_TRAP);
        ts_error_init(&h->err);
        assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, q), TS_OK);
        assert_int_equal(tcp(drop)(&h->call, p.server), TS_OK);
        GOOD(h, out(check_write), H(p.server_out));
    }
}

/* If the peer does not read, permits end, nothing is lost, and shutdown sends the accepted bytes. */
static void backpressure(void **state) {
    host *h = *state;
    static uint8_t data[65536];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7 + i / 256);
    pair p = connected(h, V4, "127.0.0.1");
    uint64_t sent = 0, got = 0;
    OK(h, out(subscribe), H(p.client_out));
    uint64_t poll = rep(h);
    for (;;) {
        GOOD(h, out(check_write), H(p.client_out));
        uint64_t n = h->result.variant.payload->u64;
        if (n == 0) break;
        if (n > sizeof data) n = sizeof data;
        GOOD(h, out(write), H(p.client_out), BYTES(data, n));
        assert_int_equal(n, sizeof data);
        sent += n;
        assert_true(sent < (64u << 20));
    }
    OK(h, ts_wasi_io_poll_pollable_ready, H(poll));
    assert_false(h->result.b);
    bool shut = false;
    while (got < sent) {
        GOOD(h, in(blocking_read), H(p.server_in), U64(65536));
        size_t n = h->result.variant.payload->raw.len;
        const uint8_t *b = h->result.variant.payload->raw.ptr;
        for (size_t i = 0; i < n; i++) assert_int_equal(b[i], data[(got + i) % sizeof data]);
        got += n;
        if (got > sent / 2 && !shut) {
            GOOD(h, out(flush), H(p.client_out));
            GOOD(h, tcp(shutdown), H(p.client), ENUM(TS_WASI_SOCKETS_SHUTDOWN_TYPE_SEND));
            shut = true;
        }
    }
    BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, in(blocking_read), H(p.server_in), U64(1));
}

static void reset(void **state) {
    host *h = *state;
    uint64_t l = listener(h, V4, "127.0.0.1");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(local_port(h, l)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    wait_for(h, tcp(subscribe), l);
    GOOD(h, tcp(accept), H(l));
    uint64_t in_ = h->result.variant.payload->list.ptr[1].handle.rep,
             out_ = h->result.variant.payload->list.ptr[2].handle.rep;
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd); /* RST */
    wait_for(h, in(subscribe), in_);
    BAD(h, TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, in(read), H(in_), U64(1));
    uint64_t err = h->result.variant.payload->variant.payload->handle.rep;
    OK(h, ts_wasi_sockets_network_network_error_code, H(err));
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, code(CONNECTION_RESET));
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(err));
    assert_int_equal(h->result.variant.disc, 0); /* not an error of a file */
    BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, in(read), H(in_), U64(1));
    /* and no SIGPIPE */
    BAD(h, TS_WASI_IO_STREAM_ERROR_CLOSED, out(blocking_write_and_flush), H(out_), BYTES("x", 1));
}

static void options(void **state) {
    host *h = *state;
    for (uint32_t f = 0; f < 2; f++) {
        uint64_t s = tcp_socket(h, f);
        OK(h, tcp(address_family), H(s));
        assert_int_equal(h->result.variant.disc, f);
        GOOD(h, tcp(keep_alive_enabled), H(s));
        assert_false(h->result.variant.payload->b);
        GOOD(h, tcp(set_keep_alive_enabled), H(s), BOOL(true));
        GOOD(h, tcp(keep_alive_enabled), H(s));
        assert_true(h->result.variant.payload->b);
        BAD(h, code(INVALID_ARGUMENT), tcp(set_keep_alive_idle_time), H(s), U64(0));
        BAD(h, code(INVALID_ARGUMENT), tcp(set_keep_alive_interval), H(s), U64(0));
        BAD(h, code(INVALID_ARGUMENT), tcp(set_keep_alive_count), H(s), U32(0));
        BAD(h, code(INVALID_ARGUMENT), tcp(set_hop_limit), H(s), U8(0));
        BAD(h, code(INVALID_ARGUMENT), tcp(set_receive_buffer_size), H(s), U64(0));
        BAD(h, code(INVALID_ARGUMENT), tcp(set_send_buffer_size), H(s), U64(0));
        GOOD(h, tcp(set_keep_alive_idle_time), H(s), U64(1)); /* rounded up */
        GOOD(h, tcp(keep_alive_idle_time), H(s));
        assert_int_equal(h->result.variant.payload->u64, 1000000000);
        GOOD(h, tcp(set_keep_alive_idle_time), H(s), U64(UINT64_MAX)); /* clamped */
        GOOD(h, tcp(set_keep_alive_interval), H(s), U64(7000000000));
        GOOD(h, tcp(keep_alive_interval), H(s));
        assert_int_equal(h->result.variant.payload->u64, 7000000000);
        GOOD(h, tcp(set_keep_alive_count), H(s), U32(UINT32_MAX));
        GOOD(h, tcp(set_keep_alive_count), H(s), U32(5));
        GOOD(h, tcp(keep_alive_count), H(s));
        assert_int_equal(h->result.variant.payload->u32, 5);
        GOOD(h, tcp(set_hop_limit), H(s), U8(42));
        GOOD(h, tcp(hop_limit), H(s));
        assert_int_equal(h->result.variant.payload->u8, 42);
        GOOD(h, tcp(set_receive_buffer_size), H(s), U64(16384));
        GOOD(h, tcp(receive_buffer_size), H(s));
        assert_int_equal(h->result.variant.payload->u64, 16384);
        GOOD(h, tcp(set_send_buffer_size), H(s), U64(UINT64_MAX));
        GOOD(h, tcp(send_buffer_size), H(s));
        assert_true(h->result.variant.payload->u64 > 16384);
        uint64_t u = udp_socket(h, f);
        OK(h, udp(address_family), H(u));
        assert_int_equal(h->result.variant.disc, f);
        BAD(h, code(INVALID_ARGUMENT), udp(set_unicast_hop_limit), H(u), U8(0));
        GOOD(h, udp(set_unicast_hop_limit), H(u), U8(9));
        GOOD(h, udp(unicast_hop_limit), H(u));
        assert_int_equal(h->result.variant.payload->u8, 9);
        BAD(h, code(INVALID_ARGUMENT), udp(set_send_buffer_size), H(u), U64(0));
        GOOD(h, udp(set_send_buffer_size), H(u), U64(20000));
        GOOD(h, udp(send_buffer_size), H(u));
        assert_int_equal(h->result.variant.payload->u64, 20000);
        GOOD(h, udp(set_receive_buffer_size), H(u), U64(20000));
        GOOD(h, udp(receive_buffer_size), H(u));
        assert_int_equal(h->result.variant.payload->u64, 20000);
    }
}

static void inherited(void **state) {
    host *h = *state;
    uint64_t l = listener(h, V4, "127.0.0.1"), s = tcp_socket(h, V4);
    GOOD(h, tcp(set_keep_alive_enabled), H(l), BOOL(true));
    GOOD(h, tcp(set_keep_alive_count), H(l), U32(4));
    GOOD(h, tcp(set_keep_alive_idle_time), H(l), U64(11000000000));
    GOOD(h, tcp(set_hop_limit), H(l), U8(33));
    GOOD(h, tcp(start_connect), H(s), H(network(h)), at(h, "127.0.0.1", local_port(h, l)));
    wait_for(h, tcp(subscribe), l);
    GOOD(h, tcp(accept), H(l));
    uint64_t a = h->result.variant.payload->list.ptr[0].handle.rep;
    GOOD(h, tcp(keep_alive_enabled), H(a));
    assert_true(h->result.variant.payload->b);
    GOOD(h, tcp(keep_alive_count), H(a));
    assert_int_equal(h->result.variant.payload->u32, 4);
    GOOD(h, tcp(keep_alive_idle_time), H(a));
    assert_int_equal(h->result.variant.payload->u64, 11000000000);
    GOOD(h, tcp(hop_limit), H(a));
    assert_int_equal(h->result.variant.payload->u8, 33);
}

/* --- datagrams ------------------------------------------------------------------------------------------ */
#define receive ts_wasi_sockets_udp_incoming_datagram_stream_receive
#define receive_subscribe ts_wasi_sockets_udp_incoming_datagram_stream_subscribe
#define check_send ts_wasi_sockets_udp_outgoing_datagram_stream_check_send
#define send_ ts_wasi_sockets_udp_outgoing_datagram_stream_send
typedef struct ends {
    uint64_t socket, in, out;
    uint16_t port;
} ends;
static ends open_udp(host *h, ts_val remote) {
    ends x = {.socket = udp_socket(h, V4)};
    BAD(h, code(INVALID_STATE), udp(stream), H(x.socket), none);
    BAD(h, code(INVALID_STATE), udp(local_address), H(x.socket));
    BAD(h, code(NOT_IN_PROGRESS), udp(finish_bind), H(x.socket));
    GOOD(h, udp(start_bind), H(x.socket), H(network(h)), at(h, "127.0.0.1", 0));
    BAD(h, code(CONCURRENCY_CONFLICT), udp(start_bind), H(x.socket), H(network(h)), at(h, "127.0.0.1", 0));
    GOOD(h, udp(finish_bind), H(x.socket));
    BAD(h, code(INVALID_STATE), udp(start_bind), H(x.socket), H(network(h)), at(h, "127.0.0.1", 0));
    BAD(h, code(INVALID_STATE), udp(remote_address), H(x.socket));
    GOOD(h, udp(local_address), H(x.socket));
    x.port = port_of(h->result.variant.payload);
    GOOD(h, udp(stream), H(x.socket), remote);
    x.in = h->result.variant.payload->list.ptr[0].handle.rep;
    x.out = h->result.variant.payload->list.ptr[1].handle.rep;
    return x;
}
/* A list of n copies of one datagram. */
static ts_val datagrams(host *h, const char *data, size_t len, ts_val to, size_t n) {
    ts_val *v = ts_arena_array(&h->arena, n * 3 + 1, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        ts_val *f = v + n + 2 * i;
        f[0] = BYTES((const uint8_t *)data, len);
        f[1] = to;
        v[i].list = (typeof(v[i].list)){f, 2};
    }
    ts_val list = {0};
    list.list = (typeof(list.list)){v, n};
    return list;
}
static size_t received(host *h) {
    return h->result.variant.payload->list.len;
}

static void datagram_streams(void **state) {
    host *h = *state;
    ends a = open_udp(h, none), b = open_udp(h, none), other = open_udp(h, none);
    static char big[70000];
    GOOD(h, receive, H(a.in), U64(5));
    assert_int_equal(received(h), 0);
    TRAPS(h, send_, H(a.out), datagrams(h, "x", 1, none, 1)); /* no check-send */
    GOOD(h, send_, H(a.out), datagrams(h, "x", 1, none, 0));
    assert_int_equal(h->result.variant.payload->u64, 0);
    GOOD(h, check_send, H(a.out));
    uint64_t n = h->result.variant.payload->u64;
    assert_true(n > 0);
    TRAPS(h, send_, H(a.out), datagrams(h, "x", 1, none, n + 1));
    ts_val to_b = some(h, at(h, "127.0.0.1", b.port)), to_a = some(h, at(h, "127.0.0.1", a.port));
    BAD(h, code(INVALID_ARGUMENT), send_, H(a.out), datagrams(h, "x", 1, none, 1));
    GOOD(h, check_send, H(a.out));
    BAD(h, code(INVALID_ARGUMENT), send_, H(a.out), datagrams(h, "x", 1, some(h, at(h, "0.0.0.0", 5)), 1));
    BAD(h, code(INVALID_ARGUMENT), send_, H(a.out), datagrams(h, "x", 1, some(h, at(h, "127.0.0.1", 0)), 1));
    BAD(h, code(INVALID_ARGUMENT), send_, H(a.out), datagrams(h, "x", 1, some(h, at(h, "::1", 5)), 1));
    BAD(h, code(DATAGRAM_TOO_LARGE), send_, H(a.out), datagrams(h, big, sizeof big, to_b, 1));
    GOOD(h, check_send, H(a.out));
    GOOD(h, send_, H(a.out), datagrams(h, "three", 5, to_b, 3));
    assert_int_equal(h->result.variant.payload->u64, 3);
    wait_for(h, receive_subscribe, b.in);
    GOOD(h, receive, H(b.in), U64(0));
    assert_int_equal(received(h), 0);
    GOOD(h, receive, H(b.in), U64(2));
    assert_int_equal(received(h), 2);
    const ts_val *f = h->result.variant.payload->list.ptr[0].list.ptr;
    assert_int_equal(f[0].raw.len, 5);
    assert_memory_equal(f[0].raw.ptr, "three", 5);
    assert_int_equal(port_of(&f[1]), a.port);
    GOOD(h, receive, H(b.in), U64(UINT64_MAX));
    assert_int_equal(received(h), 1);
    /* an empty datagram counts too */
    GOOD(h, send_, H(a.out), datagrams(h, "", 0, to_b, 1));
    wait_for(h, receive_subscribe, b.in);
    GOOD(h, receive, H(b.in), U64(9));
    assert_int_equal(received(h), 1);
    /* connected: only this peer, in both directions; the earlier streams no longer belong to the socket */
    GOOD(h, check_send, H(other.out));
    GOOD(h, send_, H(other.out), datagrams(h, "early", 5, to_a, 1));
    GOOD(h, udp(stream), H(a.socket), to_b);
    uint64_t in2 = h->result.variant.payload->list.ptr[0].handle.rep,
             out2 = h->result.variant.payload->list.ptr[1].handle.rep;
    BAD(h, code(INVALID_STATE), receive, H(a.in), U64(1));
    BAD(h, code(INVALID_STATE), check_send, H(a.out));
    GOOD(h, udp(remote_address), H(a.socket));
    assert_int_equal(port_of(h->result.variant.payload), b.port);
    GOOD(h, check_send, H(out2));
    GOOD(h, send_, H(out2), datagrams(h, "none", 4, none, 1));
    GOOD(h, send_, H(out2), datagrams(h, "same", 4, to_b, 1));
    BAD(h, code(INVALID_ARGUMENT), send_, H(out2), datagrams(h, "x", 1, some(h, at(h, "127.0.0.1", other.port)), 1));
    GOOD(h, receive, H(in2), U64(9)); /* "early" came from another peer */
    assert_int_equal(received(h), 0);
    GOOD(h, check_send, H(b.out));
    GOOD(h, send_, H(b.out), datagrams(h, "late", 4, to_a, 1));
    wait_for(h, receive_subscribe, in2);
    GOOD(h, receive, H(in2), U64(9));
    assert_int_equal(received(h), 1);
    /* and disconnected again: the address stays */
    GOOD(h, udp(stream), H(a.socket), none);
    BAD(h, code(INVALID_STATE), udp(remote_address), H(a.socket));
    GOOD(h, udp(local_address), H(a.socket));
    assert_int_equal(port_of(h->result.variant.payload), a.port);
    BAD(h, code(INVALID_ARGUMENT), udp(stream), H(a.socket), some(h, at(h, "0.0.0.0", 5)));
    BAD(h, code(INVALID_ARGUMENT), udp(stream), H(a.socket), some(h, at(h, "127.0.0.1", 0)));
    BAD(h, code(INVALID_ARGUMENT), udp(stream), H(a.socket), some(h, at(h, "::1", 5)));
    /* nobody listens: the ICMP error is reported by the next call */
    uint16_t gone = b.port;
    assert_int_equal(ts_wasi_sockets_udp_incoming_datagram_stream_drop(&h->call, b.in), TS_OK);
    assert_int_equal(ts_wasi_sockets_udp_outgoing_datagram_stream_drop(&h->call, b.out), TS_OK);
    assert_int_equal(udp(drop)(&h->call, b.socket), TS_OK);
    GOOD(h, udp(stream), H(a.socket), some(h, at(h, "127.0.0.1", gone)));
    uint64_t in4 = h->result.variant.payload->list.ptr[0].handle.rep,
             out4 = h->result.variant.payload->list.ptr[1].handle.rep;
    GOOD(h, check_send, H(out4));
    GOOD(h, send_, H(out4), datagrams(h, "x", 1, none, 1));
    wait_for(h, receive_subscribe, in4);
    BAD(h, code(CONNECTION_REFUSED), receive, H(in4), U64(1));
}

/* --- names ---------------------------------------------------------------------------------------------- */
#define resolve ts_wasi_sockets_ip_name_lookup_resolve_addresses
#define next_ ts_wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address
#define names_subscribe ts_wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe
static void names(void **state) {
    host *h = *state;
    uint64_t n = network(h);
    static char long_name[300];
    memset(long_name, 'a', 299);
    static const char *const bad[] = {"",          "a b", "a/b",  "a:80",   "[::1", "[127.0.0.1]",
                                      "256.1.1.1", "<",   "a%62", long_name};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) BAD(h, code(INVALID_ARGUMENT), resolve, H(n), STR(bad[i]));
    static const char *const good[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "[::1]", "1.2.3"};
    for (uint32_t i = 0; i < 5; i++) {
        GOOD(h, resolve, H(n), STR(good[i]));
        uint64_t s = rep_ok(h);
        GOOD(h, next_, H(s)); /* at once */
        assert_int_equal(h->result.variant.payload->variant.disc, 1);
        assert_int_equal(h->result.variant.payload->variant.payload->variant.disc,
                         i == 1 || i == 3); /* never an IPv4-mapped address */
        GOOD(h, next_, H(s));
        assert_int_equal(h->result.variant.payload->variant.disc, 0);
        GOOD(h, next_, H(s));
        assert_int_equal(h->result.variant.payload->variant.disc, 0);
    }
    GOOD(h, resolve, H(n), STR("localhost"));
    uint64_t s = rep_ok(h);
    wait_for(h, names_subscribe, s);
    GOOD(h, next_, H(s));
    assert_int_equal(h->result.variant.payload->variant.disc, 1);
    for (int i = 0; i < 8 && h->result.variant.payload->variant.disc; i++) GOOD(h, next_, H(s));
    assert_int_equal(h->result.variant.payload->variant.disc, 0);
    assert_int_equal(ts_wasi_sockets_ip_name_lookup_resolve_address_stream_drop(&h->call, s), TS_OK);
    GOOD(h, resolve, H(n), STR("localhost")); /* dropped while it is running */
    assert_int_equal(ts_wasi_sockets_ip_name_lookup_resolve_address_stream_drop(&h->call, rep_ok(h)), TS_OK);
}

/* --- what is granted ------------------------------------------------------------------------------------ */
#define DENIED_AS(h, error, fn, ...)                                                                                   \
    do {                                                                                                               \
        (h)->call.denied = false;                                                                                      \
        BAD(h, error, fn, __VA_ARGS__);                                                                                \
        assert_true((h)->call.denied);                                                                                 \
    } while (0)
#define DENIED(h, fn, ...) DENIED_AS(h, code(ACCESS_DENIED), fn, __VA_ARGS__)
#define NOT_LOOKED_UP(h, n, name) DENIED_AS(h, code(PERMANENT_RESOLVER_FAILURE), resolve, H(n), STR(name))
static void nothing_granted(void **state) {
    host *h = *state;
    uint64_t n = network(h), s = tcp_socket(h, V4), u = udp_socket(h, V4);
    DENIED(h, tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 0));
    DENIED(h, tcp(start_connect), H(s), H(n), at(h, "127.0.0.1", 80));
    DENIED(h, udp(start_bind), H(u), H(n), at(h, "127.0.0.1", 0));
    NOT_LOOKED_UP(h, n, "localhost");
    GOOD(h, resolve, H(n), STR("10.1.2.3"));
    ts_wasi_allow_tcp(h->w, false);
    ts_wasi_allow_udp(h->w, false);
    DENIED(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(V4));
    DENIED(h, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(V4));
}
#define ALLOW(use, spec) assert_int_equal(ts_wasi_allow_address(h->w, TS_WASI_##use, spec, &h->err), TS_OK)
static void some_granted(void **state) {
    host *h = *state;
    ALLOW(TCP_CONNECT, "127.0.0.1:1000-2000");
    ALLOW(TCP_CONNECT, "10.32.0.0/11:80");
    ALLOW(TCP_CONNECT, "[::1]:*");
    ALLOW(TCP_CONNECT, "[fe80::]/10:7");
    ALLOW(TCP_LISTEN, "127.0.0.1:0");
    ALLOW(UDP_PEER, "localhost:53");
    uint64_t n = network(h), s = tcp_socket(h, V4), s6 = tcp_socket(h, V6), u = udp_socket(h, V4);
    DENIED(h, tcp(start_connect), H(s), H(n), at(h, "127.0.0.1", 999));
    DENIED(h, tcp(start_connect), H(s), H(n), at(h, "127.0.0.2", 1000));
    DENIED(h, tcp(start_connect), H(s), H(n), at(h, "10.64.0.1", 80));
    DENIED(h, tcp(start_connect), H(s), H(n), at(h, "10.31.255.255", 80));
    DENIED(h, tcp(start_connect), H(s6), H(n), at(h, "::2", 80));
    DENIED(h, tcp(start_connect), H(s6), H(n), at(h, "fec0::1", 7));
    DENIED(h, tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 8080));
    DENIED(h, tcp(start_bind), H(s), H(n), at(h, "0.0.0.0", 0));
    GOOD(h, tcp(start_bind), H(s), H(n), at(h, "127.0.0.1", 0));
    GOOD(h, tcp(finish_bind), H(s));
    GOOD(h, tcp(start_connect), H(s), H(n), at(h, "127.0.0.1", 1999));
    GOOD(h, tcp(start_connect), H(s6), H(n), at(h, "::1", 1));
    DENIED(h, udp(start_bind), H(u), H(n), at(h, "127.0.0.1", 53));
    GOOD(h, udp(start_bind), H(u), H(n), at(h, "127.0.0.1", 0));
    GOOD(h, udp(finish_bind), H(u));
    DENIED(h, udp(stream), H(u), some(h, at(h, "127.0.0.1", 54)));
    GOOD(h, udp(stream), H(u), none);
    uint64_t o = h->result.variant.payload->list.ptr[1].handle.rep;
    GOOD(h, check_send, H(o));
    DENIED(h, send_, H(o), datagrams(h, "x", 1, some(h, at(h, "127.0.0.1", 54)), 1));
    GOOD(h, send_, H(o), datagrams(h, "x", 1, some(h, at(h, "127.0.0.1", 53)), 1));
    GOOD(h, resolve, H(n), STR("LocalHost."));
    NOT_LOOKED_UP(h, n, "host.example.org");
    assert_int_equal(ts_wasi_allow_name(h->w, "*.example.org", &h->err), TS_OK);
    GOOD(h, resolve, H(n), STR("host.example.org"));
    NOT_LOOKED_UP(h, n, "example.org");
    NOT_LOOKED_UP(h, n, "badexample.org");
    static const char *const bad[] = {"",
                                      ":",
                                      "x",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      ":80",
                                      "127.0.0.1:x",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:9-8",
                                      "::1:80",
                                      "[::1:80",
                                      "[127.0.0.1]:80",
                                      "127.0.0.1/33:80",
                                      "127.0.0.1/:80",
                                      "a b:80",
                                      "256.0.0.1:80",
                                      "1.2.3.4:-"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_error_init(&h->err);
        assert_int_equal(ts_wasi_allow_address(h->w, TS_WASI_TCP_CONNECT, bad[i], &h->err), TS_USAGE);
    }
}

/* --- limits --------------------------------------------------------------------------------------------- */
static void no_more_files(void **state) {
    host *h = *state;
    uint64_t l = listener(h, V4, "127.0.0.1");
    uint64_t s = tcp_socket(h, V4);
    GOOD(h, tcp(start_connect), H(s), H(network(h)), at(h, "127.0.0.1", local_port(h, l)));
    wait_for(h, tcp(subscribe), l);
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int free_fd = dup(0);
    assert_true(free_fd >= 0);
    close(free_fd);
    few = before;
    few.rlim_cur = (rlim_t)free_fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    CALL(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(V4));
    uint32_t t = h->result.variant.disc ? h->result.variant.payload->variant.disc : 0;
    CALL(h, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(V6));
    uint32_t u = h->result.variant.disc ? h->result.variant.payload->variant.disc : 0;
    CALL(h, tcp(accept), H(l));
    uint32_t a = h->result.variant.disc ? h->result.variant.payload->variant.disc : 0;
    CALL(h, resolve, H(network(h)), STR("localhost"));
    uint32_t r = h->result.variant.disc ? h->result.variant.payload->variant.disc : 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(t, code(NEW_SOCKET_LIMIT));
    assert_int_equal(u, code(NEW_SOCKET_LIMIT));
    assert_int_equal(a, code(NEW_SOCKET_LIMIT));
    assert_int_equal(r, code(TEMPORARY_RESOLVER_FAILURE));
    GOOD(h, tcp(accept), H(l)); /* the connection has waited */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* first, because a dropped look-up would return its descriptors meanwhile */
        cmocka_unit_test_setup_teardown(no_more_files, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(states, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(refused, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(addresses, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(never_dual_stack, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(bytes, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(backpressure, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(reset, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(options, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(inherited, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(datagram_streams, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(names, host_with_network, host_end),
        cmocka_unit_test_setup_teardown(nothing_granted, host_new, host_end),
        cmocka_unit_test_setup_teardown(some_granted, host_new, host_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
