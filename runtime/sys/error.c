/* sys/error: see error.h */
#define _GNU_SOURCE
#include "sys/error.h"
#include <errno.h>
#include <string.h>

ts_sys_err ts_sys_err_of(int err) {
    switch (err) {
    case 0: return TS_SYS_OK;
#define X(name)                                                                                                        \
    case name: return TS_SYS_##name;
        TS_SYS_ERRORS(X)
#undef X
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK: return TS_SYS_EAGAIN;
#endif
#if EOPNOTSUPP != ENOTSUP
    case EOPNOTSUPP: return TS_SYS_ENOTSUP;
#endif
    case ENOSYS: return TS_SYS_ENOTSUP;
    default: return TS_SYS_OTHER;
    }
}

const char *ts_sys_err_text(ts_sys_err e) {
    switch (e) {
    case TS_SYS_OK: return "success";
#define X(name)                                                                                                        \
    case TS_SYS_##name: return strerrordesc_np(name);
        TS_SYS_ERRORS(X)
#undef X
    case TS_SYS_NO_WRITER: return "it is a pipe that no program writes to";
    case TS_SYS_ENDLESS: return "it is a device, which has no end";
    case TS_SYS_ESCAPE: return "the path leaves its base directory";
    case TS_SYS_OTHER: break;
    }
    return "unknown error of the operating system";
}
