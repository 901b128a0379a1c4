/* machine: see machine.h. */
#include "core/native/machine.h"
#include "core/module/engine.h"
#include "sys/pages.h"
#include <stdlib.h>

ts_machine_code *ts_machine_install(ts_engine *engine, ts_native *n) {
    size_t taken = ts_pages_round(n->len);
    ts_machine_code *m = calloc(1, sizeof *m);
    if (m && ts_engine_take_code(engine, taken)) {
        m->code = ts_pages_make_code(n->code, n->len);
        if (m->code) {
            m->len = n->len;
            m->faults = n->faults;
            m->n_faults = n->n_faults;
            n->faults = NULL;
            return m;
        }
        ts_engine_give_code(engine, taken);
    }
    free(m);
    return NULL;
}
void ts_machine_free(ts_engine *engine, ts_machine_code *m) {
    if (!m) return;
    ts_pages_release(m->code, m->len);
    ts_engine_give_code(engine, ts_pages_round(m->len));
    free(m->faults);
    free(m);
}
bool ts_machine_has(const ts_machine_code *m, uintptr_t address, uint32_t *word) {
    if (address - (uintptr_t)m->code >= m->len) return false;
    uint32_t at = (uint32_t)(address - (uintptr_t)m->code), lo = 0, hi = m->n_faults;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (m->faults[mid].code < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    *word = lo < m->n_faults && m->faults[lo].code == at ? m->faults[lo].word : UINT32_MAX;
    return true;
}
