/* inspect_code: see inspect_code.h. */
#include "cli/inspect_code.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct search {
    const char *function;
    const char *module; /* before the "!"; NULL: any */
    size_t module_len;
    uint32_t n_modules, n_found, n_imported;
    ts_error *e;
} search;

static bool number(const char *text, size_t len, uint32_t *out) {
    char *end;
    errno = 0;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return len && text[0] >= '0' && text[0] <= '9' && end == text + len && !errno && v < UINT32_MAX;
}
static bool right_module(const search *s, const ts_module *m, uint32_t index) {
    char name[200];
    uint32_t n;
    if (!s->module || (number(s->module, s->module_len, &n) && n == index)) return true;
    return ts_module_name(m, name, sizeof name) && strlen(name) == s->module_len &&
           memcmp(name, s->module, s->module_len) == 0;
}
static bool has_name(const ts_module *m, uint32_t func, const char *wanted) {
    char name[512];
    if (ts_module_func_name(m, func, name, sizeof name) && strcmp(name, wanted) == 0) return true;
    for (uint32_t i = 0; i < m->n_exports; i++)
        if (m->exports[i].kind == TS_EXTERN_FUNC && m->exports[i].index == func &&
            strcmp(m->exports[i].name, wanted) == 0)
            return true;
    return false;
}
static ts_status look(search *s, ts_module *m) {
    uint32_t index = s->n_modules++, n, first = 0, end = m->n_funcs;
    if (!right_module(s, m, index)) return TS_OK;
    bool by_number = number(s->function, strlen(s->function), &n);
    if (by_number) {
        first = n < end ? n : end;
        end = first < end ? first + 1 : end;
    }
    for (uint32_t f = first; f < end; f++) {
        if (!by_number && !has_name(m, f, s->function)) continue;
        if (f < m->n_imp_funcs) {
            s->n_imported++;
            continue;
        }
        printf(s->n_found++ ? "\ncore module %u\n" : "core module %u\n", index);
        TS_TRY(ts_code_listing(m, f, stdout, s->e));
    }
    return TS_OK;
}
static ts_status look_into(search *s, const ts_component *c) {
    for (uint32_t i = 0; i < c->n_defs; i++) {
        if (c->defs[i].kind == TS_DEF_CORE_MODULE) TS_TRY(look(s, c->defs[i].module));
        if (c->defs[i].kind == TS_DEF_COMPONENT) TS_TRY(look_into(s, c->defs[i].component));
    }
    return TS_OK;
}
ts_status ts_cli_inspect_code(const char *wanted, ts_module *m, const ts_component *c, ts_error *e) {
    search s = {.function = wanted, .e = e};
    TS_TRY(m ? look(&s, m) : look_into(&s, c));
    const char *mark = s.n_found || s.n_imported ? NULL : strchr(wanted, '!');
    if (mark && mark > wanted) { /* a name may contain "!" itself, so that the whole comes first */
        s = (search){.function = mark + 1, .module = wanted, .module_len = (size_t)(mark - wanted), .e = e};
        TS_TRY(m ? look(&s, m) : look_into(&s, c));
    }
    if (s.n_found) return TS_OK;
    if (s.n_imported)
        return ts_fail(e, TS_USAGE, "--code %.80s: the function is imported: it has no code here", wanted);
    return ts_fail(e, TS_USAGE, "--code %.80s: no function of the %u core module%s has this index or name", wanted,
                   s.n_modules, s.n_modules == 1 ? "" : "s");
}
