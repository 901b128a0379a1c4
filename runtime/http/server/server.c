/* sys/http_server: see http_server.h. The connections, and the threads that take them.
 * All threads wait in one epoll, where each connection is armed for one event. `active` counts the threads that take part: those that
 * wait for events or run a handler, but not those whose handler waits; it is kept at `threads` by waking or making others, and brought
 * back to it by sending surplus ones to sleep. The calling thread is the monitor: every few milliseconds it looks for handlers that compute
 * while connections are ready (one more thread takes part then), for what is held back too long, and for deadlines. */
#define _GNU_SOURCE
#include "http/server/connection.h"
#ifndef TS_HTTP_SERVER
#include <stdio.h>
static const char absent[] =
    "this build has no HTTP server: llhttp was not there when it was made (node-llhttp or libllhttp-dev)";
ts_http_server *ts_http_server_new(const ts_http_server_config *config, const ts_http_handler *h, char err[200]) {
    (void)config;
    (void)h;
    snprintf(err, 200, "%s", absent);
    return NULL;
}
bool ts_http_server_can(void) {
    return false;
}
/* Never reached: there is no server to ask. */
void ts_http_server_address(const ts_http_server *s, ts_sys_addr *a) {
    (void)s;
    *a = (ts_sys_addr){0};
}
bool ts_http_server_run(ts_http_server *s, uint64_t grace_ns) {
    (void)s;
    (void)grace_ns;
    return true;
}
void ts_http_server_stop(ts_http_server *s) {
    (void)s;
}
void ts_http_server_free(ts_http_server *s) {
    (void)s;
}
const char *ts_http_call_method(const ts_http_call *c) {
    (void)c;
    return "";
}
const char *ts_http_call_target(const ts_http_call *c) {
    (void)c;
    return "";
}
const char *ts_http_call_shown_target(const ts_http_call *c) {
    (void)c;
    return "";
}
const char *ts_http_call_scheme(const ts_http_call *c) {
    (void)c;
    return "";
}
const char *ts_http_call_authority(const ts_http_call *c) {
    (void)c;
    return NULL;
}
const ts_http_fields *ts_http_call_headers(const ts_http_call *c) {
    (void)c;
    return NULL;
}
ts_http_pipe *ts_http_call_body(ts_http_call *c) {
    (void)c;
    return NULL;
}
bool ts_http_call_informational(ts_http_call *c, uint16_t status, const ts_http_fields *headers) {
    (void)c;
    (void)status;
    (void)headers;
    return false;
}
bool ts_http_call_respond(ts_http_call *c, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body) {
    (void)c;
    (void)status;
    (void)headers;
    (void)body;
    return false;
}
bool ts_http_call_responded(const ts_http_call *c) {
    (void)c;
    return false;
}
bool ts_http_call_cut(const ts_http_call *c) {
    (void)c;
    return true;
}
void ts_http_call_waits(ts_http_call *c, bool waits) {
    (void)c;
    (void)waits;
}
#else
#include "sys/clock.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define SECOND 1000000000ull
enum {
    CHUNK = 256, /* connections made at once */
    MAX_THREADS = 4096,
    ACCEPT_BATCH = 64,
    DIRECT_MAX = 8,       /* requests of one connection before others have their turn, */
    DIRECT_NS = 200000,   /* … or so much time */
    EXPECT_NS = 50000,    /* that the only clients are looked for before a thread sleeps */
    LINGER_MAX = 1 << 20, /* bytes thrown away of who goes on sending */
};
#define LINGER_NS (2 * SECOND)
/* What an event belongs to. */
#define TAG_LISTEN UINT64_MAX
#define TAG_QUIT (UINT64_MAX - 1)

