/* state: shared by the files of preview1/: descriptors, the running call, the memory of its caller.
 * In: a running call. Out: descriptors, bytes of the memory, error codes.
 * Each function is a ts_p1_fn. It returns TS_OK after it has set the error code of the call (ts_p1_end), or
 * the status that ends the guest. A helper that returns bool has set c->status, and perhaps the error code,
 * when it returns false: the function then returns c->status. */
#ifndef TS_WASI_PREVIEW1_STATE_H
#define TS_WASI_PREVIEW1_STATE_H
#include "wasi/context.h"
#include "wasi/preview1/preview1.h"
#include "wasi/preview1/types.h"

typedef struct ts_p1_dir ts_p1_dir; /* files.c */

/* An entry of the file descriptor table. */
typedef struct ts_p1_fd {
    ts_wasi_file *file; /* NULL: the entry is free */
    /* Streams and sockets are read and written in sequence; NULL: not in this direction, or with an offset. */
    ts_wasi_stream *in, *out;
    const ts_wasi_preopen *preopen;  /* NULL: none */
    ts_p1_rights rights, inheriting; /* witx: fs_rights_base, fs_rights_inheriting */
    uint64_t offset;                 /* of a file that is read and written with one */
    ts_p1_dir *dir;                  /* the directory as fd_readdir reads it; NULL: not yet */
    uint8_t type;                    /* TS_P1_TYPE_… */
    uint8_t flags;                   /* TS_P1_FD_… */
    bool read_only;                  /* below a directory that was granted read-only */
    bool standard;                   /* a standard stream: read or written in sequence, whatever it is */
} ts_p1_fd;

struct ts_p1 {
    ts_wasi *w;
    ts_cstore *store;
    ts_linker *linker;
    ts_arena arena;         /* of the running call */
    TS_VEC(ts_p1_fd *) fds; /* by number; a free entry is NULL */
    uint32_t lowest;        /* no number below it is free */
    const ts_core_instance *memory_of;
    ts_core_memory *memory; /* of memory_of, NULL: it exports none */
    TS_VEC(void *) bindings;
};

typedef struct ts_p1_call {
    ts_host_call host; /* for the functions of the other rooms */
    ts_p1 *p;
    uint8_t *memory; /* of the caller; NULL: it exports none */
    uint64_t memory_len;
    const uint64_t *results; /* the pointers to where the results go, in the order of the text */
    ts_p1_errno error;
    ts_status status;
} ts_p1_call;

/* a: the arguments as core values; i32 are zero-extended. */
typedef ts_status (*ts_p1_fn)(ts_p1_call *c, const uint64_t *a);

static inline ts_wasi *ts_p1_wasi(const ts_p1_call *c) {
    return c->p->w;
}
static inline ts_status ts_p1_end(ts_p1_call *c, ts_p1_errno error) {
    c->error = error;
    return c->status = TS_OK;
}
ts_p1_errno ts_p1_errno_of(ts_sys_err e);
/* The same for an error of the OS. The trace marks an escape from a directory as denied. */
ts_status ts_p1_end_sys(ts_p1_call *c, ts_sys_err e);
/* Sets c->status to what a function of another room returned. Returns whether it is TS_OK. */
static inline bool ts_p1_is_ok(ts_p1_call *c, ts_status s) {
    c->status = s;
    return s == TS_OK;
}

/* --- memory.c ---
 * witx-docs.md#pointers: "If a misaligned pointer is passed to a function, the function shall trap. If an
 * out-of-bounds pointer is passed to a function and the function needs to dereference it, the function shall
 * trap rather than returning errno.fault." */
/* Returns len bytes at ptr, or NULL after a trap. No bytes need no memory: the result is not NULL. */
uint8_t *ts_p1_bytes(ts_p1_call *c, uint64_t ptr, uint64_t len);
bool ts_p1_aligned(ts_p1_call *c, uint64_t ptr, uint32_t align);
void ts_p1_store16(uint8_t *at, uint16_t v);
void ts_p1_store32(uint8_t *at, uint32_t v);
void ts_p1_store64(uint8_t *at, uint64_t v);
uint32_t ts_p1_load32(const uint8_t *at);
uint64_t ts_p1_load64(const uint8_t *at);
/* Stores result number i and ends the call with success. */
ts_status ts_p1_end_u32(ts_p1_call *c, uint32_t i, uint32_t v);
ts_status ts_p1_end_u64(ts_p1_call *c, uint32_t i, uint64_t v);
/* Reads a path, which is UTF-8 (witx: string); ilseq: it is not. */
bool ts_p1_path(ts_p1_call *c, uint64_t ptr, uint64_t len, ts_sys_path *out);

/* Buffers of a scattered read or a gathered write: inval for more than TS_P1_MAX_BUFFERS, or for more than
 * 2^32 - 1 bytes in all, as in POSIX readv. Buffers of no bytes are left out. */
