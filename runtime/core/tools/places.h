/* places: what source a place in a running function comes from.
 * In: places of walk.h, in functions whose module exists. Out: the frames that the source has there, with inlined
 * functions, files and lines if the module has DWARF. */
#ifndef TS_CORE_PLACES_H
#define TS_CORE_PLACES_H
#include "core/run/walk.h"

enum { TS_PLACE_FRAMES = 24 };
typedef struct ts_place_source {
    ts_frame *frames; /* innermost first */
    uint32_t n;
    bool calls_c; /* the innermost one is no function of the guest: it is one of the host, or an operation */
    bool machine; /* the function has machine code */
} ts_place_source;
/* Calls fn for each of n places, all of which are in the function `code`. It makes the function's code once more, to
 * find them. Returns false if there is no memory: then fn has not been called. */
bool ts_places_each(const ts_fcode *code, const ts_place *const *places, uint32_t n,
                    void (*fn)(void *data, uint32_t i, const ts_place_source *source), void *data) TS_MUST_USE;
#endif
