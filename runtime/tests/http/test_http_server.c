/* test_http_server: reading requests strictly (http/server/wire), and the server with handlers in C: threads,
 * pipes, limits, shutdown. runtime/tests/outside/test_serve.py tests what clients see of `touchstone serve`.
 * In: bytes, connections over the loopback. Out: cmocka results. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "sys/clock.h"
#include "http/server/server.h"
#include "http/server/wire.h"
#include "sys/killed.h"

#ifndef TS_HTTP_SERVER
static void absent(void **state) {
    (void)state;
    char err[200];
    ts_http_handler h = {0};
    assert_false(ts_http_server_can());
    assert_null(ts_http_server_new(&(ts_http_server_config){0}, &h, err));
    assert_non_null(strstr(err, "this build has no HTTP server"));
}
int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(absent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

/* --- the wire ------------------------------------------------------------------------------------------- */
static ts_wire wire;
static char head[4096];

/* The status with which a head is refused; 0 if it is accepted. */
static int read_head(const char *text) {
    size_t len = strlen(text);
    memcpy(head, text, len + 1);
    ts_wire_scan s = {0};
    long n = ts_wire_scan_head(&s, head, len);
    assert_int_equal(n, (long)len);
    return ts_wire_head(&wire, head, len);
}
static int wire_new(void **state) {
    (void)state;
    ts_wire_init(&wire, 1000, 500);
    return 0;
}
static int wire_end(void **state) {
    (void)state;
    ts_wire_free(&wire);
    return 0;
}

