/* code_cache: see code_cache.c. */
#ifndef TS_CORE_CODE_CACHE_H
#define TS_CORE_CODE_CACHE_H
#include "core/code/ir.h"

/* Gives the module an empty code cache, which ends with it. False: no memory. */
bool ts_code_cache_attach(ts_module *m) TS_MUST_USE;
/* The function's code in a form (TS_FORM_*), whose entry compiles it on its first call. NULL: no memory. */
ts_fcode *ts_code_func(ts_module *m, unsigned form, uint32_t func);
/* Functions that will be called, in that order: a thread of its own compiles them as soon as the form is first asked for.
 * Takes the list over. To be called before any code is made. */
void ts_code_set_ahead(ts_module *m, unsigned form, uint32_t *funcs, uint32_t n);
/* What has been compiled so far, in the order of first calls, of the form that most was of. */
const uint32_t *ts_code_call_order(const ts_module *m, unsigned *form, uint32_t *n);
/* Compile now if that has not been done; thread-safe. */
ts_status ts_code_compile(ts_fcode *c, ts_error *e) TS_MUST_USE;
/* The function whose code holds pc, or NULL. */
ts_fcode *ts_code_find(ts_module *m, unsigned form, const ts_word *pc);
/* Byte offset in the module of the instruction that pc belongs to (compiles once more to find it). 0: unknown. */
uint64_t ts_code_offset(const ts_fcode *c, const ts_word *pc);
#endif
