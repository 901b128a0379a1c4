/* test_core_api: every function of touchstone.h for core modules, used through that header alone.
 * In: the module of core_api.wat. Out: cmocka results. */
#include <touchstone.h>
#include "tests/seed_help.h"
#include "tests/data/core_api_module.h"
#include <pthread.h>

typedef struct host {
    ts_engine *engine;
    ts_core_module *module;
    ts_core_store *store;
    ts_core_instance *inst;
    ts_core_extern imports[7]; /* visit, mix, mem, tab, glob, tag, throws */
    ts_core_val kept;          /* the last argument of visit */
    int mode;
    ts_error e;
    ts_frame frames[2];
} host;
enum { VISIT, MIX, MEM, TAB, GLOB, TAG, THROWS };

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        ts_error_init(&h->e);                                                                                          \
        if ((call) != TS_OK) fail_msg("%s: %s", #call, h->e.message);                                                  \
        assert_int_equal(h->e.status, TS_OK);                                                                          \
    } while (0)
#define FAILS(call, st, words)                                                                                         \
    do {                                                                                                               \
        ts_error_init_frames(&h->e, h->frames, 2);                                                                     \
        assert_int_equal(call, st);                                                                                    \
        assert_int_equal(h->e.status, st);                                                                             \
        if (!strstr(h->e.message, words)) fail_msg("%s: \"%s\" has no \"%s\"", #call, h->e.message, words);            \
    } while (0)

static ts_core_val i32(int32_t v) {
    return (ts_core_val){.type = TS_CORE_I32, .i32 = v};
}
static ts_core_val f64(double v) {
    return (ts_core_val){.type = TS_CORE_F64, .f64 = v};
}
static ts_core_val ref(ts_core_type t, uint64_t r) {
    return (ts_core_val){.type = t, .ref = r};
}
static ts_core_val func(ts_core_func *f) {
    return (ts_core_val){.type = TS_CORE_FUNCREF, .func = f};
}

static ts_core_extern export_of(host *h, const char *name) {
    ts_core_extern x;
    if (!ts_core_instance_export(h->inst, name, &x)) fail_msg("no export %s", name);
    return x;
}
static ts_status call(host *h, const char *name, const ts_core_val *args, uint32_t n, ts_core_val *results,
                      uint32_t n_results) {
    return ts_core_func_call(h->store, export_of(h, name).func, args, n, results, n_results, &h->e);
}

/* --- the host's functions --- */
static ts_status visit(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    host *h = data;
    ts_core_val v = i32(0);
    ts_error e;
    ts_error_init(&e);
    h->kept = args[0];
    assert_ptr_equal(ts_core_callback_store(c), h->store);
    assert_ptr_equal(ts_core_callback_caller(c), h->inst);
    assert_int_equal(results[0].type, TS_CORE_I32);
    assert_int_equal(results[0].i32, 0);
    results[0] = i32(40);
    switch (h->mode) {
    case 0: return TS_OK;
    case 1: results[0] = f64(1); return TS_OK; /* of the wrong type */
    case 2: return ts_core_callback_exit(c, 3);
    case 3: return ts_core_callback_trap(c, "no %s", "visitors");
    case 4: return TS_IO; /* without a report */
    case 5: return TS_TRAP;
    case 6: return TS_EXCEPTION; /* nothing was thrown */
    case 7:                      /* calls back; its failure is the callback's */
        return ts_core_func_call(h->store, export_of(h, "pass").func, &v, 1, NULL, 0, ts_core_callback_error(c));
    case 8: /* calls back and ignores the failure, which it wrote to the call's error */
        v = f64(2);
        assert_int_equal(
            ts_core_func_call(h->store, export_of(h, "throw").func, &v, 1, NULL, 0, ts_core_callback_error(c)),
            TS_EXCEPTION);
        return TS_OK;
    default: /* calls itself through the guest */
        v = i32(1);
        return ts_core_func_call(h->store, export_of(h, "visit").func, &v, 1, results, 1, ts_core_callback_error(c));
    }
}
static ts_status mix(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    (void)c, (void)data;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(results[i].type, args[6 - i].type);
        results[i] = args[6 - i];
    }
    return TS_OK;
}
static ts_status throws(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    (void)results;
    host *h = data;
    ts_core_val v[2] = {i32(args[0].i32 + 1), ref(TS_CORE_EXTERNREF, ts_core_ref_host(99))};
    /* one argument too few */
    if (args[0].i32 < 0) return ts_core_callback_throw(c, h->imports[TAG].tag, v, 1);
    if (args[0].i32 > 1000) v[0].type = TS_CORE_I64;
    return ts_core_callback_throw(c, h->imports[TAG].tag, v, 2);
}

