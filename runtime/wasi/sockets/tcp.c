/* sockets/tcp: wasi:sockets/tcp and tcp-create-socket.
 * In: a socket and an operation. Out: its next state, streams, an error code. wit: wasi:sockets/tcp
 * start-bind and start-listen do the whole operation. start-connect only starts it in the OS; an immediate
 * error is kept for finish-connect. */
#include "wasi/sockets/sockets.h"

/* wit: "The socket can be in one of the following states" */
typedef enum tcp_state {
    UNBOUND,
    BIND_IN_PROGRESS,
    BOUND,
    LISTEN_IN_PROGRESS,
    LISTENING,
    CONNECT_IN_PROGRESS,
    CONNECTED,
    CLOSED,
} tcp_state;

enum { BACKLOG = 128 };

typedef struct tcp {
    ts_wasi_obj obj;
    ts_wasi_file *file;
    bool v6;
    tcp_state state;
    uint32_t backlog;
    int failed; /* the immediate error of connect */
} tcp;

static bool tcp_ready(ts_wasi_obj *o, ts_sys_wait *wait) {
    const tcp *t = (const tcp *)o;
    bool connecting = t->state == CONNECT_IN_PROGRESS && t->failed == TS_NET_OK;
    if (!connecting && t->state != LISTENING) return true;
    *wait = (ts_sys_wait){.fd = t->file->fd, .out = connecting};
    return false;
}
static void tcp_end(ts_wasi *w, ts_wasi_obj *o) {
    (void)w;
    ts_wasi_file_release(((tcp *)o)->file);
}

static ts_status tcp_new(ts_host_call *c, int fd, bool v6, tcp **out) {
    ts_wasi_file *file;
    TS_TRY(ts_wasi_file_new(c, fd, true, TS_SYS_SOCKET, &file));
    ts_status s = ts_wasi_obj_new(c, TS_WASI_TCP, sizeof **out, NULL, out);
    if (s != TS_OK) {
        ts_wasi_file_release(file);
        return s;
    }
    (*out)->obj.end = tcp_end;
    (*out)->obj.ready = tcp_ready;
    (*out)->file = file;
    (*out)->v6 = v6;
    (*out)->backlog = BACKLOG;
    (*out)->failed = TS_NET_OK;
    return TS_OK;
}

static tcp *self(ts_host_call *c, const ts_val *args) {
    return ts_wasi_obj_of(c, &args[0]);
}
static bool in_progress(const tcp *t) {
    return t->state == BIND_IN_PROGRESS || t->state == LISTEN_IN_PROGRESS || t->state == CONNECT_IN_PROGRESS;
}
/* The error of a start-… in the wrong state:
 * another operation is in progress, or it is never possible again. */
static int misplaced(const tcp *t) {
    return in_progress(t) ? TS_NET(CONCURRENCY_CONFLICT) : TS_NET(INVALID_STATE);
}

ts_status ts_wasi_sockets_tcp_create_socket_create_tcp_socket(ts_host_call *c, const ts_val *args, ts_val *result) {
    bool v6 = args[0].variant.disc == TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV6;
    int fd;
    tcp *t;
    ts_val *v;
    if (ts_wasi_of(c)->grants->no_tcp) return ts_wasi_net_denied(c, result);
    ts_sys_err e = ts_wasi_may_open(ts_wasi_of(c));
    if (!e) e = ts_sys_socket(v6, false, &fd);
    if (e == TS_SYS_EAFNOSUPPORT) return ts_wasi_net_fail(c, result, TS_NET(NOT_SUPPORTED));
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    TS_TRY(tcp_new(c, fd, v6, &t));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(t)}};
    return TS_OK;
}

