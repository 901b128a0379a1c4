/* toml: TOML 1.0, the whole grammar, as a tree of values.
 * In: a file's bytes. Out: the root table, in an arena; TS_USAGE with the line of what is wrong. Source: toml.io/en/v1.0.0 */
#ifndef TS_BASE_TOML_H
#define TS_BASE_TOML_H
#include "base/arena.h"
#include "base/error.h"

typedef enum ts_toml_kind {
    TS_TOML_STRING,
    TS_TOML_INTEGER,
    TS_TOML_FLOAT,
    TS_TOML_BOOL,
    TS_TOML_OFFSET_DATETIME,
    TS_TOML_LOCAL_DATETIME,
    TS_TOML_LOCAL_DATE,
    TS_TOML_LOCAL_TIME,
    TS_TOML_ARRAY,
    TS_TOML_TABLE,
} ts_toml_kind;

typedef struct ts_toml ts_toml;
struct ts_toml {
    ts_toml_kind kind;
    uint32_t line;
    const char *key; /* in a table; may hold NULs, and ends with one */
    size_t key_len;
    ts_toml *next;    /* in the table or array that it stands in, in the file's order */
    const char *text; /* a string's contents, likewise; of numbers, booleans and times what the file has */
    size_t len;
    int64_t integer;
    double number; /* of a float */
    bool boolean;
    ts_toml *first, *last; /* of a table or an array */
    uint32_t count;
    /* the parser's own */
    uint32_t id, section;               /* of a table; the header under which dotted keys made it */
    bool defined, dotted, closed, many; /* by a header; by dotted keys; inline; an array of tables */
};

/* `name` is for messages: "p.toml". Strings and keys are in the arena, or in `bytes`. */
ts_status ts_toml_parse(ts_arena *arena, const char *name, const char *bytes, size_t len, ts_toml **root,
                        ts_error *e) TS_MUST_USE;
#endif