/* --- the fixture --- */
static void make_imports(host *h) {
    ts_core_item item;
    assert_int_equal(ts_core_module_import_count(h->module), 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_true(ts_core_module_import(h->module, i, &item));
        assert_string_equal(item.module, "h");
        assert_int_equal(item.name_len, strlen(item.name));
        assert_int_equal(item.module_len, 1);
        ts_core_extern *x = &h->imports[i];
        x->kind = item.type.kind;
        ts_core_val v = {.type = item.type.type};
        switch (item.type.kind) {
        case TS_CORE_FUNC:
            OK(ts_core_func_new(h->store, &item.type,
                                i == VISIT ? visit
                                : i == MIX ? mix
                                           : throws,
                                h, item.name, &x->func, &h->e));
            break;
        case TS_CORE_MEMORY: OK(ts_core_memory_new(h->store, &item.type, &x->memory, &h->e)); break;
        case TS_CORE_TABLE: OK(ts_core_table_new(h->store, &item.type, NULL, &x->table, &h->e)); break;
        case TS_CORE_GLOBAL:
            for (int k = 0; k < 16; k++) v.v128[k] = (uint8_t)k;
            OK(ts_core_global_new(h->store, &item.type, &v, &x->global, &h->e));
            break;
        case TS_CORE_TAG: OK(ts_core_tag_new(h->store, &item.type, &x->tag, &h->e)); break;
        }
    }
    assert_false(ts_core_module_import(h->module, 7, &item));
}
static host *open_host(const ts_run_limits *limits) {
    host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    seed_handlers();
    OK(ts_engine_new(&h->engine, &h->e));
    OK(ts_core_module_load(h->engine, core_api_module, sizeof core_api_module, &h->module, &h->e));
    OK(ts_core_store_new(h->engine, limits, &h->store, &h->e));
    make_imports(h);
    OK(ts_core_module_instantiate(h->store, h->module, h->imports, 7, "tested", &h->inst, &h->e));
    return h;
}
static void close_host(host *h) {
    ts_core_module_free(h->module); /* the instance keeps what it needs */
    ts_core_store_free(h->store);
    ts_engine_free(h->engine);
    free(h);
}

/* --- the tests --- */
static void types(void **state) {
    (void)state;
    host *h = open_host(NULL);
    char buf[48];
    ts_core_item item;
    assert_string_equal(ts_core_type_name(TS_CORE_I32, buf), "i32");
    assert_string_equal(ts_core_type_name(TS_CORE_V128, buf), "v128");
    assert_true(ts_core_type_is_ref(TS_CORE_EQREF) && ts_core_type_is_ref(TS_CORE_STRUCTREF) &&
                ts_core_type_is_ref(TS_CORE_ARRAYREF));
    assert_false(ts_core_type_is_ref(TS_CORE_F32));
    assert_true(ts_core_type_is_funcref(h->engine, TS_CORE_FUNCREF));
    assert_false(ts_core_type_is_funcref(h->engine, TS_CORE_EXTERNREF) ||
                 ts_core_type_is_funcref(h->engine, TS_CORE_I64));

    assert_true(ts_core_module_import(h->module, MEM, &item));
    assert_int_equal(item.type.min, 1);
    assert_true(item.type.has_max && item.type.max == 3 && !item.type.is64 && !item.type.shared &&
                item.type.page_size == 65536);
    assert_true(ts_core_module_import(h->module, TAG, &item));
    assert_int_equal(item.type.kind, TS_CORE_TAG);
    assert_int_equal(item.type.n_params, 2);
    assert_int_equal(item.type.params[1], TS_CORE_EXTERNREF);
    assert_true(ts_core_module_import(h->module, VISIT, &item));
    assert_true(item.type.n_params == 1 && item.type.n_results == 1 && item.type.results[0] == TS_CORE_I32);
    assert_true(ts_core_type_is_ref(item.type.params[0]) && !ts_core_type_is_funcref(h->engine, item.type.params[0]));

    uint32_t n = ts_core_module_export_count(h->module), seen[5] = {0};
    assert_int_equal(n, 25);
    for (uint32_t i = 0; i < n; i++) { /* the declared type of an export, and the type of the object */
        ts_core_extern x;
        ts_core_externtype t;
        assert_true(ts_core_module_export(h->module, i, &item));
        assert_null(item.module);
        assert_true(ts_core_instance_export_at(h->inst, i, &x));
        ts_core_extern_describe(h->store, &x, &t);
        const ts_core_externtype *u = &item.type;
        assert_true(t.kind == u->kind && t.defined == u->defined && t.params == u->params && t.results == u->results &&
                    t.type == u->type);
        assert_true(t.n_params == u->n_params && t.n_results == u->n_results && t.mut == u->mut &&
                    t.page_size == u->page_size);
        assert_true(t.min == u->min && t.max == u->max && t.has_max == u->has_max && t.is64 == u->is64 &&
                    t.shared == u->shared);
        seen[t.kind]++;
        if (strcmp(item.name, "k") == 0) assert_true(t.type == TS_CORE_I64 && !t.mut);
        if (strcmp(item.name, "f") == 0) assert_true(t.type == TS_CORE_F32 && t.mut);
        if (strcmp(item.name, "refs") == 0) assert_true(t.type == TS_CORE_EXTERNREF && t.min == 3 && !t.has_max);
    }
    assert_true(seen[TS_CORE_MEMORY] == 1 && seen[TS_CORE_TABLE] == 1 && seen[TS_CORE_GLOBAL] == 3 &&
                seen[TS_CORE_TAG] == 1);
    assert_false(ts_core_module_export(h->module, n, &item));
    ts_core_extern x;
    assert_false(ts_core_instance_export_at(h->inst, n, &x));
    assert_false(ts_core_instance_export(h->inst, "nothing", &x));
    close_host(h);
}

