/* sockets/udp: wasi:sockets/udp and udp-create-socket.
 * In: a socket, datagrams. Out: datagrams, counts, permits, an error code. wit: wasi:sockets/udp
 * The socket and its streams share its file; only the newest pair of streams works. */
#include "wasi/sockets/sockets.h"
#include <stdlib.h>
#include <string.h>

enum {
    PERMIT = 64,      /* datagrams that check-send grants */
    RECEIVE_MAX = 64, /* datagrams of one receive */
    RECEIVE_BYTES = 1 << 20,
};

typedef struct shared { /* shared by the socket and its streams */
    uint32_t refs;
    int fd;
    bool v6, connected;
    ts_sys_addr remote;
    uint64_t generation; /* of the streams */
} shared;

typedef struct udp { /* udp-socket */
    ts_wasi_obj obj;
    shared *s;
    enum { UNBOUND, BIND_IN_PROGRESS, BOUND } state;
} udp;

typedef struct side { /* incoming-datagram-stream, outgoing-datagram-stream */
    ts_wasi_obj obj;
    shared *s;
    uint64_t generation;
    uint64_t permit;  /* out */
    bool full;        /* out: the OS had no room for the last datagram */
    ts_sys_err later; /* in: an error after received datagrams; it is reported by the next call */
} side;

static void release(ts_wasi *w, shared *s) {
    if (--s->refs) return;
    w->n_files--;
    ts_sys_close(s->fd);
    free(s);
}
static void udp_end(ts_wasi *w, ts_wasi_obj *o) {
    release(w, ((udp *)o)->s);
}
static bool udp_ready(ts_wasi_obj *o, ts_sys_wait *wait) {
    (void)o, (void)wait; /* bind completes at once */
    return true;
}
static void side_end(ts_wasi *w, ts_wasi_obj *o) {
    release(w, ((side *)o)->s);
}
static bool stale(const side *d) {
    return d->generation != d->s->generation;
}
static bool side_ready(ts_wasi_obj *o, ts_sys_wait *wait) {
    const side *d = (const side *)o;
    if (stale(d) || d->later) return true;
    *wait = (ts_sys_wait){.fd = d->s->fd, .out = o->kind == TS_WASI_UDP_OUT};
    return false;
}

static udp *self(ts_host_call *c, const ts_val *args) {
    return ts_wasi_obj_of(c, &args[0]);
}

ts_status ts_wasi_sockets_udp_create_socket_create_udp_socket(ts_host_call *c, const ts_val *args, ts_val *result) {
    bool v6 = args[0].variant.disc == TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV6;
    int fd;
    udp *u;
    ts_val *v;
    if (ts_wasi_of(c)->grants->no_udp) return ts_wasi_net_denied(c, result);
    ts_sys_err e = ts_wasi_may_open(ts_wasi_of(c));
    if (!e) e = ts_sys_socket(v6, true, &fd);
    if (e == TS_SYS_EAFNOSUPPORT) return ts_wasi_net_fail(c, result, TS_NET(NOT_SUPPORTED));
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    shared *s = calloc(1, sizeof *s);
    ts_status r = s ? ts_wasi_obj_new(c, TS_WASI_UDP, sizeof *u, NULL, &u) : ts_fail_nomem(c->err);
    if (r != TS_OK) {
        ts_sys_close(fd);
        free(s);
        return r;
    }
    *s = (shared){.refs = 1, .fd = fd, .v6 = v6};
    ts_wasi_of(c)->n_files++;
    u->obj.end = udp_end;
    u->obj.ready = udp_ready;
    u->s = s;
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(u)}};
    return TS_OK;
}

