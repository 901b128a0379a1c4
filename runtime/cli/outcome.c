/* outcome: see outcome.h */
#define _GNU_SOURCE
#include "cli/outcome.h"
#include "cli/confine.h"
#include "cli/output.h"
#include "sys/error.h"
#include "sys/killed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ts_cli_status(const ts_error *e) {
    switch (e->status) {
    case TS_OK: return 0;
    case TS_EXIT: return e->exit_status;
    case TS_TRAP:
    case TS_EXHAUSTION:
    case TS_EXCEPTION: return TS_CLI_TRAP;
    case TS_MALFORMED: return TS_CLI_MALFORMED;
    case TS_INVALID: return TS_CLI_INVALID;
    case TS_UNLINKABLE: return TS_CLI_LINK;
    case TS_LIMIT:
    case TS_INTERRUPTED: return TS_CLI_LIMIT;
    case TS_UNSUPPORTED: return TS_CLI_UNSUPPORTED;
    case TS_IO: return TS_CLI_IO;
    case TS_USAGE: return TS_CLI_USAGE;
    case TS_NOMEM: break;
    }
    return TS_CLI_INTERNAL;
}

static const char *word(const ts_error *e) {
    switch (e->status) {
    case TS_OK:
    case TS_EXIT: return "exited";
    case TS_TRAP:
    case TS_EXHAUSTION:
    case TS_EXCEPTION: return "trap";
    case TS_MALFORMED: return "malformed";
    case TS_INVALID: return "invalid";
    case TS_UNLINKABLE: return "link-error";
    case TS_LIMIT:
    case TS_INTERRUPTED: return "limit";
    case TS_UNSUPPORTED: return "unsupported";
    case TS_IO: return "io-error";
    case TS_USAGE: return "usage";
    case TS_NOMEM: break;
    }
    return "internal";
}

static const char *kind(const ts_error *e) {
    if (e->status == TS_EXHAUSTION) return ts_trap_kind_name(TS_TRAP_STACK);
    if (e->status == TS_EXCEPTION) return ts_trap_kind_name(TS_TRAP_EXCEPTION);
    return ts_trap_kind_name(e->trap);
}

static void put_name(const char *s) {
    ts_cli_put_text(stderr, s, strlen(s));
}

void ts_cli_report(const ts_error *e) {
    if (e->status == TS_OK || e->status == TS_EXIT) return;
    const char *w = word(e);
    const char *option = ts_cli_limit_option(e->limit);
    fprintf(stderr, "touchstone: %s%s%s%s: ", w, strcmp(w, "trap") == 0 ? " (" : "",
            strcmp(w, "trap") == 0 ? kind(e) : "", strcmp(w, "trap") == 0 ? ")" : "");
    put_name(e->message);
    fprintf(stderr, *option ? " (%s)\n" : "%s\n", option);
    if (e->has_offset)
        fprintf(stderr, "  at byte 0x%llx of the file%s%s\n", (unsigned long long)e->offset,
                e->section[0] ? ", section " : "", e->section);
    if (e->n_frames) fprintf(stderr, "wasm backtrace, innermost first:\n");
    for (uint32_t i = 0; i < e->n_frames; i++) {
        const ts_frame *f = &e->frames[i];
        fprintf(stderr, "  %2u: ", i);
        put_name(f->module[0] ? f->module : "<unnamed>");
        fputc('!', stderr);
        if (f->function[0])
            put_name(f->function);
        else
            fprintf(stderr, "func[%u]", f->func_index);
        if (f->line) fprintf(stderr, " (");
        if (f->line) put_name(f->file);
        if (f->line) fprintf(stderr, ":%u", f->line);
        if (f->line && f->column) fprintf(stderr, ":%u", f->column);
        if (f->line) fputc(')', stderr);
        if (f->inlined)
            fprintf(stderr, " inlined");
        else if (f->offset)
            fprintf(stderr, " at 0x%llx", (unsigned long long)f->offset);
        fputc('\n', stderr);
    }
    if (e->frames_total > e->n_frames) fprintf(stderr, "  … and %u more\n", e->frames_total - e->n_frames);
}

