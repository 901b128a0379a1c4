/* test_faults: every allocation fails once, and fails from then on.
 * In: the seeds; the linker replaces the functions that provide memory, pages, threads and locks
 * (-Wl,--wrap). Out: cmocka results: no crash, no leak (checked by the sanitizers and by a count of live
 * allocations), and the status is out of memory, a limit, or a trap of allocation, unless the guest saw a
 * refused grow. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/seed_help.h"
#include "tests/refuse_memory.h"
#include "core/run/gc.h"
#include "core/load/load.h"
#include <pthread.h>
#include <sys/mman.h>

void *__real_mmap(void *p, size_t len, int prot, int flags, int fd, off_t at);
int __real_mprotect(void *p, size_t len, int prot);
void *__real_mremap(void *p, size_t len, size_t to, int flags, ...);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *data);
int __real_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
void *__wrap_mmap(void *p, size_t len, int prot, int flags, int fd, off_t at);
int __wrap_mprotect(void *p, size_t len, int prot);
void *__wrap_mremap(void *p, size_t len, size_t to, int flags, ...);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *data);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);

void *__wrap_mmap(void *p, size_t len, int prot, int flags, int fd, off_t at) {
    return refuse() ? MAP_FAILED : __real_mmap(p, len, prot, flags, fd, at);
}
int __wrap_mprotect(void *p, size_t len, int prot) {
    return refuse() ? -1 : __real_mprotect(p, len, prot);
}
void *__wrap_mremap(void *p, size_t len, size_t to, int flags, ...) {
    va_list more;
    va_start(more, flags);
    void *place = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
    va_end(more);
    return refuse() ? MAP_FAILED : __real_mremap(p, len, to, flags, place);
}
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *data) {
    return refuse() ? 11 : __real_pthread_create(t, a, fn, data);
}
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a) {
    return refuse() ? 12 : __real_pthread_mutex_init(m, a);
}

static bool may_be(const ts_error *e, ts_status st) {
    if (st == TS_OK ? e->status != TS_OK : e->status != st || !e->message[0]) return false;
    return st == TS_OK || st == TS_NOMEM;
}

typedef struct work {
    const uint8_t *bytes;
    size_t len;
    ts_store_limits limits;
    ts_tier tier;          /* one that makes machine code on no other thread: allocations are counted */
    uint32_t calls, ended; /* of the last run: allocations made, and whether it ran out of memory */
} work;

/* The whole life of a module. Every export without parameters is called, in order. */
static void live(work *w) {
    static ts_error e;
    ts_engine *engine = NULL;
    ts_module *m = NULL;
    ts_store *s = NULL;
    ts_instance *i = NULL;
    ts_error_init(&e);
    w->calls = w->ended = 0;
    ts_status st = ts_engine_create(&engine, &e);
    assert_true(may_be(&e, st));
    if (st != TS_OK) goto out;
    ts_engine_set_tier(engine, w->tier);
    st = ts_module_new(engine, w->bytes, w->len, true, &m, &e);
    assert_true(may_be(&e, st) && (st == TS_OK) == (m != NULL));
    if (st != TS_OK) goto out;
    st = ts_store_create(engine, &w->limits, &s, &e);
    assert_true(may_be(&e, st) && (st == TS_OK) == (s != NULL));
    if (st != TS_OK) goto out;
    st = ts_instantiate(s, m, NULL, "faults", &i, &e);
    assert_true(may_be(&e, st) || (st == TS_TRAP && e.trap == TS_TRAP_ALLOC));
    if (st != TS_OK) goto out;
    for (uint32_t k = 0; k < m->n_exports; k++) {
        if (m->exports[k].kind != TS_EXTERN_FUNC) continue;
        ts_func *f = i->funcs[m->exports[k].index];
        ts_slot io[4] = {1, 1, 1, 1};
        if (f->def->n_params && !ts_vt_is_num(f->def->params[0])) io[0] = 0;
        if (f->def->param_slots > 4 || f->def->result_slots > 4) continue;
        ts_error_init(&e);
        st = ts_call(s, f, io, &e);
        assert_true(st == TS_OK ? e.status == TS_OK : e.status == st && e.message[0]);
        assert_true(st == TS_OK || st == TS_NOMEM || st == TS_TRAP || st == TS_EXHAUSTION || st == TS_LIMIT ||
                    st == TS_EXCEPTION);
        w->calls++;
        if (st == TS_NOMEM || (st == TS_TRAP && e.trap == TS_TRAP_ALLOC)) w->ended++;
    }
out:
    ts_store_destroy(s);
    ts_module_free(m);
    ts_engine_destroy(engine);
}

static void every_failure(const char *name, const ts_store_limits *limits, ts_tier tier) {
    work w = {.limits = *limits, .tier = tier};
    uint8_t *bytes = seed_bytes(name, &w.len);
    w.bytes = bytes;
    until = INT64_MAX;
    asked = refused = 0;
    live(&w);
    uint64_t total = asked;
    uint32_t calls = w.calls, reported = 0;
    assert_true(total > 20 && calls > 3 && refused == 0);
    for (int good = 0; good < 2; good++)
        for (uint64_t n = 1; n <= total; n++) {
            until = (int64_t)n;
            for_good = good;
            refused = 0;
            live(&w);
            assert_true(refused > 0);
            if (w.calls < calls || w.ended) reported++;
        }
    until = -1;
    assert_true(reported > total / 4); /* most failures are visible; some are recovered from */
    live(&w);
    assert_int_equal(w.calls, calls);
    free(bytes);
}

/* fuel ends endless loops, and the limit on the heap ends endless allocation */
static const ts_store_limits guarded = {.fuel = 3000, .gc_bytes = 1 << 18, .stack_bytes = 1 << 16},
                             checked = {
                                 .fuel = 3000, .gc_bytes = 1 << 18, .stack_bytes = 1 << 16, .explicit_checks = true};

static void all(const char *name) {
    every_failure(name, &guarded, TS_TIER_INTERPRETED);
    every_failure(name, &checked, TS_TIER_INTERPRETED);
    every_failure(name, &guarded, TS_TIER_COMPILED_AT_ONCE);
    every_failure(name, &checked, TS_TIER_COMPILED_AT_ONCE);
}
static void control(void **state) {
    (void)state, all("control");
}
static void memory(void **state) {
    (void)state, all("memory");
}
static void gc(void **state) {
    (void)state, all("gc");
}
static void throwing(void **state) {
    (void)state, all("throw");
}
static void numbers(void **state) {
    (void)state, all("numbers");
}

int main(void) {
    seed_handlers();
    const struct CMUnitTest tests[] = {cmocka_unit_test(control), cmocka_unit_test(memory), cmocka_unit_test(gc),
                                       cmocka_unit_test(throwing), cmocka_unit_test(numbers)};
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
