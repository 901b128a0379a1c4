/* module_bytes: modules that fuzz targets write.
 * In: bytes, numbers. Out: a vector of bytes, which the caller frees by ts_vec_free. Without memory it aborts. */
#ifndef TS_FUZZ_MODULE_BYTES_H
#define TS_FUZZ_MODULE_BYTES_H
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"

typedef TS_VEC(uint8_t) bytes;
static void put(bytes *b, const void *p, size_t len) {
    if (!ts_vec_reserve(b, (uint64_t)b->len + len)) abort();
    if (len) memcpy(b->data + b->len, p, len);
    b->len += (uint32_t)len;
}
static void put_u32(bytes *b, size_t v) { /* five bytes, whatever the number */
    for (int i = 0; i < 5; i++) put(b, &(uint8_t){(uint8_t)((v >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0))}, 1);
}
#endif
