#!/bin/sh
# Builds dwarf4.wasm and dwarf5.wasm, inlined4.wasm and inlined5.wasm, which test_dwarf.c reads, and their sums.
set -e
cd "$(dirname "$0")"
for v in 4 5; do
    flags="--target=wasm32 -gdwarf-$v -nostdlib -Iinclude -ffile-prefix-map=$PWD=/src -Wl,--no-entry"
    clang-19 $flags -O0 -o dwarf$v.wasm trap.c
    clang-19 $flags -O2 -o inlined$v.wasm inlined.c
done
sha256sum *.wasm > CHECKSUMS
