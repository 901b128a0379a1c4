/* serve: see run.h. Answers HTTP with a component that exports wasi:http/incoming-handler. Each request gets
 * a fresh instance; with --reuse N, one instance answers N requests, one after another. The component is
 * loaded, checked and linked once, before the first request. Each thread keeps a WASI context and a linked
 * component, and creates only what a request changes.
 * In: a component, its grants, an address. Out: responses; an access log. wit: wasi:http/proxy,
 * incoming-handler */
#include "cli/confine.h"
#include "cli/embed.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/run.h"
#include "cli/show_grants.h"
#include "sys/clock.h"
#include "sys/killed.h"
#include "sys/lookup.h"
#include "sys/thread.h"
#include "sys/written.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "127.0.0.1:8080" /* the default of --addr */

typedef struct server {
    ts_cli_options o;       /* constant after they have been read */
    ts_wasi_grants *grants; /* constant: each thread makes its context from them */
    ts_cli_out log_out;
    ts_engine *engine;
    ts_component *component;
    ts_sys_input file;
    ts_cli_out trace;
    const char *handler; /* the name of the export: "wasi:http/incoming-handler@0.2.3" */
    ts_wasi *wasi;       /* the linker's context; each store uses its thread's context instead */
    /* The threads share it, and `linked`. With a trace each thread has its own, because it numbers handles.
     */
    ts_linker *linker;
    ts_linked *linked;
    ts_http_server *http;
    uint64_t grace;
    uint32_t stops; /* the number of stop signals so far */
} server;

/* The state that a thread keeps between requests. */
typedef struct worker {
    server *s;
    ts_wasi *wasi;
    ts_linker *linker;
    ts_linked *linked;
    ts_resource *request_type, *outparam_type;
    ts_store_limits limits;
    ts_spares *spares; /* pages that one instance hands to the next */
    ts_lock lock;      /* protects `running` */
    ts_cstore *running;
    bool interrupted;
    ts_cstore *store; /* the current store, NULL when there is none; `handle` belongs to its instance */
    ts_cfunc *handle;
    uint64_t left; /* how many more requests the instance may answer */
    ts_arena arena;
    ts_http_call *call; /* the request being served, or NULL */
    ts_error e;
    ts_frame *frames; /* the frames of `e`; not touched before a trap */
} worker;

/* --- grants --- */
#define ADDRESS_FORMS "ADDRESS:PORT, [IPV6]:PORT, NAME:PORT, :PORT or PORT"
static ts_status read_port(const char *text, const char *port, uint16_t *out, ts_error *e) {
    unsigned n = 0;
    const char *p = port;
    for (; *p >= '0' && *p <= '9' && p - port < 6; p++) n = n * 10 + (unsigned)(*p - '0');
    if (*p || p == port || n > 65535)
        return ts_fail(e, TS_USAGE, "--addr %s: `%s` is not a port (0 to 65535); " ADDRESS_FORMS " is expected", text,
                       port);
    *out = (uint16_t)n;
    return TS_OK;
}
/* Resolves a name to its first address, IPv4 before IPv6. */
static ts_status name_address(const char *text, const char *host, size_t len, ts_sys_addr *out, ts_error *e) {
    char name[254];
    const ts_sys_addr *a;
    size_t n = 0, best = 0;
    ts_sys_lookup *l = NULL;
    if (ts_sys_name_check(host, len, name) != TS_SYS_LOOKUP_OK)
        return ts_fail(e, TS_USAGE, "--addr %s: `%.*s` is neither an address nor a name; " ADDRESS_FORMS " is expected",
                       text, (int)(len > 60 ? 60 : len), host);
    ts_sys_lookups *all = ts_sys_lookups_new(1);
    ts_sys_lookup_result how = all ? ts_sys_lookup_start(all, name, &l) : TS_SYS_LOOKUP_NOMEM;
    while (how == TS_SYS_LOOKUP_OK && !ts_sys_lookup_done(l, &how, &a, &n))
        (void)ts_sys_poll(&(ts_sys_wait){.fd = ts_sys_lookup_fd(l)}, 1, TS_SYS_NO_DEADLINE);
    ts_status s = TS_OK;
    if (how != TS_SYS_LOOKUP_OK || !n) {
        s = ts_fail(e, TS_IO, "--addr %s: the name %s has no address that can be found", text, name);
    } else {
        while (best < n && a[best].v6) best++;
        *out = a[best < n ? best : 0];
    }
    ts_sys_lookup_free(l);
    ts_sys_lookups_free(all);
    return s;
}
/* :PORT and PORT mean every address of IPv4 and IPv6, like [::]:PORT. */
static ts_status read_address(const char *text, ts_sys_addr *out, ts_error *e) {
    const char *colon = strrchr(text, ':'), *host = text, *port = colon ? colon + 1 : text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    ts_sys_addr whole;
    uint16_t n = 0;
    if (*text != '[' && ts_sys_addr_parse(text, strlen(text), &whole))
        return ts_fail(e, TS_USAGE,
                       whole.v6 ? "--addr %s: a port is missing: [%s]:8080" : "--addr %s: a port is missing: %s:8080",
                       text, text);
    if (!colon && strspn(text, "0123456789") != strlen(text))
        return ts_fail(e, TS_USAGE, "--addr %s: a port is missing; " ADDRESS_FORMS " is expected", text);
    TS_TRY(read_port(text, port, &n, e));
    *out = (ts_sys_addr){.v6 = true};
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        if (!ts_sys_addr_parse(host + 1, len - 2, out) || !out->v6)
            return ts_fail(e, TS_USAGE, "--addr %s: an IPv6 address is expected between the brackets", text);
    } else if (len && !ts_sys_addr_parse(host, len, out)) {
        TS_TRY(name_address(text, host, len, out, e));
    } else if (len && out->v6) {
        return ts_fail(e, TS_USAGE, "--addr %s: an IPv6 address is written in brackets: [%.*s]:%u", text, (int)len,
                       host, n);
    }
    out->port = n;
    return TS_OK;
}

