/* test_wasi_http: fields, messages, bodies, trailers, the outparam and outgoing requests, rule by rule.
 * In: host functions called as a guest would, with a client and a responder of this test. Out: values,
 * errors, traps.
 * wit: wasi:http/types, outgoing-handler */
#include "tests/wasi_help.h"
#include "tests/refuse_memory.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "sys/clock.h"
#include "http/client/client.h"
#include "wasi/http/http.h"

#define fields(f) ts_wasi_http_types_fields_##f
#define request(f) ts_wasi_http_types_outgoing_request_##f
#define response(f) ts_wasi_http_types_outgoing_response_##f
#define options(f) ts_wasi_http_types_request_options_##f
#define incoming(f) ts_wasi_http_types_incoming_request_##f
#define answer(f) ts_wasi_http_types_incoming_response_##f
#define inbody(f) ts_wasi_http_types_incoming_body_##f
#define outbody(f) ts_wasi_http_types_outgoing_body_##f
#define trailers(f) ts_wasi_http_types_future_trailers_##f
#define future(f) ts_wasi_http_types_future_incoming_response_##f
#define outparam(f) ts_wasi_http_types_response_outparam_##f
#define in(f) ts_wasi_io_streams_input_stream_##f
#define out(f) ts_wasi_io_streams_output_stream_##f
#define poll_ready ts_wasi_io_poll_pollable_ready
#define HANDLE ts_wasi_http_outgoing_handler_handle
#define CODE(name) TS_WASI_HTTP_ERROR_CODE_##name
enum {
    INVALID = TS_WASI_HTTP_HEADER_ERROR_INVALID_SYNTAX,
    FORBIDDEN = TS_WASI_HTTP_HEADER_ERROR_FORBIDDEN,
    IMMUTABLE = TS_WASI_HTTP_HEADER_ERROR_IMMUTABLE,
    FAILED = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED,
    CLOSED = TS_WASI_IO_STREAM_ERROR_CLOSED,
    GET = TS_WASI_HTTP_METHOD_GET,
    OPTIONS = TS_WASI_HTTP_METHOD_OPTIONS,
    OTHER = TS_WASI_HTTP_METHOD_OTHER,
    HTTP = TS_WASI_HTTP_SCHEME_HTTP,
    HTTPS = TS_WASI_HTTP_SCHEME_HTTPS,
    OTHER_SCHEME = TS_WASI_HTTP_SCHEME_OTHER,
};
/* Literals for arguments, in addition to H, STR, BYTES and U64: */
#define VAR(d) ((ts_val){.variant = {.disc = (d)}})
#define CASE(d, p) ((ts_val){.variant = {.disc = (d), .payload = (p)}})
#define LIST(p, n) ((ts_val){.list = {(p), (n)}})
#define NONE VAR(0)
#define U16(n) ((ts_val){.u16 = (n)})
#define DROPS(h, fn, r)                                                                                                \
    do {                                                                                                               \
        ts_error_init(&(h)->err);                                                                                      \
        assert_int_equal(fn(&(h)->call, r), TS_OK);                                                                    \
    } while (0)
#define DROP_TRAPS(h, fn, r)                                                                                           \
    do {                                                                                                               \
        ts_error_init(&(h)->err);                                                                                      \
        assert_int_equal(fn(&(h)->call, r), TS_TRAP);                                                                  \
    } while (0)
/* err of a result without payload */
#define REFUSED(h, fn, ...)                                                                                            \
    do {                                                                                                               \
        OK(h, fn, __VA_ARGS__);                                                                                        \
        assert_int_equal((h)->result.variant.disc, 1);                                                                 \
        assert_null((h)->result.variant.payload);                                                                      \
    } while (0)

/* --- a client of the test's own ------------------------------------------------------------------------- */
struct ts_http_exchange {
    ts_http_client *client;
    ts_http_progress state;
    ts_http_error error;
    uint16_t status;
    ts_http_fields headers, sent;
    ts_http_pipe *body, *request;
    char line[200]; /* method scheme authority path */
    ts_http_request r;
    bool freed, reads;
    char *got; /* of the request's body */
    size_t n_got;
    ts_http_exchange *next;
    int pumps; /* responds after this many pumps, counted from 1 */
};
struct ts_http_client {
    char ca[100];
};
static struct {
    ts_http_exchange *last;
    int clients, live, pumps, kicks;
    ts_http_may_connect may;
    void *may_data;
    bool on; /* whether the client has something to wait for */
} fake;

enum { GOT_MAX = 200000 };
static void request_kick(ts_http_pipe *p) {
    ts_http_exchange *x = p->wire_data;
    fake.kicks++;
    if (!x->got) x->got = __real_malloc(GOT_MAX);
    if (x->reads) x->n_got += ts_http_pipe_take(p, x->got + x->n_got, GOT_MAX - x->n_got);
}
static bool by_driver(ts_http_pipe *p, ts_sys_wait *w) {
    (void)p, (void)w;
    return false;
}
static const ts_http_wire_ops request_wire_ops = {request_kick, by_driver};

ts_http_client *ts_http_client_new(const char *ca_file) {
    ts_http_client *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    if (ca_file) snprintf(c->ca, sizeof c->ca, "%s", ca_file);
    fake.clients++;
    return c;
}
static void exchanges_end(void) {
    for (ts_http_exchange *x = fake.last, *next; x; x = next) {
        next = x->next;
        if (x->request) x->request->wire = NULL;
        ts_http_pipe_release(x->request);
        if (x->body) x->body->wire = NULL;
        ts_http_pipe_release(x->body);
        ts_http_fields_clear(&x->headers);
        ts_http_fields_clear(&x->sent);
        free(x->got);
        free(x);
    }
    fake.last = NULL;
}
void ts_http_client_free(ts_http_client *c) {
    exchanges_end();
    free(c);
    fake.clients--;
}
void ts_http_client_prepare(const char **ca_file, const char **ca_folder) {
    *ca_file = *ca_folder = NULL;
}
void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data) {
    (void)c;
    fake.may = may;
    fake.may_data = data;
}
ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r) {
    ts_http_exchange *x = calloc(1, sizeof *x);
    if (!x || !ts_http_fields_copy(&x->sent, r->headers) || !(x->body = ts_http_pipe_new())) {
        if (x) ts_http_fields_clear(&x->sent);
        free(x);
        return NULL;
    }
    x->next = fake.last;
    fake.last = x;
    x->client = c;
    x->r = *r;
    snprintf(x->line, sizeof x->line, "%s %s %s %s", r->method, r->scheme, r->authority, r->path);
    x->reads = true;
    if (r->body) {
        x->request = r->body;
        ts_http_pipe_hold(r->body);
        r->body->wire = &request_wire_ops;
        r->body->wire_data = x;
        request_kick(r->body);
    }
    fake.live++;
    fake.on = true;
    return x;
}
void ts_http_exchange_note_poll(ts_http_exchange *x) {
    (void)x;
}
ts_http_progress ts_http_exchange_state(const ts_http_exchange *x) {
    return x->state;
}
const ts_http_error *ts_http_exchange_error(const ts_http_exchange *x) {
    return &x->error;
}
uint16_t ts_http_exchange_status(const ts_http_exchange *x) {
    return x->status;
}
const ts_http_fields *ts_http_exchange_headers(const ts_http_exchange *x) {
    return &x->headers;
}
ts_http_pipe *ts_http_exchange_body(const ts_http_exchange *x) {
    return x->body;
}
void ts_http_exchange_free(ts_http_exchange *x) {
    x->freed = true;
    fake.live--;
}
size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    (void)c, (void)w, (void)n;
    uint64_t soon = ts_sys_monotonic() + 1000000;
    if (fake.on && soon < *deadline) *deadline = soon;
    return 0;
}
void ts_http_client_pump(ts_http_client *c) {
    (void)c;
    fake.pumps++;
    ts_http_exchange *x = fake.last;
    if (x && x->pumps && --x->pumps == 0) {
        x->state = TS_HTTP_RESPONDED;
        x->status = 200;
    }
}
bool ts_http_client_idle(const ts_http_client *c) {
    (void)c;
    return !fake.last;
}

/* --- what many tests need ------------------------------------------------------------------------------- */
static uint64_t new_fields(host *h) {
    OK(h, fields(new), {0});
    return rep(h);
}
/* name: value, … ended by NULL */
static uint64_t fields_with(host *h, const char *name, ...) {
    uint64_t f = new_fields(h);
    va_list ap;
    va_start(ap, name);
    for (; name; name = va_arg(ap, const char *)) {
        const char *value = va_arg(ap, const char *);
        GOOD(h, fields(append), H(f), STR(name), BYTES(value, strlen(value)));
    }
    va_end(ap);
    return f;
}
/* "name=value,name=value" */
static const char *shown(host *h, uint64_t f) {
    static char buf[2000];
    OK(h, fields(entries), H(f));
    buf[0] = 0;
    for (size_t i = 0; i < h->result.list.len; i++) {
        const ts_val *pair = h->result.list.ptr[i].list.ptr;
        snprintf(buf + strlen(buf), sizeof buf - strlen(buf), "%s%.*s=%.*s", i ? "," : "", (int)pair[0].str.len,
                 pair[0].str.ptr, (int)pair[1].raw.len, (const char *)pair[1].raw.ptr);
    }
    return buf;
}
static uint64_t kept(const host *h) {
    return h->w->http ? h->w->http->bytes : 0;
}
static int end(void **state) {
    host *h = *state;
    ts_wasi *w = h->w;
    while (w->objects) { /* handles that the guest left; afterwards nothing is counted any more */
        ts_wasi_obj *o = w->objects;
        assert_int_equal(o->children, 0);
        ts_error_init(&h->err);
        assert_int_equal(ts_wasi_drop(&h->call, o->id, "it"), TS_OK);
    }
    uint64_t left = kept(h);
    host_end(state);
    if (fake.clients || fake.live || fake.last) return -1;
    memset(&fake, 0, sizeof fake);
    return left ? -1 : 0;
}
static uint64_t new_request(host *h, uint64_t f) {
    OK(h, request(new), H(f));
    return rep(h);
}
/* a request to http://example.org/ */
static uint64_t a_request(host *h, uint64_t f) {
    uint64_t r = new_request(h, f);
    ts_val http = VAR(HTTP), name = STR("example.org");
    GOOD(h, request(set_scheme), H(r), CASE(1, &http));
    GOOD(h, request(set_authority), H(r), CASE(1, &name));
    return r;
}
static void allow(host *h) {
    assert_int_equal(ts_wasi_allow_http_all(h->w, true, &h->err), TS_OK);
}
/* handle: ok(future) */
static uint64_t handle(host *h, uint64_t r) {
    GOOD(h, HANDLE, H(r), NONE);
    return rep_ok(h);
}
static bool ready(host *h, uint64_t pollable) {
    OK(h, poll_ready, H(pollable));
    return h->result.b;
}
static uint64_t body_of(host *h, uint64_t r) {
    GOOD(h, request(body), H(r));
    return rep_ok(h);
}
static uint64_t stream_of(host *h, uint64_t body) {
    GOOD(h, outbody(write), H(body));
    return rep_ok(h);
}
/* a body, its stream, and bytes written to it; the stream is dropped */
static uint64_t body_with(host *h, uint64_t r, const char *text) {
    uint64_t b = body_of(h, r), s = stream_of(h, b);
    GOOD(h, out(blocking_write_and_flush), H(s), BYTES(text, strlen(text)));
    DROPS(h, out(drop), s);
    return b;
}

