/* memory: the memory of the calling module: checked access, paths, buffers, error codes.
 * In: pointers and lengths of a guest. Out: host pointers, or a trap.
 * Source: witx-docs.md#pointers */
#include "wasi/preview1/state.h"
#include "base/utf8.h"
#include <string.h>

uint8_t *ts_p1_bytes(ts_p1_call *c, uint64_t ptr, uint64_t len) {
    static uint8_t none[1];
    if (len == 0) return none;
    if (!c->memory) {
        c->status = ts_host_trap(&c->host, "%s: the module exports no memory named \"memory\"", c->host.func->name);
        return NULL;
    }
    if (ptr <= c->memory_len && len <= c->memory_len - ptr) return c->memory + ptr;
    c->status =
        ts_host_trap(&c->host, "%s: out of bounds pointer: %llu bytes at %llu, the memory has %llu", c->host.func->name,
                     (unsigned long long)len, (unsigned long long)ptr, (unsigned long long)c->memory_len);
    return NULL;
}
bool ts_p1_aligned(ts_p1_call *c, uint64_t ptr, uint32_t align) {
    if (ptr % align == 0) return true;
    c->status = ts_host_trap(&c->host, "%s: misaligned pointer: %llu is no multiple of %u", c->host.func->name,
                             (unsigned long long)ptr, align);
    return false;
}

static void store(uint8_t *at, uint64_t v, int n) {
    for (int i = 0; i < n; i++) at[i] = (uint8_t)(v >> 8 * i);
}
static uint64_t load(const uint8_t *at, int n) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v |= (uint64_t)at[i] << 8 * i;
    return v;
}
void ts_p1_store16(uint8_t *at, uint16_t v) {
    store(at, v, 2);
}
void ts_p1_store32(uint8_t *at, uint32_t v) {
    store(at, v, 4);
}
void ts_p1_store64(uint8_t *at, uint64_t v) {
    store(at, v, 8);
}
uint32_t ts_p1_load32(const uint8_t *at) {
    return (uint32_t)load(at, 4);
}
uint64_t ts_p1_load64(const uint8_t *at) {
    return load(at, 8);
}
static ts_status end_result(ts_p1_call *c, uint32_t i, uint64_t v, int n) {
    uint8_t *at = ts_p1_bytes(c, c->results[i], (uint64_t)n);
    if (!at) return c->status;
    store(at, v, n);
    return ts_p1_end(c, TS_P1_SUCCESS);
}
ts_status ts_p1_end_u32(ts_p1_call *c, uint32_t i, uint32_t v) {
    return end_result(c, i, v, 4);
}
ts_status ts_p1_end_u64(ts_p1_call *c, uint32_t i, uint64_t v) {
    return end_result(c, i, v, 8);
}

bool ts_p1_path(ts_p1_call *c, uint64_t ptr, uint64_t len, ts_sys_path *out) {
    const uint8_t *at = ts_p1_bytes(c, ptr, len);
    if (!at) return false;
    *out = (ts_sys_path){(const char *)at, (size_t)len};
    if (ts_utf8_valid(out->ptr, out->len)) return true;
    ts_p1_end(c, TS_P1_ILSEQ);
    return false;
}

bool ts_p1_buffers_read(ts_p1_call *c, uint64_t ptr, uint64_t n, ts_p1_buffers *out) {
    *out = (ts_p1_buffers){0};
    uint64_t bytes = 0;
    if (n > TS_P1_MAX_BUFFERS) {
        ts_p1_end(c, TS_P1_INVAL);
        return false;
    }
    const uint8_t *at = ts_p1_bytes(c, ptr, n * TS_P1_IOVEC_SIZE);
    if (!at) return false;
    if (n && !(out->list = ts_arena_array(c->host.arena, (size_t)n, sizeof *out->list)))
        return ts_p1_is_ok(c, ts_fail_nomem(c->host.err));
    for (uint64_t i = 0; i < n; i++, at += TS_P1_IOVEC_SIZE) {
        ts_p1_buffer b = {.len = ts_p1_load32(at + 4)};
        if (!b.len) continue;
        if (!(b.at = ts_p1_bytes(c, ts_p1_load32(at), b.len))) return false;
        bytes += b.len;
        out->list[out->n++] = b;
    }
    out->bytes = (uint32_t)bytes;
    if (bytes <= UINT32_MAX) return true;
    ts_p1_end(c, TS_P1_INVAL);
    return false;
}
void ts_p1_scatter(const ts_p1_buffers *b, const uint8_t *from, size_t len) {
    for (uint32_t i = 0; i < b->n && len; i++) {
        size_t n = len < b->list[i].len ? len : b->list[i].len;
        memcpy(b->list[i].at, from, n);
        from += n;
        len -= n;
    }
}
void ts_p1_gather(const ts_p1_buffers *b, uint8_t *to, size_t len) {
    for (uint32_t i = 0; i < b->n && len; i++) {
        size_t n = len < b->list[i].len ? len : b->list[i].len;
        memcpy(to, b->list[i].at, n);
        to += n;
        len -= n;
    }
}

