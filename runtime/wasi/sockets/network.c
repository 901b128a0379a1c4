/* sockets/network: wasi:sockets/network and instance-network: errors, addresses, the granted parts of the
 * network.
 * In: errors of the OS, rules. Out: error codes, yes or no. wit: wasi:sockets/network, instance-network */
#include "wasi/sockets/sockets.h"
#include <stdlib.h>
#include <string.h>

/* --- errors ---
 * A meaning that an error has only in one function is handled there. */
int ts_wasi_net_code(ts_sys_err e) {
    switch (e) {
    case TS_SYS_OK: return TS_NET_OK;
    case TS_SYS_EACCES:
    case TS_SYS_EPERM: return TS_NET(ACCESS_DENIED);
    case TS_SYS_ENOTSUP:
    case TS_SYS_EPROTONOSUPPORT: return TS_NET(NOT_SUPPORTED);
    case TS_SYS_EINVAL:
    case TS_SYS_EAFNOSUPPORT:
    case TS_SYS_EDESTADDRREQ: return TS_NET(INVALID_ARGUMENT);
    case TS_SYS_ENOMEM:
    case TS_SYS_ENOBUFS: return TS_NET(OUT_OF_MEMORY);
    case TS_SYS_ETIMEDOUT: return TS_NET(TIMEOUT);
    case TS_SYS_EALREADY: return TS_NET(CONCURRENCY_CONFLICT);
    case TS_SYS_EAGAIN:
    case TS_SYS_EINPROGRESS: return TS_NET(WOULD_BLOCK);
    case TS_SYS_EISCONN:
    case TS_SYS_ENOTCONN: return TS_NET(INVALID_STATE);
    case TS_SYS_EMFILE:
    case TS_SYS_ENFILE: return TS_NET(NEW_SOCKET_LIMIT);
    case TS_SYS_EADDRNOTAVAIL: return TS_NET(ADDRESS_NOT_BINDABLE);
    case TS_SYS_EADDRINUSE: return TS_NET(ADDRESS_IN_USE);
    case TS_SYS_EHOSTUNREACH:
    case TS_SYS_ENETUNREACH:
    case TS_SYS_ENETDOWN: return TS_NET(REMOTE_UNREACHABLE);
    case TS_SYS_ECONNREFUSED: return TS_NET(CONNECTION_REFUSED);
    case TS_SYS_ECONNRESET: return TS_NET(CONNECTION_RESET);
    case TS_SYS_EPIPE:
    case TS_SYS_ECONNABORTED: return TS_NET(CONNECTION_ABORTED);
    case TS_SYS_EMSGSIZE: return TS_NET(DATAGRAM_TOO_LARGE);
    default: return TS_NET(UNKNOWN);
    }
}
ts_status ts_wasi_net_fail(ts_host_call *c, ts_val *result, int code) {
    return ts_wasi_err_enum(c, result, (uint32_t)code);
}
ts_status ts_wasi_net_done(ts_host_call *c, ts_val *result, int code) {
    return code == TS_NET_OK ? ts_wasi_ok(result) : ts_wasi_net_fail(c, result, code);
}
ts_status ts_wasi_net_denied(ts_host_call *c, ts_val *result) {
    c->denied = true;
    return ts_wasi_net_fail(c, result, TS_NET(ACCESS_DENIED));
}

ts_status ts_wasi_sockets_network_network_error_code(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_wasi_error *e = ts_wasi_obj_of(c, &args[0]);
    *result = (ts_val){.variant = {.disc = 0}};
    if (e->domain != TS_WASI_OF_NETWORK) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = (ts_val){.variant = {.disc = (uint32_t)ts_wasi_net_code(e->code)}};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}

/* --- the network ---
 * There is only one network; all handles to it are equivalent. */
ts_status ts_wasi_sockets_instance_network_instance_network(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    ts_wasi_obj *o;
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_NETWORK, sizeof *o, NULL, &o));
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(o)}};
    return TS_OK;
}
ts_status ts_wasi_sockets_network_network_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a network");
}

