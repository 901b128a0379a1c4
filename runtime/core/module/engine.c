/* engine: see engine.h. */
#include "core/module/engine.h"
#include "base/dispatch.h"
#include "sys/file.h"
#include "sys/folder.h"
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_CODE ((size_t)256 << 20)

struct ts_engine {
    uint32_t refs; /* atomic */
    ts_type_registry *types;
    uint32_t features;
    ts_cache cache;
    ts_tier tier;
    size_t max_code, code; /* bytes of machine code: the limit, and now (atomic) */
    ts_code_watch *watches;
    struct ts_sampler *sampler;
    ts_engine_part *part; /* atomic */
};

ts_status ts_engine_create(ts_engine **out, ts_error *e) {
    ts_engine *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g) return ts_fail_nomem(e);
    g->refs = 1;
    g->features = TS_F_WASM3;
    g->cache.folder = -1;
    g->tier = TS_TIER_COMPILED;
    g->max_code = DEFAULT_MAX_CODE;
    g->types = ts_types_new();
    if (!g->types) {
        free(g);
        return ts_fail_nomem(e);
    }
    *out = g;
    return TS_OK;
}

ts_engine *ts_engine_hold(ts_engine *e) {
    __atomic_fetch_add(&e->refs, 1, __ATOMIC_RELAXED);
    return e;
}
void ts_engine_destroy(ts_engine *e) {
    if (!e || __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
    for (ts_code_watch *w = e->watches, *next; w; w = next) {
        next = w->next;
        w->free(w);
    }
    if (e->part) e->part->free(e->part, e);
    ts_types_free(e->types);
    ts_file_close(e->cache.folder);
    free(e);
}

ts_type_registry *ts_engine_types(const ts_engine *e) {
    return e->types;
}
void ts_engine_set_features(ts_engine *e, uint32_t features) {
    e->features = features;
}
ts_status ts_engine_set_cache(ts_engine *e, const char *folder, ts_error *err) {
    TS_NEED(err, e);
    TS_NEED(err, folder);
    const char *why;
    int fd = ts_folder_open(folder, &why);
    if (fd < 0) return ts_fail(err, TS_IO, "the cache %s cannot be used: %s", folder, why);
    ts_file_close(e->cache.folder);
    e->cache.folder = fd;
    return TS_OK;
}
void ts_engine_cache_file(ts_engine *e, const void *bytes, size_t len, const uint64_t identity[5]) {
    e->cache.file = bytes;
    e->cache.file_len = len;
    memcpy(e->cache.identity, identity, sizeof e->cache.identity);
}
const ts_cache *ts_engine_get_cache(const ts_engine *e) {
    return e->cache.folder < 0 ? NULL : &e->cache;
}
uint32_t ts_engine_features(const ts_engine *e) {
    return e->features;
}
void ts_engine_set_tier(ts_engine *e, ts_tier tier) {
    if (e) e->tier = tier == TS_TIER_DEFAULT ? TS_TIER_COMPILED : tier;
}
bool ts_tier_named(const char *name, ts_tier *out) {
    static const char *const names[] = {
        [TS_TIER_INTERPRETED] = "interpreter",
        [TS_TIER_COMPILED] = "compiled",
        [TS_TIER_COMPILED_AT_ONCE] = "compiled-at-once",
        [TS_TIER_COMPILED_MIXED] = "compiled-mixed",
    };
    for (unsigned i = TS_TIER_INTERPRETED; name && out && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (ts_tier)i;
            return true;
        }
    return false;
}
ts_tier ts_engine_tier(const ts_engine *e) {
    return TS_HAS_MACHINE_CODE ? e->tier : TS_TIER_INTERPRETED;
}
void ts_engine_set_max_code(ts_engine *e, uint64_t bytes) {
    if (e) e->max_code = bytes > SIZE_MAX ? SIZE_MAX : (size_t)bytes;
}
bool ts_engine_take_code(ts_engine *e, size_t len) {
    size_t had = __atomic_fetch_add(&e->code, len, __ATOMIC_RELAXED);
    if (had <= e->max_code && len <= e->max_code - had) return true;
    ts_engine_give_code(e, len);
    return false;
}
void ts_engine_give_code(ts_engine *e, size_t len) {
    __atomic_fetch_sub(&e->code, len, __ATOMIC_RELAXED);
}

void ts_engine_watch(ts_engine *e, ts_code_watch *w) {
    w->next = e->watches;
    e->watches = w;
}
ts_code_watch *ts_engine_find_watch(const ts_engine *e, void (*free)(ts_code_watch *w)) {
    ts_code_watch *w = e->watches;
    while (w && w->free != free) w = w->next;
    return w;
}
void ts_engine_set_sampler(ts_engine *e, struct ts_sampler *s) {
    e->sampler = s;
}
struct ts_sampler *ts_engine_sampler(const ts_engine *e) {
    return e->sampler;
}
ts_engine_part *ts_engine_get_part(const ts_engine *e) {
    return __atomic_load_n(&e->part, __ATOMIC_ACQUIRE);
}
bool ts_engine_set_part(ts_engine *e, ts_engine_part *p) {
    ts_engine_part *none = NULL;
    return __atomic_compare_exchange_n(&e->part, &none, p, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
void ts_engine_code_made(const ts_engine *e, struct ts_fcode *c) {
    for (ts_code_watch *w = e->watches; w; w = w->next)
        if (w->made) w->made(w, c);
}
void ts_engine_code_shared(const ts_engine *e, const uint8_t *code, uint32_t len, const char *name) {
    for (ts_code_watch *w = e->watches; w; w = w->next)
        if (w->shared) w->shared(w, code, len, name);
}
void ts_engine_code_ends(const ts_engine *e, ts_module *m) {
    for (ts_code_watch *w = e->watches; w; w = w->next)
        if (w->ends) w->ends(w, m);
}
