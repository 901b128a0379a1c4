/* http/types: wasi:http/types: requests and responses, options, the response-outparam.
 * In: parts of messages. Out: the same, checked; messages for the outgoing handler and for servers.
 * wit: wasi:http/types
 * Methods, schemes and names are kept as given. Setters accept what RFC 3986 and 9110 call syntactically
 * valid; handle refuses values that are valid but cannot be sent. */
#include "wasi/http/http.h"
#include "http/uri.h"
#include <stdlib.h>
#include <string.h>

/* Strings of a message are charged by strlen: none contains a NUL. */
static void forget(ts_wasi *w, char **s) {
    if (*s) ts_wasi_http_release(w, strlen(*s));
    free(*s);
    *s = NULL;
}

/* --- messages --- */
static void message_end(ts_wasi *w, ts_wasi_obj *o) {
    ts_wasi_message *m = (ts_wasi_message *)o;
    bool incoming = o->kind == TS_WASI_INCOMING_REQUEST || o->kind == TS_WASI_INCOMING_RESPONSE;
    if (m->body && incoming) { /* it will not be read any further */
        m->body->guest_closed = true;
        ts_http_pipe_notify(m->body);
        ts_wasi_http_release(w, TS_WASI_HTTP_BODY_WEIGHT);
    } else if (m->body && !m->sent) { /* the body will never be read: fail the pipe so that its writer finds out */
        ts_http_pipe_fail(m->body, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "its message was dropped"));
    }
    if (m->body && !incoming) ts_wasi_http_release(w, TS_WASI_HTTP_UNSENT_WEIGHT);
    ts_http_pipe_release(m->body);
    ts_wasi_fields_end(w, &m->headers);
    forget(w, &m->method_name);
    forget(w, &m->scheme_name);
    forget(w, &m->path);
    forget(w, &m->authority);
}
ts_status ts_wasi_message_new(ts_host_call *c, ts_wasi_kind kind, ts_wasi_message **out) {
    TS_TRY(ts_wasi_obj_new(c, kind, sizeof **out, NULL, out));
    (*out)->obj.end = message_end;
    return TS_OK;
}
int ts_wasi_message_length(const ts_wasi_message *m, uint64_t *length) {
    uint32_t i = 0;
    *length = 0;
    if (!ts_http_fields_find(&m->headers, "content-length", &i)) return 0;
    i++;
    return ts_http_fields_find(&m->headers, "content-length", &i) ? -1 : ts_http_content_length(&m->headers, length);
}

/* The setters refuse strings that are longer than any server accepts, like strings with invalid syntax. */
static bool too_long(const ts_val *s) {
    return s->str.len > TS_WASI_HTTP_STRING_MAX;
}

/* Makes a charged copy of a string; NULL means none. */
static ts_status keep(ts_host_call *c, const char *s, size_t len, char **out) {
    if (len > TS_WASI_HTTP_STRING_MAX)
        return ts_host_trap(c, "a part of a request of %llu bytes: %d are allowed", (unsigned long long)len,
                            TS_WASI_HTTP_STRING_MAX);
    TS_TRY(ts_wasi_http_charge(c, len));
    char *copy = malloc(len + 1);
    if (!copy) {
        ts_wasi_http_release(ts_wasi_of(c), len);
        return ts_fail_nomem(c->err);
    }
    if (len) memcpy(copy, s, len);
    copy[len] = 0;
    forget(ts_wasi_of(c), out);
    *out = copy;
    return TS_OK;
}
/* Returns an option<string>. */
static ts_status option(ts_host_call *c, const char *s, ts_val *result) {
    *result = ts_wasi_none;
    if (!s) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = (ts_val){.str = {s, strlen(s)}};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}
