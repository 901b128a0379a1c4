/* option_table: see option_table.h. The functions that the rows name come first, then the rows in the
 * order of --help. */
#include "cli/option_table.h"
#include "cli/policy.h"
#include "cli/quantity.h"
#include "component/binary/component.h"
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* --- what a guest is granted --------------------------------------------------------------------------------------- */
static bool ends_in_mode(const char *s, size_t len) { /* in upper or lower case */
    return len > 3 && s[len - 3] == ':' && (s[len - 2] | 32) == 'r' &&
           ((s[len - 1] | 32) == 'o' || (s[len - 1] | 32) == 'w');
}
/* HOST[::GUEST][:ro|:rw]. HOST and GUEST may contain colons only if the mode is given. Otherwise a
 * mistyped mode would silently become part of a name. */
static ts_status dir(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    size_t len = strlen(value);
    bool ro = len > 3 && strcmp(value + len - 3, ":ro") == 0, rw = len > 3 && strcmp(value + len - 3, ":rw") == 0;
    if (ro || rw) len -= 3;
    char *host = strndup(value, len), *sep = host ? strstr(host, "::") : NULL, *guest = sep ? sep + 2 : host, *colon;
    if (!host) return ts_fail_nomem(e);
    if (sep) *sep = 0;
    ts_status s;
    if (!*host || !*guest || host[strlen(host) - 1] == ':' || (sep && (*guest == ':' || strstr(guest, "::"))))
        s = ts_fail(e, TS_USAGE, "--dir %s: HOST[::GUEST][:ro|:rw] expected", value);
    else if ((ro || rw) && ends_in_mode(guest, strlen(guest)))
        s = ts_fail(e, TS_USAGE, "--dir %s: two modes are given", value);
    else if (!ro && !rw && ((colon = strrchr(guest, ':')) || (colon = strrchr(host, ':'))))
        s = ts_fail(
            e, TS_USAGE,
            "--dir %s: %s is neither :ro nor :rw; a name of the guest stands behind ::, and :rw at the end makes "
            "colons part of a name",
            value, colon);
    else
        s = ts_wasi_allow_dir(r->w, host, guest, ro, e);
    free(host);
    return s;
}
static ts_status env(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    const char *eq = strchr(value, '=');
    size_t n = eq ? (size_t)(eq - value) : strlen(value);
    if (n == 0) return ts_fail(e, TS_USAGE, "--env %s: K=V expected", value);
    const char *v = eq ? eq + 1 : getenv(value);
    return v ? ts_wasi_set_env(r->w, value, n, v, e)
             : TS_OK; /* a variable that is not set here is not given to the guest */
}
static ts_status cwd(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_set_cwd(r->w, value, e);
}
static ts_status net(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    return ts_wasi_allow_address(r->w, (ts_wasi_net_use)o->detail, value, e);
}
static ts_status allow_name(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_allow_name(r->w, value, e);
}
static ts_status http_allow(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_allow_http(r->w, value, e);
}
static ts_status http_deny(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_deny_http(r->w, value, e);
}
static ts_status ca(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_set_http_ca(r->w, value, e);
}

/* --- words of -S --------------------------------------------------------------------------------------------------- */
static ts_status inherit_env(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    unsigned dropped = 0;
    const char *first = NULL;
    for (char **p = environ; *value == 'y' && *p; p++) {
        const char *eq = strchr(*p, '=');
        if (!eq || eq == *p) continue;
        ts_error why;
        ts_error_init(&why);
        ts_status s = ts_wasi_set_env(r->w, *p, (size_t)(eq - *p), eq + 1, &why);
        if (s == TS_USAGE) { /* not UTF-8, so it cannot be a string of the guest */
            if (!dropped++) first = *p;
        } else if (s != TS_OK)
            return ts_fail(e, s, "%s", why.message);
    }
    if (dropped)
        fprintf(stderr, "touchstone: inherit-env: %.*s%s not UTF-8 and left out\n", (int)strcspn(first, "="), first,
                dropped > 1 ? " and others are" : " is");
    return TS_OK;
}
static ts_status inherit_stdio(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)e;
    ts_wasi_set_stdio(r->w, (int)o->detail, *value == 'y' ? (int)o->detail : -1);
    return TS_OK;
}
enum { GRANT_NETWORK, GRANT_NAMES, GRANT_TCP, GRANT_UDP };
static ts_status network(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    static void (*const set[])(ts_wasi *, bool) = {[GRANT_NETWORK] = ts_wasi_allow_network,
                                                   [GRANT_NAMES] = ts_wasi_allow_names,
                                                   [GRANT_TCP] = ts_wasi_allow_tcp,
                                                   [GRANT_UDP] = ts_wasi_allow_udp};
    (void)e;
    set[o->detail](r->w, *value == 'y');
    return TS_OK;
}
enum { LIMIT_OBJECTS, LIMIT_FILES, LIMIT_RANDOM, LIMIT_HTTP_FIELDS };
static ts_status limit(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    static void (*const set[])(ts_wasi *, uint64_t) = {[LIMIT_OBJECTS] = ts_wasi_limit_objects,
                                                       [LIMIT_FILES] = ts_wasi_limit_files,
                                                       [LIMIT_RANDOM] = ts_wasi_limit_random,
                                                       [LIMIT_HTTP_FIELDS] = ts_wasi_limit_http_fields};
    uint64_t n;
    TS_TRY(ts_cli_quantity(o->name, value, TS_CLI_PLAIN, &n, e));
    set[o->detail](r->w, n);
    return TS_OK;
}

