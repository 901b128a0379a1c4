/* test_cache: what the cache remembers of valid modules, and data that is mapped instead of copied.
 * In: modules written here, a folder of the test's own. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/load/cache.h"
#include "core/run/code_cache.h"
#include "core/run/exec.h"
#include "core/run/image.h"
#include "core/run/spares.h"
#include "core/run/store.h"
#include "core/load/load.h"
#include "sys/written.h"
#include "tests/cache_folder.h"
#include <sys/resource.h>

enum { DATA = 100000, BODY = 70000, AT = 5000 };
typedef struct module {
    uint8_t *at;
    size_t len, code; /* code: the position of an instruction of the body */
} module;

static void put(module *m, const void *bytes, size_t len) {
    m->at = realloc(m->at, m->len + len);
    assert_non_null(m->at);
    memcpy(m->at + m->len, bytes, len);
    m->len += len;
}
static void put_u32(module *m, uint32_t v) { /* five bytes, whatever the number */
    uint8_t b[5];
    for (int i = 0; i < 5; i++) b[i] = (uint8_t)((v >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
    put(m, b, 5);
}
/* (func) of many nops; (memory 4); (data (i32.const AT) …) twice, the second over a part of the first. */
static module make(void) {
    module m = {0};
    put(&m, "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\4\7\5\1\1m\2\0", 30);
    put(&m, "\12", 1);
    put_u32(&m, 1 + 5 + 1 + BODY + 1);
    put(&m, "\1", 1);
    put_u32(&m, 1 + BODY + 1);
    put(&m, "\0", 1);
    uint8_t *nops = malloc(DATA);
    assert_non_null(nops);
    memset(nops, 1, BODY);
    m.code = m.len;
    put(&m, nops, BODY);
    put(&m, "\x0b", 1);
    put(&m, "\x0b", 1);
    put_u32(&m, 1 + 5 + 5 + DATA + 6 + 5 + 4);
    put(&m, "\2\0\x41\x88\x27\x0b", 6); /* AT = 0x1388 */
    put_u32(&m, DATA);
    for (size_t i = 0; i < DATA; i++) nops[i] = (uint8_t)(i * 31 + i / 256);
    put(&m, nops, DATA);
    put(&m, "\0\x41\xd0\x86\x03\x0b", 6); /* 50000 */
    put_u32(&m, 4);
    put(&m, "over", 4);
    free(nops);
    return m;
}

static const uint64_t identity[5] = {1, 2, 3, 4, 5};
static ts_status load(const module *m, const char *cache, bool is_file, ts_engine **engine, ts_module **out) {
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(engine, &e), TS_OK);
    if (cache) assert_int_equal(ts_engine_set_cache(*engine, cache, &e), TS_OK);
    if (is_file) ts_engine_cache_file(*engine, m->at, m->len, identity);
    return ts_module_new(*engine, m->at, m->len, false, out, &e);
}
static ts_status try_load(const module *m, bool is_file) {
    ts_engine *engine;
    ts_module *out;
    ts_status s = load(m, folder, is_file, &engine, &out);
    if (s == TS_OK) ts_module_free(out);
    ts_engine_destroy(engine);
    return s;
}
static void break_it(module *m) {
    m->at[m->code] = 0x1a; /* drop of nothing */
}

static void remembers(void **state) {
    (void)state;
    module m = make();
    assert_int_equal(try_load(&m, false), TS_OK);
    assert_int_equal(each_entry(".valid", NULL), 1);
    assert_int_equal(try_load(&m, false), TS_OK);
    assert_int_equal(each_entry("", NULL), 1);
    break_it(&m);
    assert_int_equal(try_load(&m, false), TS_INVALID); /* other contents: another name */
    assert_int_equal(each_entry("", NULL), 1);         /* and an invalid module is not remembered */
    free(m.at);
}

/* Files of processes that were killed while they wrote are removed after an hour, and no others. */
static void clears_up(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool old, stays;
    } files[] = {{".new-1-2-3", true, false}, {".new-1-2-4", false, true}, {".other", true, true}};
    const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    char path[100];
    module m = make();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        if (files[i].old) assert_int_equal(futimens(fd, long_ago), 0);
        close(fd);
    }
    assert_int_equal(try_load(&m, false), TS_OK);
    assert_int_equal(each_entry(".valid", NULL), 1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        assert_int_equal(unlink(path) == 0, files[i].stays);
    }
    free(m.at);
}

