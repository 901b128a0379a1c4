/* options: see options.h */
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/run.h"
#include "component/binary/component.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

const char ts_cli_run_help[] =
    "Options of run:\n"
    "  --dir HOST[::GUEST][:ro]      give a directory to the guest, under the name GUEST [HOST]; ro: to read only\n"
    "  --env K[=V]                   give an environment variable; without =V the value that it has here\n"
    "  --cwd GUEST                   the initial working directory [none]\n"
    "  --argv0 NAME                  the guest's first argument [the component's file name]\n"
    "  -S WORD[=y|n],…               wasmtime's words, see below\n"
    "  --tcp-connect HOST:PORT       connect to; HOST: an address, [IPv6], ADDRESS/BITS, * or a name; PORT: N, N-M or "
    "*\n"
    "  --tcp-listen ADDRESS:PORT     bind and listen at; port 0: one that the system picks\n"
    "  --udp HOST:PORT               exchange datagrams with; an own port of the system's choice comes with it\n"
    "  --udp-bind ADDRESS:PORT       bind a UDP socket to\n"
    "  --allow-name NAME             look up this name; *.NAME: all below it\n"
    "  --http-allow HOST[:PORT]      send HTTP requests to; HOST: a name, an address, [IPv6], *.NAME or *\n"
    "  --http-deny ADDRESS[/BITS]    send none there, by whatever name; private: what is not reachable globally\n"
    "  --ca FILE                     trust these certificates (PEM) in HTTPS requests, not the system's\n"
    "  --policy FILE.toml            the same in a file: the options' names are keys (dir = [\"h::g:ro\"]), words of "
    "-S too\n"
    "                                (inherit-network = true); [env] holds variables\n"
    "  --clock TIME                  the guest's clock starts at TIME (seconds since 1970, or 2026-01-31T12:00:00Z) "
    "and\n"
    "                                moves 1 us a reading; waiting for time alone takes none\n"
    "  --seed N                      all randomness from this number\n"
    "  --deterministic               --clock 0 and --seed 0, where not given, and NaNs canonical\n"
    "  --record FILE                 write every answer of the host\n"
    "  --replay FILE                 take every answer from there, nothing from the world\n"
    "  --unstable NAME               link the functions of an unstable feature (clocks-timezone, network-error-code "
    "…)\n"
    "  --features LIST               of the component model, beyond WASI 0.2: see below\n"
    "  --deny INTERFACE              as if nothing provided it (wasi:clocks/wall-clock)\n"
    "  --invoke 'NAME(ARGS)'         call this export instead of wasi:cli/run, in WAVE notation, and print its result; "
    "of an\n"
    "                                interface: 'IFACE#NAME(ARGS)'; of a core module without imports: numbers\n"
    "  --unknown-imports-trap        run although imports are unknown or not implemented; a call of one traps\n"
    "  --trace[=INTERFACE,…]         print each WASI call with its arguments and result on stderr\n"
    "  --trace-output FILE           … into a file\n"
    "  --outcome FILE                write how the run ended, as one JSON object\n"
    "  --cache FOLDER                remember there which code was valid, for quicker starts ($TOUCHSTONE_CACHE)\n"
    "  --max-memory SIZE             of each linear memory (64MiB, 1GiB, 65536) [4GiB; of 64-bit ones 16GiB]\n"
    "  --max-table N                 elements of each table, handles of each component instance [10000000]\n"
    "  --max-depth N                 calls nested through the host or between components, at most 500 [200]\n"
    "  --max-gc SIZE                 of the heap of structs, arrays and exceptions [1GiB]\n"
    "  --max-time TIME               of the whole run (10s, 500ms, 2m) [no limit]\n"
    "  --fuel N                      calls and loop iterations [no limit]\n"
    "  --stack SIZE                  of the guest's stack of values [8MiB]\n"
    "Words of -S:\n"
    "  cli common preview2 p2        what is always there (=n: deny wasi:cli)\n"
    "  inherit-env                   all environment variables\n"
    "  inherit-stdin inherit-stdout inherit-stderr   as they are by default (=n: closed)\n"
    "  inherit-network               all addresses, by TCP and UDP\n"
    "  allow-ip-name-lookup          look up all names\n"
    "  tcp udp                       =n: not even sockets of that kind\n"
    "  http                          requests to all hosts (=n: deny wasi:http)\n"
    "  network-error-code cli-exit-with-code         unstable functions of those names\n"
    "  max-resources=N               host objects that the guest may hold at once [1000000]\n"
    "  max-files=N                   files, directories and sockets of the host open for it at once [no limit]\n"
    "  max-random-size=N             bytes of one call [256MiB]\n"
    "  max-http-fields-size=N        bytes of the fields of one message [131072]\n"
    "  cwd=GUEST                     as --cwd\n"
    "  http-outgoing-body-buffer-chunks=N http-outgoing-body-chunk-size=N   read, and of no effect\n";

