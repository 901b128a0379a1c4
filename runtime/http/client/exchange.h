/* exchange: the data that the files of the HTTP client share. client.c holds the exchanges and the
 * pump, request.c turns a guest's request into libcurl's terms, transfer.c runs an exchange in
 * libcurl with its callbacks. */
#ifndef TS_SYS_HTTP_EXCHANGE_H
#define TS_SYS_HTTP_EXCHANGE_H
#include "sys/clock.h"
#include "http/client/chunked.h"
#include "http/client/client.h"
#include "http/client/curl.h"
#include "sys/lookup.h"

#ifdef TS_HTTP_CURL
enum {
    TS_HTTP_MAX_EXCHANGES = 1024,         /* of one client at a time */
    TS_HTTP_MAX_LOOKUPS = 8,              /* threads; further names wait for one of them */
    TS_HTTP_MAX_KEPT = 32,                /* idle connections that are kept for another request */
    TS_HTTP_MAX_ADDRESSES = 32,           /* addresses of one name that are tried */
    TS_HTTP_MAX_INFORMATIONAL = 64,       /* 1xx responses before the final one */
    TS_HTTP_MAX_REQUEST_HEAD = 512 << 10, /* libcurl accepts 1 MiB */
    TS_HTTP_KNOWN_NAMES = 8,              /* names whose addresses are cached */
    TS_HTTP_MAX_SOCKETS = 4,              /* several addresses are tried in parallel */
    TS_HTTP_ROUNDS = 16,                  /* rounds of one pump, after which the guest continues */
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
    CURLM *multi; /* NULL: not opened yet, or `problem` says why it cannot be */
    const char *problem;
    char *ca_file;
    ts_http_may_connect may_connect;
    void *may_connect_data;
    ts_sys_lookups *lookups;
    ts_http_exchange *first; /* running exchanges, the newest first */
    uint32_t n;
    ts_http_sock *socks; /* the sockets that libcurl waits for */
    uint32_t n_socks, cap_socks;
    ts_sys_wait *poll_set; /* scratch memory to poll them */
    uint32_t cap_poll_set;
    bool out_of_memory; /* there was no memory for a socket of libcurl: all exchanges fail */
    uint64_t timer;     /* when libcurl's timer expires (monotonic ns) */
    bool pumping;       /* ts_http_client_pump is running */
    /* The clocks of requests stop while the guest computes, because nothing could take what a server
     * sends meanwhile. waiting: the guest waits, so they run. paused_ns: the time that does not
     * count. */
    bool waiting;
    uint64_t paused_at, paused_ns;
    ts_http_known_name known[TS_HTTP_KNOWN_NAMES];
    uint32_t next_known;
};

struct ts_http_exchange {
    ts_http_client *c; /* NULL once the exchange has ended */
    ts_http_exchange *prev, *next;
    bool owned; /* the caller has not freed it */
    ts_http_progress state;
    bool has_error; /* a callback of libcurl has failed the exchange; `error` says why */
    ts_http_error error;
    uint16_t status;
    ts_http_fields headers;
    ts_http_pipe *in, *out; /* the bodies of the response and of the request; out may be NULL */

    /* the request */
    char *method, *target, *authority, *host, *url;
    ts_http_fields request_fields; /* the guest's fields, until `fields` is made of them */
    uint16_t port;
    bool literal, https, idempotent, head, connect,
        /* http1: HTTP/1.1 is required, because the request announces trailers, which libcurl sends in
         * HTTP/1.1 only, or is a CONNECT */
        http1;
    /* Whether there is content, and how it is framed, is known when its first byte or its end comes.
     * Until then the request is deferred, unless the guest waits for the response (response_awaited). */
    bool deferred, response_awaited;
    uint32_t polls;
    struct curl_slist *fields, *addresses;
    bool has_length, out_eof, send_paused, trailers_sent;
    bool expecting; /* the body waits for 100 (Continue), or for one second. RFC 9110, 10.1.1 */
    uint64_t length, taken;
    uint64_t connect_timeout, first_byte_timeout, between_bytes_timeout;

    /* name lookup and connection */
    ts_sys_lookup *lookup;
    bool prohibited; /* an address was rejected by may_connect */
    bool no_files;   /* the OS has no more sockets */
    CURL *easy;
    bool connected; /* the connection is established */
    bool tried;     /* libcurl has asked for a socket since the client looked last */
    int fds[TS_HTTP_MAX_SOCKETS];
    char text[CURL_ERROR_SIZE];

    /* the response */
    bool in_head, begun, chunked, known_length, bodyless, got_byte, recv_paused, discard, http2, finish_early, tls_cut;
    uint32_t informational;
    uint64_t in_length, got;
    ts_http_chunked chunks;

    /* times on the client's clock */
    uint64_t started, connected_at, quiet_since, last_byte;
};

/* The client's clock, in ns. It stops while the guest computes. */
static inline uint64_t ts_http_ticks(const ts_http_client *c) {
    return ts_sys_monotonic() - c->paused_ns;
}

/* client.c: ends an exchange. e is the reason, or NULL if it has succeeded. The exchange may be
 * freed. Must not be called from a callback of libcurl. */
void ts_http_exchange_finish(ts_http_exchange *x, const ts_http_error *e);
void ts_http_exchange_finish_code(ts_http_exchange *x, ts_http_code code);
/* For callbacks of libcurl: records the reason for a failure; only the first one is kept. The caller
 * of libcurl then ends the exchange. */
void ts_http_exchange_set_error(ts_http_exchange *x, ts_http_error e);
void ts_http_exchange_set_error_code(ts_http_exchange *x, ts_http_code code);
void ts_http_exchange_set_error_number(ts_http_exchange *x, ts_http_code code, uint64_t number);
void ts_http_exchange_set_error_nomem(ts_http_exchange *x);

/* request.c: checks everything that can be checked before there is a connection. Returns false after
 * setting an error. */
bool ts_http_request_prepare(ts_http_exchange *x, const ts_http_request *r);
/* Makes the header list for libcurl, once it is known whether there is content (x->out). Returns
 * false after setting an error. */
bool ts_http_request_fields(ts_http_exchange *x);

/* transfer.c: loads libcurl, unless it has been. On failure `problem` is set, or multi stays NULL if
 * there is no memory. */
void ts_http_transfer_open(ts_http_client *c);
/* Starts the transfer to those of the addresses that may be connected to. */
void ts_http_transfer_start(ts_http_exchange *x, const ts_sys_addr *addrs, size_t n_addrs);
/* Ends the exchange with libcurl's result. */
void ts_http_transfer_ended(ts_http_exchange *x, CURLcode code);
/* Returns whether a part of the request waits until the server accepts more. */
bool ts_http_transfer_send_blocked(const ts_http_exchange *x);
ts_http_sock *ts_http_sock_of(const ts_http_client *c, int fd);
#endif
#endif
