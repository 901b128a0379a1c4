/* http/outgoing: wasi:http/outgoing-handler, and the futures of responses: sends granted requests through the
 * client.
 * In: outgoing requests, grants. Out: futures, incoming responses, errors.
 * The client is the context's driver: it progresses in every wait of the guest. Errors of the request itself
 * and denials are returned at once; all other errors come through the future.
 * wit: wasi:http/outgoing-handler, types */
#include "wasi/http/http.h"
#include "http/client/client.h"
#include "http/uri.h"
#include "sys/special_addr.h"
#include <stdlib.h>
#include <string.h>

/* --- what is granted --- */
static bool prohibited(const ts_wasi *w, const ts_sys_addr *a) {
    for (uint32_t i = 0; i < w->grants->http_prohibited.len; i++)
        if (ts_wasi_prefix_has(&w->grants->http_prohibited.data[i], a)) return true;
    return false;
}
/* A rule for an IPv4 address also covers IPv6 addresses that lead to it: ::ffff:1.2.3.4 is 1.2.3.4. */
static bool may_connect(void *data, const ts_sys_addr *a) {
    const ts_wasi *w = data;
    ts_sys_addr inner[2];
    if (w->grants->http_global_only && !ts_sys_addr_is_global(a)) return false;
    for (size_t n = ts_sys_addr_inner_v4(a, inner); n-- > 0;)
        if (prohibited(w, &inner[n])) return false;
    return !prohibited(w, a);
}

static bool host_matches(const ts_wasi_http_rule *r, const char *host, size_t len) {
    if (!r->host) return true;
    size_t n = strlen(r->host);
    ts_sys_addr a, b;
    if (ts_sys_addr_parse(host, len, &a)) return ts_sys_addr_parse(r->host, n, &b) && ts_sys_addr_same(&a, &b);
    if (len > 1 && host[len - 1] == '.') len--; /* the trailing dot of the root */
    if (n > 1 && r->host[n - 1] == '.') n--;
    if (!r->below) return ts_http_name_is(host, len, r->host, n);
    return len > n && ts_http_name_is(host + len - n, n, r->host, n);
}
static bool granted(const ts_wasi *w, const char *host, size_t len, uint16_t port) {
    if (w->grants->http_all) return true;
    for (uint32_t i = 0; i < w->grants->http_rules.len; i++) {
        const ts_wasi_http_rule *r = &w->grants->http_rules.data[i];
        if ((!r->port || r->port == port) && host_matches(r, host, len)) return true;
    }
    return false;
}

/* --- the driver --- */
static size_t waits(void *data, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    return ts_http_client_waits(data, w, n, deadline);
}
static void pump(void *data) {
    ts_http_client_pump(data);
}
static void end(void *data) {
    ts_http_client_free(data);
}
static ts_status client(ts_host_call *c) {
    ts_wasi *w = ts_wasi_of(c);
    if (w->http->client) return TS_OK;
    w->http->client = ts_http_client_new(w->grants->ca.path ? w->grants->ca.at : NULL);
    if (!w->http->client) return ts_fail_nomem(c->err);
    ts_http_client_set_may_connect(w->http->client, may_connect, w);
    w->driver = (ts_wasi_driver){.data = w->http->client, .waits = waits, .pump = pump, .end = end};
    return TS_OK;
}
void ts_wasi_http_prepare(const char **ca_file, const char **ca_folder) {
    ts_http_client_prepare(ca_file, ca_folder);
}
void ts_wasi_http_pump(ts_wasi *w) {
    if (w->driver.pump) w->driver.pump(w->driver.data);
}
void ts_wasi_http_free(ts_wasi *w) {
    if (!w->http) return;
    free(w->http);
    w->http = NULL;
}

/* --- future-incoming-response --- */
typedef struct future {
    ts_wasi_obj obj;
    ts_http_exchange *x; /* NULL: the response was taken, or the request was never sent */
    ts_http_error error; /* why it was not sent */
    bool taken;
} future;
enum { FUTURE_WEIGHT = 2 * TS_WASI_HTTP_BODY_WEIGHT }; /* the bodies of both directions */

static void future_end(ts_wasi *w, ts_wasi_obj *o) {
    future *f = (future *)o;
    if (f->x) ts_http_exchange_free(f->x);
    ts_wasi_http_release(w, FUTURE_WEIGHT);
}
static bool future_ready(ts_wasi_obj *o, ts_sys_wait *w) {
    const future *f = (const future *)o;
    if (f->x) ts_http_exchange_note_poll(f->x);
    if (!f->x || ts_http_exchange_state(f->x) != TS_HTTP_PENDING) return true;
    *w = (ts_sys_wait){.fd = -1};
    return false;
}

