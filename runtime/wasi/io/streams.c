/* streams: wasi:io/streams: input and output streams over files of the host.
 * In: streams made by other interfaces. Out: bytes, permits, stream errors. wit: wasi:io/streams
 * A stream has no buffer, except for the rest of an accepted write that a non-blocking file has not taken
 * yet. */
#include "wasi/disk.h"
#include <stdlib.h>
#include <string.h>

enum {
    PERMIT_FILE = 1 << 20, /* the permit if a write never waits for a reader */
    PERMIT_SOCKET = 65536, /* the permit if the rest of a write becomes pending at once */
    PERMIT_WAIT = 4096,    /* the permit if a write may wait: a writable pipe takes this much (POSIX: PIPE_BUF) */
    BLOCKING_MAX = 4096,   /* the most for blocking-write-and-flush */
};

/* Sets the number of pending bytes and updates the count of streams with pending output. */
static void pending(ts_wasi_stream *s, size_t len) {
    if (s->file && s->obj.kind == TS_WASI_OUT) s->context->n_pending += (len != 0) - (s->pending_len != 0);
    s->pending_len = len;
}

/* Accepted bytes are still written after their stream ends, as in the certified runtimes: to a standard
 * stream as long as the run may last, to a peer as long as it keeps reading. This handles a stream that the
 * guest never dropped. */
static void finish(ts_wasi *w, ts_wasi_stream *s) {
    bool bounded = s->domain == TS_WASI_OF_NETWORK || w->watch.begin;
    uint64_t end = bounded ? ts_sys_monotonic() + TS_WASI_LINGER_NS : TS_SYS_NO_DEADLINE;
    for (size_t left = s->pending_len; s->file && !ts_wasi_stream_drain(s); left = s->pending_len) {
        ts_sys_wait waits[2] = {{.fd = s->file->fd, .out = true}, {.fd = ts_sys_wake_file(&w->wake)}};
        if (__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST)) return;
        if (s->pending_len < left && bounded) end = ts_sys_monotonic() + TS_WASI_LINGER_NS;
        if (w->until && w->until < end) end = w->until;
        ts_sys_err e = ts_sys_poll(waits, 2, end);
        if (e && e != TS_SYS_EINTR) return;
        if (end != TS_SYS_NO_DEADLINE && ts_sys_monotonic() >= end) return;
    }
}
static void stream_end(ts_wasi *w, ts_wasi_obj *o) {
    ts_wasi_stream *s = (ts_wasi_stream *)o;
    if (s->pending_len) finish(w, s);
    pending(s, 0);
    free(s->pending);
    s->ops->end(w, s);
}

/* Returns the stream of a call. If its connection was shut down, the stream is closed. wit:
 * tcp-socket.shutdown */
static ts_wasi_stream *stream_of(ts_host_call *c, const ts_val *v) {
    ts_wasi_stream *s = ts_wasi_obj_of(c, v);
    if (s->file && (s->obj.kind == TS_WASI_IN ? s->file->in_shut : s->file->out_shut)) s->closed = true;
    return s;
}

/* --- reading --- */
/* The outcome of an operation on a stream. */
typedef enum outcome { DONE, CLOSED, FAILED } outcome;

/* No read or write blocks in the OS. A guest waits only in ts_wasi_poll, which other threads can end and
 * which drains pending output. A blocking file is polled first only if the OS has no non-blocking call for
 * it. */
static ts_sys_err file_read(ts_wasi_stream *s, void *buf, size_t len, size_t *n) {
    ts_wasi_file *f = s->file;
    if (s->mode == TS_WASI_AT) return ts_sys_pread(f->fd, buf, len, s->offset, n);
    if (s->mode == TS_WASI_WAIT && f->blocks) {
        ts_sys_err e = f->polled ? TS_SYS_ENOTSUP : ts_sys_read_now(f->fd, buf, len, n);
        if (e != TS_SYS_ENOTSUP) return e;
        f->polled = true;
        if (!ts_sys_ready(f->fd, false)) return TS_SYS_EAGAIN;
    }
    return ts_sys_read(f->fd, buf, len, n);
}

