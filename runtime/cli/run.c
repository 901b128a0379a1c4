/* run: see run.h. Maps the file, validates it, links it, calls wasi:cli/run and reports how the run ended.
 * In: a component, or a core module (module.h), and its grants. Out: the exit status; --outcome, --trace. wit: wasi:cli/run */
#include "cli/run.h"
#include "cli/embed.h"
#include "cli/conditions.h"
#include "cli/confine.h"
#include "cli/invoke.h"
#include "cli/module.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/show_grants.h"
#include "sys/clock.h"
#include "sys/input.h"
#include "sys/killed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MISSING = 64 };

typedef struct run {
    ts_cli_options o;
    ts_wasi *wasi;
    ts_linker *linker;
    ts_engine *engine;
    ts_cstore *store;
    ts_component *component;
    ts_module *module;            /* in place of `component` */
    ts_p1 *preview1;              /* of `module` */
    const ts_named_extern *entry; /* the export that implements wasi:cli/run */
    ts_sys_input file;
    ts_cli_out trace;
    ts_missing *missing;
    uint32_t n_missing;
    ts_confinement confinement; /* zero until it holds */
} run;

/* Each line is flushed, so that the trace is complete however the guest ends. */
static void trace_line(void *data, const char *line, size_t len) {
    ts_cli_out_line(data, line, len);
}

/* Called from a signal handler. */
static void stop(void *data) {
    run *r = data;
    ts_wasi_interrupt(r->wasi);
    if (r->store) ts_store_interrupt(ts_cstore_core(r->store));
}

static ts_status set_up(run *r, int argc, char **argv, ts_error *e) {
    TS_TRY(ts_wasi_new(&r->wasi, e));
    TS_TRY(ts_cli_options_read(TS_CLI_RUN, argc, argv, r->wasi, &r->o, e));
    if (r->o.show_grants) return TS_OK;
    if (r->o.set.policy.record && r->o.set.policy.replay)
        return ts_fail(e, TS_USAGE, "--record and --replay exclude each other");
    if (!ts_cli_traces(&r->o)) return TS_OK;
    return ts_cli_out_open(&r->trace, "the trace", r->o.trace_output, "w", e);
}
/* Links WASI, after the context was told to record or replay. */
static ts_status link_host(run *r, ts_error *e) {
    TS_TRY(ts_cli_linker(&r->o, r->wasi, &r->linker, e));
    if (!r->trace.f) return TS_OK;
    const ts_trace t = ts_cli_trace(&r->o, trace_line, &r->trace);
    ts_linker_set_trace(r->linker, &t);
    return TS_OK;
}

bool ts_cli_traces(const ts_cli_options *o) {
    return o->trace || o->trace_times || o->trace_summary || o->trace_all;
}
ts_trace ts_cli_trace(const ts_cli_options *o, void (*line)(void *data, const char *line, size_t len), void *data) {
    return (ts_trace){.line = line,
                      .data = data,
                      .filter = o->trace_filter,
                      .fold = !o->trace_all,
                      .times = o->trace_times,
                      .summary = o->trace_summary,
                      .quiet = o->trace_summary && !o->trace_lines && !o->trace_times && !o->trace_all};
}

const char *ts_cli_cache_folder(const char *folder) {
    if (!folder) folder = getenv("TOUCHSTONE_CACHE");
    return folder && *folder ? folder : NULL;
}
void ts_cli_use_cache(ts_engine *engine, const char *folder, const ts_sys_input *file) {
    folder = ts_cli_cache_folder(folder);
    if (!folder) return;
    ts_error e;
    ts_error_init(&e);
    if (file->settled) ts_engine_cache_file(engine, file->bytes, file->len, file->identity);
    if (ts_engine_set_cache(engine, folder, &e) != TS_OK) fprintf(stderr, "touchstone: %s\n", e.message);
}

ts_status ts_cli_use_tier(ts_engine *engine, ts_tier tier, ts_error *e) {
    const char *name = getenv("TOUCHSTONE_ENGINE");
    if (tier == TS_TIER_DEFAULT && name && *name && !ts_tier_named(name, &tier))
        return ts_fail(e, TS_USAGE, "TOUCHSTONE_ENGINE is %.40s: interpreter, compiled or compiled-at-once is expected",
                       name);
    ts_engine_set_tier(engine, tier);
    return TS_OK;
}

