/* reader: the bounded reader; all guest bytes are read through it at decode time.
 * In: a byte range and its offset in the whole input. Out: integers, names; a malformed error with the byte
 * offset.
 * spec: binary/values */
#include "base/reader.h"
#include "base/utf8.h"
#include <stdio.h>

ts_status ts_reader_fail(ts_reader *r, const char *fmt, ...) {
    char msg[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return ts_fail_at(r->err, TS_MALFORMED, ts_reader_offset(r), r->section, "%s", msg);
}

ts_status ts_read_eof(ts_reader *r) {
    return ts_reader_fail(r, "unexpected end");
}

/* spec: binary/values#integers: at most ceil(bits/7) bytes,
 * and the unused bits of the last one are a proper extension. */
ts_status ts_read_leb_slow(ts_reader *r, uint64_t *out, unsigned bits, bool is_signed) {
    uint64_t v = 0;
    unsigned shift = 0;
    for (;;) {
        if (r->at >= r->end) return ts_read_eof(r);
        uint8_t b = *r->at++;
        if (shift < 64) v |= (uint64_t)(b & 0x7f) << shift;
        if (shift + 7 >= bits) { /* the last byte that the encoding may have */
            unsigned used = bits - shift;
            r->at--;
            if (b & 0x80) return ts_reader_fail(r, "integer representation too long");
            uint8_t rest = (uint8_t)(b & 0x7f) >> (is_signed ? used - 1 : used);
            uint8_t ones = (uint8_t)(0x7f >> (is_signed ? used - 1 : used));
            if (rest != 0 && !(is_signed && rest == ones)) return ts_reader_fail(r, "integer too large");
            r->at++;
        }
        shift += 7;
        if (!(b & 0x80)) {
            if (is_signed && shift < 64 && (b & 0x40)) v |= ~(uint64_t)0 << shift;
            *out = v;
            return TS_OK;
        }
    }
}

ts_status ts_read_bytes(ts_reader *r, size_t n, const uint8_t **out) {
    if (n > ts_reader_left(r))
        return ts_reader_fail(r, "unexpected end: %zu bytes wanted, %zu left", n, ts_reader_left(r));
    *out = r->at;
    r->at += n;
    return TS_OK;
}

ts_status ts_read_name(ts_reader *r, const char **out, uint32_t *len) {
    uint32_t n;
    TS_TRY(ts_read_u32(r, &n));
    if (n > ts_reader_left(r))
        return ts_reader_fail(r, "length out of bounds: a name of %u bytes, %zu left", n, ts_reader_left(r));
    if (!ts_utf8_valid(r->at, n)) return ts_reader_fail(r, "malformed UTF-8 encoding");
    *out = (const char *)r->at;
    *len = n;
    r->at += n;
    return TS_OK;
}

ts_status ts_read_sub(ts_reader *r, size_t n, ts_reader *out) {
    if (n > ts_reader_left(r))
        return ts_reader_fail(r, "length out of bounds: %zu bytes, %zu left", n, ts_reader_left(r));
    *out = *r;
    out->end = r->at + n;
    r->at += n;
    return TS_OK;
}
