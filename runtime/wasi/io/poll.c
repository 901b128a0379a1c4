/* poll: wasi:io/poll: pollables and the one wait for any mix of them.
 * In: pollables. Out: which are ready. wit: wasi:io/poll */
#include "wasi/context.h"
#include "sys/clock.h"
#include <stdlib.h>
#include <string.h>

ts_status ts_wasi_pollable_new(ts_host_call *c, ts_wasi_obj *parent, bool is_timer, uint64_t deadline, ts_val *result) {
    ts_wasi_pollable *p;
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_POLLABLE, sizeof *p, parent, &p));
    p->is_timer = is_timer;
    p->deadline = deadline;
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(p)}};
    return TS_OK;
}

/* An output stream of a file is ready if check-write would grant a permit, that is, if nothing is pending. */
static bool stream_ready(ts_wasi_obj *o, ts_sys_wait *w) {
    const ts_wasi_stream *s = (const ts_wasi_stream *)o;
    if (s->file && o->kind == TS_WASI_OUT && !s->pending_len) return true;
    return s->ops->ready(s, w);
}
static bool stream_confirm(ts_wasi_obj *o) {
    ts_wasi_stream *s = (ts_wasi_stream *)o;
    return s->ops->confirm(s);
}
void ts_wasi_stream_pollable(ts_wasi_stream *s) {
    s->obj.ready = stream_ready;
    s->obj.confirm = stream_confirm;
}
/* Returns whether an object is ready that waits only for the driver, not for a file. */
static bool looks_ready(ts_wasi_obj *o) {
    ts_sys_wait w;
    return o->ready(o, &w);
}
static bool confirmed(ts_wasi_obj *o) {
    return !o->confirm || o->confirm(o);
}

/* Deadlock: only the guest itself could end such a wait, by sending the message whose body it writes or by
 * reading another body. */
static const char forever[] = "deadlock: the guest waits on a body that nothing will ever complete";

enum {
    FEW_WAITS = 64,
    WAKES = 2,              /* the wake files of the context and of the store */
    LOOK_AGAIN = 100000000, /* ns; how often to check the flags if the OS provides no wake file */
};
_Static_assert((int)WAKES <= (int)TS_WASI_WATCHED, "room for either kind");

static bool nothing(const ts_sys_wait *waits, size_t n, uint64_t deadline) {
    for (size_t i = 0; i < n; i++)
        if (waits[i].fd >= 0) return false;
    return n && deadline == TS_SYS_NO_DEADLINE;
}
static bool any_ready(const ts_sys_wait *waits, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (waits[i].ready) return true;
    return false;
}
static bool asked_to_stop(const ts_wasi *w) {
    return __atomic_load_n(&w->stop, __ATOMIC_SEQ_CST) != 0;
}
/* Marks the run to be stopped and returns EINTR; ts_wasi_interrupted then reports the stop. */
static ts_sys_err stop_now(ts_wasi *w) {
    __atomic_store_n(&w->stop, 1, __ATOMIC_SEQ_CST);
    return TS_SYS_EINTR;
}

/* Fills in the files by which other threads end the wait. */
static size_t wakes(ts_host_call *c, ts_sys_wait *files, uint64_t *deadline) {
    int fds[WAKES] = {ts_sys_wake_file(&ts_wasi_of(c)->wake), ts_host_wake_file(c)};
    for (int i = 0; i < WAKES; i++) {
        files[i] = (ts_sys_wait){.fd = fds[i]};
        uint64_t soon = fds[i] < 0 ? ts_sys_monotonic() + LOOK_AGAIN : TS_SYS_NO_DEADLINE;
        if (soon < *deadline) *deadline = soon;
    }
    return WAKES;
}
static ts_wasi_watched woken(ts_host_call *c, const ts_sys_wait *files) {
    ts_wasi *w = ts_wasi_of(c);
    if (files[0].ready) ts_sys_wake_clear(&w->wake);
    return asked_to_stop(w) || ts_host_interrupted(c, files[1].ready) ? TS_WASI_STOP
           : files[0].ready || files[1].ready                         ? TS_WASI_WAIT_ON
                                                                      : TS_WASI_GO;
}

/* Waits once in the OS; `all` has room for TS_WASI_WATCHED more files.
 * TS_SYS_EAGAIN: none of the awaited events has occurred; wait again. */
