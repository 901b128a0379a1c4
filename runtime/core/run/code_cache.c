/* code_cache: see code_cache.h. */
#include "core/run/code_cache.h"
#include "base/vec.h"
#include "core/code/compile.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/run/dispatch.h"
#include "core/run/link.h"
#include "sys/pages.h"
#include "sys/thread.h"
#include <stdlib.h>

struct ts_code_cache {
    ts_lock lock;
    ts_module *m;
    ts_fcode *forms[TS_FORM_COUNT]; /* arrays by function, made when the form is first used */
    struct {
        TS_VEC(ts_fcode *) sorted; /* the compiled functions, by the address of their code */
        TS_VEC(uint32_t) order;    /* their indices, in the order of first calls */
    } by_form[TS_FORM_COUNT];
    TS_VEC(ts_fcode *) machine; /* those with machine code, by its address */
    ts_machine_room room;       /* where that is */
    /* The functions that an earlier run called. `thread` compiles them before this run reaches them. */
    uint32_t *ahead;
    uint32_t n_ahead, ahead_form;
    bool stop; /* atomic */
    ts_thread thread;
    ts_kept *kept;                      /* or NULL */
    ts_compile_scratch *scratch;        /* atomic: one that no thread uses; or NULL */
    void (*when_compiled)(ts_fcode *c); /* or NULL */
};

void ts_code_end_ahead(ts_module *m) {
    __atomic_store_n(&m->code->stop, true, __ATOMIC_RELAXED);
    ts_thread_join(&m->code->thread);
}
static void code_cache_free(ts_module *m) {
    struct ts_code_cache *cc = m->code;
    if (!cc) return;
    ts_code_end_ahead(m);
    ts_engine_code_ends(m->engine, m);
    free(cc->ahead);
    ts_vec_free(&cc->machine);
    for (unsigned f = 0; f < TS_FORM_COUNT; f++) {
        ts_vec_free(&cc->by_form[f].order);
        for (uint32_t i = 0; i < cc->by_form[f].sorted.len; i++) {
            ts_fcode *c = cc->by_form[f].sorted.data[i];
            ts_machine_free(c->machine);
            if (!c->kept) free(c->code);
            if (!c->kept) free(c->handlers);
        }
        ts_vec_free(&cc->by_form[f].sorted);
        free(cc->forms[f]);
    }
    ts_machine_room_free(&cc->room);
    ts_compile_scratch_free(cc->scratch);
    ts_lock_destroy(&cc->lock);
    free(cc);
    m->code = NULL;
}

bool ts_code_cache_attach(ts_module *m) {
    struct ts_code_cache *cc = calloc(1, sizeof *cc);
    if (!cc || !ts_machine_room_init(&cc->room, m->engine)) {
        free(cc);
        return false;
    }
    if (!ts_lock_init(&cc->lock)) {
        ts_machine_room_free(&cc->room);
        free(cc);
        return false;
    }
    cc->m = m;
    m->code = cc;
    m->parts[TS_PART_CODE] = code_cache_free;
    return true;
}

/* --- compiling ahead: the functions that an earlier run called ------------------------------------------ */
void ts_code_set_ahead(ts_module *m, unsigned form, uint32_t *funcs, uint32_t n) {
    m->code->ahead = funcs;
    m->code->n_ahead = n;
    m->code->ahead_form = form;
}
const uint32_t *ts_code_call_order(const ts_module *m, unsigned *form, uint32_t *n) {
    const struct ts_code_cache *cc = m->code;
    *form = 0;
    for (unsigned f = 1; f < TS_FORM_COUNT; f++)
        if (cc->by_form[f].order.len > cc->by_form[*form].order.len) *form = f;
    return ts_code_called(m, *form, n);
}
const uint32_t *ts_code_called(const ts_module *m, unsigned form, uint32_t *n) {
    *n = m->code->by_form[form].order.len;
    return m->code->by_form[form].order.data;
}
static void compile_ahead(void *data) {
    struct ts_code_cache *cc = data;
    ts_error e; /* ignored: a function that fails to compile here fails again when it is called */
    ts_error_init(&e);
    for (uint32_t i = 0; i < cc->n_ahead && !__atomic_load_n(&cc->stop, __ATOMIC_RELAXED); i++) {
        uint32_t f = cc->ahead[i];
        if (f < cc->m->n_imp_funcs || f >= cc->m->n_funcs) continue;
        if (ts_code_compile(&cc->forms[cc->ahead_form][f], &e) != TS_OK) return;
    }
}

