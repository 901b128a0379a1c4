/* test_preview1_memory: each allocation of a run of preview 1 fails once, and fails from then on.
 * In: modules of fixtures/built; the linker replaces malloc, calloc and realloc (-Wl,--wrap). Out: the run ends as any
 * run may; no crash, no file left open, no leak (checked by the sanitizers). */
#include "tests/wasi_help.h"
#include "tests/refuse_memory.h"
#include "component/run/instance.h"
#include "sys/input.h"
#include "wasi/preview1/preview1.h"
#include "wasi/preview1/state.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_files(void) {
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* Calls _start. Only this part meets refused allocations. */
static ts_status start(ts_wasi *w, ts_cstore *s, ts_linker *l, ts_core_module *m, ts_error *e) {
    ts_core_extern imports[64];
    ts_core_item item;
    ts_core_instance *instance;
    ts_core_extern entry;
    ts_p1 *p = NULL;
    const uint32_t n = ts_core_module_import_count(m);
    assert_true(n <= 64);
    ts_status st = ts_p1_new(w, s, l, &p, e);
    for (uint32_t i = 0; st == TS_OK && i < n; i++) {
        assert_true(ts_core_module_import(m, i, &item));
        imports[i].kind = TS_CORE_FUNC;
        st = ts_p1_function(p, ts_cstore_core(s), &item, &imports[i].func, e);
    }
    if (st == TS_OK) st = ts_core_module_instantiate(ts_cstore_core(s), m, imports, n, NULL, &instance, e);
    if (st == TS_OK) {
        assert_true(ts_core_instance_export(instance, "_start", &entry));
        st = ts_core_func_call(ts_cstore_core(s), entry.func, NULL, 0, NULL, 0, e);
    }
    ts_p1_free(p);
    return st;
}
static void drop_line(void *data, const char *line, size_t len) {
    (void)line;
    *(size_t *)data += len;
}
static ts_status once(ts_engine *engine, ts_core_module *m, const char *root, int64_t which, bool traced) {
    ts_error e;
    ts_wasi *w;
    ts_linker *l;
    ts_cstore *s;
    size_t lines = 0;
    const ts_trace trace = {.line = drop_line, .data = &lines};
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    ts_error_init(&e);
    assert_int_equal(ts_wasi_new(&w, &e), TS_OK);
    for (int i = 0; i < 3; i++) ts_wasi_set_stdio(w, i, null);
    assert_int_equal(ts_wasi_allow_dir(w, root, "/data", false, &e), TS_OK);
    assert_int_equal(ts_linker_new(&l, &e), TS_OK);
    if (traced) ts_linker_set_trace(l, &trace);
    assert_int_equal(ts_cstore_new(engine, NULL, &s, &e), TS_OK);
    asked = refused = 0;
    until = which;
    ts_status st = start(w, s, l, m, &e);
    until = -1;
    assert_int_equal(e.status, st);
    ts_cstore_free(s);
    ts_linker_free(l);
    ts_wasi_free(w);
    close(null);
    assert_true(!traced || lines || refused);
    return st;
}