struct ts_http_server {
    ts_http_server_config g; /* defaults filled in */
    ts_http_handler h;
    int listen_fd, epoll_fd, stop_fd, quit_fd;
    uint32_t stops, stopping, quit; /* atomic */
    uint32_t listen_paused;         /* atomic: the listener is not armed: too many connections or files */
    uint64_t served;                /* atomic */
    uint32_t active;                /* atomic: threads that take part */
    ts_lock lock;                   /* of what follows */
    pthread_cond_t wake;
    uint32_t n_parked, tickets;
    ts_http_worker **workers;
    uint32_t n_workers; /* atomic for readers without the lock: it only grows */
    uint32_t n_ended;
    pthread_cond_t ended;
    ts_http_conn **chunks;
    uint32_t n_conns, cap_conns, live_conns; /* made; room in chunks; in use (atomic) */
    uint32_t free_conn;                      /* index + 1 of the first; 0: none */
};

bool ts_http_server_can(void) {
    return true;
}
const ts_http_server_config *ts_http_server_config_of(const ts_http_server *s) {
    return &s->g;
}
const ts_http_handler *ts_http_server_handler(const ts_http_server *s) {
    return &s->h;
}
bool ts_http_server_stopping(const ts_http_server *s) {
    return __atomic_load_n(&s->stopping, __ATOMIC_RELAXED) != 0;
}

/* --- connections --------------------------------------------------------------------------------------------------------------------------- */
static ts_http_conn *conn_at(const ts_http_server *s, uint32_t i) {
    return &__atomic_load_n(&s->chunks[i / CHUNK], __ATOMIC_ACQUIRE)[i % CHUNK];
}
static uint64_t state_of(uint64_t generation, unsigned state) {
    return generation << 2 | state;
}

/* A free one, owned by the caller; NULL: there are as many as allowed, or no memory. */
static ts_http_conn *conn_new(ts_http_server *s, int fd) {
    ts_http_conn *c = NULL;
    ts_lock_take(&s->lock);
    if (!s->free_conn && s->n_conns < s->g.max_connections) {
        uint32_t at = s->n_conns / CHUNK;
        ts_http_conn *chunk = calloc(CHUNK, sizeof *chunk);
        if (chunk) {
            for (uint32_t i = CHUNK; i-- > 0;) {
                chunk[i].index = at * CHUNK + i;
                if (chunk[i].index >= s->g.max_connections) continue;
                chunk[i].next_free = s->free_conn;
                s->free_conn = chunk[i].index + 1;
            }
            __atomic_store_n(&s->chunks[at], chunk, __ATOMIC_RELEASE);
            __atomic_store_n(&s->n_conns, s->n_conns + CHUNK, __ATOMIC_RELEASE);
        }
    }
    if (s->free_conn) {
        c = conn_at(s, s->free_conn - 1);
        s->free_conn = c->next_free;
        __atomic_fetch_add(&s->live_conns, 1, __ATOMIC_RELAXED);
    }
    ts_lock_give(&s->lock);
    if (!c) return NULL;
    c->fd = fd;
    c->phase = TS_CONN_READ;
    c->keep = false;
    c->requests = c->head_since = 0;
    c->scan = (ts_wire_scan){0};
    c->out_at = c->out_len = 0;
    __atomic_store_n(&c->state, state_of(c->state >> 2, TS_CONN_OWNED), __ATOMIC_RELEASE);
    return c;
}

static void drop_buffers(ts_http_conn *c) {
    free(c->in);
    free(c->out);
    c->in = NULL;
    c->out = NULL;
    c->in_len = c->in_cap = c->out_at = c->out_len = 0;
    c->scan = (ts_wire_scan){0};
    c->head_since = 0;
}

static void listen_again(ts_http_server *s) {
    if (!__atomic_exchange_n(&s->listen_paused, 0, __ATOMIC_ACQ_REL)) return;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TAG_LISTEN};
    epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &ev);
}

/* By its owner. */
static void conn_close(ts_http_server *s, ts_http_conn *c) {
    drop_buffers(c);
    close(c->fd);
    c->fd = -1;
    uint64_t generation = (__atomic_load_n(&c->state, __ATOMIC_RELAXED) >> 2) + 1;
    __atomic_store_n(&c->state, state_of(generation, TS_CONN_FREE), __ATOMIC_RELEASE);
    ts_lock_take(&s->lock);
    c->next_free = s->free_conn;
    s->free_conn = c->index + 1;
    __atomic_fetch_sub(&s->live_conns, 1, __ATOMIC_RELAXED);
    ts_lock_give(&s->lock);
    if (__atomic_load_n(&s->listen_paused, __ATOMIC_RELAXED) && !ts_http_server_stopping(s)) listen_again(s);
}

