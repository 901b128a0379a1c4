/* files: open files: reading, writing, positions, attributes, the entries of a directory.
 * In: a descriptor, buffers of the guest. Out: bytes, effects on the file.
 * witx: fd_* but for those of descriptors.c */
#include "wasi/preview1/state.h"
#include "wasi/disk.h"
#include <stdlib.h>
#include <string.h>

#define R(name) TS_P1_RIGHT_##name
enum { PIECE = 1 << 20 }; /* bytes between two checks whether the run must stop */

/* --- reading and writing ------------------------------------------------------------------------------- */
/* One transfer of at most len bytes: at an offset, or in sequence with a stream that has the direction.
 * *n is the number of bytes; 0 without an error: the end of the file. */
typedef struct transfer {
    ts_p1_fd *d;
    bool out;
    bool in_sequence;
    bool append;
    uint64_t offset;
} transfer;

static ts_sys_err once(ts_p1_call *c, transfer *t, uint8_t *buf, size_t len, size_t *n) {
    const int fd = t->d->file->fd;
    ts_wasi_stream *s = t->out ? t->d->out : t->d->in;
    *n = 0;
    if (t->in_sequence)
        return !s ? TS_SYS_EBADF : t->out ? s->ops->write(s, buf, len, n) : s->ops->read(s, buf, len, n);
    if (t->append) return ts_wasi_disk_append(ts_p1_wasi(c), fd, buf, len, n);
    if (t->offset > INT64_MAX) return TS_SYS_EINVAL; /* pread(2), pwrite(2) */
    if (!t->out) return ts_sys_pread(fd, buf, len, t->offset, n);
    ts_sys_err e = ts_wasi_disk_write(ts_p1_wasi(c), fd, buf, len, t->offset, n);
    return !e && !*n && len ? TS_SYS_EIO : e; /* else the loop would not end */
}
static ts_status wait_for(ts_p1_call *c, const transfer *t) {
    return ts_wasi_wait_stream(&c->host, t->out ? t->d->out : t->d->in);
}
/* Transfers the buffers. A read ends with the first piece that is short, a write with the last byte. An error
 * after some bytes is not reported: the next call meets it again. POSIX readv, writev */
static ts_status transfer_all(ts_p1_call *c, transfer *t, const ts_p1_buffers *b, uint32_t *total, ts_sys_err *e) {
    *total = 0;
    *e = TS_SYS_OK;
    /* a write of no bytes still reports that the file cannot be written to */
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t at = 0;
        while (at < b->list[i].len) {
            size_t n, want = b->list[i].len - at < PIECE ? b->list[i].len - at : PIECE;
            *e = once(c, t, b->list[i].at + at, want, &n);
            at += (uint32_t)n;
            *total += (uint32_t)n;
            t->offset += n;
            if (*e == TS_SYS_EINTR || (n && !*e)) TS_TRY(ts_wasi_interrupted(&c->host));
            if (*e == TS_SYS_EINTR) continue;
            const bool waits = *e == TS_SYS_EAGAIN && !(t->d->flags & TS_P1_FD_NONBLOCK) && t->in_sequence;
            if (waits && (t->out || !*total)) {
                TS_TRY(wait_for(c, t));
                continue;
            }
            if (*e && *total) *e = TS_SYS_OK;
            if (*e || n == 0 || (!t->out && n < want)) return TS_OK;
        }
    }
    return TS_OK;
}
/* The four functions: `at` NULL is the descriptor's own offset. */
static ts_status move(ts_p1_call *c, uint64_t fd, uint64_t iovs, uint64_t n_iovs, bool out, const uint64_t *at) {
    ts_p1_fd *d;
    ts_p1_buffers b;
    uint32_t total;
    ts_sys_err e;
    if (!ts_p1_find(c, fd, TS_P1_BYTES, out ? R(FD_WRITE) : R(FD_READ), &d)) return c->status;
    /* before the right, as in fd_seek: a program that tries an offset first (Zig's) then takes it for a stream */
    if (at && !ts_p1_has_offset(d)) return ts_p1_end(c, TS_P1_SPIPE);
    if ((at && !ts_p1_may(c, d, R(FD_SEEK))) || !ts_p1_buffers_read(c, iovs, n_iovs, &b)) return c->status;
    transfer t = {.d = d,
                  .out = out,
                  .in_sequence = !at && (d->in || d->out),
                  /* Linux pwrite(2): with O_APPEND the offset is ignored; POSIX has it the other way round */
                  .append = out && !at && (d->flags & TS_P1_FD_APPEND),
                  .offset = at ? *at : d->offset};
    if (at && *at > INT64_MAX) return ts_p1_end(c, TS_P1_INVAL);
    if (!ts_p1_is_ok(c, transfer_all(c, &t, &b, &total, &e))) return c->status;
    if (e) return ts_p1_end_sys(c, e);
    if (!at && ts_p1_has_offset(d)) {
        ts_sys_stat st;
        d->offset = t.append && ts_sys_fstat(d->file->fd, &st) == TS_SYS_OK ? st.size : t.offset;
    }
    return ts_p1_end_u32(c, 0, total);
}
TS_P1_FN(fd_read) {
    return move(c, a[0], a[1], a[2], false, NULL);
}
TS_P1_FN(fd_write) {
    return move(c, a[0], a[1], a[2], true, NULL);
}
TS_P1_FN(fd_pread) {
    return move(c, a[0], a[1], a[2], false, &a[3]);
}
TS_P1_FN(fd_pwrite) {
    return move(c, a[0], a[1], a[2], true, &a[3]);
}