/* --- fields --------------------------------------------------------------------------------------------- */
static void names_and_values(void **state) {
    host *h = *state;
    uint64_t f = new_fields(h);
    static const char *const bad_names[] = {"",      "a b", "a:",    "a\n", "ä",   "(a)",
                                            "a\x7f", "a,b", "\"a\"", "[",   "a/b", "@"};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        BAD(h, INVALID, fields(append), H(f), STR(bad_names[i]), BYTES("v", 1));
        BAD(h, INVALID, fields(set), H(f), STR(bad_names[i]), LIST(NULL, 0));
        BAD(h, INVALID, fields(delete), H(f), STR(bad_names[i]));
        OK(h, fields(has), H(f), STR(bad_names[i]));
        assert_false(h->result.b);
        OK(h, fields(get), H(f), STR(bad_names[i]));
        assert_int_equal(h->result.list.len, 0);
    }
    BAD(h, INVALID, fields(append), H(f), ((ts_val){.str = {"a\0b", 3}}), BYTES("v", 1));
    static const char good_name[] = "!#$%&'*+-.^_`|~09azAZ";
    GOOD(h, fields(append), H(f), STR(good_name), BYTES("v", 1));
    OK(h, fields(has), H(f), STR(good_name));
    assert_true(h->result.b);
    GOOD(h, fields(delete), H(f), STR(good_name));
    static const struct {
        const char *value;
        size_t len;
        bool good;
    } values[] = {{"", 0, true},       {"a b", 3, true},   {"a\tb", 3, true},  {"\xff\x80", 2, true},
                  {"a\rb", 3, false},  {"a\nb", 3, false}, {"a\0b", 3, false}, {" a", 2, true},
                  {"a ", 2, true},     {"\ta", 2, true},   {"a\t", 2, true},   {" ", 1, true},
                  {"a\x01", 2, false}, {"\x7f", 1, false}, {"\x1f", 1, false}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ts_val v = BYTES(values[i].value, values[i].len), pair[2] = {STR("x"), v}, entry = LIST(pair, 2);
        OK(h, fields(append), H(f), STR("x"), v);
        assert_int_equal(h->result.variant.disc, !values[i].good);
        OK(h, fields(set), H(f), STR("y"), LIST(&v, 1));
        assert_int_equal(h->result.variant.disc, !values[i].good);
        OK(h, fields(from_list), LIST(&entry, 1));
        assert_int_equal(h->result.variant.disc, !values[i].good);
        if (!values[i].good) assert_int_equal(h->result.variant.payload->variant.disc, INVALID);
    }
    OK(h, fields(get), H(f), STR("X"));
    assert_int_equal(h->result.list.len, 9);
    assert_int_equal(h->result.list.ptr[0].raw.len, 0); /* exists, and is empty */
    assert_memory_equal(h->result.list.ptr[3].raw.ptr, "\xff\x80", 2);
}

static void forbidden_names(void **state) {
    host *h = *state;
    uint64_t f = new_fields(h);
    static const char *const names[] = {"Connection", "keep-alive", "PROXY-CONNECTION", "Transfer-Encoding",
                                        "upgrade",    "Host",       "HTTP2-Settings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ts_val v = BYTES("x", 1), pair[2] = {STR(names[i]), v}, entry = LIST(pair, 2);
        BAD(h, FORBIDDEN, fields(append), H(f), STR(names[i]), v);
        BAD(h, FORBIDDEN, fields(set), H(f), STR(names[i]), LIST(&v, 1));
        BAD(h, FORBIDDEN, fields(from_list), LIST(&entry, 1));
        GOOD(h, fields(delete), H(f), STR(names[i])); /* nothing to delete */
        v = BYTES("\n", 1);
        BAD(h, INVALID, fields(append), H(f), STR(names[i]), v);
    }
    static const char *const fine[] = {"Content-Length", "TE", "Trailer", "Proxy-Authorization", "Expect", "Date"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) GOOD(h, fields(append), H(f), STR(fine[i]), BYTES("1", 1));
}

static void order_and_case(void **state) {
    host *h = *state;
    uint64_t f = fields_with(h, "Foo", "1", "bar", "2", "fOO", "3", "Baz", "4", NULL);
    assert_string_equal(shown(h, f), "Foo=1,bar=2,fOO=3,Baz=4");
    OK(h, fields(get), H(f), STR("FOO"));
    assert_int_equal(h->result.list.len, 2);
    assert_memory_equal(h->result.list.ptr[0].raw.ptr, "1", 1);
    assert_memory_equal(h->result.list.ptr[1].raw.ptr, "3", 1);
    OK(h, fields(get), H(f), STR("absent"));
    assert_int_equal(h->result.list.len, 0);
    OK(h, fields(has), H(f), STR("BAR"));
    assert_true(h->result.b);
    OK(h, fields(clone), H(f));
    uint64_t copy = rep(h);
    ts_val two[2] = {BYTES("x", 1), BYTES("y", 1)};
    GOOD(h, fields(set), H(f), STR("foo"), LIST(two, 2));
    assert_string_equal(shown(h, f), "bar=2,Baz=4,foo=x,foo=y");
    two[1] = BYTES("\n", 1);
    BAD(h, INVALID, fields(set), H(f), STR("bar"), LIST(two, 2)); /* changes nothing */
    assert_string_equal(shown(h, f), "bar=2,Baz=4,foo=x,foo=y");
    GOOD(h, fields(set), H(f), STR("foo"), LIST(NULL, 0));
    GOOD(h, fields(delete), H(f), STR("BAZ"));
    GOOD(h, fields(delete), H(f), STR("absent"));
    assert_string_equal(shown(h, f), "bar=2");
    assert_string_equal(shown(h, copy), "Foo=1,bar=2,fOO=3,Baz=4"); /* deep */
    GOOD(h, fields(append), H(copy), STR("a"), BYTES("b", 1));
    ts_val pairs[6] = {STR("B"), BYTES("1", 1), STR("a"), BYTES("", 0), STR("b"), BYTES("1", 1)};
    ts_val list[3] = {LIST(pairs, 2), LIST(pairs + 2, 2), LIST(pairs + 4, 2)};
    GOOD(h, fields(from_list), LIST(list, 3));
    uint64_t l = rep_ok(h);
    assert_string_equal(shown(h, l), "B=1,a=,b=1");
    GOOD(h, fields(append), H(l), STR("c"), BYTES("2", 1)); /* mutable */
    GOOD(h, fields(from_list), LIST(NULL, 0));
    assert_string_equal(shown(h, rep_ok(h)), "");
    DROPS(h, fields(drop), f);
}

static void field_limits(void **state) {
    host *h = *state;
    static char big[TS_WASI_HTTP_FIELDS_MAX + 1];
    memset(big, 'a', sizeof big);
    uint64_t f = new_fields(h);
    TRAPS(h, fields(append), H(f), STR("a"), BYTES(big, TS_WASI_HTTP_FIELD_MAX));
    GOOD(h, fields(append), H(f), STR("a"), BYTES(big, TS_WASI_HTTP_FIELD_MAX - 1));
    GOOD(h, fields(append), H(f), STR("b"), BYTES(big, TS_WASI_HTTP_FIELD_MAX - 1 - 64));
    TRAPS(h, fields(append), H(f), STR("c"), BYTES("", 0)); /* the section of fields is full */
    GOOD(h, fields(delete), H(f), STR("b"));
    GOOD(h, fields(append), H(f), STR("c"), BYTES("", 0));
    uint64_t one = kept(h);
    assert_int_equal(one, TS_WASI_HTTP_FIELD_MAX + 32 + 1 + 32);
    for (int i = 1; i < (TS_WASI_HTTP_BYTES_MAX / (TS_WASI_HTTP_FIELD_MAX + 65)); i++) OK(h, fields(clone), H(f));
    assert_true(kept(h) <= TS_WASI_HTTP_BYTES_MAX);
    TRAPS(h, fields(clone), H(f));
    /* bodies count too */
    uint64_t r = new_request(h, new_fields(h));
    TRAPS(h, request(body), H(r));
}

/* Bodies that are finished and never sent. */
static void unsent_bodies(void **state) {
    host *h = *state;
    for (int n = 0;; n++) {
        assert_in_range(n, 0, TS_WASI_HTTP_BYTES_MAX / TS_WASI_HTTP_BODY_WEIGHT);
        uint64_t r = new_request(h, new_fields(h));
        if (CALL(h, request(body), H(r)) != TS_OK) break;
        GOOD(h, outbody(finish), H(rep_ok(h)), NONE);
    }
    assert_int_equal(h->status, TS_TRAP);
}