/* --- bind --- */
ts_status ts_wasi_sockets_tcp_tcp_socket_start_bind(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    ts_sys_addr a = ts_wasi_net_addr(&args[2]);
    if (t->state != UNBOUND) return ts_wasi_net_fail(c, result, misplaced(t));
    if (a.v6 != t->v6 || !ts_sys_addr_is_unicast(&a) || ts_sys_addr_is_mapped(&a))
        return ts_wasi_net_fail(c, result, TS_NET(INVALID_ARGUMENT));
    if (!ts_wasi_net_may(ts_wasi_of(c), TS_WASI_TCP_LISTEN, &a)) return ts_wasi_net_denied(c, result);
    /* wit: "SO_REUSEADDR socket option should be set implicitly" for a port that is given */
    ts_sys_err e = ts_sys_bind(t->file->fd, &a, a.port != 0);
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    t->state = BIND_IN_PROGRESS;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_finish_bind(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    if (t->state != BIND_IN_PROGRESS) return ts_wasi_net_fail(c, result, TS_NET(NOT_IN_PROGRESS));
    t->state = BOUND;
    return ts_wasi_ok(result);
}

/* --- connect --- */
static int connect_code(ts_sys_err e) {
    switch (e) {
    case TS_SYS_EADDRNOTAVAIL: return TS_NET(ADDRESS_IN_USE); /* Linux: no ephemeral port is left */
    case TS_SYS_EPIPE: return TS_NET(CONNECTION_RESET);
    default: return ts_wasi_net_code(e);
    }
}
ts_status ts_wasi_sockets_tcp_tcp_socket_start_connect(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    ts_sys_addr a = ts_wasi_net_addr(&args[2]);
    if (t->state != UNBOUND && t->state != BOUND) return ts_wasi_net_fail(c, result, misplaced(t));
    if (a.v6 != t->v6 || !ts_sys_addr_is_unicast(&a) || ts_sys_addr_is_mapped(&a) || ts_sys_addr_is_any(&a) || !a.port)
        return ts_wasi_net_fail(c, result, TS_NET(INVALID_ARGUMENT));
    if (!ts_wasi_net_may(ts_wasi_of(c), TS_WASI_TCP_CONNECT, &a)) return ts_wasi_net_denied(c, result);
    ts_sys_err e = ts_sys_connect(t->file->fd, &a);
    t->failed = e == TS_SYS_EINPROGRESS ? TS_NET_OK : connect_code(e);
    t->state = CONNECT_IN_PROGRESS;
    return ts_wasi_ok(result);
}

/* Makes both streams of a connection. */
static ts_status streams(ts_host_call *c, tcp *t, ts_val *in, ts_val *out) {
    ts_wasi_stream *s;
    TS_TRY(ts_wasi_stream_new(c, TS_WASI_IN, t->file, TS_WASI_WAIT, TS_WASI_OF_NETWORK, 0, NULL, &s));
    *in = (ts_val){.handle = {.rep = ts_wasi_rep(s)}};
    TS_TRY(ts_wasi_stream_new(c, TS_WASI_OUT, t->file, TS_WASI_WAIT, TS_WASI_OF_NETWORK, 0, NULL, &s));
    *out = (ts_val){.handle = {.rep = ts_wasi_rep(s)}};
    return TS_OK;
}

ts_status ts_wasi_sockets_tcp_tcp_socket_finish_connect(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    if (t->state != CONNECT_IN_PROGRESS) return ts_wasi_net_fail(c, result, TS_NET(NOT_IN_PROGRESS));
    if (t->failed == TS_NET_OK) {
        if (!ts_sys_ready(t->file->fd, true)) return ts_wasi_net_fail(c, result, TS_NET(WOULD_BLOCK));
        t->failed = connect_code(ts_sys_socket_error(t->file->fd));
    }
    if (t->failed != TS_NET_OK) {
        t->state = CLOSED;
        return ts_wasi_net_fail(c, result, t->failed);
    }
    ts_val *v, *pair = ts_host_vals(c, 2);
    if (!pair) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(streams(c, t, &pair[0], &pair[1]));
    *v = (ts_val){.list = {pair, 2}};
    t->state = CONNECTED;
    return TS_OK;
}

/* --- listen, accept --- */
ts_status ts_wasi_sockets_tcp_tcp_socket_start_listen(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    if (t->state != BOUND) return ts_wasi_net_fail(c, result, misplaced(t));
    ts_sys_err e = ts_sys_listen(t->file->fd, t->backlog);
    if (e)
        return ts_wasi_net_fail(
            c, result, e == TS_SYS_EINVAL || e == TS_SYS_EDESTADDRREQ ? TS_NET(INVALID_STATE) : ts_wasi_net_code(e));
    t->state = LISTEN_IN_PROGRESS;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_finish_listen(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    if (t->state != LISTEN_IN_PROGRESS) return ts_wasi_net_fail(c, result, TS_NET(NOT_IN_PROGRESS));
    t->state = LISTENING;
    return ts_wasi_ok(result);
}

static ts_sys_err inherit(int from, int to, bool v6) {
#ifdef __linux__
    (void)from, (void)to, (void)v6; /* the kernel copies the options: tcp(7), socket(7) */
#else
    static const ts_sys_sockopt all[] = {TS_SYS_KEEPALIVE,  TS_SYS_KEEP_IDLE, TS_SYS_KEEP_INTERVAL,
                                         TS_SYS_KEEP_COUNT, TS_SYS_HOP_LIMIT, TS_SYS_RECEIVE_BUFFER,
                                         TS_SYS_SEND_BUFFER};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        uint64_t v;
        ts_sys_err e = ts_sys_get_option(from, v6, all[i], &v);
        if (e == TS_SYS_OK) e = ts_sys_set_option(to, v6, all[i], v);
        if (e) return e;
    }
#endif
    return TS_SYS_OK;
}

ts_status ts_wasi_sockets_tcp_tcp_socket_accept(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args), *made;
    int fd;
    if (t->state != LISTENING) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_sys_err e = ts_wasi_may_open(ts_wasi_of(c));
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    while ((e = ts_sys_accept(t->file->fd, &fd)) == TS_SYS_EINTR) TS_TRY(ts_wasi_interrupted(c));
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    e = inherit(t->file->fd, fd, t->v6);
    if (e) {
        ts_sys_close(fd);
        return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    }
    TS_TRY(tcp_new(c, fd, t->v6, &made));
    made->state = CONNECTED;
    ts_val *v, *three = ts_host_vals(c, 3);
    if (!three) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    three[0] = (ts_val){.handle = {.rep = ts_wasi_rep(made)}};
    TS_TRY(streams(c, made, &three[1], &three[2]));
    *v = (ts_val){.list = {three, 3}};
    return TS_OK;
}

