/* connection: accepting, arming and serving connections, reading heads, draining responses,
 * lingering, and deadlines. See connection.h.
 * In: events. Out: requests for ts_http_call_serve, and responses that refuse. Source: RFC 9112, 2
 * and 9; epoll(7), accept(2) */
#define _GNU_SOURCE
#include "http/server/connection.h"
#ifdef TS_HTTP_SERVER
#include "sys/clock.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#define SECOND 1000000000ull
enum {
    ACCEPT_BATCH = 64,
    DIRECT_MAX = 8,     /* requests that are served on one connection before others have their turn, */
    DIRECT_NS = 200000, /* or the time after which they have it */
    /* how long a thread polls for the next request of the only clients before it sleeps */
    EXPECT_NS = 50000,
    LINGER_MAX = 1 << 20, /* bytes to discard from a client that keeps sending after we closed our side */
    SWEEP_PART = 32,      /* one sweep looks at this part of the connections */
    SWEEP_LEAST = 1024,   /* but at least at this many */
};
#define LINGER_NS (2 * SECOND)
#define LINGER_AT_STOP_NS 200000000ull

/* --- connections ------------------------------------------------------------------------------- */
ts_http_conn *ts_http_conn_at(const ts_http_server *s, uint32_t i) {
    return &__atomic_load_n(&s->chunks[i / TS_CONN_CHUNK], __ATOMIC_ACQUIRE)[i % TS_CONN_CHUNK];
}
static uint64_t state_of(uint64_t generation, unsigned state) {
    return generation << 2 | state;
}

/* Returns a free connection, which the caller owns, or NULL if the limit is reached or there is no
 * memory. */
static ts_http_conn *conn_new(ts_http_server *s, int fd, const ts_sys_addr *from) {
    ts_http_conn *c = NULL;
    ts_lock_take(&s->lock);
    if (!s->free_conn && s->n_conns < s->config.max_connections) {
        uint32_t at = s->n_conns / TS_CONN_CHUNK;
        ts_http_conn *chunk = calloc(TS_CONN_CHUNK, sizeof *chunk);
        if (chunk) {
            for (uint32_t i = TS_CONN_CHUNK; i-- > 0;) {
                chunk[i].index = at * TS_CONN_CHUNK + i;
                if (chunk[i].index >= s->config.max_connections) continue;
                chunk[i].next_free = s->free_conn;
                s->free_conn = chunk[i].index + 1;
            }
            __atomic_store_n(&s->chunks[at], chunk, __ATOMIC_RELEASE);
            __atomic_store_n(&s->n_conns, s->n_conns + TS_CONN_CHUNK, __ATOMIC_RELEASE);
        }
    }
    if (s->free_conn) {
        c = ts_http_conn_at(s, s->free_conn - 1);
        s->free_conn = c->next_free;
        __atomic_fetch_add(&s->live_conns, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&c->address, ts_http_address_enter(s, from), __ATOMIC_RELAXED);
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

/* Arms the listener. If the system refuses, the monitor tries again. */
static void listen_arm(ts_http_server *s) {
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TS_TAG_LISTEN};
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &ev) < 0)
        __atomic_store_n(&s->listen_paused, 1, __ATOMIC_RELEASE);
}
void ts_http_accept_resume(ts_http_server *s) {
    if (!__atomic_exchange_n(&s->listen_paused, 0, __ATOMIC_ACQ_REL)) return;
    if (!ts_http_server_stopping(s)) listen_arm(s);
}

/* Called by its owner. */
void ts_http_conn_close(ts_http_server *s, ts_http_conn *c) {
    drop_buffers(c);
    close(c->fd);
    c->fd = -1;
    uint64_t generation = (__atomic_load_n(&c->state, __ATOMIC_RELAXED) >> 2) + 1;
    __atomic_store_n(&c->state, state_of(generation, TS_CONN_FREE), __ATOMIC_RELEASE);
    ts_lock_take(&s->lock);
    ts_http_address_leave(s, c->address);
    c->next_free = s->free_conn;
    s->free_conn = c->index + 1;
    __atomic_fetch_sub(&s->live_conns, 1, __ATOMIC_RELAXED);
    ts_lock_give(&s->lock);
    if (__atomic_load_n(&s->listen_paused, __ATOMIC_RELAXED)) ts_http_accept_resume(s);
}

