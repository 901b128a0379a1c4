/* thread: a lock, and running one function on several threads at once.
 * In: a function and its data. Out: the function has returned on every thread. */
#ifndef TS_SYS_THREAD_H
#define TS_SYS_THREAD_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ts_lock {
    pthread_mutex_t m;
} ts_lock;
static inline bool ts_lock_init(ts_lock *l) {
    return pthread_mutex_init(&l->m, NULL) == 0;
}
static inline void ts_lock_destroy(ts_lock *l) {
    pthread_mutex_destroy(&l->m);
}
static inline void ts_lock_take(ts_lock *l) {
    pthread_mutex_lock(&l->m);
}
static inline bool ts_lock_try(ts_lock *l) { /* does not wait */
    return pthread_mutex_trylock(&l->m) == 0;
}
static inline void ts_lock_give(ts_lock *l) {
    pthread_mutex_unlock(&l->m);
}

/* What is done once in a process, whichever thread needs it first. */
typedef pthread_once_t ts_once;
#define TS_ONCE_INIT PTHREAD_ONCE_INIT
static inline void ts_once_run(ts_once *o, void (*fn)(void)) {
    pthread_once(o, fn);
}

/* A condition whose timed waits take times of the monotonic clock. */
bool ts_cond_init(pthread_cond_t *c);

/* One thread beside the caller's. */
typedef struct ts_thread {
    pthread_t id;
    bool started;
    void (*fn)(void *data);
    void *data;
} ts_thread;
bool ts_thread_start(ts_thread *t, void (*fn)(void *data), void *data); /* false if the OS creates none */
void ts_thread_join(ts_thread *t);                                      /* does nothing if not started */

uint64_t ts_process_id(void); /* as the system knows it */
unsigned ts_cpu_count(void);  /* CPUs that this process may run on; at least 1 */
/* Lets all threads of the process share n arenas of malloc, where it is glibc's. To be called before they start. */
void ts_sys_share_malloc(unsigned n);
/* Runs fn(data) on n threads including the caller's, or on fewer if the OS creates no more.
 * Returns when all have ended. */
void ts_parallel(unsigned n, void (*fn)(void *data), void *data);
#endif
