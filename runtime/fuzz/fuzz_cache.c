/* fuzz_cache: any bytes as the files of a cache folder, for a module that is valid.
 * In: bytes from libFuzzer: for each file its kind (entry, calls, alias, code), the change of its length, and the bytes
 * behind its header's key, which is right; or, if the highest bit of the kind is set, all of its bytes.
 * Out: no crash, no leak, no sanitizer report. A damaged file is never an error: the module loads and runs. It is run
 * only if the table of its bodies is the true one, and the sums of its code are not: whoever can write to the folder
 * chooses what runs (SECURITY.md). Else it is made ready to run.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "module_bytes.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "core/load/cache.h"
#include "core/load/load.h"
#include "core/run/code_cache.h"
#include "core/run/store.h"

enum { CODE_N = 60, CODE_SUM = 64, CODE_HEADER = 72 }; /* load/cache_code.c */
enum { CODE = 0x40, SUMS = 0x20 };                     /* bits of a kind: the code, with right sums */
enum { DATA = 66000, FUNCTIONS = 40, AT = 5000, HEADER = 72, TABLE = FUNCTIONS * 8, CALLS_HEADER = 24, ALIAS = 48 };
/* FUNCTIONS times (func (result i32) (i32.const 9)), the last of them exported and calling the others;
 * (memory (export "m") 4); (data (i32.const AT) …) */
static bytes make_module(void) {
    bytes m = {0}, code = {0}, last = {0};
    put(&m, "\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3", 16);
    put_u32(&m, FUNCTIONS + 1);
    put(&m, &(uint8_t){FUNCTIONS}, 1);
    for (int i = 0; i < FUNCTIONS; i++) put(&m, "\0", 1);
    put(&m, "\5\3\1\0\4\7\11\2\1m\2\0\1f\0", 15);
    put(&m, &(uint8_t){FUNCTIONS - 1}, 1);
    put(&code, &(uint8_t){FUNCTIONS}, 1);
    for (int i = 0; i < FUNCTIONS - 1; i++) put(&code, "\4\0\x41\x9\x0b", 5);
    put(&last, "\0\x41\0", 3);
    for (uint8_t i = 0; i < FUNCTIONS - 1; i++) put(&last, (uint8_t[]){0x10, i, 0x6a}, 3);
    put(&last, "\x0b", 1);
    put_u32(&code, last.len);
    put(&code, last.data, last.len);
    put(&m, "\12", 1);
    put_u32(&m, code.len);
    put(&m, code.data, code.len);
    put(&m, "\13", 1);
    put_u32(&m, 1 + 5 + 5 + DATA);
    put(&m, "\1\0\x41\x88\x27\x0b", 6); /* AT = 0x1388 */
    put_u32(&m, DATA);
    for (int i = 0; i < DATA; i++) put(&m, &(uint8_t){(uint8_t)(i * 31 + i / 256)}, 1);
    ts_vec_free(&code);
    ts_vec_free(&last);
    return m;
}

#ifndef WITH_CODE
#define WITH_CODE 0 /* fuzz_cache_code.c */
#endif
static char folder[64];
typedef struct kept {
    char name[80];
    bytes was;
} kept;
static kept entry, called, alias, code; /* the files of a whole cache */
static bytes module;

static void each(void (*fn)(const char *name, const char *path)) {
    DIR *d = opendir(folder);
    if (!d) abort();
    for (struct dirent *x; (x = readdir(d));) {
        char path[400];
        if (x->d_name[0] == '.' && (!x->d_name[1] || x->d_name[1] == '.')) continue;
        snprintf(path, sizeof path, "%s/%s", folder, x->d_name);
        fn(x->d_name, path);
    }
    closedir(d);
}
static void drop(const char *name, const char *path) {
    (void)name;
    unlink(path);
}
static void leave(void) {
    each(drop);
    rmdir(folder);
}
static void keep(const char *name, const char *path) {
    kept *k = strstr(name, ".valid")   ? &entry
              : strstr(name, ".calls") ? &called
              : strstr(name, ".code")  ? &code
                                       : &alias;
    char part[65536];
    snprintf(k->name, sizeof k->name, "%.79s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) abort();
    k->was.len = 0;
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;) put(&k->was, part, (size_t)n);
    close(fd);
}
static void store_file(const kept *k, const void *p, size_t len) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, k->name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || (len && write(fd, p, len) != (ssize_t)len)) abort();
    close(fd);
}

