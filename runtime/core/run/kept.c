/* kept: see kept.h. */
#include "core/run/kept.h"
#include <stdlib.h>
#include <string.h>

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

static const ts_kept_code *find(const ts_kept *k, uint32_t func) {
    uint32_t lo = 0, hi = k->n_read;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (k->codes[mid].func < func)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < k->n_read && k->codes[lo].func == func ? &k->codes[lo] : NULL;
}

void ts_kept_add(ts_kept *k, const ts_fcode *c, const ts_native *n) {
    if (k->n && c->form != k->form) return;
    if (find(k, c->func)) return;
    if (k->n == k->cap) {
        uint32_t cap = k->cap ? 2 * k->cap : 64;
        ts_kept_code *more = realloc(k->codes, cap * sizeof *more);
        if (!more) return;
        k->codes = more;
        k->cap = cap;
    }
    ts_kept_code *to = &k->codes[k->n];
    *to = (ts_kept_code){.func = c->func, .n_words = c->n_words};
    if (!copy(n, &to->native)) return;
    ts_native_unlink(&to->native);
    k->form = c->form;
    k->n++;
}
bool ts_kept_copy(const ts_kept *k, const ts_fcode *c, ts_native *out) {
    const ts_kept_code *kept = k->n_read && c->form == k->form ? find(k, c->func) : NULL;
    return kept && kept->n_words == c->n_words && copy(&kept->native, out);
}
void ts_kept_free(ts_kept *k) {
    for (uint32_t i = k->n_read; i < k->n; i++) ts_native_free(&k->codes[i].native);
    free(k->codes);
    free(k->read);
    *k = (ts_kept){0};
}
