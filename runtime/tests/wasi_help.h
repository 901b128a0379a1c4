/* wasi_help: calling host functions of wasi/ directly, as the canonical ABI would.
 * In: a context. Out: results, or the error of the call. */
#ifndef TS_TESTS_WASI_HELP_H
#define TS_TESTS_WASI_HELP_H
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "wasi/wasi.h"

typedef struct host {
    ts_wasi *w;
    ts_arena arena;
    ts_error err;
    ts_host_call call;
    ts_val result;
    ts_status status;
} host;

static inline int host_new(void **state) {
    host *h = calloc(1, sizeof *h);
    ts_error_init(&h->err);
    if (ts_wasi_new(&h->w, &h->err) != TS_OK) return -1;
    ts_arena_init(&h->arena);
    h->call = (ts_host_call){.host = h->w, .arena = &h->arena, .err = &h->err, .max_bytes = 1 << 24};
    *state = h;
    return 0;
}
static inline int host_end(void **state) {
    host *h = *state;
    ts_wasi_free(h->w);
    ts_arena_free(&h->arena);
    free(h);
    return 0;
}
/* Each call starts with a clean error and result; the arena is kept until the test ends. */
#pragma GCC diagnostic ignored "-Wmissing-braces" /* gcc wants braces for the union inside ts_val */
#define CALL(h, fn, ...)                                                                                               \
    ({                                                                                                                 \
        const ts_val args_[] = {{.b = false}, __VA_ARGS__}; /* they may use the last result */                         \
        ts_error_init(&(h)->err);                                                                                      \
        (h)->result = (ts_val){0};                                                                                     \
        (h)->status = fn(&(h)->call, args_ + 1, &(h)->result);                                                         \
    })
#define OK(h, fn, ...) assert_int_equal(CALL(h, fn, __VA_ARGS__), TS_OK)
/* … of a result<T, E>: ok, and its payload */
#define GOOD(h, fn, ...)                                                                                               \
    do {                                                                                                               \
        OK(h, fn, __VA_ARGS__);                                                                                        \
        assert_int_equal((h)->result.variant.disc, 0);                                                                 \
    } while (0)
#define BAD(h, code, fn, ...)                                                                                          \
    do {                                                                                                               \
        OK(h, fn, __VA_ARGS__);                                                                                        \
        assert_int_equal((h)->result.variant.disc, 1);                                                                 \
        assert_int_equal((h)->result.variant.payload->variant.disc, code);                                             \
    } while (0)
#define TRAPS(h, fn, ...) assert_int_equal(CALL(h, fn, __VA_ARGS__), TS_TRAP)
#define H(v) ((ts_val){.handle = {.rep = (v)}})
#define STR(s) ((ts_val){.str = {(s), strlen(s)}})
#define BYTES(s, n) ((ts_val){.raw = {(s), (n)}})
#define U64(n) ((ts_val){.u64 = (n)})
#define FLAGS(n) ((ts_val){.flags = {.bits = (n)}})
static inline uint64_t rep(const host *h) {
    return h->result.handle.rep;
}
static inline uint64_t rep_ok(const host *h) {
    return h->result.variant.payload->handle.rep;
}
#endif
