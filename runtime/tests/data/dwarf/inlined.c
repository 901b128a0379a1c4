/* What test_dwarf.c asks about: `divide` is inlined into `both` (twice), that into `outer`, and `other` into
 * `again`. Built by build.sh beside it, which says how. */
#include "inlined.h"

INLINED static int both(int a, int b) {
    int first = divide(a, b);
    {
        int second = a + 1;
        if (second > 10) first += divide(second, b - 1);
    }
    return first;
}

__attribute__((export_name("outer"))) int outer(int a, int b) {
    return both(a, b) + 1;
}

INLINED static int other(int a, int b) {
    return both(b, a) + divide(a, a - 7);
}

__attribute__((export_name("again"))) int again(int a, int b) {
    int sum = 0;
    for (int i = 0; i < b; i++) sum += other(a, i + 1);
    return sum;
}
