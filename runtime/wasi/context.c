/* context: see context.h and wasi.h */
#include "wasi/context.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ts_status ts_wasi_new_from(ts_wasi_grants *g, ts_wasi **out, ts_error *e) {
    if (!g || !out) return ts_fail(e, TS_USAGE, "ts_wasi_new_from: a pointer is NULL");
    *out = NULL;
    ts_wasi *w = calloc(1, sizeof *w);
    if (!w) return ts_fail_nomem(e);
    __atomic_fetch_add(&g->refs, 1, __ATOMIC_RELAXED);
    w->grants = g;
    w->seed = g->seed;
    *out = w;
    return TS_OK;
}
ts_status ts_wasi_new(ts_wasi **out, ts_error *e) {
    TS_NEED(e, out);
    ts_wasi_grants *g;
    if (!out) return ts_fail(e, TS_USAGE, "ts_wasi_new: a pointer is NULL");
    *out = NULL;
    TS_TRY(ts_wasi_grants_empty(&g, e));
    ts_status s = ts_wasi_new_from(g, out, e);
    ts_wasi_grants_free(g); /* the context holds its own reference */
    return s;
}

static void obj_end(ts_wasi *w, ts_wasi_obj *o) {
    if (o->prev)
        o->prev->next = o->next;
    else
        w->objects = o->next;
    if (o->next) o->next->prev = o->prev;
    if (o->parent) o->parent->children--;
    if (o->end) o->end(w, o);
    w->n_objects--;
    w->by_id.data[o->id - 1] = NULL;
    w->free_ids.data[w->free_ids.len++] = o->id; /* the slot was reserved when the id was created */
    free(o);
}

void ts_wasi_free(ts_wasi *w) {
    if (!w) return;
    while (w->objects) obj_end(w, w->objects); /* the newest first: children before parents */
    if (w->driver.end) w->driver.end(w->driver.data);
    for (int i = 0; i < 3; i++) ts_wasi_file_release(w->stdio[i].file);
    if (w->http_end) w->http_end(w);
    ts_sys_lookups_free(w->lookups);
    ts_wasi_recording_free(w->replay);
    ts_vec_free(&w->learnt);
    ts_vec_free(&w->by_id);
    ts_vec_free(&w->free_ids);
    ts_wasi_grants_free(w->grants);
    ts_sys_wake_free(&w->wake);
    free(w->chunk);
    free(w);
}

void ts_wasi_reset(ts_wasi *w) {
    if (!w) return;
    while (w->objects) obj_end(w, w->objects);
    w->stop = 0;
    w->clock_ns = 0;
    w->disk = w->most_disk = w->refused_disk = 0;
    w->most_files = w->n_files;
    w->refused_files = 0; /* serve reports each request separately */
    w->learnt.len = 0;    /* look-ups of one guest grant nothing to the next */
    w->seed = w->grants->seed;
    w->insecure[0] = w->insecure[1] = 0;
    w->has_insecure_seed = false;
}
void ts_wasi_watch_waits(ts_wasi *w, const ts_wasi_watch *watch) {
    w->watch = watch ? *watch : (ts_wasi_watch){0};
}
void ts_wasi_until(ts_wasi *w, uint64_t ns) {
    w->until = ns;
}

void ts_wasi_interrupt(ts_wasi *w) {
    if (!w) return;
    __atomic_store_n(&w->stop, 1, __ATOMIC_SEQ_CST);
    ts_sys_wake_ring(&w->wake);
}
/* Why an interface in the namespace of WASI is missing. */
static bool explain_missing(const ts_iface_name *n, bool other_version, char *buf, size_t size) {
    static const char *const packages[] = {"wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:http",
                                           "wasi:io",  "wasi:random", "wasi:sockets"};
    if (n->base_len < 5 || memcmp(n->base, "wasi:", 5) != 0) return false;
    const char *slash = memchr(n->base, '/', n->base_len);
    size_t len = slash ? (size_t)(slash - n->base) : n->base_len;
    bool known = false;
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        known |= strlen(packages[i]) == len && memcmp(packages[i], n->base, len) == 0;
    if (n->has_version && n->major == 0 && n->minor == 3)
        snprintf(buf, size, "it belongs to WASI 0.3, which is not implemented");
    else if (other_version)
        return false;
    else if (!known)
        snprintf(buf, size, "%.*s is not part of WASI 0.2", (int)len, n->base);
    else if (n->has_version && (n->major != 0 || n->minor != 2))
        snprintf(buf, size, "version %u.%u.%u is not compatible with WASI 0.2", n->major, n->minor, n->patch);
    else if (n->has_version && n->pre_len)
        snprintf(buf, size, "pre-release version %.*s of WASI 0.2 is not compatible with 0.2.0", (int)n->pre_len,
                 n->pre);
    else if (!n->has_version)
        snprintf(buf, size, "it has no version: WASI 0.2 is imported as %.*s@0.2.x", (int)n->base_len, n->base);
    else
        snprintf(buf, size, "WASI 0.2 as implemented here has no such interface");
    return true;
}
ts_status ts_wasi_link(ts_wasi *w, ts_linker *l, ts_error *e) {
    TS_NEED(e, w);
    TS_NEED(e, l);
    w->linked = true;
    ts_linker_set_explain(l, explain_missing);
    return ts_linker_add_host(l, ts_wasi_host(w), w, e);
}
void ts_wasi_walk_paths(ts_wasi *w, bool on) {
    w->walk_paths = on;
}

