/* test_http_client: chunks, field lines, the meaning of libcurl's errors, the lives of clients and exchanges,
 * and every allocation, failing once and from then on (the linker replaces the allocation functions:
 * -Wl,--wrap). runtime/tests/outside/test_http_client.py tests what goes over the wire, with servers of every
 * kind.
 * In: bytes; a small server on the loopback. Out: cmocka results. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "sys/clock.h"
#include "http/client/exchange.h"
#include "tests/refuse_memory.h"

/* --- memory that is refused ----------------------------------------------------------------------------- */
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
int __wrap_asprintf(char **out, const char *format, ...);
char *__wrap_strdup(const char *s) {
    return refuse() ? NULL : __real_strdup(s);
}
int __wrap_asprintf(char **out, const char *format, ...) {
    if (refuse()) return -1;
    va_list list;
    va_start(list, format);
    int n = vasprintf(out, format, list);
    va_end(list);
    return n;
}
/* what it is called in a build with checked functions */
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...);
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...) {
    (void)flag;
    if (refuse()) return -1;
    va_list list;
    va_start(list, format);
    int n = vasprintf(out, format, list);
    va_end(list);
    return n;
}

/* --- chunks --------------------------------------------------------------------------------------------- */
typedef struct chunked_case {
    const char *bytes, *body, *trailers; /* "name=value;" */
    ts_http_chunked_result result;
    size_t rest; /* this many bytes are not part of the body */
} chunked_case;
static const chunked_case cases[] = {
    {"0\r\n\r\n", "", "", TS_HTTP_CHUNKED_END, 0},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", "", TS_HTTP_CHUNKED_END, 0},
    {"5\r\nhello\r\n0\r\n\r\nnext", "hello", "", TS_HTTP_CHUNKED_END, 4},
    {"1\r\na\r\nA\r\n0123456789\r\n000\r\n\r\n", "a0123456789", "", TS_HTTP_CHUNKED_END, 0},
    {"1;a;b=\"c d\"\r\n\r\r\n0;x\r\n\r\n", "\r", "", TS_HTTP_CHUNKED_END, 0},
    {"0\r\nA: b\r\nc:\t d \r\nE:\r\n\r\n", "", "A=b;c=d;E=;", TS_HTTP_CHUNKED_END, 0},
    {"5\r\nhel", "hel", "", TS_HTTP_CHUNKED_MORE, 0},
    {"5\r\nhello\r\n0\r\n", "hello", "", TS_HTTP_CHUNKED_MORE, 0},
    {"0\r\nA: b\r\n", "", "A=b;", TS_HTTP_CHUNKED_MORE, 0},
    {"\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {" 1\r\na\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1 \r\na\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0x1\r\na\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"+1\r\na\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1\na\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1\r\na\n0\r\n\r\n", "a", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1\r\nab\r\n0\r\n\r\n", "a", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1\r\na\rx", "a", "", TS_HTTP_CHUNKED_BAD, 0},
    {"ffffffffffffffff\r\nab", "ab", "", TS_HTTP_CHUNKED_MORE, 0},
    {"10000000000000000\r\nab", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"1;a\nb\r\na\r\n0\r\n\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nA b\r\n\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nA : b\r\n\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nA: b\r\n c\r\n\r\n", "", "A=b;", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nA: b\n\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nA: b\rc\r\n\r\n", "", "", TS_HTTP_CHUNKED_BAD, 0},
    {"0\r\nAlong: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n", "", "",
     TS_HTTP_CHUNKED_BIG, 0},
    {"0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", "", "", TS_HTTP_CHUNKED_BIG, 0},
};
/* Feeds `step` bytes at a time. */
static void feed(const chunked_case *k, size_t step, bool wanted) {
    ts_http_chunked d = {0};
    ts_http_pipe *p = ts_http_pipe_new();
    ts_http_chunked_result r = TS_HTTP_CHUNKED_MORE;
    char said[200] = "", body[100];
    size_t at = 0, len = strlen(k->bytes);
    assert_non_null(p);
    while (at < len && r == TS_HTTP_CHUNKED_MORE) {
        size_t n = step < len - at ? step : len - at;
        char *copy = test_malloc(n); /* nothing beyond the end is read */
        memcpy(copy, k->bytes + at, n);
        r = ts_http_chunked_feed(&d, copy, n, wanted ? p : NULL, 101);
        test_free(copy);
        at += n;
    }
    if (wanted) {
        assert_int_equal(r, k->result);
        if (step == 1 && r == TS_HTTP_CHUNKED_END) assert_int_equal(len - at, k->rest);
        size_t n = ts_http_pipe_take(p, body, sizeof body);
        assert_int_equal(n, strlen(k->body));
        assert_memory_equal(body, k->body, n);
        for (uint32_t i = 0; i < p->trailers.len && r != TS_HTTP_CHUNKED_BIG; i++) {
            const ts_http_field *f = &p->trailers.data[i];
            snprintf(said + strlen(said), sizeof said - strlen(said), "%s=%s;", f->name, f->value);
        }
        if (r != TS_HTTP_CHUNKED_BIG) assert_string_equal(said, k->trailers);
    } else {
        assert_int_equal(p->total, 0);
    }
    ts_http_chunked_free(&d);
    ts_http_pipe_release(p);
}
static void chunks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 100; step += step < 8 ? 1 : 91) {
            feed(&cases[i], step, true);
            feed(&cases[i], step, false);
        }
}
static void chunks_at_random(void **state) {
    (void)state;
    uint64_t seed = 1;
    static const char signs[] = "00115aAfF;=\"\r\n\r\n\r\n:\t x";
    for (int i = 0; i < 20000; i++) {
        char bytes[64];
        size_t n = sizeof bytes;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[k] = signs[(seed >> 33) % (sizeof signs - 1)];
        }
        /* whole and in two parts, with the same result */
        size_t cut = seed >> 58;
        ts_http_chunked one = {0}, two = {0};
        ts_http_pipe *p = ts_http_pipe_new(), *q = ts_http_pipe_new();
        ts_http_chunked_result r = ts_http_chunked_feed(&one, bytes, n, p, 40),
                               s = ts_http_chunked_feed(&two, bytes, cut, q, 40);
        if (s == TS_HTTP_CHUNKED_MORE) s = ts_http_chunked_feed(&two, bytes + cut, n - cut, q, 40);
        assert_int_equal(r, s);
        assert_int_equal(p->total, q->total);
        assert_int_equal(p->trailers.bytes, q->trailers.bytes);
        ts_http_chunked_free(&one);
        ts_http_chunked_free(&two);
        ts_http_pipe_release(p);
        ts_http_pipe_release(q);
    }
}

