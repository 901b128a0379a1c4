/* enter: see enter.h. spec: CanonicalABI.md#component-instances */
#include "component/abi/enter.h"
#include "component/abi/trap.h"

/* cabi: ComponentInstance.self_and_ancestors, entering_set */
static bool is_self_or_ancestor(const ts_cinstance *a, const ts_cinstance *of) {
    for (; of; of = of->parent) {
        if (a == of) return true;
    }
    return false;
}
uint32_t ts_entering_set(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance **out, uint32_t max) {
    uint32_t n = 0;
    for (ts_cinstance *i = callee; i; i = i->parent) {
        if (caller && is_self_or_ancestor(i, caller)) continue;
        if (n < max) out[n] = i;
        n++;
    }
    return n;
}
/* The same for sets that may be larger than TS_ENTER_INLINE, which is what *set has room for. */
ts_status ts_entering_set_in(ts_cinstance *callee, const ts_cinstance *caller, ts_cinstance ***set, uint32_t *n,
                             ts_arena *arena, ts_error *e) {
    *n = ts_entering_set(callee, caller, *set, TS_ENTER_INLINE);
    if (*n <= TS_ENTER_INLINE) return TS_OK;
    *set = ts_arena_array(arena, *n, sizeof **set);
    if (!*set) return ts_fail_nomem(e);
    ts_entering_set(callee, caller, *set, *n);
    return TS_OK;
}
ts_status ts_cannot_enter(const ts_cinstance *i, ts_error *e) {
    if (i->abandoned)
        return ts_fail(e, TS_UNSUPPORTED,
                       "the component instance was left in the middle of something that is not implemented");
    return ts_cabi_trap(e, "cannot enter component instance");
}

ts_status ts_trap_on_throw(ts_error *e) {
    if (e && e->status == TS_EXCEPTION) {
        e->status = TS_TRAP;
        e->trap = TS_TRAP_EXCEPTION;
    }
    return TS_TRAP;
}
