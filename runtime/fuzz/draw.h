/* draw: values of a type, drawn from a random number generator.
 * In: a type, a state. Out: a value whose parts lie in a pool. */
#ifndef TS_FUZZ_DRAW_H
#define TS_FUZZ_DRAW_H
#include "component/abi/context.h"

typedef struct fz_draw {
    uint64_t state; /* not 0 */
    ts_pool *pool;
    const ts_val *owned; /* a handle for parameters that need one; NULL: there is none */
    uint32_t budget;     /* number of values that may still be made */
} fz_draw;

uint64_t fz_next(fz_draw *d);
void *fz_room(fz_draw *d, size_t n); /* zeroed, in the pool */
/* Returns false if there is no value of the type, or too many values would be needed. */
bool fz_value(fz_draw *d, const ts_ctype *t, ts_val *v);
#endif