void ts_cli_profile_end(ts_engine *engine, const ts_cli_options *o, ts_error *e) {
    ts_error why;
    ts_error_init(&why);
    if (!engine || !o->profile || ts_engine_profile_end(engine, &why) == TS_OK) return;
    if (e->status != TS_OK && e->status != TS_EXIT) return; /* that is reported: there may have been no profile */
    ts_error_clear(e);
    ts_error_copy(e, &why);
}

static bool is_core(const ts_sys_input *f) {
    return !ts_bytes_are_component(f->bytes, f->len) && f->len >= 8 && memcmp(f->bytes, "\0asm\1\0\0", 8) == 0;
}
ts_status ts_cli_load(const ts_cli_options *o, const ts_sys_input *f, ts_engine *engine, ts_component **out,
                      ts_error *e) {
    if (is_core(f))
        return ts_fail(e, TS_UNSUPPORTED,
                       "%s is a core module, not a component: only components can be served (wasm-tools component new "
                       "makes one of it, with an adapter if it uses preview 1; touchstone run runs it as it is)",
                       o->component);
    uint32_t features = TS_CF_DEFAULT;
    if (o->set.policy.features) TS_TRY(ts_component_features_parse(o->set.policy.features, &features, e));
    return ts_component_new(engine, f->bytes, f->len, false, features, out, e);
}
ts_status ts_cli_open(const ts_cli_options *o, bool map, ts_sys_input *file, ts_engine **engine, ts_error *e) {
    TS_TRY(ts_cli_program_open(o->component, map, file, e));
    TS_TRY(ts_engine_new(engine, e));
    ts_cli_use_cache(*engine, o->set.policy.cache, file);
    if (o->profile) TS_TRY(ts_engine_profile(*engine, o->profile, 0, e));
    if (o->gdb_jit) TS_TRY(ts_engine_set_gdb_jit(*engine, e));
    if (o->perf_map) TS_TRY(ts_engine_set_perf_map(*engine, e));
    if (o->set.policy.max_code) ts_engine_set_max_code(*engine, o->set.policy.max_code);
    return ts_cli_use_tier(*engine, o->set.policy.tier, e);
}
static ts_status record_or_replay(run *r, ts_error *e) {
    const ts_wasi_policy *p = &r->o.set.policy;
    if (is_core(&r->file))
        return ts_fail(e, TS_USAGE, "%s is a core module: only runs of components are recorded", r->o.component);
    char *here = ts_cli_conditions(&r->o, r->wasi);
    if (!here) return ts_fail_nomem(e);
    const char *recorded = NULL;
    ts_status s = p->record ? ts_wasi_record(r->wasi, p->record, r->file.bytes, r->file.len, here, e)
                            : ts_wasi_replay(r->wasi, p->replay, r->file.bytes, r->file.len, &recorded, e);
    if (s == TS_OK && recorded) ts_cli_conditions_compare(here, recorded);
    free(here);
    return s;
}
static ts_status load(run *r, ts_error *e) {
    TS_TRY(ts_cli_open(&r->o, true, &r->file, &r->engine, e));
    if (r->o.set.policy.record || r->o.set.policy.replay) TS_TRY(record_or_replay(r, e));
    const char *const writes[] = {r->o.outcome};
    ts_confine_needs needs = {
        .writes = writes, .n_writes = r->o.outcome != NULL, .max_time_ns = r->o.set.policy.max_time_ns};
    TS_TRY(ts_cli_confine(&r->o, r->wasi, r->engine, &needs, &r->confinement, e));
    if (is_core(&r->file)) {
        TS_TRY(ts_module_new(r->engine, r->file.bytes, r->file.len, false, &r->module, e));
        TS_TRY(ts_cli_module_check(&r->o, r->module, e));
    }
    TS_TRY(link_host(r, e));
    return r->module ? TS_OK : ts_cli_load(&r->o, &r->file, r->engine, &r->component, e);
}

static const char *gap(const ts_missing *m) {
    return m->name[0] && m->function[0] ? " " : "";
}

ts_status ts_cli_link_check(ts_linker *l, ts_component *c, bool missing_trap, ts_missing **missing, uint32_t *n_missing,
                            ts_error *e) {
    *n_missing = 0;
    *missing = calloc(MAX_MISSING, sizeof **missing);
    if (!*missing) return ts_fail_nomem(e);
    uint32_t n = 0;
    TS_TRY(ts_linker_check(l, c, *missing, MAX_MISSING, &n, e));
    if (!n || missing_trap) return TS_OK;
    *n_missing = n < MAX_MISSING ? n : MAX_MISSING;
    return ts_cli_link_error(*missing, *n_missing, n, e);
}
ts_status ts_cli_link_error(const ts_missing *m, uint32_t n_known, uint32_t n, ts_error *e) {
    for (uint32_t i = 0; i < n_known; i++)
        fprintf(stderr, "touchstone: import %s%s%s: %s\n", m[i].name, gap(&m[i]), m[i].function, m[i].reason);
    return ts_fail(e, TS_UNLINKABLE, "%u import%s cannot be linked; the first is %s%s%s: %s", n, n == 1 ? "" : "s",
                   m->name, gap(m), m->function, m->reason);
}

