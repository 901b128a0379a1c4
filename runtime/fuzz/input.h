/* input: parts of a fuzzer's input: numbers, the rest up to a separator, choices; and inputs that must be a file.
 * In: bytes from libFuzzer. Out: values, zeroes after the end; copies of exactly the length that they need, so that a
 * sanitizer reports reads beyond them. */
#ifndef TS_FUZZ_INPUT_H
#define TS_FUZZ_INPUT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fz_input {
    const uint8_t *at, *end;
} fz_input;

static inline fz_input fz_input_of(const uint8_t *data, size_t size) {
    return (fz_input){data, data ? data + size : NULL};
}
static inline size_t fz_left(const fz_input *in) {
    return (size_t)(in->end - in->at);
}
/* A little-endian number of so many bytes. */
static inline uint64_t fz_number(fz_input *in, unsigned bytes) {
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes && in->at < in->end; i++) v |= (uint64_t)*in->at++ << 8 * i;
    return v;
}
/* The next `len` bytes, or as many as there are. */
static inline fz_input fz_take(fz_input *in, size_t len) {
    if (len > fz_left(in)) len = fz_left(in);
    fz_input part = {in->at, in->at + len};
    in->at += len;
    return part;
}
/* The bytes before the next separator, which is skipped; or all that are left. */
static inline fz_input fz_until(fz_input *in, char separator) {
    const uint8_t *stop = in->at < in->end ? memchr(in->at, separator, fz_left(in)) : NULL;
    fz_input part = fz_take(in, stop ? (size_t)(stop - in->at) : fz_left(in));
    if (stop) in->at++;
    return part;
}
/* A copy without a NUL behind it. The caller frees it. */
static inline uint8_t *fz_bytes(fz_input part) {
    size_t len = fz_left(&part);
    uint8_t *p = malloc(len ? len : 1);
    if (!p) abort();
    if (len) memcpy(p, part.at, len);
    return p;
}
/* A copy as a string, which ends at the first NUL among the bytes. The caller frees it. */
static inline char *fz_string(fz_input part) {
    size_t len = fz_left(&part);
    char *p = malloc(len + 1);
    if (!p) abort();
    if (len) memcpy(p, part.at, len);
    p[len] = 0;
    size_t used = strlen(p);
    if (used == len) return p;
    char *shorter = strdup(p);
    free(p);
    if (!shorter) abort();
    return shorter;
}

/* Aborts unless a status and its error agree. */
static inline void fz_check(ts_status s, const ts_error *e) {
    if (s == TS_OK ? e->status == TS_OK : e->status == s && e->message[0]) return;
    fprintf(stderr, "fuzz: %s, but the error says %s: %s\n", ts_status_name(s), ts_status_name(e->status), e->message);
    abort();
}

/* A file in memory that holds the bytes; its path is in `path`. */
typedef struct fz_file {
    int fd;
    char path[40];
} fz_file;
static inline fz_file fz_file_of(const void *bytes, size_t len) {
    fz_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    if (f.fd < 0 || (len && write(f.fd, bytes, len) != (ssize_t)len)) abort();
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}
static inline void fz_file_close(const fz_file *f) {
    close(f->fd);
}
#endif