/* --- addresses --- */
ts_sys_addr ts_wasi_net_addr(const ts_val *v) {
    ts_sys_addr a = {.v6 = v->variant.disc == TS_WASI_SOCKETS_IP_SOCKET_ADDRESS_IPV6};
    const ts_val *f = v->variant.payload->list.ptr;
    if (!a.v6) {
        a.port = f[TS_WASI_SOCKETS_IPV4_SOCKET_ADDRESS_PORT_I].u16;
        const ts_val *ip = f[TS_WASI_SOCKETS_IPV4_SOCKET_ADDRESS_ADDRESS_I].list.ptr;
        for (int i = 0; i < 4; i++) a.ip[i] = ip[i].u8;
        return a;
    }
    a.port = f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_PORT_I].u16;
    a.flow = f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_FLOW_INFO_I].u32;
    a.scope = f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_SCOPE_ID_I].u32;
    const ts_val *ip = f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_ADDRESS_I].list.ptr;
    for (int i = 0; i < 8; i++) {
        a.ip[2 * i] = (uint8_t)(ip[i].u16 >> 8);
        a.ip[2 * i + 1] = (uint8_t)ip[i].u16;
    }
    return a;
}

static ts_status tuple(ts_host_call *c, const ts_sys_addr *a, ts_val *out) {
    size_t n = a->v6 ? 8 : 4;
    ts_val *v = ts_host_vals(c, n);
    if (!v) return ts_fail_nomem(c->err);
    for (size_t i = 0; i < n; i++)
        v[i] = a->v6 ? (ts_val){.u16 = (uint16_t)(a->ip[2 * i] << 8 | a->ip[2 * i + 1])} : (ts_val){.u8 = a->ip[i]};
    *out = (ts_val){.list = {v, n}};
    return TS_OK;
}
ts_status ts_wasi_net_ip_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) {
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *out = (ts_val){
        .variant = {.disc = a->v6 ? TS_WASI_SOCKETS_IP_ADDRESS_IPV6 : TS_WASI_SOCKETS_IP_ADDRESS_IPV4, .payload = v}};
    return tuple(c, a, v);
}
ts_status ts_wasi_net_addr_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) {
    ts_val *v = ts_host_vals(c, 5);
    if (!v) return ts_fail_nomem(c->err);
    ts_val *f = v + 1;
    if (!a->v6) {
        f[TS_WASI_SOCKETS_IPV4_SOCKET_ADDRESS_PORT_I] = (ts_val){.u16 = a->port};
        TS_TRY(tuple(c, a, &f[TS_WASI_SOCKETS_IPV4_SOCKET_ADDRESS_ADDRESS_I]));
        *v = (ts_val){.list = {f, TS_WASI_SOCKETS_IPV4_SOCKET_ADDRESS_FIELDS_}};
    } else {
        f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_PORT_I] = (ts_val){.u16 = a->port};
        f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_FLOW_INFO_I] = (ts_val){.u32 = a->flow};
        f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_SCOPE_ID_I] = (ts_val){.u32 = a->scope};
        TS_TRY(tuple(c, a, &f[TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_ADDRESS_I]));
        *v = (ts_val){.list = {f, TS_WASI_SOCKETS_IPV6_SOCKET_ADDRESS_FIELDS_}};
    }
    *out = (ts_val){
        .variant = {.disc = a->v6 ? TS_WASI_SOCKETS_IP_SOCKET_ADDRESS_IPV6 : TS_WASI_SOCKETS_IP_SOCKET_ADDRESS_IPV4,
                    .payload = v}};
    return TS_OK;
}

