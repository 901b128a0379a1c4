/* sys/sampler: see sampler.h. */
#define _GNU_SOURCE
#include "sys/sampler.h"
#include "base/cfi.h"
#include "sys/registers.h"
#include "sys/thread.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A thread's place while it is inside. Places are used again, by any thread. */
struct ts_sampler_place {
    ts_sampler *s;
    ts_sampler_place *next; /* of those in use, or of the free ones */
    void *subject;
    pthread_t thread;
    clockid_t clock;
    uint64_t seen; /* what the clock said; 0: it has not been looked at */
    uint32_t idle; /* periods in which it used no time */
    bool full;     /* atomic: `sample` is for `keep` */
    ts_sample sample;
    unsigned char bytes[];
};
struct ts_sampler {
    ts_sampling how;
    ts_lock lock; /* of both lists, and while `keep` runs */
    ts_sampler_place *used, *free;
    bool stop; /* atomic */
    ts_thread thread;
};

/* What the handler finds. The thread touches it before the first signal, so that the handler allocates nothing. */
static _Thread_local ts_sampler_place *current;
static _Thread_local uint64_t last_cpu, own_id;

static uint64_t now(clockid_t clock) {
    struct timespec t;
    return clock_gettime(clock, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : 0;
}

#if TS_SYS_HAS_REGISTERS
static struct sigaction before;
static bool installed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static TS_UNCHECKED_CALLS void chain(int sig, siginfo_t *info, void *uc) {
    if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) return;
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(sig, info, uc);
    else
        before.sa_handler(sig);
}
static void on_signal(int sig, siginfo_t *info, void *uc) {
    int saved = errno;
    ts_sampler_place *p = current;
    if (p && info->si_code == SI_TKILL && !__atomic_load_n(&p->full, __ATOMIC_ACQUIRE)) {
        ts_sampled at;
        uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID), used = last_cpu ? cpu - last_cpu : p->s->how.period_ns;
        (void)ts_sys_registers(uc, at.regs, &at.pc);
        size_t n = used * 2 >= p->s->how.period_ns ? p->s->how.take(p->subject, &at, p->bytes) : 0;
        if (n) {
            p->sample = (ts_sample){own_id, now(CLOCK_MONOTONIC), used, p->bytes, n};
            last_cpu = cpu;
            __atomic_store_n(&p->full, true, __ATOMIC_RELEASE);
        }
    } else if (info->si_code != SI_TKILL) {
        chain(sig, info, uc);
    }
    errno = saved;
}
static void install(void) {
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigemptyset(&sa.sa_mask);
    installed = sigaction(SIGPROF, &sa, &before) == 0;
}

static void drain(ts_sampler_place *p) {
    if (!__atomic_load_n(&p->full, __ATOMIC_ACQUIRE)) return;
    p->s->how.keep(p->s->how.data, &p->sample);
    __atomic_store_n(&p->full, false, __ATOMIC_RELEASE);
}
/* A thread that has used no time for long waits: it is looked at every eighth period. */
static void look(ts_sampler_place *p) {
    enum { LONG = 16, EVERY = 8 };
    drain(p);
    p->idle++;
    if (p->idle > LONG && p->idle % EVERY != 0) return;
    uint64_t cpu = now(p->clock);
    if (p->seen && cpu - p->seen < p->s->how.period_ns / 4) return;
    p->idle = 0;
    p->seen = cpu;
    pthread_kill(p->thread, SIGPROF);
}
static void work(void *data) {
    ts_sampler *s = data;
    uint64_t next = now(CLOCK_MONOTONIC);
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
        uint64_t present = now(CLOCK_MONOTONIC);
        next += s->how.period_ns;
        if (next < present) next = present + s->how.period_ns; /* periods that were missed are left out */
        struct timespec t = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        ts_lock_take(&s->lock);
        for (ts_sampler_place *p = s->used; p; p = p->next) look(p);
        ts_lock_give(&s->lock);
    }
}
/* All signals of the process go to its other threads. */
static bool start(ts_sampler *s) {
    sigset_t all, had;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &had);
    bool ok = ts_thread_start(&s->thread, work, s);
    pthread_sigmask(SIG_SETMASK, &had, NULL);
    return ok;
}
ts_sys_err ts_sampler_new(const ts_sampling *how, ts_sampler **out) {
    *out = NULL;
    pthread_once(&once, install);
    if (!installed) return TS_SYS_ENOTSUP;
    ts_sampler *s = calloc(1, sizeof *s);
    if (!s || !ts_lock_init(&s->lock)) {
        free(s);
        return TS_SYS_ENOMEM;
    }
    s->how = *how;
    if (!start(s)) {
        ts_lock_destroy(&s->lock);
        free(s);
        return TS_SYS_EAGAIN;
    }
    *out = s;
    return TS_SYS_OK;
}
#else
static void drain(ts_sampler_place *p) {
    (void)p;
}
ts_sys_err ts_sampler_new(const ts_sampling *how, ts_sampler **out) {
    (void)how;
    *out = NULL;
    return TS_SYS_ENOTSUP;
}
#endif

void ts_sampler_stop(ts_sampler *s) {
    __atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
    ts_thread_join(&s->thread);
    s->thread.started = false;
}
static void free_all(ts_sampler_place *p) {
    for (ts_sampler_place *next; p; p = next) {
        next = p->next;
        free(p);
    }
}
void ts_sampler_free(ts_sampler *s) {
    if (!s) return;
    ts_sampler_stop(s);
    free_all(s->used);
    free_all(s->free);
    ts_lock_destroy(&s->lock);
    free(s);
}

static ts_sampler_place *new_place(ts_sampler *s) { /* under the lock */
    ts_sampler_place *p = s->free;
    if (p)
        s->free = p->next;
    else if (!(p = malloc(sizeof *p + s->how.room)))
        return NULL;
    *p = (ts_sampler_place){.s = s, .next = s->used, .thread = pthread_self()};
    if (pthread_getcpuclockid(p->thread, &p->clock) != 0) p->clock = CLOCK_MONOTONIC;
    s->used = p;
    return p;
}
void ts_sampler_enter(ts_sampler *s, void *subject, ts_sampler_visit *v) {
    *v = (ts_sampler_visit){.place = current};
    if (current && current->s == s) {
        v->outer = current->subject;
        __atomic_store_n(&current->subject, subject, __ATOMIC_RELAXED);
        return;
    }
    v->place = NULL;
    if (current || __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) return; /* one sampler at a time */
    if (!own_id) own_id = (uint64_t)syscall(SYS_gettid);
    ts_lock_take(&s->lock);
    ts_sampler_place *p = new_place(s);
    if (p) p->subject = subject;
    ts_lock_give(&s->lock);
    v->place = p;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    current = p;
}
void ts_sampler_leave(ts_sampler_visit *v) {
    ts_sampler_place *p = v->place;
    if (!p) return;
    if (v->outer) { /* what the sample says of the inner subject must be kept before that ends */
        ts_lock_take(&p->s->lock);
        __atomic_store_n(&p->subject, v->outer, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&p->s->stop, __ATOMIC_ACQUIRE)) drain(p);
        ts_lock_give(&p->s->lock);
        return;
    }
    current = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    ts_sampler *s = p->s;
    ts_lock_take(&s->lock);
    if (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) drain(p);
    ts_sampler_place **at = &s->used;
    while (*at != p) at = &(*at)->next;
    *at = p->next;
    p->next = s->free;
    s->free = p;
    ts_lock_give(&s->lock);
}