enum { TS_P1_MAX_BUFFERS = 1024 };
typedef struct ts_p1_buffer {
    uint8_t *at;
    uint32_t len;
} ts_p1_buffer;
typedef struct ts_p1_buffers {
    ts_p1_buffer *list; /* in the arena of the call */
    uint32_t n;
    uint32_t bytes; /* of all of them */
} ts_p1_buffers;
bool ts_p1_buffers_read(ts_p1_call *c, uint64_t ptr, uint64_t n, ts_p1_buffers *out);
/* Copies between the buffers and len bytes, at most what the buffers have. */
void ts_p1_scatter(const ts_p1_buffers *b, const uint8_t *from, size_t len);
void ts_p1_gather(const ts_p1_buffers *b, uint8_t *to, size_t len);

/* --- descriptors.c --- */
typedef enum ts_p1_kind {
    TS_P1_ANY,
    TS_P1_FOLDER, /* a directory: notdir for anything else */
    TS_P1_BYTES,  /* anything but a directory: isdir */
    TS_P1_SOCKET, /* notsock */
} ts_p1_kind;
/* Finds a descriptor of this kind with these rights: badf, the error of the kind, or notcapable. */
bool ts_p1_find(ts_p1_call *c, uint64_t fd, ts_p1_kind kind, ts_p1_rights rights, ts_p1_fd **out);
/* Makes sure that the descriptor has these rights: notcapable. */
bool ts_p1_may(ts_p1_call *c, const ts_p1_fd *d, ts_p1_rights rights);
/* Adds a descriptor for an open file, which it takes over, at the lowest free number. Streams are made for
 * what is not read with an offset. */
bool ts_p1_add(ts_p1_call *c, int os_fd, ts_sys_type type, const ts_p1_fd *like, uint32_t *number);
/* The rights that apply to a type of file. read_only: without those to change anything. */
ts_p1_rights ts_p1_rights_of(uint8_t type, bool read_only);
uint8_t ts_p1_type_of(ts_sys_type t, int os_fd);
static inline ts_sys_base ts_p1_base(const ts_p1_call *c, const ts_p1_fd *d) {
    return (ts_sys_base){.fd = d->file->fd, .walk = c->p->w->walk_paths};
}
static inline bool ts_p1_has_offset(const ts_p1_fd *d) {
    return !d->standard && (d->type == TS_P1_TYPE_REGULAR_FILE || d->type == TS_P1_TYPE_BLOCK_DEVICE);
}

/* --- the functions, by file --- */
#define TS_P1_FN(name) ts_status ts_p1_##name(ts_p1_call *c, const uint64_t *a)
/* process.c */
TS_P1_FN(args_get);
TS_P1_FN(args_sizes_get);
TS_P1_FN(environ_get);
TS_P1_FN(environ_sizes_get);
TS_P1_FN(clock_res_get);
TS_P1_FN(clock_time_get);
TS_P1_FN(proc_exit);
TS_P1_FN(proc_raise);
TS_P1_FN(sched_yield);
TS_P1_FN(random_get);
/* descriptors.c */
TS_P1_FN(fd_close);
TS_P1_FN(fd_renumber);
TS_P1_FN(fd_prestat_get);
TS_P1_FN(fd_prestat_dir_name);
TS_P1_FN(fd_fdstat_get);
TS_P1_FN(fd_fdstat_set_flags);
TS_P1_FN(fd_fdstat_set_rights);
/* files.c */
TS_P1_FN(fd_advise);
TS_P1_FN(fd_allocate);
TS_P1_FN(fd_datasync);
TS_P1_FN(fd_filestat_get);
TS_P1_FN(fd_filestat_set_size);
TS_P1_FN(fd_filestat_set_times);
TS_P1_FN(fd_pread);
TS_P1_FN(fd_pwrite);
TS_P1_FN(fd_read);
TS_P1_FN(fd_readdir);
TS_P1_FN(fd_seek);
TS_P1_FN(fd_sync);
TS_P1_FN(fd_tell);
TS_P1_FN(fd_write);
/* paths.c */
TS_P1_FN(path_create_directory);
TS_P1_FN(path_filestat_get);
TS_P1_FN(path_filestat_set_times);
TS_P1_FN(path_link);
TS_P1_FN(path_open);
TS_P1_FN(path_readlink);
TS_P1_FN(path_remove_directory);
TS_P1_FN(path_rename);
TS_P1_FN(path_symlink);
TS_P1_FN(path_unlink_file);
/* poll.c */
TS_P1_FN(poll_oneoff);
/* sockets.c */
TS_P1_FN(sock_accept);
TS_P1_FN(sock_recv);
TS_P1_FN(sock_send);
TS_P1_FN(sock_shutdown);

void ts_p1_dir_end(ts_p1 *p, ts_p1_fd *d); /* ends what fd_readdir has begun */
/* For files.c and paths.c: attributes and times. witx: $filestat, $fstflags */
ts_status ts_p1_end_filestat(ts_p1_call *c, const ts_sys_stat *st, int os_fd);
bool ts_p1_times(ts_p1_call *c, uint64_t atim, uint64_t mtim, uint64_t flags, ts_sys_newtime out[2]);
/* $timestamp. Times before 1970 and after 2554 do not fit: the nearest one that does. */
uint64_t ts_p1_nanoseconds(ts_sys_time t);
#endif
