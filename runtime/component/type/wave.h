/* wave: component values as text, in WAVE notation: see wave.c */
#ifndef TS_COMPONENT_WAVE_H
#define TS_COMPONENT_WAVE_H
#include "base/arena.h"
#include "component/type/ctype.h"

/* WAVE notation of a value. Returns bytes that it takes in full (as snprintf). max_items: longer lists are shortened (0: never). */
size_t ts_wave_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items);
/* Parse WAVE arguments, `(args)` with their parentheses: n_params values into args, what they point to into arena. */
ts_status ts_wave_parse_args(const ts_cfunc_type *t, const char *text, ts_arena *arena, ts_val *args,
                             ts_error *e) TS_MUST_USE;
/* One value of type t. */
ts_status ts_wave_parse(const ts_ctype *t, const char *text, ts_arena *arena, ts_val *v, ts_error *e) TS_MUST_USE;

/* Printing with a number of one's own for each handle */
typedef uint64_t (*ts_wave_number)(void *data, const ts_ctype *t, const ts_val *v);
size_t ts_wave_print_numbered(const ts_ctype *t, const ts_val *v, char *buf, size_t size, uint32_t max_items,
                              ts_wave_number number, void *data);
#endif