static ts_status max_disk(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    uint64_t n;
    TS_TRY(ts_cli_quantity("--max-disk", value, TS_CLI_BYTES, &n, e));
    (void)o;
    ts_wasi_limit_disk(r->w, n);
    return TS_OK;
}

/* --- the linker ---------------------------------------------------------------------------------------------------- */
static ts_status keep(char *s, ts_error *e) {
    return s ? TS_OK : ts_fail_nomem(e);
}
static ts_status push_denied(ts_cli_reading *r, const char *name, size_t len, ts_error *e) {
    char *s = strndup(name, len);
    TS_TRY(keep(s, e));
    if (ts_vec_push(&r->o->denied, s)) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}
static ts_status push_unstable(ts_cli_reading *r, const char *name, ts_error *e) {
    char *s = strdup(name);
    TS_TRY(keep(s, e));
    if (ts_vec_push(&r->o->unstable, s)) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}

static const char *interface_at(uint32_t i) { /* NULL after the last one */
    if (i < ts_wasi_def.n_funcs) return ts_wasi_def.funcs[i].interface;
    i -= ts_wasi_def.n_funcs;
    return i < ts_wasi_def.n_resources ? ts_wasi_def.resources[i].interface : NULL;
}
/* Accepts an interface or a package of WASI 0.2, with or without a 0.2 version. */
static bool is_interface(const char *value, size_t len, size_t *base, ts_cli_nearest *near) {
    const char *at = memchr(value, '@', len);
    size_t n = *base = at ? (size_t)(at - value) : len;
    bool known = false;
    const char *have;
    for (uint32_t i = 0; (have = interface_at(i)); i++) {
        if (n && strncmp(have, value, n) == 0 && (!have[n] || have[n] == '/')) known = true;
        ts_cli_nearest_see(near, have);
    }
    if (!at) return known;
    size_t left = len - n; /* @0.2 or @0.2.N: all versions of 0.2 are treated as one */
    if (left < 4 || memcmp(at, "@0.2", 4) != 0) return false;
    if (left == 4) return known;
    if (at[4] != '.' || left < 6 || left > 8 || (at[5] == '0' && left > 6)) return false;
    for (size_t i = 5; i < left; i++)
        if (at[i] < '0' || at[i] > '9') return false;
    return known;
}
#define DID_YOU_MEAN(near) (near).best ? "; did you mean " : "", (near).best ? (near).best : ""
/* Refuse a name that would deny or enable nothing: nobody would notice the mistake. */
static ts_status deny(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    size_t n, len = strlen(value);
    ts_cli_nearest near = ts_cli_nearest_to(value, strcspn(value, "@"));
    if (!is_interface(value, len, &n, &near))
        return ts_fail(e, TS_USAGE,
                       "--deny %s: WASI 0.2 has no such interface or package (wasi:clocks/wall-clock, wasi:http)%s%s",
                       value, DID_YOU_MEAN(near));
    return push_denied(r, value, n, e);
}
static ts_status unstable(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    bool known = strcmp(value, "cli-exit-with-code") == 0; /* stable since 0.2.12, but still accepted */
    ts_cli_nearest near = ts_cli_nearest_to(value, strlen(value));
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
        if (ts_wasi_def.funcs[i].unstable) {
            known |= strcmp(ts_wasi_def.funcs[i].unstable, value) == 0;
            ts_cli_nearest_see(&near, ts_wasi_def.funcs[i].unstable);
        }
    if (!known)
        return ts_fail(e, TS_USAGE, "--unstable %s: WASI 0.2 has no such feature%s%s", value, DID_YOU_MEAN(near));
    return push_unstable(r, value, e);
}
static ts_status unstable_word(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    return *value == 'y' ? push_unstable(r, o->name, e) : TS_OK;
}
static ts_status cli_word(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    for (uint32_t i = 0; *value == 'n' && i < ts_wasi_def.n_funcs; i++) {
        const char *have = ts_wasi_def.funcs[i].interface;
        if (strncmp(have, "wasi:cli/", 9) == 0 && strcmp(have, "wasi:cli/run") != 0)
            TS_TRY(push_denied(r, have, strlen(have), e));
    }
    return TS_OK;
}
static ts_status http_word(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    TS_TRY(ts_wasi_allow_http_all(r->w, *value == 'y', e));
    if (*value == 'y') return TS_OK;
    TS_TRY(push_denied(r, "wasi:http/types", strlen("wasi:http/types"), e));
    return push_denied(r, "wasi:http/outgoing-handler", strlen("wasi:http/outgoing-handler"), e);
}

