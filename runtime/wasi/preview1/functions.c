/* functions: the table of preview 1's functions, and how a core module calls them.
 * In: imports of a module; calls. Out: core functions; the error code of a call, a trap or an exit.
 * witx: wasi_snapshot_preview1.witx; witx-docs.md#function-results */
#include "wasi/preview1/describe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct function {
    const char *name, *letters; /* see describe.h */
    ts_p1_fn fn;
} function;

/* In the order of the text. */
#define FUNCTION(name, letters) {#name, letters, ts_p1_##name}
static const function functions[] = {
    FUNCTION(args_get, "pp:"),
    FUNCTION(args_sizes_get, ":uu"),
    FUNCTION(environ_get, "pp:"),
    FUNCTION(environ_sizes_get, ":uu"),
    FUNCTION(clock_res_get, "C:U"),
    FUNCTION(clock_time_get, "CU:U"),
    FUNCTION(fd_advise, "fUUA:"),
    FUNCTION(fd_allocate, "fUU:"),
    FUNCTION(fd_close, "f:"),
    FUNCTION(fd_datasync, "f:"),
    FUNCTION(fd_fdstat_get, "f:d"),
    FUNCTION(fd_fdstat_set_flags, "fF:"),
    FUNCTION(fd_fdstat_set_rights, "fRR:"),
    FUNCTION(fd_filestat_get, "f:t"),
    FUNCTION(fd_filestat_set_size, "fU:"),
    FUNCTION(fd_filestat_set_times, "fUUT:"),
    FUNCTION(fd_pread, "frU:r"),
    FUNCTION(fd_prestat_get, "f:q"),
    FUNCTION(fd_prestat_dir_name, "fb:"),
    FUNCTION(fd_pwrite, "fwU:u"),
    FUNCTION(fd_read, "fr:r"),
    FUNCTION(fd_readdir, "fbU:b"),
    FUNCTION(fd_renumber, "ff:"),
    FUNCTION(fd_seek, "fSW:U"),
    FUNCTION(fd_sync, "f:"),
    FUNCTION(fd_tell, "f:U"),
    FUNCTION(fd_write, "fw:u"),
    FUNCTION(path_create_directory, "fs:"),
    FUNCTION(path_filestat_get, "fLs:t"),
    FUNCTION(path_filestat_set_times, "fLsUUT:"),
    FUNCTION(path_link, "fLsfs:"),
    FUNCTION(path_open, "fLsORRF:f"),
    FUNCTION(path_readlink, "fsb:b"),
    FUNCTION(path_remove_directory, "fs:"),
    FUNCTION(path_rename, "fsfs:"),
    FUNCTION(path_symlink, "sfs:"),
    FUNCTION(path_unlink_file, "fs:"),
    FUNCTION(poll_oneoff, "ppu:u"),
    FUNCTION(proc_exit, "u:x"),
    FUNCTION(proc_raise, "G:"),
    FUNCTION(sched_yield, ":"),
    FUNCTION(random_get, "b:"),
    FUNCTION(sock_accept, "fF:f"),
    FUNCTION(sock_recv, "frE:rh"),
    FUNCTION(sock_send, "fwu:u"),
    FUNCTION(sock_shutdown, "fD:"),
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

/* --- calls ------------------------------------------------------------------------------------------------ */
/* A function of one run. */
typedef struct binding {
    ts_p1 *p;
    const function *f;
    ts_p1_shape shape;
    ts_host_func host; /* for messages and traces */
} binding;

/* application-abi.md: "all modules accessing WASI APIs also export a linear memory with the name memory" */
static void find_memory(ts_p1_call *c, const ts_core_instance *caller) {
    ts_p1 *p = c->p;
    if (caller != p->memory_of) {
        ts_core_extern x;
        const bool found = caller && ts_core_instance_export(caller, "memory", &x) && x.kind == TS_CORE_MEMORY;
        p->memory_of = caller;
        p->memory = found ? x.memory : NULL;
    }
    if (!p->memory) return;
    c->memory = ts_core_memory_data(p->memory);
    c->memory_len = ts_core_memory_size(p->memory);
}
static bool results_aligned(ts_p1_call *c, const binding *b) {
    for (uint32_t i = 0; b->shape.first_result + i < b->shape.n_core; i++)
        if (!ts_p1_aligned(c, c->results[i], ts_p1_result_align(b->f->letters, i))) return false;
    return true;
}
/* An iovec is aligned to 4 bytes; other pointers among the parameters are checked by their functions. */
static bool buffers_aligned(ts_p1_call *c, const binding *b, const uint64_t *a) {
    const bool has = b->f->letters[0] == 'f' && (b->f->letters[1] == 'r' || b->f->letters[1] == 'w');
    return !has || ts_p1_aligned(c, a[1], 4);
}
static ts_status call(ts_core_call *core, void *data, const ts_core_val *args, ts_core_val *results) {
    const binding *b = data;
    ts_p1 *p = b->p;
    uint64_t a[TS_P1_MAX_PARAMS];
    for (uint32_t i = 0; i < b->shape.n_core; i++)
        a[i] = b->shape.core[i] == TS_CORE_I32 ? (uint32_t)args[i].i32 : (uint64_t)args[i].i64;
    ts_p1_call c = {.host = {.host = p->w,
                             .store = p->store,
                             .arena = &p->arena,
                             .err = ts_core_callback_error(core),
                             .func = &b->host},
                    .p = p,
                    .results = a + b->shape.first_result};
    find_memory(&c, ts_core_callback_caller(core));
    const uint64_t begun = ts_host_core_begin(&c.host, p->linker);
    const bool traced = ts_host_core_traced(p->linker, &b->host);
    const ts_val *shown = traced ? ts_p1_shown_args(&c, b->f->letters, a) : NULL, *shown_result = NULL;
    if (results_aligned(&c, b) && buffers_aligned(&c, b, a)) c.status = b->f->fn(&c, a);
    if (traced) {
        if (c.status == TS_OK && b->shape.returns) shown_result = ts_p1_shown_result(&c, b->f->letters, a);
        ts_host_core_end(&c.host, p->linker, shown, shown_result, c.status, begun);
    }
    ts_arena_reset(&p->arena);
    if (c.status == TS_OK && b->shape.returns) results[0].i32 = (int32_t)c.error;
    return c.status;
}

/* --- linking ---------------------------------------------------------------------------------------------- */
static bool is(const char *name, size_t len, const char *text) {
    return strlen(text) == len && memcmp(name, text, len) == 0;
}
static const function *find(const ts_core_item *import) {
    for (int i = 0; i < N_FUNCTIONS; i++)
        if (is(import->name, import->name_len, functions[i].name)) return &functions[i];
    return NULL;
}
static bool type_fits(const ts_core_externtype *t, const ts_p1_shape *s) {
    return t->n_params == s->n_core && t->n_results == s->returns &&
           memcmp(t->params, s->core, s->n_core * sizeof *s->core) == 0 &&
           (!s->returns || t->results[0] == TS_CORE_I32);
}
static void print_type(const ts_p1_shape *s, char *buf, size_t size) {
    char one[48];
    size_t at = 0;
    for (uint32_t i = 0; i < s->n_core && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? " " : "", ts_core_type_name(s->core[i], one));
    if (at < size) snprintf(buf + at, size - at, "%s", s->returns ? ") -> (i32)" : ") -> ()");
}
const char *ts_p1_missing(const ts_core_item *import, char *buf, size_t size) {
    ts_p1_shape s;
    char type[160];
    if (is(import->module, import->module_len, "wasi_unstable"))
        return "this is preview 0 of WASI, which is not supported: build the module for preview 1 or WASI 0.2";
    if (!is(import->module, import->module_len, TS_P1_MODULE))
        return "a core module gets functions of " TS_P1_MODULE " only";
    const function *f = find(import);
    if (!f) return "preview 1 of WASI has no such function";
    if (import->type.kind != TS_CORE_FUNC) return "preview 1 of WASI has a function of this name, nothing else";
    ts_p1_shape_of(f->letters, &s);
    if (type_fits(&import->type, &s)) return NULL;
    print_type(&s, type, sizeof type);
    snprintf(buf, size, "its type is not that of preview 1, (%s", type);
    return buf;
}
ts_status ts_p1_function(ts_p1 *p, ts_core_store *s, const ts_core_item *import, ts_core_func **out, ts_error *e) {
    const function *f = find(import);
    TS_NEED(e, f);
    binding *b = calloc(1, sizeof *b);
    if (!b || !ts_vec_push(&p->bindings, b)) {
        free(b);
        return ts_fail_nomem(e);
    }
    *b = (binding){.p = p, .f = f};
    ts_p1_shape_of(f->letters, &b->shape);
    b->host = (ts_host_func){.interface = TS_P1_MODULE, .name = f->name, .type = &b->shape.type};
    return ts_core_func_new(s, &import->type, call, b, f->name, out, e);
}
