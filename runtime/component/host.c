/* host: what host functions use of a running call.
 * In: the call. Out: traps with their words, values in its arena. */
#include "component/host.h"
#include <stdio.h>

ts_status ts_host_trap(ts_host_call *c, const char *fmt, ...) {
    char msg[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return ts_fail_trap(c->err, TS_TRAP_HOST, "%s", msg);
}

ts_val *ts_host_vals(ts_host_call *c, size_t n) { return ts_arena_array(c->arena, n, sizeof(ts_val)); }
