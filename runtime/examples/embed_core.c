/* embed_core: a program that runs a core module with touchstone.h alone. It gives the module a host function,
 * reads its memory and its globals, sees a trap and a limit, interrupts it from a second thread, and runs the
 * one module in two stores on two threads. Exits with 0 if its results are right; the tests run it. */
#include <touchstone.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "embed_core_module.h"

/* next(i) is i times the number that `data` points to; -1 is refused. */
static ts_status next(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    const int32_t *factor = data;
    if (*factor < 0) return ts_core_callback_trap(c, "no numbers below zero");
    results[0].i32 = args[0].i32 * *factor;
    return TS_OK;
}

typedef struct guest {
    ts_core_store *store;
    ts_core_instance *instance;
    int32_t factor;
} guest;

/* Makes a store and the imports of the guest, each found by its name and made with the type that the module
 * declares. */
static ts_status start(guest *g, ts_engine *engine, ts_core_module *m, const ts_run_limits *limits, ts_error *e) {
    ts_core_extern imports[8];
    uint32_t n = ts_core_module_import_count(m);
    ts_status s = ts_core_store_new(engine, limits, &g->store, e);
    for (uint32_t i = 0; s == TS_OK && i < n && i < 8; i++) {
        ts_core_item item;
        if (!ts_core_module_import(m, i, &item) || item.type.kind != TS_CORE_FUNC || strcmp(item.name, "next") != 0)
            return TS_UNLINKABLE;
        imports[i].kind = TS_CORE_FUNC;
        s = ts_core_func_new(g->store, &item.type, next, &g->factor, item.name, &imports[i].func, e);
    }
    return s == TS_OK ? ts_core_module_instantiate(g->store, m, imports, n, "guest", &g->instance, e) : s;
}

static ts_status call(guest *g, const char *name, const ts_core_val *args, uint32_t n_args, ts_core_val *results,
                      uint32_t n_results, ts_error *e) {
    ts_core_extern x;
    ts_error_clear(e);
    if (!ts_core_instance_export(g->instance, name, &x) || x.kind != TS_CORE_FUNC) return TS_USAGE;
    return ts_core_func_call(g->store, x.func, args, n_args, results, n_results, e);
}
static ts_status sum(guest *g, int32_t n, int64_t *out, ts_error *e) {
    ts_core_val arg = {.type = TS_CORE_I32, .i32 = n}, result = {0};
    ts_status s = call(g, "sum", &arg, 1, &result, 1, e);
    *out = result.i64;
    return s;
}

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "embed_core: not so: %s (%s: %s)\n", #what, ts_status_name(e.status), e.message);          \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)

typedef struct job {
    ts_engine *engine;
    ts_core_module *module;
    int32_t factor;
    int64_t sum;
    ts_status status;
} job;
static void *on_thread(void *data) {
    job *j = data;
    guest g = {.factor = j->factor};
    ts_error e;
    ts_error_init(&e);
    j->status = start(&g, j->engine, j->module, NULL, &e);
    for (int i = 0; j->status == TS_OK && i < 100; i++) j->status = sum(&g, 1000, &j->sum, &e);
    ts_core_store_free(g.store);
    return NULL;
}
static void *interrupt(void *store) {
    ts_core_store_interrupt(store);
    return NULL;
}

