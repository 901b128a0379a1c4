/* cli: wasi:cli: environment, exit, stdin, stdout, stderr, terminals.
 * In: the grants of the context. Out: strings, streams, the end of the run. wit: wasi:cli */
#include "wasi/context.h"
#include "sys/descriptors.h"
#include <string.h>

/* --- environment --- */
static ts_val string(const char *s) {
    return (ts_val){.str = {s, strlen(s)}};
}

ts_status ts_wasi_cli_environment_get_environment(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    const ts_wasi_grants *g = ts_wasi_of(c)->grants;
    uint32_t n = g->env.len;
    ts_val *v = ts_host_vals(c, (size_t)n * 3);
    if (n && !v) return ts_fail_nomem(c->err);
    for (uint32_t i = 0; i < n; i++) {
        ts_val *pair = v + n + 2 * i;
        pair[0] = string(g->env.data[i].name);
        pair[1] = string(g->env.data[i].value);
        v[i] = (ts_val){.list = {pair, 2}};
    }
    *result = (ts_val){.list = {v, n}};
    return TS_OK;
}
ts_status ts_wasi_cli_environment_get_arguments(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    const ts_wasi_grants *g = ts_wasi_of(c)->grants;
    ts_val *v = ts_host_vals(c, g->args.len);
    if (g->args.len && !v) return ts_fail_nomem(c->err);
    for (uint32_t i = 0; i < g->args.len; i++) v[i] = string(g->args.data[i]);
    *result = (ts_val){.list = {v, g->args.len}};
    return TS_OK;
}
ts_status ts_wasi_cli_environment_initial_cwd(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    const ts_wasi_grants *g = ts_wasi_of(c)->grants;
    *result = (ts_val){.variant = {.disc = 0}};
    if (!g->cwd) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = string(g->cwd);
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}

/* --- exit --- */
ts_status ts_wasi_leave(ts_host_call *c, int status) {
    ts_status s = ts_fail(c->err, TS_EXIT, "exit with status %d", status);
    if (c->err && c->err->status == TS_EXIT) c->err->exit_status = status;
    return s;
}
ts_status ts_wasi_cli_exit_exit(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)result;
    return ts_wasi_leave(c, args[0].variant.disc ? 1 : 0);
}
ts_status ts_wasi_cli_exit_exit_with_code(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)result;
    return ts_wasi_leave(c, args[0].u8);
}

/* --- stdio --- */
bool ts_wasi_is_terminal(ts_wasi *w, int which) {
    ts_wasi_stdio_file *s = &w->stdio[which];
    int fd = w->grants->stdio[which];
    if (s->terminal == TS_WASI_TTY_UNKNOWN)
        s->terminal = fd >= 0 && ts_sys_is_terminal(fd) ? TS_WASI_TTY_YES : TS_WASI_TTY_NO;
    return s->terminal == TS_WASI_TTY_YES;
}
ts_status ts_wasi_open_stdio(ts_host_call *c, int which, const ts_wasi_stdio_file **out) {
    ts_wasi_stdio_file *s = &ts_wasi_of(c)->stdio[which];
    int fd = ts_wasi_of(c)->grants->stdio[which];
    ts_sys_stat st = {.type = TS_SYS_UNKNOWN};
    *out = s;
    if (s->file) return TS_OK;
    if (ts_sys_std_was_closed(fd)) fd = -1;                     /* /dev/null only reserves the number */
    if (fd >= 0 && ts_sys_fstat(fd, &st) != TS_SYS_OK) fd = -1; /* not open: the stream is closed */
    /* Files and devices such as /dev/null never wait; a terminal may. */
    bool waits =
        st.type != TS_SYS_FILE && !(st.type == TS_SYS_CHAR && !ts_wasi_is_terminal(ts_wasi_of(c), which) && which != 0);
    s->mode = waits ? TS_WASI_WAIT : TS_WASI_SEQ;
    return ts_wasi_file_new(c, fd, false, st.type, &s->file);
}
static ts_status stdio(ts_host_call *c, int which, ts_val *result) {
    const ts_wasi_stdio_file *file;
    ts_wasi_stream *s;
    TS_TRY(ts_wasi_open_stdio(c, which, &file));
    TS_TRY(ts_wasi_stream_new(c, which == 0 ? TS_WASI_IN : TS_WASI_OUT, file->file, file->mode, TS_WASI_OF_STDIO, 0,
                              NULL, &s));
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(s)}};
    return TS_OK;
}
ts_status ts_wasi_cli_stdin_get_stdin(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return stdio(c, 0, result);
}
ts_status ts_wasi_cli_stdout_get_stdout(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return stdio(c, 1, result);
}
ts_status ts_wasi_cli_stderr_get_stderr(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return stdio(c, 2, result);
}

/* --- terminals --- */
static ts_status terminal(ts_host_call *c, int which, ts_val *result) {
    *result = (ts_val){.variant = {.disc = 0}};
    if (!ts_wasi_is_terminal(ts_wasi_of(c), which)) return TS_OK;
    ts_wasi_obj *o;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_TERMINAL, sizeof *o, NULL, &o));
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(o)}};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}
ts_status ts_wasi_cli_terminal_stdin_get_terminal_stdin(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return terminal(c, 0, result);
}
ts_status ts_wasi_cli_terminal_stdout_get_terminal_stdout(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return terminal(c, 1, result);
}
ts_status ts_wasi_cli_terminal_stderr_get_terminal_stderr(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    return terminal(c, 2, result);
}
ts_status ts_wasi_cli_terminal_input_terminal_input_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a terminal-input");
}
ts_status ts_wasi_cli_terminal_output_terminal_output_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a terminal-output");
}
