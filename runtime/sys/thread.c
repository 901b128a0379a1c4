/* thread: a lock, and running one function on several threads at once.
 * In: a function and its data. Out: it has run to its end on every thread. */
#define _GNU_SOURCE
#include "sys/thread.h"
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

unsigned ts_cpu_count(void) {
#ifdef CPU_COUNT
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (unsigned)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
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
