/* context: what the files of wasi/ share: the context, the objects behind handles, errors as values.
 * In: a running host call. Out: objects, result values. A handle's rep is its object's number in the context: small,
 * and the same in every run, as a trace shows it. Objects of one context are listed, so that those which a guest leaves
 * behind end with it. */
#ifndef TS_WASI_CONTEXT_H
#define TS_WASI_CONTEXT_H
#include "base/assert.h"
#include "base/vec.h"
#include "sys/fs.h"
#include "sys/lookup.h"
#include "sys/net.h"
#include "sys/pollset.h"
#include "sys/wake.h"
#include "wasi/grants.h"
#include "wasi/wasi.h"

enum {
    TS_WASI_CHUNK = 65536,    /* the most that one read of a stream gives */
    TS_WASI_MAX_LOOKUPS = 32, /* threads that look names up at once */
    TS_WASI_LINGER_MS = 5000, /* how long a peer may read nothing of what the end of its connection waits for */
};

typedef enum ts_wasi_kind {
    TS_WASI_ERROR,
    TS_WASI_POLLABLE,
    TS_WASI_IN,
    TS_WASI_OUT,
    TS_WASI_DESCRIPTOR,
    TS_WASI_DIR_STREAM,
    TS_WASI_TERMINAL,
    TS_WASI_NETWORK,
    TS_WASI_TCP,
    TS_WASI_UDP,
    TS_WASI_UDP_IN,
    TS_WASI_UDP_OUT,
    TS_WASI_NAMES,
    TS_WASI_FIELDS,
    TS_WASI_INCOMING_REQUEST,
    TS_WASI_OUTGOING_REQUEST,
    TS_WASI_REQUEST_OPTIONS,
    TS_WASI_OUTPARAM,
    TS_WASI_INCOMING_RESPONSE,
    TS_WASI_INCOMING_BODY,
    TS_WASI_FUTURE_TRAILERS,
    TS_WASI_OUTGOING_RESPONSE,
    TS_WASI_OUTGOING_BODY,
    TS_WASI_FUTURE_RESPONSE,
} ts_wasi_kind;

typedef struct ts_wasi_obj ts_wasi_obj;
struct ts_wasi_obj {
    ts_wasi_kind kind;
    uint32_t id;       /* what a handle's rep is: from 1 */
    uint32_t children; /* live objects that the text calls its children */
    ts_wasi_obj *parent, *prev, *next;
    void (*end)(ts_wasi *w, ts_wasi_obj *o); /* gives back what it holds; NULL: nothing */
    /* What a pollable of it waits for: true when it is ready as it is, else the file to wait on. */
    bool (*ready)(ts_wasi_obj *o, ts_sys_wait *wait);
    bool (*confirm)(ts_wasi_obj *o); /* the OS says that the file is ready: is the object? NULL: yes */
};

/* An open file of the host, shared by the descriptor and the streams made of it. */
typedef struct ts_wasi_file {
    uint32_t refs;
    int fd;
    ts_sys_type type;
    bool own;               /* fd is closed with the last reference */
    bool blocks;            /* an operation may wait: it is not O_NONBLOCK, as what the runtime opens itself is */
    bool polled;            /* what blocks and must not is polled before: no call of the OS takes "now or not" */
    uint64_t *count;        /* where it counts as open; NULL: nowhere */
    bool in_shut, out_shut; /* a connection's direction was shut down: its stream is closed */
} ts_wasi_file;

typedef enum ts_wasi_domain {
    TS_WASI_OF_STDIO,
    TS_WASI_OF_FILESYSTEM,
    TS_WASI_OF_NETWORK,
    TS_WASI_OF_HTTP,
} ts_wasi_domain;

typedef struct ts_wasi_error ts_wasi_error;
struct ts_wasi_error { /* wasi:io/error.error; of TS_WASI_OF_HTTP it is the beginning of a ts_wasi_error_of_http */
    ts_wasi_obj obj;
    ts_wasi_domain domain;
    ts_sys_err code;
    const char *(*text)(const ts_wasi_error *e, char *buf, size_t size); /* for people; NULL: that of the code */
};

