/* test_api_slips: the library does not crash on mistakes of its caller.
 * In: every public function with each pointer NULL (api_slips.h, generated from the header), objects of
 * another store or engine, objects freed in the wrong order, values of another type. Out: a status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "component/abi/check.h"
#include "sys/perf_map.h"
#include "tests/data/component_deep.h"
#include "touchstone.h"

/* Valid arguments of all functions. */
typedef struct world {
    ts_error e, other;
    ts_frame frames[2];
    ts_status status;
    ts_engine *engine, *engine_out;
    ts_pool *pool;
    const void *bytes, *core_bytes;
    size_t len, core_len;
    ts_component *component, *host, *component_out;
    ts_linker *linker, *linker_out;
    ts_cstore *cstore, *cstore_out;
    ts_cinstance *cinstance, *cinstance_out;
    ts_cfunc *cfunc;
    const ts_ctype *ctype, *ctype_out;
    ts_val args[1], val, own;
    ts_wasi *wasi, *wasi_out;
    ts_wasi_grants *grants;
    ts_wasi_policy *policy, *policy_out;
    ts_core_module *module, *module_out;
    ts_core_store *store, *store_out;
    ts_core_instance *instance, *instance_out;
    ts_core_func *func_out;
    ts_core_memory *memory_out;
    ts_core_table *table_out;
    ts_core_global *global_out;
    ts_core_tag *tag_out;
    ts_core_extern func, memory, table, global, tag, imports[1], extern_out;
    ts_core_externtype func_type, memory_type, table_type, global_type, tag_type, type_out;
    ts_core_item item_out;
    ts_core_val core_args[1], core_results[1], null_func;
    ts_run_limits limits;
    ts_confine_mode mode;
    ts_confine_needs needs;
    ts_confinement confinement;
    ts_trace trace;
    ts_host_call *call;
    ts_core_call *core_call;
    void (*slip)(struct world *w); /* created by the callback */
    char text[64];
    const char *text_out;
    uint64_t number;
    ts_tier tier;
    int32_t small;
} world;

static ts_status w_callback(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    world *w = data;
    (void)args, (void)result;
    if (!w || !w->slip) return TS_OK;
    w->call = c;
    w->slip(w);
    w->call = NULL;
    return TS_OK;
}
static ts_status w_drop(ts_host_call *c, void *data, uint64_t rep) {
    (void)c, (void)data, (void)rep;
    return TS_OK;
}
static ts_status w_core_callback(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    world *w = data;
    (void)args, (void)results;
    if (!w || !w->slip) return TS_OK;
    w->core_call = c;
    w->slip(w);
    w->core_call = NULL;
    return TS_OK;
}
static void w_line(void *data, const char *line, size_t len) {
    (void)data, (void)line, (void)len;
}
#include "api_slips.h"

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if ((call) != TS_OK) fail_msg("%s: %s", #call, w->e.message);                                                  \
    } while (0)
