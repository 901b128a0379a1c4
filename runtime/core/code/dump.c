/* dump: the register IR of a function as text.
 * In: a function of a validated module. Out: a line an instruction: its offset, name and operands. */
#include "core/code/compile.h"

ts_status ts_code_dump(const ts_fcode *f, FILE *out, ts_error *e) {
    ts_compiled c;
    ts_status st = ts_compile(f, false, &c, e);
    for (uint32_t i = 0; st == TS_OK && i < c.n_words;) {
        const ts_word *w = &c.code[i];
        uint32_t op = (uint32_t)w->u, len = ts_ir_len(w);
        fprintf(out, "%6u  %-26s", i, ts_ir_names[op]);
        if (len > 1) fprintf(out, " %5u %5u %5u %5u  w1=%d", w[1].s[0], w[1].s[1], w[1].s[2], w[1].s[3], w[1].w[1]);
        for (uint32_t k = 2; k < len; k++) fprintf(out, " %llx", (unsigned long long)w[k].u);
        fputc('\n', out);
        i += len;
    }
    ts_compiled_free(&c);
    return st;
}