/* Takes the option's value: `--name=value`, or the next word. */
static bool is(const char *arg, const char *name, const char **value) {
    size_t n = strlen(name);
    if (strncmp(arg, name, n) != 0 || (arg[n] && arg[n] != '=')) return false;
    *value = arg[n] ? arg + n + 1 : NULL;
    return true;
}

typedef struct unit {
    const char *name;
    uint64_t factor;
} unit;
static const unit sizes[] = {{"", 1},        {"B", 1},           {"K", 1024},     {"KB", 1000},
                             {"KiB", 1024},  {"M", 1 << 20},     {"MB", 1000000}, {"MiB", 1 << 20},
                             {"G", 1 << 30}, {"GB", 1000000000}, {"GiB", 1 << 30}};
static const unit times[] = {{"", 1000000000}, {"s", 1000000000},   {"ms", 1000000},      {"us", 1000},
                             {"ns", 1},        {"m", 60000000000u}, {"h", 3600000000000u}};
static const unit none[] = {{"", 1}};

static ts_status quantity(const char *option, const char *s, const unit *units, size_t n, uint64_t *out, ts_error *e) {
    char *end;
    if (*s < '0' || *s > '9') return ts_fail(e, TS_USAGE, "%s: %s is not a number", option, s);
    double v = strtod(s, &end);
    for (size_t i = 0; i < n; i++)
        if (strcmp(end, units[i].name) == 0) {
            v *= (double)units[i].factor;
            if (v < 1 || v >= 9e18) return ts_fail(e, TS_USAGE, "%s: %s is out of range", option, s);
            *out = (uint64_t)v;
            return TS_OK;
        }
    return ts_fail(e, TS_USAGE, "%s: %s has no unit that is known here", option, s);
}

/* HOST[::GUEST][:ro] */
static ts_status dir(ts_wasi *w, const char *value, ts_error *e) {
    size_t len = strlen(value);
    bool ro = len > 3 && strcmp(value + len - 3, ":ro") == 0;
    if (ro) len -= 3;
    char *host = malloc(len + 1);
    if (!host) return ts_fail_nomem(e);
    memcpy(host, value, len);
    host[len] = 0;
    char *sep = strstr(host, "::");
    if (sep) *sep = 0;
    const char *guest = sep ? sep + 2 : host;
    ts_status s = *host && *guest ? ts_wasi_dir(w, host, guest, ro, e)
                                  : ts_fail(e, TS_USAGE, "--dir %s: HOST[::GUEST][:ro] expected", value);
    free(host);
    return s;
}

static ts_status env(ts_wasi *w, const char *value, ts_error *e) {
    const char *eq = strchr(value, '=');
    size_t n = eq ? (size_t)(eq - value) : strlen(value);
    if (n == 0) return ts_fail(e, TS_USAGE, "--env %s: K=V expected", value);
    const char *v = eq ? eq + 1 : getenv(value);
    return v ? ts_wasi_env(w, value, n, v, e) : TS_OK; /* not set here: not set there */
}

static ts_status inherit_env(ts_wasi *w, ts_error *e) {
    for (char **p = environ; *p; p++) {
        const char *eq = strchr(*p, '=');
        if (!eq || eq == *p) continue;
        ts_error skip;
        ts_error_init(&skip);
        ts_status s = ts_wasi_env(w, *p, (size_t)(eq - *p), eq + 1, &skip);
        if (s != TS_OK && s != TS_USAGE)
            return ts_fail(e, s, "%s", skip.message); /* USAGE: not UTF-8: no string of the guest's */
    }
    return TS_OK;
}

static bool is_one_of(const char *word, const char *list) { /* words between blanks */
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n])) return n > 0;
    return false;
}

