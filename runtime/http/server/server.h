/* server: an HTTP/1.1 server: connections, messages parsed by llhttp, bodies through pipes, and
 * threads that run a handler.
 * In: an address, limits and a handler. Out: requests, each on its own thread while it is served, and
 * responses on the wire.
 * A thread takes a connection that is ready, reads the head and calls the handler. The handler reads
 * the body and writes the response (both at the same time if it likes), and waits in its own poll.
 * Idle connections need no thread. When handlers wait or compute, further threads serve other ready
 * connections, up to a limit. Then requests are queued for a while, and answered with 503. A client
 * that is gone, silent or too slow ends the wait of its handler.
 * Source: RFC 9110, RFC 9112 */
#ifndef TS_SYS_HTTP_SERVER_H
#define TS_SYS_HTTP_SERVER_H
#include "http/message.h"
#include "sys/net.h"
#include "sys/pollset.h"

typedef struct ts_http_server ts_http_server;
typedef struct ts_http_call ts_http_call; /* a request while it is served */

typedef struct ts_http_server_config { /* 0 selects the default in brackets */
    ts_sys_addr addr;                  /* port 0: chosen by the OS; :: includes IPv4 */
    uint32_t threads;                  /* threads that run at the same time [cores] */
    uint32_t max_threads;              /* threads including those that wait [16,384] */
    uint32_t max_connections;          /* fewer if the process may not open that many files [100,000] */
    uint32_t address_share;            /* connections of one address when they are scarce [half of them] */
    uint32_t max_head_bytes;           /* request line and headers; 431 if exceeded [64 KiB] */
    uint64_t max_body_bytes;           /* 413 or a failed stream if exceeded [no limit] */
    uint64_t head_timeout_ns;          /* from the first byte to the end of the head; then 408 [10 s] */
    uint64_t idle_timeout_ns;          /* between requests; then the connection is closed [60 s] */
    uint64_t stall_timeout_ns;         /* a body in either direction without progress; then closed [30 s] */
    /* bytes per second of a body that the guest waits for, in either direction; closed below it [240] */
    uint64_t min_rate;
    uint64_t rate_grace_ns; /* time over which the rate is measured [10 s] */
    bool no_min_rate;       /* no minimum rate */
    /* from the head to the end of the handler; then the handler's waits end [10 min] */
    uint64_t request_timeout_ns;
    uint64_t queue_timeout_ns; /* time to wait for a thread or a connection; then 503 [1 s] */
    uint64_t max_requests;     /* requests on one connection; then it is closed [no limit] */
    uint64_t stop_after;       /* requests in total; then the server stops [never] */
    uint64_t call_timeout_ns;  /* time of one call of the handler; then it is interrupted [no limit] */
} ts_http_server_config;

/* Called on any of the threads; thread_data belongs to the thread (see thread_new). When it returns,
 * the call is over: if no response was begun, 500 (or 503) is sent, and if its body has not ended,
 * the connection is cut. */
typedef struct ts_http_handler {
    /* Makes what a thread keeps between calls; may be NULL. If it returns NULL, the thread tries again
     * before each call. */
    void *(*thread_new)(void *data);
    void (*thread_free)(void *data, void *thread_data); /* thread_data may be NULL */
    void (*handle)(void *data, void *thread_data, ts_http_call *call);
    /* Asks the handler to end the call that this thread serves. Called by another thread, repeatedly
     * until it has ended; it may only set flags. If NULL, the server waits for the handler. */
    void (*interrupt)(void *data, void *thread_data);
    /* Receives a line for each answered request, as an access log; may be NULL. May be called by
     * several threads at a time. */
    void (*log)(void *data, const char *line);
    void *data;
} ts_http_handler;

/* Returns NULL if the address cannot be listened on or there is no memory, with the reason in err,
 * which has room for at least 200 bytes. */
