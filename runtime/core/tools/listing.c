/* listing: see listing.h. Each instruction of WebAssembly is a group of lines: beside it stand the instructions of the
 * IR that the compiler has emitted for it, and the machine code of those. */
#include "core/tools/listing.h"
#include "base/vec.h"
#include "core/code/compile.h"
#include "core/module/wasm_ops.h"
#include "core/run/code_cache.h"
#include "core/run/dispatch.h"
#include "core/run/tier.h"
#include "core/tools/disassembler.h"
#include "core/tools/tools.h"
#include <inttypes.h>
#include <string.h>

enum { WASM_WIDTH = 34, IR_WIDTH = 44, LINE = 200 };
typedef struct line {
    char text[LINE];
} line;
typedef struct listing {
    ts_module *m;
    const ts_fcode *code;
    ts_compiled ir;
    ts_native native;
    ts_disassembler *d;
    FILE *out;
    TS_VEC(line) wasm, words, machine;
    bool nomem;
} listing;
#define ADD(l, column, ...)                                                                                            \
    do {                                                                                                               \
        line line_;                                                                                                    \
        snprintf(line_.text, sizeof line_.text, __VA_ARGS__);                                                          \
        if (!ts_vec_push(&(l)->column, line_)) (l)->nomem = true;                                                      \
    } while (0)

