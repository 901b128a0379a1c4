/* show_grants: see show_grants.h. Source: toml.io v1.0.0 (basic strings) */
#include "cli/show_grants.h"
#include "cli/embed.h"
#include "cli/option_table.h"
#include "cli/output.h"
#include <inttypes.h>
#include <string.h>

static void string(FILE *to, const char *s, const char *more) {
    fputc('"', to);
    for (int part = 0; part < 2; part++, s = more)
        for (; s && *s; s++) {
            unsigned char c = (unsigned char)*s;
            if (c == '"' || c == '\\')
                fprintf(to, "\\%c", c);
            else if (c < 0x20 || c == 0x7f)
                fprintf(to, "\\u%04X", c);
            else
                fputc(c, to);
        }
    fputc('"', to);
}
/* Writes an array element by element, and closes it. */
typedef struct array {
    FILE *to;
    const char *key;
    bool begun;
} array;
static void element(array *a, const char *s, const char *more) {
    if (a->begun)
        fprintf(a->to, ", ");
    else
        fprintf(a->to, "%s = [", a->key);
    a->begun = true;
    string(a->to, s, more);
}
static void end(array *a) {
    if (a->begun) fprintf(a->to, "]\n");
}

static void prefix(const ts_wasi_prefix *p, bool brackets, char out[80]) {
    char ip[64], bits[8] = "";
    ts_sys_addr a = p->addr;
    ts_sys_addr_text(&a, ip, sizeof ip);
    *strrchr(ip, ':') = 0; /* cut off the port */
    char *text = ip;
    if (a.v6 && !brackets) {
        text++;
        text[strlen(text) - 1] = 0;
    }
    if (p->bits != (a.v6 ? 128u : 32u)) snprintf(bits, sizeof bits, "/%u", p->bits);
    snprintf(out, 80, "%s%s", text, bits);
}
static void net_rules(FILE *to, const ts_wasi_grants *g, const char *key, ts_wasi_net_use use) {
    array a = {to, key, false};
    const ts_wasi_net_rule *last = NULL;
    for (uint32_t i = 0; i < g->net_rules.len; i++) {
        const ts_wasi_net_rule *r = &g->net_rules.data[i];
        char host[80] = "*", port[16];
        if (r->use != use) continue;
        /* the addresses of one name are adjacent */
        if (r->name && last && last->name && strcmp(r->name, last->name) == 0 && r->port_from == last->port_from &&
            r->port_to == last->port_to)
            continue;
        last = r;
        if (!r->any) prefix(&r->at, true, host);
        if (r->port_from == 0 && r->port_to == 65535)
            snprintf(port, sizeof port, ":*");
        else if (r->port_from == r->port_to)
            snprintf(port, sizeof port, ":%u", r->port_from);
        else
            snprintf(port, sizeof port, ":%u-%u", r->port_from, r->port_to);
        element(&a, r->name ? r->name : host, port);
    }
    end(&a);
}
static void http(FILE *to, const ts_wasi_grants *g) {
    array a = {to, "http-allow", false};
    if (g->http_all) fprintf(to, "http = true\n");
    for (uint32_t i = 0; i < g->http_rules.len; i++) {
        const ts_wasi_http_rule *r = &g->http_rules.data[i];
        bool v6 = r->host && strchr(r->host, ':');
        char rest[16] = "";
        if (r->port) snprintf(rest, sizeof rest, ":%u", r->port);
        char host[400];
        snprintf(host, sizeof host, "%s%s%s", r->below ? "*" : v6 ? "[" : "", r->host ? r->host : "*", v6 ? "]" : "");
        element(&a, host, rest);
    }
    end(&a);
    a = (array){to, "http-deny", false};
    if (g->http_global_only) element(&a, "private", NULL);
    for (uint32_t i = 0; i < g->http_prohibited.len; i++) {
        char text[80];
        prefix(&g->http_prohibited.data[i], false, text);
        element(&a, text, NULL);
    }
    end(&a);
    if (g->ca.path) {
        fprintf(to, "ca = ");
        string(to, g->ca.path, NULL);
        fprintf(to, "\n");
    }
}

