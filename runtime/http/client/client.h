/* client: HTTP requests over the network with libcurl's multi interface. The client never waits: its
 * caller waits for the OS once, for everything that the caller and the client wait for. libcurl is
 * loaded when the first request is sent.
 * In: requests. Out: responses, bodies through pipes, errors of wasi:http. Source: RFC 9110, 9112,
 * 9113; libcurl
 *
 * The client uses HTTP/2 if an https server offers it, and HTTP/1.1 otherwise. A connection carries
 * one request at a time and is kept for the next one. The client follows no redirect, uses no proxy,
 * and decodes nothing but the framing. It takes nothing from the environment or the files of the host
 * except the certificate authorities and the name service of the system. A request is sent a second
 * time only if a kept connection turns out to be dead, its method is idempotent, and nothing of its
 * body has been sent.
 * libcurl sends no trailers over HTTP/2: a request with a field Trailer uses HTTP/1.1, and trailers
 * without that field are an error over HTTP/2. Over HTTP/2 libcurl ends a response only when the
 * request has ended too. libcurl rejects responses of HTTP/1.2 and above, which RFC 9110, 2.5 says
 * should be read as HTTP/1.1.
 *
 * Timeouts. Connect: name lookup, connection and TLS. First byte: from the start of the request, or
 * from the time at which the last byte of its body was given or sent, to the first byte of the
 * response's body. If it expires before the head of the response, the exchange fails, otherwise the
 * body. Between bytes: between bytes of the body. No timeout runs while the guest computes, or while
 * it does not read what has arrived. */
#ifndef TS_SYS_HTTP_CLIENT_H
#define TS_SYS_HTTP_CLIENT_H
#include "http/message.h"
#include "sys/net.h"

typedef struct ts_http_client ts_http_client;
typedef struct ts_http_exchange ts_http_exchange; /* a request and its response */

/* Decides whether an address may be connected to. It is called before each connection attempt.
 * Without it every address is allowed. */
typedef bool (*ts_http_may_connect)(void *data, const ts_sys_addr *a);

typedef struct ts_http_request {
    const char *method, *scheme /* "http" or "https" */, *authority, *path /* path with query, at
                                                                            * least "/" */
        ;
    /* sent unchanged, with only what HTTP requires added (Host, framing) */
    const ts_http_fields *headers;
    /* in nanoseconds; 0 means no timeout */
    uint64_t connect_timeout, first_byte_timeout, between_bytes_timeout;
    /* the client takes its own reference and drives the wire's end; NULL if there is no body */
    ts_http_pipe *body;
    /* the body is known to be empty: neither a content-length nor chunks are announced */
    bool no_content;
} ts_http_request;

typedef enum ts_http_progress { TS_HTTP_PENDING, TS_HTTP_RESPONDED, TS_HTTP_FAILED } ts_http_progress;

/* ca_file is a PEM file with the certificate authorities to trust, or NULL for those of the system.
 * Returns NULL if there is no memory. */
ts_http_client *ts_http_client_new(const char *ca_file);
/* Loads libcurl now and for good, so that requests still work when the process can load no library. Returns
 * the places of the system's certificates by its configuration, a file and a folder; NULL: none is known. */
void ts_http_client_prepare(const char **ca_file, const char **ca_folder);
void ts_http_client_free(ts_http_client *c); /* cancels all exchanges */
void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data);
/* Starts a request without waiting. Returns NULL if there is no memory. All other failures are
 * reported by the exchange. */
ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r);
/* Tells the client that the caller has polled for the response. A request is deferred while its body
 * is neither begun nor finished, because its framing depends on whether anything will be written. It
 * is sent as a request with a body when the caller waits after a poll (ts_http_client_waits with a
 * deadline other than 0) or, if the caller polls repeatedly, at the next wait or pump.
 * This function does no I/O: what the caller has seen of other exchanges stays true until its next
 * wait or pump. */
void ts_http_exchange_note_poll(ts_http_exchange *x);
ts_http_progress ts_http_exchange_state(const ts_http_exchange *x);
/* the error of a failed exchange */
const ts_http_error *ts_http_exchange_error(const ts_http_exchange *x);
/* For an exchange in the state TS_HTTP_RESPONDED. The exchange owns the headers and the body. The
 * body is a pipe that the client writes to: take a reference to keep it. */
uint16_t ts_http_exchange_status(const ts_http_exchange *x);
const ts_http_fields *ts_http_exchange_headers(const ts_http_exchange *x);
ts_http_pipe *ts_http_exchange_body(const ts_http_exchange *x);
/* Releases the caller's ownership. An exchange without a response is cancelled. Bodies continue for
 * as long as the guest's ends of their pipes are open. */
void ts_http_exchange_free(ts_http_exchange *x);

/* Reports what the client waits for: fills in up to n waits and moves the deadline (monotonic ns)
 * forward. Returns the total number of waits, which may exceed n. */
size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline);
/* Does everything that is possible without waiting. */
void ts_http_client_pump(ts_http_client *c);
bool ts_http_client_idle(const ts_http_client *c); /* there are no exchanges */
#endif
