/* context: shared by the files of wasi/: the context, the objects behind handles, errors as values.
 * In: a running host call. Out: objects, result values.
 *
 * A handle's rep is the number of its object in the context. It is small and the same in every run, so that
 * traces can show it. The context lists its objects, so that objects which a guest leaves behind are freed
 * with it. */
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
    TS_WASI_CHUNK = 65536,        /* the most bytes that one read of a stream returns */
    TS_WASI_MAX_LOOKUPS = 32,     /* threads that look up names at once */
    TS_WASI_CLOCK_STEP_NS = 1000, /* by which a reading advances the guest's own clock */
};
#define TS_WASI_LINGER_NS 5000000000u /* how long closing a connection waits for a peer that reads nothing */

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
    uint32_t id;       /* the rep of its handle: from 1 */
    uint32_t children; /* number of live child resources, in the sense of the WIT text */
    ts_wasi_obj *parent, *prev, *next;
    void (*end)(ts_wasi *w, ts_wasi_obj *o); /* releases what it holds; NULL: nothing to release */
    /* For pollables of the object: returns true if it is ready, else fills in the file to wait on. */
    bool (*ready)(ts_wasi_obj *o, ts_sys_wait *wait);
    bool (*confirm)(ts_wasi_obj *o); /* called when the file is ready: is the object ready too? NULL: yes */
};

/* An open file of the host, shared by the descriptor and the streams made from it. */
typedef struct ts_wasi_file {
    uint32_t refs;
    int fd;
    ts_sys_type type;
    bool own;        /* close fd with the last reference */
    bool blocks;     /* an operation may block: the file is not O_NONBLOCK, unlike files that the runtime opens */
    bool polled;     /* poll before each operation on a blocking file: the OS has no non-blocking call for it */
    uint64_t *count; /* the counter of open files that includes it; NULL: none */
    bool in_shut, out_shut; /* this direction of the connection was shut down: its stream is closed */
} ts_wasi_file;

typedef enum ts_wasi_domain {
    TS_WASI_OF_STDIO,
    TS_WASI_OF_FILESYSTEM,
    TS_WASI_OF_NETWORK,
    TS_WASI_OF_HTTP,
} ts_wasi_domain;

typedef struct ts_wasi_error ts_wasi_error;
/* wasi:io/error.error; with domain TS_WASI_OF_HTTP, the first member of a ts_wasi_error_of_http. */
struct ts_wasi_error {
    ts_wasi_obj obj;
    ts_wasi_domain domain;
    ts_sys_err code;
    const char *(*text)(const ts_wasi_error *e, char *buf, size_t size); /* for people; NULL: the text of the code */
};

/* How a stream accesses its file. */
typedef enum ts_wasi_mode {
    TS_WASI_AT,     /* a regular file at the stream's own offset: always ready */
    TS_WASI_APPEND, /* a regular file at its end: always ready */
    TS_WASI_SEQ,    /* read and write at the file's own position, always ready (stdio of a regular file, /dev/null) */
    TS_WASI_WAIT,   /* a pipe, terminal or socket: ready when the OS reports it */
} ts_wasi_mode;

/* The operations of a kind of stream: files (io/streams.c) or bodies of HTTP messages (http/streams.c). */
typedef struct ts_wasi_stream ts_wasi_stream;
typedef struct ts_wasi_stream_ops {
    /* Reads at most len (> 0) bytes that are available now. TS_SYS_OK and *n 0: the end;
     * TS_SYS_EAGAIN: none now. */
    ts_sys_err (*read)(ts_wasi_stream *s, void *buf, size_t len, size_t *n);
    /* Writes as much as is accepted now. TS_SYS_EAGAIN: no more now; TS_SYS_EPIPE: the reader is gone; any
     * other error: the stream has failed. */
    ts_sys_err (*write)(ts_wasi_stream *s, const void *buf, size_t len, size_t *n);
    /* Returns the permit of an output stream with nothing pending. May close the stream. */
    uint64_t (*room)(ts_wasi_stream *s);
    /* Returns whether a read or write would not wait; else sets *wait (fd below 0:
     * only the driver can end the wait). */
    bool (*ready)(const ts_wasi_stream *s, ts_sys_wait *wait);
    /* Advances work in the background, then returns whether the stream is ready. */
    bool (*confirm)(ts_wasi_stream *s);
    /* Makes err(last-operation-failed) from the error that an operation returned. */
    ts_status (*fail)(ts_host_call *c, const ts_wasi_stream *s, ts_sys_err err, ts_val *result);
    /* Returns whether the stream has failed outside its operations;
     * the next one reports it. NULL: it cannot. */
    bool (*broken)(const ts_wasi_stream *s);
    void (*end)(ts_wasi *w, ts_wasi_stream *s); /* releases what it reads or writes */
    bool flush_waits;                           /* a flush also waits until there is room */
} ts_wasi_stream_ops;

