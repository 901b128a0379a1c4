/* component: recognizing a component by its preamble, the table of features, and freeing of a component.
 * In: the first bytes of an input, a list of feature names, or a component. Out: the layer, or bits.
 * spec: Binary.md#component-definitions, Explainer.md#gated-features */
#include "component/binary/component.h"
#include "component/binary/validate.h"
#include "core/run/store.h"
#include <stdlib.h>
#include <string.h>

bool ts_bytes_are_component(const uint8_t *bytes, size_t len) {
    return len >= 8 && memcmp(bytes, "\0asm", 4) == 0 && !(bytes[6] == 0 && bytes[7] == 0);
}

static const ts_component_feature_row FEATURES[] = {
    {"async", "async functions, streams, futures and their built-ins (WASI 0.3)", TS_CF_ASYNC},
    {"maps", "the map type (WASI 0.3)", TS_CF_MAPS},
    {"implements", "implements and external-id of imports and exports (WASI 0.3)", TS_CF_IMPLEMENTS},
    {"values", "value imports, exports and definitions; component start functions", TS_CF_VALUES},
    {"nested-names", "nested namespaces and packages in names", TS_CF_NESTED_NAMES},
    {"more-async-builtins", "more canonical options of async built-ins", TS_CF_MORE_ASYNC_BUILTINS},
    {"async-stackful", "canon lift with async and without callback", TS_CF_ASYNC_STACKFUL},
    {"threads", "the threading built-ins", TS_CF_THREADS},
    {"fixed-length-lists", "lists of a fixed length", TS_CF_FIXED_LISTS},
    {"error-context", "the error-context type and its built-ins", TS_CF_ERROR_CONTEXT},
    {"memory64", "canonical options with memories of 64-bit addresses", TS_CF_MEMORY64},
    {"canonical-names", "canonical interface names and version suffixes", TS_CF_CANONICAL_NAMES},
};
const ts_component_feature_row *ts_component_features(uint32_t *n) {
    *n = sizeof FEATURES / sizeof *FEATURES;
    return FEATURES;
}
ts_status ts_component_features_parse(const char *list, uint32_t *out, ts_error *e) {
    *out = TS_CF_DEFAULT;
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        uint32_t bits = n == 3 && memcmp(at, "all", 3) == 0 ? TS_CF_EVERY : 0;
        for (size_t i = 0; i < sizeof FEATURES / sizeof *FEATURES; i++)
            if (strlen(FEATURES[i].name) == n && memcmp(FEATURES[i].name, at, n) == 0) bits = FEATURES[i].bit;
        if (!bits)
            return ts_fail(e, TS_USAGE, "there is no feature %.*s of the component model here", (int)(n > 60 ? 60 : n),
                           at);
        *out |= bits;
        at += n;
        if (*at == ',') at++;
    }
    return TS_OK;
}

static void free_modules(ts_component *c) { /* nested components are in the arena of the outermost one */
    for (uint32_t i = 0; i < c->n_defs; i++) {
        if (c->defs[i].kind == TS_DEF_CORE_MODULE) ts_module_free(c->defs[i].module);
        if (c->defs[i].kind == TS_DEF_COMPONENT) free_modules(c->defs[i].component);
    }
    c->n_defs = 0;
}

void ts_component_free(ts_component *c) {
    if (!c) return;
    if (c->parent) { /* only the decoder frees a nested component, when it fails */
        free_modules(c);
        return;
    }
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
    free_modules(c);
    ts_arena_free(&c->arena);
    free(c->owned_bytes);
    ts_engine_destroy(c->engine);
    free(c);
}
