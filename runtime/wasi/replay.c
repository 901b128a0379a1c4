/* replay: records the host's answers in a file, and replays a run from that file, without the outside world.
 * In: a path, the component. Out: ts_wasi_def with each function wrapped. Recording writes the answer of each
 * call. Replaying returns the same answers, and repeats the output to stdout and stderr. A guest whose
 * requests differ from the recorded ones ends the run.
 * Source: our own format. It is a line; then the version of the writer, a sum of the table of functions, and
 * the size and SHA-256 of the component; then the caller's text about the inputs of the run; then the calls
 * (function, sum of the arguments, answer); and at the end their number. Each entry has a length, bytes and
 * their sum. */
#include "wasi/context.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "sys/descriptors.h"
#include "sys/input.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "touchstone-record/4\n";
enum { DROP = 0x8000, THE_END = 0xffff, MAX_MESSAGE = 400, MAX_VALUES = 1 << 24, VERSION_BYTES = 16 };
enum { A_VALUE, A_EXIT, A_TRAP, A_DENIED = 0x80 /* flag on a value: the request was not granted */ };

typedef struct std { /* in a replay: a stream for stdout or stderr */
    uint64_t rep;
    int which;
} std;

struct ts_wasi_recording {
    ts_host_func *funcs;
    ts_host_resource *resources;
    ts_host_def def;
    FILE *out; /* recording */
    bool diverged;
    bool recorded, ended; /* recorded: not replayed; ended: ts_wasi_record_end was called */
    ts_sys_err failed;    /* recording: the first write to the record that failed; replaying: to stdout or stderr */
    ts_sys_input in;      /* replaying */
    size_t at, end;       /* of the current entry: the next byte and the end */
    char *path;
    char *conditions; /* from the replayed record */
    uint64_t calls;
    TS_VEC(uint8_t) buf;
    TS_VEC(std) stds;
};

/* --- values as bytes --- */
static bool put(ts_wasi_recording *r, const void *p, size_t n) {
    if (!ts_vec_reserve(&r->buf, (uint64_t)r->buf.len + n)) return false;
    if (n) memcpy(r->buf.data + r->buf.len, p, n);
    r->buf.len += (uint32_t)n;
    return true;
}
static bool put_u64(ts_wasi_recording *r, uint64_t v, int bytes) {
    uint8_t b[8];
    for (int i = 0; i < bytes; i++) b[i] = (uint8_t)(v >> 8 * i);
    return put(r, b, (size_t)bytes);
}
/* Returns a number's bits, by its type. */
static uint64_t bits_of(const ts_ctype *t, const ts_val *v) {
    switch (t->size) {
    case 1: return v->u8;
    case 2: return v->u16;
    case 4: return v->u32;
    default: return v->u64;
    }
}
static const ts_ctype *payload_type(const ts_ctype *t, uint32_t disc) {
    if (t->kind == TS_CT_OPTION) return disc ? t->elem : NULL;
    if (t->kind == TS_CT_RESULT) return disc ? t->elem2 : t->elem;
    return disc < t->n ? t->cases[disc].type : NULL;
}
static bool put_val(ts_wasi_recording *r, const ts_ctype *t, const ts_val *v) {
    switch (t->kind) {
    case TS_CT_BOOL: return put_u64(r, v->b, 1);
    case TS_CT_STRING: return put_u64(r, v->str.len, 8) && put(r, v->str.ptr, v->str.len);
    case TS_CT_FLAGS: return put_u64(r, v->flags.bits, 8);
    case TS_CT_OWN:
    case TS_CT_BORROW: return put_u64(r, v->handle.rep, 8);
    case TS_CT_LIST:
        if (ts_ct_is_raw_elem(t->elem->kind))
            return put_u64(r, v->raw.len, 8) && put(r, v->raw.ptr, v->raw.len * t->elem->size);
        if (!put_u64(r, v->list.len, 8)) return false;
        for (size_t i = 0; i < v->list.len; i++)
            if (!put_val(r, t->elem, &v->list.ptr[i])) return false;
        return true;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++)
            if (!put_val(r, t->cases[i].type, &v->list.ptr[i])) return false;
        return true;
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        const ts_ctype *p = payload_type(t, v->variant.disc);
        return put_u64(r, v->variant.disc, 4) && (!p || put_val(r, p, v->variant.payload));
    }
    default: return put_u64(r, bits_of(t, v), 8);
    }
}

