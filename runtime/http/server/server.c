/* server: the monitor and the public functions. See server.h.
 * The calling thread is the monitor. Every few milliseconds it looks at the running threads: if a
 * handler computes while connections are ready, another thread is added, and what has been held back
 * for too long is sent. It queues the connections for which there is no thread and answers 503 to
 * those that have waited too long. It ends what has exceeded its time, and the server. Guests that
 * wait cost it nothing: each supervises its own client and time (ts_http_call_watch). */
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
/* Never called, because there is no server. */
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
bool ts_http_call_client_gone(const ts_http_call *c) {
    (void)c;
    return true;
}
void ts_http_call_waits(ts_http_call *c, bool waits) {
    (void)c;
    (void)waits;
}
void ts_http_call_unavailable(ts_http_call *c) {
    (void)c;
}
bool ts_http_call_timed_out(const ts_http_call *c) {
    (void)c;
    return false;
}
bool ts_http_call_abandoned(const ts_http_call *c) {
    (void)c;
    return false;
}
size_t ts_http_call_watch(ts_http_call *c, ts_sys_wait *files, uint64_t *deadline) {
    (void)c;
    (void)files;
    (void)deadline;
    return 0;
}
ts_http_watched ts_http_call_watched(ts_http_call *c, const ts_sys_wait *files) {
    (void)c;
    (void)files;
    return TS_HTTP_STOP;
}
ts_http_watched ts_http_call_poll(ts_http_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline) {
    (void)c;
    (void)waits;
    (void)n;
    (void)deadline;
    return TS_HTTP_STOP;
}
uint32_t ts_http_server_connections(const ts_http_server *s, uint32_t *files) {
    (void)s;
    *files = 0;
    return 0;
}
#else
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/entropy.h"
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
    MAX_THREADS = 1 << 20,
    MAX_CONNECTIONS = 0xffffff, /* limited by the tag of an event */
    READY_BATCH = 256,          /* connections that the monitor queues at a time when there is no thread */
    FILES_LEAST = 16,           /* files that are reserved for other uses: at least this many, */
    FILES_PART = 8,             /* and this part of all files, up to the next number */
    FILES_MOST = 4096,
    KEEP_IDLE_S = 60, /* seconds after which a silent client is probed */
    KEEP_EVERY_S = 15,
    KEEP_TIMES = 4,
};
/* How long the server waits, when it no longer waits for requests, for interrupted handlers to end
 * and for threads to end. */
#define CUT_NS (60 * MS)
#define END_NS (2 * SECOND)
#define END_CUT_NS (20 * MS)

bool ts_http_server_can(void) {
    return true;
}
bool ts_http_server_stopping(const ts_http_server *s) {
    return __atomic_load_n(&s->stopping, __ATOMIC_RELAXED) != 0;
}

/* --- the monitor ------------------------------------------------------------------------------- */
typedef struct monitor {
    uint64_t stop_at, cut_at, swept, looked_all;
    bool again;
} monitor;

/* Looks at the running threads. *stuck: all of them have been computing since the last look at least.
 * Returns true if some are busy. */
static bool look_at_threads(ts_http_server *s, uint64_t now, bool *stuck) {
    uint32_t n_busy = 0, n_stuck = 0;
    ts_http_update_awake(s);
    for (uint32_t i = 0; i < s->n_awake; i++) {
        ts_http_worker *t = s->awake[i];
        if (!__atomic_load_n(&t->busy, __ATOMIC_RELAXED) ||
            __atomic_load_n(&t->resting, __ATOMIC_RELAXED) != TS_REST_NONE)
            continue;
        n_busy++;
        uint64_t seq = __atomic_load_n(&t->seq, __ATOMIC_RELAXED);
        n_stuck += seq == t->stuck_seq;
        t->stuck_seq = seq;
        ts_lock_take(&t->lock);
        ts_http_call_flush_held(&t->call);
        bool late = t->call.serving && ts_http_call_is_late(&t->call, now);
        if (late && s->handler.interrupt) s->handler.interrupt(s->handler.data, t->data);
        ts_lock_give(&t->lock);
    }
    *stuck = n_stuck >= __atomic_load_n(&s->active, __ATOMIC_RELAXED);
    return n_busy != 0;
}

