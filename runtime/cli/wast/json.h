/* json: a small strict JSON reader (RFC 8259), and a writer of strings.
 * In: UTF-8 text. Out: a tree in an arena, or malformed with the byte offset. Strings may contain NUL bytes,
 * so they have a length too. */
#ifndef TS_CLI_JSON_H
#define TS_CLI_JSON_H
#include "base/arena.h"
#include "base/error.h"
#include <stdio.h>

typedef enum ts_json_kind {
    TS_JSON_NULL,
    TS_JSON_BOOL,
    TS_JSON_NUMBER,
    TS_JSON_STRING,
    TS_JSON_ARRAY,
    TS_JSON_OBJECT
} ts_json_kind;
typedef struct ts_json ts_json;
struct ts_json {
    ts_json_kind kind;
    bool boolean;
    double number;
    const char *str; /* NUL-terminated */
    uint32_t len;
    const char *key; /* set if it is a member of an object; NUL-terminated */
    uint32_t key_len;
    const ts_json *child; /* first element or member */
    const ts_json *next;  /* sibling */
};

ts_status ts_json_parse(ts_arena *a, const char *text, size_t len, const ts_json **out, ts_error *e) TS_MUST_USE;
const ts_json *ts_json_get(const ts_json *object, const char *key);      /* NULL: no such member */
const ts_json *ts_json_get_text(const ts_json *object, const char *key); /* NULL: no such string */
const char *ts_json_get_str(const ts_json *object, const char *key);     /* NULL: no such string */
uint32_t ts_json_count(const ts_json *v);                                /* the number of elements or members */
uint64_t ts_json_bits(const char *s);                                    /* an integer, as its bits modulo 2^64 */
void ts_json_write_str(FILE *out, const char *s, size_t len);            /* including the quotes */
#endif
