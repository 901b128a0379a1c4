/* rows: see option.h. The functions that the rows name come first, then the rows in the order of --help. */
#include "wasi/policy/option.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* --- what a guest is granted --- */
static bool is_mode(const char *s, size_t len) { /* "ro" or "rw", in upper or lower case */
    return len == 2 && (s[0] | 32) == 'r' && ((s[1] | 32) == 'o' || (s[1] | 32) == 'w');
}
/* Returns the end of a name that looks like a mode after a wrong separator: ",ro" of "/data,ro", or NULL. */
static const char *mistyped_mode(const char *name) {
    static const char *const modes[] = {"ro", "rw", "r", "w", "readonly", "read-only", "readwrite", "read-write"};
    const char *at = strpbrk(name, ",;=@+ ");
    for (const char *next; at && (next = strpbrk(at + 1, ",;=@+ ")) != NULL;) at = next;
    for (size_t i = 0; at && i < sizeof modes / sizeof *modes; i++)
        if (strcasecmp(at + 1, modes[i]) == 0) return at;
    return NULL;
}
/* HOST[::GUEST][:ro|:rw]. HOST and GUEST may contain colons, and end in what looks like a mode, only if the
 * mode is given. Otherwise a mistyped mode would silently become part of a name, and the directory could be
 * written to. */
static ts_status dir(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    size_t len = strlen(value);
    bool ro = len > 3 && strcmp(value + len - 3, ":ro") == 0, rw = len > 3 && strcmp(value + len - 3, ":rw") == 0;
    if (ro || rw) len -= 3;
    char *host = strndup(value, len), *sep = host ? strstr(host, "::") : NULL, *guest = sep ? sep + 2 : host;
    if (!host) return ts_fail_nomem(e);
    if (sep) *sep = 0;
    const char *colon = strrchr(guest, ':'), *wrong = colon ? colon : strrchr(host, ':');
    if (!wrong) wrong = mistyped_mode(guest);
    ts_status s;
    if (!*host || !*guest || host[strlen(host) - 1] == ':' || (sep && (*guest == ':' || strstr(guest, "::"))))
        s = ts_fail(e, TS_USAGE, "HOST[::GUEST][:ro|:rw] is expected");
    else if ((ro || rw) && colon && is_mode(colon + 1, strlen(colon + 1)))
        s = ts_fail(e, TS_USAGE, "two modes are given");
    else if (!ro && !rw && wrong)
        s = ts_fail(e, TS_USAGE,
                    "%s is neither :ro nor :rw; if it is part of a name, end with :rw, and write the guest's name "
                    "after ::",
                    wrong);
    else
        s = ts_wasi_allow_dir(r->w, host, guest, ro, e);
    free(host);
    return s;
}
static ts_status env(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    const char *eq = strchr(value, '=');
    size_t n = eq ? (size_t)(eq - value) : strlen(value);
    if (n == 0) return ts_fail(e, TS_USAGE, "K=V is expected");
    const char *v = eq ? eq + 1 : getenv(value);
    return v ? ts_wasi_set_env(r->w, value, n, v, e)
             : TS_OK; /* a variable that is not set here is not given to the guest */
}
static ts_status cwd(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_set_cwd(r->w, value, e);
}
static ts_status net(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    return ts_wasi_allow_address(r->w, (ts_wasi_net_use)o->detail, value, e);
}
static ts_status allow_name(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_allow_name(r->w, value, e);
}
static ts_status http_allow(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_allow_http(r->w, value, e);
}
static ts_status http_deny(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_deny_http(r->w, value, e);
}
static ts_status ca(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    return ts_wasi_set_http_ca(r->w, value, e);
}