static bool get(ts_wasi_recording *r, size_t n, const uint8_t **p) {
    if (n > r->end - r->at) return false;
    *p = r->in.bytes + r->at;
    r->at += n;
    return true;
}
static bool get_u64(ts_wasi_recording *r, int bytes, uint64_t *v) {
    const uint8_t *p;
    if (!get(r, (size_t)bytes, &p)) return false;
    *v = 0;
    for (int i = 0; i < bytes; i++) *v |= (uint64_t)p[i] << 8 * i;
    return true;
}
static bool get_bytes(ts_wasi_recording *r, ts_arena *a, uint64_t n, const void **out) {
    const uint8_t *p;
    if (n > r->in.len || !get(r, (size_t)n, &p)) return false;
    void *copy = ts_arena_alloc(a, (size_t)n); /* the record is not aligned, the copy is */
    if (n && !copy) return false;
    if (n) memcpy(copy, p, (size_t)n);
    *out = copy;
    return true;
}
static bool get_val(ts_wasi_recording *r, ts_arena *a, const ts_ctype *t, ts_val *v) {
    uint64_t n;
    const void *p;
    *v = (ts_val){0};
    switch (t->kind) {
    case TS_CT_BOOL:
        if (!get_u64(r, 1, &n)) return false;
        v->b = n != 0;
        return true;
    case TS_CT_STRING:
        if (!get_u64(r, 8, &n) || !get_bytes(r, a, n, &p) || !ts_utf8_valid(p, (size_t)n)) return false;
        v->str.ptr = p;
        v->str.len = (size_t)n;
        return true;
    case TS_CT_FLAGS:
        if (!get_u64(r, 8, &n)) return false;
        v->flags.bits = (typeof(v->flags.bits))n;
        return true;
    case TS_CT_OWN:
    case TS_CT_BORROW: return get_u64(r, 8, &n) && (v->handle.rep = n, true);
    case TS_CT_LIST:
        if (!get_u64(r, 8, &n) || n > MAX_VALUES * (uint64_t)64) return false;
        if (ts_ct_is_raw_elem(t->elem->kind)) {
            if (!get_bytes(r, a, n * t->elem->size, &p)) return false;
            v->raw.ptr = p;
            v->raw.len = (size_t)n;
            return true;
        }
        if (n > MAX_VALUES || n > r->end - r->at) return false; /* each value takes at least one byte */
        goto values;
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        n = t->n;
    values: {
        ts_val *all = ts_arena_array(a, (size_t)n, sizeof *all);
        if (n && !all) return false;
        for (uint64_t i = 0; i < n; i++)
            if (!get_val(r, a, t->kind == TS_CT_LIST ? t->elem : t->cases[i].type, &all[i])) return false;
        v->list.ptr = all;
        v->list.len = (size_t)n;
        return true;
    }
    case TS_CT_VARIANT:
    case TS_CT_ENUM:
    case TS_CT_OPTION:
    case TS_CT_RESULT: {
        if (!get_u64(r, 4, &n) || n >= (t->kind == TS_CT_OPTION || t->kind == TS_CT_RESULT ? 2 : t->n)) return false;
        const ts_ctype *type = payload_type(t, (uint32_t)n);
        ts_val *payload = type ? ts_arena_array(a, 1, sizeof *payload) : NULL;
        if (type && (!payload || !get_val(r, a, type, payload))) return false;
        v->variant.disc = (uint32_t)n;
        v->variant.payload = payload;
        return true;
    }
    default:
        if (!get_u64(r, 8, &n)) return false;
        v->u64 = n;
        if (t->size == 1) v->u8 = (uint8_t)n;
        if (t->size == 2) v->u16 = (uint16_t)n;
        if (t->size == 4) v->u32 = (uint32_t)n;
        return true;
    }
}

