/* adapter: how a function of the host that only calls a function of a module is called without C.
 * In: a call of the function of the host. Out: a call of the other one, in the same run of the interpreter. */
#ifndef TS_CORE_ADAPTER_H
#define TS_CORE_ADAPTER_H
#include "core/run/objects.h"

/* Everything belongs to whoever made it, and lives as long as the store. If a flag is false where it must be true, or
 * if the call would be too deep, the function of the host is called instead, and says so. */
enum { TS_ADAPTER_STATE = 3 };
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

#endif
