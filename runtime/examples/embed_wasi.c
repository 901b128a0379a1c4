/* embed_wasi: a program that runs a WASI 0.2 command with touchstone.h alone. It gives the command its
 * arguments, a variable and a folder to read, catches its stdout, sees its calls, and reports how it ended.
 * Without a file it runs a component of its own and checks what that wrote: the tests run it.
 * Usage: embed_wasi [COMPONENT [ARG…]] */
#include <touchstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "embed_wasi_component.h"

static void traced(void *data, const char *line, size_t len) {
    ++*(unsigned *)data;
    printf("call: %.*s\n", (int)len, line);
}

static int fail(const ts_error *e, const char *what) {
    fprintf(stderr, "embed_wasi: %s: %s: %s\n", what, ts_status_name(e->status), e->message);
    return 1;
}

/* How the command ended: its status, or 1 when it trapped. */
static int run(ts_engine *engine, ts_component *component, ts_wasi *wasi, ts_linker *linker, ts_error *e) {
    ts_cstore *store = NULL;
    ts_cinstance *instance;
    ts_pool *pool = ts_pool_new();
    int status = 1;
    if (!pool || ts_wasi_link(wasi, linker, e) != TS_OK || ts_cstore_new(engine, NULL, &store, e) != TS_OK ||
        ts_component_instantiate(store, linker, component, &instance, e) != TS_OK) {
        (void)fail(e, "instantiating");
    } else {
        ts_cfunc *f = ts_cinstance_func(instance, "wasi:cli/run@0.2.0", "run");
        ts_val result;
        ts_status s = f ? ts_cfunc_call(store, f, NULL, &result, pool, e) : TS_UNLINKABLE;
        if (s == TS_OK)
            status = (int)result.variant.disc; /* 0: ok, 1: err */
        else if (s == TS_EXIT)
            status = e->exit_status;
        else
            (void)fail(e, f ? "running" : "it exports no wasi:cli/run");
    }
    ts_cstore_free(store); /* before the context that it uses */
    ts_pool_free(pool);
    return status;
}

static unsigned char *read_file(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = NULL;
    long n = -1;
    if (f && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)n + 1);
    *len = bytes ? fread(bytes, 1, (size_t)n, f) : 0;
    if (f) fclose(f);
    return bytes;
}

int main(int argc, char **argv) {
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine = NULL;
    ts_component *component = NULL;
    ts_wasi *wasi = NULL;
    ts_linker *linker = NULL;
    unsigned calls = 0;
    int out[2] = {-1, -1}, status = 1;
    size_t len = sizeof embed_wasi_component;
    unsigned char *file = argc > 1 ? read_file(argv[1], &len) : NULL;
    if (argc > 1 && !file) {
        fprintf(stderr, "embed_wasi: cannot read %s\n", argv[1]);
        return 1;
    }
    if (ts_engine_new(&engine, &e) != TS_OK ||
        ts_component_load(engine, file ? file : embed_wasi_component, len, &component, &e) != TS_OK ||
        ts_linker_new(&linker, &e) != TS_OK || ts_wasi_new(&wasi, &e) != TS_OK ||
        ts_wasi_set_env(wasi, "GREETING", strlen("GREETING"), "hello", &e) != TS_OK ||
        ts_wasi_allow_dir(wasi, ".", "/here", true, &e) != TS_OK) {
        (void)fail(&e, "setting up");
        goto end;
    }
    for (int i = 1; i < argc || i == 1; i++) /* the first is the program's name */
        if (ts_wasi_add_arg(wasi, i < argc ? argv[i] : "hello", &e) != TS_OK) {
            (void)fail(&e, "arguments");
            goto end;
        }
    if (argc == 1) {
        if (pipe(out) != 0) goto end;
        ts_wasi_set_stdio(wasi, 1, out[1]);
        ts_linker_set_trace(linker, &(ts_trace){.line = traced, .data = &calls, .filter = "wasi:io,wasi:cli"});
    }
    status = run(engine, component, wasi, linker, &e);
    if (argc == 1) {
        char text[100];
        close(out[1]);
        ssize_t n = read(out[0], text, sizeof text);
        close(out[0]);
        printf("it wrote: %.*s", n > 0 ? (int)n : 0, text);
        if (status != 0 || calls < 2 || n != 23 || memcmp(text, "hello from a component\n", 23) != 0) status = 1;
    }
end:
    ts_linker_free(linker);
    ts_wasi_free(wasi);
    ts_component_free(component);
    ts_engine_free(engine);
    free(file);
    return status;
}
