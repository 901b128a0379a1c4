/* test_http_forward: a guest can forward whatever the server accepts: method, target, scheme, authority,
 * fields, trailers, status.
 * In: requests made of random parts, valid and invalid. Out: each accepted request goes through the getters,
 * the setters and outgoing-handler.handle, and reaches the client unchanged.
 * Source: RFC 3986, RFC 9110, RFC 9112;
 * wit: wasi:http/types */
#include "tests/wasi_help.h"
#include <stdio.h>
#include "http/client/chunked.h"
#include "http/client/client.h"
#include "http/server/wire.h"
#include "http/uri.h"
#include "wasi/http/http.h"
#ifdef TS_HTTP_SERVER

#define fields(f) ts_wasi_http_types_fields_##f
#define request(f) ts_wasi_http_types_outgoing_request_##f
#define incoming(f) ts_wasi_http_types_incoming_request_##f
#define LIST(p, n) ((ts_val){.list = {(p), (n)}})
#define NONE ((ts_val){.variant = {.disc = 0}})
#define CASE(d, p) ((ts_val){.variant = {.disc = (d), .payload = (p)}})

/* --- a client that keeps what it is asked to send ------------------------------------------------------- */
struct ts_http_exchange {
    ts_http_error error;
    ts_http_fields headers;
    ts_http_pipe *body;
};
struct ts_http_client {
    int none;
};
static struct {
    char method[TS_HTTP_MAX_METHOD + 1], scheme[8], authority[70000], path[70000];
    ts_http_fields headers;
} sent;

ts_http_client *ts_http_client_new(const char *ca_file) {
    (void)ca_file;
    return calloc(1, sizeof(ts_http_client));
}
void ts_http_client_free(ts_http_client *c) {
    free(c);
}
void ts_http_client_prepare(const char **ca_file, const char **ca_folder) {
    *ca_file = *ca_folder = NULL;
}
void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data) {
    (void)c, (void)may, (void)data;
}
ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r) {
    (void)c;
    snprintf(sent.method, sizeof sent.method, "%s", r->method);
    snprintf(sent.scheme, sizeof sent.scheme, "%s", r->scheme);
    snprintf(sent.authority, sizeof sent.authority, "%s", r->authority);
    snprintf(sent.path, sizeof sent.path, "%s", r->path);
    ts_http_fields_clear(&sent.headers);
    assert_true(ts_http_fields_copy(&sent.headers, r->headers));
    ts_http_exchange *x = calloc(1, sizeof *x);
    if (x) x->body = ts_http_pipe_new();
    return x;
}
void ts_http_exchange_note_poll(ts_http_exchange *x) {
    (void)x;
}
ts_http_progress ts_http_exchange_state(const ts_http_exchange *x) {
    (void)x;
    return TS_HTTP_PENDING;
}
const ts_http_error *ts_http_exchange_error(const ts_http_exchange *x) {
    return &x->error;
}
uint16_t ts_http_exchange_status(const ts_http_exchange *x) {
    (void)x;
    return 200;
}
const ts_http_fields *ts_http_exchange_headers(const ts_http_exchange *x) {
    return &x->headers;
}
ts_http_pipe *ts_http_exchange_body(const ts_http_exchange *x) {
    return x->body;
}
void ts_http_exchange_free(ts_http_exchange *x) {
    if (x) ts_http_pipe_release(x->body);
    free(x);
}
size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    (void)c, (void)w, (void)n, (void)deadline;
    return 0;
}
void ts_http_client_pump(ts_http_client *c) {
    (void)c;
}
bool ts_http_client_idle(const ts_http_client *c) {
    (void)c;
    return true;
}

/* --- a guest that forwards ------------------------------------------------------------------------------ */
enum { BIG = 1 << 19 };
static char buffer[BIG];
static ts_wire wire;