static ts_sys_err wait_once(ts_host_call *c, ts_sys_wait *all, size_t n, uint64_t deadline) {
    ts_wasi *w = ts_wasi_of(c);
    uint64_t until = w->until ? w->until : TS_SYS_NO_DEADLINE, end = until < deadline ? until : deadline, first = end;
    size_t more = w->watch.begin ? w->watch.begin(w->watch.data, all + n, &first) : wakes(c, all + n, &first);
    if (asked_to_stop(w) || ts_host_interrupted(c, false)) return TS_SYS_EINTR;
    ts_sys_err e = ts_sys_poll(all, n + more, first);
    ts_wasi_watched what = w->watch.begin ? w->watch.end(w->watch.data, all + n) : woken(c, all + n);
    if (what == TS_WASI_STOP) return w->watch.begin ? stop_now(w) : TS_SYS_EINTR;
    if (e) return e;
    if (any_ready(all, n)) return TS_SYS_OK;
    if (what == TS_WASI_GO && first == deadline) return TS_SYS_OK;
    uint64_t now = ts_sys_monotonic();
    if (now >= until) return stop_now(w);
    return now >= deadline ? TS_SYS_OK : TS_SYS_EAGAIN;
}
static ts_sys_err wait_os(ts_host_call *c, ts_sys_wait *all, size_t n, uint64_t deadline) {
    ts_wasi *w = ts_wasi_of(c);
    if (nothing(all, n, deadline)) return TS_SYS_EDEADLK;
    if (deadline == 0) return asked_to_stop(w) ? TS_SYS_EINTR : ts_sys_poll(all, n, 0);
    if (w->watch.begin) w->watch.waits(w->watch.data, true);
    ts_sys_err e;
    do e = wait_once(c, all, n, deadline);
    while (e == TS_SYS_EAGAIN);
    if (w->watch.begin) w->watch.waits(w->watch.data, false);
    return e;
}
/* Pending output is written during any wait of the guest, so a guest that writes and then waits for the
 * answer need not flush. Fills up to n waits of such streams or, with `drain`, writes to the streams whose
 * waits are ready. */
static size_t pending_waits(const ts_wasi *w, ts_sys_wait *waits, size_t n, bool drain) {
    size_t at = 0;
    for (ts_wasi_obj *o = w->objects; o && at < n; o = o->next) {
        ts_wasi_stream *s = (ts_wasi_stream *)o;
        if (o->kind != TS_WASI_OUT || !s->file || !s->pending_len) continue;
        if (!drain)
            waits[at] = (ts_sys_wait){.fd = s->file->fd, .out = true};
        else if (waits[at].ready)
            (void)ts_wasi_stream_drain(s);
        at++;
    }
    return at;
}
ts_sys_err ts_wasi_poll(ts_host_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline) {
    ts_wasi *w = ts_wasi_of(c);
    bool driver = w->driver.pump != NULL;
    ts_sys_wait few[FEW_WAITS], *all = few;
    size_t of_driver = driver ? w->driver.waits(w->driver.data, few, 0, &deadline) : 0, of_pending = w->n_pending,
           most = n + of_pending + of_driver + TS_WASI_WATCHED;
    if (most > FEW_WAITS && !(all = malloc(most * sizeof *all))) return TS_SYS_ENOMEM;
    if (n) memcpy(all, waits, n * sizeof *all);
    of_pending = of_pending ? pending_waits(w, all + n, of_pending, false) : 0;
    if (driver) of_driver = w->driver.waits(w->driver.data, all + n + of_pending, of_driver, &deadline);
    ts_sys_err e = wait_os(c, all, n + of_pending + of_driver, deadline);
    for (size_t i = 0; i < n; i++) waits[i].ready = all[i].ready;
    if (!e) pending_waits(w, all + n, of_pending, true);
    if (all != few) free(all);
    if (driver) w->driver.pump(w->driver.data);
    return e;
}

ts_status ts_wasi_wait_stream(ts_host_call *c, ts_wasi_stream *s) {
    for (;;) {
        ts_sys_wait w;
        if (s->ops->ready(s, &w)) return TS_OK;
        ts_sys_err e = ts_wasi_poll(c, &w, 1, TS_SYS_NO_DEADLINE);
        if (e == TS_SYS_EINTR)
            TS_TRY(ts_wasi_interrupted(c));
        else if (e == TS_SYS_ENOMEM)
            return ts_fail_nomem(c->err);
        else if (e == TS_SYS_EDEADLK && !stream_confirm(&s->obj))
            return ts_host_trap(c, "%s", forever);
        else if (e || (w.ready && stream_confirm(&s->obj)))
            return TS_OK; /* the next operation reports an error */
    }
}