/* --- runs ---------------------------------------------------------------------------------------------------------- */
static ts_status clock_option(ts_cli_reading *r, const ts_cli_option *o, const char *v, ts_error *e) {
    uint64_t seconds;
    (void)o;
    if (!ts_cli_clock(v, &seconds))
        return ts_fail(e, TS_USAGE, "--clock %s: seconds since 1970, or 2026-01-31T12:00:00Z expected", v);
    r->o->clock = true;
    ts_wasi_set_clock(r->w, seconds, 0);
    return TS_OK;
}
static ts_status seed_option(ts_cli_reading *r, const ts_cli_option *o, const char *v, ts_error *e) {
    size_t len = strlen(v);
    (void)o;
    if (!len || len > 19 || strspn(v, "0123456789") != len)
        return ts_fail(e, TS_USAGE, "--seed %s: a number of at most 19 digits expected", v);
    r->o->seed = true;
    ts_wasi_set_seed(r->w, strtoull(v, NULL, 10));
    return TS_OK;
}
static ts_status features(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    for (const char *at = value;; at++) {
        size_t n = strcspn(at, ",");
        ts_cli_nearest near = ts_cli_nearest_to(at, n);
        bool known = n == 3 && memcmp(at, "all", 3) == 0;
        const char *name;
        for (uint32_t i = 0; (name = ts_component_feature(i, NULL)); i++) {
            known |= strlen(name) == n && memcmp(name, at, n) == 0;
            ts_cli_nearest_see(&near, name);
        }
        if (!known && *value)
            return ts_fail(e, TS_USAGE, "--features %s: there is no feature `%.*s`%s%s", value, (int)(n > 60 ? 60 : n),
                           at, DID_YOU_MEAN(near));
        at += n;
        if (!*at) break;
    }
    uint32_t more = 0;
    TS_TRY(ts_component_features_parse(value, &more, e));
    r->o->features |= more;
    return TS_OK;
}
/* Each name is an interface or a package, in full or by its end: "wasi:io/streams", "io/streams", "streams",
 * "io". */
static ts_status trace(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    r->o->trace = r->o->trace_lines = true;
    r->o->trace_filter = value;
    for (const char *at = value; at; at++) {
        size_t n = strcspn(at, ",");
        bool known = false;
        const char *have;
        ts_cli_nearest near = ts_cli_nearest_to(at, n);
        for (uint32_t i = 0; (have = interface_at(i)); i++) {
            const char *short_name = strchr(have, ':') + 1, *last = strchr(have, '/') + 1;
            size_t package = (size_t)(last - 1 - have), short_package = (size_t)(last - 1 - short_name);
            const char *names[] = {have, short_name, last};
            for (int k = 0; k < 3; k++) {
                known |= strlen(names[k]) == n && memcmp(names[k], at, n) == 0;
                ts_cli_nearest_see(&near, names[k]);
            }
            known |= package == n && memcmp(have, at, n) == 0;
            known |= short_package == n && memcmp(short_name, at, n) == 0;
        }
        if (!known)
            return ts_fail(e, TS_USAGE, "--trace=%s: WASI 0.2 has no interface `%.*s`%s%s", value,
                           (int)(n > 60 ? 60 : n), at, DID_YOU_MEAN(near));
        at += n;
        if (!*at) break;
    }
    return TS_OK;
}
static ts_status trace_output(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    (void)e;
    r->o->trace = true;
    r->o->trace_output = value;
    return TS_OK;
}
static ts_status log_option(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    (void)e;
    r->o->serve.log = true;
    r->o->serve.log_path = value;
    return TS_OK;
}
static ts_status policy(ts_cli_reading *r, const ts_cli_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_cli_policy_read(r, value, e);
}