static ts_status refused(ts_val *result) { /* err without payload */
    *result = (ts_val){.variant = {.disc = 1}};
    return TS_OK;
}
/* Makes a case of a variant whose last case, other, carries a string. */
static ts_status other(ts_host_call *c, uint32_t disc, const char *name, ts_val *result) {
    *result = (ts_val){.variant = {.disc = disc}};
    if (!name) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = (ts_val){.str = {name, strlen(name)}};
    result->variant.payload = v;
    return TS_OK;
}
static ts_status method_val(ts_host_call *c, const ts_wasi_message *m, ts_val *result) {
    return other(c, m->method, m->method_name, result);
}
static ts_status scheme_val(ts_host_call *c, const ts_wasi_message *m, ts_val *result) {
    *result = ts_wasi_none;
    if (!m->has_scheme) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return other(c, m->scheme, m->scheme_name, v);
}
static ts_status headers_val(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    return ts_wasi_fields_child(c, &m->headers, &m->obj, result);
}

/* --- incoming-request, incoming-response --- */
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

const char *ts_wasi_http_method(uint32_t method) {
    return method < sizeof methods / sizeof *methods ? methods[method] : NULL;
}

static ts_status incoming(ts_host_call *c, const ts_wasi_http_incoming *in, ts_wasi_message **out) {
    ts_wasi_message *m;
    TS_TRY(ts_wasi_message_new(c, TS_WASI_INCOMING_REQUEST, &m));
    *out = m;
    m->method = TS_WASI_HTTP_METHOD_OTHER;
    for (uint32_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(in->method, methods[i]) == 0) m->method = i; /* methods are case-sensitive */
    if (m->method == TS_WASI_HTTP_METHOD_OTHER) TS_TRY(keep(c, in->method, strlen(in->method), &m->method_name));
    if (in->path_with_query) TS_TRY(keep(c, in->path_with_query, strlen(in->path_with_query), &m->path));
    if (in->authority) TS_TRY(keep(c, in->authority, strlen(in->authority), &m->authority));
    if (in->scheme) {
        size_t n = strlen(in->scheme);
        m->has_scheme = true;
        m->scheme = ts_http_name_is(in->scheme, n, "http", 4)    ? TS_WASI_HTTP_SCHEME_HTTP
                    : ts_http_name_is(in->scheme, n, "https", 5) ? TS_WASI_HTTP_SCHEME_HTTPS
                                                                 : TS_WASI_HTTP_SCHEME_OTHER;
        if (m->scheme == TS_WASI_HTTP_SCHEME_OTHER) TS_TRY(keep(c, in->scheme, n, &m->scheme_name));
    }
    TS_TRY(ts_wasi_fields_receive(c, in->headers, &m->headers));
    TS_TRY(ts_wasi_http_charge(c, TS_WASI_HTTP_BODY_WEIGHT));
    m->body = in->body;
    if (m->body)
        ts_http_pipe_hold(m->body);
    else if ((m->body = ts_http_pipe_new()))
        ts_http_pipe_end(m->body);
    if (m->body) return TS_OK;
    ts_wasi_http_release(ts_wasi_of(c), TS_WASI_HTTP_BODY_WEIGHT);
    return ts_fail_nomem(c->err);
}