/* --- words of -S --- */
/* Copies a name, with bytes that are not printable ASCII as \xHH. */
static void printable(const char *s, size_t len, char *out, size_t size) {
    size_t at = 0;
    for (size_t i = 0; i < len && at + 8 < size; i++) {
        unsigned char c = (unsigned char)s[i];
        at += (size_t)snprintf(out + at, size - at, c < 0x20 || c >= 0x7f || c == '\\' ? "\\x%02x" : "%c", c);
        if (at + 8 >= size) at += (size_t)snprintf(out + at, size - at, "…");
    }
    out[at] = 0;
}
static ts_status inherit_env(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
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
    if (dropped && r->note) {
        char name[200], text[300];
        printable(first, strcspn(first, "="), name, sizeof name);
        snprintf(text, sizeof text, "inherit-env: %s%s not UTF-8 and left out", name,
                 dropped > 1 ? " and others are" : " is");
        r->note(r->note_data, text);
    }
    return TS_OK;
}
static ts_status inherit_stdio(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)e;
    ts_wasi_set_stdio(r->w, (int)o->detail, *value == 'y' ? (int)o->detail : -1);
    return TS_OK;
}
enum { GRANT_NETWORK, GRANT_NAMES, GRANT_TCP, GRANT_UDP };
static ts_status network(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    static void (*const set[])(ts_wasi *, bool) = {[GRANT_NETWORK] = ts_wasi_allow_network,
                                                   [GRANT_NAMES] = ts_wasi_allow_names,
                                                   [GRANT_TCP] = ts_wasi_allow_tcp,
                                                   [GRANT_UDP] = ts_wasi_allow_udp};
    (void)e;
    set[o->detail](r->w, *value == 'y');
    return TS_OK;
}
enum { LIMIT_OBJECTS, LIMIT_FILES, LIMIT_RANDOM, LIMIT_HTTP_FIELDS };
static ts_status limit(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    static void (*const set[])(ts_wasi *, uint64_t) = {[LIMIT_OBJECTS] = ts_wasi_limit_objects,
                                                       [LIMIT_FILES] = ts_wasi_limit_files,
                                                       [LIMIT_RANDOM] = ts_wasi_limit_random,
                                                       [LIMIT_HTTP_FIELDS] = ts_wasi_limit_http_fields};
    uint64_t n;
    TS_TRY(ts_quantity_parse(value, TS_QUANTITY_PLAIN, &n, e));
    set[o->detail](r->w, n);
    return TS_OK;
}

static ts_status max_disk(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    uint64_t n;
    TS_TRY(ts_quantity_parse(value, TS_QUANTITY_BYTES, &n, e));
    (void)o;
    ts_wasi_limit_disk(r->w, n);
    return TS_OK;
}

static ts_status confine(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    if (ts_confine_mode_named(value, &r->settings->policy.confine)) return TS_OK;
    return ts_fail(e, TS_USAGE, "off, try or require is expected");
}

/* --- the linker --- */
static ts_status keep(char *s, ts_error *e) {
    return s ? TS_OK : ts_fail_nomem(e);
}
static ts_status push_denied(ts_reading *r, const char *name, size_t len, ts_error *e) {
    char *s = strndup(name, len);
    TS_TRY(keep(s, e));
    if (ts_vec_push(&r->settings->denied, s)) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}
static ts_status push_unstable(ts_reading *r, const char *name, ts_error *e) {
    char *s = strdup(name);
    TS_TRY(keep(s, e));
    if (ts_vec_push(&r->settings->unstable, s)) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}

