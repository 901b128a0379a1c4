/* sys/net: see net.h */
#define _GNU_SOURCE
#include "sys/net.h"
#include "sys/descriptors.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static socklen_t to_os(const ts_sys_addr *a, address *o) {
    memset(o, 0, sizeof *o);
    if (!a->v6) {
        o->v4.sin_family = AF_INET;
        o->v4.sin_port = htons(a->port);
        memcpy(&o->v4.sin_addr, a->ip, 4);
        return sizeof o->v4;
    }
    o->v6.sin6_family = AF_INET6;
    o->v6.sin6_port = htons(a->port);
    o->v6.sin6_flowinfo = htonl(a->flow);
    memcpy(&o->v6.sin6_addr, a->ip, 16);
    o->v6.sin6_scope_id = a->scope;
    return sizeof o->v6;
}
static ts_sys_err from_os(const address *o, ts_sys_addr *a) {
    *a = (ts_sys_addr){0};
    if (o->any.sa_family == AF_INET) {
        a->port = ntohs(o->v4.sin_port);
        memcpy(a->ip, &o->v4.sin_addr, 4);
        return TS_SYS_OK;
    }
    if (o->any.sa_family != AF_INET6) return TS_SYS_EAFNOSUPPORT;
    a->v6 = true;
    a->port = ntohs(o->v6.sin6_port);
    a->flow = ntohl(o->v6.sin6_flowinfo);
    memcpy(a->ip, &o->v6.sin6_addr, 16);
    a->scope = o->v6.sin6_scope_id;
    return TS_SYS_OK;
}

/* Maps errors of the network path that mean the same to a single ts_sys_err. */
static ts_sys_err failed(void) {
    switch (errno) {
    case ENETRESET: return TS_SYS_ECONNRESET;
#ifdef EHOSTDOWN
    case EHOSTDOWN: return TS_SYS_EHOSTUNREACH;
#endif
#ifdef ENONET
    case ENONET: return TS_SYS_ENETUNREACH;
#endif
    default: return ts_sys_err_of(errno);
    }
}
static ts_sys_err done(int r) {
    return r < 0 ? failed() : TS_SYS_OK;
}

#ifndef SOCK_CLOEXEC
static ts_sys_err prepare(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return failed();
#ifdef SO_NOSIGPIPE
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) < 0) return failed();
#endif
    return TS_SYS_OK;
}
#endif

ts_sys_err ts_sys_socket(bool v6, bool udp, int *fd) {
    int type = udp ? SOCK_DGRAM : SOCK_STREAM, on = 1;
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC | SOCK_NONBLOCK;
#endif
    *fd = ts_sys_above_std(socket(v6 ? AF_INET6 : AF_INET, type, udp ? IPPROTO_UDP : IPPROTO_TCP));
    if (*fd < 0) return failed();
    ts_sys_err e = TS_SYS_OK;
#ifndef SOCK_CLOEXEC
    e = prepare(*fd);
#endif
    if (e == TS_SYS_OK && v6) e = done(setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    if (e) {
        close(*fd);
        *fd = -1;
    }
    return e;
}

ts_sys_err ts_sys_bind(int fd, const ts_sys_addr *a, bool reuse) {
    address o;
    int on = reuse;
    socklen_t n = to_os(a, &o);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return failed();
    return done(bind(fd, &o.any, n));
}

ts_sys_err ts_sys_connect(int fd, const ts_sys_addr *a) {
    address o = {0};
    socklen_t n = sizeof o.any;
    if (a)
        n = to_os(a, &o);
    else
        o.any.sa_family = AF_UNSPEC;
    ts_sys_err e = done(connect(fd, &o.any, n));
    /* POSIX: an interrupted connect continues by itself.
     * BSD returns EAFNOSUPPORT after it has disconnected. */
    if (e == TS_SYS_EINTR) return TS_SYS_EINPROGRESS;
    return !a && e == TS_SYS_EAFNOSUPPORT ? TS_SYS_OK : e;
}

ts_sys_err ts_sys_socket_error(int fd) {
    int err = 0;
    socklen_t n = sizeof err;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0) return failed();
    errno = err;
    return err ? failed() : TS_SYS_OK;
}