/* An invalid body behind a valid entry shows that bodies are not validated again: whoever can write to the
 * folder is trusted. */
static void believes_its_folder(void **state) {
    (void)state;
    module m = make();
    assert_int_equal(try_load(&m, true), TS_OK);
    assert_int_equal(each_entry(".file", NULL), 1);
    break_it(&m);
    assert_int_equal(try_load(&m, true), TS_OK); /* the same file in the same state, as reported */
    assert_int_equal(try_load(&m, false), TS_INVALID);
    free(m.at);
}

static int shorten(const char *path) {
    return truncate(path, 100);
}
static int open_to_all(const char *path) {
    return chmod(path, 0666);
}
static int damage(const char *path) {
    int fd = open(path, O_WRONLY);
    int r = pwrite(fd, "?", 1, 20) == 1 ? 0 : -1;
    close(fd);
    return r;
}
static void doubts_the_rest(void **state) {
    (void)state;
    int (*const ways[])(const char *) = {shorten, open_to_all, damage};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        module m = make();
        assert_int_equal(try_load(&m, true), TS_OK);
        break_it(&m);
        assert_int_equal(try_load(&m, true), TS_OK);
        assert_int_equal(each_entry(".valid", ways[i]), 1);
        assert_int_equal(try_load(&m, true), TS_INVALID);
        each_entry("", remove);
        free(m.at);
    }
}

static void refuses_what_others_can_write_to(void **state) {
    (void)state;
    ts_engine *engine;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(ts_engine_set_cache(engine, folder, &e), TS_IO);
    assert_non_null(strstr(e.message, folder));
    ts_error_init(&e);
    assert_int_equal(ts_engine_set_cache(engine, "/dev/null/x", &e), TS_IO);
    ts_engine_destroy(engine);
}

static void check_contents(const ts_memory *mem) {
    static const char over[] = "over";

    for (uint64_t i = 0; i < mem->len; i++) {
        uint64_t k = i - AT;
        uint8_t want = i >= 50000 && i < 50004 ? (uint8_t)over[i - 50000]
                       : i >= AT && k < DATA   ? (uint8_t)(k * 31 + k / 256)
                                               : 0;
        if (mem->base[i] != want) fail_msg("byte %llu is %u, not %u", (unsigned long long)i, mem->base[i], want);
    }
}

/* Each instance has its own data, whether it was copied, mapped from an image in memory, or
 * mapped from the cache. */
static void images(void **state) {
    (void)state;
    module m = make();
    for (int cached = 0; cached < 3; cached++) {
        ts_engine *engine;
        ts_module *mod;
        ts_store *s;
        ts_error e;
        ts_error_init(&e);
        assert_int_equal(load(&m, cached ? folder : NULL, false, &engine, &mod), TS_OK);
        assert_int_equal(ts_store_create(engine, NULL, &s, &e), TS_OK);
        ts_instance *i[4];
        for (int n = 0; n < 4; n++) {
            assert_int_equal(ts_instantiate(s, mod, NULL, NULL, &i[n], &e), TS_OK);
            check_contents(i[n]->mems[0]);
            memset(i[n]->mems[0]->base + 4000, 'x', 60000);
            assert_int_equal(ts_memory_grow(s, i[n]->mems[0], 1), 4);
            assert_true(i[n]->data_dropped[0] && i[n]->data_dropped[1]);
        }
        for (int n = 0; n < 4; n++) assert_int_equal(i[n]->mems[0]->base[63999], (uint8_t)'x');
        ts_store_destroy(s);
        ts_module_free(mod);
        ts_engine_destroy(engine);
    }
    free(m.at);
}

