/* io_error: wasi:io/error.
 * In: an error that a stream gave. Out: a text for people. wit: wasi:io/error */
#include "base/utf8.h"
#include "wasi/context.h"
#include <stdio.h>
#include <string.h>

ts_status ts_wasi_io_error_error_to_debug_string(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_wasi_error *e = ts_wasi_obj_of(c, &args[0]);
    const char *text = e->domain == TS_WASI_OF_HTTP ? ts_http_code_name(e->http.code) : ts_sys_err_text(e->code);
    if (e->domain == TS_WASI_OF_HTTP && e->http.has_text && ts_utf8_valid(e->http.text, strlen(e->http.text))) {
        char both[200];
        snprintf(both, sizeof both, "%s: %s", text, e->http.text);
        text = ts_arena_strndup(c->arena, both, strlen(both));
        if (!text) return ts_fail_nomem(c->err);
    }
    *result = (ts_val){.str = {text, strlen(text)}};
    return TS_OK;
}
ts_status ts_wasi_io_error_error_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "an error");
}