/* FNV-1a */
static uint64_t sum(uint64_t h, const void *p, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
    return h;
}
enum { SUM_START = 0x811c9dc5 };
static uint64_t table_sum(void) {
    uint64_t h = SUM_START;
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++) {
        h = sum(h, ts_wasi_def.funcs[i].interface, strlen(ts_wasi_def.funcs[i].interface));
        h = sum(h, ts_wasi_def.funcs[i].name, strlen(ts_wasi_def.funcs[i].name));
    }
    return h;
}

/* --- entries --- */
/* Writes the buffer as an entry. */
static bool write_entry(ts_wasi_recording *r) {
    uint64_t len = r->buf.len, h = sum(SUM_START, r->buf.data, r->buf.len);
    uint8_t head[4], tail[4];
    for (int i = 0; i < 4; i++) {
        head[i] = (uint8_t)(len >> 8 * i);
        tail[i] = (uint8_t)((h ^ h >> 32) >> 8 * i);
    }
    return fwrite(head, 1, 4, r->out) == 4 && fwrite(r->buf.data, 1, r->buf.len, r->out) == r->buf.len &&
           fwrite(tail, 1, 4, r->out) == 4;
}
/* Makes get() read from the next entry. Returns NULL, or a message if the entry is bad. */
static const char *next_entry(ts_wasi_recording *r) {
    uint64_t len, want;
    const uint8_t *p;
    r->at = r->end;
    r->end = r->in.len;
    if (r->at == r->end || !get_u64(r, 4, &len) || len + 4 > r->end - r->at) {
        r->at = r->end = r->in.len;
        return "the record is cut short";
    }
    p = r->in.bytes + r->at;
    uint64_t h = sum(SUM_START, p, (size_t)len);
    r->at += (size_t)len;
    if (!get_u64(r, 4, &want) || want != (uint32_t)(h ^ h >> 32)) {
        r->at = r->end = r->in.len;
        return "the record is damaged";
    }
    r->end = r->at - 4;
    r->at = r->end - (size_t)len;
    return NULL;
}
/* Skips to the end of the entry and its sum. */
static void entry_done(ts_wasi_recording *r) {
    r->at = r->end = r->end + 4;
}

/* --- one call --- */
static ts_status diverged(ts_host_call *c, const char *why) {
    ts_wasi_of(c)->replay->diverged = true;
    return ts_host_trap(c, "the run is not the recorded one: call %llu, %s: %s",
                        (unsigned long long)ts_wasi_of(c)->replay->calls, c->func ? c->func->name : c->resource->name,
                        why);
}
static bool is_splice(const ts_host_func *f) {
    return strcmp(f->interface, "wasi:io/streams") == 0 && strstr(f->name, "splice");
}

static void write_failed(ts_wasi_recording *r, int err) {
    if (!r->failed) r->failed = ts_sys_err_of(err ? err : EIO);
}
static void record(ts_wasi_recording *r, ts_host_call *c, uint32_t number, uint64_t args, ts_status s,
                   const ts_ctype *type, const ts_val *result) {
    bool ok = true;
    r->buf.len = 0;
    ok = put_u64(r, number, 2) && put_u64(r, args, 8);
    if (s == TS_OK) {
        ok = ok && put_u64(r, A_VALUE | (c->denied ? A_DENIED : 0), 1) && (!type || put_val(r, type, result));
        if (ok && c->func && is_splice(c->func) && result->variant.disc == 0) /* the bytes that splice moved */
            ok = put(r, ts_wasi_of(c)->chunk, (size_t)result->variant.payload->u64);
    } else if (s == TS_EXIT) {
        ok = ok && put_u64(r, A_EXIT, 1) && put_u64(r, (uint64_t)c->err->exit_status, 4);
    } else if (s == TS_TRAP) {
        size_t n = strnlen(c->err->message, MAX_MESSAGE);
        ok = ok && put_u64(r, A_TRAP, 1) && put_u64(r, n, 2) && put(r, c->err->message, n);
    } else {
        return; /* the run was stopped from outside */
    }
    if (!ok) write_failed(r, ENOMEM);
    if (ok && !write_entry(r)) write_failed(r, errno);
}

