/* assert: see assert.h. */
#include "base/assert.h"
#ifdef TS_ASSERTIONS
#include <stdio.h>
#include <stdlib.h>

void ts_assert_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "touchstone: assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
#endif
