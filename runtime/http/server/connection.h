/* connection: what the files of the server share. server.c holds the monitor and the public functions, threads.c the threads, connection.c
 * the connections and the heads of requests, addresses.c the clients' addresses and which connection gives way, request.c a request while
 * it is served.
 * A connection belongs to no thread while it is armed in epoll. The thread that gets its event owns it until it arms or closes it. A call
 * belongs to its worker; what the monitor touches too is under the worker's lock. Source: RFC 9112; epoll(7) */
#ifndef TS_SYS_HTTP_CONN_H
#define TS_SYS_HTTP_CONN_H
#include "http/server/server.h"
#include "http/server/wire.h"
#include "sys/thread.h"
#ifdef TS_HTTP_SERVER

typedef struct ts_http_worker ts_http_worker;

enum { TS_CONN_FREE, TS_CONN_ARMED, TS_CONN_OWNED };
enum { TS_CONN_CHUNK = 256 }; /* connections made at once */
typedef enum ts_conn_phase {
    TS_CONN_READ,   /* waits for a request, or the rest of one */
    TS_CONN_DRAIN,  /* has bytes of a response left that the client has not taken */
    TS_CONN_LINGER, /* has said its last: what still comes is thrown away, so that no reset destroys what was said */
} ts_conn_phase;

typedef struct ts_http_conn {
    uint64_t state;    /* atomic: generation << 2 | TS_CONN_… */
    uint64_t deadline; /* atomic: while armed; monotonic ns */
    uint64_t idle_since;
    uint64_t
        idle_at; /* atomic: since when it waits for a request, the rest of a head, or the client's end; 0: it does not, and never gives way */
    uint32_t index, next_free;
    uint32_t address; /* atomic: the client's, as an index into s->addresses */
    int fd;
    ts_conn_phase phase;
    bool keep;         /* after TS_CONN_DRAIN: the next request; else TS_CONN_LINGER */
    uint64_t requests; /* served on it */
    char *in;          /* what has come of a head, or stood behind the last request; NULL: nothing */
    size_t in_len, in_cap;
    ts_wire_scan scan;
    uint64_t head_since; /* when its first byte came; 0: none has */
    uint8_t *out;        /* of TS_CONN_DRAIN */
    size_t out_at, out_len;
    uint64_t out_until;          /* … by when the client has to have taken all of it */
    struct ts_http_conn *queued; /* the next one that waits for a thread */
    uint64_t queued_at;
} ts_http_conn;

/* Bytes that grow. */
typedef struct ts_bytes {
    uint8_t *data;
    size_t at, len, cap; /* len counts from at */
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
    char *buf, *own_buf; /* where its bytes are: t->in behind the head, or `more` */
    size_t buf_cap;
    size_t in_at, in_end; /* bytes of the connection in `buf` that were not looked at */
    bool in_done;         /* nothing more is read for it: whole, or broken */
    bool want_continue;   /* the client waits for 100 (Continue) */
    /* the response; under t->lock from here to the mark */
    bool serving; /* being served: the monitor may look at it */
    ts_http_pipe *out;
    uint16_t status;
    bool responded;
    bool
        head_held; /* the head stands at the end of `bytes` without framing and empty line, and nothing of it is sent */
    size_t head_start; /* … where in them */
    bool broken;       /* the response cannot be whole any more: cut */
    bool complete;     /* the response is whole, in `bytes` */
    bool keep;
    ts_framing framing;
    bool no_body;    /* HEAD, 204, 205, 304, 2xx to CONNECT: body bytes are discarded */
    bool has_length; /* given by the guest */
    uint64_t length, body;
    ts_bytes bytes;   /* what goes out next */
    ts_bytes raw;     /* of the body, not framed yet: held back so that small pieces go out as one */
    bool seen_held;   /* the monitor has seen it hold something back before */
    bool client_gone; /* the client is: atomic */
    /* … the mark */
    uint64_t bytes_moved; /* bytes in and out: progress */
    uint32_t waits_io;    /* the guest waits for the connection: 1 to read, 2 to write */
    uint32_t stalled;     /* … and was not allowed to any longer */
    bool refused_503;     /* the handler has nothing to serve it with: 503 instead of 500 */
    bool timed_out;       /* the request has taken longer than it may */
    bool abandoned;       /* a wait was ended because its client is gone, or the server ends its calls */
    /* the watch over a wait */
    uint64_t wait_from, seen_moved,
        still_ns;       /* when it began; bytes moved before it; waited for the client since one moved */
    uint64_t credit_ns; /* how long it may wait for the client before its rate is too low */
    bool half_seen;     /* the client has shut down its sending side */
    bool unwatched;     /* the end of the connection is known, and ends no wait any more */
    uint64_t
        half_until; /* the client may have left, and cannot be asked: until when the guest may wait; 0: it has not */
};

