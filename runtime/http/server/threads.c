/* threads: the threads that serve connections. See connection.h.
 * All threads wait in one epoll, where each connection is armed for one event. `active` counts the
 * threads that wait for events or run a handler, but not those whose handler waits. It is kept at
 * `threads` by waking parked threads or creating new ones, and reduced to it by parking the surplus.
 * A parked thread ends and frees its memory if it is not needed for a while. A guest that waits does
 * so on its own thread: this costs its stack, of which only the pages that were used are real, and no
 * processor time.
 * In: events. Out: connections served. Source: epoll(7), pthreads(7) */
#define _GNU_SOURCE
#include "http/server/connection.h"
#ifdef TS_HTTP_SERVER
#include "sys/clock.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#define SECOND 1000000000ull
enum {
    IN_FIRST = 32768,        /* the initial size of a worker's buffer in bytes */
    PARKED_SECONDS = 10,     /* seconds until a parked thread ends */
    PARKED_AGAIN = 1,        /* seconds until it tries again because the monitor still used it */
    PARKED_KEPT = 8,         /* parked threads that are kept */
    STACK = 1 << 20,         /* the stack of a thread, in address space */
    STACK_CHECKED = 8 << 20, /* the same under sanitizers */
    NO_THREAD_NS = 50000000, /* how long no thread is created after the system has refused one */
};
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define STACK_BYTES STACK_CHECKED
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define STACK_BYTES STACK_CHECKED
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES STACK
#endif

static void *worker_main(void *arg);

/* --- making and ending ------------------------------------------------------------------------- */
static size_t first_size(const ts_http_server *s) {
    return IN_FIRST < s->in_most ? IN_FIRST : s->in_most;
}
ts_http_worker *ts_http_worker_new(ts_http_server *s) {
    ts_http_worker *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->s = s;
    t->in_cap = first_size(s);
    t->in = malloc(t->in_cap);
    bool ok = ts_lock_init(&t->lock);
    ok &= ts_cond_init(&t->wake);
    if (t->in && ok && ts_http_call_init(&t->call, s, t)) return t;
    ts_http_worker_delete(t);
    return NULL;
}
void ts_http_worker_delete(ts_http_worker *t) {
    if (!t) return;
    ts_http_call_free(&t->call);
    ts_lock_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    free(t->in);
    free(t);
}

/* Returns the larger part of the buffers that grow with the largest request that a thread has served.
 * Otherwise the threads that are kept would all have the largest ones in the end. */
static void shrink_buffers(ts_http_worker *t) {
    ts_lock_take(&t->lock); /* the monitor looks at the call */
    ts_http_call_shrink(&t->call);
    ts_lock_give(&t->lock);
    size_t cap = first_size(t->s);
    if (t->in_cap <= cap) return;
    char *in = realloc(t->in, cap);
    if (!in) return;
    t->in = in;
    t->in_cap = cap;
}

/* Signals that end or time the process are delivered to its first thread. Faults are delivered to the
 * thread that causes them. */
static bool start_thread(ts_http_worker *t) {
    static const int not_here[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};
    sigset_t block, before;
    pthread_t id;
    pthread_attr_t a;
    sigemptyset(&block);
    for (size_t i = 0; i < sizeof not_here / sizeof *not_here; i++) sigaddset(&block, not_here[i]);
    if (pthread_attr_init(&a)) return false;
    pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&a, STACK_BYTES);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    bool ok = pthread_create(&id, &a, worker_main, t) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&a);
    return ok;
}

/* Under s->lock. */
static void leave_workers(ts_http_server *s, ts_http_worker *t) {
    ts_http_worker *last = s->workers[--s->n_workers];
    s->workers[t->slot] = last;
    last->slot = t->slot;
}
static void thread_ended(ts_http_server *s) {
    s->n_threads--;
    pthread_cond_signal(&s->ended);
}

static ts_http_worker *unpark(ts_http_server *s, ts_http_worker *t) {
    if (t->prev_parked)
        t->prev_parked->next_parked = t->next_parked;
    else
        s->parked = t->next_parked;
    if (t->next_parked) t->next_parked->prev_parked = t->prev_parked;
    return t;
}

