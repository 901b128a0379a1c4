/* store: stores, and what is made outside any module. In: modules and what their imports are bound to. Out: objects that end with the store.
 * spec: exec/runtime, exec/modules */
#ifndef TS_CORE_STORE_H
#define TS_CORE_STORE_H
#include "core/run/call.h"
#include "core/run/instance.h"
#include "core/run/memory.h"
#include "core/run/objects.h"
#include "core/run/table.h"

/* The embedder's limits (NULL: none). */
ts_store_limits ts_store_limits_of(const ts_run_limits *l);
ts_status ts_store_create(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_store **out,
                          ts_error *e) TS_MUST_USE;
void ts_store_destroy(ts_store *s);
/* From any thread, or a signal handler: the running call ends with TS_INTERRUPTED. A guest that computes needs limits.interruptible for
 * that; one whose host function waits for ts_store_wake_file does not. */
void ts_store_interrupt(ts_store *s);
int ts_store_wake_file(ts_store *s); /* readable when it has been interrupted; -1: the system gives none */
/* Has the store been interrupted? woken: the file was readable; it is not afterwards. */
bool ts_store_interrupted(ts_store *s, bool woken);
bool ts_store_take_interrupt(ts_store *s); /* … and that is reported by the caller: it is over */

/* Making things outside any module (owned by the store). */
ts_status ts_func_make_host(ts_store *s, uint32_t type, ts_core_host_fn fn, void *data, const char *name, ts_func **out,
                            ts_error *e) TS_MUST_USE;
ts_status ts_global_make(ts_store *s, const ts_global_type *type, const ts_slot v[2], ts_global **out,
                         ts_error *e) TS_MUST_USE;
ts_status ts_tag_make(ts_store *s, uint32_t type, ts_tag **out, ts_error *e) TS_MUST_USE;
/* externref of the host: wraps a number of 62 bits (an address, an index) as (v << 2 | 2); not owned, not scanned. */
ts_slot ts_ref_host(uint64_t v);
uint64_t ts_ref_host_value(ts_slot r);
#endif
