/* poll: waiting for clocks and files.
 * In: subscriptions in the memory of the guest. Out: events.
 * witx: poll_oneoff, $subscription, $event */
#include "wasi/preview1/state.h"
#include "sys/net.h"
#include <string.h>

#define R(name) TS_P1_RIGHT_##name
enum { MAX_SUBSCRIPTIONS = 1 << 16 }; /* inval for more; POSIX poll has such a limit too */

typedef struct subscription {
    ts_wasi_obj obj; /* what the pollable waits for: the stream; the first member */
    ts_wasi_stream *stream;
    uint64_t userdata;
    uint8_t type;
    ts_p1_errno error; /* it is refused: an event says why */
    ts_p1_fd *fd;      /* of fd_read and fd_write */
    ts_wasi_pollable wait;
} subscription;

/* Converts a timeout to the monotonic clock, which the wait goes by. */
static ts_p1_errno clock_of(ts_wasi *w, const uint8_t *at, ts_wasi_pollable *out) {
    const uint32_t id = ts_p1_load32(at + 16);
    const uint64_t timeout = ts_p1_load64(at + 24), now = ts_wasi_now(w);
    const uint32_t flags = at[40] | (uint32_t)at[41] << 8;
    if (id > TS_P1_CLOCK_MONOTONIC || (flags & ~(uint32_t)TS_P1_SUBSCRIPTION_ABSTIME)) return TS_P1_INVAL;
    uint64_t left = timeout;
    out->is_timer = true;
    if (flags & TS_P1_SUBSCRIPTION_ABSTIME) {
        if (id == TS_P1_CLOCK_MONOTONIC) {
            out->deadline = timeout;
            return TS_P1_SUCCESS;
        }
        const uint64_t wall = ts_p1_nanoseconds(ts_wasi_wall(w));
        left = timeout > wall ? timeout - wall : 0;
    }
    out->deadline = left > UINT64_MAX - now ? UINT64_MAX : now + left;
    return TS_P1_SUCCESS;
}
/* An output stream of WASI 0.2 is ready whenever it can take bytes, also into the host; a file when the OS says so. */
static bool stream_ready(ts_wasi_obj *o, ts_sys_wait *w) {
    const ts_wasi_stream *s = ((const subscription *)o)->stream;
    return s->ops->ready(s, w);
}
/* A file without a stream in this direction is always ready: its pollable has no parent. */
static ts_p1_errno file_of(ts_p1_call *c, uint32_t number, bool out, subscription *s) {
    if (!ts_p1_find(c, number, TS_P1_ANY, R(POLL_FD_READWRITE) | (out ? R(FD_WRITE) : R(FD_READ)), &s->fd))
        return c->error;
    if (s->fd->file->fd < 0) return TS_P1_BADF;
    s->stream = out ? s->fd->out : s->fd->in;
    s->obj.ready = stream_ready;
    s->wait.obj.parent = s->stream ? &s->obj : NULL;
    return TS_P1_SUCCESS;
}

static void put_event(uint8_t *at, const subscription *s) {
    memset(at, 0, TS_P1_EVENT_SIZE);
    ts_p1_store64(at, s->userdata);
    ts_p1_store16(at + 8, (uint16_t)s->error);
    at[10] = s->type;
    if (s->error || s->type == TS_P1_EVENT_CLOCK) return;
    const int fd = s->fd->file->fd;
    uint64_t bytes = s->type == TS_P1_EVENT_FD_WRITE ? 1 : ts_sys_available(fd); /* how many fit is not known */
    ts_sys_stat st;
    if (s->type == TS_P1_EVENT_FD_READ && ts_p1_has_offset(s->fd))
        bytes = ts_sys_fstat(fd, &st) == TS_SYS_OK && st.size > s->fd->offset ? st.size - s->fd->offset : 0;
    ts_p1_store64(at + 16, bytes);
    /* a pipe or connection that is ready with nothing to read is at its end */
    const ts_sys_type type = s->fd->file->type;
    if (s->type == TS_P1_EVENT_FD_READ && !bytes &&
        (type == TS_SYS_FIFO || (type == TS_SYS_SOCKET && !ts_sys_is_listening(fd))))
        ts_p1_store16(at + 24, TS_P1_EVENT_HANGUP);
}

/* Reads the subscriptions. Those that are refused make the wait end at once. */
static bool read_all(ts_p1_call *c, const uint8_t *at, size_t n, subscription *subs, bool *refused) {
    for (size_t i = 0; i < n; i++, at += TS_P1_SUBSCRIPTION_SIZE) {
        subscription *s = &subs[i];
        s->userdata = ts_p1_load64(at);
        s->type = at[8];
        if (s->type > TS_P1_EVENT_FD_WRITE) {
            ts_p1_end(c, TS_P1_INVAL);
            return false;
        }
        s->error = s->type == TS_P1_EVENT_CLOCK ? clock_of(ts_p1_wasi(c), at, &s->wait)
                                                : file_of(c, ts_p1_load32(at + 16), s->type == TS_P1_EVENT_FD_WRITE, s);
        *refused |= s->error != TS_P1_SUCCESS;
    }
    return true;
}
TS_P1_FN(poll_oneoff) {
    const size_t n = (size_t)a[2];
    size_t n_waits = 0, n_ready = 0;
    const uint8_t *in;
    uint8_t *out;
    bool refused = false;
    if (!ts_p1_aligned(c, a[0], 8) || !ts_p1_aligned(c, a[1], 8)) return c->status;
    if (n == 0 || n > MAX_SUBSCRIPTIONS) return ts_p1_end(c, TS_P1_INVAL); /* witx: "If nsubscriptions is 0" */
    if (!(in = ts_p1_bytes(c, a[0], (uint64_t)n * TS_P1_SUBSCRIPTION_SIZE)) ||
        !(out = ts_p1_bytes(c, a[1], (uint64_t)n * TS_P1_EVENT_SIZE)))
        return c->status;
    subscription *subs = ts_arena_array(c->host.arena, n, sizeof *subs);
    ts_wasi_pollable **waits = ts_arena_array(c->host.arena, n, sizeof(ts_wasi_pollable *));
    bool *ready = ts_arena_array(c->host.arena, n, sizeof *ready);
    if (!subs || !waits || !ready) return c->status = ts_fail_nomem(c->host.err);
    if (!read_all(c, in, n, subs, &refused)) return c->status;
    for (size_t i = 0; i < n; i++)
        if (!subs[i].error) waits[n_waits++] = &subs[i].wait;
    if (n_waits && !ts_p1_is_ok(c, ts_wasi_wait_any(&c->host, waits, n_waits, !refused, ready, &n_ready)))
        return c->status;
    uint32_t events = 0;
    for (size_t i = 0, k = 0; i < n; i++) {
        const bool happens = subs[i].error || ready[k];
        k += !subs[i].error;
        if (happens) put_event(out + (size_t)TS_P1_EVENT_SIZE * events++, &subs[i]);
    }
    return ts_p1_end_u32(c, 0, events);
}
