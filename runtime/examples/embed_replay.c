/* embed_replay: a program that runs a WASI 0.2 command under a policy, records the run, and replays it from
 * the record. The replay has no grants, and writes the same: it checks that, and exits with 0 if all went as
 * it should; the tests run it.
 * Usage: embed_replay */
#define _GNU_SOURCE /* mkstemp */
#include <touchstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "embed_wasi_component.h"

static const char policy_text[] = "dir = {host = \".\", guest = \"/here\", read-only = true}\n"
                                  "max-memory = \"16MiB\"\n"
                                  "fuel = 1_000_000\n"
                                  "deterministic = true\n"
                                  "[env]\n"
                                  "GREETING = \"hello\"\n";

static int fail(const ts_error *e, const char *what) {
    fprintf(stderr, "embed_replay: %s: %s: %s\n", what, ts_status_name(e->status), e->message);
    return 1;
}

/* Runs the command with the limits of a policy, and returns what it wrote to stdout in `text`. */
static ts_status run(ts_engine *engine, ts_component *component, ts_wasi *wasi, const ts_wasi_policy *policy,
                     char *text, size_t size, ts_error *e) {
    ts_linker *linker = NULL;
    ts_cstore *store = NULL;
    ts_cinstance *instance = NULL;
    ts_pool *pool = ts_pool_new();
    int out[2] = {-1, -1};
    ts_status s = pool && pipe(out) == 0 ? TS_OK : TS_NOMEM;
    if (s == TS_OK) ts_wasi_set_stdio(wasi, 1, out[1]);
    if (s == TS_OK) s = ts_linker_new(&linker, e);
    if (s == TS_OK) s = ts_wasi_policy_link(policy, linker, e);
    if (s == TS_OK) s = ts_wasi_link(wasi, linker, e);
    if (s == TS_OK) s = ts_cstore_new(engine, &policy->limits, &store, e);
    if (s == TS_OK) s = ts_component_instantiate(store, linker, component, &instance, e);
    ts_cfunc *f = s == TS_OK ? ts_cinstance_func(instance, "wasi:cli/run@0.2.0", "run") : NULL;
    ts_val result;
    if (f) s = ts_cfunc_call(store, f, NULL, &result, pool, e);
    if (s == TS_OK) s = ts_wasi_record_end(wasi, e);
    if (out[1] >= 0) close(out[1]);
    ssize_t n = out[0] >= 0 ? read(out[0], text, size - 1) : 0;
    text[n > 0 ? n : 0] = 0;
    if (out[0] >= 0) close(out[0]);
    ts_cstore_free(store); /* before the context that it uses */
    ts_linker_free(linker);
    ts_pool_free(pool);
    return s;
}

int main(void) {
    ts_error e;
    ts_error_init(&e);
    ts_engine *engine = NULL;
    ts_component *component = NULL;
    ts_wasi *first = NULL, *second = NULL;
    ts_wasi_policy *policy = NULL;
    const void *bytes = embed_wasi_component;
    const size_t len = sizeof embed_wasi_component;
    const char *conditions = NULL;
    char path[] = "/tmp/embed_replay-XXXXXX", recorded[100], replayed[100];
    int status = 1, fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    if (ts_engine_new(&engine, &e) != TS_OK || ts_component_load(engine, bytes, len, &component, &e) != TS_OK ||
        ts_wasi_new(&first, &e) != TS_OK || ts_wasi_new(&second, &e) != TS_OK ||
        ts_wasi_policy_load(first, policy_text, strlen(policy_text), "example.toml", &policy, &e) != TS_OK) {
        (void)fail(&e, "setting up");
    } else if (ts_wasi_record(first, path, bytes, len, "greeting = hello", &e) != TS_OK ||
               run(engine, component, first, policy, recorded, sizeof recorded, &e) != TS_OK) {
        (void)fail(&e, "recording");
    } else if (ts_wasi_replay(second, path, bytes, len, &conditions, &e) != TS_OK ||
               run(engine, component, second, policy, replayed, sizeof replayed, &e) != TS_OK) {
        (void)fail(&e, "replaying");
    } else {
        printf("recorded (%s): %sreplayed: %s", conditions, recorded, replayed);
        status = strcmp(recorded, "hello from a component\n") == 0 && strcmp(recorded, replayed) == 0 ? 0 : 1;
    }
    unlink(path);
    ts_wasi_policy_free(policy);
    ts_wasi_free(first);
    ts_wasi_free(second);
    ts_component_free(component);
    ts_engine_free(engine);
    return status;
}
