#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz wants them: programs, seeds, dictionaries and options in $OUT.
#
# In: $SRC/touchstone or the current folder, $OUT, $CC, $CFLAGS, $LIB_FUZZING_ENGINE, $SANITIZER.
# Out: $OUT/fuzz_NAME, fuzz_NAME_seed_corpus.zip, fuzz_NAME.dict, fuzz_NAME.options, $OUT/lib.
[ -d "${SRC:-/nowhere}/touchstone" ] && cd "$SRC/touchstone"
build=${WORK:-$PWD}/build-oss-fuzz
python=$(command -v python3)

# Machine code needs an interpreter without the switch, which sanitizers need: fuzz_tiers and fuzz_cache_code are not for them.
flags="-DTS_DISPATCH_SWITCH -DTS_ASSERTIONS -Wno-error"
[ "${SANITIZER:-}" = undefined ] && flags="$flags -fno-sanitize-recover=undefined"
names=
for source in runtime/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    [ "$name" = fuzz_tiers ] || [ "$name" = fuzz_cache_code ] || names="$names $name"
done
programs=
for name in $names; do programs="$programs $build/fuzz/$name"; done
# shellcheck disable=SC2086
make -s -j"$(nproc)" CC="$CC" BUILD="$build" OPT= HARDEN= HARDEN_LD= PYTHON="$python" CFLAGS="$CFLAGS $flags" \
    FUZZ_ENGINE="$LIB_FUZZING_ENGINE $CFLAGS" FUZZ_LDFLAGS="'-Wl,--disable-new-dtags,-rpath,\$\$ORIGIN/lib'" FUZZ_LINK="$CXX" $programs

seeds=$(mktemp -d)
"$python" runtime/fuzz/seeds.py "$seeds"
for name in $names; do
    cp "$build/fuzz/$name" "$OUT/"
    (cd "$seeds" && mkdir -p "$name" && rm -f "$OUT/${name}_seed_corpus.zip" &&
        "$python" -m zipfile -c "$OUT/${name}_seed_corpus.zip" "$name"/)
    for kind in dict options; do
        [ ! -e "runtime/fuzz/dictionaries/$name.$kind" ] || cp "runtime/fuzz/dictionaries/$name.$kind" "$OUT/"
    done
done
rm -rf "$seeds"

# The client loads libcurl while it runs, and the machines that fuzz have only what is in $OUT.
# The old kind of rpath holds for the libraries of libcurl too.
mkdir -p "$OUT/lib"
curl=$(ldconfig -p | sed -n 's/.*libcurl\.so\.4 .*x86-64.* => //p' | head -n 1)
if [ -n "$curl" ]; then
    cp -L "$curl" "$OUT/lib/"
    ldd "$curl" | sed -n 's/.* => \(\/[^ ]*\).*/\1/p' | grep -Ev '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*)\.so' |
        while read -r library; do cp -L "$library" "$OUT/lib/"; done
fi