static bool readable(const uint8_t *p) {
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    bool ok = write(fd[1], p, 1) == 1; /* otherwise EFAULT */
    close(fd[0]);
    close(fd[1]);
    return ok;
}

/* Stores use the same spares one after another. Each finds its memory as if it were the first,
 * whatever earlier stores wrote and however far they grew it. One of the two modules has an
 * image, the other a small memory. */
static void spares(void **state) {
    (void)state;
    /* (memory 2) (data (i32.const 7) "seven") */
    static const char text[] = "\0asm\1\0\0\0\5\3\1\0\2\13\13\1\0\x41\7\x0b\5seven";
    module m = make(), small = {0};
    put(&small, text, sizeof text - 1);
    ts_engine *engine;
    ts_module *mod, *little;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(load(&m, NULL, false, &engine, &mod), TS_OK);
    assert_int_equal(ts_module_new(engine, small.at, small.len, false, &little, &e), TS_OK);
    ts_spares *kept = ts_spares_new();
    assert_non_null(kept);
    ts_store_limits limits = {.spares = kept};
    uint8_t *was[2] = {NULL, NULL};
    for (int n = 0; n < 12; n++) {
        ts_store *s;
        ts_instance *i;
        int which = n % 3 != 0;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        assert_int_equal(ts_instantiate(s, which ? little : mod, NULL, NULL, &i, &e), TS_OK);
        ts_memory *mem = i->mems[0];
        uint64_t len = which ? 2 << 16 : 4 << 16;
        assert_int_equal(mem->len, len);
        if (mem->guarded) assert_false(readable(mem->base + len));
        if (which) {
            for (uint64_t k = 0; k < len; k++)
                if (mem->base[k] != (k >= 7 && k < 12 ? (uint8_t)"seven"[k - 7] : 0)) fail_msg("byte %u", (unsigned)k);
        } else {
            check_contents(mem);
        }
        if (n > 5 && mem->guarded) assert_ptr_equal(mem->base, was[which]); /* it is the same memory */
        was[which] = mem->base;
        if (n % 2) assert_int_equal(ts_memory_grow(s, mem, 3), len >> 16);
        for (uint64_t k = 0; k < mem->len; k += n % 4 ? 1 : 5000) mem->base[k] = (uint8_t)(n + 1);
        ts_store_destroy(s);
    }
    /* many memories in one store: those that do not fit are released */
    for (int n = 0; n < 3; n++) {
        ts_store *s;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        for (int k = 0; k < 20; k++) {
            ts_instance *i;
            assert_int_equal(ts_instantiate(s, k % 2 ? little : mod, NULL, NULL, &i, &e), TS_OK);
            if (k % 2 == 0) check_contents(i->mems[0]);
            memset(i->mems[0]->base, 'x', 70000);
        }
        ts_store_destroy(s);
    }
    ts_module_free(mod);
    ts_module_free(little);
    ts_spares_free(kept);
    ts_engine_destroy(engine);
    free(m.at);
    free(small.at);
}

/* The pages that instances of a module write are there at once in a memory that is kept, with the image's contents. */
static void prepared(void **state) {
    (void)state;
    static const uint32_t at[] = {5000,  9000,   14000,  33000,
                                  90000, 170000, 174096, 250000}; /* in the image and behind it */
    enum { N = sizeof at / sizeof *at };
    module m = make();
    ts_engine *engine;
    ts_module *mod;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(load(&m, NULL, false, &engine, &mod), TS_OK);
    ts_spares *kept = ts_spares_new();
    assert_non_null(kept);
    ts_store_limits limits = {.spares = kept};
    long faults[6] = {0};
    bool guarded = false;
    for (int n = 0; n < 6; n++) {
        ts_store *s;
        ts_instance *i;
        struct rusage before, after;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        assert_int_equal(ts_instantiate(s, mod, NULL, NULL, &i, &e), TS_OK);
        volatile uint8_t *base = i->mems[0]->base;
        guarded = i->mems[0]->guarded;
        getrusage(RUSAGE_SELF, &before);
        for (int k = 0; k < N; k++) base[at[k]] ^= 0xff;
        getrusage(RUSAGE_SELF, &after);
        faults[n] = after.ru_minflt - before.ru_minflt;
        for (int k = 0; k < N; k++) base[at[k]] ^= 0xff;
        check_contents(i->mems[0]);
        for (int k = 0; k < N; k++) base[at[k]] ^= 0xff;
        ts_store_destroy(s);
    }
    if (guarded) {
        assert_true(faults[2] >= N - 2);
        assert_in_range(faults[5], 0, 2);
    }
    ts_module_free(mod);
    ts_spares_free(kept);
    ts_engine_destroy(engine);
    free(m.at);
}

