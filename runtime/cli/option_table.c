/* option_table: see option_table.h. The functions that the rows name come first, then the rows in the order
 * of --help. */
#include "cli/option_table.h"
#include <stddef.h>
#include <string.h>

/* The settings are the first member of our options. */
_Static_assert(offsetof(ts_cli_options, set) == 0, "see ts_reading");
static ts_cli_options *options(ts_reading *r) {
    return (ts_cli_options *)r->settings;
}

/* Each name is an interface or a package, in full or by its end: "wasi:io/streams", "io/streams", "streams",
 * "io". */
static ts_status trace(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    options(r)->trace = options(r)->trace_lines = true;
    options(r)->trace_filter = value;
    for (const char *at = value; at; at++) {
        size_t n = strcspn(at, ",");
        bool known = n == strlen(TS_P1_MODULE) && memcmp(at, TS_P1_MODULE, n) == 0;
        const char *have;
        ts_nearest near = ts_nearest_to(at, n);
        for (uint32_t i = 0; (have = ts_wasi_interface_at(i)); i++) {
            const char *short_name = strchr(have, ':') + 1, *last = strchr(have, '/') + 1;
            size_t package = (size_t)(last - 1 - have), short_package = (size_t)(last - 1 - short_name);
            const char *names[] = {have, short_name, last};
            for (int k = 0; k < 3; k++) {
                known |= strlen(names[k]) == n && memcmp(names[k], at, n) == 0;
                ts_nearest_see(&near, names[k]);
            }
            known |= package == n && memcmp(have, at, n) == 0;
            known |= short_package == n && memcmp(short_name, at, n) == 0;
        }
        if (!known)
            return ts_fail(e, TS_USAGE, "WASI 0.2 has no interface `%.*s`%s%s", (int)(n > 60 ? 60 : n), at,
                           TS_DID_YOU_MEAN(near));
        at += n;
        if (!*at) break;
    }
    return TS_OK;
}
static ts_status trace_output(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    (void)e;
    options(r)->trace = true;
    options(r)->trace_output = value;
    return TS_OK;
}
static ts_status log_option(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    (void)e;
    options(r)->serve.log = true;
    options(r)->serve.log_path = value;
    return TS_OK;
}
static ts_status policy(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_policy_read(r, value, e);
}