ts_http_server *ts_http_server_new(const ts_http_server_config *config, const ts_http_handler *h, char err[200]);
/* with the port that the OS chose */
void ts_http_server_address(const ts_http_server *s, ts_sys_addr *a);
/* Serves until ts_http_server_stop. Requests in progress may finish within grace_ns and are cut
 * afterwards. Returns false if a handler does not end: it is still running, so neither the server nor
 * what the handler uses may be freed. */
bool ts_http_server_run(ts_http_server *s, uint64_t grace_ns);
void ts_http_server_stop(
    /* may be called from any thread and from a signal handler; the second call stops at once, without
     * grace */
    ts_http_server *s);
void ts_http_server_free(ts_http_server *s);
/* Returns how many connections the server can have at the same time. *files is the number of files
 * that the process may open, or 0 if it is not known. */
uint32_t ts_http_server_connections(const ts_http_server *s, uint32_t *files);
bool ts_http_server_can(void); /* false if this build has no server, as ts_http_server_new reports */

/* --- the request; strings live as long as the call --- */
const char *ts_http_call_method(const ts_http_call *c);
/* The path with query, also for a target in absolute form. NULL for a CONNECT, which has an authority
 * but no path. */
const char *ts_http_call_target(const ts_http_call *c);
/* the target or the authority, for messages */
const char *ts_http_call_shown_target(const ts_http_call *c);
const char *ts_http_call_scheme(const ts_http_call *c); /* "http" */
/* from Host or a target in absolute form; NULL if there is none (HTTP/1.0) */
const char *ts_http_call_authority(const ts_http_call *c);
/* as received, including the framing */
const ts_http_fields *ts_http_call_headers(const ts_http_call *c);
/* The body of the request. The wire's end is the connection. It has already ended if there is no
 * body. */
ts_http_pipe *ts_http_call_body(ts_http_call *c);

/* --- the response: each function at most once, except informational --- */
bool ts_http_call_informational(ts_http_call *c, uint16_t status, const ts_http_fields *headers);
/* Sends status and headers, with the framing added where it is missing and needed. Then the call
 * reads `body` (NULL if there is none), of which it takes a reference, and sends its bytes. Returns
 * false if the client is gone or the function was called before. */
bool ts_http_call_respond(ts_http_call *c, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body);
bool ts_http_call_responded(const ts_http_call *c);
/* Returns whether the client has gone or the server ends its calls, so that nothing arrives any more. */
bool ts_http_call_client_gone(const ts_http_call *c);
/* Tells that there is nothing to serve the request with: if no response is begun, 503 with
 * Retry-After is sent instead of 500. */
void ts_http_call_unavailable(ts_http_call *c);
bool ts_http_call_timed_out(const ts_http_call *c); /* it was stopped because it took too long */
/* it was stopped because its client has left or the server ends its calls */
bool ts_http_call_abandoned(const ts_http_call *c);

/* --- waiting: the client is watched while a handler waits, and others may use its core --- */
typedef enum ts_http_watched {
    TS_HTTP_PROCEED,      /* continue with what is ready */
    TS_HTTP_KEEP_WAITING, /* what happened does not concern the handler: wait again */
    /* the client is gone, the request took too long, or the server ends its calls: the handler must
     * end */
    TS_HTTP_STOP,
} ts_http_watched;
enum { TS_HTTP_WATCHED = 2 };
/* Waits until one of at most 8 files is ready, or until the deadline. Returns TS_HTTP_PROCEED or
 * TS_HTTP_STOP. */
ts_http_watched ts_http_call_poll(ts_http_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline);
/* The parts of ts_http_call_poll: waits is called around it, watch before and watched after each
 * ts_sys_poll, for TS_HTTP_WATCHED additional files. */
void ts_http_call_waits(ts_http_call *c, bool waits);
size_t ts_http_call_watch(ts_http_call *c, ts_sys_wait *files, uint64_t *deadline);
ts_http_watched ts_http_call_watched(ts_http_call *c, const ts_sys_wait *files);
#endif
