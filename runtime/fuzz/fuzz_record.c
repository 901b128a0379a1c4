/* fuzz_record: any bytes as the record of a run, from which guests/record.wat is replayed.
 * In: bytes from libFuzzer. The first byte chooses: 'w' the rest is the whole file; else the entries behind the header,
 * each with two bytes of length. They get their sums here.
 * Out: no crash, no leak, no sanitizer report; the same outcome twice; each failure has a reason.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "base/vec.h"
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "guests/guests.h"
#include "wasi/wasi.h"

typedef TS_VEC(uint8_t) bytes;
static void put(bytes *b, const void *p, size_t len) {
    if (!ts_vec_reserve(b, (uint64_t)b->len + len)) abort();
    if (len) memcpy(b->data + b->len, p, len);
    b->len += (uint32_t)len;
}
static void put_entry(bytes *b, fz_input part) {
    uint32_t len = (uint32_t)fz_left(&part);
    uint64_t h = 0x811c9dc5;
    for (uint32_t i = 0; i < len; i++) h = (h ^ part.at[i]) * 0x100000001b3u;
    uint32_t sum = (uint32_t)(h ^ h >> 32);
    put(b, &len, 4);
    put(b, part.at, len);
    put(b, &sum, 4);
}

static uint64_t hash(uint64_t h, const char *text) {
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h;
}

/* Runs the guest in a context that records or replays. Returns a sum of what happened. */
static uint64_t run(ts_engine *engine, ts_component *c, ts_wasi *w) {
    static const ts_run_limits limits = {.memory_bytes = 1 << 20, .fuel = 100000, .depth = 20};
    ts_error e;
    ts_linker *l = NULL;
    ts_cstore *store = NULL;
    ts_cinstance *i = NULL;
    ts_val result = {0};
    ts_pool *pool = ts_pool_new();
    ts_error_init(&e);
    if (!pool || ts_linker_new(&l, &e) != TS_OK || ts_wasi_link(w, l, &e) != TS_OK ||
        ts_cstore_new(engine, &limits, &store, &e) != TS_OK || ts_component_instantiate(store, l, c, &i, &e) != TS_OK)
        abort();
    ts_cfunc *f = ts_cinstance_func(i, "wasi:cli/run@0.2.0", "run");
    if (!f) abort();
    ts_status s = ts_cfunc_call(store, f, NULL, &result, pool, &e);
    fz_check(s, &e);
    uint64_t h = hash((uint64_t)s, e.message);
    ts_error_init(&e);
    s = ts_wasi_record_end(w, &e);
    fz_check(s, &e);
    h = hash(h, e.message);
    ts_cstore_free(store);
    ts_linker_free(l);
    ts_pool_free(pool);
    return h;
}
static ts_wasi *context(void) {
    ts_error e;
    ts_wasi *w;
    ts_error_init(&e);
    if (ts_wasi_new(&w, &e) != TS_OK || ts_wasi_add_arg(w, "name", &e) != TS_OK ||
        ts_wasi_set_env(w, "K", 1, "value", &e) != TS_OK || ts_wasi_set_cwd(w, "/", &e) != TS_OK)
        abort();
    ts_wasi_set_clock(w, 5, 6);
    ts_wasi_set_seed(w, 7);
    for (int which = 0; which < 3; which++) ts_wasi_set_stdio(w, which, -1);
    return w;
}

/* The line and the two entries that a record of this build and this guest begins with. */
static bytes header(ts_engine *engine, ts_component *c) {
    ts_error e;
    bytes all = {0};
    char part[4096];
    fz_file f = fz_file_of(NULL, 0);
    ts_wasi *w = context();
    ts_error_init(&e);
    if (ts_wasi_record(w, f.path, fz_guest_record, sizeof fz_guest_record, "", &e) != TS_OK) abort();
    (void)run(engine, c, w);
    ts_wasi_free(w);
    for (ssize_t n; (n = pread(f.fd, part, sizeof part, all.len)) > 0;) put(&all, part, (size_t)n);
    fz_file_close(&f);
    const uint8_t *line = memchr(all.data, '\n', all.len);
    if (!line) abort();
    size_t at = (size_t)(line + 1 - all.data);
    for (int i = 0; i < 2; i++) {
        uint32_t len;
        memcpy(&len, all.data + at, 4);
        at += 8 + len;
    }
    if (at > all.len) abort();
    all.len = (uint32_t)at;
    return all;
}

static uint64_t replay(ts_engine *engine, ts_component *c, const char *path) {
    ts_error e;
    const char *conditions;
    ts_wasi *w = context();
    ts_error_init(&e);
    ts_status s = ts_wasi_replay(w, path, fz_guest_record, sizeof fz_guest_record, &conditions, &e);
    fz_check(s, &e);
    if ((s == TS_OK) != (conditions != NULL)) abort();
    uint64_t h = s == TS_OK ? run(engine, c, w) : (uint64_t)s;
    ts_wasi_free(w);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fz_input in = fz_input_of(data, size);
    const uint8_t how = (uint8_t)fz_number(&in, 1);
    static ts_engine *engine;
    static ts_component *c;
    static bytes head;
    ts_error e;
    ts_error_init(&e);
    if (!engine) { /* they are kept: a replay changes neither */
        if (ts_engine_create(&engine, &e) != TS_OK ||
            ts_component_load(engine, fz_guest_record, sizeof fz_guest_record, &c, &e) != TS_OK)
            abort();
        head = header(engine, c);
    }
    bytes file = {0};
    if (how == 'w') {
        put(&file, in.at, fz_left(&in));
    } else {
        put(&file, head.data, head.len);
        while (fz_left(&in)) put_entry(&file, fz_take(&in, (size_t)fz_number(&in, 2)));
    }
    fz_file f = fz_file_of(file.data, file.len);
    uint64_t first = replay(engine, c, f.path);
    if (replay(engine, c, f.path) != first) abort();
    fz_file_close(&f);
    ts_vec_free(&file);
    return 0;
}