/* What would deny nothing, or enable nothing, is a mistake that nobody would notice. */
static ts_status deny(ts_linker *l, const char *value, ts_error *e) {
    const char *at = strchr(value, '@');
    size_t n = at ? (size_t)(at - value) : strlen(value);
    bool known = false;
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs + ts_wasi_def.n_resources && n; i++) {
        const char *have =
            i < ts_wasi_def.n_funcs ? ts_wasi_def.funcs[i].interface : ts_wasi_def.resources[i - ts_wasi_def.n_funcs].interface;
        known |= strncmp(have, value, n) == 0 && (!have[n] || have[n] == '/');
    }
    if (!known || (at && strncmp(at, "@0.2", 4) != 0))
        return ts_fail(e, TS_USAGE,
                       "--deny %s: WASI 0.2 has no such interface or package (wasi:clocks/wall-clock, wasi:http)",
                       value);
    char *name = strndup(value, n); /* all versions of 0.2 are one */
    if (!name) return ts_fail_nomem(e);
    ts_linker_deny(l, name);
    free(name);
    return TS_OK;
}
static ts_status unstable(ts_linker *l, const char *value, ts_error *e) {
    bool known = strcmp(value, "cli-exit-with-code") == 0; /* stable since 0.2.12 */
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
        known |= ts_wasi_def.funcs[i].unstable && strcmp(ts_wasi_def.funcs[i].unstable, value) == 0;
    if (!known) return ts_fail(e, TS_USAGE, "--unstable %s: WASI 0.2 has no such feature", value);
    ts_linker_enable_unstable(l, value);
    return TS_OK;
}

static ts_status s_word(ts_wasi *w, ts_linker *l, char *word, ts_error *e) {
    char *eq = strchr(word, '=');
    const char *value = eq ? eq + 1 : "y";
    if (eq) *eq = 0;
    if (strcmp(word, "max-resources") == 0) {
        uint64_t n;
        TS_TRY(quantity("-S max-resources", value, none, 1, &n, e));
        ts_wasi_limit_objects(w, n);
        return TS_OK;
    }
    if (strcmp(word, "max-files") == 0) {
        uint64_t n;
        TS_TRY(quantity("-S max-files", value, none, 1, &n, e));
        ts_wasi_limit_files(w, n);
        return TS_OK;
    }
    if (strcmp(word, "max-random-size") == 0) {
        uint64_t n;
        TS_TRY(quantity("-S max-random-size", value, none, 1, &n, e));
        ts_wasi_limit_random(w, n);
        return TS_OK;
    }
    if (strcmp(word, "max-http-fields-size") == 0) {
        uint64_t n;
        TS_TRY(quantity("-S max-http-fields-size", value, none, 1, &n, e));
        ts_wasi_limit_http_fields(w, n);
        return TS_OK;
    }
    if (strcmp(word, "cwd") == 0)
        return eq ? ts_wasi_cwd(w, value, e) : ts_fail(e, TS_USAGE, "-S cwd: -S cwd=GUEST expected");
    if (is_one_of(word, "http-outgoing-body-buffer-chunks http-outgoing-body-chunk-size")) {
        uint64_t n; /* how much its host keeps of a body: ours has a size of its own */
        return quantity("-S http-outgoing-body-…", value, none, 1, &n, e);
    }
    if (is_one_of(word, "hostcall-fuel max-component-handles"))
        return ts_fail(
            e, TS_USAGE,
            "-S %s: this limit of wasmtime's is not here (--max-table limits handles, --max-memory what calls take)",
            word);
    bool yes = is_one_of(value, "y yes true on 1"), no = is_one_of(value, "n no false off 0");
    if (!no && is_one_of(word, "nn nn-graph threads config config-var keyvalue keyvalue-in-memory-data tls p3 preview0 "
                               "listenfd tcplisten"))
        return ts_fail(e, TS_USAGE, "-S %s: this word of wasmtime's is not about WASI 0.2, which is all that is here",
                       word);
    if (!yes && !no) return ts_fail(e, TS_USAGE, "-S %s=%s: y or n expected", word, value);
    if (is_one_of(word, "cli common preview2 p2")) {
        if (!yes)
            for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
                if (strncmp(ts_wasi_def.funcs[i].interface, "wasi:cli/", 9) == 0 &&
                    strcmp(ts_wasi_def.funcs[i].interface, "wasi:cli/run") != 0)
                    ts_linker_deny(l, ts_wasi_def.funcs[i].interface);
    } else if (strcmp(word, "inherit-env") == 0) {
        if (yes) return inherit_env(w, e);
    } else if (is_one_of(word, "inherit-stdin inherit-stdout inherit-stderr")) {
        int which = word[11] == 'i' ? 0 : word[11] == 'o' ? 1 : 2;
        ts_wasi_stdio(w, which, yes ? which : -1);
    } else if (strcmp(word, "inherit-network") == 0) {
        ts_wasi_allow_network(w, yes);
    } else if (strcmp(word, "allow-ip-name-lookup") == 0) {
        ts_wasi_allow_names(w, yes);
    } else if (strcmp(word, "tcp") == 0) {
        ts_wasi_allow_tcp(w, yes);
    } else if (strcmp(word, "udp") == 0) {
        ts_wasi_allow_udp(w, yes);
    } else if (strcmp(word, "http") == 0) {
        TS_TRY(ts_wasi_allow_http_all(w, yes, e));
        if (!yes) {
            ts_linker_deny(l, "wasi:http/types");
            ts_linker_deny(l, "wasi:http/outgoing-handler");
        }
    } else if (is_one_of(word, "network-error-code cli-exit-with-code")) {
        if (yes) ts_linker_enable_unstable(l, word);
    } else if (!is_one_of(word,
                          "nn nn-graph threads config config-var keyvalue keyvalue-in-memory-data tls p3 preview0 "
                          "listenfd tcplisten"))
        return ts_fail(e, TS_USAGE, "-S %s: there is no such word (touchstone --help lists them)", word);
    return TS_OK;
}

