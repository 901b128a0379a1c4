/* utf8: validates, decodes and encodes UTF-8.
 * In: bytes. Out: validity, scalar values. Source: RFC 3629. */
#include "base/utf8.h"
#include <string.h>

bool ts_utf8_valid(const void *str, size_t len) {
    const uint8_t *s = str, *end = s + len;
    while (s < end) {
        uint64_t w;
        while (end - s >= 8 && (memcpy(&w, s, 8), (w & 0x8080808080808080u) == 0)) s += 8;
        if (s == end) break;
        uint8_t b = *s;
        size_t left = (size_t)(end - s);
        if (b < 0x80) {
            s++;
        } else if (b < 0xc2) {
            return false;
        } else if (b < 0xe0) {
            if (left < 2 || (s[1] & 0xc0) != 0x80) return false;
            s += 2;
        } else if (b < 0xf0) {
            if (left < 3 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80) return false;
            if (b == 0xe0 && s[1] < 0xa0) return false;
            if (b == 0xed && s[1] >= 0xa0) return false;
            s += 3;
        } else if (b < 0xf5) {
            if (left < 4 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 || (s[3] & 0xc0) != 0x80) return false;
            if (b == 0xf0 && s[1] < 0x90) return false;
            if (b == 0xf4 && s[1] >= 0x90) return false;
            s += 4;
        } else {
            return false;
        }
    }
    return true;
}

unsigned ts_utf8_decode(const uint8_t *s, uint32_t *ch) {
    uint32_t b = s[0];
    if (b < 0x80) return *ch = b, 1;
    if (b < 0xe0) return *ch = (b & 0x1f) << 6 | (s[1] & 0x3fu), 2;
    if (b < 0xf0) return *ch = (b & 0x0f) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu), 3;
    return *ch = (b & 0x07) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu), 4;
}

unsigned ts_utf8_encode(uint32_t ch, uint8_t out[4]) {
    if (ch < 0x80) return out[0] = (uint8_t)ch, 1;
    if (ch < 0x800) return out[0] = (uint8_t)(0xc0 | ch >> 6), out[1] = (uint8_t)(0x80 | (ch & 0x3f)), 2;
    if (ch < 0x10000)
        return out[0] = (uint8_t)(0xe0 | ch >> 12), out[1] = (uint8_t)(0x80 | (ch >> 6 & 0x3f)),
               out[2] = (uint8_t)(0x80 | (ch & 0x3f)), 3;
    return out[0] = (uint8_t)(0xf0 | ch >> 18), out[1] = (uint8_t)(0x80 | (ch >> 12 & 0x3f)),
           out[2] = (uint8_t)(0x80 | (ch >> 6 & 0x3f)), out[3] = (uint8_t)(0x80 | (ch & 0x3f)), 4;
}
