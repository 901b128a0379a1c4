/* cache_code: the code of a module in the cache, IR and machine code: an entry of the kind "code".
 * In: what run/kept.h has. Out: a file, and the same from it again.
 *
 * The file is for one build of the library and one kind of processor, whose digest is in its header; one of another
 * build is ignored, and written anew when the module ends. Behind the header is a list of entries (ts_kept_entry), and
 * then what they refer to, which is mapped, and looked at when a function is first called. The folder is trusted
 * (cache.h). The sums only find damage. */
#include "base/vec.h"
#include "core/code/portable.h"
#include "core/load/cache.h"
#include "core/run/code_cache.h"
#include "core/run/tier.h"
#include "sys/build_id.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256 << 20, LEAST_NEW_BYTES = 1 << 14 };
static const char MAGIC[16] = "touchstone mch2";

typedef struct header {
    char magic[16];
    uint8_t build[TS_SHA256_BYTES];
    uint64_t bytes; /* of the file */
    uint32_t form, n;
    uint64_t sum; /* of what is before, and of the list */
} header;

/* Returns false if this build cannot be told from others. */
static bool digest_of_build(uint8_t out[TS_SHA256_BYTES]) {
    uint8_t id[TS_BUILD_ID_MAX];
    size_t len = ts_build_id(id);
    uint32_t processor = ts_native_processor();
    ts_sha256 h;
    ts_sha256_begin(&h);
    ts_sha256_add(&h, id, len);
    ts_sha256_add(&h, &processor, sizeof processor);
    ts_sha256_end(&h, out);
    return len > 0;
}
static uint64_t sum_of(const header *h, const ts_kept_entry *list) {
    return ts_kept_sum(h, offsetof(header, sum)) + ts_kept_sum(list, h->n * sizeof *list);
}

/* --- reading -------------------------------------------------------------------------------------------- */
static bool in_order(const ts_module *m, const ts_kept_entry *list, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (list[i].func < (i ? list[i - 1].func + 1 : m->n_imp_funcs) || list[i].func >= m->n_funcs) return false;
    return true;
}
static bool is_right(const ts_module *m, const uint8_t *bytes, uint64_t size) {
    header h;
    uint8_t build[TS_SHA256_BYTES];
    memcpy(&h, bytes, sizeof h);
    const ts_kept_entry *list = (const ts_kept_entry *)(bytes + sizeof h);
    return memcmp(h.magic, MAGIC, sizeof MAGIC) == 0 && digest_of_build(build) &&
           memcmp(h.build, build, sizeof build) == 0 && h.bytes == size && h.n && h.n <= m->n_funcs &&
           h.form < TS_FORM_COUNT && h.n <= (size - sizeof h) / sizeof(ts_kept_entry) && sum_of(&h, list) == h.sum &&
           in_order(m, list, h.n);
}
static bool read_all(int fd, uint64_t size, const ts_module *m, ts_kept *out) {
    if (size < sizeof(header) || size > MOST_BYTES) return false;
    uint8_t *bytes = ts_pages_resize(NULL, 0, (size_t)size);
    if (!bytes) return false;
    if (!ts_file_map(bytes, (size_t)size, fd, 0) || !is_right(m, bytes, size)) {
        ts_pages_release(bytes, (size_t)size);
        return false;
    }
    const header *h = (const header *)bytes;
    *out = (ts_kept){
        .form = h->form, .bytes = bytes, .len = (size_t)size, .read = (const ts_kept_entry *)(h + 1), .n_read = h->n};
    return true;
}

void ts_cache_code_read(const ts_cache *c, ts_module *m) {
    if (!ts_tier_can_keep(m)) return;
    char name[TS_CACHE_NAME];
    uint64_t size;
    ts_kept kept = {0};
    ts_cache_entry_name(m->cache_key, "code", name);
    int fd = ts_folder_open_file(c->folder, name, &size);
    if (fd >= 0) (void)read_all(fd, size, m, &kept);
    ts_file_close(fd);
    ts_tier_keep(m, &kept);
}

