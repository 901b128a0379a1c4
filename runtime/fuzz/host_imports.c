/* host_imports: see host_imports.h */
#include "host_imports.h"
#include "look.h"
#include "component/binary/component.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 1 << 16, RESOURCES_MOST = 64 };

typedef struct import {
    fz_draw *d;
    const ts_cfunc_type *type;
} import;

static ts_status call(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    import *x = data;
    static const ts_val handle = {.handle = {.rep = 7}};
    for (uint32_t i = 0; i < x->type->n_params; i++) fz_look(x->type->params[i].type, &args[i], NULL, NULL);
    if (!x->type->result) return TS_OK;
    const ts_val *owned = x->d->owned;
    x->d->owned = &handle; /* the host's own: the linker knows the resource type */
    x->d->budget = 500;
    bool made = fz_value(x->d, x->type->result, result);
    x->d->owned = owned;
    return made ? TS_OK : ts_callback_trap(c, "there is no such value");
}

/* The type as text, in which own<#3> has become own<NAME>. Returns false if a resource has no name here. */
static bool type_text(const ts_cfunc_type *t, const char *const *names, char *out) {
    char *text = malloc(TEXT_MOST);
    if (!text) abort();
    ts_cfunc_type_print(t, NULL, text, TEXT_MOST);
    size_t n = 0;
    bool good = strlen(text) + 1 < TEXT_MOST;
    for (const char *p = text; *p && good; p++) {
        char *end;
        if (*p != '#') {
            out[n++] = *p;
            good = n + 1 < TEXT_MOST;
            continue;
        }
        unsigned long slot = strtoul(p + 1, &end, 10);
        good = slot < RESOURCES_MOST && names[slot] && n + strlen(names[slot]) + 1 < TEXT_MOST;
        if (!good) break;
        memcpy(out + n, names[slot], strlen(names[slot]));
        n += strlen(names[slot]);
        p = end - 1;
    }
    out[n] = 0;
    free(text);
    return good;
}

static void provide(ts_linker *l, const char *interface, const ts_named_extern *x, uint32_t n, fz_draw *d) {
    const char *names[RESOURCES_MOST] = {0};
    char *text = malloc(TEXT_MOST);
    ts_error e;
    if (!text) abort();
    for (uint32_t i = 0; i < n; i++) {
        const ts_extern_type *t = x[i].type;
        if (t->sort != TS_SORT_TYPE || !t->is_resource || t->resource >= RESOURCES_MOST) continue;
        ts_error_init(&e);
        if (ts_linker_define_resource(l, interface, x[i].name, NULL, NULL, &e) == TS_OK) names[t->resource] = x[i].name;
    }
    for (uint32_t i = 0; i < n; i++) {
        const ts_extern_type *t = x[i].type;
        if (t->sort != TS_SORT_FUNC || !t->func || !type_text(t->func, names, text)) continue;
        import *data = fz_room(d, sizeof *data);
        *data = (import){d, t->func};
        ts_error_init(&e);
        if (ts_linker_define_func(l, interface, x[i].name, text, call, data, &e) != TS_OK && !e.message[0]) abort();
    }
    free(text);
}

void fz_provide(ts_linker *l, const ts_component *c, fz_draw *d) {
    for (uint32_t i = 0; i < c->n_imports && i < 200; i++) {
        const ts_extern_type *t = c->imports[i].type;
        if (t->sort == TS_SORT_INSTANCE && t->instance && t->instance->n < 500)
            provide(l, c->imports[i].name, t->instance->exports, t->instance->n, d);
    }
    provide(l, "", c->imports, c->n_imports < 200 ? c->n_imports : 200, d);
}
