/* test_wasi_faults_net: the system calls of sockets fail, transfer less than asked and are interrupted.
 * In: the linker replaces the system calls by the functions below (-Wl,--wrap); loopback peers. Out: each
 * errno reaches the guest as the error-code of the specification, short sends are completed, and nothing
 * stays open.
 * wit: wasi:sockets */
#include "tests/wasi_help.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* One function fails with `err`, `times` times (below 0: always); sends and receives move at
 * most `most` bytes. */
static struct {
    const char *name;
    int err, times;
    size_t most;
    unsigned struck;
} fault;
static bool strikes(const char *name) {
    if (!fault.name || strcmp(fault.name, name) != 0 || !fault.times) return false;
    if (fault.times > 0) fault.times--;
    fault.struck++;
    errno = fault.err;
    return true;
}
static void fail_with(const char *name, int err, int times) {
    fault.name = name, fault.err = err, fault.times = times, fault.struck = 0;
}
static void no_fault(void) {
    memset(&fault, 0, sizeof fault);
}
static size_t most(size_t n) {
    return fault.most && n > fault.most ? (fault.struck++, fault.most) : n;
}
#define WRAP(type, name, params, ...)                                                                                  \
    type __real_##name params;                                                                                         \
    type __wrap_##name params;                                                                                         \
    type __wrap_##name params {                                                                                        \
        return strikes(#name) ? -1 : __real_##name(__VA_ARGS__);                                                       \
    }
WRAP(int, socket, (int family, int type, int protocol), family, type, protocol)
WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
WRAP(int, connect, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
WRAP(int, listen, (int fd, int backlog), fd, backlog)
WRAP(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), fd, a, n, flags)
WRAP(int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
WRAP(int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
WRAP(int, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), fd, level, name, p, n)
WRAP(int, shutdown, (int fd, int how), fd, how)
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags), fd, p, most(n), flags)
WRAP(ssize_t, read, (int fd, void *p, size_t n), fd, p, most(n))
WRAP(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t len), fd, p, n,
     flags, a, len)
WRAP(ssize_t, recvfrom, (int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *len), fd, p, n, flags, a,
     len)

static int late_error; /* the value of SO_ERROR; 0 for the real one */
int __real_getsockopt(int fd, int level, int name, void *p, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int name, void *p, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int name, void *p, socklen_t *n) {
    if (strikes("getsockopt")) return -1;
    int r = __real_getsockopt(fd, level, name, p, n);
    if (r == 0 && level == SOL_SOCKET && name == SO_ERROR && late_error) memcpy(p, &late_error, sizeof late_error);
    return r;
}

#define tcp(f) ts_wasi_sockets_tcp_tcp_socket_##f
#define udp(f) ts_wasi_sockets_udp_udp_socket_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define C(name) TS_WASI_SOCKETS_ERROR_CODE_##name
#define ENUM(n) ((ts_val){.variant = {.disc = (n)}})
enum { FAILED = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, CLOSED = TS_WASI_IO_STREAM_ERROR_CLOSED };

