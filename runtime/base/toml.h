/* toml: a parser for the whole of TOML 1.0; it builds a tree of values.
 * In: a file's bytes. Out: the root table, in an arena; or TS_USAGE with the line of the mistake.
 * Source: toml.io/en/v1.0.0 */
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
    const char *key; /* of a member of a table; NUL-terminated, and may contain NULs */
    size_t key_len;
    ts_toml *next;    /* the next element of the same table or array, in file order */
    const char *text; /* a string's contents, like key; of other scalars, their text in the file */
    size_t len;
    int64_t integer;
    double number; /* of a float */
    bool boolean;
    ts_toml *first, *last; /* of a table or an array */
    uint32_t count;
    /* used only by the parser */
    uint32_t id, section;               /* of a table; the section whose dotted keys created it */
    bool defined, dotted, closed, many; /* by a header; by dotted keys; inline table; array of tables */
};

/* `name` appears in messages: "p.toml". Strings and keys point into the arena or into `bytes`. */
ts_status ts_toml_parse(ts_arena *arena, const char *name, const char *bytes, size_t len, ts_toml **root,
                        ts_error *e) TS_MUST_USE;
#endif