struct ts_wasi_stream { /* input-stream and output-stream */
    ts_wasi_obj obj;
    const ts_wasi_stream_ops *ops;
    ts_wasi_file *file; /* for io/streams.c; NULL for other kinds */
    void *body;         /* for http/streams.c */
    ts_wasi_mode mode;
    ts_wasi_domain domain;
    bool closed;
    uint64_t offset;
    ts_wasi *context; /* out: counts the streams that have bytes pending */
    uint64_t permit;  /* out: what check-write has granted and writes have not used yet */
    uint8_t *pending; /* out: bytes accepted, but not yet written to a non-blocking file */
    size_t pending_at, pending_len;
    ts_sys_err late;    /* out: the error of a pending write, until an operation reports it */
    ts_sys_err refused; /* the error of the first read or write if the descriptor is not open for this direction */
};

typedef struct ts_wasi_pollable {
    ts_wasi_obj obj; /* parent: the stream, or NULL */
    bool is_timer;
    uint64_t deadline;
} ts_wasi_pollable;

/* Background work that progresses in the guest's waits: HTTP transfers. */
typedef struct ts_wasi_driver {
    void *data;
    /* fills up to n waits, may move the deadline (monotonic ns) earlier; returns the total number of waits */
    size_t (*waits)(void *data, ts_sys_wait *w, size_t n, uint64_t *deadline);
    void (*pump)(void *data); /* does what is possible without waiting */
    void (*end)(void *data);
} ts_wasi_driver;

/* stdin, stdout or stderr of a guest. The OS is asked for the type of the granted descriptor only once. */
typedef struct ts_wasi_stdio_file {
    ts_wasi_file *file; /* NULL until a guest asks for its stream */
    ts_wasi_mode mode;
    enum { TS_WASI_TTY_UNKNOWN, TS_WASI_TTY_NO, TS_WASI_TTY_YES } terminal;
} ts_wasi_stdio_file;

typedef struct ts_wasi_recording ts_wasi_recording; /* replay.c */
void ts_wasi_recording_free(ts_wasi_recording *r);

/* The host state of one instance, or of the successive instances of one thread. */
struct ts_wasi {
    ts_wasi_grants *grants;    /* never NULL */
    ts_wasi_recording *replay; /* NULL: the run is neither recorded nor replayed */
    ts_wasi_net_rules learnt;  /* addresses of granted names, from the guest's look-ups */
    ts_sys_lookups *lookups;   /* created at the first look-up */
    ts_wasi_driver driver;     /* none if pump is NULL */
    struct ts_wasi_http *http; /* http.h; created on first use */
    void (*http_end)(ts_wasi *w);
    ts_wasi_stdio_file stdio[3];
    bool walk_paths;
    bool linked; /* ts_wasi_link was called: it is too late to record or replay */
    volatile uint32_t stop;
    ts_sys_wake wake;                       /* rung by ts_wasi_interrupt */
    ts_wasi_watch watch;                    /* none if begin is NULL */
    uint64_t until;                         /* monotonic time at which the run is asked to stop; 0: never */
    uint64_t n_objects, n_files;            /* n_files: host files opened for the guest */
    uint64_t disk, most_disk, refused_disk; /* see disk.h */
    uint64_t most_files, refused_files;     /* the most open at once; how many the limit has refused */
    uint64_t n_pending;          /* output streams of files with bytes pending: each wait also drains these */
    ts_wasi_obj *objects;        /* newest first */
    TS_VEC(ts_wasi_obj *) by_id; /* indexed by id - 1; NULL if the id is free */
    TS_VEC(uint32_t) free_ids;   /* a stack of free ids; room for every id is reserved */
    uint8_t *chunk;              /* TS_WASI_CHUNK bytes: the result of a read, valid until the next call */
    uint64_t clock_ns;           /* time of the guest's own clock since its start */
    uint64_t seed;               /* current state of seeded randomness */
    uint8_t fresh[256];          /* random bytes of the OS; the first fresh_left are unused */
    uint32_t fresh_left;
    uint64_t insecure[2]; /* state of the insecure generator; 0, 0: not seeded */
    /* The result of insecure-seed, the same each time.
     * wit: it "may" become a value import, which has one value */
    uint64_t insecure_seed[2];
    bool has_insecure_seed;
};

