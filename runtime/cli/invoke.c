/* invoke: see invoke.h */
#include "cli/invoke.h"
#include "cli/embed.h"
#include "cli/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the name before the parenthesis, without surrounding blanks. */
static const char *name_of(const char *text, size_t *len) {
    text += strspn(text, " \t");
    const char *open = strchr(text, '(');
    *len = open ? (size_t)(open - text) : strlen(text);
    while (*len && (text[*len - 1] == ' ' || text[*len - 1] == '\t')) --*len;
    return text;
}
/* An older form: --invoke NAME FILE ARG…, for a function with parameters. */
static bool words_are_arguments(const ts_cli_call *c, uint32_t n_params) {
    return !strchr(c->text, '(') && c->n_words && n_params;
}
static ts_status count_words(const ts_cli_call *c, const char *name, size_t len, uint32_t n_params, ts_error *e) {
    if ((uint32_t)c->n_words == n_params) return TS_OK;
    return ts_fail(e, TS_USAGE, "--invoke %.*s: %d arguments are given after the file, the function takes %u", (int)len,
                   name, c->n_words, n_params);
}

/* --- core modules --- */
static ts_status core_arguments(const ts_store *s, const ts_deftype *t, const ts_cli_call *c, ts_slot *io,
                                ts_error *e) {
    size_t len;
    const char *name = name_of(c->text, &len), *open = strchr(name, '('), *at = open ? open + 1 : ")";
    const bool words = words_are_arguments(c, t->n_params);
    if (words) TS_TRY(count_words(c, name, len, t->n_params, e));
    for (uint32_t i = 0; i < t->n_params; i++, io += ts_vt_slots(t->params[i - 1])) {
        ts_slot value[2];
        ts_error why;
        ts_error_init(&why);
        if (words) at = c->words[i];
        at += strspn(at, " \t\n");
        if (!words && i && *at == ',') at += 1 + strspn(at + 1, " \t\n");
        if (!words && *at == ')')
            return ts_fail(e, TS_USAGE, "--invoke %s: %u arguments are given, the function takes %u", c->text, i,
                           t->n_params);
        ts_status st = ts_slot_parse(s, t->params[i], &at, value, &why);
        if (st == TS_OK && words && at[strspn(at, " \t\n")])
            st = ts_fail(&why, TS_USAGE, "something follows the value");
        if (st != TS_OK) return ts_fail(e, st, "--invoke %s: argument %u: %s", c->text, i + 1, why.message);
        memcpy(io, value, ts_vt_slots(t->params[i]) * sizeof *io);
    }
    if (words) return TS_OK;
    at += strspn(at, " \t\n");
    if (*at != ')' || at[1 + strspn(at + 1, " \t\n")])
        return ts_fail(e, TS_USAGE, "--invoke %s: %u arguments and `)` expected", c->text, t->n_params);
    return TS_OK;
}

ts_status ts_cli_invoke_core(ts_store *s, ts_instance *instance, const ts_cli_call *c, ts_error *e) {
    size_t len;
    const char *name = name_of(c->text, &len);
    ts_extern x;
    if (!ts_instance_export(instance, name, len, &x) || x.kind != TS_EXTERN_FUNC)
        return ts_fail(e, TS_USAGE, "--invoke %s: the module exports no such function", c->text);
    const ts_deftype *t = x.func->def;
    uint32_t slots = t->param_slots > t->result_slots ? t->param_slots : t->result_slots;
    ts_slot *io = calloc((size_t)slots + 1, sizeof *io);
    if (!io) return ts_fail_nomem(e);
    ts_status st = core_arguments(s, t, c, io, e);
    if (st == TS_OK) st = ts_call(s, x.func, io, e);
    const ts_slot *at = io;
    for (uint32_t i = 0; st == TS_OK && i < t->n_results; i++) {
        char text[TS_SLOT_TEXT];
        puts(ts_slot_print(s, t->results[i], at, text));
        at += ts_vt_slots(t->results[i]);
    }
    free(io);
    return st == TS_OK ? ts_cli_flush(e) : st;
}

/* --- components --- */
/* Joins "f" and its words to one call, "f(1, 2)". Each word must be exactly one value. */
static ts_status joined(const ts_cli_call *c, ts_cfunc *f, ts_pool *pool, const char **out, ts_error *e) {
    size_t len, size = 3, at = 0;
    const char *name = name_of(c->text, &len);
    const uint32_t n = ts_cfunc_param_count(f);
    TS_TRY(count_words(c, name, len, n, e));
    for (uint32_t i = 0; i < n; i++) {
        ts_val v;
        ts_error why;
        ts_error_init(&why);
        const ts_ctype *t = ts_cfunc_param_type(f, i);
        if (ts_val_parse(t, c->words[i], pool, &v, &why) != TS_OK)
            return ts_fail(e, TS_USAGE, "--invoke %.*s: argument %u: %s%s", (int)len, name, i + 1, why.message,
                           strcmp(ts_ctype_kind(t), "string") == 0 ? " (a string is written '\"text\"')" : "");
        size += strlen(c->words[i]) + 2;
    }
    char *call = ts_pool_alloc(pool, size + len);
    if (!call) return ts_fail_nomem(e);
    memcpy(call, name, len);
    at = len;
    call[at++] = '(';
    for (uint32_t i = 0; i < n; i++) {
        size_t k = strlen(c->words[i]);
        if (i) call[at++] = ',';
        memcpy(call + at, c->words[i], k);
        at += k;
        call[at++] = '\n'; /* the newline ends a comment */
    }
    call[at++] = ')';
    call[at] = 0;
    *out = call;
    return TS_OK;
}

ts_status ts_cli_invoke(ts_cstore *s, ts_cinstance *i, const ts_cli_call *c, ts_error *e) {
    ts_pool *pool = ts_pool_new();
    if (!pool) return ts_fail_nomem(e);
    const char *result = NULL, *text = c->text;
    ts_cfunc *f = NULL;
    ts_status st = TS_OK;
    if (c->n_words && !strchr(text, '(')) st = ts_cinstance_find_text(i, text, pool, &f, e);
    if (st == TS_OK && f && words_are_arguments(c, ts_cfunc_param_count(f))) st = joined(c, f, pool, &text, e);
    if (st == TS_OK) st = ts_cinstance_call_text(s, i, text, pool, &result, e);
    if (st == TS_OK && result && *result) puts(result);
    ts_pool_free(pool);
    return st == TS_OK ? ts_cli_flush(e) : st;
}
