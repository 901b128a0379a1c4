static inline int inner(int a, int b) {
    if (a > 100) __builtin_trap();
    return a / b;
}