static void heads(void **state) {
    (void)state;
    assert_int_equal(read_head("GET /a?b HTTP/1.1\r\nHost: x:1\r\nA:\t b c \r\na:\r\n\r\n"), 0);
    assert_string_equal(wire.method, "GET");
    assert_string_equal(wire.target, "/a?b");
    assert_string_equal(wire.authority, "x:1");
    assert_int_equal(wire.headers.len, 3);
    assert_string_equal(wire.headers.data[1].name, "A");
    assert_string_equal(wire.headers.data[1].value, "b c");
    assert_string_equal(wire.headers.data[2].value, "");
    assert_true(wire.keep_alive && !wire.has_body && !wire.http10);
    assert_int_equal(
        read_head("\r\n\r\nFOO-BAR / HTTP/1.1\r\nHost:\r\nContent-Length: 7\r\nConnection: x, close\r\n\r\n"), 0);
    assert_string_equal(wire.method, "FOO-BAR");
    assert_null(wire.authority);
    assert_true(wire.has_body && !wire.chunked && wire.length == 7 && !wire.keep_alive);
    assert_int_equal(read_head("GET http://a.b?q HTTP/1.1\r\nHost: other\r\n\r\n"), 0);
    assert_string_equal(wire.target, "/?q");
    assert_string_equal(wire.authority, "a.b");
    assert_int_equal(read_head("OPTIONS http://a.b HTTP/1.1\r\nHost: other\r\n\r\n"), 0);
    assert_string_equal(wire.target, "*");
    assert_int_equal(read_head("GET http://[::1]:80/x HTTP/1.1\r\nHost: other\r\n\r\n"), 0);
    assert_string_equal(wire.authority, "[::1]:80");
    assert_string_equal(wire.target, "/x");
    assert_int_equal(read_head("GET / HTTP/1.0\r\n\r\n"), 0);
    assert_true(wire.http10 && !wire.keep_alive && !wire.authority);
    assert_int_equal(read_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 0);
    assert_true(wire.keep_alive);
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), 413);
    assert_int_equal(read_head("GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n"), 417);
    assert_int_equal(read_head("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), 0);
    assert_true(!wire.target && wire.is_connect && !wire.keep_alive && !wire.has_body);
    assert_string_equal(wire.authority, "a:1");
    assert_int_equal(read_head("GET / HTTP/3.0\r\nHost: x\r\n\r\n"), 505);
    /* RFC 9110, 2.5: processed as the highest known minor version */
    assert_int_equal(read_head("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), 0);
    assert_true(wire.keep_alive && !wire.http10);
    assert_int_equal(read_head("M-SEARCH / HTTP/1.9\r\nHost: x\r\nTransfer-Encoding: chunked\t\r\n\r\n"), 0);
    assert_true(wire.chunked && !wire.http10);
    assert_int_equal(read_head("GET / HTTP/1.2\r\n\r\n"), 400); /* so Host is required */
    assert_int_equal(read_head("GET / HTTP/1.x\r\nHost: x\r\n\r\n"), 400);
    /* RFC 3986, 3.2.3: 0 is a port in an authority; RFC 9110, 9.3.6: a CONNECT cannot have it */
    assert_int_equal(read_head("GET / HTTP/1.1\r\nHost: x:0\r\n\r\n"), 0);
    assert_string_equal(wire.authority, "x:0");
    assert_int_equal(read_head("CONNECT x:0 HTTP/1.1\r\nHost: x:0\r\n\r\n"), 400);
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
                     400);
}

/* However a head is cut into pieces, its end is found at the same place, or it is refused no
 * later than as a whole. */
static void pieces(void **state) {
    (void)state;
    static const char good[] = "\r\nGET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\nmore";
    static const char *const bad[] = {"GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
                                      "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
                                      "\nGET / HTTP/1.1\r\n\r\n"};
    size_t want = sizeof good - 1 - 4;
    for (size_t step = 1; step < sizeof good; step++) {
        ts_wire_scan s = {0};
        long n = 0;
        for (size_t have = step; n == 0; have += step)
            n = ts_wire_scan_head(&s, good, have < sizeof good - 1 ? have : sizeof good - 1);
        assert_int_equal(n, (long)want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t step = 1; step <= strlen(bad[i]); step++) {
            ts_wire_scan s = {0};
            long n = 0;
            for (size_t have = step; n == 0 && have < strlen(bad[i]) + step; have += step)
                n = ts_wire_scan_head(&s, bad[i], have < strlen(bad[i]) ? have : strlen(bad[i]));
            assert_int_equal(n, -1);
        }
}

/* A chunked body in pieces of every size has the same bytes, the same trailers and the same end. */
static void chunks(void **state) {
    (void)state;
    static const char body[] =
        "5\r\nhello\r\nA ; x=\"\\\" \" ; y\r\n, world...\r\n000\r\nX: 1\r\nhost: evil\r\nY:  2 \r\n\r\nGET";
    for (size_t step = 1; step < sizeof body; step++) {
        assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
        ts_http_pipe *p = ts_http_pipe_new();
        ts_wire_state s = TS_WIRE_MORE;
        size_t at = 0, have = 0;
        while (s == TS_WIRE_MORE && have < sizeof body - 1) {
            size_t used;
            have = have + step < sizeof body - 1 ? have + step : sizeof body - 1;
            s = ts_wire_body(&wire, body + at, have - at, &used, p);
            at += used;
        }
        assert_int_equal(s, TS_WIRE_END);
        assert_int_equal(at, sizeof body - 1 - 3);
        assert_true(p->ended);
        char got[32];
        assert_int_equal(ts_http_pipe_take(p, got, sizeof got), 15);
        assert_memory_equal(got, "hello, world...", 15);
        assert_int_equal(p->trailers.len, 2);
        assert_string_equal(p->trailers.data[1].name, "Y");
        assert_string_equal(p->trailers.data[1].value, "2");
        ts_http_pipe_release(p);
    }
}

/* No more is taken than the pipe has room for. */
static void full_pipe(void **state) {
    (void)state;
    ts_wire_free(&wire);
    ts_wire_init(&wire, 0, 500);
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
    ts_http_pipe *p = ts_http_pipe_new();
    size_t n = p->cap + 100, used;
    char *data = calloc(1, n + 16);
    int k = sprintf(data, "%zx\r\n", n);
    assert_int_equal(ts_wire_body(&wire, data, (size_t)k + n, &used, p), TS_WIRE_FULL);
    assert_int_equal(used, (size_t)k + p->cap);
    assert_int_equal(ts_wire_body(&wire, data + used, 100, &used, p), TS_WIRE_FULL);
    assert_int_equal(used, 0);
    ts_http_pipe_skip(p, p->len);
    assert_int_equal(ts_wire_body(&wire, data + k, 100, &used, p), TS_WIRE_MORE);
    assert_int_equal(used, 100);
    assert_int_equal(ts_wire_body(&wire, "\r\n0\r\n\r\n", 7, &used, p), TS_WIRE_END);
    assert_int_equal(wire.got, n);
    ts_http_pipe_release(p);
    free(data);
}

static void refused_bodies(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"3e9\r\n", 413},
        {"3e8\r\n", 0},
        {"g\r\n", 400},
        {"11111111111111111\r\n", 400},
        {"3\r\nabcd\r\n", 400},
        {"3\r\nabc\n", 400},
        {"0\r\nA: b\r\n c\r\n", 400},
        {"0\r\nA b\r\n", 400},
        {"3\n", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
        ts_http_pipe *p = ts_http_pipe_new();
        size_t used;
        ts_wire_state s = ts_wire_body(&wire, cases[i].text, strlen(cases[i].text), &used, p);
        assert_int_equal(s, cases[i].status ? TS_WIRE_REFUSED : TS_WIRE_MORE);
        if (cases[i].status) assert_int_equal(wire.status, cases[i].status);
        ts_http_pipe_release(p);
    }
    /* neither long lines nor many trailers are kept */
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
    ts_http_pipe *p = ts_http_pipe_new();
    char line[TS_WIRE_MAX_LINE + 2];
    size_t used;
    memset(line, '0', sizeof line);
    assert_int_equal(ts_wire_body(&wire, line, sizeof line, &used, p), TS_WIRE_REFUSED);
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
    assert_int_equal(ts_wire_body(&wire, "0\r\n", 3, &used, p), TS_WIRE_MORE);
    ts_wire_state s = TS_WIRE_MORE;
    for (int i = 0; i < 100 && s == TS_WIRE_MORE; i++) s = ts_wire_body(&wire, "Name: value\r\n", 13, &used, p);
    assert_int_equal(s, TS_WIRE_REFUSED);
    ts_http_pipe_release(p);
}

/* With every byte at every place of a request, nothing beyond the input is read, and what is accepted
 * contains no control character. */
static void any_byte(void **state) {
    (void)state;
    static const char text[] = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nB: c\r\n\r\n";
    size_t len = sizeof text - 1, accepted = 0;
    for (size_t at = 0; at < len; at++)
        for (int byte = 0; byte < 256; byte++) {
            char *b = malloc(len); /* of exactly this size, so that a sanitizer reports a read beyond it */
            memcpy(b, text, len);
            b[at] = (char)byte;
            ts_wire_scan s = {0};
            long n = ts_wire_scan_head(&s, b, len);
            if (n > 0 && ts_wire_head(&wire, b, (size_t)n) == 0) {
                accepted++;
                for (uint32_t i = 0; i < wire.headers.len; i++)
                    for (uint32_t k = 0; k < wire.headers.data[i].value_len; k++) {
                        unsigned char c = (unsigned char)wire.headers.data[i].value[k];
                        assert_true(c == '\t' || (c >= 0x20 && c != 0x7f));
                    }
                assert_true(ts_http_is_token(wire.method, strlen(wire.method)));
            }
            free(b);
        }
    assert_in_range(accepted, 500, 6000);
}

/* --- the server ----------------------------------------------------------------------------------------- */
typedef struct site {
    ts_http_server *s;
    uint16_t port;
    pthread_t runner;
    uint64_t grace;
    bool ended;
    void (*handle)(struct site *site, ts_http_call *c);
    uint32_t threads, begun, lines, over; /* atomic */
    uint32_t interrupts;
} site;

static void *thread_new(void *data) {
    site *t = data;
    __atomic_fetch_add(&t->threads, 1, __ATOMIC_RELAXED);
    return malloc(1); /* leaks if it is not freed */
}
static void thread_free(void *data, void *thread_data) {
    (void)data;
    free(thread_data);
}
static void handle(void *data, void *thread_data, ts_http_call *c) {
    site *t = data;
    assert_non_null(thread_data);
    __atomic_fetch_add(&t->begun, 1, __ATOMIC_RELAXED);
    t->handle(t, c);
}
static void interrupt(void *data, void *thread_data) {
    (void)thread_data;
    __atomic_fetch_add(&((site *)data)->interrupts, 1, __ATOMIC_RELAXED);
}
static void log_line(void *data, const char *line) {
    assert_non_null(strstr(line, "HTTP/1."));
    __atomic_fetch_add(&((site *)data)->lines, 1, __ATOMIC_RELAXED);
}
static void *run(void *data) {
    site *t = data;
    t->ended = ts_http_server_run(t->s, t->grace);
    return NULL;
}
static void sleeper(site *t, ts_http_call *c);
static void open_site(site *t, ts_http_server_config config, void (*f)(site *t, ts_http_call *c)) {
    char err[200];
    ts_http_handler h = {.thread_new = thread_new,
                         .thread_free = thread_free,
                         .handle = handle,
                         .interrupt = interrupt,
                         .log = log_line,
                         .data = t};
    ts_sys_addr a;
    *t = (site){.handle = f, .grace = f == sleeper ? 100000000 : 5000000000u};
    assert_true(ts_sys_addr_parse("127.0.0.1", 9, &config.addr));
    t->s = ts_http_server_new(&config, &h, err);
    assert_non_null(t->s);
    ts_http_server_address(t->s, &a);
    t->port = a.port;
    assert_int_equal(pthread_create(&t->runner, NULL, run, t), 0);
}
/* Returns whether all handlers had ended. Freeing the server waits for two seconds for those that had not. */
static bool stop_site(site *t) {
    ts_http_server_stop(t->s);
    pthread_join(t->runner, NULL);
    ts_http_server_free(t->s);
    return t->ended;
}
static void close_site(site *t) {
    assert_true(stop_site(t));
}

static int dial(const site *t) {
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(t->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}
static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}
/* Reads until the end. The caller frees the result. */
static char *hear(int fd) {
    size_t len = 0, cap = 65536;
    char *b = malloc(cap + 1);
    for (ssize_t n; (n = recv(fd, b + len, cap - len, 0)) > 0;) {
        len += (size_t)n;
        if (len == cap) b = realloc(b, (cap *= 2) + 1);
    }
    b[len] = 0;
    close(fd);
    return b;
}
static char *ask(const site *t, const char *text) {
    int fd = dial(t);
    say(fd, text);
    return hear(fd);
}
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void respond_with(ts_http_call *c, uint16_t status, const char *text, bool end) {
    ts_http_pipe *p = ts_http_pipe_new();
    ts_http_pipe_put(p, text, strlen(text));
    if (end) ts_http_pipe_end(p);
    assert_true(ts_http_call_respond(c, status, NULL, p));
    ts_http_pipe_release(p);
}
static void hello(site *t, ts_http_call *c) {
    (void)t;
    respond_with(c, 200, ts_http_call_target(c), true);
    assert_true(ts_http_call_responded(c));
    assert_false(ts_http_call_respond(c, 200, NULL, NULL)); /* once */
}

static void serves(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){.threads = 2}, hello);
    char *b = ask(&t, GET("/one"));
    assert_non_null(strstr(b, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(b, "content-length: 4\r\n"));
    assert_non_null(strstr(b, "\r\n\r\n/one"));
    free(b);
    for (int i = 0; i < 50; i++) free(ask(&t, GET("/")));
    close_site(&t);
    assert_int_equal(t.begun, 51);
    assert_int_equal(t.lines, 51);
    assert_in_range(t.threads, 2, 512);
}

static void headers_of(site *t, ts_http_call *c) {
    (void)t;
    ts_http_fields f = {0}, bad = {0}, early = {0};
    assert_true(ts_http_fields_add(&bad, "a", 1, "b\r\nc: d", 7));
    assert_false(ts_http_call_respond(c, 200, &bad, NULL)); /* no response is split in two */
    assert_false(ts_http_call_respond(c, 199, NULL, NULL));
    assert_false(ts_http_call_informational(c, 101, NULL));
    assert_false(ts_http_call_informational(c, 200, NULL));
    assert_true(ts_http_fields_add(&early, "Link", 4, "</a>", 4));
    assert_true(ts_http_call_informational(c, 103, &early));
    assert_true(ts_http_fields_add(&f, "X-Case", 6, "1", 1) && ts_http_fields_add(&f, "x-case", 6, "2", 1) &&
                ts_http_fields_add(&f, "Connection", 10, "close", 5) && ts_http_fields_add(&f, "Date", 4, "mine", 4) &&
                ts_http_fields_add(&f, "transfer-encoding", 17, "gzip", 4));
    assert_true(ts_http_call_respond(c, 299, &f, NULL));
    ts_http_fields_clear(&f);
    ts_http_fields_clear(&bad);
    ts_http_fields_clear(&early);
}
static void fields(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){0}, headers_of);
    char *b = ask(&t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); /* the response closes the connection */
    assert_non_null(
        strstr(b, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 299 \r\nX-Case: 1\r\nx-case: 2\r\n"));
    assert_non_null(strstr(b, "Date: mine\r\n"));
    assert_non_null(strstr(b, "connection: close\r\n"));
    assert_non_null(strstr(b, "content-length: 0\r\n"));
    assert_null(strstr(b, "gzip"));
    assert_null(strstr(b, "date: "));
    free(b);
    close_site(&t);
}

/* No response, too short a body, a failed body, a body that never ends. */
static void broken(site *t, ts_http_call *c) {
    (void)t;
    const char *what = ts_http_call_target(c);
    if (strcmp(what, "/open") == 0) respond_with(c, 200, "part", false);
    if (strcmp(what, "/waits") == 0) {
        respond_with(c, 200, "part", false);
        ts_http_call_waits(c, true); /* so the response is sent */
        ts_http_call_waits(c, false);
    }
    if (strcmp(what, "/failed") == 0) {
        ts_http_pipe *p = ts_http_pipe_new();
        ts_http_pipe_put(p, "part", 4);
        assert_true(ts_http_call_respond(c, 200, NULL, p));
        ts_http_pipe_fail(p, ts_http_error_of(TS_HTTP_PROTOCOL_ERROR));
        ts_http_pipe_notify(p);
        ts_http_pipe_release(p);
    }
}
static void no_whole_response(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){0}, broken);
    const char *const fails[] = {GET("/nothing"), GET("/open"), GET("/failed")};
    for (int i = 0; i < 3; i++) {
        char *b = ask(&t, fails[i]);
        assert_int_equal(strncmp(b, "HTTP/1.1 500 ", 13), 0);
        free(b);
    }
    char *b = ask(&t, GET("/waits"));
    assert_int_equal(strncmp(b, "HTTP/1.1 200 ", 13), 0);
    assert_non_null(strstr(b, "4\r\npart\r\n"));
    assert_null(strstr(b, "0\r\n\r\n"));
    free(b);
    close_site(&t);
}

