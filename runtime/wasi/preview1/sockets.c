/* sockets: connections of a socket that a standard stream is, as inetd passes it. Preview 1 makes no sockets.
 * In: a descriptor, buffers of the guest. Out: bytes, new descriptors.
 * witx: sock_*, $riflags, $roflags, $sdflags */
#include "wasi/preview1/state.h"
#include "sys/net.h"

#define R(name) TS_P1_RIGHT_##name

/* After an operation that would wait: waits for the socket. False: the call ends, with the error of the OS. */
static bool again(ts_p1_call *c, const ts_p1_fd *d, bool out, ts_sys_err e) {
    if (e == TS_SYS_EINTR) return ts_p1_is_ok(c, ts_wasi_interrupted(&c->host));
    if (e != TS_SYS_EAGAIN || (d->flags & TS_P1_FD_NONBLOCK)) {
        ts_p1_end_sys(c, e);
        return false;
    }
    ts_sys_wait wait = {.fd = d->file->fd, .out = out};
    e = ts_wasi_poll(&c->host, &wait, 1, TS_SYS_NO_DEADLINE);
    if (!e) return true;
    if (e == TS_SYS_EINTR) return ts_p1_is_ok(c, ts_wasi_interrupted(&c->host));
    ts_p1_end_sys(c, e);
    return false;
}

TS_P1_FN(sock_accept) {
    ts_p1_fd *d;
    int os_fd;
    uint32_t number;
    if (!ts_p1_find(c, a[0], TS_P1_SOCKET, R(SOCK_ACCEPT), &d)) return c->status;
    if (a[1] & ~(uint64_t)TS_P1_FD_NONBLOCK) return ts_p1_end(c, TS_P1_INVAL);
    ts_sys_err e = ts_wasi_may_open(ts_p1_wasi(c));
    if (!e && !ts_sys_is_listening(d->file->fd)) e = TS_SYS_EINVAL; /* POSIX accept */
    if (e) return ts_p1_end_sys(c, e);
    for (;;) {
        /* the socket may be a blocking one: ask first */
        e = ts_sys_ready(d->file->fd, false) ? ts_sys_accept(d->file->fd, &os_fd) : TS_SYS_EAGAIN;
        if (!e) break;
        if (!again(c, d, false, e)) return c->status;
    }
    const ts_p1_fd new = {.type = TS_P1_TYPE_SOCKET_STREAM,
                          .flags = (uint8_t)a[1],
                          .rights = ts_p1_rights_of(TS_P1_TYPE_SOCKET_STREAM, false) & ~R(SOCK_ACCEPT)};
    if (!ts_p1_add(c, os_fd, TS_SYS_SOCKET, &new, &number)) return c->status;
    return ts_p1_end_u32(c, 0, number);
}

/* A message goes through a chunk of the host, so that it is one for the OS and scattered or gathered here.
 * With recv_waitall, a stream is read until the buffers are full or the stream ends. */
TS_P1_FN(sock_recv) {
    ts_p1_fd *d;
    ts_p1_buffers b;
    uint8_t *chunk, *flags;
    const bool peek = a[3] & TS_P1_RI_PEEK;
    bool truncated = false;
    size_t n = 0, used = 0;
    if (!ts_p1_find(c, a[0], TS_P1_SOCKET, R(FD_READ), &d) || !ts_p1_buffers_read(c, a[1], a[2], &b)) return c->status;
    if (a[3] & ~(uint64_t)TS_P1_RI_ALL) return ts_p1_end(c, TS_P1_INVAL);
    if (!ts_p1_is_ok(c, ts_wasi_chunk(&c->host, &chunk))) return c->status;
    const size_t want = b.bytes < TS_WASI_CHUNK ? b.bytes : TS_WASI_CHUNK;
    const bool all = (a[3] & TS_P1_RI_WAITALL) && !peek && d->type == TS_P1_TYPE_SOCKET_STREAM;
    do {
        ts_sys_err e = ts_sys_receive(d->file->fd, chunk + used, want - used, peek, &n, &truncated);
        used += n;
        if (!e) continue;
        if (used && e != TS_SYS_EINTR && (e != TS_SYS_EAGAIN || (d->flags & TS_P1_FD_NONBLOCK))) break;
        if (!again(c, d, false, e)) return c->status;
        n = 1; /* once more */
    } while ((used == 0 || all) && n && used < want);
    ts_p1_scatter(&b, chunk, used);
    if (!(flags = ts_p1_bytes(c, c->results[1], 2))) return c->status;
    ts_p1_store16(flags, truncated ? TS_P1_RO_TRUNCATED : 0);
    return ts_p1_end_u32(c, 0, (uint32_t)used);
}
TS_P1_FN(sock_send) {
    ts_p1_fd *d;
    ts_p1_buffers b;
    uint8_t *chunk;
    size_t n = 0, used = 0;
    if (!ts_p1_find(c, a[0], TS_P1_SOCKET, R(FD_WRITE), &d) || !ts_p1_buffers_read(c, a[1], a[2], &b)) return c->status;
    if (a[3]) return ts_p1_end(c, TS_P1_INVAL); /* witx: $siflags "must be set to zero" */
    if (!ts_p1_is_ok(c, ts_wasi_chunk(&c->host, &chunk))) return c->status;
    if (b.bytes > TS_WASI_CHUNK && d->type == TS_P1_TYPE_SOCKET_DGRAM) return ts_p1_end(c, TS_P1_MSGSIZE);
    const size_t len = b.bytes < TS_WASI_CHUNK ? b.bytes : TS_WASI_CHUNK;
    ts_p1_gather(&b, chunk, len);
    do {
        ts_sys_err e = ts_sys_send_now(d->file->fd, chunk + used, len - used, &n);
        used += n;
        if (!e) continue;
        if (used && (e != TS_SYS_EAGAIN || (d->flags & TS_P1_FD_NONBLOCK)) && e != TS_SYS_EINTR) break;
        if (!again(c, d, true, e)) return c->status;
    } while (used < len);
    return ts_p1_end_u32(c, 0, (uint32_t)used);
}

TS_P1_FN(sock_shutdown) {
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_SOCKET, R(SOCK_SHUTDOWN), &d)) return c->status;
    if (!a[1] || (a[1] & ~(uint64_t)TS_P1_SD_ALL)) return ts_p1_end(c, TS_P1_INVAL);
    return ts_p1_end_sys(c, ts_sys_shutdown(d->file->fd, a[1] & TS_P1_SD_RD, a[1] & TS_P1_SD_WR));
}