static void core_new(world *w) {
    const ts_core_type i32[1] = {TS_CORE_I32};
    static const ts_core_type I32 = TS_CORE_I32;
    w->core_bytes = component_deep_core;
    w->core_len = sizeof component_deep_core;
    (void)i32;
    w->func_type =
        (ts_core_externtype){.kind = TS_CORE_FUNC, .n_params = 1, .n_results = 1, .params = &I32, .results = &I32};
    w->memory_type = (ts_core_externtype){.kind = TS_CORE_MEMORY, .min = 1, .max = 2, .has_max = true};
    w->table_type = (ts_core_externtype){.kind = TS_CORE_TABLE, .type = TS_CORE_FUNCREF, .min = 1};
    w->global_type = (ts_core_externtype){.kind = TS_CORE_GLOBAL, .type = TS_CORE_I32, .mut = true};
    w->tag_type = (ts_core_externtype){.kind = TS_CORE_TAG, .n_params = 1, .params = &I32};
    w->core_args[0] = w->core_results[0] = (ts_core_val){.type = TS_CORE_I32, .i32 = 3};
    w->null_func = (ts_core_val){.type = TS_CORE_FUNCREF};
    OK(ts_core_module_load(w->engine, w->core_bytes, w->core_len, &w->module, &w->e));
    OK(ts_core_store_new(w->engine, &w->limits, &w->store, &w->e));
    w->imports[0].kind = TS_CORE_FUNC;
    OK(ts_core_func_new(w->store, &w->func_type, w_core_callback, w, "f", &w->imports[0].func, &w->e));
    OK(ts_core_module_instantiate(w->store, w->module, w->imports, 1, "i", &w->instance, &w->e));
    w->memory.kind = TS_CORE_MEMORY;
    w->table.kind = TS_CORE_TABLE;
    w->global.kind = TS_CORE_GLOBAL;
    w->tag.kind = TS_CORE_TAG;
    OK(ts_core_memory_new(w->store, &w->memory_type, &w->memory.memory, &w->e));
    OK(ts_core_table_new(w->store, &w->table_type, NULL, &w->table.table, &w->e));
    OK(ts_core_global_new(w->store, &w->global_type, w->core_args, &w->global.global, &w->e));
    OK(ts_core_tag_new(w->store, &w->tag_type, &w->tag.tag, &w->e));
    assert_true(ts_core_instance_export(w->instance, "bounce", &w->func));
}
static world *world_new(void) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    ts_error_init(&w->e);
    ts_error_init(&w->other);
    w->bytes = component_deep_drops;
    w->len = sizeof component_deep_drops;
    w->trace.line = w_line;
    w->pool = ts_pool_new();
    assert_non_null(w->pool);
    OK(ts_engine_new(&w->engine, &w->e));
    OK(ts_component_load(w->engine, w->bytes, w->len, &w->component, &w->e));
    OK(ts_component_load(w->engine, component_deep_host, sizeof component_deep_host, &w->host, &w->e));
    OK(ts_linker_new(&w->linker, &w->e));
    OK(ts_linker_define_func(w->linker, "", "h", "func(x: u32) -> string", w_callback, w, &w->e));
    OK(ts_cstore_new(w->engine, NULL, &w->cstore, &w->e));
    OK(ts_component_instantiate(w->cstore, w->linker, w->component, &w->cinstance, &w->e));
    OK(ts_wasi_new(&w->wasi, &w->e));
    OK(ts_wasi_new(&w->wasi_out, &w->e));
    /* from here on its grants are constant; w->wasi has other grants */
    w->grants = ts_wasi_grants_new(w->wasi_out);
    ts_wasi_free(w->wasi_out);
    w->wasi_out = NULL;
    OK(ts_wasi_policy_load(w->wasi, "", 0, NULL, &w->policy, &w->e));
    assert_non_null(w->cfunc = ts_cinstance_func(w->cinstance, NULL, "make"));
    OK(ts_cfunc_call(w->cstore, w->cfunc, w->args, &w->own, w->pool, &w->e));
    w->ctype = ts_cfunc_param_type(w->cfunc, 0);
    core_new(w);
    return w;
}
static void world_free(world *w) {
    ts_wasi_policy_free(w->policy_out);
    ts_wasi_policy_free(w->policy);
    ts_wasi_grants_free(w->grants);
    ts_core_store_free(w->store_out);
    ts_core_store_free(w->store);
    ts_core_module_free(w->module_out);
    ts_core_module_free(w->module);
    ts_pool_free(w->pool);
    ts_cstore_free(w->cstore_out);
    ts_cstore_free(w->cstore);
    ts_linker_free(w->linker_out);
    ts_linker_free(w->linker);
    ts_wasi_free(w->wasi_out);
    ts_wasi_free(w->wasi);
    ts_component_free(w->component_out);
    ts_component_free(w->component);
    ts_component_free(w->host);
    ts_engine_free(w->engine_out);
    ts_engine_free(w->engine);
    free(w);
}

