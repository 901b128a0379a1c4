/* cache: see cache.h */
#include "core/load/cache.h"
#include "core/run/code_cache.h"
#include "core/run/image.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/pages.h"
#include "sys/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PIECE: the bytes that are hashed separately. PAGES: the alignment of images in files, which is a
 * multiple of every page size. */
enum { PIECE_BYTES = 1 << 20, IMAGE_ALIGN = 65536 };
static const char MAGIC[16] = "touchstone cch2";

typedef struct header {
    char magic[16];
    uint8_t key[TS_SHA256_BYTES];
    uint64_t lo, len;  /* the range of the image in the memory; len is 0 without an image */
    uint64_t n_bodies; /* pairs of offset in the code section and length, which follow the header */
} header;

static uint64_t image_offset(uint64_t n_bodies) {
    return n_bodies > UINT32_MAX ? UINT64_MAX
                                 : (sizeof(header) + n_bodies * 8 + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

/* --- the key -------------------------------------------------------------------------------------------- */
struct pieces {
    const ts_module *m;
    uint32_t n, next; /* next is atomic */
    uint8_t (*digests)[TS_SHA256_BYTES];
};

static void hash_pieces(void *data) {
    struct pieces *p = data;
    for (;;) {
        uint32_t i = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
        if (i >= p->n) return;
        size_t at = (size_t)i * PIECE_BYTES, len = p->m->len - at < PIECE_BYTES ? p->m->len - at : PIECE_BYTES;
        ts_sha256 h;
        ts_sha256_begin(&h);
        ts_sha256_add(&h, p->m->bytes + at, len);
        ts_sha256_end(&h, p->digests[i]);
    }
}

static bool make_key(const ts_module *m, uint8_t key[TS_SHA256_BYTES]) {
    struct pieces p = {.m = m, .n = (uint32_t)((m->len + PIECE_BYTES - 1) / PIECE_BYTES)};
    p.digests = malloc(((size_t)p.n + 1) * sizeof *p.digests);
    if (!p.digests) return false;
    ts_parallel(p.n > 1 ? ts_cpu_count() : 1, hash_pieces, &p);
    char text[128];
    int n = snprintf(text, sizeof text, "touchstone %s, format 1, features %x, %llu bytes", ts_version(), m->features,
                     (unsigned long long)m->len);
    ts_sha256 h;
    ts_sha256_begin(&h);
    ts_sha256_add(&h, text, (size_t)n + 1);
    ts_sha256_add(&h, p.digests, (size_t)p.n * sizeof *p.digests);
    ts_sha256_end(&h, key);
    free(p.digests);
    return true;
}

void ts_cache_entry_name(const uint8_t key[TS_SHA256_BYTES], const char *kind, char name[TS_CACHE_NAME]) {
    char hex[2 * TS_SHA256_BYTES + 1];
    ts_sha256_hex(key, hex);
    snprintf(name, TS_CACHE_NAME, "%s.%s", hex, kind);
}

/* --- aliases -------------------------------------------------------------------------------------------- */
/* An alias maps the identity of a file of the host, and a range in it, to the key of the bytes there, so
 * that they need not be hashed again. */
static bool alias_name(const ts_cache *c, const ts_module *m, char name[TS_CACHE_NAME]) {
    if (!c->file || m->bytes < c->file || m->bytes + m->len > c->file + c->file_len) return false;
    char text[256];
    uint8_t digest[TS_SHA256_BYTES];
    int n = snprintf(
        text, sizeof text, "touchstone %s, format 1, features %x, at %llu, %llu bytes of %llx %llx %llx %llx %llx",
        ts_version(), m->features, (unsigned long long)(m->bytes - c->file), (unsigned long long)m->len,
        (unsigned long long)c->identity[0], (unsigned long long)c->identity[1], (unsigned long long)c->identity[2],
        (unsigned long long)c->identity[3], (unsigned long long)c->identity[4]);
    ts_sha256 h;
    ts_sha256_begin(&h);
    ts_sha256_add(&h, text, (size_t)n);
    ts_sha256_end(&h, digest);
    ts_cache_entry_name(digest, "file", name);
    return true;
}

typedef struct alias {
    char magic[16];
    uint8_t key[TS_SHA256_BYTES];
} alias;

static bool alias_read(const ts_cache *c, const char *name, uint8_t key[TS_SHA256_BYTES]) {
    alias a;
    uint64_t size;
    int fd = ts_folder_open_file(c->folder, name, &size);
    if (fd < 0) return false;
    bool ok = size == sizeof a && ts_file_read(fd, 0, &a, sizeof a) && memcmp(a.magic, MAGIC, sizeof MAGIC) == 0;
    ts_file_close(fd);
    if (ok) memcpy(key, a.key, sizeof a.key);
    return ok;
}

static void alias_write(const ts_cache *c, const char *name, const uint8_t key[TS_SHA256_BYTES]) {
    char temporary[64];
    alias a;
    memcpy(a.magic, MAGIC, sizeof MAGIC);
    memcpy(a.key, key, sizeof a.key);
    int fd = ts_folder_new_file(c->folder, temporary);
    if (fd < 0) return;
    bool ok = ts_file_write(fd, 0, &a, sizeof a);
    (void)ts_folder_keep_file(c->folder, fd, temporary, ok ? name : NULL);
}

/* --- entries -------------------------------------------------------------------------------------------- */
/* An entry is a header, the positions of the bodies and, at a multiple of PAGES, the image. */
void ts_cache_lookup(const ts_cache *c, ts_module *m, ts_cache_entry *out) {
    *out = (ts_cache_entry){.fd = -1};
    char name[TS_CACHE_NAME];
    header h;
    uint64_t size;
    bool has_alias = alias_name(c, m, name);
    if (!has_alias || !alias_read(c, name, out->key)) {
        if (!make_key(m, out->key)) return;
        if (has_alias) alias_write(c, name, out->key);
    }
    out->named = true;
    ts_cache_entry_name(out->key, "valid", name);
    int fd = ts_folder_open_file(c->folder, name, &size);
    if (fd < 0) return;
    if (size >= sizeof h && ts_file_read(fd, 0, &h, sizeof h) && memcmp(h.magic, MAGIC, sizeof MAGIC) == 0 &&
        memcmp(h.key, out->key, sizeof h.key) == 0 && h.len <= size && image_offset(h.n_bodies) == size - h.len) {
        out->known = true;
        out->fd = fd;
        out->at = image_offset(h.n_bodies);
        out->lo = h.lo;
        out->len = h.len;
        size_t bytes = (size_t)h.n_bodies * 2 * sizeof(uint32_t);
        m->bodies_known = malloc(bytes ? bytes : 1);
        if (m->bodies_known && ts_file_read(fd, sizeof h, m->bodies_known, bytes)) m->n_bodies_known = h.n_bodies;
        return;
    }
    ts_file_close(fd);
}

void ts_cache_discard(ts_cache_entry *entry) {
    ts_file_close(entry->fd);
    entry->fd = -1;
}

static void write_entry(const ts_cache *c, const ts_module *m, const ts_cache_entry *entry) {
    char name[TS_CACHE_NAME], temporary[64];
    header h = {0};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    memcpy(h.key, entry->key, sizeof h.key);
    if (!ts_image_plan(m, &h.lo, &h.len)) h.lo = h.len = 0;
    h.n_bodies = m->n_funcs - m->n_imp_funcs;
    uint32_t *bodies = malloc(((size_t)h.n_bodies * 2 + 1) * sizeof *bodies);
    int fd = bodies ? ts_folder_new_file(c->folder, temporary) : -1;
    if (fd < 0) {
        free(bodies);
        return;
    }
    for (uint32_t i = 0; i < h.n_bodies; i++) {
        const ts_func_def *f = &m->funcs[m->n_imp_funcs + i];
        bodies[2 * i] = (uint32_t)(f->body - m->code_section);
        bodies[2 * i + 1] = f->body_len;
    }
    ts_cache_entry_name(entry->key, "valid", name);
    uint64_t at = image_offset(h.n_bodies);
    /* The last byte is written first, so that the file has its length even if no segment reaches the end. */
    static const uint8_t zero = 0;
    bool ok = ts_file_write(fd, at + h.len - 1, &zero, 1) && (!h.len || ts_image_write(m, fd, at, h.lo)) &&
              ts_file_write(fd, 0, &h, sizeof h) &&
              ts_file_write(fd, sizeof h, bodies, (size_t)h.n_bodies * 2 * sizeof *bodies);
    free(bodies);
    (void)ts_folder_keep_file(c->folder, fd, temporary, ok ? name : NULL);
}

void ts_cache_commit(const ts_cache *c, ts_module *m, ts_cache_entry *entry) {
    uint64_t lo, len;
    if (!entry->known) {
        write_entry(c, m, entry);
    } else if (entry->len && ts_image_plan(m, &lo, &len) && lo == entry->lo && len == entry->len) {
        ts_image_adopt(m, entry->fd, entry->at, lo, len);
        entry->fd = -1;
    }
    ts_cache_discard(entry);
}

/* --- calls ---------------------------------------------------------------------------------------------- */
enum { FEW_CALLS = 32 }; /* a shorter list is not worth a thread */
typedef struct calls {
    char magic[16];
    uint32_t form, n;
} calls;

void ts_cache_calls_read(const ts_cache *c, ts_module *m) {
    char name[TS_CACHE_NAME];
    uint64_t size;
    calls h;
    ts_cache_entry_name(m->cache_key, "calls", name);
    int fd = ts_folder_open_file(c->folder, name, &size);
    if (fd < 0) return;
    if (size >= sizeof h && ts_file_read(fd, 0, &h, sizeof h) && memcmp(h.magic, MAGIC, sizeof MAGIC) == 0 && h.n &&
        h.n <= m->n_funcs && size == sizeof h + (uint64_t)h.n * sizeof(uint32_t)) {
        uint32_t *funcs = malloc(h.n * sizeof *funcs);
        if (funcs && ts_file_read(fd, sizeof h, funcs, h.n * sizeof *funcs)) {
            ts_code_set_ahead(m, h.form, funcs, h.n);
            m->cache_calls = true;
        } else {
            free(funcs);
        }
    }
    ts_file_close(fd);
}

void ts_cache_calls_write(const ts_cache *c, const ts_module *m) {
    char name[TS_CACHE_NAME], temporary[64];
    calls h;
    unsigned form;
    const uint32_t *funcs = ts_code_call_order(m, &form, &h.n);
    if (m->cache_calls || h.n < FEW_CALLS) return;
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    h.form = form;
    int fd = ts_folder_new_file(c->folder, temporary);
    if (fd < 0) return;
    ts_cache_entry_name(m->cache_key, "calls", name);
    bool ok = ts_file_write(fd, 0, &h, sizeof h) && ts_file_write(fd, sizeof h, funcs, h.n * sizeof *funcs);
    (void)ts_folder_keep_file(c->folder, fd, temporary, ok ? name : NULL);
}
