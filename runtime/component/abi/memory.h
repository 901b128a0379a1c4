/* memory: the bytes of a guest's memory: bounds, alignment, and `realloc`.
 * cabi: ptr_size, align_to, LiftLowerContext.reallocate */
#ifndef TS_COMPONENT_ABI_MEMORY_H
#define TS_COMPONENT_ABI_MEMORY_H
#include "component/abi/context.h"

/* Every access to guest memory is checked by this function. The arithmetic is 64-bit. */
static inline bool ts_mem_in(const ts_memory *m, uint64_t ptr, uint64_t len) {
    return ptr <= m->len && len <= m->len - ptr;
}
static inline uint64_t ts_align_to(uint64_t p, uint64_t align) {
    return (p + align - 1) / align * align;
}

/* A pointer or length in a slot or in memory. cabi: ptr_size */
static inline uint64_t ts_ptr_of(const ts_cabi_opts *o, ts_slot v) {
    return o->wide ? v : (uint32_t)v;
}
static inline uint32_t ts_ptr_size(const ts_cabi_opts *o) {
    return o->wide ? 8 : 4;
}

/* Calls the guest's realloc. The second function also traps if the pointer that it returns is
 * misaligned or out of bounds. *out is a guest address. Sizes are in bytes. */
ts_status ts_cabi_reallocate(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                             uint64_t *out) TS_MUST_USE;
ts_status ts_cabi_realloc_checked(ts_cabi_cx *cx, uint64_t old, uint64_t old_size, uint32_t align, uint64_t new_size,
                                  uint32_t want_align, uint64_t *out) TS_MUST_USE;
#endif