/* --- positions ------------------------------------------------------------------------------------------ */
static ts_sys_err sought(ts_p1_fd *d, int64_t by, uint64_t whence, uint64_t *now) {
    ts_sys_stat st;
    uint64_t base = whence == TS_P1_WHENCE_CUR ? d->offset : 0;
    if (whence == TS_P1_WHENCE_END) {
        ts_sys_err e = ts_sys_fstat(d->file->fd, &st);
        if (e) return e;
        base = st.size;
    }
    if (by < 0 ? (uint64_t)-(by + 1) >= base : (uint64_t)by > INT64_MAX - base)
        return by < 0 ? TS_SYS_EINVAL : TS_SYS_EOVERFLOW;
    *now = d->offset = base + (uint64_t)by;
    return TS_SYS_OK;
}
static ts_status seek(ts_p1_call *c, uint64_t fd, int64_t by, uint64_t whence) {
    ts_p1_fd *d;
    uint64_t now;
    const bool tells = by == 0 && whence == TS_P1_WHENCE_CUR;
    if (!ts_p1_find(c, fd, TS_P1_BYTES, 0, &d)) return c->status;
    if (whence > TS_P1_WHENCE_END) return ts_p1_end(c, TS_P1_INVAL);
    if (!ts_p1_has_offset(d)) return ts_p1_end(c, TS_P1_SPIPE);
    if (!ts_p1_may(c, d, tells ? R(FD_TELL) : R(FD_SEEK))) return c->status;
    ts_sys_err e = sought(d, by, whence, &now);
    return e ? ts_p1_end_sys(c, e) : ts_p1_end_u64(c, 0, now);
}
TS_P1_FN(fd_seek) {
    return seek(c, a[0], (int64_t)a[1], a[2]);
}
TS_P1_FN(fd_tell) {
    return seek(c, a[0], 0, TS_P1_WHENCE_CUR);
}

/* --- the file itself ------------------------------------------------------------------------------------ */
TS_P1_FN(fd_advise) {
    static const ts_sys_advice how[TS_P1_N_ADVICES] = {TS_SYS_NORMAL,   TS_SYS_SEQUENTIAL, TS_SYS_RANDOM,
                                                       TS_SYS_WILLNEED, TS_SYS_DONTNEED,   TS_SYS_NOREUSE};
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, 0, &d)) return c->status;
    if (d->type == TS_P1_TYPE_DIRECTORY) return ts_p1_end(c, TS_P1_BADF); /* as in WASI 0.2 */
    if (!ts_p1_has_offset(d)) return ts_p1_end(c, TS_P1_SPIPE);           /* POSIX posix_fadvise */
    if (!ts_p1_may(c, d, R(FD_ADVISE))) return c->status;
    if (a[3] >= TS_P1_N_ADVICES) return ts_p1_end(c, TS_P1_INVAL);
    return ts_p1_end_sys(c, ts_sys_advise(d->file->fd, a[1], a[2], how[a[3]]));
}
TS_P1_FN(fd_allocate) {
    ts_p1_fd *d;
    if (!ts_p1_find(c, a[0], TS_P1_BYTES, 0, &d)) return c->status;
    if (!ts_p1_has_offset(d)) return ts_p1_end(c, TS_P1_SPIPE); /* POSIX posix_fallocate */
    if (!ts_p1_may(c, d, R(FD_ALLOCATE))) return c->status;
    if (!a[2]) return ts_p1_end(c, TS_P1_INVAL);
    ts_sys_err e;
    do {
        e = ts_wasi_disk_allocate(ts_p1_wasi(c), d->file->fd, a[1], a[2]);
        if (e == TS_SYS_EINTR && !ts_p1_is_ok(c, ts_wasi_interrupted(&c->host))) return c->status;
    } while (e == TS_SYS_EINTR);
    return ts_p1_end_sys(c, e);
}
static ts_status sync(ts_p1_call *c, uint64_t fd, bool data_only) {
    ts_p1_fd *d;
    ts_sys_err e;
    if (!ts_p1_find(c, fd, TS_P1_ANY, data_only ? R(FD_DATASYNC) : R(FD_SYNC), &d) ||
        !ts_p1_is_ok(c, ts_wasi_file_sync(&c->host, d->file, data_only, &e)))
        return c->status;
    return ts_p1_end_sys(c, e);
}
TS_P1_FN(fd_datasync) {
    return sync(c, a[0], true);
}
TS_P1_FN(fd_sync) {
    return sync(c, a[0], false);
}

