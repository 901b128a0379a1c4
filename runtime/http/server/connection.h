/* connection: the data that the files of the server share. server.c has the monitor and the public
 * functions, threads.c the threads, connection.c the connections and the heads of requests,
 * addresses.c the clients' addresses and the choice of connections to close, request.c a request
 * while it is served.
 * A connection belongs to no thread while it is armed in epoll. The thread that gets its event owns
 * it until it arms or closes it. A call belongs to its worker; what the monitor uses too is protected
 * by the worker's lock. Source: RFC 9112; epoll(7) */
#ifndef TS_SYS_HTTP_CONN_H
#define TS_SYS_HTTP_CONN_H
#include "http/server/server.h"
#include "http/server/wire.h"
#include "sys/thread.h"
#ifdef TS_HTTP_SERVER

typedef struct ts_http_worker ts_http_worker;

enum { TS_CONN_FREE, TS_CONN_ARMED, TS_CONN_OWNED };
enum { TS_CONN_CHUNK = 256 }; /* connections that are allocated together */
typedef enum ts_conn_phase {
    TS_CONN_READ,  /* waits for a request, or for the rest of one */
    TS_CONN_DRAIN, /* has bytes of a response that the client has not taken */
    /* has sent its last byte: what still arrives is discarded, so that no reset destroys what was
     * sent */
    TS_CONN_LINGER,
} ts_conn_phase;

typedef struct ts_http_conn {
    uint64_t state;    /* atomic: generation << 2 | TS_CONN_* */
    uint64_t deadline; /* atomic: valid while armed; monotonic ns */
    uint64_t idle_since;
    uint64_t
        /* atomic: since when it waits for a request, the rest of a head, or the client's end; 0: it
         * is not idle and is never closed to make room */
        idle_at;
    uint32_t index, next_free;
    uint32_t address; /* atomic: index of the client's address in s->addresses */
    int fd;
    ts_conn_phase phase;
    bool keep;         /* after TS_CONN_DRAIN: read the next request; otherwise linger */
    uint64_t requests; /* requests served on this connection */
    char *in;          /* what has arrived of a head, or follows the last request; NULL if nothing */
    size_t in_len, in_cap;
    ts_wire_scan scan;
    uint64_t head_since; /* when the first byte of the head came; 0: none has */
    uint8_t *out;        /* the response in TS_CONN_DRAIN */
    size_t out_at, out_len;
    uint64_t out_until;          /* when the client must have taken all of it */
    struct ts_http_conn *queued; /* the next connection in the queue */
    uint64_t queued_at;
} ts_http_conn;

/* A byte buffer that grows. */
typedef struct ts_bytes {
    uint8_t *data;
    size_t at, len, cap; /* the contents are len bytes from at */
} ts_bytes;

typedef enum ts_framing {
    TS_FRAMING_OPEN,
    TS_FRAMING_NONE,
    TS_FRAMING_LENGTH,
    TS_FRAMING_CHUNKED,
    TS_FRAMING_CLOSE
} ts_framing;

struct ts_http_call {
    ts_http_server *s;
    ts_http_worker *t;
    ts_http_conn *c;
    ts_wire wire; /* the request */
    uint64_t began;
    /* the request's body */
    ts_http_pipe *in;
    char *buf, *own_buf; /* the buffer of the body: t->in behind the head, or own_buf */
    size_t buf_cap;
    size_t in_at, in_end; /* the bytes in buf that have not been decoded */
    bool in_done;         /* nothing more is read for the body: it is complete or broken */
    bool want_continue;   /* the client waits for 100 (Continue) */
    /* the response; protected by t->lock from here to the end of the mark */
    bool serving; /* the call is being served, so the monitor may use it */
    ts_http_pipe *out;
    uint16_t status;
    bool responded;
    bool
        /* the head is at the end of `bytes`, without its framing and its empty line, and nothing of
         * it has been sent */
        head_held;
    size_t head_start; /* where the head begins in `bytes` */
    bool broken;       /* the response can no longer be complete: it is cut */
    bool complete;     /* the whole response is in `bytes` */
    bool keep;
    ts_framing framing;
    bool no_body;    /* HEAD, 204, 205, 304, or 2xx to CONNECT: bytes of the body are discarded */
    bool has_length; /* the guest has set a content-length */
    uint64_t length, body;
    ts_bytes bytes;   /* what is sent next */
    ts_bytes raw;     /* bytes of the body that are not framed yet, so that small pieces are sent as one */
    bool seen_held;   /* the monitor has seen it hold bytes back before */
    bool client_gone; /* atomic: the client has gone */
    /* --- the end of what t->lock protects */
    uint64_t bytes_moved; /* bytes received and sent, to measure progress */
    uint32_t waits_io;    /* the guest waits for the connection: 1 to read, 2 to write, 0: it does not */
    uint32_t stalled;     /* the value of waits_io when the wait was ended because it took too long */
    bool refused_503;     /* the handler has nothing to serve the request with: answer 503 instead of 500 */
    bool timed_out;       /* the request took longer than allowed */
    bool abandoned;       /* a wait was ended because the client is gone or the server ends its calls */
    /* supervision of waits */
    uint64_t wait_from, seen_moved,
        /* when the wait began; bytes_moved before it; ns waited for the client since the last byte */
        still_ns;
    uint64_t credit_ns; /* how many ns it may wait for the client before the rate is too low */
    bool half_seen;     /* the client has closed its sending side */
    bool unwatched;     /* the end of the connection is known and ends no further wait */
    uint64_t
        /* until when the guest may wait if the client may have left and cannot be asked; 0 otherwise */
        half_until;
};

