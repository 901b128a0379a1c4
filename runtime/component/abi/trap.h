/* trap: traps that the canonical ABI raises in a guest. cabi: trap_if */
#ifndef TS_COMPONENT_ABI_TRAP_H
#define TS_COMPONENT_ABI_TRAP_H
#include "base/error.h"

ts_status ts_cabi_trap(ts_error *e, const char *fmt, ...) TS_PRINTF(2, 3); /* TS_TRAP, kind canonical-abi */
#define TS_TRAP_IF(e, cond, ...)                                                                                       \
    do {                                                                                                               \
        if (TS_UNLIKELY(cond)) return ts_cabi_trap((e), __VA_ARGS__);                                                  \
    } while (0)
#endif
