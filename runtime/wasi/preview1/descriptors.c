/* descriptors: the file descriptor table: standard streams, preopened directories, rights.
 * In: the grants of the context; numbers of a guest. Out: open descriptors.
 * witx: fd_close, fd_renumber, fd_prestat_*, fd_fdstat_*, $rights */
#include "wasi/preview1/state.h"
#include "sys/net.h"
#include <stdlib.h>
#include <string.h>

#define R(name) TS_P1_RIGHT_##name
/* What changes a file or a directory: nobody has these below a directory that was granted read-only. To link
 * or rename from there would make the file reachable where it can be written to. */
static const ts_p1_rights changing = R(FD_WRITE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES) |
                                     R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) |
                                     R(PATH_LINK_TARGET) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) |
                                     R(PATH_FILESTAT_SET_SIZE) | R(PATH_FILESTAT_SET_TIMES) | R(PATH_SYMLINK) |
                                     R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE);
static const ts_p1_rights any_file = R(FD_DATASYNC) | R(FD_SYNC) | R(FD_FDSTAT_SET_FLAGS) | R(FD_FILESTAT_GET);
static const ts_p1_rights of_directory = R(FD_FILESTAT_SET_TIMES) | R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) |
                                         R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) | R(FD_READDIR) |
                                         R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) |
                                         R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_SIZE) | R(PATH_FILESTAT_SET_TIMES) |
                                         R(PATH_SYMLINK) | R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE);
static const ts_p1_rights of_stream = R(FD_READ) | R(FD_WRITE) | R(FD_FILESTAT_SET_TIMES) | R(POLL_FD_READWRITE);
static const ts_p1_rights of_file = R(FD_SEEK) | R(FD_TELL) | R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE);
static const ts_p1_rights of_socket = R(SOCK_SHUTDOWN) | R(SOCK_ACCEPT);

ts_p1_rights ts_p1_rights_of(uint8_t type, bool read_only) {
    ts_p1_rights r = any_file;
    switch (type) {
    case TS_P1_TYPE_DIRECTORY: r |= of_directory; break;
    case TS_P1_TYPE_SOCKET_DGRAM:
    case TS_P1_TYPE_SOCKET_STREAM: r |= of_stream | of_socket; break;
    case TS_P1_TYPE_REGULAR_FILE:
    case TS_P1_TYPE_BLOCK_DEVICE: r |= of_stream | of_file; break;
    default: r |= of_stream;
    }
    return read_only ? r & ~changing : r;
}
uint8_t ts_p1_type_of(ts_sys_type t, int os_fd) {
    switch (t) {
    case TS_SYS_BLOCK: return TS_P1_TYPE_BLOCK_DEVICE;
    case TS_SYS_CHAR: return TS_P1_TYPE_CHARACTER_DEVICE;
    case TS_SYS_DIR: return TS_P1_TYPE_DIRECTORY;
    case TS_SYS_SYMLINK: return TS_P1_TYPE_SYMBOLIC_LINK;
    case TS_SYS_FILE: return TS_P1_TYPE_REGULAR_FILE;
    case TS_SYS_SOCKET:
        return os_fd >= 0 && ts_sys_is_datagram(os_fd) ? TS_P1_TYPE_SOCKET_DGRAM : TS_P1_TYPE_SOCKET_STREAM;
    case TS_SYS_FIFO: /* there is no type for a pipe */
    case TS_SYS_UNKNOWN: break;
    }
    return TS_P1_TYPE_UNKNOWN;
}
static bool is_socket(const ts_p1_fd *d) {
    return d->type == TS_P1_TYPE_SOCKET_DGRAM || d->type == TS_P1_TYPE_SOCKET_STREAM;
}

