/* cache_code: the machine code of a module in the cache: an entry of the kind "code".
 * In: what run/kept.h has. Out: a file, and the same from it again.
 *
 * The file is for one build of the library and one kind of processor, whose digest is in its header; one of another
 * build is ignored, and written anew when the module ends. Behind the header, for each function, by index: a record,
 * then its entries, faults, numbers and code, each at a multiple of 8. The folder is trusted (cache.h). The sum only
 * finds damage. */
#include "core/load/cache.h"
#include "core/run/tier.h"
#include "sys/build_id.h"
#include "sys/file.h"
#include "sys/folder.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256 << 20 };
static const char MAGIC[16] = "touchstone mch1";

typedef struct header {
    char magic[16];
    uint8_t build[TS_SHA256_BYTES];
    uint64_t sum, bytes; /* of what follows */
    uint32_t form, n;
} header;
typedef struct record {
    uint32_t func, n_words, len, n_entries, n_faults, n_numbers;
} record;

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
static uint64_t sum_of(const uint8_t *bytes, size_t len) {
    uint64_t sum = len, word;
    for (size_t i = 0; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 32;
    }
    return sum;
}

/* --- reading -------------------------------------------------------------------------------------------- */
/* The bytes that are left of the file. */
struct rest {
    uint8_t *at;
    size_t len;
};
/* Returns the next n elements, or NULL if there are fewer. */
static void *take(struct rest *r, uint64_t n, size_t size) {
    uint64_t bytes = (n * size + 7) / 8 * 8;
    if (n > UINT32_MAX || bytes > r->len) return NULL;
    void *p = r->at;
    r->at += bytes;
    r->len -= (size_t)bytes;
    return p;
}
static bool read_one(const ts_module *m, struct rest *r, ts_kept_code *out, const ts_kept_code *before) {
    const record *d = take(r, 1, sizeof *d);
    if (!d || d->func < m->n_imp_funcs || d->func >= m->n_funcs || (before && d->func <= before->func)) return false;
    *out = (ts_kept_code){.func = d->func, .n_words = d->n_words};
    ts_native *n = &out->native;
    *n = (ts_native){.len = d->len, .n_entries = d->n_entries, .n_faults = d->n_faults, .n_numbers = d->n_numbers};
    return (n->entries = take(r, n->n_entries, sizeof *n->entries)) &&
           (n->faults = take(r, n->n_faults, sizeof *n->faults)) &&
           (n->numbers = take(r, n->n_numbers, sizeof *n->numbers)) && (n->code = take(r, n->len, 1)) &&
           ts_native_fits(n, d->n_words, m->n_funcs);
}

static bool read_all(int fd, uint64_t size, const ts_module *m, ts_kept *out) {
    header h;
    uint8_t build[TS_SHA256_BYTES];
    if (size < sizeof h || size > MOST_BYTES || !ts_file_read(fd, 0, &h, sizeof h) ||
        memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || !digest_of_build(build) ||
        memcmp(h.build, build, sizeof build) != 0 || h.bytes != size - sizeof h || !h.n || h.n > m->n_funcs ||
        h.form >= TS_FORM_COUNT)
        return false;
    struct rest r = {.at = malloc((size_t)h.bytes + 1), .len = (size_t)h.bytes};
    ts_kept k = {.form = h.form, .read = r.at, .codes = calloc(h.n, sizeof *k.codes), .cap = h.n};
    bool ok = k.read && k.codes && ts_file_read(fd, sizeof h, k.read, r.len) && sum_of(k.read, r.len) == h.sum;
    for (uint32_t i = 0; ok && i < h.n; i++) ok = read_one(m, &r, &k.codes[i], i ? &k.codes[i - 1] : NULL);
    k.n = k.n_read = ok ? h.n : 0;
    if (ok)
        *out = k;
    else
        ts_kept_free(&k);
    return ok;
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
struct output {
    uint8_t *bytes;
    size_t len, cap;
};
static bool put(struct output *o, const void *bytes, size_t len) {
    size_t padded = (len + 7) / 8 * 8;
    if (o->cap - o->len < padded) {
        size_t cap = 2 * o->cap + padded + 65536;
        uint8_t *more = cap <= MOST_BYTES ? realloc(o->bytes, cap) : NULL;
        if (!more) return false;
        o->bytes = more;
        o->cap = cap;
    }
    if (len) memcpy(o->bytes + o->len, bytes, len);
    memset(o->bytes + o->len + len, 0, padded - len);
    o->len += padded;
    return true;
}
static bool put_one(struct output *o, const ts_kept_code *k) {
    const ts_native *n = &k->native;
    const record d = {k->func, k->n_words, n->len, n->n_entries, n->n_faults, n->n_numbers};
    return put(o, &d, sizeof d) && put(o, n->entries, n->n_entries * sizeof *n->entries) &&
           put(o, n->faults, n->n_faults * sizeof *n->faults) &&
           put(o, n->numbers, n->n_numbers * sizeof *n->numbers) && put(o, n->code, n->len);
}
static int by_func(const void *a, const void *b) {
    const ts_kept_code *x = *(const ts_kept_code *const *)a, *y = *(const ts_kept_code *const *)b;
    return x->func < y->func ? -1 : x->func > y->func;
}
static bool put_all(struct output *o, const ts_kept *k) {
    const ts_kept_code **sorted = malloc(k->n * sizeof *sorted);
    if (!sorted) return false;
    for (uint32_t i = 0; i < k->n; i++) sorted[i] = &k->codes[i];
    qsort(sorted, k->n, sizeof *sorted, by_func);
    bool ok = true;
    for (uint32_t i = 0; ok && i < k->n; i++) ok = put_one(o, sorted[i]);
    free(sorted);
    return ok;
}

void ts_cache_code_write(const ts_cache *c, ts_module *m) {
    const ts_kept *k = ts_tier_kept(m);
    header h = {0};
    if (!k || k->n - k->n_read <= k->n_read / 8 || !digest_of_build(h.build)) return; /* not worth it */
    struct output o = {0};
    if (put_all(&o, k)) {
        char name[TS_CACHE_NAME], temporary[64];
        memcpy(h.magic, MAGIC, sizeof MAGIC);
        h.form = k->form;
        h.n = k->n;
        h.bytes = o.len;
        h.sum = sum_of(o.bytes, o.len);
        ts_cache_entry_name(m->cache_key, "code", name);
        int fd = ts_folder_new_file(c->folder, temporary);
        bool ok = fd >= 0 && ts_file_write(fd, 0, &h, sizeof h) && ts_file_write(fd, sizeof h, o.bytes, o.len);
        if (fd >= 0) (void)ts_folder_keep_file(c->folder, fd, temporary, ok ? name : NULL);
    }
    free(o.bytes);
}
