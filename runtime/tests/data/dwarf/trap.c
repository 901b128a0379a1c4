/* What test_dwarf.c asks about: `outer` calls `middle`, which calls `inner` in a header, which divides.
 * Built by build.sh beside it, which says how. */
#include "inner.h"

__attribute__((noinline)) static int middle(int a, int b) {
    int sum = 0;
    for (int i = 0; i < 2; i++) sum += inner(a, b);
    return sum;
}

__attribute__((export_name("outer"))) int outer(int a, int b) {
    int got = middle(a, b);
    return got + 1;
}
