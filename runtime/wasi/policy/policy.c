/* policy: a file or text that grants what options grant. It is TOML 1.0. A key is the name of a row of
 * rows.c. A value is that of the option, or an array of them; `env` may be a table.
 * In: a path or text. Out: settings and grants; TS_USAGE with the line that was not understood. */
#include "wasi/policy/option.h"
#include "base/toml.h"
#include "base/quantity.h"
#include "sys/input.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 20 };

/* Takes a string without NUL bytes from the file, because option values are NUL-terminated. */
static ts_status text_of(const char *what, const ts_toml *t, const char **out, ts_error *e) {
    if (t->kind != TS_TOML_STRING) return ts_fail(e, TS_USAGE, "%s: a string is expected", what);
    if (strlen(t->text) != t->len) return ts_fail(e, TS_USAGE, "%s: there is a NUL in the string", what);
    *out = t->text;
    return TS_OK;
}
/* Options point to their values. Keep a copy that lives as long as the options. */
static ts_status keep(ts_reading *r, const char *s, size_t len, const char **out, ts_error *e) {
    char *own = strndup(s, len);
    if (own && ts_vec_push(&r->settings->kept, own)) {
        *out = own;
        return TS_OK;
    }
    free(own);
    return ts_fail_nomem(e);
}

/* {host = "…", guest = "…", read-only = true}: names are taken literally, colons included. */
static ts_status dir(ts_reading *r, const ts_toml *t, const ts_toml **at, ts_error *e) {
    const char *host = NULL, *guest = NULL;
    bool read_only = false;
    for (const ts_toml *c = t->first; c; c = c->next) {
        *at = c;
        if (strcmp(c->key, "host") == 0)
            TS_TRY(text_of("dir.host", c, &host, e));
        else if (strcmp(c->key, "guest") == 0)
            TS_TRY(text_of("dir.guest", c, &guest, e));
        else if (strcmp(c->key, "read-only") == 0 && c->kind == TS_TOML_BOOL)
            read_only = c->boolean;
        else
            return ts_fail(e, TS_USAGE,
                           "dir.%s: host and guest, which are strings, and read-only, true or false, are expected",
                           c->key);
    }
    *at = t;
    if (!host) return ts_fail(e, TS_USAGE, "dir: host is missing");
    return ts_wasi_allow_dir(r->w, host, guest ? guest : host, read_only, e);
}
static ts_status env(ts_reading *r, const ts_toml *t, const ts_toml **at, ts_error *e) {
    for (const ts_toml *c = t->first; c; c = c->next) {
        const char *v;
        *at = c;
        TS_TRY(text_of(c->key, c, &v, e));
        TS_TRY(ts_wasi_set_env(r->w, c->key, c->key_len, v, e));
    }
    return TS_OK;
}

/* Returns a number or a time as the command line would write it, or NULL if the option does not take that
 * type. */
static const char *as_text(const ts_option *o, const ts_toml *t, char out[64]) {
    bool is_clock = strcmp(o->name, "clock") == 0, is_number = o->form >= TS_OPTION_NUMBER && o->form <= TS_OPTION_TIME;
    if (t->kind == TS_TOML_INTEGER && (is_clock || is_number || strcmp(o->name, "seed") == 0)) {
        snprintf(out, 64, "%" PRId64, t->integer);
        return out;
    }
    if (t->len >= 64) return NULL;
    size_t n = 0;
    if (t->kind == TS_TOML_FLOAT && o->form == TS_OPTION_TIME) { /* in seconds */
        for (size_t i = 0; i < t->len; i++)
            if (t->text[i] != '_') out[n++] = t->text[i];
    } else if (t->kind == TS_TOML_OFFSET_DATETIME && is_clock) {
        for (; n < t->len; n++)
            out[n] = t->text[n] == ' ' || t->text[n] == 't' ? 'T' : t->text[n] == 'z' ? 'Z' : t->text[n];
    } else
        return NULL;
    out[n] = 0;
    return out;
}

static ts_status set(ts_reading *r, const ts_option *o, const ts_toml *t, const ts_toml **at, ts_error *e) {
    char number[64];
    const char *v = NULL, *own = NULL;
    bool flag = o->form == TS_OPTION_FLAG || o->form == TS_OPTION_SWITCH;
    if (flag != (t->kind == TS_TOML_BOOL))
        return ts_fail(e, TS_USAGE, flag ? "%s is true or false" : "%s is not true or false", o->name);
    if (flag) return ts_option_set(r, o, o->name, t->boolean ? "y" : "n", e);
    if (t->kind == TS_TOML_TABLE && strcmp(o->name, "dir") == 0) return dir(r, t, at, e);
    if (t->kind == TS_TOML_TABLE && strcmp(o->name, "env") == 0) return env(r, t, at, e);
    if (t->kind == TS_TOML_STRING)
        TS_TRY(text_of(o->name, t, &v, e));
    else
        v = as_text(o, t, number);
    if (!v) return ts_fail(e, TS_USAGE, "%s takes no value of this kind", o->name);
    TS_TRY(keep(r, v, strlen(v), &own, e));
    return ts_option_set(r, o, o->name, own, e);
}

