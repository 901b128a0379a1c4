/* thread: a lock, and running one function on several threads at once.
 * In: a function and its data. Out: the function has returned on every thread. */
#define _GNU_SOURCE
#include "sys/thread.h"
#include <sched.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

uint64_t ts_process_id(void) {
    return (uint64_t)getpid();
}
unsigned ts_cpu_count(void) {
#ifdef CPU_COUNT
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (unsigned)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

enum { ARENAS_OF_CPU = 8 }; /* what glibc makes by itself, at most */
/* glibc makes up to eight arenas a processor and spreads threads over them. Memory that was freed in one arena is
 * of no use to the threads of another, and most of it is not returned to the system. With many threads that wait,
 * as those of a server, it adds up. glibc's sizes for mapping and trimming stay as they are: constant ones make
 * it map and unmap the large blocks of each instance. */
void ts_sys_share_malloc(unsigned n) {
#ifdef __GLIBC__
    unsigned most = ARENAS_OF_CPU * ts_cpu_count();
    (void)mallopt(M_ARENA_MAX, (int)(n < most ? n : most));
#else
    (void)n;
#endif
}

bool ts_cond_init(pthread_cond_t *c) {
    pthread_condattr_t a;
    if (pthread_condattr_init(&a)) return false;
    bool ok = pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0 && pthread_cond_init(c, &a) == 0;
    pthread_condattr_destroy(&a);
    return ok;
}

struct job {
    void (*fn)(void *data);
    void *data;
};
static void *run(void *p) {
    struct job *j = p;
    j->fn(j->data);
    return NULL;
}

void ts_parallel(unsigned n, void (*fn)(void *data), void *data) {
    enum { MAX = 64 };
    pthread_t t[MAX];
    struct job j = {fn, data};
    unsigned started = 0;
    while (started + 1 < n && started < MAX && pthread_create(&t[started], NULL, run, &j) == 0) started++;
    fn(data);
    while (started > 0) pthread_join(t[--started], NULL);
}

static void *run_one(void *p) {
    ts_thread *t = p;
    t->fn(t->data);
    return NULL;
}

bool ts_thread_start(ts_thread *t, void (*fn)(void *data), void *data) {
    t->fn = fn;
    t->data = data;
    t->started = pthread_create(&t->id, NULL, run_one, t) == 0;
    return t->started;
}

void ts_thread_join(ts_thread *t) {
    if (t->started) pthread_join(t->id, NULL);
    t->started = false;
}