struct ts_http_worker {
    ts_http_server *s;
    void *data;
    ts_lock lock;
    uint32_t busy;    /* atomic: with a connection */
    uint32_t resting; /* atomic: TS_REST_… */
    uint32_t listed;  /* atomic: in the monitor's list, or on its way there */
    uint64_t seq;     /* atomic: connections taken so far */
    char *in;         /* in_cap bytes; grows up to s->in_most */
    size_t in_cap, in_len;
    bool refuses; /* answers every request with 503: the monitor's own */
    ts_http_call call;
    char date[48]; /* the field's value in the second date_s */
    int64_t date_s;
    ts_http_worker *next_awake; /* on the way to the monitor's list */
    uint64_t stuck_seq;         /* the monitor's own */
    /* under the server's lock */
    uint32_t slot; /* in s->workers */
    bool called;   /* out of the parked ones */
    pthread_cond_t wake;
    ts_http_worker *prev_parked, *next_parked;
};
enum { TS_REST_NONE, TS_REST_WAITS, TS_REST_PARKED };

/* The connections of one address: of an IPv4 address, or of an IPv6 network of 64 bits, which is what a host has. */
typedef struct ts_http_address {
    uint64_t key;
    uint32_t conns; /* atomic */
    uint32_t next;  /* index + 1 */
} ts_http_address;
enum { TS_ADDRESS_BUCKETS = 8192 };

struct ts_http_server {
    ts_http_server_config config; /* defaults filled in */
    ts_http_handler handler;
    int listen_fd, epoll_fd, stop_fd, quit_fd, cut_fd;
    uint32_t stops, stopping, quit; /* atomic */
    uint32_t listen_paused;         /* atomic: the listener is not armed: no connection or file is left */
    uint64_t paused_since;          /* atomic: since when no connection has been let in for that; 0: they are */
    uint64_t served;                /* atomic */
    size_t in_most;                 /* bytes of a worker's buffer at most */
    uint32_t n_files;               /* that the process may open; 0: not known */
    /* threads */
    uint32_t active;          /* atomic: threads that take part */
    uint64_t no_thread_until; /* atomic: when making one is tried again */
    ts_http_worker *woken;    /* atomic: threads that run and are not in the monitor's list yet */
    ts_lock lock;             /* of what follows */
    ts_http_worker **workers, *parked;
    uint32_t n_workers, n_threads; /* those in workers; those that have not ended */
    pthread_cond_t ended;
    ts_http_conn *queue, **queue_end; /* ready, and no thread was left for them */
    uint32_t n_queued;                /* atomic for readers without the lock */
    /* connections */
    ts_http_conn **chunks;
    uint32_t n_conns, live_conns;                 /* made; in use (atomic) */
    uint32_t free_conn;                           /* index + 1 of the first; 0: none */
    ts_http_address *addresses;                   /* as many as connections */
    uint32_t *buckets, n_addresses, free_address; /* index + 1 */
    uint64_t seed;
    /* the monitor's own */
    ts_http_worker **awake, *refuser;
    uint32_t n_awake, cap_awake, sweep_at;
};

