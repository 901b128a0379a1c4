/* refuse_memory: malloc and its kin as the linker puts them in place of the real ones (-Wl,--wrap): one allocation is refused, or all from
 * one on. For tests of one source file. In: `until`, `for_good`. Out: how many were `asked` for and `refused`. */
#ifndef TS_TESTS_REFUSE_MEMORY_H
#define TS_TESTS_REFUSE_MEMORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static int64_t until = -1; /* allocations until one fails; -1: none does */
static bool for_good;      /* all that follow fail too */
static uint64_t asked, refused;

static bool refuse(void) {
    if (until < 0) return false;
    asked++;
    if (until > 0 && --until > 0) return false;
    if (!for_good && refused) return false;
    refused++;
    return true;
}
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n) {
    return refuse() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    return refuse() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    return refuse() ? NULL : __real_realloc(p, n);
}
#endif