/* By its owner, who has it no longer then. */
static void conn_arm(ts_http_server *s, ts_http_conn *c, bool out, uint64_t deadline, bool is_new) {
    uint64_t generation = __atomic_load_n(&c->state, __ATOMIC_RELAXED) >> 2;
    struct epoll_event ev = {.events = (out ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT,
                             .data.u64 = (generation << 24 | c->index) & (UINT64_MAX >> 1)};
    __atomic_store_n(&c->deadline, deadline, __ATOMIC_RELAXED);
    if (epoll_ctl(s->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev) < 0) {
        conn_close(s, c);
        return;
    }
    /* an event may already be with another thread: it waits for this */
    __atomic_store_n(&c->state, state_of(generation, TS_CONN_ARMED), __ATOMIC_RELEASE);
}

/* Make an armed one one's own; false: somebody else has it, or it is another one by now. wait: it may be on its way into arms. */
static bool conn_take(ts_http_conn *c, uint64_t generation, bool wait) {
    for (;;) {
        uint64_t now = state_of(generation, TS_CONN_ARMED);
        if (__atomic_compare_exchange_n(&c->state, &now, state_of(generation, TS_CONN_OWNED), false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
        if (!wait || now != state_of(generation, TS_CONN_OWNED)) return false;
        sched_yield();
    }
}

/* --- threads ------------------------------------------------------------------------------------------------------------------------------- */
static void *work(void *arg);

/* One more takes part: a sleeping one, or a new one. */
static bool add_worker(ts_http_server *s) {
    bool ok = false;
    ts_lock_take(&s->lock);
    if (s->n_parked > s->tickets) {
        s->tickets++;
        pthread_cond_signal(&s->wake);
        ok = true;
    } else if (s->n_workers < s->g.max_threads) {
        ts_http_worker *t = calloc(1, sizeof *t);
        pthread_t id;
        if (t && ts_lock_init(&t->lock)) {
            t->s = s;
            t->in_cap = 2 * (size_t)s->g.max_head_bytes + 65536;
            t->in = malloc(t->in_cap);
            ok = t->in && ts_http_call_init(&t->call, s, t) && pthread_create(&id, NULL, work, t) == 0;
            if (ok) {
                memcpy(&t->id, &id, sizeof id < sizeof t->id ? sizeof id : sizeof t->id);
                s->workers[s->n_workers] = t;
                __atomic_store_n(&s->n_workers, s->n_workers + 1, __ATOMIC_RELEASE);
            } else {
                ts_http_call_free(&t->call);
                free(t->in);
                ts_lock_destroy(&t->lock);
            }
        }
        if (!ok) free(t);
    }
    if (ok) __atomic_fetch_add(&s->active, 1, __ATOMIC_RELAXED);
    ts_lock_give(&s->lock);
    return ok;
}

void ts_http_worker_waits(ts_http_worker *t, bool waits) {
    ts_http_server *s = t->s;
    __atomic_store_n(&t->waiting, waits, __ATOMIC_RELAXED);
    if (!waits)
        __atomic_fetch_add(&s->active, 1, __ATOMIC_RELAXED);
    else if (__atomic_sub_fetch(&s->active, 1, __ATOMIC_RELAXED) < s->g.threads)
        (void)add_worker(s); /* false: there are as many as allowed: connections queue */
}

/* More take part than should: sleep until one is needed. */
static void park(ts_http_server *s) {
    uint32_t n = __atomic_load_n(&s->active, __ATOMIC_RELAXED);
    if (n <= s->g.threads) return;
    if (!__atomic_compare_exchange_n(&s->active, &n, n - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
    ts_lock_take(&s->lock);
    s->n_parked++;
    while (!s->tickets && !__atomic_load_n(&s->quit, __ATOMIC_RELAXED)) pthread_cond_wait(&s->wake, &s->lock.m);
    if (s->tickets) s->tickets--;
    s->n_parked--;
    ts_lock_give(&s->lock);
}

/* --- what a thread does with a connection ----------------------------------------------------------------------------------------------------- */
static void accept_some(ts_http_server *s) {
    uint64_t now = ts_sys_monotonic();
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (__atomic_load_n(&s->live_conns, __ATOMIC_RELAXED) >= s->g.max_connections) goto pause;
        int fd = ts_sys_above_std(accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)), on = 1;
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) goto pause;
        if (fd < 0 && (errno == EINVAL || errno == EBADF)) return; /* the server stops */
        if (fd < 0) continue;                                      /* of that one connection */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ts_http_conn *c = conn_new(s, fd);
        if (!c) {
            close(fd);
            goto pause;
        }
        conn_arm(s, c, false, now + s->g.idle_timeout_ns, true);
    }
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TAG_LISTEN};
    epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &ev);
    return;
pause: /* until a connection ends, or the monitor tries again */
    __atomic_store_n(&s->listen_paused, 1, __ATOMIC_RELEASE);
}