static ts_status response(ts_host_call *c, const ts_http_exchange *x, ts_val *out) {
    ts_wasi_message *m;
    TS_TRY(ts_wasi_message_new(c, TS_WASI_INCOMING_RESPONSE, &m));
    m->status = ts_http_exchange_status(x);
    TS_TRY(ts_wasi_fields_receive(c, ts_http_exchange_headers(x), &m->headers));
    TS_TRY(ts_wasi_http_charge(c, TS_WASI_HTTP_BODY_WEIGHT));
    m->body = ts_http_exchange_body(x);
    if (m->body)
        ts_http_pipe_hold(m->body);
    else if ((m->body = ts_http_pipe_new()))
        ts_http_pipe_end(m->body);
    if (!m->body) {
        ts_wasi_http_release(ts_wasi_of(c), TS_WASI_HTTP_BODY_WEIGHT);
        return ts_fail_nomem(c->err);
    }
    *out = (ts_val){.handle = {.rep = ts_wasi_rep(m)}};
    return TS_OK;
}

ts_status ts_wasi_http_types_future_incoming_response_subscribe(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_http_types_future_incoming_response_get(ts_host_call *c, const ts_val *args, ts_val *result) {
    future *f = ts_wasi_obj_of(c, &args[0]);
    *result = ts_wasi_none;
    if (f->x) ts_http_exchange_note_poll(f->x);
    if (f->x) ts_wasi_http_pump(ts_wasi_of(c));
    ts_http_progress state = f->x ? ts_http_exchange_state(f->x) : TS_HTTP_FAILED;
    if (state == TS_HTTP_PENDING) return TS_OK;
    ts_val *v = ts_host_vals(c, 3); /* some(ok(ok(response))) */
    if (!v) return ts_fail_nomem(c->err);
    *result = (ts_val){.variant = {.disc = 1, .payload = &v[0]}};
    v[0] = (ts_val){.variant = {.disc = f->taken, .payload = f->taken ? NULL : &v[1]}};
    if (f->taken) return TS_OK;
    ts_http_error e = !f->x ? f->error : state == TS_HTTP_FAILED ? *ts_http_exchange_error(f->x) : (ts_http_error){0};
    bool failed = state == TS_HTTP_FAILED;
    if (!failed)
        failed = ts_wasi_http_fields_refused(ts_wasi_of(c), ts_http_exchange_headers(f->x),
                                             TS_HTTP_RESPONSE_HEADER_SECTION_SIZE, &e);
    v[1] = (ts_val){.variant = {.disc = failed, .payload = &v[2]}};
    if (failed)
        TS_TRY(ts_wasi_http_code_val(c, &e, &v[2]));
    else
        TS_TRY(response(c, f->x, &v[2]));
    if (f->x) ts_http_exchange_free(f->x); /* the transfer of the body continues */
    f->x = NULL;
    f->taken = true;
    return TS_OK;
}
ts_status ts_wasi_http_types_future_incoming_response_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a future-incoming-response");
}

/* --- handle --- */
/* A request in the form for the client. */
typedef struct target {
    ts_http_request r;
    const char *host;
    size_t host_len;
    int32_t port;
    char *path; /* allocated here */
} target;

static bool wrong(ts_http_error *e, ts_http_code code) {
    *e = ts_http_error_of(code);
    return false;
}
static bool scheme_of(const ts_wasi_message *m, target *t) {
    if (!m->has_scheme || m->scheme == TS_WASI_HTTP_SCHEME_HTTPS ||
        (m->scheme_name && ts_http_name_is(m->scheme_name, strlen(m->scheme_name), "https", 5)))
        t->r.scheme = "https"; /* default to the safe one */
    else if (m->scheme == TS_WASI_HTTP_SCHEME_HTTP ||
             (m->scheme_name && ts_http_name_is(m->scheme_name, strlen(m->scheme_name), "http", 4)))
        t->r.scheme = "http";
    return t->r.scheme != NULL;
}
/* RFC 9112, 3.2.1 and 3.2.4: a path begins with /, is / if it is empty, or is the * of OPTIONS. Returns false
 * if the path is invalid, or, with *nomem set, when out of memory. */
