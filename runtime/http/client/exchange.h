/* exchange: what the parts of the HTTP client share: http_client (exchanges and the pump), http_request (what a guest asks, as
 * libcurl takes it), http_transfer (one exchange in libcurl: its functions and what they call).
 * In: nothing. Out: the client and its exchanges. */
#ifndef TS_SYS_HTTP_EXCHANGE_H
#define TS_SYS_HTTP_EXCHANGE_H
#include "sys/clock.h"
#include "http/client/chunked.h"
#include "http/client/client.h"
#include "http/client/curl.h"
#include "sys/lookup.h"

#ifdef TS_HTTP_CURL
enum {
    TS_HTTP_MAX_EXCHANGES = 1024,         /* of one client at once */
    TS_HTTP_MAX_LOOKUPS = 8,              /* threads; more names wait for one of them */
    TS_HTTP_MAX_KEPT = 32,                /* connections that wait for a further request */
    TS_HTTP_MAX_ADDRESSES = 32,           /* of one name that are tried */
    TS_HTTP_MAX_INFORMATIONAL = 64,       /* responses of 1xx before one that counts */
    TS_HTTP_MAX_REQUEST_HEAD = 512 << 10, /* libcurl takes 1 MiB */
    TS_HTTP_KNOWN_NAMES = 8,              /* whose addresses are kept */
    TS_HTTP_MAX_SOCKETS = 4,              /* several addresses are tried side by side */
    TS_HTTP_ROUNDS = 16,                  /* of one pump: then the guest has its turn */
};

typedef struct ts_http_sock {
    int fd;
    bool in, out;
} ts_http_sock;

typedef struct ts_http_known_name {
    char name[254];
    ts_sys_addr addrs[TS_HTTP_MAX_ADDRESSES];
    uint32_t n;
    uint64_t until;
} ts_http_known_name;

struct ts_http_client {
    ts_curl l;
    CURLM *multi; /* NULL: not opened yet, or `problem` */
    const char *problem;
    char *ca_file;
    ts_http_may_connect may_connect;
    void *may_connect_data;
    ts_sys_lookups *lookups;
    ts_http_exchange *first; /* under way, the newest first */
    uint32_t n;
    ts_http_sock *socks; /* what libcurl waits for */
    uint32_t n_socks, cap_socks;
    ts_sys_wait *poll_set; /* room to ask the OS about them */
    uint32_t cap_poll_set;
    bool out_of_memory; /* no memory for a socket of libcurl: all that is under way fails */
    uint64_t timer;     /* when libcurl wants to be called (monotonic ns) */
    bool pumping;       /* in a pump */
    /* The clocks of requests stand still while the guest computes: nobody could take what a server sends meanwhile. */
    bool waiting;
    uint64_t paused_at, paused_ns;
    ts_http_known_name known[TS_HTTP_KNOWN_NAMES];
    uint32_t next_known;
};

struct ts_http_exchange {
    ts_http_client *c; /* NULL: over */
    ts_http_exchange *prev, *next;
    bool owned; /* by the caller */
    ts_http_progress state;
    bool has_error; /* a callback has failed the exchange; `error` says why */
    ts_http_error error;
    uint16_t status;
    ts_http_fields headers;
    ts_http_pipe *in, *out; /* bodies of the response and of the request (or NULL) */

    /* the request */
    char *method, *target, *authority, *host, *url;
    ts_http_fields request_fields; /* as the guest gave them; until `fields` is made of them */
    uint16_t port;
    bool literal, https, idempotent, head, connect,
        http1; /* http1: it announces trailers, which libcurl sends in HTTP/1.1 only, or is a CONNECT */
    /* Whether there is content, and so how it is framed, is seen when its first byte or its end comes. Until then nothing is sent, unless
     * the guest waits for the response: `wanted`. */
    bool deferred, response_awaited;
    uint32_t polls;
    struct curl_slist *fields, *addresses;
    bool has_length, out_eof, send_paused, trailers_sent;
    bool expecting; /* its body waits for a 100, or a second. RFC 9110, 10.1.1 */
    uint64_t length, taken;
    uint64_t connect_timeout, first_byte_timeout, between_bytes_timeout;

    /* the way there */
    ts_sys_lookup *lookup;
    bool prohibited; /* an address that was to be connected to may not be */
    bool no_files;   /* … or the OS has no more sockets */
    CURL *easy;
    bool connected; /* the connection stands */
    int fds[TS_HTTP_MAX_SOCKETS];
    char text[CURL_ERROR_SIZE];

    /* the response */
    bool in_head, begun, chunked, known_length, bodyless, got_byte, recv_paused, discard, http2, finish_early, tls_cut;
    uint32_t informational;
    uint64_t in_length, got;
    ts_http_chunked chunks;

    /* by the client's clock */
    uint64_t started, connected_at, quiet_since, last_byte;
};

/* The client's clock. */
static inline uint64_t ts_http_ticks(const ts_http_client *c) {
    return ts_sys_monotonic() - c->paused_ns;
}

/* http_client: an exchange is over; e says why, NULL: as it should. It may be freed by that. Not within a call of libcurl. */
void ts_http_exchange_finish(ts_http_exchange *x, const ts_http_error *e);
void ts_http_exchange_finish_code(ts_http_exchange *x, ts_http_code code);
/* … and within one: the first reason counts; who has called libcurl finishes. */
void ts_http_exchange_set_error(ts_http_exchange *x, ts_http_error e);
void ts_http_exchange_set_error_code(ts_http_exchange *x, ts_http_code code);
void ts_http_exchange_set_error_number(ts_http_exchange *x, ts_http_code code, uint64_t number);
void ts_http_exchange_set_error_nomem(ts_http_exchange *x);

/* http_request: everything that can be seen before there is a connection. False: given up. */
bool ts_http_request_prepare(ts_http_exchange *x, const ts_http_request *r);
/* The fields as libcurl takes them, once it is known whether there is content (x->out). False: given up. */
bool ts_http_request_fields(ts_http_exchange *x);

/* http_transfer: libcurl is opened, unless there is a `problem`, or (multi stays NULL) no memory. */
void ts_http_transfer_open(ts_http_client *c);
/* The addresses are known: those that may be connected to are tried. */
void ts_http_transfer_start(ts_http_exchange *x, const ts_sys_addr *addrs, size_t n_addrs);
/* What libcurl says at the end: finishes. */
void ts_http_transfer_ended(ts_http_exchange *x, CURLcode code);
/* Something of its request waits until the server takes more. */
bool ts_http_transfer_send_blocked(const ts_http_exchange *x);
ts_http_sock *ts_http_sock_of(const ts_http_client *c, int fd);
#endif
#endif
