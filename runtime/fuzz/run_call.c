/* run_call: instances of components and calls of their exports, for a driver that compares them with another
 * engine.
 * In: perhaps an argument, as of touchstone --engine; on stdin a line each: `component PATH` loads one and validates
 * it; `instance` makes a fresh instance of it; `call IFACE#NAME(ARGS)` calls an export of that, in WAVE notation. Out: a
 * line each on stdout: `ok RESULT`, or status, kind of trap and message. */
#include "component/abi/instance.h"
#include "component/run/linker.h"
#include <touchstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct state {
    ts_engine *engine;
    ts_linker *linker;
    ts_component *component;
    ts_cstore *store;
    ts_cinstance *instance;
    uint8_t *bytes;
} state;

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    size_t cap = 1 << 24;
    uint8_t *bytes = malloc(cap), *fit = NULL;
    if (bytes) *size = fread(bytes, 1, cap, f);
    fclose(f);
    if (bytes) fit = realloc(bytes, *size ? *size : 1); /* no slack, which would hide a read beyond the end */
    return fit;
}

static void forget_instance(state *s) {
    ts_cstore_free(s->store);
    s->store = NULL;
    s->instance = NULL;
}
static ts_status load(state *s, const char *path, ts_error *e) {
    forget_instance(s);
    ts_component_free(s->component);
    s->component = NULL;
    free(s->bytes);
    size_t size = 0;
    s->bytes = read_file(path, &size);
    if (!s->bytes) {
        fprintf(stderr, "run_call: %s cannot be read\n", path);
        exit(1);
    }
    return ts_component_load(s->engine, s->bytes, size, &s->component, e);
}
static ts_status instantiate(state *s, ts_error *e) {
    forget_instance(s);
    ts_status st = ts_cstore_new(s->engine, NULL, &s->store, e);
    return st != TS_OK ? st : ts_component_instantiate(s->store, s->linker, s->component, &s->instance, e);
}

int main(int argc, char **argv) {
    state s = {0};
    ts_tier tier = TS_TIER_DEFAULT;
    ts_error e;
    ts_error_init(&e);
    char *line = NULL;
    size_t cap = 0;
    if (ts_engine_new(&s.engine, &e) != TS_OK || ts_linker_new(&s.linker, &e) != TS_OK) return 1;
    if (argc > 1 && !ts_tier_named(argv[1], &tier)) {
        fprintf(stderr, "run_call: there is no engine named %s\n", argv[1]);
        return 1;
    }
    ts_engine_set_tier(s.engine, tier);
    while (getline(&line, &cap, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        ts_error_init(&e);
        ts_pool *pool = ts_pool_new();
        const char *result = NULL;
        ts_status st = TS_USAGE;
        if (!pool) return 1;
        if (strncmp(line, "component ", 10) == 0) st = load(&s, line + 10, &e);
        if (strcmp(line, "instance") == 0 && s.component) st = instantiate(&s, &e);
        if (strncmp(line, "call ", 5) == 0 && s.instance)
            st = ts_cinstance_call_text(s.store, s.instance, line + 5, pool, &result, &e);
        if (st == TS_OK) printf("ok %s\n", result ? result : "");
        for (char *c = e.message; *c; c++) {
            if ((unsigned char)*c < ' ') *c = ' ';
        }
        if (st != TS_OK)
            printf("%s %s %s\n", ts_status_name(st), st == TS_TRAP ? ts_trap_kind_name(e.trap) : "-", e.message);
        fflush(stdout);
        ts_pool_free(pool);
    }
    free(line);
    forget_instance(&s);
    ts_component_free(s.component);
    ts_linker_free(s.linker);
    ts_engine_free(s.engine);
    free(s.bytes);
    return 0;
}