/* Gives each function its code, as a call would. */
static void compile_all(ts_module *m) {
    ts_error e;
    ts_error_init(&e);
    for (uint32_t form = 0; form < TS_FORM_COUNT; form++)
        for (uint32_t f = 0; f < FUNCTIONS; f++) {
            ts_fcode *c = ts_code_func(m, form, f);
            if (!c || ts_code_compile(c, &e) != TS_OK) abort();
        }
}
/* Loads the module with the cache, and perhaps makes instances, of which the second has its data mapped. */
typedef enum how { LOAD, COMPILE, RUN } how;
static void use(how what, ts_tier tier) {
    static const uint64_t identity[5] = {1, 2, 3, 4, 5};
    ts_engine *engine;
    ts_module *m;
    ts_error e;
    ts_error_init(&e);
    if (ts_engine_create(&engine, &e) != TS_OK || ts_engine_set_cache(engine, folder, &e) != TS_OK) abort();
    ts_engine_set_tier(engine, tier);
    ts_engine_cache_file(engine, module.data, module.len, identity);
    if (ts_module_new(engine, module.data, module.len, false, &m, &e) != TS_OK) {
        fprintf(stderr, "fuzz_cache: %s\n", e.message);
        abort();
    }
    if (what == COMPILE) compile_all(m);
    for (int n = 0; n < 2 && what == RUN; n++) {
        ts_store *store;
        ts_instance *inst;
        ts_extern x;
        ts_slot io[2] = {0};
        if (ts_store_create(engine, &(ts_store_limits){0}, &store, &e) != TS_OK ||
            ts_instantiate(store, m, NULL, NULL, &inst, &e) != TS_OK || !ts_instance_export(inst, "f", 1, &x))
            abort();
        if (inst->mems[0]->len != 4 << 16) abort();
        for (uint64_t at = 0; at < inst->mems[0]->len; at += 4096) io[1] ^= inst->mems[0]->base[at];
        if (ts_call(store, x.func, io, &e) != TS_OK || io[0] != 9 * (FUNCTIONS - 1)) abort();
        ts_store_destroy(store);
    }
    ts_module_free(m);
    ts_engine_destroy(engine);
}
static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/touchstone-fuzz-XXXXXX");
    if (!mkdtemp(folder)) abort();
    atexit(leave);
    module = make_module();
    use(RUN, TS_TIER_COMPILED_AT_ONCE);
    use(RUN, TS_TIER_COMPILED);
    each(keep);
    if ((WITH_CODE && !code.name[0]) || !entry.name[0] || !called.name[0] || !alias.name[0] ||
        entry.was.len < HEADER + TABLE)
        abort();
}

/* Makes the sums of damaged code right again. */
static void set_sums(bytes *b) {
    if (b->len < CODE_HEADER) return;
    uint32_t n;
    memcpy(&n, b->data + CODE_N, sizeof n);
    ts_kept_entry *list = (ts_kept_entry *)(b->data + CODE_HEADER);
    if (n > (b->len - CODE_HEADER) / sizeof *list) return;
    const ts_kept k = {.bytes = b->data, .len = b->len, .read = list, .n_read = n};
    for (uint32_t i = 0; i < n; i++) {
        const ts_kept_parts p = ts_kept_parts_of(&k, &list[i]);
        const uint8_t *at = p.ir_len + p.code_len ? b->data + list[i].at : b->data;
        list[i].ir_sum = ts_kept_sum(at, p.ir_len);
        list[i].code_sum = ts_kept_sum(at + p.ir_len, p.code_len);
    }
    const uint64_t sum = ts_kept_sum(b->data, CODE_SUM) + ts_kept_sum(list, n * sizeof *list);
    memcpy(b->data + CODE_SUM, &sum, sizeof sum);
}
/* Writes one damaged file. Returns what may be done with the module: not all if the file says that bodies are elsewhere
 * than they are, or if it has other code. */
static how damage(fz_input *in) {
    const uint8_t kind = (uint8_t)fz_number(in, 1);
    const int16_t change = (int16_t)fz_number(in, 2);
    fz_input part = fz_take(in, (size_t)fz_number(in, 2));
    const kept *k = kind & CODE && WITH_CODE ? &code : kind % 3 == 0 ? &entry : kind % 3 == 1 ? &called : &alias;
    size_t behind = k == &called ? 16 : k == &alias ? ALIAS : 48;
    if (k == &code) behind += (size_t)fz_number(&part, 2) % (code.was.len - behind);
    const size_t n = fz_left(&part);
    bytes b = {0};
    if (kind & 0x80) {
        put(&b, part.at, n);
    } else {
        put(&b, k->was.data, k->was.len);
        if (n > b.len - behind) put(&b, part.at, n);
        if (n) memcpy(b.data + behind, part.at, n);
    }
    if (!(kind & 0x80) && change < 0) b.len -= (uint32_t)-change < b.len ? (uint32_t)-change : b.len;
    for (int i = 0; i < change; i++) put(&b, "\0", 1);
    how may = RUN;
    if (k == &code && kind & SUMS) {
        set_sums(&b);
        may = COMPILE;
    }
    store_file(k, b.data, b.len);
    if (k == &entry && b.len >= HEADER + TABLE && memcmp(b.data + HEADER, entry.was.data + HEADER, TABLE) != 0)
        may = LOAD;
    ts_vec_free(&b);
    return may;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!folder[0]) begin();
    fz_input in = fz_input_of(data, size);
    each(drop);
    store_file(&entry, entry.was.data, entry.was.len);
    store_file(&called, called.was.data, called.was.len);
    store_file(&alias, alias.was.data, alias.was.len);
    if (WITH_CODE) store_file(&code, code.was.data, code.was.len);
    how what = RUN;
    for (int i = 0; i < 3 && fz_left(&in); i++) {
        const how may = damage(&in);
        if (may < what) what = may;
    }
    use(what, TS_TIER_COMPILED);
    return 0;
}
