/* embed: a program that runs a component with touchstone.h alone. It gives the component an interface with a
 * function and a resource, calls the component's export with a typed value, then in WAVE notation, and looks
 * at the types. Exits with 0 if its results are right; the tests run it. */
#include <touchstone.h>
#include <stdio.h>
#include <string.h>
#include "embed_component.h"

typedef struct state {
    uint32_t counters[16];
    uint32_t made, dropped;
    char logged[64];
} state;

static ts_status log_text(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)result;
    state *s = data;
    snprintf(s->logged, sizeof s->logged, "%.*s", (int)args[0].str.len, args[0].str.ptr);
    printf("the guest says: %s\n", s->logged);
    return TS_OK;
}
static ts_status counter_new(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    state *s = data;
    if (s->made == 16) return ts_callback_trap(c, "no more than 16 counters");
    s->counters[s->made] = args[0].u32;
    result->handle.rep = s->made++;
    return TS_OK;
}
static ts_status counter_add(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c;
    state *s = data;
    result->u32 = s->counters[args[0].handle.rep] += args[1].u32;
    return TS_OK;
}
static ts_status counter_drop(ts_host_call *c, void *data, uint64_t rep) {
    (void)c, (void)rep;
    ((state *)data)->dropped++;
    return TS_OK;
}

static int fail(const ts_error *e, const char *what) {
    fprintf(stderr, "embed: %s: %s: %s\n", what, ts_status_name(e->status), e->message);
    return 1;
}

int main(void) {
    static const char *const iface = "example:host/tally@1.0.0";
    state s = {0};
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine = NULL;
    ts_component *component = NULL;
    ts_linker *linker = NULL;
    ts_cstore *store = NULL;
    ts_pool *pool = ts_pool_new();
    ts_cinstance *instance;
    int status = 1;
    if (!pool) return 1;
    if (ts_engine_new(&engine, &e) != TS_OK ||
        ts_component_load(engine, embed_component, sizeof embed_component, &component, &e) != TS_OK) {
        fail(&e, "loading");
        goto out;
    }
    for (uint32_t i = 0; i < ts_component_import_count(component); i++)
        printf("import %s\n", ts_component_import_name(component, i));
    for (uint32_t i = 0; i < ts_component_export_count(component); i++)
        printf("export %s\n", ts_component_export_name(component, i));

    if (ts_linker_new(&linker, &e) != TS_OK ||
        ts_linker_define_resource(linker, iface, "counter", counter_drop, &s, &e) != TS_OK ||
        ts_linker_define_func(linker, iface, "[constructor]counter", "func(start: u32) -> own<counter>", counter_new,
                              &s, &e) != TS_OK ||
        ts_linker_define_func(linker, iface, "[method]counter.add", "func(self: borrow<counter>, n: u32) -> u32",
                              counter_add, &s, &e) != TS_OK ||
        ts_linker_define_func(linker, iface, "log", "func(text: string)", log_text, &s, &e) != TS_OK) {
        fail(&e, "defining the host");
        goto out;
    }
    if (ts_cstore_new(engine, NULL, &store, &e) != TS_OK ||
        ts_component_instantiate(store, linker, component, &instance, &e) != TS_OK) {
        fail(&e, "instantiating");
        goto out;
    }

    ts_cfunc *measure = ts_cinstance_func(instance, NULL, "measure");
    if (!measure || ts_cfunc_param_count(measure) != 1 ||
        strcmp(ts_ctype_kind(ts_cfunc_result_type(measure)), "record") != 0 ||
        strcmp(ts_ctype_name(ts_cfunc_result_type(measure), 1), "total") != 0) {
        fprintf(stderr, "embed: `measure` has another type than it should\n");
        goto out;
    }
    ts_val text = {.str = {"seven..", 7}}, report;
    if (ts_cfunc_call(store, measure, &text, &report, pool, &e) != TS_OK) {
        fail(&e, "calling measure");
        goto out;
    }
    if (report.list.ptr[1].u32 != 107 || strcmp(s.logged, "seven..") != 0 || s.made != 1 || s.dropped != 1) {
        fprintf(stderr, "embed: total %u, logged \"%s\"\n", report.list.ptr[1].u32, s.logged);
        goto out;
    }
    const char *wave;
    if (ts_cinstance_call_text(store, instance, "measure(\"four\")", pool, &wave, &e) != TS_OK) {
        fail(&e, "calling measure by text");
        goto out;
    }
    printf("measure(\"four\") is %s\n", wave);
    status = strcmp(wave, "{text: \"four\", total: 104}") == 0 ? 0 : 1;
out:
    ts_cstore_free(store);
    ts_linker_free(linker);
    ts_component_free(component);
    ts_engine_free(engine);
    ts_pool_free(pool);
    return status;
}