void ts_cli_report_of(const ts_error *e, const char *method, const char *target) {
    flockfile(stderr); /* other threads report too */
    if (e->status == TS_EXIT)
        fprintf(stderr, "touchstone: %s %s: the guest has exited with status %d\n", method, target, e->exit_status);
    else
        fprintf(stderr, "touchstone: %s %s failed\n", method, target);
    ts_cli_report(e);
    funlockfile(stderr);
}

typedef struct text {
    char *s;
    size_t len, cap;
    bool failed;
} text;
static void put(text *t, const char *s, size_t n) {
    if (t->len + n + 1 > t->cap) {
        size_t cap = (t->cap + n + 256) * 2;
        char *more = realloc(t->s, cap);
        if (!more) {
            t->failed = true;
            return;
        }
        t->s = more;
        t->cap = cap;
    }
    memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = 0;
}
static void puts_(text *t, const char *s) {
    put(t, s, strlen(s));
}
static void number(text *t, uint64_t v) {
    char buf[24];
    snprintf(buf, sizeof buf, "%llu", (unsigned long long)v);
    puts_(t, buf);
}
/* Writes a JSON string. Bytes that are not UTF-8 (a truncated name) become U+FFFD. spec: RFC 8259 */
static void string(text *t, const char *s) {
    puts_(t, "\"");
    for (const uint8_t *p = (const uint8_t *)s; *p;) {
        unsigned n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
        for (unsigned i = 1; i < n; i++)
            if ((p[i] & 0xc0) != 0x80) n = 0;
        char esc[8];
        if (*p == '"' || *p == '\\') {
            esc[0] = '\\', esc[1] = (char)*p;
            put(t, esc, 2);
        } else if (*p < 0x20 || *p == 0x7f) {
            snprintf(esc, sizeof esc, "\\u%04x", *p);
            puts_(t, esc);
        } else if (n == 0)
            puts_(t, "\xef\xbf\xbd");
        else
            put(t, (const char *)p, n);
        p += n ? n : 1;
    }
    puts_(t, "\"");
}

/* Writes a further member of an object, after a comma. */
static void member(text *t, const char *name, uint64_t v) {
    puts_(t, ",\"");
    puts_(t, name);
    puts_(t, "\":");
    number(t, v);
}
static void seconds(text *t, const char *name, uint64_t ns) {
    char buf[64];
    snprintf(buf, sizeof buf, "\"%s\":%llu.%09llu", name, (unsigned long long)(ns / 1000000000),
             (unsigned long long)(ns % 1000000000));
    puts_(t, buf);
}
static void memories(text *t, const ts_store *s) {
    char name[128];
    bool first = true;
    puts_(t, ",\"memories\":[");
    for (const ts_instance *i = s->instances; i; i = i->next)
        for (uint32_t k = 0; ts_instance_own_memory(i, k); k++, first = false) {
            if (!ts_module_name(i->module, name, sizeof name))
                snprintf(name, sizeof name, "%s", i->name ? i->name : "");
            puts_(t, first ? "{\"module\":" : ",{\"module\":");
            string(t, name);
            member(t, "bytes", ts_instance_own_memory(i, k)->len);
            puts_(t, "}");
        }
    puts_(t, "]");
}
static void put_usage(text *t, const ts_cli_usage *u) {
    puts_(t, ",\"usage\":{");
    seconds(t, "seconds", u->wall_ns);
    puts_(t, ",");
    seconds(t, "cpu_seconds", u->cpu_ns);
    member(t, "host_calls", u->host_calls);
    if (u->store->limits.fuel) member(t, "fuel", u->core.fuel);
    member(t, "stack_bytes", u->core.stack_bytes);
    member(t, "depth", u->core.depth);
    member(t, "gc_bytes", u->core.gc_bytes);
    member(t, "table_elements", u->core.table_elems);
    member(t, "handles", u->handles);
    member(t, "resources", u->wasi.objects);
    member(t, "files", u->wasi.files);
    if (u->wasi.counts_disk) member(t, "disk_bytes", u->wasi.disk);
    memories(t, u->store);
    puts_(t, ",\"refused\":{\"memory_grow\":");
    number(t, u->core.memory.n);
    member(t, "table_grow", u->core.table.n);
    member(t, "files", u->wasi.refused_files);
    if (u->wasi.counts_disk) member(t, "disk", u->wasi.refused_disk);
    puts_(t, "}}");
}