struct ts_http_worker {
    ts_http_server *s;
    void *data;
    ts_lock lock;
    uint32_t busy;    /* atomic: the thread serves a connection */
    uint32_t resting; /* atomic: TS_REST_* */
    uint32_t listed;  /* atomic: in the monitor's list, or about to be */
    uint64_t seq;     /* atomic: number of connections served so far */
    char *in;         /* in_cap bytes; grows up to s->in_most */
    size_t in_cap, in_len;
    bool refuses; /* answers every request with 503; used by the monitor */
    ts_http_call call;
    char date[48]; /* the value of Date in the second date_s */
    int64_t date_s;
    ts_http_worker *next_awake; /* the next thread that is about to enter the monitor's list */
    uint64_t stuck_seq;         /* the monitor's own */
    /* protected by the server's lock */
    uint32_t slot; /* in s->workers */
    bool called;   /* it has been woken and is not parked any more */
    pthread_cond_t wake;
    ts_http_worker *prev_parked, *next_parked;
};
enum { TS_REST_NONE, TS_REST_WAITS, TS_REST_PARKED };

/* The connections of an IPv4 address, or of an IPv6 /64 network, which is what one host has. */
typedef struct ts_http_address {
    uint64_t key;
    uint32_t conns; /* atomic */
    uint32_t next;  /* index + 1 */
} ts_http_address;
enum { TS_ADDRESS_BUCKETS = 8192 };

struct ts_http_server {
    ts_http_server_config config; /* with the defaults filled in */
    ts_http_handler handler;
    int listen_fd, epoll_fd, stop_fd, quit_fd, cut_fd;
    uint32_t stops, stopping, quit; /* atomic */
    /* atomic: the listener is not armed, because no connection or file is left */
    uint32_t listen_paused;
    uint64_t paused_since; /* atomic: since when that has been so; 0 if it is armed */
    uint64_t served;       /* atomic */
    size_t in_most;        /* the maximum size of a worker's buffer in bytes */
    uint32_t n_files;      /* files that the process may open; 0: not known */
    /* threads */
    uint32_t active;          /* atomic: threads that wait for events or run a handler */
    uint64_t no_thread_until; /* atomic: when creating a thread is tried again */
    ts_http_worker *woken;    /* atomic: threads that run and are not in the monitor's list yet */
    ts_lock lock;             /* protects what follows */
    ts_http_worker **workers, *parked;
    uint32_t n_workers, n_threads; /* length of workers; threads that have not ended */
    pthread_cond_t ended;
    ts_http_conn *queue, **queue_end; /* connections that are ready but for which there was no thread */
    uint32_t n_queued;                /* atomic for readers without the lock */
    /* connections */
    ts_http_conn **chunks;
    uint32_t n_conns, live_conns;                 /* allocated; in use (atomic) */
    uint32_t free_conn;                           /* index + 1 of the first free one; 0: none */
    ts_http_address *addresses;                   /* as many as connections */
    uint32_t *buckets, n_addresses, free_address; /* index + 1 */
    uint64_t seed;
    /* the monitor's own */
    ts_http_worker **awake, *refuser;
    uint32_t n_awake, cap_awake, sweep_at;
};