static bool path_of(const ts_wasi_message *m, target *t, bool *nomem) {
    bool connect = strcmp(t->r.method, "CONNECT") == 0; /* its target is the authority: RFC 9112, 3.2.3 */
    const char *p = m->path && m->path[0] && !connect ? m->path : "/";
    if (strcmp(p, "*") == 0) {
        t->r.path = p;
        return m->method == TS_WASI_HTTP_METHOD_OPTIONS;
    }
    if (p[0] == '?') {
        t->path = malloc(strlen(p) + 2);
        *nomem = !t->path;
        if (*nomem) return false;
        t->path[0] = '/';
        strcpy(t->path + 1, p);
        p = t->path;
    }
    t->r.path = p;
    return p[0] == '/';
}
/* Does the checks that the WIT text requires of handle. Returns false with the reason in *e. */
static bool check(const ts_wasi_message *m, target *t, bool *nomem, ts_http_error *e) {
    uint64_t length;
    t->r.method = m->method_name ? m->method_name : ts_wasi_http_method(m->method);
    if (!scheme_of(m, t)) return wrong(e, TS_HTTP_PROTOCOL_ERROR); /* as in wasmtime; the WIT text names no case */
    t->r.authority = m->authority;
    if (!m->authority || !ts_http_host_port(m->authority, strlen(m->authority), &t->host, &t->host_len, &t->port))
        return wrong(e, TS_HTTP_REQUEST_URI_INVALID);
    if (t->port < 0) t->port = strcmp(t->r.scheme, "http") == 0 ? 80 : 443;
    if (m->path && strlen(m->path) > TS_WASI_HTTP_PATH_MAX) return wrong(e, TS_HTTP_REQUEST_URI_TOO_LONG);
    if (!path_of(m, t, nomem)) return wrong(e, TS_HTTP_REQUEST_URI_INVALID);
    int has_length = ts_wasi_message_length(m, &length);
    if (has_length < 0) return wrong(e, TS_HTTP_PROTOCOL_ERROR);
    if (has_length && length && !m->body) { /* the body can no longer be written */
        *e = ts_http_error_of(TS_HTTP_REQUEST_BODY_SIZE);
        e->has_number = true;
        return false;
    }
    return true;
}

static uint64_t clock_of(const ts_wasi_timeout *t) {
    return !t->set ? 0 : t->ns ? t->ns : 1; /* the client takes 0 as no timeout */
}
static ts_status send(ts_host_call *c, ts_wasi_message *m, target *t, ts_val *result) {
    future *f;
    ts_val *v;
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(client(c));
    TS_TRY(ts_wasi_http_charge(c, FUTURE_WEIGHT));
    ts_status s = ts_wasi_obj_new(c, TS_WASI_FUTURE_RESPONSE, sizeof *f, NULL, &f);
    if (s != TS_OK) {
        ts_wasi_http_release(ts_wasi_of(c), FUTURE_WEIGHT);
        return s;
    }
    f->obj.end = future_end;
    f->obj.ready = future_ready;
    t->r.headers = &m->headers;
    t->r.body = m->body;
    t->r.no_content = m->body && m->body->ended && !m->body->len && !m->body->trailers.len;
    if (m->body && m->body->failed)
        f->error = m->body->error; /* its body was dropped: nothing can be sent */
    else if (!(f->x = ts_http_client_send(ts_wasi_of(c)->http->client, &t->r)))
        return ts_fail_nomem(c->err);
    m->sent = f->x != NULL;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return TS_OK;
}
static ts_status handle(ts_host_call *c, ts_wasi_message *m, const ts_wasi_request_options *o, target *t,
                        ts_val *result) {
    ts_http_error e;
    bool nomem = false;
    TS_TRY(ts_wasi_http_part(ts_wasi_of(c), c->err));
    bool fine = check(m, t, &nomem, &e);
    if (nomem) return ts_fail_nomem(c->err);
    if (fine && !granted(ts_wasi_of(c), t->host, t->host_len, (uint16_t)t->port)) {
        c->denied = true;
        fine = wrong(&e, TS_HTTP_REQUEST_DENIED);
    }
    if (fine && ts_wasi_of(c)->http->bytes > TS_WASI_HTTP_BYTES_MAX - FUTURE_WEIGHT)
        fine = wrong(&e, TS_HTTP_CONNECTION_LIMIT_REACHED);
    if (!fine) {
        if (m->body) ts_http_pipe_fail(m->body, e);
        return ts_wasi_http_fail(c, result, &e);
    }
    if (o) {
        t->r.connect_timeout = clock_of(&o->connect);
        t->r.first_byte_timeout = clock_of(&o->first_byte);
        t->r.between_bytes_timeout = clock_of(&o->between_bytes);
    }
    return send(c, m, t, result);
}

ts_status ts_wasi_http_outgoing_handler_handle(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    const ts_val *options = args[1].variant.disc ? args[1].variant.payload : NULL;
    target t = {0};
    if (m->obj.children)
        return ts_host_trap(c, "an outgoing-request is passed on while %u of its children live", m->obj.children);
    ts_status s = handle(c, m, options ? ts_wasi_obj_of(c, options) : NULL, &t, result);
    free(t.path);
    if (s == TS_OK && options) s = ts_wasi_drop(c, options->handle.rep, "a request-options");
    return s == TS_OK ? ts_wasi_drop(c, args[0].handle.rep, "an outgoing-request") : s;
}