/* It has said its last. The other side may not have read it yet, and may still send: closed now, a reset would overtake what was said. */
static void linger(ts_http_server *s, ts_http_conn *c) {
    drop_buffers(c);
    c->phase = TS_CONN_LINGER;
    c->requests = 0; /* from here on: bytes thrown away */
    if (shutdown(c->fd, SHUT_WR) < 0)
        conn_close(s, c);
    else
        conn_arm(s, c, false, ts_sys_monotonic() + LINGER_NS, false);
}
static void go_on_lingering(ts_http_server *s, ts_http_conn *c, char *buf, size_t cap) {
    for (;;) {
        ssize_t n = recv(c->fd, buf, cap, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n > 0) c->requests += (uint64_t)n;
        if (n <= 0 || c->requests > LINGER_MAX) {
            conn_close(s, c);
            return;
        }
    }
    conn_arm(s, c, false, c->deadline, false); /* the deadline stays */
}

/* The rest of a response. True: it is sent, and the next request may come. */
static bool drain(ts_http_server *s, ts_http_conn *c) {
    while (c->out_at < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            c->phase = TS_CONN_DRAIN;
            conn_arm(s, c, true, ts_sys_monotonic() + s->g.stall_timeout_ns, false);
            return false;
        }
        if (n < 0) {
            conn_close(s, c);
            return false;
        }
        c->out_at += (size_t)n;
    }
    free(c->out);
    c->out = NULL;
    c->out_at = c->out_len = 0;
    c->phase = TS_CONN_READ;
    if (c->keep) return true;
    linger(s, c);
    return false;
}

static void count_served(ts_http_server *s) {
    uint64_t n = __atomic_add_fetch(&s->served, 1, __ATOMIC_RELAXED);
    if (s->g.stop_after && n == s->g.stop_after) ts_http_server_stop(s);
}

/* Keep what has come of the next requests with the connection, and give it up until more comes, or, `at_once`, until others had their
 * turn: it is ready again as soon as it can be written to. */
static void keep(ts_http_worker *t, ts_http_conn *c, bool at_once) {
    uint64_t now = ts_sys_monotonic();
    if (t->in_len) {
        c->in = malloc(t->in_len);
        if (!c->in) {
            conn_close(t->s, c);
            return;
        }
        memcpy(c->in, t->in, t->in_len);
        c->in_len = c->in_cap = t->in_len;
        c->head_since = now;
    }
    conn_arm(t->s, c, at_once, now + (t->in_len ? t->s->g.head_timeout_ns : t->s->g.idle_timeout_ns), false);
}