static void show(ts_wasi *w, uint64_t rep, const void *p, uint64_t n) {
    ts_wasi_recording *r = w->replay;
    for (uint32_t i = 0; i < r->stds.len; i++) {
        if (r->stds.data[i].rep != rep) continue;
        const uint8_t *at = p;
        static const uint8_t zeroes[4096];
        while (n) {
            size_t some, now = p ? (size_t)n : n < sizeof zeroes ? (size_t)n : sizeof zeroes;
            ts_sys_err e = ts_sys_write(w->grants->stdio[r->stds.data[i].which], p ? at : zeroes, now, &some);
            if (e == TS_SYS_EAGAIN) {
                e = ts_sys_poll(&(ts_sys_wait){.fd = w->grants->stdio[r->stds.data[i].which], .out = true}, 1,
                                TS_SYS_NO_DEADLINE);
                some = 0;
            }
            if (e && e != TS_SYS_EINTR) {
                if (!r->failed) r->failed = e;
                return;
            }
            at += p ? some : 0;
            n -= some;
        }
        return;
    }
}
/* Repeats the effects of a replayed call on the outside: output to stdout and stderr. */
static bool outside(ts_host_call *c, const ts_val *args, const ts_val *result) {
    ts_wasi *w = ts_wasi_of(c);
    ts_wasi_recording *r = w->replay;
    const char *iface = c->func->interface, *name = c->func->name;
    if (strcmp(iface, "wasi:cli/stdout") == 0 || strcmp(iface, "wasi:cli/stderr") == 0) {
        std s = {.rep = result->handle.rep, .which = strcmp(iface, "wasi:cli/stdout") == 0 ? 1 : 2};
        return ts_vec_push(&r->stds, s);
    }
    if (strcmp(iface, "wasi:io/streams") != 0 || strncmp(name, "[method]output-stream.", 22) != 0) return true;
    name += 22;
    if (result->variant.disc != 0 && !is_splice(c->func)) return true;
    if (strcmp(name, "write") == 0 || strcmp(name, "blocking-write-and-flush") == 0)
        show(w, args[0].handle.rep, args[1].raw.ptr ? args[1].raw.ptr : "", args[1].raw.len);
    else if (strcmp(name, "write-zeroes") == 0 || strcmp(name, "blocking-write-zeroes-and-flush") == 0)
        show(w, args[0].handle.rep, NULL, args[1].u64);
    else if (is_splice(c->func) && result->variant.disc == 0) {
        const uint8_t *p;
        if (!get(r, (size_t)result->variant.payload->u64, &p)) return false;
        show(w, args[0].handle.rep, p, result->variant.payload->u64);
    }
    return true;
}

