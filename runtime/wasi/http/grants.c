/* http/grants: the HTTP part of the grants: hosts, prohibited addresses, certificates.
 * In: textual specifications. Out: rules, or TS_USAGE: a specification with any unknown part grants nothing.
 * wit: wasi:http/outgoing-handler. RFC 3986, 3.2 (authorities), RFC 7468 (certificates in text) */
#define _GNU_SOURCE
#include "base/quantity.h"
#include "http/uri.h"
#include "sys/input.h"
#include "sys/lookup.h"
#include "wasi/context.h"
#include <stdlib.h>
#include <string.h>

ts_status ts_wasi_allow_http_all(ts_wasi *w, bool all, ts_error *e) {
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    g->http_all = all;
    return TS_OK;
}

enum { CERTIFICATES_MOST = 64 << 20 };
/* The process keeps its own copy, so replacing or deleting the file later has no effect. */
ts_status ts_wasi_set_http_ca(ts_wasi *w, const char *path, ts_error *e) {
    ts_sys_input file = {0};
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!path) return ts_fail(e, TS_USAGE, "the path of the certificates is NULL");
    ts_wasi_file_text t = {.fd = -1};
    ts_sys_err err = ts_sys_input_read(path, CERTIFICATES_MOST, &file);
    ts_status s = err ? ts_fail(e, TS_IO, "cannot read the certificates in %s: %s", path, ts_sys_err_text(err)) : TS_OK;
    /* RFC 7468, 5.1 and 4; the other two labels are from OpenSSL */
    static const char begin[] = "-----BEGIN ";
    bool any = false;
    for (const uint8_t *p = file.bytes, *end = file.len ? p + file.len : p; s == TS_OK && p && !any; p++) {
        p = memmem(p, (size_t)(end - p), begin, sizeof begin - 1);
        if (!p) break;
        const char *label = (const char *)p + sizeof begin - 1;
        size_t left = (size_t)((const char *)end - label);
        any = (left >= 16 && memcmp(label, "CERTIFICATE-----", 16) == 0) ||
              (left >= 21 && memcmp(label, "X509 CERTIFICATE-----", 21) == 0) ||
              (left >= 24 && memcmp(label, "TRUSTED CERTIFICATE-----", 24) == 0);
    }
    if (s == TS_OK && !any) s = ts_fail(e, TS_USAGE, "%s holds no certificate (PEM)", path);
    if (s == TS_OK && !(t.path = malloc(strlen(path) + 1))) s = ts_fail_nomem(e);
    if (s == TS_OK && (err = ts_sys_input_keep(&file, &t.fd, t.at, sizeof t.at)) != TS_SYS_OK)
        s = ts_fail(e, TS_IO, "cannot keep a copy of %s: %s", path, ts_sys_err_text(err));
    ts_sys_input_close(&file);
    if (s != TS_OK) {
        free(t.path);
        return s;
    }
    strcpy(t.path, path);
    if (g->ca.fd >= 0) ts_sys_close(g->ca.fd);
    free(g->ca.path);
    g->ca = t;
    return TS_OK;
}

/* Returns whether a host can be reached: it is an address, or a name in the form that the DNS uses. */
static bool is_host(const char *host, size_t len, bool below, bool brackets) {
    char ascii[254];
    ts_sys_addr a;
    if (ts_sys_addr_parse(host, len, &a)) return !below;
    if (brackets) return false; /* an address of a future IP version */
    return ts_sys_name_check(host, len, ascii) == TS_SYS_LOOKUP_OK && strlen(ascii) == len &&
           memcmp(ascii, host, len) == 0;
}
ts_status ts_wasi_allow_http(ts_wasi *w, const char *spec, ts_error *e) {
    ts_wasi_http_rule r = {0};
    const char *host;
    size_t len;
    int32_t named;
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!spec) return ts_fail(e, TS_USAGE, "the host is NULL");
    /* names in authorities may contain `*`, so this is parsed as an authority */
    if (!ts_http_host_port(spec, strlen(spec), &host, &len, &named) || named == 0)
        return ts_fail(e, TS_USAGE,
                       "%s: HOST[:PORT] is expected (HOST: a name, an address, IPv6 in brackets, *.NAME or *)", spec);
    r.port = named > 0 ? (uint16_t)named : 0;
    const char *port = host + len + (host > spec); /* after the bracket */
    uint32_t n;
    /* this also rejects an empty port, which RFC 3986 allows */
    if (*port && !ts_wasi_digits(port + 1, strlen(port + 1), 65535, &n))
        return ts_fail(e, TS_USAGE, "%s: the port is a number from 1 to 65535, or omitted with its colon", spec);
    if (len != 1 || host[0] != '*') {
        r.below = len > 1 && host[0] == '*' && host[1] == '.';
        if (!is_host(host + 2 * r.below, len - 2 * (size_t)r.below, r.below, host > spec))
            return ts_fail(e, TS_USAGE,
                           "%s: one host that can be reached, * for all of them, or *.NAME for those below it", spec);
        host += r.below, len -= r.below;
        if (!(r.host = malloc(len + 1))) return ts_fail_nomem(e);
        memcpy(r.host, host, len);
        r.host[len] = 0;
    }
    if (ts_vec_push(&g->http_rules, r)) return TS_OK;
    free(r.host);
    return ts_fail_nomem(e);
}

ts_status ts_wasi_deny_http(ts_wasi *w, const char *addresses, ts_error *e) {
    ts_wasi_prefix p;
    ts_wasi_grants *g = ts_wasi_grants_open(w, e);
    if (!g) return TS_USAGE;
    if (!addresses) return ts_fail(e, TS_USAGE, "the addresses are NULL");
    if (strcmp(addresses, "private") == 0) {
        g->http_global_only = true;
        return TS_OK;
    }
    if (!strpbrk(addresses, ".:/")) { /* no address, but a word */
        ts_nearest near = ts_nearest_to(addresses, strlen(addresses));
        ts_nearest_see(&near, "private");
        return ts_fail(e, TS_USAGE, "%s: ADDRESS[/BITS] or the word private is expected%s%s", addresses,
                       near.best ? "; did you mean " : "", near.best ? near.best : "");
    }
    TS_TRY(ts_wasi_prefix_parse(addresses, strlen(addresses), addresses, &p, e));
    if (p.bits >= 96 && ts_sys_addr_is_mapped(&p.addr)) { /* connections go to the IPv4 address */
        memmove(p.addr.ip, p.addr.ip + 12, 4);
        memset(p.addr.ip + 4, 0, 12);
        p.addr.v6 = false;
        p.bits -= 96;
    }
    return ts_vec_push(&g->http_prohibited, p) ? TS_OK : ts_fail_nomem(e);
}