static void every_pointer_null(void **state) {
    (void)state;
    assert_true(sizeof SLIPS / sizeof *SLIPS > 300);
    for (size_t i = 0; i < sizeof SLIPS / sizeof *SLIPS; i++) {
        world *w = world_new();
        const char *name = SLIPS[i].function;
        w->status = TS_OK;
        if (strncmp(name, "ts_callback_", 12) == 0) {
            const char *r;
            ts_cinstance *host;
            OK(ts_component_instantiate(w->cstore, w->linker, w->host, &host, &w->e));
            w->slip = SLIPS[i].call;
            assert_int_not_equal(ts_cinstance_call_text(w->cstore, host, "go()", w->pool, &r, NULL), TS_USAGE);
        } else if (strncmp(name, "ts_core_callback_", 17) == 0) {
            w->slip = SLIPS[i].call;
            (void)!ts_core_func_call(w->store, w->func.func, w->core_args, 1, w->core_results, 1, &w->other);
        } else {
            SLIPS[i].call(w);
        }
        if (SLIPS[i].usage && (w->status != TS_USAGE || w->e.status != TS_USAGE || !w->e.message[0]))
            fail_msg("%s without %s: %s, \"%s\"", name, SLIPS[i].pointer, ts_status_name(w->status), w->e.message);
        world_free(w);
    }
}

#define USAGE(call, words)                                                                                             \
    do {                                                                                                               \
        ts_error_clear(&w->e);                                                                                         \
        assert_int_equal(call, TS_USAGE);                                                                              \
        if (!strstr(w->e.message, words)) fail_msg("%s: %s", #call, w->e.message);                                     \
    } while (0)
static void of_another_store(void **state) {
    (void)state;
    world *w = world_new(), *x = world_new();
    const char *r;
    ts_val v;
    ts_cinstance *i;
    USAGE(ts_cfunc_call(x->cstore, w->cfunc, w->args, &v, w->pool, &w->e), "another store");
    USAGE(ts_cinstance_call_text(x->cstore, w->cinstance, "make(1)", w->pool, &r, &w->e), "another store");
    USAGE(ts_handle_drop(x->cstore, &w->own, &w->e), "another store");
    USAGE(ts_component_instantiate(x->cstore, w->linker, w->component, &i, &w->e), "different engines");
    USAGE(ts_core_func_call(x->store, w->func.func, w->core_args, 1, w->core_results, 1, &w->e), "another store");
    USAGE(ts_core_func_call(x->store, w->imports[0].func, w->core_args, 1, w->core_results, 1, &w->e), "another store");
    USAGE(ts_core_memory_grow(x->store, w->memory.memory, 0, NULL, &w->e), "another store");
    USAGE(ts_core_table_get(x->store, w->table.table, 0, w->core_results, &w->e), "another store");
    USAGE(ts_core_table_set(x->store, w->table.table, 0, &w->null_func, &w->e), "another store");
    USAGE(ts_core_table_grow(x->store, w->table.table, 1, NULL, NULL, &w->e), "another store");
    USAGE(ts_core_global_set(x->store, w->global.global, w->core_args, &w->e), "another store");
    USAGE(ts_core_module_instantiate(x->store, w->module, w->imports, 1, NULL, &w->instance_out, &w->e),
          "different engines");
    USAGE(ts_core_module_instantiate(x->store, x->module, w->imports, 1, NULL, &w->instance_out, &w->e),
          "another store");
    w->core_args[0].type = 0xffffff64; /* a reference to a type that does not exist */
    USAGE(ts_core_func_call(w->store, w->func.func, w->core_args, 1, w->core_results, 1, &w->e), "");
    w->func_type.params = &w->core_args[0].type;
    USAGE(ts_core_func_new(w->store, &w->func_type, w_core_callback, w, NULL, &w->func_out, &w->e), "not a value type");
    w->func_type.defined = 0xfffffff0;
    USAGE(ts_core_func_new(w->store, &w->func_type, w_core_callback, w, NULL, &w->func_out, &w->e), "does not exist");
    assert_false(ts_core_type_is_funcref(w->engine, 0xffffff64));
    world_free(w);
    world_free(x);
}

/* Counts beyond the limit are refused before the arrays are read. */
static void more_types_than_allowed(void **state) {
    (void)state;
    static const uint32_t counts[] = {1001, 65536, 0x7fffffff, 0xffffffff};
    world *w = world_new();
    ts_core_type *one = malloc(sizeof *one), *most = malloc(1000 * sizeof *most);
    assert_true(one && most);
    *one = TS_CORE_I32;
    for (int i = 0; i < 1000; i++) most[i] = TS_CORE_I64;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ts_core_externtype params = {.kind = TS_CORE_FUNC, .n_params = counts[i], .params = one};
        ts_core_externtype results = {.kind = TS_CORE_FUNC, .n_results = counts[i], .results = one};
        ts_core_externtype tag = {.kind = TS_CORE_TAG, .n_params = counts[i], .params = one};
        USAGE(ts_core_func_new(w->store, &params, w_core_callback, w, NULL, &w->func_out, &w->e), "at most 1000");
        assert_null(w->func_out);
        USAGE(ts_core_func_new(w->store, &results, w_core_callback, w, NULL, &w->func_out, &w->e), "at most 1000");
        USAGE(ts_core_tag_new(w->store, &tag, &w->tag_out, &w->e), "at most 1000");
    }
    ts_core_externtype all = {
        .kind = TS_CORE_FUNC, .n_params = 1000, .params = most, .n_results = 1000, .results = most};
    ts_error_init(&w->e);
    OK(ts_core_func_new(w->store, &all, w_core_callback, NULL, NULL, &w->func_out, &w->e));
    ts_core_val *args = calloc(2000, sizeof *args);
    assert_non_null(args);
    for (int i = 0; i < 1000; i++) args[i].type = TS_CORE_I64;
    OK(ts_core_func_call(w->store, w->func_out, args, 1000, args + 1000, 1000, &w->e));
    assert_int_equal(args[1999].type, TS_CORE_I64);
    free(args);
    free(one);
    free(most);
    world_free(w);
}