static void strings(FILE *to, const char *key, char *const *s, uint32_t n) {
    array a = {to, key, false};
    for (uint32_t i = 0; i < n; i++) element(&a, s[i], NULL);
    end(&a);
}
/* Prints the options whose values are fields of the settings. */
static void values(FILE *to, const ts_cli_options *o) {
    for (const ts_option *row = ts_policy_rows; row->name; row++) {
        const void *at = row->target == TS_OPTION_APPLIES ? NULL : (const char *)&o->set + row->target;
        if (!at || row->policy == TS_OPTION_NEVER) continue;
        if (row->form == TS_OPTION_FLAG) {
            if (*(const bool *)at) fprintf(to, "%s = true\n", row->name);
        } else if (row->form == TS_OPTION_TEXT) {
            const char *s = *(const char *const *)at;
            if (!s) continue;
            fprintf(to, "%s = ", row->name);
            string(to, s, NULL);
            fprintf(to, "\n");
        } else {
            uint64_t n = row->form == TS_OPTION_NUMBER32 ? *(const uint32_t *)at : *(const uint64_t *)at;
            if (n)
                fprintf(to, row->form == TS_OPTION_TIME ? "%s = \"%" PRIu64 "ns\"\n" : "%s = %" PRIu64 "\n", row->name,
                        n);
        }
    }
    if (!o->set.policy.features) return;
    fprintf(to, "features = ");
    string(to, o->set.policy.features, NULL);
    fprintf(to, "\n");
}

void ts_cli_print_grants(FILE *to, const ts_cli_options *o, const ts_wasi *w) {
    const ts_wasi_grants *g = w->grants;
    array a = {to, "dir", false};
    for (uint32_t i = 0; i < g->preopens.len; i++) {
        const ts_wasi_preopen *p = &g->preopens.data[i];
        fprintf(to, a.begun ? ", {host = " : "dir = [{host = ");
        a.begun = true;
        string(to, p->host, NULL);
        fprintf(to, ", guest = ");
        string(to, p->guest, NULL);
        fprintf(to, ", read-only = %s}", p->read_only ? "true" : "false");
    }
    end(&a);
    if (g->cwd) {
        fprintf(to, "cwd = ");
        string(to, g->cwd, NULL);
        fprintf(to, "\n");
    }
    if (g->net_all) fprintf(to, "inherit-network = true\n");
    if (g->no_tcp) fprintf(to, "tcp = false\n");
    if (g->no_udp) fprintf(to, "udp = false\n");
    net_rules(to, g, "tcp-connect", TS_WASI_TCP_CONNECT);
    net_rules(to, g, "tcp-listen", TS_WASI_TCP_LISTEN);
    if (!g->no_udp) net_rules(to, g, "udp", TS_WASI_UDP_PEER); /* the key is taken, and they grant nothing */
    net_rules(to, g, "udp-bind", TS_WASI_UDP_BIND);
    if (g->names_all) fprintf(to, "allow-ip-name-lookup = true\n");
    strings(to, "allow-name", g->names.data, g->names.len);
    http(to, g);
    strings(to, "deny", o->set.denied.data, o->set.denied.len);
    strings(to, "unstable", o->set.unstable.data, o->set.unstable.len);
    static const char *const stdio[] = {"inherit-stdin", "inherit-stdout", "inherit-stderr"};
    for (int i = 0; i < 3; i++)
        if (g->stdio[i] < 0) fprintf(to, "%s = false\n", stdio[i]);
    if (g->max_objects != 1000000) fprintf(to, "max-resources = %" PRIu64 "\n", g->max_objects);
    if (g->max_disk != UINT64_MAX) fprintf(to, "max-disk = %" PRIu64 "\n", g->max_disk);
    if (g->max_files != UINT64_MAX) fprintf(to, "max-files = %" PRIu64 "\n", g->max_files);
    if (g->max_random != UINT64_MAX) fprintf(to, "max-random-size = %" PRIu64 "\n", g->max_random);
    if (g->max_fields != 131072) fprintf(to, "max-http-fields-size = %" PRIu64 "\n", g->max_fields);
    if (g->clock_own) fprintf(to, "clock = %" PRIu64 "\n", (uint64_t)g->clock_start.s);
    if (g->seeded) fprintf(to, "seed = %" PRIu64 "\n", g->seed);
    values(to, o);
    static const char *const modes[] = {
        [TS_CONFINE_OFF] = "off", [TS_CONFINE_TRY] = "try", [TS_CONFINE_REQUIRE] = "require"};
    if (o->set.policy.confine) fprintf(to, "confine = \"%s\"\n", modes[o->set.policy.confine]);
    if (g->env.len) fprintf(to, "[env]\n");
    for (uint32_t i = 0; i < g->env.len; i++) {
        string(to, g->env.data[i].name, NULL);
        fprintf(to, " = ");
        string(to, g->env.data[i].value, NULL);
        fprintf(to, "\n");
    }
}
ts_status ts_cli_show_grants(const ts_cli_options *o, const ts_wasi *w, ts_error *e) {
    ts_cli_print_grants(stdout, o, w);
    return ts_cli_flush(e);
}
