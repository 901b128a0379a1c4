/* image: see image.h */
#include "core/run/image.h"
#include "base/vec.h"
#include "sys/file.h"
#include "sys/pages.h"
#include "sys/written.h"
#include <stdlib.h>
#include <string.h>

/* The states of a module's image. UNKNOWN changes to NONE, or to WANTED, when an image is worthwhile and
 * not yet made. WANTED changes to MAKING, and MAKING to READY or NONE. */
enum { UNKNOWN, NONE, WANTED, MAKING, READY };

/* Evaluates `i32.const n, end`, which is what linkers write. The bytes are known to be valid. */
static bool constant_offset(const ts_const_expr *x, uint64_t *out) {
    if (x->len < 3 || x->at[0] != 0x41) return false;
    uint64_t v = 0;
    uint32_t i = 1, shift = 0;
    uint8_t b;
    do {
        if (i >= x->len) return false;
        b = x->at[i++];
        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    if (shift < 32 && (b & 0x40)) v |= ~0ull << shift;
    *out = (uint32_t)v;
    return i + 1 == x->len;
}

bool ts_image_plan(const ts_module *m, uint64_t *lo, uint64_t *len) {
    if (m->n_mems == 0 || m->n_imp_mems || m->mems[0].is64 || m->mems[0].page_log2 != 16) return false;
    uint64_t size = m->mems[0].min << 16, total = 0, from = UINT64_MAX, to = 0, at;
    for (uint32_t i = 0; i < m->n_datas; i++) {
        if (!ts_image_has_segment(m, i)) continue;
        if (!constant_offset(&m->datas[i].offset, &at) || at > size || m->datas[i].len > size - at) return false;
        if (m->datas[i].len == 0) continue;
        total += m->datas[i].len;
        if (at < from) from = at;
        if (at + m->datas[i].len > to) to = at + m->datas[i].len;
    }
    if (total < TS_IMAGE_MIN_BYTES) return false;
    *lo = from & ~(uint64_t)(ts_pages_size() - 1);
    *len = ts_pages_round((size_t)(to - *lo));
    return *len <= size - *lo; /* false only if the system's pages are larger than Wasm's */
}

bool ts_image_write(const ts_module *m, int fd, uint64_t file_at, uint64_t lo) {
    uint64_t at;
    for (uint32_t i = 0; i < m->n_datas; i++)
        if (ts_image_has_segment(m, i) && m->datas[i].len &&
            (!constant_offset(&m->datas[i].offset, &at) ||
             !ts_file_write(fd, file_at + at - lo, m->datas[i].bytes, m->datas[i].len)))
            return false;
    return true;
}

static bool has_all_segments(const ts_module *m) {
    for (uint32_t i = 0; i < m->n_datas; i++)
        if (!ts_image_has_segment(m, i)) return false;
    return true;
}

void ts_image_adopt(ts_module *m, int fd, uint64_t file_at, uint64_t lo, uint64_t len) {
    m->image = (struct ts_image){
        .state = READY, .fd = fd, .file_at = file_at, .lo = lo, .len = len, .has_all_segments = has_all_segments(m)};
}

static uint32_t make_image(ts_module *m) {
    struct ts_image *image = &m->image;
    image->fd = ts_file_new(image->len);
    image->has_all_segments = has_all_segments(m);
    if (image->fd < 0) return NONE;
    if (ts_image_write(m, image->fd, 0, image->lo)) return READY;
    ts_file_close(image->fd);
    return NONE;
}

/* Returns whether the image can be mapped, and makes it for the second instance. An instance that comes
 * while another thread makes the image copies its data, as the first instance did. */
static bool image_ready(ts_module *m) {
    struct ts_image *image = &m->image;
    uint32_t s = __atomic_load_n(&image->state, __ATOMIC_ACQUIRE);
    if (s == READY || s == NONE) return s == READY;
    if (s == UNKNOWN) {
        uint32_t expected = UNKNOWN;
        uint64_t lo = 0, len = 0;
        bool worth = ts_image_plan(m, &lo, &len);
        if (!__atomic_compare_exchange_n(&image->state, &expected, MAKING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return false;
        image->lo = lo;
        image->len = len;
        __atomic_store_n(&image->state, worth ? WANTED : NONE, __ATOMIC_RELEASE);
        return false; /* the first instance, which may remain the only one */
    }
    uint32_t expected = WANTED;
    if (s != WANTED ||
        !__atomic_compare_exchange_n(&image->state, &expected, MAKING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return false;
    s = make_image(m);
    __atomic_store_n(&image->state, s, __ATOMIC_RELEASE);
    return s == READY;
}

bool ts_image_apply(ts_instance *i) {
    ts_module *m = i->module;
    ts_memory *mem = m->n_mems > m->n_imp_mems && m->n_imp_mems == 0 ? i->mems[0] : NULL;
    if (!mem || !mem->base || !m->n_datas || !image_ready(m)) return false;
    if (mem->image_module) return true; /* a spare memory of an earlier instance of this module */
    struct ts_image *image = &m->image;
    if (image->lo + image->len > mem->len ||
        !ts_file_map(mem->base + image->lo, (size_t)image->len, image->fd, image->file_at))
        return false;
    mem->image_module = ts_module_ref(m);
    return true;
}

/* --- the pages that instances write ---------------------------------------------------------------------- */
enum {
    LEARN_FROM = 2,   /* the first instance may do what later ones need not */
    MOST_PAGES = 512, /* of each memory that is kept, so much stays in use between two requests */
    GAP = 1,          /* so many pages between two runs are written, too: a copy is cheaper than a system call */
    PIECE = 64 * 1024,
};
typedef struct run {
    uint32_t first, n; /* in pages */
} run;
struct ts_image_written {
    TS_VEC(run) runs;
};
static void free_written(struct ts_image_written *w) {
    if (w) ts_vec_free(&w->runs);
    free(w);
}
/* Adds a page behind all others. Returns false if there are too many, or no memory. */
static bool add_page(struct ts_image_written *w, uint32_t page, uint32_t *total) {
    run *last = w->runs.len ? &w->runs.data[w->runs.len - 1] : NULL;
    if (last && page <= last->first + last->n + GAP) {
        *total += page + 1 - (last->first + last->n);
        last->n = page + 1 - last->first;
    } else {
        ++*total;
        if (!ts_vec_push(&w->runs, ((run){page, 1}))) return false;
    }
    return *total <= MOST_PAGES;
}
/* The pages of base … base + len - 1 that differ from what a new instance finds there. */
static bool find_written(const struct ts_image *image, const uint8_t *base, uint64_t len, uint8_t *piece,
                         struct ts_image_written *w) {
    const size_t page = ts_pages_size();
    uint32_t total = 0;
    for (uint64_t at = 0; at < len; at += page) {
        const uint8_t *was = piece;
        if (at >= image->lo && at < image->lo + image->len) {
            uint64_t in_image = at - image->lo, in_piece = in_image % PIECE;
            uint64_t rest = image->len - in_image;
            if (in_piece == 0 &&
                !ts_file_read(image->fd, image->file_at + in_image, piece, (size_t)(rest < PIECE ? rest : PIECE)))
                return false;
            was += in_piece;
        } else if (at == 0 || at == image->lo + image->len) {
            memset(piece, 0, PIECE);
        }
        if (memcmp(base + at, was, page) != 0 && !add_page(w, (uint32_t)(at / page), &total)) return false;
    }
    return true;
}
void ts_image_learn(ts_module *m, const uint8_t *base, uint64_t len) {
    struct ts_image *image = &m->image;
    if (__atomic_add_fetch(&image->used, 1, __ATOMIC_RELAXED) != LEARN_FROM || PIECE % ts_pages_size()) return;
    struct ts_image_written *w = calloc(1, sizeof *w);
    uint8_t *piece = malloc(PIECE);
    if (w && piece && find_written(image, base, len, piece, w)) {
        __atomic_store_n(&image->written, w, __ATOMIC_RELEASE);
        w = NULL;
    }
    free_written(w);
    free(piece);
}
void ts_image_prepare(const ts_module *m, uint8_t *base) {
    const struct ts_image_written *w = __atomic_load_n(&m->image.written, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; w && i < w->runs.len; i++)
        ts_pages_populate(base + w->runs.data[i].first * ts_pages_size(), w->runs.data[i].n * ts_pages_size());
}

/* The image, to be read. NULL: it cannot be mapped. */
static const uint8_t *view_of(struct ts_image *image) {
    uint8_t *view = __atomic_load_n(&image->view, __ATOMIC_ACQUIRE), *other = NULL;
    if (view || !(view = ts_pages_reserve(image->len))) return view;
    if (!ts_file_map(view, image->len, image->fd, image->file_at) ||
        !__atomic_compare_exchange_n(&image->view, &other, view, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        ts_pages_release(view, image->len);
        view = other; /* another thread was faster, or NULL */
    }
    return view;
}

/* The first contents of the pages from `at` up to `to`. */
static void restore_pages(const struct ts_image *image, const uint8_t *view, uint8_t *base, uint64_t at, uint64_t to) {
    const uint64_t lo = image->lo, hi = lo + image->len, from = at > lo ? at : lo, end = to < hi ? to : hi;
    if (from >= end) {
        memset(base + at, 0, to - at);
        return;
    }
    memset(base + at, 0, from - at);
    memcpy(base + from, view + (from - lo), end - from);
    memset(base + end, 0, to - end);
}

bool ts_image_restore(ts_module *m, uint8_t *base, uint64_t len) {
    enum { MOST_RANGES = 192 };
    struct ts_image *image = &m->image;
    const struct ts_image_written *w = __atomic_load_n(&image->written, __ATOMIC_ACQUIRE);
    const uint64_t page = ts_pages_size();
    ts_sys_written ranges[MOST_RANGES];
    const int n = w ? ts_sys_written_find(base, len, ranges, MOST_RANGES) : -1;
    const uint8_t *view = n >= 0 ? view_of(image) : NULL;
    if (!view) return false;
    uint32_t r = 0;
    for (int i = 0; i < n; i++) {
        uint64_t at = ranges[i].from - (uintptr_t)base;
        const uint64_t to = ranges[i].to - (uintptr_t)base;
        while (at < to) { /* up to the next place where a run of pages that stay begins or ends */
            while (r < w->runs.len && (w->runs.data[r].first + (uint64_t)w->runs.data[r].n) * page <= at) r++;
            const run *x = r < w->runs.len ? &w->runs.data[r] : NULL;
            const bool stays = x && x->first * page <= at;
            uint64_t end = !x ? to : stays ? (x->first + (uint64_t)x->n) * page : x->first * page;
            if (end > to) end = to;
            if (stays)
                restore_pages(image, view, base, at, end);
            else if (!ts_pages_renew(base + at, end - at))
                return false;
            at = end;
        }
    }
    return true;
}

void ts_image_free(ts_module *m) {
    free_written(m->image.written);
    ts_pages_release(m->image.view, m->image.len);
    if (m->image.state == READY) ts_file_close(m->image.fd);
}