/* The server's verdict on a head: 0 if it is accepted, otherwise a status. */
static int door(const char *head, size_t len) {
    ts_wire_scan scan = {0};
    assert_true(len < BIG);
    memcpy(buffer, head, len);
    ts_wire_free(&wire);
    ts_wire_init(&wire, 0, TS_HTTP_MAX_TRAILERS);
    long end = ts_wire_scan_head(&scan, buffer, len);
    return end <= 0 || (size_t)end != len ? 400 : ts_wire_head(&wire, buffer, len);
}
static int door_of(const char *head) {
    return door(head, strlen(head));
}

/* Makes new fields of the entries in the guest's last result. Returns false if they are refused. */
static bool again(host *h, uint64_t from, uint64_t *to) {
    OK(h, fields(entries), H(from));
    OK(h, fields(from_list), LIST(h->result.list.ptr, h->result.list.len));
    if (h->result.variant.disc) return false;
    *to = rep_ok(h);
    return true;
}

/* Sends what was accepted through a guest, and names what is refused there. */
static const char *forward(host *h) {
    ts_wasi_http_incoming in = {.method = wire.method,
                                .path_with_query = wire.target,
                                .scheme = "http",
                                .authority = wire.authority,
                                .headers = &wire.headers};
    ts_wasi_http_responder nobody = {0};
    uint64_t q, o, f;
    ts_error_init(&h->err);
    if (ts_wasi_http_incoming_new(h->w, &in, &nobody, &q, &o, &h->err) != TS_OK) return "incoming-request";
    OK(h, incoming(headers), H(q));
    uint64_t headers = rep(h);
    if (!again(h, headers, &f)) return "fields.from-list";
    OK(h, request(new), H(f));
    uint64_t r = rep(h);
    OK(h, incoming(method), H(q));
    OK(h, request(set_method), H(r), h->result);
    if (h->result.variant.disc) return "set-method";
    OK(h, incoming(path_with_query), H(q));
    OK(h, request(set_path_with_query), H(r), h->result);
    if (h->result.variant.disc) return "set-path-with-query";
    OK(h, incoming(scheme), H(q));
    OK(h, request(set_scheme), H(r), h->result);
    if (h->result.variant.disc) return "set-scheme";
    OK(h, incoming(authority), H(q));
    OK(h, request(set_authority), H(r), h->result);
    if (h->result.variant.disc) return "set-authority";
    GOOD(h, request(body), H(r)); /* the announced length can be written */
    uint64_t body = rep_ok(h);
    /* a request of HTTP/1.0 may have no authority, and then there is nowhere to send it */
    if (wire.authority) {
        OK(h, ts_wasi_http_outgoing_handler_handle, H(r), NONE);
        if (h->result.variant.disc) return "handle";
        if (ts_wasi_http_types_future_incoming_response_drop(&h->call, rep_ok(h)) != TS_OK) return "a drop";
        if (strcmp(sent.method, wire.method) != 0) return "the method";
        if (strcmp(sent.path, wire.target ? wire.target : "/") != 0) return "the path";
        if (strcmp(sent.authority, wire.authority) != 0) return "the authority";
        uint32_t n = 0;
        for (uint32_t i = 0; i < wire.headers.len; i++) {
            const ts_http_field *a = &wire.headers.data[i];
            if (ts_http_is_connection_field(a->name, a->name_len)) continue;
            if (n == sent.headers.len) return "the fields";
            const ts_http_field *b = &sent.headers.data[n++];
            if (a->name_len != b->name_len || a->value_len != b->value_len ||
                memcmp(a->name, b->name, a->name_len) != 0 || memcmp(a->value, b->value, a->value_len) != 0)
                return "a field";
        }
        if (n != sent.headers.len) return "the fields";
    } else if (ts_wasi_http_types_outgoing_request_drop(&h->call, r) != TS_OK) {
        return "a drop";
    }
    if (ts_wasi_http_types_outgoing_body_drop(&h->call, body) != TS_OK ||
        ts_wasi_http_types_fields_drop(&h->call, headers) != TS_OK || incoming(drop)(&h->call, q) != TS_OK ||
        ts_wasi_http_types_response_outparam_drop(&h->call, o) != TS_OK)
        return "a drop";
    ts_arena_reset(&h->arena);
    return NULL;
}
static int setup(void **state) {
    if (host_new(state)) return -1;
    host *h = *state;
    return ts_wasi_allow_http_all(h->w, true, &h->err) == TS_OK ? 0 : -1;
}
static int teardown(void **state) {
    ts_wire_free(&wire);
    ts_http_fields_clear(&sent.headers);
    return host_end(state);
}
static void goes_on(host *h, const char *head) {
    assert_int_equal(door_of(head), 0);
    const char *stuck = forward(h);
    if (stuck) fail_msg("%s: %s", stuck, head);
}

