/* http/body: wasi:http/types: bodies of both directions, their streams and trailers.
 * In: messages whose body is a pipe. Out: streams over the pipe, trailers, the handling of incomplete bodies.
 * wit: wasi:http/types (incoming-body, future-trailers, outgoing-body) */
#include "wasi/http/http.h"
#include <stdlib.h>
#include <string.h>

static ts_status refused(ts_val *result) {
    *result = (ts_val){.variant = {.disc = 1}};
    return TS_OK;
}

/* --- incoming-body --- */
typedef struct incoming { /* and future-trailers */
    ts_wasi_obj obj;
    ts_http_pipe *pipe;
    bool taken; /* its stream, or its trailers, were taken */
    bool of_request;
} incoming;

/* The body will not be read any further: the connection may stop receiving it. */
static void incoming_end(ts_wasi *w, ts_wasi_obj *o) {
    incoming *b = (incoming *)o;
    if (!b->pipe) return;
    b->pipe->guest_closed = true;
    ts_http_pipe_notify(b->pipe);
    ts_http_pipe_release(b->pipe);
    ts_wasi_http_release(w, TS_WASI_HTTP_BODY_WEIGHT);
}
static ts_status incoming_new(ts_host_call *c, ts_wasi_kind kind, ts_http_pipe **pipe, incoming **out) {
    TS_TRY(ts_wasi_obj_new(c, kind, sizeof **out, NULL, out));
    (*out)->obj.end = incoming_end;
    (*out)->pipe = *pipe; /* together with its reference and its charge */
    *pipe = NULL;
    return TS_OK;
}

ts_status ts_wasi_message_consume(ts_host_call *c, ts_wasi_message *m, ts_val *result) {
    incoming *b;
    ts_val *v;
    if (m->body_taken) return refused(result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(incoming_new(c, TS_WASI_INCOMING_BODY, &m->body, &b));
    b->of_request = m->obj.kind == TS_WASI_INCOMING_REQUEST;
    m->body_taken = true;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(b)}};
    return TS_OK;
}

ts_status ts_wasi_http_types_incoming_body_stream(ts_host_call *c, const ts_val *args, ts_val *result) {
    incoming *b = ts_wasi_obj_of(c, &args[0]);
    ts_wasi_stream *s;
    ts_val *v;
    if (b->taken) return refused(result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(ts_wasi_stream_of_pipe(c, TS_WASI_IN, b->pipe, &b->obj, &s));
    b->taken = true;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(s)}};
    return TS_OK;
}
ts_status ts_wasi_http_types_incoming_body_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an incoming-body");
}

/* --- future-trailers ---
 * The rest of the body is read and discarded, because the trailers come after it. */
enum { DRAIN_ROUNDS = 64 }; /* per call, so that other work gets its turn */
static bool trailers_there(ts_http_pipe *p) {
    for (int i = 0; i < DRAIN_ROUNDS; i++) {
        size_t n = p->len;
        if (n) ts_http_pipe_skip(p, n);
        if (p->ended || p->failed) return true;
        ts_http_pipe_notify(p);
        if (!p->len) break;
    }
    if (p->len) ts_http_pipe_skip(p, p->len);
    return p->ended || p->failed;
}
static bool trailers_ready(ts_wasi_obj *o, ts_sys_wait *w) {
    ts_http_pipe *p = ((incoming *)o)->pipe;
    if (trailers_there(p)) return true;
    if (!p->wire || !p->wire->wait(p, w)) *w = (ts_sys_wait){.fd = -1};
    return false;
}
static bool trailers_confirm(ts_wasi_obj *o) {
    return trailers_there(((incoming *)o)->pipe);
}

ts_status ts_wasi_http_types_incoming_body_finish(ts_host_call *c, const ts_val *args, ts_val *result) {
    incoming *b = ts_wasi_obj_of(c, &args[0]), *f;
    /* The drop below traps as well, but would leave a future that holds the pipe. */
    if (b->obj.children)
        return ts_host_trap(c, "an incoming-body is finished while %u of its children live", b->obj.children);
    TS_TRY(incoming_new(c, TS_WASI_FUTURE_TRAILERS, &b->pipe, &f));
    f->of_request = b->of_request;
    f->obj.ready = trailers_ready;
    f->obj.confirm = trailers_confirm;
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return ts_wasi_drop(c, args[0].handle.rep, "an incoming-body");
}
ts_status ts_wasi_http_types_future_trailers_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_http_types_future_trailers_get(ts_host_call *c, const ts_val *args, ts_val *result) {
    incoming *f = ts_wasi_obj_of(c, &args[0]);
    *result = ts_wasi_none;
    if (!f->taken) ts_wasi_http_pump(ts_wasi_of(c));
    if (!trailers_there(f->pipe)) return TS_OK;
    ts_val *v = ts_host_vals(c, 4); /* some(ok(ok(some(trailers)))) */
    if (!v) return ts_fail_nomem(c->err);
    *result = (ts_val){.variant = {.disc = 1, .payload = &v[0]}};
    v[0] = (ts_val){.variant = {.disc = f->taken, .payload = f->taken ? NULL : &v[1]}};
    if (f->taken) return TS_OK;
    f->taken = true;
    ts_http_fields *trailers = &f->pipe->trailers;
    ts_http_error e = f->pipe->error;
    bool failed = f->pipe->failed;
    ts_wasi_trailers_strip(trailers);
    if (!failed)
        failed = ts_wasi_http_fields_refused(
            ts_wasi_of(c), trailers,
            f->of_request ? TS_HTTP_REQUEST_TRAILER_SECTION_SIZE : TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE, &e);
    v[1] = (ts_val){.variant = {.disc = failed, .payload = &v[2]}};
    if (failed) return ts_wasi_http_code_val(c, &e, &v[2]);
    v[2] = ts_wasi_none;
    if (!trailers->len) return TS_OK;
    v[2] = (ts_val){.variant = {.disc = 1, .payload = &v[3]}};
    return ts_wasi_fields_child(c, trailers, &f->obj, &v[3]);
}
ts_status ts_wasi_http_types_future_trailers_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a future-trailers");
}