static void modules(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_core_module *m;
    ts_core_instance *i;
    FAILS(ts_core_module_load(h->engine, "\0asm\2\0\0\0", 8, &m, &h->e), TS_MALFORMED, "");
    assert_null(m);
    /* a function whose type does not exist */
    const uint8_t invalid[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 3, 2, 1, 0};
    assert_int_not_equal(ts_core_module_load(h->engine, invalid, sizeof invalid, &m, NULL), TS_OK);

    FAILS(ts_core_module_instantiate(h->store, h->module, h->imports, 6, NULL, &i, &h->e), TS_UNLINKABLE,
          "7 imports, but 6");
    assert_null(i);
    ts_core_extern wrong[7];
    memcpy(wrong, h->imports, sizeof wrong);
    wrong[MIX] = h->imports[MEM];
    FAILS(ts_core_module_instantiate(h->store, h->module, wrong, 7, NULL, &i, &h->e), TS_UNLINKABLE, "\"mix\"");
    wrong[MIX] = (ts_core_extern){.kind = TS_CORE_FUNC};
    FAILS(ts_core_module_instantiate(h->store, h->module, wrong, 7, NULL, &i, &h->e), TS_UNLINKABLE,
          "no value is given");
    wrong[MIX] = h->imports[THROWS];
    FAILS(ts_core_module_instantiate(h->store, h->module, wrong, 7, NULL, &i, &h->e), TS_UNLINKABLE,
          "incompatible import type");

    host *other = open_host(NULL); /* another engine, another store */
    FAILS(ts_core_module_instantiate(other->store, h->module, h->imports, 7, NULL, &i, &h->e), TS_USAGE, "engines");
    FAILS(ts_core_func_call(other->store, export_of(h, "nine").func, NULL, 0, NULL, 0, &h->e), TS_USAGE,
          "another store");
    wrong[MIX] = export_of(other, "mix");
    FAILS(ts_core_module_instantiate(h->store, h->module, wrong, 7, NULL, &i, &h->e), TS_USAGE, "another store");
    ts_core_val f = func(export_of(other, "nine").func);
    FAILS(ts_core_table_set(h->store, h->imports[TAB].table, 0, &f, &h->e), TS_USAGE, "another store");
    close_host(other);

    wrong[MIX] = h->imports[MIX];
    /* a second one beside the first */
    OK(ts_core_module_instantiate(h->store, h->module, wrong, 7, NULL, &i, &h->e));
    close_host(h);
}