/* --- the rows --- */
#define AT(field) offsetof(ts_cli_options, field)
#define CALL TS_OPTION_APPLIES
#define RUN TS_CLI_RUN
#define SERVE TS_CLI_SERVE
#define BOTH (TS_CLI_RUN | TS_CLI_SERVE)
#define NEVER TS_OPTION_NEVER
#define HEADING(text) {"", NULL, TS_OPTION_TEXT, NEVER, BOTH, CALL, NULL, 0, text}
const ts_option ts_cli_rows[] = {
    HEADING("The command"),
    {"argv0", "NAME", TS_OPTION_ANY_TEXT, NEVER, BOTH, AT(argv0), NULL, 0,
     "the guest's first argument [the component's file name]"},
    {"S", "WORD[=y|n],…", TS_OPTION_LIST, NEVER, BOTH, CALL, ts_words_set, 0, "words of wasmtime's -S, listed below"},
    {"policy", "FILE.toml", TS_OPTION_LIST, NEVER, BOTH, CALL, policy, 0,
     "options in a file: their names are keys (dir = [\"h::g:ro\"]), words of -S too (inherit-network = true); [env] "
     "holds variables"},
    {"show-grants", NULL, TS_OPTION_FLAG, NEVER, BOTH, AT(show_grants), NULL, 0,
     "print the grants and limits as a policy, and exit"},
    {"invoke", "'NAME(ARGS)'", TS_OPTION_TEXT, NEVER, RUN, AT(invoke), NULL, 0,
     "call this export instead of wasi:cli/run, in WAVE notation, and print its result; of an interface: "
     "'IFACE#NAME(ARGS)'; of a core module in the text format's notation: 1, 0x2a, 1.5, nan:0x1, "
     "(v128.const i64x2 1 2), (ref.null any), (ref.i31 1). NAME without (ARGS) takes the words after the file"},
    {"trace", "=INTERFACE,…", TS_OPTION_OPTIONAL, NEVER, BOTH, CALL, trace, 0,
     "print each WASI call with its arguments and result on stderr"},
    {"trace-output", "FILE", TS_OPTION_TEXT, NEVER, BOTH, CALL, trace_output, 0, "… to a file"},
    {"trace-times", NULL, TS_OPTION_FLAG, NEVER, BOTH, AT(trace_times), NULL, 0,
     "… with the seconds since the start before each line, and the seconds that the call took after it"},
    {"trace-summary", NULL, TS_OPTION_FLAG, NEVER, RUN, AT(trace_summary), NULL, 0,
     "print a table at the end: time, calls, errors and bytes of each function; with --trace the lines too"},
    {"trace-all", NULL, TS_OPTION_FLAG, NEVER, BOTH, AT(trace_all), NULL, 0,
     "print a line for each call; by default, repeated calls that differ only in a number they return are counted in "
     "one line after the first"},
    {"outcome", "FILE", TS_OPTION_TEXT, NEVER, RUN, AT(outcome), NULL, 0,
     "write how the run ended and what it used as one JSON object, described below"},

    HEADING("Tools"),
    {"perf-map", NULL, TS_OPTION_FLAG, NEVER, BOTH, AT(perf_map), NULL, 0,
     "tell Linux perf the names of functions with machine code, in /tmp/perf-PID.map"},

    {"gdb-jit", NULL, TS_OPTION_FLAG, NEVER, BOTH, AT(gdb_jit), NULL, 0,
     "tell gdb the symbols of functions with machine code"},
    {"profile", "FILE", TS_OPTION_TEXT, NEVER, BOTH, AT(profile), NULL, 0,
     "sample which functions of the guest use the CPU time, 1000 times a second, and write it there at the end, for "
     "profiler.firefox.com and speedscope.app"},

    {"addr", "HOST:PORT", TS_OPTION_TEXT, NEVER, SERVE, AT(serve.addr), NULL, 0,
     "where to listen: an address ([IPv6]) or a name; [::] or no host: every address of IPv4 and IPv6; port 0: one "
     "that the system picks [127.0.0.1:8080]"},
    {"reuse", "N", TS_OPTION_NUMBER, NEVER, SERVE, AT(serve.reuse), NULL, 0,
     "one instance answers N requests of a thread, one after another [1]"},
    {"log", "=FILE", TS_OPTION_OPTIONAL, NEVER, SERVE, CALL, log_option, 0,
     "write a line for each answered request to stderr or to FILE"},
    {"threads", "N", TS_OPTION_NUMBER32, NEVER, SERVE, AT(serve.config.threads), NULL, 0,
     "handlers that compute at the same time [number of cores]"},
    {"max-threads", "N", TS_OPTION_NUMBER32, NEVER, SERVE, AT(serve.config.max_threads), NULL, 0,
     "… including those that wait [16384]"},
    {"queue-timeout", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.queue_timeout_ns), NULL, 0,
     "for a request or a connection to wait for a place; then 503 with Retry-After [1s]"},
    {"max-connections", "N", TS_OPTION_NUMBER32, NEVER, SERVE, AT(serve.config.max_connections), NULL, 0,
     "open connections, as far as ulimit -Hn allows; a new one replaces the one that has been idle longest [100000]"},
    {"max-per-address", "N", TS_OPTION_NUMBER32, NEVER, SERVE, AT(serve.config.address_share), NULL, 0,
     "… of which one address (IPv6: a /64) keeps this many when others need places [half]"},
    {"max-requests", "N", TS_OPTION_NUMBER, NEVER, SERVE, AT(serve.config.max_requests), NULL, 0,
     "requests of one connection [no limit]"},
    {"max-head", "SIZE", TS_OPTION_SIZE32, NEVER, SERVE, AT(serve.config.max_head_bytes), NULL, 0,
     "of the request line and fields; beyond: 431 or 414 [64KiB]"},
    {"max-body", "SIZE", TS_OPTION_SIZE, NEVER, SERVE, AT(serve.config.max_body_bytes), NULL, 0,
     "of the body of a request; beyond: 413 [no limit]"},
    {"head-timeout", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.head_timeout_ns), NULL, 0,
     "for a request's head to arrive; then 408 [10s]"},
    {"idle-timeout", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.idle_timeout_ns), NULL, 0,
     "for a connection to be idle between requests [60s]"},
    {"stall-timeout", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.stall_timeout_ns), NULL, 0,
     "for a body to make no progress while the guest waits for it [30s]"},
    {"min-rate", "BYTES", TS_OPTION_SIZE, NEVER, SERVE, AT(serve.config.min_rate), NULL, 0,
     "bytes per second that a body must move, in either direction, while the guest waits for it [240]"},
    {"rate-window", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.rate_grace_ns), NULL, 0,
     "… on average over this time [10s]"},
    {"request-timeout", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.config.request_timeout_ns), NULL, 0,
     "for a request, until its handler returns; then the guest's wait ends (--max-time also ends loops) [10m]"},
    {"grace", "TIME", TS_OPTION_TIME, NEVER, SERVE, AT(serve.grace), NULL, 0,
     "on SIGTERM and SIGINT, for running requests to finish; a second signal ends them at once [30s]"},
    {"stop-after", "N", TS_OPTION_NUMBER, NEVER, SERVE, AT(serve.config.stop_after), NULL, 0, "exit after N requests"},

    /* options of wasmtime, for users who come from there */
    {"W", "KEY[=VALUE],…", TS_OPTION_LIST, NEVER, BOTH, CALL, ts_cli_wasm_words, 0, NULL},
    {"mapdir", "GUEST::HOST", TS_OPTION_TEXT, NEVER, BOTH, CALL, ts_cli_mapdir, 0, NULL},
    {0}};