/* --- byte by byte --------------------------------------------------------------------------------------- */
/* Every byte at the beginning, within and at the end of a part is accepted exactly if the setter accepts
 * it. */
static void each_byte(void **state) {
    host *h = *state;
    static const struct {
        const char *before, *after;
        enum { METHOD, PATH, HOST, NAME, VALUE } part;
    } places[] = {{"", "ET / HTTP/1.1\r\nHost: a\r\n\r\n", METHOD},
                  {"G", "T / HTTP/1.1\r\nHost: a\r\n\r\n", METHOD},
                  {"GE", " / HTTP/1.1\r\nHost: a\r\n\r\n", METHOD},
                  {"GET /", "b HTTP/1.1\r\nHost: a\r\n\r\n", PATH},
                  {"GET /a", " HTTP/1.1\r\nHost: a\r\n\r\n", PATH},
                  {"GET /?", "b HTTP/1.1\r\nHost: a\r\n\r\n", PATH},
                  {"GET http://a/", " HTTP/1.1\r\nHost: a\r\n\r\n", PATH},
                  {"GET http://a?", " HTTP/1.1\r\nHost: a\r\n\r\n", PATH},
                  {"GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", HOST},
                  {"GET / HTTP/1.1\r\nHost: a:8", "\r\n\r\n", HOST},
                  {"GET / HTTP/1.1\r\nHost: [::", "]\r\n\r\n", HOST},
                  {"GET http://a", "b/ HTTP/1.1\r\nHost: a\r\n\r\n", HOST},
                  {"CONNECT a", "b:1 HTTP/1.1\r\nHost: a\r\n\r\n", HOST},
                  {"GET / HTTP/1.1\r\nHost: a\r\nx", "y: b\r\n\r\n", NAME},
                  {"GET / HTTP/1.1\r\nHost: a\r\nx: y", "z\r\n\r\n", VALUE},
                  {"GET / HTTP/1.1\r\nHost: a\r\nx:", "\r\n\r\n", VALUE}};
    int in = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int c = 0; c < 256; c++) {
            char head[200], byte = (char)c;
            size_t before = strlen(places[i].before), after = strlen(places[i].after);
            memcpy(head, places[i].before, before);
            head[before] = byte;
            memcpy(head + before + 1, places[i].after, after);
            bool let_in = door(head, before + 1 + after) == 0, taken = false;
            char text[3] = {'a', byte, 'b'}, path[3] = {'/', byte, 'b'};
            switch (places[i].part) {
            case METHOD: taken = ts_http_is_token(&byte, 1); break;
            case PATH: taken = ts_http_is_path_with_query(path, 3); break;
            /* a setter may accept more; forward checks that it accepts what the server accepts */
            case HOST: taken = let_in; break;
            case NAME: taken = ts_http_is_token(text, 3) || byte == ':'; break; /* a shorter name */
            case VALUE: taken = ts_http_is_field_value(text, 3); break;
            }
            /* "GET http://a/" is a different request if the byte ends the target or the line */
            if (let_in != taken) fail_msg("0x%02x after %s is %s", c, places[i].before, let_in ? "let in" : "refused");
            if (!let_in) continue;
            const char *stuck = forward(h);
            if (stuck) fail_msg("%s: 0x%02x after %s", stuck, c, places[i].before);
            in++;
        }
    assert_true(in > 500);
}

