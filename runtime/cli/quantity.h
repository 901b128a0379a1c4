/* quantity: numbers, sizes and times as users write them, and the nearest of the words that they may have meant.
 * In: text. Out: a number, or TS_USAGE. */
#ifndef TS_CLI_QUANTITY_H
#define TS_CLI_QUANTITY_H
#include "base/error.h"

typedef enum ts_cli_unit { TS_CLI_PLAIN, TS_CLI_BYTES, TS_CLI_NANOSECONDS } ts_cli_unit;
/* "64MiB", "64k", "1.5s": from 1 to INT64_MAX. */
ts_status ts_cli_quantity(const char *option, const char *s, ts_cli_unit unit, uint64_t *out, ts_error *e) TS_MUST_USE;
/* Seconds since 1970, or 2026-01-31T12:00:00Z. */
bool ts_cli_clock(const char *s, uint64_t *seconds);

/* Of the candidates that were seen, the nearest one to a word; `best` stays NULL when none is near. */
typedef struct ts_cli_nearest {
    const char *word, *best;
    size_t len;
    unsigned distance;
} ts_cli_nearest;
ts_cli_nearest ts_cli_nearest_to(const char *word, size_t len);
void ts_cli_nearest_see(ts_cli_nearest *n, const char *candidate);
#endif
