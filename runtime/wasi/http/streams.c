/* streams: the bodies of HTTP messages as streams. They are pipes whose other end is a connection, a
 * transfer, or not attached yet.
 * In: a pipe. Out: bytes, permits, errors of HTTP. wit: wasi:io/streams, wasi:http/types (incoming-body,
 * outgoing-body) */
#include "base/utf8.h"
#include "wasi/http/http.h"
#include <stdio.h>
#include <string.h>

/* Reads from the pipe; once it is empty, reports how the body ended. */
static ts_sys_err body_read(ts_wasi_stream *s, void *buf, size_t len, size_t *n) {
    ts_http_pipe *p = s->body;
    if (!p->len) ts_http_pipe_notify(p);
    *n = ts_http_pipe_take(p, buf, len);
    if (!*n) return p->failed ? TS_SYS_EIO : p->ended ? TS_SYS_OK : TS_SYS_EAGAIN;
    ts_http_pipe_notify(p); /* the pipe has room again */
    return TS_SYS_OK;
}
static ts_sys_err body_write(ts_wasi_stream *s, const void *buf, size_t len, size_t *n) {
    ts_http_pipe *p = s->body;
    if (!ts_http_pipe_room(p)) ts_http_pipe_notify(p);
    *n = ts_http_pipe_put(p, buf, len);
    ts_http_pipe_notify(p);
    return p->failed ? TS_SYS_EIO : p->ended ? TS_SYS_EPIPE : *n ? TS_SYS_OK : TS_SYS_EAGAIN;
}
static uint64_t body_room(ts_wasi_stream *s) {
    ts_http_pipe *p = s->body;
    ts_http_pipe_notify(p);
    s->closed |= p->ended;
    return ts_http_pipe_room(p);
}
/* Ready if there is something to read, or room to write, or the body has ended or failed. */
static bool body_ready(const ts_wasi_stream *s, ts_sys_wait *w) {
    ts_http_pipe *p = s->body;
    if (s->closed || p->failed || p->ended) return true;
    if (s->obj.kind == TS_WASI_IN ? p->len > 0 : ts_http_pipe_room(p) > 0) return true;
    if (!p->wire || !p->wire->wait(p, w)) *w = (ts_sys_wait){.fd = -1};
    return false;
}
static bool body_confirm(ts_wasi_stream *s) {
    ts_sys_wait w;
    ts_http_pipe_notify(s->body);
    return body_ready(s, &w);
}
static bool body_broken(const ts_wasi_stream *s) {
    return ((const ts_http_pipe *)s->body)->failed;
}

static const char *error_text(const ts_wasi_error *e, char *buf, size_t size) {
    const ts_http_error *http = &((const ts_wasi_error_of_http *)e)->http;
    const char *name = ts_http_code_name(http->code);
    if (!http->has_text || !ts_utf8_valid(http->text, strlen(http->text))) return name;
    snprintf(buf, size, "%s: %s", name, http->text);
    return buf;
}
static ts_status body_fail(ts_host_call *c, const ts_wasi_stream *s, ts_sys_err err, ts_val *result) {
    ts_wasi_error_of_http *e;
    (void)err; /* the pipe has the reason */
    TS_TRY(ts_wasi_err_new(c, result, sizeof *e, &e));
    e->error.domain = TS_WASI_OF_HTTP;
    e->error.text = error_text;
    e->http = ((const ts_http_pipe *)s->body)->error;
    return TS_OK;
}
static void body_end(ts_wasi *w, ts_wasi_stream *s) {
    (void)w;
    ts_http_pipe_release(s->body);
}
static const ts_wasi_stream_ops body_ops = {.read = body_read,
                                            .write = body_write,
                                            .room = body_room,
                                            .ready = body_ready,
                                            .confirm = body_confirm,
                                            .fail = body_fail,
                                            .broken = body_broken,
                                            .end = body_end,
                                            .flush_waits = true};

ts_status ts_wasi_stream_of_pipe(ts_host_call *c, ts_wasi_kind kind, ts_http_pipe *pipe, ts_wasi_obj *parent,
                                 ts_wasi_stream **out) {
    TS_TRY(ts_wasi_stream_of(c, kind, &body_ops, TS_WASI_OF_HTTP, parent, out));
    (*out)->body = pipe;
    ts_http_pipe_hold(pipe);
    return TS_OK;
}