/* --- known parts ---------------------------------------------------------------------------------------- */
static void odd_but_right(void **state) {
    host *h = *state;
    static const char *const heads[] = {
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS http://a HTTP/1.1\r\nHost: b\r\n\r\n",
        "OPTIONS http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET http://a HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET http://a:/?q HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET hTTp://a?q HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET // HTTP/1.1\r\nHost: a:65535\r\n\r\n",
        "GET /%00%ff?%2F/?:@!$&'()*+,;=-._~ HTTP/1.1\r\nHost: %41-._~!$&'()*+,;=:1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:80\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [v1.a:b]\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n",
        "GET http://a:00/b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.7\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        "CONNECT [::1]:1 HTTP/1.1\r\nHost: b\r\n\r\n",
        "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: \xff\t\x80\r\nempty:\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: x\r\nCookie: a=b\r\nAuthorization: c\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\nUpgrade: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nProxy-Connection: x\r\nHTTP2-Settings: y\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) goes_on(h, heads[i]);
}
static void refused_at_the_door(void **state) {
    (void)state;
    static const char *const targets[] = {"/a|b",
                                          "/a[b]",
                                          "/?a[]=1",
                                          "/\"",
                                          "/<",
                                          "/\\",
                                          "/^",
                                          "/`",
                                          "/{}",
                                          "/%",
                                          "/%4",
                                          "/%zz",
                                          "/#",
                                          "/a#b",
                                          "/\x7f",
                                          "/\xc3\xa4",
                                          "a",
                                          "*",
                                          "?a",
                                          "",
                                          "http://",
                                          "http:///",
                                          "http://u@a/",
                                          "http://a:x/",
                                          "ftp:/",
                                          "a:1",
                                          "http:/a",
                                          "http://a#",
                                          "http://[::]x",
                                          "http://a/|",
                                          "http://a:65536/",
                                          "http://[::1%25lo]/"};
    static const char *const hosts[] = {"a b",          "u@a",    "a:65536", "a:x",     ":1",
                                        "[::1",         "[::1]x", "[]",      "[:::]",   "[1.2.3.4]",
                                        "a/",           "a?",     "a#",      "a\\b",    "[fe80::1%25lo]",
                                        "[fe80::1%lo]", "%zz",    "a,b:c",   "\xc3\xa4"};
    char head[200];
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        if (door_of(head) != 400) fail_msg("%s", head);
    }
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
        if (door_of(head) != 400) fail_msg("%s", head);
    }
}