bool ts_http_add_worker(ts_http_server *s) {
    ts_lock_take(&s->lock);
    if (s->parked) { /* the one that ran last, so that the others may end */
        ts_http_worker *t = unpark(s, s->parked);
        t->called = true;
        __atomic_fetch_add(&s->active, 1, __ATOMIC_RELAXED);
        pthread_cond_signal(&t->wake);
        ts_lock_give(&s->lock);
        return true;
    }
    bool may = s->n_workers < s->config.max_threads && !__atomic_load_n(&s->quit, __ATOMIC_RELAXED);
    ts_lock_give(&s->lock);
    if (!may || ts_sys_monotonic() < __atomic_load_n(&s->no_thread_until, __ATOMIC_RELAXED)) return false;
    ts_http_worker *t = ts_http_worker_new(s);
    ts_lock_take(&s->lock);
    bool ok = t && s->n_workers < s->config.max_threads;
    if (ok) {
        t->slot = s->n_workers;
        s->workers[s->n_workers++] = t;
        s->n_threads++;
        __atomic_fetch_add(&s->active, 1, __ATOMIC_RELAXED);
    }
    ts_lock_give(&s->lock);
    if (ok && start_thread(t)) return true;
    if (ok) {
        ts_lock_take(&s->lock);
        leave_workers(s, t);
        __atomic_fetch_sub(&s->active, 1, __ATOMIC_RELAXED);
        thread_ended(s);
        ts_lock_give(&s->lock);
    }
    ts_http_worker_delete(t);
    __atomic_store_n(&s->no_thread_until, ts_sys_monotonic() + NO_THREAD_NS, __ATOMIC_RELAXED);
    return false;
}

