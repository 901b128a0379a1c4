/* sha256: the SHA-256 hash.
 * In: bytes, in any number of parts. Out: 32 bytes. Source: FIPS 180-4 */
#ifndef TS_BASE_SHA256_H
#define TS_BASE_SHA256_H
#include <stddef.h>
#include <stdint.h>

enum { TS_SHA256_BYTES = 32 };
typedef struct ts_sha256 {
    uint32_t state[8];
    uint64_t total;
    uint8_t block[64]; /* its first total % 64 bytes are filled */
} ts_sha256;
void ts_sha256_begin(ts_sha256 *h);
void ts_sha256_add(ts_sha256 *h, const void *bytes, size_t len);
void ts_sha256_end(ts_sha256 *h, uint8_t out[TS_SHA256_BYTES]);
void ts_sha256_hex(const uint8_t digest[TS_SHA256_BYTES], char out[2 * TS_SHA256_BYTES + 1]);
#endif