static ts_status answer(ts_host_call *c, uint64_t how, const ts_ctype *type, const ts_val *args, ts_val *result) {
    ts_wasi_recording *r = ts_wasi_of(c)->replay;
    uint64_t n;
    const uint8_t *p;
    if (how == A_EXIT && get_u64(r, 4, &n)) {
        ts_status s = ts_fail(c->err, TS_EXIT, "exit with status %d", (int)n);
        if (c->err && c->err->status == TS_EXIT) c->err->exit_status = (int)n;
        return s;
    }
    if (how == A_TRAP && get_u64(r, 2, &n) && get(r, (size_t)n, &p) && n && *p) /* no trap is without a reason */
        return ts_host_trap(c, "%.*s", (int)n, (const char *)p);
    if (how != A_VALUE || (type && !get_val(r, c->arena, type, result)) || (c->func && !outside(c, args, result)) ||
        r->at != r->end)
        return diverged(c, "the record is damaged");
    return TS_OK;
}
static ts_status replay(ts_host_call *c, uint32_t number, uint64_t args_sum, const ts_ctype *type, const ts_val *args,
                        ts_val *result) {
    ts_wasi_recording *r = ts_wasi_of(c)->replay;
    uint64_t was, with, how;
    const char *wrong = next_entry(r);
    if (wrong) return diverged(c, wrong);
    if (!get_u64(r, 2, &was)) return diverged(c, "the record is damaged");
    if (was == THE_END) return diverged(c, "the record ends before it");
    if (!get_u64(r, 8, &with) || !get_u64(r, 1, &how)) return diverged(c, "the record is damaged");
    if (was != number) return diverged(c, "the record has another function here");
    if (with != args_sum) return diverged(c, "its arguments differ from the recorded ones");
    c->denied = how & A_DENIED;
    ts_status s = answer(c, how & ~(uint64_t)A_DENIED, type, args, result);
    entry_done(r);
    return s;
}

static ts_status wrapped(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi_recording *r = ts_wasi_of(c)->replay;
    uint32_t i = (uint32_t)(c->func - r->funcs);
    const ts_cfunc_type *t = c->func->type;
    if (r->ended) return ts_host_trap(c, "%s is called after ts_wasi_record_end", c->func->name);
    r->calls++;
    r->buf.len = 0;
    for (uint32_t k = 0; k < t->n_params; k++)
        if (!put_val(r, t->params[k].type, &args[k])) return ts_fail_nomem(c->err);
    uint64_t h = sum(SUM_START, r->buf.data, r->buf.len);
    if (!r->out) return replay(c, i, h, t->result, args, result);
    ts_status s = ts_wasi_def.funcs[i].fn(c, args, result);
    record(r, c, i, h, s, t->result, result);
    return s;
}
static ts_status wrapped_drop(ts_host_call *c, uint64_t rep) {
    ts_wasi_recording *r = ts_wasi_of(c)->replay;
    uint32_t i = (uint32_t)(c->resource - r->resources);
    r->calls++;
    if (r->ended) return r->recorded ? ts_wasi_def.resources[i].drop(c, rep) : TS_OK; /* the store ends */
    if (r->out) {
        ts_status s = ts_wasi_def.resources[i].drop(c, rep);
        record(r, c, i | DROP, rep, s, NULL, NULL);
        return s;
    }
    for (uint32_t k = 0; k < r->stds.len; k++)
        if (r->stds.data[k].rep == rep) r->stds.data[k--] = r->stds.data[--r->stds.len];
    return replay(c, i | DROP, rep, NULL, NULL, NULL);
}

/* --- the run --- */
static void forget(ts_wasi *w) {
    ts_wasi_recording_free(w->replay);
    w->replay = NULL;
}
static ts_status start(ts_wasi *w, const char *path, ts_error *e) {
    if (w->replay) return ts_fail(e, TS_USAGE, "the context records or replays a run already");
    if (w->linked) return ts_fail(e, TS_USAGE, "the context is linked already: record or replay before ts_wasi_link");
    ts_wasi_recording *r = w->replay = calloc(1, sizeof *r);
    if (!r) return ts_fail_nomem(e);
    r->path = strdup(path);
    r->funcs = malloc(ts_wasi_def.n_funcs * sizeof *r->funcs);
    r->resources = malloc(ts_wasi_def.n_resources * sizeof *r->resources);
    if (!r->path || !r->funcs || !r->resources) return ts_fail_nomem(e);
    memcpy(r->funcs, ts_wasi_def.funcs, ts_wasi_def.n_funcs * sizeof *r->funcs);
    memcpy(r->resources, ts_wasi_def.resources, ts_wasi_def.n_resources * sizeof *r->resources);
    for (uint32_t i = 0; i < ts_wasi_def.n_funcs; i++)
        if (r->funcs[i].fn) r->funcs[i].fn = wrapped;
    for (uint32_t i = 0; i < ts_wasi_def.n_resources; i++)
        if (r->resources[i].drop) r->resources[i].drop = wrapped_drop;
    r->def = ts_wasi_def;
    r->def.funcs = r->funcs;
    r->def.resources = r->resources;
    return TS_OK;
}
const ts_host_def *ts_wasi_host(const ts_wasi *w) {
    return w->replay ? &w->replay->def : &ts_wasi_def;
}
static void version_of(char out[VERSION_BYTES]) {
    memset(out, 0, VERSION_BYTES);
    memcpy(out, ts_version(), strnlen(ts_version(), VERSION_BYTES - 1));
}
static void digest_of(const void *bytes, size_t len, uint8_t out[TS_SHA256_BYTES]) {
    ts_sha256 h;
    ts_sha256_begin(&h);
    ts_sha256_add(&h, bytes, len);
    ts_sha256_end(&h, out);
}