ts_status ts_wasi_wait_any(ts_host_call *c, ts_wasi_pollable *const *p, size_t n, bool block, bool *ready,
                           size_t *n_ready) {
    ts_sys_wait few[8], *waits = few;
    uint32_t few_of[8], *of = few_of;
    *n_ready = 0;
    if (n > 8) {
        waits = ts_arena_array(c->arena, n, sizeof *waits);
        of = ts_arena_array(c->arena, n, sizeof *of);
        if (!waits || !of) return ts_fail_nomem(c->err);
    }
    for (;;) {
        uint64_t now = 0, deadline = TS_SYS_NO_DEADLINE;
        size_t n_waits = 0;
        for (size_t i = 0; i < n; i++) {
            ready[i] = false;
            if (p[i]->is_timer) {
                if (!now) /* time advances for a guest that polls in a loop */
                    now = block ? ts_wasi_now(ts_wasi_of(c)) : ts_wasi_read_clock(ts_wasi_of(c));
                if (p[i]->deadline <= now)
                    ready[i] = true;
                else if (p[i]->deadline < deadline)
                    deadline = p[i]->deadline;
            } else if (!p[i]->obj.parent || p[i]->obj.parent->ready(p[i]->obj.parent, &waits[n_waits])) {
                ready[i] = true;
            } else {
                of[n_waits++] = (uint32_t)i;
            }
            *n_ready += ready[i];
        }
        /* the guest's own clock does not run by itself: check once, then advance it to the deadline */
        bool own = ts_wasi_of(c)->grants->clock_own && deadline != TS_SYS_NO_DEADLINE;
        if (n_waits || (!*n_ready && block)) {
            ts_sys_err e = ts_wasi_poll(c, waits, n_waits, *n_ready || !block || own ? 0 : deadline);
            if (e == TS_SYS_EINTR)
                TS_TRY(ts_wasi_interrupted(c));
            else if (e == TS_SYS_EDEADLK) {
                for (size_t k = 0; k < n_waits; k++)
                    if (looks_ready(p[of[k]]->obj.parent)) {
                        ready[of[k]] = true;
                        ++*n_ready;
                    }
                if (!*n_ready) return ts_host_trap(c, "%s", forever);
            } else if (e)
                return e == TS_SYS_ENOMEM ? ts_fail_nomem(c->err)
                                          : ts_host_trap(c, "cannot wait: %s", ts_sys_err_text(e));
            for (size_t k = 0; e == TS_SYS_OK && k < n_waits; k++)
                if (waits[k].fd < 0 ? looks_ready(p[of[k]]->obj.parent)
                                    : waits[k].ready && confirmed(p[of[k]]->obj.parent)) {
                    ready[of[k]] = true;
                    ++*n_ready;
                }
        }
        if (*n_ready || !block) return TS_OK;
        if (own) {
            TS_TRY(ts_wasi_interrupted(c));
            ts_wasi_of(c)->clock_ns = deadline;
        }
    }
}

ts_status ts_wasi_io_poll_pollable_ready(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_pollable *p = ts_wasi_obj_of(c, &args[0]);
    bool ready;
    size_t n;
    TS_TRY(ts_wasi_wait_any(c, &p, 1, false, &ready, &n));
    *result = (ts_val){.b = ready};
    return TS_OK;
}

ts_status ts_wasi_io_poll_pollable_block(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)result;
    ts_wasi_pollable *p = ts_wasi_obj_of(c, &args[0]);
    bool ready;
    size_t n;
    return ts_wasi_wait_any(c, &p, 1, true, &ready, &n);
}

ts_status ts_wasi_io_poll_poll(ts_host_call *c, const ts_val *args, ts_val *result) {
    size_t n = args[0].list.len, n_ready, at = 0;
    if (n == 0) return ts_host_trap(c, "poll of an empty list");
    /* a list may name a pollable more than once; one that is longer than all that a guest may hold only costs */
    const uint64_t most = ts_wasi_of(c)->grants->max_objects;
    if (n > most)
        return ts_host_limit(c, TS_LIMIT_OBJECTS, "poll of %zu pollables: the guest may hold %llu host objects", n,
                             (unsigned long long)most);
    ts_wasi_pollable **p = ts_arena_array(c->arena, n, sizeof *p);
    bool *ready = ts_arena_array(c->arena, n, sizeof *ready);
    if (!p || !ready) return ts_fail_nomem(c->err);
    for (size_t i = 0; i < n; i++) p[i] = ts_wasi_obj_of(c, &args[0].list.ptr[i]);
    TS_TRY(ts_wasi_wait_any(c, p, n, true, ready, &n_ready));
    uint32_t *out = ts_arena_array(c->arena, n_ready, sizeof *out);
    if (!out) return ts_fail_nomem(c->err);
    for (size_t i = 0; i < n; i++)
        if (ready[i]) out[at++] = (uint32_t)i;
    *result = (ts_val){.raw = {out, n_ready}};
    return TS_OK;
}

ts_status ts_wasi_io_poll_pollable_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a pollable");
}