static ts_status s_list(ts_wasi *w, ts_linker *l, const char *value, ts_error *e) {
    char *copy = malloc(strlen(value) + 1);
    if (!copy) return ts_fail_nomem(e);
    strcpy(copy, value);
    ts_status s = TS_OK;
    for (char *at = copy; at && s == TS_OK;) {
        char *next = strchr(at, ',');
        if (next) *next++ = 0;
        if (*at) s = s_word(w, l, at, e);
        at = next;
    }
    free(copy);
    return s;
}

/* --- runs that repeat ----------------------------------------------------------------------------------------------
 */
/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t days(int64_t y, int64_t m, int64_t d) {
    if (m <= 2) y--, m += 12; /* the year begins in March, so that leap days come last */
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 1 - 719468;
}
static ts_status clock_option(ts_wasi *w, ts_cli_options *o, const char *v, ts_error *e) {
    int y, m, d, hour, min, sec, n = 0;
    size_t len = strlen(v);
    o->clock = true;
    if (len && len < 12 && strspn(v, "0123456789") == len) {
        ts_wasi_clock(w, strtoull(v, NULL, 10), 0);
        return TS_OK;
    }
    if (len == 20 && sscanf(v, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &m, &d, &hour, &min, &sec, &n) == 6 && n == 20 &&
        y >= 1970 && m >= 1 && m <= 12 && d >= 1 && d <= 31 && hour >= 0 && hour < 24 && min >= 0 && min < 60 &&
        sec >= 0 && sec < 60 && days(y, m, d) < days(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1)) {
        ts_wasi_clock(w, (uint64_t)days(y, m, d) * 86400 + (uint64_t)(hour * 3600 + min * 60 + sec), 0);
        return TS_OK;
    }
    return ts_fail(e, TS_USAGE, "--clock %s: seconds since 1970, or 2026-01-31T12:00:00Z expected", v);
}
static ts_status seed_option(ts_wasi *w, ts_cli_options *o, const char *v, ts_error *e) {
    size_t len = strlen(v);
    if (!len || len > 19 || strspn(v, "0123456789") != len)
        return ts_fail(e, TS_USAGE, "--seed %s: a number of at most 19 digits expected", v);
    o->seed = true;
    ts_wasi_seed(w, strtoull(v, NULL, 10));
    return TS_OK;
}

/* --- each option that has a value ----------------------------------------------------------------------------------
 */
typedef struct grants {
    ts_wasi *w;
    ts_linker *l;
    ts_cli_options *o;
} grants;
static ts_status policy_key(void *data, const char *table, const char *key, ts_cli_policy_kind kind, const char *value,
                            ts_error *e);