/* --- the table --- */
static ts_p1_fd *entry(const ts_p1 *p, uint64_t number) {
    return number < p->fds.len ? p->fds.data[number] : NULL;
}
static bool put(ts_p1 *p, ts_p1_fd *d, uint32_t *number) {
    while (p->lowest < p->fds.len && p->fds.data[p->lowest]) p->lowest++;
    if (p->lowest == p->fds.len && !ts_vec_push(&p->fds, NULL)) return false;
    *number = p->lowest++;
    p->fds.data[*number] = d;
    return true;
}
static ts_status stream_end(ts_host_call *c, ts_wasi_stream *s) {
    return s ? ts_wasi_drop(c, ts_wasi_rep(s), "a stream") : TS_OK;
}
static ts_status fd_end(ts_host_call *c, ts_p1 *p, ts_p1_fd *d) {
    ts_status s = stream_end(c, d->in);
    if (s == TS_OK) s = stream_end(c, d->out);
    ts_p1_dir_end(p, d);
    ts_wasi_file_release(d->file);
    free(d);
    return s;
}

bool ts_p1_may(ts_p1_call *c, const ts_p1_fd *d, ts_p1_rights rights) {
    ts_p1_rights have = d->rights;
    if (have & R(FD_SEEK)) have |= R(FD_TELL); /* witx: fd_seek "implies rights::fd_tell" */
    const ts_p1_rights lacks = rights & ~have;
    if (!lacks) return true;
    c->host.denied = d->read_only && (lacks & changing);
    ts_p1_end(c, TS_P1_NOTCAPABLE);
    return false;
}
bool ts_p1_find(ts_p1_call *c, uint64_t fd, ts_p1_kind kind, ts_p1_rights rights, ts_p1_fd **out) {
    ts_p1_fd *d = *out = entry(c->p, fd);
    const bool dir = d && d->type == TS_P1_TYPE_DIRECTORY;
    ts_p1_errno e = !d                                      ? TS_P1_BADF
                    : kind == TS_P1_FOLDER && !dir          ? TS_P1_NOTDIR
                    : kind == TS_P1_BYTES && dir            ? TS_P1_ISDIR
                    : kind == TS_P1_SOCKET && !is_socket(d) ? TS_P1_NOTSOCK
                    : kind != TS_P1_ANY && d->file->fd < 0  ? TS_P1_BADF /* a closed standard stream */
                                                            : TS_P1_SUCCESS;
    if (!e) return ts_p1_may(c, d, rights);
    ts_p1_end(c, e);
    return false;
}

/* Makes the streams of a file that has no offset. */
static ts_status streams_new(ts_host_call *c, ts_p1_fd *d, ts_wasi_mode mode, ts_wasi_domain domain) {
    if (d->rights & R(FD_READ)) TS_TRY(ts_wasi_stream_new(c, TS_WASI_IN, d->file, mode, domain, 0, NULL, &d->in));
    if (d->rights & R(FD_WRITE)) TS_TRY(ts_wasi_stream_new(c, TS_WASI_OUT, d->file, mode, domain, 0, NULL, &d->out));
    return TS_OK;
}
bool ts_p1_add(ts_p1_call *c, int os_fd, ts_sys_type type, const ts_p1_fd *like, uint32_t *number) {
    ts_p1_fd *d = malloc(sizeof *d);
    if (!d) {
        ts_sys_close(os_fd);
        return ts_p1_is_ok(c, ts_fail_nomem(c->host.err));
    }
    *d = *like;
    ts_status s = ts_wasi_file_new(&c->host, os_fd, true, type, &d->file);
    if (s == TS_OK && type != TS_SYS_DIR && !ts_p1_has_offset(d))
        s = streams_new(&c->host, d, TS_WASI_WAIT, type == TS_SYS_SOCKET ? TS_WASI_OF_NETWORK : TS_WASI_OF_FILESYSTEM);
    if (s == TS_OK && !put(c->p, d, number)) s = ts_fail_nomem(c->host.err);
    if (s != TS_OK) (void)fd_end(&c->host, c->p, d);
    return ts_p1_is_ok(c, s);
}