/* A handler that waits leaves its core to others: with one computing thread, as many more threads as allowed
 * are started for those that wait. */
static void waiter(site *t, ts_http_call *c) {
    ts_http_call_waits(c, true);
    for (int i = 0; i < 2000 && __atomic_load_n(&t->begun, __ATOMIC_RELAXED) < 5; i++) usleep(5000);
    ts_http_call_waits(c, false);
    respond_with(c, __atomic_load_n(&t->begun, __ATOMIC_RELAXED) >= 5 ? 200 : 503, "", true);
}
static void spinner(site *t, ts_http_call *c) { /* does not report it; the monitor notices */
    for (int i = 0; i < 2000 && __atomic_load_n(&t->begun, __ATOMIC_RELAXED) < 5; i++) usleep(5000);
    respond_with(c, __atomic_load_n(&t->begun, __ATOMIC_RELAXED) >= 5 ? 200 : 503, "", true);
}
static void five_at_once(void (*f)(site *t, ts_http_call *c)) {
    site t;
    int fd[5];
    open_site(&t, (ts_http_server_config){.threads = 1, .max_threads = 5}, f);
    for (int i = 0; i < 5; i++) {
        fd[i] = dial(&t);
        say(fd[i], GET("/"));
    }
    for (int i = 0; i < 5; i++) {
        char *b = hear(fd[i]);
        assert_int_equal(strncmp(b, "HTTP/1.1 200 ", 13), 0);
        free(b);
    }
    close_site(&t);
    assert_int_equal(t.threads, 5);
}
static void threads_for_who_waits(void **state) {
    (void)state;
    five_at_once(waiter);
}
static void threads_for_who_computes(void **state) {
    (void)state;
    five_at_once(spinner);
}