/* A child is immutable, and must be dropped before its parent. */
static void check_child(host *h, uint64_t child, const char *entries) {
    BAD(h, IMMUTABLE, fields(append), H(child), STR("a"), BYTES("b", 1));
    BAD(h, IMMUTABLE, fields(append), H(child), STR("\n"), BYTES("b", 1));
    BAD(h, IMMUTABLE, fields(set), H(child), STR("Host"), LIST(NULL, 0));
    BAD(h, IMMUTABLE, fields(delete), H(child), STR("a"));
    assert_string_equal(shown(h, child), entries);
    OK(h, fields(clone), H(child));
    uint64_t clone = rep(h);
    GOOD(h, fields(set), H(clone), STR("x"), LIST(NULL, 0));
    assert_string_equal(shown(h, child), entries);
    DROPS(h, fields(drop), clone);
}
static void children(void **state) {
    host *h = *state;
    uint64_t r = new_request(h, fields_with(h, "X", "1", NULL));
    OK(h, request(headers), H(r));
    uint64_t child = rep(h);
    OK(h, request(headers), H(r));
    uint64_t second = rep(h);
    check_child(h, child, "X=1");
    DROP_TRAPS(h, request(drop), r);
    allow(h);
    TRAPS(h, HANDLE, H(r), NONE); /* "or its ownership is transferred" */
    DROPS(h, fields(drop), child);
    DROP_TRAPS(h, request(drop), r);
    /* a child that is passed on is a copy */
    OK(h, response(new), H(second));
    uint64_t s = rep(h);
    DROPS(h, request(drop), r);
    OK(h, response(headers), H(s));
    child = rep(h);
    check_child(h, child, "X=1");
    DROP_TRAPS(h, response(drop), s);
    DROPS(h, fields(drop), child);
    DROPS(h, response(drop), s);
}