/* An import that is given an instance: of this store it links, of another one not. */
static void given_for_an_import(void **state) {
    (void)state;
    /* (component (import "x" (instance (export "r" (type (sub resource)))))) */
    static const uint8_t wants[] = {0, 'a', 's', 'm', 13, 0,  1, 0, 7, 9, 1,   0x42, 1, 4,
                                    0, 1,   'r', 3,   1,  10, 6, 1, 0, 1, 'x', 5,    0};
    world *w = world_new(), *x = world_new();
    ts_component *c;
    ts_cinstance *i;
    ts_cstore *second;
    OK(ts_component_load(w->engine, wants, sizeof wants, &c, &w->e));
    OK(ts_linker_add_instance(w->linker, "x", w->cinstance, &w->e));
    OK(ts_component_instantiate(w->cstore, w->linker, c, &i, &w->e));
    OK(ts_cstore_new(w->engine, NULL, &second, &w->e));
    USAGE(ts_component_instantiate(second, w->linker, c, &i, &w->e), "another store");
    /* (component (import "c" (component))) */
    static const uint8_t needs[] = {0, 'a', 's', 'm', 13, 0, 1, 0, 7, 3, 1, 0x41, 0, 10, 6, 1, 0, 1, 'c', 4, 0};
    ts_component *d;
    OK(ts_component_load(w->engine, needs, sizeof needs, &d, &w->e));
    OK(ts_linker_add_component(w->linker, "c", x->host, &w->e));
    USAGE(ts_component_instantiate(w->cstore, w->linker, d, &i, &w->e), "another engine");
    ts_component_free(d);
    ts_cstore_free(second);
    ts_component_free(c);
    world_free(w);
    world_free(x);
}

static void ended_in_any_order(void **state) {
    (void)state;
    for (int order = 0; order < 6; order++) {
        world *w = world_new();
        const char *r;
        ts_cinstance *host;
        OK(ts_component_instantiate(w->cstore, w->linker, w->host, &host, &w->e));
        if (order & 1) {
            ts_engine_free(w->engine);
            w->engine = NULL;
        }
        ts_linker_free(w->linker);
        w->linker = NULL;
        if (order >= 2) {
            ts_component_free(w->component);
            ts_component_free(w->host);
            ts_core_module_free(w->module);
            w->component = w->host = NULL;
            w->module = NULL;
        }
        if (order >= 4) ts_wasi_free(w->wasi), w->wasi = NULL;
        OK(ts_cinstance_call_text(w->cstore, host, "go()", w->pool, &r, &w->e));
        OK(ts_cinstance_call_text(w->cstore, w->cinstance, "drop(3)", w->pool, &r, &w->e));
        OK(ts_core_func_call(w->store, w->func.func, w->core_args, 1, w->core_results, 1, &w->e));
        world_free(w);
    }
}

