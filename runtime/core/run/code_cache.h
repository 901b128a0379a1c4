/* code_cache: the compiled functions of a module, made on their first call, shared by its instances on all
 * threads.
 * In: a validated module, a function, a form (TS_FORM_*). Out: a ts_fcode, whose entry is code with the
 * handlers of this build's dispatch. Design: one compilation per function and form, outside any lock. */
#ifndef TS_CORE_CODE_CACHE_H
#define TS_CORE_CODE_CACHE_H
#include "core/code/ir.h"
#include "core/run/kept.h"

/* Gives the module an empty code cache, which is freed with it. Returns false if there is no memory. */
bool ts_code_cache_attach(ts_module *m) TS_MUST_USE;
/* Returns the function's code in a form. Its entry compiles it on the first call. NULL: no memory.
 * The code belongs to the module. */
ts_fcode *ts_code_func(ts_module *m, unsigned form, uint32_t func);
/* Sets a list of functions that are likely to be called, in this order (indices in the function index space).
 * When the form is first used, a separate thread starts to compile them. Takes ownership of the list, which
 * malloc made. Must be called before any code is made. */
void ts_code_set_ahead(ts_module *m, unsigned form, uint32_t *funcs, uint32_t n);
/* Returns the functions that have IR in a form, in the order of their first calls, and their number. */
const uint32_t *ts_code_called(const ts_module *m, unsigned form, uint32_t *n);
/* Returns the functions that have been compiled so far, in the order of their first calls, and their
 * number in *n: those of the form with the most of them, which goes to *form. The list belongs to the
 * module. */
const uint32_t *ts_code_call_order(const ts_module *m, unsigned *form, uint32_t *n);
/* Compiles the function unless that has been done. Any thread may call it. */
ts_status ts_code_compile(ts_fcode *out, ts_error *e) TS_MUST_USE;
/* Stops the thread of ts_code_set_ahead. */
void ts_code_end_ahead(ts_module *m);
/* Take the IR of functions from `kept`, where it has some, which outlives the code; and call fn for each function when it
 * has IR, on the thread that called it first. Must be called before any code is made. Then none is made ahead. */
void ts_code_set_kept(ts_module *m, ts_kept *kept, void (*fn)(ts_fcode *c));
/* The codes of all functions of the module in a form, by index. */
ts_fcode *ts_code_all(ts_module *m, unsigned form);
/* Calls fn for each compiled function, in all forms, until it returns true. */
void ts_code_each(ts_module *m, bool (*fn)(void *data, ts_fcode *c), void *data);
/* Returns the function whose code contains pc, or NULL. */
ts_fcode *ts_code_find(ts_module *m, unsigned form, const ts_word *pc);
/* Where the machine code of the module's functions is. It ends with the code. */
struct ts_machine_room *ts_code_room(ts_module *m);
/* Gives the function its machine code, before that can run. Returns false if there is no memory. */
bool ts_code_set_machine(ts_fcode *c, struct ts_machine_code *made);
/* Returns the function whose machine code has this address, or NULL. */
ts_fcode *ts_code_find_machine(ts_module *m, uintptr_t address);
/* ts_code_find_machine, or ts_code_find, for a signal handler: it does not wait for the lock, which the interrupted
 * thread may have. NULL: not found this time. */
ts_fcode *ts_code_look(ts_module *m, unsigned form, uintptr_t address, bool machine);
/* Returns the byte offset in the module of the instruction that pc belongs to, or 0 if it is unknown.
 * It compiles the function once more to find it. */
uint64_t ts_code_offset(const ts_fcode *f, const ts_word *pc);
#endif
