/* load: see load.h. */
#include "core/load/load.h"
#include "core/debug/dwarf.h"
#include "core/load/cache.h"
#include "core/run/code_cache.h"
#include "core/run/image.h"
#include "core/run/tier.h"
#include "sys/stack.h"
#include <stdlib.h>
#include <string.h>

/* Writes the functions that were called, and machine code, to the cache, for the next run. */
static void remember(ts_module *m) {
    const ts_cache *cache = ts_engine_get_cache(m->engine);
    if (!cache) return;
    ts_cache_calls_write(cache, m);
    ts_cache_code_write(cache, m);
}

ts_status ts_module_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, TS_OWN ts_module **out,
                        ts_error *e) {
    ts_status s;
    *out = NULL;
    TS_TRY(ts_stack_check(e));
    ts_module *m = calloc(1, sizeof *m);
    if (!m) return ts_fail_nomem(e);
    m->engine = ts_engine_hold(engine);
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
    const ts_cache *cache = len >= TS_CACHE_MIN_BYTES ? ts_engine_get_cache(engine) : NULL;
    ts_cache_entry cached = {.fd = -1};
    if (cache) ts_cache_lookup(cache, m, &cached);
    s = ts_module_decode(m, e);
    free(m->bodies_known);
    m->bodies_known = NULL;
    if (s == TS_OK) s = cached.known ? ts_module_validate_sections(m, e) : ts_module_validate(m, e);
    if (s != TS_OK) {
        ts_cache_discard(&cached);
        goto fail;
    }
    if (cached.named) ts_cache_commit(cache, m, &cached);
    m->parts[TS_PART_LINES] = ts_dwarf_free;
    m->parts[TS_PART_IMAGE] = ts_image_free;
    if (!ts_code_cache_attach(m) || !ts_tier_attach(m)) {
        s = ts_fail_nomem(e);
        goto fail;
    }
    if (cached.named) {
        m->cached = true;
        m->parts[TS_PART_CALLS] = remember;
        memcpy(m->cache_key, cached.key, sizeof m->cache_key);
        if (cached.known) ts_cache_calls_read(cache, m);
        ts_cache_code_read(cache, m);
    }
    *out = m;
    return TS_OK;
fail:
    ts_module_free(m);
    return s;
}
