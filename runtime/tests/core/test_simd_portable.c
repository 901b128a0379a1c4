/* test_simd_portable: test_simd on the build of core/run/simd.h that uses no intrinsics.
 * In, out: as test_simd.c. */
#define TS_SIMD_PORTABLE
#include "test_simd.c"
