/* grants_net: the network part of grants.h: addresses, ports, names. The HTTP part is in wasi/http/grants.c.
 * In: textual specifications. Out: rules, or TS_USAGE: a specification with any unknown part grants nothing.
 * wit: wasi:sockets/network, ip-name-lookup. RFC 4632 (prefixes) */
#include "sys/lookup.h"
#include "wasi/context.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- prefixes and numbers --- */
bool ts_wasi_digits(const char *s, size_t len, uint32_t most, uint32_t *out) {
    *out = 0;
    if (len == 0 || len > 5 || (len > 1 && s[0] == '0')) return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        *out = *out * 10 + (uint32_t)(s[i] - '0');
    }
    return *out <= most;
}

bool ts_wasi_prefix_has(const ts_wasi_prefix *p, const ts_sys_addr *a) {
    if (a->v6 != p->addr.v6) return false;
    for (uint32_t i = 0; i * 8 < p->bits; i++) {
        uint32_t left = p->bits - i * 8;
        uint8_t mask = left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);
        if ((a->ip[i] ^ p->addr.ip[i]) & mask) return false;
    }
    return true;
}

/* Clears the address bits beyond the prefix. Returns false if none was set. */
static bool clear_host_bits(ts_wasi_prefix *p) {
    bool any = false;
    for (uint32_t i = 0; i < (p->addr.v6 ? 16u : 4u); i++) {
        uint32_t first = i * 8;
        uint8_t keep = first + 8 <= p->bits ? 0xff : first >= p->bits ? 0 : (uint8_t)(0xff00 >> (p->bits - first));
        any |= p->addr.ip[i] & ~keep & 0xff;
        p->addr.ip[i] &= keep;
    }
    return any;
}

/* `len` is the length of the address; `bits_len` is the length of the text after the slash. */
static ts_status prefix(const char *s, size_t len, const char *bits, size_t bits_len, const char *spec,
                        ts_wasi_prefix *out, ts_error *e) {
    if (!ts_sys_addr_parse(s, len, &out->addr)) return ts_fail(e, TS_USAGE, "%s: this is not an IP address", spec);
    uint32_t most = out->addr.v6 ? 128 : 32;
    out->bits = most;
    if (!bits) return TS_OK;
    if (!ts_wasi_digits(bits, bits_len, most, &out->bits))
        return ts_fail(e, TS_USAGE, "%s: after the / a number of bits up to %u is expected", spec, most);
    if (clear_host_bits(out)) {
        char text[64];
        ts_sys_addr_text(&out->addr, text, sizeof text);
        *strrchr(text, ':') = 0; /* the port */
        return ts_fail(e, TS_USAGE, "%s: bits are set beyond the first %u: write %s/%u, or one address without /BITS",
                       spec, out->bits, text, out->bits);
    }
    return TS_OK;
}
ts_status ts_wasi_prefix_parse(const char *s, size_t len, const char *spec, ts_wasi_prefix *out, ts_error *e) {
    const char *slash = memchr(s, '/', len);
    size_t ip = slash ? (size_t)(slash - s) : len;
    return prefix(s, ip, slash ? slash + 1 : NULL, slash ? len - ip - 1 : 0, spec, out, e);
}

/* --- sockets --- */
void ts_wasi_allow_network(ts_wasi *w, bool all) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->net_all = all;
}
void ts_wasi_allow_names(ts_wasi *w, bool all) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->names_all = all;
}
void ts_wasi_allow_tcp(ts_wasi *w, bool any) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->no_tcp = !any;
}
void ts_wasi_allow_udp(ts_wasi *w, bool any) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, NULL);
    if (g) g->no_udp = !any;
}

static ts_status add_rule(ts_wasi_grants *g, ts_wasi_net_rule r, const char *name, ts_error *e) {
    r.name = NULL;
    if (name && !(r.name = malloc(strlen(name) + 1))) return ts_fail_nomem(e);
    if (name) strcpy(r.name, name);
    if (ts_vec_push(&g->net_rules, r)) return TS_OK;
    free(r.name);
    return ts_fail_nomem(e);
}

/* Looks up the current addresses of a name and adds a rule by that name for each. */
static ts_status rules_of_name(ts_wasi_grants *g, ts_wasi_net_rule r, const char *name, ts_error *e) {
    ts_sys_lookup *l = NULL;
    const ts_sys_addr *a = NULL;
    size_t n = 0;
    ts_sys_lookups *lookups = ts_sys_lookups_new(1);
    if (!lookups) return ts_fail_nomem(e);
    ts_sys_lookup_result how = ts_sys_lookup_start(lookups, name, &l);
    while (how == TS_SYS_LOOKUP_OK && !ts_sys_lookup_done(l, &how, &a, &n)) {
        ts_sys_wait wait = {.fd = ts_sys_lookup_fd(l)};
        ts_sys_err err = ts_sys_poll(&wait, 1, TS_SYS_NO_DEADLINE);
        if (err && err != TS_SYS_EINTR) how = TS_SYS_LOOKUP_OTHER;
    }
    ts_status s = TS_OK;
    if (how == TS_SYS_LOOKUP_OK)
        for (size_t i = 0; i < n && s == TS_OK; i++) {
            r.at = (ts_wasi_prefix){.addr = a[i], .bits = a[i].v6 ? 128 : 32};
            s = add_rule(g, r, name, e);
        }
    else
        s = ts_fail(e, TS_IO, "%s has no address that can be found", name);
    ts_sys_lookup_free(l);
    ts_sys_lookups_free(lookups);
    return s;
}