static ts_status apply(const char *name, const char *v, ts_wasi *w, ts_linker *l, ts_cli_options *o, bool in_policy,
                       ts_error *e) {
    ts_status s = TS_OK;
    if (strcmp(name, "--policy") == 0) {
        if (in_policy) return ts_fail(e, TS_USAGE, "a policy does not name another one");
        grants g = {w, l, o};
        s = ts_cli_policy_read(v, policy_key, &g, e);
    } else if (strcmp(name, "--record") == 0)
        s = ts_wasi_record(w, v, e);
    else if (strcmp(name, "--replay") == 0)
        s = ts_wasi_replay_from(w, v, e);
    else if (strcmp(name, "--clock") == 0)
        s = clock_option(w, o, v, e);
    else if (strcmp(name, "--seed") == 0)
        s = seed_option(w, o, v, e);
    else if (strcmp(name, "--dir") == 0)
        s = dir(w, v, e);
    else if (strcmp(name, "--env") == 0)
        s = env(w, v, e);
    else if (strcmp(name, "--cwd") == 0)
        s = ts_wasi_cwd(w, v, e);
    else if (strcmp(name, "--argv0") == 0)
        o->argv0 = v;
    else if (strcmp(name, "--tcp-connect") == 0)
        s = ts_wasi_allow(w, TS_WASI_TCP_CONNECT, v, e);
    else if (strcmp(name, "--tcp-listen") == 0)
        s = ts_wasi_allow(w, TS_WASI_TCP_LISTEN, v, e);
    else if (strcmp(name, "--udp") == 0)
        s = ts_wasi_allow(w, TS_WASI_UDP_PEER, v, e);
    else if (strcmp(name, "--udp-bind") == 0)
        s = ts_wasi_allow(w, TS_WASI_UDP_BIND, v, e);
    else if (strcmp(name, "--allow-name") == 0)
        s = ts_wasi_allow_name(w, v, e);
    else if (strcmp(name, "--http-allow") == 0)
        s = ts_wasi_allow_http(w, v, e);
    else if (strcmp(name, "--http-deny") == 0)
        s = ts_wasi_deny_http(w, v, e);
    else if (strcmp(name, "--ca") == 0)
        s = ts_wasi_http_ca(w, v, e);
    else if (strcmp(name, "-S") == 0)
        s = s_list(w, l, v, e);
    else if (strcmp(name, "--unstable") == 0)
        s = unstable(l, v, e);
    else if (strcmp(name, "--deny") == 0)
        s = deny(l, v, e);
    else if (strcmp(name, "--trace-output") == 0)
        o->trace_output = v, o->trace = true;
    else if (strcmp(name, "--outcome") == 0)
        o->outcome = v;
    else if (strcmp(name, "--features") == 0)
        s = ts_component_features_parse(v, &o->features, e);
    else if (strcmp(name, "--invoke") == 0)
        o->invoke = v;
    else if (strcmp(name, "--cache") == 0)
        o->cache = v;
    else if (strcmp(name, "--max-memory") == 0)
        s = quantity(name, v, sizes, sizeof sizes / sizeof *sizes, &o->max_memory, e);
    else if (strcmp(name, "--max-time") == 0)
        s = quantity(name, v, times, sizeof times / sizeof *times, &o->max_time_ns, e);
    else if (strcmp(name, "--max-table") == 0)
        s = quantity(name, v, none, 1, &o->max_table, e);
    else if (strcmp(name, "--max-depth") == 0) {
        s = quantity(name, v, none, 1, &o->max_depth, e);
        if (s == TS_OK && o->max_depth > 500)
            s = ts_fail(e, TS_USAGE, "%s: %s is out of range", name, v); /* each takes some of our own stack */
    } else if (strcmp(name, "--max-gc") == 0)
        s = quantity(name, v, sizes, sizeof sizes / sizeof *sizes, &o->max_gc, e);
    else if (strcmp(name, "--fuel") == 0)
        s = quantity(name, v, none, 1, &o->fuel, e);
    else
        s = quantity(name, v, sizes, sizeof sizes / sizeof *sizes, &o->stack, e);
    return s;
}