static ts_status record_start(ts_wasi *w, const char *path, const void *component, size_t len, const char *conditions,
                              ts_error *e) {
    uint8_t digest[TS_SHA256_BYTES];
    char version[VERSION_BYTES];
    TS_TRY(start(w, path, e));
    ts_wasi_recording *r = w->replay;
    r->out = ts_sys_fopen(path, "w");
    r->recorded = true;
    if (!r->out)
        return ts_fail(e, TS_IO, "cannot write the record to %s: %s", path, ts_sys_err_text(ts_sys_err_of(errno)));
    if (fwrite(magic, 1, sizeof magic - 1, r->out) != sizeof magic - 1) write_failed(r, errno);
    digest_of(component, len, digest);
    version_of(version);
    if (!put(r, version, sizeof version) || !put_u64(r, table_sum(), 8) || !put_u64(r, len, 8) ||
        !put(r, digest, sizeof digest))
        return ts_fail_nomem(e);
    if (!write_entry(r)) write_failed(r, errno);
    r->buf.len = 0;
    if (!put(r, conditions, strlen(conditions))) return ts_fail_nomem(e);
    if (!write_entry(r)) write_failed(r, errno);
    return TS_OK;
}
ts_status ts_wasi_record(ts_wasi *w, const char *path, const void *component, size_t len, const char *conditions,
                         ts_error *e) {
    TS_NEED(e, w);
    TS_NEED(e, path);
    TS_NEED(e, component);
    bool busy = w->replay;
    ts_status s = record_start(w, path, component, len, conditions ? conditions : "", e);
    if (s != TS_OK && !busy) forget(w);
    return s;
}