/* Reads up to len bytes that are available now. */
static ts_status read_now(ts_host_call *c, ts_wasi_stream *s, void *buf, size_t len, size_t *n, outcome *how,
                          ts_sys_err *err) {
    *n = 0;
    *how = s->closed ? CLOSED : DONE;
    if (s->closed || len == 0) return TS_OK;
    if (s->refused) {
        s->closed = true;
        *how = FAILED;
        *err = s->refused;
        return TS_OK;
    }
    ts_sys_err e;
    for (;;) {
        e = s->ops->read(s, buf, len, n);
        if (e != TS_SYS_EINTR) break;
        TS_TRY(ts_wasi_interrupted(c));
    }
    if (e == TS_SYS_EAGAIN) return TS_OK;
    s->offset += *n;
    if (e || *n == 0) {
        s->closed = true;
        *how = e ? FAILED : CLOSED;
        *err = e;
    }
    return TS_OK;
}

/* read and blocking-read, into a buffer: with `block`, waits for at least one byte, the end or an error. */
static ts_status read_some(ts_host_call *c, ts_wasi_stream *s, void *buf, uint64_t len, bool block, size_t *n,
                           outcome *how, ts_sys_err *err) {
    size_t want = len < TS_WASI_CHUNK ? (size_t)len : TS_WASI_CHUNK;
    if (!block) return read_now(c, s, buf, want, n, how, err);
    if (want == 0) TS_TRY(ts_wasi_wait_stream(c, s));
    for (;;) {
        TS_TRY(read_now(c, s, buf, want, n, how, err));
        if (*n || *how != DONE || want == 0) return TS_OK;
        TS_TRY(ts_wasi_wait_stream(c, s)); /* nothing is available */
    }
}

static ts_status failure(ts_host_call *c, const ts_wasi_stream *s, outcome how, ts_sys_err err, ts_val *result) {
    if (how == CLOSED) return ts_wasi_err_closed(c, result);
    return s->ops->fail(c, s, err, result);
}

static ts_status read_result(ts_host_call *c, const ts_val *args, bool block, bool skip, ts_val *result) {
    ts_wasi_stream *s = stream_of(c, &args[0]);
    uint8_t *buf;
    size_t n;
    outcome how;
    ts_sys_err err = TS_SYS_OK;
    ts_val *v;
    TS_TRY(ts_wasi_chunk(c, &buf));
    TS_TRY(read_some(c, s, buf, args[1].u64, block, &n, &how, &err));
    if (how != DONE) return failure(c, s, how, err, result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = skip ? (ts_val){.u64 = n} : (ts_val){.raw = {buf, n}};
    return TS_OK;
}

ts_status ts_wasi_io_streams_input_stream_read(ts_host_call *c, const ts_val *args, ts_val *result) {
    return read_result(c, args, false, false, result);
}
ts_status ts_wasi_io_streams_input_stream_blocking_read(ts_host_call *c, const ts_val *args, ts_val *result) {
    return read_result(c, args, true, false, result);
}
ts_status ts_wasi_io_streams_input_stream_skip(ts_host_call *c, const ts_val *args, ts_val *result) {
    return read_result(c, args, false, true, result);
}
ts_status ts_wasi_io_streams_input_stream_blocking_skip(ts_host_call *c, const ts_val *args, ts_val *result) {
    return read_result(c, args, true, true, result);
}
ts_status ts_wasi_io_streams_input_stream_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_io_streams_input_stream_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an input-stream");
}

/* --- writing --- */
static ts_sys_err write_some(ts_wasi_stream *s, const void *buf, size_t len, size_t *n) {
    ts_wasi_file *f = s->file;
    *n = 0;
    if (s->domain == TS_WASI_OF_NETWORK) return ts_sys_send(f->fd, buf, len, n);
    if (s->mode == TS_WASI_APPEND) return ts_wasi_disk_append(s->context, f->fd, buf, len, n);
    if (s->mode == TS_WASI_WAIT && f->blocks) {
        ts_sys_err e = f->polled ? TS_SYS_ENOTSUP : ts_sys_write_now(f->fd, buf, len, n);
        if (e != TS_SYS_ENOTSUP) return e;
        f->polled = true;
        if (!ts_sys_ready(f->fd, true)) return TS_SYS_EAGAIN;
    }
    return ts_sys_write(f->fd, buf, len, n);
}
static ts_sys_err file_write(ts_wasi_stream *s, const void *buf, size_t len, size_t *n) {
    ts_sys_err e;
    if (s->mode == TS_WASI_AT) {
        e = ts_wasi_disk_write(s->context, s->file->fd, buf, len, s->offset, n);
        s->offset += *n;
    } else
        e = write_some(s, buf, len, n);
    return e == TS_SYS_OK && *n == 0 && len ? TS_SYS_EIO : e; /* otherwise the caller would retry forever */
}