/* Reads argv, the policy and the files that they name, once. No thread reads any of them again. */
static ts_status grant(server *s, int argc, char **argv, ts_wasi **w, ts_error *e) {
    TS_TRY(ts_wasi_new(w, e));
    ts_wasi_set_stdio(*w, 0, -1); /* no request owns stdin or stdout */
    TS_TRY(ts_cli_options_read(TS_CLI_SERVE, argc, argv, *w, &s->o, e));
    if (s->o.set.policy.record || s->o.set.policy.replay)
        return ts_fail(e, TS_UNSUPPORTED,
                       "requests are neither recorded nor replayed: --record and --replay are run's");
    if (s->o.show_grants) return TS_OK;
    s->grants = ts_wasi_grants_new(*w);
    return TS_OK;
}

static void trace_line(void *data, const char *line, size_t len) {
    ts_cli_out_line(data, line, len); /* lines of several threads do not mix */
}

/* --- a request --- */
static bool respond(void *data, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body) {
    return ts_http_call_respond(data, status, headers, body);
}
static bool informational(void *data, uint16_t status, const ts_http_fields *headers) {
    return ts_http_call_informational(data, status, headers);
}
/* The guest returned an error instead of a response. The server sends a 500; the reason goes to the
 * operator. */
static void no_response(void *data, const ts_http_error *e) {
    ts_http_call *c = data;
    fprintf(stderr, "touchstone: %s %s: the response is an error: %s%s%s\n", ts_http_call_method(c),
            ts_http_call_shown_target(c), ts_http_code_name(e->code), e->has_text ? ": " : "",
            e->has_text ? e->text : "");
}

/* Reports to the server that the guest starts or stops waiting. */
static void waits(void *data, bool on) {
    worker *t = data;
    if (t->call) ts_http_call_waits(t->call, on);
}
static size_t watch(void *data, ts_sys_wait *files, uint64_t *deadline) {
    _Static_assert((int)TS_HTTP_WATCHED <= (int)TS_WASI_WATCHED, "room for the files");
    worker *t = data;
    return t->call ? ts_http_call_watch(t->call, files, deadline) : 0;
}
static ts_wasi_watched watched(void *data, const ts_sys_wait *files) {
    worker *t = data;
    if (!t->call) return TS_WASI_GO;
    switch (ts_http_call_watched(t->call, files)) {
    case TS_HTTP_PROCEED: return TS_WASI_GO;
    case TS_HTTP_KEEP_WAITING: return TS_WASI_WAIT_ON;
    case TS_HTTP_STOP: break;
    }
    return TS_WASI_STOP;
}

static void drop_instance(worker *t) {
    ts_lock_take(&t->lock);
    t->running = NULL;
    t->interrupted = false;
    ts_lock_give(&t->lock);
    ts_cstore_free(t->store);
    t->store = NULL;
    t->handle = NULL;
    t->left = 0;
    ts_wasi_reset(t->wasi);
}