/* Ends every call: those that wait are woken, those that compute are interrupted if possible. */
static void cut_all(ts_http_server *s) {
    uint64_t one = 1;
    ssize_t w = write(s->cut_fd, &one, sizeof one);
    (void)w;
    ts_lock_take(&s->lock);
    for (uint32_t i = 0; i < s->n_workers; i++) {
        ts_http_worker *t = s->workers[i];
        if (!__atomic_load_n(&t->busy, __ATOMIC_RELAXED)) continue;
        ts_lock_take(&t->lock);
        if (t->call.serving) {
            ts_http_call_cut_off(&t->call);
            if (s->handler.interrupt) s->handler.interrupt(s->handler.data, t->data);
        }
        ts_lock_give(&t->lock);
    }
    ts_lock_give(&s->lock);
}

/* There is no thread for the connections that are ready: put them into the queue, so that their time
 * counts. */
static void enqueue(ts_http_server *s, uint64_t now) {
    struct epoll_event ev[READY_BATCH];
    int n = epoll_wait(s->epoll_fd, ev, READY_BATCH, 0);
    for (int i = 0; i < n; i++) {
        ts_http_conn *c;
        if (ev[i].data.u64 == TS_TAG_LISTEN)
            ts_http_accept(s);
        else if (ev[i].data.u64 != TS_TAG_QUIT && ts_http_conn_take_ready(s, ev[i].data.u64, &c))
            ts_http_queue_push(s, c, now);
    }
}

/* Adds threads for ready connections, or answers those that have waited long enough. */
static void find_threads(ts_http_server *s, uint64_t now, bool stuck) {
    ts_http_conn *c;
    uint64_t long_ago = now > s->config.queue_timeout_ns ? now - s->config.queue_timeout_ns : 0;
    struct pollfd p = {.fd = s->epoll_fd, .events = POLLIN};
    bool waiting = __atomic_load_n(&s->n_queued, __ATOMIC_RELAXED) != 0;
    if (stuck) {
        if (!waiting && poll(&p, 1, 0) <= 0) return;
        if (ts_http_add_worker(s)) return;
        enqueue(s, now);
        while (ts_http_queue_pop(s, long_ago, &c)) ts_http_conn_serve(s->refuser, c);
    } else if (waiting && ts_http_queue_pop(s, UINT64_MAX, &c)) {
        /* a thread that waits for events gets it; threads that finish take the others */
        ts_http_conn_rearm(s, c);
    }
}

static void stop_listening(ts_http_server *s) {
    __atomic_store_n(&s->stopping, 1, __ATOMIC_RELEASE);
    ts_http_accept(s); /* still serve connections that the kernel has already accepted */
    epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listen_fd, NULL);
    shutdown(s->listen_fd, SHUT_RDWR);
}

static void retry_accept(ts_http_server *s, uint64_t now) {
    uint64_t since = __atomic_load_n(&s->paused_since, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&s->listen_paused, __ATOMIC_RELAXED)) return;
    if (since && now - since > s->config.queue_timeout_ns) ts_http_accept_refuse(s);
    ts_http_accept_resume(s);
}

static bool end_threads(ts_http_server *s, uint64_t within_ns) {
    __atomic_store_n(&s->quit, 1, __ATOMIC_RELEASE);
    uint64_t one = 1;
    ssize_t w = write(s->quit_fd, &one, sizeof one);
    (void)w;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + within_ns;
    until.tv_sec += (time_t)(ns / SECOND);
    until.tv_nsec = (long)(ns % SECOND);
    ts_lock_take(&s->lock);
    for (ts_http_worker *t = s->parked; t; t = t->next_parked) pthread_cond_signal(&t->wake);
    while (s->n_threads)
        if (pthread_cond_timedwait(&s->ended, &s->lock.m, &until) == ETIMEDOUT) break;
    bool all = s->n_threads == 0;
    ts_lock_give(&s->lock);
    return all;
}