/* application-abi.md: "environments shall provide file descriptors with indices 0, 1, and 2" */
static ts_status add_standard(ts_host_call *c, ts_p1 *p, int which) {
    const ts_wasi_stdio_file *f;
    uint32_t number;
    TS_TRY(ts_wasi_open_stdio(c, which, &f));
    ts_p1_fd *d = calloc(1, sizeof *d);
    if (!d) return ts_fail_nomem(c->err);
    d->file = f->file;
    d->file->refs++;
    d->standard = true;
    d->type = ts_p1_type_of(f->file->type, f->file->fd);
    /* wasi-libc takes each character device that cannot be sought for a terminal, /dev/null too */
    if (d->type == TS_P1_TYPE_CHARACTER_DEVICE && !ts_wasi_is_terminal(p->w, which)) d->type = TS_P1_TYPE_UNKNOWN;
    /* A stream is granted, as to a component: not what is before its position, not the names in a directory. */
    d->rights = (any_file | of_stream | of_socket) & ts_p1_rights_of(d->type, false) & ~R(FD_FILESTAT_SET_TIMES);
    if (!is_socket(d)) d->rights &= which == 0 ? ~R(FD_WRITE) : ~R(FD_READ);
    ts_status s = streams_new(c, d, f->mode, TS_WASI_OF_STDIO);
    if (s == TS_OK && !put(p, d, &number)) s = ts_fail_nomem(c->err);
    if (s != TS_OK) (void)fd_end(c, p, d);
    return s;
}
static ts_status add_preopen(ts_host_call *c, ts_p1 *p, const ts_wasi_preopen *from) {
    uint32_t number;
    ts_p1_fd *d = calloc(1, sizeof *d);
    if (!d) return ts_fail_nomem(c->err);
    d->preopen = from;
    d->read_only = from->read_only;
    d->type = TS_P1_TYPE_DIRECTORY;
    d->rights = ts_p1_rights_of(TS_P1_TYPE_DIRECTORY, from->read_only);
    d->inheriting = d->rights | ts_p1_rights_of(TS_P1_TYPE_REGULAR_FILE, from->read_only);
    ts_status s = ts_wasi_file_new(c, from->fd, false, TS_SYS_DIR, &d->file);
    if (s == TS_OK && !put(p, d, &number)) s = ts_fail_nomem(c->err);
    if (s != TS_OK) (void)fd_end(c, p, d);
    return s;
}

ts_status ts_p1_new(ts_wasi *w, ts_cstore *s, ts_linker *l, ts_p1 **out, ts_error *e) {
    ts_p1 *p = *out = calloc(1, sizeof *p);
    if (!p) return ts_fail_nomem(e);
    p->w = w;
    p->store = s;
    p->linker = l;
    ts_arena_init(&p->arena);
    ts_host_call c = {.host = w, .store = s, .arena = &p->arena, .err = e};
    ts_status st = TS_OK;
    for (int i = 0; i < 3 && st == TS_OK; i++) st = add_standard(&c, p, i);
    for (uint32_t i = 0; i < w->grants->preopens.len && st == TS_OK; i++)
        st = add_preopen(&c, p, &w->grants->preopens.data[i]);
    if (st == TS_OK) return TS_OK;
    ts_p1_free(p);
    *out = NULL;
    return st;
}
void ts_p1_free(ts_p1 *p) {
    if (!p) return;
    ts_error e;
    ts_error_init(&e);
    ts_host_call c = {.host = p->w, .store = p->store, .arena = &p->arena, .err = &e};
    for (uint32_t i = 0; i < p->fds.len; i++)
        if (p->fds.data[i]) (void)fd_end(&c, p, p->fds.data[i]);
    for (uint32_t i = 0; i < p->bindings.len; i++) free(p->bindings.data[i]);
    ts_vec_free(&p->bindings);
    ts_vec_free(&p->fds);
    ts_arena_free(&p->arena);
    free(p);
}

