/* server: HTTP/1.1 served: connections, messages by llhttp, bodies through pipes, threads that run the handler.
 * In: an address, limits, a handler. Out: requests, each on a thread of its own while it is served; responses on the wire.
 * A thread takes a connection that has something to say, reads the head, and calls the handler, which reads the body and writes the
 * response on the connection itself as it goes (both at once if it likes), waiting in its own poll. Idle connections take no
 * thread. When handlers wait or compute, further threads take over what else is ready, up to a limit; then requests queue for a while, and
 * are answered 503. A client that is gone, silent or too slow ends the wait of its handler.
 * Source: RFC 9110, RFC 9112 */
#ifndef TS_SYS_HTTP_SERVER_H
#define TS_SYS_HTTP_SERVER_H
#include "http/message.h"
#include "sys/net.h"
#include "sys/pollset.h"

typedef struct ts_http_server ts_http_server;
typedef struct ts_http_call ts_http_call; /* a request that is being served */

typedef struct ts_http_server_config { /* 0: the default in brackets */
    ts_sys_addr addr;                  /* port 0: the OS picks; :: is IPv4 too */
    uint32_t threads;                  /* that run at once [cores] */
    uint32_t max_threads;              /* with those that wait [16,384] */
    uint32_t max_connections;          /* fewer where the process may not open so many files [100,000] */
    uint32_t address_share;            /* … of one address, when they are scarce [half of them] */
    uint32_t max_head_bytes;           /* request line and headers: 431 beyond [64 KiB] */
    uint64_t max_body_bytes;           /* 413 beyond, or the guest's stream fails [no limit] */
    uint64_t head_timeout_ns;          /* from the first byte to the end of the head: 408 [10 s] */
    uint64_t idle_timeout_ns;          /* between requests: closed [60 s] */
    uint64_t stall_timeout_ns;         /* a body in either direction without progress: closed [30 s] */
    uint64_t min_rate;      /* bytes per second of a body that the guest waits for, either way: else closed [240] */
    uint64_t rate_grace_ns; /* … over which this is taken [10 s] */
    bool no_min_rate;       /* … any rate will do */
    uint64_t request_timeout_ns; /* from its head to the end of the handler: then the handler's waits end [10 min] */
    uint64_t queue_timeout_ns;   /* for a thread or a place: then 503 [1 s] */
    uint64_t max_requests;       /* of a connection: then closed [no limit] */
    uint64_t stop_after;         /* requests in all, then the server stops by itself [never] */
    uint64_t call_timeout_ns;    /* of one call of the handler: then it is interrupted [no limit] */
} ts_http_server_config;

/* Called on any of the threads; thread_data is of the thread (see thread_new). When it returns, the call is over: a response that was
 * not begun becomes 500 (or 503), one whose body has not ended is cut (the connection is closed). */
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
/* How many connections it can have at once, and how many files the process may open (0: not known). */
uint32_t ts_http_server_connections(const ts_http_server *s, uint32_t *files);
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
bool ts_http_call_client_gone(const ts_http_call *c);
/* There is nothing to serve it with: a response that is not begun becomes 503 (instead of 500), with Retry-After. */
void ts_http_call_unavailable(ts_http_call *c);
bool ts_http_call_timed_out(const ts_http_call *c); /* it was stopped because it took too long */
bool ts_http_call_abandoned(const ts_http_call *c); /* … because its client has left, or the server ends its calls */

/* --- waiting: a handler that waits does so with its client watched, and others may use its core --- */
typedef enum ts_http_watched {
    TS_HTTP_PROCEED,      /* on with what is ready */
    TS_HTTP_KEEP_WAITING, /* what has come does not concern the handler: wait again */
    TS_HTTP_STOP, /* the client is gone, the request is over its time, or the server ends its calls: the handler is to end */
} ts_http_watched;
enum { TS_HTTP_WATCHED = 2 };
/* One wait: until one of at most 8 files is ready, or the deadline. TS_HTTP_PROCEED or TS_HTTP_STOP. */
ts_http_watched ts_http_call_poll(ts_http_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline);
/* The parts that it is made of: around it; before and after each ts_sys_poll, for TS_HTTP_WATCHED files more. */
void ts_http_call_waits(ts_http_call *c, bool waits);
size_t ts_http_call_watch(ts_http_call *c, ts_sys_wait *files, uint64_t *deadline);
ts_http_watched ts_http_call_watched(ts_http_call *c, const ts_sys_wait *files);
#endif
