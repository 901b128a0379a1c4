/* sys/sampler: interrupts threads about every so many nanoseconds of CPU time that they use, to see what they run.
 * In: threads that say what they work for, and until when. Out: calls of `take` on the interrupted thread, and of
 * `keep` with what it has left.
 *
 * A thread of the sampler looks once a period at the CPU clock of each thread that it has been told of, and sends
 * SIGPROF to those that have used some. A thread that waits is left alone, so that its system calls are not
 * interrupted. The timers of the system, which could send signals too, are as coarse as its clock tick: 4 ms on many
 * machines.
 * Source: POSIX pthread_getcpuclockid, pthread_kill, sigaction */
#ifndef TS_SYS_SAMPLER_H
#define TS_SYS_SAMPLER_H
#include "sys/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ts_sampler ts_sampler;
/* Where a thread was interrupted (sys/registers.h has the numbers of registers). */
typedef struct ts_sampled {
    uintptr_t pc;
    uintptr_t regs[32];
} ts_sampled;
typedef struct ts_sample {
    uint64_t thread;  /* of the system */
    uint64_t time_ns; /* of the monotonic clock */
    uint64_t cpu_ns;  /* CPU time of the thread since its last sample */
    const void *bytes;
    size_t len;
} ts_sample;
typedef struct ts_sampling {
    uint64_t period_ns;
    size_t room; /* bytes of a sample */
    /* Called in a signal handler, so that it may only do what is async-signal-safe. Writes at most `room` bytes to
     * `to` and returns their number. 0: there is no sample now. */
    size_t (*take)(void *subject, const ts_sampled *at, void *to);
    /* Called by one thread at a time, soon after. */
    void (*keep)(void *data, const ts_sample *s);
    void *data;
} ts_sampling;

/* Starts a sampler. *out is NULL on failure. */
ts_sys_err ts_sampler_new(const ts_sampling *how, ts_sampler **out);
/* Returns when `keep` is not called any more. Threads may still enter and leave. */
void ts_sampler_stop(ts_sampler *s);
void ts_sampler_free(ts_sampler *s); /* stops it; no thread may be inside; NULL is allowed */

typedef struct ts_sampler_place ts_sampler_place;
typedef struct ts_sampler_visit { /* kept by the caller from enter to leave */
    ts_sampler_place *place;
    void *outer;
} ts_sampler_visit;
/* The calling thread works for `subject` from now on. Visits nest. Without memory the thread is not sampled. */
void ts_sampler_enter(ts_sampler *s, void *subject, ts_sampler_visit *v);
void ts_sampler_leave(ts_sampler_visit *v);
#endif