const char *ts_wasi_interface_at(uint32_t i) {
    if (i < ts_wasi_def.n_funcs) return ts_wasi_def.funcs[i].interface;
    i -= ts_wasi_def.n_funcs;
    return i < ts_wasi_def.n_resources ? ts_wasi_def.resources[i].interface : NULL;
}
/* Accepts an interface or a package of WASI 0.2, with or without a 0.2 version. */
static bool is_interface(const char *value, size_t len, size_t *base, ts_nearest *near) {
    const char *at = memchr(value, '@', len);
    size_t n = *base = at ? (size_t)(at - value) : len;
    bool known = false;
    const char *have;
    for (uint32_t i = 0; (have = ts_wasi_interface_at(i)); i++) {
        if (n && strncmp(have, value, n) == 0 && (!have[n] || have[n] == '/')) known = true;
        ts_nearest_see(near, have);
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
/* Refuse a name that would deny or enable nothing: nobody would notice the mistake. */
static ts_status deny(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    size_t n, len = strlen(value);
    ts_nearest near = ts_nearest_to(value, strcspn(value, "@"));
    if (!is_interface(value, len, &n, &near))
        return ts_fail(e, TS_USAGE, "WASI 0.2 has no such interface or package (wasi:clocks/wall-clock, wasi:http)%s%s",
                       TS_DID_YOU_MEAN(near));
    return push_denied(r, value, n, e);
}
static ts_status unstable(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    bool known = strcmp(value, "cli-exit-with-code") == 0; /* stable since 0.2.12, but still accepted */
    ts_nearest near = ts_nearest_to(value, strlen(value));
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
        if (ts_wasi_def.funcs[i].unstable) {
            known |= strcmp(ts_wasi_def.funcs[i].unstable, value) == 0;
            ts_nearest_see(&near, ts_wasi_def.funcs[i].unstable);
        }
    if (!known) return ts_fail(e, TS_USAGE, "WASI 0.2 has no such feature%s%s", TS_DID_YOU_MEAN(near));
    return push_unstable(r, value, e);
}
static ts_status unstable_word(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    return *value == 'y' ? push_unstable(r, o->name, e) : TS_OK;
}
static ts_status cli_word(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    for (uint32_t i = 0; *value == 'n' && i < ts_wasi_def.n_funcs; i++) {
        const char *have = ts_wasi_def.funcs[i].interface;
        if (strncmp(have, "wasi:cli/", 9) == 0 && strcmp(have, "wasi:cli/run") != 0)
            TS_TRY(push_denied(r, have, strlen(have), e));
    }
    return TS_OK;
}
static ts_status http_word(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    TS_TRY(ts_wasi_allow_http_all(r->w, *value == 'y', e));
    if (*value == 'y') return TS_OK;
    TS_TRY(push_denied(r, "wasi:http/types", strlen("wasi:http/types"), e));
    return push_denied(r, "wasi:http/outgoing-handler", strlen("wasi:http/outgoing-handler"), e);
}

/* --- runs --- */
static ts_status clock_option(ts_reading *r, const ts_option *o, const char *v, ts_error *e) {
    uint64_t seconds;
    (void)o;
    if (!ts_time_parse(v, &seconds))
        return ts_fail(e, TS_USAGE, "seconds since 1970, or a time such as 2026-01-31T12:00:00Z, are expected");
    ts_wasi_set_clock(r->w, seconds, 0);
    return TS_OK;
}
static ts_status seed_option(ts_reading *r, const ts_option *o, const char *v, ts_error *e) {
    size_t len = strlen(v);
    (void)o;
    if (!len || len > 19 || strspn(v, "0123456789") != len)
        return ts_fail(e, TS_USAGE, "a number of at most 19 digits is expected");
    ts_wasi_set_seed(r->w, strtoull(v, NULL, 10));
    return TS_OK;
}
ts_status ts_features_check(const char *list, ts_error *e) {
    for (const char *at = list;; at++) {
        size_t n = strcspn(at, ",");
        ts_nearest near = ts_nearest_to(at, n);
        bool known = n == 3 && memcmp(at, "all", 3) == 0;
        const char *name;
        for (uint32_t i = 0; (name = ts_component_feature(i, NULL)); i++) {
            known |= strlen(name) == n && memcmp(name, at, n) == 0;
            ts_nearest_see(&near, name);
        }
        if (!n) return ts_fail(e, TS_USAGE, *list ? "there is an empty word in the list" : "the list is empty");
        if (!known)
            return ts_fail(e, TS_USAGE, "there is no feature `%.*s`%s%s", (int)(n > 60 ? 60 : n), at,
                           TS_DID_YOU_MEAN(near));
        at += n;
        if (!*at) return TS_OK;
    }
}
static bool has_feature(const char *list, const char *name) {
    for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
        size_t n = strcspn(list, ",");
        if ((n == 3 && memcmp(list, "all", 3) == 0) || (n == strlen(name) && memcmp(list, name, n) == 0)) return true;
    }
    return false;
}
/* Each list adds to those before it. The result names each feature once, in the order of
 * ts_component_feature. */
static ts_status features(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    TS_TRY(ts_features_check(value, e));
    size_t size = 1;
    const char *name;
    for (uint32_t i = 0; (name = ts_component_feature(i, NULL)); i++) size += strlen(name) + 1;
    char *all = calloc(1, size);
    if (!all || !ts_vec_push(&r->settings->kept, all)) {
        free(all);
        return ts_fail_nomem(e);
    }
    for (uint32_t i = 0; (name = ts_component_feature(i, NULL)); i++) {
        if (!has_feature(value, name) && !has_feature(r->settings->policy.features, name)) continue;
        if (*all) strcat(all, ",");
        strcat(all, name);
    }
    r->settings->policy.features = all;
    return TS_OK;
}

static ts_status engine(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    if (ts_tier_named(value, &r->settings->policy.tier)) return TS_OK;
    return ts_fail(e, TS_USAGE, "interpreter, compiled or compiled-at-once is expected");
}

/* --- the rows --- */
#define AT(field) offsetof(ts_settings, field)
#define CALL TS_OPTION_APPLIES
#define ALL TS_OPTION_EVERY
#define ONE TS_OPTION_ONE
#define MANY TS_OPTION_MANY
#define NEVER TS_OPTION_NEVER
#define HEADING(text) {"", NULL, TS_OPTION_TEXT, NEVER, ALL, CALL, NULL, 0, text}
const ts_option ts_policy_rows[] = {
    HEADING("Grants: a guest has nothing of the host but stdin, stdout and stderr, unless one of these gives it"),
    {"dir", "HOST[::GUEST][:ro|:rw]", TS_OPTION_TEXT, MANY, ALL, CALL, dir, 0,
     "a directory, under the name GUEST [HOST]; ro: read-only. Names that contain colons need a mode"},
    {"env", "K[=V]", TS_OPTION_TEXT, MANY, ALL, CALL, env, 0,
     "an environment variable; without =V, the value that it has here"},
    {"cwd", "GUEST", TS_OPTION_TEXT, ONE, ALL, CALL, cwd, 0, "the initial working directory [none]"},
    {"tcp-connect", "HOST:PORT", TS_OPTION_TEXT, MANY, ALL, CALL, net, TS_WASI_TCP_CONNECT,
     "connect to it; HOST: an address, [IPv6], ADDRESS/BITS, * or a name; PORT: N, N-M or *"},
    {"tcp-listen", "ADDRESS:PORT", TS_OPTION_TEXT, MANY, ALL, CALL, net, TS_WASI_TCP_LISTEN,
     "bind and listen there; port 0: one that the system picks"},
    {"udp", "HOST:PORT", TS_OPTION_TEXT, MANY, ALL, CALL, net, TS_WASI_UDP_PEER,
     "exchange datagrams with it, from a port that the system picks"},
    {"udp-bind", "ADDRESS:PORT", TS_OPTION_TEXT, MANY, ALL, CALL, net, TS_WASI_UDP_BIND, "bind a UDP socket there"},
    {"allow-name", "NAME", TS_OPTION_TEXT, MANY, ALL, CALL, allow_name, 0,
     "look up this name; *.NAME: every name below it"},
    {"http-allow", "HOST[:PORT]", TS_OPTION_TEXT, MANY, ALL, CALL, http_allow, 0,
     "send HTTP requests to it; HOST: a name, an address, [IPv6], *.NAME or *"},
    {"http-deny", "ADDRESS[/BITS]", TS_OPTION_TEXT, MANY, ALL, CALL, http_deny, 0,
     "send no HTTP request there, by whatever name; private: addresses that are not globally reachable"},
    {"ca", "FILE", TS_OPTION_TEXT, ONE, ALL, CALL, ca, 0,
     "trust these certificates (PEM) in HTTPS requests instead of the system's"},
    {"deny", "INTERFACE", TS_OPTION_TEXT, MANY, ALL, CALL, deny, 0,
     "link as if nothing provided this interface or package (wasi:clocks/wall-clock)"},

    HEADING("Limits"),
    {"max-time", "TIME", TS_OPTION_TIME, ONE, ALL, AT(policy.max_time_ns), NULL, 0,
     "of the whole run (10s, 500ms, 2m) [no limit]"},
    {"fuel", "N", TS_OPTION_NUMBER, ONE, ALL, AT(policy.limits.fuel), NULL, 0, "calls and loop iterations [no limit]"},
    {"max-memory", "SIZE", TS_OPTION_SIZE, ONE, ALL, AT(policy.limits.memory_bytes), NULL, 0,
     "of each linear memory (64MiB, 64m, 1GiB, 65536) [4GiB; of 64-bit ones 16GiB]"},
    {"stack", "SIZE", TS_OPTION_SIZE, ONE, ALL, AT(policy.limits.stack_bytes), NULL, 0,
     "of the guest's stack of values [8MiB]"},
    {"max-depth", "N", TS_OPTION_NUMBER32, ONE, ALL, AT(policy.limits.depth), NULL,
     500, /* each level uses some of the runtime's own stack */
     "calls nested through the host or between components, at most 500 [200]"},
    {"max-table", "N", TS_OPTION_NUMBER, ONE, ALL, AT(policy.limits.table_elems), NULL, 0,
     "elements of each table, handles of each component instance [10000000]"},
    {"max-gc", "SIZE", TS_OPTION_SIZE, ONE, ALL, AT(policy.limits.gc_bytes), NULL, 0,
     "of the heap of structs, arrays and exceptions [1GiB]"},
    {"max-disk", "SIZE", TS_OPTION_SIZE, ONE, ALL, CALL, max_disk, 0,
     "bytes that the guest may make files grow by, holes included; beyond, the error is quota [not counted]"},
    {"max-code", "SIZE", TS_OPTION_SIZE, ONE, ALL, AT(policy.max_code), NULL, 0,
     "of machine code; functions beyond it are interpreted [256MiB]"},

    {"confine", "MODE", TS_OPTION_TEXT, ONE, ALL, CALL, confine, 0,
     "the process gives up what the grants do not need before it reads the component, and the kernel refuses it from "
     "then on: try, as far as the kernel can; require, or end with 126; off [$TOUCHSTONE_CONFINE, or try]"},

    HEADING("Runs that can be repeated"),
    {"clock", "TIME", TS_OPTION_TEXT, ONE, ALL, CALL, clock_option, 0,
     "the guest has a clock of its own, which starts at TIME (seconds since 1970, or 2026-01-31T12:00:00Z) and "
     "moves 1 us a reading; waiting for time alone takes none"},
    {"seed", "N", TS_OPTION_TEXT, ONE, ALL, CALL, seed_option, 0, "all randomness comes from this number"},
    {"deterministic", NULL, TS_OPTION_FLAG, ONE, ALL, AT(policy.limits.deterministic), NULL, 0,
     "--clock 0 and --seed 0, where not given, and canonical NaNs"},
    {"record", "FILE", TS_OPTION_TEXT, ONE, ALL, AT(policy.record), NULL, 0, "write every answer of the host there"},
    {"replay", "FILE", TS_OPTION_TEXT, ONE, ALL, AT(policy.replay), NULL, 0,
     "take every answer from this record, none from the host; warn of options that differ from the recorded ones"},

    HEADING("The component"),
    {"features", "LIST", TS_OPTION_TEXT, MANY, ALL, CALL, features, 0,
     "features of the component model beyond WASI 0.2, listed below"},
    {"unstable", "NAME", TS_OPTION_TEXT, MANY, ALL, CALL, unstable, 0,
     "link the functions of an unstable feature of WASI (clocks-timezone, network-error-code …)"},
    {"unknown-imports-trap", NULL, TS_OPTION_FLAG, ONE, ALL, AT(unknown_imports_trap), NULL, 0,
     "run although imports are unknown or not implemented; a call of one traps"},
    {"engine", "NAME", TS_OPTION_TEXT, ONE, ALL, CALL, engine, 0,
     "interpreter: no page becomes executable; compiled: hot functions get machine code, where there is any for this "
     "processor; compiled-at-once, compiled-mixed: for tests [$TOUCHSTONE_ENGINE, or compiled]"},
    {"cache", "FOLDER", TS_OPTION_TEXT, ONE, ALL, AT(policy.cache), NULL, 0,
     "keep there which code was valid, and machine code [$TOUCHSTONE_CACHE]"},
    {0}};

const ts_option ts_word_rows[] = {
    {"cli", NULL, TS_OPTION_SWITCH, NEVER, ALL, CALL, cli_word, 0, NULL},
    {"common", NULL, TS_OPTION_SWITCH, NEVER, ALL, CALL, cli_word, 0, NULL},
    {"preview2", NULL, TS_OPTION_SWITCH, NEVER, ALL, CALL, cli_word, 0, NULL},
    {"p2", NULL, TS_OPTION_SWITCH, NEVER, ALL, CALL, cli_word, 0,
     "cli common preview2 p2: always granted (=n: deny wasi:cli)"},
    {"inherit-env", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, inherit_env, 0, "all environment variables"},
    {"inherit-stdin", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, inherit_stdio, 0, NULL},
    {"inherit-stdout", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, inherit_stdio, 1, NULL},
    {"inherit-stderr", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, inherit_stdio, 2,
     "inherit-stdin inherit-stdout inherit-stderr: granted by default (=n: closed)"},
    {"inherit-network", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, network, GRANT_NETWORK,
     "all addresses, by TCP and UDP"},
    {"allow-ip-name-lookup", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, network, GRANT_NAMES, "look up all names"},
    {"tcp", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, network, GRANT_TCP, NULL},
    {"udp", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, network, GRANT_UDP,
     "tcp udp: sockets of this kind, granted by default (=n: none)"},
    {"http", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, http_word, 0, "HTTP requests to all hosts (=n: deny wasi:http)"},
    {"network-error-code", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, unstable_word, 0, NULL},
    {"cli-exit-with-code", NULL, TS_OPTION_SWITCH, ONE, ALL, CALL, unstable_word, 0,
     "network-error-code cli-exit-with-code: unstable functions of these names"},
    {"max-resources", "N", TS_OPTION_NUMBER, ONE, ALL, CALL, limit, LIMIT_OBJECTS,
     "host objects that the guest may hold at once [1000000]"},
    {"max-files", "N", TS_OPTION_NUMBER, ONE, ALL, CALL, limit, LIMIT_FILES,
     "host files, directories and sockets open for the guest at once [no limit]"},
    {"max-random-size", "N", TS_OPTION_NUMBER, ONE, ALL, CALL, limit, LIMIT_RANDOM,
     "random bytes of one call [256MiB]"},
    {"max-http-fields-size", "N", TS_OPTION_NUMBER, ONE, ALL, CALL, limit, LIMIT_HTTP_FIELDS,
     "bytes of the fields of one HTTP message [131072]"},
    {"cwd", "GUEST", TS_OPTION_TEXT, NEVER, ALL, CALL, cwd, 0, "as --cwd"},
    {"http-outgoing-body-buffer-chunks", "N", TS_OPTION_IGNORED, NEVER, ALL, CALL, NULL, 0, NULL},
    {"http-outgoing-body-chunk-size", "N", TS_OPTION_IGNORED, NEVER, ALL, CALL, NULL, 0,
     "http-outgoing-body-buffer-chunks=N http-outgoing-body-chunk-size=N: accepted, without effect"},
#define ELSEWHERE(name) {name, NULL, TS_OPTION_ELSEWHERE, NEVER, ALL, CALL, NULL, 0, NULL}
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
    {"hostcall-fuel", "N", TS_OPTION_ELSEWHERE, NEVER, ALL, CALL, NULL, 1, NULL},
    {"max-component-handles", "N", TS_OPTION_ELSEWHERE, NEVER, ALL, CALL, NULL, 1, NULL},
    {0}};