typedef struct fixture {
    host *h;
    uint64_t net;
    unsigned files_before;
} fixture;
static unsigned open_files(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
static int set_up(void **state) {
    fixture *x = calloc(1, sizeof *x);
    void *h;
    no_fault();
    late_error = 0;
    x->files_before = open_files();
    if (host_new(&h)) return -1;
    x->h = h;
    ts_wasi_allow_network(x->h->w, true);
    OK(x->h, ts_wasi_sockets_instance_network_instance_network, {0});
    x->net = rep(x->h);
    *state = x;
    return 0;
}
static int tear_down(void **state) {
    fixture *x = *state;
    void *h = x->h;
    unsigned before = x->files_before;
    no_fault();
    host_end(&h);
    free(x);
    assert_int_equal(open_files(), before);
    return 0;
}
static ts_val loopback(host *h, uint16_t port) {
    ts_val *v = ts_arena_array(&h->arena, 10, sizeof *v);
    static const uint8_t ip[] = {127, 0, 0, 1};
    for (int i = 0; i < 10; i++) v[i] = (ts_val){.u64 = 0};
    for (int i = 0; i < 4; i++) v[5 + i].u8 = ip[i];
    v[1].u16 = port;
    v[2].list = (typeof(v[2].list)){v + 5, 4};
    v[0].list = (typeof(v[0].list)){v + 1, 2};
    return (ts_val){.variant = {.disc = 0, .payload = v}};
}
static uint64_t tcp_socket(host *h) {
    GOOD(h, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
    return rep_ok(h);
}
static uint64_t udp_socket(host *h) {
    GOOD(h, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(0));
    return rep_ok(h);
}
static void bind_tcp(fixture *x, uint64_t s) {
    host *h = x->h;
    GOOD(h, tcp(start_bind), H(s), H(x->net), loopback(h, 0));
    GOOD(h, tcp(finish_bind), H(s));
}
static void bind_udp(fixture *x, uint64_t s) {
    host *h = x->h;
    GOOD(h, udp(start_bind), H(s), H(x->net), loopback(h, 0));
    GOOD(h, udp(finish_bind), H(s));
}

typedef struct row {
    int err;
    uint32_t code;
} row;
#define EACH(rows) for (const row *r = rows; r < rows + sizeof rows / sizeof *rows; r++)

static void creation(void **state) {
    fixture *x = *state;
    host *h = x->h;
    static const row rows[] = {
        {EMFILE, C(NEW_SOCKET_LIMIT)},       {ENFILE, C(NEW_SOCKET_LIMIT)}, {EAFNOSUPPORT, C(NOT_SUPPORTED)},
        {EPROTONOSUPPORT, C(NOT_SUPPORTED)}, {ENOBUFS, C(OUT_OF_MEMORY)},   {ENOMEM, C(OUT_OF_MEMORY)},
        {EACCES, C(ACCESS_DENIED)},          {EPERM, C(ACCESS_DENIED)},     {EREMOTEIO, C(UNKNOWN)}};
    EACH(rows) {
        fail_with("socket", r->err, 2);
        BAD(h, r->code, ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(0));
        BAD(h, r->code, ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(0));
        assert_int_equal(fault.struck, 2);
        assert_int_equal(open_files(), x->files_before);
    }
    fail_with("setsockopt", ENOMEM, 2); /* a socket that cannot be made IPv6-only is not created */
    BAD(h, C(OUT_OF_MEMORY), ts_wasi_sockets_tcp_create_socket_create_tcp_socket, ENUM(1));
    BAD(h, C(OUT_OF_MEMORY), ts_wasi_sockets_udp_create_socket_create_udp_socket, ENUM(1));
    assert_int_equal(open_files(), x->files_before);
}

static void binding(void **state) {
    fixture *x = *state;
    host *h = x->h;
    static const row rows[] = {{EADDRINUSE, C(ADDRESS_IN_USE)}, {EADDRNOTAVAIL, C(ADDRESS_NOT_BINDABLE)},
                               {EACCES, C(ACCESS_DENIED)},      {EINVAL, C(INVALID_ARGUMENT)},
                               {ENOMEM, C(OUT_OF_MEMORY)},      {EIO, C(UNKNOWN)}};
    uint64_t t = tcp_socket(h), u = udp_socket(h);
    EACH(rows) {
        fail_with("bind", r->err, 2);
        BAD(h, r->code, tcp(start_bind), H(t), H(x->net), loopback(h, 0));
        BAD(h, C(NOT_IN_PROGRESS), tcp(finish_bind), H(t)); /* the operation was not begun */
        BAD(h, r->code, udp(start_bind), H(u), H(x->net), loopback(h, 0));
        assert_int_equal(fault.struck, 2);
    }
    bind_tcp(x, t); /* and the operation can be begun again */
    bind_udp(x, u);
    static const row listening[] = {
        {EADDRINUSE, C(ADDRESS_IN_USE)}, {EINVAL, C(INVALID_STATE)}, {ENOBUFS, C(OUT_OF_MEMORY)}};
    for (const row *r = listening; r < listening + 3; r++) {
        fail_with("listen", r->err, 1);
        BAD(h, r->code, tcp(start_listen), H(t));
    }
    fail_with("getsockname", ENOBUFS, 2);
    BAD(h, C(OUT_OF_MEMORY), tcp(local_address), H(t));
    BAD(h, C(OUT_OF_MEMORY), udp(local_address), H(u));
    GOOD(h, tcp(start_listen), H(t));
    GOOD(h, tcp(finish_listen), H(t));
}

static void connecting(void **state) {
    fixture *x = *state;
    host *h = x->h;
    static const row rows[] = {{ECONNREFUSED, C(CONNECTION_REFUSED)},
                               {ECONNRESET, C(CONNECTION_RESET)},
                               {ENETRESET, C(CONNECTION_RESET)},
                               {ECONNABORTED, C(CONNECTION_ABORTED)},
                               {ETIMEDOUT, C(TIMEOUT)},
                               {EHOSTUNREACH, C(REMOTE_UNREACHABLE)},
                               {EHOSTDOWN, C(REMOTE_UNREACHABLE)},
                               {ENETUNREACH, C(REMOTE_UNREACHABLE)},
                               {ENETDOWN, C(REMOTE_UNREACHABLE)},
                               {ENONET, C(REMOTE_UNREACHABLE)},
                               {EADDRINUSE, C(ADDRESS_IN_USE)},
                               {EADDRNOTAVAIL, C(ADDRESS_IN_USE)}, /* wit: no ephemeral port is left */
                               {EACCES, C(ACCESS_DENIED)},
                               {EPERM, C(ACCESS_DENIED)},
                               {ENOBUFS, C(OUT_OF_MEMORY)},
                               {EREMOTEIO, C(UNKNOWN)}};
    uint64_t l = tcp_socket(h); /* there is a listener, so that a late error comes from this test */
    bind_tcp(x, l);
    GOOD(h, tcp(start_listen), H(l));
    GOOD(h, tcp(finish_listen), H(l));
    GOOD(h, tcp(local_address), H(l));
    uint16_t port = h->result.variant.payload->variant.payload->list.ptr[0].u16;
    EACH(rows)
    for (int late = 0; late < 2; late++) { /* reported at once, or by the finish function */
        uint64_t s = tcp_socket(h);
        late_error = late ? r->err : 0;
        if (!late) fail_with("connect", r->err, 1);
        GOOD(h, tcp(start_connect), H(s), H(x->net), loopback(h, port));
        OK(h, tcp(subscribe), H(s));
        uint64_t p = rep(h);
        OK(h, ts_wasi_io_poll_pollable_block, H(p));
        BAD(h, r->code, tcp(finish_connect), H(s));
        late_error = 0;
        BAD(h, C(NOT_IN_PROGRESS), tcp(finish_connect), H(s));
        assert_int_equal(ts_wasi_io_poll_pollable_drop(&h->call, p), TS_OK);
        assert_int_equal(tcp(drop)(&h->call, s), TS_OK);
    }
    fail_with("connect", EINTR, 1); /* an interrupted connect continues by itself; here it was never begun */
    uint64_t s = tcp_socket(h);
    GOOD(h, tcp(start_connect), H(s), H(x->net), loopback(h, port));
    assert_int_equal(tcp(drop)(&h->call, s), TS_OK);
    static const row accepting[] = {{EMFILE, C(NEW_SOCKET_LIMIT)},         {ENFILE, C(NEW_SOCKET_LIMIT)},
                                    {ECONNABORTED, C(CONNECTION_ABORTED)}, {EAGAIN, C(WOULD_BLOCK)},
                                    {ENOBUFS, C(OUT_OF_MEMORY)},           {EPERM, C(ACCESS_DENIED)}};
    for (size_t i = 0; i < sizeof accepting / sizeof *accepting; i++) {
        fail_with("accept4", accepting[i].err, 1);
        BAD(h, accepting[i].code, tcp(accept), H(l));
        assert_int_equal(fault.struck, 1);
    }
}

/* A connection: the guest's socket and streams, and the peer's descriptor. */
static int pair(fixture *x, uint64_t *s, uint64_t *i, uint64_t *o) {
    host *h = x->h;
    uint64_t l = tcp_socket(h);
    bind_tcp(x, l);
    GOOD(h, tcp(start_listen), H(l));
    GOOD(h, tcp(finish_listen), H(l));
    GOOD(h, tcp(local_address), H(l));
    uint16_t port = h->result.variant.payload->variant.payload->list.ptr[0].u16;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int peer = __real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(__real_connect(peer, (struct sockaddr *)&to, sizeof to), 0);
    OK(h, tcp(subscribe), H(l));
    OK(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
    fail_with("accept4", EINTR, 2); /* again */
    GOOD(h, tcp(accept), H(l));
    assert_int_equal(fault.struck, 2);
    no_fault();
    const ts_val *three = h->result.variant.payload->list.ptr;
    *s = three[0].handle.rep, *i = three[1].handle.rep, *o = three[2].handle.rep;
    return peer;
}
static void error_is(host *h, uint32_t code) {
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, FAILED);
    OK(h, ts_wasi_sockets_network_network_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, code);
}
static void connected(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t s, i, o;
    static char bytes[4096], got[4096];
    for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (char)(k * 3);
    int peer = pair(x, &s, &i, &o);
    static const size_t pieces[] = {1000, 7};
    for (int k = 0; k < 2; k++) { /* short sends and receives */
        fault.most = pieces[k];
        GOOD(h, out(blocking_write_and_flush), H(o), BYTES(bytes, 4096));
        size_t have = 0;
        while (have < 4096) have += (size_t)__real_recvfrom(peer, got + have, 4096 - have, 0, NULL, NULL);
        assert_memory_equal(got, bytes, 4096);
        assert_int_equal(__real_send(peer, bytes, 4096, 0), 4096);
        for (have = 0; have < 4096; have += h->result.variant.payload->raw.len) {
            GOOD(h, in(blocking_read), H(i), U64(4096));
            assert_memory_equal(h->result.variant.payload->raw.ptr, bytes + have, h->result.variant.payload->raw.len);
        }
        assert_true(fault.struck > 0);
        no_fault();
    }
    fail_with("send", EINTR, 3);
    GOOD(h, out(blocking_write_and_flush), H(o), BYTES(bytes, 10));
    fail_with("send", EAGAIN, 3);
    GOOD(h, out(blocking_write_and_flush), H(o), BYTES(bytes, 10));
    fail_with("getpeername", ENOBUFS, 1);
    BAD(h, C(OUT_OF_MEMORY), tcp(remote_address), H(s));
    fail_with("getsockopt", EINVAL, 1);
    CALL(h, tcp(keep_alive_enabled), H(s));
    assert_int_equal(h->result.variant.disc, 1);
    close(peer);
    static const row rows[] = {{ECONNRESET, C(CONNECTION_RESET)},
                               {ETIMEDOUT, C(TIMEOUT)},
                               {EHOSTUNREACH, C(REMOTE_UNREACHABLE)},
                               {ENOBUFS, C(OUT_OF_MEMORY)},
                               {EREMOTEIO, C(UNKNOWN)}};
    EACH(rows)
    for (int how = 0; how < 3; how++) { /* reading; writing; writing what was pending */
        peer = pair(x, &s, &i, &o);
        assert_int_equal(__real_send(peer, "x", 1, 0), 1);
        if (how == 0) {
            OK(h, in(subscribe), H(i));
            OK(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
            fail_with("read", r->err, 1);
            CALL(h, in(read), H(i), U64(1));
            error_is(h, r->code);
            BAD(h, CLOSED, in(read), H(i), U64(1));
        } else {
            GOOD(h, out(check_write), H(o));
            if (how == 2) {
                fail_with("send", EAGAIN, 1);
                GOOD(h, out(write), H(o), BYTES(bytes, 10));
            }
            fail_with("send", r->err, 1);
            if (how == 1)
                CALL(h, out(write), H(o), BYTES(bytes, 10));
            else
                CALL(h, out(check_write), H(o));
            error_is(h, r->code);
            BAD(h, CLOSED, out(check_write), H(o));
        }
        assert_int_equal(fault.struck, 1);
        no_fault();
        close(peer);
    }
    peer = pair(x, &s, &i, &o);
    fail_with("send", EPIPE, 1); /* the peer no longer reads: closed */
    BAD(h, CLOSED, out(blocking_write_and_flush), H(o), BYTES(bytes, 1));
    /* the peer has reset the connection, so there is nothing left to shut down */
    fail_with("shutdown", ENOTCONN, 1);
    GOOD(h, tcp(shutdown), H(s), ENUM(2));
    close(peer);
}

static void datagrams(void **state) {
    fixture *x = *state;
    host *h = x->h;
    uint64_t u = udp_socket(h);
    bind_udp(x, u);
    GOOD(h, udp(local_address), H(u));
    uint16_t port = h->result.variant.payload->variant.payload->list.ptr[0].u16;
    ts_val address = loopback(h, port), some = {.variant = {.disc = 1, .payload = &address}};
    GOOD(h, udp(stream), H(u), ENUM(0));
    const ts_val *two = h->result.variant.payload->list.ptr;
    uint64_t i = two[0].handle.rep, o = two[1].handle.rep;
    ts_val fields[3][2], list[3];
    for (int k = 0; k < 3; k++) {
        fields[k][0] = BYTES("abc", 3);
        fields[k][1] = some;
        list[k] = (ts_val){.list = {fields[k], 2}};
    }
    const ts_val three = {.list = {list, 3}};
    static const row rows[] = {{EMSGSIZE, C(DATAGRAM_TOO_LARGE)},
                               {ECONNREFUSED, C(CONNECTION_REFUSED)},
                               {EHOSTUNREACH, C(REMOTE_UNREACHABLE)},
                               {ENETDOWN, C(REMOTE_UNREACHABLE)},
                               {EACCES, C(ACCESS_DENIED)},
                               {ENOBUFS, C(OUT_OF_MEMORY)}};
    EACH(rows) {
        GOOD(h, ts_wasi_sockets_udp_outgoing_datagram_stream_check_send, H(o));
        fail_with("sendto", r->err, 1);
        BAD(h, r->code, ts_wasi_sockets_udp_outgoing_datagram_stream_send, H(o), three);
        fail_with("recvfrom", r->err, 1);
        CALL(h, ts_wasi_sockets_udp_incoming_datagram_stream_receive, H(i), U64(1));
        assert_int_equal(h->result.variant.disc, 1);
        if (r->err != EMSGSIZE) assert_int_equal(h->result.variant.payload->variant.disc, r->code);
    }
    GOOD(h, ts_wasi_sockets_udp_outgoing_datagram_stream_check_send, H(o));
    fail_with("sendto", EINTR, 2);
    GOOD(h, ts_wasi_sockets_udp_outgoing_datagram_stream_send, H(o), three);
    assert_int_equal(h->result.variant.payload->u64, 3);
    assert_int_equal(fault.struck, 2);
    fail_with("sendto", EAGAIN, 1);
    GOOD(h, ts_wasi_sockets_udp_outgoing_datagram_stream_check_send, H(o));
    /* no datagram now, and no error */
    GOOD(h, ts_wasi_sockets_udp_outgoing_datagram_stream_send, H(o), three);
    assert_int_equal(h->result.variant.payload->u64, 0);
    OK(h, ts_wasi_sockets_udp_incoming_datagram_stream_subscribe, H(i));
    OK(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
    fail_with("recvfrom", EINTR, 2);
    GOOD(h, ts_wasi_sockets_udp_incoming_datagram_stream_receive, H(i), U64(10));
    assert_int_equal(h->result.variant.payload->list.len, 3);
    fail_with("recvfrom", EAGAIN, 1);
    GOOD(h, ts_wasi_sockets_udp_incoming_datagram_stream_receive, H(i), U64(10));
    assert_int_equal(h->result.variant.payload->list.len, 0);
    fail_with("connect", EADDRNOTAVAIL, 1);
    CALL(h, udp(stream), H(u), some);
    assert_int_equal(h->result.variant.disc, 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {T(creation), T(binding), T(connecting), T(connected), T(datagrams)};
    return cmocka_run_group_tests_name("wasi_faults_net", tests, NULL, NULL);
}
