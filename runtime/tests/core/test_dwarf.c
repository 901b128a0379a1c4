/* test_dwarf: source lines in backtraces, for versions 4 and 5 of DWARF, inlined calls, and sections that are
 * truncated or changed.
 * In: runtime/tests/data/dwarf/{dwarf,inlined}{4,5}.wasm (trap.c and inlined.c beside them are the sources).
 * Out: cmocka results.
 * spec: DWARF 5, 3.3, 6.2 */
#include "tests/seed_help.h"
#include "core/debug/dwarf.h"
#include "core/load/load.h"

static uint8_t *load(const char *name, int version, size_t *len) {
    char path[64];
    seed_handlers();
    snprintf(path, sizeof path, "runtime/tests/data/dwarf/%s%d.wasm", name, version);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *p = malloc(4096);
    assert_non_null(p);
    *len = fread(p, 1, 4096, f);
    fclose(f);
    assert_in_range(*len, 8, 4095);
    return p;
}

/* A module, and the error of a call of it. */
typedef struct trapped {
    uint8_t *bytes;
    ts_engine *engine;
    ts_module *m;
    ts_store *s;
    ts_error *e;
} trapped;

static trapped trap_in(uint8_t *bytes, size_t len, const char *function, uint32_t a, uint32_t b, ts_trap_kind kind) {
    trapped t = {.bytes = bytes, .e = ts_error_new()};
    ts_instance *inst;
    ts_extern x;
    ts_slot io[4] = {a, b};
    assert_non_null(t.e);
    assert_int_equal(ts_engine_create(&t.engine, t.e), TS_OK);
    assert_int_equal(ts_module_new(t.engine, t.bytes, len, true, &t.m, t.e), TS_OK);
    assert_int_equal(ts_store_create(t.engine, &(ts_store_limits){0}, &t.s, t.e), TS_OK);
    assert_int_equal(ts_instantiate(t.s, t.m, NULL, NULL, &inst, t.e), TS_OK);
    assert_true(ts_instance_export(inst, function, strlen(function), &x));
    assert_null(t.m->dwarf); /* nothing is read before it is needed */
    assert_int_equal(ts_call(t.s, x.func, io, t.e), TS_TRAP);
    assert_int_equal(t.e->trap, kind);
    return t;
}
static trapped trap(const char *name, int version, const char *function, uint32_t a, uint32_t b, ts_trap_kind kind) {
    size_t len;
    uint8_t *bytes = load(name, version, &len);
    return trap_in(bytes, len, function, a, b, kind);
}
static void end(trapped *t) {
    ts_store_destroy(t->s);
    ts_module_free(t->m);
    ts_engine_destroy(t->engine);
    ts_error_free(t->e);
    free(t->bytes);
}

typedef struct expected {
    const char *function, *file;
    uint32_t line, column;
} expected;
/* The last one is the function itself, unless all are. */
static void frames_are(const ts_error *e, const expected *want, uint32_t n, bool inlined) {
    assert_int_equal(e->n_frames, n);
    assert_int_equal(e->frames_total, n);
    for (uint32_t i = 0; i < n; i++) {
        const ts_frame *f = &e->frames[i];
        assert_string_equal(f->function, want[i].function);
        assert_string_equal(f->file, want[i].file);
        assert_int_equal(f->line, want[i].line);
        assert_int_equal(f->column, want[i].column);
        assert_int_equal(f->inlined, inlined && i + 1 < n);
        if (inlined) {
            assert_int_equal(f->offset, e->frames[0].offset);
            assert_int_equal(f->func_index, e->frames[0].func_index);
        }
    }
}

static void lines(void **state) {
    (void)state;
    for (int version = 4; version <= 5; version++) {
        expected want[] = {
            {"inner", "include/inner.h", 3, 14}, {"middle", "trap.c", 7, 40}, {"outer", "trap.c", 12, 15}};
        trapped t = trap("dwarf", version, "outer", 1, 0, TS_TRAP_INT_DIV_ZERO);
        frames_are(t.e, want, 3, false);
        char tail[9];
        uint32_t line, column;
        assert_true(ts_dwarf_line(t.m, t.e->frames[0].offset, tail, sizeof tail, &line, &column));
        assert_string_equal(tail, "\xe2\x80\xa6"
                                  "ner.h");
        end(&t);
        t = trap("dwarf", version, "outer", 101, 1, TS_TRAP_UNREACHABLE);
        want[0].line = 2;
        want[0].column = 18;
        frames_are(t.e, want, 3, false);
        end(&t);
    }
}

/* The whole path of a file as its directory, and `.` as its name: Kotlin's compiler writes it so. */
static void directories_as_files(void **state) {
    (void)state;
    size_t len;
    uint8_t *bytes = load("dwarf", 5, &len);
    static const char *const names[] = {"trap.c", "inner.h"};
    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(names[i]) + 1, changed = 0;
        for (size_t at = 0; at + n <= len; at++) {
            if (memcmp(bytes + at, names[i], n) != 0) continue;
            memcpy(bytes + at, ".", 2);
            changed++;
        }
        assert_true(changed > 0);
    }
    trapped t = trap_in(bytes, len, "outer", 1, 0, TS_TRAP_INT_DIV_ZERO);
    frames_are(t.e, (expected[]){{"inner", "include", 3, 14}, {"middle", "/src", 7, 40}, {"outer", "/src", 12, 15}}, 3,
               false);
    end(&t);
}