/* --- requests ------------------------------------------------------------------------------------------- */
static void request_parts(void **state) {
    host *h = *state;
    uint64_t r = new_request(h, new_fields(h));
    OK(h, request(method), H(r));
    assert_int_equal(h->result.variant.disc, GET);
    OK(h, request(scheme), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    OK(h, request(authority), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    OK(h, request(path_with_query), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    ts_val name = STR("PURGE");
    GOOD(h, request(set_method), H(r), CASE(OTHER, &name));
    OK(h, request(method), H(r));
    assert_int_equal(h->result.variant.disc, OTHER);
    assert_memory_equal(h->result.variant.payload->str.ptr, "PURGE", 5);
    static const char *const bad_methods[] = {"", "A B", "GET ", "GE\nT", "a/b", "ä"};
    for (size_t i = 0; i < sizeof bad_methods / sizeof *bad_methods; i++) {
        name = STR(bad_methods[i]);
        REFUSED(h, request(set_method), H(r), CASE(OTHER, &name));
    }
    OK(h, request(method), H(r)); /* as it was */
    assert_int_equal(h->result.variant.disc, OTHER);
    for (uint32_t m = GET; m < OTHER; m++) {
        GOOD(h, request(set_method), H(r), VAR(m));
        OK(h, request(method), H(r));
        assert_int_equal(h->result.variant.disc, m);
    }
    ts_val scheme = CASE(OTHER_SCHEME, &name);
    static const struct {
        const char *text;
        bool good;
    } schemes[] = {{"ftp", true}, {"a1+-.Z", true}, {"HTTP", true}, {"", false},
                   {"1a", false}, {"a b", false},   {"a:", false},  {"ä", false}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        name = STR(schemes[i].text);
        OK(h, request(set_scheme), H(r), CASE(1, &scheme));
        assert_int_equal(h->result.variant.disc, !schemes[i].good);
    }
    OK(h, request(scheme), H(r));
    assert_int_equal(h->result.variant.payload->variant.disc, OTHER_SCHEME);
    assert_memory_equal(h->result.variant.payload->variant.payload->str.ptr, "HTTP", 4);
    GOOD(h, request(set_scheme), H(r), NONE);
    OK(h, request(scheme), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    static const struct {
        const char *text;
        bool good;
    } paths[] = {{"", true},        {"/", true},        {"/a/b;c=1?d=e&f", true},
                 {"?q", true},      {"*", true},        {"a", true},
                 {"/%41%aF", true}, {"//x", true},      {"/a?b?c/d", true},
                 {"/a b", false},   {"/a#b", false},    {"/%4", false},
                 {"/%zz", false},   {"/ä", false},      {"/{a}", false},
                 {"/a\nb", false},  {"/a?\x7f", false}, {"/\"", false},
                 {"/<", false},     {"/a?[", false}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        name = STR(paths[i].text);
        OK(h, request(set_path_with_query), H(r), CASE(1, &name));
        assert_int_equal(h->result.variant.disc, !paths[i].good);
    }
    OK(h, request(path_with_query), H(r));
    assert_memory_equal(h->result.variant.payload->str.ptr, "/a?b?c/d", 9);
    static const struct {
        const char *text;
        bool good;
    } hosts[] = {{"a", true},          {"a.b:80", true},
                 {"u:p@h:1", true},    {"[::1]", true},
                 {"[::1]:8080", true}, {"", true},
                 {":80", true},        {"h:", true},
                 {"h:99999", true},    {"%41", true},
                 {"[v1.a:b]", true},   {"a b", false},
                 {"[VFf.~]", true},    {"[v1.]", false},
                 {"[vg.a]", false},    {"[v1g.a]", false},
                 {"[v1.a%41]", false}, {"[v1.a/b]", false},
                 {"[v1a]", false},     {"[v.a]", false},
                 {"[w1.a]", false},    {"[v1.a]x", false},
                 {"a:b", false},       {"a/b", false},
                 {"[::1", false},      {"[1.2.3.4]", false},
                 {"a@b@c", false},     {"h:1:2", false},
                 {"::1", false},       {"ä", false},
                 {"a?b", false},       {"[fe80::1%25e]", false},
                 {"[]", false},        {"[::1]x", false},
                 {"a#", false},        {"a\\b", false},
                 {"a[", false},        {"127.0.0.1:81", true}};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        name = STR(hosts[i].text);
        OK(h, request(set_authority), H(r), CASE(1, &name));
        assert_int_equal(h->result.variant.disc, !hosts[i].good);
    }
    GOOD(h, request(set_authority), H(r), NONE);
    OK(h, request(authority), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    /* strings that no server accepts, of characters that are allowed: one is of the greatest length */
    static char letters[TS_WASI_HTTP_STRING_MAX + 2];
    memset(letters, 'a', sizeof letters - 1);
    for (unsigned k = 0; k < 2; k++) {
        name = STR(letters);
        OK(h, request(set_path_with_query), H(r), CASE(1, &name));
        assert_int_equal(h->result.variant.disc, !k);
        OK(h, request(set_authority), H(r), CASE(1, &name));
        assert_int_equal(h->result.variant.disc, !k);
        OK(h, request(set_scheme), H(r), CASE(1, &scheme));
        assert_int_equal(h->result.variant.disc, !k);
        OK(h, request(set_method), H(r), CASE(OTHER, &name));
        assert_int_equal(h->result.variant.disc, !k);
        letters[sizeof letters - 2] = 0;
    }
}

static void request_options(void **state) {
    host *h = *state;
    OK(h, options(new), {0});
    uint64_t o = rep(h);
    ts_status (*const get[])(ts_host_call *, const ts_val *, ts_val *) = {
        options(connect_timeout), options(first_byte_timeout), options(between_bytes_timeout)};
    ts_status (*const set[])(ts_host_call *, const ts_val *, ts_val *) = {
        options(set_connect_timeout), options(set_first_byte_timeout), options(set_between_bytes_timeout)};
    for (int i = 0; i < 3; i++) {
        OK(h, get[i], H(o));
        assert_int_equal(h->result.variant.disc, 0);
        ts_val n = U64(5000 + (uint64_t)i);
        GOOD(h, set[i], H(o), CASE(1, &n));
    }
    for (int i = 0; i < 3; i++) {
        OK(h, get[i], H(o));
        assert_int_equal(h->result.variant.payload->u64, 5000 + i);
    }
    ts_val zero = U64(0);
    GOOD(h, set[0], H(o), NONE);
    OK(h, get[0], H(o));
    assert_int_equal(h->result.variant.disc, 0);
    GOOD(h, set[1], H(o), CASE(1, &zero));
    allow(h);
    ts_val own = H(o);
    GOOD(h, HANDLE, H(a_request(h, new_fields(h))), CASE(1, &own));
    assert_int_equal(fake.last->r.connect_timeout, 0);
    assert_int_equal(fake.last->r.first_byte_timeout, 1); /* at once, which is not the same as never */
    assert_int_equal(fake.last->r.between_bytes_timeout, 5002);
    assert_null(h->w->by_id.data[o - 1]); /* consumed */
}

/* --- what goes out -------------------------------------------------------------------------------------- */
static void outgoing_bodies(void **state) {
    host *h = *state;
    allow(h);
    uint64_t r = a_request(h, new_fields(h)), b = body_of(h, r), s = stream_of(h, b);
    REFUSED(h, request(body), H(r));
    REFUSED(h, outbody(write), H(b));
    TRAPS(h, outbody(finish), H(b), NONE); /* its stream still exists */
    DROP_TRAPS(h, outbody(drop), b);
    GOOD(h, out(check_write), H(s));
    assert_int_equal(h->result.variant.payload->u64, 65536);
    GOOD(h, out(blocking_write_and_flush), H(s), BYTES("early ", 6)); /* before it is sent */
    uint64_t f = handle(h, r);
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES("late", 4));
    assert_int_equal(fake.last->n_got, 10);
    assert_memory_equal(fake.last->got, "early late", 10);
    assert_false(fake.last->r.no_content);
    DROPS(h, out(drop), s);
    assert_false(fake.last->request->ended);
    uint64_t t = fields_with(h, "Sum", "1", "sum", "2", NULL);
    ts_val own = H(t);
    GOOD(h, outbody(finish), H(b), CASE(1, &own));
    assert_true(fake.last->request->ended);
    assert_int_equal(fake.last->request->trailers.len, 2);
    assert_string_equal(fake.last->request->trailers.data[1].name, "sum");
    assert_null(h->w->by_id.data[t - 1]);
    DROPS(h, future(drop), f);
    assert_int_equal(fake.live, 0); /* an unanswered request is cancelled */
    /* finished before it is sent, empty or not */
    r = a_request(h, new_fields(h));
    GOOD(h, outbody(finish), H(body_of(h, r)), NONE);
    handle(h, r);
    assert_true(fake.last->r.no_content);
    r = a_request(h, new_fields(h));
    GOOD(h, outbody(finish), H(body_with(h, r, "abc")), NONE);
    handle(h, r);
    assert_false(fake.last->r.no_content);
    assert_int_equal(fake.last->n_got, 3);
    /* never requested */
    handle(h, a_request(h, new_fields(h)));
    assert_null(fake.last->r.body);
}

/* An error-code for finish. */
#define WRONG(h, code, n, fn, ...)                                                                                     \
    do {                                                                                                               \
        BAD(h, code, fn, __VA_ARGS__);                                                                                 \
        const ts_val *size_ = (h)->result.variant.payload->variant.payload;                                            \
        assert_int_equal(size_->variant.disc, 1);                                                                      \
        assert_int_equal(size_->variant.payload->u64, n);                                                              \
    } while (0)
static void content_length(void **state) {
    host *h = *state;
    allow(h);
    uint64_t r = a_request(h, fields_with(h, "content-LENGTH", "3", NULL));
    GOOD(h, outbody(finish), H(body_with(h, r, "abc")), NONE);
    r = a_request(h, fields_with(h, "Content-Length", "3", NULL));
    WRONG(h, CODE(HTTP_REQUEST_BODY_SIZE), 2, outbody(finish), H(body_with(h, r, "ab")), NONE);
    /* the wire reports it */
    r = a_request(h, fields_with(h, "Content-Length", "3", NULL));
    uint64_t b = body_with(h, r, "ab"), f = handle(h, r);
    WRONG(h, CODE(HTTP_REQUEST_BODY_SIZE), 2, outbody(finish), H(b), NONE);
    assert_true(fake.last->request->failed && !fake.last->request->ended);
    assert_int_equal(fake.last->request->error.code, TS_HTTP_REQUEST_BODY_SIZE);
    /* one byte too many: nothing of that write is sent */
    r = a_request(h, fields_with(h, "Content-Length", "3", NULL));
    b = body_of(h, r);
    handle(h, r);
    uint64_t s = stream_of(h, b);
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES("ab", 2));
    BAD(h, FAILED, out(write), H(s), BYTES("cd", 2));
    uint64_t err = h->result.variant.payload->variant.payload->handle.rep;
    OK(h, ts_wasi_http_types_http_error_code, H(err));
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, CODE(HTTP_REQUEST_BODY_SIZE));
    OK(h, ts_wasi_filesystem_types_filesystem_error_code, H(err));
    assert_int_equal(h->result.variant.disc, 0);
    OK(h, ts_wasi_io_error_error_to_debug_string, H(err));
    assert_memory_equal(h->result.str.ptr, "HTTP-request-body-size", h->result.str.len);
    BAD(h, CLOSED, out(check_write), H(s));
    assert_int_equal(fake.last->n_got, 2);
    DROPS(h, out(drop), s);
    WRONG(h, CODE(HTTP_REQUEST_BODY_SIZE), 4, outbody(finish), H(b), NONE);
    /* a response has its own code */
    OK(h, response(new), H(fields_with(h, "Content-Length", "1", NULL)));
    GOOD(h, response(body), H(rep(h)));
    WRONG(h, CODE(HTTP_RESPONSE_BODY_SIZE), 0, outbody(finish), H(rep_ok(h)), NONE);
    /* a length that cannot be right: handle reports it */
    /* and the body cannot be written any more */
    f = a_request(h, fields_with(h, "Content-Length", "1", NULL));
    WRONG(h, CODE(HTTP_REQUEST_BODY_SIZE), 0, HANDLE, H(f), NONE);
    BAD(h, CODE(HTTP_PROTOCOL_ERROR), HANDLE, H(a_request(h, fields_with(h, "Content-Length", "x", NULL))), NONE);
    BAD(h, CODE(HTTP_PROTOCOL_ERROR), HANDLE,
        H(a_request(h, fields_with(h, "Content-Length", "1", "content-length", "1", NULL))), NONE);
    handle(h, a_request(h, fields_with(h, "Content-Length", "0", NULL)));
}

static void corrupted_bodies(void **state) {
    host *h = *state;
    allow(h);
    uint64_t r = a_request(h, new_fields(h)), b = body_with(h, r, "abc"), f = handle(h, r);
    DROPS(h, outbody(drop), b);
    assert_true(fake.last->request->failed && fake.last->request->guest_closed);
    assert_int_equal(fake.last->request->error.code, TS_HTTP_PROTOCOL_ERROR);
    DROPS(h, future(drop), f);
    /* before it is sent */
    r = a_request(h, new_fields(h));
    DROPS(h, outbody(drop), body_with(h, r, "abc"));
    f = handle(h, r);
    OK(h, future(get), H(f));
    assert_int_equal(h->result.variant.payload->variant.payload->variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.payload->variant.payload->variant.disc,
                     CODE(HTTP_PROTOCOL_ERROR));
    /* fields that are not allowed as trailers */
    static const char *const names[] = {"Content-Length", "te", "Trailer", "Content-Type"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        r = a_request(h, new_fields(h));
        ts_val own = H(fields_with(h, "fine", "1", names[i], "1", NULL));
        BAD(h, CODE(HTTP_PROTOCOL_ERROR), outbody(finish), H(body_of(h, r)), CASE(1, &own));
    }
    /* the message is dropped, and the writer of its body gets an error */
    r = a_request(h, new_fields(h));
    b = body_of(h, r);
    uint64_t s = stream_of(h, b);
    DROPS(h, request(drop), r);
    BAD(h, FAILED, out(check_write), H(s));
    BAD(h, CLOSED, out(check_write), H(s));
    DROPS(h, out(drop), s);
    BAD(h, CODE(INTERNAL_ERROR), outbody(finish), H(b), NONE);
    /* the peer has closed */
    r = a_request(h, new_fields(h));
    b = body_of(h, r);
    handle(h, r);
    s = stream_of(h, b);
    ts_http_pipe_fail(fake.last->request, ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
    BAD(h, FAILED, out(check_write), H(s));
    OK(h, ts_wasi_http_types_http_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.payload->variant.disc, CODE(CONNECTION_TERMINATED));
    DROPS(h, out(drop), s);
    BAD(h, CODE(CONNECTION_TERMINATED), outbody(finish), H(b), NONE);
}

static void backpressure(void **state) {
    host *h = *state;
    static char data[65536];
    allow(h);
    uint64_t r = a_request(h, new_fields(h)), b = body_of(h, r), s = stream_of(h, b);
    OK(h, out(subscribe), H(s));
    uint64_t p = rep(h);
    assert_true(ready(h, p));
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES(data, sizeof data));
    assert_false(ready(h, p)); /* full, and nobody reads */
    GOOD(h, out(check_write), H(s));
    assert_int_equal(h->result.variant.payload->u64, 0);
    /* these waits could only be ended by the guest itself */
    TRAPS(h, ts_wasi_io_poll_pollable_block, H(p));
    TRAPS(h, out(blocking_write_and_flush), H(s), BYTES("x", 1));
    handle(h, r);
    assert_true(ready(h, p));
    fake.last->reads = false;
    GOOD(h, out(check_write), H(s));
    GOOD(h, out(write), H(s), BYTES(data, sizeof data));
    assert_false(ready(h, p));
    fake.last->reads = true;
    GOOD(h, out(flush), H(s));
    GOOD(h, out(check_write), H(s));
    assert_int_equal(h->result.variant.payload->u64, 65536);
    assert_int_equal(fake.last->n_got, 2 * sizeof data);
}

static void targets(void **state) {
    host *h = *state;
    allow(h);
    static const struct {
        uint32_t method;
        const char *scheme, *authority, *path; /* "-": none */
        const char *line;                      /* NULL: the error */
        uint32_t error;
    } cases[] = {
        {GET, "http", "a", "-", "GET http a /", 0},
        {GET, "http", "a:81", "", "GET http a:81 /", 0},
        {GET, "-", "a", "/b?c", "GET https a /b?c", 0},
        {GET, "HTTPS", "a", "?c", "GET https a /?c", 0},
        {OPTIONS, "http", "a", "*", "OPTIONS http a *", 0},
        {TS_WASI_HTTP_METHOD_PATCH, "https", "[::1]:8", "//x", "PATCH https [::1]:8 //x", 0},
        {GET, "http", "a:", "/", "GET http a: /", 0},
        {GET, "http", "-", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", ":80", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "a:0", "/", "GET http a:0 /",
         0}, /* the client reports what a connection to this address returns */
        {GET, "http", "a:65536", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "a:18446744073709551617", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "u@a", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "@a", "/", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "a", "b", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "http", "a", "*", NULL, CODE(HTTP_REQUEST_URI_INVALID)},
        {GET, "ftp", "a", "/", NULL, CODE(HTTP_PROTOCOL_ERROR)},
        {TS_WASI_HTTP_METHOD_CONNECT, "http", "a:443", "-", "CONNECT http a:443 /", 0},
        {TS_WASI_HTTP_METHOD_CONNECT, "http", "a", "/not-sent", "CONNECT http a /", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t r = new_request(h, new_fields(h));
        ts_val s = STR(cases[i].scheme), scheme = CASE(OTHER_SCHEME, &s), a = STR(cases[i].authority),
               p = STR(cases[i].path);
        GOOD(h, request(set_method), H(r), VAR(cases[i].method));
        if (cases[i].scheme[0] != '-') GOOD(h, request(set_scheme), H(r), CASE(1, &scheme));
        if (cases[i].authority[0] != '-') GOOD(h, request(set_authority), H(r), CASE(1, &a));
        if (cases[i].path[0] != '-') GOOD(h, request(set_path_with_query), H(r), CASE(1, &p));
        uint64_t b = body_of(h, r);
        OK(h, HANDLE, H(r), NONE);
        assert_null(h->w->by_id.data[r - 1]); /* in any case */
        if (cases[i].line) {
            assert_int_equal(h->result.variant.disc, 0);
            assert_string_equal(fake.last->line, cases[i].line);
            GOOD(h, outbody(finish), H(b), NONE);
        } else {
            assert_int_equal(h->result.variant.disc, 1);
            assert_int_equal(h->result.variant.payload->variant.disc, cases[i].error);
            BAD(h, cases[i].error, outbody(finish), H(b), NONE);
        }
        assert_false(h->call.denied);
    }
    static char path[TS_WASI_HTTP_PATH_MAX + 2];
    memset(path, '/', sizeof path - 1);
    uint64_t r = a_request(h, new_fields(h));
    ts_val p = STR(path);
    GOOD(h, request(set_path_with_query), H(r), CASE(1, &p));
    BAD(h, CODE(HTTP_REQUEST_URI_TOO_LONG), HANDLE, H(r), NONE);
    r = a_request(h, fields_with(h, "B", "2", "a", "1", "b", "3", NULL));
    ts_val name = STR("Custom");
    GOOD(h, request(set_method), H(r), CASE(OTHER, &name));
    handle(h, r);
    assert_string_equal(fake.last->line, "Custom http example.org /");
    assert_int_equal(fake.last->sent.len, 3);
    assert_string_equal(fake.last->sent.data[2].name, "b");
    name = STR("CONNECT");
    r = a_request(h, new_fields(h));
    GOOD(h, request(set_method), H(r), CASE(OTHER, &name));
    handle(h, r);
    assert_string_equal(fake.last->line, "CONNECT http example.org /");
}

static void grants(void **state) {
    host *h = *state;
    static const struct {
        const char *rule, *authority;
        bool good;
    } cases[] = {
        {NULL, "a", false},
        {"a", "a", true},
        {"a", "A:8080", true},
        {"a", "a.", true},
        {"a.", "a", true},
        {"a", "b", false},
        {"a", "a.b", false},
        {"a", "b.a", false},
        {"a:80", "a", true}, /* http */
        {"a:80", "a:80", true},
        {"a:80", "a:81", false},
        {"a:443", "a", false},
        {"*.example.org", "a.example.org", true},
        {"*.example.org", "x.Y.EXAMPLE.org:1", true},
        {"*.example.org", "example.org", false},
        {"*.example.org", "badexample.org", false},
        {"*.example.org:1", "a.example.org:1", true},
        {"*.example.org:1", "a.example.org", false},
        {"*", "whatever:3", true},
        {"*", "[::1]", true},
        {"*:3", "whatever:3", true},
        {"*:3", "whatever:4", false},
        {"127.0.0.1", "127.0.0.1:5", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "127.1", false}, /* however a resolver may interpret it */
        {"[::1]", "[0:0::1]:9", true},
        {"[::1]:9", "[::1]", false},
        {"[::1]", "[::2]", false},
        {"example.org", "ex%61mple.org", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        host *own = NULL;
        assert_int_equal(host_new((void **)&own), 0);
        if (cases[i].rule) assert_int_equal(ts_wasi_allow_http(own->w, cases[i].rule, &own->err), TS_OK);
        uint64_t r = a_request(own, new_fields(own));
        ts_val a = STR(cases[i].authority);
        GOOD(own, request(set_authority), H(r), CASE(1, &a));
        OK(own, HANDLE, H(r), NONE);
        assert_int_equal(own->result.variant.disc, !cases[i].good);
        assert_int_equal(own->call.denied, !cases[i].good); /* the trace reports it */
        if (!cases[i].good) {
            assert_int_equal(own->result.variant.payload->variant.disc, CODE(HTTP_REQUEST_DENIED));
            assert_int_equal(fake.clients, 0);
        }
        host_end((void **)&own);
    }
    static const char *const bad[] = {"",       ":80",     "a:x",   "a:0",   "a:70000",    "a/b", "u@a",
                                      "a*",     "*a",      "*.",    "a.*.b", "a,b",        "%41", "::1",
                                      "a b",    "*.0.0.1", "127.1", "a:",    "a:080",      "*:",  "*.*.a",
                                      "[v1.a]", "[::1",    "a..b",  "-a",    "[127.0.0.1]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_error_init(&h->err);
        assert_int_equal(ts_wasi_allow_http(h->w, bad[i], &h->err), TS_USAGE);
    }
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_set_http_ca(h->w, "/nowhere/at/all", &h->err), TS_IO);
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_set_http_ca(h->w, "/dev/null", &h->err), TS_USAGE); /* no certificate in it */
    static const char pem[] = "# ours\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    char path[] = "/tmp/touchstone-ca-XXXXXX", text[sizeof pem] = "";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, pem, sizeof pem - 1), sizeof pem - 1);
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_set_http_ca(h->w, path, &h->err), TS_OK);
    unlink(path); /* the grants have their own copy */
    close(fd);
    allow(h);
    handle(h, a_request(h, new_fields(h)));
    FILE *kept = fopen(fake.last->client->ca, "r");
    assert_non_null(kept);
    assert_int_equal(fread(text, 1, sizeof text, kept), sizeof pem - 1);
    assert_string_equal(text, pem);
    fclose(kept);
    handle(h, a_request(h, new_fields(h)));
    assert_int_equal(fake.clients, 1); /* one for all */
}