const ts_option *ts_cli_option_find(const char *name, size_t len) {
    const ts_option *o = ts_option_find(ts_cli_rows, name, len);
    return o ? o : ts_option_find(ts_policy_rows, name, len);
}

/* --- help --- */
static size_t columns(const char *s, size_t n) { /* counts UTF-8 characters */
    size_t c = 0;
    for (size_t i = 0; i < n; i++) c += ((unsigned char)s[i] & 0xc0) != 0x80;
    return c;
}
static void row(FILE *to, const char *name, const char *text) {
    enum { LEFT = 34, WIDTH = 110 };
    size_t at = columns(name, strlen(name)) + 2;
    fprintf(to, "  %s", name);
    if (at >= LEFT) {
        fprintf(to, "\n");
        at = 0;
    }
    fprintf(to, "%*s", (int)(LEFT - at), "");
    at = LEFT;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " "), c = columns(p, n);
        if (at > LEFT && at + 1 + c > WIDTH) {
            fprintf(to, "\n%*s", LEFT, "");
            at = LEFT;
        } else if (at > LEFT) {
            fprintf(to, " ");
            at++;
        }
        fprintf(to, "%.*s", (int)n, p);
        at += c;
        p += n + strspn(p + n, " ");
    }
    fprintf(to, "\n");
}
static void rows_help(FILE *to, const ts_option *o, bool of_serve, unsigned commands) {
    for (; o->name; o++) {
        char name[96];
        if (!o->help || !(o->commands & commands) || of_serve != (o->commands == TS_CLI_SERVE)) continue;
        if (!*o->name) {
            fprintf(to, "\n%s:\n", o->help);
            continue;
        }
        const char *dash = o->name[1] ? "--" : "-";
        if (o->form == TS_OPTION_OPTIONAL)
            snprintf(name, sizeof name, "%s%s[%s]", dash, o->name, o->argument);
        else
            snprintf(name, sizeof name, "%s%s%s%s", dash, o->name, o->argument ? " " : "",
                     o->argument ? o->argument : "");
        row(to, name, o->help);
    }
}
void ts_cli_options_help(FILE *to, unsigned commands) {
    rows_help(to, ts_policy_rows, false, commands);
    rows_help(to, ts_cli_rows, false, commands);
}
void ts_cli_serve_help(FILE *to) {
    rows_help(to, ts_cli_rows, true, TS_CLI_SERVE);
}
void ts_cli_words_help(FILE *to) {
    for (const ts_option *o = ts_word_rows; o->name; o++) {
        const char *colon = o->help ? strstr(o->help, ": ") : NULL;
        char name[96];
        if (!o->help) continue;
        /* a row about several words lists them at the start of its help text */
        bool several = colon && strncmp(o->help, o->name, strlen(o->name)) != 0 && strstr(o->help, o->name) &&
                       strstr(o->help, o->name) < colon;
        if (several)
            snprintf(name, sizeof name, "%.*s", (int)(colon - o->help), o->help);
        else
            snprintf(name, sizeof name, "%s%s%s", o->name, o->argument ? "=" : "", o->argument ? o->argument : "");
        row(to, name, several ? colon + 2 : o->help);
    }
}
