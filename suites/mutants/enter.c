/* enter: notes which functions of a program have been entered, for suites/mutants/run.py.
 * In: calls that gcc's -finstrument-functions inserts. Out: the file named by TOUCHSTONE_ENTERED: one bit for each 4 bytes of
 * the program's text. It is mapped, so what was noted stays when the process is killed. Source: gcc(1), Instrumentation Options */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 1 << 20 }; /* 32 MiB of text */
extern const char __executable_start[];
static uint8_t *entered;

__attribute__((constructor, no_instrument_function)) static void open_file(void) {
    const char *path = getenv("TOUCHSTONE_ENTERED");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (fd < 0) return;
    void *map = ftruncate(fd, BYTES) ? MAP_FAILED : mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) entered = map;
    close(fd);
}
__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *function, void *caller) {
    (void)caller;
    uintptr_t at = ((uintptr_t)function - (uintptr_t)__executable_start) / 4;
    if (entered && at / 8 < BYTES) __atomic_fetch_or(&entered[at / 8], (uint8_t)(1u << at % 8), __ATOMIC_RELAXED);
}
__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *function, void *caller) {
    (void)function, (void)caller;
}
