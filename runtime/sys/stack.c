/* stack: see stack.h. Source: pthread_getattr_np(3), getauxval(3), getrlimit(2) */
#define _GNU_SOURCE
#include "sys/stack.h"
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

/* Constant for the life of a thread, except for ts_stack_describe. */
typedef struct bounds {
    uintptr_t low;
    size_t size; /* 0: not known yet */
} bounds;
static __thread __attribute__((tls_model("initial-exec"))) bounds own, described;

/* The main thread's stack grows up to its limit. pthread_getattr_np would return the same, but reads
 * /proc/self/maps. The path of the executable is the highest object on this stack. */
static bool main_bounds(bounds *b) {
    struct rlimit limit;
    uintptr_t top = (uintptr_t)getauxval(AT_EXECFN), here = (uintptr_t)__builtin_frame_address(0);
    if (getpid() != gettid() || !top || getrlimit(RLIMIT_STACK, &limit) != 0) return false;
    size_t size = limit.rlim_cur < 1u << 30 ? (size_t)limit.rlim_cur : 8 << 20; /* without a limit: the usual 8 MiB */
    if (here > top || size > top || top - here > size) return false;
    const uintptr_t page = 4096; /* the path may share its page with other data above it */
    *b = (bounds){.low = top - size + page, .size = size - page};
    return true;
}

static bool thread_bounds(bounds *b) {
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (main_bounds(b)) return true;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return false;
    bool ok = pthread_attr_getstack(&attr, &low, &size) == 0;
    pthread_attr_destroy(&attr);
    if (ok) *b = (bounds){.low = (uintptr_t)low, .size = size};
    return ok;
}

uintptr_t ts_stack_low(void) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (TS_LIKELY(here - own.low < own.size)) return own.low;
    if (here - described.low < described.size) return described.low;
    if (own.size == 0 && !thread_bounds(&own)) own = (bounds){.low = 0, .size = 1}; /* the bounds are unknown */
    return here - own.low < own.size ? own.low : 0;
}

void ts_stack_describe(const void *low, size_t size) {
    described = (bounds){.low = (uintptr_t)low, .size = size};
}

ts_status ts_stack_check(ts_error *e) {
    uintptr_t low = ts_stack_low();
    if (ts_stack_has(low, TS_STACK_NEED)) return TS_OK;
    return ts_fail(e, TS_LIMIT, "the stack of the thread is used up: %zu bytes are left, %u are needed",
                   (size_t)((uintptr_t)__builtin_frame_address(0) - low), (unsigned)TS_STACK_NEED);
}