static void field_lines(void **state) {
    (void)state;
    ts_http_fields f = {0};
    static const char *const good[] = {"A: b", "A:b", "a-b_c!:", "A: b c\t d", "A: \x80\xff"};
    static const char *const bad[] = {"", "A", ": b", " A: b", "A : b", "A\x80: b", "A: b\rc", "A\n: b"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(ts_http_field_line(&f, good[i], strlen(good[i])), TS_HTTP_LINE_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ts_http_field_line(&f, bad[i], strlen(bad[i])), TS_HTTP_LINE_BAD);
    assert_int_equal(ts_http_field_line(&f, "A: b\0c", 6), TS_HTTP_LINE_BAD);
    assert_int_equal(f.len, sizeof good / sizeof *good);
    assert_string_equal(f.data[0].value, "b");
    assert_string_equal(f.data[2].value, "");
    assert_string_equal(f.data[3].value, "b c\t d");
    ts_http_fields_clear(&f);
}

/* --- lives ---------------------------------------------------------------------------------------------- */
static const ts_http_fields no_fields;
static ts_http_request get(const char *authority) {
    return (ts_http_request){
        .method = "GET", .scheme = "http", .authority = authority, .path = "/", .headers = &no_fields};
}
static void lives(void **state) {
    (void)state;
    ts_http_client_free(NULL);
    ts_http_exchange_free(NULL);
    ts_http_client *c = ts_http_client_new(NULL);
    uint64_t deadline = TS_SYS_NO_DEADLINE;
    assert_non_null(c);
    assert_true(ts_http_client_idle(c));
    assert_int_equal(ts_http_client_waits(c, NULL, 0, &deadline), 0);
    assert_true(deadline == TS_SYS_NO_DEADLINE);
    ts_http_client_pump(c);
    ts_http_request r = get("not a host");
    ts_http_pipe *body = ts_http_pipe_new();
    r.body = body;
    ts_http_exchange *x = ts_http_client_send(c, &r);
    assert_non_null(x);
    assert_int_equal(ts_http_exchange_state(x), TS_HTTP_FAILED);
    assert_true(ts_http_client_idle(c));
    assert_true(body->failed); /* nobody will read the response */
    ts_http_pipe *in = ts_http_exchange_body(x);
    ts_http_pipe_hold(in);
    assert_true(in->failed && !in->wire);
    ts_http_client_free(c);
    ts_http_exchange_free(x); /* an exchange may outlive its client, and its bodies may outlive both */
    ts_http_pipe_notify(in);
    ts_http_pipe_notify(body);
    ts_http_pipe_release(in);
    ts_http_pipe_release(body);
}

#ifdef TS_HTTP_CURL
/* --- errors --------------------------------------------------------------------------------------------- */
static void every_error_has_a_meaning(void **state) {
    (void)state;
    ts_curl l;
    assert_null(ts_curl_open(&l));
    static const char *const texts[] = {"", "SSL_read: error:0A000410:SSL routines::x", "unexpected eof", "header",
                                        "error:0A00010B:SSL routines::wrong version number"};
    for (int code = 1; code < CURL_LAST; code++)
        for (int bits = 0; bits < 8; bits++)
            for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
                ts_curl_failure f = {.code = (CURLcode)code,
                                     .text = texts[t],
                                     .os_errno = bits & 1 ? 104 : 0,
                                     .connected = bits > 1,
                                     .begun = bits > 3,
                                     .responded = bits > 5};
                ts_http_error e = ts_curl_error(&l, &f);
                assert_true((unsigned)e.code < TS_HTTP_CODE_COUNT);
                assert_true(e.code != TS_HTTP_INTERNAL_ERROR || (e.has_text && e.text[0]));
                if (t == 1) {
                    assert_int_equal(e.code, TS_HTTP_TLS_ALERT_RECEIVED);
                    assert_int_equal(e.number, 40);
                    assert_string_equal(e.text, "handshake_failure");
                }
            }
    static const struct {
        ts_curl_failure f;
        ts_http_code code;
    } table[] = {
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = 111, .text = ""}, TS_HTTP_CONNECTION_REFUSED},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = 101, .text = ""}, TS_HTTP_DESTINATION_IP_UNROUTABLE},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = 113, .text = ""}, TS_HTTP_DESTINATION_IP_UNROUTABLE},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = 110, .text = ""}, TS_HTTP_CONNECTION_TIMEOUT},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = 13, .text = ""}, TS_HTTP_DESTINATION_IP_PROHIBITED},
        {{.code = CURLE_COULDNT_CONNECT, .text = ""}, TS_HTTP_DESTINATION_UNAVAILABLE},
        {{.code = CURLE_OPERATION_TIMEDOUT, .text = ""}, TS_HTTP_CONNECTION_TIMEOUT},
        {{.code = CURLE_OPERATION_TIMEDOUT, .text = "", .connected = true}, TS_HTTP_CONNECTION_READ_TIMEOUT},
        {{.code = CURLE_PEER_FAILED_VERIFICATION, .text = ""}, TS_HTTP_TLS_CERTIFICATE_ERROR},
        {{.code = CURLE_SSL_CACERT_BADFILE, .text = ""}, TS_HTTP_CONFIGURATION_ERROR},
        {{.code = CURLE_RECV_ERROR, .os_errno = 104, .text = "", .connected = true}, TS_HTTP_CONNECTION_TERMINATED},
        {{.code = CURLE_PARTIAL_FILE, .text = "", .connected = true, .begun = true}, TS_HTTP_RESPONSE_INCOMPLETE},
        {{.code = CURLE_GOT_NOTHING, .text = "", .connected = true}, TS_HTTP_CONNECTION_TERMINATED},
        {{.code = CURLE_HTTP2_STREAM, .text = "", .connected = true}, TS_HTTP_PROTOCOL_ERROR},
        {{.code = CURLE_NO_CONNECTION_AVAILABLE, .text = ""}, TS_HTTP_CONNECTION_LIMIT_REACHED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(ts_curl_error(&l, &table[i].f).code, table[i].code);
    ts_curl_close(&l);
    ts_curl_close(&l); /* nothing more */
}