/* --- bind, stream --- */
ts_status ts_wasi_sockets_udp_udp_socket_start_bind(ts_host_call *c, const ts_val *args, ts_val *result) {
    udp *u = self(c, args);
    ts_sys_addr a = ts_wasi_net_addr(&args[2]);
    if (u->state != UNBOUND)
        return ts_wasi_net_fail(c, result, u->state == BOUND ? TS_NET(INVALID_STATE) : TS_NET(CONCURRENCY_CONFLICT));
    /* IPv6 sockets are never dual-stack: a mapped address belongs to the other family */
    if (a.v6 != u->s->v6 || ts_sys_addr_is_mapped(&a)) return ts_wasi_net_fail(c, result, TS_NET(INVALID_ARGUMENT));
    if (!ts_wasi_net_may(ts_wasi_of(c), TS_WASI_UDP_BIND, &a)) return ts_wasi_net_denied(c, result);
    ts_sys_err e = ts_sys_bind(u->s->fd, &a, false);
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    u->state = BIND_IN_PROGRESS;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_sockets_udp_udp_socket_finish_bind(ts_host_call *c, const ts_val *args, ts_val *result) {
    udp *u = self(c, args);
    if (u->state != BIND_IN_PROGRESS) return ts_wasi_net_fail(c, result, TS_NET(NOT_IN_PROGRESS));
    u->state = BOUND;
    return ts_wasi_ok(result);
}

/* Checks a destination of datagrams: TS_NET_OK or invalid-argument. */
static int destination(const shared *s, const ts_sys_addr *a) {
    return a->v6 == s->v6 && !ts_sys_addr_is_any(a) && a->port && !ts_sys_addr_is_mapped(a) ? TS_NET_OK
                                                                                            : TS_NET(INVALID_ARGUMENT);
}
static int udp_code(ts_sys_err e) {
    switch (e) {
    case TS_SYS_ECONNRESET: return TS_NET(REMOTE_UNREACHABLE);
    case TS_SYS_EADDRNOTAVAIL: return TS_NET(ADDRESS_IN_USE); /* Linux: no ephemeral port is left */
    case TS_SYS_EISCONN: return TS_NET(INVALID_ARGUMENT);
    default: return ts_wasi_net_code(e);
    }
}

/* Disconnects the socket. The kernel may then release a port that it had chosen;
 * the socket keeps its address. */
static ts_sys_err disconnect(shared *s) {
    ts_sys_addr before, after;
    ts_sys_err e = ts_sys_local(s->fd, &before);
    if (e == TS_SYS_OK) e = ts_sys_connect(s->fd, NULL);
    if (e == TS_SYS_OK) s->connected = false;
    if (e == TS_SYS_OK) e = ts_sys_local(s->fd, &after);
    if (e == TS_SYS_OK && after.port != before.port) {
        after.port = before.port;
        e = ts_sys_bind(s->fd, &after, false);
    }
    return e;
}

static ts_status side_new(ts_host_call *c, ts_wasi_kind kind, shared *s, ts_val *out) {
    side *d;
    TS_TRY(ts_wasi_obj_new(c, kind, sizeof *d, NULL, &d));
    d->obj.end = side_end;
    d->obj.ready = side_ready;
    d->s = s;
    d->generation = s->generation;
    s->refs++;
    *out = (ts_val){.handle = {.rep = ts_wasi_rep(d)}};
    return TS_OK;
}

ts_status ts_wasi_sockets_udp_udp_socket_stream(ts_host_call *c, const ts_val *args, ts_val *result) {
    udp *u = self(c, args);
    shared *s = u->s;
    if (u->state != BOUND) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_sys_err e = TS_SYS_OK;
    if (args[1].variant.disc) {
        ts_sys_addr a = ts_wasi_net_addr(args[1].variant.payload);
        int code = destination(s, &a);
        if (code != TS_NET_OK) return ts_wasi_net_fail(c, result, code);
        if (!ts_wasi_net_may(ts_wasi_of(c), TS_WASI_UDP_PEER, &a)) return ts_wasi_net_denied(c, result);
        if (s->connected) e = disconnect(s);
        if (e == TS_SYS_OK) e = ts_sys_connect(s->fd, &a);
        if (e == TS_SYS_OK) {
            s->connected = true;
            s->remote = a;
        }
    } else if (s->connected) {
        e = disconnect(s);
    }
    if (e) return ts_wasi_net_fail(c, result, udp_code(e));
    s->generation++;
    ts_val *v, *pair = ts_host_vals(c, 2);
    if (!pair) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(side_new(c, TS_WASI_UDP_IN, s, &pair[0]));
    TS_TRY(side_new(c, TS_WASI_UDP_OUT, s, &pair[1]));
    *v = (ts_val){.list = {pair, 2}};
    return TS_OK;
}

/* --- addresses, options --- */
ts_status ts_wasi_sockets_udp_udp_socket_local_address(ts_host_call *c, const ts_val *args, ts_val *result) {
    udp *u = self(c, args);
    ts_sys_addr a;
    ts_val *v;
    if (u->state != BOUND) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_sys_err e = ts_sys_local(u->s->fd, &a);
    if (e) return ts_wasi_net_fail(c, result, udp_code(e));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    return ts_wasi_net_addr_val(c, &a, v);
}
ts_status ts_wasi_sockets_udp_udp_socket_remote_address(ts_host_call *c, const ts_val *args, ts_val *result) {
    udp *u = self(c, args);
    ts_val *v;
    if (!u->s->connected) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    return ts_wasi_net_addr_val(c, &u->s->remote, v);
}
ts_status ts_wasi_sockets_udp_udp_socket_address_family(ts_host_call *c, const ts_val *args, ts_val *result) {
    *result = (ts_val){.variant = {.disc = self(c, args)->s->v6 ? TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV6
                                                                : TS_WASI_SOCKETS_IP_ADDRESS_FAMILY_IPV4}};
    return TS_OK;
}
/* The getter and the setter of one option. */
#define OPTION(name, option, field)                                                                                    \
    ts_status ts_wasi_sockets_udp_udp_socket_##name(ts_host_call *c, const ts_val *args, ts_val *result) {             \
        return ts_wasi_net_get(c, self(c, args)->s->fd, self(c, args)->s->v6, option, result);                         \
    }                                                                                                                  \
    ts_status ts_wasi_sockets_udp_udp_socket_set_##name(ts_host_call *c, const ts_val *args, ts_val *result) {         \
        return ts_wasi_net_set(c, self(c, args)->s->fd, self(c, args)->s->v6, option, args[1].field, result);          \
    }
