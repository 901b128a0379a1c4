/* drive: runs the engine. `drive [-c | -i] MODULE N…` calls the export `run` with each N, and prints its result
 * and CPU seconds, one line each (-c: explicit bounds checks; -i: interpreted only). `drive -d MODULE` prints the
 * register IR of every function. `drive -v MODULE` decodes and validates, and prints CPU and wall seconds.
 * In: a core module without imports. Out: lines on stdout. It uses the engine's internal interface, because
 * the command runs components. */
#include "core/code/compile.h"
#include "core/load/load.h"
#include "core/run/code_cache.h"
#include "core/run/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    size_t cap = 1 << 16, n = 0;
    uint8_t *bytes = malloc(cap);
    while (bytes) {
        size_t got = fread(bytes + n, 1, cap - n, f);
        if (got == 0) break;
        n += got;
        if (n == cap) {
            uint8_t *larger = realloc(bytes, cap *= 2);
            if (!larger) free(bytes);
            bytes = larger;
        }
    }
    fclose(f);
    *size = n;
    return bytes;
}

static int dump(ts_module *m, ts_error *e) {
    for (uint32_t i = m->n_imp_funcs; i < m->n_funcs; i++) {
        char name[100] = "";
        if (!ts_module_func_name(m, i, name, sizeof name)) name[0] = 0;
        printf("func %u %s\n", i, name);
        ts_fcode *code = ts_code_func(m, 0, i);
        if (!code || ts_code_dump(code, stdout, e) != TS_OK) return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    char mode = 0;
    if (argc > 1 && argv[1][0] == '-') {
        mode = argv[1][1];
        argv++, argc--;
    }
    if (argc < 2) {
        fputs("usage: drive [-c | -d | -i | -v] MODULE N…\n", stderr);
        return 2;
    }
    size_t size = 0;
    uint8_t *bytes = read_file(argv[1], &size);
    if (!bytes) {
        fprintf(stderr, "drive: %s cannot be read\n", argv[1]);
        return 2;
    }
    int status = 1;
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine = NULL;
    ts_store *store = NULL;
    ts_module *module = NULL;
    ts_instance *instance = NULL;
    ts_store_limits limits = {.explicit_checks = mode == 'c'};
    ts_extern run;
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (ts_engine_create(&engine, &e) != TS_OK) goto out;
    if (mode == 'i') ts_engine_set_tier(engine, TS_TIER_INTERPRETED);
    if (ts_module_new(engine, bytes, size, false, &module, &e) != TS_OK) goto out;
    if (mode == 'v') {
        printf("%.6f %.6f\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, seconds(CLOCK_MONOTONIC) - wall);
        status = 0;
        goto out;
    }
    if (mode == 'd') {
        status = dump(module, &e);
        goto out;
    }
    if (ts_store_create(engine, &limits, &store, &e) != TS_OK ||
        ts_instantiate(store, module, NULL, "bench", &instance, &e) != TS_OK)
        goto out;
    if (!ts_instance_export(instance, "run", 3, &run) || run.kind != TS_EXTERN_FUNC) {
        fputs("drive: there is no function run\n", stderr);
        goto out;
    }
    for (int i = 2; i < argc; i++) {
        ts_slot io[4] = {(uint32_t)strtol(argv[i], NULL, 10)};
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        if (ts_call(store, run.func, io, &e) != TS_OK) goto out;
        printf("%d %.6f\n", (int32_t)(uint32_t)io[0], seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    status = 0;
out:
    if (status) fprintf(stderr, "drive: %s\n", e.message);
    ts_store_destroy(store);
    ts_module_free(module);
    ts_engine_destroy(engine);
    free(bytes);
    return status;
}