/* Parses N, FROM-TO or *. */
static ts_status ports(const char *port, const char *spec, ts_wasi_net_rule *r, ts_error *e) {
    uint32_t from = 0, to = 65535;
    const char *dash = strchr(port, '-');
    if (strcmp(port, "*") != 0) {
        if (!ts_wasi_digits(port, dash ? (size_t)(dash - port) : strlen(port), 65535, &from) ||
            (dash && !ts_wasi_digits(dash + 1, strlen(dash + 1), 65535, &to)))
            return ts_fail(e, TS_USAGE, "%s: the port is a number up to 65535, FROM-TO, or *", spec);
        if (!dash) to = from;
    }
    if (from > to) return ts_fail(e, TS_USAGE, "%s: the range of ports is empty", spec);
    r->port_from = (uint16_t)from;
    r->port_to = (uint16_t)to;
    return TS_OK;
}

static ts_status add_name(ts_wasi_grants *g, const char *ascii, ts_error *e) {
    for (uint32_t i = 0; i < g->names.len; i++)
        if (strcmp(g->names.data[i], ascii) == 0) return TS_OK;
    char *s = malloc(strlen(ascii) + 1);
    if (s && ts_vec_push(&g->names, strcpy(s, ascii))) return TS_OK;
    free(s);
    return ts_fail_nomem(e);
}

ts_status ts_wasi_allow_address(ts_wasi *w, ts_wasi_net_use use, const char *spec, ts_error *e) {
    ts_wasi_net_rule r = {.use = use};
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!spec || (unsigned)use > TS_WASI_UDP_BIND)
        return ts_fail(e, TS_USAGE, "ts_wasi_allow_address: no such use of the network");
    const char *colon = strrchr(spec, ':'), *host = spec;
    if (!colon || colon == spec || !colon[1]) return ts_fail(e, TS_USAGE, "%s: HOST:PORT is expected", spec);
    TS_TRY(ports(colon + 1, spec, &r, e));
    size_t host_len = (size_t)(colon - spec);
    if (host_len == 1 && host[0] == '*') {
        r.any = true;
        return add_rule(g, r, NULL, e);
    }
    bool brackets = host[0] == '[';
    const char *slash = memchr(host, '/', host_len);
    size_t ip_len = slash ? (size_t)(slash - host) : host_len;
    if (brackets) {
        if (ip_len < 2 || host[ip_len - 1] != ']') return ts_fail(e, TS_USAGE, "%s: ] expected", spec);
        host++;
        ip_len -= 2;
    }
    ts_sys_addr a;
    if (ts_sys_addr_parse(host, ip_len, &a)) {
        if (a.v6 != brackets)
            return ts_fail(
                e, TS_USAGE,
                a.v6 ? "%s: an IPv6 address must be in brackets" : "%s: only an IPv6 address may be in brackets", spec);
        TS_TRY(prefix(host, ip_len, slash ? slash + 1 : NULL, slash ? (size_t)(colon - slash - 1) : 0, spec, &r.at, e));
        if (ts_sys_addr_is_mapped(&r.at.addr) && r.at.bits >= 96) /* wit: IPv4-mapped addresses are refused */
            return ts_fail(e, TS_USAGE, "%s: no guest can use an IPv4 address inside IPv6; give the IPv4 address",
                           spec);
        return add_rule(g, r, NULL, e);
    }
    char ascii[254];
    if (brackets || slash || ts_sys_name_check(host, host_len, ascii) != TS_SYS_LOOKUP_OK ||
        ts_sys_addr_parse(ascii, strlen(ascii), &a))
        return ts_fail(e, TS_USAGE, "%s: neither an address nor a name (IPv6 in brackets)", spec);
    if (use == TS_WASI_TCP_LISTEN || use == TS_WASI_UDP_BIND)
        return ts_fail(e, TS_USAGE, "%s: to listen takes an address, not a name", spec);
    TS_TRY(rules_of_name(g, r, ascii, e));
    return add_name(g, ascii, e);
}

ts_status ts_wasi_allow_name(ts_wasi *w, const char *name, ts_error *e) {
    char ascii[2 + 254] = "*.";
    ts_sys_addr a;
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!name) return ts_fail(e, TS_USAGE, "the name is NULL");
    bool below = name[0] == '*' && name[1] == '.';
    const char *rest = below ? name + 2 : name;
    if (ts_sys_name_check(rest, strlen(rest), ascii + 2) != TS_SYS_LOOKUP_OK ||
        ts_sys_addr_parse(ascii + 2, strlen(ascii + 2), &a))
        return ts_fail(e, TS_USAGE, "%s is not a name that can be looked up", name);
    return add_name(g, below ? ascii : ascii + 2, e);
}
