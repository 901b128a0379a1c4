/* image: see image.h */
#include "core/run/image.h"
#include "sys/file.h"
#include "sys/pages.h"

/* The states of a module's image. UNKNOWN changes to NONE, or to WANTED, when an image is worthwhile and
 * not yet made. WANTED changes to MAKING, and MAKING to READY or NONE. */
enum { UNKNOWN, NONE, WANTED, MAKING, READY };

bool ts_image_has_segment(const ts_module *m, uint32_t data) {
    return m->datas[data].mode == TS_SEG_ACTIVE && m->datas[data].mem == 0;
}

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

void ts_image_adopt(ts_module *m, int fd, uint64_t file_at, uint64_t lo, uint64_t len) {
    m->image = (struct ts_image){.state = READY, .fd = fd, .file_at = file_at, .lo = lo, .len = len};
}

static uint32_t make_image(ts_module *m) {
    struct ts_image *image = &m->image;
    image->fd = ts_file_new(image->len);
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

void ts_image_free(ts_module *m) {
    if (m->image.state == READY) ts_file_close(m->image.fd);
}
