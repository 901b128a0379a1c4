/* store: stores, and the objects that are made outside any module.
 * In: an engine, limits, types. Out: stores and objects of theirs, which are freed with the store.
 * spec: exec/runtime, exec/modules */
#ifndef TS_CORE_STORE_H
#define TS_CORE_STORE_H
#include "core/run/call.h"
#include "core/run/instance.h"
#include "core/run/memory.h"
#include "core/run/objects.h"
#include "core/run/table.h"

/* Converts the embedder's limits. NULL: every limit has its default. */
ts_store_limits ts_store_limits_of(const ts_run_limits *l);
ts_status ts_store_create(ts_engine *engine, const ts_store_limits *limits, TS_OWN ts_store **out,
                          ts_error *e) TS_MUST_USE;
void ts_store_destroy(ts_store *s);
/* Ends the running call with TS_INTERRUPTED. Any thread or signal handler may call it. A guest that
 * computes notices it only with limits.interruptible; a host function that waits for ts_store_wake_file
 * always does. */
void ts_store_interrupt(ts_store *s);
/* A file that becomes readable when the store is interrupted. It belongs to the store. -1: the system has
 * none left. */
int ts_store_wake_file(ts_store *s);
/* Returns whether the store has been interrupted. `woken` says that the file was readable; it is cleared
 * then. */
bool ts_store_interrupted(ts_store *s, bool woken);
/* The same, and ends the interruption: the caller reports it. */
bool ts_store_take_interrupt(ts_store *s);

/* Objects outside any module. They belong to the store. `type` of a function or tag is a canonical id. */
ts_status ts_func_make_host(ts_store *s, uint32_t type, ts_core_host_fn fn, void *data, const char *name, ts_func **out,
                            ts_error *e) TS_MUST_USE;
ts_status ts_global_make(ts_store *s, const ts_global_type *type, const ts_slot v[2], ts_global **out,
                         ts_error *e) TS_MUST_USE;
ts_status ts_tag_make(ts_store *s, uint32_t type, ts_tag **out, ts_error *e) TS_MUST_USE;
/* An externref of the host: a number below 2^62, such as an address or an index, as v << 2 | 2. The
 * collector does not follow it. */
ts_slot ts_ref_host(uint64_t v);
uint64_t ts_ref_host_value(ts_slot r);
#endif
