/* places: see places.h. */
#include "core/tools/places.h"
#include "core/code/compile.h"
#include "core/debug/dwarf.h"
#include "core/run/tier.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct finder {
    const ts_fcode *code;
    ts_compiled ir;
    ts_native native;
    ts_frame frames[TS_PLACE_FRAMES];
} finder;

/* The word of the IR that a place is at. */
static uint32_t word_of(const finder *f, const ts_place *p) {
    if (p->kind != TS_PLACE_MACHINE) return p->at;
    uint32_t lo = 0, hi = f->native.n_map;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (f->native.map[mid].code <= p->at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? f->native.map[lo - 1].word : 0;
}
static const ts_import *imported(const ts_module *m, uint32_t func) {
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_FUNC && func-- == 0) return &m->imports[i];
    return NULL;
}
/* Names the function of the host, or the operation, whose C function runs at this word. */
static void name_c(const finder *f, uint32_t word, ts_frame *out) {
    uint32_t at = 0, next = 0;
    while (next <= word && next < f->ir.n_words) {
        at = next;
        next += ts_ir_len(&f->ir.code[at]);
    }
    const ts_word *w = &f->ir.code[at];
    switch ((ts_ir_op)w->u) {
    case TS_IR_call_import: {
        const ts_import *x = imported(f->code->module, w[1].uw[1]);
        if (x) snprintf(out->function, sizeof out->function, "%s %s", x->module, x->name);
        return;
    }
    case TS_IR_call_indirect:
    case TS_IR_call_ref:
    case TS_IR_call: snprintf(out->function, sizeof out->function, "(host)"); return;
    default: snprintf(out->function, sizeof out->function, "(%s)", ts_ir_names[w->u]);
    }
}
static void look(finder *f, const ts_place *p, ts_place_source *out) {
    const ts_module *m = f->code->module;
    uint32_t word = word_of(f, p), first = p->kind == TS_PLACE_C;
    ts_frame *fr = &f->frames[first];
    memset(f->frames, 0, 2 * sizeof *f->frames);
    ts_module_name(m, fr->module, sizeof fr->module);
    ts_module_func_name(m, f->code->func, fr->function, sizeof fr->function);
    fr->func_index = f->code->func;
    fr->offset = ts_compiled_offset(&f->ir, word);
    uint32_t n = ts_dwarf_unfold(f->code->module, fr, TS_PLACE_FRAMES - first);
    if (n > TS_PLACE_FRAMES - first) n = TS_PLACE_FRAMES - first;
    ts_frame *whole = &fr[n - 1];
    if (!whole->function[0]) snprintf(whole->function, sizeof whole->function, "func[%u]", f->code->func);
    if (first) name_c(f, word, f->frames);
    *out = (ts_place_source){f->frames, n + first, first, f->code->machine != NULL};
}

bool ts_places_each(const ts_fcode *code, const ts_place *const *places, uint32_t n,
                    void (*fn)(void *data, uint32_t i, const ts_place_source *source), void *data) {
    ts_error e; /* the function has been compiled before: only memory can be missing */
    ts_error_init(&e);
    finder *f = calloc(1, sizeof *f);
    if (!f || ts_compile(code, true, &f->ir, &e) != TS_OK) {
        free(f);
        return false;
    }
    f->code = code;
    bool machine = false, ok = true;
    for (uint32_t i = 0; i < n; i++) machine = machine || places[i]->kind == TS_PLACE_MACHINE;
    if (machine) ok = ts_tier_make(code, &f->native);
    for (uint32_t i = 0; ok && i < n; i++) {
        ts_place_source s;
        look(f, places[i], &s);
        fn(data, i, &s);
    }
    if (machine && ok) ts_native_free(&f->native);
    ts_compiled_free(&f->ir);
    free(f);
    return ok;
}