/* --- the rows ------------------------------------------------------------------------------------------------------ */
#define AT(field) offsetof(ts_cli_options, field)
#define CALL TS_CLI_APPLIES
#define RUN TS_CLI_RUN
#define SERVE TS_CLI_SERVE
#define BOTH (TS_CLI_RUN | TS_CLI_SERVE)
#define ONE TS_CLI_ONE
#define MANY TS_CLI_MANY
#define NOT TS_CLI_NOT
const ts_cli_option ts_cli_option_rows[] = {
    {"dir", "HOST[::GUEST][:ro|:rw]", TS_CLI_TEXT, MANY, BOTH, CALL, dir, 0,
     "give a directory to the guest, under the name GUEST [HOST]; ro: to read only. With a mode, names may have "
     "colons"},
    {"env", "K[=V]", TS_CLI_TEXT, MANY, BOTH, CALL, env, 0,
     "give an environment variable; without =V the value that it has here"},
    {"cwd", "GUEST", TS_CLI_TEXT, ONE, BOTH, CALL, cwd, 0, "the initial working directory [none]"},
    {"argv0", "NAME", TS_CLI_TEXT, NOT, BOTH, AT(argv0), NULL, 0,
     "the guest's first argument [the component's file name]"},
    {"S", "WORD[=y|n],…", TS_CLI_TEXT, NOT, BOTH, CALL, ts_cli_words_set, 0, "wasmtime's words, see below"},
    {"tcp-connect", "HOST:PORT", TS_CLI_TEXT, MANY, BOTH, CALL, net, TS_WASI_TCP_CONNECT,
     "connect to; HOST: an address, [IPv6], ADDRESS/BITS, * or a name; PORT: N, N-M or *"},
    {"tcp-listen", "ADDRESS:PORT", TS_CLI_TEXT, MANY, BOTH, CALL, net, TS_WASI_TCP_LISTEN,
     "bind and listen at; port 0: one that the system picks"},
    {"udp", "HOST:PORT", TS_CLI_TEXT, MANY, BOTH, CALL, net, TS_WASI_UDP_PEER,
     "exchange datagrams with; an own port of the system's choice comes with it"},
    {"udp-bind", "ADDRESS:PORT", TS_CLI_TEXT, MANY, BOTH, CALL, net, TS_WASI_UDP_BIND, "bind a UDP socket to"},
    {"allow-name", "NAME", TS_CLI_TEXT, MANY, BOTH, CALL, allow_name, 0, "look up this name; *.NAME: all below it"},
    {"http-allow", "HOST[:PORT]", TS_CLI_TEXT, MANY, BOTH, CALL, http_allow, 0,
     "send HTTP requests to; HOST: a name, an address, [IPv6], *.NAME or *"},
    {"http-deny", "ADDRESS[/BITS]", TS_CLI_TEXT, MANY, BOTH, CALL, http_deny, 0,
     "send none there, by whatever name; private: what is not reachable globally"},
    {"ca", "FILE", TS_CLI_TEXT, ONE, BOTH, CALL, ca, 0,
     "trust these certificates (PEM) in HTTPS requests, not the system's"},
    {"policy", "FILE.toml", TS_CLI_TEXT, NOT, BOTH, CALL, policy, 0,
     "the same in a file: the options' names are keys (dir = [\"h::g:ro\"]), words of -S too (inherit-network = true); "
     "[env] "
     "holds variables"},
    {"show-grants", NULL, TS_CLI_FLAG, NOT, BOTH, AT(show_grants), NULL, 0,
     "print what would be granted, as a policy, and end"},
    {"clock", "TIME", TS_CLI_TEXT, ONE, BOTH, CALL, clock_option, 0,
     "the guest's clock starts at TIME (seconds since 1970, or 2026-01-31T12:00:00Z) and moves 1 us a reading; waiting "
     "for "
     "time alone takes none"},
    {"seed", "N", TS_CLI_TEXT, ONE, BOTH, CALL, seed_option, 0, "all randomness from this number"},
    {"deterministic", NULL, TS_CLI_FLAG, ONE, BOTH, AT(deterministic), NULL, 0,
     "--clock 0 and --seed 0, where not given, and NaNs canonical"},
    {"record", "FILE", TS_CLI_TEXT, ONE, BOTH, AT(record), NULL, 0, "write every answer of the host"},
    {"replay", "FILE", TS_CLI_TEXT, ONE, BOTH, AT(replay), NULL, 0,
     "take every answer from there, nothing from the world; warn of what is not as it was recorded"},
    {"unstable", "NAME", TS_CLI_TEXT, MANY, BOTH, CALL, unstable, 0,
     "link the functions of an unstable feature (clocks-timezone, network-error-code …)"},
    {"features", "LIST", TS_CLI_TEXT, MANY, BOTH, CALL, features, 0,
     "of the component model, beyond WASI 0.2: see below"},
    {"deny", "INTERFACE", TS_CLI_TEXT, MANY, BOTH, CALL, deny, 0, "as if nothing provided it (wasi:clocks/wall-clock)"},
    {"invoke", "'NAME(ARGS)'", TS_CLI_TEXT, NOT, RUN, AT(invoke), NULL, 0,
     "call this export instead of wasi:cli/run, in WAVE notation, and print its result; of an interface: "
     "'IFACE#NAME(ARGS)'; of a core module without imports in the text format's notation: 1, 0x2a, 1.5, nan:0x1, "
     "(v128.const i64x2 1 2), (ref.null any), (ref.i31 1). NAME without (ARGS) takes the words behind the file"},
    {"unknown-imports-trap", NULL, TS_CLI_FLAG, ONE, BOTH, AT(unknown_imports_trap), NULL, 0,
     "run although imports are unknown or not implemented; a call of one traps"},
    {"trace", "=INTERFACE,…", TS_CLI_OPTIONAL, NOT, BOTH, CALL, trace, 0,
     "print each WASI call with its arguments and result on stderr"},
    {"trace-output", "FILE", TS_CLI_TEXT, NOT, BOTH, CALL, trace_output, 0, "… into a file"},
    {"trace-times", NULL, TS_CLI_FLAG, NOT, BOTH, AT(trace_times), NULL, 0,
     "… with the seconds since the start before each line, and those that the call took behind it"},
    {"trace-summary", NULL, TS_CLI_FLAG, NOT, RUN, AT(trace_summary), NULL, 0,
     "print a table at the end: time, calls, errors and bytes of each function; with --trace the lines too"},
    {"trace-all", NULL, TS_CLI_FLAG, NOT, BOTH, AT(trace_all), NULL, 0,
     "a line for each call; else calls that differ in nothing but a number that they return are counted in a "
     "line behind the first"},
    {"outcome", "FILE", TS_CLI_TEXT, NOT, RUN, AT(outcome), NULL, 0,
     "write how the run ended and what it has taken, as one JSON object, see below"},
    {"cache", "FOLDER", TS_CLI_TEXT, ONE, BOTH, AT(cache), NULL, 0,
     "remember there which code was valid, for quicker starts ($TOUCHSTONE_CACHE)"},
    {"max-memory", "SIZE", TS_CLI_SIZE, ONE, BOTH, AT(max_memory), NULL, 0,
     "of each linear memory (64MiB, 64m, 1GiB, 65536) [4GiB; of 64-bit ones 16GiB]"},
    {"max-disk", "SIZE", TS_CLI_SIZE, ONE, BOTH, CALL, max_disk, 0,
     "bytes that the guest may make files grow by, holes included: then the error is quota [not counted]"},
    {"max-table", "N", TS_CLI_NUMBER, ONE, BOTH, AT(max_table), NULL, 0,
     "elements of each table, handles of each component instance [10000000]"},
    {"max-depth", "N", TS_CLI_NUMBER, ONE, BOTH, AT(max_depth), NULL,
     500, /* each level uses some of the runtime's own stack */
     "calls nested through the host or between components, at most 500 [200]"},
    {"max-gc", "SIZE", TS_CLI_SIZE, ONE, BOTH, AT(max_gc), NULL, 0,
     "of the heap of structs, arrays and exceptions [1GiB]"},
    {"max-time", "TIME", TS_CLI_TIME, ONE, BOTH, AT(max_time_ns), NULL, 0,
     "of the whole run (10s, 500ms, 2m) [no limit]"},
    {"fuel", "N", TS_CLI_NUMBER, ONE, BOTH, AT(fuel), NULL, 0, "calls and loop iterations [no limit]"},
    {"stack", "SIZE", TS_CLI_SIZE, ONE, BOTH, AT(stack), NULL, 0, "of the guest's stack of values [8MiB]"},

    {"addr", "HOST:PORT", TS_CLI_TEXT, NOT, SERVE, AT(serve.addr), NULL, 0,
     "where to listen: an address ([IPv6]) or a name; without one, or with [::], every address of IPv4 and IPv6; port "
     "0: "
     "one that the system picks [127.0.0.1:8080]"},
    {"reuse", "N", TS_CLI_NUMBER, NOT, SERVE, AT(serve.reuse), NULL, 0,
     "one instance answers N requests of a thread, one after another [1]"},
    {"log", "=FILE", TS_CLI_OPTIONAL, NOT, SERVE, CALL, log_option, 0,
     "a line an answered request, on stderr or into FILE"},
    {"threads", "N", TS_CLI_NUMBER32, NOT, SERVE, AT(serve.config.threads), NULL, 0,
     "handlers that compute at once [cores]"},
    {"max-threads", "N", TS_CLI_NUMBER32, NOT, SERVE, AT(serve.config.max_threads), NULL, 0,
     "… and with those that wait [16384]"},
    {"queue-timeout", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.queue_timeout_ns), NULL, 0,
     "for a request or a connection to get a place: then 503 with Retry-After [1s]"},
    {"max-connections", "N", TS_CLI_NUMBER32, NOT, SERVE, AT(serve.config.max_connections), NULL, 0,
     "open at once, as far as ulimit -Hn allows; the one that is idle for longest gives way to a new one [100000]"},
    {"max-per-address", "N", TS_CLI_NUMBER32, NOT, SERVE, AT(serve.config.address_share), NULL, 0,
     "… of them one address (IPv6: a /64) keeps when others want in [half]"},
    {"max-requests", "N", TS_CLI_NUMBER, NOT, SERVE, AT(serve.config.max_requests), NULL, 0,
     "of one connection [no limit]"},
    {"max-head", "SIZE", TS_CLI_SIZE32, NOT, SERVE, AT(serve.config.max_head_bytes), NULL, 0,
     "request line and fields: 431 or 414 beyond [64KiB]"},
    {"max-body", "SIZE", TS_CLI_SIZE, NOT, SERVE, AT(serve.config.max_body_bytes), NULL, 0,
     "of a request: 413 beyond [no limit]"},
    {"head-timeout", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.head_timeout_ns), NULL, 0,
     "for a request's head to come: then 408 [10s]"},
    {"idle-timeout", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.idle_timeout_ns), NULL, 0,
     "between requests [60s]"},
    {"stall-timeout", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.stall_timeout_ns), NULL, 0,
     "a body that does not move while the guest waits for it [30s]"},
    {"min-rate", "BYTES", TS_CLI_SIZE, NOT, SERVE, AT(serve.config.min_rate), NULL, 0,
     "a second that a body moves at least, either way, while the guest waits for it; 1: hardly any [240]"},
    {"rate-window", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.rate_grace_ns), NULL, 0,
     "… on average over this time [10s]"},
    {"request-timeout", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.config.request_timeout_ns), NULL, 0,
     "for a request, to the end of its handler: then the guest's wait ends (--max-time: its loops too) [10m]"},
    {"grace", "TIME", TS_CLI_TIME, NOT, SERVE, AT(serve.grace), NULL, 0,
     "on SIGTERM and SIGINT, for what is under way to end; a second signal: none [30s]"},
    {"stop-after", "N", TS_CLI_NUMBER, NOT, SERVE, AT(serve.config.stop_after), NULL, 0, "end after N requests"},

    /* options of wasmtime, for users who come from there */
    {"W", "KEY[=VALUE],…", TS_CLI_TEXT, NOT, BOTH, CALL, ts_cli_wasm_words, 0, NULL},
    {"mapdir", "GUEST::HOST", TS_CLI_TEXT, NOT, BOTH, CALL, ts_cli_mapdir, 0, NULL},
    {0}};