static void values(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_core_func *nine = export_of(h, "nine").func;
    ts_core_val a[7] = {i32(-7),
                        {.type = TS_CORE_I64, .i64 = INT64_MIN + 1},
                        {.type = TS_CORE_F32, .f32 = -1.5f},
                        f64(2.25),
                        {.type = TS_CORE_V128},
                        ref(TS_CORE_EXTERNREF, ts_core_ref_host((UINT64_C(1) << 62) - 1)),
                        func(nine)},
                r[7];
    for (int i = 0; i < 16; i++) a[4].v128[i] = (uint8_t)(i * 3 + 1);
    OK(call(h, "mix", a, 7, r, 7));
    uint64_t v = 0;
    assert_true(r[6].type == TS_CORE_I32 && r[6].i32 == -7 && r[5].i64 == INT64_MIN + 1 && r[4].f32 == -1.5f &&
                r[3].f64 == 2.25);
    assert_memory_equal(r[2].v128, a[4].v128, 16);
    assert_true(ts_core_ref_host_value(r[1].ref, &v) && v == (UINT64_C(1) << 62) - 1);
    assert_ptr_equal(r[0].func, nine);
    a[5].ref = 0;
    a[6].func = NULL;
    OK(call(h, "mix", a, 7, r, 7));
    assert_true(r[1].ref == 0 && r[0].func == NULL);
    assert_false(ts_core_ref_host_value(0, &v));

    int32_t n = 0;
    ts_core_val x = ref(TS_CORE_I31REF, ts_core_ref_i31(-5));
    OK(call(h, "i31", &x, 1, r, 1));
    assert_true(ts_core_ref_i31_value(r[0].ref, &n) && n == -4);
    assert_false(ts_core_ref_i31_value(ts_core_ref_host(4), &n));

    /* values that do not fit */
    FAILS(call(h, "mix", a, 6, r, 7), TS_USAGE, "7 parameters");
    FAILS(call(h, "mix", a, 7, r, 6), TS_USAGE, "7 results");
    /* the error is still filled, and "nine" is compiled now: a good call does not fail because of that */
    assert_int_equal(call(h, "nine", NULL, 0, r, 1), TS_OK);
    assert_int_equal(r[0].i32, 9);
    assert_int_equal(h->e.status, TS_USAGE);
    a[0] = f64(0);
    FAILS(call(h, "mix", a, 7, r, 7), TS_USAGE, "argument 1 is of type f64, not i32");
    a[0] = (ts_core_val){.type = 0x12};
    FAILS(call(h, "mix", a, 7, r, 7), TS_USAGE, "unknown");
    a[0] = i32(0);
    a[5] = func(nine);
    FAILS(call(h, "mix", a, 7, r, 7), TS_USAGE, "another kind");
    a[5] = i32(0);
    FAILS(call(h, "mix", a, 7, r, 7), TS_USAGE, "is not a reference");
    x = ref(TS_CORE_I31REF, ts_core_ref_host(1));
    FAILS(call(h, "i31", &x, 1, r, 1), TS_USAGE, "another type");
    x = ref(TS_CORE_ANYREF, 0x1000);
    FAILS(call(h, "i31", &x, 1, r, 1), TS_USAGE, "to an object of this store");
    FAILS(call(h, "read", &(ts_core_val){.type = TS_CORE_STRUCTREF}, 1, r, 1), TS_USAGE, "is null");
    /* an exception is no object of the other hierarchy, whatever type is claimed for it */
    a[0] = i32(7);
    assert_int_equal(call(h, "catches", a, 1, r, 1), TS_OK);
    assert_true(r[0].ref != 0);
    x = ref(TS_CORE_ANYREF, r[0].ref);
    FAILS(call(h, "i31", &x, 1, r, 1), TS_USAGE, "another kind");
    close_host(h);
}

/* Objects live while they are held. */
static void references(void **state) {
    (void)state;
    host *h = open_host(&(ts_run_limits){.gc_bytes = 4 << 20});
    ts_core_val node, r, n = i32(30);
    OK(call(h, "make", &n, 1, &node, 1));
    OK(ts_core_ref_hold(h->store, node.ref, &h->e));
    OK(ts_core_ref_hold(h->store, node.ref, &h->e)); /* counted */
    ts_core_ref_release(h->store, node.ref);
    for (int i = 0; i < 3; i++) {
        OK(call(h, "trash", NULL, 0, &r, 1));
        ts_core_store_collect(h->store);
    }
    OK(call(h, "read", &node, 1, &r, 1));
    assert_int_equal(r.i32, 35);
    ts_core_global_get(h->store, export_of(h, "kept").global, &r);
    assert_int_equal(r.ref, 0);
    /* a global refers to it as well */
    OK(ts_core_global_set(h->store, export_of(h, "kept").global, &node, &h->e));
    ts_core_ref_release(h->store, node.ref);
    ts_core_store_collect(h->store);
    OK(call(h, "read", &node, 1, &r, 1));
    assert_int_equal(r.i32, 35);
    r = ref(TS_CORE_ANYREF, 0);
    OK(ts_core_global_set(h->store, export_of(h, "kept").global, &r, &h->e));
    OK(call(h, "trash", NULL, 0, &r, 1)); /* its slot on the stack is overwritten */
    ts_core_store_collect(h->store);
    FAILS(call(h, "read", &node, 1, &r, 1), TS_USAGE, "to an object of this store"); /* gone, and known to be */
    FAILS(ts_core_ref_hold(h->store, node.ref, &h->e), TS_USAGE, "not to an object");
    OK(ts_core_ref_hold(h->store, ts_core_ref_i31(1), &h->e)); /* nothing to hold */
    ts_core_ref_release(h->store, ts_core_ref_i31(1));
    close_host(h);
}