static ts_status replay_start(ts_wasi *w, const char *path, const void *component, size_t len, ts_error *e) {
    const uint8_t *p, *by, *of;
    uint64_t table, size;
    uint8_t digest[TS_SHA256_BYTES];
    char version[VERSION_BYTES], was[2 * TS_SHA256_BYTES + 1], is[2 * TS_SHA256_BYTES + 1];
    TS_TRY(start(w, path, e));
    ts_wasi_recording *r = w->replay;
    /* read rather than mapped, so that truncating the file later does no harm; a huge one is mapped all the same */
    ts_sys_err err = ts_sys_input_read(path, TS_SYS_INPUT_MOST, &r->in);
    if (err == TS_SYS_EFBIG) err = ts_sys_input_open(path, TS_SYS_INPUT_MOST, &r->in);
    if (err) return ts_fail(e, TS_IO, "cannot read %s: %s", path, ts_sys_err_text(err));
    r->end = r->in.len;
    const size_t kind = sizeof magic - 3; /* the part before the format version */
    if (!get(r, sizeof magic - 1, &p) || memcmp(p, magic, kind) != 0)
        return ts_fail(e, TS_USAGE, "%s is not a record", path);
    if (memcmp(p, magic, sizeof magic - 1) != 0)
        return ts_fail(e, TS_USAGE, "%s is a record of another format than this version's", path);
    r->end = r->at;
    const char *wrong = next_entry(r);
    if (wrong) return ts_fail(e, TS_USAGE, "%s: %s", path, wrong);
    if (!get(r, VERSION_BYTES, &by) || !get_u64(r, 8, &table) || !get_u64(r, 8, &size) ||
        !get(r, TS_SHA256_BYTES, &of) || r->at != r->end)
        return ts_fail(e, TS_USAGE, "%s: the record is damaged", path);
    version_of(version);
    if (table != table_sum())
        return ts_fail(e, TS_USAGE, "%s is a record of touchstone %.*s, whose host functions are not those of %s", path,
                       VERSION_BYTES, (const char *)by, version);
    digest_of(component, len, digest);
    if (memcmp(of, digest, sizeof digest) != 0) {
        ts_sha256_hex(of, was);
        ts_sha256_hex(digest, is);
        return ts_fail(
            e, TS_USAGE,
            "%s is a record of another component: of %llu bytes, SHA-256 %s; this one has %llu bytes, SHA-256 %s", path,
            (unsigned long long)size, was, (unsigned long long)len, is);
    }
    entry_done(r);
    wrong = next_entry(r);
    if (wrong) return ts_fail(e, TS_USAGE, "%s: %s", path, wrong);
    r->conditions = strndup((const char *)r->in.bytes + r->at, r->end - r->at);
    if (!r->conditions) return ts_fail_nomem(e);
    entry_done(r);
    return TS_OK;
}
ts_status ts_wasi_replay(ts_wasi *w, const char *path, const void *component, size_t len, const char **conditions,
                         ts_error *e) {
    if (conditions) *conditions = NULL;
    TS_NEED(e, w);
    TS_NEED(e, path);
    TS_NEED(e, component);
    bool busy = w->replay;
    ts_status s = replay_start(w, path, component, len, e);
    if (s != TS_OK && !busy) forget(w);
    if (s == TS_OK && conditions) *conditions = w->replay->conditions;
    return s;
}

/* Recording: writes the last entry. Replaying: checks that the run is as long as the recorded one. */
ts_status ts_wasi_record_end(ts_wasi *w, ts_error *e) {
    TS_NEED(e, w);
    ts_wasi_recording *r = w->replay;
    if (!r) return TS_OK;
    if (r->ended) return TS_OK;
    r->ended = true;
    if (!r->out) {
        uint64_t was, calls;
        if (r->diverged) return TS_OK; /* reported already */
        const char *wrong = next_entry(r);
        if (wrong) return ts_fail(e, TS_TRAP, "the run is not the recorded one: at its end %s", wrong);
        if (!get_u64(r, 2, &was) || was != THE_END)
            return ts_fail(e, TS_TRAP, "the run is not the recorded one, which went on after call %llu",
                           (unsigned long long)r->calls);
        if (!get_u64(r, 8, &calls) || calls != r->calls || r->at != r->end || r->end + 4 != r->in.len)
            return ts_fail(e, TS_TRAP, "the run is not the recorded one: the end of the record is damaged");
        return r->failed ? ts_fail(e, TS_IO, "cannot repeat the recorded output: %s", ts_sys_err_text(r->failed))
                         : TS_OK;
    }
    r->buf.len = 0;
    if (!put_u64(r, THE_END, 2) || !put_u64(r, r->calls, 8)) return ts_fail_nomem(e);
    if (!write_entry(r)) write_failed(r, errno);
    if (fclose(r->out) != 0) write_failed(r, errno);
    r->out = NULL;
    return r->failed ? ts_fail(e, TS_IO, "cannot write the record to %s: %s", r->path, ts_sys_err_text(r->failed))
                     : TS_OK;
}
void ts_wasi_recording_free(ts_wasi_recording *r) {
    if (!r) return;
    if (r->out) fclose(r->out);
    ts_sys_input_close(&r->in);
    ts_vec_free(&r->buf);
    ts_vec_free(&r->stds);
    free(r->funcs);
    free(r->resources);
    free(r->conditions);
    free(r->path);
    free(r);
}