/* More of a head that comes in pieces: read to where the rest of it is. True: it is whole, and in t->in. */
static bool more_of_head(ts_http_worker *t, ts_http_conn *c, bool *refused) {
    ts_http_server *s = t->s;
    for (;;) {
        long head = ts_wire_scan_head(&c->scan, c->in, c->in_len);
        if (head != 0 || c->in_len >= s->g.max_head_bytes) {
            *refused = head == 0; /* too long */
            if (c->in_len > t->in_cap) c->in_len = t->in_cap;
            memcpy(t->in, c->in, c->in_len);
            t->in_len = c->in_len;
            free(c->in);
            c->in = NULL;
            c->in_len = c->in_cap = 0;
            return true;
        }
        if (c->in_len == c->in_cap) {
            size_t cap = c->in_cap < 1024 ? 2048 : c->in_cap * 2;
            if (cap > s->g.max_head_bytes + 1024u) cap = s->g.max_head_bytes + 1024u;
            char *in = realloc(c->in, cap);
            if (!in) break;
            c->in = in;
            c->in_cap = cap;
        }
        ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            conn_arm(s, c, false, c->head_since + s->g.head_timeout_ns, false);
            return false;
        }
        if (n <= 0) break;
        c->in_len += (size_t)n;
    }
    conn_close(s, c);
    return false;
}

/* After a call: true: the connection is still ours, and stands at the next request. */
static bool go_on(ts_http_worker *t, ts_http_conn *c, ts_call_end end) {
    ts_http_server *s = t->s;
    switch (end) {
    case TS_CALL_NEXT: return true;
    case TS_CALL_DRAIN:
        if (!c->keep || !t->in_len) { /* what stands behind the request, if anything may: the next one's beginning */
        } else if ((c->in = malloc(t->in_len))) {
            memcpy(c->in, t->in, t->in_len);
            c->in_len = c->in_cap = t->in_len;
        } else {
            c->keep = false;
        }
        if (!drain(s, c)) return false;
        if (c->in) { /* it is in t->in still */
            free(c->in);
            c->in = NULL;
            c->in_len = c->in_cap = 0;
        }
        return true;
    case TS_CALL_LINGER: linger(s, c); return false;
    case TS_CALL_CLOSE: break;
    }
    conn_close(s, c);
    return false;
}

static void serve(ts_http_worker *t, ts_http_conn *c) {
    ts_http_server *s = t->s;
    bool refused = false, fresh = true;
    int served_here = 0;
    uint64_t since = ts_sys_monotonic(), answered = 0;
    t->in_len = 0;
    if (c->phase == TS_CONN_LINGER) {
        go_on_lingering(s, c, t->in, t->in_cap);
        return;
    }
    if (c->phase == TS_CONN_DRAIN && !drain(s, c)) return;
    if (c->in) {
        if (!c->head_since) c->head_since = ts_sys_monotonic();
        if (!more_of_head(t, c, &refused)) return;
        fresh = false;
    }
    for (;;) {
        if (fresh) {
            ssize_t n = recv(c->fd, t->in + t->in_len, t->in_cap - t->in_len, MSG_DONTWAIT);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                /* a client that talks alone answers in less time than it takes to sleep and be woken */
                if (served_here && __atomic_load_n(&s->live_conns, __ATOMIC_RELAXED) <= s->g.threads &&
                    ts_sys_monotonic() - answered < EXPECT_NS)
                    continue;
                keep(t, c, false);
                return;
            }
            if (n <= 0) {
                conn_close(s, c);
                return;
            }
            t->in_len += (size_t)n;
        }
        ts_wire_scan scan = {0};
        long head = ts_wire_scan_head(&scan, t->in, t->in_len);
        c->scan = scan;
        ts_call_end end;
        if (refused || (head == 0 && t->in_len >= s->g.max_head_bytes) || head > (long)s->g.max_head_bytes) {
            end = ts_http_call_refuse(&t->call, c, !scan.began || scan.line > s->g.max_head_bytes ? 414 : 431);
        } else if (head < 0) {
            end = ts_http_call_refuse(&t->call, c, 400);
        } else if (head == 0) {
            if (fresh) {
                keep(t, c, false);
                return;
            }
            fresh = true;
            continue;
        } else {
            c->scan = (ts_wire_scan){0};
            c->head_since = 0;
            end = ts_http_call_serve(&t->call, c, (size_t)head);
        }
        count_served(s);
        if (!go_on(t, c, end)) return;
        c->scan = (ts_wire_scan){0};
        if (!t->in_len) {
            if (ts_http_server_stopping(s)) {
                linger(s, c);
                return;
            }
        }
        if (++served_here >= DIRECT_MAX || ts_sys_monotonic() - since > DIRECT_NS) {
            keep(t, c, t->in_len != 0); /* others have their turn, first come, first served */
            return;
        }
        refused = false;
        answered = ts_sys_monotonic();
        fresh = !t->in_len; /* a quick client has sent the next one by now: that is cheaper to ask than to wait for */
    }
}