static ts_status unknown(const ts_toml *t, ts_error *e) {
    ts_nearest near = ts_nearest_to(t->key, t->key_len);
    for (int k = 0; k < 2; k++)
        for (const ts_option *o = k ? ts_word_rows : ts_policy_rows; o->name; o++)
            if (o->policy != TS_OPTION_NEVER) ts_nearest_see(&near, o->name);
    return ts_fail(e, TS_USAGE, "there is no key %.*s%s%s", (int)(t->key_len > 60 ? 60 : t->key_len), t->key,
                   near.best ? "; did you mean " : "", near.best ? near.best : "");
}
/* *at is the value that the error is about: the message has its line. */
static ts_status member(ts_reading *r, const ts_toml *t, const ts_toml **at, ts_error *e) {
    const ts_option *o = ts_option_find(ts_policy_rows, t->key, t->key_len);
    const ts_option *word = ts_option_find(ts_word_rows, t->key, t->key_len);
    /* udp is an option that takes rules and a word that takes y or n */
    if (word && (!o || o->policy == TS_OPTION_NEVER || (t->kind == TS_TOML_BOOL && o->form == TS_OPTION_TEXT)))
        o = word;
    *at = t;
    if (!o || o->policy == TS_OPTION_NEVER) return unknown(t, e);
    if (t->kind != TS_TOML_ARRAY || o->policy != TS_OPTION_MANY) return set(r, o, t, at, e);
    for (const ts_toml *c = t->first; c; c = c->next) {
        *at = c;
        TS_TRY(set(r, o, c, at, e));
    }
    return TS_OK;
}

/* The same; a key that sets anything besides grants is refused. */
static ts_status grant(ts_reading *r, const ts_toml *t, const ts_toml **at, ts_error *e) {
    ts_settings before;
    memcpy(&before, r->settings, sizeof before);
    TS_TRY(member(r, t, at, e));
    if (memcmp(&before, r->settings, offsetof(ts_settings, kept)) == 0) return TS_OK;
    return ts_fail(e, TS_USAGE, "%s does not concern the context, and this caller takes nothing else", t->key);
}

/* `name` is for messages. */
static ts_status read_text(ts_reading *r, const char *name, const char *text, size_t len, bool grants_only,
                           ts_error *e) {
    ts_arena arena;
    ts_toml *root;
    ts_arena_init(&arena);
    ts_status s = ts_toml_parse(&arena, name, text, len, &root, e);
    const ts_toml *at = NULL;
    ts_error why;
    ts_error_init(&why);
    for (const ts_toml *t = s == TS_OK ? root->first : NULL; t && s == TS_OK; t = t->next)
        s = (grants_only ? grant : member)(r, t, &at, &why);
    if (s != TS_OK && at) (void)ts_fail(e, s, "%s:%u: %s", name, at->line, why.message);
    ts_arena_free(&arena);
    return s;
}
static ts_status read_file(ts_reading *r, const char *path, bool grants_only, ts_error *e) {
    ts_sys_input file = {0};
    ts_sys_err err = ts_sys_input_read(path, FILE_MOST, &file);
    if (err == TS_SYS_EFBIG) return ts_fail(e, TS_USAGE, "%s is too large for a policy", path);
    if (err) return ts_fail(e, TS_IO, "cannot read %s: %s", path, ts_sys_err_text(err));
    ts_status s = read_text(r, path, (const char *)file.bytes, file.len, grants_only, e);
    ts_sys_input_close(&file);
    return s;
}
ts_status ts_policy_read(ts_reading *r, const char *path, ts_error *e) {
    return read_file(r, path, false, e);
}

/* --- for embedders --- */
/* text NULL: `name` is the path of a file. */
static ts_status load(ts_wasi *w, const char *name, const char *text, size_t len, ts_wasi_policy **out, ts_error *e) {
    ts_settings *s = calloc(1, sizeof *s);
    if (!s) return ts_fail_nomem(e);
    ts_reading r = {.w = w, .settings = s};
    ts_status st = text ? read_text(&r, name, text, len, !out, e) : read_file(&r, name, !out, e);
    if (st == TS_OK) ts_settings_finish(s, w);
    s->policy.limits.interruptible = s->policy.max_time_ns != 0;
    if (st == TS_OK && out)
        *out = &s->policy;
    else
        ts_wasi_policy_free(&s->policy);
    return st;
}
ts_status ts_wasi_policy_load(ts_wasi *w, const char *text, size_t len, const char *name, ts_wasi_policy **out,
                              ts_error *e) {
    if (out) *out = NULL;
    TS_NEED(e, w);
    TS_NEED(e, text);
    return load(w, name ? name : "policy", text, len, out, e);
}
ts_status ts_wasi_policy_load_file(ts_wasi *w, const char *path, ts_wasi_policy **out, ts_error *e) {
    if (out) *out = NULL;
    TS_NEED(e, w);
    TS_NEED(e, path);
    return load(w, path, NULL, 0, out, e);
}
void ts_wasi_policy_free(ts_wasi_policy *p) {
    if (!p) return;
    ts_settings_free((ts_settings *)p);
    free(p);
}
ts_status ts_wasi_policy_link(const ts_wasi_policy *p, ts_linker *l, ts_error *e) {
    TS_NEED(e, p);
    TS_NEED(e, l);
    const ts_settings *s = (const ts_settings *)p;
    for (uint32_t i = 0; i < s->denied.len; i++) ts_linker_deny(l, s->denied.data[i]);
    for (uint32_t i = 0; i < s->unstable.len; i++) ts_linker_enable_unstable(l, s->unstable.data[i]);
    ts_linker_set_unknown_imports_trap(l, s->unknown_imports_trap);
    return TS_OK;
}