ts_run_limits ts_cli_limits(const ts_cli_options *o) {
    ts_run_limits l = o->set.policy.limits;
    l.deterministic = l.deterministic || o->canonical_nans;
    l.interruptible = o->set.policy.max_time_ns != 0;
    return l;
}

static ts_status call_run(run *r, ts_error *e) {
    const ts_run_limits limits = ts_cli_limits(&r->o);
    TS_TRY(ts_cstore_new(r->engine, &limits, &r->store, e));
    if (r->module) return ts_cli_module_run(&r->o, r->wasi, r->linker, r->store, r->module, &r->preview1, e);
    const ts_cli_call call = {.text = r->o.invoke, .words = r->o.args, .n_words = r->o.n_args};
    ts_cinstance *instance;
    TS_TRY(ts_component_instantiate(r->store, r->linker, r->component, &instance, e));
    if (r->o.invoke) return ts_cli_invoke(r->store, instance, &call, e);
    ts_cfunc *f = ts_cinstance_func(instance, r->entry->name, "run");
    if (!f) return ts_fail(e, TS_UNLINKABLE, "the component's wasi:cli/run has no function run");
    const ts_cfunc_type *t = ts_cfunc_get_type(f);
    if (t->n_params || !t->result || t->result->kind != TS_CT_RESULT)
        return ts_fail(e, TS_UNLINKABLE, "the component's wasi:cli/run run is not a func() -> result");
    ts_pool *pool = ts_pool_new();
    if (!pool) return ts_fail_nomem(e);
    ts_val result = {0};
    ts_status s = ts_cfunc_call(r->store, f, NULL, &result, pool, e);
    if (s == TS_OK && result.variant.disc != 0) { /* the program returned err: it reports a failure */
        s = ts_fail(e, TS_EXIT, "run returned an error");
        e->exit_status = 1;
    }
    ts_pool_free(pool);
    return s;
}

static void time_message(const run *r, char *buf, size_t size) {
    char text[TS_SIZE_TEXT];
    snprintf(buf, size, TS_CLI_TIME_MESSAGE, ts_time_text(r->o.set.policy.max_time_ns, text));
}

static ts_status perform(run *r, ts_error *e) {
    ts_sys_on_kill(r->o.outcome, TS_CLI_KILLED_LINE);
    ts_sys_on_truncated(r->o.outcome, TS_CLI_TRUNCATED_LINE, TS_CLI_IO);
    char message[100], line[256], said[192];
    time_message(r, message, sizeof message);
    snprintf(line, sizeof line, TS_CLI_TIME_LINE, message);
    snprintf(said, sizeof said, "touchstone: limit: %s (--max-time)\n", message);
    if (r->o.set.policy.max_time_ns)
        ts_sys_on_alarm(r->o.set.policy.max_time_ns, stop, r, r->o.outcome, line, said, TS_CLI_LIMIT);
    ts_status s = load(r, e);
    if (s == TS_OK && r->component && !r->o.invoke)
        s = ts_cli_program_export(r->component, "wasi:cli/run", &r->entry, e);
    if (s == TS_OK && r->component)
        s = ts_cli_link_check(r->linker, r->component, r->o.set.unknown_imports_trap, &r->missing, &r->n_missing, e);
    if (s == TS_OK && r->module)
        s = ts_cli_module_link_check(r->module, r->o.set.unknown_imports_trap, &r->missing, &r->n_missing, e);
    if (s == TS_OK) s = call_run(r, e);
    if (r->o.set.policy.max_time_ns) ts_sys_alarm_off();
    return s;
}