/* Bytes that are written while nobody waits are sent soon all the same. */
static void slow_writer(site *t, ts_http_call *c) {
    (void)t;
    ts_http_pipe *p = ts_http_pipe_new();
    assert_true(ts_http_call_respond(c, 200, NULL, p));
    ts_http_pipe_put(p, "first", 5);
    ts_http_pipe_notify(p);
    usleep(500000);
    ts_http_pipe_put(p, "second", 6);
    ts_http_pipe_end(p);
    ts_http_pipe_notify(p);
    ts_http_pipe_release(p);
}
static void held_back_not_for_long(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){0}, slow_writer);
    int fd = dial(&t);
    say(fd, GET("/"));
    uint64_t start = ts_sys_monotonic();
    char buf[4096] = "";
    size_t len = 0;
    while (!strstr(buf, "first")) {
        ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        buf[len] = 0;
    }
    assert_true(ts_sys_monotonic() - start < 450000000);
    char *rest = hear(fd);
    assert_non_null(strstr(rest, "6\r\nsecond\r\n0\r\n\r\n"));
    free(rest);
    close_site(&t);
}

/* Echoes through both pipes, waiting as a guest would. */
static void echo(site *t, ts_http_call *c) {
    (void)t;
    ts_http_pipe *in = ts_http_call_body(c), *out = ts_http_pipe_new();
    char piece[5000];
    assert_true(ts_http_call_respond(c, 200, NULL, out));
    while (!out->failed) {
        ts_sys_wait w;
        if (!in->len) ts_http_pipe_notify(in);
        size_t n = ts_http_pipe_take(in, piece, sizeof piece), done = 0;
        ts_http_pipe_notify(in);
        while (done < n && !out->failed) {
            size_t k = ts_http_pipe_put(out, piece + done, n - done);
            ts_http_pipe_notify(out);
            done += k;
            if (k || out->failed) continue;
            if (out->wire->wait(out, &w) && !ts_http_pipe_room(out)) {
                (void)ts_http_call_poll(c, &w, 1, TS_SYS_NO_DEADLINE);
            }
        }
        if (n) continue;
        if (in->ended || in->failed) break;
        if (in->wire->wait(in, &w)) {
            (void)ts_http_call_poll(c, &w, 1, TS_SYS_NO_DEADLINE);
        }
    }
    if (in->failed)
        ts_http_pipe_fail(out, in->error);
    else
        ts_http_pipe_end(out);
    ts_http_pipe_notify(out);
    ts_http_pipe_release(out);
}
typedef struct sender {
    int fd;
    size_t n;
} sender;
static void *send_all(void *data) {
    sender *s = data;
    char piece[8192];
    memset(piece, 'e', sizeof piece);
    for (size_t left = s->n; left;) {
        ssize_t k = send(s->fd, piece, left < sizeof piece ? left : sizeof piece, MSG_NOSIGNAL);
        if (k <= 0) break;
        left -= (size_t)k;
    }
    return NULL;
}
static void both_ways(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){.stall_timeout_ns = 500000000}, echo);
    int fd = dial(&t);
    sender s = {fd, 3u << 20};
    pthread_t id;
    char text[200];
    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", s.n);
    say(fd, text);
    pthread_create(&id, NULL, send_all, &s);
    char *b = hear(fd);
    pthread_join(id, NULL);
    size_t count = 0;
    /* the sizes of the chunks are counted too */
    for (const char *p = strstr(b, "\r\n\r\n"); *p; p++) count += *p == 'e';
    assert_in_range(count, s.n, s.n + 10000);
    assert_string_equal(b + strlen(b) - 5, "0\r\n\r\n");
    free(b);
    /* a client that stops sending is dropped, and so is one that stops receiving */
    fd = dial(&t);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    b = hear(fd);
    assert_null(strstr(b, "0\r\n\r\n"));
    free(b);
    fd = dial(&t);
    s = (sender){fd, 64u << 20};
    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", s.n);
    say(fd, text);
    pthread_create(&id, NULL, send_all, &s);
    pthread_join(id, NULL); /* ends because the server ends the connection */
    close(fd);
    close_site(&t);
}