static void prohibited_addresses(void **state) {
    host *h = *state;
    static const char *const bad[] = {
        "", "a", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/x", "10.0.0.0/99999999999", "[::1]", "1.2.3.4:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_error_init(&h->err);
        assert_int_equal(ts_wasi_deny_http(h->w, bad[i], &h->err), TS_USAGE);
    }
    ts_error_init(&h->err);
    allow(h);
    handle(h, a_request(h, new_fields(h)));
    static const struct {
        const char *address;
        int since; /* the rule below from which on it is prohibited; -1 for never */
    } all[] = {{"8.8.8.8", 0},
               {"8.8.8.9", -1},
               {"::ffff:8.8.8.8", 0},
               {"9.1.2.3", 1},
               {"9.128.2.3", -1},
               {"2001:db8::1", 2},
               {"2001:db9::1", -1},
               {"127.9.9.9", 3},
               {"::1", 3},
               {"::ffff:10.1.2.3", 3},
               {"10.0.0.1", 3},
               {"172.31.255.255", 3},
               {"172.32.0.0", -1},
               {"192.168.1.1", 3},
               {"169.254.169.254", 3},
               {"fd00::1", 3},
               {"fe80::1", 3},
               {"::2", 3},
               {"2606:4700::1", -1},
               {"0.0.0.0", 3},
               {"192.0.0.8", 3},
               {"192.0.0.9", -1},
               {"198.18.0.1", 3},
               {"240.0.0.1", 3},
               {"224.0.0.1", 3},
               {"::10.0.0.1", 3},
               {"::8.8.8.8", 0},
               {"64:ff9b::10.0.0.1", 3},
               {"64:ff9b::8.8.8.8", 0},
               {"64:ff9b::8.8.8.9", -1},
               {"64:ff9b:1::8.8.8.9", 3},
               {"2002:a00:1::1", 3},
               {"2002:808:808::1", 0},
               {"2002:901:203::1", 1},
               {"2001:0:808:808::1", 0},
               {"2001:0:1:1::f7f7:f7f7", 0},
               {"2001:0:1:1::1", 3},
               {"fec0::1", 3},
               {"ff02::1", 3},
               {"100::1", 3},
               {"2620:4f:8000::1", -1},
               {"11.1.2.3", 4},
               {"::ffff:11.1.2.3", 4}};
    static const char *const rules[] = {"8.8.8.8", "9.0.0.0/9", "2001:db8::/32", "private", "::ffff:11.0.0.0/104"};
    for (int k = 0; k < 5; k++) {
        assert_int_equal(ts_wasi_deny_http(h->w, rules[k], &h->err), TS_OK);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            ts_sys_addr a;
            assert_true(ts_sys_addr_parse(all[i].address, strlen(all[i].address), &a));
            assert_int_equal(fake.may(fake.may_data, &a), all[i].since < 0 || all[i].since > k);
        }
    }
}

/* --- what comes back ------------------------------------------------------------------------------------ */
static void responses(void **state) {
    host *h = *state;
    allow(h);
    uint64_t f = handle(h, a_request(h, new_fields(h)));
    OK(h, future(subscribe), H(f));
    uint64_t p = rep(h);
    OK(h, future(get), H(f));
    assert_int_equal(h->result.variant.disc, 0);
    assert_false(ready(h, p));
    DROP_TRAPS(h, future(drop), f); /* its pollable still exists */
    assert_true(ts_http_fields_add(&fake.last->headers, "Server", 6, "x", 1));
    assert_true(ts_http_fields_add(&fake.last->headers, "Transfer-Encoding", 17, "chunked", 7));
    assert_true(ts_http_fields_add(&fake.last->headers, "server", 6, "\xff", 1));
    fake.last->pumps = 3;
    OK(h, ts_wasi_io_poll_pollable_block, H(p));
    assert_true(fake.pumps >= 3);
    assert_true(ready(h, p));
    OK(h, future(get), H(f));
    assert_int_equal(h->result.variant.disc, 1);
    const ts_val *v = h->result.variant.payload;
    assert_int_equal(v->variant.disc, 0);
    assert_int_equal(v->variant.payload->variant.disc, 0);
    uint64_t r = v->variant.payload->variant.payload->handle.rep;
    OK(h, future(get), H(f)); /* at most once */
    assert_int_equal(h->result.variant.disc, 1);
    assert_int_equal(h->result.variant.payload->variant.disc, 1);
    assert_true(ready(h, p));
    DROPS(h, ts_wasi_io_poll_pollable_drop, p);
    DROPS(h, future(drop), f);
    OK(h, answer(status), H(r));
    assert_int_equal(h->result.u16, 200);
    OK(h, answer(headers), H(r));
    uint64_t hd = rep(h);
    check_child(h, hd, "Server=x,server=\xff"); /* fields of the connection do not belong to the message */
    DROP_TRAPS(h, answer(drop), r);
    DROPS(h, fields(drop), hd);
    GOOD(h, answer(consume), H(r));
    uint64_t b = rep_ok(h);
    REFUSED(h, answer(consume), H(r));
    DROPS(h, answer(drop), r); /* the body outlives it */
    assert_false(fake.last->body->guest_closed);
    GOOD(h, inbody(stream), H(b));
    uint64_t s = rep_ok(h);
    REFUSED(h, inbody(stream), H(b));
    DROP_TRAPS(h, inbody(drop), b);
    TRAPS(h, inbody(finish), H(b));
    assert_int_equal(ts_http_pipe_put(fake.last->body, "hello", 5), 5);
    GOOD(h, in(blocking_read), H(s), U64(3));
    assert_memory_equal(h->result.variant.payload->raw.ptr, "hel", 3);
    DROPS(h, in(drop), s);
    REFUSED(h, inbody(stream), H(b)); /* dropped or not */
    DROPS(h, inbody(drop), b);
    assert_true(fake.last->body->guest_closed);
    /* never consumed */
    f = handle(h, a_request(h, new_fields(h)));
    fake.last->pumps = 1;
    OK(h, future(get), H(f)); /* continues by itself */
    r = h->result.variant.payload->variant.payload->variant.payload->handle.rep;
    assert_false(fake.last->body->guest_closed);
    DROPS(h, answer(drop), r);
    assert_true(fake.last->body->guest_closed);
    /* errors of the connection */
    f = handle(h, a_request(h, new_fields(h)));
    fake.last->state = TS_HTTP_FAILED;
    fake.last->error = ts_http_error_text(TS_HTTP_DNS_ERROR, "SERVFAIL");
    OK(h, future(get), H(f));
    v = h->result.variant.payload->variant.payload;
    assert_int_equal(v->variant.disc, 1);
    assert_int_equal(v->variant.payload->variant.disc, CODE(DNS_ERROR));
    v = v->variant.payload->variant.payload;
    assert_memory_equal(v->list.ptr[TS_WASI_HTTP_DNS_ERROR_PAYLOAD_RCODE_I].variant.payload->str.ptr, "SERVFAIL", 8);
    assert_int_equal(v->list.ptr[TS_WASI_HTTP_DNS_ERROR_PAYLOAD_INFO_CODE_I].variant.disc, 0);
    OK(h, future(get), H(f));
    assert_int_equal(h->result.variant.payload->variant.disc, 1);
    /* a client with nothing to do while a guest waits for it */
    f = handle(h, a_request(h, new_fields(h)));
    fake.on = false;
    OK(h, future(subscribe), H(f));
    TRAPS(h, ts_wasi_io_poll_pollable_block, H(rep(h)));
    DROPS(h, ts_wasi_io_poll_pollable_drop, h->w->objects->id);
}

