/* program: see program.h. spec: Explainer.md#import-and-export-definitions; wit: wasi:cli/command,
 * wasi:http/proxy */
#include "cli/program.h"
#include "cli/embed.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

/* --- the file --- */
static ts_status foreign(const char *path, const ts_sys_input *f, ts_error *e) {
    if (f->len < 4 || memcmp(f->bytes, "\0asm", 4) == 0) return TS_OK; /* the decoder reports it */
    static const char elf[] = {0x7f, 'E', 'L', 'F'};
    if (memcmp(f->bytes, elf, sizeof elf) == 0)
        return ts_fail(
            e, TS_MALFORMED,
            "magic header not detected: %s is machine code (ELF): give the WebAssembly that it was compiled from",
            path);
    size_t n = f->len < 4096 ? f->len : 4096, first = 0;
    while (n < f->len && n > 4092 && (f->bytes[n] & 0xc0) == 0x80) n--; /* do not cut a character in half */
    if (memchr(f->bytes, 0, n) || !ts_utf8_valid(f->bytes, n)) return TS_OK;
    while (first < n && strchr(" \t\r\n", f->bytes[first])) first++;
    if (first < n && (f->bytes[first] == '(' || f->bytes[first] == ';'))
        return ts_fail(e, TS_MALFORMED,
                       "magic header not detected: %s is WebAssembly's text format, and a binary is wanted: wasm-tools "
                       "parse %s -o FILE.wasm makes one",
                       path, path);
    return ts_fail(e, TS_MALFORMED, "magic header not detected: %s is a text file, not WebAssembly", path);
}
ts_status ts_cli_program_open(const char *path, bool map, ts_sys_input *out, ts_error *e) {
    if (!*path) return ts_fail(e, TS_USAGE, "the path of the file is empty");
    ts_sys_err err = (map ? ts_sys_input_open : ts_sys_input_read)(path, TS_SYS_INPUT_MOST, out);
    if (err) return ts_fail(e, TS_IO, "cannot read %s: %s", path, ts_sys_err_text(err));
    return foreign(path, out, e);
}

/* --- what it exports --- */
static bool is_base(const ts_iface_name *n, const char *base) {
    return n->base_len == strlen(base) && memcmp(n->base, base, n->base_len) == 0;
}
/* Names the command that can use an interface of this component. */
static const char *other_use(const ts_component *c, const char *interface) {
    static const char *const uses[][2] = {
        {"wasi:cli/run", " (it is a command: touchstone run)"},
        {"wasi:http/incoming-handler", " (it answers HTTP: touchstone serve)"},
        {"wasi:http/handler", " (it answers HTTP by WASI 0.3, which is not supported)"},
    };
    for (size_t k = 0; k < sizeof uses / sizeof *uses; k++)
        for (uint32_t i = 0; strcmp(uses[k][0], interface) != 0 && i < c->n_exports; i++) {
            ts_iface_name n;
            if (ts_name_parse(c->exports[i].name, c->exports[i].name_len, &n) && is_base(&n, uses[k][0]))
                return uses[k][1];
        }
    return c->n_exports ? " (touchstone inspect lists what it exports, and run --invoke calls a function of it)" : "";
}
ts_status ts_cli_program_export(const ts_component *c, const char *interface, const ts_named_extern **out,
                                ts_error *e) {
    char others[200] = "";
    bool runs = strcmp(interface, "wasi:cli/run") == 0;
    for (uint32_t i = 0; i < c->n_exports; i++) {
        const ts_named_extern *x = *out = &c->exports[i];
        ts_iface_name n;
        if (!ts_name_parse(x->name, x->name_len, &n) || !is_base(&n, interface)) continue;
        if (n.has_version && n.major == 0 && n.minor == 2 && !n.pre_len) return TS_OK;
        size_t used = strlen(others);
        snprintf(others + used, sizeof others - used, "%s%.*s", used ? ", " : "",
                 (int)(x->name_len > 90 ? 90 : x->name_len), x->name);
    }
    if (*others)
        return ts_fail(e, TS_UNSUPPORTED, "the component exports %s: only version 0.2 of it can be %s, from 0.2.0 on",
                       others, runs ? "run" : "served");
    return ts_fail(e, TS_UNLINKABLE, "the component does not export %s: there is nothing to %s%s", interface,
                   runs ? "run" : "serve", other_use(c, interface));
}