static void callbacks(void **state) {
    (void)state;
    host *h = open_host(&(ts_run_limits){.depth = 5});
    ts_core_val n = i32(8), r;
    OK(call(h, "visit", &n, 1, &r, 1));
    assert_int_equal(r.i32, 40);
    assert_true(h->kept.ref != 0);
    h->mode = 1;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_USAGE, "visit: result 1 is of type f64, not i32");
    h->mode = 2;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_EXIT, "3");
    assert_int_equal(h->e.exit_status, 3);
    h->mode = 3;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_TRAP, "no visitors");
    assert_int_equal(h->e.trap, TS_TRAP_HOST);
    assert_int_equal(h->e.n_frames, 1);
    assert_string_equal(h->e.frames[0].module, "tested");
    h->mode = 4;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_IO, "visit ended with: io-error");
    h->mode = 5;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_TRAP, "visit trapped");
    h->mode = 6;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_USAGE, "has thrown none");
    h->mode = 7;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_EXCEPTION, "exception");
    assert_ptr_equal(ts_core_exception_tag(h->store), h->imports[TAG].tag);
    h->mode = 8;
    OK(call(h, "visit", &n, 1, &r, 1));
    assert_int_equal(r.i32, 40);
    h->mode = 9;
    FAILS(call(h, "visit", &n, 1, &r, 1), TS_EXHAUSTION, "depth limit, 5");
    h->mode = 0;
    OK(call(h, "visit", &n, 1, &r, 1)); /* everything still works */

    /* a function with a type written out, called without any module; a type that is not a function type */
    ts_core_type one[] = {TS_CORE_I32}, bad[] = {0x40};
    ts_core_externtype t = {.kind = TS_CORE_FUNC, .n_params = 1, .params = one};
    ts_core_func *f;
    OK(ts_core_func_new(h->store, &t, throws, h, NULL, &f, &h->e));
    FAILS(ts_core_func_call(h->store, f, &n, 1, NULL, 0, &h->e), TS_EXCEPTION, "");
    t.params = bad;
    FAILS(ts_core_func_new(h->store, &t, throws, h, NULL, &f, &h->e), TS_USAGE, "0x40");
    assert_null(f);
    t.kind = TS_CORE_TAG;
    FAILS(ts_core_func_new(h->store, &t, throws, h, NULL, &f, &h->e), TS_USAGE, "function");
    close_host(h);
}

static void exceptions(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_core_val n = i32(4), r[2], d = f64(6.5);
    uint64_t v;
    assert_null(ts_core_exception_tag(h->store));
    FAILS(ts_core_exception_args(h->store, r, 2, &h->e), TS_USAGE, "no call");
    OK(call(h, "catch", &n, 1, r, 2)); /* the host throws, the guest catches */
    assert_int_equal(r[0].i32, 5);
    assert_true(ts_core_ref_host_value(r[1].ref, &v) && v == 99);
    assert_null(ts_core_exception_tag(h->store));
    OK(call(h, "catches", &n, 1, r, 1));
    assert_int_equal(r[0].type, TS_CORE_EXNREF);
    assert_true(r[0].ref != 0);
    FAILS(call(h, "pass", &n, 1, NULL, 0), TS_EXCEPTION, "uncaught");
    assert_int_equal(h->e.trap, TS_TRAP_EXCEPTION);
    assert_ptr_equal(ts_core_exception_tag(h->store), h->imports[TAG].tag);
    ts_core_store_collect(h->store);
    OK(ts_core_exception_args(h->store, r, 2, &h->e));
    assert_int_equal(r[0].i32, 5);
    FAILS(ts_core_exception_args(h->store, r, 1, &h->e), TS_USAGE, "2 arguments");
    /* the guest throws, the host catches */
    FAILS(call(h, "throw", &d, 1, NULL, 0), TS_EXCEPTION, "uncaught");
    assert_ptr_equal(ts_core_exception_tag(h->store), export_of(h, "out").tag);
    OK(ts_core_exception_args(h->store, r, 1, &h->e));
    assert_true(r[0].type == TS_CORE_F64 && r[0].f64 == 6.5);
    n = i32(-1);
    FAILS(call(h, "pass", &n, 1, NULL, 0), TS_USAGE, "the tag has 2 arguments");
    assert_null(ts_core_exception_tag(h->store));
    n = i32(2000);
    FAILS(call(h, "pass", &n, 1, NULL, 0), TS_USAGE, "argument 1");

    ts_core_tag *tag;
    ts_core_type one[] = {TS_CORE_I32};
    FAILS(ts_core_tag_new(h->store, &(ts_core_externtype){.kind = TS_CORE_TAG, .n_results = 1, .results = one}, &tag,
                          &h->e),
          TS_USAGE, "not have results");
    FAILS(ts_core_tag_new(h->store, &(ts_core_externtype){.kind = TS_CORE_FUNC}, &tag, &h->e), TS_USAGE, "tag");
    OK(ts_core_tag_new(h->store, &(ts_core_externtype){.kind = TS_CORE_TAG, .n_params = 1, .params = one}, &tag,
                       &h->e));
    assert_non_null(tag);
    close_host(h);
}

