/* test_old_names: a program written for version 0.1 compiles and runs with TOUCHSTONE_OLD_NAMES. Each old
 * name is used once, as version 0.1 declared it. */
#define TOUCHSTONE_OLD_NAMES
#include "touchstone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void old_names(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine = NULL;
    ts_wasi *w = NULL;
    ts_linker *l = NULL;
    ts_core_module *m = NULL;
    ts_core_store *store = NULL;
    ts_core_instance *i = NULL;
    ts_cstore *cstore = NULL;
    ts_pool *pool = ts_pool_new();
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    char folder[] = "/tmp/ts-old-names-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(ts_engine_cache(engine, folder, &e), TS_OK);
    assert_int_equal(ts_wasi_create(&w, &e), TS_OK);
    assert_int_equal(ts_wasi_arg(w, "program", &e), TS_OK);
    assert_int_equal(ts_wasi_env(w, "NAME", 4, "value", &e), TS_OK);
    assert_int_equal(ts_wasi_cwd(w, "/", &e), TS_OK);
    assert_int_equal(ts_wasi_dir(w, folder, "/", true, &e), TS_OK);
    assert_int_equal(ts_wasi_allow(w, TS_WASI_TCP_CONNECT, "127.0.0.1:80", &e), TS_OK);
    assert_int_equal(ts_wasi_http_ca(w, "/dev/null/x", &e), TS_IO);
    ts_error_clear(&e);
    ts_wasi_clock(w, 1, 0);
    ts_wasi_seed(w, 7);
    ts_wasi_stdio(w, 0, -1);
    ts_wasi_stop(w);
    assert_int_equal(ts_linker_new(&l, &e), TS_OK);
    ts_linker_unknown_imports_trap(l, true);
    static const unsigned char empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    assert_int_equal(ts_core_module_new(engine, empty, sizeof empty, &m, &e), TS_OK);
    assert_int_equal(ts_core_store_new(engine, NULL, &store, &e), TS_OK);
    assert_int_equal(ts_core_instantiate(store, m, NULL, 0, NULL, &i, &e), TS_OK);
    assert_int_equal(ts_cstore_new(engine, NULL, &cstore, &e), TS_OK);
    const char *text = NULL;
    assert_int_equal(ts_cfunc_invoke(cstore, NULL, NULL, NULL, pool, &e), TS_USAGE);
    assert_int_equal(ts_cinstance_invoke_text(cstore, NULL, "f()", pool, &text, &e), TS_USAGE);
    ts_cstore_free(cstore);
    ts_core_store_free(store);
    ts_core_module_free(m);
    ts_linker_free(l);
    ts_wasi_destroy(w);
    ts_engine_free(engine);
    ts_pool_free(pool);
    char remove[64];
    (void)snprintf(remove, sizeof remove, "rm -r %s", folder);
    (void)!system(remove);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(old_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