const ts_cli_option ts_cli_word_rows[] = {
    {"cli", NULL, TS_CLI_SWITCH, NOT, BOTH, CALL, cli_word, 0, NULL},
    {"common", NULL, TS_CLI_SWITCH, NOT, BOTH, CALL, cli_word, 0, NULL},
    {"preview2", NULL, TS_CLI_SWITCH, NOT, BOTH, CALL, cli_word, 0, NULL},
    {"p2", NULL, TS_CLI_SWITCH, NOT, BOTH, CALL, cli_word, 0,
     "cli common preview2 p2: what is always there (=n: deny wasi:cli)"},
    {"inherit-env", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, inherit_env, 0, "all environment variables"},
    {"inherit-stdin", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, inherit_stdio, 0, NULL},
    {"inherit-stdout", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, inherit_stdio, 1, NULL},
    {"inherit-stderr", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, inherit_stdio, 2,
     "inherit-stdin inherit-stdout inherit-stderr: as they are by default (=n: closed)"},
    {"inherit-network", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, network, GRANT_NETWORK, "all addresses, by TCP and UDP"},
    {"allow-ip-name-lookup", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, network, GRANT_NAMES, "look up all names"},
    {"tcp", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, network, GRANT_TCP, NULL},
    {"udp", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, network, GRANT_UDP, "tcp udp: =n: not even sockets of that kind"},
    {"http", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, http_word, 0, "requests to all hosts (=n: deny wasi:http)"},
    {"network-error-code", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, unstable_word, 0, NULL},
    {"cli-exit-with-code", NULL, TS_CLI_SWITCH, ONE, BOTH, CALL, unstable_word, 0,
     "network-error-code cli-exit-with-code: unstable functions of those names"},
    {"max-resources", "N", TS_CLI_NUMBER, ONE, BOTH, CALL, limit, LIMIT_OBJECTS,
     "host objects that the guest may hold at once [1000000]"},
    {"max-files", "N", TS_CLI_NUMBER, ONE, BOTH, CALL, limit, LIMIT_FILES,
     "files, directories and sockets of the host open for it at once [no limit]"},
    {"max-random-size", "N", TS_CLI_NUMBER, ONE, BOTH, CALL, limit, LIMIT_RANDOM, "bytes of one call [256MiB]"},
    {"max-http-fields-size", "N", TS_CLI_NUMBER, ONE, BOTH, CALL, limit, LIMIT_HTTP_FIELDS,
     "bytes of the fields of one message [131072]"},
    {"cwd", "GUEST", TS_CLI_TEXT, NOT, BOTH, CALL, cwd, 0, "as --cwd"},
    {"http-outgoing-body-buffer-chunks", "N", TS_CLI_IGNORED, NOT, BOTH, CALL, NULL, 0, NULL},
    {"http-outgoing-body-chunk-size", "N", TS_CLI_IGNORED, NOT, BOTH, CALL, NULL, 0,
     "http-outgoing-body-buffer-chunks=N http-outgoing-body-chunk-size=N: read, and of no effect"},
#define ELSEWHERE(name) {name, NULL, TS_CLI_ELSEWHERE, NOT, BOTH, CALL, NULL, 0, NULL}
    ELSEWHERE("nn"),
    ELSEWHERE("nn-graph"),
    ELSEWHERE("threads"),
    ELSEWHERE("config"),
    ELSEWHERE("config-var"),
    ELSEWHERE("keyvalue"),
    ELSEWHERE("keyvalue-in-memory-data"),
    ELSEWHERE("tls"),
    ELSEWHERE("p3"),
    ELSEWHERE("preview0"),
    ELSEWHERE("listenfd"),
    ELSEWHERE("tcplisten"),
    {"hostcall-fuel", "N", TS_CLI_ELSEWHERE, NOT, BOTH, CALL, NULL, 1, NULL},
    {"max-component-handles", "N", TS_CLI_ELSEWHERE, NOT, BOTH, CALL, NULL, 1, NULL},
    {0}};