static void values_of_another_type(void **state) {
    (void)state;
    world *w = world_new();
    char text[100];
    ts_linker *l = w->linker;
    static const char *const types[] = {"list<string>",
                                        "variant { a, b(string) }",
                                        "option<list<u8>>",
                                        "tuple<u8, string>",
                                        "result<string, u8>",
                                        "string",
                                        "char"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char type[100], name[20];
        snprintf(type, sizeof type, "func(x: %s)", types[i]);
        snprintf(name, sizeof name, "t%zu", i);
        OK(ts_linker_define_func(l, "", name, type, w_callback, NULL, &w->e));
    }
    ts_component *c;
    ts_cinstance *i;
    OK(ts_component_load(w->engine, component_deep_values, sizeof component_deep_values, &c, &w->e));
    OK(ts_component_instantiate(w->cstore, l, c, &i, &w->e));
    ts_cfunc *f = ts_cinstance_func(i, NULL, "mixed");
    const ts_ctype *t = ts_cfunc_param_type(f, 0);
    const ts_val broken[] = {{.list = {.ptr = NULL, .len = 3}},
                             {.list = {.ptr = (const ts_val[]){{.variant = {.disc = 7}}}, .len = 1}},
                             {.list = {.ptr = (const ts_val[]){{.variant = {.disc = 1}}}, .len = 1}},
                             {.list = {.ptr = (const ts_val[]){{.variant = {.disc = 0}}}, .len = SIZE_MAX}},
                             {.list = {.ptr = (const ts_val[]){{.variant = {.disc = 0}}}, .len = (size_t)1 << 32}}};
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        memset(text, 'x', sizeof text);
        assert_int_equal(ts_val_print(t, &broken[k], text, sizeof text), 0);
        assert_string_equal(text, "");
        ts_val r;
        USAGE(ts_cfunc_call(w->cstore, f, &broken[k], &r, w->pool, &w->e), "value is not of type");
    }
    /* the guest received none of them, so the instance can still be entered */
    ts_val r, none = {.list = {.len = 0}};
    ts_error_clear(&w->e);
    OK(ts_cfunc_call(w->cstore, f, &none, &r, w->pool, &w->e));
    assert_int_equal(r.list.len, 0);
    const ts_ctype string = {.kind = TS_CT_STRING};
    for (unsigned bits = 32; bits < 64; bits++)
        USAGE(ts_val_check(&string, &(ts_val){.str = {.ptr = "x", .len = (SIZE_MAX << bits) + 1}}, NULL, &w->e),
              "too large for any guest");
    USAGE(ts_val_check(&string, &(ts_val){.str = {.ptr = "x", .len = SIZE_MAX}}, NULL, &w->e),
          "too large for any guest");
    assert_int_equal(ts_val_print(w->ctype, &w->val, NULL, 5), 1);
    assert_null(ts_cfunc_param_name(f, 1));
    assert_null(ts_cfunc_param_type(f, UINT32_MAX));
    assert_null(ts_ctype_type(t, 2));
    assert_null(ts_component_import_name(c, 1000));
    assert_null(ts_component_export_name(c, UINT32_MAX));
    ts_core_extern x;
    assert_false(ts_core_instance_export_at(w->instance, UINT32_MAX, &x));
    assert_false(ts_core_module_import(w->module, 1000, &w->item_out));
    assert_false(ts_core_module_export(w->module, UINT32_MAX, &w->item_out));
    ts_component_free(c);
    world_free(w);
}

/* Some functions write files, by the names that they get. */
static char folder[64];
static int elsewhere(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/touchstone-slips-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}
static int nothing_left(void **state) {
    (void)state;
    char map[TS_PERF_MAP_PATH];
    snprintf(map, sizeof map, "/tmp/perf-%ld.map", (long)getpid()); /* ts_engine_set_perf_map needs no error */
    (void)unlink(map);
    (void)unlink("x");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pointer_null),      cmocka_unit_test(of_another_store),
        cmocka_unit_test(more_types_than_allowed), cmocka_unit_test(given_for_an_import),
        cmocka_unit_test(ended_in_any_order),      cmocka_unit_test(values_of_another_type),
    };
    return cmocka_run_group_tests_name("api slips", tests, elsewhere, nothing_left);
}