static void *work(void *arg) {
    ts_http_worker *t = arg;
    ts_http_server *s = t->s;
    if (s->h.thread_new) t->data = s->h.thread_new(s->h.data);
    while (!__atomic_load_n(&s->quit, __ATOMIC_RELAXED)) {
        struct epoll_event ev;
        park(s);
        int n = epoll_wait(s->epoll_fd, &ev, 1, -1);
        if (n <= 0 || ev.data.u64 == TAG_QUIT) continue;
        __atomic_store_n(&t->busy, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&t->seq, 1, __ATOMIC_RELAXED);
        if (ev.data.u64 == TAG_LISTEN) {
            accept_some(s);
        } else {
            ts_http_conn *c = conn_at(s, (uint32_t)(ev.data.u64 & 0xffffff));
            if (conn_take(c, ev.data.u64 >> 24, true)) serve(t, c);
        }
        __atomic_store_n(&t->busy, 0, __ATOMIC_RELAXED);
    }
    if (s->h.thread_free) s->h.thread_free(s->h.data, t->data);
    ts_lock_take(&s->lock);
    t->ended = true;
    s->n_ended++;
    pthread_cond_signal(&s->ended);
    ts_lock_give(&s->lock);
    return NULL;
}

/* --- the monitor ------------------------------------------------------------------------------------------------------------------------------ */
/* Connections whose time is up. */
static void sweep(ts_http_server *s, uint64_t now, bool idle_too) {
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    uint32_t n = __atomic_load_n(&s->n_conns, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) {
        ts_http_conn *c = conn_at(s, i);
        uint64_t state = __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
        if ((state & 3) != TS_CONN_ARMED) continue;
        bool over = __atomic_load_n(&c->deadline, __ATOMIC_RELAXED) <= now;
        if ((!over && !idle_too) || !conn_take(c, state >> 2, false)) continue;
        char byte;
        if (!over && (c->phase != TS_CONN_READ || c->in || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)) {
            /* busy after all: as it was; an event that came meanwhile is with a thread that waits for this */
            __atomic_store_n(&c->state, state, __ATOMIC_RELEASE);
            continue;
        }
        if (over && c->phase == TS_CONN_READ && c->in) {
            ssize_t sent = send(c->fd, late, sizeof late - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) {
                linger(s, c);
                continue;
            }
        }
        conn_close(s, c);
    }
}

