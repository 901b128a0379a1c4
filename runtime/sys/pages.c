/* pages: address space and memory from the operating system, in pages.
 * In: sizes in bytes. Out: ranges; NULL or false when the system refuses. mmap(2), mprotect(2), madvise(2),
 * mremap(2) */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Indirect jumps may only go to landing places, where the processor can tell. */
#if defined(__ARM_FEATURE_BTI_DEFAULT) && defined(PROT_BTI)
#define PROT_LANDING PROT_BTI
#else
#define PROT_LANDING 0
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

size_t ts_pages_size(void) {
    long n = sysconf(_SC_PAGESIZE);
    return n > 0 ? (size_t)n : 4096;
}

size_t ts_pages_round(size_t len) {
    size_t mask = ts_pages_size() - 1;
    return len > SIZE_MAX - mask ? SIZE_MAX & ~mask : (len + mask) & ~mask;
}

static void *map(size_t len, int prot) {
    void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void *ts_pages_reserve(size_t len) {
    return len ? map(ts_pages_round(len), PROT_NONE) : NULL;
}

bool ts_pages_commit(void *p, size_t len) {
    return len == 0 || mprotect(p, ts_pages_round(len), PROT_READ | PROT_WRITE) == 0;
}

bool ts_pages_decommit(void *p, size_t len) {
    if (len == 0) return true;
    len = ts_pages_round(len);
    return madvise(p, len, MADV_DONTNEED) == 0 && mprotect(p, len, PROT_NONE) == 0;
}

bool ts_pages_renew(void *p, size_t len) {
#ifdef __linux__
    return len == 0 || madvise(p, ts_pages_round(len), MADV_DONTNEED) == 0;
#else
    (void)p;
    return len == 0; /* on other systems madvise guarantees nothing */
#endif
}

void ts_pages_release(void *p, size_t len) {
    if (p) munmap(p, ts_pages_round(len));
}

void *ts_pages_resize(void *p, size_t old_len, size_t new_len) {
    old_len = ts_pages_round(old_len);
    new_len = ts_pages_round(new_len);
    if (!p) return map(new_len, PROT_READ | PROT_WRITE);
    if (old_len == new_len) return p;
#ifdef __linux__
    void *q = mremap(p, old_len, new_len, MREMAP_MAYMOVE);
    return q == MAP_FAILED ? NULL : q;
#else
    void *q = map(new_len, PROT_READ | PROT_WRITE);
    if (!q) return NULL;
    memcpy(q, p, old_len < new_len ? old_len : new_len);
    munmap(p, old_len);
    return q;
#endif
}

void ts_pages_populate(void *p, size_t len) {
#ifdef MADV_POPULATE_WRITE
    const size_t mask = ts_pages_size() - 1, skipped = -(uintptr_t)p & mask;
    if (len > skipped) (void)madvise((char *)p + skipped, (len - skipped) & ~mask, MADV_POPULATE_WRITE);
#else
    (void)p, (void)len;
#endif
}

void *ts_pages_array(ts_arena *a, size_t n, size_t elem_size) {
    enum { LARGE = 1 << 17 };
    const size_t len = n <= SIZE_MAX / 2 / elem_size ? n * elem_size : 0;
    void *room = len >= LARGE ? ts_arena_reserve(a, len) : NULL;
    if (room) ts_pages_populate(room, len);
    return ts_arena_array(a, n, elem_size);
}

bool ts_pages_can_reserve(size_t len) {
    void *p = ts_pages_reserve(len);
    ts_pages_release(p, len);
    return p != NULL;
}

bool ts_pages_make_code(void *p, size_t len) {
    const size_t n = ts_pages_round(len);
    if (mprotect(p, n, PROT_READ | PROT_EXEC | PROT_LANDING) != 0 && mprotect(p, n, PROT_READ | PROT_EXEC) != 0)
        return false;
    __builtin___clear_cache((char *)p, (char *)p + len);
    return true;
}

bool ts_pages_can_replace_code(void) {
#ifdef __linux__
    return true;
#else
    return false;
#endif
}
bool ts_pages_replace_code(void *place, void *p, size_t len) {
#ifdef __linux__
    const size_t n = ts_pages_round(len);
    if (mremap(p, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, place) != place) {
        /* Linux looks first whether it can. If its own memory ends in the middle, the code is lost that runs here. */
        if (madvise(place, ts_pages_size(), MADV_NORMAL) != 0) abort();
        return false;
    }
    __builtin___clear_cache((char *)place, (char *)place + len);
    return true;
#else
    (void)place, (void)p, (void)len;
    return false;
#endif
}