ts_status ts_p1_end_filestat(ts_p1_call *c, const ts_sys_stat *st, int os_fd) {
    uint8_t *at = ts_p1_bytes(c, c->results[0], TS_P1_FILESTAT_SIZE);
    if (!at) return c->status;
    memset(at, 0, TS_P1_FILESTAT_SIZE);
    ts_p1_store64(at, st->dev);
    ts_p1_store64(at + 8, st->ino);
    at[16] = ts_p1_type_of(st->type, os_fd);
    ts_p1_store64(at + 24, st->links);
    ts_p1_store64(at + 32, st->size);
    ts_p1_store64(at + 40, ts_p1_nanoseconds(st->atime));
    ts_p1_store64(at + 48, ts_p1_nanoseconds(st->mtime));
    ts_p1_store64(at + 56, ts_p1_nanoseconds(st->ctime));
    return ts_p1_end(c, TS_P1_SUCCESS);
}
TS_P1_FN(fd_filestat_get) {
    ts_p1_fd *d;
    ts_sys_stat st;
    if (!ts_p1_find(c, a[0], TS_P1_ANY, R(FD_FILESTAT_GET), &d)) return c->status;
    ts_sys_err e = ts_sys_fstat(d->file->fd, &st);
    return e ? ts_p1_end_sys(c, e) : ts_p1_end_filestat(c, &st, d->file->fd);
}
TS_P1_FN(fd_filestat_set_size) {
    ts_p1_fd *d;
    ts_sys_err e;
    if (!ts_p1_find(c, a[0], TS_P1_BYTES, R(FD_FILESTAT_SET_SIZE), &d) ||
        !ts_p1_is_ok(c, ts_wasi_file_set_size(&c->host, d->file, a[1], &e)))
        return c->status;
    return ts_p1_end_sys(c, e);
}

static void new_time(uint64_t ns, bool set, bool now, ts_sys_newtime *out) {
    *out = (ts_sys_newtime){.how = set   ? TS_SYS_TIME_SET
                                   : now ? TS_SYS_TIME_NOW
                                         : TS_SYS_TIME_KEEP,
                            .time = {.s = (int64_t)(ns / 1000000000u), .ns = (uint32_t)(ns % 1000000000u)}};
}
/* Both "to the value" and "to now" at once is no valid request: inval. */
bool ts_p1_times(ts_p1_call *c, uint64_t atim, uint64_t mtim, uint64_t f, ts_sys_newtime out[2]) {
    const uint64_t access = TS_P1_FST_ATIM | TS_P1_FST_ATIM_NOW, modification = TS_P1_FST_MTIM | TS_P1_FST_MTIM_NOW;
    if ((f & ~(uint64_t)TS_P1_FST_ALL) || (f & access) == access || (f & modification) == modification) {
        ts_p1_end(c, TS_P1_INVAL);
        return false;
    }
    new_time(atim, f & TS_P1_FST_ATIM, f & TS_P1_FST_ATIM_NOW, &out[0]);
    new_time(mtim, f & TS_P1_FST_MTIM, f & TS_P1_FST_MTIM_NOW, &out[1]);
    return true;
}
TS_P1_FN(fd_filestat_set_times) {
    ts_p1_fd *d;
    ts_sys_newtime t[2];
    if (!ts_p1_find(c, a[0], TS_P1_ANY, R(FD_FILESTAT_SET_TIMES), &d) || !ts_p1_times(c, a[1], a[2], a[3], t))
        return c->status;
    return ts_p1_end_sys(c, ts_sys_set_times(d->file->fd, t));
}

/* --- the entries of a directory --------------------------------------------------------------------------- */
/* The cookie of an entry is its place: . has 0, .. has 1, then the order of the OS. */
enum { FIRST_OF_OS = 2 };
typedef struct dir_entry {
    const char *name; /* NULL: the end */
    uint8_t type;
    uint64_t inode;
} dir_entry;
/* The last entry is kept, because a guest asks again for one that its buffer has cut off. */
struct ts_p1_dir {
    ts_sys_dir *os;
    uint64_t next; /* the cookie of the entry that the OS gives next */
    dir_entry last;
    char name[256]; /* of `last` */
};

