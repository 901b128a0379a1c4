/* walk: the frames of a running guest, at any instruction, in a signal handler.
 * In: the state of a stack of calls, the registers of the interrupted thread. Out: functions and places, innermost
 * first.
 *
 * The thread may be between any two instructions: in machine code, in an operation of the interpreter, in a C function
 * that one of them has called. Nothing that is read is trusted: a frame is taken if its function is found, and if its
 * link leads to a call that puts a frame just there. */
#ifndef TS_CORE_WALK_H
#define TS_CORE_WALK_H
#include "core/run/exec.h"

typedef enum ts_place_kind {
    TS_PLACE_WORD,    /* `at` is a word of the IR */
    TS_PLACE_MACHINE, /* `at` is an offset in the function's machine code */
    TS_PLACE_C,       /* `at` is a word of the instruction whose C function runs, or has called the next frame */
    TS_PLACE_DEEPER,  /* there are more frames, which are not known; `code` is NULL */
} ts_place_kind;
typedef struct ts_place {
    const ts_fcode *code;
    uint32_t at;
    uint32_t kind; /* ts_place_kind */
} ts_place;

/* Writes at most max places to `out`, which has room for one more, and returns their number. 0: the thread is where
 * the frames cannot be told. Async-signal-safe. It must be called on the thread that uses x. */
uint32_t ts_exec_walk(const ts_exec *x, const ts_sampled *at, ts_place *out, uint32_t max);
#endif
