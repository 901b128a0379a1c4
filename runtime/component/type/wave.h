/* wave: component values as text in WAVE notation. See wave.c. */
#ifndef TS_COMPONENT_WAVE_H
#define TS_COMPONENT_WAVE_H
#include "base/arena.h"
#include "component/type/ctype.h"

/* Prints a value into buf, truncated to size. Returns the length of the whole text, as snprintf does.
 * Lists of more than max_items elements are shortened, unless it is 0. */
size_t ts_wave_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items);
/* Parses the arguments of a call with their parentheses: n_params values into args. What they point
 * to is allocated in the arena. Returns TS_USAGE with the column of a mistake. */
ts_status ts_wave_parse_args(const ts_cfunc_type *t, const char *text, ts_arena *arena, ts_val *args,
                             ts_error *e) TS_MUST_USE;
/* Parses one value of type t. */
ts_status ts_wave_parse(const ts_ctype *t, const char *text, ts_arena *arena, ts_val *v, ts_error *e) TS_MUST_USE;

/* The same as ts_wave_print, with a number for each handle that the caller chooses. */
typedef uint64_t (*ts_wave_number)(void *data, const ts_ctype *t, const ts_val *v);
size_t ts_wave_print_numbered(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items,
                              ts_wave_number number, void *data);
#endif
