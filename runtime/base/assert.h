/* assert: conditions that are true unless this library has a bug. Mistakes of a guest or an embedder are not
 * asserted: they are checked in every build and reported as errors.
 * In: a condition without side effects. Out: nothing; if it is false, prints its text and place on stderr and
 * aborts. TS_ASSERTIONS compiles assertions in (make ASSERT=1, SANITIZE=1, fuzz); other builds do not
 * evaluate them. */
#ifndef TS_BASE_ASSERT_H
#define TS_BASE_ASSERT_H
#include <stdbool.h>

#ifdef TS_ASSERTIONS
__attribute__((noreturn, cold)) void ts_assert_failed(const char *condition, const char *file, int line);
#define TS_ASSERT(c) ((c) ? (void)0 : ts_assert_failed(#c, __FILE__, __LINE__))
#else
#define TS_ASSERT(c) ((void)sizeof(!(c)))
#endif
#endif