/* Where the system tells which pages were written, a memory that is kept gets only those back. */
static void restored(void **state) {
    ts_sys_written any;
    ts_sys_written_open();
    if (ts_sys_written_find(NULL, 0, &any, 1) < 0) skip(); /* before Linux 6.7 */
    spares(state);
    /* in the image, at its end, behind it; the pages of these are known after the second instance */
    static const uint32_t at[] = {5000, 9000, 14000, 104000, 106000, 170000, 262143};
    enum { N = sizeof at / sizeof *at, ROUNDS = 40, LEN = 4 << 16 };
    module m = make();
    ts_engine *engine;
    ts_module *mod;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(load(&m, NULL, false, &engine, &mod), TS_OK);
    ts_spares *kept = ts_spares_new();
    assert_non_null(kept);
    ts_store_limits limits = {.spares = kept};
    for (uint32_t n = 0; n < ROUNDS; n++) {
        ts_store *s;
        ts_instance *i;
        struct rusage before, after;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        assert_int_equal(ts_instantiate(s, mod, NULL, NULL, &i, &e), TS_OK);
        volatile uint8_t *base = i->mems[0]->base;
        check_contents(i->mems[0]);
        getrusage(RUSAGE_SELF, &before);
        for (int k = 0; k < N; k++) base[at[k]] ^= 0xff;
        getrusage(RUSAGE_SELF, &after);
        if (n > 4 && i->mems[0]->guarded) assert_in_range(after.ru_minflt - before.ru_minflt, 0, 2);
        for (uint32_t k = 0; k < n % 7; k++) base[(n * 7919 + k * 24593) % LEN] ^= 0xff; /* and some others */
        if (n % 5 == 0) assert_int_equal(ts_memory_grow(s, i->mems[0], 1), 4);
        if (n % 10 == 0) i->mems[0]->base[LEN + 5] = 1;
        if (n % 13 == 12) memset(i->mems[0]->base, 'x', LEN);
        ts_store_destroy(s);
    }
    ts_module_free(mod);
    ts_spares_free(kept);
    ts_engine_destroy(engine);
    free(m.at);
}

/* A module with many functions. f0 to f299 return the low six bits of their number; `own` calls the import; `pick` calls
 * by a table, whose first elements are f0 to f299 and the import. */
enum { MANY = 300, OWN = MANY + 1, PICK = MANY + 2 };
static module many_functions(uint32_t table_len) {
    module m = {0};
    put(&m, "\0asm\1\0\0\0\1\12\2\x60\0\1\x7f\x60\1\x7f\1\x7f\2\7\1\1m\1f\0\0", 29);
    put(&m, "\3", 1);
    put_u32(&m, 5 + MANY + 2);
    put_u32(&m, MANY + 2);
    for (uint32_t k = 0; k < MANY + 1; k++) put(&m, "\0", 1);
    put(&m, "\1\4\10\1\x70\0", 6);
    put_u32(&m, table_len);
    put(&m, "\11", 1);
    put_u32(&m, 5 + 5 + 5 * (MANY + 1));
    put(&m, "\1\0\x41\0\x0b", 5);
    put_u32(&m, MANY + 1);
    for (uint32_t k = 1; k <= MANY; k++) put_u32(&m, k);
    put_u32(&m, 0);
    put(&m, "\12", 1);
    put_u32(&m, 5 + 5 * MANY + 5 + 8);
    put_u32(&m, MANY + 2);
    for (uint32_t k = 0; k < MANY; k++) put(&m, (uint8_t[]){4, 0, 0x41, k & 63, 0x0b}, 5);
    put(&m, "\4\0\x10\0\x0b\7\0\x20\0\x11\0\0\x0b", 13);
    return m;
}

