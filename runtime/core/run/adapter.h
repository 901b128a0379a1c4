/* adapter: how a function of the host that only calls a function of a module is called without C.
 * In: a call of the function of the host. Out: a call of the other one, in the same run of the interpreter. */
#ifndef TS_CORE_ADAPTER_H
#define TS_CORE_ADAPTER_H
#include "core/run/exec.h"
#include <string.h>

/* Everything belongs to whoever made it, and lives as long as the store. If a flag is false where it must be true, or
 * if the call would be too deep, the function of the host is called instead, and says so. */
struct ts_adapter {
    ts_func *callee;      /* with the same parameters and results */
    const bool *open;     /* must be true */
    bool *const *entered; /* must be true, and are false during the call; they stay false if it fails */
    uint32_t n_entered;
    void *state; /* TS_ADAPTER_STATE words of 8 bytes, which are 0 during the call and get their values back */
    /* Change the slots; NULL: they stay as they are. A failure is one of the call. */
    ts_status (*arguments)(const void *data, ts_slot *io, ts_error *e);
    ts_status (*result)(const void *data, ts_slot *io, ts_error *e);
    const void *data;
};

static inline bool ts_adapter_applies(const ts_adapter *a, const ts_exec *x) {
    bool applies = *a->open && x->depth < x->max_depth;
    for (uint32_t i = 0; i < a->n_entered; i++) applies = applies && *a->entered[i];
    return applies;
}
static inline void ts_adapter_enter(const ts_adapter *a, ts_exec *x) {
    for (uint32_t i = 0; i < a->n_entered; i++) *a->entered[i] = false;
    if (++x->depth > x->deepest) x->deepest = x->depth;
}
/* Puts the state aside, in the slots that step out of the call. */
static inline void ts_adapter_begin(const ts_adapter *a, ts_slot *cross) {
    cross[TS_CROSS_ADAPTER] = (uintptr_t)a;
    memcpy(cross + TS_CROSS_STATE, a->state, TS_ADAPTER_STATE * sizeof *cross);
    memset(a->state, 0, TS_ADAPTER_STATE * sizeof *cross);
}
static inline void ts_adapter_end(const ts_adapter *a, ts_exec *x, const ts_slot *cross) {
    memcpy(a->state, cross + TS_CROSS_STATE, TS_ADAPTER_STATE * sizeof *cross);
    for (uint32_t i = 0; i < a->n_entered; i++) *a->entered[i] = true;
    x->depth--;
}
#endif
