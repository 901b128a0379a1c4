/* memory: see memory.h. */
#include "base/assert.h"
#include "component/abi/memory.h"
#include "component/abi/trap.h"
#include "component/abi/enter.h"

/* cabi: LiftLowerContext.reallocate */
ts_status ts_cabi_reallocate(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                             uint64_t *out) {
    ts_cinstance *inst = cx->inst;
    TS_ASSERT(inst->may_leave);
    TS_ASSERT(cx->opts->wide || new_size <= UINT32_MAX); /* cabi: REALLOC_I32_MAX */
    TS_ASSERT(align && (align & (align - 1)) == 0);
    if (!cx->opts->realloc)
        return ts_fail(cx->err, TS_INVALID, "a value needs memory and the canonical definition has no realloc");
    inst->may_leave = false;
    cx->guest_ran = true;
    const ts_task_state before = ts_task_begin(inst, NULL);
    ts_slot io[4] = {old, old_size, align, new_size}; /* none exceeds 32 bits if addresses have 32 */
    TS_TRY(ts_call_and_trap_on_throw(cx->store, cx->opts->realloc, io, cx->err));
    ts_task_end(inst, before);
    inst->may_leave = true;
    *out = ts_ptr_of(cx->opts, io[0]);
    return TS_OK;
}

/* The same with the two checks that always follow: alignment first, then bounds. */
ts_status ts_cabi_realloc_checked(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                                  uint32_t want_align, uint64_t *out) {
    TS_TRY(ts_cabi_reallocate(cx, old, old_size, align, new_size, out));
    TS_TRAP_IF(cx->err, *out % want_align, "realloc return: result not aligned (unaligned pointer %#llx, alignment %u)",
               (unsigned long long)*out, want_align);
    TS_TRAP_IF(cx->err, !ts_mem_in(cx->opts->memory, *out, new_size),
               "realloc return: beyond end of memory (%llu bytes at %#llx)", (unsigned long long)new_size,
               (unsigned long long)*out);
    return TS_OK;
}
