/* module: lookups in a decoded and validated module, and its end.
 * In: bytes. Out: a shared constant module. spec: embedding#modules */
#include "core/module/module.h"
#include "core/module/engine.h"
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

ts_module *ts_module_ref(ts_module *m) {
    __atomic_fetch_add(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

void ts_module_free(ts_module *m) {
    if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
    for (unsigned i = 0; i < TS_PART_COUNT; i++)
        if (m->parts[i]) m->parts[i](m);
    ts_map_free(&m->export_map);
    ts_arena_free(&m->arena);
    free(m->owned_bytes);
    ts_engine_destroy(m->engine);
    free(m);
}

const ts_export *ts_module_find_export(const ts_module *m, const char *name, size_t len) {
    uint32_t i;
    return ts_map_get(&m->export_map, name, len, &i) ? &m->exports[i] : NULL;
}
