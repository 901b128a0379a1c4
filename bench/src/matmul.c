/* Product of two matrices of f64. */
#include "bench.h"
enum { N = 96 };
static double a[N][N], b[N][N], c[N][N];
RUN i32 run(i32 n) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i + j * 0.5, b[i][j] = i - j * 0.25, c[i][j] = 0;
    double trace = 0;
    for (i32 r = 0; r < n; r++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
        a[r % N][0] = c[r % N][1] * 1e-6;
        for (int i = 0; i < N; i++) trace += c[i][i] * 1e-3;
    }
    return (i32)(u32)(u64)(trace < 0 ? -trace : trace);
}
