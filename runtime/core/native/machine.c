/* machine: see machine.h. */
#include "core/native/machine.h"
#include "core/module/engine.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

/* Bytes of address space, of which only what is used has memory; and where a function begins: at a cache line. */
enum { REGION = 1 << 20, ALIGNMENT = 64 };

bool ts_machine_room_init(ts_machine_room *r, ts_engine *engine) {
    *r = (ts_machine_room){.engine = engine};
    if (ts_lock_init(&r->lock)) return true;
    r->engine = NULL;
    return false;
}
void ts_machine_room_free(ts_machine_room *r) {
    if (!r->engine) return;
    for (uint32_t i = 0; i < r->regions.len; i++) {
        ts_pages_release(r->regions.data[i].base, r->regions.data[i].len);
        ts_engine_give_code(r->engine, ts_pages_round(r->regions.data[i].used));
    }
    ts_vec_free(&r->regions);
    ts_lock_destroy(&r->lock);
    r->engine = NULL;
}

/* --- installing: the caller has the lock ------------------------------------------------------------------ */
static size_t aligned(size_t n) {
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}
/* The region that has space for so many bytes, or NULL. */
static ts_machine_region *region_for(ts_machine_room *r, size_t len) {
    ts_machine_region *last = r->regions.len ? &r->regions.data[r->regions.len - 1] : NULL;
    if (last && aligned(last->used) + len <= last->len) return last;
    if (!ts_vec_reserve(&r->regions, (uint64_t)r->regions.len + 1)) return NULL;
    const size_t size = len > REGION ? ts_pages_round(len) : REGION;
    uint8_t *base = ts_pages_reserve(size);
    if (!base) return NULL;
    r->regions.data[r->regions.len] = (ts_machine_region){.base = base, .len = size};
    return &r->regions.data[r->regions.len++];
}
static ts_machine_code *describe(const ts_machine_job *j) {
    const size_t len = j->native->n_faults * sizeof *j->native->faults;
    ts_machine_code *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->len = j->native->len;
    m->n_faults = j->native->n_faults;
    m->faults = j->native->faults;
    if (j->shares_faults) return m;
    ts_native_entry *copy = malloc(len ? len : 1);
    if (copy && len) memcpy(copy, j->native->faults, len);
    m->faults = copy;
    m->owns_faults = true;
    if (copy) return m;
    free(m);
    return NULL;
}
/* Gives the function a place behind *end, which is where the code ends so far. */
static void place(const ts_machine_room *r, const ts_machine_region *g, ts_machine_job *j, size_t *end) {
    const size_t at = aligned(*end), new_end = at + j->native->len,
                 more = ts_pages_round(new_end) - ts_pages_round(*end);
    if (!ts_engine_take_code(r->engine, more)) return;
    j->made = describe(j);
    if (!j->made) {
        ts_engine_give_code(r->engine, more);
        return;
    }
    j->made->code = g->base + at;
    *end = new_end;
}
/* Writes pages from `from` on, a page's beginning in the region, which get executable. In place if none of them has code. */
static bool write_pages(const ts_machine_region *g, const ts_machine_job *jobs, uint32_t n, size_t from, size_t len) {
    uint8_t *place = g->base + from, *pages = place;
    if (g->used > from)
        pages = ts_pages_resize(NULL, 0, len);
    else if (!ts_pages_commit(pages, len))
        pages = NULL;
    if (!pages) return false;
    if (len > ts_pages_size()) ts_pages_populate(pages, len);
    if (g->used > from) memcpy(pages, place, g->used - from);
    for (uint32_t i = 0; i < n; i++) {
        if (!jobs[i].made) continue;
        uint8_t *to = pages + (jobs[i].made->code - place);
        memcpy(to, jobs[i].native->code, jobs[i].native->len);
        if (jobs[i].from) ts_native_link(jobs[i].from, jobs[i].native, to);
    }
    if (ts_pages_make_code(pages, len) && (pages == place || ts_pages_replace_code(place, pages, len))) return true;
    if (pages == place)
        ts_pages_decommit(pages, len);
    else
        ts_pages_release(pages, len);
    return false;
}
static void install(ts_machine_room *r, ts_machine_job *jobs, uint32_t n) {
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++) len += aligned(jobs[i].native->len);
    ts_machine_region *g = region_for(r, len);
    if (!g) return;
    if (!ts_pages_can_replace_code()) g->used = ts_pages_round(g->used);
    size_t end = g->used;
    for (uint32_t i = 0; i < n; i++) place(r, g, &jobs[i], &end);
    const size_t from = g->used & ~(ts_pages_size() - 1), taken = ts_pages_round(end) - ts_pages_round(g->used);
    if (end == g->used) return;
    if (write_pages(g, jobs, n, from, end - from)) {
        g->used = end;
        return;
    }
    ts_engine_give_code(r->engine, taken);
    for (uint32_t i = 0; i < n; i++) {
        ts_machine_free(jobs[i].made);
        jobs[i].made = NULL;
    }
}
void ts_machine_install(ts_machine_room *r, ts_machine_job *jobs, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) jobs[i].made = NULL;
    ts_lock_take(&r->lock);
    if (n) install(r, jobs, n);
    ts_lock_give(&r->lock);
}
void ts_machine_free(ts_machine_code *m) {
    if (m && m->owns_faults) free((ts_native_entry *)(uintptr_t)m->faults);
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
