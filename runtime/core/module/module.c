/* module: the life of a decoded and validated module, and looking things up in it.
 * In: bytes. Out: a shared constant module. spec: embedding#modules */
#include "core/module/module.h"
#include "core/load/cache.h"
#include "core/code/compile.h"
#include "core/debug/dwarf.h"
#include "core/run/image.h"
#include "core/run/store.h"
#include <stdlib.h>
#include <string.h>

const char *ts_extern_kind_name(ts_extern_kind k) {
    switch (k) {
    case TS_EXTERN_FUNC: return "function";
    case TS_EXTERN_TABLE: return "table";
    case TS_EXTERN_MEM: return "memory";
    case TS_EXTERN_GLOBAL: return "global";
    case TS_EXTERN_TAG: return "tag";
    }
    return "?";
}

ts_status ts_module_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, TS_OWN ts_module **out,
                        ts_error *e) {
    ts_status s;
    *out = NULL;
    ts_module *m = calloc(1, sizeof *m);
    if (!m) return ts_fail_nomem(e);
    m->engine = engine;
    m->refs = 1;
    m->features = ts_engine_features(engine);
    ts_arena_init(&m->arena);
    m->bytes = bytes;
    m->len = len;
    if (copy && len > 0) {
        m->owned_bytes = malloc(len);
        if (!m->owned_bytes) {
            s = ts_fail_nomem(e);
            goto fail;
        }
        memcpy(m->owned_bytes, bytes, len);
        m->bytes = m->owned_bytes;
    }
    const ts_cache *cache = len >= TS_CACHE_LEAST ? ts_engine_get_cache(engine) : NULL;
    ts_cache_entry cached = {.fd = -1};
    if (cache) ts_cache_look(cache, m, &cached);
    s = ts_module_decode(m, e);
    free(m->bodies_known);
    m->bodies_known = NULL;
    if (s == TS_OK) s = cached.known ? ts_module_validate_sections(m, e) : ts_module_validate(m, e);
    if (s != TS_OK) {
        ts_cache_drop(&cached);
        goto fail;
    }
    if (cached.named) ts_cache_done(cache, m, &cached);
    m->code = ts_code_cache_new(m);
    if (!m->code) {
        s = ts_fail_nomem(e);
        goto fail;
    }
    if (cached.named) {
        m->cached = true;
        memcpy(m->cache_key, cached.key, sizeof m->cache_key);
        if (cached.known) ts_cache_calls_read(cache, m);
    }
    *out = m;
    return TS_OK;
fail:
    ts_module_free(m);
    return s;
}

ts_module *ts_module_ref(ts_module *m) {
    __atomic_fetch_add(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

void ts_module_free(ts_module *m) {
    if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
    const ts_cache *cache = m->cached ? ts_engine_get_cache(m->engine) : NULL;
    if (cache) ts_cache_calls_write(cache, m);
    if (m->code) ts_code_cache_free(m->code);
    ts_dwarf_free(m);
    ts_image_end(m);
    ts_map_free(&m->export_map);
    ts_arena_free(&m->arena);
    free(m->owned_bytes);
    free(m);
}

const ts_export *ts_module_find_export(const ts_module *m, const char *name, size_t len) {
    uint32_t i;
    return ts_map_get(&m->export_map, name, len, &i) ? &m->exports[i] : NULL;
}
