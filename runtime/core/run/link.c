/* link: see link.h. */
#include "core/run/link.h"
#include "core/run/dispatch.h"
#include "sys/thread.h"

void ts_link_code(ts_word *code, uint32_t n, ts_fcode *funcs) {
    const void *const *h = ts_ir_handlers();
    for (uint32_t i = 0; i < n;) {
        uint32_t op = (uint32_t)code[i].u, len = ts_ir_len(&code[i]);
        code[i].h = h[op];
        if (op == TS_IR_call || op == TS_IR_return_call) code[i + 2].p = &funcs[code[i + 2].u];
        i += len;
    }
}

/* Opcodes + 1 by their handlers: a table with open addresses, the same for all engines. */
enum { TABLE_BITS = 12, TABLE = 1 << TABLE_BITS };
_Static_assert(TS_IR_COUNT < TABLE * 3 / 4, "a handler is found in a few steps");
static uint16_t opcodes[TABLE];
static bool ambiguous;
static ts_once once = TS_ONCE_INIT;

static uint32_t first_place(const void *handler) {
    return (uint32_t)((uintptr_t)handler * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS));
}
/* Where the handler is, or where it would be. */
static uint32_t find(const void *handler, const void *const *handlers) {
    uint32_t i = first_place(handler);
    while (opcodes[i] && handlers[opcodes[i] - 1] != handler) i = (i + 1) % TABLE;
    return i;
}
static void fill(void) {
    const void *const *handlers = ts_ir_handlers();
    for (uint32_t op = 0; op < TS_IR_COUNT; op++) {
        uint16_t *place = &opcodes[find(handlers[op], handlers)];
        ambiguous = ambiguous || *place;
        *place = (uint16_t)(op + 1);
    }
}
bool ts_link_undo(const ts_fcode *c, const ts_fcode *funcs, ts_word *out) {
    const void *const *handlers = ts_ir_handlers();
    ts_once_run(&once, fill);
    if (ambiguous) return false;
    for (uint32_t i = 0; i < c->n_words;) {
        const uint32_t op = opcodes[find(__atomic_load_n(&c->code[i].h, __ATOMIC_RELAXED), handlers)];
        if (!op) return false;
        out[i].u = op - 1;
        if (op - 1 == TS_IR_br_table || op - 1 == TS_IR_br_table_A) out[i + 1] = c->code[i + 1];
        const uint32_t len = ts_ir_len(&out[i]);
        for (uint32_t k = 1; k < len; k++) out[i + k].u = __atomic_load_n(&c->code[i + k].u, __ATOMIC_RELAXED);
        if (op - 1 == TS_IR_call || op - 1 == TS_IR_return_call)
            out[i + 2].u = (uint64_t)((const ts_fcode *)out[i + 2].p - funcs);
        i += len;
    }
    return true;
}
