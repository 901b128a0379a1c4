/* usage: see usage.h */
#include "cli/usage.h"
#include "cli/embed.h"
#include "sys/clock.h"
#include <stdio.h>

const char *ts_cli_limit_option(ts_limit_kind limit) {
    static const char *const names[TS_LIMIT_COUNT] = {
        [TS_LIMIT_NONE] = "",
        [TS_LIMIT_MEMORY] = "--max-memory",
        [TS_LIMIT_TABLE] = "--max-table",
        [TS_LIMIT_STACK] = "--stack",
        [TS_LIMIT_DEPTH] = "--max-depth",
        [TS_LIMIT_GC] = "--max-gc",
        [TS_LIMIT_FUEL] = "--fuel",
        [TS_LIMIT_TIME] = "--max-time",
        [TS_LIMIT_INSTANCES] = "",
        [TS_LIMIT_OBJECTS] = "-S max-resources",
        [TS_LIMIT_FILES] = "-S max-files",
        [TS_LIMIT_RANDOM] = "-S max-random-size",
        [TS_LIMIT_HTTP_FIELDS] = "-S max-http-fields-size",
    };
    return limit < TS_LIMIT_COUNT && names[limit] ? names[limit] : "";
}

void ts_cli_usage_refused(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w) {
    *u = (ts_cli_usage){0};
    if (w) u->wasi = ts_wasi_get_usage(w);
    if (!store) return;
    u->store = store->core;
    u->core.memory = store->core->refused_memory;
    u->core.table = store->core->refused_table;
}

void ts_cli_usage_take(ts_cli_usage *u, ts_cstore *store, const ts_wasi *w, uint64_t started) {
    *u = (ts_cli_usage){.wall_ns = ts_sys_monotonic() - started, .cpu_ns = ts_sys_cpu()};
    if (w) u->wasi = ts_wasi_get_usage(w);
    if (!store) return;
    u->store = store->core;
    u->host_calls = store->host_calls;
    ts_store_get_usage(store->core, &u->core);
    for (const ts_cinstance *i = store->instances; i; i = i->next) /* index 0 is never used */
        if (i->handles.len > u->handles + 1) u->handles = i->handles.len - 1;
}

static void count(uint64_t n) {
    if (n == 1)
        fprintf(stderr, "once");
    else
        fprintf(stderr, "%llu times", (unsigned long long)n);
}

void ts_cli_usage_report(const ts_cli_usage *u, const ts_cli_options *o) {
    char want[TS_SIZE_TEXT], most[TS_SIZE_TEXT];
    if (u->core.memory.n) {
        fprintf(stderr, "touchstone: memory.grow was refused ");
        count(u->core.memory.n);
        fprintf(
            stderr, ": a memory of %s is over the limit of %s (--max-memory)\n",
            ts_size_text(u->core.memory.most, want),
            ts_size_text(o->set.policy.limits.memory_bytes ? o->set.policy.limits.memory_bytes : 16ull << 30, most));
    }
    if (u->core.table.n) {
        fprintf(stderr, "touchstone: table.grow was refused ");
        count(u->core.table.n);
        fprintf(stderr, ": a table of %llu elements is over the limit of %llu (--max-table)\n",
                (unsigned long long)u->core.table.most,
                (unsigned long long)(u->store ? u->store->limits.table_elems : o->set.policy.limits.table_elems));
    }
    if (u->wasi.refused_files) {
        fprintf(stderr, "touchstone: a file, directory or socket was refused ");
        count(u->wasi.refused_files);
        fprintf(stderr, ": %llu are open at once (-S max-files)\n", (unsigned long long)u->wasi.files);
    }
    if (u->wasi.refused_disk) {
        fprintf(stderr, "touchstone: a file was refused to grow ");
        count(u->wasi.refused_disk);
        fprintf(stderr, ": files have grown by %s (--max-disk)\n", ts_size_text(u->wasi.disk, want));
    }
}
