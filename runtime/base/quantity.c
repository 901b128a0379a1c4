/* quantity: see quantity.h */
#include "base/quantity.h"
#include <stdlib.h>
#include <string.h>

typedef struct unit_name {
    const char *name;
    uint64_t factor;
} unit_name;
static const unit_name sizes[] = {{"", 1},
                                  {"B", 1},
                                  {"k", 1u << 10},
                                  {"K", 1u << 10},
                                  {"kB", 1000},
                                  {"KB", 1000},
                                  {"KiB", 1u << 10},
                                  {"kib", 1u << 10},
                                  {"m", 1u << 20},
                                  {"M", 1u << 20},
                                  {"MB", 1000000},
                                  {"MiB", 1u << 20},
                                  {"mib", 1u << 20},
                                  {"g", 1u << 30},
                                  {"G", 1u << 30},
                                  {"GB", 1000000000},
                                  {"GiB", 1u << 30},
                                  {"gib", 1u << 30},
                                  {"t", UINT64_C(1) << 40},
                                  {"T", UINT64_C(1) << 40},
                                  {"TB", 1000000000000},
                                  {"TiB", UINT64_C(1) << 40},
                                  {"tib", UINT64_C(1) << 40}};
static const unit_name times[] = {{"", 1000000000}, {"s", 1000000000},   {"ms", 1000000},      {"us", 1000},
                                  {"ns", 1},        {"m", 60000000000u}, {"h", 3600000000000u}};
static const unit_name none[] = {{"", 1}};

ts_status ts_quantity_parse(const char *s, ts_quantity_unit unit, uint64_t *out, ts_error *e) {
    uint64_t whole = 0, fraction = 0, scale = 1, add;
    bool fits = true;
    const char *p = s;
    if (*p < '0' || *p > '9') return ts_fail(e, TS_USAGE, "a number is expected");
    for (; *p >= '0' && *p <= '9'; p++)
        fits &=
            !__builtin_mul_overflow(whole, 10u, &whole) && !__builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole);
    if (*p == '.' && unit != TS_QUANTITY_PLAIN && p[1] >= '0' && p[1] <= '9')
        for (p++; *p >= '0' && *p <= '9'; p++)
            if (scale < 1000000000u) fraction = fraction * 10 + (uint64_t)(*p - '0'), scale *= 10;
    const unit_name *units = unit == TS_QUANTITY_BYTES ? sizes : unit == TS_QUANTITY_TIME ? times : none;
    size_t n = unit == TS_QUANTITY_BYTES  ? sizeof sizes / sizeof *sizes
               : unit == TS_QUANTITY_TIME ? sizeof times / sizeof *times
                                          : 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t factor = units[i].factor;
        if (strcmp(p, units[i].name) != 0) continue;
        if (scale > 1 && factor == 1)
            return ts_fail(e, TS_USAGE,
                           unit == TS_QUANTITY_BYTES
                               ? "a fraction of a byte is not a size: add a unit such as k, M or G"
                               : "a fraction of a nanosecond is not a time");
        add = fraction * (factor / scale) + fraction * (factor % scale) / scale;
        fits = fits && !__builtin_mul_overflow(whole, factor, out) && !__builtin_add_overflow(*out, add, out);
        if (!fits || *out > INT64_MAX) return ts_fail(e, TS_USAGE, "out of range: the number is too large");
        return *out ? TS_OK : ts_fail(e, TS_USAGE, "out of range: at least 1 is expected");
    }
    switch (unit) {
    case TS_QUANTITY_PLAIN: return ts_fail(e, TS_USAGE, "a whole number without a unit is expected");
    case TS_QUANTITY_BYTES:
        return ts_fail(e, TS_USAGE,
                       "`%.40s` is not a unit of sizes: k, KiB, M, MiB, G, GiB, T, TiB (of 1024), kB, MB, GB, TB (of "
                       "1000), or none for bytes",
                       p);
    case TS_QUANTITY_TIME: break;
    }
    return ts_fail(e, TS_USAGE, "`%.40s` is not a unit of time: h, m, s, ms, us, ns, or none for seconds", p);
}

/* Returns the days since 1970-01-01 in the Gregorian calendar. */
static int64_t days(int64_t y, int64_t m, int64_t d) {
    if (m <= 2) y--, m += 12; /* count the year from March, so that the leap day comes last */
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 1 - 719468;
}
bool ts_time_parse(const char *s, uint64_t *seconds) {
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ"; /* RFC 3339, UTC only */
    int64_t f[6] = {0};
    size_t len = strlen(s), k = 0;
    if (len && len <= 12 && strspn(s, "0123456789") == len) {
        *seconds = strtoull(s, NULL, 10);
        return true;
    }
    if (len != sizeof shape - 1) return false;
    for (size_t i = 0; i < len; i++) {
        if (shape[i] != 'd') {
            if (s[i] != shape[i]) return false;
            k++;
        } else if (s[i] >= '0' && s[i] <= '9')
            f[k] = f[k] * 10 + (s[i] - '0');
        else
            return false;
    }
    if (f[0] < 1970 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[3] > 23 || f[4] > 59 || f[5] > 59) return false;
    int64_t day = days(f[0], f[1], f[2]), next = f[1] == 12 ? days(f[0] + 1, 1, 1) : days(f[0], f[1] + 1, 1);
    if (day >= next) return false;
    *seconds = (uint64_t)(day * 86400 + f[3] * 3600 + f[4] * 60 + f[5]);
    return true;
}

/* --- the nearest word --- */
enum { WORD_MOST = 48 };
static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '_' ? '-' : c;
}
/* Counts insertions, deletions, substitutions and swaps of neighbours (Damerau-Levenshtein distance, in which
 * no place is edited twice). */
static unsigned distance(const char *a, size_t n, const char *b, size_t m) {
    unsigned rows[3][WORD_MOST + 1];
    for (size_t j = 0; j <= m; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            unsigned d = up[j - 1] + (x != y);
            if (up[j] + 1 < d) d = up[j] + 1;
            if (now[j - 1] + 1 < d) d = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) && upper[j - 2] + 1 < d)
                d = upper[j - 2] + 1;
            now[j] = d;
        }
    }
    return rows[n % 3][m];
}
ts_nearest ts_nearest_to(const char *word, size_t len) {
    return (ts_nearest){.word = word, .len = len, .distance = len < 3 ? 1 : len / 3 + 2};
}
void ts_nearest_see(ts_nearest *n, const char *candidate) {
    size_t m = strlen(candidate);
    if (!n->len || n->len > WORD_MOST || m > WORD_MOST) return;
    unsigned d = distance(n->word, n->len, candidate, m);
    if (d >= n->distance) return;
    n->distance = d;
    n->best = candidate;
}