static ts_status give_number(void *data, ts_exec *x, ts_slot *io) {
    (void)x;
    io[0] = *(const uint32_t *)data;
    return TS_OK;
}
/* Instantiates the module with an import that gives *number. */
static ts_status instantiate(ts_store *s, ts_module *m, uint32_t *number, ts_instance **out, ts_error *e) {
    const ts_valtype i32 = TS_VT_I32;
    uint32_t type;
    ts_extern x = {.kind = TS_EXTERN_FUNC};
    assert_int_equal(ts_types_func(s->types, NULL, 0, &i32, 1, &type, e), TS_OK);
    assert_int_equal(ts_func_make_host(s, type, give_number, number, "f", &x.func, e), TS_OK);
    return ts_instantiate(s, m, &x, NULL, out, e);
}
static uint32_t call(ts_store *s, ts_instance *i, uint32_t func, uint32_t arg) {
    ts_slot io[2] = {arg, 0};
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_call(s, i->funcs[func], io, &e), TS_OK);
    return (uint32_t)io[0];
}
static void check_functions(ts_store *s, ts_instance *i, uint32_t number) {
    assert_int_equal(call(s, i, OWN, 0), number);
    for (uint32_t k = 0; k < MANY; k += 23) assert_int_equal(call(s, i, PICK, k), k & 63);
    assert_int_equal(call(s, i, PICK, MANY), number);
}

/* An instance with many functions takes the place of an earlier one of the same module. Its imports, its table and the
 * form of its code are its own. */
static void spare_instances(void **state) {
    (void)state;
    enum { MODULES = 6 };
    module m = many_functions(MANY + 1), small_table = many_functions(MANY);
    ts_engine *engine;
    ts_module *mods[MODULES], *fails;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(load(&m, NULL, false, &engine, &mods[0]), TS_OK);
    for (int k = 1; k < MODULES; k++) assert_int_equal(ts_module_new(engine, m.at, m.len, false, &mods[k], &e), TS_OK);
    assert_int_equal(ts_module_new(engine, small_table.at, small_table.len, false, &fails, &e), TS_OK);
    ts_spares *kept = ts_spares_new();
    assert_non_null(kept);
    ts_instance *was = NULL;
    for (uint32_t n = 0; n < 12; n++) { /* one after the other, of every second round with fuel */
        const ts_store_limits limits = {.spares = kept, .fuel = n / 2 % 2 ? 1000 : 0};
        uint32_t numbers[2] = {1000 + n, 2000 + n};
        ts_store *s;
        ts_instance *i, *second;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        assert_int_equal(instantiate(s, mods[0], &numbers[0], &i, &e), TS_OK);
        if (n) assert_ptr_equal(i, was);
        was = i;
        check_functions(s, i, 1000 + n);
        assert_int_equal(s->exec->fuel == UINT64_MAX, limits.fuel == 0);
        if (limits.fuel) assert_true(s->exec->fuel < 1000 - 15);
        if (n == 5) { /* a second one beside it has functions of its own */
            assert_int_equal(instantiate(s, mods[0], &numbers[1], &second, &e), TS_OK);
            assert_ptr_not_equal(second, i);
            check_functions(s, second, 2000 + n);
            check_functions(s, i, 1000 + n);
        }
        memset(i->tables[0]->elems, 0, MANY * sizeof *i->tables[0]->elems); /* it empties its table */
        ts_store_destroy(s);
    }
    for (uint32_t n = 0; n < 3 * MODULES; n++) { /* more modules than are kept, and one that fails in the middle */
        const ts_store_limits limits = {.spares = kept};
        ts_store *s;
        ts_instance *i;
        uint32_t number = n;
        assert_int_equal(ts_store_create(engine, &limits, &s, &e), TS_OK);
        assert_int_equal(instantiate(s, fails, &number, &i, &e), TS_TRAP);
        assert_int_equal(e.trap, TS_TRAP_TABLE_OOB);
        ts_error_init(&e);
        assert_int_equal(instantiate(s, mods[n % MODULES], &number, &i, &e), TS_OK);
        check_functions(s, i, n);
        ts_store_destroy(s);
    }
    for (int k = 0; k < MODULES; k++) ts_module_free(mods[k]);
    ts_module_free(fails);
    ts_spares_free(kept);
    ts_engine_destroy(engine);
    free(m.at);
    free(small_table.at);
}

