/* portable: see portable.h. */
#include "core/code/portable.h"
#include "core/module/wasm_ops.h"

/* The operations that are more than their opcode, and slots and constants. */
enum { PLAIN, COUNT, CALL, TABLE, TYPES };
static const uint8_t kinds[TS_IR_COUNT] = {
    [TS_IR_count] = COUNT,
    [TS_IR_call] = CALL,
    [TS_IR_return_call] = CALL,
    [TS_IR_br_table] = TABLE,
    [TS_IR_br_table_A] = TABLE,
    [TS_IR_call_indirect] = TYPES,
    [TS_IR_return_call_indirect] = TYPES,
    [TS_IR_ref_test] = TYPES,
    [TS_IR_ref_cast] = TYPES,
    [TS_IR_struct_new] = TYPES,
    [TS_IR_struct_new_default] = TYPES,
    [TS_IR_struct_get] = TYPES,
    [TS_IR_struct_set] = TYPES,
    [TS_IR_array_new] = TYPES,
    [TS_IR_array_new_default] = TYPES,
    [TS_IR_array_new_fixed] = TYPES,
    [TS_IR_array_new_data] = TYPES,
    [TS_IR_array_new_elem] = TYPES,
    [TS_IR_array_get] = TYPES,
    [TS_IR_array_set] = TYPES,
    [TS_IR_array_fill] = TYPES,
    [TS_IR_array_init_data] = TYPES,
    [TS_IR_array_init_elem] = TYPES,
    [TS_IR_array_copy] = TYPES,
};
/* Types are halves of word 2. A heap type has the number of a type above those of the abstract ones. */
static uint32_t base_of(uint32_t op) {
    return op == TS_IR_ref_test || op == TS_IR_ref_cast ? TS_HT_CONCRETE : 0;
}

static bool index_of(const ts_module *m, uint32_t *type) {
    for (uint32_t i = 0; i < m->n_types; i++)
        if (m->types[i] == *type) {
            *type = i;
            return true;
        }
    return false;
}
static bool id_of(const ts_module *m, uint32_t *type) {
    if (*type >= m->n_types) return false;
    *type = m->types[*type];
    return true;
}
static bool each_type(const ts_module *m, ts_word *w, bool (*change)(const ts_module *m, uint32_t *type)) {
    const uint32_t op = (uint32_t)w->u, base = base_of(op), n = op == TS_IR_array_copy ? 2 : 1;
    for (unsigned k = 0; k < n; k++) {
        uint32_t type = w[2].uw[k] - base;
        if (w[2].uw[k] < base) continue;
        if (!change(m, &type)) return false;
        w[2].uw[k] = type + base;
    }
    return true;
}

bool ts_portable_make(const ts_module *m, ts_word *code, uint32_t n_words) {
    for (uint32_t i = 0; i < n_words; i += ts_ir_len(&code[i]))
        if (kinds[code[i].u] == TYPES && !each_type(m, &code[i], index_of)) return false;
    return true;
}

bool ts_portable_take(const ts_portable_link *l, ts_word *code, uint32_t n_words) {
    const ts_module *m = l->module;
    bool is_loop = false;
    for (uint32_t i = 0, len; i < n_words; i += len) {
        ts_word *w = &code[i];
        const uint64_t op = w->u;
        if (op >= TS_IR_COUNT || (len = ts_ir_words[op]) > n_words - i) return false;
        switch (kinds[op]) {
        case COUNT:
            w[1].uw[1] = l->waits ? ts_count_until_warm(ts_engine_tier(m->engine), is_loop, i)
                                  : ts_count_until_hot(ts_engine_tier(m->engine), is_loop, i);
            is_loop = true; /* the next one */
            break;
        case CALL:
            if (w[2].u < m->n_imp_funcs || w[2].u >= m->n_funcs) return false;
            w[2].p = &l->callees[w[2].u];
            break;
        case TABLE:
            if (w[1].uw[1] >= n_words - i - len) return false;
            len += w[1].uw[1] + 1;
            break;
        case TYPES:
            if (!each_type(m, w, id_of)) return false;
            break;
        default: break;
        }
        w->h = l->handlers[op];
    }
    return true;
}
