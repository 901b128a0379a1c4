/* module: see module.h */
#include "cli/module.h"
#include "cli/invoke.h"
#include "cli/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool exports(const ts_core_module *m, const char *name, ts_core_item *out) {
    for (uint32_t i = 0; ts_core_module_export(m, i, out); i++)
        if (out->name_len == strlen(name) && memcmp(out->name, name, out->name_len) == 0) return true;
    return false;
}
/* Checks the type of an entry point: "with no arguments and no return values". */
static ts_status check_entry(const ts_core_item *x, ts_error *e) {
    if (x->type.kind == TS_CORE_FUNC && !x->type.n_params && !x->type.n_results) return TS_OK;
    return ts_fail(e, TS_UNLINKABLE, "the module's %s is not a function without parameters and results", x->name);
}
ts_status ts_cli_module_check(const ts_cli_options *o, const ts_core_module *m, ts_error *e) {
    ts_core_item start, initialize;
    if (o->set.denied.len)
        return ts_fail(e, TS_USAGE, "%s is a core module: --deny names interfaces, which only components import",
                       o->component);
    const bool command = exports(m, "_start", &start), reactor = exports(m, "_initialize", &initialize);
    /* "These kinds are mutually exclusive; implementations should report an error" */
    if (command && reactor)
        return ts_fail(e, TS_UNLINKABLE,
                       "the module exports _start and _initialize: it cannot be both a command and a reactor");
    if (o->invoke) return reactor ? check_entry(&initialize, e) : TS_OK;
    if (command) return check_entry(&start, e);
    return ts_fail(e, TS_UNLINKABLE,
                   "the core module exports no _start: there is nothing to run (%s--invoke calls an export)",
                   reactor ? "it is a reactor: " : "");
}

ts_status ts_cli_module_link_check(const ts_core_module *m, bool missing_trap, ts_missing **missing,
                                   uint32_t *n_missing, ts_error *e) {
    const uint32_t n = ts_core_module_import_count(m);
    uint32_t found = 0;
    bool hard = false; /* a call can trap, another import cannot */
    *n_missing = 0;
    *missing = calloc(n + 1, sizeof **missing);
    if (!*missing) return ts_fail_nomem(e);
    ts_core_item x;
    for (uint32_t i = 0; ts_core_module_import(m, i, &x); i++) {
        ts_missing *to = &(*missing)[found];
        const char *reason = ts_p1_missing(&x, to->reason, sizeof to->reason);
        if (!reason) continue;
        if (reason != to->reason) snprintf(to->reason, sizeof to->reason, "%s", reason);
        snprintf(to->name, sizeof to->name, "%s", x.module);
        snprintf(to->function, sizeof to->function, "%s", x.name);
        hard |= x.type.kind != TS_CORE_FUNC;
        found++;
    }
    if (!found || (missing_trap && !hard)) return TS_OK;
    *n_missing = found;
    return ts_cli_link_error(*missing, found, found, e);
}

/* --- running --- */
static ts_status unimplemented(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    const ts_core_item *x = data;
    (void)args;
    (void)results;
    return ts_fail_trap(ts_core_callback_error(c), TS_TRAP_UNIMPLEMENTED,
                        "the import `%s %s` was called: it is not implemented here", x->module, x->name);
}
/* Makes a function for each import. `items` lives as long as the functions. */
static ts_status imports_of(ts_p1 *p, ts_core_store *s, const ts_core_module *m, ts_core_item *items,
                            ts_core_extern *out, ts_error *e) {
    char why[160];
    for (uint32_t i = 0; ts_core_module_import(m, i, &items[i]); i++) {
        out[i].kind = TS_CORE_FUNC;
        TS_TRY(ts_p1_missing(&items[i], why, sizeof why)
                   ? ts_core_func_new(s, &items[i].type, unimplemented, &items[i], items[i].name, &out[i].func, e)
                   : ts_p1_function(p, s, &items[i], &out[i].func, e));
    }
    return TS_OK;
}
static ts_status call_entry(ts_core_store *s, const ts_core_instance *i, const char *name, ts_error *e) {
    ts_core_extern x;
    if (!ts_core_instance_export(i, name, &x)) return TS_OK;
    return ts_core_func_call(s, x.func, NULL, 0, NULL, 0, e);
}
static ts_status start(const ts_cli_options *o, ts_core_store *s, ts_core_module *m, const ts_core_extern *imports,
                       ts_error *e) {
    ts_core_instance *i;
    TS_TRY(ts_core_module_instantiate(s, m, imports, ts_core_module_import_count(m), NULL, &i, e));
    TS_TRY(call_entry(s, i, o->invoke ? "_initialize" : "_start", e));
    if (!o->invoke) return TS_OK;
    const ts_cli_call call = {.text = o->invoke, .words = o->args, .n_words = o->n_args};
    return ts_cli_invoke_core(s, i, &call, e);
}
ts_status ts_cli_module_run(const ts_cli_options *o, ts_wasi *w, ts_linker *l, ts_cstore *s, ts_core_module *m,
                            ts_p1 **p, ts_error *e) {
    const uint32_t n = ts_core_module_import_count(m);
    ts_core_extern *imports = calloc(n + 1, sizeof *imports);
    ts_core_item *items = calloc(n + 1, sizeof *items);
    ts_status st = imports && items ? ts_p1_new(w, s, l, p, e) : ts_fail_nomem(e);
    if (st == TS_OK) st = imports_of(*p, ts_cstore_core(s), m, items, imports, e);
    if (st == TS_OK) st = start(o, ts_cstore_core(s), m, imports, e);
    free(imports);
    free(items);
    return st;
}
