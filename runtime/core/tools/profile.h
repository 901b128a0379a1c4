/* profile: which functions of guests use the CPU time, by samples of their stacks.
 * In: samples of walk.h. Out: a file that profiler.firefox.com and speedscope.app open.
 *
 * profile.c collects, profile_write.c writes. A place of a function becomes names and lines when the function's
 * module ends, or when the file is written. */
#ifndef TS_CORE_PROFILE_H
#define TS_CORE_PROFILE_H
#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "core/module/engine.h"
#include "core/run/walk.h"
#include "sys/thread.h"
#include <stdio.h>

#define TS_PROFILE_NONE UINT32_MAX
typedef enum ts_profile_kind { TS_PROFILE_MACHINE, TS_PROFILE_INTERPRETED, TS_PROFILE_HOST } ts_profile_kind;
typedef struct ts_profile_function {
    uint32_t name, file; /* strings; file: or TS_PROFILE_NONE */
} ts_profile_function;
typedef struct ts_profile_line {
    uint32_t function, line, column; /* line 0: unknown */
    uint32_t kind;                   /* ts_profile_kind */
} ts_profile_line;
typedef struct ts_profile_place {
    ts_place at;
    bool known;
    uint32_t first, n; /* of its lines in `chains`, outermost first, once `known` */
} ts_profile_place;
typedef struct ts_profile_stack {
    uint32_t caller; /* a stack with a lower number, or TS_PROFILE_NONE */
    uint32_t place;
} ts_profile_stack;
typedef struct ts_profile_sample {
    uint32_t stack, thread;
    uint64_t time_ns, cpu_ns;
} ts_profile_sample;

typedef struct ts_profile {
    ts_code_watch watch; /* the first member */
    ts_lock lock;
    struct ts_sampler *sampler;
    FILE *file; /* NULL: written */
    char *path;
    uint64_t period_ns, started_ns; /* of the monotonic clock */
    double started_ms;              /* since 1970 */
    uint64_t lost;                  /* samples, for lack of memory */
    ts_arena arena;                 /* of strings, and of the maps' keys */
    ts_map string_map, function_map, line_map, place_map, stack_map;
    TS_VEC(const char *) strings;
    TS_VEC(ts_profile_function) functions;
    TS_VEC(ts_profile_line) lines;
    TS_VEC(uint32_t) chains;
    TS_VEC(ts_profile_place) places;
    TS_VEC(ts_profile_stack) stacks;
    TS_VEC(ts_profile_sample) samples;
    TS_VEC(uint64_t) threads;
} ts_profile;

/* Writes all that has been collected, whose places are known. Returns false if the file cannot be written, or if there
 * is no memory. */
bool ts_profile_write(ts_profile *p) TS_MUST_USE;
#endif
