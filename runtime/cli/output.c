/* output: see output.h */
#include "cli/output.h"
#include "cli/outcome.h"
#include "sys/error.h"
#include "sys/descriptors.h"
#include <errno.h>

ts_status ts_cli_out_open(ts_cli_out *o, const char *what, const char *path, const char *mode, ts_error *e) {
    *o = (ts_cli_out){.what = what, .path = path, .f = path ? ts_sys_fopen(path, mode) : stderr};
    if (o->f) return TS_OK;
    return ts_fail(e, TS_IO, "cannot write %s to %s: %s", what, path, ts_sys_err_text(ts_sys_err_of(errno)));
}

static void failed(ts_cli_out *o) {
    int err = errno;
    if (__atomic_exchange_n(&o->failed, true, __ATOMIC_ACQ_REL)) return;
    if (o->path)
        fprintf(stderr, "touchstone: cannot write %s to %s: %s\n", o->what, o->path,
                ts_sys_err_text(ts_sys_err_of(err)));
}

void ts_cli_out_line(ts_cli_out *o, const char *line, size_t len) {
    if (!o->f || __atomic_load_n(&o->failed, __ATOMIC_ACQUIRE)) return;
    /* Make one call: lines of several threads must not mix, and unbuffered stderr should get a line in one
     * piece. */
    bool ok = fprintf(o->f, "%.*s\n", (int)len, line) >= 0 && fflush(o->f) == 0;
    if (!ok) failed(o);
}

bool ts_cli_out_close(ts_cli_out *o) {
    if (!o->f) return !o->failed;
    errno = 0;
    bool bad = ferror(o->f) != 0;
    bad |= (o->f == stderr ? fflush(o->f) : fclose(o->f)) != 0;
    o->f = NULL;
    if (bad) failed(o);
    return !o->failed;
}

/* Flushes stdout and returns NULL, or the reason why it could not be written. */
static const char *flush(void) {
    errno = 0;
    bool bad = ferror(stdout) != 0;
    bad |= fflush(stdout) != 0;
    if (!bad) return NULL;
    if (!errno) { /* a write failed earlier, and its errno is lost: one more byte fails for the same reason */
        fputc('\n', stdout);
        (void)fflush(stdout);
    }
    return errno ? ts_sys_err_text(ts_sys_err_of(errno)) : "a write failed";
}
void ts_cli_put_text(FILE *to, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = (uint8_t)text[i], next = i + 1 < len ? (uint8_t)text[i + 1] : 0;
        const bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0;
        fputc(c < 0x20 || c == 0x7f || c1 ? '?' : c, to);
        i += c1;
    }
}

ts_status ts_cli_flush(ts_error *e) {
    const char *why = flush();
    return why ? ts_fail(e, TS_IO, "cannot write to stdout: %s", why) : TS_OK;
}

int ts_cli_finish(int status) {
    bool told = ferror(stdout) && status == TS_CLI_IO; /* ts_cli_flush has reported it */
    const char *why = flush();
    if (!why || told) return status;
    fprintf(stderr, "touchstone: io-error: cannot write to stdout: %s\n", why);
    return status < TS_CLI_USAGE ? TS_CLI_IO : status;
}