/* --- addresses and state --- */
static ts_status address(ts_host_call *c, ts_sys_err e, const ts_sys_addr *a, ts_val *result) {
    ts_val *v;
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    return ts_wasi_net_addr_val(c, a, v);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_local_address(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    ts_sys_addr a;
    /* wit: "bound" is "in the bound state or higher" */
    if (t->state == UNBOUND || t->state == BIND_IN_PROGRESS || t->state == CLOSED)
        return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_sys_err e = ts_sys_local(t->file->fd, &a);
    return address(c, e, &a, result);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_remote_address(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    ts_sys_addr a;
    if (t->state != CONNECTED) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_sys_err e = ts_sys_remote(t->file->fd, &a);
    return address(c, e, &a, result);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_is_listening(ts_host_call *c, const ts_val *args, ts_val *result) {
    *result = (ts_val){.b = self(c, args)->state == LISTENING};
    return TS_OK;
}
ts_status ts_wasi_sockets_tcp_tcp_socket_address_family(ts_host_call *c, const ts_val *args, ts_val *result) {
    *result = (ts_val){.variant = {.disc = self(c, args)->v6 ? TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV6
                                                             : TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV4}};
    return TS_OK;
}
ts_status ts_wasi_sockets_tcp_tcp_socket_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_sockets_tcp_tcp_socket_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a tcp-socket");
}

/* --- options --- */
ts_status ts_wasi_sockets_tcp_tcp_socket_set_listen_backlog_size(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    uint64_t n = args[1].u64;
    if (n == 0) return ts_wasi_net_fail(c, result, TS_NET(INVALID_ARGUMENT));
    if (t->state == CONNECT_IN_PROGRESS || t->state == CONNECTED || t->state == CLOSED)
        return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    t->backlog = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    if (t->state != LISTENING && t->state != LISTEN_IN_PROGRESS) return ts_wasi_ok(result);
    return ts_wasi_net_done(c, result, ts_sys_listen(t->file->fd, t->backlog) ? TS_NET(NOT_SUPPORTED) : TS_NET_OK);
}

static ts_status get(ts_host_call *c, const ts_val *args, ts_sys_sockopt o, ts_val *result) {
    tcp *t = self(c, args);
    return ts_wasi_net_get(c, t->file->fd, t->v6, o, result);
}
static ts_status set(ts_host_call *c, const ts_val *args, ts_sys_sockopt o, uint64_t value, ts_val *result) {
    tcp *t = self(c, args);
    return ts_wasi_net_set(c, t->file->fd, t->v6, o, value, result);
}
/* The getter and the setter of one option. */
#define OPTION(name, option, field)                                                                                    \
    ts_status ts_wasi_sockets_tcp_tcp_socket_##name(ts_host_call *c, const ts_val *args, ts_val *result) {             \
        return get(c, args, option, result);                                                                           \
    }                                                                                                                  \
    ts_status ts_wasi_sockets_tcp_tcp_socket_set_##name(ts_host_call *c, const ts_val *args, ts_val *result) {         \
        return set(c, args, option, args[1].field, result);                                                            \
    }
