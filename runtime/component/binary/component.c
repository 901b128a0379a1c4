/* component: the life of a decoded and validated component.
 * In: bytes. Out: a constant component. spec: Binary.md#component-definitions */
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

ts_status ts_component_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, uint32_t features,
                           ts_component **out, ts_error *e) {
    *out = NULL;
    ts_error mine; /* the decoder needs one without a report: it adds the place to what its callees report */
    if (!e || e->status != TS_OK) {
        ts_error_init(&mine);
        e = &mine;
    }
    TS_TRY(ts_stack_check(e));
    ts_component *c = calloc(1, sizeof *c);
    if (!c) return ts_fail_nomem(e);
    ts_arena_init(&c->arena);
    c->refs = 1;
    c->engine = ts_engine_hold(engine);
    ts_status st = TS_OK;
    if (copy && len) {
        c->owned_bytes = malloc(len);
        if (!c->owned_bytes) {
            st = ts_fail_nomem(e);
            goto out;
        }
        memcpy(c->owned_bytes, bytes, len);
        bytes = c->owned_bytes;
    }
    static const uint8_t nothing[1];
    if (!bytes) bytes = nothing;
    ts_dec d = {.engine = engine,
                .types = ts_engine_types(engine),
                .arena = &c->arena,
                .err = e,
                .features = features,
                .budget = TS_COMP_BUDGET};
    ts_reader r = {.at = bytes, .end = bytes + len, .base = bytes, .err = e};
    st = ts_component_decode(&d, &r, NULL, c);
out:
    if (st != TS_OK)
        ts_component_free(c);
    else
        *out = c;
    return st;
}

static void free_modules(ts_component *c) { /* nested components lie in the outermost one's arena */
    for (uint32_t i = 0; i < c->n_defs; i++) {
        if (c->defs[i].kind == TS_DEF_CORE_MODULE) ts_module_free(c->defs[i].module);
        if (c->defs[i].kind == TS_DEF_COMPONENT) free_modules(c->defs[i].component);
    }
    c->n_defs = 0;
}

void ts_component_free(ts_component *c) {
    if (!c) return;
    if (c->parent) { /* only the decoder does this, when it gives up */
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
