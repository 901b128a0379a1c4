/* client: requests over the network by libcurl's multi interface. Never waits: the caller's one wait of the OS
 * includes what the client waits on. libcurl is opened when the first request is sent: who sends none pays nothing.
 * In: requests. Out: responses, bodies through pipes, errors in words of wasi:http. Source: RFC 9110, 9112, 9113; libcurl
 *
 * HTTP/2 where a server of https offers it, HTTP/1.1 else; one request at a time on a connection, which is kept for the next one. No
 * redirect is followed, no proxy used, nothing decoded but the framing, nothing of the host's environment or files taken but the
 * system's certificate authorities and its name service. A request goes out a second time only when a kept connection turns out
 * to be dead, its method is idempotent and nothing of its body has gone.
 * libcurl sends no trailers over HTTP/2: a request with a field Trailer goes by HTTP/1.1, and without it trailers there are an error.
 * Over HTTP/2 a response ends for libcurl only when the request has ended too.
 *
 * Clocks: connect: name, connection, TLS. First byte: from the request on its way, or what of its body was last given or sent, to the
 * first byte of the response's body (before its head: the exchange fails, after it: the body). Between bytes: of the body. None runs
 * while the guest computes, or does not read what is there. */
#ifndef TS_SYS_HTTP_CLIENT_H
#define TS_SYS_HTTP_CLIENT_H
#include "http/message.h"
#include "sys/net.h"

typedef struct ts_http_client ts_http_client;
typedef struct ts_http_exchange ts_http_exchange; /* one request and its response */

/* May an address be connected to? Asked for each before it is tried (NULL: all may). */
typedef bool (*ts_http_may_connect)(void *data, const ts_sys_addr *a);

typedef struct ts_http_request {
    const char *method, *scheme /* "http", "https" */, *authority, *path /* with query: "/" or more */;
    const ts_http_fields *headers; /* sent as they are, and nothing else but what HTTP requires (Host, framing) */
    /* nanoseconds; 0: none */
    uint64_t connect_timeout, first_byte_timeout, between_bytes_timeout;
    ts_http_pipe *body; /* the client takes a reference of its own and is its far end; NULL: no body */
    bool no_content;    /* the body is known to be empty: neither content-length nor chunks are announced */
} ts_http_request;

typedef enum ts_http_progress { TS_HTTP_PENDING, TS_HTTP_RESPONDED, TS_HTTP_FAILED } ts_http_progress;

/* ca_file: PEM of the authorities to trust; NULL: those of the system. NULL: no memory. */
ts_http_client *ts_http_client_new(const char *ca_file);
void ts_http_client_free(ts_http_client *c); /* ends what is under way */
void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data);
/* Start: no wait. NULL: no memory. Everything else that goes wrong shows in the exchange. */
ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r);
/* The caller looks whether the response is there. A request whose body is neither begun nor finished is held back, since how it is
 * framed depends on whether anything will be written. It goes out as one that has a body when the caller waits after a look
 * (ts_http_client_waits with a deadline other than 0), or, at the next wait or pump, if the caller looks again and again.
 * A look never does I/O: what the caller has seen of other exchanges stays true until its next wait or pump. */
void ts_http_exchange_note_poll(ts_http_exchange *x);
ts_http_progress ts_http_exchange_state(const ts_http_exchange *x);
const ts_http_error *ts_http_exchange_error(const ts_http_exchange *x); /* of a failed one */
/* Of one that responded; both stay the exchange's. The body is a pipe whose far end is the client: hold it to keep it. */
uint16_t ts_http_exchange_status(const ts_http_exchange *x);
const ts_http_fields *ts_http_exchange_headers(const ts_http_exchange *x);
ts_http_pipe *ts_http_exchange_body(const ts_http_exchange *x);
/* The caller wants no more of it: one that has not responded is cancelled; bodies go on for as long as their pipes' near ends live. */
void ts_http_exchange_free(ts_http_exchange *x);

/* The client's part of a wait: fills up to n waits, and brings the deadline (monotonic ns) forward; returns how many there are in all. */
size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline);
/* Do what can be done now. */
void ts_http_client_pump(ts_http_client *c);
bool ts_http_client_idle(const ts_http_client *c); /* nothing is under way */
#endif