/* How a stream reaches its bytes. */
typedef enum ts_wasi_mode {
    TS_WASI_AT,     /* a regular file at the stream's own offset: always ready */
    TS_WASI_APPEND, /* a regular file at its end: always ready */
    TS_WASI_SEQ,    /* read and write at the file's own position, always ready (stdio of a regular file, /dev/null) */
    TS_WASI_WAIT,   /* a pipe, terminal or socket: ready when the OS says so */
} ts_wasi_mode;

/* What a kind of stream does: of files (io/streams.c), of the bodies of HTTP messages (http/streams.c). */
typedef struct ts_wasi_stream ts_wasi_stream;
typedef struct ts_wasi_stream_ops {
    /* Some of the bytes that are there now, at most len (> 0). TS_SYS_OK and none: the end; TS_SYS_EAGAIN: none now. */
    ts_sys_err (*read)(ts_wasi_stream *s, void *buf, size_t len, size_t *n);
    /* As much as is taken now. TS_SYS_EAGAIN: no more now; TS_SYS_EPIPE: nobody reads any more; others: it has failed. */
    ts_sys_err (*write)(ts_wasi_stream *s, const void *buf, size_t len, size_t *n);
    /* The permit of an output stream that has nothing pending. May close the stream. */
    uint64_t (*room)(ts_wasi_stream *s);
    /* Whether a read or write would not wait; else *wait is what to wait for (fd below 0: for the driver alone). */
    bool (*ready)(const ts_wasi_stream *s, ts_sys_wait *wait);
    /* Moves on what goes on beside the guest; whether the stream is ready then. */
    bool (*confirm)(ts_wasi_stream *s);
    /* err(last-operation-failed) for what an operation has returned. */
    ts_status (*fail)(ts_host_call *c, const ts_wasi_stream *s, ts_sys_err err, ts_val *result);
    /* Whether the stream has failed apart from its operations: the next one reports it. NULL: it cannot. */
    bool (*broken)(const ts_wasi_stream *s);
    void (*end)(ts_wasi *w, ts_wasi_stream *s); /* gives back what it reads or writes */
    bool flush_waits;                           /* a flush also waits until there is room */
} ts_wasi_stream_ops;

struct ts_wasi_stream { /* input-stream and output-stream */
    ts_wasi_obj obj;
    const ts_wasi_stream_ops *ops;
    ts_wasi_file *file; /* of io/streams.c; NULL: of another kind */
    void *body;         /* of http/streams.c */
    ts_wasi_mode mode;
    ts_wasi_domain domain;
    bool closed;
    uint64_t offset;
    ts_wasi *context; /* out: counts the streams that have something pending */
    uint64_t permit;  /* out: what check-write has granted and no write has used */
    uint8_t *pending; /* out: accepted, and not yet taken by a file that does not block */
    size_t pending_at, pending_len;
    ts_sys_err late;    /* out: what a pending write failed with, until an operation has told */
    ts_sys_err refused; /* the descriptor is not open for this direction: what the first read or write fails with */
};

typedef struct ts_wasi_pollable {
    ts_wasi_obj obj; /* parent: the stream, or NULL */
    bool is_timer;
    uint64_t deadline;
} ts_wasi_pollable;

/* What goes on beside the guest in the same wait: transfers of HTTP. */
typedef struct ts_wasi_driver {
    void *data;
    /* fills up to n waits, brings the deadline (monotonic ns) forward; returns how many there are in all */
    size_t (*waits)(void *data, ts_sys_wait *w, size_t n, uint64_t *deadline);
    void (*pump)(void *data); /* what can be done without waiting */
    void (*end)(void *data);
} ts_wasi_driver;