/* --- options that TCP and UDP share --- */
static const uint64_t second = 1000000000u;
static bool is_duration(ts_sys_sockopt o) {
    return o == TS_SYS_KEEP_IDLE || o == TS_SYS_KEEP_INTERVAL;
}
ts_status ts_wasi_net_get(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, ts_val *result) {
    uint64_t n = 0;
    ts_val *v;
    ts_sys_err e = ts_sys_get_option(fd, v6, o, &n);
    if (e) return ts_wasi_net_fail(c, result, ts_wasi_net_code(e));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    switch (o) {
    case TS_SYS_KEEPALIVE: *v = (ts_val){.b = n != 0}; break;
    case TS_SYS_KEEP_COUNT: *v = (ts_val){.u32 = (uint32_t)n}; break;
    case TS_SYS_HOP_LIMIT: *v = (ts_val){.u8 = (uint8_t)n}; break;
    default: *v = (ts_val){.u64 = is_duration(o) ? n * second : n};
    }
    return TS_OK;
}
ts_status ts_wasi_net_set(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, uint64_t value, ts_val *result) {
    if (o != TS_SYS_KEEPALIVE && value == 0) return ts_wasi_net_fail(c, result, TS_NET(INVALID_ARGUMENT));
    if (is_duration(o)) value = value / second + (value % second != 0); /* round up, so that it is never 0 */
    return ts_wasi_net_done(c, result, ts_wasi_net_code(ts_sys_set_option(fd, v6, o, value)));
}

/* --- what is granted --- */
static bool covers(const ts_wasi_net_rules *rules, ts_wasi_net_use use, const ts_sys_addr *a) {
    for (uint32_t i = 0; i < rules->len; i++) {
        const ts_wasi_net_rule *r = &rules->data[i];
        if (r->use == use && a->port >= r->port_from && a->port <= r->port_to &&
            (r->any || ts_wasi_prefix_has(&r->at, a)))
            return true;
    }
    return false;
}
static bool by_rule(const ts_wasi *w, ts_wasi_net_use use, const ts_sys_addr *a) {
    return covers(&w->grants->net_rules, use, a) || covers(&w->learnt, use, a);
}
bool ts_wasi_net_may(const ts_wasi *w, ts_wasi_net_use use, const ts_sys_addr *a) {
    const ts_wasi_grants *g = w->grants;
    bool udp = use == TS_WASI_UDP_PEER || use == TS_WASI_UDP_BIND;
    if (udp ? g->no_udp : g->no_tcp) return false;
    if (g->net_all || by_rule(w, use, a)) return true;
    if (use == TS_WASI_UDP_BIND && a->port == 0) /* a socket must be bound before it sends */
        for (uint32_t i = 0; i < g->net_rules.len; i++)
            if (g->net_rules.data[i].use == TS_WASI_UDP_PEER) return true;
    return false;
}

static bool same_letters(const char *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char x = a[i], y = b[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (char)(y + 32);
        if (x != y) return false;
    }
    return true;
}
static size_t name_len(const char *s) { /* without the trailing dot of the root */
    size_t n = strlen(s);
    return n && s[n - 1] == '.' ? n - 1 : n;
}
static bool same_name(const char *a, const char *b) {
    return name_len(a) == name_len(b) && same_letters(a, b, name_len(a));
}
bool ts_wasi_net_may_look_up(const ts_wasi *w, const char *name) {
    if (w->grants->names_all) return true;
    size_t n = name_len(name);
    for (uint32_t i = 0; i < w->grants->names.len; i++) {
        const char *p = w->grants->names.data[i];
        if (same_name(p, name)) return true;
        size_t m = name_len(p);
        if (p[0] == '*' && p[1] == '.' && n > m - 1 && same_letters(p + 1, name + n - (m - 1), m - 1)) return true;
    }
    return false;
}

ts_status ts_wasi_net_learnt(ts_wasi *w, const char *name, const ts_sys_addr *a, ts_error *e) {
    const ts_wasi_net_rules *rules = &w->grants->net_rules;
    for (uint32_t i = 0; i < rules->len; i++) {
        ts_wasi_net_rule r = rules->data[i];
        ts_sys_addr at = *a;
        at.port = r.port_from;
        if (!r.name || !same_name(r.name, name) || by_rule(w, r.use, &at)) continue;
        r.at = (ts_wasi_prefix){.addr = *a, .bits = a->v6 ? 128 : 32};
        r.name = NULL;
        if (!ts_vec_push(&w->learnt, r)) return ts_fail_nomem(e);
    }
    return TS_OK;
}
