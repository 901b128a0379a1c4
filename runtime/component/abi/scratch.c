/* scratch: see scratch.h. */
#include "component/abi/scratch.h"
#include <stdlib.h>

ts_status ts_scratch_enter_deep(ts_cstore *s, ts_arena **out, ts_error *e) {
    if (s->depth >= TS_CALL_DEPTH_MAX)
        return ts_fail(e, TS_EXHAUSTION, "call stack exhausted: calls between components are nested too deeply");
    if (!s->deep) {
        s->deep = calloc(TS_CALL_DEPTH_MAX - TS_SCRATCH_FIRST, sizeof *s->deep);
        if (!s->deep) return ts_fail_nomem(e);
        for (uint32_t i = 0; i < TS_CALL_DEPTH_MAX - TS_SCRATCH_FIRST; i++) s->deep[i].limit = TS_ARENA_LIMIT;
    }
    *out = &s->deep[s->depth++ - TS_SCRATCH_FIRST];
    return TS_OK;
}
void ts_scratch_reset(ts_arena *a) {
    if (a->total > TS_ARENA_KEEP) {
        size_t limit = a->limit;
        ts_arena_free(a);
        ts_arena_init(a);
        a->limit = limit;
    } else {
        ts_arena_reset(a);
    }
}

ts_status ts_scratch_full(const ts_arena *a, ts_error *e) {
    if (!a->limit || a->total < TS_ARENA_LIMIT / 4) return ts_fail_nomem(e);
    return ts_fail(e, TS_LIMIT, "the values of one call take more than %u MiB of the host's memory",
                   (unsigned)(TS_ARENA_LIMIT >> 20));
}