bool ts_http_server_run(ts_http_server *s, uint64_t grace_ns) {
    monitor m = {0};
    bool busy = false, stuck = false;
    for (;;) {
        struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};
        uint64_t count;
        poll(&p, 1, busy || m.stop_at || __atomic_load_n(&s->n_queued, __ATOMIC_RELAXED) ? 5 : 20);
        while (read(s->stop_fd, &count, sizeof count) > 0) {
        }
        uint64_t now = ts_sys_monotonic();
        uint32_t stops = __atomic_load_n(&s->stops, __ATOMIC_ACQUIRE);
        if (stops && !m.stop_at) {
            m.stop_at = now;
            stop_listening(s);
        }
        bool cut = m.stop_at && (stops > 1 || now - m.stop_at > grace_ns);
        if (cut && !m.cut_at) m.cut_at = now;
        if (cut && now - m.looked_all > 20 * MS) {
            cut_all(s);
            m.looked_all = now;
        }
        busy = look_at_threads(s, now, &stuck);
        find_threads(s, now, stuck);
        if (now - m.swept > 10 * MS) {
            ts_http_sweep(s, now, m.stop_at != 0);
            m.swept = now;
            m.again = !m.again;
            if (m.again && !m.stop_at) retry_accept(s, now);
        }
        if (m.stop_at && !__atomic_load_n(&s->live_conns, __ATOMIC_RELAXED)) break;
        if (m.cut_at && now - m.cut_at > CUT_NS) break;
    }
    return end_threads(s, m.cut_at ? END_CUT_NS : END_NS);
}

void ts_http_server_stop(ts_http_server *s) { /* uses only what a signal handler may use */
    uint64_t one = 1;
    int was = errno;
    __atomic_fetch_add(&s->stops, 1, __ATOMIC_RELEASE);
    ssize_t n = write(s->stop_fd, &one, sizeof one);
    (void)n;
    errno = was;
}

/* --- making and freeing ------------------------------------------------------------------------ */
/* Each connection is a file. Limits their number to what the system allows beside the files of guests
 * and our own. */
static void fit_to_files(ts_http_server *s) {
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0) return;
    rlim_t want = (rlim_t)s->config.max_connections + FILES_MOST;
    if (l.rlim_cur < want) {
        l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > want ? want : l.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &l) < 0 && getrlimit(RLIMIT_NOFILE, &l) < 0) return;
    }
    s->n_files = l.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)l.rlim_cur;
    uint32_t others = s->n_files / FILES_PART;
    if (others < FILES_LEAST) others = FILES_LEAST;
    if (others > FILES_MOST) others = FILES_MOST;
    uint32_t most = s->n_files > others ? s->n_files - others : 1;
    if (s->config.max_connections > most) s->config.max_connections = most;
}

static uint64_t or_default(uint64_t v, uint64_t d) {
    return v ? v : d;
}
static void set_defaults(ts_http_server *s) {
    ts_http_server_config *g = &s->config;
    g->threads = (uint32_t)or_default(g->threads, ts_cpu_count());
    g->max_threads = (uint32_t)or_default(g->max_threads, 16384);
    if (g->max_threads > MAX_THREADS) g->max_threads = MAX_THREADS;
    if (g->threads > g->max_threads) g->threads = g->max_threads;
    g->max_connections = (uint32_t)or_default(g->max_connections, 100000);
    if (g->max_connections > MAX_CONNECTIONS) g->max_connections = MAX_CONNECTIONS;
    fit_to_files(s);
    g->address_share = (uint32_t)or_default(g->address_share, (g->max_connections + 1) / 2);
    g->max_head_bytes = (uint32_t)or_default(g->max_head_bytes, 65536);
    if (g->max_head_bytes < 1024) g->max_head_bytes = 1024;
    if (g->max_head_bytes > 64u << 20) g->max_head_bytes = 64u << 20;
    g->head_timeout_ns = or_default(g->head_timeout_ns, 10 * SECOND);
    g->idle_timeout_ns = or_default(g->idle_timeout_ns, 60 * SECOND);
    g->stall_timeout_ns = or_default(g->stall_timeout_ns, 30 * SECOND);
    g->request_timeout_ns = or_default(g->request_timeout_ns, 600 * SECOND);
    g->queue_timeout_ns = or_default(g->queue_timeout_ns, SECOND);
    g->min_rate = or_default(g->min_rate, 240);
    if (g->min_rate > SECOND) g->min_rate = SECOND;
    g->rate_grace_ns = or_default(g->rate_grace_ns, 10 * SECOND);
    if (g->rate_grace_ns > 1000000 * SECOND) g->rate_grace_ns = 1000000 * SECOND;
    s->in_most = 2 * (size_t)g->max_head_bytes + 65536;
}