static inline ts_wasi *ts_wasi_of(ts_host_call *c) {
    return c->host;
}
static inline void *ts_wasi_obj_of(ts_host_call *c, const ts_val *handle) {
    TS_ASSERT(handle->handle.rep > 0 && handle->handle.rep <= ts_wasi_of(c)->by_id.len);
    /* the glue never drops an object that still has a handle */
    TS_ASSERT(ts_wasi_of(c)->by_id.data[handle->handle.rep - 1]);
    return ts_wasi_of(c)->by_id.data[handle->handle.rep - 1];
}
static inline uint64_t ts_wasi_rep(const void *obj) {
    return ((const ts_wasi_obj *)obj)->id;
}
static inline uint64_t ts_wasi_max_bytes(const ts_host_call *c) {
    return c->max_bytes ? c->max_bytes : 256u << 20;
}

/* Makes a new object (size bytes, zeroed) under a parent (may be NULL). */
ts_status ts_wasi_obj_new(ts_host_call *c, ts_wasi_kind kind, size_t size, ts_wasi_obj *parent,
                          void *out_obj) TS_MUST_USE;
/* Ends an object. Traps and keeps it if it has children. `what` names it in the message. */
ts_status ts_wasi_drop(ts_host_call *c, uint64_t rep, const char *what) TS_MUST_USE;

ts_status ts_wasi_file_new(ts_host_call *c, int fd, bool own, ts_sys_type type, ts_wasi_file **out) TS_MUST_USE;
void ts_wasi_file_release(ts_wasi_file *f);
/* Returns EMFILE if the guest has reached its limit of open files. */
ts_sys_err ts_wasi_may_open(ts_wasi *w);

/* Waits once in the OS; the driver and pending output progress meanwhile. The wait may end only because they
 * did something, so the caller must check again.
 * TS_SYS_EINTR: a signal came, or the run must stop; ts_wasi_interrupted distinguishes these.
 * TS_SYS_EDEADLK: there is nothing to wait for: no file, no deadline, and no wait of the driver. */
ts_sys_err ts_wasi_poll(ts_host_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline);
/* Call this after an interrupted wait. Returns TS_OK to continue, TS_INTERRUPTED if the run must stop. */
ts_status ts_wasi_interrupted(ts_host_call *c) TS_MUST_USE;
ts_status ts_wasi_chunk(ts_host_call *c, uint8_t **out) TS_MUST_USE;

/* Results: ok without payload; ok with one value (in the arena, filled by the caller);
 * error with an enum case. */
static inline ts_status ts_wasi_ok(ts_val *result) {
    *result = (ts_val){.variant = {.disc = 0}};
    return TS_OK;
}
ts_status ts_wasi_ok_val(ts_host_call *c, ts_val *result, ts_val **payload) TS_MUST_USE;
ts_status ts_wasi_err_enum(ts_host_call *c, ts_val *result, uint32_t disc) TS_MUST_USE;
/* err(last-operation-failed(error)); the error object has `size` bytes and starts with a ts_wasi_error. */
ts_status ts_wasi_err_new(ts_host_call *c, ts_val *result, size_t size, void *out_error) TS_MUST_USE;
ts_status ts_wasi_err_failed(ts_host_call *c, ts_val *result, ts_wasi_domain domain, ts_sys_err code) TS_MUST_USE;
/* err(closed) */
ts_status ts_wasi_err_closed(ts_host_call *c, ts_val *result) TS_MUST_USE;