/* --- writing -------------------------------------------------------------------------------------------- */
/* A function of the new file: what is written of it. */
typedef struct part {
    uint32_t func;
    const ts_kept_entry *read; /* or NULL: its IR is made again */
    const ts_native *made;     /* or NULL */
} part;
struct output {
    ts_module *m;
    const ts_kept *kept;
    TS_VEC(part) parts;
    TS_VEC(uint8_t) bytes; /* with room for the header and the list */
    header h;
};

/* Returns where len bytes, which become a multiple of 8, are to be written; NULL: too many. */
static uint8_t *room(struct output *o, size_t len) {
    const size_t padded = (len + 7) / 8 * 8;
    if (padded > MOST_BYTES - o->bytes.len || !ts_vec_reserve(&o->bytes, (uint64_t)o->bytes.len + padded)) return NULL;
    uint8_t *at = o->bytes.data + o->bytes.len;
    memset(at, 0, padded);
    o->bytes.len += (uint32_t)padded;
    return at;
}
static bool put(struct output *o, const void *bytes, size_t len) {
    uint8_t *at = room(o, len);
    if (at && len) memcpy(at, bytes, len);
    return at != NULL;
}
static bool put_handlers(struct output *o, const ts_compiled *ir) {
    ts_handler *to = (ts_handler *)room(o, ir->n_handlers * sizeof *to);
    for (uint32_t i = 0; to && i < ir->n_handlers; i++) { /* by member, so that gaps stay zero */
        const ts_handler *h = &ir->handlers[i];
        to[i].from = h->from;
        to[i].to = h->to;
        to[i].target = h->target;
        to[i].tag = h->tag;
        to[i].slot = h->slot;
        to[i].with_ref = h->with_ref;
    }
    return to != NULL;
}
/* Compiling once more is simpler than to take the IR that runs apart, and happens once for each function. */
static bool put_ir(struct output *o, ts_kept_entry *e) {
    ts_error ignored;
    ts_error_init(&ignored);
    ts_compiled ir;
    const ts_fcode *codes = ts_code_all(o->m, o->h.form); /* NULL: this process has used another form */
    if (!codes || ts_compile(&codes[e->func], false, &ir, &ignored) != TS_OK) return false;
    e->n_words = ir.n_words;
    e->frame_slots = ir.frame_slots;
    e->n_handlers = ir.n_handlers;
    bool ok = ts_portable_make(o->m, ir.code, ir.n_words) && put(o, ir.code, ir.n_words * sizeof *ir.code) &&
              put_handlers(o, &ir);
    ts_compiled_free(&ir);
    return ok;
}
static bool put_machine(struct output *o, const ts_native *n, ts_kept_entry *e) {
    e->len = n->len;
    e->n_entries = n->n_entries;
    e->n_faults = n->n_faults;
    e->n_numbers = n->n_numbers;
    return put(o, n->entries, n->n_entries * sizeof *n->entries) &&
           put(o, n->faults, n->n_faults * sizeof *n->faults) &&
           put(o, n->numbers, n->n_numbers * sizeof *n->numbers) && put(o, n->code, n->len);
}
static bool put_one(struct output *o, const part *p, ts_kept_entry *e) {
    const ts_kept_parts was = p->read ? ts_kept_parts_of(o->kept, p->read) : (ts_kept_parts){0};
    if (was.ir || was.code) *e = *p->read;
    if (!was.code) e->len = e->n_entries = e->n_faults = e->n_numbers = 0;
    e->func = p->func;
    e->at = o->bytes.len;
    if (!(was.ir ? put(o, was.ir, was.ir_len) : put_ir(o, e))) return false;
    const uint32_t code = o->bytes.len;
    if (p->made ? !put_machine(o, p->made, e) : was.code && !put(o, was.code, was.code_len)) return false;
    e->ir_sum = ts_kept_sum(o->bytes.data + e->at, code - e->at);
    e->code_sum = ts_kept_sum(o->bytes.data + code, o->bytes.len - code);
    return true;
}
static bool put_all(struct output *o) {
    const uint32_t n = o->parts.len;
    ts_kept_entry *list = calloc(n, sizeof *list);
    bool ok = list && room(o, sizeof o->h + n * sizeof *list);
    for (uint32_t i = 0; ok && i < n; i++) ok = put_one(o, &o->parts.data[i], &list[i]);
    if (ok) {
        o->h.n = n;
        o->h.bytes = o->bytes.len;
        o->h.sum = sum_of(&o->h, list);
        memcpy(o->bytes.data, &o->h, sizeof o->h);
        memcpy(o->bytes.data + sizeof o->h, list, n * sizeof *list);
    }
    free(list);
    return ok;
}