OPTION(unicast_hop_limit, TS_SYS_HOP_LIMIT, u8)
OPTION(receive_buffer_size, TS_SYS_RECEIVE_BUFFER, u64)
OPTION(send_buffer_size, TS_SYS_SEND_BUFFER, u64)

ts_status ts_wasi_sockets_udp_udp_socket_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_sockets_udp_udp_socket_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a udp-socket");
}

/* --- receiving --- */
ts_status ts_wasi_sockets_udp_incoming_datagram_stream_receive(ts_host_call *c, const ts_val *args, ts_val *result) {
    side *d = ts_wasi_obj_of(c, &args[0]);
    size_t max = args[1].u64 < RECEIVE_MAX ? (size_t)args[1].u64 : RECEIVE_MAX, n = 0, bytes = 0;
    uint8_t *buf;
    ts_val *v;
    if (stale(d)) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    ts_val *all = ts_host_vals(c, max * (1 + TS_WASI_SOCKETS_INCOMING_DATAGRAM_FIELDS_));
    if (max && !all) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_chunk(c, &buf));
    ts_sys_err e = TS_SYS_OK;
    if (max) {
        e = d->later;
        d->later = TS_SYS_OK;
    }
    while (e == TS_SYS_OK && n < max && bytes < RECEIVE_BYTES) {
        size_t len;
        ts_sys_addr from;
        e = ts_sys_receive_from(d->s->fd, buf, TS_WASI_CHUNK, &len, &from);
        if (e == TS_SYS_EINTR) {
            TS_TRY(ts_wasi_interrupted(c));
            e = TS_SYS_OK;
            continue;
        }
        if (e) break;
        /* datagrams that arrived before the connect may be from other peers */
        if (d->s->connected && !ts_sys_addr_same(&from, &d->s->remote)) continue;
        ts_val *f = all + max + n * TS_WASI_SOCKETS_INCOMING_DATAGRAM_FIELDS_;
        uint8_t *copy = ts_arena_alloc(c->arena, len);
        if (len && !copy) return ts_fail_nomem(c->err);
        if (len) memcpy(copy, buf, len);
        f[TS_WASI_SOCKETS_INCOMING_DATAGRAM_DATA_I] = (ts_val){.raw = {copy, len}};
        TS_TRY(ts_wasi_net_addr_val(c, &from, &f[TS_WASI_SOCKETS_INCOMING_DATAGRAM_REMOTE_ADDRESS_I]));
        all[n++] = (ts_val){.list = {f, TS_WASI_SOCKETS_INCOMING_DATAGRAM_FIELDS_}};
        bytes += len;
    }
    if (e == TS_SYS_EAGAIN) e = TS_SYS_OK;
    if (e && n) {
        d->later = e;
        e = TS_SYS_OK;
    }
    if (e) return ts_wasi_net_fail(c, result, udp_code(e));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.list = {all, n}};
    return TS_OK;
}
ts_status ts_wasi_sockets_udp_incoming_datagram_stream_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_sockets_udp_incoming_datagram_stream_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an incoming-datagram-stream");
}

