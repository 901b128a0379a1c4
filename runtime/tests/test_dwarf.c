/* test_dwarf: source lines in backtraces, of versions 4 and 5 of DWARF, and sections that are cut or changed.
 * In: runtime/tests/dwarf/dwarf{4,5}.wasm (trap.c beside them is the source). Out: cmocka results. spec: DWARF 5, 6.2 */
#include "seed_help.h"
#include "core/dwarf.h"

static uint8_t *load(int version, size_t *len) {
    char path[64];
    seed_handlers();
    snprintf(path, sizeof path, "runtime/tests/dwarf/dwarf%d.wasm", version);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *p = malloc(4096);
    assert_non_null(p);
    *len = fread(p, 1, 4096, f);
    fclose(f);
    assert_in_range(*len, 8, 4095);
    return p;
}

static void frame_is(const ts_frame *f, const char *function, const char *file, uint32_t line, uint32_t column) {
    assert_string_equal(f->function, function);
    assert_string_equal(f->file, file);
    assert_int_equal(f->line, line);
    assert_int_equal(f->column, column);
}

static void run(int version, uint32_t a, uint32_t b, ts_trap_kind kind, uint32_t line, uint32_t column) {
    size_t len;
    uint8_t *bytes = load(version, &len);
    ts_engine *engine;
    ts_module *m;
    ts_store *s;
    ts_instance *inst;
    ts_extern x;
    ts_error *e = calloc(1, sizeof *e);
    ts_slot io[4] = {a, b};
    assert_non_null(e);
    assert_int_equal(ts_engine_create(&engine, e), TS_OK);
    assert_int_equal(ts_module_new(engine, bytes, len, true, &m, e), TS_OK);
    assert_int_equal(ts_store_create(engine, &(ts_store_limits){0}, &s, e), TS_OK);
    assert_int_equal(ts_instantiate(s, m, NULL, NULL, &inst, e), TS_OK);
    assert_true(ts_instance_export(inst, "outer", 5, &x));
    assert_null(m->dwarf); /* nothing is read before it is asked for */
    assert_int_equal(ts_call(s, x.func, io, e), TS_TRAP);
    assert_int_equal(e->trap, kind);
    assert_int_equal(e->n_frames, 3);
    frame_is(&e->frames[0], "inner", "include/inner.h", line, column);
    frame_is(&e->frames[1], "middle", "trap.c", 8, 16);
    frame_is(&e->frames[2], "outer", "trap.c", 13, 15);
    char tail[9];
    assert_true(ts_dwarf_line(m, e->frames[0].offset, tail, sizeof tail, &line, &column));
    assert_string_equal(tail, "\xe2\x80\xa6"
                              "ner.h");
    ts_store_destroy(s);
    ts_module_free(m);
    ts_engine_destroy(engine);
    free(e);
    free(bytes);
}
static void lines(void **state) {
    (void)state;
    for (int version = 4; version <= 5; version++) {
        run(version, 1, 0, TS_TRAP_INT_DIV_ZERO, 4, 14);
        run(version, 101, 1, TS_TRAP_UNREACHABLE, 3, 9);
    }
}

/* Every answer about a module that lies in memory of exactly its size; how many there are. */
static unsigned ask(const uint8_t *bytes, size_t len, const uint8_t *code, size_t code_len) {
    ts_module m = {.bytes = bytes, .len = len, .code_section = code, .code_section_len = code_len};
    unsigned known = 0;
    char file[96];
    uint32_t line, column;
    for (size_t i = 0; i < len; i += 3) known += ts_dwarf_line(&m, i, file, sizeof file, &line, &column);
    ts_dwarf_free(&m);
    return known;
}
static void hostile(void **state) {
    (void)state;
    for (int version = 4; version <= 5; version++) {
        size_t len, code = 0x44, code_len = 433;
        uint8_t *bytes = load(version, &len);
        unsigned whole = ask(bytes, len, bytes + code, code_len);
        assert_in_range(whole, 100, 145);
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
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