/* --- outgoing-body --- */
typedef struct outgoing {
    ts_wasi_obj obj;
    ts_http_pipe *pipe;
    bool taken, finished;
} outgoing;

/* A body that is dropped unfinished is corrupt, and the peer must be able to detect this. */
static void outgoing_end(ts_wasi *w, ts_wasi_obj *o) {
    outgoing *b = (outgoing *)o;
    if (!b->finished) {
        ts_http_pipe_fail(b->pipe, ts_http_error_of(TS_HTTP_PROTOCOL_ERROR));
        b->pipe->guest_closed = true;
        ts_http_pipe_notify(b->pipe);
    }
    ts_http_pipe_release(b->pipe);
    ts_wasi_http_release(w, TS_WASI_HTTP_BODY_WEIGHT);
}

ts_status ts_wasi_message_body(ts_host_call *c, ts_wasi_message *m, ts_val *result) {
    outgoing *b;
    ts_val *v;
    if (m->body_taken) return refused(result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(ts_wasi_http_charge(c, TS_WASI_HTTP_BODY_WEIGHT + TS_WASI_HTTP_UNSENT_WEIGHT));
    ts_http_pipe *p = ts_http_pipe_new();
    ts_status s = p ? ts_wasi_obj_new(c, TS_WASI_OUTGOING_BODY, sizeof *b, NULL, &b) : ts_fail_nomem(c->err);
    if (s != TS_OK) {
        ts_http_pipe_release(p);
        ts_wasi_http_release(ts_wasi_of(c), TS_WASI_HTTP_BODY_WEIGHT + TS_WASI_HTTP_UNSENT_WEIGHT);
        return s;
    }
    b->obj.end = outgoing_end;
    p->has_length = ts_wasi_message_length(m, &p->length) == 1;
    p->wrong = m->obj.kind == TS_WASI_OUTGOING_REQUEST ? TS_HTTP_REQUEST_BODY_SIZE : TS_HTTP_RESPONSE_BODY_SIZE;
    b->pipe = p;
    m->body = p;
    ts_http_pipe_hold(p);
    m->body_taken = true;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(b)}};
    return TS_OK;
}

ts_status ts_wasi_http_types_outgoing_body_write(ts_host_call *c, const ts_val *args, ts_val *result) {
    outgoing *b = ts_wasi_obj_of(c, &args[0]);
    ts_wasi_stream *s;
    ts_val *v;
    if (b->taken) return refused(result);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(ts_wasi_stream_of_pipe(c, TS_WASI_OUT, b->pipe, &b->obj, &s));
    b->taken = true;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(s)}};
    return TS_OK;
}

ts_status ts_wasi_http_types_outgoing_body_finish(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi *w = ts_wasi_of(c);
    outgoing *b = ts_wasi_obj_of(c, &args[0]);
    ts_http_pipe *p = b->pipe;
    ts_http_fields trailers = {0};
    bool bad = false;
    if (b->obj.children)
        return ts_host_trap(c, "an outgoing-body is finished while %u of its children live", b->obj.children);
    if (args[1].variant.disc) TS_TRY(ts_wasi_fields_take(c, args[1].variant.payload, &trailers));
    for (uint32_t i = 0; i < trailers.len; i++)
        bad |= ts_http_is_forbidden_trailer(trailers.data[i].name, trailers.data[i].name_len);
    ts_wasi_http_release(w, trailers.bytes);
    if (bad || p->failed || p->ended)
        ts_http_fields_clear(&trailers);
    else
        p->trailers = trailers; /* they are sent where the protocol allows it: after chunks, in HTTP/2 */
    if (bad) ts_http_pipe_fail(p, ts_http_error_of(TS_HTTP_PROTOCOL_ERROR));
    ts_http_pipe_end(p);
    b->finished = true;
    bool failed = p->failed;
    ts_http_error e = p->error;
    ts_http_pipe_notify(p);
    TS_TRY(ts_wasi_drop(c, args[0].handle.rep, "an outgoing-body"));
    return failed ? ts_wasi_http_fail(c, result, &e) : ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_outgoing_body_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an outgoing-body");
}