bool ts_wasi_stream_drain(ts_wasi_stream *s) {
    while (s->pending_len) {
        size_t n;
        ts_sys_err e = s->ops->write(s, s->pending + s->pending_at, s->pending_len, &n);
        s->pending_at += n;
        pending(s, s->pending_len - n);
        if (e == TS_SYS_EAGAIN || e == TS_SYS_EINTR) return false;
        if (e) {
            s->closed = true;
            pending(s, 0);
            if (e != TS_SYS_EPIPE) s->late = e; /* the reader is gone: the stream is just closed */
        }
    }
    return true;
}

/* Writes all bytes. What a non-blocking file does not take becomes pending
 * or, with `block`, is waited for. */
static ts_status write_all(ts_host_call *c, ts_wasi_stream *s, const uint8_t *buf, size_t len, bool block, outcome *how,
                           ts_sys_err *err) {
    *how = s->closed ? CLOSED : DONE;
    if (s->refused && !s->closed) { /* like write(2), even for zero bytes */
        s->closed = true;
        *how = FAILED;
        *err = s->refused;
    }
    while (len && !s->closed) {
        size_t n = 0;
        ts_sys_err e = s->ops->write(s, buf, len, &n);
        buf += n;
        len -= n;
        if (e == TS_SYS_OK) continue;
        if (e == TS_SYS_EINTR) {
            TS_TRY(ts_wasi_interrupted(c));
        } else if (e == TS_SYS_EAGAIN && block) {
            TS_TRY(ts_wasi_wait_stream(c, s));
        } else if (e == TS_SYS_EAGAIN) {
            uint8_t *keep = realloc(s->pending, len);
            if (!keep) return ts_fail_nomem(c->err);
            memcpy(keep, buf, len);
            s->pending = keep;
            s->pending_at = 0;
            pending(s, len);
            return TS_OK;
        } else {
            s->closed = true;
            *how = e == TS_SYS_EPIPE ? CLOSED : FAILED; /* the reader is gone: closed */
            *err = e;
        }
    }
    return TS_OK;
}

/* Returns how many bytes may be written now, without asking the OS: what it does not take at once becomes
 * pending, and while bytes are pending there is no permit. */
static uint64_t permit_now(ts_wasi_stream *s) {
    return s->pending_len && !ts_wasi_stream_drain(s) ? 0 : s->ops->room(s);
}
static uint64_t file_room(ts_wasi_stream *s) {
    return s->mode != TS_WASI_WAIT ? PERMIT_FILE : s->domain == TS_WASI_OF_NETWORK ? PERMIT_SOCKET : PERMIT_WAIT;
}

/* Waits until all accepted bytes are in the file; the stream is then ready for writing. The room of a
 * body is defined by its own operations. */
static ts_status settle(ts_host_call *c, ts_wasi_stream *s) {
    while (s->pending_len && !s->closed && !ts_wasi_stream_drain(s)) TS_TRY(ts_wasi_wait_stream(c, s));
    return TS_OK;
}
static ts_status settle_and_wait(ts_host_call *c, ts_wasi_stream *s) {
    TS_TRY(settle(c, s));
    return s->ops->flush_waits && !s->closed ? ts_wasi_wait_stream(c, s) : TS_OK;
}

/* If a pending write or the transfer of a body has failed, the next operation reports it, and later ones
 * report that the stream is closed. */
static bool failed_before(ts_host_call *c, ts_wasi_stream *s, ts_val *result, ts_status *status) {
    if (s->late) {
        *status = ts_wasi_err_failed(c, result, s->domain, s->late);
        s->late = TS_SYS_OK;
        return true;
    }
    if (s->closed || !s->ops->broken || !s->ops->broken(s)) return false;
    s->closed = true;
    *status = s->ops->fail(c, s, TS_SYS_EIO, result);
    return true;
}

ts_status ts_wasi_io_streams_output_stream_check_write(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_stream *s = stream_of(c, &args[0]);
    ts_val *v;
    ts_status failed;
    uint64_t n = s->closed ? 0 : permit_now(s);
    if (failed_before(c, s, result, &failed)) return failed;
    if (s->closed) return ts_wasi_err_closed(c, result); /* draining may have closed it */
    s->permit = n;
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.u64 = n};
    return TS_OK;
}

