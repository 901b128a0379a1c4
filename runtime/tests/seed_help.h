/* seed_help: the modules of runtime/fuzz/seeds, instantiated and called by the tests.
 * In: a seed's name, limits. Out: a fixture with one instance. */
#ifndef TS_TESTS_SEED_HELP_H
#define TS_TESTS_SEED_HELP_H
#include "core/run/store.h"
#include "core/load/load.h"
#include "sys/fault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct seed {
    ts_engine *engine;
    ts_module *module;
    ts_store *store;
    ts_instance *inst;
    ts_slot io[16];
    ts_error e;
    ts_frame frames[TS_MAX_FRAMES];
} seed;

/* The test library puts handlers of its own in place before each test; faults of guests have to find ours. */
static inline void seed_handlers(void) {
    static struct sigaction segv, bus;
    static bool known;
    if (!ts_fault_install()) return;
    if (!known) {
        sigaction(SIGSEGV, NULL, &segv);
        sigaction(SIGBUS, NULL, &bus);
        known = true;
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
}
static inline uint8_t *seed_bytes(const char *name, size_t *len) {
    char path[256];
    seed_handlers();
    snprintf(path, sizeof path, "runtime/fuzz/seeds/fuzz_exec/%s.wasm", name); /* tests run in the project's root */
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s cannot be opened", path);
    uint8_t *p = malloc(1 << 16);
    assert_non_null(p);
    *len = fread(p, 1, 1 << 16, f);
    fclose(f);
    assert_in_range(*len, 8, (1 << 16) - 1);
    return p;
}

/* The tier of the engines that seed_open makes. */
static ts_tier seed_tier;
#define EACH_SEED_TIER(t) (ts_tier t = TS_TIER_INTERPRETED; t <= TS_TIER_COMPILED_MIXED && (seed_tier = t, true); t++)
/* The rows of a test that runs in each tier. */
static inline int seed_in_tier(void **state, ts_tier t) {
    (void)state;
    seed_tier = t;
    return 0;
}
static inline int seed_interpreted(void **state) {
    return seed_in_tier(state, TS_TIER_INTERPRETED);
}
static inline int seed_compiled(void **state) {
    return seed_in_tier(state, TS_TIER_COMPILED);
}
static inline int seed_compiled_at_once(void **state) {
    return seed_in_tier(state, TS_TIER_COMPILED_AT_ONCE);
}
static inline int seed_compiled_mixed(void **state) {
    return seed_in_tier(state, TS_TIER_COMPILED_MIXED);
}
#define SEED_TESTS(f)                                                                                                  \
    {#f ", interpreted", f, seed_interpreted, NULL, NULL}, {#f ", compiled", f, seed_compiled, NULL, NULL},            \
        {#f ", compiled at once", f, seed_compiled_at_once, NULL, NULL}, {                                             \
        #f ", compiled mixed", f, seed_compiled_mixed, NULL, NULL                                                      \
    }

static inline seed *seed_open(const char *name, const ts_store_limits *limits) {
    seed *s = calloc(1, sizeof *s);
    size_t len;
    uint8_t *bytes = seed_bytes(name, &len);
    assert_non_null(s);
    assert_int_equal(ts_engine_create(&s->engine, &s->e), TS_OK);
    ts_engine_set_tier(s->engine, seed_tier);
    assert_int_equal(ts_module_new(s->engine, bytes, len, true, &s->module, &s->e), TS_OK);
    free(bytes);
    assert_int_equal(ts_store_create(s->engine, limits, &s->store, &s->e), TS_OK);
    if (ts_instantiate(s->store, s->module, NULL, name, &s->inst, &s->e) != TS_OK) fail_msg("%s", s->e.message);
    return s;
}
static inline void seed_close(seed *s) {
    ts_store_destroy(s->store);
    ts_module_free(s->module);
    ts_engine_destroy(s->engine);
    free(s);
}
/* Arguments and results in s->io. */
static inline ts_status seed_call(seed *s, const char *name) {
    ts_extern x;
    if (!ts_instance_export(s->inst, name, strlen(name), &x) || x.kind != TS_EXTERN_FUNC)
        fail_msg("no function %s", name);
    ts_error_init_frames(&s->e, s->frames, TS_MAX_FRAMES);
    ts_status st = ts_call(s->store, x.func, s->io, &s->e);
    assert_int_equal(s->e.status, st);
    if (st != TS_OK) assert_true(s->e.message[0] != 0);
    return st;
}
static inline ts_status seed_call1(seed *s, const char *name, ts_slot a) {
    s->io[0] = a;
    return seed_call(s, name);
}
static inline ts_status seed_call2(seed *s, const char *name, ts_slot a, ts_slot b) {
    s->io[1] = b;
    return seed_call1(s, name, a);
}
#define RETURNS(s, call, v)                                                                                            \
    do {                                                                                                               \
        if ((call) != TS_OK) fail_msg("%s: %s", #call, (s)->e.message);                                                \
        assert_true((s)->io[0] == (ts_slot)(v));                                                                       \
    } while (0)
#define TRAPS(s, call, kind)                                                                                           \
    do {                                                                                                               \
        assert_int_equal(call, TS_TRAP);                                                                               \
        assert_int_equal((s)->e.trap, kind);                                                                           \
    } while (0)
#endif
