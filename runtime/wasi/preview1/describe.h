/* describe: the type of each function, for linking and for traces, from one line of letters.
 * In: the letters. Out: core types; component-level types and values, as a trace shows them.
 * The letters, each with its core parameters (i: i32, I: i64):
 *   f i  a descriptor          u i  $size and other numbers   U I  $filesize, $timestamp    S I  $filedelta
 *   s ii a path                w ii $ciovec_array             r ii $iovec_array: its sizes  b ii a buffer: its size
 *   p i  a pointer, not shown  C A W G i  the enums clockid, advice, whence, signal
 *   R I  $rights               L O F T E D i  the flags lookupflags, oflags, fdflags, fstflags, riflags, sdflags
 * and after the colon the results, each with a parameter, the pointer (i) to where it goes:
 *   f u U as above             d fdstat   t filestat   q prestat: the length   h roflags, not shown
 *   r b  the number of bytes that are now in the buffers r or b, which are shown
 *   x    it does not return: there is no error code */
#ifndef TS_WASI_PREVIEW1_DESCRIBE_H
#define TS_WASI_PREVIEW1_DESCRIBE_H
#include "wasi/preview1/state.h"

enum { TS_P1_MAX_PARAMS = 12 };

typedef struct ts_p1_shape {
    uint32_t n_core; /* core parameters */
    ts_core_type core[TS_P1_MAX_PARAMS];
    uint32_t first_result; /* of the core parameters: the pointers to where results go */
    bool returns;
    uint32_t n_shown; /* component-level parameters */
    ts_ct_case shown[TS_P1_MAX_PARAMS];
    ts_cfunc_type type; /* of shown */
} ts_p1_shape;

void ts_p1_shape_of(const char *letters, ts_p1_shape *out);
/* The alignment in bytes that result number i needs. */
uint32_t ts_p1_result_align(const char *letters, uint32_t i);
/* Values for a trace, in the arena of the call. NULL: no memory, or a pointer leads out of the memory. */
const ts_val *ts_p1_shown_args(ts_p1_call *c, const char *letters, const uint64_t *a);
const ts_val *ts_p1_shown_result(ts_p1_call *c, const char *letters, const uint64_t *a);
#endif