typedef enum arming {
    ARM_NEW, /* wait for the first request */
    /* wait for a request, the rest of a head, or the end; the connection can be closed if connections
     * are scarce */
    ARM_IDLE,
    ARM_OUT,     /* wait until bytes can be written */
    ARM_AT_ONCE, /* there is work to do, but others have their turn first */
} arming;
/* Arms the connection for an event. Called by its owner, which does not own it afterwards. */
static void conn_arm(ts_http_server *s, ts_http_conn *c, arming how, uint64_t deadline) {
    uint64_t generation = __atomic_load_n(&c->state, __ATOMIC_RELAXED) >> 2;
    struct epoll_event ev = {.events = (how == ARM_OUT || how == ARM_AT_ONCE ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT,
                             .data.u64 = (generation << 24 | c->index) & (UINT64_MAX >> 1)};
    __atomic_store_n(&c->deadline, deadline, __ATOMIC_RELAXED);
    bool idle = how == ARM_NEW || how == ARM_IDLE;
    __atomic_store_n(&c->idle_at, idle ? c->idle_since : 0, __ATOMIC_RELAXED);
    if (epoll_ctl(s->epoll_fd, how == ARM_NEW ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev) < 0) {
        ts_http_conn_close(s, c);
        return;
    }
    /* another thread may already have an event and wait for this store */
    __atomic_store_n(&c->state, state_of(generation, TS_CONN_ARMED), __ATOMIC_RELEASE);
}

/* Tries to take ownership of an armed connection. Returns false if another thread owns it or the slot
 * has been reused. With `wait`, waits for an owner that is about to arm it. */
bool ts_http_conn_take(ts_http_conn *c, uint64_t generation, bool wait) {
    for (;;) {
        uint64_t now = state_of(generation, TS_CONN_ARMED);
        if (__atomic_compare_exchange_n(&c->state, &now, state_of(generation, TS_CONN_OWNED), false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
        if (!wait || now != state_of(generation, TS_CONN_OWNED)) return false;
        sched_yield();
    }
}

/* --- accepting --- */
static const char unavailable_response[] =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

static int accept_one(ts_http_server *s, ts_sys_addr *from) {
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int fd = ts_sys_above_std(accept4(s->listen_fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd < 0) return fd;
    *from = (ts_sys_addr){0};
    if (a.ss_family == AF_INET6) {
        from->v6 = true;
        memcpy(from->ip, &((struct sockaddr_in6 *)(void *)&a)->sin6_addr, 16);
    } else if (a.ss_family == AF_INET) {
        memcpy(from->ip, &((struct sockaddr_in *)(void *)&a)->sin_addr, 4);
    }
    return fd;
}
/* Reads what the client has sent, so that no reset overtakes the response. */
static void send_unavailable(int fd) {
    char some[4096];
    while (recv(fd, some, sizeof some, MSG_DONTWAIT) > 0) {
    }
    ssize_t n = send(fd, unavailable_response, sizeof unavailable_response - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)n;
    shutdown(fd, SHUT_WR);
    while (recv(fd, some, sizeof some, MSG_DONTWAIT) > 0) {
    }
}
static void refuse_connection(int fd) {
    send_unavailable(fd);
    close(fd);
}

static bool no_files(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void ts_http_accept(ts_http_server *s) {
    uint64_t now = ts_sys_monotonic();
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        ts_sys_addr from;
        if (__atomic_load_n(&s->live_conns, __ATOMIC_RELAXED) >= s->config.max_connections) {
            if (!ts_sys_ready(s->listen_fd, false)) break; /* no connection waits to be accepted */
            if (!ts_http_close_idle(s, TS_ANY_ADDRESS)) goto pause;
        }
        int fd = accept_one(s, &from);
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (fd < 0 && no_files(errno)) {
            if (ts_http_close_idle(s, TS_ANY_ADDRESS)) continue;
            goto pause;
        }
        if (fd < 0 && (errno == EINVAL || errno == EBADF)) return; /* the server is stopping */
        /* the error concerns this connection only */
        if (fd < 0) continue;
        ts_http_conn *c = conn_new(s, fd, &from);
        if (!c) {
            refuse_connection(fd);
            goto pause;
        }
        if (ts_http_over_share(s, c->address) && !ts_http_close_idle(s, c->address)) {
            send_unavailable(fd);
            ts_http_conn_close(s, c);
            continue;
        }
        c->idle_since = now;
        conn_arm(s, c, ARM_NEW, now + s->config.idle_timeout_ns);
    }
    __atomic_store_n(&s->paused_since, 0, __ATOMIC_RELAXED);
    listen_arm(s);
    return;
pause: /* accept again when a connection ends, or when the monitor retries */
    if (!__atomic_load_n(&s->paused_since, __ATOMIC_RELAXED)) __atomic_store_n(&s->paused_since, now, __ATOMIC_RELAXED);
    __atomic_store_n(&s->listen_paused, 1, __ATOMIC_RELEASE);
}
void ts_http_accept_refuse(ts_http_server *s) {
    ts_sys_addr from;
    for (int i = 0, fd; i < ACCEPT_BATCH && (fd = accept_one(s, &from)) >= 0; i++) refuse_connection(fd);
}

/* --- what a thread does with a connection ------------------------------------------------------ */
/* Called after our last byte. The client may not have read it yet and may still send: closing now
 * could send a reset that overtakes it. */
static void linger(ts_http_server *s, ts_http_conn *c) {
    drop_buffers(c);
    c->phase = TS_CONN_LINGER;
    c->requests = 0; /* from here on the number of discarded bytes */
    if (shutdown(c->fd, SHUT_WR) < 0) {
        ts_http_conn_close(s, c);
        return;
    }
    c->idle_since = ts_sys_monotonic();
    conn_arm(s, c, ARM_IDLE, c->idle_since + LINGER_NS);
}
static void continue_linger(ts_http_server *s, ts_http_conn *c, char *buf, size_t cap) {
    for (;;) {
        ssize_t n = recv(c->fd, buf, cap, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n > 0) c->requests += (uint64_t)n;
        if (n <= 0 || c->requests > LINGER_MAX) {
            ts_http_conn_close(s, c);
            return;
        }
    }
    conn_arm(s, c, ARM_IDLE, c->deadline); /* with the same deadline */
}

/* Sends the rest of a response. Returns true if it has been sent and the next request may follow. */
static bool drain(ts_http_server *s, ts_http_conn *c) {
    while (c->out_at < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            uint64_t until = ts_sys_monotonic() + s->config.stall_timeout_ns;
            c->phase = TS_CONN_DRAIN;
            conn_arm(s, c, ARM_OUT, until < c->out_until ? until : c->out_until);
            return false;
        }
        if (n < 0) {
            ts_http_conn_close(s, c);
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
    if (s->config.stop_after && n == s->config.stop_after) ts_http_server_stop(s);
}

/* Keeps what has arrived of the next requests with the connection and gives the connection up until
 * more arrives. With `at_once` it is only until others have had their turn: the connection is ready
 * again as soon as it can be written to. */
static void wait_for_more(ts_http_worker *t, ts_http_conn *c, bool at_once) {
    uint64_t now = ts_sys_monotonic();
    if (t->in_len) {
        c->in = malloc(t->in_len);
        if (!c->in) {
            ts_http_conn_close(t->s, c);
            return;
        }
        memcpy(c->in, t->in, t->in_len);
        c->in_len = c->in_cap = t->in_len;
        c->head_since = now;
    }
    /* requests that are not complete by now are not waited for */
    if (!at_once && ts_http_server_stopping(t->s)) {
        ts_http_conn_close(t->s, c);
        return;
    }
    c->idle_since = now;
    conn_arm(t->s, c, at_once ? ARM_AT_ONCE : ARM_IDLE,
             now + (t->in_len ? t->s->config.head_timeout_ns : t->s->config.idle_timeout_ns));
}

/* Makes room in the thread's buffer for len bytes and half as many more. */
static bool room_for(ts_http_worker *t, size_t len) {
    size_t cap = t->in_cap;
    while (cap < len + len / 2 && cap < t->s->in_most) cap *= 2;
    if (cap > t->s->in_most) cap = t->s->in_most;
    if (cap > t->in_cap) {
        char *in = realloc(t->in, cap);
        if (!in) return false;
        t->in = in;
        t->in_cap = cap;
    }
    return t->in_cap > len;
}

/* Reads more of a head that arrives in pieces, into the connection's own buffer. Returns true if the
 * head is complete and in t->in. */
static bool more_of_head(ts_http_worker *t, ts_http_conn *c, bool *refused) {
    ts_http_server *s = t->s;
    for (;;) {
        long head = ts_wire_scan_head(&c->scan, c->in, c->in_len);
        if (head != 0 || c->in_len >= s->config.max_head_bytes) {
            *refused = head == 0; /* it exceeds the limit */
            if (!room_for(t, c->in_len)) break;
            memcpy(t->in, c->in, c->in_len);
            t->in_len = c->in_len;
            free(c->in);
            c->in = NULL;
            c->in_len = c->in_cap = 0;
            return true;
        }
        if (c->in_len == c->in_cap) {
            size_t cap = c->in_cap < 1024 ? 2048 : c->in_cap * 2;
            if (cap > s->config.max_head_bytes + 1024u) cap = s->config.max_head_bytes + 1024u;
            char *in = realloc(c->in, cap);
            if (!in) break;
            c->in = in;
            c->in_cap = cap;
        }
        ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (ts_http_server_stopping(s)) break;
            conn_arm(s, c, ARM_IDLE, c->head_since + s->config.head_timeout_ns);
            return false;
        }
        if (n <= 0) break;
        c->in_len += (size_t)n;
    }
    ts_http_conn_close(s, c);
    return false;
}

/* Continues after a call. Returns true if this thread still owns the connection, which is at the next
 * request. */
static bool continue_after_call(ts_http_worker *t, ts_http_conn *c, ts_call_end end) {
    ts_http_server *s = t->s;
    switch (end) {
    case TS_CALL_NEXT: return true;
    case TS_CALL_DRAIN:
        if (!c->keep || !t->in_len) { /* nothing follows the request, or nothing may follow */
        } else if ((c->in = malloc(t->in_len))) {
            memcpy(c->in, t->in, t->in_len);
            c->in_len = c->in_cap = t->in_len;
        } else {
            c->keep = false;
        }
        if (!drain(s, c)) return false;
        if (c->in) { /* t->in still has it */
            free(c->in);
            c->in = NULL;
            c->in_len = c->in_cap = 0;
        }
        return true;
    case TS_CALL_LINGER: linger(s, c); return false;
    case TS_CALL_CLOSE: break;
    }
    ts_http_conn_close(s, c);
    return false;
}

void ts_http_conn_serve(ts_http_worker *t, ts_http_conn *c) {
    ts_http_server *s = t->s;
    bool refused = false, fresh = true;
    int served_here = 0;
    uint64_t since = ts_sys_monotonic(), answered = 0;
    t->in_len = 0;
    if (c->phase == TS_CONN_LINGER) {
        continue_linger(s, c, t->in, t->in_cap);
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
            if (!room_for(t, t->in_len)) {
                ts_http_conn_close(s, c);
                return;
            }
            ssize_t n = recv(c->fd, t->in + t->in_len, t->in_cap - t->in_len, MSG_DONTWAIT);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                /* a client that is alone answers in less time than it takes to sleep and wake up */
                if (served_here && __atomic_load_n(&s->live_conns, __ATOMIC_RELAXED) <= s->config.threads &&
                    ts_sys_monotonic() - answered < EXPECT_NS)
                    continue;
                wait_for_more(t, c, false);
                return;
            }
            if (n <= 0) {
                ts_http_conn_close(s, c);
                return;
            }
            t->in_len += (size_t)n;
        }
        ts_wire_scan scan = {0};
        long head = ts_wire_scan_head(&scan, t->in, t->in_len);
        c->scan = scan;
        ts_call_end end;
        if (refused || (head == 0 && t->in_len >= s->config.max_head_bytes) || head > (long)s->config.max_head_bytes) {
            end = ts_http_call_refuse(&t->call, c, !scan.began || scan.line > s->config.max_head_bytes ? 414 : 431);
        } else if (head < 0) {
            end = ts_http_call_refuse(&t->call, c, 400);
        } else if (head > 0 && t->refuses) {
            end = ts_http_call_refuse(&t->call, c, 503);
        } else if (head == 0) {
            if (fresh) {
                wait_for_more(t, c, false);
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
        if (!continue_after_call(t, c, end)) return;
        c->scan = (ts_wire_scan){0};
        if (!t->in_len) {
            if (ts_http_server_stopping(s)) {
                linger(s, c);
                return;
            }
        }
        if (++served_here >= DIRECT_MAX || ts_sys_monotonic() - since > DIRECT_NS) {
            /* others have their turn, in the order in which they came */
            wait_for_more(t, c, t->in_len != 0);
            return;
        }
        refused = false;
        answered = ts_sys_monotonic();
        /* a quick client has already sent the next request: trying is cheaper than waiting */
        fresh = !t->in_len;
    }
}

/* --- for the monitor --------------------------------------------------------------------------- */
bool ts_http_conn_take_ready(ts_http_server *s, uint64_t tag, ts_http_conn **c) {
    *c = ts_http_conn_at(s, (uint32_t)(tag & 0xffffff));
    return ts_http_conn_take(*c, tag >> 24, true);
}
void ts_http_conn_rearm(ts_http_server *s, ts_http_conn *c) {
    conn_arm(s, c, ARM_AT_ONCE, ts_sys_monotonic() + s->config.head_timeout_ns);
}

/* Returns whether nothing is in progress on the connection and nothing has arrived that no thread has
 * seen. */
static bool is_quiet(const ts_http_conn *c) {
    char byte;
    return c->phase == TS_CONN_READ && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}
/* Returns whether the client has received everything, after reading all that it sent: closing the
 * connection then resets nothing. */
static bool all_acknowledged(const ts_http_conn *c) {
    char some[4096];
    int left = 0;
    while (recv(c->fd, some, sizeof some, MSG_DONTWAIT) > 0) {
    }
    return ioctl(c->fd, SIOCOUTQ, &left) == 0 && left == 0;
}

static void expire(ts_http_server *s, ts_http_conn *c) {
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    if (c->phase == TS_CONN_READ && c->in && send(c->fd, late, sizeof late - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        linger(s, c);
    else
        ts_http_conn_close(s, c);
}

void ts_http_sweep(ts_http_server *s, uint64_t now, bool all) {
    uint32_t n = __atomic_load_n(&s->n_conns, __ATOMIC_ACQUIRE), part = n / SWEEP_PART + SWEEP_LEAST;
    if (all || part > n) part = n;
    for (; part; part--) {
        if (s->sweep_at >= n) s->sweep_at = 0;
        ts_http_conn *c = ts_http_conn_at(s, s->sweep_at++);
        uint64_t state = __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
        if ((state & 3) != TS_CONN_ARMED) continue;
        bool over = __atomic_load_n(&c->deadline, __ATOMIC_RELAXED) <= now;
        if ((!over && !all) || !ts_http_conn_take(c, state >> 2, false)) continue;
        if (over && __atomic_load_n(&c->deadline, __ATOMIC_RELAXED) <= now) {
            expire(s, c);
        } else if (all && (is_quiet(c) || (c->phase == TS_CONN_LINGER && all_acknowledged(c)))) {
            ts_http_conn_close(s, c);
        } else { /* it is busy: restore its state; a thread that has got an event meanwhile waits for
                  * this store */
            if (all && c->phase == TS_CONN_LINGER && c->deadline > now + LINGER_AT_STOP_NS)
                __atomic_store_n(&c->deadline, now + LINGER_AT_STOP_NS, __ATOMIC_RELAXED);
            __atomic_store_n(&c->state, state, __ATOMIC_RELEASE);
        }
    }
}
#endif
