/* utf8: validates, decodes and encodes UTF-8.
 * In: bytes. Out: validity, scalar values. Source: RFC 3629 (no surrogates, no overlong forms, at most
 * U+10FFFF). */
#ifndef TS_BASE_UTF8_H
#define TS_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ts_utf8_valid(const void *s, size_t len);
/* Decode one scalar of valid UTF-8 at s; returns the bytes taken (1 to 4). */
unsigned ts_utf8_decode(const uint8_t *s, uint32_t *ch);
/* Encode one scalar value; returns the bytes written (1 to 4). */
unsigned ts_utf8_encode(uint32_t ch, uint8_t out[4]);
#endif
