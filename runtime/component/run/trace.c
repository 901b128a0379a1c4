/* trace: a line for each call of the host, and a table of all calls, like strace -r -T -c.
 * In: a call's function, arguments, result and status. Out: lines of text for the embedder. */
#include "component/run/trace.h"
#include "base/cfi.h"
#include "base/number.h"
#include "component/type/wave.h"
#include "component/run/linker.h"
#include "sys/clock.h"
#include <stdio.h>
#include <stdlib.h>
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
/* The representation of a host's resource may be an address. So the trace numbers handles itself, and
 * the same in each run. */
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

/* --- the state --- */
typedef struct row {                         /* a row of the table, for one function */
    const char *interface, *name, *resource; /* resource: the name for a drop, or "" */
    uint64_t calls, errors, bytes, ns;
} row;
typedef struct ts_trace_state {
    uint64_t started;
    line last;        /* the text of the last call and its result */
    size_t last_call; /* the length of the call in it */
    bool last_plain;
    uint64_t folded, folded_ns,
        /* folded: the number of calls like the last one without a line of their own; folded_begun:
         * when the first of them began */
        folded_begun;
    TS_VEC(row) rows;
} ts_trace_state;

/* The function is the embedder's. */
static TS_UNCHECKED_CALLS void give_line(const ts_linker *l, const char *text, size_t len) {
    l->trace.line(l->trace.data, text, len);
}
static void print_line(ts_linker *l, const char *text, size_t len, uint64_t begun, uint64_t ns) {
    if (l->trace.quiet) return;
    if (!l->trace.times) {
        give_line(l, text, len);
        return;
    }
    line o = {0};
    char b[64];
    ts_snprintf(b, sizeof b, "%10.6f ", (double)(begun - l->trace_state->started) / 1e9);
    put(&o, b);
    put(&o, text);
    ts_snprintf(b, sizeof b, " <%.6f>", (double)ns / 1e9);
    put(&o, b);
    if (o.lost)
        l->trace_lost++;
    else
        give_line(l, o.buf, o.len);
    free(o.buf);
}

/* Prints a line for the calls that were folded. */
static void unfold(ts_linker *l) {
    ts_trace_state *s = l->trace_state;
    if (!s->folded) return;
    line o = {0};
    char b[80];
    snprintf(b, sizeof b, "… %llu more call%s of ", (unsigned long long)s->folded, s->folded == 1 ? "" : "s");
    put(&o, b);
    size_t head = o.len;
    put(&o, s->last.buf);
    char *open = o.lost ? NULL : strchr(o.buf + head, '(');
    if (open) {
        *open = 0;
        o.len = (size_t)(open - o.buf);
        print_line(l, o.buf, o.len, s->folded_begun, s->folded_ns);
    } else {
        l->trace_lost++;
    }
    s->folded = s->folded_ns = 0;
    free(o.buf);
}

/* Prints or folds a complete line, whose first `call` bytes are the call. plain: the call succeeded,
 * with a result of numbers or none. */
static void emit(ts_linker *l, const line *o, size_t call, bool plain, uint64_t begun) {
    ts_trace_state *s = l->trace_state;
    const uint64_t ns = l->trace.times ? ts_sys_monotonic() - begun : 0;
    if (o->lost || !o->buf) {
        l->trace_lost++;
        return;
    }
    const line *last = &s->last;
    bool whole = last->buf && last->len == o->len && memcmp(last->buf, o->buf, o->len) == 0;
    bool same = whole || (plain && s->last_plain && s->last_call == call && memcmp(last->buf, o->buf, call) == 0);
    if (same && l->trace.fold) {
        if (!s->folded++) s->folded_begun = begun;
        s->folded_ns += ns;
        return;
    }
    unfold(l);
    print_line(l, o->buf, o->len, begun, ns);
    if (!l->trace.fold) return;
    s->last.len = 0;
    put(&s->last, o->buf);
    s->last_call = call;
    s->last_plain = plain && !s->last.lost;
    if (s->last.lost) { /* no memory: the next line is not folded */
        free(s->last.buf);
        s->last = (line){0};
    }
}