/* stdin, stdout or stderr of a guest: what the granted descriptor is is asked of the OS once. */
typedef struct ts_wasi_stdio_file {
    ts_wasi_file *file; /* NULL until a guest asks for its stream */
    ts_wasi_mode mode;
    enum { TS_WASI_TTY_UNKNOWN, TS_WASI_TTY_NO, TS_WASI_TTY_YES } terminal;
} ts_wasi_stdio_file;

typedef struct ts_wasi_replay ts_wasi_replay; /* replay.c */
void ts_wasi_replay_free(ts_wasi_replay *r);

/* The state of one instance's host, or of one thread's instances, one after another. */
struct ts_wasi {
    ts_wasi_grants *grants;    /* never NULL */
    ts_wasi_replay *replay;    /* NULL: neither recorded nor replayed */
    ts_wasi_net_rules learnt;  /* addresses of names that are granted, from the guest's look-ups */
    ts_sys_lookups *lookups;   /* made at the first look-up */
    ts_wasi_driver driver;     /* pump NULL: there is none */
    struct ts_wasi_http *http; /* http.h; made when it is first needed */
    void (*http_end)(ts_wasi *w);
    ts_wasi_stdio_file stdio[3];
    bool walk_paths;
    volatile uint32_t stop;
    ts_sys_wake wake;                       /* rung by ts_wasi_stop */
    ts_wasi_watch watch;                    /* begin NULL: there is none */
    uint64_t until;                         /* monotonic: then the run is asked to stop; 0: never */
    uint64_t n_objects, n_files;            /* n_files: of the host, opened for the guest */
    uint64_t disk, most_disk, refused_disk; /* see disk.h */
    uint64_t most_files, refused_files;     /* the most at once; those that the limit has refused */
    uint64_t n_pending;          /* output streams of files with bytes pending: each wait lets those go on too */
    ts_wasi_obj *objects;        /* the newest first */
    TS_VEC(ts_wasi_obj *) by_id; /* by id - 1; a free one is NULL */
    TS_VEC(uint32_t) free_ids;   /* the last given back is the next taken; room for every id is reserved */
    uint8_t *chunk;              /* TS_WASI_CHUNK bytes: what a read returns, valid until the next call */
    uint64_t clock_ns;           /* of the guest's own clock, since its start */
    uint64_t seed;               /* of seeded randomness: where it is now */
    uint8_t fresh[256];          /* random bytes of the OS, of which the first fresh_left have not been given */
    uint32_t fresh_left;
    uint64_t insecure[2]; /* state of the insecure generator; 0, 0: not seeded */
    /* What insecure-seed returns, the same each time. wit: it "may" become a value import, which has one value */
    uint64_t insecure_seed[2];
    bool has_insecure_seed;
};

static inline ts_wasi *ts_wasi_of(ts_host_call *c) {
    return c->host;
}
static inline void *ts_wasi_obj_of(ts_host_call *c, const ts_val *handle) {
    TS_ASSERT(handle->handle.rep > 0 && handle->handle.rep <= ts_wasi_of(c)->by_id.len);
    TS_ASSERT(ts_wasi_of(c)->by_id.data[handle->handle.rep - 1]); /* the glue has dropped none that is still named */
    return ts_wasi_of(c)->by_id.data[handle->handle.rep - 1];
}
static inline uint64_t ts_wasi_rep(const void *obj) {
    return ((const ts_wasi_obj *)obj)->id;
}
static inline uint64_t ts_wasi_max_bytes(const ts_host_call *c) {
    return c->max_bytes ? c->max_bytes : 256u << 20;
}

/* A new object (size bytes, zeroed) under a parent (may be NULL). */
ts_status ts_wasi_new(ts_host_call *c, ts_wasi_kind kind, size_t size, ts_wasi_obj *parent, void *out_obj) TS_MUST_USE;
/* End an object; traps, and leaves it, while it has children. `what` for the message. */
ts_status ts_wasi_drop(ts_host_call *c, uint64_t rep, const char *what) TS_MUST_USE;