ts_sys_err ts_sys_listen(int fd, uint32_t backlog) {
    return done(listen(fd, backlog > INT_MAX ? INT_MAX : (int)backlog));
}

ts_sys_err ts_sys_accept(int fd, int *out) {
#ifdef SOCK_CLOEXEC
    *out = ts_sys_above_std(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return done(*out);
#else
    *out = ts_sys_above_std(accept(fd, NULL, NULL));
    if (*out < 0) return failed();
    ts_sys_err e = prepare(*out);
    if (e) close(*out);
    return e;
#endif
}

static int int_option(int fd, int name) {
    int v = -1;
    socklen_t n = sizeof v;
    return getsockopt(fd, SOL_SOCKET, name, &v, &n) == 0 ? v : -1;
}
bool ts_sys_is_listening(int fd) {
    return int_option(fd, SO_ACCEPTCONN) > 0;
}
bool ts_sys_is_datagram(int fd) {
    return int_option(fd, SO_TYPE) == SOCK_DGRAM;
}
ts_sys_err ts_sys_local(int fd, ts_sys_addr *a) {
    address o;
    socklen_t n = sizeof o;
    return getsockname(fd, &o.any, &n) < 0 ? failed() : from_os(&o, a);
}
ts_sys_err ts_sys_remote(int fd, ts_sys_addr *a) {
    address o;
    socklen_t n = sizeof o;
    return getpeername(fd, &o.any, &n) < 0 ? failed() : from_os(&o, a);
}
ts_sys_err ts_sys_shutdown(int fd, bool in, bool out) {
    return done(shutdown(fd, in && out ? SHUT_RDWR : in ? SHUT_RD : SHUT_WR));
}

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SO_NOSIGPIPE is set */
#endif
static ts_sys_err send_with(int fd, const void *buf, size_t len, int flags, size_t *n) {
    ssize_t r = send(fd, buf, len, MSG_NOSIGNAL | flags);
    *n = r < 0 ? 0 : (size_t)r;
    return r < 0 ? failed() : TS_SYS_OK;
}
ts_sys_err ts_sys_send(int fd, const void *buf, size_t len, size_t *n) {
    return send_with(fd, buf, len, 0, n);
}
ts_sys_err ts_sys_send_now(int fd, const void *buf, size_t len, size_t *n) {
    return send_with(fd, buf, len, MSG_DONTWAIT, n);
}
/* recvmsg(2): MSG_TRUNC in the result says that a datagram was longer than the buffer. */
ts_sys_err ts_sys_receive(int fd, void *buf, size_t len, bool peek, size_t *n, bool *truncated) {
    struct iovec v = {.iov_base = buf, .iov_len = len};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    ssize_t r = recvmsg(fd, &m, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
    *n = r < 0 ? 0 : (size_t)r;
    *truncated = r >= 0 && (m.msg_flags & MSG_TRUNC);
    return r < 0 ? failed() : TS_SYS_OK;
}
ts_sys_err ts_sys_send_to(int fd, const void *buf, size_t len, const ts_sys_addr *to) {
    address o;
    socklen_t n = to ? to_os(to, &o) : 0;
    return sendto(fd, buf, len, MSG_NOSIGNAL, to ? &o.any : NULL, n) < 0 ? failed() : TS_SYS_OK;
}
ts_sys_err ts_sys_receive_from(int fd, void *buf, size_t len, size_t *n, ts_sys_addr *from) {
    address o;
    socklen_t size = sizeof o;
    ssize_t r = recvfrom(fd, buf, len, 0, &o.any, &size);
    *n = r < 0 ? 0 : (size_t)r;
    return r < 0 ? failed() : from_os(&o, from);
}

/* --- options -------------------------------------------------------------------------------------------------------
 */
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* macOS */
#endif
typedef struct option {
    int level, name;
    uint64_t most;
} option;
static option option_of(bool v6, ts_sys_sockopt o) {
    switch (o) {
    case TS_SYS_KEEPALIVE: return (option){SOL_SOCKET, SO_KEEPALIVE, 1};
    case TS_SYS_KEEP_IDLE: return (option){IPPROTO_TCP, TCP_KEEPIDLE, 32767};
    case TS_SYS_KEEP_INTERVAL: return (option){IPPROTO_TCP, TCP_KEEPINTVL, 32767};
    case TS_SYS_KEEP_COUNT: return (option){IPPROTO_TCP, TCP_KEEPCNT, 127};
    case TS_SYS_HOP_LIMIT:
        return v6 ? (option){IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255} : (option){IPPROTO_IP, IP_TTL, 255};
    case TS_SYS_RECEIVE_BUFFER: return (option){SOL_SOCKET, SO_RCVBUF, INT_MAX / 2};
    case TS_SYS_SEND_BUFFER: break;
    }
    return (option){SOL_SOCKET, SO_SNDBUF, INT_MAX / 2};
}
ts_sys_err ts_sys_get_option(int fd, bool v6, ts_sys_sockopt o, uint64_t *value) {
    option p = option_of(v6, o);
    int v = 0;
    socklen_t n = sizeof v;
    if (getsockopt(fd, p.level, p.name, &v, &n) < 0) return failed();
    *value = v < 0 ? 0 : (uint64_t)v;
    if (o == TS_SYS_KEEPALIVE) *value = v != 0;
#ifdef __linux__
    if (o == TS_SYS_RECEIVE_BUFFER || o == TS_SYS_SEND_BUFFER) *value /= 2; /* socket(7): the kernel doubles it */
#endif
    return TS_SYS_OK;
}
ts_sys_err ts_sys_set_option(int fd, bool v6, ts_sys_sockopt o, uint64_t value) {
    option p = option_of(v6, o);
    int v = (int)(value > p.most ? p.most : value);
    ts_sys_err e = done(setsockopt(fd, p.level, p.name, &v, sizeof v));
    /* some systems refuse a buffer that is too large instead of clamping it: halve it until it fits */
    while (e == TS_SYS_ENOBUFS && v > 1024 && (o == TS_SYS_RECEIVE_BUFFER || o == TS_SYS_SEND_BUFFER)) {
        v /= 2;
        e = done(setsockopt(fd, p.level, p.name, &v, sizeof v));
    }
    return e;
}

/* --- addresses -----------------------------------------------------------------------------------------------------
 */
bool ts_sys_addr_parse(const char *s, size_t len, ts_sys_addr *a) {
    char text[INET6_ADDRSTRLEN + 1];
    *a = (ts_sys_addr){0};
    if (len == 0 || len >= sizeof text || memchr(s, 0, len)) return false;
    memcpy(text, s, len);
    text[len] = 0;
    if (inet_pton(AF_INET, text, a->ip) == 1) return true;
    a->v6 = true;
    return inet_pton(AF_INET6, text, a->ip) == 1;
}
void ts_sys_addr_text(const ts_sys_addr *a, char *buf, size_t size) {
    char ip[INET6_ADDRSTRLEN];
    if (!inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->ip, ip, sizeof ip)) ip[0] = 0;
    snprintf(buf, size, a->v6 ? "[%s]:%u" : "%s:%u", ip, a->port);
}
bool ts_sys_addr_is_any(const ts_sys_addr *a) {
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, a->v6 ? 16 : 4) == 0;
}
bool ts_sys_addr_is_unicast(const ts_sys_addr *a) {
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (a->v6) return a->ip[0] != 0xff;
    return (a->ip[0] & 0xf0) != 0xe0 && memcmp(a->ip, broadcast, 4) != 0;
}
bool ts_sys_addr_is_mapped(const ts_sys_addr *a) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return a->v6 && memcmp(a->ip, prefix, 12) == 0;
}
bool ts_sys_addr_same(const ts_sys_addr *a, const ts_sys_addr *b) {
    return a->v6 == b->v6 && a->port == b->port && memcmp(a->ip, b->ip, a->v6 ? 16 : 4) == 0 &&
           (!a->v6 || !a->scope || !b->scope || a->scope == b->scope);
}
