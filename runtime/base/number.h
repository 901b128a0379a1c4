/* number: reading and printing floating-point numbers with a decimal point, whatever the locale of the
 * process is.
 * In: text, or numbers and a format. Out: numbers, or text. Source: C11 7.22.1.3 (strtod), POSIX uselocale(3)
 *
 * An embedder may have called setlocale(): strtod and printf then want and write its decimal separator. */
#ifndef TS_BASE_NUMBER_H
#define TS_BASE_NUMBER_H
#include "base/error.h"

/* strtod and strtof in the C locale. *end is set to the first character that is not part of the number; end
 * may be NULL. */
double ts_strtod(const char *s, char **end);
float ts_strtof(const char *s, char **end);
/* snprintf in the C locale: for formats that print a double. */
int ts_snprintf(char *buf, size_t size, const char *fmt, ...) TS_PRINTF(3, 4);

/* The classes of ASCII characters. Unlike those of <ctype.h> they do not depend on the locale. */
static inline bool ts_is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool ts_is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool ts_is_xdigit(char c) {
    return ts_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
#endif
