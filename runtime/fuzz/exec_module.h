/* exec_module: runs one module from beginning to end, and writes down everything observable.
 * In: bytes, how to run. Out: a text with one line per observation, the same for every form of code of one
 * module: module S · instantiate S · call EXPORT SET PARAMS RESULTS ARGS… = S VALUES… · memory EXPORT BYTES
 * ADLER32 · global EXPORT TYPE VALUE · table EXPORT LEN VALUES…; S is a status, or trap:KIND.
 * spec: exec/modules */
#ifndef TS_FUZZ_EXEC_MODULE_H
#define TS_FUZZ_EXEC_MODULE_H
#include "core/run/store.h"

typedef struct fz_how {
    bool checked;       /* explicit bounds checks, no guard pages */
    bool deterministic; /* NaN bits canonical */
    uint64_t fuel;      /* of each call; 0 for the form without fuel */
    uint32_t gc_stress; /* collect on every nth allocation; 0: as usual */
    ts_tier tier;
} fz_how;

typedef struct fz_report {
    char *text;
    size_t len, cap;
    bool ran;     /* an instance was created */
    bool limited; /* a limit of fuel, stack or heap was reached: the text ends there */
} fz_report;

enum { FZ_ARGUMENT_SETS = 2 };

void fz_run(const uint8_t *bytes, size_t len, const fz_how *how, fz_report *r);
void fz_report_free(fz_report *r);
#endif