/* A client that is slow to read the last bytes gets them all the same, after the handler has returned. */
static void burst(site *t, ts_http_call *c) {
    (void)t;
    ts_http_pipe *p = ts_http_pipe_new();
    char piece[4096];
    memset(piece, 'b', sizeof piece);
    assert_true(ts_http_call_respond(c, 200, NULL, p));
    for (int i = 0; i < 100000 && ts_http_pipe_room(p); i++) { /* until all buffers are full */
        ts_http_pipe_put(p, piece, sizeof piece);
        ts_http_pipe_notify(p);
    }
    ts_http_pipe_end(p);
    ts_http_pipe_notify(p);
    ts_http_pipe_release(p);
}
static void slow_to_take(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){0}, burst);
    int fd = dial(&t);
    say(fd, GET("/"));
    usleep(300000);
    char *b = hear(fd);
    assert_true(strlen(b) > 65536);
    assert_string_equal(b + strlen(b) - 7, "\r\n0\r\n\r\n");
    free(b);
    close_site(&t);
}

/* Shutdown: running handlers may finish, those that do not are interrupted, and those that
 * ignore that are abandoned. */
static void sleeper(site *t, ts_http_call *c) {
    for (int i = 0; i < 1000 && !__atomic_load_n(&t->interrupts, __ATOMIC_RELAXED); i++) usleep(5000);
    if (!ts_http_call_respond(c, 200, NULL, NULL)) assert_true(ts_http_call_client_gone(c));
}
/* The server waits for a handler that it has cut for some 80 ms, which a busy machine may not give to the handler: it has
 * several tries. */
