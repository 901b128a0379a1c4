/* tier: gives hot functions machine code.
 * In: a function whose count has run down. Out: its machine code, which the words of its IR refer to.
 *
 * Machine code takes the place of the interpreter's operations in the words where it can be entered. A frame that
 * runs the function already enters it at the next such word. */
#ifndef TS_CORE_TIER_H
#define TS_CORE_TIER_H
#include "base/vec.h"
#include "core/code/ir.h"
#include "core/native/native.h"
#include "core/run/adapter.h"
#include "core/run/kept.h"

/* Gives the module what it needs to change tiers; it is freed with the module. Returns false if there is no memory. */
bool ts_tier_attach(ts_module *m) TS_MUST_USE;
/* Make machine code for the function in whose code pc is, unless that has been tried: on a thread of its own where
 * there are several processors. Returns whether pc is now an entry. Any thread may call it. */
bool ts_tier_up(ts_module *m, unsigned form, const ts_word *pc);
/* Make the machine code of a compiled function, without installing it. It is the same each time, so that tools can
 * have its map again. Returns false if there is no memory, or if this build makes none. */
bool ts_tier_make(const ts_fcode *c, ts_native *out) TS_MUST_USE;
/* The same without the map, in memory for one function after another, of the caller's thread alone. It begins all zero. */
typedef struct ts_tier_scratch {
    ts_native_scratch *native;
    TS_VEC(ts_word) ir;
} ts_tier_scratch;
bool ts_tier_make_in(const ts_fcode *c, ts_tier_scratch *s, ts_native *out) TS_MUST_USE;
void ts_tier_scratch_free(ts_tier_scratch *s); /* what it contains */
bool ts_tier_can_keep(const ts_module *m);     /* it is not interpreted only */
/* Keep the machine code that is made from now on, beside what was read of an earlier process, which is taken over. The
 * latter is given to functions when they are first called. Must be called before any code is made, and for a module that
 * can keep some. */
void ts_tier_keep(ts_module *m, const ts_kept *read);
/* Stop making code, and return what is kept, which belongs to the module. NULL: nothing is kept. */
const ts_kept *ts_tier_kept(ts_module *m);
/* Sets `call` and `left` of an adapter of this store, once its other fields are set. */
void ts_tier_prepare_adapter(ts_store *s, ts_adapter *a);
/* Give the adapter machine code, if there can be any. */
void ts_tier_adapter_up(ts_exec *x, ts_adapter *a);
/* The word of the IR to which the instruction at this address belongs. NULL: it is no machine code of the module
 * that accesses a guarded memory. */
const ts_word *ts_tier_find(ts_module *m, uintptr_t address);
#endif
