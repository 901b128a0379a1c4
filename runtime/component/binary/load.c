/* load: from the bytes of a component to a decoded and validated ts_component.
 * In: bytes, features and an engine. Out: a constant component, or the rule that the input breaks.
 * spec: Binary.md#component-definitions */
#include "component/binary/component.h"
#include "component/binary/validate.h"
#include "core/run/store.h"
#include <stdlib.h>
#include <string.h>

ts_status ts_component_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, uint32_t features,
                           ts_component **out, ts_error *e) {
    *out = NULL;
    /* the decoder needs an error that is not filled: it adds the place to the errors of its callees */
    ts_error mine;
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