static void memories(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_core_memory *m = h->imports[MEM].memory, *other;
    uint32_t word = 41;
    uint64_t old = 9;
    assert_int_equal(ts_core_memory_size(m), 65536);
    assert_int_equal(ts_core_memory_pages(m), 1);
    assert_true(ts_core_memory_write(m, 4, &word, 4));
    OK(call(h, "poke", NULL, 0, NULL, 0));
    assert_int_equal(ts_core_memory_data(m)[4], 42);
    assert_true(ts_core_memory_read(m, 4, &word, 4) && word == 42);
    assert_true(ts_core_memory_read(m, 65532, &word, 4) && ts_core_memory_read(m, 65536, &word, 0));
    assert_false(ts_core_memory_read(m, 65533, &word, 4) || ts_core_memory_write(m, 65533, &word, 4));
    assert_false(ts_core_memory_read(m, UINT64_MAX, &word, 4) || ts_core_memory_write(m, UINT64_MAX - 1, &word, 4));
    OK(ts_core_memory_grow(h->store, m, 1, &old, &h->e));
    assert_int_equal(old, 1);
    assert_int_equal(ts_core_memory_size(m), 2 * 65536);
    OK(ts_core_memory_grow(h->store, m, 0, NULL, &h->e));
    FAILS(ts_core_memory_grow(h->store, m, 2, NULL, &h->e), TS_LIMIT, "the limit is 3");
    FAILS(ts_core_memory_grow(h->store, m, UINT64_MAX, NULL, &h->e), TS_LIMIT, "memory");
    ts_core_externtype t;
    ts_core_extern_describe(h->store, &h->imports[MEM], &t);
    assert_true(t.min == 2 && t.max == 3); /* the size now */

    t = (ts_core_externtype){.kind = TS_CORE_MEMORY, .min = 3, .page_size = 1};
    OK(ts_core_memory_new(h->store, &t, &other, &h->e));
    assert_int_equal(ts_core_memory_size(other), 3);
    t.page_size = 4096;
    FAILS(ts_core_memory_new(h->store, &t, &other, &h->e), TS_USAGE, "4096");
    t = (ts_core_externtype){.kind = TS_CORE_MEMORY, .min = 3, .max = 2, .has_max = true};
    FAILS(ts_core_memory_new(h->store, &t, &other, &h->e), TS_USAGE, "maximum");
    t = (ts_core_externtype){.kind = TS_CORE_MEMORY, .min = 3, .shared = true};
    FAILS(ts_core_memory_new(h->store, &t, &other, &h->e), TS_USAGE, "shared");
    t.kind = TS_CORE_TABLE;
    FAILS(ts_core_memory_new(h->store, &t, &other, &h->e), TS_USAGE, "memory");
    close_host(h);
}