/* --- sizes ---------------------------------------------------------------------------------------------- */
static char *made(const char *before, size_t n, const char *after) {
    char *s = malloc(strlen(before) + n + strlen(after) + 1);
    assert_non_null(s);
    sprintf(s, "%s%*s", before, (int)n, "");
    memset(s + strlen(before), 'x', n);
    return strcat(s, after);
}
static void sizes(void **state) {
    host *h = *state;
    static const struct {
        const char *before, *after;
        size_t most; /* letters */
        int status;  /* one byte more */
    } all[] = {{"", " / HTTP/1.1\r\nHost: a\r\n\r\n", TS_HTTP_MAX_METHOD, 501},
               {"GET /", " HTTP/1.1\r\nHost: a\r\n\r\n", TS_HTTP_MAX_TARGET - 1, 414},
               {"GET / HTTP/1.1\r\nHost: a\r\na:", "\r\n\r\n", TS_HTTP_MAX_FIELD - 1, 431},
               {"GET / HTTP/1.1\r\nHost: a\r\n", ":\r\n\r\n", TS_HTTP_MAX_FIELD, 431}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *good = made(all[i].before, all[i].most, all[i].after),
             *bad = made(all[i].before, all[i].most + 1, all[i].after);
        goes_on(h, good);
        assert_int_equal(door_of(bad), all[i].status);
        free(good);
        free(bad);
    }
    /* all fields together, with 32 bytes for each in addition to its name and value */
    size_t host_weight = 4 + 1 + 32, left = TS_HTTP_MAX_FIELDS - host_weight - 1 - TS_HTTP_MAX_FIELD / 2 - 32;
    char *first = made("GET / HTTP/1.1\r\nHost: a\r\na:", TS_HTTP_MAX_FIELD / 2, "\r\nb:");
    char *second = made(first, TS_HTTP_MAX_FIELD / 2, "\r\nc:");
    left -= 1 + TS_HTTP_MAX_FIELD / 2 + 32 + 1 + 32;
    char *good = made(second, left - TS_HTTP_MAX_FIELD / 2 - 33, "\r\nd:"),
         *most = made(good, TS_HTTP_MAX_FIELD / 2, "\r\n\r\n"),
         *more = made(good, TS_HTTP_MAX_FIELD / 2 + 1, "\r\n\r\n");
    goes_on(h, most);
    assert_int_equal(wire.headers.bytes, TS_HTTP_MAX_FIELDS);
    assert_int_equal(door_of(more), 431);
    free(first), free(second), free(good), free(most), free(more);
    /* a smaller limit for this guest: 34 bytes a field */
    ts_http_fields f = {0};
    ts_wasi_limit_http_fields(h->w, 68);
    for (int i = 0; i < 3; i++) {
        assert_true(ts_http_fields_add(&f, "a", 1, "b", 1));
        assert_int_equal(ts_wasi_http_fields_fit(h->w, &f), i < 2);
    }
    ts_http_fields_clear(&f);
}

/* --- trailers, responses -------------------------------------------------------------------------------- */
static void trailers(void **state) {
    host *h = *state;
    static const char *const names[] = {"x",      "Content-Type", "content-length", "TE",         "Trailer",
                                        "Host",   "Expect",       "ETag",           "connection", "keep-alive",
                                        "Cookie", "upgrade",      "content-md5"};
    int through = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char body[100];
        ts_http_pipe *p = ts_http_pipe_new();
        size_t used, n = (size_t)snprintf(body, sizeof body, "0\r\n%s: \t v \t\r\n\r\n", names[i]);
        assert_int_equal(door_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
        assert_int_equal(ts_wire_body(&wire, body, n, &used, p), TS_WIRE_END);
        through += (int)p->trailers.len;
        /* as those of a response: the same ones remain */
        ts_http_pipe *r = ts_http_pipe_new();
        ts_http_chunked c = {0};
        assert_int_equal(ts_http_chunked_feed(&c, body, n, r, 1000), TS_HTTP_CHUNKED_END);
        ts_http_chunked_free(&c);
        ts_wasi_trailers_strip(&r->trailers);
        assert_int_equal(r->trailers.len, p->trailers.len);
        if (p->trailers.len) { /* outgoing-body.finish accepts them */
            OK(h, fields(new), {0});
            OK(h, request(new), H(rep(h)));
            uint64_t q = rep(h);
            GOOD(h, request(body), H(q));
            uint64_t b = rep_ok(h);
            ts_val pair[2] = {STR(p->trailers.data[0].name),
                              BYTES(p->trailers.data[0].value, p->trailers.data[0].value_len)},
                   entry = LIST(pair, 2);
            GOOD(h, fields(from_list), LIST(&entry, 1));
            ts_val own = H(rep_ok(h));
            GOOD(h, ts_wasi_http_types_outgoing_body_finish, H(b), CASE(1, &own));
        }
        ts_http_pipe_release(p);
        ts_http_pipe_release(r);
    }
    assert_int_equal(through, 4); /* x, ETag, Cookie, content-md5 */
}
static void statuses(void **state) {
    host *h = *state;
    OK(h, fields(new), {0});
    OK(h, ts_wasi_http_types_outgoing_response_new, H(rep(h)));
    uint64_t r = rep(h);
    for (uint16_t s = 200; s < 1000; s++)
        GOOD(h, ts_wasi_http_types_outgoing_response_set_status_code, H(r), ((ts_val){.u16 = s}));
}

