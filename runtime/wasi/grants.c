/* grants: see grants.h. This file has the value, the environment, directories, stdio and limits; the network
 * is in grants_net.c. */
#include "wasi/context.h"
#include "base/utf8.h"
#include "sys/descriptors.h"
#include "sys/proc_files.h"
#include <stdlib.h>
#include <string.h>

ts_status ts_wasi_grants_empty(ts_wasi_grants **out, ts_error *e) {
    ts_wasi_grants *g = *out = calloc(1, sizeof *g);
    if (!g) return ts_fail_nomem(e);
    g->refs = 1;
    for (int i = 0; i < 3; i++) g->stdio[i] = ts_sys_std_is_open(i) ? i : -1;
    g->max_objects = 1000000;
    g->max_disk = UINT64_MAX;
    g->max_files = UINT64_MAX; /* as many as the OS allows */
    g->max_random = UINT64_MAX;
    g->max_fields = TS_WASI_HTTP_FIELDS_MAX;
    g->ca.fd = -1;
    return TS_OK;
}

void ts_wasi_grants_free(ts_wasi_grants *g) {
    if (!g || __atomic_sub_fetch(&g->refs, 1, __ATOMIC_ACQ_REL)) return;
    for (uint32_t i = 0; i < g->args.len; i++) free(g->args.data[i]);
    for (uint32_t i = 0; i < g->env.len; i++) {
        free(g->env.data[i].name);
        free(g->env.data[i].value);
    }
    for (uint32_t i = 0; i < g->preopens.len; i++) {
        ts_sys_close(g->preopens.data[i].fd);
        free(g->preopens.data[i].host);
        free(g->preopens.data[i].guest);
    }
    for (uint32_t i = 0; i < g->net_rules.len; i++) free(g->net_rules.data[i].name);
    for (uint32_t i = 0; i < g->names.len; i++) free(g->names.data[i]);
    for (uint32_t i = 0; i < g->http_rules.len; i++) free(g->http_rules.data[i].host);
    if (g->ca.fd >= 0) ts_sys_close(g->ca.fd);
    free(g->ca.path);
    ts_vec_free(&g->args);
    ts_vec_free(&g->env);
    ts_vec_free(&g->preopens);
    ts_vec_free(&g->net_rules);
    ts_vec_free(&g->names);
    ts_vec_free(&g->http_rules);
    ts_vec_free(&g->http_prohibited);
    free(g->cwd);
    free(g);
}

ts_wasi_grants *ts_wasi_grants_new(ts_wasi *w) {
    if (!w) return NULL;
    w->grants->constant = true;
    __atomic_fetch_add(&w->grants->refs, 1, __ATOMIC_RELAXED);
    return w->grants;
}

ts_wasi_grants *ts_wasi_grants_open(ts_wasi *w, ts_error *e) {
    if (w && !w->grants->constant) return w->grants;
    (void)ts_fail(e, TS_USAGE,
                  w ? "the grants of this context are shared: nothing can be added" : "there is no context");
    return NULL;
}

static ts_status copy(const char *s, size_t len, const char *what, char **out, ts_error *e) {
    *out = NULL;
    if (!s) return ts_fail(e, TS_USAGE, "%s is NULL", what);
    if (!ts_utf8_valid(s, len)) return ts_fail(e, TS_USAGE, "%s is not UTF-8", what);
    *out = malloc(len + 1);
    if (!*out) return ts_fail_nomem(e);
    memcpy(*out, s, len);
    (*out)[len] = 0;
    return TS_OK;
}

/* --- arguments and environment --- */
ts_status ts_wasi_add_arg(ts_wasi *w, const char *arg, ts_error *e) {
    char *s;
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    TS_TRY(copy(arg, arg ? strlen(arg) : 0, "an argument", &s, e));
    if (ts_vec_push(&g->args, s)) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}