/* Streams (io/streams.c) and pollables (io/poll.c) for other interfaces. The stream takes its own reference
 * to the file. */
ts_status ts_wasi_stream_new(ts_host_call *c, ts_wasi_kind kind, ts_wasi_file *file, ts_wasi_mode mode,
                             ts_wasi_domain domain, uint64_t offset, ts_wasi_obj *parent,
                             ts_wasi_stream **out) TS_MUST_USE;
/* Makes a stream of a kind other than files, with nothing to read or write yet. */
ts_status ts_wasi_stream_of(ts_host_call *c, ts_wasi_kind kind, const ts_wasi_stream_ops *ops, ts_wasi_domain domain,
                            ts_wasi_obj *parent, ts_wasi_stream **out) TS_MUST_USE;
/* Writes pending bytes to the file without waiting; returns false if some are left.
 * An error closes the stream. */
bool ts_wasi_stream_drain(ts_wasi_stream *s);
ts_status ts_wasi_pollable_new(ts_host_call *c, ts_wasi_obj *parent, bool is_timer, uint64_t deadline,
                               ts_val *result) TS_MUST_USE;
void ts_wasi_stream_pollable(ts_wasi_stream *s); /* sets the functions that its pollables use */
/* The monotonic clock as the guest sees it, in ns. */
uint64_t ts_wasi_now(const ts_wasi *w);
/* The same for a guest that reads it: if it has its own clock, that advances by TS_WASI_CLOCK_STEP_NS. */
uint64_t ts_wasi_read_clock(ts_wasi *w);
uint64_t ts_wasi_clock_resolution(const ts_wasi *w); /* of the monotonic clock, in ns */
/* The wall clock as the guest sees it, and its resolution. */
ts_sys_time ts_wasi_wall(ts_wasi *w);
ts_sys_time ts_wasi_wall_resolution(const ts_wasi *w);
/* Waits until one of n pollables is ready or, if `block` is false, only checks them.
 * Sets ready[i] and *n_ready. */
ts_status ts_wasi_wait_any(ts_host_call *c, ts_wasi_pollable *const *p, size_t n, bool block, bool *ready,
                           size_t *n_ready) TS_MUST_USE;
/* Waits for one stream. wit: pollable.block */
ts_status ts_wasi_wait_stream(ts_host_call *c, ts_wasi_stream *s) TS_MUST_USE;

/* Fills a buffer with secure random bytes (random/random.c). Traps beyond the limit of one call. */
ts_status ts_wasi_random_fill(ts_host_call *c, uint8_t *buf, size_t len) TS_MUST_USE;

/* The command (cli/cli.c). */
ts_status ts_wasi_leave(ts_host_call *c, int status) TS_MUST_USE; /* ends the run: always returns TS_EXIT */
bool ts_wasi_is_terminal(ts_wasi *w, int which);
/* The file of stdin (0), stdout or stderr, whose descriptor is below 0 if it is closed. */
ts_status ts_wasi_open_stdio(ts_host_call *c, int which, const ts_wasi_stdio_file **out) TS_MUST_USE;

/* Filesystem (filesystem/types.c). */
enum { TS_WASI_LINK = 4096 }; /* bytes of a symbolic link's contents */
ts_sys_err ts_wasi_readlink(ts_sys_base b, ts_sys_path p, char buf[TS_WASI_LINK + 1], size_t *len);
/* These return TS_INTERRUPTED if the run must stop, else TS_OK with the result of the OS in *e. */
ts_status ts_wasi_file_sync(ts_host_call *c, const ts_wasi_file *f, bool data_only, ts_sys_err *e) TS_MUST_USE;
ts_status ts_wasi_file_set_size(ts_host_call *c, const ts_wasi_file *f, uint64_t size, ts_sys_err *e) TS_MUST_USE;
uint32_t ts_wasi_error_code(ts_sys_err e); /* the case of wasi:filesystem/types.error-code */
ts_status ts_wasi_descriptor_preopen(ts_host_call *c, const ts_wasi_preopen *p, ts_val *result) TS_MUST_USE;
#endif
