/* confine: see confine.h */
#include "cli/confine.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "sys/probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ts_status mode_of(ts_confine_mode asked, ts_confine_mode *out, ts_error *e) {
    *out = asked;
    const char *name = asked == TS_CONFINE_DEFAULT ? getenv("TOUCHSTONE_CONFINE") : NULL;
    if (!name || !*name || ts_confine_mode_named(name, out)) return TS_OK;
    return ts_fail(e, TS_USAGE, "TOUCHSTONE_CONFINE is %.40s: off, try or require is expected", name);
}

ts_status ts_cli_confine(const ts_cli_options *o, ts_wasi *w, const ts_engine *engine, ts_confine_needs *needs,
                         ts_confinement *out, ts_error *e) {
    ts_confine_mode mode;
    TS_TRY(mode_of(o->set.policy.confine, &mode, e));
    for (uint32_t i = 0; i < o->set.unstable.len; i++)
        needs->time_zones = needs->time_zones || strcmp(o->set.unstable.data[i], "clocks-timezone") == 0;
    needs->cache = ts_cli_cache_folder(o->set.policy.cache);
    needs->makes_code = ts_engine_tier(engine) != TS_TIER_INTERPRETED;
    return ts_wasi_confine(w, mode, needs, out, e);
}

ts_status ts_cli_confine_reader(const char *folder, bool makes_code, ts_error *e) {
    const ts_confine_needs needs = {.makes_code = makes_code};
    ts_confine_mode mode;
    ts_wasi *w = NULL;
    TS_TRY(mode_of(TS_CONFINE_DEFAULT, &mode, e));
    TS_TRY(ts_wasi_new(&w, e));
    ts_status s = folder ? ts_wasi_allow_dir(w, folder, "/", true, e) : TS_OK;
    if (s == TS_OK) s = ts_wasi_confine(w, mode, &needs, NULL, e);
    ts_wasi_free(w);
    return s;
}

const char *ts_cli_confine_name(ts_confine_mode mode) {
    static const char *const names[] = {[TS_CONFINE_DEFAULT] = "",
                                        [TS_CONFINE_OFF] = "off",
                                        [TS_CONFINE_TRY] = "try",
                                        [TS_CONFINE_REQUIRE] = "require"};
    return names[mode];
}

/* --- inspect --confinement --- */
static const char *yes(bool v) {
    return v ? "yes" : "no";
}
static void print(const ts_confinement *c) {
    printf("mode: %s\n", ts_cli_confine_name(c->mode));
    printf("no new privileges: %s\n", yes(c->no_new_privileges));
    printf("limits, and no core dumps: %s\n", yes(c->limits));
    printf("files: %s", c->files ? "only those of the grants" : "all that the user may open");
    printf(c->landlock ? " (Landlock %u)\n" : " (the kernel has no Landlock)\n", c->landlock);
    printf("TCP ports to connect to: %s\n", c->tcp_ports && !c->any_connect_port ? "only those of the grants" : "all");
    printf("TCP ports to listen on: %s\n", c->tcp_ports && !c->any_listen_port ? "only those of the grants" : "all");
    printf("system calls: %s\n", c->system_calls ? "only those of a list" : "all");
    printf("executable pages: %s\n", !c->system_calls ? "as before"
                                     : c->makes_code  ? "machine code, which cannot be written to any more"
                                                      : "none");
    printf("all threads: %s\n", yes(c->all_threads));
    if (*c->missing) printf("missing: %s\n", c->missing);
}
static void probe(void) {
    const ts_sys_probe *p;
    printf("what the kernel answers now:\n");
    for (size_t i = 0; (p = ts_sys_probe_at(i)); i++) {
        int answer = p->attempt();
        printf("  %-44s %s (%s)\n", p->name, ts_sys_probe_refused(answer) ? "refused" : "not refused",
               ts_sys_probe_text(answer));
    }
}

/* Reads the options of run. A component is not needed, as with --show-grants. */
static ts_status confine(int argc, char **argv, ts_wasi **w, ts_engine **engine, ts_cli_options *o, ts_confinement *out,
                         ts_error *e) {
    char grants_only[] = "--show-grants";
    argv[0] = grants_only;
    TS_TRY(ts_wasi_new(w, e));
    TS_TRY(ts_cli_options_read(TS_CLI_RUN, argc + 1, argv - 1, *w, o, e));
    ts_confine_needs needs = {.max_time_ns = o->set.policy.max_time_ns};
    TS_TRY(ts_engine_new(engine, e));
    TS_TRY(ts_cli_use_tier(*engine, o->set.policy.tier, e));
    return ts_cli_confine(o, *w, *engine, &needs, out, e);
}

int ts_cli_inspect_confinement(int argc, char **argv) {
    ts_error *e = ts_error_new();
    ts_cli_options o = {0};
    ts_confinement c = {0};
    ts_wasi *w = NULL;
    ts_engine *engine = NULL;
    if (!e) {
        fprintf(stderr, "touchstone: no memory\n");
        return TS_CLI_INTERNAL;
    }
    ts_status s = confine(argc, argv, &w, &engine, &o, &c, e);
    if (c.mode) {
        print(&c);
        probe();
        if (s == TS_OK) s = ts_cli_flush(e);
    }
    ts_cli_report(e);
    int status = ts_cli_status(e);
    ts_engine_free(engine);
    ts_wasi_free(w);
    ts_cli_options_free(&o);
    ts_error_free(e);
    return status;
}