ts_fcode *ts_code_func(ts_module *m, unsigned form, uint32_t func) {
    struct ts_code_cache *cc = m->code;
    ts_fcode *codes = __atomic_load_n(&cc->forms[form], __ATOMIC_ACQUIRE);
    if (!codes) {
        ts_lock_take(&cc->lock);
        codes = cc->forms[form];
        if (!codes && (codes = calloc(m->n_funcs ? m->n_funcs : 1, sizeof *codes))) {
            ts_pages_populate(codes, m->n_funcs * sizeof *codes); /* all are written */
            const void *stub = ts_ir_handlers()[TS_IR_compile];
            ts_type_registry *types = ts_engine_types(m->engine);
            for (uint32_t i = m->n_imp_funcs; i < m->n_funcs; i++) {
                codes[i].entry = codes[i].stub;
                codes[i].stub[0].h = stub;
                codes[i].module = m;
                codes[i].func = i;
                codes[i].form = (uint8_t)form;
                codes[i].link = (uint16_t)ts_frame_link(ts_types_get(types, m->funcs[i].type));
            }
            __atomic_store_n(&cc->forms[form], codes, __ATOMIC_RELEASE);
            if (cc->n_ahead && cc->ahead_form == form && !cc->kept) ts_thread_start(&cc->thread, compile_ahead, cc);
        }
        ts_lock_give(&cc->lock);
    }
    return codes ? &codes[func] : NULL;
}
/* Makes the IR of a function, linked. *kept: it belongs to what is kept. */
static ts_status make(const ts_fcode *f, ts_compiled *c, bool *kept, ts_error *e) {
    struct ts_code_cache *cc = f->module->code;
    const ts_portable_link link = {.module = cc->m, .handlers = ts_ir_handlers(), .callees = cc->forms[f->form]};
    *kept = cc->kept && ts_kept_ir(cc->kept, f, &link, c);
    if (*kept) return TS_OK;
    ts_compile_scratch *s = __atomic_exchange_n(&cc->scratch, NULL, __ATOMIC_ACQUIRE);
    if (!s) s = ts_compile_scratch_new();
    ts_status st = ts_compile_in(s, f, false, c, e);
    ts_compile_scratch_free(__atomic_exchange_n(&cc->scratch, s, __ATOMIC_ACQ_REL));
    if (st == TS_OK) ts_link_code(c->code, c->n_words, cc->forms[f->form]);
    return st;
}
/* Compiles outside the lock, so that threads do not wait for each other's functions. The loser of a race
 * discards its copy. */
ts_status ts_code_compile(ts_fcode *out, ts_error *e) {
    struct ts_code_cache *cc = out->module->code;
    if (__atomic_load_n(&out->entry, __ATOMIC_ACQUIRE) != out->stub) return TS_OK;
    ts_compiled c;
    bool kept;
    TS_TRY(make(out, &c, &kept, e));
    ts_status st = TS_OK;
    bool won = false;
    ts_lock_take(&cc->lock);
    if (!ts_vec_reserve(&cc->by_form[out->form].sorted, (uint64_t)cc->by_form[out->form].sorted.len + 1) ||
        !ts_vec_reserve(&cc->by_form[out->form].order, (uint64_t)cc->by_form[out->form].order.len + 1))
        st = ts_fail_nomem(e);
    else if (!out->code) {
        out->code = c.code;
        out->n_words = c.n_words;
        out->handlers = c.handlers;
        out->n_handlers = c.n_handlers;
        out->frame_slots = c.frame_slots;
        out->kept = kept;
        c = (ts_compiled){0};
        won = true;
        ts_fcode **d = cc->by_form[out->form].sorted.data;
        uint32_t i = cc->by_form[out->form].sorted.len++;
        for (; i > 0 && d[i - 1]->code > out->code; i--) d[i] = d[i - 1];
        d[i] = out;
        cc->by_form[out->form].order.data[cc->by_form[out->form].order.len++] = out->func;
        __atomic_store_n(&out->entry, out->code, __ATOMIC_RELEASE);
    }
    ts_lock_give(&cc->lock);
    if (!kept) ts_compiled_free(&c);
    if (won && cc->when_compiled) cc->when_compiled(out);
    return st;
}
void ts_code_set_kept(ts_module *m, ts_kept *kept, void (*fn)(ts_fcode *c)) {
    m->code->kept = kept;
    m->code->when_compiled = fn;
}

