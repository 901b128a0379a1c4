/* perf_map: tells Linux perf the names of functions with machine code (sys/perf_map.h).
 * In: functions, as they get machine code. Out: lines: address, size, name. Each name begins with "[touchstone]", so
 * that it cannot be mistaken for a symbol of the program or of another engine in the process. */
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/tools/tools.h"
#include "sys/file.h"
#include "sys/perf_map.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void ts_code_name(const ts_fcode *c, char *buf, size_t size) {
    char module[128], function[256];
    if (!ts_module_name(c->module, module, sizeof module)) snprintf(module, sizeof module, "wasm");
    if (!ts_module_func_name(c->module, c->func, function, sizeof function))
        snprintf(function, sizeof function, "func[%u]", c->func);
    snprintf(buf, size, "%s!%s", module, function);
    for (char *p = buf; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
}

typedef struct perf_map {
    ts_code_watch watch; /* the first member */
    int fd;
} perf_map;

/* A line that cannot be written is lost: the guest does not fail because of a tool. */
static void add(ts_code_watch *w, const uint8_t *code, uint32_t len, const char *name) {
    const perf_map *p = (const perf_map *)w;
    char line[TS_CODE_NAME + 64];
    int n = snprintf(line, sizeof line, "%" PRIxPTR " %x [touchstone] %s\n", (uintptr_t)code, len, name);
    (void)ts_sys_perf_map_write(p->fd, line, (size_t)n);
}
static void made(ts_code_watch *w, ts_fcode *c) {
    char name[TS_CODE_NAME];
    ts_code_name(c, name, sizeof name);
    add(w, c->machine->code, c->machine->len, name);
}
static void end(ts_code_watch *w) {
    ts_file_close(((perf_map *)w)->fd);
    free(w);
}

ts_status ts_engine_set_perf_map(ts_engine *engine, ts_error *e) {
    TS_NEED(e, engine);
    perf_map *p = calloc(1, sizeof *p);
    if (!p) return ts_fail_nomem(e);
    char path[TS_PERF_MAP_PATH];
    ts_sys_err err = ts_sys_perf_map_open(&p->fd, path);
    if (err) {
        free(p);
        return ts_fail(e, TS_IO, "cannot write %s: %s", path, ts_sys_err_text(err));
    }
    p->watch.made = made;
    p->watch.shared = add;
    p->watch.free = end;
    ts_engine_watch(engine, &p->watch);
    return TS_OK;
}