ts_status ts_wasi_http_types_incoming_request_method(ts_host_call *c, const ts_val *args, ts_val *result) {
    return method_val(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_incoming_request_path_with_query(ts_host_call *c, const ts_val *args, ts_val *result) {
    return option(c, ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->path, result);
}
ts_status ts_wasi_http_types_incoming_request_scheme(ts_host_call *c, const ts_val *args, ts_val *result) {
    return scheme_val(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_incoming_request_authority(ts_host_call *c, const ts_val *args, ts_val *result) {
    return option(c, ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->authority, result);
}
ts_status ts_wasi_http_types_incoming_request_headers(ts_host_call *c, const ts_val *args, ts_val *result) {
    return headers_val(c, args, result);
}
ts_status ts_wasi_http_types_incoming_request_consume(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_message_consume(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_incoming_request_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an incoming-request");
}

ts_status ts_wasi_http_types_incoming_response_status(ts_host_call *c, const ts_val *args, ts_val *result) {
    *result = (ts_val){.u16 = ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->status};
    return TS_OK;
}
ts_status ts_wasi_http_types_incoming_response_headers(ts_host_call *c, const ts_val *args, ts_val *result) {
    return headers_val(c, args, result);
}
ts_status ts_wasi_http_types_incoming_response_consume(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_message_consume(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_incoming_response_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an incoming-response");
}

/* --- outgoing-request --- */
static ts_status outgoing(ts_host_call *c, ts_wasi_kind kind, const ts_val *headers, ts_val *result) {
    ts_wasi_message *m;
    TS_TRY(ts_wasi_message_new(c, kind, &m));
    m->status = 200;
    m->method = TS_WASI_HTTP_METHOD_GET;
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(m)}};
    return ts_wasi_fields_take(c, headers, &m->headers);
}

ts_status ts_wasi_http_types_outgoing_request_new(ts_host_call *c, const ts_val *args, ts_val *result) {
    return outgoing(c, TS_WASI_OUTGOING_REQUEST, &args[0], result);
}
ts_status ts_wasi_http_types_outgoing_request_body(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_message_body(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_outgoing_request_method(ts_host_call *c, const ts_val *args, ts_val *result) {
    return method_val(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_outgoing_request_set_method(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    const ts_val *name = args[1].variant.disc == TS_WASI_HTTP_METHOD_OTHER ? args[1].variant.payload : NULL;
    if (name && (too_long(name) || !ts_http_is_token(name->str.ptr, name->str.len))) return refused(result);
    if (name) {
        TS_TRY(keep(c, name->str.ptr, name->str.len, &m->method_name));
    } else {
        forget(ts_wasi_of(c), &m->method_name);
    }
    m->method = args[1].variant.disc;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_outgoing_request_path_with_query(ts_host_call *c, const ts_val *args, ts_val *result) {
    return option(c, ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->path, result);
}
/* Sets a part that is none or a string with a syntax. */
static ts_status set_part(ts_host_call *c, const ts_val *value, bool (*valid)(const char *, size_t), char **part,
                          ts_val *result) {
    const ts_val *s = value->variant.disc ? value->variant.payload : NULL;
    if (s && (too_long(s) || !valid(s->str.ptr, s->str.len))) return refused(result);
    if (s) {
        TS_TRY(keep(c, s->str.ptr, s->str.len, part));
    } else {
        forget(ts_wasi_of(c), part);
    }
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_outgoing_request_set_path_with_query(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    return set_part(c, &args[1], ts_http_is_path_with_query, &m->path, result);
}
ts_status ts_wasi_http_types_outgoing_request_scheme(ts_host_call *c, const ts_val *args, ts_val *result) {
    return scheme_val(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_outgoing_request_set_scheme(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    const ts_val *scheme = args[1].variant.disc ? args[1].variant.payload : NULL;
    const ts_val *name = scheme && scheme->variant.disc == TS_WASI_HTTP_SCHEME_OTHER ? scheme->variant.payload : NULL;
    if (name && (too_long(name) || !ts_http_is_scheme(name->str.ptr, name->str.len))) return refused(result);
    if (name) {
        TS_TRY(keep(c, name->str.ptr, name->str.len, &m->scheme_name));
    } else {
        forget(ts_wasi_of(c), &m->scheme_name);
    }
    m->has_scheme = scheme != NULL;
    m->scheme = scheme ? scheme->variant.disc : 0;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_outgoing_request_authority(ts_host_call *c, const ts_val *args, ts_val *result) {
    return option(c, ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->authority, result);
}
ts_status ts_wasi_http_types_outgoing_request_set_authority(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    return set_part(c, &args[1], ts_http_is_authority, &m->authority, result);
}
ts_status ts_wasi_http_types_outgoing_request_headers(ts_host_call *c, const ts_val *args, ts_val *result) {
    return headers_val(c, args, result);
}
ts_status ts_wasi_http_types_outgoing_request_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an outgoing-request");
}

/* --- request-options --- */
ts_status ts_wasi_http_types_request_options_new(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    ts_wasi_request_options *o;
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_REQUEST_OPTIONS, sizeof *o, NULL, &o));
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(o)}};
    return TS_OK;
}
static ts_status duration(ts_host_call *c, const ts_wasi_timeout *t, ts_val *result) {
    *result = ts_wasi_none;
    if (!t->set) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = (ts_val){.u64 = t->ns};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}
static ts_status set_duration(ts_wasi_timeout *t, const ts_val *value, ts_val *result) {
    t->set = value->variant.disc == 1;
    t->ns = t->set ? value->variant.payload->u64 : 0;
    return ts_wasi_ok(result);
}
static ts_wasi_request_options *options_of(ts_host_call *c, const ts_val *args) {
    return ts_wasi_obj_of(c, &args[0]);
}
ts_status ts_wasi_http_types_request_options_connect_timeout(ts_host_call *c, const ts_val *args, ts_val *result) {
    return duration(c, &options_of(c, args)->connect, result);
}
ts_status ts_wasi_http_types_request_options_set_connect_timeout(ts_host_call *c, const ts_val *args, ts_val *result) {
    return set_duration(&options_of(c, args)->connect, &args[1], result);
}
ts_status ts_wasi_http_types_request_options_first_byte_timeout(ts_host_call *c, const ts_val *args, ts_val *result) {
    return duration(c, &options_of(c, args)->first_byte, result);
}
ts_status ts_wasi_http_types_request_options_set_first_byte_timeout(ts_host_call *c, const ts_val *args,
                                                                    ts_val *result) {
    return set_duration(&options_of(c, args)->first_byte, &args[1], result);
}
ts_status ts_wasi_http_types_request_options_between_bytes_timeout(ts_host_call *c, const ts_val *args,
                                                                   ts_val *result) {
    return duration(c, &options_of(c, args)->between_bytes, result);
}
ts_status ts_wasi_http_types_request_options_set_between_bytes_timeout(ts_host_call *c, const ts_val *args,
                                                                       ts_val *result) {
    return set_duration(&options_of(c, args)->between_bytes, &args[1], result);
}
ts_status ts_wasi_http_types_request_options_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a request-options");
}

/* --- outgoing-response --- */
ts_status ts_wasi_http_types_outgoing_response_new(ts_host_call *c, const ts_val *args, ts_val *result) {
    return outgoing(c, TS_WASI_OUTGOING_RESPONSE, &args[0], result);
}
ts_status ts_wasi_http_types_outgoing_response_status_code(ts_host_call *c, const ts_val *args, ts_val *result) {
    *result = (ts_val){.u16 = ((ts_wasi_message *)ts_wasi_obj_of(c, &args[0]))->status};
    return TS_OK;
}
/* RFC 9110, 15: three digits. Codes above 599 belong to no class,
 * but servers send them and other runtimes accept them. */
ts_status ts_wasi_http_types_outgoing_response_set_status_code(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_message *m = ts_wasi_obj_of(c, &args[0]);
    if (args[1].u16 < 100 || args[1].u16 > 999) return refused(result);
    m->status = args[1].u16;
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_outgoing_response_headers(ts_host_call *c, const ts_val *args, ts_val *result) {
    return headers_val(c, args, result);
}
ts_status ts_wasi_http_types_outgoing_response_body(ts_host_call *c, const ts_val *args, ts_val *result) {
    return ts_wasi_message_body(c, ts_wasi_obj_of(c, &args[0]), result);
}
ts_status ts_wasi_http_types_outgoing_response_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an outgoing-response");
}

/* --- response-outparam --- */
typedef struct outparam {
    ts_wasi_obj obj;
    ts_wasi_http_responder r; /* without functions once the call is over */
    bool set;
} outparam;

static void answer_error(outparam *o, const ts_http_error *e) {
    if (!o->set && o->r.error) o->r.error(o->r.data, e);
    o->set = true;
}
static void outparam_end(ts_wasi *w, ts_wasi_obj *o) {
    (void)w;
    ts_http_error e =
        ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "the response-outparam was dropped without a response");
    answer_error((outparam *)o, &e);
}

ts_status ts_wasi_http_incoming_new(ts_wasi *w, const ts_wasi_http_incoming *in, const ts_wasi_http_responder *r,
                                    uint64_t *request, uint64_t *out, ts_error *e) {
    ts_host_call c = {.host = w, .err = e};
    ts_wasi_message *m = NULL;
    outparam *o;
    ts_status s = incoming(&c, in, &m);
    if (s == TS_OK) s = ts_wasi_obj_new(&c, TS_WASI_OUTPARAM, sizeof *o, NULL, &o);
    if (s != TS_OK) { /* *e has the reason */
        ts_error none;
        ts_error_init(&none);
        c.err = &none;
        return m && ts_wasi_drop(&c, ts_wasi_rep(m), "an incoming-request") != TS_OK ? none.status : s;
    }
    o->obj.end = outparam_end;
    o->r = *r;
    *request = ts_wasi_rep(m);
    *out = ts_wasi_rep(o);
    return TS_OK;
}
void ts_wasi_http_incoming_over(ts_wasi *w, const void *data) {
    for (ts_wasi_obj *o = w->objects; o; o = o->next)
        if (o->kind == TS_WASI_OUTPARAM && ((outparam *)o)->r.data == data)
            ((outparam *)o)->r = (ts_wasi_http_responder){0};
}

/* Returns true, with the reason in *e, if a response cannot be sent as it is. */
static bool unfit(const ts_wasi_message *m, ts_http_error *e) {
    uint64_t n;
    if (m->status < 200)
        *e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "an informational status (1xx) in the final response");
    else if (ts_wasi_message_length(m, &n) < 0)
        *e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "the response's content-length is not one number");
    else
        return false;
    return true;
}
static void answer(outparam *o, ts_wasi_message *m) {
    ts_http_error e = ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    if (unfit(m, &e)) {
        answer_error(o, &e);
    } else {
        o->set = true;
        m->sent = o->r.respond && o->r.respond(o->r.data, m->status, &m->headers, m->body);
    }
    if (!m->sent && m->body) ts_http_pipe_fail(m->body, e);
}
ts_status ts_wasi_http_types_response_outparam_set(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)result;
    outparam *o = ts_wasi_obj_of(c, &args[0]);
    const ts_val *v = args[1].variant.payload;
    if (args[1].variant.disc) {
        ts_http_error e = ts_wasi_http_code_of(v);
        answer_error(o, &e);
    } else {
        ts_wasi_message *m = ts_wasi_obj_of(c, v);
        if (m->obj.children)
            return ts_host_trap(c, "an outgoing-response is passed on while %u of its children live", m->obj.children);
        answer(o, m);
        TS_TRY(ts_wasi_drop(c, v->handle.rep, "an outgoing-response"));
    }
    return ts_wasi_drop(c, args[0].handle.rep, "a response-outparam");
}
ts_status ts_wasi_http_types_response_outparam_send_informational(ts_host_call *c, const ts_val *args, ts_val *result) {
    outparam *o = ts_wasi_obj_of(c, &args[0]);
    uint16_t status = args[1].u16;
    ts_http_fields headers;
    ts_http_error e;
    TS_TRY(ts_wasi_fields_take(c, &args[2], &headers));
    if (status < 100 || status > 199)
        e = ts_http_error_of(TS_HTTP_PROTOCOL_ERROR);
    else if (status == 101)
        e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "there is no protocol to switch to");
    else if (!o->r.informational)
        e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "informational responses are not supported here");
    else if (!o->r.informational(o->r.data, status, &headers))
        e = ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    else {
        ts_wasi_fields_end(ts_wasi_of(c), &headers);
        return ts_wasi_ok(result);
    }
    ts_wasi_fields_end(ts_wasi_of(c), &headers);
    return ts_wasi_http_fail(c, result, &e);
}
ts_status ts_wasi_http_types_response_outparam_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a response-outparam");
}
