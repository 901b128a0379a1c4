/* sys/written: see written.h */
#include "sys/written.h"
#include "sys/descriptors.h"
#include <fcntl.h>
#include <sys/ioctl.h>

#ifdef __linux__
/* The names are those of linux/fs.h, which older systems do not have. */
typedef struct pm_scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
} pm_scan_arg;
#define PAGEMAP_SCAN _IOWR('f', 16, pm_scan_arg)
enum { PAGE_IS_FILE = 1 << 2, PAGE_IS_PRESENT = 1 << 3, PAGE_IS_SWAPPED = 1 << 4, PAGE_IS_PFNZERO = 1 << 5 };

static int pagemap = -1;

void ts_sys_written_open(void) {
    if (pagemap < 0) pagemap = ts_sys_above_std(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
}

int ts_sys_written_find(const void *p, size_t len, ts_sys_written *out, size_t most) {
    if (pagemap < 0) return -1;
    pm_scan_arg a = {
        .size = sizeof a,
        .start = (uintptr_t)p,
        .end = (uintptr_t)p + len,
        .vec = (uintptr_t)out,
        .vec_len = most,
        /* neither a page of the file nor the page of zeros, and there, in memory or not */
        .category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
        .category_mask = PAGE_IS_FILE | PAGE_IS_PFNZERO,
        .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
    };
    const int n = ioctl(pagemap, PAGEMAP_SCAN, &a);
    return n >= 0 && a.walk_end == a.end ? n : -1;
}
#else
void ts_sys_written_open(void) {}
int ts_sys_written_find(const void *p, size_t len, ts_sys_written *out, size_t most) {
    (void)p, (void)len, (void)out, (void)most;
    return -1;
}
#endif