static void each_allocation(const char *name) {
    char path[4096], root[] = "/tmp/test_preview1_memory_XXXXXX", command[100];
    ts_sys_input file;
    ts_engine *engine;
    ts_core_module *m;
    ts_error e;
    ts_error_init(&e);
    const char *fixtures = getenv("TOUCHSTONE_FIXTURES");
    snprintf(path, sizeof path, "%s/built/%s", fixtures ? fixtures : "fixtures", name);
    assert_int_equal(ts_sys_input_open(path, TS_SYS_INPUT_MOST, &file), TS_SYS_OK);
    assert_non_null(mkdtemp(root));
    assert_int_equal(ts_engine_new(&engine, &e), TS_OK);
    assert_int_equal(ts_core_module_load(engine, file.bytes, file.len, &m, &e), TS_OK);
    ts_status st = once(engine, m, root, -1, false); /* compiles what it runs */
    assert_true(st == TS_OK || st == TS_EXIT);
    const int before = open_files();
    uint32_t met = 0;
    for (int k = 0; k < 4; k++) {
        for_good = k & 1;
        for (int64_t which = 1;; which++) {
            st = once(engine, m, root, which, k & 2);
            assert_true(st == TS_OK || st == TS_EXIT || st == TS_NOMEM || st == TS_TRAP);
            assert_int_equal(open_files(), before);
            if (!refused) break;
            met++;
        }
    }
    assert_true(met > 40);
    ts_core_module_free(m);
    ts_engine_free(engine);
    ts_sys_input_close(&file);
    snprintf(command, sizeof command, "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}
static void files(void **state) {
    (void)state;
    each_allocation("p1-files-module.wasm");
}
static void paths(void **state) {
    (void)state;
    each_allocation("p1-paths-module.wasm");
}
static void streams(void **state) {
    (void)state;
    each_allocation("p1-streams-module.wasm");
}

/* The numbers of witx: $errno. */
static void errors(void **state) {
    (void)state;
    static const struct {
        ts_sys_err error;
        unsigned number;
    } rows[] = {{TS_SYS_EACCES, 2},
                {TS_SYS_EADDRINUSE, 3},
                {TS_SYS_EADDRNOTAVAIL, 4},
                {TS_SYS_EAFNOSUPPORT, 5},
                {TS_SYS_EAGAIN, 6},
                {TS_SYS_EALREADY, 7},
                {TS_SYS_EBADF, 8},
                {TS_SYS_EBUSY, 10},
                {TS_SYS_ECONNABORTED, 13},
                {TS_SYS_ECONNREFUSED, 14},
                {TS_SYS_ECONNRESET, 15},
                {TS_SYS_EDEADLK, 16},
                {TS_SYS_EDESTADDRREQ, 17},
                {TS_SYS_EDQUOT, 19},
                {TS_SYS_EEXIST, 20},
                {TS_SYS_EFBIG, 22},
                {TS_SYS_EHOSTUNREACH, 23},
                {TS_SYS_EILSEQ, 25},
                {TS_SYS_EINPROGRESS, 26},
                {TS_SYS_EINTR, 27},
                {TS_SYS_EINVAL, 28},
                {TS_SYS_EIO, 29},
                {TS_SYS_EISCONN, 30},
                {TS_SYS_EISDIR, 31},
                {TS_SYS_ELOOP, 32},
                {TS_SYS_EMFILE, 33},
                {TS_SYS_EMLINK, 34},
                {TS_SYS_EMSGSIZE, 35},
                {TS_SYS_ENAMETOOLONG, 37},
                {TS_SYS_ENETDOWN, 38},
                {TS_SYS_ENETUNREACH, 40},
                {TS_SYS_ENFILE, 41},
                {TS_SYS_ENOBUFS, 42},
                {TS_SYS_ENODEV, 43},
                {TS_SYS_ENOENT, 44},
                {TS_SYS_ENOLCK, 46},
                {TS_SYS_ENOMEM, 48},
                {TS_SYS_ENOSPC, 51},
                {TS_SYS_ENOTCONN, 53},
                {TS_SYS_ENOTDIR, 54},
                {TS_SYS_ENOTEMPTY, 55},
                {TS_SYS_ENOTRECOVERABLE, 56},
                {TS_SYS_ENOTSUP, 58},
                {TS_SYS_ENOTTY, 59},
                {TS_SYS_ENXIO, 60},
                {TS_SYS_EOVERFLOW, 61},
                {TS_SYS_EPERM, 63},
                {TS_SYS_EPIPE, 64},
                {TS_SYS_EPROTONOSUPPORT, 66},
                {TS_SYS_EROFS, 69},
                {TS_SYS_ESPIPE, 70},
                {TS_SYS_ETIMEDOUT, 73},
                {TS_SYS_ETXTBSY, 74},
                {TS_SYS_EXDEV, 75},
                {TS_SYS_ESCAPE, 63},
                {TS_SYS_OK, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(ts_p1_errno_of(rows[i].error), rows[i].number);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files), cmocka_unit_test(paths), cmocka_unit_test(streams),
                                       cmocka_unit_test(errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
