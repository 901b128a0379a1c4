/* probe: tries what a confined process should not be able to do, so that the kernel itself says what holds.
 * In: the number of a probe. Out: its name, and the kernel's answer. Source: confine.h */
#ifndef TS_SYS_PROBE_H
#define TS_SYS_PROBE_H
#include <stdbool.h>
#include <stddef.h>

typedef struct ts_sys_probe {
    const char *name; /* for people: "run a program" */
    /* Tries it, in a way that changes nothing, or that is undone. Returns 0 if it was possible, or errno. */
    int (*attempt)(void);
} ts_sys_probe;
/* Returns NULL after the last one. */
const ts_sys_probe *ts_sys_probe_at(size_t i);
/* Returns whether an answer of a probe is a refusal, and not the error of a call that was let through. */
bool ts_sys_probe_refused(int answer);
const char *ts_sys_probe_text(int answer);
#endif