ts_status ts_wasi_file_new(ts_host_call *c, int fd, bool own, ts_sys_type type, ts_wasi_file **out) TS_MUST_USE;
void ts_wasi_file_release(ts_wasi_file *f);
/* EMFILE when the guest has as many files open as it may. */
ts_sys_err ts_wasi_may_open(ts_wasi *w);

/* One wait of the OS, in which the driver and pending output go on too. What a wait ends with may be that they did
 * something: look again.
 * TS_SYS_EINTR: by a signal, or the run shall stop: ts_wasi_interrupted knows.
 * TS_SYS_EDEADLK: there is nothing to wait for, neither a file nor a time nor the driver's. */
ts_sys_err ts_wasi_poll(ts_host_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline);
/* A blocking wait was interrupted: TS_OK to go on, TS_INTERRUPTED when the run shall stop. */
ts_status ts_wasi_interrupted(ts_host_call *c) TS_MUST_USE;
ts_status ts_wasi_chunk(ts_host_call *c, uint8_t **out) TS_MUST_USE;

/* Results. ok without payload; ok with one value (in the arena, to be filled by the caller); error with an enum case.
 */
static inline ts_status ts_wasi_ok(ts_val *result) {
    *result = (ts_val){.variant = {.disc = 0}};
    return TS_OK;
}
ts_status ts_wasi_ok_val(ts_host_call *c, ts_val *result, ts_val **payload) TS_MUST_USE;
ts_status ts_wasi_err_enum(ts_host_call *c, ts_val *result, uint32_t disc) TS_MUST_USE;
/* err(last-operation-failed(error)), the error having `size` bytes, which begin with a ts_wasi_error. */
ts_status ts_wasi_err_new(ts_host_call *c, ts_val *result, size_t size, void *out_error) TS_MUST_USE;
ts_status ts_wasi_err_failed(ts_host_call *c, ts_val *result, ts_wasi_domain domain, ts_sys_err code) TS_MUST_USE;
/* err(closed) */
ts_status ts_wasi_err_closed(ts_host_call *c, ts_val *result) TS_MUST_USE;

/* Streams (io_streams.c) and pollables (io_poll.c) for other interfaces. The stream takes a reference of the file. */
ts_status ts_wasi_stream_new(ts_host_call *c, ts_wasi_kind kind, ts_wasi_file *file, ts_wasi_mode mode,
                             ts_wasi_domain domain, uint64_t offset, ts_wasi_obj *parent,
                             ts_wasi_stream **out) TS_MUST_USE;
/* A stream of another kind than files, without anything to read or write yet. */
ts_status ts_wasi_stream_of(ts_host_call *c, ts_wasi_kind kind, const ts_wasi_stream_ops *ops, ts_wasi_domain domain,
                            ts_wasi_obj *parent, ts_wasi_stream **out) TS_MUST_USE;
/* Take what is pending to the file without waiting; false: something is left. An error closes the stream. */
bool ts_wasi_stream_drain(ts_wasi_stream *s);
ts_status ts_wasi_pollable_new(ts_host_call *c, ts_wasi_obj *parent, bool is_timer, uint64_t deadline,
                               ts_val *result) TS_MUST_USE;
void ts_wasi_stream_pollable(ts_wasi_stream *s); /* sets what its pollables wait for */
/* The monotonic clock as the guest sees it; a reading of its own clock moves it. */
uint64_t ts_wasi_now(ts_wasi *w, bool reading);
/* Wait for one stream. wit: pollable.block */
ts_status ts_wasi_wait_stream(ts_host_call *c, ts_wasi_stream *s) TS_MUST_USE;

/* Filesystem (filesystem_types.c). */
uint32_t ts_wasi_error_code(ts_sys_err e); /* case of wasi:filesystem/types.error-code */
ts_status ts_wasi_descriptor_preopen(ts_host_call *c, const ts_wasi_preopen *p, ts_val *result) TS_MUST_USE;
#endif