/* --- values to their targets --------------------------------------------------------------------------------------- */
const ts_cli_option *ts_cli_option_find(const ts_cli_option *rows, const char *name, size_t len) {
    for (; rows->name; rows++)
        if (strlen(rows->name) == len && memcmp(rows->name, name, len) == 0) return rows;
    return NULL;
}

static ts_status number(const ts_cli_option *o, const char *shown, const char *value, void *target, ts_error *e) {
    bool bytes = o->form == TS_CLI_SIZE || o->form == TS_CLI_SIZE32,
         is32 = o->form == TS_CLI_SIZE32 || o->form == TS_CLI_NUMBER32;
    uint64_t n, most = o->detail ? o->detail : is32 ? UINT32_MAX : UINT64_MAX;
    TS_TRY(ts_cli_quantity(shown, value,
                           bytes                    ? TS_CLI_BYTES
                           : o->form == TS_CLI_TIME ? TS_CLI_NANOSECONDS
                                                    : TS_CLI_PLAIN,
                           &n, e));
    if (n > most)
        return ts_fail(e, TS_USAGE, "%s: %s is out of range: at most %llu", shown, value, (unsigned long long)most);
    if (is32)
        *(uint32_t *)target = (uint32_t)n;
    else
        *(uint64_t *)target = n;
    return TS_OK;
}