void ts_p1_dir_end(ts_p1 *p, ts_p1_fd *d) {
    if (!d->dir) return;
    ts_sys_dir_close(d->dir->os);
    free(d->dir);
    d->dir = NULL;
    p->w->n_files--;
}
static ts_sys_err rewound(ts_p1_call *c, ts_p1_fd *d) {
    ts_p1_dir_end(c->p, d);
    ts_sys_err e = ts_wasi_may_open(ts_p1_wasi(c));
    if (e) return e;
    ts_p1_dir *new = calloc(1, sizeof *new);
    if (!new) return TS_SYS_ENOMEM;
    e = ts_sys_dir_open(d->file->fd, &new->os);
    if (e) {
        free(new);
        return e;
    }
    new->next = FIRST_OF_OS;
    d->dir = new;
    ts_p1_wasi(c)->n_files++;
    return TS_SYS_OK;
}
/* Gives the entry with this cookie, which is one of the first two, the last one again, or the next one. */
static ts_sys_err entry_at(ts_p1_fd *d, uint64_t cookie, dir_entry *out) {
    ts_sys_stat st;
    ts_sys_type type;
    *out = (dir_entry){.name = cookie ? ".." : ".", .type = TS_P1_TYPE_DIRECTORY};
    if (cookie < FIRST_OF_OS) {
        /* .. may be outside the granted directory: it is not looked at. wasi-libc: inode 0 is unknown */
        if (!cookie && ts_sys_fstat(d->file->fd, &st) == TS_SYS_OK) out->inode = st.ino;
        return TS_SYS_OK;
    }
    ts_p1_dir *dir = d->dir;
    if (cookie < dir->next) {
        TS_ASSERT(cookie + 1 == dir->next);
        *out = dir->last;
        return TS_SYS_OK;
    }
    ts_sys_err e = ts_sys_dir_next(dir->os, &out->name, &type);
    if (e || !out->name) return e;
    size_t len = strlen(out->name);
    if (len >= sizeof dir->name) return TS_SYS_ENAMETOOLONG;
    memcpy(dir->name, out->name, len + 1);
    dir->next++;
    dir->last = *out =
        (dir_entry){.name = dir->name, .type = ts_p1_type_of(type, -1), .inode = ts_sys_dir_inode(dir->os)};
    return TS_SYS_OK;
}
/* Makes entry_at possible for this cookie. *end: the directory has fewer entries. */
static ts_status go_to(ts_p1_call *c, ts_p1_fd *d, uint64_t cookie, bool *end, ts_sys_err *e) {
    dir_entry x;
    *end = false;
    *e = TS_SYS_OK;
    /* from the start, the directory is read as it is now */
    const uint64_t first = cookie > FIRST_OF_OS ? cookie : FIRST_OF_OS; /* the first one that the OS gives */
    if (!d->dir || cookie == 0 || d->dir->next > first + 1) *e = rewound(c, d);
    while (!*e && d->dir->next < cookie && !*end) {
        *e = entry_at(d, d->dir->next, &x);
        *end = !*e && !x.name;
        if (d->dir->next % 1024 == 0) TS_TRY(ts_wasi_interrupted(&c->host));
    }
    return TS_OK;
}
/* witx: "This function fills the output buffer as much as possible, potentially truncating the last directory
 * entry." and "If less than the size of the read buffer, the end of the directory has been reached." */
TS_P1_FN(fd_readdir) {
    ts_p1_fd *d;
    ts_sys_err e;
    uint8_t *buf;
    bool end;
    size_t used = 0, size = (size_t)a[2];
    if (!ts_p1_find(c, a[0], TS_P1_FOLDER, R(FD_READDIR), &d) || !(buf = ts_p1_bytes(c, a[1], a[2])) ||
        !ts_p1_is_ok(c, go_to(c, d, a[3], &end, &e)))
        return c->status;
    if (e) return ts_p1_end_sys(c, e);
    for (uint64_t cookie = a[3]; used < size && !end; cookie++) {
        dir_entry x;
        uint8_t head[TS_P1_DIRENT_SIZE] = {0};
        e = entry_at(d, cookie, &x);
        if (e && !used) return ts_p1_end_sys(c, e);
        if (e || !x.name) break;
        size_t len = strlen(x.name), n = size - used < sizeof head ? size - used : sizeof head;
        ts_p1_store64(head, cookie + 1);
        ts_p1_store64(head + 8, x.inode);
        ts_p1_store32(head + 16, (uint32_t)len);
        head[20] = x.type;
        memcpy(buf + used, head, n);
        used += n;
        n = size - used < len ? size - used : len;
        memcpy(buf + used, x.name, n);
        used += n;
        if (cookie % 1024 == 0 && !ts_p1_is_ok(c, ts_wasi_interrupted(&c->host))) return c->status;
    }
    return ts_p1_end_u32(c, 0, (uint32_t)used);
}