/* --- sending --- */
ts_status ts_wasi_sockets_udp_outgoing_datagram_stream_check_send(ts_host_call *c, const ts_val *args, ts_val *result) {
    side *d = ts_wasi_obj_of(c, &args[0]);
    ts_val *v;
    if (stale(d)) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    d->full = d->full && !ts_sys_ready(d->s->fd, true);
    d->permit = d->full ? 0 : PERMIT;
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.u64 = d->permit};
    return TS_OK;
}

/* Sends one datagram. Returns TS_NET_OK or the error code of the WIT text (would-block: not now). */
static int send_one(ts_host_call *c, const shared *s, const ts_val *datagram, bool *denied) {
    const ts_val *f = datagram->list.ptr, *data = &f[TS_WASI_SOCKETS_OUTGOING_DATAGRAM_DATA_I],
                 *to = &f[TS_WASI_SOCKETS_OUTGOING_DATAGRAM_REMOTE_ADDRESS_I];
    ts_sys_addr a = s->remote;
    if (to->variant.disc) {
        a = ts_wasi_net_addr(to->variant.payload);
        int code = destination(s, &a);
        if (code != TS_NET_OK) return code;
        if (s->connected && !ts_sys_addr_same(&a, &s->remote)) return TS_NET(INVALID_ARGUMENT);
    } else if (!s->connected) {
        return TS_NET(INVALID_ARGUMENT);
    }
    if (!s->connected && !ts_wasi_net_may(ts_wasi_of(c), TS_WASI_UDP_PEER, &a)) {
        *denied = true;
        return TS_NET(ACCESS_DENIED);
    }
    ts_sys_err e;
    do e = ts_sys_send_to(s->fd, data->raw.ptr, data->raw.len, s->connected ? NULL : &a);
    while (e == TS_SYS_EINTR && !ts_wasi_of(c)->stop);
    return udp_code(e);
}

ts_status ts_wasi_sockets_udp_outgoing_datagram_stream_send(ts_host_call *c, const ts_val *args, ts_val *result) {
    side *d = ts_wasi_obj_of(c, &args[0]);
    size_t n = args[1].list.len, sent = 0;
    int code = TS_NET_OK;
    bool denied = false;
    ts_val *v;
    if (stale(d)) return ts_wasi_net_fail(c, result, TS_NET(INVALID_STATE));
    if (n) {
        if (n > d->permit)
            return ts_host_trap(c, "send of %zu datagrams where check-send has permitted %llu", n,
                                (unsigned long long)d->permit);
        d->permit -= n;
    }
    while (sent < n && (code = send_one(c, d->s, &args[1].list.ptr[sent], &denied)) == TS_NET_OK) sent++;
    d->full = code == (int)TS_NET(WOULD_BLOCK);
    if (code != TS_NET_OK && !d->full && sent == 0) {
        c->denied = denied;
        return ts_wasi_net_fail(c, result, code);
    }
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.u64 = sent};
    return TS_OK;
}
ts_status ts_wasi_sockets_udp_outgoing_datagram_stream_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_sockets_udp_outgoing_datagram_stream_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an outgoing-datagram-stream");
}
