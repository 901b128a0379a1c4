/* quantity: numbers, sizes and times as users write them, and suggestions for misspelt words.
 * In: text. Out: a number, or TS_USAGE; the nearest known word. */
#ifndef TS_QUANTITY_H
#define TS_QUANTITY_H
#include "base/error.h"

typedef enum ts_quantity_unit { TS_QUANTITY_PLAIN, TS_QUANTITY_BYTES, TS_QUANTITY_TIME } ts_quantity_unit;
/* Parses "64MiB", "64k" or "1.5s". The result is between 1 and INT64_MAX. Messages do not repeat the text. */
ts_status ts_quantity_parse(const char *s, ts_quantity_unit unit, uint64_t *out, ts_error *e) TS_MUST_USE;
/* Parses seconds since 1970, or a time such as 2026-01-31T12:00:00Z. */
bool ts_time_parse(const char *s, uint64_t *seconds);

/* Keeps the candidate nearest to a word. `best` stays NULL if none is near. */
typedef struct ts_nearest {
    const char *word, *best;
    size_t len;
    unsigned distance;
} ts_nearest;
ts_nearest ts_nearest_to(const char *word, size_t len);
void ts_nearest_see(ts_nearest *n, const char *candidate);
#endif