/* --- functions --- */
static ts_status close_entry(ts_p1_call *c, uint64_t number) {
    ts_p1_fd *d = c->p->fds.data[number];
    c->p->fds.data[number] = NULL;
    if (number < c->p->lowest) c->p->lowest = (uint32_t)number;
    return c->status = fd_end(&c->host, c->p, d);
}
TS_P1_FN(fd_close) {
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, 0, &d)) return c->status;
    TS_TRY(close_entry(c, a[0]));
    return ts_p1_end(c, TS_P1_SUCCESS);
}
/* witx: $to is "the file descriptor to overwrite": it must be open, like the other one. */
TS_P1_FN(fd_renumber) {
    ts_p1_fd *from, *to;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, 0, &from) || !ts_p1_find(c, a[1], TS_P1_ANY, 0, &to)) return c->status;
    if (from == to) return ts_p1_end(c, TS_P1_SUCCESS);
    c->p->fds.data[a[1]] = from;
    c->p->fds.data[a[0]] = to;
    TS_TRY(close_entry(c, a[0]));
    return ts_p1_end(c, TS_P1_SUCCESS);
}

/* libcs ask for each number from 3 on until the answer is badf, which says that there are no more. */
static bool preopen(ts_p1_call *c, uint64_t fd, ts_p1_fd **d) {
    if (!ts_p1_find(c, fd, TS_P1_ANY, 0, d)) return false;
    if ((*d)->preopen) return true;
    ts_p1_end(c, TS_P1_BADF);
    return false;
}
TS_P1_FN(fd_prestat_get) {
    ts_p1_fd *d;
    uint8_t *at;
    if (!preopen(c, a[0], &d) || !(at = ts_p1_bytes(c, c->results[0], TS_P1_PRESTAT_SIZE))) return c->status;
    memset(at, 0, TS_P1_PRESTAT_SIZE); /* witx: $preopentype::dir is 0 */
    ts_p1_store32(at + 4, (uint32_t)strlen(d->preopen->guest));
    return ts_p1_end(c, TS_P1_SUCCESS);
}
TS_P1_FN(fd_prestat_dir_name) {
    ts_p1_fd *d;
    uint8_t *at;
    if (!preopen(c, a[0], &d)) return c->status;
    size_t len = strlen(d->preopen->guest);
    if (a[2] < len) return ts_p1_end(c, TS_P1_NAMETOOLONG);
    if (!(at = ts_p1_bytes(c, a[1], len))) return c->status;
    memcpy(at, d->preopen->guest, len);
    return ts_p1_end(c, TS_P1_SUCCESS);
}

TS_P1_FN(fd_fdstat_get) {
    ts_p1_fd *d;
    uint8_t *at;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, 0, &d) || !(at = ts_p1_bytes(c, c->results[0], TS_P1_FDSTAT_SIZE)))
        return c->status;
    memset(at, 0, TS_P1_FDSTAT_SIZE);
    at[0] = d->type;
    ts_p1_store16(at + 2, d->flags);
    ts_p1_store64(at + 8, d->rights);
    ts_p1_store64(at + 16, d->inheriting);
    return ts_p1_end(c, TS_P1_SUCCESS);
}
/* The OS cannot change how a file is synchronized after it was opened. POSIX fcntl F_SETFL */
TS_P1_FN(fd_fdstat_set_flags) {
    const uint64_t settable = TS_P1_FD_APPEND | TS_P1_FD_NONBLOCK;
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, R(FD_FDSTAT_SET_FLAGS), &d)) return c->status;
    if (a[1] & ~(uint64_t)TS_P1_FD_ALL) return ts_p1_end(c, TS_P1_INVAL);
    if ((a[1] ^ d->flags) & ~settable) return ts_p1_end(c, TS_P1_NOTSUP);
    d->flags = (uint8_t)a[1];
    return ts_p1_end(c, TS_P1_SUCCESS);
}
/* witx: "This can only be used to remove rights, and returns errno::notcapable if called in a way that would
 * attempt to add rights" */
TS_P1_FN(fd_fdstat_set_rights) {
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, 0, &d)) return c->status;
    if ((a[1] & ~d->rights) || (a[2] & ~d->inheriting)) return ts_p1_end(c, TS_P1_NOTCAPABLE);
    d->rights = a[1];
    d->inheriting = a[2];
    return ts_p1_end(c, TS_P1_SUCCESS);
}
