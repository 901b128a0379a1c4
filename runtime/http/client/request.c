/* request: checks a guest's request and converts it for libcurl.
 * In: a ts_http_request. Out: the exchange's host, port, target and fields, or the reason why it is
 * not sent. Source: RFC 9110, RFC 3986 */
#define _GNU_SOURCE
#include "http/client/exchange.h"
#include "base/cfi.h"
#include "http/uri.h"

#ifdef TS_HTTP_CURL
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets host and port. An authority that is not a name of the DNS is reported as not found, as other
 * runtimes do. wit: authority */
static bool set_authority(ts_http_exchange *x, const char *s) {
    char host[254];
    const char *name;
    size_t len;
    ts_sys_addr a;
    int32_t port;
    if (!ts_http_host_port(s, strlen(s), &name, &len, &port)) {
        ts_http_exchange_set_error_code(x, TS_HTTP_REQUEST_URI_INVALID);
        return false;
    }
    if (port == 0) { /* as connect() reports it */
        ts_http_exchange_set_error_code(x, TS_HTTP_CONNECTION_REFUSED);
        return false;
    }
    if (ts_sys_name_check(name, len, host) != TS_SYS_LOOKUP_OK) {
        ts_http_exchange_set_error_code(x, TS_HTTP_DNS_ERROR);
        return false;
    }
    x->port = port > 0 ? (uint16_t)port : x->https ? 443 : 80;
    x->literal = ts_sys_addr_parse(host, strlen(host), &a);
    x->host = strdup(host);
    bool room = x->host && asprintf(&x->url, x->literal && a.v6 ? "%s://[%s]:%u/" : "%s://%s:%u/",
                                    x->https ? "https" : "http", host, x->port) >= 0;
    if (!room) {
        x->url = NULL;
        ts_http_exchange_set_error_nomem(x);
    }
    return room;
}

static TS_UNCHECKED_CALLS bool add_line(ts_http_exchange *x, const char *line) {
    struct curl_slist *longer = x->c->l.curl_slist_append(x->fields, line);
    if (!longer) return false;
    x->fields = longer;
    return true;
}

/* Checks the fields and notes x->http1. Returns false after setting an error. */
static bool check_fields(ts_http_exchange *x) {
    const ts_http_fields *f = &x->request_fields;
    uint32_t hosts = 0;
    if (f->bytes > TS_HTTP_MAX_REQUEST_HEAD) {
        ts_http_exchange_set_error_number(x, TS_HTTP_REQUEST_HEADER_SECTION_SIZE, f->bytes);
        return false;
    }
    for (uint32_t i = 0; i < f->len; i++) {
        const ts_http_field *h = &f->data[i];
        hosts += ts_http_name_is(h->name, h->name_len, "host", 4);
        if (!ts_http_is_token(h->name, h->name_len) || !ts_http_is_field_value(h->value, h->value_len) || hosts > 1 ||
            ts_http_name_is(h->name, h->name_len, "transfer-encoding", 17)) {
            /* guests do not choose how a body is framed */
            ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
            return false;
        }
        x->http1 |= ts_http_name_is(h->name, h->name_len, "trailer", 7);
    }
    return true;
}

static bool add_field(ts_http_exchange *x, const ts_http_field *h) {
    const char *v = h->value;
    size_t len = h->value_len;
    char *line;
    ts_http_trim(&v, &len);
    /* "name;" is libcurl's notation for a field without a value */
    if (asprintf(&line, len ? "%s: %.*s" : "%s;%.*s", h->name, (int)len, v) < 0) return false;
    bool added = add_line(x, line);
    free(line);
    return added;
}

