#!/bin/sh
# Builds dwarf4.wasm and dwarf5.wasm, which test_dwarf.c reads, and their sums.
set -e
cd "$(dirname "$0")"
for v in 4 5; do
    clang-19 --target=wasm32 -gdwarf-$v -O0 -nostdlib -Iinclude -ffile-prefix-map="$PWD"=/src -Wl,--no-entry -o dwarf$v.wasm trap.c
done
sha256sum dwarf4.wasm dwarf5.wasm > CHECKSUMS
