/* sys/http_server: HTTP/1.1 served: connections, messages by llhttp, bodies through pipes, threads that run the handler.
 * In: an address, limits, a handler. Out: requests, each on a thread of its own while it is served; responses on the wire.
 * A thread takes a connection that has something to say, reads the head, and calls the handler, which reads the body and writes the
 * response on the connection itself as it goes (both at once if it likes), waiting in its own poll. Idle connections take no
 * thread. When handlers wait or compute, further threads take over what else is ready, up to a limit; then connections queue.
 * Source: RFC 9110, RFC 9112 */
#ifndef TS_SYS_HTTP_SERVER_H
#define TS_SYS_HTTP_SERVER_H
#include "http/message.h"
#include "sys/net.h"

typedef struct ts_http_server ts_http_server;
typedef struct ts_http_call ts_http_call; /* a request that is being served */

typedef struct ts_http_server_config { /* 0: the default in brackets */
    ts_sys_addr addr;                  /* port 0: the OS picks */
    uint32_t threads;                  /* that run at once [cores] */
    uint32_t max_threads;              /* with those that wait [512] */
    uint32_t max_connections;          /* [10,000] */
    uint32_t max_head_bytes;           /* request line and headers: 431 beyond [64 KiB] */
    uint64_t max_body_bytes;           /* 413 beyond, or the guest's stream fails [no limit] */
    uint64_t head_timeout_ns;          /* from the first byte to the end of the head: 408 [10 s] */
    uint64_t idle_timeout_ns;          /* between requests: closed [60 s] */
    uint64_t stall_timeout_ns;         /* a body in either direction without progress: closed [30 s] */
    uint64_t max_requests;             /* of a connection: then closed [no limit] */
    uint64_t stop_after;               /* requests in all, then the server stops by itself [never] */
    uint64_t call_timeout_ns;          /* of one call of the handler: then it is interrupted [no limit] */
} ts_http_server_config;

/* Called on any of the threads; thread_data is of the thread (see thread_new). When it returns, the call is over: a response that was
 * not begun becomes 500, one whose body has not ended is cut (the connection is closed). */
typedef struct ts_http_handler {
    void *(*thread_new)(void *data); /* NULL: none; what a thread keeps between calls */
    void (*thread_free)(void *data, void *thread_data);
    void (*handle)(void *data, void *thread_data, ts_http_call *call);
    /* The call that this thread serves shall end: called by another thread, again and again until it has; may only set flags. NULL: it
     * is waited for. */
    void (*interrupt)(void *data, void *thread_data);
    /* One line an answered request, for an access log; NULL: none. May be called by several threads at once. */
    void (*log)(void *data, const char *line);
    void *data;
} ts_http_handler;

/* Errors in words are left in err (at least 200 bytes). NULL: the address cannot be listened on, or no memory. */
ts_http_server *ts_http_server_new(const ts_http_server_config *config, const ts_http_handler *h, char err[200]);
void ts_http_server_address(const ts_http_server *s, ts_sys_addr *a); /* with the port that the OS picked */
/* Serve until ts_http_server_stop; finishes what is under way within `grace_ns`, then cuts it. False: a handler does not end: it is
 * still running, and nothing that it uses may be freed (nor the server, whose memory is left to it). */
bool ts_http_server_run(ts_http_server *s, uint64_t grace_ns);
void ts_http_server_stop(
    ts_http_server *s); /* from any thread or a signal handler; a second time: at once, without grace */
void ts_http_server_free(ts_http_server *s);
bool ts_http_server_can(void); /* false: this build has none: ts_http_server_new says so */

/* --- the request; strings live as long as the call --- */
const char *ts_http_call_method(const ts_http_call *c);
/* Path with query; of an absolute form its path. NULL: a CONNECT, which has an authority and no path. */
const char *ts_http_call_target(const ts_http_call *c);
const char *ts_http_call_shown_target(const ts_http_call *c); /* target or authority, for people */
const char *ts_http_call_scheme(const ts_http_call *c);       /* "http" */
const char *ts_http_call_authority(const ts_http_call *c);    /* Host, or of an absolute form; NULL: none (HTTP/1.0) */
const ts_http_fields *ts_http_call_headers(const ts_http_call *c); /* as they came, framing included */
/* What comes in: the far end is the connection. Ended at once when there is none. */
ts_http_pipe *ts_http_call_body(ts_http_call *c);

/* --- the response: each at most once, but for informational --- */
bool ts_http_call_informational(ts_http_call *c, uint16_t status, const ts_http_fields *headers);
/* Status and headers (framing is added where it is missing and wanted); then the call is the far end of `body` (NULL: none), takes a
 * reference, and sends what comes. False: the client is gone, or it was called before. */
bool ts_http_call_respond(ts_http_call *c, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body);
bool ts_http_call_responded(const ts_http_call *c);
/* The client has gone, or the server stops hard: nothing that is sent arrives any more. */
bool ts_http_call_cut(const ts_http_call *c);
/* A handler about to wait for something tells so, and again when it goes on: others may use its core. */
void ts_http_call_waits(ts_http_call *c, bool waits);
#endif