int main(void) {
    ts_error e;
    ts_frame frames[8]; /* room for the backtrace */
    ts_error_init_frames(&e, frames, 8);
    ts_engine *engine = NULL;
    ts_core_module *module = NULL;
    guest g = {.factor = 3}, metered = {.factor = 1}, endless = {.factor = 1};
    ts_core_extern memory, calls;
    ts_core_val v;
    int64_t total;
    int status = 1;
    CHECK(ts_engine_new(&engine, &e) == TS_OK);
    CHECK(ts_core_module_load(engine, embed_core_module, sizeof embed_core_module, &module, &e) == TS_OK);
    for (uint32_t i = 0; i < ts_core_module_export_count(module); i++) {
        ts_core_item item;
        if (ts_core_module_export(module, i, &item))
            printf("export %s: %u parameters\n", item.name, item.type.n_params);
    }

    /* calls, memory, a global */
    CHECK(start(&g, engine, module, NULL, &e) == TS_OK);
    CHECK(sum(&g, 5, &total, &e) == TS_OK && total == 3 * (0 + 1 + 2 + 3 + 4));
    CHECK(ts_core_instance_export(g.instance, "memory", &memory) && memory.kind == TS_CORE_MEMORY);
    CHECK(ts_core_memory_read(memory.memory, 8, &total, sizeof total) && total == 30);
    CHECK(ts_core_memory_write(memory.memory, 16, "eleven char", 12));
    CHECK(call(&g, "length", NULL, 0, &v, 1, &e) == TS_OK && v.i32 == 11);
    CHECK(ts_core_instance_export(g.instance, "calls", &calls) && calls.kind == TS_CORE_GLOBAL);
    ts_core_global_get(g.store, calls.global, &v);
    CHECK(v.i32 == 1);

    /* traps of the guest and of the host function; the store stays usable */
    ts_core_val by_zero[2] = {{.type = TS_CORE_I32, .i32 = 1}, {.type = TS_CORE_I32}};
    CHECK(call(&g, "divide", by_zero, 2, &v, 1, &e) == TS_TRAP && e.trap == TS_TRAP_INT_DIV_ZERO);
    printf("divide(1, 0): %s in function %u of %s\n", e.message, e.frames[0].func_index, e.frames[0].module);
    g.factor = -1;
    CHECK(sum(&g, 5, &total, &e) == TS_TRAP && e.trap == TS_TRAP_HOST);
    printf("sum(5): %s\n", e.message);

    /* limits */
    CHECK(start(&metered, engine, module, &(ts_run_limits){.fuel = 10000, .memory_bytes = 2 * 65536}, &e) == TS_OK);
    CHECK(call(&metered, "forever", NULL, 0, NULL, 0, &e) == TS_LIMIT);
    printf("forever(): %s\n", e.message);
    ts_error_clear(&e);
    CHECK(ts_core_store_set_fuel(metered.store, 100, &e) == TS_OK && sum(&metered, 5, &total, &e) == TS_OK &&
          total == 10);
    CHECK(ts_core_instance_export(metered.instance, "memory", &memory));
    CHECK(ts_core_memory_grow(metered.store, memory.memory, 2, NULL, &e) == TS_LIMIT);
    printf("growing: %s\n", e.message);

    /* a second thread interrupts a call that would never return */
    pthread_t thread;
    ts_error_clear(&e);
    CHECK(start(&endless, engine, module, &(ts_run_limits){.interruptible = true}, &e) == TS_OK);
    CHECK(pthread_create(&thread, NULL, interrupt, endless.store) == 0);
    ts_status ended = call(&endless, "forever", NULL, 0, NULL, 0, &e);
    pthread_join(thread, NULL);
    CHECK(ended == TS_INTERRUPTED);
    CHECK(sum(&endless, 3, &total, &e) == TS_OK && total == 3);

    /* two stores on two threads, one module */
    job jobs[2] = {{.engine = engine, .module = module, .factor = 1},
                   {.engine = engine, .module = module, .factor = 2}};
    CHECK(pthread_create(&thread, NULL, on_thread, &jobs[0]) == 0);
    on_thread(&jobs[1]);
    pthread_join(thread, NULL);
    CHECK(jobs[0].status == TS_OK && jobs[0].sum == 499500 && jobs[1].status == TS_OK && jobs[1].sum == 999000);
    printf("two threads: %lld and %lld\n", (long long)jobs[0].sum, (long long)jobs[1].sum);
    status = 0;
out:
    ts_core_store_free(g.store);
    ts_core_store_free(metered.store);
    ts_core_store_free(endless.store);
    ts_core_module_free(module);
    ts_engine_free(engine);
    return status;
}
