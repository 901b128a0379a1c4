/* trace: one line for each call of the host, like strace.
 * In: a call's function, arguments, result and status. Out: a line of text to the embedder. */
#include "component/run/trace.h"
#include "component/type/wave.h"
#include "component/run/linker.h"
#include <stdio.h>
#include <string.h>

enum { MAX_ITEMS = 32 };

static bool token_fits(const char *iface, const char *t, size_t n) {
    size_t len = strlen(iface);
    const char *colon = strchr(iface, ':'), *slash = strchr(iface, '/');
    if (n == 0) return false;
    if (len >= n && memcmp(iface, t, n) == 0 && (len == n || iface[n] == '/' || iface[n] == '@')) return true;
    if (colon) {
        const char *rest = colon + 1;
        size_t k = strlen(rest);
        if (k >= n && memcmp(rest, t, n) == 0 && (k == n || rest[n] == '/' || rest[n] == '@')) return true;
    }
    if (slash) {
        const char *rest = slash + 1;
        size_t k = strcspn(rest, "@");
        return k == n && memcmp(rest, t, n) == 0;
    }
    return false;
}

static bool wants(const ts_call_observer *o, const char *interface) {
    const char *f = ((const ts_linker *)o)->trace.filter;
    if (!f || !*f) return true;
    while (*f) {
        size_t n = strcspn(f, ",");
        if (token_fits(interface ? interface : "", f, n)) return true;
        f += n + (f[n] == ',');
    }
    return false;
}

typedef struct line {
    char *buf;
    size_t len, cap;
    bool lost;
} line;
static bool room(line *o, size_t n) {
    if (o->lost) return false;
    if (o->len + n + 1 <= o->cap) return true;
    size_t cap = (o->len + n + 1) * 2;
    char *b = realloc(o->buf, cap);
    if (!b) return !(o->lost = true);
    o->buf = b;
    o->cap = cap;
    return true;
}
static void put(line *o, const char *s) {
    size_t n = strlen(s);
    if (!room(o, n)) return;
    memcpy(o->buf + o->len, s, n + 1);
    o->len += n;
}
/* The representation of a host's resource may be an address: so the trace has numbers of its own, the same in each run. */
static ts_trace_handle *numbered(ts_linker *l, const ts_resource *rt, uint64_t rep) {
    for (uint32_t i = 0; i < l->trace_handles.len; i++) {
        ts_trace_handle *h = &l->trace_handles.data[i];
        if (h->rt == rt && h->rep == rep) return h;
    }
    ts_trace_handle h = {.rt = rt, .rep = rep, .number = ++l->trace_number};
    return ts_vec_push(&l->trace_handles, h) ? &l->trace_handles.data[l->trace_handles.len - 1] : NULL;
}
typedef struct numbering {
    ts_linker *l;
    ts_resource *const *res;
} numbering;
static uint64_t number_of(void *data, const ts_ctype *t, const ts_val *v) {
    const numbering *x = data;
    const ts_trace_handle *h = numbered(x->l, x->res ? x->res[t->resource] : NULL, v->handle.rep);
    return h ? h->number : 0;
}
static void put_val(line *o, ts_linker *l, ts_resource *const *res, const ts_ctype *t, const ts_val *v) {
    numbering x = {l, res};
    size_t n = ts_wave_print_numbered(t, v, NULL, 0, MAX_ITEMS, number_of, &x);
    if (!room(o, n)) return;
    ts_wave_print_numbered(t, v, o->buf + o->len, n + 1, MAX_ITEMS, number_of, &x);
    o->len += n;
}
static void put_end(line *o, ts_status st, const ts_error *e) {
    if (st == TS_EXIT) {
        char b[40];
        snprintf(b, sizeof b, " -> exit: %d", e ? e->exit_status : 0);
        put(o, b);
    } else if (st != TS_OK) {
        put(o, st == TS_TRAP ? " -> trap: " : " -> failed: ");
        put(o, e && e->message[0] ? e->message : ts_status_name(st));
    }
}

static void trace_call(ts_call_observer *observer, const ts_cfunc *f, const ts_val *args, const ts_val *result,
                       ts_status st, const ts_error *e, bool denied) {
    ts_linker *l = (ts_linker *)observer;
    line o = {0};
    if (f->import_name && f->import_name[0]) {
        put(&o, f->import_name);
        put(&o, " ");
    }
    put(&o, f->name);
    put(&o, "(");
    for (uint32_t i = 0; args && i < f->type->n_params; i++) {
        if (i) put(&o, ", ");
        put_val(&o, l, f->res, f->type->params[i].type, &args[i]);
    }
    put(&o, args || !f->type->n_params ? ")" : "…)");
    if (st == TS_OK && f->type->result && result) {
        put(&o, " -> ");
        put_val(&o, l, f->res, f->type->result, result);
    }
    put_end(&o, st, e);
    if (denied) put(&o, " [denied]");
    if (!o.lost && o.buf) l->trace.line(l->trace.data, o.buf, o.len);
    free(o.buf);
}

static void trace_drop(ts_call_observer *observer, const ts_resource *rt, uint64_t rep, ts_status st,
                       const ts_error *e) {
    ts_linker *l = (ts_linker *)observer;
    line o = {0};
    char b[32];
    put(&o, rt->host_def->interface);
    put(&o, " [resource-drop]");
    put(&o, rt->host_def->name);
    ts_trace_handle *h = numbered(l, rt, rep);
    snprintf(b, sizeof b, "(#%llu)", (unsigned long long)(h ? h->number : 0));
    put(&o, b);
    if (h && st == TS_OK) *h = l->trace_handles.data[--l->trace_handles.len]; /* the same address may come again */
    put_end(&o, st, e);
    if (!o.lost && o.buf) l->trace.line(l->trace.data, o.buf, o.len);
    free(o.buf);
}

const ts_call_observer ts_trace_observer = {.wants = wants, .call = trace_call, .drop = trace_drop};