static void grace(void **state) {
    (void)state;
    bool ended = false;
    for (int tries = 0; tries < 10 && !ended; tries++) {
        site t;
        open_site(&t, (ts_http_server_config){0}, sleeper);
        int fd = dial(&t);
        say(fd, GET("/"));
        while (!__atomic_load_n(&t.begun, __ATOMIC_RELAXED)) usleep(1000);
        uint64_t start = ts_sys_monotonic();
        ended = stop_site(&t);
        assert_in_range(ts_sys_monotonic() - start, 90000000, 5000000000u);
        assert_true(t.interrupts > 0);
        close(fd);
    }
    assert_true(ended);
}
static void call_timeout(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){.call_timeout_ns = 100000000}, sleeper);
    char *b = ask(&t, GET("/"));
    assert_int_equal(strncmp(b, "HTTP/1.1 200 ", 13), 0);
    assert_true(t.interrupts > 0);
    free(b);
    close_site(&t);
}
static void never_run(void **state) {
    (void)state;
    char err[200];
    site t = {.handle = hello};
    ts_http_handler h = {.thread_new = thread_new, .thread_free = thread_free, .handle = handle, .data = &t};
    ts_http_server_config g = {0};
    assert_true(ts_sys_addr_parse("127.0.0.1", 9, &g.addr));
    ts_http_server *s = ts_http_server_new(&g, &h, err);
    assert_non_null(s);
    ts_sys_addr a;
    ts_http_server_address(s, &a);
    g.addr = a; /* taken */
    assert_null(ts_http_server_new(&g, &h, err));
    assert_true(strlen(err) > 0);
    ts_http_server_free(s);
}

