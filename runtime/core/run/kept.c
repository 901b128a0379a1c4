/* kept: see kept.h. */
#include "core/run/kept.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

static uint64_t add_word(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 32;
}
/* Four sums side by side, because each step of one waits for the step before. */
uint64_t ts_kept_sum(const void *bytes, size_t len) {
    enum { LANES = 4 };
    const uint8_t *at = bytes;
    uint64_t sum[LANES] = {len, 1, 2, 3}, words[LANES];
    for (; len >= sizeof words; at += sizeof words, len -= sizeof words) {
        memcpy(words, at, sizeof words);
        for (unsigned i = 0; i < LANES; i++) sum[i] = add_word(sum[i], words[i]);
    }
    for (; len >= sizeof *words; at += sizeof *words, len -= sizeof *words) {
        memcpy(words, at, sizeof *words);
        sum[0] = add_word(sum[0], words[0]);
    }
    for (unsigned i = 1; i < LANES; i++) sum[0] = add_word(sum[0], sum[i]);
    return sum[0];
}

/* --- what was read -------------------------------------------------------------------------------------- */
const ts_kept_entry *ts_kept_find(const ts_kept *k, uint32_t func) {
    uint32_t lo = 0, hi = k->n_read;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (k->read[mid].func < func)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < k->n_read && k->read[lo].func == func ? &k->read[lo] : NULL;
}
static uint64_t padded(uint64_t n, size_t size) {
    return (n * size + 7) / 8 * 8;
}
static bool locate(const ts_kept *k, const ts_kept_entry *e, ts_kept_parts *out) {
    const uint64_t ir = padded(e->n_words, sizeof(ts_word)) + padded(e->n_handlers, sizeof(ts_handler)),
                   code = padded((uint64_t)e->n_entries + e->n_faults, sizeof(ts_native_entry)) +
                          padded(e->n_numbers, sizeof(ts_native_number_at)) + padded(e->len, 1);
    if (e->at > k->len || e->at % 8 || ir + code > k->len - e->at) return false;
    *out = (ts_kept_parts){.ir = k->bytes + e->at, .ir_len = ir, .code = k->bytes + e->at + ir, .code_len = code};
    return true;
}
ts_kept_parts ts_kept_parts_of(const ts_kept *k, const ts_kept_entry *e) {
    ts_kept_parts p;
    if (!locate(k, e, &p)) return (ts_kept_parts){0};
    if (ts_kept_sum(p.ir, p.ir_len) != e->ir_sum) p.ir = NULL;
    if (ts_kept_sum(p.code, p.code_len) != e->code_sum) p.code = NULL;
    return p;
}
static bool damaged(ts_kept *k) {
    __atomic_store_n(&k->damaged, true, __ATOMIC_RELAXED);
    return false;
}
static bool fits(const ts_kept_entry *e, const ts_compiled *ir) {
    for (uint32_t i = 0; i < ir->n_handlers; i++)
        if (ir->handlers[i].from > e->n_words || ir->handlers[i].to > e->n_words ||
            ir->handlers[i].target >= e->n_words)
            return false;
    return ir->n_words > 0 && e->frame_slots <= TS_MOST_FRAME_SLOTS;
}
void ts_kept_prepare(ts_kept *k) {
    uint64_t words = 0;
    for (uint32_t i = 0; i < k->n_read; i++) words += k->read[i].n_words;
    k->room_len = words <= k->len / sizeof(ts_word) ? (size_t)words * sizeof(ts_word) : 0;
    k->room = k->room_len ? ts_pages_resize(NULL, 0, k->room_len) : NULL;
}
/* Functions may be called by several threads at once. */
static ts_word *take_room(ts_kept *k, size_t len) {
    enum { STEP = 1 << 18 };
    const size_t at = k->room ? __atomic_fetch_add(&k->room_used, len, __ATOMIC_RELAXED) : 0;
    if (!k->room || at > k->room_len || len > k->room_len - at) return NULL;
    const size_t first = (at + STEP - 1) / STEP * STEP, last = (at + len + STEP - 1) / STEP * STEP;
    if (first < last) ts_pages_populate(k->room + first, (last < k->room_len ? last : k->room_len) - first);
    return (ts_word *)(k->room + at);
}
bool ts_kept_ir(ts_kept *k, const ts_fcode *c, const ts_portable_link *l, ts_compiled *out) {
    const ts_kept_entry *e = c->form == k->form ? ts_kept_find(k, c->func) : NULL;
    ts_kept_parts p;
    if (!e) return false;
    if (!locate(k, e, &p) || ts_kept_sum(p.ir, p.ir_len) != e->ir_sum) return damaged(k);
    const size_t len = e->n_words * sizeof(ts_word);
    *out = (ts_compiled){
        .code = take_room(k, len), .n_words = e->n_words, .n_handlers = e->n_handlers, .frame_slots = e->frame_slots};
    if (!out->code) return false;
    memcpy(out->code, p.ir, len);
    out->handlers = e->n_handlers ? (ts_handler *)(uintptr_t)(p.ir + len) : NULL; /* nothing writes to it */
    ts_portable_link link = *l;
    link.waits = e->len > 0;
    return fits(e, out) && ts_portable_take(&link, out->code, out->n_words) ? true : damaged(k);
}
bool ts_kept_machine(ts_kept *k, const ts_fcode *c, ts_native *out) {
    const ts_kept_entry *e = c->form == k->form ? ts_kept_find(k, c->func) : NULL;
    ts_kept_parts p;
    if (!e || !e->len || e->n_words != c->n_words) return false;
    if (!locate(k, e, &p) || ts_kept_sum(p.code, p.code_len) != e->code_sum) return damaged(k);
    /* nothing writes through these pointers */
    ts_native_entry *entries = (ts_native_entry *)(uintptr_t)p.code;
    ts_native_number_at *numbers = (ts_native_number_at *)(entries + e->n_entries + e->n_faults);
    *out = (ts_native){.len = e->len,
                       .entries = entries,
                       .n_entries = e->n_entries,
                       .faults = entries + e->n_entries,
                       .n_faults = e->n_faults,
                       .numbers = numbers,
                       .n_numbers = e->n_numbers,
                       .code = (uint8_t *)numbers + padded(e->n_numbers, sizeof *numbers)};
    return ts_native_fits(out, e->n_words, c->module->n_funcs);
}