/* Sets the options that connections inherit from the listener. */
static void set_options(int fd) {
    static const struct {
        int level, name, value;
    } all[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
               {SOL_SOCKET, SO_KEEPALIVE, 1},
               {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
               {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S},
               {IPPROTO_TCP, TCP_KEEPCNT, KEEP_TIMES}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        setsockopt(fd, all[i].level, all[i].name, &all[i].value, sizeof all[i].value);
}
static bool listen_on(ts_http_server *s, char err[200]) {
    ts_sys_err e = ts_sys_socket(s->config.addr.v6, false, &s->listen_fd);
    int off = 0; /* [::] stands for every address, including those of IPv4 */
    if (!e && s->config.addr.v6 && ts_sys_addr_is_any(&s->config.addr))
        setsockopt(s->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!e) set_options(s->listen_fd);
    if (!e) e = ts_sys_bind(s->listen_fd, &s->config.addr, true);
    if (!e) e = ts_sys_listen(s->listen_fd, 4096);
    if (!e) e = ts_sys_local(s->listen_fd, &s->config.addr); /* with the port that the system has picked */
    if (e) snprintf(err, 200, "%s", ts_sys_err_text(e));
    return !e;
}

ts_http_server *ts_http_server_new(const ts_http_server_config *config, const ts_http_handler *h, char err[200]) {
    ts_http_server *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(err, 200, "no memory");
        return NULL;
    }
    s->listen_fd = s->epoll_fd = s->stop_fd = s->quit_fd = s->cut_fd = -1;
    s->queue_end = &s->queue;
    s->config = *config;
    s->handler = *h;
    set_defaults(s);
    s->chunks = calloc(s->config.max_connections / TS_CONN_CHUNK + 1, sizeof *s->chunks);
    s->workers = calloc(s->config.max_threads, sizeof *s->workers);
    s->addresses = calloc(s->config.max_connections, sizeof *s->addresses);
    s->buckets = calloc(TS_ADDRESS_BUCKETS, sizeof *s->buckets);
    (void)ts_sys_random(&s->seed, sizeof s->seed);
    bool locks = ts_lock_init(&s->lock);
    locks &= ts_cond_init(&s->ended);
    s->epoll_fd = ts_sys_above_std(epoll_create1(EPOLL_CLOEXEC));
    s->stop_fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    s->quit_fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    s->cut_fd = ts_sys_above_std(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    s->refuser = locks ? ts_http_worker_new(s) : NULL;
    if (!s->chunks || !s->workers || !s->addresses || !s->buckets || !locks || !s->refuser || s->epoll_fd < 0 ||
        s->stop_fd < 0 || s->quit_fd < 0 || s->cut_fd < 0) {
        snprintf(err, 200, "no memory, or no file descriptor is left");
        goto failed;
    }
    s->refuser->refuses = true;
    if (!listen_on(s, err)) goto failed;
    struct epoll_event listen_ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TS_TAG_LISTEN},
                       quit_ev = {.events = EPOLLIN, .data.u64 = TS_TAG_QUIT};
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->quit_fd, &quit_ev) < 0 ||
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &listen_ev) < 0) {
        snprintf(err, 200, "epoll: %s", strerror(errno));
        goto failed;
    }
    uint32_t made = 0;
    while (made < s->config.threads && ts_http_add_worker(s)) made++;
    if (made) return s;
    snprintf(err, 200, "no thread can be started");
failed:
    ts_http_server_free(s);
    return NULL;
}

void ts_http_server_address(const ts_http_server *s, ts_sys_addr *a) {
    *a = s->config.addr;
}
uint32_t ts_http_server_connections(const ts_http_server *s, uint32_t *files) {
    *files = s->n_files;
    return s->config.max_connections;
}

void ts_http_server_free(ts_http_server *s) {
    if (!s) return;
    /* threads still run and use it: nothing can be freed */
    if (s->refuser && !end_threads(s, END_NS)) return;
    for (uint32_t i = 0; i < s->n_conns; i++)
        if ((ts_http_conn_at(s, i)->state & 3) != TS_CONN_FREE) ts_http_conn_close(s, ts_http_conn_at(s, i));
    for (uint32_t i = 0; s->chunks && i < s->n_conns / TS_CONN_CHUNK; i++) free(s->chunks[i]);
    for (uint32_t i = 0; i < s->n_workers; i++) ts_http_worker_delete(s->workers[i]);
    ts_http_worker_delete(s->refuser);
    int fds[] = {s->listen_fd, s->epoll_fd, s->stop_fd, s->quit_fd, s->cut_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0) close(fds[i]);
    pthread_cond_destroy(&s->ended);
    ts_lock_destroy(&s->lock);
    free(s->chunks);
    free(s->workers);
    free(s->addresses);
    free(s->buckets);
    free(s->awake);
    free(s);
}
#endif
