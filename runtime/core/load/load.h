/* load: bytes become a module: decoded, validated (or known to be valid by the cache), with its code cache, lines and image attached. */
#ifndef TS_CORE_LOAD_H
#define TS_CORE_LOAD_H
#include "core/module/engine.h"

/* Decode and validate; `bytes` must outlive the module unless copy is set. The caller owns one reference (ts_module_free). */
ts_status ts_module_new(ts_engine *engine, const uint8_t *bytes, size_t len, bool copy, TS_OWN ts_module **out,
                        ts_error *e) TS_MUST_USE;
#endif
