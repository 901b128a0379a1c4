/* assert: what holds unless this library is wrong. What a guest or an embedder may get wrong is no assertion: it is checked, and fails them.
 * In: a condition without side effects. Out: nothing; where it is false, its text and place on stderr, and an abort.
 * Assertions are compiled in by TS_ASSERTIONS (make ASSERT=1, SANITIZE=1, fuzz); other builds do not evaluate them. */
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