static ts_status write_result(ts_host_call *c, ts_wasi_stream *s, const uint8_t *buf, uint64_t len, ts_val *result) {
    outcome how;
    ts_sys_err err = TS_SYS_OK;
    ts_status failed;
    if (failed_before(c, s, result, &failed)) return failed;
    if (s->closed) return ts_wasi_err_closed(c, result);
    if (len > s->permit)
        return ts_host_trap(c, "write of %llu bytes where check-write has permitted %llu", (unsigned long long)len,
                            (unsigned long long)s->permit);
    s->permit -= len;
    TS_TRY(write_all(c, s, buf, (size_t)len, false, &how, &err));
    return how == DONE ? ts_wasi_ok(result) : failure(c, s, how, err, result);
}

static ts_status write_and_flush(ts_host_call *c, ts_wasi_stream *s, const uint8_t *buf, uint64_t len, ts_val *result) {
    outcome how;
    ts_sys_err err = TS_SYS_OK;
    if (len > BLOCKING_MAX)
        return ts_host_trap(c, "blocking write of %llu bytes: at most %d are allowed", (unsigned long long)len,
                            BLOCKING_MAX);
    ts_status failed;
    TS_TRY(settle(c, s));
    if (failed_before(c, s, result, &failed)) return failed;
    TS_TRY(write_all(c, s, buf, (size_t)len, true, &how, &err));
    return how == DONE ? ts_wasi_ok(result) : failure(c, s, how, err, result);
}

/* Returns len zeroes in the call's arena, which zeroes its memory; len is at most a permit. */
static ts_status zeroes(ts_host_call *c, uint64_t len, const uint8_t **out) {
    *out = ts_arena_alloc(c->arena, (size_t)len);
    return *out || !len ? TS_OK : ts_fail_nomem(c->err);
}

ts_status ts_wasi_io_streams_output_stream_write(ts_host_call *c, const ts_val *args, ts_val *result) {
    return write_result(c, stream_of(c, &args[0]), args[1].raw.ptr, args[1].raw.len, result);
}
ts_status ts_wasi_io_streams_output_stream_blocking_write_and_flush(ts_host_call *c, const ts_val *args,
                                                                    ts_val *result) {
    return write_and_flush(c, stream_of(c, &args[0]), args[1].raw.ptr, args[1].raw.len, result);
}
ts_status ts_wasi_io_streams_output_stream_write_zeroes(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_stream *s = stream_of(c, &args[0]);
    const uint8_t *buf = NULL;
    if (!s->closed && args[1].u64 <= s->permit) TS_TRY(zeroes(c, args[1].u64, &buf));
    return write_result(c, s, buf, args[1].u64, result);
}
ts_status ts_wasi_io_streams_output_stream_blocking_write_zeroes_and_flush(ts_host_call *c, const ts_val *args,
                                                                           ts_val *result) {
    const uint8_t *buf = NULL;
    if (args[1].u64 <= BLOCKING_MAX) TS_TRY(zeroes(c, args[1].u64, &buf));
    return write_and_flush(c, stream_of(c, &args[0]), buf, args[1].u64, result);
}

ts_status ts_wasi_io_streams_output_stream_flush(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_stream *s = stream_of(c, &args[0]);
    ts_status failed;
    if (!s->closed && s->pending_len) (void)ts_wasi_stream_drain(s);
    if (failed_before(c, s, result, &failed)) return failed;
    return s->closed ? ts_wasi_err_closed(c, result) : ts_wasi_ok(result);
}

ts_status ts_wasi_io_streams_output_stream_blocking_flush(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_stream *s = stream_of(c, &args[0]);
    ts_status failed;
    TS_TRY(settle_and_wait(c, s)); /* "and stream is ready for writing again" */
    if (failed_before(c, s, result, &failed)) return failed;
    return s->closed ? ts_wasi_err_closed(c, result) : ts_wasi_ok(result);
}

ts_status ts_wasi_io_streams_output_stream_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}

/* wit: splice = check-write, read of the smaller of permit and len, write */
static ts_status splice(ts_host_call *c, const ts_val *args, bool block, ts_val *result) {
    ts_wasi_stream *out = stream_of(c, &args[0]), *in = stream_of(c, &args[1]);
    uint64_t len = args[2].u64;
    uint8_t *buf;
    size_t n;
    outcome how;
    ts_sys_err err = TS_SYS_OK;
    ts_val *v;
    ts_status failed;
    out->permit = out->closed ? 0 : permit_now(out);
    if (failed_before(c, out, result, &failed)) return failed;
    if (out->closed) return ts_wasi_err_closed(c, result);
    if (len > out->permit) len = out->permit;
    TS_TRY(ts_wasi_chunk(c, &buf));
    TS_TRY(read_some(c, in, buf, len, block, &n, &how, &err));
    if (how != DONE) return failure(c, in, how, err, result);
    out->permit -= n;
    if (n) TS_TRY(write_all(c, out, buf, n, false, &how, &err));
    if (how != DONE) return failure(c, out, how, err, result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.u64 = n};
    return TS_OK;
}

