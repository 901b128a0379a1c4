/* Recursive calls: Fibonacci numbers and the Tak function. */
#include "bench.h"
static NOINLINE i32 fib(i32 n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
static NOINLINE i32 tak(i32 x, i32 y, i32 z) {
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}
RUN i32 run(i32 n) {
    u32 sum = 0;
    for (i32 i = 0; i < n; i++) sum = sum * 31 + (u32)fib(20 + (i & 1)) + (u32)tak(12, 8 - (i & 1), 3);
    return (i32)sum;
}