ts_fcode *ts_code_all(ts_module *m, unsigned form) {
    return m->code->forms[form];
}
void ts_code_each(ts_module *m, bool (*fn)(void *data, ts_fcode *c), void *data) {
    struct ts_code_cache *cc = m->code;
    ts_lock_take(&cc->lock);
    for (unsigned f = 0; f < TS_FORM_COUNT; f++)
        for (uint32_t i = 0; i < cc->by_form[f].sorted.len; i++)
            if (fn(data, cc->by_form[f].sorted.data[i])) {
                ts_lock_give(&cc->lock);
                return;
            }
    ts_lock_give(&cc->lock);
}

/* The caller has the lock. */
static ts_fcode *find_word(const struct ts_code_cache *cc, unsigned form, const ts_word *pc) {
    ts_fcode **d = cc->by_form[form].sorted.data;
    uint32_t lo = 0, hi = cc->by_form[form].sorted.len;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (d[mid]->code <= pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && pc < d[lo - 1]->code + d[lo - 1]->n_words ? d[lo - 1] : NULL;
}
ts_fcode *ts_code_find(ts_module *m, unsigned form, const ts_word *pc) {
    struct ts_code_cache *cc = m->code;
    ts_lock_take(&cc->lock);
    ts_fcode *found = find_word(cc, form, pc);
    ts_lock_give(&cc->lock);
    return found;
}
struct ts_machine_room *ts_code_room(ts_module *m) {
    return &m->code->room;
}
bool ts_code_set_machine(ts_fcode *c, struct ts_machine_code *made) {
    struct ts_code_cache *cc = c->module->code;
    ts_lock_take(&cc->lock);
    bool ok = ts_vec_reserve(&cc->machine, (uint64_t)cc->machine.len + 1);
    if (ok) {
        ts_fcode **d = cc->machine.data;
        uint32_t i = cc->machine.len++;
        for (; i > 0 && d[i - 1]->machine->code > made->code; i--) d[i] = d[i - 1];
        d[i] = c;
        __atomic_store_n(&c->machine, made, __ATOMIC_RELEASE);
    }
    ts_lock_give(&cc->lock);
    return ok;
}
/* The caller has the lock. */
static ts_fcode *find_machine(const struct ts_code_cache *cc, uintptr_t address) {
    ts_fcode **d = cc->machine.data;
    uint32_t lo = 0, hi = cc->machine.len;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if ((uintptr_t)d[mid]->machine->code <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && address - (uintptr_t)d[lo - 1]->machine->code < d[lo - 1]->machine->len ? d[lo - 1] : NULL;
}
ts_fcode *ts_code_find_machine(ts_module *m, uintptr_t address) {
    struct ts_code_cache *cc = m->code;
    ts_lock_take(&cc->lock);
    ts_fcode *found = find_machine(cc, address);
    ts_lock_give(&cc->lock);
    return found;
}
ts_fcode *ts_code_look(ts_module *m, unsigned form, uintptr_t address, bool machine) {
    struct ts_code_cache *cc = m->code;
    if (!ts_lock_try(&cc->lock)) return NULL;
    ts_fcode *found = machine ? find_machine(cc, address) : find_word(cc, form, (const ts_word *)address);
    ts_lock_give(&cc->lock);
    return found;
}
uint64_t ts_code_offset(const ts_fcode *f, const ts_word *pc) {
    ts_error e;
    ts_error_init(&e);
    ts_compiled c;
    if (!f->code || ts_compile(f, true, &c, &e) != TS_OK) return 0;
    uint64_t off = ts_compiled_offset(&c, (uint32_t)(pc - f->code));
    ts_compiled_free(&c);
    return off;
}
