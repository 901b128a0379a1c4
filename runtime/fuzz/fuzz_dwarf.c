/* fuzz_dwarf: any bytes as the sections of DWARF and the name section of a module.
 * In: bytes from libFuzzer: for each section its number (sections below), two bytes of length, its contents. Or a whole
 * module, if they begin as one. Out: no crash, no leak, no sanitizer report; texts end within their buffers and the
 * answers are the same twice.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "module_bytes.h"
#include "base/utf8.h"
#include "core/debug/dwarf.h"
#include "core/load/load.h"

static const char *const sections[] = {".debug_line",        ".debug_info", ".debug_abbrev",   ".debug_str",
                                       ".debug_line_str",    ".debug_addr", ".debug_rnglists", ".debug_ranges",
                                       ".debug_str_offsets", "name"};
enum { N_SECTIONS = sizeof sections / sizeof *sections, QUERIES = 24, FRAMES = 8 };
/* (func (export "f")) of 300 nops: its code section has addresses 0 to 304 */
enum { NOPS = 300 };

static bytes module_of(fz_input in) {
    bytes m = {0};
    static const uint8_t start[] = "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0\12";
    put(&m, start, sizeof start - 1);
    put_u32(&m, 1 + 5 + 1 + NOPS + 1);
    put(&m, "\1", 1);
    put_u32(&m, 1 + NOPS + 1);
    put(&m, "\0", 1);
    for (int i = 0; i < NOPS; i++) put(&m, "\1", 1);
    put(&m, "\x0b", 1);
    while (fz_left(&in)) {
        const char *name = sections[fz_number(&in, 1) % N_SECTIONS];
        fz_input part = fz_take(&in, (size_t)fz_number(&in, 2));
        put(&m, "\0", 1);
        put_u32(&m, 1 + strlen(name) + fz_left(&part));
        put(&m, &(uint8_t){(uint8_t)strlen(name)}, 1);
        put(&m, name, strlen(name));
        put(&m, part.at, fz_left(&part));
    }
    return m;
}

static uint64_t sum(uint64_t h, const char *text, size_t size) {
    if (strnlen(text, size) == size || !ts_utf8_valid((const uint8_t *)text, strlen(text))) abort();
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h;
}
static uint64_t queries(ts_module *m) {
    uint64_t h = 1, code = (uint64_t)(m->code_section - m->bytes), step = m->code_section_len / QUERIES + 1;
    for (uint64_t at = 0; at <= m->code_section_len + step; at += step) {
        char file[40], tiny[1];
        uint32_t line = 0, column = 0;
        ts_frame frames[FRAMES];
        memset(frames, 0, sizeof frames);
        if (ts_dwarf_line(m, code + at, file, sizeof file, &line, &column)) {
            if (line == 0) abort();
            h = sum(h, file, sizeof file) ^ line ^ (uint64_t)column << 32;
        }
        (void)ts_dwarf_line(m, code + at, tiny, sizeof tiny, &line, &column);
        for (uint32_t max = 1; max <= FRAMES; max += FRAMES - 1) {
            frames[0].offset = code + at;
            uint32_t n = ts_dwarf_unfold(m, frames, max);
            if (n < 1) abort();
            for (uint32_t i = 0; i < n && i < max; i++) {
                h = sum(sum(h, frames[i].file, sizeof frames[i].file), frames[i].function, sizeof frames[i].function);
                if (frames[i].inlined != (i + 1 < n)) abort();
            }
            memset(frames, 0, sizeof frames);
        }
    }
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ts_engine *engine;
    ts_module *m;
    ts_error e;
    uint64_t first = 0;
    ts_error_init(&e);
    bytes made = {0};
    if (size >= 4 && memcmp(data, "\0asm", 4) == 0)
        put(&made, data, size);
    else
        made = module_of(fz_input_of(data, size));
    for (int i = 0; i < 2; i++) {
        if (ts_engine_create(&engine, &e) != TS_OK) abort();
        if (ts_module_new(engine, made.data, made.len, false, &m, &e) == TS_OK) {
            char name[64];
            for (uint32_t f = 0; f < m->n_funcs && f < 8; f++) (void)ts_module_func_name(m, f, name, sizeof name);
            uint64_t h = m->code_section ? queries(m) : 1;
            if (i == 0)
                first = h;
            else if (h != first)
                abort();
            ts_module_free(m);
        }
        ts_engine_destroy(engine);
        ts_error_init(&e);
    }
    ts_vec_free(&made);
    return 0;
}