int ts_cli_run(int argc, char **argv) {
    run *r = calloc(1, sizeof *r);
    ts_error *e = ts_error_new();
    if (!r || !e) {
        fprintf(stderr, "touchstone: no memory\n");
        free(r);
        ts_error_free(e);
        return TS_CLI_INTERNAL;
    }
    const uint64_t started = ts_sys_monotonic();
    ts_status s = set_up(r, argc, argv, e);
    if (s == TS_OK) s = r->o.show_grants ? ts_cli_show_grants(&r->o, r->wasi, e) : perform(r, e);
    if (r->wasi && (s == TS_OK || s == TS_EXIT)) {
        ts_error late;
        ts_error_init(&late);
        ts_status end = ts_wasi_record_end(r->wasi, &late);
        if (end != TS_OK) { /* a failed record or replay outranks an exit */
            s = end;
            ts_error_copy(e, &late);
        }
    } else if (r->wasi) {
        ts_error late; /* the first report is kept; this one is only printed */
        ts_error_init(&late);
        if (ts_wasi_record_end(r->wasi, &late) != TS_OK) fprintf(stderr, "touchstone: %s\n", late.message);
    }
    /* a failure without a report */
    if (s != TS_OK && e->status == TS_OK) (void)ts_fail(e, s, "%s", ts_status_name(s));
    if (e->status == TS_INTERRUPTED) {
        time_message(r, e->message, sizeof e->message);
        e->limit = TS_LIMIT_TIME;
    }
    if (r->linker) ts_linker_set_trace(r->linker, NULL); /* write the last lines of the trace */
    ts_cli_profile_end(r->engine, &r->o, e);
    if (!ts_cli_out_close(&r->trace) && (e->status == TS_OK || e->status == TS_EXIT)) {
        ts_error_clear(e);
        (void)ts_fail(e, TS_IO, "the trace could not be written");
    }
    ts_cli_report(e);
    int status = ts_cli_status(e);
    ts_cli_usage usage = {0};
    if (r->o.outcome)
        ts_cli_usage_take(&usage, r->store, r->wasi, started);
    else if (status)
        ts_cli_usage_refused(&usage, r->store, r->wasi);
    if (r->o.outcome || status) ts_cli_usage_report(&usage, &r->o);
    const ts_cli_ending ending = {
        .missing = r->missing, .n_missing = r->n_missing, .usage = &usage, .confinement = &r->confinement};
    if (r->o.outcome && !ts_cli_outcome(r->o.outcome, e, &ending) && (e->status == TS_OK || e->status == TS_EXIT))
        status = TS_CLI_IO;
    ts_p1_free(r->preview1);
    ts_cstore_free(r->store);
    ts_component_free(r->component);
    if (r->module) ts_core_module_free(r->module);
    ts_linker_free(r->linker);
    ts_engine_free(r->engine);
    ts_wasi_free(r->wasi);
    ts_sys_input_close(&r->file);
    ts_cli_options_free(&r->o);
    free(r->missing);
    free(r);
    ts_error_free(e);
    return status;
}

int ts_cli_validate(int argc, char **argv) {
    const char *list = NULL, *path = argv[argc - 1];
    if (argc == 4 && strcmp(argv[1], "--features") == 0)
        list = argv[2];
    else if (argc == 3 && strncmp(argv[1], "--features=", 11) == 0)
        list = argv[1] + 11;
    else if (argc != 2)
        path = NULL;
    if (!path || (path[0] == '-' && path[1])) {
        fprintf(stderr, "touchstone: usage: touchstone validate [--features LIST] FILE\n");
        return TS_CLI_USAGE;
    }
    ts_error err, *e = &err;
    ts_error_init(e);
    ts_sys_input file = {0};
    ts_engine *engine = NULL;
    ts_component *c = NULL;
    ts_module *m = NULL;
    uint32_t features = TS_CF_DEFAULT;
    ts_error why;
    ts_error_init(&why);
    ts_status s = list ? ts_features_check(list, &why) : TS_OK;
    if (s != TS_OK) s = ts_fail(e, s, *list ? "--features %s: %s" : "--features%s: %s", list, why.message);
    if (s == TS_OK && list) s = ts_component_features_parse(list, &features, e);
    if (s == TS_OK) s = ts_cli_program_open(path, true, &file, e);
    if (s == TS_OK) s = ts_cli_confine_reader(NULL, false, e);
    if (s == TS_OK) s = ts_engine_new(&engine, e);
    if (s == TS_OK)
        s = ts_bytes_are_component(file.bytes, file.len)
                ? ts_component_new(engine, file.bytes, file.len, false, features, &c, e)
                : ts_module_new(engine, file.bytes, file.len, false, &m, e);
    if (s != TS_OK && e->status == TS_OK) (void)ts_fail(e, s, "%s", ts_status_name(s));
    ts_cli_report(e);
    int status = ts_cli_status(e);
    ts_component_free(c);
    if (m) ts_core_module_free(m);
    ts_engine_free(engine);
    ts_sys_input_close(&file);
    return status;
}