ts_status ts_cli_option_set(ts_cli_reading *r, const ts_cli_option *o, const char *shown, const char *value,
                            ts_error *e) {
    void *target = o->target == TS_CLI_APPLIES ? NULL : (char *)r->o + o->target;
    uint64_t ignored;
    switch (o->form) {
    case TS_CLI_NUMBER:
    case TS_CLI_NUMBER32:
    case TS_CLI_SIZE:
    case TS_CLI_SIZE32:
    case TS_CLI_TIME:
        if (target) return number(o, shown, value, target, e);
        break;
    case TS_CLI_FLAG:
        if (target) {
            *(bool *)target = !value || *value == 'y';
            return TS_OK;
        }
        break;
    case TS_CLI_IGNORED: return ts_cli_quantity(shown, value, TS_CLI_PLAIN, &ignored, e);
    case TS_CLI_OPTIONAL:
        if (value && !*value) return ts_fail(e, TS_USAGE, "%s=: the value is empty", shown);
        break;
    case TS_CLI_TEXT:
    case TS_CLI_SWITCH:
    case TS_CLI_ELSEWHERE: break;
    }
    if (target) {
        *(const char **)target = value;
        return TS_OK;
    }
    return o->apply ? o->apply(r, o, value, e) : TS_OK;
}