/* --- request.c --- */
bool ts_http_call_init(ts_http_call *c, ts_http_server *s, ts_http_worker *t);
void ts_http_call_free(ts_http_call *c);
typedef enum ts_call_end {
    TS_CALL_NEXT, /* the response is sent, the connection ready for the next request; what has come of it is in t->in */
    TS_CALL_DRAIN,  /* conn->out has the rest of it, conn->keep says what comes then */
    TS_CALL_LINGER, /* sent, and the connection ends */
    TS_CALL_CLOSE,  /* the client is gone, or the response is cut */
} ts_call_end;
/* Serve the request whose head is the first head_len bytes of t->in. */
ts_call_end ts_http_call_serve(ts_http_call *c, ts_http_conn *conn, size_t head_len);
/* Answer with a status and nothing more: a request that is refused. */
ts_call_end ts_http_call_refuse(ts_http_call *c, ts_http_conn *conn, unsigned status);
/* The monitor's look, under t->lock: sends what was held back for too long. */
void ts_http_call_flush_held(ts_http_call *c);
bool ts_http_call_is_late(const ts_http_call *c, uint64_t now); /* its handler is to be interrupted */
void ts_http_call_cut_off(ts_http_call *c);                     /* under t->lock: nothing arrives any more */

/* --- connection.c --- */
ts_http_conn *ts_http_conn_at(const ts_http_server *s, uint32_t i);
bool ts_http_conn_take(ts_http_conn *c, uint64_t generation, bool wait);
void ts_http_conn_close(ts_http_server *s, ts_http_conn *c);
void ts_http_accept(ts_http_server *s);
void ts_http_accept_refuse(ts_http_server *s); /* answers 503 to those that nothing can be given to */
void ts_http_accept_resume(ts_http_server *s);
void ts_http_conn_serve(ts_http_worker *t, ts_http_conn *c);
/* Connections whose time is up, among some of them; when the server stops, all that nothing is under way on. */
void ts_http_sweep(ts_http_server *s, uint64_t now, bool all);
bool ts_http_conn_take_ready(ts_http_server *s, uint64_t tag,
                             ts_http_conn **c);              /* owned now; false: it is another thread's */
void ts_http_conn_rearm(ts_http_server *s, ts_http_conn *c); /* its event comes again */
/* What an event belongs to. */
#define TS_TAG_LISTEN UINT64_MAX
#define TS_TAG_QUIT (UINT64_MAX - 1)

/* --- addresses.c --- */
/* Under s->lock: a connection of this address begins, ends. */
uint32_t ts_http_address_enter(ts_http_server *s, const ts_sys_addr *a);
void ts_http_address_leave(ts_http_server *s, uint32_t i);
/* Close the connections that have been idle for longest, some at once: of one address, or (TS_ANY_ADDRESS) of those first that have more
 * than their share. How many. */
enum { TS_ANY_ADDRESS = -1 };
uint32_t ts_http_close_idle(ts_http_server *s, int64_t address);
/* The address has more than its share, and what is left is kept for others. */
bool ts_http_over_share(const ts_http_server *s, uint32_t address);

/* --- threads.c --- */
bool ts_http_add_worker(ts_http_server *s); /* one more takes part: a parked one, or a new one */
ts_http_worker *ts_http_worker_new(ts_http_server *s);
void ts_http_worker_delete(ts_http_worker *t);
void ts_http_worker_waits(ts_http_worker *t, bool waits);
/* The threads that run, as far as the monitor is to look at them: brings s->awake up to date. */
void ts_http_update_awake(ts_http_server *s);
bool ts_http_queue_pop(ts_http_server *s, uint64_t before, ts_http_conn **c); /* the first, if it was queued before */
void ts_http_queue_push(ts_http_server *s, ts_http_conn *c, uint64_t now);

/* --- server.c --- */
bool ts_http_server_stopping(const ts_http_server *s);
bool ts_bytes_add(ts_bytes *b, const void *p, size_t len);
void ts_bytes_drop(ts_bytes *b, size_t len); /* from the front */
#endif
#endif
