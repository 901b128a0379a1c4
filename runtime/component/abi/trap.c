/* trap: see trap.h. */
#include "component/abi/trap.h"
#include <stdarg.h>
#include <stdio.h>

ts_status ts_cabi_trap(ts_error *e, const char *fmt, ...) {
    char buf[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    return ts_fail_trap(e, TS_TRAP_CABI, "%s", buf);
}