/* Counts the bytes of strings and packed lists in a value. */
static uint64_t bytes_in(const ts_ctype *t, const ts_val *v) {
    uint64_t n = 0;
    switch (t->kind) {
    case TS_CT_STRING: return v->str.len;
    case TS_CT_LIST:
        if (ts_ct_is_raw_elem(t->elem->kind)) return v->raw.len * t->elem->size;
        for (size_t i = 0; i < v->list.len; i++) n += bytes_in(t->elem, &v->list.ptr[i]);
        return n;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) n += bytes_in(t->cases[i].type, &v->list.ptr[i]);
        return n;
    case TS_CT_OPTION: return v->variant.disc ? bytes_in(t->elem, v->variant.payload) : 0;
    case TS_CT_RESULT: {
        const ts_ctype *p = v->variant.disc ? t->elem2 : t->elem;
        return p && v->variant.payload ? bytes_in(p, v->variant.payload) : 0;
    }
    case TS_CT_VARIANT: {
        const ts_ctype *p = v->variant.disc < t->n ? t->cases[v->variant.disc].type : NULL;
        return p && v->variant.payload ? bytes_in(p, v->variant.payload) : 0;
    }
    default: return 0;
    }
}
/* Returns whether a type has no string and no list, so that its values are not what was read or
 * written. */
static bool is_plain(const ts_ctype *t) {
    switch (t->kind) {
    case TS_CT_STRING:
    case TS_CT_LIST:
    case TS_CT_FIXED_LIST:
    case TS_CT_MAP: return false;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
    case TS_CT_VARIANT:
        for (uint32_t i = 0; i < t->n; i++)
            if (t->cases[i].type && !is_plain(t->cases[i].type)) return false;
        return true;
    case TS_CT_OPTION:
    case TS_CT_RESULT: return (!t->elem || is_plain(t->elem)) && (!t->elem2 || is_plain(t->elem2));
    default: return true;
    }
}

static void count_call(ts_linker *l, const row *call, uint64_t bytes, bool error, uint64_t begun) {
    if (!l->trace.summary) return;
    ts_trace_state *s = l->trace_state;
    row *r = NULL;
    for (uint32_t i = 0; i < s->rows.len && !r; i++)
        if (strcmp(s->rows.data[i].name, call->name) == 0 && strcmp(s->rows.data[i].interface, call->interface) == 0 &&
            strcmp(s->rows.data[i].resource, call->resource) == 0)
            r = &s->rows.data[i];
    if (!r) {
        if (!ts_vec_push(&s->rows, *call)) {
            l->trace_lost++;
            return;
        }
        r = &s->rows.data[s->rows.len - 1];
    }
    r->calls++;
    r->bytes += bytes;
    r->errors += error;
    r->ns += ts_sys_monotonic() - begun;
}

static int slower_first(const void *a, const void *b) {
    const row *x = a, *y = b;
    return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : x->calls < y->calls ? 1 : x->calls > y->calls ? -1 : 0;
}
static void print_row(ts_linker *l, const row *r, uint64_t total) {
    char b[400];
    int n = ts_snprintf(b, sizeof b, "%6.2f %11.6f %11.0f %9llu %9llu %12llu %s%s%s%s",
                        total ? 100.0 * (double)r->ns / (double)total : 0.0, (double)r->ns / 1e9,
                        r->calls ? (double)r->ns / 1e3 / (double)r->calls : 0.0, (unsigned long long)r->calls,
                        (unsigned long long)r->errors, (unsigned long long)r->bytes, r->interface,
                        *r->interface ? " " : "", r->name, r->resource);
    if (n > 0) give_line(l, b, (size_t)n < sizeof b ? (size_t)n : sizeof b - 1);
}
static void print_table(ts_linker *l) {
    static const char head[] = "% time     seconds  usecs/call     calls    errors        bytes call",
                      rule[] = "------ ----------- ----------- --------- --------- ------------ ----------------";
    ts_trace_state *s = l->trace_state;
    row total = {.interface = "", .name = "total", .resource = ""};
    for (uint32_t i = 0; i < s->rows.len; i++) {
        total.calls += s->rows.data[i].calls;
        total.errors += s->rows.data[i].errors;
        total.bytes += s->rows.data[i].bytes;
        total.ns += s->rows.data[i].ns;
    }
    if (s->rows.len) qsort(s->rows.data, s->rows.len, sizeof *s->rows.data, slower_first);
    give_line(l, head, sizeof head - 1);
    give_line(l, rule, sizeof rule - 1);
    for (uint32_t i = 0; i < s->rows.len; i++) print_row(l, &s->rows.data[i], total.ns);
    give_line(l, rule, sizeof rule - 1);
    print_row(l, &total, total.ns);
}
/* A trace that is not complete says so at its end. */
static void print_lost(ts_linker *l) {
    char b[80];
    int n = snprintf(b, sizeof b, "no memory: %llu calls are missing in this trace", (unsigned long long)l->trace_lost);
    give_line(l, b, (size_t)n);
    l->trace_lost = 0;
}

