/* tier: see tier.h. */
#include "core/run/tier.h"
#include "core/native/machine.h"
#include "core/run/code_cache.h"
#include "core/run/exec.h"
#include "core/run/gc.h"
#include <stddef.h>

static const ts_native_layout layout = {
    .exec_stack_end = offsetof(ts_exec, stack_end),
    .exec_fuel = offsetof(ts_exec, fuel),
    .exec_store = offsetof(ts_exec, store),
    .store_interrupted = offsetof(ts_store, interrupted),
    .instance_mems = offsetof(ts_instance, mems),
    .instance_globals = offsetof(ts_instance, globals),
    .instance_tables = offsetof(ts_instance, tables),
    .memory_base = offsetof(ts_memory, base),
    .memory_len = offsetof(ts_memory, len),
    .table_elems = offsetof(ts_table, elems),
    .table_len = offsetof(ts_table, len),
    .global_value = offsetof(ts_global, v),
    .func_type = offsetof(ts_func, type),
    .func_inst = offsetof(ts_func, inst),
    .func_code = offsetof(ts_func, code),
    .object_len = offsetof(ts_obj, len),
    .object_payload = sizeof(ts_obj),
};

static bool make(const ts_fcode *c, ts_native *out) {
    ts_error e; /* ignored: the function stays interpreted */
    ts_error_init(&e);
    ts_compiled ir;
    if (ts_compile(c, false, &ir, &e) != TS_OK) return false;
    const ts_native_source from = {.ir = &ir,
                                   .linked = c->code,
                                   .callees = ts_code_all(c->module, c->form),
                                   .types = ts_engine_types(c->module->engine),
                                   .layout = &layout,
                                   .handlers = ts_ir_handlers()};
    bool ok = ts_native_make(&from, out);
    ts_compiled_free(&ir);
    return ok;
}

bool ts_tier_up(ts_module *m, unsigned form, const ts_word *pc) {
    ts_fcode *c = ts_exec_takes_machine_code() ? ts_code_find(m, form, pc) : NULL;
    if (!c || __atomic_exchange_n(&c->tiered, true, __ATOMIC_ACQ_REL)) return false;
    ts_native n;
    if (!make(c, &n)) return false;
    ts_machine_code *made = ts_machine_install(m->engine, &n);
    if (made) __atomic_store_n(&c->machine, made, __ATOMIC_RELEASE); /* before its code can fault */
    bool entered = false;
    for (uint32_t i = 0; made && i < n.n_entries; i++) {
        ts_word *w = &c->code[n.entries[i].word];
        __atomic_store_n(&w->h, (const void *)(made->code + n.entries[i].code), __ATOMIC_RELEASE);
        entered = entered || w == pc;
    }
    ts_native_free(&n);
    return entered;
}

typedef struct search {
    uintptr_t address;
    const ts_word *found;
} search;
static bool look(void *data, ts_fcode *c) {
    search *s = data;
    const ts_machine_code *m = __atomic_load_n(&c->machine, __ATOMIC_ACQUIRE);
    uint32_t word;
    if (!m || !ts_machine_has(m, s->address, &word)) return false;
    if (word != UINT32_MAX) s->found = c->code + word;
    return true;
}
const ts_word *ts_tier_find(ts_module *m, uintptr_t address) {
    search s = {.address = address};
    ts_code_each(m, look, &s);
    return s.found;
}