static ts_status new_instance(worker *t, ts_error *e) {
    ts_cinstance *i;
    TS_TRY(ts_cstore_create(t->s->engine, &t->limits, &t->store, e));
    ts_cstore_set_host(t->store, t->wasi);
    ts_lock_take(&t->lock);
    t->running = t->store;
    ts_lock_give(&t->lock);
    ts_status s = ts_linked_instantiate(t->store, t->linked, &i, e);
    if (s == TS_NOMEM) ts_http_call_unavailable(t->call); /* there is no room for another instance */
    TS_TRY(s);
    t->handle = ts_cinstance_func(i, t->s->handler, "handle");
    t->left = t->s->o.serve.reuse ? t->s->o.serve.reuse : 1;
    return t->handle ? TS_OK : ts_fail(e, TS_UNLINKABLE, "%s has no function handle", t->s->handler);
}

static ts_status answer(worker *t, ts_error *e) {
    ts_http_call *c = t->call;
    if (t->s->o.set.policy.max_time_ns) ts_wasi_until(t->wasi, ts_sys_monotonic() + t->s->o.set.policy.max_time_ns);
    if (!ts_wasi_http_fields_fit(t->wasi, ts_http_call_headers(c))) {
        (void)ts_http_call_respond(c, 431, NULL, NULL);
        return TS_OK;
    }
    if (!t->store) TS_TRY(new_instance(t, e));
    ts_wasi_http_incoming in = {.method = ts_http_call_method(c),
                                .path_with_query = ts_http_call_target(c),
                                .scheme = ts_http_call_scheme(c),
                                .authority = ts_http_call_authority(c),
                                .headers = ts_http_call_headers(c),
                                .body = ts_http_call_body(c)};
    ts_wasi_http_responder r = {.respond = respond, .informational = informational, .error = no_response, .data = c};
    uint64_t request, outparam;
    TS_TRY(ts_wasi_http_incoming_new(t->wasi, &in, &r, &request, &outparam, e));
    ts_val args[2] = {{.handle = {.rep = request, .rt = t->request_type}},
                      {.handle = {.rep = outparam, .rt = t->outparam_type}}};
    ts_val none = {0};
    return ts_canon_call(t->store, t->handle, args, &none, &t->arena, e);
}

static void handle(void *data, void *thread_data, ts_http_call *call) {
    (void)data;
    worker *t = thread_data;
    if (!t) { /* reported by worker_new, which the thread calls again before the next request */
        ts_http_call_unavailable(call);
        return;
    }
    t->call = call;
    ts_error_init_frames(&t->e, t->frames, t->frames ? TS_MAX_FRAMES : 0);
    ts_status s = answer(t, &t->e);
    if (s != TS_OK) {
        if (t->e.status == TS_OK) (void)ts_fail(&t->e, s, "%s", ts_status_name(s));
        if (t->e.status == TS_INTERRUPTED && ts_http_call_timed_out(call)) {
            snprintf(t->e.message, sizeof t->e.message, "the request took longer than --request-timeout");
        } else if (t->e.status == TS_INTERRUPTED) {
            char most[TS_SIZE_TEXT];
            snprintf(t->e.message, sizeof t->e.message, "the time limit of a request was reached%s%s",
                     t->s->o.set.policy.max_time_ns ? ": " : "",
                     t->s->o.set.policy.max_time_ns ? ts_time_text(t->s->o.set.policy.max_time_ns, most) : "");
            if (t->s->o.set.policy.max_time_ns) t->e.limit = TS_LIMIT_TIME;
        }
        /* a client that left, or a server told to stop at once, is not a failure of the guest */
        if (t->e.status != TS_INTERRUPTED || !ts_http_call_abandoned(call)) {
            ts_cli_usage refused;
            ts_cli_usage_refused(&refused, t->store, t->wasi);
            ts_cli_report_of(&t->e, ts_http_call_method(call), ts_http_call_shown_target(call));
            ts_cli_usage_report(&refused, &t->s->o);
        }
    }
    ts_wasi_http_incoming_over(t->wasi, call);
    ts_arena_reset(&t->arena);
    if (s != TS_OK || t->interrupted || !t->left || --t->left == 0) drop_instance(t);
    t->call = NULL;
}

static void interrupt(void *data, void *thread_data) {
    (void)data;
    worker *t = thread_data;
    if (!t) return;
    ts_lock_take(&t->lock);
    if (t->running) {
        ts_store_interrupt(ts_cstore_core(t->running));
        ts_wasi_interrupt(t->wasi);
        t->interrupted = true;
    }
    ts_lock_give(&t->lock);
}