/* --- the observer ------------------------------------------------------------------------------ */
static void trace_call(ts_call_observer *observer, const ts_cfunc *f, const ts_val *args, const ts_val *result,
                       ts_status st, const ts_error *e, bool denied, uint64_t begun) {
    ts_linker *l = (ts_linker *)observer;
    const ts_ctype *type = f->type->result;
    const bool err = st != TS_OK || (type && type->kind == TS_CT_RESULT && result && result->variant.disc != 0);
    if (l->trace.summary) {
        uint64_t bytes = 0;
        for (uint32_t i = 0; args && i < f->type->n_params; i++) bytes += bytes_in(f->type->params[i].type, &args[i]);
        if (st == TS_OK && type && result) bytes += bytes_in(type, result);
        const row r = {.interface = f->import_name ? f->import_name : "", .name = f->name, .resource = ""};
        count_call(l, &r, bytes, err, begun);
    }
    if (l->trace.quiet) return;
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
    const size_t call = o.len;
    if (st == TS_OK && f->type->result && result) {
        put(&o, " -> ");
        put_val(&o, l, f->res, f->type->result, result);
    }
    put_end(&o, st, e);
    if (denied) put(&o, " [denied]");
    emit(l, &o, call, !err && !denied && (!type || is_plain(type)), begun);
    free(o.buf);
}

static void trace_drop(ts_call_observer *observer, const ts_resource *rt, uint64_t rep, ts_status st, const ts_error *e,
                       uint64_t begun) {
    ts_linker *l = (ts_linker *)observer;
    line o = {0};
    char b[32];
    const row r = {.interface = rt->host_def->interface, .name = "[resource-drop]", .resource = rt->host_def->name};
    count_call(l, &r, 0, st != TS_OK, begun);
    put(&o, rt->host_def->interface);
    put(&o, " [resource-drop]");
    put(&o, rt->host_def->name);
    ts_trace_handle *h = numbered(l, rt, rep);
    snprintf(b, sizeof b, "(#%llu)", (unsigned long long)(h ? h->number : 0));
    put(&o, b);
    /* the same address may be used again */
    if (h && st == TS_OK) *h = l->trace_handles.data[--l->trace_handles.len];
    const size_t call = o.len;
    put_end(&o, st, e);
    emit(l, &o, call, st == TS_OK, begun);
    free(o.buf);
}

static uint64_t begin(const ts_call_observer *o) {
    (void)o;
    return ts_sys_monotonic();
}

bool ts_host_core_traced(const ts_linker *l, const ts_host_func *f) {
    return ts_observed(&l->observer, f->interface);
}
uint64_t ts_host_core_begin(ts_host_call *call, const ts_linker *l) {
    call->store->host_calls++;
    return ts_observe_begin(&l->observer);
}
void ts_host_core_end(ts_host_call *call, ts_linker *l, const ts_val *args, const ts_val *result, ts_status status,
                      uint64_t begun) {
    const ts_cfunc f = {.kind = TS_CFUNC_HOST,
                        .type = call->func->type,
                        .import_name = call->func->interface,
                        .name = call->func->name};
    trace_call(&l->observer, &f, args, result, status, call->err, call->denied, begun);
}

void ts_trace_free(ts_linker *l) {
    ts_trace_state *s = l->trace_state;
    if (s) {
        free(s->last.buf);
        ts_vec_free(&s->rows);
    }
    free(s);
    l->trace_state = NULL;
    l->trace = (ts_trace){0};
    l->observer = (ts_call_observer){0};
}

void ts_linker_set_trace(ts_linker *l, const ts_trace *t) {
    if (!l) return;
    if (l->trace_state) {
        unfold(l);
        if (l->trace.summary) print_table(l);
        if (l->trace_lost) print_lost(l);
    }
    ts_trace_free(l);
    if (!t || !t->line) return;
    l->trace_state = calloc(1, sizeof *l->trace_state);
    if (!l->trace_state) {
        static const char none[] = "no memory: there is no trace";
        t->line(t->data, none, sizeof none - 1);
        return;
    }
    l->trace_state->started = ts_sys_monotonic();
    l->trace = *t;
    const bool timed = t->times || t->summary;
    l->observer =
        (ts_call_observer){.wants = wants, .begin = timed ? begin : NULL, .call = trace_call, .drop = trace_drop};
}
