/* load: makes a module of bytes. It is the only place that knows the order of the phases.
 * In: bytes. Out: a constant module, decoded and valid (validated, or known to be valid by the cache),
 * with its code cache, lines and image attached. spec: embedding#modules */
#ifndef TS_CORE_LOAD_H
#define TS_CORE_LOAD_H
#include "core/module/engine.h"

/* Decodes and validates a module. `bytes` must outlive it unless `copy` is set. The caller owns one
 * reference, which ts_module_free drops. TS_MALFORMED, TS_INVALID, TS_UNSUPPORTED and others say why there
 * is no module. */
ts_status ts_module_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, TS_OWN ts_module **out,
                        ts_error *e) TS_MUST_USE;
#endif