OPTION(keep_alive_enabled, TS_SYS_KEEPALIVE, b)
OPTION(keep_alive_idle_time, TS_SYS_KEEP_IDLE, u64)
OPTION(keep_alive_interval, TS_SYS_KEEP_INTERVAL, u64)
OPTION(keep_alive_count, TS_SYS_KEEP_COUNT, u32)
OPTION(hop_limit, TS_SYS_HOP_LIMIT, u8)
OPTION(receive_buffer_size, TS_SYS_RECEIVE_BUFFER, u64)
OPTION(send_buffer_size, TS_SYS_SEND_BUFFER, u64)

/* --- shutdown --- */
/* Sends the bytes that the output stream has accepted before the connection is shut down. If the peer does
 * not read for TS_WASI_LINGER_NS, the rest is lost. */
static ts_status settle(ts_host_call *c, const tcp *t) {
    uint64_t end = ts_sys_monotonic() + TS_WASI_LINGER_NS;
    for (ts_wasi_obj *o = ts_wasi_of(c)->objects; o; o = o->next) {
        ts_wasi_stream *s = (ts_wasi_stream *)o;
        if (o->kind != TS_WASI_OUT || s->file != t->file) continue;
        while (s->pending_len && !s->closed && !ts_wasi_stream_drain(s) && ts_sys_monotonic() < end) {
            ts_sys_wait wait = {.fd = t->file->fd, .out = true};
            ts_sys_err e = ts_wasi_poll(c, &wait, 1, end);
            if (e == TS_SYS_EINTR) TS_TRY(ts_wasi_interrupted(c));
        }
    }
    return TS_OK;
}

ts_status ts_wasi_sockets_tcp_tcp_socket_shutdown(ts_host_call *c, const ts_val *args, ts_val *result) {
    tcp *t = self(c, args);
    uint32_t how = args[1].variant.disc;
    if (t->state != CONNECTED) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    bool in = how != TS_WASI_SOCKETS_SHUTDOWN_TYPE_SEND && !t->file->in_shut;
    bool out = how != TS_WASI_SOCKETS_SHUTDOWN_TYPE_RECEIVE && !t->file->out_shut;
    if (!in && !out) return ts_wasi_ok(result); /* wit: "idempotent" */
    if (out) TS_TRY(settle(c, t));
    ts_sys_err e = ts_sys_shutdown(t->file->fd, in, out);
    /* If the peer has reset the connection, the state is still `connected`,
     * but there is nothing left to shut down. */
    if (e == TS_SYS_ENOTCONN) e = TS_SYS_OK;
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    t->file->in_shut |= in;
    t->file->out_shut |= out;
    return ts_wasi_ok(result);
}
