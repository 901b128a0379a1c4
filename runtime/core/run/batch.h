/* batch: machine code of several functions of a module, which is installed together.
 * In: machine code, as it is made or read. Out: words of the IR that refer to it. */
#ifndef TS_CORE_BATCH_H
#define TS_CORE_BATCH_H
#include "base/vec.h"
#include "core/code/ir.h"
#include "core/native/native.h"

typedef struct ts_batch_code {
    ts_fcode *c;
    ts_native native;
    ts_native_source from;
    bool kept;
} ts_batch_code;
typedef struct ts_batch {
    TS_VEC(ts_batch_code) codes;
    size_t len; /* bytes of machine code */
} ts_batch;
/* Takes over n. from: NULL, or the code is kept, which outlives the module, and is linked for this process when it is
 * installed. Returns false if there is no memory, and takes nothing. */
bool ts_batch_add(ts_batch *b, ts_fcode *c, const ts_native *n, const ts_native_source *from);
/* Installs the code, and empties the batch. Functions for whose code there is no room stay interpreted. */
void ts_batch_install(ts_batch *b, ts_module *m);
#endif