/* --- what was made -------------------------------------------------------------------------------------- */
static void *copy_of(const void *from, size_t len, bool *ok) {
    void *to = malloc(len ? len : 1);
    if (!to)
        *ok = false;
    else if (len)
        memcpy(to, from, len);
    return to;
}
static bool copy(const ts_native *from, ts_native *to) {
    bool ok = true;
    *to = (ts_native){
        .len = from->len, .n_entries = from->n_entries, .n_faults = from->n_faults, .n_numbers = from->n_numbers};
    to->code = copy_of(from->code, from->len, &ok);
    to->entries = copy_of(from->entries, from->n_entries * sizeof *from->entries, &ok);
    to->faults = copy_of(from->faults, from->n_faults * sizeof *from->faults, &ok);
    to->numbers = copy_of(from->numbers, from->n_numbers * sizeof *from->numbers, &ok);
    if (!ok) ts_native_free(to);
    return ok;
}
void ts_kept_add(ts_kept *k, const ts_fcode *c, const ts_native *n) {
    const ts_kept_entry *e = ts_kept_find(k, c->func);
    if ((k->n_read || k->n_made) && c->form != k->form) return;
    if (e && e->len) return;
    if (k->n_made == k->cap) {
        uint32_t cap = k->cap ? 2 * k->cap : 64;
        ts_kept_code *more = realloc(k->made, cap * sizeof *more);
        if (!more) return;
        k->made = more;
        k->cap = cap;
    }
    ts_kept_code *to = &k->made[k->n_made];
    *to = (ts_kept_code){.func = c->func};
    if (!copy(n, &to->native)) return;
    ts_native_unlink(&to->native);
    k->form = c->form;
    k->n_made++;
}
void ts_kept_free(ts_kept *k) {
    for (uint32_t i = 0; i < k->n_made; i++) ts_native_free(&k->made[i].native);
    free(k->made);
    ts_pages_release(k->bytes, k->len);
    ts_pages_release(k->room, k->room_len);
    *k = (ts_kept){0};
}
