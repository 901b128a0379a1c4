/* cfi_probe: calls a function by a pointer of another type, which a build with CFI=1 must not let pass.
 * In: `right`, `wrong` or `unchecked`. Out: exit status 0 if the call came back; a build with CFI=1 ends `wrong` by
 * SIGILL. */
#include "base/cfi.h"
#include <string.h>

static int add_one(int a) {
    return a + 1;
}
typedef int (*right_type)(int);
typedef int (*wrong_type)(const char *, int);

/* The optimizer may not know where they lead to. */
static right_type volatile right = add_one;
static wrong_type volatile wrong;

static TS_UNCHECKED_CALLS int unchecked(void) {
    return wrong("", 1);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    wrong = (wrong_type)(void *)add_one;
    if (strcmp(argv[1], "right") == 0) return right(1) == 2 ? 0 : 1;
    if (strcmp(argv[1], "wrong") == 0) (void)wrong("", 1);
    if (strcmp(argv[1], "unchecked") == 0) (void)unchecked();
    return 0;
}