static int by_func(const void *a, const void *b) {
    const part *x = a, *y = b;
    return x->func < y->func ? -1 : x->func > y->func;
}
/* What is read, has been called, or has machine code; each function once. */
static bool collect(struct output *o) {
    const ts_kept *k = o->kept;
    uint32_t n_called, n = 0;
    const uint32_t *called = ts_code_called(o->m, o->h.form, &n_called);
    if (!ts_vec_reserve(&o->parts, (uint64_t)k->n_read + n_called + k->n_made)) return false;
    part *parts = o->parts.data;
    for (uint32_t i = 0; i < k->n_read; i++) parts[n++] = (part){.func = k->read[i].func, .read = &k->read[i]};
    for (uint32_t i = 0; i < n_called; i++)
        if (!ts_kept_find(k, called[i])) parts[n++] = (part){.func = called[i]};
    qsort(parts, n, sizeof *parts, by_func);
    o->parts.len = n;
    for (uint32_t i = 0; i < k->n_made; i++) {
        const part key = {.func = k->made[i].func};
        part *p = bsearch(&key, parts, n, sizeof *parts, by_func);
        if (p) p->made = &k->made[i].native;
    }
    return n > 0;
}
/* Whether an eighth of the file would be new, or some of it has to be replaced. */
static bool worthwhile(const struct output *o) {
    uint64_t new = 0;
    const ts_fcode *codes = ts_code_all(o->m, o->h.form);
    for (uint32_t i = 0; i < o->parts.len; i++) {
        const part *p = &o->parts.data[i];
        if (!p->read) new += codes[p->func].n_words * sizeof(ts_word);
        if (p->made) new += p->made->len;
    }
    return o->kept->damaged || (new > o->kept->len / 8 && (new >= LEAST_NEW_BYTES || o->kept->n_made));
}
static void write_file(const ts_cache *c, const struct output *o) {
    char name[TS_CACHE_NAME], temporary[64];
    ts_cache_entry_name(o->m->cache_key, "code", name);
    int fd = ts_folder_new_file(c->folder, temporary);
    if (fd < 0) return;
    bool ok = ts_file_write(fd, 0, o->bytes.data, o->bytes.len);
    (void)ts_folder_keep_file(c->folder, fd, temporary, ok ? name : NULL);
}

void ts_cache_code_write(const ts_cache *c, ts_module *m) {
    struct output o = {.m = m, .kept = ts_tier_kept(m)};
    if (!o.kept || !digest_of_build(o.h.build)) return;
    memcpy(o.h.magic, MAGIC, sizeof MAGIC);
    uint32_t n;
    unsigned form = o.kept->form;
    if (!o.kept->n_read && !o.kept->n_made) (void)ts_code_call_order(m, &form, &n);
    o.h.form = form;
    if (collect(&o) && worthwhile(&o) && put_all(&o)) write_file(c, &o);
    ts_vec_free(&o.parts);
    ts_vec_free(&o.bytes);
}