static void tables_and_globals(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_core_table *t = h->imports[TAB].table, *other;
    ts_core_val v, nine = func(export_of(h, "nine").func), n = i32(1),
                   host5 = ref(TS_CORE_EXTERNREF, ts_core_ref_host(5));
    uint64_t old = 0, number;
    assert_int_equal(ts_core_table_size(t), 2);
    OK(ts_core_table_get(h->store, t, 1, &v, &h->e));
    assert_true(v.type == TS_CORE_FUNCREF && v.func == NULL);
    FAILS(call(h, "via", &n, 1, &v, 1), TS_TRAP, "uninitialized");
    OK(ts_core_table_set(h->store, t, 1, &nine, &h->e));
    OK(call(h, "via", &n, 1, &v, 1));
    assert_int_equal(v.i32, 9);
    OK(ts_core_table_get(h->store, t, 1, &v, &h->e));
    assert_ptr_equal(v.func, nine.func);
    FAILS(ts_core_table_get(h->store, t, 2, &v, &h->e), TS_USAGE,
          "element 2 is out of bounds: the table has 2 elements");
    FAILS(ts_core_table_set(h->store, t, 2, &nine, &h->e), TS_USAGE, "element 2");
    FAILS(ts_core_table_set(h->store, t, 0, &host5, &h->e), TS_USAGE, "another kind");
    OK(ts_core_table_grow(h->store, t, 3, &nine, &old, &h->e));
    assert_true(old == 2 && ts_core_table_size(t) == 5);
    OK(ts_core_table_get(h->store, t, 4, &v, &h->e));
    assert_ptr_equal(v.func, nine.func);
    FAILS(ts_core_table_grow(h->store, t, 4, NULL, &old, &h->e), TS_LIMIT, "the limit is 8");
    OK(ts_core_table_set(h->store, export_of(h, "refs").table, 2, &host5, &h->e));
    OK(ts_core_table_get(h->store, export_of(h, "refs").table, 2, &v, &h->e));
    assert_true(ts_core_ref_host_value(v.ref, &number) && number == 5);
    ts_core_externtype tt = {.kind = TS_CORE_TABLE, .type = TS_CORE_I32};
    FAILS(ts_core_table_new(h->store, &tt, NULL, &other, &h->e), TS_USAGE, "reference type");
    tt = (ts_core_externtype){.kind = TS_CORE_TABLE, .type = TS_CORE_EXTERNREF, .min = 2};
    OK(ts_core_table_new(h->store, &tt, &host5, &other, &h->e));
    OK(ts_core_table_get(h->store, other, 1, &v, &h->e));
    assert_int_equal(v.ref, host5.ref);

    ts_core_global *g = h->imports[GLOB].global, *made;
    OK(call(h, "swap", NULL, 0, NULL, 0));
    ts_core_global_get(h->store, g, &v);
    for (int i = 0; i < 16; i++) assert_int_equal(v.v128[i], 15 - i);
    v.v128[0] = 200;
    OK(ts_core_global_set(h->store, g, &v, &h->e));
    OK(call(h, "swap", NULL, 0, NULL, 0));
    ts_core_global_get(h->store, g, &v);
    assert_true(v.type == TS_CORE_V128 && v.v128[15] == 200);
    ts_core_global_get(h->store, export_of(h, "k").global, &v);
    assert_true(v.type == TS_CORE_I64 && v.i64 == 77);
    FAILS(ts_core_global_set(h->store, export_of(h, "k").global, &v, &h->e), TS_USAGE, "immutable");
    FAILS(ts_core_global_set(h->store, export_of(h, "f").global, &v, &h->e), TS_USAGE, "not f32");
    ts_core_externtype gt = {.kind = TS_CORE_GLOBAL, .type = TS_CORE_I64, .mut = true};
    OK(ts_core_global_new(h->store, &gt, &v, &made, &h->e));
    ts_core_global_get(h->store, made, &v);
    assert_int_equal(v.i64, 77);
    FAILS(ts_core_global_new(h->store, &gt, &n, &made, &h->e), TS_USAGE, "not i64");
    close_host(h);
}

static void limits(void **state) {
    (void)state;
    ts_core_val r, n = i32(1);
    host *h = open_host(&(ts_run_limits){.fuel = 5000,
                                         .stack_bytes = 64 * 1024,
                                         .gc_bytes = 1 << 20,
                                         .memory_bytes = 2 * 65536,
                                         .table_elems = 4,
                                         .instances = 2});
    uint64_t before = ts_core_store_fuel(h->store);
    OK(call(h, "nine", NULL, 0, &r, 1));
    assert_in_range(ts_core_store_fuel(h->store), 1, before - 1);
    FAILS(call(h, "forever", NULL, 0, NULL, 0), TS_LIMIT, "fuel");
    assert_int_equal(ts_core_store_fuel(h->store), 0);
    OK(ts_core_store_set_fuel(h->store, 1000000000, &h->e));
    FAILS(call(h, "deep", NULL, 0, &r, 1), TS_EXHAUSTION, "on the stack is reached");
    FAILS(call(h, "hoard", NULL, 0, NULL, 0), TS_TRAP, "on the heap is reached");
    assert_int_equal(h->e.trap, TS_TRAP_ALLOC);
    OK(call(h, "grow", &n, 1, &r, 1));
    assert_int_equal(r.i32, 1);
    OK(call(h, "grow", &n, 1, &r, 1)); /* its own maximum would be 3 */
    assert_int_equal(r.i32, -1);
    FAILS(ts_core_table_grow(h->store, h->imports[TAB].table, 3, NULL, NULL, &h->e), TS_LIMIT, "the limit is 4");
    ts_core_table *t;
    ts_core_memory *m;
    FAILS(ts_core_table_new(h->store, &(ts_core_externtype){.kind = TS_CORE_TABLE, .type = TS_CORE_FUNCREF, .min = 5},
                            NULL, &t, &h->e),
          TS_LIMIT, "a table of 5");
    FAILS(ts_core_memory_new(h->store, &(ts_core_externtype){.kind = TS_CORE_MEMORY, .min = 3}, &m, &h->e), TS_LIMIT,
          "a memory of 192 KiB (3 pages of 64 KiB) is over the limit of 128 KiB");
    ts_core_instance *i;
    OK(ts_core_module_instantiate(h->store, h->module, h->imports, 7, NULL, &i, &h->e));
    FAILS(ts_core_module_instantiate(h->store, h->module, h->imports, 7, NULL, &i, &h->e), TS_LIMIT,
          "2 core instances");
    close_host(h);

    h = open_host(NULL);
    assert_true(ts_core_store_fuel(h->store) == UINT64_MAX);
    FAILS(ts_core_store_set_fuel(h->store, 5, &h->e), TS_USAGE, "fuel");
    close_host(h);

    /* the same NaN as it is, and made canonical */
    const uint64_t odd = 0x7ff8000000000123u;
    ts_core_val nan = f64(0);
    memcpy(&nan.f64, &odd, sizeof odd);
    h = open_host(&(ts_run_limits){.deterministic = true});
    OK(call(h, "nan", &nan, 1, &r, 1));
    assert_true((uint64_t)r.i64 == 0x7ff8000000000000u);
    close_host(h);
}

