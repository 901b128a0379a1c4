/* adapter: machine code of calls between components whose values are scalars. run/adapter.h has the data of one.
 * In: a shape: how many instances are entered, how each value is converted, where the callee's link is. Out: code for
 * all adapters of this shape.
 *
 * The code has the fast path alone. Before it has changed anything, it goes to the interpreter's operation if a flag is
 * false, if the call would be too deep, if an argument is no value of its type, or if the callee's instance has a
 * running task. */
#ifndef TS_CORE_NATIVE_ADAPTER_H
#define TS_CORE_NATIVE_ADAPTER_H
#include "core/native/native.h"

/* How a slot is converted between two core functions, for types without pointers, handles and cases. */
typedef enum ts_flat_op {
    TS_FLAT_SAME,
    TS_FLAT_I32,
    TS_FLAT_BOOL,
    TS_FLAT_U8,
    TS_FLAT_S8,
    TS_FLAT_U16,
    TS_FLAT_S16,
    TS_FLAT_F32,
    TS_FLAT_F64,
    TS_FLAT_CHAR,
    TS_FLAT_FLAGS,
    TS_FLAT_ENUM,
} ts_flat_op;
typedef struct ts_flat_step {
    uint32_t op;    /* ts_flat_op */
    uint32_t limit; /* the mask of flags; the number of an enum's cases */
} ts_flat_step;

enum {
    TS_ADAPTER_STATE = 3,   /* words of 8 bytes of a task's state */
    TS_ADAPTER_ENTERED = 4, /* the largest numbers of a shape */
    TS_ADAPTER_PARAMS = 16,
};
/* It has no padding: equal shapes are equal bytes. */
typedef struct ts_adapter_shape {
    uint32_t n_entered, n_params, n_results; /* n_results: 0 or 1 */
    uint32_t link;                           /* the slot in the callee's frame */
    uint32_t to_memory; /* 0 or 1: the caller gives a place for the result, which the interpreter's operation uses */
    ts_flat_step steps[TS_ADAPTER_PARAMS + 1];
} ts_adapter_shape;

/* Makes the code. The call begins at offset 0, the return at *leave_at. `leave` is the word to which the callee returns,
 * which the caller makes refer to the latter. out has code and len, and is freed by ts_native_free. Returns false if
 * there is no memory, or if there is no such code for this processor. */
bool ts_native_adapter(const ts_adapter_shape *shape, const ts_native_layout *layout, const void *const *handlers,
                       const ts_word *leave, ts_native *out, uint32_t *leave_at);
#endif
