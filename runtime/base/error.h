/* error: filling the caller's ts_error; the first error wins.
 * In: a status and a printf message. Out: the same status, so that `return ts_fail(...)` reads well. */
#ifndef TS_BASE_ERROR_H
#define TS_BASE_ERROR_H
#include <stdarg.h>
#include "touchstone.h"

ts_status ts_fail(ts_error *e, ts_status s, const char *fmt, ...) TS_PRINTF(3, 4);
/* A failure at a byte offset of the input, in a section ("code", "component type" …; NULL: none). */
ts_status ts_fail_at(ts_error *e, ts_status s, uint64_t offset, const char *section, const char *fmt, ...)
    TS_PRINTF(5, 6);
ts_status ts_fail_trap(ts_error *e, ts_trap_kind k, const char *fmt, ...) TS_PRINTF(3, 4);
/* Adds an offset and a section to a failure that a callee has reported without them. Returns `s`. */
ts_status ts_error_locate(ts_error *e, ts_status s, uint64_t offset, const char *section);
/* A failure because of a limit: TS_LIMIT if k is TS_TRAP_NONE, otherwise a trap of kind k. */
ts_status ts_fail_limit(ts_error *e, ts_limit_kind limit, ts_trap_kind k, const char *fmt, ...) TS_PRINTF(4, 5);
ts_status ts_fail_nomem(ts_error *e);

/* Returns from the calling function with the status of expr, unless it is TS_OK. */
#define TS_TRY(expr)                                                                                                   \
    do {                                                                                                               \
        ts_status ts_try_s_ = (expr);                                                                                  \
        if (ts_try_s_ != TS_OK) return ts_try_s_;                                                                      \
    } while (0)
/* Formats a number of bytes in the largest unit that divides it: "8 MiB", "65537 bytes". Returns buf. */
enum { TS_SIZE_TEXT = 32 };
const char *ts_size_text(uint64_t bytes, char buf[TS_SIZE_TEXT]);
/* Formats nanoseconds in the same way: "50 ms". */
const char *ts_time_text(uint64_t ns, char buf[TS_SIZE_TEXT]);
/* Checks an argument of a public function: returns TS_USAGE from it if the condition is false. */
#define TS_NEED(e, condition)                                                                                          \
    do {                                                                                                               \
        if (TS_UNLIKELY(!(condition)))                                                                                 \
            return ts_fail((e), TS_USAGE, "%s: a pointer is NULL: %s", __func__, #condition);                          \
    } while (0)
/* Functions that call guests or host callbacks always need an error:
 * use a local one if the caller passes NULL. */
#define TS_NEED_ERROR(e)                                                                                               \
    ts_error own_error_;                                                                                               \
    if (TS_UNLIKELY(!(e))) {                                                                                           \
        ts_error_init(&own_error_);                                                                                    \
        (e) = &own_error_;                                                                                             \
    }
#define TS_LIKELY(x) __builtin_expect(!!(x), 1)
#define TS_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* A large variable of a function that is called often. Builds that zero all variables leave it out. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define TS_FILLED_LATER __attribute__((uninitialized))
#endif
#endif
#ifndef TS_FILLED_LATER
#define TS_FILLED_LATER
#endif
/* A function that hot code calls rarely. It is not inlined. Where the compiler can do that, it saves all
 * registers itself, so that its callers do not have to. */
#if defined(__has_attribute)
#if __has_attribute(preserve_most) && (defined(__x86_64__) || defined(__aarch64__))
#define TS_RARE __attribute__((noinline, preserve_most))
#endif
#endif
#ifndef TS_RARE
#define TS_RARE __attribute__((noinline))
#endif
#endif
