/* machine: see machine.h. */
#include "core/native/machine.h"
#include "core/module/engine.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

static uint8_t *make_pages(const ts_native *n, const ts_native_source *from) {
    uint8_t *p = ts_pages_resize(NULL, 0, n->len);
    if (!p) return NULL;
    memcpy(p, n->code, n->len);
    if (from) ts_native_link(from, n, p);
    if (ts_pages_make_code(p, n->len)) return p;
    ts_pages_release(p, n->len);
    return NULL;
}
ts_machine_code *ts_machine_install(ts_engine *engine, const ts_native *n, const ts_native_source *from) {
    const size_t taken = ts_pages_round(n->len), faults = n->n_faults * sizeof *n->faults;
    ts_machine_code *m = calloc(1, sizeof *m);
    if (m && ts_engine_take_code(engine, taken)) {
        m->len = n->len;
        m->n_faults = n->n_faults;
        m->faults = malloc(faults ? faults : 1);
        if (m->faults && (m->code = make_pages(n, from))) {
            if (faults) memcpy(m->faults, n->faults, faults);
            return m;
        }
        free(m->faults);
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
