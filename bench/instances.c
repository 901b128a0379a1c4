/* instances: the cost of a fresh instance of a component: created, called once and freed one after another,
 * and many alive at once.
 * In: a component that exports wasi:cli/run, the number of rounds, how many at once. Out: one line with
 * microseconds and bytes per instance.
 * Usage: instances COMPONENT ROUNDS LIVE CALL(0|1) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "component/binary/component.h"
#include "component/run/host.h"
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "core/run/spares.h"
#include "sys/input.h"
#include "wasi/wasi.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static long resident(void) {
    long pages = 0, all;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &all, &pages) != 2) pages = 0;
    if (f) fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

typedef struct one {
    ts_wasi *wasi;
    ts_cstore *store;
    ts_cinstance *instance;
} one;

static void check(ts_status s, const ts_error *e) {
    if (s == TS_OK || s == TS_EXIT) return;
    fprintf(stderr, "instances: %s\n", e->message);
    exit(1);
}

int main(int argc, char **argv) {
    static ts_error e;
    ts_sys_input file;
    ts_engine *engine;
    ts_component *component;
    ts_linker *linker;
    ts_wasi *wasi;
    if (argc != 5 || ts_sys_input_open(argv[1], UINT64_MAX, &file)) return 2;
    long rounds = atol(argv[2]), live = atol(argv[3]);
    bool call = atol(argv[4]);
    if (!freopen("/dev/null", "w", stdout)) return 2;
    ts_error_init(&e);
    check(ts_engine_create(&engine, &e), &e);
    check(ts_component_new(engine, file.bytes, file.len, false, TS_CF_DEFAULT, &component, &e), &e);
    check(ts_linker_create(&linker, &e), &e);
    check(ts_wasi_new(&wasi, &e), &e);
    check(ts_linker_add_host(linker, ts_wasi_host(wasi), wasi, &e), &e);
    /* as in a server: pages go from one instance to the next */
    ts_store_limits limits = {.spares = ts_spares_new()};
    double start = 0;
    for (long i = -rounds / 10 - 1; i < rounds; i++) { /* rounds below 0 warm up */
        one o;
        if (i == 0) start = now();
        check(ts_cstore_create(engine, &limits, &o.store, &e), &e);
        check(ts_component_instantiate(o.store, linker, component, &o.instance, &e), &e);
        if (call) {
            ts_cfunc *f = ts_cinstance_func(o.instance, "wasi:cli/run@0.2.0", "run");
            ts_arena arena;
            ts_val result = {0};
            ts_arena_init(&arena);
            ts_error_init(&e);
            check(ts_canon_call(o.store, f, NULL, &result, &arena, &e), &e);
            ts_arena_free(&arena);
        }
        ts_cstore_destroy(o.store);
    }
    double each = (now() - start) / (double)rounds;
    ts_cstore **all = calloc((size_t)live + 1, sizeof *all);
    long before = resident();
    start = now();
    for (long i = 0; i < live; i++) {
        ts_cinstance *instance;
        check(ts_cstore_create(engine, NULL, &all[i], &e), &e);
        check(ts_component_instantiate(all[i], linker, component, &instance, &e), &e);
    }
    double each_live = (now() - start) / (double)(live ? live : 1);
    long bytes = (resident() - before) / (live ? live : 1);
    fprintf(stderr, "fresh %.2f us, one of %ld live %.2f us and %ld bytes\n", each, live, each_live, bytes);
    for (long i = 0; i < live; i++) ts_cstore_destroy(all[i]);
    free(all);
    ts_spares_free(limits.spares);
    ts_component_free(component);
    ts_linker_destroy(linker);
    ts_engine_destroy(engine);
    ts_wasi_free(wasi);
    ts_sys_input_close(&file);
    return 0;
}