/* --- a server, and memory that is refused --------------------------------------------------------------- */
/* What the server answers, with "hello". It ends the connection if `ends`. */
typedef struct answer {
    const char *bytes;
    uint32_t headers, trailers;
    bool ends;
} answer;
static const answer chunked = {
    "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: u\r\n\r\n", 2, 1, false};
static const answer until_the_end = {"HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello", 1, 0, true};
typedef struct server {
    int listener;
    pthread_t thread;
    char port[8];
    const answer *says;
} server;
/* Answers each request after reading its body in chunks, if it has one. Allocates nothing. */
static void *serve(void *data) {
    const server *s = data;
    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) return NULL;
        char bytes[4096];
        size_t n = 0;
        for (;;) {
            ssize_t got = recv(fd, bytes + n, sizeof bytes - 1 - n, 0);
            if (got <= 0) break;
            n += (size_t)got;
            bytes[n] = 0;
            const char *end = strstr(bytes, "\r\n\r\n");
            if (!end || (strstr(bytes, "chunked") && !strstr(end, "\r\n0\r\n"))) continue;
            if (send(fd, s->says->bytes, strlen(s->says->bytes), MSG_NOSIGNAL) < 0) break;
            if (s->says->ends) { /* what is not read would make a reset of the end */
                shutdown(fd, SHUT_WR);
                while (recv(fd, bytes, sizeof bytes, 0) > 0) {
                }
                break;
            }
            n = 0;
        }
        close(fd);
    }
}

