/* adapter: how a function of the host that only calls a function of a module is called without C.
 * In: a call of the function of the host. Out: a call of the other one, in the same run of the interpreter.
 *
 * The interpreter's operations do it (exec_ops.h). Machine code has a faster way from the moment when there is code of
 * the adapter's shape (native/adapter.h). The engine has that code, because it is the same in all stores. */
#ifndef TS_CORE_ADAPTER_H
#define TS_CORE_ADAPTER_H
#include "core/native/adapter.h"
#include "core/run/objects.h"

/* Everything belongs to whoever made it, and lives as long as the store. If a flag is false where it must be true, or
 * if the call would be too deep, the function of the host is called instead, and says so. */
struct ts_adapter {
    ts_func *callee;      /* with the same parameters and results; or see to_memory */
    const bool *open;     /* must be true */
    bool *const *entered; /* must be true, and are false during the call; they stay false if it fails */
    uint32_t n_entered;
    uint32_t left; /* calls until it gets machine code; 0: it has some, or gets none */
    void *state;   /* TS_ADAPTER_STATE words of 8 bytes, which are 0 during the call and get their values back */
    /* Change the slots; NULL: they stay as they are. A failure is one of the call. */
    ts_status (*arguments)(const void *data, ts_slot *io, ts_error *e);
    ts_status (*result)(const void *data, ts_slot *io, ts_slot last, ts_error *e);
    const void *data;
    const ts_flat_step *steps; /* what they do, for each parameter, and for the result if there is one */
    /* The function of the host has one parameter more, behind the callee's, and no result: `result` puts the callee's where
     * that argument says, which it gets as `last`. */
    bool to_memory;
    const void *call; /* where machine code goes to call the function of the host */
    /* for machine code, which thus needs fewer loads: */
    bool *flags[TS_ADAPTER_ENTERED]; /* the first ones of `entered` */
    ts_instance *inst;               /* of the callee */
    ts_fcode *code;
};

/* Gives it machine code (tier.h), whose calls return to one of TS_ADAPTER_SHAPES words. Returns the first of them, which is the
 * same for all adapters of the engine; or NULL if it gets none. */
enum { TS_ADAPTER_SHAPES = 256 };
const ts_word *ts_adapter_up(ts_adapter *a, const ts_native_layout *layout, ts_engine *e);

#endif