/* --- request.c --- */
bool ts_http_call_init(ts_http_call *c, ts_http_server *s, ts_http_worker *t);
void ts_http_call_shrink(ts_http_call *c); /* frees large buffers; between two calls */
void ts_http_call_free(ts_http_call *c);
typedef enum ts_call_end {
    /* the response has been sent and the connection is ready for the next request, whose first bytes
     * are in t->in */
    TS_CALL_NEXT,
    TS_CALL_DRAIN,  /* conn->out has the rest of the response, conn->keep what happens afterwards */
    TS_CALL_LINGER, /* the response has been sent and the connection ends */
    TS_CALL_CLOSE,  /* the client is gone, or the response is cut */
} ts_call_end;
/* Serves the request whose head is the first head_len bytes of t->in. */
ts_call_end ts_http_call_serve(ts_http_call *c, ts_http_conn *conn, size_t head_len);
/* Refuses a request with a status. */
ts_call_end ts_http_call_refuse(ts_http_call *c, ts_http_conn *conn, unsigned status);
/* Called by the monitor under t->lock: sends what has been held back for too long. */
void ts_http_call_flush_held(ts_http_call *c);
/* returns whether its handler must be interrupted */
bool ts_http_call_is_late(const ts_http_call *c, uint64_t now);
void ts_http_call_cut_off(ts_http_call *c); /* under t->lock: shuts the connection down */

/* --- connection.c --- */
ts_http_conn *ts_http_conn_at(const ts_http_server *s, uint32_t i);
bool ts_http_conn_take(ts_http_conn *c, uint64_t generation, bool wait);
void ts_http_conn_close(ts_http_server *s, ts_http_conn *c);
void ts_http_accept(ts_http_server *s);
void ts_http_accept_refuse(ts_http_server *s); /* answers 503 to connections that cannot be served */
void ts_http_accept_resume(ts_http_server *s);
void ts_http_conn_serve(ts_http_worker *t, ts_http_conn *c);
/* Closes connections whose deadline has passed, looking at a part of them. With `all`, when the
 * server stops, looks at all and closes those on which nothing is in progress. */
void ts_http_sweep(ts_http_server *s, uint64_t now, bool all);
bool ts_http_conn_take_ready(ts_http_server *s, uint64_t tag,
                             /* takes ownership of the connection of an event; false if another thread
                              * owns it */
                             ts_http_conn **c);
void ts_http_conn_rearm(ts_http_server *s, ts_http_conn *c); /* arms it so that its event comes again */
/* Tags of events that belong to no connection. */
#define TS_TAG_LISTEN UINT64_MAX
#define TS_TAG_QUIT (UINT64_MAX - 1)

/* --- addresses.c --- */
/* Called under s->lock when a connection of this address begins or ends. */
uint32_t ts_http_address_enter(ts_http_server *s, const ts_sys_addr *a);
void ts_http_address_leave(ts_http_server *s, uint32_t i);
/* Closes some of the connections that have been idle for longest: those of one address or, with
 * TS_ANY_ADDRESS, those of addresses with more than their share first. Returns how many were closed. */
enum { TS_ANY_ADDRESS = -1 };
uint32_t ts_http_close_idle(ts_http_server *s, int64_t address);
/* Returns whether the address has more than its share while the remaining connections are kept for
 * others. */
bool ts_http_over_share(const ts_http_server *s, uint32_t address);

/* --- threads.c --- */
bool ts_http_add_worker(ts_http_server *s); /* wakes a parked thread or creates one */
ts_http_worker *ts_http_worker_new(ts_http_server *s);
void ts_http_worker_delete(ts_http_worker *t);
void ts_http_worker_waits(ts_http_worker *t, bool waits);
/* Brings s->awake, the list of running threads, up to date. */
void ts_http_update_awake(ts_http_server *s);
/* removes the first connection of the queue if it was queued before that time */
bool ts_http_queue_pop(ts_http_server *s, uint64_t before, ts_http_conn **c);
void ts_http_queue_push(ts_http_server *s, ts_http_conn *c, uint64_t now);

/* --- server.c --- */
bool ts_http_server_stopping(const ts_http_server *s);
bool ts_bytes_add(ts_bytes *b, const void *p, size_t len);
void ts_bytes_drop(ts_bytes *b, size_t len); /* removes bytes from the front */
#endif
#endif
