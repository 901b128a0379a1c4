/* reader: the bounded reader; all guest bytes are read through it at decode time.
 * In: a byte range and its offset in the whole input. Out: integers, names; a malformed error with the byte
 * offset.
 * spec: binary/values */
#ifndef TS_BASE_READER_H
#define TS_BASE_READER_H
#include "base/error.h"

typedef struct ts_reader {
    const uint8_t *at, *end;
    const uint8_t *base; /* offset of `at` in the input = at - base */
    const char *section; /* for messages */
    ts_error *err;
} ts_reader;

static inline uint64_t ts_reader_offset(const ts_reader *r) {
    return (uint64_t)(r->at - r->base);
}
static inline size_t ts_reader_left(const ts_reader *r) {
    return (size_t)(r->end - r->at);
}
static inline uint32_t ts_le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t ts_le64(const uint8_t *p) {
    return ts_le32(p) | (uint64_t)ts_le32(p + 4) << 32;
}
static inline bool ts_reader_done(const ts_reader *r) {
    return r->at == r->end;
}

ts_status ts_reader_fail(ts_reader *r, const char *fmt, ...) TS_PRINTF(2, 3); /* TS_MALFORMED at the current offset */
ts_status ts_read_leb_slow(ts_reader *r, uint64_t *out, unsigned bits, bool is_signed) TS_MUST_USE;
ts_status ts_read_eof(ts_reader *r);

TS_MUST_USE static inline ts_status ts_read_u8(ts_reader *r, uint8_t *out) {
    if (TS_UNLIKELY(r->at >= r->end)) return ts_read_eof(r);
    *out = *r->at++;
    return TS_OK;
}
TS_MUST_USE static inline ts_status ts_read_u32(ts_reader *r, uint32_t *out) {
    if (TS_LIKELY(r->at < r->end && *r->at < 0x80)) {
        *out = *r->at++;
        return TS_OK;
    }
    uint64_t v;
    TS_TRY(ts_read_leb_slow(r, &v, 32, false));
    *out = (uint32_t)v;
    return TS_OK;
}
TS_MUST_USE static inline ts_status ts_read_u64(ts_reader *r, uint64_t *out) {
    return ts_read_leb_slow(r, out, 64, false);
}
TS_MUST_USE static inline ts_status ts_read_s32(ts_reader *r, int32_t *out) {
    if (TS_LIKELY(r->at < r->end && *r->at < 0x80)) {
        *out = (int32_t)((uint32_t)*r->at++ << 25) >> 25;
        return TS_OK;
    }
    uint64_t v;
    TS_TRY(ts_read_leb_slow(r, &v, 32, true));
    *out = (int32_t)(int64_t)v;
    return TS_OK;
}
TS_MUST_USE static inline ts_status ts_read_s33(ts_reader *r, int64_t *out) {
    uint64_t v;
    TS_TRY(ts_read_leb_slow(r, &v, 33, true));
    *out = (int64_t)v;
    return TS_OK;
}
TS_MUST_USE static inline ts_status ts_read_s64(ts_reader *r, int64_t *out) {
    uint64_t v;
    TS_TRY(ts_read_leb_slow(r, &v, 64, true));
    *out = (int64_t)v;
    return TS_OK;
}
/* n raw bytes, borrowed from the input. */
ts_status ts_read_bytes(ts_reader *r, size_t n, const uint8_t **out) TS_MUST_USE;
/* A name: length-prefixed UTF-8, borrowed from the input (not NUL-terminated). spec: binary/values#names */
ts_status ts_read_name(ts_reader *r, const char **out, uint32_t *len) TS_MUST_USE;
/* A sub-reader over the next n bytes; the outer reader moves past them. */
ts_status ts_read_sub(ts_reader *r, size_t n, ts_reader *out) TS_MUST_USE;
#endif
