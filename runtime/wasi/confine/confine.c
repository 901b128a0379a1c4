/* confine: the process is confined to what a context is granted. sys/confine.h does it; this file says what the
 * grants need of the system.
 * In: the grants of a context, and what its caller needs besides. Out: what holds, or TS_UNSUPPORTED. */
#include "http/message.h"
#include "sys/clock.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/lookup.h"
#include "sys/stack.h"
#include "sys/thread.h"
#include "wasi/http/http.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORTS_MOST = 1024, /* each is a rule in the kernel; ranges with more ports are not restricted */
    DNS = 53,          /* a long answer comes by TCP */
    OWN_FILES = 64,    /* that the process opens beside those of the guest */
};

/* The files of the name service. Those that are replaced rather than written to are looked for in their folders. */
static const char *const name_files[] = {"/etc/resolv.conf", "/etc/hosts",           "/etc/nsswitch.conf",
                                         "/etc/host.conf",   "/etc/gai.conf",        "/etc/services",
                                         "/etc/protocols",   "/run/systemd/resolve", "/run/resolvconf"};
/* The certificates, where distributions have them. Private keys are beside some of these, never below. */
static const char *const certificate_files[] = {"/etc/ssl/certs",
                                                "/etc/ssl/cert.pem",
                                                "/etc/ssl/openssl.cnf",
                                                "/etc/pki/tls/certs",
                                                "/etc/pki/tls/cert.pem",
                                                "/etc/pki/ca-trust/extracted",
                                                "/etc/ca-certificates/extracted",
                                                "/usr/share/ca-certificates",
                                                "/usr/local/share/ca-certificates"};