static void truth(text *t, const char *name, bool v) {
    puts_(t, ",\"");
    puts_(t, name);
    puts_(t, v ? "\":true" : "\":false");
}
static void put_confinement(text *t, const ts_confinement *c) {
    puts_(t, ",\"confinement\":{\"mode\":");
    string(t, ts_cli_confine_name(c->mode));
    truth(t, "no_new_privileges", c->no_new_privileges);
    truth(t, "files", c->files);
    truth(t, "tcp_ports", c->tcp_ports);
    truth(t, "system_calls", c->system_calls);
    truth(t, "limits", c->limits);
    truth(t, "all_threads", c->all_threads);
    member(t, "landlock", c->landlock);
    truth(t, "any_connect_port", c->any_connect_port);
    truth(t, "any_listen_port", c->any_listen_port);
    truth(t, "makes_code", c->makes_code);
    puts_(t, ",\"missing\":");
    string(t, c->missing);
    puts_(t, "}");
}

bool ts_cli_outcome(const char *path, const ts_error *e, const ts_cli_ending *ending) {
    const ts_missing *const missing = ending->missing;
    const uint32_t n_missing = ending->n_missing;
    text t = {0};
    puts_(&t, "{\"schema\":\"touchstone-outcome/1\",\"outcome\":");
    string(&t, word(e));
    if (e->status == TS_OK || e->status == TS_EXIT) {
        puts_(&t, ",\"status\":");
        number(&t, (uint64_t)ts_cli_status(e));
    } else {
        if (strcmp(word(e), "trap") == 0) {
            puts_(&t, ",\"kind\":");
            string(&t, kind(e));
        }
        if (*ts_cli_limit_option(e->limit)) {
            puts_(&t, ",\"limit\":");
            string(&t, ts_cli_limit_option(e->limit));
        }
        puts_(&t, ",\"message\":");
        string(&t, e->message);
        if (e->has_offset) {
            puts_(&t, ",\"offset\":");
            number(&t, e->offset);
        }
        if (e->section[0]) {
            puts_(&t, ",\"section\":");
            string(&t, e->section);
        }
        if (n_missing) {
            puts_(&t, ",\"imports\":[");
            for (uint32_t i = 0; i < n_missing; i++) {
                puts_(&t, i ? ",{\"name\":" : "{\"name\":");
                string(&t, missing[i].name);
                puts_(&t, ",\"function\":");
                string(&t, missing[i].function);
                puts_(&t, ",\"reason\":");
                string(&t, missing[i].reason);
                puts_(&t, "}");
            }
            puts_(&t, "]");
        }
        if (strcmp(word(e), "trap") == 0 || e->n_frames) {
            puts_(&t, ",\"backtrace\":[");
            for (uint32_t i = 0; i < e->n_frames; i++) {
                const ts_frame *f = &e->frames[i];
                puts_(&t, i ? ",{\"module\":" : "{\"module\":");
                string(&t, f->module);
                puts_(&t, ",\"function\":");
                string(&t, f->function);
                puts_(&t, ",\"index\":");
                number(&t, f->func_index);
                puts_(&t, ",\"offset\":");
                number(&t, f->offset);
                if (f->line) {
                    puts_(&t, ",\"file\":");
                    string(&t, f->file);
                    puts_(&t, ",\"line\":");
                    number(&t, f->line);
                    if (f->column) puts_(&t, ",\"column\":");
                    if (f->column) number(&t, f->column);
                }
                if (f->inlined) puts_(&t, ",\"inlined\":true");
                puts_(&t, "}");
            }
            puts_(&t, "]");
        }
    }
    if (ending->usage->store) put_usage(&t, ending->usage);
    if (ending->confinement->mode) put_confinement(&t, ending->confinement);
    puts_(&t, "}\n");
    bool ok = !t.failed && t.s && ts_sys_leave(path, t.s);
    if (!ok)
        fprintf(stderr, "touchstone: cannot write the outcome to %s: %s\n", path,
                ts_sys_err_text(t.failed || !t.s ? TS_SYS_ENOMEM : ts_sys_err_of(errno)));
    free(t.s);
    return ok;
}
