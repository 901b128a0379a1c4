/* batch: see batch.h. */
#include "core/run/batch.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/run/code_cache.h"
#include <stdlib.h>

bool ts_batch_add(ts_batch *b, ts_fcode *c, const ts_native *n, const ts_native_source *from) {
    ts_batch_code one = {.c = c, .native = *n, .kept = from != NULL};
    if (from) one.from = *from;
    if (!ts_vec_push(&b->codes, one)) return false;
    b->len += n->len;
    return true;
}
/* Enters the words of a function. */
static void enter(const ts_batch_code *one, ts_machine_code *made) {
    const ts_native *n = &one->native;
    if (!ts_code_set_machine(one->c, made)) { /* before its code can fault */
        ts_machine_free(made);
        return;
    }
    ts_engine_code_made(one->c->module->engine, one->c);
    for (uint32_t i = 0; i < n->n_entries; i++)
        __atomic_store_n(&one->c->code[n->entries[i].word].h, (const void *)(made->code + n->entries[i].code),
                         __ATOMIC_RELEASE);
}
void ts_batch_install(ts_batch *b, ts_module *m) {
    ts_batch_code *codes = b->codes.data;
    const uint32_t n = b->codes.len;
    ts_machine_job *jobs = calloc(n ? n : 1, sizeof *jobs);
    for (uint32_t i = 0; jobs && i < n; i++)
        jobs[i] = (ts_machine_job){
            .native = &codes[i].native, .from = codes[i].kept ? &codes[i].from : NULL, .shares_faults = codes[i].kept};
    if (jobs) ts_machine_install(ts_code_room(m), jobs, n);
    for (uint32_t i = 0; i < n; i++) {
        if (jobs && jobs[i].made) enter(&codes[i], jobs[i].made);
        if (!codes[i].kept) ts_native_free(&codes[i].native);
    }
    free(jobs);
    ts_vec_free(&b->codes);
    b->len = 0;
}