static const char *const zone_files[] = {"/etc/localtime", "/usr/share/zoneinfo"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef TS_VEC(ts_sys_place) places;
typedef struct ports {
    uint16_t list[PORTS_MOST];
    size_t n;
    bool any;
} ports;

static bool add(places *to, int fd, const char *path, ts_sys_right right) {
    return (fd < 0 && !path) || ts_vec_push(to, ((ts_sys_place){.fd = fd, .path = path, .right = right}));
}
static bool add_read(places *to, const char *const *paths, size_t n) {
    bool ok = true;
    for (size_t i = 0; i < n; i++) ok = add(to, -1, paths[i], TS_SYS_MAY_READ) && ok;
    return ok;
}
static void add_ports(ports *to, uint32_t from, uint32_t last) {
    to->any = to->any || last - from >= PORTS_MOST - to->n;
    for (uint32_t p = from; p <= last && !to->any; p++) to->list[to->n++] = (uint16_t)p;
}
static ts_sys_ports ports_of(const ports *p) {
    return (ts_sys_ports){.ports = p->list, .n = p->any ? 0 : p->n, .any = p->any};
}

static bool has_http(const ts_wasi_grants *g) {
    return g->http_all || g->http_rules.len;
}
static bool has_names(const ts_wasi_grants *g) {
    return g->names_all || g->names.len || has_http(g);
}

static ts_status find_places(const ts_wasi_grants *g, const ts_confine_needs *needs, places *to, ts_error *e) {
    bool ok = true;
    for (uint32_t i = 0; i < g->preopens.len; i++) {
        const ts_wasi_preopen *p = &g->preopens.data[i];
        ok = add(to, p->fd, p->host, p->read_only ? TS_SYS_MAY_READ : TS_SYS_MAY_CHANGE) && ok;
    }
    for (uint32_t i = 0; i < needs->n_writes; i++) {
        ts_file_touch(needs->writes[i]); /* a failure is reported when it is written to */
        ok = add(to, -1, needs->writes[i], TS_SYS_MAY_REPLACE) && ok;
    }
    ok = add(to, -1, needs->cache, TS_SYS_MAY_CHANGE) && ok;
    if (needs->time_zones) ok = add_read(to, zone_files, COUNT(zone_files)) && ok;
    if (has_names(g)) ok = add_read(to, name_files, COUNT(name_files)) && ok;
    if (has_http(g) && !g->ca.path) ok = add_read(to, certificate_files, COUNT(certificate_files)) && ok;
    return ok ? TS_OK : ts_fail_nomem(e);
}

/* Sockets exist by default, and do nothing: addresses are what is granted. */
static void find_network(const ts_wasi_grants *g, const ts_confine_needs *needs, ts_sys_needs *n, ports *connect,
                         ports *bind) {
    const bool http = has_http(g), names = has_names(g);
    connect->any = bind->any = g->net_all;
    connect->any = connect->any || g->http_all;
    n->listens = needs->listens || g->net_all;
    n->connects = names || g->net_all;
    n->binds = n->listens;
    for (int i = 0; i < 3; i++) { /* as inetd passes them */
        ts_sys_stat st;
        n->inherits = n->inherits || (g->stdio[i] >= 0 && !ts_sys_fstat(g->stdio[i], &st) && st.type == TS_SYS_SOCKET);
    }
    for (uint32_t i = 0; i < g->net_rules.len; i++) {
        const ts_wasi_net_rule *r = &g->net_rules.data[i];
        const bool udp = r->use == TS_WASI_UDP_PEER || r->use == TS_WASI_UDP_BIND;
        if (udp ? g->no_udp : g->no_tcp) continue;
        n->connects = n->connects || r->use == TS_WASI_TCP_CONNECT || r->use == TS_WASI_UDP_PEER;
        n->listens = n->listens || r->use == TS_WASI_TCP_LISTEN;
        n->binds = n->binds || r->use != TS_WASI_TCP_CONNECT;
        if (r->use == TS_WASI_TCP_CONNECT) add_ports(connect, r->port_from, r->port_to);
        if (r->use == TS_WASI_TCP_LISTEN) add_ports(bind, r->port_from, r->port_to);
    }
    for (uint32_t i = 0; i < g->http_rules.len; i++) {
        const uint16_t port = g->http_rules.data[i].port;
        add_ports(connect, port, port ? port : 65535);
    }
    if (names) add_ports(connect, DNS, DNS);
    if (needs->listens) add_ports(bind, needs->port, needs->port);
    n->tcp = !g->no_tcp || names || needs->listens;
    n->udp = !g->no_udp || names;
    n->pairs = http;
    n->routes = names;
}

/* What is loaded or opened on first use is loaded now. */
static void prepare(const ts_wasi_grants *g, const char **ca_file, const char **ca_folder) {
    *ca_file = *ca_folder = NULL;
    (void)ts_stack_low();
    if (has_names(g)) ts_sys_lookup_prepare();
    if (has_http(g)) ts_wasi_http_prepare(ca_file, ca_folder);
}

static void report(const ts_sys_confined *c, const ts_sys_needs *n, ts_confine_mode mode, ts_confinement *out) {
    *out = (ts_confinement){.mode = mode,
                            .no_new_privileges = c->no_new_privileges,
                            .files = c->files,
                            .tcp_ports = c->tcp_ports,
                            .system_calls = c->system_calls,
                            .limits = c->limits,
                            .all_threads = c->all_threads,
                            .landlock = c->landlock,
                            .any_connect_port = n->connect.any,
                            .any_listen_port = n->bind.any,
                            .makes_code = n->makes_code};
    snprintf(out->missing, sizeof out->missing, "%s", c->missing);
}

bool ts_confine_mode_named(const char *name, ts_confine_mode *out) {
    static const char *const names[] = {
        [TS_CONFINE_OFF] = "off", [TS_CONFINE_TRY] = "try", [TS_CONFINE_REQUIRE] = "require"};
    for (int i = TS_CONFINE_OFF; name && out && i <= TS_CONFINE_REQUIRE; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (ts_confine_mode)i;
            return true;
        }
    return false;
}

static ts_status confine(ts_wasi *w, ts_confine_mode mode, const ts_confine_needs *needs, ts_confinement *out,
                         ports both[2], ts_error *e) {
    const ts_wasi_grants *g = w->grants;
    const char *certificates[2];
    places all = {0};
    ts_sys_needs n = {.makes_code = needs->makes_code};
    ts_sys_confined holds;
    ts_status s = find_places(g, needs, &all, e);
    find_network(g, needs, &n, &both[0], &both[1]);
    prepare(g, &certificates[0], &certificates[1]);
    if (s == TS_OK && !g->ca.path && !add_read(&all, certificates, certificates[0] || certificates[1] ? 2 : 0))
        s = ts_fail_nomem(e);
    n.connect = ports_of(&both[0]);
    n.bind = ports_of(&both[1]);
    n.places = all.data;
    n.n_places = all.len;
    if (needs->max_time_ns) n.cpu_seconds = needs->max_time_ns / 1000000000 * ts_cpu_count() + 10;
    if (!needs->listens && !has_http(g) && g->max_files < 1u << 20)
        n.files = g->max_files + g->preopens.len + OWN_FILES;
    if (s == TS_OK) {
        ts_sys_confine(&n, &holds);
        report(&holds, &n, mode, out);
    }
    ts_vec_free(&all);
    return s;
}

ts_status ts_wasi_confine(ts_wasi *w, ts_confine_mode mode, const ts_confine_needs *needs, ts_confinement *out,
                          ts_error *e) {
    ts_confinement own;
    TS_NEED(e, w);
    TS_NEED(e, needs);
    if (mode == TS_CONFINE_DEFAULT) mode = TS_CONFINE_TRY;
    if ((unsigned)mode > TS_CONFINE_REQUIRE) return ts_fail(e, TS_USAGE, "there is no such mode of confinement");
    if (!out) out = &own;
    *out = (ts_confinement){.mode = mode};
    if (mode == TS_CONFINE_OFF) return TS_OK;
    ports *both = calloc(2, sizeof *both);
    if (!both) return ts_fail_nomem(e);
    ts_status s = confine(w, mode, needs, out, both, e);
    free(both);
    if (s == TS_OK && mode == TS_CONFINE_REQUIRE && *out->missing)
        s = ts_fail(e, TS_UNSUPPORTED, "the process cannot be confined: %s", out->missing);
    return s;
}
