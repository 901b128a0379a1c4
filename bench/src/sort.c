/* Quicksort with an insertion sort for short runs, then heapsort of the same numbers. */
#include "bench.h"
enum { N = 20000 };
static i32 v[N], w[N];
static NOINLINE void quicksort(i32 *a, i32 n) {
    while (n > 12) {
        i32 pivot = a[n / 2], i = 0, j = n - 1;
        for (;; i++, j--) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i >= j) break;
            i32 t = a[i];
            a[i] = a[j];
            a[j] = t;
        }
        quicksort(a, i);
        a += i;
        n -= i;
    }
    for (i32 i = 1; i < n; i++) {
        i32 t = a[i], j = i;
        for (; j > 0 && a[j - 1] > t; j--) a[j] = a[j - 1];
        a[j] = t;
    }
}
static NOINLINE void sift(i32 *a, i32 i, i32 n) {
    i32 t = a[i];
    for (i32 child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && a[child + 1] > a[child]) child++;
        if (a[child] <= t) break;
        a[i] = a[child];
    }
    a[i] = t;
}
static NOINLINE void heapsort(i32 *a, i32 n) {
    for (i32 i = n / 2; i-- > 0;) sift(a, i, n);
    for (i32 i = n - 1; i > 0; i--) {
        i32 t = a[0];
        a[0] = a[i];
        a[i] = t;
        sift(a, 0, i);
    }
}
RUN i32 run(i32 n) {
    u32 seed = 1, sum = 0;
    for (i32 r = 0; r < n; r++) {
        for (i32 i = 0; i < N; i++) v[i] = w[i] = (i32)next_random(&seed) - (1 << 23);
        quicksort(v, N);
        heapsort(w, N);
        for (i32 i = 0; i < N; i++) sum = sum * 31 + (u32)v[i] + (v[i] != w[i]);
    }
    return (i32)sum;
}
