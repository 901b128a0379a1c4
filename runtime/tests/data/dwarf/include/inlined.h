#define INLINED __attribute__((always_inline)) inline

INLINED static int divide(int a, int b) {
    if (a > 100) __builtin_trap();
    return a / b;
}