/* A key of a policy: of those that grant, the option or the word of -S of that name. */
static ts_status policy_key(void *data, const char *table, const char *key, ts_cli_policy_kind kind, const char *value,
                            ts_error *e) {
    grants *g = data;
    char word[96];
    if (table[0]) {
        if (kind != TS_CLI_POLICY_TEXT) return ts_fail(e, TS_USAGE, "%s: a string is expected", key);
        return ts_wasi_env(g->w, key, strlen(key), value, e);
    }
    if (kind == TS_CLI_POLICY_BOOL) {
        bool yes = value[0] == 't';
        if (strcmp(key, "deterministic") == 0) {
            g->o->deterministic = yes;
            return TS_OK;
        }
        if (!is_one_of(key,
                       "inherit-env inherit-stdin inherit-stdout inherit-stderr inherit-network allow-ip-name-lookup "
                       "tcp udp http network-error-code cli-exit-with-code"))
            return ts_fail(e, TS_USAGE, "there is no key %s that is true or false", key);
        snprintf(word, sizeof word, "%s=%s", key, yes ? "y" : "n");
        return s_word(g->w, g->l, word, e);
    }
    if (!is_one_of(
            key,
            kind == TS_CLI_POLICY_NUMBER
                ? "clock seed max-memory max-time max-table max-depth max-gc fuel stack"
                : "dir env cwd tcp-connect tcp-listen udp udp-bind allow-name http-allow http-deny ca deny unstable "
                  "clock max-memory "
                  "max-time max-gc stack"))
        return ts_fail(e, TS_USAGE, "there is no key %s with such a value", key);
    snprintf(word, sizeof word, "--%s", key);
    return apply(word, value, g->w, g->l, g->o, true, e);
}

static const char *named(const char *arg, const char *const *names, const char **value) {
    for (; names && *names; names++)
        if (is(arg, *names, value)) return *names;
    return NULL;
}
ts_status ts_cli_quantity(const char *option, const char *s, ts_cli_kind kind, uint64_t *out, ts_error *e) {
    switch (kind) {
    case TS_CLI_SIZE: return quantity(option, s, sizes, sizeof sizes / sizeof *sizes, out, e);
    case TS_CLI_TIME: return quantity(option, s, times, sizeof times / sizeof *times, out, e);
    case TS_CLI_NUMBER: break;
    }
    return quantity(option, s, none, 1, out, e);
}

ts_status ts_cli_options_read(int argc, char **argv, ts_wasi *w, ts_linker *l, const ts_cli_more *more,
                              ts_cli_options *o, ts_error *e) {
    *o = (ts_cli_options){0};
    const char *v;
    for (int i = 1; i < argc && argv[i][0] == '-'; i++) /* known before anything can fail */
        if (is(argv[i], "--outcome", &v)) o->outcome = v ? v : i + 1 < argc ? argv[i + 1] : NULL;
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--") == 0) {
            i++;
            break;
        }
        if (is(a, "--trace", &v)) { /* its value is never the next word */
            o->trace = true;
            o->trace_filter = v && *v ? v : NULL;
            continue;
        }
        if (strcmp(a, "--deterministic") == 0) {
            o->deterministic = true;
            continue;
        }
        if (strcmp(a, "--unknown-imports-trap") == 0) {
            o->unknown_imports_trap = true;
            continue;
        }
        static const char *const takes[] = {
            "--record",     "--replay",    "--policy",    "--clock",      "--seed",       "--tcp-connect",
            "--tcp-listen", "--udp",       "--udp-bind",  "--allow-name", "--dir",        "--env",
            "--cwd",        "--argv0",     "-S",          "--unstable",   "--deny",       "--trace-output",
            "--features",   "--outcome",   "--invoke",    "--max-memory", "--max-time",   "--fuel",
            "--stack",      "--max-table", "--max-depth", "--max-gc",     "--http-allow", "--http-deny",
            "--ca",         "--cache"};
        const char *name = more ? named(a, more->words, &v) : NULL;
        if (name) {
            TS_TRY(more->apply(more->data, name, v, e));
            continue;
        }
        bool others = more && (name = named(a, more->takes, &v));
        for (size_t k = 0; k < sizeof takes / sizeof *takes && !name; k++)
            if (is(a, takes[k], &v)) name = takes[k];
        if (!name && a[0] == '-' && a[1] == 'S') { /* -Shttp */
            name = "-S";
            v = a + 2;
        }
        if (!name) return ts_fail(e, TS_USAGE, "there is no option %s (touchstone --help lists them)", a);
        if (!v && ++i >= argc) return ts_fail(e, TS_USAGE, "%s needs a value", name);
        if (!v) v = argv[i];
        TS_TRY(others ? more->apply(more->data, name, v, e) : apply(name, v, w, l, o, false, e));
    }
    if (o->deterministic && !o->clock) ts_wasi_clock(w, 0, 0);
    if (o->deterministic && !o->seed) ts_wasi_seed(w, 0);
    if (i >= argc)
        return ts_fail(e, TS_USAGE, "%s: which component? (touchstone --help)", more ? more->command : "run");
    o->component = argv[i];
    o->args = argv + i + 1;
    o->n_args = argc - i - 1;
    return TS_OK;
}
