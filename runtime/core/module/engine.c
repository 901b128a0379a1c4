/* engine: see engine.h. */
#include "core/module/engine.h"
#include "sys/file.h"
#include "sys/folder.h"
#include <stdlib.h>
#include <string.h>

struct ts_engine {
    uint32_t refs; /* atomic */
    ts_type_registry *types;
    uint32_t features;
    ts_cache cache;
};

ts_status ts_engine_create(ts_engine **out, ts_error *e) {
    ts_engine *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g) return ts_fail_nomem(e);
    g->refs = 1;
    g->features = TS_F_WASM3;
    g->cache.folder = -1;
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