/* As many concurrent requests as the limit on bodies allows. */
static void many_requests(void **state) {
    host *h = *state;
    allow(h);
    int n = 0;
    for (;; n++) {
        OK(h, HANDLE, H(a_request(h, new_fields(h))), NONE);
        if (h->result.variant.disc) break;
    }
    assert_int_equal(h->result.variant.payload->variant.disc, CODE(CONNECTION_LIMIT_REACHED));
    int most = TS_WASI_HTTP_BYTES_MAX / (2 * TS_WASI_HTTP_BODY_WEIGHT);
    assert_in_range(n, most - 1, most); /* the request itself takes some memory */
    assert_false(h->call.denied);
}

/* --- what comes in -------------------------------------------------------------------------------------- */
typedef struct wire {
    ts_http_pipe *in, *out;
    int responses, errors, infos;
    uint16_t status;
    ts_http_error error;
    char headers[200];
    bool gone;
    int fds[2]; /* readable when more of the request's body arrives */
    const char *more;
} wire;
static void keep_headers(wire *w, const ts_http_fields *f) {
    w->headers[0] = 0;
    for (uint32_t i = 0; i < f->len; i++)
        snprintf(w->headers + strlen(w->headers), sizeof w->headers - strlen(w->headers), "%s=%s;", f->data[i].name,
                 f->data[i].value);
}
static bool respond(void *data, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body) {
    wire *w = data;
    if (w->gone) return false;
    w->responses++;
    w->status = status;
    keep_headers(w, headers);
    w->out = body;
    if (body) ts_http_pipe_hold(body);
    return true;
}
static bool informational(void *data, uint16_t status, const ts_http_fields *headers) {
    wire *w = data;
    if (w->gone) return false;
    w->infos++;
    w->status = status;
    keep_headers(w, headers);
    return true;
}
static void on_error(void *data, const ts_http_error *e) {
    wire *w = data;
    w->errors++;
    w->error = *e;
}
static void body_kick(ts_http_pipe *p) {
    wire *w = p->wire_data;
    char c;
    if (!w->more || read(w->fds[0], &c, 1) != 1) return;
    ts_http_pipe_put(p, w->more, strlen(w->more));
    w->more = NULL;
}
static bool body_wait(ts_http_pipe *p, ts_sys_wait *w) {
    *w = (ts_sys_wait){.fd = ((wire *)p->wire_data)->fds[0]};
    return true;
}
static const ts_http_wire_ops body_wire_ops = {body_kick, body_wait};
static void wire_end(host *h, wire *w) {
    ts_wasi_http_incoming_over(h->w, w);
    if (w->in) w->in->wire = NULL;
    ts_http_pipe_release(w->in);
    ts_http_pipe_release(w->out);
    if (w->fds[0]) {
        close(w->fds[0]);
        close(w->fds[1]);
    }
    memset(w, 0, sizeof *w);
}
static void incoming_request(host *h, wire *w, uint64_t *r, uint64_t *o) {
    ts_http_fields f = {0};
    w->in = ts_http_pipe_new();
    w->in->wire = &body_wire_ops;
    w->in->wire_data = w;
    assert_int_equal(pipe2(w->fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(ts_http_fields_add(&f, "Host", 4, "h:1", 3) && ts_http_fields_add(&f, "A", 1, "1", 1) &&
                ts_http_fields_add(&f, "Connection", 10, "close", 5) && ts_http_fields_add(&f, "a", 1, "", 0));
    ts_wasi_http_incoming req = {.method = "POST",
                                 .path_with_query = "/p?q",
                                 .scheme = "http",
                                 .authority = "h:1",
                                 .headers = &f,
                                 .body = w->in};
    ts_wasi_http_responder to = {.respond = respond, .informational = informational, .error = on_error, .data = w};
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_http_incoming_new(h->w, &req, &to, r, o, &h->err), TS_OK);
    ts_http_fields_clear(&f);
}

static void incoming_requests(void **state) {
    host *h = *state;
    wire w = {0};
    uint64_t r, o;
    incoming_request(h, &w, &r, &o);
    OK(h, incoming(method), H(r));
    assert_int_equal(h->result.variant.disc, TS_WASI_HTTP_METHOD_POST);
    OK(h, incoming(path_with_query), H(r));
    assert_memory_equal(h->result.variant.payload->str.ptr, "/p?q", 4);
    OK(h, incoming(scheme), H(r));
    assert_int_equal(h->result.variant.payload->variant.disc, HTTP);
    OK(h, incoming(authority), H(r));
    assert_memory_equal(h->result.variant.payload->str.ptr, "h:1", 3);
    OK(h, incoming(headers), H(r));
    uint64_t hd = rep(h);
    check_child(h, hd, "A=1,a=");
    OK(h, fields(clone), H(hd)); /* a proxy passes them on */
    OK(h, request(new), H(rep(h)));
    DROP_TRAPS(h, incoming(drop), r);
    DROPS(h, fields(drop), hd);
    GOOD(h, incoming(consume), H(r));
    uint64_t b = rep_ok(h);
    REFUSED(h, incoming(consume), H(r));
    DROPS(h, incoming(drop), r);
    GOOD(h, inbody(stream), H(b));
    uint64_t s = rep_ok(h);
    OK(h, in(subscribe), H(s));
    uint64_t p = rep(h);
    assert_false(ready(h, p));
    GOOD(h, in(read), H(s), U64(10));
    assert_int_equal(h->result.variant.payload->raw.len, 0);
    w.more = "data";
    assert_int_equal(write(w.fds[1], "x", 1), 1);
    OK(h, ts_wasi_io_poll_pollable_block, H(p)); /* on the connection */
    GOOD(h, in(read), H(s), U64(10));
    assert_int_equal(h->result.variant.payload->raw.len, 4);
    ts_http_pipe_put(w.in, "ab", 2);
    assert_true(ts_http_fields_add(&w.in->trailers, "T", 1, "v", 1));
    ts_http_pipe_end(w.in);
    GOOD(h, in(read), H(s), U64(10)); /* the bytes before the end */
    assert_int_equal(h->result.variant.payload->raw.len, 2);
    BAD(h, CLOSED, in(read), H(s), U64(10));
    DROPS(h, ts_wasi_io_poll_pollable_drop, p);
    DROPS(h, in(drop), s);
    OK(h, inbody(finish), H(b));
    uint64_t t = rep(h);
    assert_null(h->w->by_id.data[b - 1] == NULL ? NULL : h->w->by_id.data[b - 1]->parent);
    OK(h, trailers(get), H(t));
    const ts_val *v = h->result.variant.payload; /* ok(ok(some(trailers))) */
    assert_int_equal(v->variant.disc, 0);
    assert_int_equal(v->variant.payload->variant.disc, 0);
    assert_int_equal(v->variant.payload->variant.payload->variant.disc, 1);
    uint64_t tr = v->variant.payload->variant.payload->variant.payload->handle.rep;
    check_child(h, tr, "T=v");
    OK(h, trailers(get), H(t));
    assert_int_equal(h->result.variant.payload->variant.disc, 1);
    DROP_TRAPS(h, trailers(drop), t);
    DROPS(h, fields(drop), tr);
    DROPS(h, trailers(drop), t);
    DROPS(h, outparam(drop), o);
    /* "If it is never called, the implementation will respond with an error" */
    assert_int_equal(w.errors, 1);
    assert_int_equal(w.error.code, TS_HTTP_INTERNAL_ERROR);
    wire_end(h, &w);
    /* little is known about the failure */
    ts_wasi_http_incoming least = {.method = "get"};
    ts_wasi_http_responder nobody = {0};
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_http_incoming_new(h->w, &least, &nobody, &r, &o, &h->err), TS_OK);
    OK(h, incoming(method), H(r)); /* methods differ by case */
    assert_int_equal(h->result.variant.disc, OTHER);
    OK(h, incoming(path_with_query), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    OK(h, incoming(scheme), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    OK(h, incoming(authority), H(r));
    assert_int_equal(h->result.variant.disc, 0);
    GOOD(h, incoming(consume), H(r));
    GOOD(h, inbody(stream), H(rep_ok(h)));
    BAD(h, CLOSED, in(read), H(rep_ok(h)), U64(1));
    DROPS(h, in(drop), h->w->objects->next ? h->w->objects->id : 0);
    DROPS(h, outparam(drop), o);
    /* there is no room for another object, and nothing is left behind */
    uint64_t held = h->w->n_objects;
    ts_wasi_limit_objects(h->w, held + 1);
    ts_error_init(&h->err);
    assert_int_equal(ts_wasi_http_incoming_new(h->w, &least, &nobody, &r, &o, &h->err), TS_TRAP);
    assert_int_equal(h->w->n_objects, held);
}

static void trailers_of_unread_bodies(void **state) {
    host *h = *state;
    static char data[65536];
    for (int how = 0; how < 3; how++) {
        wire w = {0};
        uint64_t r, o;
        incoming_request(h, &w, &r, &o);
        GOOD(h, incoming(consume), H(r));
        uint64_t b = rep_ok(h);
        assert_int_equal(ts_http_pipe_put(w.in, data, sizeof data), sizeof data); /* full */
        OK(h, inbody(finish), H(b));
        uint64_t t = rep(h);
        OK(h, trailers(subscribe), H(t));
        uint64_t p = rep(h);
        assert_false(ready(h, p));
        OK(h, trailers(get), H(t));
        assert_int_equal(h->result.variant.disc, 0);
        assert_int_equal(ts_http_pipe_room(w.in), sizeof data); /* "not inhibit delivery of the trailers" */
        w.more = "more";
        assert_int_equal(write(w.fds[1], "x", 1), 1);
        assert_false(ready(h, p));
        assert_int_equal(w.in->len, 0);
        if (how == 0) ts_http_pipe_end(w.in);
        if (how == 1) {
            ts_http_error e = ts_http_error_of(TS_HTTP_REQUEST_TRAILER_SIZE);
            e.has_number = true;
            e.number = UINT64_MAX;
            ts_http_pipe_fail(w.in, e);
        }
        if (how == 2) { /* fields of the connection are not shown */
            assert_true(ts_http_fields_add(&w.in->trailers, "Connection", 10, "x", 1));
            ts_http_pipe_end(w.in);
        }
        OK(h, ts_wasi_io_poll_pollable_block, H(p));
        OK(h, trailers(get), H(t));
        const ts_val *v = h->result.variant.payload->variant.payload;
        assert_int_equal(v->variant.disc, how == 1);
        if (how == 1) {
            v = v->variant.payload;
            assert_int_equal(v->variant.disc, CODE(HTTP_REQUEST_TRAILER_SIZE));
            assert_int_equal(v->variant.payload->list.ptr[0].variant.disc, 0);
            assert_int_equal(v->variant.payload->list.ptr[1].variant.payload->u32, UINT32_MAX);
        } else {
            assert_int_equal(v->variant.payload->variant.disc, 0);
        }
        DROP_TRAPS(h, trailers(drop), t);
        DROPS(h, ts_wasi_io_poll_pollable_drop, p);
        DROPS(h, trailers(drop), t);
        assert_true(w.in->guest_closed);
        DROPS(h, incoming(drop), r);
        DROPS(h, outparam(drop), o);
        wire_end(h, &w);
    }
}

static uint64_t new_response(host *h, uint64_t f, uint16_t status) {
    OK(h, response(new), H(f));
    uint64_t r = rep(h);
    if (status) GOOD(h, response(set_status_code), H(r), U16(status));
    return r;
}
static void set(host *h, uint64_t o, uint64_t r) {
    ts_val own = H(r);
    OK(h, outparam(set), H(o), CASE(0, &own));
    assert_null(h->w->by_id.data[o - 1]);
    assert_null(h->w->by_id.data[r - 1]);
}
static void outparams(void **state) {
    host *h = *state;
    wire w = {0};
    uint64_t r, o;
    /* a response with a body that comes later */
    incoming_request(h, &w, &r, &o);
    uint64_t a = new_response(h, fields_with(h, "X", "1", "y", "2", NULL), 0);
    OK(h, response(status_code), H(a));
    assert_int_equal(h->result.u16, 200);
    static const uint16_t statuses[] = {100, 999, 418, 0, 99, 1000, 1001, 65535};
    for (int i = 0; i < 8; i++) {
        OK(h, response(set_status_code), H(a), U16(statuses[i]));
        assert_int_equal(h->result.variant.disc, i >= 3);
    }
    OK(h, response(status_code), H(a));
    assert_int_equal(h->result.u16, 418);
    GOOD(h, response(body), H(a));
    uint64_t b = rep_ok(h);
    REFUSED(h, response(body), H(a));
    OK(h, response(headers), H(a));
    uint64_t hd = rep(h);
    ts_val own = H(a);
    TRAPS(h, outparam(set), H(o), CASE(0, &own)); /* its child still exists */
    DROPS(h, fields(drop), hd);
    set(h, o, a);
    assert_int_equal(w.responses, 1);
    assert_int_equal(w.status, 418);
    assert_string_equal(w.headers, "X=1;y=2;");
    assert_non_null(w.out);
    uint64_t s = stream_of(h, b);
    GOOD(h, out(blocking_write_and_flush), H(s), BYTES("body", 4));
    DROPS(h, out(drop), s);
    assert_int_equal(w.out->len, 4);
    GOOD(h, outbody(finish), H(b), NONE);
    assert_true(w.out->ended);
    DROPS(h, incoming(drop), r);
    assert_int_equal(w.errors, 0);
    wire_end(h, &w);
    /* an error from the guest */
    incoming_request(h, &w, &r, &o);
    ts_val text = STR("sorry"), some = CASE(1, &text), code = CASE(CODE(INTERNAL_ERROR), &some);
    OK(h, outparam(set), H(o), CASE(1, &code));
    assert_int_equal(w.errors, 1);
    assert_int_equal(w.error.code, TS_HTTP_INTERNAL_ERROR);
    assert_string_equal(w.error.text, "sorry");
    wire_end(h, &w);
    /* responses that cannot be sent */
    for (int how = 0; how < 3; how++) {
        incoming_request(h, &w, &r, &o);
        a = how == 0   ? new_response(h, new_fields(h), 103)
            : how == 1 ? new_response(h, fields_with(h, "Content-Length", "x", NULL), 0)
                       : new_response(h, fields_with(h, "Content-Length", "1", "Content-Length", "2", NULL), 0);
        GOOD(h, response(body), H(a));
        b = rep_ok(h);
        set(h, o, a);
        assert_int_equal(w.responses, 0);
        assert_int_equal(w.errors, 1);
        assert_int_equal(w.error.code, TS_HTTP_INTERNAL_ERROR);
        BAD(h, CODE(INTERNAL_ERROR), outbody(finish), H(b), NONE);
        wire_end(h, &w);
    }
    /* the client has gone; the call is over */
    for (int over = 0; over < 2; over++) {
        incoming_request(h, &w, &r, &o);
        w.gone = !over;
        if (over) ts_wasi_http_incoming_over(h->w, &w);
        a = new_response(h, new_fields(h), 0);
        GOOD(h, response(body), H(a));
        b = rep_ok(h);
        set(h, o, a);
        s = stream_of(h, b);
        BAD(h, FAILED, out(check_write), H(s));
        OK(h, ts_wasi_http_types_http_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
        assert_int_equal(h->result.variant.payload->variant.disc, CODE(CONNECTION_TERMINATED));
        DROPS(h, out(drop), s);
        BAD(h, CODE(CONNECTION_TERMINATED), outbody(finish), H(b), NONE);
        assert_int_equal(w.errors + w.responses, 0);
        wire_end(h, &w);
    }
    incoming_request(h, &w, &r, &o);
    ts_wasi_http_incoming_over(h->w, &w);
    DROPS(h, outparam(drop), o);
    assert_int_equal(w.errors, 0);
    wire_end(h, &w);
    /* without a body */
    incoming_request(h, &w, &r, &o);
    set(h, o, new_response(h, new_fields(h), 204));
    assert_int_equal(w.responses, 1);
    assert_null(w.out);
    wire_end(h, &w);
}

static void informationals(void **state) {
    host *h = *state;
    wire w = {0};
    uint64_t r, o;
    incoming_request(h, &w, &r, &o);
    for (int i = 0; i < 2; i++) /* any number of them */
        GOOD(h, outparam(send_informational), H(o), U16(103), H(fields_with(h, "Link", "x", NULL)));
    assert_int_equal(w.infos, 2);
    assert_int_equal(w.status, 103);
    assert_string_equal(w.headers, "Link=x;");
    BAD(h, CODE(HTTP_PROTOCOL_ERROR), outparam(send_informational), H(o), U16(99), H(new_fields(h)));
    BAD(h, CODE(HTTP_PROTOCOL_ERROR), outparam(send_informational), H(o), U16(200), H(new_fields(h)));
    BAD(h, CODE(INTERNAL_ERROR), outparam(send_informational), H(o), U16(101), H(new_fields(h)));
    w.gone = true;
    BAD(h, CODE(CONNECTION_TERMINATED), outparam(send_informational), H(o), U16(100), H(new_fields(h)));
    ts_wasi_http_incoming_over(h->w, &w);
    BAD(h, CODE(INTERNAL_ERROR), outparam(send_informational), H(o), U16(100), H(new_fields(h)));
    assert_int_equal(w.infos, 2);
    wire_end(h, &w);
    bool gated = false;
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
        if (strcmp(ts_wasi_def.funcs[i].name, "[method]response-outparam.send-informational") == 0)
            gated = strcmp(ts_wasi_def.funcs[i].unstable, "informational-outbound-responses") == 0;
    assert_true(gated);
}

/* --- errors --------------------------------------------------------------------------------------------- */
static void error_codes(void **state) {
    host *h = *state;
    const ts_ctype *type = NULL;
    for (uint32_t i = 0; i < ts_wasi_def.n_types; i++)
        if (strcmp(ts_wasi_def.types[i].interface, "wasi:http/types") == 0 &&
            strcmp(ts_wasi_def.types[i].name, "error-code") == 0)
            type = ts_wasi_def.types[i].type;
    assert_non_null(type);
    assert_int_equal(type->n, TS_HTTP_CODE_COUNT);
    for (uint32_t i = 0; i < TS_HTTP_CODE_COUNT; i++) {
        assert_string_equal(type->cases[i].name, ts_http_code_name((ts_http_code)i));
        /* in both directions: an error with a payload keeps what fits into it */
        for (int with = 0; with < 4; with++) {
            ts_http_error e = ts_http_error_of((ts_http_code)i);
            if (with & 1) e = ts_http_error_text(e.code, "text");
            e.has_number = with & 2;
            e.number = e.has_number ? 7 : 0;
            ts_val v;
            assert_int_equal(ts_wasi_http_code_val(&h->call, &e, &v), TS_OK);
            assert_int_equal(v.variant.disc, i);
            char buf[200]; /* a value of its type */
            assert_true(ts_val_print(type, &v, buf, sizeof buf) < sizeof buf);
            const ts_ctype *p = type->cases[i].type;
            bool text = p && strstr(buf, "text"), number = p && strchr(buf, '7');
            assert_int_equal(p != NULL, v.variant.payload != NULL);
            ts_http_error back = ts_wasi_http_code_of(&v);
            assert_int_equal(back.code, i);
            assert_int_equal(back.has_text, text);
            assert_int_equal(back.has_number, number);
            assert_string_equal(back.text, text ? "text" : "");
            assert_int_equal(back.number, number ? 7 : 0);
            if (p && p->kind == TS_CT_RECORD) assert_true(text == !!(with & 1) && number == !!(with & 2));
        }
    }
    /* text that no guest can produce; text that is too long */
    ts_http_error e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "\xff");
    ts_val v;
    assert_int_equal(ts_wasi_http_code_val(&h->call, &e, &v), TS_OK);
    assert_int_equal(v.variant.payload->variant.disc, 0);
    char longer[500];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    ts_val text = STR(longer), some = CASE(1, &text), code = CASE(CODE(INTERNAL_ERROR), &some);
    e = ts_wasi_http_code_of(&code);
    assert_true(e.has_text && strlen(e.text) == sizeof e.text - 1);
    /* an error that is not of HTTP */
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ts_wasi_set_stdio(h->w, 1, fd);
    OK(h, ts_wasi_cli_stdout_get_stdout, {0});
    BAD(h, FAILED, out(blocking_write_and_flush), H(rep(h)), BYTES("x", 1));
    OK(h, ts_wasi_http_types_http_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.disc, 0);
    close(fd);
}

/* A body that fails while it is read: first the received bytes, then the error, then closed. */
static void failing_body(void **state) {
    host *h = *state;
    wire w = {0};
    uint64_t r, o;
    incoming_request(h, &w, &r, &o);
    GOOD(h, incoming(consume), H(r));
    uint64_t b = rep_ok(h);
    GOOD(h, inbody(stream), H(b));
    uint64_t s = rep_ok(h);
    ts_http_pipe_put(w.in, "ab", 2);
    ts_http_pipe_fail(w.in, ts_http_error_of(TS_HTTP_CONNECTION_READ_TIMEOUT));
    GOOD(h, in(blocking_read), H(s), U64(9));
    assert_int_equal(h->result.variant.payload->raw.len, 2);
    BAD(h, FAILED, in(blocking_read), H(s), U64(9));
    OK(h, ts_wasi_http_types_http_error_code, H(h->result.variant.payload->variant.payload->handle.rep));
    assert_int_equal(h->result.variant.payload->variant.disc, CODE(CONNECTION_READ_TIMEOUT));
    BAD(h, CLOSED, in(blocking_read), H(s), U64(9));
    DROPS(h, in(drop), s);
    OK(h, inbody(finish), H(b));
    OK(h, trailers(get), H(rep(h)));
    assert_int_equal(h->result.variant.payload->variant.payload->variant.payload->variant.disc,
                     CODE(CONNECTION_READ_TIMEOUT));
    wire_end(h, &w);
}

/* Every function of the two interfaces exists. */
static void all_functions(void **state) {
    (void)state;
    int n = 0;
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++) {
        const ts_host_func *f = &ts_wasi_def.funcs[i];
        if (strncmp(f->interface, "wasi:http/", 10) != 0 || strcmp(f->interface, "wasi:http/incoming-handler") == 0)
            continue;
        assert_non_null(f->fn);
        n++;
    }
    assert_int_equal(n, 53);
}

/* --- no memory ------------------------------------------------------------------------------------------ */
/* One call of a life, which ends with the first call that fails for lack of memory. */
#define DO(fn, ...)                                                                                                    \
    do {                                                                                                               \
        CALL(h, fn, __VA_ARGS__);                                                                                      \
        if (h->status != TS_OK) {                                                                                      \
            assert_int_equal(h->status, TS_NOMEM);                                                                     \
            assert_int_equal(h->err.status, TS_NOMEM);                                                                 \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)
/* the same for a call that returns a result: a body without a buffer fails */
#define TRY_(fn, ...)                                                                                                  \
    do {                                                                                                               \
        DO(fn, __VA_ARGS__);                                                                                           \
        if (h->result.variant.disc) {                                                                                  \
            assert_true(refused);                                                                                      \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)
static bool life(host *h, wire *w) {
    ts_val pair[2] = {STR("a"), BYTES("b", 1)}, list = LIST(pair, 2), v[2] = {BYTES("1", 1), BYTES("2", 1)};
    TRY_(fields(from_list), LIST(&list, 1));
    uint64_t f = rep_ok(h);
    TRY_(fields(set), H(f), STR("x"), LIST(v, 2));
    TRY_(fields(append), H(f), STR("y"), BYTES("z", 1));
    DO(fields(get), H(f), STR("x"));
    DO(fields(entries), H(f));
    DO(fields(clone), H(f));
    uint64_t t = rep(h);
    DO(request(new), H(f));
    uint64_t r = rep(h);
    DO(request(headers), H(r));
    uint64_t child = rep(h);
    DO(response(new), H(child)); /* a copy */
    uint64_t answer = rep(h);
    ts_val host_ = STR("a"), path = STR("?q"), method = STR("M"), scheme = STR("http"),
           other = CASE(OTHER_SCHEME, &scheme);
    TRY_(request(set_authority), H(r), CASE(1, &host_));
    TRY_(request(set_path_with_query), H(r), CASE(1, &path));
    TRY_(request(set_method), H(r), CASE(OTHER, &method));
    TRY_(request(set_scheme), H(r), CASE(1, &other));
    DO(request(method), H(r));
    DO(request(scheme), H(r));
    DO(request(path_with_query), H(r));
    DO(request(authority), H(r));
    DO(options(new), {0});
    uint64_t o = rep(h);
    ts_val ns = U64(1), own = H(o);
    TRY_(options(set_connect_timeout), H(o), CASE(1, &ns));
    DO(options(connect_timeout), H(o));
    TRY_(request(body), H(r));
    uint64_t b = rep_ok(h);
    TRY_(outbody(write), H(b));
    uint64_t s = rep_ok(h);
    TRY_(out(blocking_write_and_flush), H(s), BYTES("body", 4));
    DROPS(h, out(drop), s);
    TRY_(HANDLE, H(r), CASE(1, &own));
    uint64_t later = rep_ok(h);
    own = H(t);
    TRY_(outbody(finish), H(b), CASE(1, &own));
    DO(future(subscribe), H(later));
    fake.last->pumps = 1;
    DO(future(get), H(later));
    DO(future(get), H(later));
    /* and in the other direction */
    ts_wasi_http_incoming in = {"X", "/", "x", "y", &fake.last->sent, NULL};
    ts_wasi_http_responder to = {.respond = respond, .informational = informational, .error = on_error, .data = w};
    uint64_t q, p;
    ts_error_init(&h->err);
    ts_status st = ts_wasi_http_incoming_new(h->w, &in, &to, &q, &p, &h->err);
    if (st != TS_OK) {
        assert_int_equal(st, TS_NOMEM);
        assert_int_equal(h->err.status, TS_NOMEM);
        return false;
    }
    DO(incoming(headers), H(q));
    TRY_(incoming(consume), H(q));
    b = rep_ok(h);
    TRY_(inbody(stream), H(b));
    s = rep_ok(h);
    DO(in(read), H(s), U64(10));
    DROPS(h, in(drop), s);
    DO(inbody(finish), H(b));
    t = rep(h);
    DO(trailers(subscribe), H(t));
    DO(trailers(get), H(t));
    DO(fields(new), {0});
    TRY_(outparam(send_informational), H(p), U16(103), H(rep(h)));
    own = H(answer);
    DO(outparam(set), H(p), CASE(0, &own));
    ts_http_error e = ts_http_error_text(TS_HTTP_DNS_ERROR, "x");
    ts_error_init(&h->err);
    return ts_wasi_http_code_val(&h->call, &e, &v[0]) == TS_OK;
}
static void no_memory(void **state) {
    (void)state;
    for (int good = 0; good < 2; good++) {
        uint64_t n = 0;
        do {
            host *h = NULL;
            wire w = {0};
            assert_int_equal(host_new((void **)&h), 0);
            assert_int_equal(ts_wasi_allow_http(h->w, "a", &h->err), TS_OK);
            refused = 0;
            until = ++n;
            for_good = good;
            bool whole = life(h, &w);
            until = -1;
            if (!refused) assert_true(whole);
            wire_end(h, &w);
            assert_int_equal(end((void **)&h), 0);
        } while (refused);
        assert_in_range(n, 50, 1000);
    }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, host_new, end)
    const struct CMUnitTest tests[] = {
        T(names_and_values),
        T(forbidden_names),
        T(order_and_case),
        T(field_limits),
        T(unsent_bodies),
        T(children),
        T(request_parts),
        T(request_options),
        T(outgoing_bodies),
        T(content_length),
        T(corrupted_bodies),
        T(backpressure),
        T(targets),
        T(grants),
        T(prohibited_addresses),
        T(responses),
        T(many_requests),
        T(incoming_requests),
        T(trailers_of_unread_bodies),
        T(outparams),
        T(informationals),
        T(error_codes),
        T(failing_body),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(all_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