/* Adds the guest's fields, and suppresses those that libcurl would add. */
bool ts_http_request_fields(ts_http_exchange *x) {
    static const char *const added[] = {"Host", "Accept", "User-Agent", "Content-Type"};
    bool given[sizeof added / sizeof *added] = {0}, measured = false, te = false, te_announced = false;
    const ts_http_fields *f = &x->request_fields;
    /* libcurl uses the first field of a name and does not send one without a value. So it does not
     * see the guest's "100-continue", for which it would repeat the request after a 417. */
    bool room = add_line(x, "Expect:");
    for (uint32_t i = 0; i < f->len && room; i++) {
        const ts_http_field *h = &f->data[i];
        const char *v = h->value;
        size_t len = h->value_len;
        ts_http_trim(&v, &len);
        for (size_t k = 0; k < sizeof added / sizeof *added; k++)
            given[k] |= ts_http_name_is(h->name, h->name_len, added[k], strlen(added[k]));
        measured |= ts_http_name_is(h->name, h->name_len, "content-length", 14);
        te |= ts_http_name_is(h->name, h->name_len, "te", 2);
        te_announced |= ts_http_name_is(h->name, h->name_len, "connection", 10) && ts_http_list_has(v, len, "te");
        if (ts_http_name_is(h->name, h->name_len, "expect", 6) && ts_http_name_is(v, len, "100-continue", 12)) {
            if (!x->out || x->out_eof) continue; /* RFC 9110, 10.1.1: not of a request without content */
            x->expecting = true;
        }
        room = add_field(x, h);
    }
    for (size_t k = 0; k < sizeof added / sizeof *added && room; k++) {
        char *line;
        if (given[k]) continue;
        room = asprintf(&line, k ? "%s:" : "%s: %s", added[k], x->authority) >= 0;
        if (room) {
            room = add_line(x, line);
            free(line);
        }
    }
    /* RFC 9110, 10.1.4: a TE is for the next recipient alone, which Connection says. libcurl sends
     * neither over HTTP/2, but for the "trailers" that HTTP/2 allows (RFC 9113, 8.2.2). */
    if (te && !te_announced && room) room = add_line(x, "Connection: TE");
    /* RFC 9110, 8.6: sent even for 0 bytes if the method gives content a meaning */
    static const char *const with_content[] = {"POST", "PUT", "PATCH"};
    for (size_t k = 0; k < sizeof with_content / sizeof *with_content && room && !x->out && !measured; k++)
        if (strcmp(x->method, with_content[k]) == 0) room = add_line(x, "Content-Length: 0");
    ts_http_fields_clear(&x->request_fields);
    if (!room) ts_http_exchange_set_error_nomem(x);
    return room;
}

bool ts_http_request_prepare(ts_http_exchange *x, const ts_http_request *r) {
    ts_http_client *c = x->c;
    int length;
    if (c->n > TS_HTTP_MAX_EXCHANGES) {
        ts_http_exchange_set_error_code(x, TS_HTTP_CONNECTION_LIMIT_REACHED);
        return false;
    }
    if (!c->multi) {
        ts_http_exchange_set_error(x,
                                   ts_http_error_text(TS_HTTP_INTERNAL_ERROR, c->problem ? c->problem : "no memory"));
        return false;
    }
    if (!ts_http_is_token(r->method, strlen(r->method))) {
        ts_http_exchange_set_error_code(x, TS_HTTP_REQUEST_METHOD_INVALID);
        return false;
    }
    x->connect = strcmp(r->method, "CONNECT") == 0;
    x->http1 = x->connect;
    if (strlen(r->path) > TS_HTTP_MAX_TARGET) {
        ts_http_exchange_set_error_code(x, TS_HTTP_REQUEST_URI_TOO_LONG);
        return false;
    }
    x->https = strcmp(r->scheme, "https") == 0;
    if ((!x->https && strcmp(r->scheme, "http") != 0) ||
        !ts_http_is_origin_target(r->path, strlen(r->path), r->method)) {
        ts_http_exchange_set_error_code(x, TS_HTTP_REQUEST_URI_INVALID);
        return false;
    }
    if (!set_authority(x, r->authority)) return false;
    length = r->headers ? ts_http_content_length(r->headers, &x->length) : 0;
    if (length < 0 || x->length > INT64_MAX) {
        ts_http_exchange_set_error_code(x, TS_HTTP_REQUEST_BODY_SIZE);
        return false;
    }
    x->has_length = length > 0;
    if (x->has_length && x->length && !x->out) {
        ts_http_exchange_set_error_number(x, TS_HTTP_REQUEST_BODY_SIZE, 0);
        return false;
    }
    if (x->out && x->has_length && x->length == 0) x->out_eof = true;
    x->method = strdup(r->method);
    x->authority = strdup(r->authority);
    /* RFC 9112, 3.2.3: the target of a CONNECT is the host with its port, which is mandatory */
    if (!x->connect)
        x->target = strdup(r->path);
    else if (asprintf(&x->target, strchr(x->host, ':') ? "[%s]:%u" : "%s:%u", x->host, x->port) < 0)
        x->target = NULL;
    if (!x->method || !x->target || !x->host || !x->authority ||
        (r->headers && !ts_http_fields_copy(&x->request_fields, r->headers))) {
        ts_http_exchange_set_error_nomem(x);
        return false;
    }
    static const char *const idempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof idempotent / sizeof *idempotent; i++)
        x->idempotent |= strcmp(r->method, idempotent[i]) == 0;
    x->head = strcmp(r->method, "HEAD") == 0;
    return check_fields(x);
}

#endif