static void inlined(void **state) {
    (void)state;
    static const expected leaf = {"divide", "include/inlined.h", 5, 14}, outer = {"outer", "inlined.c", 15, 12},
                          other = {"other", "inlined.c", 19, 12}, again = {"again", "inlined.c", 24, 40};
    for (int version = 4; version <= 5; version++) {
        trapped t = trap("inlined", version, "outer", 1, 0, TS_TRAP_INT_DIV_ZERO);
        frames_are(t.e, (expected[]){leaf, {"both", "inlined.c", 6, 17}, outer}, 3, true);
        end(&t);
        t = trap("inlined", version, "outer", 20, 1, TS_TRAP_INT_DIV_ZERO); /* from within a block */
        frames_are(t.e, (expected[]){leaf, {"both", "inlined.c", 9, 35}, outer}, 3, true);
        end(&t);
        /* the compiler merged two calls into one instruction, and marks it with line 0 */
        t = trap("inlined", version, "outer", 101, 0, TS_TRAP_UNREACHABLE);
        frames_are(t.e, (expected[]){{"divide", "include/inlined.h", 4, 18}, {"both", "", 0, 0}, outer}, 3, true);
        end(&t);
        t = trap("inlined", version, "again", 0, 1, TS_TRAP_INT_DIV_ZERO);
        frames_are(t.e, (expected[]){leaf, {"both", "inlined.c", 6, 17}, other, again}, 4, true);
        end(&t);
        t = trap("inlined", version, "again", 7, 3, TS_TRAP_INT_DIV_ZERO);
        frames_are(t.e, (expected[]){leaf, {"other", "inlined.c", 19, 25}, again}, 3, true);
        /* no more than there is room for */
        for (uint32_t max = 0; max <= 3; max++) {
            ts_frame few[4] = {
                {.offset = t.e->frames[0].offset}, {.func_index = 77}, {.func_index = 77}, {.func_index = 77}};
            uint32_t all = ts_dwarf_unfold(t.m, few, max);
            assert_int_equal(all, max ? 3 : 1);
            for (uint32_t i = max ? max : 1; i < 4; i++) assert_int_equal(few[i].func_index, 77);
            /* it had no name, so the one from DWARF is used */
            if (max == 3) assert_string_equal(few[2].function, "again");
        }
        end(&t);
    }
}

/* Asks everything about a module in memory of exactly its size. Returns the number of known lines. */
static unsigned ask(const uint8_t *bytes, size_t len, const uint8_t *code, size_t code_len) {
    ts_module m = {.bytes = bytes, .len = len, .code_section = code, .code_section_len = code_len};
    ts_frame *frames = malloc(TS_MAX_FRAMES * sizeof *frames);
    unsigned known = 0;
    assert_non_null(frames);
    /* before the code, in all of it, and after it */
    for (size_t i = (size_t)(code - bytes) - 4, end_at = i + code_len + 8; i < end_at; i += 7) {
        frames[0] = (ts_frame){.offset = i};
        uint32_t n = ts_dwarf_unfold(&m, frames, TS_MAX_FRAMES);
        assert_in_range(n, 1, TS_MAX_FRAMES + 1);
        known += frames[0].line != 0;
        for (uint32_t k = 0; k < n && k < TS_MAX_FRAMES; k++) {
            assert_in_range(strlen(frames[k].function), 0, sizeof frames[k].function - 1);
            assert_int_equal(frames[k].inlined, k + 1 < n);
        }
    }
    free(frames);
    ts_dwarf_free(&m);
    return known;
}
static void hostile_module(const char *name, int version, size_t code, size_t code_len, unsigned least, unsigned most) {
    size_t len;
    uint8_t *bytes = load(name, version, &len);
    unsigned whole = ask(bytes, len, bytes + code, code_len);
    assert_in_range(whole, least, most);
    for (size_t n = code + code_len; n < len; n++) {
        uint8_t *cut = malloc(n);
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        assert_in_range(ask(cut, n, cut + code, code_len), 0, whole);
        free(cut);
    }
    for (size_t i = code + code_len; i < len; i++) {
        static const uint8_t flips[] = {0x01, 0x80, 0xff};
        for (unsigned k = 0; k < sizeof flips; k++) {
            bytes[i] ^= flips[k];
            (void)ask(bytes, len, bytes + code, code_len);
            bytes[i] ^= flips[k];
        }
    }
    free(bytes);
}
static void hostile(void **state) {
    (void)state;
    for (int version = 4; version <= 5; version++) {
        hostile_module("dwarf", version, 0x44, 433, 40, 63);
        hostile_module("inlined", version, 0x4b, 203, 12, 31);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(directories_as_files),
                                       cmocka_unit_test(inlined), cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