static void begin_serving(server *s, const answer *says) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    s->says = says;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 16), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &size), 0);
    snprintf(s->port, sizeof s->port, "%u", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}
static void end_serving(server *s) {
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

typedef struct outcome {
    bool responded, whole;
} outcome;
/* Sends two requests of one client, one after the other. Returns false if memory ran out. */
static outcome two_requests(const server *s, const char *host) {
    outcome o = {0};
    char authority[32];
    snprintf(authority, sizeof authority, "%s:%s", host, s->port);
    ts_http_client *c = ts_http_client_new(NULL);
    for (int i = 0; c && i < 2; i++) {
        ts_http_fields f = {0};
        ts_http_pipe *up = ts_http_pipe_new();
        ts_http_request r = get(authority);
        ts_http_exchange *x = NULL;
        uint64_t end = ts_sys_monotonic() + 20 * UINT64_C(1000000000);
        bool good = up && ts_http_fields_add(&f, "A", 1, "b", 1) && ts_http_fields_add(&f, "Empty", 5, "", 0);
        r.method = "PUT";
        r.headers = &f;
        r.body = up;
        if (good) x = ts_http_client_send(c, &r);
        if (x) {
            good = ts_http_pipe_put(up, "abc", 3) == 3 && ts_http_fields_add(&up->trailers, "t", 1, "u", 1);
            ts_http_pipe_notify(up);
            ts_http_pipe_end(up);
            ts_http_pipe_notify(up);
            ts_http_pipe *in = ts_http_exchange_body(x);
            while (!in->ended && !in->failed && ts_sys_monotonic() < end) {
                ts_sys_wait w[8];
                uint64_t deadline = end;
                size_t n = ts_http_client_waits(c, w, 8, &deadline);
                assert_true(n <= 8);
                (void)ts_sys_poll(w, n, deadline);
                ts_http_client_pump(c);
            }
            assert_true(in->ended || in->failed);
            o.responded = ts_http_exchange_state(x) == TS_HTTP_RESPONDED;
            o.whole = good && o.responded && in->ended && in->len == 5 && in->trailers.len == s->says->trailers &&
                      ts_http_exchange_status(x) == 200 && ts_http_exchange_headers(x)->len == s->says->headers;
            if (in->failed || !o.responded) {
                const ts_http_error *e = o.responded ? &in->error : ts_http_exchange_error(x);
                if (e->code != TS_HTTP_INTERNAL_ERROR || !strstr(e->text, "memory"))
                    fail_msg("allocation %llu: %s %s", (unsigned long long)asked, ts_http_code_name(e->code), e->text);
            }
        } else {
            o = (outcome){0};
        }
        ts_http_exchange_free(x);
        ts_http_fields_clear(&f);
        if (up) up->guest_closed = true;
        ts_http_pipe_release(up);
    }
    if (!c) o = (outcome){0};
    ts_http_client_free(c);
    return o;
}

static void every_allocation(void **state) {
    (void)state;
    server s;
    begin_serving(&s, &chunked);
    for (int name = 0; name < 2; name++) {
        const char *host = name ? "localhost" : "127.0.0.1";
        asked = refused = 0;
        until = INT64_MAX;
        assert_true(two_requests(&s, host).whole);
        uint64_t total = asked, seen = 0;
        assert_true(total > 30 && refused == 0);
        for (int good = 0; good < 2; good++)
            for (uint64_t n = 1; n <= total; n++) {
                until = (int64_t)n;
                for_good = good;
                refused = 0;
                if (!two_requests(&s, host).whole) seen++;
            }
        until = -1;
        /* failing from then on hits nearly all, failing once hits those of the second request */
        assert_true(seen > total / 2);
        assert_true(two_requests(&s, host).whole);
    }
    end_serving(&s);
}
/* A peer that answers before it has read the request's trailers, and ends the connection, is no error. */
static void ended_before_trailers(void **state) {
    (void)state;
    server s;
    begin_serving(&s, &until_the_end);
    assert_true(two_requests(&s, "127.0.0.1").whole);
    end_serving(&s);
}
/* Requests that are refused before anything is connected to. */
static void refusals(void **state) {
    (void)state;
    enum { LONG = TS_HTTP_MAX_TARGET + 2 };
    char *path = malloc(LONG), *value = malloc(TS_HTTP_MAX_REQUEST_HEAD);
    memset(path, 'a', LONG - 1);
    path[0] = '/';
    path[LONG - 1] = 0;
    memset(value, 'v', TS_HTTP_MAX_REQUEST_HEAD);
    const struct {
        const char *method, *scheme, *authority, *path, *name, *value;
        size_t value_len;
        ts_http_code code;
    } rows[] = {
        {.method = "GE T", .code = TS_HTTP_REQUEST_METHOD_INVALID},
        {.method = "", .code = TS_HTTP_REQUEST_METHOD_INVALID},
        {.path = path, .code = TS_HTTP_REQUEST_URI_TOO_LONG},
        {.path = "a", .code = TS_HTTP_REQUEST_URI_INVALID},
        {.path = "/a b", .code = TS_HTTP_REQUEST_URI_INVALID},
        {.scheme = "ftp", .code = TS_HTTP_REQUEST_URI_INVALID},
        {.authority = "", .code = TS_HTTP_REQUEST_URI_INVALID},
        {.name = "content-length", .value = "x", .value_len = 1, .code = TS_HTTP_REQUEST_BODY_SIZE},
        {.name = "content-length", .value = "5", .value_len = 1, .code = TS_HTTP_REQUEST_BODY_SIZE},
        {.name = "content-length", .value = "9223372036854775808", .value_len = 19, .code = TS_HTTP_REQUEST_BODY_SIZE},
        {.name = "transfer-encoding", .value = "chunked", .value_len = 7, .code = TS_HTTP_PROTOCOL_ERROR},
        {.name = "a b", .value = "c", .value_len = 1, .code = TS_HTTP_PROTOCOL_ERROR},
        {.name = "a", .value = "b\nc", .value_len = 3, .code = TS_HTTP_PROTOCOL_ERROR},
        {.name = "a",
         .value = value,
         .value_len = TS_HTTP_MAX_REQUEST_HEAD,
         .code = TS_HTTP_REQUEST_HEADER_SECTION_SIZE},
    };
    ts_http_client *c = ts_http_client_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_http_fields f = {0};
        ts_http_request r = get(rows[i].authority ? rows[i].authority : "127.0.0.1:1");
        if (rows[i].method) r.method = rows[i].method;
        if (rows[i].scheme) r.scheme = rows[i].scheme;
        if (rows[i].path) r.path = rows[i].path;
        if (rows[i].name)
            assert_true(ts_http_fields_add(&f, rows[i].name, strlen(rows[i].name), rows[i].value, rows[i].value_len));
        r.headers = &f;
        ts_http_exchange *x = ts_http_client_send(c, &r);
        uint64_t end = ts_sys_monotonic() + 20 * UINT64_C(1000000000);
        while (ts_http_exchange_state(x) == TS_HTTP_PENDING && ts_sys_monotonic() < end) ts_http_client_pump(c);
        assert_int_equal(ts_http_exchange_state(x), TS_HTTP_FAILED);
        if (ts_http_exchange_error(x)->code != rows[i].code)
            fail_msg("row %zu: %s", i, ts_http_code_name(ts_http_exchange_error(x)->code));
        ts_http_exchange_free(x);
        ts_http_fields_clear(&f);
    }
    ts_http_client_free(c);
    free(path);
    free(value);
}
#else
static void refusals(void **state) {
    (void)state;
    skip();
}
static void every_error_has_a_meaning(void **state) {
    (void)state;
    skip();
}
static void every_allocation(void **state) {
    (void)state;
    skip();
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),
        cmocka_unit_test(chunks_at_random),
        cmocka_unit_test(field_lines),
        cmocka_unit_test(lives),
        cmocka_unit_test(every_error_has_a_meaning),
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(ended_before_trailers),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
