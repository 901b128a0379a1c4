/* error: wasi:io/error.
 * In: an error that a stream returned. Out: a text for people. wit: wasi:io/error */
#include "wasi/context.h"
#include <string.h>

ts_status ts_wasi_io_error_error_to_debug_string(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_wasi_error *e = ts_wasi_obj_of(c, &args[0]);
    char buf[200];
    const char *text = e->text ? e->text(e, buf, sizeof buf) : ts_sys_err_text(e->code);
    if (text == buf && !(text = ts_arena_strndup(c->arena, buf, strlen(buf)))) return ts_fail_nomem(c->err);
    *result = (ts_val){.str = {text, strlen(text)}};
    return TS_OK;
}
ts_status ts_wasi_io_error_error_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an error");
}