static void *interrupt(void *store) {
    ts_core_store_interrupt(store);
    return NULL;
}
static void interruption(void **state) {
    (void)state;
    host *h = open_host(&(ts_run_limits){.interruptible = true});
    ts_core_val r;
    for (int i = 0; i < 3; i++) {
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, interrupt, h->store), 0);
        FAILS(call(h, "forever", NULL, 0, NULL, 0), TS_INTERRUPTED, "interrupted");
        pthread_join(t, NULL);
        OK(call(h, "nine", NULL, 0, &r, 1));
        assert_int_equal(r.i32, 9);
    }
    close_host(h);
}

/* Threads with stores of their own share an engine and a module. */
typedef struct job {
    host *h;
    int wrong;
} job;
static void *on_thread(void *data) {
    job *j = data;
    host own = {.engine = j->h->engine, .module = j->h->module}, *h = &own;
    j->wrong = 1;
    for (int i = 0; i < 10; i++) {
        ts_core_val n = i32(i), r[2];
        OK(ts_core_store_new(h->engine, NULL, &h->store, &h->e));
        make_imports(h);
        OK(ts_core_module_instantiate(h->store, h->module, h->imports, 7, NULL, &h->inst, &h->e));
        OK(call(h, "catch", &n, 1, r, 2));
        if (r[0].i32 != i + 1) return NULL;
        OK(call(h, "trash", NULL, 0, r, 1));
        FAILS(call(h, "pass", &n, 1, NULL, 0), TS_EXCEPTION, "");
        ts_core_store_free(h->store);
    }
    j->wrong = 0;
    return NULL;
}
static void threads(void **state) {
    (void)state;
    host *h = open_host(NULL);
    job jobs[3] = {{.h = h}, {.h = h}, {.h = h}};
    pthread_t t[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&t[i], NULL, on_thread, &jobs[i]), 0);
    for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < 3; i++) assert_int_equal(jobs[i].wrong, 0);
    close_host(h);
}

/* A component's store takes the same limits, and is interrupted the same way. */
static void component_store(void **state) {
    (void)state;
    host *h = open_host(NULL);
    ts_cstore *s;
    OK(ts_cstore_new(h->engine,
                     &(ts_run_limits){.table_elems = 3, .gc_bytes = 1 << 20, .depth = 4, .interruptible = true}, &s,
                     &h->e));
    ts_cstore_interrupt(s); /* nothing runs, so the next call would end */
    ts_cstore_free(s);
    close_host(h);
}

/* The header is C++ too. */
static void cplusplus(void **state) {
    (void)state;
#define CXX "$(command -v c++ || command -v clang++-19 || command -v clang++)"
    if (system("test -n \"" CXX "\"") != 0) skip();
    const char *made =
        "printf '#include <touchstone.h>\\nint f() { ts_core_val v{}; ts_run_limits l{}; return "
        "(int)l.fuel + v.i32; "
        "}\\n' | "
        "\"" CXX
        "\" -std=c++11 -Wall -Wextra -Werror -pedantic -Wno-nested-anon-types -Iruntime/include -fsyntax-only -x c++ "
        "-"; /* in the project's root */
    assert_int_equal(system(made), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),     cmocka_unit_test(modules),
        cmocka_unit_test(values),    cmocka_unit_test(references),
        cmocka_unit_test(callbacks), cmocka_unit_test(exceptions),
        cmocka_unit_test(memories),  cmocka_unit_test(tables_and_globals),
        cmocka_unit_test(limits),    cmocka_unit_test(interruption),
        cmocka_unit_test(threads),   cmocka_unit_test(component_store),
        cmocka_unit_test(cplusplus),
    };
    return cmocka_run_group_tests_name("core_api", tests, NULL, NULL);
}
