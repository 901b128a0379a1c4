/* stack: how much is left of the stack that the calling thread runs on.
 * In: the bounds of the thread's stack, asked of the OS once a thread. Out: whether there is room to go on.
 *
 * Recursion whose depth the input decides has a fixed limit, or asks here at each level: the caller's thread may be small. */
#ifndef TS_SYS_STACK_H
#define TS_SYS_STACK_H
#include "base/error.h"

/* What must be left wherever such a recursion goes on, and where guests and callbacks of the host are called: it is enough for everything
 * that does not ask again (walks over types, which are at most TS_CT_MAX_DEPTH deep; a compilation; a system call; a backtrace). Frames are
 * several times as large under sanitizers and without optimization. */
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

/* The lowest address of the stack that the calling thread runs on; 0: it runs on a stack that nobody has described. */
uintptr_t ts_stack_low(void);
/* A thread that runs on a stack other than its own says so, and takes it back with (0, 0). */
void ts_stack_describe(const void *low, size_t size);

/* low: as ts_stack_low has returned on this stack. */
static inline bool ts_stack_has(uintptr_t low, size_t bytes) {
    return TS_LIKELY((uintptr_t)__builtin_frame_address(0) - low > bytes);
}
/* TS_LIMIT where less than TS_STACK_NEED is left. */
ts_status ts_stack_check(ts_error *e) TS_MUST_USE;
#endif