static void worker_free(void *data, void *thread_data) {
    (void)data;
    worker *t = thread_data;
    if (!t) return;
    if (t->store) drop_instance(t);
    ts_spares_free(t->spares);
    if (t->linker) { /* the thread owns its linker */
        ts_linked_free(t->linked);
        ts_linker_set_trace(t->linker, NULL); /* write the last line of this thread's trace */
    }
    ts_linker_free(t->linker);
    ts_wasi_free(t->wasi);
    ts_arena_free(&t->arena);
    ts_lock_destroy(&t->lock);
    free(t->frames);
    free(t);
}

static void *worker_new(void *data) {
    server *s = data;
    worker *t = calloc(1, sizeof *t);
    if (!t || !ts_lock_init(&t->lock)) {
        fprintf(stderr, "touchstone: no memory for a thread\n");
        free(t);
        return NULL;
    }
    t->s = s;
    t->frames = malloc(TS_MAX_FRAMES * sizeof *t->frames);
    ts_arena_init(&t->arena);
    ts_error_init_frames(&t->e, t->frames, t->frames ? TS_MAX_FRAMES : 0);
    ts_status st = ts_wasi_new_from(s->grants, &t->wasi, &t->e);
    if (st == TS_OK && s->trace.f) {
        st = ts_cli_linker(&s->o, t->wasi, &t->linker, &t->e);
        const ts_trace trace = ts_cli_trace(&s->o, trace_line, &s->trace);
        if (st == TS_OK) ts_linker_set_trace(t->linker, &trace);
        if (st == TS_OK) st = ts_component_link(t->linker, s->component, &t->linked, &t->e);
    } else {
        t->linked = s->linked;
    }
    if (st != TS_OK) {
        ts_cli_report(&t->e);
        worker_free(s, t);
        return NULL;
    }
    const ts_run_limits limits = ts_cli_limits(&s->o);
    t->limits = ts_store_limits_of(&limits);
    t->limits.spares = t->spares = ts_spares_new(); /* NULL: no pages are kept */
    ts_linker *l = t->linker ? t->linker : s->linker;
    t->request_type = ts_linker_resource(l, "wasi:http/types", "incoming-request");
    t->outparam_type = ts_linker_resource(l, "wasi:http/types", "response-outparam");
    ts_wasi_watch_waits(t->wasi, &(ts_wasi_watch){waits, watch, watched, t});
    return t;
}

static void log_line(void *data, const char *line) {
    server *s = data;
    ts_cli_out_line(&s->log_out, line, strlen(line));
}

/* --- the server --- */
/* Checks that the component exports wasi:http/incoming-handler of WASI 0.2. */
static ts_status find_handler(server *s, ts_error *e) {
    const ts_named_extern *x;
    TS_TRY(ts_cli_program_export(s->component, "wasi:http/incoming-handler", &x, e));
    s->handler = x->name;
    const ts_instance_type *t = x->type->instance;
    const ts_named_extern *f = t ? ts_instance_type_find(t, "handle", 6) : NULL;
    const ts_cfunc_type *ft = f ? f->type->func : NULL;
    if (ft && ft->n_params == 2 && !ft->result && ft->params[0].type->kind == TS_CT_OWN &&
        ft->params[1].type->kind == TS_CT_OWN)
        return TS_OK;
    return ts_fail(e, TS_UNLINKABLE, "%s of the component has no function handle as the text has it", s->handler);
}

static ts_status prepare(server *s, int argc, char **argv, ts_error *e) {
    ts_missing *missing = NULL;
    uint32_t n;
    ts_confinement confinement;
    const ts_cli_serve_options *o = &s->o.serve;
    ts_status st = grant(s, argc, argv, &s->wasi, e);
    if (st == TS_OK) st = read_address(o->addr ? o->addr : ADDRESS, &s->o.serve.config.addr, e);
    if (st != TS_OK || s->o.show_grants) {
        if (st == TS_OK) st = ts_cli_show_grants(&s->o, s->wasi, e);
        return st;
    }
    if (st == TS_OK && ts_cli_traces(&s->o)) {
        st = ts_cli_out_open(&s->trace, "the trace", s->o.trace_output, "w", e);
    }
    if (st == TS_OK && o->log) st = ts_cli_out_open(&s->log_out, "the log", o->log_path, "a", e);
    if (st == TS_OK) st = ts_cli_open(&s->o, false, &s->file, &s->engine, e);
    ts_sys_written_open(); /* for the spares */
    ts_confine_needs needs = {.listens = true, .port = s->o.serve.config.addr.port};
    if (st == TS_OK) st = ts_cli_confine(&s->o, s->wasi, s->engine, &needs, &confinement, e);
    if (st == TS_OK) st = ts_cli_load(&s->o, &s->file, s->engine, &s->component, e);
    if (st == TS_OK) st = find_handler(s, e);
    if (st == TS_OK) st = ts_cli_linker(&s->o, s->wasi, &s->linker, e);
    if (st == TS_OK) st = ts_cli_link_check(s->linker, s->component, s->o.set.unknown_imports_trap, &missing, &n, e);
    if (st == TS_OK) st = ts_component_link(s->linker, s->component, &s->linked, e);
    free(missing);
    return st;
}

