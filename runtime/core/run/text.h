/* text: values of core WebAssembly as text, in the notation of the text format and of its scripts.
 * In: a type and slots, or text. Out: text that reads back as the same value; or slots; TS_USAGE with what is wrong.
 * Numbers are written bare: `-1`, `0x2a`, `1.5`, `inf`, `nan:0x200000`. Vectors: `(v128.const i64x2 11 22)`. References:
 * `(ref.null any)`, `(ref.i31 42)`, `(ref.host 7)`, `(ref.extern 7)`; what has no literal is named by its kind alone:
 * `(ref.func)`, `(ref.struct)`, `(ref.array)`, `(ref.exn)`. An address of the host is never printed.
 * spec: text/values, text/instructions, and the reference interpreter's README, "Scripts" (ref.host, ref.extern) */
#ifndef TS_CORE_RUN_TEXT_H
#define TS_CORE_RUN_TEXT_H
#include "core/run/store.h"

enum { TS_SLOT_TEXT = 80 }; /* bytes that the text of any value fits into */

/* Writes the text of the value in v[0] (v128: v[0] and v[1]); returns buf. */
const char *ts_slot_print(const ts_store *s, ts_valtype t, const ts_slot *v, char buf[TS_SLOT_TEXT]);
/* Reads a value of type t at *at, which moves behind it. Blanks before it are skipped. */
ts_status ts_slot_parse(const ts_store *s, ts_valtype t, const char **at, ts_slot out[2], ts_error *e) TS_MUST_USE;

/* The top of a heap type's hierarchy: func, any, extern or exn. spec: valid/matching#heap-types */
uint32_t ts_ht_top(const ts_type_registry *r, uint32_t ht);
#endif