ts_status ts_wasi_obj_new(ts_host_call *c, ts_wasi_kind kind, size_t size, ts_wasi_obj *parent, void *out_obj) {
    ts_wasi *w = ts_wasi_of(c);
    if (w->n_objects >= w->grants->max_objects)
        return ts_host_limit(c, TS_LIMIT_OBJECTS, "the guest holds %llu host objects: no more are allowed",
                             (unsigned long long)w->n_objects);
    ts_wasi_obj *o = calloc(1, size);
    if (!o) return ts_fail_nomem(c->err);
    if (w->free_ids.len) {
        o->id = w->free_ids.data[--w->free_ids.len];
        w->by_id.data[o->id - 1] = o;
    } else {
        if (!ts_vec_reserve(&w->free_ids, (uint64_t)w->by_id.len + 1) || !ts_vec_push(&w->by_id, o)) {
            free(o);
            return ts_fail_nomem(c->err);
        }
        o->id = w->by_id.len;
    }
    o->kind = kind;
    o->parent = parent;
    if (parent) parent->children++;
    o->next = w->objects;
    if (w->objects) w->objects->prev = o;
    w->objects = o;
    w->n_objects++;
    *(void **)out_obj = o;
    return TS_OK;
}

ts_status ts_wasi_drop(ts_host_call *c, uint64_t rep, const char *what) {
    ts_wasi_obj *o = ts_wasi_of(c)->by_id.data[rep - 1];
    if (o->children) return ts_host_trap(c, "%s is dropped while %u of its children live", what, o->children);
    obj_end(ts_wasi_of(c), o);
    return TS_OK;
}

ts_status ts_wasi_file_new(ts_host_call *c, int fd, bool own, ts_sys_type type, ts_wasi_file **out) {
    *out = malloc(sizeof **out);
    if (!*out) {
        if (own) ts_sys_close(fd);
        return ts_fail_nomem(c->err);
    }
    **out = (ts_wasi_file){.refs = 1, .fd = fd, .type = type, .own = own, .blocks = !own};
    if (own) {
        (*out)->count = &ts_wasi_of(c)->n_files;
        if (++*(*out)->count > ts_wasi_of(c)->most_files) ts_wasi_of(c)->most_files = *(*out)->count;
    }
    return TS_OK;
}
ts_sys_err ts_wasi_may_open(ts_wasi *w) {
    if (w->n_files < w->grants->max_files) return TS_SYS_OK;
    w->refused_files++;
    return TS_SYS_EMFILE;
}
ts_wasi_usage ts_wasi_get_usage(const ts_wasi *w) {
    return (ts_wasi_usage){.objects = w->by_id.len,
                           .files = w->most_files,
                           .refused_files = w->refused_files,
                           .counts_disk = w->grants->max_disk != UINT64_MAX,
                           .disk = w->most_disk,
                           .refused_disk = w->refused_disk};
}

void ts_wasi_file_release(ts_wasi_file *f) {
    if (!f || --f->refs) return;
    if (f->own) ts_sys_close(f->fd);
    if (f->count) --*f->count;
    free(f);
}

ts_status ts_wasi_interrupted(ts_host_call *c) {
    return __atomic_load_n(&ts_wasi_of(c)->stop, __ATOMIC_SEQ_CST) || ts_host_take_interrupt(c)
               ? ts_fail(c->err, TS_INTERRUPTED, "the run was asked to stop in a call to %s %s",
                         c->func ? c->func->interface : "the host", c->func ? c->func->name : "")
               : TS_OK;
}

ts_status ts_wasi_chunk(ts_host_call *c, uint8_t **out) {
    ts_wasi *w = ts_wasi_of(c);
    if (!w->chunk && !(w->chunk = malloc(TS_WASI_CHUNK))) return ts_fail_nomem(c->err);
    *out = w->chunk;
    return TS_OK;
}

ts_status ts_wasi_ok_val(ts_host_call *c, ts_val *result, ts_val **payload) {
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *result = (ts_val){.variant = {.disc = 0, .payload = v}};
    *payload = v;
    return TS_OK;
}

ts_status ts_wasi_err_enum(ts_host_call *c, ts_val *result, uint32_t disc) {
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *v = (ts_val){.variant = {.disc = disc}};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return TS_OK;
}

ts_status ts_wasi_err_closed(ts_host_call *c, ts_val *result) {
    return ts_wasi_err_enum(c, result, TS_WASI_IO_STREAM_ERROR_CLOSED);
}

ts_status ts_wasi_err_new(ts_host_call *c, ts_val *result, size_t size, void *out_error) {
    ts_wasi_error *e;
    ts_val *v = ts_host_vals(c, 2);
    if (!v) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_ERROR, size, NULL, &e));
    v[1] = (ts_val){.handle = {.rep = ts_wasi_rep(e)}};
    v[0] = (ts_val){.variant = {.disc = TS_WASI_IO_STREAM_ERROR_LAST_OPERATION_FAILED, .payload = &v[1]}};
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    *(void **)out_error = e;
    return TS_OK;
}

ts_status ts_wasi_err_failed(ts_host_call *c, ts_val *result, ts_wasi_domain domain, ts_sys_err code) {
    ts_wasi_error *e;
    TS_TRY(ts_wasi_err_new(c, result, sizeof *e, &e));
    e->domain = domain;
    e->code = code;
    return TS_OK;
}
