/* sys/http_conn: what http_server.c (connections, threads) and http_call.c (a request while it is served) share.
 * A connection belongs to nobody while it is armed in epoll; who gets its event owns it until it arms or closes it. A call belongs to its
 * worker; what the monitor touches too stands under the worker's lock. Source: RFC 9112; epoll(7) */
#ifndef TS_SYS_HTTP_CONN_H
#define TS_SYS_HTTP_CONN_H
#include "http/server/server.h"
#include "http/server/wire.h"
#include "sys/thread.h"
#ifdef TS_HTTP_SERVER

typedef struct ts_http_worker ts_http_worker;

enum { TS_CONN_FREE, TS_CONN_ARMED, TS_CONN_OWNED };
typedef enum ts_conn_phase {
    TS_CONN_READ,   /* waits for a request, or the rest of one */
    TS_CONN_DRAIN,  /* has bytes of a response left that the client has not taken */
    TS_CONN_LINGER, /* has said its last: what still comes is thrown away, so that no reset destroys what was said */
} ts_conn_phase;

typedef struct ts_http_conn {
    uint64_t state;    /* atomic: generation << 2 | TS_CONN_… */
    uint64_t deadline; /* atomic: while armed; monotonic ns */
    uint32_t index, next_free;
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
    size_t in_at, in_end; /* bytes of the connection in t->in that were not looked at */
    bool in_over;         /* nothing more is read for it: whole, or broken */
    bool want_continue;   /* the client waits for 100 (Continue) */
    /* the response; under t->lock from here to the mark */
    bool live; /* being served: the monitor may look at it */
    ts_http_pipe *out;
    uint16_t status;
    bool responded;
    bool held; /* the head stands at the end of `bytes` without framing and empty line, and nothing of it is sent */
    size_t held_from; /* … where in them */
    bool broken;      /* the response cannot be whole any more: cut */
    bool over;        /* the response is whole, in `bytes` */
    bool keep;
    ts_framing framing;
    bool no_body;    /* HEAD, 204, 205, 304, 2xx to CONNECT: body bytes are discarded */
    bool has_length; /* given by the guest */
    uint64_t length, body;
    ts_bytes bytes; /* what goes out next */
    ts_bytes raw;   /* of the body, not framed yet: held back so that small pieces go out as one */
    bool old;       /* the monitor has seen it hold something back before */
    bool gone;      /* the client is: atomic */
    /* … the mark */
    uint64_t moved;    /* atomic: bytes in and out: progress */
    uint32_t waits_io; /* atomic: the guest waits for the connection: 1 to read, 2 to write */
    uint32_t stalled;  /* atomic: the monitor has ended it for that: the same */
};

struct ts_http_worker {
    ts_http_server *s;
    void *id; /* the OS's thread */
    void *data;
    ts_lock lock;
    uint32_t busy;    /* atomic: with a connection */
    uint32_t waiting; /* atomic: in a call that waits */
    uint64_t seq;     /* atomic: connections taken so far */
    bool ended;       /* under the server's lock */
    char *in;         /* in_cap bytes */
    size_t in_cap, in_len;
    ts_http_call call;
    char date[48]; /* the field's value in the second date_s */
    int64_t date_s;
    /* the monitor's own */
    uint64_t stuck_seq, seen_began, seen_moved, still_since;
};

/* --- http_call.c --- */
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
/* The monitor's look, under t->lock: sends what was held back for too long, ends what does not move. */
void ts_http_call_look(ts_http_call *c, uint64_t now);
void ts_http_call_cut_off(ts_http_call *c); /* under t->lock: nothing arrives any more */

/* --- http_server.c --- */
const ts_http_server_config *ts_http_server_config_of(const ts_http_server *s);
const ts_http_handler *ts_http_server_handler(const ts_http_server *s);
bool ts_http_server_stopping(const ts_http_server *s);
void ts_http_worker_waits(ts_http_worker *t, bool waits);
bool ts_bytes_add(ts_bytes *b, const void *p, size_t len);
void ts_bytes_drop(ts_bytes *b, size_t len); /* from the front */
#endif
#endif
