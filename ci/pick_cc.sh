#!/bin/sh
# Prints the compiler to use where no clang 19+ stands under a versioned name: an unversioned clang that knows musttail
# with preserve_none, else gcc, else cc.
if command -v clang >/dev/null 2>&1 &&
    echo '__attribute__((preserve_none)) int f(int); __attribute__((preserve_none)) int g(int x) { __attribute__((musttail)) return f(x); }' |
    clang -Werror -x c -fsyntax-only - 2>/dev/null; then
    echo clang
elif command -v gcc >/dev/null 2>&1; then
    echo gcc
else
    echo cc
fi
