/* text: values of core WebAssembly as text, in the notation of the text format and of its scripts.
 * In: a type and slots, or text. Out: text that reads back as the same value; or slots, or TS_USAGE with a
 * reason.
 * spec: text/values, text/instructions, and the reference interpreter's README, "Scripts" (ref.host,
 * ref.extern)
 *
 * Numbers are bare: `-1`, `0x2a`, `1.5`, `inf`, `nan:0x200000`. Vectors look like `(v128.const i64x2 11
 * 22)`, references like `(ref.null any)`, `(ref.i31 42)`, `(ref.host 7)`, `(ref.extern 7)`. A reference
 * without a literal is printed as its kind alone: `(ref.func)`, `(ref.struct)`, `(ref.array)`,
 * `(ref.exn)`. An address of the host is never printed. */
#ifndef TS_CORE_RUN_TEXT_H
#define TS_CORE_RUN_TEXT_H
#include "core/run/store.h"

enum { TS_SLOT_TEXT = 80 }; /* bytes, enough for the text of any value and its NUL */

/* Writes the text of the value in v[0] (for a v128, v[0] and v[1]). Returns buf. */
const char *ts_slot_print(const ts_store *s, ts_valtype t, const ts_slot *v, char buf[TS_SLOT_TEXT]);
/* Reads a value of type t at *at, after blanks, and moves *at past it. The text ends with a NUL. */
ts_status ts_slot_parse(const ts_store *s, ts_valtype t, const char **at, ts_slot out[2], ts_error *e) TS_MUST_USE;

/* The top of a heap type's hierarchy: func, any, extern or exn. spec: valid/matching#heap-types */
uint32_t ts_ht_top(const ts_type_registry *r, uint32_t ht);
#endif