/* --- random --------------------------------------------------------------------------------------------- */
static uint32_t seed;
static uint32_t rnd(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}
/* Up to n pieces of `usual`, and sometimes any byte. */
static size_t some(char *to, const char *usual, uint32_t n, uint32_t odd) {
    size_t len = rnd(n), all = strlen(usual);
    for (size_t i = 0; i < len; i++) to[i] = rnd(1000) < odd ? (char)rnd(256) : usual[rnd((uint32_t)all)];
    return len;
}
static size_t text(char *to, const char *s) {
    memcpy(to, s, strlen(s));
    return strlen(s);
}
static size_t random_head(char *b) {
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH", "M-SEARCH"};
    static const char *const hosts[] = {"a",   "example.org", "1.2.3.4",     "[::1]", "[2001:db8::1]",
                                        "x_y", "A%2e",        "[::1.2.3.4]", "xn--a"};
    static const char *const ports[] = {"", ":80", ":1", ":65535", ":0", ":65536", ":", ":08"};
    static const char *const names[] = {"a",       "X-B",        "Content-Length", "Content-Type", "TE",
                                        "Trailer", "Connection", "Cookie",         "Expect",       "Upgrade"};
    static const char pchar[] = "abcxyz019/-._~!$&'()*+,;=:@?/%", token[] = "abcXYZ019!#$%&'*+-.^_`|~",
                      value[] = "abc 123\t,;=\"\\()[]{}<>@:/?\x80\xff\xe4";
    const uint32_t odd = rnd(4) ? 0 : 30;
    char *p = b;
    p += rnd(5) ? text(p, methods[rnd(10)]) : some(p, token, 8, odd);
    p += text(p, " ");
    switch (rnd(8)) {
    case 0:
        p += text(p, "http://");
        p += text(p, hosts[rnd(9)]);
        p += text(p, ports[rnd(8)]);
        p += some(p, "/?abc", 4, odd);
        break;
    case 1: p += text(p, "*"); break;
    case 2:
        p += text(p, hosts[rnd(9)]);
        p += text(p, ports[rnd(8)]);
        break;
    default:
        p += text(p, "/");
        p += some(p, pchar, 12, odd);
        if (!rnd(3)) p += text(p, "%20");
    }
    p += text(p, rnd(10) ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
    p += text(p, "Host: ");
    p += rnd(8) ? text(p, hosts[rnd(9)]) : some(p, "abc.-_~!$&'()*+,;=%41:[]@", 8, odd);
    p += text(p, ports[rnd(8)]);
    for (uint32_t n = rnd(5); n; n--) {
        p += text(p, "\r\n");
        p += rnd(3) ? text(p, names[rnd(10)]) : some(p, token, 8, odd) + 0;
        p += text(p, rnd(20) ? ":" : " :");
        p += rnd(3) ? some(p, value, 12, odd) : text(p, rnd(2) ? "0" : " \t");
    }
    p += text(p, "\r\n\r\n");
    return (size_t)(p - b);
}
static void at_random(void **state) {
    host *h = *state;
    int in = 0;
    for (seed = 1; seed && in < 4000;) {
        char head[1000];
        uint32_t from = seed;
        size_t n = random_head(head);
        if (door(head, n) != 0) continue;
        const char *stuck = forward(h);
        if (stuck) fail_msg("%s (seed %u): %.*s", stuck, from, (int)n, head);
        in++;
    }
    assert_int_equal(in, 4000);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(each_byte), T(odd_but_right), T(refused_at_the_door), T(sizes), T(trailers),
                                       T(statuses),  T(at_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    return 0;
}
#endif