/* A handler waits before, within or after its response while its client leaves. */
static void waits_while_left(site *t, ts_http_call *c) {
    const char *what = ts_http_call_target(c);
    if (strcmp(what, "/within") == 0) respond_with(c, 200, "part", false);
    if (strcmp(what, "/after") == 0) respond_with(c, 200, "whole", true);
    uint64_t start = ts_sys_monotonic();
    ts_http_watched how = ts_http_call_poll(c, NULL, 0, start + (strcmp(what, "/after") ? 600000000000 : 300000000));
    if (strcmp(what, "/after") == 0) { /* what it does after its response does not concern the client */
        assert_int_equal(how, TS_HTTP_PROCEED);
        assert_true(ts_sys_monotonic() - start >= 300000000);
    } else {
        assert_int_equal(how, TS_HTTP_STOP);
        assert_true(ts_http_call_abandoned(c) && !ts_http_call_timed_out(c));
        assert_true(ts_http_call_client_gone(c));
    }
    __atomic_fetch_add(&t->over, 1, __ATOMIC_RELAXED);
}
static void left(void **state) {
    (void)state;
    site t;
    struct linger now = {.l_onoff = 1};
    open_site(&t, (ts_http_server_config){.stall_timeout_ns = 400000000}, waits_while_left);
    static const struct {
        const char *request;
        bool reset;
    } all[] = {{GET("/before"), false}, {GET("/before"), true}, {GET("/within"), false},
               {GET("/within"), true},  {GET("/after"), false}, {GET("/after"), true}};
    uint32_t n = sizeof all / sizeof *all;
    for (uint32_t i = 0; i < n; i++) {
        int fd = dial(&t);
        char some[16];
        say(fd, all[i].request);
        if (strncmp(all[i].request, "GET /before", 11) != 0) assert_true(recv(fd, some, sizeof some, 0) > 0);
        usleep(20000);
        if (all[i].reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    for (int i = 0; i < 2000 && __atomic_load_n(&t.over, __ATOMIC_RELAXED) < n; i++) usleep(10000);
    assert_int_equal(__atomic_load_n(&t.over, __ATOMIC_RELAXED), n);
    close_site(&t);
}

/* The time limit of a request is over, and the server interrupts its calls. */
static void too_long(site *t, ts_http_call *c) {
    (void)t;
    assert_int_equal(ts_http_call_poll(c, NULL, 0, TS_SYS_NO_DEADLINE), TS_HTTP_STOP);
    bool cut = strcmp(ts_http_call_target(c), "/cut") == 0;
    assert_int_equal(ts_http_call_abandoned(c), cut);
    assert_int_equal(ts_http_call_timed_out(c), !cut);
    if (!cut) ts_http_call_unavailable(c);
}
static void ended_waits(void **state) {
    (void)state;
    site t;
    open_site(&t, (ts_http_server_config){.request_timeout_ns = 200000000}, too_long);
    char *b = ask(&t, GET("/time"));
    assert_non_null(strstr(b, "HTTP/1.1 503 "));
    assert_non_null(strstr(b, "retry-after: 1\r\n"));
    free(b);
    close_site(&t);
    open_site(&t, (ts_http_server_config){0}, too_long);
    int fd = dial(&t);
    say(fd, GET("/cut"));
    while (!__atomic_load_n(&t.begun, __ATOMIC_RELAXED)) usleep(1000);
    usleep(50000);
    ts_http_server_stop(t.s);
    close_site(&t); /* the second time it fails at once */
    close(fd);
}

/* Many connections come and go, and some behave badly. */
static void *crowd(void *data) {
    const site *t = data;
    for (int i = 0; i < 150; i++) {
        int fd = dial(t);
        switch (i % 5) {
        case 0: say(fd, GET("/x")); break;
        case 1: say(fd, "GET / HTTP/1.1\r\nHo"); break;
        case 2: say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET /"); break;
        case 3: say(fd, "nonsense\r\n\r\n"); break;
        default: break;
        }
        if (i % 2) {
            struct linger now = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        if (i % 5 == 0 && i % 3) {
            char *b = hear(fd);
            if (!strstr(b, "\r\n\r\n/x")) return "a response is not there";
            free(b);
        } else {
            close(fd);
        }
    }
    return NULL;
}
static void crowds(void **state) {
    (void)state;
    site t;
    pthread_t id[8];
    open_site(&t, (ts_http_server_config){.max_connections = 20}, hello);
    for (int i = 0; i < 8; i++) pthread_create(&id[i], NULL, crowd, &t);
    for (int i = 0; i < 8; i++) {
        void *said;
        pthread_join(id[i], &said);
        assert_null(said);
    }
    char *b = ask(&t, GET("/after"));
    assert_non_null(strstr(b, "/after"));
    free(b);
    close_site(&t);
}

int main(void) {
    ts_sys_signals_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(heads, wire_new, wire_end),
        cmocka_unit_test_setup_teardown(pieces, wire_new, wire_end),
        cmocka_unit_test_setup_teardown(chunks, wire_new, wire_end),
        cmocka_unit_test_setup_teardown(full_pipe, wire_new, wire_end),
        cmocka_unit_test_setup_teardown(refused_bodies, wire_new, wire_end),
        cmocka_unit_test_setup_teardown(any_byte, wire_new, wire_end),
        cmocka_unit_test(serves),
        cmocka_unit_test(fields),
        cmocka_unit_test(no_whole_response),
        cmocka_unit_test(threads_for_who_waits),
        cmocka_unit_test(threads_for_who_computes),
        cmocka_unit_test(held_back_not_for_long),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(slow_to_take),
        cmocka_unit_test(grace),
        cmocka_unit_test(call_timeout),
        cmocka_unit_test(never_run),
        cmocka_unit_test(left),
        cmocka_unit_test(ended_waits),
        cmocka_unit_test(crowds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
