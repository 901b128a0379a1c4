/* fuzz_client: any bytes as what a server answers to the HTTP client, through libcurl.
 * In: bytes from libFuzzer: a byte with the kind of request, a byte with the size of pieces, the answer; the server
 * closes the connection after the last byte. Out: no crash, no leak, no sanitizer report; a response has
 * only what the grammar allows; its body has the length that was announced.
 * Connections are pairs of sockets of this process: nothing reaches a network.
 * build: clang -fsanitize=fuzzer,address,undefined -Wl,--export-dynamic-symbol=connect */
#include "input.h"
#include "http/client/exchange.h"

#ifndef TS_HTTP_CURL
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}
#else
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>

enum { CONNECTIONS = 2, ROUNDS = 4000 };
typedef struct server {
    int fd[CONNECTIONS]; /* our ends */
    int made;
    fz_input answer;
    size_t piece;
} server;
static server peer;

static curl_socket_t open_pair(void *data, curlsocktype purpose, struct curl_sockaddr *to) {
    int pair[2];
    (void)data;
    (void)purpose;
    (void)to;
    if (peer.made == CONNECTIONS || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return CURL_SOCKET_BAD;
    peer.fd[peer.made++] = pair[1];
    return pair[0];
}
/* libcurl calls this instead of the C library's: its end of the pair is connected already. */
__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len) {
    (void)fd;
    (void)to;
    (void)len;
    return 0;
}

/* The client's own options, but for the socket. Every argument is a pointer or a number of 64 bits. */
static CURLcode (*setopt)(CURL *easy, CURLoption option, ...);
static CURLcode set_option(CURL *easy, CURLoption option, ...) {
    va_list ap;
    va_start(ap, option);
    void *value = va_arg(ap, void *);
    va_end(ap);
    return setopt(easy, option, option == CURLOPT_OPENSOCKETFUNCTION ? (void *)open_pair : value);
}

static void check_fields(const ts_http_fields *f) {
    for (uint32_t i = 0; i < f->len; i++) {
        const char *v = f->data[i].value;
        size_t len = f->data[i].value_len;
        if (!ts_http_is_token(f->data[i].name, f->data[i].name_len) || !ts_http_is_field_value(v, len)) abort();
        ts_http_trim(&v, &len);
        if (len != f->data[i].value_len) abort();
    }
}
/* Takes what has come of the body. Returns whether the body has ended. */
static bool take_body(ts_http_exchange *x, uint64_t *got) {
    ts_http_pipe *p = ts_http_exchange_body(x);
    uint8_t out[700];
    for (size_t n; (n = ts_http_pipe_take(p, out, sizeof out));) *got += n;
    ts_http_pipe_notify(p);
    if (!p->ended || p->len) return p->failed && !p->len;
    uint64_t length;
    const bool head = x->head || x->status == 204 || x->status == 304 || (x->connect && x->status < 300);
    if (!head && ts_http_content_length(ts_http_exchange_headers(x), &length) == 1 && *got != length) abort();
    if (head && *got) abort();
    check_fields(&p->trailers);
    return true;
}

/* Sends a piece of the answer, and reads what the client has sent. Returns whether the server is still there. */
static bool serve(void) {
    static char sink[4096];
    if (!peer.made) return true;
    const int fd = peer.fd[peer.made - 1];
    while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0) {
    }
    fz_input part = fz_take(&peer.answer, peer.piece);
    if (fz_left(&part)) {
        ssize_t n = send(fd, part.at, fz_left(&part), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return false;
        peer.answer.at -= fz_left(&part) - (n > 0 ? (size_t)n : 0);
        return true;
    }
    return shutdown(fd, SHUT_WR) == 0 && false;
}

static void request_of(uint8_t kind, ts_http_request *r, ts_http_pipe **body, ts_http_fields *headers) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "CONNECT", "OPTIONS", "PUT", "GET", "POST"};
    r->method = methods[kind & 7];
    r->scheme = "http";
    r->authority = "127.0.0.1:7";
    r->path = "/";
    r->headers = headers;
    if (kind & 8 && !ts_http_fields_add(headers, "expect", 6, "100-continue", 12)) abort();
    if (kind & 16 && !ts_http_fields_add(headers, "te", 2, "trailers", 8)) abort();
    if (strcmp(r->method, "POST") != 0 && strcmp(r->method, "PUT") != 0) return;
    *body = r->body = ts_http_pipe_new();
    if (!*body) abort();
    if (kind & 32) (void)ts_http_pipe_put(*body, "some text", 9);
    if (kind & 64) ts_http_pipe_end(*body);
}

/* Returns the status of the response, or 0 if there was none. */
static uint16_t exchange(ts_http_client *c, uint8_t kind) {
    ts_http_request r = {0};
    ts_http_fields headers = {0};
    ts_http_pipe *body = NULL;
    uint64_t got = 0, deadline;
    ts_sys_wait waits[8];
    bool there = true, over = false;
    request_of(kind, &r, &body, &headers);
    ts_http_exchange *x = ts_http_client_send(c, &r);
    ts_http_fields_clear(&headers);
    if (!x) abort();
    ts_http_client_pump(c);
    int idle = 0;
    for (int round = 0; round < ROUNDS && !over && idle < 3; round++) {
        if (there) there = serve();
        if (round == 2 && body && !(kind & 64)) ts_http_pipe_end(body);
        ts_http_exchange_note_poll(x);
        deadline = UINT64_MAX;
        (void)ts_http_client_waits(c, waits, 8, &deadline);
        ts_http_client_pump(c);
        ts_http_progress p = ts_http_exchange_state(x);
        if (p == TS_HTTP_RESPONDED) {
            check_fields(ts_http_exchange_headers(x));
            if (ts_http_exchange_status(x) < 200 || ts_http_exchange_status(x) > 999) abort();
            over = kind & 128 || take_body(x, &got);
        } else if (p == TS_HTTP_FAILED) {
            if (ts_http_exchange_error(x)->code >= TS_HTTP_CODE_COUNT) abort();
            over = true;
        }
        idle = there ? 0 : idle + 1;
    }
    const uint16_t status = ts_http_exchange_state(x) == TS_HTTP_RESPONDED ? ts_http_exchange_status(x) : 0;
    ts_http_exchange_free(x);
    ts_http_pipe_release(body);
    return status;
}
/* Returns the status of the response to one request, or 0 if there was none; -1: there is no libcurl. */
static int answer(uint8_t kind, uint8_t piece, fz_input in) {
    ts_http_client *c = ts_http_client_new(NULL);
    if (!c) abort();
    ts_http_transfer_open(c);
    if (!c->multi) {
        ts_http_client_free(c);
        return -1;
    }
    setopt = c->l.curl_easy_setopt;
    c->l.curl_easy_setopt = set_option;
    peer = (server){.answer = in, .piece = piece ? piece * 16u : SIZE_MAX};
    const int status = exchange(c, kind);
    ts_http_client_free(c);
    for (int i = 0; i < peer.made; i++) close(peer.fd[i]);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool tried;
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    /* no version of libcurl may bypass the pair unnoticed: nothing would be tested */
    if (!tried && answer(0, 0, fz_input_of((const uint8_t *)good, sizeof good - 1)) == 0) abort();
    tried = true;
    fz_input in = fz_input_of(data, size);
    const uint8_t kind = (uint8_t)fz_number(&in, 1), piece = (uint8_t)fz_number(&in, 1);
    (void)answer(kind, piece, in);
    return 0;
}
#endif