/* Does every thread that takes part compute, since the last look at least, while something is ready? */
static bool all_stuck(ts_http_server *s) {
    uint32_t n = __atomic_load_n(&s->n_workers, __ATOMIC_ACQUIRE), stuck = 0;
    for (uint32_t i = 0; i < n; i++) {
        ts_http_worker *t = s->workers[i];
        uint64_t seq = __atomic_load_n(&t->seq, __ATOMIC_RELAXED);
        bool busy = __atomic_load_n(&t->busy, __ATOMIC_RELAXED) && !__atomic_load_n(&t->waiting, __ATOMIC_RELAXED);
        stuck += busy && seq == t->stuck_seq;
        t->stuck_seq = seq;
    }
    if (stuck < __atomic_load_n(&s->active, __ATOMIC_RELAXED)) return false;
    struct pollfd p = {.fd = s->epoll_fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0; /* nobody has taken it */
}

static void look(ts_http_server *s, uint64_t now, bool cut) {
    uint32_t n = __atomic_load_n(&s->n_workers, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) {
        ts_http_worker *t = s->workers[i];
        if (!__atomic_load_n(&t->busy, __ATOMIC_RELAXED)) continue;
        ts_lock_take(&t->lock);
        ts_http_call_look(&t->call, now);
        if (t->call.live) {
            /* it may have begun after `now` */
            bool late = s->g.call_timeout_ns && now > t->call.began && now - t->call.began > s->g.call_timeout_ns;
            if (cut) ts_http_call_cut_off(&t->call);
            if ((cut || late) && s->h.interrupt) s->h.interrupt(s->h.data, t->data);
        }
        ts_lock_give(&t->lock);
    }
}

static bool end_threads(ts_http_server *s) {
    __atomic_store_n(&s->quit, 1, __ATOMIC_RELEASE);
    uint64_t one = 1;
    ssize_t w = write(s->quit_fd, &one, sizeof one);
    (void)w;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    ts_lock_take(&s->lock);
    pthread_cond_broadcast(&s->wake);
    while (s->n_ended < s->n_workers)
        if (pthread_cond_timedwait(&s->ended, &s->lock.m, &until) == ETIMEDOUT) break;
    bool all = s->n_ended == s->n_workers;
    ts_lock_give(&s->lock);
    for (uint32_t i = 0; all && i < s->n_workers; i++) {
        pthread_t id;
        memcpy(&id, &s->workers[i]->id, sizeof id);
        pthread_join(id, NULL);
        s->workers[i]->id = NULL;
    }
    return all;
}

bool ts_http_server_run(ts_http_server *s, uint64_t grace_ns) {
    uint64_t swept = 0, stop_at = 0, cut_at = 0;
    bool again = false;
    for (;;) {
        struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};
        uint64_t count;
        bool busy = false;
        for (uint32_t i = 0, n = __atomic_load_n(&s->n_workers, __ATOMIC_ACQUIRE); i < n; i++)
            busy |= __atomic_load_n(&s->workers[i]->busy, __ATOMIC_RELAXED) != 0;
        poll(&p, 1, busy || stop_at ? 5 : 20);
        while (read(s->stop_fd, &count, sizeof count) > 0) {
        }
        uint64_t now = ts_sys_monotonic();
        uint32_t stops = __atomic_load_n(&s->stops, __ATOMIC_ACQUIRE);
        if (stops && !stop_at) {
            stop_at = now;
            __atomic_store_n(&s->stopping, 1, __ATOMIC_RELEASE);
            accept_some(s); /* who was let in by the system already is served still */
            epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listen_fd, NULL);
            shutdown(s->listen_fd, SHUT_RDWR);
        }
        bool cut = stop_at && (stops > 1 || now - stop_at > grace_ns);
        if (cut && !cut_at) cut_at = now;
        look(s, now, cut);
        if (now - swept > 10 * MS) {
            sweep(s, now, stop_at != 0);
            swept = now;
            again = !again;
            if (again && !stop_at) listen_again(s);
        }
        if (all_stuck(s)) (void)add_worker(s);
        if (stop_at && !__atomic_load_n(&s->live_conns, __ATOMIC_RELAXED)) break;
        if (cut_at && now - cut_at > SECOND) break;
    }
    return end_threads(s);
}

void ts_http_server_stop(ts_http_server *s) { /* only what a signal handler may do */
    uint64_t one = 1;
    int was = errno;
    __atomic_fetch_add(&s->stops, 1, __ATOMIC_RELEASE);
    ssize_t n = write(s->stop_fd, &one, sizeof one);
    (void)n;
    errno = was;
}

/* --- making and freeing ------------------------------------------------------------------------------------------------------------------------- */
/* Each connection is a file: as many as the system lets us have. */
static void raise_files(uint32_t connections) {
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0) return;
    rlim_t want = (rlim_t)connections + 4096;
    if (l.rlim_cur >= want) return;
    l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > want ? want : l.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
}

static uint64_t or_default(uint64_t v, uint64_t d) {
    return v ? v : d;
}

