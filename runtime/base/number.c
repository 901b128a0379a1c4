/* number: see number.h. */
#define _GNU_SOURCE
#include "base/number.h"
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The locale of this thread is the C locale between enter and leave. The C libraries keep that locale as a
 * constant, so newlocale does not fail; if it does, the locale stays what it is. */
typedef struct scope {
    locale_t c, before;
} scope;
static scope enter_c_locale(void) {
    scope s = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (s.c) s.before = uselocale(s.c);
    return s;
}
static void leave_c_locale(scope s) {
    if (!s.c) return;
    uselocale(s.before);
    freelocale(s.c);
}

double ts_strtod(const char *s, char **end) {
    scope in = enter_c_locale();
    double d = strtod(s, end);
    leave_c_locale(in);
    return d;
}
float ts_strtof(const char *s, char **end) {
    scope in = enter_c_locale();
    float f = strtof(s, end);
    leave_c_locale(in);
    return f;
}
int ts_snprintf(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    scope in = enter_c_locale();
    int n = vsnprintf(buf, size, fmt, ap);
    leave_c_locale(in);
    va_end(ap);
    return n;
}