/* Returns "y" or "n" for the spellings that wasmtime accepts, or NULL for anything else. */
static const char *yes_or_no(const char *value) {
    static const char *const yes[] = {"y", "yes", "true", "on", "1"}, *const no[] = {"n", "no", "false", "off", "0"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(value, yes[i]) == 0) return "y";
        if (strcmp(value, no[i]) == 0) return "n";
    }
    return NULL;
}

static ts_status word(ts_cli_reading *r, char *text, const char *list, ts_error *e) {
    (void)list;
    char *eq = strchr(text, '='), shown[64];
    if (eq) *eq++ = 0;
    const ts_cli_option *o = ts_cli_option_find(ts_cli_word_rows, text, strlen(text));
    if (!o) {
        ts_cli_nearest near = ts_cli_nearest_to(text, strlen(text));
        for (const ts_cli_option *w = ts_cli_word_rows; w->name; w++) ts_cli_nearest_see(&near, w->name);
        return ts_fail(e, TS_USAGE, "-S %s: there is no such word%s%s (touchstone --help lists them)", text,
                       DID_YOU_MEAN(near));
    }
    snprintf(shown, sizeof shown, "-S %s", o->name);
    if (o->argument && !o->detail && !eq && o->form != TS_CLI_ELSEWHERE)
        return ts_fail(e, TS_USAGE, "%s: %s=%s expected", shown, shown, o->argument);
    if (o->form == TS_CLI_ELSEWHERE && o->detail)
        return ts_fail(
            e, TS_USAGE,
            "%s: this limit of wasmtime's is not here (--max-table limits handles, --max-memory what calls take)",
            shown);
    if (o->argument && !eq) return ts_fail(e, TS_USAGE, "%s: %s=%s expected", shown, shown, o->argument);
    if (o->argument) return ts_cli_option_set(r, o, shown, eq, e);
    const char *value = yes_or_no(eq ? eq : "y");
    if (o->form == TS_CLI_ELSEWHERE && (!value || *value == 'y'))
        return ts_fail(e, TS_USAGE, "%s: this word of wasmtime's is not about WASI 0.2, which is all that is here",
                       shown);
    if (!value) return ts_fail(e, TS_USAGE, "%s=%s: y or n expected", shown, eq);
    return o->apply ? o->apply(r, o, value, e) : TS_OK;
}

ts_status ts_cli_each_word(ts_cli_reading *r, const char *option, const char *list, ts_cli_word word_fn, ts_error *e) {
    char *copy = strdup(list);
    if (!copy) return ts_fail_nomem(e);
    ts_status s = TS_OK;
    for (char *at = copy; at && s == TS_OK;) {
        char *next = strchr(at, ',');
        if (next) *next++ = 0;
        s = *at ? word_fn(r, at, list, e)
                : ts_fail(e, TS_USAGE, "%s %s: there is an empty word in the list", option, list);
        at = next;
    }
    free(copy);
    return s;
}
ts_status ts_cli_words_set(ts_cli_reading *r, const ts_cli_option *o, const char *list, ts_error *e) {
    (void)o;
    return ts_cli_each_word(r, "-S", list, word, e);
}

/* --- help ---------------------------------------------------------------------------------------------------------- */
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
void ts_cli_options_help(FILE *to, ts_cli_command command) {
    for (const ts_cli_option *o = ts_cli_option_rows; o->name; o++) {
        bool own = o->commands == TS_CLI_SERVE;
        char name[96];
        if (!o->help || own != (command == TS_CLI_SERVE)) continue;
        const char *dash = o->name[1] ? "--" : "-";
        if (o->form == TS_CLI_OPTIONAL)
            snprintf(name, sizeof name, "%s%s[%s]", dash, o->name, o->argument);
        else
            snprintf(name, sizeof name, "%s%s%s%s", dash, o->name, o->argument ? " " : "",
                     o->argument ? o->argument : "");
        row(to, name, o->help);
    }
}
void ts_cli_words_help(FILE *to) {
    for (const ts_cli_option *o = ts_cli_word_rows; o->name; o++) {
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
