/* module_help: modules for tests, written as bytes: a section by its id and content, lengths counted.
 * In: section contents below 128 bytes. Out: what decoding and validation say. */
#ifndef TS_TESTS_MODULE_HELP_H
#define TS_TESTS_MODULE_HELP_H
#include "core/run/store.h"
#include <string.h>

typedef struct build {
    uint8_t bytes[4096];
    size_t len;
} build;
static inline void put(build *b, const void *p, size_t n) {
    memcpy(b->bytes + b->len, p, n);
    b->len += n;
}
static inline build module_start(void) {
    build b = {.len = 0};
    put(&b, "\0asm\1\0\0\0", 8);
    return b;
}
static inline void section(build *b, uint8_t id, const void *p, size_t n) {
    put(b, &id, 1);
    put(b, &(uint8_t){(uint8_t)n}, 1);
    put(b, p, n);
}
#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define SECTION(b, id, ...) section(b, id, BYTES(__VA_ARGS__))

/* Decode and validate without compiling. */
static inline ts_status check_module(ts_engine *engine, const void *bytes, size_t len, ts_error *e) {
    ts_module m = {.engine = engine, .refs = 1, .features = ts_engine_features(engine), .bytes = bytes, .len = len};
    ts_error_init(e);
    ts_arena_init(&m.arena);
    ts_status s = ts_module_decode(&m, e);
    if (s == TS_OK) s = ts_module_validate(&m, e);
    ts_map_free(&m.export_map);
    ts_arena_free(&m.arena);
    return s;
}
/* A module with one function of this type (the content of its only type entry) and this body, locals included. */
static inline ts_status check_func(ts_engine *engine, const void *type, size_t type_len, const void *body,
                                   size_t body_len, ts_error *e) {
    build b = module_start(), t = {.len = 0}, c = {.len = 0};
    put(&t, "\1", 1);
    put(&t, type, type_len);
    section(&b, 1, t.bytes, t.len);
    SECTION(&b, 3, 1, 0);
    SECTION(&b, 4, 1, 0x70, 0, 1); /* a table of functions */
    SECTION(&b, 5, 1, 0, 1);       /* a memory */
    put(&c, "\1", 1);
    put(&c, &(uint8_t){(uint8_t)body_len}, 1);
    put(&c, body, body_len);
    section(&b, 10, c.bytes, c.len);
    return check_module(engine, b.bytes, b.len, e);
}
#endif