static void add_wasm(listing *l, uint32_t offset) {
    ts_error ignored; /* the function is valid */
    ts_error_init(&ignored);
    const ts_func_def *f = &l->m->funcs[l->code->func];
    ts_reader r = {.at = l->m->bytes + offset,
                   .end = f->body + f->body_len,
                   .base = l->m->bytes,
                   .section = "code",
                   .err = &ignored};
    struct ts_op o;
    if (ts_read_op(&r, &o) != TS_OK) return;
    const struct ts_op_info *info = &ts_op_infos[o.op];
    switch ((ts_imm)info->imm) {
    case TS_IMM_LABEL:
    case TS_IMM_FUNC:
    case TS_IMM_TYPE:
    case TS_IMM_LOCAL:
    case TS_IMM_GLOBAL:
    case TS_IMM_TABLE:
    case TS_IMM_TAG: ADD(l, wasm, "%6x  %s %u", offset, info->text, o.index); return;
    case TS_IMM_TYPE_TABLE:
    case TS_IMM_TABLE2:
    case TS_IMM_MEM2:
    case TS_IMM_FIELD: ADD(l, wasm, "%6x  %s %u %u", offset, info->text, o.index, o.index2); return;
    case TS_IMM_I32:
    case TS_IMM_I64: ADD(l, wasm, "%6x  %s %" PRId64, offset, info->text, o.i64); return;
    case TS_IMM_F32: ADD(l, wasm, "%6x  %s bits 0x%x", offset, info->text, o.f32); return;
    case TS_IMM_F64: ADD(l, wasm, "%6x  %s bits 0x%" PRIx64, offset, info->text, o.f64); return;
    case TS_IMM_MEMARG:
    case TS_IMM_MEMARG_LANE: ADD(l, wasm, "%6x  %s offset=%" PRIu64, offset, info->text, o.offset); return;
    default: ADD(l, wasm, "%6x  %s", offset, info->text);
    }
}
static void add_words(listing *l, uint32_t at) {
    const ts_word *w = &l->ir.code[at];
    char text[LINE];
    uint32_t op = (uint32_t)w->u, len = ts_ir_len(w);
    int n = snprintf(text, sizeof text, "%5u  %s", at, ts_ir_names[op]);
    if (len > 1)
        n += snprintf(text + n, sizeof text - (size_t)n, " %u %u %u %u", w[1].s[0], w[1].s[1], w[1].s[2], w[1].s[3]);
    for (uint32_t k = 2; k < len && (size_t)n < sizeof text - 24; k++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %" PRIx64, w[k].u);
    ADD(l, words, "%s", text);
}
/* What the address in an operand is: constants in machine code refer to the function's own data. */
static void explain(const listing *l, char *text, size_t size) {
    const char *hex = strstr(text, "0x");
    uint64_t v = hex ? strtoull(hex, NULL, 16) : 0, code = (uintptr_t)l->code->code;
    const ts_fcode *all = ts_code_all(l->m, l->code->form);
    size_t n = strlen(text);
    if (v - code < (uint64_t)l->code->n_words * sizeof(ts_word))
        snprintf(text + n, size - n, "  ; word %" PRIu64, (v - code) / sizeof(ts_word));
    else if (v - (uintptr_t)all < (uint64_t)l->m->n_funcs * sizeof *all)
        snprintf(text + n, size - n, "  ; function %" PRIu64, (v - (uintptr_t)all) / sizeof *all);
    for (uint32_t op = 0; v && op < TS_IR_COUNT; op++)
        if ((uintptr_t)ts_ir_handlers()[op] == v) snprintf(text + n, size - n, "  ; operation %s", ts_ir_names[op]);
}
static void add_bytes(listing *l, uint32_t from, uint32_t to) {
    while (from < to) {
        char text[LINE];
        uint32_t n = (uint32_t)(l->d ? ts_disassemble(l->d, l->native.code + from, to - from, from, text, 120) : 0);
        if (n) {
            explain(l, text, sizeof text);
        } else {
            n = to - from < 16 ? to - from : 16;
            for (uint32_t i = 0; i < n; i++) snprintf(text + 3 * i, 4, "%02x ", l->native.code[from + i]);
        }
        ADD(l, machine, "%5x  %s", from, text);
        from += n;
    }
}
/* Machine code of an instruction of the IR: in line, and behind the function what is rare. */
static void add_machine(listing *l, uint32_t word) {
    for (uint32_t i = 0; i < l->native.n_map; i++)
        if (l->native.map[i].word == word)
            add_bytes(l, l->native.map[i].code, i + 1 < l->native.n_map ? l->native.map[i + 1].code : l->native.len);
}
static void put_group(listing *l) {
    uint32_t n = l->wasm.len > l->words.len ? l->wasm.len : l->words.len;
    if (l->machine.len > n) n = l->machine.len;
    for (uint32_t i = 0; i < n; i++) {
        const char *a = i < l->wasm.len ? l->wasm.data[i].text : "", *b = i < l->words.len ? l->words.data[i].text : "",
                   *c = i < l->machine.len ? l->machine.data[i].text : "";
        if (*c)
            fprintf(l->out, "%-*s  %-*s  %s\n", WASM_WIDTH, a, IR_WIDTH, b, c);
        else if (*b)
            fprintf(l->out, "%-*s  %s\n", WASM_WIDTH, a, b);
        else
            fprintf(l->out, "%s\n", a);
    }
    l->wasm.len = l->words.len = l->machine.len = 0;
}
static void put_all(listing *l) {
    uint32_t word = 0;
    for (uint32_t i = 0; i <= l->ir.n_map; i += 2) { /* what comes before the first one enters the function */
        uint32_t end = i < l->ir.n_map ? l->ir.map[i] : l->ir.n_words;
        for (; word < end; word += ts_ir_len(&l->ir.code[word])) {
            add_words(l, word);
            add_machine(l, word);
        }
        put_group(l);
        if (i < l->ir.n_map) add_wasm(l, l->ir.map[i + 1]);
    }
}
static void put_head(listing *l, bool machine) {
    char name[TS_CODE_NAME];
    ts_code_name(l->code, name, sizeof name);
    fprintf(l->out, "function %u, %s: %u words of IR, ", l->code->func, name, l->ir.n_words);
    if (machine)
        fprintf(l->out, "%u bytes of machine code\n", l->native.len);
    else
        fprintf(l->out, "no machine code: this build, or this processor, has none\n");
    if (machine && !l->d)
        fprintf(l->out,
                "The machine code is in bytes: libcapstone.so.5 or .so.4, which disassembles it, is not installed.\n");
    fprintf(l->out, "%-*s  %-*s  %s\n", WASM_WIDTH, "offset  WebAssembly", IR_WIDTH, " word  IR",
            machine ? "   at  machine code" : "");
}
ts_status ts_code_listing(ts_module *m, uint32_t func, FILE *out, ts_error *e) {
    listing l = {.m = m, .out = out};
    ts_fcode *c = ts_code_func(m, 0, func);
    if (!c) return ts_fail_nomem(e);
    TS_TRY(ts_code_compile(c, e));
    TS_TRY(ts_compile(c, true, &l.ir, e));
    l.code = c;
    bool machine = ts_exec_takes_machine_code() && ts_tier_make(c, &l.native);
    if (machine) l.d = ts_disassembler_new();
    put_head(&l, machine);
    put_all(&l);
    ts_disassembler_free(l.d);
    if (machine) ts_native_free(&l.native);
    ts_compiled_free(&l.ir);
    ts_vec_free(&l.wasm);
    ts_vec_free(&l.words);
    ts_vec_free(&l.machine);
    return l.nomem ? ts_fail_nomem(e) : TS_OK;
}
