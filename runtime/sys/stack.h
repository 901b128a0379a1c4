/* stack: how much is left of the stack that the calling thread runs on.
 * In: the bounds of the thread's stack, read from the OS once per thread. Out: whether enough stack is left.
 *
 * Recursion whose depth depends on the input either has a fixed limit or checks here at each level, because
 * the caller's thread may have a small stack. */
#ifndef TS_SYS_STACK_H
#define TS_SYS_STACK_H
#include "base/error.h"

/* The stack that must be left at each level of such a recursion, and where guests and host callbacks are
 * called. It is enough for everything that does not check again: walks over types, which are at most
 * TS_CT_MAX_DEPTH deep; a compilation; a system call; a backtrace. Frames are several times larger under
 * sanitizers and without optimization. */
#if defined(__SANITIZE_ADDRESS__)
#define TS_STACK_NEED_SCALE 4
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define TS_STACK_NEED_SCALE 4
#endif
#endif
#ifndef TS_STACK_NEED_SCALE
#ifdef __OPTIMIZE__
#define TS_STACK_NEED_SCALE 1
#else
#define TS_STACK_NEED_SCALE 2
#endif
#endif
enum { TS_STACK_NEED = TS_STACK_NEED_SCALE * (64 << 10) };

/* Returns the lowest address of the stack that the calling thread runs on, or 0 if its bounds are unknown. */
uintptr_t ts_stack_low(void);
/* A thread that switches to another stack must describe it here, and undo this with (0, 0). */
void ts_stack_describe(const void *low, size_t size);

/* low is the result of ts_stack_low on this stack. */
static inline bool ts_stack_has(uintptr_t low, size_t bytes) {
    return TS_LIKELY((uintptr_t)__builtin_frame_address(0) - low > bytes);
}
/* Returns TS_LIMIT if less than TS_STACK_NEED is left. */
ts_status ts_stack_check(ts_error *e) TS_MUST_USE;
#endif
