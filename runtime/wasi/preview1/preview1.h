/* preview1: the functions of wasi_snapshot_preview1 for core modules, over the host of a run.
 * In: a WASI context with grants, a store, the imports of a module. Out: core functions for them.
 * Source: witx (WebAssembly/WASI, branch wasi-0.1: preview1/witx, tools/witx-docs.md), application-abi.md */
#ifndef TS_WASI_PREVIEW1_H
#define TS_WASI_PREVIEW1_H
#include "wasi/wasi.h"

#define TS_P1_MODULE "wasi_snapshot_preview1"

/* The state of one module's run: its file descriptors. */
typedef struct ts_p1 ts_p1;

/* Opens the standard streams and the granted directories as descriptors 0, 1, 2, and 3 and following. w and s
 * must outlive it; calls are traced as calls of the linker l. */
ts_status ts_p1_new(ts_wasi *w, ts_cstore *s, ts_linker *l, TS_OWN ts_p1 **out, ts_error *e) TS_MUST_USE;
void ts_p1_free(ts_p1 *p);

/* Returns NULL if preview 1 has a function for this import, else why it cannot be linked (into buf). */
const char *ts_p1_missing(const ts_core_item *import, char *buf, size_t size);
/* Makes the function for an import that is not missing. p must outlive the store's last call. */
ts_status ts_p1_function(ts_p1 *p, ts_core_store *s, const ts_core_item *import, ts_core_func **out,
                         ts_error *e) TS_MUST_USE;
#endif