/* The functions that a run calls are compiled ahead by the next run, from a list that a third
 * run does not rewrite. */
static void calls_ahead(void **state) {
    (void)state;
    module m = make();
    for (int round = 0; round < 3; round++) {
        ts_engine *engine;
        ts_module *mod;
        ts_store *s;
        ts_instance *i;
        ts_error e;
        ts_error_init(&e);
        assert_int_equal(load(&m, folder, false, &engine, &mod), TS_OK);
        if (round == 1) { /* as if it had called the one function often enough to be worth a thread */
            uint32_t *list = malloc(3 * sizeof *list);
            assert_non_null(list);
            list[0] = 7; /* no function has that number, so it is left out */
            list[1] = list[2] = 0;
            ts_code_set_ahead(mod, 0, list, 3);
        }
        assert_int_equal(ts_store_create(engine, NULL, &s, &e), TS_OK);
        assert_int_equal(ts_instantiate(s, mod, NULL, NULL, &i, &e), TS_OK);
        unsigned form = 0;
        uint32_t n = 0;
        if (round == 1)
            for (int wait = 0; wait < 5000 && n == 0; wait++) {
                usleep(1000);
                (void)ts_code_call_order(mod, &form, &n);
            }
        assert_int_equal(n, round == 1 ? 1 : 0);
        ts_slot io[2] = {0};
        assert_int_equal(ts_call(s, i->funcs[0], io, &e), TS_OK);
        (void)ts_code_call_order(mod, &form, &n);
        assert_int_equal(n, 1);
        ts_store_destroy(s);
        ts_module_free(mod);
        ts_engine_destroy(engine);
    }
    assert_int_equal(each_entry(".calls", NULL), 0); /* too few to be worth a thread */
    free(m.at);
}

/* There is no image if a segment is out of bounds: it must trap after the segments before it. */
static void no_image(void **state) {
    (void)state;
    module m = make();
    uint64_t lo, len;
    ts_engine *engine;
    ts_module *mod;
    assert_int_equal(load(&m, NULL, false, &engine, &mod), TS_OK);
    assert_true(ts_image_plan(mod, &lo, &len));
    assert_true(lo == 4096 && lo + len >= AT + DATA);
    mod->mems[0].min = 1;
    assert_false(ts_image_plan(mod, &lo, &len));
    mod->mems[0].min = 4;
    mod->datas[1].len = 4 << 16;
    assert_false(ts_image_plan(mod, &lo, &len));
    ts_module_free(mod);
    ts_engine_destroy(engine);
    free(m.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers, fresh, gone),
        cmocka_unit_test_setup_teardown(clears_up, fresh, gone),
        cmocka_unit_test_setup_teardown(believes_its_folder, fresh, gone),
        cmocka_unit_test_setup_teardown(doubts_the_rest, fresh, gone),
        cmocka_unit_test_setup_teardown(refuses_what_others_can_write_to, fresh, gone),
        cmocka_unit_test_setup_teardown(images, fresh, gone),
        cmocka_unit_test_setup_teardown(calls_ahead, fresh, gone),
        cmocka_unit_test(spares),
        cmocka_unit_test(spare_instances),
        cmocka_unit_test(prepared),
        cmocka_unit_test(no_image),
        cmocka_unit_test(restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