ts_p1_errno ts_p1_errno_of(ts_sys_err e) {
    switch (e) {
    case TS_SYS_OK: return TS_P1_SUCCESS;
    case TS_SYS_EACCES: return TS_P1_ACCES;
    case TS_SYS_EADDRINUSE: return TS_P1_ADDRINUSE;
    case TS_SYS_EADDRNOTAVAIL: return TS_P1_ADDRNOTAVAIL;
    case TS_SYS_EAFNOSUPPORT: return TS_P1_AFNOSUPPORT;
    case TS_SYS_EAGAIN: return TS_P1_AGAIN;
    case TS_SYS_EALREADY: return TS_P1_ALREADY;
    case TS_SYS_EBADF: return TS_P1_BADF;
    case TS_SYS_EBUSY: return TS_P1_BUSY;
    case TS_SYS_ECONNABORTED: return TS_P1_CONNABORTED;
    case TS_SYS_ECONNREFUSED: return TS_P1_CONNREFUSED;
    case TS_SYS_ECONNRESET: return TS_P1_CONNRESET;
    case TS_SYS_EDEADLK: return TS_P1_DEADLK;
    case TS_SYS_EDESTADDRREQ: return TS_P1_DESTADDRREQ;
    case TS_SYS_EDQUOT: return TS_P1_DQUOT;
    case TS_SYS_EEXIST: return TS_P1_EXIST;
    case TS_SYS_EFBIG: return TS_P1_FBIG;
    case TS_SYS_EHOSTUNREACH: return TS_P1_HOSTUNREACH;
    case TS_SYS_EILSEQ: return TS_P1_ILSEQ;
    case TS_SYS_EINPROGRESS: return TS_P1_INPROGRESS;
    case TS_SYS_EINTR: return TS_P1_INTR;
    case TS_SYS_EINVAL: return TS_P1_INVAL;
    case TS_SYS_EISCONN: return TS_P1_ISCONN;
    case TS_SYS_EISDIR: return TS_P1_ISDIR;
    case TS_SYS_ELOOP: return TS_P1_LOOP;
    case TS_SYS_EMFILE: return TS_P1_MFILE;
    case TS_SYS_EMLINK: return TS_P1_MLINK;
    case TS_SYS_EMSGSIZE: return TS_P1_MSGSIZE;
    case TS_SYS_ENAMETOOLONG: return TS_P1_NAMETOOLONG;
    case TS_SYS_ENETDOWN: return TS_P1_NETDOWN;
    case TS_SYS_ENETUNREACH: return TS_P1_NETUNREACH;
    case TS_SYS_ENFILE: return TS_P1_NFILE;
    case TS_SYS_ENOBUFS: return TS_P1_NOBUFS;
    case TS_SYS_ENODEV: return TS_P1_NODEV;
    case TS_SYS_ENOENT: return TS_P1_NOENT;
    case TS_SYS_ENOLCK: return TS_P1_NOLCK;
    case TS_SYS_ENOMEM: return TS_P1_NOMEM;
    case TS_SYS_ENOSPC: return TS_P1_NOSPC;
    case TS_SYS_ENOTCONN: return TS_P1_NOTCONN;
    case TS_SYS_ENOTDIR: return TS_P1_NOTDIR;
    case TS_SYS_ENOTEMPTY: return TS_P1_NOTEMPTY;
    case TS_SYS_ENOTRECOVERABLE: return TS_P1_NOTRECOVERABLE;
    case TS_SYS_ENOTSUP: return TS_P1_NOTSUP;
    case TS_SYS_ENOTTY: return TS_P1_NOTTY;
    case TS_SYS_ENXIO: return TS_P1_NXIO;
    case TS_SYS_EOVERFLOW: return TS_P1_OVERFLOW;
    case TS_SYS_EPERM:
    case TS_SYS_ESCAPE: return TS_P1_PERM; /* as the certified runtimes: portable programs know this code */
    case TS_SYS_EPIPE: return TS_P1_PIPE;
    case TS_SYS_EPROTONOSUPPORT: return TS_P1_PROTONOSUPPORT;
    case TS_SYS_EROFS: return TS_P1_ROFS;
    case TS_SYS_ESPIPE: return TS_P1_SPIPE;
    case TS_SYS_ETIMEDOUT: return TS_P1_TIMEDOUT;
    case TS_SYS_ETXTBSY: return TS_P1_TXTBSY;
    case TS_SYS_EXDEV: return TS_P1_XDEV;
    default: return TS_P1_IO;
    }
}
ts_status ts_p1_end_sys(ts_p1_call *c, ts_sys_err e) {
    if (e == TS_SYS_ESCAPE) c->host.denied = true; /* nothing outside the directory is granted */
    return ts_p1_end(c, ts_p1_errno_of(e));
}