ts_http_server *ts_http_server_new(const ts_http_server_config *config, const ts_http_handler *h, char err[200]) {
    _Static_assert(sizeof(pthread_t) <= sizeof(void *), "a thread's name is kept in a pointer");
    ts_http_server *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(err, 200, "no memory");
        return NULL;
    }
    s->listen_fd = s->epoll_fd = s->stop_fd = s->quit_fd = -1;
    s->g = *config;
    s->h = *h;
    s->g.threads = (uint32_t)or_default(s->g.threads, ts_cpu_count());
    s->g.max_threads = (uint32_t)or_default(s->g.max_threads, 512);
    if (s->g.max_threads > MAX_THREADS) s->g.max_threads = MAX_THREADS;
    if (s->g.threads > s->g.max_threads) s->g.threads = s->g.max_threads;
    s->g.max_connections = (uint32_t)or_default(s->g.max_connections, 10000);
    if (s->g.max_connections > 0xffffff) s->g.max_connections = 0xffffff;
    s->g.max_head_bytes = (uint32_t)or_default(s->g.max_head_bytes, 65536);
    if (s->g.max_head_bytes < 1024) s->g.max_head_bytes = 1024;
    if (s->g.max_head_bytes > 64u << 20) s->g.max_head_bytes = 64u << 20;
    s->g.head_timeout_ns = or_default(s->g.head_timeout_ns, 10 * SECOND);
    s->g.idle_timeout_ns = or_default(s->g.idle_timeout_ns, 60 * SECOND);
    s->g.stall_timeout_ns = or_default(s->g.stall_timeout_ns, 30 * SECOND);
    raise_files(s->g.max_connections);
    s->chunks = calloc(s->g.max_connections / CHUNK + 1, sizeof *s->chunks);
    s->workers = calloc(s->g.max_threads, sizeof *s->workers);
    bool locks = ts_lock_init(&s->lock);
    pthread_cond_init(&s->wake, NULL);
    pthread_cond_init(&s->ended, NULL);
    s->epoll_fd = ts_sys_above_std(epoll_create1(EPOLL_CLOEXEC));
    s->stop_fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    s->quit_fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!s->chunks || !s->workers || !locks || s->epoll_fd < 0 || s->stop_fd < 0 || s->quit_fd < 0) {
        snprintf(err, 200, "no memory, or no file descriptor is left");
        goto failed;
    }
    ts_sys_err e = ts_sys_socket(s->g.addr.v6, false, &s->listen_fd);
    if (!e) e = ts_sys_bind(s->listen_fd, &s->g.addr, true);
    if (!e) e = ts_sys_listen(s->listen_fd, 4096);
    if (e) {
        snprintf(err, 200, "%s", ts_sys_err_text(e));
        goto failed;
    }
    struct epoll_event listen_ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TAG_LISTEN},
                       quit_ev = {.events = EPOLLIN, .data.u64 = TAG_QUIT};
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->quit_fd, &quit_ev) < 0 ||
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &listen_ev) < 0) {
        snprintf(err, 200, "epoll: %s", strerror(errno));
        goto failed;
    }
    uint32_t made = 0;
    while (made < s->g.threads && add_worker(s)) made++;
    if (made) return s;
    snprintf(err, 200, "no thread can be started");
failed:
    ts_http_server_free(s);
    return NULL;
}

void ts_http_server_address(const ts_http_server *s, ts_sys_addr *a) {
    if (ts_sys_local(s->listen_fd, a)) *a = s->g.addr;
}

void ts_http_server_free(ts_http_server *s) {
    if (!s) return;
    if (s->n_workers && s->workers[0]->id && !end_threads(s)) return; /* they run: what they use stays */
    for (uint32_t i = 0; i < s->n_conns; i++)
        if ((conn_at(s, i)->state & 3) != TS_CONN_FREE) conn_close(s, conn_at(s, i));
    for (uint32_t i = 0; s->chunks && i < s->n_conns / CHUNK; i++) free(s->chunks[i]);
    for (uint32_t i = 0; i < s->n_workers; i++) {
        ts_http_call_free(&s->workers[i]->call);
        ts_lock_destroy(&s->workers[i]->lock);
        free(s->workers[i]->in);
        free(s->workers[i]);
    }
    int fds[] = {s->listen_fd, s->epoll_fd, s->stop_fd, s->quit_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0) close(fds[i]);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->ended);
    ts_lock_destroy(&s->lock);
    free(s->chunks);
    free(s->workers);
    free(s);
}
#endif