ts_status ts_wasi_io_streams_output_stream_splice(ts_host_call *c, const ts_val *args, ts_val *result) {
    return splice(c, args, false, result);
}
ts_status ts_wasi_io_streams_output_stream_blocking_splice(ts_host_call *c, const ts_val *args, ts_val *result) {
    TS_TRY(settle_and_wait(c, stream_of(c, &args[0])));
    return splice(c, args, true, result);
}
/* Like finish, for a stream that the guest drops: here the wait can be interrupted. */
static ts_status finish_in_call(ts_host_call *c, ts_wasi_stream *s) {
    bool bounded = s->domain == TS_WASI_OF_NETWORK;
    uint64_t end = bounded ? ts_sys_monotonic() + TS_WASI_LINGER_NS : TS_SYS_NO_DEADLINE;
    for (size_t left = s->pending_len; s->pending_len && !ts_wasi_stream_drain(s); left = s->pending_len) {
        ts_sys_wait wait = {.fd = s->file->fd, .out = true};
        if (s->pending_len < left && bounded) end = ts_sys_monotonic() + TS_WASI_LINGER_NS;
        ts_sys_err e = ts_wasi_poll(c, &wait, 1, end);
        if (e == TS_SYS_EINTR) TS_TRY(ts_wasi_interrupted(c));
        if ((e && e != TS_SYS_EINTR) || (bounded && ts_sys_monotonic() >= end)) break;
    }
    pending(s, 0);
    return TS_OK;
}
ts_status ts_wasi_io_streams_output_stream_drop(ts_host_call *c, uint64_t rep) {
    ts_val handle = {.handle = {.rep = rep}};
    ts_wasi_stream *s = ts_wasi_obj_of(c, &handle);
    if (s->file && s->pending_len && !s->obj.children) TS_TRY(finish_in_call(c, s));
    return ts_wasi_drop(c, rep, "an output-stream");
}

/* --- streams of files --- */
/* Returns true if a read or write would not wait; otherwise sets what to ask the OS. */
static bool file_ready(const ts_wasi_stream *s, ts_sys_wait *w) {
    if (s->closed || s->mode != TS_WASI_WAIT) return true;
    *w = (ts_sys_wait){.fd = s->file->fd, .out = s->obj.kind == TS_WASI_OUT};
    return false;
}
/* An output stream with pending bytes is ready once they are written. */
static bool file_confirm(ts_wasi_stream *s) {
    return s->obj.kind != TS_WASI_OUT || !s->pending_len || ts_wasi_stream_drain(s);
}
static ts_status file_fail(ts_host_call *c, const ts_wasi_stream *s, ts_sys_err err, ts_val *result) {
    return ts_wasi_err_failed(c, result, s->domain, err);
}
static void file_end(ts_wasi *w, ts_wasi_stream *s) {
    (void)w;
    ts_wasi_file_release(s->file);
}
static const ts_wasi_stream_ops file_ops = {.read = file_read,
                                            .write = file_write,
                                            .room = file_room,
                                            .ready = file_ready,
                                            .confirm = file_confirm,
                                            .fail = file_fail,
                                            .end = file_end};

ts_status ts_wasi_stream_of(ts_host_call *c, ts_wasi_kind kind, const ts_wasi_stream_ops *ops, ts_wasi_domain domain,
                            ts_wasi_obj *parent, ts_wasi_stream **out) {
    TS_TRY(ts_wasi_obj_new(c, kind, sizeof **out, parent, out));
    ts_wasi_stream *s = *out;
    s->obj.end = stream_end;
    s->ops = ops;
    s->domain = domain;
    s->context = ts_wasi_of(c);
    ts_wasi_stream_pollable(s);
    return TS_OK;
}
ts_status ts_wasi_stream_new(ts_host_call *c, ts_wasi_kind kind, ts_wasi_file *file, ts_wasi_mode mode,
                             ts_wasi_domain domain, uint64_t offset, ts_wasi_obj *parent, ts_wasi_stream **out) {
    TS_TRY(ts_wasi_stream_of(c, kind, &file_ops, domain, parent, out));
    ts_wasi_stream *s = *out;
    s->file = file;
    file->refs++;
    s->mode = mode;
    s->offset = offset;
    s->closed = file->fd < 0;
    return TS_OK;
}
