/* fuzz_cache_code: fuzz_cache in a build with machine code, whose cache has an entry of the kind "code" too.
 * In, out: as fuzz_cache.
 * build: clang -fsanitize=fuzzer, because the other sanitizers turn machine code off */
#define WITH_CODE 1
#include "fuzz_cache.c"