ts_status ts_wasi_set_env(ts_wasi *w, const char *name, size_t name_len, const char *value, ts_error *e) {
    ts_wasi_env_var v = {0};
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    /* POSIX, 8.1: "names shall not contain the character '='" */
    if (name && (!name_len || memchr(name, '=', name_len) || memchr(name, 0, name_len)))
        return ts_fail(e, TS_USAGE, "the name of an environment variable is empty, or has = or NUL in it");
    TS_TRY(copy(name, name_len, "the name of an environment variable", &v.name, e));
    ts_status s = copy(value, value ? strlen(value) : 0, "the value of an environment variable", &v.value, e);
    if (s != TS_OK) {
        free(v.name);
        return s;
    }
    for (uint32_t i = 0; i < g->env.len; i++)
        if (strcmp(g->env.data[i].name, v.name) == 0) {
            free(g->env.data[i].name);
            free(g->env.data[i].value);
            g->env.data[i] = v;
            return TS_OK;
        }
    if (ts_vec_push(&g->env, v)) return TS_OK;
    free(v.name);
    free(v.value);
    return ts_fail_nomem(e);
}

ts_status ts_wasi_set_cwd(ts_wasi *w, const char *guest_path, ts_error *e) {
    char *s;
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (guest_path && !*guest_path) return ts_fail(e, TS_USAGE, "the working directory is an empty path");
    TS_TRY(copy(guest_path, guest_path ? strlen(guest_path) : 0, "the working directory", &s, e));
    free(g->cwd);
    g->cwd = s;
    return TS_OK;
}

/* --- directories --- */
/* Returns the length of the next segment of a path, skipping segments without effect; 0 at the end. */
static size_t segment(const char **at, const char **s) {
    for (;;) {
        while (**at == '/') ++*at;
        size_t n = strcspn(*at, "/");
        *s = *at;
        *at += n;
        if (!(n == 1 && **s == '.')) return n;
    }
}
static bool same_path(const char *a, const char *b) {
    if ((*a == '/') != (*b == '/')) return false;
    const char *x, *y;
    for (;;) {
        size_t n = segment(&a, &x), m = segment(&b, &y);
        if (n != m || memcmp(x, y, n) != 0) return false;
        if (!n) return true;
    }
}

ts_status ts_wasi_allow_dir(ts_wasi *w, const char *host, const char *guest, bool read_only, ts_error *e) {
    ts_wasi_preopen p = {.read_only = read_only};
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!host || !*host || !guest || !*guest)
        return ts_fail(e, TS_USAGE, "a directory needs a path, and a name for the guest");
    for (uint32_t i = 0; i < g->preopens.len; i++)
        if (same_path(g->preopens.data[i].guest, guest))
            return ts_fail(e, TS_USAGE, "the guest has a directory %s already: %s", g->preopens.data[i].guest,
                           g->preopens.data[i].host);
    ts_status s = copy(guest, strlen(guest), "the guest's name of a directory", &p.guest, e);
    if (s == TS_OK && !(p.host = malloc(strlen(host) + 1))) s = ts_fail_nomem(e);
    ts_sys_err err = s == TS_OK ? ts_sys_open_dir(host, &p.fd) : TS_SYS_OK;
    if (err) s = ts_fail(e, TS_IO, "cannot open the directory %s: %s", host, ts_sys_err_text(err));
    if (s == TS_OK) {
        strcpy(p.host, host);
        g->shows_processes |= ts_sys_proc_files_have(p.fd);
        if (ts_vec_push(&g->preopens, p)) return TS_OK;
        ts_sys_close(p.fd);
        s = ts_fail_nomem(e);
    }
    free(p.host);
    free(p.guest);
    return s;
}

/* --- stdio and limits --- */
void ts_wasi_set_stdio(ts_wasi *w, int which, int fd) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (!g || which < 0 || which >= 3) return;
    g->stdio[which] = fd < 0 ? -1 : fd;
    ts_wasi_file_release(w->stdio[which].file);
    w->stdio[which] = (ts_wasi_stdio_file){0};
}
void ts_wasi_limit_objects(ts_wasi *w, uint64_t n) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->max_objects = n;
}
void ts_wasi_limit_files(ts_wasi *w, uint64_t n) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->max_files = n;
}
void ts_wasi_limit_random(ts_wasi *w, uint64_t n) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->max_random = n;
}
void ts_wasi_limit_http_fields(ts_wasi *w, uint64_t n) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->max_fields = n < TS_WASI_HTTP_FIELDS_MAX ? n : TS_WASI_HTTP_FIELDS_MAX;
}