/* Called from a signal handler. The process ends even if threads are blocked in a system call or run in a
 * loop: it has no state to save. */
#define AT_ONCE_NS 120000000u
static void stop(void *data) {
    server *s = data;
    ts_sys_exit_after(++s->stops > 1 ? AT_ONCE_NS : s->grace + 1000000000u, 0);
    ts_http_server_stop(s->http);
}

static void say_limits(const server *s) {
    uint32_t files, most = ts_http_server_connections(s->http, &files), asked = s->o.serve.config.max_connections;
    if (asked > most)
        fprintf(
            stderr,
            "touchstone: --max-connections %u: this process may open %u files (ulimit -Hn), some of which are not for "
            "connections: at most %u connections\n",
            asked, files, most);
}

static ts_status run(server *s, bool *ended, ts_error *e) {
    char err[200], host[64];
    ts_sys_addr a;
    s->o.serve.config.call_timeout_ns = s->o.set.policy.max_time_ns;
    ts_http_handler h = {.thread_new = worker_new,
                         .thread_free = worker_free,
                         .handle = handle,
                         .interrupt = interrupt,
                         .log = s->o.serve.log ? log_line : NULL,
                         .data = s};
    ts_sys_share_malloc(s->o.serve.config.threads ? s->o.serve.config.threads : ts_cpu_count());
    ts_http_server *hs = ts_http_server_new(&s->o.serve.config, &h, err);
    if (!hs && !ts_http_server_can()) return ts_fail(e, TS_UNSUPPORTED, "%s", err);
    if (!hs) return ts_fail(e, TS_IO, "cannot listen on %s: %s", s->o.serve.addr ? s->o.serve.addr : ADDRESS, err);
    s->http = hs;
    s->grace = s->o.serve.grace ? s->o.serve.grace : 30000000000u;
    if (!ts_sys_on_stop(stop, s)) {
        ts_status st = ts_fail(e, TS_IO, "cannot handle the signals that stop the server: %s", strerror(errno));
        ts_http_server_free(hs);
        return st;
    }
    say_limits(s);
    ts_http_server_address(hs, &a);
    ts_sys_addr_text(&a, host, sizeof host);
    fprintf(stderr, "Serving HTTP on http://%s/\n", host);
    *ended = ts_http_server_run(hs, s->grace);
    if (!*ended) return TS_OK;        /* a further signal still ends the process at once */
    (void)ts_sys_on_stop(NULL, NULL); /* if it fails, a signal stops a server that has stopped */
    ts_sys_exit_after(0, 0);
    if (*ended) ts_http_server_free(hs);
    return TS_OK;
}

int ts_cli_serve(int argc, char **argv) {
    server *s = calloc(1, sizeof *s);
    ts_error *e = malloc(sizeof *e);
    if (!s || !e) {
        fprintf(stderr, "touchstone: no memory\n");
        free(s);
        free(e);
        return TS_CLI_INTERNAL;
    }
    ts_error_init(e);
    bool ended = true;
    ts_status st = prepare(s, argc, argv, e);
    if (st == TS_OK && !s->o.show_grants) st = run(s, &ended, e);
    ts_cli_profile_end(s->engine, &s->o, e);
    if (st == TS_OK) st = e->status;
    /* a handler that is still running uses all of this and may hold any lock */
    if (!ended) ts_sys_exit_now(0, "touchstone: stopped while requests were under way\n");
    if (st != TS_OK && e->status == TS_OK) (void)ts_fail(e, st, "%s", ts_status_name(st));
    ts_cli_report(e);
    int status = ts_cli_status(e);
    if (s->log_out.failed || s->trace.failed) status = status ? status : TS_CLI_IO; /* reported already */
    bool written = ts_cli_out_close(&s->log_out);
    written = ts_cli_out_close(&s->trace) && written;
    if (!written && !status) status = TS_CLI_IO;
    ts_linked_free(s->linked);
    ts_linker_free(s->linker);
    ts_wasi_free(s->wasi);
    ts_component_free(s->component);
    ts_engine_free(s->engine);
    ts_sys_input_close(&s->file);
    ts_wasi_grants_free(s->grants);
    ts_cli_options_free(&s->o);
    free(s);
    free(e);
    return status;
}