/* --- what the monitor knows of them ------------------------------------------------------------ */
/* Tells the monitor that the thread runs. */
static void report_running(ts_http_worker *t) {
    if (__atomic_load_n(&t->listed, __ATOMIC_SEQ_CST) || __atomic_exchange_n(&t->listed, 1, __ATOMIC_SEQ_CST)) return;
    ts_http_worker *head = __atomic_load_n(&t->s->woken, __ATOMIC_RELAXED);
    do t->next_awake = head;
    while (!__atomic_compare_exchange_n(&t->s->woken, &head, t, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}
static bool is_resting(const ts_http_worker *t) {
    return __atomic_load_n(&t->resting, __ATOMIC_SEQ_CST) != TS_REST_NONE;
}

/* Decides whether the thread stays in the monitor's list. A thread that rests leaves it, and enters
 * it again when it runs. Whichever side sees the other's mark second adds the thread, and only a
 * thread that is not in the list may end. */
static bool keep_listed(ts_http_server *s, ts_http_worker *t) {
    if (!is_resting(t)) return true;
    ts_lock_take(&s->lock); /* it may be parked and about to end */
    bool back = false;
    __atomic_store_n(&t->listed, 0, __ATOMIC_SEQ_CST);
    if (!is_resting(t)) back = !__atomic_exchange_n(&t->listed, 1, __ATOMIC_SEQ_CST);
    ts_lock_give(&s->lock);
    return back;
}
void ts_http_update_awake(ts_http_server *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_awake; i++)
        if (keep_listed(s, s->awake[i])) s->awake[n++] = s->awake[i];
    s->n_awake = n;
    ts_http_worker *t = __atomic_exchange_n(&s->woken, NULL, __ATOMIC_ACQUIRE), *next;
    for (; t; t = next) {
        next = t->next_awake;
        if (s->n_awake == s->cap_awake) {
            uint32_t cap = s->cap_awake ? s->cap_awake * 2 : 64;
            ts_http_worker **more = realloc(s->awake, cap * sizeof *more);
            if (!more) { /* it is not supervised until it has rested again */
                __atomic_store_n(&t->listed, 0, __ATOMIC_SEQ_CST);
                continue;
            }
            s->awake = more;
            s->cap_awake = cap;
        }
        if (keep_listed(s, t)) s->awake[s->n_awake++] = t;
    }
}

void ts_http_worker_waits(ts_http_worker *t, bool waits) {
    ts_http_server *s = t->s;
    __atomic_store_n(&t->resting, waits ? TS_REST_WAITS : TS_REST_NONE, __ATOMIC_SEQ_CST);
    if (!waits) {
        __atomic_fetch_add(&s->active, 1, __ATOMIC_RELAXED);
        report_running(t);
    } else if (__atomic_sub_fetch(&s->active, 1, __ATOMIC_RELAXED) < s->config.threads) {
        /* false if the limit is reached: then the monitor keeps the queue */
        (void)ts_http_add_worker(s);
    }
}

/* --- connections that wait for a thread -------------------------------------------------------- */
void ts_http_queue_push(ts_http_server *s, ts_http_conn *c, uint64_t now) {
    c->queued = NULL;
    c->queued_at = now;
    ts_lock_take(&s->lock);
    *s->queue_end = c;
    s->queue_end = &c->queued;
    __atomic_fetch_add(&s->n_queued, 1, __ATOMIC_RELAXED);
    ts_lock_give(&s->lock);
}
bool ts_http_queue_pop(ts_http_server *s, uint64_t before, ts_http_conn **c) {
    if (!__atomic_load_n(&s->n_queued, __ATOMIC_RELAXED)) return false;
    ts_lock_take(&s->lock);
    bool ok = s->queue && s->queue->queued_at < before;
    if (ok) {
        *c = s->queue;
        s->queue = (*c)->queued;
        if (!s->queue) s->queue_end = &s->queue;
        __atomic_fetch_sub(&s->n_queued, 1, __ATOMIC_RELAXED);
    }
    ts_lock_give(&s->lock);
    return ok;
}

/* --- a thread ---------------------------------------------------------------------------------- */
/* Sleeps until the thread is needed, if too many are active. Returns false if the thread must end. */
static bool park(ts_http_worker *t) {
    ts_http_server *s = t->s;
    uint32_t n = __atomic_load_n(&s->active, __ATOMIC_RELAXED);
    if (n <= s->config.threads || __atomic_load_n(&s->n_queued, __ATOMIC_RELAXED)) return true;
    if (!__atomic_compare_exchange_n(&s->active, &n, n - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return true;
    shrink_buffers(t);
    bool stay = true;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PARKED_SECONDS;
    ts_lock_take(&s->lock);
    t->called = false;
    t->prev_parked = NULL;
    t->next_parked = s->parked;
    if (s->parked) s->parked->prev_parked = t;
    s->parked = t;
    __atomic_store_n(&t->resting, TS_REST_PARKED, __ATOMIC_SEQ_CST);
    while (!t->called && stay && !__atomic_load_n(&s->quit, __ATOMIC_RELAXED)) {
        if (pthread_cond_timedwait(&t->wake, &s->lock.m, &until) != ETIMEDOUT || t->called) continue;
        until.tv_sec += PARKED_AGAIN;
        stay = s->n_workers <= s->config.threads + PARKED_KEPT || __atomic_load_n(&t->listed, __ATOMIC_SEQ_CST);
    }
    if (!t->called) (void)unpark(s, t);
    if (!stay) leave_workers(s, t);
    ts_lock_give(&s->lock);
    if (!stay) return false;
    __atomic_store_n(&t->resting, TS_REST_NONE, __ATOMIC_SEQ_CST);
    report_running(t);
    return true;
}

static void make_data(ts_http_worker *t) {
    const ts_http_handler *h = &t->s->handler;
    if (!t->data && h->thread_new) t->data = h->thread_new(h->data);
}
static void *worker_main(void *arg) {
    ts_http_worker *t = arg;
    ts_http_server *s = t->s;
    make_data(t);
    report_running(t);
    bool left = false;
    while (!__atomic_load_n(&s->quit, __ATOMIC_RELAXED)) {
        struct epoll_event ev;
        ts_http_conn *c = NULL;
        left = !park(t);
        if (left) break;
        if (!ts_http_queue_pop(s, UINT64_MAX, &c)) {
            int n = epoll_wait(s->epoll_fd, &ev, 1, -1);
            if (n <= 0 || ev.data.u64 == TS_TAG_QUIT) continue;
        }
        __atomic_store_n(&t->busy, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&t->seq, 1, __ATOMIC_RELAXED);
        make_data(t);
        if (c)
            ts_http_conn_serve(t, c);
        else if (ev.data.u64 == TS_TAG_LISTEN)
            ts_http_accept(s);
        else if (ts_http_conn_take_ready(s, ev.data.u64, &c))
            ts_http_conn_serve(t, c);
        __atomic_store_n(&t->busy, 0, __ATOMIC_RELAXED);
    }
    if (s->handler.thread_free) s->handler.thread_free(s->handler.data, t->data);
    if (left) ts_http_worker_delete(t); /* otherwise the server ends, and deletes it */
    ts_lock_take(&s->lock);
    thread_ended(s);
    ts_lock_give(&s->lock);
    return NULL;
}
#endif
